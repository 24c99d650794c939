// SPDX-License-Identifier: GPL-2.0
/*
 * A load client of plain BSD sockets that knows nothing of Winsock: opens many
 * connections to a web server, asks for a page on each and keeps them open. It
 * then tells how each of them ended. It also has two ports for a server that
 * wants to connect: one that never says a word, one that never accepts.
 *
 * Commands on stdin, answers as name=value lines, ended by a dot.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS	20000
#define REQUEST		"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

enum state { OPEN, RESET, CLOSED };

static struct connection {
	int fd;
	enum state state;
	size_t got;
	char reply[512];
} *connections;
static struct pollfd *pfds;
static int nr;

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static void die(const char *what)
{
	fprintf(stderr, "demo_client: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

static int listener(int backlog, int *port)
{
	struct sockaddr_in sin = loopback(0);
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&sin, sizeof(sin)) || listen(fd, backlog) ||
	    getsockname(fd, (struct sockaddr *)&sin, &len))
		die("listen");
	*port = ntohs(sin.sin_port);
	return fd;
}

static int connect_to(int port)
{
	struct sockaddr_in sin = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&sin, sizeof(sin)))
		die("connect");
	return fd;
}

/*
 * With backlog 0 the queue of a listener holds one connection. Once it is there
 * the kernel drops whatever else asks to connect, so that asking takes minutes.
 */
static void offer_ports(void)
{
	int idle, silent;

	listener(16, &idle);
	listener(0, &silent);
	connect_to(silent);
	printf("idle=%d\nsilent=%d\n", idle, silent);
}

/* Look at connections that are still open, until @deadline; calls @handle. */
static void watch(long long deadline, bool (*handle)(struct connection *c))
{
	int left = 0;

	for (int i = 0; i < nr; i++) {
		pfds[i].fd = connections[i].state == OPEN ? connections[i].fd : -1;
		pfds[i].events = POLLIN;
		left += connections[i].state == OPEN;
	}
	while (left) {
		long long ms = deadline - now_ms();

		if (poll(pfds, nr, ms > 0 ? ms : 0) <= 0)
			return;
		for (int i = 0; i < nr; i++) {
			if (pfds[i].fd >= 0 && pfds[i].revents && !handle(&connections[i])) {
				pfds[i].fd = -1;
				left--;
			}
		}
	}
}

/* Returns whether there is more to come. */
static bool read_some(struct connection *c)
{
	ssize_t n = recv(c->fd, c->reply + c->got, sizeof(c->reply) - 1 - c->got, MSG_DONTWAIT);

	if (n > 0) {
		c->got += n;
		c->reply[c->got] = '\0';
		return true;
	}
	if (n < 0 && errno == EAGAIN)
		return true;
	c->state = n < 0 && errno == ECONNRESET ? RESET : CLOSED;
	return false;
}

static bool answered(const struct connection *c)
{
	const char *body = strstr(c->reply, "\r\n\r\n");
	const char *len = strstr(c->reply, "\r\nContent-Length: ");

	return body && len && !strncmp(c->reply, "HTTP/1.1 200 ", 13) &&
	       strlen(body + 4) == strtoul(len + 18, NULL, 10);
}

static bool read_reply(struct connection *c)
{
	return read_some(c) && !answered(c);
}

static void load(int port, int count)
{
	int ok = 0;

	for (int i = 0; i < nr; i++)
		close(connections[i].fd);
	free(connections);
	free(pfds);
	connections = calloc(count, sizeof(*connections));
	pfds = calloc(count, sizeof(*pfds));
	nr = count;
	for (int i = 0; i < nr; i++) {
		connections[i].fd = connect_to(port);
		if (send(connections[i].fd, REQUEST, strlen(REQUEST), MSG_NOSIGNAL) < 0)
			die("send");
	}
	watch(now_ms() + PATIENCE_MS, read_reply);
	for (int i = 0; i < nr; i++)
		ok += connections[i].state == OPEN && answered(&connections[i]);
	printf("answered=%d\n", ok);
}

/* ends MS: how the connections ended, up to MS milliseconds from now */
static void ends(int ms)
{
	int count[3] = { 0 };

	watch(now_ms() + ms, read_some);
	for (int i = 0; i < nr; i++)
		count[connections[i].state]++;
	printf("open=%d\nreset=%d\nclosed=%d\n", count[OPEN], count[RESET], count[CLOSED]);
}

/* Send on every connection, ended or not. */
static void send_all(void)
{
	char junk[64];
	int sent = 0;

	memset(junk, '!', sizeof(junk));
	for (int i = 0; i < nr; i++)
		sent += send(connections[i].fd, junk, sizeof(junk), MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
	printf("sent=%d\n", sent);
}

int main(void)
{
	char line[128], command[16];
	int a, b;

	setvbuf(stdout, NULL, _IOFBF, 0);
	offer_ports();
	puts(".");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) &&
	       sscanf(line, "%15s %d %d", command, &a, &b) >= 1) {
		if (!strcmp(command, "load"))
			load(a, b);
		else if (!strcmp(command, "ends"))
			ends(a);
		else if (!strcmp(command, "send"))
			send_all();
		puts(".");
		fflush(stdout);
	}
	return 0;
}
