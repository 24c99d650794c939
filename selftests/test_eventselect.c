// SPDX-License-Identifier: GPL-2.0
/*
 * Network events by ioctl: when they are recorded, signalled, fetched and
 * recorded again, and that the end of a socket tells nobody.
 */
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <stddef.h>
#include <sys/mman.h>

#include "device.h"
#include "kselftest_harness.h"

#define READ	WSOCK_EVENT_READ
#define WRITE	WSOCK_EVENT_WRITE
#define OOB	WSOCK_EVENT_OOB
#define ACCEPT	WSOCK_EVENT_ACCEPT
#define CONNECT	WSOCK_EVENT_CONNECT
#define CLOSE	WSOCK_EVENT_CLOSE
#define ALL	(READ | WRITE | OOB | ACCEPT | CONNECT | CLOSE)

static int dev_select(int dev, int fd, int event, unsigned int mask)
{
	struct wsock_event_select args = { .fd = fd, .event_fd = event, .mask = mask };

	return dev_ioctl(dev, WSOCK_IOC_EVENT_SELECT, &args);
}

static int dev_deselect(int dev, int fd)
{
	return dev_select(dev, fd, -1, 0);
}

static int dev_inherit(int dev, int fd, int from)
{
	struct wsock_event_select args = {
		.fd = fd, .event_fd = from, .flags = WSOCK_EVENT_INHERIT,
	};

	return dev_ioctl(dev, WSOCK_IOC_EVENT_SELECT, &args);
}

static int dev_enable(int dev, int fd, unsigned int mask)
{
	struct wsock_event_enable args = { .fd = fd, .mask = mask };

	return dev_ioctl(dev, WSOCK_IOC_EVENT_ENABLE, &args);
}

/* Returns the events, or -errno. */
static int dev_enum(int dev, int fd, int event, int *errors)
{
	struct wsock_event_enum args = { .fd = fd, .event_fd = event };
	int ret;

	memset(&args.events, 0xa5, sizeof(args) - offsetof(struct wsock_event_enum, events));
	ret = dev_ioctl(dev, WSOCK_IOC_EVENT_ENUM, &args);
	if (ret)
		return ret;
	if (errors)
		memcpy(errors, args.errors, sizeof(args.errors));
	return args.events;
}

static bool wait_poll(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	return poll(&pfd, 1, TIMEOUT_MS) == 1;
}

static bool wait_tcp_state(int fd, int state)
{
	struct timespec ms = { .tv_nsec = 1000000 };
	struct tcp_info info;
	socklen_t len = sizeof(info);

	for (int i = 0; i < TIMEOUT_MS; i++) {
		if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len))
			return false;
		if (info.tcpi_state == state)
			return true;
		nanosleep(&ms, NULL);
	}
	return false;
}

static void reset_by_close(int fd)
{
	struct linger linger = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}

/* Take all there is; returns how much. */
static size_t drain(int fd)
{
	static char buf[65536];
	size_t total = 0;
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		total += n;
	return total;
}

FIXTURE(events)
{
	int dev;
	int s[2];	/* a TCP connection; s[0] is owned */
	int u[2];	/* UDP, likewise */
	int fresh;	/* a TCP socket, owned */
	int event;
	int errors[WSOCK_EVENT_ERRORS];
};

FIXTURE_SETUP(events)
{
	self->dev = dev_started();
	ASSERT_GE(self->dev, 0);
	ASSERT_EQ(tcp_pair(self->s), 0);
	ASSERT_EQ(udp_pair(self->u), 0);
	self->fresh = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ASSERT_EQ(dev_adopt(self->dev, self->s[0]), 0);
	ASSERT_EQ(dev_adopt(self->dev, self->u[0]), 0);
	ASSERT_EQ(dev_adopt(self->dev, self->fresh), 0);
	self->event = new_event();
}

FIXTURE_TEARDOWN(events)
{
	close(self->s[1]);
	close(self->u[1]);
	close(self->event);
	close(self->dev);
	EXPECT_TRUE(counters_zero());
	close(self->s[0]);
	close(self->u[0]);
	close(self->fresh);
}

#define SELECT(fd, mask)	EXPECT_EQ(dev_select(self->dev, fd, self->event, mask), 0)
#define ENABLE(fd, mask)	EXPECT_EQ(dev_enable(self->dev, fd, mask), 0)
#define QUIET()			EXPECT_FALSE(event_is_set(self->event))
/* The event comes, and with it exactly these. */
#define HAPPENS(fd, events) do {						\
	EXPECT_TRUE(event_wait(self->event));					\
	EXPECT_EQ(dev_enum(self->dev, fd, self->event, self->errors), events);	\
	QUIET();								\
} while (0)
/* A connection without a past: what it has to tell at first is fetched. */
#define SELECT_USED(fd, mask) do {						\
	SELECT(fd, mask);							\
	dev_enum(self->dev, fd, self->event, NULL);				\
	QUIET();								\
} while (0)

