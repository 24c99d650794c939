// SPDX-License-Identifier: GPL-2.0
/*
 * The extension functions but for TransmitFile (D.11, and what C27 says of them).
 */
#include "winsock.h"
#include "kselftest_harness.h"

WINSOCK_FIXTURE(extension);

/* ---- WSAIoctl ---- */

static int lookup(SOCKET s, GUID id, void *function)
{
	DWORD bytes = 0;

	return WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof(id), function,
			sizeof(void *), &bytes, NULL, NULL) ? WSAGetLastError() :
	       bytes == sizeof(void *) ? 0 : -1;
}

TEST_F(extension, lookup)
{
	GUID nobodys = { 0x12345678, 1, 2, { 3, 4, 5, 6, 7, 8, 9, 10 } };
	void *function = NULL;
	DWORD bytes;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = wsock_socket(AF_INET, SOCK_STREAM, 0);
#define FOUND(id, name) do {						\
	function = NULL;						\
	EXPECT_EQ(lookup(s, (GUID)id, &function), 0);			\
	EXPECT_EQ(function, (void *)name);				\
} while (0)
	FOUND(WSAID_ACCEPTEX, AcceptEx);
	FOUND(WSAID_GETACCEPTEXSOCKADDRS, GetAcceptExSockaddrs);
	FOUND(WSAID_CONNECTEX, ConnectEx);
	FOUND(WSAID_DISCONNECTEX, DisconnectEx);
	FOUND(WSAID_TRANSMITFILE, TransmitFile);
	FOUND(WSAID_TRANSMITPACKETS, TransmitPackets);
	FOUND(WSAID_WSARECVMSG, WSARecvMsg);
	FOUND(WSAID_WSASENDMSG, WSASendMsg);
	EXPECT_EQ(lookup(s, nobodys, &function), WSAEINVAL);
	EXPECT_EQ(lookup(INVALID_SOCKET, nobodys, &function), WSAENOTSOCK);
	EXPECT_EQ(lookup(s, nobodys, NULL), WSAEFAULT);
	EXPECT_EQ(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &nobodys, 15, &function, 8,
			   &bytes, NULL, NULL), -1);
	EXPECT_EQ(WSAGetLastError(), WSAEFAULT);
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- ConnectEx ---- */

/* Returns 0 or the error; WSA_IO_PENDING for what has begun. */
static int start_connect(SOCKET s, int port, struct operation *op, WSAEVENT event, size_t len)
{
	struct sockaddr_in sin = loopback(port);

	operation_init(op, event);
	memcpy(op->data, "abc", 3);
	return ConnectEx(s, sa(&sin), sizeof(sin), len ? op->data : NULL, len, &op->bytes,
			 &op->ov) ? 0 : WSAGetLastError();
}

static uint32_t connect_time(SOCKET s)
{
	uint32_t value = 4711;
	int len = sizeof(value);

	return wsock_getsockopt(s, SOL_SOCKET, SO_CONNECT_TIME, (char *)&value, &len) ? 4712 :
	       value;
}

static int update_connect(SOCKET s)
{
	return wsock_setsockopt(s, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0) ?
	       WSAGetLastError() : 0;
}

