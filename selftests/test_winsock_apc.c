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

static HANDLE never, never2, empty_port;

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

static DWORD wait_port(DWORD timeout, BOOL alertable)
{
	OVERLAPPED_ENTRY entry;
	ULONG n = POISON_WORD;
	BOOL got = GetQueuedCompletionStatusEx(empty_port, &entry, 1, &n, timeout, alertable);

	return got || n ? WAIT_FAILED : GetLastError();
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
	{ "GetQueuedCompletionStatusEx", wait_port, WAIT_TIMEOUT },
};

#define N_WAITS (sizeof(waits) / sizeof(waits[0]))

static void make_never(void)
{
	never = CreateEventA(NULL, TRUE, FALSE, NULL);
	never2 = CreateEventA(NULL, FALSE, FALSE, NULL);
	empty_port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
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
	int before;

	make_never();
	before = fd_count();
	EXPECT_EQ(counter("ports"), 1);
	for (size_t i = 0; i < N_WAITS; i++)
		EXPECT_EQ(waits[i].wait(1, TRUE), waits[i].timeout);
	EXPECT_EQ(counter("ports"), 1);
	EXPECT_EQ(fd_count(), before);
	EXPECT_TRUE(queue_to_self(1));
	EXPECT_EQ(counter("ports"), 2);
	EXPECT_EQ(fd_count(), before + 1);
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
			ASSERT_TRUE(wait_for(thread_syscall(t.tid) == SYS_ppoll ||
					     thread_syscall(t.tid) == SYS_ioctl));
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
		/* That is possible. */
		if (bad[i] == event)
			continue;
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

/* ---- Winsock's blocking calls ---- */

/* One call on sockets that make it wait, and what makes it end well. */
struct blocking {
	const char *name;
	int (*call)(struct caller *c);
	enum { STREAM, FULL, DATAGRAM, LISTENER, UNCONNECTED } kind;
	int result;		/* when it ends well */
};

static int call_recv(struct caller *c)
{
	char data[8];

	return wsock_recv(c->s, data, sizeof(data), 0);
}

static int call_recv_all(struct caller *c)
{
	char data[1];

	return wsock_recv(c->s, data, sizeof(data), MSG_WAITALL);
}

static int call_recvfrom(struct caller *c)
{
	struct sockaddr_in from;
	int len = sizeof(from);
	char data[8];

	return wsock_recvfrom(c->s, data, sizeof(data), 0, sa(&from), &len);
}

static int call_wsarecv(struct caller *c)
{
	char data[8];
	WSABUF buf = { .len = sizeof(data), .buf = data };
	DWORD n, flags = 0;

	return WSARecv(c->s, &buf, 1, &n, &flags, NULL, NULL);
}

static int call_send(struct caller *c)
{
	static const char data[1 << 20];

	return wsock_send(c->s, data, sizeof(data), 0);
}

static int call_accept(struct caller *c)
{
	SOCKET s = wsock_accept(c->s, NULL, NULL);

	return s == INVALID_SOCKET ? -1 : closesocket(s);
}

static int call_connect(struct caller *c)
{
	return wsock_connect(c->s, c->arg, sizeof(struct sockaddr_in));
}

static int call_select(struct caller *c)
{
	wsock_fd_set set = { .fd_count = 1, .fd_array = { c->s } };

	return wsock_select(0, &set, NULL, NULL, NULL);
}

static int call_poll(struct caller *c)
{
	WSAPOLLFD pfd = { .fd = c->s, .events = WSOCK_POLLRDNORM };

	return WSAPoll(&pfd, 1, -1);
}

static int call_wgor(struct caller *c)
{
	struct operation op;
	DWORD n, flags;

	if (start_recv(c->s, &op, NULL, 8) != WSA_IO_PENDING)
		return -1;
	return WSAGetOverlappedResult(c->s, &op.ov, &n, TRUE, &flags) ? (int)n : -1;
}

static const struct blocking calls[] = {
	{ "recv", call_recv, STREAM, 1 },
	{ "recv, MSG_WAITALL", call_recv_all, STREAM, 1 },
	{ "recvfrom", call_recvfrom, DATAGRAM, 1 },
	{ "WSARecv", call_wsarecv, STREAM, 0 },
	{ "send", call_send, FULL, 1 << 20 },
	{ "accept", call_accept, LISTENER, 0 },
	{ "connect", call_connect, UNCONNECTED, 0 },
	{ "select", call_select, STREAM, 1 },
	{ "WSAPoll", call_poll, STREAM, 1 },
	{ "WSAGetOverlappedResult", call_wgor, STREAM, 1 },
};

#define N_CALLS (sizeof(calls) / sizeof(calls[0]))

/* Sockets for one call; what is not used is -1. */
struct sockets {
	SOCKET s;
	int peer, filler;
	struct sockaddr_in sin;
};

static bool open_sockets(const struct blocking *b, struct sockets *k)
{
	k->peer = -1;
	k->filler = -1;
	switch (b->kind) {
	case STREAM:
		return !stream_pair(&k->s, &k->peer);
	case FULL:
		return !stream_pair(&k->s, &k->peer) && fill(k->s);
	case DATAGRAM:
		k->s = bound_socket(SOCK_DGRAM);
		break;
	case LISTENER:
		k->s = listening_socket();
		break;
	case UNCONNECTED:
		k->s = wsock_socket(AF_INET, SOCK_STREAM, 0);
		k->peer = full_listener(&k->filler);
		k->sin = loopback(local_port(k->peer));
		break;
	}
	return k->s != INVALID_SOCKET;
}

static void drain(int fd)
{
	char data[65536];

	while (poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, QUIET_MS) > 0 &&
	       read(fd, data, sizeof(data)) > 0)
		;
}

