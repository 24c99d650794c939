// SPDX-License-Identifier: GPL-2.0
/*
 * Each call of the device and of a completion port, and each operation by ioctl and
 * as a command of io_uring, with each of its allocations and user copies refused.
 */
#include "fail_nth.h"
#include "ports.h"
#include "uring.h"
#include "kselftest_harness.h"

#define STATUS_ACCESS_VIOLATION		0xc0000005u
#define STATUS_INSUFFICIENT_RESOURCES	0xc000009au

#define KEY	0x1111222233334444ull
/* Far more than any sequence has. */
#define MANY	500

struct env {
	struct faults f;
	int dev;
	int tcp[2], udp[2];	/* [0] is owned */
	int l, a;		/* a listener and an acceptor, owned */
	int event, port;
	struct io_uring ring;
	const struct ring_kind *kind;	/* of what operations go through; NULL for ioctl */
	char in[256], out[256];
	struct ov ov;
};

/*
 * How does the peer see the end of its connection? A segment that is refused its
 * memory is lost, and unlike data a FIN or a reset is not sent again by itself.
 */
static int end_at_peer(struct env *e)
{
	if (faults_disarm(&e->f) && send(e->tcp[1], "x", 1, MSG_NOSIGNAL) < 0)
		return -errno;
	return peer_end(e->tcp[1]);
}

/* A call that may be refused something, and what it has in the end. */
#define TRY(e, call) ({						\
	int _ret = (call);					\
								\
	if (is_refusal(_ret) && faults_blame(&(e)->f))		\
		_ret = (call);					\
	_ret;							\
})

static int acceptor(int dev)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return dev_adopt(dev, fd) ? -1 : fd;
}

static bool env_open(struct env *e)
{
	e->dev = dev_started();
	e->port = port_new(e->dev, 1);
	e->event = new_event();
	e->l = tcp_listener();
	memset(e->in, 0xa5, sizeof(e->in));
	memset(e->out, 'o', sizeof(e->out));
	return e->dev >= 0 && e->port >= 0 && e->event >= 0 && !tcp_pair(e->tcp) &&
	       !udp_pair(e->udp) && !dev_adopt(e->dev, e->tcp[0]) &&
	       !dev_adopt(e->dev, e->udp[0]) && !dev_adopt(e->dev, e->l) &&
	       (e->a = acceptor(e->dev)) >= 0 && (!e->kind || !ring_init(&e->ring, e->kind, 8));
}

static bool env_close(struct env *e)
{
	if (e->kind)
		io_uring_queue_exit(&e->ring);
	/* The peers go last, so that nothing is reset by them. */
	shut(e->port);
	close(e->port);
	close(e->dev);
	close_range(e->f.fd + 1, ~0U, 0);
	return counters_zero();
}

/* @once, until nothing is left to be refused. */
static void sweep(struct __test_metadata *_metadata, struct env *e,
		  void (*once)(struct __test_metadata *_metadata, struct env *e))
{
	do {
		bool failed = _metadata->exit_code != KSFT_PASS;

		ASSERT_TRUE(env_open(e));
		ASSERT_LT(e->f.nth, MANY);
		once(_metadata, e);
		faults_disarm(&e->f);
		EXPECT_FALSE(e->f.leaked);
		/* What the process has is what it had made, and all of that goes. */
		EXPECT_TRUE(env_close(e));
		if (!failed && _metadata->exit_code != KSFT_PASS)
			TH_LOG("refused was number %d", e->f.nth);
	} while (faults_next(&e->f));
	/* A sweep that refuses nothing finds nothing. */
	EXPECT_GT(e->f.nth, 2);
}

/* One sequence: from faults_arm() on the kernel refuses. */
#define SWEEP(fixture, name)							\
	static void fixture##_##name##_once(struct __test_metadata *_metadata,	\
					    struct env *e);			\
	TEST_F_TIMEOUT(fixture, name, 120)					\
	{									\
		sweep(_metadata, &self->e, fixture##_##name##_once);		\
	}									\
	static void fixture##_##name##_once(struct __test_metadata *_metadata,	\
					    struct env *e)

/* ---- Calls ---- */

FIXTURE(calls)
{
	struct env e;
};

