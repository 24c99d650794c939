// SPDX-License-Identifier: GPL-2.0
/*
 * Completion ports as a Windows program sees them, as far as that goes without
 * sockets. The rules for packets and threads are tried in test_ports.
 */
#include "winsock.h"
#include "kselftest_harness.h"

/* internal.h's, in the static library. */
int wsock_port_decode(HANDLE port);
bool wsock_port_close(int fd);

static bool close_port(HANDLE port)
{
	return wsock_port_close(wsock_port_decode(port));
}

static DWORD get_error(HANDLE port, DWORD ms)
{
	struct taken r = take_packet(port, ms);

	return is_none(r, r.error) ? r.error : 0;
}

WINSOCK_FIXTURE(ports);

TEST_F(ports, B7__no_startup)
{
	HANDLE port = new_port(0);
	OVERLAPPED ov;
	struct taken r;

	ASSERT_NE(port, NULL);
	EXPECT_EQ((ULONG_PTR)port >> 32, 0);
	EXPECT_EQ((ULONG_PTR)port & 3, 0);
	EXPECT_EQ(wsock_event_fd(port), -1);
	EXPECT_TRUE(PostQueuedCompletionStatus(port, 12, 34, &ov));
	r = take_packet(port, INFINITE);
	EXPECT_TRUE(r.ret);
	EXPECT_EQ(r.bytes, 12);
	EXPECT_EQ(r.key, 34);
	EXPECT_EQ(r.ov, &ov);
	EXPECT_EQ(r.error, 4711);
	EXPECT_TRUE(close_port(port));
}

TEST_F(ports, D5__outlives_cleanup)
{
	HANDLE port;
	struct taken r;

	ASSERT_EQ(startup(), 0);
	port = new_port(UNLIMITED);
	EXPECT_TRUE(PostQueuedCompletionStatus(port, 1, 2, NULL));
	ASSERT_EQ(WSACleanup(), 0);
	r = take_packet(port, 0);
	EXPECT_TRUE(r.ret);
	EXPECT_EQ(r.bytes, 1);
	EXPECT_EQ(r.key, 2);
	EXPECT_EQ(r.ov, NULL);
	EXPECT_TRUE(PostQueuedCompletionStatus(port, 1, 2, NULL));
	EXPECT_TRUE(take_packet(port, 0).ret);
	EXPECT_TRUE(close_port(port));
}

TEST_F(ports, D5__timeout)
{
	HANDLE port = new_port(0);
	double since = now_ms();

	EXPECT_TRUE(is_none(take_packet(port, 0), WAIT_TIMEOUT));
	EXPECT_TRUE(is_none(take_packet(port, 30), WAIT_TIMEOUT));
	EXPECT_GE(now_ms() - since, 30);
	EXPECT_LT(now_ms() - since, TIMEOUT_MS / 2);
	EXPECT_TRUE(close_port(port));
}

/* Packets of operations that failed, which only the kernel can make. */
static bool queue_status(HANDLE port, uint32_t status)
{
	struct wsock_packet p = { .key = 1, .ov = 8, .internal = status, .bytes = 3 };

	return !ioctl(wsock_port_decode(port), WSOCK_PORT_IOC_POST, &p);
}

TEST_F(ports, D5__failed_operations)
{
	static const struct {
		uint32_t status;
		DWORD error;
	} rows[] = {
		{ STATUS_CANCELLED, ERROR_OPERATION_ABORTED },
		{ STATUS_CONNECTION_RESET, ERROR_NETNAME_DELETED },
		{ STATUS_CONNECTION_ABORTED, ERROR_CONNECTION_ABORTED },
		{ STATUS_BUFFER_OVERFLOW, ERROR_MORE_DATA },
		{ STATUS_SUCCESS, 0 },
	};
	HANDLE port = new_port(0);
	OVERLAPPED_ENTRY entry;
	struct taken r;
	ULONG n;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ASSERT_TRUE(queue_status(port, rows[i].status));
		r = take_packet(port, 0);
		EXPECT_EQ(r.ret, !rows[i].error);
		EXPECT_EQ(r.error, rows[i].error ?: 4711);
		EXPECT_EQ(r.key, 1);
		EXPECT_EQ(r.bytes, 3);
		EXPECT_EQ((uintptr_t)r.ov, 8);
		/* Ex tells what happened to the operation by its status only. */
		ASSERT_TRUE(queue_status(port, rows[i].status));
		SetLastError(4711);
		EXPECT_TRUE(GetQueuedCompletionStatusEx(port, &entry, 1, &n, 0, FALSE));
		EXPECT_EQ(GetLastError(), 4711);
		EXPECT_EQ(n, 1);
		EXPECT_EQ(entry.Internal, rows[i].status);
	}
	EXPECT_TRUE(close_port(port));
}

