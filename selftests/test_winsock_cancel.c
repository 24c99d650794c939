// SPDX-License-Identifier: GPL-2.0
/*
 * What the final WSACleanup does to calls that wait and to overlapped
 * operations (C18, C19, C23-C26, C28, C29, C31, H2, H4, H6, H8, H11, H22); and
 * closesocket to calls of other threads (table C).
 */
#include <net/if.h>
#include <linux/sockios.h>

#include "winsock.h"
#include "kselftest_harness.h"

/* ---- Calls that wait ---- */

/* What a thread does, on which kind of socket, and where it sleeps then. */
struct blocking {
	int (*call)(struct caller *c);
	enum { LISTENER, UNCONNECTED, STREAM, DATAGRAM } kind;
	long syscall;
	int error;		/* if not WSAEINTR */
	bool wgor;		/* WSAGetOverlappedResult: FALSE is its failure */
};

static char big[16 << 20];

static int call_accept(struct caller *c)
{
	return (int)wsock_accept(c->s, NULL, NULL);
}

static int call_connect(struct caller *c)
{
	return wsock_connect(c->s, c->arg, sizeof(struct sockaddr_in));
}

static int call_recv(struct caller *c)
{
	char data[16];

	return wsock_recv(c->s, data, sizeof(data), 0);
}

static int call_recv_all(struct caller *c)
{
	char data[16];

	return wsock_recv(c->s, data, sizeof(data), MSG_WAITALL);
}

static int call_recvfrom(struct caller *c)
{
	struct sockaddr_in sin;
	int len = sizeof(sin);
	char data[16];

	return wsock_recvfrom(c->s, data, sizeof(data), 0, sa(&sin), &len);
}

static int call_send(struct caller *c)
{
	return wsock_send(c->s, big, sizeof(big), 0);
}

static int call_sendto(struct caller *c)
{
	struct sockaddr_in sin = loopback(9);

	return wsock_sendto(c->s, big, sizeof(big), 0, sa(&sin), sizeof(sin));
}

static int call_select(struct caller *c)
{
	wsock_fd_set read = { .fd_count = 1, .fd_array = { c->s } }, except = read;
	int ret = wsock_select(0, &read, NULL, &except, NULL);

	/* H6: the sets stay as they are. */
	return read.fd_count == 1 && read.fd_array[0] == c->s && except.fd_count == 1 ?
	       ret : 77;
}

static int call_wsapoll(struct caller *c)
{
	WSAPOLLFD pfd = { .fd = c->s, .events = WSOCK_POLLRDNORM };

	return WSAPoll(&pfd, 1, -1);
}

static int call_wsarecv(struct caller *c)
{
	char data[16];
	WSABUF buf = { .len = sizeof(data), .buf = data };
	DWORD n, flags = 0;

	return WSARecv(c->s, &buf, 1, &n, &flags, NULL, NULL);
}

static int call_wsarecvfrom(struct caller *c)
{
	char data[16];
	WSABUF buf = { .len = sizeof(data), .buf = data };
	struct sockaddr_in sin;
	int len = sizeof(sin);
	DWORD n, flags = 0;

	return WSARecvFrom(c->s, &buf, 1, &n, &flags, sa(&sin), &len, NULL, NULL);
}

static int call_wsasend(struct caller *c)
{
	WSABUF buf = { .len = sizeof(big), .buf = big };
	DWORD n;

	return WSASend(c->s, &buf, 1, &n, 0, NULL, NULL);
}

static int call_wgor(struct caller *c)
{
	struct operation op;
	DWORD n, flags;

	if (start_recv(c->s, &op, NULL, 16) != WSA_IO_PENDING)
		return 77;
	return WSAGetOverlappedResult(c->s, &op.ov, &n, TRUE, &flags);
}

static int call_wgor_event(struct caller *c)
{
	WSAEVENT event = WSACreateEvent();
	struct operation op;
	DWORD n, flags;
	BOOL ret;

	if (start_recv(c->s, &op, event, 16) != WSA_IO_PENDING)
		return 77;
	ret = WSAGetOverlappedResult(c->s, &op.ov, &n, TRUE, &flags);
	return signalled(event) ? 78 : ret;
}

static const struct blocking calls[] = {
	{ call_accept, LISTENER, SYS_accept4 },
	{ call_connect, UNCONNECTED, SYS_connect },
	{ call_recv, STREAM, SYS_recvmsg },
	{ call_recv_all, STREAM, SYS_recvmsg },
	{ call_recv, DATAGRAM, SYS_recvmsg },
	{ call_recvfrom, DATAGRAM, SYS_recvmsg },
	{ call_send, STREAM, SYS_sendmsg },
	{ call_sendto, STREAM, SYS_sendmsg },
	{ call_select, LISTENER, SYS_ppoll },
	{ call_select, STREAM, SYS_ppoll },
	{ call_select, DATAGRAM, SYS_ppoll },
	{ call_wsapoll, LISTENER, SYS_ppoll },
	{ call_wsapoll, STREAM, SYS_ppoll },
	{ call_wsapoll, DATAGRAM, SYS_ppoll },
	{ call_wsarecv, STREAM, SYS_recvmsg },
	{ call_wsarecvfrom, DATAGRAM, SYS_recvmsg },
	{ call_wsasend, STREAM, SYS_sendmsg },
	{ call_wgor, STREAM, SYS_ioctl, WSA_OPERATION_ABORTED, true },
	{ call_wgor, DATAGRAM, SYS_ioctl, WSA_OPERATION_ABORTED, true },
	{ call_wgor_event, STREAM, SYS_ioctl, WSA_OPERATION_ABORTED, true },
};

#define N_CALLS ((int)(sizeof(calls) / sizeof(calls[0])))

/* A thread in call @b. @full: a full listener, for those that connect. */
static bool start_blocked(struct caller *c, const struct blocking *b,
			  struct sockaddr_in *full)
{
	int peer;

