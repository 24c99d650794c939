// SPDX-License-Identifier: GPL-2.0
/*
 * WSADuplicateSocket and WSASocket with what it described (C35, D.9, H13, H25):
 * within a process, and between two that this program tells what to do.
 */
#include <limits.h>

#include "winsock.h"
#include "kselftest_harness.h"

/* ---- A process that does what it is told ---- */

struct message {
	char what;
	int arg;
	int result, error;
	WSAPROTOCOL_INFOA info;
};

struct child {
	pid_t pid;
	int to, from;
};

static SOCKET child_socket = INVALID_SOCKET;
static struct operation child_op;
static WSAEVENT child_event;
static struct caller child_caller;

static int call_recv(struct caller *c)
{
	char byte;

	return wsock_recv(c->s, &byte, 1, 0);
}

static int call_poll(struct caller *c)
{
	WSAPOLLFD pfd = { .fd = c->s, .events = WSOCK_POLLRDNORM };

	return WSAPoll(&pfd, 1, -1);
}

static int child_block(int (*call)(struct caller *c), long syscall)
{
	child_caller = (struct caller){ .call = call, .s = child_socket };
	return caller_start(&child_caller) && caller_blocked(&child_caller, syscall) ? 0 : -1;
}

/* A child of the child takes what is the child's. */
static int child_fork_take(struct message *m)
{
	pid_t pid = fork();

	if (!pid) {
		if (startup())
			_exit(1);
		if (WSASocketA(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO,
			       &m->info, 0, WSA_FLAG_OVERLAPPED) != INVALID_SOCKET)
			_exit(2);
		_exit(WSAGetLastError() == WSAEINVAL ? 0 : 3);
	}
	return child_status(pid);
}

static int child_do(struct message *m, int from, int to)
{
	struct sockaddr_in sin = loopback(m->arg);
	char env[64], byte = 'c';
	SOCKET s;

	switch (m->what) {
	case 's': return startup();
	case 'u': return WSACleanup();
	case 'c': return closesocket(child_socket);
	case 'n':
		child_socket = wsock_socket(AF_INET, SOCK_STREAM, 0);
		return wsock_connect(child_socket, sa(&sin), sizeof(sin));
	case 'd': return WSADuplicateSocketA(child_socket, m->arg, &m->info);
	case 't':
		s = WSASocketA(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO,
			       &m->info, 0, WSA_FLAG_OVERLAPPED);
		if (s == INVALID_SOCKET)
			return -1;
		child_socket = s;
		return 0;
	case 'r': return wsock_recv(child_socket, &byte, 1, 0);
	case 'w': return wsock_send(child_socket, &byte, 1, 0);
	case 'o':
		child_event = WSACreateEvent();
		return start_recv(child_socket, &child_op, child_event, 16);
	case 'q': return status(&child_op);
	case 'e': return signalled(child_event);
	case 'b': return child_block(call_recv, SYS_recvmsg);
	case 'p': return child_block(call_poll, SYS_ppoll);
	case 'j':
		if (!caller_join(&child_caller))
			return 77;
		WSASetLastError(child_caller.error);
		return child_caller.result;
	case 'k': return child_fork_take(m);
	case 'f': return fd_count();
	case 'x':
		snprintf(env, sizeof(env), "WSOCK_CHILD=%d %d", from, to);
		execve("/proc/self/exe", (char *[]){ "child", NULL }, (char *[]){ env, NULL });
		return -1;
	}
	return 99;
}

static void child_main(int from, int to)
{
	struct message m;

	while (read(from, &m, sizeof(m)) == sizeof(m)) {
		WSASetLastError(0);
		m.result = child_do(&m, from, to);
		m.error = WSAGetLastError();
		if (write(to, &m, sizeof(m)) != sizeof(m))
			break;
	}
	_exit(0);
}

/* After exec the child goes on where it was. */
static __attribute__((constructor)) void child_again(void)
{
	const char *env = getenv("WSOCK_CHILD");
	struct message m = { .what = 'x' };
	int from, to;

	if (!env || sscanf(env, "%d %d", &from, &to) != 2)
		return;
	if (write(to, &m, sizeof(m)) == sizeof(m))
		child_main(from, to);
	_exit(1);
}

