// SPDX-License-Identifier: GPL-2.0
/*
 * Services by name: they are registered until somebody deletes them, whatever becomes
 * of the process (C39, C40, F.7).
 */
#include <sys/stat.h>

#include "winsock.h"
#include "kselftest_harness.h"

#define DIR_NAME "/var/lib/wsock/names"

static GUID class = { 0x12345678, 0x9abc, 0xdef0, { 1, 2, 3, 4, 5, 6, 7, 8 } };
static GUID other_class = { 0x12345678, 0x9abc, 0xdef0, { 1, 2, 3, 4, 5, 6, 7, 9 } };

FIXTURE(namespace)
{
	int unused;
};

FIXTURE_SETUP(namespace)
{
	ASSERT_EQ(system("rm -rf " DIR_NAME "; mkdir -p " DIR_NAME), 0);
	ASSERT_EQ(startup(), 0);
}

FIXTURE_TEARDOWN_PARENT(namespace)
{
	EXPECT_TRUE(counters_zero());
}

static WSAQUERYSETA query(const char *name)
{
	return (WSAQUERYSETA){
		.dwSize = sizeof(WSAQUERYSETA),
		.lpszServiceInstanceName = (char *)name,
		.lpServiceClassId = &class,
		.dwNameSpace = NS_ALL,
	};
}

static int set(const char *name, WSAESETSERVICEOP operation)
{
	struct sockaddr_in sin = loopback(4711);
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_port = htons(12),
				     .sin6_addr = in6addr_loopback };
	CSADDR_INFO infos[2] = {
		{ .LocalAddr = { sa(&sin), sizeof(sin) }, .iSocketType = SOCK_STREAM,
		  .iProtocol = IPPROTO_TCP },
		{ .LocalAddr = { (void *)&sin6, sizeof(sin6) }, .iSocketType = SOCK_DGRAM,
		  .iProtocol = IPPROTO_UDP },
	};
	WSAQUERYSETA q = query(name);

	q.lpszComment = "with a comment";
	q.lpcsaBuffer = infos;
	q.dwNumberOfCsAddrs = 2;
	return WSASetServiceA(&q, operation, 0) ? WSAGetLastError() : 0;
}

/* 0 with all of the only instance of that name, or the error. */
static int get(const char *name, WSAQUERYSETA *result, DWORD len)
{
	WSAQUERYSETA q = query(name);
	HANDLE lookup;
	int error = 0;

	if (WSALookupServiceBeginA(&q, LUP_RETURN_ALL, &lookup))
		return WSAGetLastError();
	if (WSALookupServiceNextA(lookup, LUP_RETURN_ALL, &len, result))
		error = WSAGetLastError();
	if (!error && (!WSALookupServiceNextA(lookup, 0, &len, result) ||
		       WSAGetLastError() != WSA_E_NO_MORE))
		error = -1;
	return WSALookupServiceEnd(lookup) ? -2 : error;
}

