// SPDX-License-Identifier: GPL-2.0
/*
 * The module beside others who change what a socket does, or who has it: kTLS,
 * sockmap, MPTCP, IPv6, SO_REUSEPORT, SCM_RIGHTS, exec, network namespaces.
 * docs/wsock.rst has a table that says the same.
 */
#include <sched.h>
#include <net/if.h>
#include <sys/syscall.h>

#include <linux/bpf.h>
#include <linux/tls.h>

#include "ports.h"
#include "kselftest_harness.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

FIXTURE(interplay)
{
	int dev;
	int s[2];		/* s[0] becomes owned */
	struct ov ov;
	char buf[64];
};

FIXTURE_SETUP(interplay)
{
	self->dev = dev_started();
	ASSERT_GE(self->dev, 0);
	self->s[0] = self->s[1] = -1;
}

FIXTURE_TEARDOWN(interplay)
{
	close(self->dev);
	close(self->s[0]);
	close(self->s[1]);
	EXPECT_TRUE(counters_zero());
}

/* A connection of any kind; the listener is not needed any more. */
static int connection(int family, int protocol, int s[2])
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} name = {};
	socklen_t len = family == AF_INET ? sizeof(name.in) : sizeof(name.in6);
	int l = socket(family, SOCK_STREAM | SOCK_CLOEXEC, protocol), ret;

	if (family == AF_INET) {
		name.in = loopback(0);
	} else {
		name.in6.sin6_family = AF_INET6;
		name.in6.sin6_addr = in6addr_loopback;
	}
	s[1] = socket(family, SOCK_STREAM | SOCK_CLOEXEC, protocol);
	ret = l < 0 || bind(l, &name.any, len) || listen(l, 4) || getsockname(l, &name.any, &len) ||
	      connect(s[1], &name.any, len);
	s[0] = ret ? -1 : accept4(l, NULL, NULL, SOCK_CLOEXEC);
	close(l);
	return s[0] < 0 ? -1 : 0;
}

/* Each way, at once and what pends; then the final release. Returns what the peer sees. */
static int works_and_ends(struct __test_metadata *_metadata, FIXTURE_DATA(interplay) *self)
{
	EXPECT_EQ(dev_adopt(self->dev, self->s[0]), 0);
	EXPECT_EQ(dev_send(self->dev, self->s[0], "hello", 5, &self->ov), 5);
	EXPECT_EQ(recv(self->s[1], self->buf, 5, MSG_WAITALL), 5);
	EXPECT_EQ(memcmp(self->buf, "hello", 5), 0);

	EXPECT_EQ(dev_recv(self->dev, self->s[0], self->buf, sizeof(self->buf), &self->ov),
		  -EINPROGRESS);
	EXPECT_EQ(send(self->s[1], "there", 5, 0), 5);
	EXPECT_EQ(dev_wait(self->dev, &self->ov.st, TIMEOUT_MS), 0);
	EXPECT_EQ(ov_status(&self->ov), STATUS_SUCCESS);
	EXPECT_EQ(self->ov.st.internal_high, 5);
	EXPECT_EQ(memcmp(self->buf, "there", 5), 0);

	EXPECT_EQ(dev_recv(self->dev, self->s[0], self->buf, sizeof(self->buf), &self->ov),
		  -EINPROGRESS);
	EXPECT_EQ(dev_cleanup(self->dev), 1);
	EXPECT_EQ(ov_status(&self->ov), STATUS_CANCELLED);
	self->s[0] = -1;
	return peer_end(self->s[1]);
}

TEST_F(interplay, ktls)
{
	struct tls12_crypto_info_aes_gcm_128 key = {
		.info = { .version = TLS_1_2_VERSION, .cipher_type = TLS_CIPHER_AES_GCM_128 },
		.key = "0123456789abcde",
	};

	ASSERT_EQ(tcp_pair(self->s), 0);
	for (int i = 0; i < 2; i++) {
		if (setsockopt(self->s[i], IPPROTO_TCP, TCP_ULP, "tls", 4) ||
		    setsockopt(self->s[i], SOL_TLS, TLS_TX, &key, sizeof(key)) ||
		    setsockopt(self->s[i], SOL_TLS, TLS_RX, &key, sizeof(key)))
			SKIP(return, "no kTLS with AES-GCM: %s", strerror(errno));
	}
	EXPECT_EQ(works_and_ends(_metadata, self), -ECONNRESET);
}

static int bpf(int cmd, union bpf_attr *attr)
{
	return syscall(__NR_bpf, cmd, attr, sizeof(*attr));
}

