// SPDX-License-Identifier: GPL-2.0
/*
 * Exactly once: operations race with their data, their peers' close, cancel,
 * closesocket and the final release. Each must end once, whoever wins, and
 * nothing may be written into our memory after the release has returned.
 *
 * Every random choice comes from one seed, printed, and set by WSOCK_SEED.
 */
#include "uring.h"
#include "kselftest_harness.h"

#define SOCKETS	8
#define OPS	64
#define ROUNDS	160	/* 10,240 operations for each kind; WSOCK_ROUNDS sets it */
#define BUF	256

struct race {
	int dev;
	int own[SOCKETS], peer[SOCKETS];
	bool dgram[SOCKETS];
	unsigned int seed;
	pthread_barrier_t start;

	struct slot {
		struct ov ov;
		char buf[BUF];
		int socket;
		int event;
		int submitted;		/* what the submitter was told */
		unsigned int completions;
		int res;
	} ops[OPS];
	char *big;			/* what sends send */
	size_t big_len;

	/* taken the moment WSACleanup has returned */
	char snapshot[OPS][BUF];
	unsigned long long status[OPS];
	int cleanup;
};

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

static void *peers_thread(void *arg)
{
	struct race *r = arg;
	unsigned int s = r->seed + 1;
	char data[600];

	memset(data, 'p', sizeof(data));
	pthread_barrier_wait(&r->start);
	for (int i = 0; i < 40; i++) {
		int n = rand_r(&s) % SOCKETS;

		spin(&s, 3000);
		switch (rand_r(&s) % 16) {
		case 0:
			shutdown(r->peer[n], SHUT_RDWR);
			break;
		case 1 ... 4:
			recv(r->peer[n], data, sizeof(data), MSG_DONTWAIT);
			break;
		default:
			send(r->peer[n], data, rand_r(&s) % sizeof(data) + 1,
			     MSG_DONTWAIT | MSG_NOSIGNAL);
		}
	}
	return NULL;
}

