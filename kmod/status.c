// SPDX-License-Identifier: GPL-2.0
/*
 * The one place where errnos become NTSTATUS values, for the status block of
 * an operation. The library maps them on to WSA and Win32 codes.
 */
#include <linux/errno.h>
#include <linux/kernel.h>

#include "wsock.h"

static const struct {
	int err;
	u32 status;
} wsock_statuses[] = {
	{ 0,		0x00000000 },	/* STATUS_SUCCESS */
	{ EMSGSIZE,	0x80000005 },	/* STATUS_BUFFER_OVERFLOW: a truncated datagram */
	{ ECANCELED,	0xc0000120 },	/* STATUS_CANCELLED */
	{ ECONNABORTED,	0xc0000241 },	/* STATUS_CONNECTION_ABORTED */
	{ ECONNRESET,	0xc000020d },	/* STATUS_CONNECTION_RESET */
	{ EPIPE,	0xc000020d },	/* the peer reset; see op_errno() for our own shutdown */
	{ ESHUTDOWN,	0xc00000b0 },	/* STATUS_PIPE_DISCONNECTED */
	{ ETIMEDOUT,	0xc00000b5 },	/* STATUS_IO_TIMEOUT */
	{ ECONNREFUSED,	0xc0000236 },	/* STATUS_CONNECTION_REFUSED; see below for datagrams */
	{ ENOTCONN,	0xc0000140 },	/* STATUS_INVALID_CONNECTION */
	{ EDESTADDRREQ,	0xc0000140 },
	{ EHOSTUNREACH,	0xc000023d },	/* STATUS_HOST_UNREACHABLE */
	{ EHOSTDOWN,	0xc0000350 },	/* STATUS_HOST_DOWN */
	{ ENETUNREACH,	0xc000023c },	/* STATUS_NETWORK_UNREACHABLE */
	{ ENETDOWN,	0xc00000bf },	/* STATUS_NETWORK_BUSY */
	{ EFAULT,	0xc0000005 },	/* STATUS_ACCESS_VIOLATION */
	{ ENOMEM,	0xc000009a },	/* STATUS_INSUFFICIENT_RESOURCES */
	{ ENOBUFS,	0xc000009a },
	{ EACCES,	0xc0000022 },	/* STATUS_ACCESS_DENIED */
	{ EPERM,	0xc0000022 },
	{ EADDRNOTAVAIL, 0xc0000207 },	/* STATUS_INVALID_ADDRESS_COMPONENT */
	{ EISCONN,	0xc000023b },	/* STATUS_CONNECTION_ACTIVE */
	{ EOVERFLOW,	0xc0000023 },	/* STATUS_BUFFER_TOO_SMALL */
	{ EOPNOTSUPP,	0xc00000bb },	/* STATUS_NOT_SUPPORTED */
	{ EINVAL,	0xc000000d },	/* STATUS_INVALID_PARAMETER */
};

/**
 * wsock_status - the NTSTATUS of an operation's result
 * @err: a positive errno, or 0
 * @stream: of a stream
 *
 * Return: what the status block gets.
 */
u32 wsock_status(int err, bool stream)
{
	/* Of a datagram we learn that its port is. */
	if (err == ECONNREFUSED && !stream)
		return 0xc000023f;	/* STATUS_PORT_UNREACHABLE */
	for (size_t i = 0; i < ARRAY_SIZE(wsock_statuses); i++) {
		if (wsock_statuses[i].err == err)
			return wsock_statuses[i].status;
	}
	return 0xc0000001;		/* STATUS_UNSUCCESSFUL */
}