FIXTURE_SETUP(calls)
{
	if (!faults_begin(&self->e.f))
		SKIP(return, "this kernel refuses nothing");
	self->e.f.nth = 1;
}

FIXTURE_TEARDOWN(calls)
{
}

static int new_device(void)
{
	int fd = dev_open();

	return fd < 0 ? -errno : fd;
}

SWEEP(calls, open_startup_cleanup)
{
	int dev;

	faults_arm(&e->f);
	dev = TRY(e, new_device());
	ASSERT_GE(dev, 0);
	EXPECT_EQ(TRY(e, dev_startup(dev)), 0);
	EXPECT_EQ(TRY(e, dev_cleanup(dev)), 0);
	faults_disarm(&e->f);
	EXPECT_EQ(fdinfo(e->dev, "registrations"), 1);
	close(dev);
}

#define REFUSED 99			/* exit status of a child that was refused something */

/* What makes the context of a process. */
static void first_open(struct env *e)
{
	int nth = e->f.nth, dev;

	/* Page faults are nobody's call here, too. */
	CHILD_EXPECT(!mlockall(MCL_CURRENT | MCL_FUTURE) && faults_open(&e->f));
	e->f.nth = nth;
	faults_arm(&e->f);
	dev = TRY(e, new_device());
	CHILD_EXPECT(dev >= 0 && !e->f.leaked);
	CHILD_EXPECT(!TRY(e, dev_startup(dev)) && TRY(e, dev_cleanup(dev)) == 1);
	_exit(faults_disarm(&e->f) ? REFUSED : 0);
}

SWEEP(calls, first_open)
{
	pid_t pid = fork();
	int st;

	if (!pid)
		first_open(e);
	st = child_status(pid);
	EXPECT_TRUE(!st || st == REFUSED) TH_LOG("ended with %d", st);
	/* It was for it that the next round is. */
	e->f.injected = st == REFUSED;
}

SWEEP(calls, features)
{
	struct wsock_features f = { .size = sizeof(f) };

	faults_arm(&e->f);
	EXPECT_EQ(TRY(e, dev_ioctl(e->dev, WSOCK_IOC_FEATURES, &f)), 0);
	EXPECT_TRUE(f.features & WSOCK_FEATURE_SUBMIT);
}

/* In a table that has to grow, and again, which changes nothing. */
SWEEP(calls, adopt)
{
	int fd = fcntl(e->tcp[1], F_DUPFD_CLOEXEC, 100);

	ASSERT_GE(fd, 0);
	faults_arm(&e->f);
	EXPECT_EQ(TRY(e, dev_adopt(e->dev, fd)), 0);
	faults_disarm(&e->f);
	EXPECT_EQ(fdinfo(e->dev, "sockets"), 5);
	EXPECT_EQ(dev_adopt(e->dev, fd), 0);
	EXPECT_EQ(dev_recv(e->dev, fd, e->in, 1, &e->ov), -EINPROGRESS);
}

/* What was adopted under this number is gone, whether or not that succeeds. */
SWEEP(calls, adopt__instead_of_a_stale_one)
{
	int fds[2];

	ASSERT_EQ(tcp_pair(fds), 0);
	ASSERT_EQ(dup3(fds[0], e->tcp[0], O_CLOEXEC), e->tcp[0]);
	faults_arm(&e->f);
	EXPECT_EQ(TRY(e, dev_adopt(e->dev, e->tcp[0])), 0);
	faults_disarm(&e->f);
	EXPECT_EQ(fdinfo(e->dev, "sockets"), 4);
	EXPECT_EQ(dev_send(e->dev, e->tcp[0], "x", 1, &e->ov), 1);
	EXPECT_EQ(recv(fds[1], e->in, 8, 0), 1);
}

SWEEP(calls, close_with_operations)
{
	ASSERT_EQ(dev_recv(e->dev, e->tcp[0], e->in, 8, &e->ov), -EINPROGRESS);
	faults_arm(&e->f);
	EXPECT_EQ(TRY(e, dev_closesocket(e->dev, e->tcp[0])), 0);
	faults_disarm(&e->f);
	EXPECT_EQ(ov_status(&e->ov), STATUS_CONNECTION_ABORTED);
	EXPECT_EQ(fdinfo(e->dev, "sockets"), 3);
	EXPECT_EQ(end_at_peer(e), -ECONNRESET);
}

