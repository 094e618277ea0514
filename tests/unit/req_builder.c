/* SPDX-License-Identifier: Apache-2.0 */
/* req_builder: see req_builder.h. */
#include "req_builder.h"

#include <stdio.h>
#include <stdlib.h>

#include "fingerprint/arena.h"
#include "fingerprint/mem.h"
#include "reports/lineage/lineage.h"
#include "reports/judge/rules.h"
#include "reports/judge/words.h"

enum { MAX_LANES = 16, MAX_TAGS = 16, MAX_SITES = 16, MAX_LOOPS = 4, MAX_COLS = 8, MAX_ROWS = 2000, MAX_PARAMS = 64 };

struct req_builder {
	struct arena arena;
	struct shapes *shapes;
	struct sql_scanner *scanner;
	uint64_t number, clock;
};

/* One request in the making. */
struct draft {
	struct req_builder *b;
	struct request *r;
	struct sql_lang lang;
	struct req_lane lanes[MAX_LANES];
	struct req_tag tags[MAX_TAGS], sites[MAX_SITES];
	struct req_stmt *stmts;
	struct lineage_stmt *clues; /* one per statement */
	uint32_t cap;
	bool lineage; /* some statement has columns */
	uint64_t now; /* ns after the request's start: end of the last statement */
	bool own_lane;
	long loop[MAX_LOOPS];
	int depth;
};

static _Noreturn void
give_up(const char *line)
{
	fprintf(stderr, "req_builder: what is \"%s\"?\n", line);
	abort();
}

struct req_builder *
req_builder_new(void)
{
	struct req_builder *b = xmem_zero(sizeof *b);

	sql_hash_key_init();
	b->shapes = shapes_new();
	b->scanner = sql_scanner_new();
	b->clock = 1000000000;
	return b;
}

void
req_builder_free(struct req_builder *b)
{
	sql_scanner_free(b->scanner);
	shapes_free(b->shapes);
	arena_clear(&b->arena);
	mem_free(b);
}

/* ---- SQL ---- */

/* evidence: its parameters, too, unless NULL. */
static const struct shape *
shape_of(struct req_builder *b, struct sql_lang lang, struct span sql, uint64_t *params, struct lineage_stmt *evidence)
{
	struct rec_value *values = evidence ? arena_zero(&b->arena, MAX_PARAMS * sizeof *values) : NULL;
	struct sql_stmt st;
	char text[256];

	sql_scan(b->scanner, lang, sql, &st);
	*params = 0;
	for (size_t i = 0; i < st.nvalues; i++) {
		size_t n = sql_literal_text(lang, st.values[i].raw, text, sizeof text);
		uint64_t h = n == (size_t)-1 ? 7 : sql_hash(span_of(text, n < sizeof text ? n : sizeof text));

		*params = sql_hash_mix(*params, h);
		if (evidence && evidence->nparams < MAX_PARAMS)
			values[evidence->nparams++] = (struct rec_value){ .hash = h, .slot = st.values[i].slot, .kind = REC_VALUE_HASH };
	}
	if (evidence)
		evidence->params = values;
	return shapes_intern(b->shapes, lang, &st);
}

const struct shape *
req_shape(struct req_builder *b, const char *sql)
{
	uint64_t params;

	return shape_of(b, (struct sql_lang){ .dialect = SQL_POSTGRESQL }, span_str(sql), &params, NULL);
}

/* ---- words ---- */

static uint64_t
duration(const char *word)
{
	char *unit;
	double n = strtod(word, &unit);

	if (unit == word)
		return UINT64_MAX;
	if (strcmp(unit, "us") == 0)
		return (uint64_t)(n * 1e3 + 0.5);
	if (strcmp(unit, "ms") == 0)
		return (uint64_t)(n * 1e6 + 0.5);
	return strcmp(unit, "s") == 0 ? (uint64_t)(n * 1e9 + 0.5) : UINT64_MAX;
}

static enum origin
origin(const char *word)
{
	for (int o = 0; o <= FROM_NONE; o++)
		if (strcmp(word, origin_name((enum origin)o)) == 0)
			return (enum origin)o;
	give_up(word);
}

static uint16_t
site(struct draft *d, const char *where)
{
	for (uint32_t i = 0; i < d->r->nsites; i++)
		if (strcmp(d->sites[i].value, where) == 0)
			return (uint16_t)(i + 1);
	if (d->r->nsites == MAX_SITES)
		give_up(where);
	d->sites[d->r->nsites++] = (struct req_tag){ "source_location", arena_str(&d->b->arena, where) };
	return (uint16_t)d->r->nsites;
}

