/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the library share. Sockets under test are the library's,
 * peers are plain sockets, so that FIN and RST can be told apart; hence
 * WSOCK_NATIVE_NAMES.
 *
 * Tests are named after the row of the contract that they hold the library to.
 */
#ifndef WSOCK_SELFTESTS_WINSOCK_H
#define WSOCK_SELFTESTS_WINSOCK_H

#define WSOCK_NATIVE_NAMES

#include "device.h"

/* winerror.h has these, spelt otherwise. */
#undef STATUS_SUCCESS
#undef STATUS_PENDING
#undef STATUS_BUFFER_OVERFLOW
#undef STATUS_CANCELLED
#undef STATUS_CONNECTION_RESET
#undef STATUS_CONNECTION_ABORTED

#include <dirent.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <mstcpip.h>
#include <ntstatus.h>
#include <mswsock.h>
#include <winsock2.h>
#include <ws2tcpip.h>
#include <wsock/native.h>

/* How long something that must not happen is given to happen. */
#define QUIET_MS 60

/* Look until it is so, or TIMEOUT_MS have passed. */
#define wait_for(condition) ({						\
	double _end = now_ms() + TIMEOUT_MS;				\
	bool _is;							\
									\
	while (!(_is = (condition)) && now_ms() < _end)			\
		nap();							\
	_is;								\
})

/* A call that fails; the last error is this call's. */
#define EXPECT_WSA(call, error) do {					\
	WSASetLastError(4711);						\
	EXPECT_EQ((long)(call), SOCKET_ERROR);				\
	EXPECT_EQ(WSAGetLastError(), (error));				\
} while (0)

/* ASCII as UTF-16. */
static inline void widen(WCHAR *to, const char *from)
{
	do {
		*to++ = *from;
	} while (*from++);
}

static inline bool same_text(const WCHAR *wide, const char *text)
{
	do {
		if (*wide++ != *text)
			return false;
	} while (*text++);
	return true;
}

static inline double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

/* Between two looks; nothing depends on its length. */
static inline void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 500000 }, NULL);
}

static inline int startup_version(int major, int minor)
{
	WSADATA data;

	return WSAStartup(MAKEWORD(major, minor), &data);
}

static inline int startup(void)
{
	return startup_version(2, 2);
}

static inline struct sockaddr *sa(struct sockaddr_in *sin)
{
	return (struct sockaddr *)sin;
}

/* ---- The process, as the kernel sees it ---- */

/* Calls @visit with each descriptor and what it is; returns how many. */
static inline int for_each_fd(void (*visit)(int fd, const char *target, void *arg), void *arg)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	char target[256];
	int n = 0;

	while (dir && (entry = readdir(dir))) {
		int fd = atoi(entry->d_name);
		ssize_t len;

		if (entry->d_name[0] == '.' || fd == dirfd(dir))
			continue;
		n++;
		if (!visit)
			continue;
		len = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		target[len < 0 ? 0 : len] = 0;
		visit(fd, target, arg);
	}
	if (dir)
		closedir(dir);
	return n;
}

static inline int fd_count(void)
{
	return for_each_fd(NULL, NULL);
}

static inline void note_device(int fd, const char *target, void *arg)
{
	if (!strcmp(target, "/dev/wsock"))
		*(int *)arg = fd;
}

/* The descriptor the library has of the device, or -1. */
static inline int library_device(void)
{
	int fd = -1;

	for_each_fd(note_device, &fd);
	return fd;
}

/* Operations that wait in the kernel. */
static inline long queued(void)
{
	return fdinfo(library_device(), "queued");
}

/* What this process holds in the module; the device itself stays open. */
static inline bool holds_nothing(void)
{
	int dev = library_device();

	return fdinfo(dev, "registrations") == 0 && fdinfo(dev, "sockets") == 0 &&
	       fdinfo(dev, "queued") == 0 && fdinfo(dev, "scheduled") == 0 &&
	       fdinfo(dev, "running") == 0;
}

struct client {
	unsigned int registrations, sockets, operations;
};

/* The line of the module's list of registered processes; false for none. */
static inline bool find_client(pid_t pid, struct client *client)
{
	FILE *f = fopen("/sys/kernel/debug/wsock/contexts", "re");
	bool found = false;
	char line[128];
	int tgid;

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%d %u %u %u", &tgid, &client->registrations,
			       &client->sockets, &client->operations) == 4 && tgid == pid;
	if (f)
		fclose(f);
	return found;
}

