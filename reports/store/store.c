/* SPDX-License-Identifier: Apache-2.0 */
/* store: see store.h. The caller packs and appends to a list under one lock; the thread writes everything it finds there in a few
 * transactions. Shapes are written before the first request that names them. */
#include "store.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "packed.h"
#include "packing.h"
#include "reports/requests/request_stmt.h"
#include "rows.h"
#include "store_file.h"

enum { STRAYS_PER_ROW = 1024, BATCH_MS = 200, TRANSACTION_BYTES = 256 << 10, SHAPES_MORE = 256 };

enum item_kind { ITEM_REQUEST, ITEM_STRAYS, ITEM_SHAPE, ITEM_TEXT };

struct item {
	struct item *next;
	enum item_kind kind;
	const struct shape *shape;	/* ITEM_SHAPE */
	struct request_row row;		/* ITEM_REQUEST: all of it, ITEM_STRAYS: data; within bytes */
	struct text_row text;		/* ITEM_TEXT; within bytes */
	size_t n;			/* what it takes of memory */
	char bytes[];
};

struct store {
	struct rows rows;		/* the thread's while there is one */
	char *path;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more, less;	/* something to do before the next batch is due; room in the queue */
	struct item *first, **last;
	size_t queued;			/* bytes in the list */
	uint64_t dropped;		/* requests that will not be in the file */
	bool ending, patient, broken;	/* broken: the database failed, see rows.why */
	/* the caller's side */
	struct strbuf scratch;
	bool *known;			/* by shape id: its row is on the way */
	uint32_t nknown;
	struct req_stmt *strays;
	uint32_t nstrays;
	bool values;
	uint64_t values_bytes;		/* recorded so far */
};

/* ---- the caller's side ---- */

static bool
has_room(const struct store *s, const struct item *it)
{
	size_t most = s->patient ? LIMIT_STORE_BATCH : LIMIT_STORE_QUEUE;

	return it->kind == ITEM_SHAPE || s->queued == 0 || s->queued + it->n <= most;
}

/* Takes the item over. */
static void
enqueue(struct store *s, struct item *it)
{
	pthread_mutex_lock(&s->lock);
	while (s->patient && !s->broken && !has_room(s, it)) {
		pthread_cond_signal(&s->more);
		pthread_cond_wait(&s->less, &s->lock);
	}
	if (!s->broken && has_room(s, it)) {
		*s->last = it;
		s->last = &it->next;
		s->queued += it->n;
		it = NULL;
	} else
		s->dropped += it->kind == ITEM_REQUEST;
	pthread_mutex_unlock(&s->lock);
	mem_free(it);
}

/* With a copy of the bytes. */
static struct item *
new_item(enum item_kind kind, struct span bytes)
{
	struct item *it = xmem_zero(sizeof *it + bytes.n);

	it->kind = kind;
	it->n = sizeof *it + bytes.n;
	if (bytes.n)
		memcpy(it->bytes, bytes.p, bytes.n);
	return it;
}

/* Row numbers of shapes are their ids plus one. */
static uint32_t
shape_number(void *ctx, const struct shape *shape)
{
	struct store *s = ctx;

	if (shape->id >= s->nknown) {
		uint32_t n = shape->id + SHAPES_MORE;

		s->known = xmem_resize(s->known, n * sizeof *s->known);
		memset(s->known + s->nknown, 0, (n - s->nknown) * sizeof *s->known);
		s->nknown = n;
	}
	if (!s->known[shape->id]) {
		struct item *it = new_item(ITEM_SHAPE, (struct span){ NULL, 0 });

		s->known[shape->id] = true;
		it->shape = shape;
		enqueue(s, it);
	}
	return shape->id + 1;
}

static void
flush_strays(struct store *s)
{
	struct item *it;

	if (s->nstrays == 0)
		return;
	strbuf_reset(&s->scratch);
	packed_strays(&s->scratch, s->strays, s->nstrays, shape_number, s);
	s->nstrays = 0;
	it = new_item(ITEM_STRAYS, strbuf_span(&s->scratch));
	it->row.data = span_of(it->bytes, s->scratch.n);
	enqueue(s, it);
}

void
store_stray(void *store, const struct req_stmt *stray)
{
	struct store *s = store;

	s->strays[s->nstrays++] = *stray;
	if (s->nstrays == STRAYS_PER_ROW)
		flush_strays(s);
}

