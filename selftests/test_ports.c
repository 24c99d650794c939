// SPDX-License-Identifier: GPL-2.0
/*
 * Completion ports: which packet goes to which thread, who is woken, how many
 * run, and what becomes of packets and waiters when somebody leaves.
 */
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "ports.h"
#include "kselftest_harness.h"

/*
 * A thread that takes a packet, does what it is told with it, and takes
 * another. Each step is waited for by the test, none by time.
 */
enum deed {
	NOTHING,	/* ends */
	BLOCK,		/* in read(2) until the pipe has a byte */
	WORK_AND_BLOCK,	/* the same, after some milliseconds of computing */
	COMPUTE,	/* until told to go on */
	LEAVE,		/* GET on @other, which is another port */
};

struct thread {
	int port, other;
	enum deed deed;
	bool again;		/* take a second packet */
	struct wsock_packet *to;
	int alert;		/* 0 for none */
	int timeout_ms;
	int cpu;		/* to run on, 0 for any, else one more than its number */
	pthread_t thread;
	pid_t tid;
	int pipe[2];
	int first, second;	/* keys, or errnos */
	int stage;		/* 1: has the first, 2: has done its deed, 3: has the second */
	bool go;
};

#define WAITS (-4711)		/* first, second: not there yet */

static int stage(struct thread *t)
{
	return __atomic_load_n(&t->stage, __ATOMIC_ACQUIRE);
}

static void reach(struct thread *t, int stage)
{
	__atomic_store_n(&t->stage, stage, __ATOMIC_RELEASE);
}

static void go(struct thread *t)
{
	__atomic_store_n(&t->go, true, __ATOMIC_RELEASE);
}

static void run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static int thread_get(struct thread *t)
{
	struct wsock_packet p, *to = t->to ?: &p;
	int ret;

	if (t->alert)
		ret = get_alertable(t->port, to, t->alert, t->timeout_ms);
	else
		ret = get_packets(t->port, to, 1, t->timeout_ms);
	return ret == 1 ? (int)to->key : ret;
}

static void *thread_main(void *arg)
{
	struct thread *t = arg;
	char c;

	if (t->cpu)
		run_on(t->cpu - 1);
	__atomic_store_n(&t->tid, gettid(), __ATOMIC_RELEASE);
	t->first = thread_get(t);
	reach(t, 1);
	switch (t->deed) {
	case NOTHING:
		break;
	case WORK_AND_BLOCK:
		for (double end = now_ms() + 10; now_ms() < end;)
			;
		/* fall through */
	case BLOCK:
		if (read(t->pipe[0], &c, 1) != 1)
			abort();
		break;
	case COMPUTE:
		while (!__atomic_load_n(&t->go, __ATOMIC_ACQUIRE))
			;
		break;
	case LEAVE:
		get_key(t->other, TIMEOUT_MS);
		break;
	}
	reach(t, 2);
	if (t->again) {
		t->second = thread_get(t);
		reach(t, 3);
	}
	return NULL;
}

static bool start(struct thread *t, int port)
{
	t->port = port;
	t->first = t->second = WAITS;
	if (!t->timeout_ms)
		t->timeout_ms = TIMEOUT_MS;
	return !pipe2(t->pipe, O_CLOEXEC) && !pthread_create(&t->thread, NULL, thread_main, t);
}

static void join(struct thread *t)
{
	pthread_join(t->thread, NULL);
	close(t->pipe[0]);
	close(t->pipe[1]);
}

static bool waiters_are(int port, int n)
{
	return wait_for(fdinfo(port, "waiters") == n);
}

/* Start it and see it wait, as the @n-th. */
static bool start_waiting(struct thread *t, int port, int n)
{
	return start(t, port) && waiters_are(port, n);
}

/* ------------------------------------------------------------------------- */

FIXTURE(port)
{
	int dev, port;
};

FIXTURE_SETUP(port)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->port = port_new(self->dev, WSOCK_PORT_UNLIMITED);
	ASSERT_GE(self->port, 0);
}

FIXTURE_TEARDOWN(port)
{
	close(self->port);
	close(self->dev);
	EXPECT_TRUE(counters_zero());
}

TEST_F(port, create__without_registration)
{
	EXPECT_EQ(fcntl(self->port, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(counter("ports"), 1);
	/* Nor does it need the device any longer. */
	close(self->dev);
	EXPECT_EQ(post(self->port, 1), 0);
	EXPECT_EQ(get_key(self->port, 0), 1);
	self->dev = -1;
}

TEST_F(port, create__bad)
{
	struct wsock_port_args args = { .flags = 1 };

	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_PORT, &args), -EINVAL);
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_IOC_PORT, NULL), -EFAULT);
	EXPECT_EQ(counter("ports"), 1);
}

TEST_F(port, create__concurrency)
{
	int by_default = port_new(self->dev, 0), seven = port_new(self->dev, 7);

	EXPECT_EQ(fdinfo(by_default, "limit"), sysconf(_SC_NPROCESSORS_ONLN));
	EXPECT_EQ(fdinfo(seven, "limit"), 7);
	EXPECT_EQ(fdinfo(self->port, "limit"), -1);
	close(by_default);
	close(seven);
}

TEST_F(port, packets__in_order_and_intact)
{
	struct wsock_packet in = { .internal = 0xc0000120, .bytes = ~0u }, out[2];

	for (int i = 0; i < 5; i++) {
		in.key = ~0ull - i;
		in.ov = i;
		EXPECT_EQ(dev_ioctl(self->port, WSOCK_PORT_IOC_POST, &in), 0);
	}
	EXPECT_EQ(fdinfo(self->port, "packets"), 5);
	for (int i = 0; i < 5; i++) {
		memset(out, 0xa5, sizeof(out));
		EXPECT_EQ(get_packets(self->port, out, 1, 0), 1);
		in.key = ~0ull - i;
		in.ov = i;
		EXPECT_EQ(memcmp(out, &in, sizeof(in)), 0);
		EXPECT_EQ(out[1].key, 0xa5a5a5a5a5a5a5a5ull);
	}
	EXPECT_EQ(get_key(self->port, 0), -ETIME);
}

