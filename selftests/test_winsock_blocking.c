// SPDX-License-Identifier: GPL-2.0
/*
 * Winsock 1.1: the version of the process, blocking hooks, and WSACleanup in them
 * (B.3, C8, C19, C41, F.11).
 */
#include <ctype.h>

#include "winsock.h"
#include "nameserver.h"
#include "kselftest_harness.h"

FIXTURE(blocking)
{
	struct nameserver ns;
};

FIXTURE_SETUP(blocking)
{
	ASSERT_TRUE(nameserver_start(&self->ns));
}

FIXTURE_TEARDOWN_PARENT(blocking)
{
	EXPECT_TRUE(counters_zero());
}

/* The error of WSACancelBlockingCall tells which version rules. */
static int legacy(void)
{
	return WSACancelBlockingCall() ? WSAGetLastError() : 0;
}

TEST_F(blocking, B3__the_lowest_version_rules)
{
	EXPECT_EQ(legacy(), WSANOTINITIALISED);
	ASSERT_EQ(startup_version(1, 1), 0);
	EXPECT_EQ(legacy(), WSAEINVAL);
	ASSERT_EQ(startup_version(2, 2), 0);
	EXPECT_EQ(legacy(), WSAEINVAL);
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(legacy(), WSAEINVAL);
	EXPECT_EQ(WSACleanup(), 0);
	/* Until the final cleanup. */
	ASSERT_EQ(startup_version(2, 2), 0);
	EXPECT_EQ(legacy(), WSAEOPNOTSUPP);
	ASSERT_EQ(startup_version(1, 0), 0);
	EXPECT_EQ(legacy(), WSAEINVAL);
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(WSACleanup(), 0);
	ASSERT_EQ(startup_version(2, 0), 0);
	EXPECT_EQ(legacy(), WSAEOPNOTSUPP);
	EXPECT_EQ(WSACleanup(), 0);
}

/* What the hook does, and what it has seen. */
static struct {
	int calls;
	int more;		/* so often it asks to be called again at once */
	int cleanup, cleanup_error, cancel, startup;
	bool is_blocking;
	int nested;
	int feed;		/* a socket to send to, so that the call ends */
	bool cancels;
	int cancel_at;		/* in which call */
	int tell;		/* a pipe */
} hook;

static INT_PTR CALLBACK count_hook(void)
{
	hook.calls++;
	if (hook.calls == 1) {
		hook.is_blocking = WSAIsBlocking();
		hook.cleanup = WSACleanup();
		hook.cleanup_error = WSAGetLastError();
		hook.startup = startup_version(1, 1);
		hook.nested = wsock_socket(AF_INET, SOCK_STREAM, 0) == INVALID_SOCKET ?
			      WSAGetLastError() : 0;
	}
	if (hook.more) {
		hook.more--;
		return TRUE;
	}
	if (hook.cancels && hook.calls > hook.cancel_at)
		hook.cancel = WSACancelBlockingCall();
	if (hook.feed)
		hook.feed = send(hook.feed, "x", 1, 0) == 1 ? 0 : -1;
	if (hook.tell)
		hook.tell = tell(hook.tell) ? 0 : -1;
	return FALSE;
}

TEST_F(blocking, C8__cleanup_in_a_hook)
{
	char byte = 0;
	SOCKET s;

	ASSERT_EQ(startup_version(1, 1), 0);
	memset(&hook, 0, sizeof(hook));
	ASSERT_EQ(stream_pair(&s, &hook.feed), 0);
	hook.more = 5;
	EXPECT_NE(WSASetBlockingHook(count_hook), NULL);
	EXPECT_FALSE(WSAIsBlocking());
	EXPECT_EQ(wsock_recv(s, &byte, 1, 0), 1);
	EXPECT_EQ(byte, 'x');
	EXPECT_GE(hook.calls, 6);
	EXPECT_TRUE(hook.is_blocking);
	EXPECT_EQ(hook.cleanup, SOCKET_ERROR);
	EXPECT_EQ(hook.cleanup_error, WSAEINPROGRESS);
	EXPECT_EQ(hook.startup, WSAEINPROGRESS);
	EXPECT_EQ(hook.nested, WSAEINPROGRESS);
	EXPECT_EQ(hook.feed, 0);
	/* Nothing was counted. */
	EXPECT_EQ(fdinfo(library_device(), "registrations"), 1);
	EXPECT_FALSE(WSAIsBlocking());
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_TRUE(holds_nothing());
}

/* ---- What a hook can cancel ---- */

static int call_recv(struct caller *c)
{
	return wsock_recv(c->s, c->arg, 1, 0);
}

static int call_recvfrom(struct caller *c)
{
	SOCKET s = bound_socket(SOCK_DGRAM);

	return wsock_recvfrom(s, c->arg, 1, 0, NULL, NULL);
}

static int call_wsarecv(struct caller *c)
{
	WSABUF buf = { .len = 1, .buf = c->arg };
	DWORD n, flags = 0;

	return WSARecv(c->s, &buf, 1, &n, &flags, NULL, NULL);
}

