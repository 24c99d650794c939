// SPDX-License-Identifier: GPL-2.0
/*
 * What sandboxes, limits and other processes have to say: what a program under them
 * reaches through the device, and what it does not. docs/wsock.rst, "Security", says
 * the same in words.
 */
#include <grp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/mman.h>

#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>

#include "ports.h"
#include "uring.h"
#include "kselftest_harness.h"

FIXTURE(security)
{
	int dev;
	int s[2];		/* s[0] is owned */
	struct ov ov;
	char buf[64];
};

FIXTURE_SETUP(security)
{
	self->dev = dev_started();
	ASSERT_GE(self->dev, 0);
	ASSERT_EQ(tcp_pair(self->s), 0);
	ASSERT_EQ(dev_adopt(self->dev, self->s[0]), 0);
}

FIXTURE_TEARDOWN(security)
{
	close(self->dev);
	close(self->s[0]);
	close(self->s[1]);
	EXPECT_TRUE(counters_zero());
}

/*
 * Sandboxes are for good, so each test is in a child. A child has no part in its
 * parent's context: it makes its own.
 */
static void own_context(FIXTURE_DATA(security) *self)
{
	close(self->dev);
	close(self->s[0]);
	close(self->s[1]);
	self->dev = dev_started();
	CHILD_EXPECT(self->dev >= 0 && !tcp_pair(self->s) && !dev_adopt(self->dev, self->s[0]));
}

static int own_socket(int dev)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHILD_EXPECT(fd >= 0 && !dev_adopt(dev, fd));
	return fd;
}

static int dev_accept(int dev, int l, int a, char *buf, struct ov *ov)
{
	struct wsock_accept args = { .buffer = (unsigned long)buf, .fd = a };

	return dev_submit(dev, WSOCK_OP_ACCEPT, l, &args, sizeof(args), ov, -1, 0);
}

/* What ConnectEx submits once connect(2) has begun; it has not. */
static bool connect_operation_fails(FIXTURE_DATA(security) *self, int fd)
{
	return dev_submit(self->dev, WSOCK_OP_CONNECT, fd, NULL, 0, &self->ov, -1, 0) ==
	       -EINPROGRESS && !dev_wait(self->dev, &self->ov.st, TIMEOUT_MS) &&
	       ov_status(&self->ov) >= 0xc0000000u && local_port(fd) == 0;
}

/* ---- seccomp ---- */

static void filter(const struct sock_filter *f, unsigned short n)
{
	struct sock_fprog prog = { n, (struct sock_filter *)f };

	CHILD_EXPECT(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHILD_EXPECT(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog));
}

#define LOAD(field)	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define DENY_NR(nr)	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), \
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES)
#define ALLOW		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

TEST_F(security, seccomp__what_it_denies_for_sockets)
{
	static const struct sock_filter no_sockets[] = {
		LOAD(nr),
		DENY_NR(__NR_socket), DENY_NR(__NR_connect), DENY_NR(__NR_bind),
		DENY_NR(__NR_listen), DENY_NR(__NR_accept), DENY_NR(__NR_accept4),
		DENY_NR(__NR_sendto), DENY_NR(__NR_recvfrom), DENY_NR(__NR_sendmsg),
		DENY_NR(__NR_recvmsg),
		ALLOW,
	};
	pid_t pid = fork();

	if (!pid) {
		int l, a, fresh, peer;

		own_context(self);
		l = tcp_listener();
		CHILD_EXPECT(!dev_adopt(self->dev, l));
		a = own_socket(self->dev);
		fresh = own_socket(self->dev);
		peer = tcp_connect(local_port(l));
		filter(no_sockets, sizeof(no_sockets) / sizeof(no_sockets[0]));

		/* No socket comes to be, and none gets an address or a peer. */
		CHILD_EXPECT(socket(AF_INET, SOCK_STREAM, 0) == -1 && errno == EACCES);
		CHILD_EXPECT(connect_operation_fails(self, fresh));
		CHILD_EXPECT(dev_accept(self->dev, fresh, a, self->buf, &self->ov) == -EINVAL);
		/* Those that are there go on; a filter has to forbid the ioctls too. */
		CHILD_EXPECT(send(self->s[0], "x", 1, 0) == -1 && errno == EACCES);
		CHILD_EXPECT(dev_send(self->dev, self->s[0], "x", 1, &self->ov) == 1);
		CHILD_EXPECT(dev_recv(self->dev, self->s[0], self->buf, 1, NULL) == -EINPROGRESS);
		CHILD_EXPECT(accept(l, NULL, NULL) == -1 && errno == EACCES);
		CHILD_EXPECT(dev_accept(self->dev, l, a, self->buf, &self->ov) == -EINPROGRESS);
		CHILD_EXPECT(!dev_wait(self->dev, &self->ov.st, TIMEOUT_MS));
		CHILD_EXPECT(ov_status(&self->ov) == STATUS_SUCCESS && local_port(a) > 0);
		close(peer);
		_exit(0);
	}
	EXPECT_EQ(child_status(pid), 0);
}

