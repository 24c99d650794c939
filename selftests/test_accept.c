// SPDX-License-Identifier: GPL-2.0
/*
 * The ACCEPT operation by ioctl: an acceptor becomes the connection.
 */
#include <sched.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "ports.h"
#include "uring.h"
#include "kselftest_harness.h"

#define STATUS_BUFFER_TOO_SMALL		0xc0000023u
#define STATUS_INVALID_PARAMETER	0xc000000du

#define ROOM	32	/* for an IPv4 address, as Winsock wants it */

FIXTURE(accept)
{
	int dev;
	int l;		/* an owned listener */
	int a;		/* an owned acceptor */
	int event;
	char buf[256];
	struct ov ov;
};

FIXTURE_VARIANT(accept)
{
	const char *workers;
};

FIXTURE_VARIANT_ADD(accept, task_work) { .workers = "0" };
FIXTURE_VARIANT_ADD(accept, worker) { .workers = "1" };

static int acceptor(int dev)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return dev_adopt(dev, fd) ? -1 : fd;
}

FIXTURE_SETUP(accept)
{
	set_param("workers", variant->workers);
	self->dev = dev_started();
	ASSERT_GE(self->dev, 0);
	self->l = tcp_listener();
	ASSERT_GE(self->l, 0);
	ASSERT_EQ(dev_adopt(self->dev, self->l), 0);
	self->a = acceptor(self->dev);
	ASSERT_GE(self->a, 0);
	self->event = new_event();
	memset(self->buf, 0xa5, sizeof(self->buf));
}

FIXTURE_TEARDOWN(accept)
{
	close(self->event);
	close(self->dev);
	EXPECT_TRUE(counters_zero());
	close(self->a);
	close(self->l);
	set_param("workers", "0");
}

static int dev_accept(int dev, int l, int a, void *buf, int data, int local, int remote,
		      struct ov *ov, int event)
{
	struct wsock_accept args = {
		.buffer = (unsigned long)buf,
		.data_len = data,
		.local_len = local,
		.remote_len = remote,
		.fd = a,
	};

	return dev_submit(dev, WSOCK_OP_ACCEPT, l, &args, sizeof(args), ov, event, 0);
}

static bool poisoned(const char *p, size_t n)
{
	while (n--) {
		if ((unsigned char)*p++ != 0xa5)
			return false;
	}
	return true;
}

static int port_in(const char *room)
{
	struct sockaddr_in sin;

	memcpy(&sin, room, sizeof(sin));
	return sin.sin_family == AF_INET && sin.sin_addr.s_addr == htonl(INADDR_LOOPBACK) ?
	       ntohs(sin.sin_port) : -1;
}

/* Are they the two ends of one connection? */
static bool joined(int a, int peer)
{
	char c = 0;

	return send(a, "x", 1, MSG_NOSIGNAL) == 1 && recv(peer, &c, 1, 0) == 1 && c == 'x' &&
	       send(peer, "y", 1, MSG_NOSIGNAL) == 1 && recv(a, &c, 1, 0) == 1 && c == 'y';
}

/*
 * A peer whose connection may be reset before connect(2) has returned, as our own
 * thread does that between two steps of the call.
 */
