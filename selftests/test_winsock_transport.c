// SPDX-License-Identifier: GPL-2.0
/*
 * WSAAccept with a condition function, WSAConnect, WSAJoinLeaf, the catalog of
 * protocols, and addresses as text (C9, C19, F.1, F.3, H9).
 */
#include <dlfcn.h>
#include <sched.h>
#include <uchar.h>

#include "winsock.h"

#include <nspapi.h>
#include <ws2spi.h>

#include "kselftest_harness.h"

WINSOCK_FIXTURE(transport);

/* ---- WSAAccept ---- */

/* What a condition function was told, and what it shall do. */
struct condition {
	int answer;
	int asked;
	int remote, local;	/* ports */
	int cleanup, error;	/* of a WSACleanup in it */
	int (*more)(struct condition *c);
	SOCKET l, taken;
};

static int port_in(const WSABUF *name)
{
	struct sockaddr_in sin;

	if (name->len != sizeof(sin))
		return -1;
	memcpy(&sin, name->buf, sizeof(sin));
	return sin.sin_family == AF_INET && sin.sin_addr.s_addr == htonl(INADDR_LOOPBACK) ?
	       ntohs(sin.sin_port) : -1;
}

static int CALLBACK condition(LPWSABUF caller, LPWSABUF caller_data, LPQOS sqos, LPQOS gqos,
			      LPWSABUF callee, LPWSABUF callee_data, GROUP *g, DWORD_PTR arg)
{
	struct condition *c = (void *)arg;

	c->asked++;
	c->remote = port_in(caller);
	c->local = port_in(callee);
	if (caller_data->len || callee_data->len || sqos || gqos || *g)
		c->remote = -1;
	return c->more ? c->more(c) : c->answer;
}

static SOCKET accept_if(SOCKET l, struct condition *c)
{
	return WSAAccept(l, NULL, NULL, condition, (DWORD_PTR)c);
}

TEST_F(transport, F3__accept_if_accepted)
{
	struct condition c = { .answer = CF_ACCEPT };
	struct sockaddr_in sin;
	int peer, len = sizeof(sin);
	SOCKET l, s;

	ASSERT_EQ(startup(), 0);
	l = listening_socket();
	peer = tcp_connect(local_port(l));
	memset(&sin, POISON, sizeof(sin));
	s = WSAAccept(l, sa(&sin), &len, condition, (DWORD_PTR)&c);
	ASSERT_NE(s, INVALID_SOCKET);
	EXPECT_EQ(c.asked, 1);
	EXPECT_EQ(c.remote, local_port(peer));
	EXPECT_EQ(c.local, local_port(l));
	EXPECT_EQ(len, sizeof(sin));
	EXPECT_EQ(ntohs(sin.sin_port), local_port(peer));
	EXPECT_EQ(wsock_send(s, "x", 1, 0), 1);
	/* It is a SOCKET like any other. */
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(peer_end(peer), -ECONNRESET);
}