/* Values as FORMAT.md has them. */
static void
pack_values(struct strbuf *out, const struct stmt_values *v)
{
	struct span in = v->values;

	pack_number(out, v->lang.dialect);
	pack_number(out, v->lang.modes);
	pack_number(out, v->n);
	for (uint32_t i = 0; i < v->n; i++) {
		int32_t n;
		uint32_t type;

		memcpy(&n, in.p, sizeof n);
		memcpy(&type, in.p + sizeof n, sizeof type);
		in = span_from(in, sizeof n + sizeof type);
		pack_number(out, type);
		pack_signed(out, n);
		if (n > 0)
			strbuf_add(out, span_first(in, (size_t)n));
		in = span_from(in, n > 0 ? (size_t)n : 0);
	}
}

void
store_values(void *store, const struct stmt_values *v)
{
	struct store *s = store;
	struct item *it;

	if (!s->values || s->values_bytes > LIMIT_VALUES_RECORDED)
		return;
	strbuf_reset(&s->scratch);
	strbuf_add(&s->scratch, v->text);
	pack_values(&s->scratch, v);
	s->values_bytes += s->scratch.n;
	it = new_item(ITEM_TEXT, strbuf_span(&s->scratch));
	it->text = (struct text_row){ v->session, v->seq, span_of(it->bytes, v->text.n), span_of(it->bytes + v->text.n, s->scratch.n - v->text.n) };
	enqueue(s, it);
}

/* The columns that sqlite3 alone can add up. */
static struct request_row
row_of(const struct request *r)
{
	struct request_row row = { .number = r->number, .start_us = r->wall_start_us, .duration_us = (r->end - r->start) / 1000,
		.statements = (uint64_t)r->nstmts + r->stmts_cut, .queries = r->stmts_cut, .scope_from = r->scope_from,
		.borders_from = r->borders_from };
	uint64_t busy = 0;

	for (uint32_t i = 0; i < r->nstmts; i++) {
		busy += r->stmts[i].busy;
		row.queries += stmt_is_query(&r->stmts[i]);
	}
	row.db_us = busy / 1000;
	return row;
}

void
store_request(void *store, const struct request *r)
{
	struct store *s = store;
	const char *const texts[] = { r->scope, r->test, r->key, r->application };
	struct item *it;
	char *at;

	strbuf_reset(&s->scratch);
	for (int i = 0; i < 4; i++)
		strbuf_str(&s->scratch, texts[i]);
	packed_request(&s->scratch, r, shape_number, s);
	if (s->scratch.cut) {	/* half a request is none */
		s->scratch.cut = false;
		pthread_mutex_lock(&s->lock);
		s->dropped++;
		pthread_mutex_unlock(&s->lock);
		return;
	}
	it = new_item(ITEM_REQUEST, strbuf_span(&s->scratch));
	it->row = row_of(r);
	at = it->bytes;
	struct span *const spans[] = { &it->row.scope, &it->row.test, &it->row.key, &it->row.application };

	for (int i = 0; i < 4; i++) {
		*spans[i] = span_of(at, strlen(texts[i]));
		at += spans[i]->n;
	}
	it->row.data = span_of(at, s->scratch.n - (size_t)(at - it->bytes));
	enqueue(s, it);
}

/* ---- the thread's side ---- */

static bool
write_item(struct store *s, const struct item *it)
{
	switch (it->kind) {
	case ITEM_REQUEST:
		return rows_request(&s->rows, &it->row);
	case ITEM_STRAYS:
		return rows_strays(&s->rows, it->row.data);
	case ITEM_SHAPE:
		return rows_shape(&s->rows, it->shape->id + 1, it->shape);
	case ITEM_TEXT:
		return rows_text(&s->rows, &it->text);
	}
	return false;
}

/* The items before `end` in one transaction; a failure leaves the file as it was before. */
static bool
write_some(struct store *s, const struct item *first, const struct item *end)
{
	bool ok = rows_run(&s->rows, "BEGIN");

	for (; first != end && ok; first = first->next)
		ok = write_item(s, first);
	ok = ok && rows_run(&s->rows, "COMMIT");
	if (!ok && !sqlite3_get_autocommit(s->rows.db))
		sqlite3_exec(s->rows.db, "ROLLBACK", NULL, NULL, NULL);
	return ok;
}

