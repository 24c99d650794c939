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

/* ---- Threads ---- */

typedef DWORD (WINAPI *LPTHREAD_START_ROUTINE)(LPVOID lpThreadParameter);
typedef LPTHREAD_START_ROUTINE PTHREAD_START_ROUTINE;

#define CREATE_SUSPENDED			0x00000004
#define STACK_SIZE_PARAM_IS_A_RESERVATION	0x00010000

/*
 * Begins a thread, in which @lpStartAddress(@lpParameter) is called; the handle
 * is signalled at its end and has to be closed like every other. With
 * CREATE_SUSPENDED it begins at ResumeThread. @dwStackSize counts when it is
 * larger than the default, or with STACK_SIZE_PARAM_IS_A_RESERVATION. NULL with
 * ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY or the errors of
 * CreateIoCompletionPort, as a thread's APCs need the kernel module.
 */
HANDLE WINAPI CreateThread(LPSECURITY_ATTRIBUTES lpThreadAttributes,
			   SIZE_T dwStackSize,
			   LPTHREAD_START_ROUTINE lpStartAddress,
			   LPVOID lpParameter, DWORD dwCreationFlags,
			   LPDWORD lpThreadId);
/* How often the thread was suspended: 1, or 0; (DWORD)-1 when it fails. */
DWORD WINAPI ResumeThread(HANDLE hThread);
/*
 * Ends the calling thread. One that CreateThread has made unwinds nothing, others
 * end as by pthread_exit.
 */
VOID WINAPI ExitThread(DWORD dwExitCode) DECLSPEC_NORETURN;

#define STILL_ACTIVE	259

/*
 * Of threads that CreateThread has made; ERROR_INVALID_HANDLE for others.
 * STILL_ACTIVE until the end.
 */
BOOL WINAPI GetExitCodeThread(HANDLE hThread, LPDWORD lpExitCode);
/* Linux's: what gettid(2) returns. */
DWORD WINAPI GetThreadId(HANDLE Thread);
DWORD WINAPI GetCurrentThreadId(void);

#define THREAD_PRIORITY_LOWEST		(-2)
#define THREAD_PRIORITY_BELOW_NORMAL	(-1)
#define THREAD_PRIORITY_NORMAL		0
#define THREAD_PRIORITY_ABOVE_NORMAL	1
#define THREAD_PRIORITY_HIGHEST		2
#define THREAD_PRIORITY_TIME_CRITICAL	15
#define THREAD_PRIORITY_IDLE		(-15)

/*
 * Sets the thread's nice value, 5 for each step. ERROR_ACCESS_DENIED without the
 * right to that, which Linux asks of who wants more than is normal.
 */
BOOL WINAPI SetThreadPriority(HANDLE hThread, int nPriority);
/* Lets others run. */
BOOL WINAPI SwitchToThread(void);

/* ---- Memory of each thread ---- */

#define TLS_OUT_OF_INDEXES	0xffffffffU

/* A new index, whose value is NULL in every thread. */
DWORD WINAPI TlsAlloc(void);
BOOL WINAPI TlsFree(DWORD dwTlsIndex);
BOOL WINAPI TlsSetValue(DWORD dwTlsIndex, LPVOID lpTlsValue);
/* Sets the last error to 0 when it does not fail: the value may be NULL. */
LPVOID WINAPI TlsGetValue(DWORD dwTlsIndex);

/* ---- The process ---- */

DWORD WINAPI GetCurrentProcessId(void);
/* As exit(3). */
VOID WINAPI ExitProcess(UINT uExitCode) DECLSPEC_NORETURN;

#ifdef __cplusplus
}
#endif

#endif /* _PROCESSTHREADSAPI_H_ */
