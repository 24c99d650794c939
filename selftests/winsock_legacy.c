// SPDX-License-Identifier: GPL-2.0
/*
 * A file of a Winsock 1.1 program: winsock.h, and the names as a Windows source
 * has them. See C1 in test_winsock_startup.c.
 */
#include <winsock.h>

#include "winsock_legacy.h"

cleanup_function *legacy_cleanup(void)
{
	return WSACleanup;
}

int legacy_session(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct timeval tv = { 0, 0 };
	u_long on = 1;
	WSADATA data;
	fd_set set;
	SOCKET s;

	if (WSAStartup(MAKEWORD(1, 1), &data) || data.wVersion != MAKEWORD(1, 1))
		return 1;
	s = socket(AF_INET, SOCK_DGRAM, 0);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (s == INVALID_SOCKET || bind(s, (struct sockaddr *)&sin, sizeof(sin)))
		return 2;
	if (ioctlsocket(s, FIONBIO, &on) || recv(s, (char *)&on, 1, 0) != SOCKET_ERROR ||
	    WSAGetLastError() != WSAEWOULDBLOCK)
		return 3;
	FD_ZERO(&set);
	FD_SET(s, &set);
	if (select(0, NULL, &set, NULL, &tv) != 1 || !FD_ISSET(s, &set))
		return 4;
	if (closesocket(s) || WSACleanup())
		return 5;
	return 0;
}
