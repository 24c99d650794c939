// SPDX-License-Identifier: GPL-2.0
/*
 * The context of a process: who has one, its registrations, its end.
 */
#include <linux/cred.h>
#include <linux/debugfs.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "wsock.h"

DEFINE_MUTEX(wsock_contexts_lock);
static LIST_HEAD(contexts);		/* wsock_contexts_lock */
static unsigned int nr_contexts;	/* wsock_contexts_lock */

/*
 * The final release. Every cause comes through here with the lock held, and
 * when it returns the context is as new.
 */
static void context_release(struct wsock_context *ctx, enum wsock_cause cause)
{
	lockdep_assert_held(&ctx->lock);

	/* Submissions and adoptions look at this: the gate closes first. */
	WRITE_ONCE(ctx->registrations, 0);
	ctx->generation++;
	wsock_socket_release_all(ctx, cause);
}

/*
 * The process ends, by exit or exec: nobody runs in its memory any more. Its
 * descriptors are closed only after that, one by one, and whoever else has one of a
 * socket, as a fork child, might be the last to close it before our turn comes.
 */
static void context_end(struct mmu_notifier *end, struct mm_struct *mm)
{
	struct wsock_context *ctx = container_of(end, struct wsock_context, end);

	mutex_lock(&ctx->lock);
	if (ctx->registrations)
		context_release(ctx, WSOCK_EXIT);
	mutex_unlock(&ctx->lock);
}

static const struct mmu_notifier_ops end_ops = {
	.release = context_end,
};

static struct wsock_context *context_create(void)
{
	struct wsock_context *ctx;

	ctx = kzalloc(sizeof(*ctx), GFP_KERNEL_ACCOUNT);
	if (!ctx)
		return NULL;
	refcount_set(&ctx->refs, 1);
	ctx->tgid = get_pid(task_tgid(current));
	ctx->mm = current->mm;
	mmgrab(ctx->mm);
	INIT_LIST_HEAD(&ctx->node);
	mutex_init(&ctx->lock);
	INIT_LIST_HEAD(&ctx->sockets);
	init_waitqueue_head(&ctx->idle);
	ctx->end.ops = &end_ops;
	return ctx;
}

static void context_free(struct wsock_context *ctx)
{
	mmdrop(ctx->mm);
	put_pid(ctx->tgid);
	kfree(ctx);
}

/**
 * wsock_context_put - drop a reference
 * @ctx: the context; may be freed
 */
void wsock_context_put(struct wsock_context *ctx)
{
	if (refcount_dec_and_test(&ctx->refs))
		context_free(ctx);
}

/**
 * wsock_context_open - the calling process's context, made when it has none
 *
 * Return: a reference that wsock_context_close() gives back, or an ERR_PTR.
 */
struct wsock_context *wsock_context_open(void)
{
	struct wsock_context *ctx;
	int ret;

	if (!current->mm)
		return ERR_PTR(-EPERM);

	guard(mutex)(&wsock_contexts_lock);
	list_for_each_entry(ctx, &contexts, node) {
		if (!wsock_context_check(ctx)) {
			refcount_inc(&ctx->refs);
			ctx->opens++;
			return ctx;
		}
	}
	if (nr_contexts >= READ_ONCE(wsock_max_contexts))
		return ERR_PTR(-EUSERS);
	ctx = context_create();
	if (!ctx)
		return ERR_PTR(-ENOMEM);
	ret = mmu_notifier_register(&ctx->end, ctx->mm);
	if (ret) {
		wsock_context_put(ctx);
		/* It gives up when a signal is pending, or task work. */
		return ERR_PTR(ret == -EINTR ? -ERESTARTNOINTR : ret);
	}
	ctx->opens = 1;
	list_add(&ctx->node, &contexts);
	nr_contexts++;
	return ctx;
}

/**
 * wsock_context_close - undo wsock_context_open()
 * @ctx: the context
 */
void wsock_context_close(struct wsock_context *ctx)
{
	bool last;

	scoped_guard(mutex, &wsock_contexts_lock) {
		last = !--ctx->opens;
		if (last) {
			list_del(&ctx->node);
			nr_contexts--;
		}
	}
	if (last)
		mmu_notifier_unregister(&ctx->end, ctx->mm);
	wsock_context_put(ctx);
}

/**
 * wsock_context_startup - count one more registration
 * @open: the open it is made through
 *
 * Return: 0 or a negative errno.
 */
