// SPDX-License-Identifier: LGPL-2.1-or-later
/* FormatMessage: a text for each error that the library can give, and some more. */
#include "../internal.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static const struct text {
	DWORD error;
	const char *text;
} texts[] = {
	{ 0, "The operation was successful" },
	{ 1, "There is no such function" },
	{ 2, "There is no such file" },
	{ 3, "There is no such path" },
	{ 4, "Too many files are open" },
	{ 5, "Access was denied" },
	{ 6, "The handle is not valid" },
	{ 8, "There is not enough memory" },
	{ 14, "There is not enough memory" },
	{ 31, "A device does not work" },
	{ 38, "The end of the file was reached" },
	{ 50, "The request is not supported" },
	{ 64, "The network connection is gone" },
	{ 80, "The file exists already" },
	{ 87, "A parameter is not valid" },
	{ 109, "The pipe was ended" },
	{ 111, "The name is too long" },
	{ 121, "The time for the operation is over" },
	{ 122, "The buffer is too small" },
	{ 126, "There is no such module" },
	{ 127, "There is no such procedure" },
	{ 183, "The object exists already" },
	{ 234, "There is more data" },
	{ 258, "The time to wait is over" },
	{ 259, "There is no more data" },
	{ 317, "There is no text for that message number" },
	{ 735, "A wait ended because its object was closed" },
	{ 995, "The operation was aborted by its thread or by the program" },
	{ 996, "The overlapped operation is not complete" },
	{ 997, "The overlapped operation is in progress" },
	{ 998, "The address of a buffer is not valid" },
	{ 1168, "The object was not found" },
	{ 1225, "The remote machine refused the connection" },
	{ 1226, "The connection was ended gracefully" },
	{ 1231, "The network cannot be reached" },
	{ 1232, "The host cannot be reached" },
	{ 1233, "The protocol cannot be reached" },
	{ 1234, "Nobody listens at the destination's port" },
	{ 1235, "The request was aborted" },
	{ 1236, "The connection was aborted by this machine" },
	{ 1450, "The system lacks the resources for the request" },
	{ 1460, "The time for the operation is over" },
	{ 10004, "A blocking call was interrupted" },
	{ 10009, "The descriptor is not valid" },
	{ 10013, "Access to the socket is not permitted" },
	{ 10014, "The address of a buffer is not valid" },
	{ 10022, "An argument is not valid" },
	{ 10024, "Too many sockets are open" },
	{ 10035, "The operation would block" },
	{ 10036, "A blocking operation is in progress" },
	{ 10037, "The operation is in progress on the socket already" },
	{ 10038, "It is not a socket" },
	{ 10039, "The operation needs a destination" },
	{ 10040, "The message is longer than the buffer or than is allowed" },
	{ 10041, "The protocol does not suit the type of socket" },
	{ 10042, "The protocol has no such option" },
	{ 10043, "There is no such protocol" },
	{ 10044, "The family has no such type of socket" },
	{ 10045, "The socket does not support the operation" },
	{ 10046, "There is no such family of protocols" },
	{ 10047, "The protocol does not have such addresses" },
	{ 10048, "The address is in use" },
	{ 10049, "The address is none of this machine" },
	{ 10050, "The network is down" },
	{ 10051, "The network cannot be reached" },
	{ 10052, "The connection was reset by the network" },
	{ 10053, "The connection was aborted by this machine" },
	{ 10054, "The connection was reset by the peer" },
	{ 10055, "There is no room for more buffers" },
	{ 10056, "The socket is connected already" },
	{ 10057, "The socket is not connected" },
	{ 10058, "The socket was shut down" },
	{ 10059, "Too many references to an object of the kernel" },
	{ 10060, "The peer did not answer in time" },
	{ 10061, "The peer refused the connection" },
	{ 10062, "The name leads back to itself" },
	{ 10063, "The name is too long" },
	{ 10064, "The host is down" },
	{ 10065, "The host cannot be reached" },
	{ 10066, "The directory is not empty" },
	{ 10067, "Too many processes use sockets" },
	{ 10068, "The quota of users is used up" },
	{ 10069, "The quota of the disk is used up" },
	{ 10070, "The handle of the file is stale" },
	{ 10071, "The object is remote" },
	{ 10091, "The network subsystem cannot be used" },
	{ 10092, "That version of Winsock is not supported" },
	{ 10093, "WSAStartup was not called, or WSACleanup was" },
	{ 10101, "The peer has begun to shut the connection down" },
	{ 10102, "There are no more results" },
	{ 10103, "The lookup was cancelled" },
	{ 10104, "The provider's table of procedures is not valid" },
	{ 10105, "The provider is not valid" },
	{ 10106, "The provider could not be loaded or initialised" },
	{ 10107, "A system call failed that should not" },
	{ 10108, "There is no such service" },
	{ 10109, "There is no such class" },
	{ 10110, "There are no more results" },
	{ 10111, "The lookup was cancelled" },
	{ 10112, "The query was refused" },
	{ 11001, "There is no such host" },
	{ 11002, "There is no such host, perhaps for a time only" },
	{ 11003, "An error in a lookup that is there to stay" },
	{ 11004, "The name is valid but has no data of that kind" },
};

