// SPDX-License-Identifier: GPL-2.0
/*
 * The context: registrations, who may use it, the causes of a final release,
 * and bad input at every door.
 */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>

#include "device.h"
#include "kselftest_harness.h"

FIXTURE(context)
{
	int dev;
};

FIXTURE_SETUP(context)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
}

FIXTURE_TEARDOWN(context)
{
	close(self->dev);
	EXPECT_TRUE(counters_zero());
}

TEST_F(context, features__probe)
{
	struct wsock_features f = { .size = sizeof(f) };

	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_FEATURES, &f), 0);
	EXPECT_EQ(f.size, sizeof(f));
	EXPECT_EQ(f.features, WSOCK_FEATURE_URING_CMD | WSOCK_FEATURE_SUBMIT |
			      WSOCK_FEATURE_EVENTS | WSOCK_FEATURE_PORTS |
			      WSOCK_FEATURE_DUPLICATE | WSOCK_FEATURE_PEEK);
	EXPECT_EQ(f.ops, 0x557e);
}

TEST_F(context, features__larger_struct)
{
	struct {
		struct wsock_features f;
		__u64 more;
	} arg = { .f.size = sizeof(arg) };

	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_FEATURES, &arg), 0);
	EXPECT_EQ(arg.f.size, sizeof(arg.f));
	arg.f.size = sizeof(arg);
	arg.more = 1;
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_FEATURES, &arg), -E2BIG);
}

TEST_F(context, features__bad)
{
	struct wsock_features f = { .size = sizeof(f) - 1 };

	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_FEATURES, &f), -EINVAL);
	f = (struct wsock_features){ .size = sizeof(f), .flags = 1 };
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_FEATURES, &f), -EINVAL);
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_FEATURES, NULL), -EFAULT);
}

TEST_F(context, registrations__balance)
{
	EXPECT_EQ(dev_cleanup(self->dev), -EBADFD);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(dev_startup(self->dev), 0);
	EXPECT_EQ(fdinfo(self->dev, "registrations"), 3);
	EXPECT_EQ(dev_cleanup(self->dev), 0);
	EXPECT_EQ(dev_cleanup(self->dev), 0);
	EXPECT_EQ(dev_cleanup(self->dev), 1);
	EXPECT_EQ(dev_cleanup(self->dev), -EBADFD);
	EXPECT_EQ(fdinfo(self->dev, "generation"), 1);
	EXPECT_EQ(dev_startup(self->dev), 0);
	EXPECT_EQ(dev_cleanup(self->dev), 1);
}

TEST_F(context, registrations__count_per_open)
{
	int other = dev_open();

	ASSERT_EQ(dev_startup(self->dev), 0);
	/* One context, but each open gives back only its own. */
	EXPECT_EQ(dev_cleanup(other), -EBADFD);
	ASSERT_EQ(dev_startup(other), 0);
	EXPECT_EQ(fdinfo(other, "registrations"), 2);
	EXPECT_EQ(dev_cleanup(self->dev), 0);
	EXPECT_EQ(dev_cleanup(self->dev), -EBADFD);
	EXPECT_EQ(dev_cleanup(other), 1);
	close(other);
}

TEST_F(context, registrations__go_with_their_open)
{
	int other = dev_started(), fds[2];

	ASSERT_EQ(dev_startup(other), 0);
	ASSERT_EQ(dev_startup(self->dev), 0);
	ASSERT_EQ(tcp_pair(fds), 0);
	ASSERT_EQ(dev_adopt(other, fds[0]), 0);
	EXPECT_EQ(close(other), 0);
	EXPECT_EQ(fdinfo(self->dev, "registrations"), 1);
	EXPECT_EQ(fdinfo(self->dev, "sockets"), 1);
	EXPECT_EQ(dev_cleanup(self->dev), 1);
	EXPECT_EQ(peer_end(fds[1]), -ECONNRESET);
	close(fds[1]);
}

