// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * For programs that bring native sockets, or a ring, of their own.
 */
#include "internal.h"

WSOCK_EXPORT int wsock_device_fd(void)
{
	if (wsock_device_open())
		return wsock_error_set(WSASYSNOTREADY);
	return wsock_device;
}

WSOCK_EXPORT int wsock_adopt(int fd)
{
	struct wsock_socket_args args = { .fd = fd };
	struct wsock_call call;

	if (!wsock_call_enter(&call, (SOCKET)fd))
		return SOCKET_ERROR;
	if (wsock_device_ioctl(WSOCK_IOC_ADOPT, &args))
		return wsock_error_set(wsock_error_from_errno(errno));
	wsock_socket_note(fd);
	return 0;
}
