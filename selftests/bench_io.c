// SPDX-License-Identifier: GPL-2.0
/*
 * Receives and sends of 64 bytes on TCP over loopback. Every work is written
 * once, on top of what the systems have in common; each system does it with the
 * system calls that a careful author of such a program needs:
 *
 *   wsock     operations of the module as IORING_OP_URING_CMD, the device a
 *             fixed file
 *   io_uring  IORING_OP_RECV and IORING_OP_SEND, the socket a fixed file
 *   libwsock  WSARecv and WSASend with an OVERLAPPED, WSAGetOverlappedResult
 *   epoll     epoll_wait, level-triggered, and non-blocking recv; send
 *   blocking  recv and send
 *
 * Both rings are of the same kind (SINGLE_ISSUER and DEFER_TASKRUN unless the
 * work says otherwise, the ring's descriptor registered), and are submitted to
 * and reaped by the same code. The works, per operation:
 *
 *   recv_pending   a receive that has to wait is started, the peer sends, the
 *                  end is reaped; blocking: the thread that waits is another one
 *   recv_ready     a receive of what is there already
 *   recv_ready_batch, recv_ready_batch_sockets
 *                  32 of these in one submission, on one connection and on 32
 *   send, send_batch
 *                  a send; 32 in one submission
 *   recv_pending_one_socket
 *                  32 receives are started, the peer sends 32 times, the ends are
 *                  reaped; with _default_ring on a ring without flags
 *   pingpong       a round trip between two threads, both through the system;
 *                  with _fifo as real-time threads of one priority, which leaves
 *                  the scheduler no choice of when to switch
 *
 * The peer is plain send and recv in the same thread. It is counted where it
 * acts between start and end of an operation, not before or after.
 */
#include "bench.h"

#include <liburing.h>
#include <sched.h>
#include <sys/epoll.h>

#define BATCH 32

struct engine;

struct system {
	const char *name;
	void (*open)(struct engine *e);
	void (*close)(struct engine *e);
	/* Post or note one operation on socket @i, with buffer @slot. */
	void (*recv)(struct engine *e, int i, int slot);
	void (*send)(struct engine *e, int i, int slot);
	/* Start what was posted. */
	void (*start)(struct engine *e);
	/* Start what was posted, wait for @n ends since the last wait. */
	void (*wait)(struct engine *e, int n);
};

/**
 * struct engine - one thread's use of a system
 * @system: which
 * @ring_flags: of its ring
 * @nr: number of sockets
 * @fds: our ends
 * @peers: the other ends
 * @buf: a buffer for each operation that can be posted at a time
 * @ring: io_uring, wsock
 * @dev: wsock
 * @epfd: epoll
 * @wanted: receives that were asked for, per socket; epoll, blocking
 * @ended: ends that nobody has waited for yet; all without a ring
 * @thread: blocking: waits in recv
 * @threaded: there is @thread
 * @received: what @thread received
 * @ov: libwsock, as @buf
 * @pending: libwsock: the slots of operations that pend
 * @nr_pending: its length
 */
struct engine {
	const struct system *system;
	unsigned int ring_flags;
	int nr;
	int fds[BATCH];
	int peers[BATCH];
	char buf[BATCH + 1][MSG_SIZE];

	struct io_uring ring;
	int dev;

	int epfd;
	int wanted[BATCH];
	int ended;

	pthread_t thread;
	bool threaded;
	int received;

	OVERLAPPED ov[BATCH + 1];
	int pending[BATCH + 1];
	int nr_pending;
};

/* ------------------------------------------------------------------------- */
/* io_uring and wsock */

static void uring_init(struct engine *e)
{
	struct io_uring_params params = { .flags = e->ring_flags };

	must(!io_uring_queue_init_params(2 * BATCH, &e->ring, &params));
	must(io_uring_register_ring_fd(&e->ring) == 1);
}

static void uring_open(struct engine *e)
{
	uring_init(e);
	must(!io_uring_register_files(&e->ring, e->fds, e->nr));
}

static void uring_close(struct engine *e)
{
	io_uring_queue_exit(&e->ring);
}

static void uring_recv(struct engine *e, int i, int slot)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&e->ring);

	io_uring_prep_recv(sqe, i, e->buf[slot], MSG_SIZE, 0);
	sqe->flags = IOSQE_FIXED_FILE;
}

static void uring_send(struct engine *e, int i, int slot)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&e->ring);

	io_uring_prep_send(sqe, i, e->buf[slot], MSG_SIZE, 0);
	sqe->flags = IOSQE_FIXED_FILE;
}

