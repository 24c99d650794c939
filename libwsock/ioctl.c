// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * WSAIoctl: what can be done at once, and the pointers to the extension
 * functions.
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
		return errno == EOPNOTSUPP ? WSAEOPNOTSUPP :
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
	struct wsock_call call;
	int error, event = -1;

	if (!wsock_call_enter(&call, s))
		return SOCKET_ERROR;
	request.fd = call.fd;
	if (wsock_socket_type(call.fd) < 0)
		return wsock_error_set(wsock_error_from_errno(errno));
	if (!lpcbBytesReturned && !lpOverlapped)
		return wsock_error_set(WSAEFAULT);
	if (lpOverlapped && lpCompletionRoutine)
		return wsock_error_set(WSAEOPNOTSUPP);
	if (lpOverlapped && (uintptr_t)lpOverlapped->hEvent & ~(uintptr_t)1) {
		event = wsock_event_decode_ov(lpOverlapped->hEvent);
		if (event < 0)
			return wsock_error_set(WSA_INVALID_HANDLE);
	}
	error = control(&request, dwIoControlCode);
	if (error)
		return wsock_error_set(error);
	if (lpcbBytesReturned)
		*lpcbBytesReturned = request.bytes;
	if (lpOverlapped) {
		lpOverlapped->InternalHigh = request.bytes;
		__atomic_store_n(&lpOverlapped->Internal, STATUS_SUCCESS,
				 __ATOMIC_RELEASE);
	}
	if (event >= 0)
		wsock_event_set(event);
	return 0;
}
