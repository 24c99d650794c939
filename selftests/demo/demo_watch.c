// SPDX-License-Identifier: GPL-2.0
/*
 * What a killed server leaves: holds on to its events and to the memory of its
 * receives, kills it, and looks at both when it is gone. Tells what it saw as
 * name=value lines, ended by a dot.
 */
#define WSOCK_NATIVE_NAMES
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "demo.h"

#define PATIENCE_MS	20000
#define MAX_EVENTS	4096

static const struct demo_io *ios;
static int events[MAX_EVENTS];
static int nr_events;
static int pidfd;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static long long now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

/* An event of libwsock is an eventfd. */
static void hold_events(int pid)
{
	char path[64], link[64];
	struct dirent *entry;
	DIR *dir;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		die(path);
	while ((entry = readdir(dir))) {
		ssize_t len = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);

		if (len <= 0)
			continue;
		link[len] = '\0';
		if (strcmp(link, "anon_inode:[eventfd]") || nr_events == MAX_EVENTS)
			continue;
		fd = syscall(SYS_pidfd_getfd, pidfd, atoi(entry->d_name), 0);
		if (fd < 0)
			die("pidfd_getfd");
		events[nr_events++] = fd;
	}
	closedir(dir);
}

static void map_memory(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(path);
	ios = mmap(NULL, DEMO_IOS * sizeof(*ios), PROT_READ, MAP_SHARED, fd, 0);
	if (ios == MAP_FAILED)
		die("mmap");
	close(fd);
}

static void look(void)
{
	int signalled = 0, receives = 0, changed = 0;

	for (int i = 0; i < nr_events; i++) {
		struct pollfd pfd = { .fd = events[i], .events = POLLIN };

		signalled += poll(&pfd, 1, 0) == 1;
	}
	for (const struct demo_io *io = ios; io < ios + DEMO_IOS; io++) {
		if (!io->pending)
			continue;
		receives++;
		changed += demo_changed(io, offsetof(struct demo_io, ov));
	}
	printf("events=%d\nsignalled=%d\nreceives=%d\nchanged=%d\n", nr_events, signalled,
	       receives, changed);
}

/* The descriptor of a process becomes readable when all of it has ended. */
static void kill_it(void)
{
	struct pollfd pfd = { .fd = pidfd, .events = POLLIN };
	long long begin = now_us();

	if (syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0))
		die("pidfd_send_signal");
	if (poll(&pfd, 1, PATIENCE_MS) != 1) {
		fprintf(stderr, "demo_watch: the server does not end\n");
		exit(1);
	}
	printf("usec=%lld\n", now_us() - begin);
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: demo_watch PID FILE\n");
		return 2;
	}
	pidfd = syscall(SYS_pidfd_open, atoi(argv[1]), 0);
	if (pidfd < 0)
		die("pidfd_open");
	hold_events(atoi(argv[1]));
	map_memory(argv[2]);
	kill_it();
	/* Anything that still comes has time to come. */
	usleep(300000);
	look();
	puts(".");
	return 0;
}
