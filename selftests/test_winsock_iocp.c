// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets with completion ports, as a Windows program sees them (D.2, D.3, D.5 to
 * D.10, H2, C32).
 */
#include "winsock.h"
#include "kselftest_harness.h"

#define KEY 0x123456789abcull

/* A connected socket, its peer, and the port it was given to. */
struct on_port {
	SOCKET s;
	int peer;
	HANDLE port;
};

static bool give_to_port(SOCKET s, HANDLE *port)
{
	*port = CreateIoCompletionPort((HANDLE)s, NULL, KEY, 0);
	return *port;
}

static bool stream_on_port(struct on_port *p)
{
	return !stream_pair(&p->s, &p->peer) && give_to_port(p->s, &p->port);
}

static bool datagram_on_port(struct on_port *p)
{
	p->s = bound_socket(SOCK_DGRAM);
	p->peer = -1;
	return p->s != INVALID_SOCKET && give_to_port(p->s, &p->port);
}

/* The packet of an operation that ended well; the last error is left alone. */
static bool is_packet(struct taken t, const struct operation *op, DWORD bytes)
{
	return t.ret && t.key == KEY && t.ov == &op->ov && t.bytes == bytes && t.error == 4711;
}

static bool is_failure(struct taken t, const struct operation *op, DWORD bytes, DWORD error)
{
	return !t.ret && t.key == KEY && t.ov == &op->ov && t.bytes == bytes && t.error == error;
}

static bool is_empty(HANDLE port)
{
	return is_none(take_packet(port, 0), WAIT_TIMEOUT);
}

static bool stays_empty(HANDLE port)
{
	return is_none(take_packet(port, QUIET_MS), WAIT_TIMEOUT);
}

static bool data_arrived(SOCKET s)
{
	struct pollfd pfd = { .fd = (int)s, .events = POLLIN };

	return poll(&pfd, 1, TIMEOUT_MS) == 1;
}

