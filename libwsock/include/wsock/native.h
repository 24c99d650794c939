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

/*
 * wsock_adopt() makes a native socket, of any state, one of this process's
 * Winsock sockets: the descriptor is a SOCKET from then on, to be closed with
 * closesocket(), and closed by the final WSACleanup. 0, or SOCKET_ERROR with
 * WSANOTINITIALISED, WSAENOTSOCK, WSAEAFNOSUPPORT (neither IPv4 nor IPv6) or
 * WSAENOBUFS (too many). Adopting it again does no harm.
 */
int wsock_adopt(int fd);
/*
 * wsock_device_fd() returns the library's descriptor of /dev/wsock, for the
 * operations of wsock/uring.h; -1 with WSASYSNOTREADY when it cannot be opened.
 * Needs no WSAStartup. It belongs to the library, which never closes it: do not
 * close it either.
 */
int wsock_device_fd(void);

#ifdef __cplusplus
}
#endif

#endif /* _WSOCK_NATIVE_H */
