// SPDX-License-Identifier: GPL-2.0
/*
 * TransmitFile and TransmitPackets (D.11), and what ends it while it waits or runs (C27, D.9).
 */
#include <sys/mount.h>

#include "winsock.h"
#include "kselftest_harness.h"

#define KEY 0x51de

WINSOCK_FIXTURE(transmit);

static HANDLE to_handle(int fd)
{
	return (HANDLE)(uintptr_t)fd;
}

static char letter(size_t i)
{
	return 'a' + i % 26;
}

static int new_file(size_t len)
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	char *data = malloc(len);

	for (size_t i = 0; i < len; i++)
		data[i] = letter(i);
	if (write(fd, data, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET))
		abort();
	free(data);
	return fd;
}

static void transmit_init(struct operation *op, HANDLE event)
{
	operation_init(op, event);
	op->ov.Offset = op->ov.OffsetHigh = 0;
}

/* Returns 0 or the error. */
static int transmit(SOCKET s, int file, struct operation *op, LPTRANSMIT_FILE_BUFFERS bufs,
		    DWORD flags)
{
	return TransmitFile(s, file < 0 ? NULL : to_handle(file), 0, 0, op ? &op->ov : NULL, bufs,
			    flags) ? 0 : WSAGetLastError();
}

static TRANSMIT_FILE_BUFFERS head_and_tail = { "head", 4, "tail", 4 };

/* What has arrived is head, the file from @offset on, tail. */
static bool is_framed(const char *data, size_t len, size_t offset)
{
	if (memcmp(data, "head", 4) || memcmp(data + len - 4, "tail", 4))
		return false;
	for (size_t i = 4; i < len - 4; i++)
		if (data[i] != letter(offset + i - 4))
			return false;
	return true;
}

static bool arrives(int peer, size_t len, size_t offset)
{
	char *data = malloc(len);
	size_t done = 0;
	ssize_t n;
	bool is;

	/* Sending interrupts us, if it is our turn to do so. */
	while (done < len && (n = recv(peer, data + done, len - done, 0)) > 0)
		done += n;
	is = done == len && is_framed(data, len, offset);
	free(data);
	return is;
}

static bool nothing_arrives(int peer)
{
	char c;

	return recv(peer, &c, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN;
}

TEST_F(transmit, D11__errors)
{
	/* A number that nobody has. */
	int file = new_file(100), gone = 1000, pipes[2], dir, written, peer;
	WSAEVENT event = WSACreateEvent();
	struct operation op;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(pipe2(pipes, O_CLOEXEC), 0);
	dir = open("/proc", O_RDONLY | O_CLOEXEC);
	written = open("/tmp", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);
	for (int i = 0; i < 2; i++) {
		struct operation *with = i ? &op : NULL;

		transmit_init(&op, event);
		EXPECT_EQ(transmit(INVALID_SOCKET, file, with, NULL, 0), WSAENOTSOCK);
		EXPECT_EQ(transmit(bound_socket(SOCK_STREAM), file, with, NULL, 0), WSAENOTCONN);
		EXPECT_EQ(transmit(bound_socket(SOCK_DGRAM), file, with, NULL, 0), WSAENOTCONN);
		EXPECT_EQ(transmit(listening_socket(), file, with, NULL, 0), WSAENOTCONN);
		/* Handles that name no file, or no open one. */
		EXPECT_EQ(transmit(s, gone, with, NULL, 0), ERROR_INVALID_HANDLE);
		EXPECT_FALSE(TransmitFile(s, INVALID_HANDLE_VALUE, 0, 0, with ? &op.ov : NULL,
					  NULL, 0));
		EXPECT_EQ(WSAGetLastError(), ERROR_INVALID_HANDLE);
		EXPECT_FALSE(TransmitFile(s, event, 0, 0, with ? &op.ov : NULL, NULL, 0));
		EXPECT_EQ(WSAGetLastError(), ERROR_INVALID_HANDLE);
		/* Files that are none with a length. */
		EXPECT_EQ(transmit(s, pipes[0], with, NULL, 0), WSAEINVAL);
		EXPECT_EQ(transmit(s, dir, with, NULL, 0), WSAEINVAL);
		EXPECT_EQ(transmit(s, written, with, NULL, 0), WSAEINVAL);
		EXPECT_EQ(transmit(s, (int)s, with, NULL, 0), WSAEINVAL);
		EXPECT_EQ(transmit(s, file, with, NULL, 0x100), WSAEINVAL);
	}
	op.ov.hEvent = (HANDLE)0x12344;
	EXPECT_EQ(transmit(s, file, &op, NULL, 0), WSA_INVALID_HANDLE);
	EXPECT_FALSE(signalled(event));
	EXPECT_TRUE(nothing_arrives(peer));
	EXPECT_EQ(WSACleanup(), 0);
	close(dir);
	close(written);
	close(pipes[0]);
	close(pipes[1]);
	close(peer);
	close(file);
	WSACloseEvent(event);
}

TEST_F(transmit, D11__file_head_and_tail)
{
	WSAEVENT event = WSACreateEvent();
	int file = new_file(10000), peer;
	struct operation op;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	/* From where the file is, which stays there. */
	EXPECT_EQ(transmit(s, file, NULL, &head_and_tail, 0), 0);
	EXPECT_TRUE(arrives(peer, 10008, 0));
	EXPECT_EQ(lseek(file, 0, SEEK_CUR), 0);
	ASSERT_EQ(lseek(file, 9990, SEEK_SET), 9990);
	EXPECT_EQ(transmit(s, file, NULL, &head_and_tail, 0), 0);
	EXPECT_TRUE(arrives(peer, 18, 9990));
	/* From where the OVERLAPPED says, and a part only. */
	transmit_init(&op, event);
	op.ov.Offset = 27;
	EXPECT_FALSE(TransmitFile(s, to_handle(file), 3, 0, &op.ov, &head_and_tail, 0));
	EXPECT_EQ(WSAGetLastError(), WSA_IO_PENDING);
	ASSERT_TRUE(becomes_signalled(event));
	EXPECT_EQ(status(&op), STATUS_SUCCESS);
	EXPECT_EQ(op.ov.InternalHigh, 11);
	EXPECT_TRUE(arrives(peer, 11, 27));
	/* Behind the end of the file there is nothing of it. */
	transmit_init(&op, event);
	op.ov.OffsetHigh = 1;
	EXPECT_EQ(transmit(s, file, &op, &head_and_tail, 0), WSA_IO_PENDING);
	ASSERT_TRUE(becomes_signalled(event));
	EXPECT_EQ(op.ov.InternalHigh, 8);
	EXPECT_TRUE(arrives(peer, 8, 0));
	EXPECT_EQ(WSACleanup(), 0);
	close(peer);
	close(file);
	WSACloseEvent(event);
}

static int stream_pair6(SOCKET *s, int *peer)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int l = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(sin6);

	*peer = -1;
	if (!bind(l, (void *)&sin6, len) && !listen(l, 1) &&
	    !getsockname(l, (void *)&sin6, &len)) {
		*s = wsock_socket(AF_INET6, SOCK_STREAM, 0);
		if (!wsock_connect(*s, (void *)&sin6, sizeof(sin6)))
			*peer = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	}
	close(l);
	return *peer < 0 ? -1 : 0;
}

