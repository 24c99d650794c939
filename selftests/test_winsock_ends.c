// SPDX-License-Identifier: GPL-2.0
/*
 * Every kind of operation, with every way to be told, ended in every way: which
 * status it has, and how often who is told (C23 to C32, D.3, D.9).
 */
#include "winsock.h"
#include "addresses.h"
#include "kselftest_harness.h"

#define KEY 77
/* For an address of an AcceptEx. */
#define ROOM (sizeof(struct sockaddr_in) + 16)

enum kind {
	TCP_RECV, TCP_SEND, UDP_RECV, UDP_RECVFROM, CONNECT, TRANSMIT, DISCONNECT,
	ACCEPT,			/* AcceptEx that has no connection yet */
	ACCEPT_DATA,		/* one that has, and waits for data */
	ADDRESSES,		/* SIO_ADDRESS_LIST_CHANGE */
	ADDRESSES_TCP,		/* the same of a connected socket */
	KINDS
};
enum told { NOBODY, EVENT, PORT, PORT_AND_EVENT, ROUTINE, WAITER, TOLDS };
enum cause { DATA, CANCEL, CLOSE, CLEANUP, THREAD_EXIT, CAUSES };

static const char *const kinds[] = {
	"recv", "send", "UDP recv", "UDP recvfrom", "ConnectEx", "TransmitFile", "DisconnectEx",
	"AcceptEx", "AcceptEx for data", "addresses", "addresses of a connected socket"
};
static const char *const tolds[] = {
	"nobody", "event", "port", "port and event", "routine", "waiter"
};
static const char *const causes[] = { "data", "CancelIoEx", "closesocket", "WSACleanup", "exit" };

static char big[16 << 20];

struct cell {
	enum kind kind;
	enum told told;
	enum cause cause;
	/* The operation */
	SOCKET s;
	int peer;
	int l, filler;		/* of a ConnectEx: a listener without room */
	int file;		/* of a TransmitFile */
	SOCKET acceptor;	/* of an AcceptEx */
	HANDLE port, event;
	struct operation op;
	struct sockaddr_in from;
	int fromlen;
	/* Its thread */
	pthread_t thread;
	pid_t tid;
	int go[2];
	int error;		/* of the call, 0 while there was none */
	BOOL wait_result;
	DWORD wait_error;
	int routines;
	DWORD routine_error;
};

static __thread struct cell *own_cell;

static void CALLBACK routine(DWORD error, DWORD bytes, LPWSAOVERLAPPED ov, DWORD flags)
{
	own_cell->routines++;
	own_cell->routine_error = ov == &own_cell->op.ov ? error : 1;
}

/* The kinds that know no routines. */
static bool is_extension(enum kind kind)
{
	return kind >= CONNECT && kind < ADDRESSES;
}

static BOOL start_extension(struct cell *c)
{
	struct sockaddr_in sin;

	c->op.ov.Offset = c->op.ov.OffsetHigh = 0;
	switch (c->kind) {
	case CONNECT:
		sin = loopback(local_port(c->l));
		return ConnectEx(c->s, sa(&sin), sizeof(sin), NULL, 0, NULL, &c->op.ov);
	case TRANSMIT:
		return TransmitFile(c->s, (HANDLE)(uintptr_t)c->file, 0, 0, &c->op.ov, NULL, 0);
	case DISCONNECT:
		return DisconnectEx(c->s, &c->op.ov, TF_REUSE_SOCKET, 0);
	default:
		return AcceptEx(c->s, c->acceptor, c->op.data, c->kind == ACCEPT_DATA ? 64 : 0,
				ROOM, ROOM, NULL, &c->op.ov);
	}
}