/* What the call waits for. */
static void satisfy(const struct blocking *b, struct sockets *k)
{
	switch (b->kind) {
	case STREAM:
		send(k->peer, "x", 1, 0);
		break;
	case FULL:
		drain(k->peer);
		break;
	case DATAGRAM:
		datagram_to(k->s, "x", 1);
		break;
	case LISTENER:
		k->peer = tcp_connect(local_port(k->s));
		break;
	case UNCONNECTED:
		close(accept(k->peer, NULL, NULL));
		break;
	}
}

static void close_sockets(struct sockets *k)
{
	closesocket(k->s);
	close(k->peer);
	close(k->filler);
}

/* The caller's thread: makes its handle, then the call, and says what ran. */
struct apc_caller {
	const struct blocking *call;
	struct caller c;
	HANDLE handle;
	int ran_before_end;
};

static int apc_call(struct caller *c)
{
	struct apc_caller *a = (struct apc_caller *)((char *)c - offsetof(struct apc_caller, c));
	HANDLE handle = own_handle();
	int result;

	__atomic_store_n(&a->handle, handle, __ATOMIC_RELEASE);
	result = a->call->call(c);
	a->ran_before_end = n_ran;
	return result;
}

static bool apc_caller_start(struct apc_caller *a, const struct blocking *b, struct sockets *k)
{
	*a = (struct apc_caller){ .call = b, .c = { .call = apc_call, .s = k->s, .arg = &k->sin } };
	return caller_start(&a->c) && wait_for(__atomic_load_n(&a->handle, __ATOMIC_ACQUIRE)) &&
	       wait_for(thread_syscall(a->c.tid) == SYS_ppoll ||
			thread_syscall(a->c.tid) == SYS_ioctl);
}

static void CALLBACK count_shared(ULONG_PTR data)
{
	note(data);
	__atomic_add_fetch((int *)data, 1, __ATOMIC_SEQ_CST);
}