TEST_F(events, abi__every_field_is_checked)
{
	struct wsock_event_select sel = { .fd = self->s[0], .event_fd = self->event, .mask = READ };
	struct wsock_event_enum en = { .fd = self->s[0], .event_fd = -1 };
	int dev = self->dev, s = self->s[0], fds[2];

	for (int bit = 1; bit < 32; bit++) {
		sel.flags = 1u << bit;
		EXPECT_EQ(dev_ioctl(dev, WSOCK_IOC_EVENT_SELECT, &sel), -EINVAL);
	}
	sel.flags = WSOCK_EVENT_INHERIT;
	EXPECT_EQ(dev_ioctl(dev, WSOCK_IOC_EVENT_SELECT, &sel), -EINVAL);
	for (int bit = 0; bit < 32; bit++) {
		en.flags = 1u << bit;
		EXPECT_EQ(dev_ioctl(dev, WSOCK_IOC_EVENT_ENUM, &en), -EINVAL);
	}
	for (int bit = 6; bit < 32; bit++) {
		if (1u << bit == WSOCK_EVENT_ADDRESSES)
			continue;
		EXPECT_EQ(dev_select(dev, s, self->event, 1u << bit), -EINVAL);
		EXPECT_EQ(dev_enable(dev, s, 1u << bit), -EINVAL);
	}
	EXPECT_EQ(dev_select(dev, s, self->event, 0), -EINVAL);
	EXPECT_EQ(dev_select(dev, s, 0, 0), -EINVAL);
	EXPECT_EQ(dev_select(dev, s, -1, READ), -EINVAL);
	EXPECT_EQ(dev_select(dev, s, self->s[1], READ), -EINVAL);
	EXPECT_EQ(dev_enum(dev, s, self->s[1], NULL), -EINVAL);
	EXPECT_EQ(dev_enum(dev, s, 9999, NULL), -EINVAL);
	EXPECT_EQ(dev_inherit(dev, s, self->s[1]), -EINVAL);
	EXPECT_EQ(dev_inherit(dev, s, -1), -EINVAL);
	EXPECT_EQ(dev_ioctl(dev, WSOCK_IOC_EVENT_SELECT, NULL), -EFAULT);
	EXPECT_EQ(dev_ioctl(dev, WSOCK_IOC_EVENT_ENUM, NULL), -EFAULT);
	EXPECT_EQ(dev_ioctl(dev, WSOCK_IOC_EVENT_ENABLE, NULL), -EFAULT);
	EXPECT_EQ(counter("netevents"), 0);

	/* What is no owned socket */
	EXPECT_EQ(dev_select(dev, -1, self->event, READ), -EBADF);
	EXPECT_EQ(dev_enum(dev, -1, -1, NULL), -EBADF);
	EXPECT_EQ(dev_enable(dev, -1, READ), -EBADF);
	EXPECT_EQ(dev_select(dev, self->event, self->event, READ), -ENOTSOCK);
	EXPECT_EQ(dev_select(dev, self->s[1], self->event, READ), -ENOTSOCK);
	EXPECT_EQ(dev_enum(dev, self->s[1], -1, NULL), -ENOTSOCK);
	EXPECT_EQ(dev_enable(dev, self->s[1], READ), -ENOTSOCK);

	/* Neither registered, nor a past: nothing, but no error. */
	EXPECT_EQ(dev_enum(dev, s, -1, NULL), 0);
	EXPECT_EQ(dev_enable(dev, s, ALL), 0);
	EXPECT_EQ(dev_deselect(dev, s), 0);
	EXPECT_EQ(dev_inherit(dev, s, self->u[0]), 0);

	fds[0] = socket(AF_INET, SOCK_STREAM, 262 /* IPPROTO_MPTCP */);
	if (fds[0] >= 0) {
		EXPECT_EQ(dev_adopt(dev, fds[0]), 0);
		EXPECT_EQ(dev_select(dev, fds[0], self->event, READ), -EOPNOTSUPP);
		close(fds[0]);
	}

	EXPECT_EQ(dev_cleanup(dev), 1);
	EXPECT_EQ(dev_select(dev, s, self->event, READ), -EBADFD);
	EXPECT_EQ(dev_enum(dev, s, -1, NULL), -EBADFD);
	EXPECT_EQ(dev_enable(dev, s, READ), -EBADFD);
}

TEST_F(events, connect__once_with_write)
{
	int l = tcp_listener();
	struct sockaddr_in sin = loopback(local_port(l));

	SELECT(self->fresh, ALL);
	QUIET();
	EXPECT_EQ(dev_enum(self->dev, self->fresh, self->event, NULL), 0);
	EXPECT_EQ(connect(self->fresh, (struct sockaddr *)&sin, sizeof(sin)), -1);
	EXPECT_EQ(errno, EINPROGRESS);
	EXPECT_TRUE(wait_poll(self->fresh, POLLOUT));
	HAPPENS(self->fresh, CONNECT | WRITE);
	for (int i = 0; i < WSOCK_EVENT_ERRORS; i++)
		EXPECT_EQ(self->errors[i], 0);
	EXPECT_EQ(send(self->fresh, "x", 1, 0), 1);
	SELECT(self->fresh, ALL);
	QUIET();
	EXPECT_EQ(dev_enum(self->dev, self->fresh, -1, NULL), 0);
	close(l);
}

TEST_F(events, connect__failure_then_another_try)
{
	int l = tcp_listener();
	struct sockaddr_in sin = loopback(local_port(l));

	close(l);
	SELECT(self->fresh, ALL);
	EXPECT_EQ(connect(self->fresh, (struct sockaddr *)&sin, sizeof(sin)), -1);
	HAPPENS(self->fresh, CONNECT);
	EXPECT_EQ(self->errors[4], ECONNREFUSED);
	EXPECT_EQ(self->errors[5], 0);

	l = tcp_listener();
	sin = loopback(local_port(l));
	/* Linux has to tell the failure first. */
	while (connect(self->fresh, (struct sockaddr *)&sin, sizeof(sin)) && errno != EINPROGRESS)
		;
	ENABLE(self->fresh, CONNECT);
	HAPPENS(self->fresh, CONNECT | WRITE);
	EXPECT_EQ(self->errors[4], 0);
	close(l);
}

