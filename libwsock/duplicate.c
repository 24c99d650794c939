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

/* Describes @fd in @info, but for the name, which is returned. */
static const char *describe(int fd, uint32_t token, WSAPROTOCOL_INFOA *info,
			    size_t size)
{
	const char *name = wsock_catalog_describe(get_option(fd, SO_DOMAIN),
						  get_option(fd, SO_TYPE),
						  info, size);

	/* Of raw sockets the catalog has only one. */
	info->iProtocol = get_option(fd, SO_PROTOCOL);
	info->dwProviderReserved = token;
	return name;
}

void wsock_duplicate_describe_a(int fd, DWORD token, LPWSAPROTOCOL_INFOA info)
{
	strcpy(info->szProtocol, describe(fd, token, info, sizeof(*info)));
}

void wsock_duplicate_describe_w(int fd, DWORD token, LPWSAPROTOCOL_INFOW info)
{
	const char *name = describe(fd, token, (LPWSAPROTOCOL_INFOA)info,
				    sizeof(*info));

	wsock_wide_from_utf8(name, info->szProtocol, WSAPROTOCOL_LEN + 1);
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

/* The half of both variants that can fail; false with the error set. */
static bool begin(struct wsock_call *call, SOCKET s, DWORD pid, bool info,
		  uint32_t *token)
{
	int error;

	if (!wsock_call_enter(call, s))
		return false;
	error = offer(call, pid, info, token);
	if (error)
		wsock_call_fail(call, error);
	return !error;
}

WSOCK_EXPORT int WSAAPI WSADuplicateSocketA(SOCKET s, DWORD dwProcessId,
					    LPWSAPROTOCOL_INFOA lpProtocolInfo)
{
	struct wsock_call call;
	uint32_t token;

	if (!begin(&call, s, dwProcessId, lpProtocolInfo, &token))
		return SOCKET_ERROR;
	wsock_duplicate_describe_a(call.fd, token, lpProtocolInfo);
	return 0;
}

WSOCK_EXPORT int WSAAPI WSADuplicateSocketW(SOCKET s, DWORD dwProcessId,
					    LPWSAPROTOCOL_INFOW lpProtocolInfo)
{
	struct wsock_call call;
	uint32_t token;

	if (!begin(&call, s, dwProcessId, lpProtocolInfo, &token))
		return SOCKET_ERROR;
	wsock_duplicate_describe_w(call.fd, token, lpProtocolInfo);
	return 0;
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
