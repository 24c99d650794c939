// SPDX-License-Identifier: GPL-2.0
/*
 * Operations as commands of io_uring: the same lifecycle, delivered to the ring
 * that submitted them, whatever kind of ring it is.
 */
#include "uring.h"
#include "addresses.h"
#include "kselftest_harness.h"

FIXTURE(ring)
{
	int dev;
	int s[2];
	int u[2];
	int event;
	struct io_uring ring;
	char buf[4096];
	struct ov ov;
};

FIXTURE_VARIANT(ring)
{
	struct ring_kind kind;
};

FIXTURE_VARIANT_ADD(ring, default) { .kind = RING_DEFAULT };
FIXTURE_VARIANT_ADD(ring, coop_taskrun) { .kind = RING_COOP };
FIXTURE_VARIANT_ADD(ring, defer_taskrun) { .kind = RING_DEFER };
FIXTURE_VARIANT_ADD(ring, sqpoll) { .kind = RING_SQPOLL };

FIXTURE_SETUP(ring)
{
	self->dev = dev_started();
	ASSERT_GE(self->dev, 0);
	ASSERT_EQ(tcp_pair(self->s), 0);
	ASSERT_EQ(udp_pair(self->u), 0);
	ASSERT_EQ(dev_adopt(self->dev, self->s[0]), 0);
	ASSERT_EQ(dev_adopt(self->dev, self->u[0]), 0);
	ASSERT_EQ(ring_init(&self->ring, &variant->kind, 64), 0);
	self->event = new_event();
	memset(self->buf, 0xa5, sizeof(self->buf));
}

FIXTURE_TEARDOWN(ring)
{
	io_uring_queue_exit(&self->ring);
	close(self->s[1]);
	close(self->u[1]);
	close(self->event);
	close(self->dev);
	EXPECT_TRUE(counters_zero());
	close(self->s[0]);
	close(self->u[0]);
}

#define PREP(op, fd, addr, len, ov, event, data) do {				\
	struct io_uring_sqe *sqe = ring_sqe(&self->ring);		\
										\
	prep_wsock(sqe, self->dev, op, fd, addr, len, ov, event, 0);		\
	sqe->user_data = data;							\
} while (0)

/* Until the kernel has taken what was submitted, also with a polling thread. */
static bool queued(int dev, long n)
{
	for (int i = 0; i < TIMEOUT_MS; i++) {
		if (fdinfo(dev, "queued") == n)
			return true;
		usleep(1000);
	}
	return false;
}

TEST_F(ring, recv__ready)
{
	unsigned long data;

	ASSERT_EQ(send(self->s[1], "hello", 5, 0), 5);
	PREP(WSOCK_OP_RECV, self->s[0], self->buf, 100, &self->ov, -1, 7);
	EXPECT_EQ(ring_wait(&self->ring, &data), 5);
	EXPECT_EQ(data, 7);
	EXPECT_EQ(ov_status(&self->ov), STATUS_SUCCESS);
	EXPECT_EQ(self->ov.st.internal_high, 5);
	EXPECT_EQ(memcmp(self->buf, "hello\xa5", 6), 0);
}

TEST_F(ring, notify__success_and_failure)
{
	unsigned long data;

	for (int err = 0; err <= EOPNOTSUPP; err += EOPNOTSUPP) {
		struct io_uring_sqe *sqe = ring_sqe(&self->ring);

		prep_wsock(sqe, self->dev, WSOCK_OP_NOTIFY, self->s[0], NULL, 0, &self->ov,
			   self->event, err);
		sqe->user_data = err;
		ASSERT_EQ(io_uring_submit(&self->ring), 1);
		EXPECT_EQ(ring_wait(&self->ring, &data), -err);
		EXPECT_EQ(data, err);
		EXPECT_EQ(ov_status(&self->ov), err ? 0xc00000bbu : STATUS_SUCCESS);
		EXPECT_TRUE(event_is_set(self->event));
	}
	EXPECT_EQ(ring_ready(&self->ring), 0);
}

