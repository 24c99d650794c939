/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random numbers, which are the system's; nothing else of this library. */
#ifndef __WINCRYPT_H__
#define __WINCRYPT_H__

#include <windef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef ULONG_PTR HCRYPTPROV;

#define PROV_RSA_FULL		1
#define PROV_RSA_AES		24
#define CRYPT_VERIFYCONTEXT	0xf0000000U
#define CRYPT_SILENT		0x00000040

/* With CRYPT_VERIFYCONTEXT only: there are no keys. */
BOOL WINAPI CryptAcquireContextA(HCRYPTPROV *phProv, LPCSTR szContainer,
				 LPCSTR szProvider, DWORD dwProvType,
				 DWORD dwFlags);
BOOL WINAPI CryptAcquireContextW(HCRYPTPROV *phProv, LPCWSTR szContainer,
				 LPCWSTR szProvider, DWORD dwProvType,
				 DWORD dwFlags);
BOOL WINAPI CryptReleaseContext(HCRYPTPROV hProv, DWORD dwFlags);
BOOL WINAPI CryptGenRandom(HCRYPTPROV hProv, DWORD dwLen, BYTE *pbBuffer);

#ifdef UNICODE
#define CryptAcquireContext	CryptAcquireContextW
#else
#define CryptAcquireContext	CryptAcquireContextA
#endif

#ifdef __cplusplus
}
#endif

#endif /* __WINCRYPT_H__ */