TEST_F(extension, ConnectEx__errors)
{
	struct sockaddr_in sin;
	struct operation op;
	SOCKET s, l, c;
	int peer;

	ASSERT_EQ(startup(), 0);
	l = listening_socket();
	s = bound_socket(SOCK_STREAM);
	sin = loopback(local_port(l));
	EXPECT_EQ(start_connect(INVALID_SOCKET, 1, &op, NULL, 0), WSAENOTSOCK);
	EXPECT_EQ(op.ov.Internal, STATUS_PENDING);
	EXPECT_EQ(op.ov.InternalHigh, POISON_LONG);
	EXPECT_FALSE(ConnectEx(s, sa(&sin), sizeof(sin), NULL, 0, NULL, NULL));
	EXPECT_EQ(WSAGetLastError(), WSA_INVALID_PARAMETER);
	EXPECT_FALSE(ConnectEx(l, sa(&sin), sizeof(sin), NULL, 0, NULL, NULL));
	EXPECT_EQ(WSAGetLastError(), WSA_INVALID_PARAMETER);
	EXPECT_EQ(start_connect(wsock_socket(AF_INET, SOCK_STREAM, 0), ntohs(sin.sin_port), &op,
				NULL, 0), WSAEINVAL);
	EXPECT_EQ(start_connect(l, ntohs(sin.sin_port), &op, NULL, 0), WSAEINVAL);
	EXPECT_EQ(start_connect(bound_socket(SOCK_DGRAM), 1, &op, NULL, 0), WSAEINVAL);
	EXPECT_EQ(start_connect(s, 0, &op, NULL, 0), WSAEADDRNOTAVAIL);
	EXPECT_EQ(op.ov.Internal, STATUS_PENDING);
	ASSERT_EQ(stream_pair(&c, &peer), 0);
	EXPECT_EQ(start_connect(c, ntohs(sin.sin_port), &op, NULL, 0), WSAEISCONN);
	EXPECT_EQ(start_connect(s, ntohs(sin.sin_port), &op, (WSAEVENT)2, 0),
		  WSA_INVALID_HANDLE);
	/* None has begun anything. */
	EXPECT_EQ(start_connect(s, ntohs(sin.sin_port), &op, NULL, 0), WSA_IO_PENDING);
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(start_connect(s, 1, &op, NULL, 0), WSANOTINITIALISED);
	close(peer);
}

TEST_F(extension, ConnectEx__connects)
{
	WSAEVENT event = WSACreateEvent();
	struct sockaddr_in sin;
	int len = sizeof(sin);
	struct operation op;
	DWORD bytes, flags;
	SOCKET s, l, a;

	ASSERT_EQ(startup(), 0);
	l = listening_socket();
	for (int n = 0; n <= 3; n += 3) {
		s = bound_socket(SOCK_STREAM);
		EXPECT_EQ(connect_time(s), ~0u);
		EXPECT_EQ(update_connect(s), WSAENOTCONN);
		EXPECT_EQ(start_connect(s, local_port(l), &op, event, n), WSA_IO_PENDING);
		EXPECT_EQ(op.bytes, POISON_WORD);
		ASSERT_TRUE(becomes_signalled(event));
		EXPECT_TRUE(WSAGetOverlappedResult(s, &op.ov, &bytes, FALSE, &flags));
		EXPECT_EQ(bytes, n);
		EXPECT_EQ(update_connect(s), 0);
		EXPECT_LE(connect_time(s), 2);
		EXPECT_EQ(wsock_getpeername(s, sa(&sin), &len), 0);
		EXPECT_EQ(ntohs(sin.sin_port), local_port(l));
		EXPECT_EQ(start_connect(s, local_port(l), &op, event, 0), WSAEISCONN);
		EXPECT_EQ(wsock_connect(s, sa(&sin), sizeof(sin)), -1);
		EXPECT_EQ(WSAGetLastError(), WSAEISCONN);
		a = wsock_accept(l, NULL, NULL);
		ASSERT_NE(a, INVALID_SOCKET);
		EXPECT_LE(connect_time(a), 2);
		if (n) {
			EXPECT_EQ(wsock_recv(a, op.data, 10, 0), n);
			EXPECT_EQ(memcmp(op.data, "abc", 3), 0);
		}
		EXPECT_EQ(wsock_send(s, "x", 1, 0), 1);
		EXPECT_EQ(wsock_recv(a, op.data, 10, 0), 1);
		closesocket(a);
	}
	EXPECT_EQ(WSACleanup(), 0);
	WSACloseEvent(event);
}