static void uring_start(struct engine *e)
{
	must(io_uring_submit(&e->ring) > 0);
}

static void uring_wait(struct engine *e, int n)
{
	struct io_uring_cqe *cqe;
	unsigned int head, seen;

	while (n > 0) {
		if (io_uring_sq_ready(&e->ring))
			must(io_uring_submit_and_wait(&e->ring, n) > 0);
		else
			must(!io_uring_wait_cqe_nr(&e->ring, &cqe, n));
		seen = 0;
		io_uring_for_each_cqe(&e->ring, head, cqe) {
			if (cqe->res != MSG_SIZE)
				die("%s: completion with %d", e->system->name, cqe->res);
			seen++;
		}
		io_uring_cq_advance(&e->ring, seen);
		n -= seen;
	}
	must(!n);
}

static void wsock_open(struct engine *e)
{
	e->dev = bench_device();
	for (int i = 0; i < e->nr; i++)
		bench_adopt(e->dev, e->fds[i]);
	uring_init(e);
	must(!io_uring_register_files(&e->ring, &e->dev, 1));
}

static void wsock_close(struct engine *e)
{
	uring_close(e);
	must(ioctl(e->dev, WSOCK_IOC_CLEANUP, 0) >= 0);
	close(e->dev);
}

static void wsock_prep(struct engine *e, int op, int i, int slot)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&e->ring);
	struct wsock_cmd *cmd = (struct wsock_cmd *)sqe->cmd;

	/* Fills in more than needed, as io_uring_prep_recv() does. */
	io_uring_prep_rw(IORING_OP_URING_CMD, sqe, 0, e->buf[slot], MSG_SIZE, 0);
	sqe->flags = IOSQE_FIXED_FILE;
	sqe->cmd_op = op;
	sqe->splice_fd_in = e->fds[i];
	/* No name: as io_uring's own it can be cancelled by its user_data. */
	cmd->ov = 0;
	cmd->event_fd = 0;
	cmd->flags = 0;
	cmd->msg_flags = 0;
}

static void wsock_recv_op(struct engine *e, int i, int slot)
{
	wsock_prep(e, WSOCK_OP_RECV, i, slot);
}

static void wsock_send_op(struct engine *e, int i, int slot)
{
	wsock_prep(e, WSOCK_OP_SEND, i, slot);
}

static const struct system system_uring = {
	.name = "io_uring",
	.open = uring_open,
	.close = uring_close,
	.recv = uring_recv,
	.send = uring_send,
	.start = uring_start,
	.wait = uring_wait,
};

static const struct system system_wsock = {
	.name = "wsock",
	.open = wsock_open,
	.close = wsock_close,
	.recv = wsock_recv_op,
	.send = wsock_send_op,
	.start = uring_start,
	.wait = uring_wait,
};

/* ------------------------------------------------------------------------- */
/* epoll and blocking calls */

static void plain_send(struct engine *e, int i, int slot)
{
	must(send(e->fds[i], e->buf[slot], MSG_SIZE, MSG_NOSIGNAL) == MSG_SIZE);
	e->ended++;
}

static void plain_recv(struct engine *e, int i, int slot)
{
	e->wanted[i]++;
}

static void plain_start(struct engine *e)
{
}

static void epoll_open(struct engine *e)
{
	e->epfd = epoll_create1(EPOLL_CLOEXEC);
	must(e->epfd >= 0);
	for (int i = 0; i < e->nr; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.u32 = i };

		must(!fcntl(e->fds[i], F_SETFL, O_NONBLOCK));
		must(!epoll_ctl(e->epfd, EPOLL_CTL_ADD, e->fds[i], &event));
	}
}

static void epoll_close(struct engine *e)
{
	close(e->epfd);
}

static void epoll_wait_op(struct engine *e, int n)
{
	struct epoll_event events[BATCH];

	n -= e->ended;
	e->ended = 0;
	while (n > 0) {
		int nr = epoll_wait(e->epfd, events, BATCH, -1);

		must(nr > 0);
		for (int k = 0; k < nr; k++) {
			int i = events[k].data.u32;

			while (e->wanted[i]) {
				ssize_t got = recv(e->fds[i], e->buf[i], MSG_SIZE, 0);

				if (got < 0 && errno == EAGAIN)
					break;
				must(got == MSG_SIZE);
				e->wanted[i]--;
				n--;
			}
		}
	}
	must(!n);
}

