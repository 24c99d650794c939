// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Threads that CreateThread makes. Their APC queue is made before they run, and so
 * they have handles, which are apc.c's, from the beginning. What a handle cannot
 * tell, like the exit code, is in a record that the thread and its handles share.
 */
#include "../internal.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <process.h>
#include <sched.h>
#include <setjmp.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/*
 * A thread.
 * @refs: the thread itself, until it has ended, and its handles
 * @id: 0 until it runs; waited for
 * @suspended: until ResumeThread; waited for
 * @exit_code: what it will have been when the queue is abandoned
 * @exit: where ExitThread goes
 */
struct thread {
	uint32_t refs;
	uint32_t id;
	uint32_t suspended;
	DWORD exit_code;
	int queue;
	jmp_buf *exit;
	LPTHREAD_START_ROUTINE start;
	LPVOID arg;
};

static __thread struct thread *current;

/* By descriptor of a handle; NULL for threads that others have made. */
static struct thread *threads[WSOCK_FD_TABLE_SIZE];

static void put(struct thread *t)
{
	if (t && !__atomic_sub_fetch(&t->refs, 1, __ATOMIC_ACQ_REL))
		free(t);
}

/* The handle on @fd is one of @t. */
static void attach(int fd, struct thread *t)
{
	if (!t || !wsock_fd_flags_kept(fd))
		return;
	__atomic_add_fetch(&t->refs, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&threads[fd], t, __ATOMIC_RELEASE);
}

static struct thread *find(int fd)
{
	return wsock_fd_flags_kept(fd) ?
		       __atomic_load_n(&threads[fd], __ATOMIC_ACQUIRE) : NULL;
}

static void handle_duplicated(int fd, int from)
{
	attach(fd, from == wsock_apc_fd() ? current : find(from));
}

static void handle_closing(int fd)
{
	if (wsock_fd_flags_kept(fd))
		put(__atomic_exchange_n(&threads[fd], NULL, __ATOMIC_ACQ_REL));
}

static const struct wsock_thread_hooks hooks = {
	.duplicated = handle_duplicated,
	.closing = handle_closing,
};

/* The record of a handle, and its descriptor; NULL also for no handle. */
static struct thread *get(HANDLE thread, int *fd)
{
	if (thread == GetCurrentThread()) {
		*fd = wsock_apc_fd();
		return current;
	}
	*fd = wsock_thread_decode(thread);
	return *fd < 0 ? NULL : find(*fd);
}

static BOOL fail(int error)
{
	wsock_error_set(error);
	return FALSE;
}

/* ---- Futexes ---- */

static void wait_while(uint32_t *word, uint32_t value)
{
	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == value)
		syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL);
}

static void set_and_wake(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX);
}

/* ---- Beginning and end ---- */

static void end(void *arg)
{
	struct thread *t = arg;

	/* Before the handles tell of the end: nothing of it is pending then. */
	wsock_apc_end();
	current = NULL;
	put(t);
}

static void *begin(void *arg)
{
	struct thread *t = arg;
	jmp_buf exit;

	current = t;
	wsock_apc_adopt(t->queue);
	pthread_cleanup_push(end, t);
	set_and_wake(&t->id, GetCurrentThreadId());
	wait_while(&t->suspended, 1);
	/* As on Windows, ExitThread unwinds nothing. */
	t->exit = &exit;
	if (!_setjmp(exit))
		t->exit_code = t->start(t->arg);
	pthread_cleanup_pop(1);
	return NULL;
}

static int start(struct thread *t, SIZE_T stack, DWORD flags)
{
	pthread_attr_t attr;
	pthread_t id;
	size_t least;
	int err = pthread_attr_init(&attr);

	if (err)
		return err;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_getstacksize(&attr, &least);
	/* Otherwise it is what to commit of the stack at first. */
	if (flags & STACK_SIZE_PARAM_IS_A_RESERVATION)
		least = (size_t)sysconf(_SC_THREAD_STACK_MIN);
	if (stack)
		pthread_attr_setstacksize(&attr, stack > least ? stack : least);
	err = pthread_create(&id, &attr, begin, t);
	pthread_attr_destroy(&attr);
	return err;
}

static struct thread *make(LPTHREAD_START_ROUTINE routine, LPVOID arg,
			   bool suspended)
{
	struct thread *t = calloc(1, sizeof(*t));

	if (!t) {
		fail(ERROR_NOT_ENOUGH_MEMORY);
		return NULL;
	}
	t->refs = 1;
	t->suspended = suspended;
	t->start = routine;
	t->arg = arg;
	t->queue = wsock_port_create(WSOCK_PORT_UNLIMITED);
	if (t->queue < 0) {
		free(t);
		return NULL;
	}
	wsock_fd_flags_init(t->queue, 0);
	return t;
}

WSOCK_EXPORT HANDLE WINAPI
CreateThread(LPSECURITY_ATTRIBUTES lpThreadAttributes, SIZE_T dwStackSize,
	     LPTHREAD_START_ROUTINE lpStartAddress, LPVOID lpParameter,
	     DWORD dwCreationFlags, LPDWORD lpThreadId)
{
	struct thread *t;
	HANDLE handle;

	(void)lpThreadAttributes;
	if (!lpStartAddress ||
	    dwCreationFlags & ~(DWORD)(CREATE_SUSPENDED |
				       STACK_SIZE_PARAM_IS_A_RESERVATION)) {
		fail(ERROR_INVALID_PARAMETER);
		return NULL;
	}
	t = make(lpStartAddress, lpParameter,
		 dwCreationFlags & CREATE_SUSPENDED);
	if (!t)
		return NULL;
	handle = wsock_thread_handle(t->queue);
	if (handle) {
		attach(wsock_thread_decode(handle), t);
		wsock_thread_use(&hooks);
		if (!start(t, dwStackSize, dwCreationFlags)) {
			if (lpThreadId) {
				wait_while(&t->id, 0);
				*lpThreadId = t->id;
			}
			return handle;
		}
		CloseHandle(handle);
		fail(ERROR_NOT_ENOUGH_MEMORY);
	}
	close(t->queue);
	put(t);
	return NULL;
}

