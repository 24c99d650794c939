// SPDX-License-Identifier: GPL-2.0
/*
 * Options and controls whose values or units are Winsock's, at all levels.
 * (test_winsock_ioctl has how the end of a control is told.)
 */
#include "winsock.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <ws2ipdef.h>

#include "kselftest_harness.h"

WINSOCK_FIXTURE(options);

/* Of 4 bytes, as nearly all of them. -4711 when it fails. */
static int get_option(SOCKET s, int level, int name)
{
	int value = -4711, len = sizeof(value);

	if (wsock_getsockopt(s, level, name, (char *)&value, &len) || len != sizeof(value))
		return -4711;
	return value;
}

static SOCKET new_socket(int family, int type)
{
	return wsock_socket(family, type, 0);
}

/* ---- One value after the other, and what is told of it ---- */

static const struct row {
	const char *name;
	int family, type, level, option;
	int first;		/* of a new socket; -1 for anything */
	int set, get;
} rows[] = {
#define ROW(family, type, level, name, ...) \
	{ #name, family, type, level, name, __VA_ARGS__ }
	ROW(AF_INET, SOCK_STREAM, SOL_SOCKET, SO_KEEPALIVE, 0, 1, 1),
	ROW(AF_INET, SOCK_STREAM, SOL_SOCKET, SO_OOBINLINE, 0, 1, 1),
	ROW(AF_INET, SOCK_STREAM, SOL_SOCKET, SO_REUSEADDR, 0, 1, 1),
	ROW(AF_INET, SOCK_STREAM, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 0, 1, 1),
	ROW(AF_INET, SOCK_STREAM, SOL_SOCKET, SO_DONTLINGER, 1, 0, 0),
	ROW(AF_INET, SOCK_DGRAM, SOL_SOCKET, SO_BROADCAST, 0, 1, 1),
	ROW(AF_INET, SOCK_STREAM, SOL_SOCKET, SO_RCVBUF, -1, 20000, 20000),
	ROW(AF_INET, SOCK_STREAM, SOL_SOCKET, SO_SNDBUF, -1, 20000, 20000),
	ROW(AF_INET, SOCK_STREAM, SOL_SOCKET, SO_RCVTIMEO, 0, 1000, 1000),
	ROW(AF_INET, SOCK_STREAM, SOL_SOCKET, SO_SNDTIMEO, 0, 2000, 2000),
	ROW(AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_NODELAY, 0, 1, 1),
	ROW(AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_KEEPALIVE, 7200, 60, 60),
	ROW(AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_KEEPINTVL, -1, 5, 5),
	ROW(AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_KEEPCNT, -1, 7, 7),
	ROW(AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_MAXRT, 0, 12, 12),
	ROW(AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_MAXRTMS, 0, 1500, 1500),
	ROW(AF_INET, SOCK_DGRAM, IPPROTO_UDP, UDP_NOCHECKSUM, 0, 1, 1),
	ROW(AF_INET, SOCK_DGRAM, IPPROTO_IP, IP_TTL, 64, 9, 9),
	ROW(AF_INET, SOCK_DGRAM, IPPROTO_IP, IP_TOS, 0, 8, 8),
	ROW(AF_INET, SOCK_DGRAM, IPPROTO_IP, IP_MULTICAST_TTL, 1, 4, 4),
	ROW(AF_INET, SOCK_DGRAM, IPPROTO_IP, IP_MULTICAST_LOOP, 1, 0, 0),
	ROW(AF_INET, SOCK_DGRAM, IPPROTO_IP, IP_DONTFRAGMENT, -1, 1, 1),
	ROW(AF_INET, SOCK_DGRAM, IPPROTO_IP, IP_DONTFRAGMENT, -1, 0, 0),
	ROW(AF_INET, SOCK_DGRAM, IPPROTO_IP, IP_PKTINFO, 0, 1, 1),
	ROW(AF_INET, SOCK_DGRAM, IPPROTO_IP, IP_RECVTOS, 0, 1, 1),
	ROW(AF_INET, SOCK_DGRAM, IPPROTO_IP, IP_HOPLIMIT, 0, 1, 1),
	ROW(AF_INET6, SOCK_DGRAM, IPPROTO_IPV6, IPV6_V6ONLY, 1, 0, 0),
	ROW(AF_INET6, SOCK_DGRAM, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 64, 9, 9),
	ROW(AF_INET6, SOCK_DGRAM, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 1, 4, 4),
	ROW(AF_INET6, SOCK_DGRAM, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1, 0, 0),
	ROW(AF_INET6, SOCK_DGRAM, IPPROTO_IPV6, IPV6_PKTINFO, 0, 1, 1),
	ROW(AF_INET6, SOCK_DGRAM, IPPROTO_IPV6, IPV6_HOPLIMIT, 0, 1, 1),
	ROW(AF_INET6, SOCK_DGRAM, IPPROTO_IPV6, IPV6_RECVTCLASS, 0, 1, 1),
	ROW(AF_INET6, SOCK_DGRAM, IPPROTO_IPV6, IPV6_UNICAST_IF, 0, 1, 1),
	ROW(AF_INET6, SOCK_DGRAM, IPPROTO_IPV6, IPV6_PROTECTION_LEVEL,
	    PROTECTION_LEVEL_UNRESTRICTED, PROTECTION_LEVEL_UNRESTRICTED,
	    PROTECTION_LEVEL_UNRESTRICTED),
};

TEST_F(options, F1__what_is_set_is_told)
{
	ASSERT_EQ(startup(), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		SOCKET s = new_socket(row->family, row->type);
		int first = get_option(s, row->level, row->option);

		EXPECT_TRUE(row->first < 0 ? first != -4711 : first == row->first)
			TH_LOG("%s is %d at first", row->name, first);
		EXPECT_TRUE(set_option(s, row->level, row->option, row->set))
			TH_LOG("%s: %d", row->name, WSAGetLastError());
		EXPECT_EQ(get_option(s, row->level, row->option), row->get)
			TH_LOG("%s", row->name);
		closesocket(s);
	}
	EXPECT_EQ(WSACleanup(), 0);
}

/* One byte, a BOOLEAN, is enough for them to be set. */
TEST_F(options, F1__bytes)
{
	int values[2] = { -4711, -4711 }, len = sizeof(values);
	char one = 1;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = new_socket(AF_INET, SOCK_STREAM);
	EXPECT_EQ(wsock_setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, 1), 0);
	EXPECT_EQ(get_option(s, IPPROTO_TCP, TCP_NODELAY), 1);
	s = new_socket(AF_INET, SOCK_DGRAM);
	EXPECT_EQ(wsock_setsockopt(s, IPPROTO_IP, IP_MULTICAST_TTL, &one, 1), 0);
	EXPECT_EQ(wsock_setsockopt(s, IPPROTO_IP, IP_DONTFRAGMENT, &one, 1), 0);
	EXPECT_EQ(get_option(s, IPPROTO_IP, IP_DONTFRAGMENT), 1);
	/* What is told of a larger room is what was used of it. */
	EXPECT_EQ(wsock_getsockopt(s, IPPROTO_IP, IP_DONTFRAGMENT, (char *)values, &len), 0);
	EXPECT_EQ(len, sizeof(values[0]));
	EXPECT_EQ(values[0], 1);
	EXPECT_EQ(values[1], -4711);
	s = new_socket(AF_INET6, SOCK_DGRAM);
	EXPECT_EQ(wsock_setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &one, 1), 0);
	EXPECT_EQ(WSACleanup(), 0);
}

