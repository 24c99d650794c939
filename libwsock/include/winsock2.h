/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Winsock 2. See wsock/bsd.h for which numbers and names are Windows' and which
 * are Linux's.
 */
#ifndef _WINSOCK2_H
#define _WINSOCK2_H

#include <qos.h>
#include <ws2def.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Types ---- */

typedef HANDLE WSAEVENT, *LPWSAEVENT;
#define WSA_INVALID_EVENT	((WSAEVENT)NULL)

typedef OVERLAPPED WSAOVERLAPPED, *LPWSAOVERLAPPED;

typedef void (CALLBACK *LPWSAOVERLAPPED_COMPLETION_ROUTINE)(DWORD dwError,
	DWORD cbTransferred, LPWSAOVERLAPPED lpOverlapped, DWORD dwFlags);

typedef struct wsock_pollfd {
	SOCKET fd;
	SHORT events;
	SHORT revents;
} WSAPOLLFD, *PWSAPOLLFD, *LPWSAPOLLFD;
#ifndef WSOCK_NATIVE_NAMES
#define pollfd	wsock_pollfd
#endif

typedef unsigned int GROUP;

typedef struct _QualityOfService {
	FLOWSPEC SendingFlowspec;
	FLOWSPEC ReceivingFlowspec;
	WSABUF ProviderSpecific;
} QOS, *LPQOS;

/*
 * WSAAccept's condition function: CF_ACCEPT, CF_REJECT or CF_DEFER. The data of
 * caller and callee are empty, lpSQOS and lpGQOS are NULL.
 */
typedef int (CALLBACK *LPCONDITIONPROC)(LPWSABUF lpCallerId,
	LPWSABUF lpCallerData, LPQOS lpSQOS, LPQOS lpGQOS, LPWSABUF lpCalleeId,
	LPWSABUF lpCalleeData, GROUP *g, DWORD_PTR dwCallbackData);

#define MAX_PROTOCOL_CHAIN	7
#define WSAPROTOCOL_LEN		255

typedef struct _WSAPROTOCOLCHAIN {
	int ChainLen;
	DWORD ChainEntries[MAX_PROTOCOL_CHAIN];
} WSAPROTOCOLCHAIN, *LPWSAPROTOCOLCHAIN;

typedef struct _WSAPROTOCOL_INFOA {
	DWORD dwServiceFlags1;
	DWORD dwServiceFlags2;
	DWORD dwServiceFlags3;
	DWORD dwServiceFlags4;
	DWORD dwProviderFlags;
	GUID ProviderId;
	DWORD dwCatalogEntryId;
	WSAPROTOCOLCHAIN ProtocolChain;
	int iVersion;
	int iAddressFamily;
	int iMaxSockAddr;
	int iMinSockAddr;
	int iSocketType;
	int iProtocol;
	int iProtocolMaxOffset;
	int iNetworkByteOrder;
	int iSecurityScheme;
	DWORD dwMessageSize;
	DWORD dwProviderReserved;
	CHAR szProtocol[WSAPROTOCOL_LEN + 1];
} WSAPROTOCOL_INFOA, *LPWSAPROTOCOL_INFOA;

typedef struct _WSAPROTOCOL_INFOW {
	DWORD dwServiceFlags1;
	DWORD dwServiceFlags2;
	DWORD dwServiceFlags3;
	DWORD dwServiceFlags4;
	DWORD dwProviderFlags;
	GUID ProviderId;
	DWORD dwCatalogEntryId;
	WSAPROTOCOLCHAIN ProtocolChain;
	int iVersion;
	int iAddressFamily;
	int iMaxSockAddr;
	int iMinSockAddr;
	int iSocketType;
	int iProtocol;
	int iProtocolMaxOffset;
	int iNetworkByteOrder;
	int iSecurityScheme;
	DWORD dwMessageSize;
	DWORD dwProviderReserved;
	WCHAR szProtocol[WSAPROTOCOL_LEN + 1];
} WSAPROTOCOL_INFOW, *LPWSAPROTOCOL_INFOW;