TEST_F(events, connect__selected_afterwards)
{
	SELECT(self->s[0], CONNECT);
	HAPPENS(self->s[0], CONNECT);
	SELECT(self->s[0], CONNECT | WRITE);
	HAPPENS(self->s[0], WRITE);
}

TEST_F(events, read__level_after_enable)
{
	char c;

	SELECT_USED(self->s[0], ALL);
	EXPECT_EQ(send(self->s[1], "four", 4, 0), 4);
	HAPPENS(self->s[0], READ);
	/* Consumed: neither more data nor another look tell it again. */
	EXPECT_EQ(send(self->s[1], "more", 4, 0), 4);
	for (int i = 0; i < 5; i++) {
		SELECT(self->s[0], ALL);
		QUIET();
	}
	EXPECT_EQ(dev_deselect(self->dev, self->s[0]), 0);
	SELECT(self->s[0], ALL);
	QUIET();
	EXPECT_EQ(dev_enum(self->dev, self->s[0], -1, NULL), 0);
	/* A receive does, while there is something. */
	EXPECT_EQ(recv(self->s[0], &c, 1, 0), 1);
	ENABLE(self->s[0], READ);
	HAPPENS(self->s[0], READ);
	EXPECT_EQ(drain(self->s[0]), 7);
	ENABLE(self->s[0], READ);
	QUIET();
	EXPECT_EQ(dev_enum(self->dev, self->s[0], -1, NULL), 0);
	EXPECT_EQ(send(self->s[1], "four", 4, 0), 4);
	HAPPENS(self->s[0], READ);
}

TEST_F(events, read__forgotten_when_taken_unfetched)
{
	SELECT_USED(self->s[0], ALL);
	EXPECT_EQ(send(self->s[1], "four", 4, 0), 4);
	EXPECT_TRUE(event_wait(self->event));
	EXPECT_EQ(drain(self->s[0]), 4);
	ENABLE(self->s[0], READ);
	EXPECT_EQ(dev_enum(self->dev, self->s[0], self->event, NULL), 0);
	QUIET();
}

TEST_F(events, write__after_would_block)
{
	SELECT_USED(self->s[0], ALL);
	EXPECT_GT(fill(self->s[0]), 0);
	ENABLE(self->s[0], WRITE);
	QUIET();
	while (!event_is_set(self->event) && drain(self->s[1]))
		wait_poll(self->s[1], POLLIN);
	HAPPENS(self->s[0], WRITE);
	/* Room alone is no news. */
	EXPECT_EQ(send(self->s[0], "x", 1, 0), 1);
	SELECT(self->s[0], ALL);
	QUIET();
}

static bool is_full(int fd)
{
	unsigned int mem[SK_MEMINFO_VARS];
	socklen_t len = sizeof(mem);

	return getsockopt(fd, SOL_SOCKET, SO_MEMINFO, mem, &len) ||
	       mem[SK_MEMINFO_WMEM_QUEUED] + mem[SK_MEMINFO_WMEM_QUEUED] / 2 >
	       mem[SK_MEMINFO_SNDBUF];
}

static int in_flight(int fd)
{
	int queued = 0, unsent = 0;

	ioctl(fd, SIOCOUTQ, &queued);
	ioctl(fd, SIOCOUTQNSD, &unsent);
	return queued - unsent;
}

/*
 * Sends until there is too little room for Linux to call it writable, but stops
 * before one fails (or poll(2) finds out): that would have the stream tell.
 */
static void fill_unnoticed(int fd)
{
	static const char data[2048];

	do {
		while (!is_full(fd) && send(fd, data, sizeof(data), MSG_DONTWAIT) == sizeof(data))
			;
		/* What is under way makes room again as it is acknowledged. */
		for (int i = 0; i < 1000 && in_flight(fd); i++)
			usleep(1000);
	} while (!is_full(fd));
}

TEST_F(events, write__selected_without_room)
{
	fill_unnoticed(self->s[0]);
	SELECT(self->s[0], WRITE);
	QUIET();
	while (!event_is_set(self->event) && drain(self->s[1]))
		wait_poll(self->s[1], POLLIN);
	HAPPENS(self->s[0], WRITE);
}

TEST_F(events, accept__level_and_inherited)
{
	int l = tcp_listener(), c[2], a[2];

	ASSERT_EQ(dev_adopt(self->dev, l), 0);
	SELECT(l, ALL);
	QUIET();
	c[0] = tcp_connect(local_port(l));
	HAPPENS(l, ACCEPT);
	c[1] = tcp_connect(local_port(l));
	EXPECT_TRUE(wait_poll(l, POLLIN));
	QUIET();
	SELECT(l, ALL);
	QUIET();
	a[0] = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	ENABLE(l, ACCEPT);
	HAPPENS(l, ACCEPT);
	a[1] = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	ENABLE(l, ACCEPT);
	QUIET();

	ASSERT_EQ(dev_adopt(self->dev, a[0]), 0);
	EXPECT_EQ(dev_inherit(self->dev, a[0], l), 1);
	HAPPENS(a[0], WRITE);
	EXPECT_EQ(send(c[0], "x", 1, 0), 1);
	HAPPENS(a[0], READ);
	/* On its own from then on */
	EXPECT_EQ(dev_deselect(self->dev, l), 0);
	close(c[0]);
	HAPPENS(a[0], CLOSE);
	ASSERT_EQ(dev_adopt(self->dev, a[1]), 0);
	EXPECT_EQ(dev_inherit(self->dev, a[1], l), 0);
	EXPECT_EQ(counter("netevents"), 1);
	close(c[1]);
	close(l);
	close(a[0]);
	close(a[1]);
}

