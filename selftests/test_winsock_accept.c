// SPDX-License-Identifier: GPL-2.0
/*
 * AcceptEx (D.11, D.5 and D.9 of it, and what C27 says of it).
 */
#include "winsock.h"
#include "kselftest_harness.h"

#include <mswsock.h>

WINSOCK_FIXTURE(accept_ex);

#define ROOM	(sizeof(struct sockaddr_in) + 16)
#define DATA	64

/* The port of a listening or accepted socket. */
static int port_of(SOCKET s)
{
	struct sockaddr_in sin;
	int len = sizeof(sin);

	return wsock_getsockname(s, sa(&sin), &len) ? -1 : ntohs(sin.sin_port);
}

static int peer_of(SOCKET l)
{
	struct sockaddr_in sin = loopback(port_of(l));
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	while (connect(fd, sa(&sin), sizeof(sin))) {
		if (errno != EINTR && errno != EALREADY) {
			close(fd);
			return -1;
		}
	}
	return fd;
}

static int peer_port(int peer)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	return getsockname(peer, sa(&sin), &len) ? -1 : ntohs(sin.sin_port);
}

static SOCKET acceptor(void)
{
	return wsock_socket(AF_INET, SOCK_STREAM, 0);
}

/* Returns 0 or the error. */
static int start(SOCKET l, SOCKET a, struct operation *op, WSAEVENT event, DWORD data)
{
	operation_init(op, event);
	return AcceptEx(l, a, op->data, data, ROOM, ROOM, &op->bytes, &op->ov) ?
	       0 : WSAGetLastError();
}

static int update(SOCKET a, SOCKET l)
{
	return wsock_setsockopt(a, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (char *)&l, sizeof(l)) ?
	       WSAGetLastError() : 0;
}

static bool joined(SOCKET a, int peer)
{
	char c = 0;

	return wsock_send(a, "x", 1, 0) == 1 && recv(peer, &c, 1, 0) == 1 && c == 'x' &&
	       send(peer, "y", 1, MSG_NOSIGNAL) == 1 && wsock_recv(a, &c, 1, 0) == 1 && c == 'y';
}

TEST_F(accept_ex, D11__connection)
{
	struct sockaddr *local, *remote;
	int locallen, remotelen, peer, seconds, len = sizeof(seconds);
	WSAEVENT event = WSACreateEvent();
	struct operation op;
	SOCKET l, a;
	DWORD n, flags;

	ASSERT_EQ(startup(), 0);
	l = listening_socket();
	a = acceptor();
	EXPECT_EQ(start(l, a, &op, event, 0), WSA_IO_PENDING);
	EXPECT_EQ(op.bytes, POISON_WORD);
	EXPECT_FALSE(signalled(event));
	EXPECT_FALSE(WSAGetOverlappedResult(l, &op.ov, &n, FALSE, &flags));
	EXPECT_EQ(WSAGetLastError(), WSA_IO_INCOMPLETE);
	peer = peer_of(l);
	ASSERT_TRUE(becomes_signalled(event));
	EXPECT_TRUE(WSAGetOverlappedResult(l, &op.ov, &n, FALSE, &flags));
	EXPECT_EQ(n, 0);
	EXPECT_EQ(update(a, l), 0);
	GetAcceptExSockaddrs(op.data, 0, ROOM, ROOM, &local, &locallen, &remote, &remotelen);
	EXPECT_EQ(locallen, sizeof(struct sockaddr_in));
	EXPECT_EQ(remotelen, sizeof(struct sockaddr_in));
	EXPECT_EQ(ntohs(((struct sockaddr_in *)local)->sin_port), port_of(l));
	EXPECT_EQ(ntohs(((struct sockaddr_in *)remote)->sin_port), peer_port(peer));
	EXPECT_EQ(port_of(a), port_of(l));
	EXPECT_EQ(wsock_getsockopt(a, SOL_SOCKET, SO_CONNECT_TIME, (char *)&seconds, &len), 0);
	EXPECT_GE(seconds, 0);
	EXPECT_LT(seconds, 60);
	EXPECT_TRUE(joined(a, peer));
	EXPECT_EQ(closesocket(a), 0);
	EXPECT_EQ(recv(peer, op.data, 1, 0), 0);
	EXPECT_EQ(WSACleanup(), 0);
	close(peer);
	WSACloseEvent(event);
}

