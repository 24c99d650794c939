/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Winsock 2: what depends on TCP/IP. */
#ifndef _WS2TCPIP_H
#define _WS2TCPIP_H

#include <winsock2.h>
#include <ws2ipdef.h>
#include <netinet/tcp.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Seconds before the first keepalive probe. */
#ifndef TCP_KEEPALIVE
#define TCP_KEEPALIVE	TCP_KEEPIDLE
#endif

/* Options of IPPROTO_TCP that Linux does not have. */
#define TCP_EXPEDITED_1122	(0x10000 + 2)
#define TCP_BSDURGENT		0x7000
/* Until unacknowledged data end the connection: seconds, milliseconds. */
#define TCP_MAXRT		(0x10000 + 5)
#define TCP_MAXRTMS		(0x10000 + 14)

/* An option of IPPROTO_UDP: a BOOL. */
#define UDP_NOCHECKSUM		(0x10000 + 1)
/*
 * Bytes of each datagram that one send is cut into, 0 for one datagram: Linux's
 * UDP_SEGMENT. Whether datagrams may be received several at a time, as Linux joins
 * them; their size is then in control data of UDP_COALESCED_INFO, a DWORD: UDP_GRO,
 * which is 0 or 1 where Windows has the largest size.
 */
#define UDP_SEND_MSG_SIZE		103
#define UDP_RECV_MAX_COALESCED_SIZE	104
#define UDP_COALESCED_INFO		104

/* ---- getaddrinfo and getnameinfo: not <netdb.h>'s numbers ---- */

#define WSOCK_NI_NOFQDN		0x01
#define WSOCK_NI_NUMERICHOST	0x02
#define WSOCK_NI_NAMEREQD	0x04
#define WSOCK_NI_NUMERICSERV	0x08
#define WSOCK_NI_DGRAM		0x10
#ifndef WSOCK_NATIVE_NAMES
#undef NI_NOFQDN
#define NI_NOFQDN		WSOCK_NI_NOFQDN
#undef NI_NUMERICHOST
#define NI_NUMERICHOST		WSOCK_NI_NUMERICHOST
#undef NI_NAMEREQD
#define NI_NAMEREQD		WSOCK_NI_NAMEREQD
#undef NI_NUMERICSERV
#define NI_NUMERICSERV		WSOCK_NI_NUMERICSERV
#undef NI_DGRAM
#define NI_DGRAM		WSOCK_NI_DGRAM
#endif
#ifndef NI_MAXHOST
#define NI_MAXHOST		1025
#endif
#ifndef NI_MAXSERV
#define NI_MAXSERV		32
#endif
#define GAI_STRERROR_BUFFER_SIZE	1024

#ifndef WSOCK_NATIVE_NAMES
#undef EAI_AGAIN
#undef EAI_BADFLAGS
#undef EAI_FAIL
#undef EAI_FAMILY
#undef EAI_MEMORY
#undef EAI_NODATA
#undef EAI_NONAME
#undef EAI_SERVICE
#undef EAI_SOCKTYPE
#define EAI_AGAIN		WSATRY_AGAIN
#define EAI_BADFLAGS		WSAEINVAL
#define EAI_FAIL		WSANO_RECOVERY
#define EAI_FAMILY		WSAEAFNOSUPPORT
#define EAI_MEMORY		WSA_NOT_ENOUGH_MEMORY
#define EAI_NODATA		WSANO_DATA
#define EAI_NONAME		WSAHOST_NOT_FOUND
#define EAI_SERVICE		WSATYPE_NOT_FOUND
#define EAI_SOCKTYPE		WSAESOCKTNOSUPPORT
#endif

#ifndef WSOCK_NATIVE_NAMES
#undef INET_ADDRSTRLEN
#undef INET6_ADDRSTRLEN
#define INET_ADDRSTRLEN		22
#define INET6_ADDRSTRLEN	65
#endif

/*
 * Returns 1, 0 when @src is not an address of the family, or -1 with
 * WSAEAFNOSUPPORT or WSAEFAULT. Works without WSAStartup.
 */
INT WSAAPI wsock_inet_pton(INT af, PCSTR src, PVOID dst);
/*
 * Returns @dst, or NULL with WSAEAFNOSUPPORT, WSAEFAULT or, when @size (bytes)
 * is too small, ERROR_INVALID_PARAMETER. Works without WSAStartup.
 */
PCSTR WSAAPI wsock_inet_ntop(INT af, const VOID *src, PSTR dst, size_t size);
/* The same in UTF-16, @StringBufSize in characters. */
INT WSAAPI InetPtonW(INT Family, PCWSTR pszAddrString, PVOID pAddrBuf);
PCWSTR WSAAPI InetNtopW(INT Family, const VOID *pAddr, PWSTR pStringBuf,
			size_t StringBufSize);

/* ---- Options of IPPROTO_UDP by functions: as getsockopt and setsockopt ---- */

static inline int WSAGetUdpSendMessageSize(SOCKET s, DWORD *MsgSize)
{
	int len = (int)sizeof(*MsgSize);

	return _WSOCK_BSD(getsockopt)(s, IPPROTO_UDP, UDP_SEND_MSG_SIZE, (char *)MsgSize, &len);
}

static inline int WSASetUdpSendMessageSize(SOCKET s, DWORD MsgSize)
{
	return _WSOCK_BSD(setsockopt)(s, IPPROTO_UDP, UDP_SEND_MSG_SIZE, (const char *)&MsgSize,
				(int)sizeof(MsgSize));
}

static inline int WSAGetUdpRecvMaxCoalescedSize(SOCKET s, DWORD *MsgSize)
{
	int len = (int)sizeof(*MsgSize);

	return _WSOCK_BSD(getsockopt)(s, IPPROTO_UDP, UDP_RECV_MAX_COALESCED_SIZE,
				(char *)MsgSize, &len);
}

static inline int WSASetUdpRecvMaxCoalescedSize(SOCKET s, DWORD MsgSize)
{
	return _WSOCK_BSD(setsockopt)(s, IPPROTO_UDP, UDP_RECV_MAX_COALESCED_SIZE,
				(const char *)&MsgSize, (int)sizeof(MsgSize));
}

#ifdef __cplusplus
}
#endif

#ifndef WSOCK_NATIVE_NAMES
#define inet_pton	wsock_inet_pton
#define inet_ntop	wsock_inet_ntop
#endif
#define InetPtonA	wsock_inet_pton
#define InetNtopA	wsock_inet_ntop
#ifdef UNICODE
#define InetPton	InetPtonW
#define InetNtop	InetNtopW
#else
#define InetPton	InetPtonA
#define InetNtop	InetNtopA
#endif

#include <wsock/addrinfo.h>

#endif /* _WS2TCPIP_H */
