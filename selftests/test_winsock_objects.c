// SPDX-License-Identifier: GPL-2.0
/*
 * Mutexes, semaphores and waitable timers, alone and in waits with other objects.
 */
#include <sys/resource.h>

#include "waits.h"

#include <process.h>
#include <windows.h>

#include "kselftest_harness.h"

WINSOCK_FIXTURE(objects);

static HANDLE mutex(void)
{
	return CreateMutexA(NULL, FALSE, NULL);
}

static HANDLE semaphore(LONG count, LONG limit)
{
	return CreateSemaphoreA(NULL, count, limit, NULL);
}

static HANDLE timer(bool manual)
{
	return CreateWaitableTimerA(NULL, manual, NULL);
}

/* What ends in @ms milliseconds, without a routine. */
static bool set_timer(HANDLE t, int ms, LONG period)
{
	LARGE_INTEGER due = { .QuadPart = -10000LL * ms };

	return SetWaitableTimer(t, &due, period, NULL, NULL, FALSE);
}

/* ---- Semaphores ---- */

TEST_F(objects, semaphore__counts)
{
	HANDLE s = semaphore(2, 3);
	LONG before = 4711;

	ASSERT_NE(s, NULL);
	EXPECT_TRUE(take(s));
	EXPECT_TRUE(take(s));
	EXPECT_FALSE(take(s));
	EXPECT_TRUE(ReleaseSemaphore(s, 1, &before));
	EXPECT_EQ(before, 0);
	EXPECT_TRUE(ReleaseSemaphore(s, 2, &before));
	EXPECT_EQ(before, 1);
	/* Nothing is added, and nothing told. */
	EXPECT_FALSE(ReleaseSemaphore(s, 1, &before));
	EXPECT_EQ(GetLastError(), ERROR_TOO_MANY_POSTS);
	EXPECT_EQ(before, 1);
	EXPECT_TRUE(take(s));
	EXPECT_FALSE(ReleaseSemaphore(s, 2, NULL));
	EXPECT_FALSE(ReleaseSemaphore(s, INT32_MAX, NULL));
	EXPECT_EQ(GetLastError(), ERROR_TOO_MANY_POSTS);
	EXPECT_TRUE(take(s));
	EXPECT_TRUE(take(s));
	EXPECT_FALSE(take(s));
	EXPECT_TRUE(CloseHandle(s));
}

TEST_F(objects, semaphore__arguments)
{
	const struct {
		LONG count, limit;
	} bad[] = { { -1, 1 }, { 0, 0 }, { 0, -1 }, { 2, 1 } };
	HANDLE s;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		SetLastError(4711);
		EXPECT_EQ(semaphore(bad[i].count, bad[i].limit), NULL);
		EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	}
	EXPECT_EQ(CreateSemaphoreExA(NULL, 0, 1, NULL, 1, 0), NULL);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	s = CreateSemaphoreExW(NULL, INT32_MAX, INT32_MAX, NULL, 0, SEMAPHORE_ALL_ACCESS);
	EXPECT_FALSE(ReleaseSemaphore(s, 1, NULL));
	EXPECT_EQ(GetLastError(), ERROR_TOO_MANY_POSTS);
	for (LONG n = 0; n >= -1; n--) {
		EXPECT_FALSE(ReleaseSemaphore(s, n, NULL));
		EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	}
	EXPECT_TRUE(CloseHandle(s));
}

TEST_F(objects, semaphore__releases_as_many_as_it_says)
{
	HANDLE s = semaphore(0, 10);
	struct waiter w[4];

	for (int i = 0; i < 4; i++) {
		w[i] = (struct waiter){ .objects = { s }, .n = 1, .timeout = INFINITE };
		ASSERT_TRUE(waiter_start(&w[i]));
	}
	EXPECT_TRUE(ReleaseSemaphore(s, 3, NULL));
	EXPECT_TRUE(wait_for(waiters_done(w, 4) == 3));
	quiet();
	EXPECT_EQ(waiters_done(w, 4), 3);
	EXPECT_TRUE(ReleaseSemaphore(s, 1, NULL));
	for (int i = 0; i < 4; i++) {
		pthread_join(w[i].thread, NULL);
		EXPECT_EQ(w[i].result, WAIT_OBJECT_0);
	}
	EXPECT_FALSE(take(s));
	EXPECT_TRUE(CloseHandle(s));
}

/* A released thread has taken its share, also one that has not run yet. */
TEST_F(objects, semaphore__what_is_released_is_the_threads)
{
	HANDLE s = semaphore(0, 1);
	struct waiter w[2];
	LONG before;

	ASSERT_TRUE(run_alone());
	for (int i = 0; i < 2; i++) {
		w[i] = (struct waiter){ .objects = { s }, .n = 1, .timeout = INFINITE };
		ASSERT_TRUE(waiter_start(&w[i]));
	}
	for (int i = 0; i < 3; i++) {
		EXPECT_TRUE(ReleaseSemaphore(s, 1, &before)) TH_LOG("%d", i);
		EXPECT_EQ(before, 0);
	}
	EXPECT_FALSE(ReleaseSemaphore(s, 1, &before));
	EXPECT_TRUE(take(s));
	EXPECT_FALSE(take(s));
	for (int i = 0; i < 2; i++)
		pthread_join(w[i].thread, NULL);
	EXPECT_FALSE(take(s));
	EXPECT_TRUE(CloseHandle(s));
}

/* ---- Mutexes ---- */

static void *try_to_release(void *m)
{
	bool released = ReleaseMutex(m);

	return (void *)(uintptr_t)(released ? 0 : GetLastError());
}

/* A wait of another thread that does not wait, and its release. */
static void *try_mutex(void *m)
{
	DWORD result = WaitForSingleObject(m, 0);

	if (result == WAIT_OBJECT_0 && !ReleaseMutex(m))
		return (void *)-1;
	return (void *)(uintptr_t)result;
}

static uintptr_t in_thread(void *(*main)(void *), HANDLE object)
{
	pthread_t thread;
	void *result;

	if (pthread_create(&thread, NULL, main, object))
		return (uintptr_t)-1;
	pthread_join(thread, &result);
	return (uintptr_t)result;
}