TEST_F(accept_ex, D11__data)
{
	int seconds, len = sizeof(seconds), peer;
	WSAEVENT event = WSACreateEvent();
	struct operation op;
	SOCKET l, a;
	DWORD n, flags;

	ASSERT_EQ(startup(), 0);
	l = listening_socket();
	a = acceptor();
	EXPECT_EQ(wsock_getsockopt(a, SOL_SOCKET, SO_CONNECT_TIME, (char *)&seconds, &len), 0);
	EXPECT_EQ(seconds, -1);
	EXPECT_EQ(start(l, a, &op, event, DATA), WSA_IO_PENDING);
	peer = peer_of(l);
	EXPECT_TRUE(stays_unsignalled(event, 50));
	EXPECT_EQ(wsock_getsockopt(a, SOL_SOCKET, SO_CONNECT_TIME, (char *)&seconds, &len), 0);
	EXPECT_GE(seconds, 0);
	ASSERT_EQ(send(peer, "hello", 5, 0), 5);
	ASSERT_TRUE(becomes_signalled(event));
	EXPECT_TRUE(WSAGetOverlappedResult(l, &op.ov, &n, TRUE, &flags));
	EXPECT_EQ(n, 5);
	EXPECT_EQ(memcmp(op.data, "hello", 5), 0);
	EXPECT_EQ(update(a, l), 0);
	EXPECT_TRUE(joined(a, peer));
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(recv(peer, op.data, 1, 0), -1);
	EXPECT_EQ(errno, ECONNRESET);
	close(peer);
	WSACloseEvent(event);
}

TEST_F(accept_ex, D5__packet_has_the_listeners_key)
{
	struct operation op;
	struct taken r;
	SOCKET l, a;
	HANDLE port;
	int peer;

	ASSERT_EQ(startup(), 0);
	port = new_port(0);
	l = listening_socket();
	a = acceptor();
	ASSERT_EQ(CreateIoCompletionPort((HANDLE)l, port, 125, 0), port);
	ASSERT_EQ(CreateIoCompletionPort((HANDLE)a, port, 236, 0), port);
	EXPECT_EQ(start(l, a, &op, NULL, 0), WSA_IO_PENDING);
	peer = peer_of(l);
	r = take_packet(port, TIMEOUT_MS);
	EXPECT_TRUE(r.ret);
	EXPECT_EQ(r.key, 125);
	EXPECT_EQ(r.ov, &op.ov);
	EXPECT_EQ(r.bytes, 0);
	EXPECT_EQ(update(a, l), 0);
	/* Its own operations have its own. */
	EXPECT_EQ(start_recv(a, &op, NULL, 8), WSA_IO_PENDING);
	ASSERT_EQ(send(peer, "abc", 3, 0), 3);
	r = take_packet(port, TIMEOUT_MS);
	EXPECT_TRUE(r.ret);
	EXPECT_EQ(r.key, 236);
	EXPECT_EQ(r.bytes, 3);
	EXPECT_EQ(WSACleanup(), 0);
	close(peer);
	CloseHandle(port);
}

TEST_F(accept_ex, D9__cancelled)
{
	WSAEVENT event = WSACreateEvent();
	struct operation op;
	SOCKET l, a;
	DWORD n;

	ASSERT_EQ(startup(), 0);
	l = listening_socket();
	a = acceptor();
	EXPECT_EQ(start(l, a, &op, event, DATA), WSA_IO_PENDING);
	/* It is the listener's. */
	EXPECT_FALSE(CancelIoEx((HANDLE)a, &op.ov));
	EXPECT_EQ(GetLastError(), ERROR_NOT_FOUND);
	EXPECT_TRUE(CancelIo((HANDLE)a));
	EXPECT_EQ(status(&op), STATUS_PENDING);
	EXPECT_TRUE(CancelIo((HANDLE)l));
	ASSERT_TRUE(becomes_signalled(event));
	EXPECT_FALSE(GetOverlappedResult((HANDLE)l, &op.ov, &n, FALSE));
	EXPECT_EQ(GetLastError(), WSA_OPERATION_ABORTED);
	/* closesocket of the acceptor, and of the listener */
	EXPECT_EQ(start(l, a, &op, event, DATA), WSA_IO_PENDING);
	EXPECT_EQ(closesocket(a), 0);
	ASSERT_TRUE(becomes_signalled(event));
	EXPECT_EQ(status(&op), STATUS_CANCELLED);
	a = acceptor();
	EXPECT_EQ(start(l, a, &op, event, DATA), WSA_IO_PENDING);
	EXPECT_EQ(closesocket(l), 0);
	ASSERT_TRUE(becomes_signalled(event));
	EXPECT_EQ(status(&op), STATUS_CANCELLED);
	EXPECT_EQ(WSACleanup(), 0);
	WSACloseEvent(event);
}

TEST_F(accept_ex, C27__cleanup)
{
	WSAEVENT event = WSACreateEvent();
	struct operation op[2];
	SOCKET l, a;
	int peer;

	ASSERT_EQ(startup(), 0);
	l = listening_socket();
	a = acceptor();
	EXPECT_EQ(start(l, a, &op[0], event, DATA), WSA_IO_PENDING);
	peer = peer_of(l);
	EXPECT_EQ(start(l, acceptor(), &op[1], event, DATA), WSA_IO_PENDING);
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(status(&op[0]), STATUS_CANCELLED);
	EXPECT_EQ(status(&op[1]), STATUS_CANCELLED);
	EXPECT_TRUE(all_poison(op[0].data, sizeof(op[0].data)));
	EXPECT_TRUE(stays_unsignalled(event, 50));
	EXPECT_EQ(recv(peer, op[0].data, 1, 0), -1);
	EXPECT_EQ(errno, ECONNRESET);
	/* The pointer a program may have kept. */
	EXPECT_EQ(start(l, a, &op[0], event, 0), WSANOTINITIALISED);
	close(peer);
	WSACloseEvent(event);
}