/* The system call that a thread is blocked in, -1 when it runs. */
static inline long thread_syscall(pid_t tid)
{
	char path[64], text[64] = "";
	long nr = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", tid);
	f = fopen(path, "re");
	if (f && fgets(text, sizeof(text), f) && sscanf(text, "%ld", &nr) != 1)
		nr = -1;
	if (f)
		fclose(f);
	return nr;
}

/* ---- Sockets ---- */

/* @s is the library's, @peer a plain socket. */
static inline int stream_pair(SOCKET *s, int *peer)
{
	int l = tcp_listener();
	struct sockaddr_in sin = loopback(local_port(l));

	*peer = -1;
	*s = wsock_socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	if (*s != INVALID_SOCKET && !wsock_connect(*s, sa(&sin), sizeof(sin)))
		*peer = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	close(l);
	return *peer < 0 ? -1 : 0;
}

static inline SOCKET bound_socket(int type)
{
	SOCKET s = wsock_socket(AF_INET, type, 0);
	struct sockaddr_in sin = loopback(0);

	if (s != INVALID_SOCKET && wsock_bind(s, sa(&sin), sizeof(sin))) {
		closesocket(s);
		return INVALID_SOCKET;
	}
	return s;
}

static inline SOCKET listening_socket(void)
{
	SOCKET s = bound_socket(SOCK_STREAM);

	if (s != INVALID_SOCKET && wsock_listen(s, 16)) {
		closesocket(s);
		return INVALID_SOCKET;
	}
	return s;
}

/* A listener that answers no more connections, and what keeps it so. */
static inline int full_listener(int *filler)
{
	struct sockaddr_in sin = loopback(0);
	int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(l, sa(&sin), sizeof(sin)) || listen(l, 0))
		return -1;
	*filler = tcp_connect(local_port(l));
	return *filler < 0 ? -1 : l;
}

/* A datagram to the port of @s; 0 when it was sent. */
static inline int datagram_to(SOCKET s, const void *data, size_t len)
{
	struct sockaddr_in sin = loopback(local_port(s));
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ssize_t n = sendto(fd, data, len, 0, sa(&sin), sizeof(sin));

	close(fd);
	return n == (ssize_t)len ? 0 : -1;
}

static inline bool set_option(SOCKET s, int level, int name, int value)
{
	return !wsock_setsockopt(s, level, name, (char *)&value, sizeof(value));
}

/* ---- Overlapped operations ---- */

/* Structure, buffer and event of one operation, with poison where it must stay. */
struct operation {
	WSAOVERLAPPED ov;
	DWORD bytes, flags;
	char data[4096];
};

#define POISON		0xa5
#define POISON_WORD	0xa5a5a5a5u
#define POISON_LONG	0xa5a5a5a5a5a5a5a5ull

static inline void operation_init(struct operation *op, WSAEVENT event)
{
	memset(op, POISON, sizeof(*op));
	op->ov.hEvent = event;
}

static inline uint32_t status(const struct operation *op)
{
	return (uint32_t)__atomic_load_n(&op->ov.Internal, __ATOMIC_ACQUIRE);
}

static inline bool all_poison(const void *data, size_t len)
{
	const unsigned char *p = data;

	while (len && *p == POISON)
		p++, len--;
	return !len;
}

/* Returns 0 or the error. */
static inline int start_recv(SOCKET s, struct operation *op, WSAEVENT event, size_t len)
{
	WSABUF buf = { .len = len, .buf = op->data };
	int ret;

	operation_init(op, event);
	op->flags = 0;
	ret = WSARecv(s, &buf, 1, &op->bytes, &op->flags, &op->ov, NULL);
	/* The array was captured: it may be gone. */
	memset(&buf, 0, sizeof(buf));
	return ret ? WSAGetLastError() : 0;
}

static inline int start_send(SOCKET s, struct operation *op, WSAEVENT event,
			     const void *data, size_t len)
{
	WSABUF buf = { .len = len, .buf = (char *)data };
	int ret;

	operation_init(op, event);
	ret = WSASend(s, &buf, 1, &op->bytes, 0, &op->ov, NULL);
	memset(&buf, 0, sizeof(buf));
	return ret ? WSAGetLastError() : 0;
}

