// SPDX-License-Identifier: GPL-2.0
/*
 * The web server of demo_server once more, as one writes it for many connections:
 * a few worker threads at one completion port, and a receive pending on every
 * connection. Port and workers are made once; Winsock comes and goes.
 *
 * The demo script tells it what to do on stdin; answers are name=value lines,
 * ended by a dot.
 */
#include <winsock2.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAGE		"Hello from a Winsock server on Linux.\n"
#define PATIENCE_MS	10000
#define WORKERS		4
#define CONNECTIONS	1100

/* One connection; it belongs to the worker that has its packet. */
static struct connection {
	OVERLAPPED ov;
	SOCKET s;
	DWORD got;
	char buffer[512];
	int aborted;		/* packets with 995 */
	bool used;		/* under lock */
} connections[CONNECTIONS];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_t acceptor;
static HANDLE port;
static int packets;		/* that the workers took */
static int other_ends;		/* those that failed otherwise than with 995 */
static int before, pending;	/* packets, and receives, at the final WSACleanup */

static void die(const char *what)
{
	fprintf(stderr, "demo_iocp: %s failed: error %d\n", what, WSAGetLastError());
	exit(1);
}

static int taken(void)
{
	return __atomic_load_n(&packets, __ATOMIC_SEQ_CST);
}

/* ---- Connections ---- */

static void release(struct connection *c)
{
	pthread_mutex_lock(&lock);
	c->used = false;
	pthread_mutex_unlock(&lock);
}

static bool receive_more(struct connection *c)
{
	WSABUF buf = { .len = sizeof(c->buffer) - 1 - c->got, .buf = c->buffer + c->got };
	DWORD flags = 0;

	memset(&c->ov, 0, sizeof(c->ov));
	return !WSARecv(c->s, &buf, 1, NULL, &flags, &c->ov, NULL) ||
	       WSAGetLastError() == WSA_IO_PENDING;
}

static bool receive_request(struct connection *c)
{
	c->got = 0;
	return receive_more(c);
}

/* Returns whether the connection goes on. */
static bool answer(struct connection *c)
{
	bool keep = strstr(c->buffer, "HTTP/1.1\r\n") &&
		    !strcasestr(c->buffer, "\r\nConnection: close\r\n");
	char reply[256];
	int len = snprintf(reply, sizeof(reply),
			   "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
			   "Content-Length: %zu\r\nConnection: %s\r\n\r\n%s",
			   strlen(PAGE), keep ? "keep-alive" : "close", PAGE);

	return send(c->s, reply, len, 0) == len && keep;
}

static bool received(struct connection *c, DWORD bytes)
{
	c->got += bytes;
	c->buffer[c->got] = '\0';
	if (!bytes)
		return false;
	if (strstr(c->buffer, "\r\n\r\n"))
		return answer(c) && receive_request(c);
	return c->got < sizeof(c->buffer) - 1 && receive_more(c);
}

