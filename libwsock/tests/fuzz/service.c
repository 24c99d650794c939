// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The files of the name space, which others may have written: any bytes as one,
 * what is found told in rooms of any size, and registered again. WSOCK_NAMES is a
 * directory of ours.
 */
#include "fuzz.h"

#include <limits.h>

static const GUID class = { .Data1 = 0x77736f63, .Data2 = 0x6b };
static char path[PATH_MAX];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *dir = getenv("WSOCK_NAMES");

	(void)argc;
	(void)argv;
	fuzz_register();
	EXPECT(dir);
	snprintf(path, sizeof(path), "%s/file", dir);
	return 0;
}

static bool begin(HANDLE *handle)
{
	GUID wanted = class;
	WSAQUERYSETA query = {
		.dwSize = sizeof(query), .dwNameSpace = NS_ALL,
		.lpServiceClassId = &wanted,
	};

	return !WSALookupServiceBeginA(&query, LUP_RETURN_ALL, handle);
}

/* What is told of the one service; NULL when there is none. To be freed. */
static WSAQUERYSETA *tell(bool wide, DWORD room)
{
	WSAQUERYSETA *found = malloc(room);
	DWORD len = room;
	HANDLE handle;
	int result;

	if (!begin(&handle)) {
		free(found);
		return NULL;
	}
	result = wide ? WSALookupServiceNextW(handle, LUP_RETURN_ALL, &len,
					      (WSAQUERYSETW *)found) :
			WSALookupServiceNextA(handle, LUP_RETURN_ALL, &len,
					      found);
	if (result) {
		EXPECT(wsock_error_get() == WSAEFAULT && len > room);
		found = realloc(found, len);
		result = wide ? WSALookupServiceNextW(handle, LUP_RETURN_ALL,
						      &len,
						      (WSAQUERYSETW *)found) :
				WSALookupServiceNextA(handle, LUP_RETURN_ALL,
						      &len, found);
		EXPECT(!result);
	}
	EXPECT(!WSALookupServiceEnd(handle));
	return found;
}

static void expect_same(const WSAQUERYSETA *a, const WSAQUERYSETA *b)
{
	const CSADDR_INFO *x, *y;
	DWORD i;

	EXPECT(!strcmp(a->lpszServiceInstanceName, b->lpszServiceInstanceName));
	EXPECT(!strcmp(a->lpszComment, b->lpszComment));
	EXPECT(a->dwNumberOfCsAddrs == b->dwNumberOfCsAddrs);
	for (i = 0; i < a->dwNumberOfCsAddrs; i++) {
		x = &a->lpcsaBuffer[i];
		y = &b->lpcsaBuffer[i];
		EXPECT(x->iSocketType == y->iSocketType &&
		       x->iProtocol == y->iProtocol);
		EXPECT(x->LocalAddr.iSockaddrLength ==
		       y->LocalAddr.iSockaddrLength);
		EXPECT(!memcmp(x->LocalAddr.lpSockaddr, y->LocalAddr.lpSockaddr,
			       (size_t)x->LocalAddr.iSockaddrLength));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	DWORD room = fuzz_byte(&in) * 4U;
	WSAQUERYSETA *found, *again;
	FILE *f = fopen(path, "w");

	EXPECT(f);
	fwrite(in.at, 1, in.left, f);
	fclose(f);
	found = tell(false, room);
	if (found) {
		free(tell(true, room));
		/* The same from a file of our own. */
		unlink(path);
		if (!WSASetServiceA(found, RNRSERVICE_REGISTER, 0)) {
			again = tell(false, room);
			EXPECT(again);
			expect_same(found, again);
			EXPECT(!WSASetServiceA(found, RNRSERVICE_DELETE, 0));
			EXPECT(!begin(&(HANDLE){ NULL }));
			free(again);
		}
		free(found);
	}
	return 0;
}
