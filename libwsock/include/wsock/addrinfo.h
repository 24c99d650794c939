/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names to addresses and back, of ws2tcpip.h; wsock/netdb.h says where they are
 * looked up. The functions return 0 or an error, which is the last error too:
 * that of wsock/netdb.h, EAI_* (which are WSA errors), WSANOTINITIALISED, or
 * WSAEINTR when the final WSACleanup has ended the call. A names are UTF-8, W names
 * UTF-16; only ASCII can be found in DNS.
 */
#ifndef _WSOCK_ADDRINFO_H
#define _WSOCK_ADDRINFO_H

#include <winsock2.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Types and flags ---- */

struct wsock_addrinfo {
	int ai_flags;
	int ai_family;
	int ai_socktype;
	int ai_protocol;
	size_t ai_addrlen;
	char *ai_canonname;
	struct sockaddr *ai_addr;
	struct wsock_addrinfo *ai_next;
};
typedef struct wsock_addrinfo ADDRINFOA, *PADDRINFOA;

typedef struct addrinfoW {
	int ai_flags;
	int ai_family;
	int ai_socktype;
	int ai_protocol;
	size_t ai_addrlen;
	PWSTR ai_canonname;
	struct sockaddr *ai_addr;
	struct addrinfoW *ai_next;
} ADDRINFOW, *PADDRINFOW;

typedef struct addrinfoexA {
	int ai_flags;
	int ai_family;
	int ai_socktype;
	int ai_protocol;
	size_t ai_addrlen;
	char *ai_canonname;
	struct sockaddr *ai_addr;
	void *ai_blob;
	size_t ai_bloblen;
	LPGUID ai_provider;
	struct addrinfoexA *ai_next;
} ADDRINFOEXA, *PADDRINFOEXA, *LPADDRINFOEXA;

typedef struct addrinfoexW {
	int ai_flags;
	int ai_family;
	int ai_socktype;
	int ai_protocol;
	size_t ai_addrlen;
	PWSTR ai_canonname;
	struct sockaddr *ai_addr;
	void *ai_blob;
	size_t ai_bloblen;
	LPGUID ai_provider;
	struct addrinfoexW *ai_next;
} ADDRINFOEXW, *PADDRINFOEXW, *LPADDRINFOEXW;

#define WSOCK_AI_PASSIVE	0x00000001
#define WSOCK_AI_CANONNAME	0x00000002
#define WSOCK_AI_NUMERICHOST	0x00000004
#define WSOCK_AI_NUMERICSERV	0x00000008
#define WSOCK_AI_ALL		0x00000100
#define WSOCK_AI_ADDRCONFIG	0x00000400
#define WSOCK_AI_V4MAPPED	0x00000800
/* These change nothing here. */
#define AI_NON_AUTHORITATIVE		0x00004000
#define AI_SECURE			0x00008000
#define AI_RETURN_PREFERRED_NAMES	0x00010000
#define AI_DISABLE_IDN_ENCODING		0x00080000

#define WSOCK_NI_NOFQDN		0x01
#define WSOCK_NI_NUMERICHOST	0x02
#define WSOCK_NI_NAMEREQD	0x04
#define WSOCK_NI_NUMERICSERV	0x08
#define WSOCK_NI_DGRAM		0x10

/* Name spaces; GetAddrInfoEx has the first two. */
#define NS_ALL			0
#define NS_DNS			12

#define GAI_STRERROR_BUFFER_SIZE	1024

/* ---- Functions ---- */

/*
 * One entry for each address, and for each of TCP and UDP in which a service with
 * a name is known; ai_socktype and ai_protocol are otherwise those of the hints.
 * A node of NULL is the wildcard address with AI_PASSIVE and loopback without; ""
 * is this host.
 */
INT WSAAPI wsock_getaddrinfo(PCSTR pNodeName, PCSTR pServiceName,
			     const ADDRINFOA *pHints, PADDRINFOA *ppResult);
INT WSAAPI GetAddrInfoW(PCWSTR pNodeName, PCWSTR pServiceName,
			const ADDRINFOW *pHints, PADDRINFOW *ppResult);
VOID WSAAPI wsock_freeaddrinfo(PADDRINFOA pAddrInfo);
VOID WSAAPI FreeAddrInfoW(PADDRINFOW pAddrInfo);

/*
 * ERROR_INSUFFICIENT_BUFFER when a name has no room; a buffer of NULL or no
 * characters wants none. Without NI_NAMEREQD an address without a name is text.
 */