static bool child_start(struct child *c)
{
	int to[2], from[2];

	if (pipe2(to, 0) || pipe2(from, 0))
		return false;
	c->pid = fork();
	if (!c->pid) {
		close(to[1]);
		close(from[0]);
		child_main(to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	/* Children of later forks must not hold these open. */
	c->to = fcntl(to[1], F_DUPFD_CLOEXEC, 0);
	c->from = fcntl(from[0], F_DUPFD_CLOEXEC, 0);
	close(to[1]);
	close(from[0]);
	return true;
}

static void child_kill(struct child *c)
{
	kill(c->pid, SIGKILL);
	waitpid(c->pid, NULL, 0);
	c->pid = 0;
}

static struct message last;	/* the last answer */
static WSAPROTOCOL_INFOA offered;

static bool child_tell(struct child *c, char what, int arg)
{
	struct message m = { .what = what, .arg = arg, .info = offered };

	return write(c->to, &m, sizeof(m)) == sizeof(m);
}

static int child_answer(struct child *c)
{
	struct pollfd pfd = { .fd = c->from, .events = POLLIN };

	memset(&last, 0, sizeof(last));
	if (poll(&pfd, 1, 2 * TIMEOUT_MS) != 1 ||
	    read(c->from, &last, sizeof(last)) != sizeof(last))
		return -99;
	if (last.what == 'd' && !last.result)
		offered = last.info;
	return last.result;
}

static int ask(struct child *c, char what, int arg)
{
	return child_tell(c, what, arg) ? child_answer(c) : -98;
}

static bool peer_quiet(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN | POLLRDHUP };

	return poll(&pfd, 1, QUIET_MS) == 0;
}

/* ---- Two processes, a and b; a is connected to the test's peer ---- */

FIXTURE(processes)
{
	struct child a, b;
	int listener, peer;
};

static bool connect_a(FIXTURE_DATA(processes) *self)
{
	if (ask(&self->a, 'n', local_port(self->listener)))
		return false;
	self->peer = accept4(self->listener, NULL, NULL, SOCK_CLOEXEC);
	return self->peer >= 0;
}

FIXTURE_SETUP(processes)
{
	ASSERT_TRUE(child_start(&self->a));
	ASSERT_TRUE(child_start(&self->b));
	self->listener = tcp_listener();
	ASSERT_EQ(ask(&self->a, 's', 0), 0);
	ASSERT_EQ(ask(&self->b, 's', 0), 0);
	ASSERT_TRUE(connect_a(self));
}

FIXTURE_TEARDOWN(processes)
{
	if (self->a.pid)
		child_kill(&self->a);
	if (self->b.pid)
		child_kill(&self->b);
	close(self->peer);
	close(self->listener);
	EXPECT_TRUE(counters_zero());
}

#define SHARE() do {							\
	ASSERT_EQ(ask(&self->a, 'd', self->b.pid), 0);			\
	ASSERT_EQ(ask(&self->b, 't', 0), 0);				\
} while (0)

#define REFUSED(child, what, arg, code) do {				\
	EXPECT_EQ(ask(child, what, arg), -1);				\
	EXPECT_EQ(last.error, code);					\
} while (0)

/* b has the connection, with the world in order. */
#define B_WORKS() do {							\
	char _c = 0;							\
									\
	EXPECT_EQ(send(self->peer, "p", 1, MSG_NOSIGNAL), 1);		\
	EXPECT_EQ(ask(&self->b, 'r', 0), 1);				\
	EXPECT_EQ(ask(&self->b, 'w', 0), 1);				\
	EXPECT_EQ(recv(self->peer, &_c, 1, 0), 1);			\
	EXPECT_EQ(_c, 'c');						\
} while (0)

TEST_F(processes, C35__lives_over_the_cleanup_of_another)
{
	SHARE();
	ASSERT_EQ(ask(&self->a, 'o', 0), WSA_IO_PENDING);
	ASSERT_EQ(ask(&self->b, 'o', 0), WSA_IO_PENDING);
	EXPECT_EQ(ask(&self->a, 'u', 0), 0);
	/* H25: a's operation is cancelled, b's is not. */
	EXPECT_EQ((uint32_t)ask(&self->a, 'q', 0), STATUS_CANCELLED);
	EXPECT_EQ(ask(&self->a, 'e', 0), FALSE);
	EXPECT_EQ((uint32_t)ask(&self->b, 'q', 0), STATUS_PENDING);
	EXPECT_TRUE(peer_quiet(self->peer));
	EXPECT_EQ(send(self->peer, "p", 1, MSG_NOSIGNAL), 1);
	EXPECT_TRUE(wait_for((uint32_t)ask(&self->b, 'q', 0) == STATUS_SUCCESS));
	B_WORKS();
	/* The last owner resets. */
	EXPECT_EQ(ask(&self->b, 'u', 0), 0);
	EXPECT_EQ(peer_end(self->peer), -ECONNRESET);
}

