/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What Winsock 1.1 has for programs with one thread, of winsock.h and winsock2.h:
 * messages in place of waiting, and blocking hooks. (The queue of messages is in
 * wsock/user32.h.)
 */
#ifndef _WSOCK_ASYNC_H
#define _WSOCK_ASYNC_H

#include <wsock/bsd.h>
#include <wsock/user32.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Messages of sockets ---- */

#define WSAMAKESELECTREPLY(event, error)	MAKELONG((event), (error))
#define WSAGETSELECTEVENT(lParam)		LOWORD(lParam)
#define WSAGETSELECTERROR(lParam)		HIWORD(lParam)

/*
 * As WSAEventSelect, with a message @wMsg to @hWnd for each event: wParam is the
 * socket, lParam the event and its error. Each of the two takes the other's place.
 */
int WSAAPI WSAAsyncSelect(SOCKET s, HWND hWnd, u_int wMsg, LONG lEvent);

/* ---- Messages of lookups ---- */

#define WSAMAKEASYNCREPLY(buflen, error)	MAKELONG((buflen), (error))
#define WSAGETASYNCBUFLEN(lParam)		LOWORD(lParam)
#define WSAGETASYNCERROR(lParam)		HIWORD(lParam)

/*
 * What the function without WSAAsync returns, in @buf, of @buflen bytes. The handle
 * that these return is the wParam of the message that tells the end; 0 for
 * failure: WSAEINVAL for no window. lParam has the error and the bytes used, or with
 * WSAENOBUFS needed. @buf is the lookup's until then, or until
 * WSACancelAsyncRequest or the final WSACleanup ends it without a message.
 */
HANDLE WSAAPI WSAAsyncGetHostByName(HWND hWnd, u_int wMsg, const char *name,
				    char *buf, int buflen);
HANDLE WSAAPI WSAAsyncGetHostByAddr(HWND hWnd, u_int wMsg, const char *addr,
				    int len, int type, char *buf, int buflen);
HANDLE WSAAPI WSAAsyncGetServByName(HWND hWnd, u_int wMsg, const char *name,
				    const char *proto, char *buf, int buflen);
HANDLE WSAAPI WSAAsyncGetServByPort(HWND hWnd, u_int wMsg, int port,
				    const char *proto, char *buf, int buflen);
HANDLE WSAAPI WSAAsyncGetProtoByName(HWND hWnd, u_int wMsg, const char *name,
				     char *buf, int buflen);
HANDLE WSAAPI WSAAsyncGetProtoByNumber(HWND hWnd, u_int wMsg, int number,
				       char *buf, int buflen);
/* WSAEALREADY when it is over, WSAEINVAL when there never was one. */
int WSAAPI WSACancelAsyncRequest(HANDLE hAsyncTaskHandle);

/* ---- Blocking hooks ---- */

/*
 * For processes of Winsock 1.x; WSAEOPNOTSUPP in others. Calls of the thread that
 * have to wait call the hook, again until it returns FALSE, and every 10
 * milliseconds while they go on waiting. In it other calls of Winsock fail with
 * WSAEINPROGRESS, WSACleanup included. Returns the hook before.
 */
FARPROC WSAAPI WSASetBlockingHook(FARPROC lpBlockFunc);
int WSAAPI WSAUnhookBlockingHook(void);
/* In a hook: ends the call that waits with WSAEINTR. WSAEINVAL elsewhere. */
int WSAAPI WSACancelBlockingCall(void);
/* Is the thread in a hook? */
BOOL WSAAPI WSAIsBlocking(void);

#ifdef __cplusplus
}
#endif

#endif /* _WSOCK_ASYNC_H */
