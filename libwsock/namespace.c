// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A name space of this machine: a directory with a text file for each service. A
 * file is written under another name and renamed, so who reads sees all of it.
 */
#include "internal.h"

#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

#define NAMES_DIR	"/var/lib/wsock/names"
#define MAX_NAME	63
#define MAX_COMMENT	255
#define MAX_ADDRESSES	16
#define GUID_TEXT	36

#define GUID_FORMAT	"%08x-%04hx-%04hx-%02hhx%02hhx-" \
			"%02hhx%02hhx%02hhx%02hhx%02hhx%02hhx"

/* Strings are what differs, and these are pointers in both. */
_Static_assert(sizeof(WSAQUERYSETA) == sizeof(WSAQUERYSETW) &&
	       offsetof(WSAQUERYSETA, lpBlob) == offsetof(WSAQUERYSETW, lpBlob),
	       "one layout");

struct service {
	GUID class;
	char name[MAX_NAME + 1];
	char comment[MAX_COMMENT + 1];
	DWORD n;
	struct service_address {
		struct sockaddr_in6 name;
		INT socktype;
		INT protocol;
	} addresses[MAX_ADDRESSES];
};

struct search {
	LIST_ENTRY(search) node;
	HANDLE handle;
	struct service *found;
	size_t n;
	size_t next;
};

static pthread_mutex_t search_lock = PTHREAD_MUTEX_INITIALIZER;
static LIST_HEAD(, search) searches = LIST_HEAD_INITIALIZER(searches);
static uintptr_t last_handle;

/* ---- Files ---- */

static const char *names_dir(void)
{
	const char *dir = secure_getenv("WSOCK_NAMES");

	return dir && *dir ? dir : NAMES_DIR;
}

static void guid_text(const GUID *g, char text[GUID_TEXT + 1])
{
	const uint8_t *d = g->Data4;

	snprintf(text, GUID_TEXT + 1, GUID_FORMAT, g->Data1, g->Data2, g->Data3,
		 d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7]);
}

/* Class and name, in lower case, what a path cannot have as its number. */
static void file_name(const GUID *class, const char *name, char *to, size_t size)
{
	char text[GUID_TEXT + 1];
	size_t n;

	guid_text(class, text);
	n = (size_t)snprintf(to, size, "%s.", text);
	for (; *name && n + 4 < size; name++) {
		uint8_t c = (uint8_t)*name;

		if (c >= 'A' && c <= 'Z')
			c += 'a' - 'A';
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		    c == '-' || c == '_' || c >= 0x80)
			to[n++] = (char)c;
		else
			n += (size_t)snprintf(to + n, size - n, "%%%02x", c);
	}
	to[n] = '\0';
}

/* 0 or an errno. */
static int put_file(FILE *f, const struct service *s)
{
	char text[GUID_TEXT + 1], address[WSOCK_ADDR_TEXT];
	const struct service_address *a;
	DWORD i;

	guid_text(&s->class, text);
	fprintf(f, "wsock-name 1\nclass %s\nname %s\ncomment %s\n", text,
		s->name, s->comment);
	for (i = 0; i < s->n; i++) {
		a = &s->addresses[i];
		wsock_addr_to_text((const struct sockaddr *)&a->name,
				   sizeof(a->name), address);
		fprintf(f, "address %c %s %d %d\n",
			a->name.sin6_family == AF_INET6 ? '6' : '4', address,
			a->socktype, a->protocol);
	}
	return fflush(f) || fsync(fileno(f)) ? errno : 0;
}

/* Where @name is; false when that is too long. */
static bool path_of(const char *name, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/%s", names_dir(), name) < PATH_MAX;
}

/* 0 or an errno. */
static int write_service(const struct service *s)
{
	char name[256], path[PATH_MAX], temporary[PATH_MAX];
	int fd, err;
	FILE *f;

	file_name(&s->class, s->name, name, sizeof(name));
	if (!path_of(name, path) || !path_of(".XXXXXX", temporary))
		return ENAMETOOLONG;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return errno;
	fchmod(fd, 0644);
	f = fdopen(fd, "w");
	if (!f) {
		err = errno;
		close(fd);
		goto remove;
	}
	err = put_file(f, s);
	if (fclose(f) && !err)
		err = errno;
	if (!err && !rename(temporary, path))
		return 0;
	if (!err)
		err = errno;
remove:
	unlink(temporary);
	return err;
}