/* ---- Services and names ---- */

#define LUP_DEEP		0x0001
#define LUP_CONTAINERS		0x0002
#define LUP_NOCONTAINERS	0x0004
#define LUP_NEAREST		0x0008
#define LUP_RETURN_NAME		0x0010
#define LUP_RETURN_TYPE		0x0020
#define LUP_RETURN_VERSION	0x0040
#define LUP_RETURN_COMMENT	0x0080
#define LUP_RETURN_ADDR		0x0100
#define LUP_RETURN_BLOB		0x0200
#define LUP_RETURN_ALIASES	0x0400
#define LUP_RETURN_QUERY_STRING	0x0800
#define LUP_RETURN_ALL		0x0ff0
#define LUP_FLUSHCACHE		0x1000
#define LUP_FLUSHPREVIOUS	0x2000
#define LUP_RES_SERVICE		0x8000

#define RESULT_IS_ALIAS		0x0001
#define RESULT_IS_ADDED		0x0010
#define RESULT_IS_CHANGED	0x0020
#define RESULT_IS_DELETED	0x0040

typedef enum _WSAEcomparator {
	COMP_EQUAL = 0,
	COMP_NOTLESS
} WSAECOMPARATOR, *PWSAECOMPARATOR, *LPWSAECOMPARATOR;

typedef enum _WSAESETSERVICEOP {
	RNRSERVICE_REGISTER = 0,
	RNRSERVICE_DEREGISTER,
	RNRSERVICE_DELETE
} WSAESETSERVICEOP, *PWSAESETSERVICEOP, *LPWSAESETSERVICEOP;

typedef enum _WSACOMPLETIONTYPE {
	NSP_NOTIFY_IMMEDIATELY = 0,
	NSP_NOTIFY_HWND,
	NSP_NOTIFY_EVENT,
	NSP_NOTIFY_PORT,
	NSP_NOTIFY_APC
} WSACOMPLETIONTYPE, *PWSACOMPLETIONTYPE, *LPWSACOMPLETIONTYPE;

typedef struct _WSAVersion {
	DWORD dwVersion;
	WSAECOMPARATOR ecHow;
} WSAVERSION, *PWSAVERSION, *LPWSAVERSION;

typedef struct _AFPROTOCOLS {
	INT iAddressFamily;
	INT iProtocol;
} AFPROTOCOLS, *PAFPROTOCOLS, *LPAFPROTOCOLS;

typedef struct _WSAQuerySetA {
	DWORD dwSize;
	LPSTR lpszServiceInstanceName;
	LPGUID lpServiceClassId;
	LPWSAVERSION lpVersion;
	LPSTR lpszComment;
	DWORD dwNameSpace;
	LPGUID lpNSProviderId;
	LPSTR lpszContext;
	DWORD dwNumberOfProtocols;
	LPAFPROTOCOLS lpafpProtocols;
	LPSTR lpszQueryString;
	DWORD dwNumberOfCsAddrs;
	LPCSADDR_INFO lpcsaBuffer;
	DWORD dwOutputFlags;
	LPBLOB lpBlob;
} WSAQUERYSETA, *PWSAQUERYSETA, *LPWSAQUERYSETA;

typedef struct _WSANSClassInfoA {
	LPSTR lpszName;
	DWORD dwNameSpace;
	DWORD dwValueType;
	DWORD dwValueSize;
	LPVOID lpValue;
} WSANSCLASSINFOA, *PWSANSCLASSINFOA, *LPWSANSCLASSINFOA;

typedef struct _WSAServiceClassInfoA {
	LPGUID lpServiceClassId;
	LPSTR lpszServiceClassName;
	DWORD dwCount;
	LPWSANSCLASSINFOA lpClassInfos;
} WSASERVICECLASSINFOA, *PWSASERVICECLASSINFOA, *LPWSASERVICECLASSINFOA;

