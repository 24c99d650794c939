/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Userspace interface of /dev/wsock, the kernel side of a Winsock provider.
 * See docs/wsock.rst.
 */
#ifndef _UAPI_LINUX_WSOCK_H
#define _UAPI_LINUX_WSOCK_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct wsock_features - argument of WSOCK_IOC_FEATURES
 * @size: in: sizeof(struct wsock_features) as the caller knows it;
 *	out: the size the kernel knows
 * @flags: must be 0
 * @features: out: WSOCK_FEATURE_* bits
 * @ops: out: bit n is set when operation n (enum wsock_op_code) is known
 */
struct wsock_features {
	__u32 size;
	__u32 flags;
	__u64 features;
	__u64 ops;
};

#define WSOCK_FEATURE_URING_CMD	(1ULL << 0)	/* operations as IORING_OP_URING_CMD */
#define WSOCK_FEATURE_SUBMIT	(1ULL << 1)	/* operations as WSOCK_IOC_SUBMIT */
#define WSOCK_FEATURE_EVENTS	(1ULL << 2)	/* network events, WSOCK_IOC_EVENT_* */
#define WSOCK_FEATURE_PORTS	(1ULL << 3)	/* completion ports, WSOCK_CMD_APC */
#define WSOCK_FEATURE_DUPLICATE	(1ULL << 4)	/* WSOCK_IOC_DUPLICATE and TAKE */
#define WSOCK_FEATURE_PEEK	(1ULL << 5)	/* WSOCK_IOC_PEEK */

/**
 * struct wsock_socket_args - argument of WSOCK_IOC_ADOPT and WSOCK_IOC_CLOSE
 * @fd: a descriptor of a socket
 * @flags: must be 0
 */
struct wsock_socket_args {
	__s32 fd;
	__u32 flags;
};

/**
 * struct wsock_cancel - argument of WSOCK_IOC_CANCEL
 * @fd: a descriptor of an owned socket
 * @flags: WSOCK_CANCEL_* bits
 * @ov: the operation's @wsock_cmd.ov; must be 0 with WSOCK_CANCEL_ALL
 */
struct wsock_cancel {
	__s32 fd;
	__u32 flags;
	__u64 ov;
};

#define WSOCK_CANCEL_ALL	(1U << 0)	/* every operation of the socket */
#define WSOCK_CANCEL_THREAD	(1U << 1)	/* with it: that the calling thread submitted */
#define WSOCK_CANCEL_SENDS	(1U << 2)	/* instead: SEND, SENDMSG and TRANSMIT */

/**
 * struct wsock_associate - argument of WSOCK_IOC_ASSOCIATE
 * @fd: a descriptor of an owned socket, that has no port yet
 * @port_fd: the port
 * @key: the key of the socket's packets
 *
 * From then on every operation of the socket that comes by WSOCK_IOC_SUBMIT
 * ends with a packet, also one that is done at once, but for WSOCK_CMD_APC,
 * WSOCK_CMD_NO_PACKET and WSOCK_MODE_SKIP_ON_SUCCESS.
 */
struct wsock_associate {
	__s32 fd;
	__s32 port_fd;
	__u64 key;
};

/**
 * struct wsock_modes - argument of WSOCK_IOC_MODES
 * @fd: a descriptor of an owned socket
 * @modes: in: WSOCK_MODE_* bits, added to those that the socket has; out: these
 */
struct wsock_modes {
	__s32 fd;
	__u32 modes;
};

#define WSOCK_MODE_SKIP_ON_SUCCESS	(1U << 0) /* no packet for what succeeds at once */
#define WSOCK_MODE_ACCEPTING		(1U << 1) /* is an acceptor; told, not given */
#define WSOCK_MODE_SKIP_EVENT		(1U << 2) /* do not signal the socket's event */

/**
 * struct wsock_socket_event - argument of WSOCK_IOC_SOCKET_EVENT
 * @fd: a descriptor of an owned socket
 * @event_fd: an eventfd, that becomes the socket's event if it has none; or -1
 *
 * The socket's event is told of operations that come by WSOCK_IOC_SUBMIT without
 * WSOCK_CMD_EVENT: it is reset as one is submitted and signalled when one has
 * ended. At first it is signalled unless operations are pending.
 */
struct wsock_socket_event {
	__s32 fd;
	__s32 event_fd;
};

/**
 * struct wsock_wait - argument of WSOCK_IOC_WAIT
 * @ov: the operation's @wsock_cmd.ov
 * @timeout_ns: nanoseconds to wait at most; negative waits for ever. Updated
 *	with what remains when a signal ends the wait.
 * @flags: WSOCK_PORT_ALERTABLE, or 0
 * @alert_fd: with WSOCK_PORT_ALERTABLE a port; otherwise must be 0
 */
