/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the sweeps over faults share. A sweep makes the same calls again and again,
 * and the kernel refuses the thread its first allocation or user copy in them, then
 * the second, and so on, until they pass untouched. A call that is refused something
 * may cope, or has to say so and to have done nothing: it is made again, has to
 * succeed, and at the end all is as if nothing had happened.
 *
 * Needs a kernel with FAILSLAB and FAULT_INJECTION_USERCOPY.
 */
#ifndef WSOCK_SELFTESTS_FAIL_NTH_H
#define WSOCK_SELFTESTS_FAIL_NTH_H

#include <stdlib.h>
#include <sys/mman.h>

#include "device.h"

#define DEBUG "/sys/kernel/debug/"

struct faults {
	int fd;			/* /proc/self/fail-nth */
	int nth;		/* what is refused this time */
	int lowest;		/* descriptor that was free; -1 when it does not matter */
	bool armed;
	bool injected;
	bool leaked;
};

static inline bool faults_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && write(fd, text, strlen(text)) > 0;

	if (fd >= 0)
		close(fd);
	return written;
}

/* Only the thread that opens them may sweep; false: this kernel has none. */
static inline bool faults_open(struct faults *f)
{
	memset(f, 0, sizeof(*f));
	f->fd = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
	return f->fd >= 0;
}

/* Once, before the first sweep; children need only open. */
static inline bool faults_begin(struct faults *f)
{
	if (!faults_open(f) || access(DEBUG "fail_usercopy", F_OK))
		return false;
	/* Also where the allocator might wait, and without a word on the console. */
	if (!faults_write(DEBUG "failslab/ignore-gfp-wait", "N") ||
	    !faults_write(DEBUG "failslab/verbose", "0") ||
	    !faults_write(DEBUG "fail_usercopy/verbose", "0"))
		abort();
	/* A page fault that is refused something is nobody's call. */
	return !mlockall(MCL_CURRENT | MCL_FUTURE);
}

/* From here on the thread is refused its next @nth-th. */
static inline void faults_arm(struct faults *f)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", f->nth);

	f->lowest = lowest_fd();
	f->armed = true;
	if (pwrite(f->fd, text, len, 0) != len)
		abort();
}

/* Has it been? It will not be any more. */
static inline bool faults_disarm(struct faults *f)
{
	char text[16] = "";

	if (!f->armed)
		return f->injected;
	f->armed = false;
	/* Telling us takes a user copy: what fails here was not refused before. */
	f->injected = pread(f->fd, text, sizeof(text) - 1, 0) > 0 && !atoi(text);
	while (pwrite(f->fd, "0", 1, 0) != 1)
		;
	return f->injected;
}

/*
 * Was a call that failed refused something, and shall be made again? That happens
 * once in a sequence. It must not have left a descriptor behind.
 */
static inline bool faults_blame(struct faults *f)
{
	if (!f->armed || !faults_disarm(f))
		return false;
	f->leaked = f->lowest >= 0 && lowest_fd() != f->lowest;
	return true;
}

/* For the next round; returns whether there is one. */
static inline bool faults_next(struct faults *f)
{
	bool more = faults_disarm(f);

	f->nth++;
	f->injected = false;
	return more;
}

static inline bool is_refusal(int ret)
{
	return ret == -ENOMEM || ret == -EFAULT || ret == -ENOBUFS || ret == -EAGAIN;
}

#endif /* WSOCK_SELFTESTS_FAIL_NTH_H */
