/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The less common calls on sockets and addresses, of winsock2.h. They are gated
 * and tell their errors as bsd.h says. Strings of A functions are UTF-8, those of
 * W functions UTF-16.
 */
#ifndef _WSOCK_TRANSPORT_H
#define _WSOCK_TRANSPORT_H

#include <winsock2.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Connections ---- */

/*
 * accept() of a connection to which @lpfnCondition has said CF_ACCEPT. CF_REJECT
 * resets it: WSAECONNREFUSED. CF_DEFER leaves it as the next to be accepted:
 * WSATRY_AGAIN. WSAEINVAL for another answer. NULL accepts all.
 */
SOCKET WSAAPI WSAAccept(SOCKET s, struct sockaddr *addr, LPINT addrlen,
			LPCONDITIONPROC lpfnCondition,
			DWORD_PTR dwCallbackData);
/*
 * connect(). No protocol here carries data with it: WSAEPROTONOSUPPORT for some
 * in @lpCallerData, and none comes back in @lpCalleeData. QOS is not looked at.
 */
int WSAAPI WSAConnect(SOCKET s, const struct sockaddr *name, int namelen,
		      LPWSABUF lpCallerData, LPWSABUF lpCalleeData,
		      LPQOS lpSQOS, LPQOS lpGQOS);

/*
 * Joins a datagram socket to the multicast group @name, unless it is
 * JL_SENDER_ONLY, and returns @s. WSAEADDRNOTAVAIL when that is no group,
 * WSAEOPNOTSUPP for other sockets.
 */
SOCKET WSAAPI WSAJoinLeaf(SOCKET s, const struct sockaddr *name, int namelen,
			  LPWSABUF lpCallerData, LPWSABUF lpCalleeData,
			  LPQOS lpSQOS, LPQOS lpGQOS, DWORD dwFlags);

/* ---- The catalog ---- */

/*
 * Describes the protocols in @lpiProtocols (IPPROTO_*, the last 0), or all for
 * NULL; returns how many. WSAENOBUFS, and *@lpdwBufferLength is the size needed,
 * when it was less. WSASocket takes a description.
 */
int WSAAPI WSAEnumProtocolsA(LPINT lpiProtocols,
			     LPWSAPROTOCOL_INFOA lpProtocolBuffer,
			     LPDWORD lpdwBufferLength);
int WSAAPI WSAEnumProtocolsW(LPINT lpiProtocols,
			     LPWSAPROTOCOL_INFOW lpProtocolBuffer,
			     LPDWORD lpdwBufferLength);

/* ---- Addresses as text ---- */

/*
 * "192.0.2.1:80", "[2001:db8::1]:80", without a port that is 0. Lengths of strings
 * are in characters and count the NUL. WSAEFAULT, with the length needed, when
 * there is no room.
 */
INT WSAAPI WSAAddressToStringA(LPSOCKADDR lpsaAddress, DWORD dwAddressLength,
			       LPWSAPROTOCOL_INFOA lpProtocolInfo,
			       LPSTR lpszAddressString,
			       LPDWORD lpdwAddressStringLength);
INT WSAAPI WSAAddressToStringW(LPSOCKADDR lpsaAddress, DWORD dwAddressLength,
			       LPWSAPROTOCOL_INFOW lpProtocolInfo,
			       LPWSTR lpszAddressString,
			       LPDWORD lpdwAddressStringLength);
/* And back. WSAEINVAL for what is no address of the family. */
INT WSAAPI WSAStringToAddressA(LPSTR AddressString, INT AddressFamily,
			       LPWSAPROTOCOL_INFOA lpProtocolInfo,
			       LPSOCKADDR lpAddress, LPINT lpAddressLength);
INT WSAAPI WSAStringToAddressW(LPWSTR AddressString, INT AddressFamily,
			       LPWSAPROTOCOL_INFOW lpProtocolInfo,
			       LPSOCKADDR lpAddress, LPINT lpAddressLength);

/* As gethostname(); @namelen in characters. */
int WSAAPI GetHostNameW(PWSTR name, int namelen);

#ifdef UNICODE
#define WSAEnumProtocols	WSAEnumProtocolsW
#define WSAAddressToString	WSAAddressToStringW
#define WSAStringToAddress	WSAStringToAddressW
#else
#define WSAEnumProtocols	WSAEnumProtocolsA
#define WSAAddressToString	WSAAddressToStringA
#define WSAStringToAddress	WSAStringToAddressA
#endif

#ifdef __cplusplus
}
#endif

#endif /* _WSOCK_TRANSPORT_H */
