// SPDX-License-Identifier: GPL-2.0
/*
 * Overlapped operations in ordinary life, and the errors of common calls, where
 * Winsock's are not Linux's (D.2, D.3, D.6-D.8, D.10, G.2, C.i).
 */
#include "winsock.h"
#include "kselftest_harness.h"

WINSOCK_FIXTURE(calls);

static bool readable(SOCKET s)
{
	struct pollfd pfd = { .fd = s, .events = POLLIN };

	return poll(&pfd, 1, TIMEOUT_MS) == 1;
}

static char big[4 << 20];

/* ---- One operation (D.2, D.3) ---- */

/* FIONBIO and SO_RCVTIMEO are about other calls (E, test_nonblocking, test_timeout). */
TEST_F(calls, D1__modes_of_blocking_calls_do_not_matter)
{
	wsock_u_long on = 1;
	struct operation op;
	int peer, ms = 10;
	char data[4];
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(stream_pair(&s, &peer), 0);
		ASSERT_EQ(i ? ioctlsocket(s, WSOCK_FIONBIO, &on) :
			      wsock_setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, (char *)&ms,
					       sizeof(ms)), 0);
		ASSERT_EQ(start_recv(s, &op, NULL, 1), WSA_IO_PENDING);
		EXPECT_WSA(wsock_recv(s, data, 4, 0), i ? WSAEWOULDBLOCK : WSAETIMEDOUT);
		EXPECT_EQ(status(&op), STATUS_PENDING);
		ASSERT_EQ(send(peer, "x", 1, 0), 1);
		EXPECT_TRUE(wait_for(status(&op) == STATUS_SUCCESS));
		EXPECT_EQ(op.ov.InternalHigh, 1);
		close(peer);
	}
	EXPECT_EQ(WSACleanup(), 0);
}

/* D.7: Windows takes it, though its documentation does not say so. */
TEST_F(calls, D7__peek_with_an_overlapped)
{
	WSABUF buf = { .len = 4 };
	struct operation op;
	char data[4];
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	operation_init(&op, NULL);
	buf.buf = op.data;
	op.flags = MSG_PEEK;
	EXPECT_WSA(WSARecv(s, &buf, 1, &op.bytes, &op.flags, &op.ov, NULL), WSA_IO_PENDING);
	ASSERT_EQ(send(peer, "abc", 3, 0), 3);
	EXPECT_TRUE(wait_for(status(&op) == STATUS_SUCCESS));
	EXPECT_EQ(op.ov.InternalHigh, 3);
	EXPECT_EQ(memcmp(op.data, "abc", 3), 0);
	EXPECT_EQ(wsock_recv(s, data, 4, 0), 3);
	EXPECT_WSA(wsock_recv(s, data, -1, 0), WSAEFAULT);
	EXPECT_EQ(WSACleanup(), 0);
	close(peer);
}

