// SPDX-License-Identifier: GPL-2.0
/*
 * Changes of the local addresses, told to the sockets on which somebody asked for
 * them: by an operation, or as a network event. A socket that was asked once is
 * told until its end, also when nobody waits.
 */
#include <linux/inetdevice.h>
#include <linux/netdevice.h>
#include <linux/rculist.h>
#include <net/addrconf.h>
#include <net/if_inet6.h>
#include <net/sock.h>

#include "wsock.h"

static LIST_HEAD(watching);		/* written with the lock, read under RCU */
static DEFINE_SPINLOCK(watching_lock);

/**
 * wsock_addresses_watch - tell a socket of changes from now on
 * @s: the socket
 */
void wsock_addresses_watch(struct wsock_socket *s)
{
	spin_lock(&watching_lock);
	if (list_empty(&s->watching))
		list_add_tail_rcu(&s->watching, &watching);
	spin_unlock(&watching_lock);
}

/**
 * wsock_addresses_unwatch - at the end of a socket
 * @s: the socket, without a reference; dead, and freed after a grace period
 */
void wsock_addresses_unwatch(struct wsock_socket *s)
{
	if (list_empty(&s->watching))
		return;
	spin_lock(&watching_lock);
	list_del_rcu(&s->watching);
	spin_unlock(&watching_lock);
}

static void changed(const struct net *net, int family, unsigned long event)
{
	struct wsock_socket *s;

	if (event != NETDEV_UP && event != NETDEV_DOWN)
		return;
	rcu_read_lock();
	list_for_each_entry_rcu(s, &watching, watching) {
		struct wsock_netevents *n;
		unsigned long flags;

		spin_lock_irqsave(&s->lock, flags);
		/* Until it is dead it has its sk. */
		if (!s->dead && s->sk->sk_family == family && net_eq(sock_net(s->sk), net)) {
			wsock_op_notice(s);
			n = READ_ONCE(s->netevents);
			if (n)
				wsock_netevents_notice(n);
		}
		spin_unlock_irqrestore(&s->lock, flags);
	}
	rcu_read_unlock();
}

static int inet_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	const struct in_ifaddr *ifa = ptr;

	changed(dev_net(ifa->ifa_dev->dev), AF_INET, event);
	return NOTIFY_DONE;
}

/* Also in softirq, for what a router advertises. */
static int inet6_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	const struct inet6_ifaddr *ifa = ptr;

	changed(dev_net(ifa->idev->dev), AF_INET6, event);
	return NOTIFY_DONE;
}

static struct notifier_block inet_notifier = { .notifier_call = inet_event };
static struct notifier_block inet6_notifier = { .notifier_call = inet6_event };

/**
 * wsock_addresses_init - at module load
 *
 * Return: 0 or a negative errno.
 */
int __init wsock_addresses_init(void)
{
	int ret = register_inetaddr_notifier(&inet_notifier);

	if (ret)
		return ret;
	ret = register_inet6addr_notifier(&inet6_notifier);
	if (ret)
		unregister_inetaddr_notifier(&inet_notifier);
	return ret;
}

/**
 * wsock_addresses_exit - at module unload
 */
void wsock_addresses_exit(void)
{
	unregister_inet6addr_notifier(&inet6_notifier);
	unregister_inetaddr_notifier(&inet_notifier);
}
