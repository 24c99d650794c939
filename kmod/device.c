// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/wsock: the two doors, ioctl(2) and io_uring, and the events in the life
 * of an open.
 */
#include <linux/fdtable.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "compat.h"
#include "wsock.h"

static_assert(sizeof(struct wsock_features) == 24);
static_assert(sizeof(struct wsock_socket_args) == 8);
static_assert(sizeof(struct wsock_cancel) == 16);
static_assert(sizeof(struct wsock_wait) == 24);
static_assert(sizeof(struct wsock_cmd) == 16);
static_assert(sizeof(struct wsock_status) == 24);
static_assert(sizeof(struct wsock_msg) == 64);
static_assert(sizeof(struct wsock_submit) == 48);
static_assert(sizeof(struct wsock_accept) == 32);
static_assert(sizeof(struct wsock_transmit) == 48);
static_assert(sizeof(struct wsock_associate) == 16);
static_assert(sizeof(struct wsock_modes) == 8);
static_assert(sizeof(struct wsock_event_select) == 16);
static_assert(sizeof(struct wsock_event_enum) == 56);
static_assert(sizeof(struct wsock_event_enable) == 8);
static_assert(sizeof(struct wsock_duplicate) == 16);
static_assert(sizeof(struct wsock_take) == 8);
static_assert(sizeof(struct wsock_peek) == 72);

static int device_open(struct inode *inode, struct file *file)
{
	struct wsock_open *open;

	open = kzalloc(sizeof(*open), GFP_KERNEL_ACCOUNT);
	if (!open)
		return -ENOMEM;
	open->ctx = wsock_context_open();
	if (IS_ERR(open->ctx)) {
		int ret = PTR_ERR(open->ctx);

		kfree(open);
		return ret;
	}
	file->private_data = open;
	return nonseekable_open(inode, file);
}

static int same_file(const void *file, struct file *other, unsigned int fd)
{
	return file == other;
}

/**
 * wsock_process_has - has a thread of the calling process a descriptor of a file?
 * @file: the file
 *
 * Return: true if one has, also one of a table of its own.
 */
bool wsock_process_has(struct file *file)
{
	struct files_struct *last = NULL;
	struct task_struct *t;
	bool found = false;

	rcu_read_lock();
	for_each_thread(current, t) {
		task_lock(t);
		/* Threads share their table, as a rule; an exiting one has none. */
		if (t->files && t->files != last) {
			last = t->files;
			found = iterate_fd(last, 0, same_file, file);
		}
		task_unlock(t);
		if (found)
			break;
	}
	rcu_read_unlock();
	return found;
}

/*
 * A descriptor of the open is closed, also by exec and exit. The owner's last
 * one ends it; ->release would be too late, for rings, and operations that
 * pend, hold the file.
 */
static int device_flush(struct file *file, fl_owner_t id)
{
	struct wsock_open *open = file->private_data;

	if (task_tgid(current) == open->ctx->tgid && !wsock_process_has(file))
		wsock_context_withdraw(open);
	return 0;
}

static int device_release(struct inode *inode, struct file *file)
{
	struct wsock_open *open = file->private_data;

	/* Again, for an open that never had a descriptor. */
	wsock_context_withdraw(open);
	wsock_context_close(open->ctx);
	kfree(open);
	return 0;
}

static void device_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct wsock_open *open = file->private_data;

	wsock_context_show(open->ctx, m);
}

static int features(struct wsock_features __user *arg)
{
	struct wsock_features f = {};
	u32 size;
	int ret;

	if (get_user(size, &arg->size))
		return -EFAULT;
	if (size < sizeof(f))
		return -EINVAL;
	ret = copy_struct_from_user(&f, sizeof(f), arg, size);
	if (ret)
		return ret;
	if (f.flags)
		return -EINVAL;
	f.size = sizeof(f);
	f.features = WSOCK_FEATURE_URING_CMD | WSOCK_FEATURE_SUBMIT |
		     WSOCK_FEATURE_EVENTS | WSOCK_FEATURE_PORTS | WSOCK_FEATURE_DUPLICATE |
		     WSOCK_FEATURE_PEEK;
	f.ops = WSOCK_OPS;
	return copy_to_user(arg, &f, sizeof(f)) ? -EFAULT : 0;
}