TEST_F(events, oob__or_read_when_inline)
{
	int on = 1;

	SELECT_USED(self->s[0], ALL);
	EXPECT_EQ(send(self->s[1], "!", 1, MSG_OOB), 1);
	HAPPENS(self->s[0], OOB);
	SELECT(self->s[0], ALL);
	QUIET();
	EXPECT_EQ(setsockopt(self->s[0], SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)), 0);
	EXPECT_EQ(drain(self->s[0]), 1);
	ENABLE(self->s[0], OOB);
	QUIET();
	EXPECT_EQ(send(self->s[1], "!", 1, MSG_OOB), 1);
	HAPPENS(self->s[0], READ);
}

/* The urgent byte, taken or not, does not hide what comes after it. */
TEST_F(events, oob__and_data_behind_it)
{
	char c;

	SELECT_USED(self->s[0], ALL);
	EXPECT_EQ(send(self->s[1], "!", 1, MSG_OOB), 1);
	HAPPENS(self->s[0], OOB);
	EXPECT_EQ(send(self->s[1], "a", 1, 0), 1);
	HAPPENS(self->s[0], READ);
	EXPECT_EQ(recv(self->s[0], &c, 1, MSG_OOB), 1);
	ENABLE(self->s[0], OOB | READ);
	HAPPENS(self->s[0], READ);
	EXPECT_EQ(drain(self->s[0]), 1);
	ENABLE(self->s[0], OOB | READ);
	QUIET();
	EXPECT_EQ(send(self->s[1], "!", 1, MSG_OOB), 1);
	EXPECT_EQ(shutdown(self->s[1], SHUT_WR), 0);
	while (!(dev_enum(self->dev, self->s[0], self->event, NULL) & CLOSE))
		EXPECT_TRUE(event_wait(self->event));
	ENABLE(self->s[0], READ);
	QUIET();
}

TEST_F(events, close__fin_once_before_the_data_is_read)
{
	SELECT_USED(self->s[0], ALL);
	EXPECT_EQ(send(self->s[1], "data", 4, 0), 4);
	HAPPENS(self->s[0], READ);
	EXPECT_EQ(shutdown(self->s[1], SHUT_WR), 0);
	HAPPENS(self->s[0], CLOSE);
	EXPECT_EQ(self->errors[5], 0);
	EXPECT_EQ(drain(self->s[0]), 4);
	/* The end itself is nothing to read. */
	ENABLE(self->s[0], READ);
	SELECT(self->s[0], ALL);
	QUIET();
	/* Nor is a reset after it another end. */
	reset_by_close(self->s[1]);
	EXPECT_TRUE(wait_tcp_state(self->s[0], TCP_CLOSE));
	QUIET();
	self->s[1] = -1;
}

TEST_F(events, close__reset_is_an_abort)
{
	SELECT_USED(self->s[0], ALL);
	reset_by_close(self->s[1]);
	self->s[1] = -1;
	HAPPENS(self->s[0], CLOSE);
	EXPECT_EQ(self->errors[5], ECONNABORTED);
	SELECT(self->s[0], ALL);
	QUIET();
}

TEST_F(events, close__selected_after_the_reset)
{
	reset_by_close(self->s[1]);
	self->s[1] = -1;
	EXPECT_TRUE(wait_tcp_state(self->s[0], TCP_CLOSE));
	/* Somebody has taken the error already. */
	EXPECT_EQ(recv(self->s[0], self->errors, 1, 0), -1);
	SELECT(self->s[0], CLOSE);
	HAPPENS(self->s[0], CLOSE);
	EXPECT_EQ(self->errors[5], ECONNABORTED);
}

TEST_F(events, close__not_by_own_shutdown)
{
	SELECT_USED(self->s[0], ALL);
	EXPECT_EQ(shutdown(self->s[0], SHUT_RD), 0);
	EXPECT_EQ(shutdown(self->s[0], SHUT_WR), 0);
	EXPECT_TRUE(wait_poll(self->s[1], POLLRDHUP));
	SELECT(self->s[0], ALL);
	QUIET();
	/* Both ends of a connection that ended well */
	close(self->s[1]);
	self->s[1] = -1;
	HAPPENS(self->s[0], CLOSE);
	EXPECT_EQ(self->errors[5], 0);
}

TEST_F(events, udp__write_once_and_read)
{
	char c;

	for (int i = 0; i < 5; i++) {
		SELECT(self->u[0], ALL);
		EXPECT_EQ(dev_enum(self->dev, self->u[0], self->event, NULL), i ? 0 : WRITE);
	}
	EXPECT_EQ(send(self->u[1], "1", 1, 0), 1);
	EXPECT_EQ(send(self->u[1], "2", 1, 0), 1);
	HAPPENS(self->u[0], READ);
	EXPECT_EQ(recv(self->u[0], &c, 1, 0), 1);
	ENABLE(self->u[0], READ);
	HAPPENS(self->u[0], READ);
	EXPECT_EQ(recv(self->u[0], &c, 1, 0), 1);
	ENABLE(self->u[0], READ);
	QUIET();
	/* A refusal is what a receive has to tell. */
	close(self->u[1]);
	self->u[1] = -1;
	EXPECT_EQ(send(self->u[0], "3", 1, 0), 1);
	HAPPENS(self->u[0], READ);
	EXPECT_EQ(self->errors[0], 0);
	EXPECT_EQ(recv(self->u[0], &c, 1, 0), -1);
	EXPECT_EQ(errno, ECONNREFUSED);
	ENABLE(self->u[0], READ);
	QUIET();
}

