// SPDX-License-Identifier: GPL-2.0
/*
 * Messages: the queue that stands in for windows, WSAAsyncSelect, WSAAsyncGetXByY,
 * and what the final WSACleanup makes of them (C20, C21, C39, D.12, F.5, F.6).
 */
#include <ctype.h>

#include "winsock.h"
#include "nameserver.h"
#include "kselftest_harness.h"

#define WM_SOCKET	(WM_USER + 1)
#define WM_LOOKUP	(WM_USER + 2)
#define WM_OWN		(WM_APP + 1)

static int dispatched;
static MSG last_dispatched;

static LRESULT CALLBACK procedure(HWND window, UINT message, WPARAM wparam, LPARAM lparam)
{
	dispatched++;
	last_dispatched = (MSG){ window, message, wparam, lparam };
	return 4711;
}

FIXTURE(messages)
{
	HWND window;
};

FIXTURE_SETUP(messages)
{
	self->window = wsock_window_create(procedure);
	ASSERT_NE(self->window, NULL);
	ASSERT_EQ(startup(), 0);
}

FIXTURE_TEARDOWN_PARENT(messages)
{
	EXPECT_TRUE(counters_zero());
}

/* The next message, at most TIMEOUT_MS later; WM_NULL for none. */
static MSG next(void)
{
	struct pollfd pfd = { .fd = wsock_message_fd(), .events = POLLIN };
	MSG msg = { .message = WM_NULL };
	double end = now_ms() + TIMEOUT_MS;

	while (!PeekMessage(&msg, NULL, 0, 0, PM_REMOVE) && now_ms() < end)
		poll(&pfd, 1, (int)(end - now_ms()) + 1);
	return msg;
}

static bool none(int ms)
{
	struct pollfd pfd = { .fd = wsock_message_fd(), .events = POLLIN };
	double end = now_ms() + ms;
	MSG msg;

	do {
		if (PeekMessage(&msg, NULL, 0, 0, PM_NOREMOVE))
			return false;
		poll(&pfd, 1, (int)(end - now_ms()) + 1);
	} while (now_ms() < end);
	return !PeekMessage(&msg, NULL, 0, 0, PM_NOREMOVE);
}

/* Is the next message this event of @s, and its error? */
static bool next_is(HWND window, SOCKET s, int event, int error)
{
	MSG msg = next();

	if (msg.hwnd == window && msg.message == WM_SOCKET && msg.wParam == s &&
	    WSAGETSELECTEVENT(msg.lParam) == event && WSAGETSELECTERROR(msg.lParam) == error)
		return true;
	printf("# message %#x of %ld: event %#x, error %d\n", msg.message, (long)msg.wParam,
	       WSAGETSELECTEVENT(msg.lParam), WSAGETSELECTERROR(msg.lParam));
	return false;
}

/* ---- The queue ---- */

static int call_post(struct caller *c)
{
	HWND window = c->arg;

	for (int i = 0; i < 1000; i++) {
		if (!PostMessage(window, WM_OWN, i, -i))
			return -1;
	}
	/* This thread has no window, but a queue. */
	return PostMessage(NULL, WM_OWN, 1, 2) ? 0 : -2;
}

