// SPDX-License-Identifier: GPL-2.0
/*
 * Each function of the library that asks the kernel for something, with each
 * allocation and user copy of the kernel refused. Each round is a process of its
 * own, so that what the library does once is refused something, too.
 */
#include "winsock.h"
#include "fail_nth.h"
#include "kselftest_harness.h"

/* Far more than any sequence has. */
#define MANY	500

/* How a round has ended: its exit status. */
enum { PASSED, FAILED, REFUSED };

struct env {
	struct faults f;
	SOCKET s, u;		/* TCP, connected; UDP */
	SOCKET l;		/* listens */
	int peer, upeer;	/* theirs */
	struct operation op;
	char data[64];
};

/* A call that may be refused something, and what it has in the end. */
#define TRY(e, failure, call) ({					\
	__auto_type _ret = (call);					\
									\
	if (_ret == (__typeof__(_ret))(failure) && faults_blame(&(e)->f)) \
		_ret = (call);						\
	_ret;								\
})

/* Of those that return an errno of Winsock. */
#define TRY_ERROR(e, call) ({						\
	int _error = (call);						\
									\
	if (_error && _error != WSA_IO_PENDING && faults_blame(&(e)->f))	\
		_error = (call);					\
	_error;								\
})

FIXTURE(library)
{
	struct env e;
};

FIXTURE_SETUP(library)
{
	struct faults f;

	if (!faults_begin(&f))
		SKIP(return, "this kernel refuses nothing");
	close(f.fd);
}

FIXTURE_TEARDOWN(library)
{
}

static bool env_open(struct env *e)
{
	struct sockaddr_in sin;

	if (startup() || stream_pair(&e->s, &e->peer))
		return false;
	e->l = listening_socket();
	e->u = bound_socket(SOCK_DGRAM);
	e->upeer = udp_socket();
	sin = loopback(local_port(e->upeer));
	return e->l != INVALID_SOCKET && e->u != INVALID_SOCKET &&
	       !wsock_connect(e->u, sa(&sin), sizeof(sin)) && !udp_connect_to(e->upeer, e->u);
}

static int round_of(struct __test_metadata *_metadata, struct env *e, int nth, bool begin,
		    void (*once)(struct __test_metadata *_metadata, struct env *e))
{
	if (!faults_open(&e->f) || (begin && !env_open(e)))
		return FAILED;
	e->f.nth = nth;
	once(_metadata, e);
	faults_disarm(&e->f);
	EXPECT_FALSE(e->f.leaked);
	if (_metadata->exit_code != KSFT_PASS) {
		TH_LOG("refused was number %d", nth);
		return FAILED;
	}
	return e->f.injected ? REFUSED : PASSED;
}

static void sweep(struct __test_metadata *_metadata, struct env *e, bool begin,
		  void (*once)(struct __test_metadata *_metadata, struct env *e))
{
	int nth = 0, ended;

	do {
		pid_t pid = fork();

		nth++;
		if (!pid)
			_exit(round_of(_metadata, e, nth, begin, once));
		ended = child_status(pid);
		EXPECT_TRUE(counters_zero());
	} while (ended == REFUSED && nth < MANY);
	EXPECT_EQ(ended, PASSED);
	/* A sweep that refuses nothing finds nothing. */
	EXPECT_GT(nth, 1);
}

