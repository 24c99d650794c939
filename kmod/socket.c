// SPDX-License-Identifier: GPL-2.0
/*
 * Owned sockets: adopting, looking up, closing, and the reset at the end.
 */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/percpu.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <net/sock.h>
#include <net/tcp_states.h>

#include "wsock.h"

/*
 * The owners of every owned struct sock, so that the last one resets it.
 * Hashed by address.
 */
#define OWNER_BITS 14
static struct wsock_bucket owners[1 << OWNER_BITS];

static struct kmem_cache *socket_cache;
static DEFINE_PER_CPU(long, nr_sockets);

static struct wsock_bucket *owner_bucket(const struct sock *sk)
{
	return &owners[hash_ptr(sk, OWNER_BITS)];
}

/* The context's socket for @sk, or NULL. Stable while ctx->lock is held. */
static struct wsock_socket *owner_find(struct wsock_context *ctx, struct sock *sk)
{
	struct wsock_bucket *bucket = owner_bucket(sk);
	struct wsock_socket *s, *found = NULL;

	lockdep_assert_held(&ctx->lock);
	spin_lock(&bucket->lock);
	hlist_for_each_entry(s, &bucket->head, owner) {
		if (s->sk == sk && s->ctx == ctx) {
			found = s;
			break;
		}
	}
	spin_unlock(&bucket->lock);
	return found;
}

static void owner_add(struct wsock_socket *s)
{
	struct wsock_bucket *bucket = owner_bucket(s->sk);

	spin_lock(&bucket->lock);
	hlist_add_head(&s->owner, &bucket->head);
	spin_unlock(&bucket->lock);
}

/* Returns whether @s was the last owner of its struct sock. */
static bool owner_remove(struct wsock_socket *s)
{
	struct wsock_bucket *bucket = owner_bucket(s->sk);
	struct wsock_socket *other;
	bool last = true;

	spin_lock(&bucket->lock);
	hlist_del_init(&s->owner);
	hlist_for_each_entry(other, &bucket->head, owner) {
		if (other->sk == s->sk) {
			last = false;
			break;
		}
	}
	spin_unlock(&bucket->lock);
	return last;
}

static int table_grow(struct wsock_context *ctx, unsigned int nr)
{
	struct wsock_table *old = rcu_dereference_protected(ctx->table,
							    lockdep_is_held(&ctx->lock));
	struct wsock_table *table;

	nr = roundup_pow_of_two(max(nr, 64U));
	table = kvzalloc(struct_size(table, slots, nr), GFP_KERNEL_ACCOUNT);
	if (!table)
		return -ENOMEM;
	table->nr = nr;
	if (old)
		memcpy(table->slots, old->slots, old->nr * sizeof(old->slots[0]));
	rcu_assign_pointer(ctx->table, table);
	if (old)
		kvfree_rcu(old, rcu);
	return 0;
}

/* @s may be NULL; a number that was set before can always be set again. */
static int table_set(struct wsock_context *ctx, unsigned int fd, struct wsock_socket *s)
{
	struct wsock_table *table = rcu_dereference_protected(ctx->table,
							      lockdep_is_held(&ctx->lock));
	int ret;

	if (!table || fd >= table->nr) {
		ret = table_grow(ctx, fd + 1);
		if (ret)
			return ret;
		table = rcu_dereference_protected(ctx->table, lockdep_is_held(&ctx->lock));
	}
	rcu_assign_pointer(table->slots[fd], s);
	return 0;
}

static struct wsock_socket *socket_create(struct wsock_context *ctx, struct socket *sock)
{
	struct wsock_socket *s;

	s = kmem_cache_zalloc(socket_cache, GFP_KERNEL);
	if (!s)
		return NULL;
	refcount_set(&s->refs, 1);
	refcount_inc(&ctx->refs);
	s->ctx = ctx;
	sock_hold(sock->sk);
	s->sk = sock->sk;
	ihold(SOCK_INODE(sock));
	s->sock = sock;
	spin_lock_init(&s->lock);
	for (int i = 0; i < WSOCK_LANES; i++) {
		INIT_LIST_HEAD(&s->lanes[i].ops);
		s->lanes[i].woken = true;
	}
	INIT_LIST_HEAD(&s->away);
	INIT_LIST_HEAD(&s->watching);
	init_waitqueue_func_entry(&s->watch.wait, wsock_op_wake);
	this_cpu_inc(nr_sockets);
	return s;
}

