// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Files, as far as programs need them that send them; and ReadFile and WriteFile
 * on sockets. The handle of a file is its descriptor.
 */
#include "../internal.h"

#include <limits.h>
#include <sys/stat.h>

static BOOL fail(int error)
{
	wsock_error_set(error);
	return FALSE;
}

static int error_of(int err)
{
	switch (err) {
	case ENOENT:
		return ERROR_FILE_NOT_FOUND;
	case ENOTDIR:
		return ERROR_PATH_NOT_FOUND;
	case EMFILE:
	case ENFILE:
		return ERROR_TOO_MANY_OPEN_FILES;
	case EACCES:
	case EPERM:
	case EISDIR:
	case EROFS:
		return ERROR_ACCESS_DENIED;
	case EBADF:
	case ESPIPE:
		return ERROR_INVALID_HANDLE;
	case EEXIST:
		return ERROR_FILE_EXISTS;
	case ENOMEM:
		return ERROR_NOT_ENOUGH_MEMORY;
	case EFAULT:
		return ERROR_NOACCESS;
	case ENOSPC:
	case EDQUOT:
		return ERROR_DISK_FULL;
	case EINVAL:
	case ENAMETOOLONG:
		return ERROR_INVALID_PARAMETER;
	}
	return ERROR_GEN_FAILURE;
}

/* ---- Opening ---- */

static int open_flags(DWORD access, DWORD disposition)
{
	bool reads = access & (GENERIC_READ | GENERIC_ALL);
	int flags = O_CLOEXEC | O_RDONLY;

	if (access & (GENERIC_WRITE | GENERIC_ALL))
		flags = O_CLOEXEC | (reads ? O_RDWR : O_WRONLY);
	switch (disposition) {
	case CREATE_NEW:
		return flags | O_CREAT | O_EXCL;
	case CREATE_ALWAYS:
		return flags | O_CREAT | O_TRUNC;
	case OPEN_EXISTING:
		return flags;
	case OPEN_ALWAYS:
		return flags | O_CREAT;
	case TRUNCATE_EXISTING:
		return flags | O_TRUNC;
	}
	return -1;
}

WSOCK_EXPORT HANDLE WINAPI
CreateFileA(LPCSTR lpFileName, DWORD dwDesiredAccess, DWORD dwShareMode,
	    LPSECURITY_ATTRIBUTES lpSecurityAttributes,
	    DWORD dwCreationDisposition, DWORD dwFlagsAndAttributes,
	    HANDLE hTemplateFile)
{
	int flags = open_flags(dwDesiredAccess, dwCreationDisposition);
	bool existed;
	int fd, low;

	(void)dwShareMode;
	(void)lpSecurityAttributes;
	(void)dwFlagsAndAttributes;
	(void)hTemplateFile;
	if (!lpFileName || flags < 0) {
		fail(ERROR_INVALID_PARAMETER);
		return INVALID_HANDLE_VALUE;
	}
	existed = !access(lpFileName, F_OK);
	fd = open(lpFileName, flags, 0666);
	/* NULL means none. */
	if (!fd) {
		low = fd;
		fd = fcntl(low, F_DUPFD_CLOEXEC, 1);
		close(low);
	}
	if (fd < 0) {
		fail(error_of(errno));
		return INVALID_HANDLE_VALUE;
	}
	wsock_fd_flags_init(fd, WSOCK_FD_FILE);
	wsock_error_set(existed && (dwCreationDisposition == CREATE_ALWAYS ||
				    dwCreationDisposition == OPEN_ALWAYS) ?
				ERROR_ALREADY_EXISTS : ERROR_SUCCESS);
	return (HANDLE)(intptr_t)fd;
}