struct wsock_wait {
	__u64 ov;
	__s64 timeout_ns;
	__u32 flags;
	__s32 alert_fd;
};

/* Operations: @wsock_submit.op, and the cmd_op of an IORING_OP_URING_CMD. */
enum wsock_op_code {
	WSOCK_OP_RECV		= 1,	/* addr, len: the buffer */
	WSOCK_OP_SEND		= 2,	/* addr, len: the buffer */
	WSOCK_OP_RECVMSG	= 3,	/* addr: struct wsock_msg, len: its size */
	WSOCK_OP_SENDMSG	= 4,	/* addr: struct wsock_msg, len: its size */
	/* WSOCK_IOC_SUBMIT only. addr: struct wsock_accept, len: its size */
	WSOCK_OP_ACCEPT		= 5,
	/*
	 * Wait for the end of a connect(2) that was begun, and send. addr, len:
	 * what to send. msg_flags: 0, or the errno that the attempt has failed
	 * with already.
	 */
	WSOCK_OP_CONNECT	= 6,
	/* addr: 1 to WSOCK_MAX_TRANSMITS of struct wsock_transmit, len: their size */
	WSOCK_OP_TRANSMIT	= 8,
	/* addr: 0, len: WSOCK_DISCONNECT_* bits */
	WSOCK_OP_DISCONNECT	= 10,
	/*
	 * What the submitter has done already. It passes all that waits. addr, len:
	 * 0. msg_flags: 0 for a success at once, or the errno that it has failed
	 * with after it pended.
	 */
	WSOCK_OP_NOTIFY		= 12,
	/*
	 * Wait until a local address of the socket's family, and network namespace,
	 * comes or goes. addr, len: 0
	 */
	WSOCK_OP_ADDRESSES	= 14,
};

/**
 * struct wsock_cmd - the part of an operation that an SQE carries in sqe->cmd
 * @ov: with WSOCK_CMD_STATUS the address of a struct wsock_status, 8-aligned;
 *	otherwise any number. It names the operation for WSOCK_IOC_CANCEL and
 *	WSOCK_IOC_WAIT.
 * @event_fd: with WSOCK_CMD_EVENT an eventfd, with WSOCK_CMD_APC a port; otherwise
 *	must be 0
 * @flags: WSOCK_CMD_* bits
 * @msg_flags: MSG_OOB, MSG_PEEK and MSG_WAITALL for a receive; MSG_OOB,
 *	MSG_DONTROUTE, MSG_EOR and MSG_MORE for a send; for other operations see
 *	enum wsock_op_code
 */
struct wsock_cmd {
	__u64 ov;
	__s32 event_fd;
	__u16 flags;
	__u16 msg_flags;
};

#define WSOCK_CMD_STATUS	(1U << 0)	/* write the status block at @ov */
#define WSOCK_CMD_EVENT		(1U << 1)	/* reset @event_fd at issue, signal it at the end */
#define WSOCK_CMD_APC		(1U << 2)	/* WSOCK_IOC_SUBMIT: packet to the port @event_fd */
#define WSOCK_CMD_NO_PACKET	(1U << 3)	/* none to the port of the socket */

/**
 * struct wsock_status - the status block; the head of Winsock's OVERLAPPED
 * @internal: an NTSTATUS, zero-extended; written last, with release order.
 *	The submitter stores STATUS_PENDING (0x103) before it submits.
 * @internal_high: bytes transferred
 * @flags: MSG_* flags of a received message
 * @offset_high: not touched
 */
struct wsock_status {
	__u64 internal;
	__u64 internal_high;
	__u32 flags;
	__u32 offset_high;
};

/**
 * struct wsock_msg - scatter/gather, addresses and control data
 * @iov: address of an array of struct iovec, read at issue
 * @iovlen: its length, at most 1024
 * @namelen: size of the buffer at @name
 * @name: address of a struct sockaddr: the destination of a SENDMSG, read at
 *	issue; receives the source in a RECVMSG. 0 for none.
 * @namelen_out: RECVMSG: address of a __s32 that receives the length of the
 *	source address; 0 for none. SENDMSG: must be 0
 * @control: address of control data, as in struct msghdr; 0 for none
 * @controllen: its size
 * @pad: must be 0
 * @controllen_out: RECVMSG: address of a __u64 that receives the length of the
 *	control data; 0 for none. SENDMSG: must be 0
 * @flags_out: RECVMSG: address of a __u32 that receives the MSG_* flags; 0 for
 *	none. SENDMSG: must be 0
 *
 * The structure and the iovec array are read when the operation is issued and
 * may go away at once; what they point to belongs to the operation until its
 * end.
 */
