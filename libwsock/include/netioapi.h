/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The part of iphlpapi.h that has if_nametoindex. */
#ifndef _NETIOAPI_H_
#define _NETIOAPI_H_

#include <iphlpapi.h>

#endif /* _NETIOAPI_H_ */
