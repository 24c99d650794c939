// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Asynchronous procedure calls, and thread handles, which are little more than a
 * way to queue them.
 *
 * A thread's queue is a completion port without a limit that only this thread
 * takes packets from: user APCs that threads post, and completion routines that
 * the kernel queues when an operation has ended, in one order. It is made by the
 * thread itself, when first something could come to be in it, and so nobody can
 * queue to a thread that has none. Threads without one pay for all this with a
 * look at wsock_apc_queue.
 *
 * A thread handle is a duplicate of the port's descriptor. The thread abandons
 * the port as it ends: who still has a handle cannot queue any more, and poll(2)
 * says POLLHUP, which is what a wait for the thread waits for.
 */
#include "internal.h"

#include <pthread.h>

/*
 * The packets. Those of the kernel have the routine in key, the OVERLAPPED in ov
 * and in internal the NTSTATUS with which the operation ended, below the
 * generation in which it began. An operation never ends with STATUS_PENDING, so
 * that marks a user APC: the function is in key, its argument in ov.
 */
#define USER_APC	STATUS_PENDING

__thread int wsock_apc_queue = -1;
__thread bool wsock_apc_noted;
__thread struct wsock_thread_more wsock_more = { .due = WSOCK_NEVER };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t exit_key;
static bool have_key;

/*
 * At the end of a thread that has a queue, or left an operation pending: that
 * ends with the thread, but for those that a port executes.
 */
void wsock_apc_end(void)
{
	struct wsock_cancel cancel = {
		.fd = -1,
		.flags = WSOCK_CANCEL_ALL | WSOCK_CANCEL_THREAD,
	};
	int fd = wsock_apc_queue;

	if (wsock_more.end_timers)
		wsock_more.end_timers();
	if (wsock_more.end_mutexes)
		wsock_more.end_mutexes();
	/* Who sees the end of the thread finds nothing of it pending. */
	if (wsock_apc_noted)
		wsock_device_ioctl(WSOCK_IOC_CANCEL, &cancel);
	wsock_apc_noted = false;
	wsock_apc_queue = -1;
	if (fd >= 0) {
		ioctl(fd, WSOCK_PORT_IOC_CLOSE, 0);
		close(fd);
	}
}

static void thread_exit(void *unused)
{
	(void)unused;
	wsock_apc_end();
}

static void make_key(void)
{
	have_key = !pthread_key_create(&exit_key, thread_exit);
}

/* Any value but NULL: thread_exit() knows its thread. */
bool wsock_apc_call_at_end(void)
{
	pthread_once(&once, make_key);
	return have_key && !pthread_setspecific(exit_key, &wsock_apc_queue);
}

void wsock_apc_note_exit(void)
{
	/* Without memory for it the operations just outlive their thread. */
	wsock_apc_call_at_end();
	wsock_apc_noted = true;
}

void wsock_apc_forget(void)
{
	if (wsock_apc_queue >= 0)
		close(wsock_apc_queue);
	wsock_apc_queue = -1;
	wsock_apc_noted = false;
	wsock_more.due = WSOCK_NEVER;
}

void wsock_apc_adopt(int queue)
{
	wsock_apc_queue = queue;
}

bool wsock_apc_create(void)
{
	int fd;

	if (wsock_apc_queue >= 0)
		return true;
	if (!wsock_apc_call_at_end()) {
		wsock_error_set(ERROR_NOT_ENOUGH_MEMORY);
		return false;
	}
	fd = wsock_port_create(WSOCK_PORT_UNLIMITED);
	if (fd < 0)
		return false;
	wsock_fd_flags_init(fd, 0);
	wsock_apc_queue = fd;
	return true;
}

/* Runs what a packet means; false when it has lost its meaning. */
static bool run(const struct wsock_packet *packet)
{
	LPWSAOVERLAPPED_COMPLETION_ROUTINE routine;
	PAPCFUNC function;

	if (packet->internal == USER_APC) {
		function = (PAPCFUNC)(uintptr_t)packet->key;
		function((ULONG_PTR)packet->ov);
		return true;
	}
	/* The final WSACleanup came after it was queued. */
	if (packet->internal >> 32 != wsock_state_read() >> 32)
		return false;
	routine = (LPWSAOVERLAPPED_COMPLETION_ROUTINE)(uintptr_t)packet->key;
	routine((DWORD)wsock_error_from_status((uint32_t)packet->internal),
		packet->bytes, (LPWSAOVERLAPPED)(uintptr_t)packet->ov,
		packet->flags);
	return true;
}

bool wsock_apc_run(void)
{
	struct wsock_packet packet;
	struct wsock_port_get get = {
		.packets = (uintptr_t)&packet,
		.count = 1,
	};
	bool ran = false;

	/* One by one: an APC may wait alertably itself, for those behind it. */
	while (ioctl(wsock_apc_queue, WSOCK_PORT_IOC_GET, &get) > 0)
		ran |= run(&packet);
	if (wsock_apc_timers_due())
		ran |= wsock_more.run_timers();
	return ran;
}

bool wsock_waits_by_poll(void)
{
	return wsock_apc_queue >= 0 || wsock_hook;
}

int wsock_poll_alertable(struct pollfd *fds, nfds_t n, uint64_t deadline,
			 uint64_t slice_ns)
{
	return wsock_hook && deadline ?
		       wsock_hook_poll(fds, n, deadline, slice_ns) :
		       wsock_poll_apcs(fds, n, deadline, slice_ns);
}

