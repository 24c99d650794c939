/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Of the IP Helper library there are if_nametoindex and if_indextoname, which are
 * Linux's.
 */
#ifndef __IPHLPAPI_H__
#define __IPHLPAPI_H__

#include <ws2ipdef.h>

#endif /* __IPHLPAPI_H__ */
