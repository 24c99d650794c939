// SPDX-License-Identifier: GPL-2.0
/*
 * WSAStartup and WSACleanup: what they return, what they count, who has to call
 * them first (C1-C6, C11-C17, C36, B, H13).
 */
#include <elf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "winsock.h"
#include "winsock_legacy.h"
#include "kselftest_harness.h"

WINSOCK_FIXTURE(startup);

/* ---- Signature and return value ---- */

TEST_F(startup, C1__both_headers_declare_it)
{
	cleanup_function *modern = WSACleanup;

	EXPECT_EQ(modern, legacy_cleanup());
	EXPECT_EQ(legacy_session(), 0);
	EXPECT_EQ(WSACleanup(), -1);
	EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED);
}

TEST_F(startup, C2__returns_zero_each_time)
{
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(startup(), 0);
	}
	for (int i = 0; i < 3; i++) {
		WSASetLastError(4711);
		EXPECT_EQ(WSACleanup(), 0);
		EXPECT_EQ(WSAGetLastError(), 0);
	}
	EXPECT_TRUE(holds_nothing());
}

static int call_cleanup(struct caller *c)
{
	return WSACleanup();
}

TEST_F(startup, C3__error_belongs_to_the_thread)
{
	struct caller c = { .call = call_cleanup };

	WSASetLastError(7);
	ASSERT_TRUE(caller_start(&c) && caller_join(&c));
	EXPECT_EQ(c.result, SOCKET_ERROR);
	EXPECT_EQ(c.error, WSANOTINITIALISED);
	EXPECT_EQ(WSAGetLastError(), 7);
	EXPECT_EQ(GetLastError(), 7);
}

/* Loops through calls until one of them fails. */
struct looper {
	pthread_t thread;
	unsigned int rounds;
	int in_flight;		/* the error of the call that failed */
	int next;		/* the error of the one after it */
	double stopped;
	bool done;
};

static void *loop(void *arg)
{
	struct sockaddr_in sin = loopback(9);
	struct looper *l = arg;
	int next;

	for (;;) {
		SOCKET s = wsock_socket(AF_INET, SOCK_DGRAM, 0);
		wsock_fd_set set = { .fd_count = 1, .fd_array = { s } };
		struct timeval tv = { .tv_usec = 1000 };

		if (s == INVALID_SOCKET || wsock_connect(s, sa(&sin), sizeof(sin)) ||
		    (wsock_send(s, "x", 1, 0) != 1 && WSAGetLastError() != WSAECONNRESET) ||
		    wsock_select(0, &set, NULL, NULL, &tv) < 0 || closesocket(s))
			break;
		__atomic_fetch_add(&l->rounds, 1, __ATOMIC_RELAXED);
	}
	l->in_flight = WSAGetLastError();
	next = (int)wsock_socket(AF_INET, SOCK_DGRAM, 0);
	l->next = next == -1 ? WSAGetLastError() : 0;
	l->stopped = now_ms();
	__atomic_store_n(&l->done, true, __ATOMIC_RELEASE);
	return NULL;
}

TEST_F(startup, C4__ends_the_calls_of_all_threads)
{
	static struct looper loopers[16];
	int fds;
	double end;

	ASSERT_EQ(startup(), 0);
	fds = fd_count();
	for (int i = 0; i < 16; i++) {
		ASSERT_EQ(pthread_create(&loopers[i].thread, NULL, loop, &loopers[i]), 0);
	}
	for (int i = 0; i < 16; i++) {
		ASSERT_TRUE(wait_for(__atomic_load_n(&loopers[i].rounds, __ATOMIC_RELAXED) > 5));
	}
	ASSERT_EQ(WSACleanup(), 0);
	end = now_ms();
	for (int i = 0; i < 16; i++) {
		struct looper *l = &loopers[i];

		ASSERT_TRUE(wait_for(__atomic_load_n(&l->done, __ATOMIC_ACQUIRE)));
		pthread_join(l->thread, NULL);
		EXPECT_LT(l->stopped - end, 1000);
		/* What was past the gate was cancelled, not told of a bad socket. */
		EXPECT_TRUE(l->in_flight == WSAEINTR || l->in_flight == WSANOTINITIALISED)
			TH_LOG("thread %d: in flight %d", i, l->in_flight);
		EXPECT_EQ(l->next, WSANOTINITIALISED);
	}
	EXPECT_EQ(fd_count(), fds);
	EXPECT_TRUE(holds_nothing());
}

