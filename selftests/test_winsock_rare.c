// SPDX-License-Identifier: GPL-2.0
/*
 * What programs ask for once and rarely: options, addresses as text, byte order,
 * defaults of a socket, the rarer bits and sizes of select and WSAPoll, and what
 * each call says of arguments that cannot be.
 */
#include "winsock.h"
#include "kselftest_harness.h"

#include <grp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <mmsystem.h>

WINSOCK_FIXTURE(rare);

/* A descriptor that is no socket. */
static int no_socket(void)
{
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

static int get(SOCKET s, int level, int name)
{
	int value = -4711, len = sizeof(value);

	return wsock_getsockopt(s, level, name, (char *)&value, &len) ? -WSAGetLastError() : value;
}

static int set(SOCKET s, int level, int name, int value)
{
	return wsock_setsockopt(s, level, name, (char *)&value, sizeof(value)) ?
	       WSAGetLastError() : 0;
}

/* ---- Options ---- */

TEST_F(rare, linger_in_both_forms)
{
	struct wsock_linger linger = { .l_onoff = 1, .l_linger = 7 };
	int len = sizeof(linger);
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = wsock_socket(AF_INET, SOCK_STREAM, 0);
	EXPECT_NE(get(s, SOL_SOCKET, SO_DONTLINGER), 0);
	ASSERT_EQ(wsock_setsockopt(s, SOL_SOCKET, SO_LINGER, (char *)&linger, len), 0);
	EXPECT_EQ(get(s, SOL_SOCKET, SO_DONTLINGER), 0);
	EXPECT_EQ(set(s, SOL_SOCKET, SO_DONTLINGER, 1), 0);
	ASSERT_EQ(wsock_getsockopt(s, SOL_SOCKET, SO_LINGER, (char *)&linger, &len), 0);
	EXPECT_EQ(linger.l_onoff, 0);
	EXPECT_EQ(linger.l_linger, 7);
	EXPECT_EQ(set(s, SOL_SOCKET, SO_DONTLINGER, 0), 0);
	EXPECT_EQ(get(s, SOL_SOCKET, SO_DONTLINGER), 0);
	EXPECT_WSA(wsock_setsockopt(s, SOL_SOCKET, SO_LINGER, (char *)&linger, 3), WSAEFAULT);
	EXPECT_WSA(wsock_setsockopt(s, SOL_SOCKET, SO_DONTLINGER, (char *)&linger, 3), WSAEFAULT);
	EXPECT_EQ(WSACleanup(), 0);
}

/* One excludes the other. */
TEST_F(rare, exclusive_and_reused_addresses)
{
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = wsock_socket(AF_INET, SOCK_STREAM, 0);
	EXPECT_EQ(get(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE), 0);
	EXPECT_EQ(set(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1), 0);
	EXPECT_EQ(get(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE), 1);
	EXPECT_EQ(set(s, SOL_SOCKET, SO_REUSEADDR, 1), WSAEINVAL);
	EXPECT_EQ(set(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 0), 0);
	EXPECT_EQ(set(s, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	EXPECT_EQ(get(s, SOL_SOCKET, SO_REUSEADDR), 1);
	EXPECT_EQ(set(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1), WSAEINVAL);
	EXPECT_EQ(get(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE), 0);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(rare, sizes)
{
	SOCKET s, u;

	ASSERT_EQ(startup(), 0);
	s = wsock_socket(AF_INET, SOCK_STREAM, 0);
	u = wsock_socket(AF_INET, SOCK_DGRAM, 0);
	EXPECT_EQ(get(u, SOL_SOCKET, SO_MAX_MSG_SIZE), 65507);
	EXPECT_EQ(get(s, SOL_SOCKET, SO_MAX_MSG_SIZE), -WSAENOPROTOOPT);
	EXPECT_EQ(set(s, SOL_SOCKET, SO_RCVBUF, 20000), 0);
	EXPECT_EQ(get(s, SOL_SOCKET, SO_RCVBUF), 20000);
	EXPECT_EQ(set(s, SOL_SOCKET, SO_SNDBUF, 30000), 0);
	EXPECT_EQ(get(s, SOL_SOCKET, SO_SNDBUF), 30000);
	EXPECT_EQ(get(s, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
	EXPECT_EQ(get(s, SOL_SOCKET, SO_CONNECT_TIME), -1);
	EXPECT_EQ(WSACleanup(), 0);
}

/* A byte is enough for an option of TCP. */
TEST_F(rare, a_boolean_of_one_byte)
{
	char on = 1;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = wsock_socket(AF_INET, SOCK_STREAM, 0);
	EXPECT_EQ(get(s, IPPROTO_TCP, TCP_NODELAY), 0);
	EXPECT_EQ(wsock_setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, 1), 0);
	EXPECT_NE(get(s, IPPROTO_TCP, TCP_NODELAY), 0);
	EXPECT_WSA(wsock_setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, &on, 1), WSAEFAULT);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(rare, open_type_is_the_threads)
{
	ASSERT_EQ(startup(), 0);
	EXPECT_EQ(get(INVALID_SOCKET, SOL_SOCKET, SO_OPENTYPE), 0);
	EXPECT_EQ(set(INVALID_SOCKET, SOL_SOCKET, SO_OPENTYPE, 0x20), 0);
	EXPECT_EQ(get(INVALID_SOCKET, SOL_SOCKET, SO_OPENTYPE), 0x20);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(rare, unknown_ones)
{
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = wsock_socket(AF_INET, SOCK_STREAM, 0);
	EXPECT_EQ(get(s, IPPROTO_TCP, 9999), -WSAENOPROTOOPT);
	EXPECT_EQ(set(s, SOL_SOCKET, 9999, 1), WSAENOPROTOOPT);
	EXPECT_EQ(get(s, 9999, 1), -WSAEINVAL);
	EXPECT_EQ(WSACleanup(), 0);
}

/* Each option says what the descriptor is not. */
TEST_F(rare, of_what_is_no_socket)
{
	static const int names[] = {
		SO_RCVTIMEO, SO_SNDTIMEO, SO_LINGER, SO_DONTLINGER, SO_ERROR, SO_MAX_MSG_SIZE,
		SO_RCVBUF, SO_SNDBUF, SO_CONNECT_TIME, SO_EXCLUSIVEADDRUSE, SO_REUSEADDR,
		SO_KEEPALIVE, SO_TYPE, SO_PRIORITY,
	};
	wsock_u_long n = 0;
	SOCKET s;
	int len;

	ASSERT_EQ(startup(), 0);
	s = no_socket();
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		EXPECT_EQ(get(s, SOL_SOCKET, names[i]), -WSAENOTSOCK);
		if (names[i] == SO_ERROR || names[i] == SO_MAX_MSG_SIZE ||
		    names[i] == SO_CONNECT_TIME || names[i] == SO_TYPE)
			continue;
		EXPECT_EQ(set(s, SOL_SOCKET, names[i], 1), WSAENOTSOCK);
	}
	EXPECT_EQ(get(s, IPPROTO_TCP, TCP_NODELAY), -WSAENOTSOCK);
	EXPECT_EQ(wsock_setsockopt(s, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0), -1);
	EXPECT_EQ(WSAGetLastError(), WSAENOTSOCK);
	EXPECT_WSA(ioctlsocket(s, WSOCK_FIONREAD, &n), WSAENOTSOCK);
	EXPECT_WSA(wsock_shutdown(s, SD_BOTH), WSAENOTSOCK);
	EXPECT_WSA(closesocket(s), WSAENOTSOCK);
	len = sizeof(struct sockaddr_in);
	EXPECT_EQ(wsock_accept(s, sa(&(struct sockaddr_in){ 0 }), &len), INVALID_SOCKET);
	EXPECT_EQ(WSAGetLastError(), WSAENOTSOCK);
	len = 1;
	EXPECT_EQ(wsock_accept(s, sa(&(struct sockaddr_in){ 0 }), &len), INVALID_SOCKET);
	EXPECT_EQ(WSAGetLastError(), WSAENOTSOCK);
	close(s);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(rare, rooms_that_are_too_small)
{
	static const int names[] = {
		SO_RCVTIMEO, SO_LINGER, SO_DONTLINGER, SO_ERROR, SO_SNDBUF, SO_KEEPALIVE,
		SO_EXCLUSIVEADDRUSE, SO_CONNECT_TIME, SO_OPENTYPE,
	};
	char room[8];
	SOCKET s;
	int len;

	ASSERT_EQ(startup(), 0);
	s = wsock_socket(AF_INET, SOCK_STREAM, 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		len = 3;
		EXPECT_WSA(wsock_getsockopt(s, SOL_SOCKET, names[i], room, &len), WSAEFAULT);
		len = 0;
		EXPECT_WSA(wsock_getsockopt(s, SOL_SOCKET, names[i], room, &len), WSAEFAULT);
	}
	for (int i = 0; i < 2; i++)
		EXPECT_WSA(wsock_setsockopt(s, SOL_SOCKET, i ? SO_RCVTIMEO : SO_OPENTYPE, room, 3),
			   WSAEFAULT);
	EXPECT_WSA(wsock_setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, NULL, 4), WSAEFAULT);
	EXPECT_WSA(wsock_setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, room, -1), WSAEFAULT);
	EXPECT_EQ(WSACleanup(), 0);
}

/* A refusal is an error of the socket once, a reset of its receives. */
TEST_F(rare, error_of_a_reset)
{
	struct linger linger = { .l_onoff = 1 };
	char data[4];
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	setsockopt(peer, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(peer);
	ASSERT_TRUE(wait_for(poll(&(struct pollfd){ .fd = s }, 1, 0) == 1));
	EXPECT_EQ(get(s, SOL_SOCKET, SO_ERROR), 0);
	EXPECT_WSA(wsock_recv(s, data, 4, 0), WSAECONNRESET);
	EXPECT_WSA(wsock_recv(s, data, 4, 0), WSAECONNRESET);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(rare, contexts_of_accepted_and_connected)
{
	SOCKET s, l, u, not;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	l = listening_socket();
	u = bound_socket(SOCK_DGRAM);
	not = no_socket();
	EXPECT_WSA(wsock_setsockopt(s, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (char *)&l, 3),
		   WSAEFAULT);
	EXPECT_WSA(wsock_setsockopt(s, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (char *)&not,
				    sizeof(not)), WSAENOTSOCK);
	EXPECT_WSA(wsock_setsockopt(s, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (char *)&u,
				    sizeof(u)), WSAEINVAL);
	EXPECT_WSA(wsock_setsockopt(l, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0), WSAENOTCONN);
	EXPECT_WSA(wsock_setsockopt(u, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0),
		   WSAENOPROTOOPT);
	EXPECT_EQ(wsock_setsockopt(s, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0), 0);
	close(not);
	close(peer);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(rare, keepalive_times)
{
	struct tcp_keepalive values = { .onoff = 1, .keepaliveinterval = ~0U };
	int low, high, len = sizeof(low);
	DWORD bytes;
	SOCKET s, u;

	ASSERT_EQ(startup(), 0);
	s = wsock_socket(AF_INET, SOCK_STREAM, 0);
	u = wsock_socket(AF_INET, SOCK_DGRAM, 0);
	/* A second at least, and what Linux takes at most. */
	ASSERT_EQ(WSAIoctl(s, SIO_KEEPALIVE_VALS, &values, sizeof(values), NULL, 0, &bytes, NULL,
			   NULL), 0);
	ASSERT_EQ(wsock_getsockopt(s, IPPROTO_TCP, TCP_KEEPIDLE, (char *)&low, &len), 0);
	ASSERT_EQ(wsock_getsockopt(s, IPPROTO_TCP, TCP_KEEPINTVL, (char *)&high, &len), 0);
	EXPECT_EQ(low, 1);
	EXPECT_EQ(high, 32767);
	EXPECT_NE(get(s, SOL_SOCKET, SO_KEEPALIVE), 0);
	EXPECT_WSA(WSAIoctl(u, SIO_KEEPALIVE_VALS, &values, sizeof(values), NULL, 0, &bytes, NULL,
			    NULL), WSAEOPNOTSUPP);
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- Addresses ---- */

TEST_F(rare, addresses_as_text)
{
	unsigned char in6[16];
	char text[64];
	struct in_addr in;

	EXPECT_EQ(wsock_inet_pton(AF_INET, "1.2.3.4", &in), 1);
	EXPECT_STREQ(wsock_inet_ntoa(in), "1.2.3.4");
	EXPECT_STREQ(wsock_inet_ntop(AF_INET, &in, text, sizeof(text)), "1.2.3.4");
	EXPECT_EQ(wsock_inet_pton(AF_INET6, "fe80::1", in6), 1);
	EXPECT_STREQ(wsock_inet_ntop(AF_INET6, in6, text, ~(size_t)0), "fe80::1");
	EXPECT_EQ(wsock_inet_pton(AF_INET, "1.2.3", &in), 0);
	EXPECT_WSA(wsock_inet_pton(AF_UNIX, "1.2.3.4", &in), WSAEAFNOSUPPORT);
	EXPECT_WSA(wsock_inet_pton(AF_INET, NULL, &in), WSAEFAULT);
	EXPECT_WSA(wsock_inet_pton(AF_INET, "1.2.3.4", NULL), WSAEFAULT);
	EXPECT_EQ(wsock_inet_ntop(AF_UNIX, &in, text, sizeof(text)), NULL);
	EXPECT_EQ(WSAGetLastError(), WSAEAFNOSUPPORT);
	EXPECT_EQ(wsock_inet_ntop(AF_INET, NULL, text, sizeof(text)), NULL);
	EXPECT_EQ(WSAGetLastError(), WSAEFAULT);
	EXPECT_EQ(wsock_inet_ntop(AF_INET, &in, NULL, sizeof(text)), NULL);
	EXPECT_EQ(WSAGetLastError(), WSAEFAULT);
	EXPECT_EQ(wsock_inet_ntop(AF_INET, &in, text, 4), NULL);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	EXPECT_EQ(wsock_inet_addr(NULL), 0);
	EXPECT_EQ(wsock_inet_addr(" "), 0);
	EXPECT_EQ(wsock_inet_addr("127.0.0.1"), htonl(INADDR_LOOPBACK));
}

TEST_F(rare, byte_order)
{
	wsock_u_long l = 0;
	u_short n = 0;
	SOCKET s;
	int not;

	ASSERT_EQ(startup(), 0);
	s = wsock_socket(AF_INET, SOCK_DGRAM, 0);
	EXPECT_EQ(WSAHtonl(s, 0x11223344, &l), 0);
	EXPECT_EQ(l, 0x44332211);
	EXPECT_EQ(WSANtohl(s, l, &l), 0);
	EXPECT_EQ(l, 0x11223344);
	EXPECT_EQ(WSAHtons(s, 0x1122, &n), 0);
	EXPECT_EQ(n, 0x2211);
	EXPECT_EQ(WSANtohs(s, n, &n), 0);
	EXPECT_EQ(n, 0x1122);
	EXPECT_WSA(WSAHtonl(s, 1, NULL), WSAEFAULT);
	not = no_socket();
	EXPECT_WSA(WSAHtons(not, 1, &n), WSAENOTSOCK);
	close(not);
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- Sockets ---- */

TEST_F(rare, defaults_of_a_socket)
{
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = wsock_socket(AF_INET, 0, 0);
	EXPECT_EQ(get(s, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
	s = wsock_socket(0, 0, IPPROTO_TCP);
	EXPECT_EQ(get(s, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
	s = wsock_socket(0, 0, IPPROTO_UDP);
	EXPECT_EQ(get(s, SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
	s = wsock_socket(0, 0, IPPROTO_ICMP);
	EXPECT_EQ(get(s, SOL_SOCKET, SO_TYPE), SOCK_RAW);
	EXPECT_EQ(wsock_socket(0, 0, 0), INVALID_SOCKET);
	EXPECT_EQ(WSAGetLastError(), WSAEINVAL);
	EXPECT_EQ(wsock_socket(AF_INET, SOCK_STREAM, -2), INVALID_SOCKET);
	EXPECT_EQ(WSAGetLastError(), WSAEPROTONOSUPPORT);
	EXPECT_EQ(wsock_socket(AF_INET, 77, 0), INVALID_SOCKET);
	EXPECT_EQ(WSAGetLastError(), WSAESOCKTNOSUPPORT);
	EXPECT_EQ(WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, 0x8000), INVALID_SOCKET);
	EXPECT_EQ(WSAGetLastError(), WSAEINVAL);
	EXPECT_EQ(WSASocketW(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_REGISTERED_IO),
		  INVALID_SOCKET);
	EXPECT_EQ(WSAGetLastError(), WSAEOPNOTSUPP);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(rare, listen_with_a_hint)
{
	SOCKET s, l;
	int peer;

	ASSERT_EQ(startup(), 0);
	l = bound_socket(SOCK_STREAM);
	EXPECT_EQ(wsock_listen(l, -100), 0);
	EXPECT_EQ(wsock_listen(l, INT32_MIN), 0);
	peer = tcp_connect(local_port(l));
	EXPECT_GE(peer, 0);
	close(peer);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	EXPECT_WSA(wsock_listen(s, 5), WSAEISCONN);
	close(peer);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(rare, addresses_of_both_lengths)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int len = sizeof(in6);
	SOCKET s, u;
	char data[4];

	ASSERT_EQ(startup(), 0);
	s = wsock_socket(AF_INET6, SOCK_DGRAM, 0);
	ASSERT_EQ(wsock_bind(s, (struct sockaddr *)&in6, len), 0);
	ASSERT_EQ(wsock_getsockname(s, (struct sockaddr *)&in6, &len), 0);
	u = wsock_socket(AF_INET6, SOCK_DGRAM, 0);
	EXPECT_EQ(wsock_sendto(u, "abc", 3, 0, (struct sockaddr *)&in6, len), 3);
	len = sizeof(struct sockaddr_in);
	EXPECT_WSA(wsock_recvfrom(s, data, 4, 0, (struct sockaddr *)&in6, &len), WSAEFAULT);
	EXPECT_WSA(wsock_recvfrom(s, data, 4, 0, (struct sockaddr *)&in6, NULL), WSAEFAULT);
	len = sizeof(in6);
	EXPECT_EQ(wsock_recvfrom(s, data, 4, 0, (struct sockaddr *)&in6, &len), 3);
	EXPECT_EQ(len, sizeof(in6));
	EXPECT_WSA(wsock_sendto(u, "abc", 3, 0, (struct sockaddr *)&in6, 3), WSAEFAULT);
	EXPECT_WSA(wsock_connect(u, (struct sockaddr *)&in6, 1), WSAEFAULT);
	EXPECT_EQ(wsock_connect(u, (struct sockaddr *)&in6, len), 0);
	/* As if it had never been. */
	in6.sin6_family = AF_UNSPEC;
	EXPECT_EQ(wsock_connect(u, (struct sockaddr *)&in6, len), 0);
	EXPECT_WSA(wsock_send(u, "abc", 3, 0), WSAENOTCONN);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(rare, flags_that_no_call_takes)
{
	WSABUF buf = { .len = 4 };
	struct operation op;
	char data[4];
	SOCKET s, u;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	u = bound_socket(SOCK_DGRAM);
	buf.buf = data;
	EXPECT_WSA(wsock_recv(s, data, 4, 0x4000000), WSAEOPNOTSUPP);
	EXPECT_WSA(wsock_recv(s, data, 4, MSG_WAITALL | MSG_PEEK), WSAEOPNOTSUPP);
	EXPECT_WSA(wsock_recv(u, data, 4, MSG_WAITALL), WSAEOPNOTSUPP);
	EXPECT_WSA(wsock_send(s, data, 4, 0x4000000), WSAEOPNOTSUPP);
	operation_init(&op, NULL);
	EXPECT_WSA(WSASend(s, &buf, 1, &op.bytes, 0x4000000, &op.ov, NULL), WSAEOPNOTSUPP);
	op.flags = 0x4000000;
	EXPECT_WSA(WSARecv(s, &buf, 1, &op.bytes, &op.flags, &op.ov, NULL), WSAEOPNOTSUPP);
	EXPECT_FALSE(GetOverlappedResult((HANDLE)s, NULL, &op.bytes, FALSE));
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	EXPECT_FALSE(GetOverlappedResult((HANDLE)s, &op.ov, NULL, FALSE));
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	EXPECT_FALSE(WSACloseEvent((HANDLE)s));
	EXPECT_EQ(GetLastError(), ERROR_INVALID_HANDLE);
	close(peer);
	EXPECT_EQ(WSACleanup(), 0);
}

/* All that was asked for, though it comes in pieces. */
TEST_F(rare, all_of_several_buffers)
{
	char a[3], b[4];
	WSABUF bufs[2] = { { .len = 3, .buf = a }, { .len = 4, .buf = b } };
	DWORD bytes = 0, flags = MSG_WAITALL;
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(send(peer, "abcdefg", 7, 0), 7);
	EXPECT_EQ(WSARecv(s, bufs, 2, &bytes, &flags, NULL, NULL), 0);
	EXPECT_EQ(bytes, 7);
	EXPECT_EQ(memcmp(a, "abc", 3), 0);
	EXPECT_EQ(memcmp(b, "defg", 4), 0);
	/* The end of the stream ends it. */
	ASSERT_EQ(send(peer, "abcde", 5, 0), 5);
	shutdown(peer, SHUT_WR);
	flags = MSG_WAITALL;
	EXPECT_EQ(WSARecv(s, bufs, 2, &bytes, &flags, NULL, NULL), 0);
	EXPECT_EQ(bytes, 5);
	close(peer);
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- select and WSAPoll ---- */

TEST_F(rare, poll_of_every_kind)
{
	WSAPOLLFD fd = { .events = WSOCK_POLLRDNORM | WSOCK_POLLRDBAND | WSOCK_POLLWRNORM };
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	fd.fd = s;
	EXPECT_EQ(WSAPoll(&fd, 1, 0), 1);
	EXPECT_EQ(fd.revents, WSOCK_POLLWRNORM);
	ASSERT_EQ(send(peer, "xy", 2, MSG_OOB), 2);
	ASSERT_TRUE(wait_for(WSAPoll(&fd, 1, 0) == 1 && fd.revents & WSOCK_POLLRDBAND));
	EXPECT_EQ(fd.revents, WSOCK_POLLWRNORM | WSOCK_POLLRDBAND | WSOCK_POLLRDNORM);
	EXPECT_WSA(WSAPoll(&fd, 0, 0), WSAEINVAL);
	EXPECT_WSA(WSAPoll(NULL, 1, 0), WSAEFAULT);
	fd.events = 0x4000;
	EXPECT_WSA(WSAPoll(&fd, 1, 0), WSAEINVAL);
	close(peer);
	EXPECT_EQ(WSACleanup(), 0);
}

/* What connects is connected once somebody has been told that it can be written to. */
TEST_F(rare, connect_is_over_by_select_and_poll)
{
	for (int i = 0; i < 2; i++) {
		struct timeval tv = { .tv_sec = 10 };
		WSAPOLLFD fd = { .events = WSOCK_POLLWRNORM };
		wsock_fd_set set = { .fd_count = 1 };
		struct sockaddr_in sin;
		wsock_u_long on = 1;
		SOCKET s;
		int l;

		ASSERT_EQ(startup(), 0);
		l = tcp_listener();
		sin = loopback(local_port(l));
		s = wsock_socket(AF_INET, SOCK_STREAM, 0);
		ASSERT_EQ(ioctlsocket(s, WSOCK_FIONBIO, &on), 0);
		EXPECT_WSA(wsock_connect(s, sa(&sin), sizeof(sin)), WSAEWOULDBLOCK);
		fd.fd = set.fd_array[0] = s;
		EXPECT_EQ(i ? wsock_select(0, NULL, &set, NULL, &tv) :
			      WSAPoll(&fd, 1, TIMEOUT_MS), 1);
		shutdown(s, SHUT_WR);
		EXPECT_WSA(wsock_connect(s, sa(&sin), sizeof(sin)), WSAEISCONN);
		close(l);
		EXPECT_EQ(WSACleanup(), 0);
	}
}

/* A socket twice, and one that was never connected, which has nothing to tell. */
TEST_F(rare, select_of_odd_sets)
{
	struct timeval tv = { .tv_usec = 60000 }, bad = { .tv_sec = -1 };
	wsock_fd_set set = { .fd_count = 3 }, other;
	SOCKET s, idle;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	idle = wsock_socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(send(peer, "x", 1, 0), 1);
	set.fd_array[0] = set.fd_array[1] = s;
	set.fd_array[2] = idle;
	EXPECT_EQ(wsock_select(0, &set, NULL, NULL, NULL), 1);
	EXPECT_EQ(set.fd_count, 1);
	EXPECT_EQ(set.fd_array[0], s);
	EXPECT_TRUE(__WSAFDIsSet(s, &set));
	EXPECT_FALSE(__WSAFDIsSet(idle, &set));
	/* Muted, looked at again, and not there. */
	set = (wsock_fd_set){ .fd_count = 1, .fd_array = { idle } };
	EXPECT_EQ(wsock_select(0, NULL, &set, NULL, &tv), 0);
	EXPECT_EQ(set.fd_count, 0);
	set = (wsock_fd_set){ .fd_count = 1, .fd_array = { s } };
	EXPECT_WSA(wsock_select(0, &set, NULL, NULL, &bad), WSAEINVAL);
	EXPECT_WSA(wsock_select(0, NULL, NULL, NULL, &tv), WSAEINVAL);
	peer = no_socket();
	other = (wsock_fd_set){ .fd_count = 1, .fd_array = { peer } };
	EXPECT_WSA(wsock_select(0, &set, &other, NULL, &tv), WSAENOTSOCK);
	close(peer);
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- When something is missing ---- */

static bool limit_descriptors(rlim_t n)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return false;
	limit.rlim_cur = n;
	return !setrlimit(RLIMIT_NOFILE, &limit);
}

static void CALLBACK nothing(ULONG_PTR data)
{
}

static int lowest_free(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

TEST_F(rare, no_descriptor_is_left)
{
	WSAPOLLFD fds[64];
	wsock_fd_set set = { .fd_count = 64 };
	struct timeval tv = { 0 };
	HANDLE thread;
	int lowest;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_DGRAM);
	ASSERT_EQ(QueueUserAPC(nothing, GetCurrentThread(), 0), 1);
	lowest = dup(0);
	close(lowest);
	ASSERT_TRUE(limit_descriptors(lowest));
	EXPECT_EQ(wsock_socket(AF_INET, SOCK_DGRAM, 0), INVALID_SOCKET);
	EXPECT_EQ(WSAGetLastError(), WSAEMFILE);
	EXPECT_EQ(WSACreateEvent(), NULL);
	EXPECT_EQ(GetLastError(), ERROR_NOT_ENOUGH_MEMORY);
	EXPECT_EQ(CreateIoCompletionPort((HANDLE)s, NULL, 0, 0), NULL);
	EXPECT_EQ(GetLastError(), ERROR_NOT_ENOUGH_MEMORY);
	EXPECT_EQ(WaitForSingleObject((HANDLE)s, 0), WAIT_FAILED);
	EXPECT_EQ(GetLastError(), ERROR_NOT_ENOUGH_MEMORY);
	EXPECT_FALSE(DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(),
				     &thread, 0, FALSE, DUPLICATE_SAME_ACCESS));
	EXPECT_EQ(GetLastError(), ERROR_NOT_ENOUGH_MEMORY);
	/* poll(2) takes no more entries than there may be descriptors. */
	ASSERT_LT(lowest, 64);
	for (int i = 0; i < 64; i++) {
		fds[i] = (WSAPOLLFD){ .fd = s, .events = WSOCK_POLLRDNORM };
		set.fd_array[i] = s;
	}
	EXPECT_WSA(WSAPoll(fds, 64, 0), WSAENOBUFS);
	EXPECT_WSA(wsock_select(0, &set, NULL, NULL, &tv), WSAENOBUFS);
	EXPECT_EQ(WSACleanup(), 0);
	ASSERT_TRUE(limit_descriptors(1024));
}

/* The device is there, but not for us. */
TEST_F(rare, no_access_to_the_device)
{
	ASSERT_EQ(setgroups(0, NULL), 0);
	ASSERT_EQ(setegid(65534), 0);
	ASSERT_EQ(seteuid(65534), 0);
	EXPECT_EQ(startup(), WSASYSNOTREADY);
	EXPECT_EQ(CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0), NULL);
	EXPECT_EQ(GetLastError(), ERROR_ACCESS_DENIED);
	EXPECT_WSA(wsock_device_fd(), WSASYSNOTREADY);
	EXPECT_EQ(QueueUserAPC(nothing, GetCurrentThread(), 0), 0);
	EXPECT_EQ(GetLastError(), ERROR_ACCESS_DENIED);
	EXPECT_EQ(seteuid(0), 0);
}

TEST_F(rare, an_event_that_is_none)
{
	struct operation op;
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	operation_init(&op, (HANDLE)s);
	EXPECT_FALSE(DisconnectEx(s, &op.ov, 0, 0));
	EXPECT_EQ(WSAGetLastError(), WSA_INVALID_HANDLE);
	EXPECT_EQ(wsock_send(s, "x", 1, 0), 1);
	close(peer);
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- Files ---- */

static HANDLE create_file(const WCHAR *name, DWORD access, DWORD disposition)
{
	return CreateFileW(name, access, 0, NULL, disposition, 0, NULL);
}

/* UTF-16 of one to four bytes in UTF-8, and what is no name. */
TEST_F(rare, names_of_files)
{
	HANDLE file = create_file(u"/tmp/a\u00e4\u20ac\U0001f600", GENERIC_ALL, CREATE_ALWAYS);

	ASSERT_NE(file, INVALID_HANDLE_VALUE);
	EXPECT_EQ(GetLastError(), 0);
	EXPECT_EQ(access("/tmp/a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", F_OK), 0);
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_EQ(create_file(u"/tmp/\xd800x", GENERIC_READ, OPEN_EXISTING), INVALID_HANDLE_VALUE);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_NAME);
	EXPECT_EQ(create_file(NULL, GENERIC_READ, OPEN_EXISTING), INVALID_HANDLE_VALUE);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_NAME);
	EXPECT_EQ(create_file(u"/tmp/x", GENERIC_READ, 99), INVALID_HANDLE_VALUE);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
}

TEST_F(rare, files_that_cannot_be_opened)
{
	HANDLE file;

	EXPECT_EQ(create_file(u"/etc/passwd/x", GENERIC_READ, OPEN_EXISTING), INVALID_HANDLE_VALUE);
	EXPECT_EQ(GetLastError(), ERROR_PATH_NOT_FOUND);
	EXPECT_EQ(create_file(u"/tmp", GENERIC_WRITE, OPEN_EXISTING), INVALID_HANDLE_VALUE);
	EXPECT_EQ(GetLastError(), ERROR_ACCESS_DENIED);
	EXPECT_EQ(create_file(u"/tmp/none", GENERIC_READ, OPEN_EXISTING), INVALID_HANDLE_VALUE);
	EXPECT_EQ(GetLastError(), ERROR_FILE_NOT_FOUND);
	ASSERT_TRUE(limit_descriptors(lowest_free()));
	EXPECT_EQ(create_file(u"/etc/passwd", GENERIC_READ, OPEN_EXISTING), INVALID_HANDLE_VALUE);
	EXPECT_EQ(GetLastError(), ERROR_TOO_MANY_OPEN_FILES);
	ASSERT_TRUE(limit_descriptors(1024));
	file = create_file(u"/tmp/new", GENERIC_READ | GENERIC_WRITE, CREATE_NEW);
	ASSERT_NE(file, INVALID_HANDLE_VALUE);
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_EQ(create_file(u"/tmp/new", GENERIC_WRITE, CREATE_NEW), INVALID_HANDLE_VALUE);
	EXPECT_EQ(GetLastError(), ERROR_FILE_EXISTS);
	file = create_file(u"/tmp/new", GENERIC_WRITE, TRUNCATE_EXISTING);
	EXPECT_NE(file, INVALID_HANDLE_VALUE);
	EXPECT_TRUE(CloseHandle(file));
	unlink("/tmp/new");
}

TEST_F(rare, positions_and_sizes)
{
	LARGE_INTEGER at = { .QuadPart = -5 }, size;
	HANDLE file = create_file(u"/etc/passwd", GENERIC_READ, OPEN_EXISTING);
	DWORD n, high = 7;
	char data[4];

	ASSERT_NE(file, INVALID_HANDLE_VALUE);
	EXPECT_FALSE(SetFilePointerEx(file, at, NULL, FILE_BEGIN));
	EXPECT_EQ(GetLastError(), ERROR_NEGATIVE_SEEK);
	EXPECT_FALSE(SetFilePointerEx(file, at, NULL, 9));
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	EXPECT_TRUE(GetFileSizeEx(file, &size));
	EXPECT_EQ(GetFileSize(file, &high), size.QuadPart);
	EXPECT_EQ(high, 0);
	EXPECT_FALSE(WriteFile(file, "x", 1, &n, NULL));
	EXPECT_FALSE(ReadFile(file, (void *)8, 4, &n, NULL));
	EXPECT_EQ(GetLastError(), ERROR_NOACCESS);
	EXPECT_FALSE(ReadFile(file, data, 4, NULL, NULL));
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	EXPECT_FALSE(WriteFile(file, data, 4, NULL, NULL));
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	EXPECT_TRUE(CloseHandle(file));
	EXPECT_EQ(GetFileSize(file, NULL), INVALID_FILE_SIZE);
}

/* ---- Other companions ---- */

TEST_F(rare, locks_made_by_a_call)
{
	CONDITION_VARIABLE condition;
	CRITICAL_SECTION section;
	INIT_ONCE once;
	SRWLOCK lock;

	memset(&lock, 0xa5, sizeof(lock));
	memset(&condition, 0xa5, sizeof(condition));
	memset(&once, 0xa5, sizeof(once));
	InitializeSRWLock(&lock);
	InitializeConditionVariable(&condition);
	InitOnceInitialize(&once);
	EXPECT_TRUE(InitializeCriticalSectionEx(&section, 4000, 0));
	EXPECT_TRUE(TryEnterCriticalSection(&section));
	LeaveCriticalSection(&section);
	DeleteCriticalSection(&section);
	AcquireSRWLockExclusive(&lock);
	EXPECT_FALSE(SleepConditionVariableSRW(&condition, &lock, 1, 0));
	EXPECT_EQ(GetLastError(), ERROR_TIMEOUT);
	ReleaseSRWLockExclusive(&lock);
}

TEST_F(rare, time_and_threads)
{
	HANDLE event = CreateEventA(NULL, TRUE, FALSE, NULL);
	FILETIME before, after;
	SYSTEMTIME local;
	DWORD code;

	GetSystemTimePreciseAsFileTime(&before);
	GetSystemTimePreciseAsFileTime(&after);
	EXPECT_GE(after.dwHighDateTime, before.dwHighDateTime);
	GetLocalTime(&local);
	EXPECT_TRUE(local.wMonth >= 1 && local.wMonth <= 12);
	EXPECT_EQ(timeBeginPeriod(1), 0);
	EXPECT_EQ(timeEndPeriod(1), 0);
	EXPECT_NE(timeEndPeriod(0), 0);
	SwitchToThread();
	EXPECT_EQ(GetThreadId(event), 0);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_HANDLE);
	EXPECT_FALSE(GetExitCodeThread(GetCurrentThread(), NULL));
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	EXPECT_TRUE(GetExitCodeThread(GetCurrentThread(), &code));
	EXPECT_TRUE(SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_TIME_CRITICAL));
	EXPECT_TRUE(SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_IDLE));
	EXPECT_FALSE(SetThreadPriority(event, THREAD_PRIORITY_IDLE));
	EXPECT_TRUE(CloseHandle(event));
}

TEST_F(rare, modules_that_are_none)
{
	EXPECT_NE(GetModuleHandleW(u"ws2_32.dll"), NULL);
	EXPECT_EQ(GetModuleHandleA(NULL), NULL);
	EXPECT_EQ(GetModuleHandleW(NULL), NULL);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	EXPECT_EQ(GetProcAddress(NULL, "socket"), NULL);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_HANDLE);
	EXPECT_EQ(GetProcAddress(GetModuleHandleA("ws2_32"), (LPCSTR)7), NULL);
	EXPECT_EQ(GetLastError(), ERROR_PROC_NOT_FOUND);
}

TEST_F(rare, exit_of_the_process)
{
	pid_t pid = fork();

	if (!pid)
		ExitProcess(42);
	EXPECT_EQ(child_status(pid), 42);
}

/* ---- Ends of synchronous calls ---- */

static void on_alarm(int sig)
{
}

/* From now on calls are interrupted all the time; 0 ends that. */
static void interrupt_every(int ms)
{
	struct itimerval timer = { { .tv_usec = ms * 1000 }, { .tv_usec = ms * 1000 } };
	struct sigaction sa = { .sa_handler = on_alarm };

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* A time-out is of the call, however often a signal interrupts it. */
TEST_F(rare, timeouts_and_signals)
{
	static char big[1 << 20];
	int ms = 200, peer;
	double start;
	char data[4];
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(set(s, SOL_SOCKET, SO_RCVTIMEO, ms), 0);
	ASSERT_EQ(set(s, SOL_SOCKET, SO_SNDTIMEO, ms), 0);
	interrupt_every(15);
	start = now_ms();
	EXPECT_WSA(wsock_recv(s, data, 4, 0), WSAETIMEDOUT);
	EXPECT_GE(now_ms() - start, ms - 20);
	fill(s);
	start = now_ms();
	EXPECT_WSA(wsock_send(s, big, sizeof(big), 0), WSAETIMEDOUT);
	EXPECT_GE(now_ms() - start, ms - 20);
	interrupt_every(0);
	/* What has come until then is what the call returns. */
	ASSERT_EQ(send(peer, "ab", 2, 0), 2);
	EXPECT_EQ(wsock_recv(s, data, 4, MSG_WAITALL), 2);
	close(peer);
	EXPECT_EQ(WSACleanup(), 0);
}

static void *drain_later(void *arg)
{
	static char buf[1 << 16];
	int fd = *(int *)arg;

	nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
	while (recv(fd, buf, sizeof(buf), 0) > 0)
		;
	return NULL;
}

TEST_F(rare, a_send_that_signals_interrupt)
{
	static char big[4 << 20];
	pthread_t thread;
	sigset_t alarm;
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &alarm, NULL);
	ASSERT_EQ(pthread_create(&thread, NULL, drain_later, &peer), 0);
	pthread_sigmask(SIG_UNBLOCK, &alarm, NULL);
	interrupt_every(10);
	EXPECT_EQ(wsock_send(s, big, sizeof(big), 0), sizeof(big));
	interrupt_every(0);
	EXPECT_EQ(wsock_shutdown(s, SD_SEND), 0);
	pthread_join(thread, NULL);
	close(peer);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(rare, datagrams_cut_and_refused)
{
	struct sockaddr_in sin;
	char data[4];
	SOCKET s;
	int gone;

	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_DGRAM);
	ASSERT_EQ(datagram_to(s, "abc", 3), 0);
	EXPECT_WSA(wsock_recv(s, data, 0, 0), WSAEMSGSIZE);
	gone = udp_socket();
	sin = loopback(local_port(gone));
	close(gone);
	ASSERT_EQ(wsock_connect(s, sa(&sin), sizeof(sin)), 0);
	ASSERT_EQ(wsock_send(s, "x", 1, 0), 1);
	EXPECT_WSA(wsock_recv(s, data, 4, 0), WSAECONNRESET);
	EXPECT_EQ(WSACleanup(), 0);
}

/* An accepted socket has its listener's network events once it is told whose it is. */
TEST_F(rare, events_of_an_accepted_socket)
{
	WSAEVENT event = WSACreateEvent();
	WSANETWORKEVENTS events;
	struct operation op;
	SOCKET l, a;
	int peer;

	ASSERT_EQ(startup(), 0);
	l = listening_socket();
	a = wsock_socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(WSAEventSelect(l, event, FD_READ | FD_ACCEPT), 0);
	operation_init(&op, NULL);
	EXPECT_FALSE(AcceptEx(l, a, op.data, 0, 32, 32, &op.bytes, &op.ov));
	peer = tcp_connect(local_port(l));
	ASSERT_TRUE(wait_for(status(&op) == STATUS_SUCCESS));
	ASSERT_EQ(wsock_setsockopt(a, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (char *)&l, sizeof(l)),
		  0);
	WSAResetEvent(event);
	ASSERT_EQ(send(peer, "x", 1, 0), 1);
	EXPECT_TRUE(becomes_signalled(event));
	EXPECT_EQ(WSAEnumNetworkEvents(a, event, &events), 0);
	EXPECT_EQ(events.lNetworkEvents, FD_READ);
	close(peer);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_HARNESS_MAIN
