// SPDX-License-Identifier: GPL-2.0
/*
 * Operations submitted by ioctl: what they return, write and signal, in which
 * order they end, and how they are cancelled.
 */
#include "device.h"
#include "kselftest_harness.h"

FIXTURE(operations)
{
	int dev;
	int s[2];	/* a TCP connection; s[0] is owned */
	int u[2];	/* UDP, likewise */
	int event;
	char buf[4096];
	struct ov ov;
};

FIXTURE_VARIANT(operations)
{
	const char *workers;
};

/* Who executes what pends: task work of the submitting thread, or a worker. */
FIXTURE_VARIANT_ADD(operations, task_work) { .workers = "0" };
FIXTURE_VARIANT_ADD(operations, worker) { .workers = "1" };

FIXTURE_SETUP(operations)
{
	set_param("workers", variant->workers);
	self->dev = dev_started();
	ASSERT_GE(self->dev, 0);
	ASSERT_EQ(tcp_pair(self->s), 0);
	ASSERT_EQ(udp_pair(self->u), 0);
	ASSERT_EQ(dev_adopt(self->dev, self->s[0]), 0);
	ASSERT_EQ(dev_adopt(self->dev, self->u[0]), 0);
	self->event = new_event();
	memset(self->buf, 0xa5, sizeof(self->buf));
}

FIXTURE_TEARDOWN(operations)
{
	close(self->s[1]);
	close(self->u[1]);
	close(self->event);
	close(self->dev);
	EXPECT_TRUE(counters_zero());
	close(self->s[0]);
	close(self->u[0]);
	set_param("workers", "0");
}

TEST_F(operations, recv__ready)
{
	ASSERT_EQ(send(self->s[1], "hello", 5, 0), 5);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_RECV, self->s[0], self->buf, 100,
			     &self->ov, self->event, 0), 5);
	EXPECT_EQ(ov_status(&self->ov), STATUS_SUCCESS);
	EXPECT_EQ(self->ov.st.internal_high, 5);
	EXPECT_TRUE(ov_intact(&self->ov));
	EXPECT_TRUE(event_is_set(self->event));
	EXPECT_EQ(memcmp(self->buf, "hello\xa5", 6), 0);
}

TEST_F(operations, recv__pending)
{
	/* Set before: issuing must reset it. */
	ASSERT_EQ(eventfd_write(self->event, 1), 0);
	ASSERT_EQ(dev_submit(self->dev, WSOCK_OP_RECV, self->s[0], self->buf, 100,
			     &self->ov, self->event, 0), -EINPROGRESS);
	EXPECT_FALSE(event_is_set(self->event));
	EXPECT_EQ(ov_status(&self->ov), STATUS_PENDING);
	EXPECT_EQ(self->ov.st.internal_high, OV_POISON);
	EXPECT_EQ(fdinfo(self->dev, "queued"), 1);
	ASSERT_EQ(send(self->s[1], "hello", 5, 0), 5);
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_EQ(ov_status(&self->ov), STATUS_SUCCESS);
	EXPECT_EQ(self->ov.st.internal_high, 5);
	EXPECT_EQ(memcmp(self->buf, "hello\xa5", 6), 0);
	EXPECT_TRUE(ov_intact(&self->ov));
	EXPECT_EQ(fdinfo(self->dev, "queued"), 0);
	EXPECT_EQ(fdinfo(self->dev, "completed"), 1);
}

TEST_F(operations, recv__fifo)
{
	struct ov ov[32];

	for (int i = 0; i < 32; i++)
		ASSERT_EQ(dev_recv(self->dev, self->s[0], self->buf + i * 16, 16, &ov[i]),
			  -EINPROGRESS);
	for (int i = 0; i < 32; i++) {
		char msg[16];

		memset(msg, 'a' + i, sizeof(msg));
		ASSERT_EQ(send(self->s[1], msg, sizeof(msg), 0), 16);
	}
	ASSERT_EQ(dev_wait(self->dev, &ov[31].st, TIMEOUT_MS), 0);
	for (int i = 0; i < 32; i++) {
		EXPECT_EQ(ov_status(&ov[i]), STATUS_SUCCESS);
		EXPECT_EQ(ov[i].st.internal_high, 16);
		EXPECT_EQ(self->buf[i * 16], (char)('a' + i));
		EXPECT_EQ(self->buf[i * 16 + 15], (char)('a' + i));
	}
}

