/* SPDX-License-Identifier: GPL-2.0 */
/* Operations through io_uring, for the tests and the benchmark. */
#ifndef WSOCK_SELFTESTS_URING_H
#define WSOCK_SELFTESTS_URING_H

#include <liburing.h>

#include "device.h"

struct ring_kind {
	const char *name;
	unsigned int flags;
};

#define RING_DEFAULT	{ "default", 0 }
#define RING_DEFER	{ "defer_taskrun", IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN }
#define RING_COOP	{ "coop_taskrun", IORING_SETUP_COOP_TASKRUN }
#define RING_SQPOLL	{ "sqpoll", IORING_SETUP_SQPOLL }

/* The rings of the tests never run full. */
static inline struct io_uring_sqe *ring_sqe(struct io_uring *ring)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	if (!sqe)
		abort();
	return sqe;
}

/* event < 0: none; ov NULL: no status. */
static inline void prep_wsock(struct io_uring_sqe *sqe, int dev, int op, int fd,
			      const void *addr, size_t len, struct ov *ov, int event,
			      int msg_flags)
{
	struct wsock_cmd cmd = {
		.ov = ov ? (unsigned long)&ov->st : 0,
		.event_fd = event < 0 ? 0 : event,
		.flags = (ov ? WSOCK_CMD_STATUS : 0) | (event < 0 ? 0 : WSOCK_CMD_EVENT),
		.msg_flags = msg_flags,
	};

	if (ov)
		ov_init(ov);
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = dev;
	sqe->cmd_op = op;
	sqe->addr = (unsigned long)addr;
	sqe->len = len;
	sqe->splice_fd_in = fd;
	memcpy(sqe->cmd, &cmd, sizeof(cmd));
}

static inline int ring_init(struct io_uring *ring, const struct ring_kind *kind,
			    unsigned int entries)
{
	struct io_uring_params p = { .flags = kind->flags, .sq_thread_idle = 50 };

	return io_uring_queue_init_params(entries, ring, &p);
}

/* Wait for one completion; returns its res, its user_data in *data. */
static inline int ring_wait(struct io_uring *ring, unsigned long *data)
{
	struct __kernel_timespec ts = { .tv_sec = TIMEOUT_MS / 1000 };
	struct io_uring_cqe *cqe;
	int ret;

	ret = io_uring_submit_and_wait_timeout(ring, &cqe, 1, &ts, NULL);
	if (ret < 0 && ret != -EINTR)
		return -ETIME;
	if (io_uring_peek_cqe(ring, &cqe))
		return -ETIME;
	ret = cqe->res;
	if (data)
		*data = cqe->user_data;
	io_uring_cqe_seen(ring, cqe);
	return ret;
}

/* Number of completions that are there now. */
static inline unsigned int ring_ready(struct io_uring *ring)
{
	io_uring_get_events(ring);
	return io_uring_cq_ready(ring);
}

#endif /* WSOCK_SELFTESTS_URING_H */
