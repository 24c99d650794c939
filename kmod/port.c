// SPDX-License-Identifier: GPL-2.0
/*
 * Completion ports: a queue of packets, and threads that take them.
 *
 * Packets leave in the order in which they came. They are handed to the thread
 * that began to wait last, whose caches are the warmest. Handing over is one
 * step under the port's lock: the packet leaves the queue, its taker leaves the
 * waiters, and a slot is taken. So there is no wake-up that a thread which leaves
 * (its time has passed, a signal came) would have to pass on: it was handed a
 * packet and returns it, or it was not. Who cannot return it, because the array
 * is not there, puts it back and hands out anew.
 *
 * A port may limit how many of its threads run. A thread that was handed a
 * packet occupies a slot until it asks for the next, blocks or exits. To see it
 * block, each such thread has a preempt notifier (struct port_worker). That runs
 * under the scheduler's locks, so it only counts; when packets and waiters could
 * come together now, an irq_work hands out. A port without a limit has none of
 * this.
 */
#include <linux/anon_inodes.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/preempt.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "compat.h"
#include "wsock.h"

#define MAX_PACKETS 1024	/* in one GET */

static_assert(sizeof(struct wsock_packet) == 32);
static_assert(sizeof(struct wsock_port_args) == 8);
static_assert(sizeof(struct wsock_port_get) == 32);
/* It shares its place in an operation with the work of an executor. */
static_assert(sizeof(struct wsock_item) <= 24);

/**
 * struct wsock_port - a completion port
 * @refs: one for its file, one per worker, one while @hand_out is queued, one
 *	per user
 * @tgid: the process that may use it, counted; set once, valid while the file is
 * @mm: its memory, mmgrab()ed; likewise
 * @limit: slots, or WSOCK_PORT_UNLIMITED; set once
 * @active: slots that are occupied; raised under @lock or by a worker that
 *	resumes, which may lead beyond @limit
 * @hand_out: does so after a worker has blocked
 * @lock: see wsock.h
 * @abandoned: nothing comes in or goes out any more; @lock, never cleared
 * @nr_items: length of @items; @lock
 * @items: FIFO of what waits for a thread; @lock
 * @waiters: threads that wait, the latest first; @lock
 * @queue: those in poll(2), and those for whom this port is the alert
 * @rcu: frees it
 */
struct wsock_port {
	refcount_t refs;
	struct pid *tgid;
	struct mm_struct *mm;
	unsigned int limit;
	atomic_t active;
	struct irq_work hand_out;

	spinlock_t lock;
	bool abandoned;
	unsigned int nr_items;
	struct list_head items;
	struct list_head waiters;
	wait_queue_head_t queue;
	struct rcu_head rcu;
};

/* A packet that a program posted. */
struct posted {
	struct wsock_item item;
	struct wsock_packet packet;
};

/* A thread in GET, on its stack. */
struct waiter {
	struct list_head node;		/* in wsock_port.waiters; its lock */
	struct task_struct *task;	/* set once */
	struct wsock_item *item;	/* what it was handed; the port's lock */
};

/* What a GET needs from its beginning to its end. */
struct get {
	struct wsock_port *port;
	struct port_worker *worker;	/* NULL without a limit */
	struct wsock_port *alert;	/* NULL for none */
	struct wsock_item *taken;	/* a chain, in order */
	unsigned int max;		/* length of @taken at most */
	s64 timeout_ns;			/* negative for ever */
	ktime_t deadline;		/* 0 until the clock was first asked for */
};

static atomic_long_t nr_ports;

static const struct file_operations port_fops;

/**
 * wsock_port_ref - one more reference
 * @port: the port
 *
 * Return: @port.
 */
struct wsock_port *wsock_port_ref(struct wsock_port *port)
{
	refcount_inc(&port->refs);
	return port;
}

/**
 * wsock_port_put - give back a reference
 * @port: the port
 *
 * In any context.
 */
void wsock_port_put(struct wsock_port *port)
{
	if (!refcount_dec_and_test(&port->refs))
		return;
	atomic_long_dec(&nr_ports);
	/* After us, irq_work_run() still looks at @hand_out. */
	kfree_rcu(port, rcu);
	/* wsock_port_exit() waits until we have returned. */
	module_put(THIS_MODULE);
}

