// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An echo server on a ring of its own, with Winsock's end: while it waits for
 * its clients, another thread calls WSACleanup. Every receive that is pending
 * completes once, with -ECANCELED, and every client sees its connection reset.
 *
 *	cc uring-echo.c $(pkg-config --cflags --libs libwsock) -luring -lpthread
 */
#define _GNU_SOURCE
#define WSOCK_NATIVE_NAMES

#include <arpa/inet.h>
#include <errno.h>
#include <liburing.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <winsock2.h>
#include <wsock/uring.h>

#define CLIENTS	16
#define ROUNDS	8
#define MESSAGE	64

/* One end of a connection: what it receives into, and what it sends meanwhile. */
struct connection {
	int fd;
	char in[MESSAGE], out[MESSAGE];
	int receiving, sending;		/* operations that are not completed */
};

static struct connection connections[CLIENTS];
static int peers[CLIENTS];
static struct io_uring ring;
static int device;

static void fail(const char *what)
{
	fprintf(stderr, "uring-echo: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- The server: one thread and its ring ---- */

static struct io_uring_sqe *get_sqe(void)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	if (!sqe)
		fail("io_uring_get_sqe");	/* there is one for each operation */
	return sqe;
}

static void start_recv(struct connection *c)
{
	struct io_uring_sqe *sqe = get_sqe();

	wsock_prep_recv(sqe, device, c->fd, c->in, MESSAGE, MSG_WAITALL);
	io_uring_sqe_set_data(sqe, &c->receiving);
	c->receiving++;
}

static void start_send(struct connection *c)
{
	struct io_uring_sqe *sqe = get_sqe();

	wsock_prep_send(sqe, device, c->fd, c->out, MESSAGE, 0);
	io_uring_sqe_set_data(sqe, &c->sending);
	c->sending++;
}

/* Returns how many receives were cancelled. */
static int serve(void)
{
	int open = CLIENTS, cancelled = 0;

	for (int i = 0; i < CLIENTS; i++)
		start_recv(&connections[i]);
	while (open) {
		struct io_uring_cqe *cqe;
		struct connection *c;
		int res, *operation;

		res = io_uring_submit_and_wait(&ring, 1);
		if (res < 0 && res != -EINTR) {
			errno = -res;
			fail("io_uring_submit_and_wait");
		}
		if (io_uring_peek_cqe(&ring, &cqe))
			continue;
		operation = io_uring_cqe_get_data(cqe);
		res = cqe->res;
		io_uring_cqe_seen(&ring, cqe);

		if (--*operation) {
			fprintf(stderr, "uring-echo: completed twice\n");
			exit(1);
		}
		c = &connections[0];
		while (operation != &c->receiving && operation != &c->sending)
			c++;
		if (operation == &c->sending)
			continue;
		if (res != MESSAGE) {
			cancelled += res == -ECANCELED;
			open--;
			continue;
		}
		/*
		 * The receive first: who has the answer knows that the next
		 * question is waited for.
		 */
		memcpy(c->out, c->in, MESSAGE);
		start_recv(c);
		start_send(c);
	}
	return cancelled;
}

/* ---- The clients, and who ends it all: another thread, plain sockets ---- */

static void ask(int fd, int round)
{
	char question[MESSAGE], answer[MESSAGE];

	memset(question, 'a' + round, MESSAGE);
	if (send(fd, question, MESSAGE, 0) != MESSAGE ||
	    recv(fd, answer, MESSAGE, MSG_WAITALL) != MESSAGE)
		fail("echo");
	if (memcmp(question, answer, MESSAGE)) {
		fprintf(stderr, "uring-echo: another answer\n");
		exit(1);
	}
}

static void *use_and_end(void *arg)
{
	int *resets = arg;
	char byte;

	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < CLIENTS; i++)
			ask(peers[i], round);
	}
	if (WSACleanup()) {
		fprintf(stderr, "WSACleanup: %d\n", WSAGetLastError());
		exit(1);
	}
	/* From here on nobody writes to the connections' buffers any more. */
	for (int i = 0; i < CLIENTS; i++) {
		if (recv(peers[i], &byte, 1, 0) < 0 && errno == ECONNRESET)
			++*resets;
	}
	return NULL;
}

/* ---- Connections: native sockets, of which the server's side is adopted ---- */

static void connect_all(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (l < 0 || bind(l, (struct sockaddr *)&sin, len) ||
	    listen(l, CLIENTS) || getsockname(l, (struct sockaddr *)&sin, &len))
		fail("listener");
	for (int i = 0; i < CLIENTS; i++) {
		peers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(peers[i], (struct sockaddr *)&sin, len))
			fail("connect");
		connections[i].fd = accept4(l, NULL, NULL, SOCK_CLOEXEC);
		if (connections[i].fd < 0)
			fail("accept");
		if (wsock_adopt(connections[i].fd)) {
			fprintf(stderr, "wsock_adopt: %d\n", WSAGetLastError());
			exit(1);
		}
	}
	close(l);
}

int main(void)
{
	int cancelled, resets = 0;
	pthread_t other;
	WSADATA data;

	if (WSAStartup(MAKEWORD(2, 2), &data)) {
		fprintf(stderr, "uring-echo: is the module wsock loaded?\n");
		return 1;
	}
	device = wsock_device_fd();
	connect_all();
	errno = -io_uring_queue_init(2 * CLIENTS, &ring, 0);
	if (errno)
		fail("io_uring_queue_init");
	if (pthread_create(&other, NULL, use_and_end, &resets))
		fail("pthread_create");
	cancelled = serve();
	pthread_join(other, NULL);
	io_uring_queue_exit(&ring);
	printf("%d echoes, %d receives cancelled, %d connections reset\n",
	       CLIENTS * ROUNDS, cancelled, resets);
	return cancelled == CLIENTS && resets == CLIENTS ? 0 : 1;
}
