// SPDX-License-Identifier: GPL-2.0
/*
 * wsock: Winsock contexts with an exact end. See docs/wsock.rst for the device
 * and wsock.h for locks and states.
 */
#include <linux/debugfs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "wsock.h"

unsigned int wsock_max_contexts = 65536;
module_param_named(max_contexts, wsock_max_contexts, uint, 0644);
MODULE_PARM_DESC(max_contexts, "processes that may have the device open (EUSERS beyond)");

unsigned int wsock_max_sockets = 1048576;
module_param_named(max_sockets, wsock_max_sockets, uint, 0644);
MODULE_PARM_DESC(max_sockets, "sockets a process may own (ENOBUFS beyond)");

unsigned int wsock_max_operations = 1048576;
module_param_named(max_operations, wsock_max_operations, uint, 0644);
MODULE_PARM_DESC(max_operations, "operations a process may have pending (ENOBUFS beyond)");

bool wsock_workers;
module_param_named(workers, wsock_workers, bool, 0644);
MODULE_PARM_DESC(workers, "execute pending operations that came by ioctl in workers, so that the submitting thread's own system calls are not interrupted");

static struct dentry *debugfs_dir;

static int __init wsock_init(void)
{
	int ret;

	ret = wsock_socket_init();
	if (ret)
		return ret;
	ret = wsock_op_init();
	if (ret)
		goto err_socket;
	ret = wsock_addresses_init();
	if (ret)
		goto err_op;
	wsock_port_init();
	debugfs_dir = debugfs_create_dir("wsock", NULL);
	wsock_context_debugfs(debugfs_dir);
	ret = misc_register(&wsock_device);
	if (ret)
		goto err_debugfs;
	return 0;

err_debugfs:
	debugfs_remove(debugfs_dir);
	wsock_port_exit();
	wsock_addresses_exit();
err_op:
	wsock_op_exit();
err_socket:
	wsock_socket_exit();
	return ret;
}

static void __exit wsock_exit(void)
{
	misc_deregister(&wsock_device);
	debugfs_remove(debugfs_dir);
	wsock_port_exit();
	wsock_addresses_exit();
	wsock_op_exit();
	wsock_socket_exit();
}

module_init(wsock_init);
module_exit(wsock_exit);
MODULE_DESCRIPTION("Winsock contexts: counted registration, overlapped operations, exact cleanup");
MODULE_AUTHOR("The wsock authors");
MODULE_LICENSE("GPL");
