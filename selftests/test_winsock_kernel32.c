// SPDX-License-Identifier: GPL-2.0
/*
 * The companions of Winsock in kernel32/: threads and their handles, locks, memory,
 * clocks, texts, files, and functions by name.
 */
#include "winsock.h"

#include <mmsystem.h>
#include <process.h>
#include <sched.h>
#include <wincrypt.h>
#include <windows.h>
#include <sys/resource.h>

#include "kselftest_harness.h"

WINSOCK_FIXTURE(kernel32);

/* ---- Threads ---- */

/* A thread, and what to do in it. */
struct child {
	HANDLE event;		/* waited for first, unless NULL */
	DWORD id;		/* its own */
	SOCKET s;
	struct operation *op;
	int apcs;
};

static void count_apc(ULONG_PTR arg)
{
	((struct child *)arg)->apcs++;
}

static DWORD WINAPI child_main(LPVOID arg)
{
	struct child *c = arg;

	if (c->event)
		WaitForSingleObject(c->event, INFINITE);
	c->id = GetCurrentThreadId();
	return 7;
}

static DWORD WINAPI exiting_main(LPVOID arg)
{
	ExitThread(9);
	return 1;
}

static DWORD WINAPI alertable_main(LPVOID arg)
{
	return SleepEx(TIMEOUT_MS, TRUE);
}

static DWORD WINAPI receiving_main(LPVOID arg)
{
	struct child *c = arg;

	return start_recv(c->s, c->op, NULL, 1);
}

static unsigned int __stdcall crt_main(void *arg)
{
	_endthreadex(11);
	return 1;
}

static bool ended(HANDLE thread)
{
	return WaitForSingleObject(thread, TIMEOUT_MS) == WAIT_OBJECT_0;
}

/* ~0 when there is none to be had. */
static DWORD exit_code(HANDLE thread)
{
	DWORD code;

	return GetExitCodeThread(thread, &code) ? code : ~0u;
}

TEST_F(kernel32, thread__exit_code_and_id)
{
	struct child c = { .event = CreateEvent(NULL, TRUE, FALSE, NULL) };
	HANDLE thread;
	DWORD id;

	thread = CreateThread(NULL, 0, child_main, &c, 0, &id);
	ASSERT_NE(thread, NULL);
	EXPECT_EQ(exit_code(thread), STILL_ACTIVE);
	EXPECT_EQ(WaitForSingleObject(thread, 0), WAIT_TIMEOUT);
	EXPECT_EQ(GetThreadId(thread), id);
	EXPECT_NE(id, GetCurrentThreadId());
	SetEvent(c.event);
	EXPECT_TRUE(ended(thread));
	EXPECT_TRUE(ended(thread));
	EXPECT_EQ(exit_code(thread), 7);
	EXPECT_EQ(c.id, id);
	EXPECT_TRUE(CloseHandle(thread));
	EXPECT_FALSE(CloseHandle(thread));
	EXPECT_EQ(exit_code(thread), ~0u);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_HANDLE);
	thread = CreateThread(NULL, 0, exiting_main, NULL, 0, NULL);
	EXPECT_TRUE(ended(thread));
	EXPECT_EQ(exit_code(thread), 9);
	CloseHandle(thread);
	thread = (HANDLE)_beginthreadex(NULL, 0, crt_main, NULL, 0, &id);
	EXPECT_TRUE(ended(thread));
	EXPECT_EQ(exit_code(thread), 11);
	CloseHandle(thread);
}

static void begun_main(void *arg)
{
	struct child *c = arg;

	if (c->event)
		WaitForSingleObject(c->event, INFINITE);
	__atomic_add_fetch(&c->apcs, 1, __ATOMIC_SEQ_CST);
}

static void begun_ending_main(void *arg)
{
	begun_main(arg);
	_endthread();
}

/* Its handle is its own, however soon it ends; the descriptors come back. */
TEST_F(kernel32, thread__that_closes_its_handle)
{
	struct child c = { .event = CreateEvent(NULL, TRUE, FALSE, NULL) };
	int device = wsock_device_fd(), before = fd_count();
	HANDLE thread;

	ASSERT_GE(device, 0);
	thread = (HANDLE)_beginthread(begun_main, 0, &c);
	ASSERT_NE(thread, (HANDLE)-1);
	EXPECT_EQ(WaitForSingleObject(thread, 0), WAIT_TIMEOUT);
	EXPECT_EQ(exit_code(thread), STILL_ACTIVE);
	SetEvent(c.event);
	EXPECT_TRUE(wait_for(fd_count() == before));
	EXPECT_EQ(WaitForSingleObject(thread, 0), WAIT_FAILED);
	for (int i = 0; i < 100; i++)
		EXPECT_NE(_beginthread(i & 1 ? begun_main : begun_ending_main, 0, &c), -1);
	EXPECT_TRUE(wait_for(__atomic_load_n(&c.apcs, __ATOMIC_SEQ_CST) == 101));
	EXPECT_TRUE(wait_for(fd_count() == before));
	errno = 0;
	EXPECT_EQ(_beginthread(NULL, 0, NULL), -1);
	EXPECT_EQ(errno, EINVAL);
	CloseHandle(c.event);
}

static void *native_main(void *arg)
{
	ExitThread(0);
	return arg;
}