static void socket_free_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(socket_cache, container_of(rcu, struct wsock_socket, rcu));
}

/**
 * wsock_socket_orphan - the last reference is gone
 * @s: the socket; freed now, or by who has the turn of a lane without one
 */
void wsock_socket_orphan(struct wsock_socket *s)
{
	bool used;

	spin_lock_irq(&s->lock);
	s->orphan = true;
	used = wsock_socket_inline(s);
	spin_unlock_irq(&s->lock);
	if (!used)
		wsock_socket_free(s);
}

/**
 * wsock_socket_free - no reference is left and nobody is busy with it
 * @s: the socket
 */
void wsock_socket_free(struct wsock_socket *s)
{
	wsock_op_unwatch(s, &s->watch, s->sock);
	wsock_addresses_unwatch(s);
	for (int i = 0; i < WSOCK_LANES; i++)
		wsock_op_free_spares(&s->lanes[i]);
	if (s->port)
		wsock_port_put(s->port);
	if (s->event_file)
		fput(s->event_file);
	wsock_netevents_free(s->netevents);
	sock_put(s->sk);
	iput(SOCK_INODE(s->sock));
	wsock_context_put(s->ctx);
	this_cpu_dec(nr_sockets);
	/* wsock_socket_get() may still be looking at it. */
	call_rcu(&s->rcu, socket_free_rcu);
}

/**
 * wsock_socket_file - a socket's file, if it still has one
 * @sk: the socket
 *
 * Does not depend on descriptors: at exit the table is gone before us.
 *
 * Return: a reference, or NULL.
 */
struct file *wsock_socket_file(struct sock *sk)
{
	struct file *file = NULL;

	/* sock_orphan() clears sk_socket under this lock before the file goes. */
	read_lock_bh(&sk->sk_callback_lock);
	if (sk->sk_socket)
		file = get_file_active(&sk->sk_socket->file);
	read_unlock_bh(&sk->sk_callback_lock);
	return file;
}

/**
 * wsock_socket_abort - reset a connection
 * @sk: its socket
 */
void wsock_socket_abort(struct sock *sk)
{
	const struct proto *prot = READ_ONCE(sk->sk_prot);

	/* tcp_abort() or udp_abort(), of which not all kernels export both */
	if (prot->diag_destroy) {
		prot->diag_destroy(sk, ECONNABORTED);
	} else if (sk->sk_type == SOCK_STREAM && prot->disconnect) {
		/* MPTCP: here, since a shutdown says goodbye before its close can reset. */
		lock_sock(sk);
		prot->disconnect(sk, 0);
		release_sock(sk);
	} else if (sk->sk_type == SOCK_STREAM) {
		sock_no_linger(sk);	/* e.g. SMC: its close resets, if it can */
	}
}

/*
 * Reset a socket whose last owner goes: the peer of a connection sees
 * ECONNRESET, and every thread that is blocked in it wakes.
 */
static void socket_reset(struct wsock_socket *s)
{
	struct sock *sk = s->sk;
	struct file *file;

	/*
	 * Closed behind our back: what it still sends is not ours to break. At
	 * exit a socket is not orphaned yet, its last fput() comes after us.
	 */
	if (!READ_ONCE(sk->sk_socket))
		return;
	file = wsock_socket_file(sk);
	wsock_socket_abort(sk);
	if (!file)
		return;
	/*
	 * The abort wakes one thread of those that wait for a datagram, and
	 * none of MPTCP's.
	 */
	kernel_sock_shutdown(sock_from_file(file), SHUT_RDWR);
	fput(file);
}

static bool socket_connected(const struct sock *sk)
{
	return sk_is_tcp(sk) && ((1 << READ_ONCE(sk->sk_state)) &
				 (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT | TCPF_FIN_WAIT1 |
				  TCPF_FIN_WAIT2 | TCPF_LAST_ACK | TCPF_CLOSING));
}

/* From now on no operation begins. */
static void socket_kill(struct wsock_socket *s)
{
	spin_lock_irq(&s->lock);
	s->dead = true;
	for (int i = 0; i < WSOCK_LANES; i++)
		atomic_or(WSOCK_LANE_CLOSED, &s->lanes[i].door);
	spin_unlock_irq(&s->lock);
	/* From here on nothing that happens to it is a network event. */
	if (s->netevents)
		wsock_netevents_kill(s->netevents);
}