/* Options that Linux has no number for, and the library does not do either. */
TEST_F(options, F1__not_there)
{
	static const int none[][2] = {
		{ SOL_SOCKET, SO_USELOOPBACK }, { SOL_SOCKET, SO_GROUP_ID },
		{ SOL_SOCKET, SO_CONDITIONAL_ACCEPT }, { IPPROTO_IP, IP_RECVIF },
		{ IPPROTO_IP, IP_ADD_IFLIST }, { IPPROTO_IP, IP_USER_MTU },
		{ IPPROTO_IPV6, IPV6_RECVIF }, { IPPROTO_IPV6, IPV6_IFLIST },
		{ IPPROTO_TCP, TCP_EXPEDITED_1122 },
	};
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		s = new_socket(none[i][0] == IPPROTO_IPV6 ? AF_INET6 : AF_INET, SOCK_STREAM);
		EXPECT_FALSE(set_option(s, none[i][0], none[i][1], 1))
			TH_LOG("%zu", i);
		EXPECT_EQ(WSAGetLastError(), WSAENOPROTOOPT);
		EXPECT_EQ(get_option(s, none[i][0], none[i][1]), -4711);
		EXPECT_EQ(WSAGetLastError(), WSAENOPROTOOPT);
	}
	s = new_socket(AF_INET6, SOCK_STREAM);
	EXPECT_FALSE(set_option(s, IPPROTO_IPV6, IPV6_PROTECTION_LEVEL,
				PROTECTION_LEVEL_RESTRICTED));
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(options, F1__protocol_info)
{
	WSAPROTOCOL_INFOA a;
	WSAPROTOCOL_INFOW w;
	int len = sizeof(a);
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = new_socket(AF_INET6, SOCK_STREAM);
	ASSERT_EQ(wsock_getsockopt(s, SOL_SOCKET, SO_PROTOCOL_INFOA, (char *)&a, &len), 0);
	EXPECT_EQ(len, sizeof(a));
	EXPECT_EQ(a.iAddressFamily, AF_INET6);
	EXPECT_EQ(a.iSocketType, SOCK_STREAM);
	EXPECT_EQ(a.iProtocol, IPPROTO_TCP);
	EXPECT_EQ(a.dwProviderReserved, 0);
	EXPECT_STREQ(a.szProtocol, "TCP/IPv6");
	len = sizeof(w);
	ASSERT_EQ(wsock_getsockopt(s, SOL_SOCKET, SO_PROTOCOL_INFOW, (char *)&w, &len), 0);
	EXPECT_EQ(len, sizeof(w));
	EXPECT_EQ(memcmp(&a, &w, offsetof(WSAPROTOCOL_INFOA, szProtocol)), 0);
	EXPECT_EQ(memcmp(w.szProtocol, u"TCP/IPv6", 18), 0);
	len = sizeof(a) - 1;
	EXPECT_WSA(wsock_getsockopt(s, SOL_SOCKET, SO_PROTOCOL_INFOA, (char *)&a, &len),
		   WSAEFAULT);
	EXPECT_WSA(wsock_setsockopt(s, SOL_SOCKET, SO_PROTOCOL_INFOA, (char *)&a, sizeof(a)),
		   WSAENOPROTOOPT);
	EXPECT_EQ(WSACleanup(), 0);
}