TEST_F(extension, ConnectEx__refused)
{
	WSAEVENT event = WSACreateEvent();
	struct operation op;
	DWORD bytes, flags;
	SOCKET s, free;
	int port;

	ASSERT_EQ(startup(), 0);
	free = bound_socket(SOCK_STREAM);
	port = local_port(free);
	s = bound_socket(SOCK_STREAM);
	/* And it can be tried again. */
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(start_connect(s, port, &op, event, 3), WSA_IO_PENDING);
		ASSERT_TRUE(becomes_signalled(event));
		EXPECT_EQ(status(&op), STATUS_CONNECTION_REFUSED);
		EXPECT_EQ(op.ov.InternalHigh, 0);
		EXPECT_FALSE(GetOverlappedResult((HANDLE)s, &op.ov, &bytes, FALSE));
		EXPECT_EQ(GetLastError(), ERROR_CONNECTION_REFUSED);
		EXPECT_FALSE(WSAGetOverlappedResult(s, &op.ov, &bytes, FALSE, &flags));
		EXPECT_EQ(WSAGetLastError(), WSAECONNREFUSED);
		EXPECT_EQ(update_connect(s), WSAENOTCONN);
	}
	ASSERT_EQ(wsock_listen(free, 1), 0);
	EXPECT_EQ(start_connect(s, port, &op, event, 3), WSA_IO_PENDING);
	ASSERT_TRUE(becomes_signalled(event));
	EXPECT_EQ(status(&op), STATUS_SUCCESS);
	EXPECT_EQ(WSACleanup(), 0);
	WSACloseEvent(event);
}

/* C27: what waits ends as every operation does. */
TEST_F(extension, ConnectEx__pending)
{
	struct sockaddr_in sin;
	int filler, l = full_listener(&filler);
	WSAEVENT event[3];
	struct operation op[3], other;
	SOCKET s[3];

	ASSERT_GE(l, 0);
	sin = loopback(local_port(l));
	ASSERT_EQ(startup(), 0);
	for (int i = 0; i < 3; i++) {
		event[i] = WSACreateEvent();
		s[i] = bound_socket(SOCK_STREAM);
		EXPECT_EQ(start_connect(s[i], local_port(l), &op[i], event[i], 3),
			  WSA_IO_PENDING);
		EXPECT_EQ(start_connect(s[i], local_port(l), &other, NULL, 0), WSAEINVAL);
		EXPECT_EQ(wsock_connect(s[i], sa(&sin), sizeof(sin)), -1);
		EXPECT_EQ(WSAGetLastError(), WSAEINVAL);
		EXPECT_EQ(status(&op[i]), STATUS_PENDING);
		EXPECT_EQ(connect_time(s[i]), ~0u);
	}
	EXPECT_TRUE(CancelIoEx((HANDLE)s[0], &op[0].ov));
	EXPECT_EQ(status(&op[0]), STATUS_CANCELLED);
	EXPECT_TRUE(signalled(event[0]));
	EXPECT_EQ(closesocket(s[1]), 0);
	EXPECT_EQ(status(&op[1]), STATUS_CANCELLED);
	EXPECT_TRUE(signalled(event[1]));
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(status(&op[2]), STATUS_CANCELLED);
	EXPECT_TRUE(stays_unsignalled(event[2], QUIET_MS));
	EXPECT_TRUE(holds_nothing());
	close(filler);
	close(l);
}

/* ---- WSARecvMsg, WSASendMsg ---- */

/* A message, and the room that it points to. */
struct message {
	WSAMSG msg;
	WSABUF bufs[2];
	struct sockaddr_in name;
	char data[2][8];
	char control[64] __attribute__((aligned(8)));
};

static void message_init(struct message *m)
{
	memset(m, 0, sizeof(*m));
	for (int i = 0; i < 2; i++)
		m->bufs[i] = (WSABUF){ .len = sizeof(m->data[i]), .buf = m->data[i] };
	m->msg = (WSAMSG){
		.name = sa(&m->name), .namelen = sizeof(m->name),
		.lpBuffers = m->bufs, .dwBufferCount = 2,
		.Control = { .len = sizeof(m->control), .buf = m->control },
	};
}

