// SPDX-License-Identifier: GPL-2.0
/*
 * WSAEventSelect and WSAEnumNetworkEvents: which events come, when, how often
 * and with which errors, and that the end of a socket tells nobody.
 */
#include "winsock.h"
#include "kselftest_harness.h"

#define ALL (FD_READ | FD_WRITE | FD_OOB | FD_ACCEPT | FD_CONNECT | FD_CLOSE)

static WSANETWORKEVENTS events;

/* Fetches the record into events; returns its bits, or -1. */
static int fetch(SOCKET s, WSAEVENT event)
{
	memset(&events, POISON, sizeof(events));
	return WSAEnumNetworkEvents(s, event, &events) ? -1 : events.lNetworkEvents;
}

/* Waits for the event, and fetches. */
static int next(SOCKET s, WSAEVENT event)
{
	return becomes_signalled(event) ? fetch(s, event) : 0;
}

/* Selects all, and forgets what there is to tell already; false on error. */
static bool select_used(SOCKET s, WSAEVENT event)
{
	return !WSAEventSelect(s, event, ALL) && fetch(s, event) >= 0 && !signalled(event);
}

static bool plain_readable(SOCKET s)
{
	struct pollfd pfd = { .fd = (int)s, .events = POLLIN };

	return poll(&pfd, 1, TIMEOUT_MS) == 1;
}

static void reset_by_close(int fd)
{
	struct linger linger = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}

static int set_blocking(SOCKET s)
{
	wsock_u_long off = 0;

	return ioctlsocket(s, WSOCK_FIONBIO, &off) ? WSAGetLastError() : 0;
}

static bool is_nonblocking(SOCKET s)
{
	return fcntl((int)s, F_GETFL) & O_NONBLOCK;
}

static int connect_error(SOCKET s, struct sockaddr_in *sin)
{
	return wsock_connect(s, sa(sin), sizeof(*sin)) ? WSAGetLastError() : 0;
}

/* A port that refuses. */
static struct sockaddr_in refusing(void)
{
	int l = tcp_listener();
	struct sockaddr_in sin = loopback(local_port(l));

	close(l);
	return sin;
}

#define EXPECT_ERROR(call, error) do {						\
	EXPECT_EQ(call, SOCKET_ERROR);						\
	EXPECT_EQ(WSAGetLastError(), error);					\
} while (0)

WINSOCK_FIXTURE(events);

#define START()									\
	WSAEVENT event = WSACreateEvent();					\
										\
	ASSERT_EQ(startup(), 0)

#define START_PAIR()								\
	SOCKET s;								\
	int peer;								\
	START();								\
	ASSERT_EQ(stream_pair(&s, &peer), 0);					\
	ASSERT_TRUE(select_used(s, event))

#define QUIET()									\
	EXPECT_FALSE(signalled(event))

TEST_F(events, F5__errors)
{
	int fds[2];
	WSAEVENT closed = WSACreateEvent();
	SOCKET s;

	START();
	WSACloseEvent(closed);
	s = wsock_socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(pipe(fds), 0);
	EXPECT_ERROR(WSAEventSelect(INVALID_SOCKET, event, ALL), WSAENOTSOCK);
	EXPECT_ERROR(WSAEventSelect(fds[0], event, ALL), WSAENOTSOCK);
	EXPECT_ERROR(WSAEventSelect(s, NULL, FD_READ), WSAEINVAL);
	EXPECT_ERROR(WSAEventSelect(s, (WSAEVENT)s, FD_READ), WSAEINVAL);
	EXPECT_ERROR(WSAEventSelect(s, closed, FD_READ), WSAEINVAL);
	EXPECT_ERROR(WSAEventSelect(s, event, 1 << FD_MAX_EVENTS), WSAEINVAL);
	EXPECT_FALSE(is_nonblocking(s));
	EXPECT_ERROR(WSAEnumNetworkEvents(INVALID_SOCKET, event, &events), WSAENOTSOCK);
	EXPECT_ERROR(WSAEnumNetworkEvents(fds[0], event, &events), WSAENOTSOCK);
	EXPECT_ERROR(WSAEnumNetworkEvents(s, event, NULL), WSAEFAULT);
	EXPECT_ERROR(WSAEnumNetworkEvents(s, closed, &events), WSAEINVAL);
	EXPECT_EQ(WSAEventSelect(s, event, FD_ALL_EVENTS), 0);
	EXPECT_EQ(fetch(s, NULL), 0);
	EXPECT_EQ(WSAEventSelect(s, event, FD_ROUTING_INTERFACE_CHANGE), 0);
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_ERROR(WSAEventSelect(s, event, ALL), WSANOTINITIALISED);
	EXPECT_ERROR(WSAEnumNetworkEvents(s, event, &events), WSANOTINITIALISED);
	close(fds[0]);
	close(fds[1]);
}

