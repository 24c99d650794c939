// SPDX-License-Identifier: GPL-2.0
/*
 * Exactly once, at completion ports: operations of sockets with a port race with
 * their data, cancel, closesocket, threads that wait for them and the final
 * release, while threads take packets. Each that pended, or was done at once,
 * leaves one packet, which tells what the status block tells; and nothing is
 * written into our memory after the release has returned.
 *
 * Every random choice comes from one seed, printed, and set by WSOCK_SEED.
 */
#include <sched.h>
#include <stddef.h>

#include "ports.h"
#include "kselftest_harness.h"

#define SOCKETS	8
#define PORTS	2
#define TAKERS	4
#define OPS	128
#define ROUNDS	80	/* 10,240 operations for each kind; WSOCK_ROUNDS sets it */
#define BUF	256
#define BIG	(4 << 10)

static unsigned int seed;
static int rounds;

static void __attribute__((constructor)) choose(void)
{
	seed = env_seed();
	rounds = env_number("WSOCK_ROUNDS", ROUNDS);
}

static void spin(unsigned int *seed, unsigned int max)
{
	for (volatile unsigned int n = rand_r(seed) % max; n; n--)
		;
}

struct slot {
	struct ov ov;
	char buf[BUF];
	struct iovec iov;
	struct wsock_msg msg;
	int socket;
	int submitted;			/* what the submitter was told */
	unsigned int packets;
	struct wsock_packet packet;
};

struct race {
	int dev;
	int code;			/* enum wsock_op_code */
	int port[PORTS];		/* one without a limit, one with */
	int own[SOCKETS], peer[SOCKETS];
	bool dgram[SOCKETS], skip[SOCKETS];
	unsigned int seed;
	pthread_barrier_t start;
	struct slot ops[OPS];
	char *big;
	unsigned int issued;		/* operations whose submission has returned */
	bool over;
	unsigned int takers;
	unsigned int at_once, succeeded, cancelled, others;	/* ends of all rounds */
	unsigned int taken, stray;	/* packets, and such as nobody expects */

	/* taken the moment WSACleanup has returned */
	char snapshot[OPS][BUF];
	unsigned long long status[OPS];
	unsigned int issued_before;
	int cleanup;
};

static bool is_recv(const struct race *r)
{
	return r->code == WSOCK_OP_RECV || r->code == WSOCK_OP_RECVMSG;
}

/* Seen in a packet, it says that this is of the right socket. */
static unsigned long long key_of(int socket)
{
	return 0xabcd000000000000ull | socket;
}

static void take_packet(struct race *r, int port, const struct wsock_packet *p)
{
	unsigned long at = p->ov - offsetof(struct slot, ov.st) - (unsigned long)r->ops;
	struct slot *op = (void *)r->ops + at;

	if (at % sizeof(*op) || at / sizeof(*op) >= OPS || p->key != key_of(op->socket) ||
	    port != r->port[op->socket % PORTS]) {
		__atomic_fetch_add(&r->stray, 1, __ATOMIC_RELAXED);
		return;
	}
	op->packet = *p;
	__atomic_fetch_add(&op->packets, 1, __ATOMIC_RELEASE);
	__atomic_fetch_add(&r->taken, 1, __ATOMIC_RELEASE);
}

/* Takes packets, of which sometimes several, sometimes where there is no array. */
static void *taker_thread(void *arg)
{
	struct race *r = arg;
	unsigned int s = r->seed + 16 + __atomic_fetch_add(&r->takers, 1, __ATOMIC_RELAXED);
	int port = r->port[s % PORTS];
	struct wsock_packet p[8];
	int n;

	for (;;) {
		if (!(rand_r(&s) % 16))
			get_packets(port, NULL, 1, 0);
		n = get_packets(port, p, rand_r(&s) % 2 ? 1 : 8, -1);
		if (n < 0) {
			__atomic_fetch_add(&r->stray, 1, __ATOMIC_RELAXED);
			return NULL;
		}
		for (int i = 0; i < n; i++) {
			/* The end of the round: there are others to tell. */
			if (!p[i].ov) {
				for (int k = i + 1; k < n; k++)
					p[k].ov ? take_packet(r, port, &p[k]) : (void)post(port, 0);
				return NULL;
			}
			take_packet(r, port, &p[i]);
		}
	}
}

