// SPDX-License-Identifier: GPL-2.0
/*
 * Torture, in rcutorture's manner: processes ("lives") of several threads do all that
 * can be done with operations, at random and at the same time, and end in every way
 * there is. Each operation that a process was told to be under way must end exactly
 * once, tell so by each means that was asked for exactly once, and leave its memory
 * alone from then on. What it had is poisoned as soon as it is the program's again,
 * and looked at later.
 *
 * WSOCK_OPS sets how many operations there are, WSOCK_SECONDS how long they go on at
 * most, WSOCK_SEED the seed of all choices.
 *
 * Everything that the kernel may write is in memory that the processes share with
 * the one that started them, so that it can be looked at after they were killed.
 */
#include <sched.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <spawn.h>
#include <net/if.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <linux/close_range.h>

#include "ports.h"
#include "uring.h"
#include "kselftest.h"

#define LIVES		3	/* processes at a time */
#define WORKERS		3	/* threads of each that submit, at a time */
#define SLOTS		40	/* operations of one of them that may be under way */
#define SOCKETS		14
#define ALL		(WORKERS * SLOTS)
#define FDS		512	/* all sockets are below, all else above */
#define PORTS		2
#define BUF		192
#define REST		24	/* operations before a slot is used again */
#define STALL_S		120	/* nothing may last longer */
#define DONE		0x5b	/* in memory that is the program's again */

/* How the end is told, besides the status block. */
enum tell { BY_STATUS, BY_EVENT, BY_APC, BY_RING, TELLS };

enum state {
	FREE,
	ISSUING,	/* being submitted */
	PENDED,		/* the program was told that it is under way, or done */
	REFUSED,	/* there is none */
	ENDED,		/* its memory is the program's again, and poisoned */
};

/* A seeded fault of this program: what the module might do, to see it found. */
enum lie { NO_LIE, LOSE, DOUBLE, WRITE_LATE, MISS_CANCEL, LIES };

enum wrong { LOST, DOUBLED, LATE, OTHER, WRONGS };

static const char * const wrong_names[] = { "lost", "doubled", "late writes", "other errors" };

struct slot {
	struct {
		struct ov ov;
		struct sockaddr_in name;
		int name_len;
		unsigned int flags;
		unsigned long long control_len;
		char buf[BUF];
	} mem;				/* the kernel's, from submission to end */
	struct iovec iov;
	unsigned int state;
	int op;
	enum tell tell;
	bool sqpoll;
	bool packet;			/* leaves one in a port */
	bool unsure;			/* whether it does, as its socket changed meanwhile */
	bool untold;			/* may be: its ring is gone, or it failed at once */
	bool signals;			/* signalled its event, and that was seen */
	unsigned int told;		/* packets and CQEs */
	unsigned long long told_status;
	unsigned int told_bytes;
	int res;			/* of SUBMIT, or of the CQE */
	unsigned long long status, bytes;	/* how it ended */
	unsigned int ended_at;		/* by the count of its thread's operations */
	int event;
};

enum end { BY_CLEANUP, BY_CLOSE, BY_EXIT, BY_EXEC, BY_KILL, ENDS };

struct life {
	pid_t pid;
	unsigned int seed;
	bool witness;			/* its side is adopted */
	enum end end;			/* of its last era */
	int eras;
	int peer;			/* of the witness, in the first process */
	sem_t apart;			/* of a child that has closed its descriptor of that */
	struct slot slots[ALL];
};

static struct arena {
	unsigned long begun, at_once, later, cancelled, refused, died, commands, packets;
	unsigned long ended[ENDS], signals, handed, forks, acceptances;
	unsigned long wrong[WRONGS];
	unsigned int mail[LIVES];	/* tokens of WSOCK_IOC_DUPLICATE */
	struct life lives[LIVES];
} *arena;

static enum lie lie;
static struct life *life;
static int bazaar[2];			/* sockets go round by SCM_RIGHTS */

static void count(unsigned long *what)
{
	__atomic_fetch_add(what, 1, __ATOMIC_RELAXED);
}

static void __attribute__((format(printf, 2, 3))) complain(enum wrong wrong, const char *fmt, ...)
{
	char line[256];
	va_list args;
	int n;

	/* One line of each kind is enough to know it. */
	if (__atomic_fetch_add(&arena->wrong[wrong], 1, __ATOMIC_RELAXED) > 4 || lie)
		return;
	n = snprintf(line, sizeof(line), "# %s: ", wrong_names[wrong]);
	va_start(args, fmt);
	vsnprintf(line + n, sizeof(line) - n, fmt, args);
	va_end(args);
	dprintf(1, "%s\n", line);
}

/* ---- One process ---- */

/* The numbers of sockets: what an operation there has to expect. */
struct number {
	unsigned int gen;		/* even: nobody opens or closes it */
	bool port;			/* it has one */
	bool skip;			/* WSOCK_MODE_SKIP_ON_SUCCESS */
	bool stream;
};

static struct {
	int dev, dev2;
	int port[PORTS];
	int apc;			/* the port of completion routines */
	int l;				/* where connections are made */
	int netevent;
	int witness;			/* or -1 */
	struct sockaddr_in to;
	struct number numbers[FDS];
	int own[SOCKETS], peer[SOCKETS];
	unsigned int length;		/* what a worker does until it ends it */
	enum end end;
	bool ending;			/* somebody does */
	bool released;			/* the final release has returned */
	pthread_rwlock_t gate;		/* registrations begin only before @ending */
	unsigned long pended, rings;	/* operations that pended for sure, and commands */
	sem_t gone;			/* workers that are done */
	pthread_t taker;
} w;

static struct worker {
	unsigned int seed, acts, submitted;
	pid_t tid;
	bool has_ring, sqpoll;
	struct io_uring ring;
	struct slot *slots;
} workers[WORKERS];

static bool released(void)
{
	return __atomic_load_n(&w.released, __ATOMIC_SEQ_CST);
}

static bool over(void)
{
	return __atomic_load_n(&w.ending, __ATOMIC_ACQUIRE);
}

static unsigned int dice(struct worker *me, unsigned int sides)
{
	return rand_r(&me->seed) % sides;
}

/* Out of the way of sockets. */
static int above(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, FDS);

	if (high < 0)
		_exit(10);
	close(fd);
	return high;
}

/* ---- The end of one operation ---- */

static bool is_done(const struct slot *s)
{
	const unsigned char *p = (const void *)&s->mem;

	for (size_t i = 0; i < sizeof(s->mem); i++)
		if (p[i] != DONE)
			return false;
	return true;
}

/*
 * Its memory is ours again. Whoever sees the end first does this: its thread, or the
 * one whose release returned (@final: there is no other time to end).
 */
