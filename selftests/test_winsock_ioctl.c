// SPDX-License-Identifier: GPL-2.0
/*
 * WSAIoctl: what it does, and how its end is told (E, test_fionbio to
 * test_get_extension_func).
 */
#include <sched.h>

#include "winsock.h"
#include "addresses.h"
#include "kselftest_harness.h"

#define KEY 123
#define UNKNOWN 0x12345678

/* ioctlsocket's are longs. */
#define CODE(code) ((DWORD)(code))

WINSOCK_FIXTURE(ioctl);

static GUID connect_ex = WSAID_CONNECTEX;

/* One control: its arguments, and what becomes of them. */
struct control {
	const char *name;
	DWORD code;
	void *in;
	DWORD in_len, out_len;
	/* Expected of a call with an OVERLAPPED; @bytes may stay POISON_WORD. */
	int error;
	DWORD bytes;
};

static wsock_u_long on = 1, off;
static struct tcp_keepalive keepalive = { 1, 1500, 999 };

static const struct control controls[] = {
	{ "FIONBIO", CODE(WSOCK_FIONBIO), &on, sizeof(on), 0, 0, 0 },
	{ "FIONREAD", CODE(WSOCK_FIONREAD), NULL, 0, sizeof(wsock_u_long), 0,
	  sizeof(wsock_u_long) },
	{ "SIOCATMARK", CODE(WSOCK_SIOCATMARK), NULL, 0, sizeof(wsock_u_long), 0,
	  sizeof(wsock_u_long) },
	{ "SIO_KEEPALIVE_VALS", SIO_KEEPALIVE_VALS, &keepalive, sizeof(keepalive), 0, 0,
	  POISON_WORD },
	{ "SIO_GET_EXTENSION_FUNCTION_POINTER", SIO_GET_EXTENSION_FUNCTION_POINTER, &connect_ex,
	  sizeof(connect_ex), sizeof(void *), 0, sizeof(void *) },
	{ "SIO_FLUSH", SIO_FLUSH, NULL, 0, 0, 0, 0 },
	{ "unknown", UNKNOWN, NULL, 0, 0, WSA_IO_PENDING, POISON_WORD },
};

#define NR_CONTROLS (sizeof(controls) / sizeof(controls[0]))

/* Without bytes: op->bytes shall take them. Returns 0 or the error. */
static int call(const struct control *c, SOCKET s, struct operation *op,
		LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
	return WSAIoctl(s, c->code, c->in, c->in_len, op->data, c->out_len, &op->bytes, &op->ov,
			routine) ? WSAGetLastError() : 0;
}

/* What the status block says in the end. */
static uint32_t expected_status(const struct control *c)
{
	return c->error ? STATUS_NOT_SUPPORTED : STATUS_SUCCESS;
}

static bool is_told(const struct control *c, const struct operation *op)
{
	return status(op) == expected_status(c) && op->ov.InternalHigh == 0;
}

/* Its packet, of 0 bytes whatever was put out. */
static bool is_packet_of(const struct control *c, struct taken t, const struct operation *op)
{
	return t.ov == &op->ov && t.key == KEY && t.bytes == 0 && t.ret == !c->error &&
	       t.error == (c->error ? ERROR_NOT_SUPPORTED : 4711);
}

static HANDLE on_port(SOCKET s)
{
	return CreateIoCompletionPort((HANDLE)s, NULL, KEY, 0);
}

static bool is_empty(HANDLE port)
{
	return is_none(take_packet(port, 0), WAIT_TIMEOUT);
}