/* May the calling task use the port? As wsock_context_check(). */
static int port_check(const struct wsock_port *port)
{
	return task_tgid(current) == port->tgid && current->mm == port->mm ? 0 : -EPERM;
}

/**
 * wsock_port_get - the port behind a descriptor
 * @fd: the descriptor
 *
 * Return: a reference, or an errno.
 */
struct wsock_port *wsock_port_get(int fd)
{
	struct wsock_port *port;
	int ret;

	CLASS(fd, f)(fd);
	if (fd_empty(f))
		return ERR_PTR(-EBADF);
	if (fd_file(f)->f_op != &port_fops)
		return ERR_PTR(-EINVAL);
	port = fd_file(f)->private_data;
	ret = port_check(port);
	return ret ? ERR_PTR(ret) : wsock_port_ref(port);
}

static bool port_limited(const struct wsock_port *port)
{
	return port->limit != WSOCK_PORT_UNLIMITED;
}

/* The first item, out of the queue. */
static struct wsock_item *port_pop(struct wsock_port *port)
{
	struct wsock_item *item = list_first_entry(&port->items, struct wsock_item, node);

	lockdep_assert_held(&port->lock);
	list_del(&item->node);
	item->queued = false;
	WRITE_ONCE(port->nr_items, port->nr_items - 1);
	return item;
}

/* Is there something to hand out, and somebody to take it? */
static bool port_has_both(const struct wsock_port *port)
{
	return !list_empty(&port->items) && !list_empty(&port->waiters);
}

/* Out of line: most that comes finds its threads busy, or its packet waiting. */
static noinline void port_match(struct wsock_port *port)
{
	struct waiter *waiter;

	do {
		if (port_limited(port)) {
			/*
			 * Pairs with worker_sched_out(): it sees both lists, or
			 * we see the slot that it gave back.
			 */
			smp_mb();
			if ((unsigned int)atomic_read(&port->active) >= port->limit)
				return;
			atomic_inc(&port->active);
		}
		waiter = list_first_entry(&port->waiters, struct waiter, node);
		list_del_init(&waiter->node);
		waiter->item = port_pop(port);
		/* It cannot go away before it has had the lock. */
		wake_up_process(waiter->task);
	} while (port_has_both(port));
}

/* Hand items to waiters, as far as the limit allows. */
static inline void port_hand_out(struct wsock_port *port)
{
	lockdep_assert_held(&port->lock);
	if (port_has_both(port))
		port_match(port);
}

/**
 * wsock_port_queue - queue an item
 * @port: the port
 * @item: the item; its kind is set
 *
 * In any context, also under a socket's wait-queue lock and wsock_socket.lock.
 *
 * Return: false when the port was abandoned: the item remains the caller's.
 */
bool wsock_port_queue(struct wsock_port *port, struct wsock_item *item)
{
	unsigned long flags;
	bool queued;

	spin_lock_irqsave(&port->lock, flags);
	queued = !port->abandoned;
	if (queued) {
		list_add_tail(&item->node, &port->items);
		item->queued = true;
		WRITE_ONCE(port->nr_items, port->nr_items + 1);
		port_hand_out(port);
		/* Its barrier pairs with set_current_state() in port_wait(). */
		if (wq_has_sleeper(&port->queue))
			wake_up_poll(&port->queue, EPOLLIN | EPOLLRDNORM);
	}
	spin_unlock_irqrestore(&port->lock, flags);
	return queued;
}

/**
 * wsock_port_unqueue - take an item back
 * @port: the port
 * @item: queued there once
 *
 * Return: false when a thread has taken it meanwhile, or the port was abandoned.
 */
bool wsock_port_unqueue(struct wsock_port *port, struct wsock_item *item)
{
	unsigned long flags;
	bool queued;

	spin_lock_irqsave(&port->lock, flags);
	queued = item->queued && !port->abandoned;
	if (queued) {
		list_del(&item->node);
		item->queued = false;
		WRITE_ONCE(port->nr_items, port->nr_items - 1);
	}
	spin_unlock_irqrestore(&port->lock, flags);
	return queued;
}

/* ------------------------------------------------------------------------- */
/* The limit: threads that occupy slots */