typedef struct _WSANAMESPACE_INFOA {
	GUID NSProviderId;
	DWORD dwNameSpace;
	BOOL fActive;
	DWORD dwVersion;
	LPSTR lpszIdentifier;
} WSANAMESPACE_INFOA, *PWSANAMESPACE_INFOA, *LPWSANAMESPACE_INFOA;

typedef struct _WSAQuerySetW {
	DWORD dwSize;
	LPWSTR lpszServiceInstanceName;
	LPGUID lpServiceClassId;
	LPWSAVERSION lpVersion;
	LPWSTR lpszComment;
	DWORD dwNameSpace;
	LPGUID lpNSProviderId;
	LPWSTR lpszContext;
	DWORD dwNumberOfProtocols;
	LPAFPROTOCOLS lpafpProtocols;
	LPWSTR lpszQueryString;
	DWORD dwNumberOfCsAddrs;
	LPCSADDR_INFO lpcsaBuffer;
	DWORD dwOutputFlags;
	LPBLOB lpBlob;
} WSAQUERYSETW, *PWSAQUERYSETW, *LPWSAQUERYSETW;

typedef struct _WSANSClassInfoW {
	LPWSTR lpszName;
	DWORD dwNameSpace;
	DWORD dwValueType;
	DWORD dwValueSize;
	LPVOID lpValue;
} WSANSCLASSINFOW, *PWSANSCLASSINFOW, *LPWSANSCLASSINFOW;

typedef struct _WSAServiceClassInfoW {
	LPGUID lpServiceClassId;
	LPWSTR lpszServiceClassName;
	DWORD dwCount;
	LPWSANSCLASSINFOW lpClassInfos;
} WSASERVICECLASSINFOW, *PWSASERVICECLASSINFOW, *LPWSASERVICECLASSINFOW;

typedef struct _WSANAMESPACE_INFOW {
	GUID NSProviderId;
	DWORD dwNameSpace;
	BOOL fActive;
	DWORD dwVersion;
	LPWSTR lpszIdentifier;
} WSANAMESPACE_INFOW, *PWSANAMESPACE_INFOW, *LPWSANAMESPACE_INFOW;

/* ---- Constants ---- */

#define PFL_MULTIPLE_PROTO_ENTRIES	0x00000001
#define PFL_RECOMMENDED_PROTO_ENTRY	0x00000002
#define PFL_HIDDEN			0x00000004
#define PFL_MATCHES_PROTOCOL_ZERO	0x00000008

#define XP1_CONNECTIONLESS		0x00000001
#define XP1_GUARANTEED_DELIVERY		0x00000002
#define XP1_GUARANTEED_ORDER		0x00000004
#define XP1_MESSAGE_ORIENTED		0x00000008
#define XP1_PSEUDO_STREAM		0x00000010
#define XP1_GRACEFUL_CLOSE		0x00000020
#define XP1_EXPEDITED_DATA		0x00000040
#define XP1_CONNECT_DATA		0x00000080
#define XP1_DISCONNECT_DATA		0x00000100
#define XP1_SUPPORT_BROADCAST		0x00000200
#define XP1_SUPPORT_MULTIPOINT		0x00000400
#define XP1_MULTIPOINT_CONTROL_PLANE	0x00000800
#define XP1_MULTIPOINT_DATA_PLANE	0x00001000
#define XP1_QOS_SUPPORTED		0x00002000
#define XP1_INTERRUPT			0x00004000
#define XP1_UNI_SEND			0x00008000
#define XP1_UNI_RECV			0x00010000
#define XP1_IFS_HANDLES			0x00020000
#define XP1_PARTIAL_MESSAGE		0x00040000

#define BIGENDIAN	0
#define LITTLEENDIAN	1
#define SECURITY_PROTOCOL_NONE	0

/* The LPFN_* types of functions are not there. */
#ifndef INCL_WINSOCK_API_TYPEDEFS
#define INCL_WINSOCK_API_TYPEDEFS	0
#endif