static int sockmap(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_SOCKMAP,
		.key_size = 4,
		.value_size = 4,
		.max_entries = 4,
	};

	return bpf(BPF_MAP_CREATE, &attr);
}

static int sockmap_put(int map, int fd)
{
	int key = 0;
	union bpf_attr attr = {
		.map_fd = map,
		.key = (unsigned long)&key,
		.value = (unsigned long)&fd,
	};

	return bpf(BPF_MAP_UPDATE_ELEM, &attr);
}

/* All passes: but then data waits where only the map's own recvmsg finds it. */
static int sockmap_verdict(int map)
{
	struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = SK_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_SK_SKB,
		.insns = (unsigned long)pass,
		.insn_cnt = 2,
		.license = (unsigned long)"GPL",
	};
	union bpf_attr attach = { .target_fd = map, .attach_type = BPF_SK_SKB_STREAM_VERDICT };

	attach.attach_bpf_fd = bpf(BPF_PROG_LOAD, &load);
	return (int)attach.attach_bpf_fd < 0 ? -1 : bpf(BPF_PROG_ATTACH, &attach);
}

TEST_F(interplay, sockmap)
{
	int map = sockmap();

	if (map < 0)
		SKIP(return, "no sockmap: %s", strerror(errno));
	ASSERT_EQ(tcp_pair(self->s), 0);
	ASSERT_EQ(sockmap_put(map, self->s[0]), 0);
	EXPECT_EQ(works_and_ends(_metadata, self), -ECONNRESET);
	close(map);
}

TEST_F(interplay, sockmap_with_verdict)
{
	int map = sockmap();

	if (map < 0)
		SKIP(return, "no sockmap: %s", strerror(errno));
	ASSERT_EQ(sockmap_verdict(map), 0);
	ASSERT_EQ(tcp_pair(self->s), 0);
	ASSERT_EQ(sockmap_put(map, self->s[0]), 0);
	EXPECT_EQ(works_and_ends(_metadata, self), -ECONNRESET);
	close(map);
}

/* It gets there while an operation pends. */
TEST_F(interplay, sockmap_of_one_that_pends)
{
	int map = sockmap();

	if (map < 0)
		SKIP(return, "no sockmap: %s", strerror(errno));
	ASSERT_EQ(sockmap_verdict(map), 0);
	ASSERT_EQ(tcp_pair(self->s), 0);
	ASSERT_EQ(dev_adopt(self->dev, self->s[0]), 0);
	EXPECT_EQ(dev_recv(self->dev, self->s[0], self->buf, sizeof(self->buf), &self->ov),
		  -EINPROGRESS);
	ASSERT_EQ(sockmap_put(map, self->s[0]), 0);
	EXPECT_EQ(send(self->s[1], "there", 5, 0), 5);
	EXPECT_EQ(dev_wait(self->dev, &self->ov.st, TIMEOUT_MS), 0);
	EXPECT_EQ(ov_status(&self->ov), STATUS_SUCCESS);
	EXPECT_EQ(self->ov.st.internal_high, 5);
	close(map);
}

struct blocked {
	int fd;
	pid_t tid;
	ssize_t ret;
};

static void *blocked_thread(void *arg)
{
	struct blocked *b = arg;
	char c;

	__atomic_store_n(&b->tid, gettid(), __ATOMIC_RELEASE);
	b->ret = recv(b->fd, &c, 1, 0);
	return NULL;
}

TEST_F(interplay, mptcp)
{
	struct blocked b = {};
	pthread_t t;
	int other[2];

	if (connection(AF_INET, IPPROTO_MPTCP, self->s))
		SKIP(return, "no MPTCP: %s", strerror(errno));
	ASSERT_EQ(connection(AF_INET, IPPROTO_MPTCP, other), 0);
	ASSERT_EQ(dev_adopt(self->dev, other[0]), 0);
	b.fd = other[0];
	ASSERT_EQ(pthread_create(&t, NULL, blocked_thread, &b), 0);
	ASSERT_TRUE(wait_for(__atomic_load_n(&b.tid, __ATOMIC_ACQUIRE) && asleep(b.tid)));
	EXPECT_EQ(works_and_ends(_metadata, self), -ECONNRESET);
	/* Who is blocked in another one of it wakes. */
	pthread_join(t, NULL);
	EXPECT_LE(b.ret, 0);
	close(other[1]);
}

TEST_F(interplay, inet6)
{
	ASSERT_EQ(connection(AF_INET6, 0, self->s), 0);
	EXPECT_EQ(works_and_ends(_metadata, self), -ECONNRESET);
}

