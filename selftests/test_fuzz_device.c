// SPDX-License-Identifier: GPL-2.0
/*
 * Sequences of calls of the device, of completion ports, and of operations by ioctl
 * and as commands of io_uring, made up at random from what the interface has: each
 * field of each structure with what it may be, what it may just not be, or anything.
 *
 * Where the kernel tells which code of the module a thread has run (KCOV), a sequence
 * that has run new code is kept, and most of what is tried is such a one, changed a
 * little; with constants that the module has compared something of it with. On
 * other kernels what is tried is as random as before, and nothing is learnt.
 *
 * WSOCK_ITERATIONS sets how many sequences there are, WSOCK_SECONDS how long they go
 * on at most, WSOCK_SEED the random choices, WSOCK_CORPUS a file that sequences come
 * from and go to.
 */
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <linux/kcov.h>

#include "ports.h"
#include "uring.h"
#include "kselftest_harness.h"

#define SEQUENCES	1500	/* WSOCK_ITERATIONS sets it */
#define REPORT_MS	10000	/* how often to tell how far it is */
#define MAX_CALLS	16
#define MAX_FIELDS	32
#define MAX_CORPUS	2048
#define MAX_CONSTANTS	1024
#define MAX_PCS		(1U << 16)	/* a power of 2, far more than the module has */

static unsigned long iterations;
static double end_ms;
static unsigned int seed;

static void __attribute__((constructor)) choose(void)
{
	unsigned long seconds = env_number("WSOCK_SECONDS", 0);

	seed = env_seed();
	iterations = env_number("WSOCK_ITERATIONS", SEQUENCES);
	if (seconds) {
		end_ms = now_ms() + seconds * 1e3;
		iterations = ~0UL;
	}
}

/* ---- What there is to call ---- */

/* Descriptors that each sequence begins with. Those of sockets are owned but SPARE. */
enum fds {
	DEV, TCP, TCP_PEER, UDP, UDP_PEER, LISTENER, ACCEPTOR, CONNECTING, SPARE, PORT,
	EVENT, REGULAR, FDS
};

enum type {
	FIXED,		/* @arg */
	FD,		/* that one, or another */
	FLAGS,		/* within @arg */
	OV,		/* where a status block is, or may be */
	ADDR,		/* of memory to receive into or send from */
	LEN,		/* of that */
	COUNT,		/* a small number up to @arg */
	SOME,		/* the size of one of @arg bytes, or two */
	NS,		/* time-outs */
	PID,
	TOKEN,		/* of the last offer */
	POINTER,	/* to @arg in the call's own memory */
};

/* A call's own memory: the argument, what that points to, and what that does. */
#define INNER	128
#define IOV	256
#define BLOCK	320

struct field {
	enum type type;
	unsigned int at, size;
	unsigned long long arg;
};

#define F(base, s, m, type, arg) \
	{ type, (base) + offsetof(struct s, m), sizeof(((struct s *)0)->m), arg }

struct call_kind {
	const char *name;
	unsigned long cmd;	/* 0: an operation as a command of a ring; @special */
	int (*special)(void);
	bool fails;		/* always, and should */
	struct field fields[MAX_FIELDS];
};

#define CMD_FLAGS (WSOCK_CMD_STATUS | WSOCK_CMD_EVENT | WSOCK_CMD_APC | WSOCK_CMD_NO_PACKET)

#define SUBMIT(op_, fd_, addr_, addr_arg, len_, len_arg, msg)			\
	F(0, wsock_submit, op, FIXED, op_), F(0, wsock_submit, fd, FD, fd_),	\
	F(0, wsock_submit, addr, addr_, addr_arg),				\
	F(0, wsock_submit, len, len_, len_arg),					\
	F(0, wsock_submit, tag, FIXED, 0), F(0, wsock_submit, key, FIXED, 0),	\
	F(0, wsock_submit, cmd.ov, OV, 0),					\
	F(0, wsock_submit, cmd.event_fd, FIXED, 0),				\
	F(0, wsock_submit, cmd.flags, FLAGS, CMD_FLAGS),			\
	F(0, wsock_submit, cmd.msg_flags, FLAGS, msg)

#define SQE_CMD(m, type, arg) \
	{ type, offsetof(struct io_uring_sqe, cmd) + offsetof(struct wsock_cmd, m),	\
	  sizeof(((struct wsock_cmd *)0)->m), arg }
