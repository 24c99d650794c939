// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * getsockopt, setsockopt and ioctlsocket. Levels and options have Linux's
 * numbers; those listed here have another shape or meaning in Winsock, all
 * others go to the kernel as they are.
 */
#include "internal.h"

#include <limits.h>
#include <mswsock.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

/* SO_OPENTYPE, of the thread; kept and returned, without effect. */
static __thread int open_type;

/* 0, or SOCKET_ERROR with the error of the errno. */
static int from_native(int result, int level)
{
	if (!result)
		return 0;
	/* For an unknown level getsockopt may also say EOPNOTSUPP. */
	if (errno != ENOPROTOOPT && errno != EOPNOTSUPP)
		return wsock_error_set(wsock_error_from_errno(errno));
	/* Linux does not tell an unknown level from an unknown option. */
	switch (level) {
	case SOL_SOCKET:
	case IPPROTO_IP:
	case IPPROTO_IPV6:
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_ICMPV6:
	case IPPROTO_RAW:
		return wsock_error_set(WSAENOPROTOOPT);
	}
	return wsock_error_set(WSAEINVAL);
}

static int get_native_int(int fd, int name, int *value)
{
	socklen_t len = sizeof(*value);

	return from_native(getsockopt(fd, SOL_SOCKET, name, value, &len),
			   SOL_SOCKET);
}

static int set_native_int(int fd, int name, int value)
{
	return from_native(setsockopt(fd, SOL_SOCKET, name, &value,
				      sizeof(value)), SOL_SOCKET);
}

/* Copies @value out; Winsock fails where Linux would cut it off. */
static int put(const void *value, int size, char *optval, int *optlen)
{
	if (*optlen < size)
		return wsock_error_set(WSAEFAULT);
	memcpy(optval, value, (size_t)size);
	*optlen = size;
	return 0;
}

static int put_int(int value, char *optval, int *optlen)
{
	return put(&value, sizeof(value), optval, optlen);
}

static int take_int(const char *optval, int optlen, int *value)
{
	if (optlen < (int)sizeof(*value))
		return wsock_error_set(WSAEFAULT);
	memcpy(value, optval, sizeof(*value));
	return 0;
}

/* ---- SO_RCVTIMEO, SO_SNDTIMEO: DWORD milliseconds, 0 for none ---- */

static int get_timeout(int fd, int name, char *optval, int *optlen)
{
	struct timeval tv;
	socklen_t len = sizeof(tv);
	uint64_t ms;

	if (getsockopt(fd, SOL_SOCKET, name, &tv, &len))
		return from_native(-1, SOL_SOCKET);
	/* Linux rounds to clock ticks; do not make "none" of a short one. */
	ms = (uint64_t)tv.tv_sec * 1000 + ((uint64_t)tv.tv_usec + 999) / 1000;
	return put_int((int)(ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms),
		       optval, optlen);
}

static int set_timeout(int fd, int name, const char *optval, int optlen)
{
	struct timeval tv = { 0 };
	uint32_t ms;
	int value = 0;

	if (take_int(optval, optlen, &value))
		return SOCKET_ERROR;
	ms = (uint32_t)value;
	/* INFINITE is none too. */
	if (ms && ms != INFINITE) {
		tv.tv_sec = ms / 1000;
		tv.tv_usec = (suseconds_t)(ms % 1000) * 1000;
		__atomic_store_n(&wsock_timeouts_used, true, __ATOMIC_RELAXED);
	}
	return from_native(setsockopt(fd, SOL_SOCKET, name, &tv, sizeof(tv)),
			   SOL_SOCKET);
}

/* ---- SO_LINGER, SO_DONTLINGER ---- */

static int get_linger(int fd, struct linger *native)
{
	socklen_t len = sizeof(*native);

	return from_native(getsockopt(fd, SOL_SOCKET, SO_LINGER, native, &len),
			   SOL_SOCKET);
}

static int put_linger(int fd, char *optval, int *optlen)
{
	struct wsock_linger value;
	struct linger native;

	if (get_linger(fd, &native))
		return SOCKET_ERROR;
	value.l_onoff = native.l_onoff != 0;
	value.l_linger = (u_short)(native.l_linger > USHRT_MAX ?
				   USHRT_MAX : native.l_linger);
	return put(&value, sizeof(value), optval, optlen);
}

