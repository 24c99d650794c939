/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The benchmark: what its parts share.
 *
 * It is made for a VM whose clock counts instructions, so every "time" here is
 * a number of instructions, kernel and interrupts included.
 */
#ifndef WSOCK_SELFTESTS_BENCH_H
#define WSOCK_SELFTESTS_BENCH_H

#include "device.h"

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
 * @measure: does it, in a process of its own
 * @arg: for @measure
 */
struct bench_row {
	const char *work;
	int n;
	const char *system;
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

void bench_add(const struct bench_row *row);
void bench_sample(struct bench_result *result, double value);

/* bench_io.c, bench_release.c: add their rows */
void bench_io_rows(void);
void bench_release_rows(void);

#endif /* WSOCK_SELFTESTS_BENCH_H */
