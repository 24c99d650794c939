/* SPDX-License-Identifier: GPL-2.0 */
/*
 * wsock: a Winsock context per process. Internal declarations.
 *
 * A context belongs to one thread group and counts its registrations. It owns
 * sockets; each owned socket has two lanes, one per direction, and a lane is a
 * FIFO of operations. The final release of a context marks its sockets dead,
 * ends their operations, resets them and waits until nobody writes into the
 * process's memory any more.
 *
 * Locks, outermost first:
 *
 *   wsock_contexts_lock (mutex)  the list of contexts, wsock_context.opens
 *   wsock_context.lock (mutex)   registrations, the set of owned sockets; held
 *                                over a whole final release. May sleep, may
 *                                fault user memory, may take a ring's
 *                                uring_lock, never taken under one.
 *   offers_lock (mutex)          in duplicate.c: what is offered to whom
 *   the socket's wait-queue lock taken outside wsock_socket.lock, because a
 *                                wake-up arrives with it held
 *   wsock_socket.lock (irq-safe spinlock)
 *                                lanes and the state of their operations; the
 *                                record of network events. An eventfd's own
 *                                lock is taken inside it
 *   wsock_port.lock (irq-safe spinlock)
 *                                a completion port's queue and waiters
 *   wsock_bucket.lock            owners of a struct sock; operations by name
 *                                (irq-safe: those are added with
 *                                wsock_socket.lock held). Innermost
 *
 * States of an operation. Every transition is made under wsock_socket.lock, and
 * whoever makes the one to RUNNING or ENDING alone ends the operation:
 *
 *      (new) -- lane empty ----> RUNNING -- result, status written --> ENDED
 *        |                       ^     |                                 ^
 *        | others ahead          |     | would block                     |
 *        |             executor  |     v                          status written
 *        +--------------------> QUEUED -- cancel, close, release --> ENDING
 *
 * An ENDED operation that pended is then delivered to its ring, if it came
 * through one, and freed. A RUNNING one that is cancelled ends, instead of
 * waiting again, with what it was told.
 *
 * Most operations need none of this: a submission that finds its lane empty
 * takes the turn by an atomic exchange (WSOCK_LANE_INLINE) and tries, and an
 * operation is made only if it would block.
 *
 * A QUEUED operation at the head of its lane is "scheduled" when a wake-up has
 * asked for its executor: whoever takes it from the completion port that its
 * packet goes to; the thread that waits for its end; task work of the submitting
 * thread (through io_uring for a command); or a worker when that thread is gone or
 * must not be disturbed (module parameter workers, and kernels without task work).
 * An executor that finds its operation ended by another only delivers it. At
 * most one operation of a lane is RUNNING and no other is scheduled then, so a
 * lane moves data for one operation at a time, in order.
 */
#ifndef _WSOCK_H
#define _WSOCK_H

#include <linux/fs.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/io_uring/cmd.h>
#include <linux/list.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/net.h>
#include <linux/nospec.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <linux/task_work.h>
#include <linux/uio.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/wsock.h>

/* The operations there are. */
#define WSOCK_OPS (BIT_ULL(WSOCK_OP_RECV) | BIT_ULL(WSOCK_OP_SEND) |		\
		   BIT_ULL(WSOCK_OP_RECVMSG) | BIT_ULL(WSOCK_OP_SENDMSG) |	\
		   BIT_ULL(WSOCK_OP_ACCEPT) | BIT_ULL(WSOCK_OP_CONNECT) |	\
		   BIT_ULL(WSOCK_OP_TRANSMIT) | BIT_ULL(WSOCK_OP_DISCONNECT) |	\
		   BIT_ULL(WSOCK_OP_NOTIFY) | BIT_ULL(WSOCK_OP_ADDRESSES))

struct eventfd_ctx;
struct wsock_acceptance;
struct wsock_netevents;
struct wsock_op;
struct wsock_port;
struct wsock_transmission;

/* Why a final release happens: what of the process is left to be cleaned. */
enum wsock_cause {
	WSOCK_CLEANUP,		/* the process runs and wants its descriptors closed */
	WSOCK_EXIT,		/* last close of the device, exec, exit, kill */
};

/**
 * struct wsock_bucket - a chain of a hash table
 * @lock: guards it
 * @head: the chain
 */
