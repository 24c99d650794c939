// SPDX-License-Identifier: GPL-2.0
/*
 * Duplicates: a process offers one of its sockets to a process, and that one
 * takes it (WSADuplicateSocket, WSASocket).
 *
 * An offer holds nothing of the connection. It hangs on the owned socket of who
 * made it and goes with that; nobody but the process it was made for, which the
 * kernel knows by its struct pid and not by a number, can take it. So its token
 * need not be a secret, and an offer that nobody takes costs an entry here and no
 * more.
 */
#include <linux/file.h>
#include <linux/pid.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include <net/sock.h>

#include "wsock.h"

/* What a context may have on offer at a time. */
#define MAX_OFFERS	1024

/**
 * struct wsock_offer - a socket that waits for its taker
 * @node: in @socket->offers; offers_lock
 * @socket: whose owner made it; valid as long as the offer is on its list
 * @taker: the process that may take it, counted; set once
 * @token: its index in offers; set once
 */
struct wsock_offer {
	struct hlist_node node;
	struct wsock_socket *socket;
	struct pid *taker;
	u32 token;
};

/*
 * Taken inside wsock_context.lock. A taker becomes an owner under it, and an
 * owner withdraws its offers under it before it ceases to be one: so either the
 * offer is gone, or the socket has another owner and is not reset.
 */
static DEFINE_MUTEX(offers_lock);
static DEFINE_XARRAY_ALLOC1(offers);	/* offers_lock */
static u32 next_token;			/* offers_lock */
static long nr_offers;			/* offers_lock */

static void offer_free(struct wsock_offer *offer)
{
	put_pid(offer->taker);
	kfree(offer);
}

static void offer_remove(struct wsock_offer *offer)
{
	lockdep_assert_held(&offers_lock);
	xa_erase(&offers, offer->token);
	hlist_del(&offer->node);
	offer->socket->ctx->nr_offers--;
	nr_offers--;
	offer_free(offer);
}

static struct wsock_offer *offer_create(pid_t nr)
{
	struct wsock_offer *offer;
	bool alive;

	offer = kzalloc(sizeof(*offer), GFP_KERNEL_ACCOUNT);
	if (!offer)
		return ERR_PTR(-ENOMEM);
	offer->taker = find_get_pid(nr);
	rcu_read_lock();
	alive = pid_task(offer->taker, PIDTYPE_TGID);
	rcu_read_unlock();
	if (!alive) {
		offer_free(offer);
		return ERR_PTR(-ESRCH);
	}
	return offer;
}

/* Put @offer of @s where its taker finds it. */
static int offer_publish(struct wsock_offer *offer, struct wsock_socket *s)
{
	struct wsock_context *ctx = s->ctx;
	int ret;

	lockdep_assert_held(&ctx->lock);
	guard(mutex)(&offers_lock);
	if (ctx->nr_offers >= MAX_OFFERS)
		return -ENOBUFS;
	/* In turn, so that a stale token seldom means another offer. */
	ret = xa_alloc_cyclic(&offers, &offer->token, offer, xa_limit_32b, &next_token,
			      GFP_KERNEL_ACCOUNT);
	if (ret < 0)
		return ret == -EBUSY ? -ENOBUFS : ret;
	offer->socket = s;
	hlist_add_head(&offer->node, &s->offers);
	s->offered = true;
	ctx->nr_offers++;
	nr_offers++;
	return 0;
}

/**
 * wsock_duplicate_offer - offer a socket to a process
 * @ctx: the context, an owner of the socket
 * @args: which, and to whom; receives the token
 *
 * Return: 0 or a negative errno.
 */
int wsock_duplicate_offer(struct wsock_context *ctx, struct wsock_duplicate *args)
{
	struct wsock_offer *offer;
	struct wsock_socket *s;
	int ret;

	CLASS(fd, f)(args->fd);
	if (fd_empty(f))
		return READ_ONCE(ctx->registrations) ? -EBADF : -EBADFD;

	if (mutex_lock_killable(&ctx->lock))
		return -EINTR;
	ret = -EBADFD;
	if (!ctx->registrations)
		goto out;
	s = wsock_socket_lookup(ctx, args->fd);
	ret = -ENOTSOCK;
	if (!s || !wsock_socket_is(s, fd_file(f)))
		goto out;
	offer = offer_create(args->pid);
	ret = PTR_ERR_OR_ZERO(offer);
	if (ret)
		goto out;
	ret = offer_publish(offer, s);
	if (ret)
		offer_free(offer);
	else
		args->token = offer->token;
out:
	mutex_unlock(&ctx->lock);
	return ret;
}

/* What was offered to the calling process under @token, or NULL. */
static struct wsock_offer *offer_find(u32 token)
{
	struct wsock_offer *offer;

	lockdep_assert_held(&offers_lock);
	offer = xa_load(&offers, token);
	return offer && offer->taker == task_tgid(current) ? offer : NULL;
}

/* The file behind an offer; NULL also when close(2) has closed it meanwhile. */
static struct file *offer_file(u32 token)
{
	struct wsock_offer *offer;

	guard(mutex)(&offers_lock);
	offer = offer_find(token);
	return offer ? wsock_socket_file(offer->socket->sk) : NULL;
}

/* The calling process has the file under @fd: make it an owner. */
static int offer_take(struct wsock_context *ctx, u32 token, int fd, struct socket *sock)
{
	struct wsock_offer *offer;
	int ret;

	/* What was adopted under this number is not ours to forget below. */
	wsock_socket_forget_stale(ctx, fd, sock);

	guard(mutex)(&offers_lock);
	/* Withdrawn meanwhile? */
	offer = offer_find(token);
	if (!offer)
		return -ENOENT;
	ret = wsock_socket_own(ctx, fd, sock);
	if (!ret)
		offer_remove(offer);
	return ret;
}

/**
 * wsock_duplicate_take - take what was offered
 * @ctx: the context; an owner afterwards
 * @token: the offer's; good for nothing afterwards
 *
 * Return: a new descriptor of the socket's file. When that cannot be, the offer
 * stays.
 */
int wsock_duplicate_take(struct wsock_context *ctx, u32 token)
{
	struct socket *sock;
	struct file *file;
	int fd, ret;

	if (mutex_lock_killable(&ctx->lock))
		return -EINTR;
	ret = -EBADFD;
	if (!ctx->registrations)
		goto out;
	file = offer_file(token);
	ret = -ENOENT;
	if (!file)
		goto out;
	sock = sock_from_file(file);
	fd = receive_fd(file, NULL, O_CLOEXEC);
	ret = fd;
	if (fd >= 0) {
		ret = offer_take(ctx, token, fd, sock) ?: fd;
		if (ret < 0)
			wsock_socket_close_fd(sock->sk, fd);
	}
	fput(file);
out:
	mutex_unlock(&ctx->lock);
	return ret;
}

/**
 * wsock_duplicate_withdraw - an owner goes, and with it what it had on offer
 * @s: its socket, still among the owners
 */
void wsock_duplicate_withdraw(struct wsock_socket *s)
{
	struct wsock_offer *offer;
	struct hlist_node *next;

	lockdep_assert_held(&s->ctx->lock);
	/* Most sockets never have one, and need not queue up here. */
	if (!s->offered)
		return;
	guard(mutex)(&offers_lock);
	hlist_for_each_entry_safe(offer, next, &s->offers, node)
		offer_remove(offer);
}

/**
 * wsock_duplicate_count - offers of all contexts
 *
 * Return: their number.
 */
long wsock_duplicate_count(void)
{
	return READ_ONCE(nr_offers);
}
