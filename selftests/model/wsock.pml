/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The life of overlapped operations, for spin: two operations of one socket of one
 * context, and everybody who may execute or end them. "make model" searches all
 * interleavings of each configuration below, without approximation (no bitstate
 * hashing), and then checks that each of the seeded faults is found.
 *
 * States, flags and functions have the names of kmod/wsock.h and operation.c,
 * socket.c and context.c; who changes the order of steps there changes it here.
 *
 * What must hold:
 *
 *  - an operation has its result told once and is delivered once (op_show(),
 *    op_deliver(), op_free()), as cancelled if the release ended it;
 *  - the process's memory is not written once the release, or closesocket, has
 *    returned (user_write());
 *  - nobody uses an operation or a socket that was freed (touch(), locked()), and
 *    all references are given back (judge());
 *  - the wait entry is on the queue only while the socket is there, which counts
 *    the inode where the queue is (socket_free(), wake(), judge());
 *  - one operation of a lane at a time is RUNNING, the oldest (lane_take()), and it
 *    is in one place only: task work, worker or port (put_in());
 *  - when nothing moves any more, no operation waits for data that is there, and
 *    none is left of a dead socket (judge()); everybody has come to an end of what
 *    he did (invalid end states), so the release has returned;
 *  - and it comes to that: no run goes round for ever (the searches for cycles,
 *    without any assumption of fairness).
 *
 * What is left out, and why that is no loss:
 *
 *  - A step under wsock_socket.lock, or under the lock of a wait queue or a hash
 *    bucket, is one step, as nobody else sees it half done. Atomic operations and
 *    looks without the lock are steps of their own. Reading and writing outside the
 *    lock is sequentially consistent: what a missing barrier does is not found.
 *  - Data is a number of tries that will succeed. Everything that ends a try with
 *    an error is ECONNABORTED, and comes from the reset: the others do not differ
 *    from data.
 *  - Order in the task work of a thread, in the workqueue and in the port: any of
 *    what is there may be next, which includes the true one.
 *  - Threads come to the port when they like; how packets are handed to them, and
 *    its limit, are another subject.
 *  - Two operations, in one lane or in one each: what happens between neighbours of
 *    a FIFO needs no third one. A batch of wsock_op_cancel_all() is one operation,
 *    so that the lock is released between them; the budget of an executor is 64 or
 *    none.
 *  - Time-outs and signals: who may give up may do so at any time.
 *  - The parts of a release that touch other sockets; spares, memory that is short,
 *    events (told with the result) and network events.
 */

#define NONE	2	/* no operation, no thread */
#define IN	0
#define OUT	1

#ifndef FAULT
#define FAULT 0
#endif
/* name, number, the configuration that finds it: what is done wrong */
#define UNSEEN		1	/* ORDER: lane_look() clears woken though nothing is armed */
#define STALE		2	/* ORDER: watch_disarm() leaves woken as it is */
#define WOKEN_IGNORED	3	/* CHAIN: op_wait() does not look at lane->woken */
#define POKE_DROPPED	4	/* ORDER: op_claim() does not kick the lane of a poked head */
#define WAITER_LEAVES	5	/* WAITER: op_wait_finish() asks for no executor */
#define ABANDON_FORGETS	6	/* PORT_EAGER: nor does wsock_op_abandon() */
#define CLAIM_ANYHOW	7	/* CHAIN: op_claim() takes a RUNNING one */
#define DELIVERED_THOUGH_SCHEDULED 8 /* ORDER: op_end() does not leave it to the executor */
#define CANCEL_UNSCHEDULED 9	/* RING: nor does wsock_op_cancel_uring(), but asks for one */
#define STATUS_LATE	10	/* CHAIN: op_finish() writes the status of an ENDED one */
#define PUMPED_UNCOUNTED 11	/* PORT_WAITER: op_run_locked() takes no reference */
#define RELEASE_HASTY	12	/* CHAIN: no socket_wait() */
#define INLINE_IGNORED	13	/* CHAIN: socket_wait() does not wait for inline turns */
#define PENDS_UNCOUNTED	14	/* RING: nor for who is about to queue */
#define NO_WAKE_UP	15	/* CHAIN: wsock_socket_leave() wakes nobody */
#define RESET_FIRST	16	/* CHAIN: the reset comes before dead */
#define RESET_SEEN	17	/* CHAIN: op_finish() tells of the reset */
#define DOOR_REOPENED	18	/* CHAIN: lane_open() opens a dead socket's door */
#define DEAD_IGNORED	19	/* CHAIN: op_enqueue() does not look at dead */
#define ORPHAN_FREED	20	/* EXIT: wsock_socket_orphan() does not look at the doors */
#define DISARMED	21	/* LANES: wsock_op_wake() does not look at the other lane */
#define LEFT_ARMED	22	/* EXIT: wsock_socket_free() does not disarm */
#define TURN_BLIND	23	/* ORDER: op_take_turn() does not look at lane->woken */
#define PACKET_UNCOUNTED 24	/* PORT_BOTH: try_packet() takes no reference */

/* ------------------------------------------------------------------------- */
/* The configurations (-DORDER, ...): who submits what, who executes, who ends it */

#define IS		:: deed =
#define NOTHING_ELSE	IS NO_DEED

#ifdef ORDER		/* two threads, one lane, one end after the other */
#define DEEDS_0		NOTHING_ELSE IS CANCEL
#define DEEDS_1		NOTHING_ELSE IS CANCEL_ALL IS CLOSE IS RELEASE
#endif

#ifdef LANES		/* one operation in each lane */
#define LANE(o)		(o)
#define VAIN(l)		((l) == IN)
#define DEEDS_0		NOTHING_ELSE
#define DEEDS_1		NOTHING_ELSE IS CANCEL IS CLOSE IS RELEASE
#endif

#ifdef CHAIN		/* one thread submits both and executes one after the other */
#define BY(o)		0
#define VAIN(l)		true
#define DEEDS_0		NOTHING_ELSE IS RELEASE IS CLOSE
#define DEEDS_1		NOTHING_ELSE IS CANCEL IS CANCEL_ALL IS CLOSE IS RELEASE
#endif

#ifdef WORKERS		/* the parameter of that name; a budget that is used up */
#define NR_WORKERS	2
#define BUDGET		0
#define BY(o)		0
#define DEEDS_0		NOTHING_ELSE
#define DEEDS_1		NOTHING_ELSE IS CANCEL IS RELEASE
#endif

