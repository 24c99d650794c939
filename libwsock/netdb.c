// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * gethostbyname and its kin, which return a structure of the calling thread.
 *
 * The structures of all threads are in a list, for the final WSACleanup to free:
 * what a thread remembers of an earlier generation is gone. An answer is made in
 * memory of its own and replaces the last one under netdb_lock.
 */
#include "internal.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

/* ---- The structures of threads ---- */

enum kind { HOST, SERVICE, PROTOCOL, KINDS };

struct answer {
	LIST_ENTRY(answer) node;
	_Alignas(max_align_t) char data[];
};

static pthread_mutex_t netdb_lock = PTHREAD_MUTEX_INITIALIZER;
static LIST_HEAD(, answer) answers = LIST_HEAD_INITIALIZER(answers);

static __thread struct answer *own[KINDS];
static __thread uint32_t own_generation;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t exit_key;
static bool have_key;

/* Under netdb_lock. */
static void forget_freed(void)
{
	if (own_generation == wsock_generation())
		return;
	memset(own, 0, sizeof(own));
	own_generation = wsock_generation();
}

static void thread_exit(void *unused)
{
	int i;

	(void)unused;
	pthread_mutex_lock(&netdb_lock);
	forget_freed();
	for (i = 0; i < KINDS; i++) {
		if (!own[i])
			continue;
		LIST_REMOVE(own[i], node);
		free(own[i]);
		own[i] = NULL;
	}
	pthread_mutex_unlock(&netdb_lock);
}

static void make_key(void)
{
	have_key = !pthread_key_create(&exit_key, thread_exit);
}

/* Replaces the thread's last answer; NULL with the error set. */
static void *publish(const struct wsock_call *call, enum kind kind,
		     struct answer *a)
{
	/* Without a key, what a thread leaves is freed by the final release. */
	pthread_once(&once, make_key);
	if (have_key)
		pthread_setspecific(exit_key, own);
	pthread_mutex_lock(&netdb_lock);
	forget_freed();
	if (wsock_call_cancelled(call)) {
		pthread_mutex_unlock(&netdb_lock);
		free(a);
		wsock_error_set(WSAEINTR);
		return NULL;
	}
	if (own[kind]) {
		LIST_REMOVE(own[kind], node);
		free(own[kind]);
	}
	own[kind] = a;
	LIST_INSERT_HEAD(&answers, a, node);
	pthread_mutex_unlock(&netdb_lock);
	return a->data;
}

void wsock_netdb_free_all(void)
{
	struct answer *a;

	pthread_mutex_lock(&netdb_lock);
	while ((a = LIST_FIRST(&answers))) {
		LIST_REMOVE(a, node);
		free(a);
	}
	pthread_mutex_unlock(&netdb_lock);
}

void wsock_netdb_forget(void)
{
	pthread_mutex_init(&netdb_lock, NULL);
	/* Other threads' are lost; this one's must not be looked for. */
	LIST_INIT(&answers);
	memset(own, 0, sizeof(own));
}

/* ---- Packing a structure, and what it points to, into one room ---- */

struct room {
	char *at;
	char **pointers;
};

/* The strings of @list, which ends with NULL. */
static size_t list_size(char *const *list, size_t *count)
{
	size_t size = 0;

	for (*count = 0; list[*count]; ++*count)
		size += strlen(list[*count]) + 1;
	return size;
}

static char *put_string(struct room *room, const char *text)
{
	char *at = room->at;

	room->at = stpcpy(at, text) + 1;
	return at;
}

/* The array of pointers to copies of @list. */
static char **put_list(struct room *room, char *const *list)
{
	char **array = room->pointers;

	while (*list)
		*room->pointers++ = put_string(room, *list++);
	*room->pointers++ = NULL;
	return array;
}

/* Bytes of an address of @family. */
static size_t address_size(int family)
{
	return family == AF_INET6 ? sizeof(struct in6_addr) :
				    sizeof(struct in_addr);
}

static size_t count_addresses(const struct wsock_host *host, int family)
{
	size_t i, n = 0;

	for (i = 0; i < host->n; i++)
		n += host->addresses[i].sin6_family == family;
	return n;
}

static char **put_addresses(struct room *room, const struct wsock_host *host,
			    int family)
{
	char **array = room->pointers;
	const void *from;
	size_t i;

	for (i = 0; i < host->n; i++) {
		if (host->addresses[i].sin6_family != family)
			continue;
		from = family == AF_INET6 ?
		       (const void *)&host->addresses[i].sin6_addr :
		       &((struct sockaddr_in *)&host->addresses[i])->sin_addr;
		memcpy(room->at, from, address_size(family));
		*room->pointers++ = room->at;
		room->at += address_size(family);
	}
	*room->pointers++ = NULL;
	return array;
}