/* A thread that others have made ends as pthread_exit() ends it. */
TEST_F(kernel32, thread__of_others_exits)
{
	void *result = self;
	pthread_t thread;

	ASSERT_EQ(pthread_create(&thread, NULL, native_main, self), 0);
	EXPECT_EQ(pthread_join(thread, &result), 0);
	EXPECT_EQ(result, NULL);
}

TEST_F(kernel32, thread__suspended)
{
	struct child c = { };
	HANDLE thread = CreateThread(NULL, 0, child_main, &c, CREATE_SUSPENDED, NULL);

	ASSERT_NE(thread, NULL);
	EXPECT_EQ(WaitForSingleObject(thread, QUIET_MS), WAIT_TIMEOUT);
	EXPECT_EQ(c.id, 0);
	EXPECT_EQ(ResumeThread(thread), 1);
	EXPECT_EQ(ResumeThread(thread), 0);
	EXPECT_TRUE(ended(thread));
	EXPECT_NE(c.id, 0);
	CloseHandle(thread);
}

TEST_F(kernel32, thread__handles_share_it)
{
	HANDLE us = GetCurrentProcess(), first, second;
	struct child c = { };

	first = CreateThread(NULL, 0, child_main, &c, CREATE_SUSPENDED, NULL);
	ASSERT_TRUE(DuplicateHandle(us, first, us, &second, 0, FALSE, DUPLICATE_SAME_ACCESS));
	EXPECT_TRUE(CloseHandle(first));
	EXPECT_EQ(exit_code(second), STILL_ACTIVE);
	EXPECT_EQ(ResumeThread(second), 1);
	EXPECT_TRUE(ended(second));
	EXPECT_TRUE(DuplicateHandle(us, second, us, &first, 0, FALSE,
				    DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE));
	EXPECT_EQ(exit_code(first), 7);
	EXPECT_FALSE(CloseHandle(second));
	EXPECT_TRUE(CloseHandle(first));
}

/* The queue is there before the thread runs. */
TEST_F(kernel32, thread__apc_before_it_runs)
{
	struct child c = { };
	HANDLE thread = CreateThread(NULL, 0, alertable_main, &c, CREATE_SUSPENDED, NULL);

	ASSERT_NE(QueueUserAPC(count_apc, thread, (ULONG_PTR)&c), 0);
	EXPECT_EQ(ResumeThread(thread), 1);
	EXPECT_TRUE(ended(thread));
	EXPECT_EQ(exit_code(thread), WAIT_IO_COMPLETION);
	EXPECT_EQ(c.apcs, 1);
	EXPECT_EQ(QueueUserAPC(count_apc, thread, (ULONG_PTR)&c), 0);
	EXPECT_EQ(GetLastError(), ERROR_GEN_FAILURE);
	CloseHandle(thread);
}

/* What it left pending has ended before its handle is signalled. */
TEST_F(kernel32, thread__its_operations_end_first)
{
	struct operation op;
	struct child c = { .op = &op };
	HANDLE thread;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&c.s, &peer), 0);
	for (int i = 0; i < 50; i++) {
		thread = CreateThread(NULL, 0, receiving_main, &c, 0, NULL);
		ASSERT_TRUE(ended(thread));
		EXPECT_EQ(exit_code(thread), WSA_IO_PENDING);
		EXPECT_EQ(status(&op), STATUS_CANCELLED);
		CloseHandle(thread);
	}
	EXPECT_EQ(WSACleanup(), 0);
	close(peer);
}

TEST_F(kernel32, thread__waited_for_with_others)
{
	HANDLE event = CreateEvent(NULL, FALSE, FALSE, NULL), objects[3];
	struct child c = { .event = event };
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_DGRAM);
	objects[0] = CreateEvent(NULL, FALSE, FALSE, NULL);
	objects[1] = CreateThread(NULL, 0, child_main, &c, 0, NULL);
	objects[2] = (HANDLE)s;
	EXPECT_EQ(WaitForMultipleObjects(2, objects, FALSE, 0), WAIT_TIMEOUT);
	SetEvent(event);
	EXPECT_EQ(WaitForMultipleObjects(2, objects, FALSE, TIMEOUT_MS), WAIT_OBJECT_0 + 1);
	EXPECT_EQ(WaitForMultipleObjects(2, objects, TRUE, 0), WAIT_TIMEOUT);
	SetEvent(objects[0]);
	EXPECT_EQ(WaitForMultipleObjects(2, objects, TRUE, 0), WAIT_OBJECT_0);
	EXPECT_EQ(WaitForSingleObject(objects[0], 0), WAIT_TIMEOUT);
	/* The socket is signalled at first: the lowest of the objects is meant. */
	EXPECT_EQ(WaitForMultipleObjects(3, objects, FALSE, 0), WAIT_OBJECT_0 + 1);
	EXPECT_EQ(WSACleanup(), 0);
}

TEST_F(kernel32, thread__errors_and_leaks)
{
	struct child c = { };
	HANDLE event = CreateEvent(NULL, TRUE, FALSE, NULL), thread;
	int fds;

	EXPECT_EQ(CreateThread(NULL, 0, NULL, NULL, 0, NULL), NULL);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	EXPECT_EQ(CreateThread(NULL, 0, child_main, &c, 0x2, NULL), NULL);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	EXPECT_EQ(exit_code(event), ~0u);
	EXPECT_EQ(ResumeThread(event), (DWORD)-1);
	EXPECT_EQ(exit_code(GetCurrentThread()), STILL_ACTIVE);
	EXPECT_EQ(GetThreadId(GetCurrentThread()), gettid());
	EXPECT_TRUE(SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_LOWEST));
	EXPECT_EQ(getpriority(PRIO_PROCESS, gettid()), 10);
	/* The device stays open. */
	EXPECT_TRUE(CloseHandle(CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0)));
	fds = fd_count();
	for (int i = 0; i < 100; i++) {
		thread = CreateThread(NULL, 1 << 20, child_main, &c, 0, NULL);
		ASSERT_TRUE(ended(thread));
		CloseHandle(thread);
	}
	/* The last one's own descriptor goes as it ends. */
	EXPECT_TRUE(wait_for(fd_count() == fds));
}

