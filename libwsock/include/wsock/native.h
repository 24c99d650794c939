/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From Winsock to Linux: what a program needs to use libwsock's objects in its
 * own poll, epoll or io_uring loop. (A SOCKET is a descriptor as it is.)
 */
#ifndef _WSOCK_NATIVE_H
#define _WSOCK_NATIVE_H

#include <winsock2.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * wsock_event_fd() returns the eventfd behind an event, readable while the event
 * is signalled; reading it resets the event. The descriptor still belongs to
 * the event: do not close it. -1 with WSA_INVALID_HANDLE for anything else.
 */
int wsock_event_fd(WSAEVENT hEvent);

#ifdef __cplusplus
}
#endif

#endif /* _WSOCK_NATIVE_H */
