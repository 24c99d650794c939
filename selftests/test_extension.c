// SPDX-License-Identifier: GPL-2.0
/*
 * The operations behind Winsock's extension functions, submitted by ioctl.
 */
#include "device.h"
#include "addresses.h"
#include "kselftest_harness.h"

#define STATUS_INVALID_CONNECTION	0xc0000140u
#define STATUS_CONNECTION_REFUSED	0xc0000236u

FIXTURE(extension)
{
	int dev;
	int l;		/* a plain listener */
	int s;		/* an owned TCP socket, bound */
	int event;
	char buf[4096];
	struct ov ov;
};

FIXTURE_VARIANT(extension)
{
	const char *workers;
};

FIXTURE_VARIANT_ADD(extension, task_work) { .workers = "0" };
FIXTURE_VARIANT_ADD(extension, worker) { .workers = "1" };

static int bound(void)
{
	struct sockaddr_in sin = loopback(0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return bind(fd, (struct sockaddr *)&sin, sizeof(sin)) ? -1 : fd;
}

FIXTURE_SETUP(extension)
{
	set_param("workers", variant->workers);
	self->dev = dev_started();
	ASSERT_GE(self->dev, 0);
	self->l = tcp_listener();
	self->s = bound();
	ASSERT_GE(self->l, 0);
	ASSERT_GE(self->s, 0);
	ASSERT_EQ(dev_adopt(self->dev, self->s), 0);
	self->event = new_event();
	memset(self->buf, 0xa5, sizeof(self->buf));
}

FIXTURE_TEARDOWN(extension)
{
	close(self->event);
	close(self->dev);
	EXPECT_TRUE(counters_zero());
	close(self->s);
	close(self->l);
	set_param("workers", "0");
}

static int begin(int s, int port)
{
	struct sockaddr_in sin = loopback(port);

	return connect(s, (struct sockaddr *)&sin, sizeof(sin)) ? -errno : 0;
}

/* A listener that answers no more connections until one is accepted. */
static int full(int filler[2])
{
	struct sockaddr_in sin = loopback(0);
	int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(l, (struct sockaddr *)&sin, sizeof(sin)) || listen(l, 0))
		return -1;
	filler[0] = tcp_connect(local_port(l));
	return filler[0] < 0 ? -1 : l;
}

/* ---- CONNECT ---- */

TEST_F(extension, connect__done_already_ends_as_if_pending)
{
	ASSERT_EQ(eventfd_write(self->event, 1), 0);
	ASSERT_EQ(begin(self->s, local_port(self->l)), -EINPROGRESS);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_CONNECT, self->s, NULL, 0, &self->ov,
			     self->event, 0), -EINPROGRESS);
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_EQ(ov_status(&self->ov), STATUS_SUCCESS);
	EXPECT_EQ(self->ov.st.internal_high, 0);
	EXPECT_TRUE(ov_intact(&self->ov));
	EXPECT_EQ(fdinfo(self->dev, "completed"), 1);
	/* As after a second connect(2). */
	EXPECT_EQ(begin(self->s, local_port(self->l)), -EISCONN);
}

TEST_F(extension, connect__sends)
{
	int peer;

	ASSERT_EQ(begin(self->s, local_port(self->l)), -EINPROGRESS);
	memcpy(self->buf, "hello", 5);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_CONNECT, self->s, self->buf, 5, &self->ov,
			     self->event, 0), -EINPROGRESS);
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_EQ(ov_status(&self->ov), STATUS_SUCCESS);
	EXPECT_EQ(self->ov.st.internal_high, 5);
	peer = accept4(self->l, NULL, NULL, SOCK_CLOEXEC);
	EXPECT_EQ(recv(peer, self->buf + 8, 8, 0), 5);
	EXPECT_EQ(memcmp(self->buf + 8, "hello", 5), 0);
	close(peer);
}

TEST_F(extension, connect__failure_that_is_known)
{
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_CONNECT, self->s, NULL, 0, &self->ov,
			     self->event, ECONNREFUSED), -EINPROGRESS);
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_EQ(ov_status(&self->ov), STATUS_CONNECTION_REFUSED);
	EXPECT_EQ(self->ov.st.internal_high, 0);
}