TEST_F(context, close__last_descriptor_releases)
{
	int dup = fcntl(self->dev, F_DUPFD_CLOEXEC, 0), fds[2];

	ASSERT_EQ(dev_startup(self->dev), 0);
	ASSERT_EQ(tcp_pair(fds), 0);
	ASSERT_EQ(dev_adopt(self->dev, fds[0]), 0);
	EXPECT_EQ(close(self->dev), 0);
	EXPECT_EQ(fdinfo(dup, "sockets"), 1);
	EXPECT_EQ(send(fds[1], "x", 1, 0), 1);
	EXPECT_EQ(close(dup), 0);
	EXPECT_EQ(peer_end(fds[1]), -ECONNRESET);
	close(fds[0]);
	close(fds[1]);
	self->dev = -1;
}

static void ignore(int signal)
{
}

TEST_F(context, open__is_not_interrupted)
{
	struct sigaction sa = { .sa_handler = ignore };
	struct itimerval soon = {}, never = {};

	ASSERT_EQ(sigaction(SIGALRM, &sa, NULL), 0);
	for (int i = 0; i < 600; i++) {
		/* The first open is what makes the context. */
		close(self->dev);
		soon.it_value.tv_usec = 1 + i % 200;
		ASSERT_EQ(setitimer(ITIMER_REAL, &soon, NULL), 0);
		self->dev = dev_open();
		ASSERT_GE(self->dev, 0) TH_LOG("round %d: %d", i, errno);
	}
	ASSERT_EQ(setitimer(ITIMER_REAL, &never, NULL), 0);
}

TEST_F(context, adopt__gate_and_bad_input)
{
	struct wsock_socket_args args = { .flags = 1 };
	int fds[2], u = socket(AF_UNIX, SOCK_STREAM, 0);

	ASSERT_EQ(tcp_pair(fds), 0);
	EXPECT_EQ(dev_adopt(self->dev, fds[0]), -EBADFD);
	ASSERT_EQ(dev_startup(self->dev), 0);
	EXPECT_EQ(dev_adopt(self->dev, -1), -EBADF);
	EXPECT_EQ(dev_adopt(self->dev, 1 << 20), -EBADF);
	EXPECT_EQ(dev_adopt(self->dev, self->dev), -ENOTSOCK);
	EXPECT_EQ(dev_adopt(self->dev, u), -EAFNOSUPPORT);
	args.fd = fds[0];
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_ADOPT, &args), -EINVAL);
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_ADOPT, NULL), -EFAULT);
	EXPECT_EQ(fdinfo(self->dev, "sockets"), 0);
	EXPECT_EQ(dev_adopt(self->dev, fds[0]), 0);
	EXPECT_EQ(dev_adopt(self->dev, fds[0]), 0);
	EXPECT_EQ(fdinfo(self->dev, "sockets"), 1);
	close(u);
	close(fds[1]);
}

TEST_F(context, close_socket__gate_and_bad_input)
{
	struct wsock_socket_args args = { .flags = 1 };
	int fds[2];

	ASSERT_EQ(tcp_pair(fds), 0);
	EXPECT_EQ(dev_closesocket(self->dev, fds[0]), -EBADFD);
	ASSERT_EQ(dev_startup(self->dev), 0);
	EXPECT_EQ(dev_closesocket(self->dev, fds[0]), -ENOTSOCK);
	EXPECT_EQ(dev_closesocket(self->dev, self->dev), -ENOTSOCK);
	EXPECT_EQ(dev_closesocket(self->dev, -1), -EBADF);
	args.fd = fds[0];
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_CLOSE, &args), -EINVAL);
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_CLOSE, NULL), -EFAULT);
	EXPECT_EQ(send(fds[0], "x", 1, 0), 1);
	close(fds[0]);
	close(fds[1]);
}

TEST_F(context, cancel__gate_and_bad_input)
{
	struct wsock_cancel args = { .flags = 2 };
	int fds[2], x;

	ASSERT_EQ(tcp_pair(fds), 0);
	EXPECT_EQ(dev_cancel(self->dev, fds[0], &x), -EBADFD);
	ASSERT_EQ(dev_startup(self->dev), 0);
	EXPECT_EQ(dev_cancel(self->dev, fds[0], &x), -ENOTSOCK);
	EXPECT_EQ(dev_cancel(self->dev, self->dev, &x), -ENOTSOCK);
	EXPECT_EQ(dev_cancel(self->dev, -1, &x), -EBADF);
	ASSERT_EQ(dev_adopt(self->dev, fds[0]), 0);
	EXPECT_EQ(dev_cancel(self->dev, fds[0], &x), -ENOENT);
	args.fd = fds[0];
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_CANCEL, &args), -EINVAL);
	args.flags = WSOCK_CANCEL_ALL;
	args.ov = 8;
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_CANCEL, &args), -EINVAL);
	args.ov = 0;
	args.flags = WSOCK_CANCEL_ALL | WSOCK_CANCEL_THREAD | WSOCK_CANCEL_SENDS;
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_CANCEL, &args), -EINVAL);
	args.flags = WSOCK_CANCEL_SENDS;
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_CANCEL, &args), -EINVAL);
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_CANCEL, NULL), -EFAULT);
	close(fds[1]);
}

