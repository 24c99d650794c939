// SPDX-License-Identifier: GPL-2.0
/*
 * Operations that end at completion ports: who executes them, which of them
 * leave a packet and when, what is in it, and what becomes of both when somebody
 * leaves. And who waits for an operation, as that executes it, too.
 */
#include <sched.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/mman.h>

#include "ports.h"
#include "uring.h"
#include "kselftest_harness.h"

#define KEY_TCP	0x1111222233334444ull
#define KEY_UDP	0x5555666677778888ull

#define STATUS_ACCESS_VIOLATION	0xc0000005u

struct env {
	int dev, port, event;
	int tcp[2], udp[2];	/* [0] is owned, and its packets go to @port */
	int bare[2];		/* TCP, owned, without a port */
	char buf[4096];
	struct ov ov;
	struct wsock_packet p;
};

static int associate(int dev, int fd, int port, unsigned long long key)
{
	struct wsock_associate args = { .fd = fd, .port_fd = port, .key = key };

	return dev_ioctl(dev, WSOCK_IOC_ASSOCIATE, &args);
}

static int set_modes(int dev, int fd, unsigned int modes)
{
	struct wsock_modes args = { .fd = fd, .modes = modes };

	return dev_ioctl(dev, WSOCK_IOC_MODES, &args);
}

static bool env_open(struct env *e)
{
	e->dev = dev_started();
	e->port = port_new(e->dev, WSOCK_PORT_UNLIMITED);
	e->event = new_event();
	memset(e->buf, 0xa5, sizeof(e->buf));
	return e->dev >= 0 && e->port >= 0 && !tcp_pair(e->tcp) && !udp_pair(e->udp) &&
	       !tcp_pair(e->bare) && !dev_adopt(e->dev, e->tcp[0]) &&
	       !dev_adopt(e->dev, e->udp[0]) && !dev_adopt(e->dev, e->bare[0]) &&
	       !associate(e->dev, e->tcp[0], e->port, KEY_TCP) &&
	       !associate(e->dev, e->udp[0], e->port, KEY_UDP);
}

static bool env_close(struct env *e)
{
	close(e->tcp[1]);
	close(e->udp[1]);
	close(e->bare[1]);
	close(e->event);
	close(e->port);
	close(e->dev);
	if (!counters_zero())
		return false;
	close(e->tcp[0]);
	close(e->udp[0]);
	close(e->bare[0]);
	return true;
}

/* As dev_submit(), with what else there is to say. */
static int submit(int dev, struct wsock_submit args, struct ov *ov)
{
	ov_init(ov);
	args.cmd.ov = (unsigned long)&ov->st;
	args.cmd.flags |= WSOCK_CMD_STATUS;
	return dev_ioctl(dev, WSOCK_IOC_SUBMIT, &args);
}

static int recv_flags(struct env *e, int fd, struct ov *ov, int flags, int event_fd)
{
	return submit(e->dev, (struct wsock_submit){
		.op = WSOCK_OP_RECV, .fd = fd, .addr = (unsigned long)e->buf, .len = 100,
		.cmd = { .flags = flags, .event_fd = event_fd },
	}, ov);
}

#define APC_TAG	0x12345678u
#define APC_KEY	0x9999aaaabbbbccccull

static int recv_apc(struct env *e, int fd, struct ov *ov, int port)
{
	return submit(e->dev, (struct wsock_submit){
		.op = WSOCK_OP_RECV, .fd = fd, .addr = (unsigned long)e->buf, .len = 100,
		.tag = APC_TAG, .key = APC_KEY,
		.cmd = { .flags = WSOCK_CMD_APC, .event_fd = port },
	}, ov);
}

static int take(struct env *e, int timeout_ms)
{
	memset(&e->p, 0xa5, sizeof(e->p));
	return get_packets(e->port, &e->p, 1, timeout_ms);
}

/* The packet tells the end of the operation, and so does the status block. */
static bool tells(const struct wsock_packet *p, unsigned long long key, const struct ov *ov,
		  unsigned long long status, unsigned int bytes)
{
	return p->key == key && p->ov == (unsigned long)&ov->st && p->internal == status &&
	       p->bytes == bytes && p->flags == 0 && ov_intact(ov) &&
	       ov_status(ov) == (unsigned int)status && ov->st.internal_high == bytes;
}

/* One packet and no more. */
static bool takes(struct env *e, unsigned long long key, const struct ov *ov,
		  unsigned long long status, unsigned int bytes)
{
	return take(e, TIMEOUT_MS) == 1 && tells(&e->p, key, ov, status, bytes) &&
	       take(e, 0) == -ETIME;
}

static bool packets_are(int port, int n)
{
	return wait_for(fdinfo(port, "packets") == n);
}

struct getter {
	int port, timeout_ms, ret;
	struct wsock_packet p;
	pthread_t thread;
};

static void *getter_main(void *arg)
{
	struct getter *g = arg;

	g->ret = get_packets(g->port, &g->p, 1, g->timeout_ms);
	return NULL;
}

/* Start it and see it wait, as the @n-th. */
static bool getter_start(struct getter *g, int port, int n)
{
	g->port = port;
	g->timeout_ms = TIMEOUT_MS;
	return !pthread_create(&g->thread, NULL, getter_main, g) &&
	       wait_for(fdinfo(port, "waiters") == n);
}

/* ------------------------------------------------------------------------- */
/* Every way to receive */

FIXTURE(receive)
{
	struct env e;
	int *s;
	unsigned long long key;
};

FIXTURE_VARIANT(receive)
{
	bool dgram, msg;
};

FIXTURE_VARIANT_ADD(receive, tcp) { };
FIXTURE_VARIANT_ADD(receive, tcp_msg) { .msg = true };
FIXTURE_VARIANT_ADD(receive, udp) { .dgram = true };
FIXTURE_VARIANT_ADD(receive, udp_msg) { .dgram = true, .msg = true };

FIXTURE_SETUP(receive)
{
	ASSERT_TRUE(env_open(&self->e));
	self->s = variant->dgram ? self->e.udp : self->e.tcp;
	self->key = variant->dgram ? KEY_UDP : KEY_TCP;
}

FIXTURE_TEARDOWN(receive)
{
	EXPECT_TRUE(env_close(&self->e));
}

static int receive_at(FIXTURE_DATA(receive) *self, const FIXTURE_VARIANT(receive) *variant,
		      void *addr, struct ov *ov, int flags)
{
	struct iovec iov = { addr, 100 };
	struct wsock_msg msg = { .iov = (unsigned long)&iov, .iovlen = 1 };
	struct wsock_submit args = {
		.op = variant->msg ? WSOCK_OP_RECVMSG : WSOCK_OP_RECV,
		.fd = self->s[0],
		.addr = (unsigned long)(variant->msg ? &msg : addr),
		.len = variant->msg ? sizeof(msg) : 100,
		.cmd = {
			.flags = flags,
			.event_fd = flags & WSOCK_CMD_EVENT ? self->e.event : 0,
		},
	};

	return submit(self->e.dev, args, ov);
}

#define RECEIVE(flags)	receive_at(self, variant, self->e.buf, &self->e.ov, flags)

TEST_F(receive, pends__taker_executes)
{
	struct env *e = &self->e;

	ASSERT_EQ(RECEIVE(0), -EINPROGRESS);
	EXPECT_EQ(take(e, 0), -ETIME);
	EXPECT_EQ(fdinfo(e->dev, "queued"), 1);
	ASSERT_EQ(send(self->s[1], "hello", 5, 0), 5);
	EXPECT_TRUE(packets_are(e->port, 1));
	/* Nobody took it, so nobody executed it: not the submitting thread. */
	nap_ms(QUIET_MS);
	EXPECT_EQ(ov_status(&e->ov), STATUS_PENDING);
	EXPECT_EQ(e->ov.st.internal_high, OV_POISON);
	EXPECT_EQ(e->buf[0], (char)0xa5);
	EXPECT_EQ(fdinfo(e->dev, "scheduled"), 1);
	EXPECT_TRUE(takes(e, self->key, &e->ov, STATUS_SUCCESS, 5));
	EXPECT_EQ(memcmp(e->buf, "hello\xa5", 6), 0);
	EXPECT_EQ(fdinfo(e->dev, "completed"), 1);
	EXPECT_EQ(counter("operations"), 0);
}

TEST_F(receive, pends__taker_waits)
{
	struct env *e = &self->e;
	struct getter g = {};

	ASSERT_EQ(RECEIVE(0), -EINPROGRESS);
	ASSERT_TRUE(getter_start(&g, e->port, 1));
	ASSERT_EQ(send(self->s[1], "hello", 5, 0), 5);
	pthread_join(g.thread, NULL);
	EXPECT_EQ(g.ret, 1);
	EXPECT_TRUE(tells(&g.p, self->key, &e->ov, STATUS_SUCCESS, 5));
	EXPECT_EQ(memcmp(e->buf, "hello\xa5", 6), 0);
	EXPECT_EQ(take(e, 0), -ETIME);
}

/* Somebody else had the data: the operation waits again, for the same packet. */
TEST_F(receive, pends__in_vain)
{
	struct env *e = &self->e;
	char buf[8];

	ASSERT_EQ(RECEIVE(0), -EINPROGRESS);
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(send(self->s[1], "hello", 5, 0), 5);
		EXPECT_TRUE(packets_are(e->port, 1));
		EXPECT_EQ(recv(self->s[0], buf, sizeof(buf), 0), 5);
		EXPECT_EQ(take(e, i * 10), -ETIME);
		EXPECT_EQ(ov_status(&e->ov), STATUS_PENDING);
		EXPECT_EQ(fdinfo(e->dev, "queued"), 1);
	}
	ASSERT_EQ(send(self->s[1], "hello", 5, 0), 5);
	EXPECT_TRUE(takes(e, self->key, &e->ov, STATUS_SUCCESS, 5));
}

TEST_F(receive, ready)
{
	struct env *e = &self->e;

	ASSERT_EQ(send(self->s[1], "hello", 5, 0), 5);
	EXPECT_EQ(RECEIVE(0), 5);
	EXPECT_EQ(ov_status(&e->ov), STATUS_SUCCESS);
	EXPECT_EQ(memcmp(e->buf, "hello\xa5", 6), 0);
	EXPECT_TRUE(takes(e, self->key, &e->ov, STATUS_SUCCESS, 5));
}

TEST_F(receive, fails_at_once)
{
	struct env *e = &self->e;

	ASSERT_EQ(send(self->s[1], "hello", 5, 0), 5);
	EXPECT_EQ(receive_at(self, variant, (void *)8, &e->ov, 0), -EFAULT);
	/* A datagram is lost. */
	if (variant->dgram)
		ASSERT_EQ(send(self->s[1], "hello", 5, 0), 5);
	EXPECT_EQ(receive_at(self, variant, (void *)8, &e->ov, WSOCK_CMD_EVENT), -EFAULT);
	EXPECT_FALSE(event_is_set(e->event));
	EXPECT_EQ(take(e, 0), -ETIME);
	EXPECT_EQ(counter("operations"), 0);
}

TEST_F(receive, fails_later)
{
	struct env *e = &self->e;

	ASSERT_EQ(receive_at(self, variant, (void *)8, &e->ov, 0), -EINPROGRESS);
	ASSERT_EQ(send(self->s[1], "hello", 5, 0), 5);
	EXPECT_TRUE(takes(e, self->key, &e->ov, STATUS_ACCESS_VIOLATION, 0));
}

