/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Compiled with _WIN32: names of system headers that Windows does not have, or has
 * with other types, so that programs define them.
 */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <time.h>

struct iovec {
	unsigned long iov_len;
	void *iov_base;
};

struct timezone {
	int tz_minuteswest;
	int tz_dsttime;
};

typedef int socklen_t;
typedef ULONG nfds_t;

int use_windows_names(SOCKET s);

int use_windows_names(SOCKET s)
{
	static CRITICAL_SECTION section = { 0, 0, 0, 0, 0, 0 };
	struct sockaddr_storage name;
	struct timezone zone = { 0, 0 };
	struct iovec vector = { 0, 0 };
	socklen_t len = sizeof(name);
	nfds_t count = 0;

#ifndef __STRICT_ANSI__
	/* The variable of this name is the C library's. */
	zone.tz_minuteswest = (int)timezone;
#endif
	EnterCriticalSection(&section);
	LeaveCriticalSection(&section);
	getsockname(s, (struct sockaddr *)&name, &len);
#ifdef __cplusplus
	{
		long counter = 0;
		unsigned long pending = 0;

		ioctlsocket(s, FIONREAD, &pending);
		InterlockedIncrement(&counter);
		InterlockedDecrement(&counter);
		InterlockedExchangeAdd(&counter, InterlockedExchange(&counter, 1));
		InterlockedCompareExchange(&counter, 0, 1);
	}
#endif
	return zone.tz_dsttime + (int)vector.iov_len + (int)count +
	       (int)timeGetTime();
}
