/* SPDX-License-Identifier: Apache-2.0 */
/* record: what a worker tells the analyzer, one fixed struct and a tail of bytes per fact, laid into the worker's ring.
 * Does: describe the layout. Never: knows a wire format; carries a literal or parameter value (hashes and whole numbers, for comparing; names and tags excepted), but for
 * REC_TEXT, which only --record-values makes. */
#ifndef ROWCALL_RECORD_H
#define ROWCALL_RECORD_H

#include "fingerprint/shapes.h"

enum rec_type {
	REC_OPEN,	/* a session was accepted */
	REC_CLOSE,	/* it ended */
	REC_FACT,	/* something is now known or set: see enum rec_fact */
	REC_START,	/* a statement was sent */
	REC_END,	/* a statement ended */
	REC_TX,		/* the server's transaction state changed: flags = enum rec_tx */
	REC_RESET,	/* session state was reset (DISCARD ALL, RESET ALL, COM_RESET_CONNECTION, COM_CHANGE_USER): session tags end */
	REC_OPAQUE,	/* the session is no longer understood: flags = 1 expected, 0 not; tail = reason */
	REC_NOTICE,	/* an error that answers nothing; tail = code */
	REC_MARK,	/* from the mark queue, never in a ring: tail = test NUL request NUL (each may be empty = ended) */
	/* evidence, shed first */
	REC_PARAMS,	/* one execution's parameters: tail = rec_value[] */
	REC_COLUMNS,	/* a set of result columns: tail = rec_column[] then names; once per set and worker */
	REC_ROW,	/* one of the first rows: tail = rec_value[], one per column of the set */
	REC_RESULT,	/* after the last row, before REC_END: result hash, set of columns */
	REC_TEXT,	/* the statement as it was sent, with its values: only where the user asked to record them */
	REC_TYPES
};

/* UNDONE: the state stays, but an error ended a transaction that nobody had begun: nothing stays of what ended since the last REC_END_FRESH. */
enum rec_tx { REC_TX_IDLE, REC_TX_OPEN, REC_TX_FAILED, REC_TX_UNDONE };

/* Every record starts with this; size counts it, is a multiple of 8 and at most LIMIT_RECORD. */
struct rec {
	uint32_t size;
	uint16_t type;		/* enum rec_type */
	uint16_t flags;
	uint64_t t;		/* ns, monotonic: when it happened; not decreasing within a ring */
	uint32_t session;	/* unique in the process, from 1 */
	uint32_t seq;		/* statement of the session, from 1; 0 when it concerns none */
};

struct rec_open {
	struct rec h;
	uint16_t upstream;	/* index into analyzer_config.upstreams */
	uint16_t engine;	/* 0 PostgreSQL, 1 MySQL/MariaDB */
	uint32_t peer_n;
	char peer[];		/* "127.0.0.1:51234" */
};

enum rec_fact {
	REC_FACT_USER, REC_FACT_DATABASE, REC_FACT_APPLICATION,	/* application_name, program_name: also as it changes */
	REC_FACT_SERVER,	/* server version */
	REC_FACT_SETTING,	/* a SET the user's session did: name and value ("rowcall.request", "@rowcall_scope", tag settings);
				 * flags bit 8 = SET LOCAL (ends with the transaction) */
};

struct rec_fact_rec {		/* REC_FACT; h.flags = enum rec_fact */
	struct rec h;
	uint16_t name_n, value_n;
	uint32_t pad;
	char bytes[];		/* name, then value; no NUL */
};

enum rec_start_flags {
	REC_START_STALE_TAG = 1,	/* the tag rode in a prepared statement that was executed before: its instance key is not to be believed */
	REC_START_UNKNOWN = 2,		/* text not known (prepared before capture) */
	REC_START_TAGS_CUT = 4,
	REC_START_FUNCTION = 8,
	REC_START_PREPARED = 16,	/* the first execution of a statement prepared under a name (or an id) of its own */
	REC_START_NEW_TEXT = 32,	/* with it: prepared before on this connection with other literals */
	REC_START_NEW_COMMENT = 64,	/* with it: ... with another comment */
	REC_START_TIMED = 128,		/* a read with the time of asking among its values, which all count as one */
};

