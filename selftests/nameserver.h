/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A name server for tests, in a thread: it knows a few names, is silent about some,
 * and holds the answers to others back until it is told to give them.
 */
#ifndef WSOCK_SELFTESTS_NAMESERVER_H
#define WSOCK_SELFTESTS_NAMESERVER_H

#include "winsock.h"

enum {
	DNS_A = 1, DNS_CNAME = 5, DNS_PTR = 12, DNS_AAAA = 28,
	DNS_SERVFAIL = 2, DNS_NXDOMAIN = 3, DNS_REFUSED = 5,
};

#define DNS_HEADER 12	/* bytes, also of a record before its data */

/* silent.test and what ends with it has no answer, nor has 9.9.9.9; later.test later. */
static const struct record {
	const char *name;
	int type;
	const char *data;	/* an address, or a name */
} records[] = {
	{ "one.test", DNS_A, "192.0.2.1" },
	{ "one.test", DNS_AAAA, "2001:db8::1" },
	{ "later.test", DNS_A, "192.0.2.1" },
	{ "four.test", DNS_A, "192.0.2.1" },
	{ "four.test", DNS_A, "192.0.2.2" },
	{ "four.test", DNS_A, "192.0.2.3" },
	{ "six.test", DNS_AAAA, "2001:db8::6" },
	{ "alias.test", DNS_CNAME, "one.test" },
	{ "here.test", DNS_A, "127.0.0.1" },
	{ "1.2.0.192.in-addr.arpa", DNS_PTR, "one.test" },
	{ "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
	  DNS_PTR, "one.test" },
};

#define N_RECORDS ((int)(sizeof(records) / sizeof(records[0])))

struct nameserver {
	int fd, stop[2];
	pthread_t thread;
	bool release;			/* answer what was held back */
	unsigned int held, asked;	/* counts */
	struct dns_query {
		unsigned char data[512];
		int len;
		struct sockaddr_in from;
	} kept[64];
};

/* The name at @p as text; its length in the packet. */
static inline int dns_name(const unsigned char *p, char *text, size_t size)
{
	size_t at = 0, n = 0;

	while (p[at] && n + p[at] + 1 < size) {
		if (n)
			text[n++] = '.';
		for (int i = 0; i < p[at]; i++)
			text[n++] = tolower(p[at + 1 + i]);
		at += p[at] + 1;
	}
	text[n] = 0;
	return (int)at + 1;
}

static inline unsigned char *dns_put_name(unsigned char *p, const char *text)
{
	while (*text) {
		const char *dot = strchrnul(text, '.');

		*p++ = (unsigned char)(dot - text);
		p = mempcpy(p, text, dot - text);
		text = *dot ? dot + 1 : dot;
	}
	*p++ = 0;
	return p;
}

/* Appends a record for the name at @name in the packet. */
static inline unsigned char *dns_put_record(unsigned char *p, int name, const struct record *r)
{
	unsigned char *size;

	*p++ = 0xc0 | name >> 8;
	*p++ = name;
	*p++ = 0;
	*p++ = r->type;
	p = mempcpy(p, "\0\1\0\0\0\74", 6);	/* IN, for a minute */
	size = p;
	p += 2;
	if (r->type == DNS_A)
		inet_pton(AF_INET, r->data, p), p += 4;
	else if (r->type == DNS_AAAA)
		inet_pton(AF_INET6, r->data, p), p += 16;
	else
		p = dns_put_name(p, r->data);
	size[0] = (p - size - 2) >> 8;
	size[1] = p - size - 2;
	return p;
}

