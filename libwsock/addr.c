// SPDX-License-Identifier: LGPL-2.1-or-later
/* Addresses, byte order and the host's name. */
#include "internal.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>

/* ---- Works without WSAStartup ---- */

WSOCK_EXPORT wsock_u_long WSAAPI wsock_inet_addr(const char *cp)
{
	/* Windows' answers for these two. */
	if (!cp || !strcmp(cp, " "))
		return INADDR_ANY;
	return inet_addr(cp);
}

WSOCK_EXPORT char * WSAAPI wsock_inet_ntoa(struct in_addr in)
{
	static __thread char text[sizeof("255.255.255.255")];
	const uint8_t *byte = (const uint8_t *)&in;

	snprintf(text, sizeof(text), "%u.%u.%u.%u", byte[0], byte[1], byte[2],
		 byte[3]);
	return text;
}

WSOCK_EXPORT INT WSAAPI wsock_inet_pton(INT af, PCSTR src, PVOID dst)
{
	if (af != AF_INET && af != AF_INET6)
		return wsock_error_set(WSAEAFNOSUPPORT);
	if (!src || !dst)
		return wsock_error_set(WSAEFAULT);
	return inet_pton(af, src, dst);
}

WSOCK_EXPORT PCSTR WSAAPI wsock_inet_ntop(INT af, const VOID *src, PSTR dst,
					  size_t size)
{
	socklen_t room = size > INT_MAX ? INT_MAX : (socklen_t)size;

	if (af != AF_INET && af != AF_INET6) {
		wsock_error_set(WSAEAFNOSUPPORT);
		return NULL;
	}
	if (!src || !dst) {
		wsock_error_set(WSAEFAULT);
		return NULL;
	}
	if (!inet_ntop(af, src, dst, room)) {
		wsock_error_set(ERROR_INVALID_PARAMETER);
		return NULL;
	}
	return dst;
}

/* ---- Needs WSAStartup ---- */

/* Every transport here has network byte order; still, @s must be a socket. */
static bool check_order(SOCKET s, const void *result)
{
	struct wsock_call call;

	if (!wsock_call_enter(&call, s))
		return false;
	if (wsock_socket_type(call.fd) < 0) {
		wsock_error_set(wsock_error_from_errno(errno));
		return false;
	}
	if (!result) {
		wsock_error_set(WSAEFAULT);
		return false;
	}
	return true;
}

WSOCK_EXPORT int WSAAPI WSAHtonl(SOCKET s, wsock_u_long hostlong,
				 wsock_u_long *lpnetlong)
{
	if (!check_order(s, lpnetlong))
		return SOCKET_ERROR;
	*lpnetlong = htonl(hostlong);
	return 0;
}

WSOCK_EXPORT int WSAAPI WSAHtons(SOCKET s, u_short hostshort,
				 u_short *lpnetshort)
{
	if (!check_order(s, lpnetshort))
		return SOCKET_ERROR;
	*lpnetshort = htons(hostshort);
	return 0;
}

WSOCK_EXPORT int WSAAPI WSANtohl(SOCKET s, wsock_u_long netlong,
				 wsock_u_long *lphostlong)
{
	return WSAHtonl(s, netlong, lphostlong);
}

WSOCK_EXPORT int WSAAPI WSANtohs(SOCKET s, u_short netshort,
				 u_short *lphostshort)
{
	return WSAHtons(s, netshort, lphostshort);
}

WSOCK_EXPORT int WSAAPI wsock_gethostname(char *name, int namelen)
{
	char own[HOST_NAME_MAX + 1];
	struct wsock_call call;
	size_t size;

	if (!wsock_call_enter(&call, INVALID_SOCKET))
		return SOCKET_ERROR;
	if (gethostname(own, sizeof(own)))
		return wsock_error_set(WSAENETDOWN);
	own[HOST_NAME_MAX] = '\0';
	size = strlen(own) + 1;
	if (!name || namelen < 0 || (size_t)namelen < size)
		return wsock_error_set(WSAEFAULT);
	memcpy(name, own, size);
	return 0;
}
