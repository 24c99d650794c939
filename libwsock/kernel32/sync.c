// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Locks that are no handles: critical sections on pthread's recursive mutexes;
 * slim locks, condition variables and one-time initialisation, which have to be
 * of the size of a pointer and all zero at first, on futexes.
 */
#include "../internal.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>

/* False when the time is over. */
static bool futex_wait(uint32_t *word, uint32_t value, uint64_t deadline)
{
	struct timespec ts, *timeout = NULL;
	uint64_t now;

	if (deadline != WSOCK_NEVER) {
		now = wsock_now();
		if (deadline <= now)
			return false;
		ts.tv_sec = (time_t)((deadline - now) / WSOCK_NSEC_PER_SEC);
		ts.tv_nsec = (long)((deadline - now) % WSOCK_NSEC_PER_SEC);
		timeout = &ts;
	}
	return !syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, timeout) ||
	       errno != ETIMEDOUT;
}

static void futex_wake(uint32_t *word, int threads)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, threads);
}

/* ---- Critical sections ---- */

static pthread_mutex_t *mutex_of(LPCRITICAL_SECTION section)
{
	_Static_assert(sizeof(*section) >= sizeof(pthread_mutex_t) &&
		       _Alignof(CRITICAL_SECTION) >= _Alignof(pthread_mutex_t),
		       "room for a mutex");
	return (pthread_mutex_t *)section;
}

WSOCK_EXPORT VOID WINAPI
InitializeCriticalSection(LPCRITICAL_SECTION lpCriticalSection)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(mutex_of(lpCriticalSection), &attr);
	pthread_mutexattr_destroy(&attr);
}

WSOCK_EXPORT BOOL WINAPI
InitializeCriticalSectionAndSpinCount(LPCRITICAL_SECTION lpCriticalSection,
				      DWORD dwSpinCount)
{
	(void)dwSpinCount;
	InitializeCriticalSection(lpCriticalSection);
	return TRUE;
}

WSOCK_EXPORT BOOL WINAPI
InitializeCriticalSectionEx(LPCRITICAL_SECTION lpCriticalSection,
			    DWORD dwSpinCount, DWORD Flags)
{
	(void)Flags;
	return InitializeCriticalSectionAndSpinCount(lpCriticalSection,
						     dwSpinCount);
}

WSOCK_EXPORT VOID WINAPI
EnterCriticalSection(LPCRITICAL_SECTION lpCriticalSection)
{
	pthread_mutex_lock(mutex_of(lpCriticalSection));
}

WSOCK_EXPORT BOOL WINAPI
TryEnterCriticalSection(LPCRITICAL_SECTION lpCriticalSection)
{
	return !pthread_mutex_trylock(mutex_of(lpCriticalSection));
}

WSOCK_EXPORT VOID WINAPI
LeaveCriticalSection(LPCRITICAL_SECTION lpCriticalSection)
{
	pthread_mutex_unlock(mutex_of(lpCriticalSection));
}

WSOCK_EXPORT VOID WINAPI
DeleteCriticalSection(LPCRITICAL_SECTION lpCriticalSection)
{
	pthread_mutex_destroy(mutex_of(lpCriticalSection));
}

/* ---- Slim reader/writer locks ---- */

#define EXCLUSIVE	UINT32_MAX

/*
 * @state: EXCLUSIVE, or how many share the lock. @waiters: who waits, or is about
 * to; counted before the look at @state that makes one wait, and read after
 * @state was changed, so that either the change is seen or the wake-up sent.
 */
struct slim {
	uint32_t state;
	uint32_t waiters;
};

static struct slim *slim_of(PSRWLOCK lock)
{
	_Static_assert(sizeof(*lock) == sizeof(struct slim), "SRWLOCK");
	return (struct slim *)lock;
}

static bool slim_try(struct slim *l, bool exclusive, uint32_t *seen)
{
	*seen = __atomic_load_n(&l->state, __ATOMIC_SEQ_CST);
	while (exclusive ? !*seen : *seen != EXCLUSIVE)
		if (__atomic_compare_exchange_n(&l->state, seen,
						exclusive ? EXCLUSIVE :
							    *seen + 1,
						true, __ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST))
			return true;
	return false;
}

