// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Calls whose argument is a structure of the program, of any content and size:
 * options, controls, buffers, control data, destinations, hints. The sockets are
 * real ones, that talk to each other at most.
 */
#include "fuzz.h"

#include <mswsock.h>
#include <mstcpip.h>
#include <netinet/in.h>

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_register();
	return 0;
}

/* One of four kinds; datagram sockets have an address. */
static int make_socket(unsigned int kind)
{
	int family = kind & 1 ? AF_INET6 : AF_INET;
	int type = kind & 2 ? SOCK_STREAM : SOCK_DGRAM;
	struct sockaddr_in6 any = { .sin6_family = (sa_family_t)family };
	int fd = socket(family, type | SOCK_NONBLOCK, 0);

	/* A machine may be without IPv6. */
	if (fd >= 0 && type == SOCK_DGRAM)
		EXPECT(!bind(fd, (struct sockaddr *)&any, sizeof(any)));
	return fd;
}

static int level_of(uint8_t byte)
{
	static const int levels[] = {
		SOL_SOCKET, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, IPPROTO_UDP,
	};

	return byte < 250 ? levels[byte % 5] : byte;
}

static void options(struct input *in, SOCKET s)
{
	int level = level_of(fuzz_byte(in)), name = (int)fuzz_number(in), len;
	size_t size = fuzz_byte(in);
	char *value = fuzz_room(in, size);

	/* Names are small, but for SO_CONNECT_TIME and its kin. */
	if (name > 0 && name < 0x10000000)
		name &= 0xffff;
	wsock_setsockopt(s, level, name, value, (int)size);
	len = (int)size;
	wsock_getsockopt(s, level, name, value, &len);
	free(value);
}

static void control(struct input *in, SOCKET s)
{
	static const DWORD codes[] = {
		(DWORD)WSOCK_FIONBIO, (DWORD)WSOCK_FIONREAD,
		(DWORD)WSOCK_SIOCATMARK, SIO_KEEPALIVE_VALS,
		SIO_GET_EXTENSION_FUNCTION_POINTER, SIO_ADDRESS_LIST_QUERY,
		SIO_GET_INTERFACE_LIST, SIO_ROUTING_INTERFACE_QUERY,
		SIO_GET_BROADCAST_ADDRESS, SIO_IDEAL_SEND_BACKLOG_QUERY,
		SIO_BASE_HANDLE, SIO_MULTIPOINT_LOOPBACK, SIO_MULTICAST_SCOPE,
		SIO_UDP_CONNRESET,
	};
	uint8_t which = fuzz_byte(in);
	DWORD size = fuzz_byte(in), room = fuzz_byte(in), bytes = 0;
	void *arg = fuzz_room(in, size), *out = malloc(room);
	size_t n = sizeof(codes) / sizeof(*codes);

	if (!WSAIoctl(s, which < 250 ? codes[which % n] : fuzz_number(in), arg,
		      size, out, room, &bytes, NULL, NULL))
		EXPECT(bytes <= room);
	fcntl((int)s, F_SETFL, O_NONBLOCK);
	free(out);
	free(arg);
}

/* Control data that came from somewhere: the walk ends, and within the data. */
static void control_data(struct input *in)
{
	WSAMSG msg = { .Control.len = (ULONG)in->left };
	const WSACMSGHDR *cmsg;
	const char *data;
	size_t n = 0;

	msg.Control.buf = fuzz_room(in, in->left);
	for (cmsg = WSA_CMSG_FIRSTHDR(&msg); cmsg;
	     cmsg = WSA_CMSG_NXTHDR(&msg, (WSACMSGHDR *)cmsg)) {
		data = (const char *)WSA_CMSG_DATA(cmsg);
		EXPECT(data <= msg.Control.buf + msg.Control.len);
		n++;
	}
	EXPECT(n <= msg.Control.len / sizeof(WSACMSGHDR));
	free(msg.Control.buf);
}

/* A message of some buffers, as the bytes say, to the datagram socket itself. */
static void message(struct input *in, SOCKET s)
{
	DWORD count = fuzz_byte(in) % 20, bytes, i, flags = fuzz_number(in);
	int tolen = fuzz_byte(in);
	WSABUF *buffers = malloc(count * sizeof(*buffers));
	struct sockaddr *to = fuzz_room(in, (size_t)tolen);
	struct sockaddr_storage from;
	int fromlen = fuzz_byte(in) % (int)sizeof(from);
	WSAMSG msg = {
		.name = to, .namelen = tolen, .lpBuffers = buffers,
		.dwBufferCount = count,
	};

	for (i = 0; i < count; i++) {
		buffers[i].len = fuzz_byte(in);
		buffers[i].buf = fuzz_room(in, buffers[i].len);
	}
	/* Only what stays on this machine. */
	if (tolen >= (int)sizeof(struct sockaddr_in))
		((struct sockaddr_in *)(void *)to)->sin_addr.s_addr =
			htonl(INADDR_LOOPBACK);
	if (tolen >= (int)sizeof(struct sockaddr_in6))
		((struct sockaddr_in6 *)(void *)to)->sin6_addr =
			(struct in6_addr)IN6ADDR_LOOPBACK_INIT;
	WSASendTo(s, buffers, count, &bytes, flags, to, tolen, NULL, NULL);
	msg.Control.len = fuzz_byte(in);
	msg.Control.buf = fuzz_room(in, msg.Control.len);
	WSASendMsg(s, &msg, flags, &bytes, NULL, NULL);
	WSARecvFrom(s, buffers, count, &bytes, &flags, (struct sockaddr *)&from,
		    &fromlen, NULL, NULL);
	msg.dwFlags = flags;
	WSARecvMsg(s, &msg, &bytes, NULL, NULL);
	for (i = 0; i < count; i++)
		free(buffers[i].buf);
	free(msg.Control.buf);
	free(to);
	free(buffers);
}

/* Names that are numbers, and any hints: nobody is asked. */
static void lookup(struct input *in)
{
	struct wsock_addrinfo hints = {
		.ai_flags = (int)fuzz_number(in) | WSOCK_AI_NUMERICHOST,
		.ai_family = fuzz_byte(in) % 12,
		.ai_socktype = fuzz_byte(in) % 8,
		.ai_protocol = fuzz_byte(in) % 20,
	}, *list = NULL, *ai;
	char service[8], host[NI_MAXHOST], port[NI_MAXSERV];
	char *node;

	fuzz_take(in, service, sizeof(service));
	service[sizeof(service) - 1] = '\0';
	node = fuzz_text(in, 1);
	if (!wsock_getaddrinfo(node, service, &hints, &list)) {
		EXPECT(list);
		for (ai = list; ai; ai = ai->ai_next)
			EXPECT(!wsock_getnameinfo(ai->ai_addr,
						  (socklen_t)ai->ai_addrlen,
						  host, sizeof(host), port,
						  sizeof(port),
						  WSOCK_NI_NUMERICHOST |
						  WSOCK_NI_NUMERICSERV));
		wsock_freeaddrinfo(list);
	}
	free(node);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	int fd = make_socket(fuzz_byte(&in));
	SOCKET s = (SOCKET)fd, calls = 0;

	/* One after another: what an option has changed may matter. */
	while (in.left && calls++ < 8) {
		switch (fuzz_byte(&in) % 5) {
		case 0:
			options(&in, s);
			break;
		case 1:
			control(&in, s);
			break;
		case 2:
			control_data(&in);
			break;
		case 3:
			message(&in, s);
			break;
		default:
			lookup(&in);
		}
	}
	close(fd);
	return 0;
}
