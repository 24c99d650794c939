// SPDX-License-Identifier: GPL-2.0
/*
 * Network events: what happens to a socket, recorded for WSAEnumNetworkEvents
 * and told by an eventfd.
 *
 * An event is recorded when it is selected, its condition holds, and it is not
 * recorded already and not consumed. Fetching the record consumes what is in
 * it; the call that Winsock says re-enables an event (a receive for READ, a send
 * that would have blocked for WRITE, and so on) ends that. So all conditions are
 * levels, read off the socket, and nothing need be known of what went before:
 * whoever makes one of these things true looks at the others afterwards.
 *
 *   a condition comes true     wake(), from the socket's wait queue
 *   it is selected, enabled    look(), by the caller
 *   a posted receive ends      look(), by whoever ends it: as long as receives
 *                              (accepts) are posted, data (a connection) is
 *                              theirs and is no event
 *
 * The wait queue lives in struct socket, and so in the socket's inode. The inode
 * is what the owned socket holds. A reference to the file, as pending operations
 * have, would make close(2) of a registered socket leave the connection open;
 * with the inode alone the last close releases the socket as ever, and leaves an
 * empty shell with a queue that nobody wakes any more.
 */
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <linux/udp.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "wsock.h"

#define EVENTS	(WSOCK_EVENT_READ | WSOCK_EVENT_WRITE | WSOCK_EVENT_OOB | \
		 WSOCK_EVENT_ACCEPT | WSOCK_EVENT_CONNECT | WSOCK_EVENT_CLOSE | \
		 WSOCK_EVENT_ADDRESSES)

/**
 * struct wsock_netevents - the network events of an owned socket
 * @owner: the socket, which frees us; set once
 * @wait: on the wait queue of @sock
 * @sock: NULL when there is no registration, else @owner's. Changed with
 *	wsock_context.lock and @owner->lock held
 * @file: of @event, counted: an eventfd_ctx alone cannot be had twice, and who
 *	inherits needs it; as @sock
 * @event: kept by @file; as @sock
 * @mask: selected events, 0 without a registration; as @sock
 * @recorded: events that were told and not fetched; @owner->lock
 * @consumed: events that were fetched and not enabled since, whatever
 *	registration it was; @owner->lock
 * @connect_error: with WSOCK_EVENT_CONNECT in @recorded; @owner->lock
 * @close_error: with WSOCK_EVENT_CLOSE in @recorded; @owner->lock
 */
struct wsock_netevents {
	struct wsock_socket *owner;
	struct wait_queue_entry wait;
	struct socket *sock;
	struct file *file;
	struct eventfd_ctx *event;
	u32 mask;
	u32 recorded;
	u32 consumed;
	int connect_error;
	int close_error;
};

static atomic_long_t nr_netevents = ATOMIC_LONG_INIT(0);

/* ------------------------------------------------------------------------- */
/* Conditions */

/* kTLS and sockmap keep data elsewhere, and replace recvmsg. */
static bool is_plain_tcp(const struct sock *sk)
{
	return sk_is_tcp(sk) && READ_ONCE(sk->sk_prot)->recvmsg == tcp_prot.recvmsg;
}

/*
 * Was the connection of a closed TCP socket established? Its number of the next
 * byte to receive is 0 until the peer has answered.
 */
static bool was_connected(const struct sock *sk)
{
	return READ_ONCE(inet_sk(sk)->inet_dport) && READ_ONCE(tcp_sk(sk)->rcv_nxt);
}

/* Of an ended connection; SOCK_DONE says that the peer's FIN came. */
static int close_error(const struct sock *sk)
{
	return READ_ONCE(sk->sk_state) == TCP_CLOSE &&
	       (READ_ONCE(sk->sk_err) || !sock_flag(sk, SOCK_DONE)) ?
	       ECONNABORTED : 0;
}

static int connect_error(const struct sock *sk)
{
	return READ_ONCE(sk->sk_state) == TCP_CLOSE && !was_connected(sk) ?
	       READ_ONCE(sk->sk_err) : 0;
}

