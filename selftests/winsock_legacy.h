/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WSOCK_SELFTESTS_WINSOCK_LEGACY_H
#define WSOCK_SELFTESTS_WINSOCK_LEGACY_H

typedef int cleanup_function(void);

/* WSACleanup, as winsock.h declares it. */
cleanup_function *legacy_cleanup(void);
/* Startup, some calls, cleanup; 0 or which step failed. */
int legacy_session(void);

#endif
