// SPDX-License-Identifier: GPL-2.0
/*
 * Completion routines (D.3, D.4, D.8, D.9, C30).
 */
#include "winsock.h"
#include "kselftest_harness.h"

WINSOCK_FIXTURE(routine);

/* What the routines of a test saw, in the order in which they ran. */
static struct {
	DWORD error, bytes, flags;
	LPWSAOVERLAPPED ov;
	pid_t tid;
} saw[256];
static int n_saw;

static void CALLBACK note(DWORD error, DWORD bytes, LPWSAOVERLAPPED ov, DWORD flags)
{
	int n = __atomic_load_n(&n_saw, __ATOMIC_SEQ_CST);

	if (n < 256) {
		saw[n].error = error;
		saw[n].bytes = bytes;
		saw[n].flags = flags;
		saw[n].ov = ov;
		saw[n].tid = gettid();
	}
	__atomic_store_n(&n_saw, n + 1, __ATOMIC_SEQ_CST);
}

/* Returns 0 or the error. */
static int recv_with(SOCKET s, struct operation *op, size_t len, HANDLE event,
		     LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
	WSABUF buf = { .len = len, .buf = op->data };

	operation_init(op, event);
	op->flags = 0;
	return WSARecv(s, &buf, 1, &op->bytes, &op->flags, &op->ov, routine) ?
	       WSAGetLastError() : 0;
}

static int recv_noted(SOCKET s, struct operation *op, size_t len)
{
	return recv_with(s, op, len, NULL, note);
}

static int send_noted(SOCKET s, struct operation *op, const char *data, size_t len)
{
	WSABUF buf = { .len = len, .buf = (char *)data };

	operation_init(op, NULL);
	return WSASend(s, &buf, 1, &op->bytes, 0, &op->ov, note) ? WSAGetLastError() : 0;
}

/* The one routine that ran since the last time. */
static bool ran(struct operation *op, DWORD error, DWORD bytes)
{
	bool is = n_saw == 1 && saw[0].ov == &op->ov && saw[0].error == error &&
		  saw[0].bytes == bytes;

	n_saw = 0;
	return is;
}

static bool runs(DWORD ms)
{
	return SleepEx(ms, TRUE) == WAIT_IO_COMPLETION;
}

