/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compiled after each of many system headers: what a Winsock program does. */
#include <winsock2.h>
#include <ws2tcpip.h>

#ifdef __cplusplus
#define STATIC_ASSERT	static_assert
#else
#define STATIC_ASSERT	_Static_assert
#endif

STATIC_ASSERT(sizeof(WSADATA) == 408, "WSADATA");
STATIC_ASSERT(offsetof(WSADATA, lpVendorInfo) == 8, "WSADATA");
STATIC_ASSERT(offsetof(WSADATA, szSystemStatus) == 273, "WSADATA");
STATIC_ASSERT(sizeof(WSABUF) == 16, "WSABUF");
STATIC_ASSERT(offsetof(WSABUF, buf) == 8, "WSABUF");
STATIC_ASSERT(sizeof(WSAOVERLAPPED) == 32, "WSAOVERLAPPED");
STATIC_ASSERT(offsetof(OVERLAPPED, Offset) == 16, "OVERLAPPED");
STATIC_ASSERT(offsetof(OVERLAPPED, Pointer) == 16, "OVERLAPPED");
STATIC_ASSERT(offsetof(OVERLAPPED, hEvent) == 24, "OVERLAPPED");
STATIC_ASSERT(sizeof(WSAPOLLFD) == 16, "WSAPOLLFD");
STATIC_ASSERT(offsetof(WSAPOLLFD, revents) == 10, "WSAPOLLFD");
STATIC_ASSERT(sizeof(WSAPROTOCOLCHAIN) == 32, "WSAPROTOCOLCHAIN");
STATIC_ASSERT(sizeof(WSAPROTOCOL_INFOA) == 372, "WSAPROTOCOL_INFOA");
STATIC_ASSERT(sizeof(WSAPROTOCOL_INFOW) == 628, "WSAPROTOCOL_INFOW");
STATIC_ASSERT(offsetof(WSAPROTOCOL_INFOW, szProtocol) == 116,
	      "WSAPROTOCOL_INFOW");
STATIC_ASSERT(sizeof(GUID) == 16, "GUID");
STATIC_ASSERT(sizeof(DWORD) == 4 && sizeof(LONG) == 4, "32 bits");
STATIC_ASSERT(sizeof(WCHAR) == 2 && sizeof(HANDLE) == 8, "base types");
STATIC_ASSERT(sizeof(u_long) == 4, "u_long");
STATIC_ASSERT(sizeof(SOCKET) == 8, "SOCKET");
STATIC_ASSERT(sizeof(struct linger) == 4, "linger");
STATIC_ASSERT(sizeof(struct pollfd) == 16, "pollfd");
STATIC_ASSERT(sizeof(fd_set) == 520, "fd_set");
STATIC_ASSERT(FD_SETSIZE == 64, "FD_SETSIZE");
STATIC_ASSERT(FIONBIO == (LONG)0x8004667e, "FIONBIO");
STATIC_ASSERT(POLLIN == 0x300, "POLLIN");
STATIC_ASSERT(SOMAXCONN == 0x7fffffff, "SOMAXCONN");

int use_names(void);

int use_names(void)
{
	struct timeval timeout = { 0, 0 };
	struct sockaddr_in name;
	struct linger linger_value = { 1, 0 };
	u_long on = 1;
	fd_set readers;
	char buf[8];
	int len = (int)sizeof(name);
	SOCKET s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP), t;

	name.sin_family = AF_INET;
	name.sin_port = htons(1);
	name.sin_addr.s_addr = inet_addr("127.0.0.1");
	FD_ZERO(&readers);
	FD_SET(s, &readers);
	bind(s, (struct sockaddr *)&name, len);
	listen(s, SOMAXCONN);
	t = accept(s, (struct sockaddr *)&name, &len);
	connect(t, (struct sockaddr *)&name, len);
	ioctlsocket(s, FIONBIO, &on);
	setsockopt(s, SOL_SOCKET, SO_LINGER, (const char *)&linger_value,
		   (int)sizeof(linger_value));
	len = (int)sizeof(on);
	getsockopt(s, SOL_SOCKET, SO_ERROR, (char *)&on, &len);
	getsockname(s, (struct sockaddr *)&name, &len);
	getpeername(s, (struct sockaddr *)&name, &len);
	send(s, buf, 1, 0);
	recv(s, buf, 1, MSG_PEEK);
	sendto(s, buf, 1, 0, (struct sockaddr *)&name, len);
	recvfrom(s, buf, 1, 0, (struct sockaddr *)&name, &len);
	shutdown(s, SD_BOTH);
	gethostname(buf, (int)sizeof(buf));
	inet_pton(AF_INET, inet_ntoa(name.sin_addr), &name.sin_addr);
	inet_ntop(AF_INET, &name.sin_addr, buf, sizeof(buf));
	return select(0, &readers, NULL, NULL, &timeout) +
	       FD_ISSET(s, &readers);
}
