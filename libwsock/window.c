// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Windows, queues of messages, and the sockets whose events become messages.
 *
 * A thread's queue has an eventfd, which whoever posts signals. The kernel signals
 * it too, for the sockets of WSAAsyncSelect: what has happened to them stays in the
 * kernel's records until the thread looks into its queue, and becomes messages
 * then. So there is no thread that posts them, and the final WSACleanup has only to
 * drop the registrations, which the kernel does, and the messages that are there.
 *
 * One lock for all of it; it is never held while somebody waits, or while a window's
 * procedure runs. resolver.c's lock is outside of it.
 */
#include "internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

struct message {
	TAILQ_ENTRY(message) node;
	bool of_winsock;
	MSG msg;
};

/* A socket that is registered by WSAAsyncSelect. */
struct select {
	LIST_ENTRY(select) node;
	int fd;
	HWND window;
	UINT message;
};

struct queue {
	LIST_ENTRY(queue) node;
	TAILQ_HEAD(, message) messages;
	LIST_HEAD(, select) selects;
	int event;
	bool quit;
	int exit_code;
};

struct window {
	LIST_ENTRY(window) node;
	HWND handle;
	WNDPROC procedure;
	struct queue *queue;
};

static pthread_mutex_t window_lock = PTHREAD_MUTEX_INITIALIZER;
static LIST_HEAD(, queue) queues = LIST_HEAD_INITIALIZER(queues);
static LIST_HEAD(, window) windows = LIST_HEAD_INITIALIZER(windows);
static uintptr_t last_handle = 0x10000;

static __thread struct queue *own_queue;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t exit_key;
static bool have_key;

/* ---- Queues; under the lock ---- */

static void drop_message(struct queue *q, struct message *m)
{
	TAILQ_REMOVE(&q->messages, m, node);
	free(m);
}

static void drop_select(struct select *s)
{
	LIST_REMOVE(s, node);
	free(s);
}

static bool append(struct queue *q, HWND window, UINT message, WPARAM wparam,
		   LPARAM lparam, bool of_winsock)
{
	struct message *m = calloc(1, sizeof(*m));

	if (!m)
		return false;
	m->of_winsock = of_winsock;
	m->msg.hwnd = window;
	m->msg.message = message;
	m->msg.wParam = wparam;
	m->msg.lParam = lparam;
	m->msg.time = (DWORD)(wsock_now() / WSOCK_NSEC_PER_MSEC);
	TAILQ_INSERT_TAIL(&q->messages, m, node);
	wsock_event_set(q->event);
	return true;
}

static struct window *find_window(HWND handle)
{
	struct window *w;

	LIST_FOREACH(w, &windows, node)
		if (w->handle == handle)
			return w;
	return NULL;
}

static struct select *find_select(int fd, struct queue **q)
{
	struct select *s;

	LIST_FOREACH(*q, &queues, node)
		LIST_FOREACH(s, &(*q)->selects, node)
			if (s->fd == fd)
				return s;
	return NULL;
}

static void destroy_window(struct window *w)
{
	struct select *s, *next_select;
	struct message *m, *next;

	for (m = TAILQ_FIRST(&w->queue->messages); m; m = next) {
		next = TAILQ_NEXT(m, node);
		if (m->msg.hwnd == w->handle)
			drop_message(w->queue, m);
	}
	for (s = LIST_FIRST(&w->queue->selects); s; s = next_select) {
		next_select = LIST_NEXT(s, node);
		if (s->window == w->handle)
			drop_select(s);
	}
	LIST_REMOVE(w, node);
	free(w);
}

static void thread_exit(void *unused)
{
	struct queue *q = own_queue;
	struct window *w, *next;
	struct message *m;

	(void)unused;
	if (!q)
		return;
	own_queue = NULL;
	pthread_mutex_lock(&window_lock);
	for (w = LIST_FIRST(&windows); w; w = next) {
		next = LIST_NEXT(w, node);
		if (w->queue == q)
			destroy_window(w);
	}
	/* NOLINTNEXTLINE(*Malloc): TAILQ_REMOVE has changed the first */
	while ((m = TAILQ_FIRST(&q->messages)))
		drop_message(q, m); /* NOLINT(*Malloc): likewise */
	LIST_REMOVE(q, node);
	pthread_mutex_unlock(&window_lock);
	close(q->event);
	free(q);
}

static void make_key(void)
{
	have_key = !pthread_key_create(&exit_key, thread_exit);
}

/* The calling thread's, made if needed; NULL with the error set. */
static struct queue *get_queue(void)
{
	struct queue *q = own_queue;