/* Did it end as cancelled, with nothing transferred and nothing touched? */
static inline bool cancelled_untouched(const struct operation *op, WSAEVENT event)
{
	return op->ov.Internal == STATUS_CANCELLED && op->ov.InternalHigh == 0 &&
	       op->ov.hEvent == event && op->bytes == POISON_WORD &&
	       all_poison(op->data, sizeof(op->data));
}

static inline bool signalled(WSAEVENT event)
{
	return WSAWaitForMultipleEvents(1, &event, TRUE, 0, FALSE) == WSA_WAIT_EVENT_0;
}

static inline bool becomes_signalled(WSAEVENT event)
{
	return WSAWaitForMultipleEvents(1, &event, TRUE, TIMEOUT_MS, FALSE) == WSA_WAIT_EVENT_0;
}

static inline bool stays_unsignalled(WSAEVENT event, int ms)
{
	return WSAWaitForMultipleEvents(1, &event, TRUE, ms, FALSE) == WSA_WAIT_TIMEOUT;
}

/* ---- Completion ports ---- */

#define UNLIMITED 0xffffffffu

static inline HANDLE new_port(DWORD concurrency)
{
	return CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, concurrency);
}

/* What GetQueuedCompletionStatus wrote, over poison. */
struct taken {
	DWORD bytes;
	ULONG_PTR key;
	LPOVERLAPPED ov;
	BOOL ret;
	DWORD error;
};

static inline struct taken take_packet(HANDLE port, DWORD ms)
{
	struct taken r;

	memset(&r, POISON, sizeof(r));
	SetLastError(4711);
	r.ret = GetQueuedCompletionStatus(port, &r.bytes, &r.key, &r.ov, ms);
	r.error = GetLastError();
	return r;
}

/* No packet: nothing written but the NULL that says so. */
static inline bool is_none(struct taken r, DWORD error)
{
	return !r.ret && !r.ov && r.error == error && r.bytes == POISON_WORD &&
	       r.key == POISON_LONG;
}

/* ---- Threads ---- */

/* A thread in one call, and how that ended. */
struct caller {
	int (*call)(struct caller *caller);	/* returns its result */
	SOCKET s;
	void *arg;
	pthread_t thread;
	pid_t tid;
	int result, error;
	int next_result, next_error;	/* of a further call, socket() */
	double returned;		/* when */
	bool done;
};