TEST_F(objects, mutex__owner)
{
	HANDLE m = mutex();

	ASSERT_NE(m, NULL);
	EXPECT_FALSE(ReleaseMutex(m));
	EXPECT_EQ(GetLastError(), ERROR_NOT_OWNER);
	EXPECT_EQ(in_thread(try_mutex, m), WAIT_OBJECT_0);
	/* As often as it is taken it has to be released. */
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(WaitForSingleObject(m, INFINITE), WAIT_OBJECT_0);
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(in_thread(try_mutex, m), WAIT_TIMEOUT);
		EXPECT_EQ(in_thread(try_to_release, m), ERROR_NOT_OWNER);
		EXPECT_TRUE(ReleaseMutex(m));
	}
	EXPECT_FALSE(ReleaseMutex(m));
	EXPECT_EQ(GetLastError(), ERROR_NOT_OWNER);
	EXPECT_EQ(in_thread(try_mutex, m), WAIT_OBJECT_0);
	EXPECT_TRUE(CloseHandle(m));
}

TEST_F(objects, mutex__initial_owner)
{
	HANDLE m[] = {
		CreateMutexW(NULL, TRUE, NULL),
		CreateMutexExA(NULL, NULL, CREATE_MUTEX_INITIAL_OWNER, MUTEX_ALL_ACCESS),
		CreateMutexExW(NULL, NULL, CREATE_MUTEX_INITIAL_OWNER, 0),
	};

	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(in_thread(try_mutex, m[i]), WAIT_TIMEOUT);
		EXPECT_TRUE(take(m[i]));
		EXPECT_TRUE(ReleaseMutex(m[i]));
		EXPECT_TRUE(ReleaseMutex(m[i]));
		EXPECT_EQ(in_thread(try_mutex, m[i]), WAIT_OBJECT_0);
		/* One that is owned is closed, too. */
		EXPECT_TRUE(take(m[i]));
		EXPECT_TRUE(CloseHandle(m[i]));
	}
	EXPECT_EQ(CreateMutexExA(NULL, NULL, 2, 0), NULL);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
}

static void *leave(void *m)
{
	return (void *)(uintptr_t)(WaitForSingleObject(m, 0) + WaitForSingleObject(m, 0));
}

static DWORD WINAPI leave_suddenly(LPVOID m)
{
	WaitForSingleObject(m, INFINITE);
	ExitThread(0);
}