	memset(c, 0, sizeof(*c));
	c->call = b->call;
	c->arg = full;
	switch (b->kind) {
	case LISTENER:
		c->s = listening_socket();
		break;
	case UNCONNECTED:
		c->s = wsock_socket(AF_INET, SOCK_STREAM, 0);
		break;
	case STREAM:
		if (stream_pair(&c->s, &peer))
			return false;
		break;
	case DATAGRAM:
		c->s = bound_socket(SOCK_DGRAM);
		break;
	}
	return c->s != INVALID_SOCKET && caller_start(c) && caller_blocked(c, b->syscall);
}

static void expect_cancelled(struct __test_metadata *_metadata, struct caller *c,
			     const struct blocking *b, double end, const char *name)
{
	ASSERT_TRUE(caller_join(c)) TH_LOG("%s does not return", name);
	EXPECT_EQ(c->result, b->wgor ? FALSE : SOCKET_ERROR) TH_LOG("%s", name);
	EXPECT_EQ(c->error, b->error ?: WSAEINTR) TH_LOG("%s", name);
	EXPECT_LT(c->returned - end, 1000) TH_LOG("%s", name);
	EXPECT_EQ(c->next_result, -1) TH_LOG("%s", name);
	EXPECT_EQ(c->next_error, WSANOTINITIALISED) TH_LOG("%s", name);
}

FIXTURE(blocked)
{
	int unused;
};

FIXTURE_VARIANT(blocked)
{
	struct blocking call;
};

FIXTURE_SETUP(blocked)
{
}

FIXTURE_TEARDOWN_PARENT(blocked)
{
	EXPECT_TRUE(counters_zero());
}

#define BLOCKED(name, ...) FIXTURE_VARIANT_ADD(blocked, name) { .call = { __VA_ARGS__ } }

BLOCKED(accept, call_accept, LISTENER, SYS_accept4);
BLOCKED(connect, call_connect, UNCONNECTED, SYS_connect);
BLOCKED(recv_stream, call_recv, STREAM, SYS_recvmsg);
BLOCKED(recv_waitall, call_recv_all, STREAM, SYS_recvmsg);
BLOCKED(recv_datagram, call_recv, DATAGRAM, SYS_recvmsg);
BLOCKED(recvfrom, call_recvfrom, DATAGRAM, SYS_recvmsg);
BLOCKED(send, call_send, STREAM, SYS_sendmsg);
BLOCKED(sendto, call_sendto, STREAM, SYS_sendmsg);
BLOCKED(select_listener, call_select, LISTENER, SYS_ppoll);
BLOCKED(select_stream, call_select, STREAM, SYS_ppoll);
BLOCKED(select_datagram, call_select, DATAGRAM, SYS_ppoll);
BLOCKED(WSAPoll_listener, call_wsapoll, LISTENER, SYS_ppoll);
BLOCKED(WSAPoll_stream, call_wsapoll, STREAM, SYS_ppoll);
BLOCKED(WSAPoll_datagram, call_wsapoll, DATAGRAM, SYS_ppoll);
BLOCKED(WSARecv, call_wsarecv, STREAM, SYS_recvmsg);
BLOCKED(WSARecvFrom, call_wsarecvfrom, DATAGRAM, SYS_recvmsg);
BLOCKED(WSASend, call_wsasend, STREAM, SYS_sendmsg);
BLOCKED(WSAGetOverlappedResult, call_wgor, STREAM, SYS_ioctl, WSA_OPERATION_ABORTED, true);
BLOCKED(WSAGetOverlappedResult_event, call_wgor_event, STREAM, SYS_ioctl,
	WSA_OPERATION_ABORTED, true);

TEST_F(blocked, C19__blocking_call_is_cancelled)
{
	struct sockaddr_in full;
	int filler, l = full_listener(&filler);
	struct caller c;
	double end;

	ASSERT_GE(l, 0);
	full = loopback(local_port(l));
	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(start_blocked(&c, &variant->call, &full));
	ASSERT_EQ(WSACleanup(), 0);
	end = now_ms();
	expect_cancelled(_metadata, &c, &variant->call, end, "it");
	EXPECT_TRUE(holds_nothing());
}

WINSOCK_FIXTURE(cancel);

TEST_F(cancel, C19__all_blocked_calls_at_once)
{
	struct sockaddr_in full;
	int filler, l = full_listener(&filler);
	struct caller c[N_CALLS];
	char name[32];
	double end;

	ASSERT_GE(l, 0);
	full = loopback(local_port(l));
	ASSERT_EQ(startup(), 0);
	for (int i = 0; i < N_CALLS; i++) {
		ASSERT_TRUE(start_blocked(&c[i], &calls[i], &full)) TH_LOG("call %d", i);
	}
	ASSERT_EQ(WSACleanup(), 0);
	end = now_ms();
	for (int i = 0; i < N_CALLS; i++) {
		snprintf(name, sizeof(name), "call %d", i);
		expect_cancelled(_metadata, &c[i], &calls[i], end, name);
	}
	EXPECT_TRUE(holds_nothing());
}

/* All threads that wait for one socket, not just the first of them. */
TEST_F(cancel, C19__many_threads_in_one_socket)
{
	static const struct blocking kinds[] = {
		{ call_accept, LISTENER, SYS_accept4 },
		{ call_recv, STREAM, SYS_recvmsg },
		{ call_recvfrom, DATAGRAM, SYS_recvmsg },
		{ call_send, STREAM, SYS_sendmsg },
		{ call_select, DATAGRAM, SYS_ppoll },
	};
	struct caller c[5][4];
	double end;

	ASSERT_EQ(startup(), 0);
	for (int i = 0; i < 5; i++) {
		ASSERT_TRUE(start_blocked(&c[i][0], &kinds[i], NULL));
		for (int j = 1; j < 4; j++) {
			c[i][j] = (struct caller){ .call = kinds[i].call, .s = c[i][0].s };
			ASSERT_TRUE(caller_start(&c[i][j]));
			ASSERT_TRUE(caller_blocked(&c[i][j], kinds[i].syscall));
		}
	}
	ASSERT_EQ(WSACleanup(), 0);
	end = now_ms();
	for (int i = 0; i < 5; i++) {
		for (int j = 0; j < 4; j++)
			expect_cancelled(_metadata, &c[i][j], &kinds[i], end, "one of them");
	}
}

