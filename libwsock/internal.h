/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the library's files share. Calls on sockets take no lock: they read
 * wsock_state. WSAStartup, WSACleanup and whoever opens the device take the one in
 * startup.c; those of resolver.c, netdb.c, window.c and namespace.c are taken under
 * that or alone.
 */
#ifndef WSOCK_INTERNAL_H
#define WSOCK_INTERNAL_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define WSOCK_NATIVE_NAMES

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <winsock2.h>
#include <ws2tcpip.h>
#include <ntstatus.h>
#include <wsock/native.h>

#include <linux/wsock.h>

/* On every public definition; all else is hidden by -fvisibility. */
#define WSOCK_EXPORT	__attribute__((visibility("default")))

#define WSOCK_NSEC_PER_SEC	1000000000LL
#define WSOCK_NSEC_PER_MSEC	1000000LL

/* FILETIMEs count these, from the beginning of 1601; time(2) from that of 1970. */
#define WSOCK_NSEC_PER_TICK	100
#define WSOCK_TICKS_PER_SEC	(WSOCK_NSEC_PER_SEC / WSOCK_NSEC_PER_TICK)
#define WSOCK_EPOCH_TICKS	(11644473600ULL * WSOCK_TICKS_PER_SEC)

/* As many buffers as the kernel takes in one message. */
#define WSOCK_MAX_BUFFERS	1024

/* ---- startup.c ---- */

/*
 * Registrations of this process in the low half, generation in the high half.
 * One word, so that a call reads both at its door with one load. The generation
 * changes before the final release begins: a call that fails and finds another
 * one than at its door was (or may have been) ended by the release.
 */
extern uint64_t wsock_state;
/* /dev/wsock, -1 before it was first needed; stays open, see startup.c. */
extern int wsock_device;

static inline uint64_t wsock_state_read(void)
{
	return __atomic_load_n(&wsock_state, __ATOMIC_SEQ_CST);
}

/* It changes with each final WSACleanup. */
static inline uint32_t wsock_generation(void)
{
	return (uint32_t)(wsock_state_read() >> 32);
}

/* The major version of the process: the lowest that was asked for. */
int wsock_version_major(void);

/* Opens the device, if it is not open; WSAStartup does too. 0 or an errno. */
int wsock_device_open(void);
/* As ioctl(2) on the device; EBADFD when it was never opened. */
int wsock_device_ioctl(unsigned long request, void *arg);

/* ---- error.c ---- */

int wsock_error_from_errno(int err);
int wsock_error_from_status(uint32_t status);
uint32_t wsock_error_win32_from_status(uint32_t status);
/* Set the thread's last error; returns SOCKET_ERROR for convenience. */
int wsock_error_set(int error);
int wsock_error_get(void);

/* ---- socket.c: what the library remembers of a descriptor ---- */

/*
 * The kernel does not tell afterwards why a socket does not work (who shut it
 * down, whether a reset was reported already), and Winsock has different errors
 * for each. Set from socket()/accept() on, so a number that was closed behind
 * our back and used again starts afresh. Not for correctness of the data path:
 * descriptors beyond the table just get the kernel's answer.
 */
enum wsock_fd_flags {
	WSOCK_FD_STREAM		= 1 << 0,	/* made as SOCK_STREAM */
	WSOCK_FD_CONNECTING	= 1 << 1,	/* connect begun, or failed */
	WSOCK_FD_CONNECTED	= 1 << 2,	/* was connected once */
	WSOCK_FD_SHUT_RECV	= 1 << 3,	/* own shutdown(SD_RECEIVE) */
	WSOCK_FD_SHUT_SEND	= 1 << 4,	/* own shutdown(SD_SEND) */
	WSOCK_FD_RESET		= 1 << 5,	/* a reset was reported */
	WSOCK_FD_NONBLOCK	= 1 << 6,	/* FIONBIO 1 */
	WSOCK_FD_EXCLUSIVE	= 1 << 7,	/* SO_EXCLUSIVEADDRUSE */
	WSOCK_FD_EVENT		= 1 << 8,	/* an event, not a socket */
	WSOCK_FD_CLOSING	= 1 << 9,	/* closesocket came this far */
	WSOCK_FD_UNBOUND	= 1 << 10,	/* datagrams; may be bound by now */
	WSOCK_FD_SOCKET		= 1 << 11,	/* made by socket() or accept() */
	WSOCK_FD_PORT		= 1 << 12,	/* a completion port, not a socket */
	WSOCK_FD_THREAD		= 1 << 13,	/* a thread handle, not a socket */
	WSOCK_FD_ACCEPTED	= 1 << 14,	/* made by accept() */
	WSOCK_FD_EVENTS		= 1 << 15,	/* was given to WSAEventSelect once */
	WSOCK_FD_SELECTED	= 1 << 16,	/* is registered by it */
	WSOCK_FD_CONNECT_EX	= 1 << 17,	/* the connect begun is ConnectEx's */
	WSOCK_FD_ACCEPT_EX	= 1 << 18,	/* was given to AcceptEx as acceptor */
	WSOCK_FD_FILE		= 1 << 19,	/* made by CreateFile */
	WSOCK_FD_MESSAGES	= 1 << 20,	/* is registered by WSAAsyncSelect */
	WSOCK_FD_OBJECT		= 1 << 21,	/* has a record in object.c */
};