TEST_F(ring, addresses__change_and_end)
{
	unsigned long data;

	PREP(WSOCK_OP_ADDRESSES, self->u[0], NULL, 0, &self->ov, self->event, 9);
	ASSERT_EQ(io_uring_submit(&self->ring), 1);
	ASSERT_TRUE(queued(self->dev, 1));
	ASSERT_TRUE(address_change(AF_INET));
	EXPECT_EQ(ring_wait(&self->ring, &data), 0);
	EXPECT_EQ(data, 9);
	EXPECT_EQ(ov_status(&self->ov), STATUS_SUCCESS);
	EXPECT_TRUE(event_is_set(self->event));
	/* The ring ends with one pending. */
	PREP(WSOCK_OP_ADDRESSES, self->u[0], NULL, 0, &self->ov, -1, 10);
	ASSERT_EQ(io_uring_submit(&self->ring), 1);
	ASSERT_TRUE(queued(self->dev, 1));
}

TEST_F(ring, recv__pending)
{
	unsigned long data;

	PREP(WSOCK_OP_RECV, self->s[0], self->buf, 100, &self->ov, self->event, 8);
	ASSERT_EQ(io_uring_submit(&self->ring), 1);
	ASSERT_TRUE(queued(self->dev, 1));
	EXPECT_EQ(ring_ready(&self->ring), 0);
	ASSERT_EQ(send(self->s[1], "hello", 5, 0), 5);
	EXPECT_EQ(ring_wait(&self->ring, &data), 5);
	EXPECT_EQ(data, 8);
	EXPECT_EQ(ov_status(&self->ov), STATUS_SUCCESS);
	EXPECT_TRUE(event_is_set(self->event));
	EXPECT_EQ(memcmp(self->buf, "hello\xa5", 6), 0);
	EXPECT_TRUE(ov_intact(&self->ov));
}

TEST_F(ring, recv__fifo_32)
{
	unsigned long data;

	for (int i = 0; i < 32; i++)
		PREP(WSOCK_OP_RECV, self->s[0], self->buf + i, 1, NULL, -1, i);
	ASSERT_EQ(io_uring_submit(&self->ring), 32);
	ASSERT_TRUE(queued(self->dev, 32));
	ASSERT_EQ(send(self->s[1], "abcdefghijklmnopqrstuvwxyz012345", 32, 0), 32);
	for (int i = 0; i < 32; i++)
		EXPECT_EQ(ring_wait(&self->ring, &data), 1);
	EXPECT_EQ(memcmp(self->buf, "abcdefghijklmnopqrstuvwxyz012345\xa5", 33), 0);
	EXPECT_EQ(ring_ready(&self->ring), 0);
}

TEST_F(ring, send__all_or_nothing)
{
	size_t before = fill(self->s[0]), len = 1 << 20, got = 0;
	char *big = calloc(1, len), *sink = malloc(65536);
	ssize_t n;

	PREP(WSOCK_OP_SEND, self->s[0], big, len, NULL, -1, 1);
	ASSERT_EQ(io_uring_submit(&self->ring), 1);
	ASSERT_TRUE(queued(self->dev, 1));
	while (got < before + len) {
		io_uring_get_events(&self->ring);	/* DEFER_TASKRUN sends here */
		n = recv(self->s[1], sink, 65536, MSG_DONTWAIT);
		if (n < 0) {
			ASSERT_EQ(errno, EAGAIN);
			continue;
		}
		ASSERT_GT(n, 0);
		got += n;
	}
	EXPECT_EQ(ring_wait(&self->ring, NULL), (int)len);
	free(big);
	free(sink);
}