/* ---- Error codes ---- */

TEST_F(startup, C5__not_initialised)
{
	SOCKET s;

	for (int i = 0; i < 3; i++) {
		WSASetLastError(0);
		EXPECT_EQ(WSACleanup(), SOCKET_ERROR);
		EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED);
	}
	/* The count has not gone below zero. */
	ASSERT_EQ(startup(), 0);
	s = wsock_socket(AF_INET, SOCK_STREAM, 0);
	EXPECT_NE(s, INVALID_SOCKET);
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(WSACleanup(), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED);
	ASSERT_EQ(startup(), 0);
	s = wsock_socket(AF_INET, SOCK_STREAM, 0);
	EXPECT_NE(s, INVALID_SOCKET);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(startup, C6__failed_startup_does_not_count)
{
	ASSERT_EQ(startup_version(0, 0), WSAVERNOTSUPPORTED);
	EXPECT_EQ(WSACleanup(), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED);
	ASSERT_EQ(WSAStartup(MAKEWORD(2, 2), NULL), WSAEFAULT);
	EXPECT_EQ(WSACleanup(), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED);
	/* Nor does it take from those that succeeded. */
	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(startup_version(0, 9), WSAVERNOTSUPPORTED);
	EXPECT_NE(wsock_socket(AF_INET, SOCK_STREAM, 0), INVALID_SOCKET);
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(WSACleanup(), SOCKET_ERROR);
}

static struct operation routine_op;
static int routine_calls;

static void CALLBACK count_routine(DWORD error, DWORD bytes, LPWSAOVERLAPPED ov, DWORD flags)
{
	routine_calls += !error && bytes == 1;
}

static int call_recv_one(struct caller *c)
{
	return wsock_recv(c->s, c->arg, 1, 0);
}

TEST_F(startup, C7__network_down)
{
	WSABUF buf = { .len = 1, .buf = routine_op.data };
	struct caller c = { .call = call_recv_one };
	int device, kept, null, peers[2];
	DWORD flags = 0;
	char byte;
	SOCKET s;

	c.arg = &byte;
	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&c.s, &peers[0]), 0);
	ASSERT_EQ(stream_pair(&s, &peers[1]), 0);
	EXPECT_EQ(WSARecv(s, &buf, 1, NULL, &flags, &routine_op.ov, count_routine), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSA_IO_PENDING);
	ASSERT_TRUE(caller_start(&c));
	ASSERT_TRUE(caller_blocked(&c, SYS_recvmsg));

	/* Another file in the device's place. */
	device = library_device();
	kept = fcntl(device, F_DUPFD_CLOEXEC, 200);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	ASSERT_EQ(dup3(null, device, O_CLOEXEC), device);
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(WSACleanup(), SOCKET_ERROR);
		EXPECT_EQ(WSAGetLastError(), WSAENETDOWN);
	}
	EXPECT_EQ(fdinfo(kept, "registrations"), 1);
	EXPECT_EQ(status(&routine_op), STATUS_PENDING);
	EXPECT_FALSE(caller_done(&c));
	ASSERT_EQ(dup3(kept, device, O_CLOEXEC), device);
	close(kept);

	/* As if nothing had been. */
	EXPECT_EQ(send(peers[0], "x", 1, 0), 1);
	ASSERT_TRUE(caller_join(&c));
	EXPECT_EQ(c.result, 1);
	EXPECT_NE(c.next_result, -1);
	EXPECT_EQ(send(peers[1], "x", 1, 0), 1);
	EXPECT_EQ(SleepEx(TIMEOUT_MS, TRUE), WAIT_IO_COMPLETION);
	EXPECT_EQ(routine_calls, 1);
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_TRUE(holds_nothing());
}

/* From now on this ioctl fails with @err. */
static bool fail_ioctl(unsigned int request, int err)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, request, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (err & SECCOMP_RET_DATA)),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = sizeof(filter) / sizeof(filter[0]), .filter = filter };

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