WSOCK_EXPORT uintptr_t
_beginthreadex(void *security, unsigned int stack_size,
	       unsigned int (__stdcall *start_address)(void *), void *arglist,
	       unsigned int initflag, unsigned int *thrdaddr)
{
	HANDLE handle = CreateThread(security, stack_size, start_address,
				     arglist, initflag, thrdaddr);

	if (!handle)
		errno = EAGAIN;
	return (uintptr_t)handle;
}

/* ---- _beginthread: a thread that closes its handle itself ---- */

struct begun {
	void (*start)(void *);
	void *arg;
	HANDLE handle;
};

static __thread HANDLE own_handle;

static DWORD WINAPI run_begun(LPVOID arg)
{
	struct begun begun = *(struct begun *)arg;

	free(arg);
	own_handle = begun.handle;
	begun.start(begun.arg);
	_endthread();
}

WSOCK_EXPORT uintptr_t _beginthread(void (*start_address)(void *),
				    unsigned int stack_size, void *arglist)
{
	struct begun *begun = malloc(sizeof(*begun));
	HANDLE handle = NULL;
	struct thread *t;

	/* Suspended: it may be over, and the handle closed, before it is known. */
	if (begun && start_address)
		handle = CreateThread(NULL, stack_size, run_begun, begun,
				      CREATE_SUSPENDED, NULL);
	if (!handle) {
		errno = begun && !start_address ? EINVAL : EAGAIN;
		free(begun);
		return (uintptr_t)-1;
	}
	*begun = (struct begun){ start_address, arglist, handle };
	/* The thread may give its own references up while we resume it. */
	t = find(wsock_thread_decode(handle));
	if (t)
		__atomic_add_fetch(&t->refs, 1, __ATOMIC_RELAXED);
	ResumeThread(handle);
	put(t);
	return (uintptr_t)handle;
}

WSOCK_EXPORT void _endthread(void)
{
	if (own_handle)
		CloseHandle(own_handle);
	own_handle = NULL;
	ExitThread(0);
}

WSOCK_EXPORT VOID WINAPI ExitThread(DWORD dwExitCode)
{
	if (current) {
		current->exit_code = dwExitCode;
		_longjmp(*current->exit, 1);
	}
	pthread_exit(NULL);
}

WSOCK_EXPORT void _endthreadex(unsigned int retval)
{
	ExitThread(retval);
}

WSOCK_EXPORT DWORD WINAPI ResumeThread(HANDLE hThread)
{
	int fd;
	struct thread *t = get(hThread, &fd);

	if (!t) {
		fail(ERROR_INVALID_HANDLE);
		return (DWORD)-1;
	}
	if (!__atomic_exchange_n(&t->suspended, 0, __ATOMIC_ACQ_REL))
		return 0;
	set_and_wake(&t->suspended, 0);
	return 1;
}

/* ---- What can be known of a thread ---- */

WSOCK_EXPORT DWORD WINAPI GetCurrentThreadId(void)
{
	return (DWORD)syscall(SYS_gettid);
}

WSOCK_EXPORT DWORD WINAPI GetThreadId(HANDLE Thread)
{
	int fd;
	struct thread *t = get(Thread, &fd);

	if (Thread == GetCurrentThread())
		return GetCurrentThreadId();
	if (!t) {
		fail(ERROR_INVALID_HANDLE);
		return 0;
	}
	wait_while(&t->id, 0);
	return t->id;
}

WSOCK_EXPORT BOOL WINAPI GetExitCodeThread(HANDLE hThread, LPDWORD lpExitCode)
{
	struct pollfd pollfd = { 0 };
	struct thread *t = get(hThread, &pollfd.fd);

	if (!lpExitCode)
		return fail(ERROR_INVALID_PARAMETER);
	if (hThread == GetCurrentThread()) {
		*lpExitCode = STILL_ACTIVE;
		return TRUE;
	}
	/* Others' threads have no exit code that we could know. */
	if (!t)
		return fail(ERROR_INVALID_HANDLE);
	*lpExitCode = poll(&pollfd, 1, 0) > 0 && pollfd.revents & POLLHUP ?
			      t->exit_code : STILL_ACTIVE;
	return TRUE;
}

/* Windows' steps about the normal one, as nice values. */
static int nice_value(int priority)
{
	if (priority >= THREAD_PRIORITY_TIME_CRITICAL)
		return -20;
	if (priority <= THREAD_PRIORITY_IDLE)
		return 19;
	return -5 * priority;
}

WSOCK_EXPORT BOOL WINAPI SetThreadPriority(HANDLE hThread, int nPriority)
{
	DWORD id = GetThreadId(hThread);

	if (!id)
		return FALSE;
	if (setpriority(PRIO_PROCESS, id, nice_value(nPriority)))
		return fail(errno == ESRCH ? ERROR_INVALID_HANDLE :
					     ERROR_ACCESS_DENIED);
	return TRUE;
}

WSOCK_EXPORT BOOL WINAPI SwitchToThread(void)
{
	return !sched_yield();
}
