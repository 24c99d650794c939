/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Winsock's extension functions. A program gets them by name from the library,
 * or as on Windows by WSAIoctl(SIO_GET_EXTENSION_FUNCTION_POINTER) and a GUID;
 * both are the same functions. They are gated and tell their errors as winsock2.h
 * says.
 *
 * Those with an OVERLAPPED start an operation, which ends like any other: with
 * FALSE and WSA_IO_PENDING it goes on, or is done and its end is told all the
 * same; with another error it never began.
 */
#ifndef _MSWSOCK_H
#define _MSWSOCK_H

#include <winsock2.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Options of level SOL_SOCKET. */
#define SO_UPDATE_ACCEPT_CONTEXT	0x700B
/* Seconds since the socket was connected (or began to), ~0 when it is not. */
#define SO_CONNECT_TIME			0x700C
#define SO_UPDATE_CONNECT_CONTEXT	0x7010

#define TF_DISCONNECT		0x01
#define TF_REUSE_SOCKET		0x02
#define TF_WRITE_BEHIND		0x04
#define TF_USE_DEFAULT_WORKER	0x00
#define TF_USE_SYSTEM_THREAD	0x10
#define TF_USE_KERNEL_APC	0x20

#define TP_DISCONNECT		TF_DISCONNECT
#define TP_REUSE_SOCKET		TF_REUSE_SOCKET
#define TP_USE_DEFAULT_WORKER	TF_USE_DEFAULT_WORKER
#define TP_USE_SYSTEM_THREAD	TF_USE_SYSTEM_THREAD
#define TP_USE_KERNEL_APC	TF_USE_KERNEL_APC
#define TP_ELEMENT_MEMORY	1
#define TP_ELEMENT_FILE		2
#define TP_ELEMENT_EOP		4
#define DE_REUSE_SOCKET		TF_REUSE_SOCKET

/* WSAIoctl of a datagram socket: FALSE for no WSAECONNRESET in receives. */
#define SIO_UDP_CONNRESET	_WSAIOW(IOC_VENDOR, 12)
#define SIO_UDP_NETRESET	_WSAIOW(IOC_VENDOR, 15)

#define WSAID_ACCEPTEX \
	{ 0xb5367df1, 0xcbac, 0x11cf, \
	  { 0x95, 0xca, 0x00, 0x80, 0x5f, 0x48, 0xa1, 0x92 } }
#define WSAID_GETACCEPTEXSOCKADDRS \
	{ 0xb5367df2, 0xcbac, 0x11cf, \
	  { 0x95, 0xca, 0x00, 0x80, 0x5f, 0x48, 0xa1, 0x92 } }
#define WSAID_DISCONNECTEX \
	{ 0x7fda2e11, 0x8630, 0x436f, \
	  { 0xa0, 0x31, 0xf5, 0x36, 0xa6, 0xee, 0xc1, 0x57 } }
#define WSAID_TRANSMITFILE \
	{ 0xb5367df0, 0xcbac, 0x11cf, \
	  { 0x95, 0xca, 0x00, 0x80, 0x5f, 0x48, 0xa1, 0x92 } }
#define WSAID_TRANSMITPACKETS \
	{ 0xd9689da0, 0x1f90, 0x11d3, \
	  { 0x99, 0x71, 0x00, 0xc0, 0x4f, 0x68, 0xc8, 0x76 } }
#define WSAID_WSARECVMSG \
	{ 0xf689d7c8, 0x6f1f, 0x436b, \
	  { 0x8a, 0x53, 0xe5, 0x4f, 0xe3, 0x51, 0xc3, 0x22 } }
#define WSAID_WSASENDMSG \
	{ 0xa441e712, 0x754f, 0x43ca, \
	  { 0x84, 0xa7, 0x0d, 0xee, 0x44, 0xcf, 0x60, 0x6d } }
#define WSAID_CONNECTEX \
	{ 0x25a207b9, 0xddf3, 0x4660, \
	  { 0x8e, 0xe9, 0x76, 0xe5, 0x8c, 0x74, 0x06, 0x3e } }

/*
 * Accepts a connection of @sListenSocket, and @sAcceptSocket, a new or
 * disconnected TCP socket of the same family, becomes that connection. With
 * @dwReceiveDataLength the operation ends when the first data was received, up to
 * so many bytes, or the peer has ended the connection (0 bytes); otherwise it ends
 * with the connection. @lpOutputBuffer receives the data and behind it, for
 * GetAcceptExSockaddrs, the addresses; it belongs to the operation until its end.
 * The rooms for addresses have 16 bytes more than an address of the family; that
 * of the local one may be 0. Always pends; *@lpdwBytesReceived is not written.
 * The operation is one of @sListenSocket: CancelIoEx, completion port and key are.
 * WSAEINVAL when @sListenSocket does not listen or @sAcceptSocket is bound,
 * connected or accepting already.
 */