/*
 * Above these: by how much the error of a connect that failed exceeds WSABASEERR,
 * once the program has asked for it. Linux tells it once, Winsock until the next.
 */
#define WSOCK_FD_ERROR_SHIFT	24
#define WSOCK_FD_ERROR_MASK	(0x7fU << WSOCK_FD_ERROR_SHIFT)

/* Pages of tables by descriptor come to life as numbers are used. */
#define WSOCK_FD_TABLE_SIZE	(1 << 20)

extern uint32_t wsock_fd_table[WSOCK_FD_TABLE_SIZE];

/* Whether the table reaches @fd. */
static inline bool wsock_fd_flags_kept(int fd)
{
	return fd >= 0 && fd < WSOCK_FD_TABLE_SIZE;
}

static inline unsigned int wsock_fd_flags_get(int fd)
{
	return wsock_fd_flags_kept(fd) ?
		       __atomic_load_n(&wsock_fd_table[fd], __ATOMIC_RELAXED) : 0;
}

void wsock_fd_flags_init(int fd, unsigned int flags);
void wsock_fd_flags_add(int fd, unsigned int flags);
void wsock_fd_flags_remove(int fd, unsigned int flags);
/* The program learns that the connection was reset. */
static inline void wsock_fd_note_reset(int fd)
{
	if (wsock_fd_flags_get(fd) & WSOCK_FD_STREAM)
		wsock_fd_flags_add(fd, WSOCK_FD_RESET);
}

/* @fd is connected, or begins to be. */
void wsock_fd_note_connect(int fd);
/* It is connected since @seconds ago. */
void wsock_fd_note_connected_for(int fd, uint32_t seconds);
/* Seconds since then. */
uint32_t wsock_fd_connect_time(int fd);

/* -1 for what cannot be a descriptor; system calls then say EBADF. */
static inline int wsock_socket_fd(SOCKET s)
{
	return s <= INT32_MAX ? (int)s : -1;
}

/* Remembers of @fd, that others made a socket, what can be seen of it. */
void wsock_socket_note(int fd);
/* SO_TYPE, or -1 with errno when @fd is not a socket. */
int wsock_socket_type(int fd);
/* TCP_*, or -1 with errno when @fd is no TCP socket. */
int wsock_socket_tcp_state(int fd);
/* The descriptor of @s, -1 when it is not a socket, for poll(2). */
int wsock_socket_fd_checked(SOCKET s);
/* Is @fd in non-blocking mode? Costs a system call unless FIONBIO was used. */
bool wsock_socket_nonblocking(int fd);
/* Does it listen? */
bool wsock_socket_listening(int fd);
/* Has @fd an Internet address, but no port? */
bool wsock_socket_unbound(int fd);
/* Was @fd's last attempt to connect a failure? */
bool wsock_socket_connect_failed(int fd);

/* ---- A call in progress (socket.c) ---- */

struct wsock_call {
	int fd;
	uint32_t generation;
	unsigned int flags;	/* of the descriptor, at the door */
	uint64_t start;		/* ns, 0 unless a time-out may need it */
};

/* The gate: false, with the error set, when the process is not registered. */
bool wsock_call_enter(struct wsock_call *call, SOCKET s);
/* Was the call ended by the final WSACleanup? */
static inline bool wsock_call_cancelled(const struct wsock_call *call)
{
	return wsock_generation() != call->generation;
}
/*
 * Sets the error of a call that may have been ended from outside: WSAEINTR
 * after a WSACleanup, the error of closesocket when the descriptor is gone,
 * otherwise @error. Returns SOCKET_ERROR.
 */
int wsock_call_fail(const struct wsock_call *call, int error);
/* Is the descriptor gone that was there at the door? */
bool wsock_call_closed(const struct wsock_call *call);
/*
 * After EINTR: true to issue the system call again. Waits here, for @events,
 * while a time-out of option @optname (SO_RCVTIMEO, SO_SNDTIMEO) runs, because
 * the system call would start it anew; false with errno EAGAIN at its end, or
 * EINTR when the call was cancelled.
 */