SWEEP(calls, cancel)
{
	ASSERT_EQ(dev_recv(e->dev, e->tcp[0], e->in, 8, &e->ov), -EINPROGRESS);
	faults_arm(&e->f);
	EXPECT_EQ(TRY(e, dev_cancel(e->dev, e->tcp[0], &e->ov.st)), 1);
	faults_disarm(&e->f);
	EXPECT_EQ(ov_status(&e->ov), STATUS_CANCELLED);
	EXPECT_EQ(fdinfo(e->dev, "cancelled"), 1);
}

SWEEP(calls, wait)
{
	ASSERT_EQ(dev_recv(e->dev, e->tcp[0], e->in, 8, &e->ov), -EINPROGRESS);
	faults_arm(&e->f);
	EXPECT_EQ(TRY(e, dev_wait(e->dev, &e->ov.st, 1)), -ETIME);
	faults_disarm(&e->f);
	EXPECT_EQ(fdinfo(e->dev, "queued"), 1);
}

SWEEP(calls, port)
{
	int port;

	faults_arm(&e->f);
	port = TRY(e, port_new(e->dev, 1));
	ASSERT_GE(port, 0);
	faults_disarm(&e->f);
	EXPECT_EQ(counter("ports"), 2);
	EXPECT_EQ(post(port, 7), 0);
	EXPECT_EQ(get_key(port, 0), 7);
	EXPECT_EQ(shut(port), 0);
}

static int associate(struct env *e, int fd)
{
	struct wsock_associate args = { .fd = fd, .port_fd = e->port, .key = KEY };

	return dev_ioctl(e->dev, WSOCK_IOC_ASSOCIATE, &args);
}

SWEEP(calls, associate)
{
	struct wsock_packet p;

	faults_arm(&e->f);
	EXPECT_EQ(TRY(e, associate(e, e->tcp[0])), 0);
	faults_disarm(&e->f);
	EXPECT_EQ(dev_send(e->dev, e->tcp[0], "x", 1, &e->ov), 1);
	EXPECT_EQ(get_packets(e->port, &p, 1, 0), 1);
	EXPECT_EQ(p.key, KEY);
}

SWEEP(calls, modes)
{
	struct wsock_modes args = { .fd = e->tcp[0], .modes = WSOCK_MODE_SKIP_EVENT };

	faults_arm(&e->f);
	EXPECT_EQ(TRY(e, dev_ioctl(e->dev, WSOCK_IOC_MODES, &args)), 0);
	EXPECT_EQ(args.modes, WSOCK_MODE_SKIP_EVENT);
}

SWEEP(calls, socket_event)
{
	struct wsock_socket_event args = { .fd = e->tcp[0], .event_fd = e->event };
	int fd;

	faults_arm(&e->f);
	fd = TRY(e, dev_ioctl(e->dev, WSOCK_IOC_SOCKET_EVENT, &args));
	ASSERT_GE(fd, 0);
	faults_disarm(&e->f);
	/* Nothing is pending. */
	EXPECT_TRUE(event_is_set(fd));
	EXPECT_EQ(dev_recv(e->dev, e->tcp[0], e->in, 8, &e->ov), -EINPROGRESS);
	EXPECT_FALSE(event_is_set(e->event));
}

static int event_select(struct env *e, unsigned int mask)
{
	struct wsock_event_select args = {
		.fd = e->tcp[0], .event_fd = mask ? e->event : -1, .mask = mask,
	};

	return dev_ioctl(e->dev, WSOCK_IOC_EVENT_SELECT, &args);
}

static int event_enum(struct env *e, struct wsock_event_enum *args)
{
	memset(args, 0, sizeof(*args));
	args->fd = e->tcp[0];
	args->event_fd = e->event;
	return dev_ioctl(e->dev, WSOCK_IOC_EVENT_ENUM, args);
}

SWEEP(calls, event_select)
{
	struct wsock_event_enum args;

	faults_arm(&e->f);
	EXPECT_EQ(TRY(e, event_select(e, WSOCK_EVENT_WRITE)), 0);
	faults_disarm(&e->f);
	EXPECT_EQ(counter("netevents"), 1);
	EXPECT_TRUE(event_is_set(e->event));
	EXPECT_EQ(event_enum(e, &args), 0);
	EXPECT_EQ(args.events, WSOCK_EVENT_WRITE);
	EXPECT_EQ(event_select(e, 0), 0);
}

