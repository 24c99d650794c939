// SPDX-License-Identifier: GPL-2.0
/*
 * What becomes of sockets: those that are open at the final WSACleanup, and
 * those that were closed before (C33-C35, C37, C38, H1, H19, closesocket).
 */
#include "winsock.h"
#include "kselftest_harness.h"

static char big[8 << 20];

/* ---- Open connections are reset (C33, H1) ---- */

enum state { IDLE, LINGER_0, LINGER_30, UNSENT, UNREAD, PENDING_RECV, PENDING_SEND, SHUT_SEND,
	     PEER_SHUT, ACCEPTED, STATES };

static struct operation ops[STATES];

/* Returns 0 for a connection in that state. */
static int make(enum state state, SOCKET *s, int *peer)
{
	struct wsock_linger linger = { .l_onoff = 1, .l_linger = state == LINGER_30 ? 30 : 0 };
	struct pollfd pfd = { .events = POLLIN | POLLRDHUP };
	wsock_u_long count = 1;

	if (state == ACCEPTED) {
		SOCKET l = listening_socket();

		*peer = tcp_connect(local_port(l));
		*s = wsock_accept(l, NULL, NULL);
		return *s == INVALID_SOCKET;
	}
	if (stream_pair(s, peer))
		return 1;
	switch (state) {
	case LINGER_0:
	case LINGER_30:
		return wsock_setsockopt(*s, SOL_SOCKET, SO_LINGER, (char *)&linger,
					sizeof(linger));
	case UNSENT:
		/* More than the peer's window takes. */
		if (ioctlsocket(*s, WSOCK_FIONBIO, &count))
			return 1;
		return wsock_send(*s, big, sizeof(big), 0) <= 0;
	case UNREAD:
		send(*peer, "unread", 6, 0);
		pfd.fd = *s;
		return poll(&pfd, 1, TIMEOUT_MS) != 1;
	case PENDING_RECV:
		return start_recv(*s, &ops[state], NULL, 16) != WSA_IO_PENDING;
	case PENDING_SEND:
		return start_send(*s, &ops[state], NULL, big, sizeof(big)) != WSA_IO_PENDING;
	case SHUT_SEND:
		if (wsock_shutdown(*s, SD_SEND))
			return 1;
		pfd.fd = *peer;
		return poll(&pfd, 1, TIMEOUT_MS) != 1;
	case PEER_SHUT:
		shutdown(*peer, SHUT_WR);
		pfd.fd = *s;
		return poll(&pfd, 1, TIMEOUT_MS) != 1;
	default:
		return 0;
	}
}

/* The peer got a reset: not only the end of the stream. */
static int peer_reset(int fd)
{
	struct pollfd pfd = { .fd = fd };
	int err = 0;
	socklen_t len = sizeof(err);
	char c[4096];

	if (poll(&pfd, 1, TIMEOUT_MS) != 1)	/* POLLERR or POLLHUP */
		return -ETIMEDOUT;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	while (recv(fd, c, sizeof(c), MSG_DONTWAIT) > 0)
		;
	return -err;
}

FIXTURE(open_socket)
{
	int unused;
};

FIXTURE_VARIANT(open_socket)
{
	enum state state;
};

FIXTURE_SETUP(open_socket)
{
}

FIXTURE_TEARDOWN_PARENT(open_socket)
{
	EXPECT_TRUE(counters_zero());
}

FIXTURE_VARIANT_ADD(open_socket, default_linger) { IDLE };
FIXTURE_VARIANT_ADD(open_socket, linger_0) { LINGER_0 };
FIXTURE_VARIANT_ADD(open_socket, linger_30_s) { LINGER_30 };
FIXTURE_VARIANT_ADD(open_socket, unsent_data) { UNSENT };
FIXTURE_VARIANT_ADD(open_socket, unread_data) { UNREAD };
FIXTURE_VARIANT_ADD(open_socket, pending_recv) { PENDING_RECV };
FIXTURE_VARIANT_ADD(open_socket, pending_send) { PENDING_SEND };
FIXTURE_VARIANT_ADD(open_socket, shut_down_for_sending) { SHUT_SEND };
FIXTURE_VARIANT_ADD(open_socket, shut_down_by_the_peer) { PEER_SHUT };
FIXTURE_VARIANT_ADD(open_socket, accepted) { ACCEPTED };

