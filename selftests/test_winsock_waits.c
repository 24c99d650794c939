// SPDX-License-Identifier: GPL-2.0
/*
 * Handles, events and waits: what programs use of kernel32 beside Winsock. None of
 * it needs WSAStartup; most tests here run without.
 */
#include <sys/resource.h>

#include "waits.h"
#include "kselftest_harness.h"

WINSOCK_FIXTURE(waits);

#define THREADS 8

static HANDLE manual_event(void)
{
	return CreateEventA(NULL, TRUE, FALSE, NULL);
}

static HANDLE auto_event(void)
{
	return CreateEventA(NULL, FALSE, FALSE, NULL);
}

/* ---- Events ---- */

TEST_F(waits, event__manual_reset_stays)
{
	HANDLE event = manual_event();

	ASSERT_NE(event, NULL);
	EXPECT_FALSE(take(event));
	EXPECT_TRUE(SetEvent(event));
	EXPECT_TRUE(take(event));
	EXPECT_TRUE(take(event));
	EXPECT_TRUE(ResetEvent(event));
	EXPECT_FALSE(take(event));
	EXPECT_TRUE(ResetEvent(event));
	EXPECT_TRUE(CloseHandle(event));
}

TEST_F(waits, event__auto_reset_is_taken_once)
{
	HANDLE event = auto_event();

	ASSERT_NE(event, NULL);
	EXPECT_FALSE(take(event));
	/* Nobody waits: it stays, and setting it again adds nothing. */
	EXPECT_TRUE(SetEvent(event));
	EXPECT_TRUE(SetEvent(event));
	EXPECT_TRUE(take(event));
	EXPECT_FALSE(take(event));
	EXPECT_TRUE(SetEvent(event));
	EXPECT_TRUE(ResetEvent(event));
	EXPECT_FALSE(take(event));
	EXPECT_TRUE(CloseHandle(event));
}

TEST_F(waits, event__initial_state)
{
	HANDLE event = CreateEventA(NULL, TRUE, TRUE, NULL);

	EXPECT_TRUE(take(event));
	EXPECT_TRUE(take(event));
	EXPECT_TRUE(CloseHandle(event));
	event = CreateEventW(NULL, FALSE, TRUE, NULL);
	EXPECT_TRUE(take(event));
	EXPECT_FALSE(take(event));
	EXPECT_TRUE(CloseHandle(event));
}

TEST_F(waits, event__create_ex)
{
	const DWORD both = CREATE_EVENT_MANUAL_RESET | CREATE_EVENT_INITIAL_SET;
	SECURITY_ATTRIBUTES attributes = { .nLength = sizeof(attributes) };
	HANDLE event = CreateEventExA(&attributes, NULL, both, EVENT_ALL_ACCESS);

	EXPECT_TRUE(take(event));
	EXPECT_TRUE(take(event));
	EXPECT_TRUE(CloseHandle(event));
	event = CreateEventExW(NULL, NULL, CREATE_EVENT_INITIAL_SET,
			       SYNCHRONIZE | EVENT_MODIFY_STATE);
	EXPECT_TRUE(take(event));
	EXPECT_FALSE(take(event));
	EXPECT_TRUE(CloseHandle(event));
	SetLastError(4711);
	EXPECT_EQ(CreateEventExA(NULL, NULL, 4, 0), NULL);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
}

/* An empty name is none, as on Windows. */
TEST_F(waits, event__names_are_refused)
{
	const WCHAR name[] = { 'n', 0 }, empty[] = { 0 };
	HANDLE event;

	EXPECT_EQ(CreateEventA(NULL, TRUE, FALSE, "n"), NULL);
	EXPECT_EQ(GetLastError(), ERROR_NOT_SUPPORTED);
	SetLastError(0);
	EXPECT_EQ(CreateEventW(NULL, TRUE, FALSE, name), NULL);
	EXPECT_EQ(GetLastError(), ERROR_NOT_SUPPORTED);
	SetLastError(0);
	EXPECT_EQ(CreateEventExA(NULL, "n", 0, 0), NULL);
	EXPECT_EQ(GetLastError(), ERROR_NOT_SUPPORTED);
	SetLastError(4711);
	event = CreateEventW(NULL, TRUE, FALSE, empty);
	ASSERT_NE(event, NULL);
	/* Programs ask for ERROR_ALREADY_EXISTS after a success. */
	EXPECT_EQ(GetLastError(), 0);
	EXPECT_TRUE(CloseHandle(event));
}

/* Winsock's events are the same objects, with manual reset. */
TEST_F(waits, event__winsock_events_are_the_same)
{
	WSAEVENT event = WSACreateEvent();

	EXPECT_TRUE(SetEvent(event));
	EXPECT_TRUE(signalled(event));
	EXPECT_TRUE(take(event));
	EXPECT_TRUE(WSAResetEvent(event));
	EXPECT_FALSE(take(event));
	EXPECT_TRUE(WSASetEvent(event));
	EXPECT_TRUE(ResetEvent(event));
	EXPECT_FALSE(signalled(event));
	EXPECT_TRUE(CloseHandle(event));
	event = auto_event();
	EXPECT_TRUE(WSASetEvent(event));
	EXPECT_TRUE(signalled(event));
	EXPECT_FALSE(signalled(event));
	EXPECT_TRUE(WSACloseEvent(event));
}