/* What the program could not be told is told the next time. */
SWEEP(calls, event_enum)
{
	struct wsock_event_enum args;

	ASSERT_EQ(event_select(e, WSOCK_EVENT_READ), 0);
	ASSERT_EQ(send(e->tcp[1], "x", 1, 0), 1);
	ASSERT_TRUE(event_wait(e->event));
	faults_arm(&e->f);
	EXPECT_EQ(TRY(e, event_enum(e, &args)), 0);
	faults_disarm(&e->f);
	EXPECT_EQ(args.events, WSOCK_EVENT_READ);
	EXPECT_FALSE(event_is_set(e->event));
}

SWEEP(calls, event_enable)
{
	struct wsock_event_enable enable = { .fd = e->tcp[0], .mask = WSOCK_EVENT_WRITE };
	struct wsock_event_enum args;

	ASSERT_EQ(event_select(e, WSOCK_EVENT_WRITE), 0);
	ASSERT_EQ(event_enum(e, &args), 0);
	ASSERT_FALSE(event_is_set(e->event));
	faults_arm(&e->f);
	EXPECT_EQ(TRY(e, dev_ioctl(e->dev, WSOCK_IOC_EVENT_ENABLE, &enable)), 0);
	faults_disarm(&e->f);
	EXPECT_TRUE(event_is_set(e->event));
}

static int offer(struct env *e, unsigned int *token)
{
	struct wsock_duplicate args = { .fd = e->tcp[0], .pid = getpid() };
	int ret = dev_ioctl(e->dev, WSOCK_IOC_DUPLICATE, &args);

	*token = args.token;
	return ret;
}

static int take(struct env *e, unsigned int token)
{
	struct wsock_take args = { .token = token };

	return dev_ioctl(e->dev, WSOCK_IOC_TAKE, &args);
}

/* An offer that we were not told of remains, until its socket goes. */
SWEEP(calls, duplicate)
{
	unsigned int token;

	faults_arm(&e->f);
	EXPECT_EQ(TRY(e, offer(e, &token)), 0);
	faults_disarm(&e->f);
	EXPECT_GE(take(e, token), 0);
}

SWEEP(calls, take)
{
	unsigned int token;
	int fd;

	ASSERT_EQ(offer(e, &token), 0);
	faults_arm(&e->f);
	fd = TRY(e, take(e, token));
	ASSERT_GE(fd, 0);
	faults_disarm(&e->f);
	EXPECT_EQ(take(e, token), -ENOENT);
	EXPECT_EQ(dev_send(e->dev, fd, "x", 1, &e->ov), 1);
	EXPECT_EQ(recv(e->tcp[1], e->in, 8, 0), 1);
}

SWEEP(calls, post_get_close)
{
	faults_arm(&e->f);
	EXPECT_EQ(TRY(e, post(e->port, 1)), 0);
	EXPECT_EQ(TRY(e, post(e->port, 2)), 0);
	EXPECT_EQ(TRY(e, get_key(e->port, 0)), 1);
	EXPECT_EQ(TRY(e, get_key(e->port, 0)), 2);
	EXPECT_EQ(TRY(e, get_key(e->port, 0)), -ETIME);
	EXPECT_EQ(TRY(e, shut(e->port)), 0);
	EXPECT_EQ(TRY(e, post(e->port, 3)), -ESHUTDOWN);
}

/* What cannot be stored is put back in its place. */
SWEEP(calls, get_many)
{
	struct wsock_packet p[3];
	int n, total = 0;

	for (int i = 0; i < 3; i++)
		ASSERT_EQ(post(e->port, i), 0);
	faults_arm(&e->f);
	while (total < 3) {
		n = TRY(e, get_packets(e->port, p + total, 3 - total, 0));
		ASSERT_GT(n, 0);
		total += n;
	}
	faults_disarm(&e->f);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(p[i].key, i);
	EXPECT_EQ(get_key(e->port, 0), -ETIME);
}

/* ---- Operations ---- */

FIXTURE(operations)
{
	struct env e;
};