static bool is_complete(const WSAQUERYSETA *q, const char *name)
{
	const struct sockaddr_in *in;
	const struct sockaddr_in6 *in6;

	if (q->dwSize != sizeof(*q) || strcmp(q->lpszServiceInstanceName, name) ||
	    memcmp(q->lpServiceClassId, &class, sizeof(class)) ||
	    strcmp(q->lpszComment, "with a comment") || q->dwNumberOfCsAddrs != 2)
		return false;
	in = (void *)q->lpcsaBuffer[0].LocalAddr.lpSockaddr;
	in6 = (void *)q->lpcsaBuffer[1].LocalAddr.lpSockaddr;
	return q->lpcsaBuffer[0].LocalAddr.iSockaddrLength == sizeof(*in) &&
	       q->lpcsaBuffer[0].iSocketType == SOCK_STREAM && in->sin_port == htons(4711) &&
	       in->sin_addr.s_addr == htonl(INADDR_LOOPBACK) &&
	       q->lpcsaBuffer[1].LocalAddr.iSockaddrLength == sizeof(*in6) &&
	       q->lpcsaBuffer[1].iProtocol == IPPROTO_UDP && in6->sin6_port == htons(12) &&
	       IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

union result {
	WSAQUERYSETA a;
	WSAQUERYSETW w;
	char room[2048];
};

TEST_F(namespace, C40__names_survive)
{
	union result r;
	pid_t pid;
	int pipe[2];

	/* One ends as it should, one by a signal. */
	ASSERT_EQ(pipe2(pipe, O_CLOEXEC), 0);
	pid = fork();
	if (!pid)
		_exit(startup() || set("clean", RNRSERVICE_REGISTER) || WSACleanup());
	EXPECT_EQ(child_status(pid), 0);
	pid = fork();
	if (!pid) {
		if (!startup() && !set("killed", RNRSERVICE_REGISTER) && tell(pipe[1]))
			pause();
		_exit(1);
	}
	ASSERT_TRUE(hear(pipe[0]));
	kill(pid, SIGKILL);
	EXPECT_EQ(child_status(pid), -1);
	EXPECT_EQ(get("clean", &r.a, sizeof(r)), 0);
	EXPECT_TRUE(is_complete(&r.a, "clean"));
	EXPECT_EQ(get("killed", &r.a, sizeof(r)), 0);
	EXPECT_TRUE(is_complete(&r.a, "killed"));
	/* Our own, through a final cleanup. */
	EXPECT_EQ(set("own", RNRSERVICE_REGISTER), 0);
	ASSERT_EQ(WSACleanup(), 0);
	EXPECT_EQ(get("own", &r.a, sizeof(r)), WSANOTINITIALISED);
	ASSERT_EQ(startup(), 0);
	EXPECT_EQ(get("own", &r.a, sizeof(r)), 0);
	EXPECT_TRUE(is_complete(&r.a, "own"));
	/* Only deleting ends it, by anybody. */
	EXPECT_EQ(set("own", RNRSERVICE_DELETE), 0);
	EXPECT_EQ(get("own", &r.a, sizeof(r)), WSASERVICE_NOT_FOUND);
	EXPECT_EQ(set("clean", RNRSERVICE_DEREGISTER), 0);
	EXPECT_EQ(get("clean", &r.a, sizeof(r)), WSASERVICE_NOT_FOUND);
	EXPECT_EQ(set("clean", RNRSERVICE_DELETE), WSASERVICE_NOT_FOUND);
	EXPECT_EQ(get("killed", &r.a, sizeof(r)), 0);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(namespace, F7__lookup)
{
	WSAQUERYSETA q = query(NULL);
	WSAQUERYSETW wq;
	WCHAR wide[] = u"Dr\u00fccker/\U0001f600";
	DWORD len, needed;
	HANDLE lookup, second;
	union result r;
	int seen = 0;

	EXPECT_EQ(set("one", RNRSERVICE_REGISTER), 0);
	EXPECT_EQ(set("two", RNRSERVICE_REGISTER), 0);
	EXPECT_EQ(set("../three", RNRSERVICE_REGISTER), 0);
	/* Again: it takes the place of the first. */
	EXPECT_EQ(set("ONE", RNRSERVICE_REGISTER), 0);
	q.lpServiceClassId = &other_class;
	q.lpszServiceInstanceName = "one";
	EXPECT_EQ(WSASetServiceA(&q, RNRSERVICE_REGISTER, 0), 0);

	q = query(NULL);
	ASSERT_EQ(WSALookupServiceBeginA(&q, LUP_RETURN_NAME, &lookup), 0);
	ASSERT_EQ(WSALookupServiceBeginA(&q, LUP_RETURN_NAME, &second), 0);
	EXPECT_NE(lookup, second);
	for (int i = 0; i < 3; i++) {
		len = sizeof(r);
		ASSERT_EQ(WSALookupServiceNextA(lookup, LUP_RETURN_NAME, &len, &r.a), 0);
		/* What was not asked for is not there. */
		EXPECT_EQ(r.a.lpszComment, NULL);
		EXPECT_EQ(r.a.lpServiceClassId, NULL);
		EXPECT_EQ(r.a.dwNumberOfCsAddrs, 0);
		seen |= !strcmp(r.a.lpszServiceInstanceName, "ONE") ? 1 :
			!strcmp(r.a.lpszServiceInstanceName, "two") ? 2 :
			!strcmp(r.a.lpszServiceInstanceName, "../three") ? 4 : 8;
	}
	EXPECT_EQ(seen, 7);
	EXPECT_EQ(WSALookupServiceNextA(lookup, 0, &len, &r.a), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSA_E_NO_MORE);
	EXPECT_EQ(WSALookupServiceEnd(lookup), 0);
	EXPECT_EQ(WSALookupServiceEnd(lookup), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSA_INVALID_HANDLE);
	EXPECT_EQ(WSALookupServiceNextA(lookup, 0, &len, &r.a), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSA_INVALID_HANDLE);

	/* UTF-16, with room that is just enough. */
	memset(&wq, 0, sizeof(wq));
	wq.dwSize = sizeof(wq);
	wq.lpszServiceInstanceName = wide;
	wq.lpszComment = wide;
	wq.lpServiceClassId = &class;
	EXPECT_EQ(WSASetServiceW(&wq, RNRSERVICE_REGISTER, 0), 0);
	ASSERT_EQ(WSALookupServiceBeginW(&wq, LUP_RETURN_ALL, &lookup), 0);
	len = 0;
	EXPECT_EQ(WSALookupServiceNextW(lookup, LUP_RETURN_ALL, &len, NULL), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAEFAULT);
	needed = len;
	len--;
	EXPECT_EQ(WSALookupServiceNextW(lookup, LUP_RETURN_ALL, &len, &r.w), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSAEFAULT);
	EXPECT_EQ(len, needed);
	memset(&r, POISON, sizeof(r));
	EXPECT_EQ(WSALookupServiceNextW(lookup, LUP_RETURN_ALL, &len, &r.w), 0);
	EXPECT_EQ(memcmp(r.w.lpszServiceInstanceName, wide, sizeof(wide)), 0);
	EXPECT_EQ(memcmp(r.w.lpszComment, wide, sizeof(wide)), 0);
	EXPECT_TRUE(all_poison(r.room + needed, sizeof(r) - needed));
	/* The final WSACleanup ends lookups. */
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(WSALookupServiceEnd(second), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED);
	ASSERT_EQ(startup(), 0);
	EXPECT_EQ(WSALookupServiceEnd(second), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSA_INVALID_HANDLE);
	EXPECT_EQ(WSACleanup(), 0);
}

static int begin(struct caller *c)
{
	WSAQUERYSETA q = query("name");

	return WSALookupServiceBeginA(&q, LUP_RETURN_ALL, c->arg);
}

/*
 * A lookup that has begun when the final cleanup comes, and is held up by a file that
 * is a pipe: it fails, and its handle is nothing to those that come afterwards.
 */
TEST_F(namespace, C19__cleanup_cuts_off_a_lookup)
{
	HANDLE lookup = (HANDLE)POISON_LONG;
	struct caller c = { .call = begin, .arg = &lookup };
	union result r;
	DWORD len = sizeof(r);

	ASSERT_EQ(set("name", RNRSERVICE_REGISTER), 0);
	ASSERT_EQ(mkfifo(DIR_NAME "/pipe", 0644), 0);
	ASSERT_TRUE(caller_start(&c));
	ASSERT_TRUE(caller_blocked(&c, SYS_openat));
	EXPECT_EQ(WSACleanup(), 0);
	/* It is still there: a cleanup does not wait for files. */
	EXPECT_FALSE(caller_done(&c));
	close(open(DIR_NAME "/pipe", O_WRONLY | O_CLOEXEC));
	ASSERT_TRUE(caller_join(&c));
	EXPECT_EQ(c.result, SOCKET_ERROR);
	EXPECT_EQ(c.error, WSAEINTR);
	EXPECT_EQ(lookup, (HANDLE)POISON_LONG);
	EXPECT_EQ(c.next_error, WSANOTINITIALISED);
	ASSERT_EQ(startup(), 0);
	EXPECT_EQ(WSALookupServiceNextA(lookup, 0, &len, &r.a), SOCKET_ERROR);
	EXPECT_EQ(WSAGetLastError(), WSA_INVALID_HANDLE);
	EXPECT_EQ(unlink(DIR_NAME "/pipe"), 0);
	EXPECT_EQ(get("name", &r.a, sizeof(r)), 0);
	EXPECT_EQ(WSACleanup(), 0);
}

static int set_as_is(WSAQUERYSETA q)
{
	return WSASetServiceA(&q, RNRSERVICE_REGISTER, 0) ? WSAGetLastError() : 0;
}

TEST_F(namespace, F7__bad)
{
	CSADDR_INFO infos[17] = {};
	struct sockaddr_in sin = loopback(1);
	WSAQUERYSETA q = query("name");
	union result r;
	char longest[65];
	pid_t pid;
	int fd;

	memset(longest, 'n', 64);
	longest[64] = 0;
	EXPECT_EQ(set_as_is(query(longest)), WSAEINVAL);
	longest[63] = 0;
	EXPECT_EQ(set_as_is(query(longest)), 0);
	EXPECT_EQ(set_as_is(query(NULL)), WSAEINVAL);
	EXPECT_EQ(set_as_is(query("")), WSAEINVAL);
	EXPECT_EQ(set_as_is(query("two\nlines")), WSAEINVAL);
	q.dwSize--;
	EXPECT_EQ(set_as_is(q), WSAEINVAL);
	q = query("name");
	q.lpServiceClassId = NULL;
	EXPECT_EQ(set_as_is(q), WSAEINVAL);
	q = query("name");
	q.dwNameSpace = NS_DNS;
	EXPECT_EQ(set_as_is(q), WSASERVICE_NOT_FOUND);
	for (int i = 0; i < 17; i++)
		infos[i].LocalAddr = (SOCKET_ADDRESS){ sa(&sin), sizeof(sin) };
	q = query("name");
	q.lpcsaBuffer = infos;
	q.dwNumberOfCsAddrs = 17;
	EXPECT_EQ(set_as_is(q), WSAEINVAL);
	q.dwNumberOfCsAddrs = 16;
	EXPECT_EQ(set_as_is(q), 0);
	q.lpcsaBuffer = NULL;
	EXPECT_EQ(set_as_is(q), WSAEINVAL);
	EXPECT_EQ(set("name", 7), WSAEINVAL);
	/* A file that is none of ours, and an attempt that was cut short. */
	fd = open(DIR_NAME "/strange", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	EXPECT_EQ(write(fd, "hello\n", 6), 6);
	close(fd);
	close(open(DIR_NAME "/empty", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	q = query(NULL);
	EXPECT_EQ(get("name", &r.a, sizeof(r)), 0);
	EXPECT_EQ(r.a.dwNumberOfCsAddrs, 16);
	EXPECT_EQ(get("strange", &r.a, sizeof(r)), WSASERVICE_NOT_FOUND);
	EXPECT_EQ(WSACleanup(), 0);

	/* Who may not write there may read. */
	pid = fork();
	if (!pid) {
		bool ok = !startup() && !setresgid(65534, 65534, 65534) &&
			  !setresuid(65534, 65534, 65534) &&
			  set("theirs", RNRSERVICE_REGISTER) == WSAEACCES &&
			  set("name", RNRSERVICE_DELETE) == WSAEACCES &&
			  !get("name", &r.a, sizeof(r));

		_exit(ok ? 0 : 1);
	}
	EXPECT_EQ(child_status(pid), 0);
}

/* ---- Addresses by name ---- */

static int set_host(const char *name, SOCKET_ADDRESS *addresses, DWORD n)
{
	return SetAddrInfoExA(name, NULL, addresses, n, NULL, 0, NS_ALL, NULL, NULL, NULL,
			      NULL, NULL);
}

/* The address that is found for IPv4, port 80 of it, in network order; or the error. */
static int get_host(const char *name, DWORD name_space, uint32_t *address)
{
	ADDRINFOEXA hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *list;
	struct sockaddr_in *in;
	int error;

	error = GetAddrInfoExA(name, "80", name_space, NULL, &hints, &list, NULL, NULL, NULL,
			       NULL);
	if (error)
		return error;
	in = (void *)list->ai_addr;
	*address = list->ai_next || in->sin_port != htons(80) ? 0 : in->sin_addr.s_addr;
	FreeAddrInfoEx(list);
	return 0;
}

TEST_F(namespace, C40__addresses_stay)
{
	struct sockaddr_in sin = loopback(0);
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
	SOCKET_ADDRESS addresses[2] = { { sa(&sin), sizeof(sin) },
					{ (void *)&sin6, sizeof(sin6) } };
	uint32_t address = 0;
	pid_t pid;

	pid = fork();
	if (!pid) {
		if (startup() || set_host("Host.Example", addresses, 2))
			_exit(1);
		raise(SIGKILL);
	}
	EXPECT_EQ(child_status(pid), -1);
	EXPECT_EQ(WSACleanup(), 0);
	ASSERT_EQ(startup(), 0);
	EXPECT_EQ(get_host("host.example", NS_ALL, &address), 0);
	EXPECT_EQ(address, htonl(INADDR_LOOPBACK));
	/* Others take its place. */
	sin.sin_addr.s_addr = htonl(0x0a000001);
	EXPECT_EQ(SetAddrInfoExW(u"HOST.example", NULL, addresses, 1, NULL, 0, NS_ALL, NULL,
				 NULL, NULL, NULL, NULL), 0);
	EXPECT_EQ(get_host("host.example", NS_ALL, &address), 0);
	EXPECT_EQ(address, htonl(0x0a000001));
	/* Until they are taken back; nobody else knows them. */
	EXPECT_NE(get_host("host.example", NS_DNS, &address), 0);
	EXPECT_EQ(set_host("host.example", NULL, 0), 0);
	EXPECT_NE(get_host("host.example", NS_ALL, &address), 0);
	EXPECT_EQ(set_host("host.example", NULL, 0), WSASERVICE_NOT_FOUND);
	EXPECT_EQ(WSACleanup(), 0);
}

/* An event is signalled, as for other names. */
TEST_F(namespace, F6__addresses_later)
{
	struct sockaddr_in sin = loopback(0);
	SOCKET_ADDRESS address = { sa(&sin), sizeof(sin) };
	OVERLAPPED ov = { .hEvent = WSACreateEvent() };
	ADDRINFOEXW *list = NULL;

	ASSERT_EQ(set_host("later", &address, 1), 0);
	EXPECT_EQ(GetAddrInfoExW(u"later", NULL, NS_ALL, NULL, NULL, &list, NULL, &ov, NULL,
				 NULL), WSA_IO_PENDING);
	EXPECT_EQ(WSAWaitForMultipleEvents(1, &ov.hEvent, TRUE, TIMEOUT_MS, FALSE),
		  WSA_WAIT_EVENT_0);
	EXPECT_EQ(GetAddrInfoExOverlappedResult(&ov), 0);
	ASSERT_NE(list, NULL);
	EXPECT_EQ(list->ai_family, AF_INET);
	FreeAddrInfoExW(list);
	WSACloseEvent(ov.hEvent);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(namespace, F6__addresses_bad_input)
{
	struct sockaddr_in sin = loopback(0);
	SOCKET_ADDRESS addresses[17], bad = { sa(&sin), 4 };
	struct timeval timeout = { 1 };
	OVERLAPPED ov = { 0 };
	BLOB blob = { 0 };

	for (int i = 0; i < 17; i++)
		addresses[i] = (SOCKET_ADDRESS){ sa(&sin), sizeof(sin) };
	EXPECT_EQ(set_host(NULL, addresses, 1), WSAEINVAL);
	EXPECT_EQ(set_host("", addresses, 1), WSAEINVAL);
	EXPECT_EQ(set_host("two\nlines", addresses, 1), WSAEINVAL);
	EXPECT_EQ(set_host("name", NULL, 1), WSAEINVAL);
	EXPECT_EQ(set_host("name", &bad, 1), WSAEINVAL);
	EXPECT_EQ(set_host("name", addresses, 17), WSAEINVAL);
	EXPECT_EQ(GetLastError(), WSAEINVAL);
#define SET(service, blob, flags, space, ...) \
	SetAddrInfoExA("name", service, addresses, 1, blob, flags, space, NULL, __VA_ARGS__)
	EXPECT_EQ(SET("80", NULL, 0, NS_ALL, NULL, NULL, NULL, NULL), WSAEOPNOTSUPP);
	EXPECT_EQ(SET(NULL, &blob, 0, NS_ALL, NULL, NULL, NULL, NULL), WSAEOPNOTSUPP);
	EXPECT_EQ(SET(NULL, NULL, 1, NS_ALL, NULL, NULL, NULL, NULL), WSAEINVAL);
	EXPECT_EQ(SET(NULL, NULL, 0, NS_DNS, NULL, NULL, NULL, NULL), WSASERVICE_NOT_FOUND);
	EXPECT_EQ(SET(NULL, NULL, 0, NS_ALL, &timeout, NULL, NULL, NULL), WSAEINVAL);
	EXPECT_EQ(SET(NULL, NULL, 0, NS_ALL, NULL, &ov, NULL, NULL), WSAEINVAL);
	EXPECT_EQ(set_host("name", NULL, 0), WSASERVICE_NOT_FOUND);
	EXPECT_EQ(set_host("name", addresses, 16), 0);
	EXPECT_EQ(GetLastError(), 0);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_HARNESS_MAIN
