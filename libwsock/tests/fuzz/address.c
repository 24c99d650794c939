// SPDX-License-Identifier: LGPL-2.1-or-later
/* Addresses as text, both widths: what is taken comes back as it was. */
#include "fuzz.h"

#include <arpa/inet.h>

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_register();
	return 0;
}

/* As text, in a room of @count characters, and from that again. */
static void there_and_back(struct sockaddr_in6 *name, int len, bool wide)
{
	DWORD count = 0, needed;
	struct sockaddr_in6 again;
	int room = sizeof(again);
	void *text;

	EXPECT(WSAAddressToStringA((struct sockaddr *)name, (DWORD)len, NULL,
				   NULL, &count));
	EXPECT(wsock_error_get() == WSAEFAULT);
	needed = count;
	text = malloc(needed * (wide ? sizeof(WCHAR) : 1));
	memset(&again, 0, sizeof(again));
	if (wide) {
		EXPECT(!WSAAddressToStringW((struct sockaddr *)name, (DWORD)len,
					    NULL, text, &count));
		EXPECT(!WSAStringToAddressW(text, name->sin6_family, NULL,
					    (struct sockaddr *)&again, &room));
	} else {
		EXPECT(!WSAAddressToStringA((struct sockaddr *)name, (DWORD)len,
					    NULL, text, &count));
		EXPECT(!WSAStringToAddressA(text, name->sin6_family, NULL,
					    (struct sockaddr *)&again, &room));
	}
	EXPECT(count == needed && room == len);
	EXPECT(!memcmp(&again, name, (size_t)len));
	free(text);
}

/* Any bytes as an address of any length. */
static void from_bytes(struct input *in)
{
	DWORD size = fuzz_byte(in), count = fuzz_byte(in) % 80;
	struct sockaddr *name = fuzz_room(in, size);
	char *text = malloc(count);
	WCHAR *wide = malloc(count * sizeof(*wide));
	DWORD room = count;

	if (!WSAAddressToStringA(name, size, NULL, text, &room))
		EXPECT(room <= count && strlen(text) + 1 == room);
	room = count;
	if (!WSAAddressToStringW(name, size, NULL, wide, &room))
		EXPECT(room <= count && !wide[room - 1]);
	if (size >= sizeof(struct in6_addr)) {
		wsock_inet_ntop(AF_INET6, name, text, count);
		wsock_inet_ntop(AF_INET, name, text, count);
		InetNtopW(AF_INET6, name, wide, count);
		InetNtopW(AF_INET, name, wide, count);
		wsock_inet_ntoa(*(struct in_addr *)(void *)name);
	}
	free(wide);
	free(text);
	free(name);
}

static void from_text(struct input *in, int family, int room)
{
	int len = family == AF_INET6 ? sizeof(struct sockaddr_in6) :
				       sizeof(struct sockaddr_in), wide_len;
	char *text = fuzz_text(in, 1);
	size_t count = wsock_wide_from_utf8(text, NULL, 0);
	WCHAR *wide = malloc(count * sizeof(*wide));
	struct sockaddr_in6 name, wide_name;
	uint8_t small[sizeof(name)], *short_room = malloc((size_t)room);
	int result;

	wsock_wide_from_utf8(text, wide, count);
	memset(&name, 0, sizeof(name));
	memset(&wide_name, 0, sizeof(wide_name));
	len = wide_len = sizeof(name);
	result = WSAStringToAddressA(text, family, NULL,
				     (struct sockaddr *)&name, &len);
	EXPECT(WSAStringToAddressW(wide, family, NULL,
				   (struct sockaddr *)&wide_name,
				   &wide_len) == result);
	if (!result) {
		EXPECT(len == wide_len && !memcmp(&name, &wide_name,
						  sizeof(name)));
		there_and_back(&name, len, false);
		there_and_back(&name, len, true);
	}
	WSAStringToAddressA(text, family, NULL, (struct sockaddr *)short_room,
			    &room);
	EXPECT(wsock_inet_pton(family, text, small) ==
	       InetPtonW(family, wide, small));
	EXPECT(strlen(text) != 1 || *text != ' ' || !wsock_inet_addr(text));
	wsock_inet_addr(text);
	free(short_room);
	free(wide);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	uint8_t choice = fuzz_byte(&in);

	switch (choice & 3) {
	case 0:
		from_bytes(&in);
		break;
	case 1:
		from_text(&in, AF_INET, choice >> 2);
		break;
	default:
		from_text(&in, AF_INET6, choice >> 2);
	}
	return 0;
}