static int peer_begin(int l)
{
	struct sockaddr_in sin = loopback(local_port(l));
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (connect(fd, (struct sockaddr *)&sin, sizeof(sin)) && errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return fd;
}

/* A connection of the queue, or -1. */
static int accept_one(int l)
{
	struct pollfd pfd = { .fd = l, .events = POLLIN };

	return poll(&pfd, 1, 0) == 1 ? accept4(l, NULL, NULL, SOCK_CLOEXEC) : -1;
}

/* ---- What it does ---- */

TEST_F(accept, connection_is_there)
{
	int peer = tcp_connect(local_port(self->l));

	EXPECT_EQ(dev_accept(self->dev, self->l, self->a, self->buf, 0, ROOM, ROOM, &self->ov,
			     self->event), -EINPROGRESS);
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_EQ(ov_status(&self->ov), STATUS_SUCCESS);
	EXPECT_EQ(self->ov.st.internal_high, 0);
	EXPECT_TRUE(ov_intact(&self->ov));
	EXPECT_EQ(port_in(self->buf), local_port(self->l));
	EXPECT_EQ(port_in(self->buf + ROOM), local_port(peer));
	EXPECT_TRUE(poisoned(self->buf + 2 * ROOM, sizeof(self->buf) - 2 * ROOM));
	EXPECT_TRUE(joined(self->a, peer));
	close(peer);
}

TEST_F(accept, waits_for_connection)
{
	int peer;

	EXPECT_EQ(dev_accept(self->dev, self->l, self->a, self->buf, 0, 0, ROOM, &self->ov,
			     self->event), -EINPROGRESS);
	EXPECT_EQ(fdinfo(self->dev, "queued"), 1);
	EXPECT_FALSE(event_is_set(self->event));
	peer = tcp_connect(local_port(self->l));
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_EQ(ov_status(&self->ov), STATUS_SUCCESS);
	EXPECT_EQ(port_in(self->buf), local_port(peer));
	EXPECT_TRUE(joined(self->a, peer));
	EXPECT_EQ(fdinfo(self->dev, "queued"), 0);
	EXPECT_EQ(fdinfo(self->dev, "completed"), 1);
	close(peer);
}

/* Who was first has gone again: the next one is taken. */
TEST_F(accept, connection_died_in_the_queue)
{
	struct linger linger = { .l_onoff = 1 };
	int first = tcp_connect(local_port(self->l)), peer = tcp_connect(local_port(self->l));

	setsockopt(first, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(first);
	EXPECT_EQ(dev_accept(self->dev, self->l, self->a, self->buf, 0, 0, ROOM, &self->ov,
			     self->event), -EINPROGRESS);
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_EQ(ov_status(&self->ov), STATUS_SUCCESS);
	EXPECT_EQ(port_in(self->buf), local_port(peer));
	EXPECT_TRUE(joined(self->a, peer));
	close(peer);
}

TEST_F(accept, waits_for_data)
{
	int peer;

	EXPECT_EQ(dev_accept(self->dev, self->l, self->a, self->buf, 16, ROOM, ROOM, &self->ov,
			     self->event), -EINPROGRESS);
	peer = tcp_connect(local_port(self->l));
	/* Having been taken, it is in nobody's queue. */
	ASSERT_TRUE(wait_for(local_port(self->a) == local_port(self->l)));
	EXPECT_FALSE(event_is_set(self->event));
	EXPECT_EQ(ov_status(&self->ov), STATUS_PENDING);
	EXPECT_TRUE(poisoned(self->buf, sizeof(self->buf)));
	EXPECT_EQ(fdinfo(self->dev, "queued"), 1);
	ASSERT_EQ(send(peer, "hello", 5, 0), 5);
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_EQ(ov_status(&self->ov), STATUS_SUCCESS);
	EXPECT_EQ(self->ov.st.internal_high, 5);
	EXPECT_EQ(memcmp(self->buf, "hello", 5), 0);
	EXPECT_TRUE(poisoned(self->buf + 5, 16 - 5));
	EXPECT_EQ(port_in(self->buf + 16), local_port(self->l));
	EXPECT_EQ(port_in(self->buf + 16 + ROOM), local_port(peer));
	EXPECT_TRUE(joined(self->a, peer));
	close(peer);
}

TEST_F(accept, data_end_of_stream)
{
	int peer = tcp_connect(local_port(self->l));

	EXPECT_EQ(dev_accept(self->dev, self->l, self->a, self->buf, 16, ROOM, ROOM, &self->ov,
			     self->event), -EINPROGRESS);
	EXPECT_FALSE(event_is_set(self->event));
	shutdown(peer, SHUT_WR);
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_EQ(ov_status(&self->ov), STATUS_SUCCESS);
	EXPECT_EQ(self->ov.st.internal_high, 0);
	EXPECT_EQ(send(self->a, "x", 1, MSG_NOSIGNAL), 1);
	close(peer);
}

TEST_F(accept, data_reset_by_peer)
{
	struct linger linger = { .l_onoff = 1 };
	int peer = tcp_connect(local_port(self->l));

	EXPECT_EQ(dev_accept(self->dev, self->l, self->a, self->buf, 16, ROOM, ROOM, &self->ov,
			     self->event), -EINPROGRESS);
	setsockopt(peer, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(peer);
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_EQ(ov_status(&self->ov), STATUS_CONNECTION_RESET);
}

/* A connection that waits for its data holds up no other. */
TEST_F(accept, data__others_go_on)
{
	int a[3], peer[3], event[3];
	struct ov ov[3];
	char buf[3][64];

	for (int i = 0; i < 3; i++) {
		a[i] = acceptor(self->dev);
		event[i] = new_event();
		ASSERT_EQ(dev_accept(self->dev, self->l, a[i], buf[i], 8, 0, ROOM, &ov[i],
				     event[i]), -EINPROGRESS);
	}
	EXPECT_EQ(fdinfo(self->dev, "queued"), 3);
	for (int i = 0; i < 3; i++) {
		peer[i] = tcp_connect(local_port(self->l));
		ASSERT_TRUE(wait_for(local_port(a[i]) == local_port(self->l)));
	}
	/* In the other order */
	for (int i = 2; i >= 0; i--) {
		ASSERT_EQ(send(peer[i], "data", 4, 0), 4);
		ASSERT_TRUE(event_wait(event[i]));
		EXPECT_EQ(ov_status(&ov[i]), STATUS_SUCCESS);
		EXPECT_EQ(ov[i].st.internal_high, 4);
		EXPECT_EQ(port_in(buf[i] + 8), local_port(peer[i]));
		EXPECT_TRUE(joined(a[i], peer[i]));
		close(event[i]);
		close(peer[i]);
		close(a[i]);
	}
}

/* Many wait, and many connections come at once: each gets one. */
TEST_F(accept, many)
{
	enum { N = 200 };
	static char buf[N][ROOM];
	static struct ov ov[N];
	static bool seen[65536];
	int a[N], peer[N];

	memset(seen, 0, sizeof(seen));
	for (int i = 0; i < N; i++) {
		a[i] = acceptor(self->dev);
		ASSERT_GE(a[i], 0);
		ASSERT_EQ(dev_accept(self->dev, self->l, a[i], buf[i], 0, 0, ROOM, &ov[i], -1),
			  -EINPROGRESS);
	}
	for (int i = 0; i < N; i++) {
		peer[i] = tcp_connect(local_port(self->l));
		ASSERT_GE(peer[i], 0);
		seen[local_port(peer[i])] = true;
	}
	for (int i = 0; i < N; i++) {
		ASSERT_EQ(dev_wait(self->dev, &ov[i].st, TIMEOUT_MS), 0);
		ASSERT_EQ(ov_status(&ov[i]), STATUS_SUCCESS);
		ASSERT_GT(port_in(buf[i]), 0);
		EXPECT_TRUE(seen[port_in(buf[i])]);
		seen[port_in(buf[i])] = false;
	}
	for (int i = 0; i < N; i++) {
		close(peer[i]);
		close(a[i]);
	}
}

TEST_F(accept, waiter_executes)
{
	int peer = tcp_connect(local_port(self->l));

	ASSERT_EQ(send(peer, "hello", 5, 0), 5);
	EXPECT_EQ(dev_accept(self->dev, self->l, self->a, self->buf, 16, 0, ROOM, &self->ov, -1),
		  -EINPROGRESS);
	EXPECT_EQ(dev_wait(self->dev, &self->ov.st, TIMEOUT_MS), 0);
	EXPECT_EQ(ov_status(&self->ov), STATUS_SUCCESS);
	EXPECT_EQ(self->ov.st.internal_high, 5);
	close(peer);
}

TEST_F(accept, inet6)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int l = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int a = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int peer = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(sin6);

	ASSERT_EQ(bind(l, (struct sockaddr *)&sin6, sizeof(sin6)), 0);
	ASSERT_EQ(listen(l, 8), 0);
	ASSERT_EQ(getsockname(l, (struct sockaddr *)&sin6, &len), 0);
	ASSERT_EQ(dev_adopt(self->dev, l), 0);
	ASSERT_EQ(dev_adopt(self->dev, a), 0);
	/* The families must agree. */
	EXPECT_EQ(dev_accept(self->dev, l, self->a, self->buf, 0, 0, 44, &self->ov, -1), -EINVAL);
	EXPECT_EQ(dev_accept(self->dev, l, a, self->buf, 0, 0, 44, &self->ov, self->event),
		  -EINPROGRESS);
	ASSERT_EQ(connect(peer, (struct sockaddr *)&sin6, sizeof(sin6)), 0);
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_EQ(ov_status(&self->ov), STATUS_SUCCESS);
	ASSERT_EQ(getsockname(peer, (struct sockaddr *)&sin6, &len), 0);
	EXPECT_EQ(memcmp(self->buf, &sin6, sizeof(sin6)), 0);
	EXPECT_TRUE(poisoned(self->buf + sizeof(sin6), 44 - sizeof(sin6)));
	EXPECT_TRUE(joined(a, peer));
	close(peer);
	close(a);
	close(l);
}

/* ---- What becomes of the acceptor ---- */

TEST_F(accept, acceptor_keeps_number_and_flags)
{
	int peer, flags = fcntl(self->a, F_GETFD);

	ASSERT_EQ(fcntl(self->a, F_SETFL, O_NONBLOCK), 0);
	EXPECT_EQ(dev_accept(self->dev, self->l, self->a, self->buf, 0, 0, ROOM, &self->ov,
			     self->event), -EINPROGRESS);
	peer = tcp_connect(local_port(self->l));
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_EQ(fcntl(self->a, F_GETFD), flags);
	EXPECT_TRUE(fcntl(self->a, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(recv(self->a, self->buf, 1, 0), -1);
	EXPECT_EQ(errno, EAGAIN);
	/* It is owned as before. */
	EXPECT_EQ(fdinfo(self->dev, "sockets"), 2);
	EXPECT_EQ(dev_recv(self->dev, self->a, self->buf, 8, &self->ov), -EINPROGRESS);
	ASSERT_EQ(send(peer, "data", 4, 0), 4);
	EXPECT_EQ(dev_wait(self->dev, &self->ov.st, TIMEOUT_MS), 0);
	EXPECT_EQ(ov_status(&self->ov), STATUS_SUCCESS);
	EXPECT_EQ(dev_closesocket(self->dev, self->a), 0);
	EXPECT_EQ(fcntl(self->a, F_GETFD), -1);
	EXPECT_EQ(peer_end(peer), 0);
	close(peer);
}

TEST_F(accept, acceptor_keeps_port_and_key)
{
	struct wsock_associate args = { .fd = self->a, .key = 77 };
	struct wsock_packet p;
	int peer, port = port_new(self->dev, 0);

	args.port_fd = port;
	ASSERT_EQ(dev_ioctl(self->dev, WSOCK_IOC_ASSOCIATE, &args), 0);
	EXPECT_EQ(dev_accept(self->dev, self->l, self->a, self->buf, 0, 0, ROOM, &self->ov,
			     self->event), -EINPROGRESS);
	peer = tcp_connect(local_port(self->l));
	ASSERT_TRUE(event_wait(self->event));
	/* The listener has no port. */
	EXPECT_EQ(get_packets(port, &p, 1, 0), -ETIME);
	EXPECT_EQ(dev_recv(self->dev, self->a, self->buf, 8, &self->ov), -EINPROGRESS);
	ASSERT_EQ(send(peer, "data", 4, 0), 4);
	ASSERT_EQ(get_packets(port, &p, 1, TIMEOUT_MS), 1);
	EXPECT_EQ(p.key, 77);
	EXPECT_EQ(p.bytes, 4);
	close(peer);
	close(port);
}

TEST_F(accept, acceptor_keeps_network_events)
{
	struct wsock_event_select select = { .fd = self->a, .mask = WSOCK_EVENT_READ };
	struct wsock_event_enum e = { .fd = self->a, .event_fd = -1 };
	int peer, event = new_event();

	select.event_fd = event;
	ASSERT_EQ(dev_ioctl(self->dev, WSOCK_IOC_EVENT_SELECT, &select), 0);
	EXPECT_EQ(dev_accept(self->dev, self->l, self->a, self->buf, 0, 0, ROOM, &self->ov,
			     self->event), -EINPROGRESS);
	peer = tcp_connect(local_port(self->l));
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_FALSE(event_is_set(event));
	ASSERT_EQ(send(peer, "data", 4, 0), 4);
	ASSERT_TRUE(event_wait(event));
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_EVENT_ENUM, &e), 0);
	EXPECT_EQ(e.events, WSOCK_EVENT_READ);
	close(peer);
	close(event);
}

/* No connection that an ACCEPT takes is a network event; those that are left are. */
TEST_F(accept, listener_network_events)
{
	struct wsock_event_select select = { .fd = self->l, .mask = WSOCK_EVENT_ACCEPT };
	int peer[2], event = new_event();

	select.event_fd = event;
	ASSERT_EQ(dev_ioctl(self->dev, WSOCK_IOC_EVENT_SELECT, &select), 0);
	EXPECT_EQ(dev_accept(self->dev, self->l, self->a, self->buf, 0, 0, ROOM, &self->ov,
			     self->event), -EINPROGRESS);
	peer[0] = tcp_connect(local_port(self->l));
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_FALSE(event_is_set(event));
	peer[1] = tcp_connect(local_port(self->l));
	EXPECT_TRUE(event_wait(event));
	close(peer[0]);
	close(peer[1]);
	close(event);
}

/* Who polls the acceptor sees it as what it was; whoever polls it anew, the connection. */
TEST_F(accept, acceptor_epoll_anew)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int peer, ep = epoll_create1(EPOLL_CLOEXEC);

	ASSERT_EQ(dev_accept(self->dev, self->l, self->a, self->buf, 0, 0, ROOM, &self->ov,
			     self->event), -EINPROGRESS);
	peer = tcp_connect(local_port(self->l));
	ASSERT_TRUE(event_wait(self->event));
	ASSERT_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, self->a, &ev), 0);
	EXPECT_EQ(epoll_wait(ep, &ev, 1, 0), 0);
	ASSERT_EQ(send(peer, "data", 4, 0), 4);
	EXPECT_EQ(epoll_wait(ep, &ev, 1, TIMEOUT_MS), 1);
	close(peer);
	close(ep);
}

