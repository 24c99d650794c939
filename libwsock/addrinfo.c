// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * getaddrinfo, getnameinfo, and their kin. What a name needs no server for is
 * answered here; the rest is asked of resolver.c.
 */
#include "internal.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- Lists of results ---- */

/* The four kinds of entries are one up to here. */
struct entry {
	int flags;
	int family;
	int socktype;
	int protocol;
	size_t addrlen;
	void *canonname;
	struct sockaddr *addr;
};

#define SAME_HEAD(type)							\
	_Static_assert(offsetof(type, ai_flags) ==			\
		       offsetof(struct entry, flags) &&			\
		       offsetof(type, ai_protocol) ==			\
		       offsetof(struct entry, protocol) &&		\
		       offsetof(type, ai_addrlen) ==			\
		       offsetof(struct entry, addrlen) &&		\
		       offsetof(type, ai_canonname) ==			\
		       offsetof(struct entry, canonname) &&		\
		       offsetof(type, ai_addr) ==			\
		       offsetof(struct entry, addr), "one head")
SAME_HEAD(ADDRINFOA);
SAME_HEAD(ADDRINFOW);
SAME_HEAD(ADDRINFOEXA);
SAME_HEAD(ADDRINFOEXW);

struct form {
	size_t size;
	size_t next;	/* where ai_next is */
	bool wide;
};

static const struct form form_a = {
	sizeof(ADDRINFOA), offsetof(ADDRINFOA, ai_next), false
};
static const struct form form_w = {
	sizeof(ADDRINFOW), offsetof(ADDRINFOW, ai_next), true
};
static const struct form form_ex_a = {
	sizeof(ADDRINFOEXA), offsetof(ADDRINFOEXA, ai_next), false
};
static const struct form form_ex_w = {
	sizeof(ADDRINFOEXW), offsetof(ADDRINFOEXW, ai_next), true
};

static void **next_of(const struct form *form, void *entry)
{
	return (void **)(void *)((char *)entry + form->next);
}

static void free_list(const struct form *form, void *entry)
{
	void *next;

	for (; entry; entry = next) {
		next = *next_of(form, entry);
		free(((struct entry *)entry)->canonname);
		free(entry);
	}
}

/* ---- Requests ---- */

#define KNOWN_FLAGS (WSOCK_AI_PASSIVE | WSOCK_AI_CANONNAME | \
		     WSOCK_AI_NUMERICHOST | WSOCK_AI_NUMERICSERV | \
		     WSOCK_AI_ALL | WSOCK_AI_ADDRCONFIG | WSOCK_AI_V4MAPPED | \
		     WSOCK_AI_NON_AUTHORITATIVE | WSOCK_AI_SECURE | \
		     WSOCK_AI_RETURN_PREFERRED_NAMES | \
		     WSOCK_AI_DISABLE_IDN_ENCODING)

/* A transport, and the port of the service there, in network byte order. */
struct transport {
	int socktype;
	int protocol;
	in_port_t port;
};

/*
 * @form, @result: of the list that is wanted
 * @name, @service: copies, in UTF-8
 * @ov, @routine: of one that is overlapped
 */
struct request {
	struct wsock_lookup lookup;
	const struct form *form;
	void **result;
	int flags;
	int family;
	struct transport hint;
	struct transport transports[2];
	size_t n_transports;
	bool has_name;
	char name[NI_MAXHOST];
	char service[NI_MAXSERV];
	LPOVERLAPPED ov;
	LPLOOKUPSERVICE_COMPLETION_ROUTINE routine;
};

/* 0 or the error; NULL is the same as no hints. */
static int set_hints(struct request *r, const struct entry *hints,
		     bool has_next)
{
	if (!hints)
		return 0;
	if (hints->addrlen || hints->canonname || hints->addr || has_next)
		return WSANO_RECOVERY;
	if (hints->flags & ~KNOWN_FLAGS ||
	    (hints->flags & WSOCK_AI_CANONNAME && !r->has_name))
		return WSAEINVAL;
	if (hints->family != AF_UNSPEC && hints->family != AF_INET &&
	    hints->family != AF_INET6)
		return WSAEAFNOSUPPORT;
	if (hints->socktype < 0 || hints->socktype > SOCK_SEQPACKET)
		return WSAESOCKTNOSUPPORT;
	r->flags = hints->flags;
	r->family = hints->family;
	r->hint.socktype = hints->socktype;
	r->hint.protocol = hints->protocol;
	return 0;
}

