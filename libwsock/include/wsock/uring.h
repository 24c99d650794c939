/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Winsock's overlapped operations on a ring of your own.
 *
 * A program with an io_uring submits receives and sends on its sockets through
 * the ring and reaps them there, and still has Winsock's promises: operations of
 * one direction in order, each with exactly one completion, and all of them
 * cancelled, the connections reset and the memory free, when WSACleanup returns.
 *
 *	int dev = wsock_device_fd();
 *	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
 *	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
 *
 *	wsock_adopt(fd);
 *	wsock_prep_recv(sqe, dev, fd, buf, sizeof(buf), 0);
 *	io_uring_sqe_set_data(sqe, connection);
 *	io_uring_submit(&ring);
 *
 * The completion's res is the number of bytes or a negative errno: -ECANCELED
 * after CancelIoEx and the final WSACleanup, -ECONNABORTED after closesocket of a
 * connection, -EMSGSIZE for a datagram that was cut. -EBADFD, at once, is
 * "WSAStartup was not called"; -ENOTSOCK, a descriptor that is not owned.
 * docs/wsock.rst has all of them.
 *
 * Everything here but the two functions of native.h is inline and makes no call;
 * liburing is not needed. Include <liburing.h> first if you use it. Define
 * WSOCK_NATIVE_NAMES unless socket() and so on shall be Winsock's.
 *
 *  - Any kind of ring will do, except IORING_SETUP_IOPOLL. The device may be a
 *    registered file (IOSQE_FIXED_FILE); the socket is always a descriptor.
 *  - IORING_OP_ASYNC_CANCEL and linked timeouts do not reach these operations.
 *    CancelIoEx((HANDLE)fd, name) does; the name is the status block's address
 *    or what wsock_sqe_set_name() was given.
 *  - The end of the ring cancels what came through it.
 *  - Operations of the ring and of WSARecv and WSASend share one order. Those of
 *    the ring leave no packet at a completion port.
 *  - A child of fork() needs a ring, a registration and a device descriptor of
 *    its own.
 */
#ifndef _WSOCK_URING_H
#define _WSOCK_URING_H

#include <wsock/native.h>

#include <stdint.h>
#include <string.h>

/* Which of the two there is; a program that has one has not the other's. */
#if !defined(LINUX_IO_URING_H) && __has_include(<liburing/io_uring.h>)
#include <liburing/io_uring.h>
#else
#include <linux/io_uring.h>
#endif
#include <linux/wsock.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline void wsock_prep(struct io_uring_sqe *sqe, enum wsock_op_code op,
			      int dev, int fd, const void *addr,
			      unsigned int len, int msg_flags)
{
	const __u64 user_data = sqe->user_data;
	struct wsock_cmd cmd;

	memset(&cmd, 0, sizeof(cmd));
	cmd.msg_flags = (__u16)msg_flags;
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = dev;
	sqe->cmd_op = op;
	sqe->addr = (__u64)(uintptr_t)addr;
	sqe->len = len;
	sqe->file_index = (__u32)fd;
	sqe->user_data = user_data;
	memcpy(sqe->cmd, &cmd, sizeof(cmd));
}

/*
 * Receive into @buf, of @len bytes. @msg_flags: MSG_OOB, MSG_PEEK, MSG_WAITALL.
 * As with liburing, a prep function sets the whole entry but its user_data.
 */
static inline void wsock_prep_recv(struct io_uring_sqe *sqe, int dev, int fd,
				   void *buf, unsigned int len, int msg_flags)
{
	wsock_prep(sqe, WSOCK_OP_RECV, dev, fd, buf, len, msg_flags);
}

/*
 * Send all of @buf. @msg_flags: MSG_OOB, MSG_DONTROUTE, MSG_EOR, MSG_MORE.
 */
static inline void wsock_prep_send(struct io_uring_sqe *sqe, int dev, int fd,
				   const void *buf, unsigned int len,
				   int msg_flags)
{
	wsock_prep(sqe, WSOCK_OP_SEND, dev, fd, buf, len, msg_flags);
}

/*
 * The same with an array of buffers, an address and control data. @msg and its
 * iovec array must last until io_uring_submit() has returned (with SQPOLL, until
 * the kernel has consumed the entry); what they point to, until the completion.
 */
static inline void wsock_prep_recvmsg(struct io_uring_sqe *sqe, int dev, int fd,
				      const struct wsock_msg *msg,
				      int msg_flags)
{
	wsock_prep(sqe, WSOCK_OP_RECVMSG, dev, fd, msg, sizeof(*msg),
		   msg_flags);
}

static inline void wsock_prep_sendmsg(struct io_uring_sqe *sqe, int dev, int fd,
				      const struct wsock_msg *msg,
				      int msg_flags)
{
	wsock_prep(sqe, WSOCK_OP_SENDMSG, dev, fd, msg, sizeof(*msg),
		   msg_flags);
}

/* After a prep function: a name for CancelIoEx, when there is no status block. */
static inline void wsock_sqe_set_name(struct io_uring_sqe *sqe, __u64 name)
{
	struct wsock_cmd cmd;

	memcpy(&cmd, sqe->cmd, sizeof(cmd));
	cmd.ov = name;
	memcpy(sqe->cmd, &cmd, sizeof(cmd));
}

/*
 * After a prep function: the kernel also writes the result to @status, 8-aligned,
 * a struct wsock_status or an OVERLAPPED (whose head is one), before the
 * completion is there. Stores STATUS_PENDING now. The hEvent of an OVERLAPPED is
 * not looked at.
 */
static inline void wsock_sqe_set_status(struct io_uring_sqe *sqe, void *status)
{
	struct wsock_cmd cmd;

	memcpy(&cmd, sqe->cmd, sizeof(cmd));
	cmd.ov = (__u64)(uintptr_t)status;
	cmd.flags |= WSOCK_CMD_STATUS;
	memcpy(sqe->cmd, &cmd, sizeof(cmd));
	__atomic_store_n(&((struct wsock_status *)status)->internal,
			 (__u64)STATUS_PENDING, __ATOMIC_RELAXED);
}

/*
 * After a prep function: @event_fd, an eventfd (wsock_event_fd() has that of an
 * event), is reset at issue and signalled at the end, unless WSACleanup cancels.
 */
static inline void wsock_sqe_set_event(struct io_uring_sqe *sqe, int event_fd)
{
	struct wsock_cmd cmd;

	memcpy(&cmd, sqe->cmd, sizeof(cmd));
	cmd.event_fd = event_fd;
	cmd.flags |= WSOCK_CMD_EVENT;
	memcpy(sqe->cmd, &cmd, sizeof(cmd));
}

#ifdef __cplusplus
}
#endif

#endif /* _WSOCK_URING_H */
