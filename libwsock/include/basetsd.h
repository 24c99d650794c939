/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Windows' integer types of a certain size, or of the size of a pointer. */
#ifndef _BASETSD_H_
#define _BASETSD_H_

#include <stddef.h>
#include <stdint.h>

typedef int8_t INT8, *PINT8;
typedef int16_t INT16, *PINT16;
typedef int32_t INT32, *PINT32, LONG32, *PLONG32;
typedef int64_t INT64, *PINT64, LONG64, *PLONG64;
typedef uint8_t UINT8, *PUINT8;
typedef uint16_t UINT16, *PUINT16;
typedef uint32_t UINT32, *PUINT32, ULONG32, *PULONG32, DWORD32, *PDWORD32;
typedef uint64_t UINT64, *PUINT64, ULONG64, *PULONG64, DWORD64, *PDWORD64;

typedef intptr_t INT_PTR, *PINT_PTR, LONG_PTR, *PLONG_PTR;
typedef uintptr_t UINT_PTR, *PUINT_PTR, ULONG_PTR, *PULONG_PTR;
typedef ULONG_PTR DWORD_PTR, *PDWORD_PTR, SIZE_T, *PSIZE_T;
typedef LONG_PTR SSIZE_T, *PSSIZE_T;

#define MAXUINT8	((UINT8)~(UINT8)0)
#define MAXUINT32	((UINT32)~(UINT32)0)
#define MAXULONG32	((ULONG32)~(ULONG32)0)
#define MAXULONG64	((ULONG64)~(ULONG64)0)
#define MAXSIZE_T	((SIZE_T)~(SIZE_T)0)

#endif /* _BASETSD_H_ */
