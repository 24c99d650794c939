// SPDX-License-Identifier: GPL-2.0
/*
 * One count for a program and the modules it loads (C12), and WSACleanup where the
 * loader is at work (C42, H18). This program uses libwsock.so, as the plugin does.
 */
#include <ctype.h>
#include <dlfcn.h>

#include "winsock.h"
#include "winsock_plugin.h"
#include "nameserver.h"
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

/* ---- Destructors, exit, APCs ---- */

static int call_recv(struct caller *c)
{
	return wsock_recv(c->s, c->arg, 1, 0);
}

static int call_getaddrinfo(struct caller *c)
{
	ADDRINFOA *list;

	return wsock_getaddrinfo("silent.test", NULL, NULL, &list) == WSAEINTR ? -1 : 0;
}

static void CALLBACK never(DWORD error, DWORD bytes, LPWSAOVERLAPPED ov)
{
	abort();
}

/* All there is to end: blocked threads, and a lookup that the library's thread has. */
struct busy {
	struct nameserver ns;
	struct caller recv, lookup;
	OVERLAPPED ov;
	ADDRINFOEXW *list;
	char byte;
	int peer;
};

static bool busy_start(struct busy *b)
{
	static const WCHAR name[] = u"later.test";

	memset(b, 0, sizeof(*b));
	b->recv.call = call_recv;
	b->recv.arg = &b->byte;
	b->lookup.call = call_getaddrinfo;
	return nameserver_start(&b->ns) &&
	       write_file("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:60\n") &&
	       !startup() && !stream_pair(&b->recv.s, &b->peer) &&
	       caller_start(&b->recv) && caller_blocked(&b->recv, SYS_recvmsg) &&
	       caller_start(&b->lookup) && caller_blocked(&b->lookup, SYS_ppoll) &&
	       GetAddrInfoExW(name, NULL, NS_DNS, NULL, NULL, &b->list, NULL, &b->ov, never,
			      NULL) == WSA_IO_PENDING && nameserver_holds(&b->ns, 1);
}

static bool busy_ended(struct busy *b)
{
	return caller_join(&b->recv) && b->recv.error == WSAEINTR && caller_join(&b->lookup) &&
	       b->lookup.error == WSAEINTR && peer_end(b->peer) == -ECONNRESET &&
	       GetAddrInfoExOverlappedResult(&b->ov) == WSA_E_CANCELLED && holds_nothing();
}

static bool stop_loading;
static unsigned int loads;

/* Wants the loader's lock all the time. */
static void *load_and_unload(void *unused)
{
	while (!__atomic_load_n(&stop_loading, __ATOMIC_RELAXED)) {
		void *handle = dlopen("libcares.so.2", RTLD_NOW);

		if (handle && !dlclose(handle))
			__atomic_add_fetch(&loads, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

TEST_F(modules, C42__cleanup_in_a_destructor)
{
	const struct plugin *plugin;
	struct busy busy;
	pthread_t loader;
	int result = -2;
	double begin;
	void *handle;

	plugin = load(&handle);
	ASSERT_NE(plugin, NULL);
	ASSERT_TRUE(busy_start(&busy));
	ASSERT_EQ(pthread_create(&loader, NULL, load_and_unload, NULL), 0);
	ASSERT_TRUE(wait_for(__atomic_load_n(&loads, __ATOMIC_RELAXED) > 10));
	plugin->clean_up_at_end(&result);
	begin = now_ms();
	EXPECT_EQ(dlclose(handle), 0);
	EXPECT_LT(now_ms() - begin, 1000);
	EXPECT_EQ(result, 0);
	EXPECT_TRUE(busy_ended(&busy));
	__atomic_store_n(&stop_loading, true, __ATOMIC_RELAXED);
	pthread_join(loader, NULL);
}

static int exit_pipe;
static struct busy exit_busy;

static void clean_up_at_exit(void)
{
	char ok = !WSACleanup() && busy_ended(&exit_busy) ? '!' : '?';

	if (write(exit_pipe, &ok, 1) != 1)
		abort();
}

TEST_F(modules, H18__cleanup_at_exit)
{
	const struct plugin *plugin;
	int pipe[2], result = 0;
	void *handle;
	char ok = 0;
	pid_t pid;

	ASSERT_EQ(pipe2(pipe, O_CLOEXEC), 0);
	pid = fork();
	if (!pid) {
		exit_pipe = pipe[1];
		plugin = load(&handle);
		if (!plugin || !busy_start(&exit_busy) || atexit(clean_up_at_exit))
			_exit(1);
		/* And once more, too late, in a destructor, which runs after it. */
		plugin->clean_up_at_end(&result);
		exit(0);
	}
	EXPECT_EQ(child_status(pid), 0);
	EXPECT_EQ(read(pipe[0], &ok, 1), 1);
	EXPECT_EQ(ok, '!');
}

static int apc_result;

static void NTAPI clean_up_in_apc(ULONG_PTR unused)
{
	apc_result = WSACleanup();
}

TEST_F(modules, H18__cleanup_in_an_apc)
{
	struct busy busy;

	ASSERT_TRUE(busy_start(&busy));
	apc_result = -2;
	ASSERT_EQ(QueueUserAPC(clean_up_in_apc, GetCurrentThread(), 0), 1);
	EXPECT_EQ(SleepEx(TIMEOUT_MS, TRUE), WAIT_IO_COMPLETION);
	EXPECT_EQ(apc_result, 0);
	EXPECT_TRUE(busy_ended(&busy));
}

TEST_HARNESS_MAIN