/* Told once, whoever comes first. */
TEST_F(objects, mutex__abandoned)
{
	HANDLE m = mutex(), other = mutex(), thread;

	EXPECT_EQ(in_thread(leave, m), WAIT_OBJECT_0);
	EXPECT_EQ(WaitForSingleObject(m, INFINITE), WAIT_ABANDONED);
	EXPECT_EQ(WaitForSingleObject(m, 0), WAIT_OBJECT_0);
	EXPECT_TRUE(ReleaseMutex(m));
	EXPECT_EQ(in_thread(try_mutex, m), WAIT_TIMEOUT);
	EXPECT_TRUE(ReleaseMutex(m));
	EXPECT_EQ(in_thread(try_mutex, m), WAIT_OBJECT_0);

	/* Whose handle tells of the end had left its mutexes before. */
	for (int i = 0; i < 100; i++) {
		thread = CreateThread(NULL, 0, leave_suddenly, m, 0, NULL);
		ASSERT_EQ(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
		ASSERT_EQ(WaitForSingleObject(m, 0), WAIT_ABANDONED) TH_LOG("%d", i);
		EXPECT_TRUE(ReleaseMutex(m));
		EXPECT_TRUE(CloseHandle(thread));
	}

	/* Which of several it was. */
	in_thread(leave, m);
	EXPECT_EQ(WaitForMultipleObjects(2, (HANDLE[]){ other, m }, FALSE, 0), WAIT_OBJECT_0);
	EXPECT_EQ(WaitForMultipleObjects(2, (HANDLE[]){ m, other }, FALSE, 0), WAIT_ABANDONED_0);
	EXPECT_TRUE(ReleaseMutex(m));
	EXPECT_TRUE(ReleaseMutex(other));
	in_thread(leave, m);
	in_thread(leave, other);
	EXPECT_EQ(WaitForMultipleObjects(2, (HANDLE[]){ other, m }, TRUE, 0), WAIT_ABANDONED_0);
	EXPECT_EQ(WaitForMultipleObjects(2, (HANDLE[]){ other, m }, TRUE, 0), WAIT_OBJECT_0);
	for (int i = 0; i < 2; i++) {
		EXPECT_TRUE(ReleaseMutex(m));
		EXPECT_TRUE(ReleaseMutex(other));
	}
	EXPECT_TRUE(CloseHandle(m));
	EXPECT_TRUE(CloseHandle(other));
}

static void release_first(struct waiter *w)
{
	ReleaseMutex(w->objects[0]);
}

/* Its owner ends while others wait. */
TEST_F(objects, mutex__abandoned_to_who_waits)
{
	HANDLE m = mutex(), event = CreateEventA(NULL, TRUE, FALSE, NULL);
	struct waiter owner = { .objects = { m, event }, .n = 2, .all = TRUE, .timeout = INFINITE };
	struct waiter w[2];
	DWORD last;
	int abandoned = 0;

	EXPECT_TRUE(SetEvent(event));
	EXPECT_TRUE(take(m));
	ASSERT_TRUE(waiter_start(&owner));
	for (int i = 0; i < 2; i++) {
		w[i] = (struct waiter){ .objects = { m }, .n = 1, .timeout = INFINITE,
					.end = release_first };
		ASSERT_TRUE(waiter_start(&w[i]));
	}
	EXPECT_TRUE(ReleaseMutex(m));
	pthread_join(owner.thread, NULL);
	EXPECT_EQ(owner.result, WAIT_OBJECT_0);
	for (int i = 0; i < 2; i++) {
		pthread_join(w[i].thread, NULL);
		abandoned += w[i].result == WAIT_ABANDONED_0;
		EXPECT_TRUE(w[i].result == WAIT_ABANDONED_0 || w[i].result == WAIT_OBJECT_0);
	}
	/* Who is told of it depends on the order in which they have had it. */
	last = WaitForSingleObject(m, 0);
	EXPECT_TRUE(last == WAIT_ABANDONED_0 || last == WAIT_OBJECT_0);
	EXPECT_EQ(abandoned + (last == WAIT_ABANDONED_0), 1);
	EXPECT_TRUE(CloseHandle(m));
	EXPECT_TRUE(CloseHandle(event));
}

/* The owner's is signalled to the owner. */
TEST_F(objects, mutex__own_in_waits)
{
	HANDLE m = mutex(), event = CreateEventA(NULL, FALSE, FALSE, NULL);

	EXPECT_TRUE(take(m));
	EXPECT_EQ(WaitForMultipleObjects(2, (HANDLE[]){ event, m }, FALSE, INFINITE),
		  WAIT_OBJECT_0 + 1);
	EXPECT_EQ(WaitForMultipleObjects(2, (HANDLE[]){ event, m }, TRUE, 0), WAIT_TIMEOUT);
	EXPECT_TRUE(SetEvent(event));
	EXPECT_EQ(WaitForMultipleObjects(2, (HANDLE[]){ event, m }, TRUE, 0), WAIT_OBJECT_0);
	EXPECT_EQ(WSAWaitForMultipleEvents(1, &m, FALSE, 0, FALSE), WAIT_OBJECT_0);
	/* Not by the wait that failed. */
	for (int i = 0; i < 4; i++)
		EXPECT_TRUE(ReleaseMutex(m));
	EXPECT_FALSE(ReleaseMutex(m));
	EXPECT_FALSE(take(event));
	EXPECT_TRUE(CloseHandle(m));
	EXPECT_TRUE(CloseHandle(event));
}

#define TURNS 2000

struct shared {
	HANDLE mutex, slots;
	int inside, most, turns;
};

static void *take_turns(void *arg)
{
	struct shared *s = arg;

	for (int i = 0; i < TURNS; i++) {
		bool both = i % 3;
		HANDLE want[] = { s->slots, s->mutex };

		if (WaitForMultipleObjects(2, want, both, INFINITE) == WAIT_FAILED)
			break;
		/* Of one of them the lower index, which is not exclusive. */
		if (both) {
			s->inside++;
			if (s->inside > s->most)
				s->most = s->inside;
			s->turns++;
			s->inside--;
			ReleaseMutex(s->mutex);
			ReleaseSemaphore(s->slots, 1, NULL);
		} else if (!ReleaseSemaphore(s->slots, 1, NULL)) {
			/* It was the mutex. */
			ReleaseMutex(s->mutex);
		}
	}
	return NULL;
}

/* Nothing is lost, nor had by two. */
TEST_F(objects, many__threads_that_want_one_or_both)
{
	struct shared s = { .mutex = mutex(), .slots = semaphore(2, 2) };
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		ASSERT_EQ(pthread_create(&threads[i], NULL, take_turns, &s), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(s.most, 1);
	EXPECT_EQ(s.turns, 4 * (TURNS - (TURNS + 2) / 3));
	EXPECT_TRUE(take(s.slots));
	EXPECT_TRUE(take(s.slots));
	EXPECT_FALSE(take(s.slots));
	EXPECT_TRUE(CloseHandle(s.mutex));
	EXPECT_TRUE(CloseHandle(s.slots));
}

/* ---- Timers ---- */

static void filetime_in(int ms, LARGE_INTEGER *due)
{
	FILETIME now;

	GetSystemTimeAsFileTime(&now);
	due->LowPart = now.dwLowDateTime;
	due->HighPart = (LONG)now.dwHighDateTime;
	due->QuadPart += 10000LL * ms;
}

TEST_F(objects, timer__relative_and_absolute)
{
	for (int i = 0; i < 4; i++) {
		bool manual = i & 1, absolute = i & 2;
		HANDLE t = timer(manual);
		LARGE_INTEGER due;
		ULONGLONG start;

		ASSERT_NE(t, NULL);
		EXPECT_FALSE(take(t));
		start = GetTickCount64();
		if (absolute) {
			filetime_in(100, &due);
			EXPECT_TRUE(SetWaitableTimer(t, &due, 0, NULL, NULL, FALSE));
		} else {
			EXPECT_TRUE(set_timer(t, 100, 0));
		}
		EXPECT_EQ(WaitForSingleObject(t, TIMEOUT_MS), WAIT_OBJECT_0);
		EXPECT_GE(GetTickCount64() - start, 99);
		EXPECT_EQ(take(t), manual);
		/* Set anew it is not signalled. */
		EXPECT_TRUE(set_timer(t, TIMEOUT_MS, 0));
		EXPECT_FALSE(take(t));
		EXPECT_TRUE(CloseHandle(t));
	}
}

/* What is over has happened when the call returns. */
TEST_F(objects, timer__in_the_past)
{
	const LONGLONG past[] = { 0, 1, 116444736000000000LL, 130000000000000000LL };
	HANDLE t = timer(false);
	LARGE_INTEGER due;

	for (int i = 0; i < 100; i++) {
		due.QuadPart = past[i % 4];
		ASSERT_TRUE(SetWaitableTimer(t, &due, 0, NULL, NULL, FALSE));
		ASSERT_TRUE(take(t)) TH_LOG("%d", i);
		ASSERT_FALSE(take(t));
	}
	due.QuadPart = INT64_MIN;
	EXPECT_TRUE(SetWaitableTimer(t, &due, 0, NULL, NULL, FALSE));
	due.QuadPart = INT64_MAX;
	EXPECT_TRUE(SetWaitableTimer(t, &due, INT32_MAX, NULL, NULL, FALSE));
	EXPECT_FALSE(take(t));
	EXPECT_TRUE(CloseHandle(t));
}

TEST_F(objects, timer__period)
{
	HANDLE t = timer(false);
	ULONGLONG start = GetTickCount64();

	EXPECT_TRUE(set_timer(t, 10, 20));
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(WaitForSingleObject(t, TIMEOUT_MS), WAIT_OBJECT_0);
	/* The clock of ticks is a coarse one; more than one may be taken at once. */
	EXPECT_GE(GetTickCount64() - start, 29);
	EXPECT_TRUE(CloseHandle(t));
}

TEST_F(objects, timer__cancel)
{
	HANDLE one = timer(false), manual = timer(true), periodic = timer(false);

	/* Before its time, it never comes. */
	EXPECT_TRUE(set_timer(one, QUIET_MS / 2, 0));
	EXPECT_TRUE(CancelWaitableTimer(one));
	EXPECT_EQ(WaitForSingleObject(one, QUIET_MS), WAIT_TIMEOUT);
	/* After it, what is signalled stays so. */
	EXPECT_TRUE(set_timer(manual, 1, 0));
	EXPECT_EQ(WaitForSingleObject(manual, TIMEOUT_MS), WAIT_OBJECT_0);
	EXPECT_TRUE(CancelWaitableTimer(manual));
	EXPECT_TRUE(take(manual));
	EXPECT_TRUE(set_timer(periodic, 1, 10));
	quiet();
	EXPECT_TRUE(CancelWaitableTimer(periodic));
	EXPECT_TRUE(take(periodic));
	EXPECT_EQ(WaitForSingleObject(periodic, QUIET_MS), WAIT_TIMEOUT);
	EXPECT_TRUE(CancelWaitableTimer(periodic));
	EXPECT_TRUE(CloseHandle(one));
	EXPECT_TRUE(CloseHandle(manual));
	EXPECT_TRUE(CloseHandle(periodic));
}

TEST_F(objects, timer__wakes_one_or_all)
{
	for (int manual = 0; manual < 2; manual++) {
		HANDLE t = timer(manual);
		struct waiter w[3];

		for (int i = 0; i < 3; i++) {
			w[i] = (struct waiter){ .objects = { t }, .n = 1, .timeout = INFINITE };
			ASSERT_TRUE(waiter_start(&w[i]));
		}
		/* Also by setting it under the waits. */
		for (int n = manual ? 3 : 1; n <= 3; n++) {
			EXPECT_TRUE(set_timer(t, 1, 0));
			EXPECT_TRUE(wait_for(waiters_done(w, 3) == n));
			quiet();
			EXPECT_EQ(waiters_done(w, 3), n);
		}
		for (int i = 0; i < 3; i++)
			pthread_join(w[i].thread, NULL);
		EXPECT_TRUE(CloseHandle(t));
	}
}

TEST_F(objects, timer__arguments)
{
	HANDLE t = CreateWaitableTimerExW(NULL, NULL, CREATE_WAITABLE_TIMER_HIGH_RESOLUTION |
					  CREATE_WAITABLE_TIMER_MANUAL_RESET, 0);
	LARGE_INTEGER due = { .QuadPart = -1 };
	REASON_CONTEXT reason = { 0 };

	EXPECT_FALSE(SetWaitableTimer(t, NULL, 0, NULL, NULL, FALSE));
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	EXPECT_FALSE(SetWaitableTimer(t, &due, -1, NULL, NULL, FALSE));
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	SetLastError(4711);
	EXPECT_TRUE(SetWaitableTimer(t, &due, 0, NULL, NULL, TRUE));
	EXPECT_EQ(GetLastError(), ERROR_NOT_SUPPORTED);
	SetLastError(4711);
	EXPECT_TRUE(SetWaitableTimerEx(t, &due, 0, NULL, NULL, NULL, 100));
	EXPECT_EQ(GetLastError(), 4711);
	EXPECT_TRUE(SetWaitableTimerEx(t, &due, 0, NULL, NULL, &reason, 0));
	EXPECT_EQ(GetLastError(), ERROR_NOT_SUPPORTED);
	EXPECT_EQ(WaitForSingleObject(t, TIMEOUT_MS), WAIT_OBJECT_0);
	EXPECT_TRUE(take(t));
	EXPECT_TRUE(CloseHandle(t));
	EXPECT_EQ(CreateWaitableTimerExA(NULL, NULL, 4, 0), NULL);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
}

/* ---- Their routines ---- */

struct calls {
	int n;
	pthread_t thread;
	LARGE_INTEGER time;
};

static VOID APIENTRY count_call(LPVOID arg, DWORD low, DWORD high)
{
	struct calls *c = arg;

	c->thread = pthread_self();
	c->time.LowPart = low;
	c->time.HighPart = (LONG)high;
	__atomic_add_fetch(&c->n, 1, __ATOMIC_SEQ_CST);
}

static bool set_routine(HANDLE t, int ms, LONG period, struct calls *c)
{
	LARGE_INTEGER due = { .QuadPart = -10000LL * ms };

	return SetWaitableTimer(t, &due, period, count_call, c, FALSE);
}

TEST_F(objects, routine__in_an_alertable_wait)
{
	HANDLE t = timer(true);
	struct calls c = { 0 };
	LARGE_INTEGER from, to;

	filetime_in(20, &from);
	ASSERT_TRUE(set_routine(t, 20, 0, &c));
	filetime_in(20, &to);
	/* In no other, even when it is due. */
	EXPECT_EQ(WaitForSingleObject(t, TIMEOUT_MS), WAIT_OBJECT_0);
	Sleep(QUIET_MS);
	EXPECT_EQ(c.n, 0);
	/* Objects come first. */
	EXPECT_EQ(WaitForSingleObjectEx(t, 0, TRUE), WAIT_OBJECT_0);
	EXPECT_EQ(c.n, 0);
	EXPECT_EQ(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
	EXPECT_EQ(c.n, 1);
	EXPECT_TRUE(pthread_equal(c.thread, pthread_self()));
	EXPECT_GE(c.time.QuadPart, from.QuadPart);
	EXPECT_LE(c.time.QuadPart, to.QuadPart);
	EXPECT_EQ(SleepEx(QUIET_MS, TRUE), 0);
	EXPECT_EQ(c.n, 1);

	/* It ends waits that began before, at its time and not later. */
	ASSERT_TRUE(set_routine(t, 20, 0, &c));
	EXPECT_EQ(SleepEx(INFINITE, TRUE), WAIT_IO_COMPLETION);
	EXPECT_EQ(c.n, 2);
	EXPECT_TRUE(CloseHandle(t));
}

TEST_F(objects, routine__each_alertable_call)
{
	HANDLE t = timer(false), event = CreateEventA(NULL, TRUE, FALSE, NULL);
	HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
	HANDLE objects[] = { event, CreateEventA(NULL, FALSE, FALSE, NULL) };
	OVERLAPPED_ENTRY entry;
	struct calls c = { 0 };
	ULONG n;

	ASSERT_TRUE(set_routine(t, 5, 0, &c));
	EXPECT_EQ(WaitForSingleObjectEx(event, INFINITE, TRUE), WAIT_IO_COMPLETION);
	ASSERT_TRUE(set_routine(t, 5, 0, &c));
	EXPECT_EQ(WaitForMultipleObjectsEx(2, objects, FALSE, INFINITE, TRUE),
		  WAIT_IO_COMPLETION);
	ASSERT_TRUE(set_routine(t, 5, 0, &c));
	EXPECT_EQ(WaitForMultipleObjectsEx(2, objects, TRUE, INFINITE, TRUE),
		  WAIT_IO_COMPLETION);
	ASSERT_TRUE(set_routine(t, 5, 0, &c));
	EXPECT_EQ(WSAWaitForMultipleEvents(2, objects, FALSE, WSA_INFINITE, TRUE),
		  WAIT_IO_COMPLETION);
	ASSERT_TRUE(set_routine(t, 5, 0, &c));
	EXPECT_EQ(SignalObjectAndWait(objects[1], event, INFINITE, TRUE), WAIT_IO_COMPLETION);
	EXPECT_TRUE(take(objects[1]));
	ASSERT_TRUE(set_routine(t, 5, 0, &c));
	EXPECT_FALSE(GetQueuedCompletionStatusEx(port, &entry, 1, &n, INFINITE, TRUE));
	EXPECT_EQ(GetLastError(), WAIT_IO_COMPLETION);
	ASSERT_TRUE(set_routine(t, 5, 0, &c));
	EXPECT_FALSE(GetQueuedCompletionStatusEx(port, &entry, 1, &n, TIMEOUT_MS, TRUE));
	EXPECT_EQ(GetLastError(), WAIT_IO_COMPLETION);
	EXPECT_EQ(c.n, 7);
	/* Nothing of it is left: these wait as long as they are told. */
	EXPECT_FALSE(GetQueuedCompletionStatusEx(port, &entry, 1, &n, QUIET_MS, TRUE));
	EXPECT_EQ(GetLastError(), WAIT_TIMEOUT);
	EXPECT_EQ(WaitForMultipleObjectsEx(2, objects, TRUE, QUIET_MS, TRUE), WAIT_TIMEOUT);
	EXPECT_TRUE(CloseHandle(t));
	EXPECT_TRUE(CloseHandle(objects[0]));
	EXPECT_TRUE(CloseHandle(objects[1]));
	EXPECT_TRUE(CloseHandle(port));
}

struct sender {
	struct calls calls;
	int peer;
};

static VOID APIENTRY send_one(LPVOID arg, DWORD low, DWORD high)
{
	struct sender *s = arg;

	count_call(&s->calls, low, high);
	send(s->peer, "x", 1, 0);
}

/* Calls of Winsock that wait call it, and go on. */
TEST_F(objects, routine__blocking_calls)
{
	LARGE_INTEGER due = { .QuadPart = -50000 };
	struct sender sender = { 0 };
	HANDLE t = timer(false);
	struct operation op;
	DWORD n, flags;
	char data[8];
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &sender.peer), 0);
	ASSERT_TRUE(SetWaitableTimer(t, &due, 0, send_one, &sender, FALSE));
	EXPECT_EQ(wsock_recv(s, data, sizeof(data), 0), 1);
	EXPECT_EQ(sender.calls.n, 1);
	ASSERT_TRUE(SetWaitableTimer(t, &due, 0, send_one, &sender, FALSE));
	EXPECT_EQ(start_recv(s, &op, NULL, 8), WSA_IO_PENDING);
	EXPECT_TRUE(WSAGetOverlappedResult(s, &op.ov, &n, TRUE, &flags));
	EXPECT_EQ(sender.calls.n, 2);
	/* Without a time of its own the call is not ended by that. */
	EXPECT_TRUE(set_routine(t, 5, 5, &sender.calls));
	EXPECT_EQ(start_recv(s, &op, NULL, 8), WSA_IO_PENDING);
	EXPECT_EQ(SleepEx(INFINITE, TRUE), WAIT_IO_COMPLETION);
	EXPECT_EQ(send(sender.peer, "x", 1, 0), 1);
	EXPECT_TRUE(WSAGetOverlappedResult(s, &op.ov, &n, TRUE, &flags));
	EXPECT_EQ(n, 1);
	EXPECT_TRUE(CloseHandle(t));
	close(sender.peer);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(objects, routine__period)
{
	HANDLE t = timer(false);
	struct calls c = { 0 };
	LONGLONG first;

	ASSERT_TRUE(set_routine(t, 10, 10, &c));
	EXPECT_EQ(SleepEx(INFINITE, TRUE), WAIT_IO_COMPLETION);
	first = c.time.QuadPart;
	/* Once for all that were missed. */
	Sleep(QUIET_MS);
	EXPECT_EQ(SleepEx(INFINITE, TRUE), WAIT_IO_COMPLETION);
	EXPECT_EQ(c.n, 2);
	while (c.n < 4)
		EXPECT_EQ(SleepEx(INFINITE, TRUE), WAIT_IO_COMPLETION);
	/* Whole periods later. */
	EXPECT_EQ((c.time.QuadPart - first) % 100000, 0);
	EXPECT_GE(c.time.QuadPart - first, 10000 * QUIET_MS);
	EXPECT_TRUE(CancelWaitableTimer(t));
	EXPECT_EQ(SleepEx(QUIET_MS, TRUE), 0);
	EXPECT_EQ(c.n, 4);
	EXPECT_TRUE(CloseHandle(t));
}

static void *set_in_thread(void *t)
{
	static struct calls c;

	return (void *)(uintptr_t)!set_routine(t, 1, 0, &c);
}

static void *cancel_in_thread(void *t)
{
	return (void *)(uintptr_t)!CancelWaitableTimer(t);
}

/* It is forgotten: by others' cancel and set, at the thread's end, with the timer. */
TEST_F(objects, routine__that_nobody_calls)
{
	HANDLE t = timer(false);
	struct calls c = { 0 };

	ASSERT_TRUE(set_routine(t, 1, 0, &c));
	EXPECT_EQ(in_thread(cancel_in_thread, t), 0);
	EXPECT_EQ(SleepEx(QUIET_MS, TRUE), 0);
	ASSERT_TRUE(set_routine(t, 1, 0, &c));
	EXPECT_EQ(in_thread(set_in_thread, t), 0);
	EXPECT_EQ(SleepEx(QUIET_MS, TRUE), 0);
	ASSERT_TRUE(set_routine(t, 1, 0, &c));
	ASSERT_TRUE(set_timer(t, 1, 0));
	EXPECT_EQ(SleepEx(QUIET_MS, TRUE), 0);
	ASSERT_TRUE(set_routine(t, 1, 0, &c));
	EXPECT_TRUE(CloseHandle(t));
	EXPECT_EQ(SleepEx(QUIET_MS, TRUE), 0);
	EXPECT_EQ(c.n, 0);
}

/* ---- All of them together ---- */

TEST_F(objects, all__or_nothing)
{
	HANDLE event = CreateEventA(NULL, FALSE, TRUE, NULL);
	HANDLE objects[] = { event, semaphore(1, 1), mutex(), timer(false) };
	struct waiter w = { .n = 4, .all = TRUE, .timeout = INFINITE };

	EXPECT_EQ(WaitForMultipleObjects(4, objects, TRUE, 0), WAIT_TIMEOUT);
	memcpy(w.objects, objects, sizeof(objects));
	ASSERT_TRUE(waiter_start(&w));
	/* What is there others may take. */
	for (int i = 0; i < 3; i++)
		EXPECT_TRUE(take(objects[i]));
	EXPECT_TRUE(set_timer(objects[3], 1, 0));
	EXPECT_TRUE(SetEvent(event));
	EXPECT_TRUE(ReleaseSemaphore(objects[1], 1, NULL));
	quiet();
	EXPECT_FALSE(waiter_done(&w));
	EXPECT_TRUE(ReleaseMutex(objects[2]));
	pthread_join(w.thread, NULL);
	EXPECT_EQ(w.result, WAIT_OBJECT_0);
	/* All were taken; and the mutex was left. */
	EXPECT_FALSE(take(event));
	EXPECT_FALSE(take(objects[1]));
	EXPECT_FALSE(take(objects[3]));
	EXPECT_EQ(WaitForSingleObject(objects[2], 0), WAIT_ABANDONED_0);
	for (int i = 0; i < 4; i++)
		EXPECT_TRUE(CloseHandle(objects[i]));
}

/* ---- SignalObjectAndWait ---- */

TEST_F(objects, signal__and_wait)
{
	HANDLE a = semaphore(0, 1), b = semaphore(0, 1), m = mutex();
	HANDLE event = CreateEventA(NULL, FALSE, FALSE, NULL);
	struct waiter w = { .objects = { m }, .n = 1, .timeout = INFINITE, .end = release_first };

	EXPECT_EQ(SignalObjectAndWait(a, a, 0, FALSE), WAIT_OBJECT_0);
	EXPECT_EQ(SignalObjectAndWait(a, b, 0, FALSE), WAIT_TIMEOUT);
	EXPECT_EQ(SignalObjectAndWait(a, b, 0, FALSE), WAIT_FAILED);
	EXPECT_EQ(GetLastError(), ERROR_TOO_MANY_POSTS);
	EXPECT_EQ(SignalObjectAndWait(event, a, INFINITE, FALSE), WAIT_OBJECT_0);
	EXPECT_TRUE(take(event));
	EXPECT_EQ(SignalObjectAndWait(m, event, 0, FALSE), WAIT_FAILED);
	EXPECT_EQ(GetLastError(), ERROR_NOT_OWNER);
	EXPECT_TRUE(take(m));
	EXPECT_EQ(SignalObjectAndWait(m, event, 0, FALSE), WAIT_TIMEOUT);
	EXPECT_EQ(in_thread(try_mutex, m), WAIT_OBJECT_0);
	/* Signalled is nothing, when the other cannot be waited for. */
	EXPECT_EQ(SignalObjectAndWait(event, NULL, 0, FALSE), WAIT_FAILED);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_HANDLE);
	EXPECT_FALSE(take(event));
	EXPECT_EQ(SignalObjectAndWait(NULL, event, 0, FALSE), WAIT_FAILED);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_HANDLE);

	/* Given up and waited for: another thread has it in between. */
	EXPECT_TRUE(take(m));
	ASSERT_TRUE(waiter_start(&w));
	EXPECT_EQ(SignalObjectAndWait(m, m, INFINITE, FALSE), WAIT_OBJECT_0);
	EXPECT_TRUE(ReleaseMutex(m));
	EXPECT_FALSE(ReleaseMutex(m));
	pthread_join(w.thread, NULL);
	EXPECT_EQ(w.result, WAIT_OBJECT_0);
	EXPECT_TRUE(CloseHandle(a));
	EXPECT_TRUE(CloseHandle(b));
	EXPECT_TRUE(CloseHandle(m));
	EXPECT_TRUE(CloseHandle(event));
}