static int get_socket_args(struct wsock_socket_args *args, const void __user *arg)
{
	if (copy_from_user(args, arg, sizeof(*args)))
		return -EFAULT;
	return args->flags ? -EINVAL : 0;
}

static int cancel(struct wsock_context *ctx, const void __user *arg)
{
	struct wsock_cancel args;

	if (copy_from_user(&args, arg, sizeof(args)))
		return -EFAULT;
	if (args.flags & ~(WSOCK_CANCEL_ALL | WSOCK_CANCEL_THREAD | WSOCK_CANCEL_SENDS))
		return -EINVAL;
	if ((args.flags & WSOCK_CANCEL_ALL) ? args.ov : args.flags)
		return -EINVAL;
	if ((args.flags & WSOCK_CANCEL_THREAD) && (args.flags & WSOCK_CANCEL_SENDS))
		return -EINVAL;
	return wsock_op_cancel(ctx, &args);
}

static long wait(struct wsock_context *ctx, void __user *arg)
{
	struct wsock_wait args;
	long ret;

	if (copy_from_user(&args, arg, sizeof(args)))
		return -EFAULT;
	if ((args.flags & ~WSOCK_PORT_ALERTABLE) || (!args.flags && args.alert_fd))
		return -EINVAL;
	ret = wsock_op_wait(ctx, &args);
	/* The call is restarted after a signal, with the time that is left. */
	if (ret == -ERESTARTSYS && args.timeout_ns >= 0 &&
	    copy_to_user(arg, &args, sizeof(args)))
		return -EFAULT;
	return ret;
}

static int associate(struct wsock_context *ctx, const void __user *arg)
{
	struct wsock_associate args;

	return copy_from_user(&args, arg, sizeof(args)) ? -EFAULT :
	       wsock_socket_associate(ctx, &args);
}

static int modes(struct wsock_context *ctx, void __user *arg)
{
	struct wsock_modes args;
	int ret;

	if (copy_from_user(&args, arg, sizeof(args)))
		return -EFAULT;
	if (args.modes & ~(WSOCK_MODE_SKIP_ON_SUCCESS | WSOCK_MODE_SKIP_EVENT))
		return -EINVAL;
	ret = wsock_socket_modes(ctx, &args);
	return !ret && copy_to_user(arg, &args, sizeof(args)) ? -EFAULT : ret;
}

static int socket_event(struct wsock_context *ctx, const void __user *arg)
{
	struct wsock_socket_event args;

	return copy_from_user(&args, arg, sizeof(args)) ? -EFAULT :
	       wsock_socket_event(ctx, &args);
}

static int port(const void __user *arg)
{
	struct wsock_port_args args;

	return copy_from_user(&args, arg, sizeof(args)) ? -EFAULT : wsock_port_create(&args);
}

static int event_select(struct wsock_context *ctx, const void __user *arg)
{
	struct wsock_event_select args;

	if (copy_from_user(&args, arg, sizeof(args)))
		return -EFAULT;
	return wsock_netevents_select(ctx, &args);
}

static int event_enum(struct wsock_context *ctx, void __user *arg)
{
	struct wsock_event_enable untold;
	struct wsock_event_enum args;
	int ret;

	if (copy_from_user(&args, arg, sizeof(args)))
		return -EFAULT;
	ret = wsock_netevents_enum(ctx, &args);
	if (ret || !copy_to_user(arg, &args, sizeof(args)))
		return ret;
	untold.fd = args.fd;
	untold.mask = args.events;
	wsock_netevents_enable(ctx, &untold, false);
	return -EFAULT;
}

static int event_enable(struct wsock_context *ctx, const void __user *arg)
{
	struct wsock_event_enable args;

	if (copy_from_user(&args, arg, sizeof(args)))
		return -EFAULT;
	return wsock_netevents_enable(ctx, &args, true);
}

static int duplicate(struct wsock_context *ctx, void __user *arg)
{
	struct wsock_duplicate args;
	int ret;

	if (copy_from_user(&args, arg, sizeof(args)))
		return -EFAULT;
	if (args.flags)
		return -EINVAL;
	ret = wsock_duplicate_offer(ctx, &args);
	/* An offer that nobody was told of goes with its socket. */
	if (!ret && copy_to_user(arg, &args, sizeof(args)))
		return -EFAULT;
	return ret;
}

