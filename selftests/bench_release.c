// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a process's Winsock: many sockets, many pending operations.
 *
 *   wsock     the CLEANUP ioctl: ends the operations, resets and closes every
 *             socket; then the operations' completions are reaped
 *   libwsock  WSACleanup
 *   io_uring  IORING_OP_ASYNC_CANCEL of every operation, completions reaped, then
 *             close(2) of every socket
 *   close     close(2) of every socket, with nothing pending
 *
 * The figure is for one socket or one operation. Of a connection only one end
 * is measured; the other one lives on and is not counted. Memory that the kernel
 * frees in its own time afterwards is in the rows named *_settled.
 */
#include "bench.h"

#include <liburing.h>

#define OPS_PER_SOCKET 100
#define RING_OPS 25000
#define RING_CQES 32768
#define MAX_RINGS 4
#define MAX_OPS 100000
#define MAX_SOCKETS 100000

enum kind { TCP_CONNECTED, TCP_UNCONNECTED, UDP };

enum through { WSOCK, LIBWSOCK, IO_URING, CLOSE };

/**
 * struct release - what is released
 * @kind: of socket
 * @through: what
 * @nr: of sockets
 * @nr_ops: pending receives, spread over the sockets
 * @samples: how often
 * @settled: with what the kernel does afterwards
 */
struct release {
	enum kind kind;
	enum through through;
	int nr;
	int nr_ops;
	int samples;
	bool settled;
};

static int fds[MAX_SOCKETS];
static int peers[MAX_SOCKETS];
static char buffer[16];
static OVERLAPPED ov[MAX_OPS];
static struct io_uring rings[MAX_RINGS];
static int nr_rings;
static int dev;

/* ------------------------------------------------------------------------- */
/* Sockets */

static int make_socket(const struct release *r, int type)
{
	int fd;

	if (r->through == LIBWSOCK)
		fd = wsock_socket(AF_INET, type, 0);
	else
		fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	must(fd >= 0);
	return fd;
}

static int make_accepted(const struct release *r, int listener)
{
	int fd;

	if (r->through == LIBWSOCK)
		fd = wsock_accept(listener, NULL, NULL);
	else
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	must(fd >= 0);
	return fd;
}

/* A peer's plain close resets: that leaves nothing behind. */
static int make_peer(int port, int i)
{
	struct linger linger = { .l_onoff = 1 };
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		/* There are not enough ports for all on one address. */
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + i % 32),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	must(fd >= 0);
	must(!setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	must(!connect(fd, (struct sockaddr *)&sin, sizeof(sin)));
	return fd;
}

static void make_sockets(const struct release *r)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int listener = -1, port = 0;

	if (r->kind == TCP_CONNECTED) {
		/* An owned listener would be one socket more than we count. */
		listener = bench_listener(&port);
	}
	for (int i = 0; i < r->nr; i++) {
		switch (r->kind) {
		case TCP_CONNECTED:
			peers[i] = make_peer(port, i);
			fds[i] = make_accepted(r, listener);
			break;
		case TCP_UNCONNECTED:
			fds[i] = make_socket(r, SOCK_STREAM);
			break;
		case UDP:
			fds[i] = make_socket(r, SOCK_DGRAM);
			sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK + i / 10000);
			must(!bind(fds[i], (struct sockaddr *)&sin, sizeof(sin)));
			break;
		}
		if (r->through == WSOCK)
			bench_adopt(dev, fds[i]);
	}
	if (listener >= 0)
		close(listener);
}

static void close_peers(const struct release *r)
{
	if (r->kind != TCP_CONNECTED)
		return;
	for (int i = 0; i < r->nr; i++)
		close(peers[i]);
}

/* ------------------------------------------------------------------------- */
/* Pending receives */