/* ---- Handles ---- */

TEST_F(objects, handle__kinds)
{
	HANDLE objects[] = { semaphore(1, 1), mutex(), timer(true), timer(false) };
	LARGE_INTEGER due = { .QuadPart = -1 };

	for (int i = 0; i < 4; i++) {
		EXPECT_EQ((uintptr_t)objects[i] & 3, 0);
		EXPECT_LT((uintptr_t)objects[i], INT32_MAX);
		/* They are no events, nor each other. */
		EXPECT_FALSE(SetEvent(objects[i]));
		EXPECT_EQ(GetLastError(), ERROR_INVALID_HANDLE);
		EXPECT_FALSE(WSACloseEvent(objects[i]));
		if (i != 0) {
			EXPECT_FALSE(ReleaseSemaphore(objects[i], 1, NULL));
		}
		if (i != 1) {
			EXPECT_FALSE(ReleaseMutex(objects[i]));
		}
		if (i < 2) {
			EXPECT_FALSE(SetWaitableTimer(objects[i], &due, 0, NULL, NULL, FALSE));
			EXPECT_FALSE(CancelWaitableTimer(objects[i]));
		} else {
			EXPECT_EQ(SignalObjectAndWait(objects[i], objects[0], 0, FALSE),
				  WAIT_FAILED);
		}
		EXPECT_EQ(GetLastError(), ERROR_INVALID_HANDLE);
	}
	for (int i = 0; i < 4; i++) {
		EXPECT_TRUE(CloseHandle(objects[i]));
		EXPECT_FALSE(CloseHandle(objects[i]));
		EXPECT_EQ(GetLastError(), ERROR_INVALID_HANDLE);
		EXPECT_EQ(WaitForSingleObject(objects[i], 0), WAIT_FAILED);
		EXPECT_EQ(GetLastError(), ERROR_INVALID_HANDLE);
	}
}

