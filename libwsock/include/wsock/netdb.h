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
#include <wsock/windef.h>
#include <wsock/winerror.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wsock_hostent {
	char *h_name;
	char **h_aliases;
	short h_addrtype;
	short h_length;
	char **h_addr_list;
};
typedef struct wsock_hostent HOSTENT, *PHOSTENT, *LPHOSTENT;

struct wsock_servent {
	char *s_name;
	char **s_aliases;
	char *s_proto;
	short s_port;
};
typedef struct wsock_servent SERVENT, *PSERVENT, *LPSERVENT;

struct wsock_protoent {
	char *p_name;
	char **p_aliases;
	short p_proto;
};
typedef struct wsock_protoent PROTOENT, *PPROTOENT, *LPPROTOENT;

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
#define hostent			wsock_hostent
#define servent			wsock_servent
#define protoent		wsock_protoent
#define gethostbyname		wsock_gethostbyname
#define gethostbyaddr		wsock_gethostbyaddr
#define getservbyname		wsock_getservbyname
#define getservbyport		wsock_getservbyport
#define getprotobyname		wsock_getprotobyname
#define getprotobynumber	wsock_getprotobynumber
#undef h_addr
#define h_addr			h_addr_list[0]
#undef h_errno
#undef HOST_NOT_FOUND
#undef TRY_AGAIN
#undef NO_RECOVERY
#undef NO_DATA
#undef NO_ADDRESS
#define h_errno			WSAGetLastError()
#define HOST_NOT_FOUND		WSAHOST_NOT_FOUND
#define TRY_AGAIN		WSATRY_AGAIN
#define NO_RECOVERY		WSANO_RECOVERY
#define NO_DATA			WSANO_DATA
#define NO_ADDRESS		WSANO_ADDRESS
#endif

#endif /* _WSOCK_NETDB_H */
