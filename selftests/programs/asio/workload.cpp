// SPDX-License-Identifier: GPL-2.0
/*
 * workload WHAT [COUNTS]: what programs do with Asio, whose engine on Windows is a
 * completion port. Prints what was not as it should be.
 */
#include <asio.hpp>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#ifndef ASIO_HAS_IOCP
#error "this is not Asio for completion ports"
#endif

using asio::ip::tcp;
using asio::ip::udp;
using asio::error_code;

static std::atomic<int> failures;

static void check(bool good, const char *what)
{
	if (!good) {
		std::printf("not so: %s\n", what);
		failures++;
	}
}
#define CHECK(condition) check(condition, #condition)

static tcp::endpoint loopback(unsigned short port = 0)
{
	return { asio::ip::address_v4::loopback(), port };
}

static void run(asio::io_context &io, int threads)
{
	std::vector<std::thread> pool;

	for (int i = 0; i < threads; i++)
		pool.emplace_back([&] { io.run(); });
	for (auto &thread : pool)
		thread.join();
}

/* ---- Echoes by TCP ---- */

struct session : std::enable_shared_from_this<session> {
	explicit session(tcp::socket s) : socket(std::move(s)) { }

	void read()
	{
		auto self = shared_from_this();

		socket.async_read_some(asio::buffer(data), [self](error_code ec, size_t n) {
			if (ec)
				CHECK(ec == asio::error::eof);
			else
				self->write(n);
		});
	}

	void write(size_t n)
	{
		auto self = shared_from_this();

		asio::async_write(socket, asio::buffer(data, n), [self](error_code ec, size_t) {
			CHECK(!ec);
			self->read();
		});
	}

	tcp::socket socket;
	char data[4096];
};

struct client {
	client(asio::io_context &io, int messages, std::function<void()> done)
		: socket(asio::make_strand(io)), left(messages), done(std::move(done)) { }

	void start(tcp::endpoint to)
	{
		socket.async_connect(to, [this](error_code ec) {
			CHECK(!ec);
			next();
		});
	}

	void next()
	{
		if (!left--) {
			socket.shutdown(tcp::socket::shutdown_both);
			done();
			return;
		}
		out.assign(1 + left * 397 % 20000, char('a' + left % 26));
		in.assign(out.size(), 0);
		arrived = 2;
		asio::async_write(socket, asio::buffer(out), [this](error_code ec, size_t) {
			CHECK(!ec);
			arrive();
		});
		asio::async_read(socket, asio::buffer(in), [this](error_code ec, size_t n) {
			CHECK(!ec && n == out.size() && in == out);
			arrive();
		});
	}

	void arrive()
	{
		if (!--arrived)
			next();
	}

	tcp::socket socket;
	int left, arrived = 0;
	std::string out, in;
	std::function<void()> done;
};

/* What an operation on a socket that its own strand closes is told, or finds. */
template <class Socket>
static bool closed_meanwhile(const Socket &s, error_code ec)
{
	return !s.is_open() && (ec == asio::error::operation_aborted ||
				ec == asio::error::bad_descriptor);
}

static void accept(asio::io_context &io, tcp::acceptor &acceptor)
{
	acceptor.async_accept(io, [&](error_code ec, tcp::socket s) {
		if (ec) {
			CHECK(closed_meanwhile(acceptor, ec));
			return;
		}
		std::make_shared<session>(std::move(s))->read();
		accept(io, acceptor);
	});
}

static void test_tcp(int clients, int messages)
{
	asio::io_context io;
	tcp::acceptor acceptor(asio::make_strand(io), loopback());
	std::vector<std::unique_ptr<client>> all;
	std::atomic<int> done { 0 };

	accept(io, acceptor);
	for (int i = 0; i < clients; i++) {
		all.push_back(std::make_unique<client>(io, messages, [&] {
			if (++done == clients)
				asio::post(acceptor.get_executor(), [&] { acceptor.close(); });
		}));
		all.back()->start(acceptor.local_endpoint());
	}
	run(io, 4);
	CHECK(done == clients);
}

/* ---- Echoes by UDP ---- */

