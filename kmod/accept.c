// SPDX-License-Identifier: GPL-2.0
/*
 * AcceptEx: a connection is taken from a listening socket, and a socket that was
 * made before, the acceptor, becomes that connection. The life of the operation is
 * operation.c's.
 *
 * A struct socket keeps its struct sock for life, so it is the acceptor's
 * descriptor that gets another file, as with dup2(2). The owned socket behind that
 * number remains, with all that the program has set there.
 *
 * The connection is taken as kernel_accept() does: of the security hooks that run
 * for a listening socket accept(2)'s is the one that is not asked.
 */
#include <linux/file.h>
#include <linux/net.h>
#include <linux/slab.h>
#include <linux/sock_diag.h>
#include <net/inet_connection_sock.h>
#include <net/ipv6.h>
#include <net/sock.h>

#include "wsock.h"

/* What Winsock wants a room for an address to have on top of it. */
#define ROOM_SLACK	16

static int name_len(const union wsock_inet_addr *name)
{
	return name->any.sa_family == AF_INET6 ? sizeof(name->in6) : sizeof(name->in);
}

static bool room_fits(u32 len, const struct sock *sk)
{
	return !len || len >= ROOM_SLACK + (sk->sk_family == AF_INET6 ?
					    sizeof(struct sockaddr_in6) :
					    sizeof(struct sockaddr_in));
}

/* 0 or why nothing can be accepted from it. */
static int check_listener(const struct sock *sk)
{
	if (!sk_is_tcp(sk))
		return -EOPNOTSUPP;
	return READ_ONCE(sk->sk_state) == TCP_LISTEN ? 0 : -EINVAL;
}

/* Can it become a connection? Its operation is known there: nothing else makes it one. */
static int check_acceptor(const struct wsock_acceptance *a)
{
	const struct wsock_socket *s = a->acceptor;
	const struct sock *sk = s->sk;

	if (s == a->listener || !sk_is_tcp(sk) || sk->sk_family != a->listener->sk->sk_family ||
	    READ_ONCE(sk->sk_state) != TCP_CLOSE || READ_ONCE(inet_sk(sk)->inet_num) ||
	    READ_ONCE(s->nr_fds) != 1 || READ_ONCE(s->offered))
		return -EINVAL;
	return 0;
}

/* From here on, closing the acceptor cancels the operation. */
static int acceptor_reserve(struct wsock_socket *s, struct wsock_op *op)
{
	int ret = 0;

	spin_lock_irq(&s->lock);
	if (s->dead)
		ret = -ENOTSOCK;
	else if (s->accepting)
		ret = -EINVAL;
	else
		s->accepting = op;
	spin_unlock_irq(&s->lock);
	return ret;
}

static void acceptor_release(struct wsock_socket *s)
{
	spin_lock_irq(&s->lock);
	s->accepting = NULL;
	spin_unlock_irq(&s->lock);
}

/**
 * wsock_acceptance_create - take over the arguments of an ACCEPT
 * @listener: the socket it is submitted to
 * @op: the operation
 * @addr: struct wsock_accept of the program
 * @len: its size
 *
 * Return: what the operation keeps of them, or an ERR_PTR.
 */
struct wsock_acceptance *wsock_acceptance_create(struct wsock_socket *listener,
						 struct wsock_op *op, u64 addr, u32 len)
{
	struct wsock_acceptance *a;
	struct wsock_accept user;
	int ret;

	if (len != sizeof(user))
		return ERR_PTR(-EINVAL);
	if (copy_from_user(&user, u64_to_user_ptr(addr), sizeof(user)))
		return ERR_PTR(-EFAULT);
	if (user.flags || user.pad)
		return ERR_PTR(-EINVAL);
	ret = check_listener(listener->sk);
	if (ret)
		return ERR_PTR(ret);

