// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Completion ports. A port is the kernel's, and each call is one ioctl on its
 * descriptor. The entries of
 * GetQueuedCompletionStatusEx are written by the kernel where they are.
 *
 * Ports need no WSAStartup, so CreateIoCompletionPort opens the device, if
 * nobody has.
 */
#include "internal.h"

#include <stddef.h>

/* As many packets as the kernel hands out at a time. */
#define MAX_PACKETS	1024

_Static_assert(sizeof(OVERLAPPED_ENTRY) == sizeof(struct wsock_packet),
	       "OVERLAPPED_ENTRY has Windows' layout, and so has the packet");
_Static_assert(offsetof(OVERLAPPED_ENTRY, lpCompletionKey) ==
	       offsetof(struct wsock_packet, key), "packet");
_Static_assert(offsetof(OVERLAPPED_ENTRY, lpOverlapped) ==
	       offsetof(struct wsock_packet, ov), "packet");
_Static_assert(offsetof(OVERLAPPED_ENTRY, Internal) ==
	       offsetof(struct wsock_packet, internal), "packet");
_Static_assert(offsetof(OVERLAPPED_ENTRY, dwNumberOfBytesTransferred) ==
	       offsetof(struct wsock_packet, bytes), "packet");

int wsock_port_decode(HANDLE port)
{
	return wsock_handle_decode(port, WSOCK_TAG_PORT, WSOCK_FD_PORT);
}

bool wsock_port_close(int fd)
{
	/* Others may wait in it, and hold it open. */
	ioctl(fd, WSOCK_PORT_IOC_CLOSE, 0);
	return wsock_handle_close(fd);
}

/* ---- Creation ---- */

static int create_error(int err)
{
	switch (err) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return ERROR_FILE_NOT_FOUND;
	case EACCES:
	case EPERM:
		return ERROR_ACCESS_DENIED;
	default:
		return ERROR_NOT_ENOUGH_MEMORY;
	}
}

int wsock_port_create(uint32_t concurrency)
{
	struct wsock_port_args args = { .concurrency = concurrency };
	int fd = -1, err = wsock_device_open();

	if (!err) {
		fd = wsock_device_ioctl(WSOCK_IOC_PORT, &args);
		err = errno;
	}
	if (fd < 0)
		wsock_error_set(create_error(err));
	return fd;
}

static HANDLE create(DWORD concurrency)
{
	int fd = wsock_port_create(concurrency);
	HANDLE port;

	if (fd < 0)
		return NULL;
	port = wsock_handle_encode(WSOCK_TAG_PORT, fd);
	if (!port) {
		close(fd);
		wsock_error_set(ERROR_NOT_ENOUGH_MEMORY);
		return NULL;
	}
	wsock_fd_flags_init(fd, WSOCK_FD_PORT);
	return port;
}

bool wsock_ports_used;

/* Returns 0 or the error. */
static int associate(HANDLE file, HANDLE port, ULONG_PTR key)
{
	struct wsock_associate args = {
		.fd = wsock_socket_fd((SOCKET)file),
		.port_fd = wsock_port_decode(port),
		.key = key,
	};

	if (args.port_fd < 0)
		return ERROR_INVALID_HANDLE;
	__atomic_store_n(&wsock_ports_used, true, __ATOMIC_RELAXED);
	if (!wsock_device_ioctl(WSOCK_IOC_ASSOCIATE, &args))
		return 0;
	/* It has one already. */
	return errno == EINVAL ? ERROR_INVALID_PARAMETER : ERROR_INVALID_HANDLE;
}

WSOCK_EXPORT HANDLE WINAPI
CreateIoCompletionPort(HANDLE FileHandle, HANDLE ExistingCompletionPort,
		       ULONG_PTR CompletionKey,
		       DWORD NumberOfConcurrentThreads)
{
	HANDLE port = ExistingCompletionPort;
	int error;

	if (FileHandle == INVALID_HANDLE_VALUE) {
		if (!port)
			return create(NumberOfConcurrentThreads);
		wsock_error_set(ERROR_INVALID_PARAMETER);
		return NULL;
	}
	if (!port)
		port = create(NumberOfConcurrentThreads);
	if (!port)
		return NULL;
	error = associate(FileHandle, port, CompletionKey);
	if (!error)
		return port;
	if (!ExistingCompletionPort)
		wsock_port_close(wsock_port_decode(port));
	wsock_error_set(error);
	return NULL;
}

WSOCK_EXPORT BOOL WINAPI SetFileCompletionNotificationModes(HANDLE FileHandle,
							    UCHAR Flags)
{
	struct wsock_modes args = { .fd = wsock_socket_fd((SOCKET)FileHandle) };
	int error = 0;

	if (Flags & ~(FILE_SKIP_COMPLETION_PORT_ON_SUCCESS |
		      FILE_SKIP_SET_EVENT_ON_HANDLE))
		error = ERROR_INVALID_PARAMETER;
	if (Flags & FILE_SKIP_COMPLETION_PORT_ON_SUCCESS)
		args.modes |= WSOCK_MODE_SKIP_ON_SUCCESS;
	if (Flags & FILE_SKIP_SET_EVENT_ON_HANDLE)
		args.modes |= WSOCK_MODE_SKIP_EVENT;
	if (!error && wsock_device_ioctl(WSOCK_IOC_MODES, &args))
		error = ERROR_INVALID_HANDLE;
	if (error)
		wsock_error_set(error);
	return !error;
}