/* The tag survives an OVERLAPPED's use of the lowest bit. */
TEST_F(waits, event__overlapped_with_auto_reset)
{
	HANDLE event = auto_event();
	struct operation op;
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	EXPECT_TRUE(SetEvent(event));
	EXPECT_EQ(start_recv(s, &op, event, 8), WSA_IO_PENDING);
	/* It was reset when the operation began. */
	EXPECT_FALSE(take(event));
	EXPECT_EQ(send(peer, "x", 1, 0), 1);
	EXPECT_EQ(WaitForSingleObject(event, TIMEOUT_MS), WAIT_OBJECT_0);
	EXPECT_FALSE(take(event));
	EXPECT_EQ(op.ov.InternalHigh, 1);
	EXPECT_EQ(start_recv(s, &op, (HANDLE)((uintptr_t)event | 1), 8), WSA_IO_PENDING);
	EXPECT_EQ(send(peer, "x", 1, 0), 1);
	EXPECT_EQ(WaitForSingleObject(event, TIMEOUT_MS), WAIT_OBJECT_0);
	EXPECT_TRUE(CloseHandle(event));
	close(peer);
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- Handles ---- */

TEST_F(waits, handle__shape)
{
	HANDLE a = manual_event(), b = auto_event();

	EXPECT_EQ((uintptr_t)a & 3, 0);
	EXPECT_EQ((uintptr_t)b & 3, 0);
	EXPECT_LT((uintptr_t)a, INT32_MAX);
	EXPECT_LT((uintptr_t)b, INT32_MAX);
	EXPECT_GT((uintptr_t)a, 1 << 20);
	EXPECT_GT((uintptr_t)b, 1 << 20);
	EXPECT_GE(wsock_event_fd(b), 0);
	EXPECT_TRUE(CloseHandle(a));
	EXPECT_TRUE(CloseHandle(b));
}

TEST_F(waits, handle__bad_ones)
{
	HANDLE closed = manual_event(), used;
	int fd = wsock_event_fd(closed);
	const HANDLE bad[] = {
		NULL, (HANDLE)1, closed, (HANDLE)((uintptr_t)closed | 1),
		(HANDLE)((uintptr_t)closed | 1ull << 40), (HANDLE)0x7ffffffcul,
		(HANDLE)0x50fffffcul, (HANDLE)STDIN_FILENO, (HANDLE)(uintptr_t)fd,
	};

	EXPECT_TRUE(CloseHandle(closed));
	/* The number belongs to another file now, which must stay open. */
	ASSERT_EQ(dup(STDOUT_FILENO), fd);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		SetLastError(4711);
		EXPECT_FALSE(CloseHandle(bad[i])) TH_LOG("%zu", i);
		EXPECT_EQ(GetLastError(), ERROR_INVALID_HANDLE);
		SetLastError(4711);
		EXPECT_FALSE(SetEvent(bad[i]));
		EXPECT_EQ(GetLastError(), ERROR_INVALID_HANDLE);
		SetLastError(4711);
		EXPECT_FALSE(ResetEvent(bad[i]));
		EXPECT_EQ(GetLastError(), ERROR_INVALID_HANDLE);
		SetLastError(4711);
		EXPECT_EQ(WaitForSingleObject(bad[i], 0), WAIT_FAILED);
		EXPECT_EQ(GetLastError(), ERROR_INVALID_HANDLE);
	}
	EXPECT_NE(fcntl(fd, F_GETFD), -1);
	used = manual_event();
	EXPECT_TRUE(CloseHandle(used));
	EXPECT_FALSE(CloseHandle(used));
}

TEST_F(waits, handle__close_leaks_nothing)
{
	int before = fd_count();

	for (int i = 0; i < 100; i++)
		EXPECT_TRUE(CloseHandle(i & 1 ? manual_event() : auto_event()));
	EXPECT_EQ(fd_count(), before);
}

TEST_F(waits, handle__no_descriptor_left)
{
	struct rlimit limit = { 0, 1024 };

	ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	EXPECT_EQ(manual_event(), NULL);
	EXPECT_EQ(GetLastError(), ERROR_NOT_ENOUGH_MEMORY);
	EXPECT_EQ(WSACreateEvent(), WSA_INVALID_EVENT);
	EXPECT_EQ(WSAGetLastError(), WSA_NOT_ENOUGH_MEMORY);
}

/* A thread that waits in a port leaves it. */
static void *wait_in_port(void *arg)
{
	ULONG_PTR key;
	OVERLAPPED *ov;
	DWORD n;

	if (GetQueuedCompletionStatus(arg, &n, &key, &ov, INFINITE))
		return (void *)-1;
	return (void *)(uintptr_t)GetLastError();
}

TEST_F(waits, handle__close_of_a_port)
{
	HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
	pthread_t thread;
	void *error;

	ASSERT_NE(port, NULL);
	EXPECT_EQ(WaitForSingleObject(port, 0), WAIT_FAILED);
	ASSERT_EQ(pthread_create(&thread, NULL, wait_in_port, port), 0);
	quiet();
	EXPECT_TRUE(CloseHandle(port));
	pthread_join(thread, &error);
	EXPECT_TRUE(error == (void *)ERROR_ABANDONED_WAIT_0 ||
		    error == (void *)ERROR_INVALID_HANDLE);
	EXPECT_FALSE(CloseHandle(port));
	EXPECT_EQ(GetLastError(), ERROR_INVALID_HANDLE);
	EXPECT_TRUE(wait_for(counter("ports") == 0));
}