#define LAST_ERRNO 133

TEST_F(startup, C10__no_other_error)
{
	for (int err = 1; err <= LAST_ERRNO; err++) {
		pid_t pid = fork();

		if (!pid) {
			bool ok = !startup() && fail_ioctl(WSOCK_IOC_CLEANUP, err) &&
				  WSACleanup() == SOCKET_ERROR &&
				  WSAGetLastError() == WSAENETDOWN &&
				  fdinfo(library_device(), "registrations") == 1 &&
				  wsock_socket(AF_INET, SOCK_STREAM, 0) != INVALID_SOCKET;

			_exit(ok ? 0 : 1);
		}
		EXPECT_EQ(child_status(pid), 0) TH_LOG("errno %d", err);
	}
}

TEST_F(startup, B5__no_other_error)
{
	for (int err = 1; err <= LAST_ERRNO; err++) {
		pid_t pid = fork();

		if (!pid) {
			int error = fail_ioctl(WSOCK_IOC_STARTUP, err) ? startup() : -1;

			_exit(error == (err == EAGAIN || err == EUSERS ?
						WSAEPROCLIM : WSASYSNOTREADY) &&
			      WSACleanup() && WSAGetLastError() == WSANOTINITIALISED ? 0 : 1);
		}
		EXPECT_EQ(child_status(pid), 0) TH_LOG("errno %d", err);
	}
}

/* ---- The gate ---- */

#define GATED_CALL(name, fail, call)					\
	static long gated_##name(SOCKET s) { return (long)(call); }
WINSOCK_GATED(GATED_CALL)

static const struct gated {
	const char *name;
	long (*call)(SOCKET s);
	long fail;
} gated[] = {
#define GATED_ROW(name, fail, call) { #name, gated_##name, fail },
	WINSOCK_GATED(GATED_ROW)
};

#define N_GATED ((int)(sizeof(gated) / sizeof(gated[0])))

static void expect_gated(struct __test_metadata *_metadata, SOCKET s)
{
	int fds = fd_count();

	for (int i = 0; i < N_GATED; i++) {
		WSASetLastError(4711);
		EXPECT_EQ(gated[i].call(s), gated[i].fail)
			TH_LOG("%s did not fail", gated[i].name);
		EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED)
			TH_LOG("%s has another error", gated[i].name);
		EXPECT_EQ(fd_count(), fds)
			TH_LOG("%s took a descriptor", gated[i].name);
	}
}

TEST_F(startup, C11__gate_before_startup)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	expect_gated(_metadata, INVALID_SOCKET);
	expect_gated(_metadata, fd);
	/* Arguments that are right do not help. */
	EXPECT_EQ(wsock_socket(AF_INET, SOCK_STREAM, 0), INVALID_SOCKET);
	EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED);
	EXPECT_EQ(WSASocketW(AF_INET, SOCK_STREAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED),
		  INVALID_SOCKET);
	EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED);
	EXPECT_EQ(closesocket(fd), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED);
	EXPECT_EQ(fcntl(fd, F_GETFD), 0);
	/* The device was not even opened. */
	EXPECT_EQ(library_device(), -1);
	close(fd);
}

TEST_F(startup, C11__gate_after_cleanup)
{
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_DGRAM);
	ASSERT_NE(s, INVALID_SOCKET);
	/* The same calls with the gate open have other errors. */
	for (int i = 0; i < N_GATED; i++) {
		if (!strcmp(gated[i].name, "WSACleanup") ||
		    !strcmp(gated[i].name, "closesocket"))
			continue;
		WSASetLastError(4711);
		if (gated[i].fail == WSANOTINITIALISED) {
			EXPECT_NE(gated[i].call(INVALID_SOCKET), 0)
				TH_LOG("%s", gated[i].name);
		} else {
			EXPECT_EQ(gated[i].call(INVALID_SOCKET), gated[i].fail)
				TH_LOG("%s", gated[i].name);
		}
		EXPECT_NE(WSAGetLastError(), WSANOTINITIALISED) TH_LOG("%s", gated[i].name);
		EXPECT_NE(WSAGetLastError(), 4711) TH_LOG("%s", gated[i].name);
	}
	ASSERT_EQ(WSACleanup(), 0);
	expect_gated(_metadata, s);
	expect_gated(_metadata, INVALID_SOCKET);
}