	a = kzalloc(sizeof(*a), GFP_KERNEL_ACCOUNT);
	if (!a)
		return ERR_PTR(-ENOMEM);
	a->listener = listener;
	a->fd = user.fd;
	a->buffer = user.buffer;
	a->data_len = user.data_len;
	a->local_len = user.local_len;
	a->remote_len = user.remote_len;
	INIT_LIST_HEAD(&a->lane.ops);

	a->acceptor = wsock_socket_get(listener->ctx, user.fd);
	if (IS_ERR(a->acceptor)) {
		ret = PTR_ERR(a->acceptor);
		goto free;
	}
	ret = acceptor_reserve(a->acceptor, op);
	if (ret)
		goto put;
	ret = check_acceptor(a);
	if (ret)
		goto release;
	return a;

release:
	acceptor_release(a->acceptor);
put:
	wsock_socket_put(a->acceptor);
free:
	kfree(a);
	return ERR_PTR(ret);
}

/**
 * wsock_acceptance_end - its operation has ended
 * @a: the acceptance
 * @result: how, 0 or a negative errno
 *
 * The acceptor is free again before the program can learn of it. A connection that
 * the program does not get is reset.
 */
void wsock_acceptance_end(struct wsock_acceptance *a, int result)
{
	if (a->file) {
		wsock_op_unwatch(a->listener, &a->watch, sock_from_file(a->file));
		if (result)
			wsock_socket_abort(sock_from_file(a->file)->sk);
		fput(a->file);
		a->file = NULL;
	}
	acceptor_release(a->acceptor);
}

/**
 * wsock_acceptance_free - give it back
 * @a: the acceptance, or NULL; ended
 */
void wsock_acceptance_free(struct wsock_acceptance *a)
{
	if (!a)
		return;
	wsock_socket_put(a->acceptor);
	kfree(a);
}

/**
 * wsock_acceptance_hopeless - is it sure that there is no connection?
 * @sk: the listening socket
 *
 * Return: false when there may be one.
 */
bool wsock_acceptance_hopeless(const struct sock *sk)
{
	return READ_ONCE(sk->sk_state) == TCP_LISTEN &&
	       reqsk_queue_empty(&inet_csk(sk)->icsk_accept_queue);
}

/* The addresses of a connection that has no struct socket yet. */
static void get_names(const struct sock *sk, union wsock_inet_addr *local,
		      union wsock_inet_addr *remote)
{
	const struct inet_sock *inet = inet_sk(sk);

	if (sk->sk_family == AF_INET6) {
		local->in6 = (struct sockaddr_in6){
			.sin6_family = AF_INET6,
			.sin6_port = inet->inet_sport,
			.sin6_addr = sk->sk_v6_rcv_saddr,
		};
		local->in6.sin6_scope_id = ipv6_iface_scope_id(&local->in6.sin6_addr,
							       sk->sk_bound_dev_if);
		remote->in6 = (struct sockaddr_in6){
			.sin6_family = AF_INET6,
			.sin6_port = inet->inet_dport,
			.sin6_addr = sk->sk_v6_daddr,
		};
		remote->in6.sin6_scope_id = ipv6_iface_scope_id(&remote->in6.sin6_addr,
								sk->sk_bound_dev_if);
		return;
	}
	local->in = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = inet->inet_sport,
		.sin_addr.s_addr = inet->inet_rcv_saddr,
	};
	remote->in = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = inet->inet_dport,
		.sin_addr.s_addr = inet->inet_daddr,
	};
}

/* The first in the queue, which only accepting takes out, under this lock. */
static int peek(struct sock *sk, u64 *cookie, union wsock_inet_addr *local,
		union wsock_inet_addr *remote)
{
	struct request_sock_queue *queue = &inet_csk(sk)->icsk_accept_queue;
	u32 halves[2];
	int ret = -EAGAIN;

