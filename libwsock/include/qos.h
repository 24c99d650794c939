/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptions of flows. The calls that take one do not look at it. */
#ifndef __QOS_H_
#define __QOS_H_

#include <windef.h>

typedef ULONG SERVICETYPE;

#define SERVICETYPE_NOTRAFFIC		0x00000000
#define SERVICETYPE_BESTEFFORT		0x00000001
#define SERVICETYPE_CONTROLLEDLOAD	0x00000002
#define SERVICETYPE_GUARANTEED		0x00000003

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

#endif /* __QOS_H_ */
