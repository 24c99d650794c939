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
#include <stddef.h>
#include <stdlib.h>

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

/* 0 or the error of a socket that is not connected. */
static int check_connected(int fd)
{
	switch (wsock_socket_tcp_state(fd)) {
	case -1:
		return wsock_socket_type(fd) < 0 ?
			       wsock_error_from_errno(errno) : WSAENOTCONN;
	case TCP_CLOSE:
	case TCP_LISTEN:
	case TCP_SYN_SENT:
	case TCP_SYN_RECV:
		return WSAENOTCONN;
	}
	return 0;
}

/* ---- AcceptEx ---- */

bool wsock_extension_accepting(int fd)
{
	struct wsock_modes args = { .fd = fd };

	return !wsock_device_ioctl(WSOCK_IOC_MODES, &args) &&
	       args.modes & WSOCK_MODE_ACCEPTING;
}

WSOCK_EXPORT BOOL WSAAPI
AcceptEx(SOCKET sListenSocket, SOCKET sAcceptSocket, PVOID lpOutputBuffer,
	 DWORD dwReceiveDataLength, DWORD dwLocalAddressLength,
	 DWORD dwRemoteAddressLength, LPDWORD lpdwBytesReceived,
	 LPOVERLAPPED lpOverlapped)
{
	struct wsock_accept accept = {
		.buffer = (uintptr_t)lpOutputBuffer,
		.data_len = dwReceiveDataLength,
		.local_len = dwLocalAddressLength,
		.remote_len = dwRemoteAddressLength,
		.fd = wsock_socket_fd(sAcceptSocket),
	};
	struct wsock_submit args = {
		.op = WSOCK_OP_ACCEPT,
		.addr = (uintptr_t)&accept,
		.len = sizeof(accept),
	};
	struct wsock_call call;
	int error = 0;

	(void)lpdwBytesReceived;
	if (!wsock_call_enter(&call, sListenSocket))
		return FALSE;
	say_pending(lpOverlapped);
	if (wsock_socket_type(call.fd) < 0 || wsock_socket_type(accept.fd) < 0)
		error = wsock_error_from_errno(errno);
	else if (!lpOverlapped)
		error = WSA_INVALID_PARAMETER;
	else if (!dwRemoteAddressLength)
		error = WSAEFAULT;
	else if (!wsock_socket_listening(call.fd))
		error = WSAEINVAL;
	if (!error)
		error = wsock_overlapped_fill(&args, &call, lpOverlapped, NULL, 0);
	if (error)
		return fail(error);
	args.fd = call.fd;
	wsock_fd_flags_add(accept.fd, WSOCK_FD_ACCEPT_EX);
	return fail(wsock_overlapped_start(&call, &args, lpOverlapped, NULL));
}

static INT name_len(const struct sockaddr *name)
{
	return name->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) :
					     sizeof(struct sockaddr_in);
}

WSOCK_EXPORT void WSAAPI
GetAcceptExSockaddrs(PVOID lpOutputBuffer, DWORD dwReceiveDataLength,
		     DWORD dwLocalAddressLength, DWORD dwRemoteAddressLength,
		     struct sockaddr **LocalSockaddr, LPINT LocalSockaddrLength,
		     struct sockaddr **RemoteSockaddr,
		     LPINT RemoteSockaddrLength)
{
	char *at = (char *)lpOutputBuffer + dwReceiveDataLength;

	(void)dwRemoteAddressLength;
	*LocalSockaddr = NULL;
	*LocalSockaddrLength = 0;
	if (dwLocalAddressLength) {
		*LocalSockaddr = (void *)at;
		*LocalSockaddrLength = name_len(*LocalSockaddr);
	}
	*RemoteSockaddr = (void *)(at + dwLocalAddressLength);
	*RemoteSockaddrLength = name_len(*RemoteSockaddr);
}

int wsock_extension_accepted_for(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) ? -1 :
	       (int)(info.tcpi_last_data_sent / 1000);
}