/* Did it come from @port, with IP_PKTINFO that says so? */
static bool message_from(struct message *m, int port)
{
	LPWSACMSGHDR cmsg = WSA_CMSG_FIRSTHDR(&m->msg);
	struct in_pktinfo *info;

	if (m->msg.namelen != sizeof(m->name) || m->name.sin_port != htons(port) ||
	    !cmsg || cmsg->cmsg_level != IPPROTO_IP || cmsg->cmsg_type != IP_PKTINFO ||
	    WSA_CMSG_NXTHDR(&m->msg, cmsg))
		return false;
	info = (void *)WSA_CMSG_DATA(cmsg);
	return m->msg.Control.len == WSA_CMSG_SPACE(sizeof(*info)) &&
	       info->ipi_addr.s_addr == htonl(INADDR_LOOPBACK);
}

TEST_F(extension, WSARecvMsg)
{
	WSAEVENT event = WSACreateEvent();
	struct operation op;
	DWORD bytes, flags;
	struct message m;
	int u, port;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_DGRAM);
	u = udp_socket();
	port = local_port(u);
	ASSERT_EQ(udp_connect_to(u, (int)s), 0);
	ASSERT_TRUE(set_option(s, IPPROTO_IP, IP_PKTINFO, 1));
	/* Ready and synchronous, ready and overlapped, pending. */
	for (int i = 0; i < 3; i++) {
		message_init(&m);
		operation_init(&op, event);
		if (i < 2)
			ASSERT_EQ(send(u, "0123456789", 10, 0), 10);
		bytes = 0;
		EXPECT_EQ(WSARecvMsg(s, &m.msg, &bytes, i ? &op.ov : NULL, NULL), i < 2 ? 0 : -1);
		if (i == 2) {
			EXPECT_EQ(WSAGetLastError(), WSA_IO_PENDING);
			/* Only what the structure points to is still needed. */
			memset(m.bufs, 0, sizeof(m.bufs));
			ASSERT_EQ(send(u, "0123456789", 10, 0), 10);
		} else {
			EXPECT_EQ(bytes, 10);
		}
		if (i) {
			ASSERT_TRUE(becomes_signalled(event));
			EXPECT_TRUE(WSAGetOverlappedResult(s, &op.ov, &bytes, FALSE, &flags));
			EXPECT_EQ(bytes, 10);
		}
		EXPECT_EQ(memcmp(m.data, "0123456789", 10), 0);
		EXPECT_TRUE(message_from(&m, port));
		EXPECT_TRUE(m.msg.Control.buf == m.control);
		EXPECT_EQ(m.msg.dwFlags, 0);
	}
	/* Too long, with too little room for control data. */
	for (int i = 0; i < 2; i++) {
		message_init(&m);
		operation_init(&op, NULL);
		m.msg.Control.len = 8;
		m.msg.dwBufferCount = 1;
		ASSERT_EQ(send(u, "0123456789", 10, 0), 10);
		EXPECT_EQ(WSARecvMsg(s, &m.msg, &bytes, i ? &op.ov : NULL, NULL), -1);
		EXPECT_EQ(WSAGetLastError(), WSAEMSGSIZE);
		EXPECT_EQ(bytes, 8);
		EXPECT_EQ(m.msg.dwFlags, MSG_TRUNC | MSG_CTRUNC);
		EXPECT_EQ(m.msg.Control.len, 0);
	}
	EXPECT_EQ(WSACleanup(), 0);
	close(u);
	WSACloseEvent(event);
}