bool wsock_call_restart(struct wsock_call *call, int optname, short events);

/*
 * After a system call that was told not to wait had to, for @events: waits as
 * that would have, with the time-out of option @optname (0 for none), and runs
 * APCs meanwhile. True to issue it again; false with an errno: EAGAIN when the
 * socket is non-blocking or the time has passed, EINTR when the call was
 * cancelled.
 */
bool wsock_call_wait(struct wsock_call *call, int optname, short events);

/* Some socket has a time-out, so calls must note when they began. */
extern bool wsock_timeouts_used;
/* Some socket lingers, so closesocket must look. */
extern bool wsock_lingers_used;

/* 0 or the error of an address that cannot be connected to. */
int wsock_connect_check(int fd, const struct sockaddr *name, int namelen);
/* As connect(2) on a non-blocking socket, which @fd need not be. */
int wsock_connect_begin(int fd, const struct sockaddr *name, socklen_t namelen);
/* 0 or the error of a room for an accepted connection's address. */
int wsock_accept_check_room(int fd, const struct sockaddr *addr,
			    const int *addrlen);
/* accept4(2), once; the connection is non-blocking when the listener is. */
int wsock_accept_native(const struct wsock_call *call, struct sockaddr *addr,
			socklen_t *len);
/* After its @err: is it to be tried again, or waited? */
bool wsock_accept_goes_on(const struct wsock_call *call, int err);
/* Makes the accepted @fd a SOCKET; -1 with errno is a failed accept. */
SOCKET wsock_accept_finish(const struct wsock_call *call, int fd);
/* Makes the process's context an owner of @fd; closes @fd when it cannot. */
int wsock_socket_adopt(int fd);

/* The WSA error of a connect(2) that failed. */
int wsock_connect_error(int fd, int err, const struct sockaddr *name,
			int namelen);

/* ---- overlapped.c ---- */

/* 0 or the error: names the status block and the event. */
int wsock_overlapped_fill(struct wsock_submit *args,
			  const struct wsock_call *call, LPWSAOVERLAPPED ov,
			  LPWSAOVERLAPPED_COMPLETION_ROUTINE routine,
			  unsigned int flags);
/*
 * Starts an operation that is no plain send or receive. Returns 0 with *@bytes
 * when it is done, WSA_IO_PENDING, or the error, with its errno.
 */
int wsock_overlapped_start(const struct wsock_call *call,
			   struct wsock_submit *args, LPWSAOVERLAPPED ov,
			   LPDWORD bytes);
/* Waits for the end of one that has no OVERLAPPED of the program's. 0 or the error. */
int wsock_overlapped_wait(LPOVERLAPPED ov);

/* ---- extension.c ---- */

/* Is @fd, which was given to AcceptEx, waiting for its connection? */
bool wsock_extension_accepting(int fd);
/* Seconds since AcceptEx's connection came, while nothing was sent to it. */
int wsock_extension_accepted_for(int fd);
/* 0 or the error: SO_UPDATE_ACCEPT_CONTEXT, with its value. */
int wsock_extension_update_accept(int fd, const char *optval, int optlen);
/* 0 or the error: SO_UPDATE_CONNECT_CONTEXT. */
int wsock_extension_update_connect(int fd);

/* ---- io.c ---- */

/* The WSA errors of a failed receive or send, of any kind. */
int wsock_io_recv_error(int fd, int err, int flags);
int wsock_io_send_error(int fd, int err, int flags);
/* 0 or the error of a receive, a send, that must not be tried. */
int wsock_io_recv_check(const struct wsock_call *call, unsigned int flags);
int wsock_io_send_flags(unsigned int flags);
/* The flags the kernel gets. */
static inline int wsock_io_native_flags(unsigned int flags)
{
	return (int)(flags & ~(unsigned int)MSG_PARTIAL);
}
/* 0 or the error of a buffer array that is not one. */
static inline int wsock_io_check_buffers(const WSABUF *buffers, DWORD count)
{
	if (!buffers)
		return WSAEFAULT;
	return count && count <= WSOCK_MAX_BUFFERS ? 0 : WSAEINVAL;
}
/* Fills @iov, of @count entries; returns the sum of the lengths. */
uint64_t wsock_io_import(struct iovec *iov, const WSABUF *buffers, DWORD count);
/* 0 or the error of a destination that is too short. */
int wsock_io_check_destination(const struct sockaddr *to, int tolen);
/*
 * Receives into @msg, whose buffers hold @room bytes. *@bytes is valid also
 * with WSAEMSGSIZE. Returns 0 or SOCKET_ERROR.
 */