static int set_linger(int fd, const char *optval, int optlen)
{
	struct wsock_linger value;
	struct linger native;

	if (optlen < (int)sizeof(value))
		return wsock_error_set(WSAEFAULT);
	memcpy(&value, optval, sizeof(value));
	native.l_onoff = value.l_onoff;
	native.l_linger = value.l_linger;
	if (value.l_onoff)
		__atomic_store_n(&wsock_lingers_used, true, __ATOMIC_RELAXED);
	return from_native(setsockopt(fd, SOL_SOCKET, SO_LINGER, &native,
				      sizeof(native)), SOL_SOCKET);
}

static int put_dont_linger(int fd, char *optval, int *optlen)
{
	struct linger native;

	if (get_linger(fd, &native))
		return SOCKET_ERROR;
	return put_int(!native.l_onoff, optval, optlen);
}

/* Turning it off makes close linger for whatever time is set. */
static int set_dont_linger(int fd, int value)
{
	struct linger native;

	if (get_linger(fd, &native))
		return SOCKET_ERROR;
	native.l_onoff = !value;
	if (!value)
		__atomic_store_n(&wsock_lingers_used, true, __ATOMIC_RELAXED);
	return from_native(setsockopt(fd, SOL_SOCKET, SO_LINGER, &native,
				      sizeof(native)), SOL_SOCKET);
}

/* ---- Others ---- */

/* A reset is no error of the socket on Windows; receives keep reporting it. */
static int put_error(int fd, char *optval, int *optlen)
{
	unsigned int flags = wsock_fd_flags_get(fd);
	int err, error = 0;

	if (*optlen < (int)sizeof(error))
		return wsock_error_set(WSAEFAULT);
	if (get_native_int(fd, SO_ERROR, &err))
		return SOCKET_ERROR;
	if (err == ECONNRESET || err == EPIPE) {
		wsock_fd_note_reset(fd);
	} else if (err) {
		error = wsock_error_from_errno(err);
		if (flags & WSOCK_FD_CONNECTING)
			wsock_fd_flags_add(fd, (unsigned int)(error - WSABASEERR)
						       << WSOCK_FD_ERROR_SHIFT);
	} else if (flags & WSOCK_FD_ERROR_MASK) {
		error = WSABASEERR + (int)((flags & WSOCK_FD_ERROR_MASK) >>
					   WSOCK_FD_ERROR_SHIFT);
	}
	return put_int(error, optval, optlen);
}

static int put_max_msg_size(int fd, char *optval, int *optlen)
{
	int type = wsock_socket_type(fd);

	if (type < 0)
		return from_native(-1, SOL_SOCKET);
	if (type == SOCK_STREAM)
		return wsock_error_set(WSAENOPROTOOPT);
	return put_int(65507, optval, optlen);
}

/* Linux doubles what is set, for its own use, and tells the double. */
static int put_buffer_size(int fd, int name, char *optval, int *optlen)
{
	int value;

	if (get_native_int(fd, name, &value))
		return SOCKET_ERROR;
	return put_int(value / 2, optval, optlen);
}

/* Without SO_REUSEADDR a Linux socket does have its address for itself. */
static int set_exclusive(int fd, int value)
{
	int reuse;

	if (get_native_int(fd, SO_REUSEADDR, &reuse))
		return SOCKET_ERROR;
	if (value && reuse)
		return wsock_error_set(WSAEINVAL);
	if (value)
		wsock_fd_flags_add(fd, WSOCK_FD_EXCLUSIVE);
	else
		wsock_fd_flags_remove(fd, WSOCK_FD_EXCLUSIVE);
	return 0;
}

static int set_reuse(int fd, int value)
{
	if (value && wsock_fd_flags_get(fd) & WSOCK_FD_EXCLUSIVE)
		return wsock_error_set(WSAEINVAL);
	return set_native_int(fd, SO_REUSEADDR, value != 0);
}

static int put_connect_time(int fd, char *optval, int *optlen)
{
	switch (wsock_socket_tcp_state(fd)) {
	case -1:
		return from_native(-1, SOL_SOCKET);
	case TCP_CLOSE:
	case TCP_LISTEN:
	case TCP_SYN_SENT:
	case TCP_SYN_RECV:
		return put_int(-1, optval, optlen);
	}
	/* Before SO_UPDATE_ACCEPT_CONTEXT only the kernel knows. */
	if (wsock_fd_flags_get(fd) & WSOCK_FD_ACCEPT_EX)
		return put_int(wsock_extension_accepted_for(fd), optval, optlen);
	return put_int((int)wsock_fd_connect_time(fd), optval, optlen);
}

