// SPDX-License-Identifier: GPL-2.0
/*
 * An echo server of 64 bytes messages on TCP over loopback, with one, two and
 * four worker threads. The client is a thread that sends a message on every
 * connection and then receives all echoes; its instructions are included.
 *
 *   wsock     a completion port, its packets taken one by one; the module's
 *             ioctls. The operations are those of a Winsock program: a receive is
 *             always posted, an echo is one send
 *   libwsock  the same with GetQueuedCompletionStatus, WSARecv and WSASend
 *   io_uring  a ring (SINGLE_ISSUER and DEFER_TASKRUN) for each worker, which has
 *             its share of the connections as fixed files; every operation is
 *             submitted when it is issued
 *   epoll     an epoll for each worker, likewise; level-triggered
 *
 * iocp_echo_<w>w_skip sets FILE_SKIP_COMPLETION_PORT_ON_SUCCESS, and handles at
 * once what succeeds at once; iocp_echo_<w>w_ex takes up to 32 packets at a time.
 * The port lets as many workers run as there are processors, its default.
 */
#include "bench.h"

#include <liburing.h>
#include <sys/epoll.h>

#define MAX_CONNS 1000
#define MAX_WORKERS 4
#define MAX_PACKETS 32
#define KEY_SEND 1

struct conn {
	OVERLAPPED recv;
	OVERLAPPED send;
	int fd;
	int peer;
	int index;		/* among its worker's */
	char buf[MSG_SIZE];
};

static struct conn conns[MAX_CONNS];
static int nr_conns, nr_workers;
static bool skip, many;

struct echo {
	const char *system;
	int workers;
	bool skip;
	bool many;
};

/* ------------------------------------------------------------------------- */
/* wsock: the module's ioctls */

static int device, port;

static int raw_submit(struct conn *c, int op, OVERLAPPED *ov)
{
	struct wsock_submit args = {
		.op = op,
		.fd = c->fd,
		.addr = (unsigned long)c->buf,
		.len = MSG_SIZE,
		.cmd = { .ov = (unsigned long)ov, .flags = WSOCK_CMD_STATUS },
	};

	ov->Internal = 0x103;
	return ioctl(device, WSOCK_IOC_SUBMIT, &args);
}

/* Does the receive, and the echoes after it, as long as they succeed at once. */
static void raw_go(struct conn *c)
{
	int ret;

	for (;;) {
		ret = raw_submit(c, WSOCK_OP_RECV, &c->recv);
		must(ret > 0 || errno == EINPROGRESS);
		if (ret < 0 || !skip)
			return;
		must(raw_submit(c, WSOCK_OP_SEND, &c->send) == MSG_SIZE);
	}
}

static void *raw_worker(void *unused)
{
	struct wsock_packet packets[MAX_PACKETS];
	struct wsock_port_get get = {
		.packets = (unsigned long)packets,
		.count = many ? MAX_PACKETS : 1,
		.timeout_ns = -1,
	};

	(void)unused;
	for (;;) {
		int n = ioctl(port, WSOCK_PORT_IOC_GET, &get);

		must(n > 0);
		for (int i = 0; i < n; i++) {
			struct conn *c = (void *)(unsigned long)packets[i].key;

			if (packets[i].ov != (unsigned long)&c->recv)
				continue;
			must(packets[i].bytes == MSG_SIZE);
			must(raw_submit(c, WSOCK_OP_SEND, &c->send) == MSG_SIZE);
			raw_go(c);
		}
	}
	return NULL;
}

static void raw_open(void)
{
	struct wsock_port_args args = { .concurrency = 0 };

	device = bench_device();
	port = ioctl(device, WSOCK_IOC_PORT, &args);
	must(port >= 0);
	for (int i = 0; i < nr_conns; i++) {
		struct wsock_associate associate = {
			.fd = conns[i].fd,
			.port_fd = port,
			.key = (unsigned long)&conns[i],
		};
		struct wsock_modes modes = {
			.fd = conns[i].fd,
			.modes = skip ? WSOCK_MODE_SKIP_ON_SUCCESS : 0,
		};

		bench_adopt(device, conns[i].fd);
		must(!ioctl(device, WSOCK_IOC_ASSOCIATE, &associate));
		must(!ioctl(device, WSOCK_IOC_MODES, &modes));
		raw_go(&conns[i]);
	}
}

