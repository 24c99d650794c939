// SPDX-License-Identifier: LGPL-2.1-or-later
/* Text in UTF-8 and UTF-16, of a given length; NUL is a character there. */
#include "../internal.h"

#include <limits.h>
#include <stdlib.h>
#include <winnls.h>

static int fail(DWORD error)
{
	wsock_error_set((int)error);
	return 0;
}

/* A copy with a NUL behind it, where a character that is cut off ends. */
static void *copy(const void *from, size_t count, size_t size)
{
	char *to = malloc((count + 1) * size);

	if (to) {
		memcpy(to, from, count * size);
		memset(to + count * size, 0, size);
	}
	return to;
}

/* 0 or the error of arguments that both functions have. */
static DWORD check(UINT page, const void *from, int length, const void *to, int room)
{
	if (page != CP_ACP && page != CP_OEMCP && page != CP_THREAD_ACP && page != CP_UTF8)
		return ERROR_INVALID_PARAMETER;
	if (!from || !length || length < -1 || room < 0 || (room && !to) || from == to)
		return ERROR_INVALID_PARAMETER;
	return 0;
}

static int finish(size_t n, size_t room, bool refused)
{
	if (refused)
		return fail(ERROR_NO_UNICODE_TRANSLATION);
	if (n > INT_MAX)
		return fail(ERROR_INVALID_PARAMETER);
	return room && n > room ? fail(ERROR_INSUFFICIENT_BUFFER) : (int)n;
}

/* Was it U+FFFD itself? */
static bool is_replacement(const char *from, const char *end)
{
	return end - from == 3 && !memcmp(from, "\xef\xbf\xbd", 3);
}

/* Both want a NUL at @from + @length, which is not converted. */
static int to_wide(const char *from, size_t length, WCHAR *to, size_t room, bool strict)
{
	const char *end = from + length, *start;
	bool refused = false;
	size_t n = 0, units;
	WCHAR pair[2];
	uint32_t c;

	while (from < end && !refused) {
		start = from;
		c = wsock_utf8_take(&from);
		refused = strict && c == 0xfffd && !is_replacement(start, from);
		units = wsock_utf16_put(c, pair);
		if (n + units <= room)
			memcpy(to + n, pair, units * sizeof(*to));
		n += units;
	}
	return finish(n, room, refused);
}

static int from_wide(const WCHAR *from, size_t length, char *to, size_t room, bool strict)
{
	const WCHAR *end = from + length;
	bool refused = false;
	size_t n = 0, units;
	char bytes[4];
	int32_t c;

	while (from < end && !refused) {
		c = wsock_utf16_take(&from);
		refused = strict && c < 0;
		units = wsock_utf8_put(c < 0 ? 0xfffd : (uint32_t)c, bytes);
		if (n + units <= room)
			memcpy(to + n, bytes, units);
		n += units;
	}
	return finish(n, room, refused);
}

WSOCK_EXPORT UINT WINAPI GetACP(VOID)
{
	return CP_UTF8;
}

WSOCK_EXPORT UINT WINAPI GetOEMCP(VOID)
{
	return CP_UTF8;
}

WSOCK_EXPORT int WINAPI MultiByteToWideChar(UINT CodePage, DWORD dwFlags,
					    LPCSTR lpMultiByteStr, int cbMultiByte,
					    LPWSTR lpWideCharStr, int cchWideChar)
{
	DWORD error = check(CodePage, lpMultiByteStr, cbMultiByte, lpWideCharStr,
			    cchWideChar);
	size_t length;
	char *text;
	int n;

	if (error)
		return fail(error);
	if (dwFlags & ~(MB_PRECOMPOSED | MB_ERR_INVALID_CHARS))
		return fail(ERROR_INVALID_FLAGS);
	length = cbMultiByte < 0 ? strlen(lpMultiByteStr) + 1 : (size_t)cbMultiByte;
	text = copy(lpMultiByteStr, length, sizeof(*text));
	if (!text)
		return fail(ERROR_NOT_ENOUGH_MEMORY);
	n = to_wide(text, length, lpWideCharStr, (size_t)cchWideChar,
		    dwFlags & MB_ERR_INVALID_CHARS);
	free(text);
	return n;
}

WSOCK_EXPORT int WINAPI WideCharToMultiByte(UINT CodePage, DWORD dwFlags,
					    LPCWSTR lpWideCharStr, int cchWideChar,
					    LPSTR lpMultiByteStr, int cbMultiByte,
					    LPCSTR lpDefaultChar, LPBOOL lpUsedDefaultChar)
{
	DWORD error = check(CodePage, lpWideCharStr, cchWideChar, lpMultiByteStr,
			    cbMultiByte);
	size_t length = 0;
	WCHAR *text;
	int n;

	if (!error && CodePage == CP_UTF8 && (lpDefaultChar || lpUsedDefaultChar))
		error = ERROR_INVALID_PARAMETER;
	if (!error && dwFlags & ~(WC_NO_BEST_FIT_CHARS | WC_ERR_INVALID_CHARS))
		error = ERROR_INVALID_FLAGS;
	if (error)
		return fail(error);
	if (cchWideChar < 0)
		while (lpWideCharStr[length++])
			;
	else
		length = (size_t)cchWideChar;
	text = copy(lpWideCharStr, length, sizeof(*text));
	if (!text)
		return fail(ERROR_NOT_ENOUGH_MEMORY);
	n = from_wide(text, length, lpMultiByteStr, (size_t)cbMultiByte,
		      dwFlags & WC_ERR_INVALID_CHARS);
	free(text);
	if (lpUsedDefaultChar)
		*lpUsedDefaultChar = FALSE;
	return n;
}
