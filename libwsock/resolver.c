// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Lookups of hosts. c-ares knows DNS and the hosts file; it never waits, but says
 * which sockets to poll and until when. Whoever does that for a lookup, drives it:
 *
 *  - of a call that waits for the answer, the calling thread, with a channel that
 *    ends with the call;
 *  - of one that does not, the worker, the only thread of the library. It is made
 *    with the first such lookup and ends when none is left.
 *
 * lookup_lock protects the two lists and what wsock_lookup says. It is never held
 * while somebody waits. The final WSACleanup takes it after the generation has
 * changed: a lookup that is in a list by then is ended, any other finds at its door
 * that the generation is another. What a lookup stores in the program's memory it
 * stores under the lock, so nothing is stored once WSACleanup has returned.
 */
#include "internal.h"

#include <ares.h>
#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/eventfd.h>

TAILQ_HEAD(lookups, wsock_lookup);

static pthread_mutex_t lookup_lock = PTHREAD_MUTEX_INITIALIZER;
/* Of threads that wait. */
static struct lookups waiting = TAILQ_HEAD_INITIALIZER(waiting);
/* The worker's. */
static struct lookups pending = TAILQ_HEAD_INITIALIZER(pending);
static uint32_t last_id;
/* The last of the generation before. */
static uint32_t base_id;
static bool worker_runs;
static int worker_wake = -1;

/* ---- What was found ---- */

void wsock_host_free(struct wsock_host *host)
{
	free(host->name);
	free(host->aliases);
	free(host->addresses);
	memset(host, 0, sizeof(*host));
}