TEST_F(receive, skip_on_success)
{
	struct env *e = &self->e;

	ASSERT_EQ(set_modes(e->dev, self->s[0], WSOCK_MODE_SKIP_ON_SUCCESS), 0);
	/* It stays. */
	ASSERT_EQ(set_modes(e->dev, self->s[0], 0), 0);
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(send(self->s[1], "hello", 5, 0), 5);
		EXPECT_EQ(RECEIVE(0), 5);
		EXPECT_EQ(ov_status(&e->ov), STATUS_SUCCESS);
		EXPECT_EQ(take(e, 0), -ETIME);
		ASSERT_EQ(RECEIVE(0), -EINPROGRESS);
		ASSERT_EQ(send(self->s[1], "hello", 5, 0), 5);
		EXPECT_TRUE(takes(e, self->key, &e->ov, STATUS_SUCCESS, 5));
	}
	/* The event is not skipped. */
	ASSERT_EQ(send(self->s[1], "hello", 5, 0), 5);
	EXPECT_EQ(RECEIVE(WSOCK_CMD_EVENT), 5);
	EXPECT_TRUE(event_is_set(e->event));
	EXPECT_EQ(take(e, 0), -ETIME);
}

TEST_F(receive, no_packet)
{
	struct env *e = &self->e;

	ASSERT_EQ(send(self->s[1], "hello", 5, 0), 5);
	EXPECT_EQ(RECEIVE(WSOCK_CMD_NO_PACKET), 5);
	EXPECT_EQ(ov_status(&e->ov), STATUS_SUCCESS);
	/* Nobody asks a port for it: the submitting thread executes. */
	ASSERT_EQ(RECEIVE(WSOCK_CMD_NO_PACKET), -EINPROGRESS);
	ASSERT_EQ(send(self->s[1], "hello", 5, 0), 5);
	EXPECT_TRUE(wait_for(ov_status(&e->ov) == STATUS_SUCCESS));
	ASSERT_EQ(RECEIVE(WSOCK_CMD_NO_PACKET), -EINPROGRESS);
	EXPECT_EQ(dev_cancel(e->dev, self->s[0], &e->ov.st), 1);
	EXPECT_EQ(take(e, 0), -ETIME);
	EXPECT_EQ(counter("operations"), 0);
}

TEST_F(receive, event__shows_first)
{
	struct env *e = &self->e;

	ASSERT_EQ(RECEIVE(WSOCK_CMD_EVENT), -EINPROGRESS);
	ASSERT_EQ(send(self->s[1], "hello", 5, 0), 5);
	ASSERT_TRUE(event_wait(e->event));
	EXPECT_EQ(ov_status(&e->ov), STATUS_SUCCESS);
	EXPECT_EQ(memcmp(e->buf, "hello\xa5", 6), 0);
	EXPECT_TRUE(takes(e, self->key, &e->ov, STATUS_SUCCESS, 5));

	ASSERT_EQ(send(self->s[1], "hello", 5, 0), 5);
	ASSERT_EQ(RECEIVE(WSOCK_CMD_EVENT), 5);
	EXPECT_TRUE(event_is_set(e->event));
	EXPECT_TRUE(takes(e, self->key, &e->ov, STATUS_SUCCESS, 5));
}

TEST_F(receive, cancel__one)
{
	struct env *e = &self->e;
	struct ov other;

	ASSERT_EQ(RECEIVE(0), -EINPROGRESS);
	ASSERT_EQ(receive_at(self, variant, e->buf, &other, 0), -EINPROGRESS);
	EXPECT_EQ(dev_cancel(e->dev, self->s[0], &e->ov.st), 1);
	EXPECT_TRUE(takes(e, self->key, &e->ov, STATUS_CANCELLED, 0));
	EXPECT_EQ(dev_cancel(e->dev, self->s[0], &e->ov.st), -ENOENT);
	EXPECT_EQ(ov_status(&other), STATUS_PENDING);
	ASSERT_EQ(send(self->s[1], "hello", 5, 0), 5);
	EXPECT_TRUE(takes(e, self->key, &other, STATUS_SUCCESS, 5));
}

/* Its executor was asked for already; the next needs one. */
TEST_F(receive, cancel__scheduled)
{
	struct env *e = &self->e;
	struct ov other;

	ASSERT_EQ(RECEIVE(0), -EINPROGRESS);
	ASSERT_EQ(receive_at(self, variant, e->buf, &other, 0), -EINPROGRESS);
	ASSERT_EQ(send(self->s[1], "hello", 5, 0), 5);
	EXPECT_TRUE(packets_are(e->port, 1));
	EXPECT_EQ(dev_cancel(e->dev, self->s[0], &e->ov.st), 1);
	EXPECT_EQ(ov_status(&e->ov), STATUS_CANCELLED);
	EXPECT_EQ(take(e, 0), 1);
	EXPECT_TRUE(tells(&e->p, self->key, &e->ov, STATUS_CANCELLED, 0));
	EXPECT_TRUE(takes(e, self->key, &other, STATUS_SUCCESS, 5));
}

TEST_F(receive, cancel__all)
{
	struct env *e = &self->e;
	struct ov ov[100];

	for (int i = 0; i < 100; i++)
		ASSERT_EQ(receive_at(self, variant, e->buf, &ov[i], 0), -EINPROGRESS);
	EXPECT_EQ(dev_cancel(e->dev, self->s[0], NULL), 100);
	for (int i = 0; i < 100; i++) {
		EXPECT_EQ(take(e, 0), 1);
		EXPECT_TRUE(tells(&e->p, self->key, &ov[i], STATUS_CANCELLED, 0));
	}
	EXPECT_EQ(take(e, 0), -ETIME);
}

TEST_F(receive, closesocket)
{
	struct env *e = &self->e;
	unsigned int status = variant->dgram ? STATUS_CANCELLED : STATUS_CONNECTION_ABORTED;
	struct ov other;

	ASSERT_EQ(RECEIVE(0), -EINPROGRESS);
	ASSERT_EQ(receive_at(self, variant, e->buf, &other, WSOCK_CMD_EVENT), -EINPROGRESS);
	EXPECT_EQ(dev_closesocket(e->dev, self->s[0]), 0);
	EXPECT_TRUE(event_is_set(e->event));
	EXPECT_EQ(take(e, 0), 1);
	EXPECT_TRUE(tells(&e->p, self->key, &e->ov, status, 0));
	EXPECT_TRUE(takes(e, self->key, &other, status, 0));
}

/* The port is not part of what the final release ends. */
TEST_F(receive, cleanup__packets_survive)
{
	struct env *e = &self->e;
	struct ov ov[5];

	/* One that is done, one in the queue to be executed, and such that wait. */
	ASSERT_EQ(send(self->s[1], "hello", 5, 0), 5);
	ASSERT_EQ(receive_at(self, variant, e->buf, &ov[0], 0), 5);
	for (int i = 1; i < 5; i++)
		ASSERT_EQ(receive_at(self, variant, e->buf, &ov[i], 0), -EINPROGRESS);
	ASSERT_EQ(send(self->s[1], "hello", 5, 0), 5);
	EXPECT_TRUE(packets_are(e->port, 2));
	EXPECT_EQ(dev_cleanup(e->dev), 1);
	for (int i = 1; i < 5; i++)
		EXPECT_EQ(ov_status(&ov[i]), STATUS_CANCELLED);
	EXPECT_EQ(fdinfo(e->port, "packets"), 5);
	EXPECT_EQ(take(e, 0), 1);
	EXPECT_TRUE(tells(&e->p, self->key, &ov[0], STATUS_SUCCESS, 5));
	EXPECT_EQ(take(e, 0), 1);
	EXPECT_TRUE(tells(&e->p, self->key, &ov[1], STATUS_CANCELLED, 0));
	EXPECT_EQ(dev_startup(e->dev), 0);
	EXPECT_EQ(take(e, 0), 1);
	EXPECT_TRUE(tells(&e->p, self->key, &ov[2], STATUS_CANCELLED, 0));
	close(e->dev);
	e->dev = -1;
	EXPECT_EQ(take(e, 0), 1);
	EXPECT_TRUE(tells(&e->p, self->key, &ov[3], STATUS_CANCELLED, 0));
	/* These hold the context, and so the module. */
	EXPECT_EQ(counter("operations"), 1);
	EXPECT_TRUE(takes(e, self->key, &ov[4], STATUS_CANCELLED, 0));
	EXPECT_EQ(counter("operations"), 0);
}

static void *receive_and_exit(void *arg)
{
	struct env *e = arg;

	return (void *)(long)dev_recv(e->dev, e->tcp[0], e->buf, 100, &e->ov);
}

/* ------------------------------------------------------------------------- */
/* What shows its end before somebody asks */

FIXTURE(shown)
{
	struct env e;
};

FIXTURE_VARIANT(shown)
{
	const char *workers;
};

FIXTURE_VARIANT_ADD(shown, task_work) { .workers = "0" };
FIXTURE_VARIANT_ADD(shown, worker) { .workers = "1" };

FIXTURE_SETUP(shown)
{
	set_param("workers", variant->workers);
	ASSERT_TRUE(env_open(&self->e));
}

FIXTURE_TEARDOWN(shown)
{
	EXPECT_TRUE(env_close(&self->e));
	set_param("workers", "0");
}

TEST_F(shown, event)
{
	struct env *e = &self->e;

	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(recv_flags(e, e->tcp[0], &e->ov, WSOCK_CMD_EVENT, e->event), -EINPROGRESS);
		ASSERT_EQ(send(e->tcp[1], "hello", 5, 0), 5);
		ASSERT_TRUE(event_wait(e->event));
		EXPECT_EQ(ov_status(&e->ov), STATUS_SUCCESS);
		EXPECT_TRUE(takes(e, KEY_TCP, &e->ov, STATUS_SUCCESS, 5));
	}
}

/* What is before one with an event must not hold it up until a thread comes. */
TEST_F(shown, event__among_others)
{
	struct env *e = &self->e;
	struct ov ov[3];

	ASSERT_EQ(recv_flags(e, e->udp[0], &ov[0], WSOCK_CMD_EVENT, e->event), -EINPROGRESS);
	ASSERT_EQ(recv_flags(e, e->udp[0], &ov[1], 0, 0), -EINPROGRESS);
	ASSERT_EQ(recv_flags(e, e->udp[0], &ov[2], WSOCK_CMD_EVENT, e->event), -EINPROGRESS);
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(send(e->udp[1], "hello", 5 - i, 0), 5 - i);
	ASSERT_TRUE(wait_for(ov_status(&ov[2]) == STATUS_SUCCESS));
	EXPECT_EQ(ov_status(&ov[0]), STATUS_SUCCESS);
	EXPECT_EQ(ov_status(&ov[1]), STATUS_SUCCESS);
	EXPECT_TRUE(packets_are(e->port, 3));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(take(e, TIMEOUT_MS), 1);
		EXPECT_TRUE(tells(&e->p, KEY_UDP, &ov[i], STATUS_SUCCESS, 5 - i));
	}
	EXPECT_EQ(take(e, 0), -ETIME);
}

#define APC_STATUS(status)	((unsigned long long)APC_TAG << 32 | (status))

TEST_F(shown, apc)
{
	struct env *e = &self->e;

	ASSERT_EQ(recv_apc(e, e->bare[0], &e->ov, e->port), -EINPROGRESS);
	ASSERT_EQ(send(e->bare[1], "hello", 5, 0), 5);
	EXPECT_TRUE(wait_for(ov_status(&e->ov) == STATUS_SUCCESS));
	EXPECT_TRUE(takes(e, APC_KEY, &e->ov, APC_STATUS(STATUS_SUCCESS), 5));

	ASSERT_EQ(send(e->bare[1], "hello", 5, 0), 5);
	EXPECT_EQ(recv_apc(e, e->bare[0], &e->ov, e->port), 5);
	EXPECT_TRUE(takes(e, APC_KEY, &e->ov, APC_STATUS(STATUS_SUCCESS), 5));
}

