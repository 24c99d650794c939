// SPDX-License-Identifier: GPL-2.0
/*
 * One count for a program and the modules it loads (C12). This program uses
 * libwsock.so, as the plugin does.
 */
#include <dlfcn.h>

#include "winsock.h"
#include "winsock_plugin.h"
#include "kselftest_harness.h"

WINSOCK_FIXTURE(modules);

/* The module's functions; *@handle for dlclose. */
static const struct plugin *load(void **handle)
{
	const struct plugin *(*entry)(void);

	*handle = dlopen("libwinsock-plugin.so", RTLD_NOW | RTLD_LOCAL);
	if (!*handle) {
		printf("# %s\n", dlerror());
		return NULL;
	}
	entry = dlsym(*handle, PLUGIN_ENTRY);
	return entry ? entry() : NULL;
}

TEST_F(modules, C12__count_is_shared_by_all_modules)
{
	const struct plugin *plugin;
	void *handle;
	SOCKET s;
	int peer;

	plugin = load(&handle);
	ASSERT_NE(plugin, NULL);
	EXPECT_EQ(plugin->echo(), 1);
	EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED);
	/* One of them is enough for both. */
	ASSERT_EQ(startup(), 0);
	EXPECT_EQ(plugin->echo(), 0);
	ASSERT_EQ(plugin->startup(), 0);
	EXPECT_EQ(fdinfo(library_device(), "registrations"), 2);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	/* The module's cleanup is not the final one: ours go on. */
	EXPECT_EQ(plugin->cleanup(), 0);
	EXPECT_EQ(wsock_send(s, "x", 1, 0), 1);
	EXPECT_EQ(plugin->echo(), 0);
	EXPECT_EQ(dlclose(handle), 0);
	EXPECT_EQ(wsock_send(s, "y", 1, 0), 1);
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(WSACleanup(), SOCKET_ERROR);
	EXPECT_EQ(peer_end(peer), -ECONNRESET);
	EXPECT_TRUE(holds_nothing());
}

TEST_F(modules, C12__the_module_may_be_the_last)
{
	const struct plugin *plugin;
	void *handle;
	SOCKET s;
	int peer;

	plugin = load(&handle);
	ASSERT_NE(plugin, NULL);
	ASSERT_EQ(plugin->startup(), 0);
	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(wsock_send(s, "x", 1, 0), 1);
	EXPECT_EQ(plugin->echo(), 0);
	EXPECT_EQ(plugin->cleanup(), 0);
	EXPECT_EQ(peer_end(peer), -ECONNRESET);
	EXPECT_EQ(wsock_send(s, "y", 1, 0), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED);
	EXPECT_TRUE(holds_nothing());
	EXPECT_EQ(dlclose(handle), 0);
}

TEST_F(modules, C12__reload)
{
	const struct plugin *plugin;
	void *handle;

	for (int i = 0; i < 3; i++) {
		plugin = load(&handle);
		ASSERT_NE(plugin, NULL);
		ASSERT_EQ(plugin->startup(), 0);
		EXPECT_EQ(plugin->echo(), 0);
		EXPECT_EQ(plugin->cleanup(), 0);
		EXPECT_EQ(plugin->cleanup(), SOCKET_ERROR);
		EXPECT_EQ(dlclose(handle), 0);
	}
	EXPECT_TRUE(holds_nothing());
}

/* GetProcAddress finds what the library has, by the names of Windows. */
TEST_F(modules, functions__by_name)
{
	HMODULE module = GetModuleHandleA("WS2_32.dll");

	ASSERT_NE(module, NULL);
	EXPECT_EQ(LoadLibraryW(u"ws2_32"), module);
	EXPECT_NE(LoadLibraryA("c:\\windows\\system32\\mswsock.dll"), NULL);
	EXPECT_EQ(LoadLibraryA("user32.dll"), NULL);
	EXPECT_EQ(GetLastError(), ERROR_MOD_NOT_FOUND);
	EXPECT_EQ((void *)GetProcAddress(module, "WSAStartup"), (void *)WSAStartup);
	/* Not libc's. */
	EXPECT_EQ((void *)GetProcAddress(module, "socket"), (void *)wsock_socket);
	EXPECT_EQ(GetProcAddress(module, "printf"), NULL);
	EXPECT_EQ(GetLastError(), ERROR_PROC_NOT_FOUND);
	EXPECT_TRUE(FreeLibrary(module));
	EXPECT_FALSE(FreeLibrary(NULL));
}

TEST_HARNESS_MAIN