FIXTURE_VARIANT(operations)
{
	const struct ring_kind *ring;
};

FIXTURE_VARIANT_ADD(operations, ioctl) { .ring = NULL };
FIXTURE_VARIANT_ADD(operations, uring) { .ring = &(struct ring_kind)RING_DEFAULT };
FIXTURE_VARIANT_ADD(operations, uring_defer) { .ring = &(struct ring_kind)RING_DEFER };

FIXTURE_SETUP(operations)
{
	if (!faults_begin(&self->e.f))
		SKIP(return, "this kernel refuses nothing");
	self->e.f.nth = 1;
	self->e.kind = variant->ring;
}

FIXTURE_TEARDOWN(operations)
{
}

static int submit_ioctl(struct env *e, struct wsock_submit args)
{
	ov_init(&e->ov);
	args.cmd.ov = (unsigned long)&e->ov.st;
	args.cmd.flags |= WSOCK_CMD_STATUS;
	return dev_ioctl(e->dev, WSOCK_IOC_SUBMIT, &args);
}

/* Returns as the ioctl does. An entry that the ring did not take stays in it. */
static int submit_uring(struct env *e, struct wsock_submit args)
{
	struct io_uring_sqe *sqe = ring_sqe(&e->ring);
	int ret;

	prep_wsock(sqe, e->dev, args.op, args.fd, (void *)args.addr, args.len, &e->ov,
		   args.cmd.event_fd ?: -1, args.cmd.msg_flags);
	ret = TRY(e, io_uring_submit(&e->ring));
	return ret == 1 ? -EINPROGRESS : ret ?: -EIO;
}

static int finish_ioctl(struct env *e)
{
	return TRY(e, dev_wait(e->dev, &e->ov.st, TIMEOUT_MS));
}

static int wait_cqe(struct env *e)
{
	struct io_uring_cqe *cqe;

	return io_uring_wait_cqe(&e->ring, &cqe);
}

/* Returns 0, or the operation's errno. */
static int finish_uring(struct env *e)
{
	struct io_uring_cqe *cqe;
	int ret = TRY(e, wait_cqe(e));

	if (ret || io_uring_peek_cqe(&e->ring, &cqe))
		return ret ?: -EIO;
	ret = cqe->res;
	io_uring_cqe_seen(&e->ring, cqe);
	return ret < 0 ? ret : 0;
}

/*
 * Submit, let the peer act, wait for the end. An operation that ends since it was
 * refused something has an end like any other, and is submitted once more.
 */
static int run(struct env *e, struct wsock_submit args, int (*peer)(struct env *e))
{
	unsigned int status;
	int ret;

	for (int i = 0; i < 2; i++) {
		ret = e->kind ? submit_uring(e, args) : TRY(e, submit_ioctl(e, args));
		if (peer && !i && peer(e))
			return -EPIPE;
		if (ret >= 0)
			return 0;
		if (ret != -EINPROGRESS)
			return ret;
		ret = e->kind ? finish_uring(e) : finish_ioctl(e);
		if (is_refusal(ret) && faults_blame(&e->f))
			continue;
		if (ret)
			return ret;
		status = ov_status(&e->ov);
		if (status == STATUS_SUCCESS)
			return 0;
		if ((status != STATUS_ACCESS_VIOLATION &&
		     status != STATUS_INSUFFICIENT_RESOURCES) || !faults_blame(&e->f))
			return -EREMOTEIO;
	}
	return -ELOOP;
}

static struct wsock_submit operation(struct env *e, int op, int fd, const void *addr, int len)
{
	return (struct wsock_submit){
		.op = op, .fd = fd, .addr = (unsigned long)addr, .len = len,
		.cmd = { .event_fd = e->event, .flags = WSOCK_CMD_EVENT },
	};
}

/* The end of an operation: its status, its event, and nothing left. */
#define EXPECT_DONE(e, bytes) do {						faults_disarm(&(e)->f);							EXPECT_EQ(ov_status(&(e)->ov), STATUS_SUCCESS);				EXPECT_EQ((e)->ov.st.internal_high, bytes);				EXPECT_TRUE(ov_intact(&(e)->ov));					EXPECT_TRUE(event_is_set((e)->event));					EXPECT_EQ(fdinfo((e)->dev, "queued"), 0);				EXPECT_EQ(fdinfo((e)->dev, "running"), 0);			} while (0)