TEST_F(ring, datagram__truncated)
{
	PREP(WSOCK_OP_RECV, self->u[0], self->buf, 3, &self->ov, -1, 1);
	ASSERT_EQ(io_uring_submit(&self->ring), 1);
	ASSERT_TRUE(queued(self->dev, 1));
	ASSERT_EQ(send(self->u[1], "hello", 5, 0), 5);
	EXPECT_EQ(ring_wait(&self->ring, NULL), -EMSGSIZE);
	EXPECT_EQ(self->ov.st.internal_high, 3);
	EXPECT_EQ(ov_status(&self->ov), STATUS_BUFFER_OVERFLOW);
}

TEST_F(ring, recvmsg__pending)
{
	struct iovec iov[2] = { { self->buf, 2 }, { self->buf + 10, 10 } };
	struct wsock_msg msg = { .iov = (unsigned long)iov, .iovlen = 2 };
	struct sockaddr_in from = {};

	msg.name = (unsigned long)&from;
	msg.namelen = sizeof(from);
	PREP(WSOCK_OP_RECVMSG, self->u[0], &msg, sizeof(msg), NULL, -1, 1);
	ASSERT_EQ(io_uring_submit(&self->ring), 1);
	ASSERT_TRUE(queued(self->dev, 1));
	ASSERT_EQ(send(self->u[1], "abcdef", 6, 0), 6);
	EXPECT_EQ(ring_wait(&self->ring, NULL), 6);
	EXPECT_EQ(memcmp(self->buf + 10, "cdef\xa5", 5), 0);
	EXPECT_EQ(ntohs(from.sin_port), local_port(self->u[1]));
}

TEST_F(ring, cancel__one)
{
	PREP(WSOCK_OP_RECV, self->s[0], self->buf, 3, &self->ov, self->event, 1);
	ASSERT_EQ(io_uring_submit(&self->ring), 1);
	ASSERT_TRUE(queued(self->dev, 1));
	EXPECT_EQ(dev_cancel(self->dev, self->s[0], &self->ov.st), 1);
	EXPECT_EQ(ov_status(&self->ov), STATUS_CANCELLED);
	EXPECT_TRUE(event_is_set(self->event));
	EXPECT_EQ(ring_wait(&self->ring, NULL), -ECANCELED);
	EXPECT_EQ(ring_ready(&self->ring), 0);
}

TEST_F(ring, C25__cleanup_cancels)
{
	PREP(WSOCK_OP_RECV, self->s[0], self->buf, 3, &self->ov, self->event, 1);
	PREP(WSOCK_OP_RECV, self->u[0], self->buf, 3, NULL, -1, 2);
	ASSERT_EQ(io_uring_submit(&self->ring), 2);
	ASSERT_TRUE(queued(self->dev, 2));
	EXPECT_EQ(dev_cleanup(self->dev), 1);
	EXPECT_EQ(ov_status(&self->ov), STATUS_CANCELLED);
	EXPECT_FALSE(event_is_set(self->event));
	EXPECT_EQ(ring_wait(&self->ring, NULL), -ECANCELED);
	EXPECT_EQ(ring_wait(&self->ring, NULL), -ECANCELED);
	EXPECT_EQ(ring_ready(&self->ring), 0);
	EXPECT_EQ(peer_end(self->s[1]), -ECONNRESET);
	PREP(WSOCK_OP_RECV, self->s[0], self->buf, 3, NULL, -1, 3);
	EXPECT_EQ(ring_wait(&self->ring, NULL), -EBADFD);
}

