// SPDX-License-Identifier: GPL-2.0
/*
 * Linked with --wrap=_exit to programs whose library has gcov's counters: they
 * would be lost with a process that leaves by _exit().
 */
#include <stdlib.h>

void __gcov_dump(void);
void __gcov_reset(void);
void __real__exit(int status) __attribute__((noreturn));
void __wrap__exit(int status) __attribute__((noreturn));

void __wrap__exit(int status)
{
#ifdef SHARED
	/* Counters of a shared library are written by its destructor alone. */
	exit(status);
#else
	__gcov_dump();
	/* A child of vfork() shares them with its parent. */
	__gcov_reset();
	__real__exit(status);
#endif
}