static bool none_runs(void)
{
	return SleepEx(QUIET_MS, TRUE) == 0 && n_saw == 0;
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

static char big[16 << 20];

TEST_F(routine, D4__arguments)
{
	HANDLE event = WSACreateEvent();
	struct operation op;
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	/* hEvent is the program's: neither reset nor set, nor looked at. */
	EXPECT_TRUE(WSASetEvent(event));
	ASSERT_EQ(recv_with(s, &op, 16, event, note), WSA_IO_PENDING);
	EXPECT_TRUE(signalled(event));
	EXPECT_TRUE(WSAResetEvent(event));
	ASSERT_TRUE(send_to(peer, "hello"));
	EXPECT_TRUE(runs(INFINITE));
	EXPECT_FALSE(signalled(event));
	EXPECT_EQ(n_saw, 1);
	EXPECT_EQ(saw[0].flags, 0);
	EXPECT_EQ(saw[0].tid, gettid());
	EXPECT_TRUE(ran(&op, 0, 5));
	EXPECT_EQ(op.ov.Internal, STATUS_SUCCESS);
	EXPECT_EQ(op.ov.InternalHigh, 5);
	EXPECT_EQ(op.ov.hEvent, event);
	EXPECT_EQ(op.bytes, POISON_WORD);
	EXPECT_EQ(memcmp(op.data, "hello", 5), 0);
	ASSERT_EQ(recv_with(s, &op, 16, (HANDLE)POISON_LONG, note), WSA_IO_PENDING);
	ASSERT_TRUE(send_to(peer, "more"));
	EXPECT_TRUE(runs(INFINITE));
	EXPECT_TRUE(ran(&op, 0, 4));
	EXPECT_EQ(op.ov.hEvent, (HANDLE)POISON_LONG);
	EXPECT_TRUE(none_runs());
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(routine, D2__immediate_success_too)
{
	struct operation op[2];
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_TRUE(send_to(peer, "hello"));
	ASSERT_TRUE(data_arrived(s));
	EXPECT_EQ(recv_noted(s, &op[0], 16), 0);
	EXPECT_EQ(op[0].bytes, 5);
	EXPECT_EQ(op[0].ov.Internal, STATUS_SUCCESS);
	EXPECT_EQ(send_noted(s, &op[1], "abc", 3), 0);
	EXPECT_EQ(n_saw, 0);
	EXPECT_TRUE(runs(0));
	EXPECT_EQ(n_saw, 2);
	EXPECT_EQ(saw[0].ov, &op[0].ov);
	EXPECT_EQ(saw[0].bytes, 5);
	EXPECT_EQ(saw[1].ov, &op[1].ov);
	EXPECT_EQ(saw[1].bytes, 3);
	n_saw = 0;
	EXPECT_TRUE(none_runs());
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(routine, D2__immediate_failure_has_none)
{
	struct operation op;
	HANDLE port;
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	s = wsock_socket(AF_INET, SOCK_STREAM, 0);
	EXPECT_EQ(recv_noted(s, &op, 16), WSAENOTCONN);
	EXPECT_EQ(send_noted(s, &op, "x", 1), WSAENOTCONN);
	EXPECT_EQ(recv_noted(INVALID_SOCKET, &op, 16), WSAENOTSOCK);
	/* A port and a routine do not go together. */
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	port = CreateIoCompletionPort((HANDLE)s, NULL, 1, 0);
	ASSERT_NE(port, NULL);
	EXPECT_EQ(recv_noted(s, &op, 16), WSAEINVAL);
	EXPECT_EQ(send_noted(s, &op, "x", 1), WSAEINVAL);
	ASSERT_TRUE(send_to(peer, "x"));
	ASSERT_TRUE(data_arrived(s));
	EXPECT_EQ(recv_noted(s, &op, 16), WSAEINVAL);
	EXPECT_TRUE(none_runs());
	EXPECT_TRUE(is_none(take_packet(port, 0), WAIT_TIMEOUT));
	/* The data is still there. */
	EXPECT_EQ(wsock_recv(s, op.data, 16, 0), 1);
	EXPECT_EQ(WSACleanup(), 0);
}

/* Without an OVERLAPPED the call is synchronous and the routine ignored. */
TEST_F(routine, D1__without_overlapped)
{
	char data[16];
	WSABUF buf = { .len = 16, .buf = data };
	DWORD n, flags = 0;
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_TRUE(send_to(peer, "hello"));
	EXPECT_EQ(WSARecv(s, &buf, 1, &n, &flags, NULL, note), 0);
	EXPECT_EQ(n, 5);
	EXPECT_TRUE(none_runs());
	EXPECT_EQ(WSACleanup(), 0);
}

struct other {
	struct operation op;
	int wake[2];
};

/* Starts a receive, sleeps, and then waits alertably. */
static int call_start(struct caller *c)
{
	struct other *o = c->arg;
	char byte;

	if (recv_noted(c->s, &o->op, 16) != WSA_IO_PENDING || read(o->wake[0], &byte, 1) != 1)
		return -1;
	return SleepEx(QUIET_MS, TRUE);
}

TEST_F(routine, D4__only_where_it_was_started_and_alertably)
{
	struct other o;
	struct caller c = { .call = call_start, .arg = &o };
	HANDLE event = WSACreateEvent();
	struct operation op;
	int peer, peer2;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(pipe2(o.wake, O_CLOEXEC), 0);
	ASSERT_EQ(stream_pair(&c.s, &peer), 0);
	ASSERT_TRUE(caller_start(&c) && caller_blocked(&c, SYS_read));
	ASSERT_TRUE(send_to(peer, "x"));
	EXPECT_TRUE(wait_for(status(&o.op) == STATUS_SUCCESS));
	EXPECT_TRUE(none_runs());
	ASSERT_EQ(stream_pair(&s, &peer2), 0);
	ASSERT_EQ(recv_noted(s, &op, 16), WSA_IO_PENDING);
	ASSERT_TRUE(send_to(peer2, "x"));
	EXPECT_TRUE(wait_for(status(&op) == STATUS_SUCCESS));
	Sleep(QUIET_MS);
	EXPECT_EQ(SleepEx(1, FALSE), 0);
	EXPECT_EQ(WaitForSingleObject(event, 1), WAIT_TIMEOUT);
	EXPECT_EQ(WSAWaitForMultipleEvents(1, &event, FALSE, 1, FALSE), WSA_WAIT_TIMEOUT);
	EXPECT_EQ(n_saw, 0);
	EXPECT_EQ(WSAWaitForMultipleEvents(1, &event, FALSE, WSA_INFINITE, TRUE),
		  WSA_WAIT_IO_COMPLETION);
	EXPECT_TRUE(ran(&op, 0, 1));
	EXPECT_TRUE(tell(o.wake[1]));
	ASSERT_TRUE(caller_join(&c));
	EXPECT_EQ(c.result, WAIT_IO_COMPLETION);
	EXPECT_EQ(saw[0].tid, c.tid);
	EXPECT_TRUE(ran(&o.op, 0, 1));
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(routine, D4__all_run_before_the_wait_returns)
{
	HANDLE event = WSACreateEvent();
	struct operation op[8];
	int peer[8], seen = 0;
	SOCKET s[8];

	ASSERT_EQ(startup(), 0);
	for (int i = 0; i < 8; i++) {
		ASSERT_EQ(stream_pair(&s[i], &peer[i]), 0);
		ASSERT_EQ(recv_noted(s[i], &op[i], 16), WSA_IO_PENDING);
	}
	for (int i = 0; i < 8; i++) {
		ASSERT_TRUE(send_to(peer[i], "x"));
		EXPECT_TRUE(wait_for(status(&op[i]) == STATUS_SUCCESS));
	}
	EXPECT_EQ(n_saw, 0);
	EXPECT_EQ(WSAWaitForMultipleEvents(1, &event, FALSE, WSA_INFINITE, TRUE),
		  WSA_WAIT_IO_COMPLETION);
	EXPECT_EQ(n_saw, 8);
	for (int i = 0; i < 8; i++)
		seen |= 1 << ((struct operation *)saw[i].ov - op);
	EXPECT_EQ(seen, 0xff);
	n_saw = 0;
	EXPECT_TRUE(none_runs());
	EXPECT_EQ(WSACleanup(), 0);
}

/* An echo server in one thread, made of routines alone. */
static struct echo {
	struct operation op;
	SOCKET s;
	int sent;
} echo;

static void CALLBACK echo_received(DWORD error, DWORD bytes, LPWSAOVERLAPPED ov, DWORD flags);

static void CALLBACK echo_sent(DWORD error, DWORD bytes, LPWSAOVERLAPPED ov, DWORD flags)
{
	struct echo *e = (struct echo *)ov;

	note(error, bytes, ov, flags);
	e->sent++;
	recv_with(e->s, &e->op, 16, NULL, echo_received);
}

static void CALLBACK echo_received(DWORD error, DWORD bytes, LPWSAOVERLAPPED ov, DWORD flags)
{
	struct echo *e = (struct echo *)ov;
	WSABUF buf = { .len = bytes, .buf = e->op.data };

	note(error, bytes, ov, flags);
	if (!error && bytes)
		WSASend(e->s, &buf, 1, NULL, 0, ov, echo_sent);
}

TEST_F(routine, D4__a_routine_starts_the_next_operation)
{
	char data[4];
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&echo.s, &peer), 0);
	ASSERT_EQ(recv_with(echo.s, &echo.op, 16, NULL, echo_received), WSA_IO_PENDING);
	for (int i = 1; i <= 50; i++) {
		ASSERT_TRUE(send_to(peer, "ping"));
		while (echo.sent < i)
			ASSERT_TRUE(runs(TIMEOUT_MS));
		ASSERT_EQ(recv(peer, data, 4, MSG_WAITALL), 4);
		EXPECT_EQ(memcmp(data, "ping", 4), 0);
	}
	EXPECT_EQ(n_saw, 100);
	close(peer);
	EXPECT_TRUE(runs(TIMEOUT_MS));
	EXPECT_EQ(n_saw, 101);
	EXPECT_EQ(saw[100].bytes, 0);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(routine, D4__sends_and_datagrams)
{
	static char sink[1 << 16];
	struct sockaddr_in from = { 0 }, to;
	int fromlen = sizeof(from), peer;
	size_t left = sizeof(big);
	struct operation op;
	WSABUF buf = { .len = 16, .buf = op.data };
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(send_noted(s, &op, big, sizeof(big)), WSA_IO_PENDING);
	EXPECT_TRUE(none_runs());
	/* The thread has to come by for the rest to be sent. */
	while (left) {
		ssize_t n = recv(peer, sink, sizeof(sink), MSG_DONTWAIT);

		if (n < 0)
			SleepEx(1, TRUE);
		else
			left -= n;
	}
	if (!n_saw)
		EXPECT_TRUE(runs(TIMEOUT_MS));
	EXPECT_TRUE(ran(&op, 0, sizeof(big)));

	s = bound_socket(SOCK_DGRAM);
	to = loopback(local_port(s));
	operation_init(&op, NULL);
	op.flags = 0;
	EXPECT_EQ(WSARecvFrom(s, &buf, 1, NULL, &op.flags, sa(&from), &fromlen, &op.ov, note),
		  -1);
	EXPECT_EQ(WSAGetLastError(), WSA_IO_PENDING);
	ASSERT_EQ(wsock_sendto(s, "hello", 5, 0, sa(&to), sizeof(to)), 5);
	EXPECT_TRUE(runs(TIMEOUT_MS));
	EXPECT_TRUE(ran(&op, 0, 5));
	EXPECT_EQ(fromlen, sizeof(from));
	EXPECT_EQ(from.sin_port, to.sin_port);
	EXPECT_EQ(WSASendTo(s, &buf, 1, NULL, 0, sa(&to), sizeof(to), &op.ov, note), 0);
	EXPECT_TRUE(runs(0));
	EXPECT_TRUE(ran(&op, 0, 16));
	EXPECT_EQ(wsock_recv(s, op.data, 16, 0), 16);
	/* Cut: not quite a failure. */
	ASSERT_EQ(datagram_to(s, "too long", 8), 0);
	EXPECT_EQ(recv_noted(s, &op, 3), WSAEMSGSIZE);
	EXPECT_TRUE(runs(0));
	EXPECT_TRUE(ran(&op, WSAEMSGSIZE, 3));
	ASSERT_EQ(recv_noted(s, &op, 3), WSA_IO_PENDING);
	ASSERT_EQ(datagram_to(s, "too long", 8), 0);
	EXPECT_TRUE(runs(TIMEOUT_MS));
	EXPECT_TRUE(ran(&op, WSAEMSGSIZE, 3));
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- D.8, D.9: those that fail ---- */

TEST_F(routine, D9__failed_operations)
{
	struct linger abort = { .l_onoff = 1 };
	struct operation op;
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(recv_noted(s, &op, 16), WSA_IO_PENDING);
	EXPECT_TRUE(CancelIoEx((HANDLE)s, &op.ov));
	EXPECT_TRUE(runs(TIMEOUT_MS));
	EXPECT_TRUE(ran(&op, WSA_OPERATION_ABORTED, 0));
	ASSERT_EQ(recv_noted(s, &op, 16), WSA_IO_PENDING);
	EXPECT_TRUE(CancelIo((HANDLE)s));
	EXPECT_TRUE(runs(TIMEOUT_MS));
	EXPECT_TRUE(ran(&op, WSA_OPERATION_ABORTED, 0));
	ASSERT_EQ(recv_noted(s, &op, 16), WSA_IO_PENDING);
	ASSERT_EQ(setsockopt(peer, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort)), 0);
	close(peer);
	EXPECT_TRUE(runs(TIMEOUT_MS));
	EXPECT_TRUE(ran(&op, WSAECONNRESET, 0));
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(recv_noted(s, &op, 16), WSA_IO_PENDING);
	ASSERT_EQ(closesocket(s), 0);
	EXPECT_TRUE(runs(TIMEOUT_MS));
	EXPECT_TRUE(ran(&op, WSAECONNABORTED, 0));
	s = bound_socket(SOCK_DGRAM);
	ASSERT_EQ(recv_noted(s, &op, 16), WSA_IO_PENDING);
	ASSERT_EQ(closesocket(s), 0);
	EXPECT_TRUE(runs(TIMEOUT_MS));
	EXPECT_TRUE(ran(&op, WSA_OPERATION_ABORTED, 0));
	EXPECT_TRUE(none_runs());
	EXPECT_EQ(WSACleanup(), 0);
}

static int call_start_and_end(struct caller *c)
{
	struct operation *op = c->arg;

	return recv_noted(c->s, op, 16);
}

TEST_F(routine, D9__thread_that_has_ended)
{
	struct operation op;
	struct caller c = { .call = call_start_and_end, .arg = &op };
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&c.s, &peer), 0);
	ASSERT_TRUE(caller_start(&c) && caller_join(&c));
	EXPECT_EQ(c.result, WSA_IO_PENDING);
	EXPECT_TRUE(wait_for(status(&op) == STATUS_CANCELLED));
	/* Nor when there was data, and it was queued. */
	ASSERT_TRUE(send_to(peer, "hello"));
	ASSERT_TRUE(data_arrived(c.s));
	c = (struct caller){ .call = call_start_and_end, .arg = &op, .s = c.s };
	ASSERT_TRUE(caller_start(&c) && caller_join(&c));
	EXPECT_EQ(c.result, 0);
	EXPECT_TRUE(none_runs());
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- C30: the final WSACleanup ---- */

TEST_F(routine, C30__neither_pending_nor_queued_ones_run)
{
	struct operation pending, queued_one, fresh;
	int peer, peer2;
	SOCKET s, s2;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(stream_pair(&s2, &peer2), 0);
	ASSERT_EQ(recv_noted(s, &pending, 16), WSA_IO_PENDING);
	ASSERT_EQ(recv_noted(s2, &queued_one, 16), WSA_IO_PENDING);
	ASSERT_TRUE(send_to(peer2, "x"));
	EXPECT_TRUE(wait_for(status(&queued_one) == STATUS_SUCCESS));
	ASSERT_EQ(WSACleanup(), 0);
	EXPECT_TRUE(cancelled_untouched(&pending, NULL));
	EXPECT_TRUE(none_runs());
	/* Memory is the program's again. */
	memset(&queued_one, POISON, sizeof(queued_one));
	ASSERT_EQ(startup(), 0);
	EXPECT_TRUE(none_runs());
	/* Those of the new time do. */
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(recv_noted(s, &fresh, 16), WSA_IO_PENDING);
	ASSERT_TRUE(send_to(peer, "hello"));
	EXPECT_TRUE(runs(TIMEOUT_MS));
	EXPECT_TRUE(ran(&fresh, 0, 5));
	EXPECT_EQ(WSACleanup(), 0);
}

/* Neither before nor after the new WSAStartup was there a wait. */
TEST_F(routine, C30__queued_ones_do_not_survive_into_a_new_time)
{
	struct operation op;
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	EXPECT_EQ(send_noted(s, &op, "x", 1), 0);
	ASSERT_EQ(WSACleanup(), 0);
	ASSERT_EQ(startup(), 0);
	EXPECT_TRUE(none_runs());
	EXPECT_EQ(WSACleanup(), 0);
}

static int call_start_and_wait(struct caller *c)
{
	struct other *o = c->arg;

	if (recv_noted(c->s, &o->op, 16) != WSA_IO_PENDING)
		return -1;
	return SleepEx(1000, TRUE);
}

TEST_F(routine, C30__cleanup_wakes_no_alertable_wait)
{
	struct other o;
	struct caller c = { .call = call_start_and_wait, .arg = &o };
	double begin;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&c.s, &peer), 0);
	begin = now_ms();
	ASSERT_TRUE(caller_start(&c));
	ASSERT_TRUE(wait_for(status(&o.op) == STATUS_PENDING && queued() == 1));
	ASSERT_EQ(WSACleanup(), 0);
	EXPECT_EQ(status(&o.op), STATUS_CANCELLED);
	ASSERT_TRUE(caller_join(&c));
	EXPECT_EQ(c.result, 0);
	EXPECT_GE(c.returned - begin, 1000);
	EXPECT_EQ(n_saw, 0);
}