TEST_F(context, ioctl__bad_numbers_and_arguments)
{
	EXPECT_EQ(dev_ioctl(self->dev, _IO(WSOCK_IOC_MAGIC, 99), NULL), -ENOTTY);
	EXPECT_EQ(dev_ioctl(self->dev, 0, NULL), -ENOTTY);
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_STARTUP, self), -EINVAL);
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_CLEANUP, self), -EINVAL);
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_WAIT, NULL), -EFAULT);
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_SUBMIT, NULL), -EFAULT);
	EXPECT_EQ(fdinfo(self->dev, "registrations"), 0);
}

FIXTURE(submit)
{
	int dev;
	int s[2];
	char buf[64];
	struct ov ov;
	struct wsock_submit good;
};

FIXTURE_SETUP(submit)
{
	self->dev = dev_started();
	ASSERT_GE(self->dev, 0);
	ASSERT_EQ(tcp_pair(self->s), 0);
	ASSERT_EQ(dev_adopt(self->dev, self->s[0]), 0);
	ASSERT_EQ(send(self->s[1], "0123456789", 10, 0), 10);
	ov_init(&self->ov);
	self->good = (struct wsock_submit){
		.op = WSOCK_OP_RECV,
		.fd = self->s[0],
		.addr = (unsigned long)self->buf,
		.len = 1,
		.cmd = {
			.ov = (unsigned long)&self->ov.st,
			.flags = WSOCK_CMD_STATUS,
		},
	};
}

FIXTURE_TEARDOWN(submit)
{
	/* Whatever was refused lost nothing. */
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_SUBMIT, &self->good), 1);
	EXPECT_EQ(self->buf[0], '0');
	EXPECT_TRUE(ov_intact(&self->ov));
	close(self->s[1]);
	close(self->dev);
	EXPECT_TRUE(counters_zero());
	close(self->s[0]);
}

#define REFUSED(err, field, value) do {						\
	struct wsock_submit bad = self->good;					\
										\
	bad.field = value;							\
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_SUBMIT, &bad), err)		\
		TH_LOG(#field " = " #value);					\
	EXPECT_EQ(ov_status(&self->ov), STATUS_PENDING);			\
} while (0)

TEST_F(submit, bad_fields)
{
	int u = udp_socket();

	REFUSED(-EOPNOTSUPP, op, 0);
	REFUSED(-EOPNOTSUPP, op, 7);
	REFUSED(-EOPNOTSUPP, op, ~0u);
	REFUSED(-EBADF, fd, -1);
	REFUSED(-EBADF, fd, 1 << 20);
	REFUSED(-ENOTSOCK, fd, self->dev);
	REFUSED(-ENOTSOCK, fd, self->s[1]);	/* a socket, not owned */
	REFUSED(-EFAULT, addr, ~0ull - 100);
	REFUSED(-EINVAL, tag, 1);		/* without WSOCK_CMD_APC */
	REFUSED(-EINVAL, key, 1);
	REFUSED(-EINVAL, cmd.flags, WSOCK_CMD_STATUS | WSOCK_CMD_APC | WSOCK_CMD_EVENT);
	REFUSED(-EINVAL, cmd.flags, 0x8001);
	REFUSED(-EINVAL, cmd.event_fd, 3);	/* without WSOCK_CMD_EVENT */
	REFUSED(-EINVAL, cmd.msg_flags, MSG_ERRQUEUE);
	REFUSED(-EINVAL, cmd.msg_flags, MSG_DONTROUTE);
	REFUSED(-EINVAL, cmd.ov, (unsigned long)&self->ov.st + 4);
	REFUSED(-EFAULT, cmd.ov, ~0ull & ~7ull);
	REFUSED(-EOPNOTSUPP, cmd.msg_flags, MSG_WAITALL | MSG_PEEK);
	close(u);
}