#define RING(op_, fd_, addr_, addr_arg, len_, len_arg, msg)			\
	F(0, io_uring_sqe, flags, FLAGS, IOSQE_ASYNC | IOSQE_IO_LINK),		\
	F(0, io_uring_sqe, ioprio, FIXED, 0), F(0, io_uring_sqe, fd, FD, DEV),	\
	F(0, io_uring_sqe, cmd_op, FIXED, op_),					\
	F(0, io_uring_sqe, addr, addr_, addr_arg),				\
	F(0, io_uring_sqe, len, len_, len_arg),					\
	F(0, io_uring_sqe, rw_flags, FIXED, 0),					\
	F(0, io_uring_sqe, buf_index, FIXED, 0),				\
	F(0, io_uring_sqe, splice_fd_in, FD, fd_),				\
	SQE_CMD(ov, OV, 0), SQE_CMD(event_fd, FIXED, 0),			\
	SQE_CMD(flags, FLAGS, WSOCK_CMD_STATUS | WSOCK_CMD_EVENT),		\
	SQE_CMD(msg_flags, FLAGS, msg)

#define MSG_FIELDS(name_len, out)						\
	F(INNER, wsock_msg, iov, POINTER, IOV),					\
	F(INNER, wsock_msg, iovlen, COUNT, 2),					\
	F(INNER, wsock_msg, name, POINTER, IOV + 32),				\
	F(INNER, wsock_msg, namelen, FIXED, name_len),				\
	F(INNER, wsock_msg, control, ADDR, 0),					\
	F(INNER, wsock_msg, controllen, FIXED, 0),				\
	F(INNER, wsock_msg, pad, FIXED, 0),					\
	F(INNER, wsock_msg, namelen_out, out, 0),				\
	F(INNER, wsock_msg, controllen_out, out, 0),				\
	F(INNER, wsock_msg, flags_out, out, 0),					\
	F(IOV, iovec, iov_base, ADDR, 0), F(IOV, iovec, iov_len, LEN, 0),	\
	F(IOV + 16, iovec, iov_base, ADDR, 0), F(IOV + 16, iovec, iov_len, LEN, 0)

#define ACCEPT_FIELDS								\
	F(INNER, wsock_accept, buffer, ADDR, 0),				\
	F(INNER, wsock_accept, data_len, COUNT, 64),				\
	F(INNER, wsock_accept, local_len, FIXED, sizeof(struct sockaddr_in) + 16),	\
	F(INNER, wsock_accept, remote_len, FIXED, sizeof(struct sockaddr_in) + 16),	\
	F(INNER, wsock_accept, fd, FD, ACCEPTOR),				\
	F(INNER, wsock_accept, flags, FIXED, 0), F(INNER, wsock_accept, pad, FIXED, 0)

#define TRANSMIT_FIELDS_AT(base)						\
	F(base, wsock_transmit, head, ADDR, 0),					\
	F(base, wsock_transmit, headlen, LEN, 0),				\
	F(base, wsock_transmit, tail, ADDR, 0),					\
	F(base, wsock_transmit, taillen, LEN, 0),				\
	F(base, wsock_transmit, offset, COUNT, 5000),				\
	F(base, wsock_transmit, bytes, COUNT, 5000),				\
	F(base, wsock_transmit, fd, FD, REGULAR),				\
	F(base, wsock_transmit, flags, FLAGS,					\
	  WSOCK_TRANSMIT_DISCONNECT | WSOCK_TRANSMIT_REUSE | WSOCK_TRANSMIT_EOP)
#define TRANSMIT_FIELDS								\
	TRANSMIT_FIELDS_AT(INNER),						\
	TRANSMIT_FIELDS_AT(INNER + sizeof(struct wsock_transmit))

#define RECV_FLAGS	(MSG_OOB | MSG_PEEK | MSG_WAITALL)
#define SEND_FLAGS	(MSG_OOB | MSG_DONTROUTE | MSG_EOR | MSG_MORE)

static int peer_sends(void);
static int peer_ends(void);
static int datagram_comes(void);
static int client_comes(void);
static int plain_close(void);
static int reap(void);
static int event_is_read(void);