#define BASE_PROTOCOL		1
#define LAYERED_PROTOCOL	0

#define CF_ACCEPT	0x0000
#define CF_REJECT	0x0001
#define CF_DEFER	0x0002

#define JL_SENDER_ONLY		0x01
#define JL_RECEIVER_ONLY	0x02
#define JL_BOTH			0x04

#define FROM_PROTOCOL_INFO	(-1)

#define SD_RECEIVE	0
#define SD_SEND		1
#define SD_BOTH		2

#define WSA_FLAG_OVERLAPPED		0x01
#define WSA_FLAG_MULTIPOINT_C_ROOT	0x02
#define WSA_FLAG_MULTIPOINT_C_LEAF	0x04
#define WSA_FLAG_MULTIPOINT_D_ROOT	0x08
#define WSA_FLAG_MULTIPOINT_D_LEAF	0x10
#define WSA_FLAG_ACCESS_SYSTEM_SECURITY	0x40
#define WSA_FLAG_NO_HANDLE_INHERIT	0x80
#define WSA_FLAG_REGISTERED_IO		0x100

#define SG_UNCONSTRAINED_GROUP	1
#define SG_CONSTRAINED_GROUP	2

#define FD_READ_BIT		0
#define FD_READ			(1 << FD_READ_BIT)
#define FD_WRITE_BIT		1
#define FD_WRITE		(1 << FD_WRITE_BIT)
#define FD_OOB_BIT		2
#define FD_OOB			(1 << FD_OOB_BIT)
#define FD_ACCEPT_BIT		3
#define FD_ACCEPT		(1 << FD_ACCEPT_BIT)
#define FD_CONNECT_BIT		4
#define FD_CONNECT		(1 << FD_CONNECT_BIT)
#define FD_CLOSE_BIT		5
#define FD_CLOSE		(1 << FD_CLOSE_BIT)
#define FD_QOS_BIT		6
#define FD_QOS			(1 << FD_QOS_BIT)
#define FD_GROUP_QOS_BIT	7
#define FD_GROUP_QOS		(1 << FD_GROUP_QOS_BIT)
#define FD_ROUTING_INTERFACE_CHANGE_BIT	8
#define FD_ROUTING_INTERFACE_CHANGE	(1 << FD_ROUTING_INTERFACE_CHANGE_BIT)
#define FD_ADDRESS_LIST_CHANGE_BIT	9
#define FD_ADDRESS_LIST_CHANGE	(1 << FD_ADDRESS_LIST_CHANGE_BIT)
#define FD_MAX_EVENTS		10
#define FD_ALL_EVENTS		((1 << FD_MAX_EVENTS) - 1)

#define WSA_INFINITE			INFINITE
#define WSA_MAXIMUM_WAIT_EVENTS		64
#define WSA_WAIT_EVENT_0		WAIT_OBJECT_0
#define WSA_WAIT_IO_COMPLETION		WAIT_IO_COMPLETION
#define WSA_WAIT_TIMEOUT		WAIT_TIMEOUT
#define WSA_WAIT_FAILED			WAIT_FAILED

/* WSAPoll's bits; poll(2) has others. */
#define WSOCK_POLLERR		0x0001
#define WSOCK_POLLHUP		0x0002
#define WSOCK_POLLNVAL		0x0004
#define WSOCK_POLLWRNORM	0x0010
#define WSOCK_POLLWRBAND	0x0020
#define WSOCK_POLLRDNORM	0x0100
#define WSOCK_POLLRDBAND	0x0200
#define WSOCK_POLLPRI		0x0400
#ifndef WSOCK_NATIVE_NAMES
#undef POLLERR
#undef POLLHUP
#undef POLLNVAL
#undef POLLWRNORM
#undef POLLWRBAND
#undef POLLRDNORM
#undef POLLRDBAND
#undef POLLPRI
#undef POLLIN
#undef POLLOUT
#define POLLERR			WSOCK_POLLERR
#define POLLHUP			WSOCK_POLLHUP
#define POLLNVAL		WSOCK_POLLNVAL
#define POLLWRNORM		WSOCK_POLLWRNORM
#define POLLWRBAND		WSOCK_POLLWRBAND
#define POLLRDNORM		WSOCK_POLLRDNORM
#define POLLRDBAND		WSOCK_POLLRDBAND
#define POLLPRI			WSOCK_POLLPRI
#define POLLIN			(POLLRDNORM | POLLRDBAND)
#define POLLOUT			POLLWRNORM
#endif

