// SPDX-License-Identifier: LGPL-2.1-or-later
/* Addresses, byte order and the host's name. */
#include "internal.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- Works without WSAStartup ---- */

WSOCK_EXPORT wsock_u_long WSAAPI wsock_inet_addr(const char *cp)
{
	/* Windows' answers for these two. */
	if (!cp || !strcmp(cp, " "))
		return INADDR_ANY;
	return inet_addr(cp);
}

WSOCK_EXPORT char * WSAAPI wsock_inet_ntoa(struct in_addr in)
{
	static __thread char text[sizeof("255.255.255.255")];
	const uint8_t *byte = (const uint8_t *)&in;

	snprintf(text, sizeof(text), "%u.%u.%u.%u", byte[0], byte[1], byte[2],
		 byte[3]);
	return text;
}

WSOCK_EXPORT INT WSAAPI wsock_inet_pton(INT af, PCSTR src, PVOID dst)
{
	if (af != AF_INET && af != AF_INET6)
		return wsock_error_set(WSAEAFNOSUPPORT);
	if (!src || !dst)
		return wsock_error_set(WSAEFAULT);
	return inet_pton(af, src, dst);
}

WSOCK_EXPORT PCSTR WSAAPI wsock_inet_ntop(INT af, const VOID *src, PSTR dst,
					  size_t size)
{
	socklen_t room = size > INT_MAX ? INT_MAX : (socklen_t)size;

	if (af != AF_INET && af != AF_INET6) {
		wsock_error_set(WSAEAFNOSUPPORT);
		return NULL;
	}
	if (!src || !dst) {
		wsock_error_set(WSAEFAULT);
		return NULL;
	}
	if (!inet_ntop(af, src, dst, room)) {
		wsock_error_set(ERROR_INVALID_PARAMETER);
		return NULL;
	}
	return dst;
}

WSOCK_EXPORT INT WSAAPI InetPtonW(INT Family, PCWSTR pszAddrString,
				  PVOID pAddrBuf)
{
	char text[INET6_ADDRSTRLEN];

	if (Family != AF_INET && Family != AF_INET6)
		return wsock_error_set(WSAEAFNOSUPPORT);
	if (!pszAddrString || !pAddrBuf)
		return wsock_error_set(WSAEFAULT);
	/* What is longer is no address. */
	if (!wsock_wide_to_utf8(pszAddrString, text, sizeof(text)))
		return 0;
	return inet_pton(Family, text, pAddrBuf);
}

WSOCK_EXPORT PCWSTR WSAAPI InetNtopW(INT Family, const VOID *pAddr,
				     PWSTR pStringBuf, size_t StringBufSize)
{
	char text[INET6_ADDRSTRLEN];
	PSTR room = pStringBuf ? text : NULL;

	if (!wsock_inet_ntop(Family, pAddr, room, sizeof(text)))
		return NULL;
	/* cppcheck-suppress uninitvar ; written through @room */
	if (strlen(text) >= StringBufSize) {
		wsock_error_set(ERROR_INVALID_PARAMETER);
		return NULL;
	}
	wsock_wide_from_utf8(text, pStringBuf, StringBufSize);
	return pStringBuf;
}

/* ---- Needs WSAStartup ---- */

/* Every transport here has network byte order; still, @s must be a socket. */
static bool check_order(SOCKET s, const void *result)
{
	struct wsock_call call;

	if (!wsock_call_enter(&call, s))
		return false;
	if (wsock_socket_type(call.fd) < 0) {
		wsock_error_set(wsock_error_from_errno(errno));
		return false;
	}
	if (!result) {
		wsock_error_set(WSAEFAULT);
		return false;
	}
	return true;
}

WSOCK_EXPORT int WSAAPI WSAHtonl(SOCKET s, wsock_u_long hostlong,
				 wsock_u_long *lpnetlong)
{
	if (!check_order(s, lpnetlong))
		return SOCKET_ERROR;
	*lpnetlong = htonl(hostlong);
	return 0;
}

WSOCK_EXPORT int WSAAPI WSAHtons(SOCKET s, u_short hostshort,
				 u_short *lpnetshort)
{
	if (!check_order(s, lpnetshort))
		return SOCKET_ERROR;
	*lpnetshort = htons(hostshort);
	return 0;
}

WSOCK_EXPORT int WSAAPI WSANtohl(SOCKET s, wsock_u_long netlong,
				 wsock_u_long *lphostlong)
{
	return WSAHtonl(s, netlong, lphostlong);
}