static bool socket_idle(struct wsock_socket *s)
{
	bool idle;

	spin_lock_irq(&s->lock);
	idle = !s->busy && !wsock_socket_inline(s);
	spin_unlock_irq(&s->lock);
	return idle;
}

/*
 * Wait until nobody tries or ends an operation of a dead socket. That is never
 * for long, but for a page fault; a killed process need not wait, since they
 * keep what they use.
 */
static int socket_wait(struct wsock_socket *s)
{
	return wait_event_killable(s->ctx->idle, socket_idle(s));
}

static void socket_put_former(struct wsock_socket *s)
{
	lockdep_assert_held(&s->ctx->lock);
	if (s->former)
		fput(s->former);
	s->former = NULL;
}

/*
 * The last descriptor of an owned socket went away by closesocket, or one was
 * found to name something else. @file is the socket's, if known.
 */
static void socket_disown(struct wsock_socket *s, struct file *file)
{
	struct wsock_context *ctx = s->ctx;
	bool connected = socket_connected(s->sk);
	bool last, receiving;

	lockdep_assert_held(&ctx->lock);
	list_del(&s->node);
	ctx->nr_sockets--;
	wsock_duplicate_withdraw(s);
	last = owner_remove(s);

	socket_kill(s);
	receiving = READ_ONCE(s->lanes[WSOCK_IN].nr_ops);
	wsock_op_cancel_all(s, connected ? -ECONNABORTED : -ECANCELED, true,
			    WSOCK_EVERYBODYS);
	wsock_op_cancel_accepting(s);
	/* A final release will not know this socket: nobody may write any more. */
	socket_wait(s);
	wsock_op_unwatch(s, &s->watch, s->sock);

	if (last && file) {
		struct socket *sock = sock_from_file(file);

		/* A receive was cut off: as on Windows the peer learns it. */
		if (connected && receiving)
			wsock_socket_abort(s->sk);
		/* Threads are blocked in it, and hold the file that close() drops. */
		if (file_count(file) > 2 && wq_has_sleeper(&sock->wq.wait))
			kernel_sock_shutdown(sock, SHUT_RDWR);
	}
	socket_put_former(s);
	wsock_socket_put(s);
}

/* Take @fd out of the table; the last one of a socket disowns it. */
static void socket_forget_fd(struct wsock_context *ctx, int fd, struct wsock_socket *s,
			     struct file *file)
{
	table_set(ctx, fd, NULL);
	if (!--s->nr_fds)
		socket_disown(s, file);
}

/**
 * wsock_socket_forget_stale - forget what a number meant before
 * @ctx: the context, locked
 * @fd: a descriptor of the calling process
 * @sock: what is behind it
 *
 * The number may have been closed, and used again, behind our back.
 */
void wsock_socket_forget_stale(struct wsock_context *ctx, int fd, const struct socket *sock)
{
	struct wsock_socket *old = wsock_socket_lookup(ctx, fd);

	if (old && old->sock != sock)
		socket_forget_fd(ctx, fd, old, NULL);
}

/**
 * wsock_socket_own - make a context an owner of a socket under a number
 * @ctx: the context, locked
 * @fd: the number, that nothing else is owned under
 * @sock: the socket
 *
 * Return: 0 or a negative errno.
 */
int wsock_socket_own(struct wsock_context *ctx, int fd, struct socket *sock)
{
	struct wsock_socket *s;
	int ret;

	lockdep_assert_held(&ctx->lock);
	if (wsock_socket_lookup(ctx, fd))
		return 0;
	s = owner_find(ctx, sock->sk);
	if (!s) {
		if (ctx->nr_sockets >= READ_ONCE(wsock_max_sockets))
			return -ENOBUFS;
		s = socket_create(ctx, sock);
		if (!s)
			return -ENOMEM;
		ret = table_set(ctx, fd, s);
		if (ret) {
			wsock_socket_put(s);
			return ret;
		}
		owner_add(s);
		list_add(&s->node, &ctx->sockets);
		ctx->nr_sockets++;
	} else {
		ret = table_set(ctx, fd, s);
		if (ret)
			return ret;
	}
	s->nr_fds++;
	return 0;
}

/**
 * wsock_socket_adopt - make a context an owner of a socket
 * @ctx: the context
 * @fd: a descriptor of the calling process
 *
 * Return: 0 or a negative errno.
 */