TEST_F(processes, H19__lives_over_the_death_of_another)
{
	SHARE();
	ASSERT_EQ(ask(&self->a, 'o', 0), WSA_IO_PENDING);
	ASSERT_EQ(ask(&self->b, 'o', 0), WSA_IO_PENDING);
	child_kill(&self->a);
	EXPECT_TRUE(peer_quiet(self->peer));
	EXPECT_EQ((uint32_t)ask(&self->b, 'q', 0), STATUS_PENDING);
	EXPECT_EQ(send(self->peer, "p", 1, MSG_NOSIGNAL), 1);
	EXPECT_TRUE(wait_for((uint32_t)ask(&self->b, 'q', 0) == STATUS_SUCCESS));
	B_WORKS();
	child_kill(&self->b);
	EXPECT_EQ(peer_end(self->peer), -ECONNRESET);
}

TEST_F(processes, D9__operations_end_with_who_began_them)
{
	SHARE();
	ASSERT_EQ(ask(&self->a, 'o', 0), WSA_IO_PENDING);
	ASSERT_EQ(ask(&self->b, 'o', 0), WSA_IO_PENDING);
	EXPECT_EQ(ask(&self->a, 'c', 0), 0);
	EXPECT_TRUE(wait_for((uint32_t)ask(&self->a, 'q', 0) == STATUS_CONNECTION_ABORTED));
	EXPECT_EQ(ask(&self->a, 'e', 0), TRUE);
	/* Not even with a receive cut off is it a's to reset. */
	EXPECT_TRUE(peer_quiet(self->peer));
	EXPECT_EQ((uint32_t)ask(&self->b, 'q', 0), STATUS_PENDING);
	EXPECT_EQ(ask(&self->b, 'c', 0), 0);
	EXPECT_EQ(peer_end(self->peer), -ECONNRESET);
}

/* No reset wakes a's thread, yet it returns. */
TEST_F(processes, C19__blocked_in_a_socket_that_lives_on)
{
	SHARE();
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(ask(&self->a, "bp"[i], 0), 0);
		EXPECT_EQ(ask(&self->a, 'u', 0), 0);
		EXPECT_EQ(ask(&self->a, 'j', 0), SOCKET_ERROR);
		EXPECT_EQ(last.error, WSAEINTR);
		B_WORKS();
		if (i)
			break;
		/* And back again. */
		ASSERT_EQ(ask(&self->a, 's', 0), 0);
		ASSERT_EQ(ask(&self->b, 'd', self->a.pid), 0);
		ASSERT_EQ(ask(&self->a, 't', 0), 0);
	}
}

TEST_F(processes, token__for_one_process_and_once)
{
	struct child third;

	ASSERT_TRUE(child_start(&third));
	ASSERT_EQ(ask(&third, 's', 0), 0);
	ASSERT_EQ(ask(&self->a, 'd', self->b.pid), 0);
	EXPECT_EQ(counter("offers"), 1);
	/* Neither who made it, nor a third, nor a child of the second. */
	REFUSED(&self->a, 't', 0, WSAEINVAL);
	REFUSED(&third, 't', 0, WSAEINVAL);
	child_kill(&third);
	EXPECT_EQ(ask(&self->b, 'k', 0), 0);
	EXPECT_EQ(ask(&self->b, 't', 0), 0);
	EXPECT_EQ(counter("offers"), 0);
	REFUSED(&self->b, 't', 0, WSAEINVAL);
	B_WORKS();
}

