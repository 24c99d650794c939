// SPDX-License-Identifier: GPL-2.0
/*
 * What the operations of Winsock's extension functions do to a socket. Their
 * life is operation.c's.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/net.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <linux/tcp.h>
#include <net/sock.h>

#include "wsock.h"

/**
 * wsock_extension_connected - how an attempt to connect has ended
 * @sock: a socket on which connect(2) has begun
 *
 * Return: 0 or the errno it ended with, -EAGAIN while it goes on.
 */
int wsock_extension_connected(struct socket *sock)
{
	int ret;

	if (!sk_is_tcp(sock->sk))
		return -EOPNOTSUPP;
	if (READ_ONCE(sock->sk->sk_state) == TCP_LISTEN)
		return -EINVAL;
	/*
	 * As a second connect(2), which takes note of the end of the first. With
	 * no address it cannot begin another.
	 */
	ret = READ_ONCE(sock->ops)->connect(sock, NULL, 0, O_NONBLOCK);
	switch (ret) {
	case -EALREADY:
		return -EAGAIN;
	case -EISCONN:
		return 0;
	case -EINVAL:
		return -ENOTCONN;
	}
	return ret;
}

/**
 * wsock_extension_disconnect - end our direction of a connection
 * @sock: a TCP socket
 * @reuse: wait for the end of the peer's, and make the socket as new
 *
 * Return: 0 or an errno, -EAGAIN to wait.
 */
int wsock_extension_disconnect(struct socket *sock, bool reuse)
{
	struct sockaddr_storage none = { .ss_family = AF_UNSPEC };
	int ret;

	if (!sk_is_tcp(sock->sk))
		return -EOPNOTSUPP;
	/* The kernel says that it did it, but does nothing but wake who waits. */
	if (READ_ONCE(sock->sk->sk_state) == TCP_LISTEN)
		return -ENOTCONN;
	if (!reuse)
		return kernel_sock_shutdown(sock, SHUT_WR);
	if (READ_ONCE(sock->sk->sk_state) != TCP_CLOSE) {
		ret = 0;
		/* Once: it wakes who waits, so also the one that tries here. */
		if (!(READ_ONCE(sock->sk->sk_shutdown) & SEND_SHUTDOWN))
			ret = kernel_sock_shutdown(sock, SHUT_WR);
		/* Earlier it would reset the connection, and lose what is under way. */
		if (ret || READ_ONCE(sock->sk->sk_state) != TCP_CLOSE)
			return ret ?: -EAGAIN;
	}
	return READ_ONCE(sock->ops)->connect(sock, (void *)&none, sizeof(struct sockaddr),
					     O_NONBLOCK);
}

/**
 * struct transmission_part - what one struct wsock_transmit has yet to send
 * @head: memory before the file
 * @tail: memory after it
 * @file: counted, or NULL
 * @pos: where in the file to read next
 * @left: how much may be read
 * @ends: a datagram ends with it
 */
struct transmission_part {
	struct iov_iter head;
	struct iov_iter tail;
	struct file *file;
	loff_t pos;
	u64 left;
	bool ends;
};

/**
 * struct wsock_transmission - what a TRANSMIT has yet to send
 * @page: what was read of the current part's file, and not sent yet; or NULL. Of
 *	@packets, all of the next datagram
 * @page_len: its end
 * @page_pos: its beginning
 * @flags: WSOCK_TRANSMIT_* bits
 * @packets: they are datagrams; set once
 * @at: the part that is sent now
 * @n: how many parts there are
 * @parts: them
 *
 * All belongs to the owner of RUNNING.
 */
struct wsock_transmission {
	void *page;
	unsigned int page_len;
	unsigned int page_pos;
	u32 flags;
	bool packets;
	u32 at;
	u32 n;
	struct transmission_part parts[] __counted_by(n);
};

/* More than any datagram can have. */
#define PACKET_ROOM	SZ_64K

/* What kernel_read() takes without complaint, and does not wait for ever for. */
static bool file_is_readable(struct file *file)
{
	return S_ISREG(file_inode(file)->i_mode) && (file->f_mode & FMODE_READ) &&
	       file->f_op->read_iter && !file->f_op->read;
}