static unsigned int issued(struct race *r)
{
	return __atomic_load_n(&r->issued, __ATOMIC_ACQUIRE);
}

static void *peers_thread(void *arg)
{
	struct race *r = arg;
	unsigned int s = r->seed + 1;
	static __thread char data[65536];

	pthread_barrier_wait(&r->start);
	for (int i = 0; i < (is_recv(r) ? 60 : 200); i++) {
		int n = rand_r(&s) % SOCKETS;

		spin(&s, 2000);
		if (!(rand_r(&s) % 64))
			shutdown(r->peer[n], SHUT_RDWR);
		else if (is_recv(r))
			send(r->peer[n], data, rand_r(&s) % 600 + 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		else
			recv(r->peer[n], data, sizeof(data), MSG_DONTWAIT);
	}
	return NULL;
}

static void *cancel_thread(void *arg)
{
	struct race *r = arg;
	unsigned int s = r->seed + 2;

	pthread_barrier_wait(&r->start);
	for (int i = 0; i < 40; i++) {
		struct slot *op = &r->ops[rand_r(&s) % (issued(r) + 1) % OPS];

		spin(&s, 3000);
		switch (rand_r(&s) % 16) {
		case 0:
			dev_closesocket(r->dev, r->own[op->socket]);
			break;
		case 1:
			dev_cancel(r->dev, r->own[op->socket], NULL);
			break;
		default:
			dev_cancel(r->dev, r->own[op->socket], &op->ov.st);
		}
	}
	return NULL;
}

/* Waits for operations, mostly without time: they are executed by the way. */
static void *wait_thread(void *arg)
{
	struct race *r = arg;
	unsigned int s = r->seed + 3;

	pthread_barrier_wait(&r->start);
	while (!__atomic_load_n(&r->over, __ATOMIC_ACQUIRE)) {
		spin(&s, 3000);
		dev_wait(r->dev, &r->ops[rand_r(&s) % OPS].ov.st, rand_r(&s) % 32 ? 0 : 1);
	}
	return NULL;
}

static void *cleanup_thread(void *arg)
{
	struct race *r = arg;
	unsigned int s = r->seed + 4;

	pthread_barrier_wait(&r->start);
	/* Mostly after all were submitted. */
	for (unsigned int n = rand_r(&s) % (2 * OPS); issued(r) < n && issued(r) < OPS;)
		sched_yield();
	/* And after some have ended, but not for ever: some never will. */
	for (unsigned int n = rand_r(&s) % OPS, i = 0; i < 300; i++) {
		if (__atomic_load_n(&r->taken, __ATOMIC_ACQUIRE) >= n)
			break;
		usleep(20);
	}
	spin(&s, 60000);
	r->cleanup = dev_cleanup(r->dev);
	r->issued_before = issued(r);
	for (int i = 0; i < OPS; i++) {
		memcpy(r->snapshot[i], r->ops[i].buf, BUF);
		r->status[i] = ov_status(&r->ops[i].ov);
	}
	/* Provoke what must not be. */
	for (int i = 0; i < SOCKETS; i++)
		send(r->peer[i], "late", 4, MSG_DONTWAIT | MSG_NOSIGNAL);
	return NULL;
}

static void *(*const threads[])(void *) = {
	peers_thread, cancel_thread, wait_thread, cleanup_thread,
};

#define THREADS (sizeof(threads) / sizeof(threads[0]))

static int race_setup(struct race *r)
{
	int small = 16 << 10;

	r->dev = dev_started();
	if (r->dev < 0)
		return -1;
	for (int i = 0; i < SOCKETS; i++) {
		struct wsock_associate a = { .key = key_of(i), .port_fd = r->port[i % PORTS] };
		int fds[2];

		r->dgram[i] = i % 4 == 3;
		r->skip[i] = i % 4 == 2;
		if (r->dgram[i] ? udp_pair(fds) : tcp_pair(fds))
			return -1;
		r->own[i] = fds[0];
		r->peer[i] = fds[1];
		/* So that sends pend. */
		setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
		setsockopt(fds[1], SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
		if (!is_recv(r) && !r->dgram[i])
			fill(fds[0]);
		a.fd = fds[0];
		if (dev_adopt(r->dev, fds[0]) || dev_ioctl(r->dev, WSOCK_IOC_ASSOCIATE, &a))
			return -1;
		if (r->skip[i]) {
			struct wsock_modes m = { fds[0], WSOCK_MODE_SKIP_ON_SUCCESS };

			if (dev_ioctl(r->dev, WSOCK_IOC_MODES, &m))
				return -1;
		}
	}
	for (int i = 0; i < OPS; i++) {
		struct slot *op = &r->ops[i];

		memset(op->buf, 0xa5, BUF);
		ov_init(&op->ov);
		op->socket = rand_r(&r->seed) % SOCKETS;
		op->packets = 0;
	}
	r->taken = r->stray = r->takers = r->issued = 0;
	r->over = false;
	pthread_barrier_init(&r->start, NULL, THREADS + 1);
	return 0;
}

static int race_submit(struct race *r, struct slot *op)
{
	bool with_msg = r->code == WSOCK_OP_RECVMSG || r->code == WSOCK_OP_SENDMSG;

	op->iov.iov_base = is_recv(r) ? op->buf : r->big;
	op->iov.iov_len = is_recv(r) ? BUF : r->dgram[op->socket] ? 1000 : BIG;
	op->msg = (struct wsock_msg){ .iov = (unsigned long)&op->iov, .iovlen = 1 };
	if (with_msg)
		return dev_submit(r->dev, r->code, r->own[op->socket], &op->msg, sizeof(op->msg),
				  &op->ov, -1, 0);
	return dev_submit(r->dev, r->code, r->own[op->socket], op->iov.iov_base, op->iov.iov_len,
			  &op->ov, -1, 0);
}

/* Does what the submitter was told promise a packet? */
static bool promised(const struct race *r, const struct slot *op)
{
	if (op->submitted >= 0)
		return !r->skip[op->socket];
	return op->submitted == -EINPROGRESS || (is_recv(r) && op->submitted == -EMSGSIZE);
}

static unsigned int promised_all(const struct race *r)
{
	unsigned int n = 0;

	for (int i = 0; i < OPS; i++)
		n += promised(r, &r->ops[i]);
	return n;
}

/* To see that the rounds are races. */
static void count_ends(struct race *r)
{
	for (int i = 0; i < OPS; i++) {
		struct slot *op = &r->ops[i];

		if (op->submitted >= 0)
			r->at_once++;
		else if (op->submitted != -EINPROGRESS)
			r->others++;
		else if (ov_status(&op->ov) == STATUS_SUCCESS)
			r->succeeded++;
		else if (ov_status(&op->ov) == STATUS_CANCELLED)
			r->cancelled++;
		else
			r->others++;
	}
}

/* Returns what is wrong, or NULL. */
static const char *race_check(struct race *r)
{
	for (int i = 0; i < OPS; i++) {
		struct slot *op = &r->ops[i];

		if (!ov_intact(&op->ov))
			return "memory around a status block was written";
		if (op->packets != promised(r, op))
			return op->packets > promised(r, op) ? "a packet too many" :
							       "a packet was lost";
		if (op->submitted == -EINPROGRESS) {
			if (ov_status(&op->ov) == STATUS_PENDING)
				return "an operation is still pending";
			if (memcmp(r->snapshot[i], op->buf, BUF))
				return "a buffer was written after the final release";
			/* A submission that was under way finds that it came too late. */
			if (r->status[i] != ov_status(&op->ov) &&
			    (i < r->issued_before || ov_status(&op->ov) != STATUS_CANCELLED))
				return "a status was written after the final release";
		}
		if (op->packets && (op->packet.internal != op->ov.st.internal ||
				    op->packet.bytes != op->ov.st.internal_high ||
				    op->packet.flags != op->ov.st.flags))
			return "packet and status block differ";
		if (op->submitted >= 0 && op->ov.st.internal_high != (unsigned int)op->submitted)
			return "bytes and status differ";
	}
	return r->stray ? "a packet that nobody expects" : NULL;
}

FIXTURE(races)
{
	struct race *r;
};

FIXTURE_VARIANT(races)
{
	int code;
};

FIXTURE_VARIANT_ADD(races, recv) { WSOCK_OP_RECV };
FIXTURE_VARIANT_ADD(races, send) { WSOCK_OP_SEND };
FIXTURE_VARIANT_ADD(races, recvmsg) { WSOCK_OP_RECVMSG };
FIXTURE_VARIANT_ADD(races, sendmsg) { WSOCK_OP_SENDMSG };

FIXTURE_SETUP(races)
{
	int dev = dev_open();

	ASSERT_GE(dev, 0);
	self->r = calloc(1, sizeof(*self->r));
	self->r->code = variant->code;
	self->r->big = calloc(1, BIG);
	self->r->port[0] = port_new(dev, WSOCK_PORT_UNLIMITED);
	self->r->port[1] = port_new(dev, 1);
	close(dev);
	TH_LOG("WSOCK_SEED=%u", seed);
}

FIXTURE_TEARDOWN(races)
{
	for (int i = 0; i < PORTS; i++)
		close(self->r->port[i]);
	free(self->r->big);
	free(self->r);
	EXPECT_TRUE(counters_zero());
}

TEST_F_TIMEOUT(races, exactly_once, 600)
{
	struct race *r = self->r;
	unsigned int s = seed;

	for (int round = 0; round < rounds; round++) {
		pthread_t t[THREADS], takers[TAKERS];
		const char *wrong;

		r->seed = rand_r(&s);
		ASSERT_EQ(race_setup(r), 0);
		for (int i = 0; i < TAKERS; i++)
			ASSERT_EQ(pthread_create(&takers[i], NULL, taker_thread, r), 0);
		for (int i = 0; i < THREADS; i++)
			ASSERT_EQ(pthread_create(&t[i], NULL, threads[i], r), 0);
		pthread_barrier_wait(&r->start);
		for (int i = 0; i < OPS; i++) {
			r->ops[i].submitted = race_submit(r, &r->ops[i]);
			__atomic_store_n(&r->issued, i + 1, __ATOMIC_RELEASE);
		}
		for (int i = 0; i < THREADS; i++) {
			if (threads[i] != wait_thread)
				pthread_join(t[i], NULL);
		}
		/* Also what the release has cancelled is there, or on its way. */
		wait_for(__atomic_load_n(&r->taken, __ATOMIC_ACQUIRE) >= promised_all(r));
		__atomic_store_n(&r->over, true, __ATOMIC_RELEASE);
		for (int i = 0; i < THREADS; i++) {
			if (threads[i] == wait_thread)
				pthread_join(t[i], NULL);
		}
		/* One too many would be before these. */
		for (int i = 0; i < TAKERS; i++)
			EXPECT_EQ(post(r->port[i % PORTS], 0), 0);
		for (int i = 0; i < TAKERS; i++)
			pthread_join(takers[i], NULL);
		for (int i = 0; i < PORTS; i++)
			EXPECT_EQ(get_key(r->port[i], 0), -ETIME);
		EXPECT_EQ(r->cleanup, 1);
		count_ends(r);
		wrong = race_check(r);
		EXPECT_EQ(wrong, NULL) TH_LOG("round %d: %s", round, wrong);
		close(r->dev);
		for (int i = 0; i < SOCKETS; i++)
			close(r->peer[i]);
		pthread_barrier_destroy(&r->start);
		ASSERT_EQ(wrong, NULL);
		/* The packets were the last of it. */
		ASSERT_EQ(counter("operations"), 0);
	}
	TH_LOG("%u at once, %u later, %u cancelled, %u otherwise", r->at_once, r->succeeded,
	       r->cancelled, r->others);
}

TEST_HARNESS_MAIN