/* Adds a transport in which the service is known. */
static void find_service(struct request *r, const char *protocol,
			 int socktype, int number)
{
	const struct servent *found;
	struct wsock_service service;

	if ((r->hint.socktype && r->hint.socktype != socktype) ||
	    (r->hint.protocol && r->hint.protocol != number))
		return;
	found = wsock_netdb_service_named(&service, r->service, protocol);
	if (found)
		r->transports[r->n_transports++] = (struct transport){
			socktype, number, (in_port_t)found->s_port
		};
}

/* 0 or the error. */
static int set_service(struct request *r)
{
	unsigned long port = 0;
	char *end = r->service;

	if (*r->service >= '0' && *r->service <= '9')
		port = strtoul(r->service, &end, 10);
	if (!*end) {
		if (port > UINT16_MAX)
			return WSATYPE_NOT_FOUND;
		r->transports[0] = r->hint;
		r->transports[0].port = htons((uint16_t)port);
		r->n_transports = 1;
		return 0;
	}
	if (r->flags & WSOCK_AI_NUMERICSERV)
		return WSAHOST_NOT_FOUND;
	find_service(r, "tcp", SOCK_STREAM, IPPROTO_TCP);
	find_service(r, "udp", SOCK_DGRAM, IPPROTO_UDP);
	return r->n_transports ? 0 : WSATYPE_NOT_FOUND;
}

/* Does the request want addresses of @family, as they are? */
static bool wants(const struct request *r, int family)
{
	return r->family == AF_UNSPEC || r->family == family;
}

static int add_in(struct request *r, in_addr_t address)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET, .sin_addr.s_addr = address
	};

	return wsock_host_add(&r->lookup.host, (struct sockaddr *)&in) ?
		       0 : WSA_NOT_ENOUGH_MEMORY;
}

static int add_in6(struct request *r, const struct in6_addr *address,
		   uint32_t scope)
{
	struct sockaddr_in6 in6 = {
		.sin6_family = AF_INET6, .sin6_addr = *address,
		.sin6_scope_id = scope,
	};

	return wsock_host_add(&r->lookup.host, (struct sockaddr *)&in6) ?
		       0 : WSA_NOT_ENOUGH_MEMORY;
}

/* No name: any address, or loopback. */
static int set_unnamed(struct request *r)
{
	bool passive = r->flags & WSOCK_AI_PASSIVE;
	int error = 0;

	if (wants(r, AF_INET6))
		error = add_in6(r, passive ? &in6addr_any : &in6addr_loopback,
				0);
	if (!error && wants(r, AF_INET))
		error = add_in(r, htonl(passive ? INADDR_ANY :
						  INADDR_LOOPBACK));
	return error;
}