TEST_F(events, select__replaces_and_starts_a_new_record)
{
	int other = new_event();

	EXPECT_EQ(send(self->s[1], "data", 4, 0), 4);
	EXPECT_TRUE(wait_poll(self->s[0], POLLIN));
	SELECT(self->s[0], READ | WRITE);
	EXPECT_TRUE(event_is_set(self->event));
	/* WRITE is not selected any more, and not consumed by the fetch. */
	EXPECT_EQ(dev_select(self->dev, self->s[0], other, READ), 0);
	EXPECT_TRUE(event_is_set(self->event));
	EXPECT_TRUE(event_is_set(other));
	EXPECT_EQ(dev_enum(self->dev, self->s[0], other, NULL), READ);
	EXPECT_FALSE(event_is_set(other));
	EXPECT_TRUE(event_is_set(self->event));
	EXPECT_EQ(dev_enum(self->dev, self->s[0], self->event, NULL), 0);
	EXPECT_EQ(counter("netevents"), 1);
	SELECT(self->s[0], READ | WRITE);
	HAPPENS(self->s[0], WRITE);
	/* Without a registration there is no record and no signal. */
	ENABLE(self->s[0], READ);
	EXPECT_EQ(dev_deselect(self->dev, self->s[0]), 0);
	EXPECT_EQ(counter("netevents"), 0);
	EXPECT_EQ(dev_enum(self->dev, self->s[0], self->event, NULL), 0);
	EXPECT_EQ(send(self->s[1], "data", 4, 0), 4);
	ENABLE(self->s[0], READ | WRITE | CLOSE);
	QUIET();
	EXPECT_FALSE(event_is_set(other));
	close(other);
}

TEST_F(events, select__signals_only_what_is_new)
{
	eventfd_t count;

	SELECT_USED(self->u[0], READ | WRITE);
	for (int i = 0; i < 5; i++) {
		EXPECT_EQ(send(self->u[1], "x", 1, 0), 1);
		EXPECT_TRUE(event_wait(self->event));
	}
	EXPECT_EQ(eventfd_read(self->event, &count), 0);
	EXPECT_EQ(count, 1);
}

TEST_F(events, enum__leaves_the_event_when_not_given)
{
	SELECT(self->s[0], ALL);
	EXPECT_EQ(dev_enum(self->dev, self->s[0], -1, NULL), CONNECT | WRITE);
	EXPECT_TRUE(event_is_set(self->event));
}

/* What could not be stored is told again, to the event too. */
TEST_F(events, enum__cannot_store)
{
	struct wsock_event_enum *args = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
					     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE((void *)args, MAP_FAILED);
	args->fd = self->s[0];
	args->event_fd = self->event;
	ASSERT_EQ(mprotect(args, 4096, PROT_READ), 0);
	SELECT(self->s[0], WRITE);
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_EVENT_ENUM, args), -EFAULT);
	EXPECT_TRUE(event_is_set(self->event));
	EXPECT_EQ(dev_enum(self->dev, self->s[0], self->event, NULL), WRITE);
	EXPECT_FALSE(event_is_set(self->event));
	munmap(args, 4096);
}

TEST_F(events, select__the_event_may_be_closed_and_the_descriptor_used_again)
{
	int event = new_event(), copy = fcntl(event, F_DUPFD_CLOEXEC, 0);

	EXPECT_EQ(dev_select(self->dev, self->s[0], event, READ), 0);
	close(event);
	EXPECT_EQ(send(self->s[1], "x", 1, 0), 1);
	EXPECT_TRUE(event_wait(copy));
	close(copy);
	EXPECT_EQ(dev_enum(self->dev, self->s[0], -1, NULL), READ);
	EXPECT_EQ(drain(self->s[0]), 1);
	ENABLE(self->s[0], READ);
	EXPECT_EQ(send(self->s[1], "x", 1, 0), 1);
	EXPECT_TRUE(wait_poll(self->s[0], POLLIN));
	EXPECT_EQ(dev_enum(self->dev, self->s[0], -1, NULL), READ);
}

TEST_F(events, read__belongs_to_a_posted_receive)
{
	char buf[8];
	struct ov ov;

	SELECT_USED(self->s[0], ALL);
	EXPECT_EQ(dev_recv(self->dev, self->s[0], buf, 4, &ov), -EINPROGRESS);
	EXPECT_EQ(send(self->s[1], "four", 4, 0), 4);
	EXPECT_EQ(dev_wait(self->dev, &ov.st, TIMEOUT_MS), 0);
	EXPECT_EQ(ov_status(&ov), STATUS_SUCCESS);
	EXPECT_EQ(dev_enum(self->dev, self->s[0], -1, NULL), 0);
	QUIET();
	/* What it leaves does not. */
	EXPECT_EQ(dev_recv(self->dev, self->s[0], buf, 1, &ov), -EINPROGRESS);
	EXPECT_EQ(send(self->s[1], "four", 4, 0), 4);
	EXPECT_EQ(dev_wait(self->dev, &ov.st, TIMEOUT_MS), 0);
	HAPPENS(self->s[0], READ);
	/* Nor does what is there when one was done at once, which re-enables. */
	EXPECT_EQ(dev_recv(self->dev, self->s[0], buf, 1, &ov), 1);
	HAPPENS(self->s[0], READ);
	EXPECT_EQ(dev_recv(self->dev, self->s[0], buf, 2, &ov), 2);
	QUIET();
	EXPECT_EQ(send(self->s[1], "x", 1, 0), 1);
	HAPPENS(self->s[0], READ);
}