/* Both ends, as far as there are any. */
TEST_F(options, F1__bsp_state)
{
	union {
		CSADDR_INFO info;
		char bytes[sizeof(CSADDR_INFO) + 2 * sizeof(struct sockaddr_in6)];
	} state;
	const int small = sizeof(CSADDR_INFO) + 2 * sizeof(struct sockaddr_in);
	int len = sizeof(state), size, peer;
	struct sockaddr_in *local, *remote;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = new_socket(AF_INET6, SOCK_DGRAM);
	EXPECT_EQ(wsock_getsockopt(s, SOL_SOCKET, SO_BSP_STATE, state.bytes, &len), 0);
	EXPECT_EQ(len, sizeof(state));
	EXPECT_EQ(state.info.LocalAddr.lpSockaddr, NULL);
	EXPECT_EQ(state.info.LocalAddr.iSockaddrLength, 0);
	EXPECT_EQ(state.info.RemoteAddr.lpSockaddr, NULL);
	EXPECT_EQ(state.info.iSocketType, SOCK_DGRAM);
	EXPECT_EQ(state.info.iProtocol, IPPROTO_UDP);
	s = bound_socket(SOCK_STREAM);
	EXPECT_EQ(wsock_getsockopt(s, SOL_SOCKET, SO_BSP_STATE, state.bytes, &len), 0);
	EXPECT_EQ(len, small);
	EXPECT_EQ(state.info.LocalAddr.iSockaddrLength, sizeof(*local));
	EXPECT_EQ(state.info.RemoteAddr.lpSockaddr, NULL);
	EXPECT_EQ(state.info.iProtocol, IPPROTO_TCP);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	size = small - 1;
	EXPECT_WSA(wsock_getsockopt(s, SOL_SOCKET, SO_BSP_STATE, state.bytes, &size), WSAEFAULT);
	EXPECT_EQ(wsock_getsockopt(s, SOL_SOCKET, SO_BSP_STATE, state.bytes, &len), 0);
	local = (void *)state.info.LocalAddr.lpSockaddr;
	remote = (void *)state.info.RemoteAddr.lpSockaddr;
	EXPECT_EQ(ntohs(local->sin_port), local_port(s));
	EXPECT_EQ(ntohs(remote->sin_port), local_port(peer));
	EXPECT_LE((char *)(remote + 1), state.bytes + len);
	EXPECT_WSA(wsock_getsockopt(INVALID_SOCKET, SOL_SOCKET, SO_BSP_STATE, state.bytes, &len),
		   WSAENOTSOCK);
	EXPECT_EQ(WSACleanup(), 0);
	close(peer);
}

