/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Events, waits and sleep. Functions that return BOOL return FALSE, and set the
 * last error, when they fail.
 */
#ifndef _SYNCHAPI_H_
#define _SYNCHAPI_H_

#include <minwinbase.h>

#ifdef __cplusplus
extern "C" {
#endif

#define INFINITE		0xffffffffU
#define WAIT_OBJECT_0		0U
#define WAIT_ABANDONED		0x80U
#define WAIT_ABANDONED_0	0x80U
#define WAIT_IO_COMPLETION	192U
#define WAIT_TIMEOUT		258U
#define WAIT_FAILED		0xffffffffU
#define MAXIMUM_WAIT_OBJECTS	64

/* ---- Events ---- */

#define CREATE_EVENT_MANUAL_RESET	0x1
#define CREATE_EVENT_INITIAL_SET	0x2

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

#endif /* _SYNCHAPI_H_ */