TEST_F(messages, F5__queue)
{
	struct caller c = { .call = call_post, .arg = self->window };
	HWND other = wsock_window_create(procedure);
	MSG msg;

	EXPECT_FALSE(PeekMessage(&msg, NULL, 0, 0, PM_REMOVE));
	ASSERT_TRUE(caller_start(&c));
	for (int i = 0; i < 1000; i++) {
		ASSERT_EQ(GetMessage(&msg, NULL, 0, 0), TRUE);
		ASSERT_TRUE(msg.hwnd == self->window && msg.message == WM_OWN &&
			    msg.wParam == (WPARAM)i && msg.lParam == -i);
	}
	ASSERT_TRUE(caller_join(&c));
	EXPECT_EQ(c.result, 0);
	EXPECT_TRUE(none(0));

	/* By window and by number, the others stay in order. */
	EXPECT_TRUE(PostMessage(self->window, WM_OWN, 1, 0));
	EXPECT_TRUE(PostMessage(other, WM_OWN, 2, 0));
	EXPECT_TRUE(PostMessage(self->window, WM_OWN + 1, 3, 0));
	EXPECT_TRUE(PostMessage(NULL, WM_OWN + 2, 4, 0));
	EXPECT_TRUE(PeekMessage(&msg, other, 0, 0, PM_NOREMOVE));
	EXPECT_EQ(msg.wParam, 2);
	EXPECT_TRUE(PeekMessage(&msg, other, 0, 0, PM_REMOVE));
	EXPECT_EQ(msg.wParam, 2);
	EXPECT_FALSE(PeekMessage(&msg, other, 0, 0, PM_REMOVE));
	EXPECT_EQ(GetMessage(&msg, NULL, WM_OWN + 1, WM_OWN + 1), TRUE);
	EXPECT_EQ(msg.wParam, 3);
	PostQuitMessage(17);
	EXPECT_EQ(GetMessage(&msg, NULL, 0, 0), TRUE);
	EXPECT_EQ(msg.wParam, 1);
	EXPECT_EQ(DispatchMessage(&msg), 4711);
	EXPECT_EQ(dispatched, 1);
	EXPECT_EQ(last_dispatched.hwnd, self->window);
	EXPECT_EQ(GetMessage(&msg, NULL, 0, 0), TRUE);
	EXPECT_EQ(msg.wParam, 4);
	EXPECT_EQ(DispatchMessage(&msg), 0);
	EXPECT_EQ(GetMessage(&msg, NULL, 0, 0), FALSE);
	EXPECT_EQ(msg.message, WM_QUIT);
	EXPECT_EQ(msg.wParam, 17);
	EXPECT_TRUE(none(0));

	EXPECT_TRUE(PostMessage(other, WM_OWN, 2, 0));
	EXPECT_TRUE(DestroyWindow(other));
	EXPECT_TRUE(none(0));
	EXPECT_FALSE(DestroyWindow(other));
	EXPECT_EQ(GetLastError(), ERROR_INVALID_WINDOW_HANDLE);
	EXPECT_FALSE(PostMessage(other, WM_OWN, 2, 0));
	EXPECT_EQ(GetLastError(), ERROR_INVALID_WINDOW_HANDLE);
	EXPECT_EQ(GetMessage(NULL, NULL, 0, 0), -1);
	EXPECT_EQ(WSACleanup(), 0);
}

static int call_window(struct caller *c)
{
	*(HWND *)c->arg = wsock_window_create(procedure);
	return PostMessage(*(HWND *)c->arg, WM_OWN, 0, 0) ? 0 : -1;
}

TEST_F(messages, F5__windows_end_with_their_thread)
{
	HWND window = NULL;
	struct caller c = { .call = call_window, .arg = &window };
	int fds = fd_count();

	ASSERT_TRUE(caller_start(&c) && caller_join(&c));
	EXPECT_EQ(c.result, 0);
	EXPECT_TRUE(wait_for(!PostMessage(window, WM_OWN, 0, 0)));
	EXPECT_EQ(closesocket(c.next_result), 0);
	EXPECT_TRUE(wait_for(fd_count() == fds));
	EXPECT_EQ(WSACleanup(), 0);
}

static int call_filtered(struct caller *c)
{
	HWND window = wsock_window_create(procedure);
	MSG msg;

	*(HWND *)c->arg = window;
	PostMessage(window, WM_OWN, 1, 0);
	if (!tell(c->s) || GetMessage(&msg, NULL, WM_OWN + 1, WM_OWN + 1) != TRUE)
		return -1;
	/* What was not wanted is still there, and shows. */
	return msg.wParam == 2 && !none(0) ? 0 : -2;
}

