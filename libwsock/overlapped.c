// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Overlapped operations: one ioctl starts one, and from then on it is the
 * kernel's. The kernel writes the OVERLAPPED's head (struct wsock_status) and
 * signals the event; nothing is queued, allocated or locked here.
 *
 * After an operation was submitted its OVERLAPPED must not be looked at: another
 * thread may have seen its end and freed it. What the caller learns comes from
 * the ioctl's result.
 */
#include "internal.h"

#include <stddef.h>

_Static_assert(sizeof(OVERLAPPED) == 32, "OVERLAPPED has Windows' layout");
_Static_assert(offsetof(OVERLAPPED, Internal) ==
	       offsetof(struct wsock_status, internal), "status block");
_Static_assert(offsetof(OVERLAPPED, InternalHigh) ==
	       offsetof(struct wsock_status, internal_high), "status block");
_Static_assert(offsetof(OVERLAPPED, Offset) ==
	       offsetof(struct wsock_status, flags), "status block");
_Static_assert(offsetof(OVERLAPPED, hEvent) == sizeof(struct wsock_status),
	       "the kernel does not touch hEvent");

/* ---- Submission ---- */

/*
 * Submits. Returns 0 with *@bytes when the operation is done, otherwise
 * SOCKET_ERROR with errno EINPROGRESS when it is pending.
 */
static int submit(struct wsock_submit *submit, LPWSAOVERLAPPED ov,
		  DWORD *bytes)
{
	int result;

	/* The kernel's first store to Internal may come any time from here. */
	__atomic_store_n(&ov->Internal, STATUS_PENDING, __ATOMIC_RELAXED);
	do {
		result = wsock_device_ioctl(WSOCK_IOC_SUBMIT, submit);
	} while (result < 0 && errno == EINTR);
	if (result < 0)
		return SOCKET_ERROR;
	*bytes = (DWORD)result;
	return 0;
}

/*
 * 0 or the error: names the status block, and the completion routine or the
 * event. A socket's port the kernel knows.
 */
int wsock_overlapped_fill(struct wsock_submit *args,
			  const struct wsock_call *call, LPWSAOVERLAPPED ov,
			  LPWSAOVERLAPPED_COMPLETION_ROUTINE routine,
			  unsigned int flags)
{
	struct wsock_cmd *cmd = &args->cmd;

	cmd->ov = (uintptr_t)ov;
	cmd->flags = WSOCK_CMD_STATUS;
	cmd->msg_flags = (uint16_t)wsock_io_native_flags(flags & ~MSG_DONTWAIT);
	if (routine) {
		if (!wsock_apc_create())
			return WSAENOBUFS;
		cmd->flags |= WSOCK_CMD_APC;
		cmd->event_fd = wsock_apc_fd();
		args->key = (uintptr_t)routine;
		args->tag = call->generation;
		return 0;
	}
	if ((uintptr_t)ov->hEvent & 1)
		cmd->flags |= WSOCK_CMD_NO_PACKET;
	if ((uintptr_t)ov->hEvent & ~(uintptr_t)1) {
		cmd->event_fd = wsock_event_decode_ov(ov->hEvent);
		if (cmd->event_fd < 0)
			return WSA_INVALID_HANDLE;
		cmd->flags |= WSOCK_CMD_EVENT;
	}
	return 0;
}

/*
 * The end of every submission: *@bytes as it says in WSARecv's description, the
 * error of the failed ones. @room: what the buffers of a receive hold, 0 for a
 * send.
 */
static int finish(const struct wsock_call *call, int result, DWORD done,
		  LPDWORD bytes, uint64_t room, bool send)
{
	int err = errno;

	if (!result) {
		if (bytes)
			*bytes = done;
		return 0;
	}
	if (err == EINPROGRESS) {
		wsock_apc_note_pending();
		return wsock_error_set(WSA_IO_PENDING);
	}
	if (wsock_call_cancelled(call))
		return wsock_error_set(WSAEINTR);
	if (err == EMSGSIZE && !send) {
		/* A datagram was cut: the buffers are full. */
		if (bytes)
			*bytes = (DWORD)room;
		return wsock_error_set(WSAEMSGSIZE);
	}
	return wsock_error_set(send ?
		wsock_io_send_error(call->fd, err, MSG_DONTWAIT) :
		wsock_io_recv_error(call->fd, err, MSG_DONTWAIT));
}