static void end_slot(struct slot *s, bool final)
{
	unsigned int was = PENDED;
	struct ov *ov = &s->mem.ov;

	if (final && lie == MISS_CANCEL && s->tell == BY_EVENT)
		ov->st.internal = STATUS_PENDING;
	if (ov_status(ov) == STATUS_PENDING) {
		/* A command may have been refused; its CQE says that, see refused_late(). */
		if (final && s->tell != BY_RING &&
		    __atomic_load_n(&s->state, __ATOMIC_ACQUIRE) == PENDED)
			complain(LOST, "operation %d, told by %d, pends after the release",
				 s->op, s->tell);
		return;
	}
	if (!__atomic_compare_exchange_n(&s->state, &was, ISSUING, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_RELAXED))
		return;
	if (!ov_intact(ov))
		complain(OTHER, "operation %d wrote beside its status block", s->op);
	s->status = ov->st.internal;
	s->bytes = ov->st.internal_high;
	if (s->op == WSOCK_OP_RECV && s->bytes > BUF)
		complain(OTHER, "%llu bytes received in %d", s->bytes, BUF);
	count(s->status == STATUS_CANCELLED ? &arena->cancelled :
	      s->res >= 0 && s->tell != BY_RING ? &arena->at_once : &arena->later);
	memset(&s->mem, DONE, sizeof(s->mem));
	__atomic_store_n(&s->state, ENDED, __ATOMIC_RELEASE);
	if (final && lie == WRITE_LATE)
		s->mem.buf[7] = 'x';
}

static eventfd_t signals_of(const struct slot *s)
{
	eventfd_t n = 0;

	eventfd_read(s->event, &n);
	return n;
}

/* Nothing more comes. @seen: it was told by all means before. */
static void check_slot(struct slot *s, bool seen)
{
	unsigned int told = __atomic_load_n(&s->told, __ATOMIC_ACQUIRE);
	bool silent = s->status == STATUS_CANCELLED;	/* the release signals nothing */
	eventfd_t signals = s->tell == BY_EVENT ? signals_of(s) : 0;
	unsigned int least, most;

	if (!is_done(s))
		complain(LATE, "operation %d, told by %d, submitted %d", s->op, s->tell, s->res);
	if (s->state == REFUSED) {
		if (told)
			complain(OTHER, "operation %d failed with %d, and left a packet",
				 s->op, s->res);
		return;
	}
	most = s->packet || s->unsure || s->tell == BY_RING || s->tell == BY_APC;
	least = (s->packet && !s->unsure) || s->tell == BY_RING || (s->tell == BY_APC && !silent);
	if (s->untold)
		least = 0;
	if (told > most)
		complain(DOUBLED, "operation %d, told by %d: %u times", s->op, s->tell, told);
	if (told < least)
		complain(LOST, "operation %d, told by %d, status %llx, submitted %d: not at all",
			 s->op, s->tell, s->status, s->res);
	if (s->tell == BY_EVENT) {
		if (signals + s->signals > 1)
			complain(DOUBLED, "an event of operation %d was signalled again", s->op);
		if (!silent && !s->untold && !s->signals && !signals)
			complain(LOST, "no event of operation %d, status %llx", s->op, s->status);
	}
	if (told && s->tell != BY_RING &&
	    (s->told_status != s->status || s->told_bytes != s->bytes))
		complain(OTHER, "operation %d ended with %llx, its packet has %llx", s->op,
			 s->status, s->told_status);
	if (told && s->tell == BY_RING &&
	    ((s->res >= 0) != (s->status == STATUS_SUCCESS) ||
	     (s->res >= 0 && s->bytes != (unsigned int)s->res) ||
	     (s->res == -ECANCELED) != (s->status == STATUS_CANCELLED)))
		complain(OTHER, "operation %d ended with %llx, its CQE has %d", s->op, s->status,
			 s->res);
	if (seen && told != most && !s->unsure)
		complain(OTHER, "operation %d: told %u of %u times", s->op, told, most);
}

/* A command that came to be no operation. */
static bool refused_late(const struct slot *s)
{
	return s->tell == BY_RING && s->told == 1 && ov_status(&s->mem.ov) == STATUS_PENDING &&
	       s->res < 0 && s->res != -ECANCELED;
}

/* Threads and rings are gone. */
static void finish_slot(struct slot *s)
{
	if (s->state == PENDED) {
		if (refused_late(s) || (s->sqpoll && s->untold &&
					ov_status(&s->mem.ov) == STATUS_PENDING)) {
			count(&arena->refused);
			s->state = FREE;
			return;
		}
		end_slot(s, false);
	}
	if (s->state == ENDED || s->state == REFUSED)
		check_slot(s, false);
	else if (s->state != FREE)
		complain(LOST, "operation %d, told by %d, pends at the end", s->op, s->tell);
	s->state = FREE;
}

/* What may be used again: that ended some time ago, and was quiet since. */
static bool reuse_slot(struct worker *me, struct slot *s)
{
	if (s->state == FREE)
		return true;
	if ((s->state != ENDED && s->state != REFUSED) || me->submitted - s->ended_at < REST ||
	    (s->state == ENDED && s->unsure))
		return false;
	/* Of what ended without its thread's having seen it told, finish() has to. */
	if (s->state == ENDED && (s->packet || s->tell == BY_RING || s->tell == BY_APC) &&
	    !__atomic_load_n(&s->told, __ATOMIC_ACQUIRE))
		return false;
	check_slot(s, s->state == ENDED && !s->untold);
	s->state = FREE;
	return true;
}

/* Look whether an operation of ours has ended, and was told of. */
static void look_at(struct worker *me, struct slot *s)
{
	if (__atomic_load_n(&s->state, __ATOMIC_ACQUIRE) != PENDED)
		return;
	if (s->tell == BY_EVENT && !s->signals && !s->untold) {
		eventfd_t n = signals_of(s);

		if (!n)
			return;
		if (n > 1)
			complain(DOUBLED, "an event of operation %d: %lu times", s->op, n);
		s->signals = true;
	}
	if ((s->packet || s->unsure || s->tell == BY_APC || s->tell == BY_RING) &&
	    !__atomic_load_n(&s->told, __ATOMIC_ACQUIRE))
		return;
	if (refused_late(s)) {
		s->state = FREE;
		count(&arena->refused);
		return;
	}
	s->ended_at = me->submitted;
	end_slot(s, false);
}

/* ---- What tells ---- */

static struct slot *slot_of(unsigned long long ov)
{
	unsigned long at = ov - (unsigned long)life->slots;
	struct slot *s;

	if (at >= sizeof(life->slots))
		return NULL;
	s = (struct slot *)life->slots + at / sizeof(*s);
	return at % sizeof(*s) == offsetof(struct slot, mem.ov.st) ? s : NULL;
}

