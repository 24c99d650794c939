// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Waiting for objects and for time to pass, on ppoll(2).
 */
#include "internal.h"

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
 * @take: bit i is set when object i is an auto-reset event
 */
struct wait {
	struct pollfd fds[MAXIMUM_WAIT_OBJECTS];
	nfds_t n;
	uint64_t take;
	uint64_t deadline;
};

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

/* The lowest object that is signalled, and ours now; -1 for none. */
static int take_first(const struct wait *w)
{
	nfds_t i;

	for (i = 0; i < w->n; i++) {
		if (!w->fds[i].revents)
			continue;
		/* Of many waiters that wake, one gets an auto-reset event. */
		if (!(w->take & 1ULL << i) ||
		    wsock_event_reset(w->fds[i].fd) > 0)
			return (int)i;
	}
	return -1;
}

static DWORD wait_any(struct wait *w)
{
	int ready, first;

	for (;;) {
		ready = wsock_poll_until(w->fds, w->n, w->deadline, 0);
		if (!ready)
			return WAIT_TIMEOUT;
		if (ready < 0 || wsock_poll_bad(w->fds, w->n))
			return poll_failed(ready);
		first = take_first(w);
		if (first >= 0)
			return WAIT_OBJECT_0 + (DWORD)first;
	}
}

static DWORD wait_all(struct wait *w)
{
	struct pollfd missing[MAXIMUM_WAIT_OBJECTS];
	nfds_t i, count;
	int ready;

	for (;;) {
		ready = wsock_event_take_all(w->fds, w->n, w->take);
		if (ready < 0 || wsock_poll_bad(w->fds, w->n))
			return poll_failed(ready);
		if ((nfds_t)ready == w->n)
			return WAIT_OBJECT_0;
		count = 0;
		for (i = 0; i < w->n; i++)
			if (!w->fds[i].revents)
				missing[count++] = w->fds[i];
		ready = wsock_poll_until(missing, count, w->deadline, 0);
		if (ready < 0)
			return poll_failed(ready);
		if (!ready)
			return WAIT_TIMEOUT;
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

static DWORD do_wait(DWORD count, const HANDLE *handles, BOOL all,
		     DWORD timeout)
{
	struct wait w = { .n = count };
	bool auto_reset;
	DWORD i;

	if (!count || count > MAXIMUM_WAIT_OBJECTS || !handles ||
	    (all && has_twice(handles, count)))
		return wait_failed(ERROR_INVALID_PARAMETER);
	for (i = 0; i < count; i++) {
		w.fds[i].fd = wsock_event_decode(handles[i], &auto_reset);
		w.fds[i].events = POLLIN;
		if (w.fds[i].fd < 0)
			return wait_failed(ERROR_INVALID_HANDLE);
		if (auto_reset)
			w.take |= 1ULL << i;
	}
	w.deadline = wsock_wait_deadline(timeout);
	return all && count > 1 ? wait_all(&w) : wait_any(&w);
}

WSOCK_EXPORT DWORD WSAAPI WSAWaitForMultipleEvents(DWORD cEvents,
						   const WSAEVENT *lphEvents,
						   BOOL fWaitAll,
						   DWORD dwTimeout,
						   BOOL fAlertable)
{
	(void)fAlertable;
	return do_wait(cEvents, lphEvents, fWaitAll, dwTimeout);
}

WSOCK_EXPORT DWORD WINAPI WaitForMultipleObjectsEx(DWORD nCount,
						   const HANDLE *lpHandles,
						   BOOL bWaitAll,
						   DWORD dwMilliseconds,
						   BOOL bAlertable)
{
	(void)bAlertable;
	return do_wait(nCount, lpHandles, bWaitAll, dwMilliseconds);
}

WSOCK_EXPORT DWORD WINAPI WaitForMultipleObjects(DWORD nCount,
						 const HANDLE *lpHandles,
						 BOOL bWaitAll,
						 DWORD dwMilliseconds)
{
	return do_wait(nCount, lpHandles, bWaitAll, dwMilliseconds);
}

WSOCK_EXPORT DWORD WINAPI WaitForSingleObjectEx(HANDLE hHandle,
						DWORD dwMilliseconds,
						BOOL bAlertable)
{
	(void)bAlertable;
	return do_wait(1, &hHandle, FALSE, dwMilliseconds);
}

WSOCK_EXPORT DWORD WINAPI WaitForSingleObject(HANDLE hHandle,
					      DWORD dwMilliseconds)
{
	return do_wait(1, &hHandle, FALSE, dwMilliseconds);
}

/* ---- Time ---- */

static void do_sleep(DWORD ms)
{
	if (!ms)
		sched_yield();
	else
		wsock_poll_until(NULL, 0, wsock_wait_deadline(ms), 0);
}

WSOCK_EXPORT VOID WINAPI Sleep(DWORD dwMilliseconds)
{
	do_sleep(dwMilliseconds);
}

WSOCK_EXPORT DWORD WINAPI SleepEx(DWORD dwMilliseconds, BOOL bAlertable)
{
	(void)bAlertable;
	do_sleep(dwMilliseconds);
	return 0;
}