static void *work(void *unused)
{
	(void)unused;
	pthread_setname_np(pthread_self(), "worker");
	for (;;) {
		LPOVERLAPPED ov;
		ULONG_PTR key;
		DWORD bytes;
		BOOL ok = GetQueuedCompletionStatus(port, &bytes, &key, &ov, INFINITE);
		struct connection *c = (struct connection *)key;

		if (!ov)
			die("GetQueuedCompletionStatus");
		if (!ok && GetLastError() == ERROR_OPERATION_ABORTED) {
			/* WSACleanup has closed the socket as well. */
			__atomic_add_fetch(&c->aborted, 1, __ATOMIC_SEQ_CST);
			release(c);
		} else if (!ok || !received(c, bytes)) {
			__atomic_add_fetch(&other_ends, !ok, __ATOMIC_SEQ_CST);
			closesocket(c->s);
			release(c);
		}
		__atomic_add_fetch(&packets, 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

static struct connection *find_free(void)
{
	struct connection *found = NULL;

	pthread_mutex_lock(&lock);
	for (int i = 0; i < CONNECTIONS && !found; i++)
		if (!connections[i].used)
			found = &connections[i];
	if (found)
		found->used = true;
	pthread_mutex_unlock(&lock);
	return found;
}

static void *accept_all(void *arg)
{
	SOCKET listener = (SOCKET)(uintptr_t)arg, s;

	pthread_setname_np(pthread_self(), "accept");
	while ((s = accept(listener, NULL, NULL)) != INVALID_SOCKET) {
		struct connection *c = find_free();

		if (!c) {
			closesocket(s);
			continue;
		}
		c->s = s;
		if (!CreateIoCompletionPort((HANDLE)s, port, (ULONG_PTR)c, 0))
			die("CreateIoCompletionPort");
		if (!receive_request(c)) {
			closesocket(s);
			release(c);
		}
	}
	return NULL;
}

/* ---- What the script asks for ---- */

static void start(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int len = sizeof(sin);
	SOCKET listener;
	WSADATA data;

	memset(connections, 0, sizeof(connections));
	printf("startup=%d\n", WSAStartup(MAKEWORD(2, 2), &data));
	listener = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *)&sin, sizeof(sin)) ||
	    listen(listener, SOMAXCONN) ||
	    getsockname(listener, (struct sockaddr *)&sin, &len))
		die("listening");
	if (pthread_create(&acceptor, NULL, accept_all, (void *)(uintptr_t)listener))
		die("pthread_create");
	printf("port=%d\n", ntohs(sin.sin_port));
}

/* Looks at @count every 10 ms, up to PATIENCE_MS, until it is @expected. */
static int settle(int (*count)(void), int expected)
{
	struct timespec nap = { .tv_nsec = 10000000 };

	for (int i = 0; i < PATIENCE_MS / 10 && count() != expected; i++)
		nanosleep(&nap, NULL);
	return count();
}

static int count_pending(void)
{
	int n = 0;

	pthread_mutex_lock(&lock);
	for (int i = 0; i < CONNECTIONS; i++)
		n += connections[i].used && connections[i].ov.Internal == STATUS_PENDING;
	pthread_mutex_unlock(&lock);
	return n;
}

/* state N: so many receives should be pending */
static void state(int expected)
{
	printf("pending=%d\n", settle(count_pending, expected));
}

static int taken_since(void)
{
	return taken() - before;
}

static void cleanup(void)
{
	int aborted = 0, once = 0;

	pending = count_pending();
	before = taken();
	printf("cleanup=%d\n", WSACleanup());
	settle(taken_since, pending);
	for (int i = 0; i < CONNECTIONS; i++) {
		aborted += connections[i].aborted;
		once += connections[i].aborted == 1;
	}
	printf("pending=%d\npackets=%d\naborted=%d\nonce=%d\nother=%d\n", pending, taken_since(),
	       aborted, once, other_ends);
	pthread_join(acceptor, NULL);
}

/* Some time after the final WSACleanup. */
static void after(void)
{
	printf("more=%d\n", taken_since() - pending);
}

int main(void)
{
	char line[128], command[16];
	pthread_t thread;
	int n = 0;

	setvbuf(stdout, NULL, _IOFBF, 0);
	port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
	if (!port)
		die("CreateIoCompletionPort");
	for (int i = 0; i < WORKERS; i++)
		if (pthread_create(&thread, NULL, work, NULL))
			die("pthread_create");
	printf("workers=%d\n.\n", WORKERS);
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) && sscanf(line, "%15s %d", command, &n) >= 1) {
		if (!strcmp(command, "start"))
			start();
		else if (!strcmp(command, "state"))
			state(n);
		else if (!strcmp(command, "cleanup"))
			cleanup();
		else if (!strcmp(command, "after"))
			after();
		puts(".");
		fflush(stdout);
	}
	return 0;
}