/* CloseHandle of a SOCKET does what closesocket does: pending operations end. */
TEST_F(waits, handle__close_of_a_socket)
{
	HANDLE event = manual_event();
	struct operation op;
	SOCKET s, other;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	EXPECT_EQ(start_recv(s, &op, event, 8), WSA_IO_PENDING);
	EXPECT_TRUE(CloseHandle((HANDLE)s));
	EXPECT_EQ(WaitForSingleObject(event, TIMEOUT_MS), WAIT_OBJECT_0);
	EXPECT_EQ(status(&op), STATUS_CONNECTION_ABORTED);
	EXPECT_EQ(peer_end(peer), -ECONNRESET);
	EXPECT_FALSE(CloseHandle((HANDLE)s));
	EXPECT_EQ(GetLastError(), ERROR_INVALID_HANDLE);
	EXPECT_EQ(closesocket(s), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAENOTSOCK);
	other = wsock_socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_NE(other, INVALID_SOCKET);
	EXPECT_EQ(WSACleanup(), 0);
	/* Dead since the cleanup: no socket of ours, but CloseHandle is not gated. */
	EXPECT_FALSE(CloseHandle((HANDLE)other));
	EXPECT_EQ(GetLastError(), ERROR_INVALID_HANDLE);
	EXPECT_TRUE(CloseHandle(event));
	close(peer);
}

/* ---- Waits ---- */