/*
 * Is there data in the receive queue? Neither the FIN nor, at its head, the
 * urgent byte is, though each has a number. tcp_inq() would not see beyond that.
 */
static bool has_data(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 copied_seq = READ_ONCE(tp->copied_seq);
	int len = READ_ONCE(tp->rcv_nxt) - copied_seq;

	if (sock_flag(sk, SOCK_DONE))
		len--;
	if (READ_ONCE(tp->urg_data) && READ_ONCE(tp->urg_seq) == copied_seq &&
	    !sock_flag(sk, SOCK_URGINLINE))
		len--;
	return len > 0;
}

static u32 tcp_conditions(struct sock *sk, bool readable)
{
	u32 events = WSOCK_EVENT_CONNECT;

	switch (inet_sk_state_load(sk)) {
	case TCP_LISTEN:
		return reqsk_queue_empty(&inet_csk(sk)->icsk_accept_queue) ?
		       0 : WSOCK_EVENT_ACCEPT;
	case TCP_SYN_SENT:
	case TCP_SYN_RECV:
		return 0;
	case TCP_CLOSE:
		if (!was_connected(sk))
			return READ_ONCE(sk->sk_err) ? WSOCK_EVENT_CONNECT : 0;
		events |= WSOCK_EVENT_CLOSE;
		break;
	case TCP_ESTABLISHED:
	case TCP_CLOSE_WAIT:
		if (sk_stream_is_writeable(sk) &&
		    !(READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN))
			events |= WSOCK_EVENT_WRITE;
		break;
	}
	if (sock_flag(sk, SOCK_DONE))
		events |= WSOCK_EVENT_CLOSE;
	if (is_plain_tcp(sk) ? has_data(sk) : readable)
		events |= WSOCK_EVENT_READ;
	if ((READ_ONCE(tcp_sk(sk)->urg_data) & TCP_URG_VALID) &&
	    !sock_flag(sk, SOCK_URGINLINE))
		events |= WSOCK_EVENT_OOB;
	return events;
}

static u32 datagram_conditions(struct sock *sk)
{
	u32 events = 0;

	/* An error is what the next receive has to tell. */
	if (!skb_queue_empty_lockless(&sk->sk_receive_queue) || READ_ONCE(sk->sk_err) ||
	    (sk_is_udp(sk) && !skb_queue_empty_lockless(&udp_sk(sk)->reader_queue)))
		events |= WSOCK_EVENT_READ;
	if (sock_writeable(sk))
		events |= WSOCK_EVENT_WRITE;
	return events;
}

/* ------------------------------------------------------------------------- */
/* Recording */

static u32 wanted(const struct wsock_netevents *n)
{
	return n->mask & ~(n->recorded | n->consumed);
}

/* Record what holds, and tell; @readable: see look(). */
static void record(struct wsock_netevents *n, bool readable)
{
	struct wsock_socket *s = n->owner;
	u32 events = wanted(n);

	lockdep_assert_held(&s->lock);
	if (!events || s->dead)
		return;
	events &= sk_is_tcp(s->sk) ? tcp_conditions(s->sk, readable) :
				     datagram_conditions(s->sk);
	if (s->addresses_asked && s->address_changes != s->addresses_known)
		events |= wanted(n) & WSOCK_EVENT_ADDRESSES;
	if (s->lanes[WSOCK_IN].nr_ops)
		events &= ~(WSOCK_EVENT_READ | WSOCK_EVENT_ACCEPT);
	if (!events)
		return;
	if (events & WSOCK_EVENT_CONNECT)
		n->connect_error = connect_error(s->sk);
	if (events & WSOCK_EVENT_CLOSE)
		n->close_error = close_error(s->sk);
	n->recorded |= events;
	eventfd_signal(n->event);
}

