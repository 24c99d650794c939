// SPDX-License-Identifier: GPL-2.0
/*
 * Names of hosts, services and protocols: what is found, errors, lookups that
 * nobody waits for, and what the final WSACleanup makes of those that are pending
 * (B.7, C19, C20, C39, F.6, H21).
 */
#include <ctype.h>
#include <malloc.h>

#include "winsock.h"
#include "nameserver.h"
#include "kselftest_harness.h"

FIXTURE(names)
{
	struct nameserver ns;
};

FIXTURE_SETUP(names)
{
	ASSERT_TRUE(nameserver_start(&self->ns));
	ASSERT_EQ(startup(), 0);
}

FIXTURE_TEARDOWN_PARENT(names)
{
	EXPECT_TRUE(counters_zero());
}

/* Addresses of a list, "a:port a:port"; with type and protocol as "/1/6" behind. */
static const char *list_text(const ADDRINFOA *ai)
{
	static char text[1024];
	char address[INET6_ADDRSTRLEN];
	size_t n = 0;

	text[0] = 0;
	for (; ai; ai = ai->ai_next) {
		const struct sockaddr_in *in = (void *)ai->ai_addr;
		const struct sockaddr_in6 *in6 = (void *)ai->ai_addr;
		bool v6 = ai->ai_family == AF_INET6;

		if (ai->ai_addr->sa_family != ai->ai_family ||
		    ai->ai_addrlen != (v6 ? sizeof(*in6) : sizeof(*in)))
			return "inconsistent";
		inet_ntop(ai->ai_family, v6 ? (void *)&in6->sin6_addr : (void *)&in->sin_addr,
			  address, sizeof(address));
		n += snprintf(text + n, sizeof(text) - n, "%s%s:%d/%d/%d", n ? " " : "", address,
			      ntohs(in->sin_port), ai->ai_socktype, ai->ai_protocol);
	}
	return text;
}

/* Is one of the entries this? Their order is a matter of routes. */
static bool has_entry(const char *list, const char *entry)
{
	const char *at = strstr(list, entry);

	return at && (at == list || at[-1] == ' ') &&
	       (at[strlen(entry)] == ' ' || !at[strlen(entry)]);
}

/* ---- getaddrinfo ---- */

static const struct question {
	const char *node, *service;
	int flags, family, socktype, protocol;
	int error;
	const char *entries[4];
} questions[] = {
	{ "one.test", "80", .entries = { "192.0.2.1:80/0/0", "2001:db8::1:80/0/0" } },
	{ "One.Test", NULL, .family = AF_INET, .entries = { "192.0.2.1:0/0/0" } },
	{ "one.test", NULL, .family = AF_INET6, .socktype = SOCK_STREAM, .protocol = IPPROTO_TCP,
	  .entries = { "2001:db8::1:0/1/6" } },
	{ "four.test", NULL, .entries = { "192.0.2.1:0/0/0", "192.0.2.2:0/0/0",
					  "192.0.2.3:0/0/0" } },
	{ "alias.test", NULL, .family = AF_INET, .entries = { "192.0.2.1:0/0/0" } },
	{ "localhost", "1", .family = AF_INET, .entries = { "127.0.0.1:1/0/0" } },
	/* Services. */
	{ "127.0.0.1", "http", .entries = { "127.0.0.1:80/1/6" } },
	{ "127.0.0.1", "web", .entries = { "127.0.0.1:80/1/6" } },
	{ "127.0.0.1", "domain", .entries = { "127.0.0.1:53/1/6", "127.0.0.1:53/2/17" } },
	{ "127.0.0.1", "domain", .socktype = SOCK_DGRAM, .entries = { "127.0.0.1:53/2/17" } },
	{ "127.0.0.1", "domain", .protocol = IPPROTO_TCP, .entries = { "127.0.0.1:53/1/6" } },
	{ "127.0.0.1", "snmp", .socktype = SOCK_STREAM, .error = WSATYPE_NOT_FOUND },
	{ "127.0.0.1", "nothing", .error = WSATYPE_NOT_FOUND },
	{ "127.0.0.1", "65536", .error = WSATYPE_NOT_FOUND },
	{ "127.0.0.1", "http", .flags = WSOCK_AI_NUMERICSERV, .error = WSAHOST_NOT_FOUND },
	{ "127.0.0.1", "7", .flags = WSOCK_AI_NUMERICSERV, .entries = { "127.0.0.1:7/0/0" } },
	/* Numbers. */
	{ "127.1", "7", .entries = { "127.0.0.1:7/0/0" } },
	{ "::1", "7", .socktype = SOCK_DGRAM, .entries = { "::1:7/2/0" } },
	{ "fe80::1%1", "7", .entries = { "fe80::1:7/0/0" } },
	{ "fe80::1%lo", "7", .entries = { "fe80::1:7/0/0" } },
	{ "fe80::1%none", "7", .flags = WSOCK_AI_NUMERICHOST, .error = WSAHOST_NOT_FOUND },
	{ "::1", "7", .family = AF_INET, .error = WSAHOST_NOT_FOUND },
	{ "127.0.0.1", "7", .family = AF_INET6, .error = WSAHOST_NOT_FOUND },
	{ "127.0.0.1", "7", .family = AF_INET6, .flags = WSOCK_AI_V4MAPPED,
	  .entries = { "::ffff:127.0.0.1:7/0/0" } },
	{ "one.test", "7", .flags = WSOCK_AI_NUMERICHOST, .error = WSAHOST_NOT_FOUND },
	/* No name. */
	{ NULL, "7", .entries = { "::1:7/0/0", "127.0.0.1:7/0/0" } },
	{ NULL, "7", .flags = WSOCK_AI_PASSIVE, .entries = { ":::7/0/0", "0.0.0.0:7/0/0" } },
	{ NULL, "7", .flags = WSOCK_AI_PASSIVE, .family = AF_INET, .entries = { "0.0.0.0:7/0/0" } },
	{ NULL, NULL, .error = WSAHOST_NOT_FOUND },
	{ NULL, "7", .flags = WSOCK_AI_CANONNAME, .error = WSAEINVAL },
	{ "", "7", .family = AF_INET, .entries = { "127.0.0.1:7/0/0" } },
	{ "WSOCK-VM", "7", .family = AF_INET, .entries = { "127.0.0.1:7/0/0" } },
	/* Mapped. */
	{ "four.test", NULL, .family = AF_INET6, .error = WSANO_DATA },
	{ "four.test", NULL, .family = AF_INET6, .flags = WSOCK_AI_V4MAPPED,
	  .entries = { "::ffff:192.0.2.1:0/0/0", "::ffff:192.0.2.2:0/0/0",
		       "::ffff:192.0.2.3:0/0/0" } },
	{ "one.test", NULL, .family = AF_INET6, .flags = WSOCK_AI_V4MAPPED,
	  .entries = { "2001:db8::1:0/0/0" } },
	{ "one.test", NULL, .family = AF_INET6, .flags = WSOCK_AI_V4MAPPED | WSOCK_AI_ALL,
	  .entries = { "2001:db8::1:0/0/0", "::ffff:192.0.2.1:0/0/0" } },
	/* Failures. */
	{ "none.test", NULL, .error = WSAHOST_NOT_FOUND },
	{ "six.test", NULL, .family = AF_INET, .error = WSANO_DATA },
	{ "broken.test", NULL, .error = WSATRY_AGAIN },
	{ "refused.test", NULL, .error = WSANO_RECOVERY },
	{ "silent.test", NULL, .error = WSATRY_AGAIN },
	{ "\xc3\xa4.test", NULL, .error = WSAHOST_NOT_FOUND },
	{ "a..b", NULL, .error = WSAHOST_NOT_FOUND },
	{ "one.test", NULL, .family = AF_UNIX, .error = WSAEAFNOSUPPORT },
	{ "one.test", NULL, .socktype = 99, .error = WSAESOCKTNOSUPPORT },
	{ "one.test", NULL, .flags = 0x40000000, .error = WSAEINVAL },
};

