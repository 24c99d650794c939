// SPDX-License-Identifier: GPL-2.0
/*
 * Overlapped operations: one lifecycle for all kinds, submitters and ends. The
 * states and the locks are drawn in wsock.h.
 */
#include <linux/cred.h>
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/hash.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/mmu_context.h>
#include <linux/percpu.h>
#include <linux/poll.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "compat.h"
#include "wsock.h"

#define RECV_FLAGS	(MSG_OOB | MSG_PEEK | MSG_WAITALL)
#define SEND_FLAGS	(MSG_OOB | MSG_DONTROUTE | MSG_EOR | MSG_MORE)
/* What of a received message's flags is told. */
#define OUT_FLAGS	(MSG_OOB | MSG_TRUNC | MSG_CTRUNC | MSG_EOR)
#define MAX_IOV		1024
#define MAX_CONTROL	4096
/* Operations that one executor runs in a row before it lets others go on. */
#define EXEC_BUDGET	64
/* Free operations that a lane keeps, of those that pended at a time. */
#define MAX_SPARES	32
/* What a try of an ACCEPT found. */
#define OP_ACCEPTED	1

enum op_state {
	OP_RUNNING,		/* somebody tries it; it is its lane's running one */
	OP_QUEUED,		/* waits in its lane */
	OP_ENDING,		/* out of its lane, its status is being written */
	OP_ENDED,		/* its status is written */
};

/* What a RECVMSG or SENDMSG has on top: captured at issue. */
struct op_msg {
	struct wsock_msg user;
	struct sockaddr_storage name;	/* SENDMSG */
	void *control;			/* SENDMSG */
	struct iovec iov[];
};

/**
 * struct wsock_op - an overlapped operation
 * @node: in its lane while QUEUED; @socket->lock
 * @next_spare: the rest of the stack while it is free
 * @nr_spare: length of the stack from here on
 * @hash: among the pending operations, by name if it has one; its bucket's lock
 * @socket: counted; set once
 * @lane: one of @socket's, or its own of an ACCEPT that has its connection;
 *	changed by the owner of RUNNING under @socket->lock
 * @file: the socket's, counted from the moment the operation pends: close(2) does
 *	not end the connection then. Of such an ACCEPT the connection's
 * @devfile: without @cmd: the device's, counted likewise: keeps the module
 * @cmd: the command it came as, NULL for an ioctl; set once
 * @task: who submitted it, counted when it pends without @cmd; set when it does
 * @waiter: who waits for its end and executes it without being asked by others,
 *	where no operation has a port; @socket->lock
 * @port: where its packet goes, or NULL; set once. That of @socket, which counts it,
 *	or with WSOCK_CMD_APC another, counted
 * @key: of the packet; set once
 * @tag: likewise, the upper half of its status
 * @refs: one for its life, one per task that found it by name
 * @code: enum wsock_op_code; set once
 * @state: enum op_state; @socket->lock, but who has found it by name looks without
 * @scheduled: its executor was asked for and has not come; @socket->lock
 * @in_port: with @scheduled: it was asked for in the queue of @port; @socket->lock
 * @poked: there may be something for it, and nobody has looked; @socket->lock
 * @packet: its end is told to @port; set with the end
 * @pending: the submitter was or will be told that it is; set by the submitter
 *	before others can end the operation
 * @flags: wsock_cmd.flags; set once
 * @msg_flags: wsock_cmd.msg_flags, and those of the kernel; set once
 * @silent: with @cancel: do not signal the event; @socket->lock
 * @cancel: why a RUNNING one shall end rather than wait again; @socket->lock
 * @result: how it ended, 0 or a negative errno; owner of ENDING. Before that,
 *	of a CONNECT or a NOTIFY: how it is known to have failed
 * @out_flags: MSG_* flags of what was received; owner of RUNNING
 * @ov: its name, and where its status goes, or 0; set once
 * @event: counted; set once
 * @done: bytes transferred; owner of RUNNING
 * @iter: what is left of the buffers; owner of RUNNING
 * @msg: of a RECVMSG or SENDMSG, otherwise NULL; set once
 * @transmission: of a TRANSMIT; set once
 * @acceptance: of an ACCEPT; set once
 * @known: of an ADDRESSES: @socket's changes when it was enqueued; set once
 * @task_work: executor of one that came by ioctl
 * @work: executor instead of the submitting thread
 * @item: in the queue of @port: to be executed, or ended
 */
struct wsock_op {
	union {
		struct list_head node;
		struct {
			struct wsock_op *next_spare;
			unsigned int nr_spare;
		};
	};
	struct hlist_node hash;
	struct wsock_socket *socket;
	struct wsock_lane *lane;
	struct file *file;
	struct file *devfile;
	struct io_uring_cmd *cmd;
	struct task_struct *task;
	struct task_struct *waiter;
	struct wsock_port *port;
	u64 key;
	u32 tag;
	refcount_t refs;
	u8 code;
	u8 state;
	bool scheduled;
	bool in_port;
	bool poked;
	bool packet;
	bool pending;
	bool silent;
	u16 flags;
	u32 msg_flags;
	int cancel;
	int result;
	u32 out_flags;
	u64 ov;
	struct eventfd_ctx *event;
	size_t done;
	struct iov_iter iter;
	struct op_msg *msg;
	union {
		struct wsock_transmission *transmission;
		struct wsock_acceptance *acceptance;
		u32 known;
	};
	union {
		struct callback_head task_work;
		struct work_struct work;
		struct wsock_item item;
	};
};

/* What the documentation promises, of kernels that are not for debugging */
static_assert(sizeof(struct wsock_op) <= 256 || IS_ENABLED(CONFIG_LOCKDEP));

/* Who executes: decides which further operations of a lane it may run too. */
struct op_executor {
	struct io_ring_ctx *ring;	/* of a command, with the flags it came with */
	unsigned int issue_flags;
	bool worker;			/* in the name of any ioctl's thread */
	struct wsock_op *collect;	/* not to be delivered: it is called for */
	bool collected;
	int budget;
};

/* The one who submits (@cmd or NULL) runs what comes next as well. */
static struct op_executor submitter(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	return (struct op_executor){
		.ring = cmd ? cmd_to_io_kiocb(cmd)->ctx : NULL,
		.issue_flags = issue_flags,
		.budget = EXEC_BUDGET,
	};
}

struct op_pdu {
	struct wsock_op *op;
};

#define NAME_BITS 14
static struct wsock_bucket names[1 << NAME_BITS];

static struct kmem_cache *op_cache;
static struct workqueue_struct *op_workqueue;
static DEFINE_PER_CPU(long, nr_operations);

static bool code_is_recv(u32 code)
{
	return code & 1;
}

static_assert((WSOCK_OP_RECV & 1) && (WSOCK_OP_RECVMSG & 1) && (WSOCK_OP_ACCEPT & 1));
static_assert(!(WSOCK_OP_SEND & 1) && !(WSOCK_OP_SENDMSG & 1));
static_assert(!(WSOCK_OP_CONNECT & 1) && !(WSOCK_OP_TRANSMIT & 1) &&
	      !(WSOCK_OP_DISCONNECT & 1) && !(WSOCK_OP_ADDRESSES & 1));

/* Ends as if it had been pending, even when it ends at once. */
static bool code_always_pends(u32 code)
{
	return code > WSOCK_OP_SENDMSG;
}

/* It may be tried before there is an operation. */
static __always_inline bool code_is_plain(u32 code)
{
	return code - 1 < 2;
}

static_assert(WSOCK_OP_RECV == 1 && WSOCK_OP_SEND == 2);

/* Its msg_flags are an errno. */
static bool code_tells_errno(u32 code)
{
	return code == WSOCK_OP_CONNECT || code == WSOCK_OP_NOTIFY;
}

static struct wsock_lane *code_lane(struct wsock_socket *s, u32 code)
{
	if (unlikely(code == WSOCK_OP_ADDRESSES))
		return &s->lanes[WSOCK_NOTICES];
	return &s->lanes[code_is_recv(code) ? WSOCK_IN : WSOCK_OUT];
}

static bool op_is_recv(const struct wsock_op *op)
{
	return code_is_recv(op->code);
}

/* Has it left its socket's lane, with a connection that it goes on at? */
static bool op_is_away(const struct wsock_op *op)
{
	return op->code == WSOCK_OP_ACCEPT && op->lane == &op->acceptance->lane;
}

static struct io_ring_ctx *op_ring(const struct wsock_op *op)
{
	return op->cmd ? cmd_to_io_kiocb(op->cmd)->ctx : NULL;
}

static struct wsock_bucket *name_bucket(const struct wsock_context *ctx, u64 ov)
{
	return &names[hash_64(ov ^ (unsigned long)ctx, NAME_BITS)];
}

/* ------------------------------------------------------------------------- */
/* Making one */

static noinline int op_get_event(struct wsock_op *op, int fd)
{
	op->event = eventfd_ctx_fdget(fd);
	if (IS_ERR(op->event)) {
		int ret = PTR_ERR(op->event);

		op->event = NULL;
		return ret;
	}
	wsock_event_reset(op->event);
	return 0;
}

/* Is it told by the event of its socket, if that has one? */
static bool op_uses_socket_event(const struct wsock_op *op)
{
	return !op->event && !op->cmd && READ_ONCE(op->socket->event);
}

/* A packet goes to the socket's port, or to the one named for this operation. */
static int op_get_port(struct wsock_op *op, const struct wsock_submit *args)
{
	/* Pairs with wsock_socket_associate(). */
	struct wsock_port *port = smp_load_acquire(&op->socket->port);

	if (op->flags & WSOCK_CMD_APC) {
		if (port)
			return -EINVAL;
		port = wsock_port_get(args->cmd.event_fd);
		if (IS_ERR(port))
			return PTR_ERR(port);
		op->port = port;
		op->key = args->key;
		op->tag = args->tag;
	} else if (port && !(op->flags & WSOCK_CMD_NO_PACKET)) {
		op->port = port;
		op->key = op->socket->key;
		op->tag = 0;
	}
	return 0;
}

/* Is a port all that it ends for? Others have to show their end by themselves. */
static bool op_is_ports(const struct wsock_op *op)
{
	return op->port && !(op->flags & (WSOCK_CMD_APC | WSOCK_CMD_EVENT));
}

/*
 * Can it wait until a thread comes to the port? Data that has arrived can; what is
 * sent must go on its way, also when all threads do something else.
 */
static bool op_is_patient(const struct wsock_op *op)
{
	return op_is_ports(op) && op_is_recv(op);
}

/*
 * Does whoever takes it from its port execute it? Not while one behind it must not
 * wait for that.
 */
static bool op_runs_in_port(const struct wsock_op *op)
{
	lockdep_assert_held(&op->socket->lock);
	return op_is_patient(op) && !op->lane->nr_eager && !READ_ONCE(op->socket->event);
}

/* As import_ubuf(), which is a call for little more than a check. */
static int op_import_buffer(struct wsock_op *op, u64 addr, u32 len)
{
	void __user *buf = u64_to_user_ptr(addr);

	len = min_t(u32, len, MAX_RW_COUNT);
	if (unlikely(!access_ok(buf, len)))
		return -EFAULT;
	iov_iter_ubuf(&op->iter, op_is_recv(op) ? ITER_DEST : ITER_SOURCE, buf, len);
	return 0;
}

/*
 * A lane's free operations are a stack. Who takes from it or adds to it takes
 * all of it for a moment; another that comes then finds it empty, and gets its
 * memory, or gives it back, where all memory comes from.
 */
static void spare_free(struct wsock_op *op)
{
	while (op) {
		struct wsock_op *next = op->next_spare;

		kmem_cache_free(op_cache, op);
		op = next;
	}
}

static struct wsock_op *spare_pop(struct wsock_lane *lane)
{
	struct wsock_op *op = READ_ONCE(lane->spares) ? xchg(&lane->spares, NULL) : NULL;

	if (op && op->next_spare && cmpxchg(&lane->spares, NULL, op->next_spare))
		spare_free(op->next_spare);
	return op;
}