static bool get_guid(const char *text, GUID *g)
{
	uint8_t *d = g->Data4;

	/* cppcheck-suppress invalidScanfArgType_int ; hh is for a uint8_t */
	/* NOLINTNEXTLINE(cert-err34-c): no number is wider than its place */
	return sscanf(text, GUID_FORMAT, &g->Data1, &g->Data2, &g->Data3, d,
		      d + 1, d + 2, d + 3, d + 4, d + 5, d + 6, d + 7) == 11;
}

/* Reads the number at *@text, which is moved on. */
static bool get_int(const char **text, INT *value)
{
	char *end;
	long number = strtol(*text, &end, 10);

	if (end == *text || number < INT_MIN || number > INT_MAX)
		return false;
	*text = end;
	*value = (INT)number;
	return true;
}

static bool get_address(const char *text, struct service *s)
{
	struct service_address *a = &s->addresses[s->n];
	char address[WSOCK_ADDR_TEXT], family;
	int len;

	if (s->n == MAX_ADDRESSES ||
	    sscanf(text, "%c %65s%n", &family, address, &len) != 2)
		return false;
	text += len;
	if (!get_int(&text, &a->socktype) || !get_int(&text, &a->protocol) ||
	    !wsock_addr_from_text(address, family == '6' ? AF_INET6 : AF_INET,
				  &a->name))
		return false;
	s->n++;
	return true;
}

/* The rest of @line behind @key, or NULL. */
static const char *value_of(const char *line, const char *key)
{
	size_t len = strlen(key);

	return !strncmp(line, key, len) && line[len] == ' ' ? line + len + 1 :
							      NULL;
}

static bool get_line(const char *line, struct service *s)
{
	const char *value;

	if ((value = value_of(line, "class")))
		return get_guid(value, &s->class);
	if ((value = value_of(line, "name")))
		return snprintf(s->name, sizeof(s->name), "%s", value) <
		       (int)sizeof(s->name);
	if ((value = value_of(line, "comment")))
		return snprintf(s->comment, sizeof(s->comment), "%s", value) <
		       (int)sizeof(s->comment);
	if ((value = value_of(line, "address")))
		return get_address(value, s);
	return !strcmp(line, "wsock-name 1");
}

/* False for what is no file of ours. */
static bool read_service(int dir, const char *name, struct service *s)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	char line[512];
	bool ok = true;

	memset(s, 0, sizeof(*s));
	if (!f) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while (ok && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		ok = get_line(line, s);
	}
	fclose(f);
	return ok && *s->name;
}

static int file_error(int err)
{
	switch (err) {
	case ENOENT:
		return WSASERVICE_NOT_FOUND;
	case EACCES:
	case EPERM:
	case EROFS:
		return WSAEACCES;
	case ENOMEM:
	case ENOSPC:
	case EDQUOT:
		return WSAENOBUFS;
	case EMFILE:
	case ENFILE:
		return WSAEMFILE;
	}
	return WSASYSCALLFAILURE;
}

/* ---- WSASetService ---- */

/* False when it does not fit, or has characters that a line cannot have. */
static bool copy_string(char *to, size_t size, const void *from, bool wide)
{
	const char *p;

	if (!from) {
		*to = '\0';
		return true;
	}
	if (!wsock_text_get(from, wide, to, size))
		return false;
	for (p = to; *p; p++)
		if ((uint8_t)*p < ' ')
			return false;
	return true;
}