static void *accept_thread(void *arg)
{
	int *args = arg;
	static char buf[ROOM];
	static struct ov ov;

	/* A table of its own: the acceptor is in both. */
	if (unshare(CLONE_FILES))
		return NULL;
	args[3] = dev_accept(args[0], args[1], args[2], buf, 0, 0, ROOM, &ov, -1);
	if (args[3] == -EINPROGRESS)
		args[3] = dev_wait(args[0], &ov.st, TIMEOUT_MS);
	args[4] = local_port(args[2]);
	return NULL;
}

/* Threads with tables of their own: the first table that has it gets it. */
TEST_F(accept, acceptor_in_another_table)
{
	int args[5] = { self->dev, self->l, self->a }, peer = tcp_connect(local_port(self->l));
	pthread_t t;

	ASSERT_EQ(pthread_create(&t, NULL, accept_thread, args), 0);
	pthread_join(t, NULL);
	EXPECT_EQ(args[3], 0);
	EXPECT_TRUE((local_port(self->a) == local_port(self->l)) !=
		    (args[4] == local_port(self->l)));
	close(peer);
}

/* ---- Packets ---- */

TEST_F(accept, packet__key_of_listener)
{
	struct wsock_associate args = { .fd = self->l, .key = 125 };
	struct wsock_packet p;
	int peer, port = port_new(self->dev, 0);

	args.port_fd = port;
	ASSERT_EQ(dev_ioctl(self->dev, WSOCK_IOC_ASSOCIATE, &args), 0);
	args.fd = self->a;
	args.key = 236;
	ASSERT_EQ(dev_ioctl(self->dev, WSOCK_IOC_ASSOCIATE, &args), 0);
	EXPECT_EQ(dev_accept(self->dev, self->l, self->a, self->buf, 16, 0, ROOM, &self->ov, -1),
		  -EINPROGRESS);
	EXPECT_EQ(get_packets(port, &p, 1, 0), -ETIME);
	peer = tcp_connect(local_port(self->l));
	/* The connection is taken by who comes to the port; there is no data yet. */
	EXPECT_EQ(get_packets(port, &p, 1, QUIET_MS), -ETIME);
	EXPECT_EQ(local_port(self->a), local_port(self->l));
	EXPECT_EQ(ov_status(&self->ov), STATUS_PENDING);
	ASSERT_EQ(send(peer, "hello", 5, 0), 5);
	ASSERT_EQ(get_packets(port, &p, 1, TIMEOUT_MS), 1);
	EXPECT_EQ(p.key, 125);
	EXPECT_EQ(p.ov, (unsigned long)&self->ov.st);
	EXPECT_EQ(p.internal, STATUS_SUCCESS);
	EXPECT_EQ(p.bytes, 5);
	EXPECT_EQ(ov_status(&self->ov), STATUS_SUCCESS);
	EXPECT_TRUE(joined(self->a, peer));
	close(peer);
	close(port);
}