/* ---- Locks ---- */

#define NR_THREADS 4
#define TURNS 5000

static CRITICAL_SECTION section;
static SRWLOCK slim = SRWLOCK_INIT;
static CONDITION_VARIABLE changed = CONDITION_VARIABLE_INIT;
static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
static volatile LONG count, sharing, most, turn;

static bool run_all(LPTHREAD_START_ROUTINE routine)
{
	HANDLE threads[NR_THREADS];
	bool good;

	for (intptr_t i = 0; i < NR_THREADS; i++)
		threads[i] = CreateThread(NULL, 0, routine, (void *)i, 0, NULL);
	good = WaitForMultipleObjects(NR_THREADS, threads, TRUE, TIMEOUT_MS) == WAIT_OBJECT_0;
	for (int i = 0; i < NR_THREADS; i++)
		CloseHandle(threads[i]);
	return good;
}

static DWORD WINAPI try_main(LPVOID arg)
{
	return TryEnterCriticalSection(&section);
}

static DWORD WINAPI section_main(LPVOID arg)
{
	for (int i = 0; i < TURNS; i++) {
		EnterCriticalSection(&section);
		count = count + 1;
		LeaveCriticalSection(&section);
	}
	return 0;
}

TEST_F(kernel32, section__excludes_others_only)
{
	HANDLE thread;

	InitializeCriticalSection(&section);
	EnterCriticalSection(&section);
	EXPECT_TRUE(TryEnterCriticalSection(&section));
	thread = CreateThread(NULL, 0, try_main, NULL, 0, NULL);
	EXPECT_TRUE(ended(thread));
	EXPECT_EQ(exit_code(thread), FALSE);
	LeaveCriticalSection(&section);
	LeaveCriticalSection(&section);
	count = 0;
	EXPECT_TRUE(run_all(section_main));
	EXPECT_EQ(count, NR_THREADS * TURNS);
	DeleteCriticalSection(&section);
}

static DWORD WINAPI slim_main(LPVOID arg)
{
	for (int i = 0; i < TURNS; i++) {
		if ((intptr_t)arg & 1) {
			AcquireSRWLockShared(&slim);
			InterlockedIncrement(&sharing);
			if (sharing > most)
				most = sharing;
			InterlockedDecrement(&sharing);
			ReleaseSRWLockShared(&slim);
		} else {
			AcquireSRWLockExclusive(&slim);
			if (sharing)
				most = 1000;
			count = count + 1;
			ReleaseSRWLockExclusive(&slim);
		}
	}
	return 0;
}

TEST_F(kernel32, slim__shared_and_exclusive)
{
	AcquireSRWLockShared(&slim);
	EXPECT_TRUE(TryAcquireSRWLockShared(&slim));
	EXPECT_FALSE(TryAcquireSRWLockExclusive(&slim));
	ReleaseSRWLockShared(&slim);
	EXPECT_FALSE(TryAcquireSRWLockExclusive(&slim));
	ReleaseSRWLockShared(&slim);
	EXPECT_TRUE(TryAcquireSRWLockExclusive(&slim));
	EXPECT_FALSE(TryAcquireSRWLockShared(&slim));
	ReleaseSRWLockExclusive(&slim);
	count = most = 0;
	EXPECT_TRUE(run_all(slim_main));
	EXPECT_EQ(count, NR_THREADS / 2 * TURNS);
	EXPECT_LE(most, NR_THREADS / 2);
}

/* Each takes its turn, many times. */
#define PASSES 300

static DWORD WINAPI passing_main(LPVOID arg)
{
	for (int i = 0; i < PASSES; i++) {
		AcquireSRWLockExclusive(&slim);
		while (turn % NR_THREADS != (intptr_t)arg)
			if (!SleepConditionVariableSRW(&changed, &slim, TIMEOUT_MS, 0))
				return 1;
		turn = turn + 1;
		ReleaseSRWLockExclusive(&slim);
		WakeAllConditionVariable(&changed);
	}
	return 0;
}

static DWORD WINAPI waiting_main(LPVOID arg)
{
	EnterCriticalSection(&section);
	count = count + 1;
	while (!turn)
		SleepConditionVariableCS(&changed, &section, INFINITE);
	turn = turn - 1;
	LeaveCriticalSection(&section);
	return 0;
}