/* A new registration, at once, does not make up for what was cancelled. */
TEST_F(cancel, C19__cancelled_also_with_a_startup_right_after)
{
	static const struct blocking b = { call_recv, STREAM, SYS_recvmsg };
	struct caller c;

	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(start_blocked(&c, &b, NULL));
	ASSERT_EQ(WSACleanup(), 0);
	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(caller_join(&c));
	EXPECT_EQ(c.result, SOCKET_ERROR);
	EXPECT_EQ(c.error, WSAEINTR);
	EXPECT_EQ(WSACleanup(), 0);
}

/*
 * What closesocket in another thread makes of a call (C.i): its result, and its
 * error if that is a failure.
 */
#define CLOSED(name, result_, error_, ...)				\
	FIXTURE_VARIANT_ADD(closed, name) {				\
		.call = { __VA_ARGS__ }, .result = result_, .error = error_ }

FIXTURE(closed)
{
	int unused;
};

FIXTURE_VARIANT(closed)
{
	struct blocking call;
	int result, error;
};

FIXTURE_SETUP(closed)
{
}

FIXTURE_TEARDOWN_PARENT(closed)
{
	EXPECT_TRUE(counters_zero());
}

/* H7: it is found readable. */
static int call_select_closed(struct caller *c)
{
	wsock_fd_set read = { .fd_count = 1, .fd_array = { c->s } }, except = read;
	int ret = wsock_select(0, &read, NULL, &except, NULL);

	return read.fd_count == 1 && read.fd_array[0] == c->s ? ret : 77;
}

static int call_select_except(struct caller *c)
{
	wsock_fd_set except = { .fd_count = 1, .fd_array = { c->s } };

	return wsock_select(0, NULL, NULL, &except, NULL);
}

static int call_wsapoll_closed(struct caller *c)
{
	WSAPOLLFD pfd = { .fd = c->s, .events = WSOCK_POLLRDNORM };
	int ret = WSAPoll(&pfd, 1, -1);

	return pfd.revents == WSOCK_POLLNVAL ? ret : 77;
}

CLOSED(accept, -1, WSAEINTR, call_accept, LISTENER, SYS_accept4);
CLOSED(connect, -1, WSAEINTR, call_connect, UNCONNECTED, SYS_connect);
CLOSED(recv_stream, -1, WSAECONNABORTED, call_recv, STREAM, SYS_recvmsg);
CLOSED(recv_waitall, -1, WSAECONNABORTED, call_recv_all, STREAM, SYS_recvmsg);
CLOSED(recv_datagram, -1, WSAEINTR, call_recv, DATAGRAM, SYS_recvmsg);
CLOSED(recvfrom, -1, WSAEINTR, call_recvfrom, DATAGRAM, SYS_recvmsg);
CLOSED(send, -1, WSAECONNABORTED, call_send, STREAM, SYS_sendmsg);
CLOSED(sendto, -1, WSAECONNABORTED, call_sendto, STREAM, SYS_sendmsg);
CLOSED(WSARecv, -1, WSAECONNABORTED, call_wsarecv, STREAM, SYS_recvmsg);
CLOSED(WSARecvFrom, -1, WSAEINTR, call_wsarecvfrom, DATAGRAM, SYS_recvmsg);
CLOSED(WSASend, -1, WSAECONNABORTED, call_wsasend, STREAM, SYS_sendmsg);
CLOSED(select_listener, 1, 0, call_select_closed, LISTENER, SYS_ppoll);
CLOSED(select_stream, 1, 0, call_select_closed, STREAM, SYS_ppoll);
CLOSED(select_datagram, 1, 0, call_select_closed, DATAGRAM, SYS_ppoll);
CLOSED(select_except, -1, WSAENOTSOCK, call_select_except, STREAM, SYS_ppoll);
CLOSED(WSAPoll_listener, 1, 0, call_wsapoll_closed, LISTENER, SYS_ppoll);
CLOSED(WSAPoll_stream, 1, 0, call_wsapoll_closed, STREAM, SYS_ppoll);
CLOSED(WSAPoll_datagram, 1, 0, call_wsapoll_closed, DATAGRAM, SYS_ppoll);
CLOSED(WSAGetOverlappedResult_stream, FALSE, WSAECONNABORTED, call_wgor, STREAM, SYS_ioctl);
CLOSED(WSAGetOverlappedResult_datagram, FALSE, WSA_OPERATION_ABORTED, call_wgor, DATAGRAM,
       SYS_ioctl);

TEST_F(closed, CI__closesocket_ends_a_blocking_call)
{
	struct sockaddr_in full;
	int filler, l = full_listener(&filler);
	struct caller c;

	ASSERT_GE(l, 0);
	full = loopback(local_port(l));
	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(start_blocked(&c, &variant->call, &full));
	ASSERT_EQ(closesocket(c.s), 0);
	ASSERT_TRUE(caller_join(&c));
	EXPECT_EQ(c.result, variant->result);
	if (variant->result <= 0)
		EXPECT_EQ(c.error, variant->error);
	/* The process is as registered as before. */
	EXPECT_NE(c.next_result, -1);
	EXPECT_EQ(WSACleanup(), 0);
}