static int peer_sends(struct env *e)
{
	return TRY(e, send(e->tcp[1], "hello", 5, 0) == 5 ? 0 : -errno);
}

static int peer_sends_datagram(struct env *e)
{
	return TRY(e, send(e->udp[1], "hello", 5, 0) == 5 ? 0 : -errno);
}

SWEEP(operations, recv)
{
	ASSERT_EQ(peer_sends(e), 0);
	faults_arm(&e->f);
	EXPECT_EQ(run(e, operation(e, WSOCK_OP_RECV, e->tcp[0], e->in, 64), NULL), 0);
	EXPECT_DONE(e, 5);
	EXPECT_EQ(memcmp(e->in, "hello", 5), 0);
}

SWEEP(operations, recv__pends)
{
	faults_arm(&e->f);
	EXPECT_EQ(run(e, operation(e, WSOCK_OP_RECV, e->tcp[0], e->in, 64), peer_sends), 0);
	EXPECT_DONE(e, 5);
	EXPECT_EQ(memcmp(e->in, "hello", 5), 0);
}

/* Without an event it may never become an operation. */
SWEEP(operations, recv__plain)
{
	struct wsock_submit args = operation(e, WSOCK_OP_RECV, e->tcp[0], e->in, 64);

	ASSERT_EQ(peer_sends(e), 0);
	memset(&args.cmd, 0, sizeof(args.cmd));
	faults_arm(&e->f);
	EXPECT_EQ(run(e, args, NULL), 0);
	faults_disarm(&e->f);
	EXPECT_EQ(ov_status(&e->ov), STATUS_SUCCESS);
	EXPECT_EQ(memcmp(e->in, "hello", 5), 0);
}

SWEEP(operations, send)
{
	faults_arm(&e->f);
	EXPECT_EQ(run(e, operation(e, WSOCK_OP_SEND, e->tcp[0], e->out, 100), NULL), 0);
	EXPECT_DONE(e, 100);
	EXPECT_EQ(recv(e->tcp[1], e->in, sizeof(e->in), 0), 100);
}

SWEEP(operations, recvmsg)
{
	struct iovec iov[2] = {
		{ .iov_base = e->in, .iov_len = 3 }, { .iov_base = e->in + 3, .iov_len = 60 },
	};
	struct sockaddr_in from = {};
	int namelen = 0, on = 1;
	unsigned long long controllen = 0;
	char control[256];
	unsigned int flags = ~0U;
	struct wsock_msg msg = {
		.iov = (unsigned long)iov, .iovlen = 2,
		.name = (unsigned long)&from, .namelen = sizeof(from),
		.namelen_out = (unsigned long)&namelen,
		.control = (unsigned long)control, .controllen = sizeof(control),
		.controllen_out = (unsigned long)&controllen,
		.flags_out = (unsigned long)&flags,
	};
	struct wsock_submit args = operation(e, WSOCK_OP_RECVMSG, e->udp[0], &msg, sizeof(msg));
	int ret;

	ASSERT_EQ(setsockopt(e->udp[0], SOL_IP, IP_PKTINFO, &on, sizeof(on)), 0);
	/* Two, as the kernel drops a datagram that it could not store. */
	ASSERT_EQ(peer_sends_datagram(e), 0);
	ASSERT_EQ(peer_sends_datagram(e), 0);
	faults_arm(&e->f);
	ret = run(e, args, NULL);
	EXPECT_EQ(ret, 0);
	EXPECT_DONE(e, 5);
	EXPECT_EQ(memcmp(e->in, "hello", 5), 0);
	EXPECT_EQ(namelen, sizeof(from));
	EXPECT_EQ(ntohs(from.sin_port), local_port(e->udp[1]));
	EXPECT_EQ(controllen, CMSG_SPACE(sizeof(struct in_pktinfo)));
	EXPECT_EQ(flags, 0);
}

SWEEP(operations, recvmsg__pends)
{
	struct iovec iov = { .iov_base = e->in, .iov_len = 64 };
	struct wsock_msg msg = { .iov = (unsigned long)&iov, .iovlen = 1 };

	faults_arm(&e->f);
	EXPECT_EQ(run(e, operation(e, WSOCK_OP_RECVMSG, e->tcp[0], &msg, sizeof(msg)),
		      peer_sends), 0);
	EXPECT_DONE(e, 5);
	EXPECT_EQ(memcmp(e->in, "hello", 5), 0);
}