/* It waits, runs each APC when it comes, and goes on waiting. */
TEST_F(apc, C__blocking_calls_run_apcs_while_they_wait)
{
	ASSERT_EQ(startup(), 0);
	for (size_t i = 0; i < N_CALLS; i++) {
		const struct blocking *b = &calls[i];
		struct apc_caller a;
		struct sockets k;
		int count = 0;

		ASSERT_TRUE(open_sockets(b, &k));
		ASSERT_TRUE(apc_caller_start(&a, b, &k));
		for (int n = 1; n <= 3; n++) {
			EXPECT_TRUE(QueueUserAPC(count_shared, a.handle, (ULONG_PTR)&count));
			EXPECT_TRUE(wait_for(__atomic_load_n(&count, __ATOMIC_SEQ_CST) == n))
				TH_LOG("%s", b->name);
		}
		EXPECT_FALSE(caller_done(&a.c)) TH_LOG("%s", b->name);
		satisfy(b, &k);
		ASSERT_TRUE(caller_join(&a.c)) TH_LOG("%s", b->name);
		EXPECT_EQ(a.c.result, b->result) TH_LOG("%s: %d", b->name, a.c.error);
		EXPECT_EQ(a.ran_before_end, 3);
		EXPECT_TRUE(CloseHandle(a.handle));
		closesocket(a.c.next_result);
		close_sockets(&k);
	}
	EXPECT_EQ(WSACleanup(), 0);
}