/* Whatever the poll meets of the closing first. */
TEST_F(cancel, H7__closed_while_polled_is_invalid_each_time)
{
	static const struct blocking kinds[] = {
		{ call_wsapoll_closed, STREAM, SYS_ppoll },
		{ call_wsapoll_closed, DATAGRAM, SYS_ppoll },
	};
	struct caller c;

	ASSERT_EQ(startup(), 0);
	for (int i = 0; i < 400; i++) {
		ASSERT_TRUE(start_blocked(&c, &kinds[i % 2], NULL));
		ASSERT_EQ(closesocket(c.s), 0);
		ASSERT_TRUE(caller_join(&c));
		ASSERT_EQ(c.result, 1) TH_LOG("round %d", i);
	}
}

static int call_wait_events(struct caller *c)
{
	WSAEVENT event = c->arg;

	return WSAWaitForMultipleEvents(1, &event, TRUE, WSA_INFINITE, FALSE);
}

/* Only what an operation ends with reaches a wait for events. */
TEST_F(cancel, CI__closesocket_and_waits_for_events)
{
	struct caller c = { .call = call_wait_events, .arg = WSACreateEvent() };
	struct operation op;
	SOCKET s, t;

	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_DGRAM);
	t = bound_socket(SOCK_DGRAM);
	/* A registration just goes; an overlapped receive signals. */
	ASSERT_EQ(WSAEventSelect(s, c.arg, FD_READ | FD_CLOSE), 0);
	ASSERT_EQ(start_recv(t, &op, c.arg, 16), WSA_IO_PENDING);
	ASSERT_TRUE(caller_start(&c) && caller_blocked(&c, SYS_ppoll));
	EXPECT_EQ(closesocket(s), 0);
	EXPECT_TRUE(stays_unsignalled(c.arg, QUIET_MS));
	EXPECT_FALSE(caller_done(&c));
	EXPECT_EQ(closesocket(t), 0);
	ASSERT_TRUE(caller_join(&c));
	EXPECT_EQ(c.result, WSA_WAIT_EVENT_0);
	EXPECT_EQ(status(&op), STATUS_CANCELLED);
	EXPECT_EQ(WSACleanup(), 0);
}

static int call_gqcs(struct caller *c)
{
	LPOVERLAPPED ov = (void *)4711;
	ULONG_PTR key;
	DWORD n;
	BOOL ret = GetQueuedCompletionStatus(c->arg, &n, &key, &ov, INFINITE);

	return ret && key == 125 && !ov ? 1 : ret ? 2 : 0;
}

/* H2: a port is not Winsock's; what has nothing to do with it wakes nobody. */
TEST_F(cancel, CI__closesocket_and_cleanup_leave_ports_alone)
{
	struct caller c = { .call = call_gqcs };
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	c.arg = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
	ASSERT_NE(c.arg, NULL);
	ASSERT_TRUE(caller_start(&c) && caller_blocked(&c, SYS_ioctl));
	EXPECT_EQ(closesocket(s), 0);
	EXPECT_FALSE(caller_done(&c));
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(WSACleanup(), 0);
	for (int i = 0; i < 50; i++, nap())
		EXPECT_FALSE(caller_done(&c));
	EXPECT_EQ(thread_syscall(c.tid), SYS_ioctl);
	EXPECT_TRUE(PostQueuedCompletionStatus(c.arg, 7, 125, NULL));
	ASSERT_TRUE(caller_join(&c));
	EXPECT_EQ(c.result, 1);
	EXPECT_TRUE(CloseHandle(c.arg));
}

static int call_gqcs_of_socket(struct caller *c)
{
	struct wsock_packet packet;
	struct wsock_port_get get = { .packets = (unsigned long)&packet, .count = 1,
				      .timeout_ns = -1 };
	int ret = dev_ioctl((int)(long)c->arg, WSOCK_PORT_IOC_GET, &get);

	return ret == 1 ? (int)packet.internal : -1;
}

/* H2: one packet for what was pending, with closesocket's status or cleanup's. */
TEST_F(cancel, H2__who_waits_at_the_port_learns_it)
{
	for (int cleanup = 0; cleanup < 2; cleanup++) {
		struct caller c = { .call = call_gqcs_of_socket };
		struct wsock_port_args args = {};
		struct wsock_associate associate;
		struct operation op;
		int port, peer;
		SOCKET s;

		ASSERT_EQ(startup(), 0);
		ASSERT_EQ(stream_pair(&s, &peer), 0);
		port = dev_ioctl(library_device(), WSOCK_IOC_PORT, &args);
		ASSERT_GE(port, 0);
		associate = (struct wsock_associate){ .fd = s, .port_fd = port, .key = 1 };
		ASSERT_EQ(dev_ioctl(library_device(), WSOCK_IOC_ASSOCIATE, &associate), 0);
		ASSERT_EQ(start_recv(s, &op, NULL, 16), WSA_IO_PENDING);
		c.arg = (void *)(long)port;
		ASSERT_TRUE(caller_start(&c) && caller_blocked(&c, SYS_ioctl));
		ASSERT_EQ(cleanup ? WSACleanup() : closesocket(s), 0);
		ASSERT_TRUE(caller_join(&c));
		EXPECT_EQ((uint32_t)c.result, cleanup ? STATUS_CANCELLED :
							STATUS_CONNECTION_ABORTED);
		EXPECT_EQ((uint32_t)c.result, status(&op));
		close(port);
		if (!cleanup)
			EXPECT_EQ(WSACleanup(), 0);
	}
}