SWEEP(operations, sendmsg)
{
	struct iovec iov[2] = {
		{ .iov_base = e->out, .iov_len = 3 }, { .iov_base = e->out, .iov_len = 60 },
	};
	struct sockaddr_in to = loopback(local_port(e->udp[1]));
	char control[CMSG_SPACE(sizeof(int))] = {};
	struct cmsghdr *cmsg = (struct cmsghdr *)control;
	struct wsock_msg msg = {
		.iov = (unsigned long)iov, .iovlen = 2,
		.name = (unsigned long)&to, .namelen = sizeof(to),
		.control = (unsigned long)control, .controllen = sizeof(control),
	};

	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	cmsg->cmsg_level = SOL_IP;
	cmsg->cmsg_type = IP_TTL;
	*(int *)CMSG_DATA(cmsg) = 7;
	faults_arm(&e->f);
	EXPECT_EQ(run(e, operation(e, WSOCK_OP_SENDMSG, e->udp[0], &msg, sizeof(msg)), NULL), 0);
	EXPECT_DONE(e, 63);
	EXPECT_EQ(recv(e->udp[1], e->in, sizeof(e->in), 0), 63);
}

static int begin(struct env *e, int fd)
{
	struct sockaddr_in sin = loopback(local_port(e->l));

	return connect(fd, (struct sockaddr *)&sin, sizeof(sin)) ? -errno : 0;
}

SWEEP(operations, connect)
{
	int peer;

	ASSERT_EQ(fcntl(e->a, F_SETFL, O_NONBLOCK), 0);
	ASSERT_EQ(begin(e, e->a), -EINPROGRESS);
	faults_arm(&e->f);
	EXPECT_EQ(run(e, operation(e, WSOCK_OP_CONNECT, e->a, e->out, 9), NULL), 0);
	EXPECT_DONE(e, 9);
	peer = accept4(e->l, NULL, NULL, SOCK_CLOEXEC);
	EXPECT_EQ(recv(peer, e->in, sizeof(e->in), 0), 9);
}

/* Of what is sent in pieces the pieces before the one that failed are sent. */
SWEEP(operations, transmit)
{
	struct wsock_transmit args = {
		.head = (unsigned long)e->out, .headlen = 10,
		.tail = (unsigned long)e->out, .taillen = 20,
		.fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), .bytes = 30,
	};
	ssize_t n = 0, more;

	faults_arm(&e->f);
	EXPECT_EQ(run(e, operation(e, WSOCK_OP_TRANSMIT, e->tcp[0], &args, sizeof(args)), NULL), 0);
	EXPECT_DONE(e, 60);
	ASSERT_EQ(send(e->tcp[0], "!", 1, 0), 1);
	do {
		more = recv(e->tcp[1], e->in + n, sizeof(e->in) - n, 0);
		ASSERT_GT(more, 0);
		n += more;
	} while (e->in[n - 1] != '!');
	/* The last 60 are those of the one that did not fail. */
	ASSERT_GE(n, 61);
	EXPECT_EQ(memcmp(e->in + n - 61, e->out, 10), 0);
	EXPECT_EQ(memcmp(e->in + n - 51, "\x7f" "ELF", 4), 0);
	EXPECT_EQ(memcmp(e->in + n - 21, e->out, 20), 0);
}

SWEEP(operations, disconnect)
{
	faults_arm(&e->f);
	EXPECT_EQ(run(e, operation(e, WSOCK_OP_DISCONNECT, e->tcp[0], NULL, 0), NULL), 0);
	EXPECT_DONE(e, 0);
	EXPECT_EQ(send(e->tcp[0], "x", 1, MSG_NOSIGNAL), -1);
	EXPECT_EQ(errno, EPIPE);
	/* A FIN that is refused its memory is lost, with shutdown(2) as here. */
	if (!e->f.injected)
		EXPECT_EQ(peer_end(e->tcp[1]), 0);
}

