// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Calls that do more than the BSD function they are named after: WSAAccept,
 * WSAConnect, WSAJoinLeaf.
 */
#include "internal.h"

#include <netinet/in.h>

__thread unsigned int wsock_callbacks;

/* ---- WSAAccept ---- */

struct decision {
	LPCONDITIONPROC ask;
	DWORD_PTR arg;
};

/* A connection, and the two ends of it. */
struct offer {
	uint64_t cookie;
	struct sockaddr_in6 local;
	struct sockaddr_in6 remote;
};

_Static_assert(sizeof(struct sockaddr_in6) ==
	       sizeof(((struct wsock_peek *)NULL)->local), "an address fits");

static void name_buffer(WSABUF *buf, struct sockaddr_in6 *name)
{
	buf->buf = (char *)name;
	buf->len = name->sin6_family == AF_INET6 ? sizeof(*name) :
						   sizeof(struct sockaddr_in);
}

static int decide(const struct decision *d, struct offer *offer)
{
	WSABUF caller, callee, from_caller = { 0 }, from_callee = { 0 };
	GROUP group = 0;
	int answer;

	name_buffer(&caller, &offer->remote);
	name_buffer(&callee, &offer->local);
	wsock_callbacks++;
	answer = d->ask(&caller, &from_caller, NULL, NULL, &callee,
			&from_callee, &group, d->arg);
	wsock_callbacks--;
	return answer;
}

/* As for accept(2): 0, or -1 with errno. */
static int peek(const struct wsock_call *call, struct offer *offer)
{
	struct wsock_peek args = { .fd = call->fd };

	if (wsock_device_ioctl(WSOCK_IOC_PEEK, &args))
		return -1;
	offer->cookie = args.cookie;
	memcpy(&offer->local, args.local, sizeof(offer->local));
	memcpy(&offer->remote, args.remote, sizeof(offer->remote));
	return 0;
}

/* The next connection, waited for; -1 with errno. */
static int next_offer(struct wsock_call *call, struct offer *offer)
{
	while (peek(call, offer))
		if (errno != EAGAIN || !wsock_call_wait(call, 0, POLLIN))
			return -1;
	return 0;
}

/*
 * Another thread's accept may take the connection that was decided about, so that
 * ours takes the one behind it. That can only be decided about now.
 */
static bool is_other(int fd, struct offer *offer)
{
	socklen_t len = sizeof(offer->local);
	uint64_t cookie = offer->cookie;
	socklen_t size = sizeof(cookie);

	getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size);
	if (cookie == offer->cookie)
		return false;
	offer->cookie = cookie;
	getsockname(fd, (struct sockaddr *)&offer->local, &len);
	return true;
}

static void reset(int fd)
{
	struct linger linger = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}

/* Takes @offer, or what comes in its place; -1 with errno. */
static int take(struct wsock_call *call, struct offer *offer,
		const struct decision *d, int *answer)
{
	socklen_t len = sizeof(offer->remote);
	int fd = wsock_accept_native(call, (struct sockaddr *)&offer->remote,
				     &len);

	if (fd < 0)
		return -1;
	if (is_other(fd, offer)) {
		*answer = decide(d, offer);
		/* It cannot be put back. */
		if (*answer == CF_DEFER)
			*answer = CF_REJECT;
	}
	if (*answer == CF_REJECT)
		reset(fd);
	return fd;
}

static SOCKET refuse(const struct wsock_call *call, int error)
{
	wsock_events_enable(call->fd, FD_ACCEPT);
	wsock_call_fail(call, error);
	return INVALID_SOCKET;
}

static SOCKET accept_if(struct wsock_call *call, const struct decision *d,
			struct offer *offer)
{
	int fd, answer;

	do {
		if (next_offer(call, offer))
			return refuse(call, wsock_error_from_errno(errno));
		answer = decide(d, offer);
		if (answer == CF_DEFER)
			return refuse(call, WSATRY_AGAIN);
		if (answer != CF_ACCEPT && answer != CF_REJECT)
			return refuse(call, WSAEINVAL);
		fd = take(call, offer, d, &answer);
	} while (fd < 0 && wsock_accept_goes_on(call, errno));
	if (fd >= 0 && answer == CF_REJECT)
		return refuse(call, WSAECONNREFUSED);
	return wsock_accept_finish(call, fd);
}