TEST_F(cancel, H4__waits_for_events_go_on)
{
	struct caller c = { .call = call_wait_events, .arg = WSACreateEvent() };
	struct operation op;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_DGRAM);
	ASSERT_EQ(start_recv(s, &op, c.arg, 16), WSA_IO_PENDING);
	ASSERT_TRUE(caller_start(&c) && caller_blocked(&c, SYS_ppoll));
	ASSERT_EQ(WSACleanup(), 0);
	EXPECT_EQ(status(&op), STATUS_CANCELLED);
	EXPECT_TRUE(stays_unsignalled(c.arg, QUIET_MS));
	EXPECT_FALSE(caller_done(&c));
	EXPECT_TRUE(WSASetEvent(c.arg));
	ASSERT_TRUE(caller_join(&c));
	EXPECT_EQ(c.result, WSA_WAIT_EVENT_0);
}

/* ---- Overlapped operations ---- */

TEST_F(cancel, C23__overlapped_send_is_cancelled)
{
	WSAEVENT event = WSACreateEvent();
	struct operation op;
	DWORD n = 0;
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_TRUE(set_option(s, SOL_SOCKET, SO_SNDBUF, 0));
	ASSERT_EQ(start_send(s, &op, event, big, sizeof(big)), WSA_IO_PENDING);
	EXPECT_EQ(status(&op), STATUS_PENDING);
	ASSERT_EQ(WSACleanup(), 0);
	EXPECT_EQ(op.ov.Internal, STATUS_CANCELLED);
	EXPECT_LT(op.ov.InternalHigh, sizeof(big));
	EXPECT_EQ(op.bytes, POISON_WORD);
	EXPECT_FALSE(signalled(event));
	EXPECT_FALSE(GetOverlappedResult((HANDLE)s, &op.ov, &n, FALSE));
	EXPECT_EQ(GetLastError(), 995);
	EXPECT_EQ(n, op.ov.InternalHigh);
	EXPECT_TRUE(holds_nothing());
}

/* With nothing accepted of it: an earlier send has the buffer. */
TEST_F(cancel, C23__queued_sends_are_cancelled_with_no_bytes)
{
	struct operation op[8];
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(start_send(s, &op[0], NULL, big, sizeof(big)), WSA_IO_PENDING);
	for (int i = 1; i < 8; i++) {
		ASSERT_EQ(start_send(s, &op[i], NULL, big, 100), WSA_IO_PENDING);
	}
	EXPECT_EQ(queued(), 8);
	ASSERT_EQ(WSACleanup(), 0);
	EXPECT_EQ(op[0].ov.Internal, STATUS_CANCELLED);
	for (int i = 1; i < 8; i++)
		EXPECT_TRUE(cancelled_untouched(&op[i], NULL));
}

/* The peer's window is closed, and nothing is on its way. */
static bool send_is_stuck(int fd)
{
	int dev = library_device(), held, unsent;

	if (ioctl(fd, SIOCOUTQ, &held) || ioctl(fd, SIOCOUTQNSD, &unsent))
		return false;
	return held > 0 && held == unsent && fdinfo(dev, "queued") == 1 &&
	       !fdinfo(dev, "scheduled") && !fdinfo(dev, "running");
}

TEST_F(cancel, H22__cancelled_send_tells_what_was_accepted)
{
	struct operation op;
	int peer, held = 0, arrived = 0;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(start_send(s, &op, NULL, big, sizeof(big)), WSA_IO_PENDING);
	ASSERT_TRUE(wait_for(send_is_stuck(s)));
	ASSERT_EQ(ioctl(s, SIOCOUTQ, &held), 0);
	ASSERT_EQ(ioctl(peer, SIOCINQ, &arrived), 0);
	EXPECT_GT(held, 0);
	EXPECT_GT(arrived, 0);
	ASSERT_EQ(WSACleanup(), 0);
	EXPECT_EQ(op.ov.Internal, STATUS_CANCELLED);
	EXPECT_EQ(op.ov.InternalHigh, held + arrived);
	/* What was accepted and not sent is lost with the reset (H1). */
	EXPECT_EQ(peer_end(peer), -ECONNRESET);
}

TEST_F(cancel, C24__overlapped_sendto_on_a_stream_is_cancelled)
{
	struct sockaddr_in sin = loopback(9);
	WSABUF buf = { .len = sizeof(big), .buf = big };
	struct operation op;
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	operation_init(&op, NULL);
	/* The address is ignored on a connected stream. */
	ASSERT_EQ(WSASendTo(s, &buf, 1, &op.bytes, 0, sa(&sin), sizeof(sin), &op.ov, NULL), -1);
	ASSERT_EQ(WSAGetLastError(), WSA_IO_PENDING);
	ASSERT_EQ(WSACleanup(), 0);
	EXPECT_EQ(op.ov.Internal, STATUS_CANCELLED);
	EXPECT_LT(op.ov.InternalHigh, sizeof(big));
	EXPECT_EQ(op.bytes, POISON_WORD);
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return ok;
}

/*
 * Datagrams are sent at once as a rule, and the loopback lets go of them at
 * once. But an interface whose neighbour never answers keeps them, and with
 * them their share of SO_SNDBUF, until it gives up: in a minute here.
 */
static bool unanswered_neighbour(struct sockaddr_in *to)
{
	if (system("ip link set dummy0 up arp on && ip addr add 192.0.2.1/24 dev dummy0"))
		return false;
	if (!write_file("/proc/sys/net/ipv4/neigh/dummy0/retrans_time_ms", "60000") ||
	    !write_file("/proc/sys/net/ipv4/neigh/dummy0/unres_qlen_bytes", "4000000"))
		return false;
	*to = loopback(9);
	to->sin_addr.s_addr = inet_addr("192.0.2.99");
	return true;
}

static void no_neighbour(void)
{
	system("ip addr del 192.0.2.1/24 dev dummy0; ip link set dummy0 down");
}

FIXTURE(datagrams)
{
	struct sockaddr_in to;
};

FIXTURE_SETUP(datagrams)
{
	if (!if_nametoindex("dummy0"))
		SKIP(return, "no interface dummy0 (module dummy)");
	ASSERT_TRUE(unanswered_neighbour(&self->to));
}

