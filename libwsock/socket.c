// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Making, connecting and closing sockets; the gate; what is remembered of a
 * descriptor.
 */
#include "internal.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>

/* ---- What the library remembers of a descriptor ---- */

uint32_t wsock_fd_table[WSOCK_FD_TABLE_SIZE];

void wsock_fd_flags_init(int fd, unsigned int flags)
{
	if (wsock_fd_flags_kept(fd))
		__atomic_store_n(&wsock_fd_table[fd], flags,
				 __ATOMIC_RELAXED);
}

void wsock_fd_flags_add(int fd, unsigned int flags)
{
	if (wsock_fd_flags_kept(fd))
		__atomic_fetch_or(&wsock_fd_table[fd], flags,
				  __ATOMIC_RELAXED);
}

void wsock_fd_flags_remove(int fd, unsigned int flags)
{
	if (wsock_fd_flags_kept(fd))
		__atomic_fetch_and(&wsock_fd_table[fd], ~flags,
				   __ATOMIC_RELAXED);
}

/* When a descriptor was connected, in seconds of CLOCK_MONOTONIC. */
static uint32_t connect_times[WSOCK_FD_TABLE_SIZE];

void wsock_fd_note_connected_for(int fd, uint32_t seconds)
{
	if (wsock_fd_flags_kept(fd))
		__atomic_store_n(&connect_times[fd],
				 (uint32_t)(wsock_now() / WSOCK_NSEC_PER_SEC) -
				 seconds, __ATOMIC_RELAXED);
}

void wsock_fd_note_connect(int fd)
{
	wsock_fd_note_connected_for(fd, 0);
}

uint32_t wsock_fd_connect_time(int fd)
{
	if (!wsock_fd_flags_kept(fd))
		return 0;
	return (uint32_t)(wsock_now() / WSOCK_NSEC_PER_SEC) -
	       __atomic_load_n(&connect_times[fd], __ATOMIC_RELAXED);
}

/* ---- Questions to the kernel, for the paths that fail ---- */

static int get_int_option(int fd, int level, int name)
{
	socklen_t len = sizeof(int);
	int value;

	if (getsockopt(fd, level, name, &value, &len))
		return -1;
	return value;
}

int wsock_socket_type(int fd)
{
	return get_int_option(fd, SOL_SOCKET, SO_TYPE);
}

int wsock_socket_tcp_state(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len))
		return -1;
	return info.tcpi_state;
}

/* Other files can be polled too; ask only about those we have not made. */
int wsock_socket_fd_checked(SOCKET s)
{
	int fd = wsock_socket_fd(s);

	return wsock_fd_flags_get(fd) & WSOCK_FD_SOCKET ||
	       wsock_socket_type(fd) >= 0 ? fd : -1;
}

bool wsock_socket_nonblocking(int fd)
{
	int flags;

	if (wsock_fd_flags_get(fd) & WSOCK_FD_NONBLOCK)
		return true;
	flags = fcntl(fd, F_GETFL);
	return flags >= 0 && flags & O_NONBLOCK;
}

/*
 * A failed attempt leaves no trace that SO_ERROR would not take away, except
 * that no round trip was ever measured.
 */
bool wsock_socket_connect_failed(int fd)
{
	unsigned int flags = wsock_fd_flags_get(fd);
	struct tcp_info info;
	socklen_t len = sizeof(info);

	if (!(flags & WSOCK_FD_CONNECTING) || flags & WSOCK_FD_CONNECTED)
		return false;
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len))
		return false;
	return info.tcpi_state == TCP_CLOSE && info.tcpi_rtt == 0;
}

bool wsock_socket_listening(int fd)
{
	return get_int_option(fd, SOL_SOCKET, SO_ACCEPTCONN) > 0;
}

static bool has_peer(int fd)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);

	return !getpeername(fd, (struct sockaddr *)&name, &len);
}

