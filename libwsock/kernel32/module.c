// SPDX-License-Identifier: LGPL-2.1-or-later
/* GetProcAddress, for programs that look for functions of Winsock by name. */
#include "../internal.h"

#include <dlfcn.h>
#include <stdio.h>
#include <strings.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define SUFFIX		".dll"

static const char *const names[] = {
	"ws2_32", "wsock32", "mswsock", "kernel32", "kernelbase",
};

/* All of them are one; the handle is its address. */
static char library;

static HMODULE find(const char *name)
{
	const char *slash;
	size_t i, length;

	if (!name) {
		wsock_error_set(ERROR_INVALID_PARAMETER);
		return NULL;
	}
	while ((slash = strpbrk(name, "/\\")))
		name = slash + 1;
	length = strlen(name);
	if (length > strlen(SUFFIX) &&
	    !strcasecmp(name + length - strlen(SUFFIX), SUFFIX))
		length -= strlen(SUFFIX);
	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (length == strlen(names[i]) &&
		    !strncasecmp(name, names[i], length))
			return (HMODULE)(void *)&library;
	wsock_error_set(ERROR_MOD_NOT_FOUND);
	return NULL;
}

/* The names we know are ASCII, and none has a character of 0. */
static HMODULE find_wide(const WCHAR *name)
{
	char narrow[MAX_PATH];
	size_t i;

	if (!name)
		return find(NULL);
	for (i = 0; i < sizeof(narrow) - 1 && name[i]; i++)
		narrow[i] = (char)(name[i] < 0x80 ? name[i] : '?');
	narrow[i] = '\0';
	return find(narrow);
}

WSOCK_EXPORT HMODULE WINAPI GetModuleHandleA(LPCSTR lpModuleName)
{
	return find(lpModuleName);
}

WSOCK_EXPORT HMODULE WINAPI GetModuleHandleW(LPCWSTR lpModuleName)
{
	return find_wide(lpModuleName);
}

WSOCK_EXPORT HMODULE WINAPI LoadLibraryA(LPCSTR lpLibFileName)
{
	return find(lpLibFileName);
}

WSOCK_EXPORT HMODULE WINAPI LoadLibraryW(LPCWSTR lpLibFileName)
{
	return find_wide(lpLibFileName);
}

WSOCK_EXPORT BOOL WINAPI FreeLibrary(HMODULE hLibModule)
{
	if (hLibModule == (HMODULE)(void *)&library)
		return TRUE;
	wsock_error_set(ERROR_INVALID_HANDLE);
	return FALSE;
}

/*
 * A function of the object that this one is in; its libraries, which dlsym looks
 * through too, have gethostbyname and the like by their own.
 */
static void *find_function(void *object, const void *base, const char *name)
{
	void *found = dlsym(object, name);
	Dl_info info;

	return found && dladdr(found, &info) && info.dli_fbase == base ?
		       found : NULL;
}

WSOCK_EXPORT FARPROC WINAPI GetProcAddress(HMODULE hModule, LPCSTR lpProcName)
{
	FARPROC function = NULL;
	const void *found;
	void *object;
	char own[64];
	Dl_info self;

	if (hModule != (HMODULE)(void *)&library) {
		wsock_error_set(ERROR_INVALID_HANDLE);
		return NULL;
	}
	/* Functions have no numbers. */
	if ((uintptr_t)lpProcName <= UINT16_MAX || !dladdr(&library, &self)) {
		wsock_error_set(ERROR_PROC_NOT_FOUND);
		return NULL;
	}
	/* The program, when it brings the library itself, is not known by name. */
	object = dlopen(self.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
	if (!object)
		object = dlopen(NULL, RTLD_LAZY);
	snprintf(own, sizeof(own), "wsock_%s", lpProcName);
	found = find_function(object, self.dli_fbase, own);
	if (!found)
		found = find_function(object, self.dli_fbase, lpProcName);
	dlclose(object);
	if (!found)
		wsock_error_set(ERROR_PROC_NOT_FOUND);
	memcpy(&function, &found, sizeof(function));
	return function;
}