TEST_F(submit, bad_events)
{
	struct wsock_submit bad = self->good;

	bad.cmd.flags |= WSOCK_CMD_EVENT;
	bad.cmd.event_fd = -1;
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_SUBMIT, &bad), -EBADF);
	bad.cmd.event_fd = self->s[0];
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_SUBMIT, &bad), -EINVAL);
}

TEST_F(submit, bad_messages)
{
	struct iovec iov = { self->buf, 1 };
	struct wsock_msg good = { .iov = (unsigned long)&iov, .iovlen = 1 }, msg;
	struct wsock_submit submit = self->good;

	submit.op = WSOCK_OP_RECVMSG;
	submit.addr = (unsigned long)&msg;
	submit.len = sizeof(msg);
#define BAD_MSG(err, field, value) do {						\
	msg = good;								\
	msg.field = value;							\
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_SUBMIT, &submit), err)	\
		TH_LOG(#field " = " #value);					\
} while (0)
	BAD_MSG(-EINVAL, pad, 1);
	BAD_MSG(-EINVAL, iovlen, 1025);
	BAD_MSG(-EFAULT, iov, 8);
	BAD_MSG(-EINVAL, namelen, 16);
	BAD_MSG(-EINVAL, controllen, 16);
	BAD_MSG(-EINVAL, controllen, ~0u);
	iov.iov_len = ~0ul;
	BAD_MSG(-EINVAL, iov, good.iov);
	iov.iov_len = 1;
	msg = good;
	submit.len--;
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_SUBMIT, &submit), -EINVAL);
	submit.len++;
	submit.addr = 8;
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_SUBMIT, &submit), -EFAULT);

	submit.addr = (unsigned long)&msg;
	submit.op = WSOCK_OP_SENDMSG;
	BAD_MSG(-EINVAL, namelen_out, (unsigned long)self->buf);
	BAD_MSG(-EINVAL, controllen_out, (unsigned long)self->buf);
	BAD_MSG(-EINVAL, flags_out, (unsigned long)self->buf);
	good.name = (unsigned long)self->buf;
	BAD_MSG(-EINVAL, namelen, 4096);
	good.name = 8;
	BAD_MSG(-EFAULT, namelen, 16);
	good.name = 0;
	good.control = 8;
	BAD_MSG(-EFAULT, controllen, 32);
	good.control = (unsigned long)self->buf;
	BAD_MSG(-EINVAL, controllen, 4097);
}

TEST_F(submit, before_startup_and_after_cleanup)
{
	int other;

	ASSERT_EQ(dev_cleanup(self->dev), 1);
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_SUBMIT, &self->good), -EBADFD);
	EXPECT_EQ(dev_cancel(self->dev, self->s[0], NULL), -EBADFD);
	EXPECT_EQ(dev_closesocket(self->dev, self->s[0]), -EBADFD);
	EXPECT_EQ(dev_adopt(self->dev, self->s[1]), -EBADFD);
	EXPECT_EQ(fcntl(self->s[0], F_GETFD), -1);
	ASSERT_EQ(dev_startup(self->dev), 0);
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_SUBMIT, &self->good), -EBADF);
	/* The number again, for another socket. */
	close(self->s[1]);
	ASSERT_EQ(tcp_pair(self->s), 0);
	other = self->s[0];
	self->good.fd = other;
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_SUBMIT, &self->good), -ENOTSOCK);
	ASSERT_EQ(dev_adopt(self->dev, other), 0);
	ASSERT_EQ(send(self->s[1], "0123456789", 10, 0), 10);
}

