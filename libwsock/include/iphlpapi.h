/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Of the IP Helper library there are if_nametoindex and if_indextoname, which are
 * Linux's; and the types of GetAdaptersAddresses, for programs that look for that
 * by name and can do without.
 */
#ifndef __IPHLPAPI_H__
#define __IPHLPAPI_H__

#include <ws2ipdef.h>

#define GAA_FLAG_SKIP_UNICAST		0x0001
#define GAA_FLAG_SKIP_ANYCAST		0x0002
#define GAA_FLAG_SKIP_MULTICAST		0x0004
#define GAA_FLAG_SKIP_DNS_SERVER	0x0008

typedef struct _IP_ADAPTER_UNICAST_ADDRESS {
	ULONG Length;
	DWORD Flags;
	struct _IP_ADAPTER_UNICAST_ADDRESS *Next;
	SOCKET_ADDRESS Address;
} IP_ADAPTER_UNICAST_ADDRESS, *PIP_ADAPTER_UNICAST_ADDRESS;

typedef struct _IP_ADAPTER_ADDRESSES {
	ULONG Length;
	DWORD IfIndex;
	struct _IP_ADAPTER_ADDRESSES *Next;
	PCHAR AdapterName;
	PIP_ADAPTER_UNICAST_ADDRESS FirstUnicastAddress;
} IP_ADAPTER_ADDRESSES, *PIP_ADAPTER_ADDRESSES;

#endif /* __IPHLPAPI_H__ */
