// SPDX-License-Identifier: GPL-2.0
/*
 * A small web server as one would write it for Windows: winsock2.h is all it
 * knows of the network. One thread accepts; worker threads wait for up to 63
 * connections each, on every one of which an overlapped WSARecv is pending. Three
 * more threads sit in recv, recvfrom and connect and never get an answer.
 *
 * The demo script tells it what to do on stdin; answers are name=value lines,
 * ended by a dot.
 */
#include <winsock2.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "demo.h"

#define PAGE		"Hello from a Winsock server on Linux.\n"
#define PATIENCE_MS	10000

/* One connection. Belongs to its worker. */
struct slot {
	SOCKET s;
	WSAEVENT event;		/* its receive's; made once, used again */
	struct demo_io *io;
	DWORD got;
};

struct worker {
	pthread_t thread;
	WSAEVENT wake;
	struct slot slots[DEMO_SLOTS];
	/* Under lock: connections the acceptor hands over. */
	pthread_mutex_t lock;
	SOCKET inbox[DEMO_SLOTS];
	int nr_inbox;
	int nr_used;		/* in the inbox or in a slot */
	bool stop;
};

/* The four calls that block until somebody ends them. */
enum { IN_RECV, IN_ACCEPT, IN_RECVFROM, IN_CONNECT, NR_BLOCKED };

static struct blocked {
	const char *name;
	void (*call)(SOCKET s);
	SOCKET s;
	pthread_t thread;
	WSAEVENT returned;
	int error;
	long long when;
} blocked[NR_BLOCKED];

static struct worker workers[DEMO_WORKERS];
static struct sockaddr_in silent;	/* where connect gets no answer */
static int waits_returned;		/* of all workers */
static int waits_before;		/* ... before the final WSACleanup */
static int nr_before;			/* receives pending then */

static long long now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

static void die(const char *what)
{
	fprintf(stderr, "demo_server: %s failed: error %d\n", what, WSAGetLastError());
	exit(1);
}

static struct sockaddr_in loopback(int port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port) };

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sin;
}

static int local_port(SOCKET s)
{
	struct sockaddr_in sin;
	int len = sizeof(sin);

	if (getsockname(s, (struct sockaddr *)&sin, &len))
		die("getsockname");
	return ntohs(sin.sin_port);
}

/* ---- Connections ---- */

static void drop(struct worker *w, struct slot *slot)
{
	closesocket(slot->s);
	slot->s = INVALID_SOCKET;
	slot->io->pending = 0;
	pthread_mutex_lock(&w->lock);
	w->nr_used--;
	pthread_mutex_unlock(&w->lock);
}

/* Its end, now or later, is told by the event. */
static bool receive_more(struct slot *slot)
{
	struct demo_io *io = slot->io;
	WSABUF buf = {
		.len = sizeof(io->buffer) - slot->got,
		.buf = (char *)io->buffer + slot->got,
	};
	DWORD flags = 0;

	memset(&io->ov, 0, sizeof(io->ov));
	io->ov.hEvent = slot->event;
	io->pending = 1;
	return !WSARecv(slot->s, &buf, 1, NULL, &flags, &io->ov, NULL) ||
	       WSAGetLastError() == WSA_IO_PENDING;
}

static bool receive_request(struct slot *slot)
{
	slot->got = 0;
	memset(slot->io, DEMO_POISON, offsetof(struct demo_io, ov));
	return receive_more(slot);
}

/* Returns whether the connection goes on. */
static bool answer(struct slot *slot, const char *request)
{
	bool keep = strstr(request, "HTTP/1.1\r\n") &&
		    !strcasestr(request, "\r\nConnection: close\r\n");
	char reply[256];
	int len = snprintf(reply, sizeof(reply),
			   "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
			   "Content-Length: %zu\r\nConnection: %s\r\n\r\n%s",
			   strlen(PAGE), keep ? "keep-alive" : "close", PAGE);

	return send(slot->s, reply, len, 0) == len && keep;
}

/* The receive of @slot has ended. Returns whether the connection goes on. */
static bool received(struct slot *slot)
{
	struct demo_io *io = slot->io;
	char request[sizeof(io->buffer) + 1];
	DWORD bytes, flags;

	if (!WSAGetOverlappedResult(slot->s, &io->ov, &bytes, FALSE, &flags) || !bytes)
		return false;
	slot->got += bytes;
	memcpy(request, io->buffer, slot->got);
	request[slot->got] = '\0';
	if (strstr(request, "\r\n\r\n"))
		return answer(slot, request) && receive_request(slot);
	return slot->got < sizeof(io->buffer) && receive_more(slot);
}