TEST_F(events, read__after_a_cancelled_receive)
{
	char buf[8];
	struct ov ov[2];

	SELECT_USED(self->s[0], ALL);
	/* The second waits for more than comes. */
	EXPECT_EQ(dev_recv(self->dev, self->s[0], buf, 4, &ov[0]), -EINPROGRESS);
	EXPECT_EQ(dev_recv(self->dev, self->s[0], buf, 4, &ov[1]), -EINPROGRESS);
	EXPECT_EQ(send(self->s[1], "four", 4, 0), 4);
	EXPECT_EQ(dev_wait(self->dev, &ov[0].st, TIMEOUT_MS), 0);
	EXPECT_EQ(dev_cancel(self->dev, self->s[0], &ov[1].st), 1);
	QUIET();
	EXPECT_EQ(send(self->s[1], "four", 4, 0), 4);
	HAPPENS(self->s[0], READ);
}

TEST_F(events, read__close_is_told_beside_a_posted_receive)
{
	char buf[8];
	struct ov ov;

	SELECT_USED(self->s[0], ALL);
	EXPECT_EQ(dev_recv(self->dev, self->s[0], buf, 4, &ov), -EINPROGRESS);
	close(self->s[1]);
	self->s[1] = -1;
	HAPPENS(self->s[0], CLOSE);
	EXPECT_EQ(dev_wait(self->dev, &ov.st, TIMEOUT_MS), 0);
	QUIET();
}

/* ---- Lifetimes ---- */

TEST_F(events, close2__of_a_registered_socket_closes_the_connection)
{
	int fd = self->s[0], again;

	SELECT_USED(fd, ALL);
	close(fd);
	EXPECT_EQ(peer_end(self->s[1]), 0);
	QUIET();
	EXPECT_EQ(dev_enum(self->dev, fd, -1, NULL), -EBADF);
	/* The number is used again: what was left of the old one goes. */
	again = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ASSERT_EQ(again, fd);
	EXPECT_EQ(dev_enum(self->dev, fd, -1, NULL), -ENOTSOCK);
	EXPECT_EQ(counter("netevents"), 1);
	EXPECT_EQ(dev_adopt(self->dev, again), 0);
	EXPECT_EQ(counter("netevents"), 0);
	EXPECT_EQ(dev_enum(self->dev, again, -1, NULL), 0);
}

TEST_F(events, duplicates__share_one_registration)
{
	int copy = fcntl(self->s[0], F_DUPFD_CLOEXEC, 0);

	ASSERT_EQ(dev_adopt(self->dev, copy), 0);
	SELECT_USED(self->s[0], ALL);
	SELECT(copy, ALL);
	EXPECT_EQ(counter("netevents"), 1);
	EXPECT_EQ(send(self->s[1], "x", 1, 0), 1);
	HAPPENS(copy, READ);
	EXPECT_EQ(dev_enum(self->dev, self->s[0], -1, NULL), 0);
	EXPECT_EQ(dev_closesocket(self->dev, copy), 0);
	EXPECT_EQ(counter("netevents"), 1);
	shutdown(self->s[1], SHUT_WR);
	HAPPENS(self->s[0], CLOSE);
}

/* Registered for all, with nothing left to tell and things to come. */
#define EXPECT_SILENT() do {							\
	QUIET();								\
	EXPECT_EQ(eventfd_write(self->event, 1), 0);				\
	EXPECT_TRUE(event_is_set(self->event));					\
} while (0)

TEST_F(events, C21__closesocket_is_silent)
{
	char buf[8];
	struct ov ov;

	SELECT_USED(self->s[0], ALL);
	SELECT_USED(self->u[0], ALL);
	/* A posted receive makes it a reset. */
	EXPECT_EQ(dev_recv(self->dev, self->s[0], buf, 4, &ov), -EINPROGRESS);
	EXPECT_EQ(dev_closesocket(self->dev, self->s[0]), 0);
	EXPECT_EQ(dev_closesocket(self->dev, self->u[0]), 0);
	EXPECT_EQ(peer_end(self->s[1]), -ECONNRESET);
	EXPECT_EQ(counter("netevents"), 0);
	EXPECT_SILENT();
}

TEST_F(events, C22__cleanup_is_silent)
{
	/* Somebody keeps it, and would see it become readable. */
	int copy = fcntl(self->s[0], F_DUPFD_CLOEXEC, 0);

	SELECT_USED(self->s[0], ALL);
	SELECT_USED(self->u[0], ALL);
	SELECT(self->fresh, ALL);
	EXPECT_EQ(dev_cleanup(self->dev), 1);
	EXPECT_EQ(peer_end(self->s[1]), -ECONNRESET);
	EXPECT_TRUE(wait_poll(copy, POLLIN));
	EXPECT_EQ(counter("netevents"), 0);
	EXPECT_SILENT();
	close(copy);
}