/* The port of an Internet address, -1 for other families. */
static int port_of(const struct sockaddr *name)
{
	if (name->sa_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)name)->sin_port);
	if (name->sa_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)name)->sin6_port);
	return -1;
}

bool wsock_socket_unbound(int fd)
{
	struct sockaddr_storage name = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(name);

	return !getsockname(fd, (struct sockaddr *)&name, &len) &&
	       port_of((struct sockaddr *)&name) == 0;
}

void wsock_socket_note(int fd)
{
	unsigned int flags = WSOCK_FD_SOCKET;
	int mode = fcntl(fd, F_GETFL);

	switch (wsock_socket_type(fd)) {
	case SOCK_STREAM:
		flags |= WSOCK_FD_STREAM;
		break;
	case SOCK_DGRAM:
		flags |= WSOCK_FD_UNBOUND;
		break;
	}
	if (has_peer(fd))
		flags |= WSOCK_FD_CONNECTED;
	if (mode >= 0 && mode & O_NONBLOCK)
		flags |= WSOCK_FD_NONBLOCK;
	wsock_fd_flags_init(fd, flags);
}

static bool is_any_address(const struct sockaddr *name)
{
	if (name->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)name;

		return in->sin_addr.s_addr == htonl(INADDR_ANY);
	}
	if (name->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)name;

		return IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr);
	}
	return false;
}

/* ---- The gate, and calls that end from outside ---- */

bool wsock_lingers_used;
bool wsock_timeouts_used;

bool wsock_call_enter(struct wsock_call *call, SOCKET s)
{
	uint64_t state = wsock_state_read();

	if (!(uint32_t)state) {
		wsock_error_set(WSANOTINITIALISED);
		return false;
	}
	if (__builtin_expect(wsock_in_hook, false)) {
		wsock_error_set(WSAEINPROGRESS);
		return false;
	}
	call->fd = wsock_socket_fd(s);
	call->generation = (uint32_t)(state >> 32);
	call->flags = wsock_fd_flags_get(call->fd);
	if (call->flags & WSOCK_FD_CLOSING) {
		/* Closed, and the number in use again without our knowing. */
		wsock_fd_flags_remove(call->fd, WSOCK_FD_CLOSING);
		call->flags = 0;
	}
	call->start = __atomic_load_n(&wsock_timeouts_used, __ATOMIC_RELAXED) ?
			      wsock_now() : 0;
	return true;
}

bool wsock_call_closed(const struct wsock_call *call)
{
	return wsock_fd_flags_get(call->fd) & WSOCK_FD_CLOSING ||
	       fcntl(call->fd, F_GETFD) < 0;
}

int wsock_call_fail(const struct wsock_call *call, int error)
{
	bool closed;

	if (wsock_call_cancelled(call))
		return wsock_error_set(WSAEINTR);
	switch (error) {
	case WSAEWOULDBLOCK:
	case WSAEFAULT:
	case WSAETIMEDOUT:
		/* Not what closesocket in another thread does to a call. */
		return wsock_error_set(error);
	case WSAENOTSOCK:
		/* It was not one at the door, unless closesocket says so. */
		closed = wsock_fd_flags_get(call->fd) & WSOCK_FD_CLOSING;
		break;
	default:
		closed = wsock_call_closed(call);
	}
	if (closed)
		error = call->flags & WSOCK_FD_CONNECTED &&
			call->flags & WSOCK_FD_STREAM ? WSAECONNABORTED :
							WSAEINTR;
	return wsock_error_set(error);
}

/* When a time-out of the socket ends the call. */
static uint64_t option_deadline(struct wsock_call *call, int optname)
{
	struct timeval tv = { 0 };
	socklen_t len = sizeof(tv);

	if (getsockopt(call->fd, SOL_SOCKET, optname, &tv, &len) ||
	    (!tv.tv_sec && !tv.tv_usec))
		return WSOCK_NEVER;
	if (!call->start)
		call->start = wsock_now();
	return call->start + wsock_timeval_ns(&tv);
}