static bool send_to(int peer, const char *text)
{
	return send(peer, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

/* For sends that pend; nobody reads it. */
static char big[16 << 20];

WINSOCK_FIXTURE(iocp);

/* ---- D.5: association ---- */

static DWORD associate_error(HANDLE file, HANDLE port)
{
	SetLastError(4711);
	if (CreateIoCompletionPort(file, port, KEY, 0))
		return 0;
	return GetLastError();
}

TEST_F(iocp, D5__association)
{
	struct on_port p;
	struct operation op;
	HANDLE other;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	/* A new port and its socket in one call. */
	SetLastError(4711);
	ASSERT_TRUE(stream_on_port(&p));
	EXPECT_EQ(GetLastError(), 4711);
	/* Once and for all. */
	other = new_port(0);
	EXPECT_EQ(associate_error((HANDLE)p.s, p.port), ERROR_INVALID_PARAMETER);
	EXPECT_EQ(associate_error((HANDLE)p.s, other), ERROR_INVALID_PARAMETER);
	EXPECT_EQ(counter("ports"), 2);
	EXPECT_EQ(associate_error((HANDLE)p.s, NULL), ERROR_INVALID_PARAMETER);
	EXPECT_EQ(counter("ports"), 2);
	/* Another socket, to the same port: that is the return value. */
	s = bound_socket(SOCK_DGRAM);
	EXPECT_EQ(CreateIoCompletionPort((HANDLE)s, p.port, 1, 0), p.port);
	ASSERT_EQ(datagram_to(s, "x", 1), 0);
	start_recv(s, &op, NULL, 16);
	EXPECT_EQ(take_packet(p.port, TIMEOUT_MS).key, 1);
	ASSERT_TRUE(send_to(p.peer, "abc"));
	start_recv(p.s, &op, NULL, 16);
	EXPECT_TRUE(is_packet(take_packet(p.port, TIMEOUT_MS), &op, 3));
	EXPECT_TRUE(is_empty(other));
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(iocp, D5__association_of_what_is_none)
{
	HANDLE port = new_port(0), event = WSACreateEvent(), closed = new_port(0);
	int plain = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), pipes[2];
	SOCKET s;

	ASSERT_TRUE(CloseHandle(closed));
	ASSERT_EQ(pipe2(pipes, O_CLOEXEC), 0);
	/* Nobody is registered, and so no SOCKET can be. */
	EXPECT_EQ(associate_error((HANDLE)(intptr_t)plain, port), ERROR_INVALID_HANDLE);
	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_DGRAM);
	EXPECT_EQ(associate_error((HANDLE)(intptr_t)plain, port), ERROR_INVALID_HANDLE);
	EXPECT_EQ(associate_error((HANDLE)(intptr_t)pipes[0], port), ERROR_INVALID_HANDLE);
	EXPECT_EQ(associate_error((HANDLE)(intptr_t)9999, port), ERROR_INVALID_HANDLE);
	EXPECT_EQ(associate_error(event, port), ERROR_INVALID_HANDLE);
	EXPECT_EQ(associate_error(port, port), ERROR_INVALID_HANDLE);
	EXPECT_EQ(associate_error(NULL, port), ERROR_INVALID_HANDLE);
	EXPECT_EQ(associate_error(INVALID_HANDLE_VALUE, port), ERROR_INVALID_PARAMETER);
	/* No port is left behind by a call that was to make one. */
	EXPECT_EQ(associate_error((HANDLE)(intptr_t)plain, NULL), ERROR_INVALID_HANDLE);
	EXPECT_EQ(counter("ports"), 1);
	/* Nor what is not a port. */
	EXPECT_EQ(associate_error((HANDLE)s, event), ERROR_INVALID_HANDLE);
	EXPECT_EQ(associate_error((HANDLE)s, (HANDLE)s), ERROR_INVALID_HANDLE);
	EXPECT_EQ(associate_error((HANDLE)s, closed), ERROR_INVALID_HANDLE);
	EXPECT_EQ(associate_error((HANDLE)s, INVALID_HANDLE_VALUE), ERROR_INVALID_HANDLE);
	/* None of these has taken the socket's one chance. */
	EXPECT_EQ(associate_error((HANDLE)s, port), 0);
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(associate_error((HANDLE)s, port), ERROR_INVALID_HANDLE);
}

TEST_F(iocp, D5__key_belongs_to_the_socket_not_its_descriptor)
{
	struct operation op[2];
	struct on_port p;
	int dup;

	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(stream_on_port(&p));
	dup = fcntl(p.s, F_DUPFD_CLOEXEC, 0);
	ASSERT_EQ(dev_adopt(library_device(), dup), 0);
	EXPECT_EQ(associate_error((HANDLE)(intptr_t)dup, p.port), ERROR_INVALID_PARAMETER);
	ASSERT_EQ(start_recv(p.s, &op[0], NULL, 1), WSA_IO_PENDING);
	ASSERT_EQ(start_recv(dup, &op[1], NULL, 1), WSA_IO_PENDING);
	/* D9: not the last one: nothing happens. */
	ASSERT_EQ(closesocket(p.s), 0);
	EXPECT_TRUE(stays_empty(p.port));
	EXPECT_EQ(status(&op[0]), STATUS_PENDING);
	ASSERT_TRUE(send_to(p.peer, "x"));
	EXPECT_TRUE(is_packet(take_packet(p.port, TIMEOUT_MS), &op[0], 1));
	ASSERT_TRUE(send_to(p.peer, "x"));
	EXPECT_TRUE(is_packet(take_packet(p.port, TIMEOUT_MS), &op[1], 1));
	ASSERT_EQ(start_recv(dup, &op[0], NULL, 1), WSA_IO_PENDING);
	ASSERT_EQ(closesocket(dup), 0);
	EXPECT_TRUE(is_failure(take_packet(p.port, TIMEOUT_MS), &op[0], 0, ERROR_CONNECTION_ABORTED));
	EXPECT_TRUE(stays_empty(p.port));
	EXPECT_EQ(WSACleanup(), 0);
}

/* An operation goes where its socket belonged when it began. */
TEST_F(iocp, D5__association_of_a_socket_with_pending_operations)
{
	struct operation before, after;
	struct on_port p;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&p.s, &p.peer), 0);
	ASSERT_EQ(start_recv(p.s, &before, NULL, 1), WSA_IO_PENDING);
	ASSERT_TRUE(give_to_port(p.s, &p.port));
	ASSERT_EQ(start_recv(p.s, &after, NULL, 1), WSA_IO_PENDING);
	ASSERT_TRUE(send_to(p.peer, "ab"));
	EXPECT_TRUE(is_packet(take_packet(p.port, TIMEOUT_MS), &after, 1));
	EXPECT_EQ(status(&before), STATUS_SUCCESS);
	EXPECT_EQ(before.data[0], 'a');
	EXPECT_EQ(after.data[0], 'b');
	EXPECT_TRUE(stays_empty(p.port));
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(iocp, D5__port_closed_before_its_packets)
{
	struct operation op[2];
	struct on_port p;
	DWORD n;

	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(stream_on_port(&p));
	ASSERT_EQ(start_recv(p.s, &op[0], NULL, 1), WSA_IO_PENDING);
	ASSERT_EQ(start_recv(p.s, &op[1], NULL, 1), WSA_IO_PENDING);
	ASSERT_TRUE(send_to(p.peer, "a"));
	ASSERT_TRUE(CloseHandle(p.port));
	/* They end all the same. */
	EXPECT_TRUE(GetOverlappedResult((HANDLE)p.s, &op[0].ov, &n, TRUE));
	EXPECT_EQ(n, 1);
	ASSERT_TRUE(send_to(p.peer, "b"));
	EXPECT_TRUE(wait_for(status(&op[1]) == STATUS_SUCCESS));
	EXPECT_EQ(associate_error((HANDLE)p.s, NULL), ERROR_INVALID_PARAMETER);
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- D.2: one operation ---- */

TEST_F(iocp, D2__immediate_success_leaves_a_packet)
{
	struct operation op;
	struct on_port p;

	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(stream_on_port(&p));
	ASSERT_TRUE(send_to(p.peer, "hello"));
	ASSERT_TRUE(data_arrived(p.s));
	EXPECT_EQ(start_recv(p.s, &op, NULL, 16), 0);
	EXPECT_EQ(op.bytes, 5);
	EXPECT_EQ(op.ov.Internal, STATUS_SUCCESS);
	EXPECT_EQ(op.ov.InternalHigh, 5);
	EXPECT_TRUE(is_packet(take_packet(p.port, 0), &op, 5));
	EXPECT_TRUE(stays_empty(p.port));
	EXPECT_EQ(start_send(p.s, &op, NULL, "abc", 3), 0);
	EXPECT_TRUE(is_packet(take_packet(p.port, 0), &op, 3));
	EXPECT_TRUE(stays_empty(p.port));
	ASSERT_TRUE(CloseHandle(p.port));
	ASSERT_TRUE(datagram_on_port(&p));
	ASSERT_EQ(datagram_to(p.s, "hello", 5), 0);
	EXPECT_EQ(start_recv(p.s, &op, NULL, 16), 0);
	EXPECT_TRUE(is_packet(take_packet(p.port, 0), &op, 5));
	EXPECT_TRUE(stays_empty(p.port));
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(iocp, D2__immediate_failure_leaves_none)
{
	struct linger abort = { .l_onoff = 1 };
	struct operation op;
	struct on_port p;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(stream_on_port(&p));
	s = wsock_socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(CreateIoCompletionPort((HANDLE)s, p.port, KEY, 0), p.port);
	EXPECT_EQ(start_recv(s, &op, NULL, 16), WSAENOTCONN);
	EXPECT_EQ(start_send(s, &op, NULL, "x", 1), WSAENOTCONN);
	EXPECT_EQ(op.bytes, POISON_WORD);
	EXPECT_EQ(start_recv(INVALID_SOCKET, &op, NULL, 16), WSAENOTSOCK);
	EXPECT_EQ(start_recv(p.s, &op, (HANDLE)(uintptr_t)0x7ffffff0, 16), WSA_INVALID_HANDLE);
	ASSERT_EQ(setsockopt(p.peer, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort)), 0);
	close(p.peer);
	ASSERT_TRUE(data_arrived(p.s));
	EXPECT_EQ(start_send(p.s, &op, NULL, "x", 1), WSAECONNRESET);
	EXPECT_TRUE(stays_empty(p.port));
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(iocp, D2__pending_then_data)
{
	struct operation op;
	struct on_port p;

	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(stream_on_port(&p));
	ASSERT_EQ(start_recv(p.s, &op, NULL, 16), WSA_IO_PENDING);
	EXPECT_EQ(op.ov.Internal, STATUS_PENDING);
	EXPECT_EQ(op.ov.InternalHigh, POISON_LONG);
	EXPECT_EQ(op.bytes, POISON_WORD);
	EXPECT_TRUE(stays_empty(p.port));
	ASSERT_TRUE(send_to(p.peer, "hello"));
	EXPECT_TRUE(is_packet(take_packet(p.port, TIMEOUT_MS), &op, 5));
	EXPECT_EQ(op.ov.Internal, STATUS_SUCCESS);
	EXPECT_EQ(op.ov.InternalHigh, 5);
	EXPECT_EQ(op.ov.Offset, 0);
	EXPECT_EQ(op.ov.hEvent, NULL);
	EXPECT_EQ(op.bytes, POISON_WORD);
	EXPECT_EQ(memcmp(op.data, "hello", 5), 0);
	EXPECT_TRUE(all_poison(op.data + 5, sizeof(op.data) - 5));
	EXPECT_TRUE(stays_empty(p.port));
	EXPECT_EQ(WSACleanup(), 0);
}

/* A datagram that was cut fails, but has its packet. */
TEST_F(iocp, D7__cut_datagram)
{
	struct operation op;
	struct on_port p;

	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(datagram_on_port(&p));
	for (int skip = 0; skip < 2; skip++) {
		ASSERT_EQ(datagram_to(p.s, "too long", 8), 0);
		EXPECT_EQ(start_recv(p.s, &op, NULL, 3), WSAEMSGSIZE);
		EXPECT_EQ(op.bytes, 3);
		EXPECT_EQ(status(&op), STATUS_BUFFER_OVERFLOW);
		EXPECT_TRUE(is_failure(take_packet(p.port, TIMEOUT_MS), &op, 3, ERROR_MORE_DATA));
		ASSERT_EQ(start_recv(p.s, &op, NULL, 3), WSA_IO_PENDING);
		ASSERT_EQ(datagram_to(p.s, "too long", 8), 0);
		EXPECT_TRUE(is_failure(take_packet(p.port, TIMEOUT_MS), &op, 3, ERROR_MORE_DATA));
		EXPECT_EQ(memcmp(op.data, "too", 3), 0);
		EXPECT_TRUE(stays_empty(p.port));
		/* It has not succeeded, so these are not skipped either. */
		EXPECT_TRUE(SetFileCompletionNotificationModes(
			(HANDLE)p.s, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS));
	}
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- D.3: who is told ---- */

TEST_F(iocp, D3__event_and_packet)
{
	WSAEVENT event = WSACreateEvent();
	struct operation op;
	struct on_port p;

	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(stream_on_port(&p));
	EXPECT_TRUE(WSASetEvent(event));
	ASSERT_EQ(start_recv(p.s, &op, event, 16), WSA_IO_PENDING);
	EXPECT_FALSE(signalled(event));
	ASSERT_TRUE(send_to(p.peer, "pend"));
	/* Nobody has come to the port. */
	EXPECT_TRUE(becomes_signalled(event));
	EXPECT_EQ(status(&op), STATUS_SUCCESS);
	EXPECT_TRUE(is_packet(take_packet(p.port, TIMEOUT_MS), &op, 4));
	ASSERT_TRUE(send_to(p.peer, "immediate"));
	ASSERT_TRUE(data_arrived(p.s));
	EXPECT_EQ(start_recv(p.s, &op, event, 16), 0);
	EXPECT_TRUE(signalled(event));
	EXPECT_TRUE(is_packet(take_packet(p.port, 0), &op, 9));
	EXPECT_TRUE(stays_empty(p.port));
	EXPECT_EQ(WSACleanup(), 0);
}

static HANDLE no_packet(HANDLE event)
{
	return (HANDLE)((uintptr_t)event | 1);
}

TEST_F(iocp, D5__low_bit_of_hEvent_suppresses_the_packet)
{
	WSAEVENT event = WSACreateEvent();
	struct operation op;
	struct on_port p;
	DWORD n, flags;

	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(stream_on_port(&p));
	ASSERT_EQ(start_recv(p.s, &op, no_packet(event), 16), WSA_IO_PENDING);
	ASSERT_TRUE(send_to(p.peer, "pend"));
	EXPECT_TRUE(becomes_signalled(event));
	EXPECT_TRUE(WSAGetOverlappedResult(p.s, &op.ov, &n, TRUE, &flags));
	EXPECT_EQ(n, 4);
	ASSERT_TRUE(send_to(p.peer, "immediate"));
	ASSERT_TRUE(data_arrived(p.s));
	EXPECT_EQ(start_recv(p.s, &op, no_packet(event), 16), 0);
	EXPECT_TRUE(signalled(event));
	/* Also without an event. */
	EXPECT_EQ(start_send(p.s, &op, no_packet(NULL), "x", 1), 0);
	ASSERT_EQ(start_recv(p.s, &op, no_packet(NULL), 16), WSA_IO_PENDING);
	ASSERT_TRUE(send_to(p.peer, "pend"));
	EXPECT_TRUE(wait_for(status(&op) == STATUS_SUCCESS));
	/* And when it fails. */
	ASSERT_EQ(start_recv(p.s, &op, no_packet(event), 16), WSA_IO_PENDING);
	EXPECT_TRUE(CancelIoEx((HANDLE)p.s, &op.ov));
	EXPECT_TRUE(becomes_signalled(event));
	EXPECT_EQ(status(&op), STATUS_CANCELLED);
	EXPECT_TRUE(stays_empty(p.port));
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_TRUE(is_empty(p.port));
}

static bool set_modes(SOCKET s, UCHAR modes)
{
	return SetFileCompletionNotificationModes((HANDLE)s, modes);
}

static DWORD modes_error(HANDLE file, UCHAR modes)
{
	SetLastError(4711);
	return SetFileCompletionNotificationModes(file, modes) ? 0 : GetLastError();
}

TEST_F(iocp, D5__skip_on_success)
{
	WSAEVENT event = WSACreateEvent();
	struct operation op;
	struct on_port p;

	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(stream_on_port(&p));
	EXPECT_TRUE(set_modes(p.s, FILE_SKIP_SET_EVENT_ON_HANDLE));
	EXPECT_EQ(start_send(p.s, &op, NULL, "x", 1), 0);
	EXPECT_TRUE(is_packet(take_packet(p.port, 0), &op, 1));
	EXPECT_TRUE(set_modes(p.s, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS));
	/* Twice: it is sticky. */
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(start_send(p.s, &op, NULL, "x", 1), 0);
		EXPECT_EQ(status(&op), STATUS_SUCCESS);
		EXPECT_EQ(op.ov.InternalHigh, 1);
		ASSERT_TRUE(send_to(p.peer, "immediate"));
		ASSERT_TRUE(data_arrived(p.s));
		/* The event is set all the same. */
		EXPECT_EQ(start_recv(p.s, &op, event, 16), 0);
		EXPECT_EQ(op.bytes, 9);
		EXPECT_TRUE(signalled(event));
		EXPECT_TRUE(stays_empty(p.port));
		/* What pended has its packet, whatever comes of it. */
		ASSERT_EQ(start_recv(p.s, &op, NULL, 16), WSA_IO_PENDING);
		ASSERT_TRUE(send_to(p.peer, "pend"));
		EXPECT_TRUE(is_packet(take_packet(p.port, TIMEOUT_MS), &op, 4));
		ASSERT_EQ(start_recv(p.s, &op, NULL, 16), WSA_IO_PENDING);
		EXPECT_TRUE(CancelIoEx((HANDLE)p.s, NULL));
		EXPECT_TRUE(is_failure(take_packet(p.port, TIMEOUT_MS), &op, 0, 995));
		EXPECT_TRUE(set_modes(p.s, 0));
	}
	EXPECT_EQ(modes_error((HANDLE)p.s, 4), ERROR_INVALID_PARAMETER);
	EXPECT_EQ(modes_error(event, 1), ERROR_INVALID_HANDLE);
	EXPECT_EQ(modes_error((HANDLE)(intptr_t)9999, 0), ERROR_INVALID_HANDLE);
	ASSERT_TRUE(CloseHandle(p.port));
	ASSERT_TRUE(datagram_on_port(&p));
	EXPECT_TRUE(set_modes(p.s, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS));
	ASSERT_EQ(datagram_to(p.s, "hello", 5), 0);
	EXPECT_EQ(start_recv(p.s, &op, NULL, 16), 0);
	EXPECT_TRUE(stays_empty(p.port));
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(iocp, D5__synchronous_calls_leave_none)
{
	char data[16];
	WSABUF buf = { .len = sizeof(data), .buf = data };
	DWORD n, flags = 0;
	struct on_port p;

	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(stream_on_port(&p));
	ASSERT_TRUE(send_to(p.peer, "hello"));
	EXPECT_EQ(wsock_recv(p.s, data, 2, 0), 2);
	EXPECT_EQ(WSARecv(p.s, &buf, 1, &n, &flags, NULL, NULL), 0);
	EXPECT_EQ(n, 3);
	EXPECT_EQ(wsock_send(p.s, "x", 1, 0), 1);
	EXPECT_EQ(WSASend(p.s, &buf, 1, &n, 0, NULL, NULL), 0);
	EXPECT_EQ(WSASendDisconnect(p.s, NULL), 0);
	EXPECT_EQ(wsock_shutdown(p.s, SD_BOTH), 0);
	EXPECT_EQ(closesocket(p.s), 0);
	EXPECT_TRUE(stays_empty(p.port));
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- D.6, D.7: order and amounts ---- */

TEST_F(iocp, D6__receives_are_filled_in_order)
{
	struct operation op[8];
	struct on_port p;
	int seen = 0;

	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(stream_on_port(&p));
	for (int i = 0; i < 8; i++)
		ASSERT_EQ(start_recv(p.s, &op[i], NULL, 4), WSA_IO_PENDING);
	ASSERT_TRUE(send_to(p.peer, "aaaabbbbccccddddeeeeffffgggghhhh"));
	/* The packets may come in any order. */
	for (int i = 0; i < 8; i++) {
		struct taken t = take_packet(p.port, TIMEOUT_MS);
		int n = (struct operation *)t.ov - op;

		ASSERT_TRUE(t.ret);
		ASSERT_TRUE(n >= 0 && n < 8);
		EXPECT_EQ(t.bytes, 4);
		seen |= 1 << n;
	}
	EXPECT_EQ(seen, 0xff);
	for (int i = 0; i < 8; i++) {
		for (int j = 0; j < 4; j++)
			EXPECT_EQ(op[i].data[j], 'a' + i);
	}
	EXPECT_TRUE(stays_empty(p.port));
	EXPECT_EQ(WSACleanup(), 0);
}

struct reader {
	int fd;
	size_t total, count;
	bool disorder;
};

/* Reads @total bytes, numbered modulo 251. */
static void *read_all(void *arg)
{
	static char buf[1 << 16];
	struct reader *r = arg;
	ssize_t n;

	while (r->count < r->total && (n = read(r->fd, buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			r->disorder |= (unsigned char)buf[i] != (r->count + i) % 251;
		r->count += n;
	}
	return NULL;
}

TEST_F(iocp, D7__sends_are_all_or_nothing_and_in_order)
{
	struct operation op[4];
	struct reader r = { .total = sizeof(big) };
	pthread_t thread;
	struct on_port p;
	size_t part = sizeof(big) / 4;

	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(stream_on_port(&p));
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = i % 251;
	for (int i = 0; i < 4; i++)
		ASSERT_EQ(start_send(p.s, &op[i], NULL, big + i * part, part), WSA_IO_PENDING);
	EXPECT_TRUE(stays_empty(p.port));
	r.fd = p.peer;
	ASSERT_EQ(pthread_create(&thread, NULL, read_all, &r), 0);
	for (int i = 0; i < 4; i++) {
		struct taken t = take_packet(p.port, TIMEOUT_MS);

		EXPECT_TRUE(t.ret);
		EXPECT_EQ(t.bytes, part);
	}
	for (int i = 0; i < 4; i++) {
		EXPECT_EQ(status(&op[i]), STATUS_SUCCESS);
		EXPECT_EQ(op[i].ov.InternalHigh, part);
	}
	pthread_join(thread, NULL);
	EXPECT_EQ(r.count, sizeof(big));
	EXPECT_FALSE(r.disorder);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(iocp, D7__receive_of_nothing)
{
	struct operation op;
	struct on_port p;

	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(stream_on_port(&p));
	ASSERT_EQ(start_recv(p.s, &op, NULL, 0), WSA_IO_PENDING);
	EXPECT_TRUE(stays_empty(p.port));
	ASSERT_TRUE(send_to(p.peer, "hello"));
	EXPECT_TRUE(is_packet(take_packet(p.port, TIMEOUT_MS), &op, 0));
	EXPECT_EQ(start_recv(p.s, &op, NULL, 0), 0);
	EXPECT_TRUE(is_packet(take_packet(p.port, 0), &op, 0));
	EXPECT_EQ(start_recv(p.s, &op, NULL, 16), 0);
	EXPECT_TRUE(is_packet(take_packet(p.port, 0), &op, 5));
	/* The peer's end: nothing, again and again. */
	ASSERT_EQ(start_recv(p.s, &op, NULL, 16), WSA_IO_PENDING);
	close(p.peer);
	EXPECT_TRUE(is_packet(take_packet(p.port, TIMEOUT_MS), &op, 0));
	EXPECT_EQ(start_recv(p.s, &op, NULL, 16), 0);
	EXPECT_TRUE(is_packet(take_packet(p.port, 0), &op, 0));
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- D.8: one status, three names ---- */

/* What all that can be asked says of an operation that has ended. */
static void expect_names(struct __test_metadata *_metadata, const struct on_port *p,
			 struct operation *op, uint32_t internal, DWORD wsa, DWORD win32,
			 const char *name)
{
	DWORD n = POISON_WORD, flags = POISON_WORD;
	struct taken t = take_packet(p->port, TIMEOUT_MS);

	EXPECT_EQ(status(op), internal) TH_LOG("%s", name);
	EXPECT_EQ(t.ov, &op->ov) TH_LOG("%s", name);
	EXPECT_EQ(t.ret, !win32) TH_LOG("%s", name);
	EXPECT_EQ(t.error, win32 ?: 4711) TH_LOG("%s", name);
	EXPECT_EQ(t.bytes, op->ov.InternalHigh) TH_LOG("%s", name);
	EXPECT_EQ(GetOverlappedResult((HANDLE)p->s, &op->ov, &n, FALSE), !win32)
		TH_LOG("%s", name);
	if (win32)
		EXPECT_EQ(GetLastError(), win32) TH_LOG("%s", name);
	EXPECT_EQ(n, op->ov.InternalHigh) TH_LOG("%s", name);
	if (wsa == WSAENOTSOCK)
		return;
	EXPECT_EQ(WSAGetOverlappedResult(p->s, &op->ov, &n, FALSE, &flags), !wsa)
		TH_LOG("%s", name);
	EXPECT_EQ(WSAGetLastError(), wsa) TH_LOG("%s", name);
	EXPECT_EQ(flags, op->ov.Offset) TH_LOG("%s", name);
}

TEST_F(iocp, D8__names_of_a_status)
{
	struct linger abort = { .l_onoff = 1 };
	struct sockaddr_in sin;
	struct operation op;
	struct on_port p;
	int fd;

	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(stream_on_port(&p));
	ASSERT_EQ(start_recv(p.s, &op, NULL, 16), WSA_IO_PENDING);
	ASSERT_TRUE(send_to(p.peer, "data"));
	/* Not before it was executed. */
	ASSERT_TRUE(wait_for(HasOverlappedIoCompleted(&op.ov)));
	expect_names(_metadata, &p, &op, STATUS_SUCCESS, 0, 0, "data");
	ASSERT_EQ(start_recv(p.s, &op, NULL, 16), WSA_IO_PENDING);
	EXPECT_TRUE(CancelIoEx((HANDLE)p.s, &op.ov));
	expect_names(_metadata, &p, &op, STATUS_CANCELLED, WSA_OPERATION_ABORTED,
		     ERROR_OPERATION_ABORTED, "CancelIoEx");
	ASSERT_EQ(start_recv(p.s, &op, NULL, 16), WSA_IO_PENDING);
	ASSERT_EQ(setsockopt(p.peer, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort)), 0);
	close(p.peer);
	ASSERT_TRUE(wait_for(HasOverlappedIoCompleted(&op.ov)));
	expect_names(_metadata, &p, &op, STATUS_CONNECTION_RESET, WSAECONNRESET,
		     ERROR_NETNAME_DELETED, "reset");

	ASSERT_TRUE(CloseHandle(p.port));
	ASSERT_TRUE(stream_on_port(&p));
	ASSERT_EQ(start_recv(p.s, &op, NULL, 16), WSA_IO_PENDING);
	ASSERT_EQ(closesocket(p.s), 0);
	/* Only a socket that is one can be asked about it. */
	p.s = bound_socket(SOCK_DGRAM);
	expect_names(_metadata, &p, &op, STATUS_CONNECTION_ABORTED, WSAECONNABORTED,
		     ERROR_CONNECTION_ABORTED, "closesocket");

	ASSERT_TRUE(CloseHandle(p.port));
	ASSERT_TRUE(datagram_on_port(&p));
	ASSERT_EQ(start_recv(p.s, &op, NULL, 2), WSA_IO_PENDING);
	ASSERT_EQ(datagram_to(p.s, "long", 4), 0);
	ASSERT_TRUE(wait_for(HasOverlappedIoCompleted(&op.ov)));
	expect_names(_metadata, &p, &op, STATUS_BUFFER_OVERFLOW, WSAEMSGSIZE, ERROR_MORE_DATA,
		     "cut");
	/* A port that nobody has. */
	fd = udp_socket();
	sin = loopback(local_port(fd));
	close(fd);
	ASSERT_EQ(wsock_connect(p.s, sa(&sin), sizeof(sin)), 0);
	ASSERT_EQ(start_recv(p.s, &op, NULL, 16), WSA_IO_PENDING);
	ASSERT_EQ(wsock_send(p.s, "x", 1, 0), 1);
	ASSERT_TRUE(wait_for(HasOverlappedIoCompleted(&op.ov)));
	expect_names(_metadata, &p, &op, 0xc000023f, WSAECONNRESET, 1234,
		     "unreachable");
	/* A page that is not there: the error is the operation's, not a signal. */
	EXPECT_TRUE(is_empty(p.port));
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- Many ---- */

TEST_F(iocp, D5__several_packets_at_once)
{
	OVERLAPPED_ENTRY entries[8];
	struct operation op[4];
	struct on_port p;
	ULONG n = 0;

	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(stream_on_port(&p));
	for (int i = 0; i < 4; i++)
		ASSERT_EQ(start_recv(p.s, &op[i], NULL, 2), WSA_IO_PENDING);
	for (int i = 0; i < 3; i++)
		EXPECT_TRUE(CancelIoEx((HANDLE)p.s, &op[i].ov));
	ASSERT_TRUE(send_to(p.peer, "ab"));
	ASSERT_TRUE(wait_for(HasOverlappedIoCompleted(&op[3].ov)));
	SetLastError(4711);
	ASSERT_TRUE(GetQueuedCompletionStatusEx(p.port, entries, 8, &n, TIMEOUT_MS, FALSE));
	EXPECT_EQ(GetLastError(), 4711);
	ASSERT_EQ(n, 4);
	for (int i = 0; i < 4; i++) {
		EXPECT_EQ(entries[i].lpOverlapped, &op[i].ov);
		EXPECT_EQ(entries[i].lpCompletionKey, KEY);
		EXPECT_EQ(entries[i].Internal, i < 3 ? STATUS_CANCELLED : STATUS_SUCCESS);
		EXPECT_EQ(entries[i].Internal, op[i].ov.Internal);
		EXPECT_EQ(entries[i].dwNumberOfBytesTransferred, i < 3 ? 0 : 2);
	}
	/* Nothing but failures: TRUE nevertheless. */
	ASSERT_EQ(start_recv(p.s, &op[0], NULL, 2), WSA_IO_PENDING);
	EXPECT_TRUE(CancelIoEx((HANDLE)p.s, NULL));
	EXPECT_TRUE(GetQueuedCompletionStatusEx(p.port, entries, 8, &n, TIMEOUT_MS, FALSE));
	EXPECT_EQ(n, 1);
	EXPECT_FALSE(GetQueuedCompletionStatusEx(p.port, entries, 8, &n, 0, FALSE));
	EXPECT_EQ(GetLastError(), WAIT_TIMEOUT);
	EXPECT_EQ(n, 0);
	EXPECT_EQ(WSACleanup(), 0);
}

#define WORKERS 4
#define CONNECTIONS 32
#define ECHOES 50

/* An echo server: a connection has one operation, a receive or a send. */
struct connection {
	SOCKET s;
	int peer;
	struct operation op;
	bool sending;
	int packets;
};

struct pool {
	HANDLE port;
	int ended, failures;	/* of all workers */
};

/* With a connection per packet it is the worker's own. */
static void echo(struct pool *pool, struct connection *c, DWORD bytes)
{
	int error;

	c->packets++;
	c->sending = !c->sending;
	error = c->sending ? start_send(c->s, &c->op, NULL, "echo", bytes) :
			     start_recv(c->s, &c->op, NULL, 4);
	if (error && error != WSA_IO_PENDING)
		__atomic_add_fetch(&pool->failures, 1, __ATOMIC_SEQ_CST);
}

static void *echo_worker(void *arg)
{
	struct pool *pool = arg;

	for (;;) {
		struct taken t = take_packet(pool->port, INFINITE);

		if (!t.ov)
			return NULL;
		if (!t.ret) {
			pool->failures += t.error != ERROR_OPERATION_ABORTED;
			__atomic_add_fetch(&pool->ended, 1, __ATOMIC_SEQ_CST);
			continue;
		}
		echo(pool, (struct connection *)t.key, t.bytes);
	}
}

TEST_F_TIMEOUT(iocp, D5__pool_of_workers, 60)
{
	static struct connection c[CONNECTIONS];
	struct pool pool = { .port = new_port(2) };
	pthread_t threads[WORKERS];
	char data[4];

	ASSERT_EQ(startup(), 0);
	for (int i = 0; i < WORKERS; i++)
		ASSERT_EQ(pthread_create(&threads[i], NULL, echo_worker, &pool), 0);
	for (int i = 0; i < CONNECTIONS; i++) {
		ASSERT_EQ(stream_pair(&c[i].s, &c[i].peer), 0);
		ASSERT_EQ(CreateIoCompletionPort((HANDLE)c[i].s, pool.port,
						 (ULONG_PTR)&c[i], 0), pool.port);
		ASSERT_EQ(start_recv(c[i].s, &c[i].op, NULL, 4), WSA_IO_PENDING);
	}
	for (int round = 0; round < ECHOES; round++) {
		for (int i = 0; i < CONNECTIONS; i++)
			ASSERT_TRUE(send_to(c[i].peer, "ping"));
		for (int i = 0; i < CONNECTIONS; i++) {
			ASSERT_EQ(recv(c[i].peer, data, 4, MSG_WAITALL), 4);
			ASSERT_EQ(memcmp(data, "echo", 4), 0);
		}
	}
	/* Each has its receive pending again, once the send's packet is taken. */
	for (int i = 0; i < CONNECTIONS; i++)
		EXPECT_TRUE(wait_for(__atomic_load_n(&c[i].packets, __ATOMIC_SEQ_CST) ==
				     2 * ECHOES));
	EXPECT_TRUE(wait_for(queued() == CONNECTIONS));
	ASSERT_EQ(WSACleanup(), 0);
	/* H2, C32: the workers learn of every one of them, once. */
	EXPECT_TRUE(wait_for(__atomic_load_n(&pool.ended, __ATOMIC_SEQ_CST) == CONNECTIONS));
	EXPECT_TRUE(stays_empty(pool.port));
	ASSERT_TRUE(CloseHandle(pool.port));
	for (int i = 0; i < WORKERS; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(pool.ended, CONNECTIONS);
	EXPECT_EQ(pool.failures, 0);
	for (int i = 0; i < CONNECTIONS; i++) {
		EXPECT_EQ(c[i].packets, 2 * ECHOES);
		EXPECT_EQ(status(&c[i].op), STATUS_CANCELLED);
	}
}

/* ---- D.10: asking about an operation whose packet nobody fetches ---- */

TEST_F(iocp, D10__asked_without_a_thread_at_the_port)
{
	struct operation op[3];
	DWORD n, flags;
	struct on_port p;

	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(stream_on_port(&p));
	ASSERT_EQ(start_recv(p.s, &op[0], NULL, 4), WSA_IO_PENDING);
	EXPECT_FALSE(HasOverlappedIoCompleted(&op[0].ov));
	EXPECT_FALSE(WSAGetOverlappedResult(p.s, &op[0].ov, &n, FALSE, &flags));
	EXPECT_EQ(WSAGetLastError(), WSA_IO_INCOMPLETE);
	ASSERT_TRUE(send_to(p.peer, "have"));
	ASSERT_TRUE(data_arrived(p.s));
	EXPECT_TRUE(wait_for(HasOverlappedIoCompleted(&op[0].ov)));
	ASSERT_EQ(start_recv(p.s, &op[1], NULL, 4), WSA_IO_PENDING);
	ASSERT_TRUE(send_to(p.peer, "get0"));
	EXPECT_TRUE(wait_for(WSAGetOverlappedResult(p.s, &op[1].ov, &n, FALSE, &flags)));
	EXPECT_EQ(n, 4);
	ASSERT_EQ(start_recv(p.s, &op[2], NULL, 4), WSA_IO_PENDING);
	ASSERT_TRUE(send_to(p.peer, "get1"));
	EXPECT_TRUE(WSAGetOverlappedResult(p.s, &op[2].ov, &n, TRUE, &flags));
	EXPECT_EQ(n, 4);
	/* Asked again, it is as it was; and the packets are there, once. */
	EXPECT_TRUE(WSAGetOverlappedResult(p.s, &op[2].ov, &n, TRUE, &flags));
	for (int i = 0; i < 3; i++)
		EXPECT_TRUE(is_packet(take_packet(p.port, 0), &op[i], 4));
	EXPECT_TRUE(stays_empty(p.port));
	EXPECT_EQ(memcmp(op[0].data, "have", 4), 0);
	EXPECT_EQ(memcmp(op[1].data, "get0", 4), 0);
	EXPECT_EQ(memcmp(op[2].data, "get1", 4), 0);
	EXPECT_EQ(WSACleanup(), 0);
}

/* One that is behind others in its direction: they have to be executed first. */
TEST_F(iocp, D10__asked_about_one_behind_others)
{
	struct operation op[4];
	struct on_port p;

	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(stream_on_port(&p));
	for (int i = 0; i < 4; i++)
		ASSERT_EQ(start_recv(p.s, &op[i], NULL, 1), WSA_IO_PENDING);
	ASSERT_TRUE(send_to(p.peer, "abcd"));
	ASSERT_TRUE(data_arrived(p.s));
	EXPECT_TRUE(wait_for(HasOverlappedIoCompleted(&op[3].ov)));
	for (int i = 0; i < 4; i++) {
		EXPECT_EQ(status(&op[i]), STATUS_SUCCESS);
		EXPECT_TRUE(is_packet(take_packet(p.port, 0), &op[i], 1));
	}
	EXPECT_TRUE(stays_empty(p.port));
	EXPECT_EQ(WSACleanup(), 0);
}

static int call_wgor(struct caller *c)
{
	DWORD n, flags;

	return WSAGetOverlappedResult(c->s, c->arg, &n, TRUE, &flags) ? (int)n : -1;
}

TEST_F(iocp, D10__waited_for_before_and_after)
{
	struct operation op[2];
	struct caller c = { .call = call_wgor, .arg = &op[1].ov };
	struct on_port p;

	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(stream_on_port(&p));
	c.s = p.s;
	ASSERT_EQ(start_recv(p.s, &op[0], NULL, 1), WSA_IO_PENDING);
	ASSERT_EQ(start_recv(p.s, &op[1], NULL, 1), WSA_IO_PENDING);
	ASSERT_TRUE(caller_start(&c) && caller_blocked(&c, SYS_ioctl));
	ASSERT_TRUE(send_to(p.peer, "ab"));
	ASSERT_TRUE(caller_join(&c));
	EXPECT_EQ(c.result, 1);
	EXPECT_EQ(op[0].data[0], 'a');
	EXPECT_EQ(op[1].data[0], 'b');
	EXPECT_TRUE(is_packet(take_packet(p.port, 0), &op[0], 1));
	EXPECT_TRUE(is_packet(take_packet(p.port, 0), &op[1], 1));
	EXPECT_TRUE(stays_empty(p.port));
	EXPECT_EQ(WSACleanup(), 0);
}

/* An event must not wait for a thread at the port either. */
TEST_F(iocp, D3__event_behind_an_operation_without)
{
	WSAEVENT event = WSACreateEvent();
	struct operation op[2];
	struct on_port p;

	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(stream_on_port(&p));
	ASSERT_EQ(start_recv(p.s, &op[0], NULL, 1), WSA_IO_PENDING);
	ASSERT_EQ(start_recv(p.s, &op[1], event, 1), WSA_IO_PENDING);
	ASSERT_TRUE(send_to(p.peer, "ab"));
	EXPECT_TRUE(becomes_signalled(event));
	EXPECT_TRUE(is_packet(take_packet(p.port, 0), &op[0], 1));
	EXPECT_TRUE(is_packet(take_packet(p.port, 0), &op[1], 1));
	EXPECT_TRUE(stays_empty(p.port));
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- D.9: cancellation ---- */

struct starter {
	SOCKET s;
	struct operation op;
	HANDLE event;
};

static int call_start(struct caller *c)
{
	struct starter *st = c->arg;

	return start_recv(st->s, &st->op, st->event, 16);
}

static int call_start_and_sleep(struct caller *c)
{
	int ret = call_start(c);

	pause();
	return ret;
}

TEST_F(iocp, D9__CancelIo_is_for_the_calling_thread)
{
	struct caller c = { .call = call_start_and_sleep };
	struct starter other;
	struct operation mine;
	struct on_port p;

	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(stream_on_port(&p));
	EXPECT_TRUE(CancelIo((HANDLE)p.s));
	other = (struct starter){ .s = p.s };
	c.arg = &other;
	ASSERT_TRUE(caller_start(&c) && caller_blocked(&c, SYS_pause));
	ASSERT_EQ(start_recv(p.s, &mine, NULL, 16), WSA_IO_PENDING);
	EXPECT_TRUE(CancelIo((HANDLE)p.s));
	EXPECT_TRUE(is_failure(take_packet(p.port, TIMEOUT_MS), &mine, 0, 995));
	EXPECT_EQ(status(&other.op), STATUS_PENDING);
	EXPECT_TRUE(CancelIo((HANDLE)p.s));
	EXPECT_TRUE(stays_empty(p.port));
	EXPECT_EQ(status(&other.op), STATUS_PENDING);
	EXPECT_TRUE(CancelIoEx((HANDLE)p.s, NULL));
	EXPECT_TRUE(is_failure(take_packet(p.port, TIMEOUT_MS), &other.op, 0, 995));
	EXPECT_TRUE(stays_empty(p.port));
	EXPECT_FALSE(CancelIo((HANDLE)(intptr_t)9999));
	EXPECT_EQ(GetLastError(), ERROR_INVALID_HANDLE);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(iocp, D9__CancelIoEx_one_all_none)
{
	struct operation in[3], out, other;
	struct on_port p, q;

	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(stream_on_port(&p));
	ASSERT_TRUE(stream_on_port(&q));
	EXPECT_FALSE(CancelIoEx((HANDLE)p.s, NULL));
	EXPECT_EQ(GetLastError(), ERROR_NOT_FOUND);
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(start_recv(p.s, &in[i], NULL, 16), WSA_IO_PENDING);
	ASSERT_EQ(start_send(p.s, &out, NULL, big, sizeof(big)), WSA_IO_PENDING);
	ASSERT_EQ(start_recv(q.s, &other, NULL, 16), WSA_IO_PENDING);
	/* Of another socket, or of none. */
	EXPECT_FALSE(CancelIoEx((HANDLE)p.s, &other.ov));
	EXPECT_EQ(GetLastError(), ERROR_NOT_FOUND);
	EXPECT_TRUE(CancelIoEx((HANDLE)p.s, &in[1].ov));
	EXPECT_TRUE(is_failure(take_packet(p.port, TIMEOUT_MS), &in[1], 0, 995));
	EXPECT_FALSE(CancelIoEx((HANDLE)p.s, &in[1].ov));
	EXPECT_EQ(GetLastError(), ERROR_NOT_FOUND);
	EXPECT_TRUE(stays_empty(p.port));
	EXPECT_TRUE(CancelIoEx((HANDLE)p.s, NULL));
	for (int i = 0; i < 3; i++) {
		struct taken t = take_packet(p.port, TIMEOUT_MS);

		EXPECT_FALSE(t.ret);
		EXPECT_EQ(t.error, 995);
		/* H22: of a send that was begun, what was taken. */
		if (t.ov == &out.ov)
			EXPECT_EQ(t.bytes, out.ov.InternalHigh);
	}
	EXPECT_TRUE(stays_empty(p.port));
	EXPECT_EQ(status(&in[0]), STATUS_CANCELLED);
	EXPECT_EQ(status(&in[2]), STATUS_CANCELLED);
	EXPECT_EQ(status(&out), STATUS_CANCELLED);
	EXPECT_EQ(status(&other), STATUS_PENDING);
	EXPECT_TRUE(is_empty(q.port));
	EXPECT_EQ(WSACleanup(), 0);
}

#define MANY 10000

TEST_F(iocp, D9__CancelIoEx_one_among_10000)
{
	static WSAOVERLAPPED ov[MANY];
	static OVERLAPPED_ENTRY entries[MANY];
	WSABUF buf = { .len = 16, .buf = big };
	DWORD flags = 0, got = 0;
	struct on_port p;
	struct taken t;
	ULONG n;

	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(datagram_on_port(&p));
	for (int i = 0; i < MANY; i++) {
		ASSERT_EQ(WSARecv(p.s, &buf, 1, NULL, &flags, &ov[i], NULL), -1);
		ASSERT_EQ(WSAGetLastError(), WSA_IO_PENDING);
	}
	EXPECT_TRUE(CancelIoEx((HANDLE)p.s, &ov[MANY / 2]));
	t = take_packet(p.port, TIMEOUT_MS);
	EXPECT_EQ(t.ov, &ov[MANY / 2]);
	EXPECT_EQ(t.error, 995);
	EXPECT_TRUE(stays_empty(p.port));
	EXPECT_EQ(queued(), MANY - 1);
	for (int i = 0; i < MANY; i++)
		ASSERT_EQ(ov[i].Internal, i == MANY / 2 ? STATUS_CANCELLED : STATUS_PENDING);
	EXPECT_TRUE(CancelIoEx((HANDLE)p.s, NULL));
	while (GetQueuedCompletionStatusEx(p.port, entries, MANY, &n, 0, FALSE))
		got += n;
	EXPECT_EQ(got, MANY - 1);
	for (int i = 0; i < MANY; i++)
		ASSERT_EQ(ov[i].Internal, STATUS_CANCELLED);
	EXPECT_EQ(WSACleanup(), 0);
}

/* A thread's end ends what it started, but not what goes to a port alone. */
TEST_F(iocp, D9__end_of_the_thread)
{
	struct caller c = { .call = call_start };
	struct starter st;
	WSAEVENT event = WSACreateEvent();
	struct on_port p;

	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(stream_on_port(&p));
	st = (struct starter){ .s = p.s };
	c.arg = &st;
	ASSERT_TRUE(caller_start(&c) && caller_join(&c));
	EXPECT_EQ(c.result, WSA_IO_PENDING);
	EXPECT_TRUE(stays_empty(p.port));
	EXPECT_EQ(status(&st.op), STATUS_PENDING);
	ASSERT_TRUE(send_to(p.peer, "hello"));
	EXPECT_TRUE(is_packet(take_packet(p.port, TIMEOUT_MS), &st.op, 5));
	EXPECT_EQ(memcmp(st.op.data, "hello", 5), 0);

	/* With an event it ends, and both learn of it. */
	st.event = event;
	c = (struct caller){ .call = call_start, .arg = &st };
	ASSERT_TRUE(caller_start(&c) && caller_join(&c));
	EXPECT_EQ(c.result, WSA_IO_PENDING);
	EXPECT_TRUE(becomes_signalled(event));
	EXPECT_TRUE(is_failure(take_packet(p.port, TIMEOUT_MS), &st.op, 0, 995));
	/* Without a packet too. */
	st.event = no_packet(NULL);
	c = (struct caller){ .call = call_start, .arg = &st };
	ASSERT_TRUE(caller_start(&c) && caller_join(&c));
	EXPECT_TRUE(wait_for(status(&st.op) == STATUS_CANCELLED));
	EXPECT_TRUE(stays_empty(p.port));
	/* And without a port. */
	ASSERT_EQ(stream_pair(&st.s, &p.peer), 0);
	st.event = NULL;
	c = (struct caller){ .call = call_start, .arg = &st };
	ASSERT_TRUE(caller_start(&c) && caller_join(&c));
	EXPECT_TRUE(wait_for(status(&st.op) == STATUS_CANCELLED));
	EXPECT_TRUE(stays_empty(p.port));
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- H2, C32: the final WSACleanup ---- */

TEST_F(iocp, H2__packets_outlive_the_cleanup)
{
	struct operation done, pending[2], fresh;
	struct on_port p;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(stream_on_port(&p));
	EXPECT_EQ(start_send(p.s, &done, NULL, "x", 1), 0);
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(start_recv(p.s, &pending[i], NULL, 16), WSA_IO_PENDING);
	ASSERT_EQ(WSACleanup(), 0);
	EXPECT_TRUE(cancelled_untouched(&pending[0], NULL));
	EXPECT_TRUE(cancelled_untouched(&pending[1], NULL));
	EXPECT_TRUE(is_packet(take_packet(p.port, 0), &done, 1));
	EXPECT_TRUE(is_failure(take_packet(p.port, 0), &pending[0], 0, 995));
	/* Also a new beginning takes nothing from it. */
	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_DGRAM);
	ASSERT_EQ(CreateIoCompletionPort((HANDLE)s, p.port, KEY, 0), p.port);
	ASSERT_EQ(datagram_to(s, "new", 3), 0);
	EXPECT_EQ(start_recv(s, &fresh, NULL, 16), 0);
	EXPECT_TRUE(is_failure(take_packet(p.port, 0), &pending[1], 0, 995));
	EXPECT_TRUE(is_packet(take_packet(p.port, 0), &fresh, 3));
	EXPECT_TRUE(stays_empty(p.port));
	EXPECT_EQ(WSACleanup(), 0);
}

/* An OVERLAPPED that is freed after WSACleanup is not touched by its packet. */
TEST_F(iocp, H11__memory_may_go_before_the_packet)
{
	struct operation *op = mmap(NULL, sizeof(*op), PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct on_port p;
	struct taken t;

	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(stream_on_port(&p));
	ASSERT_EQ(start_recv(p.s, op, NULL, 16), WSA_IO_PENDING);
	ASSERT_TRUE(send_to(p.peer, "data"));
	ASSERT_TRUE(data_arrived(p.s));
	ASSERT_EQ(WSACleanup(), 0);
	memset(op, POISON, sizeof(*op));
	t = take_packet(p.port, 0);
	EXPECT_EQ(t.ov, &op->ov);
	EXPECT_TRUE(all_poison(op, sizeof(*op)));
	EXPECT_TRUE(stays_empty(p.port));
}

static int call_take(struct caller *c)
{
	struct taken *t = c->arg;

	*t = take_packet((HANDLE)c->s, INFINITE);
	return t->ret;
}

TEST_F(iocp, C32__wakes_a_thread_at_the_port)
{
	struct taken t;
	struct caller c = { .call = call_take, .arg = &t };
	struct operation op;
	struct on_port p;

	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(stream_on_port(&p));
	ASSERT_EQ(start_recv(p.s, &op, NULL, 16), WSA_IO_PENDING);
	c.s = (SOCKET)p.port;
	ASSERT_TRUE(caller_start(&c) && caller_blocked(&c, SYS_ioctl));
	ASSERT_EQ(WSACleanup(), 0);
	ASSERT_TRUE(caller_join(&c));
	EXPECT_TRUE(is_failure(t, &op, 0, 995));
	EXPECT_TRUE(stays_empty(p.port));
}

/* Only the final one. */
TEST_F(iocp, C15__nested_cleanup_leaves_operations_pending)
{
	struct operation op;
	struct on_port p;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(stream_on_port(&p));
	ASSERT_EQ(start_recv(p.s, &op, NULL, 16), WSA_IO_PENDING);
	ASSERT_EQ(WSACleanup(), 0);
	EXPECT_TRUE(stays_empty(p.port));
	ASSERT_TRUE(send_to(p.peer, "hello"));
	EXPECT_TRUE(is_packet(take_packet(p.port, TIMEOUT_MS), &op, 5));
	ASSERT_EQ(WSACleanup(), 0);
	EXPECT_TRUE(is_empty(p.port));
}

TEST_HARNESS_MAIN