int wsock_io_recvmsg(struct wsock_call *call, struct msghdr *msg, uint64_t room,
		     unsigned int flags, uint64_t *bytes);
/*
 * Sends all of @msg, whose buffers hold @size bytes: on a non-blocking socket as
 * much as goes. Returns 0 or SOCKET_ERROR.
 */
int wsock_io_sendmsg(struct wsock_call *call, struct msghdr *msg, uint64_t size,
		     unsigned int flags, uint64_t *bytes);
/* The synchronous halves of WSARecv(From) and WSASend(To); checked arguments. */
int wsock_io_recv(struct wsock_call *call, const WSABUF *buffers, DWORD count,
		  LPDWORD bytes, LPDWORD flags, struct sockaddr *from,
		  LPINT fromlen);
int wsock_io_send(struct wsock_call *call, const WSABUF *buffers, DWORD count,
		  LPDWORD bytes, DWORD flags, const struct sockaddr *to,
		  int tolen);
/* 0 or the error when @len is too small for an address of @fd's family. */
int wsock_addr_check_room(int fd, int len);

/* ---- interfaces.c: 0 or the error, WSAEFAULT when @size is below *@needed ---- */

int wsock_interfaces_list_addresses(int family, void *out, DWORD size,
				    DWORD *needed);
int wsock_interfaces_list(void *out, DWORD size, DWORD *needed);
/* The address from which @to would be sent to, without a port. */
int wsock_interfaces_route(const struct sockaddr *to, DWORD length,
			   struct sockaddr_storage *from,
			   socklen_t *from_length);

/* ---- options_ip.c: as getsockopt(2), setsockopt(2), with Winsock's values ---- */

int wsock_options_ip_get(int fd, int level, int name, char *optval, int *optlen);
int wsock_options_ip_set(int fd, int level, int name, const char *optval,
			 int optlen);

/* ---- handle.c ---- */

/* What a handle begins with, see handle.c. Events and timers are of two kinds. */
enum wsock_tag {
	WSOCK_TAG_TIMER		= 0x40000000,
	WSOCK_TAG_AUTO_TIMER	= 0x48000000,
	WSOCK_TAG_EVENT		= 0x50000000,
	WSOCK_TAG_AUTO_EVENT	= 0x58000000,
	WSOCK_TAG_PORT		= 0x60000000,
	WSOCK_TAG_SEMAPHORE	= 0x68000000,
	WSOCK_TAG_THREAD	= 0x70000000,
	WSOCK_TAG_MUTEX		= 0x78000000,
};

/* That of a handle, or nothing of these. */
enum wsock_tag wsock_handle_tag(HANDLE handle);
/* NULL when @fd is too large. */
HANDLE wsock_handle_encode(enum wsock_tag tag, int fd);
/*
 * The descriptor behind a handle of this kind, or -1. @flag: what the library
 * remembers of descriptors of the kind.
 */
int wsock_handle_decode(HANDLE handle, enum wsock_tag tag, unsigned int flag);
/* Closes an object's descriptor; false when it was none. */
bool wsock_handle_close(int fd);

/* ---- addr.c ---- */

/* Room for an address with its scope and port as text. */
#define WSOCK_ADDR_TEXT	66
/* 0 or the error of what is no address. */
int wsock_addr_to_text(const struct sockaddr *name, size_t len,
		       char text[WSOCK_ADDR_TEXT]);
/* Changes @text. False when it is no address of @family. */
bool wsock_addr_from_text(char *text, int family, struct sockaddr_in6 *name);
/* An IPv4 address as a socket of IPv6 takes it; the two may be at one place. */
void wsock_addr_map_v4(struct sockaddr_in6 *to, const struct sockaddr_in *from);

/* ---- catalog.c ---- */

/* Fills @info, a WSAPROTOCOL_INFOW when it is @wide. */
void wsock_catalog_describe(int family, int type, LPWSAPROTOCOL_INFOA info,
			    bool wide);

/* ---- wide.c ---- */

/*
 * The character at *@from, which is moved on, but not beyond a NUL's end: U+FFFD for
 * what is none in UTF-8, -1 for half a pair in UTF-16.
 */
uint32_t wsock_utf8_take(const char **from);
int32_t wsock_utf16_take(const WCHAR **from);
/* Return how many there are. */
size_t wsock_utf8_put(uint32_t c, char bytes[4]);
size_t wsock_utf16_put(uint32_t c, WCHAR pair[2]);
/* False when @from, in UTF-16, is none, or longer than @size bytes in UTF-8. */
bool wsock_wide_to_utf8(const WCHAR *from, char *to, size_t size);
/*
 * Writes what fits; returns how many WCHARs the whole of @from needs, with its
 * NUL.
 */