static HANDLE duplicate(HANDLE handle, DWORD options)
{
	HANDLE us = GetCurrentProcess(), copy = NULL;

	SetLastError(4711);
	return DuplicateHandle(us, handle, us, &copy, 0, FALSE, DUPLICATE_SAME_ACCESS | options) ?
	       copy : NULL;
}

/* What lets one wait through, of each kind. */
static bool let(HANDLE handle, int kind)
{
	switch (kind) {
	case 0:
	case 1:
		return SetEvent(handle);
	case 2:
		return ReleaseSemaphore(handle, 1, NULL);
	case 3:
		return ReleaseMutex(handle);
	default:
		return set_timer(handle, 0, 0);
	}
}

/* Each handle is as good as the others, and the last one closes the object. */
TEST_F(objects, duplicate__each_kind)
{
	int fd = lowest_fd();

	for (int kind = 0; kind < 6; kind++) {
		HANDLE all[] = { CreateEventA(NULL, TRUE, FALSE, NULL),
				 CreateEventA(NULL, FALSE, FALSE, NULL), semaphore(0, 2),
				 CreateMutexA(NULL, TRUE, NULL), timer(false), timer(true) };
		HANDLE first = all[kind], second, third;

		second = duplicate(first, 0);
		ASSERT_NE(second, NULL) TH_LOG("%d", kind);
		third = duplicate(second, 0);
		ASSERT_NE(third, NULL) TH_LOG("%d", kind);
		EXPECT_NE(first, second);
		EXPECT_NE(second, third);
		EXPECT_TRUE(let(first, kind)) TH_LOG("%d", kind);
		EXPECT_TRUE(becomes_signalled(second)) TH_LOG("%d", kind);
		/* Is there what was taken? */
		EXPECT_EQ(take(third), kind == 0 || kind == 3 || kind == 5) TH_LOG("%d", kind);
		if (kind == 3) {
			EXPECT_TRUE(let(third, kind));
			EXPECT_TRUE(let(first, kind));
			/* Twice was it taken. */
			EXPECT_FALSE(let(second, kind));
			EXPECT_EQ(GetLastError(), ERROR_NOT_OWNER);
			EXPECT_TRUE(take(first));
		}
		/* Without the first it goes on. */
		EXPECT_TRUE(CloseHandle(first)) TH_LOG("%d", kind);
		EXPECT_FALSE(CloseHandle(first)) TH_LOG("%d", kind);
		EXPECT_EQ(GetLastError(), ERROR_INVALID_HANDLE);
		EXPECT_EQ(WaitForSingleObject(first, 0), WAIT_FAILED) TH_LOG("%d", kind);
		EXPECT_FALSE(let(first, kind)) TH_LOG("%d", kind);
		EXPECT_EQ(duplicate(first, 0), NULL);
		EXPECT_EQ(GetLastError(), ERROR_INVALID_HANDLE);
		EXPECT_TRUE(let(second, kind)) TH_LOG("%d", kind);
		EXPECT_TRUE(becomes_signalled(third)) TH_LOG("%d", kind);
		/* Moved: the second is gone. */
		first = duplicate(second, DUPLICATE_CLOSE_SOURCE);
		ASSERT_NE(first, NULL) TH_LOG("%d", kind);
		EXPECT_FALSE(CloseHandle(second)) TH_LOG("%d", kind);
		EXPECT_TRUE(CloseHandle(third)) TH_LOG("%d", kind);
		EXPECT_TRUE(let(first, kind)) TH_LOG("%d", kind);
		EXPECT_TRUE(becomes_signalled(first)) TH_LOG("%d", kind);
		EXPECT_TRUE(CloseHandle(first)) TH_LOG("%d", kind);
		EXPECT_FALSE(CloseHandle(first)) TH_LOG("%d", kind);
		for (int i = 0; i < 6; i++)
			EXPECT_EQ(CloseHandle(all[i]), i != kind) TH_LOG("%d", kind);
		EXPECT_EQ(lowest_fd(), fd) TH_LOG("%d", kind);
	}
}