TEST_F(ioctl, E__what_they_do)
{
	int value, len = sizeof(value);
	wsock_u_long n;
	DWORD bytes;
	SOCKET s;
	int peer;
	char c;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	EXPECT_EQ(WSAIoctl(s, SIO_KEEPALIVE_VALS, &keepalive, sizeof(keepalive), NULL, 0, &bytes,
			   NULL, NULL), 0);
	EXPECT_EQ(bytes, 0);
	EXPECT_EQ(wsock_getsockopt(s, IPPROTO_TCP, TCP_KEEPIDLE, (char *)&value, &len), 0);
	EXPECT_EQ(value, 2);
	EXPECT_EQ(wsock_getsockopt(s, IPPROTO_TCP, TCP_KEEPINTVL, (char *)&value, &len), 0);
	EXPECT_EQ(value, 1);
	EXPECT_EQ(wsock_getsockopt(s, SOL_SOCKET, SO_KEEPALIVE, (char *)&value, &len), 0);
	EXPECT_EQ(value, 1);
	ASSERT_EQ(send(peer, "abc", 3, 0), 3);
	ASSERT_EQ(poll(&(struct pollfd){ .fd = (int)s, .events = POLLIN }, 1, TIMEOUT_MS), 1);
	EXPECT_EQ(WSAIoctl(s, CODE(WSOCK_FIONREAD), NULL, 0, &n, sizeof(n), &bytes, NULL, NULL),
		  0);
	EXPECT_EQ(n, 3);
	EXPECT_EQ(bytes, sizeof(n));
	EXPECT_EQ(WSAIoctl(s, CODE(WSOCK_SIOCATMARK), NULL, 0, &n, sizeof(n), &bytes, NULL, NULL),
		  0);
	EXPECT_EQ(bytes, sizeof(n));
	EXPECT_EQ(WSAIoctl(s, CODE(WSOCK_FIONBIO), &on, sizeof(on), NULL, 0, &bytes, NULL, NULL),
		  0);
	EXPECT_EQ(bytes, 0);
	EXPECT_EQ(wsock_recv(s, &c, 1, MSG_PEEK), 1);
	EXPECT_EQ(wsock_recv(s, (char *)&value, 4, 0), 3);
	EXPECT_EQ(wsock_recv(s, &c, 1, 0), -1);
	EXPECT_EQ(WSAGetLastError(), WSAEWOULDBLOCK);
	EXPECT_EQ(WSACleanup(), 0);
	close(peer);
}

