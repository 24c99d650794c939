/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files by the names of Microsoft's C library, in which O_BINARY changes nothing. */
#ifndef _INC_IO
#define _INC_IO

#include <fcntl.h>
#include <unistd.h>

#ifndef O_BINARY
#define O_BINARY	0
#define O_TEXT		0
#endif
#define _O_RDONLY	O_RDONLY
#define _O_WRONLY	O_WRONLY
#define _O_RDWR		O_RDWR
#define _O_CREAT	O_CREAT
#define _O_TRUNC	O_TRUNC
#define _O_APPEND	O_APPEND
#define _O_EXCL		O_EXCL
#define _O_BINARY	O_BINARY
#define _open		open
#define _close		close
#define _read		read
#define _write		write
#define _lseeki64	lseek
#define _unlink		unlink
#define _access		access
#define _isatty		isatty
#define _dup		dup
#define _dup2		dup2

#endif /* _INC_IO */
