// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Waiting for objects and for time to pass, on ppoll(2).
 */
#include "internal.h"

#include <pthread.h>
#include <sched.h>

int wsock_poll_until(struct pollfd *fds, nfds_t nfds, uint64_t deadline,
		     uint64_t slice_ns)
{
	struct timespec ts, *timeout;
	uint64_t now, left;
	int ready;

	for (;;) {
		timeout = NULL;
		left = slice_ns ? slice_ns : UINT64_MAX;
		if (deadline != WSOCK_NEVER) {
			now = wsock_now();
			if (deadline <= now)
				left = 0;
			else if (deadline - now < left)
				left = deadline - now;
		}
		if (left != UINT64_MAX) {
			ts.tv_sec = (time_t)(left / WSOCK_NSEC_PER_SEC);
			ts.tv_nsec = (long)(left % WSOCK_NSEC_PER_SEC);
			timeout = &ts;
		}
		ready = ppoll(fds, nfds, timeout, NULL);
		if (ready >= 0 || errno != EINTR)
			return ready;
	}
}

bool wsock_poll_bad(const struct pollfd *fds, nfds_t n)
{
	nfds_t i;

	for (i = 0; i < n; i++)
		if (fds[i].revents & POLLNVAL)
			return true;
	return false;
}

/* ---- Objects ---- */

/*
 * What a wait is for.
 * @fds: the objects, and behind them the thread's APC queue
 * @n: how many objects
 * @alertable: the number of queues, 0 or 1
 * @take: bit i is set when the end of the wait takes object i
 * @waits: those of @take that the others know we wait for
 * @close: bit i is set when the descriptor of object i is ours
 * @abandoned: a mutex was taken whose owner has ended
 */
struct wait {
	struct pollfd fds[MAXIMUM_WAIT_OBJECTS + 1];
	nfds_t n;
	nfds_t alertable;
	uint64_t take;
	uint64_t waits;
	uint64_t close;
	uint64_t deadline;
	bool abandoned;
};

/* A thread cannot get a queue while it waits: without one it is not alertable. */
static void set_alertable(struct wait *w)
{
	w->fds[w->n].fd = wsock_apc_fd();
	w->fds[w->n].events = POLLIN;
	w->alertable = w->fds[w->n].fd >= 0;
}

static DWORD wait_failed(int error)
{
	wsock_error_set(error);
	return WAIT_FAILED;
}

/* What poll found bad: a wait cannot go on. */
static DWORD poll_failed(int ready)
{
	return wait_failed(ready < 0 ? ERROR_NOT_ENOUGH_MEMORY :
				       ERROR_INVALID_HANDLE);
}

static void begin_waits(struct wait *w, uint64_t waits)
{
	w->waits = waits;
	if (waits)
		wsock_object_wait_begin(w->fds, waits);
}

static void end_waits(void *arg)
{
	struct wait *w = arg;

	if (w->waits)
		wsock_object_wait_end(w->fds, w->waits);
	w->waits = 0;
}

/* A thread that runs APCs does not wait meanwhile. */
static bool run_apcs(struct wait *w)
{
	uint64_t waits = w->waits;

	if (!w->fds[w->n].revents && !wsock_apc_timers_due())
		return false;
	end_waits(w);
	if (wsock_apc_run())
		return true;
	begin_waits(w, waits);
	return false;
}

/* Of many waiters that wake, one gets an auto-reset event. */
static bool take(struct wait *w, nfds_t i)
{
	uint64_t bit = 1ULL << i;
	int taken;

	if (!(w->take & bit))
		return true;
	taken = w->waits & bit ? wsock_object_wait_take(w->fds[i].fd) :
				 wsock_object_take(w->fds[i].fd);
	if (taken <= 0) {
		/* A mutex of ours, that SignalObjectAndWait has released. */
		w->fds[i].events = POLLIN;
		return false;
	}
	w->abandoned = taken == WSOCK_TAKEN_ABANDONED;
	w->waits &= ~bit;
	return true;
}

/* The lowest object that is signalled, and ours now; -1 for none. */
static int take_first(struct wait *w)
{
	nfds_t i;

	for (i = 0; i < w->n; i++)
		if (w->fds[i].revents && take(w, i))
			return (int)i;
	return -1;
}