TEST_F(port, packets__several_at_once)
{
	struct wsock_packet out[1024];

	for (int i = 0; i < 5; i++)
		EXPECT_EQ(post(self->port, i), 0);
	EXPECT_EQ(get_packets(self->port, out, 3, 0), 3);
	EXPECT_EQ(out[0].key, 0);
	EXPECT_EQ(out[2].key, 2);
	EXPECT_EQ(get_packets(self->port, out, 1024, 0), 2);
	EXPECT_EQ(out[0].key, 3);
	EXPECT_EQ(out[1].key, 4);
	EXPECT_EQ(get_packets(self->port, out, 1024, 0), -ETIME);
}

TEST_F(port, packets__limit)
{
	set_param("max_operations", "2");
	EXPECT_EQ(post(self->port, 1), 0);
	EXPECT_EQ(post(self->port, 2), 0);
	EXPECT_EQ(post(self->port, 3), -ENOBUFS);
	EXPECT_EQ(get_key(self->port, 0), 1);
	EXPECT_EQ(post(self->port, 3), 0);
	set_param("max_operations", "1048576");
	EXPECT_EQ(get_key(self->port, 0), 2);
	EXPECT_EQ(get_key(self->port, 0), 3);
}

TEST_F(port, bad__arguments)
{
	struct wsock_packet p = { .flags = 1 };
	struct wsock_port_get args, good = {
		.packets = (unsigned long)&p,
		.count = 1,
	};

	EXPECT_EQ(dev_ioctl(self->port, WSOCK_PORT_IOC_POST, &p), -EINVAL);
	EXPECT_EQ(dev_ioctl(self->port, WSOCK_PORT_IOC_POST, NULL), -EFAULT);
	EXPECT_EQ(dev_ioctl(self->port, WSOCK_PORT_IOC_CLOSE, &p), -EINVAL);
	EXPECT_EQ(dev_ioctl(self->port, WSOCK_IOC_STARTUP, NULL), -ENOTTY);
	EXPECT_EQ(dev_ioctl(self->dev, WSOCK_PORT_IOC_CLOSE, NULL), -ENOTTY);

	ASSERT_EQ(post(self->port, 1), 0);
	EXPECT_EQ(dev_ioctl(self->port, WSOCK_PORT_IOC_GET, NULL), -EFAULT);
#define BAD(change)	({ args = good; args.change; \
			   dev_ioctl(self->port, WSOCK_PORT_IOC_GET, &args); })
	EXPECT_EQ(BAD(count = 0), -EINVAL);
	EXPECT_EQ(BAD(count = 1025), -EINVAL);
	EXPECT_EQ(BAD(flags = 2), -EINVAL);
	EXPECT_EQ(BAD(pad = 1), -EINVAL);
	EXPECT_EQ(BAD(alert_fd = 1), -EINVAL);
	EXPECT_EQ(get_alertable(self->port, &p, 1000000, 0), -EBADF);
	EXPECT_EQ(get_alertable(self->port, &p, -1, 0), -EBADF);
	EXPECT_EQ(get_alertable(self->port, &p, self->dev, 0), -EINVAL);
	EXPECT_EQ(get_alertable(self->port, &p, self->port, 0), -EINVAL);
	EXPECT_EQ(dev_ioctl(self->port, WSOCK_PORT_IOC_GET, &good), 1);
	EXPECT_EQ(p.key, 1);
}

TEST_F(port, fault__loses_nothing)
{
	int page = getpagesize();
	char *map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct wsock_packet *at_end = (void *)(map + page), out[4];

	ASSERT_NE(map, MAP_FAILED);
	ASSERT_EQ(mprotect(map + page, page, PROT_NONE), 0);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(post(self->port, i), 0);
	EXPECT_EQ(get_packets(self->port, at_end, 4, 0), -EFAULT);
	EXPECT_EQ(get_packets(self->port, NULL, 1, 0), -EFAULT);
	EXPECT_EQ(get_packets(self->port, (void *)~15ul, 1, 0), -EFAULT);
	EXPECT_EQ(fdinfo(self->port, "packets"), 4);
	/* What there was room for. */
	EXPECT_EQ(get_packets(self->port, at_end - 2, 3, 0), 2);
	EXPECT_EQ(at_end[-2].key, 0);
	EXPECT_EQ(at_end[-1].key, 1);
	EXPECT_EQ(get_packets(self->port, out, 4, 0), 2);
	EXPECT_EQ(out[0].key, 2);
	EXPECT_EQ(out[1].key, 3);
	munmap(map, 2 * page);
}

/* The thread that was woken cannot take the packet; another waits. */
TEST_F(port, fault__passes_on)
{
	struct thread good = {}, bad = { .to = (void *)16 };

	ASSERT_TRUE(start_waiting(&good, self->port, 1));
	ASSERT_TRUE(start_waiting(&bad, self->port, 2));
	EXPECT_EQ(post(self->port, 1), 0);
	EXPECT_TRUE(wait_for(stage(&bad) && stage(&good)));
	EXPECT_EQ(bad.first, -EFAULT);
	EXPECT_EQ(good.first, 1);
	join(&good);
	join(&bad);
}

TEST_F(port, waiters__last_is_first)
{
	struct thread t[4] = {};

	for (int i = 0; i < 4; i++)
		ASSERT_TRUE(start_waiting(&t[i], self->port, i + 1));
	for (int i = 3; i >= 0; i--) {
		EXPECT_EQ(post(self->port, i), 0);
		EXPECT_TRUE(wait_for(stage(&t[i])));
		EXPECT_EQ(t[i].first, i);
		/* One for one. */
		EXPECT_EQ(fdinfo(self->port, "waiters"), i);
	}
	for (int i = 0; i < 4; i++)
		join(&t[i]);
}