static TRANSMIT_PACKETS_ELEMENT memory_element(const char *data)
{
	return (TRANSMIT_PACKETS_ELEMENT){
		.dwElFlags = TP_ELEMENT_MEMORY, .cLength = (ULONG)strlen(data),
		.pBuffer = (PVOID)data,
	};
}

static TRANSMIT_PACKETS_ELEMENT file_element(int fd, LONGLONG offset, ULONG len)
{
	return (TRANSMIT_PACKETS_ELEMENT){
		.dwElFlags = TP_ELEMENT_FILE | TP_ELEMENT_EOP, .cLength = len,
		.nFileOffset = { .QuadPart = offset }, .hFile = to_handle(fd),
	};
}

static bool receives(int peer, const char *data)
{
	size_t len = strlen(data);
	char got[len];

	return recv(peer, got, len, MSG_WAITALL) == (ssize_t)len && !memcmp(got, data, len);
}

TEST_F(transmit, D11__packets)
{
	int file = new_file(10000), other = new_file(5), peer;
	TRANSMIT_PACKETS_ELEMENT e[] = {
		memory_element("first"), file_element(file, 1, 3), memory_element(""),
		memory_element("second"), file_element(other, 0, 0), file_element(file, -1, 2),
		memory_element("last"),
	};
	const DWORD n = sizeof(e) / sizeof(e[0]);
	const char all[] = "firstbcdsecondabcde" "kllast";
	WSAEVENT event = WSACreateEvent();
	struct operation op;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(lseek(file, 10, SEEK_SET), 10);
	EXPECT_TRUE(TransmitPackets(s, e, n, 0, NULL, TP_USE_KERNEL_APC));
	EXPECT_TRUE(receives(peer, all));
	transmit_init(&op, event);
	EXPECT_TRUE(TransmitPackets(s, e, n, 100, &op.ov, 0) ||
		    WSAGetLastError() == WSA_IO_PENDING);
	EXPECT_TRUE(receives(peer, all));
	EXPECT_EQ(WSAWaitForMultipleEvents(1, &event, FALSE, TIMEOUT_MS, FALSE), WSA_WAIT_EVENT_0);
	EXPECT_EQ(op.ov.Internal, 0);
	EXPECT_EQ(op.ov.InternalHigh, sizeof(all) - 1);
	EXPECT_TRUE(nothing_arrives(peer));
	/* Nothing to send is a success; and then the end of the stream. */
	EXPECT_TRUE(TransmitPackets(s, NULL, 0, 0, NULL, 0));
	EXPECT_TRUE(nothing_arrives(peer));
	EXPECT_TRUE(TransmitPackets(s, e, 1, 0, NULL, TP_DISCONNECT));
	EXPECT_TRUE(receives(peer, "first"));
	EXPECT_EQ(recv(peer, &op, 1, 0), 0);
	closesocket(s);
	close(peer);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	EXPECT_TRUE(TransmitPackets(s, NULL, 0, 0, NULL, TP_DISCONNECT));
	EXPECT_EQ(recv(peer, &op, 1, 0), 0);
	EXPECT_EQ(WSACleanup(), 0);
	close(peer);
	close(file);
	close(other);
	WSACloseEvent(event);
}