TEST_F(kernel32, condition__wakes)
{
	HANDLE threads[NR_THREADS];
	double start;

	turn = 0;
	EXPECT_TRUE(run_all(passing_main));
	EXPECT_EQ(turn, PASSES * NR_THREADS);

	InitializeCriticalSectionAndSpinCount(&section, 100);
	count = turn = 0;
	for (int i = 0; i < NR_THREADS; i++)
		threads[i] = CreateThread(NULL, 0, waiting_main, NULL, 0, NULL);
	ASSERT_TRUE(wait_for(count == NR_THREADS));
	/* One wake-up for each, one after the other. */
	for (int i = 0; i < NR_THREADS; i++) {
		EnterCriticalSection(&section);
		turn = 1;
		LeaveCriticalSection(&section);
		WakeConditionVariable(&changed);
		ASSERT_TRUE(wait_for(!turn));
	}
	EXPECT_EQ(WaitForMultipleObjects(NR_THREADS, threads, TRUE, TIMEOUT_MS), WAIT_OBJECT_0);

	EnterCriticalSection(&section);
	start = now_ms();
	EXPECT_FALSE(SleepConditionVariableCS(&changed, &section, QUIET_MS));
	EXPECT_EQ(GetLastError(), ERROR_TIMEOUT);
	EXPECT_GE(now_ms() - start, QUIET_MS);
	EXPECT_FALSE(SleepConditionVariableCS(&changed, &section, 0));
	LeaveCriticalSection(&section);
}

static BOOL CALLBACK initialise(PINIT_ONCE o, PVOID parameter, PVOID *context)
{
	LONG n = InterlockedIncrement(&count);

	nap();
	*context = (PVOID)0x1230;
	/* The first attempt is a failure. */
	return n > 1;
}

static DWORD WINAPI once_main(LPVOID arg)
{
	PVOID context = NULL;

	while (!InitOnceExecuteOnce(&once, initialise, NULL, &context))
		InterlockedIncrement(&turn);
	if (context == (PVOID)0x1230)
		InterlockedIncrement(&sharing);
	return 0;
}

TEST_F(kernel32, once__until_it_succeeds)
{
	count = turn = sharing = 0;
	EXPECT_TRUE(run_all(once_main));
	EXPECT_EQ(count, 2);
	EXPECT_EQ(turn, 1);
	EXPECT_EQ(sharing, NR_THREADS);
}

static DWORD tls;

static DWORD WINAPI tls_main(LPVOID arg)
{
	if (TlsGetValue(tls) || GetLastError())
		return 1;
	if (!TlsSetValue(tls, arg))
		return 2;
	return TlsGetValue(tls) != arg;
}

TEST_F(kernel32, tls__a_value_for_each_thread)
{
	HANDLE thread;

	tls = TlsAlloc();
	ASSERT_NE(tls, TLS_OUT_OF_INDEXES);
	EXPECT_TRUE(TlsSetValue(tls, &tls));
	thread = CreateThread(NULL, 0, tls_main, &thread, 0, NULL);
	EXPECT_TRUE(ended(thread));
	EXPECT_EQ(exit_code(thread), 0);
	EXPECT_EQ(TlsGetValue(tls), &tls);
	EXPECT_TRUE(TlsFree(tls));
	EXPECT_FALSE(TlsFree(tls));
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	EXPECT_EQ(TlsGetValue(tls), NULL);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
}

TEST_F(kernel32, interlocked__what_they_return)
{
	LONG volatile n = 5;
	LONG64 volatile big = 1;
	PVOID volatile p = NULL;
	PVOID heap = GetProcessHeap();

	EXPECT_EQ(InterlockedIncrement(&n), 6);
	EXPECT_EQ(InterlockedDecrement(&n), 5);
	EXPECT_EQ(InterlockedExchange(&n, 8), 5);
	EXPECT_EQ(InterlockedExchangeAdd(&n, 2), 8);
	EXPECT_EQ(InterlockedAdd(&n, 2), 12);
	EXPECT_EQ(InterlockedAnd(&n, 4), 12);
	EXPECT_EQ(InterlockedOr(&n, 3), 4);
	EXPECT_EQ(InterlockedXor(&n, 1), 7);
	EXPECT_EQ(InterlockedCompareExchange(&n, 9, 1), 6);
	EXPECT_EQ(InterlockedCompareExchange(&n, 9, 6), 6);
	EXPECT_EQ(n, 9);
	EXPECT_EQ(InterlockedExchangeAdd64(&big, 1LL << 40), 1);
	EXPECT_EQ(InterlockedExchangePointer(&p, heap), NULL);
	EXPECT_EQ(InterlockedCompareExchangePointer(&p, NULL, heap), heap);
	EXPECT_EQ(p, NULL);
}

/* ---- Memory, clocks, texts ---- */

TEST_F(kernel32, heap__zeroes_and_grows)
{
	HANDLE heap = GetProcessHeap();
	char *p = HeapAlloc(heap, HEAP_ZERO_MEMORY, 100);

	ASSERT_NE(p, NULL);
	EXPECT_EQ(p[0] + p[99], 0);
	memset(p, 1, 100);
	p = HeapReAlloc(heap, HEAP_ZERO_MEMORY, p, 100000);
	ASSERT_NE(p, NULL);
	EXPECT_EQ(p[99], 1);
	EXPECT_EQ(p[99999], 0);
	EXPECT_TRUE(HeapFree(heap, 0, p));
	EXPECT_EQ(HeapAlloc(NULL, 0, 1), NULL);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_HANDLE);
	EXPECT_FALSE(HeapFree(NULL, 0, &heap));
	EXPECT_EQ(GetLastError(), ERROR_INVALID_HANDLE);
	EXPECT_EQ(HeapAlloc(heap, 0, (SIZE_T)-1 / 2), NULL);
	EXPECT_EQ(GetLastError(), ERROR_NOT_ENOUGH_MEMORY);
	p = VirtualAlloc(NULL, 10000, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
	ASSERT_NE(p, NULL);
	EXPECT_EQ(p[9999], 0);
	EXPECT_FALSE(VirtualFree(p, 10000, MEM_RELEASE));
	EXPECT_TRUE(VirtualFree(p, 0, MEM_RELEASE));
	EXPECT_EQ(VirtualAlloc(NULL, 1, MEM_RESERVE, PAGE_READWRITE), NULL);
	p = LocalAlloc(LPTR, 8);
	EXPECT_EQ(*p, 0);
	EXPECT_EQ(LocalFree(p), NULL);
	EXPECT_EQ(GlobalFree(GlobalAlloc(GPTR, 8)), NULL);
}