struct rec_start {
	struct rec h;
	const struct shape *shape;	/* never NULL; lives as long as the registry */
	uint64_t params;		/* sql_hash_mix over all parameters and literals; 0 = has none; 1 = not known */
	uint32_t round_trips;		/* waits of the client up to and including this one since its statement before; 0 = rode along */
	uint32_t iterations;		/* bulk executions in this one statement; else 1 */
	uint16_t part;			/* ordinal within its text */
	uint16_t ntags;
	uint32_t tags_n;
	char tags[];			/* per tag: u16 key_n, u16 value_n (host order), key, value; no NUL */
};

enum rec_outcome { REC_OK, REC_EMPTY, REC_ERROR, REC_SKIPPED, REC_LOST };
enum rec_end_flags { REC_END_BATCH = 1, REC_END_OPEN = 2, REC_END_FRESH = 4 /* the first of an answer, see REC_TX_UNDONE */ };

struct rec_end {		/* h.t = when the answer ended; h.flags = enum rec_end_flags */
	struct rec h;
	uint64_t start, first;	/* ns */
	uint64_t busy;		/* ns the client waited */
	uint64_t rows, affected, bytes, insert_id;
	uint32_t round_trips;	/* further waits of the client since REC_START: a cursor fetched in pieces, a file that was asked for */
	uint32_t prepared;	/* statements prepared under names and open on the connection */
	uint8_t outcome;	/* enum rec_outcome */
	char code[7];		/* SQLSTATE or error number, NUL-padded */
};

struct rec_text {		/* REC_OPAQUE, REC_NOTICE, REC_MARK */
	struct rec h;
	uint32_t n, pad;
	char text[];
};

/* ---- evidence (lineage, duplicates by result) ---- */

enum rec_value_kind {
	REC_VALUE_NONE,		/* NULL, empty, too long, or not to be decoded */
	REC_VALUE_INT,		/* a whole number: a binary integer, "42" and "42.0" are one value */
	REC_VALUE_UUID,
	REC_VALUE_WORD,		/* letters only: may be one of a few */
	REC_VALUE_TEXT,
	REC_VALUE_HASH,		/* a literal: only its hash is known */
};

struct rec_value {
	uint64_t hash;		/* sql_hash of the canonical text; 0 = none */
	int64_t number;		/* REC_VALUE_INT */
	uint16_t slot;		/* parameters: slot of the shape; rows: column of the set */
	uint8_t kind;		/* enum rec_value_kind */
	uint8_t letters, digits;	/* REC_VALUE_TEXT: how many */
	uint8_t pad[3];
};

struct rec_values {		/* REC_PARAMS, REC_ROW; h.flags = 1 when cut */
	struct rec h;
	uint32_t n, pad;
	struct rec_value v[];
};

/* A result column that values are taken of. */
struct rec_column {
	uint16_t at;		/* position in the result, from 0 */
	uint16_t table_n, name_n;	/* lengths in the byte tail; table: the table it comes from, empty when the server does not tell */
	uint16_t attnum;		/* PostgreSQL: the column's and the table's numbers; 0 = no column of a table */
	uint32_t oid, pad;
};

struct rec_columns {		/* a set of columns, told once; results refer to it */
	struct rec h;
	uint64_t set;		/* its hash, never 0 */
	uint32_t n, bytes_n;
	struct rec_column c[];	/* then bytes: table, name of each in turn */
};

struct rec_result {
	struct rec h;
	uint64_t hash;		/* keyed, over the first bytes (limit), rows and length; 0 = not known */
	uint64_t set;		/* rec_columns.set of the rows that were kept; 0 = none */
};

/* The one record that holds values. */
struct rec_values_text {
	struct rec h;
	uint8_t dialect, modes;	/* struct sql_lang */
	uint16_t nvalues;
	uint32_t text_n, values_n, pad;
	char bytes[];		/* text; then per value: i32 length (-1 NULL, -2 not known), u32 type, bytes */
};

#endif
