/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the fuzzers of the library share. Each is one file, linked with the whole
 * library and libFuzzer; nothing needs the module. See scripts/fuzz.
 */
#ifndef WSOCK_FUZZ_H
#define WSOCK_FUZZ_H

#include "../../internal.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The gate is open: without the module, WSAStartup would not do it. */
static inline void fuzz_register(void)
{
	wsock_state = 1;
}

#define EXPECT(condition)						\
	do {								\
		if (!(condition)) {					\
			fprintf(stderr, "%s:%d: not so: %s\n",		\
				__FILE__, __LINE__, #condition);	\
			abort();					\
		}							\
	} while (0)

/* What is left of the input. */
struct input {
	const uint8_t *at;
	size_t left;
};

/* The next bytes; 0 where there are none any more. */
static inline void fuzz_take(struct input *in, void *to, size_t size)
{
	size_t n = size < in->left ? size : in->left;

	memset(to, 0, size);
	memcpy(to, in->at, n);
	in->at += n;
	in->left -= n;
}

static inline uint32_t fuzz_number(struct input *in)
{
	uint32_t number;

	fuzz_take(in, &number, sizeof(number));
	return number;
}

static inline uint8_t fuzz_byte(struct input *in)
{
	uint8_t byte;

	fuzz_take(in, &byte, sizeof(byte));
	return byte;
}

/*
 * The next @size bytes in a room of just that size, so that AddressSanitizer sees
 * each access beyond. To be freed.
 */
static inline void *fuzz_room(struct input *in, size_t size)
{
	void *room = malloc(size);

	EXPECT(room);
	fuzz_take(in, room, size);
	return room;
}

/* All that is left as text, with a NUL of @width bytes behind it. To be freed. */
static inline void *fuzz_text(struct input *in, size_t width)
{
	size_t size = in->left - in->left % width;
	char *text = malloc(size + width);

	EXPECT(text);
	memset(text + size, 0, width);
	fuzz_take(in, text, size);
	return text;
}

#endif /* WSOCK_FUZZ_H */