int wsock_overlapped_start(const struct wsock_call *call,
			   struct wsock_submit *args, LPWSAOVERLAPPED ov,
			   LPDWORD bytes)
{
	DWORD done;

	if (!submit(args, ov, &done)) {
		if (bytes)
			*bytes = done;
		return 0;
	}
	if (errno == EINPROGRESS) {
		wsock_apc_note_pending();
		return WSA_IO_PENDING;
	}
	if (wsock_call_cancelled(call))
		return WSAEINTR;
	return wsock_error_from_errno(errno);
}

static int recv_submit(const struct wsock_call *call, struct wsock_submit *args,
		       LPDWORD bytes, LPDWORD flags, LPWSAOVERLAPPED ov,
		       uint64_t room)
{
	DWORD done = 0;
	int result = submit(args, ov, &done);

	if (!result)
		*flags &= MSG_OOB;
	return finish(call, result, done, bytes, room, false);
}

static int send_submit(const struct wsock_call *call, struct wsock_submit *args,
		       LPDWORD bytes, LPWSAOVERLAPPED ov)
{
	DWORD done = 0;
	int result = submit(args, ov, &done);

	return finish(call, result, done, bytes, 0, true);
}

/* Several buffers, or an address. */
static __attribute__((noinline)) int
recv_submit_msg(const struct wsock_call *call, struct wsock_submit *args,
		const WSABUF *buffers, DWORD count, LPDWORD bytes,
		LPDWORD flags, struct sockaddr *from, LPINT fromlen,
		LPWSAOVERLAPPED ov)
{
	struct iovec iov[count];
	struct wsock_msg msg = {
		.iov = (uintptr_t)iov,
		.iovlen = count,
	};
	uint64_t room = wsock_io_import(iov, buffers, count);

	if (from) {
		msg.name = (uintptr_t)from;
		msg.namelen = (uint32_t)*fromlen;
		msg.namelen_out = (uintptr_t)fromlen;
	}
	args->op = WSOCK_OP_RECVMSG;
	/* cppcheck-suppress autoVariables ; read before this returns */
	args->addr = (uintptr_t)&msg;
	args->len = sizeof(msg);
	return recv_submit(call, args, bytes, flags, ov, room);
}

static __attribute__((noinline)) int
send_submit_msg(const struct wsock_call *call, struct wsock_submit *args,
		const WSABUF *buffers, DWORD count, LPDWORD bytes,
		const struct sockaddr *to, int tolen, LPWSAOVERLAPPED ov)
{
	struct iovec iov[count];
	struct wsock_msg msg = {
		.iov = (uintptr_t)iov,
		.iovlen = count,
		.name = (uintptr_t)to,
		.namelen = to ? (uint32_t)tolen : 0,
	};

	wsock_io_import(iov, buffers, count);
	args->op = WSOCK_OP_SENDMSG;
	/* cppcheck-suppress autoVariables ; read before this returns */
	args->addr = (uintptr_t)&msg;
	args->len = sizeof(msg);
	return send_submit(call, args, bytes, ov);
}

static inline int start_recv(const struct wsock_call *call,
			     const WSABUF *buffers, DWORD count, LPDWORD bytes,
			     LPDWORD flags, struct sockaddr *from,
			     LPINT fromlen, LPWSAOVERLAPPED ov,
			     LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
	struct wsock_submit args = { .fd = call->fd };
	int error = wsock_io_recv_check(call, *flags);

	if (!error)
		error = wsock_overlapped_fill(&args, call, ov, routine, *flags);
	if (error)
		return wsock_error_set(error);
	if (count > 1 || from)
		return recv_submit_msg(call, &args, buffers, count, bytes,
				       flags, from, fromlen, ov);
	args.op = WSOCK_OP_RECV;
	args.addr = (uintptr_t)buffers->buf;
	args.len = buffers->len;
	return recv_submit(call, &args, bytes, flags, ov, buffers->len);
}

