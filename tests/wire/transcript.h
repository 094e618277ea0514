/* SPDX-License-Identifier: Apache-2.0 */
/* transcript: a recorded or written session, and the events it must give.
 * Does: read the file, replay it through an engine in pieces of any size, against a guard page. Never: talks to a server. */
#ifndef ROWCALL_TEST_TRANSCRIPT_H
#define ROWCALL_TEST_TRANSCRIPT_H

#include "proxy/wire/wire.h"

struct transcript;

/* One side's bytes of the canned start of a session. */
struct turn {
	enum wire_leg leg;
	struct strbuf bytes;
};
enum { TURNS = 3 };

/* What the transcripts of a protocol are written in. */
struct tongue {
	const struct wire_engine *engine;
	/* One line to the bytes of one message, appended to out; false and *why (static) when it makes no sense. */
	bool (*encode)(bool from_client, const char *text, struct strbuf *out, const char **why);
	/* What makes a session ready, in order; unused turns stay empty. */
	void (*begin)(const struct transcript *t, struct turn turns[TURNS]);
};
extern const struct tongue pg_tongue, my_tongue;

enum step_kind { STEP_BYTES, STEP_AT, STEP_DIALED, STEP_TLS, STEP_EOF };

struct step {
	enum step_kind kind;
	enum wire_leg leg;
	struct strbuf bytes;	/* STEP_BYTES */
	uint64_t at;		/* STEP_AT: ns */
	uint32_t line;
};

struct transcript {
	const char *path;
	const struct tongue *tongue;
	struct step *steps;
	uint32_t n;
	struct strbuf expected;		/* event lines */
	struct strbuf source;		/* the file */
	struct wire_setup setup;
	bool uncut;			/* only whole messages make sense */
	bool begin;			/* skip the handshake: the session is ready when the steps start */
	uint32_t want_rows, want_bytes;
	uint32_t caps, ext;		/* MySQL: negotiated beyond the usual, when it begins ready */
};

enum cuts {
	CUT_LINES,	/* one feed per message */
	CUT_NONE,	/* neighbouring messages of one side in one feed */
	CUT_BYTES,	/* byte by byte */
	CUT_RANDOM,	/* anywhere */
};

/* False after a message on stderr. The caller clears t either way. */
bool transcript_read(struct transcript *t, const char *path, const struct tongue *tongue);
void transcript_clear(struct transcript *t);
/* The events of one replay, appended to log. lines (may be NULL) gets the length of the log after each step. False: the harness itself
 * found something wrong (said on stderr): a leak of the parser's, an endless handshake. */
bool transcript_replay(const struct transcript *t, enum cuts cuts, uint32_t seed, struct strbuf *log, size_t *lines);
/* Rewrites the file with the events it gives now. */
bool transcript_bless(const struct transcript *t);

#endif