TEST_F(transport, F3__accept_without_a_condition)
{
	int peer, len = 3;
	struct sockaddr_in sin;
	SOCKET l;

	ASSERT_EQ(startup(), 0);
	l = listening_socket();
	peer = tcp_connect(local_port(l));
	EXPECT_EQ(WSAAccept(l, sa(&sin), &len, NULL, 0), INVALID_SOCKET);
	EXPECT_EQ(WSAGetLastError(), WSAEFAULT);
	EXPECT_NE(WSAAccept(l, NULL, NULL, NULL, 0), INVALID_SOCKET);
	close(peer);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(transport, F3__accept_rejected)
{
	struct condition c = { .answer = CF_REJECT };
	int fds, peer, next;
	SOCKET l;

	ASSERT_EQ(startup(), 0);
	l = listening_socket();
	peer = tcp_connect(local_port(l));
	next = tcp_connect(local_port(l));
	fds = fd_count();
	EXPECT_EQ(accept_if(l, &c), INVALID_SOCKET);
	EXPECT_EQ(WSAGetLastError(), WSAECONNREFUSED);
	EXPECT_EQ(fd_count(), fds);
	EXPECT_EQ(peer_end(peer), -ECONNRESET);
	c.answer = CF_ACCEPT;
	EXPECT_NE(accept_if(l, &c), INVALID_SOCKET);
	EXPECT_EQ(c.remote, local_port(next));
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(transport, F3__accept_deferred)
{
	struct condition c = { .answer = CF_DEFER };
	struct pollfd pfd = { .events = POLLIN };
	char room[64];
	struct operation op;
	DWORD bytes;
	SOCKET l, s;
	int peer;

	ASSERT_EQ(startup(), 0);
	l = listening_socket();
	peer = tcp_connect(local_port(l));
	for (int i = 1; i < 3; i++) {
		EXPECT_EQ(accept_if(l, &c), INVALID_SOCKET);
		EXPECT_EQ(WSAGetLastError(), WSATRY_AGAIN);
		EXPECT_EQ(c.asked, i);
	}
	/* It is still there for all who ask. */
	pfd.fd = (int)l;
	EXPECT_EQ(poll(&pfd, 1, 0), 1);
	s = wsock_accept(l, NULL, NULL);
	ASSERT_NE(s, INVALID_SOCKET);
	EXPECT_EQ(wsock_send(s, "x", 1, 0), 1);
	close(peer);

	peer = tcp_connect(local_port(l));
	EXPECT_EQ(accept_if(l, &c), INVALID_SOCKET);
	EXPECT_EQ(WSAGetLastError(), WSATRY_AGAIN);
	s = wsock_socket(AF_INET, SOCK_STREAM, 0);
	operation_init(&op, NULL);
	EXPECT_TRUE(AcceptEx(l, s, room, 0, 32, 32, &bytes, &op.ov) ||
		    WSAGetLastError() == WSA_IO_PENDING);
	EXPECT_EQ(status(&op), STATUS_SUCCESS);
	EXPECT_EQ(wsock_send(s, "x", 1, 0), 1);
	close(peer);
	c.answer = 17;
	peer = tcp_connect(local_port(l));
	EXPECT_EQ(accept_if(l, &c), INVALID_SOCKET);
	EXPECT_EQ(WSAGetLastError(), WSAEINVAL);
	EXPECT_EQ(WSACleanup(), 0);
	close(peer);
}

/* What another thread might do: takes the connection that is decided about. */
static int take_it(struct condition *c)
{
	if (c->asked == 1)
		c->taken = wsock_accept(c->l, NULL, NULL);
	return c->asked == 1 ? CF_ACCEPT : c->answer;
}

TEST_F(transport, F3__accept_another_than_was_decided_about)
{
	struct condition c = { .answer = CF_ACCEPT, .more = take_it };
	int first, second, third;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	c.l = listening_socket();
	first = tcp_connect(local_port(c.l));
	second = tcp_connect(local_port(c.l));
	s = accept_if(c.l, &c);
	ASSERT_NE(s, INVALID_SOCKET);
	EXPECT_EQ(c.asked, 2);
	EXPECT_EQ(c.remote, local_port(second));
	EXPECT_EQ(c.local, local_port(c.l));
	EXPECT_EQ(send(first, "1", 1, 0), 1);
	EXPECT_EQ(send(second, "2", 1, 0), 1);
	for (int i = 0; i < 2; i++) {
		char byte = 0;

		EXPECT_EQ(wsock_recv(i ? s : c.taken, &byte, 1, 0), 1);
		EXPECT_EQ(byte, '1' + i);
	}
	/* One that we have cannot be left for later. */
	c.asked = 0;
	c.answer = CF_DEFER;
	first = tcp_connect(local_port(c.l));
	third = tcp_connect(local_port(c.l));
	EXPECT_EQ(accept_if(c.l, &c), INVALID_SOCKET);
	EXPECT_EQ(WSAGetLastError(), WSAECONNREFUSED);
	EXPECT_EQ(c.asked, 2);
	EXPECT_EQ(peer_end(third), -ECONNRESET);
	close(first);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(transport, F3__accept_bad)
{
	struct condition c = { .answer = CF_ACCEPT };
	struct sockaddr_in sin;
	int peer, len = 3;
	u_long on = 1;
	SOCKET l, udp;

	ASSERT_EQ(startup(), 0);
	l = listening_socket();
	udp = bound_socket(SOCK_DGRAM);
	EXPECT_EQ(accept_if(INVALID_SOCKET, &c), INVALID_SOCKET);
	EXPECT_EQ(WSAGetLastError(), WSAENOTSOCK);
	EXPECT_EQ(accept_if(udp, &c), INVALID_SOCKET);
	EXPECT_EQ(WSAGetLastError(), WSAEOPNOTSUPP);
	EXPECT_EQ(accept_if(bound_socket(SOCK_STREAM), &c), INVALID_SOCKET);
	EXPECT_EQ(WSAGetLastError(), WSAEINVAL);
	EXPECT_EQ(ioctlsocket(l, WSOCK_FIONBIO, (wsock_u_long *)&on), 0);
	EXPECT_EQ(accept_if(l, &c), INVALID_SOCKET);
	EXPECT_EQ(WSAGetLastError(), WSAEWOULDBLOCK);
	EXPECT_EQ(c.asked, 0);
	peer = tcp_connect(local_port(l));
	EXPECT_EQ(WSAAccept(l, sa(&sin), &len, condition, (DWORD_PTR)&c), INVALID_SOCKET);
	EXPECT_EQ(WSAGetLastError(), WSAEFAULT);
	EXPECT_EQ(len, 3);
	EXPECT_EQ(c.asked, 0);
	EXPECT_NE(accept_if(l, &c), INVALID_SOCKET);
	close(peer);
	EXPECT_EQ(WSACleanup(), 0);
}

static int call_accept_if(struct caller *c)
{
	return (int)accept_if(c->s, c->arg);
}

TEST_F(transport, C19__blocked_accept_if)
{
	struct condition cond = { .answer = CF_ACCEPT };
	struct caller c = { .call = call_accept_if, .arg = &cond };

	for (int close_it = 0; close_it < 2; close_it++) {
		ASSERT_EQ(startup(), 0);
		c = (struct caller){ .call = call_accept_if, .arg = &cond };
		c.s = listening_socket();
		ASSERT_TRUE(caller_start(&c));
		ASSERT_TRUE(caller_blocked(&c, SYS_ppoll));
		EXPECT_EQ(close_it ? closesocket(c.s) : WSACleanup(), 0);
		ASSERT_TRUE(caller_join(&c));
		EXPECT_EQ(c.result, SOCKET_ERROR);
		EXPECT_EQ(c.error, WSAEINTR);
	}
	EXPECT_EQ(cond.asked, 0);
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_TRUE(holds_nothing());
}

TEST_F(transport, F3__blocked_accept_if_goes_on)
{
	struct condition cond = { .answer = CF_ACCEPT };
	struct caller c = { .call = call_accept_if, .arg = &cond };
	int peer;

	ASSERT_EQ(startup(), 0);
	c.s = listening_socket();
	ASSERT_TRUE(caller_start(&c));
	ASSERT_TRUE(caller_blocked(&c, SYS_ppoll));
	peer = tcp_connect(local_port(c.s));
	ASSERT_TRUE(caller_join(&c));
	EXPECT_NE(c.result, SOCKET_ERROR);
	EXPECT_EQ(cond.remote, local_port(peer));
	EXPECT_EQ(WSACleanup(), 0);
}

static int clean_up(struct condition *c)
{
	c->cleanup = WSACleanup();
	c->error = WSAGetLastError();
	return CF_ACCEPT;
}

TEST_F(transport, C9__cleanup_in_a_condition_function)
{
	struct condition c = { .more = clean_up };
	SOCKET l;
	int peer;

	/* Not in a 1.x process, and never the final one. */
	for (int i = 0; i < 3; i++) {
		bool one = i == 0;

		ASSERT_EQ(startup_version(one ? 1 : 2, one ? 1 : 2), 0);
		ASSERT_EQ(startup(), 0);
		if (i == 2) {
			ASSERT_EQ(WSACleanup(), 0);
		}
		l = listening_socket();
		peer = tcp_connect(local_port(l));
		EXPECT_NE(accept_if(l, &c), INVALID_SOCKET);
		EXPECT_EQ(c.cleanup, i == 1 ? 0 : SOCKET_ERROR);
		EXPECT_EQ(c.error, i == 1 ? 0 : WSAEINPROGRESS);
		EXPECT_EQ(fdinfo(library_device(), "registrations"), one ? 2 : 1);
		close(peer);
		EXPECT_EQ(WSACleanup(), 0);
		if (one) {
			EXPECT_EQ(WSACleanup(), 0);
		}
		EXPECT_TRUE(holds_nothing());
	}
}

/* ---- WSAConnect, the disconnects, WSAJoinLeaf ---- */

TEST_F(transport, F3__connect)
{
	int l = tcp_listener(), peer;
	struct sockaddr_in sin = loopback(local_port(l));
	WSABUF data = { .len = 1, .buf = "x" }, back = { .len = 9 };
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = wsock_socket(AF_INET, SOCK_STREAM, 0);
	EXPECT_EQ(WSAConnect(s, sa(&sin), sizeof(sin), &data, NULL, NULL, NULL), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAEPROTONOSUPPORT);
	data.len = 0;
	EXPECT_EQ(WSAConnect(s, sa(&sin), sizeof(sin), &data, &back, NULL, NULL), 0);
	EXPECT_EQ(back.len, 0);
	peer = accept(l, NULL, NULL);
	EXPECT_EQ(wsock_send(s, "x", 1, 0), 1);
	/* Nor are there data at the end of a connection. */
	EXPECT_EQ(WSASendDisconnect(s, &data), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAENOPROTOOPT);
	EXPECT_EQ(WSARecvDisconnect(s, &back), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAENOPROTOOPT);
	EXPECT_EQ(wsock_send(s, "y", 1, 0), 1);
	EXPECT_EQ(WSASendDisconnect(s, NULL), 0);
	EXPECT_EQ(peer_end(peer), 0);
	EXPECT_EQ(WSACleanup(), 0);
	close(peer);
	close(l);
}

TEST_F(transport, F3__join)
{
	struct sockaddr_in group = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0xefa0a0a1) };
	struct sockaddr_in sin = loopback(0);
	SOCKET s, other;
	char byte = 0;
	int fd;

	/* A network of our own, where groups have a way. */
	ASSERT_EQ(unshare(CLONE_NEWNET), 0);
	ASSERT_EQ(system("ip link set lo up && ip route add 224.0.0.0/4 dev lo"), 0);
	ASSERT_EQ(startup(), 0);
	s = WSASocketA(AF_INET, SOCK_DGRAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED |
		       WSA_FLAG_MULTIPOINT_C_LEAF | WSA_FLAG_MULTIPOINT_D_LEAF);
	sin.sin_addr.s_addr = htonl(INADDR_ANY);
	ASSERT_EQ(wsock_bind(s, sa(&sin), sizeof(sin)), 0);
	EXPECT_EQ(WSAJoinLeaf(s, sa(&group), sizeof(group), NULL, NULL, NULL, NULL, JL_BOTH), s);
	group.sin_port = htons(local_port(s));
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ASSERT_EQ(sendto(fd, "m", 1, 0, sa(&group), sizeof(group)), 1);
	EXPECT_EQ(wsock_recv(s, &byte, 1, 0), 1);
	EXPECT_EQ(byte, 'm');
	/* Joined it is. */
	EXPECT_EQ(WSAJoinLeaf(s, sa(&group), sizeof(group), NULL, NULL, NULL, NULL,
			      JL_RECEIVER_ONLY), INVALID_SOCKET);
	EXPECT_EQ(WSAGetLastError(), WSAEADDRINUSE);
	/* Who only sends is not. */
	other = bound_socket(SOCK_DGRAM);
	EXPECT_EQ(WSAJoinLeaf(other, sa(&group), sizeof(group), NULL, NULL, NULL, NULL,
			      JL_SENDER_ONLY), other);
	EXPECT_EQ(WSAJoinLeaf(other, sa(&group), sizeof(group), NULL, NULL, NULL, NULL,
			      JL_RECEIVER_ONLY), other);

	EXPECT_EQ(WSAJoinLeaf(s, sa(&group), sizeof(group), NULL, NULL, NULL, NULL, 0),
		  INVALID_SOCKET);
	EXPECT_EQ(WSAGetLastError(), WSAEINVAL);
	EXPECT_EQ(WSAJoinLeaf(s, sa(&sin), sizeof(sin), NULL, NULL, NULL, NULL, JL_BOTH),
		  INVALID_SOCKET);
	EXPECT_EQ(WSAGetLastError(), WSAEADDRNOTAVAIL);
	EXPECT_EQ(WSAJoinLeaf(listening_socket(), sa(&group), sizeof(group), NULL, NULL, NULL,
			      NULL, JL_BOTH), INVALID_SOCKET);
	EXPECT_EQ(WSAGetLastError(), WSAEOPNOTSUPP);
	EXPECT_EQ(WSACleanup(), 0);
	close(fd);
}

/* ---- The catalog ---- */

#define MAX_PROTOCOLS 16

TEST_F(transport, F3__enum_protocols)
{
	static WSAPROTOCOL_INFOA all[MAX_PROTOCOLS];
	static WSAPROTOCOL_INFOW wide[MAX_PROTOCOLS];
	INT udp[] = { IPPROTO_UDP, 0 };
	DWORD len = 0, needed;
	int n;

	ASSERT_EQ(startup(), 0);
	EXPECT_EQ(WSAEnumProtocolsA(NULL, NULL, &len), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAENOBUFS);
	needed = len;
	n = needed / sizeof(all[0]);
	ASSERT_LE(n, MAX_PROTOCOLS);
	len = needed - 1;
	EXPECT_EQ(WSAEnumProtocolsA(NULL, all, &len), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAENOBUFS);
	EXPECT_EQ(len, needed);
	EXPECT_EQ(WSAEnumProtocolsA(NULL, NULL, &len), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAEFAULT);
	EXPECT_EQ(WSAEnumProtocolsA(NULL, all, &len), n);
	len = sizeof(wide);
	EXPECT_EQ(WSAEnumProtocolsW(NULL, wide, &len), n);
	for (int i = 0; i < n; i++) {
		SOCKET s = WSASocketA(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO,
				      all[i].iSocketType == SOCK_RAW ? IPPROTO_ICMP :
				      FROM_PROTOCOL_INFO, &all[i], 0, WSA_FLAG_OVERLAPPED);
		int value = 0, size = sizeof(value);

		/* Each one can be made. */
		EXPECT_NE(s, INVALID_SOCKET) TH_LOG("%s", all[i].szProtocol);
		EXPECT_EQ(wsock_getsockopt(s, SOL_SOCKET, SO_TYPE, (char *)&value, &size), 0);
		EXPECT_EQ(value, all[i].iSocketType);
		EXPECT_EQ(wsock_getsockopt(s, SOL_SOCKET, SO_DOMAIN, (char *)&value, &size), 0);
		EXPECT_EQ(value, all[i].iAddressFamily);
		EXPECT_EQ(closesocket(s), 0);
		s = WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO,
			       all[i].iSocketType == SOCK_RAW ? IPPROTO_ICMP :
			       FROM_PROTOCOL_INFO, &wide[i], 0, WSA_FLAG_OVERLAPPED);
		EXPECT_NE(s, INVALID_SOCKET);
		EXPECT_EQ(memcmp(&all[i], &wide[i], offsetof(WSAPROTOCOL_INFOA, szProtocol)), 0);
		EXPECT_EQ(all[i].dwCatalogEntryId, all[0].dwCatalogEntryId + i);
		EXPECT_EQ(all[i].dwProviderReserved, 0);
		for (int j = 0; j <= WSAPROTOCOL_LEN; j++) {
			EXPECT_EQ(wide[i].szProtocol[j], all[i].szProtocol[j]);
		}
	}
	EXPECT_STREQ(all[0].szProtocol, "TCP/IP");
	EXPECT_EQ(all[0].iProtocol, IPPROTO_TCP);
	EXPECT_EQ(all[0].iMaxSockAddr, sizeof(struct sockaddr_in));
	len = sizeof(all);
	EXPECT_EQ(WSAEnumProtocolsA(udp, all, &len), 2);
	EXPECT_STREQ(all[0].szProtocol, "UDP/IP");
	EXPECT_STREQ(all[1].szProtocol, "UDP/IPv6");
	udp[0] = 250;
	len = 0;
	EXPECT_EQ(WSAEnumProtocolsA(udp, NULL, &len), 0);
	EXPECT_EQ(WSACleanup(), 0);
}