TEST_F(extension, connect__waits)
{
	int filler[2], l = full(filler), a;

	ASSERT_GE(l, 0);
	ASSERT_EQ(begin(self->s, local_port(l)), -EINPROGRESS);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_CONNECT, self->s, self->buf, 100, &self->ov,
			     self->event, 0), -EINPROGRESS);
	EXPECT_EQ(fdinfo(self->dev, "queued"), 1);
	EXPECT_FALSE(event_is_set(self->event));
	/* There is room now, when the SYN comes again. */
	a = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_EQ(ov_status(&self->ov), STATUS_SUCCESS);
	EXPECT_EQ(self->ov.st.internal_high, 100);
	close(a);
	close(filler[0]);
	close(l);
}

TEST_F(extension, connect__refused_while_it_waits)
{
	int filler[2], l = full(filler);

	ASSERT_GE(l, 0);
	ASSERT_EQ(begin(self->s, local_port(l)), -EINPROGRESS);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_CONNECT, self->s, NULL, 0, &self->ov,
			     self->event, 0), -EINPROGRESS);
	close(l);
	close(filler[0]);
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_EQ(ov_status(&self->ov), STATUS_CONNECTION_REFUSED);
	/* It can begin anew. */
	EXPECT_EQ(begin(self->s, local_port(self->l)), -EINPROGRESS);
}

TEST_F(extension, connect__cancel_close_cleanup)
{
	int filler[2], l = full(filler);
	struct ov ov[3];
	int s[3];

	ASSERT_GE(l, 0);
	for (int i = 0; i < 3; i++) {
		s[i] = bound();
		ASSERT_EQ(dev_adopt(self->dev, s[i]), 0);
		ASSERT_EQ(begin(s[i], local_port(l)), -EINPROGRESS);
		ASSERT_EQ(dev_submit(self->dev, WSOCK_OP_CONNECT, s[i], NULL, 0, &ov[i],
				     self->event, 0), -EINPROGRESS);
	}
	EXPECT_EQ(dev_cancel(self->dev, s[0], &ov[0].st), 1);
	EXPECT_EQ(ov_status(&ov[0]), STATUS_CANCELLED);
	EXPECT_TRUE(event_is_set(self->event));
	EXPECT_EQ(dev_closesocket(self->dev, s[1]), 0);
	EXPECT_EQ(ov_status(&ov[1]), STATUS_CANCELLED);
	EXPECT_EQ(eventfd_read(self->event, &(eventfd_t){ 0 }), 0);
	EXPECT_EQ(dev_cleanup(self->dev), 1);
	EXPECT_EQ(ov_status(&ov[2]), STATUS_CANCELLED);
	EXPECT_FALSE(event_is_set(self->event));
	close(filler[0]);
	close(l);
}

TEST_F(extension, connect__bad)
{
	int u = udp_socket(), l = tcp_listener();

	ASSERT_EQ(dev_adopt(self->dev, u), 0);
	ASSERT_EQ(dev_adopt(self->dev, l), 0);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_CONNECT, self->s, NULL, 0, &self->ov, -1, 4096),
		  -EINVAL);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_CONNECT, self->s, (void *)~0xfffull, 8192,
			     &self->ov, -1, 0), -EFAULT);
	/* Nobody has begun to connect. */
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_CONNECT, self->s, NULL, 0, &self->ov, -1, 0),
		  -EINPROGRESS);
	EXPECT_EQ(ov_status(&self->ov), STATUS_INVALID_CONNECTION);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_CONNECT, u, NULL, 0, &self->ov, -1, 0),
		  -EINPROGRESS);
	EXPECT_EQ(ov_status(&self->ov), 0xc00000bbu);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_CONNECT, l, NULL, 0, &self->ov, -1, 0),
		  -EINPROGRESS);
	EXPECT_EQ(ov_status(&self->ov), 0xc000000du);
	close(u);
	close(l);
}

