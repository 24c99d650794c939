// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * WSAIoctl: what can be done at once, and the pointers to the extension
 * functions. With an OVERLAPPED it is done at once too, and then told as the end
 * of every operation is.
 */
#include "internal.h"

#include <mstcpip.h>
#include <mswsock.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static const struct extension {
	GUID id;
	void (*function)(void);
} extensions[] = {
	{ WSAID_ACCEPTEX, (void (*)(void))AcceptEx },
	{ WSAID_GETACCEPTEXSOCKADDRS, (void (*)(void))GetAcceptExSockaddrs },
	{ WSAID_CONNECTEX, (void (*)(void))ConnectEx },
	{ WSAID_DISCONNECTEX, (void (*)(void))DisconnectEx },
	{ WSAID_TRANSMITFILE, (void (*)(void))TransmitFile },
	{ WSAID_WSARECVMSG, (void (*)(void))WSARecvMsg },
	{ WSAID_WSASENDMSG, (void (*)(void))WSASendMsg },
};

/* A request; the functions return 0 or the error. */
struct request {
	SOCKET s;
	int fd;
	const void *in;
	DWORD in_size;
	void *out;
	DWORD out_size;
	DWORD bytes;		/* of what was put to @out */
};

static int get_function(struct request *r)
{
	GUID id;
	size_t i;

	if (!r->in || r->in_size < sizeof(id) || !r->out ||
	    r->out_size < sizeof(extensions[i].function))
		return WSAEFAULT;
	memcpy(&id, r->in, sizeof(id));
	for (i = 0; i < ARRAY_SIZE(extensions); i++) {
		if (memcmp(&id, &extensions[i].id, sizeof(id)))
			continue;
		memcpy(r->out, &extensions[i].function,
		       sizeof(extensions[i].function));
		r->bytes = sizeof(extensions[i].function);
		return 0;
	}
	return WSAEINVAL;
}

static int set_nonblocking(struct request *r)
{
	wsock_u_long on;

	if (!r->in || r->in_size < sizeof(on))
		return WSAEFAULT;
	memcpy(&on, r->in, sizeof(on));
	return ioctlsocket(r->s, WSOCK_FIONBIO, &on) ? wsock_error_get() : 0;
}

static int get_number(struct request *r, LONG command)
{
	wsock_u_long value;

	if (!r->out || r->out_size < sizeof(value))
		return WSAEFAULT;
	if (ioctlsocket(r->s, command, &value))
		return wsock_error_get();
	memcpy(r->out, &value, sizeof(value));
	r->bytes = sizeof(value);
	return 0;
}

/* What Linux takes at most for a time. */
#define MAX_KEEPALIVE	32767

static bool set_seconds(int fd, int name, ULONG ms)
{
	int seconds = (int)(ms / 1000 + (ms % 1000 != 0));

	if (!seconds)
		seconds = 1;
	if (seconds > MAX_KEEPALIVE)
		seconds = MAX_KEEPALIVE;
	return !setsockopt(fd, IPPROTO_TCP, name, &seconds, sizeof(seconds));
}

static int set_keepalive(struct request *r)
{
	struct tcp_keepalive values;
	int on;

	if (!r->in || r->in_size < sizeof(values))
		return WSAEFAULT;
	memcpy(&values, r->in, sizeof(values));
	on = values.onoff != 0;
	if (on && (!set_seconds(r->fd, TCP_KEEPIDLE, values.keepalivetime) ||
		   !set_seconds(r->fd, TCP_KEEPINTVL,
				values.keepaliveinterval)))
		/* Of a socket that is not TCP's the level is unknown. */
		return errno == ENOPROTOOPT ? WSAEOPNOTSUPP :
					      wsock_error_from_errno(errno);
	return setsockopt(r->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) ?
		       wsock_error_from_errno(errno) : 0;
}

static int control(struct request *r, DWORD code)
{
	switch (code) {
	case (DWORD)WSOCK_FIONBIO:
	case (DWORD)FIONBIO:
		return set_nonblocking(r);
	case (DWORD)WSOCK_FIONREAD:
	case (DWORD)FIONREAD:
		return get_number(r, WSOCK_FIONREAD);
	case (DWORD)WSOCK_SIOCATMARK:
	case (DWORD)SIOCATMARK:
		return get_number(r, WSOCK_SIOCATMARK);
	case SIO_KEEPALIVE_VALS:
		return set_keepalive(r);
	case SIO_GET_EXTENSION_FUNCTION_POINTER:
		return get_function(r);
	}
	return WSAEOPNOTSUPP;
}

WSOCK_EXPORT int WSAAPI
WSAIoctl(SOCKET s, DWORD dwIoControlCode, LPVOID lpvInBuffer, DWORD cbInBuffer,
	 LPVOID lpvOutBuffer, DWORD cbOutBuffer, LPDWORD lpcbBytesReturned,
	 LPWSAOVERLAPPED lpOverlapped,
	 LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine)
{
	struct request request = {
		.s = s, .in = lpvInBuffer, .in_size = cbInBuffer,
		.out = lpvOutBuffer, .out_size = cbOutBuffer,
	};
	struct wsock_submit args = { .op = WSOCK_OP_NOTIFY };
	struct wsock_call call;
	int error;

	if (!wsock_call_enter(&call, s))
		return SOCKET_ERROR;
	request.fd = args.fd = call.fd;
	if (wsock_socket_type(call.fd) < 0)
		return wsock_error_set(wsock_error_from_errno(errno));
	if (!lpcbBytesReturned)
		return wsock_error_set(WSAEFAULT);
	/* What cannot be told must not be done. */
	if (lpOverlapped) {
		error = wsock_overlapped_fill(&args, &call, lpOverlapped,
					      lpCompletionRoutine, 0);
		if (error)
			return wsock_error_set(error);
	}
	error = control(&request, dwIoControlCode);
	if (error == WSAEOPNOTSUPP && lpOverlapped) {
		/* Windows asks the driver, which says so in its own time. */
		args.cmd.msg_flags = EOPNOTSUPP;
	} else if (error) {
		if (error == WSAEOPNOTSUPP)
			*lpcbBytesReturned = 0;
		return wsock_error_set(error);
	} else if (!lpOverlapped || dwIoControlCode != SIO_KEEPALIVE_VALS) {
		*lpcbBytesReturned = request.bytes;
	}
	if (!lpOverlapped)
		return 0;
	/* The status and the packet tell of 0 bytes, whatever was put out. */
	error = wsock_overlapped_start(&call, &args, lpOverlapped, NULL);
	return error ? wsock_error_set(error) : 0;
}