static void test_udp(int messages)
{
	const auto any = udp::endpoint(asio::ip::address_v4::loopback(), 0);
	asio::io_context io;
	udp::socket server(asio::make_strand(io), any), s(io, any);
	const udp::endpoint to = server.local_endpoint();
	udp::endpoint from;
	char request[64], reply[64];
	std::function<void()> serve, ask;
	int got = 0;

	serve = [&] {
		server.async_receive_from(asio::buffer(request), from, [&](error_code ec, size_t n) {
			if (ec) {
				CHECK(closed_meanwhile(server, ec));
				return;
			}
			server.async_send_to(asio::buffer(request, n), from,
					     [&](error_code ec, size_t) {
				CHECK(!ec);
				serve();
			});
		});
	};
	ask = [&] {
		int n = std::snprintf(reply, sizeof(reply), "message %d", got);

		s.send_to(asio::buffer(reply, n), to);
		std::memset(reply, 0, sizeof(reply));
		s.async_receive(asio::buffer(reply), [&](error_code ec, size_t) {
			CHECK(!ec && reply == "message " + std::to_string(got));
			if (++got < messages && !ec)
				ask();
			else
				asio::post(server.get_executor(), [&] { server.close(); });
		});
	};
	serve();
	ask();
	run(io, 2);
	CHECK(got == messages);
}

/* ---- Timers ---- */

static void test_timers(int count)
{
	asio::io_context io;
	std::vector<std::unique_ptr<asio::steady_timer>> timers;
	std::vector<int> order;
	const auto begin = std::chrono::steady_clock::now();

	/* The last of them first. */
	for (int i = count; i--; ) {
		timers.push_back(std::make_unique<asio::steady_timer>(
			io, std::chrono::milliseconds(20 * (i + 1))));
		timers.back()->async_wait([&, i](error_code ec) {
			CHECK(ec == (i == 3 ? asio::error::operation_aborted : error_code()));
			if (!ec)
				order.push_back(i);
		});
	}
	timers[count - 1 - 3]->cancel();
	io.run();
	CHECK(std::chrono::steady_clock::now() - begin >= std::chrono::milliseconds(20 * count));
	CHECK(order.size() == size_t(count) - 1);
	CHECK(std::is_sorted(order.begin(), order.end()));
}

/* ---- Ends ---- */

static void connect_pair(asio::io_context &io, tcp::socket &a, tcp::socket &b)
{
	tcp::acceptor acceptor(io, loopback());

	a.connect(acceptor.local_endpoint());
	acceptor.accept(b);
}

static void test_cancel()
{
	asio::io_context io;
	tcp::socket a(io), b(io);
	tcp::acceptor acceptor(io, loopback());
	asio::steady_timer timer(io, std::chrono::milliseconds(50));
	/* What Windows 7 and later tell of a connection that is closed; Asio passes it on. */
	const error_code closed(ERROR_CONNECTION_ABORTED, asio::error::get_system_category());
	int aborted = 0, signalled = 0;
	char data[3][8];

	connect_pair(io, a, b);
	for (int round = 0; round < 2; round++) {
		for (auto &buffer : data)
			a.async_read_some(asio::buffer(buffer), [&, round](error_code ec, size_t) {
				aborted += round ? ec == closed :
						   ec == asio::error::operation_aborted;
			});
		acceptor.async_accept([&](error_code ec, tcp::socket) {
			aborted += ec == asio::error::operation_aborted;
		});
		timer.expires_after(std::chrono::milliseconds(50));
		timer.async_wait([&](error_code) {
			if (!round) {
				a.cancel();
				acceptor.cancel();
			} else {
				a.close();
				acceptor.close();
			}
		});
		io.run();
		io.restart();
		CHECK(aborted == 4 * (round + 1));
	}
	/* One operation of several, by its slot. */
	asio::cancellation_signal one;
	tcp::socket c(io), d(io);

	connect_pair(io, c, d);
	c.async_read_some(asio::buffer(data[0]),
			  asio::bind_cancellation_slot(one.slot(), [&](error_code ec, size_t) {
		signalled += ec == asio::error::operation_aborted;
	}));
	c.async_read_some(asio::buffer(data[1]), [&](error_code ec, size_t n) {
		signalled += !ec && n == 2;
	});
	one.emit(asio::cancellation_type::terminal);
	d.write_some(asio::buffer("hi", 2));
	io.run();
	CHECK(signalled == 2);
}

