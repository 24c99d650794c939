// SPDX-License-Identifier: LGPL-2.1-or-later
/* The protocols there are sockets for, and their descriptions. */
#include "internal.h"

#include <netinet/in.h>
#include <nspapi.h>
#include <stddef.h>
#include <ws2spi.h>

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

#define LIBRARY_FILE	"libwsock.so.1"

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

static size_t count_wanted(const INT *protocols)
{
	size_t i, n = 0;

	for (i = 0; i < ENTRIES; i++)
		n += is_wanted(&catalog[i], protocols);
	return n;
}

/* 0 with *@written, or the error. */
static int put_protocols(const INT *protocols, void *buffer, LPDWORD length,
			 bool wide, int *written)
{
	size_t i, n = count_wanted(protocols), size = info_size(wide);
	char *at = buffer;

	if (!length)
		return WSAEFAULT;
	if (*length < n * size) {
		*length = (DWORD)(n * size);
		return WSAENOBUFS;
	}
	if (n && !buffer)
		return WSAEFAULT;
	for (i = 0; i < ENTRIES; i++) {
		if (!is_wanted(&catalog[i], protocols))
			continue;
		fill(&catalog[i], (LPWSAPROTOCOL_INFOA)(void *)at, wide);
		at += size;
	}
	*written = (int)n;
	return 0;
}

static int enum_protocols(const INT *protocols, void *buffer, LPDWORD length,
			  bool wide)
{
	struct wsock_call call;
	int error, n;

	if (!wsock_call_enter(&call, INVALID_SOCKET))
		return SOCKET_ERROR;
	error = put_protocols(protocols, buffer, length, wide, &n);
	return error ? wsock_error_set(error) : n;
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

/* ---- Providers ---- */

static int tell_error(LPINT place, int error)
{
	if (place)
		*place = error;
	return SOCKET_ERROR;
}

WSOCK_EXPORT int WSAAPI WSCEnumProtocols(LPINT lpiProtocols,
					 LPWSAPROTOCOL_INFOW lpProtocolBuffer,
					 LPDWORD lpdwBufferLength,
					 LPINT lpErrno)
{
	int n, error = put_protocols(lpiProtocols, lpProtocolBuffer,
				     lpdwBufferLength, true, &n);

	return error ? tell_error(lpErrno, error) : n;
}

WSOCK_EXPORT int WSAAPI WSCGetProviderPath(LPGUID lpProviderId,
					   WCHAR *lpszProviderDllPath,
					   LPINT lpProviderDllPathLen,
					   LPINT lpErrno)
{
	size_t room;

	if (!lpProviderId || !lpProviderDllPathLen ||
	    (!lpszProviderDllPath && *lpProviderDllPathLen))
		return tell_error(lpErrno, WSAEFAULT);
	if (memcmp(lpProviderId, &provider_v4, sizeof(provider_v4)) != 0 &&
	    memcmp(lpProviderId, &provider_v6, sizeof(provider_v6)) != 0)
		return tell_error(lpErrno, WSAEINVAL);
	room = *lpProviderDllPathLen > 0 ? (size_t)*lpProviderDllPathLen : 0;
	*lpProviderDllPathLen = sizeof(LIBRARY_FILE);
	return wsock_text_put(LIBRARY_FILE, true, lpszProviderDllPath, room) >
			       room ?
		       tell_error(lpErrno, WSAEFAULT) : 0;
}

/* ---- Winsock 1.1 ---- */

_Static_assert(sizeof(PROTOCOL_INFOA) == sizeof(PROTOCOL_INFOW) &&
	       XP_SUPPORTS_MULTICAST == XP1_SUPPORT_MULTIPOINT, "one kind");

/* Of what Winsock 2 tells of a protocol. */
#define SERVICES_1	(2 * XP_SUPPORTS_MULTICAST - 1)

static INT enum_protocols_1(const INT *protocols, void *buffer, LPDWORD length,
			    bool wide)
{
	size_t i, size = 0, n = count_wanted(protocols);
	size_t width = wide ? sizeof(WCHAR) : 1;
	LPPROTOCOL_INFOA info = buffer;
	char *text;

	if (!length)
		return wsock_error_set(WSAEFAULT);
	for (i = 0; i < ENTRIES; i++)
		if (is_wanted(&catalog[i], protocols))
			size += sizeof(*info) +
				(strlen(catalog[i].name) + 1) * width;
	if (*length < size || (size && !buffer)) {
		*length = (DWORD)size;
		return wsock_error_set(ERROR_INSUFFICIENT_BUFFER);
	}
	text = (char *)buffer + n * sizeof(*info);
	for (i = 0; i < ENTRIES; i++) {
		WSAPROTOCOL_INFOA from;

		if (!is_wanted(&catalog[i], protocols))
			continue;
		fill(&catalog[i], &from, false);
		*info++ = (PROTOCOL_INFOA){
			.dwServiceFlags = from.dwServiceFlags1 & SERVICES_1,
			.iAddressFamily = from.iAddressFamily,
			.iMaxSockAddr = from.iMaxSockAddr,
			.iMinSockAddr = from.iMinSockAddr,
			.iSocketType = from.iSocketType,
			.iProtocol = from.iProtocol,
			.dwMessageSize = from.dwMessageSize,
			.lpProtocol = text,
		};
		text += width * wsock_text_put(catalog[i].name, wide, text,
					       WSAPROTOCOL_LEN + 1);
	}
	return (INT)n;
}

WSOCK_EXPORT INT WSAAPI EnumProtocolsA(LPINT lpiProtocols,
				       LPVOID lpProtocolBuffer,
				       LPDWORD lpdwBufferLength)
{
	return enum_protocols_1(lpiProtocols, lpProtocolBuffer,
				lpdwBufferLength, false);
}

WSOCK_EXPORT INT WSAAPI EnumProtocolsW(LPINT lpiProtocols,
				       LPVOID lpProtocolBuffer,
				       LPDWORD lpdwBufferLength)
{
	return enum_protocols_1(lpiProtocols, lpProtocolBuffer,
				lpdwBufferLength, true);
}