/* As many as there may be, which do not fit into the socket; the array need not stay. */
TEST_F(transmit, D11__packets_that_wait)
{
	const int len = 20000, n = WSOCK_MAX_TRANSMITS, total = n / 2 * (len + 1);
	TRANSMIT_PACKETS_ELEMENT *e = calloc(n + 1, sizeof(*e));
	int file = new_file(len), peer, bad = 0, done = 0;
	char *got = malloc(len);
	struct operation op;
	ssize_t k;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	for (int i = 0; i < n; i++)
		e[i] = i & 1 ? file_element(file, 0, 0) : memory_element("*");
	transmit_init(&op, NULL);
	EXPECT_FALSE(TransmitPackets(s, e, n + 1, 0, &op.ov, 0));
	EXPECT_EQ(WSAGetLastError(), WSAENOBUFS);
	EXPECT_FALSE(TransmitPackets(s, e, n, 0, &op.ov, 0));
	EXPECT_EQ(WSAGetLastError(), WSA_IO_PENDING);
	memset(e, 0xff, n * sizeof(*e));
	free(e);
	/* Sending interrupts us, if it is our turn to do so. */
	while (done < total && (k = recv(peer, got, len, 0)) > 0)
		for (ssize_t i = 0; i < k; i++, done++)
			bad += got[i] != (done % (len + 1) ? letter(done % (len + 1) - 1) : '*');
	EXPECT_EQ(done, total);
	EXPECT_EQ(bad, 0);
	EXPECT_TRUE(wait_for(op.ov.Internal != STATUS_PENDING));
	EXPECT_EQ(op.ov.Internal, 0);
	EXPECT_EQ(op.ov.InternalHigh, total);
	EXPECT_TRUE(nothing_arrives(peer));
	EXPECT_EQ(WSACleanup(), 0);
	free(got);
	close(peer);
	close(file);
}

TEST_F(transmit, D11__packets_errors)
{
	TRANSMIT_PACKETS_ELEMENT e[] = { memory_element("x"), memory_element("y") };
	const ULONG flags[] = { 0, TP_ELEMENT_EOP, TP_ELEMENT_MEMORY | TP_ELEMENT_FILE,
				TP_ELEMENT_MEMORY | 8 };
	int peer;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	EXPECT_FALSE(TransmitPackets(bound_socket(SOCK_STREAM), e, 2, 0, NULL, 0));
	EXPECT_EQ(WSAGetLastError(), WSAENOTCONN);
	EXPECT_FALSE(TransmitPackets(s, NULL, 2, 0, NULL, 0));
	EXPECT_EQ(WSAGetLastError(), WSAEFAULT);
	EXPECT_FALSE(TransmitPackets(s, e, 2, 0, NULL, 0x100));
	EXPECT_EQ(WSAGetLastError(), WSAEINVAL);
	for (int i = 0; i < 4; i++) {
		e[1].dwElFlags = flags[i];
		EXPECT_FALSE(TransmitPackets(s, e, 2, 0, NULL, 0));
		EXPECT_EQ(WSAGetLastError(), WSAEINVAL);
	}
	e[1] = file_element(1000, 0, 0);
	EXPECT_FALSE(TransmitPackets(s, e, 2, 0, NULL, 0));
	EXPECT_EQ(WSAGetLastError(), ERROR_INVALID_HANDLE);
	e[1].hFile = NULL;
	EXPECT_FALSE(TransmitPackets(s, e, 2, 0, NULL, 0));
	EXPECT_EQ(WSAGetLastError(), ERROR_INVALID_HANDLE);
	e[1] = file_element((int)s, 0, 0);
	EXPECT_FALSE(TransmitPackets(s, e, 2, 0, NULL, 0));
	EXPECT_EQ(WSAGetLastError(), WSAEINVAL);
	EXPECT_TRUE(nothing_arrives(peer));
	EXPECT_EQ(WSACleanup(), 0);
	close(peer);
}

/* The error of an operation that has ended. */
static int wsa_result(SOCKET s, struct operation *op)
{
	DWORD bytes, flags;

	return WSAGetOverlappedResult(s, &op->ov, &bytes, FALSE, &flags) ? 0 : WSAGetLastError();
}

/* The next datagram that comes is @data. */
static bool packet_is(int peer, const char *data)
{
	struct pollfd pfd = { .fd = peer, .events = POLLIN };
	size_t len = strlen(data);
	char got[64];

	return poll(&pfd, 1, TIMEOUT_MS) == 1 &&
	       recv(peer, got, sizeof(got), MSG_DONTWAIT) == (ssize_t)len &&
	       !memcmp(got, data, len);
}