#ifdef WAITER		/* a thread waits for the first, or gives up */
#define NR_DATA		1
#define DEEDS_0		IS WAIT IS WAIT_PATIENTLY
#define DEEDS_1		NOTHING_ELSE IS CANCEL IS CLOSE IS RELEASE
#endif

#ifdef WAITERS		/* both wait, for the one behind */
#define BY(o)		0
#define TARGET		1
#define DEEDS_0		IS WAIT IS WAIT_PATIENTLY
#define DEEDS_1		IS WAIT IS WAIT_PATIENTLY
#endif

#ifdef EXIT		/* the first thread exits; SIGKILL */
#define MAY_EXIT(me)	((me) == 0)
#define DEEDS_0		NOTHING_ELSE
#define DEEDS_1		NOTHING_ELSE IS CANCEL IS CLOSE IS HASTY IS KILL
#endif

#ifdef PORT_BOTH	/* both end at a port */
#define HAS_PORT	1
#define NR_DATA		1
#define DEEDS_0		NOTHING_ELSE
#define DEEDS_1		IS CLOSE IS RELEASE IS ABANDON
#endif

#ifdef PORT_EAGER	/* the second one has to show its end without a thread there */
#define HAS_PORT	1
#define PATIENT(o)	((o) == 0)
#define NR_DATA		1
#define DEEDS_0		NOTHING_ELSE
#define DEEDS_1		NOTHING_ELSE IS RELEASE IS ABANDON
#endif

#ifdef PORT_WAITER	/* and somebody waits for the first one */
#define HAS_PORT	1
#define NR_DATA		1
#define DEEDS_0		IS WAIT_PATIENTLY
#define DEEDS_1		NOTHING_ELSE IS RELEASE IS ABANDON
#endif

#ifdef RING		/* both are commands; the ring may be closed */
#define CMD		1
#define DEEDS_0		NOTHING_ELSE
#define DEEDS_1		NOTHING_ELSE IS CANCEL IS CLOSE IS RELEASE
#endif

#ifdef RING_EXIT	/* and the thread exits */
#define CMD		1
#define MAY_EXIT(me)	((me) == 0)
#define NR_DATA		1
#define DEEDS_0		NOTHING_ELSE
#define DEEDS_1		NOTHING_ELSE IS CANCEL IS KILL
#endif

/* Those that are also searched for cycles */
#define CYCLES ORDER CHAIN WAITERS RING PORT_EAGER

/* What most of them have in common */
#ifndef LANE
#define LANE(o)		IN
#endif
#ifndef BY
#define BY(o)		(o)	/* the thread */
#endif
#ifndef CMD
#define CMD		0
#endif
#ifndef HAS_PORT
#define HAS_PORT	0
#endif
#ifndef PATIENT
#define PATIENT(o)	HAS_PORT
#endif
#ifndef VAIN
#define VAIN(l)		false	/* recv_hopeless() may tell */
#endif
#ifndef BUDGET
#define BUDGET		1
#endif
#ifndef NR_WORKERS
#define NR_WORKERS	1
#define WSOCK_WORKERS	0
#else
#define WSOCK_WORKERS	1
#endif
#ifndef TARGET
#define TARGET		0
#endif
#ifndef MAY_EXIT
#define MAY_EXIT(me)	false
#endif
#ifndef NR_DATA
#define NR_DATA		2	/* what the network brings, at most */
#endif

/* ------------------------------------------------------------------------- */
/* State: what is shared */

mtype:op_state = { NEW, OP_RUNNING, OP_QUEUED, OP_ENDING, OP_ENDED, FREED };
mtype:op_place = { NOWHERE, TASK_WORK, FALLBACK, WORK, PORT, DROPPED };
mtype:op_ret = { NOTHING, DATA, EAGAIN, EIOCBQUEUED, ECANCELED, ECONNABORTED, REFUSED };

typedef wsock_op {
	mtype:op_state state = NEW;
	mtype:op_place place = NOWHERE;	/* the union of task_work, work, item */
	mtype:op_ret result = NOTHING;
	bit scheduled;
	bit poked;
	bit packet;
	bit pending;
	bit silent;
	bit cancel;
	bit file;
	bit named;
	bit cancelable;
	bit shown;
	bit delivered;
	byte waiter = NONE;
	byte refs;
};
wsock_op op[2];

#define INLINE	1
#define CLOSED	2

typedef wsock_lane {
	byte first = NONE;		/* ops */
	byte second = NONE;
	byte running = NONE;
	byte nr_ops;
	byte nr_waiters;
	byte nr_eager;
	bit woken = 1;
	byte door;
	byte data;			/* what a try would find */
};
wsock_lane lane[2];

/* struct wsock_socket */
byte refs = 1;
byte busy;
bit dead;
bit orphan;
bit armed;
bit gone;		/* wsock_socket_free() was called */
bit reclaimed;		/* and a grace period is over */
byte readers;		/* RCU */
bit sk_reset;		/* socket_abort() */
byte file_refs = 1;	/* one for its descriptor */
bit fd = 1;

/* struct wsock_context */
bit registrations = 1;
bit ctx_lock;
bit table = 1;

/* The port, the ring, the threads */
bit abandoned;
bit uring_lock;
bit asleep[2];
bit on_idle[2];		/* on wsock_context.idle */
bit no_mm[2];		/* exit_mm() */
bit exited[2];		/* no task work any more */
bit killed;
bit over;		/* the release or closesocket has returned */

/* ------------------------------------------------------------------------- */

#define touch(o)	assert(op[o].state != NEW && op[o].state != FREED)
#define locked()	assert(!gone)
#define user_write()	assert(!over)
#define is_inline(l)	(lane[l].door & INLINE)
#define ready(l)	(lane[l].data || sk_reset)
#define hopeless(l)	(VAIN(l) && !ready(l))

inline list_add(l, o) {
	lane[l].second = lane[l].first;
	lane[l].first = o
}

inline list_add_tail(l, o) {
	if
	:: lane[l].first == NONE -> lane[l].first = o
	:: else -> assert(lane[l].second == NONE); lane[l].second = o
	fi
}

inline list_del(l, o) {
	if
	:: lane[l].first == o -> lane[l].first = lane[l].second
	:: else -> assert(lane[l].second == o)
	fi;
	lane[l].second = NONE
}