/* ------------------------------------------------------------------------- */
/* libwsock */

static HANDLE lib_port;

static bool lib_recv(struct conn *c)
{
	WSABUF buf = { MSG_SIZE, c->buf };
	DWORD n, flags = 0;
	int ret = WSARecv(c->fd, &buf, 1, &n, &flags, &c->recv, NULL);

	must(!ret || WSAGetLastError() == WSA_IO_PENDING);
	return !ret;
}

static void lib_send(struct conn *c)
{
	WSABUF buf = { MSG_SIZE, c->buf };
	DWORD n;

	must(!WSASend(c->fd, &buf, 1, &n, 0, &c->send, NULL) && n == MSG_SIZE);
}

static void lib_go(struct conn *c)
{
	while (lib_recv(c) && skip)
		lib_send(c);
}

static void lib_packet(struct conn *c, OVERLAPPED *ov, DWORD bytes)
{
	if (ov != &c->recv)
		return;
	must(bytes == MSG_SIZE);
	lib_send(c);
	lib_go(c);
}

static void *lib_worker(void *unused)
{
	OVERLAPPED_ENTRY entries[MAX_PACKETS];
	OVERLAPPED *ov;
	ULONG_PTR key;
	DWORD bytes;
	ULONG n;

	(void)unused;
	while (!many) {
		must(GetQueuedCompletionStatus(lib_port, &bytes, &key, &ov, INFINITE));
		lib_packet((void *)key, ov, bytes);
	}
	for (;;) {
		must(GetQueuedCompletionStatusEx(lib_port, entries, MAX_PACKETS, &n, INFINITE,
						 FALSE));
		for (ULONG i = 0; i < n; i++)
			lib_packet((void *)entries[i].lpCompletionKey, entries[i].lpOverlapped,
				   entries[i].dwNumberOfBytesTransferred);
	}
	return NULL;
}

static void lib_open(void)
{
	lib_port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
	must(lib_port);
	for (int i = 0; i < nr_conns; i++) {
		HANDLE socket = (HANDLE)(unsigned long)conns[i].fd;

		must(CreateIoCompletionPort(socket, lib_port, (ULONG_PTR)&conns[i], 0));
		if (skip)
			must(SetFileCompletionNotificationModes(
				socket, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS));
		lib_go(&conns[i]);
	}
}

/* ------------------------------------------------------------------------- */
/* io_uring: connections i, i + nr_workers, ... are worker i's */

static void uring_recv(struct io_uring *ring, struct conn *c)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	io_uring_prep_recv(sqe, c->index, c->buf, MSG_SIZE, 0);
	sqe->flags |= IOSQE_FIXED_FILE;
	io_uring_sqe_set_data(sqe, c);
	must(io_uring_submit(ring) == 1);
}

static void uring_send(struct io_uring *ring, struct conn *c)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	io_uring_prep_send(sqe, c->index, c->buf, MSG_SIZE, 0);
	sqe->flags |= IOSQE_FIXED_FILE;
	io_uring_sqe_set_data64(sqe, KEY_SEND);
	must(io_uring_submit(ring) == 1);
}

static void *uring_worker(void *arg)
{
	int first = (long)arg, fds[MAX_CONNS], n = 0;
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
	};
	struct io_uring_cqe *cqe;
	struct io_uring ring;

	must(!io_uring_queue_init_params(2 * MAX_CONNS, &ring, &params));
	must(io_uring_register_ring_fd(&ring) == 1);
	for (int i = first; i < nr_conns; i += nr_workers) {
		conns[i].index = n;
		fds[n++] = conns[i].fd;
	}
	must(!n || !io_uring_register_files(&ring, fds, n));
	for (int i = first; i < nr_conns; i += nr_workers)
		uring_recv(&ring, &conns[i]);
	for (;;) {
		must(!io_uring_wait_cqe(&ring, &cqe));
		must(cqe->res == MSG_SIZE);
		if (cqe->user_data != KEY_SEND) {
			struct conn *c = io_uring_cqe_get_data(cqe);

			uring_send(&ring, c);
			uring_recv(&ring, c);
		}
		io_uring_cqe_seen(&ring, cqe);
	}
	return NULL;
}

/* ------------------------------------------------------------------------- */
/* epoll */