TEST_F(operations, recv__one_send_for_two)
{
	struct ov ov[2];

	for (int i = 0; i < 2; i++)
		ASSERT_EQ(dev_recv(self->dev, self->s[0], self->buf + i * 16, 16, &ov[i]),
			  -EINPROGRESS);
	ASSERT_EQ(send(self->s[1], "0123456789abcdefghijklmnopqrstuv", 32, 0), 32);
	ASSERT_EQ(dev_wait(self->dev, &ov[1].st, TIMEOUT_MS), 0);
	EXPECT_EQ(ov_status(&ov[0]), STATUS_SUCCESS);
	EXPECT_EQ(ov_status(&ov[1]), STATUS_SUCCESS);
	EXPECT_EQ(memcmp(self->buf, "0123456789abcdefghijklmnopqrstuv", 32), 0);
}

TEST_F(operations, recv__waitall)
{
	ASSERT_EQ(send(self->s[1], "abc", 3, 0), 3);
	ASSERT_EQ(dev_submit(self->dev, WSOCK_OP_RECV, self->s[0], self->buf, 6, &self->ov,
			     self->event, MSG_WAITALL), -EINPROGRESS);
	EXPECT_FALSE(event_is_set(self->event));
	ASSERT_EQ(send(self->s[1], "defghi", 6, 0), 6);
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_EQ(self->ov.st.internal_high, 6);
	EXPECT_EQ(memcmp(self->buf, "abcdef", 6), 0);
	EXPECT_EQ(dev_recv(self->dev, self->s[0], self->buf, 6, &self->ov), 3);
}

TEST_F(operations, recv__end_of_stream)
{
	ASSERT_EQ(dev_recv(self->dev, self->s[0], self->buf, 6, &self->ov), -EINPROGRESS);
	ASSERT_EQ(shutdown(self->s[1], SHUT_WR), 0);
	ASSERT_EQ(dev_wait(self->dev, &self->ov.st, TIMEOUT_MS), 0);
	EXPECT_EQ(ov_status(&self->ov), STATUS_SUCCESS);
	EXPECT_EQ(self->ov.st.internal_high, 0);
	EXPECT_EQ(dev_recv(self->dev, self->s[0], self->buf, 6, &self->ov), 0);
}

TEST_F(operations, recv__reset_by_peer)
{
	struct linger linger = { .l_onoff = 1 };

	ASSERT_EQ(dev_submit(self->dev, WSOCK_OP_RECV, self->s[0], self->buf, 6, &self->ov,
			     self->event, 0), -EINPROGRESS);
	ASSERT_EQ(setsockopt(self->s[1], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	ASSERT_EQ(close(self->s[1]), 0);
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_EQ(ov_status(&self->ov), STATUS_CONNECTION_RESET);
	EXPECT_EQ(self->ov.st.internal_high, 0);
}

TEST_F(operations, recv__of_nothing_waits_for_data)
{
	ASSERT_EQ(dev_recv(self->dev, self->s[0], self->buf, 0, &self->ov), -EINPROGRESS);
	ASSERT_EQ(send(self->s[1], "abc", 3, 0), 3);
	ASSERT_EQ(dev_wait(self->dev, &self->ov.st, TIMEOUT_MS), 0);
	EXPECT_EQ(ov_status(&self->ov), STATUS_SUCCESS);
	EXPECT_EQ(self->ov.st.internal_high, 0);
	EXPECT_EQ(dev_recv(self->dev, self->s[0], self->buf, 0, &self->ov), 0);
	EXPECT_EQ(dev_recv(self->dev, self->s[0], self->buf, 6, &self->ov), 3);
}

TEST_F(operations, recv__peek)
{
	ASSERT_EQ(send(self->s[1], "abc", 3, 0), 3);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_RECV, self->s[0], self->buf, 6, &self->ov, -1,
			     MSG_PEEK), 3);
	EXPECT_EQ(dev_recv(self->dev, self->s[0], self->buf, 6, &self->ov), 3);
}

TEST_F(operations, recv__bad_buffer_ready)
{
	ASSERT_EQ(send(self->s[1], "abc", 3, 0), 3);
	EXPECT_EQ(dev_recv(self->dev, self->s[0], (void *)8, 6, &self->ov), -EFAULT);
	EXPECT_EQ(dev_recv(self->dev, self->s[0], (void *)(-4096L), 6, &self->ov), -EFAULT);
	/* Nothing was lost. */
	EXPECT_EQ(dev_recv(self->dev, self->s[0], self->buf, 6, &self->ov), 3);
}

