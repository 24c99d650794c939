// SPDX-License-Identifier: GPL-2.0
/*
 * workload CLIENTS MESSAGES: an echo server and its clients on libevent's completion
 * ports. Each client connects, sends messages of growing length, looks at what comes
 * back, and closes its socket, which the server sees.
 */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <event2/thread.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST 20000

static struct event_base *base;
static int clients, messages, done, closed, failed;
static char text[LONGEST];

struct client {
	int sent;
	size_t got;
};

static void finish(void)
{
	if (failed || (done == clients && closed == clients))
		event_base_loopexit(base, NULL);
}

static void fail(const char *what)
{
	printf("%s: %d\n", what, WSAGetLastError());
	failed = 1;
	finish();
}

/* ---- The server ---- */

static void echo(struct bufferevent *be, void *arg)
{
	bufferevent_write_buffer(be, bufferevent_get_input(be));
}

/* A client closes its socket while a receive is pending there: that is a reset. */
static void server_event(struct bufferevent *be, short what, void *arg)
{
	if (!(what & BEV_EVENT_ERROR) || EVUTIL_SOCKET_ERROR() != WSAECONNRESET) {
		fail("server");
		return;
	}
	closed++;
	bufferevent_free(be);
	finish();
}

static void accepted(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from,
		     int len, void *arg)
{
	struct bufferevent *be = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE |
							BEV_OPT_THREADSAFE);

	if (!be) {
		fail("bufferevent");
		return;
	}
	bufferevent_setcb(be, echo, NULL, server_event, NULL);
	bufferevent_enable(be, EV_READ | EV_WRITE);
}

/* ---- The clients ---- */

static size_t length(const struct client *c)
{
	return 1 + (size_t)c->sent * 997 % LONGEST;
}

static void send_next(struct bufferevent *be, struct client *c)
{
	c->sent++;
	c->got = 0;
	bufferevent_write(be, text, length(c));
}

static void answered(struct bufferevent *be, void *arg)
{
	struct client *c = arg;
	char data[4096];
	size_t n;

	while ((n = bufferevent_read(be, data, sizeof(data))) > 0) {
		if (c->got + n > length(c) || memcmp(data, text + c->got, n)) {
			fail("the echo differs");
			return;
		}
		c->got += n;
	}
	if (c->got < length(c))
		return;
	if (c->sent < messages) {
		send_next(be, c);
		return;
	}
	done++;
	bufferevent_free(be);
	finish();
}

static void client_event(struct bufferevent *be, short what, void *arg)
{
	if (what & BEV_EVENT_CONNECTED)
		send_next(be, arg);
	else
		fail("client");
}

int main(int argc, char **argv)
{
	struct event_config *config = event_config_new();
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct timeval limit = { .tv_sec = 100 };
	struct evconnlistener *listener;
	int len = sizeof(sin);
	WSADATA data;

	if (argc < 3 || WSAStartup(MAKEWORD(2, 2), &data))
		return 2;
	clients = atoi(argv[1]);
	messages = atoi(argv[2]);
	for (int i = 0; i < LONGEST; i++)
		text[i] = 'a' + i % 23;
	evthread_use_windows_threads();
	event_config_set_flag(config, EVENT_BASE_FLAG_STARTUP_IOCP);
	base = event_base_new_with_config(config);
	if (!base)
		return 2;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = evconnlistener_new_bind(base, accepted, NULL, LEV_OPT_CLOSE_ON_FREE |
					   LEV_OPT_THREADSAFE, -1, (struct sockaddr *)&sin,
					   sizeof(sin));
	if (!listener || getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&sin, &len))
		return 2;
	for (int i = 0; i < clients; i++) {
		struct client *c = calloc(1, sizeof(*c));
		struct bufferevent *be = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE |
								BEV_OPT_THREADSAFE);

		bufferevent_setcb(be, answered, NULL, client_event, c);
		bufferevent_enable(be, EV_READ | EV_WRITE);
		if (bufferevent_socket_connect(be, (struct sockaddr *)&sin, sizeof(sin)))
			fail("connect");
	}
	event_base_loopexit(base, &limit);
	event_base_dispatch(base);
	printf("%d of %d clients, %d connections ended\n", done, clients, closed);
	evconnlistener_free(listener);
	event_base_free(base);
	WSACleanup();
	return failed || done < clients || closed < clients;
}