int wsock_context_startup(struct wsock_open *open)
{
	struct wsock_context *ctx = open->ctx;

	if (mutex_lock_killable(&ctx->lock))
		return -EINTR;
	if (ctx->registrations == UINT_MAX) {
		mutex_unlock(&ctx->lock);
		return -EUSERS;
	}
	open->registrations++;
	WRITE_ONCE(ctx->registrations, ctx->registrations + 1);
	mutex_unlock(&ctx->lock);
	return 0;
}

/**
 * wsock_context_cleanup - give back one registration
 * @open: the open it was made through
 *
 * Return: 1 when it was the last of the process and all has been released, 0
 * when others remain, -EBADFD when this open has none.
 */
int wsock_context_cleanup(struct wsock_open *open)
{
	struct wsock_context *ctx = open->ctx;
	int ret = 0;

	if (mutex_lock_killable(&ctx->lock))
		return -EINTR;
	if (!open->registrations) {
		ret = -EBADFD;
	} else {
		open->registrations--;
		if (ctx->registrations == 1) {
			context_release(ctx, WSOCK_CLEANUP);
			ret = 1;
		} else {
			WRITE_ONCE(ctx->registrations, ctx->registrations - 1);
		}
	}
	mutex_unlock(&ctx->lock);
	return ret;
}

/**
 * wsock_context_withdraw - take back all registrations of an open that goes
 * @open: the open
 */
void wsock_context_withdraw(struct wsock_open *open)
{
	struct wsock_context *ctx = open->ctx;

	mutex_lock(&ctx->lock);
	/* There is none, of any open, once the process has ended. */
	if (ctx->registrations && open->registrations) {
		if (ctx->registrations == open->registrations)
			context_release(ctx, WSOCK_EXIT);
		else
			WRITE_ONCE(ctx->registrations,
				   ctx->registrations - open->registrations);
	}
	open->registrations = 0;
	mutex_unlock(&ctx->lock);
}

/**
 * wsock_context_show - the fdinfo lines
 * @ctx: the context
 * @m: where to
 */
void wsock_context_show(struct wsock_context *ctx, struct seq_file *m)
{
	struct wsock_op_counts counts = {};
	struct wsock_socket *s;

	mutex_lock(&ctx->lock);
	list_for_each_entry(s, &ctx->sockets, node)
		wsock_op_count(s, &counts);
	seq_printf(m, "wsock-registrations:\t%u\n", ctx->registrations);
	seq_printf(m, "wsock-generation:\t%u\n", ctx->generation);
	seq_printf(m, "wsock-sockets:\t%u\n", ctx->nr_sockets);
	mutex_unlock(&ctx->lock);
	seq_printf(m, "wsock-queued:\t%u\n", counts.queued);
	seq_printf(m, "wsock-scheduled:\t%u\n", counts.scheduled);
	seq_printf(m, "wsock-running:\t%u\n", counts.running);
	seq_printf(m, "wsock-completed:\t%lld\n", atomic64_read(&ctx->completed));
	seq_printf(m, "wsock-cancelled:\t%lld\n", atomic64_read(&ctx->cancelled));
}

/* debugfs: the registered processes, one a line. */
static int contexts_show(struct seq_file *m, void *unused)
{
	struct wsock_context *ctx;

	seq_puts(m, "# tgid registrations sockets operations\n");
	guard(mutex)(&wsock_contexts_lock);
	list_for_each_entry(ctx, &contexts, node) {
		unsigned int registrations = READ_ONCE(ctx->registrations);

		if (registrations)
			seq_printf(m, "%d %u %u %d\n", pid_nr(ctx->tgid), registrations,
				   READ_ONCE(ctx->nr_sockets),
				   atomic_read(&ctx->nr_operations));
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(contexts);

/* debugfs: what the module holds; all zero when nobody uses it. */
static int counters_show(struct seq_file *m, void *unused)
{
	scoped_guard(mutex, &wsock_contexts_lock)
		seq_printf(m, "contexts %u\n", nr_contexts);
	seq_printf(m, "sockets %ld\n", wsock_socket_count());
	seq_printf(m, "operations %ld\n", wsock_op_total());
	seq_printf(m, "ports %ld\n", wsock_port_count());
	seq_printf(m, "netevents %ld\n", wsock_netevents_count());
	seq_printf(m, "offers %ld\n", wsock_duplicate_count());
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counters);

/**
 * wsock_context_debugfs - make the debugfs files
 * @dir: where
 */
void wsock_context_debugfs(struct dentry *dir)
{
	debugfs_create_file("contexts", 0400, dir, NULL, &contexts_fops);
	debugfs_create_file("counters", 0400, dir, NULL, &counters_fops);
}