TEST_F(shown, apc__cancel)
{
	struct env *e = &self->e;

	ASSERT_EQ(recv_apc(e, e->bare[0], &e->ov, e->port), -EINPROGRESS);
	EXPECT_EQ(dev_cancel(e->dev, e->bare[0], &e->ov.st), 1);
	EXPECT_TRUE(takes(e, APC_KEY, &e->ov, APC_STATUS(STATUS_CANCELLED), 0));
	ASSERT_EQ(recv_apc(e, e->bare[0], &e->ov, e->port), -EINPROGRESS);
	EXPECT_EQ(dev_closesocket(e->dev, e->bare[0]), 0);
	EXPECT_TRUE(takes(e, APC_KEY, &e->ov, APC_STATUS(STATUS_CONNECTION_ABORTED), 0));
}

TEST_F(shown, apc__cleanup)
{
	struct env *e = &self->e;

	ASSERT_EQ(recv_apc(e, e->bare[0], &e->ov, e->port), -EINPROGRESS);
	EXPECT_EQ(dev_cleanup(e->dev), 1);
	EXPECT_EQ(ov_status(&e->ov), STATUS_CANCELLED);
	EXPECT_EQ(take(e, 0), -ETIME);
	EXPECT_TRUE(wait_for(!counter("operations")));
}

/* A routine that nobody will run any more: the operation ends all the same. */
TEST_F(shown, apc__port_abandoned)
{
	struct env *e = &self->e;

	ASSERT_EQ(recv_apc(e, e->bare[0], &e->ov, e->port), -EINPROGRESS);
	EXPECT_EQ(shut(e->port), 0);
	ASSERT_EQ(send(e->bare[1], "hello", 5, 0), 5);
	EXPECT_TRUE(wait_for(ov_status(&e->ov) == STATUS_SUCCESS));
	EXPECT_TRUE(wait_for(!counter("operations")));
}

/* ------------------------------------------------------------------------- */

/*
 * A wake-up in vain: what waits in the port is taken back for the one behind it,
 * which has to show its end though nobody comes to the port.
 */
TEST_F(shown, event__behind_one_that_was_woken_in_vain)
{
	struct env *e = &self->e;
	struct ov first, second;
	char buf[8];

	for (int way = 0; way < 2; way++) {
		ASSERT_EQ(recv_flags(e, e->udp[0], &first, 0, 0), -EINPROGRESS);
		ASSERT_EQ(send(e->udp[1], "hello", 5, 0), 5);
		ASSERT_TRUE(packets_are(e->port, 1));
		ASSERT_EQ(recv(e->udp[0], buf, sizeof(buf), 0), 5);
		ASSERT_EQ(recv_flags(e, e->udp[0], &second, WSOCK_CMD_EVENT, e->event),
			  -EINPROGRESS);
		EXPECT_EQ(ov_status(&first), STATUS_PENDING);
		ASSERT_EQ(send(e->udp[1], "abc", 3, 0), 3);
		/* The first in another's company, the second by itself. */
		if (way)
			ASSERT_TRUE(wait_for(ov_status(&first) == STATUS_SUCCESS));
		ASSERT_EQ(send(e->udp[1], "de", 2, 0), 2);
		ASSERT_TRUE(event_wait(e->event));
		EXPECT_EQ(ov_status(&first), STATUS_SUCCESS);
		EXPECT_EQ(take(e, 0), 1);
		EXPECT_TRUE(tells(&e->p, KEY_UDP, &first, STATUS_SUCCESS, 3));
		EXPECT_TRUE(takes(e, KEY_UDP, &second, STATUS_SUCCESS, 2));
	}
}

static int socket_event(struct env *e, int fd, int event)
{
	struct wsock_socket_event args = { .fd = fd, .event_fd = event };

	return dev_ioctl(e->dev, WSOCK_IOC_SOCKET_EVENT, &args);
}

TEST_F(shown, socket_event__of_one_that_pends)
{
	struct env *e = &self->e;
	char buf[8];
	int event;

	/* As it is, in the port's queue, and there in vain. */
	for (int way = 0; way < 3; way++) {
		int fds[2];

		ASSERT_EQ(udp_pair(fds), 0);
		ASSERT_EQ(dev_adopt(e->dev, fds[0]), 0);
		ASSERT_EQ(associate(e->dev, fds[0], e->port, KEY_UDP), 0);
		ASSERT_EQ(recv_flags(e, fds[0], &e->ov, 0, 0), -EINPROGRESS);
		if (way) {
			ASSERT_EQ(send(fds[1], "hello", 5, 0), 5);
			ASSERT_TRUE(packets_are(e->port, 1));
		}
		if (way == 2)
			ASSERT_EQ(recv(fds[0], buf, sizeof(buf), 0), 5);
		event = socket_event(e, fds[0], e->event);
		ASSERT_GE(event, 0);
		if (way != 1) {
			EXPECT_FALSE(event_is_set(event));
			ASSERT_EQ(send(fds[1], "hello", 5, 0), 5);
		}
		ASSERT_TRUE(event_wait(event));
		EXPECT_EQ(ov_status(&e->ov), STATUS_SUCCESS);
		EXPECT_TRUE(takes(e, KEY_UDP, &e->ov, STATUS_SUCCESS, 5));
		close(event);
		EXPECT_EQ(dev_closesocket(e->dev, fds[0]), 0);
		EXPECT_EQ(eventfd_read(e->event, &(eventfd_t){ 0 }), 0);
		close(fds[1]);
	}
}

TEST_F(shown, socket_event__of_later_ones)
{
	struct env *e = &self->e;
	int none, event, other = new_event(), fds[2];
	struct ov ov;

	for (int with_port = 0; with_port < 2; with_port++) {
		ASSERT_EQ(tcp_pair(fds), 0);
		ASSERT_EQ(dev_adopt(e->dev, fds[0]), 0);
		if (with_port)
			ASSERT_EQ(associate(e->dev, fds[0], e->port, KEY_TCP), 0);
		EXPECT_EQ(socket_event(e, fds[0], -1), -ENOENT);
		EXPECT_EQ(socket_event(e, fds[0], e->dev), -EINVAL);
		none = socket_event(e, fds[0], 1000);
		EXPECT_EQ(none, -EBADF);
		event = socket_event(e, fds[0], e->event);
		ASSERT_GE(event, 0);
		/* Nothing pends; and it stays this one. */
		EXPECT_TRUE(event_is_set(event));
		none = socket_event(e, fds[0], other);
		ASSERT_GE(none, 0);
		EXPECT_FALSE(event_is_set(other));
		EXPECT_EQ(eventfd_read(none, &(eventfd_t){ 0 }), 0);
		EXPECT_FALSE(event_is_set(event));
		close(none);
		/* At once, pending, failed at once. */
		EXPECT_EQ(dev_send(e->dev, fds[0], "x", 1, &ov), 1);
		EXPECT_TRUE(event_is_set(event));
		ASSERT_EQ(recv_flags(e, fds[0], &e->ov, 0, 0), -EINPROGRESS);
		EXPECT_FALSE(event_is_set(event));
		ASSERT_EQ(send(fds[1], "hello", 5, 0), 5);
		ASSERT_TRUE(event_wait(event));
		EXPECT_EQ(ov_status(&e->ov), STATUS_SUCCESS);
		EXPECT_EQ(dev_submit(e->dev, WSOCK_OP_RECV, fds[0], (void *)~0xfffull, 8192, &ov,
				     -1, 0), -EFAULT);
		/* One with its own is none of its business. */
		EXPECT_EQ(eventfd_write(event, 1), 0);
		ASSERT_EQ(recv_flags(e, fds[0], &ov, WSOCK_CMD_EVENT, other), -EINPROGRESS);
		EXPECT_TRUE(event_is_set(event));
		EXPECT_EQ(eventfd_read(event, &(eventfd_t){ 0 }), 0);
		ASSERT_EQ(send(fds[1], "hello", 5, 0), 5);
		ASSERT_TRUE(event_wait(other));
		EXPECT_FALSE(event_is_set(event));
		/* Nor are they with the mode. */
		ASSERT_EQ(set_modes(e->dev, fds[0], WSOCK_MODE_SKIP_EVENT), 0);
		ASSERT_EQ(recv_flags(e, fds[0], &e->ov, 0, 0), -EINPROGRESS);
		ASSERT_EQ(send(fds[1], "hello", 5, 0), 5);
		ASSERT_TRUE(wait_for(ov_status(&e->ov) == STATUS_SUCCESS));
		EXPECT_FALSE(event_is_set(event));
		while (take(e, 0) == 1)
			;
		EXPECT_EQ(eventfd_read(other, &(eventfd_t){ 0 }), 0);
		close(event);
		EXPECT_EQ(dev_closesocket(e->dev, fds[0]), 0);
		close(fds[1]);
	}
	EXPECT_EQ(socket_event(e, e->tcp[1], -1), -ENOTSOCK);
	EXPECT_EQ(socket_event(e, 1000, -1), -EBADF);
	close(other);
}

/* Told by cancel and closesocket, not by the final release. */
TEST_F(shown, socket_event__ends)
{
	struct env *e = &self->e;
	int event[3], fds[3][2];
	struct ov ov[3];

	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(tcp_pair(fds[i]), 0);
		ASSERT_EQ(dev_adopt(e->dev, fds[i][0]), 0);
		ASSERT_EQ(recv_flags(e, fds[i][0], &ov[i], 0, 0), -EINPROGRESS);
		event[i] = socket_event(e, fds[i][0], new_event());
		ASSERT_GE(event[i], 0);
		EXPECT_FALSE(event_is_set(event[i]));
	}
	EXPECT_EQ(dev_cancel(e->dev, fds[0][0], &ov[0].st), 1);
	EXPECT_TRUE(event_is_set(event[0]));
	EXPECT_EQ(dev_closesocket(e->dev, fds[1][0]), 0);
	EXPECT_TRUE(event_is_set(event[1]));
	EXPECT_EQ(dev_cleanup(e->dev), 1);
	EXPECT_EQ(ov_status(&ov[2]), STATUS_CANCELLED);
	EXPECT_FALSE(event_is_set(event[2]));
	EXPECT_EQ(socket_event(e, fds[2][0], -1), -EBADFD);
	for (int i = 0; i < 3; i++) {
		close(event[i]);
		close(fds[i][1]);
	}
	close(fds[0][0]);
	close(fds[2][0]);
}

FIXTURE(packets)
{
	struct env e;
};

FIXTURE_SETUP(packets)
{
	ASSERT_TRUE(env_open(&self->e));
}

FIXTURE_TEARDOWN(packets)
{
	EXPECT_TRUE(env_close(&self->e));
}