TEST_F(events, D12__select_forces_nonblocking)
{
	SOCKET s;

	START();
	s = wsock_socket(AF_INET, SOCK_STREAM, 0);
	EXPECT_EQ(WSAEventSelect(s, NULL, 0), 0);
	EXPECT_TRUE(is_nonblocking(s));
	EXPECT_EQ(set_blocking(s), 0);
	EXPECT_EQ(WSAEventSelect(s, event, FD_READ), 0);
	EXPECT_TRUE(is_nonblocking(s));
	/* test_fionbio */
	EXPECT_EQ(set_blocking(s), WSAEINVAL);
	EXPECT_TRUE(is_nonblocking(s));
	EXPECT_EQ(WSAEventSelect(s, event, 0), 0);
	EXPECT_TRUE(is_nonblocking(s));
	EXPECT_EQ(set_blocking(s), 0);
	EXPECT_FALSE(is_nonblocking(s));
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(events, D12__select_replaces_the_registration)
{
	WSAEVENT other = WSACreateEvent();

	START_PAIR();
	EXPECT_EQ(WSAEventSelect(s, other, ALL), 0);
	EXPECT_EQ(send(peer, "x", 1, 0), 1);
	EXPECT_EQ(next(s, other), FD_READ);
	QUIET();
	/* The event that is not used any more is still ours. */
	EXPECT_TRUE(WSASetEvent(event));
	EXPECT_TRUE(WSAResetEvent(event));
	/* Ended: nothing comes any more. */
	EXPECT_EQ(WSAEventSelect(s, NULL, 0), 0);
	close(peer);
	EXPECT_TRUE(plain_readable(s));
	EXPECT_FALSE(signalled(other));
	EXPECT_EQ(fetch(s, other), 0);
	EXPECT_EQ(WSAEventSelect(s, event, ALL), 0);
	EXPECT_EQ(next(s, event), FD_CLOSE);
	EXPECT_EQ(WSACleanup(), 0);
}

/* test_WSAEnumNetworkEvents */
TEST_F(events, D12__enum_writes_only_what_happened)
{
	START();
	SOCKET kinds[2] = {
		wsock_socket(AF_INET, SOCK_STREAM, 0),
		bound_socket(SOCK_DGRAM),
	};

	for (int kind = 0; kind < 2; kind++) {
		for (int i = 0; i < 5; i++) {
			int expected = kind && !i ? FD_WRITE : 0;

			EXPECT_EQ(WSAEventSelect(kinds[kind], event, ALL), 0);
			EXPECT_EQ(signalled(event), !!expected);
			EXPECT_EQ(fetch(kinds[kind], i % 2 ? NULL : event), expected);
			for (int bit = 0; bit < FD_MAX_EVENTS; bit++)
				EXPECT_EQ((unsigned int)events.iErrorCode[bit],
					  expected & 1 << bit ? 0 : POISON_WORD);
		}
	}
	QUIET();
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(events, D12__enum_resets_only_the_event_it_is_given)
{
	START_PAIR();
	EXPECT_EQ(send(peer, "x", 1, 0), 1);
	EXPECT_TRUE(becomes_signalled(event));
	EXPECT_EQ(fetch(s, NULL), FD_READ);
	EXPECT_TRUE(signalled(event));
	EXPECT_EQ(fetch(s, event), 0);
	QUIET();
	close(peer);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(events, D12__enum_leaves_events_that_are_not_selected)
{
	START_PAIR();
	EXPECT_EQ(send(peer, "x", 1, 0), 1);
	EXPECT_TRUE(becomes_signalled(event));
	EXPECT_EQ(WSAEventSelect(s, event, ALL & ~FD_READ), 0);
	EXPECT_EQ(fetch(s, event), 0);
	EXPECT_EQ(WSAEventSelect(s, event, ALL), 0);
	EXPECT_EQ(next(s, event), FD_READ);
	close(peer);
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- Each event ---- */

enum receive { RECV, RECVFROM, WSARECV, WSARECVFROM, OVERLAPPED_RECV, RECEIVES };

/* One byte, by each of the calls; returns how many it got, or the error negated. */
static int receive_one(SOCKET s, enum receive how)
{
	struct operation op;
	WSABUF buf = { .len = 1, .buf = op.data };
	DWORD bytes = 0, flags = 0;
	int ret;

	switch (how) {
	case RECV:
		ret = wsock_recv(s, op.data, 1, 0);
		return ret < 0 ? -WSAGetLastError() : ret;
	case RECVFROM:
		ret = wsock_recvfrom(s, op.data, 1, 0, NULL, NULL);
		return ret < 0 ? -WSAGetLastError() : ret;
	case WSARECV:
		ret = WSARecv(s, &buf, 1, &bytes, &flags, NULL, NULL);
		return ret ? -WSAGetLastError() : (int)bytes;
	case WSARECVFROM:
		ret = WSARecvFrom(s, &buf, 1, &bytes, &flags, NULL, NULL, NULL, NULL);
		return ret ? -WSAGetLastError() : (int)bytes;
	default:
		ret = start_recv(s, &op, NULL, 1);
		return ret ? -ret : (int)op.bytes;
	}
}

TEST_F(events, D12__read_comes_again_after_each_receive)
{
	START_PAIR();
	EXPECT_EQ(send(peer, "0123456789", RECEIVES + 1, 0), RECEIVES + 1);
	EXPECT_EQ(next(s, event), FD_READ);
	for (int how = 0; how < RECEIVES; how++) {
		/* Not by selecting it anew. */
		EXPECT_EQ(WSAEventSelect(s, event, ALL), 0);
		QUIET();
		EXPECT_EQ(receive_one(s, how), 1);
		EXPECT_EQ(next(s, event), FD_READ);
		EXPECT_EQ(events.iErrorCode[FD_READ_BIT], 0);
	}
	/* Nothing is left, but the receives enable it for what comes. */
	for (int how = 0; how < OVERLAPPED_RECV; how++) {
		char c;

		EXPECT_EQ(recv((int)s, &c, 1, 0), 1);
		EXPECT_EQ(receive_one(s, how), -WSAEWOULDBLOCK);
		QUIET();
		EXPECT_EQ(send(peer, "x", 1, 0), 1);
		EXPECT_EQ(next(s, event), FD_READ);
	}
	close(peer);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(events, D12__read_after_select_was_ended_and_begun_again)
{
	char c;

	START_PAIR();
	EXPECT_EQ(send(peer, "x", 1, 0), 1);
	EXPECT_EQ(next(s, event), FD_READ);
	EXPECT_EQ(WSAEventSelect(s, NULL, 0), 0);
	EXPECT_EQ(wsock_recv(s, &c, 1, 0), 1);
	EXPECT_EQ(send(peer, "x", 1, 0), 1);
	EXPECT_TRUE(plain_readable(s));
	EXPECT_EQ(WSAEventSelect(s, event, ALL), 0);
	EXPECT_EQ(next(s, event), FD_READ);
	close(peer);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(events, D12__read_is_not_raised_for_a_posted_receive)
{
	struct operation op;
	WSAEVENT done = WSACreateEvent();

	START_PAIR();
	EXPECT_EQ(start_recv(s, &op, done, 4), WSA_IO_PENDING);
	EXPECT_EQ(send(peer, "four", 4, 0), 4);
	EXPECT_TRUE(becomes_signalled(done));
	EXPECT_EQ(fetch(s, NULL), 0);
	QUIET();
	EXPECT_EQ(start_recv(s, &op, done, 2), WSA_IO_PENDING);
	EXPECT_EQ(send(peer, "four", 4, 0), 4);
	EXPECT_EQ(next(s, event), FD_READ);
	EXPECT_TRUE(becomes_signalled(done));
	close(peer);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(events, D12__oob)
{
	char c;

	START_PAIR();
	EXPECT_EQ(send(peer, "1", 1, MSG_OOB), 1);
	EXPECT_EQ(next(s, event), FD_OOB);
	EXPECT_EQ(wsock_recv(s, &c, 1, MSG_OOB), 1);
	QUIET();
	EXPECT_EQ(send(peer, "2", 1, MSG_OOB), 1);
	EXPECT_EQ(next(s, event), FD_OOB);
	/* A receive of other data does not enable it. */
	EXPECT_EQ(wsock_recv(s, &c, 1, 0), -1);
	QUIET();
	close(peer);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(events, D12__write_after_wouldblock_only)
{
	char data[65536] = "";
	size_t got = 0;
	ssize_t n;

	START_PAIR();
	EXPECT_EQ(wsock_send(s, data, 1, 0), 1);
	EXPECT_EQ(WSAEventSelect(s, event, ALL), 0);
	QUIET();
	while (wsock_send(s, data, sizeof(data), 0) > 0)
		;
	EXPECT_EQ(WSAGetLastError(), WSAEWOULDBLOCK);
	QUIET();
	while (!signalled(event) && got < 64 << 20) {
		n = recv(peer, data, sizeof(data), MSG_DONTWAIT);
		got += n > 0 ? n : 0;
	}
	EXPECT_EQ(next(s, event), FD_WRITE);
	EXPECT_EQ(events.iErrorCode[FD_WRITE_BIT], 0);
	EXPECT_EQ(wsock_send(s, data, 1, 0), 1);
	QUIET();
	close(peer);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(events, D12__send_does_not_clear_write)
{
	SOCKET s;
	int peer;

	START();
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	EXPECT_EQ(WSAEventSelect(s, event, ALL), 0);
	EXPECT_EQ(wsock_send(s, "x", 1, 0), 1);
	/* Selected after the connection was made: it is told all the same. */
	EXPECT_EQ(next(s, event), FD_CONNECT | FD_WRITE);
	close(peer);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(events, D12__connect_once_with_its_error)
{
	struct sockaddr_in sin = refusing();
	int l;
	SOCKET s;

	START();
	s = wsock_socket(AF_INET, SOCK_STREAM, 0);
	EXPECT_EQ(WSAEventSelect(s, event, ALL), 0);
	EXPECT_EQ(connect_error(s, &sin), WSAEWOULDBLOCK);
	EXPECT_EQ(next(s, event), FD_CONNECT);
	EXPECT_EQ(events.iErrorCode[FD_CONNECT_BIT], WSAECONNREFUSED);
	QUIET();
	/* Each attempt has its own. */
	EXPECT_EQ(connect_error(s, &sin), WSAEWOULDBLOCK);
	EXPECT_EQ(next(s, event), FD_CONNECT);
	EXPECT_EQ(events.iErrorCode[FD_CONNECT_BIT], WSAECONNREFUSED);
	l = tcp_listener();
	sin = loopback(local_port(l));
	while (connect_error(s, &sin) != WSAEWOULDBLOCK)
		;
	EXPECT_EQ(next(s, event), FD_CONNECT | FD_WRITE);
	EXPECT_EQ(events.iErrorCode[FD_CONNECT_BIT], 0);
	EXPECT_EQ(connect_error(s, &sin), WSAEISCONN);
	EXPECT_EQ(WSAEventSelect(s, event, ALL), 0);
	QUIET();
	EXPECT_EQ(wsock_send(s, "x", 1, 0), 1);
	close(l);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(events, D12__accept_level_and_inherited)
{
	int c[2];
	SOCKET l, a;

	START();
	l = listening_socket();
	EXPECT_EQ(WSAEventSelect(l, event, ALL), 0);
	QUIET();
	c[0] = tcp_connect(local_port(l));
	c[1] = tcp_connect(local_port(l));
	EXPECT_EQ(next(l, event), FD_ACCEPT);
	EXPECT_EQ(WSAEventSelect(l, event, ALL), 0);
	QUIET();
	a = wsock_accept(l, NULL, NULL);
	ASSERT_NE(a, INVALID_SOCKET);
	EXPECT_TRUE(is_nonblocking(a));
	EXPECT_EQ(set_blocking(a), WSAEINVAL);
	/* The next connection, and the new socket's room */
	EXPECT_TRUE(becomes_signalled(event));
	EXPECT_EQ(fetch(a, NULL), FD_WRITE);
	EXPECT_EQ(fetch(l, event), FD_ACCEPT);
	QUIET();
	EXPECT_EQ(send(c[0], "x", 1, 0), 1);
	EXPECT_EQ(next(a, event), FD_READ);
	/* It never connected. */
	EXPECT_EQ(WSAEventSelect(a, event, FD_CONNECT), 0);
	QUIET();
	EXPECT_EQ(set_blocking(a), WSAEINVAL);
	/* Accepted from a listener that is not registered any more. */
	EXPECT_EQ(WSAEventSelect(l, NULL, 0), 0);
	a = wsock_accept(l, NULL, NULL);
	ASSERT_NE(a, INVALID_SOCKET);
	EXPECT_EQ(fetch(a, NULL), 0);
	EXPECT_EQ(set_blocking(a), 0);
	EXPECT_EQ(WSAEventSelect(a, event, ALL), 0);
	EXPECT_EQ(next(a, event), FD_WRITE);
	/* A vain accept enables it, too. */
	EXPECT_EQ(WSAEventSelect(l, event, ALL), 0);
	EXPECT_EQ(wsock_accept(l, NULL, NULL), INVALID_SOCKET);
	EXPECT_EQ(WSAGetLastError(), WSAEWOULDBLOCK);
	QUIET();
	close(tcp_connect(local_port(l)));
	EXPECT_EQ(next(l, event), FD_ACCEPT);
	close(c[0]);
	close(c[1]);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(events, D12__close_once_and_before_the_data_is_read)
{
	char buf[8];

	START_PAIR();
	EXPECT_EQ(send(peer, "data", 4, 0), 4);
	EXPECT_EQ(next(s, event), FD_READ);
	EXPECT_EQ(shutdown(peer, SHUT_WR), 0);
	EXPECT_EQ(next(s, event), FD_CLOSE);
	EXPECT_EQ(events.iErrorCode[FD_CLOSE_BIT], 0);
	EXPECT_EQ(wsock_recv(s, buf, sizeof(buf), 0), 4);
	EXPECT_EQ(wsock_recv(s, buf, sizeof(buf), 0), 0);
	EXPECT_EQ(WSAEventSelect(s, event, ALL), 0);
	QUIET();
	close(peer);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(events, H15__close_by_reset_is_an_abort)
{
	char c;

	START_PAIR();
	reset_by_close(peer);
	EXPECT_EQ(next(s, event), FD_CLOSE);
	EXPECT_EQ(events.iErrorCode[FD_CLOSE_BIT], WSAECONNABORTED);
	EXPECT_EQ(wsock_recv(s, &c, 1, 0), -1);
	EXPECT_EQ(WSAGetLastError(), WSAECONNRESET);
	QUIET();
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(events, D12__own_shutdown_is_no_event)
{
	START_PAIR();
	EXPECT_EQ(wsock_shutdown(s, SD_RECEIVE), 0);
	QUIET();
	EXPECT_EQ(wsock_shutdown(s, SD_SEND), 0);
	EXPECT_EQ(peer_end(peer), 0);
	EXPECT_EQ(WSAEventSelect(s, event, ALL), 0);
	QUIET();
	close(peer);
	EXPECT_EQ(next(s, event), FD_CLOSE);
	EXPECT_EQ(events.iErrorCode[FD_CLOSE_BIT], 0);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(events, D12__datagrams)
{
	char buf[8];
	SOCKET s;

	START();
	s = bound_socket(SOCK_DGRAM);
	ASSERT_TRUE(select_used(s, event));
	EXPECT_EQ(datagram_to(s, "1", 1), 0);
	EXPECT_EQ(datagram_to(s, "too much", 8), 0);
	EXPECT_EQ(next(s, event), FD_READ);
	EXPECT_EQ(wsock_recv(s, buf, 8, 0), 1);
	EXPECT_EQ(next(s, event), FD_READ);
	/* It fails, has data, and enables. */
	EXPECT_EQ(wsock_recv(s, buf, 1, 0), -1);
	EXPECT_EQ(WSAGetLastError(), WSAEMSGSIZE);
	QUIET();
	EXPECT_EQ(datagram_to(s, "1", 1), 0);
	EXPECT_EQ(next(s, event), FD_READ);
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- A program that knows nothing but events ---- */

#define TRANSFER (4 << 20)

/* Returns what is sent to it, and closes when there is no more. */
static void *echo_thread(void *arg)
{
	static char data[65536];
	int l = *(int *)arg, fd = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	ssize_t n;

	while ((n = recv(fd, data, sizeof(data), 0)) > 0)
		if (send(fd, data, n, MSG_NOSIGNAL) != n)
			break;
	close(fd);
	return NULL;
}

TEST_F(events, E__event_client)
{
	int l = tcp_listener(), stops = 0, step = 0;
	struct sockaddr_in sin = loopback(local_port(l));
	size_t sent = 0, received = 0, wrong = 0;
	bool writable = false, ended = false;
	static char data[30011];
	pthread_t thread;
	SOCKET s;
	int n;

	START();
	s = wsock_socket(AF_INET, SOCK_STREAM, 0);
	/* Far less than we send before we receive anything: so we are stopped. */
	EXPECT_TRUE(set_option(s, SOL_SOCKET, SO_SNDBUF, 65536));
	EXPECT_TRUE(set_option(s, SOL_SOCKET, SO_RCVBUF, 65536));
	EXPECT_EQ(setsockopt(l, SOL_SOCKET, SO_SNDBUF, &(int){ 65536 }, sizeof(int)), 0);
	EXPECT_EQ(setsockopt(l, SOL_SOCKET, SO_RCVBUF, &(int){ 65536 }, sizeof(int)), 0);
	ASSERT_EQ(pthread_create(&thread, NULL, echo_thread, &l), 0);
	EXPECT_EQ(WSAEventSelect(s, event, ALL), 0);
	EXPECT_EQ(connect_error(s, &sin), WSAEWOULDBLOCK);
	while (!ended) {
		int happened = next(s, event);

		ASSERT_GT(happened, 0) TH_LOG("sent %zu, received %zu", sent, received);
		if (step++ == 0)
			EXPECT_EQ(happened, FD_CONNECT | FD_WRITE);
		for (int bit = 0; bit < FD_MAX_EVENTS; bit++)
			if (happened & 1 << bit)
				EXPECT_EQ(events.iErrorCode[bit], 0);
		if (happened & FD_READ) {
			/* One receive for one event. */
			n = wsock_recv(s, data, sizeof(data), 0);
			for (int i = 0; i < n; i++)
				wrong += (unsigned char)data[i] != (received + i) % 251;
			received += n > 0 ? n : 0;
		}
		writable = happened & FD_WRITE;
		while (writable && sent < TRANSFER) {
			size_t left = TRANSFER - sent;
			size_t len = left < sizeof(data) ? left : sizeof(data);

			for (size_t i = 0; i < len; i++)
				data[i] = (sent + i) % 251;
			n = wsock_send(s, data, len, 0);
			if (n < 0) {
				EXPECT_EQ(WSAGetLastError(), WSAEWOULDBLOCK);
				stops++;
				break;
			}
			sent += n;
			if (sent == TRANSFER)
				EXPECT_EQ(wsock_shutdown(s, SD_SEND), 0);
		}
		ended = happened & FD_CLOSE;
	}
	/* What came before the end may still be there. */
	while ((n = wsock_recv(s, data, sizeof(data), 0)) > 0)
		received += n;
	EXPECT_EQ(n, 0);
	EXPECT_EQ(sent, TRANSFER);
	EXPECT_EQ(received, TRANSFER);
	EXPECT_EQ(wrong, 0);
	EXPECT_GT(stops, 0);
	pthread_join(thread, NULL);
	close(l);
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- The end tells nobody ---- */

TEST_F(events, C21__closesocket_is_silent)
{
	struct operation op;

	START_PAIR();
	EXPECT_EQ(start_recv(s, &op, NULL, 4), WSA_IO_PENDING);
	EXPECT_EQ(closesocket(s), 0);
	EXPECT_EQ(peer_end(peer), -ECONNRESET);
	QUIET();
	/* It is as good as before. */
	EXPECT_TRUE(WSASetEvent(event));
	EXPECT_TRUE(signalled(event));
	close(peer);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(events, C22__cleanup_signals_no_event_object)
{
	struct operation op;
	SOCKET l, u, fresh;

	START_PAIR();
	l = listening_socket();
	u = bound_socket(SOCK_DGRAM);
	fresh = wsock_socket(AF_INET, SOCK_STREAM, 0);
	EXPECT_TRUE(select_used(l, event));
	EXPECT_TRUE(select_used(u, event));
	EXPECT_TRUE(select_used(fresh, event));
	EXPECT_EQ(start_recv(s, &op, NULL, 4), WSA_IO_PENDING);
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(WSAWaitForMultipleEvents(1, &event, TRUE, 0, FALSE), WSA_WAIT_TIMEOUT);
	EXPECT_EQ(peer_end(peer), -ECONNRESET);
	EXPECT_EQ(WSAWaitForMultipleEvents(1, &event, TRUE, QUIET_MS, FALSE), WSA_WAIT_TIMEOUT);
	EXPECT_EQ(counter("netevents"), 0);
	EXPECT_TRUE(WSASetEvent(event));
	EXPECT_TRUE(signalled(event));
	EXPECT_TRUE(WSACloseEvent(event));
	close(peer);
}

/* The event is the parent's too, and stays unsignalled when the child is killed. */
TEST_F(events, C22__kill_signals_no_event_object)
{
	WSAEVENT event = WSACreateEvent();
	int l = tcp_listener(), ready[2], peer;
	struct sockaddr_in sin = loopback(local_port(l));
	pid_t pid;

	ASSERT_EQ(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		SOCKET s;

		if (startup())
			_exit(1);
		s = wsock_socket(AF_INET, SOCK_STREAM, 0);
		if (wsock_connect(s, sa(&sin), sizeof(sin)) || !select_used(s, event) ||
		    !tell(ready[1]))
			_exit(2);
		pause();
	}
	peer = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	EXPECT_TRUE(hear(ready[0]));
	kill(pid, SIGKILL);
	EXPECT_EQ(peer_end(peer), -ECONNRESET);
	EXPECT_EQ(child_status(pid), -1);
	QUIET();
	EXPECT_TRUE(WSASetEvent(event));
	EXPECT_TRUE(signalled(event));
	close(peer);
	close(l);
}

static int wait_for_event(struct caller *c)
{
	return WSAWaitForMultipleEvents(1, c->arg, TRUE, TIMEOUT_MS, FALSE);
}

/* H4: it is no Winsock call, so nothing ends it. */
TEST_F(events, C20__a_wait_for_the_event_goes_on)
{
	SOCKET s, t;
	int peers[2];

	START();
	struct caller c = { .call = wait_for_event, .arg = &event };

	ASSERT_EQ(stream_pair(&s, &peers[0]), 0);
	ASSERT_EQ(stream_pair(&t, &peers[1]), 0);
	ASSERT_TRUE(select_used(s, event));
	ASSERT_TRUE(select_used(t, event));
	ASSERT_TRUE(caller_start(&c));
	ASSERT_TRUE(caller_blocked(&c, SYS_ppoll));
	EXPECT_EQ(closesocket(s), 0);
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(peer_end(peers[1]), -ECONNRESET);
	usleep(QUIET_MS * 1000);
	EXPECT_FALSE(caller_done(&c));
	EXPECT_TRUE(WSASetEvent(event));
	EXPECT_TRUE(caller_join(&c));
	EXPECT_EQ(c.result, WSA_WAIT_EVENT_0);
	close(peers[0]);
	close(peers[1]);
}

TEST_F(events, C39__the_next_user_starts_with_nothing)
{
	SOCKET again;

	START_PAIR();
	EXPECT_EQ(send(peer, "x", 1, 0), 1);
	EXPECT_TRUE(becomes_signalled(event));
	EXPECT_TRUE(WSAResetEvent(event));
	EXPECT_EQ(WSACleanup(), 0);
	close(peer);
	EXPECT_EQ(startup(), 0);
	do {
		again = wsock_socket(AF_INET, SOCK_STREAM, 0);
		ASSERT_NE(again, INVALID_SOCKET);
	} while (again != s);
	EXPECT_EQ(fetch(again, event), 0);
	EXPECT_FALSE(is_nonblocking(again));
	EXPECT_EQ(set_blocking(again), 0);
	EXPECT_EQ(WSAEventSelect(again, event, ALL), 0);
	QUIET();
	EXPECT_EQ(WSACleanup(), 0);
}

/* Rounds of start-up, event, clean-up: nothing is left, nothing signals late. */
TEST_F(events, C39__rounds)
{
	WSAEVENT event = WSACreateEvent();

	for (int i = 0; i < 200; i++) {
		int peer, n;
		SOCKET s;

		ASSERT_EQ(startup(), 0);
		ASSERT_EQ(stream_pair(&s, &peer), 0);
		ASSERT_EQ(WSAEventSelect(s, event, ALL), 0);
		ASSERT_EQ(next(s, event), FD_CONNECT | FD_WRITE);
		ASSERT_EQ(send(peer, "x", 1, 0), 1);
		ASSERT_EQ(next(s, event), FD_READ);
		if (i % 2)
			ASSERT_EQ(closesocket(s), 0);
		ASSERT_EQ(WSACleanup(), 0);
		ASSERT_EQ(counter("netevents"), 0);
		ASSERT_FALSE(signalled(event));
		n = peer_end(peer);
		ASSERT_TRUE(n == 0 || n == -ECONNRESET);
		close(peer);
	}
}

TEST_HARNESS_MAIN