static void spare_push(struct wsock_lane *lane, struct wsock_op *op)
{
	struct wsock_op *next = READ_ONCE(lane->spares) ? xchg(&lane->spares, NULL) : NULL;

	op->next_spare = next;
	op->nr_spare = next ? next->nr_spare + 1 : 1;
	if (op->nr_spare > MAX_SPARES) {
		kmem_cache_free(op_cache, op);
		op = next;
	}
	if (cmpxchg(&lane->spares, NULL, op))
		spare_free(op);
}

/* All that an operation keeps is charged to its process's memory cgroup. */
static noinline int op_import_msg(struct wsock_op *op, u64 addr, u32 len)
{
	bool recv = op_is_recv(op);
	struct wsock_msg user;
	struct op_msg *msg;
	struct iovec *iov;
	ssize_t ret;

	if (len != sizeof(user))
		return -EINVAL;
	if (copy_from_user(&user, u64_to_user_ptr(addr), sizeof(user)))
		return -EFAULT;
	if (user.pad || user.iovlen > MAX_IOV || user.controllen > MAX_CONTROL ||
	    (!user.name && user.namelen) || (!user.control && user.controllen))
		return -EINVAL;
	if (!recv && (user.namelen_out || user.controllen_out || user.flags_out ||
		      user.namelen > sizeof(msg->name)))
		return -EINVAL;

	msg = kmalloc(struct_size(msg, iov, user.iovlen), GFP_KERNEL_ACCOUNT);
	if (!msg)
		return -ENOMEM;
	msg->user = user;
	msg->control = NULL;
	op->msg = msg;

	if (!recv && user.namelen &&
	    copy_from_user(&msg->name, u64_to_user_ptr(user.name), user.namelen))
		return -EFAULT;
	if (!recv && user.controllen) {
		msg->control = kmalloc(user.controllen, GFP_KERNEL_ACCOUNT);
		if (!msg->control)
			return -ENOMEM;
		if (copy_from_user(msg->control, u64_to_user_ptr(user.control),
				   user.controllen))
			return -EFAULT;
	}
	/* It needs no array of its own, having one of the right length. */
	iov = msg->iov;
	ret = import_iovec(recv ? ITER_DEST : ITER_SOURCE, u64_to_user_ptr(user.iov),
			   user.iovlen, user.iovlen, &iov, &op->iter);
	return ret < 0 ? ret : 0;
}

static int op_import_transmission(struct wsock_op *op, u64 addr, u32 len)
{
	struct wsock_transmission *t;

	t = wsock_transmission_create(addr, len, sk_is_udp(op->socket->sk));

	if (IS_ERR(t))
		return PTR_ERR(t);
	op->transmission = t;
	return 0;
}

static int op_import_disconnect(struct wsock_op *op, u64 addr, u32 flags)
{
	if (addr || (flags & ~WSOCK_DISCONNECT_REUSE))
		return -EINVAL;
	op->msg_flags = flags;
	return 0;
}

static int op_accept_wake(struct wait_queue_entry *wait, unsigned int mode, int sync,
			  void *key);

static int op_import_accept(struct wsock_op *op, u64 addr, u32 len)
{
	struct wsock_acceptance *a = wsock_acceptance_create(op->socket, op, addr, len);

	if (IS_ERR(a))
		return PTR_ERR(a);
	op->acceptance = a;
	init_waitqueue_func_entry(&a->watch.wait, op_accept_wake);
	return import_ubuf(ITER_DEST, u64_to_user_ptr(a->buffer), a->data_len, &op->iter);
}

static int op_import_addresses(struct wsock_op *op, u64 addr, u32 len)
{
	if (addr || len)
		return -EINVAL;
	wsock_addresses_watch(op->socket);
	return 0;
}

static void op_free(struct wsock_op *op)
{
	struct wsock_socket *s = op->socket;
	struct wsock_lane *lane = unlikely(op_is_away(op)) ? &s->lanes[WSOCK_IN] : op->lane;

	if (unlikely(op->event))
		eventfd_ctx_put(op->event);
	if (unlikely(op->msg)) {
		kfree(op->msg->control);
		kfree(op->msg);
	}
	if (unlikely(op->code == WSOCK_OP_TRANSMIT))
		wsock_transmission_free(op->transmission);
	else if (unlikely(op->code == WSOCK_OP_ACCEPT))
		wsock_acceptance_free(op->acceptance);
	if (op->pending && !op->cmd) {
		put_task_struct(op->task);
		fput(op->devfile);
	}
	if (unlikely(op->port && (op->flags & WSOCK_CMD_APC)))
		wsock_port_put(op->port);
	atomic_dec(&s->ctx->nr_operations);
	this_cpu_dec(nr_operations);
	spare_push(lane, op);
	wsock_socket_put(s);
}

static void op_put(struct wsock_op *op)
{
	if (refcount_dec_and_test(&op->refs))
		op_free(op);
}

/* It has not begun, and will not. */
static void op_discard(struct wsock_op *op)
{
	if (op->code == WSOCK_OP_ACCEPT && op->acceptance)
		wsock_acceptance_end(op->acceptance, -ECANCELED);
	op_put(op);
}

/*
 * With what the packet of one that has ended, and its end, need. Takes over the
 * caller's reference to @s, also when it fails.
 */
static __always_inline struct wsock_op *op_alloc(struct wsock_socket *s, struct wsock_lane *lane,
						 const struct wsock_submit *args,
						 struct io_uring_cmd *cmd)
{
	struct wsock_op *op;
	int ret;

	ret = -ENOBUFS;
	if (atomic_inc_return(&s->ctx->nr_operations) > READ_ONCE(wsock_max_operations))
		goto refuse;
	op = spare_pop(lane);
	if (!op)
		op = kmem_cache_alloc(op_cache, GFP_KERNEL);
	ret = -ENOMEM;
	if (!op)
		goto refuse;
	this_cpu_inc(nr_operations);
	op->socket = s;
	op->lane = lane;
	op->cmd = cmd;
	refcount_set(&op->refs, 1);
	op->code = args->op;
	op->packet = false;
	op->pending = false;
	op->port = NULL;
	op->flags = args->cmd.flags;
	op->result = 0;
	op->out_flags = 0;
	op->ov = args->cmd.ov;
	op->event = NULL;
	op->msg = NULL;
	op->transmission = NULL;
	return op;

refuse:
	atomic_dec(&s->ctx->nr_operations);
	wsock_socket_put(s);
	return ERR_PTR(ret);
}

/* As op_alloc(). @done bytes were transferred already. */
static struct wsock_op *op_create(struct wsock_socket *s, struct wsock_lane *lane,
				  const struct wsock_submit *args, struct io_uring_cmd *cmd,
				  size_t done)
{
	struct wsock_op *op = op_alloc(s, lane, args, cmd);
	int ret;

	if (IS_ERR(op))
		return op;
	op->state = OP_RUNNING;
	op->scheduled = false;
	op->poked = false;
	op->silent = false;
	op->task = NULL;
	op->waiter = NULL;
	op->cancel = 0;
	op->done = done;
	op->msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL;
	if (code_tells_errno(op->code))
		op->result = -args->cmd.msg_flags;
	else
		op->msg_flags |= args->cmd.msg_flags;

	if (likely(code_is_plain(op->code)))
		ret = op_import_buffer(op, args->addr + done, args->len - done);
	else if (op->code == WSOCK_OP_RECVMSG || op->code == WSOCK_OP_SENDMSG)
		ret = op_import_msg(op, args->addr, args->len);
	else if (unlikely(op->code == WSOCK_OP_TRANSMIT))
		ret = op_import_transmission(op, args->addr, args->len);
	else if (unlikely(op->code == WSOCK_OP_DISCONNECT))
		ret = op_import_disconnect(op, args->addr, args->len);
	else if (unlikely(op->code == WSOCK_OP_ACCEPT))
		ret = op_import_accept(op, args->addr, args->len);
	else if (unlikely(op->code == WSOCK_OP_NOTIFY))
		ret = args->addr || args->len ? -EINVAL : 0;
	else if (unlikely(op->code == WSOCK_OP_ADDRESSES))
		ret = op_import_addresses(op, args->addr, args->len);
	else
		ret = op_import_buffer(op, args->addr + done, args->len - done);
	if (!ret && (op->flags & WSOCK_CMD_EVENT))
		ret = op_get_event(op, args->cmd.event_fd);
	if (!ret && !cmd)
		ret = op_get_port(op, args);
	if (!ret && unlikely(op_uses_socket_event(op)))
		wsock_event_reset(s->event);
	if (unlikely(ret)) {
		op_discard(op);
		return ERR_PTR(ret);
	}
	return op;
}

/**
 * wsock_op_free_spares - empty a lane's store, at the end of its socket
 * @lane: the lane
 */
void wsock_op_free_spares(struct wsock_lane *lane)
{
	spare_free(lane->spares);
}

static void op_add_name(struct wsock_op *op)
{
	struct wsock_bucket *bucket = name_bucket(op->socket->ctx, op->ov);
	unsigned long flags;

	spin_lock_irqsave(&bucket->lock, flags);
	hlist_add_head(&op->hash, &bucket->head);
	spin_unlock_irqrestore(&bucket->lock, flags);
}

/*
 * Before an operation can be ended by others: what it needs while it pends.
 * The submitter calls it, once, with the operation its own. Sleeps with
 * IO_URING_F_UNLOCKED, as the ring's lock is taken then.
 */
static void op_make_pending(struct wsock_op *op, struct file *file, struct file *devfile,
			    unsigned int issue_flags)
{
	op->file = get_file(file);
	if (op->cmd) {
		/* The command keeps both, until it is completed. */
		op->task = io_uring_cmd_get_task(op->cmd);
	} else {
		op->devfile = get_file(devfile);
		op->task = get_task_struct(current);
	}
	op->pending = true;
	if (op->ov)
		op_add_name(op);
	if (op->cmd) {
		io_uring_cmd_to_pdu(op->cmd, struct op_pdu)->op = op;
		io_uring_cmd_mark_cancelable(op->cmd, issue_flags);
	}
}

/* ------------------------------------------------------------------------- */
/* Trying one: without blocking, by the owner of RUNNING */

static int send_errno(const struct sock *sk, int err)
{
	/* Our own shutdown, not the peer's reset. */
	if (err == -EPIPE && (READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN) &&
	    READ_ONCE(sk->sk_state) != TCP_CLOSE)
		return -ESHUTDOWN;
	return err;
}

/* What a received message tells besides its bytes. */
static int op_recv_outputs(struct wsock_op *op, struct msghdr *msg,
			   struct sockaddr_storage *name)
{
	const struct wsock_msg *user = &op->msg->user;
	size_t len;

	if (user->name) {
		len = min_t(size_t, user->namelen, msg->msg_namelen);
		if (copy_to_user(u64_to_user_ptr(user->name), name, len))
			return -EFAULT;
	}
	/* A stream has no address to tell. */
	if (user->namelen_out && msg->msg_namelen &&
	    put_user((s32)msg->msg_namelen, (s32 __user *)u64_to_user_ptr(user->namelen_out)))
		return -EFAULT;
	if (user->controllen_out &&
	    put_user((u64)(user->controllen - msg->msg_controllen),
		     (u64 __user *)u64_to_user_ptr(user->controllen_out)))
		return -EFAULT;
	if (user->flags_out &&
	    put_user(op->out_flags, (u32 __user *)u64_to_user_ptr(user->flags_out)))
		return -EFAULT;
	return 0;
}

/*
 * What a receive of no bytes means. Why a connection was cut is told once by Linux,
 * which then has it end as if the peer had ended it; Winsock tells of the cut as often
 * as it is asked.
 */
static int stream_end(const struct sock *sk)
{
	return sk_is_tcp(sk) && READ_ONCE(sk->sk_state) == TCP_CLOSE &&
	       !sock_flag(sk, SOCK_DONE) ? -ECONNRESET : 0;
}

/*
 * A receive of nothing on a stream waits for something to receive, and takes
 * none of it.
 */
