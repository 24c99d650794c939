// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * select and WSAPoll, on ppoll(2).
 *
 * poll(2) reports hang-ups and errors whether they were asked for or not, also
 * for a stream socket that was never connected, where Winsock has nothing to
 * report. Such a socket is muted, that is, left out of the next wait, and looked
 * at again after a while: another thread may connect or close it.
 */
#include "internal.h"

#include <poll.h>
#include <stdlib.h>

/* How long a wait that leaves sockets out may be. */
#define MUTED_SLICE_NS	(20 * WSOCK_NSEC_PER_MSEC)

/* Up to this many entries, the APC queue's included, live on the stack. */
#define STACK_FDS	256

/* The descriptor of what is waited for; -1 for none. */
static int watch(SOCKET s)
{
	int fd = wsock_socket_fd_checked(s);

	/* From here on it says "closed while we waited". */
	wsock_fd_flags_remove(fd, WSOCK_FD_CLOSING);
	return fd;
}

/* ---- What poll's bits mean ---- */

/* A hang-up without a shutdown: never connected (or not any more, by choice). */
static bool is_unconnected(int fd, short revents)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN | POLLRDHUP };

	if (!(revents & POLLHUP) || revents & (POLLRDHUP | POLLERR))
		return false;
	return poll(&pfd, 1, 0) > 0 && pfd.revents & POLLHUP &&
	       !(pfd.revents & (POLLRDHUP | POLLIN | POLLERR));
}

static bool is_failed_connect(int fd, short revents)
{
	return revents & (POLLERR | POLLHUP) && wsock_socket_connect_failed(fd);
}

/* ---- select ---- */

enum which { READ, WRITE, EXCEPT, SETS };

static const short wanted[SETS] = {
	[READ] = POLLIN,
	[WRITE] = POLLOUT,
	[EXCEPT] = POLLPRI,
};

static bool is_ready(enum which set, int fd, short revents)
{
	bool failed = is_failed_connect(fd, revents);

	switch (set) {
	case READ:
		return revents & (POLLIN | POLLERR) && !failed;
	case WRITE:
		if (!(revents & POLLOUT) || failed ||
		    is_unconnected(fd, revents))
			return false;
		/* A connect that had been waited for is over. */
		if (wsock_fd_flags_get(fd) & WSOCK_FD_CONNECTING)
			wsock_fd_flags_add(fd, WSOCK_FD_CONNECTED);
		return true;
	default:
		return revents & POLLPRI || failed;
	}
}

/* What one look at the entries found besides those that are ready. */
struct sifted {
	bool muted;	/* something that Winsock does not report */
	bool bad;	/* no socket */
	bool closed;	/* closed by closesocket while we waited */
};

/*
 * Returns how many entries are ready; revents of the others become 0. Closing a
 * socket makes it readable, and only that.
 */
static u_int sift(struct pollfd *fds, wsock_fd_set *const sets[],
		  struct sifted *found)
{
	struct pollfd *pfd = fds;
	u_int i, ready = 0;
	bool closed;
	int set;

	memset(found, 0, sizeof(*found));
	for (set = READ; set < SETS; set++) {
		for (i = 0; sets[set] && i < sets[set]->fd_count; i++, pfd++) {
			if (!pfd->revents)
				continue;
			closed = pfd->revents & POLLNVAL &&
				 wsock_fd_flags_get(pfd->fd) & WSOCK_FD_CLOSING;
			if (closed ? set == READ :
				     is_ready(set, pfd->fd, pfd->revents)) {
				ready++;
				continue;
			}
			if (closed)
				found->closed = true;
			else if (pfd->revents & POLLNVAL)
				found->bad = true;
			pfd->revents = 0;
			/* poll(2) passes over negative descriptors. */
			pfd->fd = ~pfd->fd;
			found->muted = true;
		}
	}
	return ready;
}

static void unmute(struct pollfd *fds, nfds_t n)
{
	nfds_t i;

	for (i = 0; i < n; i++)
		if (fds[i].fd < 0)
			fds[i].fd = ~fds[i].fd;
}

/* Why a wait has failed. */
static int poll_error(void)
{
	/* The blocking hook's doing. */
	return errno == ECANCELED ? WSAEINTR : WSAENOBUFS;
}

/*
 * Waits until an entry is ready. Returns how many are, 0 at the deadline, or
 * SOCKET_ERROR.
 */
static int wait_ready(const struct wsock_call *call, struct pollfd *fds,
		      nfds_t n, wsock_fd_set *const sets[], uint64_t deadline)
{
	struct sifted sifted = { 0 };
	u_int ready;
	int found;

	for (;;) {
		found = wsock_poll_alertable(fds, n, deadline,
					     sifted.muted ? MUTED_SLICE_NS : 0);
		if (wsock_call_cancelled(call))
			return wsock_error_set(WSAEINTR);
		if (found < 0)
			return wsock_error_set(poll_error());
		if (!found && !sifted.muted)
			return 0;
		if (!found) {
			if (deadline != WSOCK_NEVER && wsock_now() >= deadline)
				return 0;
			unmute(fds, n);
			/* Look without waiting, then mute again. */
			found = wsock_poll_until(fds, n, 0, 0);
			if (found < 0)
				return wsock_error_set(WSAENOBUFS);
		}
		ready = sift(fds, sets, &sifted);
		if (sifted.bad || (sifted.closed && !ready))
			return wsock_error_set(WSAENOTSOCK);
		if (ready)
			return (int)ready;
	}
}