static int put_protocol_info(int fd, bool wide, char *optval, int *optlen)
{
	union {
		WSAPROTOCOL_INFOA a;
		WSAPROTOCOL_INFOW w;
	} info;

	if (wsock_socket_type(fd) < 0)
		return from_native(-1, SOL_SOCKET);
	wsock_duplicate_describe(fd, 0, &info.a, wide);
	return put(&info, wide ? sizeof(info.w) : sizeof(info.a), optval,
		   optlen);
}

/* Puts an address at @at, if the socket has one. */
static void put_end(int (*get)(int, struct sockaddr *, socklen_t *), int fd,
		    struct sockaddr *at, size_t size, LPSOCKET_ADDRESS end)
{
	socklen_t len = (socklen_t)size;

	if (get(fd, at, &len))
		return;
	end->lpSockaddr = at;
	end->iSockaddrLength = (INT)len;
}

/* A CSADDR_INFO, and behind it the addresses. */
static int put_bsp_state(int fd, char *optval, int *optlen)
{
	int family, type, protocol;
	CSADDR_INFO info = { 0 };
	size_t len;

	if (get_native_int(fd, SO_DOMAIN, &family) ||
	    get_native_int(fd, SO_TYPE, &type) ||
	    get_native_int(fd, SO_PROTOCOL, &protocol))
		return SOCKET_ERROR;
	len = family == AF_INET6 ? sizeof(struct sockaddr_in6) :
				   sizeof(struct sockaddr_in);
	if (*optlen < (int)(sizeof(info) + 2 * len))
		return wsock_error_set(WSAEFAULT);
	info.iSocketType = type;
	info.iProtocol = protocol;
	optval += sizeof(info);
	if (!wsock_socket_unbound(fd))
		put_end(getsockname, fd, (void *)optval, len, &info.LocalAddr);
	put_end(getpeername, fd, (void *)(optval + len), len, &info.RemoteAddr);
	memcpy(optval - sizeof(info), &info, sizeof(info));
	*optlen = (int)(sizeof(info) + 2 * len);
	return 0;
}

static int get_socket_option(int fd, int name, char *optval, int *optlen)
{
	int value;

	switch (name) {
	case SO_RCVTIMEO:
	case SO_SNDTIMEO:
		return get_timeout(fd, name, optval, optlen);
	case SO_LINGER:
		return put_linger(fd, optval, optlen);
	case SO_DONTLINGER:
		return put_dont_linger(fd, optval, optlen);
	case SO_ERROR:
		return put_error(fd, optval, optlen);
	case SO_MAX_MSG_SIZE:
		return put_max_msg_size(fd, optval, optlen);
	case SO_RCVBUF:
	case SO_SNDBUF:
		return put_buffer_size(fd, name, optval, optlen);
	case SO_CONNECT_TIME:
		return put_connect_time(fd, optval, optlen);
	case SO_PROTOCOL_INFOA:
	case SO_PROTOCOL_INFOW:
		return put_protocol_info(fd, name == SO_PROTOCOL_INFOW, optval,
					 optlen);
	case SO_BSP_STATE:
		return put_bsp_state(fd, optval, optlen);
	case SO_EXCLUSIVEADDRUSE:
		value = wsock_fd_flags_get(fd) & WSOCK_FD_EXCLUSIVE ? 1 : 0;
		return wsock_socket_type(fd) < 0 ?
			       from_native(-1, SOL_SOCKET) :
			       put_int(value, optval, optlen);
	case SO_ACCEPTCONN:
	case SO_BROADCAST:
	case SO_DEBUG:
	case SO_DONTROUTE:
	case SO_KEEPALIVE:
	case SO_OOBINLINE:
	case SO_RCVLOWAT:
	case SO_REUSEADDR:
	case SO_SNDLOWAT:
	case SO_TYPE:
		if (get_native_int(fd, name, &value))
			return SOCKET_ERROR;
		return put_int(value, optval, optlen);
	}
	return from_native(getsockopt(fd, SOL_SOCKET, name, optval,
				      (socklen_t *)optlen), SOL_SOCKET);
}