int wsock_poll_apcs(struct pollfd *fds, nfds_t n, uint64_t deadline,
		    uint64_t slice_ns)
{
	int ready;

	/* Who does not wait runs no APC. */
	if (wsock_apc_queue < 0 || !deadline)
		return wsock_poll_until(fds, n, deadline, slice_ns);
	for (;;) {
		fds[n].fd = wsock_apc_queue;
		fds[n].events = POLLIN;
		ready = wsock_poll_until(fds, n + 1, wsock_apc_until(deadline),
					 slice_ns);
		if (ready ? !fds[n].revents : !wsock_apc_timers_due())
			return ready;
		/* What can be answered comes first. */
		if (ready < 0 || ready > 1)
			return ready < 0 ? ready : ready - 1;
		wsock_apc_run();
	}
}

/* ---- Threads ---- */

#define CURRENT_PROCESS	((HANDLE)(intptr_t)-1)
#define CURRENT_THREAD	((HANDLE)(intptr_t)-2)

bool wsock_handle_is_pseudo(HANDLE handle)
{
	return handle == CURRENT_PROCESS || handle == CURRENT_THREAD;
}

int wsock_thread_decode(HANDLE thread)
{
	return wsock_handle_decode(thread, WSOCK_TAG_THREAD, WSOCK_FD_THREAD);
}

/* The queue of a thread, the caller's made if needed; -1 with the error set. */
static int get_queue(HANDLE thread)
{
	int fd;

	if (thread == CURRENT_THREAD)
		return wsock_apc_create() ? wsock_apc_queue : -1;
	fd = wsock_thread_decode(thread);
	if (fd < 0)
		wsock_error_set(ERROR_INVALID_HANDLE);
	return fd;
}

WSOCK_EXPORT HANDLE WINAPI GetCurrentProcess(void)
{
	return CURRENT_PROCESS;
}

WSOCK_EXPORT HANDLE WINAPI GetCurrentThread(void)
{
	return CURRENT_THREAD;
}

HANDLE wsock_thread_handle(int queue)
{
	int fd = fcntl(queue, F_DUPFD_CLOEXEC, 0);
	HANDLE handle;

	handle = fd < 0 ? NULL : wsock_handle_encode(WSOCK_TAG_THREAD, fd);
	if (!handle) {
		if (fd >= 0)
			close(fd);
		wsock_error_set(ERROR_NOT_ENOUGH_MEMORY);
		return NULL;
	}
	wsock_fd_flags_init(fd, WSOCK_FD_THREAD);
	return handle;
}

static const struct wsock_thread_hooks *thread_hooks;

void wsock_thread_use(const struct wsock_thread_hooks *hooks)
{
	__atomic_store_n(&thread_hooks, hooks, __ATOMIC_RELEASE);
}

bool wsock_thread_close(int fd)
{
	const struct wsock_thread_hooks *hooks =
		__atomic_load_n(&thread_hooks, __ATOMIC_ACQUIRE);

	/* First: the number may be another thread's new handle afterwards. */
	if (hooks)
		hooks->closing(fd);
	return wsock_handle_close(fd);
}

WSOCK_EXPORT BOOL WINAPI
DuplicateHandle(HANDLE hSourceProcessHandle, HANDLE hSourceHandle,
		HANDLE hTargetProcessHandle, LPHANDLE lpTargetHandle,
		DWORD dwDesiredAccess, BOOL bInheritHandle, DWORD dwOptions)
{
	const struct wsock_thread_hooks *hooks =
		__atomic_load_n(&thread_hooks, __ATOMIC_ACQUIRE);
	HANDLE handle;
	int queue;

	(void)dwDesiredAccess;
	(void)bInheritHandle;
	if (hSourceProcessHandle != CURRENT_PROCESS ||
	    hTargetProcessHandle != CURRENT_PROCESS) {
		wsock_error_set(ERROR_INVALID_HANDLE);
		return FALSE;
	}
	if (!lpTargetHandle || dwOptions & ~(DWORD)(DUPLICATE_CLOSE_SOURCE |
						    DUPLICATE_SAME_ACCESS)) {
		wsock_error_set(ERROR_INVALID_PARAMETER);
		return FALSE;
	}
	if (wsock_object_is(hSourceHandle)) {
		handle = wsock_object_duplicate(hSourceHandle);
		if (!handle)
			return FALSE;
		if (dwOptions & DUPLICATE_CLOSE_SOURCE)
			wsock_object_close(hSourceHandle);
		*lpTargetHandle = handle;
		return TRUE;
	}
	queue = get_queue(hSourceHandle);
	handle = queue < 0 ? NULL : wsock_thread_handle(queue);
	if (!handle)
		return FALSE;
	if (hooks)
		hooks->duplicated(wsock_thread_decode(handle), queue);
	if (dwOptions & DUPLICATE_CLOSE_SOURCE && queue != wsock_apc_queue)
		wsock_thread_close(queue);
	*lpTargetHandle = handle;
	return TRUE;
}

static int queue_error(int err)
{
	switch (err) {
	case ESHUTDOWN:
		/* The thread has ended. */
		return ERROR_GEN_FAILURE;
	case ENOBUFS:
	case ENOMEM:
		return ERROR_NOT_ENOUGH_MEMORY;
	}
	return ERROR_INVALID_HANDLE;
}

WSOCK_EXPORT DWORD WINAPI QueueUserAPC(PAPCFUNC pfnAPC, HANDLE hThread,
				       ULONG_PTR dwData)
{
	struct wsock_packet packet = {
		.key = (uintptr_t)pfnAPC,
		.ov = dwData,
		.internal = USER_APC,
	};
	int queue = get_queue(hThread);

	if (queue < 0)
		return 0;
	if (!pfnAPC) {
		wsock_error_set(ERROR_INVALID_PARAMETER);
		return 0;
	}
	if (!ioctl(queue, WSOCK_PORT_IOC_POST, &packet))
		return 1;
	wsock_error_set(queue_error(errno));
	return 0;
}
