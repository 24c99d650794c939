// SPDX-License-Identifier: LGPL-2.1-or-later
/* UTF-8 and UTF-16: no room is overrun, and what one makes the other takes. */
#include "fuzz.h"

static size_t wide_length(const WCHAR *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}

/* UTF-8, or what is none, to UTF-16 and back. */
static void from_utf8(struct input *in, size_t room)
{
	char *text = fuzz_text(in, 1), *back;
	size_t size = strlen(text) + 1, needed, again;
	WCHAR *wide, *part;

	needed = wsock_wide_from_utf8(text, NULL, 0);
	EXPECT(needed && needed <= size);
	wide = malloc(needed * sizeof(*wide));
	EXPECT(wsock_wide_from_utf8(text, wide, needed) == needed);
	EXPECT(wide_length(wide) + 1 == needed);
	part = malloc(room * sizeof(*part));
	EXPECT(wsock_wide_from_utf8(text, part, room) == needed);
	EXPECT(!memcmp(part, wide, (room < needed ? room : needed) *
				   sizeof(*part)));
	/* Every one of them is text; three bytes each at most. */
	back = malloc(3 * needed);
	EXPECT(wsock_wide_to_utf8(wide, back, 3 * needed));
	again = wsock_wide_from_utf8(back, NULL, 0);
	EXPECT(again == needed);
	/* But for what was none, it is the same. */
	EXPECT(strstr(back, "\xef\xbf\xbd") || !strcmp(text, back));
	free(back);
	free(part);
	free(wide);
	free(text);
}

/* UTF-16, or what is none, to UTF-8 and back. */
static void from_wide(struct input *in, size_t room)
{
	WCHAR *text = fuzz_text(in, sizeof(WCHAR)), *back;
	char *utf8 = malloc(room);
	size_t needed;

	if (wsock_wide_to_utf8(text, utf8, room)) {
		needed = wsock_wide_from_utf8(utf8, NULL, 0);
		EXPECT(needed == wide_length(text) + 1);
		back = malloc(needed * sizeof(*back));
		EXPECT(wsock_text_put(utf8, true, back, needed) == needed);
		EXPECT(!memcmp(back, text, needed * sizeof(*back)));
		free(back);
	}
	free(utf8);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	uint8_t choice = fuzz_byte(&in);

	if (choice & 1)
		from_utf8(&in, choice >> 1);
	else
		from_wide(&in, choice >> 1);
	return 0;
}