int wsock_socket_adopt(struct wsock_context *ctx, int fd)
{
	struct socket *sock;
	struct sock *sk;
	int ret = -EBADFD;

	CLASS(fd, f)(fd);
	if (fd_empty(f))
		return -EBADF;
	sock = sock_from_file(fd_file(f));
	if (!sock)
		return -ENOTSOCK;
	sk = sock->sk;
	if (sk->sk_family != AF_INET && sk->sk_family != AF_INET6)
		return -EAFNOSUPPORT;

	if (mutex_lock_killable(&ctx->lock))
		return -EINTR;
	if (ctx->registrations) {
		wsock_socket_forget_stale(ctx, fd, sock);
		ret = wsock_socket_own(ctx, fd, sock);
	}
	mutex_unlock(&ctx->lock);
	return ret;
}

/**
 * wsock_socket_close - closesocket
 * @ctx: the context
 * @fd: a descriptor of an owned socket; closed when 0 is returned
 *
 * The last descriptor of the socket ends its operations, with their
 * notifications.
 *
 * Return: 0 or a negative errno.
 */
int wsock_socket_close(struct wsock_context *ctx, int fd)
{
	struct wsock_socket *s;
	struct file *file;
	int ret = 0;

	if (mutex_lock_killable(&ctx->lock))
		return -EINTR;
	if (!ctx->registrations) {
		ret = -EBADFD;
		goto out;
	}
	file = fget(fd);
	if (!file) {
		ret = -EBADF;
		goto out;
	}
	s = wsock_socket_lookup(ctx, fd);
	if (s && wsock_socket_is(s, file))
		socket_forget_fd(ctx, fd, s, file);
	else
		ret = -ENOTSOCK;
	fput(file);
	if (!ret)
		close_fd(fd);
out:
	mutex_unlock(&ctx->lock);
	return ret;
}

/**
 * wsock_socket_get - the owned socket behind a descriptor
 * @ctx: the context
 * @fd: the descriptor
 *
 * Return: a reference, or an ERR_PTR: -ENOTSOCK also when the number was closed
 * and used again behind our back.
 */
struct wsock_socket *wsock_socket_get(struct wsock_context *ctx, int fd)
{
	struct wsock_socket *s;

	if (!READ_ONCE(ctx->registrations))
		return ERR_PTR(-EBADFD);
	CLASS(fd, f)(fd);
	if (fd_empty(f))
		return ERR_PTR(-EBADF);
	rcu_read_lock_sched();
	s = wsock_socket_lookup(ctx, fd);
	if (s && (!wsock_socket_is(s, fd_file(f)) || !refcount_inc_not_zero(&s->refs)))
		s = NULL;
	rcu_read_unlock_sched();
	return s ?: ERR_PTR(wsock_no_socket(ctx));
}

/**
 * wsock_socket_associate - give a socket its completion port
 * @ctx: the context
 * @args: which
 *
 * Return: 0 or a negative errno.
 */
int wsock_socket_associate(struct wsock_context *ctx, const struct wsock_associate *args)
{
	struct wsock_socket *s = wsock_socket_get(ctx, args->fd);
	struct wsock_port *port;
	int ret = 0;

	if (IS_ERR(s))
		return PTR_ERR(s);
	port = wsock_port_get(args->port_fd);
	if (IS_ERR(port)) {
		wsock_socket_put(s);
		return PTR_ERR(port);
	}
	spin_lock_irq(&s->lock);
	if (s->port) {
		ret = -EINVAL;
	} else {
		s->key = args->key;
		/* Pairs with who submits. */
		smp_store_release(&s->port, port);
	}
	spin_unlock_irq(&s->lock);
	if (ret)
		wsock_port_put(port);
	wsock_socket_put(s);
	return ret;
}

/**
 * wsock_socket_modes - set notification modes of a socket
 * @ctx: the context
 * @args: which; receives those it has
 *
 * Return: 0 or a negative errno.
 */
int wsock_socket_modes(struct wsock_context *ctx, struct wsock_modes *args)
{
	struct wsock_socket *s = wsock_socket_get(ctx, args->fd);

	if (IS_ERR(s))
		return PTR_ERR(s);
	spin_lock_irq(&s->lock);
	WRITE_ONCE(s->modes, s->modes | args->modes);
	args->modes = s->modes | (s->accepting ? WSOCK_MODE_ACCEPTING : 0);
	spin_unlock_irq(&s->lock);
	wsock_socket_put(s);
	return 0;
}

