// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Options of the levels IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP and IPPROTO_UDP.
 * Those listed here have another shape or meaning in Winsock, or no number in
 * Linux; all others go to the kernel as they are.
 */
#include "internal.h"

#include <linux/udp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <ws2ipdef.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* How a Winsock value and a Linux value of an option belong together. */
enum kind {
	SAME,		/* another number only */
	NETWORK_ORDER,	/* an interface's index in the other order */
	SECONDS,	/* Linux counts milliseconds */
	DONT_FRAGMENT,	/* a BOOL, for IP_MTU_DISCOVER */
	UNRESTRICTED,	/* always is, and can be nothing else */
};

static const struct option {
	int level, name;
	int native_level, native_name;
	enum kind kind;
} options[] = {
	{ IPPROTO_IP, IP_DONTFRAGMENT, IPPROTO_IP, IP_MTU_DISCOVER,
	  DONT_FRAGMENT },
	/* On Linux these two set what is sent; a BOOL asks for what comes. */
	{ IPPROTO_IPV6, IPV6_PKTINFO, IPPROTO_IPV6, IPV6_RECVPKTINFO, SAME },
	{ IPPROTO_IPV6, IPV6_HOPLIMIT, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, SAME },
	{ IPPROTO_IPV6, IPV6_UNICAST_IF, IPPROTO_IPV6, IPV6_UNICAST_IF,
	  NETWORK_ORDER },
	{ IPPROTO_IPV6, IPV6_PROTECTION_LEVEL, 0, 0, UNRESTRICTED },
	{ IPPROTO_TCP, TCP_MAXRT, IPPROTO_TCP, TCP_USER_TIMEOUT, SECONDS },
	{ IPPROTO_TCP, TCP_MAXRTMS, IPPROTO_TCP, TCP_USER_TIMEOUT, SAME },
	{ IPPROTO_UDP, UDP_NOCHECKSUM, SOL_SOCKET, SO_NO_CHECK, SAME },
};

static const struct option *find(int level, int name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(options); i++)
		if (options[i].level == level && options[i].name == name)
			return &options[i];
	return NULL;
}

static int to_native(enum kind kind, int value)
{
	switch (kind) {
	case NETWORK_ORDER:
		return (int)htonl((uint32_t)value);
	case SECONDS:
		return value > INT32_MAX / 1000 ? INT32_MAX : value * 1000;
	case DONT_FRAGMENT:
		return value ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT;
	default:
		return value;
	}
}

static int from_native(enum kind kind, int value)
{
	switch (kind) {
	case NETWORK_ORDER:
		return (int)ntohl((uint32_t)value);
	case SECONDS:
		return value / 1000 + (value % 1000 != 0);
	case DONT_FRAGMENT:
		return value == IP_PMTUDISC_DO || value == IP_PMTUDISC_PROBE;
	default:
		return value;
	}
}

/* Where Winsock has a number for an address: 0.0.0.index names an interface. */
static uint32_t interface_index(const struct in_addr *address)
{
	uint32_t host = ntohl(address->s_addr);

	return host >> 24 ? 0 : host;
}

/*
 * Linux names an interface by its index in another structure, which it knows by
 * its size. Returns the length of what is in @to, 0 when it is not needed.
 */
static socklen_t with_index(int name, const char *optval, int optlen,
			    struct ip_mreqn *to)
{
	struct ip_mreq membership;

	memset(to, 0, sizeof(*to));
	switch (name) {
	case IP_MULTICAST_IF:
		if (optlen != (int)sizeof(to->imr_address))
			return 0;
		memcpy(&to->imr_address, optval, sizeof(to->imr_address));
		break;
	case IP_ADD_MEMBERSHIP:
	case IP_DROP_MEMBERSHIP:
		if (optlen < (int)sizeof(membership))
			return 0;
		memcpy(&membership, optval, sizeof(membership));
		to->imr_multiaddr = membership.imr_multiaddr;
		to->imr_address = membership.imr_interface;
		break;
	default:
		return 0;
	}
	to->imr_ifindex = (int)interface_index(&to->imr_address);
	to->imr_address.s_addr = INADDR_ANY;
	return to->imr_ifindex ? sizeof(*to) : 0;
}

static int set_special(int fd, const struct option *option, int value)
{
	if (option->kind == UNRESTRICTED) {
		if (value == PROTECTION_LEVEL_UNRESTRICTED || value == -1)
			return 0;
		errno = ENOPROTOOPT;
		return -1;
	}
	value = to_native(option->kind, value);
	return setsockopt(fd, option->native_level, option->native_name, &value,
			  sizeof(value));
}

int wsock_options_ip_set(int fd, int level, int name, const char *optval,
			 int optlen)
{
	const struct option *option = find(level, name);
	struct ip_mreqn membership;
	socklen_t length;
	int value;

	/* Winsock takes a BOOLEAN byte too, where Linux wants an int. */
	if (optlen > 0 && optlen < (int)sizeof(value) &&
	    (option || level != IPPROTO_IP)) {
		value = (unsigned char)*optval;
		optval = (const char *)&value;
		optlen = sizeof(value);
	}
	if (option && optlen == (int)sizeof(value)) {
		memcpy(&value, optval, sizeof(value));
		return set_special(fd, option, value);
	}
	length = level == IPPROTO_IP ?
			 with_index(name, optval, optlen, &membership) : 0;
	if (length)
		return setsockopt(fd, level, name, &membership, length);
	return setsockopt(fd, level, name, optval, (socklen_t)optlen);
}

/* Of these Linux reads the room that there is in the value itself. */
static bool is_filter(int name)
{
	return name == IP_MSFILTER || name == MCAST_MSFILTER;
}

int wsock_options_ip_get(int fd, int level, int name, char *optval, int *optlen)
{
	const struct option *option = find(level, name);
	socklen_t length;
	char value[1024];
	int number;

	if (!option && is_filter(name))
		return getsockopt(fd, level, name, optval, (socklen_t *)optlen);
	if (option && option->kind == UNRESTRICTED) {
		number = PROTECTION_LEVEL_UNRESTRICTED;
		length = sizeof(number);
		memcpy(value, &number, length);
	} else {
		length = sizeof(value);
		if (getsockopt(fd, option ? option->native_level : level,
			       option ? option->native_name : name, value,
			       &length))
			return -1;
		if (option) {
			memcpy(&number, value, sizeof(number));
			number = from_native(option->kind, number);
			memcpy(value, &number, sizeof(number));
		}
	}
	/* Winsock fails where Linux would cut a number off. */
	if (length == (socklen_t)sizeof(number) && *optlen < (int)length) {
		errno = EFAULT;
		return -1;
	}
	if (*optlen > (int)length)
		*optlen = (int)length;
	memcpy(optval, value, (size_t)*optlen);
	return 0;
}
