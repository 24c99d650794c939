// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What waits take: auto-reset events, and of the companions semaphores, mutexes
 * and waitable timers. An object is a descriptor that poll(2) finds readable while
 * it is signalled; of all but timers an eventfd, whose counter tells how often a
 * wait may take it. Objects that are more than that have a record.
 *
 * On Windows a thread that waits is released at once when its object is signalled,
 * and what is left is the object's. Here a released thread takes its share when it
 * runs. So the library knows how many threads wait, and that much of a counter is
 * theirs; what is above that number, and above the most that the object can hold
 * (of an event one, however often it was set), was never there for whoever reads
 * the counter.
 */
#include "internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>

/*
 * A wait for all must find every object signalled at one time, and take them
 * together or not at all; but eventfds are read one by one. So whoever makes
 * objects of this process unsignalled holds this lock: shared to reset a
 * manual-reset event, exclusive to take. In between an object can only become
 * signalled. Setting an event needs no lock.
 *
 * Outside of it are the kernel, which resets the event of an operation as that
 * is submitted, and a program that reads a wsock_event_fd() itself.
 */
static pthread_rwlock_t object_lock = PTHREAD_RWLOCK_INITIALIZER;

/*
 * Threads in a wait that taking the object ends, by descriptor: the number in the
 * lower half of an entry, in the upper half the fork it is of. Changed with
 * @object_lock exclusive.
 */
static uint32_t waiting[WSOCK_FD_TABLE_SIZE];
static uint32_t forks;

#define WAITING_MASK	0xffffU
#define FORKS_SHIFT	16

/* By descriptor. Changed with @object_lock exclusive. */
static struct wsock_object *objects[WSOCK_FD_TABLE_SIZE];

/*
 * What DuplicateHandle made: of the descriptor of a duplicate, which is there for
 * its number, that of the original as -1 - fd; of an original, how many duplicates it
 * has. Its descriptor is there until the last of them is closed, and is what waits
 * look at. Changed with @object_lock exclusive.
 */
static int32_t duplicates[WSOCK_FD_TABLE_SIZE];

static int original_of(int fd)
{
	int32_t original = wsock_fd_flags_kept(fd) ?
		__atomic_load_n(&duplicates[fd], __ATOMIC_RELAXED) : 0;

	return original < 0 ? -1 - original : fd;
}

static uint32_t waiting_get(int fd)
{
	fd = original_of(fd);
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
	pthread_rwlock_init(&object_lock, NULL);
	forks++;
}

static void set_fork_handler(void)
{
	/* Fails for lack of memory: nothing that could be done about it. */
	(void)!pthread_atfork(NULL, NULL, forget_parent);
}

void wsock_object_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, set_fork_handler);
}