static int op_try_probe(struct wsock_op *op, struct socket *sock)
{
	struct msghdr msg = {};
	struct kvec kvec;
	char byte;
	int ret;

	kvec.iov_base = &byte;
	kvec.iov_len = 1;
	iov_iter_kvec(&msg.msg_iter, ITER_DEST, &kvec, 1, 1);
	ret = sock_recvmsg(sock, &msg, MSG_PEEK | MSG_DONTWAIT);
	if (!ret)
		return stream_end(sock->sk);
	return ret < 0 ? ret : 0;
}

/* With an address and control data. */
static noinline int op_try_recvmsg(struct wsock_op *op, struct socket *sock,
				   struct msghdr *msg)
{
	struct sockaddr_storage name;
	int ret, err;

	msg->msg_name = &name;
	msg->msg_control_is_user = true;
	msg->msg_control_user = u64_to_user_ptr(op->msg->user.control);
	msg->msg_controllen = op->msg->user.controllen;
	ret = sock_recvmsg(sock, msg, op->msg_flags & ~MSG_WAITALL);
	if (ret < 0)
		return ret;
	op->out_flags = msg->msg_flags & OUT_FLAGS;
	err = op_recv_outputs(op, msg, &name);
	return err ?: ret;
}

/* What a receive of @ret bytes, after @done others, means for its operation. */
static int recv_result(struct socket *sock, struct msghdr *msg, int ret, u32 msg_flags,
		       size_t *done, u32 *out_flags)
{
	if (ret < 0)
		return ret;
	*out_flags = msg->msg_flags & OUT_FLAGS;
	*done += ret;
	if (sock->type != SOCK_STREAM)
		return *out_flags & MSG_TRUNC ? -EMSGSIZE : 0;
	if (unlikely(!ret))
		return stream_end(sock->sk);
	if (unlikely(msg_flags & MSG_WAITALL) && msg_data_left(msg))
		return -EAGAIN;
	return 0;
}

static int op_try_recv(struct wsock_op *op, struct socket *sock)
{
	struct msghdr msg = { .msg_iter = op->iter };
	int got, ret;

	if (!iov_iter_count(&op->iter) && sock->type == SOCK_STREAM)
		return op_try_probe(op, sock);
	if (op->msg)
		got = op_try_recvmsg(op, sock, &msg);
	else
		got = sock_recvmsg(sock, &msg, op->msg_flags & ~MSG_WAITALL);
	ret = recv_result(sock, &msg, got, op->msg_flags, &op->done, &op->out_flags);
	if (unlikely(ret == -EAGAIN) && got > 0)
		iov_iter_advance(&op->iter, got);
	return ret;
}

/* All or nothing: a stream's send ends when everything is taken. */
static int send_result(struct socket *sock, int ret, size_t len, size_t *done)
{
	if (ret < 0)
		return send_errno(sock->sk, ret);
	*done += ret;
	return ret == len || sock->type != SOCK_STREAM ? 0 : -EAGAIN;
}

static int op_try_send(struct wsock_op *op, struct socket *sock)
{
	size_t len;
	int ret, n;

	do {
		struct msghdr msg = { .msg_iter = op->iter, .msg_flags = op->msg_flags };

		if (op->msg) {
			if (op->msg->user.namelen) {
				msg.msg_name = (void *)&op->msg->name;
				msg.msg_namelen = op->msg->user.namelen;
			}
			msg.msg_control = op->msg->control;
			msg.msg_controllen = op->msg->user.controllen;
		}
		len = iov_iter_count(&op->iter);
		n = sock_sendmsg(sock, &msg);
		ret = send_result(sock, n, len, &op->done);
		if (n > 0)
			iov_iter_advance(&op->iter, n);
		/* What was sent in part has to see why it could not go on. */
	} while (ret == -EAGAIN && n > 0);
	return ret;
}

/*
 * connect(2) has begun, without waiting; how did it end? Then the data is sent,
 * if there is some.
 */
static noinline int op_try_connect(struct wsock_op *op, struct socket *sock)
{
	int ret = op->result ?: wsock_extension_connected(sock);

	if (ret || !iov_iter_count(&op->iter))
		return ret;
	return op_try_send(op, sock);
}

static noinline int op_try_transmit(struct wsock_op *op, struct socket *sock)
{
	int ret;

	if (!sk_is_tcp(sock->sk) && !sk_is_udp(sock->sk))
		return -EOPNOTSUPP;
	do {
		ret = wsock_transmission_send(op->transmission, sock, op->msg_flags);
		if (ret > 0)
			op->done += ret;
		/* A file may be long: who cancels need not wait for its end. */
		if (READ_ONCE(op->cancel))
			return op->cancel;
		cond_resched();
	} while (ret > 0);
	return send_errno(sock->sk, ret);
}

/* From the connection it has accepted it may have to receive. */
static noinline int op_try_accept(struct wsock_op *op, struct socket *sock)
{
	struct wsock_acceptance *a = op->acceptance;
	int ret = 0;

	if (!op_is_away(op))
		return wsock_acceptance_take(a, sock) ?: OP_ACCEPTED;
	if (a->data_len)
		ret = op_try_recv(op, sock);
	return ret ?: wsock_acceptance_tell(a);
}

/*
 * Returns 0 or an errno for an end, -EAGAIN when it has to wait, OP_ACCEPTED when
 * it has to go on with op_go_away().
 */
static int op_try(struct wsock_op *op, struct socket *sock)
{
	switch (op->code) {
	case WSOCK_OP_RECV:
	case WSOCK_OP_RECVMSG:
		return op_try_recv(op, sock);
	case WSOCK_OP_SEND:
	case WSOCK_OP_SENDMSG:
		return op_try_send(op, sock);
	case WSOCK_OP_ACCEPT:
		return op_try_accept(op, sock);
	case WSOCK_OP_CONNECT:
		return op_try_connect(op, sock);
	case WSOCK_OP_TRANSMIT:
		return op_try_transmit(op, sock);
	case WSOCK_OP_DISCONNECT:
		return wsock_extension_disconnect(sock, op->msg_flags &
							WSOCK_DISCONNECT_REUSE);
	case WSOCK_OP_ADDRESSES:
		return READ_ONCE(op->socket->address_changes) == op->known ? -EAGAIN : 0;
	}
	return -EOPNOTSUPP;
}

/*
 * Would a try be in vain? Says so only where looking is cheap and sure: kTLS
 * and sockmap keep data elsewhere, and replace recvmsg.
 */
static __always_inline bool recv_hopeless(const struct sock *sk, u32 msg_flags)
{
	return skb_queue_empty_lockless(&sk->sk_receive_queue) &&
	       sk_is_tcp(sk) && READ_ONCE(sk->sk_prot)->recvmsg == tcp_prot.recvmsg &&
	       READ_ONCE(sk->sk_state) == TCP_ESTABLISHED && !(msg_flags & MSG_OOB) &&
	       !READ_ONCE(sk->sk_err) && !(READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN);
}

static inline bool op_hopeless(const struct wsock_op *op, const struct sock *sk)
{
	if (unlikely(op->code == WSOCK_OP_ACCEPT) && !op_is_away(op))
		return wsock_acceptance_hopeless(sk);
	return op_is_recv(op) && recv_hopeless(sk, op->msg_flags);
}

#define IN_MASK		(EPOLLIN | EPOLLRDNORM | EPOLLPRI | EPOLLRDHUP | EPOLLERR | EPOLLHUP)
#define OUT_MASK	(EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND | EPOLLERR | EPOLLHUP)

/* Whose wake-ups are for it. */
static struct wsock_watch *op_watch(const struct wsock_op *op)
{
	return unlikely(op_is_away(op)) ? &op->acceptance->watch : &op->socket->watch;
}

/* Is it told of all that moves it on? The socket's wake-ups do not move each. */
static bool op_is_watched(const struct wsock_op *op)
{
	return op_watch(op)->armed || op->code == WSOCK_OP_ADDRESSES;
}

/*
 * Who has the turn begins to look whether the operation can go on: what came before
 * is seen, and what comes from now on is told, if the socket is watched.
 */
static void lane_look(struct wsock_op *op)
{
	lockdep_assert_held(&op->socket->lock);
	op->lane->woken = !op_is_watched(op);
}

/* From now on wake-ups are seen; what came before has to be looked for. */
static noinline void watch_arm(struct wsock_socket *s, struct wsock_watch *watch,
			       struct socket *sock)
{
	spin_lock_irq(&sock->wq.wait.lock);
	spin_lock(&s->lock);
	if (!watch->armed) {
		__add_wait_queue(&sock->wq.wait, &watch->wait);
		WRITE_ONCE(watch->armed, true);
	}
	spin_unlock(&s->lock);
	spin_unlock_irq(&sock->wq.wait.lock);
	/* Pairs with the barrier in wq_has_sleeper(). */
	smp_mb();
}

/* With both locks. */
static void watch_disarm(struct wsock_socket *s, struct wsock_watch *watch,
			 struct socket *sock)
{
	__remove_wait_queue(&sock->wq.wait, &watch->wait);
	WRITE_ONCE(watch->armed, false);
	if (watch == &s->watch)
		for (int i = 0; i < WSOCK_LANES; i++)
			s->lanes[i].woken = true;
}

/**
 * wsock_op_unwatch - see no wake-ups any more
 * @s: the socket whose operations they were for, of which none waits
 * @watch: of it, or of one of its acceptances
 * @sock: what is watched
 */
void wsock_op_unwatch(struct wsock_socket *s, struct wsock_watch *watch,
		      struct socket *sock)
{
	if (!READ_ONCE(watch->armed))
		return;
	spin_lock_irq(&sock->wq.wait.lock);
	spin_lock(&s->lock);
	if (watch->armed)
		watch_disarm(s, watch, sock);
	spin_unlock(&s->lock);
	spin_unlock_irq(&sock->wq.wait.lock);
}

/*
 * After a try in vain: leave RUNNING for QUEUED, unless there is a reason to go
 * on. Returns -EIOCBQUEUED when the operation is others' now, -EAGAIN to try
 * again, or why it was told to end.
 */
static int op_wait(struct wsock_op *op, struct socket *sock)
{
	struct wsock_socket *s = op->socket;
	struct wsock_lane *lane = op->lane;
	int ret;

	spin_lock_irq(&s->lock);
	if (!op_is_watched(op)) {
		spin_unlock_irq(&s->lock);
		watch_arm(s, op_watch(op), sock);
		spin_lock_irq(&s->lock);
	}
	if (op->cancel) {
		ret = op->cancel;
	} else if (lane->woken) {
		lane_look(op);
		ret = -EAGAIN;
	} else {
		lane->running = NULL;
		list_add(&op->node, &lane->ops);
		WRITE_ONCE(op->state, OP_QUEUED);
		wsock_socket_leave(s);
		ret = -EIOCBQUEUED;
	}
	spin_unlock_irq(&s->lock);
	return ret;
}

/* ------------------------------------------------------------------------- */
/* Asking for an executor */

static void op_work(struct work_struct *work);
static void op_task_work(struct callback_head *head);
static void op_schedule_uring(struct wsock_op *op);

static void op_schedule_worker(struct wsock_op *op)
{
	INIT_WORK(&op->work, op_work);
	queue_work(op_workqueue, &op->work);
}

/* To its port: to be executed, or as the packet of its end. */
static bool op_queue(struct wsock_op *op, enum wsock_item_kind kind)
{
	op->item.kind = kind;
	return wsock_port_queue(op->port, &op->item);
}

/* Wake who waits for its end: it has ended, or there may be something for it. */
static inline void op_poke(struct wsock_op *op)
{
	lockdep_assert_held(&op->socket->lock);
	op->poked = true;
	if (op->waiter)
		wake_up_process(op->waiter);
	if (unlikely(code_lane(op->socket, op->code)->nr_waiters))
		wake_up_all(&op->socket->ctx->idle);
}