/* Sleeps no longer than until a routine of ours is due, if it may be called. */
static int poll_for(const struct wait *w, struct pollfd *fds, nfds_t n,
		    uint64_t deadline)
{
	return wsock_poll_until(fds, n + w->alertable,
				w->alertable ? wsock_apc_until(deadline) :
					       deadline, 0);
}

/* Waits until @deadline for something to happen. False when that was nothing. */
static bool look(struct wait *w, uint64_t deadline, DWORD *result)
{
	int first, ready = poll_for(w, w->fds, w->n, deadline);

	if (!ready && !(w->alertable && wsock_apc_timers_due())) {
		*result = WAIT_TIMEOUT;
		return true;
	}
	if (ready < 0 || wsock_poll_bad(w->fds, w->n)) {
		*result = poll_failed(ready);
		return true;
	}
	/* Objects come before APCs. */
	first = take_first(w);
	if (first >= 0)
		*result = (w->abandoned ? WAIT_ABANDONED_0 : WAIT_OBJECT_0) +
			  (DWORD)first;
	else if (w->alertable && run_apcs(w))
		*result = WAIT_IO_COMPLETION;
	return first >= 0 || *result == WAIT_IO_COMPLETION;
}

static DWORD wait_any(struct wait *w)
{
	DWORD result = WAIT_TIMEOUT;

	/* Others' share of an event is nothing to wait for. */
	if (w->take &&
	    ((look(w, 0, &result) && result != WAIT_TIMEOUT) || !w->deadline))
		return result;
	begin_waits(w, w->take);
	pthread_cleanup_push(end_waits, w);
	while (!look(w, w->deadline, &result))
		;
	pthread_cleanup_pop(1);
	return result;
}

static DWORD wait_all(struct wait *w)
{
	struct pollfd missing[MAXIMUM_WAIT_OBJECTS + 1];
	nfds_t i, count;
	int ready;

	for (;;) {
		ready = wsock_object_take_all(w->fds, w->n, w->take,
					      &w->abandoned);
		if (ready < 0 || wsock_poll_bad(w->fds, w->n))
			return poll_failed(ready);
		if ((nfds_t)ready == w->n)
			return w->abandoned ? WAIT_ABANDONED_0 : WAIT_OBJECT_0;
		count = 0;
		for (i = 0; i < w->n; i++)
			if (!w->fds[i].revents)
				missing[count++] = w->fds[i];
		missing[count] = w->fds[w->n];
		ready = poll_for(w, missing, count, w->deadline);
		if (ready < 0)
			return poll_failed(ready);
		/* An object may complete the set: look at these first. */
		if (w->alertable && ready <= 1 &&
		    (ready ? missing[count].revents : wsock_apc_timers_due())) {
			if (wsock_apc_run())
				return WAIT_IO_COMPLETION;
		} else if (!ready) {
			return WAIT_TIMEOUT;
		}
	}
}

static bool has_twice(const HANDLE *handles, DWORD count)
{
	DWORD i, j;

	for (i = 1; i < count; i++)
		for (j = 0; j < i; j++)
			if (handles[i] == handles[j])
				return true;
	return false;
}

static void close_own(const struct wait *w)
{
	uint64_t own;

	for (own = w->close; own; own &= own - 1)
		close(w->fds[__builtin_ctzll(own)].fd);
}

/* Sets up entry @i. 0 or the error. */
static int add_object(struct wait *w, nfds_t i, HANDLE handle)
{
	bool taken, own;

	w->fds[i].fd = wsock_object_decode(handle, &taken, &own);
	if (w->fds[i].fd >= 0) {
		/* That of an eventfd is always there. */
		w->fds[i].events = own ? POLLOUT : POLLIN;
		if (taken)
			w->take |= 1ULL << i;
		return 0;
	}
	w->fds[i].events = POLLIN;
	w->fds[i].fd = wsock_thread_decode(handle);
	if (w->fds[i].fd >= 0) {
		/* POLLHUP, the end of a thread, need not be asked for. */
		w->fds[i].events = 0;
		return 0;
	}
	w->fds[i].fd = wsock_event_of_socket((SOCKET)handle);
	if (w->fds[i].fd >= 0) {
		w->close |= 1ULL << i;
		return 0;
	}
	return errno == EMFILE || errno == ENFILE || errno == ENOMEM ?
		       ERROR_NOT_ENOUGH_MEMORY : ERROR_INVALID_HANDLE;
}