	spin_lock_bh(&queue->rskq_lock);
	if (queue->rskq_accept_head) {
		struct sock *child = queue->rskq_accept_head->sk;

		sock_diag_save_cookie(child, halves);
		*cookie = (u64)halves[1] << 32 | halves[0];
		get_names(child, local, remote);
		ret = 0;
	}
	spin_unlock_bh(&queue->rskq_lock);
	return ret;
}

/**
 * wsock_acceptance_peek - look at the next connection of a listening socket
 * @ctx: the caller's context
 * @args: which; receives what there is to know
 *
 * Winsock lets a program decide about a connection before it takes it, or not.
 *
 * Return: 0, -EAGAIN when there is none, or another negative errno.
 */
int wsock_acceptance_peek(struct wsock_context *ctx, struct wsock_peek *args)
{
	union wsock_inet_addr local = {}, remote = {};
	struct wsock_socket *s = wsock_socket_get(ctx, args->fd);
	int ret;

	BUILD_BUG_ON(sizeof(local) != sizeof(args->local));
	if (IS_ERR(s))
		return PTR_ERR(s);
	ret = check_listener(s->sk) ?:
	      peek(s->sk, &args->cookie, &local, &remote);
	wsock_socket_put(s);
	memcpy(args->local, &local, sizeof(local));
	memcpy(args->remote, &remote, sizeof(remote));
	return ret;
}

/* Takes over @conn, also when it fails. */
static int acceptance_connected(struct wsock_acceptance *a, struct socket *conn)
{
	struct file *file = sock_alloc_file(conn, 0, NULL);

	if (IS_ERR(file))
		return PTR_ERR(file);
	/* The peer may have reset it already. */
	if (kernel_getsockname(conn, &a->local.any) < 0 ||
	    kernel_getpeername(conn, &a->remote.any) < 0) {
		fput(file);
		return -ECONNABORTED;
	}
	a->file = file;
	return 0;
}

/**
 * wsock_acceptance_take - take a connection
 * @a: the acceptance
 * @sock: the listening socket
 *
 * Return: 0, or an errno: -EAGAIN to wait for one.
 */
int wsock_acceptance_take(struct wsock_acceptance *a, struct socket *sock)
{
	struct socket *conn;
	int ret;

	do {
		if (wsock_acceptance_hopeless(sock->sk))
			return -EAGAIN;
		if (!room_fits(a->local_len, sock->sk) || !room_fits(a->remote_len, sock->sk))
			return -EOVERFLOW;
		ret = kernel_accept(sock, &conn, O_NONBLOCK);
		if (!ret)
			ret = acceptance_connected(a, conn);
		/* It died in the queue; there may be others. */
	} while (ret == -ECONNABORTED);
	return ret;
}

/**
 * wsock_acceptance_install - let the acceptor become the connection
 * @a: the acceptance; its context is locked
 *
 * Return: 0, or why the operation ends.
 */
int wsock_acceptance_install(struct wsock_acceptance *a)
{
	struct wsock_socket *s = a->acceptor;

	lockdep_assert_held(&s->ctx->lock);
	/* Closed? */
	if (s->dead || wsock_socket_lookup(s->ctx, a->fd) != s)
		return -ECANCELED;
	/* Connected or bound, in spite of us? */
	if (check_acceptor(a))
		return -EINVAL;
	return wsock_socket_become(s, a->fd, a->file) ? 0 : -ECANCELED;
}

/**
 * wsock_acceptance_tell - store the addresses
 * @a: the acceptance
 *
 * Return: 0 or -EFAULT.
 */
int wsock_acceptance_tell(const struct wsock_acceptance *a)
{
	u64 at = a->buffer + a->data_len;

	if (a->local_len && copy_to_user(u64_to_user_ptr(at), &a->local, name_len(&a->local)))
		return -EFAULT;
	at += a->local_len;
	if (a->remote_len && copy_to_user(u64_to_user_ptr(at), &a->remote, name_len(&a->remote)))
		return -EFAULT;
	return 0;
}