TEST_F(operations, recv__bad_buffer_pending)
{
	ASSERT_EQ(dev_submit(self->dev, WSOCK_OP_RECV, self->s[0], (void *)8, 6, &self->ov,
			     self->event, 0), -EINPROGRESS);
	ASSERT_EQ(send(self->s[1], "abc", 3, 0), 3);
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_EQ(ov_status(&self->ov), 0xc0000005u);
}

TEST_F(operations, send__all_or_nothing)
{
	size_t before = fill(self->s[0]), len = 4 << 20, got = 0;
	char *big = calloc(1, len), *sink = malloc(65536);
	ssize_t n;

	ASSERT_EQ(dev_submit(self->dev, WSOCK_OP_SEND, self->s[0], big, len, &self->ov,
			     self->event, 0), -EINPROGRESS);
	while (got < before + len) {
		n = recv(self->s[1], sink, 65536, 0);
		ASSERT_GT(n, 0);
		got += n;
	}
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_EQ(ov_status(&self->ov), STATUS_SUCCESS);
	EXPECT_EQ(self->ov.st.internal_high, len);
	free(big);
	free(sink);
}

TEST_F(operations, send__order_among_pending)
{
	size_t len = 1 << 20, got = 0, before = fill(self->s[0]);
	char *big[3], *sink = malloc(65536);
	struct ov ov[3];
	ssize_t n;
	char last = 0;

	for (int i = 0; i < 3; i++) {
		big[i] = malloc(len);
		memset(big[i], 'a' + i, len);
		ASSERT_EQ(dev_send(self->dev, self->s[0], big[i], len, &ov[i]), -EINPROGRESS);
	}
	while (got < before + 3 * len) {
		n = recv(self->s[1], sink, 65536, 0);
		ASSERT_GT(n, 0);
		for (ssize_t i = 0; i < n; i++) {
			ASSERT_GE(sink[i], last);
			last = sink[i];
		}
		got += n;
	}
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(dev_wait(self->dev, &ov[i].st, TIMEOUT_MS), 0);
		EXPECT_EQ(ov[i].st.internal_high, len);
		free(big[i]);
	}
	free(sink);
}

TEST_F(operations, send__after_own_shutdown)
{
	ASSERT_EQ(shutdown(self->s[0], SHUT_WR), 0);
	EXPECT_EQ(dev_send(self->dev, self->s[0], "x", 1, &self->ov), -ESHUTDOWN);
}

TEST_F(operations, send__cancelled_tells_bytes)
{
	size_t len = 64 << 20;
	char *big = calloc(1, len);

	ASSERT_EQ(dev_send(self->dev, self->s[0], big, len, &self->ov), -EINPROGRESS);
	ASSERT_EQ(dev_cancel(self->dev, self->s[0], &self->ov.st), 1);
	EXPECT_EQ(ov_status(&self->ov), STATUS_CANCELLED);
	EXPECT_GT(self->ov.st.internal_high, 0);
	EXPECT_LT(self->ov.st.internal_high, len);
	free(big);
}

TEST_F(operations, datagram__truncated)
{
	ASSERT_EQ(send(self->u[1], "0123456789", 10, 0), 10);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_RECV, self->u[0], self->buf, 6, &self->ov,
			     self->event, 0), -EMSGSIZE);
	EXPECT_EQ(ov_status(&self->ov), STATUS_BUFFER_OVERFLOW);
	EXPECT_EQ(self->ov.st.internal_high, 6);
	EXPECT_TRUE(event_is_set(self->event));
	EXPECT_EQ(memcmp(self->buf, "012345\xa5", 7), 0);

	ASSERT_EQ(dev_submit(self->dev, WSOCK_OP_RECV, self->u[0], self->buf, 6, &self->ov,
			     self->event, 0), -EINPROGRESS);
	ASSERT_EQ(send(self->u[1], "abcdefghij", 10, 0), 10);
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_EQ(ov_status(&self->ov), STATUS_BUFFER_OVERFLOW);
	EXPECT_EQ(self->ov.st.internal_high, 6);
}

static struct wsock_msg msg_of(struct iovec *iov, int n)
{
	return (struct wsock_msg){ .iov = (unsigned long)iov, .iovlen = n };
}