TEST_F(events, C22__close_of_the_device_is_silent)
{
	SELECT_USED(self->s[0], ALL);
	close(self->dev);
	self->dev = -1;
	EXPECT_EQ(peer_end(self->s[1]), -ECONNRESET);
	EXPECT_TRUE(wait_poll(self->s[0], POLLIN));
	EXPECT_EQ(counter("netevents"), 0);
	EXPECT_SILENT();
}

static void be_killed(void)
{
	pause();
}

static void exit_well(void)
{
	_exit(0);
}

static void exec_self(void)
{
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	execl("/proc/self/exe", "test", "-h", NULL);
}

/*
 * A child registers a socket of its own for @event, and ends. Returns what its
 * peer sees, or an error of ours.
 */
static int child_ends(int event, void (*how)(void))
{
	int fds[2], ready[2], end;
	pid_t pid;
	char byte;

	if (pipe2(ready, O_CLOEXEC) || tcp_pair(fds))
		return -errno;
	pid = fork();
	if (!pid) {
		int dev = dev_started();

		close(fds[1]);
		if (dev_adopt(dev, fds[0]) || dev_select(dev, fds[0], event, ALL) ||
		    dev_enum(dev, fds[0], event, NULL) != (CONNECT | WRITE) ||
		    write(ready[1], "r", 1) != 1)
			_exit(1);
		how();
		_exit(1);
	}
	close(fds[0]);
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		return -EPROTO;
	if (how == be_killed)
		kill(pid, SIGKILL);
	end = peer_end(fds[1]);
	waitpid(pid, NULL, 0);
	close(fds[1]);
	close(ready[0]);
	return end;
}

TEST_F(events, C22__kill_is_silent)
{
	EXPECT_EQ(child_ends(self->event, be_killed), -ECONNRESET);
	EXPECT_SILENT();
}

TEST_F(events, C22__exit_is_silent)
{
	EXPECT_EQ(child_ends(self->event, exit_well), -ECONNRESET);
	EXPECT_SILENT();
}

TEST_F(events, C22__exec_is_silent)
{
	EXPECT_EQ(child_ends(self->event, exec_self), -ECONNRESET);
	EXPECT_SILENT();
}

TEST_F(events, C35__each_owner_has_its_own_registration)
{
	int go[2], done[2], status, theirs = new_event();
	char byte;
	pid_t pid;

	ASSERT_EQ(pipe2(go, O_CLOEXEC), 0);
	ASSERT_EQ(pipe2(done, O_CLOEXEC), 0);
	SELECT_USED(self->s[0], ALL);
	pid = fork();
	if (!pid) {
		int dev;

		close(self->dev);
		close(go[1]);
		close(self->s[1]);
		dev = dev_started();
		if (dev_adopt(dev, self->s[0]) ||
		    dev_select(dev, self->s[0], theirs, ALL) ||
		    dev_enum(dev, self->s[0], theirs, NULL) != (CONNECT | WRITE))
			_exit(1);
		if (write(done[1], "x", 1) != 1 || read(go[0], &byte, 1) != 1)
			_exit(2);
		/* Our father has released his. */
		if (event_is_set(theirs) || write(done[1], "x", 1) != 1)
			_exit(3);
		if (read(go[0], &byte, 1) != 0 || !event_wait(theirs) ||
		    dev_enum(dev, self->s[0], theirs, NULL) != READ)
			_exit(4);
		_exit(0);
	}
	EXPECT_EQ(read(done[0], &byte, 1), 1);
	EXPECT_EQ(counter("netevents"), 2);
	EXPECT_EQ(dev_cleanup(self->dev), 1);
	EXPECT_EQ(counter("netevents"), 1);
	EXPECT_EQ(write(go[1], "x", 1), 1);
	close(done[1]);
	EXPECT_EQ(read(done[0], &byte, 1), 1);
	EXPECT_EQ(send(self->s[1], "data", 4, 0), 4);
	close(go[1]);
	EXPECT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	QUIET();
	close(go[0]);
	close(done[0]);
	close(theirs);
}

/* ---- Races ---- */

static unsigned int seed;
static int iterations;

static void __attribute__((constructor)) choose(void)
{
	seed = env_seed();
	iterations = env_number("WSOCK_ITERATIONS", 10000);
}

static void spin(unsigned int *s, unsigned int max)
{
	for (volatile unsigned int n = rand_r(s) % max; n; n--)
		;
}

struct race {
	int dev, own, event;
	int peer;
	bool stop;
	unsigned int seed;
	pthread_barrier_t start, end;
};

static bool stopped(struct race *r)
{
	return __atomic_load_n(&r->stop, __ATOMIC_ACQUIRE);
}

/* Selects the same again and again, and now and then nothing in between. */
static void *reselect_thread(void *arg)
{
	struct race *r = arg;
	unsigned int s = r->seed + 1;

	while (!stopped(r)) {
		spin(&s, 3000);
		if (rand_r(&s) % 8 == 0)
			dev_deselect(r->dev, r->own);
		dev_select(r->dev, r->own, r->event, ALL);
	}
	return NULL;
}

/* One byte for one byte: each waits for the other, so that none may be lost. */
static void *sender_thread(void *arg)
{
	struct race *r = arg;
	unsigned int s = r->seed + 2;
	char c;

	for (int i = 0; i < iterations; i++) {
		spin(&s, 3000);
		if (send(r->peer, "x", 1, 0) != 1 || !wait_poll(r->peer, POLLIN) ||
		    recv(r->peer, &c, 1, 0) != 1)
			break;
	}
	return NULL;
}

