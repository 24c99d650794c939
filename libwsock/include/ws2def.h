/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Winsock 2: addresses and control codes, for all families. */
#ifndef _WS2DEF_
#define _WS2DEF_

#include <wsock/bsd.h>

/* ---- Families ---- */

/*
 * Those that Linux does not have. The number is Windows' and 0x100, beyond all of
 * Linux's: as on Windows without their drivers, socket() does not know them.
 */
#define AF_IMPLINK		(0x100 + 3)
#define AF_PUP			(0x100 + 4)
#define AF_CHAOS		(0x100 + 5)
#define AF_NS			(0x100 + 6)
#define AF_ISO			(0x100 + 7)
#define AF_OSI			(0x100 + 7)
#define AF_ECMA			(0x100 + 8)
#define AF_DATAKIT		(0x100 + 9)
#define AF_CCITT		(0x100 + 10)
#define AF_DLI			(0x100 + 13)
#define AF_LAT			(0x100 + 14)
#define AF_HYLINK		(0x100 + 15)
#define AF_NETBIOS		(0x100 + 17)
#define AF_VOICEVIEW		(0x100 + 18)
#define AF_FIREFOX		(0x100 + 19)
#define AF_UNKNOWN1		(0x100 + 20)
#define AF_BAN			(0x100 + 21)
#define AF_ATM			(0x100 + 22)
#define AF_CLUSTER		(0x100 + 24)
#define AF_12844		(0x100 + 25)
#define PF_IMPLINK		AF_IMPLINK
#define PF_PUP			AF_PUP
#define PF_CHAOS		AF_CHAOS
#define PF_NS			AF_NS
#define PF_ISO			AF_ISO
#define PF_OSI			AF_OSI
#define PF_ECMA			AF_ECMA
#define PF_DATAKIT		AF_DATAKIT
#define PF_CCITT		AF_CCITT
#define PF_DLI			AF_DLI
#define PF_LAT			AF_LAT
#define PF_HYLINK		AF_HYLINK
#define PF_VOICEVIEW		AF_VOICEVIEW
#define PF_FIREFOX		AF_FIREFOX
#define PF_UNKNOWN1		AF_UNKNOWN1
#define PF_BAN			AF_BAN

/* ---- Protocols ---- */

#ifndef IPPROTO_GGP
#define IPPROTO_GGP		3
#endif
#ifndef IPPROTO_ND
#define IPPROTO_ND		77
#endif
#ifndef IPPROTO_PGM
#define IPPROTO_PGM		113
#endif

/*
 * IPPORT_*: <netinet/in.h> has most of them as an enumeration, which macros must
 * come after.
 */
#undef IPPORT_ECHO
#define IPPORT_ECHO		7
#undef IPPORT_DISCARD
#define IPPORT_DISCARD		9
#undef IPPORT_SYSTAT
#define IPPORT_SYSTAT		11
#undef IPPORT_DAYTIME
#define IPPORT_DAYTIME		13
#undef IPPORT_NETSTAT
#define IPPORT_NETSTAT		15
#undef IPPORT_FTP
#define IPPORT_FTP		21
#undef IPPORT_TELNET
#define IPPORT_TELNET		23
#undef IPPORT_SMTP
#define IPPORT_SMTP		25
#undef IPPORT_TIMESERVER
#define IPPORT_TIMESERVER	37
#undef IPPORT_NAMESERVER
#define IPPORT_NAMESERVER	42
#undef IPPORT_WHOIS
#define IPPORT_WHOIS		43
#undef IPPORT_MTP
#define IPPORT_MTP		57
#undef IPPORT_TFTP
#define IPPORT_TFTP		69
#undef IPPORT_RJE
#define IPPORT_RJE		77
#undef IPPORT_FINGER
#define IPPORT_FINGER		79
#undef IPPORT_TTYLINK
#define IPPORT_TTYLINK		87
#undef IPPORT_SUPDUP
#define IPPORT_SUPDUP		95
#undef IPPORT_BIFFUDP
#define IPPORT_BIFFUDP		512
#undef IPPORT_EXECSERVER
#define IPPORT_EXECSERVER	512
#undef IPPORT_LOGINSERVER
#define IPPORT_LOGINSERVER	513
#undef IPPORT_WHOSERVER
#define IPPORT_WHOSERVER	513
#undef IPPORT_CMDSERVER
#define IPPORT_CMDSERVER	514
#undef IPPORT_EFSSERVER
#define IPPORT_EFSSERVER	520
#undef IPPORT_ROUTESERVER
#define IPPORT_ROUTESERVER	520
#undef IPPORT_RESERVED
#define IPPORT_RESERVED		1024
#define IPPORT_HTTPS		443

