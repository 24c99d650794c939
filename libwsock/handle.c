// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Handles. A SOCKET is its descriptor, also when it is cast to a HANDLE. Every
 * other object is a descriptor behind a tag: so its handle is never NULL, never
 * equal to a SOCKET or to a handle of another kind, and a multiple of 4, because
 * the lowest bits of OVERLAPPED.hEvent have a meaning of their own. It fits in
 * 32 bits, as Windows' handles do.
 */
#include "internal.h"

#define TAG_MASK	0xf8000000U
#define FD_SHIFT	2

HANDLE wsock_handle_encode(enum wsock_tag tag, int fd)
{
	if ((unsigned int)fd > ~TAG_MASK >> FD_SHIFT)
		return NULL;
	return (HANDLE)(uintptr_t)(tag | (unsigned int)fd << FD_SHIFT);
}

enum wsock_tag wsock_handle_tag(HANDLE handle)
{
	return (enum wsock_tag)((uintptr_t)handle & TAG_MASK);
}

int wsock_handle_decode(HANDLE handle, enum wsock_tag tag, unsigned int flag)
{
	uintptr_t value = (uintptr_t)handle;
	int fd;

	if ((value & ~(uintptr_t)~TAG_MASK) != tag ||
	    value & ((1 << FD_SHIFT) - 1))
		return -1;
	fd = (int)((value & ~(uintptr_t)TAG_MASK) >> FD_SHIFT);
	/* The number may be a closed object's, and another file by now. */
	if (wsock_fd_flags_kept(fd) && !(wsock_fd_flags_get(fd) & flag))
		return -1;
	return fd;
}

bool wsock_handle_close(int fd)
{
	/* First: the number may be another thread's new object afterwards. */
	wsock_fd_flags_init(fd, 0);
	return !close(fd) || errno != EBADF;
}

static bool close_any(HANDLE handle)
{
	int fd;

	if (wsock_handle_is_pseudo(handle))
		return true;
	fd = wsock_port_decode(handle);
	if (fd >= 0)
		return wsock_port_close(fd);
	fd = wsock_thread_decode(handle);
	if (fd >= 0)
		return wsock_thread_close(fd);
	if (wsock_object_is(handle))
		return wsock_object_close(handle);
	if (wsock_fd_flags_get(wsock_socket_fd((SOCKET)handle)) & WSOCK_FD_FILE)
		return wsock_handle_close(wsock_socket_fd((SOCKET)handle));
	/* Others' descriptors are not for us to close. */
	return wsock_socket_fd_checked((SOCKET)handle) >= 0 &&
	       !closesocket((SOCKET)handle);
}

WSOCK_EXPORT BOOL WINAPI CloseHandle(HANDLE hObject)
{
	if (close_any(hObject))
		return TRUE;
	wsock_error_set(ERROR_INVALID_HANDLE);
	return FALSE;
}
