// SPDX-License-Identifier: LGPL-2.1-or-later
/* Random numbers by the names of Windows' cryptographic library: getrandom(2)'s. */
#include "../internal.h"

#include <sys/random.h>
#include <wincrypt.h>

/* The only provider there is. */
#define PROVIDER	1

static BOOL acquire(HCRYPTPROV *provider, bool container, DWORD flags)
{
	if (!provider || container || !(flags & CRYPT_VERIFYCONTEXT)) {
		wsock_error_set(ERROR_INVALID_PARAMETER);
		return FALSE;
	}
	*provider = PROVIDER;
	return TRUE;
}

static bool is_provider(HCRYPTPROV provider)
{
	if (provider != PROVIDER)
		wsock_error_set(ERROR_INVALID_PARAMETER);
	return provider == PROVIDER;
}

WSOCK_EXPORT BOOL WINAPI CryptAcquireContextA(HCRYPTPROV *phProv,
					      LPCSTR szContainer,
					      LPCSTR szProvider,
					      DWORD dwProvType, DWORD dwFlags)
{
	(void)szProvider;
	(void)dwProvType;
	return acquire(phProv, szContainer, dwFlags);
}

WSOCK_EXPORT BOOL WINAPI CryptAcquireContextW(HCRYPTPROV *phProv,
					      LPCWSTR szContainer,
					      LPCWSTR szProvider,
					      DWORD dwProvType, DWORD dwFlags)
{
	(void)szProvider;
	(void)dwProvType;
	return acquire(phProv, szContainer, dwFlags);
}

WSOCK_EXPORT BOOL WINAPI CryptReleaseContext(HCRYPTPROV hProv, DWORD dwFlags)
{
	(void)dwFlags;
	return is_provider(hProv);
}

WSOCK_EXPORT BOOL WINAPI CryptGenRandom(HCRYPTPROV hProv, DWORD dwLen,
					BYTE *pbBuffer)
{
	ssize_t n;

	if (!is_provider(hProv))
		return FALSE;
	while (dwLen) {
		n = getrandom(pbBuffer, dwLen, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			wsock_error_set(ERROR_NOACCESS);
			return FALSE;
		}
		pbBuffer += n;
		dwLen -= (DWORD)n;
	}
	return TRUE;
}
