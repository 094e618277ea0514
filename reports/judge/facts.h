/* SPDX-License-Identifier: Apache-2.0 */
/* facts: what all rules want to know about one request, worked out once.
 * Does: count, group executions by shape and database, link executions with equal parameters, note the writes and transaction borders
 * between them. Linear in the statements, no allocation per statement. Never: judges. */
#ifndef ROWCALL_FACTS_H
#define ROWCALL_FACTS_H

#include "fingerprint/arena.h"
#include "reports/requests/request_stmt.h"

#define FACTS_NONE UINT32_MAX

/* All executions (none: it was only skipped) of one shape in one place (upstream, database, and what USE or SET search_path made of it). */
struct repeat {
	const struct shape *shape;
	uint32_t place;
	uint32_t first, last;		/* statements; see facts.next */
	uint32_t executions, failed;	/* failed ones are counted in both */
	uint32_t distinct;		/* known parameter sets */
	uint32_t round_trips;		/* waits of the client in all of them, Parse and Bind counted apart when the driver waits for each */
	uint32_t waits;			/* executions that did not ride along in a pipeline */
	uint32_t prepared;		/* executions that were prepared for themselves */
	uint32_t slowest, largest;	/* statements: longest busy; most rows (then bytes) */
	uint64_t busy, rows, affected, bytes;
	uint16_t allow;			/* bits that every execution carries */
};

struct facts {
	const struct request *r;
	uint32_t statements, queries, control, setup;	/* statements cut from the request count as queries */
	uint32_t skipped;		/* asked for, but passed over by the server after an error: in none of these, nor in a repeat but by number */
	uint32_t undone;		/* queries whose transaction was rolled back */
	uint32_t errors, round_trips;
	uint32_t duplicates;		/* queries minus distinct (shape, place, parameters); unknown parameters equal nothing */
	uint32_t retries;		/* failed attempts at something that was executed again: never budgeted twice */
	uint64_t rows, bytes, db, wall, longest_tx;	/* ns: client's waits summed; end - start; longest explicit transaction */
	const struct repeat *repeats;	/* in order of first execution */
	uint32_t nrepeats;
	/* One entry per statement: */
	const uint32_t *repeat;		/* index into repeats */
	const uint32_t *next;		/* next statement of its repeat, or FACTS_NONE */
	const uint32_t *before;		/* the execution before with the same repeat and parameters, or FACTS_NONE */
	/* Only when some read was executed twice, else NULL: */
	const uint32_t *write;		/* 1 + the last statement before it that may have changed a table it reads; 0 = none */
	const uint32_t *epoch;		/* rises with every transaction border on its connection */
	/* Only when a statement failed, else NULL: */
	const bool *doomed;		/* its transaction later failed by a deadlock or serialization failure */
};

/* r is borrowed for the life of the facts; everything else lives in the arena. */
const struct facts *facts_new(const struct request *r, struct arena *a);
/* Execution i repeats execution p because p, or p's transaction, had failed. */
bool facts_is_retry(const struct facts *f, uint32_t p, uint32_t i);
/* A transaction border lies between p and i. Needs facts.epoch. */
bool facts_border_between(const struct facts *f, uint32_t p, uint32_t i);

#endif