static void post_native(const struct release *r, struct io_uring_sqe *sqe, int i)
{
	struct wsock_cmd *cmd = (struct wsock_cmd *)sqe->cmd;
	int fd = fds[i % r->nr];

	if (r->through == IO_URING) {
		io_uring_prep_recv(sqe, fd, buffer, sizeof(buffer), 0);
		io_uring_sqe_set_data64(sqe, i);
		return;
	}
	io_uring_prep_rw(IORING_OP_URING_CMD, sqe, dev, buffer, sizeof(buffer), 0);
	sqe->cmd_op = WSOCK_OP_RECV;
	sqe->splice_fd_in = fd;
	cmd->ov = (unsigned long)&ov[i];
	cmd->event_fd = 0;
	cmd->flags = 0;
	cmd->msg_flags = 0;
}

static void post_lib(const struct release *r, int i)
{
	WSABUF buf = { .len = sizeof(buffer), .buf = buffer };
	DWORD bytes, flags = 0;

	must(WSARecv(fds[i % r->nr], &buf, 1, &bytes, &flags, &ov[i], NULL) == SOCKET_ERROR);
	must(WSAGetLastError() == WSA_IO_PENDING);
}

static void submit_when_full(const struct release *r, struct io_uring *ring, int i)
{
	if (!io_uring_sq_space_left(ring) || (i + 1) % RING_OPS == 0 || i + 1 == r->nr_ops)
		must(io_uring_submit(ring) > 0);
}

static void make_operations(const struct release *r)
{
	nr_rings = 0;
	for (int i = 0; i < r->nr_ops; i++) {
		struct io_uring *ring = &rings[i / RING_OPS];

		if (r->through == LIBWSOCK) {
			post_lib(r, i);
			continue;
		}
		if (r->through == CLOSE)
			return;
		if (i % RING_OPS == 0) {
			struct io_uring_params params = {
				.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
					 IORING_SETUP_CQSIZE,
				.cq_entries = RING_CQES,
			};

			must(!io_uring_queue_init_params(256, ring, &params));
			nr_rings++;
		}
		post_native(r, io_uring_get_sqe(ring), i);
		submit_when_full(r, ring, i);
	}
}

static void reap(const struct release *r)
{
	int ended = 0;

	for (int k = 0; k < nr_rings; k++) {
		int n = r->nr_ops - k * RING_OPS < RING_OPS ? r->nr_ops - k * RING_OPS : RING_OPS;
		struct io_uring_cqe *cqe;
		unsigned int head, seen;

		while (n > 0) {
			must(!io_uring_wait_cqe_nr(&rings[k], &cqe, n));
			seen = 0;
			io_uring_for_each_cqe(&rings[k], head, cqe) {
				seen++;
				ended += cqe->res == -ECANCELED;
			}
			io_uring_cq_advance(&rings[k], seen);
			n -= seen;
		}
	}
	must(!nr_rings || ended == r->nr_ops);
}

/*
 * One by one: to ask for all at once costs 20 to 200 times as much, because
 * io_uring then searches its table from the start for every operation.
 */
static void cancel_native(const struct release *r)
{
	for (int i = 0; i < r->nr_ops; i++) {
		struct io_uring *ring = &rings[i / RING_OPS];
		struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

		io_uring_prep_cancel64(sqe, i, 0);
		sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
		submit_when_full(r, ring, i);
	}
}

static void free_rings(void)
{
	for (int k = 0; k < nr_rings; k++)
		io_uring_queue_exit(&rings[k]);
}

/* ------------------------------------------------------------------------- */

static void start_up(const struct release *r)
{
	WSADATA data;

	if (r->through == WSOCK) {
		dev = bench_device();
	} else if (r->through == LIBWSOCK) {
		must(!WSAStartup(0x0202, &data));
	}
}

static void release(const struct release *r)
{
	switch (r->through) {
	case WSOCK:
		must(ioctl(dev, WSOCK_IOC_CLEANUP, 0) == 1);
		reap(r);
		break;
	case LIBWSOCK:
		must(!WSACleanup());
		break;
	case IO_URING:
		cancel_native(r);
		reap(r);
		/* fallthrough */
	case CLOSE:
		for (int i = 0; i < r->nr; i++)
			close(fds[i]);
		break;
	}
}

/*
 * What the kernel still does in the background, measured by how much longer
 * than it should a known number of instructions takes, until it takes no longer
 * than before. The timer's interrupts are taken off.
 */
