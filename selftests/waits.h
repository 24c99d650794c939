/* SPDX-License-Identifier: GPL-2.0 */
/* Threads that wait, for the tests of waits. */
#ifndef WSOCK_SELFTESTS_WAITS_H
#define WSOCK_SELFTESTS_WAITS_H

#include "winsock.h"

/* A look that takes what can be taken. */
static inline bool take(HANDLE object)
{
	return WaitForSingleObject(object, 0) == WAIT_OBJECT_0;
}

/* A thread in one wait; @end, unless NULL, is called before the thread ends. */
struct waiter {
	HANDLE objects[4];
	DWORD n, timeout;
	BOOL all;
	void (*end)(struct waiter *w);
	pthread_t thread;
	pid_t tid;
	DWORD result, error;
	bool done;
};

static inline void *waiter_main(void *arg)
{
	struct waiter *w = arg;

	__atomic_store_n(&w->tid, gettid(), __ATOMIC_RELEASE);
	w->result = WaitForMultipleObjects(w->n, w->objects, w->all, w->timeout);
	w->error = GetLastError();
	if (w->end)
		w->end(w);
	__atomic_store_n(&w->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static inline bool waiter_done(struct waiter *w)
{
	return __atomic_load_n(&w->done, __ATOMIC_ACQUIRE);
}

/* Returns once it sleeps. */
static inline bool waiter_start(struct waiter *w)
{
	if (pthread_create(&w->thread, NULL, waiter_main, w))
		return false;
	return wait_for(__atomic_load_n(&w->tid, __ATOMIC_ACQUIRE)) &&
	       wait_for(waiter_done(w) || thread_syscall(w->tid) == SYS_ppoll);
}

static inline int waiters_done(struct waiter *w, int n)
{
	int done = 0;

	for (int i = 0; i < n; i++)
		done += waiter_done(&w[i]);
	return done;
}

static inline void quiet(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = QUIET_MS * 1000000 }, NULL);
}

/*
 * From here on nobody but the calling thread runs, until it sleeps: so that what
 * it does comes before anything that waiting threads do.
 */
static inline bool run_alone(void)
{
	struct sched_param param = { .sched_priority = 1 };
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	return !sched_setaffinity(getpid(), sizeof(first), &first) &&
	       !sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param);
}

#endif /* WSOCK_SELFTESTS_WAITS_H */