static int call_send(struct caller *c)
{
	static char data[16 << 20];

	return wsock_send(c->s, data, sizeof(data), 0);
}

static int call_accept(struct caller *c)
{
	return (int)wsock_accept(listening_socket(), NULL, NULL);
}

static int call_connect(struct caller *c)
{
	int filler = -1, l = full_listener(&filler), ret;
	struct sockaddr_in sin = loopback(local_port(l));

	ret = wsock_connect(wsock_socket(AF_INET, SOCK_STREAM, 0), sa(&sin), sizeof(sin));
	close(l);
	close(filler);
	return ret;
}

static int call_select(struct caller *c)
{
	wsock_fd_set set = { .fd_count = 1, .fd_array = { c->s } };

	return wsock_select(0, &set, NULL, NULL, NULL);
}

static int call_poll(struct caller *c)
{
	WSAPOLLFD pfd = { .fd = c->s, .events = WSOCK_POLLRDNORM };

	return WSAPoll(&pfd, 1, -1);
}

static int call_gethostbyname(struct caller *c)
{
	return wsock_gethostbyname("silent.test") ? 0 : SOCKET_ERROR;
}

static int call_getaddrinfo(struct caller *c)
{
	ADDRINFOA *list;

	return wsock_getaddrinfo("silent.test", NULL, NULL, &list) ? SOCKET_ERROR : 0;
}

static int (*const calls[])(struct caller *c) = {
	call_recv, call_recvfrom, call_wsarecv, call_send, call_accept, call_connect,
	call_select, call_poll, call_gethostbyname, call_getaddrinfo,
};

#define N_CALLS ((int)(sizeof(calls) / sizeof(calls[0])))

TEST_F(blocking, C41__cancel_in_a_hook)
{
	char byte = 0;

	for (int i = 0; i < N_CALLS; i++) {
		struct caller c = { .arg = &byte };
		int peer, result, error;

		ASSERT_EQ(startup_version(1, 1), 0);
		ASSERT_EQ(stream_pair(&c.s, &peer), 0);
		memset(&hook, 0, sizeof(hook));
		hook.cancels = true;
		hook.cancel_at = i & 1 ? 3 : 0;
		hook.cancel = 1;
		EXPECT_NE(WSASetBlockingHook(count_hook), NULL);
		WSASetLastError(4711);
		result = calls[i](&c);
		error = WSAGetLastError();
		EXPECT_EQ(result, SOCKET_ERROR) TH_LOG("call %d", i);
		EXPECT_EQ(error, WSAEINTR) TH_LOG("call %d", i);
		EXPECT_EQ(hook.cleanup_error, WSAEINPROGRESS);
		EXPECT_EQ(hook.cancel, 0);
		EXPECT_EQ(hook.calls, hook.cancel_at + 1);
		EXPECT_EQ(legacy(), WSAEINVAL);
		/* The call has unwound: now it is allowed. */
		EXPECT_EQ(WSACleanup(), 0);
		close(peer);
	}
	EXPECT_TRUE(holds_nothing());
}

/* What a hook does while it waits, another thread's WSACleanup ends. */
static int call_with_hook(struct caller *c)
{
	int ret;

	if (!WSASetBlockingHook(count_hook))
		return -2;
	ret = calls[*(int *)c->arg](c);
	return ret;
}

TEST_F(blocking, C19__cleanup_of_another_thread)
{
	int pipe[2];

	ASSERT_EQ(pipe2(pipe, O_CLOEXEC), 0);
	for (int i = 0; i < N_CALLS; i++) {
		struct caller c = { .call = call_with_hook, .arg = &i };
		int peer;

		ASSERT_EQ(startup_version(1, 1), 0);
		ASSERT_EQ(stream_pair(&c.s, &peer), 0);
		memset(&hook, 0, sizeof(hook));
		hook.calls = 1;
		hook.tell = pipe[1];
		ASSERT_TRUE(caller_start(&c));
		ASSERT_TRUE(hear(pipe[0]));
		ASSERT_EQ(WSACleanup(), 0);
		ASSERT_TRUE(caller_join(&c));
		EXPECT_EQ(c.result, SOCKET_ERROR) TH_LOG("call %d", i);
		EXPECT_EQ(c.error, WSAEINTR) TH_LOG("call %d", i);
		EXPECT_EQ(c.next_error, WSANOTINITIALISED);
		close(peer);
	}
	EXPECT_TRUE(holds_nothing());
}