TEST_F(accept, packet__cancelled_and_released)
{
	struct wsock_associate args = { .fd = self->l, .key = 125 };
	struct wsock_packet p;
	struct ov ov[2];
	int a = acceptor(self->dev), port = port_new(self->dev, 0);

	args.port_fd = port;
	ASSERT_EQ(dev_ioctl(self->dev, WSOCK_IOC_ASSOCIATE, &args), 0);
	ASSERT_EQ(dev_accept(self->dev, self->l, self->a, self->buf, 16, 0, ROOM, &ov[0], -1),
		  -EINPROGRESS);
	ASSERT_EQ(dev_accept(self->dev, self->l, a, self->buf, 16, 0, ROOM, &ov[1], -1),
		  -EINPROGRESS);
	EXPECT_EQ(dev_cancel(self->dev, self->l, &ov[0].st), 1);
	ASSERT_EQ(get_packets(port, &p, 1, 0), 1);
	EXPECT_EQ(p.internal, STATUS_CANCELLED);
	EXPECT_EQ(p.ov, (unsigned long)&ov[0].st);
	EXPECT_EQ(get_packets(port, &p, 1, 0), -ETIME);
	EXPECT_EQ(dev_cleanup(self->dev), 1);
	ASSERT_EQ(get_packets(port, &p, 1, 0), 1);
	EXPECT_EQ(p.internal, STATUS_CANCELLED);
	EXPECT_EQ(p.ov, (unsigned long)&ov[1].st);
	close(port);
}

/* ---- Ends ---- */

enum phase { NO_CONNECTION, NO_DATA };

/* An ACCEPT that waits, for a connection or, having one, for data. Returns the peer. */
static int waiting(int dev, int l, int a, char *buf, struct ov *ov, int event, enum phase phase)
{
	int peer = -1;

	if (dev_accept(dev, l, a, buf, 16, 0, ROOM, ov, event) != -EINPROGRESS)
		return -1;
	if (phase == NO_DATA) {
		peer = tcp_connect(local_port(l));
		if (!wait_for(local_port(a) == local_port(l)))
			return -1;
	}
	return peer;
}