struct wsock_msg {
	__u64 iov;
	__u32 iovlen;
	__u32 namelen;
	__u64 name;
	__u64 namelen_out;
	__u64 control;
	__u32 controllen;
	__u32 pad;
	__u64 controllen_out;
	__u64 flags_out;
};

/**
 * struct wsock_accept - accept a connection of a listening TCP socket, and receive
 * @buffer: address of the buffer: @data_len bytes for data, then @local_len for
 *	the connection's local address and @remote_len for the peer's. Each is stored
 *	as a struct sockaddr of the family.
 * @data_len: 0 to end when there is a connection; otherwise the operation ends
 *	when something was received from it, or the peer has ended it
 * @local_len: 0 when the local address is not wanted
 * @remote_len: 0 when the remote address is not wanted
 * @fd: the acceptor: a descriptor of an owned TCP socket of the same family,
 *	neither bound nor connected, that has no other descriptor. It is a
 *	descriptor of the connection from when there is one; what the acceptor
 *	has of completion port, modes and network events remains.
 * @flags: must be 0
 * @pad: must be 0
 *
 * A room of other size than 0 that has less than 16 bytes more than an address
 * makes the operation fail (STATUS_BUFFER_TOO_SMALL) when there is a connection,
 * which is left where it is. The structure is read when the operation is issued.
 * Closing the acceptor cancels the operation; one that fails with a connection
 * resets that.
 */
struct wsock_accept {
	__u64 buffer;
	__u32 data_len;
	__u32 local_len;
	__u32 remote_len;
	__s32 fd;
	__u32 flags;
	__u32 pad;
};

/* Wait until the peer has ended the connection too; the socket is as new then. */
#define WSOCK_DISCONNECT_REUSE	(1U << 0)

/**
 * struct wsock_transmit - send what lies in memory and in a file
 * @head: address of what is sent before the file, and its length
 * @headlen: see @head
 * @taillen: see @tail
 * @tail: address of what is sent after the file, and its length
 * @offset: where in the file to begin
 * @bytes: how much of the file, at most; 0 for all
 * @fd: a regular file, open for reading; -1 for none
 * @flags: WSOCK_TRANSMIT_* bits
 *
 * Read when the operation is issued. Several are sent one behind the other; only the
 * last may have other flags than WSOCK_TRANSMIT_EOP, which ends a datagram.
 */
struct wsock_transmit {
	__u64 head;
	__u32 headlen;
	__u32 taillen;
	__u64 tail;
	__u64 offset;
	__u64 bytes;
	__s32 fd;
	__u32 flags;
};

#define WSOCK_MAX_TRANSMITS		1024

#define WSOCK_TRANSMIT_DISCONNECT	(1U << 0)	/* then as DISCONNECT */
#define WSOCK_TRANSMIT_REUSE		(1U << 1)	/* with WSOCK_DISCONNECT_REUSE */
#define WSOCK_TRANSMIT_EOP		(1U << 2)	/* means nothing to a stream */

/**
 * struct wsock_submit - argument of WSOCK_IOC_SUBMIT
 * @op: enum wsock_op_code
 * @fd: a descriptor of an owned socket
 * @addr: see enum wsock_op_code
 * @len: see enum wsock_op_code
 * @tag: with WSOCK_CMD_APC the upper half of @wsock_packet.internal; otherwise
 *	must be 0
 * @cmd: as in an SQE
 * @key: with WSOCK_CMD_APC the packet's key; otherwise must be 0
 */
struct wsock_submit {
	__u32 op;
	__s32 fd;
	__u64 addr;
	__u32 len;
	__u32 tag;
	struct wsock_cmd cmd;
	__u64 key;
};

/**
 * struct wsock_packet - what a completion port queues and hands out
 * @key: of the posting program or of the association
 * @ov: likewise the operation's name, a number to the kernel
 * @internal: an NTSTATUS
 * @bytes: transferred
 * @flags: must be 0 in WSOCK_PORT_IOC_POST
 */
struct wsock_packet {
	__u64 key;
	__u64 ov;
	__u64 internal;
	__u32 bytes;
	__u32 flags;
};

/**
 * struct wsock_port_args - argument of WSOCK_IOC_PORT
 * @concurrency: how many threads that have a packet may run at a time; 0 for as
 *	many as there are processors, WSOCK_PORT_UNLIMITED for any number
 * @flags: must be 0
 */
