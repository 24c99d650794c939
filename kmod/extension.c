// SPDX-License-Identifier: GPL-2.0
/*
 * What the operations of Winsock's extension functions do to a socket. Their
 * life is operation.c's.
 */
#include <linux/net.h>
#include <linux/tcp.h>
#include <net/sock.h>

#include "wsock.h"

/**
 * wsock_extension_connected - how an attempt to connect has ended
 * @sock: a socket on which connect(2) has begun
 *
 * Returns 0 or the errno it ended with, -EAGAIN while it goes on.
 */
int wsock_extension_connected(struct socket *sock)
{
	int ret;

	if (!sk_is_tcp(sock->sk))
		return -EOPNOTSUPP;
	if (READ_ONCE(sock->sk->sk_state) == TCP_LISTEN)
		return -EINVAL;
	/*
	 * As a second connect(2), which takes note of the end of the first. With
	 * no address it cannot begin another.
	 */
	ret = READ_ONCE(sock->ops)->connect(sock, NULL, 0, O_NONBLOCK);
	switch (ret) {
	case -EALREADY:
		return -EAGAIN;
	case -EISCONN:
		return 0;
	case -EINVAL:
		return -ENOTCONN;
	}
	return ret;
}