/* When it can answer at once, it runs none, and does what a non-blocking one does, too. */
TEST_F(apc, C__calls_that_need_not_wait_run_none)
{
	ASSERT_EQ(startup(), 0);
	EXPECT_TRUE(queue_to_self(1));
	for (size_t i = 0; i < 2 * N_CALLS; i++) {
		const struct blocking *b = &calls[i % N_CALLS];
		u_int nonblocking = i >= N_CALLS;
		struct caller c = { 0 };
		struct sockets k;

		if (b->call == call_wgor || b->kind == FULL ||
		    (nonblocking && b->kind == UNCONNECTED))
			continue;
		ASSERT_TRUE(open_sockets(b, &k));
		if (b->kind == UNCONNECTED) {
			close(k.peer);
			k.peer = tcp_listener();
			k.sin = loopback(local_port(k.peer));
		} else {
			satisfy(b, &k);
			ASSERT_TRUE(wait_for(poll(&(struct pollfd){ .fd = (int)k.s,
							.events = POLLIN }, 1, 0) == 1));
		}
		EXPECT_EQ(ioctlsocket(k.s, FIONBIO, &nonblocking), 0);
		c.s = k.s;
		c.arg = &k.sin;
		EXPECT_EQ(b->call(&c), b->result)
			TH_LOG("%s, non-blocking %u: %d", b->name, nonblocking, WSAGetLastError());
		EXPECT_EQ(n_ran, 0) TH_LOG("%s", b->name);
		close_sockets(&k);
	}
	EXPECT_EQ(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
	EXPECT_EQ(n_ran, 1);
	EXPECT_EQ(WSACleanup(), 0);
}

/* Nor does one that may not wait, whatever it finds. */
TEST_F(apc, C__calls_that_may_not_wait_run_none)
{
	struct timeval zero = { 0 };
	wsock_fd_set set;
	WSAPOLLFD pfd;
	char data[8];
	u_int on = 1;
	int peer;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	EXPECT_TRUE(queue_to_self(1));
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	EXPECT_EQ(wsock_send(s, "x", 1, 0), 1);
	set = (wsock_fd_set){ .fd_count = 1, .fd_array = { s } };
	EXPECT_EQ(wsock_select(0, &set, NULL, NULL, &zero), 0);
	pfd = (WSAPOLLFD){ .fd = s, .events = WSOCK_POLLRDNORM };
	EXPECT_EQ(WSAPoll(&pfd, 1, 0), 0);
	EXPECT_EQ(wsock_recv(s, data, sizeof(data), MSG_DONTWAIT), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAEWOULDBLOCK);
	EXPECT_EQ(ioctlsocket(s, FIONBIO, &on), 0);
	EXPECT_EQ(wsock_recv(s, data, sizeof(data), 0), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAEWOULDBLOCK);
	closesocket(s);
	close(peer);
	EXPECT_EQ(n_ran, 0);
	EXPECT_EQ(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
	EXPECT_EQ(WSACleanup(), 0);
}

/* C19: the final WSACleanup ends them, alertable or not. */
TEST_F(apc, C19__cleanup_ends_alertable_calls)
{
	for (size_t i = 0; i < N_CALLS; i++) {
		const struct blocking *b = &calls[i];
		struct apc_caller a;
		struct sockets k;

		ASSERT_EQ(startup(), 0);
		ASSERT_TRUE(open_sockets(b, &k));
		ASSERT_TRUE(apc_caller_start(&a, b, &k));
		EXPECT_EQ(WSACleanup(), 0);
		ASSERT_TRUE(caller_join(&a.c)) TH_LOG("%s", b->name);
		EXPECT_EQ(a.c.result, -1) TH_LOG("%s", b->name);
		EXPECT_EQ(a.c.error, b->call == call_wgor ? WSA_OPERATION_ABORTED : WSAEINTR)
			TH_LOG("%s", b->name);
		EXPECT_EQ(a.c.next_error, WSANOTINITIALISED);
		EXPECT_TRUE(CloseHandle(a.handle));
		close(k.peer);
		close(k.filler);
	}
}

TEST_F(apc, C__closesocket_ends_alertable_calls)
{
	ASSERT_EQ(startup(), 0);
	for (size_t i = 0; i < N_CALLS; i++) {
		const struct blocking *b = &calls[i];
		struct apc_caller a;
		struct sockets k;

		ASSERT_TRUE(open_sockets(b, &k));
		ASSERT_TRUE(apc_caller_start(&a, b, &k));
		EXPECT_EQ(closesocket(k.s), 0);
		ASSERT_TRUE(caller_join(&a.c)) TH_LOG("%s", b->name);
		if (b->call != call_select && b->call != call_poll) {
			EXPECT_EQ(a.c.result, -1) TH_LOG("%s", b->name);
			EXPECT_EQ(a.c.error, b->kind == STREAM || b->kind == FULL ?
						WSAECONNABORTED : WSAEINTR) TH_LOG("%s", b->name);
		} else {
			EXPECT_EQ(a.c.result, 1) TH_LOG("%s", b->name);
		}
		closesocket(a.c.next_result);
		EXPECT_TRUE(CloseHandle(a.handle));
		close(k.peer);
		close(k.filler);
	}
	EXPECT_EQ(WSACleanup(), 0);
}

static int apc_peer = -1;
static SOCKET apc_socket;

static void CALLBACK send_data(ULONG_PTR data)
{
	note(data);
	send(apc_peer, "hello", 5, 0);
}

static void CALLBACK clean_up(ULONG_PTR data)
{
	note((ULONG_PTR)WSACleanup());
}

static void CALLBACK close_it(ULONG_PTR data)
{
	note((ULONG_PTR)closesocket(apc_socket));
}

/* The APC makes happen what the call waits for. */
TEST_F(apc, C__apc_sends_the_data)
{
	char data[8];

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&apc_socket, &apc_peer), 0);
	EXPECT_TRUE(QueueUserAPC(send_data, GetCurrentThread(), 1));
	EXPECT_EQ(wsock_recv(apc_socket, data, sizeof(data), 0), 5);
	EXPECT_EQ(n_ran, 1);
	close(apc_peer);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(apc, C__apc_ends_the_call_itself)
{
	char data[8];

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&apc_socket, &apc_peer), 0);
	EXPECT_TRUE(QueueUserAPC(close_it, GetCurrentThread(), 1));
	EXPECT_EQ(wsock_recv(apc_socket, data, sizeof(data), 0), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAECONNABORTED);
	close(apc_peer);
	ASSERT_EQ(stream_pair(&apc_socket, &apc_peer), 0);
	EXPECT_TRUE(QueueUserAPC(clean_up, GetCurrentThread(), 1));
	EXPECT_EQ(wsock_recv(apc_socket, data, sizeof(data), 0), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAEINTR);
	EXPECT_EQ(n_ran, 2);
	EXPECT_EQ(ran[0], 0);
	EXPECT_EQ(ran[1], 0);
	close(apc_peer);
}