TEST_F(ports, D5__several_packets)
{
	HANDLE port = new_port(0);
	OVERLAPPED_ENTRY entries[4];
	ULONG n;

	memset(entries, POISON, sizeof(entries));
	for (int i = 0; i < 3; i++)
		EXPECT_TRUE(PostQueuedCompletionStatus(port, i, i + 10, (void *)(long)(i + 20)));
	n = 77;
	EXPECT_TRUE(GetQueuedCompletionStatusEx(port, entries, 2, &n, INFINITE, FALSE));
	EXPECT_EQ(n, 2);
	EXPECT_EQ(entries[1].lpCompletionKey, 11);
	EXPECT_EQ((long)entries[1].lpOverlapped, 21);
	EXPECT_EQ(entries[1].dwNumberOfBytesTransferred, 1);
	EXPECT_EQ(entries[1].Internal, STATUS_SUCCESS);
	EXPECT_EQ(entries[2].lpCompletionKey, POISON_LONG);
	/* More than one call of the kernel takes. */
	EXPECT_TRUE(GetQueuedCompletionStatusEx(port, entries, 100000, &n, 0, TRUE));
	EXPECT_EQ(n, 1);
	EXPECT_EQ(entries[0].lpCompletionKey, 12);
	EXPECT_FALSE(GetQueuedCompletionStatusEx(port, entries, 4, &n, 0, FALSE));
	EXPECT_EQ(GetLastError(), WAIT_TIMEOUT);
	EXPECT_EQ(n, 0);
	EXPECT_TRUE(close_port(port));
}

TEST_F(ports, F9__bad_arguments)
{
	HANDLE port = new_port(0), event = WSACreateEvent();
	HANDLE bad[] = { NULL, INVALID_HANDLE_VALUE, event, (HANDLE)0x60000004,
			 (HANDLE)0x6ffffff0, (HANDLE)((uintptr_t)port | 1),
			 (HANDLE)((uintptr_t)port | 1ull << 32),
			 (HANDLE)(long)wsock_port_decode(port) };
	OVERLAPPED_ENTRY entry;
	LPOVERLAPPED ov;
	ULONG_PTR key;
	DWORD bytes;
	ULONG n;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_TRUE(is_none(take_packet(bad[i], INFINITE), ERROR_INVALID_HANDLE))
			TH_LOG("handle %p", bad[i]);
		EXPECT_FALSE(PostQueuedCompletionStatus(bad[i], 0, 0, NULL));
		EXPECT_EQ(GetLastError(), ERROR_INVALID_HANDLE);
	}
	EXPECT_TRUE(PostQueuedCompletionStatus(port, 0, 5, NULL));
	EXPECT_FALSE(GetQueuedCompletionStatus(port, NULL, &key, &ov, 0));
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	EXPECT_FALSE(GetQueuedCompletionStatus(port, &bytes, NULL, &ov, 0));
	EXPECT_FALSE(GetQueuedCompletionStatus(port, &bytes, &key, NULL, 0));
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	EXPECT_FALSE(GetQueuedCompletionStatusEx(port, NULL, 1, &n, 0, FALSE));
	EXPECT_FALSE(GetQueuedCompletionStatusEx(port, &entry, 1, NULL, 0, FALSE));
	EXPECT_FALSE(GetQueuedCompletionStatusEx(port, &entry, 0, &n, 0, FALSE));
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	EXPECT_FALSE(GetQueuedCompletionStatusEx(port, (void *)64, 1, &n, 0, FALSE));
	EXPECT_EQ(GetLastError(), ERROR_NOACCESS);
	EXPECT_EQ(take_packet(port, 0).key, 5);

	EXPECT_EQ(CreateIoCompletionPort(INVALID_HANDLE_VALUE, port, 0, 0), NULL);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	EXPECT_TRUE(close_port(port));
	EXPECT_TRUE(WSACloseEvent(event));
}

TEST_F(ports, F9__full)
{
	HANDLE port = new_port(0);

	set_param("max_operations", "1");
	EXPECT_TRUE(PostQueuedCompletionStatus(port, 0, 1, NULL));
	EXPECT_FALSE(PostQueuedCompletionStatus(port, 0, 2, NULL));
	EXPECT_EQ(GetLastError(), ERROR_NO_SYSTEM_RESOURCES);
	set_param("max_operations", "1048576");
	EXPECT_TRUE(close_port(port));
}

struct getter {
	HANDLE port;
	DWORD ms;
	struct taken r;
	pthread_t thread;
};

static void *getter_main(void *arg)
{
	struct getter *g = arg;

	g->r = take_packet(g->port, g->ms);
	return NULL;
}

static bool getter_waits(struct getter *g)
{
	return !pthread_create(&g->thread, NULL, getter_main, g) &&
	       wait_for(fdinfo(wsock_port_decode(g->port), "waiters") == 1);
}

