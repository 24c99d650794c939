/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the supported kernels. Kbuild probes the kernel's
 * headers for each WSOCK_HAVE_*; no other file looks at a kernel version.
 */
#ifndef _WSOCK_COMPAT_H
#define _WSOCK_COMPAT_H

#include <linux/io_uring/cmd.h>
#include <linux/sched/signal.h>
#include <linux/task_work.h>
#include <linux/wsock.h>

/* Task-work callbacks of a command: wsock_uring_task_work(name) { cmd, issue_flags } */
#ifdef WSOCK_HAVE_URING_TW_REQ
#define WSOCK_URING_TASK_WORK(name)						\
static void name(struct io_uring_cmd *cmd, unsigned int issue_flags);		\
static void name##_tw(struct io_tw_req tw_req, io_tw_token_t tw)		\
{										\
	name(io_uring_cmd_from_tw(tw_req), IO_URING_CMD_TASK_WORK_ISSUE_FLAGS);	\
}										\
static void name(struct io_uring_cmd *cmd, unsigned int issue_flags)
#else
#define WSOCK_URING_TASK_WORK(name)						\
static void name##_tw(struct io_uring_cmd *cmd, unsigned int issue_flags)
#endif

static inline void wsock_uring_done(struct io_uring_cmd *cmd, s32 ret,
				    unsigned int issue_flags)
{
#ifdef WSOCK_HAVE_URING_DONE32
	io_uring_cmd_done(cmd, ret, issue_flags);
#else
	io_uring_cmd_done(cmd, ret, 0, issue_flags);
#endif
}

static inline const struct wsock_cmd *wsock_uring_sqe_cmd(const struct io_uring_cmd *cmd)
{
#ifdef WSOCK_HAVE_URING_TYPED_SQE_CMD
	return io_uring_sqe_cmd(cmd->sqe, struct wsock_cmd);
#else
	return io_uring_sqe_cmd(cmd->sqe);
#endif
}

/*
 * Task work of a thread is exported by Debian's kernels only; without it a
 * pending operation that came by ioctl is executed by a worker.
 */
static inline bool wsock_task_work_add(struct task_struct *task,
				       struct callback_head *work)
{
#ifdef WSOCK_HAVE_TASK_WORK_ADD
	return !task_work_add(task, work, TWA_SIGNAL);
#else
	return false;
#endif
}

#endif /* _WSOCK_COMPAT_H */