static SOCKET own;
static int result, next_error;

static void CALLBACK clean_up(DWORD error, DWORD bytes, LPWSAOVERLAPPED ov, DWORD flags)
{
	note(error, bytes, ov, flags);
	result = WSACleanup();
	wsock_socket(AF_INET, SOCK_STREAM, 0);
	next_error = WSAGetLastError();
}

/* H9: allowed; what is queued behind it does not run any more. */
TEST_F(routine, H9__routine_that_cleans_up)
{
	struct operation op[3];
	int peer, peer2;
	SOCKET s, s2;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(stream_pair(&s2, &peer2), 0);
	ASSERT_TRUE(send_to(peer, "x"));
	ASSERT_TRUE(data_arrived(s));
	EXPECT_EQ(recv_with(s, &op[0], 16, NULL, clean_up), 0);
	EXPECT_EQ(send_noted(s, &op[1], "x", 1), 0);
	ASSERT_EQ(recv_noted(s2, &op[2], 16), WSA_IO_PENDING);
	EXPECT_TRUE(runs(TIMEOUT_MS));
	EXPECT_EQ(result, 0);
	EXPECT_EQ(next_error, WSANOTINITIALISED);
	EXPECT_TRUE(ran(&op[0], 0, 1));
	EXPECT_EQ(status(&op[2]), STATUS_CANCELLED);
	EXPECT_TRUE(none_runs());
	EXPECT_TRUE(holds_nothing());
}

static void CALLBACK close_own(DWORD error, DWORD bytes, LPWSAOVERLAPPED ov, DWORD flags)
{
	note(error, bytes, ov, flags);
	result = closesocket(own);
}

TEST_F(routine, D9__routine_that_closes_its_socket)
{
	struct operation op[3];
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&own, &peer), 0);
	ASSERT_EQ(recv_with(own, &op[0], 1, NULL, close_own), WSA_IO_PENDING);
	ASSERT_EQ(recv_noted(own, &op[1], 1), WSA_IO_PENDING);
	ASSERT_TRUE(send_to(peer, "x"));
	EXPECT_TRUE(runs(TIMEOUT_MS));
	EXPECT_EQ(result, 0);
	/* The other one's routine is queued by it, and runs in the same wait. */
	EXPECT_EQ(n_saw, 2);
	EXPECT_EQ(saw[0].ov, &op[0].ov);
	EXPECT_EQ(saw[0].error, 0);
	EXPECT_EQ(saw[1].ov, &op[1].ov);
	EXPECT_EQ(saw[1].error, WSAECONNABORTED);
	EXPECT_EQ(recv_noted(own, &op[2], 1), WSAENOTSOCK);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_HARNESS_MAIN
