/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * On Windows: getaddrinfo and getnameinfo for versions without them. There are
 * no such versions here.
 */
#ifndef _WSPIAPI_H_
#define _WSPIAPI_H_

#include <ws2tcpip.h>

#endif /* _WSPIAPI_H_ */
