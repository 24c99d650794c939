// SPDX-License-Identifier: LGPL-2.1-or-later
/* TlsAlloc and the like: an index is a pthread key. */
#include "../internal.h"

#include <pthread.h>

static BOOL result(int err)
{
	if (err)
		wsock_error_set(err == ENOMEM ? ERROR_NOT_ENOUGH_MEMORY :
						ERROR_INVALID_PARAMETER);
	return !err;
}

WSOCK_EXPORT DWORD WINAPI TlsAlloc(void)
{
	pthread_key_t key;

	if (!pthread_key_create(&key, NULL))
		return key;
	wsock_error_set(ERROR_NO_MORE_ITEMS);
	return TLS_OUT_OF_INDEXES;
}

WSOCK_EXPORT BOOL WINAPI TlsFree(DWORD dwTlsIndex)
{
	return result(pthread_key_delete(dwTlsIndex));
}

WSOCK_EXPORT BOOL WINAPI TlsSetValue(DWORD dwTlsIndex, LPVOID lpTlsValue)
{
	return result(pthread_setspecific(dwTlsIndex, lpTlsValue));
}

WSOCK_EXPORT LPVOID WINAPI TlsGetValue(DWORD dwTlsIndex)
{
	void *value = pthread_getspecific(dwTlsIndex);

	/* Setting what is there tells whether the index is one. */
	if (value || result(pthread_setspecific(dwTlsIndex, NULL)))
		wsock_error_set(ERROR_SUCCESS);
	return value;
}
