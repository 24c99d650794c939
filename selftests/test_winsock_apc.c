// SPDX-License-Identifier: GPL-2.0
/*
 * Asynchronous procedure calls and the waits that run them: kernel32's, Winsock's
 * and Winsock's blocking calls (D.4, C30, "things worth copying" of section C).
 */
#include "winsock.h"
#include "kselftest_harness.h"

WINSOCK_FIXTURE(apc);

#define MAX_RAN 64

/* What has run in this thread, in order. */
static __thread ULONG_PTR ran[MAX_RAN];
static __thread int n_ran;

static void CALLBACK note(ULONG_PTR data)
{
	if (n_ran < MAX_RAN)
		ran[n_ran] = data;
	__atomic_store_n(&n_ran, n_ran + 1, __ATOMIC_RELEASE);
}

static bool queue_to_self(ULONG_PTR data)
{
	return QueueUserAPC(note, GetCurrentThread(), data);
}

/* A handle of the calling thread for the others. */
static HANDLE own_handle(void)
{
	HANDLE handle = NULL;

	DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(), &handle, 0,
			FALSE, DUPLICATE_SAME_ACCESS);
	return handle;
}

/* ---- Each alertable wait ---- */

static HANDLE never, never2;

static DWORD wait_sleep(DWORD timeout, BOOL alertable)
{
	return SleepEx(timeout, alertable);
}

static DWORD wait_single(DWORD timeout, BOOL alertable)
{
	return WaitForSingleObjectEx(never, timeout, alertable);
}

static DWORD wait_any(DWORD timeout, BOOL alertable)
{
	return WaitForMultipleObjectsEx(2, (HANDLE[]){ never, never2 }, FALSE, timeout, alertable);
}

static DWORD wait_all(DWORD timeout, BOOL alertable)
{
	return WaitForMultipleObjectsEx(2, (HANDLE[]){ never, never2 }, TRUE, timeout, alertable);
}

static DWORD wait_winsock(DWORD timeout, BOOL alertable)
{
	return WSAWaitForMultipleEvents(1, &never, FALSE, timeout, alertable);
}

static DWORD wait_winsock_all(DWORD timeout, BOOL alertable)
{
	return WSAWaitForMultipleEvents(2, (HANDLE[]){ never, never2 }, TRUE, timeout, alertable);
}

static const struct alertable_wait {
	const char *name;
	DWORD (*wait)(DWORD timeout, BOOL alertable);
	DWORD timeout;	/* what it returns then */
} waits[] = {
	{ "SleepEx", wait_sleep, 0 },
	{ "WaitForSingleObjectEx", wait_single, WAIT_TIMEOUT },
	{ "WaitForMultipleObjectsEx, any", wait_any, WAIT_TIMEOUT },
	{ "WaitForMultipleObjectsEx, all", wait_all, WAIT_TIMEOUT },
	{ "WSAWaitForMultipleEvents, any", wait_winsock, WAIT_TIMEOUT },
	{ "WSAWaitForMultipleEvents, all", wait_winsock_all, WAIT_TIMEOUT },
};

#define N_WAITS (sizeof(waits) / sizeof(waits[0]))

static void make_never(void)
{
	never = CreateEventA(NULL, TRUE, FALSE, NULL);
	never2 = CreateEventA(NULL, FALSE, FALSE, NULL);
}

TEST_F(apc, D4__runs_in_each_alertable_wait)
{
	make_never();
	for (size_t i = 0; i < N_WAITS; i++) {
		const struct alertable_wait *w = &waits[i];
		const DWORD timeouts[] = { 0, QUIET_MS, INFINITE };

		for (size_t j = 0; j < 3; j++) {
			n_ran = 0;
			EXPECT_TRUE(queue_to_self(1));
			EXPECT_TRUE(queue_to_self(2));
			EXPECT_TRUE(queue_to_self(3));
			EXPECT_EQ(w->wait(timeouts[j], TRUE), WAIT_IO_COMPLETION)
				TH_LOG("%s", w->name);
			/* All, in order, before it returns. */
			EXPECT_EQ(n_ran, 3) TH_LOG("%s", w->name);
			EXPECT_EQ(ran[0], 1);
			EXPECT_EQ(ran[1], 2);
			EXPECT_EQ(ran[2], 3);
		}
		/* And nothing is left. */
		EXPECT_EQ(w->wait(0, TRUE), w->timeout);
		EXPECT_EQ(n_ran, 3);
	}
}