/* @signal: what to signal before, NULL for nothing */
static DWORD do_wait(DWORD count, const HANDLE *handles, BOOL all,
		     DWORD timeout, BOOL alertable, const HANDLE *signal)
{
	struct wait w = { .n = count };
	DWORD i, result;
	int error = 0;

	if (!count || count > MAXIMUM_WAIT_OBJECTS || !handles ||
	    (all && has_twice(handles, count)))
		return wait_failed(ERROR_INVALID_PARAMETER);
	for (i = 0; i < count && !error; i++)
		error = add_object(&w, i, handles[i]);
	if (!error && signal)
		error = wsock_object_signal(*signal);
	if (error) {
		close_own(&w);
		return wait_failed(error);
	}
	if (alertable)
		set_alertable(&w);
	w.deadline = wsock_wait_deadline(timeout);
	result = all && count > 1 ? wait_all(&w) : wait_any(&w);
	close_own(&w);
	return result;
}

WSOCK_EXPORT DWORD WSAAPI WSAWaitForMultipleEvents(DWORD cEvents,
						   const WSAEVENT *lphEvents,
						   BOOL fWaitAll,
						   DWORD dwTimeout,
						   BOOL fAlertable)
{
	return do_wait(cEvents, lphEvents, fWaitAll, dwTimeout, fAlertable,
		       NULL);
}

WSOCK_EXPORT DWORD WINAPI WaitForMultipleObjectsEx(DWORD nCount,
						   const HANDLE *lpHandles,
						   BOOL bWaitAll,
						   DWORD dwMilliseconds,
						   BOOL bAlertable)
{
	return do_wait(nCount, lpHandles, bWaitAll, dwMilliseconds, bAlertable,
		       NULL);
}

WSOCK_EXPORT DWORD WINAPI WaitForMultipleObjects(DWORD nCount,
						 const HANDLE *lpHandles,
						 BOOL bWaitAll,
						 DWORD dwMilliseconds)
{
	return do_wait(nCount, lpHandles, bWaitAll, dwMilliseconds, FALSE,
		       NULL);
}

WSOCK_EXPORT DWORD WINAPI WaitForSingleObjectEx(HANDLE hHandle,
						DWORD dwMilliseconds,
						BOOL bAlertable)
{
	return do_wait(1, &hHandle, FALSE, dwMilliseconds, bAlertable, NULL);
}

WSOCK_EXPORT DWORD WINAPI WaitForSingleObject(HANDLE hHandle,
					      DWORD dwMilliseconds)
{
	return do_wait(1, &hHandle, FALSE, dwMilliseconds, FALSE, NULL);
}

WSOCK_EXPORT DWORD WINAPI SignalObjectAndWait(HANDLE hObjectToSignal,
					      HANDLE hObjectToWaitOn,
					      DWORD dwMilliseconds,
					      BOOL bAlertable)
{
	return do_wait(1, &hObjectToWaitOn, FALSE, dwMilliseconds, bAlertable,
		       &hObjectToSignal);
}

/* ---- Time ---- */

/* A wait for nothing. */
static DWORD do_sleep(DWORD ms, BOOL alertable)
{
	struct wait w = { .n = 0 };

	if (alertable)
		set_alertable(&w);
	if (!ms)
		sched_yield();
	w.deadline = wsock_wait_deadline(ms);
	return wait_any(&w) == WAIT_IO_COMPLETION ? WAIT_IO_COMPLETION : 0;
}

WSOCK_EXPORT VOID WINAPI Sleep(DWORD dwMilliseconds)
{
	do_sleep(dwMilliseconds, FALSE);
}

WSOCK_EXPORT DWORD WINAPI SleepEx(DWORD dwMilliseconds, BOOL bAlertable)
{
	return do_sleep(dwMilliseconds, bAlertable);
}
