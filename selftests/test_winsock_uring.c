// SPDX-License-Identifier: GPL-2.0
/*
 * Winsock's sockets on a program's own ring: wsock/uring.h, whatever kind of ring
 * it is.
 */
#include "winsock.h"
#include "uring.h"

#include <sys/un.h>
#include <wsock/uring.h>

#include "kselftest_harness.h"

FIXTURE(uring)
{
	int dev;
	int s[2];	/* adopted, and its peer */
	int u[2];	/* the same of datagrams */
	struct io_uring ring;
	WSAEVENT event;
	int event_fd;
	WSAOVERLAPPED ov;
	char buf[4096];
};

FIXTURE_VARIANT(uring)
{
	struct ring_kind kind;
};

FIXTURE_VARIANT_ADD(uring, default) { .kind = RING_DEFAULT };
FIXTURE_VARIANT_ADD(uring, coop_taskrun) { .kind = RING_COOP };
FIXTURE_VARIANT_ADD(uring, defer_taskrun) { .kind = RING_DEFER };
FIXTURE_VARIANT_ADD(uring, sqpoll) { .kind = RING_SQPOLL };

FIXTURE_SETUP(uring)
{
	ASSERT_EQ(startup(), 0);
	self->dev = wsock_device_fd();
	ASSERT_GE(self->dev, 0);
	ASSERT_EQ(self->dev, library_device());
	ASSERT_EQ(tcp_pair(self->s), 0);
	ASSERT_EQ(udp_pair(self->u), 0);
	ASSERT_EQ(wsock_adopt(self->s[0]), 0);
	ASSERT_EQ(wsock_adopt(self->u[0]), 0);
	ASSERT_EQ(ring_init(&self->ring, &variant->kind, 64), 0);
	self->event = WSACreateEvent();
	self->event_fd = wsock_event_fd(self->event);
	memset(&self->ov, POISON, sizeof(self->ov));
	memset(self->buf, POISON, sizeof(self->buf));
}

FIXTURE_TEARDOWN(uring)
{
	while (!WSACleanup())
		;
	EXPECT_TRUE(holds_nothing());
	io_uring_queue_exit(&self->ring);
}

/* The next entry, with @data before it is prepared: it must stay. */
static struct io_uring_sqe *next_sqe(FIXTURE_DATA(uring) *self, unsigned long data)
{
	struct io_uring_sqe *sqe = ring_sqe(&self->ring);

	/* What an earlier lap left in the entry. */
	memset(sqe, POISON, sizeof(*sqe));
	sqe->user_data = data;
	return sqe;
}

/* Submit, and see that it pends. */
static bool submit_pending(FIXTURE_DATA(uring) *self, int n)
{
	return io_uring_submit(&self->ring) == n && wait_for(queued() == n) &&
	       !ring_ready(&self->ring);
}

TEST_F(uring, recv__ready)
{
	unsigned long data;

	ASSERT_EQ(send(self->s[1], "hello", 5, 0), 5);
	wsock_prep_recv(next_sqe(self, 7), self->dev, self->s[0], self->buf, 100, 0);
	EXPECT_EQ(ring_wait(&self->ring, &data), 5);
	EXPECT_EQ(data, 7);
	EXPECT_EQ(memcmp(self->buf, "hello\xa5", 6), 0);
}

TEST_F(uring, recv__pending_with_status_and_event)
{
	struct io_uring_sqe *sqe = next_sqe(self, 8);
	unsigned long data;
	DWORD n, flags;

	EXPECT_TRUE(WSASetEvent(self->event));
	self->ov.hEvent = self->event;
	wsock_prep_recv(sqe, self->dev, self->s[0], self->buf, 100, 0);
	wsock_sqe_set_status(sqe, &self->ov);
	wsock_sqe_set_event(sqe, self->event_fd);
	EXPECT_EQ(self->ov.Internal, STATUS_PENDING);
	ASSERT_TRUE(submit_pending(self, 1));
	EXPECT_FALSE(signalled(self->event));
	EXPECT_FALSE(WSAGetOverlappedResult(self->s[0], &self->ov, &n, FALSE, &flags));
	EXPECT_EQ(WSAGetLastError(), WSA_IO_INCOMPLETE);
	ASSERT_EQ(send(self->s[1], "hello", 5, 0), 5);
	EXPECT_EQ(ring_wait(&self->ring, &data), 5);
	EXPECT_EQ(data, 8);
	EXPECT_TRUE(signalled(self->event));
	EXPECT_TRUE(WSAGetOverlappedResult(self->s[0], &self->ov, &n, FALSE, &flags));
	EXPECT_EQ(n, 5);
	EXPECT_EQ(self->ov.hEvent, self->event);
	EXPECT_EQ(memcmp(self->buf, "hello\xa5", 6), 0);
}