static void slim_acquire(PSRWLOCK lock, bool exclusive)
{
	struct slim *l = slim_of(lock);
	uint32_t seen;

	if (slim_try(l, exclusive, &seen))
		return;
	__atomic_add_fetch(&l->waiters, 1, __ATOMIC_SEQ_CST);
	while (!slim_try(l, exclusive, &seen))
		futex_wait(&l->state, seen, WSOCK_NEVER);
	__atomic_sub_fetch(&l->waiters, 1, __ATOMIC_SEQ_CST);
}

static void slim_release(PSRWLOCK lock, bool exclusive)
{
	struct slim *l = slim_of(lock);
	uint32_t left = 0;

	if (exclusive)
		__atomic_store_n(&l->state, 0, __ATOMIC_SEQ_CST);
	else
		left = __atomic_sub_fetch(&l->state, 1, __ATOMIC_SEQ_CST);
	if (!left && __atomic_load_n(&l->waiters, __ATOMIC_SEQ_CST))
		futex_wake(&l->state, INT_MAX);
}

WSOCK_EXPORT VOID WINAPI InitializeSRWLock(PSRWLOCK SRWLock)
{
	*SRWLock = (SRWLOCK)SRWLOCK_INIT;
}

WSOCK_EXPORT VOID WINAPI AcquireSRWLockExclusive(PSRWLOCK SRWLock)
{
	slim_acquire(SRWLock, true);
}

WSOCK_EXPORT VOID WINAPI AcquireSRWLockShared(PSRWLOCK SRWLock)
{
	slim_acquire(SRWLock, false);
}

WSOCK_EXPORT BOOLEAN WINAPI TryAcquireSRWLockExclusive(PSRWLOCK SRWLock)
{
	uint32_t seen;

	return slim_try(slim_of(SRWLock), true, &seen);
}

WSOCK_EXPORT BOOLEAN WINAPI TryAcquireSRWLockShared(PSRWLOCK SRWLock)
{
	uint32_t seen;

	return slim_try(slim_of(SRWLock), false, &seen);
}

WSOCK_EXPORT VOID WINAPI ReleaseSRWLockExclusive(PSRWLOCK SRWLock)
{
	slim_release(SRWLock, true);
}

WSOCK_EXPORT VOID WINAPI ReleaseSRWLockShared(PSRWLOCK SRWLock)
{
	slim_release(SRWLock, false);
}

/* ---- Condition variables ---- */

/*
 * @wakes counts the calls that wake: who sleeps had read it with the lock held,
 * and does not sleep when it was changed since.
 */
struct condition {
	uint32_t wakes;
	uint32_t waiters;
};

static struct condition *condition_of(PCONDITION_VARIABLE variable)
{
	_Static_assert(sizeof(*variable) == sizeof(struct condition),
		       "CONDITION_VARIABLE");
	return (struct condition *)variable;
}

static void wake(PCONDITION_VARIABLE variable, int threads)
{
	struct condition *c = condition_of(variable);

	__atomic_add_fetch(&c->wakes, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&c->waiters, __ATOMIC_SEQ_CST))
		futex_wake(&c->wakes, threads);
}

WSOCK_EXPORT VOID WINAPI
InitializeConditionVariable(PCONDITION_VARIABLE ConditionVariable)
{
	*ConditionVariable = (CONDITION_VARIABLE)CONDITION_VARIABLE_INIT;
}

WSOCK_EXPORT VOID WINAPI
WakeConditionVariable(PCONDITION_VARIABLE ConditionVariable)
{
	wake(ConditionVariable, 1);
}

WSOCK_EXPORT VOID WINAPI
WakeAllConditionVariable(PCONDITION_VARIABLE ConditionVariable)
{
	wake(ConditionVariable, INT_MAX);
}