TEST_F(port, timeout__passes)
{
	double since = now_ms();

	EXPECT_EQ(get_key(self->port, 0), -ETIME);
	EXPECT_EQ(get_key(self->port, 30), -ETIME);
	EXPECT_GE(now_ms() - since, 30);
	EXPECT_LT(now_ms() - since, TIMEOUT_MS / 2);
	EXPECT_EQ(fdinfo(self->port, "waiters"), 0);
}

struct interrupted {
	int port, ret;
	pid_t tid;
	struct wsock_port_get args;
	struct wsock_packet p;
};

static void *interrupted_main(void *arg)
{
	struct interrupted *t = arg;

	t->args.packets = (unsigned long)&t->p;
	t->args.count = 1;
	__atomic_store_n(&t->tid, gettid(), __ATOMIC_RELEASE);
	t->ret = dev_ioctl(t->port, WSOCK_PORT_IOC_GET, &t->args);
	return NULL;
}

TEST_F(port, signal__remaining_time)
{
	struct interrupted t = { .port = self->port, .args.timeout_ns = 3600 * 1000000000ll };
	pthread_t thread;

	handle_usr1(0);
	pthread_create(&thread, NULL, interrupted_main, &t);
	ASSERT_TRUE(waiters_are(self->port, 1));
	ASSERT_TRUE(wait_for(asleep(t.tid)));
	nap_ms(20);
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
	EXPECT_EQ(t.ret, -EINTR);
	EXPECT_LE(t.args.timeout_ns, 3600 * 1000000000ll - 20000000);
	EXPECT_GT(t.args.timeout_ns, 3500 * 1000000000ll);

	/* For ever remains for ever. */
	t.args.timeout_ns = -5;
	t.tid = 0;
	pthread_create(&thread, NULL, interrupted_main, &t);
	ASSERT_TRUE(waiters_are(self->port, 1));
	ASSERT_TRUE(wait_for(asleep(t.tid)));
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
	EXPECT_EQ(t.ret, -EINTR);
	EXPECT_EQ(t.args.timeout_ns, -5);
}

TEST_F(port, signal__restarts)
{
	struct interrupted t = { .port = self->port, .args.timeout_ns = 200 * 1000000ll };
	double since = now_ms();
	pthread_t thread;

	handle_usr1(SA_RESTART);
	pthread_create(&thread, NULL, interrupted_main, &t);
	for (int i = 0; i < 10; i++) {
		nap_ms(10);
		pthread_kill(thread, SIGUSR1);
	}
	pthread_join(thread, NULL);
	EXPECT_EQ(t.ret, -ETIME);
	EXPECT_GE(now_ms() - since, 200);
	/* Not ten times that long. */
	EXPECT_LT(now_ms() - since, 2000);
}

TEST_F(port, poll__tells)
{
	int port = self->port;

	EXPECT_EQ(poll_events(port, 0), 0);
	EXPECT_EQ(post(port, 1), 0);
	EXPECT_EQ(poll_events(port, 0), POLLIN);
	EXPECT_EQ(get_key(port, 0), 1);
	EXPECT_EQ(poll_events(port, 0), 0);
	EXPECT_EQ(post(port, 1), 0);
	EXPECT_EQ(shut(port), 0);
	EXPECT_EQ(poll_events(port, 0), POLLHUP);
}

struct poller {
	int fd, revents;
	pid_t tid;
};

static void *poller_main(void *arg)
{
	struct poller *p = arg;

	__atomic_store_n(&p->tid, gettid(), __ATOMIC_RELEASE);
	/* Were it limited, the end of the time would look like a wake-up. */
	p->revents = poll_events(p->fd, -1);
	return NULL;
}

TEST_F(port, poll__wakes)
{
	struct poller p = { .fd = self->port };
	pthread_t thread;

	pthread_create(&thread, NULL, poller_main, &p);
	ASSERT_TRUE(wait_for(__atomic_load_n(&p.tid, __ATOMIC_ACQUIRE) && asleep(p.tid)));
	EXPECT_EQ(post(self->port, 1), 0);
	pthread_join(thread, NULL);
	EXPECT_EQ(p.revents, POLLIN);

	EXPECT_EQ(get_key(self->port, 0), 1);
	p.tid = 0;
	pthread_create(&thread, NULL, poller_main, &p);
	ASSERT_TRUE(wait_for(__atomic_load_n(&p.tid, __ATOMIC_ACQUIRE) && asleep(p.tid)));
	EXPECT_EQ(shut(self->port), 0);
	pthread_join(thread, NULL);
	EXPECT_EQ(p.revents, POLLHUP);
}

TEST_F(port, alert__at_once)
{
	int alert = port_new(self->dev, WSOCK_PORT_UNLIMITED);
	struct wsock_packet p;

	EXPECT_EQ(get_alertable(self->port, &p, alert, 0), -ETIME);
	EXPECT_EQ(post(self->port, 7), 0);
	EXPECT_EQ(get_alertable(self->port, &p, alert, 0), 1);
	EXPECT_EQ(p.key, 7);
	/* It comes before packets, which stay; its own stays too. */
	EXPECT_EQ(post(alert, 1), 0);
	EXPECT_EQ(post(self->port, 8), 0);
	EXPECT_EQ(get_alertable(self->port, &p, alert, -1), 0);
	EXPECT_EQ(get_key(alert, 0), 1);
	EXPECT_EQ(get_alertable(self->port, &p, alert, -1), 1);
	EXPECT_EQ(p.key, 8);
	close(alert);
}