#define N_QUESTIONS ((int)(sizeof(questions) / sizeof(questions[0])))

/* The same question in each form; the lists have the same head. */
static int ask(const struct question *q, int form, void **list)
{
	ADDRINFOEXW hints = {
		.ai_flags = q->flags,
		.ai_family = q->family,
		.ai_socktype = q->socktype,
		.ai_protocol = q->protocol,
	};
	WCHAR node[256], service[64];

	if (q->node)
		widen(node, q->node);
	if (q->service)
		widen(service, q->service);
	switch (form) {
	case 0:
		return wsock_getaddrinfo(q->node, q->service, (void *)&hints, (void *)list);
	case 1:
		return GetAddrInfoW(q->node ? node : NULL, q->service ? service : NULL,
				    (void *)&hints, (void *)list);
	case 2:
		return GetAddrInfoExA(q->node, q->service, NS_DNS, NULL, (void *)&hints,
				      (void *)list, NULL, NULL, NULL, NULL);
	}
	return GetAddrInfoExW(q->node ? node : NULL, q->service ? service : NULL, NS_ALL, NULL,
			      &hints, (void *)list, NULL, NULL, NULL, NULL);
}

/* The entries of an Ex list as a plain one, for list_text(). */
static const ADDRINFOA *plain(void *list, bool ex)
{
	static ADDRINFOA entries[8];
	int n = 0;

	for (ADDRINFOEXA *ai = list; ex && ai; ai = ai->ai_next) {
		memcpy(&entries[n], ai, offsetof(ADDRINFOA, ai_next));
		entries[n].ai_next = NULL;
		if (n)
			entries[n - 1].ai_next = &entries[n];
		n++;
	}
	return ex ? entries : list;
}

