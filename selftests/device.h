/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the device share: thin calls, socket pairs, status blocks
 * with poison around them, and the module's own counters.
 */
#ifndef WSOCK_SELFTESTS_DEVICE_H
#define WSOCK_SELFTESTS_DEVICE_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/wsock.h>

#define STATUS_SUCCESS			0x00000000u
#define STATUS_PENDING			0x00000103u
#define STATUS_BUFFER_OVERFLOW		0x80000005u
#define STATUS_CANCELLED		0xc0000120u
#define STATUS_CONNECTION_RESET		0xc000020du
#define STATUS_CONNECTION_ABORTED	0xc0000241u

/* Longest time for something that has to happen; never slept out on success. */
#define TIMEOUT_MS 10000

/* A number of the environment, as scripts/check has them for slow kernels. */
static inline unsigned long env_number(const char *name, unsigned long otherwise)
{
	const char *env = getenv(name);

	return env ? strtoul(env, NULL, 0) : otherwise;
}

static inline unsigned int env_seed(void)
{
	return env_number("WSOCK_SEED", time(NULL) ^ getpid());
}

static inline int dev_open(void)
{
	return open("/dev/wsock", O_RDWR | O_CLOEXEC);
}

static inline int dev_started(void)
{
	int fd = dev_open();

	if (fd >= 0 && ioctl(fd, WSOCK_IOC_STARTUP)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* ioctls return -errno here, so that a test names the code it expects. */
static inline int dev_ioctl(int dev, unsigned long cmd, void *arg)
{
	int ret = ioctl(dev, cmd, arg);

	return ret < 0 ? -errno : ret;
}

static inline int dev_startup(int dev)
{
	return dev_ioctl(dev, WSOCK_IOC_STARTUP, NULL);
}

static inline int dev_cleanup(int dev)
{
	return dev_ioctl(dev, WSOCK_IOC_CLEANUP, NULL);
}

static inline int dev_adopt(int dev, int fd)
{
	struct wsock_socket_args args = { .fd = fd };

	return dev_ioctl(dev, WSOCK_IOC_ADOPT, &args);
}

static inline int dev_closesocket(int dev, int fd)
{
	struct wsock_socket_args args = { .fd = fd };

	return dev_ioctl(dev, WSOCK_IOC_CLOSE, &args);
}

static inline int dev_cancel(int dev, int fd, const void *ov)
{
	struct wsock_cancel args = {
		.fd = fd,
		.flags = ov ? 0 : WSOCK_CANCEL_ALL,
		.ov = (unsigned long)ov,
	};

	return dev_ioctl(dev, WSOCK_IOC_CANCEL, &args);
}

static inline int dev_wait(int dev, const void *ov, int timeout_ms)
{
	struct wsock_wait args = {
		.ov = (unsigned long)ov,
		.timeout_ns = timeout_ms < 0 ? -1 : timeout_ms * 1000000LL,
	};

	return dev_ioctl(dev, WSOCK_IOC_WAIT, &args);
}

/* An OVERLAPPED, with what must not change around it. */
struct ov {
	unsigned long long before;
	struct wsock_status st;
	unsigned long long after;
};

#define OV_POISON 0xa5a5a5a5a5a5a5a5ull

static inline void ov_init(struct ov *ov)
{
	memset(ov, 0xa5, sizeof(*ov));
	ov->st.internal = STATUS_PENDING;
}

static inline unsigned int ov_status(const struct ov *ov)
{
	return __atomic_load_n(&ov->st.internal, __ATOMIC_ACQUIRE);
}

static inline bool ov_intact(const struct ov *ov)
{
	return ov->before == OV_POISON && ov->after == OV_POISON &&
	       ov->st.offset_high == 0xa5a5a5a5u;
}

/* event < 0: none; ov NULL: no status. Returns bytes or -errno. */
static inline int dev_submit(int dev, int op, int fd, const void *addr, size_t len,
			     struct ov *ov, int event, int msg_flags)
{
	struct wsock_submit args = {
		.op = op,
		.fd = fd,
		.addr = (unsigned long)addr,
		.len = len,
		.cmd = {
			.ov = ov ? (unsigned long)&ov->st : 0,
			.event_fd = event < 0 ? 0 : event,
			.flags = (ov ? WSOCK_CMD_STATUS : 0) | (event < 0 ? 0 : WSOCK_CMD_EVENT),
			.msg_flags = msg_flags,
		},
	};

	if (ov)
		ov_init(ov);
	return dev_ioctl(dev, WSOCK_IOC_SUBMIT, &args);
}

static inline int dev_recv(int dev, int fd, void *buf, size_t len, struct ov *ov)
{
	return dev_submit(dev, WSOCK_OP_RECV, fd, buf, len, ov, -1, 0);
}

static inline int dev_send(int dev, int fd, const void *buf, size_t len, struct ov *ov)
{
	return dev_submit(dev, WSOCK_OP_SEND, fd, buf, len, ov, -1, 0);
}

static inline bool event_is_set(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, 0) == 1;
}

static inline bool event_wait(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, TIMEOUT_MS) == 1;
}

/* The number that the next descriptor gets. */
static inline int lowest_fd(void)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

	close(fd);
	return fd;
}