#ifdef CONFIG_PREEMPT_NOTIFIERS
enum worker_state {
	WORKER_IDLE,		/* has no packet, or waits for one */
	WORKER_ACTIVE,		/* occupies a slot */
	WORKER_BLOCKED,		/* would, but sleeps */
};

/**
 * struct port_worker - a thread that takes packets from a port with a limit
 * @notifier: among its task's, until it exits or the port is abandoned
 * @port: the one it asked last, counted. Its own thread only.
 * @state: enum worker_state. Its own thread only: the notifier runs there.
 * @end: frees it after its thread's end
 * @rcu: likewise
 */
struct port_worker {
	struct preempt_notifier notifier;
	struct wsock_port *port;
	enum worker_state state;
	struct irq_work end;
	struct rcu_head rcu;
};

/* Under the lock of the run queue: the port's lock is out of bounds. */
static void worker_sched_out(struct preempt_notifier *notifier, struct task_struct *next)
{
	struct port_worker *worker = container_of(notifier, struct port_worker, notifier);
	struct wsock_port *port = worker->port;

	/* Preempted: it computes. (A task may sleep and still be on the queue.) */
	if (task_is_runnable(current))
		return;
	if (worker->state == WORKER_ACTIVE) {
		worker->state = WORKER_BLOCKED;
		atomic_dec(&port->active);
		/* Pairs with port_match(). */
		smp_mb__after_atomic();
		if (port_has_both(port)) {
			wsock_port_ref(port);
			if (!irq_work_queue(&port->hand_out))
				refcount_dec(&port->refs);
		}
	}
	/* It was the last time: nobody looks at the notifiers of a dead task. */
	if (READ_ONCE(current->__state) == TASK_DEAD)
		irq_work_queue(&worker->end);
}

static void worker_sched_in(struct preempt_notifier *notifier, int cpu)
{
	struct port_worker *worker = container_of(notifier, struct port_worker, notifier);

	if (worker->state == WORKER_BLOCKED) {
		worker->state = WORKER_ACTIVE;
		atomic_inc(&worker->port->active);
	}
}

static struct preempt_ops worker_ops = {
	.sched_in	= worker_sched_in,
	.sched_out	= worker_sched_out,
};

static void worker_end(struct irq_work *work)
{
	struct port_worker *worker = container_of(work, struct port_worker, end);

	wsock_port_put(worker->port);
	kfree_rcu(worker, rcu);
}

/*
 * May the calling thread have a packet at once? Then it occupies a slot: the one
 * that it has, unless more are occupied than there are, or a free one.
 */
static bool worker_admit(struct wsock_port *port, struct port_worker *worker)
{
	unsigned int active = atomic_read(&port->active);

	lockdep_assert_held(&port->lock);
	if (!worker)
		return true;
	if (worker->state == WORKER_ACTIVE)
		return active <= port->limit;
	if (active >= port->limit)
		return false;
	worker->state = WORKER_ACTIVE;
	atomic_inc(&port->active);
	return true;
}

/* The slot that the port's hand-out has taken for the calling thread is its own. */
static void worker_occupy(struct port_worker *worker)
{
	if (worker)
		worker->state = WORKER_ACTIVE;
}

/* The calling thread has no packet any more; under the lock of its port. */
static void worker_vacate(struct port_worker *worker)
{
	if (!worker || worker->state != WORKER_ACTIVE)
		return;
	worker->state = WORKER_IDLE;
	atomic_dec(&worker->port->active);
}

static void worker_leave(struct port_worker *worker)
{
	struct wsock_port *port = worker->port;

	if (!port)
		return;
	spin_lock_irq(&port->lock);
	worker_vacate(worker);
	port_hand_out(port);
	spin_unlock_irq(&port->lock);
	worker->port = NULL;
	wsock_port_put(port);
}

/* The calling thread's; NULL for none. Only it changes its notifiers. */
static struct port_worker *worker_find(void)
{
	struct preempt_notifier *notifier;

	hlist_for_each_entry(notifier, &current->preempt_notifiers, link) {
		if (notifier->ops == &worker_ops)
			return container_of(notifier, struct port_worker, notifier);
	}
	return NULL;
}

/* Make the calling thread a worker of the port, and of no other. */
static struct port_worker *worker_join(struct wsock_port *port)
{
	struct port_worker *worker = worker_find();

