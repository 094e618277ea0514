/* SPDX-License-Identifier: Apache-2.0 */
/* session: one client, one upstream connection, and every byte between them.
 * Does: the handshake's edits as the engine says, then forward first and lend the same bytes to the parser; half-close, back-pressure, TLS legs.
 * Never: changes a byte after the handshake, buffers more than the kernel just refused, outlives its loop turn once ended. */
#ifndef ROWCALL_SESSION_H
#define ROWCALL_SESSION_H

#include "worker.h"

/* Takes fd over, whatever happens. */
void session_start(struct worker *w, struct listener *l, int fd, const struct address *peer);
/* The resolver's answer, on the worker's thread. */
void session_resolved(struct session *s, const struct resolved *r);
/* A drain began: ends the session when nothing is under way. */
void session_drain(struct session *s);
/* Ends it now (stop). */
void session_kill(struct session *s);
/* After the loop turn: frees ended sessions whose look-ups are done. */
void session_sweep(struct worker *w);

#endif