static int start(struct cell *c)
{
	WSABUF buf = { .len = sizeof(c->op.data), .buf = c->op.data };
	LPWSAOVERLAPPED_COMPLETION_ROUTINE r = c->told == ROUTINE ? routine : NULL;
	int ret;

	operation_init(&c->op, c->told == EVENT || c->told == PORT_AND_EVENT ? c->event : NULL);
	c->op.flags = 0;
	c->fromlen = sizeof(c->from);
	switch (c->kind) {
	case TCP_SEND:
		buf = (WSABUF){ .len = sizeof(big), .buf = big };
		ret = WSASend(c->s, &buf, 1, NULL, 0, &c->op.ov, r);
		break;
	case UDP_RECVFROM:
		ret = WSARecvFrom(c->s, &buf, 1, NULL, &c->op.flags, sa(&c->from), &c->fromlen,
				  &c->op.ov, r);
		break;
	case TCP_RECV:
	case UDP_RECV:
		ret = WSARecv(c->s, &buf, 1, NULL, &c->op.flags, &c->op.ov, r);
		break;
	case ADDRESSES:
	case ADDRESSES_TCP:
		ret = WSAIoctl(c->s, SIO_ADDRESS_LIST_CHANGE, NULL, 0, NULL, 0, &c->op.bytes,
			       &c->op.ov, r);
		break;
	default:
		ret = !start_extension(c);
	}
	return ret ? WSAGetLastError() : -1;
}

static void *cell_main(void *arg)
{
	struct cell *c = arg;
	DWORD n, flags;
	char byte;

	own_cell = c;
	__atomic_store_n(&c->tid, gettid(), __ATOMIC_RELEASE);
	__atomic_store_n(&c->error, start(c), __ATOMIC_RELEASE);
	if (c->cause == THREAD_EXIT)
		return NULL;
	if (c->told == WAITER) {
		c->wait_result = WSAGetOverlappedResult(c->s, &c->op.ov, &n, TRUE, &flags);
		c->wait_error = WSAGetLastError();
	} else if (read(c->go[0], &byte, 1) == 1 && c->told == ROUTINE) {
		SleepEx(20, TRUE);
		SleepEx(0, TRUE);
	}
	return NULL;
}

/* Is it connected, and the operation one of the connection? */
static bool is_stream(const struct cell *c)
{
	return c->kind <= TCP_SEND || c->kind == TRANSMIT || c->kind == DISCONNECT;
}

static int connect_to(SOCKET l)
{
	struct sockaddr_in sin = loopback(local_port((int)l));
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return connect(fd, sa(&sin), sizeof(sin)) ? -1 : fd;
}

static bool cell_start(struct cell *c)
{
	c->event = WSACreateEvent();
	c->peer = c->l = c->filler = c->file = -1;
	if (pipe2(c->go, O_CLOEXEC) || startup())
		return false;
	if ((is_stream(c) || c->kind == ADDRESSES_TCP) && stream_pair(&c->s, &c->peer))
		return false;
	if (c->kind == TRANSMIT) {
		c->file = memfd_create("big", MFD_CLOEXEC);
		if (ftruncate(c->file, sizeof(big)))
			return false;
	}
	if (c->kind == CONNECT) {
		c->l = full_listener(&c->filler);
		c->s = bound_socket(SOCK_STREAM);
	} else if (c->kind == ACCEPT || c->kind == ACCEPT_DATA) {
		c->s = listening_socket();
		c->acceptor = wsock_socket(AF_INET, SOCK_STREAM, 0);
		if (c->kind == ACCEPT_DATA)
			c->peer = connect_to(c->s);
	} else if (!is_stream(c) && c->kind != ADDRESSES_TCP) {
		c->s = bound_socket(SOCK_DGRAM);
	}
	if (c->told == PORT || c->told == PORT_AND_EVENT)
		c->port = CreateIoCompletionPort((HANDLE)c->s, NULL, KEY, 0);
	if (pthread_create(&c->thread, NULL, cell_main, c) ||
	    !wait_for(__atomic_load_n(&c->error, __ATOMIC_ACQUIRE)))
		return false;
	if (c->cause == THREAD_EXIT)
		return !pthread_join(c->thread, NULL);
	return wait_for(thread_syscall(c->tid) == (c->told == WAITER ? SYS_ioctl : SYS_read));
}