/* The real-time thread runs as soon as the peer's send has woken it. */
static void *blocking_thread(void *arg)
{
	struct sched_param param = { .sched_priority = 1 };
	struct engine *e = arg;

	must(!pthread_setschedparam(pthread_self(), SCHED_FIFO, &param));
	while (recv(e->fds[0], e->buf[0], MSG_SIZE, 0) == MSG_SIZE)
		e->received++;
	return NULL;
}

static void blocking_open(struct engine *e)
{
	if (!e->threaded)
		return;
	must(!pthread_create(&e->thread, NULL, blocking_thread, e));
	/* Until it waits in recv. */
	usleep(1000);
}

static void blocking_close(struct engine *e)
{
	if (!e->threaded)
		return;
	shutdown(e->fds[0], SHUT_RDWR);
	pthread_join(e->thread, NULL);
}

static void blocking_wait(struct engine *e, int n)
{
	n -= e->ended;
	e->ended = 0;
	if (e->threaded) {
		/* It has run already: it goes before us. */
		must(__atomic_load_n(&e->received, __ATOMIC_RELAXED) == n);
		e->received = 0;
		e->wanted[0] = 0;
		return;
	}
	for (int i = 0; n; i = i + 1 < e->nr ? i + 1 : 0) {
		if (!e->wanted[i])
			continue;
		must(recv(e->fds[i], e->buf[i], MSG_SIZE, 0) == MSG_SIZE);
		e->wanted[i]--;
		n--;
	}
}

static const struct system system_epoll = {
	.name = "epoll",
	.open = epoll_open,
	.close = epoll_close,
	.recv = plain_recv,
	.send = plain_send,
	.start = plain_start,
	.wait = epoll_wait_op,
};

static const struct system system_blocking = {
	.name = "blocking",
	.open = blocking_open,
	.close = blocking_close,
	.recv = plain_recv,
	.send = plain_send,
	.start = plain_start,
	.wait = blocking_wait,
};

/* ------------------------------------------------------------------------- */
/* libwsock */

static void lib_open(struct engine *e)
{
	WSADATA data;

	must(!WSAStartup(0x0202, &data));
}

static void lib_close(struct engine *e)
{
	must(!WSACleanup());
}

static void lib_posted(struct engine *e, int slot, int result, DWORD bytes)
{
	if (!result) {
		must(bytes == MSG_SIZE);
		e->ended++;
		return;
	}
	must(WSAGetLastError() == WSA_IO_PENDING);
	e->pending[e->nr_pending++] = slot;
}

static void lib_recv(struct engine *e, int i, int slot)
{
	WSABUF buf = { .len = MSG_SIZE, .buf = e->buf[slot] };
	DWORD bytes, flags = 0;
	int ret;

	e->ov[slot].hEvent = NULL;
	ret = WSARecv(e->fds[i], &buf, 1, &bytes, &flags, &e->ov[slot], NULL);
	lib_posted(e, slot, ret, bytes);
}

static void lib_send(struct engine *e, int i, int slot)
{
	WSABUF buf = { .len = MSG_SIZE, .buf = e->buf[slot] };
	DWORD bytes;
	int ret;

	e->ov[slot].hEvent = NULL;
	ret = WSASend(e->fds[i], &buf, 1, &bytes, 0, &e->ov[slot], NULL);
	lib_posted(e, slot, ret, bytes);
}

static void lib_wait(struct engine *e, int n)
{
	DWORD bytes, flags;

	for (int k = 0; k < e->nr_pending; k++) {
		must(WSAGetOverlappedResult(e->fds[0], &e->ov[e->pending[k]], &bytes, TRUE,
					    &flags));
		must(bytes == MSG_SIZE);
	}
	must(e->nr_pending + e->ended == n);
	e->nr_pending = 0;
	e->ended = 0;
}

static const struct system system_lib = {
	.name = "libwsock",
	.open = lib_open,
	.close = lib_close,
	.recv = lib_recv,
	.send = lib_send,
	.start = plain_start,
	.wait = lib_wait,
};

/* ------------------------------------------------------------------------- */
/* The works */

static char message[MSG_SIZE];

static void peer_send(struct engine *e, int i)
{
	must(send(e->peers[i], message, MSG_SIZE, MSG_NOSIGNAL) == MSG_SIZE);
}

static void peer_recv(struct engine *e, int i)
{
	char buf[MSG_SIZE];

	must(recv(e->peers[i], buf, MSG_SIZE, 0) == MSG_SIZE);
}