TEST_F(waits, wait__timeouts)
{
	HANDLE event = manual_event();
	struct waiter w = { .objects = { event }, .n = 1, .timeout = INFINITE };
	double begin = now_ms();

	EXPECT_EQ(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
	EXPECT_LT(now_ms() - begin, TIMEOUT_MS);
	begin = now_ms();
	EXPECT_EQ(WaitForSingleObject(event, QUIET_MS), WAIT_TIMEOUT);
	EXPECT_GE(now_ms() - begin, QUIET_MS);
	begin = now_ms();
	EXPECT_EQ(WaitForSingleObjectEx(event, QUIET_MS, TRUE), WAIT_TIMEOUT);
	EXPECT_GE(now_ms() - begin, QUIET_MS);
	ASSERT_TRUE(waiter_start(&w));
	quiet();
	EXPECT_FALSE(waiter_done(&w));
	EXPECT_TRUE(SetEvent(event));
	ASSERT_TRUE(wait_for(waiter_done(&w)));
	EXPECT_EQ(w.result, WAIT_OBJECT_0);
	pthread_join(w.thread, NULL);
	EXPECT_TRUE(CloseHandle(event));
}

static volatile sig_atomic_t signals;

static void count_signal(int sig)
{
	signals++;
}

/* A signal is no end of a wait, and does not prolong it. */
TEST_F(waits, wait__signals_are_not_seen)
{
	struct sigaction action = { .sa_handler = count_signal };
	HANDLE event = manual_event();
	struct waiter w = { .objects = { event }, .n = 1, .timeout = 4 * QUIET_MS };
	double begin = now_ms();

	sigaction(SIGUSR1, &action, NULL);
	ASSERT_TRUE(waiter_start(&w));
	while (!waiter_done(&w)) {
		pthread_kill(w.thread, SIGUSR1);
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	}
	EXPECT_EQ(w.result, WAIT_TIMEOUT);
	EXPECT_GE(now_ms() - begin, 4 * QUIET_MS);
	EXPECT_LT(now_ms() - begin, TIMEOUT_MS);
	EXPECT_GT(signals, 1);
	pthread_join(w.thread, NULL);
}

TEST_F(waits, wait__sleep)
{
	double begin = now_ms();

	Sleep(0);
	Sleep(QUIET_MS);
	EXPECT_GE(now_ms() - begin, QUIET_MS);
	begin = now_ms();
	EXPECT_EQ(SleepEx(QUIET_MS, FALSE), 0);
	EXPECT_GE(now_ms() - begin, QUIET_MS);
	begin = now_ms();
	EXPECT_EQ(SleepEx(QUIET_MS, TRUE), 0);
	EXPECT_GE(now_ms() - begin, QUIET_MS);
	EXPECT_EQ(SleepEx(0, TRUE), 0);
}

TEST_F(waits, wait__any_takes_the_lowest_only)
{
	HANDLE e[4] = { auto_event(), manual_event(), auto_event(), auto_event() };

	EXPECT_EQ(WaitForMultipleObjects(4, e, FALSE, 0), WAIT_TIMEOUT);
	EXPECT_TRUE(SetEvent(e[1]));
	EXPECT_TRUE(SetEvent(e[2]));
	EXPECT_TRUE(SetEvent(e[3]));
	EXPECT_EQ(WaitForMultipleObjects(4, e, FALSE, 0), WAIT_OBJECT_0 + 1);
	EXPECT_EQ(WaitForMultipleObjects(4, e, FALSE, INFINITE), WAIT_OBJECT_0 + 1);
	EXPECT_TRUE(ResetEvent(e[1]));
	EXPECT_EQ(WaitForMultipleObjects(4, e, FALSE, INFINITE), WAIT_OBJECT_0 + 2);
	EXPECT_EQ(WaitForMultipleObjectsEx(4, e, FALSE, INFINITE, TRUE), WAIT_OBJECT_0 + 3);
	EXPECT_EQ(WaitForMultipleObjects(4, e, FALSE, 0), WAIT_TIMEOUT);
}

TEST_F(waits, wait__all_takes_all_or_none)
{
	HANDLE e[3] = { auto_event(), manual_event(), auto_event() };

	EXPECT_TRUE(SetEvent(e[0]));
	EXPECT_TRUE(SetEvent(e[1]));
	EXPECT_EQ(WaitForMultipleObjects(3, e, TRUE, 0), WAIT_TIMEOUT);
	EXPECT_EQ(WaitForMultipleObjects(3, e, TRUE, QUIET_MS), WAIT_TIMEOUT);
	/* It has taken none of those that it found. */
	EXPECT_TRUE(take(e[0]));
	EXPECT_TRUE(SetEvent(e[0]));
	EXPECT_TRUE(SetEvent(e[2]));
	EXPECT_EQ(WaitForMultipleObjects(3, e, TRUE, 0), WAIT_OBJECT_0);
	EXPECT_FALSE(take(e[0]));
	EXPECT_TRUE(take(e[1]));
	EXPECT_FALSE(take(e[2]));
}

/* All at one time: one that was signalled before does not count. */
TEST_F(waits, wait__all_at_one_time)
{
	HANDLE a = manual_event(), b = manual_event();
	struct waiter w = { .objects = { a, b }, .n = 2, .all = TRUE, .timeout = INFINITE };

	ASSERT_TRUE(waiter_start(&w));
	EXPECT_TRUE(SetEvent(a));
	quiet();
	EXPECT_TRUE(ResetEvent(a));
	EXPECT_TRUE(SetEvent(b));
	quiet();
	EXPECT_FALSE(waiter_done(&w));
	EXPECT_TRUE(SetEvent(a));
	ASSERT_TRUE(wait_for(waiter_done(&w)));
	EXPECT_EQ(w.result, WAIT_OBJECT_0);
	pthread_join(w.thread, NULL);
}

TEST_F(waits, wait__arguments)
{
	HANDLE e[MAXIMUM_WAIT_OBJECTS + 1], event = auto_event();

	for (int i = 0; i <= MAXIMUM_WAIT_OBJECTS; i++)
		e[i] = auto_event();
	EXPECT_EQ(WaitForMultipleObjects(0, e, FALSE, 0), WAIT_FAILED);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	SetLastError(0);
	EXPECT_EQ(WaitForMultipleObjects(MAXIMUM_WAIT_OBJECTS + 1, e, FALSE, 0), WAIT_FAILED);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	SetLastError(0);
	EXPECT_EQ(WaitForMultipleObjects(1, NULL, FALSE, 0), WAIT_FAILED);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	/* The same handle twice, which could never be taken twice. */
	e[MAXIMUM_WAIT_OBJECTS - 1] = e[0];
	SetLastError(0);
	EXPECT_EQ(WaitForMultipleObjects(MAXIMUM_WAIT_OBJECTS, e, TRUE, 0), WAIT_FAILED);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	EXPECT_TRUE(SetEvent(e[0]));
	EXPECT_EQ(WaitForMultipleObjects(MAXIMUM_WAIT_OBJECTS, e, FALSE, 0), WAIT_OBJECT_0);
	e[MAXIMUM_WAIT_OBJECTS - 1] = event;
	EXPECT_TRUE(SetEvent(event));
	EXPECT_EQ(WaitForMultipleObjects(MAXIMUM_WAIT_OBJECTS, e, FALSE, 0),
		  WAIT_OBJECT_0 + MAXIMUM_WAIT_OBJECTS - 1);
	for (int i = 0; i < MAXIMUM_WAIT_OBJECTS; i++)
		EXPECT_TRUE(SetEvent(e[i]));
	EXPECT_EQ(WaitForMultipleObjects(MAXIMUM_WAIT_OBJECTS, e, TRUE, 0), WAIT_OBJECT_0);
	EXPECT_EQ(WaitForMultipleObjects(MAXIMUM_WAIT_OBJECTS, e, FALSE, 0), WAIT_TIMEOUT);
	/* And with time to wait. */
	EXPECT_EQ(WaitForMultipleObjects(MAXIMUM_WAIT_OBJECTS, e, FALSE, 1), WAIT_TIMEOUT);
	EXPECT_TRUE(SetEvent(event));
	EXPECT_EQ(WaitForMultipleObjects(MAXIMUM_WAIT_OBJECTS, e, FALSE, TIMEOUT_MS),
		  WAIT_OBJECT_0 + MAXIMUM_WAIT_OBJECTS - 1);
	/* A bad one anywhere. */
	EXPECT_TRUE(SetEvent(e[0]));
	EXPECT_TRUE(CloseHandle(event));
	EXPECT_EQ(WaitForMultipleObjects(MAXIMUM_WAIT_OBJECTS, e, FALSE, 0), WAIT_FAILED);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_HANDLE);
	EXPECT_TRUE(take(e[0]));
}

/* ---- Many waiters ---- */

