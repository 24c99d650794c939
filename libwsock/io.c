// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Synchronous sends and receives: native system calls, restarted after signals,
 * with Winsock's errors.
 */
#include "internal.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

/* ---- Errors and flags ---- */

/*
 * Was it the keepalive that found the peer gone? With data on the way it is their
 * retransmission.
 */
static bool keepalive_failed(int fd)
{
	socklen_t len = sizeof(int), info_len = sizeof(struct tcp_info);
	struct tcp_info info;
	int on;

	return !getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &len) && on &&
	       !getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &info_len) &&
	       !info.tcpi_retransmits;
}

int wsock_io_recv_error(int fd, int err, int flags)
{
	switch (err) {
	case EAGAIN:
		if (flags & MSG_DONTWAIT || wsock_socket_nonblocking(fd))
			return WSAEWOULDBLOCK;
		/* SO_RCVTIMEO has passed. */
		return WSAETIMEDOUT;
	case ECONNRESET:
		/* Linux reports it once, Windows from now on. */
		wsock_fd_note_reset(fd);
		return WSAECONNRESET;
	case ETIMEDOUT:
		if (!keepalive_failed(fd))
			return WSAETIMEDOUT;
		wsock_fd_note_reset(fd);
		return WSAENETRESET;
	case ECONNREFUSED:
		/* A datagram of ours was refused: "reset" on Windows. */
		return wsock_socket_type(fd) == SOCK_DGRAM ?
			       WSAECONNRESET : WSAECONNREFUSED;
	}
	return wsock_error_from_errno(err);
}

int wsock_io_send_error(int fd, int err, int flags)
{
	unsigned int state;

	switch (err) {
	case EDESTADDRREQ:
		return WSAENOTCONN;
	case EPIPE:
		state = wsock_fd_flags_get(fd);
		if (state & WSOCK_FD_SHUT_SEND)
			return WSAESHUTDOWN;
		if (state & WSOCK_FD_STREAM &&
		    !(state & (WSOCK_FD_CONNECTED | WSOCK_FD_CONNECTING)))
			return WSAENOTCONN;
		return WSAECONNRESET;
	}
	return wsock_io_recv_error(fd, err, flags);
}

/* 0 or the error for flags Winsock does not know. */
static int check_recv_flags(int fd, unsigned int flags)
{
	const unsigned int known = MSG_OOB | MSG_PEEK | MSG_WAITALL |
				   MSG_DONTWAIT | MSG_PARTIAL;

	if (flags & ~known)
		return WSAEOPNOTSUPP;
	if (!(flags & MSG_WAITALL))
		return 0;
	if (flags & (MSG_OOB | MSG_PEEK | MSG_PARTIAL))
		return WSAEOPNOTSUPP;
	return wsock_socket_type(fd) == SOCK_DGRAM ? WSAEOPNOTSUPP : 0;
}

/* What a socket refuses on Windows before it looks for data. */
int wsock_io_recv_check(const struct wsock_call *call, unsigned int flags)
{
	const unsigned int special = WSOCK_FD_SHUT_RECV | WSOCK_FD_RESET |
				     WSOCK_FD_UNBOUND;
	int error = flags ? check_recv_flags(call->fd, flags) : 0;

	if (error || !(call->flags & special))
		return error;
	if (call->flags & WSOCK_FD_SHUT_RECV)
		return WSAESHUTDOWN;
	if (call->flags & WSOCK_FD_RESET)
		return WSAECONNRESET;
	if (wsock_socket_unbound(call->fd))
		return WSAEINVAL;
	/* Bound since it was made: no need to ask again. */
	wsock_fd_flags_remove(call->fd, WSOCK_FD_UNBOUND);
	return 0;
}

int wsock_io_send_flags(unsigned int flags)
{
	const unsigned int known = MSG_OOB | MSG_DONTROUTE | MSG_DONTWAIT |
				   MSG_EOR | MSG_NOSIGNAL | MSG_PARTIAL;

	return flags & ~known ? WSAEOPNOTSUPP : 0;
}

uint64_t wsock_io_import(struct iovec *iov, const WSABUF *buffers, DWORD count)
{
	uint64_t total = 0;
	DWORD i;

	for (i = 0; i < count; i++) {
		iov[i].iov_base = buffers[i].buf;
		iov[i].iov_len = buffers[i].len;
		total += buffers[i].len;
	}
	return total;
}

/* Takes @done bytes off the front of @msg's buffers. */
static void advance(struct msghdr *msg, size_t done)
{
	while (msg->msg_iovlen && done >= msg->msg_iov->iov_len) {
		done -= msg->msg_iov->iov_len;
		msg->msg_iov++;
		msg->msg_iovlen--;
	}
	if (msg->msg_iovlen) {
		msg->msg_iov->iov_base = (char *)msg->msg_iov->iov_base + done;
		msg->msg_iov->iov_len -= done;
	}
}

/*
 * What to add to @flags so that the system call does not wait: a thread with an
 * APC queue or a blocking hook waits by wsock_call_wait() instead.
 */