static void take(const struct wsock_packet *p)
{
	struct slot *s = slot_of(p->ov);

	if (!s || p->key != 0xabcd) {
		if (p->ov)
			complain(OTHER, "a packet that nobody asked for: %llx", p->ov);
		return;
	}
	count(&arena->packets);
	if (lie == LOSE && !(arena->packets % 8))
		return;
	s->told_status = p->internal;
	s->told_bytes = p->bytes;
	__atomic_fetch_add(&s->told, 1 + (lie == DOUBLE), __ATOMIC_RELEASE);
}

static int take_packets(int port, int n, int timeout_ms)
{
	struct wsock_packet p[8];
	int got = get_packets(port, p, n, timeout_ms);

	for (int i = 0; i < got; i++)
		take(&p[i]);
	return got;
}

/* Threads that have yet to exit may occupy all slots of a port with a limit. */
static void empty(int port)
{
	double end = now_ms() + TIMEOUT_MS;

	while (fdinfo(port, "packets") > 0 && now_ms() < end)
		take_packets(port, 8, 1);
}

/* A thread that has nothing else to do than to take packets. */
static void *taker(void *arg)
{
	int ret;

	/* By the end of the era the port is abandoned. */
	do
		ret = take_packets(w.port[0], 3, -1);
	while (ret > 0 || ret == -EINTR);
	return NULL;
}

static void reap(struct worker *me)
{
	struct io_uring_cqe *cqe;

	while (!io_uring_peek_cqe(&me->ring, &cqe)) {
		struct slot *s = (void *)cqe->user_data;

		s->res = cqe->res;
		io_uring_cqe_seen(&me->ring, cqe);
		if (lie == LOSE && !(s->res & 7))
			continue;
		__atomic_fetch_add(&s->told, 1, __ATOMIC_RELEASE);
	}
}

/* ---- Sockets ---- */

/* What is known of the number holds no longer. */
static unsigned int shake(int fd)
{
	unsigned int *gen = &w.numbers[fd].gen, was = __atomic_load_n(gen, __ATOMIC_SEQ_CST), is;

	do
		is = (was | 1) + 2;
	while (!__atomic_compare_exchange_n(gen, &was, is, false, __ATOMIC_SEQ_CST,
					    __ATOMIC_SEQ_CST));
	return is;
}

static void settle(int fd, unsigned int gen)
{
	__atomic_compare_exchange_n(&w.numbers[fd].gen, &gen, gen + 1, false, __ATOMIC_SEQ_CST,
				    __ATOMIC_SEQ_CST);
}

/*
 * @fd is new: own it, sometimes with a port; and into the table. What came from
 * elsewhere (@shared) may have another number here and get a port under that.
 */
static void born(struct worker *me, int fd, int at, bool shared)
{
	struct wsock_associate a = { fd, w.port[dice(me, PORTS)], 0xabcd };
	struct wsock_modes m = { fd, WSOCK_MODE_SKIP_ON_SUCCESS };
	struct number *n = &w.numbers[fd];
	unsigned int gen = shake(fd);
	int type = 0, old;

	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &(socklen_t){ sizeof(type) });
	n->stream = type == SOCK_STREAM;
	n->port = n->skip = false;
	if (dev_adopt(w.dev, fd)) {
		close(fd);
		return;
	}
	if (!dice(me, 3)) {
		n->port = !dev_ioctl(w.dev, WSOCK_IOC_ASSOCIATE, &a);
		n->skip = dice(me, 2) && !dev_ioctl(w.dev, WSOCK_IOC_MODES, &m);
	}
	if (!shared)
		settle(fd, gen);
	old = __atomic_exchange_n(&w.own[at], fd, __ATOMIC_ACQ_REL);
	if (old >= 0 && old != fd) {
		shake(old);
		dev_closesocket(w.dev, old);
	}
}

static int take_out(int *table, int at)
{
	return __atomic_exchange_n(&table[at], -1, __ATOMIC_ACQ_REL);
}

static void close_own(struct worker *me, int at, bool plainly)
{
	int fd = take_out(w.own, at);

	if (fd < 0)
		return;
	shake(fd);
	/*
	 * close(2) may hit what got the number after a release; the gate is shut then.
	 */
	pthread_rwlock_rdlock(&w.gate);
	if (plainly && !over())
		close(fd);
	else
		dev_closesocket(w.dev, fd);
	pthread_rwlock_unlock(&w.gate);
}

static int connected_to_us(int flags)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&w.to, sizeof(w.to)) &&
	    errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return fd;
}

static void new_pair(struct worker *me, int at)
{
	int small = 8192, fds[2], old;

	if (at % 4 == 3) {
		if (udp_pair(fds))
			return;
	} else {
		fds[1] = connected_to_us(SOCK_NONBLOCK);
		/* Not necessarily its peer: other threads do the same. */
		fds[0] = fds[1] < 0 ? -1 : accept4(w.l, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fds[0] < 0) {
			close(fds[1]);
			return;
		}
		setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	}
	born(me, fds[0], at, false);
	old = __atomic_exchange_n(&w.peer[at], fds[1], __ATOMIC_ACQ_REL);
	if (old >= 0)
		close(old);
}

/* ---- What a worker does ---- */