TEST_F(open_socket, C33__is_reset_by_the_final_cleanup)
{
	/* SHUT_SEND: the peer has the end of the stream already. */
	struct pollfd pfd = { .events = variant->state == SHUT_SEND ? 0 : POLLRDHUP };
	double start;
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(make(variant->state, &s, &peer), 0);
	ASSERT_EQ(WSACleanup(), 0);
	/* Not before the last. */
	pfd.fd = peer;
	EXPECT_EQ(poll(&pfd, 1, 0), 0);
	start = now_ms();
	ASSERT_EQ(WSACleanup(), 0);
	/* It does not linger. */
	EXPECT_LT(now_ms() - start, 5000);
	/* What Linux calls a reset after the end of the stream is EPIPE. */
	EXPECT_EQ(peer_reset(peer), variant->state == SHUT_SEND ? -EPIPE : -ECONNRESET);
	EXPECT_EQ(fcntl(s, F_GETFD), -1);
	EXPECT_TRUE(holds_nothing());
}

/* H19: the end of the process is the same, however it ends. */
static void end_in_child(struct __test_metadata *_metadata, enum state state, bool kill_it)
{
	int l = tcp_listener(), ready[2], peer;
	pid_t pid;

	ASSERT_EQ(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (!pid) {
		struct sockaddr_in sin = loopback(local_port(l));
		wsock_u_long on = 1;
		struct pollfd pfd;
		SOCKET s;

		if (startup())
			_exit(1);
		s = wsock_socket(AF_INET, SOCK_STREAM, 0);
		if (wsock_connect(s, sa(&sin), sizeof(sin)))
			_exit(2);
		pfd = (struct pollfd){ .fd = s, .events = POLLIN };
		if (state == UNSENT && (ioctlsocket(s, WSOCK_FIONBIO, &on) ||
					wsock_send(s, big, sizeof(big), 0) <= 0))
			_exit(3);
		if (state == UNREAD && poll(&pfd, 1, TIMEOUT_MS) != 1)
			_exit(4);
		if (state == PENDING_RECV &&
		    start_recv(s, &ops[0], WSACreateEvent(), 16) != WSA_IO_PENDING)
			_exit(5);
		tell(ready[1]);
		if (kill_it)
			pause();
		_exit(42);
	}
	peer = accept(l, NULL, NULL);
	if (state == UNREAD)
		send(peer, "unread", 6, 0);
	ASSERT_TRUE(hear(ready[0]));
	if (kill_it)
		kill(pid, SIGKILL);
	EXPECT_EQ(child_status(pid), kill_it ? -1 : 42);
	EXPECT_EQ(peer_reset(peer), -ECONNRESET);
	close(peer);
	close(l);
}

WINSOCK_FIXTURE(reset);

TEST_F(reset, H19__exit_without_cleanup)
{
	end_in_child(_metadata, IDLE, false);
	end_in_child(_metadata, UNSENT, false);
	end_in_child(_metadata, UNREAD, false);
	end_in_child(_metadata, PENDING_RECV, false);
	EXPECT_TRUE(counters_zero());
}

TEST_F(reset, H19__killed)
{
	end_in_child(_metadata, IDLE, true);
	end_in_child(_metadata, UNSENT, true);
	end_in_child(_metadata, UNREAD, true);
	end_in_child(_metadata, PENDING_RECV, true);
	EXPECT_TRUE(counters_zero());
}

/* ---- Deallocated (C34) ---- */

/* Another program that binds and listens to a port when told to. */
static pid_t start_binder(int port, int type, int go[2])
{
	pid_t pid;

	if (pipe2(go, O_CLOEXEC))
		return -1;
	pid = fork();
	if (!pid) {
		struct sockaddr_in sin = loopback(port);
		int fd = socket(AF_INET, type, 0);

		if (!hear(go[0]))
			_exit(1);
		if (bind(fd, sa(&sin), sizeof(sin)))
			_exit(2);
		if (type == SOCK_STREAM && listen(fd, 1))
			_exit(3);
		_exit(0);
	}
	return pid;
}

TEST_F(reset, C34__ports_are_free_and_backlogs_torn_down)
{
	int tcp[2], udp[2], clients[3], fds;
	pid_t binders[2];
	SOCKET l, d;

	ASSERT_EQ(startup(), 0);
	fds = fd_count();
	l = listening_socket();
	d = bound_socket(SOCK_DGRAM);
	binders[0] = start_binder(local_port(l), SOCK_STREAM, tcp);
	binders[1] = start_binder(local_port(d), SOCK_DGRAM, udp);
	ASSERT_GT(binders[0], 0);
	ASSERT_GT(binders[1], 0);
	for (int i = 0; i < 3; i++) {
		clients[i] = tcp_connect(local_port(l));
		ASSERT_GE(clients[i], 0);
	}
	/* One of them is accepted, two stay in the backlog. */
	ASSERT_NE(wsock_accept(l, NULL, NULL), INVALID_SOCKET);
	ASSERT_EQ(WSACleanup(), 0);
	EXPECT_TRUE(tell(tcp[1]));
	EXPECT_TRUE(tell(udp[1]));
	EXPECT_EQ(child_status(binders[0]), 0);
	EXPECT_EQ(child_status(binders[1]), 0);
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(peer_reset(clients[i]), -ECONNRESET);
		close(clients[i]);
	}
	for (int i = 0; i < 2; i++) {
		close(tcp[i]);
		close(udp[i]);
	}
	EXPECT_EQ(fcntl(l, F_GETFD), -1);
	EXPECT_EQ(fcntl(d, F_GETFD), -1);
	EXPECT_EQ(fd_count(), fds);
}

