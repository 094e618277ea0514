/* SPDX-License-Identifier: Apache-2.0 */
/* pg_exec: the life of one Query or portal: asked, answered part by part, done.
 * Does: tell query, execute, part and done; times, waits and batch flags. Never: reads a result (pg_result.c), or knows the order of
 * questions (pg_queue.c). */
#include "fingerprint/mem.h"
#include "pg_conn.h"

enum { FREE_EXECS = 4 };	/* kept for reuse by a session */

/* ---- life ---- */

struct pg_exec *
pg_exec_new(struct wire_conn *c)
{
	struct pg_exec *x = c->free_execs;

	if (x) {
		c->free_execs = x->next;
		c->nfree_execs--;
		memset(x, 0, sizeof *x);
	} else
		x = mem_zero(sizeof *x);
	if (!x) {
		pg_opaque(c, WIRE_OPAQUE_MEMORY, "question");
		return NULL;
	}
	x->v.refs = 1;
	x->pub.iterations = 1;
	x->types = x->inline_types;
	x->types_cap = PG_INLINE_TYPES;
	return x;
}

static void
drop_bind(struct wire_conn *c, struct pg_exec *x)
{
	struct pg_exec **at = &c->borrowed;

	if (x->bind_owned) {
		pg_kept_drop(c, &x->bind);
	} else if (x->bind.n) {
		while (*at != x)
			at = &(*at)->next;
		*at = x->next;
	}
	x->bind = (struct span){ NULL, 0 };
	x->bind_owned = false;
}

void
pg_exec_unref(struct wire_conn *c, struct pg_exec *x)
{
	if (!x || --x->v.refs)
		return;
	drop_bind(c, x);
	pg_result_clear(c, x);
	pg_stmt_unref(c, x->stmt);
	if (c->nfree_execs == FREE_EXECS) {
		mem_free(x);
		return;
	}
	x->next = c->free_execs;
	c->free_execs = x;
	c->nfree_execs++;
}

void
pg_exec_free_all(struct wire_conn *c)
{
	struct pg_exec *x;

	while ((x = c->free_execs)) {
		c->free_execs = x->next;
		mem_free(x);
	}
	c->nfree_execs = 0;
	pg_names_clear(&c->portals);
}

/* ---- portals ---- */

void
pg_exec_bind(struct wire_conn *c, struct pg_exec *x, struct span portal, struct span body, bool cut)
{
	bool named = portal.n > 0;

	if (body.n) {
		x->bind = body;
		x->bind_cut = cut;
		x->next = c->borrowed;
		c->borrowed = x;
	}
	if (named && (c->nportals >= LIMIT_WIRE_PORTALS || c->portals.bytes + portal.n > LIMIT_PG_KEPT))
		return;		/* not remembered: its Executes will be of an unknown statement */
	if (!pg_names_link(&c->portals, portal, &x->v)) {
		pg_opaque(c, WIRE_OPAQUE_MEMORY, "portal");
		return;
	}
	c->nportals += named;
}

void
pg_exec_own_binds(struct wire_conn *c)
{
	struct pg_exec *x;

	while ((x = c->borrowed)) {
		c->borrowed = x->next;
		x->bind = pg_kept_copy(c, x->bind);
		x->bind_owned = x->bind.n > 0;
		if (!x->bind_owned)
			x->formats.unknown = true;	/* its parameters will be unknown, nothing else */
	}
}

void
pg_exec_confirm(struct wire_conn *c, struct pg_exec *x, uint64_t now)
{
	if (!x || !x->v.slot)
		return;
	if (x->v.older)
		pg_exec_gone(c, (struct pg_exec *)x->v.older, now);
	x->v.standing = PG_LIVE;
	x->live_prev = NULL;
	x->live_next = c->live_portals;
	if (c->live_portals)
		c->live_portals->live_prev = x;
	c->live_portals = x;
}

static void
live_remove(struct wire_conn *c, struct pg_exec *x)
{
	if (x->live_prev)
		x->live_prev->live_next = x->live_next;
	else
		c->live_portals = x->live_next;
	if (x->live_next)
		x->live_next->live_prev = x->live_prev;
}