static const struct call_kind kinds[] = {
	{ "FEATURES", WSOCK_IOC_FEATURES, .fields = {
		F(0, wsock_features, size, FIXED, sizeof(struct wsock_features)),
		F(0, wsock_features, flags, FIXED, 0),
		F(0, wsock_features, features, FIXED, 0),
		F(0, wsock_features, ops, FIXED, 0) } },
	{ "STARTUP", WSOCK_IOC_STARTUP },
	{ "CLEANUP", WSOCK_IOC_CLEANUP },
	{ "ADOPT", WSOCK_IOC_ADOPT, .fields = {
		F(0, wsock_socket_args, fd, FD, SPARE),
		F(0, wsock_socket_args, flags, FIXED, 0) } },
	{ "CLOSE", WSOCK_IOC_CLOSE, .fields = {
		F(0, wsock_socket_args, fd, FD, TCP),
		F(0, wsock_socket_args, flags, FIXED, 0) } },
	{ "SUBMIT RECV", WSOCK_IOC_SUBMIT, .fields = {
		SUBMIT(WSOCK_OP_RECV, TCP, ADDR, 0, LEN, 0, RECV_FLAGS) } },
	{ "SUBMIT SEND", WSOCK_IOC_SUBMIT, .fields = {
		SUBMIT(WSOCK_OP_SEND, TCP, ADDR, 0, LEN, 0, SEND_FLAGS) } },
	{ "SUBMIT RECVMSG", WSOCK_IOC_SUBMIT, .fields = {
		SUBMIT(WSOCK_OP_RECVMSG, UDP, POINTER, INNER, FIXED,
		       sizeof(struct wsock_msg), RECV_FLAGS),
		MSG_FIELDS(0, ADDR) } },
	{ "SUBMIT SENDMSG", WSOCK_IOC_SUBMIT, .fields = {
		SUBMIT(WSOCK_OP_SENDMSG, UDP, POINTER, INNER, FIXED,
		       sizeof(struct wsock_msg), SEND_FLAGS),
		MSG_FIELDS(sizeof(struct sockaddr_in), FIXED) } },
	{ "SUBMIT ACCEPT", WSOCK_IOC_SUBMIT, .fields = {
		SUBMIT(WSOCK_OP_ACCEPT, LISTENER, POINTER, INNER, FIXED,
		       sizeof(struct wsock_accept), 0),
		ACCEPT_FIELDS } },
	{ "SUBMIT CONNECT", WSOCK_IOC_SUBMIT, .fields = {
		SUBMIT(WSOCK_OP_CONNECT, CONNECTING, ADDR, 0, LEN, 0, 0xff) } },
	{ "SUBMIT TRANSMIT", WSOCK_IOC_SUBMIT, .fields = {
		SUBMIT(WSOCK_OP_TRANSMIT, TCP, POINTER, INNER, SOME,
		       sizeof(struct wsock_transmit), 0),
		TRANSMIT_FIELDS } },
	{ "SUBMIT TRANSMIT packets", WSOCK_IOC_SUBMIT, .fields = {
		SUBMIT(WSOCK_OP_TRANSMIT, UDP, POINTER, INNER, SOME,
		       sizeof(struct wsock_transmit), 0),
		TRANSMIT_FIELDS } },
	{ "SUBMIT DISCONNECT", WSOCK_IOC_SUBMIT, .fields = {
		SUBMIT(WSOCK_OP_DISCONNECT, TCP, FIXED, 0, FLAGS, WSOCK_DISCONNECT_REUSE, 0) } },
	{ "SUBMIT NOTIFY", WSOCK_IOC_SUBMIT, .fields = {
		SUBMIT(WSOCK_OP_NOTIFY, TCP, FIXED, 0, FIXED, 0, 0xff) } },
	{ "SUBMIT ADDRESSES", WSOCK_IOC_SUBMIT, .fields = {
		SUBMIT(WSOCK_OP_ADDRESSES, TCP, FIXED, 0, FIXED, 0, 0) } },
	/* It names the operations of before: of the socket, and where they are. */
	{ "CANCEL", WSOCK_IOC_CANCEL, .fields = {
		F(0, wsock_cancel, fd, FD, TCP), F(0, wsock_cancel, flags, FLAGS,
						   WSOCK_CANCEL_ALL | WSOCK_CANCEL_THREAD |
						   WSOCK_CANCEL_SENDS),
		F(0, wsock_cancel, ov, OV, 0) } },
	{ "WAIT", WSOCK_IOC_WAIT, .fields = {
		F(0, wsock_wait, ov, OV, 0), F(0, wsock_wait, timeout_ns, NS, 0),
		F(0, wsock_wait, flags, FLAGS, WSOCK_PORT_ALERTABLE),
		F(0, wsock_wait, alert_fd, FIXED, 0) } },
	{ "PORT", WSOCK_IOC_PORT, .fields = {
		F(0, wsock_port_args, concurrency, COUNT, 4),
		F(0, wsock_port_args, flags, FIXED, 0) } },
	{ "ASSOCIATE", WSOCK_IOC_ASSOCIATE, .fields = {
		F(0, wsock_associate, fd, FD, TCP), F(0, wsock_associate, port_fd, FD, PORT),
		F(0, wsock_associate, key, COUNT, 4) } },
	{ "MODES", WSOCK_IOC_MODES, .fields = {
		F(0, wsock_modes, fd, FD, TCP),
		F(0, wsock_modes, modes, FLAGS, WSOCK_MODE_SKIP_ON_SUCCESS | WSOCK_MODE_SKIP_EVENT) } },
	{ "SOCKET_EVENT", WSOCK_IOC_SOCKET_EVENT, .fields = {
		F(0, wsock_socket_event, fd, FD, TCP),
		F(0, wsock_socket_event, event_fd, FD, EVENT) } },
	{ "PORT POST", WSOCK_PORT_IOC_POST, .fields = {
		F(0, wsock_packet, key, COUNT, 4), F(0, wsock_packet, ov, OV, 0),
		F(0, wsock_packet, internal, FIXED, 0), F(0, wsock_packet, bytes, COUNT, 9),
		F(0, wsock_packet, flags, FIXED, 0) } },
	{ "PORT GET", WSOCK_PORT_IOC_GET, .fields = {
		F(0, wsock_port_get, packets, ADDR, 0), F(0, wsock_port_get, count, COUNT, 4),
		F(0, wsock_port_get, flags, FLAGS, WSOCK_PORT_ALERTABLE),
		F(0, wsock_port_get, timeout_ns, NS, 0),
		F(0, wsock_port_get, alert_fd, FIXED, 0), F(0, wsock_port_get, pad, FIXED, 0) } },
	{ "PORT CLOSE", WSOCK_PORT_IOC_CLOSE },
	{ "EVENT_SELECT", WSOCK_IOC_EVENT_SELECT, .fields = {
		F(0, wsock_event_select, fd, FD, TCP), F(0, wsock_event_select, event_fd, FD, EVENT),
		F(0, wsock_event_select, mask, COUNT, 0x3f),
		F(0, wsock_event_select, flags, FLAGS, WSOCK_EVENT_INHERIT) } },
	{ "EVENT_ENUM", WSOCK_IOC_EVENT_ENUM, .fields = {
		F(0, wsock_event_enum, fd, FD, TCP), F(0, wsock_event_enum, event_fd, FD, EVENT),
		F(0, wsock_event_enum, flags, FIXED, 0) } },
	{ "EVENT_ENABLE", WSOCK_IOC_EVENT_ENABLE, .fields = {
		F(0, wsock_event_enable, fd, FD, TCP),
		F(0, wsock_event_enable, mask, COUNT, 0x3f) } },
	{ "DUPLICATE", WSOCK_IOC_DUPLICATE, .fields = {
		F(0, wsock_duplicate, fd, FD, TCP), F(0, wsock_duplicate, pid, PID, 0),
		F(0, wsock_duplicate, token, FIXED, 0), F(0, wsock_duplicate, flags, FIXED, 0) } },
	{ "TAKE", WSOCK_IOC_TAKE, .fields = {
		F(0, wsock_take, token, TOKEN, 0), F(0, wsock_take, flags, FIXED, 0) } },
	{ "PEEK", WSOCK_IOC_PEEK, .fields = {
		F(0, wsock_peek, fd, FD, LISTENER), F(0, wsock_peek, flags, FIXED, 0) } },
	{ "RING RECV", .fields = {
		RING(WSOCK_OP_RECV, TCP, ADDR, 0, LEN, 0, RECV_FLAGS) } },
	{ "RING SEND", .fields = {
		RING(WSOCK_OP_SEND, TCP, ADDR, 0, LEN, 0, SEND_FLAGS) } },
	{ "RING RECVMSG", .fields = {
		RING(WSOCK_OP_RECVMSG, UDP, POINTER, INNER, FIXED, sizeof(struct wsock_msg),
		     RECV_FLAGS),
		MSG_FIELDS(0, ADDR) } },
	{ "RING SENDMSG", .fields = {
		RING(WSOCK_OP_SENDMSG, UDP, POINTER, INNER, FIXED, sizeof(struct wsock_msg),
		     SEND_FLAGS),
		MSG_FIELDS(sizeof(struct sockaddr_in), FIXED) } },
	{ "RING ACCEPT", .fails = true, .fields = {
		RING(WSOCK_OP_ACCEPT, LISTENER, POINTER, INNER, FIXED,
		     sizeof(struct wsock_accept), 0),
		ACCEPT_FIELDS } },
	{ "RING CONNECT", .fields = {
		RING(WSOCK_OP_CONNECT, CONNECTING, ADDR, 0, LEN, 0, 0xff) } },
	{ "RING TRANSMIT", .fields = {
		RING(WSOCK_OP_TRANSMIT, TCP, POINTER, INNER, SOME,
		     sizeof(struct wsock_transmit), 0),
		TRANSMIT_FIELDS } },
	{ "RING DISCONNECT", .fields = {
		RING(WSOCK_OP_DISCONNECT, TCP, FIXED, 0, FLAGS, WSOCK_DISCONNECT_REUSE, 0) } },
	{ "RING NOTIFY", .fields = {
		RING(WSOCK_OP_NOTIFY, TCP, FIXED, 0, FIXED, 0, 0xff) } },
	{ "RING ADDRESSES", .fields = {
		RING(WSOCK_OP_ADDRESSES, TCP, FIXED, 0, FIXED, 0, 0) } },
	/* What is no call of the module, but leads to it. */
	{ "peer sends", .special = peer_sends },
	{ "peer ends", .special = peer_ends },
	{ "datagram", .special = datagram_comes },
	{ "client", .special = client_comes },
	{ "plain close", .special = plain_close },
	{ "reap", .special = reap },
	{ "event read", .special = event_is_read },
};