bool wsock_host_add(struct wsock_host *host, const struct sockaddr *name)
{
	struct sockaddr_in6 *more;

	more = reallocarray(host->addresses, host->n + 1, sizeof(*more));
	if (!more)
		return false;
	host->addresses = more;
	more += host->n++;
	memset(more, 0, sizeof(*more));
	memcpy(more, name, name->sa_family == AF_INET6 ?
	       sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
	return true;
}

static bool add_alias(struct wsock_host *host, size_t *len, const char *alias)
{
	size_t size = strlen(alias) + 1;
	char *more = realloc(host->aliases, *len + size);

	if (!more)
		return false;
	memcpy(more + *len, alias, size);
	*len += size;
	host->aliases = more;
	host->n_aliases++;
	return true;
}

static bool is_wanted(const struct sockaddr *name, int family)
{
	return name && (name->sa_family == AF_INET ||
			name->sa_family == AF_INET6) &&
	       (family == AF_UNSPEC || name->sa_family == family);
}

int wsock_host_own(struct wsock_host *host, int family)
{
	struct ifaddrs *all;
	const struct ifaddrs *ifa;
	unsigned int loopback;
	bool ok = true;

	if (getifaddrs(&all))
		return WSA_NOT_ENOUGH_MEMORY;
	/* Loopback is an address of the host when it has no other. */
	for (loopback = 0; loopback <= IFF_LOOPBACK && !host->n && ok;
	     loopback += IFF_LOOPBACK)
		for (ifa = all; ifa && ok; ifa = ifa->ifa_next)
			if (ifa->ifa_flags & IFF_UP &&
			    (ifa->ifa_flags & IFF_LOOPBACK) == loopback &&
			    is_wanted(ifa->ifa_addr, family))
				ok = wsock_host_add(host, ifa->ifa_addr);
	freeifaddrs(all);
	return !ok ? WSA_NOT_ENOUGH_MEMORY : host->n ? 0 : WSANO_DATA;
}

bool wsock_host_is_own(const char *name)
{
	char own[HOST_NAME_MAX + 1];

	if (gethostname(own, sizeof(own)))
		return false;
	own[HOST_NAME_MAX] = '\0';
	return !strcasecmp(name, own);
}

/* ---- Driving a channel ---- */

/*
 * @fds: what c-ares wants to be polled, and room for two more
 */
struct engine {
	ares_channel channel;
	struct pollfd *fds;
	nfds_t n;
	nfds_t room;
};

static struct pollfd *find_fd(struct engine *e, int fd)
{
	nfds_t i;

	for (i = 0; i < e->n; i++)
		if (e->fds[i].fd == fd)
			return &e->fds[i];
	return NULL;
}

static struct pollfd *add_fd(struct engine *e, int fd)
{
	struct pollfd *more;

	if (e->n + 2 >= e->room) {
		more = reallocarray(e->fds, e->room + 16, sizeof(*more));
		/* c-ares will give that socket up in time. */
		if (!more)
			return NULL;
		e->fds = more;
		e->room += 16;
	}
	e->fds[e->n] = (struct pollfd){ .fd = fd };
	return &e->fds[e->n++];
}

static void note_socket(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct engine *e = arg;
	struct pollfd *pfd = find_fd(e, fd);

	if (!readable && !writable) {
		if (pfd)
			*pfd = e->fds[--e->n];
		return;
	}
	if (!pfd)
		pfd = add_fd(e, fd);
	if (pfd)
		pfd->events = (short)((readable ? POLLIN : 0) |
				      (writable ? POLLOUT : 0));
}

static void init_ares(void)
{
	ares_library_init(ARES_LIB_INIT_ALL);
}

/* 0 or the error. */
static int engine_open(struct engine *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct ares_options options = {
		.sock_state_cb = note_socket,
		.sock_state_cb_data = e,
	};

	memset(e, 0, sizeof(*e));
	pthread_once(&once, init_ares);
	e->fds = calloc(16, sizeof(*e->fds));
	if (!e->fds)
		return WSA_NOT_ENOUGH_MEMORY;
	e->room = 16;
	switch (ares_init_options(&e->channel, &options,
				  ARES_OPT_SOCK_STATE_CB)) {
	case ARES_SUCCESS:
		return 0;
	case ARES_ENOMEM:
		free(e->fds);
		return WSA_NOT_ENOUGH_MEMORY;
	}
	free(e->fds);
	return WSANO_RECOVERY;
}

static void engine_close(struct engine *e)
{
	ares_destroy(e->channel);
	free(e->fds);
}

/* Tells c-ares what poll(2) has found, or that time has passed. */
static void process(struct engine *e)
{
	struct pollfd *pfd = e->fds;
	bool any = false;
	int fd, in, out;

	while (pfd < e->fds + e->n) {
		if (!pfd->revents) {
			pfd++;
			continue;
		}
		fd = pfd->fd;
		in = pfd->revents & ~POLLOUT ? fd : ARES_SOCKET_BAD;
		out = pfd->revents & ~POLLIN ? fd : ARES_SOCKET_BAD;
		pfd->revents = 0;
		ares_process_fd(e->channel, in, out);
		any = true;
		/* The array may be another one now. */
		pfd = e->fds;
	}
	if (!any)
		ares_process_fd(e->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

/*
 * Waits for something to happen, at most until @deadline, and sees to it. False
 * when the blocking hook has cancelled the call.
 */
static bool engine_drive(struct engine *e, int wake, uint64_t deadline)
{
	struct timeval tv;
	const struct timeval *left = ares_timeout(e->channel, NULL, &tv);
	uint64_t until = WSOCK_NEVER;

	if (left)
		until = wsock_now() + wsock_timeval_ns(left);
	/* NOLINTNEXTLINE(*Malloc): without an engine nothing pends for long */
	e->fds[e->n] = (struct pollfd){ .fd = wake, .events = POLLIN };
	if (until < deadline)
		deadline = until;
	/* Lookups are not alertable, but a hook is for all that waits. */
	if (!wsock_hook)
		wsock_poll_until(e->fds, e->n + 1, deadline, 0);
	else if (wsock_hook_poll(e->fds, e->n + 1, deadline, 0) < 0)
		return false;
	process(e);
	return true;
}

/* ---- Questions and answers ---- */

static int ares_error(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return 0;
	case ARES_ENODATA:
		return WSANO_DATA;
	case ARES_ENOTFOUND:
	case ARES_EBADNAME:
		return WSAHOST_NOT_FOUND;
	case ARES_ESERVFAIL:
	case ARES_ETIMEOUT:
	case ARES_ECONNREFUSED:
		return WSATRY_AGAIN;
	case ARES_ENOMEM:
		return WSA_NOT_ENOUGH_MEMORY;
	}
	return WSANO_RECOVERY;
}

static int fill_host(struct wsock_host *host, const struct ares_addrinfo *found)
{
	const struct ares_addrinfo_cname *cname;
	const struct ares_addrinfo_node *node;
	const char *name = found->name;
	size_t len = 0;
	bool ok = true;

	for (node = found->nodes; node && ok; node = node->ai_next)
		if (is_wanted(node->ai_addr, AF_UNSPEC))
			ok = wsock_host_add(host, node->ai_addr);
	/* The chain ends with the name that has the addresses. */
	for (cname = found->cnames; cname && ok; cname = cname->next) {
		/* The hosts file has names without one. */
		if (cname->alias)
			ok = add_alias(host, &len, cname->alias);
		if (cname->name)
			name = cname->name;
	}
	if (ok && name) {
		host->name = strdup(name);
		ok = host->name;
	}
	return !ok ? WSA_NOT_ENOUGH_MEMORY : host->n ? 0 : WSANO_DATA;
}

static void lookup_free(struct wsock_lookup *l)
{
	wsock_host_free(&l->host);
	free(l->found_name);
	l->release(l);
}

/* c-ares is done with @l. */
static void answered(struct wsock_lookup *l, int error)
{
	bool gone;

	pthread_mutex_lock(&lookup_lock);
	if (!l->failed)
		l->error = error;
	l->answered = true;
	gone = l->gone;
	pthread_mutex_unlock(&lookup_lock);
	/* Nobody wants to know any more. */
	if (gone)
		lookup_free(l);
}

static void found_addresses(void *arg, int status, int timeouts,
			    struct ares_addrinfo *found)
{
	struct wsock_lookup *l = arg;
	int error = ares_error(status);

	(void)timeouts;
	if (!error)
		error = fill_host(&l->host, found);
	if (found)
		ares_freeaddrinfo(found);
	answered(l, error);
}

static void found_name(void *arg, int status, int timeouts, char *node,
		       char *service)
{
	struct wsock_lookup *l = arg;
	int error = ares_error(status);

	(void)timeouts;
	(void)service;
	if (!error) {
		l->found_name = strdup(node);
		if (!l->found_name)
			error = WSA_NOT_ENOUGH_MEMORY;
	}
	answered(l, error);
}

/* @l may be answered, and freed, when it returns. */
static void ask(struct engine *e, struct wsock_lookup *l)
{
	struct ares_addrinfo_hints hints = {
		.ai_flags = ARES_AI_CANONNAME,
		.ai_family = l->family,
		/* Otherwise there were one of each. */
		.ai_socktype = SOCK_STREAM,
	};

	if (l->address)
		ares_getnameinfo(e->channel, l->address,
				 l->address->sa_family == AF_INET6 ?
				 sizeof(struct sockaddr_in6) :
				 sizeof(struct sockaddr_in),
				 ARES_NI_LOOKUPHOST | ARES_NI_NAMEREQD |
				 (l->no_fqdn ? ARES_NI_NOFQDN : 0),
				 found_name, l);
	else
		ares_getaddrinfo(e->channel, l->name, NULL, &hints,
				 found_addresses, l);
}

/* ---- Lookups that a thread waits for ---- */

/* Puts @l into a list, unless the call was cancelled. */
static bool list_add(struct lookups *list, struct wsock_lookup *l,
		     const struct wsock_call *call)
{
	bool cancelled;

	pthread_mutex_lock(&lookup_lock);
	cancelled = wsock_call_cancelled(call);
	if (!cancelled)
		TAILQ_INSERT_TAIL(list, l, node);
	pthread_mutex_unlock(&lookup_lock);
	return !cancelled;
}

/* Its end is @error, whatever is answered. */
static void fail_waiting(struct wsock_lookup *l, int error)
{
	l->error = error;
	l->failed = true;
}

static void drive_to_end(struct engine *e, struct wsock_lookup *l,
			 const struct wsock_call *call, uint64_t deadline)
{
	if (!list_add(&waiting, l, call))
		return;
	ask(e, l);
	while (!l->answered && !l->failed && !wsock_call_cancelled(call)) {
		if (!engine_drive(e, l->wake, deadline))
			fail_waiting(l, WSAEINTR);
		else if (!l->answered && deadline != WSOCK_NEVER &&
			 deadline <= wsock_now())
			fail_waiting(l, WSAETIMEDOUT);
	}
	pthread_mutex_lock(&lookup_lock);
	TAILQ_REMOVE(&waiting, l, node);
	pthread_mutex_unlock(&lookup_lock);
}

int wsock_lookup_run(struct wsock_lookup *l, const struct wsock_call *call,
		     uint64_t deadline)
{
	struct engine e;
	int cancel_state;

	l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->wake < 0)
		return WSAEMFILE;
	/* poll is a cancellation point, and the list must not lose us. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	l->error = engine_open(&e);
	if (!l->error) {
		drive_to_end(&e, l, call, deadline);
		engine_close(&e);
	}
	close(l->wake);
	pthread_setcancelstate(cancel_state, NULL);
	return wsock_call_cancelled(call) ? WSAEINTR : l->error;
}

/* ---- Lookups that nobody waits for ---- */

static void wake_worker(void)
{
	if (worker_wake >= 0)
		wsock_event_set(worker_wake);
}

/* The first that is to be asked, or told; NULL for none. Under the lock. */
static struct wsock_lookup *next_to_do(uint64_t now, uint64_t *deadline)
{
	struct wsock_lookup *l;

	*deadline = WSOCK_NEVER;
	TAILQ_FOREACH(l, &pending, node) {
		if (!l->asked || l->answered || l->failed)
			return l;
		if (l->deadline <= now) {
			l->error = WSAETIMEDOUT;
			l->failed = true;
			return l;
		}
		if (l->deadline < *deadline)
			*deadline = l->deadline;
	}
	return NULL;
}

/* Under the lock, which it gives up and takes again. */
static void tell(struct wsock_lookup *l)
{
	bool finished;

	TAILQ_REMOVE(&pending, l, node);
	l->tell(l);
	if (l->call) {
		pthread_mutex_unlock(&lookup_lock);
		l->call(l);
		pthread_mutex_lock(&lookup_lock);
	}
	/* Otherwise c-ares still has it. */
	finished = l->answered || !l->asked;
	l->gone = true;
	if (finished) {
		pthread_mutex_unlock(&lookup_lock);
		lookup_free(l);
		pthread_mutex_lock(&lookup_lock);
	}
}

/* Under the lock. False when there is nothing left to drive. */
static bool work(struct engine *e, int broken, uint64_t *deadline)
{
	struct wsock_lookup *l;

	while ((l = next_to_do(wsock_now(), deadline))) {
		if (broken && !l->asked && !l->failed) {
			l->error = broken;
			l->failed = true;
		}
		if (l->asked || l->failed) {
			tell(l);
			continue;
		}
		l->asked = true;
		pthread_mutex_unlock(&lookup_lock);
		ask(e, l);
		pthread_mutex_lock(&lookup_lock);
	}
	return !TAILQ_EMPTY(&pending);
}

static void *worker(void *arg)
{
	int wake = (int)(intptr_t)arg;
	struct engine e;
	uint64_t deadline, count;
	int broken = engine_open(&e);

	pthread_mutex_lock(&lookup_lock);
	while (work(&e, broken, &deadline)) {
		pthread_mutex_unlock(&lookup_lock);
		engine_drive(&e, wake, deadline);
		(void)!read(wake, &count, sizeof(count));
		pthread_mutex_lock(&lookup_lock);
	}
	worker_runs = false;
	worker_wake = -1;
	pthread_mutex_unlock(&lookup_lock);
	if (!broken)
		engine_close(&e);
	close(wake);
	return NULL;
}

/* Under the lock. 0 or the error. */
static int make_worker(void)
{
	sigset_t all, old;
	pthread_attr_t attr;
	pthread_t thread;
	int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), err;

	if (wake < 0)
		return WSA_NOT_ENOUGH_MEMORY;
	/* Signals are for the program's threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	err = pthread_create(&thread, &attr, worker, (void *)(intptr_t)wake);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err) {
		close(wake);
		return WSA_NOT_ENOUGH_MEMORY;
	}
	worker_wake = wake;
	worker_runs = true;
	return 0;
}

int wsock_lookup_start(struct wsock_lookup *l, const struct wsock_call *call,
		       uint32_t *id)
{
	int error = 0;

	if (l->host.n || l->error)
		l->answered = true;
	l->asked = l->answered;
	pthread_mutex_lock(&lookup_lock);
	if (wsock_call_cancelled(call))
		error = WSAEINTR;
	else if (!worker_runs)
		error = make_worker();
	if (!error) {
		/* cppcheck-suppress knownConditionTrueFalse ; 0 is no id */
		if (!++last_id)
			last_id++;
		*id = l->id = last_id;
		TAILQ_INSERT_TAIL(&pending, l, node);
		wake_worker();
	}
	pthread_mutex_unlock(&lookup_lock);
	return error;
}