/* The scope behind a '%', a number or an interface; false for neither. */
static bool parse_scope(const char *text, uint32_t *scope)
{
	char *end;

	*scope = if_nametoindex(text);
	if (*scope)
		return true;
	*scope = (uint32_t)strtoul(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end;
}

/* Is the name an address? Then *@error is 0 or the request's error. */
static bool set_numeric(struct request *r, int *error)
{
	char text[NI_MAXHOST], *percent;
	struct in6_addr in6;
	uint32_t scope = 0;
	struct in_addr in;

	if (!strpbrk(r->name, " \t\n\v\f\r") && inet_aton(r->name, &in)) {
		if (wants(r, AF_INET) || r->flags & WSOCK_AI_V4MAPPED)
			*error = add_in(r, in.s_addr);
		else
			*error = WSAHOST_NOT_FOUND;
		return true;
	}
	memcpy(text, r->name, sizeof(text));
	percent = strchr(text, '%');
	if (percent) {
		*percent = '\0';
		if (!parse_scope(percent + 1, &scope))
			return false;
	}
	if (inet_pton(AF_INET6, text, &in6) != 1)
		return false;
	*error = wants(r, AF_INET6) ? add_in6(r, &in6, scope) :
				      WSAHOST_NOT_FOUND;
	return true;
}

/*
 * AI_ADDRCONFIG: only families of which this host has an address. None of them
 * is the same as both.
 */
static void narrow_family(struct request *r)
{
	struct wsock_host own = { 0 };
	bool have4 = false, have6 = false;
	size_t i;

	wsock_host_own(&own, AF_UNSPEC);
	for (i = 0; i < own.n; i++) {
		have4 |= own.addresses[i].sin6_family == AF_INET;
		have6 |= own.addresses[i].sin6_family == AF_INET6;
	}
	wsock_host_free(&own);
	if (have4 != have6)
		r->lookup.family = have4 ? AF_INET : AF_INET6;
}

/* Answers what can be answered here. 0 or the error; no addresses: ask. */
static int set_name(struct request *r)
{
	int error;

	if (!r->has_name)
		return *r->service ? set_unnamed(r) : WSAHOST_NOT_FOUND;
	if (!*r->name || wsock_host_is_own(r->name))
		return wsock_host_own(&r->lookup.host, r->family);
	if (set_numeric(r, &error))
		return error;
	if (r->flags & WSOCK_AI_NUMERICHOST)
		return WSAHOST_NOT_FOUND;
	r->lookup.name = r->name;
	r->lookup.family = r->family;
	if (r->family == AF_INET6 && r->flags & WSOCK_AI_V4MAPPED)
		r->lookup.family = AF_UNSPEC;
	else if (r->family == AF_UNSPEC && r->flags & WSOCK_AI_ADDRCONFIG)
		narrow_family(r);
	return 0;
}

/* 0 or the error. */
static int prepare(struct request *r, const void *hints)
{
	const struct entry *head = hints;
	int error = set_hints(r, head, head && *next_of(r->form, (void *)hints));

	if (!error)
		error = set_service(r);
	if (!error)
		error = set_name(r);
	return error;
}

/* 0 or the error. */
static int copy_text(char *to, size_t size, const void *from, bool wide)
{
	if (!from) {
		*to = '\0';
		return 0;
	}
	return wsock_text_get(from, wide, to, size) ? 0 : WSAHOST_NOT_FOUND;
}

static void free_request(struct request *r)
{
	wsock_host_free(&r->lookup.host);
	free(r);
}

/*
 * A request of its own memory: 0 or the error. With @local, of what this machine's
 * name space knows, too, which is asked at once.
 */
static int make_request(struct request **request, const struct form *form,
			const void *name, const void *service,
			const void *hints, void **result, bool local)
{
	struct request *r;
	int error;

	r = calloc(1, sizeof(*r));
	if (!r)
		return WSA_NOT_ENOUGH_MEMORY;
	r->form = form;
	r->result = result;
	r->has_name = name;
	r->lookup.deadline = WSOCK_NEVER;
	error = copy_text(r->name, sizeof(r->name), name, form->wide);
	if (!error)
		error = copy_text(r->service, sizeof(r->service), service,
				  form->wide);
	if (!error)
		error = prepare(r, hints);
	if (!error && local && r->lookup.name &&
	    !wsock_namespace_find_host(r->name, &r->lookup.host))
		error = WSA_NOT_ENOUGH_MEMORY;
	if (error) {
		free_request(r);
		return error;
	}
	*request = r;
	return 0;
}

/* ---- From an answer to a list ---- */

static void *duplicate_text(const char *text, bool wide)
{
	size_t count;
	WCHAR *copy;

	if (!wide)
		return strdup(text);
	count = wsock_wide_from_utf8(text, NULL, 0);
	copy = calloc(count, sizeof(*copy));
	if (copy)
		wsock_wide_from_utf8(text, copy, count);
	return copy;
}

static struct entry *make_entry(const struct request *r,
				const struct transport *transport,
				const struct sockaddr_in6 *address)
{
	struct entry *e = calloc(1, r->form->size + sizeof(*address));
	struct sockaddr_in6 *name;

	if (!e)
		return NULL;
	name = (void *)((char *)e + r->form->size);
	*name = *address;
	if (name->sin6_family == AF_INET && r->family == AF_INET6)
		wsock_addr_map_v4(name, (struct sockaddr_in *)name);
	/* Both kinds have the port in one place. */
	name->sin6_port = transport->port;
	e->family = name->sin6_family;
	e->socktype = transport->socktype;
	e->protocol = transport->protocol;
	e->addrlen = name->sin6_family == AF_INET6 ?
		     sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	e->addr = (struct sockaddr *)name;
	return e;
}

/* Is address @i of those the request wants? */
static bool is_result(const struct request *r, size_t i)
{
	const struct wsock_host *host = &r->lookup.host;
	size_t j;

	if (wants(r, host->addresses[i].sin6_family))
		return true;
	if (!(r->flags & WSOCK_AI_V4MAPPED))
		return false;
	if (r->flags & WSOCK_AI_ALL)
		return true;
	/* IPv4 in place of what is not there. */
	for (j = 0; j < host->n; j++)
		if (host->addresses[j].sin6_family == AF_INET6)
			return false;
	return true;
}

static bool set_canonname(const struct request *r, struct entry *first)
{
	const char *name = r->lookup.host.name;

	if (!(r->flags & WSOCK_AI_CANONNAME))
		return true;
	first->canonname = duplicate_text(name ? name : r->name, r->form->wide);
	return first->canonname;
}

/* 0 with *@list, or the error. */
static int make_list(const struct request *r, void **list)
{
	void *first = NULL, **end = &first;
	struct entry *e;
	size_t i, j;

	for (i = 0; i < r->lookup.host.n; i++) {
		for (j = 0; is_result(r, i) && j < r->n_transports; j++) {
			e = make_entry(r, &r->transports[j],
				       &r->lookup.host.addresses[i]);
			if (!e)
				goto no_memory;
			*end = e;
			end = next_of(r->form, e);
		}
	}
	if (!first)
		return WSANO_DATA;
	if (!set_canonname(r, first))
		goto no_memory;
	*list = first;
	return 0;

no_memory:
	free_list(r->form, first);
	return WSA_NOT_ENOUGH_MEMORY;
}

/* ---- getaddrinfo ---- */

/* The last error, and its return value. */
static INT result(int error)
{
	wsock_error_set(error);
	return error;
}

static int get_now(const struct wsock_call *call, const struct form *form,
		   const void *name, const void *service, const void *hints,
		   void **list, bool local, uint64_t deadline)
{
	struct request *r;
	int error;

	error = make_request(&r, form, name, service, hints, list, local);
	if (error)
		return error;
	if (!r->lookup.host.n)
		error = wsock_lookup_run(&r->lookup, call, deadline);
	if (!error)
		error = make_list(r, list);
	free_request(r);
	return error;
}

static INT get_addresses(const struct form *form, const void *name,
			 const void *service, const void *hints, void **list)
{
	struct wsock_call call;

	if (!wsock_call_enter(&call, INVALID_SOCKET))
		return wsock_error_get();
	if (!list)
		return result(WSAEFAULT);
	*list = NULL;
	return result(get_now(&call, form, name, service, hints, list,
			      false, WSOCK_NEVER));
}

int wsock_addrinfo_get(const struct wsock_call *call, PCSTR node, PCSTR service,
		       const ADDRINFOA *hints, PADDRINFOA *list,
		       uint64_t deadline)
{
	return get_now(call, &form_a, node, service, hints, (void **)list,
		       false, deadline);
}

WSOCK_EXPORT INT WSAAPI wsock_getaddrinfo(PCSTR pNodeName, PCSTR pServiceName,
					  const ADDRINFOA *pHints,
					  PADDRINFOA *ppResult)
{
	return get_addresses(&form_a, pNodeName, pServiceName, pHints,
			     (void **)ppResult);
}

WSOCK_EXPORT INT WSAAPI GetAddrInfoW(PCWSTR pNodeName, PCWSTR pServiceName,
				     const ADDRINFOW *pHints,
				     PADDRINFOW *ppResult)
{
	return get_addresses(&form_w, pNodeName, pServiceName, pHints,
			     (void **)ppResult);
}

WSOCK_EXPORT VOID WSAAPI wsock_freeaddrinfo(PADDRINFOA pAddrInfo)
{
	free_list(&form_a, pAddrInfo);
}

WSOCK_EXPORT VOID WSAAPI FreeAddrInfoW(PADDRINFOW pAddrInfo)
{
	free_list(&form_w, pAddrInfo);
}

/* ---- GetAddrInfoEx ---- */

static struct request *request_of(struct wsock_lookup *lookup)
{
	return (struct request *)lookup;
}

/* Internal is the Winsock error here, not a status. */
static void set_overlapped(LPOVERLAPPED ov, int error)
{
	__atomic_store_n(&ov->Internal, (ULONG_PTR)error, __ATOMIC_RELEASE);
}

static void tell(struct wsock_lookup *lookup)
{
	struct request *r = request_of(lookup);
	int event = -1;

	if (!lookup->error)
		lookup->error = make_list(r, r->result);
	if (!r->routine)
		event = wsock_event_decode_ov(r->ov->hEvent);
	/* From here on the program may free it. */
	set_overlapped(r->ov, lookup->error);
	if (event >= 0)
		wsock_event_set(event);
}

static void call_routine(struct wsock_lookup *lookup)
{
	struct request *r = request_of(lookup);

	if (r->routine)
		r->routine((DWORD)lookup->error, 0, r->ov);
}

static void abort_lookup(struct wsock_lookup *lookup)
{
	set_overlapped(request_of(lookup)->ov, WSA_E_CANCELLED);
}

static void release(struct wsock_lookup *lookup)
{
	free(request_of(lookup));
}

/* 0 or the error. */
static int check_overlapped(LPOVERLAPPED ov,
			    LPLOOKUPSERVICE_COMPLETION_ROUTINE routine)
{
	if (!ov)
		return routine ? WSAEINVAL : 0;
	if (routine)
		return ov->hEvent ? WSAEINVAL : 0;
	return wsock_event_decode_ov(ov->hEvent) < 0 ? WSAEINVAL : 0;
}

static int get_later(const struct wsock_call *call, struct request *r,
		     const struct timeval *timeout, LPHANDLE handle)
{
	LPOVERLAPPED ov = r->ov;
	uint32_t id;
	int error;

	r->lookup.tell = tell;
	r->lookup.call = call_routine;
	r->lookup.abort = abort_lookup;
	r->lookup.release = release;
	if (timeout)
		r->lookup.deadline = wsock_now() + wsock_timeval_ns(timeout);
	if (!r->routine) {
		bool auto_reset;
		int event = wsock_event_decode((HANDLE)((uintptr_t)ov->hEvent &
							~(uintptr_t)1),
					       &auto_reset);

		wsock_event_reset(event, auto_reset);
	}
	set_overlapped(ov, WSAEINPROGRESS);
	error = wsock_lookup_start(&r->lookup, call, &id);
	if (error) {
		set_overlapped(ov, error);
		free_request(r);
		return error;
	}
	if (handle)
		*handle = (HANDLE)(uintptr_t)id;
	return WSA_IO_PENDING;
}

WSOCK_EXPORT INT WSAAPI
GetAddrInfoExW(PCWSTR pName, PCWSTR pServiceName, DWORD dwNameSpace,
	       LPGUID lpNspId, const ADDRINFOEXW *hints, PADDRINFOEXW *ppResult,
	       struct timeval *timeout, LPOVERLAPPED lpOverlapped,
	       LPLOOKUPSERVICE_COMPLETION_ROUTINE lpCompletionRoutine,
	       LPHANDLE lpHandle)
{
	struct wsock_call call;
	struct request *r;
	int error;

	(void)lpNspId;
	if (!wsock_call_enter(&call, INVALID_SOCKET))
		return wsock_error_get();
	if (!ppResult)
		return result(WSAEFAULT);
	error = check_overlapped(lpOverlapped, lpCompletionRoutine);
	if (!error && dwNameSpace != NS_ALL && dwNameSpace != NS_DNS)
		error = WSASERVICE_NOT_FOUND;
	if (!error && (timeout || lpHandle) && !lpOverlapped)
		error = WSAEINVAL;
	if (error)
		return result(error);
	*ppResult = NULL;
	if (!lpOverlapped)
		return result(get_now(&call, &form_ex_w, pName, pServiceName,
				      hints, (void **)ppResult, dwNameSpace == NS_ALL,
				      WSOCK_NEVER));
	error = make_request(&r, &form_ex_w, pName, pServiceName, hints,
			     (void **)ppResult, dwNameSpace == NS_ALL);
	if (error)
		return result(error);
	r->ov = lpOverlapped;
	r->routine = lpCompletionRoutine;
	return result(get_later(&call, r, timeout, lpHandle));
}

WSOCK_EXPORT INT WSAAPI
GetAddrInfoExA(PCSTR pName, PCSTR pServiceName, DWORD dwNameSpace,
	       LPGUID lpNspId, const ADDRINFOEXA *hints, PADDRINFOEXA *ppResult,
	       struct timeval *timeout, LPOVERLAPPED lpOverlapped,
	       LPLOOKUPSERVICE_COMPLETION_ROUTINE lpCompletionRoutine,
	       LPHANDLE lpNameHandle)
{
	struct wsock_call call;

	(void)lpNspId;
	if (!wsock_call_enter(&call, INVALID_SOCKET))
		return wsock_error_get();
	if (!ppResult)
		return result(WSAEFAULT);
	if (timeout || lpOverlapped || lpCompletionRoutine || lpNameHandle)
		return result(WSAEINVAL);
	if (dwNameSpace != NS_ALL && dwNameSpace != NS_DNS)
		return result(WSASERVICE_NOT_FOUND);
	*ppResult = NULL;
	return result(get_now(&call, &form_ex_a, pName, pServiceName, hints,
			      (void **)ppResult, dwNameSpace == NS_ALL, WSOCK_NEVER));
}

WSOCK_EXPORT INT WSAAPI GetAddrInfoExCancel(LPHANDLE lpHandle)
{
	struct wsock_call call;

	if (!wsock_call_enter(&call, INVALID_SOCKET))
		return wsock_error_get();
	if (!lpHandle)
		return result(WSAEFAULT);
	return result(wsock_lookup_fail((uint32_t)(uintptr_t)*lpHandle,
					WSA_E_CANCELLED) ?
			      0 : WSA_INVALID_HANDLE);
}

WSOCK_EXPORT INT WSAAPI GetAddrInfoExOverlappedResult(LPOVERLAPPED lpOverlapped)
{
	if (!lpOverlapped)
		return WSAEINVAL;
	return (INT)__atomic_load_n(&lpOverlapped->Internal, __ATOMIC_ACQUIRE);
}

WSOCK_EXPORT VOID WSAAPI FreeAddrInfoEx(PADDRINFOEXA pAddrInfoEx)
{
	free_list(&form_ex_a, pAddrInfoEx);
}

WSOCK_EXPORT VOID WSAAPI FreeAddrInfoExW(PADDRINFOEXW pAddrInfoEx)
{
	free_list(&form_ex_w, pAddrInfoEx);
}

/* ---- getnameinfo ---- */

/* @address as text, with its scope. */
static void numeric_name(const struct sockaddr *address, char *text,
			 size_t size)
{
	const struct sockaddr_in *in = (const void *)address;
	const struct sockaddr_in6 *in6 = (const void *)address;
	size_t len;

	if (address->sa_family == AF_INET) {
		inet_ntop(AF_INET, &in->sin_addr, text, (socklen_t)size);
		return;
	}
	inet_ntop(AF_INET6, &in6->sin6_addr, text, (socklen_t)size);
	len = strlen(text);
	if (in6->sin6_scope_id)
		snprintf(text + len, size - len, "%%%u", in6->sin6_scope_id);
}

/* 0 or the error. */
static int get_node(const struct wsock_call *call,
		    const struct sockaddr *address, int flags, char *text,
		    size_t size)
{
	struct wsock_lookup lookup = {
		.address = address,
		.no_fqdn = flags & WSOCK_NI_NOFQDN,
	};
	int error = WSAHOST_NOT_FOUND;

	if (!(flags & WSOCK_NI_NUMERICHOST))
		error = wsock_lookup_run(&lookup, call, WSOCK_NEVER);
	if (!error)
		snprintf(text, size, "%s", lookup.found_name);
	free(lookup.found_name);
	if ((error != WSAHOST_NOT_FOUND && error != WSANO_DATA) ||
	    flags & WSOCK_NI_NAMEREQD)
		return error;
	numeric_name(address, text, size);
	return 0;
}

static void get_service(const struct sockaddr *address, int flags, char *text,
			size_t size)
{
	/* Both kinds have the port in one place. */
	in_port_t port = ((const struct sockaddr_in *)address)->sin_port;
	const struct servent *found = NULL;
	struct wsock_service service;

	if (!(flags & WSOCK_NI_NUMERICSERV))
		found = wsock_netdb_service_at(&service, port,
					       flags & WSOCK_NI_DGRAM ? "udp" :
									"tcp");
	if (found)
		snprintf(text, size, "%s", found->s_name);
	else
		snprintf(text, size, "%u", ntohs(port));
}

/* 0 or the error. */
static int put_text(const char *text, void *to, DWORD count, bool wide)
{
	return wsock_text_put(text, wide, to, count) > count ?
		       ERROR_INSUFFICIENT_BUFFER : 0;
}

static int get_names(const struct wsock_call *call,
		     const struct sockaddr *address, int len, void *node,
		     DWORD node_size, void *service, DWORD service_size,
		     int flags, bool wide)
{
	const int known = WSOCK_NI_NOFQDN | WSOCK_NI_NUMERICHOST |
			  WSOCK_NI_NAMEREQD | WSOCK_NI_NUMERICSERV |
			  WSOCK_NI_DGRAM;
	char text[NI_MAXHOST];
	int error = 0;

	if (!address || len < (int)sizeof(struct sockaddr_in))
		return WSAEFAULT;
	if (address->sa_family != AF_INET && address->sa_family != AF_INET6)
		return WSAEAFNOSUPPORT;
	if (address->sa_family == AF_INET6 &&
	    len < (int)sizeof(struct sockaddr_in6))
		return WSAEFAULT;
	if (flags & ~known)
		return WSAEINVAL;
	if (!node)
		node_size = 0;
	if (!service)
		service_size = 0;
	if (!node_size && !service_size)
		return WSAHOST_NOT_FOUND;
	if (node_size) {
		error = get_node(call, address, flags, text, sizeof(text));
		if (!error)
			error = put_text(text, node, node_size, wide);
	}
	if (service_size && !error) {
		get_service(address, flags, text, sizeof(text));
		error = put_text(text, service, service_size, wide);
	}
	return error;
}

WSOCK_EXPORT INT WSAAPI
wsock_getnameinfo(const SOCKADDR *pSockaddr, int SockaddrLength,
		  char *pNodeBuffer, DWORD NodeBufferSize, char *pServiceBuffer,
		  DWORD ServiceBufferSize, INT Flags)
{
	struct wsock_call call;

	if (!wsock_call_enter(&call, INVALID_SOCKET))
		return wsock_error_get();
	return result(get_names(&call, pSockaddr, SockaddrLength, pNodeBuffer,
				NodeBufferSize, pServiceBuffer,
				ServiceBufferSize, Flags, false));
}

WSOCK_EXPORT INT WSAAPI
GetNameInfoW(const SOCKADDR *pSockaddr, int SockaddrLength, PWSTR pNodeBuffer,
	     DWORD NodeBufferSize, PWSTR pServiceBuffer,
	     DWORD ServiceBufferSize, INT Flags)
{
	struct wsock_call call;

	if (!wsock_call_enter(&call, INVALID_SOCKET))
		return wsock_error_get();
	return result(get_names(&call, pSockaddr, SockaddrLength, pNodeBuffer,
				NodeBufferSize, pServiceBuffer,
				ServiceBufferSize, Flags, true));
}

/* ---- Errors as text ---- */

static const char *error_text(int error)
{
	switch (error) {
	case 0:
		return "Success";
	case WSATRY_AGAIN:
		return "No name server has answered";
	case WSAEINVAL:
		return "Bad flags";
	case WSANO_RECOVERY:
		return "The name could not be resolved";
	case WSAEAFNOSUPPORT:
		return "Address family not supported";
	case WSA_NOT_ENOUGH_MEMORY:
		return "Not enough memory";
	case WSAHOST_NOT_FOUND:
		return "No such host";
	case WSANO_DATA:
		return "The host has no such address";
	case WSATYPE_NOT_FOUND:
		return "No such service";
	case WSAESOCKTNOSUPPORT:
		return "Socket type not supported";
	case WSANOTINITIALISED:
		return "WSAStartup is not in force";
	case WSAEINTR:
		return "The call was cancelled";
	}
	return "Unknown error";
}

WSOCK_EXPORT char * WSAAPI gai_strerrorA(int ecode)
{
	static __thread char text[64];

	snprintf(text, sizeof(text), "%s", error_text(ecode));
	return text;
}

WSOCK_EXPORT WCHAR * WSAAPI gai_strerrorW(int ecode)
{
	static __thread WCHAR text[64];

	wsock_wide_from_utf8(error_text(ecode), text, 64);
	return text;
}
