// SPDX-License-Identifier: LGPL-2.1-or-later
/* The process's heap, by all its names: malloc(3)'s. And pages. */
#include "../internal.h"

#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>

/* There is one heap. */
#define PROCESS_HEAP	((HANDLE)(uintptr_t)0x10)

static void *allocate(size_t size, bool zero)
{
	void *memory = zero ? calloc(1, size ? size : 1) : malloc(size);

	if (!memory)
		wsock_error_set(ERROR_NOT_ENOUGH_MEMORY);
	return memory;
}

static bool is_heap(HANDLE heap)
{
	if (heap == PROCESS_HEAP)
		return true;
	wsock_error_set(ERROR_INVALID_HANDLE);
	return false;
}

WSOCK_EXPORT HANDLE WINAPI GetProcessHeap(void)
{
	return PROCESS_HEAP;
}

WSOCK_EXPORT LPVOID WINAPI HeapAlloc(HANDLE hHeap, DWORD dwFlags,
				     SIZE_T dwBytes)
{
	return is_heap(hHeap) ? allocate(dwBytes, dwFlags & HEAP_ZERO_MEMORY) :
				NULL;
}

WSOCK_EXPORT LPVOID WINAPI HeapReAlloc(HANDLE hHeap, DWORD dwFlags,
				       LPVOID lpMem, SIZE_T dwBytes)
{
	size_t before;
	char *memory;

	if (!is_heap(hHeap))
		return NULL;
	before = malloc_usable_size(lpMem);
	memory = realloc(lpMem, dwBytes ? dwBytes : 1);
	if (!memory)
		wsock_error_set(ERROR_NOT_ENOUGH_MEMORY);
	else if (dwFlags & HEAP_ZERO_MEMORY && dwBytes > before)
		memset(memory + before, 0, dwBytes - before);
	return memory;
}

WSOCK_EXPORT BOOL WINAPI HeapFree(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem)
{
	(void)dwFlags;
	if (!is_heap(hHeap))
		return FALSE;
	free(lpMem);
	return TRUE;
}

WSOCK_EXPORT HLOCAL WINAPI LocalAlloc(UINT uFlags, SIZE_T uBytes)
{
	return allocate(uBytes, uFlags & LMEM_ZEROINIT);
}

WSOCK_EXPORT HLOCAL WINAPI LocalFree(HLOCAL hMem)
{
	free(hMem);
	return NULL;
}

WSOCK_EXPORT HGLOBAL WINAPI GlobalAlloc(UINT uFlags, SIZE_T dwBytes)
{
	return allocate(dwBytes, uFlags & GMEM_ZEROINIT);
}

WSOCK_EXPORT HGLOBAL WINAPI GlobalFree(HGLOBAL hMem)
{
	free(hMem);
	return NULL;
}

/* ---- Pages ---- */

/*
 * Address and size of what was mapped, which VirtualFree is not told; in front of
 * it, a page of its own.
 */
WSOCK_EXPORT LPVOID WINAPI VirtualAlloc(LPVOID lpAddress, SIZE_T dwSize,
					DWORD flAllocationType, DWORD flProtect)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = dwSize + page;
	char *memory;

	/* Memory at a place of one's own, or without use, is not there. */
	if (lpAddress || !dwSize || size < dwSize ||
	    !(flAllocationType & MEM_COMMIT) || flProtect != PAGE_READWRITE) {
		wsock_error_set(ERROR_INVALID_PARAMETER);
		return NULL;
	}
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED) {
		wsock_error_set(ERROR_NOT_ENOUGH_MEMORY);
		return NULL;
	}
	memcpy(memory, &size, sizeof(size));
	return memory + page;
}

WSOCK_EXPORT BOOL WINAPI VirtualFree(LPVOID lpAddress, SIZE_T dwSize,
				     DWORD dwFreeType)
{
	size_t size;
	char *memory;

	if (!lpAddress || dwSize || dwFreeType != MEM_RELEASE) {
		wsock_error_set(ERROR_INVALID_PARAMETER);
		return FALSE;
	}
	memory = (char *)lpAddress - sysconf(_SC_PAGESIZE);
	memcpy(&size, memory, sizeof(size));
	return !munmap(memory, size);
}
