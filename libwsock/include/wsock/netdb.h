/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of hosts, services and protocols, of winsock.h and winsock2.h. <netdb.h>
 * counts as included afterwards; what it declares under these names is native and
 * hidden, as wsock/bsd.h says.
 *
 * Hosts are looked up in /etc/hosts and DNS as c-ares does it (resolv.conf(5),
 * host.conf(5)), not by NSS; services and protocols are the C library's.
 */
#ifndef _WSOCK_NETDB_H
#define _WSOCK_NETDB_H

#include <netdb.h>
#include <windef.h>
#include <winerror.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * These return a structure of the calling thread, which its next such call and the
 * final WSACleanup overwrite or free; or NULL. WSAHOST_NOT_FOUND, WSATRY_AGAIN
 * (no server has answered), WSANO_RECOVERY, WSANO_DATA (there is the name, but
 * not with such data; or no such service or protocol).
 */
/* IPv4 addresses. NULL and "" are this host, as is its name. */
struct wsock_hostent * WSAAPI wsock_gethostbyname(const char *name);
struct wsock_hostent * WSAAPI wsock_gethostbyaddr(const char *addr, int len,
						  int type);
/* @proto NULL: any. Ports are in network byte order. */
struct wsock_servent * WSAAPI wsock_getservbyname(const char *name,
						  const char *proto);
struct wsock_servent * WSAAPI wsock_getservbyport(int port, const char *proto);
struct wsock_protoent * WSAAPI wsock_getprotobyname(const char *name);
struct wsock_protoent * WSAAPI wsock_getprotobynumber(int number);

#ifdef __cplusplus
}
#endif

#ifndef WSOCK_NATIVE_NAMES
#define gethostbyname		wsock_gethostbyname
#define gethostbyaddr		wsock_gethostbyaddr
#define getservbyname		wsock_getservbyname
#define getservbyport		wsock_getservbyport
#define getprotobyname		wsock_getprotobyname
#define getprotobynumber	wsock_getprotobynumber
#endif

#endif /* _WSOCK_NETDB_H */