TEST_F(port, alert__wakes)
{
	int alert = port_new(self->dev, WSOCK_PORT_UNLIMITED);
	struct thread t = { .alert = alert, .again = true, .timeout_ms = -1 };

	ASSERT_TRUE(start_waiting(&t, self->port, 1));
	EXPECT_EQ(post(alert, 1), 0);
	EXPECT_TRUE(wait_for(stage(&t)));
	EXPECT_EQ(t.first, 0);
	/* The alert is still on; then it is not, and the packet comes. */
	EXPECT_TRUE(wait_for(stage(&t) == 3));
	EXPECT_EQ(t.second, 0);
	join(&t);
	EXPECT_EQ(get_key(alert, 0), 1);
	t = (struct thread){ .alert = alert };
	ASSERT_TRUE(start_waiting(&t, self->port, 1));
	/* To abandon the alert is no alert. */
	EXPECT_EQ(shut(alert), 0);
	close(alert);
	EXPECT_EQ(post(self->port, 2), 0);
	EXPECT_TRUE(wait_for(stage(&t)));
	EXPECT_EQ(t.first, 2);
	join(&t);
}

TEST_F(port, close__wakes_waiters)
{
	struct thread t[3] = {};

	for (int i = 0; i < 3; i++)
		ASSERT_TRUE(start_waiting(&t[i], self->port, i + 1));
	EXPECT_EQ(shut(self->port), 0);
	for (int i = 0; i < 3; i++) {
		EXPECT_TRUE(wait_for(stage(&t[i])));
		EXPECT_EQ(t[i].first, -ESHUTDOWN);
		join(&t[i]);
	}
	EXPECT_EQ(get_key(self->port, -1), -ESHUTDOWN);
	EXPECT_EQ(get_key(self->port, 0), -ESHUTDOWN);
	EXPECT_EQ(post(self->port, 1), -ESHUTDOWN);
	EXPECT_EQ(shut(self->port), 0);
}

TEST_F(port, close__drops_packets)
{
	for (int i = 0; i < 1000; i++)
		ASSERT_EQ(post(self->port, i), 0);
	EXPECT_EQ(shut(self->port), 0);
	EXPECT_EQ(get_key(self->port, 0), -ESHUTDOWN);
	EXPECT_EQ(fdinfo(self->port, "packets"), 0);
}

TEST_F(port, close__last_descriptor)
{
	int dup = fcntl(self->port, F_DUPFD_CLOEXEC, 0);
	struct thread t = {};

	ASSERT_TRUE(start_waiting(&t, self->port, 1));
	EXPECT_EQ(close(self->port), 0);
	nap_ms(QUIET_MS);
	EXPECT_EQ(stage(&t), 0);
	EXPECT_EQ(fdinfo(dup, "waiters"), 1);
	EXPECT_EQ(close(dup), 0);
	EXPECT_TRUE(wait_for(stage(&t)));
	EXPECT_EQ(t.first, -ESHUTDOWN);
	join(&t);
	self->port = -1;
}

TEST_F(port, child__is_refused)
{
	struct thread t = {};
	pid_t pid;

	ASSERT_TRUE(start_waiting(&t, self->port, 1));
	pid = fork();
	if (!pid) {
		int own_dev = dev_open(), own = port_new(own_dev, WSOCK_PORT_UNLIMITED);
		struct wsock_packet p;

		if (get_key(self->port, 0) != -EPERM)
			_exit(1);
		if (post(self->port, 1) != -EPERM)
			_exit(2);
		if (shut(self->port) != -EPERM)
			_exit(3);
		if (post(own, 2) || get_key(own, 0) != 2)
			_exit(4);
		if (get_alertable(own, &p, self->port, 0) != -EPERM)
			_exit(5);
		if (port_new(self->dev, 0) != -EPERM)
			_exit(6);
		close(self->port);
		_exit(0);
	}
	EXPECT_EQ(child_status(pid), 0);
	/* With the parent's memory, but a process of its own. */
	pid = vfork();
	if (!pid) {
		close(self->port);
		_exit(0);
	}
	EXPECT_EQ(child_status(pid), 0);
	EXPECT_EQ(stage(&t), 0);
	EXPECT_EQ(post(self->port, 3), 0);
	EXPECT_TRUE(wait_for(stage(&t)));
	EXPECT_EQ(t.first, 3);
	join(&t);
}

/* The child's descriptor does not keep the parent's threads waiting. */
TEST_F(port, child__holds_descriptor)
{
	struct thread t = {};
	int p[2];
	pid_t pid;
	char c;

	ASSERT_EQ(pipe(p), 0);
	pid = fork();
	if (!pid) {
		close(p[1]);
		_exit(read(p[0], &c, 1));
	}
	ASSERT_TRUE(start_waiting(&t, self->port, 1));
	EXPECT_EQ(close(self->port), 0);
	EXPECT_TRUE(wait_for(stage(&t)));
	EXPECT_EQ(t.first, -ESHUTDOWN);
	join(&t);
	close(p[1]);
	EXPECT_EQ(child_status(pid), 0);
	close(p[0]);
	self->port = -1;
}

/* ------------------------------------------------------------------------- */
/* The limit */

FIXTURE(limit)
{
	int dev, port;		/* one slot */
	struct thread a, b;	/* both wait, a is served first */
};

FIXTURE_SETUP(limit)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->port = port_new(self->dev, 1);
	ASSERT_GE(self->port, 0);
}

FIXTURE_TEARDOWN(limit)
{
	close(self->port);
	close(self->dev);
	EXPECT_TRUE(counters_zero());
}

static bool start_both(struct _test_data_limit *self)
{
	return start_waiting(&self->b, self->port, 1) && start_waiting(&self->a, self->port, 2);
}

/* It is given time to happen. */
static bool stays(struct thread *t, int at)
{
	nap_ms(QUIET_MS);
	return stage(t) == at;
}

