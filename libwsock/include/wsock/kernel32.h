/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The companions of Winsock that a Windows program finds in kernel32: handles,
 * events, waits and the thread's last error. None of them needs WSAStartup, and
 * WSACleanup leaves them all alone. Functions that return BOOL return FALSE, and
 * set the last error, when they fail.
 */
#ifndef _WSOCK_KERNEL32_H
#define _WSOCK_KERNEL32_H

#include <wsock/windef.h>
#include <wsock/winerror.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Handles ---- */

/*
 * Closes an event, a completion port (whose waiters get ERROR_ABANDONED_WAIT_0)
 * or a thread handle, or a SOCKET as closesocket does. FALSE with
 * ERROR_INVALID_HANDLE for anything else.
 */
BOOL WINAPI CloseHandle(HANDLE hObject);

/* They mean the caller's own, in whichever thread; they need not be closed. */
HANDLE WINAPI GetCurrentProcess(void);
HANDLE WINAPI GetCurrentThread(void);

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

/* ---- Events ---- */

/* Accepted, not looked at: no handle is inherited across exec. */
typedef struct _SECURITY_ATTRIBUTES {
	DWORD nLength;
	LPVOID lpSecurityDescriptor;
	BOOL bInheritHandle;
} SECURITY_ATTRIBUTES, *PSECURITY_ATTRIBUTES, *LPSECURITY_ATTRIBUTES;

#define CREATE_EVENT_MANUAL_RESET	0x1
#define CREATE_EVENT_INITIAL_SET	0x2

#define SYNCHRONIZE		0x00100000
#define EVENT_MODIFY_STATE	0x0002
#define EVENT_ALL_ACCESS	0x001f0003

/*
 * An event that stays signalled until it is reset, or with @bManualReset FALSE
 * one that a wait takes: however many threads wait, setting it releases one, and
 * none is lost when nobody waits yet. (As on Windows, setting it again before it
 * was taken adds nothing; here "taken" means that the released thread has run.)
 * Events have no names: NULL and ERROR_NOT_SUPPORTED for one that is not empty.
 * NULL and ERROR_NOT_ENOUGH_MEMORY when no descriptor is left. An event and
 * WSACreateEvent's are the same kind of object.
 */
HANDLE WINAPI CreateEventA(LPSECURITY_ATTRIBUTES lpEventAttributes,
			   BOOL bManualReset, BOOL bInitialState,
			   LPCSTR lpName);
HANDLE WINAPI CreateEventW(LPSECURITY_ATTRIBUTES lpEventAttributes,
			   BOOL bManualReset, BOOL bInitialState,
			   LPCWSTR lpName);
/*
 * The same with CREATE_EVENT_* in @dwFlags. ERROR_INVALID_PARAMETER for others;
 * @dwDesiredAccess is not looked at.
 */
HANDLE WINAPI CreateEventExA(LPSECURITY_ATTRIBUTES lpEventAttributes,
			     LPCSTR lpName, DWORD dwFlags,
			     DWORD dwDesiredAccess);
HANDLE WINAPI CreateEventExW(LPSECURITY_ATTRIBUTES lpEventAttributes,
			     LPCWSTR lpName, DWORD dwFlags,
			     DWORD dwDesiredAccess);
/* FALSE with ERROR_INVALID_HANDLE for what is no event. */
BOOL WINAPI SetEvent(HANDLE hEvent);
BOOL WINAPI ResetEvent(HANDLE hEvent);

/* ---- Waits ---- */

/*
 * Waits for an event or for the end of a thread, @dwMilliseconds at most,
 * INFINITE for ever. Returns WAIT_OBJECT_0, WAIT_TIMEOUT, or WAIT_FAILED with
 * ERROR_INVALID_HANDLE. With @bAlertable it also ends when there are APCs to run:
 * it has run them then, and returns WAIT_IO_COMPLETION. An object that is
 * signalled comes first.
 */
DWORD WINAPI WaitForSingleObject(HANDLE hHandle, DWORD dwMilliseconds);
DWORD WINAPI WaitForSingleObjectEx(HANDLE hHandle, DWORD dwMilliseconds,
				   BOOL bAlertable);
/*
 * Waits for one of 1 to 64 objects and returns WAIT_OBJECT_0 plus its index, the
 * lowest of those that are signalled; or, with @bWaitAll, until all are
 * signalled at one time, and returns WAIT_OBJECT_0. Nothing is taken from an
 * object that the return value does not mean. WAIT_FAILED with
 * ERROR_INVALID_PARAMETER for a bad number of objects or, with @bWaitAll, the
 * same handle twice.
 */
DWORD WINAPI WaitForMultipleObjects(DWORD nCount, const HANDLE *lpHandles,
				    BOOL bWaitAll, DWORD dwMilliseconds);
DWORD WINAPI WaitForMultipleObjectsEx(DWORD nCount, const HANDLE *lpHandles,
				      BOOL bWaitAll, DWORD dwMilliseconds,
				      BOOL bAlertable);
/*
 * 0 only lets others run; INFINITE has no end. SleepEx returns 0, or
 * WAIT_IO_COMPLETION.
 */
VOID WINAPI Sleep(DWORD dwMilliseconds);
DWORD WINAPI SleepEx(DWORD dwMilliseconds, BOOL bAlertable);

/* ---- Asynchronous procedure calls ---- */

typedef VOID (NTAPI *PAPCFUNC)(ULONG_PTR Parameter);

/*
 * Has the thread @hThread call @pfnAPC(@dwData) in its next alertable wait:
 * SleepEx and the waits above with @bAlertable, WSAWaitForMultipleEvents and
 * GetQueuedCompletionStatusEx with @fAlertable, and calls of Winsock that have to
 * wait, which go on afterwards.
 * APCs run in the order in which they were queued. Returns 0 when it could not
 * be queued: ERROR_INVALID_HANDLE, ERROR_NOT_ENOUGH_MEMORY, or ERROR_GEN_FAILURE
 * when the thread has ended. APCs that are queued when a thread ends do not run.
 */
DWORD WINAPI QueueUserAPC(PAPCFUNC pfnAPC, HANDLE hThread, ULONG_PTR dwData);

/* ---- Errors ---- */

/* The calling thread's; WSAGetLastError and WSASetLastError mean the same. */
DWORD WINAPI GetLastError(void);
void WINAPI SetLastError(DWORD dwErrCode);

#ifdef UNICODE
#define CreateEvent	CreateEventW
#define CreateEventEx	CreateEventExW
#else
#define CreateEvent	CreateEventA
#define CreateEventEx	CreateEventExA
#endif

#ifdef __cplusplus
}
#endif

#endif /* _WSOCK_KERNEL32_H */