TEST_F(messages, F5__get_sleeps_over_what_it_does_not_want)
{
	HWND window = NULL;
	struct caller c = { .call = call_filtered, .arg = &window };
	int pipe[2];

	ASSERT_EQ(pipe2(pipe, O_CLOEXEC), 0);
	c.s = pipe[1];
	ASSERT_TRUE(caller_start(&c));
	ASSERT_TRUE(hear(pipe[0]));
	ASSERT_TRUE(caller_blocked(&c, SYS_ppoll));
	EXPECT_TRUE(PostMessage(window, WM_OWN + 1, 2, 0));
	ASSERT_TRUE(caller_join(&c));
	EXPECT_EQ(c.result, 0);
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- WSAAsyncSelect ---- */

TEST_F(messages, D12__read_write_close)
{
	struct linger linger = { .l_onoff = 1 };
	char byte;
	SOCKET s;
	int peer;

	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(WSAAsyncSelect(s, self->window, WM_SOCKET, FD_READ | FD_WRITE | FD_CLOSE), 0);
	EXPECT_TRUE(next_is(self->window, s, FD_WRITE, 0));
	EXPECT_TRUE(none(0));
	/* It is non-blocking. */
	EXPECT_EQ(wsock_recv(s, &byte, 1, 0), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAEWOULDBLOCK);
	EXPECT_EQ(send(peer, "ab", 2, 0), 2);
	EXPECT_TRUE(next_is(self->window, s, FD_READ, 0));
	/* Once, until something is received. */
	EXPECT_EQ(send(peer, "c", 1, 0), 1);
	EXPECT_TRUE(none(QUIET_MS));
	EXPECT_EQ(wsock_recv(s, &byte, 1, 0), 1);
	EXPECT_TRUE(next_is(self->window, s, FD_READ, 0));
	/* Unlike events, messages come again when they are asked for again. */
	EXPECT_TRUE(none(0));
	ASSERT_EQ(WSAAsyncSelect(s, self->window, WM_SOCKET, FD_READ | FD_WRITE), 0);
	EXPECT_TRUE(next_is(self->window, s, FD_READ, 0));
	EXPECT_TRUE(next_is(self->window, s, FD_WRITE, 0));
	ASSERT_EQ(WSAAsyncSelect(s, self->window, WM_SOCKET, FD_CLOSE), 0);
	setsockopt(peer, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(peer);
	EXPECT_TRUE(next_is(self->window, s, FD_CLOSE, WSAECONNABORTED));
	EXPECT_TRUE(none(QUIET_MS));
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(messages, D12__connect_and_accept)
{
	SOCKET l = listening_socket(), s = wsock_socket(AF_INET, SOCK_STREAM, 0), a;
	struct sockaddr_in sin = loopback(local_port(l));
	MSG first, second;

	ASSERT_EQ(WSAAsyncSelect(l, self->window, WM_SOCKET, FD_ACCEPT | FD_READ | FD_CLOSE), 0);
	ASSERT_EQ(WSAAsyncSelect(s, self->window, WM_SOCKET, FD_CONNECT), 0);
	EXPECT_EQ(wsock_connect(s, sa(&sin), sizeof(sin)), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAEWOULDBLOCK);
	first = next();
	second = next();
	if (first.wParam == l) {
		MSG swap = first;

		first = second;
		second = swap;
	}
	EXPECT_EQ(first.wParam, s);
	EXPECT_EQ(first.lParam, WSAMAKESELECTREPLY(FD_CONNECT, 0));
	EXPECT_EQ(second.wParam, l);
	EXPECT_EQ(second.lParam, WSAMAKESELECTREPLY(FD_ACCEPT, 0));
	/* What is accepted is registered as the listener is. */
	a = wsock_accept(l, NULL, NULL);
	ASSERT_NE(a, INVALID_SOCKET);
	EXPECT_TRUE(none(0));
	EXPECT_EQ(wsock_send(s, "x", 1, 0), 1);
	EXPECT_TRUE(next_is(self->window, a, FD_READ, 0));
	EXPECT_EQ(closesocket(s), 0);
	EXPECT_TRUE(next_is(self->window, a, FD_CLOSE, 0));
	/* Refused. */
	s = wsock_socket(AF_INET, SOCK_STREAM, 0);
	EXPECT_EQ(closesocket(l), 0);
	ASSERT_EQ(WSAAsyncSelect(s, self->window, WM_SOCKET, FD_CONNECT), 0);
	EXPECT_EQ(wsock_connect(s, sa(&sin), sizeof(sin)), SOCKET_ERROR);
	EXPECT_TRUE(next_is(self->window, s, FD_CONNECT, WSAECONNREFUSED));
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(messages, D12__each_takes_the_others_place)
{
	HANDLE event = WSACreateEvent();
	WSANETWORKEVENTS happened;
	SOCKET s;
	int peer;

	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(WSAAsyncSelect(s, self->window, WM_SOCKET, FD_READ), 0);
	ASSERT_EQ(WSAEventSelect(s, event, FD_READ), 0);
	EXPECT_EQ(send(peer, "a", 1, 0), 1);
	EXPECT_TRUE(becomes_signalled(event));
	EXPECT_TRUE(none(QUIET_MS));
	EXPECT_EQ(WSAEnumNetworkEvents(s, event, &happened), 0);
	EXPECT_EQ(happened.lNetworkEvents, FD_READ);
	ASSERT_EQ(WSAAsyncSelect(s, self->window, WM_SOCKET, FD_READ), 0);
	EXPECT_TRUE(next_is(self->window, s, FD_READ, 0));
	EXPECT_FALSE(signalled(event));
	ASSERT_EQ(WSAAsyncSelect(s, self->window, WM_SOCKET, 0), 0);
	EXPECT_EQ(send(peer, "a", 1, 0), 1);
	EXPECT_TRUE(none(QUIET_MS));
	/* No window, no event of these. */
	EXPECT_EQ(WSAAsyncSelect(s, NULL, WM_SOCKET, FD_READ), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAEINVAL);
	EXPECT_EQ(WSAAsyncSelect(s, self->window, WM_SOCKET, 1 << 20), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAEINVAL);
	EXPECT_EQ(WSAAsyncSelect(INVALID_SOCKET, self->window, WM_SOCKET, 1), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAENOTSOCK);
	/* The window goes: nobody is left to tell. */
	ASSERT_EQ(WSAAsyncSelect(s, self->window, WM_SOCKET, FD_READ), 0);
	EXPECT_TRUE(DestroyWindow(self->window));
	EXPECT_TRUE(none(QUIET_MS));
	EXPECT_EQ(WSACleanup(), 0);
}

#define ALL_MESSAGES (FD_READ | FD_WRITE | FD_OOB | FD_ACCEPT | FD_CONNECT | FD_CLOSE)

TEST_F(messages, C21__closesocket_posts_nothing)
{
	SOCKET s;
	int peer;

	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(WSAAsyncSelect(s, self->window, WM_SOCKET, ALL_MESSAGES), 0);
	while (!none(QUIET_MS))
		next();
	EXPECT_EQ(closesocket(s), 0);
	EXPECT_TRUE(none(QUIET_MS));
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(messages, C21__cleanup_posts_nothing)
{
	SOCKET s, l = listening_socket();
	int peer;

	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(WSAAsyncSelect(s, self->window, WM_SOCKET, ALL_MESSAGES), 0);
	ASSERT_EQ(WSAAsyncSelect(l, self->window, WM_SOCKET, ALL_MESSAGES), 0);
	while (!none(QUIET_MS))
		next();
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_TRUE(none(QUIET_MS));
	EXPECT_EQ(peer_end(peer), -ECONNRESET);
	EXPECT_TRUE(none(QUIET_MS));
}

TEST_F(messages, C39__messages_are_freed)
{
	SOCKET posted, unposted, again;
	int peers[2], peer;
	MSG msg;

	ASSERT_EQ(stream_pair(&posted, &peers[0]), 0);
	ASSERT_EQ(stream_pair(&unposted, &peers[1]), 0);
	ASSERT_EQ(WSAAsyncSelect(posted, self->window, WM_SOCKET, FD_READ), 0);
	ASSERT_EQ(WSAAsyncSelect(unposted, self->window, WM_SOCKET, FD_READ), 0);
	EXPECT_TRUE(PostMessage(self->window, WM_OWN, 1, 2));
	EXPECT_EQ(send(peers[0], "a", 1, 0), 1);
	/* In the queue, for we have looked; the other is in the kernel's record. */
	ASSERT_TRUE(wait_for(PeekMessage(&msg, NULL, WM_SOCKET, WM_SOCKET, PM_NOREMOVE)));
	EXPECT_EQ(send(peers[1], "b", 1, 0), 1);
	ASSERT_EQ(WSACleanup(), 0);
	/* The program's own stays. */
	msg = next();
	EXPECT_EQ(msg.message, WM_OWN);
	EXPECT_TRUE(none(QUIET_MS));

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&again, &peer), 0);
	/* The number is one that was registered. */
	EXPECT_TRUE(again == posted || again == unposted);
	EXPECT_EQ(send(peer, "c", 1, 0), 1);
	EXPECT_TRUE(none(QUIET_MS));
	ASSERT_EQ(WSAAsyncSelect(again, self->window, WM_SOCKET, FD_READ), 0);
	EXPECT_TRUE(next_is(self->window, again, FD_READ, 0));
	EXPECT_TRUE(none(QUIET_MS));
	EXPECT_EQ(WSACleanup(), 0);
}

/* 4 MiB there and back, by messages alone. */
TEST_F(messages, D12__a_program_driven_by_messages)
{
	enum { SIZE = 4 << 20 };
	SOCKET l = listening_socket(), client = wsock_socket(AF_INET, SOCK_STREAM, 0), server = 0;
	struct sockaddr_in sin = loopback(local_port(l));
	static char out[65536], in[65536];
	int sent = 0, back = 0, kept = 0, n;

	ASSERT_EQ(WSAAsyncSelect(l, self->window, WM_SOCKET, FD_ACCEPT), 0);
	ASSERT_EQ(WSAAsyncSelect(client, self->window, WM_SOCKET,
				 FD_CONNECT | FD_READ | FD_WRITE), 0);
	wsock_connect(client, sa(&sin), sizeof(sin));
	while (back < SIZE) {
		MSG msg = next();
		int event = WSAGETSELECTEVENT(msg.lParam);

		ASSERT_EQ(msg.message, WM_SOCKET);
		ASSERT_EQ(WSAGETSELECTERROR(msg.lParam), 0);
		if (event == FD_ACCEPT) {
			server = wsock_accept(l, NULL, NULL);
			ASSERT_EQ(WSAAsyncSelect(server, self->window, WM_SOCKET,
						 FD_READ | FD_WRITE), 0);
		} else if (msg.wParam == client && event == FD_WRITE) {
			while (sent < SIZE && (n = wsock_send(client, out, SIZE - sent <
					(int)sizeof(out) ? SIZE - sent : (int)sizeof(out), 0)) > 0)
				sent += n;
		} else if (msg.wParam == client && event == FD_READ) {
			n = wsock_recv(client, in, sizeof(in), 0);
			back += n > 0 ? n : 0;
		} else if (server && msg.wParam == server) {
			/* An echo, as far as it goes. */
			if (!kept)
				kept = wsock_recv(server, in, sizeof(in), 0);
			while (kept > 0) {
				n = wsock_send(server, in, kept, 0);
				if (n < 0)
					break;
				kept -= n;
				if (!kept)
					kept = wsock_recv(server, in, sizeof(in), 0);
			}
			if (kept < 0)
				kept = 0;
		}
	}
	EXPECT_EQ(sent, SIZE);
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- WSAAsyncGetXByY ---- */

FIXTURE(lookups)
{
	struct nameserver ns;
	HWND window;
	_Alignas(8) char buf[MAXGETHOSTSTRUCT];
};

FIXTURE_SETUP(lookups)
{
	ASSERT_TRUE(nameserver_start(&self->ns));
	self->window = wsock_window_create(procedure);
	memset(self->buf, POISON, sizeof(self->buf));
	ASSERT_EQ(startup(), 0);
}

FIXTURE_TEARDOWN_PARENT(lookups)
{
	EXPECT_TRUE(counters_zero());
}

/* Does the next message tell the end of @task? Then its lParam. */
static long end_of(HWND window, HANDLE task)
{
	MSG msg = next();

	return task && msg.hwnd == window && msg.message == WM_LOOKUP &&
	       msg.wParam == (WPARAM)task ? (long)(unsigned int)msg.lParam : -1;
}

#define HOST_BY_NAME(name) \
	WSAAsyncGetHostByName(self->window, WM_LOOKUP, name, self->buf, sizeof(self->buf))

TEST_F(lookups, F6__each_kind)
{
	struct wsock_hostent *h = (void *)self->buf;
	struct wsock_servent *s = (void *)self->buf;
	struct wsock_protoent *p = (void *)self->buf;
	const int size = sizeof(self->buf);
	struct in_addr in;
	long end;

	end = end_of(self->window, HOST_BY_NAME("alias.test"));
	EXPECT_EQ(WSAGETASYNCERROR(end), 0);
	EXPECT_STREQ(h->h_name, "one.test");
	EXPECT_STREQ(h->h_aliases[0], "alias.test");
	EXPECT_EQ(h->h_aliases[1], NULL);
	EXPECT_EQ(*(in_addr_t *)h->h_addr_list[0], htonl(0xc0000201));
	EXPECT_EQ(h->h_addr_list[1], NULL);
	/* So much was used. */
	EXPECT_FALSE(all_poison(self->buf, WSAGETASYNCBUFLEN(end)));
	EXPECT_TRUE(all_poison(self->buf + WSAGETASYNCBUFLEN(end),
			       size - WSAGETASYNCBUFLEN(end)));
	EXPECT_EQ(self->buf[WSAGETASYNCBUFLEN(end) - 1], 0);
	EXPECT_EQ(WSAGETASYNCERROR(end_of(self->window, HOST_BY_NAME("127.0.0.1"))), 0);
	EXPECT_STREQ(h->h_name, "127.0.0.1");
	inet_pton(AF_INET, "192.0.2.1", &in);
	end = end_of(self->window, WSAAsyncGetHostByAddr(self->window, WM_LOOKUP, (char *)&in, 4,
							 AF_INET, self->buf, size));
	EXPECT_EQ(WSAGETASYNCERROR(end), 0);
	EXPECT_STREQ(h->h_name, "one.test");
	EXPECT_EQ(memcmp(h->h_addr_list[0], &in, 4), 0);

	end = end_of(self->window, WSAAsyncGetServByName(self->window, WM_LOOKUP, "web", "tcp",
							 self->buf, size));
	EXPECT_EQ(WSAGETASYNCERROR(end), 0);
	EXPECT_STREQ(s->s_name, "http");
	EXPECT_STREQ(s->s_aliases[1], "web");
	end = end_of(self->window, WSAAsyncGetServByPort(self->window, WM_LOOKUP, htons(53), NULL,
							 self->buf, size));
	EXPECT_EQ(WSAGETASYNCERROR(end), 0);
	EXPECT_STREQ(s->s_name, "domain");
	end = end_of(self->window, WSAAsyncGetProtoByName(self->window, WM_LOOKUP, "udp",
							  self->buf, size));
	EXPECT_EQ(WSAGETASYNCERROR(end), 0);
	EXPECT_EQ(p->p_proto, 17);
	end = end_of(self->window, WSAAsyncGetProtoByNumber(self->window, WM_LOOKUP, 6, self->buf,
							    size));
	EXPECT_EQ(WSAGETASYNCERROR(end), 0);
	EXPECT_STREQ(p->p_name, "tcp");
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(lookups, F6__failures)
{
	struct in_addr in = { 0 };
	HANDLE task;
	long end;

	end = end_of(self->window, HOST_BY_NAME("none.test"));
	EXPECT_EQ(end, WSAMAKEASYNCREPLY(0, WSAHOST_NOT_FOUND));
	EXPECT_EQ(end_of(self->window, HOST_BY_NAME("six.test")),
		  WSAMAKEASYNCREPLY(0, WSANO_DATA));
	EXPECT_EQ(end_of(self->window, WSAAsyncGetServByName(self->window, WM_LOOKUP, "none", NULL,
							     self->buf, 9)),
		  WSAMAKEASYNCREPLY(0, WSANO_DATA));
	EXPECT_EQ(end_of(self->window, WSAAsyncGetProtoByNumber(self->window, WM_LOOKUP, 99,
								self->buf, 9)),
		  WSAMAKEASYNCREPLY(0, WSANO_DATA));
	EXPECT_EQ(end_of(self->window, WSAAsyncGetHostByAddr(self->window, WM_LOOKUP, (char *)&in,
							     3, AF_INET, self->buf, 9)),
		  WSAMAKEASYNCREPLY(0, WSAEFAULT));
	EXPECT_TRUE(all_poison(self->buf, sizeof(self->buf)));
	/* No room: so much is needed, and so much is enough. */
	end = end_of(self->window, WSAAsyncGetHostByName(self->window, WM_LOOKUP, "one.test",
							 self->buf, 4));
	EXPECT_EQ(WSAGETASYNCERROR(end), WSAENOBUFS);
	EXPECT_TRUE(all_poison(self->buf, sizeof(self->buf)));
	end = end_of(self->window, WSAAsyncGetHostByName(self->window, WM_LOOKUP, "one.test",
							 self->buf, WSAGETASYNCBUFLEN(end)));
	EXPECT_EQ(WSAGETASYNCERROR(end), 0);
	EXPECT_TRUE(all_poison(self->buf + WSAGETASYNCBUFLEN(end),
			       sizeof(self->buf) - WSAGETASYNCBUFLEN(end)));

	EXPECT_EQ(WSAAsyncGetHostByName(NULL, WM_LOOKUP, "one.test", self->buf, 9), NULL);
	EXPECT_EQ(WSAGetLastError(), WSAEINVAL);
	EXPECT_EQ(WSAAsyncGetHostByName(self->window, WM_LOOKUP, "one.test", NULL, 9), NULL);
	EXPECT_EQ(WSAGetLastError(), WSAEINVAL);
	/* The window is gone by then. */
	task = HOST_BY_NAME("later.test");
	ASSERT_TRUE(nameserver_holds(&self->ns, 1));
	EXPECT_TRUE(DestroyWindow(self->window));
	ASSERT_TRUE(nameserver_release(&self->ns));
	EXPECT_TRUE(wait_for(WSACancelAsyncRequest(task) && WSAGetLastError() == WSAEALREADY));
	EXPECT_TRUE(none(0));
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(lookups, F6__cancel)
{
	HANDLE task = HOST_BY_NAME("later.test"), done;

	ASSERT_TRUE(nameserver_holds(&self->ns, 1));
	EXPECT_EQ(WSACancelAsyncRequest(task), 0);
	EXPECT_EQ(WSACancelAsyncRequest(task), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAEALREADY);
	ASSERT_TRUE(nameserver_release(&self->ns));
	EXPECT_TRUE(none(500));
	EXPECT_TRUE(all_poison(self->buf, sizeof(self->buf)));
	done = HOST_BY_NAME("127.0.0.1");
	EXPECT_NE(end_of(self->window, done), -1);
	EXPECT_EQ(WSACancelAsyncRequest(done), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAEALREADY);
	EXPECT_EQ(WSACancelAsyncRequest((HANDLE)0x7777), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAEINVAL);
	EXPECT_EQ(WSACancelAsyncRequest(NULL), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAEINVAL);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(lookups, C20__pending_lookups_post_nothing)
{
	HANDLE task = HOST_BY_NAME("later.test");
	int fds;

	EXPECT_NE(HOST_BY_NAME("127.0.0.1"), NULL);
	ASSERT_TRUE(nameserver_holds(&self->ns, 1));
	/* One has ended, its message is in the queue. */
	EXPECT_FALSE(none(QUIET_MS));
	fds = fd_count();
	memset(self->buf, POISON, sizeof(self->buf));
	ASSERT_EQ(WSACleanup(), 0);
	EXPECT_TRUE(none(0));
	ASSERT_TRUE(nameserver_release(&self->ns));
	EXPECT_TRUE(none(2000));
	EXPECT_TRUE(all_poison(self->buf, sizeof(self->buf)));
	/* The thread is gone, with its descriptors. */
	EXPECT_TRUE(wait_for(fd_count() < fds));
	ASSERT_EQ(startup(), 0);
	EXPECT_EQ(WSACancelAsyncRequest(task), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAEINVAL);
	EXPECT_EQ(WSAGETASYNCERROR(end_of(self->window, HOST_BY_NAME("one.test"))), 0);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_HARNESS_MAIN