#define KINDS	(sizeof(kinds) / sizeof(*kinds))

static int kind_named(const char *name)
{
	for (unsigned int i = 0; i < KINDS; i++) {
		if (!strcmp(kinds[i].name, name))
			return i;
	}
	abort();
}

/* ---- Sequences ---- */

/*
 * What a field is: its highest byte says whether it is what it may be (then the rest
 * says which of that), something on the edge, or the rest itself. 0 is what makes the
 * call succeed.
 */
#define EDGE	(0xc0ull << 56)
#define RAW	(0xf0ull << 56)
#define REST	((1ull << 56) - 1)

struct call {
	unsigned int kind;
	/* 0: a descriptor for what is to be told is there if the flags say so */
	unsigned int loose;
	unsigned long long choice[MAX_FIELDS];
};

struct sequence {
	unsigned int n;
	struct call calls[MAX_CALLS];
};

static unsigned long long constants[MAX_CONSTANTS];	/* from the module */
static unsigned int n_constants;

static unsigned int below(unsigned int n)
{
	return rand_r(&seed) % n;
}

static unsigned long long any(void)
{
	return (unsigned long long)rand_r(&seed) << 32 ^ (unsigned long long)rand_r(&seed) << 16 ^
	       rand_r(&seed);
}

static unsigned long long any_choice(void)
{
	switch (below(10)) {
	case 0:
		return EDGE | below(256);
	case 1:
		if (n_constants)
			return RAW | (constants[below(n_constants)] & REST);
		return RAW | (any() & REST);
	case 2 ... 4:
		return 0;
	default:
		return any() & REST;
	}
}