WSOCK_EXPORT HANDLE WINAPI
CreateFileW(LPCWSTR lpFileName, DWORD dwDesiredAccess, DWORD dwShareMode,
	    LPSECURITY_ATTRIBUTES lpSecurityAttributes,
	    DWORD dwCreationDisposition, DWORD dwFlagsAndAttributes,
	    HANDLE hTemplateFile)
{
	char name[PATH_MAX];

	if (!lpFileName || !wsock_wide_to_utf8(lpFileName, name, sizeof(name))) {
		fail(ERROR_INVALID_NAME);
		return INVALID_HANDLE_VALUE;
	}
	return CreateFileA(name, dwDesiredAccess, dwShareMode,
			   lpSecurityAttributes, dwCreationDisposition,
			   dwFlagsAndAttributes, hTemplateFile);
}

/* ---- Sockets ---- */

/* What Winsock calls by another name than the rest of Windows. */
static BOOL socket_result(int result)
{
	if (!result)
		return TRUE;
	switch (wsock_error_get()) {
	case WSAECONNRESET:
		return fail(ERROR_NETNAME_DELETED);
	case WSAECONNABORTED:
		return fail(ERROR_CONNECTION_ABORTED);
	case WSAENOTSOCK:
	case WSANOTINITIALISED:
		return fail(ERROR_INVALID_HANDLE);
	case WSAEFAULT:
		return fail(ERROR_NOACCESS);
	case WSAEMSGSIZE:
		return fail(ERROR_MORE_DATA);
	case WSAENOBUFS:
		return fail(ERROR_NO_SYSTEM_RESOURCES);
	}
	return FALSE;
}

static bool is_socket(HANDLE file)
{
	return wsock_socket_fd_checked((SOCKET)file) >= 0;
}

static BOOL receive(HANDLE file, void *buffer, DWORD size, LPDWORD bytes,
		    LPOVERLAPPED ov)
{
	WSABUF data = { .len = size, .buf = buffer };
	DWORD flags = 0;

	return socket_result(WSARecv((SOCKET)file, &data, 1, bytes, &flags, ov,
				     NULL));
}

static BOOL transmit(HANDLE file, const void *buffer, DWORD size, LPDWORD bytes,
		     LPOVERLAPPED ov)
{
	WSABUF data = { .len = size, .buf = (CHAR *)(uintptr_t)buffer };

	return socket_result(WSASend((SOCKET)file, &data, 1, bytes, 0, ov,
				     NULL));
}

/* ---- Files ---- */

static off_t offset_of(const OVERLAPPED *ov)
{
	return (off_t)((uint64_t)ov->OffsetHigh << 32 | ov->Offset);
}

/* Tells of the end of an operation, which was done at once. */
static BOOL done(LPOVERLAPPED ov, DWORD bytes, LPDWORD count)
{
	int event;

	if (count)
		*count = bytes;
	if (!ov)
		return TRUE;
	ov->InternalHigh = bytes;
	ov->Internal = STATUS_SUCCESS;
	event = wsock_event_decode_ov(ov->hEvent);
	if (event >= 0)
		wsock_event_set(event);
	return TRUE;
}

WSOCK_EXPORT BOOL WINAPI ReadFile(HANDLE hFile, LPVOID lpBuffer,
				  DWORD nNumberOfBytesToRead,
				  LPDWORD lpNumberOfBytesRead,
				  LPOVERLAPPED lpOverlapped)
{
	int fd = wsock_socket_fd((SOCKET)hFile);
	ssize_t bytes;

	if (!lpNumberOfBytesRead && !lpOverlapped)
		return fail(ERROR_INVALID_PARAMETER);
	if (is_socket(hFile))
		return receive(hFile, lpBuffer, nNumberOfBytesToRead,
			       lpNumberOfBytesRead, lpOverlapped);
	do {
		bytes = lpOverlapped ?
				pread(fd, lpBuffer, nNumberOfBytesToRead,
				      offset_of(lpOverlapped)) :
				read(fd, lpBuffer, nNumberOfBytesToRead);
	} while (bytes < 0 && errno == EINTR);
	if (bytes < 0)
		return fail(error_of(errno));
	/* With an offset of one's own the end is an error. */
	if (!bytes && nNumberOfBytesToRead && lpOverlapped)
		return fail(ERROR_HANDLE_EOF);
	return done(lpOverlapped, (DWORD)bytes, lpNumberOfBytesRead);
}

