// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Event objects. An event is an eventfd whose counter is above zero while it is
 * signalled; see object.c. Whether an event resets itself is written in its
 * handle: the descriptor is the same to the kernel, which signals events of both
 * kinds.
 */
#include "internal.h"

#include <sys/eventfd.h>

int wsock_event_decode(HANDLE event, bool *auto_reset)
{
	int fd = wsock_handle_decode(event, WSOCK_TAG_EVENT, WSOCK_FD_EVENT);

	*auto_reset = false;
	if (fd < 0) {
		fd = wsock_handle_decode(event, WSOCK_TAG_AUTO_EVENT,
					 WSOCK_FD_EVENT);
		*auto_reset = true;
	}
	return fd;
}

int wsock_event_decode_ov(HANDLE event)
{
	bool auto_reset;

	return wsock_event_decode((HANDLE)((uintptr_t)event & ~(uintptr_t)1),
				  &auto_reset);
}

/* The descriptor of the caller's event; -1 with the error set. */
static int get_kind(HANDLE event, bool *auto_reset)
{
	int fd = wsock_event_decode(event, auto_reset);

	if (fd < 0)
		wsock_error_set(ERROR_INVALID_HANDLE);
	return fd;
}

static int get(HANDLE event)
{
	bool auto_reset;

	return get_kind(event, &auto_reset);
}

int wsock_event_of_socket(SOCKET s)
{
	struct wsock_socket_event args = {
		.fd = wsock_socket_fd(s), .event_fd = -1,
	};
	int fd = wsock_device_ioctl(WSOCK_IOC_SOCKET_EVENT, &args);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	args.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (args.event_fd < 0)
		return -1;
	fd = wsock_device_ioctl(WSOCK_IOC_SOCKET_EVENT, &args);
	close(args.event_fd);
	return fd;
}

WSOCK_EXPORT int wsock_event_fd(WSAEVENT hEvent)
{
	return get(hEvent);
}

static HANDLE create(bool manual_reset, bool initial_state)
{
	HANDLE event;
	int fd;

	wsock_object_init();
	fd = eventfd(initial_state, EFD_CLOEXEC | EFD_NONBLOCK);
	event = fd < 0 ? NULL :
		wsock_handle_encode(manual_reset ? WSOCK_TAG_EVENT :
						   WSOCK_TAG_AUTO_EVENT, fd);
	if (!event) {
		if (fd >= 0)
			close(fd);
		wsock_error_set(ERROR_NOT_ENOUGH_MEMORY);
		return NULL;
	}
	wsock_fd_flags_init(fd, WSOCK_FD_EVENT);
	return event;
}

WSOCK_EXPORT WSAEVENT WSAAPI WSACreateEvent(void)
{
	return create(true, false);
}

static HANDLE create_ex(bool named, DWORD flags)
{
	if (flags & ~(DWORD)(CREATE_EVENT_MANUAL_RESET |
			     CREATE_EVENT_INITIAL_SET)) {
		wsock_error_set(ERROR_INVALID_PARAMETER);
		return NULL;
	}
	if (named) {
		wsock_error_set(ERROR_NOT_SUPPORTED);
		return NULL;
	}
	/* Programs look here for ERROR_ALREADY_EXISTS. */
	wsock_error_set(0);
	return create(flags & CREATE_EVENT_MANUAL_RESET,
		      flags & CREATE_EVENT_INITIAL_SET);
}

static DWORD event_flags(BOOL manual_reset, BOOL initial_state)
{
	return (manual_reset ? CREATE_EVENT_MANUAL_RESET : 0) |
	       (initial_state ? CREATE_EVENT_INITIAL_SET : 0);
}

WSOCK_EXPORT HANDLE WINAPI CreateEventA(LPSECURITY_ATTRIBUTES lpEventAttributes,
					BOOL bManualReset, BOOL bInitialState,
					LPCSTR lpName)
{
	(void)lpEventAttributes;
	return create_ex(lpName && *lpName,
			 event_flags(bManualReset, bInitialState));
}

WSOCK_EXPORT HANDLE WINAPI CreateEventW(LPSECURITY_ATTRIBUTES lpEventAttributes,
					BOOL bManualReset, BOOL bInitialState,
					LPCWSTR lpName)
{
	(void)lpEventAttributes;
	return create_ex(lpName && *lpName,
			 event_flags(bManualReset, bInitialState));
}

WSOCK_EXPORT HANDLE WINAPI
CreateEventExA(LPSECURITY_ATTRIBUTES lpEventAttributes, LPCSTR lpName,
	       DWORD dwFlags, DWORD dwDesiredAccess)
{
	(void)lpEventAttributes;
	(void)dwDesiredAccess;
	return create_ex(lpName && *lpName, dwFlags);
}

WSOCK_EXPORT HANDLE WINAPI
CreateEventExW(LPSECURITY_ATTRIBUTES lpEventAttributes, LPCWSTR lpName,
	       DWORD dwFlags, DWORD dwDesiredAccess)
{
	(void)lpEventAttributes;
	(void)dwDesiredAccess;
	return create_ex(lpName && *lpName, dwFlags);
}

/* WSA_INVALID_HANDLE is ERROR_INVALID_HANDLE, so each pair is the same. */
static BOOL set(HANDLE event)
{
	int fd = get(event);

	if (fd < 0)
		return FALSE;
	if (!wsock_event_set(fd)) {
		wsock_error_set(ERROR_INVALID_HANDLE);
		return FALSE;
	}
	return TRUE;
}

WSOCK_EXPORT BOOL WINAPI SetEvent(HANDLE hEvent)
{
	return set(hEvent);
}

WSOCK_EXPORT BOOL WSAAPI WSASetEvent(WSAEVENT hEvent)
{
	return set(hEvent);
}

static BOOL reset(HANDLE event)
{
	bool auto_reset;
	int fd = get_kind(event, &auto_reset);

	if (fd < 0)
		return FALSE;
	if (wsock_event_reset(fd, auto_reset) < 0) {
		wsock_error_set(ERROR_INVALID_HANDLE);
		return FALSE;
	}
	return TRUE;
}

WSOCK_EXPORT BOOL WINAPI ResetEvent(HANDLE hEvent)
{
	return reset(hEvent);
}

WSOCK_EXPORT BOOL WSAAPI WSAResetEvent(WSAEVENT hEvent)
{
	return reset(hEvent);
}

WSOCK_EXPORT BOOL WSAAPI WSACloseEvent(WSAEVENT hEvent)
{
	if (get(hEvent) < 0)
		return FALSE;
	if (!wsock_object_close(hEvent)) {
		wsock_error_set(WSA_INVALID_HANDLE);
		return FALSE;
	}
	return TRUE;
}