size_t wsock_wide_from_utf8(const char *from, WCHAR *to, size_t count);
/* For both variants of a function: false when it is no text, or too long. */
bool wsock_text_get(const void *from, bool wide, char *to, size_t size);
/* Writes only the whole of @from; returns how many characters that takes. */
size_t wsock_text_put(const char *from, bool wide, void *to, size_t count);

/* ---- transport.c ---- */

/* How many functions of the program the calling thread is in for a call of ours. */
extern __thread unsigned int wsock_callbacks;

/* ---- resolver.c: lookups of hosts ---- */

/* What was found: addresses of both families, in the order to try them. */
struct wsock_host {
	char *name;		/* the canonical one, or NULL */
	char *aliases;		/* one behind the other, each with its NUL */
	size_t n_aliases;
	struct sockaddr_in6 *addresses;
	size_t n;
};

void wsock_host_free(struct wsock_host *host);
/* Appends one, of either family; false without memory. */
bool wsock_host_add(struct wsock_host *host, const struct sockaddr *name);
/* The addresses of this host, of @family or all; 0 or the error. */
int wsock_host_own(struct wsock_host *host, int family);
/* Is @name that of this host? */
bool wsock_host_is_own(const char *name);

/*
 * A question about a host, and its answer. What is behind the callbacks concerns
 * only questions that nobody waits for.
 */
struct wsock_lookup {
	/* The question: a name, or an address. */
	const char *name;
	int family;		/* of the addresses wanted */
	const struct sockaddr *address;
	bool no_fqdn;		/* without our own domain */
	/* The answer. */
	int error;
	struct wsock_host host;
	char *found_name;	/* of an address */

	/* Under the lock: stores the answer where the program wants it. */
	void (*tell)(struct wsock_lookup *lookup);
	/* After that, without the lock, unless NULL. */
	void (*call)(struct wsock_lookup *lookup);
	/* Instead, unless NULL: the final WSACleanup has ended it. */
	void (*abort)(struct wsock_lookup *lookup);
	void (*release)(struct wsock_lookup *lookup);
	uint64_t deadline;

	/* Of resolver.c, under its lock. */
	TAILQ_ENTRY(wsock_lookup) node;
	uint32_t id;
	int wake;		/* an eventfd, of a thread that waits */
	bool asked;		/* c-ares will answer, or has */
	bool answered;
	bool failed;		/* it ends with @error, whatever the answer */
	bool gone;		/* not in the list any more */
};

/*
 * Asks, and waits for the answer until @deadline. 0 or the error, WSAETIMEDOUT and
 * WSAEINTR included.
 */
int wsock_lookup_run(struct wsock_lookup *lookup, const struct wsock_call *call,
		     uint64_t deadline);
/*
 * Asks; from then on @lookup is the resolver's, which releases it. 0 with *@id or
 * the error; then it is still the caller's. An answer that is known, or an error,
 * may be in it: it is told like any other.
 */
int wsock_lookup_start(struct wsock_lookup *lookup,
		       const struct wsock_call *call, uint32_t *id);
/* Its end is @error, which will be told. False when there is none of that id. */
bool wsock_lookup_fail(uint32_t id, int error);
/*
 * Ends one that has no @abort; nobody is told. 0, WSAEALREADY when it is over, or
 * WSAEINVAL when there was none of that id since WSAStartup.
 */
int wsock_lookup_drop(uint32_t id);
/* The final release: what is pending ends, and nobody is told. */
void wsock_lookup_end_all(void);
/* In a fork child. */
void wsock_lookup_forget(void);

/* ---- window.c ---- */

bool wsock_window_exists(HWND window);
/* A message of Winsock's, if there is still the window. */
void wsock_window_post(HWND window, UINT message, WPARAM wparam, LPARAM lparam);
/*
 * What happens to @fd becomes messages. Returns the eventfd that makes the window's
 * thread look for it; -1 without the window, or memory.
 */
int wsock_window_select(int fd, HWND window, UINT message);
/* @fd is as @listener is, if that still is. */
void wsock_window_inherit(int fd, int listener);
void wsock_window_unselect(int fd);
/* The final release: no message of Winsock's is left. */
void wsock_window_end_all(void);
void wsock_window_forget(void);

/* ---- namespace.c ---- */

/* The final release: of searches; what is registered stays. */
void wsock_namespace_end_all(void);
/* Adds the addresses that SetAddrInfoEx gave @name, if any; false without memory. */
bool wsock_namespace_find_host(const char *name, struct wsock_host *host);
void wsock_namespace_forget(void);

