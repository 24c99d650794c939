/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The benchmark: what its parts share.
 *
 * It is made for a VM whose clock counts instructions, so every "time" here is
 * a number of instructions, kernel and interrupts included. (A string instruction
 * counts once per repetition, which makes clearing a page dearer than it is.)
 */
#ifndef WSOCK_SELFTESTS_BENCH_H
#define WSOCK_SELFTESTS_BENCH_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The names of socket calls are Linux's; winsock2.h's are wsock_*(). */
#define WSOCK_NATIVE_NAMES
#include <winsock2.h>
#include <arpa/inet.h>
#include <netinet/tcp.h>

#include <linux/wsock.h>

/* Bytes of a message. */
#define MSG_SIZE 64
#define MAX_SAMPLES 64

/**
 * struct bench_result - what a measuring process hands back
 * @nr: number of samples
 * @sample: instructions per operation
 */
struct bench_result {
	int nr;
	double sample[MAX_SAMPLES];
};

/**
 * struct bench_row - one line of the result
 * @work: what is done
 * @n: how many at a time
 * @system: through what
 * @once: takes long
 * @measure: does it, in a process of its own
 * @arg: for @measure
 */
struct bench_row {
	const char *work;
	int n;
	const char *system;
	bool once;
	void (*measure)(const struct bench_row *row, struct bench_result *result);
	const void *arg;
};

static inline unsigned long long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/* A benchmark that did not do its work has no result. */
__attribute__((noreturn, format(printf, 3, 4)))
void bench_die(const char *file, int line, const char *format, ...);

#define die(...) bench_die(__FILE__, __LINE__, __VA_ARGS__)
#define must(condition)							\
	do {								\
		if (__builtin_expect(!(condition), 0))			\
			die("%s: errno %d", #condition, errno);		\
	} while (0)

/* What reading the clock twice in a row shows. */
extern unsigned long long bench_clock;

/* Two instructions a turn. */
static inline void bench_spin(unsigned long turns)
{
	asm volatile("1: dec %0\n\tjnz 1b" : "+r"(turns) : : "cc");
}

/* /dev/wsock, registered */
static inline int bench_device(void)
{
	int dev = open("/dev/wsock", O_RDWR | O_CLOEXEC);

	must(dev >= 0);
	must(!ioctl(dev, WSOCK_IOC_STARTUP, 0));
	return dev;
}

static inline void bench_adopt(int dev, int fd)
{
	struct wsock_socket_args args = { .fd = fd };

	must(!ioctl(dev, WSOCK_IOC_ADOPT, &args));
}

/* A listening socket on all addresses, and its port. */
static inline int bench_listener(int *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	must(!bind(fd, (struct sockaddr *)&sin, sizeof(sin)));
	must(!listen(fd, 4096));
	must(!getsockname(fd, (struct sockaddr *)&sin, &len));
	*port = ntohs(sin.sin_port);
	return fd;
}

void bench_add(const struct bench_row *row);
void bench_sample(struct bench_result *result, double value);

/* bench_cancel.c and so on: add their rows */
void bench_cancel_rows(void);
void bench_io_rows(void);
void bench_release_rows(void);
void bench_iocp_rows(void);

#endif /* WSOCK_SELFTESTS_BENCH_H */