/* Each element, or what is between two ends, is a datagram. */
TEST_F(transmit, D11__packets_of_datagrams)
{
	int file = new_file(100), peer = udp_socket();
	struct sockaddr_in sin = loopback(local_port(peer));
	TRANSMIT_PACKETS_ELEMENT e[] = {
		memory_element("first"), file_element(file, 1, 3), memory_element("second"),
		file_element(file, 97, 0), memory_element("last"),
	};
	const DWORD n = sizeof(e) / sizeof(e[0]);
	struct operation op;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	s = bound_socket(SOCK_DGRAM);
	EXPECT_FALSE(TransmitPackets(s, e, n, 0, NULL, 0));
	EXPECT_EQ(WSAGetLastError(), WSAENOTCONN);
	ASSERT_EQ(wsock_connect(s, sa(&sin), sizeof(sin)), 0);
	EXPECT_TRUE(TransmitPackets(s, e, n, 0, NULL, 0));
	EXPECT_TRUE(packet_is(peer, "first"));
	EXPECT_TRUE(packet_is(peer, "bcd"));
	EXPECT_TRUE(packet_is(peer, "second"));
	EXPECT_TRUE(packet_is(peer, (char[]){ letter(97), letter(98), letter(99), 0 }));
	EXPECT_TRUE(packet_is(peer, "last"));
	EXPECT_TRUE(nothing_arrives(peer));
	/* As it is marked; the last one ends in any case. */
	transmit_init(&op, NULL);
	EXPECT_TRUE(TransmitPackets(s, e, n, 0xffffffff, &op.ov, 0) ||
		    WSAGetLastError() == WSA_IO_PENDING);
	EXPECT_TRUE(packet_is(peer, "firstbcd"));
	EXPECT_TRUE(packet_is(peer, (char[]){ 's', 'e', 'c', 'o', 'n', 'd', letter(97),
					      letter(98), letter(99), 0 }));
	EXPECT_TRUE(packet_is(peer, "last"));
	EXPECT_TRUE(nothing_arrives(peer));
	EXPECT_TRUE(wait_for(op.ov.Internal != STATUS_PENDING));
	EXPECT_EQ(op.ov.Internal, 0);
	EXPECT_EQ(op.ov.InternalHigh, 5 + 3 + 6 + 3 + 4);
	/* A datagram has no connection to end, and a limit; so has a TransmitFile. */
	EXPECT_FALSE(TransmitPackets(s, e, n, 0, NULL, TP_DISCONNECT));
	EXPECT_EQ(WSAGetLastError(), WSAEOPNOTSUPP);
	EXPECT_FALSE(TransmitPackets(s, e, n, 0, NULL, 0x100));
	EXPECT_EQ(WSAGetLastError(), WSAEINVAL);
	EXPECT_FALSE(TransmitFile(s, to_handle(file), 0, 0, NULL, NULL, 0));
	EXPECT_EQ(WSAGetLastError(), WSAENOTCONN);
	close(file);
	file = new_file(70000);
	e[1] = file_element(file, 0, 0);
	transmit_init(&op, NULL);
	EXPECT_FALSE(TransmitPackets(s, e, n, 0, &op.ov, 0));
	EXPECT_EQ(WSAGetLastError(), WSA_IO_PENDING);
	EXPECT_TRUE(wait_for(op.ov.Internal != STATUS_PENDING));
	EXPECT_EQ(wsa_result(s, &op), WSAEMSGSIZE);
	EXPECT_EQ(op.ov.InternalHigh, 5);
	EXPECT_TRUE(packet_is(peer, "first"));
	EXPECT_TRUE(nothing_arrives(peer));
	EXPECT_EQ(WSACleanup(), 0);
	close(peer);
	close(file);
}

/* More than there is room for: each waits, none is lost, cut or mixed with others. */
TEST_F(transmit, D11__packets_of_datagrams_that_wait)
{
	TRANSMIT_PACKETS_ELEMENT e[WSOCK_MAX_TRANSMITS];
	static char data[8000], got[sizeof(data) + 1];
	int fds[2], on = 4096, whole = 0;
	struct operation op;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(udp_pair(fds), 0);
	ASSERT_EQ(wsock_adopt(fds[0]), 0);
	s = (SOCKET)fds[0];
	ASSERT_EQ(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &on, sizeof(on)), 0);
	on = 32 << 20;
	ASSERT_EQ(setsockopt(fds[1], SOL_SOCKET, SO_RCVBUFFORCE, &on, sizeof(on)), 0);
	memset(data, 'd', sizeof(data));
	for (int i = 0; i < WSOCK_MAX_TRANSMITS; i++)
		e[i] = (TRANSMIT_PACKETS_ELEMENT){
			.dwElFlags = TP_ELEMENT_MEMORY | (i & 1 ? TP_ELEMENT_EOP : 0),
			.cLength = sizeof(data) / 2, .pBuffer = data,
		};
	transmit_init(&op, NULL);
	EXPECT_TRUE(TransmitPackets(s, e, WSOCK_MAX_TRANSMITS, 0xffffffff, &op.ov, 0) ||
		    WSAGetLastError() == WSA_IO_PENDING);
	for (int i = 0; i < WSOCK_MAX_TRANSMITS / 2; i++) {
		struct pollfd pfd = { .fd = fds[1], .events = POLLIN };

		ASSERT_EQ(poll(&pfd, 1, TIMEOUT_MS), 1);
		whole += recv(fds[1], got, sizeof(got), 0) == sizeof(data) &&
			 !memcmp(got, data, sizeof(data));
	}
	EXPECT_EQ(whole, WSOCK_MAX_TRANSMITS / 2);
	EXPECT_TRUE(wait_for(op.ov.Internal != STATUS_PENDING));
	EXPECT_EQ(op.ov.Internal, 0);
	EXPECT_EQ(op.ov.InternalHigh, WSOCK_MAX_TRANSMITS * sizeof(data) / 2);
	EXPECT_EQ(WSACleanup(), 0);
	close(fds[1]);
}