	if (!worker) {
		worker = kzalloc(sizeof(*worker), GFP_KERNEL_ACCOUNT);
		if (!worker)
			return ERR_PTR(-ENOMEM);
		preempt_notifier_init(&worker->notifier, &worker_ops);
		init_irq_work(&worker->end, worker_end);
		/* Not in the middle of a change of the list. */
		preempt_disable();
		preempt_notifier_register(&worker->notifier);
		preempt_enable();
	}
	if (worker->port != port) {
		worker_leave(worker);
		worker->port = wsock_port_ref(port);
	}
	return worker;
}

/* The port was abandoned: the calling thread need not hold it until it exits. */
static void worker_quit(struct wsock_port *port)
{
	struct port_worker *worker = port_limited(port) ? worker_find() : NULL;

	if (!worker || worker->port != port)
		return;
	worker_leave(worker);
	preempt_disable();
	preempt_notifier_unregister(&worker->notifier);
	preempt_enable();
	kfree(worker);
}

/* These patch the scheduler. */
static void notifiers_enable(void)
{
	preempt_notifier_inc();
}

static void notifiers_disable(void)
{
	preempt_notifier_dec();
}
#else
/* See Kbuild: no port has a limit. */
struct port_worker;

static bool worker_admit(struct wsock_port *port, struct port_worker *worker) { return true; }
static void worker_occupy(struct port_worker *worker) { }
static void worker_vacate(struct port_worker *worker) { }
static struct port_worker *worker_join(struct wsock_port *port) { return NULL; }
static void worker_quit(struct wsock_port *port) { }
static void notifiers_enable(void) { }
static void notifiers_disable(void) { }
#endif

/* irq_work: a worker has blocked. */
static void port_hand_out_work(struct irq_work *work)
{
	struct wsock_port *port = container_of(work, struct wsock_port, hand_out);
	unsigned long flags;

	spin_lock_irqsave(&port->lock, flags);
	port_hand_out(port);
	spin_unlock_irqrestore(&port->lock, flags);
	wsock_port_put(port);
}

/* ------------------------------------------------------------------------- */
/* Taking packets */

/* The port was abandoned, or is being so, with this item in it. */
static void item_drop(struct wsock_item *item)
{
	if (item->kind == WSOCK_ITEM_POSTED)
		kfree(container_of(item, struct posted, item));
	else
		wsock_op_abandon(item);
}

/*
 * Tell the program of an item, which is gone then. -EFAULT: the array is not
 * there, and the item still is. -EAGAIN: there is no packet, and the item is
 * not ours any more.
 */
static int item_deliver(struct wsock_item *item, struct wsock_packet __user *to)
{
	struct posted *posted = container_of(item, struct posted, item);

	if (item->kind != WSOCK_ITEM_POSTED)
		return wsock_op_dequeue(item, to);
	if (!wsock_copy_out(to, &posted->packet, sizeof(posted->packet)))
		return -EFAULT;
	kfree(posted);
	return 0;
}

/**
 * wsock_port_watch - begin to watch a port for packets to come
 * @port: the port
 * @entry: for the calling task
 */
void wsock_port_watch(struct wsock_port *port, struct wait_queue_entry *entry)
{
	init_waitqueue_entry(entry, current);
	add_wait_queue(&port->queue, entry);
}

/**
 * wsock_port_unwatch - end that
 * @port: the port
 * @entry: as then
 */
void wsock_port_unwatch(struct wsock_port *port, struct wait_queue_entry *entry)
{
	remove_wait_queue(&port->queue, entry);
}

/**
 * wsock_port_ready - is there a packet in a port?
 * @port: the port; who watches it is woken when that becomes true
 *
 * Return: true if there is, for somebody to take.
 */
bool wsock_port_ready(const struct wsock_port *port)
{
	return !list_empty(&port->items);
}

static bool get_alerted(const struct get *get)
{
	return get->alert && wsock_port_ready(get->alert);
}

/* Sleep, without the port's lock. Returns whether the time is over. */
static bool port_sleep(struct get *get)
	__must_hold(&get->port->lock)
{
	bool expired;

	spin_unlock_irq(&get->port->lock);
	expired = !schedule_hrtimeout_range(get->timeout_ns < 0 ? NULL : &get->deadline,
					    current->timer_slack_ns, HRTIMER_MODE_ABS);
	spin_lock_irq(&get->port->lock);
	return expired;
}