TEST_F(waits, many__manual_reset_wakes_all)
{
	struct waiter w[THREADS] = { 0 };
	HANDLE event = manual_event();

	for (int i = 0; i < THREADS; i++) {
		w[i] = (struct waiter){ .objects = { event }, .n = 1, .timeout = INFINITE };
		ASSERT_TRUE(waiter_start(&w[i]));
	}
	EXPECT_TRUE(SetEvent(event));
	EXPECT_TRUE(wait_for(waiters_done(w, THREADS) == THREADS));
	for (int i = 0; i < THREADS; i++) {
		pthread_join(w[i].thread, NULL);
		EXPECT_EQ(w[i].result, WAIT_OBJECT_0);
	}
}

TEST_F(waits, many__auto_reset_wakes_one_each_time)
{
	struct waiter w[THREADS] = { 0 };
	HANDLE event = auto_event(), never = manual_event();

	/* In waits for one object, for any and for all. */
	for (int i = 0; i < THREADS; i++) {
		w[i] = (struct waiter){
			.objects = { event, never }, .n = 1 + i % 2, .timeout = INFINITE,
		};
		ASSERT_TRUE(waiter_start(&w[i]));
	}
	for (int i = 1; i <= THREADS; i++) {
		EXPECT_TRUE(SetEvent(event));
		EXPECT_TRUE(wait_for(waiters_done(w, THREADS) == i));
		nap();
		EXPECT_EQ(waiters_done(w, THREADS), i);
	}
	EXPECT_FALSE(take(event));
	for (int i = 0; i < THREADS; i++) {
		pthread_join(w[i].thread, NULL);
		EXPECT_EQ(w[i].result, WAIT_OBJECT_0);
	}
}

/* Waits for one object, and for any of two, each from the first processor. */
static bool start_waiters(struct waiter *w, int n, HANDLE event, HANDLE other)
{
	for (int i = 0; i < n; i++) {
		w[i] = (struct waiter){
			.objects = { event, other }, .n = 1 + i % 2, .timeout = INFINITE,
		};
		if (!waiter_start(&w[i]))
			return false;
	}
	return true;
}

/*
 * Each set releases a thread, also when none has run yet; what is set with nobody
 * left to release makes the event signalled, once.
 */
TEST_F(waits, many__auto_reset_set_at_once)
{
	HANDLE event = auto_event(), never = manual_event();
	struct waiter w[THREADS];

	ASSERT_TRUE(run_alone());
	for (int sets = 1; sets <= THREADS + 3; sets++) {
		int released = sets < THREADS ? sets : THREADS;

		ASSERT_TRUE(start_waiters(w, THREADS, event, never));
		for (int i = 0; i < sets; i++)
			EXPECT_TRUE(SetEvent(event));
		EXPECT_TRUE(wait_for(waiters_done(w, THREADS) == released));
		quiet();
		EXPECT_EQ(waiters_done(w, THREADS), released) TH_LOG("%d sets", sets);
		EXPECT_EQ(take(event), sets > THREADS) TH_LOG("%d sets", sets);
		EXPECT_FALSE(take(event)) TH_LOG("%d sets", sets);
		for (int i = released; i < THREADS; i++)
			EXPECT_TRUE(SetEvent(event));
		for (int i = 0; i < THREADS; i++) {
			pthread_join(w[i].thread, NULL);
			EXPECT_EQ(w[i].result, WAIT_OBJECT_0);
		}
	}
	/* Without a thread to release, it is set once, however it is waited for then. */
	for (int i = 0; i < 3; i++)
		EXPECT_TRUE(SetEvent(event));
	EXPECT_EQ(WaitForSingleObject(event, TIMEOUT_MS), WAIT_OBJECT_0);
	EXPECT_EQ(WaitForSingleObject(event, 1), WAIT_TIMEOUT);
	EXPECT_FALSE(take(event));
}

/* What has released a thread is neither another's nor to be taken back. */
TEST_F(waits, many__auto_reset_is_the_released_threads)
{
	HANDLE event = auto_event(), other = auto_event();
	HANDLE both[] = { event, other };
	struct waiter w[2];

	ASSERT_TRUE(run_alone());
	ASSERT_TRUE(start_waiters(w, 2, event, other));
	EXPECT_TRUE(SetEvent(event));
	EXPECT_FALSE(take(event));
	EXPECT_EQ(WaitForMultipleObjects(2, both, FALSE, 0), WAIT_TIMEOUT);
	EXPECT_TRUE(ResetEvent(event));
	EXPECT_TRUE(SetEvent(event));
	EXPECT_TRUE(SetEvent(event));
	/* This is ours, and it can be reset. */
	EXPECT_TRUE(take(event));
	EXPECT_FALSE(take(event));
	EXPECT_TRUE(SetEvent(event));
	EXPECT_TRUE(ResetEvent(event));
	EXPECT_FALSE(take(event));
	EXPECT_TRUE(wait_for(waiters_done(w, 2) == 2));
	EXPECT_FALSE(take(event));
	for (int i = 0; i < 2; i++)
		pthread_join(w[i].thread, NULL);
	/* Who leaves by another object leaves what the event was set. */
	ASSERT_TRUE(start_waiters(w, 2, event, other));
	EXPECT_TRUE(SetEvent(other));
	EXPECT_TRUE(wait_for(waiter_done(&w[1])));
	EXPECT_EQ(w[1].result, WAIT_OBJECT_0 + 1);
	EXPECT_TRUE(SetEvent(event));
	EXPECT_TRUE(SetEvent(event));
	EXPECT_TRUE(take(event));
	EXPECT_FALSE(take(event));
	EXPECT_TRUE(wait_for(waiter_done(&w[0])));
	for (int i = 0; i < 2; i++)
		pthread_join(w[i].thread, NULL);
}

