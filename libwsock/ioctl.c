// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * WSAIoctl: what can be done at once, and the pointers to the extension
 * functions. With an OVERLAPPED it is done at once too, and then told as the end
 * of every operation is. Only the change of addresses is waited for.
 */
#include "internal.h"

#include <mstcpip.h>
#include <mswsock.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <ws2ipdef.h>

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
	{ WSAID_TRANSMITPACKETS, (void (*)(void))TransmitPackets },
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
		if (memcmp(&id, &extensions[i].id, sizeof(id)) != 0)
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

static int family_of(int fd)
{
	socklen_t len = sizeof(int);
	int family = AF_UNSPEC;

	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len);
	return family;
}

/* @size bytes of @value; a room that is too small is told what is needed. */
static int put(struct request *r, const void *value, size_t size)
{
	r->bytes = (DWORD)size;
	if (!r->out || r->out_size < size)
		return WSAEFAULT;
	memcpy(r->out, value, size);
	return 0;
}

static int get_route(struct request *r)
{
	struct sockaddr_storage to, from;
	socklen_t length;
	int error;

	if (!r->in || r->in_size < sizeof(struct sockaddr_in) ||
	    r->in_size > sizeof(to))
		return WSAEFAULT;
	memcpy(&to, r->in, r->in_size);
	if (to.ss_family != family_of(r->fd))
		return WSAEAFNOSUPPORT;
	error = wsock_interfaces_route((struct sockaddr *)&to, r->in_size,
				       &from, &length);
	return error ? error : put(r, &from, length);
}

static int get_broadcast_address(struct request *r)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = INADDR_BROADCAST,
	};

	return family_of(r->fd) == AF_INET ?
		       put(r, &address, sizeof(address)) : WSAEOPNOTSUPP;
}

/* What is best to have on the way: as much as the socket would hold. */
static int get_ideal_backlog(struct request *r)
{
	socklen_t len = sizeof(int);
	int size;

	switch (wsock_socket_tcp_state(r->fd)) {
	case TCP_ESTABLISHED:
	case TCP_CLOSE_WAIT:
		break;
	case -1:
		return WSAEOPNOTSUPP;
	default:
		return WSAENOTCONN;
	}
	if (getsockopt(r->fd, SOL_SOCKET, SO_SNDBUF, &size, &len))
		return wsock_error_from_errno(errno);
	/* Half of it is for Linux's own use, see options.c. */
	size /= 2;
	return put(r, &size, sizeof(size));
}

/* One of the two options by family, that the whole of a group depends on. */
static int set_multicast(struct request *r, int name, int name6)
{
	bool v6 = family_of(r->fd) == AF_INET6;
	int value;

	if (!r->in || r->in_size < sizeof(value))
		return WSAEFAULT;
	memcpy(&value, r->in, sizeof(value));
	return setsockopt(r->fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
			  v6 ? name6 : name, &value, sizeof(value)) ?
		       wsock_error_from_errno(errno) : 0;
}

/*
 * Resets that Windows tells of are those of datagrams that reached no port. Linux
 * tells a connected socket only, and cannot be told not to.
 */
static int set_reset_reports(struct request *r)
{
	BOOL on;

	if (!r->in || r->in_size < sizeof(on))
		return WSAEFAULT;
	memcpy(&on, r->in, sizeof(on));
	if (wsock_socket_type(r->fd) != SOCK_DGRAM)
		return WSAEINVAL;
	return on ? WSAEOPNOTSUPP : 0;
}

/* Overlapped sends that pend end as if they were cancelled one by one. */
static int flush(const struct request *r)
{
	struct wsock_cancel args = {
		.fd = r->fd,
		.flags = WSOCK_CANCEL_ALL | WSOCK_CANCEL_SENDS,
	};

	return wsock_device_ioctl(WSOCK_IOC_CANCEL, &args) >= 0 ||
			       errno == ENOENT ?
		       0 : wsock_error_from_errno(errno);
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
	case SIO_ADDRESS_LIST_QUERY:
		return wsock_interfaces_list_addresses(family_of(r->fd), r->out,
						       r->out_size, &r->bytes);
	case SIO_GET_INTERFACE_LIST:
		return family_of(r->fd) != AF_INET ? WSAEOPNOTSUPP :
			wsock_interfaces_list(r->out, r->out_size, &r->bytes);
	case SIO_ROUTING_INTERFACE_QUERY:
		return get_route(r);
	case SIO_GET_BROADCAST_ADDRESS:
		return get_broadcast_address(r);
	case SIO_IDEAL_SEND_BACKLOG_QUERY:
		return get_ideal_backlog(r);
	/* Nothing is layered over the socket. */
	case SIO_BASE_HANDLE:
	case SIO_BSP_HANDLE_SELECT:
	case SIO_BSP_HANDLE_POLL:
		return put(r, &r->s, sizeof(r->s));
	case SIO_MULTIPOINT_LOOPBACK:
		return set_multicast(r, IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP);
	case SIO_MULTICAST_SCOPE:
		return set_multicast(r, IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS);
	case SIO_UDP_CONNRESET:
		return set_reset_reports(r);
	case SIO_FLUSH:
		return flush(r);
	}
	return WSAEOPNOTSUPP;
}

/*
 * Until the addresses change. Without an OVERLAPPED a non-blocking socket only asks
 * for the network event.
 */
static int await_addresses(const struct wsock_call *call,
			   struct wsock_submit *args, LPWSAOVERLAPPED ov)
{
	OVERLAPPED own = { 0 };
	int error;

	if (!ov && wsock_socket_nonblocking(call->fd))
		return wsock_events_tell_enabled(call->fd,
						 FD_ADDRESS_LIST_CHANGE) ?
			       WSAEWOULDBLOCK : wsock_error_from_errno(errno);
	args->op = WSOCK_OP_ADDRESSES;
	if (ov)
		return wsock_overlapped_start(call, args, ov, NULL);
	error = wsock_overlapped_fill(args, call, &own, NULL, 0);
	if (error)
		return error;
	args->cmd.flags |= WSOCK_CMD_NO_PACKET;
	error = wsock_overlapped_start(call, args, &own, NULL);
	return error == WSA_IO_PENDING ? wsock_overlapped_wait(&own) : error;
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
	if (dwIoControlCode == SIO_ADDRESS_LIST_CHANGE) {
		*lpcbBytesReturned = 0;
		error = await_addresses(&call, &args, lpOverlapped);
		return error ? wsock_error_set(error) : 0;
	}
	error = control(&request, dwIoControlCode);
	if (error == WSAEOPNOTSUPP && lpOverlapped) {
		/* Windows asks the driver, which says so in its own time. */
		args.cmd.msg_flags = EOPNOTSUPP;
	} else if (error) {
		/* Of a room that is too small, what is needed. */
		if (error == WSAEOPNOTSUPP || request.bytes)
			*lpcbBytesReturned = request.bytes;
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