	if (q)
		return q;
	pthread_once(&once, make_key);
	q = calloc(1, sizeof(*q));
	if (!q)
		goto no_memory;
	q->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (q->event < 0 || !have_key || pthread_setspecific(exit_key, q)) {
		if (q->event >= 0)
			close(q->event);
		free(q);
		goto no_memory;
	}
	TAILQ_INIT(&q->messages);
	LIST_INIT(&q->selects);
	pthread_mutex_lock(&window_lock);
	LIST_INSERT_HEAD(&queues, q, node);
	pthread_mutex_unlock(&window_lock);
	own_queue = q;
	return q;

no_memory:
	wsock_error_set(ERROR_NOT_ENOUGH_MEMORY);
	return NULL;
}

/* ---- From the kernel's records to messages ---- */

/* What has happened to one socket. */
static void collect_one(struct queue *q, const struct select *s)
{
	WSANETWORKEVENTS happened = { 0 };
	int i;

	if (wsock_events_fetch(s->fd, -1, &happened))
		return;
	for (i = 0; i < FD_MAX_EVENTS; i++)
		if (happened.lNetworkEvents & 1 << i)
			append(q, s->window, s->message, (WPARAM)s->fd,
			       WSAMAKESELECTREPLY(1 << i,
						  happened.iErrorCode[i]),
			       true);
}

/* All that has happened until now. Later signals find the event reset. */
static void collect(struct queue *q)
{
	const struct select *s;
	uint64_t count;

	/* Not by read(2), which is a cancellation point. */
	if (syscall(SYS_read, q->event, &count, sizeof(count)) < 0)
		return;
	LIST_FOREACH(s, &q->selects, node)
		collect_one(q, s);
}

/* ---- For the rest of the library ---- */

bool wsock_window_exists(HWND window)
{
	bool found;

	pthread_mutex_lock(&window_lock);
	found = find_window(window);
	pthread_mutex_unlock(&window_lock);
	return found;
}

void wsock_window_post(HWND window, UINT message, WPARAM wparam, LPARAM lparam)
{
	struct window *w;

	pthread_mutex_lock(&window_lock);
	w = find_window(window);
	if (w)
		append(w->queue, window, message, wparam, lparam, true);
	pthread_mutex_unlock(&window_lock);
}

/* Under the lock. False without memory. */
static bool add_select(struct queue *q, int fd, HWND window, UINT message)
{
	struct select *s = malloc(sizeof(*s));

	if (!s)
		return false;
	*s = (struct select){ .fd = fd, .window = window, .message = message };
	LIST_INSERT_HEAD(&q->selects, s, node);
	return true;
}

int wsock_window_select(int fd, HWND window, UINT message)
{
	struct window *w;
	struct select *s;
	struct queue *q;
	int event = -1;

	pthread_mutex_lock(&window_lock);
	s = find_select(fd, &q);
	if (s)
		drop_select(s);
	w = find_window(window);
	if (w && add_select(w->queue, fd, window, message))
		event = w->queue->event;
	pthread_mutex_unlock(&window_lock);
	return event;
}

void wsock_window_inherit(int fd, int listener)
{
	struct select *s;
	struct queue *q;

	pthread_mutex_lock(&window_lock);
	s = find_select(listener, &q);
	if (s)
		add_select(q, fd, s->window, s->message);
	pthread_mutex_unlock(&window_lock);
}

void wsock_window_unselect(int fd)
{
	struct select *s;
	struct queue *q;

	pthread_mutex_lock(&window_lock);
	s = find_select(fd, &q);
	if (s)
		drop_select(s);
	pthread_mutex_unlock(&window_lock);
}

void wsock_window_end_all(void)
{
	struct message *m, *next;
	struct select *s;
	struct queue *q;

	pthread_mutex_lock(&window_lock);
	LIST_FOREACH(q, &queues, node) {
		while ((s = LIST_FIRST(&q->selects)))
			drop_select(s); /* NOLINT(*Malloc): the first changes */
		for (m = TAILQ_FIRST(&q->messages); m; m = next) {
			next = TAILQ_NEXT(m, node);
			if (m->of_winsock)
				drop_message(q, m);
		}
	}
	pthread_mutex_unlock(&window_lock);
}

void wsock_window_forget(void)
{
	pthread_mutex_init(&window_lock, NULL);
	LIST_INIT(&queues);
	LIST_INIT(&windows);
	if (own_queue)
		close(own_queue->event);
	own_queue = NULL;
}

/* ---- For the program ---- */

WSOCK_EXPORT HWND wsock_window_create(WNDPROC lpfnWndProc)
{
	struct queue *q = get_queue();
	struct window *w;

	if (!q)
		return NULL;
	w = malloc(sizeof(*w));
	if (!w) {
		wsock_error_set(ERROR_NOT_ENOUGH_MEMORY);
		return NULL;
	}
	w->procedure = lpfnWndProc;
	w->queue = q;
	pthread_mutex_lock(&window_lock);
	last_handle += 2;
	w->handle = (HWND)last_handle;
	LIST_INSERT_HEAD(&windows, w, node);
	pthread_mutex_unlock(&window_lock);
	return w->handle;
}

/* What the caller's window is; NULL with the error set. Takes the lock if so. */
static struct window *lock_window(HWND handle)
{
	struct window *w;