/* One sequence: from faults_arm() on the kernel refuses. @begin: with all of @e. */
#define SWEEP_FROM(begin, name)							\
	static void name##_once(struct __test_metadata *_metadata, struct env *e);	\
	TEST_F_TIMEOUT(library, name, 240)					\
	{									\
		sweep(_metadata, &self->e, begin, name##_once);			\
	}									\
	static void name##_once(struct __test_metadata *_metadata, struct env *e)
#define SWEEP(name) SWEEP_FROM(true, name)

/* ---- Start-up ---- */

SWEEP_FROM(false, startup_and_cleanup)
{
	int error;

	faults_arm(&e->f);
	error = TRY_ERROR(e, startup());
	EXPECT_EQ(error, 0);
	EXPECT_EQ(TRY(e, SOCKET_ERROR, WSACleanup()), 0);
	EXPECT_EQ(WSACleanup(), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED);
}

/* ---- Sockets ---- */

SWEEP(socket_bind_listen)
{
	struct sockaddr_in sin = loopback(0);
	SOCKET s;

	faults_arm(&e->f);
	s = TRY(e, INVALID_SOCKET, WSASocketW(AF_INET, SOCK_STREAM, 0, NULL, 0,
					      WSA_FLAG_OVERLAPPED));
	ASSERT_NE(s, INVALID_SOCKET);
	e->f.lowest = lowest_fd();
	EXPECT_EQ(TRY(e, SOCKET_ERROR, wsock_bind(s, sa(&sin), sizeof(sin))), 0);
	EXPECT_EQ(TRY(e, SOCKET_ERROR, wsock_listen(s, 5)), 0);
	faults_disarm(&e->f);
	EXPECT_GE(tcp_connect(local_port(s)), 0);
}

SWEEP(connect)
{
	struct sockaddr_in sin = loopback(local_port(e->l));
	SOCKET s = wsock_socket(AF_INET, SOCK_STREAM, 0);

	faults_arm(&e->f);
	EXPECT_EQ(TRY(e, SOCKET_ERROR, wsock_connect(s, sa(&sin), sizeof(sin))), 0);
	faults_disarm(&e->f);
	EXPECT_EQ(wsock_send(s, "x", 1, 0), 1);
}

/* A connection that was taken and could not be told of is not there any more. */
SWEEP(accept)
{
	struct sockaddr_in from;
	int fromlen = sizeof(from);
	SOCKET s;

	ASSERT_GE(tcp_connect(local_port(e->l)), 0);
	ASSERT_GE(tcp_connect(local_port(e->l)), 0);
	faults_arm(&e->f);
	s = TRY(e, INVALID_SOCKET, wsock_accept(e->l, sa(&from), &fromlen));
	EXPECT_NE(s, INVALID_SOCKET);
	faults_disarm(&e->f);
	EXPECT_EQ(wsock_send(s, "x", 1, 0), 1);
}

SWEEP(names_and_options)
{
	struct sockaddr_in sin;
	int len = sizeof(sin), value = 1, size = sizeof(value), port = local_port(e->peer);
	wsock_u_long on = 1;
	char name[256];

	faults_arm(&e->f);
	EXPECT_EQ(TRY(e, SOCKET_ERROR, wsock_getsockname(e->s, sa(&sin), &len)), 0);
	EXPECT_EQ(TRY(e, SOCKET_ERROR, wsock_getpeername(e->s, sa(&sin), &len)), 0);
	EXPECT_EQ(ntohs(sin.sin_port), port);
	EXPECT_EQ(TRY(e, SOCKET_ERROR, wsock_setsockopt(e->s, SOL_SOCKET, SO_KEEPALIVE,
							(char *)&value, size)), 0);
	value = 0;
	EXPECT_EQ(TRY(e, SOCKET_ERROR, wsock_getsockopt(e->s, SOL_SOCKET, SO_KEEPALIVE,
							(char *)&value, &size)), 0);
	EXPECT_NE(value, 0);
	EXPECT_EQ(TRY(e, SOCKET_ERROR, ioctlsocket(e->s, WSOCK_FIONBIO, &on)), 0);
	EXPECT_EQ(TRY(e, SOCKET_ERROR, ioctlsocket(e->s, WSOCK_FIONREAD, &on)), 0);
	EXPECT_EQ(on, 0);
	EXPECT_EQ(TRY(e, SOCKET_ERROR, wsock_gethostname(name, sizeof(name))), 0);
}

SWEEP(closesocket)
{
	ASSERT_EQ(start_recv(e->s, &e->op, NULL, 8), WSA_IO_PENDING);
	faults_arm(&e->f);
	EXPECT_EQ(TRY(e, SOCKET_ERROR, closesocket(e->s)), 0);
	faults_disarm(&e->f);
	EXPECT_EQ(status(&e->op), STATUS_CONNECTION_ABORTED);
}

SWEEP(duplicate)
{
	WSAPROTOCOL_INFOA info;
	SOCKET s;

	faults_arm(&e->f);
	EXPECT_EQ(TRY(e, SOCKET_ERROR, WSADuplicateSocketA(e->s, getpid(), &info)), 0);
	s = TRY(e, INVALID_SOCKET, WSASocketA(-1, -1, -1, &info, 0, WSA_FLAG_OVERLAPPED));
	EXPECT_NE(s, INVALID_SOCKET);
	faults_disarm(&e->f);
	EXPECT_EQ(wsock_send(s, "x", 1, 0), 1);
}

/* ---- Data ---- */

SWEEP(send_recv)
{
	faults_arm(&e->f);
	EXPECT_EQ(TRY(e, SOCKET_ERROR, wsock_send(e->s, "hello", 5, 0)), 5);
	EXPECT_EQ(TRY(e, -1, send(e->peer, "there", 5, 0)), 5);
	EXPECT_EQ(TRY(e, SOCKET_ERROR, wsock_recv(e->s, e->data, 64, 0)), 5);
	EXPECT_EQ(memcmp(e->data, "there", 5), 0);
	EXPECT_EQ(TRY(e, SOCKET_ERROR, wsock_shutdown(e->s, SD_SEND)), 0);
	faults_disarm(&e->f);
	EXPECT_EQ(recv(e->peer, e->data, 64, 0), 5);
}

/* Two datagrams, as the kernel drops one that it cannot store. */
SWEEP(sendto_recvfrom)
{
	struct sockaddr_in sin = loopback(local_port(e->upeer)), from;
	int fromlen = sizeof(from);

	ASSERT_EQ(send(e->upeer, "there", 5, 0), 5);
	ASSERT_EQ(send(e->upeer, "there", 5, 0), 5);
	faults_arm(&e->f);
	EXPECT_EQ(TRY(e, SOCKET_ERROR, wsock_sendto(e->u, "hello", 5, 0, sa(&sin), sizeof(sin))),
		  5);
	EXPECT_EQ(TRY(e, SOCKET_ERROR, wsock_recvfrom(e->u, e->data, 64, 0, sa(&from), &fromlen)),
		  5);
	faults_disarm(&e->f);
	EXPECT_EQ(ntohs(from.sin_port), local_port(e->upeer));
}

SWEEP(select_and_poll)
{
	WSAPOLLFD fds[2] = {
		{ .fd = e->s, .events = WSOCK_POLLRDNORM }, { .fd = e->u, .events = WSOCK_POLLRDNORM },
	};
	wsock_fd_set set = { .fd_count = 2, .fd_array = { e->s, e->u } };
	struct timeval tv = { .tv_sec = 10 };

	ASSERT_EQ(send(e->peer, "x", 1, 0), 1);
	faults_arm(&e->f);
	EXPECT_EQ(TRY(e, SOCKET_ERROR, WSAPoll(fds, 2, TIMEOUT_MS)), 1);
	EXPECT_EQ(TRY(e, SOCKET_ERROR, wsock_select(0, &set, NULL, NULL, &tv)), 1);
	EXPECT_EQ(set.fd_count, 1);
	EXPECT_EQ(set.fd_array[0], e->s);
}

/* ---- Overlapped operations ---- */

/* Did it end since it was refused something? Then it is begun again. */
static bool refused_status(struct env *e)
{
	return (status(&e->op) == STATUS_ACCESS_VIOLATION ||
		status(&e->op) == STATUS_INSUFFICIENT_RESOURCES) && faults_blame(&e->f);
}

static DWORD transferred(struct env *e)
{
	DWORD bytes = ~0U, flags;

	return WSAGetOverlappedResult(e->s, &e->op.ov, &bytes, TRUE, &flags) ? bytes : ~0U;
}

SWEEP(overlapped_with_event)
{
	WSAEVENT event;

	faults_arm(&e->f);
	event = TRY(e, NULL, WSACreateEvent());
	ASSERT_NE(event, NULL);
	e->f.lowest = lowest_fd();
	EXPECT_EQ(TRY_ERROR(e, start_recv(e->s, &e->op, event, 64)), WSA_IO_PENDING);
	EXPECT_EQ(TRY(e, -1, send(e->peer, "hello", 5, 0)), 5);
	EXPECT_EQ(TRY(e, WSA_WAIT_FAILED, WSAWaitForMultipleEvents(1, &event, TRUE, TIMEOUT_MS,
								   FALSE)), WSA_WAIT_EVENT_0);
	if (refused_status(e))
		EXPECT_EQ(start_recv(e->s, &e->op, event, 64), 0);
	EXPECT_EQ(TRY(e, ~0U, transferred(e)), 5);
	EXPECT_EQ(memcmp(e->op.data, "hello", 5), 0);
	EXPECT_TRUE(TRY(e, FALSE, WSAResetEvent(event)));
	EXPECT_TRUE(TRY(e, FALSE, WSASetEvent(event)));
	faults_disarm(&e->f);
	EXPECT_TRUE(signalled(event));
	EXPECT_TRUE(WSACloseEvent(event));
}

static int send_vectors(struct env *e)
{
	WSABUF bufs[2] = { { .len = 3, .buf = "abc" }, { .len = 2, .buf = "de" } };

	operation_init(&e->op, NULL);
	return WSASend(e->s, bufs, 2, &e->op.bytes, 0, &e->op.ov, NULL) ? WSAGetLastError() : 0;
}

/* TCP waits for memory as for room. */
SWEEP(overlapped_vectors)
{
	int error;

	faults_arm(&e->f);
	error = TRY_ERROR(e, send_vectors(e));
	EXPECT_TRUE(!error || error == WSA_IO_PENDING);
	EXPECT_EQ(TRY(e, ~0U, transferred(e)), 5);
	faults_disarm(&e->f);
	EXPECT_EQ(recv(e->peer, e->data, 64, 0), 5);
}

/* Datagrams with addresses, and two of those that are received: see above. */
SWEEP(messages)
{
	struct sockaddr_in to = loopback(local_port(e->upeer)), from;
	WSABUF out = { .len = 5, .buf = "hello" }, in = { .len = 64, .buf = e->data };
	WSAMSG msg = { .name = sa(&to), .namelen = sizeof(to), .lpBuffers = &out,
		       .dwBufferCount = 1 };
	INT fromlen = sizeof(from);
	DWORD bytes = 0, flags = 0;

	ASSERT_EQ(send(e->upeer, "there", 5, 0), 5);
	ASSERT_EQ(send(e->upeer, "there", 5, 0), 5);
	ASSERT_EQ(send(e->upeer, "there", 5, 0), 5);
	faults_arm(&e->f);
	EXPECT_EQ(TRY(e, SOCKET_ERROR, WSASendTo(e->u, &out, 1, &bytes, 0, sa(&to), sizeof(to),
						 NULL, NULL)), 0);
	EXPECT_EQ(bytes, 5);
	EXPECT_EQ(TRY(e, SOCKET_ERROR, WSASendMsg(e->u, &msg, 0, &bytes, NULL, NULL)), 0);
	EXPECT_EQ(TRY(e, SOCKET_ERROR, WSARecvFrom(e->u, &in, 1, &bytes, &flags, sa(&from), &fromlen,
						   NULL, NULL)), 0);
	EXPECT_EQ(bytes, 5);
	msg.lpBuffers = &in;
	EXPECT_EQ(TRY(e, SOCKET_ERROR, WSARecvMsg(e->u, &msg, &bytes, NULL, NULL)), 0);
	EXPECT_EQ(bytes, 5);
	faults_disarm(&e->f);
	EXPECT_EQ(ntohs(from.sin_port), local_port(e->upeer));
	EXPECT_EQ(ntohs(to.sin_port), local_port(e->upeer));
}

static int control(struct env *e, WSAEVENT event)
{
	wsock_u_long left;

	operation_init(&e->op, event);
	return WSAIoctl(e->s, WSOCK_FIONREAD, NULL, 0, &left, sizeof(left), &e->op.bytes, &e->op.ov,
			NULL) ? WSAGetLastError() : 0;
}

SWEEP(controls)
{
	WSAEVENT event = WSACreateEvent();

	faults_arm(&e->f);
	EXPECT_EQ(TRY_ERROR(e, control(e, event)), 0);
	faults_disarm(&e->f);
	EXPECT_TRUE(signalled(event));
	EXPECT_EQ(status(&e->op), STATUS_SUCCESS);
}

SWEEP(adopted_sockets_and_handles)
{
	int fd = udp_socket();
	HANDLE thread;

	faults_arm(&e->f);
	/* The thread's queue, which is made for the first of these, remains. */
	e->f.lowest = -1;
	EXPECT_EQ(TRY(e, SOCKET_ERROR, wsock_adopt(fd)), 0);
	EXPECT_TRUE(TRY(e, FALSE, DuplicateHandle(GetCurrentProcess(), GetCurrentThread(),
						  GetCurrentProcess(), &thread, 0, FALSE,
						  DUPLICATE_SAME_ACCESS)));
	EXPECT_TRUE(TRY(e, FALSE, CloseHandle(thread)));
	EXPECT_EQ(TRY(e, SOCKET_ERROR, WSASendDisconnect(e->s, NULL)), 0);
}

SWEEP(cancel)
{
	ASSERT_EQ(start_recv(e->s, &e->op, NULL, 64), WSA_IO_PENDING);
	faults_arm(&e->f);
	EXPECT_TRUE(TRY(e, FALSE, CancelIoEx((HANDLE)e->s, &e->op.ov)));
	faults_disarm(&e->f);
	EXPECT_TRUE(cancelled_untouched(&e->op, NULL));
}

static int n_ran;

static void CALLBACK note(DWORD error, DWORD bytes, LPWSAOVERLAPPED ov, DWORD flags)
{
	n_ran++;
}

static int recv_with_routine(struct env *e)
{
	WSABUF buf = { .len = 64, .buf = e->op.data };

	operation_init(&e->op, NULL);
	e->op.flags = 0;
	return WSARecv(e->s, &buf, 1, &e->op.bytes, &e->op.flags, &e->op.ov, note) ?
	       WSAGetLastError() : 0;
}

static void CALLBACK apc(ULONG_PTR data)
{
	n_ran += data;
}

/* Each runs once, whatever was refused. */
SWEEP(routines_and_apcs)
{
	faults_arm(&e->f);
	/* The thread's queue, which is made for the first of these, remains. */
	e->f.lowest = -1;
	EXPECT_EQ(TRY_ERROR(e, recv_with_routine(e)), WSA_IO_PENDING);
	EXPECT_EQ(TRY(e, 0, QueueUserAPC(apc, GetCurrentThread(), 10)), 1);
	EXPECT_EQ(TRY(e, -1, send(e->peer, "hello", 5, 0)), 5);
	for (int i = 0; i < 1000 && n_ran != 11; i++)
		SleepEx(10, TRUE);
	faults_disarm(&e->f);
	EXPECT_EQ(n_ran, 11);
}

SWEEP(ports)
{
	LPOVERLAPPED ov = NULL;
	OVERLAPPED_ENTRY entry;
	ULONG_PTR key = 0;
	DWORD bytes = 0;
	ULONG n = 0;
	HANDLE port;

	faults_arm(&e->f);
	port = TRY(e, NULL, CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1));
	ASSERT_NE(port, NULL);
	e->f.lowest = lowest_fd();
	EXPECT_EQ(TRY(e, NULL, CreateIoCompletionPort((HANDLE)e->s, port, 7, 0)), port);
	EXPECT_TRUE(TRY(e, FALSE, SetFileCompletionNotificationModes((HANDLE)e->s,
						FILE_SKIP_SET_EVENT_ON_HANDLE)));
	EXPECT_TRUE(TRY(e, FALSE, PostQueuedCompletionStatus(port, 3, 4, &e->op.ov)));
	EXPECT_TRUE(TRY(e, FALSE, GetQueuedCompletionStatus(port, &bytes, &key, &ov, 0)));
	EXPECT_EQ(bytes, 3);
	EXPECT_EQ(key, 4);
	EXPECT_EQ(ov, &e->op.ov);
	EXPECT_EQ(TRY_ERROR(e, start_recv(e->s, &e->op, NULL, 64)), WSA_IO_PENDING);
	EXPECT_EQ(TRY(e, -1, send(e->peer, "hello", 5, 0)), 5);
	EXPECT_TRUE(TRY(e, FALSE, GetQueuedCompletionStatusEx(port, &entry, 1, &n, TIMEOUT_MS,
							      FALSE)));
	if (refused_status(e)) {
		EXPECT_EQ(start_recv(e->s, &e->op, NULL, 64), 0);
		EXPECT_TRUE(GetQueuedCompletionStatusEx(port, &entry, 1, &n, 0, FALSE));
	}
	EXPECT_EQ(entry.lpCompletionKey, 7);
	EXPECT_EQ(entry.dwNumberOfBytesTransferred, 5);
	EXPECT_EQ(memcmp(e->op.data, "hello", 5), 0);
	EXPECT_TRUE(TRY(e, FALSE, CloseHandle(port)));
}

