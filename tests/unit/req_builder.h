/* SPDX-License-Identifier: Apache-2.0 */
/* req_builder: requests out of readable text, one statement per line, with real shapes from the fingerprint room.
 *
 *	scope GET /orders                     also: test, key, application, borders gap|tag|..., names gap|tag|..., tag KEY=VALUE,
 *	mysql                                 lane DATABASE (in order, the first replaces the default), idle 2s, cut 100
 *	50 rows 1.9ms | SELECT * FROM orders WHERE user_id = 7 LIMIT 50
 *	loop 1..50
 *	1 row 0.8ms gap 0.2ms | SELECT * FROM customers WHERE id = %i
 *	end
 *
 * Before the bar: N rows, DURATION (busy), gap DURATION (before it; default 0.3 ms), with (starts together with the one before),
 * lane N, tx N, error CODE, skipped, lost, rode, batch, trips N, affected N, result N, bytes N, iterations N, allow RULE, site PATH:LINE,
 * cols NAME=1,7,9..12;NAME=.. (the values of its result's columns: with any of these, lineage judges the request),
 * prepared N (for this execution; N are open after it), open N, new-text, new-comment (than when it was prepared before),
 * timed (the time of asking is among its values), unknown (its parameters are not known). %i is the number of the innermost loop, %o that of the loop around it. Lines with # are comments. */
#ifndef ROWCALL_REQ_BUILDER_H
#define ROWCALL_REQ_BUILDER_H

#include "reports/requests/request.h"

struct req_builder;
struct req_builder *req_builder_new(void);
void req_builder_free(struct req_builder *b);
/* The request of the text, with the next number; alive until the builder is freed. Ends the program at a line it does not understand. */
const struct request *req_build(struct req_builder *b, const char *text);
/* The shape of a statement, as PostgreSQL reads it. */
const struct shape *req_shape(struct req_builder *b, const char *sql);

#endif