/*
 * Wait to be handed an item, with the port's lock, which is released while we
 * sleep. Returns 1 when there is one, 0 when alerted, or a negative errno.
 */
static int port_wait(struct get *get, const struct waiter *waiter)
{
	struct wsock_port *port = get->port;
	bool expired = !get->timeout_ns;

	while (!waiter->item) {
		if (port->abandoned)
			return -ESHUTDOWN;
		/* Pairs with wsock_port_queue() of the alert. */
		set_current_state(TASK_INTERRUPTIBLE);
		if (get_alerted(get))
			return 0;
		if (expired)
			return -ETIME;
		if (signal_pending(current))
			return -ERESTARTSYS;
		if (get->timeout_ns > 0 && !get->deadline)
			get->deadline = ktime_add_safe(ktime_get(), get->timeout_ns);
		expired = port_sleep(get);
	}
	return 1;
}

/*
 * Wait for an item, unless there is an alert. Returns as port_wait(), with the item
 * in @item. The thread occupies a slot when it has got one, and only then.
 */
static noinline int port_await(struct get *get, struct wsock_item **item)
{
	struct wsock_port *port = get->port;
	struct waiter waiter = { .task = current };
	bool alerted = get_alerted(get);
	int ret;

	lockdep_assert_held(&port->lock);
	INIT_LIST_HEAD(&waiter.node);
	worker_vacate(get->worker);
	/* Last to come, first to be served. */
	if (!alerted)
		list_add(&waiter.node, &port->waiters);
	port_hand_out(port);
	ret = alerted ? 0 : port_wait(get, &waiter);
	__set_current_state(TASK_RUNNING);
	list_del(&waiter.node);
	if (ret > 0)
		worker_occupy(get->worker);
	*item = waiter.item;
	return ret;
}

/* Fill @get->taken. Returns 1, or as port_wait(). */
static int port_take(struct get *get)
{
	struct wsock_port *port = get->port;
	struct wsock_item **end = &get->taken;
	unsigned int n = get->max;
	int ret = 1;

	spin_lock_irq(&port->lock);
	/* Who need not wait was the last to come: it goes ahead of those that do. */
	if (likely(!list_empty(&port->items)) && !get_alerted(get) &&
	    worker_admit(port, get->worker))
		*end = port_pop(port);
	else
		ret = port_await(get, end);
	if (ret > 0) {
		while (--n && !list_empty(&port->items)) {
			end = &(*end)->next;
			*end = port_pop(port);
		}
		(*end)->next = NULL;
	}
	spin_unlock_irq(&port->lock);
	return ret;
}

/* Put back what could not be delivered; the slot too, unless others were. */
static void port_put_back(struct get *get, struct wsock_item *item, bool vacate)
{
	struct wsock_port *port = get->port;
	struct list_head *before = &port->items;
	struct wsock_item *next;

	spin_lock_irq(&port->lock);
	for (; item && !port->abandoned; item = next) {
		next = item->next;
		list_add(&item->node, before);
		before = &item->node;
		item->queued = true;
		WRITE_ONCE(port->nr_items, port->nr_items + 1);
	}
	if (vacate)
		worker_vacate(get->worker);
	port_hand_out(port);
	spin_unlock_irq(&port->lock);
	for (; item; item = next) {
		next = item->next;
		item_drop(item);
	}
}

/* Returns how many packets there were, -EAGAIN for none, or an errno. */
static int port_deliver(struct get *get, struct wsock_packet __user *to)
{
	struct wsock_item *item, *next;
	int ret, n = 0;

	for (item = get->taken; item; item = next) {
		next = item->next;
		ret = item_deliver(item, &to[n]);
		if (ret == -EAGAIN)
			continue;
		if (unlikely(ret)) {
			port_put_back(get, item, !n);
			return n ?: ret;
		}
		n++;
	}
	return n ?: -EAGAIN;
}

static int port_get(struct get *get, struct wsock_packet __user *to)
{
	struct wsock_port *port = get->port;
	int ret;

	if (port_limited(port)) {
		get->worker = worker_join(port);
		if (IS_ERR(get->worker))
			return PTR_ERR(get->worker);
	}
	/* Operations may turn out not to have ended: we go on waiting. */
	do {
		ret = port_take(get);
		if (ret > 0)
			ret = port_deliver(get, to);
	} while (ret == -EAGAIN);
	if (unlikely(ret == -ESHUTDOWN))
		worker_quit(port);
	return ret;
}