TEST_F(apc, D4__never_runs_elsewhere)
{
	make_never();
	EXPECT_TRUE(queue_to_self(1));
	for (size_t i = 0; i < N_WAITS; i++) {
		EXPECT_EQ(waits[i].wait(0, FALSE), waits[i].timeout);
		EXPECT_EQ(waits[i].wait(1, FALSE), waits[i].timeout);
	}
	EXPECT_EQ(WaitForSingleObject(never, 1), WAIT_TIMEOUT);
	EXPECT_EQ(WaitForMultipleObjects(1, &never, TRUE, 1), WAIT_TIMEOUT);
	Sleep(0);
	Sleep(1);
	EXPECT_EQ(n_ran, 0);
	EXPECT_EQ(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
	EXPECT_EQ(n_ran, 1);
}

/* A thread without a queue has none made by waiting. */
TEST_F(apc, D4__no_queue_no_cost)
{
	int before = fd_count();

	make_never();
	for (size_t i = 0; i < N_WAITS; i++)
		EXPECT_EQ(waits[i].wait(1, TRUE), waits[i].timeout);
	EXPECT_EQ(counter("ports"), 0);
	EXPECT_EQ(library_device(), -1);
	EXPECT_EQ(fd_count(), before + 2);
	EXPECT_TRUE(queue_to_self(1));
	EXPECT_EQ(counter("ports"), 1);
}

TEST_F(apc, D4__objects_come_first)
{
	HANDLE both[2];

	make_never();
	both[0] = never;
	both[1] = never2;
	EXPECT_TRUE(queue_to_self(1));
	EXPECT_TRUE(SetEvent(never2));
	EXPECT_EQ(WaitForSingleObjectEx(never2, INFINITE, TRUE), WAIT_OBJECT_0);
	EXPECT_TRUE(SetEvent(never2));
	EXPECT_EQ(WaitForMultipleObjectsEx(2, both, FALSE, INFINITE, TRUE), WAIT_OBJECT_0 + 1);
	EXPECT_TRUE(SetEvent(never));
	EXPECT_TRUE(SetEvent(never2));
	EXPECT_EQ(WaitForMultipleObjectsEx(2, both, TRUE, INFINITE, TRUE), WAIT_OBJECT_0);
	EXPECT_EQ(n_ran, 0);
	/* One of two is not enough: the APC is next, and takes nothing. */
	EXPECT_TRUE(ResetEvent(never));
	EXPECT_TRUE(SetEvent(never2));
	EXPECT_EQ(WaitForMultipleObjectsEx(2, both, TRUE, INFINITE, TRUE), WAIT_IO_COMPLETION);
	EXPECT_EQ(n_ran, 1);
	EXPECT_EQ(WaitForSingleObject(never2, 0), WAIT_OBJECT_0);
}

/* ---- Order ---- */

static void CALLBACK queue_next(ULONG_PTR left)
{
	note(left);
	if (left)
		QueueUserAPC(queue_next, GetCurrentThread(), left - 1);
}

TEST_F(apc, order__queued_by_an_apc_runs_in_the_same_wait)
{
	EXPECT_TRUE(QueueUserAPC(queue_next, GetCurrentThread(), 5));
	EXPECT_TRUE(queue_to_self(100));
	EXPECT_EQ(SleepEx(INFINITE, TRUE), WAIT_IO_COMPLETION);
	ASSERT_EQ(n_ran, 7);
	EXPECT_EQ(ran[0], 5);
	EXPECT_EQ(ran[1], 100);
	for (int i = 2; i < 7; i++)
		EXPECT_EQ(ran[i], 6 - i);
	EXPECT_EQ(SleepEx(0, TRUE), 0);
}

static DWORD nested_result[2];

static void CALLBACK wait_inside(ULONG_PTR data)
{
	note(data);
	nested_result[0] = SleepEx(INFINITE, TRUE);
	nested_result[1] = SleepEx(0, TRUE);
	note(data + 1);
}

/* A wait inside of an APC goes on with what is behind it. */
TEST_F(apc, order__nested_wait)
{
	EXPECT_TRUE(QueueUserAPC(wait_inside, GetCurrentThread(), 10));
	EXPECT_TRUE(queue_to_self(1));
	EXPECT_TRUE(queue_to_self(2));
	EXPECT_EQ(SleepEx(INFINITE, TRUE), WAIT_IO_COMPLETION);
	EXPECT_EQ(nested_result[0], WAIT_IO_COMPLETION);
	EXPECT_EQ(nested_result[1], 0);
	ASSERT_EQ(n_ran, 4);
	EXPECT_EQ(ran[0], 10);
	EXPECT_EQ(ran[1], 1);
	EXPECT_EQ(ran[2], 2);
	EXPECT_EQ(ran[3], 11);
}

/* ---- Threads ---- */

/* A thread that runs APCs until it is told to end. */
struct target {
	pthread_t thread;
	HANDLE handle;		/* made by itself */
	const struct alertable_wait *wait;
	pid_t tid;
	int count;		/* APCs that ran */
	unsigned int last[4];	/* of each poster */
	int disorder, others;
	bool stop;
};

static __thread struct target *self;

static void CALLBACK count_one(ULONG_PTR data)
{
	unsigned int poster = data >> 32, number = (unsigned int)data;

	if (!self || self->last[poster] + 1 != number) {
		if (self)
			self->disorder++;
		return;
	}
	self->last[poster] = number;
	__atomic_add_fetch(&self->count, 1, __ATOMIC_SEQ_CST);
}

static void CALLBACK stop_target(ULONG_PTR data)
{
	((struct target *)data)->stop = true;
}

static void *target_main(void *arg)
{
	struct target *t = arg;
	HANDLE handle = own_handle();

	self = t;
	t->tid = gettid();
	__atomic_store_n(&t->handle, handle, __ATOMIC_RELEASE);
	while (!t->stop)
		t->others += t->wait->wait(INFINITE, TRUE) != WAIT_IO_COMPLETION;
	return NULL;
}

static bool target_start(struct target *t)
{
	return !pthread_create(&t->thread, NULL, target_main, t) &&
	       wait_for(__atomic_load_n(&t->handle, __ATOMIC_ACQUIRE));
}

TEST_F(apc, thread__wakes_a_thread_that_waits)
{
	make_never();
	for (size_t i = 0; i < N_WAITS; i++) {
		struct target t = { .wait = &waits[i] };

		ASSERT_TRUE(target_start(&t));
		for (unsigned int n = 1; n <= 3; n++) {
			ASSERT_TRUE(wait_for(thread_syscall(t.tid) == SYS_ppoll));
			EXPECT_TRUE(QueueUserAPC(count_one, t.handle, n));
			EXPECT_TRUE(wait_for(__atomic_load_n(&t.count, __ATOMIC_SEQ_CST) == n))
				TH_LOG("%s", waits[i].name);
		}
		EXPECT_TRUE(QueueUserAPC(stop_target, t.handle, (ULONG_PTR)&t));
		pthread_join(t.thread, NULL);
		EXPECT_EQ(t.others, 0);
		EXPECT_EQ(t.disorder, 0);
		EXPECT_TRUE(CloseHandle(t.handle));
	}
}

#define POSTS 1000

struct poster {
	pthread_t thread;
	struct target *to;
	unsigned int number;
	int failures;
};

static void *poster_main(void *arg)
{
	struct poster *p = arg;

	for (unsigned int i = 1; i <= POSTS; i++)
		p->failures += !QueueUserAPC(count_one, p->to->handle,
					     (ULONG_PTR)p->number << 32 | i);
	return NULL;
}

TEST_F(apc, thread__each_exactly_once_and_in_order)
{
	struct target t = { .wait = &waits[0] };
	struct poster posters[4];

	make_never();
	ASSERT_TRUE(target_start(&t));
	for (unsigned int i = 0; i < 4; i++) {
		posters[i] = (struct poster){ .to = &t, .number = i };
		ASSERT_EQ(pthread_create(&posters[i].thread, NULL, poster_main, &posters[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(posters[i].thread, NULL);
		EXPECT_EQ(posters[i].failures, 0);
	}
	EXPECT_TRUE(QueueUserAPC(stop_target, t.handle, (ULONG_PTR)&t));
	pthread_join(t.thread, NULL);
	EXPECT_EQ(t.count, 4 * POSTS);
	EXPECT_EQ(t.disorder, 0);
	EXPECT_TRUE(CloseHandle(t.handle));
}

static void *end_at_once(void *arg)
{
	HANDLE *handle = arg;

	*handle = own_handle();
	queue_to_self(1);
	return NULL;
}

/* Its handle stays, and is signalled; its APCs never run. */
TEST_F(apc, thread__that_has_ended)
{
	int before = fd_count();
	HANDLE handle = NULL, more;
	pthread_t thread;

	ASSERT_EQ(pthread_create(&thread, NULL, end_at_once, &handle), 0);
	pthread_join(thread, NULL);
	ASSERT_NE(handle, NULL);
	SetLastError(4711);
	EXPECT_EQ(QueueUserAPC(note, handle, 1), 0);
	EXPECT_EQ(GetLastError(), ERROR_GEN_FAILURE);
	EXPECT_EQ(WaitForSingleObject(handle, 0), WAIT_OBJECT_0);
	EXPECT_TRUE(DuplicateHandle(GetCurrentProcess(), handle, GetCurrentProcess(), &more, 0,
				    FALSE, DUPLICATE_CLOSE_SOURCE));
	EXPECT_FALSE(CloseHandle(handle));
	EXPECT_EQ(WaitForSingleObject(more, 0), WAIT_OBJECT_0);
	EXPECT_EQ(QueueUserAPC(note, more, 1), 0);
	EXPECT_TRUE(CloseHandle(more));
	EXPECT_EQ(n_ran, 0);
	/* Only the device stays open. */
	EXPECT_EQ(fd_count(), before + 1);
	EXPECT_TRUE(wait_for(counter("ports") == 0));
}

TEST_F(apc, thread__wait_for_its_end)
{
	struct target t = { .wait = &waits[0] };
	HANDLE event = CreateEventA(NULL, FALSE, TRUE, NULL), both[2] = { event };

	ASSERT_TRUE(target_start(&t));
	both[1] = t.handle;
	/* An APC that waits for it is no end. */
	EXPECT_EQ(WaitForSingleObject(t.handle, QUIET_MS), WAIT_TIMEOUT);
	EXPECT_EQ(WaitForMultipleObjects(2, both, TRUE, 0), WAIT_TIMEOUT);
	EXPECT_TRUE(QueueUserAPC(stop_target, t.handle, (ULONG_PTR)&t));
	EXPECT_EQ(WaitForMultipleObjects(2, both, TRUE, TIMEOUT_MS), WAIT_OBJECT_0);
	EXPECT_EQ(WaitForMultipleObjects(2, both, FALSE, 0), WAIT_OBJECT_0 + 1);
	pthread_join(t.thread, NULL);
	EXPECT_TRUE(CloseHandle(t.handle));
}

TEST_F(apc, thread__bad_handles)
{
	HANDLE event = CreateEventA(NULL, TRUE, FALSE, NULL), handle = own_handle(), out = NULL;
	HANDLE bad[] = { NULL, event, GetCurrentProcess(), NULL, (HANDLE)0x7ffffffcul };

	ASSERT_NE(handle, NULL);
	EXPECT_EQ((uintptr_t)handle & 3, 0);
	EXPECT_TRUE(QueueUserAPC(note, handle, 1));
	EXPECT_EQ(QueueUserAPC(NULL, handle, 1), 0);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	EXPECT_TRUE(CloseHandle(handle));
	bad[3] = handle;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		SetLastError(4711);
		EXPECT_EQ(QueueUserAPC(note, bad[i], 1), 0);
		EXPECT_EQ(GetLastError(), ERROR_INVALID_HANDLE);
		SetLastError(4711);
		EXPECT_FALSE(DuplicateHandle(GetCurrentProcess(), bad[i], GetCurrentProcess(),
					     &out, 0, FALSE, DUPLICATE_SAME_ACCESS));
		EXPECT_EQ(GetLastError(), ERROR_INVALID_HANDLE);
	}
	EXPECT_FALSE(SetEvent(GetCurrentThread()));
	EXPECT_EQ(WaitForSingleObject(GetCurrentThread(), 0), WAIT_FAILED);
	EXPECT_FALSE(DuplicateHandle(event, GetCurrentThread(), GetCurrentProcess(), &out, 0,
				     FALSE, DUPLICATE_SAME_ACCESS));
	EXPECT_EQ(GetLastError(), ERROR_INVALID_HANDLE);
	EXPECT_FALSE(DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(),
				     NULL, 0, FALSE, DUPLICATE_SAME_ACCESS));
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	EXPECT_FALSE(DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(),
				     &out, 0, FALSE, 4));
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	EXPECT_EQ(out, NULL);
	/* Closing what need not be closed does nothing. */
	EXPECT_TRUE(CloseHandle(GetCurrentThread()));
	EXPECT_TRUE(CloseHandle(GetCurrentProcess()));
	EXPECT_EQ(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
	EXPECT_EQ(n_ran, 1);
}

/* The child of a fork has a queue of its own. */
TEST_F(apc, thread__fork)
{
	HANDLE handle = own_handle();
	pid_t pid;

	EXPECT_TRUE(queue_to_self(1));
	pid = fork();
	if (!pid) {
		bool good = SleepEx(0, TRUE) == 0 && !QueueUserAPC(note, handle, 3) &&
			    queue_to_self(2) && SleepEx(0, TRUE) == WAIT_IO_COMPLETION &&
			    n_ran == 1 && ran[0] == 2;

		_exit(good ? 0 : 1);
	}
	EXPECT_EQ(child_status(pid), 0);
	EXPECT_EQ(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
	EXPECT_EQ(n_ran, 1);
	EXPECT_EQ(ran[0], 1);
}

/* ---- Completion routines ---- */

/* The library's own; what the kernel will post is posted by hand here. */
extern __thread int wsock_apc_queue;

static struct {
	int count;
	DWORD error, bytes, flags;
	LPWSAOVERLAPPED ov;
} routine_saw;

static void CALLBACK routine(DWORD error, DWORD bytes, LPWSAOVERLAPPED ov, DWORD flags)
{
	routine_saw.count++;
	routine_saw.error = error;
	routine_saw.bytes = bytes;
	routine_saw.flags = flags;
	routine_saw.ov = ov;
	note(1000);
}

static int post_completion(WSAOVERLAPPED *ov, uint32_t generation, uint32_t status)
{
	struct wsock_packet packet = {
		.key = (uintptr_t)routine,
		.ov = (uintptr_t)ov,
		.internal = (uint64_t)generation << 32 | status,
		.bytes = 42,
	};

	return ioctl(wsock_apc_queue, WSOCK_PORT_IOC_POST, &packet);
}

TEST_F(apc, routine__arguments_and_order)
{
	WSAOVERLAPPED ov = { 0 };

	ASSERT_EQ(startup(), 0);
	EXPECT_TRUE(queue_to_self(1));
	ASSERT_EQ(post_completion(&ov, 0, STATUS_CONNECTION_RESET), 0);
	EXPECT_TRUE(queue_to_self(2));
	EXPECT_EQ(SleepEx(INFINITE, TRUE), WAIT_IO_COMPLETION);
	EXPECT_EQ(n_ran, 3);
	EXPECT_EQ(ran[1], 1000);
	EXPECT_EQ(routine_saw.count, 1);
	EXPECT_EQ(routine_saw.error, WSAECONNRESET);
	EXPECT_EQ(routine_saw.bytes, 42);
	EXPECT_EQ(routine_saw.flags, 0);
	EXPECT_EQ(routine_saw.ov, &ov);
	EXPECT_EQ(WSACleanup(), 0);
}

/* C30: one that was queued before the final WSACleanup never runs. */
TEST_F(apc, C30__routine_of_the_time_before_a_cleanup)
{
	WSAOVERLAPPED ov = { 0 };
	double begin;

	ASSERT_EQ(startup(), 0);
	EXPECT_TRUE(queue_to_self(1));
	ASSERT_EQ(post_completion(&ov, 0, STATUS_SUCCESS), 0);
	EXPECT_EQ(WSACleanup(), 0);
	/* User APCs are kernel32's: they do run. */
	EXPECT_EQ(SleepEx(INFINITE, TRUE), WAIT_IO_COMPLETION);
	EXPECT_EQ(n_ran, 1);
	EXPECT_EQ(routine_saw.count, 0);
	ASSERT_EQ(post_completion(&ov, 0, STATUS_SUCCESS), 0);
	begin = now_ms();
	EXPECT_EQ(SleepEx(QUIET_MS, TRUE), 0);
	EXPECT_GE(now_ms() - begin, QUIET_MS);
	ASSERT_EQ(post_completion(&ov, 0, STATUS_SUCCESS), 0);
	ASSERT_EQ(startup(), 0);
	EXPECT_EQ(SleepEx(QUIET_MS, TRUE), 0);
	EXPECT_EQ(routine_saw.count, 0);
	/* Those of the new time do. */
	ASSERT_EQ(post_completion(&ov, 1, STATUS_SUCCESS), 0);
	EXPECT_EQ(SleepEx(QUIET_MS, TRUE), WAIT_IO_COMPLETION);
	EXPECT_EQ(routine_saw.count, 1);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_HARNESS_MAIN