TEST_F(startup, C36__stale_socket_meets_the_gate_first)
{
	SOCKET s;
	char c;

	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_DGRAM);
	ASSERT_EQ(WSACleanup(), 0);
	EXPECT_EQ(closesocket(s), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED);
	EXPECT_EQ(wsock_recv(s, &c, 1, 0), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED);
	ASSERT_EQ(startup(), 0);
	EXPECT_EQ(wsock_recv(s, &c, 1, 0), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAENOTSOCK);
	EXPECT_EQ(closesocket(s), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAENOTSOCK);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(startup, B7__works_without_startup)
{
	struct in_addr in = { .s_addr = htonl(INADDR_LOOPBACK) };
	wsock_fd_set set = { .fd_count = 1, .fd_array = { 5 } };
	WSAOVERLAPPED ov = { .Internal = STATUS_CANCELLED, .InternalHigh = 3 };
	WSAEVENT event;
	char text[32];
	DWORD n = 0;

	WSASetLastError(12);
	EXPECT_EQ(WSAGetLastError(), 12);
	SetLastError(13);
	EXPECT_EQ(WSAGetLastError(), 13);
	EXPECT_EQ(wsock_inet_addr("127.0.0.1"), 0x0100007f);
	EXPECT_EQ(wsock_inet_addr(NULL), 0);
	EXPECT_EQ(wsock_inet_addr("x"), INADDR_NONE);
	EXPECT_STREQ(wsock_inet_ntoa(in), "127.0.0.1");
	EXPECT_EQ(wsock_inet_pton(AF_INET, "127.0.0.1", &in), 1);
	EXPECT_STREQ(wsock_inet_ntop(AF_INET, &in, text, sizeof(text)), "127.0.0.1");
	EXPECT_EQ(__WSAFDIsSet(5, &set), 1);
	EXPECT_EQ(__WSAFDIsSet(6, &set), 0);
	event = WSACreateEvent();
	ASSERT_NE(event, WSA_INVALID_EVENT);
	EXPECT_FALSE(signalled(event));
	EXPECT_TRUE(WSASetEvent(event));
	EXPECT_TRUE(signalled(event));
	EXPECT_TRUE(WSAResetEvent(event));
	EXPECT_FALSE(signalled(event));
	EXPECT_TRUE(WSACloseEvent(event));
	/* These are not Winsock's. */
	EXPECT_FALSE(GetOverlappedResult(NULL, &ov, &n, FALSE));
	EXPECT_EQ(GetLastError(), 995);
	EXPECT_EQ(n, 3);
	EXPECT_FALSE(CancelIoEx(INVALID_HANDLE_VALUE, NULL));
	EXPECT_EQ(GetLastError(), 6);
}

/* Every dynamic symbol that the library defines is in one of the three lists. */
TEST_F(startup, B7__lists_are_complete)
{
	static const char *const known[] = {
#define NAME(name, ...) #name,
		WINSOCK_GATED(NAME) WINSOCK_NOT_GATED(NAME) WINSOCK_COMPANIONS(NAME)
	};
	int fd = open("/usr/lib/libwsock.so.1", O_RDONLY | O_CLOEXEC), functions = 0;
	const char *base, *names = NULL;
	const Elf64_Shdr *sections;
	const Elf64_Ehdr *elf;
	off_t size;

	ASSERT_GE(fd, 0);
	size = lseek(fd, 0, SEEK_END);
	base = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	ASSERT_NE(base, MAP_FAILED);
	close(fd);
	elf = (const void *)base;
	sections = (const void *)(base + elf->e_shoff);
	for (int i = 0; i < elf->e_shnum; i++) {
		const Elf64_Sym *sym = (const void *)(base + sections[i].sh_offset);

		if (sections[i].sh_type != SHT_DYNSYM)
			continue;
		names = base + sections[sections[i].sh_link].sh_offset;
		for (size_t j = 0; j < sections[i].sh_size / sizeof(*sym); j++) {
			bool found = false;

			if (sym[j].st_shndx == SHN_UNDEF ||
			    ELF64_ST_TYPE(sym[j].st_info) != STT_FUNC)
				continue;
			functions++;
			for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++)
				found |= !strcmp(names + sym[j].st_name, known[k]);
			EXPECT_TRUE(found)
				TH_LOG("%s is in no list of winsock.h", names + sym[j].st_name);
		}
	}
	EXPECT_EQ(functions, sizeof(known) / sizeof(known[0]));
}

