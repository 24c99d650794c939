/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text that is TCHARs: literals, with UNICODE or without. */
#ifndef _INC_TCHAR
#define _INC_TCHAR

#include <winnt.h>

#define _T(text)	TEXT(text)
#define _TEXT(text)	TEXT(text)

#endif /* _INC_TCHAR */