int wsock_extension_update_accept(int fd, const char *optval, int optlen)
{
	SOCKET listener;
	int lfd, error;

	if (optlen < (int)sizeof(listener))
		return WSAEFAULT;
	memcpy(&listener, optval, sizeof(listener));
	lfd = wsock_socket_fd(listener);
	if (wsock_socket_type(lfd) < 0)
		return wsock_error_from_errno(errno);
	error = check_connected(fd);
	if (error)
		return error;
	if (!wsock_socket_listening(lfd))
		return WSAEINVAL;
	if (wsock_fd_flags_get(fd) & WSOCK_FD_ACCEPT_EX)
		wsock_fd_note_connected_for(
			fd, (uint32_t)wsock_extension_accepted_for(fd));
	wsock_fd_flags_remove(fd, WSOCK_FD_ACCEPT_EX);
	wsock_fd_flags_add(fd, WSOCK_FD_CONNECTED | WSOCK_FD_ACCEPTED);
	if (wsock_fd_flags_get(lfd) & WSOCK_FD_SELECTED)
		wsock_events_inherit(fd, lfd);
	return 0;
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
		return wsock_socket_unbound(fd) ||
		       (wsock_fd_flags_get(fd) & WSOCK_FD_ACCEPT_EX &&
			wsock_extension_accepting(fd)) ? WSAEINVAL : 0;
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
	error = wsock_overlapped_fill(&args, &call, lpOverlapped, NULL, 0);
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
		(void)connect(call.fd, &none, sizeof(none));
	return fail(error);
}

/* ---- DisconnectEx, TransmitFile, TransmitPackets ---- */

/* What the library remembers of a socket that is being disconnected. */
static void note_disconnect(int fd, bool reuse)
{
	if (reuse)
		wsock_fd_flags_remove(fd, WSOCK_FD_CONNECTED |
					  WSOCK_FD_CONNECTING |
					  WSOCK_FD_SHUT_SEND |
					  WSOCK_FD_SHUT_RECV);
	else
		wsock_fd_flags_add(fd, WSOCK_FD_SHUT_SEND);
}

WSOCK_EXPORT BOOL WSAAPI DisconnectEx(SOCKET s, LPOVERLAPPED lpOverlapped,
				      DWORD dwFlags, DWORD dwReserved)
{
	struct wsock_submit args = { .op = WSOCK_OP_DISCONNECT };
	bool reuse = dwFlags & TF_REUSE_SOCKET;
	struct wsock_call call;
	int error;

	if (!wsock_call_enter(&call, s))
		return FALSE;
	error = check_connected(call.fd);
	if (!error && (dwReserved || dwFlags & ~(DWORD)TF_REUSE_SOCKET))
		error = WSAEINVAL;
	if (!error && reuse && !lpOverlapped)
		error = WSAEOPNOTSUPP;
	if (error)
		return fail(error);
	if (!lpOverlapped) {
		if (shutdown(call.fd, SHUT_WR))
			return fail(wsock_error_from_errno(errno));
		note_disconnect(call.fd, false);
		return TRUE;
	}
	error = wsock_overlapped_fill(&args, &call, lpOverlapped, NULL, 0);
	if (error)
		return fail(error);
	args.fd = call.fd;
	args.len = reuse ? WSOCK_DISCONNECT_REUSE : 0;
	error = wsock_overlapped_start(&call, &args, lpOverlapped, NULL);
	if (error == WSA_IO_PENDING)
		note_disconnect(call.fd, reuse);
	return fail(error);
}

static int check_flags(DWORD flags)
{
	const DWORD known = TF_DISCONNECT | TF_REUSE_SOCKET | TF_WRITE_BEHIND |
			    TF_USE_SYSTEM_THREAD | TF_USE_KERNEL_APC;

	return flags & ~known ? WSAEINVAL : 0;
}

/* Is it a socket of datagrams with a peer? */
static bool sends_packets(int fd)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);

	return wsock_socket_type(fd) == SOCK_DGRAM &&
	       !getpeername(fd, (struct sockaddr *)&peer, &len);
}

/* 0 or the error of what cannot be begun. */
static int check_transmit(const struct wsock_call *call, DWORD flags)
{
	int error = check_connected(call->fd);

	return error ? error : check_flags(flags);
}

/* 0 or the error. @offset: NULL for the file's own */
static int set_file(struct wsock_transmit *part, HANDLE file, ULONG bytes,
		    const uint64_t *offset)
{
	off_t own;

	part->fd = wsock_socket_fd((SOCKET)file);
	if (fcntl(part->fd, F_GETFD) < 0)
		return ERROR_INVALID_HANDLE;
	part->bytes = bytes;
	if (offset) {
		part->offset = *offset;
		return 0;
	}
	own = lseek(part->fd, 0, SEEK_CUR);
	part->offset = own < 0 ? 0 : (uint64_t)own;
	return 0;
}

