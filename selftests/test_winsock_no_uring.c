// SPDX-License-Identifier: GPL-2.0
/*
 * The library where io_uring is forbidden: overlapped echoes, told in each way, and
 * what else waits or is told of an end.
 */
#include <ctype.h>

#include "winsock.h"
#include "nameserver.h"
#include "kselftest_harness.h"

#define KEY 11
#define ECHOES 50

static int io_uring_setup(void)
{
	char params[256] = { 0 };	/* more than struct io_uring_params */
	long fd = syscall(SYS_io_uring_setup, 4, params);

	return fd < 0 ? -errno : (int)fd;
}

static bool set_disabled(const char *value)
{
	int fd = open("/proc/sys/kernel/io_uring_disabled", O_WRONLY | O_CLOEXEC);
	bool done = write(fd, value, 1) == 1;

	close(fd);
	return done;
}

FIXTURE(no_uring)
{
	SOCKET s;
	int peer;
};

FIXTURE_SETUP(no_uring)
{
	ASSERT_TRUE(set_disabled("2"));
	ASSERT_EQ(io_uring_setup(), -EPERM);
	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&self->s, &self->peer), 0);
}

FIXTURE_TEARDOWN_PARENT(no_uring)
{
	EXPECT_TRUE(set_disabled("0"));
	EXPECT_TRUE(counters_zero());
}

/* Sends a number, and has it back, from an echo of the other end. */
static bool ask(int peer, int i)
{
	return send(peer, &i, sizeof(i), MSG_NOSIGNAL) == sizeof(i);
}

static bool answered(int peer, int i)
{
	int back = -1;

	return recv(peer, &back, sizeof(back), MSG_WAITALL) == sizeof(back) && back == i;
}

TEST_F(no_uring, by_event)
{
	WSAEVENT event = WSACreateEvent();
	struct operation in, out;
	DWORD bytes, flags;

	for (int i = 0; i < ECHOES; i++) {
		ASSERT_EQ(start_recv(self->s, &in, event, sizeof(i)), WSA_IO_PENDING);
		ASSERT_TRUE(ask(self->peer, i));
		ASSERT_TRUE(becomes_signalled(event));
		ASSERT_TRUE(WSAGetOverlappedResult(self->s, &in.ov, &bytes, FALSE, &flags));
		EXPECT_EQ(bytes, sizeof(i));
		ASSERT_EQ(start_send(self->s, &out, NULL, in.data, bytes), 0);
		ASSERT_TRUE(answered(self->peer, i));
	}
	ASSERT_EQ(start_recv(self->s, &in, event, 8), WSA_IO_PENDING);
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(status(&in), STATUS_CANCELLED);
	EXPECT_FALSE(signalled(event));
	EXPECT_EQ(io_uring_setup(), -EPERM);
}

static struct operation routine_op;
static SOCKET routine_socket;
static int echoed;

static void CALLBACK echo_back(DWORD error, DWORD bytes, LPWSAOVERLAPPED ov, DWORD flags)
{
	WSABUF buf = { .len = sizeof(int), .buf = routine_op.data };
	DWORD sent;

	if (error || bytes != sizeof(int) || ov != &routine_op.ov)
		return;
	flags = 0;
	if (!WSASend(routine_socket, &buf, 1, &sent, 0, NULL, NULL))
		echoed++;
	WSARecv(routine_socket, &buf, 1, NULL, &flags, ov, echo_back);
}

TEST_F(no_uring, by_routine)
{
	WSABUF buf = { .len = sizeof(int), .buf = routine_op.data };
	DWORD flags = 0;

	routine_socket = self->s;
	EXPECT_EQ(WSARecv(self->s, &buf, 1, NULL, &flags, &routine_op.ov, echo_back), -1);
	ASSERT_EQ(WSAGetLastError(), WSA_IO_PENDING);
	for (int i = 0; i < ECHOES; i++) {
		ASSERT_TRUE(ask(self->peer, i));
		ASSERT_EQ(SleepEx(TIMEOUT_MS, TRUE), WAIT_IO_COMPLETION);
		ASSERT_TRUE(answered(self->peer, i));
	}
	EXPECT_EQ(echoed, ECHOES);
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(status(&routine_op), STATUS_CANCELLED);
	EXPECT_EQ(io_uring_setup(), -EPERM);
}