static int alertable_flag(int flags)
{
	return wsock_waits_by_poll() ? ~flags & MSG_DONTWAIT : 0;
}

/* ---- Receive ---- */

static ssize_t recv_restarted(struct wsock_call *call, struct msghdr *msg,
			      int flags)
{
	const short events = flags & MSG_OOB ? POLLPRI : POLLIN;
	int alertable = alertable_flag(flags);
	bool again;
	ssize_t n;

	do {
		n = recvmsg(call->fd, msg, flags | alertable);
		again = n < 0 &&
			((errno == EINTR &&
			  wsock_call_restart(call, SO_RCVTIMEO, events)) ||
			 (errno == EAGAIN && alertable &&
			  wsock_call_wait(call, SO_RCVTIMEO, events)));
	} while (again);
	return n;
}

/* The end of a stream, or of the call. 0 or SOCKET_ERROR. */
static int recv_end(const struct wsock_call *call)
{
	if (wsock_call_cancelled(call))
		return wsock_call_fail(call, WSAEINTR);
	if (wsock_fd_flags_get(call->fd) & WSOCK_FD_RESET)
		return wsock_error_set(WSAECONNRESET);
	/* closesocket in another thread ends a receive like the peer would. */
	if (wsock_call_closed(call))
		return wsock_call_fail(call, WSAEINTR);
	return 0;
}

static int recv_checked(struct wsock_call *call, struct msghdr *msg,
			uint64_t room, unsigned int flags, uint64_t *bytes)
{
	int native = wsock_io_native_flags(flags);
	int error = wsock_io_recv_check(call, flags);
	ssize_t n;

	*bytes = 0;
	if (error)
		return wsock_error_set(error);
	for (;;) {
		n = recv_restarted(call, msg, native);
		if (n <= 0)
			break;
		*bytes += (uint64_t)n;
		if (msg->msg_flags & MSG_TRUNC)
			return wsock_error_set(WSAEMSGSIZE);
		/* With MSG_WAITALL a signal ends the system call early. */
		if (!(flags & MSG_WAITALL) || *bytes >= room)
			return 0;
		advance(msg, (size_t)n);
	}
	if (wsock_call_cancelled(call))
		return wsock_call_fail(call, WSAEINTR);
	if (n == 0) {
		if (msg->msg_flags & MSG_TRUNC)
			return wsock_error_set(WSAEMSGSIZE);
		return *bytes || !room ? 0 : recv_end(call);
	}
	if (*bytes && errno == EAGAIN)
		return 0;
	return wsock_call_fail(call,
			       wsock_io_recv_error(call->fd, errno, native));
}

int wsock_io_recvmsg(struct wsock_call *call, struct msghdr *msg, uint64_t room,
		     unsigned int flags, uint64_t *bytes)
{
	int result = recv_checked(call, msg, room, flags, bytes);

	wsock_events_enable(call->fd, flags & MSG_OOB ? FD_OOB : FD_READ);
	return result;
}

WSOCK_EXPORT int WSAAPI wsock_recvfrom(SOCKET s, char *buf, int len, int flags,
				       struct sockaddr *from, int *fromlen)
{
	struct iovec iov = { .iov_base = buf, .iov_len = (size_t)len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct wsock_call call;
	uint64_t bytes;
	int result, error;

