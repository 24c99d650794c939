// SPDX-License-Identifier: GPL-2.0
/*
 * A client of libircclient, which joins a channel and says something in it, many
 * times; and a server that says it back, in a thread of its own.
 */
#include <winsock2.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libircclient.h>

static int messages, heard;

static void say(SOCKET s, const char *line)
{
	send(s, line, (int)strlen(line), 0);
}

/* Answers one line. */
static void answer(SOCKET s, const char *line)
{
	char text[600];

	if (!strncmp(line, "USER", 4))
		say(s, ":server 001 tester :Welcome\r\n");
	else if (!strncmp(line, "JOIN", 4))
		say(s, ":tester!t@host JOIN :#room\r\n");
	else if (!strncmp(line, "PRIVMSG", 7)) {
		snprintf(text, sizeof(text), ":echo!e@host %s\r\n", line);
		say(s, text);
	}
}

static DWORD WINAPI serve(LPVOID arg)
{
	SOCKET s = accept(*(SOCKET *)arg, NULL, NULL);
	char buf[4096], *end;
	int have = 0, n;

	while ((n = recv(s, buf + have, (int)sizeof(buf) - 1 - have, 0)) > 0) {
		have += n;
		buf[have] = '\0';
		while ((end = strstr(buf, "\r\n"))) {
			*end = '\0';
			answer(s, buf);
			have -= (int)(end + 2 - buf);
			memmove(buf, end + 2, have + 1);
		}
	}
	closesocket(s);
	return n < 0;
}

static void say_next(irc_session_t *session)
{
	char text[32];

	snprintf(text, sizeof(text), "message %d", heard);
	irc_cmd_msg(session, "#room", text);
}

static void on_connect(irc_session_t *session, const char *event, const char *origin,
		       const char **params, unsigned int count)
{
	irc_cmd_join(session, "#room", NULL);
}

static void on_join(irc_session_t *session, const char *event, const char *origin,
		    const char **params, unsigned int count)
{
	say_next(session);
}

static void on_channel(irc_session_t *session, const char *event, const char *origin,
		       const char **params, unsigned int count)
{
	char text[32];

	snprintf(text, sizeof(text), "message %d", heard);
	if (count != 2 || strcmp(params[1], text))
		exit(10);
	if (++heard < messages)
		say_next(session);
	else
		irc_disconnect(session);
}

int main(int argc, char **argv)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(6667) };
	irc_callbacks_t callbacks = {
		.event_connect = on_connect,
		.event_join = on_join,
		.event_channel = on_channel,
	};
	irc_session_t *session;
	HANDLE thread;
	WSADATA data;
	SOCKET l;
	DWORD code;

	messages = atoi(argv[1]);
	if (WSAStartup(MAKEWORD(2, 2), &data))
		return 1;
	sin.sin_addr.s_addr = inet_addr("127.0.0.1");
	l = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(l, (struct sockaddr *)&sin, sizeof(sin)) || listen(l, 1))
		return 2;
	thread = CreateThread(NULL, 0, serve, &l, 0, NULL);
	session = irc_create_session(&callbacks);
	if (!session || irc_connect(session, "127.0.0.1", 6667, NULL, "tester", "t", "T"))
		return 3;
	irc_run(session);
	irc_destroy_session(session);
	if (WaitForSingleObject(thread, 10000) != WAIT_OBJECT_0 ||
	    !GetExitCodeThread(thread, &code) || code)
		return 4;
	WSACleanup();
	return heard == messages ? 0 : 5;
}
