/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef _APISETSTRING_
#define _APISETSTRING_

#include <winnls.h>

#endif /* _APISETSTRING_ */
