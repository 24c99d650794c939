/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Completion ports, of winsock2.h. None of these functions needs WSAStartup, and
 * WSACleanup takes no packet from a port. BOOL functions return FALSE, and set the
 * last error, when they fail; they leave it alone when they do not.
 */
#ifndef _WSOCK_IOCP_H
#define _WSOCK_IOCP_H

#include <winsock2.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Makes a port, with @FileHandle INVALID_HANDLE_VALUE and
 * @ExistingCompletionPort NULL. At most @NumberOfConcurrentThreads threads with a
 * packet run at a time (0: as many as there are processors), not counting those
 * that block; 0xffffffff does not limit them and is the cheapest. NULL with
 * ERROR_NOT_ENOUGH_MEMORY when no memory or descriptor is left,
 * ERROR_FILE_NOT_FOUND without the kernel module, ERROR_ACCESS_DENIED without
 * the right to use it. Other handles cannot be associated with a port yet:
 * ERROR_NOT_SUPPORTED.
 */
HANDLE WINAPI CreateIoCompletionPort(HANDLE FileHandle,
				     HANDLE ExistingCompletionPort,
				     ULONG_PTR CompletionKey,
				     DWORD NumberOfConcurrentThreads);

/*
 * Takes a packet, the one that has been in the port longest; waits at most
 * @dwMilliseconds for one, INFINITE for ever. Of several threads that wait, the
 * last to come is served first. FALSE with *@lpOverlapped NULL: no packet was
 * taken and nothing else was written; the error is WAIT_TIMEOUT,
 * ERROR_ABANDONED_WAIT_0 when the port was closed meanwhile, or
 * ERROR_INVALID_HANDLE. FALSE with *@lpOverlapped not NULL: the packet of an
 * operation that failed, with its ERROR_*.
 */
BOOL WINAPI GetQueuedCompletionStatus(HANDLE CompletionPort,
				      LPDWORD lpNumberOfBytesTransferred,
				      PULONG_PTR lpCompletionKey,
				      LPOVERLAPPED *lpOverlapped,
				      DWORD dwMilliseconds);

/* Internal is the operation's NTSTATUS. */
typedef struct _OVERLAPPED_ENTRY {
	ULONG_PTR lpCompletionKey;
	LPOVERLAPPED lpOverlapped;
	ULONG_PTR Internal;
	DWORD dwNumberOfBytesTransferred;
} OVERLAPPED_ENTRY, *LPOVERLAPPED_ENTRY;

/*
 * Takes up to @ulCount packets, as many as there are but at most 1024. TRUE with
 * at least one, also when their operations failed; otherwise
 * *@ulNumEntriesRemoved is 0, and the errors are those above, or with
 * @fAlertable WAIT_IO_COMPLETION when it has run APCs, which come first.
 */
BOOL WINAPI GetQueuedCompletionStatusEx(HANDLE CompletionPort,
					LPOVERLAPPED_ENTRY lpCompletionPortEntries,
					ULONG ulCount,
					PULONG ulNumEntriesRemoved,
					DWORD dwMilliseconds, BOOL fAlertable);

/*
 * Puts a packet into a port; the values are the caller's own, @lpOverlapped need
 * not be an OVERLAPPED. ERROR_NO_SYSTEM_RESOURCES when the port is full (see the
 * module's max_operations) or no memory is left; ERROR_INVALID_HANDLE.
 */
BOOL WINAPI PostQueuedCompletionStatus(HANDLE CompletionPort,
				       DWORD dwNumberOfBytesTransferred,
				       ULONG_PTR dwCompletionKey,
				       LPOVERLAPPED lpOverlapped);

#ifdef __cplusplus
}
#endif

#endif /* _WSOCK_IOCP_H */