WSOCK_EXPORT SOCKET WSAAPI WSAAccept(SOCKET s, struct sockaddr *addr,
				     LPINT addrlen,
				     LPCONDITIONPROC lpfnCondition,
				     DWORD_PTR dwCallbackData)
{
	const struct decision d = { lpfnCondition, dwCallbackData };
	struct wsock_call call;
	struct offer offer = { 0 };
	SOCKET accepted;
	WSABUF name;
	int error;

	if (!lpfnCondition)
		return wsock_accept(s, addr, addrlen);
	if (!wsock_call_enter(&call, s))
		return INVALID_SOCKET;
	error = wsock_accept_check_room(call.fd, addr, addrlen);
	if (error) {
		wsock_error_set(error);
		return INVALID_SOCKET;
	}
	accepted = accept_if(&call, &d, &offer);
	if (accepted == INVALID_SOCKET || !addr || !addrlen)
		return accepted;
	name_buffer(&name, &offer.remote);
	memcpy(addr, name.buf, name.len);
	*addrlen = (int)name.len;
	return accepted;
}

/* ---- WSAConnect, WSAJoinLeaf ---- */

WSOCK_EXPORT int WSAAPI WSAConnect(SOCKET s, const struct sockaddr *name,
				   int namelen, LPWSABUF lpCallerData,
				   LPWSABUF lpCalleeData, LPQOS lpSQOS,
				   LPQOS lpGQOS)
{
	struct wsock_call call;

	(void)lpSQOS;
	(void)lpGQOS;
	if (!wsock_call_enter(&call, s))
		return SOCKET_ERROR;
	if (lpCallerData && lpCallerData->len)
		return wsock_error_set(WSAEPROTONOSUPPORT);
	if (lpCalleeData)
		lpCalleeData->len = 0;
	return wsock_connect(s, name, namelen);
}

/* 0 or the error. Who only sends need not be a member. */
static int join_group(int fd, const struct sockaddr *name, int namelen,
		      bool receives)
{
	const struct sockaddr_in *in = (const void *)name;
	const struct sockaddr_in6 *in6 = (const void *)name;
	struct ip_mreqn group4 = { 0 };
	struct ipv6_mreq group6 = { 0 };
	int failed = 0;

	if (name->sa_family == AF_INET6 && namelen >= (int)sizeof(*in6)) {
		if (!IN6_IS_ADDR_MULTICAST(&in6->sin6_addr))
			return WSAEADDRNOTAVAIL;
		group6.ipv6mr_multiaddr = in6->sin6_addr;
		group6.ipv6mr_interface = in6->sin6_scope_id;
		if (receives)
			failed = setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP,
					    &group6, sizeof(group6));
	} else if (name->sa_family == AF_INET && namelen >= (int)sizeof(*in)) {
		if (!IN_MULTICAST(ntohl(in->sin_addr.s_addr)))
			return WSAEADDRNOTAVAIL;
		group4.imr_multiaddr = in->sin_addr;
		if (receives)
			failed = setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP,
					    &group4, sizeof(group4));
	} else {
		return WSAEAFNOSUPPORT;
	}
	return failed ? wsock_error_from_errno(errno) : 0;
}

WSOCK_EXPORT SOCKET WSAAPI WSAJoinLeaf(SOCKET s, const struct sockaddr *name,
				       int namelen, LPWSABUF lpCallerData,
				       LPWSABUF lpCalleeData, LPQOS lpSQOS,
				       LPQOS lpGQOS, DWORD dwFlags)
{
	struct wsock_call call;
	int type, error = 0;

	(void)lpSQOS;
	(void)lpGQOS;
	if (!wsock_call_enter(&call, s))
		return INVALID_SOCKET;
	type = wsock_socket_type(call.fd);
	if (type < 0)
		error = wsock_error_from_errno(errno);
	else if (!name || namelen < (int)sizeof(struct sockaddr_in))
		error = WSAEFAULT;
	else if (type != SOCK_DGRAM)
		error = WSAEOPNOTSUPP;
	else if (lpCallerData && lpCallerData->len)
		error = WSAEPROTONOSUPPORT;
	else if (dwFlags != JL_SENDER_ONLY && dwFlags != JL_RECEIVER_ONLY &&
		 dwFlags != JL_BOTH)
		error = WSAEINVAL;
	else
		error = join_group(call.fd, name, namelen,
				   dwFlags != JL_SENDER_ONLY);
	if (error) {
		wsock_error_set(error);
		return INVALID_SOCKET;
	}
	if (lpCalleeData)
		lpCalleeData->len = 0;
	return s;
}