TEST_F(ring, C25__cleanup_cancels_with_data_waiting)
{
	/* Scheduled, and in a DEFER_TASKRUN ring not executed yet. */
	PREP(WSOCK_OP_RECV, self->s[0], self->buf, 3, &self->ov, self->event, 1);
	ASSERT_EQ(io_uring_submit(&self->ring), 1);
	ASSERT_TRUE(queued(self->dev, 1));
	ASSERT_EQ(send(self->s[1], "abc", 3, 0), 3);
	EXPECT_EQ(dev_cleanup(self->dev), 1);
	if (variant->kind.flags & IORING_SETUP_DEFER_TASKRUN) {
		EXPECT_EQ(ov_status(&self->ov), STATUS_CANCELLED);
		EXPECT_EQ(memcmp(self->buf, "\xa5\xa5", 2), 0);
		EXPECT_FALSE(event_is_set(self->event));
		EXPECT_EQ(ring_wait(&self->ring, NULL), -ECANCELED);
		EXPECT_EQ(memcmp(self->buf, "\xa5\xa5", 2), 0);
	} else {
		int ret = ring_wait(&self->ring, NULL);

		EXPECT_EQ(ret == 3 ? STATUS_SUCCESS : STATUS_CANCELLED, ov_status(&self->ov));
		EXPECT_TRUE(ret == 3 || ret == -ECANCELED);
	}
	EXPECT_EQ(ring_ready(&self->ring), 0);
}

TEST_F(ring, closesocket__ends_operations)
{
	PREP(WSOCK_OP_RECV, self->s[0], self->buf, 3, &self->ov, self->event, 1);
	ASSERT_EQ(io_uring_submit(&self->ring), 1);
	ASSERT_TRUE(queued(self->dev, 1));
	EXPECT_EQ(dev_closesocket(self->dev, self->s[0]), 0);
	EXPECT_EQ(ring_wait(&self->ring, NULL), -ECONNABORTED);
	EXPECT_TRUE(event_is_set(self->event));
}

TEST_F(ring, ring_exit__ends_operations)
{
	PREP(WSOCK_OP_RECV, self->s[0], self->buf, 3, &self->ov, -1, 1);
	ASSERT_EQ(io_uring_submit(&self->ring), 1);
	ASSERT_TRUE(queued(self->dev, 1));
	io_uring_queue_exit(&self->ring);
	/* The ring goes in its own time; the operation ends with it. */
	EXPECT_EQ(dev_wait(self->dev, &self->ov.st, TIMEOUT_MS), 0);
	EXPECT_EQ(ov_status(&self->ov), STATUS_CANCELLED);
	EXPECT_EQ(send(self->s[1], "abc", 3, 0), 3);
	ASSERT_EQ(ring_init(&self->ring, &variant->kind, 64), 0);
	PREP(WSOCK_OP_RECV, self->s[0], self->buf, 3, NULL, -1, 2);
	EXPECT_EQ(ring_wait(&self->ring, NULL), 3);
}

TEST_F(ring, close_device__with_operations_pending)
{
	PREP(WSOCK_OP_RECV, self->s[0], self->buf, 3, &self->ov, -1, 1);
	ASSERT_EQ(io_uring_submit(&self->ring), 1);
	ASSERT_TRUE(queued(self->dev, 1));
	/* The command holds the file, but not the descriptor. */
	ASSERT_EQ(close(self->dev), 0);
	EXPECT_EQ(ov_status(&self->ov), STATUS_CANCELLED);
	EXPECT_EQ(ring_wait(&self->ring, NULL), -ECANCELED);
	EXPECT_EQ(peer_end(self->s[1]), -ECONNRESET);
	self->dev = -1;
}

TEST_F(ring, fixed_file__device)
{
	ASSERT_EQ(io_uring_register_files(&self->ring, &self->dev, 1), 0);
	ASSERT_EQ(send(self->s[1], "hello", 5, 0), 5);
	PREP(WSOCK_OP_RECV, self->s[0], self->buf, 100, NULL, -1, 1);
	self->ring.sq.sqes[(self->ring.sq.sqe_tail - 1) & self->ring.sq.ring_mask].fd = 0;
	self->ring.sq.sqes[(self->ring.sq.sqe_tail - 1) & self->ring.sq.ring_mask].flags =
		IOSQE_FIXED_FILE;
	EXPECT_EQ(ring_wait(&self->ring, NULL), 5);
}

