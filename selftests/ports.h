/* SPDX-License-Identifier: GPL-2.0 */
/* Completion ports, for the tests of them and of operations that end there. */
#ifndef WSOCK_SELFTESTS_PORTS_H
#define WSOCK_SELFTESTS_PORTS_H

#include "device.h"

/* How long something that must not happen is given to happen. */
#define QUIET_MS 60

/* Look until it is so, or TIMEOUT_MS have passed. */
#define wait_for(condition) ({						\
	double _end = now_ms() + TIMEOUT_MS;				\
	bool _is;							\
									\
	while (!(_is = (condition)) && now_ms() < _end)			\
		nap_ms(1);						\
	_is;								\
})

static inline double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

static inline void nap_ms(int ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000L }, NULL);
}

static inline int port_new(int dev, unsigned int concurrency)
{
	struct wsock_port_args args = { .concurrency = concurrency };

	return dev_ioctl(dev, WSOCK_IOC_PORT, &args);
}

static inline int post(int port, unsigned int key)
{
	struct wsock_packet p = { .key = key };

	return dev_ioctl(port, WSOCK_PORT_IOC_POST, &p);
}

static inline int get_packets(int port, struct wsock_packet *packets, int count, int timeout_ms)
{
	struct wsock_port_get args = {
		.packets = (unsigned long)packets,
		.count = count,
		.timeout_ns = timeout_ms < 0 ? -1 : timeout_ms * 1000000LL,
	};

	return dev_ioctl(port, WSOCK_PORT_IOC_GET, &args);
}

/* One packet: its key, or a negative errno. */
static inline int get_key(int port, int timeout_ms)
{
	struct wsock_packet p;
	int ret = get_packets(port, &p, 1, timeout_ms);

	return ret == 1 ? (int)p.key : ret;
}

static inline int get_alertable(int port, struct wsock_packet *p, int alert, int timeout_ms)
{
	struct wsock_port_get args = {
		.packets = (unsigned long)p,
		.count = 1,
		.flags = WSOCK_PORT_ALERTABLE,
		.timeout_ns = timeout_ms < 0 ? -1 : timeout_ms * 1000000LL,
		.alert_fd = alert,
	};

	return dev_ioctl(port, WSOCK_PORT_IOC_GET, &args);
}

static inline int shut(int port)
{
	return dev_ioctl(port, WSOCK_PORT_IOC_CLOSE, NULL);
}

static inline int poll_events(int fd, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, timeout_ms) < 0 ? -errno : pfd.revents;
}

static inline bool asleep(pid_t tid)
{
	char path[64], state = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	fclose(f);
	return state == 'S';
}

static inline void on_signal(int sig)
{
}

static inline void handle_usr1(int flags)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = flags };

	sigaction(SIGUSR1, &sa, NULL);
}

static inline int child_status(pid_t pid)
{
	int st;

	if (waitpid(pid, &st, 0) != pid)
		return -1;
	return WIFEXITED(st) ? WEXITSTATUS(st) : -1;
}

#endif /* WSOCK_SELFTESTS_PORTS_H */