static bool copy_address(struct service *s, const CSADDR_INFO *info)
{
	const struct sockaddr *name = info->LocalAddr.lpSockaddr;
	struct service_address *a = &s->addresses[s->n];
	int len = info->LocalAddr.iSockaddrLength;

	if (!name || s->n == MAX_ADDRESSES ||
	    len < (int)sizeof(struct sockaddr_in) ||
	    !(name->sa_family == AF_INET ||
	      (name->sa_family == AF_INET6 && len >= (int)sizeof(a->name))))
		return false;
	memcpy(&a->name, name, name->sa_family == AF_INET6 ?
	       sizeof(a->name) : sizeof(struct sockaddr_in));
	a->socktype = info->iSocketType;
	a->protocol = info->iProtocol;
	s->n++;
	return true;
}

/* What a query names; 0 or the error. The name may be missing. */
static int import(struct service *s, const WSAQUERYSETA *q, bool wide)
{
	DWORD i;

	memset(s, 0, sizeof(*s));
	if (!q)
		return WSAEFAULT;
	if (q->dwSize < sizeof(*q) || !q->lpServiceClassId)
		return WSAEINVAL;
	if (q->dwNameSpace != NS_ALL)
		return WSASERVICE_NOT_FOUND;
	s->class = *q->lpServiceClassId;
	if (!copy_string(s->name, sizeof(s->name), q->lpszServiceInstanceName,
			 wide) ||
	    !copy_string(s->comment, sizeof(s->comment), q->lpszComment, wide))
		return WSAEINVAL;
	for (i = 0; i < q->dwNumberOfCsAddrs; i++)
		if (!q->lpcsaBuffer || !copy_address(s, &q->lpcsaBuffer[i]))
			return WSAEINVAL;
	return 0;
}

/* 0 or the error. */
static int delete_service(const struct service *s)
{
	char name[256], path[PATH_MAX];

	file_name(&s->class, s->name, name, sizeof(name));
	if (!path_of(name, path))
		return WSAENAMETOOLONG;
	return unlink(path) ? file_error(errno) : 0;
}

static INT set_service(const WSAQUERYSETA *q, WSAESETSERVICEOP operation,
		       DWORD flags, bool wide)
{
	struct wsock_call call;
	struct service s;
	int error;

	if (!wsock_call_enter(&call, INVALID_SOCKET))
		return SOCKET_ERROR;
	error = import(&s, q, wide);
	if (!error && (!*s.name || flags))
		error = WSAEINVAL;
	if (error)
		return wsock_error_set(error);
	switch (operation) {
	case RNRSERVICE_REGISTER:
		error = write_service(&s);
		if (error)
			error = file_error(error);
		break;
	case RNRSERVICE_DEREGISTER:
	case RNRSERVICE_DELETE:
		error = delete_service(&s);
		break;
	default:
		error = WSAEINVAL;
	}
	return error ? wsock_error_set(error) : 0;
}

WSOCK_EXPORT INT WSAAPI WSASetServiceA(LPWSAQUERYSETA lpqsRegInfo,
				       WSAESETSERVICEOP essoperation,
				       DWORD dwControlFlags)
{
	return set_service(lpqsRegInfo, essoperation, dwControlFlags, false);
}

WSOCK_EXPORT INT WSAAPI WSASetServiceW(LPWSAQUERYSETW lpqsRegInfo,
				       WSAESETSERVICEOP essoperation,
				       DWORD dwControlFlags)
{
	return set_service((LPWSAQUERYSETA)lpqsRegInfo, essoperation,
			   dwControlFlags, true);
}

/* ---- SetAddrInfoEx ---- */

/* SVCID_HOSTNAME: what has addresses under a name is of this class. */
static const GUID host_class = { 0x2a800, 0, 0, { 0xc0, 0, 0, 0, 0, 0, 0, 0x46 } };

/* 0 or the error. */
static int set_host(const void *name, const void *service,
		    const SOCKET_ADDRESS *addresses, DWORD n, const BLOB *blob,
		    DWORD flags, DWORD name_space, bool wide)
{
	struct service s = { .class = host_class };
	CSADDR_INFO info = { 0 };
	DWORD i;
	int err;

	if (name_space != NS_ALL)
		return WSASERVICE_NOT_FOUND;
	if (service || blob)
		return WSAEOPNOTSUPP;
	if (flags || !copy_string(s.name, sizeof(s.name), name, wide) || !*s.name)
		return WSAEINVAL;
	if (!n)
		return delete_service(&s);
	for (i = 0; i < n; i++) {
		if (!addresses)
			return WSAEINVAL;
		info.LocalAddr = addresses[i];
		if (!copy_address(&s, &info))
			return WSAEINVAL;
	}
	err = write_service(&s);
	return err ? file_error(err) : 0;
}