static int child_status(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST_F(submit, fork_child_is_refused)
{
	pid_t pid = fork();

	if (!pid) {
		struct wsock_features f = { .size = sizeof(f) };
		int own;

		CHILD_EXPECT(dev_ioctl(self->dev, WSOCK_IOC_FEATURES, &f) == -EPERM);
		CHILD_EXPECT(dev_startup(self->dev) == -EPERM);
		CHILD_EXPECT(dev_cleanup(self->dev) == -EPERM);
		CHILD_EXPECT(dev_adopt(self->dev, self->s[0]) == -EPERM);
		CHILD_EXPECT(dev_closesocket(self->dev, self->s[0]) == -EPERM);
		CHILD_EXPECT(dev_cancel(self->dev, self->s[0], NULL) == -EPERM);
		CHILD_EXPECT(dev_wait(self->dev, &self->ov.st, 0) == -EPERM);
		CHILD_EXPECT(dev_ioctl(self->dev, WSOCK_IOC_SUBMIT, &self->good) == -EPERM);
		close(self->dev);
		own = dev_started();
		CHILD_EXPECT(own >= 0);
		CHILD_EXPECT(fdinfo(own, "registrations") == 1);
		_exit(0);
	}
	EXPECT_EQ(child_status(pid), 0);
	/* The child's close and exit were none of ours. */
	EXPECT_EQ(fdinfo(self->dev, "registrations"), 1);
	EXPECT_EQ(fdinfo(self->dev, "sockets"), 1);
}

TEST_F(submit, passed_descriptor_is_refused)
{
	int pair[2];
	pid_t pid;

	ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	pid = fork();
	if (!pid) {
		int fd;

		close(self->dev);
		fd = recv_fd(pair[0], 0);
		CHILD_EXPECT(fd >= 0);
		CHILD_EXPECT(dev_cleanup(fd) == -EPERM);
		_exit(0);
	}
	EXPECT_EQ(send_fd(pair[1], self->dev, 0), 0);
	EXPECT_EQ(child_status(pid), 0);
	EXPECT_EQ(fdinfo(self->dev, "registrations"), 1);
	close(pair[0]);
	close(pair[1]);
}

/* A child that owns one end of a connection and ends in some way. */
struct ending {
	int dev;
	struct ov ov;
	char buf[16];
	int event;	/* shared with the parent */
};

static int ending_child(struct ending *e, int fds[2], bool cloexec)
{
	close(fds[1]);
	e->dev = open("/dev/wsock", O_RDWR | (cloexec ? O_CLOEXEC : 0));
	CHILD_EXPECT(e->dev >= 0);
	CHILD_EXPECT(dev_startup(e->dev) == 0);
	CHILD_EXPECT(dev_adopt(e->dev, fds[0]) == 0);
	CHILD_EXPECT(dev_submit(e->dev, WSOCK_OP_RECV, fds[0], e->buf, sizeof(e->buf), &e->ov,
				e->event, 0) == -EINPROGRESS);
	CHILD_EXPECT(write(fds[0], "r", 1) == 1);
	return 0;
}

TEST(C33__exit_resets)
{
	struct ending e = { .event = new_event() };
	char byte;
	int fds[2];
	pid_t pid;

	ASSERT_EQ(tcp_pair(fds), 0);
	pid = fork();
	if (!pid)
		_exit(ending_child(&e, fds, true));
	close(fds[0]);
	EXPECT_EQ(read(fds[1], &byte, 1), 1);
	EXPECT_EQ(child_status(pid), 0);
	EXPECT_EQ(peer_end(fds[1]), -ECONNRESET);
	EXPECT_FALSE(event_is_set(e.event));
	EXPECT_TRUE(counters_zero());
	close(e.event);
	close(fds[1]);
}

TEST(H19__kill_resets)
{
	struct ending e = { .event = new_event() };
	char byte;
	int fds[2];
	pid_t pid;

	ASSERT_EQ(tcp_pair(fds), 0);
	pid = fork();
	if (!pid) {
		ending_child(&e, fds, true);
		pause();
	}
	close(fds[0]);
	EXPECT_EQ(read(fds[1], &byte, 1), 1);
	ASSERT_EQ(kill(pid, SIGKILL), 0);
	EXPECT_EQ(child_status(pid), -SIGKILL);
	EXPECT_EQ(peer_end(fds[1]), -ECONNRESET);
	EXPECT_FALSE(event_is_set(e.event));
	EXPECT_TRUE(counters_zero());
	close(e.event);
	close(fds[1]);
}

/*
 * A process has ended, and so have its descriptors, one after the other. Meanwhile a
 * child that inherited them closes its own: no owner, but for a moment the last one
 * with a descriptor of the socket, and its close must not be what the peer sees.
 */
#define LATER_FDS 60000			/* what there is to close in between */

static void parent_with_a_child(const int *fds, int ready)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct rlimit limit = { LATER_FDS + 100, LATER_FDS + 100 };
	int file = memfd_create("lock", 0), opened = dev_started(), low, dev;

	low = fcntl(file, F_DUPFD, fds[0] + 1);
	CHILD_EXPECT(low > fds[0]);
	close(file);
	CHILD_EXPECT(!fcntl(low, F_SETLK, &lock));
	CHILD_EXPECT(!setrlimit(RLIMIT_NOFILE, &limit));
	for (int i = 0; i < LATER_FDS; i++)
		CHILD_EXPECT(fcntl(low, F_DUPFD, low) > low);
	dev = fcntl(opened, F_DUPFD, LATER_FDS);
	CHILD_EXPECT(dev > LATER_FDS);
	close(opened);
	CHILD_EXPECT(!dev_adopt(dev, fds[0]));
	if (!fork()) {
		/* It is to be done with its own at once. */
		dup2(ready, 0);
		close_range(low + 1, ~0U, 0);
		CHILD_EXPECT(write(0, "", 1) == 1);
		/* As soon as its parent has closed one more descriptor than the socket's. */
		fcntl(low, F_SETLKW, &lock);
		_exit(0);
	}
	pause();
}