TEST_F(ioctl, E__errors_are_synchronous)
{
	GUID nobodys = { 0x12345678, 1, 2, { 3, 4, 5, 6, 7, 8, 9, 10 } };
	WSAEVENT event = WSACreateEvent();
	struct operation op;
	HANDLE port;
	SOCKET s, u;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	u = bound_socket(SOCK_DGRAM);
	port = on_port(s);
	/* With an OVERLAPPED or without: it fails here, and nobody is told later. */
#define FAILS(err, sock, ctl, inbuf, inlen, outbuf, outlen, returned) do {		\
	for (int i = 0; i < 2; i++) {						\
		operation_init(&op, event);					\
		EXPECT_EQ(WSAIoctl(sock, ctl, inbuf, inlen, outbuf, outlen, returned,	\
				   i ? &op.ov : NULL, NULL), -1);		\
		EXPECT_EQ(WSAGetLastError(), err);				\
		EXPECT_EQ(op.ov.Internal, POISON_LONG);				\
		EXPECT_EQ(op.ov.InternalHigh, POISON_LONG);			\
		EXPECT_EQ(op.bytes, POISON_WORD);				\
	}									\
} while (0)
	FAILS(WSAEINVAL, s, SIO_GET_EXTENSION_FUNCTION_POINTER, &nobodys, sizeof(nobodys),
	      op.data, sizeof(void *), &op.bytes);
	FAILS(WSAEFAULT, s, SIO_GET_EXTENSION_FUNCTION_POINTER, &connect_ex, sizeof(GUID) - 1,
	      op.data, sizeof(void *), &op.bytes);
	FAILS(WSAEFAULT, s, SIO_GET_EXTENSION_FUNCTION_POINTER, &connect_ex, sizeof(GUID),
	      op.data, sizeof(void *) - 1, &op.bytes);
	FAILS(WSAEFAULT, s, CODE(WSOCK_FIONBIO), NULL, 4, NULL, 0, &op.bytes);
	FAILS(WSAEFAULT, s, CODE(WSOCK_FIONBIO), &on, sizeof(on) - 1, NULL, 0, &op.bytes);
	FAILS(WSAEFAULT, s, CODE(WSOCK_FIONREAD), NULL, 0, op.data, sizeof(on) - 1, &op.bytes);
	FAILS(WSAEFAULT, s, CODE(WSOCK_SIOCATMARK), NULL, 0, NULL, sizeof(on), &op.bytes);
	FAILS(WSAEFAULT, s, SIO_KEEPALIVE_VALS, NULL, sizeof(keepalive), NULL, 0, &op.bytes);
	FAILS(WSAEFAULT, s, SIO_KEEPALIVE_VALS, &keepalive, sizeof(keepalive) - 1, NULL, 0,
	      &op.bytes);
	/* The number of bytes has to be asked for in any case. */
	for (size_t i = 0; i < NR_CONTROLS; i++)
		FAILS(WSAEFAULT, s, controls[i].code, controls[i].in, controls[i].in_len, op.data,
		      controls[i].out_len, NULL);
	FAILS(WSAENOTSOCK, INVALID_SOCKET, CODE(WSOCK_FIONBIO), &on, sizeof(on), NULL, 0,
	      &op.bytes);
	EXPECT_EQ(WSAEventSelect(s, event, FD_READ), 0);
	FAILS(WSAEINVAL, s, CODE(WSOCK_FIONBIO), &off, sizeof(off), NULL, 0, &op.bytes);
	EXPECT_EQ(WSAEventSelect(s, event, 0), 0);
	/* What cannot be told is not done. */
	EXPECT_EQ(WSAIoctl(s, CODE(WSOCK_FIONBIO), &off, sizeof(off), NULL, 0, &op.bytes, NULL,
			   NULL), 0);
	operation_init(&op, (HANDLE)0x12344);
	EXPECT_EQ(call(&controls[0], s, &op, NULL), WSA_INVALID_HANDLE);
	EXPECT_EQ(fcntl((int)s, F_GETFL) & O_NONBLOCK, 0);
	/* Not supported, and nobody asked to be told in another way. */
	EXPECT_EQ(WSAIoctl(s, UNKNOWN, NULL, 0, NULL, 0, &op.bytes, NULL, NULL), -1);
	EXPECT_EQ(WSAGetLastError(), WSAEOPNOTSUPP);
	EXPECT_EQ(op.bytes, 0);
	EXPECT_EQ(WSAIoctl(u, SIO_KEEPALIVE_VALS, &keepalive, sizeof(keepalive), NULL, 0,
			   &op.bytes, NULL, NULL), -1);
	EXPECT_EQ(WSAGetLastError(), WSAEOPNOTSUPP);
	EXPECT_FALSE(signalled(event));
	EXPECT_TRUE(is_empty(port));
	EXPECT_TRUE(CloseHandle(port));
	EXPECT_EQ(WSACleanup(), 0);
	WSACloseEvent(event);
	close(peer);
}

TEST_F(ioctl, E__status_and_event)
{
	WSAEVENT event = WSACreateEvent();
	DWORD bytes, flags;
	struct operation op;
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	for (size_t i = 0; i < NR_CONTROLS; i++) {
		const struct control *c = &controls[i];

		/* With no event, and nobody else to be told. */
		operation_init(&op, NULL);
		EXPECT_EQ(call(c, s, &op, NULL), c->error) TH_LOG("%s", c->name);
		EXPECT_EQ(op.bytes, c->bytes) TH_LOG("%s", c->name);
		EXPECT_TRUE(is_told(c, &op)) TH_LOG("%s", c->name);
		operation_init(&op, event);
		EXPECT_EQ(call(c, s, &op, NULL), c->error) TH_LOG("%s", c->name);
		EXPECT_TRUE(signalled(event)) TH_LOG("%s", c->name);
		EXPECT_TRUE(is_told(c, &op)) TH_LOG("%s", c->name);
		bytes = POISON_WORD;
		EXPECT_EQ(WSAGetOverlappedResult(s, &op.ov, &bytes, TRUE, &flags), !c->error);
		EXPECT_EQ(WSAGetLastError(), c->error ? WSAEOPNOTSUPP : 0);
		EXPECT_EQ(bytes, 0);
		EXPECT_TRUE(WSAResetEvent(event));
	}
	EXPECT_EQ(WSACleanup(), 0);
	WSACloseEvent(event);
	close(peer);
}