TEST_F(limit, worker__computes)
{
	self->a.deed = COMPUTE;
	self->a.again = true;
	ASSERT_TRUE(start_both(self));
	EXPECT_EQ(post(self->port, 1), 0);
	EXPECT_EQ(post(self->port, 2), 0);
	EXPECT_TRUE(wait_for(stage(&self->a) == 1));
	EXPECT_TRUE(stays(&self->b, 0));
	EXPECT_EQ(fdinfo(self->port, "active"), 1);
	EXPECT_EQ(fdinfo(self->port, "packets"), 1);
	/* Who asks for it is served before those who sleep. */
	go(&self->a);
	EXPECT_TRUE(wait_for(stage(&self->a) == 3));
	EXPECT_EQ(self->a.second, 2);
	/* It ends, and with it its slot. */
	EXPECT_EQ(post(self->port, 3), 0);
	EXPECT_TRUE(wait_for(stage(&self->b)));
	EXPECT_EQ(self->b.first, 3);
	join(&self->a);
	join(&self->b);
}

static void *hog_main(void *arg)
{
	run_on(0);
	while (!__atomic_load_n((bool *)arg, __ATOMIC_ACQUIRE))
		;
	return NULL;
}

/* Preempted again and again it does not run, but it does not block either. */
TEST_F(limit, worker__is_preempted)
{
	pthread_t hogs[2];
	bool end = false;

	run_on(sysconf(_SC_NPROCESSORS_ONLN) - 1);
	self->a.deed = COMPUTE;
	self->a.cpu = 1;
	ASSERT_TRUE(start_both(self));
	for (int i = 0; i < 2; i++)
		pthread_create(&hogs[i], NULL, hog_main, &end);
	EXPECT_EQ(post(self->port, 1), 0);
	EXPECT_TRUE(wait_for(stage(&self->a) == 1));
	EXPECT_EQ(post(self->port, 2), 0);
	for (int i = 0; i < 4; i++)
		EXPECT_TRUE(stays(&self->b, 0));
	go(&self->a);
	EXPECT_TRUE(wait_for(stage(&self->b)));
	EXPECT_EQ(self->b.first, 2);
	__atomic_store_n(&end, true, __ATOMIC_RELEASE);
	for (int i = 0; i < 2; i++)
		pthread_join(hogs[i], NULL);
	join(&self->a);
	join(&self->b);
}

TEST_F(limit, worker__blocks)
{
	self->a.deed = BLOCK;
	ASSERT_TRUE(start_both(self));
	EXPECT_EQ(post(self->port, 1), 0);
	EXPECT_EQ(post(self->port, 2), 0);
	EXPECT_TRUE(wait_for(stage(&self->b)));
	EXPECT_EQ(self->a.first, 1);
	EXPECT_EQ(self->b.first, 2);
	EXPECT_EQ(stage(&self->a), 1);
	EXPECT_EQ(write(self->a.pipe[1], "", 1), 1);
	join(&self->a);
	join(&self->b);
}

/*
 * It used more than its share of a busy processor before it blocks: the scheduler
 * may leave it on the run queue for a while.
 */
TEST_F(limit, worker__blocks_under_load)
{
	pthread_t hogs[2];
	bool end = false;

	run_on(sysconf(_SC_NPROCESSORS_ONLN) - 1);
	for (int i = 0; i < 2; i++)
		pthread_create(&hogs[i], NULL, hog_main, &end);
	for (int round = 0; round < 5; round++) {
		self->a = (struct thread){ .deed = WORK_AND_BLOCK, .cpu = 1 };
		self->b = (struct thread){};
		ASSERT_TRUE(start_both(self));
		EXPECT_EQ(post(self->port, 1), 0);
		EXPECT_EQ(post(self->port, 2), 0);
		EXPECT_TRUE(wait_for(stage(&self->b)));
		EXPECT_EQ(self->b.first, 2);
		EXPECT_EQ(stage(&self->a), 1);
		EXPECT_EQ(write(self->a.pipe[1], "", 1), 1);
		join(&self->a);
		join(&self->b);
	}
	__atomic_store_n(&end, true, __ATOMIC_RELEASE);
	for (int i = 0; i < 2; i++)
		pthread_join(hogs[i], NULL);
}

/* The packet comes when it sleeps already. */
TEST_F(limit, worker__has_blocked)
{
	self->a.deed = BLOCK;
	ASSERT_TRUE(start_both(self));
	EXPECT_EQ(post(self->port, 1), 0);
	EXPECT_TRUE(wait_for(stage(&self->a) == 1 && asleep(self->a.tid)));
	EXPECT_TRUE(wait_for(fdinfo(self->port, "active") == 0));
	EXPECT_EQ(post(self->port, 2), 0);
	EXPECT_TRUE(wait_for(stage(&self->b)));
	EXPECT_EQ(self->b.first, 2);
	EXPECT_EQ(write(self->a.pipe[1], "", 1), 1);
	join(&self->a);
	join(&self->b);
}

/* It counts again, beyond the limit; nobody is served until both are done. */
TEST_F(limit, worker__resumes)
{
	struct thread c = { .deed = COMPUTE, .again = true }, d = { .deed = BLOCK };

	/* d blocks, c computes in its slot. */
	ASSERT_TRUE(start_waiting(&c, self->port, 1));
	ASSERT_TRUE(start_waiting(&d, self->port, 2));
	EXPECT_EQ(post(self->port, 1), 0);
	EXPECT_EQ(post(self->port, 2), 0);
	EXPECT_TRUE(wait_for(stage(&d) == 1 && stage(&c) == 1));
	/* d resumes: it asks for another port's packet only after having run. */
	d.again = true;
	EXPECT_EQ(write(d.pipe[1], "", 1), 1);
	EXPECT_TRUE(wait_for(stage(&d) == 2));
	/* It gave its slot back and waits; c is still at it. */
	EXPECT_TRUE(waiters_are(self->port, 1));
	EXPECT_EQ(fdinfo(self->port, "active"), 1);
	EXPECT_EQ(post(self->port, 3), 0);
	EXPECT_TRUE(stays(&d, 2));
	go(&c);
	EXPECT_TRUE(wait_for(stage(&c) == 3));
	EXPECT_EQ(c.second, 3);
	join(&c);
	EXPECT_EQ(post(self->port, 4), 0);
	EXPECT_TRUE(wait_for(stage(&d) == 3));
	EXPECT_EQ(d.second, 4);
	join(&d);
}