static inline void dns_answer(int fd, const struct dns_query *q)
{
	unsigned char out[512], *p = out;
	int len, type, rcode = DNS_NXDOMAIN, alias = 0;
	unsigned char answers = 0;
	const char *wanted;
	char name[256];

	len = dns_name(q->data + DNS_HEADER, name, sizeof(name));
	type = q->data[DNS_HEADER + len] << 8 | q->data[DNS_HEADER + len + 1];
	p = mempcpy(p, q->data, DNS_HEADER + len + 4);
	wanted = name;
	for (int i = 0; i < N_RECORDS; i++) {
		if (strcmp(records[i].name, name))
			continue;
		rcode = 0;
		if (records[i].type != DNS_CNAME)
			continue;
		alias = p - out + DNS_HEADER;
		p = dns_put_record(p, DNS_HEADER, &records[i]);
		answers++;
		wanted = records[i].data;
	}
	for (int i = 0; i < N_RECORDS; i++) {
		if (strcmp(records[i].name, wanted) || records[i].type != type)
			continue;
		p = dns_put_record(p, alias ? alias : DNS_HEADER, &records[i]);
		answers++;
	}
	if (!strcmp(name, "broken.test"))
		rcode = DNS_SERVFAIL;
	if (!strcmp(name, "refused.test"))
		rcode = DNS_REFUSED;
	out[2] = 0x84 | (q->data[2] & 1);	/* an answer, authoritative */
	out[3] = 0x80 | rcode;
	memset(out + 4, 0, 8);
	out[5] = 1;
	out[7] = answers;
	sendto(fd, out, p - out, 0, (const struct sockaddr *)&q->from, sizeof(q->from));
}

static inline bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && !strcmp(text + n - m, end);
}

static inline void dns_receive(struct nameserver *ns)
{
	struct dns_query q;
	socklen_t size = sizeof(q.from);
	char name[256];

	q.len = recvfrom(ns->fd, q.data, sizeof(q.data), 0, (void *)&q.from, &size);
	if (q.len < DNS_HEADER)
		return;
	dns_name(q.data + DNS_HEADER, name, sizeof(name));
	__atomic_add_fetch(&ns->asked, 1, __ATOMIC_RELEASE);
	if (ends_with(name, "silent.test") || !strcmp(name, "9.9.9.9.in-addr.arpa"))
		return;
	if (!strcmp(name, "later.test") && !__atomic_load_n(&ns->release, __ATOMIC_ACQUIRE)) {
		if (ns->held < 64) {
			ns->kept[ns->held] = q;
			__atomic_add_fetch(&ns->held, 1, __ATOMIC_RELEASE);
		}
		return;
	}
	dns_answer(ns->fd, &q);
}

static inline void *nameserver_main(void *arg)
{
	struct nameserver *ns = arg;
	struct pollfd fds[2] = {
		{ .fd = ns->fd, .events = POLLIN }, { .fd = ns->stop[0], .events = POLLIN },
	};
	char c;

	while (poll(fds, 2, -1) > 0) {
		if (fds[0].revents)
			dns_receive(ns);
		if (!fds[1].revents)
			continue;
		if (read(ns->stop[0], &c, 1) != 1 || c != '!')
			break;
		__atomic_store_n(&ns->release, true, __ATOMIC_RELEASE);
		for (unsigned int i = 0; i < ns->held; i++)
			dns_answer(ns->fd, &ns->kept[i]);
		ns->held = 0;
	}
	return NULL;
}

static inline bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	bool done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return done;
}

/* Also makes this machine ask it. */
static inline bool nameserver_start(struct nameserver *ns)
{
	struct sockaddr_in sin = loopback(53);

	memset(ns, 0, sizeof(*ns));
	ns->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return !bind(ns->fd, sa(&sin), sizeof(sin)) && !pipe2(ns->stop, O_CLOEXEC) &&
	       write_file("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n") &&
	       write_file("/etc/services", "http 80/tcp www web\ndomain 53/tcp\ndomain 53/udp\n"
			  "snmp 161/udp\n") &&
	       write_file("/etc/protocols", "tcp 6 TCP transport\nudp 17 UDP\n") &&
	       !pthread_create(&ns->thread, NULL, nameserver_main, ns);
}

/* What it held back. */
static inline bool nameserver_release(struct nameserver *ns)
{
	return tell(ns->stop[1]);
}

static inline bool nameserver_holds(struct nameserver *ns, unsigned int n)
{
	return wait_for(__atomic_load_n(&ns->held, __ATOMIC_ACQUIRE) >= n);
}

#endif /* WSOCK_SELFTESTS_NAMESERVER_H */