static void recv_pending(struct engine *e)
{
	e->system->recv(e, 0, 0);
	e->system->start(e);
	peer_send(e, 0);
	e->system->wait(e, 1);
}

static void peer_send_one(struct engine *e)
{
	peer_send(e, 0);
}

static void recv_ready(struct engine *e)
{
	e->system->recv(e, 0, 0);
	e->system->wait(e, 1);
}

static void peer_send_batch(struct engine *e)
{
	for (int i = 0; i < BATCH; i++)
		peer_send(e, i % e->nr);
}

static void recv_batch(struct engine *e)
{
	for (int i = 0; i < BATCH; i++)
		e->system->recv(e, i % e->nr, i);
	e->system->wait(e, BATCH);
}

static void send_one(struct engine *e)
{
	e->system->send(e, 0, 0);
	e->system->wait(e, 1);
}

static void peer_recv_one(struct engine *e)
{
	peer_recv(e, 0);
}

static void send_batch(struct engine *e)
{
	for (int i = 0; i < BATCH; i++)
		e->system->send(e, i % e->nr, i);
	e->system->wait(e, BATCH);
}

static void peer_recv_batch(struct engine *e)
{
	for (int i = 0; i < BATCH; i++)
		peer_recv(e, i % e->nr);
}

static void recv_many_pending(struct engine *e)
{
	for (int i = 0; i < BATCH; i++)
		e->system->recv(e, 0, i);
	e->system->start(e);
	for (int i = 0; i < BATCH; i++)
		peer_send(e, 0);
	e->system->wait(e, BATCH);
}

static void ping(struct engine *e)
{
	e->system->send(e, 0, 0);
	e->system->recv(e, 0, 1);
	e->system->wait(e, 2);
}

/**
 * struct work - one kind of work
 * @name: its name in the result
 * @ops: operations in one run
 * @sockets: number of connections
 * @ring_flags: for the systems with rings
 * @rings_only: makes a difference only for those
 * @delack: as on connections that carry data both ways, ACKs are delayed: else there
 *	is one for each receive that leaves the queue empty, which costs most of it
 * @threaded: the blocking call has to wait in a thread of its own
 * @echo: a second thread answers through the same system
 * @fifo: as real-time threads
 * @before: not counted, may be NULL
 * @run: counted
 * @after: not counted, may be NULL
 */
struct work {
	const char *name;
	int ops;
	int sockets;
	unsigned int ring_flags;
	bool rings_only;
	bool delack;
	bool threaded;
	bool echo;
	bool fifo;
	void (*before)(struct engine *e);
	void (*run)(struct engine *e);
	void (*after)(struct engine *e);
};

#define DEFER (IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN)

static const struct work works[] = {
	{ "recv_pending", 1, 1, DEFER, .threaded = true, .run = recv_pending },
	{ "recv_ready", 1, 1, DEFER, .before = peer_send_one, .run = recv_ready },
	{ "recv_ready_batch", BATCH, 1, DEFER, .before = peer_send_batch, .run = recv_batch },
	{ "recv_ready_batch_sockets", BATCH, BATCH, DEFER, .before = peer_send_batch,
	  .run = recv_batch },
	{ "send", 1, 1, DEFER, .run = send_one, .after = peer_recv_one },
	{ "send_batch", BATCH, 1, DEFER, .run = send_batch, .after = peer_recv_batch },
	{ "recv_pending_one_socket", BATCH, 1, DEFER, .run = recv_many_pending },
	{ "recv_pending_one_socket_default_ring", BATCH, 1, 0, .rings_only = true,
	  .run = recv_many_pending },
	{ "recv_pending_one_socket_default_ring_delack", BATCH, 1, 0, .rings_only = true,
	  .delack = true, .run = recv_many_pending },
	{ "pingpong", 1, 1, DEFER, .echo = true, .run = ping },
	{ "pingpong_fifo", 1, 1, DEFER, .echo = true, .fifo = true, .run = ping },
};

struct io_arg {
	const struct work *work;
	const struct system *system;
};