TEST_F(options, F1__exclusive_and_reuse_exclude_each_other)
{
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = new_socket(AF_INET, SOCK_STREAM);
	ASSERT_TRUE(set_option(s, SOL_SOCKET, SO_REUSEADDR, 1));
	EXPECT_FALSE(set_option(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1));
	EXPECT_EQ(WSAGetLastError(), WSAEINVAL);
	ASSERT_TRUE(set_option(s, SOL_SOCKET, SO_REUSEADDR, 0));
	ASSERT_TRUE(set_option(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1));
	EXPECT_FALSE(set_option(s, SOL_SOCKET, SO_REUSEADDR, 1));
	EXPECT_EQ(WSAGetLastError(), WSAEINVAL);
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- Multicast ---- */

#define GROUP_ADDRESS "239.1.2.3"

static bool arrives(SOCKET to, int port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port) };
	SOCKET s = bound_socket(SOCK_DGRAM);
	DWORD ms = 500;
	char c = 0;
	bool got;

	sin.sin_addr.s_addr = inet_addr(GROUP_ADDRESS);
	/* By its index: 0.0.0.1 is the loopback interface. */
	got = set_option(s, IPPROTO_IP, IP_MULTICAST_IF, htonl(1)) &&
	      wsock_sendto(s, "m", 1, 0, sa(&sin), sizeof(sin)) == 1 &&
	      !wsock_setsockopt(to, SOL_SOCKET, SO_RCVTIMEO, (char *)&ms, sizeof(ms)) &&
	      wsock_recv(to, &c, 1, 0) == 1 && c == 'm';
	closesocket(s);
	return got;
}