TEST_F(security, seccomp__ioctl_number_shuts_the_device)
{
	/* By the type in the number; io_uring is another system call to deny. */
	static const struct sock_filter no_device[] = {
		LOAD(nr),
		DENY_NR(__NR_io_uring_setup),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_ioctl, 0, 4),
		LOAD(args[1]),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xff00),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, WSOCK_IOC_MAGIC << 8, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
		ALLOW,
	};
	pid_t pid = fork();

	if (!pid) {
		struct wsock_features f = { .size = sizeof(f) };
		struct io_uring ring;
		int n;

		own_context(self);
		filter(no_device, sizeof(no_device) / sizeof(no_device[0]));
		CHILD_EXPECT(dev_ioctl(self->dev, WSOCK_IOC_FEATURES, &f) == -EACCES);
		CHILD_EXPECT(dev_send(self->dev, self->s[0], "x", 1, &self->ov) == -EACCES);
		CHILD_EXPECT(ring_init(&ring, &(struct ring_kind)RING_DEFAULT, 4) == -EACCES);
		CHILD_EXPECT(!ioctl(self->s[0], FIONREAD, &n));
		_exit(0);
	}
	EXPECT_EQ(child_status(pid), 0);
}

/* ---- Landlock ---- */

static int landlock_abi(void)
{
	return syscall(__NR_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

/* Without any rule everything that is handled is denied. */
static void landlock(unsigned long long fs, unsigned long long net)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = fs, .handled_access_net = net };
	int fd = syscall(__NR_landlock_create_ruleset, &attr, sizeof(attr), 0);

	CHILD_EXPECT(fd >= 0 && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHILD_EXPECT(!syscall(__NR_landlock_restrict_self, fd, 0));
	close(fd);
}

TEST_F(security, landlock__tcp_connect_and_bind_are_denied)
{
	pid_t pid;

	if (landlock_abi() < 4)
		SKIP(return, "this kernel's Landlock has no rules for TCP");
	pid = fork();
	if (!pid) {
		struct sockaddr_in to;
		struct iovec iov = { "x", 1 };
		struct wsock_msg msg = { .iov = (unsigned long)&iov, .iovlen = 1,
					 .name = (unsigned long)&to, .namelen = sizeof(to) };
		int l, fresh, udp, target;

		own_context(self);
		l = tcp_listener();
		CHILD_EXPECT(!dev_adopt(self->dev, l));
		to = loopback(local_port(l));
		fresh = own_socket(self->dev);
		udp = udp_socket();
		target = udp_socket();
		CHILD_EXPECT(!dev_adopt(self->dev, udp));
		landlock(0, LANDLOCK_ACCESS_NET_BIND_TCP | LANDLOCK_ACCESS_NET_CONNECT_TCP);

		CHILD_EXPECT(connect(fresh, (struct sockaddr *)&to, sizeof(to)) == -1 &&
			     errno == EACCES);
		CHILD_EXPECT(connect_operation_fails(self, fresh));
		/* No send connects: there is no MSG_FASTOPEN, and the address is ignored. */
		CHILD_EXPECT(dev_submit(self->dev, WSOCK_OP_SENDMSG, fresh, &msg, sizeof(msg),
					&self->ov, -1, 0) == -EPIPE);
		to = loopback(0);
		CHILD_EXPECT(bind(fresh, (struct sockaddr *)&to, sizeof(to)) == -1 &&
			     errno == EACCES);
		/* It has no rule for UDP, nor for connections that are there. */
		to = loopback(local_port(target));
		CHILD_EXPECT(dev_submit(self->dev, WSOCK_OP_SENDMSG, udp, &msg, sizeof(msg),
					&self->ov, -1, 0) == 1);
		CHILD_EXPECT(dev_send(self->dev, self->s[0], "x", 1, &self->ov) == 1);
		_exit(0);
	}
	EXPECT_EQ(child_status(pid), 0);
}

TEST_F(security, landlock__accept_is_as_accept_2_is)
{
	pid_t pid;

	if (landlock_abi() < 4)
		SKIP(return, "this kernel's Landlock has no rules for TCP");
	pid = fork();
	if (!pid) {
		int l, a, peers[2];

		own_context(self);
		l = tcp_listener();
		CHILD_EXPECT(!dev_adopt(self->dev, l));
		a = own_socket(self->dev);
		for (int i = 0; i < 2; i++)
			peers[i] = tcp_connect(local_port(l));
		CHILD_EXPECT(peers[0] >= 0 && peers[1] >= 0);
		landlock(0, LANDLOCK_ACCESS_NET_BIND_TCP | LANDLOCK_ACCESS_NET_CONNECT_TCP);
		CHILD_EXPECT(accept(l, NULL, NULL) >= 0);
		CHILD_EXPECT(dev_accept(self->dev, l, a, self->buf, &self->ov) == -EINPROGRESS);
		CHILD_EXPECT(!dev_wait(self->dev, &self->ov.st, TIMEOUT_MS));
		CHILD_EXPECT(ov_status(&self->ov) == STATUS_SUCCESS);
		_exit(0);
	}
	EXPECT_EQ(child_status(pid), 0);
}

TEST_F(security, landlock__files)
{
	pid_t pid;

	if (landlock_abi() < 5)
		SKIP(return, "this kernel's Landlock has no rule for ioctls of devices");
	pid = fork();
	if (!pid) {
		struct io_uring ring;
		int dev;

		own_context(self);
		landlock(LANDLOCK_ACCESS_FS_IOCTL_DEV, 0);
		/* Opened before: as it was. */
		CHILD_EXPECT(dev_send(self->dev, self->s[0], "x", 1, &self->ov) == 1);
		/* Opened since: no ioctl, but commands for what is registered already. */
		dev = dev_open();
		CHILD_EXPECT(dev >= 0 && dev_startup(dev) == -EACCES);
		CHILD_EXPECT(!ring_init(&ring, &(struct ring_kind)RING_DEFAULT, 4));
		prep_wsock(ring_sqe(&ring), dev, WSOCK_OP_SEND, self->s[0], "x", 1, &self->ov, -1, 0);
		CHILD_EXPECT(ring_wait(&ring, NULL) == 1);
		/* A process without an open of before has nothing to submit to. */
		close(self->dev);
		prep_wsock(ring_sqe(&ring), dev, WSOCK_OP_SEND, self->s[0], "x", 1, &self->ov, -1, 0);
		CHILD_EXPECT(ring_wait(&ring, NULL) == -EBADFD);
		landlock(LANDLOCK_ACCESS_FS_READ_FILE, 0);
		CHILD_EXPECT(dev_open() == -1 && errno == EACCES);
		_exit(0);
	}
	EXPECT_EQ(child_status(pid), 0);
}

/* ---- Limits ---- */

#define CGROUP "/sys/fs/cgroup/wsock-test"

static bool cgroup_write(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return ok;
}

static long cgroup_current(void)
{
	char text[32] = "";
	int fd = open(CGROUP "/memory.current", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	close(fd);
	return atol(text);
}

static bool cgroup_make(void)
{
	return cgroup_write("/sys/fs/cgroup/cgroup.subtree_control", "+memory") &&
	       (!mkdir(CGROUP, 0755) || errno == EEXIST);
}

TEST_F(security, memcg__operations_and_packets_are_charged)
{
	pid_t pid;

	if (!cgroup_make())
		SKIP(return, "no memory controller in cgroup 2");
	pid = fork();
	if (!pid) {
		struct wsock_packet p = {};
		int port, n = 20000;
		long before;

		CHILD_EXPECT(cgroup_write(CGROUP "/cgroup.procs", "0"));
		own_context(self);
		port = port_new(self->dev, WSOCK_PORT_UNLIMITED);
		before = cgroup_current();
		for (int i = 0; i < n; i++)
			CHILD_EXPECT(dev_recv(self->dev, self->s[0], self->buf, 1, NULL) ==
				     -EINPROGRESS);
		CHILD_EXPECT(cgroup_current() - before > n * 128L);
		before = cgroup_current();
		for (int i = 0; i < n; i++)
			CHILD_EXPECT(!dev_ioctl(port, WSOCK_PORT_IOC_POST, &p));
		CHILD_EXPECT(cgroup_current() - before > n * 32L);
		_exit(0);
	}
	EXPECT_EQ(child_status(pid), 0);
	rmdir(CGROUP);
}

TEST_F(security, memcg__limit_holds)
{
	int status;
	pid_t pid;

	if (!cgroup_make())
		SKIP(return, "no memory controller in cgroup 2");
	ASSERT_TRUE(cgroup_write(CGROUP "/memory.max", "4M"));
	pid = fork();
	if (!pid) {
		CHILD_EXPECT(cgroup_write(CGROUP "/cgroup.procs", "0"));
		own_context(self);
		/* The module's own limit would come at 256 MiB. */
		while (dev_recv(self->dev, self->s[0], self->buf, 1, NULL) == -EINPROGRESS)
			;
		_exit(0);
	}
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	/* An allocation that failed, or the killer of that group. */
	EXPECT_TRUE(status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
	EXPECT_EQ(dev_send(self->dev, self->s[0], "x", 1, &self->ov), 1);
	rmdir(CGROUP);
}

TEST_F(security, rlimit_nofile__holds_for_ports_and_taken_sockets)
{
	struct wsock_duplicate offer = { .fd = self->s[0] };
	pid_t pid = fork();

	if (!pid) {
		struct wsock_take take = {};
		struct rlimit limit;

		own_context(self);
		offer.fd = self->s[0];
		offer.pid = getpid();
		CHILD_EXPECT(!dev_ioctl(self->dev, WSOCK_IOC_DUPLICATE, &offer));
		take.token = offer.token;
		CHILD_EXPECT(!getrlimit(RLIMIT_NOFILE, &limit));
		limit.rlim_cur = 0;
		CHILD_EXPECT(!setrlimit(RLIMIT_NOFILE, &limit));
		CHILD_EXPECT(port_new(self->dev, 0) == -EMFILE);
		CHILD_EXPECT(dev_ioctl(self->dev, WSOCK_IOC_TAKE, &take) == -EMFILE);
		/* The offer stays. */
		limit.rlim_cur = limit.rlim_max;
		CHILD_EXPECT(!setrlimit(RLIMIT_NOFILE, &limit));
		CHILD_EXPECT(dev_ioctl(self->dev, WSOCK_IOC_TAKE, &take) >= 0);
		_exit(0);
	}
	EXPECT_EQ(child_status(pid), 0);
}

TEST_F(security, caps__are_each_process_s_own)
{
	pid_t pid;

	set_param("max_operations", "2");
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(dev_recv(self->dev, self->s[0], self->buf, 1, NULL), -EINPROGRESS);
	EXPECT_EQ(dev_recv(self->dev, self->s[0], self->buf, 1, NULL), -ENOBUFS);
	pid = fork();
	if (!pid) {
		own_context(self);
		for (int i = 0; i < 2; i++)
			CHILD_EXPECT(dev_recv(self->dev, self->s[0], self->buf, 1, NULL) ==
				     -EINPROGRESS);
		CHILD_EXPECT(dev_recv(self->dev, self->s[0], self->buf, 1, NULL) == -ENOBUFS);
		_exit(0);
	}
	EXPECT_EQ(child_status(pid), 0);
	set_param("max_operations", "1048576");
}

/* ---- Others ---- */

TEST_F(security, foreign__a_ring_that_a_child_inherits)
{
	struct io_uring ring;
	pid_t pid;

	ASSERT_EQ(ring_init(&ring, &(struct ring_kind)RING_DEFAULT, 4), 0);
	pid = fork();
	if (!pid) {
		prep_wsock(ring_sqe(&ring), self->dev, WSOCK_OP_SEND, self->s[0], "x", 1, &self->ov,
			   -1, 0);
		CHILD_EXPECT(ring_wait(&ring, NULL) == -EPERM);
		_exit(0);
	}
	EXPECT_EQ(child_status(pid), 0);
	EXPECT_EQ(recv(self->s[1], self->buf, 1, MSG_DONTWAIT), -1);
	io_uring_queue_exit(&ring);
}

TEST_F(security, foreign__ports_and_offers)
{
	struct wsock_duplicate offer = { .fd = self->s[0], .pid = getpid() };
	int port = port_new(self->dev, 0);
	pid_t pid;

	ASSERT_EQ(dev_ioctl(self->dev, WSOCK_IOC_DUPLICATE, &offer), 0);
	ASSERT_EQ(post(port, 7), 0);
	pid = fork();
	if (!pid) {
		struct wsock_take take = { .token = offer.token };
		struct wsock_associate a = { .port_fd = port };

		own_context(self);
		a.fd = self->s[0];
		CHILD_EXPECT(post(port, 8) == -EPERM && get_key(port, 0) == -EPERM);
		CHILD_EXPECT(shut(port) == -EPERM);
		CHILD_EXPECT(dev_ioctl(self->dev, WSOCK_IOC_ASSOCIATE, &a) == -EPERM);
		CHILD_EXPECT(dev_ioctl(self->dev, WSOCK_IOC_TAKE, &take) == -ENOENT);
		_exit(0);
	}
	EXPECT_EQ(child_status(pid), 0);
	EXPECT_EQ(get_key(port, 0), 7);
	close(port);
}

TEST_F(security, node__is_for_its_owner_and_group)
{
	struct stat st;
	pid_t pid;

	ASSERT_EQ(stat("/dev/wsock", &st), 0);
	EXPECT_EQ(st.st_mode, S_IFCHR | 0660);
	EXPECT_EQ(st.st_uid, 0);
	pid = fork();
	if (!pid) {
		CHILD_EXPECT(!setgroups(0, NULL) && !setresgid(65534, 65534, 65534) &&
			     !setresuid(65534, 65534, 65534));
		CHILD_EXPECT(dev_open() == -1 && errno == EACCES);
		_exit(0);
	}
	EXPECT_EQ(child_status(pid), 0);
	EXPECT_EQ(stat("/sys/module/wsock/parameters/max_operations", &st), 0);
	EXPECT_EQ(st.st_mode & 0222, 0200);
	EXPECT_EQ(stat("/sys/kernel/debug", &st), 0);
	EXPECT_EQ(st.st_mode & 0077, 0);
}

/* ---- 32-bit programs ---- */

/* As such a program calls the kernel; its pointers have 32 bits. */
static long int80(long nr, long a, long b, long c)
{
	long ret;

	asm volatile("int $0x80" : "=a"(ret) : "0"(nr), "b"(a), "c"(b), "d"(c)
		     : "memory", "r8", "r9", "r10", "r11");
	return (int)ret;
}

/* In a child: where there is no such entry it is a fault. */
static bool has_int80(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(int80(20, 0, 0, 0) != getpid());
	return child_status(pid) == 0;
}

TEST_F(security, compat__ioctls_are_refused)
{
	struct wsock_features *f;
	static const unsigned int numbers[] = {
		WSOCK_IOC_FEATURES, WSOCK_IOC_STARTUP, WSOCK_IOC_CLEANUP, WSOCK_IOC_SUBMIT,
		WSOCK_IOC_PORT,
	};
	int port = port_new(self->dev, 0);

	if (!has_int80())
		SKIP(return, "this kernel has no 32-bit system calls");
	f = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	ASSERT_NE(f, MAP_FAILED);
	f->size = sizeof(*f);
	for (int i = 0; i < 5; i++)
		EXPECT_EQ(int80(54, self->dev, numbers[i], (long)f), -ENOTTY);
	EXPECT_EQ(int80(54, port, WSOCK_PORT_IOC_CLOSE, 0), -ENOTTY);
	/* Nothing of it had an effect. */
	EXPECT_EQ(f->features, 0);
	EXPECT_EQ(fdinfo(self->dev, "registrations"), 1);
	EXPECT_EQ(post(port, 1), 0);
	close(port);
}

TEST_F(security, compat__commands_are_refused)
{
	struct io_uring_params *p;
	struct io_uring_cqe *cqe;
	struct io_uring ring;
	long fd;

	if (!has_int80())
		SKIP(return, "this kernel has no 32-bit system calls");
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	ASSERT_NE(p, MAP_FAILED);
	/* The ring knows for ever what kind of program made it. */
	fd = int80(425, 4, (long)p, 0);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(io_uring_queue_mmap(fd, p, &ring), 0);
	ring.ring_fd = ring.enter_ring_fd = fd;
	prep_wsock(ring_sqe(&ring), self->dev, WSOCK_OP_SEND, self->s[0], "x", 1, &self->ov, -1, 0);
	ASSERT_EQ(io_uring_submit(&ring), 1);
	ASSERT_EQ(io_uring_peek_cqe(&ring, &cqe), 0);
	EXPECT_EQ(cqe->res, -EOPNOTSUPP);
	EXPECT_EQ(recv(self->s[1], self->buf, 1, MSG_DONTWAIT), -1);
	io_uring_queue_exit(&ring);
}

TEST_HARNESS_MAIN
