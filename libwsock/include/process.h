/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads by the names of Microsoft's C library: CreateThread does the same. */
#ifndef _INC_PROCESS
#define _INC_PROCESS

#include <windef.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

/* 0 with errno EAGAIN, and the last error, when it fails. */
uintptr_t _beginthreadex(void *security, unsigned int stack_size,
			 unsigned int (__stdcall *start_address)(void *),
			 void *arglist, unsigned int initflag,
			 unsigned int *thrdaddr);
void _endthreadex(unsigned int retval) DECLSPEC_NORETURN;
/*
 * The same, but the thread closes its handle as it ends by returning or by
 * _endthread, so that the handle is good for nothing once it may have. (uintptr_t)-1
 * with errno when it fails: EAGAIN, or EINVAL for no function.
 */
uintptr_t _beginthread(void (__cdecl *start_address)(void *),
		       unsigned int stack_size, void *arglist);
void _endthread(void) DECLSPEC_NORETURN;

#define _getpid	getpid

#ifdef __cplusplus
}
#endif

#endif /* _INC_PROCESS */