/* Make the eventfd behind @fd the event of @s, unless it has one. */
static int socket_set_event(struct wsock_socket *s, int fd)
{
	struct eventfd_ctx *event;
	struct file *file;
	bool used;

	file = eventfd_fget(fd);
	if (IS_ERR(file))
		return PTR_ERR(file);
	event = eventfd_ctx_fileget(file);
	eventfd_ctx_put(event);			/* @file keeps it */

	spin_lock_irq(&s->lock);
	used = !s->event;
	if (used) {
		s->event_file = file;
		/* Pairs with wsock_socket_event(). */
		smp_store_release(&s->event, event);
		wsock_op_set_eager(s);
		/* Those that are pending will tell of their end. */
		if (!wsock_socket_pends(s) && !s->nr_away)
			eventfd_signal(event);
	}
	spin_unlock_irq(&s->lock);
	if (!used)
		fput(file);
	return 0;
}

/**
 * wsock_socket_event - the event of a socket
 * @ctx: the context
 * @args: which, and what becomes its event
 *
 * Return: a new descriptor, or an errno.
 */
int wsock_socket_event(struct wsock_context *ctx, const struct wsock_socket_event *args)
{
	struct wsock_socket *s = wsock_socket_get(ctx, args->fd);
	int ret = 0;

	if (IS_ERR(s))
		return PTR_ERR(s);
	/* Pairs with socket_set_event(). */
	if (!smp_load_acquire(&s->event))
		ret = args->event_fd == -1 ? -ENOENT : socket_set_event(s, args->event_fd);
	if (!ret)
		ret = get_unused_fd_flags(O_CLOEXEC);
	if (ret >= 0)
		fd_install(ret, get_file(s->event_file));
	wsock_socket_put(s);
	return ret;
}

/**
 * wsock_socket_close_fd - close a descriptor of a socket
 * @sk: the socket
 * @fd: the descriptor; not closed if it names something else by now
 */
void wsock_socket_close_fd(const struct sock *sk, int fd)
{
	struct file *file = fget(fd);
	struct socket *sock;
	bool ours;

	if (!file)
		return;
	sock = sock_from_file(file);
	ours = sock && sock->sk == sk;
	fput(file);
	if (ours)
		close_fd(fd);
}

/* What dup2(2) does, for a descriptor of @sk's. Returns what it was, or NULL. */
static struct file *table_replace(struct files_struct *files, int fd, const struct sock *sk,
				  struct file *file)
{
	struct fdtable *fdt;
	struct socket *sock;
	struct file *old;

	spin_lock(&files->file_lock);
	old = files_lookup_fd_locked(files, fd);
	sock = old ? sock_from_file(old) : NULL;
	if (sock && sock->sk == sk) {
		fdt = files_fdtable(files);
		rcu_assign_pointer(fdt->fd[array_index_nospec(fd, fdt->max_fds)],
				   get_file(file));
	} else {
		old = NULL;
	}
	spin_unlock(&files->file_lock);
	return old;
}

/* The same in the table of whichever thread has it: *@files is not to be used. */
static struct file *process_replace(struct wsock_context *ctx, int fd, const struct sock *sk,
				    struct file *file, const struct files_struct **files)
{
	struct task_struct *leader, *t;
	struct file *old = NULL;

	*files = NULL;
	rcu_read_lock();
	leader = pid_task(ctx->tgid, PIDTYPE_TGID);
	if (!leader)
		goto out;
	for_each_thread(leader, t) {
		task_lock(t);
		if (t->files && t->files != *files) {
			*files = t->files;
			old = table_replace(t->files, fd, sk, file);
		}
		task_unlock(t);
		if (old)
			break;
	}
out:
	rcu_read_unlock();
	return old;
}

/**
 * wsock_socket_become - let an owned socket be another one
 * @s: the socket, of which nothing is pending
 * @fd: a descriptor of it
 * @file: of the socket that it becomes
 *
 * Port, key, modes, and network events remain.
 *
 * Return: false when @fd is not its descriptor any more, or somebody else would
 * have to follow.
 */