struct wsock_port_args {
	__u32 concurrency;
	__u32 flags;
};

#define WSOCK_PORT_UNLIMITED	(~0U)

/**
 * struct wsock_port_get - argument of WSOCK_PORT_IOC_GET
 * @packets: address of an array of struct wsock_packet
 * @count: its length, 1 to 1024
 * @flags: WSOCK_PORT_* bits
 * @timeout_ns: nanoseconds to wait at most; negative waits for ever. Updated
 *	with what remains when a signal ends the wait.
 * @alert_fd: with WSOCK_PORT_ALERTABLE another port; otherwise must be 0
 * @pad: must be 0
 */
struct wsock_port_get {
	__u64 packets;
	__u32 count;
	__u32 flags;
	__s64 timeout_ns;
	__s32 alert_fd;
	__u32 pad;
};

#define WSOCK_PORT_ALERTABLE	(1U << 0)	/* return when @alert_fd has a packet */

/* Network events; the bits are Winsock's FD_*. */
#define WSOCK_EVENT_READ	(1U << 0)	/* something to receive */
#define WSOCK_EVENT_WRITE	(1U << 1)	/* room to send */
#define WSOCK_EVENT_OOB		(1U << 2)	/* urgent data, unless SO_OOBINLINE */
#define WSOCK_EVENT_ACCEPT	(1U << 3)	/* a connection to accept */
#define WSOCK_EVENT_CONNECT	(1U << 4)	/* the attempt to connect is over */
#define WSOCK_EVENT_CLOSE	(1U << 5)	/* the peer has ended the connection */
#define WSOCK_EVENT_ADDRESSES	(1U << 9)	/* as ADDRESSES, if it was enabled since */
#define WSOCK_EVENT_ERRORS	10		/* slots, as in WSANETWORKEVENTS */

/**
 * struct wsock_event_select - argument of WSOCK_IOC_EVENT_SELECT
 * @fd: a descriptor of an owned socket: TCP, datagrams or raw
 * @event_fd: the eventfd to signal; -1 when @mask is 0. With
 *	WSOCK_EVENT_INHERIT: a descriptor of the owned socket whose
 *	registration, without WSOCK_EVENT_CONNECT, @fd shall have too
 * @mask: WSOCK_EVENT_* bits; 0 ends the registration. Must be 0 with
 *	WSOCK_EVENT_INHERIT
 * @flags: 0 or WSOCK_EVENT_INHERIT
 */
struct wsock_event_select {
	__s32 fd;
	__s32 event_fd;
	__u32 mask;
	__u32 flags;
};

#define WSOCK_EVENT_INHERIT	(1U << 0)

/**
 * struct wsock_event_enum - argument of WSOCK_IOC_EVENT_ENUM
 * @fd: a descriptor of an owned socket
 * @event_fd: an eventfd to reset, or -1
 * @flags: must be 0
 * @events: out: WSOCK_EVENT_* bits
 * @errors: out: for each bit of @events an errno, or 0
 */
struct wsock_event_enum {
	__s32 fd;
	__s32 event_fd;
	__u32 flags;
	__u32 events;
	__s32 errors[WSOCK_EVENT_ERRORS];
};

/**
 * struct wsock_event_enable - argument of WSOCK_IOC_EVENT_ENABLE
 * @fd: a descriptor of an owned socket
 * @mask: WSOCK_EVENT_* bits
 */
struct wsock_event_enable {
	__s32 fd;
	__u32 mask;
};

/**
 * struct wsock_duplicate - argument of WSOCK_IOC_DUPLICATE
 * @fd: a descriptor of an owned socket
 * @pid: the process that may take it, as getpid() there and here has it
 * @token: out: names the offer, for that process only; never 0
 * @flags: must be 0
 */
struct wsock_duplicate {
	__s32 fd;
	__s32 pid;
	__u32 token;
	__u32 flags;
};

/**
 * struct wsock_take - argument of WSOCK_IOC_TAKE
 * @token: of an offer to the calling process
 * @flags: must be 0
 */
struct wsock_take {
	__u32 token;
	__u32 flags;
};

/**
 * struct wsock_peek - argument of WSOCK_IOC_PEEK
 * @fd: a descriptor of an owned socket, which listens
 * @flags: must be 0
 * @cookie: out: the connection's SO_COOKIE
 * @local: out: its own address, a struct sockaddr_in or sockaddr_in6
 * @remote: out: its peer's
 */
struct wsock_peek {
	__s32 fd;
	__u32 flags;
	__u64 cookie;
	__u8 local[28];
	__u8 remote[28];
};

#define WSOCK_IOC_MAGIC		0xB7