static void op_schedule(struct wsock_op *op)
{
	lockdep_assert_held(&op->socket->lock);
	op_poke(op);
	op->in_port = op_runs_in_port(op);
	if (op->in_port) {
		op->scheduled = true;
		if (op_queue(op, WSOCK_ITEM_OP))
			return;
		/* It was abandoned; the status and the buffers remain. */
		op->in_port = false;
	} else if (op->waiter) {
		return;
	}
	op->scheduled = true;
	if (op->cmd) {
		op_schedule_uring(op);
		return;
	}
	init_task_work(&op->task_work, op_task_work);
	if (READ_ONCE(wsock_workers) || !wsock_task_work_add(op->task, &op->task_work))
		op_schedule_worker(op);
}

static struct wsock_op *lane_head(struct wsock_lane *lane)
{
	return list_first_entry_or_null(&lane->ops, struct wsock_op, node);
}

/*
 * There may be something for the lane: whoever has its turn looks again, or the
 * first that waits is asked to. Returns whether there is anybody.
 */
static bool lane_kick(struct wsock_lane *lane)
{
	struct wsock_op *op = lane_head(lane);

	if (lane->running || wsock_lane_inline(lane))
		lane->woken = true;
	else if (!op)
		return false;
	else if (!op->scheduled)
		op_schedule(op);
	else
		op_poke(op);
	return true;
}

/* The head's turn: it runs. */
static inline void lane_take(struct wsock_lane *lane, struct wsock_op *op)
{
	list_del(&op->node);
	WRITE_ONCE(op->state, OP_RUNNING);
	op->poked = false;
	lane->running = op;
	lane_look(op);
}

/**
 * wsock_op_wake - the socket's wait queue was woken
 * @wait: our entry
 * @mode: not used
 * @sync: not used
 * @key: what for
 *
 * Runs with the wait queue locked, often in softirq: it only asks for
 * executors. Where nobody needs one, no more wake-ups are wanted.
 *
 * Return: 0, so that others are woken, too.
 */
int wsock_op_wake(struct wait_queue_entry *wait, unsigned int mode, int sync,
		  void *key)
{
	struct wsock_socket *s = container_of(wait, struct wsock_socket, watch.wait);
	__poll_t mask = key_to_poll(key);
	bool wanted = false;

	spin_lock(&s->lock);
	if (!mask || (mask & IN_MASK))
		wanted |= lane_kick(&s->lanes[WSOCK_IN]);
	if (!mask || (mask & OUT_MASK))
		wanted |= lane_kick(&s->lanes[WSOCK_OUT]);
	if (!wanted && !wsock_socket_pends(s))
		watch_disarm(s, &s->watch, s->sock);
	spin_unlock(&s->lock);
	return 0;
}

/* The same of the connection that an operation went away with. */
static int op_accept_wake(struct wait_queue_entry *wait, unsigned int mode, int sync,
			  void *key)
{
	struct wsock_acceptance *a = container_of(wait, struct wsock_acceptance, watch.wait);
	__poll_t mask = key_to_poll(key);

	if (mask && !(mask & IN_MASK))
		return 0;
	spin_lock(&a->listener->lock);
	lane_kick(&a->lane);
	spin_unlock(&a->listener->lock);
	return 0;
}

/**
 * wsock_op_notice - the local addresses have changed
 * @s: a socket of that family, locked
 */
void wsock_op_notice(struct wsock_socket *s)
{
	lockdep_assert_held(&s->lock);
	WRITE_ONCE(s->address_changes, s->address_changes + 1);
	lane_kick(&s->lanes[WSOCK_NOTICES]);
}

/* ------------------------------------------------------------------------- */
/* Ending one */

static u32 result_status(const struct sock *sk, int result)
{
	return result ? wsock_status(-result, sk->sk_type == SOCK_STREAM) : 0;
}

static void write_status(u64 ov, u64 internal, u64 done, u32 out_flags)
{
	struct wsock_status __user *status = u64_to_user_ptr(ov);

	if (!user_write_access_begin(status, sizeof(*status)))
		return;
	unsafe_put_user(done, &status->internal_high, efault);
	unsafe_put_user(out_flags, &status->flags, efault);
	/* Pairs with the acquire of whoever polls the status. */
	smp_wmb();
	unsafe_put_user(internal, &status->internal, efault);
efault:
	user_write_access_end();
}

/*
 * What the program sees in its memory. Only somebody who runs in that memory
 * writes: at exit nobody does, and nobody would look.
 */
static void op_write_status(struct wsock_op *op)
{
	if ((op->flags & WSOCK_CMD_STATUS) && current->mm == op->socket->ctx->mm)
		write_status(op->ov, result_status(op->socket->sk, op->result), op->done,
			     op->out_flags);
}

static void op_forget_name(struct wsock_op *op)
{
	struct wsock_bucket *bucket = name_bucket(op->socket->ctx, op->ov);

	spin_lock_irq(&bucket->lock);
	hlist_del(&op->hash);
	spin_unlock_irq(&bucket->lock);
}

/*
 * The last act: tell the ring of an operation that pended; queue the packet,
 * which is the operation itself; or there is nothing left to tell.
 */
static inline void op_deliver(struct wsock_op *op, unsigned int issue_flags)
{
	if (op->cmd && op->pending)
		wsock_uring_done(op->cmd, op->result ?: op->done, issue_flags);
	if (!op->packet || !op_queue(op, WSOCK_ITEM_ENDED))
		op_put(op);
}

/*
 * Of what ends at once, is anything told but the return value? Of failures nothing; a
 * datagram that was cut was received, however.
 */
static bool code_notifies(u32 code, int result)
{
	return !result || (result == -EMSGSIZE && code_is_recv(code));
}

/* If so, is it told by a packet? */
static bool socket_leaves_packet(const struct wsock_socket *s, int result)
{
	return result || !(READ_ONCE(s->modes) & WSOCK_MODE_SKIP_ON_SUCCESS);
}

static bool op_leaves_packet(const struct wsock_op *op, bool notify)
{
	if (op->flags & WSOCK_CMD_APC)
		return notify;
	return op->pending || (notify && socket_leaves_packet(op->socket, op->result));
}

/*
 * The result is there: show it to the program. @notify: the event, and a
 * completion routine, shall learn of it; a socket's port always does.
 */
static void op_show(struct wsock_op *op, bool notify)
{
	struct wsock_context *ctx = op->socket->ctx;

	if (unlikely(op->code == WSOCK_OP_ACCEPT))
		wsock_acceptance_end(op->acceptance, op->result);
	if (op->pending)
		atomic64_inc(op->result == -ECANCELED ? &ctx->cancelled : &ctx->completed);
	op_write_status(op);
	if (op->port)
		op->packet = op_leaves_packet(op, notify);
	if (op->event && notify)
		eventfd_signal(op->event);
	if (op->pending && op->ov)
		op_forget_name(op);
}

/* It has ended, and @notify as for op_show(); under the lock. */
static inline void op_set_ended(struct wsock_op *op, bool notify)
{
	struct wsock_socket *s = op->socket;

	/* Under the lock, so that whoever gave the socket its event does not miss it. */
	if (notify && unlikely(op_uses_socket_event(op)) && !(s->modes & WSOCK_MODE_SKIP_EVENT))
		eventfd_signal(s->event);
	WRITE_ONCE(op->state, OP_ENDED);
	op_poke(op);
}

/* With the last operation of a lane its door opens again. */
static void lane_open(struct wsock_socket *s, struct wsock_lane *lane)
{
	if (!lane->nr_ops && !s->dead)
		atomic_andnot(WSOCK_LANE_CLOSED, &lane->door);
}

static void lane_add(struct wsock_lane *lane, const struct wsock_op *op)
{
	WRITE_ONCE(lane->nr_ops, lane->nr_ops + 1);
	lane->nr_eager += !op_is_patient(op);
}

static inline void lane_remove(struct wsock_socket *s, struct wsock_lane *lane,
			       const struct wsock_op *op)
{
	if (unlikely(op_is_away(op))) {
		list_del(&op->acceptance->node);
		WRITE_ONCE(s->nr_away, s->nr_away - 1);
	}
	WRITE_ONCE(lane->nr_ops, lane->nr_ops - 1);
	lane->nr_eager -= !op_is_patient(op);
	lane_open(s, lane);
}

/* Take an operation that waits out of its lane, to end it with @err. */
static bool op_claim(struct wsock_op *op, int err)
{
	struct wsock_socket *s = op->socket;
	struct wsock_lane *lane = op->lane;

	lockdep_assert_held(&s->lock);
	if (op->state != OP_QUEUED)
		return false;
	list_del(&op->node);
	lane_remove(s, lane, op);
	WRITE_ONCE(op->state, OP_ENDING);
	op->result = err;
	s->busy++;
	/* Somebody was to look for data for it: the next one's executor must now. */
	if (op->poked && !s->dead)
		lane_kick(lane);
	op->poked = false;
	return true;
}

/* Tell one that runs to end with @err when it would wait again. */
static bool op_interrupt(struct wsock_op *op, int err, bool notify)
{
	if (op->state != OP_RUNNING || op->cancel)
		return false;
	lockdep_assert_held(&op->socket->lock);
	op->silent = !notify;
	/* Pairs with op_finish(), which does not wait for the lock. */
	smp_store_release(&op->cancel, err);
	return true;
}

/* A receive that is over: what it left behind is a network event. */
static void was_received(struct wsock_socket *s, u32 msg_flags)
{
	struct wsock_netevents *n = READ_ONCE(s->netevents);

	if (unlikely(n))
		wsock_netevents_reenable(n, msg_flags & MSG_OOB ? WSOCK_EVENT_OOB :
								  WSOCK_EVENT_READ);
}

/* Likewise connections that are left. */
static void was_accepted(struct wsock_socket *s)
{
	struct wsock_netevents *n = READ_ONCE(s->netevents);

	if (unlikely(n))
		wsock_netevents_reenable(n, WSOCK_EVENT_ACCEPT);
}

/* The caller keeps @op, and thus the socket. */
static inline void op_received(const struct wsock_op *op)
{
	if (likely(!READ_ONCE(op->socket->netevents)))
		return;
	if (op->code == WSOCK_OP_RECV || op->code == WSOCK_OP_RECVMSG)
		was_received(op->socket, op->msg_flags);
	else if (unlikely(op->code == WSOCK_OP_ACCEPT))
		was_accepted(op->socket);
}

/* End a claimed operation. */
static void op_end(struct wsock_op *op, bool notify, unsigned int issue_flags)
{
	struct wsock_socket *s = op->socket;
	bool deliver;

	op_show(op, notify);
	if (op->pending)
		fput(op->file);
	op_received(op);

	spin_lock_irq(&s->lock);
	op_set_ended(op, notify);
	/* With an executor on its way, op_execute() delivers. */
	deliver = !op->scheduled;
	wsock_socket_leave(s);
	spin_unlock_irq(&s->lock);
	if (deliver)
		op_deliver(op, issue_flags);
}

/* May @ex run @op as well? */
static bool op_may_take(const struct op_executor *ex, const struct wsock_op *op)
{
	if (ex->budget <= 0 || ex->ring != op_ring(op) || op_runs_in_port(op))
		return false;
	return op->task == current || (ex->worker && !op->cmd);
}

/*
 * The turn passes to the lane's next operation: it runs here and now (the
 * return value), or its executor is asked for, or it stays as it is when there
 * is nothing for it.
 */
static struct wsock_op *lane_next(struct wsock_socket *s, struct wsock_lane *lane,
				  struct op_executor *ex)
{
	struct wsock_op *op = lane_head(lane);

	lockdep_assert_held(&s->lock);
	if (!op)
		return NULL;
	if (op->scheduled) {
		op_poke(op);
		return NULL;
	}
	if (op_watch(op)->armed && op_hopeless(op, s->sk))
		return NULL;
	if (!op_may_take(ex, op)) {
		op_schedule(op);
		return NULL;
	}
	ex->budget--;
	lane_take(lane, op);
	return op;
}

