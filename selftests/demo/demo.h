/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The memory the kernel may write while a receive of demo_server is pending. It
 * lies in a file that demo_watch maps too, and so outlives a killed server.
 */
#ifndef WSOCK_DEMO_H
#define WSOCK_DEMO_H

#include <stddef.h>

#include <winsock2.h>

#define DEMO_POISON	0xa5

struct demo_io {
	unsigned char before[64];
	unsigned char buffer[512];
	unsigned char after[64];
	OVERLAPPED ov;
	int pending;	/* a receive was submitted, its result not yet collected */
};

#define DEMO_WORKERS	17
/* A thread waits for at most 64 events; one of them is to wake it. */
#define DEMO_SLOTS	(WSA_MAXIMUM_WAIT_EVENTS - 1)
#define DEMO_IOS	(DEMO_WORKERS * DEMO_SLOTS)

/* How many of the @len bytes at @p are not poison. */
static inline int demo_changed(const void *p, size_t len)
{
	const unsigned char *byte = p;
	int changed = 0;

	while (len--)
		changed += *byte++ != DEMO_POISON;
	return changed;
}

#endif /* WSOCK_DEMO_H */