static void submit(struct worker *me, struct slot *s)
{
	static const unsigned char codes[] = {
		WSOCK_OP_RECV, WSOCK_OP_RECV, WSOCK_OP_RECV, WSOCK_OP_RECV, WSOCK_OP_SEND,
		WSOCK_OP_SEND, WSOCK_OP_RECVMSG, WSOCK_OP_RECVMSG, WSOCK_OP_SENDMSG,
		WSOCK_OP_ACCEPT, WSOCK_OP_ACCEPT, WSOCK_OP_CONNECT, WSOCK_OP_TRANSMIT,
		WSOCK_OP_DISCONNECT, WSOCK_OP_NOTIFY,
	};
	static char big[65536];		/* only read */
	int at = dice(me, SOCKETS), fd, acceptor = -1, no_packet, ret;
	struct number *n;
	unsigned int gen;
	union {
		struct wsock_msg msg;
		struct wsock_accept accept;
		struct wsock_transmit transmit;
	} a;
	struct wsock_submit args = {};

	s->op = codes[dice(me, sizeof(codes))];
	/* Whatever it is: a seldom end of connections is enough. */
	if (s->op == WSOCK_OP_DISCONNECT && dice(me, 4))
		s->op = WSOCK_OP_RECV;
	if (s->op == WSOCK_OP_ACCEPT)
		at = 0;
	if (s->op == WSOCK_OP_CONNECT && !over()) {
		fd = connected_to_us(SOCK_NONBLOCK);
		if (fd < 0)
			return;
		born(me, fd, at, false);
	}
	fd = __atomic_load_n(&w.own[at], __ATOMIC_ACQUIRE);
	if (fd < 0)
		return;
	s->tell = dice(me, TELLS);
	if (s->tell == BY_RING && (!me->has_ring || s->op == WSOCK_OP_ACCEPT))
		s->tell = BY_STATUS;
	no_packet = s->tell != BY_RING && !dice(me, 8);
	n = &w.numbers[fd];

	s->packet = s->unsure = s->untold = s->signals = false;
	s->sqpoll = s->tell == BY_RING && me->sqpoll;
	s->told = 0;
	s->res = -1;
	s->status = s->bytes = 0;
	memset(&s->mem, 0xa5, sizeof(s->mem));
	ov_init(&s->mem.ov);
	if (s->tell == BY_EVENT)
		signals_of(s);

	args.op = s->op;
	args.fd = fd;
	args.cmd.ov = (unsigned long)&s->mem.ov.st;
	args.cmd.flags = WSOCK_CMD_STATUS;
	s->iov = (struct iovec){ s->mem.buf, BUF };
	switch (s->op) {
	case WSOCK_OP_RECV:
		args.addr = (unsigned long)s->mem.buf;
		args.len = dice(me, 16) ? BUF : 0;
		args.cmd.msg_flags = dice(me, 8) ? 0 : dice(me, 2) ? MSG_PEEK : MSG_WAITALL;
		break;
	case WSOCK_OP_SEND:
	case WSOCK_OP_CONNECT:
		args.addr = (unsigned long)big;
		args.len = n->stream && !dice(me, 4) ? sizeof(big) : BUF;
		break;
	case WSOCK_OP_RECVMSG:
	case WSOCK_OP_SENDMSG:
		a.msg = (struct wsock_msg){ .iov = (unsigned long)&s->iov, .iovlen = 1 };
		if (s->op == WSOCK_OP_RECVMSG) {
			a.msg.name = (unsigned long)&s->mem.name;
			a.msg.namelen = sizeof(s->mem.name);
			a.msg.namelen_out = (unsigned long)&s->mem.name_len;
			a.msg.flags_out = (unsigned long)&s->mem.flags;
			a.msg.controllen_out = (unsigned long)&s->mem.control_len;
		}
		args.addr = (unsigned long)&a.msg;
		args.len = sizeof(a.msg);
		break;
	case WSOCK_OP_ACCEPT:
		acceptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (acceptor < 0)
			return;
		born(me, acceptor, 1 + dice(me, SOCKETS - 1), false);
		a.accept = (struct wsock_accept){
			.buffer = (unsigned long)s->mem.buf,
			.data_len = dice(me, 2) ? BUF - 64 : 0,
			.local_len = 32,
			.remote_len = 32,
			.fd = acceptor,
		};
		args.addr = (unsigned long)&a.accept;
		args.len = sizeof(a.accept);
		break;
	case WSOCK_OP_TRANSMIT:
		a.transmit = (struct wsock_transmit){
			.head = (unsigned long)big,
			.headlen = dice(me, 2) ? sizeof(big) : BUF,
			.fd = -1,
		};
		args.addr = (unsigned long)&a.transmit;
		args.len = sizeof(a.transmit);
		break;
	case WSOCK_OP_NOTIFY:
		args.cmd.msg_flags = dice(me, 2) ? 0 : ECONNREFUSED;
		break;
	}

	gen = __atomic_load_n(&n->gen, __ATOMIC_SEQ_CST);
	__atomic_store_n(&s->state, ISSUING, __ATOMIC_SEQ_CST);
	me->submitted++;
	s->ended_at = me->submitted;
	if (s->tell == BY_RING) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&me->ring);

		if (!sqe) {
			s->state = FREE;
			return;
		}
		memset(sqe, 0, sizeof(*sqe));
		sqe->opcode = IORING_OP_URING_CMD;
		sqe->fd = w.dev;
		sqe->cmd_op = args.op;
		sqe->addr = args.addr;
		sqe->len = args.len;
		sqe->splice_fd_in = fd;
		memcpy(sqe->cmd, &args.cmd, sizeof(args.cmd));
		sqe->user_data = (unsigned long)s;
		count(&arena->begun);
		count(&arena->commands);
		__atomic_fetch_add(&w.rings, 1, __ATOMIC_RELAXED);
		io_uring_submit(&me->ring);
		/* A polling thread reads our arguments when it likes. */
		while (me->sqpoll && (s->op == WSOCK_OP_RECVMSG || s->op == WSOCK_OP_SENDMSG ||
				      s->op == WSOCK_OP_TRANSMIT) &&
		       io_uring_sq_ready(&me->ring))
			sched_yield();
		ret = -EINPROGRESS;
	} else {
		if (s->tell == BY_EVENT)
			args.cmd.flags |= WSOCK_CMD_EVENT;
		if (s->tell == BY_APC)
			args.cmd.flags |= WSOCK_CMD_APC;
		if (s->tell == BY_APC)
			args.key = 0xabcd;
		args.cmd.event_fd = s->tell == BY_EVENT ? s->event : s->tell == BY_APC ? w.apc : 0;
		if (no_packet)
			args.cmd.flags |= WSOCK_CMD_NO_PACKET;
		ret = s->res = dev_ioctl(w.dev, WSOCK_IOC_SUBMIT, &args);
		if (ret == -EINPROGRESS)
			__atomic_fetch_add(&w.pended, 1, __ATOMIC_RELAXED);
		if (gen & 1 || __atomic_load_n(&n->gen, __ATOMIC_SEQ_CST) != gen)
			s->unsure = !no_packet;
		else if (n->port && !no_packet)
			s->packet = ret < 0 || !n->skip;
		if (ret >= 0 || ret == -EINPROGRESS || ret == -EMSGSIZE)
			count(&arena->begun);
	}
	if (s->op == WSOCK_OP_ACCEPT && ret == -EINPROGRESS)
		count(&arena->acceptances);

	if (ret >= 0 && ov_status(&s->mem.ov) != STATUS_SUCCESS)
		complain(OTHER, "operation %d succeeded at once with status %x", s->op,
			 ov_status(&s->mem.ov));
	if (ret == -EMSGSIZE && s->op != WSOCK_OP_RECV && s->op != WSOCK_OP_RECVMSG)
		ret = -EINVAL;
	if (ret < 0 && ret != -EINPROGRESS && ret != -EMSGSIZE) {
		count(&arena->refused);
		memset(&s->mem, DONE, sizeof(s->mem));
		__atomic_store_n(&s->state, REFUSED, __ATOMIC_RELEASE);
		return;
	}
	/* What fails at once signals no event. */
	if (ret == -EMSGSIZE)
		s->untold = true;
	__atomic_store_n(&s->state, PENDED, __ATOMIC_SEQ_CST);
	if (released())
		end_slot(s, true);
}