static unsigned long long background(void)
{
	const unsigned long turns = 10000000;	/* 20 ms */
	static unsigned long long quiet;
	unsigned long long sum = 0, took, start;

	for (int i = 0; i < 100; i++) {
		start = now();
		bench_spin(turns);
		took = now() - start - 2 * turns;
		if (!quiet)
			quiet = took;
		if (took <= quiet + quiet / 8 && i >= 3)
			break;
		sum += took > quiet ? took - quiet : 0;
	}
	return sum;
}

static void release_measure(const struct bench_row *row, struct bench_result *result)
{
	const struct release *r = row->arg;
	unsigned long long start, took;

	for (int s = 0; s < r->samples; s++) {
		start_up(r);
		make_sockets(r);
		make_operations(r);
		/* Acknowledgements that are delayed, and what RCU has to free. */
		usleep(500000);
		if (r->settled)
			background();
		start = now();
		release(r);
		took = now() - start;
		if (r->settled)
			took += background();
		bench_sample(result, (double)took / row->n);
		must(fcntl(fds[0], F_GETFD) < 0 && fcntl(fds[r->nr - 1], F_GETFD) < 0);
		close_peers(r);
		if (r->through == WSOCK)
			close(dev);
		free_rings();
		usleep(500000);
	}
}

static void add(const char *work, int n, const char *system, const struct release *release)
{
	static struct release args[128];
	static int nr;
	struct bench_row row = {
		.work = work,
		.n = n,
		.system = system,
		.once = n >= 100000 || release->settled,
		.measure = release_measure,
		.arg = &args[nr],
	};

	args[nr++] = *release;
	bench_add(&row);
}

static const struct {
	const char *work;
	const char *settled;
	enum kind kind;
} kinds[] = {
	{ "release_tcp_connected", "release_tcp_connected_settled", TCP_CONNECTED },
	{ "release_tcp_unconnected", "release_tcp_unconnected_settled", TCP_UNCONNECTED },
	{ "release_udp", "release_udp_settled", UDP },
};

static const struct {
	const char *name;
	enum through through;
} systems[] = {
	{ "wsock", WSOCK }, { "libwsock", LIBWSOCK }, { "io_uring", IO_URING }, { "close", CLOSE },
};

static const struct {
	int n;
	int samples;
} socket_sizes[] = {
	{ 10, 21 }, { 1000, 5 }, { 10000, 1 }, { 100000, 1 },
}, operation_sizes[] = {
	{ 1000, 11 }, { 10000, 11 }, { 100000, 1 },
};

#define for_each(i, array) for (size_t i = 0; i < sizeof(array) / sizeof((array)[0]); i++)

static void add_sockets(size_t k, size_t i)
{
	for_each(s, systems) {
		struct release r = {
			.kind = kinds[k].kind,
			.through = systems[s].through,
			.nr = socket_sizes[i].n,
			.samples = socket_sizes[i].samples,
		};

		if (r.through == IO_URING)
			continue;
		/* To make so many takes long; the path is wsock's. */
		if (r.nr == 100000 && r.through == LIBWSOCK)
			continue;
		add(kinds[k].work, r.nr, systems[s].name, &r);
	}
}

static void add_settled(size_t k)
{
	for_each(s, systems) {
		struct release r = {
			.kind = kinds[k].kind,
			.through = systems[s].through,
			.nr = 10000,
			.samples = 1,
			.settled = true,
		};

		if (r.through == WSOCK || r.through == CLOSE)
			add(kinds[k].settled, r.nr, systems[s].name, &r);
	}
}

static void add_operations(size_t i)
{
	for_each(s, systems) {
		struct release r = {
			.kind = TCP_CONNECTED,
			.through = systems[s].through,
			.nr = operation_sizes[i].n / OPS_PER_SOCKET,
			.nr_ops = operation_sizes[i].n,
			.samples = operation_sizes[i].samples,
		};

		add("release_operations", r.nr_ops, systems[s].name, &r);
	}
}

void bench_release_rows(void)
{
	for_each(k, kinds) {
		for_each(i, socket_sizes)
			add_sockets(k, i);
		add_settled(k);
	}
	for_each(i, operation_sizes)
		add_operations(i);
}
