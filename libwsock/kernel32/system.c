// SPDX-License-Identifier: LGPL-2.1-or-later
/* Clocks, the processors there are, and the process itself. */
#include "../internal.h"

#include <mmsystem.h>
#include <stdlib.h>

static uint64_t ticks(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * WSOCK_TICKS_PER_SEC +
	       (uint64_t)ts.tv_nsec / WSOCK_NSEC_PER_TICK;
}

/* As on Windows they count while the machine sleeps. */
WSOCK_EXPORT ULONGLONG WINAPI GetTickCount64(void)
{
	return ticks(CLOCK_BOOTTIME) / (WSOCK_TICKS_PER_SEC / 1000);
}

WSOCK_EXPORT DWORD WINAPI GetTickCount(void)
{
	return (DWORD)GetTickCount64();
}

WSOCK_EXPORT DWORD WINAPI timeGetTime(void)
{
	return GetTickCount();
}

/* Linux's timers are precise always. */
WSOCK_EXPORT UINT WINAPI timeBeginPeriod(UINT uPeriod)
{
	return uPeriod ? TIMERR_NOERROR : TIMERR_NOCANDO;
}

WSOCK_EXPORT UINT WINAPI timeEndPeriod(UINT uPeriod)
{
	return uPeriod ? TIMERR_NOERROR : TIMERR_NOCANDO;
}

WSOCK_EXPORT BOOL WINAPI
QueryPerformanceCounter(LARGE_INTEGER *lpPerformanceCount)
{
	lpPerformanceCount->QuadPart = (LONGLONG)ticks(CLOCK_MONOTONIC);
	return TRUE;
}

WSOCK_EXPORT BOOL WINAPI QueryPerformanceFrequency(LARGE_INTEGER *lpFrequency)
{
	lpFrequency->QuadPart = WSOCK_TICKS_PER_SEC;
	return TRUE;
}

/* ---- The time of day ---- */

WSOCK_EXPORT VOID WINAPI
GetSystemTimeAsFileTime(LPFILETIME lpSystemTimeAsFileTime)
{
	uint64_t now = ticks(CLOCK_REALTIME) + WSOCK_EPOCH_TICKS;

	lpSystemTimeAsFileTime->dwLowDateTime = (DWORD)now;
	lpSystemTimeAsFileTime->dwHighDateTime = (DWORD)(now >> 32);
}

WSOCK_EXPORT VOID WINAPI
GetSystemTimePreciseAsFileTime(LPFILETIME lpSystemTimeAsFileTime)
{
	GetSystemTimeAsFileTime(lpSystemTimeAsFileTime);
}

static void get_time(LPSYSTEMTIME time,
		     struct tm *(*convert)(const time_t *, struct tm *))
{
	struct timespec ts;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &ts);
	convert(&ts.tv_sec, &tm);
	*time = (SYSTEMTIME){
		.wYear = (WORD)(tm.tm_year + 1900),
		.wMonth = (WORD)(tm.tm_mon + 1),
		.wDayOfWeek = (WORD)tm.tm_wday,
		.wDay = (WORD)tm.tm_mday,
		.wHour = (WORD)tm.tm_hour,
		.wMinute = (WORD)tm.tm_min,
		.wSecond = (WORD)tm.tm_sec,
		.wMilliseconds = (WORD)(ts.tv_nsec / WSOCK_NSEC_PER_MSEC),
	};
}

WSOCK_EXPORT VOID WINAPI GetSystemTime(LPSYSTEMTIME lpSystemTime)
{
	get_time(lpSystemTime, gmtime_r);
}

WSOCK_EXPORT VOID WINAPI GetLocalTime(LPSYSTEMTIME lpSystemTime)
{
	get_time(lpSystemTime, localtime_r);
}

/* ---- The machine and the process ---- */

WSOCK_EXPORT VOID WINAPI GetSystemInfo(LPSYSTEM_INFO lpSystemInfo)
{
	*lpSystemInfo = (SYSTEM_INFO){
		.wProcessorArchitecture = PROCESSOR_ARCHITECTURE_AMD64,
		.dwPageSize = (DWORD)sysconf(_SC_PAGESIZE),
		.dwNumberOfProcessors = (DWORD)sysconf(_SC_NPROCESSORS_ONLN),
		.dwAllocationGranularity = (DWORD)sysconf(_SC_PAGESIZE),
	};
}

WSOCK_EXPORT DWORD WINAPI GetCurrentProcessId(void)
{
	return (DWORD)getpid();
}

WSOCK_EXPORT VOID WINAPI ExitProcess(UINT uExitCode)
{
	exit((int)uExitCode); /* NOLINT(concurrency-mt-unsafe): nor is this */
}
