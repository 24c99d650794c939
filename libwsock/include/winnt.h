/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text, large integers, access rights and atomic operations. */
#ifndef _WINNT_
#define _WINNT_

#include <windef.h>

/* ---- Text ---- */

#define ANSI_NULL	((CHAR)0)
#define UNICODE_NULL	((WCHAR)0)

#ifdef UNICODE
typedef WCHAR TCHAR, *PTCHAR;
typedef LPWSTR LPTSTR, PTSTR;
typedef LPCWSTR LPCTSTR, PCTSTR;
#if __SIZEOF_WCHAR_T__ == 2
#define __TEXT(text)	L##text
#else
#define __TEXT(text)	u##text
#endif
#else
typedef CHAR TCHAR, *PTCHAR;
typedef LPSTR LPTSTR, PTSTR;
typedef LPCSTR LPCTSTR, PCTSTR;
#define __TEXT(text)	text
#endif
#define TEXT(text)	__TEXT(text)

#define MAKELANGID(primary, sub) \
	((WORD)(((WORD)(sub) << 10) | (WORD)(primary)))
#define LANG_NEUTRAL		0x00
#define LANG_ENGLISH		0x09
#define SUBLANG_NEUTRAL		0x00
#define SUBLANG_DEFAULT		0x01
#define SUBLANG_SYS_DEFAULT	0x02
#define SUBLANG_ENGLISH_US	0x01

/* ---- Numbers ---- */

#define MINCHAR		0x80
#define MAXCHAR		0x7f
#define MINSHORT	0x8000
#define MAXSHORT	0x7fff
#define MINLONG		0x80000000
#define MAXLONG		0x7fffffff
#define MAXBYTE		0xff
#define MAXWORD		0xffff
#define MAXDWORD	0xffffffffU

typedef union _LARGE_INTEGER {
	__extension__ struct {
		DWORD LowPart;
		LONG HighPart;
	};
	struct {
		DWORD LowPart;
		LONG HighPart;
	} u;
	LONGLONG QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER;

typedef union _ULARGE_INTEGER {
	__extension__ struct {
		DWORD LowPart;
		DWORD HighPart;
	};
	struct {
		DWORD LowPart;
		DWORD HighPart;
	} u;
	ULONGLONG QuadPart;
} ULARGE_INTEGER, *PULARGE_INTEGER;

#define Int32x32To64(a, b)	((LONGLONG)(LONG)(a) * (LONGLONG)(LONG)(b))
#define UInt32x32To64(a, b)	((ULONGLONG)(DWORD)(a) * (ULONGLONG)(DWORD)(b))

#define FIELD_OFFSET(type, field)	((LONG)offsetof(type, field))
#define CONTAINING_RECORD(address, type, field) \
	((type *)((PCHAR)(address) - offsetof(type, field)))
#define UNREFERENCED_PARAMETER(p)	((void)(p))
#define ARRAYSIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define C_ASSERT(e)	typedef char __C_ASSERT__[(e) ? 1 : -1] \
	__attribute__((unused))

/* ---- Access rights, files, memory: of these functions take a few ---- */

#define DELETE			0x00010000
#define READ_CONTROL		0x00020000
#define SYNCHRONIZE		0x00100000
#define STANDARD_RIGHTS_REQUIRED	0x000f0000
#define GENERIC_READ		0x80000000U
#define GENERIC_WRITE		0x40000000U
#define GENERIC_EXECUTE		0x20000000U
#define GENERIC_ALL		0x10000000U
#define EVENT_MODIFY_STATE	0x0002
#define EVENT_ALL_ACCESS	0x001f0003
#define MUTEX_ALL_ACCESS	0x001f0001
#define SEMAPHORE_ALL_ACCESS	0x001f0003
#define THREAD_ALL_ACCESS	0x001fffff
#define THREAD_SET_CONTEXT	0x0010
#define THREAD_QUERY_INFORMATION	0x0040
#define PROCESS_DUP_HANDLE	0x0040
#define PROCESS_ALL_ACCESS	0x001fffff
#define MAXIMUM_ALLOWED		0x02000000

#define FILE_SHARE_READ		0x00000001
#define FILE_SHARE_WRITE	0x00000002
#define FILE_SHARE_DELETE	0x00000004
#define FILE_ATTRIBUTE_READONLY	0x00000001
#define FILE_ATTRIBUTE_DIRECTORY	0x00000010
#define FILE_ATTRIBUTE_NORMAL	0x00000080
#define FILE_ATTRIBUTE_TEMPORARY	0x00000100

#define PAGE_NOACCESS		0x01
#define PAGE_READONLY		0x02
#define PAGE_READWRITE		0x04
#define MEM_COMMIT		0x00001000
#define MEM_RESERVE		0x00002000
#define MEM_DECOMMIT		0x00004000
#define MEM_RELEASE		0x00008000
#define MEM_FREE		0x00010000
#define MEM_WRITE_WATCH		0x00200000
#define WRITE_WATCH_FLAG_RESET	0x01

#define DLL_PROCESS_DETACH	0
#define DLL_PROCESS_ATTACH	1
#define DLL_THREAD_ATTACH	2
#define DLL_THREAD_DETACH	3

#define HEAP_NO_SERIALIZE		0x00000001
#define HEAP_GENERATE_EXCEPTIONS	0x00000004
#define HEAP_ZERO_MEMORY		0x00000008

#define THREAD_BASE_PRIORITY_LOWRT	15
#define THREAD_BASE_PRIORITY_MAX	2
#define THREAD_BASE_PRIORITY_MIN	(-2)
#define THREAD_BASE_PRIORITY_IDLE	(-15)

/* ntstatus.h has them all. */
#ifndef WIN32_NO_STATUS
#define STATUS_WAIT_0			0x00000000U
#define STATUS_ABANDONED_WAIT_0		0x00000080U
#define STATUS_USER_APC			0x000000c0U
#define STATUS_TIMEOUT			0x00000102U
#define STATUS_PENDING			0x00000103U
#define STATUS_ACCESS_VIOLATION		0xc0000005U
#define STATUS_INVALID_HANDLE		0xc0000008U
#define STATUS_INVALID_PARAMETER	0xc000000dU
#define STATUS_NO_MEMORY		0xc0000017U
#endif

/* ---- Atomic operations, all of them full barriers ---- */

#define MemoryBarrier()		__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define YieldProcessor()	__builtin_ia32_pause()

/* _WSOCK_INTERLOCKED(type, suffix): the operations on one type. */
#define _WSOCK_INTERLOCKED(type, suffix) \
static inline type InterlockedIncrement##suffix(type volatile *p) \
{ \
	return __atomic_add_fetch(p, 1, __ATOMIC_SEQ_CST); \
} \
static inline type InterlockedDecrement##suffix(type volatile *p) \
{ \
	return __atomic_sub_fetch(p, 1, __ATOMIC_SEQ_CST); \
} \
static inline type InterlockedExchange##suffix(type volatile *p, type v) \
{ \
	return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST); \
} \
static inline type InterlockedExchangeAdd##suffix(type volatile *p, type v) \
{ \
	return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST); \
} \
static inline type InterlockedAdd##suffix(type volatile *p, type v) \
{ \
	return __atomic_add_fetch(p, v, __ATOMIC_SEQ_CST); \
} \
static inline type InterlockedAnd##suffix(type volatile *p, type v) \
{ \
	return __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST); \
} \
static inline type InterlockedOr##suffix(type volatile *p, type v) \
{ \
	return __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST); \
} \
static inline type InterlockedXor##suffix(type volatile *p, type v) \
{ \
	return __atomic_fetch_xor(p, v, __ATOMIC_SEQ_CST); \
} \
static inline type InterlockedCompareExchange##suffix(type volatile *p, \
						      type v, type expected) \
{ \
	__atomic_compare_exchange_n(p, &expected, v, 0, __ATOMIC_SEQ_CST, \
				    __ATOMIC_SEQ_CST); \
	return expected; \
}
/* Some programs ask with #ifdef, and some have their own in C++. */
_WSOCK_INTERLOCKED(LONG, )
_WSOCK_INTERLOCKED(LONG64, 64)
#undef _WSOCK_INTERLOCKED

