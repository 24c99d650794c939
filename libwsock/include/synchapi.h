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

/* ---- Critical sections: a thread may enter its own again ---- */

typedef struct _RTL_CRITICAL_SECTION {
	PVOID wsock_opaque[5];
} CRITICAL_SECTION, *PCRITICAL_SECTION, *LPCRITICAL_SECTION,
	RTL_CRITICAL_SECTION;

VOID WINAPI InitializeCriticalSection(LPCRITICAL_SECTION lpCriticalSection);
/* Never fail; they do not spin. */
BOOL WINAPI
InitializeCriticalSectionAndSpinCount(LPCRITICAL_SECTION lpCriticalSection,
				      DWORD dwSpinCount);
BOOL WINAPI InitializeCriticalSectionEx(LPCRITICAL_SECTION lpCriticalSection,
					DWORD dwSpinCount, DWORD Flags);
VOID WINAPI EnterCriticalSection(LPCRITICAL_SECTION lpCriticalSection);
BOOL WINAPI TryEnterCriticalSection(LPCRITICAL_SECTION lpCriticalSection);
VOID WINAPI LeaveCriticalSection(LPCRITICAL_SECTION lpCriticalSection);
VOID WINAPI DeleteCriticalSection(LPCRITICAL_SECTION lpCriticalSection);

/* ---- Slim reader/writer locks: not recursive, not fair ---- */

typedef struct _RTL_SRWLOCK {
	PVOID Ptr;
} SRWLOCK, *PSRWLOCK, RTL_SRWLOCK;
#define SRWLOCK_INIT	{ 0 }

VOID WINAPI InitializeSRWLock(PSRWLOCK SRWLock);
VOID WINAPI AcquireSRWLockExclusive(PSRWLOCK SRWLock);
VOID WINAPI AcquireSRWLockShared(PSRWLOCK SRWLock);
BOOLEAN WINAPI TryAcquireSRWLockExclusive(PSRWLOCK SRWLock);
BOOLEAN WINAPI TryAcquireSRWLockShared(PSRWLOCK SRWLock);
VOID WINAPI ReleaseSRWLockExclusive(PSRWLOCK SRWLock);
VOID WINAPI ReleaseSRWLockShared(PSRWLOCK SRWLock);

/* ---- Condition variables ---- */

typedef struct _RTL_CONDITION_VARIABLE {
	PVOID Ptr;
} CONDITION_VARIABLE, *PCONDITION_VARIABLE, RTL_CONDITION_VARIABLE;
#define CONDITION_VARIABLE_INIT	{ 0 }
#define CONDITION_VARIABLE_LOCKMODE_SHARED	0x1

VOID WINAPI InitializeConditionVariable(PCONDITION_VARIABLE ConditionVariable);
VOID WINAPI WakeConditionVariable(PCONDITION_VARIABLE ConditionVariable);
VOID WINAPI WakeAllConditionVariable(PCONDITION_VARIABLE ConditionVariable);
/*
 * Give the lock up, which the caller has once, sleep, and take it again. They may
 * return without a wake-up. FALSE with ERROR_TIMEOUT.
 */
BOOL WINAPI SleepConditionVariableCS(PCONDITION_VARIABLE ConditionVariable,
				     PCRITICAL_SECTION CriticalSection,
				     DWORD dwMilliseconds);
BOOL WINAPI SleepConditionVariableSRW(PCONDITION_VARIABLE ConditionVariable,
				      PSRWLOCK SRWLock, DWORD dwMilliseconds,
				      ULONG Flags);

/* ---- One-time initialisation ---- */

typedef union _RTL_RUN_ONCE {
	PVOID Ptr;
} INIT_ONCE, *PINIT_ONCE, *LPINIT_ONCE, RTL_RUN_ONCE;
#define INIT_ONCE_STATIC_INIT	{ 0 }
#define INIT_ONCE_CTX_RESERVED_BITS	2

typedef BOOL (CALLBACK *PINIT_ONCE_FN)(PINIT_ONCE InitOnce, PVOID Parameter,
				       PVOID *Context);

VOID WINAPI InitOnceInitialize(PINIT_ONCE InitOnce);
/*
 * Calls @InitFn, once it has returned TRUE never again; others wait meanwhile. All
 * get its context, a multiple of 4.
 */
BOOL WINAPI InitOnceExecuteOnce(PINIT_ONCE InitOnce, PINIT_ONCE_FN InitFn,
				PVOID Parameter, LPVOID *Context);

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