/* ---- addrinfo.c ---- */

/* As getaddrinfo, with an end. */
int wsock_addrinfo_get(const struct wsock_call *call, PCSTR node, PCSTR service,
		       const ADDRINFOA *hints, PADDRINFOA *list,
		       uint64_t deadline);

/* ---- hook.c ---- */

/* The blocking hook of the calling thread, NULL for none. */
extern __thread FARPROC wsock_hook;
/* It is running: we are in a call that waits. */
extern __thread bool wsock_in_hook;
/*
 * As wsock_poll_apcs(), and calls the hook. -1 with ECANCELED when that has
 * cancelled the call.
 */
int wsock_hook_poll(struct pollfd *fds, nfds_t n, uint64_t deadline,
		    uint64_t slice_ns);

/* ---- netdb.c ---- */

/* What a file of the C library's says, which are all that it reads. */
struct wsock_service {
	struct servent ent;
	char room[8192];
};

struct wsock_protocol {
	struct protoent ent;
	char room[8192];
};

/* The entry of what was found; NULL for nothing, also without @name. */
const struct servent *wsock_netdb_service_named(struct wsock_service *s,
						const char *name,
						const char *protocol);
/* @port: in network byte order */
const struct servent *wsock_netdb_service_at(struct wsock_service *s, int port,
					     const char *protocol);
const struct protoent *wsock_netdb_protocol_named(struct wsock_protocol *p,
						  const char *name);
const struct protoent *wsock_netdb_protocol_numbered(struct wsock_protocol *p,
						     int number);
/*
 * Each puts a Winsock structure, and all it points to, into @buf, which is aligned
 * for pointers, unless @len is less than the size that it returns.
 */
size_t wsock_netdb_pack_host(void *buf, size_t len,
			     const struct wsock_host *host, int family,
			     const char *name);
size_t wsock_netdb_pack_service(void *buf, size_t len,
				const struct servent *from);
size_t wsock_netdb_pack_protocol(void *buf, size_t len,
				 const struct protoent *from);
/* gethostbyname's question; 0, with addresses if there is no need to ask. */
int wsock_netdb_ask_name(struct wsock_lookup *lookup, const char *name);
/* gethostbyaddr's: 0 or the error. */
int wsock_netdb_ask_address(struct sockaddr_in6 *address, const char *addr,
			    int len, int type);
/* The official name of what was found; @own has room for this host's. */
const char *wsock_netdb_host_name(const struct wsock_lookup *lookup, char *own,
				  size_t size);

/* The final release. */
void wsock_netdb_free_all(void);
void wsock_netdb_forget(void);

/* ---- duplicate.c ---- */

/*
 * The socket that WSADuplicateSocket described by @token, and the error of
 * WSASocket when there is none.
 */
SOCKET wsock_duplicate_take(const struct wsock_call *call, DWORD token);
/* Describes @fd, which is a socket; a WSAPROTOCOL_INFOW when it is @wide. */
void wsock_duplicate_describe(int fd, DWORD token, LPWSAPROTOCOL_INFOA info,
			      bool wide);

/* ---- eventselect.c ---- */

/* False with errno when the kernel cannot be told. */
bool wsock_events_tell_enabled(int fd, unsigned int events);
/* After a call that re-enables network events of @fd, also one that failed. */
static inline void wsock_events_enable(int fd, unsigned int events)
{
	if (wsock_fd_flags_get(fd) & WSOCK_FD_EVENTS)
		wsock_events_tell_enabled(fd, events);
}

/* @fd was accepted from @listener, which is registered. */
void wsock_events_inherit(int fd, int listener);
/* WSAEnumNetworkEvents, with an eventfd or -1. 0 or the error. */
int wsock_events_fetch(int fd, int event_fd, LPWSANETWORKEVENTS to);
/* @fd's events are messages no longer, if they were. */
void wsock_events_forget_window(int fd);

/* ---- event.c ---- */

/* The eventfd of a handle, or -1. */
int wsock_event_decode(HANDLE event, bool *auto_reset);
/* The eventfd of an OVERLAPPED.hEvent, whose lowest bit is ignored, or -1. */
int wsock_event_decode_ov(HANDLE event);
/*
 * An eventfd, to be closed, that is readable while @s is signalled: the kernel
 * keeps it from the first such call on. -1 with errno.
 */
int wsock_event_of_socket(SOCKET s);

/* ---- object.c: what waits take ---- */

/* Besides 1: it was, and the thread that owned it has ended. */
#define WSOCK_TAKEN_ABANDONED	2

struct wsock_object;

