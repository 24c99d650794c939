// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * WSAEventSelect, WSAAsyncSelect and WSAEnumNetworkEvents. The kernel records the
 * events and signals (for WSAAsyncSelect, the queue of the window's thread); what
 * it cannot see are the calls that re-enable an event, which are system calls like
 * any other. They tell it here, if the socket was ever registered.
 */
#include "internal.h"

#include <stddef.h>

_Static_assert(sizeof(WSANETWORKEVENTS) == 44 &&
	       offsetof(WSANETWORKEVENTS, iErrorCode) == 4,
	       "WSANETWORKEVENTS has Windows' layout");
_Static_assert(FD_READ == WSOCK_EVENT_READ && FD_WRITE == WSOCK_EVENT_WRITE &&
	       FD_OOB == WSOCK_EVENT_OOB && FD_ACCEPT == WSOCK_EVENT_ACCEPT &&
	       FD_CONNECT == WSOCK_EVENT_CONNECT && FD_CLOSE == WSOCK_EVENT_CLOSE &&
	       FD_ADDRESS_LIST_CHANGE == WSOCK_EVENT_ADDRESSES,
	       "the kernel has Winsock's numbers");
_Static_assert(FD_MAX_EVENTS == WSOCK_EVENT_ERRORS, "as many errors");

/* The others are known to Winsock and never happen here. */
#define HAPPENING \
	(FD_READ | FD_WRITE | FD_OOB | FD_ACCEPT | FD_CONNECT | FD_CLOSE | \
	 FD_ADDRESS_LIST_CHANGE)

bool wsock_events_tell_enabled(int fd, unsigned int events)
{
	struct wsock_event_enable args = { .fd = fd, .mask = events };

	return !wsock_device_ioctl(WSOCK_IOC_EVENT_ENABLE, &args);
}

void wsock_events_inherit(int fd, int listener)
{
	struct wsock_event_select args = {
		.fd = fd,
		.event_fd = listener,
		.flags = WSOCK_EVENT_INHERIT,
	};
	unsigned int flags = WSOCK_FD_EVENTS | WSOCK_FD_SELECTED;

	if (wsock_fd_flags_get(listener) & WSOCK_FD_MESSAGES) {
		/* Before: whoever is told of an event must find it. */
		wsock_window_inherit(fd, listener);
		flags |= WSOCK_FD_MESSAGES;
	}
	wsock_fd_flags_add(fd, flags);
	/* Not any more, or no memory: it misses events, but not a socket. */
	if (wsock_device_ioctl(WSOCK_IOC_EVENT_SELECT, &args) == 1)
		return;
	wsock_fd_flags_remove(fd, flags);
	if (flags & WSOCK_FD_MESSAGES)
		wsock_window_unselect(fd);
}

/* 0 or the error of a socket and events that cannot be registered. */
static int check_select(const struct wsock_call *call, LONG events)
{
	if (wsock_socket_type(call->fd) < 0)
		return wsock_error_from_errno(errno);
	if (events & ~FD_ALL_EVENTS)
		return WSAEINVAL;
	/* Without its flags nothing would enable its events again. */
	return wsock_fd_flags_kept(call->fd) ? 0 : WSAENOBUFS;
}

/* Signals @event_fd from now on. 0 or the error. */
static int register_events(const struct wsock_call *call, int event_fd,
			   LONG events)
{
	struct wsock_event_select args = { .fd = call->fd, .event_fd = -1 };
	int on = 1;

	args.mask = (uint32_t)events & HAPPENING;
	/* It has not connected; the kernel sees only that it is. */
	if (call->flags & WSOCK_FD_ACCEPTED)
		args.mask &= ~(uint32_t)FD_CONNECT;
	if (args.mask)
		args.event_fd = event_fd;
	/* Before: what is fetched after it must be enabled again. */
	if (events)
		wsock_fd_flags_add(call->fd, WSOCK_FD_EVENTS);
	if (ioctl(call->fd, FIONBIO, &on))
		return wsock_error_from_errno(errno);
	wsock_fd_flags_add(call->fd, WSOCK_FD_NONBLOCK);
	if (wsock_device_ioctl(WSOCK_IOC_EVENT_SELECT, &args))
		return wsock_error_from_errno(errno);
	if (events)
		wsock_fd_flags_add(call->fd, WSOCK_FD_SELECTED);
	else
		wsock_fd_flags_remove(call->fd, WSOCK_FD_SELECTED);
	return 0;
}

void wsock_events_forget_window(int fd)
{
	if (!(wsock_fd_flags_get(fd) & WSOCK_FD_MESSAGES))
		return;
	wsock_window_unselect(fd);
	wsock_fd_flags_remove(fd, WSOCK_FD_MESSAGES);
}

WSOCK_EXPORT int WSAAPI WSAEventSelect(SOCKET s, WSAEVENT hEventObject,
				       LONG lNetworkEvents)
{
	struct wsock_call call;
	bool auto_reset;
	int error, event = -1;

	if (!wsock_call_enter(&call, s))
		return SOCKET_ERROR;
	error = check_select(&call, lNetworkEvents);
	if (error)
		return wsock_error_set(error);
	if (lNetworkEvents) {
		event = wsock_event_decode(hEventObject, &auto_reset);
		if (event < 0)
			return wsock_error_set(WSAEINVAL);
	}
	error = register_events(&call, event, lNetworkEvents);
	if (error)
		return wsock_error_set(error);
	wsock_events_forget_window(call.fd);
	return 0;
}

WSOCK_EXPORT int WSAAPI WSAAsyncSelect(SOCKET s, HWND hWnd, u_int wMsg,
				       LONG lEvent)
{
	struct wsock_call call;
	int error, event;

	if (!wsock_call_enter(&call, s))
		return SOCKET_ERROR;
	error = check_select(&call, lEvent);
	if (!error && !wsock_window_exists(hWnd))
		error = WSAEINVAL;
	if (error)
		return wsock_error_set(error);
	if (!lEvent) {
		error = register_events(&call, -1, 0);
		wsock_events_forget_window(call.fd);
		return error ? wsock_error_set(error) : 0;
	}
	wsock_fd_flags_add(call.fd, WSOCK_FD_MESSAGES);
	/* Before: whoever is told of an event must find it. */
	event = wsock_window_select(call.fd, hWnd, wMsg);
	error = event < 0 ? WSAENOBUFS : register_events(&call, event, lEvent);
	if (error) {
		wsock_events_forget_window(call.fd);
		return wsock_error_set(error);
	}
	/*
	 * Unlike WSAEventSelect it tells anew what it has told before. Changes of
	 * addresses are for WSAIoctl to ask for.
	 */
	wsock_events_tell_enabled(call.fd, (unsigned int)lEvent & HAPPENING &
					   ~(unsigned int)FD_ADDRESS_LIST_CHANGE);
	return 0;
}

int wsock_events_fetch(int fd, int event_fd, LPWSANETWORKEVENTS to)
{
	struct wsock_event_enum args = { .fd = fd, .event_fd = event_fd };
	int i;

	if (wsock_device_ioctl(WSOCK_IOC_EVENT_ENUM, &args))
		return wsock_error_from_errno(errno);
	to->lNetworkEvents = (LONG)args.events;
	for (i = 0; i < FD_MAX_EVENTS; i++)
		if (args.events & 1U << i)
			to->iErrorCode[i] = args.errors[i] ?
				wsock_error_from_errno(args.errors[i]) : 0;
	/* A connect that had been waited for is over. */
	if (args.events & FD_CONNECT && !args.errors[FD_CONNECT_BIT])
		wsock_fd_flags_add(fd, WSOCK_FD_CONNECTED);
	return 0;
}

WSOCK_EXPORT int WSAAPI WSAEnumNetworkEvents(SOCKET s, WSAEVENT hEventObject,
					     LPWSANETWORKEVENTS lpNetworkEvents)
{
	int event = -1, error;
	struct wsock_call call;
	bool auto_reset;

	if (!wsock_call_enter(&call, s))
		return SOCKET_ERROR;
	if (wsock_socket_type(call.fd) < 0)
		return wsock_error_set(wsock_error_from_errno(errno));
	if (!lpNetworkEvents)
		return wsock_error_set(WSAEFAULT);
	if (hEventObject) {
		event = wsock_event_decode(hEventObject, &auto_reset);
		if (event < 0)
			return wsock_error_set(WSAEINVAL);
	}
	error = wsock_events_fetch(call.fd, event, lpNetworkEvents);
	return error ? wsock_error_set(error) : 0;
}