static void take_inbox(struct worker *w)
{
	struct slot *slot = w->slots;

	WSAResetEvent(w->wake);
	for (;;) {
		SOCKET s = INVALID_SOCKET;

		pthread_mutex_lock(&w->lock);
		if (w->nr_inbox)
			s = w->inbox[--w->nr_inbox];
		pthread_mutex_unlock(&w->lock);
		if (s == INVALID_SOCKET)
			return;
		while (slot->s != INVALID_SOCKET)
			slot++;
		slot->s = s;
		if (!receive_request(slot))
			drop(w, slot);
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;
	WSAEVENT events[DEMO_SLOTS + 1];
	DWORD ready;

	pthread_setname_np(pthread_self(), "worker");
	for (int i = 0; i < DEMO_SLOTS; i++)
		events[i] = w->slots[i].event;
	events[DEMO_SLOTS] = w->wake;
	for (;;) {
		ready = WSAWaitForMultipleEvents(DEMO_SLOTS + 1, events, FALSE,
						 WSA_INFINITE, FALSE);
		__atomic_fetch_add(&waits_returned, 1, __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&w->stop, __ATOMIC_SEQ_CST))
			return NULL;
		if (ready == WSA_WAIT_EVENT_0 + DEMO_SLOTS) {
			take_inbox(w);
		} else if (ready < WSA_WAIT_EVENT_0 + DEMO_SLOTS) {
			struct slot *slot = &w->slots[ready - WSA_WAIT_EVENT_0];

			WSAResetEvent(slot->event);
			if (!received(slot))
				drop(w, slot);
		} else {
			die("WSAWaitForMultipleEvents");
		}
	}
}

static void hand_out(SOCKET s)
{
	for (struct worker *w = workers; w < workers + DEMO_WORKERS; w++) {
		bool room;

		pthread_mutex_lock(&w->lock);
		room = w->nr_used < DEMO_SLOTS;
		if (room) {
			w->inbox[w->nr_inbox++] = s;
			w->nr_used++;
		}
		pthread_mutex_unlock(&w->lock);
		if (room) {
			WSASetEvent(w->wake);
			return;
		}
	}
	closesocket(s);
}

/* ---- Threads in calls that block ---- */

static void in_recv(SOCKET s)
{
	char buf[64];

	recv(s, buf, sizeof(buf), 0);
}

static void in_accept(SOCKET s)
{
	SOCKET connection;

	while ((connection = accept(s, NULL, NULL)) != INVALID_SOCKET)
		hand_out(connection);
}

static void in_recvfrom(SOCKET s)
{
	char buf[64];

	recvfrom(s, buf, sizeof(buf), 0, NULL, NULL);
}

static void in_connect(SOCKET s)
{
	connect(s, (struct sockaddr *)&silent, sizeof(silent));
}

/* The script looks for a thread of this name that sleeps. */
static void *block(void *arg)
{
	struct blocked *b = arg;

	pthread_setname_np(pthread_self(), b->name);
	WSASetLastError(0);
	b->call(b->s);
	b->error = WSAGetLastError();
	b->when = now_us();
	WSASetEvent(b->returned);
	return NULL;
}

static void start_blocked(int i, const char *name, void (*call)(SOCKET), SOCKET s)
{
	struct blocked *b = &blocked[i];

	b->name = name;
	b->call = call;
	b->s = s;
	b->error = 0;
	WSAResetEvent(b->returned);
	if (pthread_create(&b->thread, NULL, block, b))
		die("pthread_create");
}

/* ---- What the script asks for ---- */

/* start IDLE SILENT: ports that say nothing, and that do not even accept. */
static void start(int idle_port, int silent_port)
{
	struct sockaddr_in any = loopback(0), idle = loopback(idle_port);
	SOCKET listener, upstream, udp, tcp;
	WSADATA data;

	silent = loopback(silent_port);
	/* The program's own registration, and one of a plug-in it might load. */
	printf("startup=%d\n", WSAStartup(MAKEWORD(2, 2), &data));
	printf("startup_again=%d\n", WSAStartup(MAKEWORD(2, 2), &data));

	listener = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	if (bind(listener, (struct sockaddr *)&any, sizeof(any)) || listen(listener, SOMAXCONN))
		die("listening");
	upstream = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	if (connect(upstream, (struct sockaddr *)&idle, sizeof(idle)))
		die("connect");
	udp = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
	if (bind(udp, (struct sockaddr *)&any, sizeof(any)))
		die("bind");
	tcp = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);

	for (struct worker *w = workers; w < workers + DEMO_WORKERS; w++) {
		w->stop = false;
		if (pthread_create(&w->thread, NULL, work, w))
			die("pthread_create");
	}
	start_blocked(IN_RECV, "recv", in_recv, upstream);
	start_blocked(IN_ACCEPT, "accept", in_accept, listener);
	start_blocked(IN_RECVFROM, "recvfrom", in_recvfrom, udp);
	start_blocked(IN_CONNECT, "connect", in_connect, tcp);
	printf("port=%d\n", local_port(listener));
}