/* ---- The count ---- */

TEST_F(startup, C13__final_cleanup_deregisters)
{
	struct client client;

	EXPECT_FALSE(find_client(getpid(), &client));
	ASSERT_EQ(startup(), 0);
	ASSERT_NE(bound_socket(SOCK_DGRAM), INVALID_SOCKET);
	ASSERT_TRUE(find_client(getpid(), &client));
	EXPECT_EQ(client.registrations, 1);
	EXPECT_EQ(client.sockets, 1);
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_FALSE(find_client(getpid(), &client));
	EXPECT_TRUE(holds_nothing());
}

TEST_F(startup, C14__one_cleanup_for_each_startup)
{
	ASSERT_EQ(startup_version(1, 1), 0);
	ASSERT_EQ(startup_version(2, 2), 0);
	ASSERT_EQ(startup_version(2, 0), 0);
	EXPECT_EQ(fdinfo(library_device(), "registrations"), 3);
	for (int i = 0; i < 3; i++) {
		EXPECT_NE(wsock_socket(AF_INET, SOCK_STREAM, 0), INVALID_SOCKET);
		EXPECT_EQ(WSACleanup(), 0);
	}
	EXPECT_EQ(WSACleanup(), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED);
	EXPECT_TRUE(holds_nothing());
}

static int call_recv(struct caller *c)
{
	return wsock_recv(c->s, c->arg, 16, 0);
}

TEST_F(startup, C15__only_the_final_call_cleans_up)
{
	struct caller c = { .call = call_recv };
	WSAEVENT event = WSACreateEvent();
	struct pollfd pfd = { .events = POLLIN };
	SOCKET blocked, pending;
	struct operation op;
	char data[16] = "";
	int peers[2];

	for (int i = 0; i < 4; i++) {
		ASSERT_EQ(startup(), 0);
	}
	ASSERT_EQ(stream_pair(&blocked, &peers[0]), 0);
	ASSERT_EQ(stream_pair(&pending, &peers[1]), 0);
	c.s = blocked;
	c.arg = data;
	ASSERT_TRUE(caller_start(&c));
	ASSERT_TRUE(caller_blocked(&c, SYS_recvmsg));
	ASSERT_EQ(start_recv(pending, &op, event, 16), WSA_IO_PENDING);

	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(WSACleanup(), 0);
	}
	/* Nothing happens: not to the event, the operation, the thread, the wire. */
	EXPECT_TRUE(stays_unsignalled(event, QUIET_MS));
	EXPECT_EQ(status(&op), STATUS_PENDING);
	EXPECT_EQ(thread_syscall(c.tid), SYS_recvmsg);
	EXPECT_FALSE(caller_done(&c));
	for (int i = 0; i < 2; i++) {
		pfd.fd = peers[i];
		EXPECT_EQ(poll(&pfd, 1, 0), 0);
	}
	/* And all of it still works. */
	EXPECT_EQ(send(peers[0], "hello", 5, 0), 5);
	EXPECT_EQ(send(peers[1], "world", 5, 0), 5);
	ASSERT_TRUE(caller_join(&c));
	EXPECT_EQ(c.result, 5);
	EXPECT_EQ(memcmp(data, "hello", 5), 0);
	EXPECT_NE(c.next_result, -1);
	EXPECT_TRUE(becomes_signalled(event));
	EXPECT_EQ(status(&op), STATUS_SUCCESS);
	EXPECT_EQ(op.ov.InternalHigh, 5);
	EXPECT_EQ(memcmp(op.data, "world", 5), 0);
	EXPECT_EQ(wsock_send(blocked, "x", 1, 0), 1);

	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(peer_end(peers[0]), -ECONNRESET);
	EXPECT_EQ(peer_end(peers[1]), -ECONNRESET);
	EXPECT_TRUE(holds_nothing());
}

