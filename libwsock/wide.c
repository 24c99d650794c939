// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Strings of W functions are UTF-16, those of A functions and of the system
 * UTF-8, whatever the locale.
 */
#include "internal.h"

int32_t wsock_utf16_take(const WCHAR **from)
{
	uint32_t first = *(*from)++, second;

	if (first < 0xd800 || first > 0xdfff)
		return (int32_t)first;
	second = **from;
	if (first > 0xdbff || second < 0xdc00 || second > 0xdfff)
		return -1;
	(*from)++;
	return (int32_t)(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00));
}

size_t wsock_utf8_put(uint32_t c, char bytes[4])
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4, i;
	static const uint8_t lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (i = n - 1; i; i--, c >>= 6)
		bytes[i] = (char)(0x80 | (c & 0x3f));
	bytes[0] = (char)(lead[n] | c);
	return n;
}

bool wsock_wide_to_utf8(const WCHAR *from, char *to, size_t size)
{
	char bytes[4];
	int32_t c;
	size_t n;

	do {
		c = wsock_utf16_take(&from);
		if (c < 0)
			return false;
		n = wsock_utf8_put((uint32_t)c, bytes);
		if (n > size)
			return false;
		memcpy(to, bytes, n);
		to += n;
		size -= n;
	} while (c);
	return true;
}

uint32_t wsock_utf8_take(const char **from)
{
	const uint8_t *p = (const uint8_t *)*from;
	uint32_t c = *p, least;
	int more;

	(*from)++;
	if (c < 0x80)
		return c;
	more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
	least = more == 3 ? 0x10000 : more == 2 ? 0x800 : 0x80;
	if (c < 0xc2 || c > 0xf4)
		return 0xfffd;
	c &= 0x3fU >> more;
	while (more--) {
		if ((*++p & 0xc0) != 0x80)
			return 0xfffd;
		c = c << 6 | (*p & 0x3f);
		(*from)++;
	}
	return c < least || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ?
		       0xfffd : c;
}

size_t wsock_utf16_put(uint32_t c, WCHAR pair[2])
{
	if (c < 0x10000) {
		pair[0] = (WCHAR)c;
		return 1;
	}
	c -= 0x10000;
	pair[0] = (WCHAR)(0xd800 | c >> 10);
	pair[1] = (WCHAR)(0xdc00 | (c & 0x3ff));
	return 2;
}

size_t wsock_wide_from_utf8(const char *from, WCHAR *to, size_t count)
{
	size_t n = 0, units, i;
	WCHAR pair[2];
	uint32_t c;

	do {
		c = wsock_utf8_take(&from);
		units = wsock_utf16_put(c, pair);
		for (i = 0; i < units; i++, n++) {
			if (n < count)
				to[n] = pair[i];
		}
	} while (c);
	return n;
}

bool wsock_text_get(const void *from, bool wide, char *to, size_t size)
{
	size_t len;

	if (wide)
		return wsock_wide_to_utf8(from, to, size);
	len = strlen(from) + 1;
	if (len > size)
		return false;
	memcpy(to, from, len);
	return true;
}

size_t wsock_text_put(const char *from, bool wide, void *to, size_t count)
{
	size_t needed = wide ? wsock_wide_from_utf8(from, NULL, 0) :
			       strlen(from) + 1;

	if (needed > count)
		return needed;
	if (wide)
		wsock_wide_from_utf8(from, to, count);
	else
		memcpy(to, from, needed);
	return needed;
}