static bool is_signalled(WSAEVENT event)
{
	return WSAWaitForMultipleEvents(1, &event, FALSE, 0, FALSE) == WSA_WAIT_EVENT_0;
}

static int count_pending(void)
{
	int pending = 0;

	for (struct worker *w = workers; w < workers + DEMO_WORKERS; w++)
		for (int i = 0; i < DEMO_SLOTS; i++)
			pending += w->slots[i].io->pending &&
				   !HasOverlappedIoCompleted(&w->slots[i].io->ov);
	return pending;
}

static void state(void)
{
	int returned = 0;

	for (int i = 0; i < NR_BLOCKED; i++)
		returned += is_signalled(blocked[i].returned);
	printf("pending=%d\nreturned=%d\n", count_pending(), returned);
}

/* The nested one. */
static void leave(void)
{
	printf("cleanup=%d\n", WSACleanup());
}

/*
 * The final one. The memory of the receives is the program's again when
 * WSACleanup returns: it is used for something else (poison) at once.
 */
static void cleanup(void)
{
	WSAEVENT returned[NR_BLOCKED];
	long long begin, end, last = 0;
	int aborted = 0, other = 0, ret;
	int changed = 0;

	for (int i = 0; i < NR_BLOCKED; i++)
		returned[i] = blocked[i].returned;
	nr_before = count_pending();
	waits_before = __atomic_load_n(&waits_returned, __ATOMIC_SEQ_CST);

	begin = now_us();
	ret = WSACleanup();
	end = now_us();

	for (struct worker *w = workers; w < workers + DEMO_WORKERS; w++) {
		for (int i = 0; i < DEMO_SLOTS; i++) {
			struct slot *slot = &w->slots[i];
			DWORD bytes;

			if (!slot->io->pending)
				continue;
			if (!GetOverlappedResult((HANDLE)slot->s, &slot->io->ov, &bytes, FALSE) &&
			    GetLastError() == WSA_OPERATION_ABORTED)
				aborted++;
			else
				other++;
			changed += demo_changed(slot->io, offsetof(struct demo_io, ov));
			memset(&slot->io->ov, DEMO_POISON, sizeof(slot->io->ov));
		}
	}
	WSAWaitForMultipleEvents(NR_BLOCKED, returned, TRUE, PATIENCE_MS, FALSE);
	for (int i = 0; i < NR_BLOCKED; i++) {
		struct blocked *b = &blocked[i];

		if (is_signalled(b->returned)) {
			printf("in_%s=%d\n", b->name, b->error);
			if (b->when > last)
				last = b->when;
		} else {
			printf("in_%s=never\n", b->name);
		}
	}
	printf("cleanup=%d\nusec=%lld\nthreads_usec=%lld\n", ret, end - begin, last - begin);
	printf("pending=%d\naborted=%d\nother=%d\nchanged=%d\n", nr_before, aborted, other,
	       changed);
}

static bool refused(const char *name, bool failed)
{
	if (failed && WSAGetLastError() == WSANOTINITIALISED)
		return true;
	fprintf(stderr, "demo_server: %s after WSACleanup: %s, error %d\n", name,
		failed ? "failed" : "succeeded", WSAGetLastError());
	return false;
}

/* The calls of a program that did not notice. */
static void later(void)
{
	SOCKET s = workers[0].slots[0].s;
	struct sockaddr_in sin = loopback(80);
	struct sockaddr *addr = (struct sockaddr *)&sin;
	WSAEVENT event = WSACreateEvent();
	OVERLAPPED ov = { .hEvent = event };
	char room[64] = "";
	WSABUF buf = { .len = sizeof(room), .buf = room };
	int len = sizeof(sin), optlen = sizeof(int), all = 0, ok = 0;
	struct timeval none = { 0 };
	WSAPOLLFD pfd = { .fd = s, .events = POLLIN };
	DWORD bytes, flags = 0;
	u_long mode = 1;
	fd_set set;

	FD_ZERO(&set);
	FD_SET(s, &set);
#define LATER(call, bad) do { \
	WSASetLastError(0); \
	all++; \
	ok += refused(#call, (call) == (bad)); \
} while (0)
	LATER(socket(AF_INET, SOCK_STREAM, 0), INVALID_SOCKET);
	LATER(WSASocketA(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED), INVALID_SOCKET);
	LATER(bind(s, addr, len), SOCKET_ERROR);
	LATER(listen(s, 1), SOCKET_ERROR);
	LATER(accept(s, NULL, NULL), INVALID_SOCKET);
	LATER(connect(s, addr, len), SOCKET_ERROR);
	LATER(send(s, room, sizeof(room), 0), SOCKET_ERROR);
	LATER(recv(s, room, sizeof(room), 0), SOCKET_ERROR);
	LATER(sendto(s, room, sizeof(room), 0, addr, len), SOCKET_ERROR);
	LATER(recvfrom(s, room, sizeof(room), 0, addr, &len), SOCKET_ERROR);
	LATER(WSASend(s, &buf, 1, &bytes, 0, &ov, NULL), SOCKET_ERROR);
	LATER(WSARecv(s, &buf, 1, &bytes, &flags, &ov, NULL), SOCKET_ERROR);
	LATER(WSAGetOverlappedResult(s, &ov, &bytes, FALSE, &flags), FALSE);
	LATER(getsockname(s, addr, &len), SOCKET_ERROR);
	LATER(getpeername(s, addr, &len), SOCKET_ERROR);
	LATER(getsockopt(s, SOL_SOCKET, SO_TYPE, room, &optlen), SOCKET_ERROR);
	LATER(setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, room, optlen), SOCKET_ERROR);
	LATER(ioctlsocket(s, FIONBIO, &mode), SOCKET_ERROR);
	LATER(select(0, &set, NULL, NULL, &none), SOCKET_ERROR);
	LATER(WSAPoll(&pfd, 1, 0), SOCKET_ERROR);
	LATER(shutdown(s, SD_BOTH), SOCKET_ERROR);
	LATER(closesocket(s), SOCKET_ERROR);
	LATER(WSACleanup(), SOCKET_ERROR);