TEST_F(ioctl, E__packet_of_no_bytes)
{
	WSAEVENT event = WSACreateEvent();
	struct operation op;
	HANDLE port;
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	port = on_port(s);
	for (size_t i = 0; i < NR_CONTROLS; i++) {
		const struct control *c = &controls[i];

		for (int with_event = 0; with_event < 2; with_event++) {
			operation_init(&op, with_event ? event : NULL);
			EXPECT_EQ(call(c, s, &op, NULL), c->error) TH_LOG("%s", c->name);
			EXPECT_TRUE(is_told(c, &op)) TH_LOG("%s", c->name);
			EXPECT_EQ(signalled(event), with_event) TH_LOG("%s", c->name);
			EXPECT_TRUE(is_packet_of(c, take_packet(port, 0), &op))
				TH_LOG("%s", c->name);
			EXPECT_TRUE(is_empty(port)) TH_LOG("%s", c->name);
			WSAResetEvent(event);
		}
	}
	EXPECT_TRUE(CloseHandle(port));
	EXPECT_EQ(WSACleanup(), 0);
	WSACloseEvent(event);
	close(peer);
}

/* It is told while others wait, and does not wait for them. */
TEST_F(ioctl, E__passes_pending_operations)
{
	static char big[16 << 20];
	struct operation in, out, op;
	HANDLE port;
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	port = on_port(s);
	ASSERT_EQ(start_recv(s, &in, NULL, 8), WSA_IO_PENDING);
	ASSERT_EQ(start_send(s, &out, NULL, big, sizeof(big)), WSA_IO_PENDING);
	for (size_t i = 0; i < NR_CONTROLS; i++) {
		/* It ends what pends here, see below. */
		if (controls[i].code == SIO_FLUSH)
			continue;
		operation_init(&op, NULL);
		EXPECT_EQ(call(&controls[i], s, &op, NULL), controls[i].error);
		EXPECT_TRUE(is_packet_of(&controls[i], take_packet(port, 0), &op))
			TH_LOG("%s", controls[i].name);
	}
	EXPECT_EQ(status(&in), STATUS_PENDING);
	EXPECT_EQ(status(&out), STATUS_PENDING);
	/* It was not among those that can be cancelled. */
	EXPECT_FALSE(CancelIoEx((HANDLE)s, &op.ov));
	EXPECT_EQ(GetLastError(), ERROR_NOT_FOUND);
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_TRUE(CloseHandle(port));
	close(peer);
}