BOOL WSAAPI AcceptEx(SOCKET sListenSocket, SOCKET sAcceptSocket,
		     PVOID lpOutputBuffer, DWORD dwReceiveDataLength,
		     DWORD dwLocalAddressLength, DWORD dwRemoteAddressLength,
		     LPDWORD lpdwBytesReceived, LPOVERLAPPED lpOverlapped);
typedef BOOL (WSAAPI *LPFN_ACCEPTEX)(SOCKET sListenSocket,
	SOCKET sAcceptSocket, PVOID lpOutputBuffer, DWORD dwReceiveDataLength,
	DWORD dwLocalAddressLength, DWORD dwRemoteAddressLength,
	LPDWORD lpdwBytesReceived, LPOVERLAPPED lpOverlapped);

/*
 * Points *@LocalSockaddr and *@RemoteSockaddr to the addresses in the buffer of an
 * AcceptEx that has ended, given its lengths. *@LocalSockaddr is NULL, of length 0,
 * when it had no room for it. Never fails, and needs no registration.
 */
void WSAAPI GetAcceptExSockaddrs(PVOID lpOutputBuffer, DWORD dwReceiveDataLength,
				 DWORD dwLocalAddressLength,
				 DWORD dwRemoteAddressLength,
				 struct sockaddr **LocalSockaddr,
				 LPINT LocalSockaddrLength,
				 struct sockaddr **RemoteSockaddr,
				 LPINT RemoteSockaddrLength);
typedef void (WSAAPI *LPFN_GETACCEPTEXSOCKADDRS)(PVOID lpOutputBuffer,
	DWORD dwReceiveDataLength, DWORD dwLocalAddressLength,
	DWORD dwRemoteAddressLength, struct sockaddr **LocalSockaddr,
	LPINT LocalSockaddrLength, struct sockaddr **RemoteSockaddr,
	LPINT RemoteSockaddrLength);

/*
 * Connects @s, which must be bound, and then sends @dwSendDataLength bytes at
 * @lpSendBuffer, unless that is NULL: they are the operation's bytes, and
 * *@lpdwBytesSent is not written. The buffer belongs to the operation until its
 * end. WSAEINVAL when @s is not bound, listens or connects already.
 */
BOOL WSAAPI ConnectEx(SOCKET s, const struct sockaddr *name, int namelen,
		      PVOID lpSendBuffer, DWORD dwSendDataLength,
		      LPDWORD lpdwBytesSent, LPOVERLAPPED lpOverlapped);
typedef BOOL (WSAAPI *LPFN_CONNECTEX)(SOCKET s, const struct sockaddr *name,
				      int namelen, PVOID lpSendBuffer,
				      DWORD dwSendDataLength,
				      LPDWORD lpdwBytesSent,
				      LPOVERLAPPED lpOverlapped);

/*
 * Ends the sending direction after what was submitted before; the peer sees the
 * end of the stream, and receiving goes on. With TF_REUSE_SOCKET it waits until
 * the peer has ended its direction too, and @s can be connected again then.
 * @lpOverlapped NULL: shutdown(SD_SEND), at once; not with TF_REUSE_SOCKET.
 */
BOOL WSAAPI DisconnectEx(SOCKET s, LPOVERLAPPED lpOverlapped, DWORD dwFlags,
			 DWORD dwReserved);
typedef BOOL (WSAAPI *LPFN_DISCONNECTEX)(SOCKET s, LPOVERLAPPED lpOverlapped,
					 DWORD dwFlags, DWORD dwReserved);

typedef struct _TRANSMIT_FILE_BUFFERS {
	LPVOID Head;
	DWORD HeadLength;
	LPVOID Tail;
	DWORD TailLength;
} TRANSMIT_FILE_BUFFERS, *PTRANSMIT_FILE_BUFFERS, *LPTRANSMIT_FILE_BUFFERS;

/*
 * Sends Head, the file and Tail; the operation's bytes are their sum. @hFile is
 * a descriptor of a regular file, as a HANDLE, or NULL for none (so not 0).
 * @nNumberOfBytesToWrite 0 means all that follows the offset, which is that of
 * @lpOverlapped or, without one, the file's own. Then TF_DISCONNECT does as
 * DisconnectEx, also with TF_REUSE_SOCKET; other flags and
 * @nNumberOfBytesPerSend have no effect. Without @lpOverlapped it returns when
 * all is sent.
 */
BOOL WSAAPI TransmitFile(SOCKET hSocket, HANDLE hFile,
			 DWORD nNumberOfBytesToWrite,
			 DWORD nNumberOfBytesPerSend,
			 LPOVERLAPPED lpOverlapped,
			 LPTRANSMIT_FILE_BUFFERS lpTransmitBuffers,
			 DWORD dwFlags);