#undef LATER
	WSACloseEvent(event);
	printf("later=%d\nlater_ok=%d\n", all, ok);
}

/* Some time after the final WSACleanup. */
static void after(void)
{
	int signalled = 0, changed = 0;

	for (struct worker *w = workers; w < workers + DEMO_WORKERS; w++) {
		for (int i = 0; i < DEMO_SLOTS; i++) {
			struct slot *slot = &w->slots[i];

			signalled += is_signalled(slot->event);
			if (slot->io->pending)
				changed += demo_changed(slot->io, offsetof(struct demo_io, pending));
		}
	}
	printf("signalled=%d\nchanged=%d\nwaits=%d\n", signalled, changed,
	       __atomic_load_n(&waits_returned, __ATOMIC_SEQ_CST) - waits_before);
}

/* The threads go, the slots are free again. The sockets went with WSACleanup. */
static void stop(void)
{
	for (struct worker *w = workers; w < workers + DEMO_WORKERS; w++) {
		__atomic_store_n(&w->stop, true, __ATOMIC_SEQ_CST);
		WSASetEvent(w->wake);
		pthread_join(w->thread, NULL);
		WSAResetEvent(w->wake);
		for (int i = 0; i < DEMO_SLOTS; i++) {
			w->slots[i].s = INVALID_SOCKET;
			w->slots[i].io->pending = 0;
		}
		w->nr_inbox = 0;
		w->nr_used = 0;
	}
	for (int i = 0; i < NR_BLOCKED; i++)
		pthread_join(blocked[i].thread, NULL);
}

static void prepare(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct demo_io *ios;

	if (fd < 0 || ftruncate(fd, DEMO_IOS * sizeof(*ios))) {
		perror(path);
		exit(1);
	}
	ios = mmap(NULL, DEMO_IOS * sizeof(*ios), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (ios == MAP_FAILED) {
		perror(path);
		exit(1);
	}
	close(fd);
	for (struct worker *w = workers; w < workers + DEMO_WORKERS; w++) {
		pthread_mutex_init(&w->lock, NULL);
		w->wake = WSACreateEvent();
		for (int i = 0; i < DEMO_SLOTS; i++) {
			w->slots[i].s = INVALID_SOCKET;
			w->slots[i].event = WSACreateEvent();
			w->slots[i].io = ios++;
		}
	}
	for (int i = 0; i < NR_BLOCKED; i++)
		blocked[i].returned = WSACreateEvent();
	printf("events=%d\n", DEMO_WORKERS * (DEMO_SLOTS + 1) + NR_BLOCKED);
}

int main(int argc, char **argv)
{
	char line[128], command[16];
	int a, b;

	if (argc != 2) {
		fprintf(stderr, "usage: demo_server FILE (for its buffers); commands on stdin\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOFBF, 0);
	prepare(argv[1]);
	puts(".");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) &&
	       sscanf(line, "%15s %d %d", command, &a, &b) >= 1) {
		if (!strcmp(command, "start"))
			start(a, b);
		else if (!strcmp(command, "state"))
			state();
		else if (!strcmp(command, "leave"))
			leave();
		else if (!strcmp(command, "cleanup"))
			cleanup();
		else if (!strcmp(command, "later"))
			later();
		else if (!strcmp(command, "after"))
			after();
		else if (!strcmp(command, "stop"))
			stop();
		puts(".");
		fflush(stdout);
	}
	return 0;
}
