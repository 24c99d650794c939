/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Windows' base types. The sizes are those of 64-bit Windows: LONG, ULONG and
 * DWORD have 32 bits here too.
 */
#ifndef _WINDEF_
#define _WINDEF_

#include <sdkddkver.h>
#include <basetsd.h>
#include <guiddef.h>

/*
 * Calling conventions are one here, and the compilers for Windows know these
 * words without a header.
 */
#ifndef FAR
#define FAR
#endif
#ifndef NEAR
#define NEAR
#endif
#ifndef PASCAL
#define PASCAL
#endif
#ifndef WINAPI
#define WINAPI
#endif
#ifndef APIENTRY
#define APIENTRY	WINAPI
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
#ifndef WINBASEAPI
#define WINBASEAPI
#endif
#ifndef __cdecl
#define __cdecl
#endif
#ifndef __stdcall
#define __stdcall
#endif
#ifndef __fastcall
#define __fastcall
#endif
#ifndef _cdecl
#define _cdecl
#endif
#ifndef _stdcall
#define _stdcall
#endif
#ifndef __forceinline
#define __forceinline	inline __attribute__((always_inline))
#endif
#ifndef __int8
#define __int8		char
#endif
#ifndef __int16
#define __int16		short
#endif
#ifndef __int32
#define __int32		int
#endif
#ifndef __int64
#define __int64		long long
#endif
#ifndef DECLSPEC_IMPORT
#define DECLSPEC_IMPORT
#endif
#ifndef __declspec
#define __declspec(what)	_WSOCK_DECLSPEC_##what
#define _WSOCK_DECLSPEC_dllexport	__attribute__((visibility("default")))
#define _WSOCK_DECLSPEC_dllimport
#define _WSOCK_DECLSPEC_noinline	__attribute__((noinline))
#define _WSOCK_DECLSPEC_noreturn	__attribute__((noreturn))
#define _WSOCK_DECLSPEC_nothrow		__attribute__((nothrow))
#define _WSOCK_DECLSPEC_selectany	__attribute__((weak))
#define _WSOCK_DECLSPEC_thread		__thread
#define _WSOCK_DECLSPEC_align(n)	__attribute__((aligned(n)))
#endif
#ifndef DECLSPEC_NORETURN
#define DECLSPEC_NORETURN	__attribute__((noreturn))
#endif

#ifndef CONST
#define CONST	const
#endif
#ifndef IN
#define IN
#endif
#ifndef OUT
#define OUT
#endif
#ifndef OPTIONAL
#define OPTIONAL
#endif
#ifndef VOID
#define VOID		void
#endif

#ifndef FALSE
#define FALSE	0
#endif
#ifndef TRUE
#define TRUE	1
#endif

/*
 * UTF-16, as the functions with W take and give it. Without -fshort-wchar
 * wchar_t is Linux's and has 32 bits; then literals are u"..." or TEXT("...").
 */
#if __SIZEOF_WCHAR_T__ == 2
typedef wchar_t WCHAR;
#elif defined(__cplusplus)
typedef char16_t WCHAR;
#else
typedef uint_least16_t WCHAR;
#endif

typedef void *PVOID, *LPVOID, *HANDLE;
typedef const void *LPCVOID, *PCVOID;
typedef HANDLE *PHANDLE, *LPHANDLE, HGLOBAL, HLOCAL;
typedef char CHAR, *PCHAR, *LPCH, *PCH, *LPSTR, *PSTR;
typedef const char *LPCSTR, *PCSTR, *LPCCH;
typedef WCHAR *PWCHAR, *LPWCH, *PWCH, *LPWSTR, *PWSTR;
typedef const WCHAR *LPCWSTR, *PCWSTR, *LPCWCH;
typedef unsigned char UCHAR, *PUCHAR, BYTE, *PBYTE, *LPBYTE, BOOLEAN, *PBOOLEAN;
typedef int16_t SHORT, *PSHORT;
typedef uint16_t USHORT, *PUSHORT, WORD, *PWORD, *LPWORD, ATOM;
typedef int32_t INT, *PINT, *LPINT, LONG, *PLONG, *LPLONG;
typedef int32_t BOOL, *PBOOL, *LPBOOL, HRESULT, NTSTATUS, *PNTSTATUS;
typedef uint32_t UINT, *PUINT, *LPUINT, ULONG, *PULONG;
typedef uint32_t DWORD, *PDWORD, *LPDWORD, ACCESS_MASK, LCID;
typedef float FLOAT;
typedef double DOUBLE;
typedef int64_t LONGLONG, *PLONGLONG;
typedef uint64_t ULONGLONG, *PULONGLONG, DWORDLONG, *PDWORDLONG;
typedef UINT_PTR WPARAM;
typedef LONG_PTR LPARAM, LRESULT;

/* Kinds of HANDLE that have a type of their own. */
typedef struct HWND__ *HWND;
typedef struct HINSTANCE__ *HINSTANCE, *HMODULE;
typedef struct HKEY__ *HKEY;

/* A pointer to a function of any type. */
typedef INT_PTR (WINAPI *FARPROC)(void);
typedef INT_PTR (WINAPI *PROC)(void);

#define MAKEWORD(low, high) \
	((WORD)(((WORD)(low) & 0xff) | (((WORD)(high) & 0xff) << 8)))
#define MAKELONG(low, high) \
	((LONG)(((DWORD)(low) & 0xffff) | (((DWORD)(high) & 0xffff) << 16)))
#define LOBYTE(w)	((BYTE)((DWORD_PTR)(w) & 0xff))
#define HIBYTE(w)	((BYTE)(((DWORD_PTR)(w) >> 8) & 0xff))
#define LOWORD(l)	((WORD)((DWORD_PTR)(l) & 0xffff))
#define HIWORD(l)	((WORD)(((DWORD_PTR)(l) >> 16) & 0xffff))

/* C++ has them in <algorithm>, which these would break. */
#if !defined(NOMINMAX) && !defined(__cplusplus)
#ifndef max
#define max(a, b)	((a) > (b) ? (a) : (b))
#endif
#ifndef min
#define min(a, b)	((a) < (b) ? (a) : (b))
#endif
#endif

#define MAX_PATH	260

#endif /* _WINDEF_ */