/* Keeps what is ready, each socket once; returns the set's new size. */
static u_int keep(wsock_fd_set *set, const struct pollfd *fds, u_int n)
{
	u_int i, j, kept = 0;

	for (i = 0; i < n; i++) {
		if (!fds[i].revents)
			continue;
		for (j = 0; j < kept; j++)
			if (set->fd_array[j] == (SOCKET)fds[i].fd)
				break;
		if (j == kept)
			set->fd_array[kept++] = (SOCKET)fds[i].fd;
	}
	set->fd_count = kept;
	return kept;
}

static int do_select(const struct wsock_call *call, struct pollfd *fds,
		     nfds_t n, wsock_fd_set *const sets[], uint64_t deadline)
{
	u_int counts[SETS] = { 0 }, i, total = 0;
	struct pollfd *pfd = fds;
	int set, ready;

	for (set = READ; set < SETS; set++) {
		if (sets[set])
			counts[set] = sets[set]->fd_count;
		for (i = 0; i < counts[set]; i++, pfd++) {
			pfd->fd = watch(sets[set]->fd_array[i]);
			if (pfd->fd < 0)
				return wsock_call_fail(call, WSAENOTSOCK);
			pfd->events = wanted[set];
			pfd->revents = 0;
		}
	}
	ready = wait_ready(call, fds, n, sets, deadline);
	if (ready < 0)
		return SOCKET_ERROR;
	/* Only now: two of the pointers may be the same set. */
	for (set = READ, pfd = fds; set < SETS; pfd += counts[set++])
		if (sets[set])
			total += keep(sets[set], pfd, counts[set]);
	return (int)total;
}

/* 0 or the error of a time-out that is none. */
static int get_deadline(const struct timeval *timeout, uint64_t *deadline)
{
	*deadline = WSOCK_NEVER;
	if (!timeout)
		return 0;
	if (timeout->tv_sec < 0 || timeout->tv_usec < 0)
		return WSAEINVAL;
	*deadline = 0;
	if (timeout->tv_sec || timeout->tv_usec)
		*deadline = wsock_now() + wsock_timeval_ns(timeout);
	return 0;
}

WSOCK_EXPORT int WSAAPI wsock_select(int nfds, wsock_fd_set *readfds,
				     wsock_fd_set *writefds,
				     wsock_fd_set *exceptfds,
				     const struct timeval *timeout)
{
	wsock_fd_set *const sets[SETS] = { readfds, writefds, exceptfds };
	struct pollfd on_stack[STACK_FDS], *fds = on_stack;
	struct wsock_call call;
	uint64_t deadline;
	int set, result;
	nfds_t n = 0;

	(void)nfds;
	if (!wsock_call_enter(&call, INVALID_SOCKET))
		return SOCKET_ERROR;
	for (set = READ; set < SETS; set++)
		n += sets[set] ? sets[set]->fd_count : 0;
	result = n ? get_deadline(timeout, &deadline) : WSAEINVAL;
	if (result)
		return wsock_error_set(result);
	if (n >= STACK_FDS) {
		fds = calloc(n + 1, sizeof(*fds));
		if (!fds)
			return wsock_error_set(WSAENOBUFS);
	}
	result = do_select(&call, fds, n, sets, deadline);
	if (fds != on_stack)
		free(fds);
	return result;
}

WSOCK_EXPORT int WSAAPI __WSAFDIsSet(SOCKET s, wsock_fd_set *set)
{
	u_int i;

	for (i = 0; i < set->fd_count; i++)
		if (set->fd_array[i] == s)
			return 1;
	return 0;
}

/* ---- WSAPoll ---- */

#define POLL_REQUESTS \
	(WSOCK_POLLRDNORM | WSOCK_POLLRDBAND | WSOCK_POLLWRNORM)

static short to_native(SHORT events)
{
	short native = 0;

	if (events & WSOCK_POLLRDNORM)
		native |= POLLIN;
	if (events & WSOCK_POLLRDBAND)
		native |= POLLPRI;
	if (events & WSOCK_POLLWRNORM)
		native |= POLLOUT;
	/* The peer's end of the stream is a hang-up, asked for or not. */
	return (short)(native | POLLRDHUP);
}

static bool has_data(int fd)
{
	int count = 0;

	return !ioctl(fd, FIONREAD, &count) && count > 0;
}