TEST_F(extension, connect__killed)
{
	int filler[2], l = full(filler), status;
	pid_t pid;

	ASSERT_GE(l, 0);
	pid = fork();
	if (!pid) {
		int dev = dev_started(), s = bound();

		if (dev < 0 || dev_adopt(dev, s) || begin(s, local_port(l)) != -EINPROGRESS ||
		    dev_submit(dev, WSOCK_OP_CONNECT, s, self->buf, 9, &self->ov, -1, 0) !=
		    -EINPROGRESS)
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_TRUE(WIFSIGNALED(status));
	close(filler[0]);
	close(l);
}

/* ---- TRANSMIT, DISCONNECT ---- */

TEST_F(extension, transmit__bad)
{
	struct wsock_transmit good = { .fd = -1 }, t, *many;
	int dir = open("/proc", O_RDONLY | O_CLOEXEC), fds[2];

	ASSERT_EQ(tcp_pair(fds), 0);
	ASSERT_EQ(dev_adopt(self->dev, fds[0]), 0);
#define BAD(err, field, value) do {						\
	t = good;								\
	t.field = value;							\
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_TRANSMIT, fds[0], &t, sizeof(t),	\
			     &self->ov, -1, 0), err);				\
} while (0)
	BAD(-EINVAL, flags, 8);
	BAD(-EINVAL, fd, -2);
	BAD(-EINVAL, offset, 1);
	BAD(-EINVAL, offset, ~0ull);
	BAD(-EINVAL, bytes, 1);
	BAD(-EBADF, fd, 1000);
	BAD(-EINVAL, fd, dir);
	BAD(-EINVAL, fd, self->event);
	good.fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	BAD(-EINVAL, offset, 1ull << 63);
	close(good.fd);
	good.fd = -1;
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_TRANSMIT, fds[0], &good, sizeof(good) - 1,
			     &self->ov, -1, 0), -EINVAL);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_TRANSMIT, fds[0], &good, sizeof(good),
			     &self->ov, -1, MSG_OOB), -EINVAL);
	/* None, a part of one, too many, one that is bad or not there, flags in between. */
	many = calloc(WSOCK_MAX_TRANSMITS + 1, sizeof(*many));
	for (int i = 0; i <= WSOCK_MAX_TRANSMITS; i++)
		many[i] = good;
#define MANY(n) dev_submit(self->dev, WSOCK_OP_TRANSMIT, fds[0], many, (n) * sizeof(*many),	\
			   &self->ov, -1, 0)
	EXPECT_EQ(MANY(0), -EINVAL);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_TRANSMIT, fds[0], many, sizeof(*many) * 2 + 1,
			     &self->ov, -1, 0), -EINVAL);
	EXPECT_EQ(MANY(WSOCK_MAX_TRANSMITS + 1), -EINVAL);
	EXPECT_EQ(MANY(WSOCK_MAX_TRANSMITS), -EINPROGRESS);
	EXPECT_EQ(ov_status(&self->ov), 0);
	many[2].fd = 1000;
	EXPECT_EQ(MANY(3), -EBADF);
	many[2].fd = -1;
	many[0].flags = WSOCK_TRANSMIT_DISCONNECT;
	EXPECT_EQ(MANY(2), -EINVAL);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_TRANSMIT, fds[0], NULL, 2 * sizeof(*many),
			     &self->ov, -1, 0), -EFAULT);
	free(many);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_DISCONNECT, fds[0], NULL, 2, &self->ov, -1, 0),
		  -EINVAL);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_DISCONNECT, fds[0], &t, 0, &self->ov, -1, 0),
		  -EINVAL);
	close(dir);
	close(fds[0]);
	close(fds[1]);
}

/* Datagrams are sent, but to end a connection is for TCP; raw sockets do neither. */
TEST_F(extension, transmit__and_disconnect_of_others)
{
	struct wsock_transmit t = { .fd = -1, .head = (unsigned long)self->buf, .headlen = 1 };
	int raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP), fds[2];

	ASSERT_EQ(udp_pair(fds), 0);
	ASSERT_EQ(dev_adopt(self->dev, fds[0]), 0);
	ASSERT_EQ(dev_adopt(self->dev, raw), 0);
	t.flags = WSOCK_TRANSMIT_DISCONNECT;
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_TRANSMIT, fds[0], &t, sizeof(t), &self->ov, -1,
			     0), -EINPROGRESS);
	EXPECT_EQ(ov_status(&self->ov), 0xc00000bbu);
	EXPECT_EQ(recv(fds[1], self->buf, 8, 0), 1);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_TRANSMIT, raw, &t, sizeof(t), &self->ov, -1,
			     0), -EINPROGRESS);
	EXPECT_EQ(ov_status(&self->ov), 0xc00000bbu);
	close(raw);
	for (int flags = 0; flags <= WSOCK_DISCONNECT_REUSE; flags++) {
		EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_DISCONNECT, fds[0], NULL, flags,
				     &self->ov, -1, 0), -EINPROGRESS);
		EXPECT_EQ(ov_status(&self->ov), 0xc00000bbu);
	}
	EXPECT_EQ(send(fds[0], "x", 1, 0), 1);
	EXPECT_EQ(recv(fds[1], self->buf, 8, 0), 1);
	close(fds[0]);
	close(fds[1]);
}