/* Runs with the wait queue locked, often in softirq. */
static int wake(struct wait_queue_entry *wait, unsigned int mode, int sync, void *key)
{
	struct wsock_netevents *n = container_of(wait, struct wsock_netevents, wait);

	spin_lock(&n->owner->lock);
	record(n, key_to_poll(key) & EPOLLIN);
	spin_unlock(&n->owner->lock);
	return 0;
}

/* Record what holds already. */
static void look(struct wsock_netevents *n)
{
	struct wsock_socket *s = n->owner;
	struct sock *sk;
	bool readable;

	/* An acceptor may become another one meanwhile. */
	spin_lock_irq(&s->lock);
	sk = s->sk;
	sock_hold(sk);
	spin_unlock_irq(&s->lock);
	/* Pairs with the barrier in wq_has_sleeper(). */
	smp_mb();
	/* Takes locks of its own; a wake-up's key must do in wake(). */
	readable = !is_plain_tcp(sk) && sk_is_readable(sk);
	sock_put(sk);
	spin_lock_irq(&s->lock);
	record(n, readable);
	if (n->sock && (wanted(n) & WSOCK_EVENT_WRITE)) {
		/* A stream wakes those who wait for room only when it is told. */
		set_bit(SOCK_NOSPACE, &n->sock->flags);
		/* Pairs with the barrier in tcp_check_space(). */
		smp_mb__after_atomic();
		record(n, readable);
	}
	spin_unlock_irq(&s->lock);
}

/**
 * wsock_netevents_reenable - events may be recorded again
 * @n: the network events of a socket
 * @mask: WSOCK_EVENT_* bits
 *
 * What is recorded of @mask is forgotten, as the caller has made it old, but for
 * addresses, which he has not; what holds is recorded anew.
 */
void wsock_netevents_reenable(struct wsock_netevents *n, u32 mask)
{
	spin_lock_irq(&n->owner->lock);
	n->recorded &= ~(mask & ~WSOCK_EVENT_ADDRESSES);
	n->consumed &= ~mask;
	spin_unlock_irq(&n->owner->lock);
	look(n);
}

/**
 * wsock_netevents_notice - the local addresses have changed
 * @n: the network events of a socket, locked
 */
void wsock_netevents_notice(struct wsock_netevents *n)
{
	record(n, false);
}

/* ------------------------------------------------------------------------- */
/* Registrations */

/**
 * wsock_event_reset - make an eventfd's count 0
 * @event: the eventfd
 */
void wsock_event_reset(struct eventfd_ctx *event)
{
	struct wait_queue_entry none;
	u64 count;

	/* The exported way; the wait entry is on no queue. */
	init_waitqueue_entry(&none, current);
	INIT_LIST_HEAD(&none.entry);
	eventfd_ctx_remove_wait_queue(event, &none, &count);
}

/* Takes over @file, also when it fails. */
static int attach(struct wsock_socket *s, struct socket *sock, struct file *file, u32 mask)
{
	struct wsock_netevents *n = s->netevents;
	struct eventfd_ctx *event;
	struct file *old;

	lockdep_assert_held(&s->ctx->lock);
	if (!n) {
		n = kzalloc(sizeof(*n), GFP_KERNEL_ACCOUNT);
		if (!n) {
			fput(file);
			return -ENOMEM;
		}
		n->owner = s;
		init_waitqueue_func_entry(&n->wait, wake);
		/* Pairs with the dependency of whoever reads the pointer. */
		smp_store_release(&s->netevents, n);
	}
	event = eventfd_ctx_fileget(file);
	eventfd_ctx_put(event);			/* @file keeps it */
	if (!n->sock) {
		add_wait_queue(&sock->wq.wait, &n->wait);
		atomic_long_inc(&nr_netevents);
	}
	spin_lock_irq(&s->lock);
	old = n->file;
	n->sock = sock;
	n->file = file;
	n->event = event;
	n->mask = mask;
	n->recorded = 0;
	spin_unlock_irq(&s->lock);
	if (old)
		fput(old);
	look(n);
	return 0;
}

