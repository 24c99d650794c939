// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * WSAAsyncGetXByY: lookups whose end is a message. What is in a file is known when
 * the function returns, and told in the same way.
 */
#include "internal.h"

#include <stdlib.h>

enum kind { HOST, SERVICE, PROTOCOL };

/*
 * @name, @address: a copy of what is looked for
 * @service, @protocol: what was found in a file
 */
struct task {
	struct wsock_lookup lookup;
	enum kind kind;
	HWND window;
	UINT message;
	char *buf;
	size_t buflen;
	char name[NI_MAXHOST];
	struct sockaddr_in6 address;
	union {
		struct wsock_service service;
		struct wsock_protocol protocol;
	};
};

static struct task *task_of(struct wsock_lookup *lookup)
{
	return (struct task *)lookup;
}

/* Returns the size of the answer, which is in the buffer if that is as large. */
static size_t pack(struct task *task)
{
	struct wsock_lookup *l = &task->lookup;
	char own[NI_MAXHOST];

	switch (task->kind) {
	case SERVICE:
		return wsock_netdb_pack_service(task->buf, task->buflen,
						&task->service.ent);
	case PROTOCOL:
		return wsock_netdb_pack_protocol(task->buf, task->buflen,
						 &task->protocol.ent);
	case HOST:
		break;
	}
	return wsock_netdb_pack_host(task->buf, task->buflen, &l->host,
				     l->family, l->found_name ? l->found_name :
				     wsock_netdb_host_name(l, own, sizeof(own)));
}

static void tell(struct wsock_lookup *lookup)
{
	struct task *task = task_of(lookup);
	int error = lookup->error;
	size_t size = 0;

	if (!error && lookup->found_name &&
	    !wsock_host_add(&lookup->host, lookup->address))
		error = WSAENOBUFS;
	if (!error) {
		size = pack(task);
		if (size > task->buflen)
			error = WSAENOBUFS;
	}
	wsock_window_post(task->window, task->message, lookup->id,
			  WSAMAKEASYNCREPLY(size, error));
}

static void release(struct wsock_lookup *lookup)
{
	free(task_of(lookup));
}

/* A task without a question yet; NULL with the error set. */
static struct task *make_task(struct wsock_call *call, enum kind kind,
			      HWND window, UINT message, char *buf, int buflen)
{
	struct task *task;

	if (!wsock_call_enter(call, INVALID_SOCKET))
		return NULL;
	if (!wsock_window_exists(window) || !buf || buflen < 0) {
		wsock_error_set(WSAEINVAL);
		return NULL;
	}
	task = calloc(1, sizeof(*task));
	if (!task) {
		wsock_error_set(WSAENOBUFS);
		return NULL;
	}
	task->kind = kind;
	task->window = window;
	task->message = message;
	task->buf = buf;
	task->buflen = (size_t)buflen;
	task->lookup.tell = tell;
	task->lookup.release = release;
	task->lookup.deadline = WSOCK_NEVER;
	return task;
}

/* An error of the question is told by message, too. */
static HANDLE start(struct task *task, const struct wsock_call *call, int error)
{
	uint32_t id;

	task->lookup.error = error;
	error = wsock_lookup_start(&task->lookup, call, &id);
	if (!error)
		return (HANDLE)(uintptr_t)id;
	wsock_host_free(&task->lookup.host);
	free(task);
	wsock_error_set(error == WSA_NOT_ENOUGH_MEMORY ? WSAENOBUFS : error);
	return NULL;
}

/* ---- Hosts ---- */

WSOCK_EXPORT HANDLE WSAAPI WSAAsyncGetHostByName(HWND hWnd, u_int wMsg,
						 const char *name, char *buf,
						 int buflen)
{
	struct wsock_call call;
	struct task *task = make_task(&call, HOST, hWnd, wMsg, buf, buflen);
	int error;

	if (!task)
		return NULL;
	if (name)
		strncpy(task->name, name, sizeof(task->name) - 1);
	error = name && strlen(name) >= sizeof(task->name) ?
		WSAHOST_NOT_FOUND :
		wsock_netdb_ask_name(&task->lookup, task->name);
	return start(task, &call, error);
}

WSOCK_EXPORT HANDLE WSAAPI WSAAsyncGetHostByAddr(HWND hWnd, u_int wMsg,
						 const char *addr, int len,
						 int type, char *buf,
						 int buflen)
{
	struct wsock_call call;
	struct task *task = make_task(&call, HOST, hWnd, wMsg, buf, buflen);
	int error;

	if (!task)
		return NULL;
	error = wsock_netdb_ask_address(&task->address, addr, len, type);
	task->lookup.family = type;
	task->lookup.address = (struct sockaddr *)&task->address;
	return start(task, &call, error);
}

/* ---- Services and protocols ---- */

/* The end of each: @found is NULL, or the structure of the task. */
static HANDLE start_found(struct task *task, const struct wsock_call *call,
			  const void *found)
{
	task->lookup.answered = true;
	return start(task, call, found ? 0 : WSANO_DATA);
}

WSOCK_EXPORT HANDLE WSAAPI WSAAsyncGetServByName(HWND hWnd, u_int wMsg,
						 const char *name,
						 const char *proto, char *buf,
						 int buflen)
{
	struct wsock_call call;
	struct task *task = make_task(&call, SERVICE, hWnd, wMsg, buf, buflen);

	return !task ? NULL :
	       start_found(task, &call,
			   wsock_netdb_service_named(&task->service, name,
						     proto));
}

WSOCK_EXPORT HANDLE WSAAPI WSAAsyncGetServByPort(HWND hWnd, u_int wMsg, int port,
						 const char *proto, char *buf,
						 int buflen)
{
	struct wsock_call call;
	struct task *task = make_task(&call, SERVICE, hWnd, wMsg, buf, buflen);

	return !task ? NULL :
	       start_found(task, &call,
			   wsock_netdb_service_at(&task->service, port, proto));
}

WSOCK_EXPORT HANDLE WSAAPI WSAAsyncGetProtoByName(HWND hWnd, u_int wMsg,
						  const char *name, char *buf,
						  int buflen)
{
	struct wsock_call call;
	struct task *task = make_task(&call, PROTOCOL, hWnd, wMsg, buf, buflen);

	return !task ? NULL :
	       start_found(task, &call,
			   wsock_netdb_protocol_named(&task->protocol, name));
}

WSOCK_EXPORT HANDLE WSAAPI WSAAsyncGetProtoByNumber(HWND hWnd, u_int wMsg,
						    int number, char *buf,
						    int buflen)
{
	struct wsock_call call;
	struct task *task = make_task(&call, PROTOCOL, hWnd, wMsg, buf, buflen);

	return !task ? NULL :
	       start_found(task, &call,
			   wsock_netdb_protocol_numbered(&task->protocol,
							 number));
}

WSOCK_EXPORT int WSAAPI WSACancelAsyncRequest(HANDLE hAsyncTaskHandle)
{
	struct wsock_call call;
	int error;

	if (!wsock_call_enter(&call, INVALID_SOCKET))
		return SOCKET_ERROR;
	error = wsock_lookup_drop((uint32_t)(uintptr_t)hAsyncTaskHandle);
	return error ? wsock_error_set(error) : 0;
}