TEST_F(packets, apc__refused)
{
	struct env *e = &self->e;
	struct wsock_submit args = {
		.op = WSOCK_OP_RECV, .fd = e->bare[0], .addr = (unsigned long)e->buf, .len = 9,
	};

#define BAD(change)	({ struct wsock_submit bad = args; bad.change; submit(e->dev, bad, &e->ov); })
	/* With a port of its own; also where it would not have to wait. */
	EXPECT_EQ(recv_apc(e, e->tcp[0], &e->ov, e->port), -EINVAL);
	ASSERT_EQ(send(e->tcp[1], "hello", 5, 0), 5);
	EXPECT_EQ(recv_apc(e, e->tcp[0], &e->ov, e->port), -EINVAL);
	EXPECT_EQ(recv_apc(e, e->bare[0], &e->ov, e->dev), -EINVAL);
	EXPECT_EQ(recv_apc(e, e->bare[0], &e->ov, -1), -EBADF);
	EXPECT_EQ(recv_flags(e, e->bare[0], &e->ov, WSOCK_CMD_APC | WSOCK_CMD_EVENT, e->port),
		  -EINVAL);
	EXPECT_EQ(BAD(tag = 1), -EINVAL);
	EXPECT_EQ(BAD(key = 1), -EINVAL);
	EXPECT_EQ(BAD(cmd.event_fd = e->port), -EINVAL);
	EXPECT_EQ(BAD(cmd.flags = 1 << 4), -EINVAL);
	EXPECT_EQ(take(e, 0), -ETIME);
	EXPECT_EQ(counter("operations"), 0);
}

TEST_F(packets, datagram__cut)
{
	struct env *e = &self->e;

	for (int skip = 0; skip < 2; skip++) {
		ASSERT_EQ(send(e->udp[1], "0123456789", 10, 0), 10);
		EXPECT_EQ(dev_recv(e->dev, e->udp[0], e->buf, 6, &e->ov), -EMSGSIZE);
		EXPECT_EQ(take(e, 0), 1);
		EXPECT_EQ(e->p.internal, STATUS_BUFFER_OVERFLOW);
		EXPECT_EQ(e->p.bytes, 6);
		EXPECT_EQ(e->p.flags, MSG_TRUNC);
		EXPECT_EQ(ov_status(&e->ov), STATUS_BUFFER_OVERFLOW);
		ASSERT_EQ(dev_recv(e->dev, e->udp[0], e->buf, 6, &e->ov), -EINPROGRESS);
		ASSERT_EQ(send(e->udp[1], "0123456789", 10, 0), 10);
		EXPECT_EQ(take(e, TIMEOUT_MS), 1);
		EXPECT_EQ(e->p.internal, STATUS_BUFFER_OVERFLOW);
		EXPECT_EQ(e->p.bytes, 6);
		EXPECT_EQ(take(e, 0), -ETIME);
		/* The success that may be skipped is another one. */
		ASSERT_EQ(set_modes(e->dev, e->udp[0], WSOCK_MODE_SKIP_ON_SUCCESS), 0);
	}
}

TEST_F(packets, receive__end_of_stream)
{
	struct env *e = &self->e;

	ASSERT_EQ(dev_recv(e->dev, e->tcp[0], e->buf, 6, &e->ov), -EINPROGRESS);
	ASSERT_EQ(shutdown(e->tcp[1], SHUT_WR), 0);
	EXPECT_TRUE(takes(e, KEY_TCP, &e->ov, STATUS_SUCCESS, 0));
	EXPECT_EQ(dev_recv(e->dev, e->tcp[0], e->buf, 6, &e->ov), 0);
	EXPECT_TRUE(takes(e, KEY_TCP, &e->ov, STATUS_SUCCESS, 0));
}