TEST_F(accept_ex, D11__errors)
{
	struct sockaddr_in sin = loopback(0);
	struct operation op;
	SOCKET l, a, u, bound;

	ASSERT_EQ(startup(), 0);
	l = listening_socket();
	a = acceptor();
	bound = bound_socket(SOCK_STREAM);
	u = bound_socket(SOCK_DGRAM);
	EXPECT_EQ(start(INVALID_SOCKET, a, &op, NULL, 0), WSAENOTSOCK);
	EXPECT_EQ(op.ov.Internal, STATUS_PENDING);
	EXPECT_EQ(start(l, INVALID_SOCKET, &op, NULL, 0), WSAENOTSOCK);
	EXPECT_EQ(start(a, acceptor(), &op, NULL, 0), WSAEINVAL);
	EXPECT_EQ(start(u, a, &op, NULL, 0), WSAEINVAL);
	EXPECT_EQ(start(l, u, &op, NULL, 0), WSAEINVAL);
	EXPECT_EQ(start(l, bound, &op, NULL, 0), WSAEINVAL);
	EXPECT_EQ(start(l, l, &op, NULL, 0), WSAEINVAL);
	EXPECT_EQ(op.ov.Internal, STATUS_PENDING);
	EXPECT_EQ(op.ov.InternalHigh, POISON_LONG);
	EXPECT_FALSE(AcceptEx(l, a, op.data, 0, ROOM, ROOM, &op.bytes, NULL));
	EXPECT_EQ(WSAGetLastError(), ERROR_INVALID_PARAMETER);
	operation_init(&op, NULL);
	EXPECT_FALSE(AcceptEx(l, a, op.data, 0, ROOM, 0, &op.bytes, &op.ov));
	EXPECT_EQ(WSAGetLastError(), WSAEFAULT);
	EXPECT_EQ(update(a, l), WSAENOTCONN);
	EXPECT_EQ(start(l, a, &op, NULL, 0), WSA_IO_PENDING);
	EXPECT_EQ(start(l, a, &op, NULL, 0), WSAEINVAL);
	sin.sin_port = htons(port_of(l));
	EXPECT_EQ(wsock_connect(a, sa(&sin), sizeof(sin)), -1);
	EXPECT_EQ(WSAGetLastError(), WSAEINVAL);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(accept_ex, D11__room_too_small)
{
	WSAEVENT event = WSACreateEvent();
	struct operation op;
	SOCKET l, a;
	DWORD n;
	int peer;

	ASSERT_EQ(startup(), 0);
	l = listening_socket();
	a = acceptor();
	operation_init(&op, event);
	EXPECT_FALSE(AcceptEx(l, a, op.data, 0, ROOM, ROOM - 1, &op.bytes, &op.ov));
	EXPECT_EQ(WSAGetLastError(), WSA_IO_PENDING);
	peer = peer_of(l);
	ASSERT_TRUE(becomes_signalled(event));
	EXPECT_FALSE(GetOverlappedResult((HANDLE)l, &op.ov, &n, FALSE));
	EXPECT_EQ(GetLastError(), 122);		/* ERROR_INSUFFICIENT_BUFFER */
	/* The local address need not have one. */
	operation_init(&op, event);
	EXPECT_FALSE(AcceptEx(l, a, op.data, 0, 0, ROOM, &op.bytes, &op.ov));
	ASSERT_TRUE(becomes_signalled(event));
	EXPECT_EQ(status(&op), STATUS_SUCCESS);
	EXPECT_TRUE(joined(a, peer));
	EXPECT_EQ(WSACleanup(), 0);
	close(peer);
	WSACloseEvent(event);
}

TEST_F(accept_ex, D11__reuse)
{
	WSAEVENT event = WSACreateEvent();
	struct operation op;
	SOCKET l, a;
	int peer;

	ASSERT_EQ(startup(), 0);
	l = listening_socket();
	a = acceptor();
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(start(l, a, &op, event, 0), WSA_IO_PENDING);
		peer = peer_of(l);
		ASSERT_TRUE(becomes_signalled(event));
		EXPECT_EQ(update(a, l), 0);
		EXPECT_TRUE(joined(a, peer));
		operation_init(&op, event);
		EXPECT_FALSE(DisconnectEx(a, &op.ov, TF_REUSE_SOCKET, 0));
		EXPECT_EQ(WSAGetLastError(), WSA_IO_PENDING);
		close(peer);
		ASSERT_TRUE(becomes_signalled(event));
		EXPECT_EQ(status(&op), STATUS_SUCCESS);
	}
	EXPECT_EQ(WSACleanup(), 0);
	WSACloseEvent(event);
}

TEST_HARNESS_MAIN