static void any_call(struct call *c)
{
	c->kind = below(KINDS);
	c->loose = !below(10);
	/* Most calls are right in most. */
	for (int i = 0; i < MAX_FIELDS; i++)
		c->choice[i] = below(4) ? 0 : any_choice();
}

static void any_sequence(struct sequence *s)
{
	s->n = 1 + below(MAX_CALLS);
	for (unsigned int i = 0; i < s->n; i++)
		any_call(&s->calls[i]);
}

static unsigned int n_fields(const struct call *c)
{
	unsigned int n = 0;

	while (n < MAX_FIELDS && kinds[c->kind].fields[n].size)
		n++;
	return n;
}

static void change(struct sequence *s, const struct sequence *other)
{
	unsigned int at = below(s->n), fields;

	switch (below(8)) {
	case 0:
		any_call(&s->calls[at]);
		break;
	case 1:
		if (s->n > 1)
			memmove(&s->calls[at], &s->calls[at + 1],
				(--s->n - at) * sizeof(*s->calls));
		break;
	case 2:
	case 3:
		if (s->n == MAX_CALLS)
			break;
		memmove(&s->calls[at + 1], &s->calls[at], (s->n++ - at) * sizeof(*s->calls));
		if (below(2))
			any_call(&s->calls[at]);
		break;
	case 4:
		/* The other one's rest. */
		for (; at < MAX_CALLS && at < other->n; at++)
			s->calls[at] = other->calls[at];
		if (at > s->n)
			s->n = at;
		break;
	default:
		fields = n_fields(&s->calls[at]);
		if (fields)
			s->calls[at].choice[below(fields)] = any_choice();
	}
}

/* ---- What calls work on ---- */

static int pool[FDS];
static unsigned char *data;	/* PAGES, the last is read-only; beyond, nothing is allowed */
static unsigned char blocks[MAX_CALLS][BLOCK] __attribute__((aligned(16)));
static unsigned int token;
static struct io_uring ring;
static bool have_ring;
static int first_fd;

#define PAGES	16
#define PAGE	4096

/* One connection that is there, one that the listener has, one that is about to be. */
static bool begin(void)
{
	struct sockaddr_in sin;
	int fds[2];

	memset(pool, 0xff, sizeof(pool));
	pool[DEV] = dev_started();
	pool[LISTENER] = tcp_listener();
	sin = loopback(local_port(pool[LISTENER]));
	if (tcp_pair(fds))
		return false;
	pool[TCP] = fds[0];
	pool[TCP_PEER] = fds[1];
	if (udp_pair(fds))
		return false;
	pool[UDP] = fds[0];
	pool[UDP_PEER] = fds[1];
	pool[ACCEPTOR] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pool[SPARE] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	pool[CONNECTING] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	connect(pool[CONNECTING], (struct sockaddr *)&sin, sizeof(sin));
	pool[PORT] = port_new(pool[DEV], 1);
	pool[EVENT] = new_event();
	pool[REGULAR] = syscall(SYS_memfd_create, "file", 1);
	if (pool[REGULAR] < 0 || ftruncate(pool[REGULAR], 10000))
		return false;
	for (int i = 0; i < FDS; i++) {
		if (pool[i] < 0)
			return false;
		if (i >= TCP && i < SPARE && i != TCP_PEER && i != UDP_PEER &&
		    dev_adopt(pool[DEV], pool[i]))
			return false;
	}
	token = 0;
	return true;
}