static struct slot *any_slot(struct worker *me)
{
	return &life->slots[dice(me, ALL)];
}

static void submit_some(struct worker *me)
{
	for (int i = 0, at = dice(me, SLOTS); i < SLOTS; i++) {
		struct slot *s = &me->slots[(at + i) % SLOTS];

		if (!reuse_slot(me, s))
			continue;
		submit(me, s);
		return;
	}
	/* All are under way: make room. */
	dev_cancel(w.dev, w.own[dice(me, SOCKETS)], NULL);
}

/* Traffic of the other ends. */
static void talk(struct worker *me)
{
	static char data[4096];
	int fd = __atomic_load_n(&w.peer[dice(me, SOCKETS)], __ATOMIC_ACQUIRE);
	struct linger reset = { 1, 0 };

	switch (dice(me, 64)) {
	case 0:
		shutdown(fd, SHUT_WR);
		break;
	case 1:
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		shutdown(fd, SHUT_RDWR);
		break;
	case 2:
		send(fd, data, 1, MSG_OOB | MSG_DONTWAIT | MSG_NOSIGNAL);
		break;
	case 3 ... 9: {
		/* A connection for who accepts; it goes as that is told. */
		int l = __atomic_load_n(&w.own[0], __ATOMIC_ACQUIRE), c;
		struct sockaddr_in sin = loopback(local_port(l));
		int at = 1 + dice(me, SOCKETS - 1), old;

		c = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (c < 0)
			break;
		connect(c, (struct sockaddr *)&sin, sizeof(sin));
		send(c, data, BUF / 2, MSG_DONTWAIT | MSG_NOSIGNAL);
		old = __atomic_exchange_n(&w.peer[at], c, __ATOMIC_ACQ_REL);
		if (old >= 0)
			close(old);
		break;
	}
	case 10 ... 30:
		recv(fd, data, sizeof(data), MSG_DONTWAIT);
		break;
	default:
		send(fd, data, 1 + dice(me, 400), MSG_DONTWAIT | MSG_NOSIGNAL);
	}
}

/* In another thread's midst. */
static void signal_one(struct worker *me)
{
	pid_t tid = __atomic_load_n(&workers[dice(me, WORKERS)].tid, __ATOMIC_RELAXED);

	count(&arena->signals);
	syscall(SYS_tgkill, getpid(), tid, SIGUSR1);
}