TEST_F(options, F1__multicast_membership)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct ip_mreq address, index;
	struct ip_mreq_source source;
	struct ip_msfilter filter;
	int len = sizeof(filter);
	SOCKET s;

	/* The loopback interface has no multicast unless it is told to. */
	ASSERT_EQ(system("ip link set lo multicast on; "
			 "ip route add 239.0.0.0/8 dev lo 2>/dev/null"), 0);
	ASSERT_EQ(startup(), 0);
	s = new_socket(AF_INET, SOCK_DGRAM);
	ASSERT_EQ(wsock_bind(s, sa(&sin), sizeof(sin)), 0);
	EXPECT_FALSE(arrives(s, local_port(s)));
	address.imr_multiaddr.s_addr = index.imr_multiaddr.s_addr = inet_addr(GROUP_ADDRESS);
	address.imr_interface.s_addr = htonl(INADDR_LOOPBACK);
	index.imr_interface.s_addr = htonl(1);
	ASSERT_EQ(wsock_setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, (char *)&address,
				   sizeof(address)), 0);
	EXPECT_TRUE(arrives(s, local_port(s)));
	EXPECT_EQ(wsock_setsockopt(s, IPPROTO_IP, IP_DROP_MEMBERSHIP, (char *)&index,
				   sizeof(index)), 0);
	EXPECT_FALSE(arrives(s, local_port(s)));
	EXPECT_EQ(wsock_setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, (char *)&index,
				   sizeof(index)), 0);
	EXPECT_TRUE(arrives(s, local_port(s)));
	EXPECT_EQ(wsock_setsockopt(s, IPPROTO_IP, IP_DROP_MEMBERSHIP, (char *)&index,
				   sizeof(index)), 0);
	/* Of one sender only, by the names of Windows' members. */
	source.imr_multiaddr = address.imr_multiaddr;
	source.imr_interface.s_addr = source.imr_sourceaddr.s_addr = htonl(INADDR_LOOPBACK);
	EXPECT_EQ(wsock_setsockopt(s, IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, (char *)&source,
				   sizeof(source)), 0);
	EXPECT_TRUE(arrives(s, local_port(s)));
	/* Which that is, can be asked for: there is room for one. */
	memset(&filter, 0, sizeof(filter));
	filter.imsf_multiaddr = source.imr_multiaddr;
	filter.imsf_interface = source.imr_interface;
	filter.imsf_numsrc = 1;
	EXPECT_EQ(wsock_getsockopt(s, IPPROTO_IP, IP_MSFILTER, (char *)&filter, &len), 0);
	EXPECT_EQ(filter.imsf_fmode, MCAST_INCLUDE);
	EXPECT_EQ(filter.imsf_numsrc, 1);
	EXPECT_EQ(filter.imsf_slist[0].s_addr, htonl(INADDR_LOOPBACK));
	/* Less than an address, or two, is for Linux to refuse. */
	EXPECT_WSA(wsock_setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF,
				    (char *)&index.imr_interface, 3), WSAEINVAL);
	EXPECT_WSA(wsock_setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, (char *)&index,
				    sizeof(index) - 1), WSAEINVAL);
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- Control data ---- */

TEST_F(options, F1__packet_information)
{
	char data[8], control[WSA_CMSG_SPACE(sizeof(IN_PKTINFO)) +
			      WSA_CMSG_SPACE(sizeof(int))];
	WSABUF buf = { .len = sizeof(data), .buf = data };
	WSAMSG msg = {
		.lpBuffers = &buf, .dwBufferCount = 1,
		.Control = { .len = sizeof(control), .buf = control },
	};
	IN_PKTINFO *info = NULL;
	int ttl = 0;
	DWORD bytes;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_DGRAM);
	ASSERT_TRUE(set_option(s, IPPROTO_IP, IP_PKTINFO, 1));
	ASSERT_TRUE(set_option(s, IPPROTO_IP, IP_HOPLIMIT, 1));
	ASSERT_EQ(datagram_to(s, "x", 1), 0);
	ASSERT_EQ(WSARecvMsg(s, &msg, &bytes, NULL, NULL), 0);
	for (WSACMSGHDR *c = WSA_CMSG_FIRSTHDR(&msg); c; c = WSA_CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
			info = (IN_PKTINFO *)WSA_CMSG_DATA(c);
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL)
			ttl = *(int *)WSA_CMSG_DATA(c);
	}
	ASSERT_NE(info, NULL);
	EXPECT_EQ(info->ipi_addr.s_addr, htonl(INADDR_LOOPBACK));
	EXPECT_EQ(info->ipi_ifindex, 1);
	EXPECT_EQ(ttl, 64);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(options, F1__several_datagrams_at_a_time)
{
	char data[300], control[WSA_CMSG_SPACE(sizeof(DWORD))];
	WSABUF buf = { .len = sizeof(data), .buf = data };
	WSAMSG msg = {
		.lpBuffers = &buf, .dwBufferCount = 1,
		.Control = { .len = sizeof(control), .buf = control },
	};
	struct sockaddr_in to;
	int len = sizeof(to);
	DWORD bytes, size;
	WSACMSGHDR *c;
	SOCKET s, t;

	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_DGRAM);
	t = new_socket(AF_INET, SOCK_DGRAM);
	ASSERT_EQ(wsock_getsockname(s, sa(&to), &len), 0);
	ASSERT_EQ(wsock_connect(t, sa(&to), len), 0);
	EXPECT_EQ(WSAGetUdpSendMessageSize(t, &size), 0);
	EXPECT_EQ(size, 0);
	EXPECT_EQ(WSASetUdpSendMessageSize(t, 100), 0);
	EXPECT_EQ(WSAGetUdpSendMessageSize(t, &size), 0);
	EXPECT_EQ(size, 100);
	memset(data, 'x', sizeof(data));
	EXPECT_EQ(wsock_send(t, data, 250, 0), 250);
	EXPECT_EQ(wsock_recv(s, data, sizeof(data), 0), 100);
	EXPECT_EQ(wsock_recv(s, data, sizeof(data), 0), 100);
	EXPECT_EQ(wsock_recv(s, data, sizeof(data), 0), 50);
	/* And back together. */
	EXPECT_EQ(WSASetUdpRecvMaxCoalescedSize(s, sizeof(data)), 0);
	EXPECT_EQ(WSAGetUdpRecvMaxCoalescedSize(s, &size), 0);
	EXPECT_EQ(size, 1);
	EXPECT_EQ(wsock_send(t, data, 250, 0), 250);
	ASSERT_EQ(WSARecvMsg(s, &msg, &bytes, NULL, NULL), 0);
	EXPECT_EQ(bytes, 250);
	c = WSA_CMSG_FIRSTHDR(&msg);
	ASSERT_NE(c, NULL);
	EXPECT_EQ(c->cmsg_level, IPPROTO_UDP);
	EXPECT_EQ(c->cmsg_type, UDP_COALESCED_INFO);
	EXPECT_EQ(*(DWORD *)WSA_CMSG_DATA(c), 100);
	EXPECT_WSA(WSASetUdpSendMessageSize(t, 100000), WSAEINVAL);
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- select and WSAPoll of many ---- */