TEST_F(interplay, af_unix_cannot_be_owned)
{
	ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, self->s), 0);
	EXPECT_EQ(dev_adopt(self->dev, self->s[0]), -EAFNOSUPPORT);
	EXPECT_EQ(dev_recv(self->dev, self->s[0], self->buf, 1, &self->ov), -ENOTSOCK);
	EXPECT_EQ(dev_cleanup(self->dev), 1);
	/* Nothing becomes of it. */
	EXPECT_EQ(send(self->s[1], "x", 1, 0), 1);
	EXPECT_EQ(recv(self->s[0], self->buf, 1, 0), 1);
}

static int dev_accept(int dev, int l, int a, char *buf, struct ov *ov)
{
	struct wsock_accept args = { .buffer = (unsigned long)buf, .fd = a };

	return dev_submit(dev, WSOCK_OP_ACCEPT, l, &args, sizeof(args), ov, -1, 0);
}

/* Connections go to the one or the other; of one that is closed all to the other. */
TEST_F(interplay, reuseport)
{
	struct sockaddr_in sin = loopback(0);
	int l[2], a[2], peers[256], n = 0, on = 1;
	struct ov ov[2];

	for (int i = 0; i < 2; i++) {
		l[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		setsockopt(l[i], SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
		ASSERT_EQ(bind(l[i], (struct sockaddr *)&sin, sizeof(sin)), 0);
		ASSERT_EQ(listen(l[i], 256), 0);
		sin = loopback(local_port(l[i]));
		a[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		ASSERT_EQ(dev_adopt(self->dev, l[i]), 0);
		ASSERT_EQ(dev_adopt(self->dev, a[i]), 0);
		EXPECT_EQ(dev_accept(self->dev, l[i], a[i], self->buf, &ov[i]), -EINPROGRESS);
	}
	while (n < 256 && (dev_wait(self->dev, &ov[0].st, 0) || dev_wait(self->dev, &ov[1].st, 0)))
		peers[n++] = tcp_connect(ntohs(sin.sin_port));
	EXPECT_EQ(ov_status(&ov[0]), STATUS_SUCCESS);
	EXPECT_EQ(ov_status(&ov[1]), STATUS_SUCCESS);
	while (n)
		close(peers[--n]);

	EXPECT_EQ(dev_closesocket(self->dev, l[0]), 0);
	for (int i = 0; i < 16; i++) {
		int c = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		ASSERT_EQ(dev_adopt(self->dev, c), 0);
		peers[i] = tcp_connect(ntohs(sin.sin_port));
		EXPECT_GE(peers[i], 0);
		EXPECT_EQ(dev_accept(self->dev, l[1], c, self->buf, &ov[0]), -EINPROGRESS);
		EXPECT_EQ(dev_wait(self->dev, &ov[0].st, TIMEOUT_MS), 0);
		EXPECT_EQ(ov_status(&ov[0]), STATUS_SUCCESS);
		close(peers[i]);
	}
}

/* One that is on its way has no other owner: who gets it gets a dead one. */
TEST_F(interplay, scm_rights__on_its_way_at_the_release)
{
	int via[2], fd;

	ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, via), 0);
	ASSERT_EQ(tcp_pair(self->s), 0);
	ASSERT_EQ(dev_adopt(self->dev, self->s[0]), 0);
	ASSERT_EQ(send_fd(via[0], self->s[0], 0), 0);
	EXPECT_EQ(dev_cleanup(self->dev), 1);
	EXPECT_EQ(peer_end(self->s[1]), -ECONNRESET);
	fd = recv_fd(via[1], MSG_CMSG_CLOEXEC);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(send(fd, "x", 1, MSG_NOSIGNAL), -1);
	/* It can be owned all the same. */
	ASSERT_EQ(dev_startup(self->dev), 0);
	EXPECT_EQ(dev_adopt(self->dev, fd), 0);
	close(fd);
	close(via[0]);
	close(via[1]);
	self->s[0] = -1;
}

/* Who has taken it over owns it, with operations of its own. */
TEST_F(interplay, scm_rights__with_operations_of_both)
{
	int via[2], sync[2];
	pid_t pid;
	char c;

	ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, via), 0);
	ASSERT_EQ(pipe2(sync, O_CLOEXEC), 0);
	ASSERT_EQ(tcp_pair(self->s), 0);
	ASSERT_EQ(dev_adopt(self->dev, self->s[0]), 0);
	EXPECT_EQ(dev_recv(self->dev, self->s[0], self->buf, 1, &self->ov), -EINPROGRESS);
	pid = fork();
	if (!pid) {
		int fd, dev;

		close(self->dev);
		close(self->s[0]);
		close(self->s[1]);
		fd = recv_fd(via[1], MSG_CMSG_CLOEXEC);
		dev = dev_started();
		CHILD_EXPECT(fd >= 0 && !dev_adopt(dev, fd));
		CHILD_EXPECT(dev_recv(dev, fd, self->buf, 5, &self->ov) == -EINPROGRESS);
		CHILD_EXPECT(write(sync[1], "!", 1) == 1);
		CHILD_EXPECT(!dev_wait(dev, &self->ov.st, TIMEOUT_MS));
		CHILD_EXPECT(ov_status(&self->ov) == STATUS_SUCCESS &&
			     !memcmp(self->buf, "alive", 5));
		CHILD_EXPECT(dev_cleanup(dev) == 1);
		_exit(0);
	}
	ASSERT_EQ(send_fd(via[0], self->s[0], 0), 0);
	ASSERT_EQ(read(sync[0], &c, 1), 1);
	EXPECT_EQ(dev_cleanup(self->dev), 1);
	EXPECT_EQ(ov_status(&self->ov), STATUS_CANCELLED);
	EXPECT_EQ(send(self->s[1], "alive", 5, MSG_NOSIGNAL), 5);
	EXPECT_EQ(child_status(pid), 0);
	EXPECT_EQ(peer_end(self->s[1]), -ECONNRESET);
	close(via[0]);
	close(via[1]);
	close(sync[0]);
	close(sync[1]);
	self->s[0] = -1;
}