static void hand_out(struct worker *me)
{
	int fd = __atomic_load_n(&w.own[dice(me, SOCKETS)], __ATOMIC_ACQUIRE);

	if (dice(me, 2) && fd >= 0) {
		shake(fd);
		send_fd(bazaar[0], fd, MSG_DONTWAIT | MSG_NOSIGNAL);
		return;
	}
	fd = recv_fd(bazaar[1], MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (fd >= 0) {
		count(&arena->handed);
		born(me, fd, 1 + dice(me, SOCKETS - 1), true);
	}
}

/* WSADuplicateSocket to any of us, and WSASocket. */
static void duplicate(struct worker *me)
{
	int to = dice(me, LIVES), mine = life - arena->lives, fd;
	struct wsock_duplicate d = {
		.fd = w.own[dice(me, SOCKETS)],
		.pid = __atomic_load_n(&arena->lives[to].pid, __ATOMIC_RELAXED),
	};
	struct wsock_take t = {};

	if (dice(me, 2)) {
		if (d.fd >= 0)
			shake(d.fd);
		if (d.pid && !dev_ioctl(w.dev, WSOCK_IOC_DUPLICATE, &d))
			__atomic_store_n(&arena->mail[to], d.token, __ATOMIC_RELEASE);
		return;
	}
	t.token = __atomic_exchange_n(&arena->mail[mine], 0, __ATOMIC_ACQ_REL);
	fd = t.token ? dev_ioctl(w.dev, WSOCK_IOC_TAKE, &t) : -1;
	if (fd >= 0) {
		count(&arena->handed);
		born(me, fd, 1 + dice(me, SOCKETS - 1), true);
	}
}

/* In a child: nothing of the parent's, and a life of its own with its sockets. */
static void child(unsigned int seed)
{
	int fd = w.own[rand_r(&seed) % SOCKETS], dev;
	struct ov ov;
	char buf[64];

	/* It may have been closed before we were made. */
	dev = dev_ioctl(w.dev, WSOCK_IOC_SUBMIT, NULL);
	if (dev != -EPERM && dev != -EBADF)
		_exit(1);
	dev = dev_started();
	if (dev < 0)
		_exit(2);
	if (dev_adopt(dev, fd) || dev_recv(dev, fd, buf, sizeof(buf), &ov) != -EINPROGRESS)
		_exit(0);
	if (seed % 3 == 0)
		_exit(0);
	if (seed % 3 == 1 && dev_closesocket(dev, fd) == 0 && ov_status(&ov) == STATUS_PENDING)
		_exit(3);
	if (dev_cleanup(dev) != 1)
		_exit(4);
	_exit(ov_status(&ov) == STATUS_PENDING ? 5 : 0);
}

static void fork_one(struct worker *me)
{
	static char * const argv[] = { "/proc/self/exe", "--nothing", NULL };
	unsigned int seed = dice(me, 1 << 30);
	pid_t pid;
	int st;

	/*
	 * Whoever else has a descriptor of the witness may be the last to close it when
	 * a worker in our memory keeps us from being released at once.
	 */
	pthread_rwlock_rdlock(&w.gate);
	if (over()) {
		pid = -1;
	} else if (dice(me, 4)) {
		pid = fork();
		if (!pid) {
			close(w.witness);
			sem_post(&life->apart);
			child(seed);
		}
		while (pid > 0 && sem_wait(&life->apart))
			;
	} else if (posix_spawn(&pid, argv[0], NULL, NULL, argv, environ)) {
		pid = -1;
	}
	pthread_rwlock_unlock(&w.gate);
	if (pid < 0)
		return;
	count(&arena->forks);
	while (waitpid(pid, &st, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(st) || WEXITSTATUS(st))
		complain(OTHER, "a child ended with %x", st);
}

/* Registrations within that of the era, never the first and sometimes the last. */
static void nested(struct worker *me)
{
	int dev = dice(me, 2) ? w.dev : w.dev2, ret = -1;

	pthread_rwlock_rdlock(&w.gate);
	if (!over())
		ret = dev_startup(dev);
	pthread_rwlock_unlock(&w.gate);
	if (ret)
		return;
	ret = dev_cleanup(dev);
	if (ret == 1) {
		__atomic_store_n(&w.released, true, __ATOMIC_SEQ_CST);
		for (int i = 0; i < ALL; i++)
			end_slot(&life->slots[i], true);
	} else if (ret && ret != -EINTR && w.end != BY_CLOSE) {
		complain(OTHER, "a nested WSACleanup: %d", ret);
	}
}

static void network_events(struct worker *me)
{
	struct wsock_event_select sel = {
		.fd = w.own[dice(me, SOCKETS)],
		.event_fd = w.netevent,
		.mask = 1 + dice(me, WSOCK_EVENT_CLOSE),
	};
	struct wsock_event_enum en = { .fd = sel.fd, .event_fd = w.netevent };

	dev_ioctl(w.dev, WSOCK_IOC_EVENT_SELECT, &sel);
	dev_ioctl(w.dev, WSOCK_IOC_EVENT_ENUM, &en);
}

static void ring_gone(struct worker *me)
{
	if (!me->has_ring)
		return;
	/* What was refused has its CQE; the rest is under way, and ends without. */
	reap(me);
	me->has_ring = false;
	for (int i = 0; i < SLOTS; i++) {
		struct slot *s = &me->slots[i];

		if (s->tell == BY_RING && s->state != FREE && !s->told)
			s->untold = true;
	}
	io_uring_queue_exit(&me->ring);
}

static void new_ring(struct worker *me)
{
	static const struct ring_kind kinds[] = {
		RING_DEFAULT, RING_DEFER, RING_COOP, RING_DEFAULT, RING_DEFER, RING_SQPOLL,
	};
	const struct ring_kind *kind = &kinds[dice(me, 6)];

	if (!dice(me, 3) || ring_init(&me->ring, kind, 2 * SLOTS))
		return;
	me->ring.ring_fd = me->ring.enter_ring_fd = above(me->ring.ring_fd);
	me->has_ring = true;
	me->sqpoll = kind->flags & IORING_SETUP_SQPOLL;
}

static void wait_one(struct worker *me)
{
	struct slot *s = &me->slots[dice(me, SLOTS)];
	bool under_way = __atomic_load_n(&s->state, __ATOMIC_ACQUIRE) == PENDED && !s->sqpoll;
	int ret = dev_wait(w.dev, &s->mem.ov.st, dice(me, 4) ? 0 : 1);

	if (!ret && under_way && __atomic_load_n(&s->state, __ATOMIC_ACQUIRE) == PENDED &&
	    ov_status(&s->mem.ov) == STATUS_PENDING && !released() && !refused_late(s) &&
	    !s->untold && s->tell != BY_RING)
		complain(LOST, "operation %d is waited for, and pends", s->op);
}

/* Every way to end an era; returns when others saw it too, if at all. */
static void end_era(struct worker *me)
{
	char * const argv[] = { "/proc/self/exe", "--nothing", NULL };
	bool expected = false;
	sigset_t signals;
	int ret = 0;

	pthread_rwlock_wrlock(&w.gate);
	if (!__atomic_compare_exchange_n(&w.ending, &expected, true, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_RELAXED)) {
		pthread_rwlock_unlock(&w.gate);
		return;
	}
	pthread_rwlock_unlock(&w.gate);
	count(&arena->ended[w.end]);
	life->end = w.end;
	life->eras++;
	switch (w.end) {
	case BY_KILL:
		kill(getpid(), SIGKILL);
		break;
	case BY_EXIT:
		_exit(0);
	case BY_EXEC:
		/* The new program has no handler. */
		sigemptyset(&signals);
		sigaddset(&signals, SIGUSR1);
		pthread_sigmask(SIG_BLOCK, &signals, NULL);
		execve(argv[0], argv, environ);
		break;
	case BY_CLOSE:
		close(w.dev2);
		close(w.dev);
		break;
	default:
		dev_cleanup(w.dev2);
		do
			ret = dev_cleanup(w.dev);
		while (ret == -EINTR);
		if (ret < 0)
			complain(OTHER, "WSACleanup: %d", ret);
	}
	/* Of nested registrations the last one's is the release. */
	if (w.end == BY_CLOSE || ret == 1) {
		__atomic_store_n(&w.released, true, __ATOMIC_SEQ_CST);
		for (int i = 0; i < ALL; i++)
			end_slot(&life->slots[i], true);
	}
}

static bool act(struct worker *me)
{
	int at = 1 + dice(me, SOCKETS - 1);
	struct slot *s;

	switch (dice(me, 256)) {
	case 0:
		if (over())
			break;
		/* The thread goes; another has its slots. */
		return false;
	case 1:
		if (dice(me, 2))
			ring_gone(me);
		break;
	case 2:
		fork_one(me);
		break;
	case 3:
		dev_cancel(w.dev, w.own[dice(me, SOCKETS)], NULL);
		break;
	case 4:
		dev_ioctl(w.dev, WSOCK_IOC_CANCEL, &(struct wsock_cancel){
			.fd = -1, .flags = WSOCK_CANCEL_ALL | WSOCK_CANCEL_THREAD });
		break;
	case 5 ... 9:
		signal_one(me);
		break;
	case 10 ... 13:
		hand_out(me);
		break;
	case 14 ... 17:
		duplicate(me);
		break;
	case 18 ... 21:
		nested(me);
		break;
	case 22 ... 23:
		network_events(me);
		break;
	case 24 ... 28:
		close_own(me, at, false);
		new_pair(me, at);
		break;
	case 29 ... 30:
		close_own(me, at, true);
		new_pair(me, at);
		break;
	case 31 ... 36:
		if (w.own[at] < 0)
			new_pair(me, at);
		break;
	case 37 ... 50:
		s = any_slot(me);
		dev_cancel(w.dev, w.own[dice(me, SOCKETS)], &s->mem.ov.st);
		break;
	case 51 ... 62:
		wait_one(me);
		break;
	case 63 ... 80:
		take_packets(w.port[dice(me, PORTS)], 1 + dice(me, 8), 0);
		break;
	case 81 ... 90:
		take_packets(w.apc, 8, 0);
		break;
	case 91 ... 160:
		talk(me);
		break;
	default:
		submit_some(me);
	}
	return true;
}

/* Until nothing is to come: of a ring all that was submitted there. */
static void finish_ring(struct worker *me)
{
	double end = now_ms() + TIMEOUT_MS;
	bool all;

	do {
		struct io_uring_cqe *cqe;
		struct __kernel_timespec ts = { .tv_nsec = 1000000 };

		io_uring_wait_cqe_timeout(&me->ring, &cqe, &ts);
		reap(me);
		all = true;
		for (int i = 0; i < SLOTS; i++) {
			struct slot *s = &me->slots[i];

			if (s->state != FREE && s->tell == BY_RING && !s->untold && !s->told)
				all = false;
		}
	} while (!all && now_ms() < end && lie != LOSE);
	ring_gone(me);
	/* What the timeout had to excuse is no excuse. */
	for (int i = 0; i < SLOTS && !all; i++)
		if (me->slots[i].tell == BY_RING)
			me->slots[i].untold = false;
}

static void *worker(void *arg)
{
	struct worker *me = arg;
	pthread_t next;

	__atomic_store_n(&me->tid, gettid(), __ATOMIC_RELAXED);
	for (;;) {
		if (!act(me)) {
			ring_gone(me);
			/* None can be made while another thread is in exec. */
			if (!pthread_create(&next, NULL, worker, me)) {
				pthread_detach(next);
				return NULL;
			}
		}
		if (me->has_ring)
			reap(me);
		for (int i = 0; i < 8; i++)
			look_at(me, &me->slots[dice(me, SLOTS)]);
		if (++me->acts >= w.length)
			end_era(me);
		/* Go on a little, to meet the release. */
		if (released())
			break;
		if (over())
			sched_yield();
	}
	for (int i = 0; i < 20; i++)
		act(me);
	if (me->has_ring)
		finish_ring(me);
	sem_post(&w.gone);
	return NULL;
}

static bool loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool up = !ioctl(fd, SIOCSIFFLAGS, &ifr);

	close(fd);
	return up;
}

static void prepare_era(unsigned int *seed)
{
	static const unsigned char ends[] = {
		BY_CLEANUP, BY_CLEANUP, BY_CLEANUP, BY_CLOSE, BY_KILL, BY_KILL, BY_EXIT, BY_EXEC,
	};

	memset(&w.numbers, 0, sizeof(w.numbers));
	for (int i = 0; i < FDS; i++)
		w.numbers[i].gen = 1;
	/* Lies are found by who lives on. */
	w.end = lie ? BY_CLEANUP : ends[rand_r(seed) % sizeof(ends)];
	w.length = 100 + rand_r(seed) % 1000;
	w.ending = w.released = false;
	w.pended = w.rings = 0;
	w.dev = above(dev_started());
	w.dev2 = above(dev_started());
	for (int i = 0; i < PORTS; i++)
		w.port[i] = above(port_new(w.dev, i ? 2 : WSOCK_PORT_UNLIMITED));
	w.apc = above(port_new(w.dev, WSOCK_PORT_UNLIMITED));
	w.netevent = above(new_event());
	w.l = above(tcp_listener());
	fcntl(w.l, F_SETFL, O_NONBLOCK);
	w.to = loopback(local_port(w.l));
	sem_init(&w.gone, 0, 0);
	for (int i = 0; i < SOCKETS; i++)
		w.own[i] = w.peer[i] = -1;
	for (int i = 0; i < WORKERS; i++) {
		workers[i].seed = rand_r(seed);
		workers[i].slots = life->slots + i * SLOTS;
		workers[i].submitted = workers[i].acts = 0;
		workers[i].has_ring = false;
	}
	born(&workers[0], tcp_listener(), 0, false);
	for (int i = 1; i < SOCKETS; i++)
		new_pair(&workers[0], i);
	if (w.witness >= 0 && !dev_adopt(w.dev, w.witness))
		life->witness = true;
}

static void *first_worker(void *arg)
{
	/* By its thread, as some kinds of ring are that thread's alone. */
	new_ring(arg);
	return worker(arg);
}

static void live_era(void)
{
	long kernels;

	if (pthread_create(&w.taker, NULL, taker, NULL))
		_exit(12);
	for (int i = 0; i < WORKERS; i++) {
		pthread_t t;

		if (pthread_create(&t, NULL, first_worker, &workers[i]))
			_exit(13);
		pthread_detach(t);
	}
	for (int i = 0; i < WORKERS; i++)
		while (sem_wait(&w.gone) && errno == EINTR)
			;
	/* Everything has ended; tell what there is to be told. */
	for (int i = 0; i < PORTS; i++)
		empty(w.port[i]);
	empty(w.apc);
	shut(w.port[0]);
	pthread_join(w.taker, NULL);
	/* Provoke what must not be. */
	for (int i = 0; i < SOCKETS; i++)
		send(w.peer[i], "late", 4, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (w.end == BY_CLEANUP) {
		kernels = fdinfo(w.dev, "completed") + fdinfo(w.dev, "cancelled");
		if (kernels < (long)w.pended || kernels > (long)(w.pended + w.rings))
			complain(OTHER, "the module counts %ld ends, we %lu and %lu commands",
				 kernels, w.pended, w.rings);
	}
	for (int i = 0; i < ALL; i++)
		finish_slot(&life->slots[i]);
}

static void live(int witness)
{
	unsigned int seed = life->seed;

	handle_usr1(seed & 1 ? SA_RESTART : 0);
	signal(SIGPIPE, SIG_IGN);
	if (!(rand_r(&seed) % 6) && (unshare(CLONE_NEWNET) || !loopback_up()))
		_exit(14);
	bazaar[0] = above(bazaar[0]);
	bazaar[1] = above(bazaar[1]);
	for (int i = 0; i < ALL; i++)
		life->slots[i].event = above(new_event());
	pthread_rwlock_init(&w.gate, NULL);
	for (int era = 0; era < 3; era++) {
		w.witness = era ? -1 : witness;
		prepare_era(&seed);
		live_era();
		/* Sockets, and what else is of this era. */
		close_range(3, FDS - 1, 0);
		if (w.end == BY_CLEANUP) {
			close(w.dev);
			close(w.dev2);
		}
		for (int i = 0; i < PORTS; i++)
			close(w.port[i]);
		close(w.apc);
		close(w.netevent);
		close(w.l);
	}
	_exit(0);
}

/* ---- All of them ---- */

static unsigned long target, seconds;

static void begin_life(struct life *l, unsigned int seed)
{
	int fds[2], peers[LIVES];
	pid_t pid;

	if (tcp_pair(fds))
		ksft_exit_fail_msg("no sockets: %s\n", strerror(errno));
	l->seed = seed;
	l->witness = false;
	l->eras = 0;
	l->peer = fds[1];
	sem_init(&l->apart, 1, 0);
	for (int i = 0; i < ALL; i++)
		l->slots[i].state = FREE;
	arena->mail[l - arena->lives] = 0;
	/* As they are now: the arena is shared. */
	for (int i = 0; i < LIVES; i++)
		peers[i] = arena->lives[i].peer;
	pid = fork();
	if (pid < 0)
		ksft_exit_fail_msg("fork: %s\n", strerror(errno));
	if (!pid) {
		for (int i = 0; i < LIVES; i++)
			close(peers[i]);
		life = l;
		live(fds[0]);
	}
	__atomic_store_n(&l->pid, pid, __ATOMIC_RELAXED);
	close(fds[0]);
}

/* Poison what a dead process had; whoever writes there now is late. */
static void end_life(struct life *l, int st)
{
	if (WIFEXITED(st) ? WEXITSTATUS(st) : WTERMSIG(st) != SIGKILL)
		complain(OTHER, "a process ended with %x", st);
	if (l->witness) {
		int err = peer_end(l->peer);

		if (err != -ECONNRESET)
			complain(OTHER, "no reset, but %d, of the process with seed %u: ended %x, era %d by %d",
				 err, l->seed, st, l->eras, l->end);
	}
	close(l->peer);
	l->peer = -1;
	for (int i = 0; i < ALL; i++) {
		struct slot *s = &l->slots[i];

		if (s->state == PENDED || s->state == ISSUING)
			count(&arena->died);
		memset(&s->mem, DONE, sizeof(s->mem));
	}
	l->pid = 0;
}

static void check_dead(struct life *l)
{
	for (int i = 0; i < ALL; i++)
		if (!is_done(&l->slots[i]))
			complain(LATE, "in the memory of a process that is gone: operation %d, told by %d",
				 l->slots[i].op, l->slots[i].tell);

}

static unsigned long wrongs(void)
{
	unsigned long n = 0;

	for (int i = 0; i < WRONGS; i++)
		n += arena->wrong[i];
	return n;
}

static void tell_progress(const char *how, double since)
{
	const struct arena *a = arena;

	ksft_print_msg("torture: %s %.0f s: %lu operations (%lu commands), %lu at once, %lu later, %lu cancelled, %lu with their process; %lu refused; %lu packets, %lu accepts, %lu forks, %lu handed on, %lu signals; ended by cleanup %lu, close %lu, exit %lu, exec %lu, kill %lu\n",
		       how, (now_ms() - since) / 1e3, a->begun, a->commands, a->at_once, a->later,
		       a->cancelled, a->died, a->refused, a->packets, a->acceptances, a->forks,
		       a->handed, a->signals, a->ended[BY_CLEANUP], a->ended[BY_CLOSE],
		       a->ended[BY_EXIT], a->ended[BY_EXEC], a->ended[BY_KILL]);
}

/* One that does not move any more: what it is in, then its end. */
static void stalled(struct life *l)
{
	char command[160];

	snprintf(command, sizeof(command),
		 "for t in /proc/%d/task/*; do echo \"# $(cat $t/comm $t/syscall | tr '\\n' ' ')\"; sed 's/^/#   /' $t/stack; done",
		 l->pid);
	if (!lie && system(command))
		ksft_print_msg("no trace\n");
	complain(LOST, "a process stands still");
	kill(l->pid, SIGKILL);
}

static bool no_life(void)
{
	for (int i = 0; i < LIVES; i++)
		if (arena->lives[i].pid)
			return false;
	return true;
}

static void run(unsigned long ops, unsigned int seed)
{
	double since = now_ms(), told = since, moved = since;
	unsigned int lives = 0;
	unsigned long last = 0;

	memset(arena, 0, sizeof(*arena));
	for (int i = 0; i < LIVES; i++)
		arena->lives[i].peer = -1;
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, bazaar))
		ksft_exit_fail_msg("socketpair: %s\n", strerror(errno));
	for (;;) {
		bool enough = arena->begun >= ops || (seconds && now_ms() - since > seconds * 1e3) ||
			      (wrongs() && !lie);
		bool pause = lives % 32 >= 32 - LIVES;
		int st;

		for (int i = 0; i < LIVES; i++) {
			struct life *l = &arena->lives[i];

			if (l->pid && waitpid(l->pid, &st, WNOHANG) == l->pid) {
				end_life(l, st);
				moved = now_ms();
			}
			if (!l->pid && !enough && !pause) {
				if (lives >= LIVES)
					check_dead(l);
				lives++;
				begin_life(l, rand_r(&seed));
			}
		}
		if (no_life() && (enough || pause)) {
			/* What is on its way holds sockets of the dead. */
			close(bazaar[0]);
			close(bazaar[1]);
			if (!counters_zero()) {
				complain(LOST, "the module still holds something");
				break;
			}
			for (int i = 0; i < LIVES; i++)
				check_dead(&arena->lives[i]);
			if (enough)
				break;
			if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, bazaar))
				ksft_exit_fail_msg("socketpair: %s\n", strerror(errno));
			set_param("workers", rand_r(&seed) & 1 ? "1" : "0");
			lives += LIVES;
			memset(arena->lives, 0, sizeof(arena->lives));
			for (int i = 0; i < LIVES; i++) {
				arena->lives[i].peer = -1;
				memset(arena->lives[i].slots, DONE, sizeof(arena->lives[i].slots));
			}
		}
		if (arena->begun != last) {
			last = arena->begun;
			moved = now_ms();
		}
		if (now_ms() - moved > STALL_S * 1e3) {
			for (int i = 0; i < LIVES; i++)
				if (arena->lives[i].pid)
					stalled(&arena->lives[i]);
			moved = now_ms();
		}
		if (now_ms() - told > 30000 && !lie) {
			told = now_ms();
			tell_progress("after", since);
		}
		nap_ms(5);
	}
	set_param("workers", "0");
	if (!lie)
		tell_progress("all of", since);
}