TEST_F(uring, recv__flags)
{
	wsock_prep_recv(next_sqe(self, 1), self->dev, self->s[0], self->buf, 4, MSG_WAITALL);
	ASSERT_TRUE(submit_pending(self, 1));
	ASSERT_EQ(send(self->s[1], "ab", 2, 0), 2);
	for (int i = 0; i < 20; i++, nap())
		EXPECT_EQ(ring_ready(&self->ring), 0);
	ASSERT_EQ(send(self->s[1], "cdef", 4, 0), 4);
	EXPECT_EQ(ring_wait(&self->ring, NULL), 4);
	wsock_prep_recv(next_sqe(self, 1), self->dev, self->s[0], self->buf, 1, MSG_PEEK);
	EXPECT_EQ(ring_wait(&self->ring, NULL), 1);
	wsock_prep_recv(next_sqe(self, 1), self->dev, self->s[0], self->buf + 4, 2, 0);
	EXPECT_EQ(ring_wait(&self->ring, NULL), 2);
	EXPECT_EQ(memcmp(self->buf, "ebcdef\xa5", 7), 0);
	wsock_prep_recv(next_sqe(self, 1), self->dev, self->s[0], self->buf, 1, MSG_DONTWAIT);
	EXPECT_EQ(ring_wait(&self->ring, NULL), -EINVAL);
}

TEST_F(uring, send__ready)
{
	char got[16];

	wsock_prep_send(next_sqe(self, 1), self->dev, self->s[0], "hello", 5, 0);
	EXPECT_EQ(ring_wait(&self->ring, NULL), 5);
	EXPECT_EQ(recv(self->s[1], got, sizeof(got), 0), 5);
	EXPECT_EQ(memcmp(got, "hello", 5), 0);
}

TEST_F(uring, msg__buffers_and_addresses)
{
	struct iovec in[2] = { { self->buf, 2 }, { self->buf + 10, 10 } };
	struct iovec out[2] = { { "an", 2 }, { "swer", 4 } };
	struct sockaddr_in from = {}, to = loopback(local_port(self->u[1]));
	struct wsock_msg msg = { .iov = (unsigned long)in, .iovlen = 2 };
	__s32 fromlen = 0;
	char got[16];

	msg.name = (unsigned long)&from;
	msg.namelen = sizeof(from);
	msg.namelen_out = (unsigned long)&fromlen;
	wsock_prep_recvmsg(next_sqe(self, 1), self->dev, self->u[0], &msg, 0);
	ASSERT_TRUE(submit_pending(self, 1));
	ASSERT_EQ(send(self->u[1], "abcdef", 6, 0), 6);
	EXPECT_EQ(ring_wait(&self->ring, NULL), 6);
	EXPECT_EQ(memcmp(self->buf, "ab\xa5", 3), 0);
	EXPECT_EQ(memcmp(self->buf + 10, "cdef\xa5", 5), 0);
	EXPECT_EQ(ntohs(from.sin_port), local_port(self->u[1]));
	EXPECT_EQ(fromlen, sizeof(from));

	msg = (struct wsock_msg){ .iov = (unsigned long)out, .iovlen = 2,
				  .name = (unsigned long)&to, .namelen = sizeof(to) };
	wsock_prep_sendmsg(next_sqe(self, 1), self->dev, self->u[0], &msg, 0);
	EXPECT_EQ(ring_wait(&self->ring, NULL), 6);
	EXPECT_EQ(recv(self->u[1], got, sizeof(got), 0), 6);
	EXPECT_EQ(memcmp(got, "answer", 6), 0);
}