	if (!wsock_call_enter(&call, s))
		return SOCKET_ERROR;
	if (len < 0)
		return wsock_error_set(WSAEFAULT);
	if (from) {
		error = fromlen ? wsock_addr_check_room(call.fd, *fromlen) :
				  WSAEFAULT;
		if (error)
			return wsock_error_set(error);
		msg.msg_name = from;
		msg.msg_namelen = (socklen_t)*fromlen;
	}
	result = wsock_io_recvmsg(&call, &msg, (uint64_t)len,
				  (unsigned int)flags, &bytes);
	if (from && msg.msg_namelen &&
	    (!result || wsock_error_get() == WSAEMSGSIZE))
		*fromlen = (int)msg.msg_namelen;
	return result ? SOCKET_ERROR : (int)bytes;
}

WSOCK_EXPORT int WSAAPI wsock_recv(SOCKET s, char *buf, int len, int flags)
{
	return wsock_recvfrom(s, buf, len, flags, NULL, NULL);
}

WSOCK_EXPORT int WSAAPI WSARecvEx(SOCKET s, char *buf, int len, int *flags)
{
	struct iovec iov = { .iov_base = buf, .iov_len = (size_t)len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct wsock_call call;
	uint64_t bytes;

	if (!wsock_call_enter(&call, s))
		return SOCKET_ERROR;
	if (len < 0 || !flags)
		return wsock_error_set(WSAEFAULT);
	if (!wsock_io_recvmsg(&call, &msg, (uint64_t)len,
			      (unsigned int)*flags & ~(unsigned int)MSG_PARTIAL, &bytes)) {
		*flags = msg.msg_flags & MSG_OOB;
		return (int)bytes;
	}
	if (wsock_error_get() != WSAEMSGSIZE)
		return SOCKET_ERROR;
	*flags = (msg.msg_flags & MSG_OOB) | MSG_PARTIAL;
	return (int)bytes;
}

/*
 * WSARecv and WSARecvFrom with lpOverlapped NULL. @from and @fromlen as in
 * recvfrom.
 */
int wsock_io_recv(struct wsock_call *call, const WSABUF *buffers, DWORD count,
		  LPDWORD bytes, LPDWORD flags, struct sockaddr *from,
		  LPINT fromlen)
{
	struct iovec iov[count];
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = count };
	uint64_t room, done;
	int result;

	if (!bytes)
		return wsock_error_set(WSAEFAULT);
	room = wsock_io_import(iov, buffers, count);
	if (from) {
		msg.msg_name = from;
		msg.msg_namelen = (socklen_t)*fromlen;
	}
	result = wsock_io_recvmsg(call, &msg, room, *flags, &done);
	if (result && wsock_error_get() != WSAEMSGSIZE)
		return SOCKET_ERROR;
	if (from && msg.msg_namelen)
		*fromlen = (int)msg.msg_namelen;
	*bytes = (DWORD)done;
	*flags = (DWORD)msg.msg_flags & MSG_OOB;
	return result;
}

/* ---- Send ---- */

int wsock_io_sendmsg(struct wsock_call *call, struct msghdr *msg, uint64_t size,
		     unsigned int flags, uint64_t *bytes)
{
	int native = wsock_io_native_flags(flags) | MSG_NOSIGNAL;
	int alertable = alertable_flag(native);
	int error = wsock_io_send_flags(flags);
	ssize_t n;

	*bytes = 0;
	if (error)
		return wsock_error_set(error);
	for (;;) {
		n = sendmsg(call->fd, msg, native | alertable);
		if (n >= 0) {
			*bytes += (uint64_t)n;
			if (*bytes >= size)
				return 0;
			/* A signal, a full buffer or the end of the call. */
			if (wsock_call_cancelled(call))
				return wsock_call_fail(call, WSAEINTR);
			advance(msg, (size_t)n);
			continue;
		}
		if (errno == EINTR &&
		    wsock_call_restart(call, SO_SNDTIMEO, POLLOUT))
			continue;
		if (errno == EAGAIN && alertable &&
		    wsock_call_wait(call, SO_SNDTIMEO, POLLOUT))
			continue;
		break;
	}
	if (wsock_call_cancelled(call))
		return wsock_call_fail(call, WSAEINTR);
	if (*bytes && errno == EAGAIN)
		return 0;
	error = wsock_io_send_error(call->fd, errno, native);
	if (error == WSAEWOULDBLOCK)
		wsock_events_enable(call->fd, FD_WRITE);
	return wsock_call_fail(call, error);
}

int wsock_io_check_destination(const struct sockaddr *to, int tolen)
{
	if (!to)
		return 0;
	return tolen < (int)sizeof(struct sockaddr_in) &&
	       (tolen < (int)sizeof(sa_family_t) ||
		to->sa_family == AF_INET || to->sa_family == AF_INET6) ?
		       WSAEFAULT : 0;
}

WSOCK_EXPORT int WSAAPI wsock_sendto(SOCKET s, const char *buf, int len,
				     int flags, const struct sockaddr *to,
				     int tolen)
{
	struct iovec iov = { .iov_base = (char *)buf, .iov_len = (size_t)len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct wsock_call call;
	uint64_t bytes;
	int error;

	if (!wsock_call_enter(&call, s))
		return SOCKET_ERROR;
	if (len < 0)
		return wsock_error_set(WSAEFAULT);
	error = wsock_io_check_destination(to, tolen);
	if (error)
		return wsock_error_set(error);
	if (to) {
		msg.msg_name = (void *)to;
		msg.msg_namelen = (socklen_t)tolen;
	}
	if (wsock_io_sendmsg(&call, &msg, (uint64_t)len, (unsigned int)flags,
			     &bytes))
		return SOCKET_ERROR;
	return (int)bytes;
}

WSOCK_EXPORT int WSAAPI wsock_send(SOCKET s, const char *buf, int len,
				   int flags)
{
	return wsock_sendto(s, buf, len, flags, NULL, 0);
}

/* WSASend and WSASendTo with lpOverlapped NULL. */
int wsock_io_send(struct wsock_call *call, const WSABUF *buffers, DWORD count,
		  LPDWORD bytes, DWORD flags, const struct sockaddr *to,
		  int tolen)
{
	struct iovec iov[count];
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = count };
	uint64_t size, done;

	if (!bytes)
		return wsock_error_set(WSAEFAULT);
	size = wsock_io_import(iov, buffers, count);
	if (to) {
		msg.msg_name = (void *)to;
		msg.msg_namelen = (socklen_t)tolen;
	}
	if (wsock_io_sendmsg(call, &msg, size, flags, &done))
		return SOCKET_ERROR;
	*bytes = (DWORD)done;
	return 0;
}