/* Sends @n parts; there is room for one of no length. */
static BOOL transmit(const struct wsock_call *call,
		     struct wsock_transmit *parts, size_t n,
		     LPOVERLAPPED lpOverlapped, DWORD flags)
{
	/* Unless there is something to do. */
	struct wsock_submit args = { .op = WSOCK_OP_NOTIFY };
	OVERLAPPED own = { 0 }, *ov = lpOverlapped ? lpOverlapped : &own;
	int error;

	if (flags & TF_DISCONNECT) {
		if (!n)
			parts[n++].fd = -1;
		parts[n - 1].flags |= flags & TF_REUSE_SOCKET ?
			WSOCK_TRANSMIT_REUSE : WSOCK_TRANSMIT_DISCONNECT;
	}
	error = wsock_overlapped_fill(&args, call, ov, NULL, 0);
	if (error)
		return fail(error);
	if (!lpOverlapped)
		args.cmd.flags |= WSOCK_CMD_NO_PACKET;
	args.fd = call->fd;
	if (n) {
		args.op = WSOCK_OP_TRANSMIT;
		args.addr = (uintptr_t)parts;
		args.len = (uint32_t)(n * sizeof(*parts));
	}
	error = wsock_overlapped_start(call, &args, ov, NULL);
	if (!error)
		return TRUE;
	if (error != WSA_IO_PENDING)
		return fail(error);
	if (flags & TF_DISCONNECT)
		note_disconnect(call->fd, flags & TF_REUSE_SOCKET);
	if (!lpOverlapped)
		error = wsock_overlapped_wait(ov);
	return error ? fail(error) : TRUE;
}

WSOCK_EXPORT BOOL WSAAPI
TransmitFile(SOCKET hSocket, HANDLE hFile, DWORD nNumberOfBytesToWrite,
	     DWORD nNumberOfBytesPerSend, LPOVERLAPPED lpOverlapped,
	     LPTRANSMIT_FILE_BUFFERS lpTransmitBuffers, DWORD dwFlags)
{
	struct wsock_transmit part = { .fd = -1 };
	struct wsock_call call;
	uint64_t offset = 0;
	int error;

	(void)nNumberOfBytesPerSend;
	if (!wsock_call_enter(&call, hSocket))
		return FALSE;
	error = check_transmit(&call, dwFlags);
	if (!error && nNumberOfBytesToWrite > INT32_MAX)
		error = WSAEINVAL;
	if (lpOverlapped)
		offset = (uint64_t)lpOverlapped->OffsetHigh << 32 |
			 lpOverlapped->Offset;
	if (!error && hFile)
		error = set_file(&part, hFile, nNumberOfBytesToWrite,
				 lpOverlapped ? &offset : NULL);
	if (error)
		return fail(error);
	if (lpTransmitBuffers) {
		part.head = (uintptr_t)lpTransmitBuffers->Head;
		part.headlen = lpTransmitBuffers->HeadLength;
		part.tail = (uintptr_t)lpTransmitBuffers->Tail;
		part.taillen = lpTransmitBuffers->TailLength;
	}
	return transmit(&call, &part, hFile || part.headlen || part.taillen,
			lpOverlapped, dwFlags);
}

/* As @nSendSize: TP_ELEMENT_EOP says where datagrams end. */
#define SEND_AS_MARKED	0xffffffffU

/* 0 or the error of an element; @each is a datagram of its own. */
static int set_element(struct wsock_transmit *part,
		       const TRANSMIT_PACKETS_ELEMENT *element, bool each)
{
	uint64_t offset = (uint64_t)element->nFileOffset.QuadPart;

	part->fd = -1;
	if (each || element->dwElFlags & TP_ELEMENT_EOP)
		part->flags = WSOCK_TRANSMIT_EOP;
	switch (element->dwElFlags & ~(ULONG)TP_ELEMENT_EOP) {
	case TP_ELEMENT_MEMORY:
		part->head = (uintptr_t)element->pBuffer;
		part->headlen = element->cLength;
		return 0;
	case TP_ELEMENT_FILE:
		/* Not the descriptor 0. */
		if (!element->hFile)
			return ERROR_INVALID_HANDLE;
		return set_file(part, element->hFile, element->cLength,
				offset == UINT64_MAX ? NULL : &offset);
	}
	return WSAEINVAL;
}