FIXTURE(slow)
{
};

FIXTURE_SETUP(slow)
{
}

FIXTURE_TEARDOWN(slow)
{
}

/* A kernel with KCSAN takes a minute for all these descriptors. */
TEST_F_TIMEOUT(slow, H19__kill_resets_what_a_child_inherited, 300)
{
	int fds[2], ready[2];
	char byte;
	pid_t pid;

	ASSERT_EQ(tcp_pair(fds), 0);
	ASSERT_EQ(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		close(fds[1]);
		parent_with_a_child(fds, ready[1]);
		_exit(0);
	}
	close(fds[0]);
	close(ready[1]);
	EXPECT_EQ(read(ready[0], &byte, 1), 1);
	usleep(50000);		/* until it waits */
	ASSERT_EQ(kill(pid, SIGKILL), 0);
	EXPECT_EQ(child_status(pid), -SIGKILL);
	EXPECT_EQ(peer_end(fds[1]), -ECONNRESET);
	close(ready[0]);
	close(fds[1]);
	EXPECT_TRUE(counters_zero());
}

TEST(H13__exec_drops_all)
{
	struct ending e = { .event = new_event() };
	int fds[2], keep[2];
	char byte;
	pid_t pid;

	ASSERT_EQ(tcp_pair(fds), 0);
	ASSERT_EQ(pipe(keep), 0);
	pid = fork();
	if (!pid) {
		ending_child(&e, fds, true);
		/* The program lives on with the socket's descriptor open. */
		fcntl(fds[0], F_SETFD, 0);
		dup2(keep[0], 0);
		close(keep[1]);
		execlp("cat", "cat", NULL);
		_exit(250);
	}
	close(fds[0]);
	EXPECT_EQ(read(fds[1], &byte, 1), 1);
	EXPECT_EQ(peer_end(fds[1]), -ECONNRESET);
	EXPECT_FALSE(event_is_set(e.event));
	EXPECT_TRUE(counters_zero());
	close(keep[1]);
	EXPECT_EQ(child_status(pid), 0);
	close(e.event);
	close(fds[1]);
	close(keep[0]);
}

static const char *self_path = "/proc/self/exe";

TEST(H13__exec_with_inherited_device_is_refused)
{
	struct ending e = { .event = new_event() };
	int fds[2], keep[2];
	char byte, arg[16];
	pid_t pid;

	ASSERT_EQ(tcp_pair(fds), 0);
	ASSERT_EQ(pipe2(keep, O_CLOEXEC), 0);
	pid = fork();
	if (!pid) {
		ending_child(&e, fds, false);
		snprintf(arg, sizeof(arg), "%d", e.dev);
		setenv("WSOCK_EXEC_FD", arg, 1);
		dup2(keep[0], 0);
		execl(self_path, "test_context", NULL);
		_exit(250);
	}
	close(fds[0]);
	EXPECT_EQ(read(fds[1], &byte, 1), 1);
	EXPECT_EQ(peer_end(fds[1]), -ECONNRESET);
	close(keep[1]);
	EXPECT_EQ(child_status(pid), 0);
	EXPECT_TRUE(counters_zero());
	close(e.event);
	close(fds[1]);
	close(keep[0]);
}

