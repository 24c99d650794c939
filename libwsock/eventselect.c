// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * WSAEventSelect and WSAEnumNetworkEvents. The kernel records the events and
 * signals; what it cannot see are the calls that re-enable an event, which are
 * system calls like any other. They tell it here, if the socket was ever
 * registered.
 */
#include "internal.h"

#include <stddef.h>

_Static_assert(sizeof(WSANETWORKEVENTS) == 44 &&
	       offsetof(WSANETWORKEVENTS, iErrorCode) == 4,
	       "WSANETWORKEVENTS has Windows' layout");
_Static_assert(FD_READ == WSOCK_EVENT_READ && FD_WRITE == WSOCK_EVENT_WRITE &&
	       FD_OOB == WSOCK_EVENT_OOB && FD_ACCEPT == WSOCK_EVENT_ACCEPT &&
	       FD_CONNECT == WSOCK_EVENT_CONNECT && FD_CLOSE == WSOCK_EVENT_CLOSE,
	       "the kernel has Winsock's numbers");
_Static_assert(FD_MAX_EVENTS == WSOCK_EVENT_ERRORS, "as many errors");

/* The others are known to Winsock and never happen here. */
#define HAPPENING \
	(FD_READ | FD_WRITE | FD_OOB | FD_ACCEPT | FD_CONNECT | FD_CLOSE)

void wsock_events_tell_enabled(int fd, unsigned int events)
{
	struct wsock_event_enable args = { .fd = fd, .mask = events };

	wsock_device_ioctl(WSOCK_IOC_EVENT_ENABLE, &args);
}

void wsock_events_inherit(int fd, int listener)
{
	struct wsock_event_select args = {
		.fd = fd,
		.event_fd = listener,
		.flags = WSOCK_EVENT_INHERIT,
	};

	wsock_fd_flags_add(fd, WSOCK_FD_EVENTS | WSOCK_FD_SELECTED);
	/* Not any more, or no memory: it misses events, but not a socket. */
	if (wsock_device_ioctl(WSOCK_IOC_EVENT_SELECT, &args) != 1)
		wsock_fd_flags_remove(fd, WSOCK_FD_EVENTS | WSOCK_FD_SELECTED);
}

WSOCK_EXPORT int WSAAPI WSAEventSelect(SOCKET s, WSAEVENT hEventObject,
				       LONG lNetworkEvents)
{
	struct wsock_event_select args = { .event_fd = -1 };
	struct wsock_call call;
	bool auto_reset;
	int on = 1;

	if (!wsock_call_enter(&call, s))
		return SOCKET_ERROR;
	if (wsock_socket_type(call.fd) < 0)
		return wsock_error_set(wsock_error_from_errno(errno));
	if (lNetworkEvents & ~FD_ALL_EVENTS)
		return wsock_error_set(WSAEINVAL);
	/* Without its flags nothing would enable its events again. */
	if (!wsock_fd_flags_kept(call.fd))
		return wsock_error_set(WSAENOBUFS);
	args.fd = call.fd;
	args.mask = (uint32_t)lNetworkEvents & HAPPENING;
	/* It has not connected; the kernel sees only that it is. */
	if (call.flags & WSOCK_FD_ACCEPTED)
		args.mask &= ~(uint32_t)FD_CONNECT;
	if (lNetworkEvents) {
		int event = wsock_event_decode(hEventObject, &auto_reset);

		if (event < 0)
			return wsock_error_set(WSAEINVAL);
		if (args.mask)
			args.event_fd = event;
		/* Before: what is fetched after it must be enabled again. */
		wsock_fd_flags_add(call.fd, WSOCK_FD_EVENTS);
	}
	if (ioctl(call.fd, FIONBIO, &on))
		return wsock_error_set(wsock_error_from_errno(errno));
	wsock_fd_flags_add(call.fd, WSOCK_FD_NONBLOCK);
	if (wsock_device_ioctl(WSOCK_IOC_EVENT_SELECT, &args))
		return wsock_error_set(wsock_error_from_errno(errno));
	if (lNetworkEvents)
		wsock_fd_flags_add(call.fd, WSOCK_FD_SELECTED);
	else
		wsock_fd_flags_remove(call.fd, WSOCK_FD_SELECTED);
	return 0;
}

WSOCK_EXPORT int WSAAPI WSAEnumNetworkEvents(SOCKET s, WSAEVENT hEventObject,
					     LPWSANETWORKEVENTS lpNetworkEvents)
{
	struct wsock_event_enum args = { .event_fd = -1 };
	struct wsock_call call;
	bool auto_reset;
	int i;

	if (!wsock_call_enter(&call, s))
		return SOCKET_ERROR;
	if (wsock_socket_type(call.fd) < 0)
		return wsock_error_set(wsock_error_from_errno(errno));
	if (!lpNetworkEvents)
		return wsock_error_set(WSAEFAULT);
	args.fd = call.fd;
	if (hEventObject) {
		args.event_fd = wsock_event_decode(hEventObject, &auto_reset);
		if (args.event_fd < 0)
			return wsock_error_set(WSAEINVAL);
	}
	if (wsock_device_ioctl(WSOCK_IOC_EVENT_ENUM, &args))
		return wsock_error_set(wsock_error_from_errno(errno));

	lpNetworkEvents->lNetworkEvents = (LONG)args.events;
	for (i = 0; i < FD_MAX_EVENTS; i++)
		if (args.events & 1U << i)
			lpNetworkEvents->iErrorCode[i] = args.errors[i] ?
				wsock_error_from_errno(args.errors[i]) : 0;
	/* A connect that had been waited for is over. */
	if (args.events & FD_CONNECT && !args.errors[FD_CONNECT_BIT])
		wsock_fd_flags_add(call.fd, WSOCK_FD_CONNECTED);
	return 0;
}