static void *epoll_worker(void *arg)
{
	int first = (long)arg, epfd = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event events[MAX_PACKETS];

	must(epfd >= 0);
	for (int i = first; i < nr_conns; i += nr_workers) {
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = &conns[i] };

		must(!epoll_ctl(epfd, EPOLL_CTL_ADD, conns[i].fd, &event));
	}
	for (;;) {
		int n = epoll_wait(epfd, events, MAX_PACKETS, -1);

		must(n > 0);
		for (int i = 0; i < n; i++) {
			struct conn *c = events[i].data.ptr;

			must(recv(c->fd, c->buf, MSG_SIZE, MSG_DONTWAIT) == MSG_SIZE);
			must(send(c->fd, c->buf, MSG_SIZE, 0) == MSG_SIZE);
		}
	}
	return NULL;
}

/* ------------------------------------------------------------------------- */

static void nothing(void)
{
}

static const struct {
	const char *name;
	void (*open)(void);
	void *(*worker)(void *arg);
} engines[] = {
	{ "wsock", raw_open, raw_worker },
	{ "io_uring", nothing, uring_worker },
	{ "libwsock", lib_open, lib_worker },
	{ "epoll", nothing, epoll_worker },
};

static void make_conns(bool lib)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int listener, number, one = 1;
	WSADATA data;

	if (lib)
		must(!WSAStartup(0x0202, &data));
	listener = bench_listener(&number);
	sin.sin_port = htons(number);
	for (int i = 0; i < nr_conns; i++) {
		struct conn *c = &conns[i];

		c->peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		must(!connect(c->peer, (struct sockaddr *)&sin, sizeof(sin)));
		c->fd = lib ? (int)wsock_accept(listener, NULL, NULL) :
			      accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		must(c->fd >= 0);
		must(!setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
		must(!setsockopt(c->peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
	}
}

static void round_trips(void)
{
	char msg[MSG_SIZE] = "echo", back[MSG_SIZE];

	for (int i = 0; i < nr_conns; i++)
		must(send(conns[i].peer, msg, MSG_SIZE, 0) == MSG_SIZE);
	for (int i = 0; i < nr_conns; i++)
		must(recv(conns[i].peer, back, MSG_SIZE, MSG_WAITALL) == MSG_SIZE);
}

#define ECHO_SAMPLES 5
#define ECHO_WARMUP 2

static void echo_measure(const struct bench_row *row, struct bench_result *result)
{
	const struct echo *echo = row->arg;
	int rounds = row->n >= 256 ? 1 : 256 / row->n;
	unsigned long long start;
	size_t e = 0;

	while (strcmp(engines[e].name, echo->system))
		e++;
	nr_conns = row->n;
	nr_workers = echo->workers;
	skip = echo->skip;
	many = echo->many;
	make_conns(!strcmp(echo->system, "libwsock"));
	engines[e].open();
	for (long i = 0; i < nr_workers; i++) {
		pthread_t thread;

		must(!pthread_create(&thread, NULL, engines[e].worker, (void *)i));
	}
	for (int s = -ECHO_WARMUP; s < ECHO_SAMPLES; s++) {
		start = now();
		for (int i = 0; i < rounds; i++)
			round_trips();
		if (s >= 0)
			bench_sample(result, (double)(now() - start) / (rounds * nr_conns));
	}
}

void bench_iocp_rows(void)
{
	static const int conns_of[] = { 1, 64, MAX_CONNS }, workers[] = { 1, 2, MAX_WORKERS };
	static const char *const suffixes[] = { "", "_skip", "_ex" };
	static struct echo echoes[3 * 3 * 3 * 4];
	static char names[3 * 3][32];
	int nr = 0;

	for (int w = 0; w < 3; w++) {
		for (int v = 0; v < 3; v++) {
			char *name = names[3 * w + v];

			sprintf(name, "iocp_echo_%dw%s", workers[w], suffixes[v]);
			for (int c = 0; c < 3; c++) {
				for (int e = 0; e < 4; e++) {
					struct echo *echo = &echoes[nr++];
					struct bench_row row = {
						.work = name,
						.n = conns_of[c],
						.system = engines[e].name,
						.measure = echo_measure,
						.arg = echo,
					};

					echo->system = engines[e].name;
					echo->workers = workers[w];
					echo->skip = v == 1;
					echo->many = v == 2;
					bench_add(&row);
				}
			}
		}
	}
}
