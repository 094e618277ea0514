/* SPDX-License-Identifier: Apache-2.0 */
/* request_stmt: what everybody asks of one statement of a request: its kind, how and when it ended. Never: keeps anything, judges. */
#ifndef ROWCALL_REQUEST_STMT_H
#define ROWCALL_REQUEST_STMT_H

#include "request.h"

/* Control and set-up are counted apart, everything else is a query. An empty statement is a driver's ping: set-up. FETCH and MOVE go on
 * with the query of their cursor: control. */
enum stmt_kind { KIND_QUERY, KIND_CONTROL, KIND_SETUP };
enum stmt_kind stmt_kind(const struct shape *s);

/* A query that counts: the server did not pass over it after an error in its pipeline. */
bool stmt_is_query(const struct req_stmt *s);
/* The execution came back with an answer. */
bool stmt_ended_well(const struct req_stmt *s);
/* ns after the request's start when the client had its answer. */
uint64_t stmt_end(const struct req_stmt *s);
/* ns the client let pass between two executions; 0 when they overlap. */
uint64_t stmt_gap(const struct req_stmt *a, const struct req_stmt *b);

#endif