/* Where a transaction that begins with this item ends: a full disk shall cost no more than the last one. */
static struct item *
end_of_transaction(struct item *it)
{
	size_t n = 0;

	for (; it && n < TRANSACTION_BYTES; it = it->next)
		n += it->n;
	return it;
}

static void
write_batch(struct store *s, struct item *first)
{
	bool ok = !s->broken;
	uint64_t lost = 0;

	while (first) {
		struct item *end = end_of_transaction(first), *next;

		ok = ok && write_some(s, first, end);
		for (; first != end; first = next) {
			next = first->next;
			lost += !ok && first->kind == ITEM_REQUEST;
			mem_free(first);
		}
	}
	pthread_mutex_lock(&s->lock);
	s->broken = !ok;
	s->dropped += lost;
	pthread_cond_signal(&s->less);
	pthread_mutex_unlock(&s->lock);
}

/* Everything queued, when the next batch is due or somebody waits for room; NULL for nothing. */
static struct item *
take_batch(struct store *s, bool *ending)
{
	struct timespec until;
	struct item *first;

	pthread_mutex_lock(&s->lock);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += BATCH_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	if (!s->ending)
		pthread_cond_timedwait(&s->more, &s->lock, &until);
	*ending = s->ending;
	first = s->first;
	s->first = NULL;
	s->last = &s->first;
	s->queued = 0;
	pthread_cond_signal(&s->less);
	pthread_mutex_unlock(&s->lock);
	return first;
}

static void *
store_main(void *arg)
{
	struct store *s = arg;
	bool ending;

	do {
		struct item *first = take_batch(s, &ending);

		if (first)
			write_batch(s, first);
	} while (!ending);
	return NULL;
}

/* ---- opening and finishing ---- */

static void
init_waiting(struct store *s)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->more, &attr);
	pthread_cond_init(&s->less, NULL);
	pthread_condattr_destroy(&attr);
}

static void
free_store(struct store *s)
{
	rows_close(&s->rows);
	strbuf_clear(&s->scratch);
	pthread_cond_destroy(&s->less);
	pthread_cond_destroy(&s->more);
	pthread_mutex_destroy(&s->lock);
	mem_free(s->path);
	mem_free(s->known);
	mem_free(s->strays);
	mem_free(s);
}

struct store *
store_open(const char *path, const char *command, int64_t started_us, const char *const *upstreams, uint32_t nupstreams, bool values, char *err,
    size_t err_n)
{
	struct recording_head head = { command, values, started_us, upstreams, nupstreams };
	struct store *s;

	if (!store_file_clear(path, err, err_n))
		return NULL;
	s = xmem_zero(sizeof *s);
	init_waiting(s);
	s->path = xmem_strdup(path);
	s->values = values;
	s->last = &s->first;
	strbuf_init(&s->scratch, LIMIT_PACKED_REQUEST);
	s->strays = xmem_zero(STRAYS_PER_ROW * sizeof *s->strays);
	if (rows_create(&s->rows, path, &head) && pthread_create(&s->thread, NULL, store_main, s) == 0)
		return s;
	snprintf(err, err_n, "%s: cannot be written: %s", path, s->rows.why[0] ? s->rows.why : "no thread could be started");
	free_store(s);
	store_file_remove(path);
	return NULL;
}

void
store_patient(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	s->patient = true;
	pthread_mutex_unlock(&s->lock);
}

static void
end_thread(struct store *s)
{
	flush_strays(s);
	pthread_mutex_lock(&s->lock);
	s->ending = true;
	pthread_cond_signal(&s->more);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
}

bool
store_finish(struct store *s, const struct snapshot *snap, char *err, size_t err_n)
{
	bool ok;

	end_thread(s);
	ok = !s->broken && rows_end(&s->rows, snap, s->dropped);
	if (!ok)
		snprintf(err, err_n, "%s: %s: the recording is incomplete (what was written before stays readable, %llu requests are missing)", s->path,
		    s->rows.why, (unsigned long long)s->dropped);
	else if (s->dropped)
		snprintf(err, err_n, "%s: the disk was too slow: the recording is incomplete (%llu requests are missing)", s->path,
		    (unsigned long long)s->dropped);
	ok = ok && s->dropped == 0;
	free_store(s);
	return ok;
}

void
store_abandon(struct store *s)
{
	if (!s)
		return;
	end_thread(s);
	free_store(s);
}