/* The kernel sets it too: each end of an operation releases a thread. */
TEST_F(waits, many__auto_reset_of_operations)
{
	HANDLE event = auto_event(), never = manual_event();
	struct operation op[2];
	struct waiter w[2];
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_DGRAM);
	ASSERT_TRUE(run_alone());
	for (int threads = 0; threads <= 2; threads++) {
		for (int i = 0; i < 2; i++)
			EXPECT_EQ(start_recv(s, &op[i], event, 8), WSA_IO_PENDING);
		ASSERT_TRUE(start_waiters(w, threads, event, never));
		for (int i = 0; i < 2; i++)
			EXPECT_EQ(datagram_to(s, "x", 1), 0);
		for (int i = 0; i < 2; i++)
			EXPECT_TRUE(wait_for(status(&op[i]) == STATUS_SUCCESS));
		EXPECT_TRUE(wait_for(waiters_done(w, threads) == threads));
		EXPECT_EQ(take(event), threads < 2) TH_LOG("%d threads", threads);
		EXPECT_FALSE(take(event)) TH_LOG("%d threads", threads);
		for (int i = 0; i < threads; i++)
			pthread_join(w[i].thread, NULL);
	}
	EXPECT_EQ(WSACleanup(), 0);
}

static HANDLE apc_event;
static bool apc_took[2];

static void CALLBACK set_and_take_in_apc(ULONG_PTR unused)
{
	SetEvent(apc_event);
	apc_took[0] = take(apc_event);
	apc_took[1] = take(apc_event);
}

static pid_t alertable_tid;

/* Queues the APC to its argument, a thread, once that waits. */
static void *queue_apc(void *arg)
{
	if (wait_for(thread_syscall(alertable_tid) == SYS_ppoll))
		QueueUserAPC(set_and_take_in_apc, arg, 0);
	return NULL;
}

/* A thread that runs APCs does not wait. */
TEST_F(waits, many__auto_reset_in_an_apc)
{
	pthread_t thread;
	HANDLE self_handle;

	alertable_tid = gettid();
	apc_event = auto_event();
	ASSERT_TRUE(DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(),
				    &self_handle, 0, FALSE, DUPLICATE_SAME_ACCESS));
	ASSERT_EQ(pthread_create(&thread, NULL, queue_apc, self_handle), 0);
	EXPECT_EQ(WaitForSingleObjectEx(apc_event, TIMEOUT_MS, TRUE), WAIT_IO_COMPLETION);
	pthread_join(thread, NULL);
	EXPECT_TRUE(apc_took[0]);
	EXPECT_FALSE(apc_took[1]);
	EXPECT_EQ(WaitForSingleObject(apc_event, 1), WAIT_TIMEOUT);
}

/* A token handed round through events: never two, never none. */
#define ROUNDS 2000

struct race {
	HANDLE token, other;
	int holders, taken, trouble;
};

static void hold_token(struct race *r)
{
	if (__atomic_add_fetch(&r->holders, 1, __ATOMIC_SEQ_CST) != 1)
		__atomic_add_fetch(&r->trouble, 1, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&r->taken, 1, __ATOMIC_SEQ_CST);
	__atomic_sub_fetch(&r->holders, 1, __ATOMIC_SEQ_CST);
}

static void *take_single(void *arg)
{
	struct race *r = arg;

	for (int i = 0; i < ROUNDS; i++) {
		if (WaitForSingleObject(r->token, TIMEOUT_MS) != WAIT_OBJECT_0)
			__atomic_add_fetch(&r->trouble, 1000, __ATOMIC_SEQ_CST);
		hold_token(r);
		SetEvent(r->token);
	}
	return NULL;
}

static void *take_both(void *arg)
{
	struct race *r = arg;
	HANDLE both[] = { r->token, r->other };

	for (int i = 0; i < ROUNDS; i++) {
		if (WaitForMultipleObjects(2, both, TRUE, TIMEOUT_MS) != WAIT_OBJECT_0)
			__atomic_add_fetch(&r->trouble, 1000, __ATOMIC_SEQ_CST);
		hold_token(r);
		SetEvent(r->token);
		SetEvent(r->other);
	}
	return NULL;
}

/*
 * Two threads want the token alone, two want both. No two ever have the token,
 * and nobody waits for ever because somebody else took half of what it wants.
 */
TEST_F(waits, many__one_takes_both_or_none)
{
	struct race r = {
		.token = CreateEventA(NULL, FALSE, TRUE, NULL),
		.other = CreateEventA(NULL, FALSE, TRUE, NULL),
	};
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		ASSERT_EQ(pthread_create(&threads[i], NULL, i & 1 ? take_both : take_single, &r),
			  0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(r.trouble, 0);
	EXPECT_EQ(r.taken, 4 * ROUNDS);
	EXPECT_TRUE(take(r.token));
	EXPECT_TRUE(take(r.other));
	EXPECT_FALSE(take(r.token));
}

/* Sets an event and takes it back; counts how often somebody else had it. */
struct setter {
	HANDLE event;
	int lost;
	bool stop;
};

static void *set_and_take(void *arg)
{
	struct setter *s = arg;

	while (!__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE)) {
		SetEvent(s->event);
		/* Let the others see it, also where there are few processors. */
		sched_yield();
		s->lost += !take(s->event);
	}
	return NULL;
}