inline wake_idle() {
	asleep[0] = asleep[0] && !on_idle[0];
	asleep[1] = asleep[1] && !on_idle[1]
}

inline leave() {
	assert(busy > 0);
	busy--;
	if
	:: busy == 0 && dead && FAULT != NO_WAKE_UP -> wake_idle()
	:: else
	fi
}

/* The item, the work and the task work share their place. */
inline put_in(o, where) {
	assert(op[o].place == NOWHERE);
	op[o].place = where
}

inline op_poke(o) {
	op[o].poked = 1;
	if
	:: op[o].waiter != NONE -> asleep[op[o].waiter] = 0
	:: else
	fi;
	if
	:: lane[LANE(o)].nr_waiters -> wake_idle()
	:: else
	fi
}

/* The end of op_schedule(). */
inline ask(o) {
	op[o].scheduled = 1;
	if
	:: CMD && exited[BY(o)] -> put_in(o, FALLBACK)
	:: CMD && !exited[BY(o)] -> put_in(o, TASK_WORK)
	:: !CMD && (WSOCK_WORKERS || exited[BY(o)]) -> put_in(o, WORK)
	:: else -> put_in(o, TASK_WORK)
	fi
}

#define runs_in_port(o)	(PATIENT(o) && !lane[LANE(o)].nr_eager)

inline op_schedule(o) {
	op_poke(o);
	if
	:: runs_in_port(o) && !abandoned -> op[o].scheduled = 1; put_in(o, PORT)
	:: runs_in_port(o) && abandoned -> ask(o)
	:: !runs_in_port(o) && op[o].waiter == NONE -> ask(o)
	:: else
	fi
}

inline lane_kick(l) {
	if
	:: lane[l].running != NONE || is_inline(l) -> lane[l].woken = 1
	:: else ->
		if
		:: lane[l].first == NONE
		:: lane[l].first != NONE && !op[lane[l].first].scheduled ->
			op_schedule(lane[l].first)
		:: else -> op_poke(lane[l].first)
		fi
	fi
}

/* Who has the turn begins to look. */
inline lane_look(l) {
	lane[l].woken = !armed && FAULT != UNSEEN
}

inline watch_disarm() {
	armed = 0;
	if
	:: FAULT != STALE -> lane[IN].woken = 1; lane[OUT].woken = 1
	:: else
	fi
}

inline wsock_op_unwatch() {
	d_step {
		locked();
		if
		:: armed -> watch_disarm()
		:: else
		fi
	}
}

inline lane_take(l, o) {
	/* At most one operation of a lane is RUNNING, in order. */
	assert(lane[l].first == o && lane[l].running == NONE && !is_inline(l));
	list_del(l, o);
	op[o].state = OP_RUNNING;
	op[o].poked = 0;
	lane[l].running = o;
	lane_look(l)
}

/* wsock_op_wake(): the wait queue was woken; its lock, too. */
inline wake(l) {
	if
	:: armed ->		/* wq_has_sleeper() */
		d_step {
			if
			:: armed ->
				locked();
				lane_kick(l);
				if
				:: lane[l].running == NONE && !is_inline(l) &&
				   (FAULT == DISARMED -> lane[l].nr_ops == 0 :
					lane[IN].nr_ops + lane[OUT].nr_ops == 0) ->
					watch_disarm()
				:: else
				fi
			:: else
			fi
		}
	:: else
	fi
}

inline lane_open(l) {
	if
	:: lane[l].nr_ops == 0 && (!dead || FAULT == DOOR_REOPENED) ->
		lane[l].door = lane[l].door & ~CLOSED
	:: else
	fi
}

inline lane_add(l, o) {
	lane[l].nr_ops++;
	lane[l].nr_eager = lane[l].nr_eager + !PATIENT(o)
}

inline lane_remove(l, o) {
	lane[l].nr_ops--;
	lane[l].nr_eager = lane[l].nr_eager - !PATIENT(o);
	lane_open(l)
}

/* ------------------------------------------------------------------------- */
/* References */

inline socket_put() {
	d_step {
		locked();
		assert(refs > 0);
		refs--;
		last = refs == 0
	}
	if
	:: last ->
		d_step {
			locked();
			orphan = 1;
			used = (is_inline(IN) || is_inline(OUT)) && FAULT != ORPHAN_FREED
		}
		if
		:: !used -> socket_free()
		:: else
		fi
	:: else
	fi;
	last = 0;
	used = 0
}

inline socket_free() {
	d_step {
		assert(!gone && refs == 0);
		if
		:: FAULT != LEFT_ARMED -> armed = 0
		:: else
		fi;
		assert(lane[IN].nr_ops == 0 && lane[OUT].nr_ops == 0 && busy == 0);
		gone = 1
	}
}

inline op_put(o) {
	d_step {
		touch(o);
		assert(op[o].refs > 0);
		op[o].refs--;
		last = op[o].refs == 0;
		if
		:: last -> op_free(o)
		:: else
		fi
	}
	if
	:: last -> socket_put()
	:: else
	fi
}

/* But for the reference to the socket */
inline op_free(o) {
	assert(op[o].place == NOWHERE && !op[o].file && !op[o].named);
	assert(!op[o].cancelable && op[o].waiter == NONE);
	assert(lane[LANE(o)].first != o && lane[LANE(o)].second != o);
	assert(lane[LANE(o)].running != o);
	/* Told, and told to the end. */
	assert(op[o].result == REFUSED || op[o].shown);
	assert(op[o].result == REFUSED || !CMD || op[o].delivered || !op[o].pending);
	assert(!op[o].packet || op[o].delivered || abandoned);
	op[o].state = FREED;
	op[o].poked = 0;
	op[o].scheduled = 0;
	op[o].cancel = 0;
	op[o].silent = 0
}

inline file_put() {
	assert(file_refs > 0);
	file_refs--
}

/* ------------------------------------------------------------------------- */
/* Trying, waiting, ending */

inline try(l) {
	d_step {
		if
		:: lane[l].data -> lane[l].data--; got = DATA
		:: !lane[l].data && sk_reset -> got = ECONNABORTED	/* or end of file */
		:: else -> got = EAGAIN
		fi
	}
	/* The copy may fault and sleep. */
	if
	:: got == DATA -> user_write()
	:: else
	fi
}