int wsock_object_lock(bool exclusive)
{
	int cancel_state;

	/* read and poll are cancellation points. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	if (exclusive)
		pthread_rwlock_wrlock(&object_lock);
	else
		pthread_rwlock_rdlock(&object_lock);
	return cancel_state;
}

void wsock_object_unlock(int cancel_state)
{
	pthread_rwlock_unlock(&object_lock);
	pthread_setcancelstate(cancel_state, NULL);
}

/* ---- Counters ---- */

bool wsock_counter_add(int fd, uint64_t n)
{
	/*
	 * Not by write(2), which is a cancellation point: callers hold locks.
	 * EAGAIN: the counter is full, hence the object signalled.
	 */
	return syscall(SYS_write, fd, &n, sizeof(n)) > 0 || errno == EAGAIN;
}

/* Returns 1 when it was above 0, 0 when it was not, -1 when it is no counter. */
static int read_counter(int fd, uint64_t *count)
{
	*count = 0;
	if (read(fd, count, sizeof(*count)) == (ssize_t)sizeof(*count))
		return 1;
	return errno == EAGAIN ? 0 : -1;
}

int wsock_counter_take(int fd, uint32_t limit, uint32_t others)
{
	uint64_t count, most = (uint64_t)waiting_get(fd) + limit;
	int was_set = read_counter(fd, &count);

	if (was_set <= 0)
		return was_set;
	if (count > most)
		count = most;
	was_set = count > others;
	if (count > (uint64_t)was_set)
		wsock_counter_add(fd, count - (uint64_t)was_set);
	return was_set;
}

bool wsock_counter_give(int fd, uint32_t limit, uint32_t n, uint32_t *before)
{
	uint64_t count, released = waiting_get(fd);
	bool fits;

	read_counter(fd, &count);
	if (count > released + limit)
		count = released + limit;
	*before = count > released ? (uint32_t)(count - released) : 0;
	fits = n <= limit - *before;
	if (fits)
		count += n;
	if (count)
		wsock_counter_add(fd, count);
	return fits;
}

int wsock_event_reset(int fd, bool auto_reset)
{
	int cancel_state = wsock_object_lock(auto_reset);
	uint64_t count, released = auto_reset ? waiting_get(fd) : 0;
	int was_set = read_counter(fd, &count);

	/* Who was released stays so. */
	if (was_set > 0 && released)
		wsock_counter_add(fd, count < released ? count : released);
	wsock_object_unlock(cancel_state);
	return was_set;
}

/* ---- Records ---- */

static bool has_record(enum wsock_tag tag)
{
	return tag != WSOCK_TAG_EVENT && tag != WSOCK_TAG_AUTO_EVENT;
}

struct wsock_object *wsock_object_find(HANDLE handle, enum wsock_tag tag)
{
	int fd = original_of(wsock_handle_decode(handle, tag, WSOCK_FD_OBJECT));

	if (!wsock_fd_flags_kept(fd))
		return NULL;
	/* It may have been closed meanwhile, and the number used again. */
	return objects[fd] && objects[fd]->tag == tag ?
		       objects[fd] : NULL;
}

static struct wsock_object *find_any(HANDLE handle)
{
	return wsock_object_find(handle, wsock_handle_tag(handle));
}

void *wsock_object_new(size_t size, const struct wsock_object_kind *kind,
		       enum wsock_tag tag, bool named)
{
	struct wsock_object *object = named ? NULL : calloc(1, size);

	if (!object) {
		wsock_error_set(named ? ERROR_NOT_SUPPORTED :
					ERROR_NOT_ENOUGH_MEMORY);
		return NULL;
	}
	object->kind = kind;
	object->tag = tag;
	return object;
}

HANDLE wsock_object_publish(struct wsock_object *object, int fd)
{
	HANDLE handle = wsock_fd_flags_kept(fd) ?
			wsock_handle_encode(object->tag, fd) : NULL;
	int cancel_state;

	if (!handle) {
		if (fd >= 0)
			close(fd);
		object->kind->free(object);
		wsock_error_set(ERROR_NOT_ENOUGH_MEMORY);
		return NULL;
	}
	wsock_object_init();
	object->fd = fd;
	cancel_state = wsock_object_lock(true);
	objects[fd] = object;
	wsock_object_unlock(cancel_state);
	wsock_fd_flags_init(fd, WSOCK_FD_OBJECT);
	/* Programs look here for ERROR_ALREADY_EXISTS. */
	wsock_error_set(0);
	return handle;
}

/* The descriptor behind a handle of an event or an object, or -1. Under the lock. */
static int handle_fd(HANDLE handle)
{
	enum wsock_tag tag = wsock_handle_tag(handle);
	bool auto_reset;

	if (!has_record(tag))
		return wsock_event_decode(handle, &auto_reset);
	return find_any(handle) ?
		       wsock_handle_decode(handle, tag, WSOCK_FD_OBJECT) : -1;
}

/* Nothing names it any more. */
static bool close_original(int fd)
{
	struct wsock_object *object =
		wsock_fd_flags_kept(fd) ? objects[fd] : NULL;
	bool closed;

	if (object)
		objects[fd] = NULL;
	closed = wsock_handle_close(fd);
	if (object)
		object->kind->free(object);
	return closed;
}

static bool close_handle(int fd)
{
	int original = original_of(fd);

	if (fd == original) {
		if (!wsock_fd_flags_kept(fd) || !duplicates[fd])
			return close_original(fd);
		/* Only as a handle is it gone. */
		wsock_fd_flags_init(fd, 0);
		return true;
	}
	duplicates[fd] = 0;
	wsock_handle_close(fd);
	if (!--duplicates[original] && !wsock_fd_flags_get(original))
		close_original(original);
	return true;
}

bool wsock_object_close(HANDLE handle)
{
	int cancel_state = wsock_object_lock(true);
	int fd = handle_fd(handle);
	bool closed = fd >= 0 && close_handle(fd);

	wsock_object_unlock(cancel_state);
	return closed;
}

/* Under the lock; NULL with the error set. */
static HANDLE duplicate(HANDLE handle)
{
	int fd = handle_fd(handle), original = original_of(fd), copy;
	HANDLE made;

	if (fd < 0) {
		wsock_error_set(ERROR_INVALID_HANDLE);
		return NULL;
	}
	copy = fcntl(original, F_DUPFD_CLOEXEC, 0);
	made = wsock_fd_flags_kept(copy) && wsock_fd_flags_kept(original) ?
	       wsock_handle_encode(wsock_handle_tag(handle), copy) : NULL;
	if (!made) {
		wsock_error_set(copy < 0 && errno == EBADF ?
				ERROR_INVALID_HANDLE : ERROR_NOT_ENOUGH_MEMORY);
		if (copy >= 0)
			close(copy);
		return NULL;
	}
	__atomic_store_n(&duplicates[copy], -1 - original, __ATOMIC_RELAXED);
	duplicates[original]++;
	wsock_fd_flags_init(copy, has_record(wsock_handle_tag(handle)) ?
				  WSOCK_FD_OBJECT : WSOCK_FD_EVENT);
	return made;
}

bool wsock_object_is(HANDLE handle)
{
	switch (wsock_handle_tag(handle)) {
	case WSOCK_TAG_EVENT:
	case WSOCK_TAG_AUTO_EVENT:
	case WSOCK_TAG_SEMAPHORE:
	case WSOCK_TAG_MUTEX:
	case WSOCK_TAG_TIMER:
	case WSOCK_TAG_AUTO_TIMER:
		return true;
	default:
		return false;
	}
}

HANDLE wsock_object_duplicate(HANDLE handle)
{
	int cancel_state = wsock_object_lock(true);
	HANDLE made = duplicate(handle);

	wsock_object_unlock(cancel_state);
	return made;
}

int wsock_object_decode(HANDLE handle, bool *taken, bool *own)
{
	struct wsock_object *object;
	int cancel_state, fd;

	*own = false;
	fd = wsock_event_decode(handle, taken);
	if (fd >= 0 || !has_record(wsock_handle_tag(handle)))
		return original_of(fd);
	cancel_state = wsock_object_lock(false);
	object = find_any(handle);
	if (object) {
		fd = object->fd;
		*taken = object->kind->take;
		*own = object->kind->is_own && object->kind->is_own(object);
	}
	wsock_object_unlock(cancel_state);
	return fd;
}

int wsock_object_signal(HANDLE handle)
{
	int cancel_state, fd, error = ERROR_INVALID_HANDLE;
	struct wsock_object *object;
	bool auto_reset;

	fd = wsock_event_decode(handle, &auto_reset);
	if (fd >= 0)
		return wsock_event_set(fd) ? 0 : ERROR_INVALID_HANDLE;
	cancel_state = wsock_object_lock(true);
	object = find_any(handle);
	if (object && object->kind->signal)
		error = object->kind->signal(object);
	wsock_object_unlock(cancel_state);
	return error;
}

/* ---- Waits ---- */

static int take_locked(int fd, uint32_t others)
{
	struct wsock_object *object =
		wsock_fd_flags_kept(fd) ? objects[fd] : NULL;

	if (!object)
		return wsock_counter_take(fd, 1, others);
	/* The number may be another object's by now. */
	return object->kind->take ? object->kind->take(object, others) : 1;
}

int wsock_object_take(int fd)
{
	int cancel_state = wsock_object_lock(true);
	int taken = take_locked(fd, waiting_get(fd));

	wsock_object_unlock(cancel_state);
	return taken;
}

void wsock_object_wait_begin(const struct pollfd *fds, uint64_t which)
{
	int cancel_state = wsock_object_lock(true);
	int fd;

	for (; which; which &= which - 1) {
		fd = fds[__builtin_ctzll(which)].fd;
		waiting_set(fd, waiting_get(fd) + 1);
	}
	wsock_object_unlock(cancel_state);
}

int wsock_object_wait_take(int fd)
{
	int cancel_state = wsock_object_lock(true);
	uint32_t n = waiting_get(fd);
	int taken = take_locked(fd, 0);

	if (taken > 0 && n)
		waiting_set(fd, n - 1);
	wsock_object_unlock(cancel_state);
	return taken;
}

void wsock_object_wait_end(const struct pollfd *fds, uint64_t which)
{
	int cancel_state = wsock_object_lock(true);
	uint32_t n;
	int fd;

	/* What of the counter is nobody's now the next who takes will not see. */
	for (; which; which &= which - 1) {
		fd = fds[__builtin_ctzll(which)].fd;
		n = waiting_get(fd);
		if (n)
			waiting_set(fd, n - 1);
	}
	wsock_object_unlock(cancel_state);
}

static bool is_event(int fd)
{
	return !wsock_fd_flags_kept(fd) || !objects[fd];
}

/* The events in @take; false when one was reset from outside of the lock. */
static bool take_events(struct pollfd *fds, nfds_t n, uint64_t take)
{
	nfds_t i, j;

	for (i = 0; i < n; i++) {
		if (!(take & 1ULL << i) || !is_event(fds[i].fd) ||
		    take_locked(fds[i].fd, 0) > 0)
			continue;
		/* Give back what we have. */
		for (j = 0; j < i; j++)
			if (take & 1ULL << j && is_event(fds[j].fd))
				wsock_event_set(fds[j].fd);
		fds[i].revents = 0;
		return false;
	}
	return true;
}

int wsock_object_take_all(struct pollfd *fds, nfds_t n, uint64_t take,
			  bool *abandoned)
{
	int cancel_state = wsock_object_lock(true);
	int ready = wsock_poll_until(fds, n, 0, 0);
	nfds_t i;

	if ((nfds_t)ready != n || wsock_poll_bad(fds, n))
		goto out;
	if (!take_events(fds, n, take)) {
		ready--;
		goto out;
	}
	/* Other objects stay signalled while we have the lock. */
	for (i = 0; i < n; i++)
		if (take & 1ULL << i && !is_event(fds[i].fd) &&
		    take_locked(fds[i].fd, 0) == WSOCK_TAKEN_ABANDONED)
			*abandoned = true;
out:
	wsock_object_unlock(cancel_state);
	return ready;
}
