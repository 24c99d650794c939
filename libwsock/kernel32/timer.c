// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Waitable timers, on timerfd_create(2): of the clock that can be set, whose timers
 * with a relative time do not look at it. The descriptor is readable once the time
 * has come, until it is set anew or, of an auto-reset timer, read.
 *
 * Nothing queues the call of a routine when the time has come. The thread that is
 * to call it knows when it will have to, and waits no longer than that.
 */
#include "../internal.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/timerfd.h>

/*
 * A timer; under the lock of object.c.
 * @node: in the list of the thread that calls @routine, while it has to
 * @due, @due_time: when next: in CLOCK_MONOTONIC's nanoseconds, and as a FILETIME
 * @period: in nanoseconds, 0 for none
 */
struct timer {
	struct wsock_object object;
	LIST_ENTRY(timer) node;
	PTIMERAPCROUTINE routine;
	LPVOID arg;
	uint64_t due;
	uint64_t due_time;
	uint64_t period;
};

/* Those with a routine that this thread calls. */
static __thread LIST_HEAD(, timer) timers;

static struct timer *timer_of(struct wsock_object *object)
{
	return CONTAINING_RECORD(object, struct timer, object);
}

/* The caller's; NULL for none. Under the lock. */
static struct timer *find(HANDLE handle)
{
	struct wsock_object *object =
		wsock_object_find(handle, WSOCK_TAG_TIMER);

	if (!object)
		object = wsock_object_find(handle, WSOCK_TAG_AUTO_TIMER);
	return object ? timer_of(object) : NULL;
}

static BOOL fail(int error)
{
	wsock_error_set(error);
	return FALSE;
}

/* ---- Routines ---- */

static void drop_routine(struct timer *t)
{
	if (t->routine)
		LIST_REMOVE(t, node);
	t->routine = NULL;
}

/* When the first of this thread's is due. */
static void note_due(void)
{
	struct timer *t;

	wsock_more.due = WSOCK_NEVER;
	LIST_FOREACH(t, &timers, node)
		if (t->due < wsock_more.due)
			wsock_more.due = t->due;
}

/* A call that is due. */
struct call {
	PTIMERAPCROUTINE routine;
	LPVOID arg;
	uint64_t time;
};

/*
 * The first of those that were due at @now; no routine for none. However often a
 * timer was due meanwhile, its routine is called once, as on Windows.
 */
static struct call take_due(uint64_t now)
{
	int cancel_state = wsock_object_lock(true);
	struct timer *t, *first = NULL;
	struct call call = { 0 };
	uint64_t missed;

	LIST_FOREACH(t, &timers, node)
		if (t->due <= now && (!first || t->due < first->due))
			first = t;
	if (first) {
		call = (struct call){ first->routine, first->arg,
				      first->due_time };
		if (first->period) {
			missed = (now - first->due) / first->period;
			first->due += (missed + 1) * first->period;
			first->due_time += (missed + 1) * first->period /
					   WSOCK_NSEC_PER_TICK;
		} else {
			drop_routine(first);
		}
	}
	note_due();
	wsock_object_unlock(cancel_state);
	return call;
}

static bool run_due(void)
{
	uint64_t now = wsock_now();
	struct call call;
	bool ran = false;

	/* One by one: a routine may wait alertably itself, or cancel another. */
	while ((call = take_due(now)).routine) {
		call.routine(call.arg, (DWORD)call.time,
			     (DWORD)(call.time >> 32));
		ran = true;
	}
	return ran;
}

static void drop_all(void)
{
	int cancel_state = wsock_object_lock(true);

	while (!LIST_EMPTY(&timers))
		drop_routine(LIST_FIRST(&timers));
	note_due();
	wsock_object_unlock(cancel_state);
}

/* ---- Timers ---- */

static int take(struct wsock_object *object, uint32_t others)
{
	uint64_t expirations;

	(void)others;
	return read(object->fd, &expirations, sizeof(expirations)) ==
	       (ssize_t)sizeof(expirations);
}