TEST_F(transmit, D11__IPv6)
{
	int file = new_file(100000), peer;
	struct operation op;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair6(&s, &peer), 0);
	EXPECT_EQ(transmit(s, file, NULL, &head_and_tail, 0), 0);
	EXPECT_TRUE(arrives(peer, 100008, 0));
	transmit_init(&op, NULL);
	EXPECT_EQ(transmit(s, file, &op, &head_and_tail, TF_DISCONNECT), WSA_IO_PENDING);
	EXPECT_TRUE(arrives(peer, 100008, 0));
	EXPECT_EQ(peer_end(peer), 0);
	EXPECT_TRUE(wait_for(status(&op) == STATUS_SUCCESS));
	EXPECT_EQ(op.ov.InternalHigh, 100008);
	EXPECT_EQ(WSACleanup(), 0);
	close(peer);
	close(file);
}

/* E, test_TransmitFile: that is done, and told as what is done at once. */
TEST_F(transmit, E__nothing_to_send)
{
	TRANSMIT_FILE_BUFFERS empty = { "head", 0, "tail", 0 };
	WSAEVENT event = WSACreateEvent();
	struct operation op;
	struct taken t;
	HANDLE port;
	SOCKET s;
	int peer;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	EXPECT_EQ(transmit(s, -1, NULL, NULL, 0), 0);
	EXPECT_EQ(transmit(s, -1, NULL, &empty, 0), 0);
	transmit_init(&op, event);
	EXPECT_EQ(transmit(s, -1, &op, &empty, 0), 0);
	EXPECT_EQ(status(&op), STATUS_SUCCESS);
	EXPECT_EQ(op.ov.InternalHigh, 0);
	EXPECT_TRUE(signalled(event));
	port = CreateIoCompletionPort((HANDLE)s, NULL, KEY, 0);
	transmit_init(&op, NULL);
	EXPECT_EQ(transmit(s, -1, &op, NULL, 0), 0);
	t = take_packet(port, 0);
	EXPECT_TRUE(t.ret && t.ov == &op.ov && t.key == KEY && !t.bytes);
	ASSERT_TRUE(SetFileCompletionNotificationModes((HANDLE)s,
						       FILE_SKIP_COMPLETION_PORT_ON_SUCCESS));
	EXPECT_EQ(transmit(s, -1, &op, NULL, 0), 0);
	EXPECT_TRUE(is_none(take_packet(port, 0), WAIT_TIMEOUT));
	/* Without an OVERLAPPED there never is a packet. */
	EXPECT_EQ(transmit(s, -1, NULL, &head_and_tail, 0), 0);
	EXPECT_TRUE(is_none(take_packet(port, 0), WAIT_TIMEOUT));
	EXPECT_TRUE(arrives(peer, 8, 0));
	/* To end the direction is something to do. */
	EXPECT_EQ(transmit(s, -1, &op, NULL, TF_DISCONNECT), WSA_IO_PENDING);
	EXPECT_EQ(peer_end(peer), 0);
	t = take_packet(port, TIMEOUT_MS);
	EXPECT_TRUE(t.ret && t.ov == &op.ov && !t.bytes);
	EXPECT_TRUE(CloseHandle(port));
	EXPECT_EQ(WSACleanup(), 0);
	close(peer);
	WSACloseEvent(event);
}

TEST_F(transmit, D5__packet_with_the_sum)
{
	WSAEVENT event = WSACreateEvent();
	int file = new_file(1 << 20), peer;
	struct operation op;
	struct taken t;
	HANDLE port;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	port = CreateIoCompletionPort((HANDLE)s, NULL, KEY, 0);
	/* It pends, so the mode changes nothing; without and with an event. */
	ASSERT_TRUE(SetFileCompletionNotificationModes((HANDLE)s,
						       FILE_SKIP_COMPLETION_PORT_ON_SUCCESS));
	for (int i = 0; i < 2; i++) {
		transmit_init(&op, i ? event : NULL);
		EXPECT_EQ(transmit(s, file, &op, &head_and_tail, 0), WSA_IO_PENDING);
		EXPECT_TRUE(arrives(peer, (1 << 20) + 8, 0));
		t = take_packet(port, TIMEOUT_MS);
		EXPECT_TRUE(t.ret && t.ov == &op.ov && t.key == KEY && t.error == 4711);
		EXPECT_EQ(t.bytes, (1 << 20) + 8);
		EXPECT_EQ(op.ov.InternalHigh, t.bytes);
		EXPECT_EQ(signalled(event), i);
	}
	/* None with the lowest bit, but the event. */
	transmit_init(&op, (HANDLE)((uintptr_t)event | 1));
	EXPECT_EQ(transmit(s, file, &op, &head_and_tail, 0), WSA_IO_PENDING);
	EXPECT_TRUE(arrives(peer, (1 << 20) + 8, 0));
	EXPECT_TRUE(becomes_signalled(event));
	EXPECT_TRUE(is_none(take_packet(port, 0), WAIT_TIMEOUT));
	EXPECT_TRUE(CloseHandle(port));
	EXPECT_EQ(WSACleanup(), 0);
	close(peer);
	close(file);
	WSACloseEvent(event);
}

