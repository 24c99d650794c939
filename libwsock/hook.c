// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Winsock 1.1's blocking hooks: a thread that has one waits by poll(2), as one does
 * that has an APC queue, and calls the hook meanwhile.
 *
 * Hooks are the thread's, but the final WSACleanup ends them all: one that is of
 * another generation than it was set in is none.
 */
#include "internal.h"

/* How long a call that waits does not call its hook. */
#define HOOK_INTERVAL_NS	(10 * WSOCK_NSEC_PER_MSEC)

__thread FARPROC wsock_hook;
__thread bool wsock_in_hook;

static __thread uint32_t hook_generation;
static __thread bool cancel_requested;

/* A thread without a hook of its own has this one. */
static INT_PTR CALLBACK default_hook(void)
{
	return FALSE;
}

/* False when the hook has cancelled the call. */
static bool run_hook(void)
{
	bool go_on;

	cancel_requested = false;
	wsock_in_hook = true;
	do {
		go_on = wsock_hook() && !cancel_requested &&
			hook_generation == wsock_generation();
	} while (go_on);
	wsock_in_hook = false;
	return !cancel_requested;
}

int wsock_hook_poll(struct pollfd *fds, nfds_t n, uint64_t deadline,
		    uint64_t slice_ns)
{
	int ready;

	for (;;) {
		/* Who need not wait calls no hook. */
		ready = wsock_poll_until(fds, n, 0, 0);
		if (ready)
			return ready;
		if (hook_generation != wsock_generation())
			wsock_hook = NULL;
		if (!wsock_hook)
			return wsock_poll_apcs(fds, n, deadline, slice_ns);
		if (!run_hook()) {
			errno = ECANCELED;
			return -1;
		}
		ready = wsock_poll_apcs(fds, n, deadline, HOOK_INTERVAL_NS);
		if (ready || slice_ns ||
		    (deadline != WSOCK_NEVER && wsock_now() >= deadline))
			return ready;
	}
}

/* The gate of these functions, which only a process of 1.x passes. */
static bool enter(void)
{
	if (!(uint32_t)wsock_state_read()) {
		wsock_error_set(WSANOTINITIALISED);
		return false;
	}
	if (wsock_version_major() != 1) {
		wsock_error_set(WSAEOPNOTSUPP);
		return false;
	}
	return true;
}

WSOCK_EXPORT FARPROC WSAAPI WSASetBlockingHook(FARPROC lpBlockFunc)
{
	FARPROC before;

	if (!enter())
		return NULL;
	if (!lpBlockFunc || wsock_in_hook) {
		wsock_error_set(wsock_in_hook ? WSAEINPROGRESS : WSAEFAULT);
		return NULL;
	}
	before = wsock_hook && hook_generation == wsock_generation() ?
		 wsock_hook : default_hook;
	wsock_hook = lpBlockFunc == default_hook ? NULL : lpBlockFunc;
	hook_generation = wsock_generation();
	return before;
}

WSOCK_EXPORT int WSAAPI WSAUnhookBlockingHook(void)
{
	if (!enter())
		return SOCKET_ERROR;
	if (wsock_in_hook)
		return wsock_error_set(WSAEINPROGRESS);
	wsock_hook = NULL;
	return 0;
}

WSOCK_EXPORT int WSAAPI WSACancelBlockingCall(void)
{
	if (!enter())
		return SOCKET_ERROR;
	if (!wsock_in_hook)
		return wsock_error_set(WSAEINVAL);
	cancel_requested = true;
	return 0;
}

WSOCK_EXPORT BOOL WSAAPI WSAIsBlocking(void)
{
	return wsock_in_hook;
}