static int part_import(struct transmission_part *part, const struct wsock_transmit *user)
{
	int ret;

	if (user->offset > LLONG_MAX || user->fd < -1 ||
	    (user->fd == -1 && (user->offset || user->bytes)))
		return -EINVAL;
	part->pos = user->offset;
	part->left = user->bytes ?: U64_MAX;
	ret = import_ubuf(ITER_SOURCE, u64_to_user_ptr(user->head), user->headlen, &part->head);
	if (!ret)
		ret = import_ubuf(ITER_SOURCE, u64_to_user_ptr(user->tail), user->taillen,
				  &part->tail);
	if (ret || user->fd == -1)
		return ret;
	part->file = fget(user->fd);
	if (!part->file)
		return -EBADF;
	return file_is_readable(part->file) ? 0 : -EINVAL;
}

static int transmission_import(struct wsock_transmission *t, u64 addr)
{
	struct wsock_transmit user;
	u32 i;
	int ret;

	for (i = 0; i < t->n; i++) {
		if (copy_from_user(&user, u64_to_user_ptr(addr + i * sizeof(user)), sizeof(user)))
			return -EFAULT;
		t->flags = user.flags & ~WSOCK_TRANSMIT_EOP;
		if ((t->flags & ~(WSOCK_TRANSMIT_DISCONNECT | WSOCK_TRANSMIT_REUSE)) ||
		    (t->flags && i < t->n - 1))
			return -EINVAL;
		t->parts[i].ends = user.flags & WSOCK_TRANSMIT_EOP;
		ret = part_import(&t->parts[i], &user);
		if (ret)
			return ret;
		if ((t->parts[i].file || t->packets) && !t->page) {
			t->page = kvmalloc(t->packets ? PACKET_ROOM : PAGE_SIZE,
					   GFP_KERNEL_ACCOUNT);
			if (!t->page)
				return -ENOMEM;
		}
	}
	return 0;
}

/**
 * wsock_transmission_create - take over the arguments of a TRANSMIT
 * @addr: of struct wsock_transmit of the program, one or several
 * @len: their size
 * @packets: for a socket of datagrams
 *
 * Return: what the operation keeps of them, or an ERR_PTR.
 */
struct wsock_transmission *wsock_transmission_create(u64 addr, u32 len, bool packets)
{
	u32 n = len / sizeof(struct wsock_transmit);
	struct wsock_transmission *t;
	int ret;

	if (len % sizeof(struct wsock_transmit) || !n || n > WSOCK_MAX_TRANSMITS)
		return ERR_PTR(-EINVAL);
	t = kvzalloc(struct_size(t, parts, n), GFP_KERNEL_ACCOUNT);
	if (!t)
		return ERR_PTR(-ENOMEM);
	t->n = n;
	t->packets = packets;
	ret = transmission_import(t, addr);
	if (ret) {
		wsock_transmission_free(t);
		return ERR_PTR(ret);
	}
	return t;
}

/**
 * wsock_transmission_free - give it back
 * @t: the transmission, or NULL
 */
void wsock_transmission_free(struct wsock_transmission *t)
{
	u32 i;

	if (!t)
		return;
	for (i = 0; i < t->n; i++)
		if (t->parts[i].file)
			fput(t->parts[i].file);
	kvfree(t->page);
	kvfree(t);
}

/* Sends some of @iter. As wsock_transmission_send(). */
static int send_some(struct socket *sock, struct iov_iter *iter, u32 msg_flags)
{
	struct msghdr msg = { .msg_iter = *iter, .msg_flags = msg_flags };
	int ret = sock_sendmsg(sock, &msg);

	if (ret > 0)
		iov_iter_advance(iter, ret);
	return ret;
}

static int send_page(struct wsock_transmission *t, struct socket *sock, u32 msg_flags)
{
	struct kvec kvec = {
		.iov_base = t->page + t->page_pos,
		.iov_len = t->page_len - t->page_pos,
	};
	struct iov_iter iter;
	int ret;

	iov_iter_kvec(&iter, ITER_SOURCE, &kvec, 1, kvec.iov_len);
	ret = send_some(sock, &iter, msg_flags);
	if (ret > 0)
		t->page_pos += ret;
	return ret;
}