static const char *find(DWORD error)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i].error == error)
			return texts[i].text;
	return NULL;
}

static DWORD fail(int error)
{
	wsock_error_set(error);
	return 0;
}

/*
 * Writes the text, as characters of @width bytes, to @buffer or to memory that
 * *@buffer will point to. Returns how many, without the NUL.
 */
static DWORD format(DWORD flags, DWORD error, void *buffer, DWORD size,
		    size_t width)
{
	/* Lines are not broken, but for the end, unless they must not be. */
	const char *text = find(error), *tail =
		flags & FORMAT_MESSAGE_MAX_WIDTH_MASK ? ". " : ".\r\n";
	size_t length, i, j;
	char *to = buffer;

	if (!(flags & FORMAT_MESSAGE_FROM_SYSTEM) || !buffer)
		return fail(ERROR_INVALID_PARAMETER);
	if (!text)
		return fail(ERROR_MR_MID_NOT_FOUND);
	length = strlen(text) + strlen(tail);
	if (flags & FORMAT_MESSAGE_ALLOCATE_BUFFER) {
		/* @size is the least to allocate. */
		to = LocalAlloc(LMEM_FIXED, (length < size ? size : length + 1) *
					    width);
		if (!to)
			return 0;
		memcpy(buffer, &to, sizeof(to));
	} else if (size <= length) {
		return fail(ERROR_INSUFFICIENT_BUFFER);
	}
	memset(to, 0, (length + 1) * width);
	/* ASCII, so the lowest byte is the character. */
	for (i = j = 0; i < length; i++)
		to[i * width] = (char)(*text ? *text++ : tail[j++]);
	return (DWORD)length;
}

WSOCK_EXPORT DWORD WINAPI FormatMessageA(DWORD dwFlags, LPCVOID lpSource,
					 DWORD dwMessageId, DWORD dwLanguageId,
					 LPSTR lpBuffer, DWORD nSize,
					 va_list *Arguments)
{
	(void)lpSource;
	(void)dwLanguageId;
	(void)Arguments;
	return format(dwFlags, dwMessageId, lpBuffer, nSize, sizeof(CHAR));
}

WSOCK_EXPORT DWORD WINAPI FormatMessageW(DWORD dwFlags, LPCVOID lpSource,
					 DWORD dwMessageId, DWORD dwLanguageId,
					 LPWSTR lpBuffer, DWORD nSize,
					 va_list *Arguments)
{
	(void)lpSource;
	(void)dwLanguageId;
	(void)Arguments;
	return format(dwFlags, dwMessageId, lpBuffer, nSize, sizeof(WCHAR));
}