struct resumer {
	struct thread t;
	bool computes, end;
};

static void *resumer_main(void *arg)
{
	struct resumer *r = arg;
	char c;

	r->t.first = thread_get(&r->t);
	reach(&r->t, 1);
	if (read(r->t.pipe[0], &c, 1) != 1)
		abort();
	__atomic_store_n(&r->computes, true, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&r->end, __ATOMIC_ACQUIRE))
		;
	return NULL;
}

TEST_F(limit, worker__resumes_and_computes)
{
	struct resumer r = { .t = { .port = self->port, .timeout_ms = TIMEOUT_MS } };

	ASSERT_EQ(pipe(r.t.pipe), 0);
	self->b.deed = BLOCK;
	self->b.again = true;
	ASSERT_TRUE(start_waiting(&self->b, self->port, 1));
	pthread_create(&r.t.thread, NULL, resumer_main, &r);
	ASSERT_TRUE(waiters_are(self->port, 2));
	EXPECT_EQ(post(self->port, 1), 0);
	EXPECT_EQ(post(self->port, 2), 0);
	EXPECT_TRUE(wait_for(stage(&r.t) == 1 && stage(&self->b) == 1));
	EXPECT_TRUE(wait_for(fdinfo(self->port, "active") == 0));
	EXPECT_EQ(write(r.t.pipe[1], "", 1), 1);
	EXPECT_TRUE(wait_for(__atomic_load_n(&r.computes, __ATOMIC_ACQUIRE)));
	EXPECT_EQ(fdinfo(self->port, "active"), 1);
	/* b comes back and finds the slot taken by the one that resumed. */
	EXPECT_EQ(post(self->port, 3), 0);
	EXPECT_EQ(write(self->b.pipe[1], "", 1), 1);
	EXPECT_TRUE(wait_for(stage(&self->b) == 2));
	EXPECT_TRUE(stays(&self->b, 2));
	__atomic_store_n(&r.end, true, __ATOMIC_RELEASE);
	EXPECT_TRUE(wait_for(stage(&self->b) == 3));
	EXPECT_EQ(self->b.second, 3);
	join(&r.t);
	join(&self->b);
}

TEST_F(limit, worker__exits)
{
	ASSERT_TRUE(start_both(self));
	EXPECT_EQ(post(self->port, 1), 0);
	EXPECT_EQ(post(self->port, 2), 0);
	EXPECT_TRUE(wait_for(stage(&self->a) && stage(&self->b)));
	EXPECT_EQ(self->a.first + self->b.first, 3);
	join(&self->a);
	join(&self->b);
}

/* To ask another port is to leave this one. */
TEST_F(limit, worker__moves)
{
	int other = port_new(self->dev, 1);

	self->a.deed = LEAVE;
	self->a.other = other;
	ASSERT_TRUE(start_both(self));
	EXPECT_EQ(post(self->port, 1), 0);
	EXPECT_EQ(post(self->port, 2), 0);
	EXPECT_TRUE(wait_for(stage(&self->b)));
	EXPECT_EQ(self->b.first, 2);
	EXPECT_TRUE(waiters_are(other, 1));
	EXPECT_EQ(post(other, 3), 0);
	join(&self->a);
	join(&self->b);
	close(other);
}

/* It moves while it has a packet, to another that has one too. */
TEST_F(limit, worker__moves_without_sleep)
{
	int other = port_new(self->dev, 1);

	ASSERT_TRUE(start_waiting(&self->b, self->port, 1));
	EXPECT_EQ(post(other, 3), 0);
	EXPECT_EQ(get_key(other, 0), 3);
	EXPECT_EQ(fdinfo(other, "active"), 1);
	EXPECT_EQ(post(other, 4), 0);
	EXPECT_EQ(post(self->port, 1), 0);
	EXPECT_TRUE(wait_for(stage(&self->b)));
	join(&self->b);
	EXPECT_EQ(get_key(self->port, 0), -ETIME);
	EXPECT_EQ(fdinfo(other, "active"), 0);
	EXPECT_EQ(get_key(other, 0), 4);
	EXPECT_EQ(get_key(other, 0), -ETIME);
	EXPECT_EQ(fdinfo(other, "active"), 0);
	close(other);
}

/* A slot is for who has a packet: not for a fault, a time that passed, an alert. */
TEST_F(limit, slot__without_packet)
{
	int alert = port_new(self->dev, WSOCK_PORT_UNLIMITED);
	struct wsock_packet p;

	EXPECT_EQ(post(self->port, 1), 0);
	EXPECT_EQ(get_packets(self->port, NULL, 1, 0), -EFAULT);
	EXPECT_EQ(fdinfo(self->port, "active"), 0);
	EXPECT_EQ(get_key(self->port, 0), 1);
	EXPECT_EQ(fdinfo(self->port, "active"), 1);
	EXPECT_EQ(get_key(self->port, 0), -ETIME);
	EXPECT_EQ(fdinfo(self->port, "active"), 0);
	EXPECT_EQ(post(self->port, 2), 0);
	EXPECT_EQ(get_key(self->port, 0), 2);
	EXPECT_EQ(post(alert, 1), 0);
	/* The slot that the alerted thread gave up goes to the next. */
	ASSERT_TRUE(start_waiting(&self->b, self->port, 1));
	EXPECT_EQ(get_alertable(self->port, &p, alert, -1), 0);
	EXPECT_EQ(post(self->port, 3), 0);
	EXPECT_TRUE(wait_for(stage(&self->b)));
	join(&self->b);
	close(alert);
}