/* Sends that pend are cancelled, and this is told as every end is; nothing else is. */
TEST_F(ioctl, H23__flush_cancels_sends)
{
	static char big[16 << 20];
	TRANSMIT_PACKETS_ELEMENT packet = {
		.dwElFlags = TP_ELEMENT_MEMORY, .cLength = sizeof(big), .pBuffer = big,
	};
	WSAEVENT event = WSACreateEvent(), other = WSACreateEvent();
	struct operation in, out[3], foreign, op;
	DWORD bytes, flags;
	SOCKET s, s2;
	int peer, peer2;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(stream_pair(&s2, &peer2), 0);
	/* With none it is a success, too. */
	EXPECT_EQ(WSAIoctl(s, SIO_FLUSH, NULL, 0, NULL, 0, &bytes, NULL, NULL), 0);
	EXPECT_EQ(bytes, 0);
	ASSERT_EQ(start_recv(s, &in, NULL, 8), WSA_IO_PENDING);
	ASSERT_EQ(start_send(s2, &foreign, NULL, big, sizeof(big)), WSA_IO_PENDING);
	ASSERT_EQ(start_send(s, &out[0], event, big, sizeof(big)), WSA_IO_PENDING);
	ASSERT_EQ(start_send(s, &out[1], NULL, big, 1), WSA_IO_PENDING);
	operation_init(&out[2], other);
	ASSERT_FALSE(TransmitPackets(s, &packet, 1, 0, &out[2].ov, 0));
	ASSERT_EQ(WSAGetLastError(), WSA_IO_PENDING);
	bytes = POISON_WORD;
	EXPECT_EQ(WSAIoctl(s, SIO_FLUSH, NULL, 0, NULL, 0, &bytes, NULL, NULL), 0);
	EXPECT_EQ(bytes, 0);
	for (int i = 0; i < 3; i++) {
		EXPECT_FALSE(WSAGetOverlappedResult(s, &out[i].ov, &bytes, TRUE, &flags));
		EXPECT_EQ(WSAGetLastError(), WSA_OPERATION_ABORTED);
	}
	/* H22: what TCP had taken is told. */
	EXPECT_GT(out[0].ov.InternalHigh, 0);
	EXPECT_LT(out[0].ov.InternalHigh, sizeof(big));
	EXPECT_EQ(out[1].ov.InternalHigh, 0);
	EXPECT_TRUE(signalled(event));
	EXPECT_TRUE(signalled(other));
	/* Neither a receive nor another socket's send. */
	EXPECT_EQ(status(&in), STATUS_PENDING);
	EXPECT_EQ(status(&foreign), STATUS_PENDING);
	/* And the socket is as good as before. */
	ASSERT_EQ(send(peer, "abc", 3, 0), 3);
	ASSERT_TRUE(WSAGetOverlappedResult(s, &in.ov, &bytes, TRUE, &flags));
	EXPECT_EQ(bytes, 3);
	ASSERT_EQ(start_send(s, &out[0], event, big, sizeof(big)), WSA_IO_PENDING);
	operation_init(&op, NULL);
	EXPECT_EQ(WSAIoctl(s, SIO_FLUSH, NULL, 0, NULL, 0, &op.bytes, &op.ov, NULL), 0);
	EXPECT_EQ(status(&op), STATUS_SUCCESS);
	EXPECT_EQ(status(&out[0]), STATUS_CANCELLED);
	EXPECT_EQ(WSACleanup(), 0);
	WSACloseEvent(event);
	WSACloseEvent(other);
	close(peer);
	close(peer2);
}

TEST_F(ioctl, D5__skipped_and_suppressed_packets)
{
	WSAEVENT event = WSACreateEvent();
	struct operation op;
	HANDLE port;
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	port = on_port(s);
	for (size_t i = 0; i < NR_CONTROLS; i++) {
		operation_init(&op, (HANDLE)((uintptr_t)event | 1));
		EXPECT_EQ(call(&controls[i], s, &op, NULL), controls[i].error);
		EXPECT_TRUE(is_told(&controls[i], &op));
		EXPECT_TRUE(signalled(event));
		EXPECT_TRUE(is_empty(port)) TH_LOG("%s", controls[i].name);
		WSAResetEvent(event);
	}
	ASSERT_TRUE(SetFileCompletionNotificationModes((HANDLE)s,
						       FILE_SKIP_COMPLETION_PORT_ON_SUCCESS));
	for (size_t i = 0; i < NR_CONTROLS; i++) {
		operation_init(&op, event);
		EXPECT_EQ(call(&controls[i], s, &op, NULL), controls[i].error);
		EXPECT_TRUE(is_told(&controls[i], &op));
		EXPECT_TRUE(signalled(event));
		/* Only what pended, or is said to have. */
		if (controls[i].error)
			EXPECT_TRUE(is_packet_of(&controls[i], take_packet(port, 0), &op));
		EXPECT_TRUE(is_empty(port)) TH_LOG("%s", controls[i].name);
		WSAResetEvent(event);
	}
	EXPECT_TRUE(CloseHandle(port));
	EXPECT_EQ(WSACleanup(), 0);
	WSACloseEvent(event);
	close(peer);
}