	pthread_mutex_lock(&window_lock);
	w = find_window(handle);
	if (w)
		return w;
	pthread_mutex_unlock(&window_lock);
	wsock_error_set(ERROR_INVALID_WINDOW_HANDLE);
	return NULL;
}

WSOCK_EXPORT BOOL WINAPI DestroyWindow(HWND hWnd)
{
	struct window *w = lock_window(hWnd);

	if (!w)
		return FALSE;
	destroy_window(w);
	pthread_mutex_unlock(&window_lock);
	return TRUE;
}

WSOCK_EXPORT BOOL WINAPI PostMessage(HWND hWnd, UINT Msg, WPARAM wParam,
				     LPARAM lParam)
{
	struct queue *q = hWnd ? NULL : get_queue();
	struct window *w = NULL;
	bool posted;

	if (hWnd) {
		w = lock_window(hWnd);
		if (!w)
			return FALSE;
		q = w->queue;
	} else {
		if (!q)
			return FALSE;
		pthread_mutex_lock(&window_lock);
	}
	posted = append(q, hWnd, Msg, wParam, lParam, false);
	pthread_mutex_unlock(&window_lock);
	if (!posted)
		wsock_error_set(ERROR_NOT_ENOUGH_MEMORY);
	return posted;
}

WSOCK_EXPORT VOID WINAPI PostQuitMessage(int nExitCode)
{
	struct queue *q = get_queue();

	if (!q)
		return;
	pthread_mutex_lock(&window_lock);
	q->quit = true;
	q->exit_code = nExitCode;
	pthread_mutex_unlock(&window_lock);
	wsock_event_set(q->event);
}

static bool fits(const MSG *msg, HWND window, UINT min, UINT max)
{
	return (!window || msg->hwnd == window) &&
	       ((!min && !max) || (msg->message >= min && msg->message <= max));
}

/* Under the lock. */
static bool look(struct queue *q, LPMSG msg, HWND window, UINT min, UINT max,
		 bool take)
{
	struct message *m;

	TAILQ_FOREACH(m, &q->messages, node)
		if (fits(&m->msg, window, min, max))
			break;
	if (m) {
		*msg = m->msg;
		if (take)
			drop_message(q, m);
		return true;
	}
	if (!q->quit || !TAILQ_EMPTY(&q->messages))
		return false;
	*msg = (MSG){ .message = WM_QUIT, .wParam = (WPARAM)q->exit_code };
	q->quit = !take;
	return true;
}

/* Who @waits wants the descriptor to show only what comes after this. */
static bool peek(struct queue *q, LPMSG msg, HWND window, UINT min, UINT max,
		 bool take, bool waits)
{
	bool found;

	pthread_mutex_lock(&window_lock);
	collect(q);
	found = look(q, msg, window, min, max, take);
	/* What is left shows in the descriptor. */
	if ((found || !waits) && (!TAILQ_EMPTY(&q->messages) || q->quit))
		wsock_event_set(q->event);
	pthread_mutex_unlock(&window_lock);
	return found;
}

WSOCK_EXPORT BOOL WINAPI PeekMessage(LPMSG lpMsg, HWND hWnd, UINT wMsgFilterMin,
				     UINT wMsgFilterMax, UINT wRemoveMsg)
{
	struct queue *q = get_queue();

	if (!q)
		return FALSE;
	if (!lpMsg) {
		wsock_error_set(ERROR_NOACCESS);
		return FALSE;
	}
	return peek(q, lpMsg, hWnd, wMsgFilterMin, wMsgFilterMax,
		    wRemoveMsg & PM_REMOVE, false);
}

WSOCK_EXPORT BOOL WINAPI GetMessage(LPMSG lpMsg, HWND hWnd, UINT wMsgFilterMin,
				    UINT wMsgFilterMax)
{
	struct queue *q = get_queue();
	struct pollfd pfd = { .events = POLLIN };

	if (!q)
		return -1;
	if (!lpMsg) {
		wsock_error_set(ERROR_NOACCESS);
		return -1;
	}
	pfd.fd = q->event;
	while (!peek(q, lpMsg, hWnd, wMsgFilterMin, wMsgFilterMax, true, true))
		wsock_poll_until(&pfd, 1, WSOCK_NEVER, 0);
	return lpMsg->message != WM_QUIT;
}

WSOCK_EXPORT LRESULT WINAPI DispatchMessage(const MSG *lpMsg)
{
	WNDPROC procedure = NULL;
	struct window *w;

	pthread_mutex_lock(&window_lock);
	w = find_window(lpMsg->hwnd);
	if (w)
		procedure = w->procedure;
	pthread_mutex_unlock(&window_lock);
	return procedure ? procedure(lpMsg->hwnd, lpMsg->message, lpMsg->wParam,
				     lpMsg->lParam) : 0;
}

WSOCK_EXPORT int wsock_message_fd(void)
{
	struct queue *q = get_queue();

	return q ? q->event : -1;
}