/*
 * A wait for all that is not satisfied hides nothing from others, for no moment:
 * each time that an event was gone, the wait had both.
 */
TEST_F(waits, many__failed_wait_for_all_is_invisible)
{
	struct setter s[2] = { { .event = auto_event() }, { .event = auto_event() } };
	HANDLE both[] = { s[0].event, s[1].event };
	pthread_t threads[2];
	int had_both = 0;

	for (int i = 0; i < 2; i++)
		ASSERT_EQ(pthread_create(&threads[i], NULL, set_and_take, &s[i]), 0);
	for (int i = 0; i < 20 * ROUNDS && had_both < 2 * ROUNDS; i++)
		had_both += WaitForMultipleObjects(2, both, TRUE, 0) == WAIT_OBJECT_0;
	for (int i = 0; i < 2; i++) {
		__atomic_store_n(&s[i].stop, true, __ATOMIC_RELEASE);
		pthread_join(threads[i], NULL);
	}
	TH_LOG("both %d times", had_both);
	EXPECT_EQ(s[0].lost, had_both);
	EXPECT_EQ(s[1].lost, had_both);
}

static void *wait_for_both(void *arg)
{
	HANDLE both[] = { auto_event(), auto_event() };

	while (!__atomic_load_n((bool *)arg, __ATOMIC_ACQUIRE))
		WaitForMultipleObjects(2, both, TRUE, 0);
	return NULL;
}

/* The lock of a thread that is not in the child does not stop the child. */
TEST_F(waits, many__fork)
{
	bool stop = false;
	pthread_t thread;

	ASSERT_EQ(pthread_create(&thread, NULL, wait_for_both, &stop), 0);
	for (int i = 0; i < 100; i++) {
		pid_t pid = fork();

		if (!pid) {
			HANDLE event = auto_event();

			alarm(TIMEOUT_MS / 1000);
			SetEvent(event);
			_exit(take(event) ? 0 : 1);
		}
		if (child_status(pid)) {
			ASSERT_TRUE(false) TH_LOG("round %d", i);
		}
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
}

/* Nor does one that waits in the parent have a share in the child. */
TEST_F(waits, many__fork_of_a_process_that_waits)
{
	HANDLE event = auto_event();
	struct waiter w;
	pid_t pid;

	ASSERT_TRUE(start_waiters(&w, 1, event, NULL));
	pid = fork();
	if (!pid) {
		int fd = wsock_event_fd(event);

		CloseHandle(event);
		event = auto_event();
		if (wsock_event_fd(event) != fd)
			_exit(2);
		SetEvent(event);
		_exit(take(event) && !take(event) ? 0 : 1);
	}
	EXPECT_EQ(child_status(pid), 0);
	EXPECT_TRUE(SetEvent(event));
	pthread_join(w.thread, NULL);
}

/* ---- SOCKETs ---- */

static bool is_set(SOCKET s)
{
	return WaitForSingleObject((HANDLE)s, 0) == WAIT_OBJECT_0;
}

/* D.2, test_nonblocking_async_recv: with nobody else to be told, the SOCKET is. */
TEST_F(waits, D2__socket_is_signalled)
{
	HANDLE never = manual_event(), both[2] = { never };
	struct operation op;
	struct waiter w;
	int peer, before;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	before = fd_count();
	/* The first look comes after the operation began, and then before. */
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(start_recv(s, &op, NULL, 8), WSA_IO_PENDING);
		EXPECT_FALSE(is_set(s));
		EXPECT_EQ(op.ov.InternalHigh, POISON_LONG);
		both[1] = (HANDLE)s;
		ASSERT_TRUE(start_waiters(&w, 1, (HANDLE)s, NULL));
		EXPECT_EQ(send(peer, "x", 1, 0), 1);
		EXPECT_EQ(WaitForMultipleObjects(2, both, FALSE, TIMEOUT_MS), WAIT_OBJECT_0 + 1);
		EXPECT_EQ(status(&op), STATUS_SUCCESS);
		ASSERT_TRUE(wait_for(waiter_done(&w)));
		EXPECT_EQ(w.result, WAIT_OBJECT_0);
		pthread_join(w.thread, NULL);
		/* Until the next one begins. */
		EXPECT_TRUE(is_set(s));
		EXPECT_EQ(WSAWaitForMultipleEvents(1, (WSAEVENT *)&both[1], TRUE, 0, FALSE),
			  WSA_WAIT_EVENT_0);
	}
	/* What succeeds at once is told as well. */
	ASSERT_EQ(start_recv(s, &op, NULL, 8), WSA_IO_PENDING);
	EXPECT_FALSE(is_set(s));
	ASSERT_EQ(start_send(s, &op, NULL, "x", 1), 0);
	EXPECT_TRUE(is_set(s));
	EXPECT_EQ(fd_count(), before);
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(WaitForSingleObject((HANDLE)s, 0), WAIT_FAILED);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_HANDLE);
	close(peer);
}