FIXTURE_TEARDOWN_PARENT(datagrams)
{
	no_neighbour();
	EXPECT_TRUE(counters_zero());
}

TEST_F(datagrams, C24__overlapped_sendto_is_cancelled)
{
	WSAEVENT event = WSACreateEvent();
	WSABUF buf = { .len = 1000, .buf = big };
	struct operation op[64];
	SOCKET s;
	int sent, i;

	ASSERT_EQ(startup(), 0);
	s = wsock_socket(AF_INET, SOCK_DGRAM, 0);
	ASSERT_TRUE(set_option(s, SOL_SOCKET, SO_SNDBUF, 8192));
	/* Each is accepted, until the buffer is full. */
	for (sent = 0; sent < 60; sent++) {
		operation_init(&op[sent], event);
		if (WSASendTo(s, &buf, 1, &op[sent].bytes, 0, sa(&self->to),
			      sizeof(self->to), &op[sent].ov, NULL))
			break;
		EXPECT_EQ(op[sent].bytes, 1000);
	}
	ASSERT_EQ(WSAGetLastError(), WSA_IO_PENDING);
	ASSERT_GT(sent, 0);
	ASSERT_LT(sent, 60);
	for (i = sent + 1; i < sent + 4; i++) {
		operation_init(&op[i], NULL);
		ASSERT_EQ(WSASendTo(s, &buf, 1, &op[i].bytes, 0, sa(&self->to),
				    sizeof(self->to), &op[i].ov, NULL), -1);
		ASSERT_EQ(WSAGetLastError(), WSA_IO_PENDING);
	}
	EXPECT_EQ(queued(), 4);
	EXPECT_TRUE(stays_unsignalled(event, QUIET_MS));
	ASSERT_EQ(WSACleanup(), 0);
	EXPECT_TRUE(cancelled_untouched(&op[sent], event));
	for (i = sent + 1; i < sent + 4; i++)
		EXPECT_TRUE(cancelled_untouched(&op[i], NULL));
	EXPECT_TRUE(stays_unsignalled(event, QUIET_MS));
	EXPECT_EQ(op[0].ov.Internal, STATUS_SUCCESS);
	EXPECT_TRUE(holds_nothing());
}

static int call_sendto_datagrams(struct caller *c)
{
	int ret;

	do {
		ret = wsock_sendto(c->s, big, 1000, 0, c->arg, sizeof(struct sockaddr_in));
	} while (ret == 1000);
	return ret;
}

TEST_F(datagrams, C19__sendto_of_a_datagram_is_cancelled)
{
	struct caller c = { .call = call_sendto_datagrams, .arg = &self->to };
	static const struct blocking b;
	double end;

	ASSERT_EQ(startup(), 0);
	c.s = wsock_socket(AF_INET, SOCK_DGRAM, 0);
	ASSERT_TRUE(set_option(c.s, SOL_SOCKET, SO_SNDBUF, 8192));
	ASSERT_TRUE(caller_start(&c) && caller_blocked(&c, SYS_sendmsg));
	ASSERT_EQ(WSACleanup(), 0);
	end = now_ms();
	expect_cancelled(_metadata, &c, &b, end, "sendto");
}

TEST_F(cancel, C25__overlapped_recv_is_cancelled)
{
	struct operation op[4];
	DWORD n = 0;
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	for (int i = 0; i < 4; i++) {
		ASSERT_EQ(start_recv(s, &op[i], NULL, sizeof(op[i].data)), WSA_IO_PENDING);
		EXPECT_EQ(op[i].ov.Internal, STATUS_PENDING);
	}
	ASSERT_EQ(WSACleanup(), 0);
	/* The peer's data comes too late. */
	EXPECT_EQ(send(peer, "too late", 8, MSG_NOSIGNAL), -1);
	EXPECT_EQ(errno, ECONNRESET);
	for (int i = 0; i < 4; i++)
		EXPECT_TRUE(cancelled_untouched(&op[i], NULL));
	EXPECT_FALSE(GetOverlappedResult((HANDLE)s, &op[0].ov, &n, FALSE));
	EXPECT_EQ(GetLastError(), 995);
	EXPECT_EQ(n, 0);
	EXPECT_TRUE(holds_nothing());
}

TEST_F(cancel, C26__overlapped_recvfrom_is_cancelled)
{
	struct sockaddr_in from;
	int fromlen = sizeof(from), port;
	struct operation op;
	WSABUF buf = { .len = sizeof(op.data), .buf = op.data };
	SOCKET s, again;

	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_DGRAM);
	port = local_port(s);
	operation_init(&op, NULL);
	memset(&from, POISON, sizeof(from));
	op.flags = 0;
	ASSERT_EQ(WSARecvFrom(s, &buf, 1, &op.bytes, &op.flags, sa(&from), &fromlen, &op.ov,
			      NULL), -1);
	ASSERT_EQ(WSAGetLastError(), WSA_IO_PENDING);
	ASSERT_EQ(WSACleanup(), 0);
	EXPECT_TRUE(cancelled_untouched(&op, NULL));
	EXPECT_TRUE(all_poison(&from, sizeof(from)));
	EXPECT_EQ(fromlen, sizeof(from));
	/* The port's next owner gets what comes now. */
	ASSERT_EQ(startup(), 0);
	again = wsock_socket(AF_INET, SOCK_DGRAM, 0);
	from = loopback(port);
	ASSERT_EQ(wsock_bind(again, sa(&from), sizeof(from)), 0);
	ASSERT_EQ(datagram_to(again, "hello", 5), 0);
	EXPECT_EQ(wsock_recv(again, op.data + 100, 100, 0), 5);
	EXPECT_TRUE(all_poison(op.data, 100));
	EXPECT_EQ(op.ov.Internal, STATUS_CANCELLED);
	EXPECT_EQ(WSACleanup(), 0);
}

struct sleeper {
	SOCKET s;
	int wake;
	struct operation op;
	int started;
};

