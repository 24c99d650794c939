// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * WSADuplicateSocket, and the other end of it in WSASocket.
 *
 * The kernel keeps the offer and hands out a token, good for one process and one
 * descriptor; dwProviderReserved carries it. All else in a WSAPROTOCOL_INFO is for
 * the program to read.
 */
#include "internal.h"

#include <netinet/in.h>
#include <stddef.h>

/* Both kinds have one layout up to the protocol's name. */
_Static_assert(offsetof(WSAPROTOCOL_INFOA, szProtocol) ==
	       offsetof(WSAPROTOCOL_INFOW, szProtocol), "one head");

static int get_option(int fd, int name)
{
	socklen_t len = sizeof(int);
	int value = 0;

	return getsockopt(fd, SOL_SOCKET, name, &value, &len) ? 0 : value;
}

/* Describes @fd in @info, all zero, but for the name, which is returned. */
static const char *describe(int fd, uint32_t token, WSAPROTOCOL_INFOA *info)
{
	int family = get_option(fd, SO_DOMAIN), type = get_option(fd, SO_TYPE);
	bool v6 = family == AF_INET6;

	info->dwProviderReserved = token;
	info->ProtocolChain.ChainLen = 1;
	info->iVersion = 2;
	info->iAddressFamily = family;
	info->iMaxSockAddr = v6 ? sizeof(struct sockaddr_in6) :
				  sizeof(struct sockaddr_in);
	info->iMinSockAddr = info->iMaxSockAddr;
	info->iSocketType = type;
	info->iProtocol = get_option(fd, SO_PROTOCOL);
	info->iNetworkByteOrder = BIGENDIAN;
	info->iSecurityScheme = SECURITY_PROTOCOL_NONE;
	if (type == SOCK_STREAM) {
		info->dwServiceFlags1 = XP1_GUARANTEED_DELIVERY |
			XP1_GUARANTEED_ORDER | XP1_GRACEFUL_CLOSE |
			XP1_EXPEDITED_DATA | XP1_IFS_HANDLES;
		info->dwProviderFlags = PFL_MATCHES_PROTOCOL_ZERO;
		return v6 ? "TCP/IPv6" : "TCP/IP";
	}
	info->dwServiceFlags1 = XP1_CONNECTIONLESS | XP1_MESSAGE_ORIENTED |
		XP1_SUPPORT_BROADCAST | XP1_SUPPORT_MULTIPOINT | XP1_IFS_HANDLES;
	if (type == SOCK_DGRAM) {
		info->dwProviderFlags = PFL_MATCHES_PROTOCOL_ZERO;
		info->dwMessageSize = v6 ? 65527 : 65507;
		return v6 ? "UDP/IPv6" : "UDP/IP";
	}
	info->dwMessageSize = 65535;
	return v6 ? "RAW/IPv6" : "RAW/IP";
}

static void widen(const char *from, WCHAR *to)
{
	do {
		*to++ = (WCHAR)*from;
	} while (*from++);
}

void wsock_duplicate_describe_a(int fd, DWORD token, LPWSAPROTOCOL_INFOA info)
{
	memset(info, 0, sizeof(*info));
	strcpy(info->szProtocol, describe(fd, token, info));
}

void wsock_duplicate_describe_w(int fd, DWORD token, LPWSAPROTOCOL_INFOW info)
{
	memset(info, 0, sizeof(*info));
	widen(describe(fd, token, (LPWSAPROTOCOL_INFOA)info), info->szProtocol);
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