size_t wsock_netdb_pack_host(void *buf, size_t len,
			     const struct wsock_host *host, int family,
			     const char *name)
{
	size_t n = count_addresses(host, family), aliases = 0, size, i;
	struct wsock_hostent *ent = buf;
	const char *alias = host->aliases;
	struct room room;

	for (i = 0; i < host->n_aliases; i++)
		aliases += strlen(host->aliases + aliases) + 1;
	size = sizeof(*ent) + (n + host->n_aliases + 2) * sizeof(char *) +
	       n * address_size(family) + strlen(name) + 1 + aliases;
	if (!ent || size > len)
		return size;
	room.pointers = (char **)(ent + 1);
	room.at = (char *)(room.pointers + n + host->n_aliases + 2);
	ent->h_addrtype = (short)family;
	ent->h_length = (short)address_size(family);
	/* First, as they are to be aligned. */
	ent->h_addr_list = put_addresses(&room, host, family);
	ent->h_name = put_string(&room, name);
	ent->h_aliases = room.pointers;
	for (i = 0; i < host->n_aliases; i++) {
		*room.pointers++ = put_string(&room, alias);
		alias += strlen(alias) + 1;
	}
	*room.pointers = NULL;
	return size;
}

size_t wsock_netdb_pack_service(void *buf, size_t len,
				const struct servent *from)
{
	size_t n, strings = list_size(from->s_aliases, &n), size;
	struct wsock_servent *ent = buf;
	struct room room;

	size = sizeof(*ent) + (n + 1) * sizeof(char *) + strings +
	       strlen(from->s_name) + strlen(from->s_proto) + 2;
	if (!ent || size > len)
		return size;
	room.pointers = (char **)(ent + 1);
	room.at = (char *)(room.pointers + n + 1);
	ent->s_aliases = put_list(&room, from->s_aliases);
	ent->s_name = put_string(&room, from->s_name);
	ent->s_proto = put_string(&room, from->s_proto);
	ent->s_port = (short)from->s_port;
	return size;
}

size_t wsock_netdb_pack_protocol(void *buf, size_t len,
				 const struct protoent *from)
{
	size_t n, strings = list_size(from->p_aliases, &n), size;
	struct wsock_protoent *ent = buf;
	struct room room;

	size = sizeof(*ent) + (n + 1) * sizeof(char *) + strings +
	       strlen(from->p_name) + 1;
	if (!ent || size > len)
		return size;
	room.pointers = (char **)(ent + 1);
	room.at = (char *)(room.pointers + n + 1);
	ent->p_aliases = put_list(&room, from->p_aliases);
	ent->p_name = put_string(&room, from->p_name);
	ent->p_proto = (short)from->p_proto;
	return size;
}

static struct answer *make_answer(size_t size)
{
	struct answer *a = malloc(sizeof(*a) + size);

	if (!a)
		wsock_error_set(WSAENOBUFS);
	return a;
}

/* ---- Hosts ---- */

int wsock_netdb_ask_name(struct wsock_lookup *lookup, const char *name)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	lookup->family = AF_INET;
	lookup->name = name;
	if (!name || !*name || wsock_host_is_own(name))
		return wsock_host_own(&lookup->host, AF_INET);
	if (strlen(name) >= NI_MAXHOST)
		return WSAHOST_NOT_FOUND;
	if (!inet_aton(name, &in.sin_addr))
		return 0;
	return wsock_host_add(&lookup->host, (struct sockaddr *)&in) ?
		       0 : WSA_NOT_ENOUGH_MEMORY;
}

int wsock_netdb_ask_address(struct sockaddr_in6 *address, const char *addr,
			    int len, int type)
{
	if (type != AF_INET && type != AF_INET6)
		return WSAEAFNOSUPPORT;
	if (!addr || len != (int)address_size(type))
		return WSAEFAULT;
	memset(address, 0, sizeof(*address));
	address->sin6_family = (sa_family_t)type;
	memcpy(type == AF_INET6 ?
		       (void *)&address->sin6_addr :
		       &((struct sockaddr_in *)address)->sin_addr,
	       addr, (size_t)len);
	return 0;
}

static struct wsock_hostent *publish_host(const struct wsock_call *call,
					  const struct wsock_host *host,
					  int family, const char *name)
{
	size_t size = wsock_netdb_pack_host(NULL, 0, host, family, name);
	struct answer *a = make_answer(size);

	if (!a)
		return NULL;
	wsock_netdb_pack_host(a->data, size, host, family, name);
	return publish(call, HOST, a);
}

const char *wsock_netdb_host_name(const struct wsock_lookup *lookup, char *own,
				  size_t size)
{
	if (lookup->host.name)
		return lookup->host.name;
	if (lookup->name && *lookup->name)
		return lookup->name;
	if (gethostname(own, size))
		return "";
	own[size - 1] = '\0';
	return own;
}