TEST_F(startup, C16__earlier_calls_only_count)
{
	struct client before, after;
	struct operation op;
	SOCKET s;
	int peer, dev, fds;
	long generation;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_NE(bound_socket(SOCK_DGRAM), INVALID_SOCKET);
	ASSERT_EQ(start_recv(s, &op, NULL, 16), WSA_IO_PENDING);
	dev = library_device();
	fds = fd_count();
	generation = fdinfo(dev, "generation");
	ASSERT_TRUE(find_client(getpid(), &before));
	EXPECT_EQ(before.registrations, 2);
	EXPECT_EQ(before.sockets, 2);
	EXPECT_EQ(before.operations, 1);

	ASSERT_EQ(WSACleanup(), 0);
	ASSERT_TRUE(find_client(getpid(), &after));
	EXPECT_EQ(after.registrations, 1);
	EXPECT_EQ(after.sockets, before.sockets);
	EXPECT_EQ(after.operations, before.operations);
	EXPECT_EQ(fdinfo(dev, "generation"), generation);
	EXPECT_EQ(fdinfo(dev, "queued"), 1);
	EXPECT_EQ(fd_count(), fds);
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(fdinfo(dev, "generation"), generation + 1);
	EXPECT_EQ(fd_count(), fds - 2);
}

static int call_startup(struct caller *c)
{
	return startup();
}

TEST_F(startup, C17__the_count_is_not_the_threads)
{
	struct caller t1 = { .call = call_startup }, t2 = { .call = call_cleanup };

	ASSERT_TRUE(caller_start(&t1) && caller_join(&t1));
	EXPECT_EQ(t1.result, 0);
	EXPECT_NE(t1.next_result, -1);
	ASSERT_TRUE(caller_start(&t2) && caller_join(&t2));
	EXPECT_EQ(t2.result, 0);
	EXPECT_EQ(wsock_socket(AF_INET, SOCK_STREAM, 0), INVALID_SOCKET);
	EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED);
	EXPECT_TRUE(holds_nothing());
}