static void detach(struct wsock_netevents *n)
{
	struct wsock_socket *s = n->owner;
	struct socket *sock = n->sock;
	struct file *file = n->file;

	lockdep_assert_held(&s->ctx->lock);
	if (!sock)
		return;
	spin_lock_irq(&s->lock);
	n->sock = NULL;
	n->file = NULL;
	n->event = NULL;
	n->mask = 0;
	n->recorded = 0;
	spin_unlock_irq(&s->lock);
	remove_wait_queue(&sock->wq.wait, &n->wait);
	fput(file);
	atomic_long_dec(&nr_netevents);
}

/**
 * wsock_netevents_follow - the owned socket is another one from now on
 * @n: its network events
 * @sock: the other one
 */
void wsock_netevents_follow(struct wsock_netevents *n, struct socket *sock)
{
	struct wsock_socket *s = n->owner;
	struct socket *former = n->sock;

	lockdep_assert_held(&s->ctx->lock);
	if (!former)
		return;
	remove_wait_queue(&former->wq.wait, &n->wait);
	spin_lock_irq(&s->lock);
	n->sock = sock;
	n->recorded = 0;
	n->consumed = 0;
	spin_unlock_irq(&s->lock);
	add_wait_queue(&sock->wq.wait, &n->wait);
	look(n);
}

/**
 * wsock_netevents_kill - end the registration of a dead socket
 * @n: its network events
 *
 * Signals nothing.
 */
void wsock_netevents_kill(struct wsock_netevents *n)
{
	detach(n);
}

/**
 * wsock_netevents_free - at the end of a socket
 * @n: its network events, or NULL; killed
 */
void wsock_netevents_free(struct wsock_netevents *n)
{
	kfree(n);
}

/* The owned socket under @fd; stays while ctx->lock is held. */
static struct wsock_socket *find(struct wsock_context *ctx, int fd, struct file *file)
{
	struct wsock_socket *s = wsock_socket_lookup(ctx, fd);

	return s && wsock_socket_is(s, file) ? s : NULL;
}

/*
 * The eventfd and, in *@mask, the events that @args asks for; NULL for none, or
 * an ERR_PTR.
 */
static struct file *select_event(struct wsock_context *ctx,
				 const struct wsock_event_select *args, u32 *mask)
{
	struct wsock_socket *from;
	struct file *file;

	*mask = args->mask;
	if (!(args->flags & WSOCK_EVENT_INHERIT)) {
		if (!args->mask)
			return NULL;
		file = eventfd_fget(args->event_fd);
		return IS_ERR(file) ? ERR_PTR(-EINVAL) : file;
	}

	CLASS(fd, f)(args->event_fd);
	from = fd_empty(f) ? NULL : find(ctx, args->event_fd, fd_file(f));
	if (!from)
		return ERR_PTR(-EINVAL);
	if (!from->netevents || !from->netevents->sock)
		return NULL;
	*mask = from->netevents->mask & ~WSOCK_EVENT_CONNECT;
	return get_file(from->netevents->file);
}

/**
 * wsock_netevents_select - record and tell the network events of a socket
 * @ctx: the context
 * @args: which, and how
 *
 * Return: 0, 1 for a registration that was inherited, or a negative errno.
 */
int wsock_netevents_select(struct wsock_context *ctx, const struct wsock_event_select *args)
{
	bool inherit = args->flags & WSOCK_EVENT_INHERIT;
	struct wsock_socket *s;
	struct socket *sock;
	struct file *event;
	int ret;
	u32 mask;

	if (!READ_ONCE(ctx->registrations))
		return -EBADFD;
	if ((args->flags & ~WSOCK_EVENT_INHERIT) || (args->mask & ~EVENTS) ||
	    (inherit && args->mask) || (!inherit && !args->mask && args->event_fd != -1))
		return -EINVAL;

	CLASS(fd, f)(args->fd);
	if (fd_empty(f))
		return -EBADF;
	sock = sock_from_file(fd_file(f));
	if (!sock)
		return -ENOTSOCK;
	/* Others would have to be asked, and may sleep then. */
	if (!sk_is_tcp(sock->sk) && sock->type != SOCK_DGRAM && sock->type != SOCK_RAW)
		return -EOPNOTSUPP;

	if (mutex_lock_killable(&ctx->lock))
		return -EINTR;
	s = find(ctx, args->fd, fd_file(f));
	ret = wsock_no_socket(ctx);
	if (!s)
		goto out;
	event = select_event(ctx, args, &mask);
	ret = PTR_ERR_OR_ZERO(event);
	if (ret)
		goto out;
	if (event) {
		ret = attach(s, sock, event, mask);
		if (!ret && inherit)
			ret = 1;
	} else if (s->netevents && !inherit) {
		detach(s->netevents);
	}
out:
	mutex_unlock(&ctx->lock);
	return ret;
}