TEST_F(waits, D2__socket_and_event_of_the_operation)
{
	HANDLE event = manual_event(), both[2] = { event };
	struct operation op[2];
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	both[1] = (HANDLE)s;
	ASSERT_EQ(start_recv(s, &op[0], event, 1), WSA_IO_PENDING);
	ASSERT_EQ(start_recv(s, &op[1], NULL, 1), WSA_IO_PENDING);
	EXPECT_FALSE(is_set(s));
	EXPECT_EQ(send(peer, "x", 1, 0), 1);
	EXPECT_TRUE(becomes_signalled(event));
	EXPECT_FALSE(is_set(s));
	EXPECT_EQ(WaitForMultipleObjects(2, both, TRUE, 0), WAIT_TIMEOUT);
	EXPECT_EQ(send(peer, "x", 1, 0), 1);
	EXPECT_EQ(WaitForMultipleObjects(2, both, TRUE, TIMEOUT_MS), WAIT_OBJECT_0);
	EXPECT_EQ(status(&op[1]), STATUS_SUCCESS);
	/* D.5: the mode is about the SOCKET only. */
	EXPECT_TRUE(SetFileCompletionNotificationModes((HANDLE)s, FILE_SKIP_SET_EVENT_ON_HANDLE));
	ASSERT_EQ(start_recv(s, &op[0], event, 1), WSA_IO_PENDING);
	ASSERT_EQ(start_recv(s, &op[1], NULL, 1), WSA_IO_PENDING);
	EXPECT_EQ(send(peer, "xy", 2, 0), 2);
	EXPECT_TRUE(becomes_signalled(event));
	EXPECT_TRUE(wait_for(status(&op[1]) == STATUS_SUCCESS));
	EXPECT_FALSE(is_set(s));
	EXPECT_EQ(WSACleanup(), 0);
	close(peer);
}

/* D.9, C29: who closes is told, the final cleanup tells nobody; the wait goes on. */
TEST_F(waits, C29__socket_is_not_signalled_by_the_cleanup)
{
	struct waiter w[2];
	struct operation op[2];
	SOCKET s[2];
	int peer[2];

	ASSERT_EQ(startup(), 0);
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(stream_pair(&s[i], &peer[i]), 0);
		ASSERT_EQ(start_recv(s[i], &op[i], NULL, 8), WSA_IO_PENDING);
		ASSERT_TRUE(start_waiters(&w[i], 1, (HANDLE)s[i], NULL));
	}
	EXPECT_EQ(closesocket(s[0]), 0);
	EXPECT_TRUE(wait_for(waiter_done(&w[0])));
	EXPECT_EQ(w[0].result, WAIT_OBJECT_0);
	EXPECT_EQ(status(&op[0]), STATUS_CONNECTION_ABORTED);
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(status(&op[1]), STATUS_CANCELLED);
	quiet();
	EXPECT_FALSE(waiter_done(&w[1]));
}

/* It is told though nobody comes to the port, and the packet is there too. */
TEST_F(waits, D3__socket_with_a_port)
{
	struct operation op;
	HANDLE port;
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	port = CreateIoCompletionPort((HANDLE)s, NULL, 7, 0);
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(start_recv(s, &op, NULL, 8), WSA_IO_PENDING);
		EXPECT_EQ(send(peer, "x", 1, 0), 1);
		EXPECT_EQ(WaitForSingleObject((HANDLE)s, TIMEOUT_MS), WAIT_OBJECT_0);
		EXPECT_EQ(status(&op), STATUS_SUCCESS);
		EXPECT_EQ(take_packet(port, 0).ov, &op.ov);
	}
	EXPECT_TRUE(CloseHandle(port));
	EXPECT_EQ(WSACleanup(), 0);
	close(peer);
}

/* ---- The last error ---- */

static void *other_error(void *arg)
{
	DWORD *seen = arg;

	seen[0] = GetLastError();
	SetLastError(1234);
	seen[1] = WSAGetLastError();
	return NULL;
}

TEST_F(waits, error__one_slot_for_each_thread)
{
	DWORD seen[2] = { POISON_WORD, POISON_WORD };
	pthread_t thread;
	HANDLE event;

	SetLastError(7);
	EXPECT_EQ(WSAGetLastError(), 7);
	WSASetLastError(WSAEINTR);
	EXPECT_EQ(GetLastError(), 10004);
	SetLastError(0xffffffffu);
	EXPECT_EQ(WSAGetLastError(), -1);
	EXPECT_EQ(GetLastError(), 0xffffffffu);
	SetLastError(42);
	ASSERT_EQ(pthread_create(&thread, NULL, other_error, seen), 0);
	pthread_join(thread, NULL);
	EXPECT_EQ(seen[0], 0);
	EXPECT_EQ(seen[1], 1234);
	EXPECT_EQ(GetLastError(), 42);
	/* A wait that ends in time does not touch it. */
	event = auto_event();
	SetLastError(42);
	EXPECT_EQ(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
	EXPECT_EQ(GetLastError(), 42);
}

/* H4: the final WSACleanup neither ends waits nor touches events. */
TEST_F(waits, H4__cleanup_leaves_waits_alone)
{
	HANDLE event = auto_event();
	struct waiter w = { .objects = { event }, .n = 1, .timeout = INFINITE };

	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(waiter_start(&w));
	EXPECT_EQ(WSACleanup(), 0);
	quiet();
	EXPECT_FALSE(waiter_done(&w));
	EXPECT_TRUE(SetEvent(event));
	ASSERT_TRUE(wait_for(waiter_done(&w)));
	EXPECT_EQ(w.result, WAIT_OBJECT_0);
	pthread_join(w.thread, NULL);
	EXPECT_TRUE(CloseHandle(event));
}

TEST_HARNESS_MAIN
