/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program may choose its FD_SETSIZE before it includes winsock2.h. */
#undef FD_SETSIZE
#define FD_SETSIZE 200
#include <winsock2.h>

#ifdef __cplusplus
static_assert(sizeof(fd_set) == 8 + 200 * 8, "FD_SETSIZE");
#else
_Static_assert(sizeof(fd_set) == 8 + 200 * 8, "FD_SETSIZE");
#endif
#if FD_SETSIZE != 200
#error FD_SETSIZE
#endif