TEST_F(ring, async__forced)
{
	/* Through a worker of io_uring from the start. */
	struct io_uring_sqe *sqe = ring_sqe(&self->ring);

	prep_wsock(sqe, self->dev, WSOCK_OP_RECV, self->s[0], self->buf, 100, &self->ov, -1, 0);
	sqe->flags = IOSQE_ASYNC;
	ASSERT_EQ(io_uring_submit(&self->ring), 1);
	ASSERT_TRUE(queued(self->dev, 1));
	ASSERT_EQ(send(self->s[1], "hello", 5, 0), 5);
	EXPECT_EQ(ring_wait(&self->ring, NULL), 5);
	EXPECT_EQ(ov_status(&self->ov), STATUS_SUCCESS);
}

TEST_F(ring, linked__then_send)
{
	struct io_uring_sqe *sqe = ring_sqe(&self->ring);
	unsigned long data;
	char byte;

	prep_wsock(sqe, self->dev, WSOCK_OP_RECV, self->s[0], self->buf, 1, NULL, -1, 0);
	sqe->flags = IOSQE_IO_LINK;
	sqe->user_data = 1;
	PREP(WSOCK_OP_SEND, self->s[0], "x", 1, NULL, -1, 2);
	ASSERT_EQ(io_uring_submit(&self->ring), 2);
	ASSERT_TRUE(queued(self->dev, 1));
	ASSERT_EQ(send(self->s[1], "h", 1, 0), 1);
	EXPECT_EQ(ring_wait(&self->ring, &data), 1);
	EXPECT_EQ(data, 1);
	EXPECT_EQ(ring_wait(&self->ring, &data), 1);
	EXPECT_EQ(data, 2);
	EXPECT_EQ(recv(self->s[1], &byte, 1, 0), 1);
}

TEST_F(ring, bad_fields)
{
	struct io_uring_sqe *sqe;

#define REFUSED(err, op, fd, change) do {						\
	sqe = ring_sqe(&self->ring);						\
	prep_wsock(sqe, self->dev, op, fd, self->buf, 1, NULL, -1, 0);			\
	change;										\
	EXPECT_EQ(ring_wait(&self->ring, NULL), err) TH_LOG(#op " " #fd " " #change);	\
} while (0)
	REFUSED(-EOPNOTSUPP, 0, self->s[0], (void)0);
	REFUSED(-EOPNOTSUPP, 5, self->s[0], (void)0);
	REFUSED(-EBADF, WSOCK_OP_RECV, -1, (void)0);
	REFUSED(-ENOTSOCK, WSOCK_OP_RECV, self->dev, (void)0);
	REFUSED(-ENOTSOCK, WSOCK_OP_RECV, self->s[1], (void)0);
	REFUSED(-EFAULT, WSOCK_OP_RECV, self->s[0], sqe->addr = -1);
	REFUSED(-EINVAL, WSOCK_OP_RECV, self->s[0], sqe->buf_index = 1);
	REFUSED(-EINVAL, WSOCK_OP_RECV, self->s[0], sqe->cmd[12] = 4);
	REFUSED(-EINVAL, WSOCK_OP_RECV, self->s[0], sqe->cmd[8] = 1);
	REFUSED(-EINVAL, WSOCK_OP_RECVMSG, self->s[0], (void)0);
	ASSERT_EQ(send(self->s[1], "h", 1, 0), 1);
	REFUSED(1, WSOCK_OP_RECV, self->s[0], (void)0);
}

struct issuer {
	FIXTURE_DATA(ring) *self;
	const FIXTURE_VARIANT(ring) *variant;
};

/* A ring of its own, for some kinds take submissions from one thread only. */
static void *submit_and_exit(void *arg)
{
	struct issuer *issuer = arg;
	FIXTURE_DATA(ring) *self = issuer->self;

	io_uring_queue_exit(&self->ring);
	if (ring_init(&self->ring, &issuer->variant->kind, 64))
		abort();
	PREP(WSOCK_OP_RECV, self->s[0], self->buf, 100, &self->ov, self->event, 1);
	io_uring_submit(&self->ring);
	queued(self->dev, 1);
	return NULL;
}

