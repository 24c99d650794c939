/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Winsock 1.1. May be included together with winsock2.h. */
#ifndef _WINSOCK_H
#define _WINSOCK_H

#include <wsock/bsd.h>

#endif /* _WINSOCK_H */