/* Probe; works on every open, before any registration. */
#define WSOCK_IOC_FEATURES	_IOWR(WSOCK_IOC_MAGIC, 0, struct wsock_features)
/* Register once more. Returns 0. */
#define WSOCK_IOC_STARTUP	_IO(WSOCK_IOC_MAGIC, 1)
/*
 * Give back one registration of this open. Returns 0 when others of the
 * process remain, 1 when it was the last: everything is released then.
 */
#define WSOCK_IOC_CLEANUP	_IO(WSOCK_IOC_MAGIC, 2)
/* Make the context an owner of a socket. Returns 0. */
#define WSOCK_IOC_ADOPT		_IOW(WSOCK_IOC_MAGIC, 3, struct wsock_socket_args)
/* closesocket: end the operations, give up ownership, close @fd. Returns 0. */
#define WSOCK_IOC_CLOSE		_IOW(WSOCK_IOC_MAGIC, 4, struct wsock_socket_args)
/* Returns how many operations were told to end; -ENOENT for none. */
#define WSOCK_IOC_CANCEL	_IOW(WSOCK_IOC_MAGIC, 5, struct wsock_cancel)
/*
 * Returns 0 once no operation of that name is pending; -ETIME; -EALREADY when
 * the alert port holds a packet.
 */
#define WSOCK_IOC_WAIT		_IOWR(WSOCK_IOC_MAGIC, 6, struct wsock_wait)
/* Returns the bytes transferred; -EINPROGRESS when the operation is pending. */
#define WSOCK_IOC_SUBMIT	_IOW(WSOCK_IOC_MAGIC, 7, struct wsock_submit)
/* Returns the descriptor of a new completion port; needs no registration. */
#define WSOCK_IOC_PORT		_IOW(WSOCK_IOC_MAGIC, 8, struct wsock_port_args)
/* Give a socket its port. Returns 0; -EINVAL when it has one. */
#define WSOCK_IOC_ASSOCIATE	_IOW(WSOCK_IOC_MAGIC, 9, struct wsock_associate)
/* Returns 0. */
#define WSOCK_IOC_MODES		_IOWR(WSOCK_IOC_MAGIC, 10, struct wsock_modes)

/* Returns a new descriptor of the socket's event; -ENOENT when it has none. */
#define WSOCK_IOC_SOCKET_EVENT	_IOW(WSOCK_IOC_MAGIC, 11, struct wsock_socket_event)

/* On a completion port. */
/* Queue a packet behind the others. Returns 0. */
#define WSOCK_PORT_IOC_POST	_IOW(WSOCK_IOC_MAGIC, 0x20, struct wsock_packet)
/* Returns how many packets were taken; 0 when alerted; -ETIME; -ESHUTDOWN. */
#define WSOCK_PORT_IOC_GET	_IOWR(WSOCK_IOC_MAGIC, 0x21, struct wsock_port_get)
/* Abandon it: every GET and POST has -ESHUTDOWN from now on. Returns 0. */
#define WSOCK_PORT_IOC_CLOSE	_IO(WSOCK_IOC_MAGIC, 0x22)
/*
 * WSAEventSelect: record network events and signal an eventfd; replaces the
 * registration before. Returns 0; with WSOCK_EVENT_INHERIT 1, or 0 when there
 * was nothing to inherit.
 */
#define WSOCK_IOC_EVENT_SELECT	_IOW(WSOCK_IOC_MAGIC, 16, struct wsock_event_select)
/* WSAEnumNetworkEvents: fetch and clear the record. Returns 0. */
#define WSOCK_IOC_EVENT_ENUM	_IOWR(WSOCK_IOC_MAGIC, 17, struct wsock_event_enum)
/* Events that were fetched may be recorded again. Returns 0. */
#define WSOCK_IOC_EVENT_ENABLE	_IOW(WSOCK_IOC_MAGIC, 18, struct wsock_event_enable)
/* WSADuplicateSocket: offer a socket to a process. Returns 0. */
#define WSOCK_IOC_DUPLICATE	_IOWR(WSOCK_IOC_MAGIC, 24, struct wsock_duplicate)
/* Take it: returns a new descriptor, adopted; -ENOENT when there is no offer. */
#define WSOCK_IOC_TAKE		_IOW(WSOCK_IOC_MAGIC, 25, struct wsock_take)
/* The connection that accept(2) would return; it stays. Returns 0; -EAGAIN. */
#define WSOCK_IOC_PEEK		_IOWR(WSOCK_IOC_MAGIC, 26, struct wsock_peek)

#endif /* _UAPI_LINUX_WSOCK_H */