static int set_socket_option(int fd, int name, const char *optval, int optlen)
{
	int value = 0;

	switch (name) {
	case SO_RCVTIMEO:
	case SO_SNDTIMEO:
		return set_timeout(fd, name, optval, optlen);
	case SO_LINGER:
		return set_linger(fd, optval, optlen);
	case SO_DONTLINGER:
	case SO_EXCLUSIVEADDRUSE:
	case SO_REUSEADDR:
		if (take_int(optval, optlen, &value))
			return SOCKET_ERROR;
		return name == SO_DONTLINGER ? set_dont_linger(fd, value) :
		       name == SO_REUSEADDR ? set_reuse(fd, value) :
					      set_exclusive(fd, value);
	case SO_BROADCAST:
	case SO_DEBUG:
	case SO_DONTROUTE:
	case SO_KEEPALIVE:
	case SO_OOBINLINE:
	case SO_RCVBUF:
	case SO_SNDBUF:
		if (take_int(optval, optlen, &value))
			return SOCKET_ERROR;
		return set_native_int(fd, name, value);
	}
	return from_native(setsockopt(fd, SOL_SOCKET, name, optval,
				      (socklen_t)optlen), SOL_SOCKET);
}

WSOCK_EXPORT int WSAAPI wsock_getsockopt(SOCKET s, int level, int optname,
					 char *optval, int *optlen)
{
	struct wsock_call call;

	if (!wsock_call_enter(&call, s))
		return SOCKET_ERROR;
	if (!optval || !optlen || *optlen <= 0)
		return wsock_error_set(WSAEFAULT);
	if (level != SOL_SOCKET)
		return from_native(wsock_options_ip_get(call.fd, level, optname,
							optval, optlen),
				   level);
	if (optname == SO_OPENTYPE)
		return put_int(open_type, optval, optlen);
	return get_socket_option(call.fd, optname, optval, optlen);
}

WSOCK_EXPORT int WSAAPI wsock_setsockopt(SOCKET s, int level, int optname,
					 const char *optval, int optlen)
{
	struct wsock_call call;
	int value;

	if (!wsock_call_enter(&call, s))
		return SOCKET_ERROR;
	/* Without a value. */
	if (level == SOL_SOCKET && optname == SO_UPDATE_CONNECT_CONTEXT) {
		value = wsock_extension_update_connect(call.fd);
		return value ? wsock_error_set(value) : 0;
	}
	if (!optval || optlen < 0)
		return wsock_error_set(WSAEFAULT);
	if (level == SOL_SOCKET && optname == SO_UPDATE_ACCEPT_CONTEXT) {
		value = wsock_extension_update_accept(call.fd, optval, optlen);
		return value ? wsock_error_set(value) : 0;
	}
	if (level == SOL_SOCKET && optname == SO_OPENTYPE)
		return take_int(optval, optlen, &open_type);
	if (level == SOL_SOCKET)
		return set_socket_option(call.fd, optname, optval, optlen);
	return from_native(wsock_options_ip_set(call.fd, level, optname, optval,
						optlen), level);
}

/* ---- ioctlsocket ---- */

static int set_nonblocking(int fd, bool on)
{
	int value = on;

	if (!on && wsock_fd_flags_get(fd) & WSOCK_FD_SELECTED)
		return wsock_error_set(WSAEINVAL);
	if (ioctl(fd, FIONBIO, &value))
		return wsock_error_set(wsock_error_from_errno(errno));
	if (on)
		wsock_fd_flags_add(fd, WSOCK_FD_NONBLOCK);
	else
		wsock_fd_flags_remove(fd, WSOCK_FD_NONBLOCK);
	return 0;
}

static int get_count(int fd, unsigned long request, wsock_u_long *count)
{
	int value = 0;

	if (ioctl(fd, request, &value))
		return wsock_error_set(wsock_error_from_errno(errno));
	*count = (wsock_u_long)value;
	return 0;
}

/*
 * The commands by either number: <sys/ioctl.h> may have taken the names back
 * after winsock2.h.
 */
WSOCK_EXPORT int WSAAPI ioctlsocket(SOCKET s, LONG cmd, wsock_u_long *argp)
{
	struct wsock_call call;

	if (!wsock_call_enter(&call, s))
		return SOCKET_ERROR;
	/* Other files know FIONBIO as well. */
	if (wsock_socket_type(call.fd) < 0)
		return wsock_error_set(wsock_error_from_errno(errno));
	if (!argp)
		return wsock_error_set(WSAEFAULT);
	switch (cmd) {
	case WSOCK_FIONBIO:
	case FIONBIO:
		return set_nonblocking(call.fd, *argp != 0);
	case WSOCK_FIONREAD:
	case FIONREAD:
		return get_count(call.fd, FIONREAD, argp);
	case WSOCK_SIOCATMARK:
	case SIOCATMARK:
		return get_count(call.fd, SIOCATMARK, argp);
	}
	return wsock_error_set(WSAEOPNOTSUPP);
}