/* D.7: whole, also when the connection takes it in pieces of no page. */
TEST_F(transmit, D7__sends_are_complete)
{
	int file = new_file(1 << 16), l = tcp_listener(), peer, least = 1;
	struct sockaddr_in sin = loopback(local_port(l));
	struct operation op;
	SOCKET s;

	/* Segments follow the window, and the buffer is full with a few of them. */
	ASSERT_EQ(setsockopt(l, SOL_SOCKET, SO_RCVBUF, &least, sizeof(least)), 0);
	ASSERT_EQ(startup(), 0);
	s = wsock_socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_TRUE(set_option(s, SOL_SOCKET, SO_SNDBUF, least));
	ASSERT_EQ(wsock_connect(s, sa(&sin), sizeof(sin)), 0);
	peer = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	transmit_init(&op, NULL);
	EXPECT_EQ(transmit(s, file, &op, &head_and_tail, 0), WSA_IO_PENDING);
	EXPECT_TRUE(arrives(peer, (1 << 16) + 8, 0));
	EXPECT_TRUE(wait_for(status(&op) == STATUS_SUCCESS));
	EXPECT_EQ(op.ov.InternalHigh, (1 << 16) + 8);
	EXPECT_EQ(WSACleanup(), 0);
	close(peer);
	close(file);
	close(l);
}

/* The file is given back with the end of the operation, whatever that was. */
TEST_F(transmit, D11__file_is_not_kept)
{
	char dir[] = "/tmp/transmit.XXXXXX", path[64];
	struct operation op;
	int file, peer;
	SOCKET s;

	ASSERT_NE(mkdtemp(dir), NULL);
	ASSERT_EQ(mount("none", dir, "tmpfs", 0, NULL), 0);
	snprintf(path, sizeof(path), "%s/file", dir);
	file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ASSERT_EQ(ftruncate(file, 16 << 20), 0);
	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	ASSERT_EQ(lseek(file, -100, SEEK_END), (16 << 20) - 100);
	EXPECT_EQ(transmit(s, file, NULL, NULL, 0), 0);
	for (int i = 0; i < 2; i++) {
		transmit_init(&op, NULL);
		EXPECT_EQ(transmit(s, file, &op, NULL, 0), WSA_IO_PENDING);
		close(file);
		/* In use until the end. */
		EXPECT_EQ(umount(dir), -1);
		EXPECT_EQ(errno, EBUSY);
		if (i)
			break;
		EXPECT_TRUE(CancelIoEx((HANDLE)s, &op.ov));
		EXPECT_TRUE(wait_for(status(&op) == STATUS_CANCELLED));
		file = open(path, O_RDONLY | O_CLOEXEC);
	}
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_TRUE(wait_for(!umount(dir)));
	rmdir(dir);
	close(peer);
}

/* What it has sent when the peer resets is in the packet of the failure. */
TEST_F(transmit, D9__reset_by_the_peer)
{
	struct linger abort = { .l_onoff = 1 };
	int file = new_file(32 << 20), peer;
	struct operation op;
	struct taken t;
	HANDLE port;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	ASSERT_EQ(stream_pair(&s, &peer), 0);
	port = CreateIoCompletionPort((HANDLE)s, NULL, KEY, 0);
	transmit_init(&op, NULL);
	EXPECT_EQ(transmit(s, file, &op, &head_and_tail, 0), WSA_IO_PENDING);
	EXPECT_EQ(status(&op), STATUS_PENDING);
	ASSERT_EQ(setsockopt(peer, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort)), 0);
	close(peer);
	t = take_packet(port, TIMEOUT_MS);
	EXPECT_TRUE(!t.ret && t.ov == &op.ov && t.key == KEY);
	EXPECT_EQ(t.error, ERROR_NETNAME_DELETED);
	EXPECT_EQ(t.bytes, op.ov.InternalHigh);
	EXPECT_GT(t.bytes, 4);
	EXPECT_EQ(status(&op), STATUS_CONNECTION_RESET);
	EXPECT_TRUE(CloseHandle(port));
	EXPECT_EQ(WSACleanup(), 0);
	close(file);
}

static int connect_again(SOCKET s, int l)
{
	struct sockaddr_in sin = loopback(local_port(l));

	return wsock_connect(s, sa(&sin), sizeof(sin)) ? WSAGetLastError() : 0;
}

