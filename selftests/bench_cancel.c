// SPDX-License-Identifier: GPL-2.0
/*
 * One operation is cancelled, of n receives that pend on one socket: does it
 * matter how many there are?
 *
 *   wsock     the CANCEL ioctl, with the address of the status block
 *   libwsock  CancelIoEx with the OVERLAPPED
 *   io_uring  IORING_OP_ASYNC_CANCEL with the user_data; both completions reaped
 *
 * Another one is begun in its place between the samples.
 */
#include "bench.h"

#include <liburing.h>

#define MAX_PENDING 10000
#define CANCEL_SAMPLES 41

enum canceller { BY_IOCTL, BY_LIBRARY, BY_RING };

static int fd, dev;
static struct io_uring ring;
static OVERLAPPED ov[MAX_PENDING];
static char buffer[16];

static void start_by_ioctl(int i)
{
	struct wsock_submit args = {
		.op = WSOCK_OP_RECV, .fd = fd,
		.addr = (unsigned long)buffer, .len = sizeof(buffer),
		.cmd = { .ov = (unsigned long)&ov[i], .flags = WSOCK_CMD_STATUS },
	};

	must(ioctl(dev, WSOCK_IOC_SUBMIT, &args) == -1 && errno == EINPROGRESS);
}

static void start_by_library(int i)
{
	WSABUF buf = { .len = sizeof(buffer), .buf = buffer };
	DWORD flags = 0;

	must(WSARecv(fd, &buf, 1, NULL, &flags, &ov[i], NULL) == -1);
	must(WSAGetLastError() == WSA_IO_PENDING);
}

static void start_by_ring(int i)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	io_uring_prep_recv(sqe, 0, buffer, sizeof(buffer), 0);
	sqe->flags = IOSQE_FIXED_FILE;
	sqe->user_data = i + 1;
	must(io_uring_submit(&ring) == 1);
}

static void cancel_by_ioctl(int i)
{
	struct wsock_cancel args = { .fd = fd, .ov = (unsigned long)&ov[i] };

	must(ioctl(dev, WSOCK_IOC_CANCEL, &args) == 1);
}

static void cancel_by_library(int i)
{
	must(CancelIoEx((HANDLE)(unsigned long)fd, &ov[i]));
}

static void cancel_by_ring(int i)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
	struct io_uring_cqe *cqe;

	io_uring_prep_cancel64(sqe, i + 1, 0);
	sqe->user_data = 0;
	must(io_uring_submit_and_wait(&ring, 2) == 1);
	for (int n = 0; n < 2; n++) {
		must(!io_uring_wait_cqe(&ring, &cqe));
		must(cqe->res == (cqe->user_data ? -ECANCELED : 0));
		io_uring_cqe_seen(&ring, cqe);
	}
}

static const struct {
	const char *name;
	void (*start)(int i);
	void (*cancel)(int i);
} cancellers[] = {
	[BY_IOCTL]	= { "wsock", start_by_ioctl, cancel_by_ioctl },
	[BY_LIBRARY]	= { "libwsock", start_by_library, cancel_by_library },
	[BY_RING]	= { "io_uring", start_by_ring, cancel_by_ring },
};

static void open_socket(enum canceller by)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	WSADATA data;

	if (by == BY_LIBRARY) {
		must(!WSAStartup(0x0202, &data));
		fd = wsock_socket(AF_INET, SOCK_DGRAM, 0);
	} else {
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	}
	must(fd >= 0 && !bind(fd, (struct sockaddr *)&sin, sizeof(sin)));
	if (by == BY_IOCTL) {
		dev = bench_device();
		bench_adopt(dev, fd);
	}
	if (by == BY_RING) {
		struct io_uring_params params = {
			.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
		};

		must(!io_uring_queue_init_params(64, &ring, &params));
		must(io_uring_register_ring_fd(&ring) == 1);
		must(!io_uring_register_files(&ring, &fd, 1));
	}
}

static void cancel_measure(const struct bench_row *row, struct bench_result *result)
{
	enum canceller by = *(const enum canceller *)row->arg;
	unsigned long long start;
	/* Neither the first nor the last. */
	int i = row->n / 2;

	open_socket(by);
	for (int n = 0; n < row->n; n++)
		cancellers[by].start(n);
	for (int s = -CANCEL_SAMPLES; s < CANCEL_SAMPLES; s++) {
		start = now();
		cancellers[by].cancel(i);
		if (s >= 0)
			bench_sample(result, (double)(now() - start - bench_clock));
		cancellers[by].start(i);
		i = (i + 1) % row->n;
	}
}

void bench_cancel_rows(void)
{
	static const enum canceller all[] = { BY_IOCTL, BY_LIBRARY, BY_RING };
	static const int pending[] = { 10, 1000, MAX_PENDING };

	for (size_t n = 0; n < sizeof(pending) / sizeof(pending[0]); n++) {
		for (size_t by = 0; by < sizeof(all) / sizeof(all[0]); by++) {
			struct bench_row row = {
				.work = "cancel",
				.n = pending[n],
				.system = cancellers[all[by]].name,
				.measure = cancel_measure,
				.arg = &all[by],
			};

			bench_add(&row);
		}
	}
}