TEST_F(no_uring, by_port)
{
	HANDLE port = CreateIoCompletionPort((HANDLE)self->s, NULL, KEY, 0);
	struct operation in, out;
	struct taken t;

	for (int i = 0; i < ECHOES; i++) {
		ASSERT_EQ(start_recv(self->s, &in, NULL, sizeof(i)), WSA_IO_PENDING);
		ASSERT_TRUE(ask(self->peer, i));
		t = take_packet(port, TIMEOUT_MS);
		ASSERT_TRUE(t.ret && t.ov == &in.ov && t.key == KEY && t.bytes == sizeof(i));
		ASSERT_EQ(start_send(self->s, &out, NULL, in.data, sizeof(i)), 0);
		t = take_packet(port, TIMEOUT_MS);
		ASSERT_TRUE(t.ret && t.ov == &out.ov);
		ASSERT_TRUE(answered(self->peer, i));
	}
	ASSERT_EQ(start_recv(self->s, &in, NULL, 8), WSA_IO_PENDING);
	EXPECT_EQ(WSACleanup(), 0);
	t = take_packet(port, TIMEOUT_MS);
	EXPECT_TRUE(!t.ret && t.ov == &in.ov && t.error == ERROR_OPERATION_ABORTED);
	EXPECT_TRUE(CloseHandle(port));
	EXPECT_EQ(io_uring_setup(), -EPERM);
}

static LRESULT CALLBACK procedure(HWND window, UINT message, WPARAM wparam, LPARAM lparam)
{
	return 0;
}

TEST_F(no_uring, by_message)
{
	HWND window = wsock_window_create(procedure);
	MSG msg;
	int n;

	ASSERT_EQ(WSAAsyncSelect(self->s, window, WM_USER, FD_READ), 0);
	for (int i = 0; i < ECHOES; i++) {
		ASSERT_TRUE(ask(self->peer, i));
		ASSERT_EQ(GetMessage(&msg, window, 0, 0), TRUE);
		ASSERT_EQ(msg.lParam, WSAMAKESELECTREPLY(FD_READ, 0));
		ASSERT_EQ(wsock_recv(self->s, (char *)&n, sizeof(n), 0), sizeof(n));
		ASSERT_EQ(wsock_send(self->s, (char *)&n, sizeof(n), 0), sizeof(n));
		ASSERT_TRUE(answered(self->peer, i));
	}
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_FALSE(PeekMessage(&msg, NULL, 0, 0, PM_REMOVE));
	EXPECT_EQ(io_uring_setup(), -EPERM);
}

TEST_F(no_uring, lookups)
{
	HWND window = wsock_window_create(procedure);
	_Alignas(8) char buf[MAXGETHOSTSTRUCT];
	HANDLE event = WSACreateEvent();
	ADDRINFOEXW *list = NULL;
	OVERLAPPED ov = { .hEvent = event };
	struct nameserver ns;
	MSG msg;

	ASSERT_TRUE(nameserver_start(&ns));
	EXPECT_NE(wsock_gethostbyname("one.test"), NULL);
	EXPECT_EQ(GetAddrInfoExW(u"one.test", NULL, NS_DNS, NULL, NULL, &list, NULL, &ov, NULL,
				 NULL), WSA_IO_PENDING);
	EXPECT_TRUE(becomes_signalled(event));
	EXPECT_EQ(GetAddrInfoExOverlappedResult(&ov), 0);
	EXPECT_NE(WSAAsyncGetHostByName(window, WM_USER, "one.test", buf, sizeof(buf)), NULL);
	ASSERT_EQ(GetMessage(&msg, window, 0, 0), TRUE);
	EXPECT_EQ(WSAGETASYNCERROR(msg.lParam), 0);
	EXPECT_NE(WSAAsyncGetHostByName(window, WM_USER, "later.test", buf, sizeof(buf)), NULL);
	ASSERT_TRUE(nameserver_holds(&ns, 1));
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_FALSE(PeekMessage(&msg, NULL, 0, 0, PM_REMOVE));
	EXPECT_EQ(io_uring_setup(), -EPERM);
}

static int CALLBACK accept_all(LPWSABUF caller, LPWSABUF caller_data, LPQOS sqos, LPQOS gqos,
			       LPWSABUF callee, LPWSABUF callee_data, GROUP *g, DWORD_PTR arg)
{
	return CF_ACCEPT;
}

static int hooked;

static INT_PTR CALLBACK hook(void)
{
	hooked++;
	return WSACancelBlockingCall();
}

TEST_F(no_uring, condition_and_hook)
{
	SOCKET l = listening_socket(), a;
	int peer = tcp_connect(local_port(l));
	char byte;

	a = WSAAccept(l, NULL, NULL, accept_all, 0);
	ASSERT_NE(a, INVALID_SOCKET);
	ASSERT_EQ(startup_version(1, 1), 0);
	EXPECT_NE(WSASetBlockingHook(hook), NULL);
	EXPECT_EQ(wsock_recv(a, &byte, 1, 0), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAEINTR);
	EXPECT_EQ(hooked, 1);
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(peer_end(peer), -ECONNRESET);
	EXPECT_EQ(io_uring_setup(), -EPERM);
}

TEST_HARNESS_MAIN
