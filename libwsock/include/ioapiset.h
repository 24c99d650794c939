/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Overlapped operations and completion ports. None of these functions needs WSAStartup, and
 * WSACleanup takes no packet from a port. BOOL functions return FALSE, and set the
 * last error, when they fail; they leave it alone when they do not.
 */
#ifndef _IO_APISET_H_
#define _IO_APISET_H_

#include <minwinbase.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The result of an operation, as WSAGetOverlappedResult (winsock2.h) tells it, with
 * ERROR_* errors.
 */
BOOL WINAPI GetOverlappedResult(HANDLE hFile, LPOVERLAPPED lpOverlapped,
				LPDWORD lpNumberOfBytesTransferred,
				BOOL bWait);
/*
 * Waits for at most so many milliseconds, INFINITE for ever: FALSE with WAIT_TIMEOUT,
 * ERROR_IO_INCOMPLETE when there was no time to wait, or, with @bAlertable,
 * WAIT_IO_COMPLETION when an APC has run.
 */
BOOL WINAPI GetOverlappedResultEx(HANDLE hFile, LPOVERLAPPED lpOverlapped,
				  LPDWORD lpNumberOfBytesTransferred,
				  DWORD dwMilliseconds, BOOL bAlertable);
/*
 * Cancels one operation of @hFile (a SOCKET), or all with @lpOverlapped NULL.
 * FALSE and ERROR_NOT_FOUND when there was nothing to cancel.
 */
BOOL WINAPI CancelIoEx(HANDLE hFile, LPOVERLAPPED lpOverlapped);

/*
 * Cancels what the calling thread has pending on @hFile (a SOCKET). TRUE also
 * when that is nothing. What a thread has pending is cancelled at its end, too,
 * but for operations without hEvent of a socket that has a completion port.
 */
BOOL WINAPI CancelIo(HANDLE hFile);

#define _WSOCK_PENDING	0x103U
int wsock_overlapped_completed(LPOVERLAPPED lpOverlapped);

/*
 * Not 0 when the operation is not pending (any more). Of a socket that has a
 * completion port it does what is ready, and leaves the packet there.
 */
static inline int HasOverlappedIoCompleted(LPOVERLAPPED lpOverlapped)
{
	return (DWORD)__atomic_load_n(&lpOverlapped->Internal,
				      __ATOMIC_ACQUIRE) != _WSOCK_PENDING ||
	       wsock_overlapped_completed(lpOverlapped);
}
#define HasOverlappedIoCompleted HasOverlappedIoCompleted

/*
 * Makes a port, with @ExistingCompletionPort NULL, and gives the SOCKET
 * @FileHandle to it, or to @ExistingCompletionPort, unless it is
 * INVALID_HANDLE_VALUE: for good, also under its other descriptors in the
 * process. From then on every overlapped operation of the socket ends with a
 * packet with @CompletionKey, also one that succeeded at once, but for those
 * with bit 0 set in hEvent. At most @NumberOfConcurrentThreads threads with a
 * packet run at a time (0: as many as there are processors), not counting those
 * that block; 0xffffffff does not limit them and is the cheapest. NULL with
 * ERROR_NOT_ENOUGH_MEMORY when no memory or descriptor is left,
 * ERROR_FILE_NOT_FOUND without the kernel module, ERROR_ACCESS_DENIED without
 * the right to use it, ERROR_INVALID_PARAMETER for a socket that has a port,
 * ERROR_INVALID_HANDLE for what is not a socket of this process or not a port.
 */
HANDLE WINAPI CreateIoCompletionPort(HANDLE FileHandle,
				     HANDLE ExistingCompletionPort,
				     ULONG_PTR CompletionKey,
				     DWORD NumberOfConcurrentThreads);

#define FILE_SKIP_COMPLETION_PORT_ON_SUCCESS	0x1
#define FILE_SKIP_SET_EVENT_ON_HANDLE		0x2

/*
 * FILE_SKIP_COMPLETION_PORT_ON_SUCCESS: an operation of the SOCKET that succeeds
 * at once leaves no packet. FILE_SKIP_SET_EVENT_ON_HANDLE: the SOCKET itself, as an
 * object to wait for, is not signalled by operations. They cannot be undone.
 * ERROR_INVALID_PARAMETER for other flags; ERROR_INVALID_HANDLE.
 */
BOOL WINAPI SetFileCompletionNotificationModes(HANDLE FileHandle, UCHAR Flags);

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

#endif /* _IO_APISET_H_ */