/* One order with those of WSARecv. */
TEST_F(uring, fifo__with_WSARecv)
{
	struct operation op;

	wsock_prep_recv(next_sqe(self, 1), self->dev, self->s[0], self->buf, 2, 0);
	ASSERT_TRUE(submit_pending(self, 1));
	ASSERT_EQ(start_recv(self->s[0], &op, NULL, 2), WSA_IO_PENDING);
	wsock_prep_recv(next_sqe(self, 2), self->dev, self->s[0], self->buf + 2, 2, 0);
	ASSERT_EQ(io_uring_submit(&self->ring), 1);
	ASSERT_TRUE(wait_for(queued() == 3));
	ASSERT_EQ(send(self->s[1], "abcdef", 6, 0), 6);
	EXPECT_EQ(ring_wait(&self->ring, NULL), 2);
	EXPECT_EQ(ring_wait(&self->ring, NULL), 2);
	EXPECT_TRUE(wait_for(status(&op) == STATUS_SUCCESS));
	EXPECT_EQ(memcmp(self->buf, "abef\xa5", 5), 0);
	EXPECT_EQ(memcmp(op.data, "cd", 2), 0);
}

TEST_F(uring, cancel__by_status_block_and_by_name)
{
	struct io_uring_sqe *sqe = next_sqe(self, 1);
	unsigned long data;

	wsock_prep_recv(sqe, self->dev, self->s[0], self->buf, 2, 0);
	wsock_sqe_set_status(sqe, &self->ov);
	wsock_sqe_set_event(sqe, self->event_fd);
	sqe = next_sqe(self, 2);
	wsock_prep_recv(sqe, self->dev, self->s[0], self->buf, 2, 0);
	wsock_sqe_set_name(sqe, 4711);
	wsock_prep_recv(next_sqe(self, 3), self->dev, self->s[0], self->buf, 2, 0);
	ASSERT_TRUE(submit_pending(self, 3));
	EXPECT_TRUE(CancelIoEx((HANDLE)(long)self->s[0], (void *)4711));
	EXPECT_EQ(ring_wait(&self->ring, &data), -ECANCELED);
	EXPECT_EQ(data, 2);
	EXPECT_FALSE(CancelIoEx((HANDLE)(long)self->s[0], (void *)4711));
	EXPECT_TRUE(CancelIoEx((HANDLE)(long)self->s[0], &self->ov));
	EXPECT_EQ(ring_wait(&self->ring, &data), -ECANCELED);
	EXPECT_EQ(data, 1);
	EXPECT_TRUE(signalled(self->event));
	EXPECT_EQ(self->ov.Internal, STATUS_CANCELLED);
	/* The third is as it was. */
	ASSERT_EQ(send(self->s[1], "ab", 2, 0), 2);
	EXPECT_EQ(ring_wait(&self->ring, &data), 2);
	EXPECT_EQ(data, 3);
	EXPECT_EQ(ring_ready(&self->ring), 0);
}

TEST_F(uring, closesocket__ends_operations)
{
	struct io_uring_sqe *sqe = next_sqe(self, 1);

	wsock_prep_recv(sqe, self->dev, self->s[0], self->buf, 2, 0);
	wsock_sqe_set_event(sqe, self->event_fd);
	ASSERT_TRUE(submit_pending(self, 1));
	EXPECT_EQ(closesocket(self->s[0]), 0);
	EXPECT_EQ(ring_wait(&self->ring, NULL), -ECONNABORTED);
	EXPECT_TRUE(signalled(self->event));
	EXPECT_EQ(peer_end(self->s[1]), -ECONNRESET);
	EXPECT_EQ(fcntl(self->s[0], F_GETFD), -1);
}

static void *clean_up(void *unused)
{
	return (void *)(long)WSACleanup();
}

#define N_OPS	32