INT WSAAPI wsock_getnameinfo(const SOCKADDR *pSockaddr, int SockaddrLength,
			     char *pNodeBuffer, DWORD NodeBufferSize,
			     char *pServiceBuffer, DWORD ServiceBufferSize,
			     INT Flags);
INT WSAAPI GetNameInfoW(const SOCKADDR *pSockaddr, int SockaddrLength,
			PWSTR pNodeBuffer, DWORD NodeBufferSize,
			PWSTR pServiceBuffer, DWORD ServiceBufferSize,
			INT Flags);

typedef void (CALLBACK *LPLOOKUPSERVICE_COMPLETION_ROUTINE)(DWORD dwError,
	DWORD dwBytes, LPWSAOVERLAPPED lpOverlapped);

/*
 * With @lpOverlapped WSA_IO_PENDING: *@ppResult and @lpOverlapped belong to the
 * lookup until its end, when it signals hEvent or, with @lpCompletionRoutine,
 * calls that in the library's own thread, which is there while lookups are pending.
 * Neither happens to a lookup that the final WSACleanup ends. @lpHandle names it for
 * GetAddrInfoExCancel. @timeout ends it with WSAETIMEDOUT. The A function cannot
 * be overlapped, nor have a time-out.
 */
INT WSAAPI GetAddrInfoExW(PCWSTR pName, PCWSTR pServiceName, DWORD dwNameSpace,
			  LPGUID lpNspId, const ADDRINFOEXW *hints,
			  PADDRINFOEXW *ppResult, struct timeval *timeout,
			  LPOVERLAPPED lpOverlapped,
			  LPLOOKUPSERVICE_COMPLETION_ROUTINE lpCompletionRoutine,
			  LPHANDLE lpHandle);
INT WSAAPI GetAddrInfoExA(PCSTR pName, PCSTR pServiceName, DWORD dwNameSpace,
			  LPGUID lpNspId, const ADDRINFOEXA *hints,
			  PADDRINFOEXA *ppResult, struct timeval *timeout,
			  LPOVERLAPPED lpOverlapped,
			  LPLOOKUPSERVICE_COMPLETION_ROUTINE lpCompletionRoutine,
			  LPHANDLE lpNameHandle);
/* Its end: WSA_E_CANCELLED. WSA_INVALID_HANDLE for one that is over. */
INT WSAAPI GetAddrInfoExCancel(LPHANDLE lpHandle);
/* How it ended; WSAEINPROGRESS before. Works without WSAStartup. */
INT WSAAPI GetAddrInfoExOverlappedResult(LPOVERLAPPED lpOverlapped);
VOID WSAAPI FreeAddrInfoEx(PADDRINFOEXA pAddrInfoEx);
VOID WSAAPI FreeAddrInfoExW(PADDRINFOEXW pAddrInfoEx);

/* The text is the calling thread's. */
char * WSAAPI gai_strerrorA(int ecode);
WCHAR * WSAAPI gai_strerrorW(int ecode);

/* ---- Connecting by name ---- */

typedef struct _SOCKET_ADDRESS {
	LPSOCKADDR lpSockaddr;
	INT iSockaddrLength;
} SOCKET_ADDRESS, *PSOCKET_ADDRESS, *LPSOCKET_ADDRESS;

typedef struct _SOCKET_ADDRESS_LIST {
	INT iAddressCount;
	SOCKET_ADDRESS Address[1];
} SOCKET_ADDRESS_LIST, *PSOCKET_ADDRESS_LIST, *LPSOCKET_ADDRESS_LIST;

/*
 * Connects @s to the first address that answers, of those that the name has or of
 * the list, and writes what it is connected to. An IPv6 socket without
 * IPV6_V6ONLY takes IPv4 addresses, too. @timeout: for all of it, WSAETIMEDOUT;
 * but a lookup is not cut short.
 */
BOOL WSAAPI WSAConnectByNameA(SOCKET s, LPCSTR nodename, LPCSTR servicename,
			      LPDWORD LocalAddressLength,
			      LPSOCKADDR LocalAddress,
			      LPDWORD RemoteAddressLength,
			      LPSOCKADDR RemoteAddress,
			      const struct timeval *timeout,
			      LPWSAOVERLAPPED Reserved);
BOOL WSAAPI WSAConnectByNameW(SOCKET s, LPWSTR nodename, LPWSTR servicename,
			      LPDWORD LocalAddressLength,
			      LPSOCKADDR LocalAddress,
			      LPDWORD RemoteAddressLength,
			      LPSOCKADDR RemoteAddress,
			      const struct timeval *timeout,
			      LPWSAOVERLAPPED Reserved);
