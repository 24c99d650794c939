// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Event objects. An event is an eventfd whose counter is above zero while it is
 * signalled. Whether an event resets itself is written in its handle: the
 * descriptor is the same to the kernel, which signals events of both kinds.
 *
 * The counter of an auto-reset event tells how often it was set. On Windows each
 * time releases a thread that waits, at once, and with nobody left to release the
 * event is signalled, however often it is set then. Here a released thread takes
 * its share when it runs. So the library knows how many threads wait, and whoever
 * reads the counter takes what is above that number, and one, as never set: the
 * rest is the waiting threads', and the one is the event's being signalled.
 */
#include "internal.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

/*
 * A wait for all must find every event signalled at one time, and take the
 * auto-reset ones together or not at all; but eventfds are read one by one. So
 * whoever makes events of this process unsignalled holds this lock: shared to
 * reset one, exclusive to take. In between an event can only become signalled.
 * Setting one needs no lock.
 *
 * Outside of it are the kernel, which resets the event of an operation as that
 * is submitted, and a program that reads a wsock_event_fd() itself.
 */
static pthread_rwlock_t reset_lock = PTHREAD_RWLOCK_INITIALIZER;

/*
 * Threads in a wait that one set of an auto-reset event ends, by descriptor: the
 * number in the lower half of an entry, in the upper half the fork it is of.
 * Changed with @reset_lock exclusive.
 */
static uint32_t waiting[WSOCK_FD_TABLE_SIZE];
static uint32_t forks;

#define WAITING_MASK	0xffffU
#define FORKS_SHIFT	16

static uint32_t waiting_get(int fd)
{
	if (!wsock_fd_flags_kept(fd) ||
	    waiting[fd] >> FORKS_SHIFT != (forks & WAITING_MASK))
		return 0;
	return waiting[fd] & WAITING_MASK;
}

static void waiting_set(int fd, uint32_t n)
{
	if (wsock_fd_flags_kept(fd))
		waiting[fd] = forks << FORKS_SHIFT | n;
}

/* Threads of the parent, which do not exist here, may have held it, or wait. */
static void forget_parent(void)
{
	pthread_rwlock_init(&reset_lock, NULL);
	forks++;
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

static bool add(int fd, uint64_t n)
{
	/*
	 * Not by write(2), which is a cancellation point: callers hold locks.
	 * EAGAIN: the counter is full, hence the event signalled.
	 */
	return syscall(SYS_write, fd, &n, sizeof(n)) > 0 || errno == EAGAIN;
}

bool wsock_event_set(int fd)
{
	return add(fd, 1);
}

/* Returns 1 when it was signalled, 0 when it was not, -1 when it is no event. */
static int read_counter(int fd, uint64_t *count)
{
	if (read(fd, count, sizeof(*count)) == (ssize_t)sizeof(*count))
		return 1;
	return errno == EAGAIN ? 0 : -1;
}

/*
 * Takes an auto-reset event, unless all that is there is for the first @others of
 * the threads that wait for it. As read_counter().
 */
static int take_locked(int fd, uint32_t others)
{
	uint64_t count, most = waiting_get(fd) + 1;
	int was_set = read_counter(fd, &count);

	if (was_set <= 0)
		return was_set;
	if (count > most)
		count = most;
	was_set = count > others;
	if (count > (uint64_t)was_set)
		add(fd, count - (uint64_t)was_set);
	return was_set;
}

int wsock_event_reset(int fd, bool auto_reset)
{
	int cancel_state = lock(auto_reset);
	uint64_t count, released = auto_reset ? waiting_get(fd) : 0;
	int was_set = read_counter(fd, &count);

	/* Who was released stays so. */
	if (was_set > 0 && released)
		add(fd, count < released ? count : released);
	unlock(cancel_state);
	return was_set;
}

bool wsock_event_take(int fd)
{
	int cancel_state = lock(true);
	int was_set = take_locked(fd, waiting_get(fd));

	unlock(cancel_state);
	return was_set > 0;
}

void wsock_event_wait_begin(const struct pollfd *fds, uint64_t which)
{
	int cancel_state = lock(true);
	int fd;

	for (; which; which &= which - 1) {
		fd = fds[__builtin_ctzll(which)].fd;
		waiting_set(fd, waiting_get(fd) + 1);
	}
	unlock(cancel_state);
}

bool wsock_event_wait_take(int fd)
{
	int cancel_state = lock(true);
	uint32_t n = waiting_get(fd);
	int was_set = take_locked(fd, 0);

	if (was_set > 0 && n)
		waiting_set(fd, n - 1);
	unlock(cancel_state);
	return was_set > 0;
}

void wsock_event_wait_end(const struct pollfd *fds, uint64_t which)
{
	int cancel_state = lock(true);
	uint32_t n;
	int fd;

	/* What of the counter is nobody's now the next who takes will not see. */
	for (; which; which &= which - 1) {
		fd = fds[__builtin_ctzll(which)].fd;
		n = waiting_get(fd);
		if (n)
			waiting_set(fd, n - 1);
	}
	unlock(cancel_state);
}

/* Takes the events in @take from @fds, all of which were just signalled. */
static bool take_all(struct pollfd *fds, nfds_t n, uint64_t take)
{
	nfds_t i, j;

	for (i = 0; i < n; i++) {
		if (!(take & 1ULL << i) || take_locked(fds[i].fd, 0) > 0)
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
	int fd = get(hEvent);

	if (fd < 0)
		return FALSE;
	if (!wsock_handle_close(fd)) {
		wsock_error_set(WSA_INVALID_HANDLE);
		return FALSE;
	}
	return TRUE;
}
