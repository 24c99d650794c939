/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Controls of TCP, IP and their interfaces for WSAIoctl. */
#ifndef _MSTCPIP_H
#define _MSTCPIP_H

#include <winsock2.h>

#define SIO_RCVALL		_WSAIOW(IOC_VENDOR, 1)
#define SIO_RCVALL_MCAST	_WSAIOW(IOC_VENDOR, 2)
#define SIO_RCVALL_IGMPMCAST	_WSAIOW(IOC_VENDOR, 3)
#define SIO_KEEPALIVE_VALS	_WSAIOW(IOC_VENDOR, 4)
#define SIO_ABSORB_RTRALERT	_WSAIOW(IOC_VENDOR, 5)
#define SIO_UCAST_IF		_WSAIOW(IOC_VENDOR, 6)
#define SIO_LIMIT_BROADCASTS	_WSAIOW(IOC_VENDOR, 7)
#define SIO_INDEX_BIND		_WSAIOW(IOC_VENDOR, 8)
#define SIO_INDEX_MCASTIF	_WSAIOW(IOC_VENDOR, 9)
#define SIO_INDEX_ADD_MCAST	_WSAIOW(IOC_VENDOR, 10)
#define SIO_INDEX_DEL_MCAST	_WSAIOW(IOC_VENDOR, 11)
#define SIO_LOOPBACK_FAST_PATH	_WSAIOW(IOC_VENDOR, 16)
#define SIO_TCP_INITIAL_RTO	_WSAIOW(IOC_VENDOR, 17)
#define SIO_IDEAL_SEND_BACKLOG_QUERY	0x4004747bU
#define SIO_IDEAL_SEND_BACKLOG_CHANGE	_WSAIO(0, 0x747a)

/* Of SIO_RCVALL, which is not there: WSAEOPNOTSUPP. */
typedef enum {
	RCVALL_OFF = 0,
	RCVALL_ON = 1,
	RCVALL_SOCKETLEVELONLY = 2,
	RCVALL_IPLEVEL = 3
} RCVALL_VALUE, *PRCVALL_VALUE;

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