static inline int start_send(const struct wsock_call *call,
			     const WSABUF *buffers, DWORD count, LPDWORD bytes,
			     DWORD flags, const struct sockaddr *to, int tolen,
			     LPWSAOVERLAPPED ov,
			     LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
	struct wsock_submit args = { .fd = call->fd };
	int error = wsock_io_send_flags(flags);

	if (!error)
		error = wsock_overlapped_fill(&args, call, ov, routine,
					      flags & ~(DWORD)MSG_NOSIGNAL);
	if (error)
		return wsock_error_set(error);
	if (count > 1 || to)
		return send_submit_msg(call, &args, buffers, count, bytes, to,
				       tolen, ov);
	args.op = WSOCK_OP_SEND;
	args.addr = (uintptr_t)buffers->buf;
	args.len = buffers->len;
	return send_submit(call, &args, bytes, ov);
}

/* ---- The four calls ---- */

/* Inline, so that those without an address do not pay for it. */
static inline __attribute__((always_inline)) int
recv_any(SOCKET s, const WSABUF *buffers, DWORD count, LPDWORD bytes,
	 LPDWORD flags, struct sockaddr *from, LPINT fromlen,
	 LPWSAOVERLAPPED ov, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
	struct wsock_call call;
	int error;

	if (!wsock_call_enter(&call, s))
		return SOCKET_ERROR;
	error = wsock_io_check_buffers(buffers, count);
	if (!error && !flags)
		error = WSAEFAULT;
	if (!error && from)
		error = fromlen ? wsock_addr_check_room(call.fd, *fromlen) :
				  WSAEFAULT;
	if (error)
		return wsock_error_set(error);
	if (!ov)
		return wsock_io_recv(&call, buffers, count, bytes, flags, from,
				     fromlen);
	return start_recv(&call, buffers, count, bytes, flags, from, fromlen,
			  ov, routine);
}

static inline __attribute__((always_inline)) int
send_any(SOCKET s, const WSABUF *buffers, DWORD count, LPDWORD bytes,
	 DWORD flags, const struct sockaddr *to, int tolen, LPWSAOVERLAPPED ov,
	 LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
	struct wsock_call call;
	int error;

	if (!wsock_call_enter(&call, s))
		return SOCKET_ERROR;
	error = wsock_io_check_buffers(buffers, count);
	if (!error && to)
		error = wsock_io_check_destination(to, tolen);
	if (error)
		return wsock_error_set(error);
	if (!ov)
		return wsock_io_send(&call, buffers, count, bytes, flags, to,
				     tolen);
	return start_send(&call, buffers, count, bytes, flags, to, tolen, ov,
			  routine);
}