/* With the library, its own calls make both ends. */
static void make_pair(const struct system *system, int port, int listener, int *ours, int *peer)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int one = 1;

	if (system == &system_lib) {
		*peer = wsock_socket(AF_INET, SOCK_STREAM, 0);
		must(!wsock_connect(*peer, (struct sockaddr *)&sin, sizeof(sin)));
		*ours = wsock_accept(listener, NULL, NULL);
	} else {
		*peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		must(!connect(*peer, (struct sockaddr *)&sin, sizeof(sin)));
		*ours = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	}
	must(*ours >= 0);
	must(!setsockopt(*ours, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
	must(!setsockopt(*peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
}

static void make_pairs(struct engine *e)
{
	WSADATA data;
	int listener, port;

	if (e->system == &system_lib)
		must(!WSAStartup(0x0202, &data));
	listener = bench_listener(&port);
	for (int i = 0; i < e->nr; i++)
		make_pair(e->system, port, listener, &e->fds[i], &e->peers[i]);
	close(listener);
}

static void delay_acks(struct engine *e)
{
	int off = 0;

	for (int i = 0; i < e->nr; i++)
		must(!setsockopt(e->fds[i], IPPROTO_TCP, TCP_QUICKACK, &off, sizeof(off)));
}

/* The other thread of a ping-pong. */
static bool echo_stop;

static void *echo_thread(void *arg)
{
	struct engine *e = arg;

	e->system->open(e);
	e->system->recv(e, 0, 1);
	e->system->wait(e, 1);
	while (!__atomic_load_n(&echo_stop, __ATOMIC_RELAXED))
		ping(e);
	e->system->close(e);
	return NULL;
}

static void echo_start(struct engine *e, struct engine *other, pthread_t *thread)
{
	other->system = e->system;
	other->ring_flags = e->ring_flags;
	other->nr = 1;
	other->fds[0] = e->peers[0];
	must(!pthread_create(thread, NULL, echo_thread, other));
}

static void echo_end(struct engine *e, pthread_t thread)
{
	__atomic_store_n(&echo_stop, true, __ATOMIC_RELAXED);
	e->system->send(e, 0, 0);
	e->system->wait(e, 1);
	pthread_join(thread, NULL);
}

/*
 * A sample is long enough to be exact and, mostly, shorter than the time between
 * two timer interrupts.
 */
#define IO_SAMPLES 21
#define IO_OPS 96
#define IO_WARMUP 640

static unsigned long long io_run(const struct work *work, struct engine *e, int runs)
{
	unsigned long long sum = 0, start = now();

	if (!work->before && !work->after) {
		for (int i = 0; i < runs; i++)
			work->run(e);
		return now() - start;
	}
	for (int i = 0; i < runs; i++) {
		if (work->before)
			work->before(e);
		start = now();
		work->run(e);
		sum += now() - start - bench_clock;
		if (work->after)
			work->after(e);
	}
	return sum;
}

static void io_measure(const struct bench_row *row, struct bench_result *result)
{
	const struct io_arg *arg = row->arg;
	const struct work *work = arg->work;
	static struct engine engine, other;
	struct sched_param param = { .sched_priority = 1 };
	struct engine *e = &engine;
	pthread_t thread;
	int runs = IO_OPS / work->ops;

	if (work->fifo)
		must(!sched_setscheduler(0, SCHED_FIFO, &param));
	e->system = arg->system;
	e->ring_flags = work->ring_flags;
	e->threaded = work->threaded;
	e->nr = work->sockets;
	make_pairs(e);
	if (work->delack)
		delay_acks(e);
	e->system->open(e);
	if (work->echo)
		echo_start(e, &other, &thread);
	for (int s = -IO_WARMUP / IO_OPS; s < IO_SAMPLES; s++) {
		unsigned long long sum = io_run(work, e, runs);

		if (s >= 0)
			bench_sample(result, (double)sum / (runs * work->ops));
	}
	if (work->echo)
		echo_end(e, thread);
	e->system->close(e);
}

void bench_io_rows(void)
{
	static const struct system *const systems[] = {
		&system_wsock, &system_uring,
		&system_lib,
		&system_epoll, &system_blocking,
	};
	static struct io_arg args[64];
	int nr = 0;

	for (size_t w = 0; w < sizeof(works) / sizeof(works[0]); w++) {
		const struct work *work = &works[w];

		for (size_t s = 0; s < sizeof(systems) / sizeof(systems[0]); s++) {
			const struct system *system = systems[s];
			bool rings = system == &system_wsock || system == &system_uring;
			struct bench_row row = {
				.work = work->name,
				.n = work->ops,
				.system = system->name,
				.measure = io_measure,
				.arg = &args[nr],
			};

			if (work->rings_only && !rings)
				continue;
			/* 32 threads in recv on one socket: nobody does that. */
			if (system == &system_blocking && work->run == recv_many_pending)
				continue;
			args[nr].work = work;
			args[nr].system = system;
			nr++;
			bench_add(&row);
		}
	}
}