static INT set_addresses(const void *name, const void *service,
			 const SOCKET_ADDRESS *addresses, DWORD n, const BLOB *blob,
			 DWORD flags, DWORD name_space, bool reserved, bool wide)
{
	struct wsock_call call;
	int error;

	if (!wsock_call_enter(&call, INVALID_SOCKET))
		return wsock_error_get();
	error = reserved ? WSAEINVAL :
			   set_host(name, service, addresses, n, blob, flags,
				    name_space, wide);
	wsock_error_set(error);
	return error;
}

WSOCK_EXPORT INT WSAAPI
SetAddrInfoExA(PCSTR pName, PCSTR pServiceName, SOCKET_ADDRESS *pAddresses,
	       DWORD dwAddressCount, LPBLOB lpBlob, DWORD dwFlags,
	       DWORD dwNameSpace, LPGUID lpNspId, struct timeval *timeout,
	       LPOVERLAPPED lpOverlapped,
	       LPLOOKUPSERVICE_COMPLETION_ROUTINE lpCompletionRoutine,
	       LPHANDLE lpNameHandle)
{
	(void)lpNspId;
	return set_addresses(pName, pServiceName, pAddresses, dwAddressCount, lpBlob,
			     dwFlags, dwNameSpace,
			     timeout || lpOverlapped || lpCompletionRoutine ||
				     lpNameHandle, false);
}

WSOCK_EXPORT INT WSAAPI
SetAddrInfoExW(PCWSTR pName, PCWSTR pServiceName, SOCKET_ADDRESS *pAddresses,
	       DWORD dwAddressCount, LPBLOB lpBlob, DWORD dwFlags,
	       DWORD dwNameSpace, LPGUID lpNspId, struct timeval *timeout,
	       LPOVERLAPPED lpOverlapped,
	       LPLOOKUPSERVICE_COMPLETION_ROUTINE lpCompletionRoutine,
	       LPHANDLE lpNameHandle)
{
	(void)lpNspId;
	return set_addresses(pName, pServiceName, pAddresses, dwAddressCount, lpBlob,
			     dwFlags, dwNameSpace,
			     timeout || lpOverlapped || lpCompletionRoutine ||
				     lpNameHandle, true);
}

bool wsock_namespace_find_host(const char *name, struct wsock_host *host)
{
	char file[256], path[PATH_MAX];
	struct service s;
	DWORD i;

	file_name(&host_class, name, file, sizeof(file));
	/* Long names share the beginning of a file's. */
	if (!path_of(file, path) || !read_service(AT_FDCWD, path, &s) ||
	    strcasecmp(s.name, name) != 0)
		return true;
	for (i = 0; i < s.n; i++)
		if (!wsock_host_add(host, (const struct sockaddr *)&s.addresses[i].name))
			return false;
	return true;
}

/* ---- WSALookupService ---- */

static void free_search(struct search *search)
{
	free(search->found);
	free(search);
}

static bool matches(const struct service *wanted, const struct service *s)
{
	return !memcmp(&s->class, &wanted->class, sizeof(s->class)) &&
	       (!*wanted->name || !strcasecmp(s->name, wanted->name));
}

/* 0 or the error. */
static int find(struct search *search, const struct service *wanted)
{
	DIR *dir = opendir(names_dir());
	struct service s, *more;
	const struct dirent *entry;

	if (!dir)
		return file_error(errno);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is ours alone */
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.' ||
		    !read_service(dirfd(dir), entry->d_name, &s) ||
		    !matches(wanted, &s))
			continue;
		more = reallocarray(search->found, search->n + 1, sizeof(s));
		if (!more) {
			closedir(dir);
			return WSA_NOT_ENOUGH_MEMORY;
		}
		search->found = more;
		search->found[search->n++] = s;
	}
	closedir(dir);
	return search->n ? 0 : WSASERVICE_NOT_FOUND;
}