bool wsock_socket_become(struct wsock_socket *s, int fd, struct file *file)
{
	struct socket *sock = sock_from_file(file), *former_sock = s->sock;
	struct sock *sk = sock->sk, *former = s->sk;
	const struct files_struct *files;
	struct file *old;

	lockdep_assert_held(&s->ctx->lock);
	if (s->nr_fds != 1 || s->offered || wsock_socket_pends(s))
		return false;
	wsock_op_unwatch(s, &s->watch, former_sock);
	old = process_replace(s->ctx, fd, former, file, &files);
	if (!old)
		return false;
	spin_lock(&file->f_lock);
	file->f_flags |= old->f_flags & O_NONBLOCK;
	spin_unlock(&file->f_lock);

	owner_remove(s);
	sock_hold(sk);
	ihold(SOCK_INODE(sock));
	spin_lock_irq(&s->lock);
	WRITE_ONCE(s->sk, sk);
	WRITE_ONCE(s->sock, sock);
	spin_unlock_irq(&s->lock);
	owner_add(s);
	if (s->netevents)
		wsock_netevents_follow(s->netevents, sock);
	sock_put(former);
	iput(SOCK_INODE(former_sock));
	/*
	 * A process with one thread does not count the files it uses in a system
	 * call. When that is not us, it has to wait until the socket is closed.
	 */
	if (files == current->files)
		filp_close(old, current->files);
	else
		s->former = old;
	return true;
}

/*
 * A thread may be blocked in a socket that lives on with another owner, so no
 * reset wakes it. Have the process's other threads look up from their system
 * calls: those that go on find their descriptor closed. As with task work, nearly
 * all others do not notice.
 */
static void interrupt_threads(void)
{
	struct task_struct *t;

	rcu_read_lock();
	for_each_thread(current, t) {
		/* set_notify_signal() without what is not exported. */
		if (t == current || test_and_set_tsk_thread_flag(t, TIF_NOTIFY_SIGNAL))
			continue;
		if (!(READ_ONCE(t->__state) & TASK_INTERRUPTIBLE) || !wake_up_process(t))
			kick_process(t);
	}
	rcu_read_unlock();
}

/**
 * wsock_socket_release_all - the sockets' part of a final release
 * @ctx: the context, locked and with no registration left
 * @cause: why
 */
void wsock_socket_release_all(struct wsock_context *ctx, enum wsock_cause cause)
{
	struct wsock_socket *s, *next;
	struct wsock_table *table;
	bool shared = false;

	lockdep_assert_held(&ctx->lock);

	/*
	 * All are dead before the first reset, otherwise an operation would see
	 * the reset and end as aborted, not as cancelled.
	 */
	list_for_each_entry(s, &ctx->sockets, node) {
		socket_kill(s);
		wsock_op_cancel_all(s, -ECANCELED, false, WSOCK_EVERYBODYS);
		cond_resched();
	}
	list_for_each_entry(s, &ctx->sockets, node) {
		wsock_duplicate_withdraw(s);
		if (owner_remove(s))
			socket_reset(s);
		else
			shared = true;
		cond_resched();
	}
	/* Operations that were being executed elsewhere */
	list_for_each_entry(s, &ctx->sockets, node) {
		if (socket_wait(s))
			break;
	}
	table = rcu_dereference_protected(ctx->table, lockdep_is_held(&ctx->lock));
	RCU_INIT_POINTER(ctx->table, NULL);
	if (table && cause == WSOCK_CLEANUP) {
		for (unsigned int fd = 0; fd < table->nr; fd++) {
			s = rcu_dereference_protected(table->slots[fd], true);
			if (!s)
				continue;
			wsock_socket_close_fd(s->sk, fd);
			cond_resched();
		}
	}
	if (shared && cause == WSOCK_CLEANUP)
		interrupt_threads();
	if (table)
		kvfree_rcu(table, rcu);
	list_for_each_entry_safe(s, next, &ctx->sockets, node) {
		list_del(&s->node);
		socket_put_former(s);
		/* A packet that is left may keep it. */
		wsock_op_unwatch(s, &s->watch, s->sock);
		wsock_socket_put(s);
		cond_resched();
	}
	ctx->nr_sockets = 0;
}

/**
 * wsock_socket_count - owned sockets of all contexts
 *
 * Return: their number.
 */
long wsock_socket_count(void)
{
	long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu(nr_sockets, cpu);
	return sum;
}

/**
 * wsock_socket_init - at module load
 *
 * Return: 0 or a negative errno.
 */
int __init wsock_socket_init(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(owners); i++)
		spin_lock_init(&owners[i].lock);
	socket_cache = KMEM_CACHE(wsock_socket, SLAB_ACCOUNT | SLAB_HWCACHE_ALIGN);
	return socket_cache ? 0 : -ENOMEM;
}

/**
 * wsock_socket_exit - at module unload
 */
void wsock_socket_exit(void)
{
	rcu_barrier();
	kmem_cache_destroy(socket_cache);
}