static void free_timer(struct wsock_object *object)
{
	drop_routine(timer_of(object));
	free(timer_of(object));
}

static const struct wsock_object_kind manual_timers = { .free = free_timer };
static const struct wsock_object_kind auto_timers = {
	.take = take, .free = free_timer
};

static HANDLE create(bool named, DWORD flags)
{
	bool manual = flags & CREATE_WAITABLE_TIMER_MANUAL_RESET;
	struct timer *t;

	if (flags & ~(DWORD)(CREATE_WAITABLE_TIMER_MANUAL_RESET |
			     CREATE_WAITABLE_TIMER_HIGH_RESOLUTION)) {
		fail(ERROR_INVALID_PARAMETER);
		return NULL;
	}
	t = manual ? wsock_object_new(sizeof(*t), &manual_timers,
				      WSOCK_TAG_TIMER, named) :
		     wsock_object_new(sizeof(*t), &auto_timers,
				      WSOCK_TAG_AUTO_TIMER, named);
	if (!t)
		return NULL;
	return wsock_object_publish(&t->object,
				    timerfd_create(CLOCK_REALTIME,
						   TFD_CLOEXEC |
						   TFD_NONBLOCK));
}

static DWORD timer_flags(BOOL manual_reset)
{
	return manual_reset ? CREATE_WAITABLE_TIMER_MANUAL_RESET : 0;
}

WSOCK_EXPORT HANDLE WINAPI
CreateWaitableTimerA(LPSECURITY_ATTRIBUTES lpTimerAttributes, BOOL bManualReset,
		     LPCSTR lpTimerName)
{
	(void)lpTimerAttributes;
	return create(lpTimerName && *lpTimerName, timer_flags(bManualReset));
}

WSOCK_EXPORT HANDLE WINAPI
CreateWaitableTimerW(LPSECURITY_ATTRIBUTES lpTimerAttributes, BOOL bManualReset,
		     LPCWSTR lpTimerName)
{
	(void)lpTimerAttributes;
	return create(lpTimerName && *lpTimerName, timer_flags(bManualReset));
}

WSOCK_EXPORT HANDLE WINAPI
CreateWaitableTimerExA(LPSECURITY_ATTRIBUTES lpTimerAttributes,
		       LPCSTR lpTimerName, DWORD dwFlags, DWORD dwDesiredAccess)
{
	(void)lpTimerAttributes;
	(void)dwDesiredAccess;
	return create(lpTimerName && *lpTimerName, dwFlags);
}

WSOCK_EXPORT HANDLE WINAPI
CreateWaitableTimerExW(LPSECURITY_ATTRIBUTES lpTimerAttributes,
		       LPCWSTR lpTimerName, DWORD dwFlags,
		       DWORD dwDesiredAccess)
{
	(void)lpTimerAttributes;
	(void)dwDesiredAccess;
	return create(lpTimerName && *lpTimerName, dwFlags);
}

static struct timespec timespec_of_ticks(uint64_t ticks)
{
	return (struct timespec){
		.tv_sec = (time_t)(ticks / WSOCK_TICKS_PER_SEC),
		.tv_nsec = (long)(ticks % WSOCK_TICKS_PER_SEC * WSOCK_NSEC_PER_TICK),
	};
}

/* An expiration in the past is there at once, but by an interrupt. Under the lock. */
static void wait_signalled(int fd)
{
	wsock_poll_until(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1,
			 WSOCK_NEVER, 0);
}