/* Reads on in the part's file. Returns how much, 0 at its end, or an errno. */
static int part_read(struct transmission_part *part, void *to, size_t room)
{
	ssize_t n;

	if (!part->file || !part->left)
		return 0;
	n = kernel_read(part->file, to, min_t(u64, part->left, room), &part->pos);
	if (n < 0)
		return n == -EAGAIN ? -EIO : n;
	part->left = n ? part->left - n : 0;
	return n;
}

/* Returns whether there is something in the page now, or an errno. */
static int read_page(struct wsock_transmission *t, struct transmission_part *part)
{
	int n = part_read(part, t->page, PAGE_SIZE);

	if (n <= 0)
		return n;
	t->page_pos = 0;
	t->page_len = n;
	return 1;
}

/* Sends some of @part. As wsock_transmission_send(), but 0 at the end of the part. */
static int send_part(struct wsock_transmission *t, struct transmission_part *part,
		     struct socket *sock, u32 msg_flags)
{
	int ret;

	if (iov_iter_count(&part->head))
		return send_some(sock, &part->head, msg_flags);
	ret = t->page_pos < t->page_len ? 1 : read_page(t, part);
	if (ret < 0)
		return ret;
	if (ret)
		return send_page(t, sock, msg_flags);
	if (iov_iter_count(&part->tail))
		return send_some(sock, &part->tail, msg_flags);
	return 0;
}

static int send_parts(struct wsock_transmission *t, struct socket *sock, u32 msg_flags)
{
	int ret;

	for (; t->at < t->n; t->at++) {
		ret = send_part(t, &t->parts[t->at], sock, msg_flags);
		if (ret)
			return ret;
	}
	return 0;
}

/* What fits: with a full page it is too large, as sending it will tell. */
static int packet_copy(struct wsock_transmission *t, struct iov_iter *iter)
{
	size_t n = min_t(size_t, iov_iter_count(iter), PACKET_ROOM - t->page_len);

	if (copy_from_iter(t->page + t->page_len, n, iter) != n)
		return -EFAULT;
	t->page_len += n;
	return 0;
}

static int packet_add(struct wsock_transmission *t, struct transmission_part *part)
{
	int ret = packet_copy(t, &part->head);

	if (ret)
		return ret;
	while (t->page_len < PACKET_ROOM) {
		ret = part_read(part, t->page + t->page_len, PACKET_ROOM - t->page_len);
		if (ret < 0)
			return ret;
		if (!ret)
			break;
		t->page_len += ret;
	}
	return packet_copy(t, &part->tail);
}

/* A datagram is sent as a whole; nobody else's may come in between. */
static int send_packet(struct wsock_transmission *t, struct socket *sock, u32 msg_flags)
{
	int ret;

	/* What is there already is complete, and had no room. */
	while (!t->page_len && t->at < t->n) {
		do {
			ret = packet_add(t, &t->parts[t->at]);
			if (ret)
				return ret;
		} while (!t->parts[t->at++].ends && t->at < t->n);
	}
	if (!t->page_len)
		return 0;
	ret = send_page(t, sock, msg_flags);
	if (ret > 0) {
		t->page_pos = 0;
		t->page_len = 0;
	}
	return ret;
}

/**
 * wsock_transmission_send - send the next piece
 * @t: the transmission
 * @sock: where to
 * @msg_flags: for sendmsg
 *
 * Return: how many bytes were taken, 0 at the end, or an errno: -EAGAIN to wait.
 */
int wsock_transmission_send(struct wsock_transmission *t, struct socket *sock, u32 msg_flags)
{
	int ret = t->packets ? send_packet(t, sock, msg_flags) : send_parts(t, sock, msg_flags);

	if (ret || !t->flags)
		return ret;
	return wsock_extension_disconnect(sock, t->flags & WSOCK_TRANSMIT_REUSE);
}