static void *start_and_clean(void *arg)
{
	int *failures = arg;

	for (int i = 0; i < 300; i++) {
		SOCKET s;

		if (startup())
			__atomic_fetch_add(failures, 1, __ATOMIC_RELAXED);
		/* This thread's own registration keeps everything alive. */
		s = wsock_socket(AF_INET, SOCK_DGRAM, 0);
		if (s == INVALID_SOCKET || closesocket(s))
			__atomic_fetch_add(failures, 1, __ATOMIC_RELAXED);
		if (WSACleanup())
			__atomic_fetch_add(failures, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

TEST_F(startup, C17__racing_threads_are_in_some_order)
{
	pthread_t threads[4];
	int failures = 0, fds = -1;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(WSACleanup(), 0);
	fds = fd_count();
	for (int i = 0; i < 4; i++) {
		ASSERT_EQ(pthread_create(&threads[i], NULL, start_and_clean, &failures), 0);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(failures, 0);
	EXPECT_EQ(WSACleanup(), SOCKET_ERROR);
	EXPECT_TRUE(holds_nothing());
	EXPECT_EQ(fd_count(), fds);
}

/* ---- WSAStartup in depth ---- */

TEST_F(startup, B1__order_of_checks)
{
	WSADATA data;

	EXPECT_EQ(WSAStartup(MAKEWORD(0, 0), NULL), WSAVERNOTSUPPORTED);
	EXPECT_EQ(WSAStartup(MAKEWORD(0, 2), NULL), WSAVERNOTSUPPORTED);
	WSASetLastError(4711);
	EXPECT_EQ(WSAStartup(MAKEWORD(2, 2), NULL), WSAEFAULT);
	EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED);
	WSASetLastError(4711);
	EXPECT_EQ(WSAStartup(MAKEWORD(0, 2), &data), WSAVERNOTSUPPORTED);
	EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED);
	/* The answer is there all the same. */
	EXPECT_EQ(data.wVersion, MAKEWORD(2, 2));
	EXPECT_EQ(WSAStartup(MAKEWORD(2, 2), &data), 0);
	EXPECT_EQ(WSAGetLastError(), 0);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(startup, B2__negotiation)
{
	WSADATA data;

	for (int major = 0; major < 256; major++) {
		for (int minor = 0; minor < 256; minor += minor < 4 ? 1 : 63) {
			WORD expected = MAKEWORD(2, 2);

			if (major == 1)
				expected = minor ? MAKEWORD(1, 1) : MAKEWORD(1, 0);
			else if (major == 2 && minor < 2)
				expected = MAKEWORD(2, minor);
			memset(&data, 0, sizeof(data));
			EXPECT_EQ(WSAStartup(MAKEWORD(major, minor), &data),
				  major ? 0 : WSAVERNOTSUPPORTED);
			EXPECT_EQ(data.wVersion, expected) TH_LOG("%d.%d", major, minor);
			EXPECT_EQ(data.wHighVersion, MAKEWORD(2, 2));
			EXPECT_EQ(WSACleanup(), major ? 0 : SOCKET_ERROR);
		}
	}
}

TEST_F(startup, B4__wsadata)
{
	char *vendor;
	WSADATA data;

	EXPECT_EQ(sizeof(WSADATA), 408);
	EXPECT_EQ(offsetof(WSADATA, iMaxSockets), 4);
	EXPECT_EQ(offsetof(WSADATA, lpVendorInfo), 8);
	EXPECT_EQ(offsetof(WSADATA, szDescription), 16);
	EXPECT_EQ(offsetof(WSADATA, szSystemStatus), 273);
	for (int major = 1; major <= 2; major++) {
		memset(&data, 0x55, sizeof(data));
		memcpy(&vendor, &data.lpVendorInfo, sizeof(vendor));
		ASSERT_EQ(WSAStartup(MAKEWORD(major, 0), &data), 0);
		EXPECT_EQ(data.wVersion, major);
		EXPECT_STREQ(data.szDescription, "WinSock 2.0");
		EXPECT_STREQ(data.szSystemStatus, "Running");
		EXPECT_EQ(data.iMaxSockets, major == 1 ? 32767 : 0);
		EXPECT_EQ(data.iMaxUdpDg, major == 1 ? 65467 : 0);
		EXPECT_EQ(data.lpVendorInfo, vendor);
		EXPECT_EQ(WSACleanup(), 0);
	}
}

TEST_F(startup, B5__no_device)
{
	/* A root without /dev. */
	ASSERT_EQ(chroot("/tmp"), 0);
	EXPECT_EQ(startup(), WSASYSNOTREADY);
	EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED);
	EXPECT_EQ(WSACleanup(), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED);
}

static bool module(const char *what)
{
	char command[64];

	snprintf(command, sizeof(command), ". /wsock/module.sh; module_%s", what);
	return !system(command);
}

TEST_F(startup, B5__no_module)
{
	int fds = fd_count();

	ASSERT_TRUE(module("unload"));
	EXPECT_EQ(startup(), WSASYSNOTREADY);
	EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED);
	EXPECT_EQ(WSACleanup(), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED);
	EXPECT_EQ(wsock_gethostbyname("127.0.0.1"), NULL);
	EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED);
	EXPECT_EQ(fd_count(), fds);
	ASSERT_TRUE(module("load"));
	EXPECT_EQ(startup(), 0);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(startup, B5__no_permission)
{
	int fds = fd_count();

	/* The group may have the device too. */
	ASSERT_EQ(setresgid(65534, 65534, 65534), 0);
	ASSERT_EQ(setresuid(65534, 65534, 65534), 0);
	EXPECT_EQ(startup(), WSASYSNOTREADY);
	EXPECT_EQ(fd_count(), fds);
}

/* Sets a parameter of the module; returns what it was. */
static unsigned int set_parameter(const char *name, unsigned int value)
{
	unsigned int old = 0;
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/wsock/parameters/%s", name);
	f = fopen(path, "r+e");
	if (!f)
		return 0;
	if (fscanf(f, "%u", &old) != 1)
		old = 0;
	rewind(f);
	fprintf(f, "%u\n", value);
	fclose(f);
	return old;
}

TEST_F(startup, B5__process_limit)
{
	unsigned int old = set_parameter("max_contexts", 0);

	ASSERT_NE(old, 0);
	EXPECT_EQ(startup(), WSAEPROCLIM);
	EXPECT_EQ(set_parameter("max_contexts", old), 0);
	EXPECT_EQ(startup(), 0);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(startup, B5__socket_limits)
{
	struct rlimit limit = { .rlim_cur = fd_count() + 8, .rlim_max = 4096 };
	unsigned int old;
	int fds, made;

	ASSERT_EQ(startup(), 0);
	old = set_parameter("max_sockets", 2);
	ASSERT_NE(old, 0);
	fds = fd_count();
	EXPECT_NE(wsock_socket(AF_INET, SOCK_STREAM, 0), INVALID_SOCKET);
	EXPECT_NE(wsock_socket(AF_INET, SOCK_STREAM, 0), INVALID_SOCKET);
	EXPECT_EQ(wsock_socket(AF_INET, SOCK_STREAM, 0), INVALID_SOCKET);
	EXPECT_EQ(WSAGetLastError(), WSAENOBUFS);
	EXPECT_EQ(fd_count(), fds + 2);
	EXPECT_EQ(set_parameter("max_sockets", old), 2);

	ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (made = 0; made < 64; made++) {
		if (wsock_socket(AF_INET, SOCK_STREAM, 0) == INVALID_SOCKET)
			break;
	}
	EXPECT_EQ(WSAGetLastError(), WSAEMFILE);
	EXPECT_LT(made, 64);
	EXPECT_EQ(WSACleanup(), 0);
}

/* ---- fork and exec ---- */

TEST_F(startup, H13__child_starts_unregistered)
{
	int peer, go[2], fds;
	SOCKET s;
	pid_t pid;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(pipe2(go, O_CLOEXEC), 0);
	fds = fd_count();
	pid = fork();
	if (!pid) {
		int bad = 0, own;
		SOCKET mine;

		bad |= WSACleanup() != SOCKET_ERROR || WSAGetLastError() != WSANOTINITIALISED;
		bad |= (wsock_send(s, "x", 1, 0) != SOCKET_ERROR) << 1;
		bad |= (fd_count() != fds - 1) << 2;	/* without the device */
		/* A life of its own, and its end. */
		bad |= (startup() || stream_pair(&mine, &own)) << 3;
		bad |= (wsock_send(mine, "x", 1, 0) != 1) << 4;
		bad |= (WSACleanup() || peer_end(own) != -ECONNRESET) << 5;
		/* And one that the exit ends. */
		bad |= (startup() || stream_pair(&mine, &own)) << 6;
		_exit(bad);
	}
	EXPECT_EQ(child_status(pid), 0);
	/* The parent's is as it was. */
	EXPECT_EQ(fdinfo(library_device(), "registrations"), 1);
	EXPECT_EQ(wsock_send(s, "y", 1, 0), 1);
	EXPECT_EQ(fd_count(), fds);
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(peer_end(peer), -ECONNRESET);
}

TEST_F(startup, H13__exec_drops_all)
{
	int l = tcp_listener(), peer;
	struct pollfd pfd = { .fd = l, .events = POLLIN };
	pid_t pid = fork();

	if (!pid) {
		struct sockaddr_in sin = loopback(local_port(l));
		SOCKET s;

		if (startup())
			_exit(1);
		s = wsock_socket(AF_INET, SOCK_STREAM, 0);
		if (wsock_connect(s, sa(&sin), sizeof(sin)))
			_exit(2);
		execl("/bin/busybox", "sleep", "60", NULL);
		_exit(3);
	}
	ASSERT_EQ(poll(&pfd, 1, TIMEOUT_MS), 1);
	peer = accept(l, NULL, NULL);
	EXPECT_EQ(peer_end(peer), -ECONNRESET);
	/* The program that was executed lives on. */
	EXPECT_EQ(waitpid(pid, NULL, WNOHANG), 0);
	EXPECT_EQ(kill(pid, SIGKILL), 0);
	EXPECT_EQ(child_status(pid), -1);
}

TEST_HARNESS_MAIN