/*
 * The turn is given back. Returns the operation that @ex has to run next,
 * RUNNING already: until that ends the caller stays among the busy.
 */
static struct wsock_op *lane_release(struct wsock_socket *s, const struct wsock_op *op,
				     struct op_executor *ex)
{
	struct wsock_lane *lane = op->lane;

	lane->running = NULL;
	lane_remove(s, lane, op);
	return lane->nr_ops ? lane_next(s, lane, ex) : NULL;
}

/*
 * A RUNNING operation has its result. Its status is written while it is still
 * its lane's running one, so one visit to the lock ends it and passes the turn.
 * Returns the operation that @ex has to run next, RUNNING already.
 */
static struct wsock_op *op_finish(struct wsock_op *op, int ret, struct op_executor *ex)
{
	/* Pairs with op_interrupt(). */
	int cancel = smp_load_acquire(&op->cancel);
	struct wsock_socket *s = op->socket;
	bool silent = cancel && op->silent;
	bool notify, deliver, queued = false;
	struct wsock_op *next;

	/* What it saw may be the reset of the release that told it to end. */
	if (op->pending && silent && (ret || !op->done))
		ret = cancel;
	op->result = ret;
	notify = op->pending ? !(silent && ret == cancel) : code_notifies(op->code, ret);
	op_show(op, notify);

	spin_lock_irq(&s->lock);
	op_set_ended(op, notify);
	/* In the queue of its port, it is collected from there. */
	deliver = !op->scheduled && op != ex->collect;
	/* Its packet goes ahead of what the next one leaves there; we are not done. */
	if (deliver && op->packet) {
		refcount_inc(&op->refs);
		queued = op_queue(op, WSOCK_ITEM_ENDED);
		if (!queued)
			refcount_dec(&op->refs);
	}
	next = lane_release(s, op, ex);
	if (!next)
		wsock_socket_leave(s);
	spin_unlock_irq(&s->lock);

	op_received(op);
	if (op->pending)
		fput(op->file);
	if (op == ex->collect)
		ex->collected = true;
	else if (queued)
		op_put(op);
	else if (deliver)
		op_deliver(op, ex->issue_flags);
	return next;
}

/* ------------------------------------------------------------------------- */
/* Executors */

/*
 * An ACCEPT has its connection: the listener's lane is for the next one, and it
 * goes on in a lane of its own. Before, the acceptor has to become that connection,
 * which takes the context's lock; whoever holds that may wait for all that run, so
 * meanwhile the operation is QUEUED, and may be ended by others. Returns -EAGAIN
 * for another try, why it ends, or -EIOCBQUEUED when it is others'.
 */
static noinline int op_go_away(struct wsock_op *op)
{
	struct wsock_acceptance *a = op->acceptance;
	struct op_executor none = {};
	struct wsock_socket *s = op->socket;
	struct file *listening = op->file;
	int ret;

	spin_lock_irq(&s->lock);
	if (op->cancel) {
		spin_unlock_irq(&s->lock);
		return op->cancel;
	}
	lane_release(s, op, &none);
	op->lane = &a->lane;
	op->file = get_file(a->file);
	lane_add(op->lane, op);
	list_add(&a->node, &s->away);
	WRITE_ONCE(s->nr_away, s->nr_away + 1);
	list_add(&op->node, &a->lane.ops);
	WRITE_ONCE(op->state, OP_QUEUED);
	refcount_inc(&op->refs);
	wsock_socket_leave(s);
	spin_unlock_irq(&s->lock);

	fput(listening);
	was_accepted(s);

	ret = -EIOCBQUEUED;
	if (!mutex_lock_killable(&s->ctx->lock)) {
		spin_lock_irq(&s->lock);
		if (op->state == OP_QUEUED) {
			lane_take(op->lane, op);
			s->busy++;
			ret = 0;
		}
		spin_unlock_irq(&s->lock);
		if (!ret)
			ret = wsock_acceptance_install(a) ?: -EAGAIN;
		mutex_unlock(&s->ctx->lock);
	}
	op_put(op);
	return ret;
}

/* Run operations that pended, from @op on, which is RUNNING. */
static void op_run(struct wsock_op *op, struct op_executor *ex)
{
	do {
		int ret;

		do {
			struct socket *sock = sock_from_file(op->file);

			ret = op_try(op, sock);
			if (ret == OP_ACCEPTED)
				ret = op_go_away(op);
			else if (ret == -EAGAIN)
				ret = op_wait(op, sock);
		} while (ret == -EAGAIN);
		if (ret == -EIOCBQUEUED)
			return;
		op = op_finish(op, ret, ex);
	} while (op);
}

/* An executor has come for @op. */
static void op_execute(struct wsock_op *op, struct op_executor *ex)
{
	struct wsock_socket *s = op->socket;
	bool home = current->mm == s->ctx->mm;
	u8 state;

	spin_lock_irq(&s->lock);
	state = op->state;
	if (state == OP_QUEUED && !home && !ex->worker) {
		/* The submitting thread is gone; the process may not be. */
		spin_unlock_irq(&s->lock);
		op_schedule_worker(op);
		return;
	}
	op->scheduled = false;
	if (state == OP_QUEUED && home) {
		lane_take(op->lane, op);
		s->busy++;
	} else if (state == OP_QUEUED) {
		op_claim(op, -ECANCELED);
	}
	spin_unlock_irq(&s->lock);

	/* One that is ENDING or RUNNING is delivered by whoever ends it. */
	if (state == OP_ENDED && op == ex->collect)
		ex->collected = true;
	else if (state == OP_ENDED)
		op_deliver(op, ex->issue_flags);
	else if (state == OP_QUEUED && home)
		op_run(op, ex);
	else if (state == OP_QUEUED)
		op_end(op, false, ex->issue_flags);
}

WSOCK_URING_TASK_WORK(op_uring_work)
{
	struct wsock_op *op = io_uring_cmd_to_pdu(cmd, struct op_pdu)->op;
	struct op_executor ex = {
		.ring = op_ring(op),
		.issue_flags = issue_flags,
		.budget = EXEC_BUDGET,
	};

	op_execute(op, &ex);
}

/*
 * Not the lazy variant: a thread that waits for several completions would
 * sleep while the operation behind this one has its data.
 */
static void op_schedule_uring(struct wsock_op *op)
{
	io_uring_cmd_complete_in_task(op->cmd, op_uring_work_tw);
}

static void op_task_work(struct callback_head *head)
{
	struct wsock_op *op = container_of(head, struct wsock_op, task_work);
	struct op_executor ex = { .budget = EXEC_BUDGET };

	op_execute(op, &ex);
}

static void op_work(struct work_struct *work)
{
	struct wsock_op *op = container_of(work, struct wsock_op, work);
	struct op_executor ex = {
		.ring = op_ring(op),
		.issue_flags = IO_URING_F_UNLOCKED,
		.worker = true,
		.budget = EXEC_BUDGET,
	};
	struct mm_struct *mm = op->socket->ctx->mm;
	const struct cred *cred, *old;

	if (!mmget_not_zero(mm)) {
		op_execute(op, &ex);
		return;
	}
	cred = get_task_cred(op->task);
	old = override_creds(cred);
	kthread_use_mm(mm);
	op_execute(op, &ex);
	kthread_unuse_mm(mm);
	revert_creds(old);
	put_cred(cred);
	mmput(mm);
}

/* Returns whether it has ended: otherwise it is not ours. */
static noinline bool op_collect(struct wsock_op *op)
{
	struct op_executor ex = { .collect = op };

	op_execute(op, &ex);
	return ex.collected;
}

static bool op_copy_packet(const struct wsock_op *op, struct wsock_packet __user *to)
{
	u64 internal = (u64)op->tag << 32 | result_status(op->socket->sk, op->result);

	if (!user_write_access_begin(to, sizeof(*to)))
		return false;
	unsafe_put_user(op->key, &to->key, efault);
	unsafe_put_user(op->ov, &to->ov, efault);
	unsafe_put_user(internal, &to->internal, efault);
	unsafe_put_user((u32)op->done, &to->bytes, efault);
	unsafe_put_user(op->out_flags, &to->flags, efault);
	user_write_access_end();
	return true;
efault:
	user_write_access_end();
	return false;
}

/**
 * wsock_op_dequeue - an operation was taken from its port's queue
 * @item: the operation
 * @to: where the program wants to be told of it
 *
 * Executes it, if that is not done already.
 *
 * Return: 0 when the program was told, and the operation is gone; -EFAULT when it
 * cannot be, and the operation is the caller's; -EAGAIN when there is no packet: it
 * waits again, or another ends it just now and will queue it anew.
 */
int wsock_op_dequeue(struct wsock_item *item, struct wsock_packet __user *to)
{
	struct wsock_op *op = container_of(item, struct wsock_op, item);

	if (item->kind == WSOCK_ITEM_OP && !op_collect(op))
		return -EAGAIN;
	if (unlikely(!op_copy_packet(op, to)))
		return -EFAULT;
	op_put(op);
	return 0;
}

/**
 * wsock_op_abandon - an operation was in the queue of a port that is abandoned
 * @item: the operation; it goes on without a packet
 */
void wsock_op_abandon(struct wsock_item *item)
{
	struct wsock_op *op = container_of(item, struct wsock_op, item);
	u8 state = OP_ENDED;

	if (item->kind == WSOCK_ITEM_OP) {
		spin_lock_irq(&op->socket->lock);
		state = op->state;
		op->scheduled = false;
		if (state == OP_QUEUED)
			op_schedule(op);
		spin_unlock_irq(&op->socket->lock);
	}
	if (state == OP_ENDED)
		op_put(op);
}

/*
 * What the one who waits for the end of @op shall execute: that, or what it
 * waits behind and what may wait for long for a thread to come to its port.
 */
static struct wsock_op *op_due(struct wsock_op *op)
{
	struct wsock_lane *lane = op->lane;
	struct wsock_op *head = lane_head(lane);

	lockdep_assert_held(&op->socket->lock);
	if (op->state != OP_QUEUED || lane->running || !head->poked || head->cmd)
		return NULL;
	return head == op || op_is_ports(head) ? head : NULL;
}

/* Execute it, with the lock, which is released; a port may have it in its queue. */
static void op_run_locked(struct wsock_op *op, struct op_executor *ex)
{
	struct wsock_socket *s = op->socket;

	/* Whoever collects it from there may do so before we are done. */
	refcount_inc(&op->refs);
	lane_take(op->lane, op);
	s->busy++;
	spin_unlock_irq(&s->lock);
	op_run(op, ex);
	op_put(op);
	spin_lock_irq(&s->lock);
}

/* Who waits for the end of @op executes what is due. */
static void op_pump(struct wsock_op *op)
{
	struct wsock_socket *s = op->socket;
	struct op_executor ex = { .budget = EXEC_BUDGET };
	struct wsock_op *due;

	spin_lock_irq(&s->lock);
	due = op_due(op);
	if (due)
		op_run_locked(due, &ex);
	spin_unlock_irq(&s->lock);
}

/*
 * Take the head back from the queue of its port: from now on it is executed as those
 * that must not wait. A thread that has taken it from there is on its way to do so.
 */
static struct wsock_op *lane_take_back(struct wsock_lane *lane)
{
	struct wsock_op *op = lane_head(lane);

	/* While one of the lane runs, none that waits is scheduled. */
	if (!op || !op->scheduled || !op->in_port || !wsock_port_unqueue(op->port, &op->item))
		return NULL;
	op->scheduled = false;
	return op;
}

static void lane_reschedule(struct wsock_lane *lane)
{
	struct wsock_op *op = lane_take_back(lane);

	if (op)
		op_schedule(op);
}

/*
 * What waits in a port shall not hold up those behind it, which must not wait. An
 * ACCEPT takes the context's lock, so under the lock of a ring (@uring) another
 * executes it.
 */
static void lane_pump(struct wsock_socket *s, struct wsock_lane *lane, bool uring)
{
	struct op_executor ex = { .worker = true, .budget = EXEC_BUDGET };
	struct wsock_op *op;

	spin_lock_irq(&s->lock);
	if (uring) {
		lane_reschedule(lane);
	} else {
		op = lane_take_back(lane);
		if (op)
			op_run_locked(op, &ex);
	}
	spin_unlock_irq(&s->lock);
}

