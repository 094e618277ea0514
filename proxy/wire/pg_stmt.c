/* SPDX-License-Identifier: Apache-2.0 */
/* pg_stmt: the prepared statements of a session, from Parse to Close.
 * Does: tell prepare() and unprepare(), keep parameter types and the description of the result, evict the least recently used when there
 * are too many. Never: keeps the text (the watcher has it), or lets a failed Parse hide the statement that still has the name. */
#include "fingerprint/mem.h"
#include "pg_conn.h"

enum { FREE_STMTS = 4 };	/* kept for reuse by a session */

/* ---- the list of live ones ---- */

static void
lru_remove(struct wire_conn *c, struct pg_stmt *s)
{
	if (s->lru_prev)
		s->lru_prev->lru_next = s->lru_next;
	else
		c->lru_first = s->lru_next;
	if (s->lru_next)
		s->lru_next->lru_prev = s->lru_prev;
	else
		c->lru_last = s->lru_prev;
	s->lru_prev = s->lru_next = NULL;
}

static void
lru_front(struct wire_conn *c, struct pg_stmt *s)
{
	s->lru_prev = NULL;
	s->lru_next = c->lru_first;
	if (c->lru_first)
		c->lru_first->lru_prev = s;
	else
		c->lru_last = s;
	c->lru_first = s;
}

void
pg_stmt_touch(struct wire_conn *c, struct pg_stmt *s)
{
	if (s->v.standing != PG_LIVE || c->lru_first == s)
		return;
	lru_remove(c, s);
	lru_front(c, s);
}

/* ---- life ---- */

static struct pg_stmt *
new_stmt(struct wire_conn *c)
{
	struct pg_stmt *s = c->free_stmts;

	if (!s)
		return mem_zero(sizeof *s);
	c->free_stmts = s->lru_next;
	c->nfree_stmts--;
	memset(s, 0, sizeof *s);
	return s;
}

static void
drop_oids(struct wire_conn *c, struct pg_stmt *s)
{
	if (s->oids && s->oids != s->inline_oids) {
		c->kept -= s->noids * sizeof *s->oids;
		mem_free(s->oids);
	}
	s->oids = NULL;
	s->noids = 0;
}

void
pg_stmt_unref(struct wire_conn *c, struct pg_stmt *s)
{
	if (!s || --s->v.refs)
		return;
	c->ops->unprepare(c->ctx, &s->pub);
	drop_oids(c, s);
	pg_kept_drop(c, &s->described);
	if (c->nfree_stmts == FREE_STMTS) {
		mem_free(s);
		return;
	}
	s->lru_next = c->free_stmts;
	c->free_stmts = s;
	c->nfree_stmts++;
}

void
pg_stmt_gone(struct wire_conn *c, struct pg_stmt *s)
{
	if (!s || !s->v.slot)
		return;
	if (s->v.standing == PG_LIVE)
		lru_remove(c, s);
	pg_names_unlink(&c->statements, &s->v);
	c->nstmts--;
	pg_stmt_unref(c, s);
}

/* Makes room for one more name of n bytes. */
static void
evict(struct wire_conn *c, size_t n)
{
	while (c->lru_last && (c->nstmts >= LIMIT_WIRE_PREPARED || c->statements.bytes + n > LIMIT_PG_KEPT))
		pg_stmt_gone(c, c->lru_last);
}

static struct pg_stmt *
link_new(struct wire_conn *c, struct span name)
{
	struct pg_stmt *s;

	evict(c, name.n);
	if (c->statements.bytes + name.n > LIMIT_PG_KEPT)
		return NULL;
	s = new_stmt(c);
	if (s && !pg_names_link(&c->statements, name, &s->v)) {
		mem_free(s);
		s = NULL;
	}
	if (!s) {
		pg_opaque(c, WIRE_OPAQUE_MEMORY, "statement");
		return NULL;
	}
	c->nstmts++;
	return s;
}

static void
set_oids(struct wire_conn *c, struct pg_stmt *s, struct bytes *body, size_t n)
{
	uint32_t *oids = s->inline_oids;

	if (n > bytes_left(body) / 4)
		return;		/* malformed, or cut: the server says more */
	drop_oids(c, s);
	if (n > PG_INLINE_OIDS) {
		if (c->kept + n * sizeof *oids > LIMIT_PG_KEPT)
			return;
		oids = mem_alloc(n * sizeof *oids);
		if (!oids)
			return;
		c->kept += n * sizeof *oids;
	}
	for (size_t i = 0; i < n; i++)
		oids[i] = bytes_be32(body);
	s->oids = oids;
	s->noids = (uint32_t)n;
}

struct pg_stmt *
pg_stmt_parse(struct wire_conn *c, struct span name, struct span text, bool cut, struct bytes *oids)
{
	struct pg_stmt *s = link_new(c, name);
	uint16_t n;

	if (!s)
		return NULL;
	n = bytes_be16(oids);
	set_oids(c, s, oids, n);
	s->pub.nparams = s->noids;
	pg_stmt_ref(s);
	c->ops->prepare(c->ctx, &s->pub, name, text, cut);
	return s;
}

static void
make_live(struct wire_conn *c, struct pg_stmt *s)
{
	if (s->v.older)
		pg_stmt_gone(c, (struct pg_stmt *)s->v.older);
	s->v.standing = PG_LIVE;
	lru_front(c, s);
}

struct pg_stmt *
pg_stmt_remember(struct wire_conn *c, struct span name, void *user)
{
	struct pg_version *v = pg_names_find(&c->statements, name);
	struct pg_stmt *s;

	if (v && v->standing == PG_LIVE)
		pg_stmt_gone(c, (struct pg_stmt *)v);
	else if (v)
		return NULL;		/* a Parse of that name is under way and will decide */
	s = link_new(c, name);
	if (!s)
		return NULL;
	s->pub.user = user;
	make_live(c, s);
	return s;
}

void
pg_stmt_confirm(struct wire_conn *c, struct pg_stmt *s)
{
	if (s && s->v.slot)
		make_live(c, s);
}

void
pg_stmt_types(struct wire_conn *c, struct pg_stmt *s, struct span body, bool cut)
{
	struct bytes b = bytes_of(body);
	uint16_t n = bytes_be16(&b);

	if (b.bad || (!cut && bytes_left(&b) != 4u * n)) {
		pg_opaque(c, WIRE_OPAQUE_BAD_LENGTH, "ParameterDescription");
		return;
	}
	if (!s)
		return;
	set_oids(c, s, &b, n);
	s->pub.nparams = n;
}

void
pg_stmt_describe(struct wire_conn *c, struct pg_stmt *s, struct span body, bool cut)
{
	struct span copy;

	if (!pg_result_check(c, body, cut) || !s || cut || body.n > LIMIT_PG_DESCRIPTION)
		return;
	copy = pg_kept_copy(c, body);
	if (!copy.n)
		return;
	pg_kept_drop(c, &s->described);
	s->described = copy;
}

void
pg_stmt_forget_all(struct wire_conn *c)
{
	struct pg_stmt *s, *next;

	for (s = c->lru_first; s; s = next) {
		next = s->lru_next;
		if (s->v.slot != &c->statements.unnamed)
			pg_stmt_gone(c, s);
	}
}

void
pg_stmt_free_all(struct wire_conn *c)
{
	struct pg_stmt *s;

	while (c->lru_first)
		pg_stmt_gone(c, c->lru_first);
	while ((s = c->free_stmts)) {
		c->free_stmts = s->lru_next;
		mem_free(s);
	}
	c->nfree_stmts = 0;
	pg_names_clear(&c->statements);
}