/* Words that stand alone; false when it is none. */
static bool
take_flag(struct req_stmt *s, const char *word, bool *with)
{
	if (strcmp(word, "rode") == 0) {
		s->flags |= REQ_STMT_RODE;
		s->round_trips = 0;
	} else if (strcmp(word, "batch") == 0)
		s->flags |= REQ_STMT_BATCH;
	else if (strcmp(word, "skipped") == 0)
		s->outcome = REC_SKIPPED;
	else if (strcmp(word, "lost") == 0)
		s->outcome = REC_LOST;
	else if (strcmp(word, "new-text") == 0)
		s->flags |= REQ_STMT_NEW_TEXT;
	else if (strcmp(word, "new-comment") == 0)
		s->flags |= REQ_STMT_NEW_COMMENT;
	else if (strcmp(word, "timed") == 0)
		s->flags |= REQ_STMT_TIMED;
	else if (strcmp(word, "unknown") == 0)
		s->params = 1;
	else if (strcmp(word, "with") == 0)
		*with = true;
	else
		return false;
	return true;
}

/* One value of a result. */
static struct rec_value
value(struct span text)
{
	struct rec_value v = { .hash = sql_hash(text), .kind = REC_VALUE_WORD };
	char copy[64];
	char *end;

	memcpy(copy, text.p, text.n < 63 ? text.n : 63);
	copy[text.n < 63 ? text.n : 63] = '\0';
	v.number = strtoll(copy, &end, 10);
	if (*copy && !*end)
		v.kind = REC_VALUE_INT;
	return v;
}

/* "1,7,9..12" into every width-th value from v on; returns how many. */
static uint32_t
values_of(struct span list, struct rec_value *v, uint32_t width)
{
	uint32_t n = 0;

	while (list.n) {
		const uint8_t *comma = memchr(list.p, ',', list.n);
		struct span item = span_first(list, comma ? (size_t)(comma - list.p) : list.n);
		const char *dots = memmem(item.p, item.n, "..", 2);

		if (dots) {
			for (long k = strtol((const char *)item.p, NULL, 10), to = strtol(dots + 2, NULL, 10); k <= to && n < MAX_ROWS; k++) {
				char text[24];

				v[width * n++] = value(span_of(text, (size_t)snprintf(text, sizeof text, "%ld", k)));
			}
		} else if (n < MAX_ROWS) {
			v[width * n++] = value(item);
		}
		list = span_from(list, item.n + 1);
	}
	return n;
}

/* "id=1..5;customer_id=7,7,9" */
static void
take_columns(struct draft *d, struct lineage_stmt *c, const char *arg)
{
	struct arena *a = &d->b->arena;
	struct lineage_columns *set = arena_zero(a, sizeof *set + MAX_COLS * sizeof *set->c);
	struct rec_value *v = arena_zero(a, MAX_COLS * MAX_ROWS * sizeof *v), *dense;
	const char *p = arg;

	while (*p && set->n < MAX_COLS) {
		size_t name = strcspn(p, "="), list = strcspn(p, ";");

		set->c[set->n] = (struct lineage_column){ .table = "", .name = arena_strndup(a, span_of(p, name)), .at = (uint16_t)set->n };
		if (name < list)
			c->nrows = values_of(span_of(p + name + 1, list - name - 1), v + set->n, MAX_COLS);
		set->n++;
		p += list + (p[list] == ';');
	}
	dense = arena_zero(a, (c->nrows * set->n + 1) * sizeof *dense);
	for (uint32_t i = 0; i < c->nrows; i++)
		memcpy(dense + i * set->n, v + i * MAX_COLS, set->n * sizeof *v);
	c->columns = set;
	c->values = dense;
	d->lineage = true;
}