static noinline int port_get_alertable(struct get *get, struct wsock_packet __user *to, int fd)
{
	struct wsock_port *alert = wsock_port_get(fd);
	struct wait_queue_entry entry;
	int ret = -EINVAL;

	if (IS_ERR(alert))
		return PTR_ERR(alert);
	if (alert != get->port) {
		get->alert = alert;
		wsock_port_watch(alert, &entry);
		ret = port_get(get, to);
		wsock_port_unwatch(alert, &entry);
	}
	wsock_port_put(alert);
	return ret;
}

/* ------------------------------------------------------------------------- */
/* The file */

/* Wake everybody, drop everything, for good. */
static void port_abandon(struct wsock_port *port)
{
	struct wsock_item *item, *next;
	struct waiter *waiter;
	LIST_HEAD(items);

	spin_lock_irq(&port->lock);
	port->abandoned = true;
	list_splice_init(&port->items, &items);
	WRITE_ONCE(port->nr_items, 0);
	wake_up_poll(&port->queue, EPOLLHUP);
	while (!list_empty(&port->waiters)) {
		waiter = list_first_entry(&port->waiters, struct waiter, node);
		list_del_init(&waiter->node);
		wake_up_process(waiter->task);
		spin_unlock_irq(&port->lock);
		cond_resched();
		spin_lock_irq(&port->lock);
	}
	spin_unlock_irq(&port->lock);
	list_for_each_entry_safe(item, next, &items, node) {
		item_drop(item);
		cond_resched();
	}
	worker_quit(port);
}

static long ioctl_post(struct wsock_port *port, const void __user *arg)
{
	struct posted *posted;
	int ret = -EFAULT;

	/* Concurrent posts may go beyond it by one each. */
	if (READ_ONCE(port->nr_items) >= READ_ONCE(wsock_max_operations))
		return -ENOBUFS;
	posted = kmalloc(sizeof(*posted), GFP_KERNEL_ACCOUNT);
	if (!posted)
		return -ENOMEM;
	if (copy_from_user(&posted->packet, arg, sizeof(posted->packet)))
		goto free;
	ret = -EINVAL;
	if (posted->packet.flags)
		goto free;
	posted->item.kind = WSOCK_ITEM_POSTED;
	ret = -ESHUTDOWN;
	if (!wsock_port_queue(port, &posted->item))
		goto free;
	return 0;

free:
	kfree(posted);
	return ret;
}

/* The call is restarted after a signal, with the time that is left. */
static noinline int port_get_again(const struct get *get, struct wsock_port_get __user *arg)
{
	s64 left = get->timeout_ns;

	if (get->deadline)
		left = max_t(s64, get->deadline - ktime_get(), 0);
	return left >= 0 && put_user(left, &arg->timeout_ns) ? -EFAULT : -ERESTARTSYS;
}

static noinline long ioctl_get(struct wsock_port *port, void __user *arg)
{
	struct get get = { .port = port };
	struct wsock_packet __user *to;
	struct wsock_port_get args;
	int ret;

	if (unlikely(!wsock_copy_in(&args, arg, sizeof(args))))
		return -EFAULT;
	if (unlikely((args.flags & ~WSOCK_PORT_ALERTABLE) || args.pad ||
		     args.count - 1 >= MAX_PACKETS || (!args.flags && args.alert_fd)))
		return -EINVAL;
	get.max = args.count;
	get.timeout_ns = args.timeout_ns;
	to = u64_to_user_ptr(args.packets);
	ret = args.flags ? port_get_alertable(&get, to, args.alert_fd) : port_get(&get, to);
	return unlikely(ret == -ERESTARTSYS) ? port_get_again(&get, arg) : ret;
}

static long ioctl_close(struct wsock_port *port, unsigned long argument)
{
	if (argument)
		return -EINVAL;
	port_abandon(port);
	return 0;
}