static inline void *caller_main(void *arg)
{
	struct caller *c = arg;

	__atomic_store_n(&c->tid, gettid(), __ATOMIC_RELEASE);
	WSASetLastError(4711);
	c->result = c->call(c);
	c->returned = now_ms();
	c->error = WSAGetLastError();
	c->next_result = (int)wsock_socket(AF_INET, SOCK_STREAM, 0);
	c->next_error = WSAGetLastError();
	__atomic_store_n(&c->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static inline bool caller_start(struct caller *c)
{
	return !pthread_create(&c->thread, NULL, caller_main, c);
}

/* Wait until the thread is asleep in system call @nr. */
static inline bool caller_blocked(struct caller *c, long nr)
{
	return wait_for(__atomic_load_n(&c->tid, __ATOMIC_ACQUIRE)) &&
	       wait_for(thread_syscall(c->tid) == nr);
}

static inline bool caller_done(struct caller *c)
{
	return __atomic_load_n(&c->done, __ATOMIC_ACQUIRE);
}

static inline bool caller_join(struct caller *c)
{
	if (!wait_for(caller_done(c)))
		return false;
	return !pthread_join(c->thread, NULL);
}

/* ---- Children ---- */

/* Exit status of a child, -1 when a signal ended it. */
static inline int child_status(pid_t pid)
{
	int st;

	if (waitpid(pid, &st, 0) != pid)
		return -1;
	return WIFEXITED(st) ? WEXITSTATUS(st) : -1;
}

/* One byte, to pass a point in order. */
static inline bool tell(int fd)
{
	return write(fd, "!", 1) == 1;
}

static inline bool hear(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char c;

	return poll(&pfd, 1, TIMEOUT_MS) == 1 && read(fd, &c, 1) == 1;
}

/*
 * The module holds nothing of the test's process once that is gone, so this
 * runs in its parent.
 */
#define WINSOCK_FIXTURE(name)						\
	FIXTURE(name)							\
	{								\
		int unused;						\
	};								\
	FIXTURE_SETUP(name)						\
	{								\
	}								\
	FIXTURE_TEARDOWN_PARENT(name)					\
	{								\
		EXPECT_TRUE(counters_zero());				\
	}

/*
 * Every exported function that needs WSAStartup: name, what it returns when it
 * fails, and a call with arguments that are all wrong. (Those that return their error
 * have another one with WSAStartup.)
 */
/* No name at all: nobody is asked. */
#define NOWHERE "................................................................................"
#define WINSOCK_GATED(X)						\
	X(wsock_accept, -1, wsock_accept(s, (void *)1, NULL))		\
	X(wsock_adopt, -1, wsock_adopt(-1))				\
	X(wsock_bind, -1, wsock_bind(s, NULL, -1))			\
	X(closesocket, -1, closesocket(s))				\
	X(wsock_connect, -1, wsock_connect(s, NULL, -1))		\
	X(AcceptEx, 0, AcceptEx(s, s, NULL, 0, 0, 0, NULL, NULL))	\
	X(ConnectEx, 0, ConnectEx(s, NULL, -1, NULL, 0, NULL, NULL))	\
	X(DisconnectEx, 0, DisconnectEx(s, NULL, -1, 1))		\
	X(WSARecvEx, -1, WSARecvEx(s, NULL, -1, NULL))			\
	X(TransmitFile, 0, TransmitFile(s, NULL, -1, 0, NULL, NULL, -1)) \
	X(TransmitPackets, 0, TransmitPackets(s, NULL, -1, 0, NULL, -1)) \
	X(wsock_gethostname, -1, wsock_gethostname(NULL, -1))		\
	X(wsock_getpeername, -1, wsock_getpeername(s, NULL, NULL))	\
	X(wsock_getsockname, -1, wsock_getsockname(s, NULL, NULL))	\
	X(wsock_getsockopt, -1, wsock_getsockopt(s, -1, -1, NULL, NULL)) \
	X(ioctlsocket, -1, ioctlsocket(s, -1, NULL))			\
	X(wsock_listen, -1, wsock_listen(s, -1))			\
	X(wsock_recv, -1, wsock_recv(s, NULL, -1, -1))			\
	X(wsock_recvfrom, -1, wsock_recvfrom(s, NULL, -1, -1, (void *)1, NULL)) \
	X(wsock_select, -1, wsock_select(0, NULL, NULL, NULL, (void *)1)) \
	X(wsock_send, -1, wsock_send(s, NULL, -1, -1))			\
	X(wsock_sendto, -1, wsock_sendto(s, NULL, -1, -1, (void *)1, -1)) \
	X(wsock_setsockopt, -1, wsock_setsockopt(s, -1, -1, NULL, -1))	\
	X(wsock_shutdown, -1, wsock_shutdown(s, 99))			\
	X(wsock_socket, -1, wsock_socket(-1, -1, -1))			\
	X(SetAddrInfoExA, WSANOTINITIALISED,				\
	  SetAddrInfoExA(NULL, NULL, NULL, 1, NULL, 1, 99, NULL, NULL, NULL, NULL, NULL)) \
	X(SetAddrInfoExW, WSANOTINITIALISED,				\
	  SetAddrInfoExW(NULL, NULL, NULL, 1, NULL, 1, 99, NULL, NULL, NULL, NULL, NULL)) \
	X(GetAddrInfoExA, WSANOTINITIALISED,				\
	  GetAddrInfoExA(NULL, NULL, 99, NULL, NULL, NULL, NULL, NULL, NULL, NULL)) \
	X(GetAddrInfoExCancel, WSANOTINITIALISED, GetAddrInfoExCancel(NULL)) \
	X(GetAddrInfoExW, WSANOTINITIALISED,				\
	  GetAddrInfoExW(NULL, NULL, 99, NULL, NULL, NULL, NULL, NULL, NULL, NULL)) \
	X(GetAddrInfoW, WSANOTINITIALISED, GetAddrInfoW(NULL, NULL, NULL, NULL)) \
	X(GetNameInfoW, WSANOTINITIALISED, GetNameInfoW(NULL, 0, NULL, 0, NULL, 0, -1)) \
	X(wsock_getaddrinfo, WSANOTINITIALISED, wsock_getaddrinfo(NULL, NULL, NULL, NULL)) \
	X(wsock_gethostbyaddr, 0, wsock_gethostbyaddr(NULL, -1, -1))	\
	X(wsock_gethostbyname, 0, wsock_gethostbyname(NOWHERE))		\
	X(wsock_getnameinfo, WSANOTINITIALISED,				\
	  wsock_getnameinfo(NULL, 0, NULL, 0, NULL, 0, -1))		\
	X(wsock_getprotobyname, 0, wsock_getprotobyname(NULL))		\
	X(wsock_getprotobynumber, 0, wsock_getprotobynumber(-1))	\
	X(wsock_getservbyname, 0, wsock_getservbyname(NULL, NULL))	\
	X(wsock_getservbyport, 0, wsock_getservbyport(-1, "none"))	\
	X(WSAConnectByList, 0, WSAConnectByList(s, NULL, NULL, NULL, NULL, NULL, NULL, NULL)) \
	X(WSAConnectByNameA, 0,						\
	  WSAConnectByNameA(s, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)) \
	X(WSAConnectByNameW, 0,						\
	  WSAConnectByNameW(s, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)) \
	X(GetHostNameW, -1, GetHostNameW(NULL, -1))			\
	X(WSAAccept, -1, WSAAccept(s, (void *)1, NULL, (void *)1, 0))	\
	X(WSAAddressToStringA, -1, WSAAddressToStringA(NULL, 0, NULL, NULL, NULL)) \
	X(WSAAddressToStringW, -1, WSAAddressToStringW(NULL, 0, NULL, NULL, NULL)) \
	X(WSAAsyncGetHostByAddr, 0, WSAAsyncGetHostByAddr(NULL, 0, NULL, 0, 0, NULL, 0)) \
	X(WSAAsyncGetHostByName, 0, WSAAsyncGetHostByName(NULL, 0, NULL, NULL, 0)) \
	X(WSAAsyncGetProtoByName, 0, WSAAsyncGetProtoByName(NULL, 0, NULL, NULL, 0)) \
	X(WSAAsyncGetProtoByNumber, 0, WSAAsyncGetProtoByNumber(NULL, 0, 0, NULL, 0)) \
	X(WSAAsyncGetServByName, 0, WSAAsyncGetServByName(NULL, 0, NULL, NULL, NULL, 0)) \
	X(WSAAsyncGetServByPort, 0, WSAAsyncGetServByPort(NULL, 0, 0, NULL, NULL, 0)) \
	X(WSAAsyncSelect, -1, WSAAsyncSelect(s, NULL, 0, -1))		\
	X(WSACancelAsyncRequest, -1, WSACancelAsyncRequest(NULL))	\
	X(WSACancelBlockingCall, -1, WSACancelBlockingCall())		\
	X(WSACleanup, -1, WSACleanup())					\
	X(WSAConnect, -1, WSAConnect(s, NULL, -1, NULL, NULL, NULL, NULL)) \
	X(WSADuplicateSocketA, -1, WSADuplicateSocketA(s, 0, NULL))	\
	X(WSADuplicateSocketW, -1, WSADuplicateSocketW(s, 0, NULL))	\
	X(WSAEnumNetworkEvents, -1, WSAEnumNetworkEvents(s, (void *)1, NULL)) \
	X(WSAEnumProtocolsA, -1, WSAEnumProtocolsA(NULL, NULL, NULL))	\
	X(WSAEnumProtocolsW, -1, WSAEnumProtocolsW(NULL, NULL, NULL))	\
	X(WSAEventSelect, -1, WSAEventSelect(s, (void *)1, -1))		\
	X(WSAGetOverlappedResult, 0, WSAGetOverlappedResult(s, NULL, NULL, TRUE, NULL)) \
	X(WSAHtonl, -1, WSAHtonl(s, 1, NULL))				\
	X(WSAHtons, -1, WSAHtons(s, 1, NULL))				\
	X(WSAIoctl, -1, WSAIoctl(s, -1, NULL, 0, NULL, 0, NULL, NULL, NULL)) \
	X(WSAJoinLeaf, -1, WSAJoinLeaf(s, NULL, 0, NULL, NULL, NULL, NULL, 0)) \
	X(WSALookupServiceBeginA, -1, WSALookupServiceBeginA(NULL, 0, NULL)) \
	X(WSALookupServiceBeginW, -1, WSALookupServiceBeginW(NULL, 0, NULL)) \
	X(WSALookupServiceEnd, -1, WSALookupServiceEnd(NULL))		\
	X(WSALookupServiceNextA, -1, WSALookupServiceNextA(NULL, 0, NULL, NULL)) \
	X(WSALookupServiceNextW, -1, WSALookupServiceNextW(NULL, 0, NULL, NULL)) \
	X(WSANtohl, -1, WSANtohl(s, 1, NULL))				\
	X(WSANtohs, -1, WSANtohs(s, 1, NULL))				\
	X(WSAPoll, -1, WSAPoll(NULL, 0, 0))				\
	X(WSARecv, -1, WSARecv(s, NULL, 0, NULL, NULL, NULL, NULL))	\
	X(WSARecvDisconnect, -1, WSARecvDisconnect(s, NULL))		\
	X(WSARecvFrom, -1, WSARecvFrom(s, NULL, 0, NULL, NULL, (void *)1, NULL, NULL, NULL)) \
	X(WSARecvMsg, -1, WSARecvMsg(s, NULL, NULL, NULL, NULL))	\
	X(WSASendMsg, -1, WSASendMsg(s, NULL, -1, NULL, NULL, NULL))	\
	X(WSASend, -1, WSASend(s, NULL, 0, NULL, -1, NULL, NULL))	\
	X(WSASendDisconnect, -1, WSASendDisconnect(s, NULL))		\
	X(WSASendTo, -1, WSASendTo(s, NULL, 0, NULL, -1, (void *)1, -1, NULL, NULL)) \
	X(WSASetBlockingHook, 0, WSASetBlockingHook(NULL))		\
	X(WSASetServiceA, -1, WSASetServiceA(NULL, 0, 0))		\
	X(WSASetServiceW, -1, WSASetServiceW(NULL, 0, 0))		\
	X(WSASocketA, -1, WSASocketA(-1, -1, -1, (void *)1, 0, -1))	\
	X(WSASocketW, -1, WSASocketW(-1, -1, -1, (void *)1, 0, -1))	\
	X(WSAStringToAddressA, -1, WSAStringToAddressA(NULL, 0, NULL, NULL, NULL)) \
	X(WSAStringToAddressW, -1, WSAStringToAddressW(NULL, 0, NULL, NULL, NULL)) \
	X(WSAUnhookBlockingHook, -1, WSAUnhookBlockingHook())

/* Every other exported function. */
#define WINSOCK_NOT_GATED(X)						\
	X(CancelIo) X(CancelIoEx) X(CloseHandle) X(CreateEventA) X(CreateEventExA) \
	X(CreateEventExW) X(CreateEventW) X(CreateIoCompletionPort)	\
	X(DestroyWindow) X(DispatchMessage) X(GetMessage) X(PeekMessage) \
	X(PostMessage) X(PostQuitMessage) X(WSAIsBlocking)		\
	X(wsock_message_fd) X(wsock_window_create)			\
	X(FreeAddrInfoEx) X(FreeAddrInfoExW) X(FreeAddrInfoW)		\
	X(GetAddrInfoExOverlappedResult) X(gai_strerrorA) X(gai_strerrorW) \
	X(wsock_freeaddrinfo)						\
	X(DuplicateHandle) X(GetCurrentProcess) X(GetCurrentThread)	\
	X(GetAcceptExSockaddrs) X(GetLastError) X(GetOverlappedResult)	\
	X(GetOverlappedResultEx)					\
	X(GetQueuedCompletionStatus) X(GetQueuedCompletionStatusEx)	\
	X(InetNtopW) X(InetPtonW)					\
	X(PostQueuedCompletionStatus) X(QueueUserAPC) X(ResetEvent)	\
	X(SetEvent) X(SetFileCompletionNotificationModes) X(Sleep) X(SleepEx) \
	X(WaitForMultipleObjects) X(WaitForMultipleObjectsEx)		\
	X(WaitForSingleObject) X(WaitForSingleObjectEx) X(SignalObjectAndWait) \
	X(SetLastError) X(WSACloseEvent) X(WSACreateEvent)		\
	X(WSAGetLastError) X(WSAResetEvent) X(WSASetEvent)		\
	X(WSASetLastError) X(WSAStartup) X(WSAWaitForMultipleEvents)	\
	X(__WSAFDIsSet) X(wsock_device_fd) X(wsock_event_fd)		\
	X(EnumProtocolsA) X(EnumProtocolsW) X(WSCEnumProtocols) X(WSCGetProviderPath) \
	X(wsock_inet_addr) X(wsock_inet_ntoa) X(wsock_inet_ntop)	\
	X(wsock_inet_pton) X(wsock_overlapped_completed)

/* The companions in kernel32/. */
#define WINSOCK_COMPANIONS(X) \
	X(CreateFileMappingA) X(MapViewOfFile) X(UnmapViewOfFile) \
	X(CryptAcquireContextA) X(CryptAcquireContextW) X(CryptGenRandom) \
	X(CryptReleaseContext) X(SetHandleInformation) X(VirtualAlloc) \
	X(VirtualFree) \
	X(AcquireSRWLockExclusive) X(AcquireSRWLockShared) X(CreateFileA) \
	X(CreateFileW) X(CreateThread) X(DeleteCriticalSection) \
	X(EnterCriticalSection) X(ExitProcess) X(ExitThread) X(FormatMessageA) \
	X(FormatMessageW) X(FreeLibrary) X(GetCurrentProcessId) X(GetCurrentThreadId) \
	X(GetExitCodeThread) X(GetFileSize) X(GetFileSizeEx) X(GetLocalTime) \
	X(GetModuleHandleA) X(GetModuleHandleW) X(GetProcAddress) X(GetProcessHeap) \
	X(GetSystemInfo) X(GetSystemTime) X(GetSystemTimeAsFileTime) \
	X(GetSystemTimePreciseAsFileTime) X(GetThreadId) X(GetTickCount) \
	X(GetTickCount64) X(GlobalAlloc) X(GlobalFree) X(HeapAlloc) X(HeapFree) \
	X(HeapReAlloc) X(InitOnceExecuteOnce) X(InitOnceInitialize) \
	X(InitializeConditionVariable) X(InitializeCriticalSection) \
	X(InitializeCriticalSectionAndSpinCount) X(InitializeCriticalSectionEx) \
	X(InitializeSRWLock) X(LeaveCriticalSection) X(LoadLibraryA) X(LoadLibraryW) \
	X(LocalAlloc) X(LocalFree) X(QueryPerformanceCounter) \
	X(QueryPerformanceFrequency) X(ReadFile) X(ReleaseSRWLockExclusive) \
	X(ReleaseSRWLockShared) X(ResumeThread) X(SetFilePointerEx) \
	X(SetThreadPriority) X(SleepConditionVariableCS) X(SleepConditionVariableSRW) \
	X(SwitchToThread) X(TlsAlloc) X(TlsFree) X(TlsGetValue) X(TlsSetValue) \
	X(TryAcquireSRWLockExclusive) X(TryAcquireSRWLockShared) \
	X(CancelWaitableTimer) X(CreateMutexA) X(CreateMutexExA) X(CreateMutexExW) \
	X(CreateMutexW) X(CreateSemaphoreA) X(CreateSemaphoreExA) X(CreateSemaphoreExW) \
	X(CreateSemaphoreW) X(CreateWaitableTimerA) X(CreateWaitableTimerExA) \
	X(CreateWaitableTimerExW) X(CreateWaitableTimerW) X(ReleaseMutex) \
	X(ReleaseSemaphore) X(SetWaitableTimer) X(SetWaitableTimerEx) \
	X(GetACP) X(GetOEMCP) X(MultiByteToWideChar) X(WideCharToMultiByte) \
	X(TryEnterCriticalSection) X(WakeAllConditionVariable) \
	X(WakeConditionVariable) X(WriteFile) X(_beginthreadex) X(_endthreadex) \
	X(_beginthread) X(_endthread) \
	X(timeBeginPeriod) X(timeEndPeriod) X(timeGetTime)

#endif /* WSOCK_SELFTESTS_WINSOCK_H */