/* Returns 0 or the error. */
static int ask_addresses(SOCKET s, struct operation *op, WSAEVENT event)
{
	operation_init(op, event);
	return WSAIoctl(s, SIO_ADDRESS_LIST_CHANGE, NULL, 0, NULL, 0, &op->bytes, &op->ov,
			NULL) ? WSAGetLastError() : 0;
}

/* Each change ends what was asked before it, and only that; whatever the mode. */
TEST_F(ioctl, E__address_list_change)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	WSAEVENT event = WSACreateEvent();
	struct operation first, second, six, other;
	DWORD bytes, flags;
	SOCKET s, s6, away;
	char c;

	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_DGRAM);
	s6 = wsock_socket(AF_INET6, SOCK_STREAM, 0);
	ASSERT_EQ(unshare(CLONE_NEWNET), 0);
	away = wsock_socket(AF_INET, SOCK_DGRAM, 0);
	ASSERT_EQ(setns(home, CLONE_NEWNET), 0);
	for (int nonblocking = 0; nonblocking < 2; nonblocking++) {
		wsock_u_long mode = nonblocking;

		ASSERT_EQ(ioctlsocket(s, WSOCK_FIONBIO, &mode), 0);
		ASSERT_EQ(ask_addresses(s, &first, event), WSA_IO_PENDING);
		EXPECT_EQ(first.bytes, 0);
		ASSERT_EQ(ask_addresses(s, &second, NULL), WSA_IO_PENDING);
		ASSERT_EQ(ask_addresses(s6, &six, NULL), WSA_IO_PENDING);
		ASSERT_EQ(ask_addresses(away, &other, NULL), WSA_IO_PENDING);
		/* It holds up no receive, nor is it ended by what the socket gets. */
		ASSERT_EQ(datagram_to(s, "x", 1), 0);
		EXPECT_EQ(wsock_recv(s, &c, 1, 0), 1);
		EXPECT_EQ(status(&first), STATUS_PENDING);
		EXPECT_EQ(queued(), 4);
		ASSERT_TRUE(address_change(AF_INET));
		EXPECT_TRUE(becomes_signalled(event));
		EXPECT_TRUE(WSAGetOverlappedResult(s, &first.ov, &bytes, TRUE, &flags));
		EXPECT_EQ(bytes, 0);
		EXPECT_TRUE(WSAGetOverlappedResult(s, &second.ov, &bytes, TRUE, &flags));
		EXPECT_EQ(status(&six), STATUS_PENDING);
		EXPECT_EQ(status(&other), STATUS_PENDING);
		/* The next one is not the last one. */
		ASSERT_EQ(ask_addresses(s, &first, event), WSA_IO_PENDING);
		EXPECT_TRUE(stays_unsignalled(event, QUIET_MS));
		ASSERT_TRUE(address_change(AF_INET6));
		EXPECT_TRUE(WSAGetOverlappedResult(s6, &six.ov, &bytes, TRUE, &flags));
		EXPECT_EQ(status(&first), STATUS_PENDING);
		EXPECT_EQ(status(&other), STATUS_PENDING);
		ASSERT_TRUE(address_change(AF_INET));
		EXPECT_TRUE(WSAGetOverlappedResult(s, &first.ov, &bytes, TRUE, &flags));
		EXPECT_TRUE(CancelIoEx((HANDLE)away, &other.ov));
		EXPECT_EQ(status(&other), STATUS_CANCELLED);
	}
	EXPECT_EQ(queued(), 0);
	EXPECT_EQ(WSACleanup(), 0);
	WSACloseEvent(event);
	close(home);
}

