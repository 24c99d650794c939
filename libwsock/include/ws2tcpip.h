/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Winsock 2: what depends on TCP/IP. */
#ifndef _WS2TCPIP_H
#define _WS2TCPIP_H

#include <winsock2.h>
#include <netinet/tcp.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct in6_addr IN6_ADDR, *PIN6_ADDR, *LPIN6_ADDR;
typedef struct sockaddr_in6 SOCKADDR_IN6, *PSOCKADDR_IN6, *LPSOCKADDR_IN6;

/* Seconds before the first keepalive probe. */
#ifndef TCP_KEEPALIVE
#define TCP_KEEPALIVE	TCP_KEEPIDLE
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
