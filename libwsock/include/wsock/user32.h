/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What stands in for Windows' windows: Winsock posts its messages to a window, whose
 * thread takes them from its queue. A window here is a procedure and a place in the
 * queue of the thread that made it, and nothing to be seen. None of these functions
 * needs WSAStartup; the final WSACleanup takes Winsock's messages out of all queues,
 * and leaves the others.
 *
 * The names are Windows', but for wsock_window_create() in place of CreateWindow
 * and wsock_message_fd(), for a program with a loop of its own. The A and the W
 * functions are the same: no message has text.
 */
#ifndef _WSOCK_USER32_H
#define _WSOCK_USER32_H

#include <windef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef LRESULT (CALLBACK *WNDPROC)(HWND hWnd, UINT uMsg, WPARAM wParam,
				    LPARAM lParam);

typedef struct tagPOINT {
	LONG x;
	LONG y;
} POINT;

/* @time in milliseconds; @pt is not used. */
typedef struct tagMSG {
	HWND hwnd;
	UINT message;
	WPARAM wParam;
	LPARAM lParam;
	DWORD time;
	POINT pt;
} MSG, *PMSG, *LPMSG;

#define WM_NULL		0x0000
#define WM_QUIT		0x0012
#define WM_USER		0x0400
#define WM_APP		0x8000

#define PM_NOREMOVE	0x0000
#define PM_REMOVE	0x0001

/*
 * A window of the calling thread, which @lpfnWndProc gets the messages of; it ends
 * with the thread. NULL with ERROR_NOT_ENOUGH_MEMORY.
 */
HWND wsock_window_create(WNDPROC lpfnWndProc);
/* FALSE and ERROR_INVALID_WINDOW_HANDLE for what is no window. */
BOOL WINAPI DestroyWindow(HWND hWnd);
/* NULL is the calling thread. Errors also ERROR_NOT_ENOUGH_MEMORY. */
BOOL WINAPI PostMessage(HWND hWnd, UINT Msg, WPARAM wParam, LPARAM lParam);
/*
 * The first message in the thread's queue, of @hWnd or all windows (NULL), with a
 * number from @wMsgFilterMin to @wMsgFilterMax, or any when both are 0. FALSE when
 * there is none.
 */
BOOL WINAPI PeekMessage(LPMSG lpMsg, HWND hWnd, UINT wMsgFilterMin,
			UINT wMsgFilterMax, UINT wRemoveMsg);
/* Waits for it and takes it. 0 for WM_QUIT, -1 on failure. */
BOOL WINAPI GetMessage(LPMSG lpMsg, HWND hWnd, UINT wMsgFilterMin,
		       UINT wMsgFilterMax);
/* Calls the window's procedure; 0 when it is gone. */
LRESULT WINAPI DispatchMessage(const MSG *lpMsg);
/* GetMessage returns WM_QUIT once the queue is empty. */
VOID WINAPI PostQuitMessage(int nExitCode);
/*
 * A descriptor that is readable while PeekMessage may find something in the calling
 * thread's queue. It is the library's: do not close or read it. -1 with
 * ERROR_NOT_ENOUGH_MEMORY.
 */
int wsock_message_fd(void);

#define PostMessageA		PostMessage
#define PostMessageW		PostMessage
#define PeekMessageA		PeekMessage
#define PeekMessageW		PeekMessage
#define GetMessageA		GetMessage
#define GetMessageW		GetMessage
#define DispatchMessageA	DispatchMessage
#define DispatchMessageW	DispatchMessage

#ifdef __cplusplus
}
#endif

#endif /* _WSOCK_USER32_H */