TEST_F(operations, recvmsg__address_pending)
{
	struct iovec iov[2] = { { self->buf, 2 }, { self->buf + 10, 10 } };
	struct wsock_msg msg = msg_of(iov, 2);
	struct sockaddr_in from = {};
	int fromlen = sizeof(from), flags = -1;

	msg.name = (unsigned long)&from;
	msg.namelen = sizeof(from);
	msg.namelen_out = (unsigned long)&fromlen;
	msg.flags_out = (unsigned long)&flags;
	ASSERT_EQ(dev_submit(self->dev, WSOCK_OP_RECVMSG, self->u[0], &msg, sizeof(msg),
			     &self->ov, self->event, 0), -EINPROGRESS);
	/* Captured: the program may do with them what it likes. */
	memset(&msg, 0xff, sizeof(msg));
	memset(iov, 0xff, sizeof(iov));
	ASSERT_EQ(send(self->u[1], "abcdef", 6, 0), 6);
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_EQ(self->ov.st.internal_high, 6);
	EXPECT_EQ(memcmp(self->buf, "ab\xa5", 3), 0);
	EXPECT_EQ(memcmp(self->buf + 10, "cdef\xa5", 5), 0);
	EXPECT_EQ(ntohs(from.sin_port), local_port(self->u[1]));
	EXPECT_EQ(fromlen, (int)sizeof(from));
	EXPECT_EQ(flags, 0);
}

TEST_F(operations, sendmsg__address)
{
	int to = udp_socket(), from = udp_socket();
	struct sockaddr_in sin = loopback(local_port(to));
	struct iovec iov[12];
	struct wsock_msg msg = msg_of(iov, 12);

	for (int i = 0; i < 12; i++)
		iov[i] = (struct iovec){ "abcdefghijkl" + i, 1 };
	ASSERT_EQ(dev_adopt(self->dev, from), 0);
	msg.name = (unsigned long)&sin;
	msg.namelen = sizeof(sin);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_SENDMSG, from, &msg, sizeof(msg), &self->ov,
			     -1, 0), 12);
	EXPECT_EQ(recv(to, self->buf, 100, MSG_DONTWAIT), 12);
	EXPECT_EQ(memcmp(self->buf, "abcdefghijkl\xa5", 13), 0);
	close(to);
	close(from);
}

TEST_F(operations, recvmsg__control)
{
	union {
		struct cmsghdr hdr;
		char buf[CMSG_SPACE(sizeof(struct in_pktinfo))];
	} control;
	struct iovec iov = { self->buf, 100 };
	struct wsock_msg msg = msg_of(&iov, 1);
	unsigned long long len = 0;
	int on = 1;

	ASSERT_EQ(setsockopt(self->u[0], IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)), 0);
	msg.control = (unsigned long)&control;
	msg.controllen = sizeof(control);
	msg.controllen_out = (unsigned long)&len;
	ASSERT_EQ(dev_submit(self->dev, WSOCK_OP_RECVMSG, self->u[0], &msg, sizeof(msg),
			     &self->ov, self->event, 0), -EINPROGRESS);
	ASSERT_EQ(send(self->u[1], "abcdef", 6, 0), 6);
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_EQ(len, sizeof(control));
	EXPECT_EQ(control.hdr.cmsg_level, IPPROTO_IP);
	EXPECT_EQ(control.hdr.cmsg_type, IP_PKTINFO);
}

TEST_F(operations, cancel__one_of_many)
{
	struct ov ov[4];

	for (int i = 0; i < 4; i++)
		ASSERT_EQ(dev_recv(self->dev, self->s[0], self->buf + i, 1, &ov[i]),
			  -EINPROGRESS);
	EXPECT_EQ(dev_cancel(self->dev, self->s[0], &ov[1].st), 1);
	EXPECT_EQ(ov_status(&ov[1]), STATUS_CANCELLED);
	EXPECT_EQ(ov[1].st.internal_high, 0);
	EXPECT_EQ(dev_cancel(self->dev, self->s[0], &ov[1].st), -ENOENT);
	/* Another socket's operation is not found through this one. */
	EXPECT_EQ(dev_cancel(self->dev, self->u[0], &ov[0].st), -ENOENT);
	ASSERT_EQ(send(self->s[1], "abc", 3, 0), 3);
	ASSERT_EQ(dev_wait(self->dev, &ov[3].st, TIMEOUT_MS), 0);
	EXPECT_EQ(memcmp(self->buf, "a\xa5" "bc\xa5", 5), 0);
}