/**
 * wsock_op_set_eager - no end may wait any more until a thread comes to the port
 * @s: the socket, locked; it has an event now
 */
void wsock_op_set_eager(struct wsock_socket *s)
{
	struct wsock_acceptance *a;

	lockdep_assert_held(&s->lock);
	for (int i = 0; i < WSOCK_LANES; i++)
		lane_reschedule(&s->lanes[i]);
	list_for_each_entry(a, &s->away, node)
		lane_reschedule(&a->lane);
}

/* ------------------------------------------------------------------------- */
/* Submitting one */

/* Why a dead socket takes no operation. */
static int op_refusal(const struct wsock_socket *s)
{
	return wsock_no_socket(s->ctx);
}

/*
 * Take the turn of a lane for a submission that has no operation yet, if there
 * is none before it. The socket needs no reference then: wsock_socket_free()
 * waits for the end of the turn.
 */
static bool lane_enter(struct wsock_lane *lane)
{
	int open = 0;

	return atomic_try_cmpxchg(&lane->door, &open, WSOCK_LANE_INLINE);
}

static noinline void lane_leave_slow(struct wsock_socket *s, struct wsock_lane *lane,
				     struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	struct op_executor ex = submitter(cmd, issue_flags);
	struct wsock_op *next = NULL;
	bool free = false;

	spin_lock_irq(&s->lock);
	atomic_andnot(WSOCK_LANE_INLINE, &lane->door);
	if (s->dead) {
		wake_up_all(&s->ctx->idle);
		free = s->orphan && !wsock_socket_inline(s);
	}
	if (lane->nr_ops)
		next = lane_next(s, lane, &ex);
	if (next)
		s->busy++;
	spin_unlock_irq(&s->lock);
	if (next)
		op_run(next, &ex);
	if (free)
		wsock_socket_free(s);
}

/* Give that turn back; operations may have queued behind it. */
static __always_inline void lane_leave(struct wsock_socket *s, struct wsock_lane *lane,
				       struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	int mine = WSOCK_LANE_INLINE;

	if (unlikely(!atomic_try_cmpxchg(&lane->door, &mine, 0)))
		lane_leave_slow(s, lane, cmd, issue_flags);
}

/*
 * Give an operation its place, with the lock: @behind others, at their head when it
 * looked in @vain, or running. Returns as op_enqueue().
 */
static inline int op_place(struct wsock_op *op, bool behind, bool vain)
{
	struct wsock_socket *s = op->socket;
	struct wsock_lane *lane = op->lane;

	lockdep_assert_held(&s->lock);
	if (s->dead && !op->pending)
		return op_refusal(s);
	if (s->dead || op->cancel) {
		WRITE_ONCE(op->state, OP_ENDING);
		op->result = op->cancel ?: -ECANCELED;
		s->busy++;
		return -ECANCELED;
	}
	lane_add(lane, op);
	if (behind || vain) {
		/* With the turn it is ahead of those that came meanwhile. */
		list_add(&op->node, behind ? lane->ops.prev : &lane->ops);
		WRITE_ONCE(op->state, OP_QUEUED);
		return -EIOCBQUEUED;
	}
	lane->running = op;
	lane_look(op);
	s->busy++;
	return 0;
}

/*
 * Hand that turn to the operation that the submission had to make. @vain: it looked
 * or tried in vain; then it waits, unless something has come since. Returns as
 * op_enqueue().
 */
static int op_take_turn(struct wsock_op *op, bool vain)
{
	struct wsock_socket *s = op->socket;
	struct wsock_lane *lane = op->lane;
	int ret;

	spin_lock_irq(&s->lock);
	vain = vain && s->watch.armed && (!lane->woken || op_hopeless(op, s->sk));
	ret = op_place(op, false, vain);
	if (!ret || ret == -EIOCBQUEUED)
		atomic_set(&lane->door, WSOCK_LANE_CLOSED);
	spin_unlock_irq(&s->lock);
	return ret;
}

/* Would a new operation have to wait for its turn? */
static bool lane_busy(const struct wsock_lane *lane)
{
	return lane->nr_ops || wsock_lane_inline(lane);
}

/*
 * Give a new operation its place. Returns 0 with it RUNNING, -EIOCBQUEUED with
 * it queued behind others, -ECANCELED with it ENDING since it was cancelled on
 * its way, or another error with no operation.
 */
static int op_enqueue(struct wsock_op *op, struct socket *sock, struct file *devfile,
		      unsigned int issue_flags)
{
	struct wsock_socket *s = op->socket;
	struct wsock_lane *lane = op->lane;
	int ret;

	spin_lock_irq(&s->lock);
	atomic_or(WSOCK_LANE_CLOSED, &lane->door);
	if (!s->dead && (code_always_pends(op->code) || lane_busy(lane))) {
		/* It pends for sure, and has to be ready for its end. */
		if (unlikely(issue_flags & IO_URING_F_UNLOCKED)) {
			/* That may be a release, which waits until the status is written. */
			s->busy++;
			spin_unlock_irq(&s->lock);
			op_make_pending(op, sock->file, devfile, issue_flags);
			spin_lock_irq(&s->lock);
			wsock_socket_leave(s);
			atomic_or(WSOCK_LANE_CLOSED, &lane->door);
		} else {
			op_make_pending(op, sock->file, devfile, issue_flags);
		}
	}
	if (unlikely(op->code == WSOCK_OP_ADDRESSES))
		op->known = s->address_changes;
	ret = op_place(op, lane_busy(lane), false);
	lane_open(s, lane);
	spin_unlock_irq(&s->lock);
	return ret;
}

/*
 * A new operation has its lane's turn. Returns what the submitter is told: bytes,
 * a negative errno, or -EIOCBQUEUED for an operation that pends and is not the
 * submitter's any more.
 */
static noinline int op_issue(struct wsock_op *op, struct socket *sock, struct file *devfile,
			     unsigned int issue_flags)
{
	struct op_executor ex = submitter(op->cmd, issue_flags);
	struct wsock_op *next;
	int ret, value;

	if (!op->pending) {
		ret = op_try(op, sock);
		if (ret != -EAGAIN) {
			/* Once it has ended it is somebody else's, or nobody's. */
			value = ret ?: op->done;
			next = op_finish(op, ret, &ex);
			if (next)
				op_run(next, &ex);
			return value;
		}
		op_make_pending(op, sock->file, devfile, issue_flags);
	}
	op_run(op, &ex);
	return -EIOCBQUEUED;
}

/*
 * What was done before it was submitted: it is told, and waits for nobody. Returns
 * what the submitter is told.
 */
static noinline long submit_done(struct wsock_op *op, struct socket *sock,
				 struct file *devfile, unsigned int issue_flags)
{
	struct wsock_socket *s = op->socket;
	int refusal = 0, value = op->result ? -EIOCBQUEUED : 0;

	spin_lock_irq(&s->lock);
	if (s->dead)
		refusal = op_refusal(s);
	else
		s->busy++;
	op->state = OP_ENDING;
	spin_unlock_irq(&s->lock);
	if (refusal) {
		op_discard(op);
		return refusal;
	}
	if (op->result)
		op_make_pending(op, sock->file, devfile, issue_flags);
	op_end(op, true, issue_flags);
	return value;
}

/*
 * Submit what needs an operation of its own. With @turn the submission has the
 * turn of the lane, which passes to the operation, and transferred @done bytes
 * in it; @vain: it can do no more. Without, it has a reference to @s.
 */
static noinline long submit_op(struct wsock_socket *s, struct socket *sock,
			       struct file *devfile, const struct wsock_submit *args,
			       struct io_uring_cmd *cmd, unsigned int issue_flags,
			       bool turn, size_t done, bool vain)
{
	struct wsock_lane *lane = code_lane(s, args->op);
	struct wsock_op *op;
	bool eager;
	int ret;

	if (turn && !refcount_inc_not_zero(&s->refs)) {
		ret = op_refusal(s);
		goto leave;
	}
	op = op_create(s, lane, args, cmd, done);
	if (IS_ERR(op)) {
		ret = PTR_ERR(op);
		goto leave;
	}
	if (unlikely(op->code == WSOCK_OP_NOTIFY))
		return submit_done(op, sock, devfile, issue_flags);
	/* What is before it in a port must not wait there any longer. */
	eager = READ_ONCE(s->port) && !op_is_patient(op);
	if (unlikely(eager))
		refcount_inc(&s->refs);
	if (vain) {
		op_make_pending(op, sock->file, devfile, issue_flags);
		if (!READ_ONCE(s->watch.armed))
			watch_arm(s, &s->watch, sock);
	}
	ret = turn ? op_take_turn(op, vain) : op_enqueue(op, sock, devfile, issue_flags);
	/* If it is queued it may have ended: @eager keeps the socket for us. */
	if (unlikely(eager)) {
		if (ret == -EIOCBQUEUED)
			lane_pump(s, lane, cmd);
		wsock_socket_put(s);
	}
	if (likely(ret == -EIOCBQUEUED))
		return ret;
	if (!ret)
		return op_issue(op, sock, devfile, issue_flags);
	if (ret == -ECANCELED) {
		op_end(op, !READ_ONCE(s->dead), issue_flags);
		ret = -EIOCBQUEUED;
	} else {
		op_discard(op);
	}
leave:
	if (turn)
		lane_leave(s, lane, cmd, issue_flags);
	return ret;
}

/* What an operation may be given, whatever its socket is, of what most have not. */
static int check_special(const struct wsock_submit *args, bool uring)
{
	u32 flags = args->cmd.flags, msg_flags = args->cmd.msg_flags;

	/* An ACCEPT takes the context's lock, which a ring's must not be held for. */
	if (args->op >= 64 || !(WSOCK_OPS & BIT_ULL(args->op)) ||
	    (uring && args->op == WSOCK_OP_ACCEPT))
		return -EOPNOTSUPP;
	if ((flags & ~(WSOCK_CMD_STATUS | WSOCK_CMD_EVENT)) &&
	    (uring || (flags & ~(WSOCK_CMD_STATUS | WSOCK_CMD_EVENT | WSOCK_CMD_APC |
				 WSOCK_CMD_NO_PACKET)) ||
	     (flags & (WSOCK_CMD_EVENT | WSOCK_CMD_APC)) == (WSOCK_CMD_EVENT | WSOCK_CMD_APC)))
		return -EINVAL;
	if (args->cmd.event_fd && !(flags & (WSOCK_CMD_EVENT | WSOCK_CMD_APC)))
		return -EINVAL;
	if ((args->tag || args->key) && !(flags & WSOCK_CMD_APC))
		return -EINVAL;
	if (!msg_flags)
		return 0;
	if (args->op > WSOCK_OP_SENDMSG)
		return code_tells_errno(args->op) && msg_flags <= MAX_ERRNO ? 0 : -EINVAL;
	if (msg_flags & ~(code_is_recv(args->op) ? RECV_FLAGS : SEND_FLAGS))
		return -EINVAL;
	return (msg_flags & MSG_WAITALL) && msg_flags != MSG_WAITALL ? -EOPNOTSUPP : 0;
}

/* Nor have most anything for this to refuse. */
static __always_inline int check_status(const struct wsock_submit *args, u32 flags)
{
	if (!(flags & WSOCK_CMD_STATUS))
		return 0;
	if (unlikely(args->cmd.ov & 7))
		return -EINVAL;
	return likely(access_ok(u64_to_user_ptr(args->cmd.ov), sizeof(struct wsock_status))) ?
	       0 : -EFAULT;
}

/*
 * May it be tried before there is an operation? Not what has more to import, nor
 * what signals an event when it succeeds.
 */