/* The completion of a ring whose thread is gone, without entering the ring. */
static int orphan_completion(struct io_uring *ring)
{
	struct io_uring_cqe *cqe;

	for (int i = 0; i < TIMEOUT_MS; i++) {
		if (io_uring_cq_ready(ring) && !io_uring_peek_cqe(ring, &cqe))
			return cqe->res;
		usleep(1000);
	}
	return -ETIME;
}

TEST_F(ring, thread_exit__then_data)
{
	struct issuer issuer = { self, variant };
	pthread_t t;

	ASSERT_EQ(pthread_create(&t, NULL, submit_and_exit, &issuer), 0);
	ASSERT_EQ(pthread_join(t, NULL), 0);
	EXPECT_EQ(fdinfo(self->dev, "queued"), 1);
	ASSERT_EQ(send(self->s[1], "abc", 3, 0), 3);
	if (variant->kind.flags & IORING_SETUP_DEFER_TASKRUN) {
		/* Such a ring works for its thread only; the end of the ring ends it. */
		io_uring_queue_exit(&self->ring);
		EXPECT_EQ(dev_wait(self->dev, &self->ov.st, TIMEOUT_MS), 0);
		EXPECT_TRUE(ov_status(&self->ov) == STATUS_SUCCESS ||
			    ov_status(&self->ov) == STATUS_CANCELLED);
		ASSERT_EQ(ring_init(&self->ring, &variant->kind, 64), 0);
		return;
	}
	/* Its thread is gone, the process is not: executed by a worker. */
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_EQ(ov_status(&self->ov), STATUS_SUCCESS);
	EXPECT_EQ(memcmp(self->buf, "abc\xa5", 4), 0);
	EXPECT_EQ(orphan_completion(&self->ring), 3);
}

TEST_F(ring, thread_exit__then_cleanup)
{
	struct issuer issuer = { self, variant };
	pthread_t t;

	ASSERT_EQ(pthread_create(&t, NULL, submit_and_exit, &issuer), 0);
	ASSERT_EQ(pthread_join(t, NULL), 0);
	EXPECT_EQ(fdinfo(self->dev, "queued"), 1);
	EXPECT_EQ(dev_cleanup(self->dev), 1);
	EXPECT_EQ(ov_status(&self->ov), STATUS_CANCELLED);
	EXPECT_FALSE(event_is_set(self->event));
	if (!(variant->kind.flags & IORING_SETUP_DEFER_TASKRUN))
		EXPECT_EQ(orphan_completion(&self->ring), -ECANCELED);
}

TEST_F(ring, H13__exec_signals_no_event)
{
	int fds[2], status;
	pid_t pid;
	char byte;

	ASSERT_EQ(tcp_pair(fds), 0);
	pid = fork();
	if (!pid) {
		/* The event is shared with the parent, all else is the child's own. */
		close(fds[1]);
		self->dev = dev_started();
		if (self->dev < 0 || dev_adopt(self->dev, fds[0]) ||
		    ring_init(&self->ring, &variant->kind, 64))
			_exit(1);
		PREP(WSOCK_OP_RECV, fds[0], self->buf, 3, &self->ov, self->event, 1);
		if (io_uring_submit(&self->ring) != 1 || !queued(self->dev, 1) ||
		    write(fds[0], "r", 1) != 1)
			_exit(2);
		execlp("true", "true", NULL);
		_exit(3);
	}
	close(fds[0]);
	EXPECT_EQ(read(fds[1], &byte, 1), 1);
	EXPECT_EQ(peer_end(fds[1]), -ECONNRESET);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	EXPECT_FALSE(event_is_set(self->event));
	close(fds[1]);
}

TEST_HARNESS_MAIN