/*
 * What a kind of object does, under the lock.
 * @take: what the end of a wait does to it: 1, WSOCK_TAKEN_ABANDONED, or 0 when it
 *	is not signalled beyond the share of the first @others of the threads that
 *	wait. NULL: nothing
 * @is_own: no wait of the calling thread has to wait for it; NULL: never
 * @signal: for SignalObjectAndWait: 0 or the error; NULL for ERROR_INVALID_HANDLE
 */
struct wsock_object_kind {
	int (*take)(struct wsock_object *object, uint32_t others);
	bool (*is_own)(const struct wsock_object *object);
	int (*signal)(struct wsock_object *object);
	void (*free)(struct wsock_object *object);
};

struct wsock_object {
	const struct wsock_object_kind *kind;
	enum wsock_tag tag;
	int fd;
};

/* Has fork(2) seen to; before the first object or event. */
void wsock_object_init(void);
/* Returns what unlock wants; meanwhile the thread is not cancelled. */
int wsock_object_lock(bool exclusive);
void wsock_object_unlock(int cancel_state);
/*
 * A new object, of @size bytes that begin with a wsock_object, others being 0; NULL
 * with the error set, for want of memory or because it is @named.
 */
void *wsock_object_new(size_t size, const struct wsock_object_kind *kind,
		       enum wsock_tag tag, bool named);
/*
 * Its handle, on the new descriptor @fd, and the last error 0; NULL, with @object
 * freed and the error set, when that is -1 or too large.
 */
HANDLE wsock_object_publish(struct wsock_object *object, int fd);
/* Also of events: false when it is none. */
bool wsock_object_close(HANDLE handle);
/* Is it the handle of an object or event, going by its looks? */
bool wsock_object_is(HANDLE handle);
/* One more; NULL with the error set. */
HANDLE wsock_object_duplicate(HANDLE handle);
/* Under the lock; NULL for none. */
struct wsock_object *wsock_object_find(HANDLE handle, enum wsock_tag tag);
/* Also of events: the descriptor or -1; does a wait take it, is it our own? */
int wsock_object_decode(HANDLE handle, bool *taken, bool *own);
/* Also of events: 0 or the error. */
int wsock_object_signal(HANDLE handle);

/* Takes it, for a thread that has not waited for it. */
int wsock_object_take(int fd);
/*
 * The calling thread, which has just seen these objects unsignalled, waits for
 * each of them, until it has taken it or this ends.
 */
void wsock_object_wait_begin(const struct pollfd *fds, uint64_t which);
int wsock_object_wait_take(int fd);
void wsock_object_wait_end(const struct pollfd *fds, uint64_t which);
/*
 * As poll(2) that does not wait, on 1 to 64 objects. When all are signalled, those
 * with their bit in @take have been taken when it returns, *@abandoned is set if
 * one was that. Otherwise none was, and an entry of revents is 0.
 */
int wsock_object_take_all(struct pollfd *fds, nfds_t n, uint64_t take,
			  bool *abandoned);

/* An eventfd's counter. */
bool wsock_counter_add(int fd, uint64_t n);
/* Under the lock: as @take above, of an object that holds @limit. */
int wsock_counter_take(int fd, uint32_t limit, uint32_t others);
/* Under the lock: false when it would exceed the limit. */
bool wsock_counter_give(int fd, uint32_t limit, uint32_t n, uint32_t *before);

static inline bool wsock_event_set(int fd)
{
	return wsock_counter_add(fd, 1);
}

/* 1 when it was signalled, 0 when it was not, -1 when it is no event. */
int wsock_event_reset(int fd, bool auto_reset);

/* ---- iocp.c ---- */

/* Some socket was given to a port. */
extern bool wsock_ports_used;
/* A new port's descriptor, -1 with the error set. */
int wsock_port_create(uint32_t concurrency);
/* The descriptor of a completion port's handle, or -1. */
int wsock_port_decode(HANDLE port);
/* CloseHandle of a port: waits in it end. False when @fd was not open. */
bool wsock_port_close(int fd);

/* ---- Time ---- */

static inline uint64_t wsock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * WSOCK_NSEC_PER_SEC +
	       (uint64_t)ts.tv_nsec;
}

static inline uint64_t wsock_timeval_ns(const struct timeval *tv)
{
	return (uint64_t)tv->tv_sec * WSOCK_NSEC_PER_SEC +
	       (uint64_t)tv->tv_usec * 1000;
}

/* The time when @ms milliseconds have passed. */
static inline uint64_t wsock_deadline_ms(uint64_t ms)
{
	return wsock_now() + ms * WSOCK_NSEC_PER_MSEC;
}

#define WSOCK_NEVER	UINT64_MAX