static long port_ioctl(struct file *file, unsigned int cmd, unsigned long argument)
{
	struct wsock_port *port = file->private_data;
	void __user *arg = (void __user *)argument;
	int ret;

	ret = port_check(port);
	if (ret)
		return ret;

	switch (cmd) {
	case WSOCK_PORT_IOC_GET:
		return ioctl_get(port, arg);
	case WSOCK_PORT_IOC_POST:
		return ioctl_post(port, arg);
	case WSOCK_PORT_IOC_CLOSE:
		return ioctl_close(port, argument);
	default:
		return -ENOTTY;
	}
}

static __poll_t port_poll(struct file *file, struct poll_table_struct *wait)
{
	struct wsock_port *port = file->private_data;
	__poll_t mask = 0;

	poll_wait(file, &port->queue, wait);
	spin_lock_irq(&port->lock);
	if (!list_empty(&port->items))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (port->abandoned)
		mask |= EPOLLHUP;
	spin_unlock_irq(&port->lock);
	return mask;
}

/*
 * A descriptor is closed. If it was the process's last one, the threads that
 * wait must leave; ->release would be too late, for they hold the file. (With
 * nobody else holding it, ->release follows at once.)
 */
static int port_flush(struct file *file, fl_owner_t id)
{
	struct wsock_port *port = file->private_data;

	if (task_tgid(current) == port->tgid && file_count(file) > 1 &&
	    !wsock_process_has(file))
		port_abandon(port);
	return 0;
}

static int port_release(struct inode *inode, struct file *file)
{
	struct wsock_port *port = file->private_data;

	port_abandon(port);
	put_pid(port->tgid);
	mmdrop(port->mm);
	wsock_port_put(port);
	return 0;
}

static void port_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct wsock_port *port = file->private_data;
	unsigned int packets, waiters;

	spin_lock_irq(&port->lock);
	packets = port->nr_items;
	waiters = list_count_nodes(&port->waiters);
	spin_unlock_irq(&port->lock);
	seq_printf(m, "wsock-limit:\t%d\n", (int)port->limit);
	seq_printf(m, "wsock-active:\t%d\n", atomic_read(&port->active));
	seq_printf(m, "wsock-waiters:\t%u\n", waiters);
	seq_printf(m, "wsock-packets:\t%u\n", packets);
}

static const struct file_operations port_fops = {
	.owner		= THIS_MODULE,
	.flush		= port_flush,
	.release	= port_release,
	.poll		= port_poll,
	.show_fdinfo	= port_show_fdinfo,
	.unlocked_ioctl	= port_ioctl,
};

/**
 * wsock_port_create - make a port
 * @args: how
 *
 * Return: its descriptor, or a negative errno.
 */
int wsock_port_create(const struct wsock_port_args *args)
{
	struct wsock_port *port;
	int fd;

	if (args->flags)
		return -EINVAL;
	port = kzalloc(sizeof(*port), GFP_KERNEL_ACCOUNT);
	if (!port)
		return -ENOMEM;
	refcount_set(&port->refs, 1);
	port->limit = IS_ENABLED(CONFIG_PREEMPT_NOTIFIERS) ?
		      args->concurrency ?: num_online_cpus() : WSOCK_PORT_UNLIMITED;
	init_irq_work(&port->hand_out, port_hand_out_work);
	spin_lock_init(&port->lock);
	INIT_LIST_HEAD(&port->items);
	INIT_LIST_HEAD(&port->waiters);
	init_waitqueue_head(&port->queue);

	port->tgid = get_pid(task_tgid(current));
	mmgrab(current->mm);
	port->mm = current->mm;
	__module_get(THIS_MODULE);
	atomic_long_inc(&nr_ports);
	/* From here on the program may close it. */
	fd = anon_inode_getfd("[wsock-port]", &port_fops, port, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		put_pid(port->tgid);
		mmdrop(port->mm);
		wsock_port_put(port);
	}
	return fd;
}

/**
 * wsock_port_count - ports of all processes, until their memory is back
 *
 * Return: their number.
 */
long wsock_port_count(void)
{
	return atomic_long_read(&nr_ports);
}

/**
 * wsock_port_init - at module load
 */
void __init wsock_port_init(void)
{
	notifiers_enable();
}

/**
 * wsock_port_exit - at module unload
 */
void wsock_port_exit(void)
{
	/*
	 * All ports are gone, but the irq_work that gave back the last reference
	 * may not have returned. It is its own RCU reader.
	 */
	synchronize_rcu();
	notifiers_disable();
}