static SHORT from_native(const WSAPOLLFD *entry, int fd, short revents)
{
	unsigned int flags = wsock_fd_flags_get(fd);
	bool failed = is_failed_connect(fd, revents);
	SHORT result = 0;

	/* What wakes us when it is closed comes before it is invalid. */
	if (revents & POLLNVAL || flags & WSOCK_FD_CLOSING)
		return WSOCK_POLLNVAL;
	if (is_unconnected(fd, revents))
		return 0;
	if (revents & (POLLHUP | POLLRDHUP))
		result |= WSOCK_POLLHUP;
	if (revents & POLLERR || failed ||
	    (flags & WSOCK_FD_RESET && revents & POLLHUP))
		result |= WSOCK_POLLERR;
	/* At the end of a stream Linux calls the end itself readable. */
	if (revents & POLLIN && (!(result & WSOCK_POLLHUP) || has_data(fd)))
		result |= WSOCK_POLLRDNORM;
	if (revents & POLLPRI)
		result |= WSOCK_POLLRDBAND;
	if (revents & POLLOUT) {
		result |= WSOCK_POLLWRNORM;
		if (!failed && flags & WSOCK_FD_CONNECTING)
			wsock_fd_flags_add(fd, WSOCK_FD_CONNECTED);
	}
	return (SHORT)(result & (entry->events | WSOCK_POLLHUP | WSOCK_POLLERR));
}

/*
 * One look at the entries after poll(2): how many have something, and in
 * *@invalid how many are no sockets.
 */
static int report(LPWSAPOLLFD entries, struct pollfd *fds, ULONG n,
		  ULONG *invalid, bool *muted)
{
	int count = 0;
	ULONG i;

	*invalid = 0;
	*muted = false;
	for (i = 0; i < n; i++) {
		entries[i].revents = 0;
		if (fds[i].fd < 0) {
			entries[i].revents = WSOCK_POLLNVAL;
			++*invalid;
			continue;
		}
		if (!fds[i].revents)
			continue;
		entries[i].revents = from_native(&entries[i], fds[i].fd,
						 fds[i].revents);
		if (entries[i].revents & WSOCK_POLLNVAL)
			++*invalid;
		else if (entries[i].revents)
			count++;
		else
			*muted = true;
	}
	return count;
}

static int do_poll(const struct wsock_call *call, LPWSAPOLLFD entries,
		   struct pollfd *fds, ULONG n, uint64_t deadline)
{
	ULONG i, invalid, first_invalid = ~(ULONG)0;
	bool muted;
	int count;

	for (i = 0; i < n; i++) {
		fds[i].fd = watch(entries[i].fd);
		fds[i].events = to_native(entries[i].events);
		fds[i].revents = 0;
	}
	/* A look first: what is invalid does not end the wait for the rest. */
	if (wsock_poll_until(fds, n, 0, 0) < 0)
		return wsock_error_set(WSAENOBUFS);
	for (;;) {
		count = report(entries, fds, n, &invalid, &muted);
		if (wsock_call_cancelled(call))
			return wsock_error_set(WSAEINTR);
		if (first_invalid == ~(ULONG)0)
			first_invalid = invalid;
		if (first_invalid == n)
			return wsock_error_set(WSAENOTSOCK);
		/* Closed while we waited: that is news. */
		if (invalid > first_invalid)
			count += (int)(invalid - first_invalid);
		if (count)
			return count;
		if (deadline != WSOCK_NEVER && wsock_now() >= deadline)
			return 0;
		for (i = 0; i < n; i++)
			if (fds[i].revents)
				fds[i].fd = ~fds[i].fd;
		count = wsock_poll_alertable(fds, n, deadline, muted || invalid ?
						       MUTED_SLICE_NS : 0);
		if (count < 0)
			return wsock_error_set(poll_error());
		for (i = 0; i < n; i++)
			fds[i].fd = wsock_socket_fd_checked(entries[i].fd);
		if (wsock_poll_until(fds, n, 0, 0) < 0)
			return wsock_error_set(WSAENOBUFS);
	}
}

WSOCK_EXPORT int WSAAPI WSAPoll(LPWSAPOLLFD fdArray, ULONG fds, INT timeout)
{
	struct pollfd on_stack[STACK_FDS], *native = on_stack;
	struct wsock_call call;
	uint64_t deadline;
	int result;
	ULONG i;

	if (!wsock_call_enter(&call, INVALID_SOCKET))
		return SOCKET_ERROR;
	if (!fds)
		return wsock_error_set(WSAEINVAL);
	if (!fdArray)
		return wsock_error_set(WSAEFAULT);
	for (i = 0; i < fds; i++)
		if (fdArray[i].events & ~POLL_REQUESTS)
			return wsock_error_set(WSAEINVAL);
	deadline = timeout < 0 ? WSOCK_NEVER :
		   timeout ? wsock_deadline_ms((uint64_t)timeout) : 0;
	if (fds >= STACK_FDS) {
		native = calloc((size_t)fds + 1, sizeof(*native));
		if (!native)
			return wsock_error_set(WSAENOBUFS);
	}
	result = do_poll(&call, fdArray, native, fds, deadline);
	if (native != on_stack)
		free(native);
	return result;
}