/* ---- Sockets ---- */

/*
 * socket() with flags; or, with @lpProtocolInfo, the duplicate that
 * WSADuplicateSocket has described: @af, @type and @protocol are not looked at
 * then (FROM_PROTOCOL_INFO). Fails with WSAEINVAL when it is not for this process,
 * was made already, or the socket is gone. Without
 * WSA_FLAG_OVERLAPPED the socket can do overlapped I/O all the same; no socket
 * is inherited across exec, with or without WSA_FLAG_NO_HANDLE_INHERIT.
 */
SOCKET WSAAPI WSASocketA(int af, int type, int protocol,
			 LPWSAPROTOCOL_INFOA lpProtocolInfo, GROUP g,
			 DWORD dwFlags);
SOCKET WSAAPI WSASocketW(int af, int type, int protocol,
			 LPWSAPROTOCOL_INFOW lpProtocolInfo, GROUP g,
			 DWORD dwFlags);
/*
 * Describes @s in @lpProtocolInfo, for one WSASocket of the process
 * @dwProcessId, which may be this one. Nothing is kept open by that: until it was
 * called, closesocket of the last descriptor here, or WSACleanup, takes the offer
 * back. WSAEINVAL when there is no such process.
 */
int WSAAPI WSADuplicateSocketA(SOCKET s, DWORD dwProcessId,
			       LPWSAPROTOCOL_INFOA lpProtocolInfo);
int WSAAPI WSADuplicateSocketW(SOCKET s, DWORD dwProcessId,
			       LPWSAPROTOCOL_INFOW lpProtocolInfo);
/* shutdown(s, SD_RECEIVE) and shutdown(s, SD_SEND); no disconnect data. */
int WSAAPI WSARecvDisconnect(SOCKET s, LPWSABUF lpInboundDisconnectData);
int WSAAPI WSASendDisconnect(SOCKET s, LPWSABUF lpOutboundDisconnectData);
/*
 * @timeout in milliseconds, negative for ever. Returns how many entries have
 * revents, 0 when the time passed.
 */
int WSAAPI WSAPoll(LPWSAPOLLFD fdArray, ULONG fds, INT timeout);

/* Byte order of the socket @s, which is network byte order for all of them. */
int WSAAPI WSAHtonl(SOCKET s, wsock_u_long hostlong, wsock_u_long *lpnetlong);
int WSAAPI WSAHtons(SOCKET s, u_short hostshort, u_short *lpnetshort);
int WSAAPI WSANtohl(SOCKET s, wsock_u_long netlong, wsock_u_long *lphostlong);
int WSAAPI WSANtohs(SOCKET s, u_short netshort, u_short *lphostshort);

/* ---- Overlapped and scatter/gather I/O ---- */

/*
 * With @lpOverlapped NULL these are synchronous, whatever
 * @lpCompletionRoutine is. Otherwise the call starts an operation: it returns 0
 * when the operation is done already (the event is signalled then too), fails
 * with WSA_IO_PENDING when it goes on (the counts are not written then), and
 * with another error when it never began. The buffers belong to the operation
 * until its end, the WSABUF array (at most 1024) does not.
 *
 * @lpCompletionRoutine is called by the thread that started the operation, with
 * WSAGetLastError's error, after its end and in an alertable wait; hEvent is not
 * used then. Never for an operation that the final WSACleanup has ended or whose
 * thread has. WSAEINVAL on a socket that has a completion port.
 */