TEST_F(extension, disconnect__behind_a_send)
{
	char *big = calloc(1, 4 << 20), *sink = malloc(65536);
	struct ov ov;
	int fds[2];

	ASSERT_EQ(tcp_pair(fds), 0);
	ASSERT_EQ(dev_adopt(self->dev, fds[0]), 0);
	fill(fds[0]);
	ASSERT_EQ(dev_send(self->dev, fds[0], big, 4 << 20, &ov), -EINPROGRESS);
	ASSERT_EQ(dev_submit(self->dev, WSOCK_OP_DISCONNECT, fds[0], NULL, 0, &self->ov,
			     self->event, 0), -EINPROGRESS);
	EXPECT_FALSE(event_is_set(self->event));
	while (recv(fds[1], sink, 65536, 0) > 0)
		;
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_EQ(ov_status(&ov), STATUS_SUCCESS);
	EXPECT_EQ(ov.st.internal_high, 4 << 20);
	EXPECT_EQ(ov_status(&self->ov), STATUS_SUCCESS);
	close(fds[0]);
	close(fds[1]);
	free(big);
	free(sink);
}

/* ---- NOTIFY ---- */

/* shutdown(2) says that it has done it, each time; waiting for it lasted for ever. */
TEST_F(extension, disconnect__listener)
{
	struct wsock_transmit t = {
		.fd = -1, .flags = WSOCK_TRANSMIT_DISCONNECT | WSOCK_TRANSMIT_REUSE
	};

	ASSERT_EQ(dev_adopt(self->dev, self->l), 0);
	for (int flags = 0; flags <= WSOCK_DISCONNECT_REUSE; flags++) {
		EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_DISCONNECT, self->l, NULL, flags,
				     &self->ov, -1, 0), -EINPROGRESS);
		EXPECT_EQ(ov_status(&self->ov), STATUS_INVALID_CONNECTION);
	}
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_TRANSMIT, self->l, &t, sizeof(t), &self->ov,
			     -1, 0), -EINPROGRESS);
	EXPECT_EQ(ov_status(&self->ov), STATUS_INVALID_CONNECTION);
}

TEST_F(extension, notify__at_once)
{
	ASSERT_EQ(eventfd_write(self->event, 1), 0);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_NOTIFY, self->s, NULL, 0, &self->ov,
			     self->event, 0), 0);
	EXPECT_TRUE(event_is_set(self->event));
	EXPECT_EQ(ov_status(&self->ov), STATUS_SUCCESS);
	EXPECT_EQ(self->ov.st.internal_high, 0);
	EXPECT_TRUE(ov_intact(&self->ov));
	/* It never pended. */
	EXPECT_EQ(fdinfo(self->dev, "completed"), 0);
	EXPECT_EQ(counter("operations"), 0);
}

TEST_F(extension, notify__failure_ends_as_if_pending)
{
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_NOTIFY, self->s, NULL, 0, &self->ov,
			     self->event, EOPNOTSUPP), -EINPROGRESS);
	EXPECT_TRUE(event_is_set(self->event));
	EXPECT_EQ(ov_status(&self->ov), 0xc00000bbu);
	EXPECT_EQ(self->ov.st.internal_high, 0);
	EXPECT_EQ(fdinfo(self->dev, "completed"), 1);
	EXPECT_EQ(dev_wait(self->dev, &self->ov.st, 0), 0);
	EXPECT_EQ(dev_cancel(self->dev, self->s, &self->ov.st), -ENOENT);
	EXPECT_EQ(counter("operations"), 0);
}