/* False when the final WSACleanup was faster. */
static bool publish(const struct wsock_call *call, struct search *search,
		    LPHANDLE handle)
{
	bool cancelled;

	pthread_mutex_lock(&search_lock);
	cancelled = wsock_call_cancelled(call);
	if (!cancelled) {
		search->handle = (HANDLE)++last_handle;
		LIST_INSERT_HEAD(&searches, search, node);
		*handle = search->handle;
	}
	pthread_mutex_unlock(&search_lock);
	return !cancelled;
}

static INT lookup_begin(const WSAQUERYSETA *q, LPHANDLE handle, bool wide)
{
	struct wsock_call call;
	struct service wanted;
	struct search *search;
	int error;

	if (!wsock_call_enter(&call, INVALID_SOCKET))
		return SOCKET_ERROR;
	if (!handle)
		return wsock_error_set(WSAEFAULT);
	error = import(&wanted, q, wide);
	if (error)
		return wsock_error_set(error);
	search = calloc(1, sizeof(*search));
	if (!search)
		return wsock_error_set(WSA_NOT_ENOUGH_MEMORY);
	error = find(search, &wanted);
	if (!error && !publish(&call, search, handle))
		error = WSAEINTR;
	if (!error)
		return 0;
	free_search(search);
	return wsock_error_set(error);
}

WSOCK_EXPORT INT WSAAPI WSALookupServiceBeginA(LPWSAQUERYSETA lpqsRestrictions,
					       DWORD dwControlFlags,
					       LPHANDLE lphLookup)
{
	(void)dwControlFlags;
	return lookup_begin(lpqsRestrictions, lphLookup, false);
}

WSOCK_EXPORT INT WSAAPI WSALookupServiceBeginW(LPWSAQUERYSETW lpqsRestrictions,
					       DWORD dwControlFlags,
					       LPHANDLE lphLookup)
{
	(void)dwControlFlags;
	return lookup_begin((LPWSAQUERYSETA)lpqsRestrictions, lphLookup, true);
}

/* Where the parts of a result go, which are aligned from the largest on. */
struct parts {
	char *at;
	bool wide;
};

static void *take(struct parts *p, size_t size)
{
	char *at = p->at;

	p->at += size;
	return at;
}

static size_t string_size(const char *text, bool wide)
{
	return wsock_text_put(text, wide, NULL, 0) *
	       (wide ? sizeof(WCHAR) : sizeof(CHAR));
}

static LPSTR take_string(struct parts *p, const char *text)
{
	size_t size = string_size(text, p->wide);
	void *at = take(p, size);

	/* There is room for all of it. */
	wsock_text_put(text, p->wide, at, size);
	return at;
}

static void take_addresses(struct parts *p, const struct service *s,
			   LPCSADDR_INFO infos)
{
	struct sockaddr_in6 *name;
	DWORD i;

	for (i = 0; i < s->n; i++) {
		name = take(p, sizeof(*name));
		*name = s->addresses[i].name;
		infos[i] = (CSADDR_INFO){
			.iSocketType = s->addresses[i].socktype,
			.iProtocol = s->addresses[i].protocol,
		};
		infos[i].LocalAddr.lpSockaddr = (LPSOCKADDR)name;
		infos[i].LocalAddr.iSockaddrLength =
			name->sin6_family == AF_INET6 ?
				sizeof(*name) : sizeof(struct sockaddr_in);
		infos[i].RemoteAddr = infos[i].LocalAddr;
	}
}