/* The same without WSAStartup, and the provider's file. */
TEST_F(transport, F8__providers)
{
	static WSAPROTOCOL_INFOW all[MAX_PROTOCOLS];
	INT udp[] = { IPPROTO_UDP, 0 }, error = 0, room = 0;
	GUID none = { 1, 2, 3, { 0 } };
	char text[64];
	WCHAR path[64];
	DWORD len = 0;
	void *library;

	EXPECT_EQ(WSCEnumProtocols(udp, NULL, &len, &error), SOCKET_ERROR);
	EXPECT_EQ(error, WSAENOBUFS);
	EXPECT_EQ(len, 2 * sizeof(all[0]));
	EXPECT_EQ(WSCEnumProtocols(udp, all, NULL, &error), SOCKET_ERROR);
	EXPECT_EQ(error, WSAEFAULT);
	EXPECT_EQ(WSCEnumProtocols(udp, all, &len, &error), 2);
	EXPECT_EQ(all[0].iProtocol, IPPROTO_UDP);
	EXPECT_NE(memcmp(&all[0].ProviderId, &all[1].ProviderId, sizeof(GUID)), 0);
	EXPECT_EQ(WSCGetProviderPath(&none, path, &room, &error), SOCKET_ERROR);
	EXPECT_EQ(error, WSAEINVAL);
	EXPECT_EQ(WSCGetProviderPath(NULL, path, &room, &error), SOCKET_ERROR);
	EXPECT_EQ(error, WSAEFAULT);
	for (int i = 0; i < 2; i++) {
		for (room = 0; room < 14; room += 13) {
			INT needed = room;

			error = 0;
			EXPECT_EQ(WSCGetProviderPath(&all[i].ProviderId, path, &needed, &error),
				  SOCKET_ERROR);
			EXPECT_EQ(error, WSAEFAULT);
			EXPECT_EQ(needed, 14);
		}
		room = 64;
		EXPECT_EQ(WSCGetProviderPath(&all[i].ProviderId, path, &room, NULL), 0);
		EXPECT_EQ(room, 14);
		for (int j = 0; j < room; j++)
			text[j] = (char)path[j];
		EXPECT_STREQ(text, "libwsock.so.1");
	}
	library = dlopen(text, RTLD_NOW);
	EXPECT_TRUE(!library || dlsym(library, "WSAStartup"));
}