/* The socket lives on in the new program, where it is nothing but reset. */
TEST_F(interplay, exec__with_what_pends_and_a_socket_that_is_kept)
{
	pid_t pid;

	ASSERT_EQ(tcp_pair(self->s), 0);
	pid = fork();
	if (!pid) {
		char command[80];
		int dev;

		close(self->dev);
		dev = dev_started();
		fcntl(self->s[0], F_SETFD, 0);
		CHILD_EXPECT(!dev_adopt(dev, self->s[0]));
		CHILD_EXPECT(dev_recv(dev, self->s[0], self->buf, 1, &self->ov) == -EINPROGRESS);
		/* 0 when the descriptor is there and cannot be written to. */
		snprintf(command, sizeof(command),
			 "[ -e /proc/self/fd/%d ] && ! echo x >&%d", self->s[0], self->s[0]);
		signal(SIGPIPE, SIG_IGN);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(1);
	}
	close(self->s[0]);
	self->s[0] = -1;
	EXPECT_EQ(peer_end(self->s[1]), -ECONNRESET);
	EXPECT_EQ(child_status(pid), 0);
}

/* A socket is of the namespace that it was made in, wherever its owner is. */
TEST_F(interplay, network_namespace)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	ASSERT_EQ(unshare(CLONE_NEWNET), 0);
	self->s[0] = socket(AF_INET, SOCK_DGRAM, 0);
	ASSERT_EQ(ioctl(self->s[0], SIOCSIFFLAGS, &ifr), 0);
	close(self->s[0]);
	ASSERT_EQ(tcp_pair(self->s), 0);
	ASSERT_EQ(setns(home, CLONE_NEWNET), 0);
	EXPECT_EQ(works_and_ends(_metadata, self), -ECONNRESET);
	close(home);
}

/* A namespace that is left with operations pending goes with its process. */
TEST_F(interplay, network_namespace__killed)
{
	int ready[2];
	pid_t pid;
	char c;

	ASSERT_EQ(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (!pid) {
		struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
		int dev, s[2];

		close(self->dev);
		CHILD_EXPECT(!unshare(CLONE_NEWNET));
		s[0] = socket(AF_INET, SOCK_DGRAM, 0);
		CHILD_EXPECT(!ioctl(s[0], SIOCSIFFLAGS, &ifr));
		CHILD_EXPECT(!tcp_pair(s));
		dev = dev_started();
		CHILD_EXPECT(!dev_adopt(dev, s[0]));
		CHILD_EXPECT(dev_recv(dev, s[0], self->buf, 1, &self->ov) == -EINPROGRESS);
		CHILD_EXPECT(write(ready[1], "!", 1) == 1);
		pause();
	}
	EXPECT_EQ(read(ready[0], &c, 1), 1);
	EXPECT_EQ(kill(pid, SIGKILL), 0);
	EXPECT_EQ(waitpid(pid, NULL, 0), pid);
	close(self->dev);
	EXPECT_TRUE(counters_zero());
	close(ready[0]);
	close(ready[1]);
}

TEST_HARNESS_MAIN