struct wsock_bucket {
	spinlock_t lock;
	struct hlist_head head;
};

/* An address of a socket that can be owned. */
union wsock_inet_addr {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* Which of a socket's operations are cancelled. */
enum wsock_whose {
	WSOCK_EVERYBODYS,
	WSOCK_MINE,		/* that the calling thread submitted */
	WSOCK_MINE_BOUND,	/* of these, those that end with their thread */
	WSOCK_SENDS,
};

/**
 * struct wsock_table - owned sockets by descriptor
 * @rcu: frees it
 * @nr: its size
 * @slots: NULL, or the socket that was adopted under this number
 *
 * Flat, as the kernel's own table of descriptors: every submission looks here.
 */
struct wsock_table {
	struct rcu_head rcu;
	unsigned int nr;
	struct wsock_socket __rcu *slots[];
};

/**
 * struct wsock_context - the Winsock state of one process
 * @refs: one per open, per owned socket
 * @tgid: its process; set once
 * @mm: its memory, mmgrab()ed; set once
 * @end: tells when nobody uses that any more
 * @node: in wsock_contexts; wsock_contexts_lock
 * @opens: opens of the device; wsock_contexts_lock
 * @lock: see above
 * @registrations: WSAStartups not yet cleaned up; @lock
 * @generation: final releases so far; @lock
 * @nr_sockets: length of @sockets; @lock
 * @sockets: the owned sockets; @lock
 * @table: descriptor number to owned socket; written under @lock, read under RCU
 * @nr_offers: of its sockets; the lock of duplicate.c
 * @nr_operations: operations that are pending
 * @completed: operations that pended and ended by themselves
 * @cancelled: operations that pended and were cancelled
 * @idle: woken when a dead socket's last user leaves and when an operation
 *	that somebody waits for has ended
 */
struct wsock_context {
	refcount_t refs;
	struct pid *tgid;
	struct mm_struct *mm;
	struct mmu_notifier end;
	struct list_head node;
	unsigned int opens;

	struct mutex lock;
	unsigned int registrations;
	unsigned int generation;
	unsigned int nr_sockets;
	struct list_head sockets;
	struct wsock_table __rcu *table;
	unsigned int nr_offers;