/* What the operation waits for. */
static void feed(struct cell *c)
{
	static char sink[1 << 16];
	size_t left = sizeof(big);
	double end = now_ms() + TIMEOUT_MS;

	switch (c->kind) {
	case TCP_RECV:
	case ACCEPT_DATA:
		send(c->peer, "hello", 5, MSG_NOSIGNAL);
		break;
	case ACCEPT:
		c->peer = connect_to(c->s);
		break;
	case CONNECT:
		/* There is room when the SYN comes again. */
		close(accept4(c->l, NULL, NULL, SOCK_CLOEXEC));
		break;
	case DISCONNECT:
		close(c->peer);
		c->peer = -1;
		break;
	case TCP_SEND:
	case TRANSMIT:
		while (left && now_ms() < end) {
			ssize_t n = recv(c->peer, sink, sizeof(sink), MSG_DONTWAIT);

			if (n > 0)
				left -= n;
			else if (c->told == PORT)
				HasOverlappedIoCompleted(&c->op.ov);
		}
		break;
	case ADDRESSES:
	case ADDRESSES_TCP:
		address_change(AF_INET);
		break;
	default:
		datagram_to(c->s, "hello", 5);
	}
}

static void end(struct cell *c)
{
	switch (c->cause) {
	case DATA:
		feed(c);
		break;
	case CANCEL:
		CancelIoEx((HANDLE)c->s, &c->op.ov);
		break;
	case CLOSE:
		closesocket(c->s);
		break;
	case CLEANUP:
		WSACleanup();
		break;
	default:
		break;
	}
}

static uint32_t expected_status(const struct cell *c)
{
	switch (c->cause) {
	case DATA:
		return STATUS_SUCCESS;
	case CLOSE:
		return is_stream(c) ? STATUS_CONNECTION_ABORTED : STATUS_CANCELLED;
	default:
		return STATUS_CANCELLED;
	}
}

/* What GetQueuedCompletionStatus, and the others, call it. */
static DWORD win32_error(uint32_t internal)
{
	return internal == STATUS_SUCCESS ? 4711 :
	       internal == STATUS_CANCELLED ? ERROR_OPERATION_ABORTED : ERROR_CONNECTION_ABORTED;
}

static DWORD wsa_error(uint32_t internal)
{
	return internal == STATUS_SUCCESS ? 0 :
	       internal == STATUS_CANCELLED ? WSA_OPERATION_ABORTED : WSAECONNABORTED;
}