TEST_F(kernel32, time__clocks_agree)
{
	LARGE_INTEGER frequency, before, after;
	ULONGLONG start = GetTickCount64(), elapsed;
	SYSTEM_INFO info;
	SYSTEMTIME utc;
	FILETIME file;
	double ms;

	EXPECT_TRUE(QueryPerformanceFrequency(&frequency));
	EXPECT_TRUE(QueryPerformanceCounter(&before));
	Sleep(QUIET_MS);
	EXPECT_TRUE(QueryPerformanceCounter(&after));
	elapsed = GetTickCount64() - start;
	ms = (after.QuadPart - before.QuadPart) * 1e3 / frequency.QuadPart;
	EXPECT_GE(ms, QUIET_MS);
	EXPECT_GE(elapsed + 1, (ULONGLONG)ms);
	EXPECT_LE((DWORD)start, GetTickCount());
	EXPECT_EQ(timeBeginPeriod(1), TIMERR_NOERROR);
	EXPECT_LE((DWORD)start, timeGetTime());
	GetSystemTimeAsFileTime(&file);
	/* Seconds of Unix in ticks of 1601. */
	elapsed = ((ULONGLONG)file.dwHighDateTime << 32 | file.dwLowDateTime) / 10000000 -
		  11644473600ULL;
	EXPECT_LE(time(NULL) - (time_t)elapsed, 1);
	EXPECT_GE(time(NULL) - (time_t)elapsed, 0);
	GetSystemTime(&utc);
	EXPECT_GE(utc.wYear, 2020);
	GetSystemInfo(&info);
	EXPECT_EQ(info.dwNumberOfProcessors, sysconf(_SC_NPROCESSORS_ONLN));
	EXPECT_EQ(info.dwPageSize, 4096);
	EXPECT_EQ(GetCurrentProcessId(), getpid());
}

static DWORD message(DWORD error, char *text, DWORD size)
{
	return FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL,
			      error, 0, text, size, NULL);
}

TEST_F(kernel32, message__each_error_of_winsock)
{
	static const struct { int from, to; } ranges[] = {
		{ WSAEINTR, WSAEINTR }, { WSAEBADF, WSAEBADF }, { WSAEACCES, WSAEFAULT },
		{ WSAEINVAL, WSAEINVAL }, { WSAEMFILE, WSAEMFILE },
		{ WSAEWOULDBLOCK, WSAEREMOTE }, { WSASYSNOTREADY, WSANOTINITIALISED },
		{ WSAEDISCON, WSAEREFUSED }, { WSAHOST_NOT_FOUND, WSANO_DATA },
		{ WSA_OPERATION_ABORTED, WSA_IO_PENDING },
	};
	char text[128], *allocated;
	WCHAR wide[128];
	DWORD n;

	for (size_t r = 0; r < sizeof(ranges) / sizeof(ranges[0]); r++)
		for (int e = ranges[r].from; e <= ranges[r].to; e++) {
			n = message(e, text, sizeof(text));
			EXPECT_GT(n, 4)
				TH_LOG("%d", e);
			EXPECT_EQ(strlen(text), n);
			EXPECT_STREQ(text + n - 3, ".\r\n");
		}
	n = message(WSAEINTR, text, sizeof(text));
	EXPECT_EQ(message(WSAEINTR, text, n), 0);
	EXPECT_EQ(GetLastError(), ERROR_INSUFFICIENT_BUFFER);
	EXPECT_EQ(message(WSAEINTR, text, n + 1), n);
	EXPECT_EQ(message(54321, text, sizeof(text)), 0);
	EXPECT_EQ(GetLastError(), ERROR_MR_MID_NOT_FOUND);
	EXPECT_EQ(FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_ALLOCATE_BUFFER,
				 NULL, WSAEINTR, 0, (char *)&allocated, 0, NULL), n);
	EXPECT_STREQ(allocated, text);
	LocalFree(allocated);
	EXPECT_EQ(FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM, NULL, WSAEINTR, 0, wide, 128, NULL),
		  n);
	EXPECT_EQ(wide[0], text[0]);
	EXPECT_EQ(wide[n], 0);
	/* From other sources there is none, and nowhere to put one. */
	EXPECT_EQ(FormatMessageA(FORMAT_MESSAGE_IGNORE_INSERTS, NULL, WSAEINTR, 0, text,
				 sizeof(text), NULL), 0);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	EXPECT_EQ(message(WSAEINTR, NULL, sizeof(text)), 0);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	/* More than there is. */
	ASSERT_EQ(setrlimit(RLIMIT_AS, &(struct rlimit){ 1 << 30, 1 << 30 }), 0);
	EXPECT_EQ(FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_ALLOCATE_BUFFER,
				 NULL, WSAEINTR, 0, (char *)&allocated, 2u << 30, NULL), 0);
	EXPECT_EQ(GetLastError(), ERROR_NOT_ENOUGH_MEMORY);
}

