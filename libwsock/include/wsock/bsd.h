/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The part of the API that winsock.h and winsock2.h share: socket types, the
 * functions with BSD names, start-up and errors.
 *
 * A SOCKET is a native descriptor, so whatever goes straight to the kernel has
 * Linux's layout and number here: struct sockaddr and its kin, AF_*, SOCK_*,
 * SOL_SOCKET, SO_*, IPPROTO_*, IP_*, MSG_*. Everything else has Windows'.
 *
 * Winsock and POSIX give the same names to different things. libwsock exports
 * Winsock's as wsock_socket, wsock_recv and so on, never as socket or recv, so
 * that no libc function is interposed. What the names mean in a source file:
 *
 *  - By default, socket(), recv() and so on are Winsock's. <sys/socket.h>
 *    counts as included afterwards; its functions cannot be called.
 *  - When <sys/socket.h> came first, the names are macros for wsock_socket and
 *    so on. (std::bind and the like then do not mix with the macros.)
 *  - With WSOCK_NATIVE_NAMES defined, every such name keeps its POSIX meaning
 *    and Winsock's are wsock_socket(), wsock_fd_set, struct wsock_linger,
 *    WSOCK_POLLRDNORM and so on.
 *
 * In the first two cases fd_set, select, u_long, linger, pollfd, hostent, servent,
 * protoent, socklen_t, gethostname, inet_addr, inet_ntoa, inet_pton and inet_ntop are
 * macros, because common system headers declare them.
 *
 * Windows has no struct iovec, no struct timezone and no nfds_t, so programs define
 * their own. With _WIN32 defined, system headers that this one includes first leave
 * these names to them.
 */
#ifndef _WSOCK_BSD_H
#define _WSOCK_BSD_H

/* A program may choose FD_SETSIZE; <sys/select.h> must not lose its value. */
#if defined(FD_SETSIZE) && !defined(WSOCK_NATIVE_NAMES) && \
	!(defined(_SYS_SELECT_H) && FD_SETSIZE == 1024)
#define _WSOCK_USER_FD_SETSIZE
#pragma push_macro("FD_SETSIZE")
#undef FD_SETSIZE
#endif

#include <winbase.h>

#if defined(_WIN32) && !defined(WSOCK_NATIVE_NAMES)
/* It has the variable timezone, which stays. */
#include <time.h>
#define nfds_t		_wsock_native_nfds_t
#define timezone	_wsock_native_timezone
#ifndef __iovec_defined
#define _WSOCK_HIDE_IOVEC
#define iovec		_wsock_native_iovec
#endif
#endif

#if defined(_SYS_SOCKET_H) || defined(WSOCK_NATIVE_NAMES)
#define _WSOCK_SYS_SOCKET_FIRST
#include <sys/socket.h>
#else
/* Take the types; declare the native functions under names nobody uses. */
#define accept		_wsock_native_accept
#define bind		_wsock_native_bind
#define connect		_wsock_native_connect
#define getpeername	_wsock_native_getpeername
#define getsockname	_wsock_native_getsockname
#define getsockopt	_wsock_native_getsockopt
#define listen		_wsock_native_listen
#define recv		_wsock_native_recv
#define recvfrom	_wsock_native_recvfrom
#define send		_wsock_native_send
#define sendto		_wsock_native_sendto
#define setsockopt	_wsock_native_setsockopt
#define shutdown	_wsock_native_shutdown
#define socket		_wsock_native_socket
#include <sys/socket.h>
#undef accept
#undef bind
#undef connect
#undef getpeername
#undef getsockname
#undef getsockopt
#undef listen
#undef recv
#undef recvfrom
#undef send
#undef sendto
#undef setsockopt
#undef shutdown
#undef socket
#endif

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/types.h>
#include <unistd.h>

#if defined(_WIN32) && !defined(WSOCK_NATIVE_NAMES)
#undef nfds_t
#undef timezone
#ifdef _WSOCK_HIDE_IOVEC
#undef iovec
/* <sys/uio.h> still has it for who asks. */
#undef __iovec_defined
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Types ---- */

typedef unsigned char u_char;
typedef unsigned short u_short;
typedef unsigned int u_int;
typedef uint32_t wsock_u_long;
#ifndef WSOCK_NATIVE_NAMES
#define u_long	wsock_u_long
#endif