TEST_F(processes, token__goes_with_its_source)
{
	/* closesocket, the final cleanup, death: nothing is kept open. */
	ASSERT_EQ(ask(&self->a, 'd', self->b.pid), 0);
	ASSERT_EQ(ask(&self->a, 'c', 0), 0);
	EXPECT_EQ(counter("offers"), 0);
	REFUSED(&self->b, 't', 0, WSAEINVAL);
	EXPECT_EQ(peer_end(self->peer), 0);
	close(self->peer);

	ASSERT_TRUE(connect_a(self));
	ASSERT_EQ(ask(&self->a, 'd', self->b.pid), 0);
	ASSERT_EQ(ask(&self->a, 'u', 0), 0);
	EXPECT_EQ(counter("offers"), 0);
	REFUSED(&self->b, 't', 0, WSAEINVAL);
	EXPECT_EQ(peer_end(self->peer), -ECONNRESET);
	close(self->peer);

	ASSERT_EQ(ask(&self->a, 's', 0), 0);
	ASSERT_TRUE(connect_a(self));
	ASSERT_EQ(ask(&self->a, 'd', self->b.pid), 0);
	child_kill(&self->a);
	EXPECT_EQ(peer_end(self->peer), -ECONNRESET);
	EXPECT_EQ(counter("offers"), 0);
	REFUSED(&self->b, 't', 0, WSAEINVAL);
}

/* What cannot be done now can be done later. */
TEST_F(processes, token__survives_a_failure)
{
	int fds;

	ASSERT_EQ(ask(&self->a, 'd', self->b.pid), 0);
	ASSERT_EQ(ask(&self->b, 'u', 0), 0);
	REFUSED(&self->b, 't', 0, WSANOTINITIALISED);
	ASSERT_EQ(ask(&self->b, 's', 0), 0);
	fds = ask(&self->b, 'f', 0);
	set_param("max_sockets", "0");
	REFUSED(&self->b, 't', 0, WSAENOBUFS);
	set_param("max_sockets", "1048576");
	EXPECT_EQ(ask(&self->b, 'f', 0), fds);
	EXPECT_EQ(ask(&self->b, 't', 0), 0);
	EXPECT_EQ(ask(&self->b, 'f', 0), fds + 1);
	B_WORKS();
}

TEST_F(processes, H13__exec_in_between)
{
	ASSERT_EQ(ask(&self->a, 'd', self->b.pid), 0);
	ASSERT_EQ(ask(&self->b, 'x', 0), 0);
	ASSERT_EQ(last.what, 'x');
	ASSERT_EQ(ask(&self->b, 's', 0), 0);
	EXPECT_EQ(ask(&self->b, 't', 0), 0);
	EXPECT_EQ(ask(&self->a, 'u', 0), 0);
	B_WORKS();
	/* What it took is not for the next program. */
	ASSERT_EQ(ask(&self->b, 'x', 0), 0);
	EXPECT_EQ(peer_end(self->peer), -ECONNRESET);
}

/* b has it, and it works, or b has not, and the connection is reset. */
TEST_F_TIMEOUT(processes, race__cleanup_and_take, 60)
{
	int taken = 0, rounds = 200;

	for (int i = 0; i < rounds; i++) {
		ASSERT_EQ(ask(&self->a, 'd', self->b.pid), 0);
		ASSERT_TRUE(child_tell(i & 1 ? &self->a : &self->b, i & 1 ? 'u' : 't', 0));
		ASSERT_TRUE(child_tell(i & 1 ? &self->b : &self->a, i & 1 ? 't' : 'u', 0));
		ASSERT_EQ(child_answer(&self->a), 0);
		if (child_answer(&self->b) == 0) {
			taken++;
			B_WORKS();
			ASSERT_EQ(ask(&self->b, 'c', 0), 0);
		} else {
			ASSERT_EQ(last.error, WSAEINVAL);
			ASSERT_EQ(peer_end(self->peer), -ECONNRESET);
		}
		close(self->peer);
		ASSERT_EQ(ask(&self->a, 's', 0), 0);
		ASSERT_TRUE(connect_a(self));
	}
	TH_LOG("taken %d of %d", taken, rounds);
}

/* ---- Within one process ---- */

WINSOCK_FIXTURE(duplicate);

static SOCKET duplicate_of(SOCKET s)
{
	WSAPROTOCOL_INFOW info;

	if (WSADuplicateSocketW(s, getpid(), &info))
		return INVALID_SOCKET;
	return WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &info, 0,
			  WSA_FLAG_OVERLAPPED);
}

static void *report_tid(void *arg)
{
	*(pid_t *)arg = gettid();
	pause();
	return NULL;
}

