/* SPDX-License-Identifier: Apache-2.0 */
/* session_internal: what session.c (life and handshake), dial.c (the way to the upstream) and pump.c (forwarding) share. Nobody else. */
#ifndef ROWCALL_SESSION_INTERNAL_H
#define ROWCALL_SESSION_INTERNAL_H

#include <event2/event_struct.h>

#include "session.h"

enum session_state {
	SESSION_HANDSHAKE,	/* bytes go through the engine, which edits */
	SESSION_RESOLVING,	/* waits for the resolver */
	SESSION_CONNECTING,	/* waits for connect(2) */
	SESSION_TLS_SERVER,	/* TLS handshake on the server leg */
	SESSION_TLS_CLIENT,	/* ... and on the client leg */
	SESSION_PIPE,		/* every byte unchanged */
	SESSION_FLUSHING,	/* last words on their way, then the end */
	SESSION_ENDED,
	SESSION_STATES
};

enum session_why {
	WHY_CLOSED,		/* both sides said goodbye */
	WHY_CLIENT_RESET, WHY_SERVER_RESET, WHY_REFUSED, WHY_UNREACHABLE, WHY_DRAINED, WHY_STOPPED, WHY_MEMORY, WHY_TIMEOUT,
};

struct leg {
	struct session *session;
	struct event read, write;
	struct strbuf out;	/* bytes the kernel refused; no memory while empty */
	SSL *tls;		/* NULL: plain */
	int fd;			/* -1: none */
	bool reading, writing;	/* events are armed */
	bool ended;		/* its FIN was read */
	bool shut;		/* our FIN was sent */
};

/* The handshake's own memory, gone when the pipe opens. */
struct shaking {
	struct strbuf in[2];		/* by enum wire_leg */
	struct resolved targets;	/* addresses to try */
	unsigned next_target;
	int last_errno;
	bool direct_tls;		/* the client began TLS without asking */
	struct event deadline;		/* the handshake does not take for ever */
};

struct session {
	struct session *prev, *next;	/* worker's list; next also links the dead */
	struct worker *worker;
	struct listener *listener;
	const struct wire_engine *engine;
	struct wire_conn *wire;
	struct tap tap;
	struct leg leg[2];		/* by enum wire_leg */
	struct shaking *shaking;
	struct address upstream;	/* the one connected to */
	enum session_state state;
	uint32_t id;
	bool blind;			/* opaque: forward only */
	bool looking_up;		/* the resolver holds a pointer to us */
	bool has_key;			/* a cancel key of ours is in the map */
};

static inline struct leg *
other_leg(struct leg *l)
{
	struct session *s = l->session;

	return l == &s->leg[WIRE_CLIENT] ? &s->leg[WIRE_SERVER] : &s->leg[WIRE_CLIENT];
}

static inline enum wire_leg
leg_side(const struct leg *l)
{
	return l == &l->session->leg[WIRE_CLIENT] ? WIRE_CLIENT : WIRE_SERVER;
}

/* ---- session.c ---- */
/* The only writer of state; an illegal edge is a bug and aborts. */
void session_move(struct session *s, enum session_state to);
/* The one door out: closes, reports, unlinks; memory goes after the loop turn. Safe to call twice. */
void session_end(struct session *s, enum session_why why);
/* Lets the engine work on what has arrived. */
void session_shake(struct session *s);
/* Nothing more is expected: what is queued for the client goes to it first, for as long as it takes bytes. */
void session_flush(struct session *s, enum session_why why);
/* Before the pipe: reads where there is room, and ends a session whose client has left before it said where to. */
void session_await(struct session *s);
/* Ends with an error of our own in the client's protocol. */
void session_refuse(struct session *s, const char *sqlstate, const char *message, enum session_why why);

/* ---- dial.c ---- */
void dial_start(struct session *s, bool cancel);
/* Refuses the client: the upstream cannot be had. */
void dial_unreachable(struct session *s, const char *why);
/* Events of the server leg while connecting. */
void dial_event(struct session *s, short what);

/* ---- secure.c ---- */
/* Starts TLS on a leg, as the engine asked. */
void secure_start(struct session *s, enum wire_leg side);
/* An event of the leg whose TLS handshake is under way. */
void secure_event(struct session *s);

/* ---- pump.c ---- */
bool leg_open(struct session *s, enum wire_leg side, int fd);
void leg_close(struct leg *l);
void leg_want_read(struct leg *l, bool on);
void leg_want_write(struct leg *l, bool on);
/* As recv(2)/send(2), TLS or not. */
ssize_t leg_recv(struct leg *l, void *buf, size_t n);
/* Sends now what the kernel takes and queues the rest. False: the leg is broken (errno). */
bool leg_send(struct leg *l, struct span bytes) __attribute__((warn_unused_result));
/* Sends what is queued. False: broken. */
bool leg_flush(struct leg *l) __attribute__((warn_unused_result));
/* Forwards bytes that came from l, then lends them to the parser. False: the session has ended. */
bool pump_forward(struct leg *l, struct span bytes);
/* Everything of the handshake has gone: reading begins. */
void pump_begin(struct session *s);
void pump_readable(struct leg *l, short what);
void pump_writable(struct leg *l);

#endif
