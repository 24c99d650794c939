/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Windows' base types, as far as the Winsock API uses them. The sizes are those
 * of 64-bit Windows: LONG, ULONG and DWORD have 32 bits here too.
 */
#ifndef _WSOCK_WINDEF_H
#define _WSOCK_WINDEF_H

#include <stddef.h>
#include <stdint.h>

#ifndef FAR
#define FAR
#endif
#ifndef PASCAL
#define PASCAL
#endif
#ifndef WINAPI
#define WINAPI
#endif
#ifndef WSAAPI
#define WSAAPI
#endif
#ifndef CALLBACK
#define CALLBACK
#endif
#ifndef NTAPI
#define NTAPI
#endif

#ifndef FALSE
#define FALSE	0
#endif
#ifndef TRUE
#define TRUE	1
#endif

#ifdef __cplusplus
typedef char16_t WCHAR;
#else
typedef uint_least16_t WCHAR;
#endif

typedef void VOID, *PVOID, *LPVOID, *HANDLE;
typedef const void *LPCVOID;
typedef HANDLE *PHANDLE, *LPHANDLE;
typedef char CHAR, *PCHAR, *LPSTR, *PSTR;
typedef const char *LPCSTR, *PCSTR;
typedef WCHAR *LPWSTR, *PWSTR;
typedef const WCHAR *LPCWSTR, *PCWSTR;
typedef unsigned char UCHAR, *PUCHAR, BYTE, *PBYTE, *LPBYTE;
typedef int16_t SHORT, *PSHORT;
typedef uint16_t USHORT, *PUSHORT, WORD, *PWORD, *LPWORD;
typedef int32_t INT, *PINT, *LPINT, LONG, *PLONG, *LPLONG;
typedef int32_t BOOL, *PBOOL, *LPBOOL, INT32;
typedef uint32_t UINT, *PUINT, ULONG, *PULONG, DWORD, *PDWORD, *LPDWORD;
typedef uint32_t UINT32, DWORD32;
typedef unsigned char BOOLEAN;
typedef int64_t LONGLONG, INT64, LONG64;
typedef uint64_t ULONGLONG, UINT64, DWORD64, ULONG64;
typedef intptr_t INT_PTR, LONG_PTR;
typedef uintptr_t UINT_PTR, ULONG_PTR, *PULONG_PTR, DWORD_PTR;
typedef size_t SIZE_T;

typedef struct _GUID {
	uint32_t Data1;
	uint16_t Data2;
	uint16_t Data3;
	uint8_t Data4[8];
} GUID, *LPGUID;

#define MAKEWORD(low, high) \
	((WORD)(((WORD)(low) & 0xff) | (((WORD)(high) & 0xff) << 8)))
#define MAKELONG(low, high) \
	((LONG)(((DWORD)(low) & 0xffff) | (((DWORD)(high) & 0xffff) << 16)))
#define LOBYTE(w)	((BYTE)((DWORD_PTR)(w) & 0xff))
#define HIBYTE(w)	((BYTE)(((DWORD_PTR)(w) >> 8) & 0xff))
#define LOWORD(l)	((WORD)((DWORD_PTR)(l) & 0xffff))
#define HIWORD(l)	((WORD)(((DWORD_PTR)(l) >> 16) & 0xffff))

#define INVALID_HANDLE_VALUE	((HANDLE)(intptr_t)-1)
#define INFINITE		0xffffffffU
#define WAIT_OBJECT_0		0U
#define WAIT_IO_COMPLETION	192U
#define WAIT_TIMEOUT		258U
#define WAIT_FAILED		0xffffffffU
#define MAXIMUM_WAIT_OBJECTS	64
#define MAX_PATH		260

#endif /* _WSOCK_WINDEF_H */