#define FAILS(call, code) do {						\
	WSASetLastError(0);						\
	EXPECT_EQ(call, SOCKET_ERROR) TH_LOG(#call);			\
	EXPECT_EQ(WSAGetLastError(), code) TH_LOG(#call);		\
} while (0)

TEST_F(duplicate, E__arguments)
{
	WSAPROTOCOL_INFOA info;
	WSAPROTOCOL_INFOW wide;
	volatile pid_t tid = 0;
	pthread_t thread;
	pid_t gone;
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	FAILS(WSADuplicateSocketA(INVALID_SOCKET, getpid(), &info), WSAENOTSOCK);
	FAILS(WSADuplicateSocketA(INVALID_SOCKET, 0, NULL), WSAENOTSOCK);
	FAILS(WSADuplicateSocketA(0xdead, getpid(), &info), WSAENOTSOCK);
	FAILS(WSADuplicateSocketA(peer, getpid(), &info), WSAENOTSOCK);
	FAILS(WSADuplicateSocketA(s, 0, &info), WSAEINVAL);
	FAILS(WSADuplicateSocketA(s, ~0u, &info), WSAEINVAL);
	FAILS(WSADuplicateSocketW(s, ~0u, &wide), WSAEINVAL);
	FAILS(WSADuplicateSocketA(s, getpid(), NULL), WSAEFAULT);
	FAILS(WSADuplicateSocketW(s, getpid(), NULL), WSAEFAULT);
	gone = fork();
	if (!gone)
		_exit(0);
	EXPECT_EQ(child_status(gone), 0);
	FAILS(WSADuplicateSocketA(s, gone, &info), WSAEINVAL);
	/* A thread is not a process. */
	ASSERT_EQ(pthread_create(&thread, NULL, report_tid, (void *)&tid), 0);
	ASSERT_TRUE(wait_for(tid));
	FAILS(WSADuplicateSocketA(s, tid, &info), WSAEINVAL);
	memset(&info, POISON, sizeof(info));
	FAILS((int)WSASocketA(-1, -1, -1, &info, 0, 0), WSAEINVAL);
	EXPECT_EQ(counter("offers"), 0);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(duplicate, ioctl__arguments)
{
	struct wsock_duplicate offer = { .fd = -1, .pid = getpid() };
	struct wsock_take take = { .token = 0 };
	int dev, fds[2];

	ASSERT_EQ(tcp_pair(fds), 0);
	dev = dev_open();
	EXPECT_EQ(dev_ioctl(dev, WSOCK_IOC_DUPLICATE, &offer), -EBADFD);
	offer.fd = fds[0];
	EXPECT_EQ(dev_ioctl(dev, WSOCK_IOC_DUPLICATE, &offer), -EBADFD);
	EXPECT_EQ(dev_ioctl(dev, WSOCK_IOC_TAKE, &take), -EBADFD);
	ASSERT_EQ(dev_startup(dev), 0);
	EXPECT_EQ(dev_ioctl(dev, WSOCK_IOC_DUPLICATE, &offer), -ENOTSOCK);
	ASSERT_EQ(dev_adopt(dev, fds[0]), 0);
	EXPECT_EQ(dev_ioctl(dev, WSOCK_IOC_DUPLICATE, NULL), -EFAULT);
	EXPECT_EQ(dev_ioctl(dev, WSOCK_IOC_TAKE, NULL), -EFAULT);
	offer.flags = 1;
	EXPECT_EQ(dev_ioctl(dev, WSOCK_IOC_DUPLICATE, &offer), -EINVAL);
	offer.flags = 0;
	take.flags = 1;
	EXPECT_EQ(dev_ioctl(dev, WSOCK_IOC_TAKE, &take), -EINVAL);
	take.flags = 0;
	EXPECT_EQ(dev_ioctl(dev, WSOCK_IOC_TAKE, &take), -ENOENT);
	offer.fd = -1;
	EXPECT_EQ(dev_ioctl(dev, WSOCK_IOC_DUPLICATE, &offer), -EBADF);
	offer.fd = dev;
	EXPECT_EQ(dev_ioctl(dev, WSOCK_IOC_DUPLICATE, &offer), -ENOTSOCK);
	offer.fd = fds[0];
	for (int pid = -1; pid <= 0; pid++) {
		offer.pid = pid;
		EXPECT_EQ(dev_ioctl(dev, WSOCK_IOC_DUPLICATE, &offer), -ESRCH);
	}
	offer.pid = INT_MIN;
	EXPECT_EQ(dev_ioctl(dev, WSOCK_IOC_DUPLICATE, &offer), -ESRCH);
	offer.pid = getpid();
	EXPECT_EQ(dev_ioctl(dev, WSOCK_IOC_DUPLICATE, &offer), 0);
	EXPECT_NE(offer.token, 0);
	/* Closed by close(2): the offer is there, the connection is not. */
	close(fds[0]);
	EXPECT_EQ(peer_end(fds[1]), 0);
	take.token = offer.token;
	EXPECT_EQ(dev_ioctl(dev, WSOCK_IOC_TAKE, &take), -ENOENT);
	EXPECT_EQ(counter("offers"), 1);
	EXPECT_EQ(dev_cleanup(dev), 1);
	EXPECT_EQ(counter("offers"), 0);
	close(dev);
}

#define MAX_OFFERS	1024

TEST_F(duplicate, offers__are_limited)
{
	WSAPROTOCOL_INFOA info, first;
	SOCKET s, t;

	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_DGRAM);
	t = bound_socket(SOCK_DGRAM);
	ASSERT_EQ(WSADuplicateSocketA(t, getpid(), &first), 0);
	for (int i = 1; i < MAX_OFFERS; i++) {
		ASSERT_EQ(WSADuplicateSocketA(s, getppid(), &info), 0);
	}
	FAILS(WSADuplicateSocketA(s, getppid(), &info), WSAENOBUFS);
	EXPECT_EQ(counter("offers"), MAX_OFFERS);
	EXPECT_NE(WSASocketA(-1, -1, -1, &first, 0, 0), INVALID_SOCKET);
	EXPECT_EQ(WSADuplicateSocketA(t, getppid(), &info), 0);
	FAILS(WSADuplicateSocketA(t, getppid(), &info), WSAENOBUFS);
	EXPECT_EQ(closesocket(s), 0);
	EXPECT_EQ(counter("offers"), 1);
	EXPECT_EQ(WSADuplicateSocketA(t, getppid(), &info), 0);
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(counter("offers"), 0);
}

TEST_F(duplicate, B__description)
{
	WSAPROTOCOL_INFOA info;
	WSAPROTOCOL_INFOW wide;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_DGRAM);
	memset(&info, POISON, sizeof(info));
	ASSERT_EQ(WSADuplicateSocketA(s, getpid(), &info), 0);
	EXPECT_EQ(info.iAddressFamily, AF_INET);
	EXPECT_EQ(info.iSocketType, SOCK_DGRAM);
	EXPECT_EQ(info.iProtocol, IPPROTO_UDP);
	EXPECT_EQ(info.iVersion, 2);
	EXPECT_EQ(info.ProtocolChain.ChainLen, 1);
	EXPECT_EQ(info.iMaxSockAddr, 16);
	EXPECT_EQ(info.iMinSockAddr, 16);
	EXPECT_EQ(info.iNetworkByteOrder, BIGENDIAN);
	EXPECT_EQ(info.dwMessageSize, 65507);
	EXPECT_TRUE(info.dwServiceFlags1 & XP1_CONNECTIONLESS);
	EXPECT_FALSE(info.dwServiceFlags1 & XP1_GUARANTEED_DELIVERY);
	EXPECT_EQ(info.dwServiceFlags2 | info.dwServiceFlags3 | info.dwServiceFlags4, 0);
	EXPECT_STREQ(info.szProtocol, "UDP/IP");
	EXPECT_EQ(info.szProtocol[WSAPROTOCOL_LEN], 0);
	s = wsock_socket(AF_INET6, SOCK_STREAM, 0);
	if (s == INVALID_SOCKET)
		s = wsock_socket(AF_INET, SOCK_STREAM, 0);
	memset(&wide, POISON, sizeof(wide));
	ASSERT_EQ(WSADuplicateSocketW(s, getpid(), &wide), 0);
	EXPECT_EQ(wide.iMaxSockAddr, wide.iAddressFamily == AF_INET6 ? 28 : 16);
	EXPECT_EQ(wide.iSocketType, SOCK_STREAM);
	EXPECT_EQ(wide.iProtocol, IPPROTO_TCP);
	EXPECT_EQ(wide.dwMessageSize, 0);
	EXPECT_TRUE(wide.dwServiceFlags1 & XP1_GUARANTEED_DELIVERY);
	EXPECT_EQ(wide.szProtocol[0], 'T');
	EXPECT_EQ(wide.szProtocol[4], 'I');
	EXPECT_EQ(wide.szProtocol[wide.iAddressFamily == AF_INET6 ? 8 : 6], 0);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(duplicate, D9__only_the_last_descriptor_ends_operations)
{
	struct operation op;
	SOCKET s, t;
	int peer;

	ASSERT_EQ(startup(), 0);
	for (int order = 0; order < 2; order++) {
		ASSERT_EQ(stream_pair(&s, &peer), 0);
		t = duplicate_of(s);
		ASSERT_NE(t, INVALID_SOCKET);
		EXPECT_NE(t, s);
		EXPECT_EQ(fcntl(t, F_GETFD), FD_CLOEXEC);
		/* State and data are one. */
		EXPECT_EQ(wsock_send(t, "x", 1, 0), 1);
		ASSERT_EQ(send(peer, "ab", 2, 0), 2);
		EXPECT_EQ(wsock_recv(s, op.data, 1, 0), 1);
		EXPECT_EQ(wsock_recv(t, op.data + 1, 1, 0), 1);
		EXPECT_EQ(memcmp(op.data, "ab", 2), 0);
		ASSERT_EQ(start_recv(s, &op, NULL, 16), WSA_IO_PENDING);
		EXPECT_EQ(closesocket(order ? s : t), 0);
		EXPECT_EQ(status(&op), STATUS_PENDING);
		FAILS(wsock_send(order ? s : t, "x", 1, 0), WSAENOTSOCK);
		EXPECT_EQ(closesocket(order ? t : s), 0);
		EXPECT_TRUE(wait_for(status(&op) == STATUS_CONNECTION_ABORTED));
		EXPECT_EQ(recv(peer, op.data, 1, 0), 1);
		EXPECT_EQ(peer_end(peer), -ECONNRESET);
	}
	EXPECT_EQ(WSACleanup(), 0);
}

/* The port and the key are the socket's, not the descriptor's. */
TEST_F(duplicate, D5__port_follows)
{
	struct wsock_port_args args = {};
	struct wsock_associate associate;
	struct wsock_packet packet;
	struct wsock_port_get get = { .packets = (unsigned long)&packet, .count = 1,
				      .timeout_ns = TIMEOUT_MS * 1000000LL };
	struct operation op;
	int port, peer;
	SOCKET s, t;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	port = dev_ioctl(library_device(), WSOCK_IOC_PORT, &args);
	ASSERT_GE(port, 0);
	associate = (struct wsock_associate){ .fd = s, .port_fd = port, .key = 125 };
	ASSERT_EQ(dev_ioctl(library_device(), WSOCK_IOC_ASSOCIATE, &associate), 0);
	t = duplicate_of(s);
	associate.fd = t;
	EXPECT_EQ(dev_ioctl(library_device(), WSOCK_IOC_ASSOCIATE, &associate), -EINVAL);
	ASSERT_EQ(start_recv(t, &op, NULL, 16), WSA_IO_PENDING);
	EXPECT_EQ(closesocket(s), 0);
	ASSERT_EQ(send(peer, "abc", 3, 0), 3);
	EXPECT_EQ(dev_ioctl(port, WSOCK_PORT_IOC_GET, &get), 1);
	EXPECT_EQ(packet.key, 125);
	EXPECT_EQ(packet.bytes, 3);
	EXPECT_EQ(packet.ov, (unsigned long)&op.ov);
	close(port);
	EXPECT_EQ(WSACleanup(), 0);
}

#define PAIRS	32

TEST_F(duplicate, C35__duplicates_die_as_well)
{
	SOCKET values[PAIRS * 2];
	int peers[PAIRS], fds;

	ASSERT_EQ(startup(), 0);
	fds = fd_count();
	for (int i = 0; i < PAIRS; i++) {
		ASSERT_EQ(stream_pair(&values[2 * i], &peers[i]), 0);
		values[2 * i + 1] = duplicate_of(values[2 * i]);
		ASSERT_NE(values[2 * i + 1], INVALID_SOCKET);
	}
	ASSERT_EQ(WSACleanup(), 0);
	EXPECT_EQ(fd_count(), fds + PAIRS);
	ASSERT_EQ(startup(), 0);
	for (int i = 0; i < PAIRS; i++) {
		EXPECT_EQ(peer_end(peers[i]), -ECONNRESET);
		FAILS(wsock_send(values[2 * i], "x", 1, 0), WSAENOTSOCK);
		FAILS(wsock_send(values[2 * i + 1], "x", 1, 0), WSAENOTSOCK);
		FAILS(closesocket(values[2 * i + 1]), WSAENOTSOCK);
	}
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_HARNESS_MAIN
