/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The catalog of providers. What else this header has on Windows is for programs that
 * are a provider: a SOCKET is Linux's here, and nothing can be layered over it.
 */
#ifndef _WINSOCK2SPI_
#define _WINSOCK2SPI_

#include <winsock2.h>

#ifdef __cplusplus
extern "C" {
#endif

/* As WSAEnumProtocolsW, but needs no WSAStartup; the error is *@lpErrno. */
int WSAAPI WSCEnumProtocols(LPINT lpiProtocols,
			    LPWSAPROTOCOL_INFOW lpProtocolBuffer,
			    LPDWORD lpdwBufferLength, LPINT lpErrno);
/*
 * The file of a provider of the catalog, and its length in characters with the NUL.
 * 0, or SOCKET_ERROR with *@lpErrno: WSAEINVAL for no provider of ours, WSAEFAULT,
 * with the length, for too little room.
 */
int WSAAPI WSCGetProviderPath(LPGUID lpProviderId, WCHAR *lpszProviderDllPath,
			      LPINT lpProviderDllPathLen, LPINT lpErrno);

#ifdef __cplusplus
}
#endif

#endif /* _WINSOCK2SPI_ */