typedef BOOL (WSAAPI *LPFN_TRANSMITFILE)(SOCKET hSocket, HANDLE hFile,
	DWORD nNumberOfBytesToWrite, DWORD nNumberOfBytesPerSend,
	LPOVERLAPPED lpOverlapped, LPTRANSMIT_FILE_BUFFERS lpTransmitBuffers,
	DWORD dwFlags);

typedef struct _TRANSMIT_PACKETS_ELEMENT {
	ULONG dwElFlags;
	ULONG cLength;
	__extension__ union {
		__extension__ struct {
			LARGE_INTEGER nFileOffset;
			HANDLE hFile;
		};
		PVOID pBuffer;
	};
} TRANSMIT_PACKETS_ELEMENT, *PTRANSMIT_PACKETS_ELEMENT,
	*LPTRANSMIT_PACKETS_ELEMENT;

/*
 * As TransmitFile, of up to 1024 elements one behind the other: with
 * TP_ELEMENT_MEMORY, or of a file at an offset (-1: its own), all that follows when
 * cLength is 0. The elements need not stay, the memory they name has to.
 *
 * To a stream TP_ELEMENT_EOP and @nSendSize mean nothing. On a connected socket of
 * datagrams each element is one; with @nSendSize 0xffffffff they go together until one
 * with TP_ELEMENT_EOP, or the last. There TF_DISCONNECT fails with WSAEOPNOTSUPP. A
 * datagram that is too large ends the operation, after those before it.
 */
BOOL WSAAPI TransmitPackets(SOCKET hSocket,
			    LPTRANSMIT_PACKETS_ELEMENT lpPacketArray,
			    DWORD nElementCount, DWORD nSendSize,
			    LPOVERLAPPED lpOverlapped, DWORD dwFlags);
typedef BOOL (WSAAPI *LPFN_TRANSMITPACKETS)(SOCKET hSocket,
	LPTRANSMIT_PACKETS_ELEMENT lpPacketArray, DWORD nElementCount,
	DWORD nSendSize, LPOVERLAPPED lpOverlapped, DWORD dwFlags);

/* What a lookup in the name space NS_NLA finds of a network. */
typedef enum _NLA_BLOB_DATA_TYPE {
	NLA_RAW_DATA = 0,
	NLA_INTERFACE = 1,
	NLA_802_1X_LOCATION = 2,
	NLA_CONNECTIVITY = 3,
	NLA_ICS = 4
} NLA_BLOB_DATA_TYPE, *PNLA_BLOB_DATA_TYPE;

typedef enum _NLA_CONNECTIVITY_TYPE {
	NLA_NETWORK_AD_HOC = 0,
	NLA_NETWORK_MANAGED = 1,
	NLA_NETWORK_UNMANAGED = 2,
	NLA_NETWORK_UNKNOWN = 3
} NLA_CONNECTIVITY_TYPE, *PNLA_CONNECTIVITY_TYPE;

typedef enum _NLA_INTERNET {
	NLA_INTERNET_UNKNOWN = 0,
	NLA_INTERNET_NO = 1,
	NLA_INTERNET_YES = 2
} NLA_INTERNET, *PNLA_INTERNET;

/*
 * As WSARecvFrom, with control data: lpMsg->Control.len becomes the length of
 * what was received and lpMsg->dwFlags, which holds the flags of the call, tells
 * MSG_TRUNC and MSG_CTRUNC. Datagrams only: WSAEINVAL on a stream.
 */
INT WSAAPI WSARecvMsg(SOCKET s, LPWSAMSG lpMsg, LPDWORD lpdwNumberOfBytesRecvd,
		      LPWSAOVERLAPPED lpOverlapped,
		      LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);
typedef INT (WSAAPI *LPFN_WSARECVMSG)(SOCKET s, LPWSAMSG lpMsg,
	LPDWORD lpdwNumberOfBytesRecvd, LPWSAOVERLAPPED lpOverlapped,
	LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);
typedef INT (WSAAPI *LPFN_WSASENDMSG)(SOCKET s, LPWSAMSG lpMsg, DWORD dwFlags,
	LPDWORD lpNumberOfBytesSent, LPWSAOVERLAPPED lpOverlapped,
	LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);

/*
 * As recv with *@flags, but a datagram longer than @len is no error: it sets
 * MSG_PARTIAL in *@flags, and its rest is lost. WSAEFAULT when @flags is NULL.
 */
int WSAAPI WSARecvEx(SOCKET s, char *buf, int len, int *flags);

#ifdef __cplusplus
}
#endif

#endif /* _MSWSOCK_H */
