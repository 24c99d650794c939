// SPDX-License-Identifier: LGPL-2.1-or-later
/* The protocols there are sockets for, and their descriptions. */
#include "internal.h"

#include <netinet/in.h>
#include <stddef.h>

/* Both kinds have one layout up to the protocol's name. */
_Static_assert(offsetof(WSAPROTOCOL_INFOA, szProtocol) ==
	       offsetof(WSAPROTOCOL_INFOW, szProtocol), "one head");

#define FIRST_ENTRY_ID	1001

static const struct protocol {
	int family;
	int type;
	int protocol;
	DWORD services;
	DWORD flags;
	DWORD message_size;
	const char *name;
} catalog[] = {
#define STREAM	(XP1_GUARANTEED_DELIVERY | XP1_GUARANTEED_ORDER | \
		 XP1_GRACEFUL_CLOSE | XP1_EXPEDITED_DATA | XP1_IFS_HANDLES)
#define PACKET	(XP1_CONNECTIONLESS | XP1_MESSAGE_ORIENTED | \
		 XP1_SUPPORT_BROADCAST | XP1_SUPPORT_MULTIPOINT | \
		 XP1_IFS_HANDLES)
#define ZERO	PFL_MATCHES_PROTOCOL_ZERO
	{ AF_INET, SOCK_STREAM, IPPROTO_TCP, STREAM, ZERO, 0, "TCP/IP" },
	{ AF_INET, SOCK_DGRAM, IPPROTO_UDP, PACKET, ZERO, 65507, "UDP/IP" },
	{ AF_INET, SOCK_RAW, 0, PACKET, ZERO | PFL_HIDDEN, 65535, "RAW/IP" },
	{ AF_INET6, SOCK_STREAM, IPPROTO_TCP, STREAM, ZERO, 0, "TCP/IPv6" },
	{ AF_INET6, SOCK_DGRAM, IPPROTO_UDP, PACKET, ZERO, 65527, "UDP/IPv6" },
	{ AF_INET6, SOCK_RAW, 0, PACKET, ZERO | PFL_HIDDEN, 65535, "RAW/IPv6" },
};

#define ENTRIES	(sizeof(catalog) / sizeof(catalog[0]))

/* As on Windows, one for each family. */
static const GUID provider_v4 = {
	0xe70f1aa0, 0xab8b, 0x11cf,
	{ 0x8c, 0xa3, 0x00, 0x80, 0x5f, 0x48, 0xa1, 0x92 }
};
static const GUID provider_v6 = {
	0xf9eab0c0, 0x26d4, 0x11d0,
	{ 0xbb, 0xbf, 0x00, 0xaa, 0x00, 0x6c, 0x34, 0xe4 }
};

static size_t info_size(bool wide)
{
	return wide ? sizeof(WSAPROTOCOL_INFOW) : sizeof(WSAPROTOCOL_INFOA);
}

static void fill(const struct protocol *p, LPWSAPROTOCOL_INFOA info, bool wide)
{
	bool v6 = p->family == AF_INET6;

	memset(info, 0, info_size(wide));
	info->dwServiceFlags1 = p->services;
	info->dwProviderFlags = p->flags;
	info->ProviderId = v6 ? provider_v6 : provider_v4;
	info->dwCatalogEntryId = FIRST_ENTRY_ID + (DWORD)(p - catalog);
	info->ProtocolChain.ChainLen = 1;
	info->iVersion = 2;
	info->iAddressFamily = p->family;
	info->iMaxSockAddr = v6 ? sizeof(struct sockaddr_in6) :
				  sizeof(struct sockaddr_in);
	info->iMinSockAddr = info->iMaxSockAddr;
	info->iSocketType = p->type;
	info->iProtocol = p->protocol;
	info->iProtocolMaxOffset = p->type == SOCK_RAW ? 255 : 0;
	info->iNetworkByteOrder = BIGENDIAN;
	info->iSecurityScheme = SECURITY_PROTOCOL_NONE;
	info->dwMessageSize = p->message_size;
	wsock_text_put(p->name, wide, info->szProtocol, WSAPROTOCOL_LEN + 1);
}

void wsock_catalog_describe(int family, int type, LPWSAPROTOCOL_INFOA info,
			    bool wide)
{
	size_t i = 0;

	/* A kind of socket that is not there is like raw ones. */
	while (i < ENTRIES - 1 &&
	       (catalog[i].family != family ||
		(catalog[i].type != type && catalog[i].type != SOCK_RAW)))
		i++;
	fill(&catalog[i], info, wide);
}

static bool is_wanted(const struct protocol *p, const INT *protocols)
{
	if (!protocols)
		return true;
	while (*protocols && *protocols != p->protocol)
		protocols++;
	return *protocols;
}

static int enum_protocols(const INT *protocols, void *buffer, LPDWORD length,
			  bool wide)
{
	size_t i, n = 0, size = info_size(wide);
	struct wsock_call call;
	char *at = buffer;

	if (!wsock_call_enter(&call, INVALID_SOCKET))
		return SOCKET_ERROR;
	if (!length)
		return wsock_error_set(WSAEFAULT);
	for (i = 0; i < ENTRIES; i++)
		n += is_wanted(&catalog[i], protocols);
	if (*length < n * size) {
		*length = (DWORD)(n * size);
		return wsock_error_set(WSAENOBUFS);
	}
	if (n && !buffer)
		return wsock_error_set(WSAEFAULT);
	for (i = 0; i < ENTRIES; i++) {
		if (!is_wanted(&catalog[i], protocols))
			continue;
		fill(&catalog[i], (LPWSAPROTOCOL_INFOA)(void *)at, wide);
		at += size;
	}
	return (int)n;
}

WSOCK_EXPORT int WSAAPI WSAEnumProtocolsA(LPINT lpiProtocols,
					  LPWSAPROTOCOL_INFOA lpProtocolBuffer,
					  LPDWORD lpdwBufferLength)
{
	return enum_protocols(lpiProtocols, lpProtocolBuffer, lpdwBufferLength,
			      false);
}

WSOCK_EXPORT int WSAAPI WSAEnumProtocolsW(LPINT lpiProtocols,
					  LPWSAPROTOCOL_INFOW lpProtocolBuffer,
					  LPDWORD lpdwBufferLength)
{
	return enum_protocols(lpiProtocols, lpProtocolBuffer, lpdwBufferLength,
			      true);
}