#define MANY 200

TEST_F(options, F1__select_and_poll_of_many)
{
	struct { u_int count; SOCKET sockets[MANY]; } set = { 0 };
	struct timeval none = { 0 };
	WSAPOLLFD pfds[MANY] = { };
	SOCKET s[MANY];

	ASSERT_EQ(startup(), 0);
	for (int i = 0; i < MANY; i++) {
		s[i] = bound_socket(SOCK_DGRAM);
		ASSERT_NE(s[i], INVALID_SOCKET);
	}
	/* More than FD_SETSIZE, where there is room. */
	memcpy(set.sockets, s, sizeof(s));
	set.count = MANY;
	EXPECT_EQ(wsock_select(0, (wsock_fd_set *)&set, NULL, NULL, &none), 0);
	EXPECT_EQ(set.count, 0);
	ASSERT_EQ(datagram_to(s[3], "x", 1), 0);
	ASSERT_EQ(datagram_to(s[MANY - 1], "x", 1), 0);
	memcpy(set.sockets, s, sizeof(s));
	set.count = MANY;
	EXPECT_EQ(wsock_select(0, (wsock_fd_set *)&set, NULL, NULL, NULL), 2);
	EXPECT_EQ(set.count, 2);
	EXPECT_EQ(set.sockets[0], s[3]);
	EXPECT_EQ(set.sockets[1], s[MANY - 1]);
	for (int i = 0; i < MANY; i++) {
		pfds[i].fd = s[i];
		pfds[i].events = WSOCK_POLLRDNORM;
	}
	EXPECT_EQ(WSAPoll(pfds, MANY, -1), 2);
	EXPECT_EQ(pfds[MANY - 1].revents, WSOCK_POLLRDNORM);
	EXPECT_EQ(pfds[4].revents, 0);
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- Controls ---- */

static int control(SOCKET s, DWORD code, void *in, DWORD in_size, void *out, DWORD out_size,
		   DWORD *bytes)
{
	*bytes = 4711;
	return WSAIoctl(s, code, in, in_size, out, out_size, bytes, NULL, NULL);
}

TEST_F(options, F3__interfaces)
{
	INTERFACE_INFO list[8];
	DWORD bytes;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = new_socket(AF_INET, SOCK_DGRAM);
	ASSERT_EQ(control(s, SIO_GET_INTERFACE_LIST, NULL, 0, list, sizeof(list), &bytes), 0);
	ASSERT_GE(bytes, sizeof(list[0]));
	EXPECT_EQ(bytes % sizeof(list[0]), 0);
	EXPECT_EQ(list[0].iiAddress.AddressIn.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	EXPECT_EQ(list[0].iiNetmask.AddressIn.sin_addr.s_addr, htonl(0xff000000));
	EXPECT_EQ(list[0].iiFlags & (WSOCK_IFF_UP | WSOCK_IFF_LOOPBACK),
		  WSOCK_IFF_UP | WSOCK_IFF_LOOPBACK);
	EXPECT_EQ(list[0].iiFlags & WSOCK_IFF_POINTTOPOINT, 0);
	EXPECT_WSA(control(s, SIO_GET_INTERFACE_LIST, NULL, 0, list, 8, &bytes), WSAEFAULT);
	EXPECT_GE(bytes, sizeof(list[0]));
	s = new_socket(AF_INET6, SOCK_DGRAM);
	EXPECT_WSA(control(s, SIO_GET_INTERFACE_LIST, NULL, 0, list, sizeof(list), &bytes),
		   WSAEOPNOTSUPP);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(options, F3__addresses)
{
	struct { SOCKET_ADDRESS_LIST list; char room[1024]; } out;
	struct sockaddr_in *found;
	DWORD bytes, needed;
	SOCKET s;

	ASSERT_EQ(system("ip link add dummy0 type dummy 2>/dev/null; "
			 "ip addr add 192.0.2.1/24 dev dummy0 && ip link set dummy0 up"), 0);
	ASSERT_EQ(startup(), 0);
	s = new_socket(AF_INET, SOCK_STREAM);
	EXPECT_WSA(control(s, SIO_ADDRESS_LIST_QUERY, NULL, 0, NULL, 0, &needed), WSAEFAULT);
	EXPECT_EQ(needed, offsetof(SOCKET_ADDRESS_LIST, Address) + sizeof(SOCKET_ADDRESS) +
		  sizeof(struct sockaddr_in));
	ASSERT_EQ(control(s, SIO_ADDRESS_LIST_QUERY, NULL, 0, &out, needed, &bytes), 0);
	EXPECT_EQ(bytes, needed);
	ASSERT_EQ(out.list.iAddressCount, 1);
	EXPECT_EQ(out.list.Address[0].iSockaddrLength, sizeof(struct sockaddr_in));
	found = (struct sockaddr_in *)out.list.Address[0].lpSockaddr;
	EXPECT_EQ(found->sin_addr.s_addr, inet_addr("192.0.2.1"));
	EXPECT_WSA(control(s, SIO_ADDRESS_LIST_QUERY, NULL, 0, &out, needed - 1, &bytes),
		   WSAEFAULT);
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(system("ip link del dummy0"), 0);
}

TEST_F(options, F3__routes)
{
	struct sockaddr_in to = loopback(80), from = { 0 };
	DWORD bytes;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = new_socket(AF_INET, SOCK_STREAM);
	ASSERT_EQ(control(s, SIO_ROUTING_INTERFACE_QUERY, &to, sizeof(to), &from, sizeof(from),
			  &bytes), 0);
	EXPECT_EQ(bytes, sizeof(from));
	EXPECT_EQ(from.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	EXPECT_EQ(from.sin_port, 0);
	to.sin_addr.s_addr = inet_addr("198.51.100.1");
	EXPECT_WSA(control(s, SIO_ROUTING_INTERFACE_QUERY, &to, sizeof(to), &from, sizeof(from),
			   &bytes), WSAENETUNREACH);
	to.sin_family = AF_INET6;
	EXPECT_WSA(control(s, SIO_ROUTING_INTERFACE_QUERY, &to, sizeof(to), &from, sizeof(from),
			   &bytes), WSAEAFNOSUPPORT);
	EXPECT_WSA(control(s, SIO_ROUTING_INTERFACE_QUERY, &to, 4, &from, sizeof(from),
			   &bytes), WSAEFAULT);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(options, F3__others)
{
	static const DWORD handles[] = {
		SIO_BASE_HANDLE, SIO_BSP_HANDLE_SELECT, SIO_BSP_HANDLE_POLL,
	};
	static const DWORD refused[] = {
		SIO_RCVALL, SIO_RCVALL_MCAST, SIO_RCVALL_IGMPMCAST, SIO_SET_QOS,
		SIO_ROUTING_INTERFACE_CHANGE, SIO_ENABLE_CIRCULAR_QUEUEING, SIO_INDEX_BIND,
		SIO_LOOPBACK_FAST_PATH,
	};
	struct sockaddr_in broadcast;
	SOCKET s, base, d;
	DWORD bytes, value = 0;
	BOOL off = FALSE, on = TRUE;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	d = bound_socket(SOCK_DGRAM);
	for (size_t i = 0; i < ARRAY_SIZE(handles); i++) {
		base = 0;
		EXPECT_EQ(control(s, handles[i], NULL, 0, &base, sizeof(base), &bytes), 0);
		EXPECT_EQ(base, s);
		/* Of too little room, how much it takes. */
		bytes = 0;
		EXPECT_WSA(control(s, handles[i], NULL, 0, &base, sizeof(base) - 1, &bytes),
			   WSAEFAULT);
		EXPECT_EQ(bytes, sizeof(base));
	}
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		EXPECT_WSA(control(d, refused[i], &value, 4, &value, 4, &bytes), WSAEOPNOTSUPP);
		EXPECT_EQ(bytes, 0);
	}
	EXPECT_EQ(control(s, SIO_IDEAL_SEND_BACKLOG_QUERY, NULL, 0, &value, 4, &bytes), 0);
	EXPECT_GT(value, 0);
	EXPECT_WSA(control(new_socket(AF_INET, SOCK_STREAM), SIO_IDEAL_SEND_BACKLOG_QUERY,
			   NULL, 0, &value, 4, &bytes), WSAENOTCONN);
	EXPECT_WSA(control(d, SIO_IDEAL_SEND_BACKLOG_QUERY, NULL, 0, &value, 4, &bytes),
		   WSAEOPNOTSUPP);
	EXPECT_EQ(control(d, SIO_GET_BROADCAST_ADDRESS, NULL, 0, &broadcast, sizeof(broadcast),
			  &bytes), 0);
	EXPECT_EQ(broadcast.sin_addr.s_addr, INADDR_BROADCAST);
	value = 5;
	EXPECT_EQ(control(d, SIO_MULTICAST_SCOPE, &value, 4, NULL, 0, &bytes), 0);
	EXPECT_EQ(get_option(d, IPPROTO_IP, IP_MULTICAST_TTL), 5);
	EXPECT_EQ(control(d, SIO_MULTIPOINT_LOOPBACK, &off, 4, NULL, 0, &bytes), 0);
	EXPECT_EQ(get_option(d, IPPROTO_IP, IP_MULTICAST_LOOP), 0);
	EXPECT_EQ(control(d, SIO_UDP_CONNRESET, &off, 4, NULL, 0, &bytes), 0);
	EXPECT_WSA(control(d, SIO_UDP_CONNRESET, &on, 4, NULL, 0, &bytes), WSAEOPNOTSUPP);
	EXPECT_WSA(control(s, SIO_UDP_CONNRESET, &off, 4, NULL, 0, &bytes), WSAEINVAL);
	EXPECT_WSA(control(d, SIO_UDP_CONNRESET, &off, 3, NULL, 0, &bytes), WSAEFAULT);
	EXPECT_WSA(control(d, SIO_MULTICAST_SCOPE, &value, 3, NULL, 0, &bytes), WSAEFAULT);
	EXPECT_WSA(control(d, SIO_MULTIPOINT_LOOPBACK, NULL, 4, NULL, 0, &bytes), WSAEFAULT);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_HARNESS_MAIN