WSOCK_EXPORT int WSAAPI WSANtohs(SOCKET s, u_short netshort,
				 u_short *lphostshort)
{
	return WSAHtons(s, netshort, lphostshort);
}

/* Both variants; @name has room for @namelen characters of @wide size. */
static int get_host_name(void *name, int namelen, bool wide)
{
	char own[HOST_NAME_MAX + 1];
	size_t count = name && namelen > 0 ? (size_t)namelen : 0;
	struct wsock_call call;

	if (!wsock_call_enter(&call, INVALID_SOCKET))
		return SOCKET_ERROR;
	if (gethostname(own, sizeof(own)))
		return wsock_error_set(WSAENETDOWN);
	own[HOST_NAME_MAX] = '\0';
	return wsock_text_put(own, wide, name, count) > count ?
		       wsock_error_set(WSAEFAULT) : 0;
}

WSOCK_EXPORT int WSAAPI wsock_gethostname(char *name, int namelen)
{
	return get_host_name(name, namelen, false);
}

WSOCK_EXPORT int WSAAPI GetHostNameW(PWSTR name, int namelen)
{
	return get_host_name(name, namelen, true);
}

/* ---- Addresses with ports, as text ---- */

void wsock_addr_map_v4(struct sockaddr_in6 *to, const struct sockaddr_in *from)
{
	struct sockaddr_in in = *from;

	memset(to, 0, sizeof(*to));
	to->sin6_family = AF_INET6;
	to->sin6_port = in.sin_port;
	to->sin6_addr.s6_addr[10] = 0xff;
	to->sin6_addr.s6_addr[11] = 0xff;
	memcpy(&to->sin6_addr.s6_addr[12], &in.sin_addr, sizeof(in.sin_addr));
}

/* "[", address, "%", scope, "]:", port. */
_Static_assert(WSOCK_ADDR_TEXT >= INET6_ADDRSTRLEN + 20, "all fits");

int wsock_addr_to_text(const struct sockaddr *name, size_t len,
		       char text[WSOCK_ADDR_TEXT])
{
	const struct sockaddr_in *in = (const void *)name;
	const struct sockaddr_in6 *in6 = (const void *)name;
	char address[INET6_ADDRSTRLEN], scope[16] = "", port[8] = "";
	bool brackets;

	if (!name || len < sizeof(*in))
		return WSAEFAULT;
	if (name->sa_family == AF_INET) {
		inet_ntop(AF_INET, &in->sin_addr, address, sizeof(address));
	} else if (name->sa_family == AF_INET6) {
		if (len < sizeof(*in6))
			return WSAEFAULT;
		inet_ntop(AF_INET6, &in6->sin6_addr, address, sizeof(address));
		if (in6->sin6_scope_id)
			snprintf(scope, sizeof(scope), "%%%u",
				 in6->sin6_scope_id);
	} else {
		return WSAEINVAL;
	}
	/* Both kinds have the port in one place. */
	if (in->sin_port)
		snprintf(port, sizeof(port), ":%u", ntohs(in->sin_port));
	brackets = name->sa_family == AF_INET6 && in->sin_port;
	snprintf(text, WSOCK_ADDR_TEXT, "%s%s%s%s%s", brackets ? "[" : "", address,
		 scope, brackets ? "]" : "", port);
	return 0;
}

static INT address_to_string(const struct sockaddr *name, DWORD len,
			     void *string, LPDWORD room, bool wide)
{
	char text[WSOCK_ADDR_TEXT];
	struct wsock_call call;
	size_t count, needed;
	int error;

	if (!wsock_call_enter(&call, INVALID_SOCKET))
		return SOCKET_ERROR;
	if (!room)
		return wsock_error_set(WSAEFAULT);
	error = wsock_addr_to_text(name, len, text);
	if (error)
		return wsock_error_set(error);
	count = string ? *room : 0;
	needed = wsock_text_put(text, wide, string, count);
	*room = (DWORD)needed;
	return needed > count ? wsock_error_set(WSAEFAULT) : 0;
}

WSOCK_EXPORT INT WSAAPI WSAAddressToStringA(LPSOCKADDR lpsaAddress,
					    DWORD dwAddressLength,
					    LPWSAPROTOCOL_INFOA lpProtocolInfo,
					    LPSTR lpszAddressString,
					    LPDWORD lpdwAddressStringLength)
{
	(void)lpProtocolInfo;
	return address_to_string(lpsaAddress, dwAddressLength,
				 lpszAddressString, lpdwAddressStringLength,
				 false);
}