static int await_addresses(struct caller *c)
{
	DWORD bytes = POISON_WORD;

	return WSAIoctl(c->s, SIO_ADDRESS_LIST_CHANGE, NULL, 0, NULL, 0, &bytes, NULL, NULL) ?
	       -1 : (int)bytes;
}

/* A blocking socket waits: for a change, closesocket, CancelIoEx, or the final cleanup. */
TEST_F(ioctl, C19__address_list_change_blocked)
{
	enum { CHANGE, CLOSE, CANCEL, CLEANUP, ENDS };

	for (int end = 0; end < ENDS; end++) {
		struct caller c = { .call = await_addresses };

		ASSERT_EQ(startup(), 0);
		c.s = bound_socket(SOCK_DGRAM);
		ASSERT_TRUE(caller_start(&c));
		ASSERT_TRUE(caller_blocked(&c, SYS_ioctl));
		ASSERT_TRUE(wait_for(queued() == 1));
		switch (end) {
		case CHANGE:
			ASSERT_TRUE(address_change(AF_INET));
			break;
		case CLOSE:
			EXPECT_EQ(closesocket(c.s), 0);
			break;
		case CANCEL:
			EXPECT_TRUE(CancelIoEx((HANDLE)c.s, NULL));
			break;
		default:
			EXPECT_EQ(WSACleanup(), 0);
		}
		ASSERT_TRUE(caller_join(&c)) TH_LOG("%d", end);
		EXPECT_EQ(c.result, end == CHANGE ? 0 : -1) TH_LOG("%d", end);
		if (end != CHANGE)
			EXPECT_EQ(c.error, WSAEINTR) TH_LOG("%d", end);
		if (end != CLEANUP)
			EXPECT_EQ(WSACleanup(), 0);
	}
}

/* A non-blocking one does not: the network event tells, once for each time it is asked. */
TEST_F(ioctl, D12__address_list_change_event)
{
	WSAEVENT event = WSACreateEvent();
	WSANETWORKEVENTS happened;
	struct operation op;
	DWORD bytes;
	SOCKET s;

#define ASK() EXPECT_WSA(WSAIoctl(s, SIO_ADDRESS_LIST_CHANGE, NULL, 0, NULL, 0, &bytes, NULL, \
				  NULL), WSAEWOULDBLOCK)
#define TELLS(events) do {							\
	memset(&happened, POISON, sizeof(happened));				\
	EXPECT_EQ(WSAEnumNetworkEvents(s, event, &happened), 0);		\
	EXPECT_EQ(happened.lNetworkEvents, events);				\
} while (0)
	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_DGRAM);
	ASSERT_EQ(WSAEventSelect(s, event, FD_ADDRESS_LIST_CHANGE), 0);
	/* Nobody has asked, but with an OVERLAPPED, which is another matter. */
	ASSERT_EQ(ask_addresses(s, &op, NULL), WSA_IO_PENDING);
	ASSERT_TRUE(address_change(AF_INET));
	EXPECT_TRUE(wait_for(status(&op) == STATUS_SUCCESS));
	EXPECT_FALSE(signalled(event));
	ASK();
	EXPECT_EQ(bytes, 0);
	EXPECT_FALSE(signalled(event));
	ASSERT_TRUE(address_change(AF_INET6));
	EXPECT_FALSE(signalled(event));
	ASSERT_TRUE(address_change(AF_INET));
	EXPECT_TRUE(signalled(event));
	/* What was recorded is not forgotten when it is asked again. */
	ASK();
	TELLS(FD_ADDRESS_LIST_CHANGE);
	EXPECT_EQ(happened.iErrorCode[FD_ADDRESS_LIST_CHANGE_BIT], 0);
	EXPECT_FALSE(signalled(event));
	/* Until it is asked again nothing is told. */
	ASSERT_TRUE(address_change(AF_INET));
	EXPECT_FALSE(signalled(event));
	TELLS(0);
	ASK();
	TELLS(0);
	/* Asked and changed before the registration, it is told as others are. */
	ASSERT_EQ(WSAEventSelect(s, NULL, 0), 0);
	ASSERT_TRUE(address_change(AF_INET));
	ASSERT_EQ(WSAEventSelect(s, event, FD_ADDRESS_LIST_CHANGE | FD_READ), 0);
	EXPECT_TRUE(signalled(event));
	TELLS(FD_ADDRESS_LIST_CHANGE);
	EXPECT_WSA(WSAIoctl(s, SIO_ADDRESS_LIST_CHANGE, NULL, 0, NULL, 0, NULL, NULL, NULL),
		   WSAEFAULT);
	/* closesocket tells nothing. */
	ASK();
	EXPECT_EQ(closesocket(s), 0);
	ASSERT_TRUE(address_change(AF_INET));
	EXPECT_FALSE(signalled(event));
	EXPECT_EQ(WSACleanup(), 0);
	WSACloseEvent(event);
}