TEST_F(packets, receive__reset_by_peer)
{
	struct linger linger = { .l_onoff = 1 };
	struct env *e = &self->e;

	ASSERT_EQ(dev_recv(e->dev, e->tcp[0], e->buf, 6, &e->ov), -EINPROGRESS);
	ASSERT_EQ(setsockopt(e->tcp[1], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	ASSERT_EQ(close(e->tcp[1]), 0);
	EXPECT_TRUE(takes(e, KEY_TCP, &e->ov, STATUS_CONNECTION_RESET, 0));
}

TEST_F(packets, receive__waitall)
{
	struct env *e = &self->e;

	ASSERT_EQ(send(e->tcp[1], "abc", 3, 0), 3);
	ASSERT_EQ(dev_submit(e->dev, WSOCK_OP_RECV, e->tcp[0], e->buf, 9, &e->ov, -1, MSG_WAITALL),
		  -EINPROGRESS);
	ASSERT_EQ(send(e->tcp[1], "def", 3, 0), 3);
	EXPECT_EQ(take(e, 20), -ETIME);
	ASSERT_EQ(send(e->tcp[1], "ghi", 3, 0), 3);
	EXPECT_TRUE(takes(e, KEY_TCP, &e->ov, STATUS_SUCCESS, 9));
	EXPECT_EQ(memcmp(e->buf, "abcdefghi\xa5", 10), 0);
}

TEST_F(packets, send__at_once)
{
	struct env *e = &self->e;
	struct iovec iov = { "hello", 5 };
	struct wsock_msg msg = { .iov = (unsigned long)&iov, .iovlen = 1 };
	int fds[2] = { e->tcp[0], e->udp[0] };
	unsigned long long keys[2] = { KEY_TCP, KEY_UDP };

	for (int skip = 0; skip < 2; skip++) {
		for (int i = 0; i < 2; i++) {
			EXPECT_EQ(dev_send(e->dev, fds[i], "hello", 5, &e->ov), 5);
			if (!skip)
				EXPECT_TRUE(takes(e, keys[i], &e->ov, STATUS_SUCCESS, 5));
			EXPECT_EQ(submit(e->dev, (struct wsock_submit){
				.op = WSOCK_OP_SENDMSG, .fd = fds[i],
				.addr = (unsigned long)&msg, .len = sizeof(msg),
			}, &e->ov), 5);
			if (!skip)
				EXPECT_TRUE(takes(e, keys[i], &e->ov, STATUS_SUCCESS, 5));
			EXPECT_EQ(take(e, 0), -ETIME);
			ASSERT_EQ(set_modes(e->dev, fds[i], WSOCK_MODE_SKIP_ON_SUCCESS), 0);
		}
	}
}

TEST_F(packets, send__fails_at_once)
{
	struct env *e = &self->e;

	ASSERT_EQ(shutdown(e->tcp[0], SHUT_WR), 0);
	EXPECT_EQ(dev_send(e->dev, e->tcp[0], "x", 1, &e->ov), -ESHUTDOWN);
	/* The code of a datagram that was cut, but nothing was sent. */
	EXPECT_EQ(dev_submit(e->dev, WSOCK_OP_SEND, e->udp[0], e->buf, 1 << 20, &e->ov, e->event,
			     0), -EMSGSIZE);
	EXPECT_FALSE(event_is_set(e->event));
	EXPECT_EQ(take(e, 0), -ETIME);
}

struct sink {
	int fd;
	size_t len;
};

static void *sink_main(void *arg)
{
	struct sink *s = arg;
	char *buf = malloc(65536);
	ssize_t n = 1;

	for (size_t got = 0; got < s->len && n > 0; got += n)
		n = recv(s->fd, buf, 65536, 0);
	free(buf);
	return NULL;
}

static void send_pends(struct __test_metadata *_metadata, struct env *e, int op)
{
	size_t before = fill(e->tcp[0]), len = 4 << 20;
	struct iovec iov[2];
	struct wsock_msg msg = { .iov = (unsigned long)iov, .iovlen = 2 };
	char *big = calloc(1, len);
	struct sink sink = { e->tcp[1], before + len };
	bool with_msg = op == WSOCK_OP_SENDMSG;
	pthread_t t;

	iov[0] = (struct iovec){ big, len / 2 };
	iov[1] = (struct iovec){ big + len / 2, len / 2 };
	ASSERT_EQ(submit(e->dev, (struct wsock_submit){
		.op = op, .fd = e->tcp[0],
		.addr = (unsigned long)(with_msg ? (void *)&msg : big),
		.len = with_msg ? sizeof(msg) : len,
	}, &e->ov), -EINPROGRESS);
	EXPECT_EQ(take(e, 0), -ETIME);
	ASSERT_EQ(pthread_create(&t, NULL, sink_main, &sink), 0);
	/* In many pieces, and one packet. */
	EXPECT_TRUE(takes(e, KEY_TCP, &e->ov, STATUS_SUCCESS, len));
	pthread_join(t, NULL);
	free(big);
}

TEST_F(packets, send__pends)
{
	send_pends(_metadata, &self->e, WSOCK_OP_SEND);
}

TEST_F(packets, sendmsg__pends)
{
	send_pends(_metadata, &self->e, WSOCK_OP_SENDMSG);
}

TEST_F(packets, send__cancelled_tells_bytes)
{
	struct env *e = &self->e;
	size_t len = 64 << 20;
	char *big = calloc(1, len);

	ASSERT_EQ(dev_send(e->dev, e->tcp[0], big, len, &e->ov), -EINPROGRESS);
	ASSERT_EQ(dev_cancel(e->dev, e->tcp[0], &e->ov.st), 1);
	EXPECT_EQ(take(e, 0), 1);
	EXPECT_GT(e->p.bytes, 0);
	EXPECT_TRUE(tells(&e->p, KEY_TCP, &e->ov, STATUS_CANCELLED, e->p.bytes));
	EXPECT_EQ(take(e, 0), -ETIME);
	free(big);
}

TEST_F(packets, associate__refused)
{
	struct env *e = &self->e;
	int other[2], fresh = dev_open();
	pid_t pid;

	ASSERT_EQ(tcp_pair(other), 0);
	EXPECT_EQ(associate(e->dev, e->tcp[0], e->port, 1), -EINVAL);
	EXPECT_EQ(associate(e->dev, e->bare[0], e->dev, 1), -EINVAL);
	EXPECT_EQ(associate(e->dev, e->bare[0], -1, 1), -EBADF);
	EXPECT_EQ(associate(e->dev, -1, e->port, 1), -EBADF);
	EXPECT_EQ(associate(e->dev, other[0], e->port, 1), -ENOTSOCK);
	EXPECT_EQ(associate(e->dev, e->dev, e->port, 1), -ENOTSOCK);
	EXPECT_EQ(dev_ioctl(e->dev, WSOCK_IOC_ASSOCIATE, NULL), -EFAULT);
	EXPECT_EQ(set_modes(e->dev, e->tcp[0], 8), -EINVAL);
	EXPECT_EQ(set_modes(e->dev, other[0], 1), -ENOTSOCK);
	EXPECT_EQ(dev_ioctl(e->dev, WSOCK_IOC_MODES, NULL), -EFAULT);
	pid = fork();
	if (!pid) {
		int dev = dev_started();
		struct ov ov;

		if (dev_adopt(dev, other[0]))
			_exit(1);
		if (associate(dev, other[0], e->port, 1) != -EPERM)
			_exit(2);
		/* Nor with the parent's context. */
		if (associate(e->dev, e->bare[0], port_new(dev, 1), 1) != -EPERM)
			_exit(3);
		if (submit(dev, (struct wsock_submit){
			.op = WSOCK_OP_RECV, .fd = other[0], .addr = (unsigned long)e->buf,
			.len = 1, .cmd = { .flags = WSOCK_CMD_APC, .event_fd = e->port },
		}, &ov) != -EPERM)
			_exit(4);
		_exit(0);
	}
	EXPECT_EQ(child_status(pid), 0);
	/* None of this has given it one. */
	EXPECT_EQ(associate(e->dev, e->bare[0], e->port, 1), 0);
	EXPECT_EQ(dev_cleanup(e->dev), 1);
	EXPECT_EQ(associate(e->dev, e->bare[0], e->port, 1), -EBADFD);
	EXPECT_EQ(set_modes(e->dev, e->bare[0], 1), -EBADFD);
	close(fresh);
	close(other[0]);
	close(other[1]);
}

TEST_F(packets, associate__with_pending)
{
	struct env *e = &self->e;
	struct ov later;

	ASSERT_EQ(dev_recv(e->dev, e->bare[0], e->buf, 5, &e->ov), -EINPROGRESS);
	ASSERT_EQ(associate(e->dev, e->bare[0], e->port, 77), 0);
	ASSERT_EQ(dev_recv(e->dev, e->bare[0], e->buf, 5, &later), -EINPROGRESS);
	ASSERT_EQ(send(e->bare[1], "hellohello", 10, 0), 10);
	/* What was submitted before has no packet. */
	EXPECT_TRUE(wait_for(ov_status(&e->ov) == STATUS_SUCCESS));
	EXPECT_TRUE(takes(e, 77, &later, STATUS_SUCCESS, 5));
}

TEST_F(packets, associate__follows_duplicate)
{
	struct env *e = &self->e;
	int dup = fcntl(e->tcp[0], F_DUPFD_CLOEXEC, 0);

	ASSERT_EQ(dev_adopt(e->dev, dup), 0);
	EXPECT_EQ(associate(e->dev, dup, e->port, 1), -EINVAL);
	ASSERT_EQ(dev_recv(e->dev, dup, e->buf, 100, &e->ov), -EINPROGRESS);
	EXPECT_EQ(dev_closesocket(e->dev, e->tcp[0]), 0);
	ASSERT_EQ(send(e->tcp[1], "hello", 5, 0), 5);
	EXPECT_TRUE(takes(e, KEY_TCP, &e->ov, STATUS_SUCCESS, 5));
	EXPECT_EQ(dev_closesocket(e->dev, dup), 0);
}

TEST_F(packets, order__of_ends)
{
	struct env *e = &self->e;
	struct wsock_packet p[6];
	struct ov ov[4];

	ASSERT_EQ(send(e->udp[1], "hello", 5, 0), 5);
	ASSERT_EQ(dev_recv(e->dev, e->udp[0], e->buf, 100, &ov[0]), 5);
	EXPECT_EQ(post(e->port, 1), 0);
	ASSERT_EQ(dev_recv(e->dev, e->tcp[0], e->buf, 100, &ov[1]), -EINPROGRESS);
	ASSERT_EQ(dev_recv(e->dev, e->udp[0], e->buf, 100, &ov[2]), -EINPROGRESS);
	ASSERT_EQ(send(e->udp[1], "hello", 4, 0), 4);
	EXPECT_TRUE(packets_are(e->port, 3));
	EXPECT_EQ(dev_cancel(e->dev, e->tcp[0], NULL), 1);
	EXPECT_EQ(post(e->port, 2), 0);
	EXPECT_EQ(dev_send(e->dev, e->tcp[0], "x", 1, &ov[3]), 1);
	EXPECT_EQ(get_packets(e->port, p, 6, 0), 6);
	EXPECT_TRUE(tells(&p[0], KEY_UDP, &ov[0], STATUS_SUCCESS, 5));
	EXPECT_EQ(p[1].key, 1);
	EXPECT_TRUE(tells(&p[2], KEY_UDP, &ov[2], STATUS_SUCCESS, 4));
	EXPECT_TRUE(tells(&p[3], KEY_TCP, &ov[1], STATUS_CANCELLED, 0));
	EXPECT_EQ(p[4].key, 2);
	EXPECT_TRUE(tells(&p[5], KEY_TCP, &ov[3], STATUS_SUCCESS, 1));
}

/* An array of which the first that was taken turns out not to have ended. */
TEST_F(packets, order__without_the_first)
{
	struct env *e = &self->e;
	struct wsock_packet p[4];
	char byte;

	ASSERT_EQ(dev_recv(e->dev, e->tcp[0], e->buf, 100, &e->ov), -EINPROGRESS);
	ASSERT_EQ(send(e->tcp[1], "h", 1, 0), 1);
	EXPECT_TRUE(packets_are(e->port, 1));
	EXPECT_EQ(recv(e->tcp[0], &byte, 1, 0), 1);
	EXPECT_EQ(post(e->port, 1), 0);
	EXPECT_EQ(post(e->port, 2), 0);
	EXPECT_EQ(get_packets(e->port, p, 4, 0), 2);
	EXPECT_EQ(p[0].key, 1);
	EXPECT_EQ(p[1].key, 2);
	ASSERT_EQ(send(e->tcp[1], "hello", 5, 0), 5);
	EXPECT_TRUE(takes(e, KEY_TCP, &e->ov, STATUS_SUCCESS, 5));
}

#define RECEIVES 256
#define TAKERS	4

struct takers {
	int port;
	struct ov ov[RECEIVES];
	int buf[RECEIVES];
	unsigned int packets[RECEIVES];
	unsigned int taken;
};

static void *taker_main(void *arg)
{
	struct takers *t = arg;
	struct wsock_packet p;

	while (get_packets(t->port, &p, 1, TIMEOUT_MS) == 1 && p.ov) {
		struct ov *ov = (void *)(p.ov - offsetof(struct ov, st));

		__atomic_fetch_add(&t->packets[ov - t->ov], 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&t->taken, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

TEST_F(packets, order__of_receives)
{
	struct takers *t = calloc(1, sizeof(*t));
	struct env *e = &self->e;
	pthread_t threads[TAKERS];

	t->port = e->port;
	for (int i = 0; i < TAKERS; i++)
		ASSERT_EQ(pthread_create(&threads[i], NULL, taker_main, t), 0);
	for (int i = 0; i < RECEIVES; i++) {
		t->buf[i] = -1;
		ASSERT_EQ(dev_recv(e->dev, e->tcp[0], &t->buf[i], sizeof(int), &t->ov[i]),
			  -EINPROGRESS);
	}
	for (int i = 0; i < RECEIVES; i++)
		ASSERT_EQ(send(e->tcp[1], &i, sizeof(i), 0), sizeof(i));
	EXPECT_TRUE(wait_for(__atomic_load_n(&t->taken, __ATOMIC_RELAXED) == RECEIVES));
	for (int i = 0; i < TAKERS; i++)
		EXPECT_EQ(post(e->port, 0), 0);
	for (int i = 0; i < TAKERS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < RECEIVES; i++) {
		EXPECT_EQ(t->packets[i], 1);
		EXPECT_EQ(t->buf[i], i);
		EXPECT_EQ(ov_status(&t->ov[i]), STATUS_SUCCESS);
	}
	EXPECT_EQ(take(e, 0), -ETIME);
	free(t);
}

TEST_F(packets, fault__loses_none)
{
	int page = getpagesize();
	char *map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	struct wsock_packet *at_end = (void *)(map + page);
	struct env *e = &self->e;
	struct ov ov[4];

	ASSERT_NE(map, MAP_FAILED);
	ASSERT_EQ(mprotect(map + page, page, PROT_NONE), 0);
	ASSERT_EQ(dev_recv(e->dev, e->tcp[0], e->buf, 100, &ov[0]), -EINPROGRESS);
	ASSERT_EQ(send(e->tcp[1], "hello", 5, 0), 5);
	EXPECT_TRUE(packets_are(e->port, 1));
	EXPECT_EQ(get_packets(e->port, NULL, 1, 0), -EFAULT);
	/* It was executed, by the way. */
	EXPECT_EQ(ov_status(&ov[0]), STATUS_SUCCESS);
	EXPECT_EQ(fdinfo(e->port, "packets"), 1);
	EXPECT_TRUE(takes(e, KEY_TCP, &ov[0], STATUS_SUCCESS, 5));

	for (int i = 0; i < 4; i++)
		ASSERT_EQ(dev_send(e->dev, e->udp[0], "x", 1, &ov[i]), 1);
	EXPECT_EQ(get_packets(e->port, at_end - 2, 4, 0), 2);
	EXPECT_TRUE(tells(&at_end[-2], KEY_UDP, &ov[0], STATUS_SUCCESS, 1));
	EXPECT_TRUE(tells(&at_end[-1], KEY_UDP, &ov[1], STATUS_SUCCESS, 1));
	EXPECT_EQ(take(e, 0), 1);
	EXPECT_TRUE(tells(&e->p, KEY_UDP, &ov[2], STATUS_SUCCESS, 1));
	EXPECT_EQ(get_packets(e->port, at_end, 1, 0), -EFAULT);
	EXPECT_TRUE(takes(e, KEY_UDP, &ov[3], STATUS_SUCCESS, 1));
	/* And what nobody comes for. */
	ASSERT_EQ(dev_send(e->dev, e->udp[0], "x", 1, &ov[0]), 1);
	EXPECT_EQ(get_packets(e->port, at_end, 1, 0), -EFAULT);
	munmap(map, 2 * page);
}

TEST_F(packets, thread_exit__then_data)
{
	struct env *e = &self->e;
	pthread_t t;
	void *ret;

	ASSERT_EQ(pthread_create(&t, NULL, receive_and_exit, e), 0);
	ASSERT_EQ(pthread_join(t, &ret), 0);
	ASSERT_EQ((long)ret, -EINPROGRESS);
	ASSERT_EQ(send(e->tcp[1], "hello", 5, 0), 5);
	EXPECT_TRUE(packets_are(e->port, 1));
	EXPECT_EQ(ov_status(&e->ov), STATUS_PENDING);
	EXPECT_TRUE(takes(e, KEY_TCP, &e->ov, STATUS_SUCCESS, 5));
}

TEST_F(packets, plain_close__with_operation_pending)
{
	struct env *e = &self->e;

	ASSERT_EQ(dev_recv(e->dev, e->tcp[0], e->buf, 6, &e->ov), -EINPROGRESS);
	ASSERT_EQ(close(e->tcp[0]), 0);
	ASSERT_EQ(send(e->tcp[1], "hello", 5, 0), 5);
	EXPECT_TRUE(takes(e, KEY_TCP, &e->ov, STATUS_SUCCESS, 5));
	EXPECT_EQ(peer_end(e->tcp[1]), 0);
	e->tcp[0] = -1;
}

/* What was to end at the port ends without it. */
static void abandon(struct __test_metadata *_metadata, struct env *e, bool last_close)
{
	struct ov done, queued[2], pending[2];
	int other;

	EXPECT_EQ(dev_send(e->dev, e->tcp[0], "x", 1, &done), 1);
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(recv_flags(e, e->udp[0], &queued[i], 0, 0), -EINPROGRESS);
		ASSERT_EQ(recv_flags(e, e->tcp[0], &pending[i], 0, 0), -EINPROGRESS);
	}
	ASSERT_EQ(send(e->udp[1], "hello", 5, 0), 5);
	ASSERT_EQ(send(e->udp[1], "hello", 4, 0), 4);
	EXPECT_TRUE(packets_are(e->port, 2));
	if (last_close) {
		close(e->port);
		e->port = -1;
	} else {
		EXPECT_EQ(shut(e->port), 0);
	}
	EXPECT_TRUE(wait_for(ov_status(&queued[1]) == STATUS_SUCCESS));
	EXPECT_EQ(queued[0].st.internal_high, 5);
	EXPECT_EQ(queued[1].st.internal_high, 4);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(ov_status(&pending[i]), STATUS_PENDING);
		ASSERT_EQ(send(e->tcp[1], "hello", 5 - i, 0), 5 - i);
		EXPECT_TRUE(wait_for(ov_status(&pending[i]) == STATUS_SUCCESS));
		EXPECT_EQ(pending[i].st.internal_high, 5 - i);
	}
	EXPECT_TRUE(wait_for(!counter("operations")));

	/* And so does what comes later. */
	ASSERT_EQ(recv_flags(e, e->tcp[0], &pending[0], 0, 0), -EINPROGRESS);
	ASSERT_EQ(send(e->tcp[1], "hello", 5, 0), 5);
	EXPECT_EQ(dev_wait(e->dev, &pending[0].st, TIMEOUT_MS), 0);
	EXPECT_EQ(ov_status(&pending[0]), STATUS_SUCCESS);
	ASSERT_EQ(recv_flags(e, e->tcp[0], &pending[0], 0, 0), -EINPROGRESS);
	EXPECT_EQ(dev_cancel(e->dev, e->tcp[0], NULL), 1);
	ASSERT_EQ(send(e->tcp[1], "hello", 5, 0), 5);
	EXPECT_EQ(recv_flags(e, e->tcp[0], &done, 0, 0), 5);
	EXPECT_TRUE(wait_for(!counter("operations")));
	/* It has one, if not much of one. */
	other = port_new(e->dev, 1);
	EXPECT_EQ(associate(e->dev, e->tcp[0], other, 1), -EINVAL);
	close(other);
}

TEST_F(packets, abandon__closed)
{
	abandon(_metadata, &self->e, false);
}

TEST_F(packets, abandon__last_close)
{
	abandon(_metadata, &self->e, true);
}

/* Its submitting thread is gone as well. */
TEST_F(packets, abandon__thread_exit)
{
	struct env *e = &self->e;
	pthread_t t;

	ASSERT_EQ(pthread_create(&t, NULL, receive_and_exit, e), 0);
	ASSERT_EQ(pthread_join(t, NULL), 0);
	ASSERT_EQ(send(e->tcp[1], "hello", 5, 0), 5);
	EXPECT_TRUE(packets_are(e->port, 1));
	EXPECT_EQ(shut(e->port), 0);
	EXPECT_TRUE(wait_for(ov_status(&e->ov) == STATUS_SUCCESS));
	EXPECT_EQ(e->ov.st.internal_high, 5);
}

static int cancel_mine(int dev, int fd)
{
	struct wsock_cancel args = { .fd = fd, .flags = WSOCK_CANCEL_ALL | WSOCK_CANCEL_THREAD };

	return dev_ioctl(dev, WSOCK_IOC_CANCEL, &args);
}

TEST_F(packets, cancel_thread__one_socket)
{
	struct env *e = &self->e;
	struct ov mine, elsewhere;
	pthread_t t;

	EXPECT_EQ(cancel_mine(e->dev, e->tcp[0]), -ENOENT);
	ASSERT_EQ(pthread_create(&t, NULL, receive_and_exit, e), 0);
	ASSERT_EQ(pthread_join(t, NULL), 0);
	EXPECT_EQ(cancel_mine(e->dev, e->tcp[0]), -ENOENT);
	ASSERT_EQ(recv_flags(e, e->tcp[0], &mine, 0, 0), -EINPROGRESS);
	ASSERT_EQ(recv_flags(e, e->bare[0], &elsewhere, 0, 0), -EINPROGRESS);
	EXPECT_EQ(cancel_mine(e->dev, e->tcp[0]), 1);
	EXPECT_TRUE(takes(e, KEY_TCP, &mine, STATUS_CANCELLED, 0));
	EXPECT_EQ(ov_status(&e->ov), STATUS_PENDING);
	EXPECT_EQ(ov_status(&elsewhere), STATUS_PENDING);
	EXPECT_EQ(dev_cancel(e->dev, e->tcp[0], NULL), 1);
	EXPECT_TRUE(takes(e, KEY_TCP, &e->ov, STATUS_CANCELLED, 0));
}

TEST_F(packets, cancel_thread__bad)
{
	struct wsock_cancel args = { .fd = self->e.tcp[0], .flags = WSOCK_CANCEL_THREAD };
	struct env *e = &self->e;

	EXPECT_EQ(dev_ioctl(e->dev, WSOCK_IOC_CANCEL, &args), -EINVAL);
	args.fd = -1;
	EXPECT_EQ(dev_ioctl(e->dev, WSOCK_IOC_CANCEL, &args), -EINVAL);
	args.flags = WSOCK_CANCEL_ALL;
	EXPECT_EQ(dev_ioctl(e->dev, WSOCK_IOC_CANCEL, &args), -EBADF);
	args.flags |= WSOCK_CANCEL_SENDS;
	EXPECT_EQ(dev_ioctl(e->dev, WSOCK_IOC_CANCEL, &args), -EBADF);
	args.flags |= WSOCK_CANCEL_THREAD;
	EXPECT_EQ(dev_ioctl(e->dev, WSOCK_IOC_CANCEL, &args), -EINVAL);
	args.flags = WSOCK_CANCEL_SENDS;
	EXPECT_EQ(dev_ioctl(e->dev, WSOCK_IOC_CANCEL, &args), -EINVAL);
	args.flags = WSOCK_CANCEL_ALL | 8;
	EXPECT_EQ(dev_ioctl(e->dev, WSOCK_IOC_CANCEL, &args), -EINVAL);
}

/* At its end: what needs no thread stays. */
TEST_F(packets, cancel_thread__all_sockets)
{
	struct env *e = &self->e;
	struct ov in_port, shown, silent, routine, bare;
	pthread_t t;

	EXPECT_EQ(cancel_mine(e->dev, -1), -ENOENT);
	ASSERT_EQ(pthread_create(&t, NULL, receive_and_exit, e), 0);
	ASSERT_EQ(pthread_join(t, NULL), 0);
	ASSERT_EQ(recv_flags(e, e->udp[0], &in_port, 0, 0), -EINPROGRESS);
	ASSERT_EQ(recv_flags(e, e->udp[0], &shown, WSOCK_CMD_EVENT, e->event), -EINPROGRESS);
	ASSERT_EQ(recv_flags(e, e->udp[0], &silent, WSOCK_CMD_NO_PACKET, 0), -EINPROGRESS);
	ASSERT_EQ(recv_apc(e, e->bare[0], &routine, e->port), -EINPROGRESS);
	ASSERT_EQ(recv_flags(e, e->bare[0], &bare, 0, 0), -EINPROGRESS);
	EXPECT_EQ(cancel_mine(e->dev, -1), 4);
	EXPECT_EQ(cancel_mine(e->dev, -1), -ENOENT);
	EXPECT_EQ(ov_status(&in_port), STATUS_PENDING);
	EXPECT_EQ(ov_status(&e->ov), STATUS_PENDING);
	EXPECT_EQ(ov_status(&shown), STATUS_CANCELLED);
	EXPECT_TRUE(event_is_set(e->event));
	EXPECT_EQ(ov_status(&silent), STATUS_CANCELLED);
	EXPECT_EQ(ov_status(&routine), STATUS_CANCELLED);
	EXPECT_EQ(ov_status(&bare), STATUS_CANCELLED);
	EXPECT_EQ(fdinfo(e->port, "packets"), 2);
	EXPECT_EQ(take(e, 0), 1);
	EXPECT_EQ(take(e, 0), 1);
	EXPECT_EQ(take(e, 0), -ETIME);
	ASSERT_EQ(send(e->udp[1], "hello", 5, 0), 5);
	EXPECT_TRUE(takes(e, KEY_UDP, &in_port, STATUS_SUCCESS, 5));
}

TEST_F(packets, cap__counts_undelivered)
{
	struct env *e = &self->e;
	struct ov ov[3];

	set_param("max_operations", "3");
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(dev_send(e->dev, e->tcp[0], "x", 1, &ov[i]), 1);
	EXPECT_EQ(dev_recv(e->dev, e->udp[0], e->buf, 100, &ov[2]), -EINPROGRESS);
	EXPECT_EQ(dev_cancel(e->dev, e->udp[0], NULL), 1);
	/* Three packets, and nothing that pends. */
	EXPECT_EQ(dev_recv(e->dev, e->udp[0], e->buf, 100, &e->ov), -ENOBUFS);
	EXPECT_EQ(dev_send(e->dev, e->tcp[0], "y", 1, &e->ov), -ENOBUFS);
	/* What leaves none is not counted. */
	EXPECT_EQ(dev_send(e->dev, e->bare[0], "y", 1, &e->ov), 1);
	EXPECT_EQ(take(e, 0), 1);
	EXPECT_EQ(dev_recv(e->dev, e->udp[0], e->buf, 100, &e->ov), -EINPROGRESS);
	EXPECT_EQ(dev_send(e->dev, e->tcp[0], "y", 1, &ov[0]), -ENOBUFS);
	set_param("max_operations", "1048576");
	EXPECT_EQ(dev_send(e->dev, e->tcp[0], "z", 1, &ov[0]), 1);
	EXPECT_EQ(recv(e->tcp[1], e->buf, 100, 0), 3);
	EXPECT_EQ(memcmp(e->buf, "xxz", 3), 0);
}

TEST_F(packets, poll__tells)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	struct env *e = &self->e;

	/* One set has both the socket and the port that its wake-ups lead to. */
	ASSERT_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, e->port, &ev), 0);
	ASSERT_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, e->udp[0], &ev), 0);
	EXPECT_EQ(poll_events(e->port, 0), 0);
	ASSERT_EQ(dev_recv(e->dev, e->udp[0], e->buf, 100, &e->ov), -EINPROGRESS);
	EXPECT_EQ(poll_events(e->port, 0), 0);
	EXPECT_EQ(epoll_wait(ep, &ev, 1, 0), 0);
	ASSERT_EQ(send(e->udp[1], "hello", 5, 0), 5);
	EXPECT_EQ(poll_events(e->port, TIMEOUT_MS), POLLIN);
	EXPECT_EQ(epoll_wait(ep, &ev, 1, TIMEOUT_MS), 1);
	EXPECT_TRUE(takes(e, KEY_UDP, &e->ov, STATUS_SUCCESS, 5));
	EXPECT_EQ(poll_events(e->port, 0), 0);
	EXPECT_EQ(epoll_wait(ep, &ev, 1, 0), 0);
	close(ep);
}

