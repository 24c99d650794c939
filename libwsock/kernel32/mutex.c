// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mutexes. To waits a mutex is an object that one thread can take (see object.c);
 * here is what it is to its owner. A thread is the address of its list of mutexes,
 * which it leaves to others at its end.
 */
#include "../internal.h"

#include <stdlib.h>
#include <sys/eventfd.h>

/*
 * A mutex; under the lock of object.c.
 * @owner: the owner's list, NULL while nobody owns it
 * @depth: how often the owner has taken it
 * @abandoned: until the next thread takes it
 */
struct mutex {
	struct wsock_object object;
	LIST_ENTRY(mutex) node;
	const void *owner;
	uint32_t depth;
	bool abandoned;
};

static __thread LIST_HEAD(, mutex) owned;

static struct mutex *mutex_of(const struct wsock_object *object)
{
	return CONTAINING_RECORD(object, struct mutex, object);
}

static void give(struct mutex *m)
{
	LIST_REMOVE(m, node);
	m->owner = NULL;
	m->depth = 0;
	wsock_counter_add(m->object.fd, 1);
}

static void abandon_all(void)
{
	int cancel_state = wsock_object_lock(true);
	struct mutex *m;

	while ((m = LIST_FIRST(&owned))) {
		m->abandoned = true;
		give(m);
	}
	wsock_object_unlock(cancel_state);
}

static void own(struct mutex *m)
{
	/* Without memory for that it is not abandoned at the end of the thread. */
	wsock_apc_call_at_end();
	wsock_more.end_mutexes = abandon_all;
	m->owner = &owned;
	m->depth = 1;
	LIST_INSERT_HEAD(&owned, m, node);
}

static int take(struct wsock_object *object, uint32_t others)
{
	struct mutex *m = mutex_of(object);
	bool abandoned = m->abandoned;

	if (m->owner == &owned) {
		m->depth++;
		return 1;
	}
	if (wsock_counter_take(object->fd, 1, others) <= 0)
		return 0;
	m->abandoned = false;
	own(m);
	return abandoned ? WSOCK_TAKEN_ABANDONED : 1;
}

static bool is_own(const struct wsock_object *object)
{
	return mutex_of(object)->owner == &owned;
}

static int release(struct wsock_object *object)
{
	struct mutex *m = mutex_of(object);

	if (m->owner != &owned)
		return ERROR_NOT_OWNER;
	if (!--m->depth)
		give(m);
	return 0;
}

static void free_mutex(struct wsock_object *object)
{
	struct mutex *m = mutex_of(object);

	if (m->owner)
		LIST_REMOVE(m, node);
	free(m);
}

static const struct wsock_object_kind mutexes = {
	.take = take,
	.is_own = is_own,
	.signal = release,
	.free = free_mutex,
};

static HANDLE create(bool named, DWORD flags)
{
	bool initial = flags & CREATE_MUTEX_INITIAL_OWNER;
	int cancel_state;
	struct mutex *m;
	HANDLE handle;

	if (flags & ~(DWORD)CREATE_MUTEX_INITIAL_OWNER) {
		wsock_error_set(ERROR_INVALID_PARAMETER);
		return NULL;
	}
	m = wsock_object_new(sizeof(*m), &mutexes, WSOCK_TAG_MUTEX, named);
	if (!m)
		return NULL;
	handle = wsock_object_publish(&m->object,
				      eventfd(!initial,
					      EFD_CLOEXEC | EFD_NONBLOCK));
	if (handle && initial) {
		cancel_state = wsock_object_lock(true);
		own(m);
		wsock_object_unlock(cancel_state);
	}
	return handle;
}

WSOCK_EXPORT HANDLE WINAPI
CreateMutexA(LPSECURITY_ATTRIBUTES lpMutexAttributes, BOOL bInitialOwner,
	     LPCSTR lpName)
{
	(void)lpMutexAttributes;
	return create(lpName && *lpName,
		      bInitialOwner ? CREATE_MUTEX_INITIAL_OWNER : 0);
}

WSOCK_EXPORT HANDLE WINAPI
CreateMutexW(LPSECURITY_ATTRIBUTES lpMutexAttributes, BOOL bInitialOwner,
	     LPCWSTR lpName)
{
	(void)lpMutexAttributes;
	return create(lpName && *lpName,
		      bInitialOwner ? CREATE_MUTEX_INITIAL_OWNER : 0);
}

WSOCK_EXPORT HANDLE WINAPI
CreateMutexExA(LPSECURITY_ATTRIBUTES lpMutexAttributes, LPCSTR lpName,
	       DWORD dwFlags, DWORD dwDesiredAccess)
{
	(void)lpMutexAttributes;
	(void)dwDesiredAccess;
	return create(lpName && *lpName, dwFlags);
}

WSOCK_EXPORT HANDLE WINAPI
CreateMutexExW(LPSECURITY_ATTRIBUTES lpMutexAttributes, LPCWSTR lpName,
	       DWORD dwFlags, DWORD dwDesiredAccess)
{
	(void)lpMutexAttributes;
	(void)dwDesiredAccess;
	return create(lpName && *lpName, dwFlags);
}

WSOCK_EXPORT BOOL WINAPI ReleaseMutex(HANDLE hMutex)
{
	int error = wsock_handle_tag(hMutex) == WSOCK_TAG_MUTEX ?
			    wsock_object_signal(hMutex) : ERROR_INVALID_HANDLE;

	if (!error)
		return TRUE;
	wsock_error_set(error);
	return FALSE;
}
