/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GUIDs. DEFINE_GUID defines its constant in the file that has INITGUID. */
#ifndef GUID_DEFINED
#define GUID_DEFINED

#include <stdint.h>
#include <string.h>

typedef struct _GUID {
	uint32_t Data1;
	uint16_t Data2;
	uint16_t Data3;
	uint8_t Data4[8];
} GUID, *LPGUID;
typedef const GUID *LPCGUID;
typedef GUID IID, CLSID;

#ifdef __cplusplus
#define REFGUID		const GUID &
#define EXTERN_C	extern "C"
static inline bool IsEqualGUID(REFGUID a, REFGUID b)
{
	return !memcmp(&a, &b, sizeof(a));
}
static inline bool operator==(REFGUID a, REFGUID b)
{
	return IsEqualGUID(a, b);
}
static inline bool operator!=(REFGUID a, REFGUID b)
{
	return !IsEqualGUID(a, b);
}
#else
#define REFGUID		const GUID *
#define EXTERN_C	extern
#define IsEqualGUID(a, b)	(!memcmp((a), (b), sizeof(GUID)))
#endif

#endif /* GUID_DEFINED */

/* Again each time: INITGUID may be defined between two inclusions. */
#undef DEFINE_GUID
#if defined(INITGUID) && defined(__cplusplus)
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) \
	extern "C" const GUID name; \
	extern "C" const GUID name = \
		{ l, w1, w2, { b1, b2, b3, b4, b5, b6, b7, b8 } }
#elif defined(INITGUID)
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) \
	extern const GUID name; \
	const GUID name = { l, w1, w2, { b1, b2, b3, b4, b5, b6, b7, b8 } }
#else
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) \
	EXTERN_C const GUID name
#endif