static void try_cell(struct __test_metadata *_metadata, struct cell *c)
{
	uint32_t internal = expected_status(c);
	bool has_port = c->told == PORT || c->told == PORT_AND_EVENT;
	bool has_event = c->told == EVENT || c->told == PORT_AND_EVENT;
	bool told = c->cause != CLEANUP;
	char name[64];

	snprintf(name, sizeof(name), "%s, %s, %s", kinds[c->kind], tolds[c->told],
		 causes[c->cause]);
	ASSERT_TRUE(cell_start(c)) TH_LOG("%s", name);
	EXPECT_EQ(c->error, WSA_IO_PENDING) TH_LOG("%s", name);
	if (c->cause == THREAD_EXIT && c->told == PORT) {
		/* It outlives its thread. */
		EXPECT_EQ(status(&c->op), STATUS_PENDING) TH_LOG("%s", name);
		EXPECT_TRUE(is_none(take_packet(c->port, 0), WAIT_TIMEOUT)) TH_LOG("%s", name);
		feed(c);
		internal = STATUS_SUCCESS;
	}
	end(c);
	/* C25: final as soon as the call that ended it has returned. */
	if (c->cause == DATA || c->cause == THREAD_EXIT)
		EXPECT_TRUE(wait_for(HasOverlappedIoCompleted(&c->op.ov))) TH_LOG("%s", name);
	EXPECT_EQ(status(&c->op), internal) TH_LOG("%s", name);
	if (internal && c->kind != TCP_SEND && c->kind != TRANSMIT) {
		EXPECT_EQ(c->op.ov.InternalHigh, 0) TH_LOG("%s", name);
		EXPECT_TRUE(all_poison(c->op.data, sizeof(c->op.data))) TH_LOG("%s", name);
	}
	if (c->cause != THREAD_EXIT) {
		EXPECT_TRUE(tell(c->go[1]));
		pthread_join(c->thread, NULL);
	}
	if (c->told == WAITER) {
		EXPECT_EQ(c->wait_result, !internal) TH_LOG("%s", name);
		EXPECT_EQ(c->wait_error, wsa_error(internal)) TH_LOG("%s", name);
	}
	if (c->told == ROUTINE) {
		bool runs = told && c->cause != THREAD_EXIT;

		EXPECT_EQ(c->routines, runs) TH_LOG("%s", name);
		if (runs)
			EXPECT_EQ(c->routine_error, wsa_error(internal)) TH_LOG("%s", name);
	}
	/* The event: not for WSACleanup. */
	EXPECT_EQ(signalled(c->event), has_event && told) TH_LOG("%s", name);
	if (c->cause == CLEANUP)
		ASSERT_EQ(startup(), 0);
	if (has_port) {
		struct taken t = take_packet(c->port, TIMEOUT_MS);

		/* H2: the packet, always. */
		EXPECT_EQ(t.ov, &c->op.ov) TH_LOG("%s", name);
		EXPECT_EQ(t.key, KEY) TH_LOG("%s", name);
		EXPECT_EQ(t.ret, !internal) TH_LOG("%s", name);
		EXPECT_EQ(t.error, win32_error(internal)) TH_LOG("%s", name);
		EXPECT_EQ(t.bytes, c->op.ov.InternalHigh) TH_LOG("%s", name);
		/* And no more. */
		EXPECT_TRUE(is_none(take_packet(c->port, 5), WAIT_TIMEOUT)) TH_LOG("%s", name);
		EXPECT_TRUE(CloseHandle(c->port));
	}
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(signalled(c->event), has_event && told) TH_LOG("%s", name);
	EXPECT_EQ(status(&c->op), internal) TH_LOG("%s", name);
	EXPECT_TRUE(WSACloseEvent(c->event));
	close(c->peer);
	close(c->l);
	close(c->filler);
	close(c->file);
	close(c->go[0]);
	close(c->go[1]);
}

WINSOCK_FIXTURE(ends);

static void try_kind(struct __test_metadata *_metadata, enum kind kind)
{
	for (enum told told = 0; told < TOLDS; told++) {
		for (enum cause cause = 0; cause < CAUSES; cause++) {
			struct cell c = { .kind = kind, .told = told, .cause = cause };

			/* Who waits cannot exit. */
			if ((told == WAITER && cause == THREAD_EXIT) ||
			    (told == ROUTINE && is_extension(kind)))
				continue;
			try_cell(_metadata, &c);
		}
	}
}

TEST_F_TIMEOUT(ends, C23__WSASend, 60)
{
	try_kind(_metadata, TCP_SEND);
}

TEST_F_TIMEOUT(ends, C25__WSARecv, 60)
{
	try_kind(_metadata, TCP_RECV);
}

TEST_F_TIMEOUT(ends, C25__WSARecv_of_datagrams, 60)
{
	try_kind(_metadata, UDP_RECV);
}

TEST_F_TIMEOUT(ends, C26__WSARecvFrom, 60)
{
	try_kind(_metadata, UDP_RECVFROM);
}

TEST_F_TIMEOUT(ends, C27__ConnectEx, 120)
{
	try_kind(_metadata, CONNECT);
}

TEST_F_TIMEOUT(ends, C27__TransmitFile, 60)
{
	try_kind(_metadata, TRANSMIT);
}

TEST_F_TIMEOUT(ends, C27__DisconnectEx, 60)
{
	try_kind(_metadata, DISCONNECT);
}

TEST_F_TIMEOUT(ends, C27__AcceptEx, 60)
{
	try_kind(_metadata, ACCEPT);
}

TEST_F_TIMEOUT(ends, C27__AcceptEx_with_data, 60)
{
	try_kind(_metadata, ACCEPT_DATA);
}

TEST_F_TIMEOUT(ends, C27__SIO_ADDRESS_LIST_CHANGE, 60)
{
	try_kind(_metadata, ADDRESSES);
	try_kind(_metadata, ADDRESSES_TCP);
}

TEST_HARNESS_MAIN