int WSAAPI WSARecv(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount,
		   LPDWORD lpNumberOfBytesRecvd, LPDWORD lpFlags,
		   LPWSAOVERLAPPED lpOverlapped,
		   LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);
/* @lpFrom and @lpFromlen too belong to the operation until its end. */
int WSAAPI WSARecvFrom(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount,
		       LPDWORD lpNumberOfBytesRecvd, LPDWORD lpFlags,
		       struct sockaddr *lpFrom, LPINT lpFromlen,
		       LPWSAOVERLAPPED lpOverlapped,
		       LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);
int WSAAPI WSASend(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount,
		   LPDWORD lpNumberOfBytesSent, DWORD dwFlags,
		   LPWSAOVERLAPPED lpOverlapped,
		   LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);
int WSAAPI WSASendTo(SOCKET s, LPWSABUF lpBuffers, DWORD dwBufferCount,
		     LPDWORD lpNumberOfBytesSent, DWORD dwFlags,
		     const struct sockaddr *lpTo, int iTolen,
		     LPWSAOVERLAPPED lpOverlapped,
		     LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);

/*
 * As WSASendTo, with control data. Datagrams only: WSAEINVAL on a stream.
 * (WSARecvMsg is in mswsock.h.)
 */
int WSAAPI WSASendMsg(SOCKET Handle, LPWSAMSG lpMsg, DWORD dwFlags,
		      LPDWORD lpNumberOfBytesSent, LPWSAOVERLAPPED lpOverlapped,
		      LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);

/*
 * The result of an operation: TRUE when it succeeded. @fWait waits for its end.
 * FALSE and WSA_IO_INCOMPLETE while it is pending; FALSE and
 * WSA_OPERATION_ABORTED when it was cancelled, also by the final WSACleanup.
 */
BOOL WSAAPI WSAGetOverlappedResult(SOCKET s, LPWSAOVERLAPPED lpOverlapped,
				   LPDWORD lpcbTransfer, BOOL fWait,
				   LPDWORD lpdwFlags);
/*
 * ioctlsocket's commands; SIO_GET_EXTENSION_FUNCTION_POINTER, which takes a GUID and
 * gives a pointer to the function (mswsock.h); SIO_KEEPALIVE_VALS (mstcpip.h),
 * SIO_ADDRESS_LIST_QUERY, SIO_GET_INTERFACE_LIST, SIO_ROUTING_INTERFACE_QUERY,
 * SIO_GET_BROADCAST_ADDRESS, SIO_IDEAL_SEND_BACKLOG_QUERY, SIO_BASE_HANDLE,
 * SIO_BSP_HANDLE_SELECT, SIO_BSP_HANDLE_POLL, SIO_MULTIPOINT_LOOPBACK,
 * SIO_MULTICAST_SCOPE, SIO_FLUSH, which cancels the overlapped sends that pend,
 * SIO_ADDRESS_LIST_CHANGE, and SIO_UDP_CONNRESET with FALSE; WSAEOPNOTSUPP for others.
 * WSAEFAULT with *@lpcbBytesReturned when the output needs that many bytes. All
 * is done when it returns 0. With @lpOverlapped that is told as for other
 * operations, with 0 bytes whatever was put out, and a control that is not known
 * is WSA_IO_PENDING at first and then told to be so.
 *
 * SIO_ADDRESS_LIST_CHANGE ends when an address of the socket's family comes or goes,
 * and has to be called again for the next time. A non-blocking socket does not wait:
 * WSAEWOULDBLOCK, and FD_ADDRESS_LIST_CHANGE is recorded once.
 */
int WSAAPI WSAIoctl(SOCKET s, DWORD dwIoControlCode, LPVOID lpvInBuffer,
		    DWORD cbInBuffer, LPVOID lpvOutBuffer, DWORD cbOutBuffer,
		    LPDWORD lpcbBytesReturned, LPWSAOVERLAPPED lpOverlapped,
		    LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);