TEST_F(kernel32, random__numbers)
{
	unsigned char a[32] = { }, b[32] = { };
	HCRYPTPROV provider;

	EXPECT_FALSE(CryptAcquireContextA(&provider, NULL, NULL, PROV_RSA_FULL, 0));
	ASSERT_TRUE(CryptAcquireContextA(&provider, NULL, NULL, PROV_RSA_FULL,
					 CRYPT_VERIFYCONTEXT));
	EXPECT_TRUE(CryptGenRandom(provider, sizeof(a), a));
	EXPECT_TRUE(CryptGenRandom(provider, sizeof(b), b));
	EXPECT_NE(memcmp(a, b, sizeof(a)), 0);
	EXPECT_TRUE(CryptReleaseContext(provider, 0));
	EXPECT_FALSE(CryptGenRandom(0, sizeof(a), a));
}

/* ---- Files ---- */

#define NAME "/tmp/winsock-file"

TEST_F(kernel32, file__read_write_and_send)
{
	static const WCHAR wide_name[] = u"" NAME;
	HANDLE event = CreateEvent(NULL, TRUE, FALSE, NULL), file;
	OVERLAPPED ov = { .Offset = 3, .hEvent = event };
	LARGE_INTEGER at = { .QuadPart = 2 };
	HANDLE mapping;
	char *view;
	char data[16] = "";
	int peer;
	SOCKET s;
	DWORD n;

	unlink(NAME);
	EXPECT_EQ(CreateFileA(NAME, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL),
		  INVALID_HANDLE_VALUE);
	EXPECT_EQ(GetLastError(), ERROR_FILE_NOT_FOUND);
	/* Descriptor 0 would be no handle. */
	close(0);
	file = CreateFileA(NAME, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_NEW,
			   FILE_ATTRIBUTE_NORMAL, NULL);
	ASSERT_NE(file, INVALID_HANDLE_VALUE);
	ASSERT_NE(file, NULL);
	EXPECT_TRUE(WriteFile(file, "abcdef", 6, &n, NULL));
	EXPECT_EQ(n, 6);
	EXPECT_EQ(GetFileSize(file, NULL), 6);
	EXPECT_TRUE(SetFilePointerEx(file, at, &at, FILE_BEGIN));
	EXPECT_TRUE(ReadFile(file, data, sizeof(data), &n, NULL));
	EXPECT_EQ(n, 4);
	EXPECT_STREQ(data, "cdef");
	EXPECT_TRUE(ReadFile(file, data, sizeof(data), &n, NULL));
	EXPECT_EQ(n, 0);
	EXPECT_EQ(fcntl((intptr_t)file, F_GETFD), FD_CLOEXEC);
	EXPECT_TRUE(SetHandleInformation(file, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT));
	EXPECT_EQ(fcntl((intptr_t)file, F_GETFD), 0);
	EXPECT_TRUE(SetHandleInformation(file, HANDLE_FLAG_INHERIT, 0));
	EXPECT_EQ(fcntl((intptr_t)file, F_GETFD), FD_CLOEXEC);
	EXPECT_FALSE(SetHandleInformation(event, HANDLE_FLAG_INHERIT, 0));
	/* An offset of its own, and the end told as that of every operation. */
	EXPECT_TRUE(ReadFile(file, data, 2, NULL, &ov));
	EXPECT_TRUE(signalled(event));
	EXPECT_TRUE(GetOverlappedResult(file, &ov, &n, FALSE));
	EXPECT_EQ(n, 2);
	EXPECT_EQ(data[0], 'd');
	ov.Offset = 1;
	EXPECT_TRUE(ResetEvent(event));
	EXPECT_TRUE(WriteFile(file, "BC", 2, NULL, &ov));
	EXPECT_TRUE(signalled(event));
	EXPECT_EQ(ov.InternalHigh, 2);
	ov.Offset = 6;
	EXPECT_FALSE(ReadFile(file, data, 2, NULL, &ov));
	EXPECT_EQ(GetLastError(), ERROR_HANDLE_EOF);

	mapping = CreateFileMappingA(file, NULL, PAGE_READONLY, 0, 0, NULL);
	ASSERT_NE(mapping, NULL);
	view = MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, 0);
	ASSERT_NE(view, NULL);
	EXPECT_TRUE(CloseHandle(mapping));
	EXPECT_EQ(memcmp(view, "aBCdef", 6), 0);
	EXPECT_TRUE(UnmapViewOfFile(view));
	EXPECT_FALSE(UnmapViewOfFile(view));

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	at.QuadPart = 0;
	EXPECT_TRUE(SetFilePointerEx(file, at, NULL, FILE_BEGIN));
	EXPECT_TRUE(TransmitFile(s, file, 0, 0, NULL, NULL, 0));
	EXPECT_EQ(recv(peer, data, 6, MSG_WAITALL), 6);
	EXPECT_EQ(memcmp(data, "aBCdef", 6), 0);
	EXPECT_EQ(WSACleanup(), 0);

	EXPECT_TRUE(CloseHandle(file));
	EXPECT_FALSE(CloseHandle(file));
	file = CreateFileW(wide_name, GENERIC_READ, 0, NULL, CREATE_NEW, 0, NULL);
	EXPECT_EQ(file, INVALID_HANDLE_VALUE);
	EXPECT_EQ(GetLastError(), ERROR_FILE_EXISTS);
	file = CreateFileW(wide_name, GENERIC_READ, 0, NULL, OPEN_ALWAYS, 0, NULL);
	EXPECT_EQ(GetLastError(), ERROR_ALREADY_EXISTS);
	EXPECT_FALSE(WriteFile(file, "x", 1, &n, NULL));
	EXPECT_EQ(GetLastError(), ERROR_INVALID_HANDLE);
	EXPECT_TRUE(CloseHandle(file));
	unlink(NAME);
}

