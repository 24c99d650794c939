/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Objects that can be waited for, waits and sleep. Functions that return BOOL return FALSE, and set the
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

/* ---- Mutexes ---- */

#define CREATE_MUTEX_INITIAL_OWNER	0x1

/*
 * A mutex, signalled while no thread owns it: a wait that it ends makes the thread
 * its owner, which may take it again, and has to release it as often. When a thread
 * ends its mutexes become others'; the next wait is told that by WAIT_ABANDONED_0
 * instead of WAIT_OBJECT_0. Mutexes have no names, as events, and the errors of
 * CreateEvent. With the critical sections below it is cheaper.
 */
HANDLE WINAPI CreateMutexA(LPSECURITY_ATTRIBUTES lpMutexAttributes,
			   BOOL bInitialOwner, LPCSTR lpName);
HANDLE WINAPI CreateMutexW(LPSECURITY_ATTRIBUTES lpMutexAttributes,
			   BOOL bInitialOwner, LPCWSTR lpName);
HANDLE WINAPI CreateMutexExA(LPSECURITY_ATTRIBUTES lpMutexAttributes,
			     LPCSTR lpName, DWORD dwFlags,
			     DWORD dwDesiredAccess);
HANDLE WINAPI CreateMutexExW(LPSECURITY_ATTRIBUTES lpMutexAttributes,
			     LPCWSTR lpName, DWORD dwFlags,
			     DWORD dwDesiredAccess);
/* ERROR_NOT_OWNER when it is not the calling thread's. */
BOOL WINAPI ReleaseMutex(HANDLE hMutex);

/* ---- Semaphores ---- */

/*
 * A semaphore, signalled while its count is above 0; a wait that it ends takes 1.
 * ERROR_INVALID_PARAMETER for counts out of range, or @dwFlags that are not 0.
 * Otherwise as CreateEvent.
 */
HANDLE WINAPI CreateSemaphoreA(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes,
			       LONG lInitialCount, LONG lMaximumCount,
			       LPCSTR lpName);
HANDLE WINAPI CreateSemaphoreW(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes,
			       LONG lInitialCount, LONG lMaximumCount,
			       LPCWSTR lpName);
HANDLE WINAPI CreateSemaphoreExA(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes,
				 LONG lInitialCount, LONG lMaximumCount,
				 LPCSTR lpName, DWORD dwFlags,
				 DWORD dwDesiredAccess);
HANDLE WINAPI CreateSemaphoreExW(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes,
				 LONG lInitialCount, LONG lMaximumCount,
				 LPCWSTR lpName, DWORD dwFlags,
				 DWORD dwDesiredAccess);
/*
 * Adds to the count; *@lpPreviousCount, unless NULL, is what it was. Nothing is
 * added, and ERROR_TOO_MANY_POSTS, when that would exceed the maximum.
 * ERROR_INVALID_PARAMETER for less than 1.
 */
BOOL WINAPI ReleaseSemaphore(HANDLE hSemaphore, LONG lReleaseCount,
			     LPLONG lpPreviousCount);

/* ---- Waitable timers ---- */

#define CREATE_WAITABLE_TIMER_MANUAL_RESET	0x1
#define CREATE_WAITABLE_TIMER_HIGH_RESOLUTION	0x2

/* The time is when the timer was due, a FILETIME. */
typedef VOID (APIENTRY *PTIMERAPCROUTINE)(LPVOID lpArgToCompletionRoutine,
					  DWORD dwTimerLowValue,
					  DWORD dwTimerHighValue);

typedef struct _REASON_CONTEXT {
	ULONG Version;
	DWORD Flags;
	union {
		struct {
			HMODULE LocalizedReasonModule;
			ULONG LocalizedReasonId;
			ULONG ReasonStringCount;
			LPWSTR *ReasonStrings;
		} Detailed;
		LPWSTR SimpleReasonString;
	} Reason;
} REASON_CONTEXT, *PREASON_CONTEXT;

/*
 * A timer, which is not signalled until it was set and the time has come. Then it
 * stays so until it is set anew, or without @bManualReset until a wait takes it.
 * Otherwise as CreateEvent.
 */
HANDLE WINAPI CreateWaitableTimerA(LPSECURITY_ATTRIBUTES lpTimerAttributes,
				   BOOL bManualReset, LPCSTR lpTimerName);
