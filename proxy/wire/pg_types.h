/* SPDX-License-Identifier: Apache-2.0 */
/* pg_types: binary values of PostgreSQL to the text the server would print, with its default settings (ISO dates, postgres intervals,
 * hex bytea, shortest floats); timestamptz in UTC. Never: allocates, guesses a type by its length, or trusts a length inside a value.
 * Floats are printed with the C library: the process must keep LC_NUMERIC at "C". */
#ifndef ROWCALL_PG_TYPES_H
#define ROWCALL_PG_TYPES_H

#include "bytes.h"

/* Where text goes: at most cap bytes are written, all are counted. */
struct pg_text {
	char *buf;
	size_t cap, n;
	/* Inside an array: an element is read once to learn whether it must be quoted, and once to be written. */
	bool scanning, quoting;
	bool special;		/* scanning saw a character that demands quotes */
	size_t scanned;
	char head[4];		/* the first scanned characters */
};

void pg_text_add(struct pg_text *t, const char *p, size_t n);
void pg_text_str(struct pg_text *t, const char *s);
void pg_text_char(struct pg_text *t, char ch);
/* Decimal, zero-padded to at least width digits. */
void pg_text_number(struct pg_text *t, uint64_t v, unsigned width);

/* One decoder: reads the value's bytes to their end; bad bytes mark b bad. */
typedef void pg_decoder(struct pg_text *t, struct bytes *b);

pg_decoder pg_put_int2, pg_put_int4, pg_put_int8, pg_put_oid, pg_put_float4, pg_put_float8, pg_put_numeric;		/* pg_types_number.c */
pg_decoder pg_put_date, pg_put_time, pg_put_timetz, pg_put_timestamp, pg_put_timestamptz, pg_put_interval;	/* pg_types_time.c */
pg_decoder pg_put_inet, pg_put_cidr, pg_put_macaddr;	/* pg_types_net.c */

#endif