TEST_F(kernel32, file__a_socket_is_one)
{
	HANDLE event = CreateEvent(NULL, TRUE, FALSE, NULL), port;
	OVERLAPPED ov = { .hEvent = event };
	struct taken packet;
	char data[8] = "";
	SOCKET s;
	int peer;
	DWORD n;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	EXPECT_TRUE(WriteFile((HANDLE)s, "ping", 4, &n, NULL));
	EXPECT_EQ(n, 4);
	EXPECT_EQ(recv(peer, data, 4, MSG_WAITALL), 4);
	EXPECT_EQ(send(peer, "pong", 4, 0), 4);
	EXPECT_TRUE(ReadFile((HANDLE)s, data, sizeof(data), &n, NULL));
	EXPECT_EQ(n, 4);
	EXPECT_STREQ(data, "pong");
	EXPECT_FALSE(ReadFile((HANDLE)s, data, sizeof(data), NULL, &ov));
	EXPECT_EQ(GetLastError(), ERROR_IO_PENDING);
	EXPECT_EQ(send(peer, "x", 1, 0), 1);
	EXPECT_TRUE(becomes_signalled(event));
	EXPECT_TRUE(GetOverlappedResult((HANDLE)s, &ov, &n, FALSE));
	EXPECT_EQ(n, 1);
	port = CreateIoCompletionPort((HANDLE)s, NULL, 5, 0);
	memset(&ov, 0, sizeof(ov));
	EXPECT_TRUE(WriteFile((HANDLE)s, "y", 1, NULL, &ov));
	packet = take_packet(port, TIMEOUT_MS);
	EXPECT_TRUE(packet.ret);
	EXPECT_EQ(packet.ov, &ov);
	EXPECT_EQ(packet.bytes, 1);
	setsockopt(peer, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
	close(peer);
	EXPECT_FALSE(ReadFile((HANDLE)s, data, 1, &n, NULL));
	EXPECT_EQ(GetLastError(), ERROR_NETNAME_DELETED);
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_FALSE(ReadFile((HANDLE)s, data, 1, &n, NULL));
	EXPECT_EQ(GetLastError(), ERROR_INVALID_HANDLE);
}

static int to_wide(DWORD flags, const char *from, int length, WCHAR *to, int room)
{
	SetLastError(0);
	return MultiByteToWideChar(CP_UTF8, flags, from, length, to, room);
}

static int from_wide(DWORD flags, const WCHAR *from, int length, char *to, int room)
{
	SetLastError(0);
	return WideCharToMultiByte(CP_UTF8, flags, from, length, to, room, NULL, NULL);
}

TEST_F(kernel32, text__there_and_back)
{
	static const WCHAR wide[] = u"a\u00e9\u20ac\U0001f600";
	static const char bytes[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";
	WCHAR to_w[16];
	char to_b[16];

	EXPECT_EQ(to_wide(0, bytes, -1, NULL, 0), 6);
	EXPECT_EQ(to_wide(MB_ERR_INVALID_CHARS, bytes, -1, to_w, 6), 6);
	EXPECT_EQ(memcmp(to_w, wide, sizeof(wide)), 0);
	EXPECT_EQ(from_wide(0, wide, -1, NULL, 0), 11);
	EXPECT_EQ(from_wide(WC_ERR_INVALID_CHARS, wide, -1, to_b, 11), 11);
	EXPECT_STREQ(to_b, bytes);
	/* Of a given length, a NUL among them; nothing is written behind. */
	memset(to_w, 0x55, sizeof(to_w));
	EXPECT_EQ(to_wide(0, "x\0y\0z", 3, to_w, 16), 3);
	EXPECT_EQ(memcmp(to_w, u"x\0y\u5555", 8), 0);
	memset(to_b, 0x55, sizeof(to_b));
	EXPECT_EQ(from_wide(0, u"x\0y\0z", 3, to_b, 16), 3);
	EXPECT_EQ(memcmp(to_b, "x\0yU", 4), 0);
	EXPECT_EQ(GetACP(), CP_UTF8);
	EXPECT_EQ(GetOEMCP(), CP_UTF8);
}

TEST_F(kernel32, text__what_is_none)
{
	WCHAR to_w[8];
	char to_b[8];

	/* Cut off within a character, by the length or by another. */
	EXPECT_EQ(to_wide(0, "a\xe2\x82\xac", 3, to_w, 8), 2);
	EXPECT_EQ(to_w[1], 0xfffd);
	EXPECT_EQ(to_wide(MB_ERR_INVALID_CHARS, "a\xe2\x82\xac", 3, to_w, 8), 0);
	EXPECT_EQ(GetLastError(), ERROR_NO_UNICODE_TRANSLATION);
	EXPECT_EQ(to_wide(MB_ERR_INVALID_CHARS, "\xef\xbf\xbd", -1, to_w, 8), 2);
	EXPECT_EQ(from_wide(0, u"a\xd83d\xde00", 2, to_b, 8), 4);
	EXPECT_EQ(memcmp(to_b, "a\xef\xbf\xbd", 4), 0);
	EXPECT_EQ(from_wide(WC_ERR_INVALID_CHARS, u"a\xd83d\xde00", 2, to_b, 8), 0);
	EXPECT_EQ(GetLastError(), ERROR_NO_UNICODE_TRANSLATION);
	EXPECT_EQ(from_wide(WC_ERR_INVALID_CHARS, u"\xde00", 1, to_b, 8), 0);
	EXPECT_EQ(GetLastError(), ERROR_NO_UNICODE_TRANSLATION);
}

TEST_F(kernel32, text__errors)
{
	BOOL used = TRUE;
	WCHAR to_w[4];
	char to_b[4];

	EXPECT_EQ(to_wide(0, "abc", -1, to_w, 3), 0);
	EXPECT_EQ(GetLastError(), ERROR_INSUFFICIENT_BUFFER);
	EXPECT_EQ(to_wide(0, "abc", 0, to_w, 4), 0);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	EXPECT_EQ(to_wide(0, "abc", -2, to_w, 4), 0);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	EXPECT_EQ(to_wide(0, NULL, 1, to_w, 4), 0);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	EXPECT_EQ(to_wide(0, "abc", 3, NULL, 4), 0);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	EXPECT_EQ(to_wide(0, "abc", 3, to_w, -1), 0);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	EXPECT_EQ(to_wide(0x40, "abc", 3, to_w, 4), 0);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_FLAGS);
	EXPECT_EQ(MultiByteToWideChar(1252, 0, "abc", 3, to_w, 4), 0);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	EXPECT_EQ(from_wide(0, u"\u20ac", -1, to_b, 3), 0);
	EXPECT_EQ(GetLastError(), ERROR_INSUFFICIENT_BUFFER);
	EXPECT_EQ(from_wide(0x40, u"a", 1, to_b, 4), 0);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_FLAGS);
	EXPECT_EQ(from_wide(0, u"a", 0, to_b, 4), 0);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	EXPECT_EQ(WideCharToMultiByte(CP_UTF8, 0, u"a", 1, to_b, 4, "?", NULL), 0);
	EXPECT_EQ(GetLastError(), ERROR_INVALID_PARAMETER);
	EXPECT_EQ(WideCharToMultiByte(CP_ACP, 0, u"a", 1, to_b, 4, "?", &used), 1);
	EXPECT_FALSE(used);
}