/* The end of a wait of @ms milliseconds, or INFINITE. */
static inline uint64_t wsock_wait_deadline(uint32_t ms)
{
	/* 0 lies in the past: no need for the clock when we shall not wait. */
	return ms == INFINITE ? WSOCK_NEVER : ms ? wsock_deadline_ms(ms) : 0;
}

/* Nanoseconds until @deadline, -1 for ever. */
static inline int64_t wsock_time_left(uint64_t deadline)
{
	uint64_t now;

	if (deadline == WSOCK_NEVER)
		return -1;
	now = wsock_now();
	return deadline > now ? (int64_t)(deadline - now) : 0;
}

/* ---- wait.c ---- */

/*
 * poll(2) until @deadline, but for at most @slice_ns when that is not 0.
 * Restarted after signals. Returns as poll(2); 0 also at the end of a slice.
 */
int wsock_poll_until(struct pollfd *fds, nfds_t nfds, uint64_t deadline,
		     uint64_t slice_ns);
/* Did poll(2) find a descriptor that is none? */
bool wsock_poll_bad(const struct pollfd *fds, nfds_t n);

/* ---- apc.c ---- */

/* The port that is the calling thread's APC queue; -1 while it has none. */
extern __thread int wsock_apc_queue;

/* The calling thread does not wait in the system call, but by poll(2). */
bool wsock_waits_by_poll(void);

static inline int wsock_apc_fd(void)
{
	return wsock_apc_queue;
}

/* Makes the queue, if there is none. False with the error set. */
bool wsock_apc_create(void);
/* The calling thread has left an operation pending: see to it at its end. */
extern __thread bool wsock_apc_noted;
void wsock_apc_note_exit(void);
static inline void wsock_apc_note_pending(void)
{
	if (!wsock_apc_noted)
		wsock_apc_note_exit();
}
/*
 * What companions add to the calling thread.
 * @due: when it has to call the routine of a timer, WSOCK_NEVER for not at all
 * @run_timers: calls those that are due: has there been one? With @due, not NULL
 * @end_timers, @end_mutexes: at the end of the thread, before that can be seen;
 *	NULL for nothing
 */
struct wsock_thread_more {
	uint64_t due;
	bool (*run_timers)(void);
	void (*end_timers)(void);
	void (*end_mutexes)(void);
};

extern __thread struct wsock_thread_more wsock_more;

/* Has wsock_apc_end() called at the end of the thread; false without memory. */
bool wsock_apc_call_at_end(void);
/* The end of an alertable wait until @deadline. */
static inline uint64_t wsock_apc_until(uint64_t deadline)
{
	return wsock_more.due < deadline ? wsock_more.due : deadline;
}

static inline bool wsock_apc_timers_due(void)
{
	return wsock_more.due != WSOCK_NEVER && wsock_more.due <= wsock_now();
}

/*
 * Runs what is in the queue of the calling thread, which must have one, and the
 * routines of timers that are due. Returns
 * whether there was something to run: false also when there were only completion
 * routines of the time before a final WSACleanup.
 */
bool wsock_apc_run(void);
/* In a fork child: the queue is the parent's. */
void wsock_apc_forget(void);
/* @queue, a new port, is the calling thread's, which has none yet. */
void wsock_apc_adopt(int queue);
/* The end of the thread, which may come again. */
void wsock_apc_end(void);
/*
 * As wsock_poll_until(), and runs APCs while it has to wait. @fds has room for
 * one more entry.
 */
int wsock_poll_apcs(struct pollfd *fds, nfds_t n, uint64_t deadline,
		    uint64_t slice_ns);
/* The same, and calls the blocking hook: -1 with ECANCELED when it says so. */
int wsock_poll_alertable(struct pollfd *fds, nfds_t n, uint64_t deadline,
			 uint64_t slice_ns);
/* A new handle of the thread with this queue; NULL with the error set. */
HANDLE wsock_thread_handle(int queue);
/*
 * What kernel32/thread.c wants to know of thread handles; nothing when it is not
 * linked to the program.
 * @duplicated: a new one is on @fd, of the thread of @from, a handle or a queue
 * @closing: the one on @fd ends
 */
struct wsock_thread_hooks {
	void (*duplicated)(int fd, int from);
	void (*closing)(int fd);
};

void wsock_thread_use(const struct wsock_thread_hooks *hooks);
/* Closes a thread's handle; false when it was none. */
bool wsock_thread_close(int fd);
/* The queue of a thread handle, or -1. Not for GetCurrentThread(). */
int wsock_thread_decode(HANDLE thread);
/* GetCurrentThread() or GetCurrentProcess()? */
bool wsock_handle_is_pseudo(HANDLE handle);

#endif /* WSOCK_INTERNAL_H */