TEST_F(accept, cancel__by_listener)
{
	for (int phase = NO_CONNECTION; phase <= NO_DATA; phase++) {
		int a = acceptor(self->dev), peer;

		peer = waiting(self->dev, self->l, a, self->buf, &self->ov, self->event, phase);
		ASSERT_EQ(peer >= 0, phase == NO_DATA);
		/* It is the listener's operation. */
		EXPECT_EQ(dev_cancel(self->dev, a, &self->ov.st), -ENOENT);
		EXPECT_EQ(dev_cancel(self->dev, a, NULL), -ENOENT);
		EXPECT_EQ(ov_status(&self->ov), STATUS_PENDING);
		EXPECT_EQ(dev_cancel(self->dev, self->l, phase ? NULL : &self->ov.st), 1);
		EXPECT_EQ(ov_status(&self->ov), STATUS_CANCELLED);
		EXPECT_TRUE(event_is_set(self->event));
		EXPECT_TRUE(poisoned(self->buf, sizeof(self->buf)));
		if (phase == NO_DATA) {
			EXPECT_EQ(peer_end(peer), -ECONNRESET);
			close(peer);
		}
		close(a);
	}
}

TEST_F(accept, cancel__acceptor_is_free_again)
{
	int peer;

	ASSERT_EQ(waiting(self->dev, self->l, self->a, self->buf, &self->ov, -1, NO_CONNECTION),
		  -1);
	EXPECT_EQ(dev_cancel(self->dev, self->l, &self->ov.st), 1);
	EXPECT_EQ(dev_accept(self->dev, self->l, self->a, self->buf, 0, 0, ROOM, &self->ov,
			     self->event), -EINPROGRESS);
	peer = tcp_connect(local_port(self->l));
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_TRUE(joined(self->a, peer));
	close(peer);
}

TEST_F(accept, closesocket__acceptor)
{
	for (int phase = NO_CONNECTION; phase <= NO_DATA; phase++) {
		int a = acceptor(self->dev), peer;

		peer = waiting(self->dev, self->l, a, self->buf, &self->ov, self->event, phase);
		ASSERT_EQ(peer >= 0, phase == NO_DATA);
		EXPECT_EQ(dev_closesocket(self->dev, a), 0);
		ASSERT_TRUE(event_wait(self->event));
		EXPECT_EQ(ov_status(&self->ov), STATUS_CANCELLED);
		if (phase == NO_DATA) {
			EXPECT_EQ(peer_end(peer), -ECONNRESET);
			close(peer);
		}
	}
	EXPECT_EQ(fdinfo(self->dev, "sockets"), 2);
}

TEST_F(accept, closesocket__listener)
{
	for (int phase = NO_CONNECTION; phase <= NO_DATA; phase++) {
		int a = acceptor(self->dev), l = tcp_listener(), peer;

		ASSERT_EQ(dev_adopt(self->dev, l), 0);
		peer = waiting(self->dev, l, a, self->buf, &self->ov, self->event, phase);
		ASSERT_EQ(peer >= 0, phase == NO_DATA);
		EXPECT_EQ(dev_closesocket(self->dev, l), 0);
		EXPECT_EQ(ov_status(&self->ov), STATUS_CANCELLED);
		EXPECT_TRUE(event_is_set(self->event));
		if (phase == NO_DATA) {
			EXPECT_EQ(peer_end(peer), -ECONNRESET);
			close(peer);
		}
		close(a);
	}
}

/* The number names something else by the time the connection comes. */
TEST_F(accept, plain_close__acceptor)
{
	int peer, other;

	ASSERT_EQ(waiting(self->dev, self->l, self->a, self->buf, &self->ov, self->event,
			  NO_CONNECTION), -1);
	close(self->a);
	other = udp_socket();
	ASSERT_EQ(other, self->a);
	peer = peer_begin(self->l);
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_EQ(ov_status(&self->ov), STATUS_CANCELLED);
	EXPECT_EQ(peer_end(peer), -ECONNRESET);
	EXPECT_EQ(local_port(other) > 0, true);
	close(peer);
}

TEST_F(accept, cleanup)
{
	for (int phase = NO_CONNECTION; phase <= NO_DATA; phase++) {
		int a, peer, l = tcp_listener();

		if (phase)
			ASSERT_EQ(dev_startup(self->dev), 0);
		ASSERT_EQ(dev_adopt(self->dev, l), 0);
		a = acceptor(self->dev);
		peer = waiting(self->dev, l, a, self->buf, &self->ov, self->event, phase);
		ASSERT_EQ(peer >= 0, phase == NO_DATA);
		EXPECT_EQ(dev_cleanup(self->dev), 1);
		EXPECT_EQ(ov_status(&self->ov), STATUS_CANCELLED);
		EXPECT_FALSE(event_is_set(self->event));
		EXPECT_TRUE(poisoned(self->buf, sizeof(self->buf)));
		EXPECT_EQ(fcntl(a, F_GETFD), -1);
		EXPECT_EQ(fcntl(l, F_GETFD), -1);
		if (phase == NO_DATA) {
			EXPECT_EQ(peer_end(peer), -ECONNRESET);
			close(peer);
		}
	}
}

TEST_F(accept, killed)
{
	int ready[2], status;

	for (int phase = NO_CONNECTION; phase <= NO_DATA; phase++) {
		int peer = -1, port;
		pid_t pid;

		ASSERT_EQ(pipe2(ready, O_CLOEXEC), 0);
		pid = fork();
		if (!pid) {
			int dev = dev_started(), l = tcp_listener(), a;

			if (dev < 0 || dev_adopt(dev, l))
				_exit(1);
			a = acceptor(dev);
			port = local_port(l);
			if (dev_accept(dev, l, a, self->buf, 16, 0, ROOM, &self->ov, -1) !=
			    -EINPROGRESS || write(ready[1], &port, sizeof(port)) < 0)
				_exit(1);
			if (phase == NO_DATA && !wait_for(local_port(a) == port))
				_exit(1);
			if (write(ready[1], &port, sizeof(port)) < 0)
				_exit(1);
			pause();
		}
		ASSERT_EQ(read(ready[0], &port, sizeof(port)), sizeof(port));
		if (phase == NO_DATA)
			peer = tcp_connect(port);
		ASSERT_EQ(read(ready[0], &port, sizeof(port)), sizeof(port));
		kill(pid, SIGKILL);
		ASSERT_EQ(waitpid(pid, &status, 0), pid);
		EXPECT_TRUE(WIFSIGNALED(status));
		if (phase == NO_DATA) {
			EXPECT_EQ(peer_end(peer), -ECONNRESET);
			close(peer);
		}
		close(ready[0]);
		close(ready[1]);
	}
}