/* E: and the socket after it, which can, or cannot, be connected again. */
TEST_F(transmit, D11__disconnect_and_reuse)
{
	static const struct { DWORD flags; bool ends, reuse; } rows[] = {
		{ 0, false, false },
		{ TF_WRITE_BEHIND, false, false },
		/* Means nothing by itself. */
		{ TF_REUSE_SOCKET, false, false },
		{ TF_DISCONNECT, true, false },
		{ TF_DISCONNECT | TF_WRITE_BEHIND, true, false },
		{ TF_DISCONNECT | TF_REUSE_SOCKET, true, true },
	};
	int file = new_file(1000), l = tcp_listener(), peer, a;
	WSAEVENT event = WSACreateEvent();
	struct operation op;
	SOCKET s;

	ASSERT_EQ(startup(), 0);
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		DWORD flags = rows[i / 2].flags;
		bool ends = rows[i / 2].ends, reuse = rows[i / 2].reuse;

		ASSERT_EQ(stream_pair(&s, &peer), 0);
		transmit_init(&op, event);
		EXPECT_EQ(transmit(s, i % 2 ? file : -1, &op, &head_and_tail, flags),
			  WSA_IO_PENDING);
		EXPECT_TRUE(arrives(peer, i % 2 ? 1008 : 8, 0)) TH_LOG("%x", flags);
		if (ends) {
			EXPECT_EQ(peer_end(peer), 0) TH_LOG("%x", flags);
		} else {
			EXPECT_TRUE(nothing_arrives(peer)) TH_LOG("%x", flags);
		}
		if (reuse) {
			EXPECT_EQ(status(&op), STATUS_PENDING);
			close(peer);
		}
		EXPECT_TRUE(becomes_signalled(event)) TH_LOG("%x", flags);
		EXPECT_EQ(status(&op), STATUS_SUCCESS) TH_LOG("%x", flags);
		EXPECT_EQ(op.ov.InternalHigh, i % 2 ? 1008 : 8);
		EXPECT_EQ(connect_again(s, l), reuse ? 0 : WSAEISCONN) TH_LOG("%x", flags);
		if (reuse) {
			a = accept4(l, NULL, NULL, SOCK_CLOEXEC);
			EXPECT_EQ(transmit(s, file, NULL, &head_and_tail, 0), 0);
			EXPECT_TRUE(arrives(a, 1008, 0));
			close(a);
		} else {
			EXPECT_EQ(wsock_send(s, "x", 1, 0), ends ? -1 : 1) TH_LOG("%x", flags);
			if (ends)
				EXPECT_EQ(WSAGetLastError(), WSAESHUTDOWN) TH_LOG("%x", flags);
			close(peer);
		}
		EXPECT_EQ(closesocket(s), 0);
	}
	EXPECT_EQ(WSACleanup(), 0);
	close(file);
	close(l);
	WSACloseEvent(event);
}

/* C27: with a peer that reads nothing. */
TEST_F(transmit, C27__while_it_waits)
{
	WSAEVENT event[3];
	int file = new_file(32 << 20), peer[3];
	struct operation op[3];
	SOCKET s[3];

	ASSERT_EQ(startup(), 0);
	for (int i = 0; i < 3; i++) {
		event[i] = WSACreateEvent();
		ASSERT_EQ(stream_pair(&s[i], &peer[i]), 0);
		transmit_init(&op[i], event[i]);
		EXPECT_EQ(transmit(s[i], file, &op[i], NULL, 0), WSA_IO_PENDING);
		EXPECT_EQ(status(&op[i]), STATUS_PENDING);
	}
	EXPECT_TRUE(CancelIoEx((HANDLE)s[0], &op[0].ov));
	EXPECT_TRUE(becomes_signalled(event[0]));
	EXPECT_EQ(status(&op[0]), STATUS_CANCELLED);
	EXPECT_GT(op[0].ov.InternalHigh, 0);
	EXPECT_EQ(closesocket(s[1]), 0);
	EXPECT_EQ(status(&op[1]), STATUS_CONNECTION_ABORTED);
	EXPECT_TRUE(signalled(event[1]));
	EXPECT_EQ(WSACleanup(), 0);
	EXPECT_EQ(status(&op[2]), STATUS_CANCELLED);
	EXPECT_EQ(peer_end(peer[2]), -ECONNRESET);
	EXPECT_TRUE(stays_unsignalled(event[2], QUIET_MS));
	for (int i = 0; i < 3; i++) {
		close(peer[i]);
		WSACloseEvent(event[i]);
	}
	close(file);
}

/* Reads all that comes from a peer, and counts it. */
struct reader {
	int peer;
	size_t bytes;
	int end;
	pthread_t thread;
};

static void *read_all(void *arg)
{
	struct reader *r = arg;
	char *sink = malloc(1 << 16);
	ssize_t n;

	while ((n = recv(r->peer, sink, 1 << 16, 0)) > 0)
		__atomic_add_fetch(&r->bytes, n, __ATOMIC_RELEASE);
	r->end = n ? -errno : 0;
	free(sink);
	return NULL;
}

static size_t bytes_read(struct reader *r)
{
	return __atomic_load_n(&r->bytes, __ATOMIC_ACQUIRE);
}

/* The thread that has begun it, and that sends as long as there is room. */
struct sender {
	SOCKET s;
	int file, error;
	struct operation op;
	bool stop;
	pthread_t thread;
};

