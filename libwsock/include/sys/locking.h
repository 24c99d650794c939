/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What Microsoft's C library has here is of no use to sockets. */
#ifndef _INC_LOCKING
#define _INC_LOCKING
#endif /* _INC_LOCKING */