SWEEP(operations, notify)
{
	faults_arm(&e->f);
	EXPECT_EQ(run(e, operation(e, WSOCK_OP_NOTIFY, e->tcp[0], NULL, 0), NULL), 0);
	EXPECT_DONE(e, 0);
}

/* ---- By ioctl alone ---- */

static int peer_connects(struct env *e)
{
	int fd = tcp_connect(local_port(e->l));

	return fd < 0 || send(fd, "hello", 5, 0) != 5;
}

/* A connection that is lost for want of memory is: another one comes. */
SWEEP(calls, accept)
{
	struct wsock_accept args = {
		.buffer = (unsigned long)e->in, .data_len = 64, .local_len = 32,
		.remote_len = 32, .fd = e->a,
	};

	/* One more than is needed, for the case that one is lost. */
	ASSERT_EQ(peer_connects(e), 0);
	ASSERT_EQ(peer_connects(e), 0);
	faults_arm(&e->f);
	EXPECT_EQ(run(e, operation(e, WSOCK_OP_ACCEPT, e->l, &args, sizeof(args)), NULL), 0);
	EXPECT_DONE(e, 5);
	EXPECT_EQ(memcmp(e->in, "hello", 5), 0);
	EXPECT_EQ(local_port(e->a), local_port(e->l));
}

/* A packet for each operation, whoever could not be told of it at first. */
SWEEP(calls, packets)
{
	struct wsock_submit args = { .op = WSOCK_OP_RECV, .fd = e->tcp[0],
				     .addr = (unsigned long)e->in, .len = 64 };
	struct wsock_packet p;

	ASSERT_EQ(associate(e, e->tcp[0]), 0);
	faults_arm(&e->f);
	EXPECT_EQ(TRY(e, submit_ioctl(e, args)), -EINPROGRESS);
	EXPECT_EQ(peer_sends(e), 0);
	EXPECT_EQ(TRY(e, get_packets(e->port, &p, 1, TIMEOUT_MS)), 1);
	EXPECT_EQ(p.key, KEY);
	EXPECT_EQ(p.ov, (unsigned long)&e->ov.st);
	if (p.internal == STATUS_ACCESS_VIOLATION) {
		/* It ended since it was refused its copy; the data is still there. */
		EXPECT_TRUE(faults_blame(&e->f));
		EXPECT_EQ(submit_ioctl(e, args), 5);
		EXPECT_EQ(get_packets(e->port, &p, 1, 0), 1);
	}
	faults_disarm(&e->f);
	EXPECT_EQ(p.internal, STATUS_SUCCESS);
	EXPECT_EQ(p.bytes, 5);
	EXPECT_EQ(memcmp(e->in, "hello", 5), 0);
	EXPECT_EQ(get_packets(e->port, &p, 1, 0), -ETIME);
}

SWEEP(calls, apc)
{
	struct wsock_submit args = { .op = WSOCK_OP_RECV, .fd = e->tcp[0],
				     .addr = (unsigned long)e->in, .len = 64, .key = KEY,
				     .cmd = { .flags = WSOCK_CMD_APC, .event_fd = e->port } };
	struct wsock_packet p;

	ASSERT_EQ(peer_sends(e), 0);
	faults_arm(&e->f);
	EXPECT_EQ(TRY(e, submit_ioctl(e, args)), 5);
	EXPECT_EQ(TRY(e, get_packets(e->port, &p, 1, 0)), 1);
	EXPECT_EQ(p.key, KEY);
	EXPECT_EQ(p.internal, STATUS_SUCCESS);
}

/* The final release asks for nothing, whatever is pending. */
SWEEP(calls, cleanup)
{
	ASSERT_EQ(dev_recv(e->dev, e->tcp[0], e->in, 8, &e->ov), -EINPROGRESS);
	ASSERT_EQ(event_select(e, WSOCK_EVENT_WRITE), 0);
	faults_arm(&e->f);
	EXPECT_EQ(TRY(e, dev_cleanup(e->dev)), 1);
	faults_disarm(&e->f);
	EXPECT_EQ(ov_status(&e->ov), STATUS_CANCELLED);
	EXPECT_EQ(fdinfo(e->dev, "sockets"), 0);
	EXPECT_EQ(end_at_peer(e), -ECONNRESET);
}

TEST_HARNESS_MAIN