static __always_inline bool is_plain(const struct wsock_submit *args, u32 flags,
				     const struct wsock_socket *s, bool uring)
{
	return code_is_plain(args->op) && args->len - 1 < MAX_RW_COUNT &&
	       !(flags & (WSOCK_CMD_EVENT | WSOCK_CMD_APC)) &&
	       (uring || !READ_ONCE(s->event));
}

/*
 * May it leave a packet when it ends at once? (A datagram that was cut has not quite
 * succeeded: it does so also where successes do not.)
 */
static __always_inline bool may_leave_packet(const struct wsock_socket *s, u32 flags, bool uring)
{
	return !uring && READ_ONCE(s->port) && !(flags & WSOCK_CMD_NO_PACKET) &&
	       !((READ_ONCE(s->modes) & WSOCK_MODE_SKIP_ON_SUCCESS) &&
		 s->sk->sk_type == SOCK_STREAM);
}

/* Try a RECV or SEND of which there is no operation yet. As op_try(). */
static __always_inline int try_plain(const struct wsock_submit *args, u32 flags, u32 msg_flags,
				     struct wsock_socket *s, struct socket *sock, size_t *done,
				     u32 *out_flags)
{
	void __user *buf = u64_to_user_ptr(args->addr);
	bool recv = code_is_recv(args->op);
	struct msghdr msg = {};
	int ret;

	if (unlikely(!access_ok(buf, args->len)))
		return -EFAULT;
	msg_flags |= MSG_DONTWAIT | MSG_NOSIGNAL;
	if (recv) {
		iov_iter_ubuf(&msg.msg_iter, ITER_DEST, buf, args->len);
		ret = sock_recvmsg(sock, &msg, msg_flags & ~MSG_WAITALL);
		ret = recv_result(sock, &msg, ret, msg_flags, done, out_flags);
	} else {
		iov_iter_ubuf(&msg.msg_iter, ITER_SOURCE, buf, args->len);
		msg.msg_flags = msg_flags;
		ret = sock_sendmsg(sock, &msg);
		ret = send_result(sock, ret, args->len, done);
	}
	if (unlikely(ret == -EAGAIN))
		return ret;
	if (flags & WSOCK_CMD_STATUS)
		write_status(args->cmd.ov, result_status(sock->sk, ret), *done, *out_flags);
	if (recv)
		was_received(s, msg_flags);
	return ret;
}

/*
 * The same, where it may leave a packet. Its memory, that of an operation, is there
 * before anything is transferred; it is in the port before the turn is given back,
 * ahead of what comes later in the lane, and before the end of a release.
 */
static noinline int try_packet(const struct wsock_submit *args, u32 flags, u32 msg_flags,
			       struct wsock_socket *s, struct wsock_lane *lane,
			       struct socket *sock, size_t *done)
{
	/* Pairs with wsock_socket_associate(). */
	struct wsock_port *port = smp_load_acquire(&s->port);
	struct wsock_op *op;
	int ret;

	if (!refcount_inc_not_zero(&s->refs))
		return op_refusal(s);
	op = op_alloc(s, lane, args, NULL);
	if (IS_ERR(op))
		return PTR_ERR(op);
	ret = try_plain(args, flags, msg_flags, s, sock, done, &op->out_flags);
	if (code_notifies(args->op, ret) && socket_leaves_packet(s, ret)) {
		op->port = port;
		op->key = s->key;
		op->tag = 0;
		op->state = OP_ENDED;
		op->result = ret;
		op->done = *done;
		op->packet = true;
	}
	op_deliver(op, 0);
	return ret;
}

/*
 * @flags and @msg_flags are those of @args: constants for most, of which each of
 * the two doors has a copy of this, so that what they do not need costs nothing.
 */
static __always_inline long submit(struct wsock_context *ctx, struct file *devfile,
				   const struct wsock_submit *args, u32 flags, u32 msg_flags,
				   bool uring, struct io_uring_cmd *cmd,
				   unsigned int issue_flags)
{
	struct wsock_socket *s;
	struct wsock_lane *lane;
	struct socket *sock;
	bool turn, vain;
	size_t done = 0;
	u32 out_flags = 0;
	int ret;

	if (unlikely(!READ_ONCE(ctx->registrations)))
		return -EBADFD;
	ret = check_status(args, flags);
	if (unlikely(ret))
		return ret;
	CLASS(fd, f)(args->fd);
	if (unlikely(fd_empty(f)))
		return -EBADF;

	rcu_read_lock_sched();
	s = wsock_socket_lookup(ctx, args->fd);
	if (unlikely(!s || !wsock_socket_is(s, fd_file(f)))) {
		rcu_read_unlock_sched();
		return wsock_no_socket(ctx);
	}
	sock = fd_file(f)->private_data;
	if (unlikely((msg_flags & MSG_WAITALL) && sock->type != SOCK_STREAM)) {
		rcu_read_unlock_sched();
		return -EOPNOTSUPP;
	}
	lane = code_lane(s, args->op);
	turn = !code_always_pends(args->op) && lane_enter(lane);
	if (unlikely(!turn) && !refcount_inc_not_zero(&s->refs)) {
		rcu_read_unlock_sched();
		return wsock_no_socket(ctx);
	}
	rcu_read_unlock_sched();

	vain = turn && code_is_recv(args->op) && recv_hopeless(sock->sk, msg_flags);
	/*
	 * A thread that was woken by what we sent may be due, and its answer is here
	 * then. Who takes a socket's lock to look for data gives way, too.
	 */
	if (vain && cond_resched())
		vain = recv_hopeless(sock->sk, msg_flags);
	if (likely(turn && !vain) && is_plain(args, flags, s, uring)) {
		ret = may_leave_packet(s, flags, uring) ?
		      try_packet(args, flags, msg_flags, s, lane, sock, &done) :
		      try_plain(args, flags, msg_flags, s, sock, &done, &out_flags);
		if (likely(ret != -EAGAIN)) {
			lane_leave(s, lane, cmd, issue_flags);
			return ret < 0 ? ret : done;
		}
		vain = true;
	}
	return submit_op(s, sock, devfile, args, cmd, issue_flags, turn, done, vain);
}

static noinline long submit_special(struct wsock_context *ctx, struct file *devfile,
				    const struct wsock_submit *args, struct io_uring_cmd *cmd,
				    unsigned int issue_flags)
{
	return check_special(args, cmd) ?:
	       submit(ctx, devfile, args, args->cmd.flags, args->cmd.msg_flags, cmd, cmd,
		      issue_flags);
}

/**
 * wsock_op_submit - submit an operation by ioctl
 * @ctx: the context
 * @devfile: the open it comes through
 * @arg: struct wsock_submit of the program
 *
 * Return: bytes, or a negative errno: -EINPROGRESS when it pends.
 */
long wsock_op_submit(struct wsock_context *ctx, struct file *devfile,
		     const void __user *arg)
{
	struct wsock_submit args;
	long ret;

	if (unlikely(!wsock_copy_in(&args, arg, sizeof(args))))
		return -EFAULT;
	if (likely(code_is_plain(args.op) && args.cmd.flags == WSOCK_CMD_STATUS &&
		   !(args.cmd.event_fd | args.cmd.msg_flags | args.tag | args.key)))
		ret = submit(ctx, devfile, &args, WSOCK_CMD_STATUS, 0, false, NULL, 0);
	else
		ret = submit_special(ctx, devfile, &args, NULL, 0);
	return ret == -EIOCBQUEUED ? -EINPROGRESS : ret;
}

/* All of a wsock_cmd that most do not have is in its second half. */
union cmd_words {
	struct wsock_cmd cmd;
	u64 word[2];
};

static_assert(sizeof(struct wsock_cmd) == 16 && offsetof(struct wsock_cmd, event_fd) == 8);

/**
 * wsock_op_submit_uring - submit an operation by io_uring
 * @ctx: the context
 * @cmd: the command
 * @issue_flags: how it is issued
 *
 * Return: bytes, a negative errno, or -EIOCBQUEUED when it pends.
 */
int wsock_op_submit_uring(struct wsock_context *ctx, struct io_uring_cmd *cmd,
			  unsigned int issue_flags)
{
	const struct io_uring_sqe *sqe = cmd->sqe;
	const u64 *sqe_cmd = (const u64 *)wsock_uring_sqe_cmd(cmd);
	/* The SQE is shared with the program: every field is read once. */
	union cmd_words words = { .word = { READ_ONCE(sqe_cmd[0]), READ_ONCE(sqe_cmd[1]) } };
	struct wsock_submit args = {
		.op = cmd->cmd_op,
		.fd = READ_ONCE(sqe->splice_fd_in),
		.addr = READ_ONCE(sqe->addr),
		.len = READ_ONCE(sqe->len),
		.cmd = words.cmd,
	};

	if (unlikely((cmd->flags & IORING_URING_CMD_MASK) | READ_ONCE(sqe->buf_index) |
		     READ_ONCE(sqe->ioprio)))
		return -EINVAL;
	if (likely(code_is_plain(args.op) && !words.word[1]))
		return submit(ctx, cmd->file, &args, 0, 0, true, cmd, issue_flags);
	return submit_special(ctx, cmd->file, &args, cmd, issue_flags);
}

/* ------------------------------------------------------------------------- */
/* Cancelling and waiting */

/**
 * wsock_op_cancel_uring - the ring of a command wants it back
 * @cmd: the command; pending
 *
 * From the end of a ring, exec and exit, with the ring's lock held, as often as
 * it takes. The completion still goes through task work: the end of a ring runs
 * in a worker, and a DEFER_TASKRUN ring is its thread's alone to complete on.
 */
void wsock_op_cancel_uring(struct io_uring_cmd *cmd)
{
	struct wsock_op *op = io_uring_cmd_to_pdu(cmd, struct op_pdu)->op;
	struct mm_struct *mm = op->socket->ctx->mm;
	bool claimed, deliver, entered;

	spin_lock_irq(&op->socket->lock);
	claimed = op_claim(op, -ECANCELED);
	deliver = claimed && !op->scheduled;
	if (deliver)
		op->scheduled = true;
	spin_unlock_irq(&op->socket->lock);
	if (!claimed)
		return;
	/* The process of a ring that ends in a worker may live. */
	entered = (current->flags & PF_KTHREAD) && !current->mm && mmget_not_zero(mm);
	if (entered)
		kthread_use_mm(mm);
	/*
	 * No event: exec and exit must signal none, as others may hold it, and
	 * a ring that is merely closed cannot be told from them.
	 */
	op_end(op, false, 0);
	if (entered) {
		kthread_unuse_mm(mm);
		mmput_async(mm);
	}
	if (deliver)
		op_schedule_uring(op);
}

static bool op_is(const struct wsock_op *op, enum wsock_whose whose)
{
	if (whose == WSOCK_EVERYBODYS)
		return true;
	if (whose == WSOCK_SENDS)
		return op->code == WSOCK_OP_SEND || op->code == WSOCK_OP_SENDMSG ||
		       op->code == WSOCK_OP_TRANSMIT;
	return op->task == current && (whose == WSOCK_MINE || !op_is_ports(op));
}

/* What of a socket is cancelled together, in steps. */
struct op_cancellation {
	int err;
	bool notify;
	enum wsock_whose whose;
	unsigned int left;
	unsigned int total;
	unsigned int n;
	struct wsock_op *batch[16];
};

/* The end of the connection is none of what it has nothing to do with. */
static int op_cancel_errno(const struct wsock_op *op, const struct op_cancellation *c)
{
	return op->code == WSOCK_OP_ADDRESSES ? -ECANCELED : c->err;
}

static void lane_cancel(struct wsock_lane *lane, struct op_cancellation *c)
{
	struct wsock_op *op = lane->running, *next;

	if (op && op_is(op, c->whose) && op_interrupt(op, op_cancel_errno(op, c), c->notify))
		c->total++;
	list_for_each_entry_safe(op, next, &lane->ops, node) {
		if (!c->left || c->n == ARRAY_SIZE(c->batch))
			break;
		if (!op_is(op, c->whose))
			continue;
		op_claim(op, op_cancel_errno(op, c));
		c->batch[c->n++] = op;
		c->left--;
	}
}