static int race_rounds(void)
{
	return env_number("WSOCK_ROUNDS", 300);
}

/* Taken, and nobody gets it: it was cancelled while the context was locked. */
static void *cancel_loop(void *arg)
{
	int *args = arg;

	while (!__atomic_load_n(&args[2], __ATOMIC_RELAXED))
		dev_cancel(args[0], args[1], NULL);
	return NULL;
}

TEST_F_TIMEOUT(accept, races__cancel, 120)
{
	int args[3] = { self->dev, self->l, 0 }, rounds = race_rounds(), got = 0, lost = 0;
	pthread_t t;

	ASSERT_EQ(pthread_create(&t, NULL, cancel_loop, args), 0);
	for (int i = 0; i < rounds; i++) {
		int a = acceptor(self->dev), peer = peer_begin(self->l), c;
		unsigned int status;

		ASSERT_EQ(dev_accept(self->dev, self->l, a, self->buf, 0, 0, ROOM, &self->ov, -1),
			  -EINPROGRESS);
		ASSERT_EQ(dev_wait(self->dev, &self->ov.st, TIMEOUT_MS), 0);
		status = ov_status(&self->ov);
		if (status == STATUS_SUCCESS) {
			ASSERT_EQ(fcntl(peer, F_SETFL, 0), 0);
			EXPECT_TRUE(joined(a, peer));
			got++;
		} else {
			ASSERT_EQ(status, STATUS_CANCELLED);
			/* It is in the listener's queue yet, or was reset. */
			c = accept_one(self->l);
			if (c < 0) {
				EXPECT_EQ(peer_end(peer), -ECONNRESET);
			}
			close(c);
			lost++;
		}
		ASSERT_EQ(dev_closesocket(self->dev, a), 0);
		close(peer);
	}
	args[2] = 1;
	pthread_join(t, NULL);
	TH_LOG("%d accepted, %d cancelled", got, lost);
	EXPECT_EQ(got + lost, rounds);
}

static void *close_one(void *arg)
{
	int *args = arg;

	sched_yield();
	dev_closesocket(args[0], args[1]);
	return NULL;
}

/* The acceptor is closed just when it becomes the connection. */
TEST_F_TIMEOUT(accept, races__close_acceptor, 120)
{
	int rounds = race_rounds();

	for (int i = 0; i < rounds; i++) {
		int args[2] = { self->dev, acceptor(self->dev) }, peer, c;
		pthread_t t;

		ASSERT_EQ(dev_accept(self->dev, self->l, args[1], self->buf, i & 1 ? 16 : 0, 0,
				     ROOM, &self->ov, -1), -EINPROGRESS);
		ASSERT_EQ(pthread_create(&t, NULL, close_one, args), 0);
		peer = peer_begin(self->l);
		pthread_join(t, NULL);
		ASSERT_EQ(dev_wait(self->dev, &self->ov.st, TIMEOUT_MS), 0);
		ASSERT_TRUE(ov_status(&self->ov) == STATUS_SUCCESS ||
			    ov_status(&self->ov) == STATUS_CANCELLED);
		c = accept_one(self->l);
		if (c >= 0)
			close(c);
		else
			EXPECT_NE(peer_end(peer), -ETIMEDOUT);
		close(peer);
	}
	EXPECT_EQ(fdinfo(self->dev, "sockets"), 2);
}

/* ---- Bad input ---- */

TEST_F(accept, room_too_small)
{
	int peer;

	EXPECT_EQ(dev_accept(self->dev, self->l, self->a, self->buf, 0, ROOM, ROOM - 1, &self->ov,
			     self->event), -EINPROGRESS);
	EXPECT_FALSE(event_is_set(self->event));
	peer = tcp_connect(local_port(self->l));
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_EQ(ov_status(&self->ov), STATUS_BUFFER_TOO_SMALL);
	/* The connection is there for the next one. */
	EXPECT_EQ(dev_accept(self->dev, self->l, self->a, self->buf, 0, ROOM, ROOM, &self->ov,
			     self->event), -EINPROGRESS);
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_EQ(ov_status(&self->ov), STATUS_SUCCESS);
	EXPECT_TRUE(joined(self->a, peer));
	close(peer);
}

TEST_F(accept, bad)
{
	struct wsock_accept good = {
		.buffer = (unsigned long)self->buf, .remote_len = ROOM, .fd = self->a,
	}, t;
	struct sockaddr_in any = loopback(0);
	int fds[2], bound, u = udp_socket(), dup_fd;

	ASSERT_EQ(tcp_pair(fds), 0);
	ASSERT_EQ(dev_adopt(self->dev, fds[0]), 0);
	ASSERT_EQ(dev_adopt(self->dev, u), 0);
	bound = acceptor(self->dev);
	ASSERT_EQ(bind(bound, (struct sockaddr *)&any, sizeof(any)), 0);

#define BAD(err, field, value) do {						\
	t = good;								\
	t.field = value;							\
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_ACCEPT, self->l, &t, sizeof(t),	\
			     &self->ov, -1, 0), err);				\
} while (0)
	BAD(-EINVAL, flags, 1);
	BAD(-EINVAL, pad, 1);
	BAD(-EBADF, fd, 1000);
	BAD(-EBADF, fd, -1);
	BAD(-ENOTSOCK, fd, self->event);
	BAD(-ENOTSOCK, fd, fds[1]);
	BAD(-EINVAL, fd, fds[0]);
	BAD(-EINVAL, fd, self->l);
	BAD(-EINVAL, fd, u);
	BAD(-EINVAL, fd, bound);
	t = good;
	t.buffer = ~0xfffull;
	t.data_len = 8192;
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_ACCEPT, self->l, &t, sizeof(t), &self->ov, -1, 0),
		  -EFAULT);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_ACCEPT, self->l, &good, sizeof(good) - 1,
			     &self->ov, -1, 0), -EINVAL);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_ACCEPT, self->l, &good, sizeof(good), &self->ov,
			     -1, MSG_PEEK), -EINVAL);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_ACCEPT, self->l, &good, sizeof(good), &self->ov,
			     1000, 0), -EBADF);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_ACCEPT, self->l, NULL, sizeof(good), &self->ov,
			     -1, 0), -EFAULT);
	/* Not listeners */
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_ACCEPT, fds[0], &good, sizeof(good), &self->ov,
			     -1, 0), -EINVAL);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_ACCEPT, u, &good, sizeof(good), &self->ov, -1, 0),
		  -EOPNOTSUPP);
	/* An acceptor is one for one operation at a time, and has one number. */
	dup_fd = fcntl(self->a, F_DUPFD_CLOEXEC, 0);
	ASSERT_EQ(dev_adopt(self->dev, dup_fd), 0);
	BAD(-EINVAL, fd, self->a);
	ASSERT_EQ(dev_closesocket(self->dev, dup_fd), 0);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_ACCEPT, self->l, &good, sizeof(good), &self->ov,
			     -1, 0), -EINPROGRESS);
	EXPECT_EQ(dev_submit(self->dev, WSOCK_OP_ACCEPT, self->l, &good, sizeof(good), &self->ov,
			     -1, 0), -EINVAL);
	EXPECT_EQ(fdinfo(self->dev, "queued"), 1);
	close(fds[0]);
	close(fds[1]);
	close(bound);
	close(u);
}

