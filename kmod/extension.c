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
 * struct wsock_transmission - what a TRANSMIT has yet to send
 * @head: memory before the file
 * @tail: memory after it
 * @file: counted, or NULL
 * @pos: where in the file to read next
 * @left: how much may be read
 * @page: what was read, and not sent yet
 * @page_len: its end
 * @page_pos: its beginning
 * @flags: WSOCK_TRANSMIT_* bits
 *
 * All belongs to the owner of RUNNING.
 */
struct wsock_transmission {
	struct iov_iter head;
	struct iov_iter tail;
	struct file *file;
	loff_t pos;
	u64 left;
	void *page;
	unsigned int page_len;
	unsigned int page_pos;
	u32 flags;
};

/* What kernel_read() takes without complaint, and does not wait for ever for. */
static bool file_is_readable(struct file *file)
{
	return S_ISREG(file_inode(file)->i_mode) && (file->f_mode & FMODE_READ) &&
	       file->f_op->read_iter && !file->f_op->read;
}

static int transmission_import(struct wsock_transmission *t, const struct wsock_transmit *user)
{
	int ret;

	ret = import_ubuf(ITER_SOURCE, u64_to_user_ptr(user->head), user->headlen, &t->head);
	if (!ret)
		ret = import_ubuf(ITER_SOURCE, u64_to_user_ptr(user->tail), user->taillen,
				  &t->tail);
	if (ret || user->fd == -1)
		return ret;
	t->file = fget(user->fd);
	if (!t->file)
		return -EBADF;
	if (!file_is_readable(t->file))
		return -EINVAL;
	t->page = kmalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	return t->page ? 0 : -ENOMEM;
}

/**
 * wsock_transmission_create - take over the arguments of a TRANSMIT
 * @addr: struct wsock_transmit of the program
 * @len: its size
 *
 * Return: what the operation keeps of them, or an ERR_PTR.
 */
struct wsock_transmission *wsock_transmission_create(u64 addr, u32 len)
{
	struct wsock_transmission *t;
	struct wsock_transmit user;
	int ret;

	if (len != sizeof(user))
		return ERR_PTR(-EINVAL);
	if (copy_from_user(&user, u64_to_user_ptr(addr), sizeof(user)))
		return ERR_PTR(-EFAULT);
	if ((user.flags & ~(WSOCK_TRANSMIT_DISCONNECT | WSOCK_TRANSMIT_REUSE)) ||
	    user.offset > LLONG_MAX || user.fd < -1 ||
	    (user.fd == -1 && (user.offset || user.bytes)))
		return ERR_PTR(-EINVAL);
	t = kzalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);
	if (!t)
		return ERR_PTR(-ENOMEM);
	t->flags = user.flags;
	t->pos = user.offset;
	t->left = user.bytes ?: U64_MAX;
	ret = transmission_import(t, &user);
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
	if (!t)
		return;
	if (t->file)
		fput(t->file);
	kfree(t->page);
	kfree(t);
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

/* Returns whether there is something in the page now, or an errno. */
static int read_page(struct wsock_transmission *t)
{
	ssize_t n;

	if (!t->file || !t->left)
		return 0;
	n = kernel_read(t->file, t->page, min_t(u64, t->left, PAGE_SIZE), &t->pos);
	if (n < 0)
		return n == -EAGAIN ? -EIO : n;
	t->left = n ? t->left - n : 0;
	t->page_pos = 0;
	t->page_len = n;
	return n > 0;
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
	int ret;

	if (iov_iter_count(&t->head))
		return send_some(sock, &t->head, msg_flags);
	ret = t->page_pos < t->page_len ? 1 : read_page(t);
	if (ret < 0)
		return ret;
	if (ret)
		return send_page(t, sock, msg_flags);
	if (iov_iter_count(&t->tail))
		return send_some(sock, &t->tail, msg_flags);
	if (!(t->flags & (WSOCK_TRANSMIT_DISCONNECT | WSOCK_TRANSMIT_REUSE)))
		return 0;
	return wsock_extension_disconnect(sock, t->flags & WSOCK_TRANSMIT_REUSE);
}