/**
 * wsock_op_cancel_all - cancel the operations of a socket
 * @s: the socket
 * @err: how they end
 * @notify: signal their events
 * @whose: which
 *
 * Those that are submitted meanwhile are not meant, unless the socket is dead and
 * there are none.
 *
 * Return: how many were told to end.
 */
unsigned int wsock_op_cancel_all(struct wsock_socket *s, int err, bool notify,
				 enum wsock_whose whose)
{
	struct op_cancellation c = {
		.err = err,
		.notify = notify,
		.whose = whose,
		.left = UINT_MAX,
	};
	struct wsock_acceptance *a, *next;

	do {
		c.n = 0;
		spin_lock_irq(&s->lock);
		c.left = min(c.left, s->lanes[WSOCK_IN].nr_ops + s->lanes[WSOCK_OUT].nr_ops +
				     s->lanes[WSOCK_NOTICES].nr_ops + s->nr_away);
		for (int i = 0; i < WSOCK_LANES; i++)
			lane_cancel(&s->lanes[i], &c);
		list_for_each_entry_safe(a, next, &s->away, node) {
			if (c.n == ARRAY_SIZE(c.batch))
				break;
			lane_cancel(&a->lane, &c);
		}
		spin_unlock_irq(&s->lock);
		for (unsigned int i = 0; i < c.n; i++)
			op_end(c.batch[i], notify, IO_URING_F_UNLOCKED);
		c.total += c.n;
		cond_resched();
	} while (c.n == ARRAY_SIZE(c.batch));
	return c.total;
}

/* References to operations of @s by the name of @ov that could be cancelled. */
static unsigned int names_collect(struct wsock_socket *s, u64 ov, struct wsock_op **batch,
				  unsigned int max)
{
	struct wsock_bucket *bucket = name_bucket(s->ctx, ov);
	struct wsock_op *op;
	unsigned int n = 0;

	spin_lock_irq(&bucket->lock);
	hlist_for_each_entry(op, &bucket->head, hash) {
		u8 state = READ_ONCE(op->state);

		if (n == max)
			break;
		if (op->ov == ov && op->socket == s &&
		    (state == OP_QUEUED || (state == OP_RUNNING && !READ_ONCE(op->cancel))) &&
		    refcount_inc_not_zero(&op->refs))
			batch[n++] = op;
	}
	spin_unlock_irq(&bucket->lock);
	return n;
}

/* Returns whether it was told to end. The caller has a reference. */
static bool op_cancel(struct wsock_op *op, int err)
{
	bool claimed, told;

	spin_lock_irq(&op->socket->lock);
	claimed = op_claim(op, err);
	told = claimed || op_interrupt(op, err, true);
	spin_unlock_irq(&op->socket->lock);
	if (claimed)
		op_end(op, true, IO_URING_F_UNLOCKED);
	return told;
}

/**
 * wsock_op_cancel_accepting - an acceptor goes, and with it what would accept for it
 * @s: the acceptor, dead
 */
void wsock_op_cancel_accepting(struct wsock_socket *s)
{
	struct wsock_op *op;

	spin_lock_irq(&s->lock);
	op = s->accepting;
	/* It is there until it ends, which takes the lock. */
	if (op)
		refcount_inc(&op->refs);
	spin_unlock_irq(&s->lock);
	if (!op)
		return;
	op_cancel(op, -ECANCELED);
	op_put(op);
}

static unsigned int op_cancel_named(struct wsock_socket *s, u64 ov)
{
	struct wsock_op *batch[16];
	unsigned int n, total = 0;

	do {
		n = names_collect(s, ov, batch, ARRAY_SIZE(batch));
		for (unsigned int i = 0; i < n; i++) {
			total += op_cancel(batch[i], -ECANCELED);
			op_put(batch[i]);
		}
		cond_resched();
	} while (n == ARRAY_SIZE(batch));
	return total;
}

/* The calling thread ends, and with it what it submitted. */
static int cancel_thread(struct wsock_context *ctx)
{
	struct wsock_socket *s;
	unsigned int n = 0;

	if (mutex_lock_killable(&ctx->lock))
		return -EINTR;
	list_for_each_entry(s, &ctx->sockets, node) {
		if (wsock_socket_pends(s) || READ_ONCE(s->nr_away))
			n += wsock_op_cancel_all(s, -ECANCELED, true, WSOCK_MINE_BOUND);
		cond_resched();
	}
	mutex_unlock(&ctx->lock);
	return n ?: -ENOENT;
}

/**
 * wsock_op_cancel - cancel operations of an owned socket
 * @ctx: the context
 * @args: which
 *
 * Return: how many were told to end, or -ENOENT.
 */
int wsock_op_cancel(struct wsock_context *ctx, const struct wsock_cancel *args)
{
	enum wsock_whose whose = WSOCK_EVERYBODYS;
	struct wsock_socket *s;
	unsigned int n;

	if (args->flags & WSOCK_CANCEL_THREAD)
		whose = WSOCK_MINE;
	else if (args->flags & WSOCK_CANCEL_SENDS)
		whose = WSOCK_SENDS;
	if (args->fd == -1 && whose == WSOCK_MINE)
		return cancel_thread(ctx);

	s = wsock_socket_get(ctx, args->fd);
	if (IS_ERR(s))
		return PTR_ERR(s);
	if (args->flags & WSOCK_CANCEL_ALL)
		n = wsock_op_cancel_all(s, -ECANCELED, true, whose);
	else
		n = op_cancel_named(s, args->ov);
	wsock_socket_put(s);
	return n ?: -ENOENT;
}

static struct wsock_op *name_find(struct wsock_context *ctx, u64 ov)
{
	struct wsock_bucket *bucket = name_bucket(ctx, ov);
	struct wsock_op *op, *found = NULL;

	spin_lock_irq(&bucket->lock);
	hlist_for_each_entry(op, &bucket->head, hash) {
		if (op->ov == ov && op->socket->ctx == ctx &&
		    refcount_inc_not_zero(&op->refs)) {
			found = op;
			break;
		}
	}
	spin_unlock_irq(&bucket->lock);
	return found;
}

static bool op_is_due(struct wsock_op *op)
{
	bool due;

	spin_lock_irq(&op->socket->lock);
	due = op_due(op);
	spin_unlock_irq(&op->socket->lock);
	return due;
}

/*
 * @deadline: NULL for ever; @expired: it has passed. Returns 1 at the end, 0 when the
 * time has passed, or a negative errno.
 */
static int op_wait_end(struct wsock_op *op, ktime_t *deadline, bool expired,
		       const struct wsock_port *alert)
{
	int ret;

	for (;;) {
		/* Pairs with op_poke(), and the wake-ups of both queues. */
		set_current_state(TASK_INTERRUPTIBLE);
		ret = 1;
		if (READ_ONCE(op->state) == OP_ENDED)
			break;
		if (op_is_due(op)) {
			__set_current_state(TASK_RUNNING);
			op_pump(op);
			continue;
		}
		ret = -EALREADY;
		if (alert && wsock_port_ready(alert))
			break;
		ret = 0;
		if (expired)
			break;
		ret = -ERESTARTSYS;
		if (signal_pending(current))
			break;
		expired = !schedule_hrtimeout_range(deadline, current->timer_slack_ns,
						    HRTIMER_MODE_ABS);
	}
	__set_current_state(TASK_RUNNING);
	return ret;
}

/*
 * The one who waits alone executes without being asked: then it is not
 * interrupted by task work of its own. In company, of others that wait or of a
 * port's threads, whoever comes first does.
 */
static void op_wait_begin(struct wsock_op *op, struct wait_queue_entry *entry)
{
	struct wsock_socket *s = op->socket;
	bool alone;

	init_waitqueue_entry(entry, current);
	spin_lock_irq(&s->lock);
	alone = !op->waiter && !op->cmd && !s->port;
	if (alone)
		op->waiter = current;
	else
		code_lane(s, op->code)->nr_waiters++;
	spin_unlock_irq(&s->lock);
	if (!alone)
		add_wait_queue(&s->ctx->idle, entry);
}

static void op_wait_finish(struct wsock_op *op, struct wait_queue_entry *entry)
{
	struct wsock_socket *s = op->socket;
	bool alone;

	spin_lock_irq(&s->lock);
	alone = op->waiter == current;
	if (alone) {
		op->waiter = NULL;
		/* Who shall execute it now? */
		if (op->poked && op->state == OP_QUEUED && !op->scheduled)
			op_schedule(op);
	} else {
		code_lane(s, op->code)->nr_waiters--;
	}
	spin_unlock_irq(&s->lock);
	if (!alone)
		remove_wait_queue(&s->ctx->idle, entry);
}

/**
 * wsock_op_wait - wait for the end of an operation
 * @ctx: the context
 * @args: which, and how long; what is left of the time is put back
 *
 * Also without time it executes what waits for somebody to do so.
 *
 * Return: 0 when no such operation is pending (any more), -ETIME, -EALREADY or
 * -ERESTARTSYS.
 */
long wsock_op_wait(struct wsock_context *ctx, struct wsock_wait *args)
{
	struct wait_queue_entry entry, alert_entry;
	struct wsock_port *alert = NULL;
	struct wsock_op *op;
	ktime_t deadline;
	int ret = 1;

	if (args->flags & WSOCK_PORT_ALERTABLE) {
		alert = wsock_port_get(args->alert_fd);
		if (IS_ERR(alert))
			return PTR_ERR(alert);
	}
	op = name_find(ctx, args->ov);
	if (!op)
		goto put;

	deadline = ktime_add_safe(ktime_get(), args->timeout_ns);
	if (alert)
		wsock_port_watch(alert, &alert_entry);
	op_wait_begin(op, &entry);
	ret = op_wait_end(op, args->timeout_ns < 0 ? NULL : &deadline, !args->timeout_ns, alert);
	op_wait_finish(op, &entry);
	if (alert)
		wsock_port_unwatch(alert, &alert_entry);
	op_put(op);
	if (ret == -ERESTARTSYS && args->timeout_ns >= 0)
		args->timeout_ns = max_t(s64, deadline - ktime_get(), 0);
put:
	if (alert)
		wsock_port_put(alert);
	return ret > 0 ? 0 : ret ?: -ETIME;
}

/* ------------------------------------------------------------------------- */

static void lane_count(struct wsock_lane *lane, struct wsock_op_counts *counts)
{
	if (!lane->nr_ops)
		return;
	counts->queued += lane->nr_ops - 1;
	if (lane->running)
		counts->running++;
	else if (lane_head(lane)->scheduled)
		counts->scheduled++;
	else
		counts->queued++;
}

/**
 * wsock_op_count - add up the pending operations of a socket
 * @s: the socket
 * @counts: to what
 */
void wsock_op_count(struct wsock_socket *s, struct wsock_op_counts *counts)
{
	struct wsock_acceptance *a;

	spin_lock_irq(&s->lock);
	for (int i = 0; i < WSOCK_LANES; i++)
		lane_count(&s->lanes[i], counts);
	list_for_each_entry(a, &s->away, node)
		lane_count(&a->lane, counts);
	spin_unlock_irq(&s->lock);
}

/**
 * wsock_op_total - operations of all contexts, until their memory is back
 *
 * Return: their number.
 */
long wsock_op_total(void)
{
	long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu(nr_operations, cpu);
	return sum;
}

/**
 * wsock_op_init - at module load
 *
 * Return: 0 or a negative errno.
 */
int __init wsock_op_init(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		spin_lock_init(&names[i].lock);
	op_cache = KMEM_CACHE(wsock_op, SLAB_ACCOUNT);
	if (!op_cache)
		return -ENOMEM;
	op_workqueue = alloc_workqueue("wsock", WQ_UNBOUND, 0);
	if (!op_workqueue) {
		kmem_cache_destroy(op_cache);
		return -ENOMEM;
	}
	return 0;
}

/**
 * wsock_op_exit - at module unload
 */
void wsock_op_exit(void)
{
	destroy_workqueue(op_workqueue);
	kmem_cache_destroy(op_cache);
}
