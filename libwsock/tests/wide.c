/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compiled with UNICODE, and once more with -fshort-wchar: what TEXT is for. */
#include <winsock2.h>
#include <windows.h>
#include <tchar.h>

HANDLE use_wide(void);

HANDLE use_wide(void)
{
	static const TCHAR name[] = TEXT("a");
	WSAPROTOCOL_INFO info;

	WSADuplicateSocket(0, GetCurrentProcessId(), &info);
#if __SIZEOF_WCHAR_T__ == 2
	CreateEventW(NULL, TRUE, FALSE, L"");
#else
	CreateEventW(NULL, TRUE, FALSE, u"");
#endif
	return CreateFile(name, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
}