	atomic_t nr_operations;
	atomic64_t completed;
	atomic64_t cancelled;
	wait_queue_head_t idle;
};

/**
 * struct wsock_open - one open of the device
 * @ctx: its context, counted; set once
 * @registrations: those made through this open; @ctx->lock
 */
struct wsock_open {
	struct wsock_context *ctx;
	unsigned int registrations;
};

/* By what moves an operation on: data, room, or what is no business of the socket. */
enum wsock_direction { WSOCK_IN, WSOCK_OUT, WSOCK_NOTICES, WSOCK_LANES };

/* A submission tries before there is an operation: it has the turn. */
#define WSOCK_LANE_INLINE	1
/* No submission may do so: there are operations, or the socket is dead. */
#define WSOCK_LANE_CLOSED	2

/**
 * struct wsock_lane - the operations of one direction of a socket
 * @ops: FIFO of the QUEUED ones; wsock_socket.lock
 * @running: the RUNNING one, ahead of them; wsock_socket.lock
 * @nr_ops: how many that is; wsock_socket.lock
 * @nr_waiters: threads that wait for the end of one of them, but for those that
 *	an operation knows; wsock_socket.lock
 * @nr_eager: how many of them have to show their end before a thread comes to a
 *	port; wsock_socket.lock
 * @woken: a wake-up came since who has the turn began to look, or may have been
 *	missed, because the socket was not watched; wsock_socket.lock
 * @door: WSOCK_LANE_* bits, changed atomically
 * @spares: free operations, so that what usually pends is not allocated;
 *	exchanged atomically
 */
struct wsock_lane {
	struct list_head ops;
	struct wsock_op *running;
	unsigned int nr_ops;
	unsigned int nr_waiters;
	unsigned int nr_eager;
	bool woken;
	atomic_t door;
	struct wsock_op *spares;
};

/**
 * struct wsock_watch - sees the wake-ups of a socket for operations
 * @wait: the entry
 * @armed: it is on the socket's wait queue; the lock of the wsock_socket whose
 *	operations it wakes, and the wait-queue lock
 *
 * It is armed when an operation has to wait, and stays so as long as wake-ups find
 * operations: the first one that finds none disarms it.
 */
struct wsock_watch {
	struct wait_queue_entry wait;
	bool armed;
};

/**
 * struct wsock_socket - a struct sock owned by a context
 * @refs: one for being in @ctx->sockets, one per operation, one per user but
 *	those in a lane's door
 * @ctx: counted; set once
 * @sk: counted. Weak in the sense that close(2) still closes it. Changes when an
 *	acceptor becomes the connection that was accepted for it; @ctx->lock and
 *	@lock
 * @sock: as @sk. Its inode is counted, for its wait queue, and so that no other
 *	struct socket can have this address; a file would keep a connection open
 * @node: in @ctx->sockets; @ctx->lock
 * @owner: among the owners of @sk; its bucket's lock
 * @nr_fds: descriptors in @ctx->table; @ctx->lock
 * @lock: see above
 * @lanes: fields under @lock
 * @busy: threads that try or end an operation of this socket, and so may
 *	write to user memory; @lock
 * @dead: no operation may be queued any more; @lock, never cleared
 * @orphan: no reference is left: the last to leave a lane's door frees it; @lock
 * @watch: for the operations in @lanes
 * @away: struct wsock_acceptance: operations that have left @lanes; @lock
 * @nr_away: how many that is; @lock
 * @accepting: the ACCEPT whose acceptor this is, or NULL; @lock
 * @former: the acceptor's file of before, where it could not be closed; @ctx->lock
 * @port: where the packets of its operations go, counted; set once
 * @key: theirs; set before @port
 * @modes: WSOCK_MODE_* bits; @lock
 * @event: told of operations without one of their own; NULL, then set once, @lock
 * @event_file: the same's, counted: an eventfd_ctx has no descriptors
 * @netevents: NULL until the first EVENT_SELECT; then set once, under @ctx->lock
 * @watching: in the list of addresses.c, from when somebody asks; its lock
 * @address_changes: of local addresses since then; @lock
 * @addresses_known: how many there were when WSOCK_EVENT_ADDRESSES was enabled; @lock
 * @addresses_asked: it was enabled; @lock
 * @offers: to other processes; the lock of duplicate.c
 * @offered: there were some once; @ctx->lock
 * @rcu: frees it
 */
struct wsock_socket {
	refcount_t refs;
	struct wsock_context *ctx;
	struct sock *sk;
	struct socket *sock;
	struct list_head node;
	struct hlist_node owner;
	unsigned int nr_fds;