static struct {
	int ran;
	DWORD error, bytes, flags;
	LPWSAOVERLAPPED ov;
} told;

static void CALLBACK routine(DWORD error, DWORD bytes, LPWSAOVERLAPPED ov, DWORD flags)
{
	told.ran++;
	told.error = error;
	told.bytes = bytes;
	told.ov = ov;
	told.flags = flags;
}

TEST_F(ioctl, E__routine_runs_once)
{
	WSAEVENT event = WSACreateEvent();
	struct operation op;
	HANDLE port;
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	for (size_t i = 0; i < NR_CONTROLS; i++) {
		operation_init(&op, event);
		told.ran = 0;
		EXPECT_EQ(call(&controls[i], s, &op, routine), controls[i].error);
		EXPECT_EQ(told.ran, 0);
		EXPECT_EQ(SleepEx(0, TRUE), WAIT_IO_COMPLETION) TH_LOG("%s", controls[i].name);
		EXPECT_EQ(told.ran, 1);
		EXPECT_EQ(told.error, controls[i].error ? WSAEOPNOTSUPP : 0);
		EXPECT_EQ(told.bytes, 0);
		EXPECT_EQ(told.ov, &op.ov);
		EXPECT_EQ(told.flags, 0);
		EXPECT_EQ(SleepEx(0, TRUE), 0);
		/* D.3: the event is not its business. */
		EXPECT_FALSE(signalled(event));
	}
	/* Not on a socket with a port; and then it was not done either. */
	EXPECT_EQ(WSAIoctl(s, CODE(WSOCK_FIONBIO), &off, sizeof(off), NULL, 0, &op.bytes, NULL,
			   NULL), 0);
	port = on_port(s);
	for (size_t i = 0; i < NR_CONTROLS; i++) {
		operation_init(&op, NULL);
		EXPECT_EQ(call(&controls[i], s, &op, routine), WSAEINVAL);
	}
	EXPECT_EQ(SleepEx(0, TRUE), 0);
	EXPECT_TRUE(is_empty(port));
	EXPECT_TRUE(CloseHandle(port));
	EXPECT_EQ(WSACleanup(), 0);
	WSACloseEvent(event);
	close(peer);
}

/* C30: queued before the final cleanup, it does not run after it. */
TEST_F(ioctl, C30__queued_routine_does_not_run)
{
	struct operation op;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_DGRAM);
	operation_init(&op, NULL);
	told.ran = 0;
	EXPECT_EQ(call(&controls[0], s, &op, routine), 0);
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(SleepEx(0, TRUE), 0);
	EXPECT_EQ(told.ran, 0);
	operation_init(&op, NULL);
	EXPECT_EQ(call(&controls[0], s, &op, routine), WSANOTINITIALISED);
}

TEST_HARNESS_MAIN