/* ---- Control codes ---- */

/* <sys/ioctl.h> has some of them with other values. */
#define WSOCK_IOC_VOID		0x20000000U
#define WSOCK_IOC_OUT		0x40000000U
#define WSOCK_IOC_IN		0x80000000U
#define WSOCK_IOC_INOUT		(WSOCK_IOC_IN | WSOCK_IOC_OUT)
#ifndef WSOCK_NATIVE_NAMES
#undef IOC_IN
#undef IOC_OUT
#undef IOC_INOUT
#define IOCPARM_MASK		0x7f
#define IOC_VOID		WSOCK_IOC_VOID
#define IOC_OUT			WSOCK_IOC_OUT
#define IOC_IN			WSOCK_IOC_IN
#define IOC_INOUT		WSOCK_IOC_INOUT
#endif
#define IOC_UNIX		0x00000000U
#define IOC_WS2			0x08000000U
#define IOC_PROTOCOL		0x10000000U
#define IOC_VENDOR		0x18000000U
#define _WSAIO(x, y)		(WSOCK_IOC_VOID | (x) | (y))
#define _WSAIOR(x, y)		(WSOCK_IOC_OUT | (x) | (y))
#define _WSAIOW(x, y)		(WSOCK_IOC_IN | (x) | (y))
#define _WSAIORW(x, y)		(WSOCK_IOC_INOUT | (x) | (y))

/* WSAIoctl says which of them there are; WSAEOPNOTSUPP for the others. */
#define SIO_ASSOCIATE_HANDLE	_WSAIOW(IOC_WS2, 1)
#define SIO_ENABLE_CIRCULAR_QUEUEING	_WSAIO(IOC_WS2, 2)
#define SIO_FIND_ROUTE		_WSAIOR(IOC_WS2, 3)
#define SIO_FLUSH		_WSAIO(IOC_WS2, 4)
#define SIO_GET_BROADCAST_ADDRESS	_WSAIOR(IOC_WS2, 5)
#define SIO_GET_EXTENSION_FUNCTION_POINTER	_WSAIORW(IOC_WS2, 6)
#define SIO_GET_QOS		_WSAIORW(IOC_WS2, 7)
#define SIO_GET_GROUP_QOS	_WSAIORW(IOC_WS2, 8)
#define SIO_MULTIPOINT_LOOPBACK	_WSAIOW(IOC_WS2, 9)
#define SIO_MULTICAST_SCOPE	_WSAIOW(IOC_WS2, 10)
#define SIO_SET_QOS		_WSAIOW(IOC_WS2, 11)
#define SIO_SET_GROUP_QOS	_WSAIOW(IOC_WS2, 12)
#define SIO_TRANSLATE_HANDLE	_WSAIORW(IOC_WS2, 13)
#define SIO_ROUTING_INTERFACE_QUERY	_WSAIORW(IOC_WS2, 20)
#define SIO_ROUTING_INTERFACE_CHANGE	_WSAIOW(IOC_WS2, 21)
#define SIO_ADDRESS_LIST_QUERY	_WSAIOR(IOC_WS2, 22)
#define SIO_ADDRESS_LIST_CHANGE	_WSAIO(IOC_WS2, 23)
#define SIO_QUERY_TARGET_PNP_HANDLE	_WSAIOR(IOC_WS2, 24)
#define SIO_ADDRESS_LIST_SORT	_WSAIORW(IOC_WS2, 25)
#define SIO_NSP_NOTIFY_CHANGE	_WSAIOW(IOC_WS2, 25)
#define SIO_BASE_HANDLE		_WSAIOR(IOC_WS2, 34)
#define SIO_BSP_HANDLE_SELECT	_WSAIOR(IOC_WS2, 28)
#define SIO_BSP_HANDLE_POLL	_WSAIOR(IOC_WS2, 29)
#define SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER	_WSAIORW(IOC_WS2, 36)

/* ---- Addresses ---- */

typedef USHORT ADDRESS_FAMILY;
typedef struct sockaddr_storage SOCKADDR_STORAGE, *PSOCKADDR_STORAGE,
	*LPSOCKADDR_STORAGE;

typedef struct _SOCKET_ADDRESS {
	LPSOCKADDR lpSockaddr;
	INT iSockaddrLength;
} SOCKET_ADDRESS, *PSOCKET_ADDRESS, *LPSOCKET_ADDRESS;

typedef struct _SOCKET_ADDRESS_LIST {
	INT iAddressCount;
	SOCKET_ADDRESS Address[1];
} SOCKET_ADDRESS_LIST, *PSOCKET_ADDRESS_LIST, *LPSOCKET_ADDRESS_LIST;

