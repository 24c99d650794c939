/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The companions of Winsock that a Windows program finds in kernel32. None of
 * them needs WSAStartup, and WSACleanup leaves them all alone. Functions that
 * return BOOL return FALSE, and set the last error, when they fail.
 */
#ifndef _WINBASE_
#define _WINBASE_

#include <ioapiset.h>
#include <processthreadsapi.h>
#include <synchapi.h>
#include <stdarg.h>
#include <winerror.h>

#ifdef __cplusplus
extern "C" {
#endif

#define INVALID_HANDLE_VALUE	((HANDLE)(intptr_t)-1)

/* ---- Handles ---- */

/*
 * Closes an event, a completion port (whose waiters get ERROR_ABANDONED_WAIT_0)
 * or a thread handle, or a SOCKET as closesocket does. FALSE with
 * ERROR_INVALID_HANDLE for anything else.
 */
BOOL WINAPI CloseHandle(HANDLE hObject);

#define HANDLE_FLAG_INHERIT		0x1
#define HANDLE_FLAG_PROTECT_FROM_CLOSE	0x2

/*
 * Whether a SOCKET or a file is inherited across exec(2); ERROR_INVALID_PARAMETER
 * for other flags, ERROR_INVALID_HANDLE for other handles.
 */
BOOL WINAPI SetHandleInformation(HANDLE hObject, DWORD dwMask, DWORD dwFlags);

#define DUPLICATE_CLOSE_SOURCE	0x1
#define DUPLICATE_SAME_ACCESS	0x2

/*
 * Makes a handle of the calling thread that others can use:
 *
 *	DuplicateHandle(GetCurrentProcess(), GetCurrentThread(),
 *			GetCurrentProcess(), &handle, 0, FALSE,
 *			DUPLICATE_SAME_ACCESS);
 *
 * or one more from such a handle, or from that of an event, a mutex, a semaphore or a
 * waitable timer, which is there until the last of its handles is closed. Both
 * processes must be GetCurrentProcess(); ERROR_INVALID_HANDLE for others and for other
 * kinds of handles. Access rights and @bInheritHandle are not looked at.
 */
BOOL WINAPI DuplicateHandle(HANDLE hSourceProcessHandle, HANDLE hSourceHandle,
			    HANDLE hTargetProcessHandle,
			    LPHANDLE lpTargetHandle, DWORD dwDesiredAccess,
			    BOOL bInheritHandle, DWORD dwOptions);

/* ---- Errors ---- */

/* The calling thread's; WSAGetLastError and WSASetLastError mean the same. */
DWORD WINAPI GetLastError(void);
void WINAPI SetLastError(DWORD dwErrCode);

/* ---- Memory: malloc(3)'s, by all these names ---- */

#define CopyMemory(to, from, size)	memcpy((to), (from), (size))
#define MoveMemory(to, from, size)	memmove((to), (from), (size))
#define FillMemory(to, size, byte)	memset((to), (byte), (size))
#define ZeroMemory(to, size)		memset((to), 0, (size))
#define RtlCopyMemory			CopyMemory
#define RtlZeroMemory			ZeroMemory

/* The only heap. */
HANDLE WINAPI GetProcessHeap(void);
LPVOID WINAPI HeapAlloc(HANDLE hHeap, DWORD dwFlags, SIZE_T dwBytes);
LPVOID WINAPI HeapReAlloc(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem,
			  SIZE_T dwBytes);
BOOL WINAPI HeapFree(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem);

/* Always fixed: a handle of memory is its address. */
#define LMEM_FIXED	0x0000
#define LMEM_ZEROINIT	0x0040
#define LPTR		(LMEM_FIXED | LMEM_ZEROINIT)
#define GMEM_FIXED	0x0000
#define GMEM_ZEROINIT	0x0040
#define GPTR		(GMEM_FIXED | GMEM_ZEROINIT)

HLOCAL WINAPI LocalAlloc(UINT uFlags, SIZE_T uBytes);
HLOCAL WINAPI LocalFree(HLOCAL hMem);
HGLOBAL WINAPI GlobalAlloc(UINT uFlags, SIZE_T dwBytes);
HGLOBAL WINAPI GlobalFree(HGLOBAL hMem);

/*
 * Pages of zeroes, with MEM_COMMIT and PAGE_READWRITE, at an address of the
 * system's choice; VirtualFree with MEM_RELEASE gives them back.
 * ERROR_INVALID_PARAMETER for all else.
 */
LPVOID WINAPI VirtualAlloc(LPVOID lpAddress, SIZE_T dwSize,
			   DWORD flAllocationType, DWORD flProtect);
BOOL WINAPI VirtualFree(LPVOID lpAddress, SIZE_T dwSize, DWORD dwFreeType);

/* ---- Texts ---- */

#define FORMAT_MESSAGE_ALLOCATE_BUFFER	0x00000100
#define FORMAT_MESSAGE_IGNORE_INSERTS	0x00000200
#define FORMAT_MESSAGE_FROM_STRING	0x00000400
#define FORMAT_MESSAGE_FROM_HMODULE	0x00000800
#define FORMAT_MESSAGE_FROM_SYSTEM	0x00001000
#define FORMAT_MESSAGE_ARGUMENT_ARRAY	0x00002000
#define FORMAT_MESSAGE_MAX_WIDTH_MASK	0x000000ff

/*
 * The text of the error @dwMessageId, in English, with FORMAT_MESSAGE_FROM_SYSTEM
 * only. Returns its length, or 0: ERROR_MR_MID_NOT_FOUND, or
 * ERROR_INSUFFICIENT_BUFFER. With FORMAT_MESSAGE_ALLOCATE_BUFFER @lpBuffer points
 * to a pointer, which receives memory for LocalFree.
 */
DWORD WINAPI FormatMessageA(DWORD dwFlags, LPCVOID lpSource, DWORD dwMessageId,
			    DWORD dwLanguageId, LPSTR lpBuffer, DWORD nSize,
			    va_list *Arguments);
DWORD WINAPI FormatMessageW(DWORD dwFlags, LPCVOID lpSource, DWORD dwMessageId,
			    DWORD dwLanguageId, LPWSTR lpBuffer, DWORD nSize,
			    va_list *Arguments);

/* ---- Files ---- */

#define CREATE_NEW		1
#define CREATE_ALWAYS		2
#define OPEN_EXISTING		3
#define OPEN_ALWAYS		4
#define TRUNCATE_EXISTING	5

#define FILE_FLAG_WRITE_THROUGH		0x80000000U
#define FILE_FLAG_OVERLAPPED		0x40000000U
#define FILE_FLAG_NO_BUFFERING		0x20000000U
#define FILE_FLAG_RANDOM_ACCESS		0x10000000U
#define FILE_FLAG_SEQUENTIAL_SCAN	0x08000000U

#define FILE_BEGIN		0
#define FILE_CURRENT		1
#define FILE_END		2
#define INVALID_FILE_SIZE	0xffffffffU
#define INVALID_SET_FILE_POINTER	0xffffffffU

/*
 * Opens a file: the handle is its descriptor, for TransmitFile too. Access and
 * disposition count; sharing, attributes and flags do not, and access rights of a
 * new file are those of open(2) with mode 0666.
 */
HANDLE WINAPI CreateFileA(LPCSTR lpFileName, DWORD dwDesiredAccess,
			  DWORD dwShareMode,
			  LPSECURITY_ATTRIBUTES lpSecurityAttributes,
			  DWORD dwCreationDisposition,
			  DWORD dwFlagsAndAttributes, HANDLE hTemplateFile);
HANDLE WINAPI CreateFileW(LPCWSTR lpFileName, DWORD dwDesiredAccess,
			  DWORD dwShareMode,
			  LPSECURITY_ATTRIBUTES lpSecurityAttributes,
			  DWORD dwCreationDisposition,
			  DWORD dwFlagsAndAttributes, HANDLE hTemplateFile);
/*
 * From and to a file, at the offset of @lpOverlapped when there is one: they have
 * ended when they return. From and to a SOCKET, as WSARecv and WSASend without a
 * routine, with ERROR_* errors.
 */
BOOL WINAPI ReadFile(HANDLE hFile, LPVOID lpBuffer, DWORD nNumberOfBytesToRead,
		     LPDWORD lpNumberOfBytesRead, LPOVERLAPPED lpOverlapped);
BOOL WINAPI WriteFile(HANDLE hFile, LPCVOID lpBuffer,
		      DWORD nNumberOfBytesToWrite,
		      LPDWORD lpNumberOfBytesWritten,
		      LPOVERLAPPED lpOverlapped);
BOOL WINAPI GetFileSizeEx(HANDLE hFile, PLARGE_INTEGER lpFileSize);
DWORD WINAPI GetFileSize(HANDLE hFile, LPDWORD lpFileSizeHigh);
BOOL WINAPI SetFilePointerEx(HANDLE hFile, LARGE_INTEGER liDistanceToMove,
			     PLARGE_INTEGER lpNewFilePointer,
			     DWORD dwMoveMethod);

#define FILE_MAP_READ	0x4

/*
 * A file in memory, with PAGE_READONLY and FILE_MAP_READ; @lpName is NULL. Sizes
 * and offsets are those of mmap(2), and 0 is all of the file.
 */
HANDLE WINAPI CreateFileMappingA(HANDLE hFile,
				 LPSECURITY_ATTRIBUTES lpFileMappingAttributes,
				 DWORD flProtect, DWORD dwMaximumSizeHigh,
				 DWORD dwMaximumSizeLow, LPCSTR lpName);
LPVOID WINAPI MapViewOfFile(HANDLE hFileMappingObject, DWORD dwDesiredAccess,
			    DWORD dwFileOffsetHigh, DWORD dwFileOffsetLow,
			    SIZE_T dwNumberOfBytesToMap);
BOOL WINAPI UnmapViewOfFile(LPCVOID lpBaseAddress);

/* ---- Functions by name ---- */

/*
 * ws2_32, wsock32, mswsock and kernel32 are there, and all of them this library:
 * GetProcAddress finds any of its functions in each. ERROR_MOD_NOT_FOUND for
 * others, ERROR_PROC_NOT_FOUND. A program that libwsock is linked to statically
 * finds what it exports itself (-rdynamic).
 */
HMODULE WINAPI GetModuleHandleA(LPCSTR lpModuleName);
HMODULE WINAPI GetModuleHandleW(LPCWSTR lpModuleName);
HMODULE WINAPI LoadLibraryA(LPCSTR lpLibFileName);
HMODULE WINAPI LoadLibraryW(LPCWSTR lpLibFileName);
BOOL WINAPI FreeLibrary(HMODULE hLibModule);
FARPROC WINAPI GetProcAddress(HMODULE hModule, LPCSTR lpProcName);

#ifdef UNICODE
#define FormatMessage	FormatMessageW
#define CreateFile	CreateFileW
#define GetModuleHandle	GetModuleHandleW
#define LoadLibrary	LoadLibraryW
#else
#define CreateFileMapping	CreateFileMappingA
#define FormatMessage	FormatMessageA
#define CreateFile	CreateFileA
#define GetModuleHandle	GetModuleHandleA
#define LoadLibrary	LoadLibraryA
#endif

/* ---- Clocks, and the machine ---- */

/* Milliseconds since the machine was started. */
DWORD WINAPI GetTickCount(void);
ULONGLONG WINAPI GetTickCount64(void);
/* Units of 100 ns, ten million in a second. They never fail. */
BOOL WINAPI QueryPerformanceCounter(LARGE_INTEGER *lpPerformanceCount);
BOOL WINAPI QueryPerformanceFrequency(LARGE_INTEGER *lpFrequency);
/* They are the same: both are precise. */
VOID WINAPI GetSystemTimeAsFileTime(LPFILETIME lpSystemTimeAsFileTime);
VOID WINAPI GetSystemTimePreciseAsFileTime(LPFILETIME lpSystemTimeAsFileTime);
/* UTC, and the time zone of the process. */
VOID WINAPI GetSystemTime(LPSYSTEMTIME lpSystemTime);
VOID WINAPI GetLocalTime(LPSYSTEMTIME lpSystemTime);

#define PROCESSOR_ARCHITECTURE_AMD64	9

typedef struct _SYSTEM_INFO {
	__extension__ union {
		DWORD dwOemId;
		__extension__ struct {
			WORD wProcessorArchitecture;
			WORD wReserved;
		};
	};
	DWORD dwPageSize;
	LPVOID lpMinimumApplicationAddress;
	LPVOID lpMaximumApplicationAddress;
	DWORD_PTR dwActiveProcessorMask;
	DWORD dwNumberOfProcessors;
	DWORD dwProcessorType;
	DWORD dwAllocationGranularity;
	WORD wProcessorLevel;
	WORD wProcessorRevision;
} SYSTEM_INFO, *LPSYSTEM_INFO;

/* The architecture, the number of processors and the size of a page; 0 else. */
VOID WINAPI GetSystemInfo(LPSYSTEM_INFO lpSystemInfo);

#ifdef __cplusplus
}
#endif

#include <winnls.h>

#endif /* _WINBASE_ */
