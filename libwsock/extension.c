// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The extension functions. What Linux has a system call for is done with that,
 * so that security modules and seccomp filters see it; the operation does what
 * has to wait.
 */
#include "internal.h"

#include <mswsock.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

static BOOL fail(int error)
{
	wsock_error_set(error);
	return FALSE;
}

/*
 * Windows says that an operation is pending before it looks at the arguments,
 * and leaves it so when they are wrong.
 */
static void say_pending(LPOVERLAPPED ov)
{
	if (ov)
		__atomic_store_n(&ov->Internal, STATUS_PENDING,
				 __ATOMIC_RELAXED);
}

/* ---- ConnectEx ---- */

/* 0 or the error of a socket that cannot begin to connect. */
static int check_connectable(int fd)
{
	int state = wsock_socket_tcp_state(fd);

	switch (state) {
	case -1:
		return wsock_socket_type(fd) < 0 ?
			       wsock_error_from_errno(errno) : WSAEINVAL;
	case TCP_CLOSE:
		return wsock_socket_unbound(fd) ? WSAEINVAL : 0;
	case TCP_LISTEN:
	case TCP_SYN_SENT:
	case TCP_SYN_RECV:
		return WSAEINVAL;
	}
	return WSAEISCONN;
}

/* Is it an end of the attempt, which the operation shall tell? */
static bool ends_attempt(int err)
{
	return err == ECONNREFUSED || err == ECONNRESET || err == ETIMEDOUT;
}

WSOCK_EXPORT BOOL WSAAPI ConnectEx(SOCKET s, const struct sockaddr *name,
				   int namelen, PVOID lpSendBuffer,
				   DWORD dwSendDataLength,
				   LPDWORD lpdwBytesSent,
				   LPOVERLAPPED lpOverlapped)
{
	struct wsock_submit args = { .op = WSOCK_OP_CONNECT };
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct wsock_call call;
	int error, err = 0;

	(void)lpdwBytesSent;
	if (!wsock_call_enter(&call, s))
		return FALSE;
	say_pending(lpOverlapped);
	error = check_connectable(call.fd);
	if (error && error != WSAENOTSOCK && !lpOverlapped)
		error = WSA_INVALID_PARAMETER;
	if (!error && !lpOverlapped)
		error = WSA_INVALID_PARAMETER;
	if (!error)
		error = wsock_connect_check(call.fd, name, namelen);
	if (error)
		return fail(error);

	args.fd = call.fd;
	if (lpSendBuffer) {
		args.addr = (uintptr_t)lpSendBuffer;
		args.len = dwSendDataLength;
	}
	error = wsock_overlapped_fill(&args.cmd, lpOverlapped, 0);
	if (error)
		return fail(error);
	wsock_fd_flags_add(call.fd, WSOCK_FD_CONNECTING | WSOCK_FD_CONNECT_EX);
	if (wsock_connect_begin(call.fd, name, (socklen_t)namelen))
		err = errno;
	if (err && err != EINPROGRESS && !ends_attempt(err)) {
		wsock_fd_flags_remove(call.fd, WSOCK_FD_CONNECT_EX);
		wsock_call_fail(&call, wsock_connect_error(call.fd, err, name,
							   namelen));
		return FALSE;
	}
	if (ends_attempt(err))
		args.cmd.msg_flags = (uint16_t)err;
	error = wsock_overlapped_start(&call, &args, lpOverlapped, NULL);
	/* Nobody would learn how the attempt ends. */
	if (error != WSA_IO_PENDING)
		connect(call.fd, &none, sizeof(none));
	return fail(error);
}

/* ---- Options ---- */

int wsock_extension_update_connect(int fd)
{
	switch (wsock_socket_tcp_state(fd)) {
	case -1:
		return wsock_socket_type(fd) < 0 ?
			       wsock_error_from_errno(errno) : WSAENOPROTOOPT;
	case TCP_CLOSE:
	case TCP_LISTEN:
	case TCP_SYN_SENT:
	case TCP_SYN_RECV:
		return WSAENOTCONN;
	}
	wsock_fd_flags_remove(fd, WSOCK_FD_CONNECTING | WSOCK_FD_CONNECT_EX);
	wsock_fd_flags_add(fd, WSOCK_FD_CONNECTED);
	return 0;
}