typedef struct _CSADDR_INFO {
	SOCKET_ADDRESS LocalAddr;
	SOCKET_ADDRESS RemoteAddr;
	INT iSocketType;
	INT iProtocol;
} CSADDR_INFO, *PCSADDR_INFO, *LPCSADDR_INFO;

typedef enum {
	ScopeLevelInterface = 1,
	ScopeLevelLink = 2,
	ScopeLevelSubnet = 3,
	ScopeLevelAdmin = 4,
	ScopeLevelSite = 5,
	ScopeLevelOrganization = 8,
	ScopeLevelGlobal = 14,
	ScopeLevelCount = 16
} SCOPE_LEVEL;

typedef struct {
	__extension__ union {
		__extension__ struct {
			ULONG Zone : 28;
			ULONG Level : 4;
		};
		ULONG Value;
	};
} SCOPE_ID, *PSCOPE_ID;

/* ---- Buffers and messages ---- */

typedef struct _WSABUF {
	ULONG len;
	CHAR *buf;
} WSABUF, *LPWSABUF;

/*
 * A message: WSASendMsg's is read when it is called, WSARecvMsg's belongs to the
 * operation until its end. Control data and dwFlags are Linux's: struct cmsghdr,
 * struct in_pktinfo, MSG_*.
 */
typedef struct _WSAMSG {
	LPSOCKADDR name;
	INT namelen;
	LPWSABUF lpBuffers;
	ULONG dwBufferCount;
	WSABUF Control;
	ULONG dwFlags;
} WSAMSG, *PWSAMSG, *LPWSAMSG;

typedef struct _WSACMSGHDR {
	SIZE_T cmsg_len;
	INT cmsg_level;
	INT cmsg_type;
} WSACMSGHDR, *PWSACMSGHDR, *LPWSACMSGHDR;

#define _WSA_CMSG_ALIGN(len) \
	(((len) + sizeof(SIZE_T) - 1) & ~(sizeof(SIZE_T) - 1))
#define WSA_CMSG_DATA(cmsg)	((UCHAR *)((WSACMSGHDR *)(cmsg) + 1))
#define WSA_CMSG_LEN(len)	(sizeof(WSACMSGHDR) + (len))
#define WSA_CMSG_SPACE(len)	(sizeof(WSACMSGHDR) + _WSA_CMSG_ALIGN(len))
#define WSA_CMSG_FIRSTHDR(msg) \
	((msg)->Control.len >= sizeof(WSACMSGHDR) ? \
	 (LPWSACMSGHDR)(PVOID)(msg)->Control.buf : (LPWSACMSGHDR)NULL)
/* The header after @cmsg, or the first when @cmsg is NULL. */
static inline LPWSACMSGHDR wsock_cmsg_next(const WSAMSG *msg, LPWSACMSGHDR cmsg)
{
	SIZE_T at;

	if (!cmsg)
		return WSA_CMSG_FIRSTHDR(msg);
	if (cmsg->cmsg_len < sizeof(*cmsg) ||
	    cmsg->cmsg_len > msg->Control.len)
		return NULL;
	at = (SIZE_T)((CHAR *)cmsg - msg->Control.buf) +
	     _WSA_CMSG_ALIGN(cmsg->cmsg_len);
	return at + sizeof(*cmsg) <= msg->Control.len ?
		       (LPWSACMSGHDR)(PVOID)(msg->Control.buf + at) : NULL;
}
#define WSA_CMSG_NXTHDR(msg, cmsg)	wsock_cmsg_next((msg), (cmsg))

/* ---- Names and their addresses ---- */

/*
 * Windows' members in Windows' order, in structures and with numbers that are
 * not <netdb.h>'s: addrinfo, AI_* and so on mean these after winsock2.h, unless
 * WSOCK_NATIVE_NAMES is defined.
 */