static void test_errors()
{
	asio::io_context io;
	tcp::socket a(io), b(io), c(io);
	unsigned short closed;
	char data[8];
	int told = 0;

	{
		tcp::acceptor gone(io, loopback());

		closed = gone.local_endpoint().port();
	}
	c.async_connect(loopback(closed), [&](error_code ec) {
		told += ec == asio::error::connection_refused;
	});
	connect_pair(io, a, b);
	b.set_option(asio::socket_base::linger(true, 0));
	a.async_read_some(asio::buffer(data), [&](error_code ec, size_t) {
		told += ec == asio::error::connection_reset;
	});
	b.close();
	io.run();
	CHECK(told == 2);
	try {
		a.write_some(asio::buffer("x", 1));
		a.write_some(asio::buffer("x", 1));
		CHECK(!"writing to a reset connection");
	} catch (const asio::system_error &e) {
		CHECK(e.code() == asio::error::connection_reset ||
		      e.code() == asio::error::connection_aborted);
	}
}

static void test_names()
{
	asio::io_context io;
	tcp::resolver resolver(io);
	int told = 0;

	resolver.async_resolve("127.0.0.1", "80", [&](error_code ec, tcp::resolver::results_type r) {
		CHECK(!ec && r.begin()->endpoint() == loopback(80));
		told++;
	});
	resolver.async_resolve("", "nosuchservice", [&](error_code ec, tcp::resolver::results_type) {
		CHECK(ec == asio::error::service_not_found || ec == asio::error::host_not_found);
		told++;
	});
	io.run();
	CHECK(told == 2);
	CHECK(asio::ip::make_address("::1").is_loopback());
	CHECK(asio::ip::make_address("fe80::1").to_string() == "fe80::1");
	CHECK(!asio::ip::host_name().empty());
}

static void test_wait()
{
	asio::io_context io;
	tcp::socket a(io), b(io);
	int told = 0;

	connect_pair(io, a, b);
	a.async_wait(tcp::socket::wait_read, [&](error_code ec) {
		CHECK(!ec && a.available() == 3);
		told++;
	});
	a.async_wait(tcp::socket::wait_write, [&](error_code ec) {
		CHECK(!ec);
		told++;
		b.write_some(asio::buffer("abc", 3));
	});
	run(io, 2);
	CHECK(told == 2);
}

static void test_blocking()
{
	asio::io_context io;
	tcp::acceptor acceptor(io, loopback());
	std::thread peer([&] {
		tcp::socket s = acceptor.accept();
		char data[6];

		asio::read(s, asio::buffer(data));
		asio::write(s, asio::buffer(data));
	});
	tcp::iostream stream;
	std::string word;

	stream.expires_after(std::chrono::seconds(10));
	stream.connect(acceptor.local_endpoint());
	stream << "hello\n" << std::flush;
	stream >> word;
	CHECK(word == "hello");
	peer.join();

	tcp::socket a(io), b(io);
	error_code ec;
	char data[8];

	connect_pair(io, a, b);
	a.non_blocking(true);
	a.read_some(asio::buffer(data), ec);
	CHECK(ec == asio::error::would_block);
	b.close();
	a.non_blocking(false);
	CHECK(!a.read_some(asio::buffer(data), ec) && ec == asio::error::eof);
}

int main(int argc, char **argv)
{
	const std::string what = argc > 1 ? argv[1] : "";
	auto count = [&](int i) { return argc > i ? std::atoi(argv[i]) : 1; };

	if (what == "tcp")
		test_tcp(count(2), count(3));
	else if (what == "udp")
		test_udp(count(2));
	else if (what == "timers")
		test_timers(std::max(count(2), 4));
	else if (what == "cancel")
		test_cancel();
	else if (what == "errors")
		test_errors();
	else if (what == "names")
		test_names();
	else if (what == "wait")
		test_wait();
	else if (what == "blocking")
		test_blocking();
	else
		check(false, "there is such a test");
	return failures ? 1 : 0;
}
