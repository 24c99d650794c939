/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Structures that several parts of kernel32 share. */
#ifndef _MINWINBASE_
#define _MINWINBASE_

#include <winnt.h>

/* Accepted, not looked at: no handle is inherited across exec. */
typedef struct _SECURITY_ATTRIBUTES {
	DWORD nLength;
	LPVOID lpSecurityDescriptor;
	BOOL bInheritHandle;
} SECURITY_ATTRIBUTES, *PSECURITY_ATTRIBUTES, *LPSECURITY_ATTRIBUTES;

/*
 * Internal is an NTSTATUS, STATUS_PENDING while the operation is pending;
 * InternalHigh is the number of bytes; Offset receives the MSG_* flags. hEvent,
 * without its lowest bit, is signalled at the end; NULL for no event. The
 * structure must be 8-aligned and belongs to the operation until its end.
 */
typedef struct _OVERLAPPED {
	ULONG_PTR Internal;
	ULONG_PTR InternalHigh;
	__extension__ union {
		__extension__ struct {
			DWORD Offset;
			DWORD OffsetHigh;
		};
		PVOID Pointer;
	};
	HANDLE hEvent;
} OVERLAPPED, *LPOVERLAPPED;

/* Units of 100 ns since the beginning of 1601. */
typedef struct _FILETIME {
	DWORD dwLowDateTime;
	DWORD dwHighDateTime;
} FILETIME, *PFILETIME, *LPFILETIME;

typedef struct _SYSTEMTIME {
	WORD wYear;
	WORD wMonth;
	WORD wDayOfWeek;
	WORD wDay;
	WORD wHour;
	WORD wMinute;
	WORD wSecond;
	WORD wMilliseconds;
} SYSTEMTIME, *PSYSTEMTIME, *LPSYSTEMTIME;

#endif /* _MINWINBASE_ */