/* D.9: a datagram of ours had no taker; the pending receive learns it. */
TEST_F(calls, D9__port_unreachable)
{
	struct sockaddr_in sin;
	struct operation op;
	DWORD bytes, flags;
	int gone;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	gone = udp_socket();
	sin = loopback(local_port(gone));
	close(gone);
	s = bound_socket(SOCK_DGRAM);
	ASSERT_EQ(wsock_connect(s, sa(&sin), sizeof(sin)), 0);
	ASSERT_EQ(start_recv(s, &op, NULL, 4), WSA_IO_PENDING);
	ASSERT_EQ(wsock_send(s, "x", 1, 0), 1);
	EXPECT_TRUE(wait_for(status(&op) != STATUS_PENDING));
	EXPECT_EQ(status(&op), STATUS_PORT_UNREACHABLE);
	EXPECT_FALSE(WSAGetOverlappedResult(s, &op.ov, &bytes, FALSE, &flags));
	EXPECT_EQ(WSAGetLastError(), WSAECONNRESET);
	/* It is no end: the next one waits. */
	ASSERT_EQ(start_recv(s, &op, NULL, 4), WSA_IO_PENDING);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(calls, D2__immediate_success)
{
	WSAEVENT event = WSACreateEvent();
	struct operation op;
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(send(peer, "hello", 5, 0), 5);
	ASSERT_TRUE(readable(s));
	EXPECT_EQ(start_recv(s, &op, event, 16), 0);
	EXPECT_EQ(op.bytes, 5);
	EXPECT_EQ(op.flags, 0);
	EXPECT_EQ(op.ov.Internal, STATUS_SUCCESS);
	EXPECT_EQ(op.ov.InternalHigh, 5);
	/* The indication happens all the same. */
	EXPECT_TRUE(signalled(event));
	EXPECT_EQ(memcmp(op.data, "hello", 5), 0);
	EXPECT_TRUE(all_poison(op.data + 5, sizeof(op.data) - 5));
	EXPECT_EQ(start_send(s, &op, event, "world", 5), 0);
	EXPECT_EQ(op.bytes, 5);
	EXPECT_EQ(op.ov.InternalHigh, 5);
	EXPECT_TRUE(signalled(event));
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(calls, D2__pending)
{
	WSAEVENT event = WSACreateEvent();
	struct operation op;
	DWORD n, flags;
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	EXPECT_TRUE(WSASetEvent(event));
	ASSERT_EQ(start_recv(s, &op, event, 16), WSA_IO_PENDING);
	/* Reset at the start; and no output is written yet. */
	EXPECT_FALSE(signalled(event));
	EXPECT_EQ(op.ov.Internal, STATUS_PENDING);
	EXPECT_EQ(op.ov.InternalHigh, POISON_LONG);
	EXPECT_EQ(op.bytes, POISON_WORD);
	EXPECT_FALSE(HasOverlappedIoCompleted(&op.ov));
	ASSERT_EQ(send(peer, "hello", 5, 0), 5);
	EXPECT_TRUE(becomes_signalled(event));
	EXPECT_EQ(op.ov.Internal, STATUS_SUCCESS);
	EXPECT_EQ(op.ov.InternalHigh, 5);
	EXPECT_EQ(op.ov.hEvent, event);
	EXPECT_EQ(op.bytes, POISON_WORD);
	EXPECT_EQ(memcmp(op.data, "hello", 5), 0);
	EXPECT_TRUE(WSAGetOverlappedResult(s, &op.ov, &n, FALSE, &flags));
	EXPECT_EQ(n, 5);
	EXPECT_EQ(flags, 0);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(calls, D2__immediate_failure_indicates_nothing)
{
	WSAEVENT event = WSACreateEvent();
	struct operation op;
	SOCKET s;
	int fd;

	ASSERT_EQ(startup(), 0);
	s = wsock_socket(AF_INET, SOCK_STREAM, 0);
	EXPECT_EQ(start_recv(s, &op, event, 16), WSAENOTCONN);
	EXPECT_EQ(op.bytes, POISON_WORD);
	EXPECT_EQ(start_send(s, &op, event, "x", 1), WSAENOTCONN);
	EXPECT_EQ(op.bytes, POISON_WORD);
	EXPECT_EQ(start_recv(INVALID_SOCKET, &op, event, 16), WSAENOTSOCK);
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	EXPECT_EQ(start_recv(fd, &op, event, 16), WSAENOTSOCK);
	EXPECT_EQ(start_send(fd, &op, event, "x", 1), WSAENOTSOCK);
	EXPECT_FALSE(signalled(event));
	EXPECT_EQ(start_recv(s, &op, (HANDLE)0x12344, 16), WSA_INVALID_HANDLE);
	EXPECT_EQ(queued(), 0);
	close(fd);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(calls, D2__buffer_array_is_captured)
{
	struct operation op;
	WSABUF bufs[3];
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	operation_init(&op, NULL);
	for (int i = 0; i < 3; i++)
		bufs[i] = (WSABUF){ .len = 2, .buf = op.data + 10 * i };
	op.flags = 0;
	ASSERT_EQ(WSARecv(s, bufs, 3, NULL, &op.flags, &op.ov, NULL), -1);
	ASSERT_EQ(WSAGetLastError(), WSA_IO_PENDING);
	memset(bufs, 0, sizeof(bufs));
	ASSERT_EQ(send(peer, "abcdef", 6, 0), 6);
	EXPECT_TRUE(wait_for(status(&op) == STATUS_SUCCESS));
	EXPECT_EQ(op.ov.InternalHigh, 6);
	EXPECT_EQ(memcmp(op.data, "ab", 2), 0);
	EXPECT_EQ(memcmp(op.data + 10, "cd", 2), 0);
	EXPECT_EQ(memcmp(op.data + 20, "ef", 2), 0);
	EXPECT_TRUE(all_poison(op.data + 2, 8));
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(calls, D3__which_notification)
{
	WSAEVENT event = WSACreateEvent();
	struct operation op;
	WSABUF buf = { .len = 16, .buf = op.data };
	DWORD n = 0, flags = 0;
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	/* No event: the status alone. */
	ASSERT_EQ(start_recv(s, &op, NULL, 16), WSA_IO_PENDING);
	ASSERT_EQ(send(peer, "x", 1, 0), 1);
	EXPECT_TRUE(wait_for(status(&op) == STATUS_SUCCESS));
	EXPECT_FALSE(signalled(event));
	/* The lowest bit of the event is not part of it. */
	ASSERT_EQ(start_recv(s, &op, (HANDLE)((uintptr_t)event | 1), 16), WSA_IO_PENDING);
	ASSERT_EQ(send(peer, "x", 1, 0), 1);
	EXPECT_TRUE(becomes_signalled(event));
	/* No OVERLAPPED: synchronous, whatever the routine is. */
	ASSERT_EQ(send(peer, "y", 1, 0), 1);
	EXPECT_EQ(WSARecv(s, &buf, 1, &n, &flags, NULL, (void *)1), 0);
	EXPECT_EQ(n, 1);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(calls, D6__order_of_issue)
{
	struct operation op[2];
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(start_recv(s, &op[0], NULL, 16), WSA_IO_PENDING);
	ASSERT_EQ(start_recv(s, &op[1], NULL, 16), WSA_IO_PENDING);
	ASSERT_EQ(send(peer, "0123456789abcdefFEDCBA9876543210", 32, 0), 32);
	for (int i = 0; i < 2; i++) {
		EXPECT_TRUE(wait_for(status(&op[i]) == STATUS_SUCCESS));
		EXPECT_EQ(op[i].ov.InternalHigh, 16);
	}
	EXPECT_EQ(memcmp(op[0].data, "0123456789abcdef", 16), 0);
	EXPECT_EQ(memcmp(op[1].data, "FEDCBA9876543210", 16), 0);
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- Shapes of data (D.7) ---- */

static void *drain(void *arg)
{
	static char buf[65536];
	long total = 0;
	ssize_t n;

	while ((n = recv(*(int *)arg, buf, sizeof(buf), 0)) > 0)
		total += n;
	return (void *)total;
}

TEST_F(calls, D7__sends_are_complete)
{
	WSAEVENT event = WSACreateEvent();
	struct operation op;
	pthread_t thread;
	void *total;
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_TRUE(set_option(s, SOL_SOCKET, SO_SNDBUF, 0));
	ASSERT_EQ(start_send(s, &op, event, big, sizeof(big)), WSA_IO_PENDING);
	ASSERT_EQ(pthread_create(&thread, NULL, drain, &peer), 0);
	EXPECT_TRUE(becomes_signalled(event));
	EXPECT_EQ(op.ov.Internal, STATUS_SUCCESS);
	EXPECT_EQ(op.ov.InternalHigh, sizeof(big));
	/* And the synchronous one. */
	EXPECT_EQ(wsock_send(s, big, sizeof(big), 0), sizeof(big));
	EXPECT_EQ(wsock_shutdown(s, SD_SEND), 0);
	pthread_join(thread, &total);
	EXPECT_EQ((long)total, 2 * sizeof(big));
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(calls, D7__zero_byte_recv)
{
	struct operation op;
	char data[4];
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(start_recv(s, &op, NULL, 0), WSA_IO_PENDING);
	ASSERT_EQ(send(peer, "abc", 3, 0), 3);
	EXPECT_TRUE(wait_for(status(&op) == STATUS_SUCCESS));
	EXPECT_EQ(op.ov.InternalHigh, 0);
	/* With data there: at once. Nothing was taken of it. */
	EXPECT_EQ(start_recv(s, &op, NULL, 0), 0);
	EXPECT_EQ(op.bytes, 0);
	EXPECT_EQ(wsock_recv(s, data, 4, 0), 3);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(calls, D7__end_of_stream)
{
	struct operation op;
	char data[4];
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(start_recv(s, &op, NULL, 16), WSA_IO_PENDING);
	ASSERT_EQ(shutdown(peer, SHUT_WR), 0);
	EXPECT_TRUE(wait_for(status(&op) == STATUS_SUCCESS));
	EXPECT_EQ(op.ov.InternalHigh, 0);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(start_recv(s, &op, NULL, 16), 0);
		EXPECT_EQ(op.bytes, 0);
		EXPECT_EQ(wsock_recv(s, data, 4, 0), 0);
	}
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(calls, D7__datagram_too_large)
{
	struct sockaddr_in from = { 0 };
	int fromlen = sizeof(from);
	struct operation op;
	DWORD n, flags;
	char data[4];
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_DGRAM);
	ASSERT_EQ(start_recv(s, &op, NULL, 4), WSA_IO_PENDING);
	ASSERT_EQ(datagram_to(s, "abcdefgh", 8), 0);
	EXPECT_TRUE(wait_for(status(&op) != STATUS_PENDING));
	EXPECT_EQ(op.ov.Internal, STATUS_BUFFER_OVERFLOW);
	EXPECT_EQ(op.ov.InternalHigh, 4);
	EXPECT_EQ(memcmp(op.data, "abcd", 4), 0);
	EXPECT_FALSE(WSAGetOverlappedResult(s, &op.ov, &n, FALSE, &flags));
	EXPECT_EQ(WSAGetLastError(), WSAEMSGSIZE);
	EXPECT_EQ(n, 4);
	/* Synchronous: bytes and address are valid. */
	ASSERT_EQ(datagram_to(s, "ABCDEFGH", 8), 0);
	EXPECT_WSA(wsock_recvfrom(s, data, 4, 0, sa(&from), &fromlen), WSAEMSGSIZE);
	EXPECT_EQ(memcmp(data, "ABCD", 4), 0);
	EXPECT_EQ(from.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	EXPECT_EQ(fromlen, sizeof(from));
	/* The rest of each is gone. */
	ASSERT_EQ(datagram_to(s, "z", 1), 0);
	EXPECT_EQ(wsock_recv(s, data, 4, 0), 1);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(calls, D7__datagram_in_part)
{
	int flags = MSG_PARTIAL, peer;
	char data[4];
	SOCKET s, t;

	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_DGRAM);
	ASSERT_EQ(datagram_to(s, "abc", 3), 0);
	EXPECT_EQ(WSARecvEx(s, data, 4, &flags), 3);
	EXPECT_EQ(flags, 0);
	ASSERT_EQ(datagram_to(s, "ABCDEFGH", 8), 0);
	EXPECT_EQ(WSARecvEx(s, data, 4, &flags), 4);
	EXPECT_EQ(flags, MSG_PARTIAL);
	EXPECT_EQ(memcmp(data, "ABCD", 4), 0);
	ASSERT_EQ(stream_pair(&t, &peer), 0);
	EXPECT_EQ(send(peer, "ABCDEFGH", 8, 0), 8);
	EXPECT_EQ(WSARecvEx(t, data, 4, &flags), 4);
	EXPECT_EQ(flags, 0);
	flags = MSG_PEEK;
	EXPECT_EQ(WSARecvEx(t, data, 4, &flags), 4);
	EXPECT_EQ(flags, 0);
	EXPECT_EQ(WSARecvEx(t, data, 4, &flags), 4);
	EXPECT_EQ(memcmp(data, "EFGH", 4), 0);
	EXPECT_WSA(WSARecvEx(t, data, -1, &flags), WSAEFAULT);
	EXPECT_WSA(WSARecvEx(t, data, 4, NULL), WSAEFAULT);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(calls, D7__overlapped_recvfrom)
{
	struct sockaddr_in from, to = { 0 };
	int fromlen = sizeof(from), tolen = sizeof(to);
	struct operation op;
	WSABUF buf = { .len = 16, .buf = op.data };
	SOCKET s, other;

	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_DGRAM);
	other = bound_socket(SOCK_DGRAM);
	ASSERT_EQ(wsock_getsockname(s, sa(&to), &tolen), 0);
	operation_init(&op, NULL);
	memset(&from, POISON, sizeof(from));
	op.flags = 0;
	ASSERT_EQ(WSARecvFrom(s, &buf, 1, NULL, &op.flags, sa(&from), &fromlen, &op.ov, NULL),
		  -1);
	ASSERT_EQ(WSAGetLastError(), WSA_IO_PENDING);
	buf = (WSABUF){ .len = 5, .buf = "hello" };
	ASSERT_EQ(WSASendTo(other, &buf, 1, &op.bytes, 0, sa(&to), tolen, NULL, NULL), 0);
	EXPECT_EQ(op.bytes, 5);
	EXPECT_TRUE(wait_for(status(&op) == STATUS_SUCCESS));
	EXPECT_EQ(op.ov.InternalHigh, 5);
	EXPECT_EQ(fromlen, sizeof(from));
	EXPECT_EQ(ntohs(from.sin_port), local_port(other));
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(calls, D7__arguments)
{
	struct operation op;
	WSABUF buf = { .len = 16, .buf = op.data };
	DWORD n, flags = 0;
	SOCKET s, d;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	d = bound_socket(SOCK_DGRAM);
	operation_init(&op, NULL);
	EXPECT_WSA(WSARecv(s, &buf, 0, &n, &flags, &op.ov, NULL), WSAEINVAL);
	EXPECT_WSA(WSASend(s, &buf, 0, &n, 0, &op.ov, NULL), WSAEINVAL);
	EXPECT_WSA(WSARecv(s, NULL, 1, &n, &flags, &op.ov, NULL), WSAEFAULT);
	EXPECT_WSA(WSARecv(s, &buf, 1, &n, NULL, &op.ov, NULL), WSAEFAULT);
	EXPECT_WSA(WSARecv(s, &buf, 1, NULL, &flags, NULL, NULL), WSAEFAULT);
	EXPECT_WSA(WSASend(s, &buf, 1, NULL, 0, NULL, NULL), WSAEFAULT);
	flags = MSG_WAITALL;
	EXPECT_WSA(WSARecv(d, &buf, 1, &n, &flags, &op.ov, NULL), WSAEOPNOTSUPP);
	EXPECT_WSA(wsock_recv(d, op.data, 16, MSG_WAITALL), WSAEOPNOTSUPP);
	EXPECT_WSA(wsock_recv(s, op.data, -1, 0), WSAEFAULT);
	EXPECT_WSA(wsock_send(s, op.data, -1, 0), WSAEFAULT);
	EXPECT_EQ(queued(), 0);
	/* MSG_PEEK with OVERLAPPED is accepted, and leaves the data. */
	ASSERT_EQ(send(peer, "abc", 3, 0), 3);
	ASSERT_TRUE(readable(s));
	flags = MSG_PEEK;
	EXPECT_EQ(WSARecv(s, &buf, 1, &n, &flags, &op.ov, NULL), 0);
	EXPECT_EQ(n, 3);
	EXPECT_EQ(wsock_recv(s, op.data, 16, 0), 3);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(calls, D7__waitall_fills_the_buffer)
{
	struct operation op;
	WSABUF buf = { .len = 8, .buf = op.data };
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	operation_init(&op, NULL);
	op.flags = MSG_WAITALL;
	ASSERT_EQ(WSARecv(s, &buf, 1, NULL, &op.flags, &op.ov, NULL), -1);
	ASSERT_EQ(WSAGetLastError(), WSA_IO_PENDING);
	ASSERT_EQ(send(peer, "abcd", 4, 0), 4);
	/* Half of it is not enough. */
	EXPECT_FALSE(({
		double end = now_ms() + QUIET_MS;

		while (status(&op) == STATUS_PENDING && now_ms() < end)
			nap();
		status(&op) != STATUS_PENDING;
	}));
	ASSERT_EQ(send(peer, "efgh", 4, 0), 4);
	EXPECT_TRUE(wait_for(status(&op) == STATUS_SUCCESS));
	EXPECT_EQ(op.ov.InternalHigh, 8);
	EXPECT_EQ(memcmp(op.data, "abcdefgh", 8), 0);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(calls, D7__shutdown)
{
	struct operation op;
	char data[4];
	SOCKET s, l;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	l = listening_socket();
	EXPECT_WSA(wsock_shutdown(s, 3), WSAEINVAL);
	EXPECT_WSA(wsock_shutdown(s, -1), WSAEINVAL);
	EXPECT_WSA(wsock_shutdown(l, SD_BOTH), WSAENOTCONN);
	EXPECT_WSA(wsock_shutdown(wsock_socket(AF_INET, SOCK_STREAM, 0), SD_SEND), WSAENOTCONN);
	/* A receive that waits goes on, and gets data; later ones fail. */
	ASSERT_EQ(start_recv(s, &op, NULL, 16), WSA_IO_PENDING);
	EXPECT_EQ(wsock_shutdown(s, SD_RECEIVE), 0);
	EXPECT_EQ(status(&op), STATUS_PENDING);
	EXPECT_WSA(wsock_recv(s, data, 4, 0), WSAESHUTDOWN);
	ASSERT_EQ(send(peer, "x", 1, 0), 1);
	EXPECT_TRUE(wait_for(status(&op) == STATUS_SUCCESS));
	EXPECT_EQ(op.ov.InternalHigh, 1);
	EXPECT_EQ(start_recv(s, &op, NULL, 16), WSAESHUTDOWN);
	EXPECT_EQ(wsock_shutdown(s, SD_SEND), 0);
	EXPECT_EQ(wsock_shutdown(s, SD_SEND), 0);
	/* And no SIGPIPE. */
	EXPECT_WSA(wsock_send(s, "x", 1, 0), WSAESHUTDOWN);
	EXPECT_EQ(start_send(s, &op, NULL, "x", 1), WSAESHUTDOWN);
	EXPECT_EQ(peer_end(peer), 0);
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- Status mapping (D.8), results (D.10) ---- */

/* The library's own: programs have no business with the descriptor. */
int wsock_port_decode(HANDLE port);

/* A packet as an operation would leave it; programs cannot queue such ones. */
static bool queue_status(HANDLE port, uint32_t status, const WSAOVERLAPPED *ov)
{
	struct wsock_packet packet = { .ov = (uintptr_t)ov, .internal = status, .bytes = 7 };

	return !ioctl(wsock_port_decode(port), WSOCK_PORT_IOC_POST, &packet);
}

/* What WSAGetOverlappedResult calls it, and GetOverlappedResult and ports do. */
TEST_F(calls, D8__status_mapping)
{
	static const struct { uint32_t status; int wsa, win32; } rows[] = {
		{ 0x00000000, 0, 0 },
		{ 0x80000005, 10040, 234 },	/* BUFFER_OVERFLOW */
		{ 0xc0000002, 10045, 1 },	/* NOT_IMPLEMENTED */
		{ 0xc0000005, 10014, 998 },	/* ACCESS_VIOLATION */
		{ 0xc0000007, 10055, 1454 },	/* PAGEFILE_QUOTA */
		{ 0xc0000008, 10038, 6 },	/* INVALID_HANDLE */
		{ 0xc000000e, 10050, 2 },	/* NO_SUCH_DEVICE */
		{ 0xc000000f, 10050, 2 },	/* NO_SUCH_FILE */
		{ 0xc0000017, 10055, 8 },	/* NO_MEMORY */
		{ 0xc0000018, 10055, 487 },	/* CONFLICTING_ADDRESSES */
		{ 0xc0000022, 10013, 5 },	/* ACCESS_DENIED */
		{ 0xc0000023, 10014, 122 },	/* BUFFER_TOO_SMALL */
		{ 0xc0000024, 10038, 6 },	/* OBJECT_TYPE_MISMATCH */
		{ 0xc0000034, 10050, 2 },	/* OBJECT_NAME_NOT_FOUND */
		{ 0xc000003a, 10050, 3 },	/* OBJECT_PATH_NOT_FOUND */
		{ 0xc0000043, 10048, 32 },	/* SHARING_VIOLATION */
		{ 0xc0000044, 10055, 1816 },	/* QUOTA_EXCEEDED */
		{ 0xc0000097, 10055, 8 },	/* TOO_MANY_PAGING_FILES */
		{ 0xc000009a, 10055, 1450 },	/* INSUFFICIENT_RESOURCES */
		{ 0xc00000a1, 10055, 1453 },	/* WORKING_SET_QUOTA */
		{ 0xc00000a3, 10035, 21 },	/* DEVICE_NOT_READY */
		{ 0xc00000b0, 10058, 233 },	/* PIPE_DISCONNECTED */
		{ 0xc00000b5, 10060, 121 },	/* IO_TIMEOUT */
		{ 0xc00000bb, 10045, 50 },	/* NOT_SUPPORTED */
		{ 0xc00000bc, 10061, 51 },	/* REMOTE_NOT_LISTENING */
		{ 0xc00000be, 10051, 53 },	/* BAD_NETWORK_PATH */
		{ 0xc00000bf, 10050, 54 },	/* NETWORK_BUSY */
		{ 0xc00000c3, 10050, 58 },	/* INVALID_NETWORK_RESPONSE */
		{ 0xc00000c4, 10050, 59 },	/* UNEXPECTED_NETWORK_ERROR */
		{ 0xc00000d0, 10035, 71 },	/* REQUEST_NOT_ACCEPTED */
		{ 0xc0000120, 995, 995 },	/* CANCELLED */
		{ 0xc000012d, 10055, 1455 },	/* COMMITMENT_LIMIT */
		{ 0xc000013b, 10053, 64 },	/* LOCAL_DISCONNECT */
		{ 0xc000013c, 10054, 64 },	/* REMOTE_DISCONNECT */
		{ 0xc000013d, 10055, 51 },	/* REMOTE_RESOURCES */
		{ 0xc000013e, 10054, 59 },	/* LINK_FAILED */
		{ 0xc000013f, 10060, 59 },	/* LINK_TIMEOUT */
		{ 0xc0000140, 10057, 59 },	/* INVALID_CONNECTION */
		{ 0xc0000141, 10049, 59 },	/* INVALID_ADDRESS */
		{ 0xc0000206, 10040, 1784 },	/* INVALID_BUFFER_SIZE */
		{ 0xc0000207, 10049, 1214 },	/* INVALID_ADDRESS_COMPONENT */
		{ 0xc0000209, 10055, 68 },	/* TOO_MANY_ADDRESSES */
		{ 0xc000020a, 10048, 52 },	/* ADDRESS_ALREADY_EXISTS */
		{ 0xc000020c, 10054, 64 },	/* CONNECTION_DISCONNECTED */
		{ 0xc000020d, 10054, 64 },	/* CONNECTION_RESET */
		{ 0xc000020f, 10053, 59 },	/* TRANSACTION_ABORTED */
		{ 0xc0000236, 10061, 1225 },	/* CONNECTION_REFUSED */
		{ 0xc0000237, 10101, 1226 },	/* GRACEFUL_DISCONNECT */
		{ 0xc000023b, 10056, 1230 },	/* CONNECTION_ACTIVE */
		{ 0xc000023c, 10051, 1231 },	/* NETWORK_UNREACHABLE */
		{ 0xc000023d, 10065, 1232 },	/* HOST_UNREACHABLE */
		{ 0xc000023e, 10051, 1233 },	/* PROTOCOL_UNREACHABLE */
		{ 0xc000023f, 10054, 1234 },	/* PORT_UNREACHABLE */
		{ 0xc0000240, 10004, 1235 },	/* REQUEST_ABORTED */
		{ 0xc0000241, 10053, 1236 },	/* CONNECTION_ABORTED */
		{ 0xc00002c5, 10014, 317 },	/* DATATYPE_MISALIGNMENT_ERROR */
		{ 0xc0000350, 10064, 1256 },	/* HOST_DOWN */
		/* Not in the table: the default, and what the kernel calls the rest. */
		{ 0xc0000001, 10022, 31 },	/* UNSUCCESSFUL */
		{ 0xc000000d, 10022, 87 },	/* INVALID_PARAMETER */
		{ 0xc0ffffff, 10022, 317 },
		/* No failures: not Winsock's errors. */
		{ 0x80ffffff, 317, 317 },
	};
	HANDLE port = new_port(0);
	DWORD n, flags;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_DGRAM);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		WSAOVERLAPPED ov = { .Internal = rows[i].status, .InternalHigh = 7, .Offset = 9 };
		BOOL good = !rows[i].status;
		struct taken t;

		n = flags = 0;
		EXPECT_EQ(WSAGetOverlappedResult(s, &ov, &n, FALSE, &flags), good);
		EXPECT_EQ(WSAGetLastError(), rows[i].wsa) TH_LOG("%08x", rows[i].status);
		EXPECT_EQ(n, 7);
		EXPECT_EQ(flags, 9);
		n = 0;
		SetLastError(0);
		EXPECT_EQ(GetOverlappedResult((HANDLE)s, &ov, &n, FALSE), good);
		EXPECT_EQ(GetLastError(), rows[i].win32) TH_LOG("%08x", rows[i].status);
		EXPECT_EQ(n, 7);
		ASSERT_TRUE(queue_status(port, rows[i].status, &ov));
		t = take_packet(port, 0);
		EXPECT_EQ(t.ret, good);
		EXPECT_EQ(t.error, good ? 4711 : rows[i].win32) TH_LOG("%08x", rows[i].status);
		EXPECT_EQ(t.bytes, 7);
		EXPECT_EQ(t.ov, &ov);
	}
	EXPECT_TRUE(CloseHandle(port));
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(calls, D10__WSAGetOverlappedResult)
{
	struct operation op;
	DWORD n = 4711, flags = 4711;
	SOCKET s;
	int peer, null;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	ASSERT_EQ(start_recv(s, &op, NULL, 16), WSA_IO_PENDING);
	EXPECT_FALSE(WSAGetOverlappedResult(s, &op.ov, &n, FALSE, &flags));
	EXPECT_EQ(WSAGetLastError(), WSA_IO_INCOMPLETE);
	EXPECT_EQ(n, 4711);
	EXPECT_EQ(flags, 4711);
	/* The socket is looked at before the rest. */
	EXPECT_FALSE(WSAGetOverlappedResult(null, NULL, NULL, FALSE, NULL));
	EXPECT_EQ(WSAGetLastError(), WSAENOTSOCK);
	EXPECT_FALSE(WSAGetOverlappedResult(s, NULL, &n, FALSE, &flags));
	EXPECT_EQ(WSAGetLastError(), WSA_INVALID_PARAMETER);
	/* A bad event is one only for who would wait for it. */
	op.ov.hEvent = (HANDLE)0x12344;
	EXPECT_FALSE(WSAGetOverlappedResult(s, &op.ov, &n, TRUE, &flags));
	EXPECT_EQ(WSAGetLastError(), WSA_INVALID_HANDLE);
	op.ov.hEvent = NULL;
	ASSERT_EQ(send(peer, "abc", 3, 0), 3);
	EXPECT_TRUE(WSAGetOverlappedResult(s, &op.ov, &n, TRUE, &flags));
	EXPECT_EQ(WSAGetLastError(), 0);
	EXPECT_EQ(n, 3);
	EXPECT_EQ(flags, 0);
	close(null);
	EXPECT_EQ(WSACleanup(), 0);
}

static int call_wgor(struct caller *c)
{
	DWORD n, flags;

	return WSAGetOverlappedResult(c->s, c->arg, &n, TRUE, &flags) ? (int)n : -1;
}

TEST_F(calls, D10__waits_for_the_end)
{
	struct caller c = { .call = call_wgor };
	struct operation op;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&c.s, &peer), 0);
	ASSERT_EQ(start_recv(c.s, &op, NULL, 16), WSA_IO_PENDING);
	c.arg = &op.ov;
	ASSERT_TRUE(caller_start(&c) && caller_blocked(&c, SYS_ioctl));
	ASSERT_EQ(send(peer, "abc", 3, 0), 3);
	ASSERT_TRUE(caller_join(&c));
	EXPECT_EQ(c.result, 3);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(calls, D10__reset_by_the_peer)
{
	struct linger linger = { .l_onoff = 1 };
	WSAEVENT event = WSACreateEvent();
	int error = -1, len = sizeof(error), peer;
	struct operation op;
	DWORD n, flags;
	char data[4];
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(start_recv(s, &op, event, 16), WSA_IO_PENDING);
	setsockopt(peer, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(peer);
	EXPECT_TRUE(becomes_signalled(event));
	EXPECT_EQ(op.ov.Internal, STATUS_CONNECTION_RESET);
	EXPECT_FALSE(WSAGetOverlappedResult(s, &op.ov, &n, FALSE, &flags));
	EXPECT_EQ(WSAGetLastError(), WSAECONNRESET);
	/* Again and again, not once; and SO_ERROR stays 0. */
	for (int i = 0; i < 3; i++) {
		EXPECT_WSA(wsock_recv(s, data, 4, 0), WSAECONNRESET);
		EXPECT_WSA(wsock_send(s, data, 4, 0), WSAECONNRESET);
	}
	EXPECT_EQ(start_recv(s, &op, event, 16), WSAECONNRESET);
	EXPECT_EQ(wsock_getsockopt(s, SOL_SOCKET, SO_ERROR, (char *)&error, &len), 0);
	EXPECT_EQ(error, 0);
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- Errors of common calls (G.2) ---- */

TEST_F(calls, G2__socket)
{
	ASSERT_EQ(startup(), 0);
	EXPECT_WSA(wsock_socket(0, 0, 0), WSAEINVAL);
	EXPECT_WSA(wsock_socket(999, SOCK_STREAM, 0), WSAEAFNOSUPPORT);
	EXPECT_WSA(wsock_socket(AF_INET, 99, 0), WSAESOCKTNOSUPPORT);
	EXPECT_WSA(wsock_socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), WSAEPROTONOSUPPORT);
	EXPECT_NE(wsock_socket(0, 0, IPPROTO_UDP), INVALID_SOCKET);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(calls, G2__bind_listen_names)
{
	struct sockaddr_in sin = loopback(0), other = loopback(0);
	int len = sizeof(sin);
	SOCKET s, t;

	ASSERT_EQ(startup(), 0);
	s = wsock_socket(AF_INET, SOCK_STREAM, 0);
	t = wsock_socket(AF_INET, SOCK_STREAM, 0);
	EXPECT_WSA(wsock_getsockname(s, sa(&sin), &len), WSAEINVAL);
	EXPECT_WSA(wsock_listen(s, 5), WSAEINVAL);
	EXPECT_WSA(wsock_bind(s, NULL, sizeof(sin)), WSAEFAULT);
	EXPECT_WSA(wsock_bind(s, sa(&sin), 4), WSAEFAULT);
	sin = loopback(0);
	ASSERT_EQ(wsock_bind(s, sa(&sin), sizeof(sin)), 0);
	EXPECT_WSA(wsock_bind(s, sa(&sin), sizeof(sin)), WSAEINVAL);
	len = sizeof(sin);
	ASSERT_EQ(wsock_getsockname(s, sa(&sin), &len), 0);
	EXPECT_WSA(wsock_bind(t, sa(&sin), sizeof(sin)), WSAEADDRINUSE);
	other.sin_addr.s_addr = inet_addr("192.0.2.77");
	EXPECT_WSA(wsock_bind(t, sa(&other), sizeof(other)), WSAEADDRNOTAVAIL);
	len = 4;
	EXPECT_WSA(wsock_getsockname(s, sa(&other), &len), WSAEFAULT);
	len = sizeof(other);
	EXPECT_WSA(wsock_getpeername(s, sa(&other), &len), WSAENOTCONN);
	EXPECT_WSA(wsock_accept(s, NULL, NULL), WSAEINVAL);
	EXPECT_EQ(wsock_listen(s, 5), 0);
	EXPECT_WSA(wsock_connect(s, sa(&sin), sizeof(sin)), WSAEINVAL);
	len = 4;
	EXPECT_WSA(wsock_accept(s, sa(&other), &len), WSAEFAULT);
	EXPECT_WSA(wsock_listen(bound_socket(SOCK_DGRAM), 5), WSAEOPNOTSUPP);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(calls, G2__not_a_socket)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), len = 16, on = 1;
	struct sockaddr_in sin = loopback(9);
	const SOCKET bad[] = { (SOCKET)null, INVALID_SOCKET, 4000, 1ull << 33 };
	wsock_fd_set set;
	wsock_u_long arg;
	char c[16];

	ASSERT_EQ(startup(), 0);
	for (int i = 0; i < 4; i++) {
		SOCKET s = bad[i];
		WSAPOLLFD pfd = { .fd = s, .events = WSOCK_POLLRDNORM };

		EXPECT_WSA(closesocket(s), WSAENOTSOCK);
		EXPECT_WSA(wsock_bind(s, sa(&sin), sizeof(sin)), WSAENOTSOCK);
		EXPECT_WSA(wsock_listen(s, 1), WSAENOTSOCK);
		EXPECT_WSA(wsock_accept(s, NULL, NULL), WSAENOTSOCK);
		EXPECT_WSA(wsock_connect(s, sa(&sin), sizeof(sin)), WSAENOTSOCK);
		EXPECT_WSA(wsock_shutdown(s, SD_SEND), WSAENOTSOCK);
		EXPECT_WSA(wsock_recv(s, c, 1, 0), WSAENOTSOCK);
		EXPECT_WSA(wsock_send(s, c, 1, 0), WSAENOTSOCK);
		EXPECT_WSA(wsock_sendto(s, c, 1, 0, sa(&sin), sizeof(sin)), WSAENOTSOCK);
		EXPECT_WSA(wsock_getsockname(s, sa(&sin), &len), WSAENOTSOCK);
		EXPECT_WSA(wsock_getpeername(s, sa(&sin), &len), WSAENOTSOCK);
		EXPECT_WSA(wsock_getsockopt(s, SOL_SOCKET, SO_TYPE, c, &len), WSAENOTSOCK);
		EXPECT_WSA(wsock_setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, (char *)&on, 4),
			   WSAENOTSOCK);
		EXPECT_WSA(ioctlsocket(s, WSOCK_FIONREAD, &arg), WSAENOTSOCK);
		set = (wsock_fd_set){ .fd_count = 1, .fd_array = { s } };
		EXPECT_WSA(wsock_select(0, &set, NULL, NULL, NULL), WSAENOTSOCK);
		EXPECT_EQ(set.fd_count, 1);
		EXPECT_WSA(WSAPoll(&pfd, 1, 0), WSAENOTSOCK);
	}
	/* closesocket closes sockets only. */
	EXPECT_EQ(fcntl(null, F_GETFD), FD_CLOEXEC);
	close(null);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(calls, G2__connect)
{
	struct sockaddr_in sin = loopback(0), closed;
	wsock_u_long on = 1;
	struct timeval tv = { .tv_sec = 5 };
	int l = tcp_listener(), filler, full = full_listener(&filler), peer;
	int error = 0, len = sizeof(error);
	wsock_fd_set write, except;
	SOCKET s, t;

	ASSERT_EQ(startup(), 0);
	s = wsock_socket(AF_INET, SOCK_STREAM, 0);
	EXPECT_WSA(wsock_connect(s, NULL, sizeof(sin)), WSAEFAULT);
	EXPECT_WSA(wsock_connect(s, sa(&sin), sizeof(sin)), WSAEADDRNOTAVAIL);
	sin = loopback(local_port(l));
	sin.sin_addr.s_addr = htonl(INADDR_ANY);
	EXPECT_WSA(wsock_connect(s, sa(&sin), sizeof(sin)), WSAEADDRNOTAVAIL);
	closed = loopback(local_port(l));
	sin = loopback(local_port(l));
	ASSERT_EQ(wsock_connect(s, sa(&sin), sizeof(sin)), 0);
	EXPECT_WSA(wsock_connect(s, sa(&sin), sizeof(sin)), WSAEISCONN);
	peer = accept(l, NULL, NULL);
	close(peer);
	close(l);
	t = wsock_socket(AF_INET, SOCK_STREAM, 0);
	EXPECT_WSA(wsock_connect(t, sa(&closed), sizeof(closed)), WSAECONNREFUSED);

	/* Non-blocking, to a listener that does not answer. */
	t = wsock_socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(ioctlsocket(t, WSOCK_FIONBIO, &on), 0);
	sin = loopback(local_port(full));
	EXPECT_WSA(wsock_connect(t, sa(&sin), sizeof(sin)), WSAEWOULDBLOCK);
	EXPECT_WSA(wsock_connect(t, sa(&sin), sizeof(sin)), WSAEALREADY);
	/* Non-blocking and refused: select tells in exceptfds only. */
	t = wsock_socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(ioctlsocket(t, WSOCK_FIONBIO, &on), 0);
	EXPECT_WSA(wsock_connect(t, sa(&closed), sizeof(closed)), WSAEWOULDBLOCK);
	write = except = (wsock_fd_set){ .fd_count = 1, .fd_array = { t } };
	EXPECT_EQ(wsock_select(0, NULL, &write, &except, &tv), 1);
	EXPECT_EQ(write.fd_count, 0);
	EXPECT_EQ(except.fd_count, 1);
	EXPECT_EQ(wsock_getsockopt(t, SOL_SOCKET, SO_ERROR, (char *)&error, &len), 0);
	EXPECT_EQ(error, WSAECONNREFUSED);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(calls, G2__transfers)
{
	SOCKET s, d, unbound;
	DWORD ms = 20;
	wsock_u_long on = 1, count = 0;
	char c[16];
	int peer;

	ASSERT_EQ(startup(), 0);
	s = wsock_socket(AF_INET, SOCK_STREAM, 0);
	EXPECT_WSA(wsock_recv(s, c, 16, 0), WSAENOTCONN);
	EXPECT_WSA(wsock_send(s, c, 16, 0), WSAENOTCONN);
	unbound = wsock_socket(AF_INET, SOCK_DGRAM, 0);
	EXPECT_WSA(wsock_recv(unbound, c, 16, 0), WSAEINVAL);
	EXPECT_WSA(wsock_send(unbound, c, 16, 0), WSAENOTCONN);
	d = bound_socket(SOCK_DGRAM);
	ASSERT_EQ(wsock_setsockopt(d, SOL_SOCKET, SO_RCVTIMEO, (char *)&ms, sizeof(ms)), 0);
	EXPECT_WSA(wsock_recv(d, c, 16, 0), WSAETIMEDOUT);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(ioctlsocket(s, WSOCK_FIONBIO, &on), 0);
	EXPECT_WSA(wsock_recv(s, c, 16, 0), WSAEWOULDBLOCK);
	ASSERT_EQ(send(peer, "abc", 3, 0), 3);
	ASSERT_TRUE(readable(s));
	EXPECT_EQ(ioctlsocket(s, WSOCK_FIONREAD, &count), 0);
	EXPECT_EQ(count, 3);
	EXPECT_EQ(wsock_recv(s, c, 16, 0), 3);
	EXPECT_WSA(ioctlsocket(s, 0x1234, &count), WSAEOPNOTSUPP);
	EXPECT_WSA(ioctlsocket(s, WSOCK_FIONREAD, NULL), WSAEFAULT);
	/* Overlapped operations do not care for the blocking mode. */
	{
		struct operation op;

		EXPECT_EQ(start_recv(s, &op, NULL, 16), WSA_IO_PENDING);
		ASSERT_EQ(send(peer, "x", 1, 0), 1);
		EXPECT_TRUE(wait_for(status(&op) == STATUS_SUCCESS));
	}
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(calls, G2__options)
{
	struct wsock_linger linger = { 0 };
	int value = 0, len = sizeof(value), peer;
	DWORD ms = 1234, got = 0;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	EXPECT_WSA(wsock_getsockopt(s, SOL_SOCKET, 0x7fff, (char *)&value, &len),
		   WSAENOPROTOOPT);
	EXPECT_WSA(wsock_getsockopt(s, 0x7777, 1, (char *)&value, &len), WSAEINVAL);
	EXPECT_WSA(wsock_getsockopt(s, SOL_SOCKET, SO_TYPE, NULL, &len), WSAEFAULT);
	len = 2;
	EXPECT_WSA(wsock_getsockopt(s, SOL_SOCKET, SO_TYPE, (char *)&value, &len), WSAEFAULT);
	EXPECT_WSA(wsock_setsockopt(s, SOL_SOCKET, SO_LINGER, (char *)&linger, 2), WSAEFAULT);
	ASSERT_EQ(wsock_setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, (char *)&ms, sizeof(ms)), 0);
	len = sizeof(got);
	ASSERT_EQ(wsock_getsockopt(s, SOL_SOCKET, SO_RCVTIMEO, (char *)&got, &len), 0);
	EXPECT_GE(got, ms);
	EXPECT_LT(got, ms + 20);
	linger = (struct wsock_linger){ .l_onoff = 1, .l_linger = 7 };
	ASSERT_EQ(wsock_setsockopt(s, SOL_SOCKET, SO_LINGER, (char *)&linger, 4), 0);
	linger = (struct wsock_linger){ 0 };
	len = sizeof(linger);
	ASSERT_EQ(wsock_getsockopt(s, SOL_SOCKET, SO_LINGER, (char *)&linger, &len), 0);
	EXPECT_EQ(len, 4);
	EXPECT_EQ(linger.l_onoff, 1);
	EXPECT_EQ(linger.l_linger, 7);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(calls, G2__select_and_poll)
{
	struct timeval none = { 0 };
	wsock_fd_set set = { 0 };
	WSAPOLLFD pfd;
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	EXPECT_WSA(wsock_select(0, NULL, NULL, NULL, &none), WSAEINVAL);
	EXPECT_WSA(wsock_select(0, &set, &set, &set, &none), WSAEINVAL);
	set = (wsock_fd_set){ .fd_count = 1, .fd_array = { s } };
	EXPECT_EQ(wsock_select(0, &set, NULL, NULL, &none), 0);
	EXPECT_EQ(set.fd_count, 0);
	pfd = (WSAPOLLFD){ .fd = s, .events = WSOCK_POLLHUP };
	EXPECT_WSA(WSAPoll(&pfd, 1, 0), WSAEINVAL);
	EXPECT_WSA(WSAPoll(NULL, 1, 0), WSAEFAULT);
	pfd.events = WSOCK_POLLRDNORM;
	EXPECT_EQ(WSAPoll(&pfd, 1, 0), 0);
	/* The end of the stream is a hang-up, and readable only for select. */
	shutdown(peer, SHUT_WR);
	EXPECT_EQ(WSAPoll(&pfd, 1, TIMEOUT_MS), 1);
	EXPECT_EQ(pfd.revents, WSOCK_POLLHUP);
	set = (wsock_fd_set){ .fd_count = 1, .fd_array = { s } };
	EXPECT_EQ(wsock_select(0, &set, NULL, NULL, &none), 1);
	EXPECT_EQ(WSACleanup(), 0);
}

/* A signal is no Winsock concept: calls go on. */
static void on_signal(int nr)
{
}

static int call_recv(struct caller *c)
{
	char data[4];

	return wsock_recv(c->s, data, 4, 0);
}

TEST_F(calls, A0__signals_do_not_end_calls)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct caller c = { .call = call_recv };
	int peer;

	ASSERT_EQ(sigaction(SIGUSR1, &action, NULL), 0);
	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&c.s, &peer), 0);
	ASSERT_TRUE(caller_start(&c) && caller_blocked(&c, SYS_recvmsg));
	for (int i = 0; i < 5; i++) {
		pthread_kill(c.thread, SIGUSR1);
		EXPECT_TRUE(caller_blocked(&c, SYS_recvmsg));
	}
	ASSERT_EQ(send(peer, "ab", 2, 0), 2);
	ASSERT_TRUE(caller_join(&c));
	EXPECT_EQ(c.result, 2);
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- closesocket and other threads (C.i, H3, H7) ---- */

static int call_accept(struct caller *c)
{
	return (int)wsock_accept(c->s, NULL, NULL);
}

static int call_select_read(struct caller *c)
{
	wsock_fd_set set = { .fd_count = 1, .fd_array = { c->s } };
	int ret = wsock_select(0, &set, NULL, NULL, NULL);

	return ret == 1 && set.fd_count == 1 && set.fd_array[0] == c->s ? 1 : -1;
}

TEST_F(calls, CI__closesocket_wakes_other_threads)
{
	struct caller stream = { .call = call_recv }, datagram = { .call = call_recv };
	struct caller accepts = { .call = call_accept }, selects = { .call = call_select_read };
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&stream.s, &peer), 0);
	datagram.s = bound_socket(SOCK_DGRAM);
	accepts.s = listening_socket();
	selects.s = bound_socket(SOCK_DGRAM);
	ASSERT_TRUE(caller_start(&stream) && caller_blocked(&stream, SYS_recvmsg));
	ASSERT_TRUE(caller_start(&datagram) && caller_blocked(&datagram, SYS_recvmsg));
	ASSERT_TRUE(caller_start(&accepts) && caller_blocked(&accepts, SYS_accept4));
	ASSERT_TRUE(caller_start(&selects) && caller_blocked(&selects, SYS_ppoll));
	EXPECT_EQ(closesocket(stream.s), 0);
	ASSERT_TRUE(caller_join(&stream));
	EXPECT_EQ(stream.result, SOCKET_ERROR);
	EXPECT_EQ(stream.error, WSAECONNABORTED);
	EXPECT_EQ(closesocket(datagram.s), 0);
	ASSERT_TRUE(caller_join(&datagram));
	EXPECT_EQ(datagram.result, SOCKET_ERROR);
	EXPECT_EQ(datagram.error, WSAEINTR);
	EXPECT_EQ(closesocket(accepts.s), 0);
	ASSERT_TRUE(caller_join(&accepts));
	EXPECT_EQ(accepts.result, -1);
	EXPECT_EQ(accepts.error, WSAEINTR);
	EXPECT_EQ(closesocket(selects.s), 0);
	ASSERT_TRUE(caller_join(&selects));
	EXPECT_EQ(selects.result, 1);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_HARNESS_MAIN