/* As the lengths of addresses and options have it; the system's is unsigned. */
typedef int wsock_socklen_t;
#ifndef WSOCK_NATIVE_NAMES
#define socklen_t	wsock_socklen_t
#endif

typedef UINT_PTR SOCKET;
#define INVALID_SOCKET	((SOCKET)~(SOCKET)0)
#define SOCKET_ERROR	(-1)

typedef struct sockaddr SOCKADDR, *PSOCKADDR, *LPSOCKADDR;
typedef struct sockaddr_in SOCKADDR_IN, *PSOCKADDR_IN, *LPSOCKADDR_IN;
typedef struct in_addr IN_ADDR, *PIN_ADDR, *LPIN_ADDR;
typedef struct timeval TIMEVAL, *PTIMEVAL, *LPTIMEVAL;

#ifndef WSOCK_NATIVE_NAMES
#define linger	wsock_linger
#endif
/* SO_LINGER: l_linger in seconds. */
struct wsock_linger {
	u_short l_onoff;
	u_short l_linger;
};
typedef struct wsock_linger LINGER, *PLINGER, *LPLINGER;

#ifdef WSOCK_NATIVE_NAMES
#ifndef WSOCK_FD_SETSIZE
#define WSOCK_FD_SETSIZE	64
#endif
#else
#undef FD_SETSIZE
#ifdef _WSOCK_USER_FD_SETSIZE
#pragma pop_macro("FD_SETSIZE")
#else
#define FD_SETSIZE		64
#endif
#define WSOCK_FD_SETSIZE	FD_SETSIZE
#define fd_set			wsock_fd_set
#endif

/* An array of sockets, not a bit map: the values may be of any size. */
typedef struct wsock_fd_set {
	u_int fd_count;
	SOCKET fd_array[WSOCK_FD_SETSIZE];
} wsock_fd_set;
typedef struct wsock_fd_set FD_SET, *PFD_SET, *LPFD_SET;

#ifndef WSOCK_NATIVE_NAMES
#define hostent		wsock_hostent
#define netent		wsock_netent
#define servent		wsock_servent
#define protoent	wsock_protoent
#undef h_addr
#endif

/* <netdb.h>'s have other types and another order. */
typedef struct wsock_hostent {
	char *h_name;
	char **h_aliases;
	short h_addrtype;
	short h_length;
	char **h_addr_list;
} HOSTENT, *PHOSTENT, *LPHOSTENT;
#ifndef WSOCK_NATIVE_NAMES
#define h_addr		h_addr_list[0]
#endif

typedef struct wsock_netent {
	char *n_name;
	char **n_aliases;
	short n_addrtype;
	wsock_u_long n_net;
} NETENT, *PNETENT, *LPNETENT;

/* s_port in network byte order. */
typedef struct wsock_servent {
	char *s_name;
	char **s_aliases;
	char *s_proto;
	short s_port;
} SERVENT, *PSERVENT, *LPSERVENT;

typedef struct wsock_protoent {
	char *p_name;
	char **p_aliases;
	short p_proto;
} PROTOENT, *PPROTOENT, *LPPROTOENT;

#define MAXGETHOSTSTRUCT	1024

#define WSADESCRIPTION_LEN	256
#define WSASYS_STATUS_LEN	128

typedef struct WSAData {
	WORD wVersion;
	WORD wHighVersion;
	unsigned short iMaxSockets;
	unsigned short iMaxUdpDg;
	char FAR *lpVendorInfo;
	char szDescription[WSADESCRIPTION_LEN + 1];
	char szSystemStatus[WSASYS_STATUS_LEN + 1];
} WSADATA, FAR *LPWSADATA;

/* ---- Constants ---- */

#define WSOCK_FIONBIO		((LONG)0x8004667eU)
#define WSOCK_FIONREAD		((LONG)0x4004667fU)
#define WSOCK_FIOASYNC		((LONG)0x8004667dU)
#define WSOCK_SIOCATMARK	((LONG)0x40047307U)
#define SIOCSHIWAT		((LONG)0x80047300U)
#define SIOCGHIWAT		((LONG)0x40047301U)
#define SIOCSLOWAT		((LONG)0x80047302U)
#define SIOCGLOWAT		((LONG)0x40047303U)
#ifndef WSOCK_NATIVE_NAMES
#undef FIONBIO
#undef FIONREAD
#undef FIOASYNC
#undef SIOCATMARK
#define FIONBIO			WSOCK_FIONBIO
#define FIONREAD		WSOCK_FIONREAD
#define FIOASYNC		WSOCK_FIOASYNC
#define SIOCATMARK		WSOCK_SIOCATMARK
#undef SOMAXCONN
#define SOMAXCONN		0x7fffffff
#endif

