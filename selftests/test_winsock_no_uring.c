// SPDX-License-Identifier: GPL-2.0
/*
 * The library where io_uring is forbidden: overlapped echoes, told in each way.
 */
#include "winsock.h"
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

TEST_HARNESS_MAIN