TEST_F(names, F6__getaddrinfo)
{
	ASSERT_EQ(sethostname("wsock-vm", 8), 0);
	for (int i = 0; i < N_QUESTIONS * 4; i++) {
		const struct question *q = &questions[i / 4];
		void *list = (void *)POISON_LONG;
		const char *text;
		int n = 0, form = i % 4;

		/* One that takes its time need not do so again. */
		if (q->error == WSATRY_AGAIN && form)
			continue;
		WSASetLastError(4711);
		EXPECT_EQ(ask(q, form, &list), q->error)
			TH_LOG("question %d in form %d: %s", i / 4, form, q->node);
		EXPECT_EQ(WSAGetLastError(), q->error);
		if (q->error || !list) {
			EXPECT_EQ(list, NULL);
			continue;
		}
		text = list_text(plain(list, form > 1));
		for (; n < 4 && q->entries[n]; n++) {
			EXPECT_TRUE(has_entry(text, q->entries[n]))
				TH_LOG("%s: %s not in %s", q->node, q->entries[n], text);
		}
		for (const char *p = text; n && (p = strchr(p, ' ')); p++)
			n--;
		EXPECT_EQ(n, 1) TH_LOG("%s: %s", q->node, text);
		switch (form) {
		case 0:
			wsock_freeaddrinfo(list);
			break;
		case 1:
			FreeAddrInfoW(list);
			break;
		case 2:
			FreeAddrInfoEx(list);
			break;
		case 3:
			FreeAddrInfoExW(list);
		}
	}
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(names, F6__getaddrinfo_hints_and_pointers)
{
	ADDRINFOA hints = { .ai_flags = WSOCK_AI_CANONNAME }, *list;
	ADDRINFOW wide_hints = { .ai_flags = WSOCK_AI_CANONNAME }, *wide;
	WCHAR name[] = { 'a', 'l', 'i', 'a', 's', '.', 't', 'e', 's', 't', 0 };
	char longest[2048];

	ASSERT_EQ(wsock_getaddrinfo("alias.test", NULL, &hints, &list), 0);
	EXPECT_STREQ(list->ai_canonname, "one.test");
	EXPECT_EQ(list->ai_next->ai_canonname, NULL);
	wsock_freeaddrinfo(list);
	ASSERT_EQ(wsock_getaddrinfo("1.2.3.4", NULL, &hints, &list), 0);
	EXPECT_STREQ(list->ai_canonname, "1.2.3.4");
	wsock_freeaddrinfo(list);
	ASSERT_EQ(GetAddrInfoW(name, NULL, &wide_hints, &wide), 0);
	EXPECT_TRUE(same_text(wide->ai_canonname, "one.test"));
	FreeAddrInfoW(wide);
	wsock_freeaddrinfo(NULL);

	hints.ai_addrlen = 1;
	EXPECT_EQ(wsock_getaddrinfo("1.2.3.4", NULL, &hints, &list), WSANO_RECOVERY);
	hints.ai_addrlen = 0;
	hints.ai_next = &hints;
	EXPECT_EQ(wsock_getaddrinfo("1.2.3.4", NULL, &hints, &list), WSANO_RECOVERY);
	EXPECT_EQ(wsock_getaddrinfo("1.2.3.4", NULL, NULL, NULL), WSAEFAULT);
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = 0;
	EXPECT_EQ(wsock_getaddrinfo(longest, NULL, NULL, &list), WSAHOST_NOT_FOUND);
	name[0] = 0xdc00;
	EXPECT_EQ(GetAddrInfoW(name, NULL, NULL, &wide), WSAHOST_NOT_FOUND);
	EXPECT_STREQ(gai_strerrorA(WSAHOST_NOT_FOUND), "No such host");
	EXPECT_TRUE(same_text(gai_strerrorW(4711), "Unknown error"));
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- getnameinfo ---- */

TEST_F(names, F6__getnameinfo)
{
	struct sockaddr_in6 one6 = { .sin6_family = AF_INET6, .sin6_port = htons(53) };
	struct sockaddr_in one = loopback(80), other = loopback(1);
	char node[64], service[64];
	WCHAR wide[64];

	inet_pton(AF_INET, "192.0.2.1", &one.sin_addr);
	inet_pton(AF_INET6, "2001:db8::1", &one6.sin6_addr);
	inet_pton(AF_INET, "192.0.2.77", &other.sin_addr);
	EXPECT_EQ(wsock_getnameinfo(sa(&one), sizeof(one), node, 64, service, 64, 0), 0);
	EXPECT_STREQ(node, "one.test");
	EXPECT_STREQ(service, "http");
	EXPECT_EQ(wsock_getnameinfo((void *)&one6, sizeof(one6), node, 64, service, 64,
				    WSOCK_NI_DGRAM), 0);
	EXPECT_STREQ(node, "one.test");
	EXPECT_STREQ(service, "domain");
	EXPECT_EQ(GetNameInfoW(sa(&one), sizeof(one), wide, 9, NULL, 0, 0), 0);
	EXPECT_TRUE(same_text(wide, "one.test"));
	EXPECT_EQ(GetNameInfoW(sa(&one), sizeof(one), wide, 8, NULL, 0, 0),
		  ERROR_INSUFFICIENT_BUFFER);
	EXPECT_EQ(wsock_getnameinfo(sa(&one), sizeof(one), node, 8, NULL, 0, 0),
		  ERROR_INSUFFICIENT_BUFFER);
	EXPECT_EQ(wsock_getnameinfo(sa(&one), sizeof(one), NULL, 64, service, 4, 0),
		  ERROR_INSUFFICIENT_BUFFER);
	EXPECT_EQ(wsock_getnameinfo(sa(&one), sizeof(one), node, 64, service, 64,
				    WSOCK_NI_NUMERICHOST | WSOCK_NI_NUMERICSERV), 0);
	EXPECT_STREQ(node, "192.0.2.1");
	EXPECT_STREQ(service, "80");
	/* Without a name. */
	EXPECT_EQ(wsock_getnameinfo(sa(&other), sizeof(other), node, 64, service, 64, 0), 0);
	EXPECT_STREQ(node, "192.0.2.77");
	EXPECT_STREQ(service, "1");
	EXPECT_EQ(wsock_getnameinfo(sa(&other), sizeof(other), node, 64, NULL, 0,
				    WSOCK_NI_NAMEREQD), WSAHOST_NOT_FOUND);
	one6.sin6_scope_id = 7;
	EXPECT_EQ(wsock_getnameinfo((void *)&one6, sizeof(one6), node, 64, NULL, 0,
				    WSOCK_NI_NUMERICHOST), 0);
	EXPECT_STREQ(node, "2001:db8::1%7");
	/* Bad input. */
	EXPECT_EQ(wsock_getnameinfo(sa(&one), sizeof(one), NULL, 0, NULL, 0, 0),
		  WSAHOST_NOT_FOUND);
	EXPECT_EQ(wsock_getnameinfo(sa(&one), sizeof(one) - 1, node, 64, NULL, 0, 0), WSAEFAULT);
	EXPECT_EQ(wsock_getnameinfo((void *)&one6, sizeof(one6) - 1, node, 64, NULL, 0, 0),
		  WSAEFAULT);
	EXPECT_EQ(wsock_getnameinfo(NULL, sizeof(one), node, 64, NULL, 0, 0), WSAEFAULT);
	EXPECT_EQ(wsock_getnameinfo(sa(&one), sizeof(one), node, 64, NULL, 0, 0x40), WSAEINVAL);
	one.sin_family = AF_UNIX;
	EXPECT_EQ(wsock_getnameinfo(sa(&one), sizeof(one), node, 64, NULL, 0, 0),
		  WSAEAFNOSUPPORT);
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- Winsock 1.1's ---- */

static const char *host_text(const struct wsock_hostent *h)
{
	static char text[512];
	char address[INET6_ADDRSTRLEN];
	size_t n;

	if (!h)
		return "";
	n = snprintf(text, sizeof(text), "%s", h->h_name);
	for (char **alias = h->h_aliases; *alias; alias++)
		n += snprintf(text + n, sizeof(text) - n, " =%s", *alias);
	for (char **addr = h->h_addr_list; *addr; addr++)
		n += snprintf(text + n, sizeof(text) - n, " %s",
			      inet_ntop(h->h_addrtype, *addr, address, sizeof(address)));
	return h->h_length == (h->h_addrtype == AF_INET6 ? 16 : 4) ? text : "bad length";
}

TEST_F(names, F6__gethostbyname)
{
	struct wsock_hostent *first;
	struct in6_addr in6;
	struct in_addr in;
	char *longest;

	EXPECT_STREQ(host_text(wsock_gethostbyname("one.test")), "one.test 192.0.2.1");
	first = wsock_gethostbyname("alias.test");
	EXPECT_STREQ(host_text(first), "one.test =alias.test 192.0.2.1");
	EXPECT_EQ(first->h_addrtype, AF_INET);
	EXPECT_STREQ(host_text(wsock_gethostbyname("127.1")), "127.1 127.0.0.1");
	EXPECT_STREQ(host_text(wsock_gethostbyname("localhost")), "localhost 127.0.0.1");
	ASSERT_EQ(sethostname("wsock-vm", 8), 0);
	EXPECT_STREQ(host_text(wsock_gethostbyname(NULL)), "wsock-vm 127.0.0.1");
	EXPECT_STREQ(host_text(wsock_gethostbyname("")), "wsock-vm 127.0.0.1");
	EXPECT_STREQ(host_text(wsock_gethostbyname("Wsock-vm")), "Wsock-vm 127.0.0.1");
	EXPECT_EQ(wsock_gethostbyname("none.test"), NULL);
	EXPECT_EQ(WSAGetLastError(), WSAHOST_NOT_FOUND);
	EXPECT_EQ(wsock_gethostbyname("six.test"), NULL);
	EXPECT_EQ(WSAGetLastError(), WSANO_DATA);
	EXPECT_EQ(wsock_gethostbyname("broken.test"), NULL);
	EXPECT_EQ(WSAGetLastError(), WSATRY_AGAIN);
	longest = calloc(1, 5000);
	memset(longest, 'a', 4999);
	EXPECT_EQ(wsock_gethostbyname(longest), NULL);
	EXPECT_EQ(WSAGetLastError(), WSAHOST_NOT_FOUND);
	free(longest);

	inet_pton(AF_INET, "192.0.2.1", &in);
	EXPECT_STREQ(host_text(wsock_gethostbyaddr((char *)&in, 4, AF_INET)),
		     "one.test 192.0.2.1");
	inet_pton(AF_INET6, "2001:db8::1", &in6);
	EXPECT_STREQ(host_text(wsock_gethostbyaddr((char *)&in6, 16, AF_INET6)),
		     "one.test 2001:db8::1");
	inet_pton(AF_INET, "192.0.2.77", &in);
	EXPECT_EQ(wsock_gethostbyaddr((char *)&in, 4, AF_INET), NULL);
	EXPECT_EQ(WSAGetLastError(), WSAHOST_NOT_FOUND);
	EXPECT_EQ(wsock_gethostbyaddr((char *)&in, 3, AF_INET), NULL);
	EXPECT_EQ(WSAGetLastError(), WSAEFAULT);
	EXPECT_EQ(wsock_gethostbyaddr(NULL, 4, AF_INET), NULL);
	EXPECT_EQ(WSAGetLastError(), WSAEFAULT);
	EXPECT_EQ(wsock_gethostbyaddr((char *)&in, 4, AF_UNIX), NULL);
	EXPECT_EQ(WSAGetLastError(), WSAEAFNOSUPPORT);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(names, F6__services_and_protocols)
{
	struct wsock_servent *s;
	struct wsock_protoent *p;

	s = wsock_getservbyname("www", NULL);
	ASSERT_NE(s, NULL);
	EXPECT_STREQ(s->s_name, "http");
	EXPECT_STREQ(s->s_proto, "tcp");
	EXPECT_EQ(s->s_port, (short)htons(80));
	EXPECT_STREQ(s->s_aliases[0], "www");
	EXPECT_STREQ(s->s_aliases[1], "web");
	EXPECT_EQ(s->s_aliases[2], NULL);
	s = wsock_getservbyport(htons(53), "udp");
	ASSERT_NE(s, NULL);
	EXPECT_STREQ(s->s_name, "domain");
	EXPECT_STREQ(s->s_proto, "udp");
	EXPECT_EQ(s->s_aliases[0], NULL);
	p = wsock_getprotobyname("TCP");
	ASSERT_NE(p, NULL);
	EXPECT_STREQ(p->p_name, "tcp");
	EXPECT_EQ(p->p_proto, 6);
	EXPECT_STREQ(p->p_aliases[0], "TCP");
	EXPECT_STREQ(p->p_aliases[1], "transport");
	EXPECT_EQ(p->p_aliases[2], NULL);
	/* The service's structure is another one. */
	EXPECT_STREQ(s->s_name, "domain");
	p = wsock_getprotobynumber(17);
	ASSERT_NE(p, NULL);
	EXPECT_STREQ(p->p_name, "udp");

	EXPECT_EQ(wsock_getservbyname("http", "udp"), NULL);
	EXPECT_EQ(WSAGetLastError(), WSANO_DATA);
	EXPECT_EQ(wsock_getservbyport(htons(7), NULL), NULL);
	EXPECT_EQ(WSAGetLastError(), WSANO_DATA);
	EXPECT_EQ(wsock_getprotobyname("none"), NULL);
	EXPECT_EQ(WSAGetLastError(), WSANO_DATA);
	EXPECT_EQ(wsock_getprotobynumber(99), NULL);
	EXPECT_EQ(WSAGetLastError(), WSANO_DATA);
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- Blocked lookups ---- */

static int call_getaddrinfo(struct caller *c)
{
	ADDRINFOA *list = NULL;
	int ret = wsock_getaddrinfo(c->arg, NULL, NULL, &list);

	wsock_freeaddrinfo(list);
	return ret;
}

static int call_gethostbyname(struct caller *c)
{
	return wsock_gethostbyname(c->arg) ? 0 : WSAGetLastError();
}

static int call_getnameinfo(struct caller *c)
{
	struct sockaddr_in sin = loopback(0);
	char name[64];

	sin.sin_addr.s_addr = htonl(0x09090909);
	return wsock_getnameinfo(sa(&sin), sizeof(sin), name, 64, NULL, 0, 0);
}

static int call_gethostbyaddr(struct caller *c)
{
	struct in_addr in = { htonl(0x09090909) };

	return wsock_gethostbyaddr((char *)&in, 4, AF_INET) ? 0 : WSAGetLastError();
}

static int call_connectbyname(struct caller *c)
{
	SOCKET s = wsock_socket(AF_INET, SOCK_STREAM, 0);

	return WSAConnectByNameA(s, c->arg, "80", NULL, NULL, NULL, NULL, NULL, NULL) ?
		       0 : WSAGetLastError();
}

static int (*const blocking[])(struct caller *c) = {
	call_getaddrinfo, call_gethostbyname, call_getnameinfo, call_gethostbyaddr,
	call_connectbyname,
};

#define N_BLOCKING ((int)(sizeof(blocking) / sizeof(blocking[0])))

/* So that no lookup ends by itself. */
static bool patient(void)
{
	return write_file("/etc/resolv.conf",
			  "nameserver 127.0.0.1\noptions timeout:60 attempts:3\n");
}

TEST_F(names, C19__blocked_lookups)
{
	struct caller callers[N_BLOCKING] = {};
	int fds = fd_count();
	double end;

	ASSERT_TRUE(patient());
	for (int i = 0; i < N_BLOCKING; i++) {
		callers[i].call = blocking[i];
		callers[i].arg = "silent.test";
		ASSERT_TRUE(caller_start(&callers[i]));
		ASSERT_TRUE(caller_blocked(&callers[i], SYS_ppoll));
	}
	ASSERT_EQ(WSACleanup(), 0);
	end = now_ms();
	for (int i = 0; i < N_BLOCKING; i++) {
		ASSERT_TRUE(caller_join(&callers[i]));
		EXPECT_LT(callers[i].returned - end, 1000);
		EXPECT_EQ(callers[i].result, WSAEINTR) TH_LOG("call %d", i);
		EXPECT_EQ(callers[i].error, WSAEINTR) TH_LOG("call %d", i);
		EXPECT_EQ(callers[i].next_error, WSANOTINITIALISED);
	}
	/* Nothing is left of them. */
	EXPECT_EQ(fd_count(), fds);
	EXPECT_TRUE(holds_nothing());
}

TEST_F(names, C15__lookups_go_on_until_the_final_cleanup)
{
	struct caller c = { .call = call_getaddrinfo, .arg = "later.test" };

	ASSERT_TRUE(patient());
	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(caller_start(&c));
	ASSERT_TRUE(nameserver_holds(&self->ns, 1));
	ASSERT_EQ(WSACleanup(), 0);
	EXPECT_FALSE(caller_done(&c));
	ASSERT_TRUE(nameserver_release(&self->ns));
	ASSERT_TRUE(caller_join(&c));
	EXPECT_EQ(c.result, 0);
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- Lookups that nobody waits for ---- */

/* One of them, and what the program sees of it. */
struct later {
	OVERLAPPED ov;
	ADDRINFOEXW *list;
	HANDLE handle;
	DWORD error;
	int calls;
	pthread_t thread;
	int cleanup;
};

static int start(struct later *l, const char *name, HANDLE event,
		 LPLOOKUPSERVICE_COMPLETION_ROUTINE routine)
{
	WCHAR wide[64];

	memset(l, 0, sizeof(*l));
	l->ov.hEvent = event;
	l->list = (void *)POISON_LONG;
	widen(wide, name);
	return GetAddrInfoExW(wide, NULL, NS_DNS, NULL, NULL, &l->list, NULL, &l->ov, routine,
			      &l->handle);
}

static void CALLBACK note(DWORD error, DWORD bytes, LPWSAOVERLAPPED ov)
{
	struct later *l = (void *)ov;

	l->error = error;
	l->thread = pthread_self();
	__atomic_add_fetch(&l->calls, 1, __ATOMIC_RELEASE);
}

static bool called(struct later *l)
{
	return wait_for(__atomic_load_n(&l->calls, __ATOMIC_ACQUIRE));
}

TEST_F(names, F6__overlapped)
{
	int fds = fd_count();
	HANDLE event = WSACreateEvent();
	struct later l;

	WSASetEvent(event);
	EXPECT_EQ(start(&l, "later.test", event, NULL), WSA_IO_PENDING);
	EXPECT_EQ(WSAGetLastError(), WSA_IO_PENDING);
	EXPECT_EQ(l.list, NULL);
	EXPECT_FALSE(signalled(event));
	EXPECT_EQ(GetAddrInfoExOverlappedResult(&l.ov), WSAEINPROGRESS);
	ASSERT_TRUE(nameserver_release(&self->ns));
	EXPECT_TRUE(becomes_signalled(event));
	EXPECT_EQ(GetAddrInfoExOverlappedResult(&l.ov), 0);
	ASSERT_NE(l.list, NULL);
	EXPECT_EQ(l.list->ai_family, AF_INET);
	FreeAddrInfoExW(l.list);
	/* It is over. */
	EXPECT_EQ(GetAddrInfoExCancel(&l.handle), WSA_INVALID_HANDLE);

	EXPECT_EQ(start(&l, "one.test", NULL, note), WSA_IO_PENDING);
	ASSERT_TRUE(called(&l));
	EXPECT_EQ(l.error, 0);
	EXPECT_FALSE(pthread_equal(l.thread, pthread_self()));
	EXPECT_EQ(GetAddrInfoExOverlappedResult(&l.ov), 0);
	FreeAddrInfoExW(l.list);
	/* What needs no server is told in the same way, and failures too. */
	EXPECT_EQ(start(&l, "127.0.0.1", event, NULL), WSA_IO_PENDING);
	EXPECT_TRUE(becomes_signalled(event));
	EXPECT_EQ(GetAddrInfoExOverlappedResult(&l.ov), 0);
	FreeAddrInfoExW(l.list);
	EXPECT_EQ(start(&l, "none.test", event, NULL), WSA_IO_PENDING);
	EXPECT_TRUE(becomes_signalled(event));
	EXPECT_EQ(GetAddrInfoExOverlappedResult(&l.ov), WSAHOST_NOT_FOUND);
	EXPECT_EQ(l.list, NULL);
	/* The thread and what it had are gone when there is nothing to do. */
	EXPECT_TRUE(wait_for(fd_count() == fds + 1));
	EXPECT_TRUE(WSACloseEvent(event));
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(names, F6__overlapped_cancel_and_timeout)
{
	struct timeval tv = { .tv_usec = 50000 };
	HANDLE event = WSACreateEvent();
	WCHAR name[] = { 's', 'i', 'l', 'e', 'n', 't', '.', 't', 'e', 's', 't', 0 };
	struct later l, other;
	ADDRINFOEXA *list;

	ASSERT_TRUE(patient());
	EXPECT_EQ(start(&other, "x.silent.test", NULL, note), WSA_IO_PENDING);
	EXPECT_EQ(start(&l, "silent.test", event, NULL), WSA_IO_PENDING);
	EXPECT_EQ(GetAddrInfoExCancel(&l.handle), 0);
	EXPECT_TRUE(becomes_signalled(event));
	EXPECT_EQ(GetAddrInfoExOverlappedResult(&l.ov), WSA_E_CANCELLED);
	EXPECT_EQ(l.list, NULL);
	EXPECT_EQ(GetAddrInfoExCancel(&l.handle), WSA_INVALID_HANDLE);
	EXPECT_EQ(start(&l, "silent.test", NULL, note), WSA_IO_PENDING);
	EXPECT_EQ(GetAddrInfoExCancel(&l.handle), 0);
	ASSERT_TRUE(called(&l));
	EXPECT_EQ(l.error, WSA_E_CANCELLED);
	/* One does not concern the other. */
	EXPECT_EQ(other.calls, 0);
	EXPECT_EQ(GetAddrInfoExOverlappedResult(&other.ov), WSAEINPROGRESS);

	memset(&l, 0, sizeof(l));
	l.ov.hEvent = event;
	EXPECT_EQ(GetAddrInfoExW(name, NULL, NS_DNS, NULL, NULL, &l.list, &tv, &l.ov, NULL, NULL),
		  WSA_IO_PENDING);
	EXPECT_TRUE(becomes_signalled(event));
	EXPECT_EQ(GetAddrInfoExOverlappedResult(&l.ov), WSAETIMEDOUT);

	/* Bad input. */
	EXPECT_EQ(start(&l, "one.test", NULL, NULL), WSAEINVAL);
	EXPECT_EQ(start(&l, "one.test", event, note), WSAEINVAL);
	EXPECT_EQ(GetAddrInfoExW(name, NULL, NS_DNS, NULL, NULL, &l.list, NULL, NULL, note, NULL),
		  WSAEINVAL);
	EXPECT_EQ(GetAddrInfoExW(name, NULL, NS_DNS, NULL, NULL, &l.list, &tv, NULL, NULL, NULL),
		  WSAEINVAL);
	EXPECT_EQ(GetAddrInfoExW(name, NULL, 77, NULL, NULL, &l.list, NULL, NULL, NULL, NULL),
		  WSASERVICE_NOT_FOUND);
	EXPECT_EQ(GetAddrInfoExA("one.test", NULL, NS_DNS, NULL, NULL, &list, NULL, &l.ov, NULL,
				 NULL), WSAEINVAL);
	EXPECT_EQ(GetAddrInfoExOverlappedResult(NULL), WSAEINVAL);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(names, C20__pending_lookups_end_in_silence)
{
	HANDLE event = WSACreateEvent();
	struct later by_event, by_routine;
	int fds = fd_count(), peer;
	SOCKET s;

	ASSERT_TRUE(patient());
	EXPECT_EQ(start(&by_event, "later.test", event, NULL), WSA_IO_PENDING);
	EXPECT_EQ(start(&by_routine, "later.test", NULL, note), WSA_IO_PENDING);
	ASSERT_TRUE(nameserver_holds(&self->ns, 2));
	ASSERT_EQ(WSACleanup(), 0);
	EXPECT_EQ(GetAddrInfoExOverlappedResult(&by_event.ov), WSA_E_CANCELLED);
	EXPECT_EQ(GetAddrInfoExOverlappedResult(&by_routine.ov), WSA_E_CANCELLED);
	memset(&by_event, POISON, sizeof(by_event));
	ASSERT_TRUE(nameserver_release(&self->ns));
	EXPECT_TRUE(stays_unsignalled(event, 2000));
	EXPECT_EQ(by_routine.calls, 0);
	EXPECT_EQ(by_routine.list, NULL);
	EXPECT_TRUE(all_poison(&by_event, sizeof(by_event)));
	EXPECT_TRUE(wait_for(fd_count() == fds));
	/* The next life begins blank. */
	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	EXPECT_EQ(GetAddrInfoExCancel(&by_routine.handle), WSA_INVALID_HANDLE);
	EXPECT_EQ(start(&by_event, "one.test", event, NULL), WSA_IO_PENDING);
	EXPECT_TRUE(becomes_signalled(event));
	EXPECT_EQ(GetAddrInfoExOverlappedResult(&by_event.ov), 0);
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_TRUE(holds_nothing());
}

static void CALLBACK clean_up(DWORD error, DWORD bytes, LPWSAOVERLAPPED ov)
{
	struct later *l = (void *)ov;

	l->cleanup = WSACleanup();
	note(error, bytes, ov);
}

TEST_F(names, H9__cleanup_in_a_routine)
{
	struct later l, pending;

	ASSERT_TRUE(patient());
	EXPECT_EQ(start(&pending, "silent.test", NULL, note), WSA_IO_PENDING);
	EXPECT_EQ(start(&l, "one.test", NULL, clean_up), WSA_IO_PENDING);
	ASSERT_TRUE(called(&l));
	EXPECT_EQ(l.cleanup, 0);
	EXPECT_EQ(GetAddrInfoExOverlappedResult(&pending.ov), WSA_E_CANCELLED);
	EXPECT_EQ(pending.calls, 0);
	EXPECT_EQ(WSACleanup(), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED);
}

/* Nobody is told twice or of another's end, whoever is first. */
TEST_F(names, H21__lookups_race_with_cleanup)
{
	enum { N = 16, ROUNDS = 60 };
	static const char *const which[] = { "one.test", "none.test", "silent.test", "127.0.0.1" };
	static struct later l[N];
	struct caller callers[4];
	size_t used = 0;
	int fds = fd_count();

	ASSERT_TRUE(patient());
	for (int round = 0; round < ROUNDS; round++) {
		memset(callers, 0, sizeof(callers));
		for (int i = 0; i < 4; i++) {
			callers[i].call = i & 1 ? call_getaddrinfo : call_gethostbyname;
			callers[i].arg = (void *)which[i & 2];
			ASSERT_TRUE(caller_start(&callers[i]));
		}
		for (int i = 0; i < N; i++) {
			ASSERT_EQ(start(&l[i], which[i % 4], NULL, note), WSA_IO_PENDING);
		}
		if (round & 1)
			wait_for(__atomic_load_n(&l[0].calls, __ATOMIC_ACQUIRE));
		ASSERT_EQ(WSACleanup(), 0);
		for (int i = 0; i < N; i++) {
			int result = GetAddrInfoExOverlappedResult(&l[i].ov);

			if (result == WSA_E_CANCELLED) {
				EXPECT_EQ(l[i].calls, 0);
				EXPECT_EQ(l[i].list, NULL);
				continue;
			}
			/* Its routine has begun to run by then. */
			ASSERT_TRUE(called(&l[i]));
			EXPECT_EQ(l[i].calls, 1);
			EXPECT_EQ(l[i].error, result);
			EXPECT_EQ(result, i % 4 == 1 ? WSAHOST_NOT_FOUND : 0);
			FreeAddrInfoExW(l[i].list);
		}
		for (int i = 0; i < 4; i++) {
			ASSERT_TRUE(caller_join(&callers[i]));
			EXPECT_TRUE(callers[i].result == 0 || callers[i].result == WSAEINTR ||
				    callers[i].result == WSANOTINITIALISED)
				TH_LOG("%d", callers[i].result);
		}
		ASSERT_TRUE(wait_for(fd_count() == fds));
		if (round == ROUNDS / 2)
			used = mallinfo2().uordblks;
		ASSERT_EQ(startup(), 0);
	}
	/* A lookup that was lost would be more. */
	EXPECT_LT(mallinfo2().uordblks, used + 16384);
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- The structures of threads ---- */

static int call_find_and_stay(struct caller *c)
{
	struct wsock_hostent *h = wsock_gethostbyname("one.test");
	bool same = h && !strcmp(host_text(h), "one.test 192.0.2.1");
	int *go = c->arg;

	if (!tell(go[1]) || !hear(go[2]))
		return -1;
	/* Freed by the final WSACleanup: we get another one. */
	h = wsock_gethostbyname("127.0.0.2");
	return same && h && !strcmp(host_text(h), "127.0.0.2 127.0.0.2") ? 0 : -2;
}

TEST_F(names, C39__structures_of_threads_are_freed)
{
	struct caller c = { .call = call_find_and_stay };
	int there[2], back[2], pipes[4];

	ASSERT_EQ(pipe2(there, O_CLOEXEC), 0);
	ASSERT_EQ(pipe2(back, O_CLOEXEC), 0);
	pipes[1] = there[1];
	pipes[2] = back[0];
	c.arg = pipes;
	ASSERT_TRUE(caller_start(&c));
	ASSERT_TRUE(hear(there[0]));
	EXPECT_STREQ(host_text(wsock_gethostbyname("127.0.0.1")), "127.0.0.1 127.0.0.1");
	ASSERT_EQ(WSACleanup(), 0);
	EXPECT_EQ(wsock_gethostbyname("127.0.0.1"), NULL);
	EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED);
	ASSERT_EQ(startup(), 0);
	ASSERT_TRUE(tell(back[1]));
	ASSERT_TRUE(caller_join(&c));
	EXPECT_EQ(c.result, 0);
	EXPECT_STREQ(host_text(wsock_gethostbyname("127.0.0.3")), "127.0.0.3 127.0.0.3");
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(names, H13__fork)
{
	struct later l;
	pid_t pid;

	ASSERT_TRUE(patient());
	EXPECT_EQ(start(&l, "later.test", NULL, note), WSA_IO_PENDING);
	EXPECT_NE(wsock_gethostbyname("127.0.0.1"), NULL);
	ASSERT_TRUE(nameserver_holds(&self->ns, 1));
	pid = fork();
	if (!pid) {
		HANDLE event = WSACreateEvent();
		struct later mine;
		int bad;

		bad = wsock_gethostbyname("127.0.0.1") || WSAGetLastError() != WSANOTINITIALISED;
		bad |= (startup() || !wsock_gethostbyname("one.test")) << 1;
		bad |= (start(&mine, "one.test", event, NULL) != WSA_IO_PENDING ||
			!becomes_signalled(event) ||
			GetAddrInfoExOverlappedResult(&mine.ov)) << 2;
		bad |= (start(&mine, "silent.test", event, NULL) != WSA_IO_PENDING ||
			WSACleanup() || signalled(event)) << 3;
		_exit(bad);
	}
	EXPECT_EQ(child_status(pid), 0);
	EXPECT_EQ(l.calls, 0);
	ASSERT_TRUE(nameserver_release(&self->ns));
	ASSERT_TRUE(called(&l));
	EXPECT_EQ(l.error, 0);
	FreeAddrInfoExW(l.list);
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- Connecting by name ---- */

TEST_F(names, F3__connect_by_name)
{
	int l = tcp_listener(), peer;
	struct sockaddr_in local, remote;
	DWORD local_len = sizeof(local), remote_len = sizeof(remote);
	WCHAR wide[] = { 'h', 'e', 'r', 'e', '.', 't', 'e', 's', 't', 0 }, wide_port[16];
	struct timeval tv = { .tv_usec = 100000 };
	char port[16];
	double start;
	int off = 0;
	SOCKET s;

	ASSERT_TRUE(patient());
	snprintf(port, sizeof(port), "%d", local_port(l));
	widen(wide_port, port);
	s = wsock_socket(AF_INET, SOCK_STREAM, 0);
	EXPECT_TRUE(WSAConnectByNameA(s, "here.test", port, &local_len, sa(&local), &remote_len,
				      sa(&remote), NULL, NULL));
	peer = accept(l, NULL, NULL);
	EXPECT_EQ(ntohs(local.sin_port), local_port(s));
	EXPECT_EQ(ntohs(remote.sin_port), local_port(l));
	EXPECT_EQ(remote_len, sizeof(remote));
	EXPECT_EQ(wsock_send(s, "x", 1, 0), 1);
	EXPECT_FALSE(WSAConnectByNameA(s, "here.test", port, NULL, NULL, NULL, NULL, NULL, NULL));
	EXPECT_EQ(WSAGetLastError(), WSAEISCONN);
	close(peer);
	/* An IPv6 socket, by the mapped address. */
	s = wsock_socket(AF_INET6, SOCK_STREAM, 0);
	ASSERT_EQ(wsock_setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, (char *)&off, sizeof(off)), 0);
	EXPECT_TRUE(WSAConnectByNameW(s, wide, wide_port, NULL, NULL, NULL, NULL, NULL, NULL));
	close(accept(l, NULL, NULL));
	close(l);
	s = wsock_socket(AF_INET, SOCK_STREAM, 0);
	EXPECT_FALSE(WSAConnectByNameA(s, "here.test", port, NULL, NULL, NULL, NULL, NULL, NULL));
	EXPECT_EQ(WSAGetLastError(), WSAECONNREFUSED);
	EXPECT_FALSE(WSAConnectByNameA(s, "none.test", port, NULL, NULL, NULL, NULL, NULL, NULL));
	EXPECT_EQ(WSAGetLastError(), WSAHOST_NOT_FOUND);
	EXPECT_FALSE(WSAConnectByNameA(s, "six.test", port, NULL, NULL, NULL, NULL, NULL, NULL));
	EXPECT_EQ(WSAGetLastError(), WSAEHOSTUNREACH);
	EXPECT_FALSE(WSAConnectByNameA(s, NULL, port, NULL, NULL, NULL, NULL, NULL, NULL));
	EXPECT_EQ(WSAGetLastError(), WSAEINVAL);
	EXPECT_FALSE(WSAConnectByNameA(bound_socket(SOCK_DGRAM), "here.test", port, NULL, NULL,
				       NULL, NULL, NULL, NULL));
	EXPECT_EQ(WSAGetLastError(), WSAEINVAL);
	/* The server of names does not answer. */
	start = now_ms();
	EXPECT_FALSE(WSAConnectByNameA(s, "silent.test", port, NULL, NULL, NULL, NULL, &tv, NULL));
	EXPECT_EQ(WSAGetLastError(), WSAETIMEDOUT);
	EXPECT_GE(now_ms() - start, 100);
	EXPECT_LT(now_ms() - start, TIMEOUT_MS / 2);
	/* Nobody answers; and the socket can try again. */
	l = full_listener(&peer);
	snprintf(port, sizeof(port), "%d", local_port(l));
	EXPECT_FALSE(WSAConnectByNameA(s, "here.test", port, NULL, NULL, NULL, NULL, &tv, NULL));
	EXPECT_EQ(WSAGetLastError(), WSAETIMEDOUT);
	close(accept(l, NULL, NULL));
	EXPECT_TRUE(WSAConnectByNameA(s, "here.test", port, NULL, NULL, NULL, NULL, NULL, NULL));
	EXPECT_EQ(WSACleanup(), 0);
	close(l);
	close(peer);
}

TEST_F(names, F3__connect_by_list)
{
	int l = tcp_listener(), closed = tcp_listener();
	struct sockaddr_in good = loopback(local_port(l)), bad = loopback(local_port(closed));
	struct sockaddr_in6 other = { .sin6_family = AF_INET6, .sin6_port = htons(1) };
	struct {
		INT n;
		SOCKET_ADDRESS a[3];
	} list = { 3, { { (void *)&other, sizeof(other) }, { sa(&bad), sizeof(bad) },
			{ sa(&good), sizeof(good) } } };
	struct sockaddr_in remote;
	DWORD len = sizeof(remote);
	SOCKET s;

	close(closed);
	EXPECT_EQ(offsetof(SOCKET_ADDRESS_LIST, Address), 8);
	s = wsock_socket(AF_INET, SOCK_STREAM, 0);
	EXPECT_TRUE(WSAConnectByList(s, (void *)&list, NULL, NULL, &len, sa(&remote), NULL, NULL));
	EXPECT_EQ(ntohs(remote.sin_port), local_port(l));
	EXPECT_EQ(wsock_send(s, "x", 1, 0), 1);
	list.n = 2;
	s = wsock_socket(AF_INET, SOCK_STREAM, 0);
	EXPECT_FALSE(WSAConnectByList(s, (void *)&list, NULL, NULL, NULL, NULL, NULL, NULL));
	EXPECT_EQ(WSAGetLastError(), WSAECONNREFUSED);
	list.n = 0;
	EXPECT_FALSE(WSAConnectByList(s, (void *)&list, NULL, NULL, NULL, NULL, NULL, NULL));
	EXPECT_EQ(WSAGetLastError(), WSAEINVAL);
	EXPECT_EQ(WSACleanup(), 0);
	close(l);
}

TEST_HARNESS_MAIN
