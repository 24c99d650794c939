/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The companions of Winsock that a Windows program finds in kernel32. None of
 * them needs WSAStartup, and WSACleanup leaves them all alone. Functions that
 * return BOOL return FALSE, and set the last error, when they fail.
 */
#ifndef _WINBASE_
#define _WINBASE_

#include <ioapiset.h>
#include <processthreadsapi.h>
#include <synchapi.h>
#include <winerror.h>

#ifdef __cplusplus
extern "C" {
#endif

#define INVALID_HANDLE_VALUE	((HANDLE)(intptr_t)-1)

/* ---- Handles ---- */

/*
 * Closes an event, a completion port (whose waiters get ERROR_ABANDONED_WAIT_0)
 * or a thread handle, or a SOCKET as closesocket does. FALSE with
 * ERROR_INVALID_HANDLE for anything else.
 */
BOOL WINAPI CloseHandle(HANDLE hObject);

#define DUPLICATE_CLOSE_SOURCE	0x1
#define DUPLICATE_SAME_ACCESS	0x2

/*
 * Makes a handle of the calling thread that others can use:
 *
 *	DuplicateHandle(GetCurrentProcess(), GetCurrentThread(),
 *			GetCurrentProcess(), &handle, 0, FALSE,
 *			DUPLICATE_SAME_ACCESS);
 *
 * or one more from such a handle. Both processes must be GetCurrentProcess();
 * ERROR_INVALID_HANDLE for these and for other kinds of handles. Access rights
 * and @bInheritHandle are not looked at.
 */
BOOL WINAPI DuplicateHandle(HANDLE hSourceProcessHandle, HANDLE hSourceHandle,
			    HANDLE hTargetProcessHandle,
			    LPHANDLE lpTargetHandle, DWORD dwDesiredAccess,
			    BOOL bInheritHandle, DWORD dwOptions);

/* ---- Errors ---- */

/* The calling thread's; WSAGetLastError and WSASetLastError mean the same. */
DWORD WINAPI GetLastError(void);
void WINAPI SetLastError(DWORD dwErrCode);

#ifdef __cplusplus
}
#endif

#endif /* _WINBASE_ */