/* The program that was exec()ed above, before anything else in it runs. */
static void __attribute__((constructor)) exec_child(void)
{
	const char *fd = getenv("WSOCK_EXEC_FD");
	char byte;

	if (!fd)
		return;
	unsetenv("WSOCK_EXEC_FD");
	CHILD_EXPECT(dev_startup(atoi(fd)) == -EPERM);
	CHILD_EXPECT(dev_cleanup(atoi(fd)) == -EPERM);
	/* And it can have a context of its own. */
	CHILD_EXPECT(dev_started() >= 0);
	/* The peer has seen a reset meanwhile. */
	CHILD_EXPECT(read(0, &byte, 1) == 0);
	_exit(0);
}

TEST(C35__another_owner_keeps_the_connection)
{
	int fds[2], go[2], dev = dev_started();
	char byte = 'x';
	pid_t pid;

	ASSERT_GE(dev, 0);
	ASSERT_EQ(tcp_pair(fds), 0);
	ASSERT_EQ(pipe(go), 0);
	ASSERT_EQ(dev_adopt(dev, fds[0]), 0);
	pid = fork();
	if (!pid) {
		int own;

		close(dev);
		close(go[1]);
		own = dev_started();
		CHILD_EXPECT(dev_adopt(own, fds[0]) == 0);
		CHILD_EXPECT(write(fds[0], "a", 1) == 1);
		CHILD_EXPECT(read(go[0], &byte, 1) == 0);
		CHILD_EXPECT(write(fds[0], "b", 1) == 1);
		CHILD_EXPECT(dev_cleanup(own) == 1);
		_exit(0);
	}
	EXPECT_EQ(read(fds[1], &byte, 1), 1);
	EXPECT_EQ(dev_cleanup(dev), 1);
	close(go[1]);
	EXPECT_EQ(read(fds[1], &byte, 1), 1);
	EXPECT_EQ(byte, 'b');
	EXPECT_EQ(child_status(pid), 0);
	EXPECT_EQ(peer_end(fds[1]), -ECONNRESET);
	close(go[0]);
	close(fds[1]);
	close(dev);
	EXPECT_TRUE(counters_zero());
}

TEST(limits__operations_sockets_contexts)
{
	int dev = dev_started(), a[2], b[2];
	struct ov ov[4];
	char buf[4];
	pid_t pid;

	ASSERT_GE(dev, 0);
	ASSERT_EQ(tcp_pair(a), 0);
	ASSERT_EQ(tcp_pair(b), 0);
	set_param("max_sockets", "1");
	EXPECT_EQ(dev_adopt(dev, a[0]), 0);
	EXPECT_EQ(dev_adopt(dev, b[0]), -ENOBUFS);
	set_param("max_sockets", "1048576");
	EXPECT_EQ(dev_adopt(dev, b[0]), 0);

	set_param("max_operations", "2");
	EXPECT_EQ(dev_recv(dev, a[0], buf, 1, &ov[0]), -EINPROGRESS);
	EXPECT_EQ(dev_recv(dev, a[0], buf, 1, &ov[1]), -EINPROGRESS);
	EXPECT_EQ(dev_recv(dev, a[0], buf, 1, &ov[2]), -ENOBUFS);
	EXPECT_EQ(dev_recv(dev, b[0], buf, 1, &ov[3]), -ENOBUFS);
	/* What needs no waiting is not counted. */
	ASSERT_EQ(send(b[1], "x", 1, 0), 1);
	EXPECT_EQ(dev_recv(dev, b[0], buf, 1, &ov[3]), 1);
	EXPECT_EQ(dev_cancel(dev, a[0], &ov[0].st), 1);
	EXPECT_EQ(dev_recv(dev, a[0], buf, 1, &ov[2]), -EINPROGRESS);
	set_param("max_operations", "1048576");

	set_param("max_contexts", "1");
	pid = fork();
	if (!pid) {
		close(dev);
		_exit(dev_open() < 0 ? errno : 0);
	}
	EXPECT_EQ(child_status(pid), EUSERS);
	set_param("max_contexts", "65536");
	EXPECT_EQ(dev_cleanup(dev), 1);
	close(dev);
	close(a[1]);
	close(b[1]);
	EXPECT_TRUE(counters_zero());
}

TEST_HARNESS_MAIN