static int call_start_and_sleep(struct caller *c)
{
	struct sleeper *sl = c->arg;
	char byte;

	sl->started = start_recv(sl->s, &sl->op, NULL, 16);
	return read(sl->wake, &byte, 1);
}

TEST_F(cancel, C28__operations_of_any_thread)
{
	struct sleeper sl[3];
	struct caller c[3];
	int wake[2], peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(pipe2(wake, O_CLOEXEC), 0);
	for (int i = 0; i < 3; i++) {
		sl[i].wake = wake[0];
		ASSERT_EQ(stream_pair(&sl[i].s, &peer), 0);
		c[i] = (struct caller){ .call = call_start_and_sleep, .arg = &sl[i] };
		ASSERT_TRUE(caller_start(&c[i]) && caller_blocked(&c[i], SYS_read));
		EXPECT_EQ(sl[i].started, WSA_IO_PENDING);
		EXPECT_EQ(status(&sl[i].op), STATUS_PENDING);
	}
	ASSERT_EQ(WSACleanup(), 0);
	for (int i = 0; i < 3; i++) {
		/* Without its help: it sleeps on. */
		EXPECT_TRUE(cancelled_untouched(&sl[i].op, NULL));
		EXPECT_EQ(thread_syscall(c[i].tid), SYS_read);
		EXPECT_FALSE(caller_done(&c[i]));
	}
	for (int i = 0; i < 3; i++)
		EXPECT_TRUE(tell(wake[1]));
	for (int i = 0; i < 3; i++) {
		ASSERT_TRUE(caller_join(&c[i]));
		/* Its sleep was not cut short. */
		EXPECT_EQ(c[i].result, 1);
	}
}

/* Also of a thread that is gone. */
static int call_start(struct caller *c)
{
	struct sleeper *sl = c->arg;

	return start_recv(sl->s, &sl->op, NULL, 16);
}

TEST_F(cancel, C28__operations_of_a_thread_that_is_gone)
{
	struct sleeper sl;
	struct caller c = { .call = call_start, .arg = &sl };
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&sl.s, &peer), 0);
	ASSERT_TRUE(caller_start(&c) && caller_join(&c));
	EXPECT_EQ(c.result, WSA_IO_PENDING);
	ASSERT_EQ(WSACleanup(), 0);
	EXPECT_TRUE(cancelled_untouched(&sl.op, NULL));
	EXPECT_TRUE(holds_nothing());
}

TEST_F(cancel, C29__no_event_is_signalled)
{
	WSAEVENT events[4];
	struct operation op[4];
	SOCKET s[4];
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s[0], &peer), 0);
	ASSERT_EQ(stream_pair(&s[1], &peer), 0);
	s[2] = bound_socket(SOCK_DGRAM);
	s[3] = bound_socket(SOCK_DGRAM);
	for (int i = 0; i < 4; i++) {
		events[i] = WSACreateEvent();
		/* Reset by the operation. */
		EXPECT_TRUE(WSASetEvent(events[i]));
		if (i == 1) {
			ASSERT_EQ(start_send(s[i], &op[i], events[i], big, sizeof(big)),
				  WSA_IO_PENDING);
		} else {
			ASSERT_EQ(start_recv(s[i], &op[i], events[i], 16), WSA_IO_PENDING);
		}
		EXPECT_FALSE(signalled(events[i]));
	}
	ASSERT_EQ(WSACleanup(), 0);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(op[i].ov.Internal, STATUS_CANCELLED);
	EXPECT_EQ(WSAWaitForMultipleEvents(4, events, FALSE, 500, FALSE), WSA_WAIT_TIMEOUT);
	/* Nor by a new registration; and they are events still. */
	ASSERT_EQ(startup(), 0);
	EXPECT_EQ(WSAWaitForMultipleEvents(4, events, FALSE, QUIET_MS, FALSE),
		  WSA_WAIT_TIMEOUT);
	EXPECT_EQ(WSACleanup(), 0);
	for (int i = 0; i < 4; i++) {
		EXPECT_TRUE(WSASetEvent(events[i]));
		EXPECT_TRUE(signalled(events[i]));
		EXPECT_TRUE(WSACloseEvent(events[i]));
	}
}

TEST_F(cancel, C31__they_fail_with_operation_aborted)
{
	struct operation op;
	DWORD n = 4711, flags;
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(start_recv(s, &op, NULL, 16), WSA_IO_PENDING);
	EXPECT_FALSE(GetOverlappedResult((HANDLE)s, &op.ov, &n, FALSE));
	EXPECT_EQ(GetLastError(), WSA_IO_INCOMPLETE);
	ASSERT_EQ(WSACleanup(), 0);
	/* (a) the status block */
	EXPECT_EQ(op.ov.Internal, STATUS_CANCELLED);
	EXPECT_TRUE(HasOverlappedIoCompleted(&op.ov));
	/* (b) what does not need Winsock, with and without waiting */
	for (int wait = 0; wait < 2; wait++) {
		SetLastError(0);
		EXPECT_FALSE(GetOverlappedResult((HANDLE)s, &op.ov, &n, wait));
		EXPECT_EQ(GetLastError(), 995);
		EXPECT_EQ(n, 0);
	}
	/* (c) is WSAGetOverlappedResult in C19; (d) afterwards, in H8's order */
	EXPECT_FALSE(WSAGetOverlappedResult(s, &op.ov, &n, FALSE, &flags));
	EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED);
	ASSERT_EQ(startup(), 0);
	EXPECT_FALSE(WSAGetOverlappedResult(s, &op.ov, &n, FALSE, &flags));
	EXPECT_EQ(WSAGetLastError(), WSAENOTSOCK);
	EXPECT_EQ(WSACleanup(), 0);
}

