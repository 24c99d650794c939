// SPDX-License-Identifier: LGPL-2.1-or-later
/* The machine's addresses and interfaces, in Winsock's structures. */
#include "internal.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>

static socklen_t address_size(int family)
{
	return family == AF_INET6 ? sizeof(struct sockaddr_in6) :
				    sizeof(struct sockaddr_in);
}

static bool is_of(const struct ifaddrs *a, int family)
{
	return a->ifa_addr && a->ifa_addr->sa_family == family;
}

/* Windows does not list them: nobody can be told to connect to them. */
static bool is_listed(const struct ifaddrs *a, int family)
{
	return is_of(a, family) && a->ifa_flags & IFF_UP &&
	       !(a->ifa_flags & IFF_LOOPBACK);
}

static int get_addresses(struct ifaddrs **list)
{
	return getifaddrs(list) ? wsock_error_from_errno(errno) : 0;
}

/* A SOCKET_ADDRESS_LIST, and behind it what it points to. */
int wsock_interfaces_list_addresses(int family, void *out, DWORD size,
				    DWORD *needed)
{
	SOCKET_ADDRESS_LIST *list = out;
	socklen_t length = address_size(family);
	struct ifaddrs *all, *a;
	int error = get_addresses(&all), n = 0;
	SOCKET_ADDRESS *entry;
	char *to;

	if (error)
		return error;
	for (a = all; a; a = a->ifa_next)
		n += is_listed(a, family);
	*needed = (DWORD)(offsetof(SOCKET_ADDRESS_LIST, Address) +
			  (size_t)n * (sizeof(SOCKET_ADDRESS) + length));
	if (!out || size < *needed) {
		freeifaddrs(all);
		return WSAEFAULT;
	}
	list->iAddressCount = n;
	entry = list->Address;
	to = (char *)(entry + n);
	for (a = all; a; a = a->ifa_next) {
		if (!is_listed(a, family))
			continue;
		entry->lpSockaddr = (LPSOCKADDR)(void *)to;
		entry->iSockaddrLength = (INT)length;
		memcpy(to, a->ifa_addr, length);
		entry++;
		to += length;
	}
	freeifaddrs(all);
	return 0;
}

static ULONG flags_of(unsigned int native)
{
	return (native & IFF_UP ? WSOCK_IFF_UP : 0) |
	       (native & IFF_BROADCAST ? WSOCK_IFF_BROADCAST : 0) |
	       (native & IFF_LOOPBACK ? WSOCK_IFF_LOOPBACK : 0) |
	       (native & IFF_POINTOPOINT ? WSOCK_IFF_POINTTOPOINT : 0) |
	       (native & IFF_MULTICAST ? WSOCK_IFF_MULTICAST : 0);
}

static void put(sockaddr_gen *to, const struct sockaddr *from)
{
	if (from)
		memcpy(&to->AddressIn, from, sizeof(to->AddressIn));
}

static void fill(INTERFACE_INFO *info, const struct ifaddrs *a)
{
	memset(info, 0, sizeof(*info));
	info->iiFlags = flags_of(a->ifa_flags);
	put(&info->iiAddress, a->ifa_addr);
	put(&info->iiNetmask, a->ifa_netmask);
	if (a->ifa_flags & IFF_BROADCAST) {
		put(&info->iiBroadcastAddress, a->ifa_broadaddr);
	} else {
		info->iiBroadcastAddress.AddressIn.sin_family = AF_INET;
		info->iiBroadcastAddress.AddressIn.sin_addr.s_addr =
			INADDR_BROADCAST;
	}
}

/* An array of INTERFACE_INFO, of IPv4. */
int wsock_interfaces_list(void *out, DWORD size, DWORD *needed)
{
	INTERFACE_INFO *info = out;
	struct ifaddrs *all, *a;
	int error = get_addresses(&all);
	DWORD n = 0;

	if (error)
		return error;
	for (a = all; a; a = a->ifa_next)
		n += is_of(a, AF_INET);
	*needed = n * (DWORD)sizeof(*info);
	if (!out || size < *needed)
		error = WSAEFAULT;
	for (a = error ? NULL : all; a; a = a->ifa_next)
		if (is_of(a, AF_INET))
			fill(info++, a);
	freeifaddrs(all);
	return error;
}

int wsock_interfaces_route(const struct sockaddr *to, DWORD length,
			   struct sockaddr_storage *from, socklen_t *from_length)
{
	/* A connected datagram socket has the address that would be used. */
	int fd = socket(to->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int error = 0;

	*from_length = sizeof(*from);
	if (fd < 0)
		return wsock_error_from_errno(errno);
	if (connect(fd, to, length) ||
	    getsockname(fd, (struct sockaddr *)from, from_length))
		error = wsock_error_from_errno(errno);
	close(fd);
	/* The port is the temporary socket's. */
	if (from->ss_family == AF_INET6)
		((struct sockaddr_in6 *)from)->sin6_port = 0;
	else
		((struct sockaddr_in *)from)->sin_port = 0;
	return error;
}