#define WSOCK_AI_PASSIVE	0x00001
#define WSOCK_AI_CANONNAME	0x00002
#define WSOCK_AI_NUMERICHOST	0x00004
#define WSOCK_AI_NUMERICSERV	0x00008
#define WSOCK_AI_ALL		0x00100
#define WSOCK_AI_ADDRCONFIG	0x00400
#define WSOCK_AI_V4MAPPED	0x00800
#define WSOCK_AI_NON_AUTHORITATIVE	0x04000
#define WSOCK_AI_SECURE		0x08000
#define WSOCK_AI_RETURN_PREFERRED_NAMES	0x10000
#define WSOCK_AI_DISABLE_IDN_ENCODING	0x80000
#define WSOCK_AI_FQDN		0x20000
#define WSOCK_AI_FILESERVER	0x40000
#ifndef WSOCK_NATIVE_NAMES
#undef AI_PASSIVE
#define AI_PASSIVE		WSOCK_AI_PASSIVE
#undef AI_CANONNAME
#define AI_CANONNAME		WSOCK_AI_CANONNAME
#undef AI_NUMERICHOST
#define AI_NUMERICHOST		WSOCK_AI_NUMERICHOST
#undef AI_NUMERICSERV
#define AI_NUMERICSERV		WSOCK_AI_NUMERICSERV
#undef AI_ALL
#define AI_ALL			WSOCK_AI_ALL
#undef AI_ADDRCONFIG
#define AI_ADDRCONFIG		WSOCK_AI_ADDRCONFIG
#undef AI_V4MAPPED
#define AI_V4MAPPED		WSOCK_AI_V4MAPPED
#undef AI_NON_AUTHORITATIVE
#define AI_NON_AUTHORITATIVE	WSOCK_AI_NON_AUTHORITATIVE
#undef AI_SECURE
#define AI_SECURE		WSOCK_AI_SECURE
#undef AI_RETURN_PREFERRED_NAMES
#define AI_RETURN_PREFERRED_NAMES	WSOCK_AI_RETURN_PREFERRED_NAMES
#undef AI_DISABLE_IDN_ENCODING
#define AI_DISABLE_IDN_ENCODING	WSOCK_AI_DISABLE_IDN_ENCODING
#undef AI_FQDN
#define AI_FQDN			WSOCK_AI_FQDN
#undef AI_FILESERVER
#define AI_FILESERVER		WSOCK_AI_FILESERVER
#define addrinfo	wsock_addrinfo
#endif

typedef struct wsock_addrinfo {
	int ai_flags;
	int ai_family;
	int ai_socktype;
	int ai_protocol;
	size_t ai_addrlen;
	char *ai_canonname;
	struct sockaddr *ai_addr;
	struct wsock_addrinfo *ai_next;
} ADDRINFOA, *PADDRINFOA, *LPADDRINFOA;

typedef struct addrinfoW {
	int ai_flags;
	int ai_family;
	int ai_socktype;
	int ai_protocol;
	size_t ai_addrlen;
	PWSTR ai_canonname;
	struct sockaddr *ai_addr;
	struct addrinfoW *ai_next;
} ADDRINFOW, *PADDRINFOW, *LPADDRINFOW;

typedef struct _BLOB {
	ULONG cbSize;
	BYTE *pBlobData;
} BLOB, *LPBLOB;

typedef struct addrinfoexA {
	int ai_flags;
	int ai_family;
	int ai_socktype;
	int ai_protocol;
	size_t ai_addrlen;
	char *ai_canonname;
	struct sockaddr *ai_addr;
	void *ai_blob;
	size_t ai_bloblen;
	LPGUID ai_provider;
	struct addrinfoexA *ai_next;
} ADDRINFOEXA, *PADDRINFOEXA, *LPADDRINFOEXA;

typedef struct addrinfoexW {
	int ai_flags;
	int ai_family;
	int ai_socktype;
	int ai_protocol;
	size_t ai_addrlen;
	PWSTR ai_canonname;
	struct sockaddr *ai_addr;
	void *ai_blob;
	size_t ai_bloblen;
	LPGUID ai_provider;
	struct addrinfoexW *ai_next;
} ADDRINFOEXW, *PADDRINFOEXW, *LPADDRINFOEXW;

#ifdef UNICODE
typedef ADDRINFOW ADDRINFOT, *PADDRINFOT;
typedef ADDRINFOEXW ADDRINFOEX, *PADDRINFOEX;
#else
typedef ADDRINFOA ADDRINFOT, *PADDRINFOT;
typedef ADDRINFOEXA ADDRINFOEX, *PADDRINFOEX;
#endif
typedef ADDRINFOA ADDRINFO, *LPADDRINFO, *PADDRINFO;

/* Name spaces. */
#define NS_ALL			0
#define NS_SAP			1
#define NS_NDS			2
#define NS_PEER_BROWSE		3
#define NS_SLP			5
#define NS_DHCP			6
#define NS_TCPIP_LOCAL		10
#define NS_TCPIP_HOSTS		11
#define NS_DNS			12
#define NS_NETBT		13
#define NS_WINS			14
#define NS_NLA			15
#define NS_BTH			16
#define NS_NBP			20
#define NS_MS			30
#define NS_STDA			31
#define NS_NTDS			32
#define NS_EMAIL		37
#define NS_PNRPNAME		38
#define NS_PNRPCLOUD		39
#define NS_X500			40
#define NS_NIS			41
#define NS_NISPLUS		42
#define NS_WRQ			50
#define NS_NETDES		60

#endif /* _WS2DEF_ */
