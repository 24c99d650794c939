/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Controls of TCP for WSAIoctl. */
#ifndef _MSTCPIP_H
#define _MSTCPIP_H

#include <winsock2.h>

#define SIO_KEEPALIVE_VALS	0x98000004U

/*
 * Input of SIO_KEEPALIVE_VALS, in milliseconds; Linux counts seconds, to which
 * they are rounded up.
 */
struct tcp_keepalive {
	ULONG onoff;
	ULONG keepalivetime;
	ULONG keepaliveinterval;
};

#endif /* _MSTCPIP_H */