/* Before the lock is given up: what is to be changed with it is not missed. */
static uint32_t sleep_begin(struct condition *c)
{
	__atomic_add_fetch(&c->waiters, 1, __ATOMIC_SEQ_CST);
	return __atomic_load_n(&c->wakes, __ATOMIC_SEQ_CST);
}

static BOOL sleep_end(struct condition *c, bool woken)
{
	__atomic_sub_fetch(&c->waiters, 1, __ATOMIC_SEQ_CST);
	if (!woken)
		wsock_error_set(ERROR_TIMEOUT);
	return woken;
}

WSOCK_EXPORT BOOL WINAPI
SleepConditionVariableCS(PCONDITION_VARIABLE ConditionVariable,
			 PCRITICAL_SECTION CriticalSection,
			 DWORD dwMilliseconds)
{
	struct condition *c = condition_of(ConditionVariable);
	uint64_t deadline = wsock_wait_deadline(dwMilliseconds);
	uint32_t wakes = sleep_begin(c);
	bool woken;

	LeaveCriticalSection(CriticalSection);
	woken = futex_wait(&c->wakes, wakes, deadline);
	EnterCriticalSection(CriticalSection);
	return sleep_end(c, woken);
}

WSOCK_EXPORT BOOL WINAPI
SleepConditionVariableSRW(PCONDITION_VARIABLE ConditionVariable,
			  PSRWLOCK SRWLock, DWORD dwMilliseconds, ULONG Flags)
{
	struct condition *c = condition_of(ConditionVariable);
	uint64_t deadline = wsock_wait_deadline(dwMilliseconds);
	bool shared = Flags & CONDITION_VARIABLE_LOCKMODE_SHARED, woken;
	uint32_t wakes = sleep_begin(c);

	slim_release(SRWLock, !shared);
	woken = futex_wait(&c->wakes, wakes, deadline);
	slim_acquire(SRWLock, !shared);
	return sleep_end(c, woken);
}

/* ---- One-time initialisation ---- */

/*
 * The context, whose lowest bits are not used, and one of these. A context is
 * published with DONE, in one word.
 */
enum once { ONCE_NEW = 0, ONCE_RUNS = 1, ONCE_DONE = 2, ONCE_MASK = 3 };

/* The half of the word that has the state. */
static uint32_t *once_state(PINIT_ONCE once)
{
	_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "low half");
	return (uint32_t *)once;
}

static void once_set(PINIT_ONCE once, uintptr_t value)
{
	__atomic_store_n((uintptr_t *)once, value, __ATOMIC_SEQ_CST);
	futex_wake(once_state(once), INT_MAX);
}

WSOCK_EXPORT VOID WINAPI InitOnceInitialize(PINIT_ONCE InitOnce)
{
	*InitOnce = (INIT_ONCE)INIT_ONCE_STATIC_INIT;
}

WSOCK_EXPORT BOOL WINAPI InitOnceExecuteOnce(PINIT_ONCE InitOnce,
					     PINIT_ONCE_FN InitFn,
					     PVOID Parameter, LPVOID *Context)
{
	uintptr_t *word = (uintptr_t *)InitOnce;
	uintptr_t value = __atomic_load_n(word, __ATOMIC_SEQ_CST);
	PVOID context = NULL;

	while ((value & ONCE_MASK) != ONCE_DONE) {
		if (value & ONCE_MASK) {
			futex_wait(once_state(InitOnce), (uint32_t)value,
				   WSOCK_NEVER);
			value = __atomic_load_n(word, __ATOMIC_SEQ_CST);
			continue;
		}
		if (!__atomic_compare_exchange_n(word, &value, ONCE_RUNS,
						 false, __ATOMIC_SEQ_CST,
						 __ATOMIC_SEQ_CST))
			continue;
		/* After a failure it is the next one's turn. */
		if (!InitFn(InitOnce, Parameter, &context)) {
			once_set(InitOnce, ONCE_NEW);
			return FALSE;
		}
		value = (uintptr_t)context | ONCE_DONE;
		once_set(InitOnce, value);
	}
	if (Context)
		*Context = (PVOID)(value & ~(uintptr_t)ONCE_MASK);
	return TRUE;
}
