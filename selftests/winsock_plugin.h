/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WSOCK_SELFTESTS_WINSOCK_PLUGIN_H
#define WSOCK_SELFTESTS_WINSOCK_PLUGIN_H

/* What libwinsock-plugin.so offers. */
struct plugin {
	int (*startup)(void);
	int (*cleanup)(void);
	/* An echo over the loopback, with sockets of the plugin; 0 or the step. */
	int (*echo)(void);
	/* Has the module's destructor call WSACleanup, and write what it returns. */
	void (*clean_up_at_end)(int *result);
};

/* The one symbol: const struct plugin *winsock_plugin(void) */
#define PLUGIN_ENTRY	"winsock_plugin"

#endif