TEST_F(transport, F3__enum_protocols_1)
{
	INT tcp[] = { IPPROTO_TCP, 0 }, n;
	union {
		PROTOCOL_INFOA info[8];
		char bytes[2048];
	} a;
	union {
		PROTOCOL_INFOW info[8];
		char bytes[2048];
	} w;
	DWORD len = 0, size, wide_len = sizeof(w);

	EXPECT_EQ(EnumProtocolsA(tcp, NULL, &len), SOCKET_ERROR);
	EXPECT_EQ(GetLastError(), ERROR_INSUFFICIENT_BUFFER);
	EXPECT_EQ(len, 2 * sizeof(a.info[0]) + sizeof("TCP/IP") + sizeof("TCP/IPv6"));
	size = len--;
	EXPECT_EQ(EnumProtocolsA(tcp, &a, &len), SOCKET_ERROR);
	EXPECT_EQ(GetLastError(), ERROR_INSUFFICIENT_BUFFER);
	EXPECT_EQ(len, size);
	memset(&a, 0x7e, sizeof(a));
	EXPECT_EQ(EnumProtocolsA(tcp, &a, &len), 2);
	EXPECT_STREQ(a.info[0].lpProtocol, "TCP/IP");
	EXPECT_STREQ(a.info[1].lpProtocol, "TCP/IPv6");
	EXPECT_EQ(a.bytes[size], 0x7e);
	EXPECT_EQ(a.info[1].iAddressFamily, AF_INET6);
	EXPECT_EQ(a.info[1].iMaxSockAddr, sizeof(struct sockaddr_in6));
	EXPECT_EQ(a.info[0].iSocketType, SOCK_STREAM);
	EXPECT_EQ(a.info[0].iProtocol, IPPROTO_TCP);
	EXPECT_EQ(a.info[0].dwServiceFlags, XP_GUARANTEED_DELIVERY | XP_GUARANTEED_ORDER |
		  XP_GRACEFUL_CLOSE | XP_EXPEDITED_DATA);
	n = EnumProtocolsW(NULL, &w, &wide_len);
	EXPECT_GT(n, 2);
	EXPECT_EQ(w.info[1].dwServiceFlags, XP_CONNECTIONLESS | XP_MESSAGE_ORIENTED |
		  XP_SUPPORTS_BROADCAST | XP_SUPPORTS_MULTICAST);
	EXPECT_EQ(w.info[1].lpProtocol[0], 'U');
	EXPECT_EQ(w.info[1].lpProtocol[6], 0);
	EXPECT_EQ(EnumProtocolsA(NULL, &a, NULL), SOCKET_ERROR);
	EXPECT_EQ(GetLastError(), WSAEFAULT);
}