/* ---- Packets ---- */

/* Why a GET or POST had no success. */
static int packet_error(int err)
{
	switch (err) {
	case ETIME:
		return WAIT_TIMEOUT;
	case ESHUTDOWN:
		return ERROR_ABANDONED_WAIT_0;
	case ENOMEM:
	case ENOBUFS:
		return ERROR_NO_SYSTEM_RESOURCES;
	case EFAULT:
		return ERROR_NOACCESS;
	default:
		/* Another file, or a port of the parent. */
		return ERROR_INVALID_HANDLE;
	}
}

static int get_once(int fd, struct wsock_port_get *args)
{
	int n;

	/* After a signal, the time that is left is in @args. */
	do {
		n = ioctl(fd, WSOCK_PORT_IOC_GET, args);
	} while (n < 0 && errno == EINTR);
	return n;
}

#define HAS_RUN_APCS	(-2)

/* As get_once(), or HAS_RUN_APCS. */
static int get_alertable(int fd, struct wsock_port_get *args, DWORD ms)
{
	uint64_t deadline = wsock_wait_deadline(ms);
	int n;

	args->flags = WSOCK_PORT_ALERTABLE;
	args->alert_fd = wsock_apc_fd();
	for (;;) {
		args->timeout_ns = wsock_time_left(wsock_apc_until(deadline));
		n = get_once(fd, args);
		if (n > 0 ||
		    (n < 0 && !(errno == ETIME && wsock_apc_timers_due())))
			return n;
		if (wsock_apc_run())
			return HAS_RUN_APCS;
		/* There was nothing to run: wait on. */
	}
}

/*
 * Returns how many packets were taken, or less than 0 with the error set:
 * WAIT_IO_COMPLETION when an alertable wait has run APCs.
 */
static int get_packets(HANDLE port, void *packets, ULONG count, DWORD ms,
		       BOOL alertable)
{
	struct wsock_port_get args = {
		.packets = (uintptr_t)packets,
		.count = count < MAX_PACKETS ? count : MAX_PACKETS,
		.timeout_ns = ms == INFINITE ? -1 : ms * WSOCK_NSEC_PER_MSEC,
	};
	int fd = wsock_port_decode(port), n;

	n = alertable && wsock_apc_fd() >= 0 ? get_alertable(fd, &args, ms) :
					       get_once(fd, &args);
	if (n == HAS_RUN_APCS)
		wsock_error_set(WAIT_IO_COMPLETION);
	else if (n < 0)
		wsock_error_set(packet_error(errno));
	return n;
}

WSOCK_EXPORT BOOL WINAPI
GetQueuedCompletionStatus(HANDLE CompletionPort,
			  LPDWORD lpNumberOfBytesTransferred,
			  PULONG_PTR lpCompletionKey,
			  LPOVERLAPPED *lpOverlapped, DWORD dwMilliseconds)
{
	struct wsock_packet packet;

	if (!lpNumberOfBytesTransferred || !lpCompletionKey || !lpOverlapped) {
		wsock_error_set(ERROR_INVALID_PARAMETER);
		return FALSE;
	}
	if (get_packets(CompletionPort, &packet, 1, dwMilliseconds, FALSE) < 0) {
		*lpOverlapped = NULL;
		return FALSE;
	}
	*lpNumberOfBytesTransferred = packet.bytes;
	*lpCompletionKey = (ULONG_PTR)packet.key;
	*lpOverlapped = (LPOVERLAPPED)(uintptr_t)packet.ov;
	if (!((uint32_t)packet.internal & 0x80000000U))
		return TRUE;
	wsock_error_set((int)wsock_error_win32_from_status((uint32_t)packet.internal));
	return FALSE;
}

WSOCK_EXPORT BOOL WINAPI
GetQueuedCompletionStatusEx(HANDLE CompletionPort,
			    LPOVERLAPPED_ENTRY lpCompletionPortEntries,
			    ULONG ulCount, PULONG ulNumEntriesRemoved,
			    DWORD dwMilliseconds, BOOL fAlertable)
{
	int n;

	if (!lpCompletionPortEntries || !ulCount || !ulNumEntriesRemoved) {
		wsock_error_set(ERROR_INVALID_PARAMETER);
		return FALSE;
	}
	n = get_packets(CompletionPort, lpCompletionPortEntries, ulCount,
			dwMilliseconds, fAlertable);
	*ulNumEntriesRemoved = n < 0 ? 0 : (ULONG)n;
	return n > 0;
}

WSOCK_EXPORT BOOL WINAPI
PostQueuedCompletionStatus(HANDLE CompletionPort,
			   DWORD dwNumberOfBytesTransferred,
			   ULONG_PTR dwCompletionKey, LPOVERLAPPED lpOverlapped)
{
	struct wsock_packet packet = {
		.key = dwCompletionKey,
		.ov = (uintptr_t)lpOverlapped,
		.bytes = dwNumberOfBytesTransferred,
	};

	if (!ioctl(wsock_port_decode(CompletionPort), WSOCK_PORT_IOC_POST,
		   &packet))
		return TRUE;
	wsock_error_set(packet_error(errno));
	return FALSE;
}
