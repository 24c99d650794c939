/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Quality of service: types of arguments that libwsock does not look at. */
#ifndef _QOS_H
#define _QOS_H

#include <wsock/windef.h>

typedef ULONG SERVICETYPE;

typedef struct _flowspec {
	ULONG TokenRate;
	ULONG TokenBucketSize;
	ULONG PeakBandwidth;
	ULONG Latency;
	ULONG DelayVariation;
	SERVICETYPE ServiceType;
	ULONG MaxSduSize;
	ULONG MinimumPolicedSize;
} FLOWSPEC, *PFLOWSPEC, *LPFLOWSPEC;

#endif /* _QOS_H */