WSOCK_EXPORT BOOL WSAAPI
TransmitPackets(SOCKET hSocket, LPTRANSMIT_PACKETS_ELEMENT lpPacketArray,
		DWORD nElementCount, DWORD nSendSize,
		LPOVERLAPPED lpOverlapped, DWORD dwFlags)
{
	struct wsock_transmit *parts;
	struct wsock_call call;
	int error;
	BOOL done;
	DWORD i;

	if (!wsock_call_enter(&call, hSocket))
		return FALSE;
	if (!sends_packets(call.fd))
		error = check_transmit(&call, dwFlags);
	else
		error = dwFlags & (TF_DISCONNECT | TF_REUSE_SOCKET) ?
				WSAEOPNOTSUPP : check_flags(dwFlags);
	if (!error && nElementCount > WSOCK_MAX_TRANSMITS)
		error = WSAENOBUFS;
	if (!error && nElementCount && !lpPacketArray)
		error = WSAEFAULT;
	if (error)
		return fail(error);
	parts = calloc((size_t)nElementCount + 1, sizeof(*parts));
	if (!parts)
		return fail(WSAENOBUFS);
	for (i = 0; i < nElementCount && !error; i++)
		error = set_element(&parts[i], &lpPacketArray[i],
				    nSendSize != SEND_AS_MARKED);
	done = error ? fail(error) : transmit(&call, parts, nElementCount,
					      lpOverlapped, dwFlags);
	free(parts);
	return done;
}

/* ---- WSARecvMsg, WSASendMsg ---- */

_Static_assert(sizeof(WSAMSG) == 56 && sizeof(WSACMSGHDR) == 16,
	       "Windows' layout");
/* The kernel stores eight bytes: the length, and what lies before the pointer. */
_Static_assert(offsetof(WSABUF, buf) == 8 && offsetof(WSAMSG, Control) % 8 == 0 &&
	       __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "controllen_out");

/* What is told of a received message's flags. */
#define RECV_MSG_FLAGS	(MSG_OOB | MSG_TRUNC | MSG_CTRUNC | MSG_EOR)

/* 0 or the error. */
static int check_message(const struct wsock_call *call, const WSAMSG *msg,
			 bool told)
{
	int type = wsock_socket_type(call->fd);

	if (type < 0)
		return wsock_error_from_errno(errno);
	if (!msg || !told || (msg->Control.len && !msg->Control.buf))
		return WSAEFAULT;
	if (type == SOCK_STREAM)
		return WSAEINVAL;
	return wsock_io_check_buffers(msg->lpBuffers, msg->dwBufferCount);
}

static int recv_message(struct wsock_call *call, LPWSAMSG lpmsg, LPDWORD bytes)
{
	struct iovec iov[lpmsg->dwBufferCount];
	struct msghdr msg = {
		.msg_iov = iov, .msg_iovlen = lpmsg->dwBufferCount,
		.msg_name = lpmsg->name,
		.msg_namelen = lpmsg->name ? (socklen_t)lpmsg->namelen : 0,
		.msg_control = lpmsg->Control.len ? lpmsg->Control.buf : NULL,
		.msg_controllen = lpmsg->Control.len,
	};
	uint64_t room, done;
	int result;

	room = wsock_io_import(iov, lpmsg->lpBuffers, lpmsg->dwBufferCount);
	result = wsock_io_recvmsg(call, &msg, room, lpmsg->dwFlags, &done);
	if (result && wsock_error_get() != WSAEMSGSIZE)
		return SOCKET_ERROR;
	if (lpmsg->name && msg.msg_namelen)
		lpmsg->namelen = (INT)msg.msg_namelen;
	lpmsg->Control.len = (ULONG)msg.msg_controllen;
	lpmsg->dwFlags = (ULONG)msg.msg_flags & RECV_MSG_FLAGS;
	*bytes = (DWORD)done; /* NOLINT(*NullDereference): check_message() */
	return result;
}

/* Ends a call whose operation did not begin well. */
static int message_failed(const struct wsock_call *call, int error, bool send)
{
	int err = errno;

	/* These are not the errno's. */
	if (error != WSA_IO_PENDING && error != WSAEINTR)
		error = send ? wsock_io_send_error(call->fd, err, MSG_DONTWAIT) :
			       wsock_io_recv_error(call->fd, err, MSG_DONTWAIT);
	return wsock_error_set(error);
}

