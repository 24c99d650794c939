// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Files in memory, to be read. The handle of a mapping is a descriptor of the file
 * of its own.
 */
#include "../internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* UnmapViewOfFile is not told how long a view is. */
struct view {
	struct view *next;
	void *address;
	size_t size;
};

static struct view *views;
static pthread_mutex_t views_lock = PTHREAD_MUTEX_INITIALIZER;

static void *fail(int error)
{
	wsock_error_set(error);
	return NULL;
}

WSOCK_EXPORT HANDLE WINAPI
CreateFileMappingA(HANDLE hFile, LPSECURITY_ATTRIBUTES lpFileMappingAttributes,
		   DWORD flProtect, DWORD dwMaximumSizeHigh,
		   DWORD dwMaximumSizeLow, LPCSTR lpName)
{
	int fd;

	(void)lpFileMappingAttributes;
	(void)dwMaximumSizeHigh;
	(void)dwMaximumSizeLow;
	if (flProtect != PAGE_READONLY || (lpName && *lpName))
		return fail(ERROR_NOT_SUPPORTED);
	fd = fcntl(wsock_socket_fd((SOCKET)hFile), F_DUPFD_CLOEXEC, 1);
	if (fd < 0)
		return fail(errno == EBADF ? ERROR_INVALID_HANDLE :
					     ERROR_TOO_MANY_OPEN_FILES);
	wsock_fd_flags_init(fd, WSOCK_FD_FILE);
	return (HANDLE)(intptr_t)fd;
}

/* All of the file behind @offset, when @size is 0. */
static int map(struct view *view, int fd, uint64_t offset, size_t size)
{
	struct stat st;

	if (fstat(fd, &st))
		return ERROR_INVALID_HANDLE;
	if (offset > (uint64_t)st.st_size)
		return ERROR_INVALID_PARAMETER;
	view->size = size ? size : (size_t)((uint64_t)st.st_size - offset);
	if (view->size > (uint64_t)st.st_size - offset)
		return ERROR_ACCESS_DENIED;
	view->address = mmap(NULL, view->size, PROT_READ, MAP_SHARED, fd,
			     (off_t)offset);
	if (view->address != MAP_FAILED)
		return 0;
	return errno == EINVAL ? ERROR_INVALID_PARAMETER :
	       errno == ENOMEM ? ERROR_NOT_ENOUGH_MEMORY :
				 ERROR_ACCESS_DENIED;
}

WSOCK_EXPORT LPVOID WINAPI MapViewOfFile(HANDLE hFileMappingObject,
					 DWORD dwDesiredAccess,
					 DWORD dwFileOffsetHigh,
					 DWORD dwFileOffsetLow,
					 SIZE_T dwNumberOfBytesToMap)
{
	struct view *view;
	int error;

	if (dwDesiredAccess != FILE_MAP_READ)
		return fail(ERROR_NOT_SUPPORTED);
	view = malloc(sizeof(*view));
	if (!view)
		return fail(ERROR_NOT_ENOUGH_MEMORY);
	error = map(view, wsock_socket_fd((SOCKET)hFileMappingObject),
		    (uint64_t)dwFileOffsetHigh << 32 | dwFileOffsetLow,
		    dwNumberOfBytesToMap);
	if (error) {
		free(view);
		return fail(error);
	}
	pthread_mutex_lock(&views_lock);
	view->next = views;
	views = view;
	pthread_mutex_unlock(&views_lock);
	return view->address;
}

WSOCK_EXPORT BOOL WINAPI UnmapViewOfFile(LPCVOID lpBaseAddress)
{
	struct view **at, *view;

	pthread_mutex_lock(&views_lock);
	for (at = &views; *at && (*at)->address != lpBaseAddress;
	     at = &(*at)->next)
		;
	view = *at;
	if (view)
		*at = view->next;
	pthread_mutex_unlock(&views_lock);
	if (!view) {
		wsock_error_set(ERROR_INVALID_PARAMETER);
		return FALSE;
	}
	munmap(view->address, view->size);
	free(view);
	return TRUE;
}
