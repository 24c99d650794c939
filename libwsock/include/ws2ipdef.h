/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Winsock 2: options and structures of IPv4 and IPv6. */
#ifndef _WS2IPDEF_
#define _WS2IPDEF_

#include <ws2def.h>
#include <net/if.h>

/* ---- Options of the levels IPPROTO_IP and IPPROTO_IPV6 ---- */

/*
 * Those that Linux does not have. The number is Windows' and 0x10000, beyond all
 * of Linux's; WSAENOPROTOOPT for those that the library does not do either.
 */
#define IP_DONTFRAGMENT		(0x10000 + 14)
#define IP_HOPLIMIT		IP_RECVTTL
#define IP_RECEIVE_BROADCAST	(0x10000 + 22)
#define IP_RECVIF		(0x10000 + 24)
#define IP_RECVDSTADDR		(0x10000 + 25)
#define IP_IFLIST		(0x10000 + 28)
#define IP_ADD_IFLIST		(0x10000 + 29)
#define IP_DEL_IFLIST		(0x10000 + 30)
#define IP_RTHDR		(0x10000 + 32)
#define IP_GET_IFLIST		(0x10000 + 33)
#define IP_RECVRTHDR		(0x10000 + 38)
#define IP_TCLASS		IP_TOS
#define IP_RECVTCLASS		IP_RECVTOS
#define IP_ORIGINAL_ARRIVAL_IF	(0x10000 + 47)
#define IP_ECN			(0x10000 + 50)
#define IP_PKTINFO_EX		(0x10000 + 51)
#define IP_WFP_REDIRECT_RECORDS	(0x10000 + 60)
#define IP_WFP_REDIRECT_CONTEXT	(0x10000 + 70)
#define IP_NRT_INTERFACE	(0x10000 + 74)
#define IP_USER_MTU		(0x10000 + 76)
#define IPV6_PROTECTION_LEVEL	(0x10000 + 23)
#define IPV6_RECVIF		(0x10000 + 24)
#define IPV6_RECVDSTADDR	(0x10000 + 25)
#define IPV6_IFLIST		(0x10000 + 28)
#define IPV6_ADD_IFLIST		(0x10000 + 29)
#define IPV6_DEL_IFLIST		(0x10000 + 30)
#define IPV6_GET_IFLIST		(0x10000 + 33)
#define IPV6_ECN		(0x10000 + 50)
#define IPV6_PKTINFO_EX		(0x10000 + 51)
#define IPV6_WFP_REDIRECT_RECORDS	(0x10000 + 60)
#define IPV6_WFP_REDIRECT_CONTEXT	(0x10000 + 70)
#define IPV6_NRT_INTERFACE	(0x10000 + 74)
#define IPV6_USER_MTU		(0x10000 + 76)

#define PROTECTION_LEVEL_UNRESTRICTED	10
#define PROTECTION_LEVEL_EDGERESTRICTED	20
#define PROTECTION_LEVEL_RESTRICTED	30
#define PROTECTION_LEVEL_DEFAULT	((UINT)-1)

/* IP_MTU_DISCOVER is IP_PMTUDISC_*, with Linux's numbers. */
#define IP_PMTUDISC_NOT_SET	IP_PMTUDISC_WANT
typedef int PMTUD_STATE, *PPMTUD_STATE;

/* ---- Structures ---- */

/* <netinet/in.h> keeps them back from programs in strict ISO C. */
#ifndef __USE_MISC
struct ip_mreq {
	struct in_addr imr_multiaddr;
	struct in_addr imr_interface;
};

struct ip_mreq_source {
	struct in_addr imr_multiaddr;
	struct in_addr imr_interface;
	struct in_addr imr_sourceaddr;
};

struct group_req {
	uint32_t gr_interface;
	struct sockaddr_storage gr_group;
};

struct group_source_req {
	uint32_t gsr_interface;
	struct sockaddr_storage gsr_group;
	struct sockaddr_storage gsr_source;
};

struct in_pktinfo {
	int ipi_ifindex;
	struct in_addr ipi_spec_dst;
	struct in_addr ipi_addr;
};
#endif
#ifndef __USE_GNU
struct in6_pktinfo {
	struct in6_addr ipi6_addr;
	unsigned int ipi6_ifindex;
};
#endif

typedef struct ip_mreq IP_MREQ, *PIP_MREQ;
typedef struct ip_mreq_source IP_MREQ_SOURCE, *PIP_MREQ_SOURCE;
typedef struct ipv6_mreq IPV6_MREQ, *PIPV6_MREQ;
typedef struct group_req GROUP_REQ, *PGROUP_REQ;
typedef struct group_source_req GROUP_SOURCE_REQ, *PGROUP_SOURCE_REQ;
typedef struct in_pktinfo IN_PKTINFO, *PIN_PKTINFO;
typedef struct in6_pktinfo IN6_PKTINFO, *PIN6_PKTINFO;
typedef struct in6_addr IN6_ADDR, *PIN6_ADDR, *LPIN6_ADDR;
typedef struct sockaddr_in6 SOCKADDR_IN6, *PSOCKADDR_IN6, *LPSOCKADDR_IN6,
	SOCKADDR_IN6_LH, *PSOCKADDR_IN6_LH;

typedef union _SOCKADDR_INET {
	SOCKADDR_IN Ipv4;
	SOCKADDR_IN6 Ipv6;
	ADDRESS_FAMILY si_family;
} SOCKADDR_INET, *PSOCKADDR_INET;

/* ---- Interfaces, as SIO_GET_INTERFACE_LIST tells them ---- */

#define SIO_GET_INTERFACE_LIST	0x4004747fU

#define WSOCK_IFF_UP		0x00000001
#define WSOCK_IFF_BROADCAST	0x00000002
#define WSOCK_IFF_LOOPBACK	0x00000004
#define WSOCK_IFF_POINTTOPOINT	0x00000008
#define WSOCK_IFF_MULTICAST	0x00000010
#ifndef WSOCK_NATIVE_NAMES
#undef IFF_UP
#undef IFF_BROADCAST
#undef IFF_LOOPBACK
#undef IFF_MULTICAST
#define IFF_UP			WSOCK_IFF_UP
#define IFF_BROADCAST		WSOCK_IFF_BROADCAST
#define IFF_LOOPBACK		WSOCK_IFF_LOOPBACK
#define IFF_POINTTOPOINT	WSOCK_IFF_POINTTOPOINT
#define IFF_MULTICAST		WSOCK_IFF_MULTICAST
#endif

/* Without the scope. */
struct sockaddr_in6_old {
	SHORT sin6_family;
	USHORT sin6_port;
	ULONG sin6_flowinfo;
	struct in6_addr sin6_addr;
};

typedef union sockaddr_gen {
	struct sockaddr Address;
	struct sockaddr_in AddressIn;
	struct sockaddr_in6_old AddressIn6;
} sockaddr_gen;

typedef struct _INTERFACE_INFO {
	ULONG iiFlags;
	sockaddr_gen iiAddress;
	sockaddr_gen iiBroadcastAddress;
	sockaddr_gen iiNetmask;
} INTERFACE_INFO, *LPINTERFACE_INFO;

#endif /* _WS2IPDEF_ */