/* The end of op_wait(), under the lock. */
inline settle(o, l) {
	touch(o);
	locked();
	assert(op[o].state == OP_RUNNING && lane[l].running == o);
	if
	:: op[o].cancel -> got = ECANCELED
	:: !op[o].cancel && lane[l].woken && FAULT != WOKEN_IGNORED ->
		lane_look(l);
		got = EAGAIN
	:: else ->
		lane[l].running = NONE;
		list_add(l, o);
		op[o].state = OP_QUEUED;
		leave();
		got = EIOCBQUEUED
	fi
}

inline watch_arm() {
	d_step { locked(); armed = 1 }
}

inline op_wait(o, l) {
	d_step {
		touch(o);
		locked();
		look = !armed;
		if
		:: armed -> settle(o, l)
		:: else
		fi
	}
	if
	:: look ->
		watch_arm();
		d_step { settle(o, l); look = 0 }
	:: else
	fi
}

inline op_show(o) {
	d_step {
		touch(o);
		/* Once, and while it is its ender's. */
		assert(!op[o].shown);
		assert(op[o].state == OP_RUNNING || op[o].state == OP_ENDING);
		op[o].shown = 1;
		/* What pended ends as cancelled, not with what the release does. */
		assert(!(op[o].pending && op[o].result == ECONNABORTED));
		op[o].packet = HAS_PORT
	}
	if
	:: home -> user_write()		/* op_write_status() */
	:: else
	fi;
	op[o].named = 0			/* op_forget_name() */
}

inline op_put_file(o) {
	d_step {
		touch(o);
		assert(op[o].file);
		op[o].file = 0;
		file_put()
	}
}

inline op_deliver(o) {
	if
	:: CMD && op[o].pending ->
		/* io_uring_cmd_done() takes the ring's lock */
		atomic {
			ring_locked || !uring_lock;
			touch(o);
			assert(!op[o].delivered);
			op[o].delivered = 1;
			op[o].cancelable = 0
		}
	:: else
	fi;
	d_step {
		touch(o);
		queued = op[o].packet && !abandoned;
		if
		:: queued -> put_in(o, PORT)
		:: else
		fi
	}
	if
	:: !queued -> op_put(o)
	:: else
	fi;
	queued = 0
}

/* Under the lock; tells @claimed. */
inline op_claim(o) {
	touch(o);
	claimed = op[o].state == OP_QUEUED || (FAULT == CLAIM_ANYHOW && op[o].state == OP_RUNNING);
	if
	:: claimed ->
		if
		:: op[o].state == OP_QUEUED -> list_del(LANE(o), o)
		:: else -> lane[LANE(o)].running = NONE
		fi;
		lane_remove(LANE(o), o);
		op[o].state = OP_ENDING;
		op[o].result = ECANCELED;
		busy++;
		if
		:: op[o].poked && !dead && FAULT != POKE_DROPPED -> lane_kick(LANE(o))
		:: else
		fi;
		op[o].poked = 0
	:: else
	fi
}

/* Under the lock; tells @claimed. */
inline op_interrupt(o, notify) {
	claimed = op[o].state == OP_RUNNING && !op[o].cancel;
	if
	:: claimed ->
		op[o].cancel = 1;
		op[o].silent = !(notify)
	:: else
	fi
}

inline op_end(o, notify) {
	op_show(o);
	op_put_file(o);
	d_step {
		touch(o);
		locked();
		op[o].state = OP_ENDED;
		op_poke(o);
		deliver = !op[o].scheduled || FAULT == DELIVERED_THOUGH_SCHEDULED;
		leave()
	}
	if
	:: deliver -> op_deliver(o)
	:: else
	fi;
	deliver = 0
}

#define may_take(o)	(BUDGET && in_ring == CMD && !runs_in_port(o) &&		\
			 (BY(o) == me || (worker && !CMD)))

/* Under the lock; tells @next. */
inline lane_next(l) {
	if
	:: lane[l].first == NONE
	:: lane[l].first != NONE && op[lane[l].first].scheduled -> op_poke(lane[l].first)
	:: lane[l].first != NONE && !op[lane[l].first].scheduled &&
	   armed && hopeless(l)
	:: else ->
		if
		:: may_take(lane[l].first) ->
			next = lane[l].first;
			lane_take(l, next)
		:: else -> op_schedule(lane[l].first)
		fi
	fi
}

/* Tells @next. */
inline op_finish(o, ret) {
	d_step {
		touch(o);
		op[o].result = ret;
		if
		/* What it saw is the reset of the release. */
		:: ret == ECONNABORTED && op[o].pending && op[o].silent && FAULT != RESET_SEEN ->
			op[o].result = ECANCELED
		:: else
		fi;
		if
		:: FAULT == STATUS_LATE -> op[o].state = OP_ENDED
		:: else
		fi
	}
	op_show(o);
	d_step {
		touch(o);
		locked();
		op[o].state = OP_ENDED;
		op_poke(o);
		deliver = !op[o].scheduled && o != collect;
		queued = 0;
		if
		:: deliver && op[o].packet && !abandoned ->
			op[o].refs++;
			put_in(o, PORT);
			queued = 1
		:: else
		fi;
		/* lane_release() */
		assert(lane[LANE(o)].running == o);
		lane[LANE(o)].running = NONE;
		lane_remove(LANE(o), o);
		next = NONE;
		if
		:: lane[LANE(o)].nr_ops -> lane_next(LANE(o))
		:: else
		fi;
		if
		:: next == NONE -> leave()
		:: else
		fi
	}
	if
	:: op[o].pending -> op_put_file(o)
	:: else
	fi;
	if
	:: o == collect -> collected = 1
	:: o != collect && queued -> queued = 0; op_put(o)
	:: o != collect && !queued && deliver -> deliver = 0; op_deliver(o)
	:: else
	fi
}

/* @o: a variable */
inline op_run(o) {
	do
	:: o == NONE -> break
	:: else ->
		try(LANE(o));
		if
		:: got == EAGAIN -> op_wait(o, LANE(o))
		:: else
		fi;
		if
		:: got == EAGAIN
		:: got == EIOCBQUEUED -> o = NONE
		:: else ->
			op_finish(o, got);
			o = next;
			next = NONE
		fi
	od;
	got = NOTHING
}