/* @due: a FILETIME, or the negative of what is left. Under the lock. */
static void start(struct timer *t, LONGLONG due)
{
	struct itimerspec spec = { 0 };
	uint64_t now, left;
	FILETIME time;
	bool absolute;

	GetSystemTimeAsFileTime(&time);
	now = (uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime;
	absolute = due > 0 && (uint64_t)due > now;
	if (absolute)
		left = (uint64_t)due - now;
	else
		left = due < 0 ? 0 - (uint64_t)due : 0;
	if (left > LLONG_MAX / WSOCK_NSEC_PER_TICK)
		left = LLONG_MAX / WSOCK_NSEC_PER_TICK;
	t->due_time = now + left;
	t->due = wsock_now() + left * WSOCK_NSEC_PER_TICK;

	if (absolute)
		spec.it_value = timespec_of_ticks((uint64_t)due -
						  WSOCK_EPOCH_TICKS);
	else
		spec.it_value = timespec_of_ticks(left);
	/* 0 would stop it. */
	if (!spec.it_value.tv_sec && !spec.it_value.tv_nsec)
		spec.it_value.tv_nsec = 1;
	spec.it_interval = timespec_of_ticks(t->period / WSOCK_NSEC_PER_TICK);
	timerfd_settime(t->object.fd, absolute ? TFD_TIMER_ABSTIME : 0, &spec,
			NULL);
	if (!left)
		wait_signalled(t->object.fd);
}

static BOOL set(HANDLE timer, const LARGE_INTEGER *due, LONG period,
		PTIMERAPCROUTINE routine, LPVOID arg)
{
	int cancel_state;
	struct timer *t;

	if (!due || period < 0)
		return fail(ERROR_INVALID_PARAMETER);
	/* What waits alertably looks at its queue first. */
	if (routine && !wsock_apc_create())
		return FALSE;
	cancel_state = wsock_object_lock(true);
	t = find(timer);
	if (t) {
		drop_routine(t);
		t->period = (uint64_t)period * WSOCK_NSEC_PER_MSEC;
		start(t, due->QuadPart);
		if (routine) {
			t->routine = routine;
			t->arg = arg;
			LIST_INSERT_HEAD(&timers, t, node);
			wsock_more.run_timers = run_due;
			wsock_more.end_timers = drop_all;
		}
		note_due();
	}
	wsock_object_unlock(cancel_state);
	return t ? TRUE : fail(ERROR_INVALID_HANDLE);
}

WSOCK_EXPORT BOOL WINAPI SetWaitableTimer(HANDLE hTimer,
					  const LARGE_INTEGER *lpDueTime,
					  LONG lPeriod,
					  PTIMERAPCROUTINE pfnCompletionRoutine,
					  LPVOID lpArgToCompletionRoutine,
					  BOOL fResume)
{
	if (!set(hTimer, lpDueTime, lPeriod, pfnCompletionRoutine,
		 lpArgToCompletionRoutine))
		return FALSE;
	/* As on Windows on a machine that cannot be woken. */
	if (fResume)
		wsock_error_set(ERROR_NOT_SUPPORTED);
	return TRUE;
}

WSOCK_EXPORT BOOL WINAPI
SetWaitableTimerEx(HANDLE hTimer, const LARGE_INTEGER *lpDueTime, LONG lPeriod,
		   PTIMERAPCROUTINE pfnCompletionRoutine,
		   LPVOID lpArgToCompletionRoutine, PREASON_CONTEXT WakeContext,
		   ULONG TolerableDelay)
{
	(void)TolerableDelay;
	return SetWaitableTimer(hTimer, lpDueTime, lPeriod,
				pfnCompletionRoutine, lpArgToCompletionRoutine,
				WakeContext != NULL);
}

/* Stops it, and leaves it signalled if it was. Under the lock. */
static void stop(struct timer *t)
{
	struct pollfd pollfd = { .fd = t->object.fd, .events = POLLIN };
	struct itimerspec spec = { 0 };

	if (poll(&pollfd, 1, 0) > 0)
		spec.it_value.tv_nsec = 1;
	timerfd_settime(t->object.fd, 0, &spec, NULL);
	if (spec.it_value.tv_nsec)
		wait_signalled(t->object.fd);
}

WSOCK_EXPORT BOOL WINAPI CancelWaitableTimer(HANDLE hTimer)
{
	int cancel_state = wsock_object_lock(true);
	struct timer *t = find(hTimer);

	if (t) {
		drop_routine(t);
		stop(t);
	}
	wsock_object_unlock(cancel_state);
	return t ? TRUE : fail(ERROR_INVALID_HANDLE);
}