/* 0, or the size needed when it is more than @len. */
static size_t pack(const struct service *s, DWORD flags, LPWSAQUERYSETA to,
		   size_t len, bool wide)
{
	struct parts p = { .wide = wide };
	DWORD n = flags & LUP_RETURN_ADDR ? s->n : 0;
	size_t size = sizeof(*to) + sizeof(GUID) +
		      n * (sizeof(CSADDR_INFO) + sizeof(struct sockaddr_in6)) +
		      string_size(s->name, wide) +
		      string_size(s->comment, wide);

	if (!to || size > len)
		return size;
	p.at = (char *)(to + 1);
	memset(to, 0, sizeof(*to));
	to->dwSize = sizeof(*to);
	to->dwNameSpace = NS_ALL;
	if (n) {
		to->dwNumberOfCsAddrs = n;
		to->lpcsaBuffer = take(&p, n * sizeof(CSADDR_INFO));
		take_addresses(&p, s, to->lpcsaBuffer);
	}
	if (flags & LUP_RETURN_TYPE) {
		to->lpServiceClassId = take(&p, sizeof(GUID));
		*to->lpServiceClassId = s->class;
	}
	if (flags & LUP_RETURN_NAME)
		to->lpszServiceInstanceName = take_string(&p, s->name);
	if (flags & LUP_RETURN_COMMENT)
		to->lpszComment = take_string(&p, s->comment);
	return 0;
}

/* Under the lock. */
static struct search *find_search(HANDLE handle)
{
	struct search *search;

	LIST_FOREACH(search, &searches, node)
		if (search->handle == handle)
			return search;
	return NULL;
}

/* 0 or the error. Under the lock. */
static int next(HANDLE handle, DWORD flags, LPDWORD len, LPWSAQUERYSETA to,
		bool wide)
{
	struct search *search = find_search(handle);
	size_t needed;

	if (!search)
		return WSA_INVALID_HANDLE;
	if (search->next == search->n)
		return WSA_E_NO_MORE;
	needed = pack(&search->found[search->next], flags, to, *len, wide);
	if (needed) {
		*len = (DWORD)needed;
		return WSAEFAULT;
	}
	search->next++;
	return 0;
}

static INT lookup_next(HANDLE handle, DWORD flags, LPDWORD len,
		       LPWSAQUERYSETA to, bool wide)
{
	struct wsock_call call;
	int error;

	if (!wsock_call_enter(&call, INVALID_SOCKET))
		return SOCKET_ERROR;
	if (!len)
		return wsock_error_set(WSAEFAULT);
	pthread_mutex_lock(&search_lock);
	error = next(handle, flags, len, to, wide);
	pthread_mutex_unlock(&search_lock);
	return error ? wsock_error_set(error) : 0;
}

WSOCK_EXPORT INT WSAAPI WSALookupServiceNextA(HANDLE hLookup,
					      DWORD dwControlFlags,
					      LPDWORD lpdwBufferLength,
					      LPWSAQUERYSETA lpqsResults)
{
	return lookup_next(hLookup, dwControlFlags, lpdwBufferLength,
			   lpqsResults, false);
}

WSOCK_EXPORT INT WSAAPI WSALookupServiceNextW(HANDLE hLookup,
					      DWORD dwControlFlags,
					      LPDWORD lpdwBufferLength,
					      LPWSAQUERYSETW lpqsResults)
{
	return lookup_next(hLookup, dwControlFlags, lpdwBufferLength,
			   (LPWSAQUERYSETA)lpqsResults, true);
}

WSOCK_EXPORT INT WSAAPI WSALookupServiceEnd(HANDLE hLookup)
{
	struct wsock_call call;
	struct search *search;

	if (!wsock_call_enter(&call, INVALID_SOCKET))
		return SOCKET_ERROR;
	pthread_mutex_lock(&search_lock);
	search = find_search(hLookup);
	if (search)
		LIST_REMOVE(search, node);
	pthread_mutex_unlock(&search_lock);
	if (!search)
		return wsock_error_set(WSA_INVALID_HANDLE);
	free_search(search);
	return 0;
}

void wsock_namespace_end_all(void)
{
	struct search *search;

	pthread_mutex_lock(&search_lock);
	while ((search = LIST_FIRST(&searches))) {
		LIST_REMOVE(search, node);
		free_search(search);
	}
	pthread_mutex_unlock(&search_lock);
}

void wsock_namespace_forget(void)
{
	pthread_mutex_init(&search_lock, NULL);
	LIST_INIT(&searches);
}