TEST_F(blocking, F11__when_a_hook_is_called)
{
	struct timeval tv = { .tv_usec = 60000 };
	DWORD ms = 60;
	wsock_u_long on = 1;
	char byte;
	SOCKET s;
	int peer;

	ASSERT_EQ(startup_version(1, 1), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	memset(&hook, 0, sizeof(hook));
	hook.calls = 1;
	EXPECT_NE(WSASetBlockingHook(count_hook), NULL);
	/* Not by a call that need not wait. */
	EXPECT_EQ(send(peer, "a", 1, 0), 1);
	EXPECT_EQ(wsock_recv(s, &byte, 1, 0), 1);
	EXPECT_EQ(wsock_send(s, "b", 1, 0), 1);
	EXPECT_EQ(hook.calls, 1);
	/* Again and again by one that does, whose time passes all the same. */
	ASSERT_EQ(wsock_setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, (char *)&ms, sizeof(ms)), 0);
	EXPECT_EQ(wsock_recv(s, &byte, 1, 0), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAETIMEDOUT);
	EXPECT_GT(hook.calls, 3);
	hook.calls = 1;
	EXPECT_EQ(wsock_select(0, &(wsock_fd_set){ .fd_count = 1, .fd_array = { s } }, NULL, NULL,
			       &tv), 0);
	EXPECT_GT(hook.calls, 3);
	hook.calls = 1;
	EXPECT_EQ(ioctlsocket(s, WSOCK_FIONBIO, &on), 0);
	EXPECT_EQ(wsock_recv(s, &byte, 1, 0), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAEWOULDBLOCK);
	EXPECT_EQ(hook.calls, 1);
	EXPECT_EQ(WSACleanup(), 0);
	close(peer);
}

static INT_PTR CALLBACK other_hook(void)
{
	return FALSE;
}

static int call_set_hook(struct caller *c)
{
	/* Another thread's hook is not mine. */
	*(FARPROC *)c->arg = WSASetBlockingHook(other_hook);
	return 0;
}

TEST_F(blocking, F11__set_and_unhook)
{
	FARPROC first, theirs = NULL;
	struct caller c = { .call = call_set_hook, .arg = &theirs };
	struct timeval tv = { .tv_usec = 30000 };
	SOCKET s;

	EXPECT_EQ(WSASetBlockingHook(count_hook), NULL);
	EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED);
	EXPECT_EQ(WSAUnhookBlockingHook(), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED);
	WSASetLastError(4711);
	EXPECT_FALSE(WSAIsBlocking());
	EXPECT_EQ(WSAGetLastError(), 4711);
	ASSERT_EQ(startup_version(2, 2), 0);
	EXPECT_EQ(WSASetBlockingHook(count_hook), NULL);
	EXPECT_EQ(WSAGetLastError(), WSAEOPNOTSUPP);
	EXPECT_EQ(WSAUnhookBlockingHook(), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAEOPNOTSUPP);
	EXPECT_FALSE(WSAIsBlocking());

	ASSERT_EQ(startup_version(1, 1), 0);
	first = WSASetBlockingHook(count_hook);
	ASSERT_NE(first, NULL);
	EXPECT_EQ(WSASetBlockingHook(other_hook), (FARPROC)count_hook);
	ASSERT_TRUE(caller_start(&c) && caller_join(&c));
	EXPECT_EQ(theirs, first);
	EXPECT_EQ(WSASetBlockingHook(first), (FARPROC)other_hook);
	EXPECT_EQ(WSASetBlockingHook(count_hook), first);
	EXPECT_EQ(WSAUnhookBlockingHook(), 0);
	EXPECT_EQ(WSASetBlockingHook(count_hook), first);
	EXPECT_EQ(WSASetBlockingHook(NULL), NULL);
	EXPECT_EQ(WSAGetLastError(), WSAEFAULT);
	/* The final WSACleanup ends it. */
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(WSACleanup(), 0);
	ASSERT_EQ(startup_version(1, 1), 0);
	memset(&hook, 0, sizeof(hook));
	s = bound_socket(SOCK_DGRAM);
	EXPECT_EQ(wsock_select(0, &(wsock_fd_set){ .fd_count = 1, .fd_array = { s } }, NULL, NULL,
			       &tv), 0);
	EXPECT_EQ(hook.calls, 0);
	EXPECT_EQ(WSASetBlockingHook(other_hook), first);
	EXPECT_EQ(WSACleanup(), 0);
}

/* A hook of its time: it takes the thread's messages. */
static HWND window;
static int dispatched;

static LRESULT CALLBACK procedure(HWND hwnd, UINT message, WPARAM wparam, LPARAM lparam)
{
	dispatched++;
	if (message == WM_APP)
		WSACancelBlockingCall();
	return 0;
}

static INT_PTR CALLBACK pump(void)
{
	MSG msg;

	if (!PeekMessage(&msg, NULL, 0, 0, PM_REMOVE))
		return FALSE;
	DispatchMessage(&msg);
	return TRUE;
}

static int call_post(struct caller *c)
{
	return PostMessage(window, WM_USER, 0, 0) && PostMessage(window, WM_APP, 0, 0) ? 0 : -1;
}

TEST_F(blocking, F11__a_hook_that_pumps_messages)
{
	struct caller c = { .call = call_post };
	char byte;
	SOCKET s;
	int peer;

	ASSERT_EQ(startup_version(1, 1), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	window = wsock_window_create(procedure);
	EXPECT_NE(WSASetBlockingHook(pump), NULL);
	ASSERT_TRUE(caller_start(&c));
	EXPECT_EQ(wsock_recv(s, &byte, 1, 0), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAEINTR);
	EXPECT_EQ(dispatched, 2);
	ASSERT_TRUE(caller_join(&c));
	EXPECT_EQ(WSACleanup(), 0);
	close(peer);
}

TEST_HARNESS_MAIN
