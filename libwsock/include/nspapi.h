/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Winsock 1.1's catalog of protocols. */
#ifndef _NSPAPI_INCLUDED
#define _NSPAPI_INCLUDED

#include <winsock2.h>

#ifdef __cplusplus
extern "C" {
#endif

#define XP_CONNECTIONLESS	0x00000001
#define XP_GUARANTEED_DELIVERY	0x00000002
#define XP_GUARANTEED_ORDER	0x00000004
#define XP_MESSAGE_ORIENTED	0x00000008
#define XP_PSEUDO_STREAM	0x00000010
#define XP_GRACEFUL_CLOSE	0x00000020
#define XP_EXPEDITED_DATA	0x00000040
#define XP_CONNECT_DATA		0x00000080
#define XP_DISCONNECT_DATA	0x00000100
#define XP_SUPPORTS_BROADCAST	0x00000200
#define XP_SUPPORTS_MULTICAST	0x00000400

typedef struct _PROTOCOL_INFOA {
	DWORD dwServiceFlags;
	INT iAddressFamily;
	INT iMaxSockAddr;
	INT iMinSockAddr;
	INT iSocketType;
	INT iProtocol;
	DWORD dwMessageSize;
	LPSTR lpProtocol;
} PROTOCOL_INFOA, *PPROTOCOL_INFOA, *LPPROTOCOL_INFOA;

typedef struct _PROTOCOL_INFOW {
	DWORD dwServiceFlags;
	INT iAddressFamily;
	INT iMaxSockAddr;
	INT iMinSockAddr;
	INT iSocketType;
	INT iProtocol;
	DWORD dwMessageSize;
	LPWSTR lpProtocol;
} PROTOCOL_INFOW, *PPROTOCOL_INFOW, *LPPROTOCOL_INFOW;

/*
 * Writes PROTOCOL_INFOs, whose names lie behind them, and returns how many; or
 * SOCKET_ERROR with ERROR_INSUFFICIENT_BUFFER and the size that is needed. Needs no
 * WSAStartup. (WSAEnumProtocols tells more.)
 */
INT WSAAPI EnumProtocolsA(LPINT lpiProtocols, LPVOID lpProtocolBuffer,
			  LPDWORD lpdwBufferLength);
INT WSAAPI EnumProtocolsW(LPINT lpiProtocols, LPVOID lpProtocolBuffer,
			  LPDWORD lpdwBufferLength);

#ifdef UNICODE
typedef PROTOCOL_INFOW PROTOCOL_INFO, *PPROTOCOL_INFO, *LPPROTOCOL_INFO;
#define EnumProtocols	EnumProtocolsW
#else
typedef PROTOCOL_INFOA PROTOCOL_INFO, *PPROTOCOL_INFO, *LPPROTOCOL_INFO;
#define EnumProtocols	EnumProtocolsA
#endif

#ifdef __cplusplus
}
#endif

#endif /* _NSPAPI_INCLUDED */
