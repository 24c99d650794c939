// SPDX-License-Identifier: GPL-2.0
/*
 * A module of a program, with its own idea of when Winsock is needed. Written
 * with the names a Windows source has.
 */
#include <winsock2.h>

#include "winsock_plugin.h"

static int plugin_startup(void)
{
	WSADATA data;

	return WSAStartup(MAKEWORD(2, 0), &data);
}

static int plugin_cleanup(void)
{
	return WSACleanup();
}

static int plugin_echo(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int len = sizeof(sin);
	SOCKET l, a, b;
	char c = 0;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	l = socket(AF_INET, SOCK_STREAM, 0);
	a = socket(AF_INET, SOCK_STREAM, 0);
	if (l == INVALID_SOCKET || a == INVALID_SOCKET)
		return 1;
	if (bind(l, (struct sockaddr *)&sin, len) || listen(l, 1) ||
	    getsockname(l, (struct sockaddr *)&sin, &len))
		return 2;
	if (connect(a, (struct sockaddr *)&sin, len))
		return 3;
	b = accept(l, 0, 0);
	if (b == INVALID_SOCKET)
		return 4;
	if (send(a, "x", 1, 0) != 1 || recv(b, &c, 1, 0) != 1 || c != 'x')
		return 5;
	return closesocket(a) || closesocket(b) || closesocket(l) ? 6 : 0;
}

static int *at_end;

static void plugin_clean_up_at_end(int *result)
{
	at_end = result;
}

static void __attribute__((destructor)) fini(void)
{
	if (at_end)
		*at_end = WSACleanup();
}

const struct plugin *winsock_plugin(void);

const struct plugin *winsock_plugin(void)
{
	static const struct plugin plugin = {
		.startup = plugin_startup,
		.cleanup = plugin_cleanup,
		.echo = plugin_echo,
		.clean_up_at_end = plugin_clean_up_at_end,
	};

	return &plugin;
}