TEST_F(operations, cancel__signals_event)
{
	ASSERT_EQ(dev_submit(self->dev, WSOCK_OP_RECV, self->s[0], self->buf, 6, &self->ov,
			     self->event, 0), -EINPROGRESS);
	EXPECT_EQ(dev_cancel(self->dev, self->s[0], &self->ov.st), 1);
	EXPECT_TRUE(event_is_set(self->event));
	EXPECT_EQ(fdinfo(self->dev, "cancelled"), 1);
}

TEST_F(operations, cancel__all)
{
	struct ov ov[100];

	EXPECT_EQ(dev_cancel(self->dev, self->s[0], NULL), -ENOENT);
	for (int i = 0; i < 100; i++)
		ASSERT_EQ(dev_recv(self->dev, self->s[0], self->buf, 1, &ov[i]), -EINPROGRESS);
	EXPECT_EQ(dev_cancel(self->dev, self->s[0], NULL), 100);
	for (int i = 0; i < 100; i++)
		EXPECT_EQ(ov_status(&ov[i]), STATUS_CANCELLED);
	/* The socket is as good as before. */
	ASSERT_EQ(send(self->s[1], "abc", 3, 0), 3);
	EXPECT_EQ(dev_recv(self->dev, self->s[0], self->buf, 6, &self->ov), 3);
}

TEST_F(operations, closesocket__connected)
{
	ASSERT_EQ(dev_submit(self->dev, WSOCK_OP_RECV, self->s[0], self->buf, 6, &self->ov,
			     self->event, 0), -EINPROGRESS);
	EXPECT_EQ(dev_closesocket(self->dev, self->s[0]), 0);
	EXPECT_EQ(ov_status(&self->ov), STATUS_CONNECTION_ABORTED);
	EXPECT_TRUE(event_is_set(self->event));
	EXPECT_EQ(peer_end(self->s[1]), -ECONNRESET);
	EXPECT_EQ(fcntl(self->s[0], F_GETFD), -1);
	EXPECT_EQ(dev_closesocket(self->dev, self->s[0]), -EBADF);
}

TEST_F(operations, closesocket__datagram)
{
	ASSERT_EQ(dev_submit(self->dev, WSOCK_OP_RECV, self->u[0], self->buf, 6, &self->ov,
			     self->event, 0), -EINPROGRESS);
	EXPECT_EQ(dev_closesocket(self->dev, self->u[0]), 0);
	EXPECT_EQ(ov_status(&self->ov), STATUS_CANCELLED);
	EXPECT_TRUE(event_is_set(self->event));
}

TEST_F(operations, closesocket__graceful)
{
	ASSERT_EQ(dev_send(self->dev, self->s[0], "bye", 3, &self->ov), 3);
	EXPECT_EQ(dev_closesocket(self->dev, self->s[0]), 0);
	EXPECT_EQ(recv(self->s[1], self->buf, 100, 0), 3);
	EXPECT_EQ(peer_end(self->s[1]), 0);
}

TEST_F(operations, closesocket__not_the_last_descriptor)
{
	int dup = fcntl(self->s[0], F_DUPFD_CLOEXEC, 0);

	ASSERT_EQ(dev_adopt(self->dev, dup), 0);
	ASSERT_EQ(dev_recv(self->dev, self->s[0], self->buf, 6, &self->ov), -EINPROGRESS);
	EXPECT_EQ(dev_closesocket(self->dev, self->s[0]), 0);
	EXPECT_EQ(ov_status(&self->ov), STATUS_PENDING);
	ASSERT_EQ(send(self->s[1], "abc", 3, 0), 3);
	ASSERT_EQ(dev_wait(self->dev, &self->ov.st, TIMEOUT_MS), 0);
	EXPECT_EQ(ov_status(&self->ov), STATUS_SUCCESS);
	EXPECT_EQ(dev_closesocket(self->dev, dup), 0);
}

TEST_F(operations, wait__timeout)
{
	ASSERT_EQ(dev_recv(self->dev, self->s[0], self->buf, 6, &self->ov), -EINPROGRESS);
	EXPECT_EQ(dev_wait(self->dev, &self->ov.st, 0), -ETIME);
	EXPECT_EQ(dev_wait(self->dev, &self->ov.st, 20), -ETIME);
	EXPECT_EQ(dev_wait(self->dev, self->buf, -1), 0);
}

