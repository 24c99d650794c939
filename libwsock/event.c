// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Event objects. An event is an eventfd whose counter is above zero while it is
 * signalled. Its handle is the descriptor behind a tag: never NULL, never equal
 * to a SOCKET, and a multiple of 4, because the lowest bits of OVERLAPPED.hEvent
 * have a meaning of their own. It fits in 32 bits, as Windows' handles do.
 */
#include "internal.h"

#include <poll.h>
#include <sys/eventfd.h>

#define EVENT_TAG	0x50000000U
#define TAG_MASK	0xf0000000U
#define FD_SHIFT	2

int wsock_event_decode(HANDLE event)
{
	uintptr_t value = (uintptr_t)event & ~(uintptr_t)1;
	int fd;

	if ((value & ~(uintptr_t)~TAG_MASK) != EVENT_TAG ||
	    value & ((1 << FD_SHIFT) - 1))
		return -1;
	fd = (int)((value & ~(uintptr_t)TAG_MASK) >> FD_SHIFT);
	/* The number may be a closed event's, and another file by now. */
	if (wsock_fd_flags_kept(fd) &&
	    !(wsock_fd_flags_get(fd) & WSOCK_FD_EVENT))
		return -1;
	return fd;
}

static HANDLE encode(int fd)
{
	return (HANDLE)(uintptr_t)(EVENT_TAG | (unsigned int)fd << FD_SHIFT);
}

/* As wsock_event_decode, for the caller's own handle: sets the error. */
static int get(WSAEVENT event)
{
	int fd = (uintptr_t)event & 1 ? -1 : wsock_event_decode(event);

	if (fd < 0)
		wsock_error_set(WSA_INVALID_HANDLE);
	return fd;
}

WSOCK_EXPORT int wsock_event_fd(WSAEVENT hEvent)
{
	return get(hEvent);
}

WSOCK_EXPORT WSAEVENT WSAAPI WSACreateEvent(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0 || (unsigned int)fd >= ~TAG_MASK >> FD_SHIFT) {
		if (fd >= 0)
			close(fd);
		wsock_error_set(WSA_NOT_ENOUGH_MEMORY);
		return WSA_INVALID_EVENT;
	}
	wsock_fd_flags_init(fd, WSOCK_FD_EVENT);
	return encode(fd);
}

WSOCK_EXPORT BOOL WSAAPI WSASetEvent(WSAEVENT hEvent)
{
	const uint64_t one = 1;
	int fd = get(hEvent);

	if (fd < 0)
		return FALSE;
	/* EAGAIN: the counter is full, hence the event signalled. */
	if (write(fd, &one, sizeof(one)) < 0 && errno != EAGAIN) {
		wsock_error_set(WSA_INVALID_HANDLE);
		return FALSE;
	}
	return TRUE;
}

WSOCK_EXPORT BOOL WSAAPI WSAResetEvent(WSAEVENT hEvent)
{
	int fd = get(hEvent);
	uint64_t count;

	if (fd < 0)
		return FALSE;
	/* EAGAIN: the counter is zero, hence the event not signalled. */
	if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN) {
		wsock_error_set(WSA_INVALID_HANDLE);
		return FALSE;
	}
	return TRUE;
}

WSOCK_EXPORT BOOL WSAAPI WSACloseEvent(WSAEVENT hEvent)
{
	int fd = get(hEvent);

	if (fd < 0)
		return FALSE;
	/* First: the number may be another thread's new event afterwards. */
	wsock_fd_flags_init(fd, 0);
	if (close(fd) && errno == EBADF) {
		wsock_error_set(WSA_INVALID_HANDLE);
		return FALSE;
	}
	return TRUE;
}

