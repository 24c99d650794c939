// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Event objects. An event is an eventfd whose counter is above zero while it is
 * signalled; reading it takes the whole counter, so an auto-reset event is
 * consumed by the one thread whose read succeeds, however often it was set.
 * Whether an event resets itself is written in its handle: the descriptor is the
 * same to the kernel, which signals events of both kinds.
 */
#include "internal.h"

#include <pthread.h>
#include <sys/eventfd.h>

/*
 * A wait for all must find every event signalled at one time, and take the
 * auto-reset ones together or not at all; but eventfds are read one by one. So
 * whoever makes events of this process unsignalled holds this lock: shared for
 * one event, exclusive to look at several and take them. In between an event can
 * only become signalled. Setting one needs no lock.
 *
 * Outside of it are the kernel, which resets the event of an operation as that
 * is submitted, and a program that reads a wsock_event_fd() itself.
 */
static pthread_rwlock_t reset_lock = PTHREAD_RWLOCK_INITIALIZER;

/* A thread of the parent, which does not exist here, may have held it. */
static void forget_parent(void)
{
	pthread_rwlock_init(&reset_lock, NULL);
}

static void set_fork_handler(void)
{
	/* Fails for lack of memory: nothing that could be done about it. */
	(void)!pthread_atfork(NULL, NULL, forget_parent);
}

/* read and poll are cancellation points. Returns what unlock() restores. */
static int lock(bool exclusive)
{
	int cancel_state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	if (exclusive)
		pthread_rwlock_wrlock(&reset_lock);
	else
		pthread_rwlock_rdlock(&reset_lock);
	return cancel_state;
}

static void unlock(int cancel_state)
{
	pthread_rwlock_unlock(&reset_lock);
	pthread_setcancelstate(cancel_state, NULL);
}

/* Returns 1 when it was signalled, 0 when it was not, -1 when it is no event. */
static int reset_locked(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) == (ssize_t)sizeof(count))
		return 1;
	return errno == EAGAIN ? 0 : -1;
}

int wsock_event_reset(int fd)
{
	int cancel_state = lock(false);
	int was_set = reset_locked(fd);

	unlock(cancel_state);
	return was_set;
}

bool wsock_event_set(int fd)
{
	const uint64_t one = 1;

	/* EAGAIN: the counter is full, hence the event signalled. */
	return write(fd, &one, sizeof(one)) > 0 || errno == EAGAIN;
}

/* Takes the events in @take from @fds, all of which were just signalled. */
static bool take_all(struct pollfd *fds, nfds_t n, uint64_t take)
{
	nfds_t i, j;

	for (i = 0; i < n; i++) {
		if (!(take & 1ULL << i) || reset_locked(fds[i].fd) > 0)
			continue;
		/* Reset from outside of the lock. Give back what we have. */
		for (j = 0; j < i; j++)
			if (take & 1ULL << j)
				wsock_event_set(fds[j].fd);
		fds[i].revents = 0;
		return false;
	}
	return true;
}

int wsock_event_take_all(struct pollfd *fds, nfds_t n, uint64_t take)
{
	int cancel_state = lock(true);
	int ready = wsock_poll_until(fds, n, 0, 0);

	if ((nfds_t)ready == n && !wsock_poll_bad(fds, n) &&
	    !take_all(fds, n, take))
		ready--;
	unlock(cancel_state);
	return ready;
}

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
static int get(HANDLE event)
{
	bool auto_reset;
	int fd = wsock_event_decode(event, &auto_reset);

	if (fd < 0)
		wsock_error_set(ERROR_INVALID_HANDLE);
	return fd;
}

WSOCK_EXPORT int wsock_event_fd(WSAEVENT hEvent)
{
	return get(hEvent);
}

static HANDLE create(bool manual_reset, bool initial_state)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	HANDLE event;
	int fd;

	pthread_once(&once, set_fork_handler);
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
	int fd = get(event);

	if (fd < 0)
		return FALSE;
	if (wsock_event_reset(fd) < 0) {
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
	int fd = get(hEvent);

	if (fd < 0)
		return FALSE;
	if (!wsock_handle_close(fd)) {
		wsock_error_set(WSA_INVALID_HANDLE);
		return FALSE;
	}
	return TRUE;
}