WSOCK_EXPORT INT WSAAPI
WSARecvMsg(SOCKET s, LPWSAMSG lpMsg, LPDWORD lpdwNumberOfBytesRecvd,
	   LPWSAOVERLAPPED lpOverlapped,
	   LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
{
	struct wsock_submit args = { .op = WSOCK_OP_RECVMSG };
	struct wsock_msg msg = { 0 };
	struct wsock_call call;
	uint64_t room;
	int error;

	if (!wsock_call_enter(&call, s))
		return SOCKET_ERROR;
	error = check_message(&call, lpMsg, lpdwNumberOfBytesRecvd || lpOverlapped);
	if (!error && lpMsg->name)
		error = wsock_addr_check_room(call.fd, lpMsg->namelen);
	if (error)
		return wsock_error_set(error);
	if (!lpOverlapped)
		return recv_message(&call, lpMsg, lpdwNumberOfBytesRecvd);

	error = wsock_io_recv_check(&call, lpMsg->dwFlags);
	if (!error)
		error = wsock_overlapped_fill(&args, &call, lpOverlapped,
					      lpCompletionRoutine,
					      lpMsg->dwFlags);
	if (error)
		return wsock_error_set(error);

	struct iovec iov[lpMsg->dwBufferCount];

	room = wsock_io_import(iov, lpMsg->lpBuffers, lpMsg->dwBufferCount);
	msg.iov = (uintptr_t)iov;
	msg.iovlen = lpMsg->dwBufferCount;
	if (lpMsg->name) {
		msg.name = (uintptr_t)lpMsg->name;
		msg.namelen = (uint32_t)lpMsg->namelen;
		msg.namelen_out = (uintptr_t)&lpMsg->namelen;
	}
	if (lpMsg->Control.len) {
		msg.control = (uintptr_t)lpMsg->Control.buf;
		msg.controllen = lpMsg->Control.len;
		msg.controllen_out = (uintptr_t)&lpMsg->Control.len;
	}
	msg.flags_out = (uintptr_t)&lpMsg->dwFlags;
	args.fd = call.fd;
	args.addr = (uintptr_t)&msg;
	args.len = sizeof(msg);
	error = wsock_overlapped_start(&call, &args, lpOverlapped,
				       lpdwNumberOfBytesRecvd);
	if (error == WSAEMSGSIZE && lpdwNumberOfBytesRecvd)
		*lpdwNumberOfBytesRecvd = (DWORD)room;
	return error ? message_failed(&call, error, false) : 0;
}

static int send_message(struct wsock_call *call, const WSAMSG *lpmsg,
			DWORD flags, LPDWORD bytes)
{
	struct iovec iov[lpmsg->dwBufferCount];
	struct msghdr msg = {
		.msg_iov = iov, .msg_iovlen = lpmsg->dwBufferCount,
		.msg_name = lpmsg->name,
		.msg_namelen = lpmsg->name ? (socklen_t)lpmsg->namelen : 0,
		.msg_control = lpmsg->Control.len ? lpmsg->Control.buf : NULL,
		.msg_controllen = lpmsg->Control.len,
	};
	uint64_t size, done;

	size = wsock_io_import(iov, lpmsg->lpBuffers, lpmsg->dwBufferCount);
	if (wsock_io_sendmsg(call, &msg, size, flags, &done))
		return SOCKET_ERROR;
	*bytes = (DWORD)done; /* NOLINT(*NullDereference): check_message() */
	return 0;
}

WSOCK_EXPORT int WSAAPI
WSASendMsg(SOCKET Handle, LPWSAMSG lpMsg, DWORD dwFlags,
	   LPDWORD lpNumberOfBytesSent, LPWSAOVERLAPPED lpOverlapped,
	   LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
{
	struct wsock_submit args = { .op = WSOCK_OP_SENDMSG };
	struct wsock_msg msg = { 0 };
	struct wsock_call call;
	int error;

	if (!wsock_call_enter(&call, Handle))
		return SOCKET_ERROR;
	error = check_message(&call, lpMsg, lpNumberOfBytesSent || lpOverlapped);
	if (!error)
		error = wsock_io_check_destination(lpMsg->name, lpMsg->namelen);
	if (error)
		return wsock_error_set(error);
	if (!lpOverlapped)
		return send_message(&call, lpMsg, dwFlags, lpNumberOfBytesSent);

	error = wsock_io_send_flags(dwFlags);
	if (!error)
		error = wsock_overlapped_fill(&args, &call, lpOverlapped,
					      lpCompletionRoutine,
					      dwFlags & ~(DWORD)MSG_NOSIGNAL);
	if (error)
		return wsock_error_set(error);

	struct iovec iov[lpMsg->dwBufferCount];

	wsock_io_import(iov, lpMsg->lpBuffers, lpMsg->dwBufferCount);
	msg.iov = (uintptr_t)iov;
	msg.iovlen = lpMsg->dwBufferCount;
	if (lpMsg->name) {
		msg.name = (uintptr_t)lpMsg->name;
		msg.namelen = (uint32_t)lpMsg->namelen;
	}
	if (lpMsg->Control.len) {
		msg.control = (uintptr_t)lpMsg->Control.buf;
		msg.controllen = lpMsg->Control.len;
	}
	args.fd = call.fd;
	args.addr = (uintptr_t)&msg;
	args.len = sizeof(msg);
	error = wsock_overlapped_start(&call, &args, lpOverlapped,
				       lpNumberOfBytesSent);
	return error ? message_failed(&call, error, true) : 0;
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