/* An executor has come for @cur. */
inline op_execute() {
	d_step {
		touch(cur);
		locked();
		was = op[cur].state;
		away = was == OP_QUEUED && !home && !worker;
		if
		:: !away ->
			op[cur].scheduled = 0;
			if
			:: was == OP_QUEUED && home ->
				lane_take(LANE(cur), cur);
				busy++
			:: was == OP_QUEUED && !home -> op_claim(cur)
			:: else
			fi
		:: else
		fi
	}
	if
	:: away -> d_step { touch(cur); put_in(cur, WORK) }
	:: !away && was == OP_ENDED && cur == collect -> collected = 1
	:: !away && was == OP_ENDED && cur != collect -> op_deliver(cur)
	:: !away && was == OP_QUEUED && home -> op_run(cur)
	:: !away && was == OP_QUEUED && !home -> op_end(cur, 0)
	:: else
	fi;
	claimed = 0;
	away = 0;
	was = NEW;
	cur = NONE
}

/* ------------------------------------------------------------------------- */
/* Submitting */

inline op_make_pending(o) {
	d_step {
		op[o].file = 1;
		file_refs++;
		op[o].pending = 1;
		op[o].named = 1;
		op[o].cancelable = CMD
	}
}

inline lane_leave(l) {
	slow = 0;
	d_step {
		locked();
		if
		:: lane[l].door == INLINE -> lane[l].door = 0
		:: else -> slow = 1
		fi
	}
	if
	:: slow ->
		d_step {
			locked();
			lane[l].door = lane[l].door & ~INLINE;
			if
			:: dead ->
				wake_idle();
				free = orphan && !is_inline(IN) && !is_inline(OUT)
			:: else
			fi;
			next = NONE;
			if
			:: lane[l].nr_ops -> lane_next(l)
			:: else
			fi;
			cur = next;
			if
			:: next != NONE -> busy++
			:: else
			fi;
			next = NONE
		}
		op_run(cur);
		if
		:: free -> socket_free()
		:: else
		fi;
		free = 0
	:: else
	fi;
	slow = 0
}

/* Execute @due, with the lock of this step and of what follows. */
inline op_run_locked() {
	if
	:: FAULT != PUMPED_UNCOUNTED -> op[due].refs++
	:: else
	fi;
	lane_take(LANE(due), due);
	busy++
}

inline run_due() {
	if
	:: due != NONE ->
		cur = due;
		op_run(cur);
		if
		:: FAULT != PUMPED_UNCOUNTED -> op_put(due)
		:: else
		fi
	:: else
	fi;
	due = NONE
}

inline lane_pump(l) {
	d_step {
		locked();
		due = lane[l].first;
		if
		:: due != NONE && op[due].scheduled && PATIENT(due) && lane[l].running == NONE ->
			op_run_locked()
		:: else -> due = NONE
		fi
	}
	worker = 1;
	run_due();
	worker = 0
}

/* op_place(): gives a new operation its place, under the lock; tells @got. */
inline op_place(o, l, first) {
	if
	:: dead && FAULT != DEAD_IGNORED && !op[o].pending -> got = REFUSED
	:: (dead && FAULT != DEAD_IGNORED && op[o].pending) || op[o].cancel ->
		op[o].state = OP_ENDING;
		op[o].result = ECANCELED;
		busy++;
		got = ECANCELED
	:: else ->
		lane_add(l, o);
		if
		:: behind -> list_add_tail(l, o)
		:: !behind && first -> list_add(l, o)
		:: else -> lane[l].running = o; lane_look(l); busy++
		fi;
		if
		:: behind || first -> op[o].state = OP_QUEUED; got = EIOCBQUEUED
		:: else -> got = NOTHING
		fi
	fi
}

inline op_take_turn(o, l) {
	d_step {
		locked();
		first = vain && armed && (!lane[l].woken || FAULT == TURN_BLIND || hopeless(l));
		behind = 0;
		op_place(o, l, first);
		if
		:: got == NOTHING || got == EIOCBQUEUED ->
			lane[l].door = CLOSED;
			turn = 0
		:: else
		fi;
		first = 0
	}
}

/* With a ring's lock to take (again) the lock is released for that. */
inline op_enqueue(o, l) {
	if
	:: CMD -> again = 1
	:: true
	fi;
	atomic {
		locked();
		lane[l].door = lane[l].door | CLOSED;
		behind = lane[l].nr_ops || is_inline(l);
		if
		:: behind && !dead && again ->
			busy = busy + (FAULT != PENDS_UNCOUNTED);
			used = 1
		:: behind && !dead && !again -> op_make_pending(o)
		:: else
		fi;
		if
		:: !used -> op_place(o, l, 0); lane_open(l)
		:: else
		fi
	}
	if
	:: used ->
		op_make_pending(o);
		atomic {
			locked();
			if
			:: FAULT != PENDS_UNCOUNTED -> leave()
			:: else
			fi;
			lane[l].door = lane[l].door | CLOSED;
			behind = lane[l].nr_ops || is_inline(l);
			op_place(o, l, 0);
			lane_open(l)
		}
	:: else
	fi;
	behind = 0;
	used = 0;
	again = 0
}

inline op_issue(o, l) {
	if
	:: !op[o].pending ->
		try(l);
		if
		:: got == EAGAIN -> op_make_pending(o); cur = o
		:: else ->
			op_finish(o, got);
			cur = next;
			next = NONE
		fi
	:: else -> cur = o
	fi;
	op_run(cur);
	got = NOTHING
}

/* With the turn, or a reference */
inline submit_op(o, l) {
	if
	:: turn ->
		d_step {
			locked();
			if
			:: refs -> refs++
			:: else -> got = REFUSED
			fi
		}
	:: else -> got = NOTHING
	fi;
	if
	:: got != REFUSED ->
		d_step {				/* op_create() */
			op[o].refs = 1;
			op[o].state = OP_RUNNING;
			refs = refs + (HAS_PORT && !PATIENT(o))
		}
		if
		:: vain ->
			op_make_pending(o);
			if
			:: !armed -> watch_arm()
			:: else
			fi
		:: else
		fi;
		if
		:: turn -> op_take_turn(o, l)
		:: else -> op_enqueue(o, l)
		fi;
		if
		:: HAS_PORT && !PATIENT(o) && got == EIOCBQUEUED ->
			lane_pump(l);
			got = EIOCBQUEUED;
			socket_put()
		:: HAS_PORT && !PATIENT(o) && got != EIOCBQUEUED -> socket_put()
		:: else
		fi;
		if
		:: got == NOTHING -> op_issue(o, l)
		:: got == ECANCELED -> op_end(o, !dead)
		:: got == REFUSED ->
			op[o].result = REFUSED;
			op_put(o)		/* op_discard() */
		:: else
		fi
	:: else -> op[o].state = FREED; op[o].result = REFUSED
	fi;
	got = NOTHING
}