WSOCK_EXPORT INT WSAAPI WSAAddressToStringW(LPSOCKADDR lpsaAddress,
					    DWORD dwAddressLength,
					    LPWSAPROTOCOL_INFOW lpProtocolInfo,
					    LPWSTR lpszAddressString,
					    LPDWORD lpdwAddressStringLength)
{
	(void)lpProtocolInfo;
	return address_to_string(lpsaAddress, dwAddressLength,
				 lpszAddressString, lpdwAddressStringLength,
				 true);
}

/* A number up to @max that ends at @end, all of it; false for something else. */
static bool parse_number(const char *text, unsigned long max,
			 unsigned long *number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoul(text, &end, 10);
	return !*end && !errno && *number <= max;
}

/* Splits off and reads ":port", if there is one at @colon. */
static bool parse_port(char *colon, uint16_t *port)
{
	unsigned long number = 0;

	if (colon) {
		if (!parse_number(colon + 1, UINT16_MAX, &number))
			return false;
		*colon = '\0';
	}
	*port = htons((uint16_t)number);
	return true;
}

static bool parse_in(char *text, struct sockaddr_in *in)
{
	/* inet_aton() stops at a blank. */
	return parse_port(strchr(text, ':'), &in->sin_port) &&
	       !strpbrk(text, " \t\n\v\f\r") &&
	       inet_aton(text, &in->sin_addr);
}

static bool parse_in6(char *text, struct sockaddr_in6 *in6)
{
	unsigned long scope = 0;
	char *end;

	if (*text == '[') {
		text++;
		end = strchr(text, ']');
		if (!end || (end[1] && end[1] != ':') ||
		    !parse_port(end[1] ? end + 1 : NULL, &in6->sin6_port))
			return false;
		*end = '\0';
	}
	end = strchr(text, '%');
	if (end) {
		if (!parse_number(end + 1, UINT32_MAX, &scope))
			return false;
		*end = '\0';
	}
	in6->sin6_scope_id = (uint32_t)scope;
	return inet_pton(AF_INET6, text, &in6->sin6_addr) == 1;
}

bool wsock_addr_from_text(char *text, int family, struct sockaddr_in6 *name)
{
	memset(name, 0, sizeof(*name));
	name->sin6_family = (sa_family_t)family;
	return family == AF_INET6 ? parse_in6(text, name) :
				    parse_in(text, (struct sockaddr_in *)name);
}

/* @text is changed; NULL for one that is too long. */
static INT text_to_address(char *text, INT family, struct sockaddr *name,
			   LPINT len)
{
	INT size = family == AF_INET6 ? sizeof(struct sockaddr_in6) :
					sizeof(struct sockaddr_in);
	struct sockaddr_in6 parsed;

	if (family != AF_INET && family != AF_INET6)
		return wsock_error_set(WSAEINVAL);
	if (*len < size) {
		*len = size;
		return wsock_error_set(WSAEFAULT);
	}
	if (!text || !wsock_addr_from_text(text, family, &parsed))
		return wsock_error_set(WSAEINVAL);
	memcpy(name, &parsed, (size_t)size);
	*len = size;
	return 0;
}

static INT string_to_address(const void *string, bool wide, INT family,
			     struct sockaddr *name, LPINT len)
{
	char text[WSOCK_ADDR_TEXT];
	struct wsock_call call;
	bool fits;

	if (!wsock_call_enter(&call, INVALID_SOCKET))
		return SOCKET_ERROR;
	if (!name || !len)
		return wsock_error_set(WSAEFAULT);
	fits = string && wsock_text_get(string, wide, text, sizeof(text));
	return text_to_address(fits ? text : NULL, family, name, len);
}

WSOCK_EXPORT INT WSAAPI WSAStringToAddressA(LPSTR AddressString,
					    INT AddressFamily,
					    LPWSAPROTOCOL_INFOA lpProtocolInfo,
					    LPSOCKADDR lpAddress,
					    LPINT lpAddressLength)
{
	(void)lpProtocolInfo;
	return string_to_address(AddressString, false, AddressFamily, lpAddress,
				 lpAddressLength);
}

WSOCK_EXPORT INT WSAAPI WSAStringToAddressW(LPWSTR AddressString,
					    INT AddressFamily,
					    LPWSAPROTOCOL_INFOW lpProtocolInfo,
					    LPSOCKADDR lpAddress,
					    LPINT lpAddressLength)
{
	(void)lpProtocolInfo;
	return string_to_address(AddressString, true, AddressFamily, lpAddress,
				 lpAddressLength);
}
