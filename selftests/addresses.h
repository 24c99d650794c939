/* SPDX-License-Identifier: GPL-2.0 */
/* Local addresses that come and go. */
#ifndef WSOCK_SELFTESTS_ADDRESSES_H
#define WSOCK_SELFTESTS_ADDRESSES_H

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Loopback of the calling thread's namespace gets, or loses, an address more. */
static inline bool address_set(int family, bool there)
{
	struct {
		struct nlmsghdr nlh;
		struct ifaddrmsg ifa;
		struct rtattr attr;
		unsigned char address[16];
	} msg = {
		.nlh.nlmsg_type = there ? RTM_NEWADDR : RTM_DELADDR,
		.nlh.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK |
				   (there ? NLM_F_CREATE | NLM_F_EXCL : 0),
		.ifa = { .ifa_family = family, .ifa_index = 1 },
		.attr.rta_type = IFA_LOCAL,
	};
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr err;
	} answer;
	int len = family == AF_INET ? 4 : 16, fd;
	bool done;

	msg.ifa.ifa_prefixlen = len * 8;
	msg.attr.rta_len = RTA_LENGTH(len);
	msg.nlh.nlmsg_len = NLMSG_LENGTH(sizeof(msg.ifa)) + RTA_LENGTH(len);
	inet_pton(family, family == AF_INET ? "10.77.0.1" : "fd77::1", msg.address);
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	done = send(fd, &msg, msg.nlh.nlmsg_len, 0) == msg.nlh.nlmsg_len &&
	       recv(fd, &answer, sizeof(answer), MSG_TRUNC) >= (ssize_t)sizeof(answer) &&
	       answer.nlh.nlmsg_type == NLMSG_ERROR && !answer.err.error;
	close(fd);
	return done;
}

/* It comes, if it was there it goes. */
static inline bool address_change(int family)
{
	return address_set(family, true) || address_set(family, false);
}

#endif /* WSOCK_SELFTESTS_ADDRESSES_H */
