/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What programs with sockets use of Windows' other libraries; and Winsock 1.1 and the
 * multimedia clock, as on Windows, unless WIN32_LEAN_AND_MEAN is defined.
 */
#ifndef _WINDOWS_
#define _WINDOWS_

#include <winbase.h>

#ifndef WIN32_LEAN_AND_MEAN
#include <mmsystem.h>
#include <winsock.h>
#endif

#endif /* _WINDOWS_ */
