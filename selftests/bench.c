// SPDX-License-Identifier: GPL-2.0
/*
 * The benchmark: instructions per operation, of the module, of its library and
 * of what Linux has for the same work. Run it with "make bench"; it needs a VM
 * whose clock advances by one nanosecond per instruction (scripts/vm --icount).
 *
 * Every row is measured in a process of its own, twice, in opposite orders. The
 * figure is the median of all samples of both passes.
 */
#include "bench.h"

#include <stdarg.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#define MAX_ROWS 256
#define PASSES 2

#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))

struct row_state {
	struct bench_row row;
	double pass[PASSES];	/* medians */
	double spread;		/* middle 80 % of the samples, relative */
	double value;
};

static struct row_state rows[MAX_ROWS];
static int nr_rows;
static struct bench_result *shared;
unsigned long long bench_clock;

void bench_die(const char *file, int line, const char *format, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "bench: %s:%d: ", file, line);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

void bench_add(const struct bench_row *row)
{
	must(nr_rows < MAX_ROWS);
	rows[nr_rows++].row = *row;
}

void bench_sample(struct bench_result *result, double value)
{
	must(result->nr < MAX_SAMPLES);
	result->sample[result->nr++] = value;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* @q of 1: the value that so many of the sorted samples stay below. */
static double quantile(const struct bench_result *result, double q)
{
	double at = q * (result->nr - 1);
	int i = at;

	if (i + 1 >= result->nr)
		return result->sample[result->nr - 1];
	return result->sample[i] + (at - i) * (result->sample[i + 1] - result->sample[i]);
}

static void measure(struct row_state *state, int pass)
{
	double spread;
	int status;
	pid_t pid;

	/* What the last process left behind ends; this time costs nothing. */
	usleep(300000);
	shared->nr = 0;
	fflush(stdout);
	pid = fork();
	must(pid >= 0);
	if (!pid) {
		state->row.measure(&state->row, shared);
		_exit(0);
	}
	must(waitpid(pid, &status, 0) == pid);
	if (status || !shared->nr)
		die("%s, %d, %s: failed with status %#x", state->row.work, state->row.n,
		    state->row.system, status);
	qsort(shared->sample, shared->nr, sizeof(shared->sample[0]), compare);
	state->pass[pass] = quantile(shared, 0.5);
	spread = (quantile(shared, 0.9) - quantile(shared, 0.1)) / state->pass[pass];
	state->spread = max(state->spread, spread);
}

/* ------------------------------------------------------------------------- */
/* Is the clock what we take it for? */

static void spin(unsigned long n)
{
	/* Two instructions a turn. */
	asm volatile("1: dec %0\n\tjnz 1b" : "+r"(n) : : "cc");
}

static void calibrate(void)
{
	static const unsigned long turns[] = { 1000, 10000, 100000 };
	unsigned long long clock = ~0ull, start, took;
	int runs = 25;

	for (int i = 0; i < runs; i++) {
		start = now();
		took = now() - start;
		clock = min(clock, took);
	}
	for (size_t k = 0; k < sizeof(turns) / sizeof(turns[0]); k++) {
		unsigned long long least = ~0ull;
		double per;

		for (int i = 0; i < runs; i++) {
			start = now();
			spin(turns[k]);
			took = now() - start;
			least = min(least, took);
		}
		per = (double)(least - clock) / (2 * turns[k]);
		printf("clock: %7lu instructions took %7llu ns: %.4f ns each\n",
		       2 * turns[k], least - clock, per);
		if (per < 0.995 || per > 1.005)
			die("the clock does not count instructions; see scripts/vm --icount");
	}
	bench_clock = clock;
}

/* ------------------------------------------------------------------------- */

static const struct row_state *find(const struct row_state *like, const char *system)
{
	for (int i = 0; i < nr_rows; i++) {
		if (!strcmp(rows[i].row.work, like->row.work) && rows[i].row.n == like->row.n &&
		    !strcmp(rows[i].row.system, system))
			return &rows[i];
	}
	return NULL;
}

static void report(void)
{
	double worst = 0;

	printf("\n%-38s %6s %-9s %10s %8s %8s %8s\n", "work", "n", "system", "instr/op",
	       "ratio", "passes", "samples");
	for (int i = 0; i < nr_rows; i++) {
		const struct row_state *state = &rows[i];
		const struct row_state *base = find(state, "io_uring") ?: find(state, "close");
		double apart = state->pass[0] - state->pass[1];

		apart = (apart < 0 ? -apart : apart) / state->value;
		worst = max(worst, apart);
		printf("%-38s %6d %-9s %10.0f %8.3f %7.2f%% %7.2f%%\n", state->row.work,
		       state->row.n, state->row.system, state->value,
		       base ? state->value / base->value : 0, 100 * apart,
		       100 * state->spread);
	}
	for (int i = 0; i < nr_rows; i++)
		printf("TSV\t%s\t%d\t%s\t%.1f\n", rows[i].row.work, rows[i].row.n,
		       rows[i].row.system, rows[i].value);
	printf("two passes differ by at most %.2f %%\n", 100 * worst);
}

int main(int argc, char **argv)
{
	const char *only = argc > 1 ? argv[1] : NULL;
	struct utsname uts;
	int left = 0;

	uname(&uts);
	printf("# Linux %s\n", uts.release);
	calibrate();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	must(shared != MAP_FAILED);
	bench_io_rows();
	bench_release_rows();
	for (int i = 0; only && i < nr_rows; i++) {
		if (!strncmp(rows[i].row.work, only, strlen(only)))
			rows[left++] = rows[i];
	}
	if (only)
		nr_rows = left;
	for (int i = 0; i < nr_rows; i++)
		measure(&rows[i], 0);
	for (int i = nr_rows - 1; i >= 0; i--)
		measure(&rows[i], 1);
	for (int i = 0; i < nr_rows; i++)
		rows[i].value = (rows[i].pass[0] + rows[i].pass[1]) / 2;
	report();
	return 0;
}