/* Errors of names are the thread's last error. */
#ifndef WSOCK_NATIVE_NAMES
#undef h_errno
#undef HOST_NOT_FOUND
#undef TRY_AGAIN
#undef NO_RECOVERY
#undef NO_DATA
#undef NO_ADDRESS
#define h_errno			WSAGetLastError()
#define HOST_NOT_FOUND		WSAHOST_NOT_FOUND
#define TRY_AGAIN		WSATRY_AGAIN
#define NO_RECOVERY		WSANO_RECOVERY
#define NO_DATA			WSANO_DATA
#define NO_ADDRESS		WSANO_ADDRESS
#endif

/*
 * Options of level SOL_SOCKET that Linux does not have; WSAENOPROTOOPT for those
 * that the library does not do either.
 */
#define SO_USELOOPBACK		(0x10000 + 0x40)
#define SO_BSP_STATE		0x1009
#define SO_GROUP_ID		0x2001
#define SO_GROUP_PRIORITY	0x2002
#define SO_PROTOCOL_INFOA	0x2004
#define SO_PROTOCOL_INFOW	0x2005
#ifdef UNICODE
#define SO_PROTOCOL_INFO	SO_PROTOCOL_INFOW
#else
#define SO_PROTOCOL_INFO	SO_PROTOCOL_INFOA
#endif
#define SO_CONDITIONAL_ACCEPT	0x3002
#define SO_PAUSE_ACCEPT		0x3003
#define SO_COMPARTMENT_ID	0x3004
#define SO_RANDOMIZE_PORT	0x3005
#define SO_PORT_SCALABILITY	0x3006
#define SO_CONNDATA		0x7000
#define SO_CONNOPT		0x7001
#define SO_DISCDATA		0x7002
#define SO_DISCOPT		0x7003
#define SO_CONNDATALEN		0x7004
#define SO_CONNOPTLEN		0x7005
#define SO_DISCDATALEN		0x7006
#define SO_DISCOPTLEN		0x7007
#define SO_MAXDG		0x7009
#define SO_MAXPATHDG		0x700a
#define SO_DONTLINGER		((int)~SO_LINGER)
#define SO_EXCLUSIVEADDRUSE	((int)~SO_REUSEADDR)
#define SO_MAX_MSG_SIZE		0x2003
#define SO_OPENTYPE		0x7008
#define SO_SYNCHRONOUS_ALERT	0x10
#define SO_SYNCHRONOUS_NONALERT	0x20

#define PVD_CONFIG		0x3001

#ifndef TCP_NODELAY
#define	TCP_NODELAY		 1
#endif

/* Ignored on every socket libwsock makes; MSG_MORE has the same value. */
#define MSG_PARTIAL		0x8000
/* No call sets or knows them. */
#define MSG_INTERRUPT		0x10
#define MSG_BCAST		0x0400
#define MSG_MCAST		0x0800
#define MSG_MAXIOVLEN		16

#ifndef INADDR_LOOPBACK
#define INADDR_LOOPBACK		((in_addr_t)0x7f000001)
#endif
#ifndef INADDR_NONE
#define INADDR_NONE		((in_addr_t)0xffffffff)
#endif

/* ---- Functions ---- */

/*
 * _WSOCK_BSD(socket) names a function that POSIX names too: the Winsock one,
 * whose symbol is wsock_socket.
 */
#ifdef _WSOCK_SYS_SOCKET_FIRST
#define _WSOCK_BSD(name)	wsock_##name
#define _WSOCK_SYMBOL(name)
#ifndef WSOCK_NATIVE_NAMES
#define accept		wsock_accept
#define bind		wsock_bind
#define connect		wsock_connect
#define getpeername	wsock_getpeername
#define getsockname	wsock_getsockname
#define getsockopt	wsock_getsockopt
#define listen		wsock_listen
#define recv		wsock_recv
#define recvfrom	wsock_recvfrom
#define send		wsock_send
#define sendto		wsock_sendto
#define setsockopt	wsock_setsockopt
#define shutdown	wsock_shutdown
#define socket		wsock_socket
#endif
#else
#define _WSOCK_BSD(name)	name
#define _WSOCK_SYMBOL(name)	__asm__("wsock_" #name)
#endif