int wsock_poll_until(struct pollfd *fds, nfds_t nfds, uint64_t deadline,
		     uint64_t slice_ns)
{
	struct timespec ts, *timeout;
	uint64_t now, left;
	int ready;

	for (;;) {
		timeout = NULL;
		left = slice_ns ? slice_ns : UINT64_MAX;
		if (deadline != WSOCK_NEVER) {
			now = wsock_now();
			if (deadline <= now)
				left = 0;
			else if (deadline - now < left)
				left = deadline - now;
		}
		if (left != UINT64_MAX) {
			ts.tv_sec = (time_t)(left / WSOCK_NSEC_PER_SEC);
			ts.tv_nsec = (long)(left % WSOCK_NSEC_PER_SEC);
			timeout = &ts;
		}
		ready = ppoll(fds, nfds, timeout, NULL);
		if (ready >= 0 || errno != EINTR)
			return ready;
	}
}

/*
 * Which of @fds are signalled: the lowest index, or -1. *@bad when one is not an
 * event any more.
 */
static int first_ready(const struct pollfd *fds, DWORD n, bool *bad)
{
	int first = -1;
	DWORD i;

	*bad = false;
	for (i = 0; i < n; i++) {
		if (fds[i].revents & POLLNVAL)
			*bad = true;
		else if (first < 0 && fds[i].revents)
			first = (int)i;
	}
	return first;
}

static DWORD wait_failed(int error)
{
	wsock_error_set(error);
	return WSA_WAIT_FAILED;
}

/* A manual-reset event stays signalled: waiting takes nothing from it. */
static DWORD wait_any(struct pollfd *fds, DWORD n, uint64_t deadline)
{
	int ready = wsock_poll_until(fds, n, deadline, 0);
	bool bad;

	if (ready < 0)
		return wait_failed(WSA_NOT_ENOUGH_MEMORY);
	if (!ready)
		return WSA_WAIT_TIMEOUT;
	ready = first_ready(fds, n, &bad);
	if (bad)
		return wait_failed(WSA_INVALID_HANDLE);
	return WSA_WAIT_EVENT_0 + (DWORD)ready;
}

/* All must be signalled at one time: in one poll that does not wait. */
static DWORD wait_all(struct pollfd *fds, DWORD n, uint64_t deadline)
{
	struct pollfd missing[WSA_MAXIMUM_WAIT_EVENTS];
	DWORD i, count;
	int ready;
	bool bad;

	for (;;) {
		ready = wsock_poll_until(fds, n, 0, 0);
		if (ready < 0)
			return wait_failed(WSA_NOT_ENOUGH_MEMORY);
		first_ready(fds, n, &bad);
		if (bad)
			return wait_failed(WSA_INVALID_HANDLE);
		if ((DWORD)ready == n)
			return WSA_WAIT_EVENT_0;
		count = 0;
		for (i = 0; i < n; i++)
			if (!fds[i].revents)
				missing[count++] = fds[i];
		ready = wsock_poll_until(missing, count, deadline, 0);
		if (ready < 0)
			return wait_failed(WSA_NOT_ENOUGH_MEMORY);
		if (!ready)
			return WSA_WAIT_TIMEOUT;
	}
}

WSOCK_EXPORT DWORD WSAAPI WSAWaitForMultipleEvents(DWORD cEvents,
						   const WSAEVENT *lphEvents,
						   BOOL fWaitAll,
						   DWORD dwTimeout,
						   BOOL fAlertable)
{
	struct pollfd fds[WSA_MAXIMUM_WAIT_EVENTS];
	uint64_t deadline;
	DWORD i;

	(void)fAlertable;
	if (!cEvents || cEvents > WSA_MAXIMUM_WAIT_EVENTS || !lphEvents)
		return wait_failed(WSA_INVALID_PARAMETER);
	for (i = 0; i < cEvents; i++) {
		fds[i].fd = get(lphEvents[i]);
		if (fds[i].fd < 0)
			return WSA_WAIT_FAILED;
		fds[i].events = POLLIN;
		fds[i].revents = 0;
	}
	/* 0 lies in the past: no need for the clock when we shall not wait. */
	deadline = dwTimeout == WSA_INFINITE ? WSOCK_NEVER :
		   dwTimeout ? wsock_deadline_ms(dwTimeout) : 0;
	return fWaitAll ? wait_all(fds, cEvents, deadline) :
			  wait_any(fds, cEvents, deadline);
}