static int call_gor(struct caller *c)
{
	struct operation op;
	DWORD n = 4711;

	if (start_recv(c->s, &op, NULL, 16) != WSA_IO_PENDING)
		return 77;
	if (GetOverlappedResult((HANDLE)c->s, &op.ov, &n, TRUE) || n)
		return 78;
	return FALSE;
}

TEST_F(cancel, H8__GetOverlappedResult_waits_and_tells)
{
	struct caller c = { .call = call_gor };

	ASSERT_EQ(startup(), 0);
	c.s = bound_socket(SOCK_DGRAM);
	ASSERT_TRUE(caller_start(&c) && caller_blocked(&c, SYS_ioctl));
	ASSERT_EQ(WSACleanup(), 0);
	ASSERT_TRUE(caller_join(&c));
	EXPECT_EQ(c.result, FALSE);
	EXPECT_EQ(c.error, 995);
}

/* Memory may go as soon as WSACleanup returns. */
TEST_F(cancel, H11__no_reference_to_memory_is_left)
{
	size_t size = 1 << 20;
	WSABUF buf = { .len = 4096 };
	SOCKET s[16];
	int peer[16];
	char *memory;

	for (int round = 0; round < 10; round++) {
		DWORD n, flags = 0;

		memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		ASSERT_NE(memory, MAP_FAILED);
		ASSERT_EQ(startup(), 0);
		for (int i = 0; i < 16; i++) {
			WSAOVERLAPPED *ov = (void *)(memory + i * 8192);

			ASSERT_EQ(stream_pair(&s[i], &peer[i]), 0);
			buf.buf = memory + i * 8192 + 4096;
			flags = 0;
			ASSERT_EQ(WSARecv(s[i], &buf, 1, &n, &flags, ov, NULL), -1);
			ASSERT_EQ(WSAGetLastError(), WSA_IO_PENDING);
		}
		/* Half of them are woken while they are cancelled. */
		for (int i = 0; i < 16; i += 2) {
			ASSERT_EQ(send(peer[i], "x", 1, MSG_NOSIGNAL), 1);
		}
		ASSERT_EQ(WSACleanup(), 0);
		for (int i = 0; i < 16; i++) {
			WSAOVERLAPPED *ov = (void *)(memory + i * 8192);

			EXPECT_TRUE(ov->Internal == STATUS_CANCELLED ||
				    (ov->Internal == STATUS_SUCCESS && ov->InternalHigh == 1));
		}
		EXPECT_EQ(munmap(memory, size), 0);
		/* The same addresses, and nobody writes there. */
		memory = mmap(memory, size, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		ASSERT_NE(memory, MAP_FAILED);
		for (int i = 0; i < 16; i++) {
			send(peer[i], "late", 4, MSG_NOSIGNAL);
			close(peer[i]);
		}
		for (size_t i = 0; i < size; i++) {
			if (memory[i]) {
				EXPECT_EQ(memory[i], 0);
				break;
			}
		}
		munmap(memory, size);
		EXPECT_TRUE(holds_nothing());
	}
}

/* ---- Nothing is left ---- */

static long proc_value(const char *path, const char *key)
{
	char line[256];
	long value = -1;
	FILE *f = fopen(path, "re");

	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, key, strlen(key)) &&
		    sscanf(line + strlen(key), " %ld", &value) == 1)
			break;
	}
	if (f)
		fclose(f);
	return value;
}

/* Of all the system: "TCP: inuse 5 orphan 0 tw 0 alloc 7 mem 1" */
static long tcp_sockets(void)
{
	char line[256];
	long alloc = -1;
	FILE *f = fopen("/proc/net/sockstat", "re");

	while (f && fgets(line, sizeof(line), f)) {
		char *at = strncmp(line, "TCP:", 4) ? NULL : strstr(line, "alloc");

		if (at && sscanf(at, "alloc %ld", &alloc) == 1)
			break;
	}
	if (f)
		fclose(f);
	return alloc;
}

#define ROUNDS	220
#define WARM_UP	20

TEST_F_TIMEOUT(cancel, C18__resources_are_freed, 60)
{
	static struct operation op[32];
	int fds = -1;
	long rss = 0, slab = 0, tcp = 0;
	SOCKET s[64];

	for (int round = 0; round < ROUNDS; round++) {
		if (round == WARM_UP) {
			fds = fd_count();
			rss = proc_value("/proc/self/status", "VmRSS:");
			slab = proc_value("/proc/meminfo", "Slab:");
			tcp = tcp_sockets();
		}
		ASSERT_EQ(startup(), 0);
		for (int i = 0; i < 64; i++) {
			s[i] = i < 32 ? bound_socket(SOCK_DGRAM) :
			       wsock_socket(AF_INET, SOCK_STREAM, 0);
			ASSERT_NE(s[i], INVALID_SOCKET);
			if (i < 32) {
				ASSERT_EQ(start_recv(s[i], &op[i], NULL, 16), WSA_IO_PENDING);
			}
		}
		ASSERT_EQ(WSACleanup(), 0);
		for (int i = 0; i < 32; i++) {
			ASSERT_EQ(op[i].ov.Internal, STATUS_CANCELLED);
		}
	}
	EXPECT_EQ(fd_count(), fds);
	EXPECT_TRUE(holds_nothing());
	EXPECT_TRUE(wait_for(counter("sockets") == 0 && counter("operations") == 0));
	EXPECT_TRUE(wait_for(tcp_sockets() <= tcp));
	EXPECT_LT(proc_value("/proc/self/status", "VmRSS:"), rss + 1024);
	/* 200 rounds of 64 sockets would be 6 MiB for 512 bytes each. */
	EXPECT_TRUE(wait_for(proc_value("/proc/meminfo", "Slab:") < slab + 3072))
		TH_LOG("slab: %ld KiB, then %ld", slab, proc_value("/proc/meminfo", "Slab:"));
}

TEST_HARNESS_MAIN