/*
 * Unless said otherwise a function returns 0 (or a count) or SOCKET_ERROR, and
 * WSAGetLastError() tells why. Functions that take a SOCKET fail with
 * WSANOTINITIALISED before they look at their arguments when the process has
 * no WSAStartup in force, and with WSAEINTR when the final WSACleanup ends them
 * while they wait. A signal never ends a call.
 */

/*
 * WSAStartup() registers the process once more. @wVersionRequested has the
 * major version in its low byte. @lpWSAData receives the negotiated version.
 * Returns 0 or the error itself: WSAVERNOTSUPPORTED, WSAEFAULT,
 * WSASYSNOTREADY (no /dev/wsock, or no right to open it), WSAEPROCLIM.
 */
int WSAAPI WSAStartup(WORD wVersionRequested, LPWSADATA lpWSAData);
/*
 * WSACleanup() takes one registration back. The last one resets every socket
 * of the process, ends every pending operation and every blocked call, and
 * closes the sockets. Errors: WSANOTINITIALISED, WSAENETDOWN.
 */
int WSAAPI WSACleanup(void);
/* The calling thread's last error. */
int WSAAPI WSAGetLastError(void);
void WSAAPI WSASetLastError(int iError);

/* Returns INVALID_SOCKET when it fails. Every socket can do overlapped I/O. */
SOCKET WSAAPI _WSOCK_BSD(socket)(int af, int type, int protocol)
	_WSOCK_SYMBOL(socket);
/*
 * Ends the socket's operations, then closes it. WSAEWOULDBLOCK, and the socket stays
 * as it is, when it is non-blocking and would linger.
 */
int WSAAPI closesocket(SOCKET s);
int WSAAPI _WSOCK_BSD(bind)(SOCKET s, const struct sockaddr *name, int namelen)
	_WSOCK_SYMBOL(bind);
/* Unlike POSIX: WSAEINVAL on a socket that is not bound. */
int WSAAPI _WSOCK_BSD(listen)(SOCKET s, int backlog)
	_WSOCK_SYMBOL(listen);
/* Unlike POSIX: the new socket is non-blocking when @s is; WSAEFAULT when
 * @addrlen is too small for an address of the socket's family. */
SOCKET WSAAPI _WSOCK_BSD(accept)(SOCKET s, struct sockaddr *addr, int *addrlen)
	_WSOCK_SYMBOL(accept);
/* Non-blocking: WSAEWOULDBLOCK at first, WSAEALREADY while it goes on. */
int WSAAPI _WSOCK_BSD(connect)(SOCKET s, const struct sockaddr *name,
			       int namelen)
	_WSOCK_SYMBOL(connect);
/* @how: SD_RECEIVE, SD_SEND or SD_BOTH. */
int WSAAPI _WSOCK_BSD(shutdown)(SOCKET s, int how)
	_WSOCK_SYMBOL(shutdown);
/* A blocking send on a stream returns when all is sent, or fails. */
int WSAAPI _WSOCK_BSD(send)(SOCKET s, const char *buf, int len, int flags)
	_WSOCK_SYMBOL(send);
int WSAAPI _WSOCK_BSD(sendto)(SOCKET s, const char *buf, int len, int flags,
			      const struct sockaddr *to, int tolen)
	_WSOCK_SYMBOL(sendto);
/* WSAEMSGSIZE when a datagram did not fit; the buffer is filled then. */
int WSAAPI _WSOCK_BSD(recv)(SOCKET s, char *buf, int len, int flags)
	_WSOCK_SYMBOL(recv);
int WSAAPI _WSOCK_BSD(recvfrom)(SOCKET s, char *buf, int len, int flags,
				struct sockaddr *from, int *fromlen)
	_WSOCK_SYMBOL(recvfrom);
/* Unlike POSIX: WSAEINVAL on a socket that is not bound. */
int WSAAPI _WSOCK_BSD(getsockname)(SOCKET s, struct sockaddr *name,
				   int *namelen)
	_WSOCK_SYMBOL(getsockname);
