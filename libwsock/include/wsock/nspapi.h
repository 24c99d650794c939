/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Name spaces, of winsock2.h: services that are registered by name and found by
 * others. There is one name space, of this machine, a directory with a file for each
 * service: /var/lib/wsock/names, or what WSOCK_NAMES in the environment says. What is
 * registered there stays, also when the process has ended, until it is deleted.
 */
#ifndef _WSOCK_NSPAPI_H
#define _WSOCK_NSPAPI_H

#include <winsock2.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Registers the instance lpszServiceInstanceName (1 to 63 bytes in UTF-8) of the class
 * lpServiceClassId, with lpszComment and the local addresses of lpcsaBuffer (at most
 * 16); replaces what was registered under that name. The other two operations take it
 * back. dwNameSpace must be NS_ALL, @dwControlFlags 0. WSAEINVAL;
 * WSASERVICE_NOT_FOUND for what is not registered; WSAEACCES.
 */
INT WSAAPI WSASetServiceA(LPWSAQUERYSETA lpqsRegInfo,
			  WSAESETSERVICEOP essoperation, DWORD dwControlFlags);
INT WSAAPI WSASetServiceW(LPWSAQUERYSETW lpqsRegInfo,
			  WSAESETSERVICEOP essoperation, DWORD dwControlFlags);
/*
 * Finds the instances of a class, or with lpszServiceInstanceName the one of that
 * name. WSASERVICE_NOT_FOUND when there is none. The final WSACleanup ends it.
 */
INT WSAAPI WSALookupServiceBeginA(LPWSAQUERYSETA lpqsRestrictions,
				  DWORD dwControlFlags, LPHANDLE lphLookup);
INT WSAAPI WSALookupServiceBeginW(LPWSAQUERYSETW lpqsRestrictions,
				  DWORD dwControlFlags, LPHANDLE lphLookup);
/*
 * The next one, with what LUP_RETURN_* in @dwControlFlags ask for; what it points to
 * is in the buffer, too. WSA_E_NO_MORE; WSAEFAULT, with the length needed, when that
 * is too small: then it is still the next one.
 */
INT WSAAPI WSALookupServiceNextA(HANDLE hLookup, DWORD dwControlFlags,
				 LPDWORD lpdwBufferLength,
				 LPWSAQUERYSETA lpqsResults);
INT WSAAPI WSALookupServiceNextW(HANDLE hLookup, DWORD dwControlFlags,
				 LPDWORD lpdwBufferLength,
				 LPWSAQUERYSETW lpqsResults);
/* These two have WSA_INVALID_HANDLE for what is no lookup. */
INT WSAAPI WSALookupServiceEnd(HANDLE hLookup);

#ifdef UNICODE
#define WSASetService		WSASetServiceW
#define WSALookupServiceBegin	WSALookupServiceBeginW
#define WSALookupServiceNext	WSALookupServiceNextW
#else
#define WSASetService		WSASetServiceA
#define WSALookupServiceBegin	WSALookupServiceBeginA
#define WSALookupServiceNext	WSALookupServiceNextA
#endif

#ifdef __cplusplus
}
#endif

#endif /* _WSOCK_NSPAPI_H */
