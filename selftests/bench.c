// SPDX-License-Identifier: GPL-2.0
/*
 * The benchmark: instructions per operation, of the module, of its library and
 * of what Linux has for the same work. Run it with "make bench"; it needs a VM
 * whose clock advances by one nanosecond per instruction (scripts/vm --icount).
 *
 * Every row is measured in a process of its own and, unless it takes long, in two
 * passes of opposite order. The figure is the mean of the passes' medians; how far
 * they are apart tells how well it can be repeated.
 */
#include "bench.h"

#include <stdarg.h>
#include <sys/mman.h>
#include <sys/utsname.h>

#define MAX_ROWS 256
#define PASSES 2

#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))

/**
 * struct row_state - a row and what is known of it
 * @row: the row
 * @pass: the median of each pass, 0 for none
 * @value: the result
 * @apart: relative difference of the passes, negative when there was one only
 */
struct row_state {
	struct bench_row row;
	double pass[PASSES];
	double value;
	double apart;
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

static double median(struct bench_result *result)
{
	int half = result->nr / 2;

	qsort(result->sample, result->nr, sizeof(result->sample[0]), compare);
	if (result->nr % 2)
		return result->sample[half];
	return (result->sample[half - 1] + result->sample[half]) / 2;
}

static void measure(struct row_state *state, int pass)
{
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
	state->pass[pass] = median(shared);
}

static void conclude(struct row_state *state)
{
	double apart = state->pass[0] - state->pass[1];

	state->value = state->pass[0];
	state->apart = -1;
	if (!state->pass[1])
		return;
	state->value = (state->pass[0] + state->pass[1]) / 2;
	state->apart = (apart < 0 ? -apart : apart) / state->value;
}

/* ------------------------------------------------------------------------- */
/* Is the clock what we take it for? */

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
			bench_spin(turns[k]);
			took = now() - start;
			least = min(least, took);
		}
		per = (double)(least - clock) / (2 * turns[k]);
		printf("Check of the clock: %6lu instructions took %6llu ns\n",
		       2 * turns[k], least - clock);
		if (per < 0.995 || per > 1.005)
			die("the clock does not count instructions; see scripts/vm --icount");
	}
	bench_clock = clock;
}

/* ------------------------------------------------------------------------- */

static const char *const systems[] = {
	"wsock", "libwsock", "io_uring", "epoll", "blocking", "close",
};

#define NR_SYSTEMS (sizeof(systems) / sizeof(systems[0]))

static const struct row_state *find(const struct row_state *like, const char *system)
{
	for (int i = 0; i < nr_rows; i++) {
		if (!strcmp(rows[i].row.work, like->row.work) && rows[i].row.n == like->row.n &&
		    !strcmp(rows[i].row.system, system))
			return &rows[i];
	}
	return NULL;
}

static void print_ratio(const struct row_state *a, const struct row_state *b)
{
	if (a && b)
		printf(" %8.3f", a->value / b->value);
	else
		printf(" %8s", "-");
}

/* All systems at one work in a line. */
static void print_line(const struct row_state *first)
{
	const struct row_state *base = find(first, "io_uring") ?: find(first, "close");
	double apart = -1;

	printf("%-44s %6d", first->row.work, first->row.n);
	for (size_t s = 0; s < NR_SYSTEMS; s++) {
		const struct row_state *state = find(first, systems[s]);

		if (state) {
			printf(" %8.0f", state->value);
			apart = max(apart, state->apart);
		} else {
			printf(" %8s", "-");
		}
	}
	print_ratio(find(first, "wsock"), base);
	print_ratio(find(first, "libwsock"), base);
	if (apart < 0)
		printf("  one pass\n");
	else
		printf("  %7.2f%%\n", 100 * apart);
}

static void report(void)
{
	printf("Instructions per operation; wsock/ and lib/ are wsock and libwsock to io_uring,\n");
	printf("or else to close; passes: by how much two passes of a line differ at most.\n\n");
	printf("%-44s %6s", "work", "n");
	for (size_t s = 0; s < NR_SYSTEMS; s++)
		printf(" %8s", systems[s]);
	printf(" %8s %8s  %8s\n", "wsock/", "lib/", "passes");
	for (int i = 0; i < nr_rows; i++) {
		const struct row_state *state = &rows[i];

		if (!i || strcmp(state->row.work, rows[i - 1].row.work) ||
		    state->row.n != rows[i - 1].row.n)
			print_line(state);
	}
	for (int i = 0; i < nr_rows; i++)
		printf("TSV\t%s\t%d\t%s\t%.1f\n", rows[i].row.work, rows[i].row.n,
		       rows[i].row.system, rows[i].value);
}

/* With arguments: only the works whose names begin so. */
static bool wanted(const char *work, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (!strncmp(work, argv[i], strlen(argv[i])))
			return true;
	}
	return argc < 2;
}

int main(int argc, char **argv)
{
	struct utsname uts;
	int kept = 0;

	uname(&uts);
	printf("Linux %s\n", uts.release);
	/* The kernel's self-tests of its cryptography run for a while after boot. */
	sleep(5);
	calibrate();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	must(shared != MAP_FAILED);
	bench_cancel_rows();
	bench_io_rows();
	bench_iocp_rows();
	bench_release_rows();
	for (int i = 0; i < nr_rows; i++) {
		if (wanted(rows[i].row.work, argc, argv))
			rows[kept++] = rows[i];
	}
	nr_rows = kept;
	for (int i = 0; i < nr_rows; i++)
		measure(&rows[i], 0);
	for (int i = nr_rows - 1; i >= 0; i--) {
		if (!rows[i].row.once)
			measure(&rows[i], 1);
	}
	for (int i = 0; i < nr_rows; i++)
		conclude(&rows[i]);
	report();
	return 0;
}