/* "lane 2": a word with an argument. */
static void
take_pair(struct draft *d, struct req_stmt *s, struct lineage_stmt *c, const char *word, const char *arg, uint64_t *gap)
{
	uint32_t n = (uint32_t)strtoul(arg, NULL, 10);

	if (strcmp(word, "gap") == 0)
		*gap = duration(arg);
	else if (strcmp(word, "lane") == 0)
		s->lane = (uint16_t)n;
	else if (strcmp(word, "tx") == 0)
		s->tx = n;
	else if (strcmp(word, "trips") == 0)
		s->round_trips = (uint16_t)n;
	else if (strcmp(word, "affected") == 0)
		s->affected = n;
	else if (strcmp(word, "result") == 0)
		s->result = 2 * (uint64_t)n; /* of text answers */
	else if (strcmp(word, "prepared") == 0 || strcmp(word, "open") == 0) {
		s->prepared = (uint16_t)n;
		s->flags |= *word == 'p' ? REQ_STMT_PREPARED : 0;
	} else if (strcmp(word, "cols") == 0)
		take_columns(d, c, arg);
	else if (strcmp(word, "bytes") == 0)
		s->bytes = n;
	else if (strcmp(word, "iterations") == 0)
		s->iterations = n;
	else if (strcmp(word, "site") == 0)
		s->site = site(d, arg);
	else if (strcmp(word, "allow") == 0)
		s->allow |= (uint16_t)(1 << rule_find(span_str(arg)));
	else if (strcmp(word, "error") == 0) {
		s->outcome = REC_ERROR;
		memcpy(s->code, arg, strnlen(arg, sizeof s->code));
	} else
		give_up(word);
}

/* ---- lines ---- */

static char *
next_word(char **p)
{
	char *word = *p + strspn(*p, " \t"), *end = word + strcspn(word, " \t");

	*p = *end ? end + 1 : end;
	*end = '\0';
	return *word ? word : NULL;
}

/* Copy of the line with %i and %o replaced. */
static char *
expand(struct draft *d, struct span line)
{
	struct strbuf out;
	char *copy;

	strbuf_init(&out, 1 << 16);
	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] != '%' || i + 1 == line.n || (line.p[i + 1] != 'i' && line.p[i + 1] != 'o'))
			strbuf_char(&out, (char)line.p[i]);
		else
			strbuf_printf(&out, "%ld", d->loop[line.p[++i] == 'i' ? d->depth : d->depth - 1]);
	}
	copy = arena_strndup(&d->b->arena, strbuf_span(&out));
	strbuf_clear(&out);
	return copy;
}

static struct req_stmt *
new_stmt(struct draft *d)
{
	if (d->r->nstmts == d->cap) {
		d->cap = d->cap ? d->cap * 2 : 16;
		d->stmts = xmem_resize(d->stmts, d->cap * sizeof *d->stmts);
		d->clues = xmem_resize(d->clues, d->cap * sizeof *d->clues);
	}
	return &d->stmts[d->r->nstmts++];
}

/* All executions of a shape have one set. */
static void
share_columns(struct draft *d, struct lineage_stmt *c)
{
	for (uint32_t i = 0; i < d->r->nstmts && c->columns; i++)
		if (d->clues[i].shape == c->shape && d->clues[i].columns && d->clues[i].columns->n == c->columns->n)
			c->columns = d->clues[i].columns;
}

static void
add_statement(struct draft *d, char *line, char *bar)
{
	struct req_stmt s = { .round_trips = 1, .iterations = 1 };
	struct lineage_stmt c = { .stmt = d->r->nstmts };
	uint64_t gap = 300000;
	bool with = false;
	char *p = line, *word, *arg;

	*bar = '\0';
	s.shape = shape_of(d->b, d->lang, span_str(bar + 1 + strspn(bar + 1, " ")), &s.params, &c);
	while ((word = next_word(&p))) {
		if (duration(word) != UINT64_MAX) {
			s.busy = duration(word);
			continue;
		}
		if (take_flag(&s, word, &with))
			continue;
		arg = next_word(&p);
		if (!arg)
			give_up(word);
		if (strncmp(arg, "row", 3) == 0)
			s.rows = (uint32_t)strtoul(word, NULL, 10);
		else
			take_pair(d, &s, &c, word, arg, &gap);
	}
	s.flags |= s.tx ? REQ_STMT_IN_TX : 0;
	if (with && d->r->nstmts)
		s.start = d->stmts[d->r->nstmts - 1].start;
	else
		s.start = d->r->nstmts ? d->now + gap : 0;
	if (s.start + s.busy > d->now)
		d->now = s.start + s.busy;
	c.shape = s.shape;
	share_columns(d, &c);
	c.place = s.lane;
	c.rows = s.rows > c.nrows ? s.rows : c.nrows;
	c.sent = s.start;
	c.ended = s.start + s.busy;
	*new_stmt(d) = s;
	d->clues[c.stmt] = c;
}

static void
add_tag(struct draft *d, char *text)
{
	char *equals = strchr(text, '=');

	if (!equals || d->r->ntags == MAX_TAGS)
		give_up(text);
	*equals = '\0';
	d->tags[d->r->ntags++] = (struct req_tag){ text, equals + 1 };
}