static inline int new_event(void)
{
	return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

static inline struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

static inline int local_port(int fd)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	return getsockname(fd, (struct sockaddr *)&sin, &len) ? -1 : ntohs(sin.sin_port);
}

static inline int tcp_listener(void)
{
	struct sockaddr_in sin = loopback(0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) || listen(fd, 4096)) {
		close(fd);
		return -1;
	}
	return fd;
}

static inline int tcp_connect(int port)
{
	struct sockaddr_in sin = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&sin, sizeof(sin))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* fds[0] is to be owned, fds[1] is a plain peer. */
static inline int tcp_pair(int fds[2])
{
	int l = tcp_listener();

	fds[1] = tcp_connect(local_port(l));
	fds[0] = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	close(l);
	return fds[0] < 0 || fds[1] < 0 ? -1 : 0;
}

static inline int udp_socket(void)
{
	struct sockaddr_in sin = loopback(0);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin))) {
		close(fd);
		return -1;
	}
	return fd;
}

static inline int udp_connect_to(int fd, int to)
{
	struct sockaddr_in sin = loopback(local_port(to));

	return connect(fd, (struct sockaddr *)&sin, sizeof(sin));
}

static inline int udp_pair(int fds[2])
{
	fds[0] = udp_socket();
	fds[1] = udp_socket();
	return udp_connect_to(fds[0], fds[1]) || udp_connect_to(fds[1], fds[0]);
}

/* What the peer of a connection sees: 0 end of stream, or -errno. */
static inline int peer_end(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char buf[4096];
	ssize_t n;

	do {
		if (poll(&pfd, 1, TIMEOUT_MS) != 1)
			return -ETIMEDOUT;
		n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
	} while (n > 0);
	return n < 0 ? -errno : 0;
}

/* Fill a stream until its peer's window and our buffer are full. */
static inline size_t fill(int fd)
{
	static char buf[65536];
	size_t total = 0;
	ssize_t n;

	while ((n = send(fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_NOSIGNAL)) > 0)
		total += n;
	return total;
}

/* Run in a child; its status is the test's. */
#define CHILD_EXPECT(cond) do { if (!(cond)) _exit(__LINE__ % 250 + 1); } while (0)

/* Room for one byte, and one descriptor that goes with it. */
struct fd_message {
	struct msghdr msg;
	struct iovec iov;
	char byte;
	union {
		struct cmsghdr hdr;
		char buf[CMSG_SPACE(sizeof(int))];
	} control;
};

static inline struct msghdr *fd_message_init(struct fd_message *m)
{
	memset(m, 0, sizeof(*m));
	m->iov.iov_base = &m->byte;
	m->iov.iov_len = 1;
	m->msg.msg_iov = &m->iov;
	m->msg.msg_iovlen = 1;
	m->msg.msg_control = &m->control;
	m->msg.msg_controllen = sizeof(m->control);
	return &m->msg;
}

static inline int send_fd(int via, int fd, int flags)
{
	struct fd_message m;
	struct msghdr *msg = fd_message_init(&m);

	m.control.hdr.cmsg_len = CMSG_LEN(sizeof(int));
	m.control.hdr.cmsg_level = SOL_SOCKET;
	m.control.hdr.cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(&m.control.hdr), &fd, sizeof(fd));
	return sendmsg(via, msg, flags) == 1 ? 0 : -1;
}

/* -1 also for a message without one. */
static inline int recv_fd(int via, int flags)
{
	struct fd_message m;
	struct msghdr *msg = fd_message_init(&m);
	int fd = -1;

	if (recvmsg(via, msg, flags) == 1 && msg->msg_controllen)
		memcpy(&fd, CMSG_DATA(&m.control.hdr), sizeof(fd));
	return fd;
}

static inline long counter(const char *name)
{
	char line[128], key[64];
	long value = -1, v;
	FILE *f = fopen("/sys/kernel/debug/wsock/counters", "re");

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %ld", key, &v) == 2 && !strcmp(key, name))
			value = v;
	}
	fclose(f);
	return value;
}

/*
 * The module holds nothing any more. What a killed process or a closed ring
 * leaves goes in their own time, so look until it is so.
 */
static inline bool counters_zero(void)
{
	struct timespec ms = { .tv_nsec = 1000000 };

	for (int i = 0; i < TIMEOUT_MS; i++) {
		if (!counter("contexts") && !counter("sockets") && !counter("operations") &&
		    !counter("ports") && !counter("netevents") && !counter("offers"))
			return true;
		nanosleep(&ms, NULL);
	}
	return false;
}

static inline void set_param(const char *name, const char *value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/module/wsock/parameters/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (write(fd, value, strlen(value)) < 0)
		abort();
	close(fd);
}

/* One line of /proc/self/fdinfo of the device. */
static inline long fdinfo(int dev, const char *name)
{
	char path[64], line[128], key[64];
	long value = -1, v;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", dev);
	f = fopen(path, "re");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "wsock-%63[^:]: %ld", key, &v) == 2 && !strcmp(key, name))
			value = v;
	}
	fclose(f);
	return value;
}

#endif /* WSOCK_SELFTESTS_DEVICE_H */