HANDLE WINAPI CreateWaitableTimerW(LPSECURITY_ATTRIBUTES lpTimerAttributes,
				   BOOL bManualReset, LPCWSTR lpTimerName);
HANDLE WINAPI CreateWaitableTimerExA(LPSECURITY_ATTRIBUTES lpTimerAttributes,
				     LPCSTR lpTimerName, DWORD dwFlags,
				     DWORD dwDesiredAccess);
HANDLE WINAPI CreateWaitableTimerExW(LPSECURITY_ATTRIBUTES lpTimerAttributes,
				     LPCWSTR lpTimerName, DWORD dwFlags,
				     DWORD dwDesiredAccess);
/*
 * Sets the timer to a time in units of 100 ns: a FILETIME, which follows the clock
 * when that is set, or less than 0 for as long from now, which does not. After that
 * it is due every @lPeriod milliseconds, unless 0. @pfnCompletionRoutine, unless
 * NULL, is an APC that the calling thread runs then (see QueueUserAPC), once
 * however often the timer was due meanwhile; setting the clock does not move it. A
 * machine is not woken: with @fResume the last error is ERROR_NOT_SUPPORTED after a
 * success. ERROR_INVALID_PARAMETER for no time or a negative period; with a routine
 * also the errors of CreateIoCompletionPort.
 */
BOOL WINAPI SetWaitableTimer(HANDLE hTimer, const LARGE_INTEGER *lpDueTime,
			     LONG lPeriod,
			     PTIMERAPCROUTINE pfnCompletionRoutine,
			     LPVOID lpArgToCompletionRoutine, BOOL fResume);
/* The same; it is on time, whatever is tolerable. */
BOOL WINAPI SetWaitableTimerEx(HANDLE hTimer, const LARGE_INTEGER *lpDueTime,
			       LONG lPeriod,
			       PTIMERAPCROUTINE pfnCompletionRoutine,
			       LPVOID lpArgToCompletionRoutine,
			       PREASON_CONTEXT WakeContext,
			       ULONG TolerableDelay);
/* Stops it, and its routine; it stays signalled when it is. */
BOOL WINAPI CancelWaitableTimer(HANDLE hTimer);

/* ---- Waits ---- */

/*
 * Waits for one of the objects above, for the end of a thread, or for a SOCKET (see
 * the man page), @dwMilliseconds at most, INFINITE for ever. Returns WAIT_OBJECT_0, WAIT_TIMEOUT, or WAIT_FAILED with
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
 * Sets an event, or releases a mutex or 1 of a semaphore, then waits. What cannot be
 * waited for is noticed before.
 */
DWORD WINAPI SignalObjectAndWait(HANDLE hObjectToSignal, HANDLE hObjectToWaitOn,
				 DWORD dwMilliseconds, BOOL bAlertable);
/*
 * 0 only lets others run; INFINITE has no end. SleepEx returns 0, or
 * WAIT_IO_COMPLETION.
 */
VOID WINAPI Sleep(DWORD dwMilliseconds);
DWORD WINAPI SleepEx(DWORD dwMilliseconds, BOOL bAlertable);

/* ---- Critical sections: a thread may enter its own again ---- */

/* The members have Windows' names for initialisers; what is in them is not. */
typedef struct _RTL_CRITICAL_SECTION {
	PVOID DebugInfo;
	LONG LockCount;
	LONG RecursionCount;
	HANDLE OwningThread;
	HANDLE LockSemaphore;
	ULONG_PTR SpinCount;
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
#define CreateMutex	CreateMutexW
#define CreateMutexEx	CreateMutexExW
#define CreateSemaphore	CreateSemaphoreW
#define CreateSemaphoreEx	CreateSemaphoreExW
#define CreateWaitableTimer	CreateWaitableTimerW
#define CreateWaitableTimerEx	CreateWaitableTimerExW
#else
#define CreateEvent	CreateEventA
#define CreateEventEx	CreateEventExA
#define CreateMutex	CreateMutexA
#define CreateMutexEx	CreateMutexExA
#define CreateSemaphore	CreateSemaphoreA
#define CreateSemaphoreEx	CreateSemaphoreExA
#define CreateWaitableTimer	CreateWaitableTimerA
#define CreateWaitableTimerEx	CreateWaitableTimerExA
#endif

#ifdef __cplusplus
}
#endif

#endif /* _SYNCHAPI_H_ */