void
pg_exec_gone(struct wire_conn *c, struct pg_exec *x, uint64_t now)
{
	if (!x || !x->v.slot)
		return;
	if (x->v.standing == PG_LIVE)
		live_remove(c, x);
	c->nportals -= x->v.slot != &c->portals.unnamed;
	pg_names_unlink(&c->portals, &x->v);
	if (x->state == PG_TOLD) {
		x->open = true;
		pg_exec_part(c, x, WIRE_OK, "", (struct span){ NULL, 0 }, now);
	}
	pg_exec_unref(c, x);
}

void
pg_exec_portals_gone(struct wire_conn *c, uint64_t now)
{
	struct pg_exec *x, *next;

	for (x = c->live_portals; x; x = next) {
		next = x->live_next;
		pg_exec_gone(c, x, now);
	}
}

/* ---- asking ---- */

static void
take_waits(struct wire_conn *c, struct pg_exec *x)
{
	x->pub.round_trips += c->waits;
	c->waits = 0;
}

/* Executes between two flush points share their answer's arrival: none of their durations can be told. */
static void
join_group(struct wire_conn *c, struct pg_exec *x)
{
	if (c->group_execs && c->group_peer != x) {
		x->pub.batch = true;
		if (c->group_peer)
			c->group_peer->pub.batch = true;
	}
	if (c->group_peer != x)
		c->group_execs++;
	c->group_peer = x;
	x->group = c->group;
}

void
pg_exec_flush_point(struct wire_conn *c)
{
	c->group++;
	c->group_execs = 0;
	c->group_peer = NULL;
}

/* Its ReadyForQuery flushes what came before it, too. */
void
pg_exec_query(struct wire_conn *c, struct pg_exec *x, struct span text, bool cut, bool function_call, uint64_t now)
{
	x->state = PG_TOLD;
	x->query = true;
	x->pub.sent = now;
	take_waits(c, x);
	join_group(c, x);
	pg_exec_flush_point(c);
	c->ops->query(c->ctx, &x->pub, text, cut, NULL, function_call);
}

static void
tell_execute(struct wire_conn *c, struct pg_exec *x)
{
	struct pg_values values;
	bool known = pg_bind_read(c, x, &values);

	x->state = PG_TOLD;
	x->pub.prepared = x->stmt ? &x->stmt->pub : NULL;
	if (x->stmt && known && values.params.n > x->stmt->pub.nparams)
		x->stmt->pub.nparams = values.params.n;
	c->ops->execute(c->ctx, &x->pub, x->pub.prepared, known && values.params.n ? &values.params : NULL);
	if (x->stmt)
		x->stmt->pub.executions++;
	pg_bind_release(&values);
	drop_bind(c, x);
	pg_result_kept(c, x);
}

void
pg_exec_execute(struct wire_conn *c, struct pg_exec *x, uint64_t now)
{
	if (x->state == PG_ENDED)
		return;
	take_waits(c, x);
	join_group(c, x);
	if (x->state != PG_BOUND)
		return;
	x->pub.sent = now;
	tell_execute(c, x);
}

/* ---- answers ---- */

static uint64_t
later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void
emit_part(struct wire_conn *c, struct pg_exec *x, struct wire_part *part)
{
	part->fresh = !c->ended;
	c->ended = true;
	c->well |= part->outcome == WIRE_OK;
	c->ops->part(c->ctx, &x->pub, part);
	x->pub.parts++;
	x->pub.first = x->pub.end = x->pub.bytes = 0;
	x->rows = x->start = x->part_busy = 0;
	x->rows_lent = x->bytes_lent = 0;
	x->shaped = x->answered = false;
}

static void
emit_held(struct wire_conn *c)
{
	struct pg_exec *x = c->held;

	c->held = NULL;
	emit_part(c, x, &c->held_part);
}

/* A Query's part waits for its successor's first byte, or the end, to know whether it stands alone. */
static void
hold_part(struct wire_conn *c, struct pg_exec *x, const struct wire_part *part)
{
	struct span tag = span_first(part->command, sizeof c->held_tag);

	if (tag.n)
		memcpy(c->held_tag, tag.p, tag.n);
	c->held = x;
	c->held_part = *part;
	c->held_part.command = span_of(c->held_tag, tag.n);
}

