// SPDX-License-Identifier: GPL-2.0
/*
 * Clients that send reliable messages to a server, which sends them back: over
 * ENet, hence datagrams, select and time-outs of Winsock.
 */
#include <enet/enet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct client {
	ENetHost *host;
	ENetPeer *peer;
	int next;		/* message to come back */
	int gone;
};

static int messages;

static void send_number(ENetPeer *peer, int number)
{
	char text[1000] = "";

	snprintf(text, sizeof(text), "%d", number);
	enet_peer_send(peer, 0, enet_packet_create(text, sizeof(text),
						   ENET_PACKET_FLAG_RELIABLE));
}

static int serve(ENetHost *server)
{
	ENetEvent event;
	int ret;

	while ((ret = enet_host_service(server, &event, 0)) > 0)
		if (event.type == ENET_EVENT_TYPE_RECEIVE)
			enet_peer_send(event.peer, 0, event.packet);
	return ret;
}

static int run(struct client *c)
{
	ENetEvent event;
	int ret;

	while ((ret = enet_host_service(c->host, &event, 1)) > 0) {
		switch (event.type) {
		case ENET_EVENT_TYPE_CONNECT:
			send_number(c->peer, 0);
			break;
		case ENET_EVENT_TYPE_RECEIVE:
			if (atoi((char *)event.packet->data) != c->next++)
				return -1;
			enet_packet_destroy(event.packet);
			if (c->next < messages)
				send_number(c->peer, c->next);
			else
				enet_peer_disconnect(c->peer, 0);
			break;
		case ENET_EVENT_TYPE_DISCONNECT:
			c->gone = 1;
			break;
		default:
			break;
		}
	}
	return ret;
}

int main(int argc, char **argv)
{
	int count = atoi(argv[1]), gone = 0, i;
	struct client *clients = calloc(count, sizeof(*clients));
	ENetAddress address = { .port = 7777 };
	ENetHost *server;

	messages = atoi(argv[2]);
	if (enet_initialize() || enet_address_set_host_ip(&address, "127.0.0.1"))
		return 1;
	server = enet_host_create(&address, count, 1, 0, 0);
	if (!server)
		return 2;
	for (i = 0; i < count; i++) {
		clients[i].host = enet_host_create(NULL, 1, 1, 0, 0);
		if (!clients[i].host)
			return 3;
		clients[i].peer = enet_host_connect(clients[i].host, &address, 1, 0);
		if (!clients[i].peer)
			return 4;
	}
	while (gone < count) {
		gone = 0;
		for (i = 0; i < count; i++) {
			if (serve(server) < 0 || run(&clients[i]) < 0)
				return 5;
			gone += clients[i].gone;
		}
	}
	for (i = 0; i < count; i++) {
		if (clients[i].next != messages)
			return 6;
		enet_host_destroy(clients[i].host);
	}
	enet_host_destroy(server);
	enet_deinitialize();
	return 0;
}