	spinlock_t lock;
	struct wsock_lane lanes[WSOCK_LANES];
	unsigned int busy;
	bool dead;
	bool orphan;
	struct wsock_watch watch;
	struct list_head away;
	unsigned int nr_away;
	struct wsock_op *accepting;
	struct file *former;
	struct wsock_port *port;
	u64 key;
	u32 modes;
	struct eventfd_ctx *event;
	struct file *event_file;
	struct wsock_netevents *netevents;
	struct list_head watching;
	u32 address_changes;
	u32 addresses_known;
	bool addresses_asked;
	struct hlist_head offers;
	bool offered;
	struct rcu_head rcu;
};

/**
 * struct wsock_acceptance - what an ACCEPT has to do
 * @listener: where its connection comes from; the operation's reference
 * @acceptor: what shall become the connection, counted; set once
 * @fd: the acceptor's descriptor; set once
 * @buffer: what the program wants to have received and be told, as in struct
 *	wsock_accept; set once
 * @data_len: see @buffer
 * @local_len: see @buffer
 * @remote_len: see @buffer
 * @file: the connection's, counted, NULL before there is one; owner of RUNNING or
 *	ENDING
 * @local: addresses of the connection; as @file
 * @remote: see @local
 * @node: in @listener->away; @listener->lock
 * @lane: of the operation alone, once it is there; @listener->lock
 * @watch: on the connection's wait queue
 */
struct wsock_acceptance {
	struct wsock_socket *listener;
	struct wsock_socket *acceptor;
	int fd;
	u64 buffer;
	u32 data_len;
	u32 local_len;
	u32 remote_len;
	struct file *file;
	union wsock_inet_addr local;
	union wsock_inet_addr remote;
	struct list_head node;
	struct wsock_lane lane;
	struct wsock_watch watch;
};

/* Pending operations by state, for fdinfo. */
struct wsock_op_counts {
	unsigned int queued;
	unsigned int scheduled;
	unsigned int running;
};

enum wsock_item_kind {
	WSOCK_ITEM_POSTED,	/* port.c: a packet that a program posted */
	WSOCK_ITEM_OP,		/* operation.c: one to be executed, if it has not ended */
	WSOCK_ITEM_ENDED,	/* operation.c: one that has ended, and is nobody else's */
};

/**
 * struct wsock_item - something in a completion port's queue
 * @node: there; wsock_port.lock
 * @next: of those that one thread has taken from there
 * @kind: enum wsock_item_kind; set once
 * @queued: it is there, unless the port was abandoned; wsock_port.lock
 */
struct wsock_item {
	union {
		struct list_head node;
		struct wsock_item *next;
	};
	u8 kind;
	bool queued;
};

extern struct mutex wsock_contexts_lock;
extern unsigned int wsock_max_contexts;
extern unsigned int wsock_max_sockets;
extern unsigned int wsock_max_operations;
extern bool wsock_workers;

/* context.c */
struct wsock_context *wsock_context_open(void);
void wsock_context_close(struct wsock_context *ctx);
void wsock_context_put(struct wsock_context *ctx);
int wsock_context_startup(struct wsock_open *open);
int wsock_context_cleanup(struct wsock_open *open);
void wsock_context_withdraw(struct wsock_open *open);
void wsock_context_show(struct wsock_context *ctx, struct seq_file *m);
void wsock_context_debugfs(struct dentry *dir);

/* socket.c */
int wsock_socket_adopt(struct wsock_context *ctx, int fd);
int wsock_socket_own(struct wsock_context *ctx, int fd, struct socket *sock);
void wsock_socket_forget_stale(struct wsock_context *ctx, int fd, const struct socket *sock);
int wsock_socket_close(struct wsock_context *ctx, int fd);
struct file *wsock_socket_file(struct sock *sk);
void wsock_socket_close_fd(const struct sock *sk, int fd);
bool wsock_socket_become(struct wsock_socket *s, int fd, struct file *file);
void wsock_socket_abort(struct sock *sk);
struct wsock_socket *wsock_socket_get(struct wsock_context *ctx, int fd);
int wsock_socket_associate(struct wsock_context *ctx, const struct wsock_associate *args);
int wsock_socket_modes(struct wsock_context *ctx, struct wsock_modes *args);
int wsock_socket_event(struct wsock_context *ctx, const struct wsock_socket_event *args);
void wsock_socket_free(struct wsock_socket *s);
void wsock_socket_orphan(struct wsock_socket *s);
void wsock_socket_release_all(struct wsock_context *ctx, enum wsock_cause cause);
long wsock_socket_count(void);
int wsock_socket_init(void);
void wsock_socket_exit(void);

/* operation.c */
long wsock_op_submit(struct wsock_context *ctx, struct file *devfile,
		     const void __user *arg);
int wsock_op_submit_uring(struct wsock_context *ctx, struct io_uring_cmd *cmd,
			  unsigned int issue_flags);
void wsock_op_cancel_uring(struct io_uring_cmd *cmd);
int wsock_op_cancel(struct wsock_context *ctx, const struct wsock_cancel *args);
unsigned int wsock_op_cancel_all(struct wsock_socket *s, int err, bool notify,
				 enum wsock_whose whose);
void wsock_op_cancel_accepting(struct wsock_socket *s);
void wsock_op_set_eager(struct wsock_socket *s);
int wsock_op_dequeue(struct wsock_item *item, struct wsock_packet __user *to);
void wsock_op_abandon(struct wsock_item *item);
long wsock_op_wait(struct wsock_context *ctx, struct wsock_wait *args);
void wsock_op_notice(struct wsock_socket *s);
int wsock_op_wake(struct wait_queue_entry *wait, unsigned int mode, int sync,
		  void *key);
void wsock_op_unwatch(struct wsock_socket *s, struct wsock_watch *watch,
		      struct socket *sock);
void wsock_op_count(struct wsock_socket *s, struct wsock_op_counts *counts);
long wsock_op_total(void);
void wsock_op_free_spares(struct wsock_lane *lane);
int wsock_op_init(void);
void wsock_op_exit(void);

/* port.c */
int wsock_port_create(const struct wsock_port_args *args);
struct wsock_port *wsock_port_get(int fd);
struct wsock_port *wsock_port_ref(struct wsock_port *port);
void wsock_port_put(struct wsock_port *port);
bool wsock_port_queue(struct wsock_port *port, struct wsock_item *item);
bool wsock_port_unqueue(struct wsock_port *port, struct wsock_item *item);
void wsock_port_watch(struct wsock_port *port, struct wait_queue_entry *entry);
void wsock_port_unwatch(struct wsock_port *port, struct wait_queue_entry *entry);
bool wsock_port_ready(const struct wsock_port *port);
long wsock_port_count(void);
void wsock_port_init(void);
void wsock_port_exit(void);
/* netevents.c */
int wsock_netevents_select(struct wsock_context *ctx, const struct wsock_event_select *args);
int wsock_netevents_enum(struct wsock_context *ctx, struct wsock_event_enum *args);
int wsock_netevents_enable(struct wsock_context *ctx, const struct wsock_event_enable *args,
			   bool anew);
void wsock_netevents_notice(struct wsock_netevents *n);
void wsock_netevents_reenable(struct wsock_netevents *n, u32 mask);
void wsock_netevents_follow(struct wsock_netevents *n, struct socket *sock);
void wsock_netevents_kill(struct wsock_netevents *n);
void wsock_netevents_free(struct wsock_netevents *n);
void wsock_event_reset(struct eventfd_ctx *event);
long wsock_netevents_count(void);

/* extension.c */
int wsock_extension_connected(struct socket *sock);
int wsock_extension_disconnect(struct socket *sock, bool reuse);
struct wsock_transmission *wsock_transmission_create(u64 addr, u32 len, bool packets);
void wsock_transmission_free(struct wsock_transmission *t);
int wsock_transmission_send(struct wsock_transmission *t, struct socket *sock, u32 msg_flags);

/* accept.c */
struct wsock_acceptance *wsock_acceptance_create(struct wsock_socket *listener,
						 struct wsock_op *op, u64 addr, u32 len);
int wsock_acceptance_take(struct wsock_acceptance *a, struct socket *sock);
int wsock_acceptance_install(struct wsock_acceptance *a);
int wsock_acceptance_tell(const struct wsock_acceptance *a);
void wsock_acceptance_end(struct wsock_acceptance *a, int result);
void wsock_acceptance_free(struct wsock_acceptance *a);
bool wsock_acceptance_hopeless(const struct sock *sk);
int wsock_acceptance_peek(struct wsock_context *ctx, struct wsock_peek *args);

/* duplicate.c */
int wsock_duplicate_offer(struct wsock_context *ctx, struct wsock_duplicate *args);
int wsock_duplicate_take(struct wsock_context *ctx, u32 token);
void wsock_duplicate_withdraw(struct wsock_socket *s);
long wsock_duplicate_count(void);

/* addresses.c */
void wsock_addresses_watch(struct wsock_socket *s);
void wsock_addresses_unwatch(struct wsock_socket *s);
int wsock_addresses_init(void);
void wsock_addresses_exit(void);

/* status.c */
u32 wsock_status(int err, bool stream);

/* device.c */
extern struct miscdevice wsock_device;
bool wsock_process_has(struct file *file);

/**
 * wsock_context_check - may the calling task use this context?
 * @ctx: the context
 *
 * A fork child, a process that was handed the descriptor and a program that
 * was exec()ed over it may not.
 *
 * Return: 0 or -EPERM.
 */
static inline int wsock_context_check(const struct wsock_context *ctx)
{
	return task_tgid(current) == ctx->tgid && current->mm == ctx->mm ? 0 : -EPERM;
}

/**
 * wsock_copy_in - copy a structure of the program
 * @to: where to
 * @from: where from
 * @size: of it, a constant, in whole words
 *
 * As copy_from_user(), but in place: for the few words that each operation brings,
 * a call and a string move take longer.
 *
 * Return: false for a fault.
 */
static __always_inline bool wsock_copy_in(void *to, const void __user *from, size_t size)
{
	const u64 __user *src = from;
	u64 *dst = to;

	BUILD_BUG_ON(size % sizeof(*src));
	if (!user_read_access_begin(src, size))
		return false;
#pragma GCC unroll 8
	for (size_t i = 0; i < size / sizeof(*src); i++)
		unsafe_get_user(dst[i], &src[i], efault);
	user_read_access_end();
	return true;
efault:
	user_read_access_end();
	return false;
}

/**
 * wsock_copy_out - copy a structure to the program
 * @to: where to
 * @from: where from
 * @size: of it, a constant, in whole words
 *
 * As wsock_copy_in() is to copy_from_user(), so is this to copy_to_user().
 *
 * Return: false for a fault.
 */
static __always_inline bool wsock_copy_out(void __user *to, const void *from, size_t size)
{
	u64 __user *dst = to;
	const u64 *src = from;

	BUILD_BUG_ON(size % sizeof(*src));
	if (!user_write_access_begin(dst, size))
		return false;
#pragma GCC unroll 8
	for (size_t i = 0; i < size / sizeof(*src); i++)
		unsafe_put_user(src[i], &dst[i], efault);
	user_write_access_end();
	return true;
efault:
	user_write_access_end();
	return false;
}

/* Under RCU of the cheapest kind, as every submission looks up its socket. */
#define wsock_lookup_is_safe(ctx) \
	(lockdep_is_held(&(ctx)->lock) || rcu_read_lock_sched_held())

/**
 * wsock_no_socket - there is no owned socket; why?
 * @ctx: the context that was asked
 *
 * Return: -EBADFD before a registration, otherwise -ENOTSOCK.
 */
static inline int wsock_no_socket(const struct wsock_context *ctx)
{
	return READ_ONCE(ctx->registrations) ? -ENOTSOCK : -EBADFD;
}

/**
 * wsock_socket_is - is it the socket of this file?
 * @s: the socket, under RCU or with its context locked
 * @file: any file
 *
 * While @s has its struct socket no file of another kind refers to that memory.
 *
 * Return: true if it is.
 */
static inline bool wsock_socket_is(const struct wsock_socket *s, const struct file *file)
{
	return READ_ONCE(s->sock) == file->private_data;
}

/**
 * wsock_socket_lookup - what was adopted under a descriptor
 * @ctx: the context, locked, or under RCU
 * @fd: the descriptor
 *
 * Return: the owned socket, without a reference, or NULL.
 */
static inline struct wsock_socket *wsock_socket_lookup(struct wsock_context *ctx,
						       unsigned int fd)
{
	struct wsock_table *table;

	table = rcu_dereference_check(ctx->table, wsock_lookup_is_safe(ctx));
	if (!table || fd >= table->nr)
		return NULL;
	return rcu_dereference_check(table->slots[array_index_nospec(fd, table->nr)],
				     wsock_lookup_is_safe(ctx));
}

/**
 * wsock_socket_put - drop a reference
 * @s: the socket; may be freed
 */
static inline void wsock_socket_put(struct wsock_socket *s)
{
	if (refcount_dec_and_test(&s->refs))
		wsock_socket_orphan(s);
}

/**
 * wsock_socket_leave - end of a stay that counted in @s->busy
 * @s: the socket, locked
 */
static inline void wsock_socket_leave(struct wsock_socket *s)
{
	lockdep_assert_held(&s->lock);
	if (!--s->busy && s->dead)
		wake_up_all(&s->ctx->idle);
}

/**
 * wsock_lane_inline - does a submission try before there is an operation?
 * @lane: the lane
 *
 * Return: true if it does.
 */
static inline bool wsock_lane_inline(const struct wsock_lane *lane)
{
	return atomic_read(&lane->door) & WSOCK_LANE_INLINE;
}

/**
 * wsock_socket_inline - the same of both lanes of a socket
 * @s: the socket
 *
 * Return: true if one of them is so.
 */
static inline bool wsock_socket_inline(const struct wsock_socket *s)
{
	return wsock_lane_inline(&s->lanes[WSOCK_IN]) ||
	       wsock_lane_inline(&s->lanes[WSOCK_OUT]);
}

/**
 * wsock_socket_pends - are there operations in a socket's lanes?
 * @s: the socket
 *
 * Return: true if there are; without a lock it may change.
 */
static inline bool wsock_socket_pends(const struct wsock_socket *s)
{
	return READ_ONCE(s->lanes[WSOCK_IN].nr_ops) || READ_ONCE(s->lanes[WSOCK_OUT].nr_ops) ||
	       READ_ONCE(s->lanes[WSOCK_NOTICES].nr_ops);
}

#endif /* _WSOCK_H */