void
pg_exec_begin(struct wire_conn *c, struct pg_exec *x, uint64_t began, uint64_t sent)
{
	if (c->held) {
		x->pub.batch = true;
		c->held_part.batch = true;
		emit_held(c);
	}
	if (!x->fetch)
		x->fetch = later(sent, c->last_end);
	if (!x->answered) {
		x->answered = true;
		x->start = x->fetch;
		x->pub.first = began;
	}
}

void
pg_exec_answer(struct pg_exec *x, const struct pg_msg *m)
{
	x->pub.bytes += m->size;
	x->pub.end = m->now;
}

/* The client's wait for x is over, for now. */
static void
end_fetch(struct wire_conn *c, struct pg_exec *x, uint64_t now)
{
	if (!x->fetch)
		return;
	if (now > x->fetch) {
		x->part_busy += now - x->fetch;
		x->pub.busy += now - x->fetch;
	}
	x->fetch = 0;
	c->last_end = now;
}

void
pg_exec_suspend(struct wire_conn *c, struct pg_exec *x, uint64_t now)
{
	end_fetch(c, x, now);
	x->pub.end = now;
}

/* The number at the end of a command tag: "INSERT 0 5", "SELECT 5", "COPY 5". */
static uint64_t
tag_rows(struct span tag)
{
	uint64_t n = 0;
	size_t i = tag.n;

	while (i > 0 && tag.p[i - 1] >= '0' && tag.p[i - 1] <= '9')
		i--;
	if (i == 0 || tag.p[i - 1] != ' ')
		return 0;
	for (; i < tag.n; i++)
		n = n * 10 + (uint64_t)(tag.p[i] - '0');
	return n;
}

/* Its own duration cannot be told when neighbours share its flush, or it came in the same instant as the answer before. */
static bool
is_batch(const struct wire_conn *c, const struct pg_exec *x)
{
	bool unflushed = !x->query && x->group == c->group;
	bool same_instant = x->start > x->pub.sent && x->start == x->pub.end;

	return x->pub.batch || unflushed || same_instant;
}

void
pg_exec_part(struct wire_conn *c, struct pg_exec *x, enum wire_outcome outcome, const char *code, struct span tag, uint64_t now)
{
	struct wire_part part = { .outcome = outcome, .command = tag, .affected = tag_rows(tag), .open = x->open };

	if (!x->start)
		x->start = x->fetch ? x->fetch : later(x->pub.sent, c->last_end);
	end_fetch(c, x, now);
	part.start = x->start;
	part.first = x->pub.first;
	part.end = x->pub.end;
	part.busy = x->part_busy;
	part.rows = x->rows;
	part.bytes = x->pub.bytes;
	part.batch = is_batch(c, x);
	memcpy(part.code, code, strnlen(code, sizeof part.code - 1));
	if (x->query) {
		hold_part(c, x, &part);
		return;
	}
	emit_part(c, x, &part);
	pg_exec_done(c, x);
}

void
pg_exec_done(struct wire_conn *c, struct pg_exec *x)
{
	if (x->state != PG_TOLD)
		return;
	if (c->held == x)
		emit_held(c);
	if (c->group_peer == x)
		c->group_peer = NULL;
	x->state = PG_ENDED;
	c->ops->done(c->ctx, &x->pub);
	pg_stmt_unref(c, x->stmt);
	x->stmt = NULL;
}

void
pg_exec_lost(struct wire_conn *c, struct pg_exec *x, uint64_t now)
{
	if (x->state != PG_TOLD)
		return;
	if (c->held == x)
		emit_held(c);
	if (!x->fetch && !x->answered)
		x->fetch = later(x->pub.sent, c->last_end);
	if (x->answered || x->pub.parts == 0)
		pg_exec_part(c, x, WIRE_LOST, "", (struct span){ NULL, 0 }, now);
	pg_exec_done(c, x);
}