/* A routine of the time before a cleanup does not end the wait, nor prolong it. */
TEST_F(apc, C30__port_waits_on)
{
	WSAOVERLAPPED ov = { 0 };
	double begin;

	make_never();
	ASSERT_EQ(startup(), 0);
	EXPECT_TRUE(queue_to_self(1));
	EXPECT_EQ(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
	ASSERT_EQ(post_completion(&ov, 0, STATUS_SUCCESS), 0);
	EXPECT_EQ(WSACleanup(), 0);
	begin = now_ms();
	EXPECT_EQ(wait_port(QUIET_MS, TRUE), WAIT_TIMEOUT);
	EXPECT_GE(now_ms() - begin, QUIET_MS);
	EXPECT_EQ(routine_saw.count, 0);
}

/* Time-outs run on while APCs do. */
TEST_F(apc, C__timeouts_of_alertable_calls)
{
	struct timeval tv = { .tv_usec = 2 * QUIET_MS * 1000 };
	struct sockets k;
	wsock_fd_set set;
	WSAPOLLFD pfd;
	double begin;
	char data[8];

	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(open_sockets(&calls[0], &k));
	ASSERT_EQ(setsockopt(k.s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	EXPECT_TRUE(queue_to_self(1));
	begin = now_ms();
	EXPECT_EQ(wsock_recv(k.s, data, sizeof(data), 0), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAETIMEDOUT);
	EXPECT_GE(now_ms() - begin, 2 * QUIET_MS - 1);
	EXPECT_EQ(n_ran, 1);
	EXPECT_TRUE(queue_to_self(2));
	begin = now_ms();
	set = (wsock_fd_set){ .fd_count = 1, .fd_array = { k.s } };
	EXPECT_EQ(wsock_select(0, &set, NULL, NULL, &tv), 0);
	EXPECT_GE(now_ms() - begin, 2 * QUIET_MS);
	EXPECT_EQ(n_ran, 2);
	EXPECT_TRUE(queue_to_self(3));
	begin = now_ms();
	pfd = (WSAPOLLFD){ .fd = k.s, .events = WSOCK_POLLRDNORM };
	EXPECT_EQ(WSAPoll(&pfd, 1, 2 * QUIET_MS), 0);
	EXPECT_GE(now_ms() - begin, 2 * QUIET_MS);
	EXPECT_EQ(n_ran, 3);
	close_sockets(&k);

	/* connect, too, and the socket is a blocking one afterwards. */
	ASSERT_TRUE(open_sockets(&calls[6], &k));
	ASSERT_EQ(setsockopt(k.s, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)), 0);
	EXPECT_TRUE(queue_to_self(4));
	begin = now_ms();
	EXPECT_EQ(wsock_connect(k.s, sa(&k.sin), sizeof(k.sin)), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAETIMEDOUT);
	EXPECT_GE(now_ms() - begin, 2 * QUIET_MS - 1);
	EXPECT_EQ(n_ran, 4);
	EXPECT_EQ(fcntl(k.s, F_GETFL) & O_NONBLOCK, 0);
	close_sockets(&k);
	EXPECT_EQ(WSACleanup(), 0);
}

/* More sockets than have room on the stack, and the queue behind them. */
TEST_F(apc, C__select_and_poll_of_many)
{
	enum { MANY = 300 };
	struct {
		u_int count;
		SOCKET array[MANY];
	} set;
	struct timeval tv = { .tv_usec = QUIET_MS * 1000 };
	WSAPOLLFD pfds[MANY];
	const int sizes[] = { 1, 255, 256, 257, MANY };
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_DGRAM);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		n_ran = 0;
		set.count = sizes[i];
		for (int j = 0; j < sizes[i]; j++) {
			set.array[j] = s;
			pfds[j] = (WSAPOLLFD){ .fd = s, .events = WSOCK_POLLRDNORM };
		}
		EXPECT_TRUE(queue_to_self(1));
		EXPECT_EQ(wsock_select(0, (wsock_fd_set *)&set, NULL, NULL, &tv), 0);
		EXPECT_EQ(n_ran, 1);
		EXPECT_TRUE(queue_to_self(1));
		EXPECT_EQ(WSAPoll(pfds, sizes[i], QUIET_MS), 0);
		EXPECT_EQ(n_ran, 2);
	}
	EXPECT_EQ(WSACleanup(), 0);
}

