// SPDX-License-Identifier: LGPL-2.1-or-later
/* Semaphores: see object.c, where all but the limit is the same as of an event. */
#include "../internal.h"

#include <stdlib.h>
#include <sys/eventfd.h>

struct semaphore {
	struct wsock_object object;
	uint32_t limit;
};

static struct semaphore *semaphore_of(struct wsock_object *object)
{
	return CONTAINING_RECORD(object, struct semaphore, object);
}

static int take(struct wsock_object *object, uint32_t others)
{
	return wsock_counter_take(object->fd, semaphore_of(object)->limit,
				  others);
}

/* Under the lock. 0 or the error. */
static int release(struct wsock_object *object, uint32_t n, uint32_t *before)
{
	return wsock_counter_give(object->fd, semaphore_of(object)->limit, n,
				  before) ? 0 : ERROR_TOO_MANY_POSTS;
}

static int release_one(struct wsock_object *object)
{
	uint32_t before;

	return release(object, 1, &before);
}

static void free_semaphore(struct wsock_object *object)
{
	free(semaphore_of(object));
}

static const struct wsock_object_kind semaphores = {
	.take = take,
	.signal = release_one,
	.free = free_semaphore,
};

static HANDLE create(LONG initial, LONG maximum, bool named, DWORD flags)
{
	struct semaphore *s;

	if (initial < 0 || maximum <= 0 || initial > maximum || flags) {
		wsock_error_set(ERROR_INVALID_PARAMETER);
		return NULL;
	}
	s = wsock_object_new(sizeof(*s), &semaphores, WSOCK_TAG_SEMAPHORE,
			     named);
	if (!s)
		return NULL;
	s->limit = (uint32_t)maximum;
	return wsock_object_publish(&s->object,
				    eventfd((unsigned int)initial,
					    EFD_CLOEXEC | EFD_NONBLOCK));
}

WSOCK_EXPORT HANDLE WINAPI
CreateSemaphoreA(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes,
		 LONG lInitialCount, LONG lMaximumCount, LPCSTR lpName)
{
	(void)lpSemaphoreAttributes;
	return create(lInitialCount, lMaximumCount, lpName && *lpName, 0);
}

WSOCK_EXPORT HANDLE WINAPI
CreateSemaphoreW(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes,
		 LONG lInitialCount, LONG lMaximumCount, LPCWSTR lpName)
{
	(void)lpSemaphoreAttributes;
	return create(lInitialCount, lMaximumCount, lpName && *lpName, 0);
}

WSOCK_EXPORT HANDLE WINAPI
CreateSemaphoreExA(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes,
		   LONG lInitialCount, LONG lMaximumCount, LPCSTR lpName,
		   DWORD dwFlags, DWORD dwDesiredAccess)
{
	(void)lpSemaphoreAttributes;
	(void)dwDesiredAccess;
	return create(lInitialCount, lMaximumCount, lpName && *lpName, dwFlags);
}

WSOCK_EXPORT HANDLE WINAPI
CreateSemaphoreExW(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes,
		   LONG lInitialCount, LONG lMaximumCount, LPCWSTR lpName,
		   DWORD dwFlags, DWORD dwDesiredAccess)
{
	(void)lpSemaphoreAttributes;
	(void)dwDesiredAccess;
	return create(lInitialCount, lMaximumCount, lpName && *lpName, dwFlags);
}

WSOCK_EXPORT BOOL WINAPI ReleaseSemaphore(HANDLE hSemaphore, LONG lReleaseCount,
					  LPLONG lpPreviousCount)
{
	int cancel_state, error = ERROR_INVALID_HANDLE;
	struct wsock_object *object;
	uint32_t before = 0;

	if (lReleaseCount <= 0) {
		wsock_error_set(ERROR_INVALID_PARAMETER);
		return FALSE;
	}
	cancel_state = wsock_object_lock(true);
	object = wsock_object_find(hSemaphore, WSOCK_TAG_SEMAPHORE);
	if (object)
		error = release(object, (uint32_t)lReleaseCount, &before);
	wsock_object_unlock(cancel_state);
	if (error) {
		wsock_error_set(error);
		return FALSE;
	}
	if (lpPreviousCount)
		*lpPreviousCount = (LONG)before;
	return TRUE;
}