static void
add_lane(struct draft *d, const char *database)
{
	if (d->r->nlanes == MAX_LANES)
		give_up(database);
	if (!d->own_lane)
		d->r->nlanes = 0;
	d->own_lane = true;
	d->lanes[d->r->nlanes] = (struct req_lane){ .session = d->r->nlanes + 1, .database = database };
	d->r->nlanes++;
}

static void
add_directive(struct draft *d, char *line)
{
	char *rest = line + strcspn(line, " ");
	struct request *r = d->r;

	if (*rest)
		*rest++ = '\0';
	if (strcmp(line, "scope") == 0)
		r->scope = rest;
	else if (strcmp(line, "test") == 0)
		r->test = rest;
	else if (strcmp(line, "key") == 0)
		r->key = rest;
	else if (strcmp(line, "application") == 0)
		r->application = rest;
	else if (strcmp(line, "borders") == 0)
		r->borders_from = origin(rest);
	else if (strcmp(line, "names") == 0)
		r->scope_from = origin(rest);
	else if (strcmp(line, "mysql") == 0)
		d->lang.dialect = SQL_MYSQL;
	else if (strcmp(line, "idle") == 0)
		r->idle_in_tx = duration(rest);
	else if (strcmp(line, "cut") == 0)
		r->stmts_cut = (uint32_t)strtoul(rest, NULL, 10);
	else if (strcmp(line, "tag") == 0)
		add_tag(d, rest);
	else if (strcmp(line, "lane") == 0)
		add_lane(d, rest);
	else
		give_up(line);
}

static struct span
cut_line(struct span *text)
{
	const uint8_t *end = text->n ? memchr(text->p, '\n', text->n) : NULL;
	struct span line = span_first(*text, end ? (size_t)(end - text->p) : text->n);

	*text = span_from(*text, line.n + 1);
	while (line.n && (*line.p == ' ' || *line.p == '\t'))
		line = span_from(line, 1);
	return line;
}

/* The lines up to the `end` of this loop (or of the text); returns what follows it. */
static struct span
add_lines(struct draft *d, struct span text)
{
	while (text.n) {
		struct span line = cut_line(&text);
		char *copy = expand(d, line), *bar = strchr(copy, '|');
		long from, to;

		if (line.n == 0 || *copy == '#')
			continue;
		if (strcmp(copy, "end") == 0)
			return text;
		if (sscanf(copy, "loop %ld..%ld", &from, &to) == 2) {
			struct span body = text;

			d->depth++;
			for (d->loop[d->depth] = from; d->loop[d->depth] <= to; d->loop[d->depth]++)
				text = add_lines(d, body);
			d->depth--;
		} else if (bar)
			add_statement(d, copy, bar);
		else
			add_directive(d, copy);
	}
	return text;
}

static void *
keep(struct req_builder *b, const void *v, size_t n)
{
	return n ? memcpy(arena_zero(&b->arena, n), v, n) : NULL;
}

static void
judge(struct draft *d)
{
	struct lineage *l = lineage_new();

	d->r->edges = lineage_find(l, d->clues, d->r->nstmts, &d->b->arena, &d->r->nedges);
	lineage_free(l);
}

const struct request *
req_build(struct req_builder *b, const char *text)
{
	struct request *r = arena_zero(&b->arena, sizeof *r);
	struct draft d = { .b = b, .r = r, .lanes = { { .session = 1, .database = "shop" } } };

	*r = (struct request){ .number = ++b->number,
		.start = b->clock,
		.wall_start_us = (int64_t)(b->clock / 1000),
		.scope = "(untagged)",
		.test = "",
		.key = "",
		.application = "",
		.scope_from = FROM_TAG,
		.borders_from = FROM_TAG,
		.nlanes = 1 };
	add_lines(&d, span_str(text));
	r->end = r->start + d.now;
	r->stmts = keep(b, d.stmts, r->nstmts * sizeof *d.stmts);
	r->lanes = keep(b, d.lanes, r->nlanes * sizeof *d.lanes);
	r->tags = keep(b, d.tags, r->ntags * sizeof *d.tags);
	r->sites = keep(b, d.sites, r->nsites * sizeof *d.sites);
	if (d.lineage)
		judge(&d);
	mem_free(d.stmts);
	mem_free(d.clues);
	b->clock = r->end + 200000000;
	return r;
}