/* GetOverlappedResult is kernel32's and not alertable. */
static void *send_later(void *arg)
{
	nanosleep(&(struct timespec){ .tv_nsec = QUIET_MS * 1000000 }, NULL);
	return (void *)send(apc_peer, "x", 1, 0);
}

TEST_F(apc, D4__GetOverlappedResult_runs_none)
{
	struct operation op;
	pthread_t thread;
	DWORD n;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&apc_socket, &apc_peer), 0);
	EXPECT_TRUE(queue_to_self(1));
	EXPECT_EQ(start_recv(apc_socket, &op, NULL, 8), WSA_IO_PENDING);
	ASSERT_EQ(pthread_create(&thread, NULL, send_later, NULL), 0);
	EXPECT_TRUE(GetOverlappedResult((HANDLE)apc_socket, &op.ov, &n, TRUE));
	EXPECT_EQ(n, 1);
	EXPECT_EQ(n_ran, 0);
	pthread_join(thread, NULL);
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
	close(apc_peer);
}

TEST_F(apc, D4__GetOverlappedResultEx)
{
	struct operation op;
	pthread_t thread;
	int64_t begin;
	DWORD n = 4711;

#define RESULT(ms, alertable) \
	GetOverlappedResultEx((HANDLE)apc_socket, &op.ov, &n, ms, alertable)
	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&apc_socket, &apc_peer), 0);
	EXPECT_TRUE(queue_to_self(1));
	EXPECT_EQ(start_recv(apc_socket, &op, NULL, 8), WSA_IO_PENDING);
	/* Who has no time runs no APC, nor who is not alertable. */
	EXPECT_FALSE(RESULT(0, TRUE));
	EXPECT_EQ(GetLastError(), ERROR_IO_INCOMPLETE);
	begin = now_ms();
	EXPECT_FALSE(RESULT(QUIET_MS, FALSE));
	EXPECT_EQ(GetLastError(), WAIT_TIMEOUT);
	EXPECT_GE(now_ms() - begin, QUIET_MS);
	EXPECT_EQ(n_ran, 0);
	EXPECT_FALSE(RESULT(INFINITE, TRUE));
	EXPECT_EQ(GetLastError(), WAIT_IO_COMPLETION);
	EXPECT_EQ(n_ran, 1);
	begin = now_ms();
	EXPECT_FALSE(RESULT(QUIET_MS, TRUE));
	EXPECT_EQ(GetLastError(), WAIT_TIMEOUT);
	EXPECT_GE(now_ms() - begin, QUIET_MS);
	EXPECT_EQ(n, 4711);
	ASSERT_EQ(pthread_create(&thread, NULL, send_later, NULL), 0);
	EXPECT_TRUE(RESULT(TIMEOUT_MS, TRUE));
	EXPECT_EQ(n, 1);
	pthread_join(thread, NULL);
	/* An operation that has ended comes before APCs. */
	EXPECT_TRUE(queue_to_self(2));
	EXPECT_TRUE(RESULT(INFINITE, TRUE));
	EXPECT_EQ(n_ran, 1);
	EXPECT_EQ(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
	EXPECT_FALSE(GetOverlappedResultEx((HANDLE)apc_socket, NULL, &n, 0, FALSE));
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	EXPECT_EQ(WSACleanup(), 0);
	close(apc_peer);
}

TEST_HARNESS_MAIN