bool wsock_lookup_fail(uint32_t id, int error)
{
	struct wsock_lookup *l;

	pthread_mutex_lock(&lookup_lock);
	TAILQ_FOREACH(l, &pending, node)
		if (l->id == id && !l->answered && !l->failed)
			break;
	if (l) {
		l->error = error;
		l->failed = true;
		wake_worker();
	}
	pthread_mutex_unlock(&lookup_lock);
	return l;
}

int wsock_lookup_drop(uint32_t id)
{
	struct wsock_lookup *l;
	int error;
	bool done = false;

	pthread_mutex_lock(&lookup_lock);
	error = id > base_id && id <= last_id ? WSAEALREADY : WSAEINVAL;
	TAILQ_FOREACH(l, &pending, node)
		if (l->id == id && !l->abort)
			break;
	if (l) {
		error = 0;
		TAILQ_REMOVE(&pending, l, node);
		l->gone = true;
		done = !l->asked || l->answered;
		wake_worker();
	}
	pthread_mutex_unlock(&lookup_lock);
	if (done)
		lookup_free(l);
	return error;
}

/* ---- The end of all ---- */

void wsock_lookup_end_all(void)
{
	struct lookups ended = TAILQ_HEAD_INITIALIZER(ended);
	struct wsock_lookup *l;

	pthread_mutex_lock(&lookup_lock);
	TAILQ_FOREACH(l, &waiting, node)
		wsock_event_set(l->wake);
	while ((l = TAILQ_FIRST(&pending))) {
		TAILQ_REMOVE(&pending, l, node);
		if (l->abort)
			l->abort(l);
		l->gone = true;
		/* c-ares gives the others back as the worker ends. */
		if (!l->asked || l->answered)
			TAILQ_INSERT_TAIL(&ended, l, node);
	}
	base_id = last_id;
	wake_worker();
	pthread_mutex_unlock(&lookup_lock);
	while ((l = TAILQ_FIRST(&ended))) {
		TAILQ_REMOVE(&ended, l, node);
		lookup_free(l);
	}
}

/* The worker is not here, and what it had cannot be given back without it. */
void wsock_lookup_forget(void)
{
	pthread_mutex_init(&lookup_lock, NULL);
	TAILQ_INIT(&waiting);
	TAILQ_INIT(&pending);
	if (worker_wake >= 0)
		close(worker_wake);
	worker_wake = -1;
	worker_runs = false;
}