/* ---- Addresses as text ---- */

/* What is not there for a family is 0. */
static const struct text {
	const char *text;
	int family;
	const char *back;	/* NULL: is none */
	int port;
	unsigned int scope;
} texts[] = {
	{ "127.0.0.1", AF_INET, "127.0.0.1" },
	{ "255.255.255.255:65535", AF_INET, "255.255.255.255:65535", 65535 },
	{ "1.2.3.4:0", AF_INET, "1.2.3.4" },
	{ "127.1", AF_INET, "127.0.0.1" },
	{ "0x7f000001:80", AF_INET, "127.0.0.1:80", 80 },
	{ "", AF_INET, NULL },
	{ "1.2.3.", AF_INET, NULL },
	{ "1.2.3.4:", AF_INET, NULL },
	{ "1.2.3.4:65536", AF_INET, NULL },
	{ "1.2.3.4:-1", AF_INET, NULL },
	{ "1.2.3.4:8x", AF_INET, NULL },
	{ "1.2.3.4 ", AF_INET, NULL },
	{ ":80", AF_INET, NULL },
	{ "::1", AF_INET, NULL },
	{ "::1", AF_INET6, "::1" },
	{ "[::1]", AF_INET6, "::1" },
	{ "[::1]:80", AF_INET6, "[::1]:80", 80 },
	{ "fe80::1%3", AF_INET6, "fe80::1%3", 0, 3 },
	{ "[fe80::1%4294967295]:65535", AF_INET6, "[fe80::1%4294967295]:65535", 65535,
	  4294967295u },
	{ "::ffff:1.2.3.4", AF_INET6, "::ffff:1.2.3.4" },
	{ "[::1", AF_INET6, NULL },
	{ "[::1]80", AF_INET6, NULL },
	{ "[::1]:", AF_INET6, NULL },
	{ "::1%", AF_INET6, NULL },
	{ "::1%lo", AF_INET6, NULL },
	{ "1.2.3.4", AF_INET6, NULL },
	{ "2001:db8:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001",
	  AF_INET6, NULL },
};

