/* SPDX-License-Identifier: Apache-2.0 */
/* pg_queue: the questions a client has asked and the server has not answered, in order.
 * Does: count the client's waits, drop what the server discards after an error, end everything when the connection ends. Never: looks at
 * a message. */
#include "fingerprint/mem.h"
#include "pg_conn.h"

enum { FIRST_CAP = 16, IDLE_CAP = 64 };	/* entries; a longer ring is freed when it runs empty */

static bool
grow(struct pg_queue *queue)
{
	uint32_t cap = queue->cap ? queue->cap * 2 : FIRST_CAP;
	struct pg_question *q = mem_alloc(cap * sizeof *q);

	if (!q)
		return false;
	for (uint32_t i = 0; i < queue->n; i++)
		q[i] = queue->q[(queue->head + i) & (queue->cap - 1)];
	mem_free(queue->q);
	*queue = (struct pg_queue){ q, cap, 0, queue->n };
	return true;
}

struct pg_question *
pg_queue_push(struct wire_conn *c, enum pg_kind kind, uint64_t now)
{
	struct pg_question *q;

	if (c->queue.n >= LIMIT_WIRE_QUEUE) {
		pg_opaque(c, WIRE_OPAQUE_LIMIT, "questions without an answer");
		return NULL;
	}
	if (c->queue.n == c->queue.cap && !grow(&c->queue)) {
		pg_opaque(c, WIRE_OPAQUE_MEMORY, "question");
		return NULL;
	}
	if (c->queue.n == 0 || c->all_told)
		c->waits++;
	c->all_told = false;
	c->queue.n++;
	q = pg_queue_at(c, c->queue.n - 1);
	*q = (struct pg_question){ .kind = (uint8_t)kind, .sent = now };
	return q;
}

static void
release(struct wire_conn *c, const struct pg_question *q)
{
	if (PG_BIT(q->kind) & PG_ABOUT_STMT)
		pg_stmt_unref(c, q->stmt);
	else
		pg_exec_unref(c, q->exec);
}

static void
pop_one(struct wire_conn *c)
{
	struct pg_question q = *pg_queue_head(c);

	c->queue.head = (c->queue.head + 1) & (c->queue.cap - 1);
	c->queue.n--;
	release(c, &q);
}

void
pg_queue_pop(struct wire_conn *c)
{
	pop_one(c);
	while (c->queue.n && pg_queue_head(c)->kind == PG_COPY_END)
		pop_one(c);
	if (c->queue.n == 0 && c->queue.cap > IDLE_CAP) {
		mem_free(c->queue.q);
		c->queue = (struct pg_queue){ 0 };
	}
}

void
pg_queue_remove(struct wire_conn *c, uint32_t i)
{
	release(c, pg_queue_at(c, i));
	for (; i + 1 < c->queue.n; i++)
		*pg_queue_at(c, i) = *pg_queue_at(c, i + 1);
	c->queue.n--;
}

static void
unclose(struct pg_version *newest)
{
	if (newest)
		newest->closing = false;
}

/* The server discarded q: what it would have done did not happen. */
static void
discard(struct wire_conn *c, const struct pg_question *q, const struct pg_exec *blamed, const char *code, uint64_t now)
{
	struct span none = { NULL, 0 };

	switch ((enum pg_kind)q->kind) {
	case PG_PARSE:
		pg_stmt_gone(c, q->stmt);
		break;
	case PG_BIND:
		pg_exec_gone(c, q->exec, now);
		break;
	case PG_QUERY:
		unclose(c->statements.unnamed.newest);
		unclose(c->portals.unnamed.newest);
		/* fall through */
	case PG_FUNCTION:
	case PG_EXECUTE:
		/* A portal that has begun to answer stays open: only this fetch was lost. */
		if (!q->exec || q->exec->state != PG_TOLD || (q->exec->answered && q->exec != blamed))
			break;
		pg_exec_part(c, q->exec, q->exec == blamed ? WIRE_ERROR : WIRE_SKIPPED, q->exec == blamed ? code : "", none, now);
		pg_exec_done(c, q->exec);
		break;
	case PG_CLOSE_STMT:
		if (q->stmt)
			q->stmt->v.closing = false;
		break;
	case PG_CLOSE_PORTAL:
		if (q->exec)
			q->exec->v.closing = false;
		break;
	case PG_DESCRIBE_STMT:
	case PG_DESCRIBE_PORTAL:
	case PG_SYNC:
	case PG_COPY_END:
		break;
	}
}

static uint32_t
until_sync(struct wire_conn *c)
{
	uint32_t n = 0;

	while (n < c->queue.n && pg_queue_at(c, n)->kind != PG_SYNC)
		n++;
	return n;
}

bool
pg_queue_synced(struct wire_conn *c)
{
	return until_sync(c) < c->queue.n;
}

void
pg_queue_skip(struct wire_conn *c, const struct pg_exec *blamed, const char *code, uint64_t now)
{
	struct pg_question *q;
	uint32_t n = until_sync(c), i;

	c->skipping = n == c->queue.n;
	/* Executes first: while they end, their portals and statements must still be theirs. */
	for (i = 0; i < n; i++)
		if (PG_BIT(pg_queue_at(c, i)->kind) & PG_ASKS)
			discard(c, pg_queue_at(c, i), blamed, code, now);
	c->all_told = c->skipping;
	if (c->skipping) {	/* what the client sends up to Sync may still name the rest */
		for (i = n; i-- > 0;)
			if (PG_BIT(pg_queue_at(c, i)->kind) & PG_ASKS)
				pg_queue_remove(c, i);
		return;
	}
	for (i = n; i-- > 0;) {
		q = pg_queue_at(c, i);
		if (!(PG_BIT(q->kind) & PG_ASKS))
			discard(c, q, blamed, code, now);
	}
	while (n-- > 0)
		pop_one(c);
}

void
pg_queue_lose(struct wire_conn *c, uint64_t now)
{
	struct pg_question *q;

	for (uint32_t i = 0; i < c->queue.n; i++) {
		q = pg_queue_at(c, i);
		if (PG_BIT(q->kind) & PG_ASKS && q->exec)
			pg_exec_lost(c, q->exec, now);
	}
	pg_exec_portals_gone(c, now);
	while (c->queue.n) {
		q = pg_queue_head(c);
		if (q->kind == PG_BIND)
			pg_exec_gone(c, q->exec, now);
		else if (q->kind == PG_PARSE)
			pg_stmt_gone(c, q->stmt);
		pop_one(c);
	}
	pg_stmt_free_all(c);
	pg_exec_free_all(c);
	mem_free(c->queue.q);
	c->queue = (struct pg_queue){ 0 };
}