/* By another thread, which must not need the ring's. */
TEST_F(uring, C25__cleanup_of_another_thread_completes_each_once)
{
	WSAOVERLAPPED ov[N_OPS];
	int seen[N_OPS] = {}, fds[8][2];
	unsigned long data;
	pthread_t other;
	void *result;

	for (int i = 0; i < 8; i++) {
		ASSERT_EQ(tcp_pair(fds[i]), 0);
		ASSERT_EQ(wsock_adopt(fds[i][0]), 0);
	}
	for (int i = 0; i < N_OPS; i++) {
		struct io_uring_sqe *sqe = next_sqe(self, i);

		memset(&ov[i], POISON, sizeof(ov[i]));
		wsock_prep_recv(sqe, self->dev, fds[i / 4][0], self->buf + i * 64, 64, 0);
		wsock_sqe_set_status(sqe, &ov[i]);
		wsock_sqe_set_event(sqe, self->event_fd);
	}
	ASSERT_TRUE(submit_pending(self, N_OPS));
	ASSERT_EQ(pthread_create(&other, NULL, clean_up, NULL), 0);
	ASSERT_EQ(pthread_join(other, &result), 0);
	EXPECT_EQ(result, NULL);
	/* P4: the memory is ours, though nobody has looked at the ring. */
	for (int i = 0; i < N_OPS; i++) {
		EXPECT_EQ(ov[i].Internal, STATUS_CANCELLED);
		EXPECT_EQ(ov[i].InternalHigh, 0);
	}
	for (int i = 0; i < 8; i++) {
		EXPECT_EQ(send(fds[i][1], "late", 4, MSG_NOSIGNAL), -1);
		EXPECT_EQ(errno, ECONNRESET);
		EXPECT_EQ(fcntl(fds[i][0], F_GETFD), -1);
		close(fds[i][1]);
	}
	for (int i = 0; i < N_OPS; i++) {
		EXPECT_EQ(ring_wait(&self->ring, &data), -ECANCELED);
		ASSERT_LT(data, N_OPS);
		seen[data]++;
	}
	for (int i = 0; i < N_OPS; i++)
		EXPECT_EQ(seen[i], 1);
	EXPECT_FALSE(signalled(self->event));
	EXPECT_TRUE(all_poison(self->buf, sizeof(self->buf)));
	EXPECT_EQ(ring_ready(&self->ring), 0);
	wsock_prep_recv(next_sqe(self, 1), self->dev, self->s[1], self->buf, 2, 0);
	EXPECT_EQ(ring_wait(&self->ring, NULL), -EBADFD);
	EXPECT_EQ(peer_end(self->s[1]), -ECONNRESET);
	/* The device is the same in the next generation, and the ring goes on. */
	ASSERT_EQ(startup(), 0);
	EXPECT_EQ(wsock_device_fd(), self->dev);
	ASSERT_EQ(tcp_pair(fds[0]), 0);
	wsock_prep_recv(next_sqe(self, 1), self->dev, fds[0][0], self->buf, 2, 0);
	EXPECT_EQ(ring_wait(&self->ring, NULL), -ENOTSOCK);
	ASSERT_EQ(wsock_adopt(fds[0][0]), 0);
	wsock_prep_recv(next_sqe(self, 1), self->dev, fds[0][0], self->buf, 2, 0);
	ASSERT_EQ(send(fds[0][1], "ab", 2, 0), 2);
	EXPECT_EQ(ring_wait(&self->ring, NULL), 2);
}

TEST_F(uring, fixed_file__device)
{
	struct io_uring_sqe *sqe = next_sqe(self, 1);

	ASSERT_EQ(io_uring_register_files(&self->ring, &self->dev, 1), 0);
	ASSERT_EQ(send(self->s[1], "hello", 5, 0), 5);
	wsock_prep_recv(sqe, 0, self->s[0], self->buf, 100, 0);
	io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);
	EXPECT_EQ(ring_wait(&self->ring, NULL), 5);
}

/* ---- Native sockets ---- */

WINSOCK_FIXTURE(adopt);