WSOCK_EXPORT BOOL WINAPI WriteFile(HANDLE hFile, LPCVOID lpBuffer,
				   DWORD nNumberOfBytesToWrite,
				   LPDWORD lpNumberOfBytesWritten,
				   LPOVERLAPPED lpOverlapped)
{
	int fd = wsock_socket_fd((SOCKET)hFile);
	const char *from = lpBuffer;
	DWORD at = 0;
	ssize_t n;

	if (!lpNumberOfBytesWritten && !lpOverlapped)
		return fail(ERROR_INVALID_PARAMETER);
	if (is_socket(hFile))
		return transmit(hFile, lpBuffer, nNumberOfBytesToWrite,
				lpNumberOfBytesWritten, lpOverlapped);
	while (at < nNumberOfBytesToWrite) {
		n = lpOverlapped ?
			    pwrite(fd, from + at, nNumberOfBytesToWrite - at,
				   offset_of(lpOverlapped) + at) :
			    write(fd, from + at, nNumberOfBytesToWrite - at);
		if (n < 0 && errno != EINTR)
			return fail(error_of(errno));
		if (n > 0)
			at += (DWORD)n;
	}
	return done(lpOverlapped, at, lpNumberOfBytesWritten);
}

WSOCK_EXPORT BOOL WINAPI SetHandleInformation(HANDLE hObject, DWORD dwMask,
					      DWORD dwFlags)
{
	bool inherit = dwFlags & HANDLE_FLAG_INHERIT;
	int fd = wsock_socket_fd((SOCKET)hObject);

	if (dwMask & ~(DWORD)HANDLE_FLAG_INHERIT)
		return fail(ERROR_INVALID_PARAMETER);
	if (dwMask && fcntl(fd, F_SETFD, inherit ? 0 : FD_CLOEXEC))
		return fail(ERROR_INVALID_HANDLE);
	return TRUE;
}

WSOCK_EXPORT BOOL WINAPI GetFileSizeEx(HANDLE hFile, PLARGE_INTEGER lpFileSize)
{
	struct stat st;

	if (fstat(wsock_socket_fd((SOCKET)hFile), &st))
		return fail(error_of(errno));
	if (!S_ISREG(st.st_mode))
		return fail(ERROR_INVALID_HANDLE);
	lpFileSize->QuadPart = st.st_size;
	return TRUE;
}

WSOCK_EXPORT DWORD WINAPI GetFileSize(HANDLE hFile, LPDWORD lpFileSizeHigh)
{
	LARGE_INTEGER size;

	if (!GetFileSizeEx(hFile, &size))
		return INVALID_FILE_SIZE;
	if (lpFileSizeHigh)
		*lpFileSizeHigh = (DWORD)size.HighPart;
	/* May be INVALID_FILE_SIZE too. */
	wsock_error_set(ERROR_SUCCESS);
	return size.LowPart;
}

WSOCK_EXPORT BOOL WINAPI SetFilePointerEx(HANDLE hFile,
					  LARGE_INTEGER liDistanceToMove,
					  PLARGE_INTEGER lpNewFilePointer,
					  DWORD dwMoveMethod)
{
	static const int whence[] = {
		[FILE_BEGIN] = SEEK_SET,
		[FILE_CURRENT] = SEEK_CUR,
		[FILE_END] = SEEK_END,
	};
	off_t at;

	if (dwMoveMethod > FILE_END)
		return fail(ERROR_INVALID_PARAMETER);
	at = lseek(wsock_socket_fd((SOCKET)hFile), liDistanceToMove.QuadPart,
		   whence[dwMoveMethod]);
	if (at < 0)
		return fail(errno == EINVAL ? ERROR_NEGATIVE_SEEK :
					      error_of(errno));
	if (lpNewFilePointer)
		lpNewFilePointer->QuadPart = at;
	return TRUE;
}
