/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The version of Windows that is meant: what is there is there for all. */
#ifndef _INC_SDKDDKVER
#define _INC_SDKDDKVER

#define _WIN32_WINNT_WINXP	0x0501
#define _WIN32_WINNT_WS03	0x0502
#define _WIN32_WINNT_VISTA	0x0600
#define _WIN32_WINNT_WIN7	0x0601
#define _WIN32_WINNT_WIN8	0x0602
#define _WIN32_WINNT_WINBLUE	0x0603
#define _WIN32_WINNT_WIN10	0x0a00

#ifndef _WIN32_WINNT
#define _WIN32_WINNT	_WIN32_WINNT_WIN10
#endif
#ifndef WINVER
#define WINVER		_WIN32_WINNT
#endif

#endif /* _INC_SDKDDKVER */