WSOCK_EXPORT int WSAAPI
WSARecvFrom(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount,
	    LPDWORD lpNumberOfBytesRecvd, LPDWORD lpFlags,
	    struct sockaddr *lpFrom, LPINT lpFromlen,
	    LPWSAOVERLAPPED lpOverlapped,
	    LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
{
	return recv_any(s, lpBuffers, dwBufferCount, lpNumberOfBytesRecvd,
			lpFlags, lpFrom, lpFromlen, lpOverlapped,
			lpCompletionRoutine);
}

WSOCK_EXPORT int WSAAPI
WSARecv(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount,
	LPDWORD lpNumberOfBytesRecvd, LPDWORD lpFlags,
	LPWSAOVERLAPPED lpOverlapped,
	LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
{
	return recv_any(s, lpBuffers, dwBufferCount, lpNumberOfBytesRecvd,
			lpFlags, NULL, NULL, lpOverlapped,
			lpCompletionRoutine);
}

WSOCK_EXPORT int WSAAPI
WSASendTo(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount,
	  LPDWORD lpNumberOfBytesSent, DWORD dwFlags,
	  const struct sockaddr *lpTo, int iTolen,
	  LPWSAOVERLAPPED lpOverlapped,
	  LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
{
	return send_any(s, lpBuffers, dwBufferCount, lpNumberOfBytesSent,
			dwFlags, lpTo, iTolen, lpOverlapped,
			lpCompletionRoutine);
}

WSOCK_EXPORT int WSAAPI
WSASend(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount,
	LPDWORD lpNumberOfBytesSent, DWORD dwFlags,
	LPWSAOVERLAPPED lpOverlapped,
	LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
{
	return send_any(s, lpBuffers, dwBufferCount, lpNumberOfBytesSent,
			dwFlags, NULL, 0, lpOverlapped, lpCompletionRoutine);
}

/* ---- Results and cancellation ---- */

/* Pairs with the kernel's release store of the status. */
static uint32_t read_status(LPWSAOVERLAPPED ov)
{
	return (uint32_t)__atomic_load_n(&ov->Internal, __ATOMIC_ACQUIRE);
}

static bool is_success(uint32_t status)
{
	return status != STATUS_PENDING && !(status & 0x80000000U);
}

/* What APCs do to a wait for an operation. */
enum apcs { NO_APCS, RUN_APCS, END_BY_APC };

/*
 * Waits for the end of a pending operation. Without a device there is nothing
 * to wait for; the status is then final. With a deadline of 0 it is done now what
 * else would be done when a thread comes to the port. *@error is what ends the wait
 * but the operation.
 */
static uint32_t wait_status(LPWSAOVERLAPPED ov, uint64_t deadline, enum apcs apcs,
			    int *error)
{
	bool alertable = deadline && apcs != NO_APCS && wsock_apc_fd() >= 0;
	struct wsock_wait args = { .ov = (uintptr_t)ov };

	if (alertable) {
		args.flags = WSOCK_PORT_ALERTABLE;
		args.alert_fd = wsock_apc_fd();
	}
	for (;;) {
		args.timeout_ns = wsock_time_left(alertable ? wsock_apc_until(deadline) :
							      deadline);
		if (wsock_device_ioctl(WSOCK_IOC_WAIT, &args) >= 0)
			break;
		if (alertable && (errno == EALREADY || wsock_apc_timers_due())) {
			if (wsock_apc_run() && apcs == END_BY_APC) {
				*error = WAIT_IO_COMPLETION;
				break;
			}
		} else if (errno == ETIME && !wsock_time_left(deadline)) {
			*error = deadline ? WAIT_TIMEOUT : 0;
			break;
		} else if (errno != ETIME && errno != EINTR) {
			break;
		}
	}
	return read_status(ov);
}

/* The operation's status, waited for or not; *@error when it was not, or 0. */
static uint32_t get_status(LPWSAOVERLAPPED ov, uint64_t deadline, enum apcs apcs,
			   int *error)
{
	uint32_t status = read_status(ov);

	*error = 0;
	if (status != STATUS_PENDING)
		return status;
	if (!deadline)
		return wsock_ports_used ? wait_status(ov, 0, NO_APCS, error) : status;
	if ((uintptr_t)ov->hEvent & ~(uintptr_t)1 &&
	    wsock_event_decode_ov(ov->hEvent) < 0) {
		*error = WSA_INVALID_HANDLE;
		return status;
	}
	return wait_status(ov, deadline, apcs, error);
}

int wsock_overlapped_wait(LPOVERLAPPED ov)
{
	uint32_t status = read_status(ov);
	int error;

	if (status == STATUS_PENDING)
		status = wait_status(ov, WSOCK_NEVER, NO_APCS, &error);
	if (is_success(status))
		return 0;
	error = wsock_error_from_status(status);
	return error == WSA_OPERATION_ABORTED ? WSAEINTR : error;
}

WSOCK_EXPORT int wsock_overlapped_completed(LPOVERLAPPED lpOverlapped)
{
	int error, saved = errno;
	uint32_t status = get_status(lpOverlapped, 0, NO_APCS, &error);

	errno = saved;
	return status != STATUS_PENDING;
}

WSOCK_EXPORT BOOL WSAAPI WSAGetOverlappedResult(SOCKET s,
						LPWSAOVERLAPPED lpOverlapped,
						LPDWORD lpcbTransfer,
						BOOL fWait, LPDWORD lpdwFlags)
{
	struct wsock_call call;
	uint32_t status;
	int error;

	if (!wsock_call_enter(&call, s))
		return FALSE;
	if (wsock_socket_type(call.fd) < 0) {
		wsock_error_set(wsock_error_from_errno(errno));
		return FALSE;
	}
	if (!lpOverlapped || !lpcbTransfer || !lpdwFlags) {
		wsock_error_set(WSA_INVALID_PARAMETER);
		return FALSE;
	}
	status = get_status(lpOverlapped, fWait ? WSOCK_NEVER : 0, RUN_APCS, &error);
	if (!error)
		error = wsock_error_from_status(status);
	if (status != STATUS_PENDING) {
		*lpcbTransfer = (DWORD)lpOverlapped->InternalHigh;
		*lpdwFlags = lpOverlapped->Offset;
	}
	if (is_success(status))
		error = 0;
	/* No status stands for WSAENETRESET; but from now on it is a reset. */
	if (status == STATUS_CONNECTION_RESET ||
	    (status == STATUS_IO_TIMEOUT && call.flags & WSOCK_FD_CONNECTED))
		wsock_fd_note_reset(call.fd);
	wsock_error_set(error);
	return is_success(status);
}

static BOOL get_result(LPOVERLAPPED ov, LPDWORD bytes, uint64_t deadline, enum apcs apcs)
{
	uint32_t status;
	int error;

	if (!ov || !bytes) {
		wsock_error_set(ERROR_INVALID_PARAMETER);
		return FALSE;
	}
	status = get_status(ov, deadline, apcs, &error);
	if (status != STATUS_PENDING) {
		*bytes = (DWORD)ov->InternalHigh;
		error = 0;
	}
	if (is_success(status))
		return TRUE;
	if (!error)
		error = (int)wsock_error_win32_from_status(status);
	wsock_error_set(error);
	return FALSE;
}

WSOCK_EXPORT BOOL WINAPI GetOverlappedResult(HANDLE hFile,
					     LPOVERLAPPED lpOverlapped,
					     LPDWORD lpNumberOfBytesTransferred,
					     BOOL bWait)
{
	(void)hFile;
	return get_result(lpOverlapped, lpNumberOfBytesTransferred,
			  bWait ? WSOCK_NEVER : 0, NO_APCS);
}

WSOCK_EXPORT BOOL WINAPI GetOverlappedResultEx(HANDLE hFile,
					       LPOVERLAPPED lpOverlapped,
					       LPDWORD lpNumberOfBytesTransferred,
					       DWORD dwMilliseconds, BOOL bAlertable)
{
	(void)hFile;
	return get_result(lpOverlapped, lpNumberOfBytesTransferred,
			  wsock_wait_deadline(dwMilliseconds),
			  bAlertable ? END_BY_APC : NO_APCS);
}

/* Returns 0 or the error. */
static int cancel(HANDLE handle, uint32_t flags, LPOVERLAPPED ov)
{
	struct wsock_cancel args = {
		.fd = wsock_socket_fd((SOCKET)handle),
		.flags = flags,
		.ov = (uintptr_t)ov,
	};

	/* The device does not know what it does not own; say what it is. */
	if (wsock_socket_type(args.fd) < 0)
		return ERROR_INVALID_HANDLE;
	if (wsock_device_ioctl(WSOCK_IOC_CANCEL, &args) >= 0)
		return 0;
	/* Never gated: a process without registration has nothing. */
	return errno == EBADF || errno == ENOTSOCK ? ERROR_INVALID_HANDLE :
						     ERROR_NOT_FOUND;
}

WSOCK_EXPORT BOOL WINAPI CancelIoEx(HANDLE hFile, LPOVERLAPPED lpOverlapped)
{
	int error = cancel(hFile, lpOverlapped ? 0 : WSOCK_CANCEL_ALL,
			   lpOverlapped);

	if (error)
		wsock_error_set(error);
	return !error;
}

WSOCK_EXPORT BOOL WINAPI CancelIo(HANDLE hFile)
{
	int error = cancel(hFile, WSOCK_CANCEL_ALL | WSOCK_CANCEL_THREAD, NULL);

	/* It does not matter whether there was one. */
	if (!error || error == ERROR_NOT_FOUND)
		return TRUE;
	wsock_error_set(error);
	return FALSE;
}