TEST_F(packets, limit__executes_within)
{
	struct env *e = &self->e;
	int one = port_new(e->dev, 1);
	char byte;

	ASSERT_EQ(associate(e->dev, e->bare[0], one, 7), 0);
	ASSERT_EQ(dev_recv(e->dev, e->bare[0], e->buf, 100, &e->ov), -EINPROGRESS);
	/* A slot is for who has a packet, not for who has tried to get one. */
	ASSERT_EQ(send(e->bare[1], "h", 1, 0), 1);
	EXPECT_TRUE(packets_are(one, 1));
	EXPECT_EQ(recv(e->bare[0], &byte, 1, 0), 1);
	EXPECT_EQ(get_key(one, 0), -ETIME);
	EXPECT_EQ(fdinfo(one, "active"), 0);
	ASSERT_EQ(send(e->bare[1], "hello", 5, 0), 5);
	EXPECT_EQ(get_packets(one, &e->p, 1, TIMEOUT_MS), 1);
	EXPECT_TRUE(tells(&e->p, 7, &e->ov, STATUS_SUCCESS, 5));
	/* Not on a kernel that cannot limit. */
	EXPECT_EQ(fdinfo(one, "active"), fdinfo(one, "limit") == 1);
	EXPECT_EQ(get_key(one, 0), -ETIME);
	EXPECT_EQ(fdinfo(one, "active"), 0);
	close(one);
	/* Not to hold it until we exit. */
	EXPECT_EQ(counter("ports"), 2);
}