static int take(struct wsock_context *ctx, const void __user *arg)
{
	struct wsock_take args;

	if (copy_from_user(&args, arg, sizeof(args)))
		return -EFAULT;
	return args.flags ? -EINVAL : wsock_duplicate_take(ctx, args.token);
}

static int peek(struct wsock_context *ctx, void __user *arg)
{
	struct wsock_peek args;
	int ret;

	if (copy_from_user(&args, arg, sizeof(args)))
		return -EFAULT;
	if (args.flags)
		return -EINVAL;
	ret = wsock_acceptance_peek(ctx, &args);
	return !ret && copy_to_user(arg, &args, sizeof(args)) ? -EFAULT : ret;
}

/* Apart from what is called all the time, which does not need so much of the stack. */
static noinline long device_ioctl_other(struct wsock_open *open, unsigned int cmd,
					unsigned long argument)
{
	void __user *arg = (void __user *)argument;
	struct wsock_socket_args socket;

	switch (cmd) {
	case WSOCK_IOC_FEATURES:
		return features(arg);
	case WSOCK_IOC_STARTUP:
		return argument ? -EINVAL : wsock_context_startup(open);
	case WSOCK_IOC_CLEANUP:
		return argument ? -EINVAL : wsock_context_cleanup(open);
	case WSOCK_IOC_ADOPT:
		return get_socket_args(&socket, arg) ?:
		       wsock_socket_adopt(open->ctx, socket.fd);
	case WSOCK_IOC_CLOSE:
		return get_socket_args(&socket, arg) ?:
		       wsock_socket_close(open->ctx, socket.fd);
	case WSOCK_IOC_CANCEL:
		return cancel(open->ctx, arg);
	case WSOCK_IOC_WAIT:
		return wait(open->ctx, arg);
	case WSOCK_IOC_PORT:
		return port(arg);
	case WSOCK_IOC_ASSOCIATE:
		return associate(open->ctx, arg);
	case WSOCK_IOC_MODES:
		return modes(open->ctx, arg);
	case WSOCK_IOC_SOCKET_EVENT:
		return socket_event(open->ctx, arg);
	case WSOCK_IOC_EVENT_SELECT:
		return event_select(open->ctx, arg);
	case WSOCK_IOC_EVENT_ENUM:
		return event_enum(open->ctx, arg);
	case WSOCK_IOC_EVENT_ENABLE:
		return event_enable(open->ctx, arg);
	case WSOCK_IOC_DUPLICATE:
		return duplicate(open->ctx, arg);
	case WSOCK_IOC_TAKE:
		return take(open->ctx, arg);
	case WSOCK_IOC_PEEK:
		return peek(open->ctx, arg);
	default:
		return -ENOTTY;
	}
}

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long argument)
{
	struct wsock_open *open = file->private_data;
	int ret = wsock_context_check(open->ctx);

	if (unlikely(ret))
		return ret;
	if (likely(cmd == WSOCK_IOC_SUBMIT))
		return wsock_op_submit(open->ctx, file, (void __user *)argument);
	return device_ioctl_other(open, cmd, argument);
}

static int device_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	struct wsock_open *open = cmd->file->private_data;
	int ret;

	if (unlikely(issue_flags &
		     (IO_URING_F_CANCEL | IO_URING_F_IOPOLL | IO_URING_F_COMPAT))) {
		if (!(issue_flags & IO_URING_F_CANCEL))
			return -EOPNOTSUPP;
		wsock_op_cancel_uring(cmd);
		return 0;
	}
	ret = wsock_context_check(open->ctx);
	if (ret)
		return ret;
	return wsock_op_submit_uring(open->ctx, cmd, issue_flags);
}

static const struct file_operations device_fops = {
	.owner		= THIS_MODULE,
	.open		= device_open,
	.flush		= device_flush,
	.release	= device_release,
	.show_fdinfo	= device_show_fdinfo,
	.unlocked_ioctl	= device_ioctl,
	.uring_cmd	= device_uring_cmd,
};

struct miscdevice wsock_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "wsock",
	.fops	= &device_fops,
	.mode	= 0660,
};