/* The addresses cannot be stored: nobody gets the connection. */
TEST_F(accept, fault)
{
	int peer = peer_begin(self->l);

	EXPECT_EQ(dev_accept(self->dev, self->l, self->a, (void *)16, 0, ROOM, ROOM, &self->ov,
			     self->event), -EINPROGRESS);
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_EQ(ov_status(&self->ov), 0xc0000005u);
	EXPECT_EQ(peer_end(peer), -ECONNRESET);
	close(peer);
}

TEST_F(accept, acceptor_connects_meanwhile)
{
	struct wsock_modes modes = { .fd = self->a };
	struct sockaddr_in sin;
	int other = tcp_listener(), peer;

	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_MODES, &modes), 0);
	EXPECT_EQ(modes.modes, 0);
	ASSERT_EQ(waiting(self->dev, self->l, self->a, self->buf, &self->ov, self->event,
			  NO_CONNECTION), -1);
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_MODES, &modes), 0);
	EXPECT_EQ(modes.modes, WSOCK_MODE_ACCEPTING);
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_MODES, &modes), -EINVAL);
	modes.modes = 0;
	sin = loopback(local_port(other));
	ASSERT_EQ(connect(self->a, (struct sockaddr *)&sin, sizeof(sin)), 0);
	peer = peer_begin(self->l);
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_EQ(ov_status(&self->ov), STATUS_INVALID_PARAMETER);
	EXPECT_EQ(peer_end(peer), -ECONNRESET);
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_MODES, &modes), 0);
	EXPECT_EQ(modes.modes, 0);
	close(peer);
	close(other);
}

TEST_F(accept, listener_shut_down)
{
	ASSERT_EQ(waiting(self->dev, self->l, self->a, self->buf, &self->ov, self->event,
			  NO_CONNECTION), -1);
	shutdown(self->l, SHUT_RDWR);
	ASSERT_TRUE(event_wait(self->event));
	EXPECT_EQ(ov_status(&self->ov), STATUS_INVALID_PARAMETER);
}

struct submission {
	int dev, l, a, result;
	void *buf;
	struct ov *ov;
};

static void *submit_and_exit(void *arg)
{
	struct submission *s = arg;

	s->result = dev_accept(s->dev, s->l, s->a, s->buf, 16, 0, ROOM, s->ov, -1);
	return NULL;
}

TEST_F(accept, thread_that_submitted_is_gone)
{
	struct submission s = { self->dev, self->l, self->a, 0, self->buf, &self->ov };
	pthread_t t;
	int peer;

	ASSERT_EQ(pthread_create(&t, NULL, submit_and_exit, &s), 0);
	pthread_join(t, NULL);
	ASSERT_EQ(s.result, -EINPROGRESS);
	peer = tcp_connect(local_port(self->l));
	ASSERT_EQ(send(peer, "hello", 5, 0), 5);
	ASSERT_TRUE(wait_for(ov_status(&self->ov) != STATUS_PENDING));
	EXPECT_EQ(ov_status(&self->ov), STATUS_SUCCESS);
	EXPECT_EQ(self->ov.st.internal_high, 5);
	EXPECT_TRUE(joined(self->a, peer));
	close(peer);
}

/* ---- The next connection, before it is taken ---- */

static int dev_peek(int dev, int fd, struct wsock_peek *peek)
{
	memset(peek, 0, sizeof(*peek));
	peek->fd = fd;
	return dev_ioctl(dev, WSOCK_IOC_PEEK, peek);
}

static int port_of(const __u8 *name)
{
	return port_in((const char *)name);
}

TEST_F(accept, peek__leaves_it_there)
{
	struct wsock_peek peek, again;
	__u64 cookie = 0;
	socklen_t len = sizeof(cookie);
	int first, second, conn;

	EXPECT_EQ(dev_peek(self->dev, self->l, &peek), -EAGAIN);
	first = tcp_connect(local_port(self->l));
	second = tcp_connect(local_port(self->l));
	ASSERT_GE(second, 0);
	ASSERT_EQ(dev_peek(self->dev, self->l, &peek), 0);
	ASSERT_EQ(dev_peek(self->dev, self->l, &again), 0);
	EXPECT_EQ(memcmp(&peek, &again, sizeof(peek)), 0);
	EXPECT_EQ(port_of(peek.local), local_port(self->l));
	EXPECT_EQ(port_of(peek.remote), local_port(first));
	/* It is the one that accept(2) returns. */
	conn = accept4(self->l, NULL, NULL, SOCK_CLOEXEC);
	ASSERT_EQ(getsockopt(conn, SOL_SOCKET, SO_COOKIE, &cookie, &len), 0);
	EXPECT_EQ(cookie, peek.cookie);
	EXPECT_TRUE(joined(conn, first));
	ASSERT_EQ(dev_peek(self->dev, self->l, &peek), 0);
	EXPECT_NE(peek.cookie, cookie);
	EXPECT_EQ(port_of(peek.remote), local_port(second));
	close(conn);
	conn = accept4(self->l, NULL, NULL, SOCK_CLOEXEC);
	EXPECT_EQ(dev_peek(self->dev, self->l, &peek), -EAGAIN);
	close(conn);
	close(first);
	close(second);
}