TEST_F(limit, slots__several)
{
	struct thread t[4] = {};
	int port = port_new(self->dev, 3);

	for (int i = 0; i < 4; i++) {
		t[i].deed = i ? COMPUTE : NOTHING;
		ASSERT_TRUE(start_waiting(&t[i], port, i + 1));
	}
	/* One more than the machine has processors must not be needed to run. */
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(post(port, i), 0);
	EXPECT_TRUE(wait_for(stage(&t[1]) && stage(&t[2]) && stage(&t[3])));
	EXPECT_TRUE(stays(&t[0], 0));
	EXPECT_EQ(fdinfo(port, "active"), 3);
	go(&t[2]);
	EXPECT_TRUE(wait_for(stage(&t[0])));
	for (int i = 0; i < 4; i++) {
		go(&t[i]);
		join(&t[i]);
	}
	close(port);
}

static int remove_module(void)
{
	return syscall(SYS_delete_module, "wsock", O_NONBLOCK) ? -errno : 0;
}

/* A thread that may yet count for the port holds it and the module. */
TEST_F(limit, worker__outlives_descriptor)
{
	self->a.deed = BLOCK;
	ASSERT_TRUE(start_waiting(&self->a, self->port, 1));
	EXPECT_EQ(post(self->port, 1), 0);
	EXPECT_TRUE(wait_for(stage(&self->a) == 1));
	close(self->port);
	close(self->dev);
	EXPECT_TRUE(wait_for(!counter("contexts")));
	EXPECT_EQ(counter("ports"), 1);
	EXPECT_EQ(remove_module(), -EAGAIN);
	EXPECT_EQ(write(self->a.pipe[1], "", 1), 1);
	join(&self->a);
	EXPECT_TRUE(wait_for(!counter("ports")));
	self->port = self->dev = -1;
}

/* But whoever learns that it is abandoned does so no longer. */
TEST_F(limit, worker__quits)
{
	int other = port_new(self->dev, 1);

	EXPECT_EQ(post(other, 1), 0);
	EXPECT_EQ(get_key(other, 0), 1);
	EXPECT_EQ(counter("ports"), 2);
	close(other);
	EXPECT_EQ(counter("ports"), 1);
	other = port_new(self->dev, 1);
	EXPECT_EQ(post(other, 1), 0);
	EXPECT_EQ(get_key(other, 0), 1);
	EXPECT_EQ(shut(other), 0);
	EXPECT_EQ(get_key(other, 0), -ESHUTDOWN);
	close(other);
	EXPECT_EQ(counter("ports"), 1);
}

TEST_F(limit, process__is_killed)
{
	int p[2];
	char c;
	pid_t pid;

	ASSERT_EQ(pipe(p), 0);
	for (int round = 0; round < 20; round++) {
		pid = fork();
		if (!pid) {
			struct thread t[6] = {};
			int dev = dev_open(), port = port_new(dev, 2);

			for (int i = 0; i < 6; i++) {
				t[i].deed = i % 2 ? BLOCK : COMPUTE;
				start_waiting(&t[i], port, i + 1);
			}
			for (int i = 0; i < 4; i++)
				post(port, i);
			wait_for(stage(&t[5]));
			if (write(p[1], "", 1) == 1)
				pause();
			_exit(1);
		}
		ASSERT_EQ(read(p[0], &c, 1), 1);
		kill(pid, SIGKILL);
		EXPECT_EQ(child_status(pid), -1);
	}
	EXPECT_TRUE(wait_for(counter("ports") == 1));
	close(p[0]);
	close(p[1]);
}

/* A program that a worker exec()s holds nothing. */
TEST_F(limit, process__execs)
{
	int p[2];
	pid_t pid;

	ASSERT_EQ(pipe(p), 0);
	pid = fork();
	if (!pid) {
		int dev = dev_open(), port = port_new(dev, 1);

		if (post(port, 1) || get_key(port, 0) != 1)
			_exit(1);
		dup2(p[0], 0);
		close(p[1]);
		execlp("cat", "cat", NULL);
		_exit(2);
	}
	close(p[0]);
	EXPECT_TRUE(wait_for(counter("contexts") == 1 && counter("ports") == 1));
	EXPECT_EQ(waitpid(pid, NULL, WNOHANG), 0);
	close(p[1]);
	EXPECT_EQ(child_status(pid), 0);
}

/* ------------------------------------------------------------------------- */
/* Exactly once */

#define THREADS 4
#define EACH 5000			/* at most; WSOCK_ITERATIONS sets it */

static unsigned int each;

static void __attribute__((constructor)) choose(void)
{
	each = env_number("WSOCK_ITERATIONS", EACH);
	if (each > EACH)
		each = EACH;
}

FIXTURE(once)
{
	int dev, port;
	unsigned char seen[THREADS * EACH];
};

FIXTURE_VARIANT(once)
{
	unsigned int concurrency;
	bool alertable, departing;
	int batch;
};

FIXTURE_VARIANT_ADD(once, unlimited) { .concurrency = WSOCK_PORT_UNLIMITED, .batch = 1 };
FIXTURE_VARIANT_ADD(once, one) { .concurrency = 1, .batch = 1 };
FIXTURE_VARIANT_ADD(once, two_batched) { .concurrency = 2, .batch = 7 };
FIXTURE_VARIANT_ADD(once, departing) {
	.concurrency = 2, .batch = 3, .departing = true, .alertable = true,
};

FIXTURE_SETUP(once)
{
	self->dev = dev_open();
	ASSERT_GE(self->dev, 0);
	self->port = port_new(self->dev, variant->concurrency);
	ASSERT_GE(self->port, 0);
}