SWEEP(event_select)
{
	WSAEVENT event = WSACreateEvent();
	WSANETWORKEVENTS events;

	ASSERT_EQ(send(e->peer, "x", 1, 0), 1);
	faults_arm(&e->f);
	EXPECT_EQ(TRY(e, SOCKET_ERROR, WSAEventSelect(e->s, event, FD_READ)), 0);
	EXPECT_EQ(TRY(e, WSA_WAIT_FAILED, WSAWaitForMultipleEvents(1, &event, TRUE, TIMEOUT_MS,
								   FALSE)), WSA_WAIT_EVENT_0);
	EXPECT_EQ(TRY(e, SOCKET_ERROR, WSAEnumNetworkEvents(e->s, event, &events)), 0);
	EXPECT_EQ(events.lNetworkEvents, FD_READ);
}

/* ---- Extension functions ---- */

static int accept_ex(struct env *e, SOCKET a)
{
	operation_init(&e->op, NULL);
	return AcceptEx(e->l, a, e->op.data, 0, 32, 32, &e->op.bytes, &e->op.ov) ?
	       0 : WSAGetLastError();
}

/* One connection more, for one that is lost. */
SWEEP(accept_ex)
{
	SOCKET a = wsock_socket(AF_INET, SOCK_STREAM, 0);

	ASSERT_GE(tcp_connect(local_port(e->l)), 0);
	ASSERT_GE(tcp_connect(local_port(e->l)), 0);
	faults_arm(&e->f);
	EXPECT_EQ(TRY_ERROR(e, accept_ex(e, a)), WSA_IO_PENDING);
	EXPECT_TRUE(wait_for(status(&e->op) != STATUS_PENDING));
	if (refused_status(e))
		EXPECT_EQ(accept_ex(e, a), WSA_IO_PENDING);
	faults_disarm(&e->f);
	EXPECT_TRUE(wait_for(status(&e->op) == STATUS_SUCCESS));
	EXPECT_EQ(wsock_send(a, "x", 1, 0), 1);
}

