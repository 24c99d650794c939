/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compiled after <sys/uio.h>: its struct iovec is there. */
static const struct iovec wsock_test_iovec = { 0, 0 };
static const int wsock_test_use = sizeof(wsock_test_iovec);