static int call_read_file(struct caller *c)
{
	char byte;
	DWORD n;

	return ReadFile((HANDLE)c->s, &byte, 1, &n, NULL) ? (int)n : -1;
}

/* The errors of files, where Winsock calls them by other names. */
TEST_F(kernel32, file__errors_of_a_socket)
{
	static char data[60000];
	struct caller c = { .call = call_read_file };
	struct sockaddr_in own;
	SOCKET s, u;
	int peer;
	DWORD n;

	/* So that a datagram can be many packets. */
	ASSERT_EQ(unshare(CLONE_NEWNET), 0);
	ASSERT_EQ(system("ip link set lo up mtu 1500"), 0);
	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&c.s, &peer), 0);
	ASSERT_TRUE(caller_start(&c));
	ASSERT_TRUE(caller_blocked(&c, SYS_recvmsg));
	EXPECT_EQ(closesocket(c.s), 0);
	ASSERT_TRUE(caller_join(&c));
	EXPECT_EQ(c.result, -1);
	EXPECT_EQ(c.error, ERROR_CONNECTION_ABORTED);
	close(peer);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	EXPECT_EQ(send(peer, "x", 1, 0), 1);
	EXPECT_FALSE(ReadFile((HANDLE)s, (void *)8, 1, &n, NULL));
	EXPECT_EQ(GetLastError(), ERROR_NOACCESS);
	u = bound_socket(SOCK_DGRAM);
	own = loopback(local_port(u));
	ASSERT_EQ(wsock_connect(u, sa(&own), sizeof(own)), 0);
	EXPECT_TRUE(WriteFile((HANDLE)u, "abc", 3, &n, NULL));
	EXPECT_FALSE(ReadFile((HANDLE)u, data, 2, &n, NULL));
	EXPECT_EQ(GetLastError(), ERROR_MORE_DATA);
	/* The packets are more than the socket may hold. */
	EXPECT_TRUE(set_option(u, SOL_SOCKET, SO_SNDBUF, 1));
	EXPECT_FALSE(WriteFile((HANDLE)u, data, sizeof(data), &n, NULL));
	EXPECT_EQ(GetLastError(), ERROR_NO_SYSTEM_RESOURCES);
	EXPECT_EQ(WSACleanup(), 0);
	close(peer);
}

/* ---- Functions by name ---- */

/* Of a library that is part of the program, as this program's is. */
TEST_F(kernel32, functions__of_a_static_library)
{
	HMODULE module = GetModuleHandleW(u"kernel32.dll");

	ASSERT_NE(module, NULL);
	EXPECT_EQ((void *)GetProcAddress(module, "WSAStartup"), (void *)WSAStartup);
	EXPECT_EQ((void *)GetProcAddress(module, "socket"), (void *)wsock_socket);
	EXPECT_EQ(GetProcAddress(module, "printf"), NULL);
	EXPECT_EQ(GetLastError(), ERROR_PROC_NOT_FOUND);
}

TEST_HARNESS_MAIN
