// SPDX-License-Identifier: LGPL-2.1-or-later
/* WSAConnectByName and WSAConnectByList: one address after the other. */
#include "internal.h"

#include <netinet/in.h>
#include <stdlib.h>

/* What the caller wants to know of the connection. */
struct ends {
	LPDWORD local_len;
	LPSOCKADDR local;
	LPDWORD remote_len;
	LPSOCKADDR remote;
};

/* An address as a socket of @family takes it; its size, 0 when that cannot. */
static socklen_t fit_family(struct sockaddr_in6 *to, const SOCKET_ADDRESS *from,
			    int family)
{
	const struct sockaddr_in *in = (const void *)from->lpSockaddr;

	memset(to, 0, sizeof(*to));
	if (!in || from->iSockaddrLength < (int)sizeof(*in))
		return 0;
	if (in->sin_family == family) {
		socklen_t len = family == AF_INET6 ? sizeof(*to) : sizeof(*in);

		if (from->iSockaddrLength < (int)len)
			return 0;
		memcpy(to, in, len);
		return len;
	}
	if (family != AF_INET6 || in->sin_family != AF_INET)
		return 0;
	wsock_addr_map_v4(to, in);
	return sizeof(*to);
}

/* Gives up an attempt, so that the socket can make another. */
static void give_up(int fd)
{
	(void)connect(fd, &(struct sockaddr){ .sa_family = AF_UNSPEC },
		      sizeof(struct sockaddr));
}

/* 0 or the error. */
static int connect_one(const struct wsock_call *call,
		       const struct sockaddr *name, socklen_t len,
		       uint64_t deadline)
{
	struct pollfd pfd = { .fd = call->fd, .events = POLLOUT };
	int error = wsock_connect_check(call->fd, name, (int)len);

	if (error)
		return error;
	wsock_fd_flags_add(call->fd, WSOCK_FD_CONNECTING);
	if (!wsock_connect_begin(call->fd, name, len))
		return 0;
	if (errno != EINPROGRESS)
		return wsock_connect_error(call->fd, errno, name, (int)len);
	if (!wsock_poll_until(&pfd, 1, deadline, 0)) {
		give_up(call->fd);
		return WSAETIMEDOUT;
	}
	/* It is over: how? */
	if (!connect(call->fd, name, len))
		return 0;
	return wsock_connect_error(call->fd, errno, name, (int)len);
}

static void tell_end(int (*get)(int, struct sockaddr *, socklen_t *), int fd,
		     LPSOCKADDR name, LPDWORD len)
{
	socklen_t size;

	if (!name || !len)
		return;
	size = *len;
	if (!get(fd, name, &size))
		*len = size;
}

static int connect_any(const struct wsock_call *call,
		       const SOCKET_ADDRESS *addresses, int n,
		       uint64_t deadline)
{
	int family, i, error = WSAEHOSTUNREACH;
	socklen_t len = sizeof(family);
	struct sockaddr_in6 name;

	if (getsockopt(call->fd, SOL_SOCKET, SO_DOMAIN, &family, &len))
		return wsock_error_from_errno(errno);
	for (i = 0; i < n && error != WSAETIMEDOUT; i++) {
		len = fit_family(&name, &addresses[i], family);
		if (len)
			error = connect_one(call, (struct sockaddr *)&name, len,
					    deadline);
		if (!error || wsock_call_cancelled(call) ||
		    wsock_call_closed(call))
			break;
	}
	return error;
}

/* The end of both functions. */
static BOOL finish(const struct wsock_call *call, int error,
		   const struct ends *ends)
{
	if (error) {
		wsock_call_fail(call, error);
		return FALSE;
	}
	wsock_fd_flags_remove(call->fd, WSOCK_FD_CONNECTING |
					WSOCK_FD_CONNECT_EX | WSOCK_FD_RESET);
	wsock_fd_flags_add(call->fd, WSOCK_FD_CONNECTED);
	tell_end(getsockname, call->fd, ends->local, ends->local_len);
	tell_end(getpeername, call->fd, ends->remote, ends->remote_len);
	return TRUE;
}

static uint64_t end_of(const struct timeval *timeout)
{
	return timeout ? wsock_now() + wsock_timeval_ns(timeout) : WSOCK_NEVER;
}

/* 0 or the error of what cannot connect. */
static int check(const struct wsock_call *call, const void *reserved)
{
	int type = wsock_socket_type(call->fd);

	if (type < 0)
		return wsock_error_from_errno(errno);
	return type != SOCK_STREAM || reserved ? WSAEINVAL : 0;
}