/* ---- Events: manual reset, not signalled at first ---- */

/*
 * The same objects as in wsock/kernel32.h. BOOL functions return FALSE with
 * WSA_INVALID_HANDLE.
 */
WSAEVENT WSAAPI WSACreateEvent(void);
BOOL WSAAPI WSASetEvent(WSAEVENT hEvent);
BOOL WSAAPI WSAResetEvent(WSAEVENT hEvent);
BOOL WSAAPI WSACloseEvent(WSAEVENT hEvent);
/* As WaitForMultipleObjectsEx. */
DWORD WSAAPI WSAWaitForMultipleEvents(DWORD cEvents, const WSAEVENT *lphEvents,
				      BOOL fWaitAll, DWORD dwTimeout,
				      BOOL fAlertable);

/* ---- Network events ---- */

/* iErrorCode[FD_xxx_BIT] is valid when lNetworkEvents has FD_xxx. */
typedef struct _WSANETWORKEVENTS {
	LONG lNetworkEvents;
	int iErrorCode[FD_MAX_EVENTS];
} WSANETWORKEVENTS, *LPWSANETWORKEVENTS;

/*
 * Records the events @lNetworkEvents (FD_*) of the socket and signals
 * @hEventObject when one is; replaces the registration before. The socket is
 * non-blocking from then on, and stays so when @lNetworkEvents 0 has ended it.
 */
int WSAAPI WSAEventSelect(SOCKET s, WSAEVENT hEventObject, LONG lNetworkEvents);
/*
 * Fetches what is recorded, empties the record and resets @hEventObject, unless
 * it is NULL, in one step. Errors of events that did not happen are not written.
 */
int WSAAPI WSAEnumNetworkEvents(SOCKET s, WSAEVENT hEventObject,
				LPWSANETWORKEVENTS lpNetworkEvents);

#ifdef UNICODE
typedef WSAPROTOCOL_INFOW WSAPROTOCOL_INFO, *PWSAPROTOCOL_INFO, *LPWSAPROTOCOL_INFO;
typedef WSAQUERYSETW WSAQUERYSET, *PWSAQUERYSET, *LPWSAQUERYSET;
typedef WSANSCLASSINFOW WSANSCLASSINFO, *PWSANSCLASSINFO, *LPWSANSCLASSINFO;
typedef WSASERVICECLASSINFOW WSASERVICECLASSINFO, *PWSASERVICECLASSINFO, *LPWSASERVICECLASSINFO;
typedef WSANAMESPACE_INFOW WSANAMESPACE_INFO, *PWSANAMESPACE_INFO, *LPWSANAMESPACE_INFO;
#define WSASocket	WSASocketW
#define WSADuplicateSocket	WSADuplicateSocketW
#else
typedef WSAPROTOCOL_INFOA WSAPROTOCOL_INFO, *PWSAPROTOCOL_INFO, *LPWSAPROTOCOL_INFO;
typedef WSAQUERYSETA WSAQUERYSET, *PWSAQUERYSET, *LPWSAQUERYSET;
typedef WSANSCLASSINFOA WSANSCLASSINFO, *PWSANSCLASSINFO, *LPWSANSCLASSINFO;
typedef WSASERVICECLASSINFOA WSASERVICECLASSINFO, *PWSASERVICECLASSINFO, *LPWSASERVICECLASSINFO;
typedef WSANAMESPACE_INFOA WSANAMESPACE_INFO, *PWSANAMESPACE_INFO, *LPWSANAMESPACE_INFO;
#define WSASocket	WSASocketA
#define WSADuplicateSocket	WSADuplicateSocketA
#endif

static inline UINT64 htonll(UINT64 value)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return __builtin_bswap64(value);
#else
	return value;
#endif
}

static inline UINT64 ntohll(UINT64 value)
{
	return htonll(value);
}

#ifdef __cplusplus
}
#endif

#include <wsock/transport.h>
#include <wsock/nspapi.h>

#endif /* _WINSOCK2_H */