/* Who waits through one handle is released by the other, and stays so. */
TEST_F(objects, duplicate__waits)
{
	HANDLE event[2], s[2], m[2], both[2];
	struct waiter w[2];
	bool done;

	event[0] = CreateEventA(NULL, FALSE, FALSE, NULL);
	event[1] = duplicate(event[0], 0);
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 2; i++) {
			w[i] = (struct waiter){ .objects = { event[i] }, .n = 1,
						.timeout = INFINITE };
			ASSERT_TRUE(waiter_start(&w[i]));
		}
		/* One each, and one that is left. */
		for (int i = 0; i < 3; i++)
			EXPECT_TRUE(SetEvent(event[round & 1]));
		if (round & 2)
			EXPECT_TRUE(ResetEvent(event[!(round & 1)]));
		done = wait_for(waiters_done(w, 2) == 2);
		EXPECT_TRUE(done);
		if (!done)
			_exit(1);
		for (int i = 0; i < 2; i++)
			pthread_join(w[i].thread, NULL);
		EXPECT_EQ(take(event[0]), !(round & 2)) TH_LOG("round %d", round);
	}
	EXPECT_TRUE(CloseHandle(event[0]));
	EXPECT_TRUE(CloseHandle(event[1]));

	/* All at one time, each by its second handle, after the first was closed. */
	s[0] = semaphore(0, 1);
	m[0] = mutex();
	s[1] = duplicate(s[0], DUPLICATE_CLOSE_SOURCE);
	m[1] = duplicate(m[0], DUPLICATE_CLOSE_SOURCE);
	both[0] = s[1];
	both[1] = m[1];
	EXPECT_EQ(WaitForMultipleObjects(2, both, TRUE, 0), WAIT_TIMEOUT);
	EXPECT_TRUE(ReleaseSemaphore(s[1], 1, NULL));
	EXPECT_EQ(WaitForMultipleObjects(2, both, TRUE, 0), WAIT_OBJECT_0);
	EXPECT_FALSE(take(s[1]));
	EXPECT_TRUE(ReleaseMutex(m[1]));
	EXPECT_TRUE(CloseHandle(s[1]));
	EXPECT_TRUE(CloseHandle(m[1]));
}