TEST_F(ports, C__closed_under_a_waiter)
{
	struct getter g = { .port = new_port(0), .ms = INFINITE };

	ASSERT_TRUE(getter_waits(&g));
	EXPECT_TRUE(close_port(g.port));
	pthread_join(g.thread, NULL);
	EXPECT_TRUE(is_none(g.r, ERROR_ABANDONED_WAIT_0));
	EXPECT_EQ(get_error(g.port, 0), ERROR_INVALID_HANDLE);
	EXPECT_FALSE(PostQueuedCompletionStatus(g.port, 0, 0, NULL));
	EXPECT_EQ(GetLastError(), ERROR_INVALID_HANDLE);
	EXPECT_FALSE(close_port(g.port));
}

static void on_signal(int sig)
{
}

/* A Unix signal is none of Winsock's business. */
TEST_F(ports, A0__signals_are_not_seen)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct getter g = { .port = new_port(0), .ms = 200 };
	double since = now_ms();

	sigaction(SIGUSR1, &sa, NULL);
	ASSERT_TRUE(getter_waits(&g));
	for (int i = 0; i < 10; i++) {
		pthread_kill(g.thread, SIGUSR1);
		usleep(5000);
	}
	pthread_join(g.thread, NULL);
	EXPECT_TRUE(is_none(g.r, WAIT_TIMEOUT));
	EXPECT_GE(now_ms() - since, 200);
	EXPECT_LT(now_ms() - since, 2000);
	g.ms = INFINITE;
	ASSERT_TRUE(getter_waits(&g));
	for (int i = 0; i < 10; i++) {
		pthread_kill(g.thread, SIGUSR1);
		usleep(1000);
	}
	EXPECT_TRUE(PostQueuedCompletionStatus(g.port, 0, 9, NULL));
	pthread_join(g.thread, NULL);
	EXPECT_EQ(g.r.key, 9);
	EXPECT_TRUE(close_port(g.port));
}

/* A child has a device and ports of its own. */
TEST_F(ports, H13__fork)
{
	HANDLE port = new_port(0);
	pid_t pid;

	EXPECT_TRUE(PostQueuedCompletionStatus(port, 0, 1, NULL));
	pid = fork();
	if (!pid) {
		HANDLE own;

		if (get_error(port, 0) != ERROR_INVALID_HANDLE)
			_exit(1);
		if (PostQueuedCompletionStatus(port, 0, 0, NULL))
			_exit(2);
		own = new_port(1);
		if (!own || !PostQueuedCompletionStatus(own, 0, 3, NULL) ||
		    take_packet(own, 0).key != 3)
			_exit(3);
		close_port(port);
		_exit(0);
	}
	EXPECT_EQ(child_status(pid), 0);
	EXPECT_EQ(take_packet(port, 0).key, 1);
	EXPECT_TRUE(close_port(port));
}

/* The usual shape of a server's pool: each job done once, then all told to go. */
#define WORKERS 4
#define JOBS 2000

struct pool {
	HANDLE port;
	unsigned int done[JOBS];
};

static void *pool_main(void *arg)
{
	struct pool *pool = arg;
	LPOVERLAPPED ov;
	ULONG_PTR key;
	DWORD bytes;

	while (GetQueuedCompletionStatus(pool->port, &bytes, &key, &ov, INFINITE)) {
		if (!key)
			return NULL;
		__atomic_fetch_add(&pool->done[bytes], 1, __ATOMIC_RELAXED);
		if (!(bytes % 16))
			sched_yield();
	}
	return (void *)1;
}

TEST_F(ports, D5__pool_of_threads)
{
	struct pool pool = { .port = new_port(2) };
	pthread_t threads[WORKERS];
	unsigned int wrong = 0;
	void *failed;

	for (int i = 0; i < WORKERS; i++)
		pthread_create(&threads[i], NULL, pool_main, &pool);
	for (int i = 0; i < JOBS; i++)
		EXPECT_TRUE(PostQueuedCompletionStatus(pool.port, i, 1, NULL));
	for (int i = 0; i < WORKERS; i++)
		EXPECT_TRUE(PostQueuedCompletionStatus(pool.port, 0, 0, NULL));
	for (int i = 0; i < WORKERS; i++) {
		pthread_join(threads[i], &failed);
		EXPECT_EQ(failed, NULL);
	}
	for (int i = 0; i < JOBS; i++)
		wrong += pool.done[i] != 1;
	EXPECT_EQ(wrong, 0);
	EXPECT_TRUE(close_port(pool.port));
}

static int without_device(void)
{
	if (rename("/dev/wsock", "/dev/wsock.hidden"))
		return -1;
	if (new_port(0))
		return -2;
	return GetLastError();
}

TEST_F(ports, F9__no_module)
{
	pid_t pid = fork();

	if (!pid)
		_exit(without_device());
	EXPECT_EQ(child_status(pid), ERROR_FILE_NOT_FOUND);
	EXPECT_EQ(rename("/dev/wsock.hidden", "/dev/wsock"), 0);
}

TEST_HARNESS_MAIN