/* The program itself does what the module must not: that is found, and as what. */
static bool finds(enum lie what, enum wrong as, unsigned int seed)
{
	lie = what;
	run(1000, seed);
	lie = NO_LIE;
	return arena->wrong[as];
}

int main(int argc, char *argv[])
{
	unsigned int seed = env_seed();

	/* What is exec()ed in between. */
	if (argc > 1)
		return 0;
	target = env_number("WSOCK_OPS", 10000);
	seconds = env_number("WSOCK_SECONDS", 0);

	arena = mmap(NULL, sizeof(*arena), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (arena == MAP_FAILED)
		return 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	ksft_print_header();
	ksft_set_plan(1 + LIES - 1);
	ksft_print_msg("WSOCK_SEED=%u WSOCK_OPS=%lu\n", seed, target);
	ksft_test_result(finds(LOSE, LOST, seed), "finds a lost end\n");
	ksft_test_result(finds(DOUBLE, DOUBLED, seed), "finds an end that is told twice\n");
	ksft_test_result(finds(WRITE_LATE, LATE, seed), "finds a late write\n");
	ksft_test_result(finds(MISS_CANCEL, LOST, seed), "finds what the release has missed\n");
	run(target, seed);
	ksft_print_msg("torture: %lu operations: %lu lost, %lu doubled, %lu late writes, %lu other errors: %s\n",
		       arena->begun, arena->wrong[LOST], arena->wrong[DOUBLED],
		       arena->wrong[LATE], arena->wrong[OTHER], wrongs() ? "FAILURE" : "SUCCESS");
	ksft_test_result(!wrongs(), "each operation ends exactly once\n");
	ksft_finished();
}
