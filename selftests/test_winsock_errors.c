// SPDX-License-Identifier: GPL-2.0
/*
 * Errors: each row of G.1 (from errno to WSA), and each of G.2 (where Winsock has
 * an error, or an end, that Linux has not) by a test of its own.
 */
#include "winsock.h"

#include <net/if.h>

#include "kselftest_harness.h"

/* Hidden in the shared library; this program brings the archive. */
int wsock_error_from_errno(int err);

WINSOCK_FIXTURE(errors);

TEST_F(errors, G1__from_errno)
{
	static const struct { int err, wsa; } rows[] = {
		{ EINTR, WSAEINTR }, { EACCES, WSAEACCES }, { EPERM, WSAEACCES },
		{ EFAULT, WSAEFAULT }, { EINVAL, WSAEINVAL }, { EMFILE, WSAEMFILE },
		{ ENFILE, WSAEMFILE }, { EAGAIN, WSAEWOULDBLOCK },
		{ EINPROGRESS, WSAEWOULDBLOCK }, { EALREADY, WSAEALREADY },
		{ ENOTSOCK, WSAENOTSOCK }, { EBADF, WSAENOTSOCK },
		{ EDESTADDRREQ, WSAEDESTADDRREQ }, { EMSGSIZE, WSAEMSGSIZE },
		{ EPROTOTYPE, WSAEPROTOTYPE }, { ENOPROTOOPT, WSAENOPROTOOPT },
		{ EPROTONOSUPPORT, WSAEPROTONOSUPPORT },
		{ ESOCKTNOSUPPORT, WSAESOCKTNOSUPPORT }, { EOPNOTSUPP, WSAEOPNOTSUPP },
		{ ENOSYS, WSAEOPNOTSUPP }, { ENOTTY, WSAEOPNOTSUPP },
		{ EPFNOSUPPORT, WSAEPFNOSUPPORT }, { EAFNOSUPPORT, WSAEAFNOSUPPORT },
		{ EADDRINUSE, WSAEADDRINUSE }, { EADDRNOTAVAIL, WSAEADDRNOTAVAIL },
		{ ENODEV, WSAEADDRNOTAVAIL }, { ENETDOWN, WSAENETDOWN },
		{ ENONET, WSAENETDOWN }, { ENXIO, WSAENETDOWN }, { EIO, WSAENETDOWN },
		{ ENETUNREACH, WSAENETUNREACH }, { ENETRESET, WSAENETRESET },
		{ ECONNABORTED, WSAECONNABORTED }, { ECONNRESET, WSAECONNRESET },
		{ EPIPE, WSAECONNRESET }, { ENOBUFS, WSAENOBUFS }, { ENOMEM, WSAENOBUFS },
		{ EISCONN, WSAEISCONN }, { ENOTCONN, WSAENOTCONN },
		{ ESHUTDOWN, WSAESHUTDOWN }, { ETOOMANYREFS, WSAETOOMANYREFS },
		{ ETIMEDOUT, WSAETIMEDOUT }, { ECONNREFUSED, WSAECONNREFUSED },
		{ ELOOP, WSAELOOP }, { ENAMETOOLONG, WSAENAMETOOLONG },
		{ EHOSTDOWN, WSAEHOSTDOWN }, { EHOSTUNREACH, WSAEHOSTUNREACH },
		{ ENOTEMPTY, WSAENOTEMPTY }, { EUSERS, WSAEUSERS }, { EDQUOT, WSAEDQUOT },
		{ ESTALE, WSAESTALE }, { EREMOTE, WSAEREMOTE },
		{ EBADFD, WSANOTINITIALISED },
		/* And what has no row. */
		{ ECHILD, WSAEINVAL }, { -1, WSAEINVAL }, { 9999, WSAEINVAL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		EXPECT_EQ(wsock_error_from_errno(rows[i].err), rows[i].wsa)
			TH_LOG("errno %d", rows[i].err);
	}
}

/* ---- G.2, from its first row to the last ---- */

static SOCKET nonblocking(SOCKET s)
{
	wsock_u_long on = 1;

	return ioctlsocket(s, WSOCK_FIONBIO, &on) ? INVALID_SOCKET : s;
}

static SOCKET stream(void)
{
	return wsock_socket(AF_INET, SOCK_STREAM, 0);
}

static int connect_to(SOCKET s, int port)
{
	struct sockaddr_in sin = loopback(port);

	return wsock_connect(s, sa(&sin), sizeof(sin));
}

/* A port at which nobody listens. */
static int closed_port(void)
{
	int l = tcp_listener(), port = local_port(l);

	close(l);
	return port;
}

static int so_error(SOCKET s)
{
	int error = -1, len = sizeof(error);

	return wsock_getsockopt(s, SOL_SOCKET, SO_ERROR, (char *)&error, &len) ? -1 : error;
}

/* Closes a peer so that a reset is what its other end sees. */
static void reset(int peer)
{
	setsockopt(peer, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
	close(peer);
}

static int wait_bits(SOCKET s, short events)
{
	WSAPOLLFD pfd = { .fd = s, .events = events };

	return WSAPoll(&pfd, 1, TIMEOUT_MS) == 1 ? pfd.revents : -1;
}

TEST_F(errors, G2__connect_in_progress)
{
	int filler, full = full_listener(&filler);
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = nonblocking(stream());
	EXPECT_WSA(connect_to(s, local_port(full)), WSAEWOULDBLOCK);
	EXPECT_WSA(connect_to(s, local_port(full)), WSAEALREADY);
	/* After a failure it begins anew. */
	s = nonblocking(stream());
	EXPECT_WSA(connect_to(s, closed_port()), WSAEWOULDBLOCK);
	EXPECT_GE(wait_bits(s, WSOCK_POLLWRNORM), 0);
	EXPECT_WSA(connect_to(s, local_port(full)), WSAEWOULDBLOCK);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(errors, G2__connect_of_a_listener)
{
	ASSERT_EQ(startup(), 0);
	EXPECT_WSA(connect_to(listening_socket(), local_port(tcp_listener())), WSAEINVAL);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(errors, G2__connect_to_no_port_or_address)
{
	struct sockaddr_in any = loopback(local_port(tcp_listener()));

	ASSERT_EQ(startup(), 0);
	EXPECT_WSA(connect_to(stream(), 0), WSAEADDRNOTAVAIL);
	any.sin_addr.s_addr = htonl(INADDR_ANY);
	EXPECT_WSA(wsock_connect(stream(), sa(&any), sizeof(any)), WSAEADDRNOTAVAIL);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(errors, G2__connect_refused)
{
	ASSERT_EQ(startup(), 0);
	EXPECT_WSA(connect_to(stream(), closed_port()), WSAECONNREFUSED);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(errors, G2__accept_hides_aborted_connections)
{
	int first, second, len = 16;
	struct sockaddr_in from;
	SOCKET l, t;

	ASSERT_EQ(startup(), 0);
	l = listening_socket();
	first = tcp_connect(local_port(l));
	reset(first);
	second = tcp_connect(local_port(l));
	t = wsock_accept(l, sa(&from), &len);
	ASSERT_NE(t, INVALID_SOCKET);
	/* The aborted one first, or hidden: a connection is what comes. */
	if (ntohs(from.sin_port) != local_port(second)) {
		t = wsock_accept(l, sa(&from), &len);
		EXPECT_EQ(ntohs(from.sin_port), local_port(second));
	}
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(errors, G2__accept_without_listen)
{
	ASSERT_EQ(startup(), 0);
	EXPECT_WSA(wsock_accept(bound_socket(SOCK_STREAM), NULL, NULL), WSAEINVAL);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(errors, G2__accept_with_too_small_a_room)
{
	struct sockaddr_in from;
	int len = 4;
	SOCKET l;

	ASSERT_EQ(startup(), 0);
	l = listening_socket();
	ASSERT_GE(tcp_connect(local_port(l)), 0);
	EXPECT_WSA(wsock_accept(l, sa(&from), &len), WSAEFAULT);
	EXPECT_EQ(len, 4);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(errors, G2__listen_unbound)
{
	ASSERT_EQ(startup(), 0);
	EXPECT_WSA(wsock_listen(stream(), 1), WSAEINVAL);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(errors, G2__bind_twice)
{
	struct sockaddr_in sin = loopback(0);
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_STREAM);
	EXPECT_WSA(wsock_bind(s, sa(&sin), sizeof(sin)), WSAEINVAL);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(errors, G2__bind_conflict)
{
	struct sockaddr_in sin;
	SOCKET first, second;

	ASSERT_EQ(startup(), 0);
	first = bound_socket(SOCK_DGRAM);
	second = wsock_socket(AF_INET, SOCK_DGRAM, 0);
	sin = loopback(local_port(first));
	EXPECT_WSA(wsock_bind(second, sa(&sin), sizeof(sin)), WSAEADDRINUSE);
	/* Whose address is its own alone is not to be had at all. */
	first = wsock_socket(AF_INET, SOCK_DGRAM, 0);
	ASSERT_TRUE(set_option(first, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1));
	sin = loopback(0);
	ASSERT_EQ(wsock_bind(first, sa(&sin), sizeof(sin)), 0);
	sin = loopback(local_port(first));
	ASSERT_TRUE(set_option(second, SOL_SOCKET, SO_REUSEADDR, 1));
	EXPECT_WSA(wsock_bind(second, sa(&sin), sizeof(sin)), WSAEACCES);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(errors, G2__getsockname_unbound)
{
	struct sockaddr_in sin;
	int len = sizeof(sin);

	ASSERT_EQ(startup(), 0);
	EXPECT_WSA(wsock_getsockname(stream(), sa(&sin), &len), WSAEINVAL);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(errors, G2__getpeername_after_the_end)
{
	struct sockaddr_in sin;
	int len = sizeof(sin), peer;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	EXPECT_EQ(wsock_getpeername(s, sa(&sin), &len), 0);
	reset(peer);
	EXPECT_GE(wait_bits(s, WSOCK_POLLRDNORM), 0);
	/* It may succeed on Windows; here it does not. */
	EXPECT_WSA(wsock_getpeername(s, sa(&sin), &len), WSAENOTCONN);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(errors, G2__recv_unbound_datagrams)
{
	char c;

	ASSERT_EQ(startup(), 0);
	EXPECT_WSA(wsock_recv(wsock_socket(AF_INET, SOCK_DGRAM, 0), &c, 1, 0), WSAEINVAL);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(errors, G2__recv_after_own_shutdown)
{
	SOCKET s;
	int peer;
	char c;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	EXPECT_EQ(wsock_shutdown(s, SD_RECEIVE), 0);
	EXPECT_WSA(wsock_recv(s, &c, 1, 0), WSAESHUTDOWN);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(errors, G2__shutdown_unconnected)
{
	ASSERT_EQ(startup(), 0);
	EXPECT_WSA(wsock_shutdown(stream(), SD_SEND), WSAENOTCONN);
	EXPECT_EQ(wsock_shutdown(bound_socket(SOCK_DGRAM), SD_SEND), 0);
	EXPECT_EQ(WSACleanup(), 0);
}

/* SIGPIPE would end the test. */
TEST_F(errors, G2__send_after_own_shutdown)
{
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	EXPECT_EQ(wsock_shutdown(s, SD_SEND), 0);
	for (int i = 0; i < 3; i++)
		EXPECT_WSA(wsock_send(s, "x", 1, 0), WSAESHUTDOWN);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(errors, G2__send_after_reset)
{
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	reset(peer);
	EXPECT_GE(wait_bits(s, WSOCK_POLLRDNORM), 0);
	for (int i = 0; i < 3; i++)
		EXPECT_WSA(wsock_send(s, "x", 1, 0), WSAECONNRESET);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(errors, G2__recv_after_reset)
{
	SOCKET s;
	int peer;
	char c;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	reset(peer);
	for (int i = 0; i < 3; i++)
		EXPECT_WSA(wsock_recv(s, &c, 1, 0), WSAECONNRESET);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(errors, G2__so_error)
{
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	reset(peer);
	EXPECT_GE(wait_bits(s, WSOCK_POLLRDNORM), 0);
	EXPECT_EQ(so_error(s), 0);
	/* Sticky after a connect that did not block, and only after that. */
	s = nonblocking(stream());
	EXPECT_WSA(connect_to(s, closed_port()), WSAEWOULDBLOCK);
	EXPECT_GE(wait_bits(s, WSOCK_POLLWRNORM), 0);
	EXPECT_EQ(so_error(s), WSAECONNREFUSED);
	EXPECT_EQ(so_error(s), WSAECONNREFUSED);
	s = stream();
	EXPECT_WSA(connect_to(s, closed_port()), WSAECONNREFUSED);
	EXPECT_EQ(so_error(s), 0);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(errors, G2__datagram_too_large)
{
	char c[3] = "";
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_DGRAM);
	ASSERT_EQ(datagram_to(s, "abcdef", 6), 0);
	EXPECT_WSA(wsock_recv(s, c, 3, 0), WSAEMSGSIZE);
	EXPECT_EQ(memcmp(c, "abc", 3), 0);
	EXPECT_EQ(WSACleanup(), 0);
}

/* Linux reports it to a connected socket only. */
TEST_F(errors, G2__datagram_to_no_port)
{
	struct sockaddr_in sin = loopback(closed_port());
	DWORD ms = QUIET_MS;
	SOCKET s, u;
	char c;

	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_DGRAM);
	ASSERT_EQ(wsock_connect(s, sa(&sin), sizeof(sin)), 0);
	EXPECT_EQ(wsock_send(s, "x", 1, 0), 1);
	EXPECT_WSA(wsock_recv(s, &c, 1, 0), WSAECONNRESET);
	u = bound_socket(SOCK_DGRAM);
	ASSERT_EQ(wsock_setsockopt(u, SOL_SOCKET, SO_RCVTIMEO, (char *)&ms, sizeof(ms)), 0);
	EXPECT_EQ(wsock_sendto(u, "x", 1, 0, sa(&sin), sizeof(sin)), 1);
	EXPECT_WSA(wsock_recv(u, &c, 1, 0), WSAETIMEDOUT);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(errors, G2__receive_timeout)
{
	DWORD ms = 30;
	double start;
	SOCKET s;
	char c;

	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_DGRAM);
	ASSERT_EQ(wsock_setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, (char *)&ms, sizeof(ms)), 0);
	start = now_ms();
	EXPECT_WSA(wsock_recv(s, &c, 1, 0), WSAETIMEDOUT);
	EXPECT_GE(now_ms() - start, 30);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(errors, G2__select_with_nothing)
{
	wsock_fd_set none = { 0 };

	ASSERT_EQ(startup(), 0);
	EXPECT_WSA(wsock_select(0, NULL, NULL, NULL, NULL), WSAEINVAL);
	EXPECT_WSA(wsock_select(0, &none, &none, &none, NULL), WSAEINVAL);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(errors, G2__select_and_poll_what_is_no_socket)
{
	wsock_fd_set set = { .fd_count = 1, .fd_array = { INVALID_SOCKET } };
	WSAPOLLFD pfds[2];
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	EXPECT_WSA(wsock_select(0, &set, NULL, NULL, NULL), WSAENOTSOCK);
	pfds[0] = (WSAPOLLFD){ .fd = INVALID_SOCKET, .events = WSOCK_POLLRDNORM };
	pfds[1] = (WSAPOLLFD){ .fd = s, .events = WSOCK_POLLWRNORM };
	EXPECT_EQ(WSAPoll(pfds, 2, 0), 1);
	EXPECT_EQ(pfds[0].revents, WSOCK_POLLNVAL);
	EXPECT_WSA(WSAPoll(pfds, 1, 0), WSAENOTSOCK);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(errors, G2__select_a_failed_connect)
{
	struct timeval tv = { .tv_sec = 5 };
	wsock_fd_set read, write, except;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = nonblocking(stream());
	EXPECT_WSA(connect_to(s, closed_port()), WSAEWOULDBLOCK);
	read = write = except = (wsock_fd_set){ .fd_count = 1, .fd_array = { s } };
	EXPECT_EQ(wsock_select(0, &read, &write, &except, &tv), 1);
	EXPECT_EQ(read.fd_count, 0);
	EXPECT_EQ(write.fd_count, 0);
	EXPECT_EQ(except.fd_count, 1);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(errors, G2__poll_the_end_of_a_stream)
{
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	shutdown(peer, SHUT_WR);
	EXPECT_EQ(wait_bits(s, WSOCK_POLLRDNORM), WSOCK_POLLHUP);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(errors, G2__poll_for_what_cannot_be_asked)
{
	static const SHORT bits[] = { WSOCK_POLLERR, WSOCK_POLLHUP, WSOCK_POLLNVAL };
	WSAPOLLFD pfd;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_DGRAM);
	for (int i = 0; i < 3; i++) {
		pfd = (WSAPOLLFD){ .fd = s, .events = bits[i] };
		EXPECT_WSA(WSAPoll(&pfd, 1, 0), WSAEINVAL);
	}
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(errors, G2__unknown_options)
{
	static const int levels[] = { SOL_SOCKET, IPPROTO_IP, IPPROTO_TCP };
	int value = 1, len = sizeof(value);
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = stream();
	for (int i = 0; i < 3; i++) {
		EXPECT_WSA(wsock_setsockopt(s, levels[i], 0x7fff, (char *)&value, 4),
			   WSAENOPROTOOPT);
		EXPECT_WSA(wsock_getsockopt(s, levels[i], 0x7fff, (char *)&value, &len),
			   WSAENOPROTOOPT);
	}
	EXPECT_WSA(wsock_setsockopt(s, 0x7777, 1, (char *)&value, 4), WSAEINVAL);
	EXPECT_WSA(wsock_getsockopt(s, 0x7777, 1, (char *)&value, &len), WSAEINVAL);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(errors, G2__option_with_too_small_a_room)
{
	static const int options[][2] = {
		{ SOL_SOCKET, SO_TYPE }, { SOL_SOCKET, SO_RCVBUF }, { IPPROTO_IP, IP_TTL },
		{ IPPROTO_TCP, TCP_NODELAY },
	};
	char value[4];
	SOCKET s;
	int len;

	ASSERT_EQ(startup(), 0);
	s = stream();
	for (int i = 0; i < 4; i++) {
		len = 2;
		EXPECT_WSA(wsock_getsockopt(s, options[i][0], options[i][1], value, &len),
			   WSAEFAULT);
	}
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(errors, G2__unknown_ioctl)
{
	wsock_u_long value = 0;
	DWORD bytes;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = stream();
	EXPECT_WSA(ioctlsocket(s, 0x12345678, &value), WSAEOPNOTSUPP);
	EXPECT_WSA(WSAIoctl(s, SIO_RCVALL, &value, 4, NULL, 0, &bytes, NULL, NULL),
		   WSAEOPNOTSUPP);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(errors, G2__urgent_data_in_line)
{
	SOCKET s;
	int peer;
	char c;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_TRUE(set_option(s, SOL_SOCKET, SO_OOBINLINE, 1));
	EXPECT_WSA(wsock_recv(s, &c, 1, MSG_OOB), WSAEINVAL);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(errors, G2__closed_twice)
{
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = stream();
	EXPECT_EQ(closesocket(s), 0);
	EXPECT_WSA(closesocket(s), WSAENOTSOCK);
	EXPECT_EQ(WSACleanup(), 0);
}

static volatile sig_atomic_t signals;

static void note_signal(int nr)
{
	signals++;
}

static int timed_select(struct caller *c)
{
	wsock_fd_set set = { .fd_count = 1, .fd_array = { c->s } };

	return wsock_select(0, &set, NULL, NULL, &(struct timeval){ .tv_usec = 300000 });
}

static int timed_poll(struct caller *c)
{
	WSAPOLLFD pfd = { .fd = c->s, .events = WSOCK_POLLRDNORM };

	return WSAPoll(&pfd, 1, 300);
}

static int timed_recv(struct caller *c)
{
	char data;

	return wsock_recv(c->s, &data, 1, 0);
}

static int timed_wait(struct caller *c)
{
	return WaitForSingleObject(c->arg, 300);
}

static int timed_sleep(struct caller *c)
{
	Sleep(300);
	return 0;
}

/* Many signals, without SA_RESTART, are no end and do not lengthen the time. */
TEST_F(errors, G2__signals_are_not_seen)
{
	const struct { int (*call)(struct caller *); int result, error; } calls[] = {
		{ timed_select, 0, 4711 }, { timed_poll, 0, 4711 },
		{ timed_recv, -1, WSAETIMEDOUT }, { timed_wait, WAIT_TIMEOUT, 4711 },
		{ timed_sleep, 0, 4711 },
	};
	struct sigaction action = { .sa_handler = note_signal };
	DWORD ms = 300;

	sigaction(SIGUSR1, &action, NULL);
	ASSERT_EQ(startup(), 0);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		struct caller c = { .call = calls[i].call, .s = bound_socket(SOCK_DGRAM) };
		double start = now_ms();

		c.arg = CreateEventA(NULL, TRUE, FALSE, NULL);
		ASSERT_EQ(wsock_setsockopt(c.s, SOL_SOCKET, SO_RCVTIMEO, (char *)&ms,
					   sizeof(ms)), 0);
		ASSERT_TRUE(caller_start(&c));
		while (!caller_done(&c)) {
			pthread_kill(c.thread, SIGUSR1);
			nap();
		}
		ASSERT_TRUE(caller_join(&c));
		EXPECT_EQ(c.result, calls[i].result)
			TH_LOG("call %zu", i);
		EXPECT_EQ(c.error, calls[i].error);
		EXPECT_GE(c.returned - start, 290);
	}
	EXPECT_GT(signals, 100);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(errors, G2__close_that_would_linger)
{
	struct wsock_linger linger = { .l_onoff = 1, .l_linger = 5 };
	static char data[1 << 20];
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(wsock_setsockopt(s, SOL_SOCKET, SO_LINGER, (char *)&linger, sizeof(linger)), 0);
	ASSERT_NE(nonblocking(s), INVALID_SOCKET);
	while (wsock_send(s, data, sizeof(data), 0) > 0)
		;
	EXPECT_EQ(WSAGetLastError(), WSAEWOULDBLOCK);
	EXPECT_WSA(closesocket(s), WSAEWOULDBLOCK);
	/* It is still there. */
	EXPECT_EQ(so_error(s), 0);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(errors, G2__broadcast_without_leave)
{
	struct sockaddr_in sin = loopback(9);
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = wsock_socket(AF_INET, SOCK_DGRAM, 0);
	/* Of the loopback interface, which is all there is in the VM. */
	sin.sin_addr.s_addr = inet_addr("127.255.255.255");
	EXPECT_WSA(wsock_sendto(s, "x", 1, 0, sa(&sin), sizeof(sin)), WSAEACCES);
	ASSERT_TRUE(set_option(s, SOL_SOCKET, SO_BROADCAST, 1));
	EXPECT_EQ(wsock_sendto(s, "x", 1, 0, sa(&sin), sizeof(sin)), 1);
	EXPECT_EQ(WSACleanup(), 0);
}

/* The peer is asked after a second, and is gone when one question has no answer. */
static int keep_alive(SOCKET s)
{
	struct tcp_keepalive values = { 1, 1000, 1000 };
	int one = 1;
	DWORD bytes;

	if (WSAIoctl(s, SIO_KEEPALIVE_VALS, &values, sizeof(values), NULL, 0, &bytes, NULL,
		     NULL))
		return WSAGetLastError();
	return setsockopt((int)s, IPPROTO_TCP, TCP_KEEPCNT, &one, sizeof(one));
}

TEST_F(errors, G2__keepalive_finds_the_peer_gone)
{
	SOCKET s;
	int peer;
	char c;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(keep_alive(s), 0);
	/* Now nobody answers. */
	ASSERT_EQ(system("ip link set lo down"), 0);
	EXPECT_WSA(wsock_recv(s, &c, 1, 0), WSAENETRESET);
	/* That connection is at its end. */
	EXPECT_WSA(wsock_send(s, "x", 1, 0), WSAECONNRESET);
	ASSERT_EQ(system("ip link set lo up"), 0);
	EXPECT_EQ(WSACleanup(), 0);
}

/*
 * The same of an operation that pends. No status stands for 10052 (D.8), so it is
 * 10060; and from then on the connection is reset, to calls of each kind.
 */
TEST_F(errors, G2__keepalive_ends_an_operation)
{
	struct operation op;
	DWORD bytes, flags;
	SOCKET s;
	int peer;
	char c;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(keep_alive(s), 0);
	ASSERT_EQ(start_recv(s, &op, NULL, 64), WSA_IO_PENDING);
	ASSERT_EQ(system("ip link set lo down"), 0);
	EXPECT_FALSE(WSAGetOverlappedResult(s, &op.ov, &bytes, TRUE, &flags));
	EXPECT_EQ(WSAGetLastError(), WSAETIMEDOUT);
	EXPECT_EQ(status(&op), STATUS_IO_TIMEOUT);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(start_recv(s, &op, NULL, 64), WSAECONNRESET);
		EXPECT_WSA(wsock_recv(s, &c, 1, 0), WSAECONNRESET);
		EXPECT_EQ(start_send(s, &op, NULL, "x", 1), WSAECONNRESET);
	}
	ASSERT_EQ(system("ip link set lo up"), 0);
	EXPECT_EQ(WSACleanup(), 0);
	close(peer);
}

/* The first byte of what TCP_INFO tells. */
static int tcp_state(int fd)
{
	unsigned char state = 0;
	socklen_t len = sizeof(state);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &state, &len) ? -1 : state;
}

/* A reset is told to each operation, also where nobody asks for the first one's end. */
TEST_F(errors, G2__reset_is_told_each_time)
{
	struct linger reset = { .l_onoff = 1 };
	HANDLE port = new_port(0);
	struct operation op, next;
	struct taken t;
	WSABUF none = { 0 };
	int peer, error;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(CreateIoCompletionPort((HANDLE)s, port, 1, 0), port);
	ASSERT_EQ(start_recv(s, &op, NULL, 64), WSA_IO_PENDING);
	ASSERT_EQ(setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
	close(peer);
	t = take_packet(port, TIMEOUT_MS);
	EXPECT_EQ(t.ov, &op.ov);
	EXPECT_EQ(t.error, ERROR_NETNAME_DELETED);
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(start_recv(s, &next, NULL, 64), WSAECONNRESET);
		operation_init(&next, NULL);
		next.flags = 0;
		EXPECT_EQ(WSARecv(s, &none, 1, NULL, &next.flags, &next.ov, NULL), -1);
		EXPECT_EQ(WSAGetLastError(), WSAECONNRESET);
		EXPECT_EQ(start_send(s, &next, NULL, "x", 1), WSAECONNRESET);
	}
	EXPECT_TRUE(is_none(take_packet(port, 0), WAIT_TIMEOUT));
	EXPECT_TRUE(CloseHandle(port));
	/* A peer that has ended the connection has not reset it, whoever ends it last. */
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	close(peer);
	error = start_recv(s, &op, NULL, 64);
	EXPECT_TRUE(!error || error == WSA_IO_PENDING);
	EXPECT_TRUE(wait_for(status(&op) == STATUS_SUCCESS));
	EXPECT_EQ(wsock_shutdown(s, 1), 0);
	EXPECT_TRUE(wait_for(tcp_state((int)s) == TCP_CLOSE));
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(start_recv(s, &op, NULL, 64), 0);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_HARNESS_MAIN
