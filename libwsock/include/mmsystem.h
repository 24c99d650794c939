/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The clock of Windows' multimedia library. */
#ifndef _INC_MMSYSTEM
#define _INC_MMSYSTEM

#include <windef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TIMERR_NOERROR	0
#define TIMERR_NOCANDO	97

/* As GetTickCount, to the millisecond whatever period was begun. */
DWORD WINAPI timeGetTime(void);
UINT WINAPI timeBeginPeriod(UINT uPeriod);
UINT WINAPI timeEndPeriod(UINT uPeriod);

#ifdef __cplusplus
}
#endif

#endif /* _INC_MMSYSTEM */