FIXTURE(races)
{
	struct race r;
};

FIXTURE_VARIANT(races)
{
	bool udp;
	bool alone;	/* nobody selects anew, and so repairs what was lost */
};

FIXTURE_VARIANT_ADD(races, tcp) {};
FIXTURE_VARIANT_ADD(races, alone) { .alone = true };
FIXTURE_VARIANT_ADD(races, udp) { .udp = true };

FIXTURE_SETUP(races)
{
	self->r.event = new_event();
	self->r.seed = seed;
	pthread_barrier_init(&self->r.start, NULL, 3);
	pthread_barrier_init(&self->r.end, NULL, 3);
	TH_LOG("WSOCK_SEED=%u", seed);
}

FIXTURE_TEARDOWN(races)
{
	close(self->r.event);
	EXPECT_TRUE(counters_zero());
}

static int race_open(struct race *r, bool udp)
{
	int fds[2];

	r->dev = dev_started();
	if (r->dev < 0 || (udp ? udp_pair(fds) : tcp_pair(fds)))
		return -1;
	r->own = fds[0];
	r->peer = fds[1];
	return dev_adopt(r->dev, r->own);
}

TEST_F_TIMEOUT(races, no_event_is_lost, 600)
{
	struct race *r = &self->r;
	pthread_t sender, reselector;
	unsigned int s = seed;
	int done = 0;

	ASSERT_EQ(race_open(r, variant->udp), 0);
	ASSERT_EQ(dev_select(r->dev, r->own, r->event, ALL), 0);
	ASSERT_EQ(pthread_create(&sender, NULL, sender_thread, r), 0);
	if (!variant->alone)
		ASSERT_EQ(pthread_create(&reselector, NULL, reselect_thread, r), 0);
	while (done < iterations) {
		char c;

		/* First without being told: what comes just then must be kept. */
		if (!(dev_enum(r->dev, r->own, r->event, NULL) & READ)) {
			if (!event_wait(r->event))
				break;
			continue;
		}
		spin(&s, 2000);
		/* A receive in vain re-enables too. */
		while (recv(r->own, &c, 1, MSG_DONTWAIT) == 1) {
			done++;
			if (send(r->own, "y", 1, 0) != 1)
				break;
			if (rand_r(&s) % 2)
				break;
		}
		dev_enable(r->dev, r->own, READ);
	}
	EXPECT_EQ(done, iterations);
	__atomic_store_n(&r->stop, true, __ATOMIC_RELEASE);
	shutdown(r->peer, SHUT_RDWR);
	pthread_join(sender, NULL);
	if (!variant->alone)
		pthread_join(reselector, NULL);
	close(r->dev);
	close(r->own);
	close(r->peer);
}

static void *wakeups_thread(void *arg)
{
	struct race *r = arg;
	unsigned int s = r->seed + 3;

	for (;;) {
		pthread_barrier_wait(&r->start);
		if (stopped(r))
			return NULL;
		for (int i = 0; i < 6; i++) {
			spin(&s, 1500);
			send(r->peer, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		}
		if (rand_r(&s) % 8 == 0)
			shutdown(r->peer, SHUT_WR);
		pthread_barrier_wait(&r->end);
	}
}

static void *calls_thread(void *arg)
{
	struct race *r = arg;
	unsigned int s = r->seed + 4;
	struct ov ov;
	char buf[8];

	for (;;) {
		pthread_barrier_wait(&r->start);
		if (stopped(r))
			return NULL;
		for (int i = 0; i < 8; i++) {
			spin(&s, 1500);
			switch (rand_r(&s) % 8) {
			case 0:
				dev_deselect(r->dev, r->own);
				break;
			case 1 ... 2:
				dev_select(r->dev, r->own, r->event, ALL);
				break;
			case 3:
				dev_recv(r->dev, r->own, buf, 1, &ov);
				break;
			case 4:
				dev_enable(r->dev, r->own, ALL);
				break;
			default:
				dev_enum(r->dev, r->own, r->event, NULL);
			}
		}
		pthread_barrier_wait(&r->end);
	}
}

TEST_F_TIMEOUT(races, the_end_is_silent_whenever_it_comes, 900)
{
	struct race *r = &self->r;
	pthread_t threads[2];
	unsigned int s = seed;
	bool late = false;
	eventfd_t count;

	ASSERT_EQ(pthread_create(&threads[0], NULL, wakeups_thread, r), 0);
	ASSERT_EQ(pthread_create(&threads[1], NULL, calls_thread, r), 0);
	for (int i = 0; i < iterations && !late; i++) {
		unsigned int how = rand_r(&s) % 4;

		ASSERT_EQ(race_open(r, variant->udp), 0);
		ASSERT_EQ(dev_select(r->dev, r->own, r->event, ALL), 0);
		pthread_barrier_wait(&r->start);
		spin(&s, 12000);
		EXPECT_EQ(how ? dev_cleanup(r->dev) : dev_closesocket(r->dev, r->own), !!how);
		/* Nobody signals it from here on, as those calls that still come fail. */
		eventfd_read(r->event, &count);
		send(r->peer, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		pthread_barrier_wait(&r->end);
		late = event_is_set(r->event);
		close(r->dev);
		close(r->peer);
	}
	EXPECT_FALSE(late);
	__atomic_store_n(&r->stop, true, __ATOMIC_RELEASE);
	pthread_barrier_wait(&r->start);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
}

TEST_HARNESS_MAIN
