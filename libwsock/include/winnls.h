/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Code pages: bytes are UTF-8 here, whatever the locale, so that is what CP_ACP,
 * CP_OEMCP and CP_THREAD_ACP name, too. There is no other.
 */
#ifndef _WINNLS_
#define _WINNLS_

#include <winnt.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CP_ACP			0
#define CP_OEMCP		1
#define CP_THREAD_ACP		3
#define CP_UTF8			65001

#define MB_PRECOMPOSED		0x0001
#define MB_ERR_INVALID_CHARS	0x0008
#define WC_ERR_INVALID_CHARS	0x0080
#define WC_NO_BEST_FIT_CHARS	0x0400

/* CP_UTF8. */
UINT WINAPI GetACP(VOID);
UINT WINAPI GetOEMCP(VOID);

/*
 * Convert text. A length of -1 says that it ends with a NUL, which is converted, too;
 * @cchWideChar and @cbMultiByte are the room, in characters and in bytes, or 0 to ask
 * for it. What is no character becomes U+FFFD, or fails with
 * ERROR_NO_UNICODE_TRANSLATION when MB_ERR_INVALID_CHARS or WC_ERR_INVALID_CHARS is
 * given. MB_PRECOMPOSED and WC_NO_BEST_FIT_CHARS mean nothing here.
 * @lpUsedDefaultChar tells FALSE; neither it nor @lpDefaultChar may be given with
 * CP_UTF8.
 *
 * Return how many characters or bytes were written or would be, or 0 and
 * ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_PARAMETER (an empty text, no room, another
 * code page), ERROR_INVALID_FLAGS or ERROR_NOT_ENOUGH_MEMORY.
 */
int WINAPI MultiByteToWideChar(UINT CodePage, DWORD dwFlags, LPCSTR lpMultiByteStr,
			       int cbMultiByte, LPWSTR lpWideCharStr, int cchWideChar);
int WINAPI WideCharToMultiByte(UINT CodePage, DWORD dwFlags, LPCWSTR lpWideCharStr,
			       int cchWideChar, LPSTR lpMultiByteStr, int cbMultiByte,
			       LPCSTR lpDefaultChar, LPBOOL lpUsedDefaultChar);

#ifdef __cplusplus
}
#endif

#endif /* _WINNLS_ */