/* With the turn: a try that may leave a packet, which is an operation then. */
inline try_packet(o, l) {
	d_step {
		locked();
		if
		:: refs ->
			refs = refs + (FAULT != PACKET_UNCOUNTED);
			op[o].refs = 1;
			op[o].state = OP_RUNNING
		:: else -> got = REFUSED
		fi
	}
	if
	:: got == NOTHING ->
		try(l);
		if
		:: got == EAGAIN -> d_step { op[o].refs = 0; op[o].state = NEW }; socket_put()
		:: else ->
			user_write();			/* write_status() */
			d_step {
				touch(o);
				op[o].shown = 1;
				op[o].result = got;
				op[o].packet = got == DATA;
				op[o].state = OP_ENDED
			}
			op_deliver(o)
		fi
	:: else
	fi
}

inline submit(o, l) {
	if
	:: CMD -> atomic { !uring_lock; uring_lock = 1; in_ring = 1; ring_locked = 1 }
	:: else
	fi;
	got = REFUSED;
	if
	:: registrations ->
		d_step {				/* fdget() */
			if
			:: fd -> file_refs++; got = NOTHING
			:: else
			fi
		}
	:: else
	fi;
	if
	:: got == NOTHING ->
		d_step {
			if
			:: table -> readers++
			:: else -> got = REFUSED
			fi
		}
		if
		:: got == NOTHING ->
			d_step {
				assert(!reclaimed);
				if
				:: lane[l].door == 0 ->
					lane[l].door = INLINE;		/* lane_enter() */
					turn = 1;
					readers--
				:: else
				fi
			}
			if
			:: !turn ->
				d_step {
					assert(!reclaimed);
					if
					:: refs -> refs++
					:: else -> got = REFUSED
					fi;
					readers--
				}
			:: else
			fi
		:: else
		fi;
		if
		:: got == NOTHING && turn -> vain = hopeless(l)
		:: else
		fi;
		if
		:: got == NOTHING && turn && !vain && !HAS_PORT ->
			try(l);				/* try_plain() */
			if
			:: got == EAGAIN -> vain = 1; got = NOTHING
			:: else -> d_step { user_write(); locked() }	/* was_received() */
			fi
		:: got == NOTHING && turn && !vain && HAS_PORT && PATIENT(o) ->
			try_packet(o, l);
			if
			:: got == EAGAIN -> vain = 1; got = NOTHING
			:: else
			fi
		:: got == NOTHING && turn && !vain && HAS_PORT	/* more to import */
		:: got != NOTHING || !turn || vain
		fi;
		if
		:: got == NOTHING -> submit_op(o, l)
		:: got != NOTHING && op[o].state == NEW ->
			op[o].state = FREED; op[o].result = REFUSED
		:: else
		fi;
		if
		:: turn -> lane_leave(l); turn = 0
		:: else
		fi;
		d_step { file_put() }
	:: else -> op[o].state = FREED; op[o].result = REFUSED
	fi;
	got = NOTHING;
	vain = 0;
	if
	:: CMD -> d_step { uring_lock = 0; in_ring = 0; ring_locked = 0 }
	:: else
	fi
}

/* ------------------------------------------------------------------------- */
/* Cancelling, closing, the release */

inline op_cancel_named(o) {
	found = NONE;
	d_step {				/* names_collect() */
		if
		:: op[o].named && (op[o].state == OP_QUEUED ||
				   (op[o].state == OP_RUNNING && !op[o].cancel)) ->
			op[o].refs++;
			found = o
		:: else
		fi
	}
	if
	:: found != NONE ->
		d_step {
			locked();
			op_claim(o);
			if
			:: !claimed -> op_interrupt(o, 1); claimed = 0
			:: else
			fi
		}
		if
		:: claimed -> op_end(o, 1)
		:: else
		fi;
		claimed = 0;
		op_put(o)
	:: else
	fi;
	found = NONE
}

/* In batches of one */
inline cancel_all(notify) {
	do
	:: atomic {
		locked();
		if
		:: lane[IN].running != NONE -> op_interrupt(lane[IN].running, notify)
		:: else
		fi;
		if
		:: lane[OUT].running != NONE -> op_interrupt(lane[OUT].running, notify)
		:: else
		fi;
		claimed = 0;
		found = lane[IN].first;
		if
		:: found == NONE -> found = lane[OUT].first
		:: else
		fi;
		if
		:: found != NONE -> op_claim(found)
		:: else
		fi
	   }
	   if
	   :: claimed -> op_end(found, notify)
	   :: else -> break
	   fi
	od;
	claimed = 0;
	found = NONE
}

inline socket_kill() {
	d_step {
		locked();
		dead = 1;
		lane[IN].door = lane[IN].door | CLOSED;
		lane[OUT].door = lane[OUT].door | CLOSED
	}
}

#define idle()	(busy == 0 && ((!is_inline(IN) && !is_inline(OUT)) || FAULT == INLINE_IGNORED))

inline socket_wait() {
	if
	:: FAULT != RELEASE_HASTY && deed != HASTY ->
		on_idle[me] = 1;
		do
		:: true ->
			asleep[me] = 1;
			if
			:: idle() -> locked(); break
			:: else -> !asleep[me]
			fi
		od;
		atomic { on_idle[me] = 0; asleep[me] = 0 }
	:: else
	fi
}

inline socket_abort() {
	sk_reset = 1;
	wake(IN);
	wake(OUT)
}

inline close_fd() {
	if
	:: fd -> d_step { fd = 0; file_put() }
	:: else
	fi
}

inline closesocket() {
	atomic { !ctx_lock; ctx_lock = 1 }
	if
	:: registrations && table ->
		table = 0;
		socket_kill();
		cancel_all(1);
		socket_wait();
		wsock_op_unwatch();
		socket_abort();
		socket_put();
		close_fd();
		over = 1
	:: else
	fi;
	ctx_lock = 0
}

