/* SPDX-License-Identifier: Apache-2.0 */
/* request_stmt: see request_stmt.h. */
#include "request_stmt.h"

enum stmt_kind
stmt_kind(const struct shape *s)
{
	if (s->verb == SQL_V_FETCH || s->verb == SQL_V_MOVE)
		return KIND_CONTROL;
	switch (s->cls) {
	case SQL_CONTROL:
		return KIND_CONTROL;
	case SQL_SETUP:
	case SQL_EMPTY:
		return KIND_SETUP;
	default:
		return KIND_QUERY;
	}
}

bool
stmt_is_query(const struct req_stmt *s)
{
	return s->outcome != REC_SKIPPED && stmt_kind(s->shape) == KIND_QUERY;
}

bool
stmt_ended_well(const struct req_stmt *s)
{
	return s->outcome == REC_OK || s->outcome == REC_EMPTY;
}

uint64_t
stmt_end(const struct req_stmt *s)
{
	return s->start + s->busy;
}

uint64_t
stmt_gap(const struct req_stmt *a, const struct req_stmt *b)
{
	return b->start > stmt_end(a) ? b->start - stmt_end(a) : 0;
}