int WSAAPI _WSOCK_BSD(getpeername)(SOCKET s, struct sockaddr *name,
				   int *namelen)
	_WSOCK_SYMBOL(getpeername);
/*
 * SO_RCVTIMEO and SO_SNDTIMEO are a DWORD of milliseconds, SO_LINGER is Winsock's
 * struct linger, SO_ERROR is a WSA error, SO_PROTOCOL_INFO a WSAPROTOCOL_INFO.
 * IP_MULTICAST_IF and memberships take an interface by its index, too
 * (0.0.0.index). IPV6_PKTINFO and IPV6_HOPLIMIT are BOOLs, which ask for control
 * data; IPV6_UNICAST_IF is an index in the order of this machine. WSAENOPROTOOPT
 * for what the library does not do, WSAEINVAL for a level that is none.
 */
int WSAAPI _WSOCK_BSD(getsockopt)(SOCKET s, int level, int optname,
				  char *optval, int *optlen)
	_WSOCK_SYMBOL(getsockopt);
int WSAAPI _WSOCK_BSD(setsockopt)(SOCKET s, int level, int optname,
				  const char *optval, int optlen)
	_WSOCK_SYMBOL(setsockopt);
/* @cmd: FIONBIO, FIONREAD or SIOCATMARK. */
int WSAAPI ioctlsocket(SOCKET s, LONG cmd, wsock_u_long *argp);
#if defined(__cplusplus) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/* As InterlockedIncrement's long in winnt.h. */
extern "C++" {
static inline int ioctlsocket(SOCKET s, LONG cmd, unsigned long *argp)
{
	return ioctlsocket(s, cmd, (wsock_u_long *)argp);
}
}
#endif
/*
 * Returns how many sockets the sets hold afterwards, 0 when @timeout passed
 * (all sets are empty then). @nfds is ignored; fd_count may exceed FD_SETSIZE
 * when the memory is there. @timeout is not changed; NULL waits for ever.
 */
int WSAAPI wsock_select(int nfds, wsock_fd_set *readfds,
			wsock_fd_set *writefds, wsock_fd_set *exceptfds,
			const struct timeval *timeout);
int WSAAPI __WSAFDIsSet(SOCKET s, wsock_fd_set *set);

/* WSAEFAULT when @namelen (bytes) is too small for the name and its NUL. */
int WSAAPI wsock_gethostname(char *name, int namelen);
/* INADDR_NONE when @cp is not an address. */
wsock_u_long WSAAPI wsock_inet_addr(const char *cp);
/* Returns a buffer of the calling thread. */
char * WSAAPI wsock_inet_ntoa(struct in_addr in);

static inline void wsock_fd_clear(SOCKET s, wsock_fd_set *set)
{
	u_int i;

	for (i = 0; i < set->fd_count; i++)
		if (set->fd_array[i] == s)
			break;
	if (i == set->fd_count)
		return;
	for (set->fd_count--; i < set->fd_count; i++)
		set->fd_array[i] = set->fd_array[i + 1];
}

static inline void wsock_fd_add(SOCKET s, wsock_fd_set *set)
{
	u_int i;

	for (i = 0; i < set->fd_count; i++)
		if (set->fd_array[i] == s)
			return;
	if (i < WSOCK_FD_SETSIZE)
		set->fd_array[set->fd_count++] = s;
}

#ifdef __cplusplus
}
#endif

#ifndef WSOCK_NATIVE_NAMES
#define select		wsock_select
#define gethostname	wsock_gethostname
#define inet_addr	wsock_inet_addr
#define inet_ntoa	wsock_inet_ntoa

#undef FD_CLR
#undef FD_SET
#undef FD_ZERO
#undef FD_ISSET
#define FD_CLR(s, set)		wsock_fd_clear((SOCKET)(s), (set))
#define FD_SET(s, set)		wsock_fd_add((SOCKET)(s), (set))
#define FD_ZERO(set)		((void)((set)->fd_count = 0))
#define FD_ISSET(s, set)	__WSAFDIsSet((SOCKET)(s), (set))
#endif

#include <wsock/netdb.h>
#include <wsock/async.h>

#endif /* _WSOCK_BSD_H */