static int connect_ex(struct env *e, SOCKET s)
{
	struct sockaddr_in sin = loopback(local_port(e->l));

	operation_init(&e->op, NULL);
	return ConnectEx(s, sa(&sin), sizeof(sin), "hello", 5, &e->op.bytes, &e->op.ov) ?
	       0 : WSAGetLastError();
}

SWEEP(connect_ex)
{
	SOCKET s = bound_socket(SOCK_STREAM);
	int n = -1;

	faults_arm(&e->f);
	EXPECT_EQ(TRY_ERROR(e, connect_ex(e, s)), WSA_IO_PENDING);
	EXPECT_TRUE(wait_for(status(&e->op) != STATUS_PENDING));
	faults_disarm(&e->f);
	/* The connection may be there, and the data may not have been sent. */
	if (status(&e->op) != STATUS_SUCCESS) {
		EXPECT_TRUE(e->f.injected);
		EXPECT_NE(status(&e->op), STATUS_PENDING);
		return;
	}
	/* Before it there may be one that was taken back. */
	for (int i = 0; i < 2 && n < 0; i++)
		n = recv(accept4(e->l, NULL, NULL, SOCK_CLOEXEC), e->data, 64, 0);
	EXPECT_EQ(n, 5);
}

static int transmit(struct env *e, int file)
{
	TRANSMIT_FILE_BUFFERS around = {
		.Head = "head", .HeadLength = 4, .Tail = "tail", .TailLength = 4,
	};

	operation_init(&e->op, NULL);
	e->op.ov.Offset = e->op.ov.OffsetHigh = 0;
	return TransmitFile(e->s, (HANDLE)(uintptr_t)file, 10, 0, &e->op.ov, &around, 0) ?
	       0 : WSAGetLastError();
}