TEST_F(accept, peek__IPv6)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
	struct sockaddr_in6 own, local, remote;
	int l = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(sin6);
	struct wsock_peek peek;

	ASSERT_EQ(bind(l, (void *)&sin6, sizeof(sin6)), 0);
	ASSERT_EQ(listen(l, 1), 0);
	ASSERT_EQ(dev_adopt(self->dev, l), 0);
	ASSERT_EQ(getsockname(l, (void *)&sin6, &len), 0);
	ASSERT_EQ(connect(fd, (void *)&sin6, sizeof(sin6)), 0);
	ASSERT_EQ(getsockname(fd, (void *)&own, &len), 0);
	ASSERT_EQ(dev_peek(self->dev, l, &peek), 0);
	memcpy(&local, peek.local, sizeof(local));
	memcpy(&remote, peek.remote, sizeof(remote));
	EXPECT_EQ(memcmp(&local, &sin6, sizeof(local)), 0);
	EXPECT_EQ(memcmp(&remote, &own, sizeof(remote)), 0);
	close(l);
	close(fd);
}

TEST_F(accept, peek__bad)
{
	int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct wsock_peek peek = { .fd = self->l, .flags = 1 };

	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_PEEK, &peek), -EINVAL);
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_PEEK, NULL), -EFAULT);
	EXPECT_EQ(dev_peek(self->dev, self->a, &peek), -EINVAL);
	EXPECT_EQ(dev_peek(self->dev, -1, &peek), -EBADF);
	EXPECT_EQ(dev_peek(self->dev, udp, &peek), -ENOTSOCK);
	ASSERT_EQ(dev_adopt(self->dev, udp), 0);
	EXPECT_EQ(dev_peek(self->dev, udp, &peek), -EOPNOTSUPP);
	close(udp);
	EXPECT_EQ(dev_cleanup(self->dev), 1);
	EXPECT_EQ(dev_peek(self->dev, self->l, &peek), -EBADFD);
}

/* ---- Under a ring's lock ---- */

struct closer {
	int dev, fd;
	unsigned int spin;
	pthread_barrier_t start;
};

static void *closer_thread(void *arg)
{
	struct closer *c = arg;

	pthread_barrier_wait(&c->start);
	for (volatile unsigned int n = c->spin; n; n--)
		;
	dev_closesocket(c->dev, c->fd);
	return NULL;
}

/*
 * An ACCEPT that waits in a port has to go on as a command comes behind it. It takes
 * the context's lock, which closesocket has as it ends another command of that ring.
 */
TEST_F_TIMEOUT(accept, command_behind_one_in_a_port, 120)
{
	struct wsock_associate as = { .fd = self->l, .port_fd = port_new(self->dev, 0) };
	struct closer c = { .dev = self->dev };
	unsigned int seed = time(NULL);
	int rounds = race_rounds();
	struct io_uring ring;
	struct ov behind, other;
	char buf[16];

	ASSERT_EQ(dev_ioctl(self->dev, WSOCK_IOC_ASSOCIATE, &as), 0);
	ASSERT_EQ(ring_init(&ring, &(struct ring_kind)RING_DEFAULT, 8), 0);
	pthread_barrier_init(&c.start, NULL, 2);
	TH_LOG("seed %u", seed);
	for (int round = 0; round < rounds; round++) {
		int a = acceptor(self->dev), fds[2], peer;
		struct wsock_packet p;
		pthread_t t;

		ASSERT_EQ(tcp_pair(fds), 0);
		ASSERT_EQ(dev_adopt(self->dev, fds[0]), 0);
		prep_wsock(ring_sqe(&ring), self->dev, WSOCK_OP_RECV, fds[0], buf, sizeof(buf),
			   &other, -1, 0);
		ASSERT_EQ(io_uring_submit(&ring), 1);
		ASSERT_EQ(dev_accept(self->dev, self->l, a, self->buf, 0, 0, 0, &self->ov, -1),
			  -EINPROGRESS);
		peer = tcp_connect(local_port(self->l));
		ASSERT_EQ(poll_events(as.port_fd, TIMEOUT_MS), POLLIN);

		c.fd = fds[0];
		c.spin = rand_r(&seed) % 4000;
		ASSERT_EQ(pthread_create(&t, NULL, closer_thread, &c), 0);
		prep_wsock(ring_sqe(&ring), self->dev, WSOCK_OP_RECV, self->l, buf, sizeof(buf),
			   &behind, -1, 0);
		pthread_barrier_wait(&c.start);
		ASSERT_EQ(io_uring_submit(&ring), 1);
		pthread_join(t, NULL);

		ASSERT_EQ(get_packets(as.port_fd, &p, 1, TIMEOUT_MS), 1);
		EXPECT_EQ(p.ov, (unsigned long)&self->ov.st);
		EXPECT_EQ(p.internal, STATUS_SUCCESS);
		EXPECT_TRUE(joined(a, peer));
		/* A listener has nothing to receive. */
		for (int i = 0; i < 2; i++)
			EXPECT_LT(ring_wait(&ring, NULL), 0);
		EXPECT_EQ(dev_closesocket(self->dev, a), 0);
		close(peer);
		close(fds[1]);
		ASSERT_FALSE(_metadata->exit_code);
	}
	io_uring_queue_exit(&ring);
	close(as.port_fd);
}

TEST_HARNESS_MAIN
