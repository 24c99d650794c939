/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The current process and its threads. */
#ifndef _PROCESSTHREADSAPI_H_
#define _PROCESSTHREADSAPI_H_

#include <minwinbase.h>

#ifdef __cplusplus
extern "C" {
#endif

/* They mean the caller's own, in whichever thread; they need not be closed. */
HANDLE WINAPI GetCurrentProcess(void);
HANDLE WINAPI GetCurrentThread(void);

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

#ifdef __cplusplus
}
#endif

#endif /* _PROCESSTHREADSAPI_H_ */