TEST_F(extension, WSASendMsg)
{
	WSAEVENT event = WSACreateEvent();
	struct message m;
	struct operation op;
	LPWSACMSGHDR cmsg;
	struct sockaddr_in sin;
	socklen_t len;
	DWORD bytes;
	char data[32];
	SOCKET s;
	int u;

	ASSERT_EQ(startup(), 0);
	u = udp_socket();
	for (int i = 0; i < 2; i++) {
		s = wsock_socket(AF_INET, SOCK_DGRAM, 0);
		message_init(&m);
		operation_init(&op, event);
		m.name = loopback(local_port(u));
		memcpy(m.data, "0123456789abcdef", 16);
		/* The source address: another of the loopback's */
		cmsg = WSA_CMSG_FIRSTHDR(&m.msg);
		cmsg->cmsg_len = WSA_CMSG_LEN(sizeof(struct in_pktinfo));
		cmsg->cmsg_level = IPPROTO_IP;
		cmsg->cmsg_type = IP_PKTINFO;
		m.msg.Control.len = WSA_CMSG_SPACE(sizeof(struct in_pktinfo));
		((struct in_pktinfo *)WSA_CMSG_DATA(cmsg))->ipi_spec_dst.s_addr =
			htonl(INADDR_LOOPBACK + 7);
		EXPECT_EQ(WSASendMsg(s, &m.msg, 0, &bytes, i ? &op.ov : NULL, NULL), 0);
		EXPECT_EQ(bytes, 16);
		if (i)
			EXPECT_TRUE(signalled(event));
		len = sizeof(sin);
		EXPECT_EQ(recvfrom(u, data, sizeof(data), 0, sa(&sin), &len), 16);
		EXPECT_EQ(ntohl(sin.sin_addr.s_addr), INADDR_LOOPBACK + 7);
		EXPECT_EQ(memcmp(data, "0123456789abcdef", 16), 0);
		/* It has bound the socket. */
		EXPECT_GT(local_port((int)s), 0);
	}
	EXPECT_EQ(WSACleanup(), 0);
	close(u);
	WSACloseEvent(event);
}

TEST_F(extension, messages__errors)
{
	struct operation op;
	struct message m;
	SOCKET s, t;
	DWORD bytes;
	int peer;

	ASSERT_EQ(startup(), 0);
	message_init(&m);
	operation_init(&op, NULL);
	s = bound_socket(SOCK_DGRAM);
	ASSERT_EQ(stream_pair(&t, &peer), 0);
#define FAILS(error, call) do {						\
	EXPECT_EQ(call, -1);						\
	EXPECT_EQ(WSAGetLastError(), error);				\
} while (0)
	FAILS(WSAENOTSOCK, WSARecvMsg(INVALID_SOCKET, &m.msg, &bytes, NULL, NULL));
	FAILS(WSAENOTSOCK, WSASendMsg(INVALID_SOCKET, &m.msg, 0, &bytes, NULL, NULL));
	FAILS(WSAEFAULT, WSARecvMsg(s, NULL, &bytes, &op.ov, NULL));
	FAILS(WSAEFAULT, WSASendMsg(s, NULL, 0, &bytes, &op.ov, NULL));
	FAILS(WSAEFAULT, WSARecvMsg(s, &m.msg, NULL, NULL, NULL));
	FAILS(WSAEFAULT, WSASendMsg(s, &m.msg, 0, NULL, NULL, NULL));
	FAILS(WSAEINVAL, WSARecvMsg(t, &m.msg, &bytes, NULL, NULL));
	FAILS(WSAEINVAL, WSASendMsg(t, &m.msg, 0, &bytes, NULL, NULL));
	FAILS(WSAEOPNOTSUPP, WSASendMsg(s, &m.msg, MSG_PEEK, &bytes, &op.ov, NULL));
	m.msg.dwFlags = MSG_EOR;
	FAILS(WSAEOPNOTSUPP, WSARecvMsg(s, &m.msg, &bytes, &op.ov, NULL));
	m.msg.dwFlags = 0;
	m.name.sin_family = AF_INET;
	m.msg.namelen = 4;
	FAILS(WSAEFAULT, WSARecvMsg(s, &m.msg, &bytes, &op.ov, NULL));
	FAILS(WSAEFAULT, WSASendMsg(s, &m.msg, 0, &bytes, &op.ov, NULL));
	/* What waits at the final cleanup ends as everything does. */
	message_init(&m);
	operation_init(&op, NULL);
	FAILS(WSA_IO_PENDING, WSARecvMsg(s, &m.msg, &bytes, &op.ov, NULL));
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(status(&op), STATUS_CANCELLED);
	close(peer);
}

