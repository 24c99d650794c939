// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * WSAStartup and WSACleanup.
 *
 * The kernel counts registrations and releases everything at the last one; the
 * library counts them too, to answer at the gate without a system call. Both
 * counts change under startup_lock, one ioctl for each call.
 *
 * The device stays open for the life of the process (and the library stays
 * mapped, -z nodelete): a thread may be about to issue an ioctl on it, and a
 * descriptor number closed under that thread could be another file by then.
 */
#include "internal.h"

#include <pthread.h>

#define DEVICE_PATH	"/dev/wsock"

#define HIGHEST_VERSION	MAKEWORD(2, 2)

uint64_t wsock_state;
int wsock_device = -1;

static pthread_mutex_t startup_lock = PTHREAD_MUTEX_INITIALIZER;
/* Changed under startup_lock. */
static WORD effective_version = HIGHEST_VERSION;
static bool fork_handler_set;

int wsock_device_ioctl(unsigned long request, void *arg)
{
	int device = __atomic_load_n(&wsock_device, __ATOMIC_ACQUIRE);

	if (device < 0) {
		errno = EBADFD;
		return -1;
	}
	return ioctl(device, request, arg);
}

/*
 * A child has no registration: the kernel would refuse it the parent's open.
 * The parent's thread that held the lock does not exist here.
 */
static void forget_parent(void)
{
	uint64_t generation = wsock_state >> 32;

	pthread_mutex_init(&startup_lock, NULL);
	wsock_state = (generation + 1) << 32;
	effective_version = HIGHEST_VERSION;
	if (wsock_device >= 0)
		close(wsock_device);
	wsock_device = -1;
	wsock_apc_forget();
	wsock_lookup_forget();
	wsock_window_forget();
	wsock_netdb_forget();
	wsock_namespace_forget();
}

/* The errors of WSAStartup are few: a limit was reached, or "not ready". */
static int startup_error(int err)
{
	return err == EUSERS || err == EAGAIN ? WSAEPROCLIM : WSASYSNOTREADY;
}

/* Returns 0 or an errno. Under startup_lock. */
static int open_device(void)
{
	int device, cancel_state;

	if (wsock_device >= 0)
		return 0;
	if (!fork_handler_set) {
		if (pthread_atfork(NULL, NULL, forget_parent))
			return ENOMEM;
		fork_handler_set = true;
	}
	/* open is a cancellation point, and we hold the lock. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	do {
		device = open(DEVICE_PATH, O_RDWR | O_CLOEXEC);
	} while (device < 0 && errno == EINTR);
	pthread_setcancelstate(cancel_state, NULL);
	if (device < 0)
		return errno;
	__atomic_store_n(&wsock_device, device, __ATOMIC_RELEASE);
	return 0;
}

int wsock_device_open(void)
{
	int err;

	if (__atomic_load_n(&wsock_device, __ATOMIC_ACQUIRE) >= 0)
		return 0;
	pthread_mutex_lock(&startup_lock);
	err = open_device();
	pthread_mutex_unlock(&startup_lock);
	return err;
}

int wsock_version_major(void)
{
	return LOBYTE(__atomic_load_n(&effective_version, __ATOMIC_RELAXED));
}

/* Returns 0 or the error of WSAStartup. Under startup_lock. */
static int register_once(void)
{
	int err = open_device();

	if (err)
		return startup_error(err);
	if (!ioctl(wsock_device, WSOCK_IOC_STARTUP, 0))
		return 0;
	return startup_error(errno);
}

static WORD negotiate(WORD requested)
{
	BYTE major = LOBYTE(requested), minor = HIBYTE(requested);

	if (major == 1)
		return MAKEWORD(1, minor > 1 ? 1 : minor);
	if (major == 2 && minor <= 2)
		return requested;
	return HIGHEST_VERSION;
}

/* The vendor's pointer is left as it is, as Windows does. */
static void fill_data(LPWSADATA data, WORD version)
{
	bool old = LOBYTE(version) == 1;

	data->wVersion = version;
	data->wHighVersion = HIGHEST_VERSION;
	data->iMaxSockets = old ? 32767 : 0;
	data->iMaxUdpDg = old ? 65467 : 0;
	strcpy(data->szDescription, "WinSock 2.0");
	strcpy(data->szSystemStatus, "Running");
}

static bool is_lower(WORD a, WORD b)
{
	if (LOBYTE(a) != LOBYTE(b))
		return LOBYTE(a) < LOBYTE(b);
	return HIBYTE(a) < HIBYTE(b);
}

static int start_up(WORD requested, LPWSADATA data)
{
	WORD version = negotiate(requested);
	int error;

	if (LOBYTE(requested) == 0) {
		if (data)
			fill_data(data, version);
		return WSAVERNOTSUPPORTED;
	}
	if (!data)
		return WSAEFAULT;
	if (wsock_in_hook)
		return WSAEINPROGRESS;
	fill_data(data, version);

	pthread_mutex_lock(&startup_lock);
	error = register_once();
	if (!error) {
		/* The lowest version asked for rules until the final cleanup. */
		if (is_lower(version, effective_version))
			__atomic_store_n(&effective_version, version,
					 __ATOMIC_RELAXED);
		__atomic_fetch_add(&wsock_state, 1, __ATOMIC_SEQ_CST);
	}
	pthread_mutex_unlock(&startup_lock);
	return error;
}

WSOCK_EXPORT int WSAAPI WSAStartup(WORD wVersionRequested, LPWSADATA lpWSAData)
{
	int error = start_up(wVersionRequested, lpWSAData);

	wsock_error_set(error ? WSANOTINITIALISED : 0);
	return error;
}

/* Returns 0 or the error of WSACleanup. Under startup_lock. */
static int unregister_once(void)
{
	uint64_t state = wsock_state_read();
	uint64_t generation = state >> 32;

	if (!(uint32_t)state)
		return WSANOTINITIALISED;
	/* We are in a call that has yet to return to the program's function. */
	if (wsock_in_hook ||
	    (wsock_callbacks && ((uint32_t)state == 1 ||
				 LOBYTE(effective_version) == 1)))
		return WSAEINPROGRESS;
	/*
	 * Publish the end before it begins: calls not yet past the gate must
	 * not see sockets die, and those past it find the generation changed.
	 */
	if ((uint32_t)state == 1)
		__atomic_store_n(&wsock_state, (generation + 1) << 32,
				 __ATOMIC_SEQ_CST);
	if (ioctl(wsock_device, WSOCK_IOC_CLEANUP, 0) < 0) {
		/* Nothing has ended: what is pending is of this generation. */
		__atomic_store_n(&wsock_state, state, __ATOMIC_SEQ_CST);
		return WSAENETDOWN;
	}
	if ((uint32_t)state == 1) {
		wsock_lookup_end_all();
		wsock_window_end_all();
		wsock_netdb_free_all();
		wsock_namespace_end_all();
		__atomic_store_n(&effective_version, HIGHEST_VERSION,
				 __ATOMIC_RELAXED);
	} else {
		__atomic_fetch_sub(&wsock_state, 1, __ATOMIC_SEQ_CST);
	}
	return 0;
}

WSOCK_EXPORT int WSAAPI WSACleanup(void)
{
	int error;

	pthread_mutex_lock(&startup_lock);
	error = unregister_once();
	pthread_mutex_unlock(&startup_lock);
	wsock_error_set(error);
	return error ? SOCKET_ERROR : 0;
}