bool wsock_call_restart(struct wsock_call *call, int optname, short events)
{
	struct pollfd pfd = { .fd = call->fd, .events = events };
	uint64_t deadline;

	if (wsock_call_cancelled(call)) {
		errno = EINTR;
		return false;
	}
	deadline = option_deadline(call, optname);
	if (deadline == WSOCK_NEVER ||
	    wsock_poll_until(&pfd, 1, deadline, 0))
		return true;
	errno = EAGAIN;
	return false;
}

bool wsock_call_wait(struct wsock_call *call, int optname, short events)
{
	struct pollfd fds[2] = { { .fd = call->fd, .events = events } };
	uint64_t deadline = WSOCK_NEVER;
	int ready;

	if (wsock_socket_nonblocking(call->fd)) {
		errno = EAGAIN;
		return false;
	}
	if (optname)
		deadline = option_deadline(call, optname);
	ready = wsock_poll_alertable(fds, 1, deadline, 0);
	if (ready < 0)
		return false;
	if (ready && !wsock_call_cancelled(call))
		return true;
	errno = ready ? EINTR : EAGAIN;
	return false;
}

/* ---- socket, closesocket ---- */

int wsock_socket_adopt(int fd)
{
	struct wsock_socket_args args = { .fd = fd };
	int err;

	if (!wsock_device_ioctl(WSOCK_IOC_ADOPT, &args))
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

/* What Windows' catalog would choose for zeros. */
static void fill_defaults(int *af, int *type, int protocol)
{
	if (*af == AF_UNSPEC)
		*af = AF_INET;
	if (*type)
		return;
	switch (protocol) {
	case 0:
	case IPPROTO_TCP:
		*type = SOCK_STREAM;
		break;
	case IPPROTO_UDP:
		*type = SOCK_DGRAM;
		break;
	default:
		*type = SOCK_RAW;
	}
}

static int socket_error(int err, int type, int protocol)
{
	if (err != EINVAL)
		return wsock_error_from_errno(err);
	/* Linux has one error for every number out of range. */
	if (protocol < 0 && type > 0 && type <= SOCK_SEQPACKET)
		return WSAEPROTONOSUPPORT;
	return WSAESOCKTNOSUPPORT;
}

static SOCKET make_socket(int af, int type, int protocol)
{
	struct wsock_call call;
	int fd, on = 1;

	if (!wsock_call_enter(&call, INVALID_SOCKET))
		return INVALID_SOCKET;
	if (!af && !type && !protocol) {
		wsock_error_set(WSAEINVAL);
		return INVALID_SOCKET;
	}
	fill_defaults(&af, &type, protocol);
	fd = socket(af, type | SOCK_CLOEXEC, protocol);
	if (fd < 0) {
		wsock_error_set(socket_error(errno, type, protocol));
		return INVALID_SOCKET;
	}
	if (wsock_socket_adopt(fd) < 0) {
		wsock_error_set(wsock_error_from_errno(errno));
		return INVALID_SOCKET;
	}
	/* Windows' default; fails on raw sockets of some protocols, no matter. */
	if (af == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	wsock_fd_flags_init(fd, WSOCK_FD_SOCKET |
			    (type == SOCK_STREAM ? WSOCK_FD_STREAM :
			     type == SOCK_DGRAM ? WSOCK_FD_UNBOUND : 0));
	return (SOCKET)fd;
}

WSOCK_EXPORT SOCKET WSAAPI wsock_socket(int af, int type, int protocol)
{
	return make_socket(af, type, protocol);
}

/* @info: of a duplicate, of a protocol of the catalog, or NULL. */
static SOCKET make_socket_flags(int af, int type, int protocol,
				const WSAPROTOCOL_INFOA *info, DWORD flags)
{
	const DWORD known = WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT |
			    WSA_FLAG_MULTIPOINT_C_LEAF |
			    WSA_FLAG_MULTIPOINT_D_LEAF;
	struct wsock_call call;

	if (!wsock_call_enter(&call, INVALID_SOCKET))
		return INVALID_SOCKET;
	if (flags & WSA_FLAG_REGISTERED_IO) {
		wsock_error_set(WSAEOPNOTSUPP);
		return INVALID_SOCKET;
	}
	if (flags & ~known) {
		wsock_error_set(WSAEINVAL);
		return INVALID_SOCKET;
	}
	if (info && info->dwProviderReserved)
		return wsock_duplicate_take(&call, info->dwProviderReserved);
	if (info && af == FROM_PROTOCOL_INFO)
		af = info->iAddressFamily;
	if (info && type == FROM_PROTOCOL_INFO)
		type = info->iSocketType;
	if (info && protocol == FROM_PROTOCOL_INFO)
		protocol = info->iProtocol;
	return make_socket(af, type, protocol);
}

WSOCK_EXPORT SOCKET WSAAPI WSASocketA(int af, int type, int protocol,
				      LPWSAPROTOCOL_INFOA lpProtocolInfo,
				      GROUP g, DWORD dwFlags)
{
	(void)g;
	return make_socket_flags(af, type, protocol, lpProtocolInfo, dwFlags);
}

WSOCK_EXPORT SOCKET WSAAPI WSASocketW(int af, int type, int protocol,
				      LPWSAPROTOCOL_INFOW lpProtocolInfo,
				      GROUP g, DWORD dwFlags)
{
	(void)g;
	return make_socket_flags(af, type, protocol,
				 (LPWSAPROTOCOL_INFOA)lpProtocolInfo, dwFlags);
}

/* Has @fd data to send that close(2) would wait for? */
static bool would_linger(int fd)
{
	struct linger linger;
	socklen_t len = sizeof(linger);
	int unsent;

	return !getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &len) &&
	       linger.l_onoff && linger.l_linger &&
	       !ioctl(fd, SIOCOUTQ, &unsent) && unsent > 0;
}

WSOCK_EXPORT int WSAAPI closesocket(SOCKET s)
{
	struct wsock_socket_args args = { 0 };
	struct wsock_call call;

	if (!wsock_call_enter(&call, s))
		return SOCKET_ERROR;
	if (wsock_lingers_used && call.flags & WSOCK_FD_NONBLOCK &&
	    would_linger(call.fd))
		return wsock_error_set(WSAEWOULDBLOCK);
	args.fd = call.fd;
	/*
	 * Before: the number may be another thread's new socket afterwards, and
	 * a call that this one wakes must see why.
	 */
	wsock_events_forget_window(call.fd);
	wsock_fd_flags_init(call.fd, WSOCK_FD_CLOSING);
	if (!wsock_device_ioctl(WSOCK_IOC_CLOSE, &args))
		return 0;
	wsock_fd_flags_init(call.fd, call.flags);
	if (wsock_call_cancelled(&call))
		return wsock_error_set(WSAEINTR);
	return wsock_error_set(wsock_error_from_errno(errno));
}

/* ---- bind, listen, accept, connect, shutdown ---- */

static int name_error(int err, int namelen)
{
	/* Linux has EINVAL for a short name and for a second bind. */
	if (err == EINVAL && namelen < (int)sizeof(struct sockaddr_in))
		return WSAEFAULT;
	return wsock_error_from_errno(err);
}

/*
 * Whoever shares its address and cannot have this one meets one that is not
 * shared. Of streams that may also be a listener that does share it.
 */
static bool wants_shared(int fd)
{
	return get_int_option(fd, SOL_SOCKET, SO_TYPE) == SOCK_DGRAM &&
	       get_int_option(fd, SOL_SOCKET, SO_REUSEADDR) > 0;
}

WSOCK_EXPORT int WSAAPI wsock_bind(SOCKET s, const struct sockaddr *name,
				   int namelen)
{
	struct wsock_call call;

	if (!wsock_call_enter(&call, s))
		return SOCKET_ERROR;
	if (!name || namelen < 0)
		return wsock_error_set(WSAEFAULT);
	if (!bind(call.fd, name, (socklen_t)namelen))
		return 0;
	if (errno == EADDRINUSE && wants_shared(call.fd))
		return wsock_error_set(WSAEACCES);
	return wsock_error_set(name_error(errno, namelen));
}

WSOCK_EXPORT int WSAAPI wsock_listen(SOCKET s, int backlog)
{
	struct wsock_call call;
	int type;

	if (!wsock_call_enter(&call, s))
		return SOCKET_ERROR;
	type = wsock_socket_type(call.fd);
	if (type < 0)
		return wsock_error_set(wsock_error_from_errno(errno));
	/* Linux would give it an address. */
	if (type == SOCK_STREAM && wsock_socket_unbound(call.fd))
		return wsock_error_set(WSAEINVAL);
	/* A negative backlog is a hint of that size (SOMAXCONN_HINT). */
	if (backlog < 0)
		backlog = backlog == INT32_MIN ? INT32_MAX : -backlog;
	if (!listen(call.fd, backlog))
		return 0;
	if (errno == EINVAL && has_peer(call.fd))
		return wsock_error_set(WSAEISCONN);
	return wsock_error_set(wsock_error_from_errno(errno));
}

int wsock_addr_check_room(int fd, int len)
{
	if (len >= (int)sizeof(struct sockaddr_in6))
		return 0;
	if (len < (int)sizeof(struct sockaddr_in))
		return WSAEFAULT;
	return get_int_option(fd, SOL_SOCKET, SO_DOMAIN) == AF_INET6 ?
		       WSAEFAULT : 0;
}

/*
 * Errors of connections that died in the queue, and of the network underneath
 * them (see accept(2)): not the listener's, so the next one is taken.
 */
static bool accept_error_passes(int err)
{
	switch (err) {
	case ECONNABORTED:
	case EINTR:
	case ENETDOWN:
	case EPROTO:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case ENETUNREACH:
		return true;
	}
	return false;
}

int wsock_accept_native(const struct wsock_call *call, struct sockaddr *addr,
			socklen_t *len)
{
	return accept4(call->fd, addr, len, SOCK_CLOEXEC |
		       (call->flags & WSOCK_FD_NONBLOCK ? SOCK_NONBLOCK : 0));
}

bool wsock_accept_goes_on(const struct wsock_call *call, int err)
{
	if (err == EAGAIN && !(call->flags & WSOCK_FD_NONBLOCK) &&
	    !wsock_socket_nonblocking(call->fd))
		return true;
	return accept_error_passes(err) && !wsock_call_cancelled(call);
}

/* SO_RCVTIMEO does not limit accept on Windows; neither do signals. */
static int accept_one(struct wsock_call *call, struct sockaddr *addr,
		      socklen_t *len)
{
	int fd;

	do {
		/*
		 * There is no accept that does not wait on a socket that does.
		 * When another thread takes the connection that we saw, the
		 * wait for the next one is not alertable.
		 */
		if (wsock_waits_by_poll() &&
		    !wsock_socket_nonblocking(call->fd) &&
		    wsock_socket_listening(call->fd) &&
		    !wsock_call_wait(call, 0, POLLIN))
			return -1;
		fd = wsock_accept_native(call, addr, len);
	} while (fd < 0 && wsock_accept_goes_on(call, errno));
	return fd;
}

int wsock_accept_check_room(int fd, const struct sockaddr *addr,
			    const int *addrlen)
{
	int error = 0;

	if (addr && addrlen)
		error = wsock_addr_check_room(fd, *addrlen);
	if (error && wsock_socket_type(fd) < 0)
		error = WSAENOTSOCK;
	return error;
}

SOCKET wsock_accept_finish(const struct wsock_call *call, int fd)
{
	int error;

	if (fd >= 0)
		fd = wsock_socket_adopt(fd);
	error = errno;
	wsock_events_enable(call->fd, FD_ACCEPT);
	if (fd < 0) {
		wsock_call_fail(call, wsock_error_from_errno(error));
		return INVALID_SOCKET;
	}
	wsock_fd_flags_init(fd, WSOCK_FD_SOCKET | WSOCK_FD_STREAM |
				WSOCK_FD_CONNECTED | WSOCK_FD_ACCEPTED |
				(call->flags & WSOCK_FD_NONBLOCK));
	wsock_fd_note_connect(fd);
	if (call->flags & WSOCK_FD_SELECTED)
		wsock_events_inherit(fd, call->fd);
	return (SOCKET)fd;
}

WSOCK_EXPORT SOCKET WSAAPI wsock_accept(SOCKET s, struct sockaddr *addr,
					int *addrlen)
{
	struct wsock_call call;
	socklen_t len = 0;
	SOCKET accepted;
	int error;

	if (!wsock_call_enter(&call, s))
		return INVALID_SOCKET;
	error = wsock_accept_check_room(call.fd, addr, addrlen);
	if (error) {
		wsock_error_set(error);
		return INVALID_SOCKET;
	}
	if (!addrlen)
		addr = NULL;
	if (addr)
		len = (socklen_t)*addrlen;
	accepted = wsock_accept_finish(&call, accept_one(&call, addr,
							 addr ? &len : NULL));
	if (addr && accepted != INVALID_SOCKET)
		*addrlen = (int)len;
	return accepted;
}

/*
 * Nothing else can be done with a stream socket that connects, so for a moment
 * it may be non-blocking.
 */
static int connect_nonblocking(int fd, const struct sockaddr *name,
			       socklen_t namelen)
{
	int flags = fcntl(fd, F_GETFL), result, err;

	if (flags < 0 || flags & O_NONBLOCK)
		return connect(fd, name, namelen);
	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	result = connect(fd, name, namelen);
	err = errno;
	fcntl(fd, F_SETFL, flags);
	errno = err;
	return result;
}

int wsock_connect_begin(int fd, const struct sockaddr *name, socklen_t namelen)
{
	int result;

	wsock_fd_note_connect(fd);
	result = connect_nonblocking(fd, name, namelen);
	/* The failure of an earlier attempt, which Linux reports once. */
	if (result && errno == ECONNABORTED)
		result = connect_nonblocking(fd, name, namelen);
	return result;
}

/* connect(2) that runs APCs while it waits. */
static int connect_alertable(struct wsock_call *call,
			     const struct sockaddr *name, socklen_t namelen)
{
	int result;

	if (wsock_socket_nonblocking(call->fd))
		return connect(call->fd, name, namelen);
	result = connect_nonblocking(call->fd, name, namelen);
	if (!result || (errno != EINPROGRESS && errno != EALREADY))
		return result;
	if (!wsock_call_wait(call, SO_SNDTIMEO, POLLOUT)) {
		/* What connect(2) has when SO_SNDTIMEO has passed. */
		if (errno == EAGAIN)
			errno = EINPROGRESS;
		return -1;
	}
	/* It is over: how? */
	return connect(call->fd, name, namelen);
}

static int connect_once(struct wsock_call *call, const struct sockaddr *name,
			socklen_t namelen)
{
	if (wsock_waits_by_poll() && call->flags & WSOCK_FD_STREAM)
		return connect_alertable(call, name, namelen);
	return connect(call->fd, name, namelen);
}

/*
 * A signal does not end the attempt, and connecting again waits for it; Linux
 * reports the failure of an earlier attempt once, as ECONNABORTED, before it
 * begins a new one.
 */
static int connect_restarted(struct wsock_call *call,
			     const struct sockaddr *name, socklen_t namelen)
{
	bool failed_before = false;

	for (;;) {
		if (!connect_once(call, name, namelen))
			return 0;
		if (wsock_call_cancelled(call))
			return -1;
		if (errno == EINTR)
			continue;
		if (errno != ECONNABORTED || failed_before)
			return -1;
		failed_before = true;
	}
}

int wsock_connect_error(int fd, int err, const struct sockaddr *name,
			int namelen)
{
	switch (err) {
	case EINPROGRESS:
		/* On a blocking socket: SO_SNDTIMEO has passed. */
		return wsock_socket_nonblocking(fd) ? WSAEWOULDBLOCK :
						      WSAETIMEDOUT;
	case EISCONN:
		return wsock_socket_listening(fd) ? WSAEINVAL : WSAEISCONN;
	case EAGAIN:
		/* Internet: no local port is left. */
		return name->sa_family == AF_INET ||
		       name->sa_family == AF_INET6 ? WSAEADDRNOTAVAIL :
						     WSAEWOULDBLOCK;
	}
	return name_error(err, namelen);
}

int wsock_connect_check(int fd, const struct sockaddr *name, int namelen)
{
	if (!name || namelen < (int)sizeof(sa_family_t))
		return WSAEFAULT;
	/* Linux would connect to itself. */
	if (namelen >= (int)sizeof(struct sockaddr_in) &&
	    (port_of(name) == 0 || is_any_address(name)) &&
	    wsock_socket_type(fd) == SOCK_STREAM)
		return WSAEADDRNOTAVAIL;
	return 0;
}

/*
 * Linux reports the failure of an earlier, non-blocking attempt once more instead
 * of beginning anew.
 */
static int connect_anew(struct wsock_call *call, const struct sockaddr *name,
			socklen_t namelen)
{
	int result = connect_restarted(call, name, namelen);

	if (!result || !(call->flags & WSOCK_FD_NONBLOCK) ||
	    !(call->flags & WSOCK_FD_CONNECTING) || errno == EINPROGRESS ||
	    errno == EALREADY || errno == EISCONN)
		return result;
	return connect_restarted(call, name, namelen);
}

WSOCK_EXPORT int WSAAPI wsock_connect(SOCKET s, const struct sockaddr *name,
				      int namelen)
{
	struct wsock_call call;
	int err;

	if (!wsock_call_enter(&call, s))
		return SOCKET_ERROR;
	err = wsock_connect_check(call.fd, name, namelen);
	if (!err && call.flags & WSOCK_FD_ACCEPT_EX &&
	    wsock_extension_accepting(call.fd))
		err = WSAEINVAL;
	/* An attempt of ConnectEx goes on. */
	if (!err && call.flags & WSOCK_FD_CONNECT_EX &&
	    wsock_socket_tcp_state(call.fd) == TCP_SYN_SENT)
		err = WSAEINVAL;
	if (err)
		return wsock_error_set(err);

	wsock_fd_note_connect(call.fd);
	wsock_fd_flags_remove(call.fd, WSOCK_FD_ERROR_MASK);
	if (!connect_anew(&call, name, (socklen_t)namelen)) {
		wsock_fd_flags_remove(call.fd, WSOCK_FD_CONNECTING |
					       WSOCK_FD_CONNECT_EX |
					       WSOCK_FD_CONNECTED |
					       WSOCK_FD_RESET);
		if (name->sa_family == AF_UNSPEC)
			return 0;
		wsock_fd_flags_add(call.fd, WSOCK_FD_CONNECTED);
		/*
		 * Linux tells once more that an earlier, non-blocking connect
		 * has succeeded; a new one would be in progress now.
		 */
		if (call.flags & WSOCK_FD_STREAM &&
		    call.flags & WSOCK_FD_NONBLOCK &&
		    call.flags & (WSOCK_FD_CONNECTING | WSOCK_FD_CONNECTED))
			return wsock_error_set(WSAEISCONN);
		return 0;
	}
	err = errno;
	if (err != EALREADY && err != EISCONN && err != EBADF &&
	    err != ENOTSOCK)
		wsock_fd_flags_add(call.fd, WSOCK_FD_CONNECTING);
	if (err == EINPROGRESS) {
		wsock_fd_flags_remove(call.fd, WSOCK_FD_CONNECT_EX);
		wsock_events_enable(call.fd, FD_CONNECT);
	}
	return wsock_call_fail(&call,
			       wsock_connect_error(call.fd, err, name, namelen));
}

/*
 * SD_RECEIVE stays within the library: Linux would wake receives that wait,
 * which on Windows go on and may still get data.
 */
static int shut_down(int fd, int how)
{
	int type = wsock_socket_type(fd);
	bool kept = wsock_fd_flags_kept(fd);
	unsigned int done = 0;

	if (type < 0)
		return wsock_error_set(wsock_error_from_errno(errno));
	if (how < SD_RECEIVE || how > SD_BOTH)
		return wsock_error_set(WSAEINVAL);
	if (how != SD_SEND)
		done |= WSOCK_FD_SHUT_RECV;
	if (how != SD_RECEIVE)
		done |= WSOCK_FD_SHUT_SEND;
	/* Linux would end a listener, and mark a socket without a peer. */
	if (type == SOCK_STREAM && !has_peer(fd) &&
	    (wsock_fd_flags_get(fd) & done) != done)
		return wsock_error_set(WSAENOTCONN);
	if (how != SD_RECEIVE || !kept) {
		if (shutdown(fd, kept ? SHUT_WR : how) && errno != ENOTCONN)
			return wsock_error_set(wsock_error_from_errno(errno));
	}
	wsock_fd_flags_add(fd, done);
	return 0;
}

WSOCK_EXPORT int WSAAPI wsock_shutdown(SOCKET s, int how)
{
	struct wsock_call call;

	if (!wsock_call_enter(&call, s))
		return SOCKET_ERROR;
	return shut_down(call.fd, how);
}

/* No protocol here carries data with the end of a connection. */
static int disconnect(SOCKET s, const WSABUF *data, int how)
{
	struct wsock_call call;

	if (!wsock_call_enter(&call, s))
		return SOCKET_ERROR;
	if (!data)
		return shut_down(call.fd, how);
	return wsock_error_set(wsock_socket_type(call.fd) < 0 ?
			       wsock_error_from_errno(errno) : WSAENOPROTOOPT);
}

WSOCK_EXPORT int WSAAPI WSARecvDisconnect(SOCKET s,
					  LPWSABUF lpInboundDisconnectData)
{
	return disconnect(s, lpInboundDisconnectData, SD_RECEIVE);
}

WSOCK_EXPORT int WSAAPI WSASendDisconnect(SOCKET s,
					  LPWSABUF lpOutboundDisconnectData)
{
	return disconnect(s, lpOutboundDisconnectData, SD_SEND);
}

/* ---- Names ---- */

static int get_name(int (*get)(int, struct sockaddr *, socklen_t *), int fd,
		    struct sockaddr *name, int *namelen, bool local)
{
	struct sockaddr_storage room;
	socklen_t len = sizeof(room);

	if (!name || !namelen)
		return wsock_error_set(WSAEFAULT);
	if (get(fd, (struct sockaddr *)&room, &len))
		return wsock_error_set(wsock_error_from_errno(errno));
	if (local && port_of((struct sockaddr *)&room) == 0)
		return wsock_error_set(WSAEINVAL);
	if (*namelen < 0 || (socklen_t)*namelen < len)
		return wsock_error_set(WSAEFAULT);
	memcpy(name, &room, len);
	*namelen = (int)len;
	return 0;
}

WSOCK_EXPORT int WSAAPI wsock_getsockname(SOCKET s, struct sockaddr *name,
					  int *namelen)
{
	struct wsock_call call;

	if (!wsock_call_enter(&call, s))
		return SOCKET_ERROR;
	return get_name(getsockname, call.fd, name, namelen, true);
}

WSOCK_EXPORT int WSAAPI wsock_getpeername(SOCKET s, struct sockaddr *name,
					  int *namelen)
{
	struct wsock_call call;

	if (!wsock_call_enter(&call, s))
		return SOCKET_ERROR;
	return get_name(getpeername, call.fd, name, namelen, false);
}