/* ---- DisconnectEx ---- */

static int disconnect(SOCKET s, struct operation *op, WSAEVENT event, DWORD flags)
{
	if (op)
		operation_init(op, event);
	return DisconnectEx(s, op ? &op->ov : NULL, flags, 0) ? 0 : WSAGetLastError();
}

TEST_F(extension, DisconnectEx)
{
	WSAEVENT event = WSACreateEvent();
	struct sockaddr_in sin;
	struct operation op;
	socklen_t len = sizeof(sin);
	int peer, l = tcp_listener();
	SOCKET s;
	char c;

	ASSERT_EQ(startup(), 0);
	EXPECT_EQ(disconnect(INVALID_SOCKET, &op, NULL, 0), WSAENOTSOCK);
	EXPECT_EQ(disconnect(bound_socket(SOCK_STREAM), &op, NULL, 0), WSAENOTCONN);
	/* Synchronous, and again. */
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	EXPECT_EQ(disconnect(s, NULL, NULL, 0), 0);
	EXPECT_EQ(disconnect(s, NULL, NULL, 0), 0);
	EXPECT_EQ(peer_end(peer), 0);
	close(peer);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(getpeername((int)s, sa(&sin), &len), 0);
	EXPECT_EQ(disconnect(s, &op, event, 4), WSAEINVAL);
	EXPECT_EQ(disconnect(s, NULL, NULL, TF_REUSE_SOCKET), WSAEOPNOTSUPP);
	EXPECT_EQ(disconnect(s, &op, event, 0), WSA_IO_PENDING);
	ASSERT_TRUE(becomes_signalled(event));
	EXPECT_EQ(status(&op), STATUS_SUCCESS);
	EXPECT_EQ(op.ov.InternalHigh, 0);
	EXPECT_EQ(peer_end(peer), 0);
	EXPECT_EQ(wsock_connect(s, sa(&sin), sizeof(sin)), -1);
	EXPECT_EQ(WSAGetLastError(), WSAEISCONN);
	EXPECT_EQ(wsock_send(s, "x", 1, 0), -1);
	EXPECT_EQ(WSAGetLastError(), WSAESHUTDOWN);
	ASSERT_EQ(send(peer, "y", 1, 0), 1);
	EXPECT_EQ(wsock_recv(s, &c, 1, 0), 1);
	close(peer);
	/* To be used again: it waits for the peer. */
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	EXPECT_EQ(disconnect(s, &op, event, TF_REUSE_SOCKET), WSA_IO_PENDING);
	EXPECT_EQ(peer_end(peer), 0);
	EXPECT_EQ(status(&op), STATUS_PENDING);
	close(peer);
	ASSERT_TRUE(becomes_signalled(event));
	EXPECT_EQ(status(&op), STATUS_SUCCESS);
	sin = loopback(local_port(l));
	EXPECT_EQ(wsock_connect(s, sa(&sin), sizeof(sin)), 0);
	EXPECT_EQ(wsock_send(s, "x", 1, 0), 1);
	/* Pending at the end. */
	EXPECT_EQ(disconnect(s, &op, event, TF_REUSE_SOCKET), WSA_IO_PENDING);
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(status(&op), STATUS_CANCELLED);
	EXPECT_FALSE(signalled(event));
	close(l);
	WSACloseEvent(event);
}

TEST_HARNESS_MAIN