static void *submit_and_exit(void *arg)
{
	FIXTURE_DATA(operations) *self = arg;

	return (void *)(long)dev_submit(self->dev, WSOCK_OP_RECV, self->s[0], self->buf, 100,
					&self->ov, self->event, 0);
}

TEST_F(operations, thread_exit__then_data)
{
	pthread_t t;
	void *ret;

	ASSERT_EQ(pthread_create(&t, NULL, submit_and_exit, self), 0);
	ASSERT_EQ(pthread_join(t, &ret), 0);
	ASSERT_EQ((long)ret, -EINPROGRESS);
	ASSERT_EQ(send(self->s[1], "abc", 3, 0), 3);
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_EQ(ov_status(&self->ov), STATUS_SUCCESS);
	EXPECT_EQ(self->ov.st.internal_high, 3);
	EXPECT_EQ(memcmp(self->buf, "abc\xa5", 4), 0);
}

TEST_F(operations, thread_exit__then_cleanup)
{
	pthread_t t;
	void *ret;

	ASSERT_EQ(pthread_create(&t, NULL, submit_and_exit, self), 0);
	ASSERT_EQ(pthread_join(t, &ret), 0);
	ASSERT_EQ((long)ret, -EINPROGRESS);
	ASSERT_EQ(dev_cleanup(self->dev), 1);
	EXPECT_EQ(ov_status(&self->ov), STATUS_CANCELLED);
	EXPECT_FALSE(event_is_set(self->event));
}

TEST_F(operations, plain_close__with_operation_pending)
{
	ASSERT_EQ(dev_recv(self->dev, self->s[0], self->buf, 6, &self->ov), -EINPROGRESS);
	ASSERT_EQ(close(self->s[0]), 0);
	/* As with io_uring the operation holds the connection. */
	ASSERT_EQ(send(self->s[1], "abc", 3, 0), 3);
	ASSERT_EQ(dev_wait(self->dev, &self->ov.st, TIMEOUT_MS), 0);
	EXPECT_EQ(self->ov.st.internal_high, 3);
	EXPECT_EQ(peer_end(self->s[1]), 0);
}

TEST_F(operations, plain_close__number_used_again)
{
	int other[2];

	ASSERT_EQ(dev_recv(self->dev, self->s[0], self->buf, 6, &self->ov), -EINPROGRESS);
	ASSERT_EQ(tcp_pair(other), 0);
	ASSERT_EQ(dup3(other[0], self->s[0], O_CLOEXEC), self->s[0]);
	/* Now another socket, and not ours. */
	EXPECT_EQ(dev_recv(self->dev, self->s[0], self->buf, 6, &self->ov), -ENOTSOCK);
	EXPECT_EQ(dev_closesocket(self->dev, self->s[0]), -ENOTSOCK);
	ASSERT_EQ(dev_adopt(self->dev, self->s[0]), 0);
	EXPECT_EQ(fdinfo(self->dev, "queued"), 0);
	EXPECT_EQ(peer_end(self->s[1]), 0);
	close(other[0]);
	close(other[1]);
}

TEST_F(operations, wait__alert_that_is_no_port)
{
	struct wsock_wait args = { .ov = (unsigned long)&self->ov.st, .flags = WSOCK_PORT_ALERTABLE };

	ASSERT_EQ(dev_recv(self->dev, self->s[0], self->buf, 6, &self->ov), -EINPROGRESS);
	args.alert_fd = self->event;
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_WAIT, &args), -EINVAL);
	args.alert_fd = 1000;
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_WAIT, &args), -EBADF);
}

/* MPTCP knows no abort of its own. */
TEST_F(operations, mptcp__is_reset_too)
{
	int l = tcp_listener(), s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP), peer;
	struct sockaddr_in sin = loopback(local_port(l));

	if (s < 0)
		SKIP(return, "no MPTCP");
	ASSERT_EQ(connect(s, (struct sockaddr *)&sin, sizeof(sin)), 0);
	peer = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	ASSERT_EQ(dev_adopt(self->dev, s), 0);
	ASSERT_EQ(dev_recv(self->dev, s, self->buf, 6, &self->ov), -EINPROGRESS);
	EXPECT_EQ(dev_cleanup(self->dev), 1);
	EXPECT_EQ(ov_status(&self->ov), STATUS_CANCELLED);
	EXPECT_EQ(peer_end(peer), -ECONNRESET);
	close(peer);
	close(l);
}

TEST_HARNESS_MAIN