WSOCK_EXPORT BOOL WSAAPI
WSAConnectByList(SOCKET s, PSOCKET_ADDRESS_LIST SocketAddress,
		 LPDWORD LocalAddressLength, LPSOCKADDR LocalAddress,
		 LPDWORD RemoteAddressLength, LPSOCKADDR RemoteAddress,
		 const struct timeval *timeout, LPWSAOVERLAPPED Reserved)
{
	const struct ends ends = { LocalAddressLength, LocalAddress,
				   RemoteAddressLength, RemoteAddress };
	struct wsock_call call;
	int error;

	if (!wsock_call_enter(&call, s))
		return FALSE;
	error = check(&call, Reserved);
	if (!error && (!SocketAddress || SocketAddress->iAddressCount < 1))
		error = WSAEINVAL;
	if (!error)
		error = connect_any(&call, SocketAddress->Address,
				    SocketAddress->iAddressCount,
				    end_of(timeout));
	return finish(&call, error, &ends);
}

/* Connects to what the lookup has found. */
static int connect_found(const struct wsock_call *call, const ADDRINFOA *list,
			 uint64_t deadline)
{
	const ADDRINFOA *ai;
	SOCKET_ADDRESS *addresses;
	int n = 0, error;

	for (ai = list; ai; ai = ai->ai_next)
		n++;
	/* An answer without an address is an error. */
	addresses = calloc((size_t)n, sizeof(*addresses)); /* NOLINT(*UnixAPI) */
	if (!addresses)
		return WSAENOBUFS;
	for (n = 0, ai = list; ai; ai = ai->ai_next, n++) {
		addresses[n].lpSockaddr = ai->ai_addr;
		addresses[n].iSockaddrLength = (INT)ai->ai_addrlen;
	}
	error = connect_any(call, addresses, n, deadline);
	free(addresses);
	return error;
}

static BOOL connect_by_name(SOCKET s, const char *node, const char *service,
			    const struct timeval *timeout,
			    const void *reserved, const struct ends *ends)
{
	const ADDRINFOA hints = {
		.ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP,
	};
	uint64_t deadline = end_of(timeout);
	struct wsock_call call;
	PADDRINFOA list;
	int error;

	if (!wsock_call_enter(&call, s))
		return FALSE;
	error = check(&call, reserved);
	if (!error && (!node || !*node || !service || !*service))
		error = WSAEINVAL;
	if (error)
		return finish(&call, error, ends);
	error = wsock_addrinfo_get(&call, node, service, &hints, &list,
				   deadline);
	if (error)
		return finish(&call, error, ends);
	error = connect_found(&call, list, deadline);
	wsock_freeaddrinfo(list);
	return finish(&call, error, ends);
}

WSOCK_EXPORT BOOL WSAAPI
WSAConnectByNameA(SOCKET s, LPCSTR nodename, LPCSTR servicename,
		  LPDWORD LocalAddressLength, LPSOCKADDR LocalAddress,
		  LPDWORD RemoteAddressLength, LPSOCKADDR RemoteAddress,
		  const struct timeval *timeout, LPWSAOVERLAPPED Reserved)
{
	const struct ends ends = { LocalAddressLength, LocalAddress,
				   RemoteAddressLength, RemoteAddress };

	return connect_by_name(s, nodename, servicename, timeout, Reserved,
			       &ends);
}

/* What is no name becomes "", which is none either. */
static const char *narrow(const WCHAR *text, char *room, size_t size)
{
	return text && wsock_wide_to_utf8(text, room, size) ? room : "";
}

WSOCK_EXPORT BOOL WSAAPI
WSAConnectByNameW(SOCKET s, LPWSTR nodename, LPWSTR servicename,
		  LPDWORD LocalAddressLength, LPSOCKADDR LocalAddress,
		  LPDWORD RemoteAddressLength, LPSOCKADDR RemoteAddress,
		  const struct timeval *timeout, LPWSAOVERLAPPED Reserved)
{
	const struct ends ends = { LocalAddressLength, LocalAddress,
				   RemoteAddressLength, RemoteAddress };
	char node[NI_MAXHOST], service[NI_MAXSERV];

	return connect_by_name(s, narrow(nodename, node, sizeof(node)),
			       narrow(servicename, service, sizeof(service)),
			       timeout, Reserved, &ends);
}