/* The record moves to @args, and the event is reset, in one step. */
static void fetch(struct wsock_socket *s, struct wsock_event_enum *args,
		  struct eventfd_ctx *event)
{
	struct wsock_netevents *n;

	spin_lock_irq(&s->lock);
	n = READ_ONCE(s->netevents);
	if (n) {
		args->events = n->recorded;
		if (n->recorded & WSOCK_EVENT_CONNECT)
			args->errors[ilog2(WSOCK_EVENT_CONNECT)] = n->connect_error;
		if (n->recorded & WSOCK_EVENT_CLOSE)
			args->errors[ilog2(WSOCK_EVENT_CLOSE)] = n->close_error;
		n->consumed |= n->recorded;
		n->recorded = 0;
	}
	if (event)
		wsock_event_reset(event);
	spin_unlock_irq(&s->lock);
}

/**
 * wsock_netevents_enum - fetch and clear the record
 * @ctx: the context
 * @args: which socket; receives the record
 *
 * Return: 0 or a negative errno.
 */
int wsock_netevents_enum(struct wsock_context *ctx, struct wsock_event_enum *args)
{
	struct eventfd_ctx *event = NULL;
	struct wsock_socket *s;

	if (!READ_ONCE(ctx->registrations))
		return -EBADFD;
	if (args->flags)
		return -EINVAL;
	s = wsock_socket_get(ctx, args->fd);
	if (IS_ERR(s))
		return PTR_ERR(s);
	if (args->event_fd != -1) {
		event = eventfd_ctx_fdget(args->event_fd);
		if (IS_ERR(event)) {
			wsock_socket_put(s);
			return -EINVAL;
		}
	}
	args->events = 0;
	memset(args->errors, 0, sizeof(args->errors));
	fetch(s, args, event);
	if (event)
		eventfd_ctx_put(event);
	wsock_socket_put(s);
	return 0;
}

/**
 * wsock_netevents_enable - events may be recorded again
 * @ctx: the context
 * @args: which
 * @anew: only changes of addresses from now on count
 *
 * Return: 0 or a negative errno.
 */
int wsock_netevents_enable(struct wsock_context *ctx, const struct wsock_event_enable *args,
			   bool anew)
{
	struct wsock_netevents *n;
	struct wsock_socket *s;

	if (!READ_ONCE(ctx->registrations))
		return -EBADFD;
	if (args->mask & ~EVENTS)
		return -EINVAL;
	s = wsock_socket_get(ctx, args->fd);
	if (IS_ERR(s))
		return PTR_ERR(s);
	if (anew && (args->mask & WSOCK_EVENT_ADDRESSES)) {
		wsock_addresses_watch(s);
		spin_lock_irq(&s->lock);
		s->addresses_known = s->address_changes;
		s->addresses_asked = true;
		spin_unlock_irq(&s->lock);
	}
	n = READ_ONCE(s->netevents);
	if (n)
		wsock_netevents_reenable(n, args->mask);
	wsock_socket_put(s);
	return 0;
}

/**
 * wsock_netevents_count - registrations of all contexts
 *
 * Return: their number.
 */
long wsock_netevents_count(void)
{
	return atomic_long_read(&nr_netevents);
}