inline release() {
	atomic { !ctx_lock; ctx_lock = 1 }
	registrations = 0;
	if
	:: table ->
		if
		:: FAULT == RESET_FIRST -> socket_abort()
		:: else
		fi;
		socket_kill();
		cancel_all(0);
		socket_abort();
		socket_wait();
		table = 0;
		if
		:: !killed -> close_fd()
		:: else
		fi;
		wsock_op_unwatch();
		socket_put();
	:: else
	fi;
	over = !killed && deed != HASTY;
	ctx_lock = 0
}

/* With the ring's lock: exec, exit, the end of the ring */
inline op_cancel_uring(o) {
	d_step {
		touch(o);
		locked();
		op_claim(o);
		deliver = claimed && !op[o].scheduled;
		if
		:: deliver && FAULT != CANCEL_UNSCHEDULED -> op[o].scheduled = 1
		:: else
		fi
	}
	if
	:: claimed ->
		again = deliver;
		op_end(o, 0);
		if
		:: again -> d_step { touch(o); ask(o) }
		:: else
		fi;
		again = 0
	:: else
	fi;
	deliver = 0;
	claimed = 0
}

#define in_flight(o)	op[o].cancelable
#define cancel_succeeds(o) (op[o].cancelable && op[o].state == OP_QUEUED)

/* Once, and then as often as it takes */
inline ring_cancel() {
	do
	:: true ->
		atomic { !uring_lock; uring_lock = 1 }
		if
		:: in_flight(0) -> op_cancel_uring(0)
		:: else
		fi;
		if
		:: in_flight(1) -> op_cancel_uring(1)
		:: else
		fi;
		uring_lock = 0;
		if
		:: cancel_succeeds(0) || cancel_succeeds(1)
		:: !in_flight(0) && !in_flight(1) -> break
		fi
	od
}

/* WSOCK_PORT_IOC_CLOSE */
inline port_abandon() {
	d_step {
		abandoned = 1;
		for (i : 0 .. 1) {
			if
			:: op[i].place == PORT -> op[i].place = DROPPED
			:: else
			fi
		}
		i = 0
	}
	do
	:: i == 2 -> break
	:: else ->
		if
		:: op[i].place == DROPPED ->
			d_step {		/* wsock_op_abandon() */
				touch(i);
				locked();
				op[i].place = NOWHERE;
				op[i].scheduled = 0;
				was = op[i].state;
				if
				:: was == OP_QUEUED && FAULT != ABANDON_FORGETS ->
					op_schedule(i)
				:: else
				fi
			}
			if
			:: was == OP_ENDED -> op_put(i)
			:: else
			fi;
			was = NEW
		:: else
		fi;
		i++
	od;
	i = 0
}

#define has_task_work(o)	(BY(o) == me && op[o].place == TASK_WORK)

/* Tells @due. */
inline op_due(o) {
	due = lane[LANE(o)].first;
	if
	:: due == NONE || op[o].state != OP_QUEUED || lane[LANE(o)].running != NONE ||
	   !op[due].poked || CMD || (due != o && !PATIENT(due)) -> due = NONE
	:: else
	fi
}

/* wsock_op_wait(); @patient: as long as it takes */
inline wait_for(o) {
	d_step {				/* name_find() */
		if
		:: op[o].named -> op[o].refs++; waits = o
		:: else
		fi
	}
	if
	:: waits != NONE ->
		d_step {			/* op_wait_begin() */
			touch(o);
			locked();
			alone = op[o].waiter == NONE && !CMD && !HAS_PORT;
			if
			:: alone -> op[o].waiter = me
			:: else -> lane[LANE(o)].nr_waiters++
			fi
		}
		on_idle[me] = !alone;
		do
		:: true ->
			asleep[me] = 1;		/* set_current_state() */
			if
			:: op[o].state == OP_ENDED -> break
			:: else
			fi;
			d_step { locked(); op_due(o) }
			if
			:: due != NONE ->
				asleep[me] = 0;
				d_step {
					locked();
					op_due(o);
					if
					:: due != NONE -> op_run_locked()
					:: else
					fi
				}
				run_due()
			:: else ->
				if
				:: has_task_work(0) || has_task_work(1) ->
					restart = 1;	/* signal_pending() */
					break
				:: else ->
					if
					:: patient ->
end_sleep:					!asleep[me] || has_task_work(0) || has_task_work(1)
					:: !patient -> break
					fi
				fi
			fi
		od;
		asleep[me] = 0;
		atomic {			/* op_wait_finish() */
			touch(o);
			locked();
			if
			:: alone ->
				op[o].waiter = NONE;
				if
				:: op[o].poked && op[o].state == OP_QUEUED &&
				   !op[o].scheduled && FAULT != WAITER_LEAVES ->
					op_schedule(o)
				:: else
				fi
			:: else -> lane[LANE(o)].nr_waiters--
			fi
		}
		on_idle[me] = 0;
		alone = 0;
		op_put(o)
	:: else
	fi;
	waits = NONE
}

/* ------------------------------------------------------------------------- */
/* Who acts */

/* What the inlines use; at rest all of it is as here, so that states merge. */
#define EXECUTOR								\
	byte cur = NONE, next = NONE, due = NONE, found = NONE, waits = NONE, i;	\
	mtype:op_ret got = NOTHING;						\
	mtype:op_state was = NEW;						\
	bit look, first, deliver, queued, claimed, last, used, collected, away;	\
	bit behind, again, vain, turn, slow, free, alone, restart;		\
	bit worker, in_ring, ring_locked;	/* struct op_executor */		\
	byte collect = NONE

/*
 * Once each, at any time: HASTY is a release that was told not to wait, by a signal;
 * KILL is the end of both threads.
 */
mtype:deeds = { NO_DEED, CANCEL, CANCEL_ALL, CLOSE, RELEASE, HASTY, KILL, ABANDON,
	       WAIT, WAIT_PATIENTLY };

#define has_to_submit(o)	(BY(o) == me && op[o].state == NEW)