TEST_F(transport, F3__addresses_as_text)
{
	ASSERT_EQ(startup(), 0);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const struct text *t = &texts[i];
		struct sockaddr_in6 name, wide_name;
		int len = sizeof(name), wide_len = sizeof(name);
		WCHAR wide[128], wide_back[128];
		DWORD room = 0, size;
		char back[128];

		memset(&name, POISON, sizeof(name));
		memset(&wide_name, POISON, sizeof(name));
		widen(wide, t->text);
		EXPECT_EQ(WSAStringToAddressA((char *)t->text, t->family, NULL,
					      (struct sockaddr *)&name, &len), t->back ? 0 : -1)
			TH_LOG("%s", t->text);
		EXPECT_EQ(WSAStringToAddressW(wide, t->family, NULL,
					      (struct sockaddr *)&wide_name, &wide_len),
			  t->back ? 0 : -1)
			TH_LOG("%s", t->text);
		EXPECT_EQ(memcmp(&name, &wide_name, sizeof(name)), 0);
		EXPECT_EQ(len, wide_len);
		if (!t->back) {
			EXPECT_EQ(WSAGetLastError(), WSAEINVAL);
			continue;
		}
		EXPECT_EQ(name.sin6_family, t->family);
		EXPECT_EQ(ntohs(name.sin6_port), t->port);
		if (t->family == AF_INET6) {
			EXPECT_EQ(len, sizeof(struct sockaddr_in6));
			EXPECT_EQ(name.sin6_scope_id, t->scope);
		} else {
			EXPECT_EQ(len, sizeof(struct sockaddr_in));
		}

		EXPECT_EQ(WSAAddressToStringA((struct sockaddr *)&name, len, NULL, NULL, &room),
			  SOCKET_ERROR);
		EXPECT_EQ(WSAGetLastError(), WSAEFAULT);
		EXPECT_EQ(room, strlen(t->back) + 1);
		size = room - 1;
		EXPECT_EQ(WSAAddressToStringA((struct sockaddr *)&name, len, NULL, back, &size),
			  SOCKET_ERROR);
		EXPECT_EQ(WSAGetLastError(), WSAEFAULT);
		EXPECT_EQ(size, room);
		EXPECT_EQ(WSAAddressToStringA((struct sockaddr *)&name, len, NULL, back, &size),
			  0);
		EXPECT_STREQ(back, t->back);
		size = sizeof(wide_back) / sizeof(WCHAR);
		EXPECT_EQ(WSAAddressToStringW((struct sockaddr *)&name, len, NULL, wide_back,
					      &size), 0);
		EXPECT_EQ(size, room);
		EXPECT_TRUE(same_text(wide_back, t->back));
	}
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(transport, F3__addresses_as_text_bad)
{
	struct sockaddr_in6 name = { .sin6_family = AF_UNIX };
	int len = sizeof(struct sockaddr_in) - 1;
	WCHAR half[] = { 0xd800, '1', 0 };
	DWORD size = 64;
	char text[64];

	ASSERT_EQ(startup(), 0);
	EXPECT_EQ(WSAStringToAddressA("1.2.3.4", AF_INET, NULL, (void *)&name, &len), -1);
	EXPECT_EQ(WSAGetLastError(), WSAEFAULT);
	EXPECT_EQ(len, sizeof(struct sockaddr_in));
	EXPECT_EQ(WSAStringToAddressA(NULL, AF_INET, NULL, (void *)&name, &len), -1);
	EXPECT_EQ(WSAGetLastError(), WSAEINVAL);
	EXPECT_EQ(WSAStringToAddressA("1.2.3.4", AF_UNIX, NULL, (void *)&name, &len), -1);
	EXPECT_EQ(WSAGetLastError(), WSAEINVAL);
	EXPECT_EQ(WSAStringToAddressW(half, AF_INET, NULL, (void *)&name, &len), -1);
	EXPECT_EQ(WSAGetLastError(), WSAEINVAL);
	EXPECT_EQ(WSAAddressToStringA((void *)&name, sizeof(name), NULL, text, &size), -1);
	EXPECT_EQ(WSAGetLastError(), WSAEINVAL);
	name.sin6_family = AF_INET6;
	EXPECT_EQ(WSAAddressToStringA((void *)&name, sizeof(name) - 1, NULL, text, &size), -1);
	EXPECT_EQ(WSAGetLastError(), WSAEFAULT);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(transport, F1__wide_addresses_and_names)
{
	WCHAR wide[64], text[64], astral[] = { 0xd83d, 0xde00, 0 };
	struct in6_addr in6;
	struct in_addr in;
	char own[64];

	/* Without WSAStartup. */
	widen(text, "127.0.0.2");
	EXPECT_EQ(InetPtonW(AF_INET, text, &in), 1);
	EXPECT_EQ(in.s_addr, htonl(0x7f000002));
	EXPECT_TRUE(InetNtopW(AF_INET, &in, wide, 64) == wide);
	EXPECT_TRUE(same_text(wide, "127.0.0.2"));
	EXPECT_TRUE(InetNtopW(AF_INET, &in, wide, 10) == wide);
	EXPECT_EQ(InetNtopW(AF_INET, &in, wide, 9), NULL);
	EXPECT_EQ(WSAGetLastError(), ERROR_INVALID_PARAMETER);
	EXPECT_EQ(InetNtopW(AF_INET, &in, NULL, 64), NULL);
	EXPECT_EQ(WSAGetLastError(), WSAEFAULT);
	EXPECT_EQ(InetPtonW(AF_INET, astral, &in), 0);
	EXPECT_EQ(InetPtonW(AF_INET, NULL, &in), -1);
	EXPECT_EQ(WSAGetLastError(), WSAEFAULT);
	EXPECT_EQ(InetPtonW(AF_UNIX, text, &in), -1);
	EXPECT_EQ(WSAGetLastError(), WSAEAFNOSUPPORT);
	widen(text, "2001:db8::7");
	EXPECT_EQ(InetPtonW(AF_INET6, text, &in6), 1);
	EXPECT_TRUE(InetNtopW(AF_INET6, &in6, wide, 64) == wide);
	EXPECT_TRUE(same_text(wide, "2001:db8::7"));

	ASSERT_EQ(startup(), 0);
	/* Two characters of other lengths in each coding. */
	ASSERT_EQ(unshare(CLONE_NEWUTS), 0);
	ASSERT_EQ(sethostname("\xc3\xa4\xf0\x9f\x98\x80", 6), 0);
	ASSERT_EQ(wsock_gethostname(own, 7), 0);
	EXPECT_STREQ(own, "\xc3\xa4\xf0\x9f\x98\x80");
	EXPECT_EQ(wsock_gethostname(own, 6), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAEFAULT);
	EXPECT_EQ(GetHostNameW(wide, 4), 0);
	EXPECT_EQ(memcmp(wide, u"\u00e4\U0001f600", 8), 0);
	EXPECT_EQ(GetHostNameW(wide, 3), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAEFAULT);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_HARNESS_MAIN