SWEEP(transmit_and_disconnect)
{
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	faults_arm(&e->f);
	EXPECT_EQ(TRY_ERROR(e, transmit(e, file)), WSA_IO_PENDING);
	EXPECT_TRUE(wait_for(status(&e->op) != STATUS_PENDING));
	if (refused_status(e))
		EXPECT_EQ(transmit(e, file), WSA_IO_PENDING);
	EXPECT_TRUE(wait_for(status(&e->op) == STATUS_SUCCESS));
	EXPECT_EQ(e->op.ov.InternalHigh, 18);
	EXPECT_TRUE(TRY(e, FALSE, DisconnectEx(e->s, NULL, 0, 0)));
}

static int transmit_packets(struct env *e, SOCKET s)
{
	TRANSMIT_PACKETS_ELEMENT elements[] = {
		{ .dwElFlags = TP_ELEMENT_MEMORY, .cLength = 5, .pBuffer = "hello" },
		{ .dwElFlags = TP_ELEMENT_MEMORY, .cLength = 5, .pBuffer = "world" },
	};

	operation_init(&e->op, NULL);
	return TransmitPackets(s, elements, 2, 0, &e->op.ov, 0) ? 0 : WSAGetLastError();
}

/* As a stream and as datagrams, of which the first may have been sent. */
SWEEP(transmit_packets)
{
	SOCKET sockets[] = { e->s, e->u };

	faults_arm(&e->f);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(TRY_ERROR(e, transmit_packets(e, sockets[i])), WSA_IO_PENDING);
		EXPECT_TRUE(wait_for(status(&e->op) != STATUS_PENDING));
		if (refused_status(e))
			EXPECT_EQ(transmit_packets(e, sockets[i]), WSA_IO_PENDING);
		EXPECT_TRUE(wait_for(status(&e->op) == STATUS_SUCCESS));
		EXPECT_EQ(e->op.ov.InternalHigh, 10);
	}
}

static int ask_addresses(struct env *e)
{
	operation_init(&e->op, NULL);
	return WSAIoctl(e->s, SIO_ADDRESS_LIST_CHANGE, NULL, 0, NULL, 0, &e->op.bytes,
			&e->op.ov, NULL) ? WSAGetLastError() : 0;
}

SWEEP(addresses_and_flush)
{
	DWORD bytes;

	faults_arm(&e->f);
	EXPECT_EQ(TRY_ERROR(e, ask_addresses(e)), WSA_IO_PENDING);
	EXPECT_EQ(TRY(e, SOCKET_ERROR, WSAIoctl(e->s, SIO_FLUSH, NULL, 0, NULL, 0, &bytes, NULL,
						NULL)), 0);
	EXPECT_EQ(status(&e->op), STATUS_PENDING);
	EXPECT_TRUE(TRY(e, FALSE, CancelIoEx((HANDLE)e->s, &e->op.ov)));
	EXPECT_TRUE(wait_for(status(&e->op) != STATUS_PENDING));
	if (status(&e->op) != STATUS_CANCELLED)
		EXPECT_TRUE(refused_status(e));
}

TEST_HARNESS_MAIN