proctype thread(byte me) {
	EXECUTOR;
	mtype:deeds deed = NO_DEED;
	bit home = 1;
	bit patient;
	bit exits;
	byte target = NONE;

	if
	:: me == 0 -> if DEEDS_0 fi
	:: else -> if DEEDS_1 fi
	fi;
	if
	:: MAY_EXIT(me) -> exits = 1
	:: true
	fi;
end_user:
	do
	:: has_task_work(0) || has_task_work(1) ->
		d_step {
			if
			:: has_task_work(0) -> cur = 0
			:: else -> cur = 1
			fi;
			op[cur].place = NOWHERE
		}
		if
		:: CMD -> atomic { !uring_lock; uring_lock = 1; in_ring = 1; ring_locked = 1 }
		:: else
		fi;
		op_execute();
		if
		:: in_ring -> d_step { uring_lock = 0; in_ring = 0; ring_locked = 0 }
		:: else
		fi
	:: !has_task_work(0) && !has_task_work(1) && (has_to_submit(0) || has_to_submit(1)) ->
		target = (has_to_submit(0) -> 0 : 1);
		submit(target, LANE(target));
		target = NONE
	:: !has_task_work(0) && !has_task_work(1) && deed != NO_DEED ->
		if
		:: deed == CANCEL || deed == CANCEL_ALL ->
			d_step {		/* wsock_socket_get() */
				queued = registrations && table && refs;
				if
				:: queued -> refs++
				:: else
				fi
			}
			if
			:: queued ->
				queued = 0;
				if
				:: deed == CANCEL -> op_cancel_named(0)
				:: else -> cancel_all(1)
				fi;
				socket_put()
			:: else
			fi
		:: deed == CLOSE -> closesocket()
		:: deed == RELEASE || deed == HASTY -> release()
		:: deed == KILL -> killed = 1
		:: deed == ABANDON -> port_abandon()
		:: deed == WAIT -> target = TARGET; wait_for(target); target = NONE
		:: deed == WAIT_PATIENTLY ->
			patient = 1;
			target = TARGET;
			wait_for(target);
			target = NONE;
			patient = 0
		fi;
		if
		:: !restart -> deed = NO_DEED
		:: else -> restart = 0
		fi
	/* do_exit(): exit_mm(), exit_files(), exit_task_work() */
	:: (exits || killed) && !no_mm[me] && deed == NO_DEED &&
	   !has_to_submit(0) && !has_to_submit(1) ->
		d_step { no_mm[me] = 1; home = 0 }
		if
		:: killed && me == 1 -> no_mm[0]; release(); close_fd()
		:: else
		fi
	:: atomic { no_mm[me] && !has_task_work(0) && !has_task_work(1); exited[me] = 1 }
	   break
	od
}

#define has_work(o)	(op[o].place == WORK || op[o].place == FALLBACK)

/* The workqueue, and io_uring's for threads that are gone */
proctype workqueue() {
	EXECUTOR;
	bit home;
	byte me = NONE;

end_idle:
	do
	:: atomic {
			has_work(0) || has_work(1);
			if
			:: has_work(0) -> cur = 0
			:: else -> cur = 1
			fi;
			in_ring = CMD;
			worker = op[cur].place == WORK;
			home = worker && !(no_mm[0] && no_mm[1]);	/* mmget_not_zero() */
			op[cur].place = NOWHERE
		}
		if
		:: in_ring && !worker -> atomic { !uring_lock; uring_lock = 1; ring_locked = 1 }
		:: else
		fi;
		op_execute();
		if
		:: ring_locked -> d_step { uring_lock = 0; ring_locked = 0 }
		:: else
		fi;
		d_step { home = 0; worker = 0; in_ring = 0 }
	od
}

/* A thread that takes packets */
proctype taker() {
	EXECUTOR;
	bit home = 1;
	bit faulted;
	byte me = NONE;

end_idle:
	do
	:: atomic {
			if
			:: op[0].place == PORT -> cur = 0
			:: op[1].place == PORT -> cur = 1
			fi;
			op[cur].place = NOWHERE;
			collect = cur
		}
		op_execute();
		if
		:: collected ->
			collected = 0;
			if
			:: !op[collect].delivered ->
				assert(op[collect].state == OP_ENDED);
				op[collect].delivered = 1;
				op_put(collect)
			:: !faulted ->			/* the array is not there */
				faulted = 1;
				d_step {		/* port_put_back() */
					if
					:: !abandoned -> put_in(collect, PORT)
					:: else -> queued = 1
					fi
				}
				if
				:: queued -> op_put(collect); queued = 0
				:: else
				fi
			fi
		:: else
		fi;
		collect = NONE
	od
}

/* The ring is closed: io_ring_exit_work() */
proctype ring_end() {
	EXECUTOR;
	bit home;
	byte me = NONE;

	if
	:: op[0].state != NEW && op[1].state != NEW ->
		home = !(no_mm[0] && no_mm[1]);
		ring_locked = 1;
		ring_cancel()
	:: true
	fi
}

/* The network */
proctype peer() {
	byte n = NR_DATA;
	byte l;
	byte me;

	do
	:: n > 0 ->
		n--;
		if
		:: l = IN
#ifdef LANES
		:: l = OUT
#endif
		fi;
		lane[l].data++;
		wake(l);
		l = 0
	:: break
	od
}

/* A grace period */
proctype rcu() {
end_none:
	gone && readers == 0;
	reclaimed = 1
}

#define at_rest(o)	(op[o].state == FREED || op[o].state == NEW ||			\
			 (op[o].state == OP_QUEUED && !ready(LANE(o)) && !dead && !op[o].cancel))
#define queued(o)	(op[o].state == OP_QUEUED)

/* When nothing moves any more: nothing was lost, nothing is left. */
proctype judge() {
end_judge:
	timeout ->
	d_step {
		assert(at_rest(0) && at_rest(1));
		assert(busy == 0 && !is_inline(IN) && !is_inline(OUT) && !readers);
		assert(!ctx_lock && !uring_lock);
		assert(lane[IN].nr_ops + lane[OUT].nr_ops == queued(0) + queued(1));
		assert(lane[IN].nr_waiters + lane[OUT].nr_waiters <= 2);
		assert(!armed || !gone);
		assert(file_refs == fd + queued(0) + queued(1));
		assert(gone == !table);
		assert(gone || refs == 1 + queued(0) + queued(1));
		assert(reclaimed == gone)
	}
}

init {
	atomic {
		run thread(0);
		run thread(1);
		run workqueue();
#if NR_WORKERS == 2
		run workqueue();
#endif
		run peer();
#if HAS_PORT
		run taker();
#endif
#if CMD
		run ring_end();
#endif
		run rcu();
		run judge()
	}
}