static void *take_and_end(void *handle)
{
	return (void *)(uintptr_t)take(handle);
}

/* A mutex that is abandoned is so to all its handles. */
TEST_F(objects, duplicate__abandoned)
{
	HANDLE m = mutex(), copy = duplicate(m, 0);
	pthread_t thread;
	void *took;

	ASSERT_EQ(pthread_create(&thread, NULL, take_and_end, copy), 0);
	pthread_join(thread, &took);
	EXPECT_NE(took, NULL);
	EXPECT_TRUE(CloseHandle(copy));
	EXPECT_EQ(WaitForSingleObject(m, 0), WAIT_ABANDONED_0);
	EXPECT_TRUE(ReleaseMutex(m));
	EXPECT_TRUE(CloseHandle(m));
}

/* An overlapped operation signals what any of the handles names. */
TEST_F(objects, duplicate__of_an_operations_event)
{
	HANDLE event = CreateEventA(NULL, TRUE, FALSE, NULL), copy = duplicate(event, 0);
	struct operation op;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_DGRAM);
	ASSERT_EQ(start_recv(s, &op, copy, 64), WSA_IO_PENDING);
	EXPECT_TRUE(WSACloseEvent(copy));
	EXPECT_FALSE(WSACloseEvent(copy));
	EXPECT_FALSE(signalled(event));
	ASSERT_EQ(datagram_to(s, "hello", 5), 0);
	EXPECT_TRUE(becomes_signalled(event));
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_TRUE(WSACloseEvent(event));
}

