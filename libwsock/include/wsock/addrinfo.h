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

/*
 * Gives a name (1 to 63 bytes in UTF-8) these addresses, at most 16, in this machine's
 * name space (see WSASetService): GetAddrInfoEx finds them with NS_ALL, before it asks
 * others, until they are taken back, with none. @dwNameSpace must be NS_ALL; @dwFlags
 * and all from @timeout on must be 0. They return 0, WSASERVICE_NOT_FOUND (another
 * name space, or nothing to take back), WSAEOPNOTSUPP with @pServiceName or @lpBlob,
 * WSAEINVAL or WSAEACCES.
 */
INT WSAAPI SetAddrInfoExA(PCSTR pName, PCSTR pServiceName, SOCKET_ADDRESS *pAddresses,
			  DWORD dwAddressCount, LPBLOB lpBlob, DWORD dwFlags,
			  DWORD dwNameSpace, LPGUID lpNspId, struct timeval *timeout,
			  LPOVERLAPPED lpOverlapped,
			  LPLOOKUPSERVICE_COMPLETION_ROUTINE lpCompletionRoutine,
			  LPHANDLE lpNameHandle);
INT WSAAPI SetAddrInfoExW(PCWSTR pName, PCWSTR pServiceName, SOCKET_ADDRESS *pAddresses,
			  DWORD dwAddressCount, LPBLOB lpBlob, DWORD dwFlags,
			  DWORD dwNameSpace, LPGUID lpNspId, struct timeval *timeout,
			  LPOVERLAPPED lpOverlapped,
			  LPLOOKUPSERVICE_COMPLETION_ROUTINE lpCompletionRoutine,
			  LPHANDLE lpNameHandle);

/* The text is the calling thread's. */
char * WSAAPI gai_strerrorA(int ecode);
WCHAR * WSAAPI gai_strerrorW(int ecode);

/* ---- Connecting by name ---- */

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
#define getaddrinfo	wsock_getaddrinfo
#define freeaddrinfo	wsock_freeaddrinfo
#define getnameinfo	wsock_getnameinfo
#ifdef UNICODE
#define gai_strerror	gai_strerrorW
#else
#define gai_strerror	gai_strerrorA
#endif
#endif

#ifdef UNICODE
#define GetAddrInfo	GetAddrInfoW
#define FreeAddrInfo	FreeAddrInfoW
#define GetNameInfo	GetNameInfoW
#define GetAddrInfoEx	GetAddrInfoExW
#define SetAddrInfoEx	SetAddrInfoExW
#define FreeAddrInfoEx	FreeAddrInfoExW
#define WSAConnectByName	WSAConnectByNameW
#else
#define GetAddrInfo	GetAddrInfoA
#define FreeAddrInfo	FreeAddrInfoA
#define GetNameInfo	GetNameInfoA
#define GetAddrInfoEx	GetAddrInfoExA
#define SetAddrInfoEx	SetAddrInfoExA
#define WSAConnectByName	WSAConnectByNameA
#endif

#endif /* _WSOCK_ADDRINFO_H */