/* ---- As if closesocket were called (C35) ---- */

#define PAIRS 32

TEST_F(reset, C35__every_value_is_dead)
{
	SOCKET values[PAIRS * 4];
	struct sockaddr_in sin;
	int n = 0, fds;

	ASSERT_EQ(startup(), 0);
	fds = fd_count();
	for (int i = 0; i < PAIRS; i++) {
		SOCKET l = listening_socket(), a, b;
		int len = sizeof(sin);

		a = wsock_socket(AF_INET, SOCK_STREAM, 0);
		ASSERT_EQ(wsock_getsockname(l, sa(&sin), &len), 0);
		ASSERT_EQ(wsock_connect(a, sa(&sin), len), 0);
		b = wsock_accept(l, NULL, NULL);
		ASSERT_EQ(closesocket(l), 0);
		values[n++] = a;
		values[n++] = b;
		/* Duplicates in the same process. */
		for (int j = 0; j < 2; j++) {
			int dup = fcntl(values[n - 2], F_DUPFD_CLOEXEC, 0);

			ASSERT_EQ(dev_adopt(library_device(), dup), 0);
			values[n++] = dup;
		}
	}
	for (int i = 0; i < n; i++) {
		ASSERT_EQ(wsock_send(values[i], "x", 1, 0), 1);
	}
	ASSERT_EQ(WSACleanup(), 0);
	EXPECT_EQ(fd_count(), fds);
	ASSERT_EQ(startup(), 0);
	for (int i = 0; i < n; i++) {
		int len = sizeof(sin);

		EXPECT_EQ(wsock_send(values[i], "x", 1, 0), SOCKET_ERROR);
		EXPECT_EQ(WSAGetLastError(), WSAENOTSOCK);
		EXPECT_EQ(wsock_getsockname(values[i], sa(&sin), &len), SOCKET_ERROR);
		EXPECT_EQ(WSAGetLastError(), WSAENOTSOCK);
	}
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(reset, C35__another_process_keeps_its_duplicate)
{
	int ready[2], go[2], peer;
	struct operation op;
	SOCKET s;
	pid_t pid;
	char c;

	ASSERT_EQ(pipe2(ready, O_CLOEXEC), 0);
	ASSERT_EQ(pipe2(go, O_CLOEXEC), 0);
	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	pid = fork();
	if (!pid) {
		/* The descriptor came with fork; own it, as its receiver would. */
		if (startup() || dev_adopt(library_device(), s))
			_exit(1);
		tell(ready[1]);
		if (!hear(go[0]))
			_exit(2);
		if (wsock_recv(s, &c, 1, 0) != 1 || c != 'p' || wsock_send(s, "c", 1, 0) != 1)
			_exit(3);
		tell(ready[1]);
		if (!hear(go[0]))
			_exit(4);
		_exit(WSACleanup() ? 5 : 0);
	}
	ASSERT_TRUE(hear(ready[0]));
	/* H25: this process's operations end, the connection does not. */
	ASSERT_EQ(start_recv(s, &op, NULL, 16), WSA_IO_PENDING);
	ASSERT_EQ(WSACleanup(), 0);
	EXPECT_EQ(op.ov.Internal, STATUS_CANCELLED);
	EXPECT_EQ(send(peer, "p", 1, MSG_NOSIGNAL), 1);
	EXPECT_TRUE(tell(go[1]));
	EXPECT_TRUE(hear(ready[0]));
	EXPECT_EQ(recv(peer, &c, 1, 0), 1);
	EXPECT_EQ(c, 'c');
	/* The last owner's end is the connection's. */
	EXPECT_TRUE(tell(go[1]));
	EXPECT_EQ(child_status(pid), 0);
	EXPECT_EQ(peer_reset(peer), -ECONNRESET);
}

/* A plain descriptor that was never a SOCKET stays, but the connection is gone. */
TEST_F(reset, C35__plain_sockets_of_the_process_are_not_touched)
{
	int fds[2], peer, dup;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(tcp_pair(fds), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	dup = fcntl(s, F_DUPFD_CLOEXEC, 0);
	ASSERT_EQ(WSACleanup(), 0);
	EXPECT_EQ(peer_reset(peer), -ECONNRESET);
	EXPECT_EQ(fcntl(dup, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(send(dup, "x", 1, MSG_NOSIGNAL), -1);
	EXPECT_EQ(send(fds[0], "x", 1, MSG_NOSIGNAL), 1);
	EXPECT_EQ(close(dup), 0);
}

/* H12: at once, and with the same numbers. */
TEST_F(reset, H12__startup_right_after_cleanup)
{
	SOCKET s, first = INVALID_SOCKET;
	struct operation op;
	int peer;

	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(startup(), 0);
		ASSERT_EQ(stream_pair(&s, &peer), 0);
		if (!i)
			first = s;
		EXPECT_EQ(s, first);
		ASSERT_EQ(start_recv(s, &op, NULL, 16), WSA_IO_PENDING);
		EXPECT_EQ(wsock_send(s, "x", 1, 0), 1);
		ASSERT_EQ(WSACleanup(), 0);
		EXPECT_EQ(op.ov.Internal, STATUS_CANCELLED);
		EXPECT_EQ(peer_reset(peer), -ECONNRESET);
		close(peer);
	}
}

/* ---- Sockets that were closed before (C37, C38) ---- */

static char big_pattern(size_t i)
{
	return (char)(i * 7 + (i >> 12));
}

/* Reads to the end; the bytes that were right, or -errno. */
static long read_pattern(int fd, size_t piece)
{
	char buf[65536];
	size_t total = 0;
	ssize_t n;

	while ((n = recv(fd, buf, piece, 0)) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (buf[i] != big_pattern(total + i))
				return -EBADMSG;
		}
		total += n;
	}
	return n < 0 ? -errno : (long)total;
}

static void fill_pattern(void)
{
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = big_pattern(i);
}

/* A child sends all of it at once, closes, cleans up and is gone; then we read. */
static void closed_then_cleaned(struct __test_metadata *_metadata, bool cleanup)
{
	int l = tcp_listener(), peer;
	pid_t pid;

	fill_pattern();
	pid = fork();
	if (!pid) {
		struct sockaddr_in sin = loopback(local_port(l));
		SOCKET s;

		if (startup())
			_exit(1);
		s = wsock_socket(AF_INET, SOCK_STREAM, 0);
		/* Room for all of it: the kernel has it when send returns. */
		if (!set_option(s, SOL_SOCKET, SO_SNDBUFFORCE, 2 * sizeof(big)))
			_exit(2);
		if (wsock_connect(s, sa(&sin), sizeof(sin)))
			_exit(3);
		if (wsock_send(s, big, sizeof(big), 0) != sizeof(big))
			_exit(4);
		if (closesocket(s))
			_exit(5);
		if (cleanup && WSACleanup())
			_exit(6);
		_exit(0);
	}
	peer = accept(l, NULL, NULL);
	ASSERT_GE(peer, 0);
	ASSERT_EQ(child_status(pid), 0);
	EXPECT_EQ(read_pattern(peer, 16384), sizeof(big));
	/* And a clean end. */
	EXPECT_EQ(peer_end(peer), 0);
}

TEST_F(reset, C37__closed_sockets_keep_their_data)
{
	closed_then_cleaned(_metadata, true);
}

TEST_F(reset, C37__closed_sockets_keep_their_data_at_exit)
{
	closed_then_cleaned(_metadata, false);
}

struct server {
	int l;
	long received;
	int end;
};

/* Reads all, then closes its side. */
static void *serve(void *arg)
{
	struct server *sv = arg;
	int fd = accept(sv->l, NULL, NULL);

	sv->received = read_pattern(fd, 4096);
	sv->end = peer_end(fd);
	shutdown(fd, SHUT_WR);
	/* What comes after the shutdown must not be a reset. */
	close(fd);
	return NULL;
}

static void recipe(struct __test_metadata *_metadata, bool overlapped)
{
	struct server sv = { .l = tcp_listener() };
	struct sockaddr_in sin = loopback(local_port(sv.l));
	WSAEVENT event = WSACreateEvent();
	struct operation op;
	DWORD n, flags;
	pthread_t thread;
	char c;
	SOCKET s;

	fill_pattern();
	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(pthread_create(&thread, NULL, serve, &sv), 0);
	s = wsock_socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(wsock_connect(s, sa(&sin), sizeof(sin)), 0);
	ASSERT_EQ(wsock_send(s, big, sizeof(big), 0), sizeof(big));
	if (overlapped) {
		ASSERT_EQ(start_recv(s, &op, event, 16), WSA_IO_PENDING);
	}
	ASSERT_EQ(wsock_shutdown(s, SD_SEND), 0);
	if (overlapped) {
		EXPECT_TRUE(becomes_signalled(event));
		EXPECT_TRUE(WSAGetOverlappedResult(s, &op.ov, &n, FALSE, &flags));
		EXPECT_EQ(n, 0);
	} else {
		EXPECT_EQ(wsock_recv(s, &c, 1, 0), 0);
	}
	EXPECT_EQ(closesocket(s), 0);
	EXPECT_EQ(WSACleanup(), 0);
	pthread_join(thread, NULL);
	EXPECT_EQ(sv.received, sizeof(big));
	EXPECT_EQ(sv.end, 0);
}

TEST_F(reset, C38__recipe_with_recv)
{
	recipe(_metadata, false);
}

TEST_F(reset, C38__recipe_with_overlapped_recv)
{
	recipe(_metadata, true);
}

/* ---- closesocket with operations pending (H3, D.9) ---- */

TEST_F(reset, D9__closesocket_ends_a_stream_recv)
{
	WSAEVENT event = WSACreateEvent();
	struct operation op;
	DWORD n = 4711;
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(start_recv(s, &op, event, 16), WSA_IO_PENDING);
	ASSERT_EQ(closesocket(s), 0);
	EXPECT_TRUE(becomes_signalled(event));
	EXPECT_EQ(op.ov.Internal, STATUS_CONNECTION_ABORTED);
	EXPECT_FALSE(GetOverlappedResult((HANDLE)s, &op.ov, &n, FALSE));
	EXPECT_EQ(GetLastError(), 1236);
	EXPECT_EQ(n, 0);
	/* Closed with a receive pending: a reset, not an end. */
	EXPECT_EQ(peer_reset(peer), -ECONNRESET);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(reset, D9__cancelled_first_it_ends_the_stream)
{
	WSAEVENT event = WSACreateEvent();
	struct operation op;
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(start_recv(s, &op, event, 16), WSA_IO_PENDING);
	EXPECT_TRUE(CancelIoEx((HANDLE)s, &op.ov));
	EXPECT_TRUE(becomes_signalled(event));
	EXPECT_EQ(op.ov.Internal, STATUS_CANCELLED);
	EXPECT_FALSE(CancelIoEx((HANDLE)s, &op.ov));
	EXPECT_EQ(GetLastError(), 1168);
	ASSERT_EQ(closesocket(s), 0);
	EXPECT_EQ(peer_end(peer), 0);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(reset, D9__closesocket_ends_a_datagram_recv)
{
	WSAEVENT event = WSACreateEvent();
	struct operation op;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_DGRAM);
	ASSERT_EQ(start_recv(s, &op, event, 16), WSA_IO_PENDING);
	ASSERT_EQ(closesocket(s), 0);
	EXPECT_TRUE(becomes_signalled(event));
	EXPECT_EQ(op.ov.Internal, STATUS_CANCELLED);
	EXPECT_EQ(closesocket(s), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAENOTSOCK);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(reset, D9__only_the_last_duplicate_ends_operations)
{
	struct operation op;
	int peer, dup;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	dup = fcntl(s, F_DUPFD_CLOEXEC, 0);
	ASSERT_EQ(dev_adopt(library_device(), dup), 0);
	ASSERT_EQ(start_recv(s, &op, NULL, 16), WSA_IO_PENDING);
	ASSERT_EQ(closesocket(s), 0);
	EXPECT_EQ(status(&op), STATUS_PENDING);
	ASSERT_EQ(send(peer, "x", 1, 0), 1);
	EXPECT_TRUE(wait_for(status(&op) == STATUS_SUCCESS));
	ASSERT_EQ(start_recv(dup, &op, NULL, 16), WSA_IO_PENDING);
	ASSERT_EQ(closesocket(dup), 0);
	EXPECT_TRUE(wait_for(status(&op) == STATUS_CONNECTION_ABORTED));
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_HARNESS_MAIN