BOOL WSAAPI WSAConnectByList(SOCKET s, PSOCKET_ADDRESS_LIST SocketAddress,
			     LPDWORD LocalAddressLength,
			     LPSOCKADDR LocalAddress,
			     LPDWORD RemoteAddressLength,
			     LPSOCKADDR RemoteAddress,
			     const struct timeval *timeout,
			     LPWSAOVERLAPPED Reserved);

#ifdef __cplusplus
}
#endif

#define FreeAddrInfoExA	FreeAddrInfoEx
#define GetAddrInfoA	wsock_getaddrinfo
#define FreeAddrInfoA	wsock_freeaddrinfo
#define GetNameInfoA	wsock_getnameinfo

#ifndef WSOCK_NATIVE_NAMES
#define addrinfo	wsock_addrinfo
#define getaddrinfo	wsock_getaddrinfo
#define freeaddrinfo	wsock_freeaddrinfo
#define getnameinfo	wsock_getnameinfo
#undef AI_PASSIVE
#undef AI_CANONNAME
#undef AI_NUMERICHOST
#undef AI_NUMERICSERV
#undef AI_ALL
#undef AI_ADDRCONFIG
#undef AI_V4MAPPED
#define AI_PASSIVE	WSOCK_AI_PASSIVE
#define AI_CANONNAME	WSOCK_AI_CANONNAME
#define AI_NUMERICHOST	WSOCK_AI_NUMERICHOST
#define AI_NUMERICSERV	WSOCK_AI_NUMERICSERV
#define AI_ALL		WSOCK_AI_ALL
#define AI_ADDRCONFIG	WSOCK_AI_ADDRCONFIG
#define AI_V4MAPPED	WSOCK_AI_V4MAPPED
#undef NI_NOFQDN
#undef NI_NUMERICHOST
#undef NI_NAMEREQD
#undef NI_NUMERICSERV
#undef NI_DGRAM
#undef NI_MAXHOST
#undef NI_MAXSERV
#define NI_NOFQDN	WSOCK_NI_NOFQDN
#define NI_NUMERICHOST	WSOCK_NI_NUMERICHOST
#define NI_NAMEREQD	WSOCK_NI_NAMEREQD
#define NI_NUMERICSERV	WSOCK_NI_NUMERICSERV
#define NI_DGRAM	WSOCK_NI_DGRAM
#define NI_MAXHOST	1025
#define NI_MAXSERV	32
#undef EAI_AGAIN
#undef EAI_BADFLAGS
#undef EAI_FAIL
#undef EAI_FAMILY
#undef EAI_MEMORY
#undef EAI_NODATA
#undef EAI_NONAME
#undef EAI_SERVICE
#undef EAI_SOCKTYPE
#define EAI_AGAIN	WSATRY_AGAIN
#define EAI_BADFLAGS	WSAEINVAL
#define EAI_FAIL	WSANO_RECOVERY
#define EAI_FAMILY	WSAEAFNOSUPPORT
#define EAI_MEMORY	WSA_NOT_ENOUGH_MEMORY
#define EAI_NODATA	WSANO_DATA
#define EAI_NONAME	WSAHOST_NOT_FOUND
#define EAI_SERVICE	WSATYPE_NOT_FOUND
#define EAI_SOCKTYPE	WSAESOCKTNOSUPPORT
#ifdef UNICODE
#define gai_strerror	gai_strerrorW
#else
#define gai_strerror	gai_strerrorA
#endif
#endif

#ifdef UNICODE
typedef ADDRINFOW ADDRINFOT, *PADDRINFOT;
typedef ADDRINFOEXW ADDRINFOEX, *PADDRINFOEX;
#define GetAddrInfo	GetAddrInfoW
#define FreeAddrInfo	FreeAddrInfoW
#define GetNameInfo	GetNameInfoW
#define GetAddrInfoEx	GetAddrInfoExW
#define FreeAddrInfoEx	FreeAddrInfoExW
#define WSAConnectByName	WSAConnectByNameW
#else
typedef ADDRINFOA ADDRINFOT, *PADDRINFOT;
typedef ADDRINFOEXA ADDRINFOEX, *PADDRINFOEX;
#define GetAddrInfo	GetAddrInfoA
#define FreeAddrInfo	FreeAddrInfoA
#define GetNameInfo	GetNameInfoA
#define GetAddrInfoEx	GetAddrInfoExA
#define WSAConnectByName	WSAConnectByNameA
#endif

#endif /* _WSOCK_ADDRINFO_H */