WSOCK_EXPORT struct wsock_hostent * WSAAPI wsock_gethostbyname(const char *name)
{
	struct wsock_lookup lookup = { 0 };
	struct wsock_hostent *ent = NULL;
	struct wsock_call call;
	char own_name[NI_MAXHOST];
	int error;

	if (!wsock_call_enter(&call, INVALID_SOCKET))
		return NULL;
	error = wsock_netdb_ask_name(&lookup, name);
	if (!error && !lookup.host.n)
		error = wsock_lookup_run(&lookup, &call, WSOCK_NEVER);
	if (error)
		wsock_error_set(error);
	else
		ent = publish_host(&call, &lookup.host, AF_INET,
				   wsock_netdb_host_name(&lookup, own_name,
							 sizeof(own_name)));
	wsock_host_free(&lookup.host);
	return ent;
}

WSOCK_EXPORT struct wsock_hostent * WSAAPI
wsock_gethostbyaddr(const char *addr, int len, int type)
{
	struct wsock_hostent *ent = NULL;
	struct wsock_lookup lookup = { 0 };
	struct sockaddr_in6 address;
	struct wsock_call call;
	int error;

	if (!wsock_call_enter(&call, INVALID_SOCKET))
		return NULL;
	error = wsock_netdb_ask_address(&address, addr, len, type);
	lookup.address = (struct sockaddr *)&address;
	if (!error)
		error = wsock_lookup_run(&lookup, &call, WSOCK_NEVER);
	if (!error && !wsock_host_add(&lookup.host, lookup.address))
		error = WSAENOBUFS;
	if (error)
		wsock_error_set(error);
	else
		ent = publish_host(&call, &lookup.host, type,
				   lookup.found_name);
	wsock_host_free(&lookup.host);
	free(lookup.found_name);
	return ent;
}

/* ---- Services and protocols ---- */

const struct servent *wsock_netdb_service_named(struct wsock_service *s,
						const char *name,
						const char *protocol)
{
	struct servent *found = NULL;

	if (name)
		getservbyname_r(name, protocol, &s->ent, s->room,
				sizeof(s->room), &found);
	return found;
}

const struct servent *wsock_netdb_service_at(struct wsock_service *s, int port,
					     const char *protocol)
{
	struct servent *found = NULL;

	getservbyport_r(port, protocol, &s->ent, s->room, sizeof(s->room),
			&found);
	return found;
}

const struct protoent *wsock_netdb_protocol_named(struct wsock_protocol *p,
						  const char *name)
{
	struct protoent *found = NULL;

	if (name)
		getprotobyname_r(name, &p->ent, p->room, sizeof(p->room),
				 &found);
	return found;
}

const struct protoent *wsock_netdb_protocol_numbered(struct wsock_protocol *p,
						     int number)
{
	struct protoent *found = NULL;

	getprotobynumber_r(number, &p->ent, p->room, sizeof(p->room), &found);
	return found;
}


/* NULL with the error set. */
static struct wsock_servent *publish_service(const struct wsock_call *call,
					     const struct servent *found)
{
	struct answer *a;
	size_t size;

	if (!found) {
		wsock_error_set(WSANO_DATA);
		return NULL;
	}
	size = wsock_netdb_pack_service(NULL, 0, found);
	a = make_answer(size);
	if (!a)
		return NULL;
	wsock_netdb_pack_service(a->data, size, found);
	return publish(call, SERVICE, a);
}

WSOCK_EXPORT struct wsock_servent * WSAAPI
wsock_getservbyname(const char *name, const char *proto)
{
	struct wsock_service service;
	struct wsock_call call;

	if (!wsock_call_enter(&call, INVALID_SOCKET))
		return NULL;
	return publish_service(&call, wsock_netdb_service_named(&service, name,
								proto));
}

WSOCK_EXPORT struct wsock_servent * WSAAPI
wsock_getservbyport(int port, const char *proto)
{
	struct wsock_service service;
	struct wsock_call call;

	if (!wsock_call_enter(&call, INVALID_SOCKET))
		return NULL;
	return publish_service(&call, wsock_netdb_service_at(&service, port,
							     proto));
}

/* NULL with the error set. */
static struct wsock_protoent *publish_protocol(const struct wsock_call *call,
					       const struct protoent *found)
{
	struct answer *a;
	size_t size;

	if (!found) {
		wsock_error_set(WSANO_DATA);
		return NULL;
	}
	size = wsock_netdb_pack_protocol(NULL, 0, found);
	a = make_answer(size);
	if (!a)
		return NULL;
	wsock_netdb_pack_protocol(a->data, size, found);
	return publish(call, PROTOCOL, a);
}

WSOCK_EXPORT struct wsock_protoent * WSAAPI
wsock_getprotobyname(const char *name)
{
	struct wsock_protocol protocol;
	struct wsock_call call;

	if (!wsock_call_enter(&call, INVALID_SOCKET))
		return NULL;
	return publish_protocol(&call, wsock_netdb_protocol_named(&protocol,
								  name));
}

WSOCK_EXPORT struct wsock_protoent * WSAAPI wsock_getprotobynumber(int number)
{
	struct wsock_protocol protocol;
	struct wsock_call call;

	if (!wsock_call_enter(&call, INVALID_SOCKET))
		return NULL;
	return publish_protocol(&call, wsock_netdb_protocol_numbered(&protocol,
								     number));
}
