// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * WSADuplicateSocket, and the other end of it in WSASocket.
 *
 * The kernel keeps the offer and hands out a token, good for one process and one
 * descriptor; dwProviderReserved carries it. All else in a WSAPROTOCOL_INFO is for
 * the program to read.
 */
#include "internal.h"

static int get_option(int fd, int name)
{
	socklen_t len = sizeof(int);
	int value = 0;

	return getsockopt(fd, SOL_SOCKET, name, &value, &len) ? 0 : value;
}

void wsock_duplicate_describe(int fd, DWORD token, LPWSAPROTOCOL_INFOA info,
			      bool wide)
{
	wsock_catalog_describe(get_option(fd, SO_DOMAIN),
			       get_option(fd, SO_TYPE), info, wide);
	/* Of raw sockets the catalog has only one. */
	info->iProtocol = get_option(fd, SO_PROTOCOL);
	info->dwProviderReserved = token;
}

/* 0 with the token, or the error. */
static int offer(const struct wsock_call *call, DWORD process, bool info,
		 uint32_t *token)
{
	struct wsock_duplicate args = { .fd = call->fd, .pid = (int32_t)process };

	/* What @s is comes before what it is for. */
	if (wsock_socket_type(call->fd) < 0)
		return wsock_error_from_errno(errno);
	if (!info)
		return WSAEFAULT;
	if (wsock_device_ioctl(WSOCK_IOC_DUPLICATE, &args))
		return errno == ESRCH ? WSAEINVAL : wsock_error_from_errno(errno);
	*token = args.token;
	return 0;
}

static int duplicate(SOCKET s, DWORD pid, LPWSAPROTOCOL_INFOA info, bool wide)
{
	struct wsock_call call;
	uint32_t token = 0;
	int error;

	if (!wsock_call_enter(&call, s))
		return SOCKET_ERROR;
	error = offer(&call, pid, info, &token);
	if (error)
		return wsock_call_fail(&call, error);
	wsock_duplicate_describe(call.fd, token, info, wide);
	return 0;
}

WSOCK_EXPORT int WSAAPI WSADuplicateSocketA(SOCKET s, DWORD dwProcessId,
					    LPWSAPROTOCOL_INFOA lpProtocolInfo)
{
	return duplicate(s, dwProcessId, lpProtocolInfo, false);
}

WSOCK_EXPORT int WSAAPI WSADuplicateSocketW(SOCKET s, DWORD dwProcessId,
					    LPWSAPROTOCOL_INFOW lpProtocolInfo)
{
	return duplicate(s, dwProcessId, (LPWSAPROTOCOL_INFOA)lpProtocolInfo,
			 true);
}

SOCKET wsock_duplicate_take(const struct wsock_call *call, DWORD token)
{
	struct wsock_take args = { .token = token };
	int fd = wsock_device_ioctl(WSOCK_IOC_TAKE, &args);

	if (fd < 0) {
		wsock_error_set(wsock_call_cancelled(call) ? WSAEINTR :
				errno == ENOENT ? WSAEINVAL :
				wsock_error_from_errno(errno));
		return INVALID_SOCKET;
	}
	wsock_socket_note(fd);
	return (SOCKET)fd;
}