static void *cancel_thread(void *arg)
{
	struct race *r = arg;
	unsigned int s = r->seed + 2;

	pthread_barrier_wait(&r->start);
	for (int i = 0; i < 30; i++) {
		struct slot *op = &r->ops[rand_r(&s) % OPS];

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

static void *cleanup_thread(void *arg)
{
	struct race *r = arg;
	unsigned int s = r->seed + 3;

	pthread_barrier_wait(&r->start);
	spin(&s, 120000);
	r->cleanup = dev_cleanup(r->dev);
	for (int i = 0; i < OPS; i++) {
		memcpy(r->snapshot[i], r->ops[i].buf, BUF);
		r->status[i] = ov_status(&r->ops[i].ov);
	}
	/* Provoke what must not be. */
	for (int i = 0; i < SOCKETS; i++)
		send(r->peer[i], "late", 4, MSG_DONTWAIT | MSG_NOSIGNAL);
	return NULL;
}

static int race_setup(struct race *r)
{
	r->dev = dev_started();
	if (r->dev < 0)
		return -1;
	for (int i = 0; i < SOCKETS; i++) {
		int fds[2];

		r->dgram[i] = i % 4 == 3;
		if (r->dgram[i] ? udp_pair(fds) : tcp_pair(fds))
			return -1;
		r->own[i] = fds[0];
		r->peer[i] = fds[1];
		if (dev_adopt(r->dev, fds[0]))
			return -1;
	}
	for (int i = 0; i < OPS; i++) {
		struct slot *op = &r->ops[i];

		memset(op->buf, 0xa5, BUF);
		ov_init(&op->ov);
		op->socket = rand_r(&r->seed) % SOCKETS;
		op->completions = 0;
	}
	pthread_barrier_init(&r->start, NULL, 4);
	return 0;
}

/* Three of four receive; the rest send more than fits. */
static bool is_send(int i)
{
	return i % 4 == 3;
}

struct race_args {
	int op;
	const void *addr;
	size_t len;
};

static struct race_args race_args(struct race *r, int i)
{
	struct slot *op = &r->ops[i];

	if (!is_send(i))
		return (struct race_args){ WSOCK_OP_RECV, op->buf, BUF };
	return (struct race_args){ WSOCK_OP_SEND, r->big, r->dgram[op->socket] ? 1000 : r->big_len };
}

/*
 * Refused at the gate: no operation came to be. A polling thread takes its
 * submissions when it likes, also after the release.
 */
static bool refused(const struct slot *op)
{
	return (op->res == -EBADFD || op->res == -EBADF || op->res == -ENOTSOCK) &&
	       ov_status(&op->ov) == STATUS_PENDING;
}

/* Returns what is wrong, or NULL. */
static const char *race_check(struct race *r)
{
	for (int i = 0; i < OPS; i++) {
		struct slot *op = &r->ops[i];
		eventfd_t signals = 0;

		if (!ov_intact(&op->ov))
			return "memory around a status block was written";
		if (op->completions == 1 && refused(op))
			continue;
		if (ov_status(&op->ov) == STATUS_PENDING)
			return "an operation is still pending";
		if (memcmp(r->snapshot[i], op->buf, BUF))
			return "a buffer was written after the final release";
		if (r->status[i] != STATUS_PENDING && r->status[i] != ov_status(&op->ov))
			return "a status was written after the final release";
		if (op->completions != 1)
			return op->completions ? "an operation completed twice" :
						 "an operation did not complete";
		if ((op->res == -ECANCELED) != (ov_status(&op->ov) == STATUS_CANCELLED))
			return "result and status differ";
		if (op->res >= 0 && (ov_status(&op->ov) != STATUS_SUCCESS ||
				     op->ov.st.internal_high != (unsigned int)op->res))
			return "bytes and status differ";
		eventfd_read(op->event, &signals);
		if (signals > 1)
			return "an event was signalled twice";
		if (op->res >= 0 && signals != 1)
			return "a completion did not signal its event";
	}
	return NULL;
}

static void race_teardown(struct race *r)
{
	close(r->dev);
	for (int i = 0; i < SOCKETS; i++)
		close(r->peer[i]);
	pthread_barrier_destroy(&r->start);
}

FIXTURE(races)
{
	struct race *r;
};

FIXTURE_VARIANT(races)
{
	struct ring_kind kind;
	bool ioctl;
	bool workers;
};

FIXTURE_VARIANT_ADD(races, ioctl) { .ioctl = true };
FIXTURE_VARIANT_ADD(races, workers) { .ioctl = true, .workers = true };
FIXTURE_VARIANT_ADD(races, default) { .kind = RING_DEFAULT };
FIXTURE_VARIANT_ADD(races, coop_taskrun) { .kind = RING_COOP };
FIXTURE_VARIANT_ADD(races, defer_taskrun) { .kind = RING_DEFER };
FIXTURE_VARIANT_ADD(races, sqpoll) { .kind = RING_SQPOLL };

FIXTURE_SETUP(races)
{
	self->r = calloc(1, sizeof(*self->r));
	set_param("workers", variant->workers ? "1" : "0");
	self->r->big_len = 3 << 20;
	self->r->big = calloc(1, self->r->big_len);
	for (int i = 0; i < OPS; i++)
		self->r->ops[i].event = new_event();
	TH_LOG("WSOCK_SEED=%u", seed);
}

FIXTURE_TEARDOWN(races)
{
	for (int i = 0; i < OPS; i++)
		close(self->r->ops[i].event);
	free(self->r->big);
	free(self->r);
	EXPECT_TRUE(counters_zero());
	set_param("workers", "0");
}

/* By ioctl: the submitter races with the rest, too. */
static bool round_by_ioctl(struct race *r)
{
	pthread_barrier_wait(&r->start);
	for (int i = 0; i < OPS; i++) {
		struct race_args a = race_args(r, i);
		struct slot *op = &r->ops[i];

		op->submitted = dev_submit(r->dev, a.op, r->own[op->socket], a.addr, a.len,
					   &op->ov, op->event, 0);
	}
	return true;
}

static void collect_by_ioctl(struct race *r)
{
	for (int i = 0; i < OPS; i++) {
		struct slot *op = &r->ops[i];

		op->completions = 1;
		if (op->submitted == -EINPROGRESS) {
			dev_wait(r->dev, &op->ov.st, TIMEOUT_MS);
			op->res = ov_status(&op->ov) == STATUS_SUCCESS ? (int)op->ov.st.internal_high :
				  ov_status(&op->ov) == STATUS_CANCELLED ? -ECANCELED : -EIO;
		} else {
			op->res = op->submitted;
			/* Its memory may have been set up after the snapshot. */
			memcpy(r->snapshot[i], op->buf, BUF);
			r->status[i] = ov_status(&op->ov);
		}
	}
}

static bool round_by_ring(struct race *r, const struct ring_kind *kind)
{
	struct __kernel_timespec ts = { .tv_sec = TIMEOUT_MS / 1000 };
	struct io_uring_cqe *cqe;
	struct io_uring ring;
	int left = OPS;

	if (ring_init(&ring, kind, OPS))
		return false;
	for (int i = 0; i < OPS; i++) {
		struct race_args a = race_args(r, i);
		struct io_uring_sqe *sqe = ring_sqe(&ring);

		prep_wsock(sqe, r->dev, a.op, r->own[r->ops[i].socket], a.addr, a.len,
			   &r->ops[i].ov, r->ops[i].event, 0);
		sqe->user_data = i;
	}
	io_uring_submit(&ring);
	pthread_barrier_wait(&r->start);
	while (left) {
		if (io_uring_wait_cqe_timeout(&ring, &cqe, &ts))
			break;
		r->ops[cqe->user_data].completions++;
		r->ops[cqe->user_data].res = cqe->res;
		io_uring_cqe_seen(&ring, cqe);
		left--;
	}
	/* One too many would be here by now or with the ring's end. */
	while (!io_uring_peek_cqe(&ring, &cqe)) {
		r->ops[cqe->user_data].completions++;
		io_uring_cqe_seen(&ring, cqe);
	}
	io_uring_queue_exit(&ring);
	return !left;
}

TEST_F_TIMEOUT(races, exactly_once, 600)
{
	static void *(*const threads[])(void *) = { peers_thread, cancel_thread, cleanup_thread };
	struct race *r = self->r;
	unsigned int s = seed;

	for (int round = 0; round < rounds; round++) {
		pthread_t t[3];
		const char *wrong;
		bool ok;

		r->seed = rand_r(&s);
		ASSERT_EQ(race_setup(r), 0);
		for (int i = 0; i < 3; i++)
			ASSERT_EQ(pthread_create(&t[i], NULL, threads[i], r), 0);
		ok = variant->ioctl ? round_by_ioctl(r) : round_by_ring(r, &variant->kind);
		for (int i = 0; i < 3; i++)
			pthread_join(t[i], NULL);
		if (variant->ioctl)
			collect_by_ioctl(r);
		EXPECT_TRUE(ok);
		EXPECT_EQ(r->cleanup, 1);
		wrong = race_check(r);
		EXPECT_EQ(wrong, NULL) TH_LOG("round %d: %s", round, wrong);
		race_teardown(r);
		ASSERT_TRUE(ok && !wrong);
	}
}

/* One buffer, received into as fast as a peer sends, on the other processor. */
struct writer {
	int dev, fd;
	unsigned int seed;
	struct ov ov;
	char buf[65536];
	pthread_barrier_t start;
};

static void *writer_thread(void *arg)
{
	struct writer *w = arg;

	pthread_barrier_wait(&w->start);
	while (dev_recv(w->dev, w->fd, w->buf, sizeof(w->buf), &w->ov) >= 0)
		;
	return NULL;
}

FIXTURE(release) {};
FIXTURE_SETUP(release) {}
FIXTURE_TEARDOWN(release) {}

TEST_F_TIMEOUT(release, P4__no_write_after_cleanup_returned, 300)
{
	struct writer *w = calloc(1, sizeof(*w));
	char *data = malloc(sizeof(w->buf)), *snapshot = malloc(sizeof(w->buf));
	unsigned int s = seed;

	TH_LOG("WSOCK_SEED=%u", seed);
	memset(data, 'x', sizeof(w->buf));
	for (int round = 0; round < rounds; round++) {
		struct wsock_status status;
		int fds[2];
		pthread_t t;

		w->dev = dev_started();
		ASSERT_EQ(tcp_pair(fds), 0);
		ASSERT_EQ(dev_adopt(w->dev, fds[0]), 0);
		w->fd = fds[0];
		memset(w->buf, 0, sizeof(w->buf));
		for (int i = 0; i < 8; i++)
			send(fds[1], data, sizeof(w->buf), MSG_DONTWAIT);
		pthread_barrier_init(&w->start, NULL, 2);
		ASSERT_EQ(pthread_create(&t, NULL, writer_thread, w), 0);
		pthread_barrier_wait(&w->start);
		spin(&s, 30000);
		ASSERT_EQ(dev_cleanup(w->dev), 1);
		/* As if the program freed its memory here. */
		memset(w->buf, 'f', sizeof(w->buf));
		memcpy(snapshot, w->buf, sizeof(w->buf));
		status = w->ov.st;
		pthread_join(t, NULL);
		ASSERT_EQ(memcmp(w->buf, snapshot, sizeof(w->buf)), 0);
		if (status.internal != STATUS_PENDING)
			ASSERT_EQ(status.internal == w->ov.st.internal ||
				  w->ov.st.internal == STATUS_PENDING, true);
		close(w->dev);
		close(fds[1]);
	}
	free(w);
	free(data);
	free(snapshot);
	EXPECT_TRUE(counters_zero());
}

/* A child works with all its sockets until it is killed. */
static void victim(struct race *r, int ready)
{
	static const struct ring_kind kinds[] = { RING_DEFAULT, RING_DEFER, RING_SQPOLL };
	struct io_uring_cqe *cqe;
	struct io_uring ring;

	r->dev = dev_started();
	for (int i = 0; i < SOCKETS; i++) {
		close(r->peer[i]);
		if (dev_adopt(r->dev, r->own[i]))
			_exit(1);
	}
	if (ring_init(&ring, &kinds[r->seed % 3], OPS))
		_exit(2);
	if (write(ready, "r", 1) != 1)
		_exit(3);
	for (unsigned int i = 0;; i = (i + 1) % OPS) {
		struct race_args a = race_args(r, i);
		struct slot *op = &r->ops[i];

		if (i % 2) {
			dev_submit(r->dev, a.op, r->own[op->socket], a.addr, a.len, &op->ov,
				   op->event, 0);
			continue;
		}
		prep_wsock(ring_sqe(&ring), r->dev, a.op, r->own[op->socket], a.addr, a.len,
			   &op->ov, op->event, 0);
		io_uring_submit(&ring);
		while (!io_uring_peek_cqe(&ring, &cqe))
			io_uring_cqe_seen(&ring, cqe);
	}
}

TEST_F_TIMEOUT(release, H19__kill_at_random_points, 300)
{
	struct race *r = calloc(1, sizeof(*r));
	unsigned int s = seed;

	TH_LOG("WSOCK_SEED=%u", seed);
	r->big_len = 1 << 20;
	r->big = calloc(1, r->big_len);
	for (int round = 0; round < 50; round++) {
		int ready[2], status, fds[2];
		char byte;
		pid_t pid;

		r->seed = rand_r(&s);
		ASSERT_EQ(pipe2(ready, O_CLOEXEC), 0);
		for (int i = 0; i < SOCKETS; i++) {
			ASSERT_EQ(tcp_pair(fds), 0);
			r->own[i] = fds[0];
			r->peer[i] = fds[1];
		}
		for (int i = 0; i < OPS; i++) {
			r->ops[i].socket = rand_r(&r->seed) % SOCKETS;
			r->ops[i].event = new_event();
		}
		pid = fork();
		if (!pid)
			victim(r, ready[1]);
		for (int i = 0; i < SOCKETS; i++)
			close(r->own[i]);
		EXPECT_EQ(read(ready[0], &byte, 1), 1);
		for (int i = 0; i < 20; i++) {
			spin(&s, 20000);
			send(r->peer[rand_r(&s) % SOCKETS], "data", 4, MSG_DONTWAIT);
		}
		ASSERT_EQ(kill(pid, SIGKILL), 0);
		ASSERT_EQ(waitpid(pid, &status, 0), pid);
		ASSERT_TRUE(WIFSIGNALED(status));
		for (int i = 0; i < SOCKETS; i++) {
			EXPECT_EQ(peer_end(r->peer[i]), -ECONNRESET);
			close(r->peer[i]);
		}
		for (int i = 0; i < OPS; i++)
			close(r->ops[i].event);
		close(ready[0]);
		close(ready[1]);
		ASSERT_TRUE(counters_zero());
	}
	free(r->big);
	free(r);
}

TEST_HARNESS_MAIN