TEST_F(packets, ring__has_its_own)
{
	struct ring_kind kind = RING_DEFAULT;
	struct env *e = &self->e;
	struct io_uring ring;
	struct ov mine;

	ASSERT_EQ(ring_init(&ring, &kind, 8), 0);
	/* At once, and pending, with one of the port before and one behind. */
	ASSERT_EQ(send(e->udp[1], "hello", 5, 0), 5);
	prep_wsock(ring_sqe(&ring), e->dev, WSOCK_OP_RECV, e->udp[0], e->buf, 100, &e->ov, -1, 0);
	EXPECT_EQ(ring_wait(&ring, NULL), 5);
	EXPECT_EQ(take(e, 0), -ETIME);
	ASSERT_EQ(dev_recv(e->dev, e->udp[0], e->buf, 100, &mine), -EINPROGRESS);
	prep_wsock(ring_sqe(&ring), e->dev, WSOCK_OP_RECV, e->udp[0], e->buf, 100, &e->ov, -1, 0);
	ASSERT_EQ(io_uring_submit(&ring), 1);
	ASSERT_EQ(send(e->udp[1], "hello", 5, 0), 5);
	ASSERT_EQ(send(e->udp[1], "hello", 4, 0), 4);
	EXPECT_TRUE(takes(e, KEY_UDP, &mine, STATUS_SUCCESS, 5));
	EXPECT_EQ(ring_wait(&ring, NULL), 4);
	EXPECT_EQ(ov_status(&e->ov), STATUS_SUCCESS);
	EXPECT_EQ(take(e, 0), -ETIME);
	prep_wsock(ring_sqe(&ring), e->dev, WSOCK_OP_RECV, e->udp[0], e->buf, 100, &e->ov, -1, 0);
	ASSERT_EQ(io_uring_submit(&ring), 1);
	ASSERT_EQ(dev_recv(e->dev, e->udp[0], e->buf, 100, &mine), -EINPROGRESS);
	ASSERT_EQ(send(e->udp[1], "hello", 3, 0), 3);
	EXPECT_EQ(ring_wait(&ring, NULL), 3);
	ASSERT_EQ(send(e->udp[1], "hello", 2, 0), 2);
	EXPECT_TRUE(takes(e, KEY_UDP, &mine, STATUS_SUCCESS, 2));
	io_uring_queue_exit(&ring);
}

TEST(killed__with_packets)
{
	int p[2];
	char c;

	ASSERT_EQ(pipe(p), 0);
	for (int round = 0; round < 10; round++) {
		pid_t pid = fork();

		if (!pid) {
			struct env e;
			struct ov ov[8];
			struct getter g = {};

			if (!env_open(&e))
				_exit(1);
			for (int i = 0; i < 8; i++)
				recv_flags(&e, i % 2 ? e.tcp[0] : e.udp[0], &ov[i], 0, 0);
			send(e.udp[1], "hello", 5, 0);
			send(e.tcp[1], "hello", 5, 0);
			dev_send(e.dev, e.tcp[0], "x", 1, &e.ov);
			recv_apc(&e, e.bare[0], &e.ov, e.port);
			if (round % 2)
				getter_start(&g, port_new(e.dev, 1), 1);
			if (write(p[1], "", 1) == 1)
				pause();
			_exit(2);
		}
		ASSERT_EQ(read(p[0], &c, 1), 1);
		kill(pid, SIGKILL);
		EXPECT_EQ(child_status(pid), -1);
		EXPECT_TRUE(counters_zero());
	}
	close(p[0]);
	close(p[1]);
}

/* ------------------------------------------------------------------------- */
/* Who waits executes */

FIXTURE(waits)
{
	struct env e;
};

FIXTURE_SETUP(waits)
{
	ASSERT_TRUE(env_open(&self->e));
}

FIXTURE_TEARDOWN(waits)
{
	EXPECT_TRUE(env_close(&self->e));
}

struct waiter {
	int dev, timeout_ms, ret;
	const void *ov;
	pid_t tid;
	pthread_t thread;
};

static void *waiter_main(void *arg)
{
	struct waiter *w = arg;

	__atomic_store_n(&w->tid, gettid(), __ATOMIC_RELEASE);
	w->ret = dev_wait(w->dev, w->ov, w->timeout_ms);
	return NULL;
}

/* Start it and see it sleep. */
static bool waiter_start(struct waiter *w, int dev, const struct ov *ov)
{
	w->dev = dev;
	w->ov = &ov->st;
	if (!w->timeout_ms)
		w->timeout_ms = TIMEOUT_MS;
	return !pthread_create(&w->thread, NULL, waiter_main, w) &&
	       wait_for(__atomic_load_n(&w->tid, __ATOMIC_ACQUIRE) && asleep(w->tid));
}

static int waiter_join(struct waiter *w)
{
	pthread_join(w->thread, NULL);
	return w->ret;
}

TEST_F(waits, port__packet_remains)
{
	struct env *e = &self->e;

	for (int timeout = 0; timeout < 2; timeout++) {
		ASSERT_EQ(dev_recv(e->dev, e->tcp[0], e->buf, 100, &e->ov), -EINPROGRESS);
		EXPECT_EQ(dev_wait(e->dev, &e->ov.st, timeout), -ETIME);
		ASSERT_EQ(send(e->tcp[1], "hello", 5, 0), 5);
		EXPECT_TRUE(packets_are(e->port, 1));
		EXPECT_EQ(dev_wait(e->dev, &e->ov.st, timeout * TIMEOUT_MS), 0);
		EXPECT_EQ(ov_status(&e->ov), STATUS_SUCCESS);
		EXPECT_EQ(memcmp(e->buf, "hello\xa5", 6), 0);
		EXPECT_EQ(fdinfo(e->port, "packets"), 1);
		EXPECT_EQ(dev_wait(e->dev, &e->ov.st, -1), 0);
		EXPECT_TRUE(takes(e, KEY_TCP, &e->ov, STATUS_SUCCESS, 5));
	}
}

TEST_F(waits, port__data_comes_later)
{
	struct env *e = &self->e;
	struct waiter w = {};

	ASSERT_EQ(dev_recv(e->dev, e->tcp[0], e->buf, 100, &e->ov), -EINPROGRESS);
	ASSERT_TRUE(waiter_start(&w, e->dev, &e->ov));
	ASSERT_EQ(send(e->tcp[1], "hello", 5, 0), 5);
	EXPECT_EQ(waiter_join(&w), 0);
	EXPECT_TRUE(takes(e, KEY_TCP, &e->ov, STATUS_SUCCESS, 5));
}

/* To execute the second is to execute the first. */
TEST_F(waits, port__behind_others)
{
	struct env *e = &self->e;
	struct ov ov[3];

	for (int i = 0; i < 3; i++)
		ASSERT_EQ(dev_recv(e->dev, e->udp[0], e->buf, 100, &ov[i]), -EINPROGRESS);
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(send(e->udp[1], "hello", 5 - i, 0), 5 - i);
	EXPECT_TRUE(packets_are(e->port, 1));
	EXPECT_EQ(dev_wait(e->dev, &ov[2].st, 0), 0);
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(take(e, 0), 1);
		EXPECT_TRUE(tells(&e->p, KEY_UDP, &ov[i], STATUS_SUCCESS, 5 - i));
	}
	EXPECT_EQ(take(e, 0), -ETIME);
}

TEST_F(waits, port__behind_others_data_comes_later)
{
	struct env *e = &self->e;
	struct waiter w = {}, first = {};
	struct ov ov[3];

	for (int i = 0; i < 3; i++)
		ASSERT_EQ(dev_recv(e->dev, e->udp[0], e->buf, 100, &ov[i]), -EINPROGRESS);
	ASSERT_TRUE(waiter_start(&w, e->dev, &ov[2]));
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(send(e->udp[1], "hello", 5, 0), 5);
	/* Also while others do. */
	EXPECT_TRUE(wait_for(ov_status(&ov[1]) == STATUS_SUCCESS));
	EXPECT_EQ(take(e, 0), 1);
	EXPECT_EQ(take(e, 0), 1);
	ASSERT_TRUE(waiter_start(&first, e->dev, &ov[2]));
	ASSERT_EQ(send(e->udp[1], "hello", 5, 0), 5);
	EXPECT_EQ(waiter_join(&w), 0);
	EXPECT_EQ(waiter_join(&first), 0);
	EXPECT_TRUE(takes(e, KEY_UDP, &ov[2], STATUS_SUCCESS, 5));
}

/* What waits behind is not executed early, nor kept from its end. */
TEST_F(waits, port__behind_others_cancelled)
{
	struct env *e = &self->e;
	struct waiter w = {};
	struct ov ov[2];

	for (int i = 0; i < 2; i++)
		ASSERT_EQ(dev_recv(e->dev, e->udp[0], e->buf, 100, &ov[i]), -EINPROGRESS);
	ASSERT_TRUE(waiter_start(&w, e->dev, &ov[1]));
	EXPECT_EQ(dev_cancel(e->dev, e->udp[0], &ov[1].st), 1);
	EXPECT_EQ(waiter_join(&w), 0);
	EXPECT_EQ(ov_status(&ov[0]), STATUS_PENDING);
	EXPECT_TRUE(takes(e, KEY_UDP, &ov[1], STATUS_CANCELLED, 0));
	w.tid = 0;
	ASSERT_EQ(dev_recv(e->dev, e->udp[0], e->buf, 100, &ov[1]), -EINPROGRESS);
	ASSERT_TRUE(waiter_start(&w, e->dev, &ov[1]));
	EXPECT_EQ(dev_cancel(e->dev, e->udp[0], &ov[0].st), 1);
	EXPECT_TRUE(takes(e, KEY_UDP, &ov[0], STATUS_CANCELLED, 0));
	ASSERT_EQ(send(e->udp[1], "hello", 5, 0), 5);
	EXPECT_EQ(waiter_join(&w), 0);
	EXPECT_TRUE(takes(e, KEY_UDP, &ov[1], STATUS_SUCCESS, 5));
}

/* The first of several leaves: another has to execute. */
TEST_F(waits, port__first_leaves)
{
	struct env *e = &self->e;
	struct waiter first = { .timeout_ms = 50 }, second = {};

	ASSERT_EQ(dev_recv(e->dev, e->tcp[0], e->buf, 100, &e->ov), -EINPROGRESS);
	ASSERT_TRUE(waiter_start(&first, e->dev, &e->ov));
	ASSERT_TRUE(waiter_start(&second, e->dev, &e->ov));
	EXPECT_EQ(waiter_join(&first), -ETIME);
	ASSERT_EQ(send(e->tcp[1], "hello", 5, 0), 5);
	EXPECT_EQ(waiter_join(&second), 0);
	EXPECT_EQ(ov_status(&e->ov), STATUS_SUCCESS);
	EXPECT_TRUE(takes(e, KEY_TCP, &e->ov, STATUS_SUCCESS, 5));
}

TEST_F_TIMEOUT(waits, port__several_and_takers, 120)
{
	struct env *e = &self->e;

	for (int round = 0; round < 100; round++) {
		struct getter g[2] = {};
		struct waiter w[3] = {};
		int taken = 0;

		ASSERT_EQ(dev_recv(e->dev, e->tcp[0], e->buf, 100, &e->ov), -EINPROGRESS);
		for (int i = 0; i < 3; i++)
			ASSERT_TRUE(waiter_start(&w[i], e->dev, &e->ov));
		for (int i = 0; i < 2; i++)
			ASSERT_TRUE(getter_start(&g[i], e->port, i + 1));
		ASSERT_EQ(send(e->tcp[1], "hello", 5, 0), 5);
		for (int i = 0; i < 3; i++)
			EXPECT_EQ(waiter_join(&w[i]), 0);
		EXPECT_TRUE(wait_for(fdinfo(e->port, "waiters") == 1));
		EXPECT_EQ(post(e->port, 1), 0);
		for (int i = 0; i < 2; i++) {
			pthread_join(g[i].thread, NULL);
			EXPECT_EQ(g[i].ret, 1);
			taken += tells(&g[i].p, KEY_TCP, &e->ov, STATUS_SUCCESS, 5);
		}
		EXPECT_EQ(taken, 1);
		EXPECT_EQ(take(e, 0), -ETIME);
	}
}