static void *begin_and_send(void *arg)
{
	struct sender *sender = arg;

	sender->error = transmit(sender->s, sender->file, &sender->op, NULL, 0);
	while (!__atomic_load_n(&sender->stop, __ATOMIC_ACQUIRE))
		nap();
	return NULL;
}

enum end { CANCEL, CLOSE, CLEANUP, ENDS };

/*
 * C27, C37: with a peer that reads all the time, at some point of a file. Nothing
 * of it is lost that was said to be sent, nothing is sent that was not said.
 */
TEST_F_TIMEOUT(transmit, C27__while_it_runs, 60)
{
	const size_t size = 32 << 20;
	int file = new_file(size);

	for (int round = 0; round < 8 * ENDS; round++) {
		HANDLE event = WSACreateEvent();
		struct sender t = { .file = file };
		size_t begin = (size_t)round << 16;
		enum end end = round % ENDS;
		WSAOVERLAPPED *ov = &t.op.ov;
		struct reader r = { 0 };

		ASSERT_EQ(startup(), 0);
		ASSERT_EQ(stream_pair(&t.s, &r.peer), 0);
		transmit_init(&t.op, event);
		ASSERT_EQ(pthread_create(&r.thread, NULL, read_all, &r), 0);
		ASSERT_EQ(pthread_create(&t.thread, NULL, begin_and_send, &t), 0);
		EXPECT_TRUE(wait_for(bytes_read(&r) > begin));
		EXPECT_EQ(status(&t.op), STATUS_PENDING) TH_LOG("round %d", round);
		switch (end) {
		case CANCEL:
			EXPECT_TRUE(CancelIoEx((HANDLE)t.s, ov));
			EXPECT_TRUE(becomes_signalled(event)) TH_LOG("round %d", round);
			EXPECT_EQ(status(&t.op), STATUS_CANCELLED);
			EXPECT_EQ(wsock_shutdown(t.s, SD_SEND), 0);
			break;
		case CLOSE:
			EXPECT_EQ(closesocket(t.s), 0);
			EXPECT_EQ(status(&t.op), STATUS_CONNECTION_ABORTED);
			EXPECT_TRUE(signalled(event));
			break;
		default:
			EXPECT_EQ(WSACleanup(), 0);
			EXPECT_EQ(status(&t.op), STATUS_CANCELLED);
			EXPECT_FALSE(signalled(event));
		}
		pthread_join(r.thread, NULL);
		EXPECT_LT(ov->InternalHigh, size);
		if (end == CLEANUP) {
			EXPECT_EQ(r.end, -ECONNRESET) TH_LOG("round %d", round);
			EXPECT_LE(r.bytes, ov->InternalHigh) TH_LOG("round %d", round);
			EXPECT_TRUE(holds_nothing());
		} else {
			EXPECT_EQ(r.end, 0) TH_LOG("round %d", round);
			EXPECT_EQ(r.bytes, ov->InternalHigh) TH_LOG("round %d", round);
			EXPECT_EQ(WSACleanup(), 0);
		}
		__atomic_store_n(&t.stop, true, __ATOMIC_RELEASE);
		pthread_join(t.thread, NULL);
		EXPECT_EQ(t.error, WSA_IO_PENDING);
		close(r.peer);
		WSACloseEvent(event);
	}
	close(file);
}

/* H19: the peer sees a reset, and neither file nor socket stays. */
TEST_F_TIMEOUT(transmit, H19__killed, 60)
{
	int file = new_file(32 << 20);

	for (int round = 0; round < 8; round++) {
		int l = tcp_listener(), peer, st;
		struct reader r = { 0 };
		pid_t pid = fork();

		if (!pid) {
			struct sockaddr_in sin = loopback(local_port(l));
			struct operation op;
			SOCKET s;

			if (startup())
				_exit(1);
			s = wsock_socket(AF_INET, SOCK_STREAM, 0);
			transmit_init(&op, NULL);
			if (wsock_connect(s, sa(&sin), sizeof(sin)) ||
			    transmit(s, file, &op, NULL, 0) != WSA_IO_PENDING)
				_exit(2);
			pause();
		}
		peer = r.peer = accept4(l, NULL, NULL, SOCK_CLOEXEC);
		ASSERT_GE(peer, 0);
		if (round % 2) {
			ASSERT_EQ(pthread_create(&r.thread, NULL, read_all, &r), 0);
			EXPECT_TRUE(wait_for(bytes_read(&r) > (size_t)round << 15));
		} else {
			EXPECT_EQ(poll(&(struct pollfd){ .fd = peer, .events = POLLIN }, 1,
				       TIMEOUT_MS), 1);
		}
		EXPECT_EQ(kill(pid, SIGKILL), 0);
		EXPECT_EQ(waitpid(pid, &st, 0), pid);
		EXPECT_TRUE(WIFSIGNALED(st));
		if (round % 2)
			pthread_join(r.thread, NULL);
		else
			r.end = peer_end(peer);
		EXPECT_EQ(r.end, -ECONNRESET) TH_LOG("round %d", round);
		close(peer);
		close(l);
	}
	close(file);
}

TEST_HARNESS_MAIN