/* Nor does it hold up, or let go ahead, what it passes. */
TEST_F(extension, notify__passes_others)
{
	char *big = calloc(1, 4 << 20), *sink = malloc(65536);
	size_t left = 4 << 20;
	struct ov ov;
	ssize_t n;
	int fds[2];

	ASSERT_EQ(tcp_pair(fds), 0);
	ASSERT_EQ(dev_adopt(self->dev, fds[0]), 0);
	left += fill(fds[0]);
	ASSERT_EQ(dev_send(self->dev, fds[0], big, 4 << 20, &ov), -EINPROGRESS);
	for (int err = 0; err <= EIO; err += EIO) {
		EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_NOTIFY, fds[0], NULL, 0, &self->ov,
				     self->event, err), err ? -EINPROGRESS : 0);
		EXPECT_TRUE(event_is_set(self->event));
		EXPECT_EQ(ov_status(&self->ov), err ? 0xc0000001u : STATUS_SUCCESS);
	}
	EXPECT_EQ(fdinfo(self->dev, "queued"), 1);
	while (left && (n = recv(fds[1], sink, 65536, 0)) > 0)
		left -= n;
	EXPECT_EQ(left, 0);
	EXPECT_EQ(dev_wait(self->dev, &ov.st, TIMEOUT_MS), 0);
	EXPECT_EQ(ov_status(&ov), STATUS_SUCCESS);
	close(fds[0]);
	close(fds[1]);
	free(big);
	free(sink);
}

TEST_F(extension, notify__bad)
{
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_NOTIFY, self->s, self->buf, 0, &self->ov, -1, 0),
		  -EINVAL);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_NOTIFY, self->s, NULL, 1, &self->ov, -1, 0),
		  -EINVAL);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_NOTIFY, self->s, NULL, 0, &self->ov, -1, 4096),
		  -EINVAL);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_NOTIFY, self->s, NULL, 0, &self->ov, self->dev,
			     0), -EINVAL);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_NOTIFY, self->l, NULL, 0, &self->ov, -1, 0),
		  -ENOTSOCK);
	EXPECT_EQ(ov_status(&self->ov), STATUS_PENDING);
	EXPECT_EQ(dev_cleanup(self->dev), 1);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_NOTIFY, self->s, NULL, 0, &self->ov, -1, 0),
		  -EBADFD);
	EXPECT_EQ(counter("operations"), 0);
}

/* A change ends all that were submitted before; it is not the socket's wake-up. */
TEST_F(extension, addresses__change)
{
	struct ov ov[100], after;

	for (int i = 0; i < 100; i++)
		ASSERT_EQ(dev_submit(self->dev, WSOCK_OP_ADDRESSES, self->s, NULL, 0, &ov[i],
				     i ? -1 : self->event, 0), -EINPROGRESS);
	EXPECT_EQ(dev_wait(self->dev, &ov[99].st, 60), -ETIME);
	EXPECT_EQ(fdinfo(self->dev, "queued"), 100);
	ASSERT_TRUE(address_change(AF_INET));
	for (int i = 0; i < 100; i++) {
		EXPECT_EQ(dev_wait(self->dev, &ov[i].st, TIMEOUT_MS), 0);
		EXPECT_EQ(ov_status(&ov[i]), STATUS_SUCCESS);
		EXPECT_EQ(ov[i].st.internal_high, 0);
	}
	EXPECT_TRUE(event_is_set(self->event));
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_ADDRESSES, self->s, NULL, 0, &after, -1, 0),
		  -EINPROGRESS);
	EXPECT_EQ(dev_wait(self->dev, &after.st, 60), -ETIME);
	EXPECT_EQ(dev_cancel(self->dev, self->s, &after.st), 1);
	EXPECT_EQ(ov_status(&after), STATUS_CANCELLED);
	EXPECT_EQ(counter("operations"), 0);
}

TEST_F(extension, addresses__bad)
{
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_ADDRESSES, self->l, NULL, 0, &self->ov, -1, 0),
		  -ENOTSOCK);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_ADDRESSES, self->s, self->buf, 0, &self->ov,
			     -1, 0), -EINVAL);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_ADDRESSES, self->s, NULL, 1, &self->ov, -1, 0),
		  -EINVAL);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_ADDRESSES, self->s, NULL, 0, &self->ov, -1, 1),
		  -EINVAL);
	EXPECT_EQ(counter("operations"), 0);
}

TEST_HARNESS_MAIN