/* A thread that submits and then is in no state to execute anything. */
struct absent {
	struct env *e;
	int pipe[2];
	int ret;
	pthread_t thread;
	bool vfork;
	bool go;
};

static void *absent_main(void *arg)
{
	struct absent *a = arg;
	char c;

	a->ret = dev_recv(a->e->dev, a->e->bare[0], a->e->buf, 100, &a->e->ov);
	if (a->vfork) {
		/* Until the child is gone it sleeps as nothing but a kill can wake it. */
		if (!vfork()) {
			__atomic_store_n(&a->go, true, __ATOMIC_RELEASE);
			_exit(read(a->pipe[0], &c, 1) != 1);
		}
		return NULL;
	}
	__atomic_store_n(&a->go, true, __ATOMIC_RELEASE);
	while (__atomic_load_n(&a->go, __ATOMIC_ACQUIRE))
		;
	return NULL;
}

static bool absent_start(struct absent *a, struct env *e)
{
	a->e = e;
	return !pipe2(a->pipe, O_CLOEXEC) && !pthread_create(&a->thread, NULL, absent_main, a) &&
	       wait_for(__atomic_load_n(&a->go, __ATOMIC_ACQUIRE)) && a->ret == -EINPROGRESS;
}

static void absent_end(struct absent *a)
{
	if (write(a->pipe[1], "", 1) != 1)
		abort();
	__atomic_store_n(&a->go, false, __ATOMIC_RELEASE);
	pthread_join(a->thread, NULL);
	close(a->pipe[0]);
	close(a->pipe[1]);
}

TEST_F(waits, bare__submitter_computes)
{
	struct absent a = {};
	struct env *e = &self->e;
	struct waiter w = {};

	ASSERT_TRUE(absent_start(&a, e));
	ASSERT_TRUE(waiter_start(&w, e->dev, &e->ov));
	ASSERT_EQ(send(e->bare[1], "hello", 5, 0), 5);
	EXPECT_EQ(waiter_join(&w), 0);
	EXPECT_EQ(ov_status(&e->ov), STATUS_SUCCESS);
	absent_end(&a);
}

TEST_F(waits, bare__submitter_blocks)
{
	struct absent a = { .vfork = true };
	struct env *e = &self->e;
	struct waiter w = {};

	ASSERT_TRUE(absent_start(&a, e));
	ASSERT_TRUE(waiter_start(&w, e->dev, &e->ov));
	ASSERT_EQ(send(e->bare[1], "hello", 5, 0), 5);
	EXPECT_EQ(waiter_join(&w), 0);
	EXPECT_EQ(ov_status(&e->ov), STATUS_SUCCESS);
	EXPECT_EQ(memcmp(e->buf, "hello\xa5", 6), 0);
	absent_end(&a);
}

/* Its task work was asked for before somebody came to wait. */
TEST_F(waits, bare__submitter_blocks_data_was_first)
{
	struct absent a = { .vfork = true };
	struct env *e = &self->e;

	for (int timeout = 0; timeout < 2; timeout++) {
		ASSERT_TRUE(absent_start(&a, e));
		ASSERT_EQ(send(e->bare[1], "hello", 5, 0), 5);
		EXPECT_TRUE(wait_for(fdinfo(e->dev, "scheduled") == 1));
		EXPECT_EQ(dev_wait(e->dev, &e->ov.st, timeout * 1000), 0);
		EXPECT_EQ(ov_status(&e->ov), STATUS_SUCCESS);
		absent_end(&a);
		a.go = false;
	}
}

TEST_F(waits, bare__first_leaves)
{
	struct waiter first = { .timeout_ms = 50 }, second = {};
	struct absent a = { .vfork = true };
	struct env *e = &self->e;

	ASSERT_TRUE(absent_start(&a, e));
	ASSERT_TRUE(waiter_start(&first, e->dev, &e->ov));
	ASSERT_TRUE(waiter_start(&second, e->dev, &e->ov));
	EXPECT_EQ(waiter_join(&first), -ETIME);
	ASSERT_EQ(send(e->bare[1], "hello", 5, 0), 5);
	EXPECT_EQ(waiter_join(&second), 0);
	EXPECT_EQ(ov_status(&e->ov), STATUS_SUCCESS);
	absent_end(&a);
}

/*
 * Data came for an operation whose waiter was woken, and before that can run the
 * operation is cancelled: the data is for the next one.
 */
TEST_F(waits, bare__cancelled_when_woken)
{
	struct sched_param fifo = { .sched_priority = 1 }, other = {};
	struct env *e = &self->e;
	struct waiter w = {};
	cpu_set_t one, all;
	struct ov next;

	/* One processor, on which we go before the waiter. */
	ASSERT_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
	for (int round = 0; round < 10; round++) {
		ASSERT_EQ(recv_flags(e, e->bare[0], &e->ov, 0, 0), -EINPROGRESS);
		ASSERT_EQ(recv_flags(e, e->bare[0], &next, 0, 0), -EINPROGRESS);
		w.tid = 0;
		ASSERT_TRUE(waiter_start(&w, e->dev, &e->ov));
		ASSERT_EQ(sched_setscheduler(0, SCHED_FIFO, &fifo), 0);
		EXPECT_EQ(send(e->bare[1], "hello", 5, 0), 5);
		EXPECT_EQ(dev_cancel(e->dev, e->bare[0], &e->ov.st), 1);
		ASSERT_EQ(sched_setscheduler(0, SCHED_OTHER, &other), 0);
		EXPECT_EQ(waiter_join(&w), 0);
		EXPECT_TRUE(wait_for(ov_status(&next) == STATUS_SUCCESS));
		EXPECT_EQ(next.st.internal_high, 5);
	}
	ASSERT_EQ(sched_setaffinity(0, sizeof(all), &all), 0);
}

TEST_F(waits, timeout__passes)
{
	struct env *e = &self->e;
	double since = now_ms();
	int fds[2] = { e->tcp[0], e->bare[0] };

	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(dev_recv(e->dev, fds[i], e->buf, 6, &e->ov), -EINPROGRESS);
		EXPECT_EQ(dev_wait(e->dev, &e->ov.st, 0), -ETIME);
		EXPECT_EQ(dev_wait(e->dev, &e->ov.st, 30), -ETIME);
		EXPECT_GE(now_ms() - since, 30);
		EXPECT_LT(now_ms() - since, TIMEOUT_MS / 2);
	}
	EXPECT_EQ(dev_wait(e->dev, e->buf, -1), 0);
}

static void *interrupted_main(void *arg)
{
	struct { int dev, ret; struct wsock_wait args; pid_t tid; } *t = arg;

	__atomic_store_n(&t->tid, gettid(), __ATOMIC_RELEASE);
	t->ret = dev_ioctl(t->dev, WSOCK_IOC_WAIT, &t->args);
	return NULL;
}

TEST_F(waits, signal__remaining_time)
{
	struct env *e = &self->e;
	struct { int dev, ret; struct wsock_wait args; pid_t tid; } t = {
		.dev = e->dev,
		.args = { (unsigned long)&e->ov.st, 3600 * 1000000000ll },
	};
	pthread_t thread;

	handle_usr1(0);
	ASSERT_EQ(dev_recv(e->dev, e->bare[0], e->buf, 6, &e->ov), -EINPROGRESS);
	ASSERT_EQ(pthread_create(&thread, NULL, interrupted_main, &t), 0);
	ASSERT_TRUE(wait_for(__atomic_load_n(&t.tid, __ATOMIC_ACQUIRE) && asleep(t.tid)));
	nap_ms(20);
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
	EXPECT_EQ(t.ret, -EINTR);
	EXPECT_LE(t.args.timeout_ns, 3600 * 1000000000ll - 20000000);
	EXPECT_GT(t.args.timeout_ns, 3500 * 1000000000ll);
	/* It is as before. */
	ASSERT_EQ(send(e->bare[1], "hello", 5, 0), 5);
	EXPECT_EQ(dev_wait(e->dev, &e->ov.st, TIMEOUT_MS), 0);
	EXPECT_EQ(ov_status(&e->ov), STATUS_SUCCESS);
}

TEST_F(waits, signal__restarts)
{
	struct env *e = &self->e;
	struct waiter w = {};

	handle_usr1(SA_RESTART);
	ASSERT_EQ(dev_recv(e->dev, e->tcp[0], e->buf, 6, &e->ov), -EINPROGRESS);
	ASSERT_TRUE(waiter_start(&w, e->dev, &e->ov));
	for (int i = 0; i < 10; i++) {
		nap_ms(5);
		pthread_kill(w.thread, SIGUSR1);
	}
	ASSERT_EQ(send(e->tcp[1], "hello", 5, 0), 5);
	EXPECT_EQ(waiter_join(&w), 0);
	EXPECT_TRUE(takes(e, KEY_TCP, &e->ov, STATUS_SUCCESS, 5));
}

/* Waits once a round and leaves, by time or by signal. */
struct leaver {
	int dev, timeout_ms;
	const void *ov;
	unsigned int rounds;
	unsigned int round, left;	/* begun, and left by the leaver */
};

static void *leaver_main(void *arg)
{
	struct leaver *l = arg;

	for (unsigned int i = 1; i <= l->rounds; i++) {
		while (__atomic_load_n(&l->round, __ATOMIC_ACQUIRE) != i)
			sched_yield();
		/* It does not come back: the operation must not need it any more. */
		dev_wait(l->dev, l->ov, l->timeout_ms);
		__atomic_store_n(&l->left, i, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* The data of an operation comes while its waiter leaves: somebody executes it. */
static void leave(struct __test_metadata *_metadata, struct env *e, bool by_signal)
{
	struct leaver l = {
		.dev = e->dev,
		.timeout_ms = by_signal ? TIMEOUT_MS : 0,
		.ov = &e->ov.st,
		.rounds = env_number("WSOCK_ITERATIONS", 10000),
	};
	pthread_t t;

	handle_usr1(0);
	ASSERT_EQ(pthread_create(&t, NULL, leaver_main, &l), 0);
	for (unsigned int round = 1; round <= l.rounds; round++) {
		ASSERT_EQ(dev_recv(e->dev, e->bare[0], e->buf, 100, &e->ov), -EINPROGRESS);
		__atomic_store_n(&l.round, round, __ATOMIC_RELEASE);
		for (volatile int n = round % 64 * 16; n; n--)
			;
		if (by_signal && round % 2)
			pthread_kill(t, SIGUSR1);
		ASSERT_EQ(send(e->bare[1], "hello", 5, 0), 5);
		if (by_signal && !(round % 2))
			pthread_kill(t, SIGUSR1);
		/* Mostly it is there; and our system calls run our task work. */
		for (int n = 0; n < 1000 && ov_status(&e->ov) == STATUS_PENDING; n++)
			sched_yield();
		ASSERT_TRUE(wait_for(ov_status(&e->ov) == STATUS_SUCCESS));
		/* A signal may have come before it waited; then it waits for nothing. */
		while (__atomic_load_n(&l.left, __ATOMIC_ACQUIRE) != round)
			sched_yield();
	}
	pthread_join(t, NULL);
}

TEST_F_TIMEOUT(waits, race__leaves_by_time, 300)
{
	leave(_metadata, &self->e, false);
}

TEST_F_TIMEOUT(waits, race__leaves_by_signal, 300)
{
	leave(_metadata, &self->e, true);
}

TEST_HARNESS_MAIN