FIXTURE_TEARDOWN(once)
{
	close(self->port);
	close(self->dev);
	EXPECT_TRUE(counters_zero());
}

struct shared {
	int port, alert, batch;
	bool departing;
	unsigned int posters;
	unsigned int taken, bad;
	unsigned char *seen;
	pthread_t getters[THREADS];
	bool end;
};

static void *poster_main(void *arg)
{
	struct shared *s = arg;
	unsigned int base = each * __atomic_fetch_add(&s->posters, 1, __ATOMIC_RELAXED);
	unsigned int seed = base;

	for (unsigned int i = 0; i < each; i++) {
		if (post(s->port, base + i))
			__atomic_fetch_add(&s->bad, 1, __ATOMIC_RELAXED);
		if (!(rand_r(&seed) % 64))
			usleep(10);
	}
	return NULL;
}

/* Takes packets, and often blocks. */
static void *getter_main(void *arg)
{
	struct shared *s = arg;
	struct wsock_packet p[8];
	unsigned int seed = gettid();

	for (;;) {
		struct wsock_port_get args = {
			.packets = (unsigned long)p,
			.count = s->batch,
			.flags = s->alert >= 0 ? WSOCK_PORT_ALERTABLE : 0,
			.timeout_ns = s->departing ? rand_r(&seed) % 100000 : -1,
			.alert_fd = s->alert >= 0 ? s->alert : 0,
		};
		int n;

		/* An array that is not there, sometimes. */
		if (s->departing && !(rand_r(&seed) % 16))
			args.packets = 64;
		n = dev_ioctl(s->port, WSOCK_PORT_IOC_GET, &args);
		if (n == -ESHUTDOWN || n == -EBADF)
			return NULL;
		if (n < 0 && n != -ETIME && n != -EINTR && n != -EFAULT)
			__atomic_fetch_add(&s->bad, 1, __ATOMIC_RELAXED);
		for (int i = 0; i < n; i++)
			__atomic_fetch_add(&s->seen[p[i].key], 1, __ATOMIC_RELAXED);
		if (n > 0)
			__atomic_fetch_add(&s->taken, n, __ATOMIC_RELAXED);
		if (!(rand_r(&seed) % 32))
			usleep(10);
	}
}

/* Takes one packet and ends. */
static void *single_main(void *arg)
{
	struct shared *s = arg;
	struct wsock_packet p;

	if (get_packets(s->port, &p, 1, 20) == 1) {
		__atomic_fetch_add(&s->seen[p.key], 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&s->taken, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* One thread after the other: workers end all the time. */
static void *brief_main(void *arg)
{
	struct shared *s = arg;
	pthread_t t;

	while (!__atomic_load_n(&s->end, __ATOMIC_ACQUIRE)) {
		if (!pthread_create(&t, NULL, single_main, s))
			pthread_join(t, NULL);
	}
	return NULL;
}

static void *signaller_main(void *arg)
{
	struct shared *s = arg;

	for (unsigned int i = 0; !__atomic_load_n(&s->end, __ATOMIC_ACQUIRE); i++) {
		pthread_kill(s->getters[i % THREADS], SIGUSR1);
		post(s->alert, 0);
		get_key(s->alert, 0);
		usleep(50);
	}
	return NULL;
}

TEST_F_TIMEOUT(once, post_and_get, 120)
{
	struct shared s = {
		.port = self->port,
		.alert = variant->alertable ? port_new(self->dev, WSOCK_PORT_UNLIMITED) : -1,
		.batch = variant->batch,
		.departing = variant->departing,
		.seen = self->seen,
	};
	pthread_t posters[THREADS], brief, signaller;
	unsigned int wrong = 0, taken;

	handle_usr1(0);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&s.getters[i], NULL, getter_main, &s);
	pthread_create(&brief, NULL, brief_main, &s);
	if (s.departing)
		pthread_create(&signaller, NULL, signaller_main, &s);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&posters[i], NULL, poster_main, &s);
	for (int i = 0; i < THREADS; i++)
		pthread_join(posters[i], NULL);
	/* No packet is left while somebody waits. */
	do {
		taken = __atomic_load_n(&s.taken, __ATOMIC_RELAXED);
	} while (taken < THREADS * each &&
		 wait_for(__atomic_load_n(&s.taken, __ATOMIC_RELAXED) != taken));
	EXPECT_EQ(taken, THREADS * each);
	__atomic_store_n(&s.end, true, __ATOMIC_RELEASE);
	pthread_join(brief, NULL);
	if (s.departing)
		pthread_join(signaller, NULL);
	EXPECT_EQ(shut(self->port), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(s.getters[i], NULL);
	for (unsigned int i = 0; i < THREADS * each; i++)
		wrong += s.seen[i] != 1;
	EXPECT_EQ(wrong, 0);
	EXPECT_EQ(s.bad, 0);
	EXPECT_EQ(fdinfo(self->port, "active"), 0);
	if (s.alert >= 0)
		close(s.alert);
}

/* A port abandoned under posters and waiters, with a worker or two at work. */
TEST(race__abandon)
{
	int dev = dev_open();

	ASSERT_GE(dev, 0);
	for (int round = 0; round < 200; round++) {
		static unsigned char seen[THREADS * EACH];
		struct shared s = {
			.port = port_new(dev, round % 3 ?: WSOCK_PORT_UNLIMITED),
			.alert = -1,
			.batch = 2,
			.seen = seen,
		};

		for (int i = 0; i < THREADS; i++)
			pthread_create(&s.getters[i], NULL, getter_main, &s);
		for (int i = 0; i < round % 50; i++)
			post(s.port, i);
		if (round % 2)
			shut(s.port);
		close(s.port);
		for (int i = 0; i < THREADS; i++)
			pthread_join(s.getters[i], NULL);
	}
	close(dev);
	EXPECT_TRUE(counters_zero());
}

TEST_HARNESS_MAIN