TEST_F(objects, handle__names_are_refused)
{
	const WCHAR wide[] = { 'n', 0 }, none[] = { 0 };
	HANDLE refused[] = {
		CreateMutexA(NULL, FALSE, "n"), CreateMutexW(NULL, FALSE, wide),
		CreateMutexExA(NULL, "n", 0, 0), CreateMutexExW(NULL, wide, 0, 0),
		CreateSemaphoreA(NULL, 0, 1, "n"), CreateSemaphoreW(NULL, 0, 1, wide),
		CreateSemaphoreExA(NULL, 0, 1, "n", 0, 0),
		CreateSemaphoreExW(NULL, 0, 1, wide, 0, 0),
		CreateWaitableTimerA(NULL, FALSE, "n"), CreateWaitableTimerW(NULL, FALSE, wide),
		CreateWaitableTimerExA(NULL, "n", 0, 0), CreateWaitableTimerExW(NULL, wide, 0, 0),
	};
	HANDLE empty[3];

	EXPECT_EQ(GetLastError(), ERROR_NOT_SUPPORTED);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		EXPECT_EQ(refused[i], NULL);
	for (int i = 0; i < 3; i++) {
		SetLastError(4711);
		empty[i] = i == 0 ? CreateMutexW(NULL, FALSE, none) :
			   i == 1 ? CreateSemaphoreW(NULL, 0, 1, none) :
				    CreateWaitableTimerW(NULL, FALSE, none);
		EXPECT_NE(empty[i], NULL);
		EXPECT_EQ(GetLastError(), 0);
		EXPECT_TRUE(CloseHandle(empty[i]));
	}
}

TEST_F(objects, handle__close_leaks_nothing)
{
	int before = fd_count();

	for (int i = 0; i < 100; i++) {
		EXPECT_TRUE(CloseHandle(mutex()));
		EXPECT_TRUE(CloseHandle(semaphore(1, 1)));
		EXPECT_TRUE(CloseHandle(timer(i & 1)));
	}
	EXPECT_EQ(fd_count(), before);
}

TEST_F(objects, handle__no_descriptor_left)
{
	struct rlimit limit = { 0, 1024 };

	ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	EXPECT_EQ(mutex(), NULL);
	EXPECT_EQ(GetLastError(), ERROR_NOT_ENOUGH_MEMORY);
	EXPECT_EQ(semaphore(0, 1), NULL);
	EXPECT_EQ(GetLastError(), ERROR_NOT_ENOUGH_MEMORY);
	EXPECT_EQ(timer(true), NULL);
	EXPECT_EQ(GetLastError(), ERROR_NOT_ENOUGH_MEMORY);
}

/* A child's waits are not the parent's, whose threads it does not have. */
TEST_F(objects, fork__of_a_process_that_waits)
{
	HANDLE m = mutex(), s = semaphore(0, 1);
	struct waiter w = { .objects = { s }, .n = 1, .timeout = INFINITE };
	int status;
	pid_t pid;

	ASSERT_TRUE(waiter_start(&w));
	EXPECT_TRUE(take(m));
	pid = fork();
	if (!pid) {
		s = semaphore(0, 1);
		_exit(!(take(m) && ReleaseMutex(m) && ReleaseMutex(m) && take(m) &&
			ReleaseSemaphore(s, 1, NULL) && take(s)));
	}
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	EXPECT_TRUE(ReleaseSemaphore(s, 1, NULL));
	pthread_join(w.thread, NULL);
	EXPECT_TRUE(CloseHandle(m));
	EXPECT_TRUE(CloseHandle(s));
}

TEST_HARNESS_MAIN