/* What pends ends by the end of its ring, or by the final release. */
static void end(bool ring_first)
{
	if (!ring_first)
		close(pool[DEV]);
	if (have_ring)
		io_uring_queue_exit(&ring);
	have_ring = false;
	close_range(first_fd, ~0U, 0);
}

static int peer_sends(void)
{
	return send(pool[TCP_PEER], data, 100, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int peer_ends(void)
{
	return shutdown(pool[TCP_PEER], SHUT_WR);
}

static int datagram_comes(void)
{
	return send(pool[UDP_PEER], data, 100, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int client_comes(void)
{
	struct sockaddr_in sin = loopback(local_port(pool[LISTENER]));
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	connect(fd, (struct sockaddr *)&sin, sizeof(sin));
	return send(fd, data, 10, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int plain_close(void)
{
	return close(pool[TCP]);
}

static int reap(void)
{
	return have_ring ? ring_ready(&ring) : 0;
}

static int event_is_read(void)
{
	unsigned long long count;

	return read(pool[EVENT], &count, sizeof(count));
}

static const unsigned long long edges[] = {
	~0ull, 1, 0, 2, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffffffff,
	0x8000000000000000, 0x8000, 0xffff, 1024, 1025, 0x1000, 0xffffffff81000000,
};

static unsigned long long valid(const struct field *f, unsigned long long which)
{
	static const unsigned short lengths[] = { 64, 1, 0, 4096, 100, 16384, 1024, 60000 };
	static const long long times[] = { 0, 1000000, 1, -1, 3000000 };

	switch (f->type) {
	case FIXED:
		return f->arg;
	case FD:
		return pool[which % 2 ? which / 2 % FDS : f->arg];
	case FLAGS:
		return which & f->arg;
	case OV:
		return (unsigned long)data + which % 8 * 64;
	case ADDR:
		/* The first page has the status blocks. */
		return (unsigned long)data + (1 + which % PAGES) * PAGE;
	case LEN:
		return lengths[which % (sizeof(lengths) / sizeof(*lengths))];
	case COUNT:
		return (1 + which) % (f->arg + 1);
	case SOME:
		return (1 + which % 2) * f->arg;
	case NS:
		return times[which % (sizeof(times) / sizeof(*times))];
	case PID:
		return which % 4 == 3 ? getppid() : getpid();
	case TOKEN:
		return token;
	case POINTER:
		break;	/* fill_block() knows where */
	}
	return 0;
}

static void fill_block(unsigned char *block, const struct call *c)
{
	const struct field *f = kinds[c->kind].fields;
	struct sockaddr_in *name = (void *)(block + IOV + 32);
	unsigned long long value, choice;

	memset(block, 0, BLOCK);
	*name = loopback(local_port(pool[UDP_PEER]));
	for (unsigned int i = 0; i < n_fields(c); i++, f++) {
		choice = c->choice[i];
		if (choice >= RAW)
			value = choice & REST;
		else if (choice >= EDGE)
			value = edges[(choice & REST) % (sizeof(edges) / sizeof(*edges))];
		else if (f->type == POINTER)
			value = (unsigned long)block + f->arg;
		else
			value = valid(f, choice);
		/* Little endian, as x86 is. */
		memcpy(block + f->at, &value, f->size);
	}
}

/* Descriptors that the flags ask for, and nothing that they do not allow. */
static void complete_cmd(struct wsock_cmd *cmd)
{
	if (cmd->flags & WSOCK_CMD_APC)
		cmd->event_fd = pool[PORT];
	else
		cmd->event_fd = cmd->flags & WSOCK_CMD_EVENT ? pool[EVENT] : 0;
}

static void complete(unsigned char *block, const struct call_kind *k)
{
	struct wsock_cancel *cancel = (void *)block;
	struct wsock_port_get *get = (void *)block;
	struct wsock_wait *wait = (void *)block;

	switch (k->cmd) {
	case 0:
		complete_cmd((void *)(block + offsetof(struct io_uring_sqe, cmd)));
		break;
	case WSOCK_IOC_SUBMIT:
		complete_cmd(&((struct wsock_submit *)block)->cmd);
		break;
	case WSOCK_IOC_CANCEL:
		if (cancel->flags & WSOCK_CANCEL_ALL)
			cancel->ov = 0;
		break;
	case WSOCK_IOC_WAIT:
		if (wait->flags)
			wait->alert_fd = pool[PORT];
		break;
	case WSOCK_PORT_IOC_GET:
		if (get->flags)
			get->alert_fd = pool[PORT];
	}
}

/* Waits are over in time. */
static void set_alarm(int us)
{
	struct itimerval timer = { .it_value.tv_usec = us, .it_interval.tv_usec = us };

	setitimer(ITIMER_REAL, &timer, NULL);
}

static int ring_call(const unsigned char *block, unsigned int which)
{
	const struct ring_kind kind = RING_DEFAULT;
	struct io_uring_cqe *cqe;
	struct io_uring_sqe *sqe;
	int ret = -EINPROGRESS;

	if (!have_ring && ring_init(&ring, &kind, 4 * MAX_CALLS))
		abort();
	have_ring = true;
	sqe = ring_sqe(&ring);
	memcpy(sqe, block, sizeof(*sqe));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->user_data = which;
	io_uring_submit(&ring);
	io_uring_get_events(&ring);
	while (!io_uring_peek_cqe(&ring, &cqe)) {
		if (cqe->user_data == which)
			ret = cqe->res;
		io_uring_cqe_seen(&ring, cqe);
	}
	return ret;
}

static int make_call(const struct call *c, unsigned int which)
{
	const struct call_kind *k = &kinds[c->kind];
	unsigned char *block = blocks[which];
	bool waits = k->cmd == WSOCK_IOC_WAIT || k->cmd == WSOCK_PORT_IOC_GET;
	void *arg = k->fields[0].size ? block : NULL;
	int ret;

	if (k->special)
		return k->special();
	fill_block(block, c);
	if (!c->loose)
		complete(block, k);
	if (!k->cmd)
		return ring_call(block, which);
	if (waits)
		set_alarm(5000);
	ret = dev_ioctl(_IOC_NR(k->cmd) >= 0x20 ? pool[PORT] : pool[DEV], k->cmd, arg);
	if (waits)
		set_alarm(0);
	if (k->cmd == WSOCK_IOC_DUPLICATE && !ret)
		token = ((struct wsock_duplicate *)block)->token;
	return ret;
}

/* ---- What they have run ---- */

static int kcov = -1;
static unsigned long *trace;
#define TRACE_WORDS	(64UL << 10)

static unsigned long pcs[MAX_PCS];
static unsigned int n_pcs;

static void kcov_open(void)
{
	kcov = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);
	if (kcov < 0)
		return;
	if (ioctl(kcov, KCOV_INIT_TRACE, TRACE_WORDS))
		abort();
	trace = mmap(NULL, TRACE_WORDS * sizeof(*trace), PROT_READ | PROT_WRITE, MAP_SHARED,
		     kcov, 0);
	if (trace == MAP_FAILED)
		abort();
}

/* Is it new? */
static bool add_pc(unsigned long pc)
{
	unsigned int at = (pc * 0x9e3779b97f4a7c15ul) >> 48;

	while (pcs[at]) {
		if (pcs[at] == pc)
			return false;
		at = (at + 1) % MAX_PCS;
	}
	if (n_pcs == MAX_PCS - 1)
		abort();
	pcs[at] = pc;
	n_pcs++;
	return true;
}

static unsigned int take_pcs(void)
{
	unsigned long n = __atomic_load_n(&trace[0], __ATOMIC_RELAXED);
	unsigned int fresh = 0;

	for (unsigned long i = 0; i < n && i + 1 < TRACE_WORDS; i++)
		fresh += add_pc(trace[i + 1]);
	return fresh;
}

/* What the module has compared with a constant: that may be what opens a door. */
static void take_constants(void)
{
	unsigned long n = __atomic_load_n(&trace[0], __ATOMIC_RELAXED);

	for (unsigned long i = 0; i < n && 4 * i + 4 < TRACE_WORDS; i++) {
		unsigned long *record = &trace[4 * i + 1];
		bool known = !(record[0] & KCOV_CMP_CONST);

		for (unsigned int j = 0; j < n_constants && !known; j++)
			known = constants[j] == record[1];
		if (!known && n_constants < MAX_CONSTANTS)
			constants[n_constants++] = record[1];
	}
}

static unsigned long made[KINDS], good[KINDS], calls;

/* Returns how much of the module was new. */
static unsigned int run(const struct sequence *s, int mode)
{
	unsigned int fresh = 0;
	int ret;

	if (!begin())
		abort();
	for (unsigned int i = 0; i < s->n; i++) {
		const struct call *c = &s->calls[i];

		if (kcov >= 0) {
			__atomic_store_n(&trace[0], 0, __ATOMIC_RELAXED);
			if (ioctl(kcov, KCOV_ENABLE, mode))
				abort();
		}
		ret = make_call(c, i);
		if (kcov >= 0) {
			if (ioctl(kcov, KCOV_DISABLE, 0))
				abort();
			if (mode == KCOV_TRACE_PC)
				fresh += take_pcs();
			else
				take_constants();
		}
		calls++;
		made[c->kind]++;
		if (ret >= 0 || ret == -EINPROGRESS)
			good[c->kind]++;
	}
	end(s->n % 2);
	return fresh;
}

/* ---- The corpus ---- */

static struct sequence *corpus;
static unsigned int n_corpus;

static void try(const struct sequence *s)
{
	if (!run(s, KCOV_TRACE_PC) || kcov < 0)
		return;
	if (n_corpus < MAX_CORPUS)
		corpus[n_corpus++] = *s;
	run(s, KCOV_TRACE_CMP);
}

/* Each call as it should be, behind what it needs. */
static void try_each(void)
{
	static const struct {
		const char *name, *before;
	} needs[] = {
		{ "CANCEL", "SUBMIT RECV" },
		{ "PORT GET", "PORT POST" },
		{ "EVENT_ENUM", "EVENT_SELECT" },
		{ "EVENT_ENABLE", "EVENT_SELECT" },
		{ "TAKE", "DUPLICATE" },
		{ "event read", "SUBMIT NOTIFY" },
	};

	for (unsigned int kind = 0; kind < KINDS; kind++) {
		struct sequence s = { .n = 0 };

		for (unsigned int i = 0; i < sizeof(needs) / sizeof(*needs); i++) {
			if (!strcmp(kinds[kind].name, needs[i].name))
				s.calls[s.n++].kind = kind_named(needs[i].before);
		}
		if (!strcmp(kinds[kind].name, "event read"))
			for (unsigned int i = 0; i < n_fields(&s.calls[0]); i++)
				s.calls[0].choice[i] = WSOCK_CMD_EVENT;
		s.calls[s.n++].kind = kind;
		try(&s);
	}
}

/* A sequence is of the kinds there are now, or it is no sequence. */
static bool is_sequence(const struct sequence *s)
{
	if (!s->n || s->n > MAX_CALLS)
		return false;
	for (unsigned int i = 0; i < s->n; i++) {
		if (s->calls[i].kind >= KINDS)
			return false;
	}
	return true;
}

static void load(const char *path)
{
	FILE *f = path ? fopen(path, "re") : NULL;
	struct sequence s;

	if (!f)
		return;
	while (fread(&s, sizeof(s), 1, f) == 1) {
		if (is_sequence(&s))
			try(&s);
	}
	fclose(f);
}

static void save(const char *path)
{
	FILE *f = path && kcov >= 0 ? fopen(path, "we") : NULL;

	if (!f)
		return;
	if (fwrite(corpus, sizeof(*corpus), n_corpus, f) != n_corpus)
		ksft_print_msg("the corpus was not written\n");
	fclose(f);
}

static void report(unsigned long n)
{
	if (kcov < 0)
		ksft_print_msg("%lu sequences, %lu calls, unguided\n", n, calls);
	else
		ksft_print_msg("%lu sequences, %lu calls, %u PCs of the module, %u kept, %u constants\n",
			       n, calls, n_pcs, n_corpus, n_constants);
	fflush(stdout);
}

static void on_alarm(int sig)
{
}

FIXTURE(fuzz) { };
FIXTURE_SETUP(fuzz) { }
FIXTURE_TEARDOWN(fuzz) { }

/* As long as it is told to; scripts/check and scripts/vm have limits of their own. */
TEST_F_TIMEOUT(fuzz, every_call_and_nothing_left, 24 * 60 * 60)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	double next = now_ms() + REPORT_MS;
	unsigned int guided = 0;
	unsigned long n;

	ksft_print_msg("WSOCK_SEED=%u\n", seed);
	/* Without SA_RESTART: a wait is over then. */
	sigaction(SIGALRM, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	kcov_open();
	data = mmap(NULL, 2 * PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	corpus = calloc(MAX_CORPUS, sizeof(*corpus));
	ASSERT_TRUE(data != MAP_FAILED && corpus);
	ASSERT_EQ(0, mprotect(data + (PAGES - 1) * PAGE, PAGE, PROT_READ));
	ASSERT_EQ(0, mprotect(data + PAGES * PAGE, PAGES * PAGE, PROT_NONE));
	first_fd = lowest_fd();

	try_each();
	for (unsigned int i = 0; i < KINDS; i++) {
		EXPECT_EQ(!kinds[i].fails, good[i] > 0)
			TH_LOG("%s", kinds[i].name);
	}
	load(getenv("WSOCK_CORPUS"));
	for (n = 0; n < iterations && (!end_ms || now_ms() < end_ms); n++) {
		struct sequence s;

		if (n_corpus && below(8)) {
			s = corpus[below(n_corpus)];
			for (unsigned int i = 1 + below(4); i; i--)
				change(&s, &corpus[below(n_corpus)]);
			guided++;
		} else {
			any_sequence(&s);
		}
		try(&s);
		if (now_ms() >= next) {
			report(n);
			next = now_ms() + REPORT_MS;
		}
	}
	save(getenv("WSOCK_CORPUS"));
	report(n);
	for (unsigned int i = 0; i < KINDS; i++)
		ksft_print_msg("%8lu %-18s %8lu succeeded\n", made[i], kinds[i].name, good[i]);
	EXPECT_EQ(kcov >= 0, guided > 0);
	EXPECT_TRUE(counters_zero());
}

TEST_HARNESS_MAIN