static inline PVOID InterlockedExchangePointer(PVOID volatile *p, PVOID v)
{
	return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);
}

static inline PVOID InterlockedCompareExchangePointer(PVOID volatile *p,
						      PVOID v, PVOID expected)
{
	__atomic_compare_exchange_n(p, &expected, v, 0, __ATOMIC_SEQ_CST,
				    __ATOMIC_SEQ_CST);
	return expected;
}

#if defined(__cplusplus) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/*
 * C++ refuses a long where LONG is meant. Their lower 32 bits are what counts,
 * since what the pointer was cast from may have no more.
 */
#define _WSOCK_OF_LONG(name) \
static inline LONG name(long volatile *p) \
{ \
	return name((LONG volatile *)p); \
}
#define _WSOCK_OF_LONG_AND(name) \
static inline LONG name(long volatile *p, LONG v) \
{ \
	return name((LONG volatile *)p, v); \
}
extern "C++" {
_WSOCK_OF_LONG(InterlockedIncrement)
_WSOCK_OF_LONG(InterlockedDecrement)
_WSOCK_OF_LONG_AND(InterlockedExchange)
_WSOCK_OF_LONG_AND(InterlockedExchangeAdd)
_WSOCK_OF_LONG_AND(InterlockedAdd)
_WSOCK_OF_LONG_AND(InterlockedAnd)
_WSOCK_OF_LONG_AND(InterlockedOr)
_WSOCK_OF_LONG_AND(InterlockedXor)
static inline LONG InterlockedCompareExchange(long volatile *p, LONG v, LONG expected)
{
	return InterlockedCompareExchange((LONG volatile *)p, v, expected);
}
}
#undef _WSOCK_OF_LONG
#undef _WSOCK_OF_LONG_AND
#endif

#endif /* _WINNT_ */