#define REFUSED(fd, code) do {						\
	WSASetLastError(0);						\
	EXPECT_EQ(wsock_adopt(fd), SOCKET_ERROR) TH_LOG(#fd);		\
	EXPECT_EQ(WSAGetLastError(), code) TH_LOG(#fd);			\
} while (0)

TEST_F(adopt, errors)
{
	int unix_socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int udp = udp_socket(), dev;

	REFUSED(udp, WSANOTINITIALISED);
	dev = wsock_device_fd();
	EXPECT_EQ(dev, library_device());
	EXPECT_GE(dev, 0);
	ASSERT_EQ(startup(), 0);
	EXPECT_EQ(wsock_device_fd(), dev);
	REFUSED(-1, WSAENOTSOCK);
	REFUSED(9999, WSAENOTSOCK);
	REFUSED(wsock_device_fd(), WSAENOTSOCK);
	REFUSED(unix_socket, WSAEAFNOSUPPORT);
	set_param("max_sockets", "0");
	REFUSED(udp, WSAENOBUFS);
	set_param("max_sockets", "1048576");
	EXPECT_EQ(wsock_adopt(udp), 0);
	EXPECT_EQ(wsock_adopt(udp), 0);
	EXPECT_EQ(closesocket(udp), 0);
	REFUSED(udp, WSAENOTSOCK);
	ASSERT_EQ(WSACleanup(), 0);
	REFUSED(unix_socket, WSANOTINITIALISED);
	EXPECT_EQ(fcntl(unix_socket, F_GETFD), FD_CLOEXEC);
}

/* It is as if Winsock had made it. */
TEST_F(adopt, is_a_SOCKET)
{
	int fds[2], listener, l;
	struct sockaddr_in sin;
	struct operation op;
	SOCKET s;
	char c;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(tcp_pair(fds), 0);
	ASSERT_EQ(wsock_adopt(fds[0]), 0);
	EXPECT_EQ(wsock_send(fds[0], "x", 1, 0), 1);
	EXPECT_EQ(recv(fds[1], &c, 1, 0), 1);
	ASSERT_EQ(start_recv(fds[0], &op, NULL, 16), WSA_IO_PENDING);
	ASSERT_EQ(send(fds[1], "hello", 5, 0), 5);
	EXPECT_TRUE(wait_for(status(&op) == STATUS_SUCCESS));
	EXPECT_EQ(op.ov.InternalHigh, 5);
	EXPECT_EQ(wsock_shutdown(fds[0], SD_SEND), 0);
	EXPECT_EQ(wsock_send(fds[0], "x", 1, 0), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAESHUTDOWN);

	/* A listener; and one that does not wait, which its sockets inherit. */
	listener = tcp_listener();
	l = listener;
	sin = loopback(local_port(listener));
	ASSERT_EQ(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
	ASSERT_EQ(wsock_adopt(listener), 0);
	EXPECT_EQ(wsock_accept(listener, NULL, NULL), INVALID_SOCKET);
	EXPECT_EQ(WSAGetLastError(), WSAEWOULDBLOCK);
	s = wsock_socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(wsock_connect(s, sa(&sin), sizeof(sin)), 0);
	s = wsock_accept(listener, NULL, NULL);
	ASSERT_NE(s, INVALID_SOCKET);
	EXPECT_EQ(wsock_recv(s, &c, 1, 0), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAEWOULDBLOCK);

	ASSERT_EQ(WSACleanup(), 0);
	EXPECT_EQ(fcntl(fds[0], F_GETFD), -1);
	EXPECT_EQ(fcntl(l, F_GETFD), -1);
	/* It had its end of stream by the shutdown. */
	EXPECT_EQ(peer_end(fds[1]), 0);
}

/* A child has no registration, and another device. */
TEST_F(adopt, H13__fork)
{
	int fds[2], dev;
	pid_t pid;

	ASSERT_EQ(startup(), 0);
	dev = wsock_device_fd();
	ASSERT_GE(dev, 0);
	ASSERT_EQ(tcp_pair(fds), 0);
	pid = fork();
	if (!pid) {
		if (wsock_adopt(fds[0]) != -1 || WSAGetLastError() != WSANOTINITIALISED)
			_exit(1);
		if (wsock_device_fd() < 0 || startup() || wsock_adopt(fds[0]))
			_exit(2);
		_exit(0);
	}
	EXPECT_EQ(child_status(pid), 0);
	EXPECT_EQ(wsock_device_fd(), dev);
	EXPECT_EQ(peer_end(fds[1]), -ECONNRESET);
}

TEST_F(adopt, example__uring_echo)
{
	pid_t pid = fork();

	if (!pid) {
		execlp("uring-echo", "uring-echo", NULL);
		_exit(127);
	}
	EXPECT_EQ(child_status(pid), 0);
}

TEST_HARNESS_MAIN
