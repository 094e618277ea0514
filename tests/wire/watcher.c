/* SPDX-License-Identifier: Apache-2.0 */
/* watcher: see watcher.h. Times are written in milliseconds. */
#include "watcher.h"

enum { MS = 1000000, LONGEST_QUOTE = 120 };

void
watcher_init(struct watcher *w)
{
	*w = (struct watcher){ .want_rows = 2 };
	strbuf_init(&w->log, 64 << 20);
	strbuf_init(&w->data, 64 << 20);
}

void
watcher_clear(struct watcher *w)
{
	strbuf_clear(&w->log);
	strbuf_clear(&w->data);
}

void
watcher_quote(struct strbuf *b, struct span s, char quote)
{
	size_t n = s.n < LONGEST_QUOTE ? s.n : LONGEST_QUOTE;

	strbuf_char(b, quote);
	for (size_t i = 0; i < n; i++) {
		char ch = (char)s.p[i];

		if (ch == '\n')
			strbuf_str(b, "\\n");
		else if (ch == quote || ch == '\\')
			strbuf_printf(b, "\\%c", ch);
		else if (ch >= ' ' && ch <= '~')
			strbuf_char(b, ch);
		else
			strbuf_printf(b, "\\x%02x", s.p[i]);
	}
	strbuf_char(b, quote);
	if (n < s.n)
		strbuf_printf(b, "+%zu", s.n - n);
}

void
watcher_flush(struct watcher *w)
{
	uint32_t sum = 1;

	if (!w->data.n)
		return;
	for (size_t i = 0; i < w->data.n; i++)
		sum = sum * 31 + (uint8_t)w->data.p[i];
	strbuf_printf(&w->log, "data x%u %zu bytes sum=%08x\n", w->data_of, w->data.n, sum);
	strbuf_reset(&w->data);
}

void
watcher_line(struct watcher *w, const char *fmt, ...)
{
	va_list ap;

	watcher_flush(w);
	va_start(ap, fmt);
	strbuf_vprintf(&w->log, fmt, ap);
	va_end(ap);
	strbuf_char(&w->log, '\n');
}

static uint32_t
number(struct watcher *w, struct wire_exec *x)
{
	watcher_flush(w);
	if (!x->tag[0]) {
		x->tag[0] = ++w->execs;
		x->want_rows = w->want_rows;
		x->want_bytes = w->want_bytes;
		w->live_execs++;
	}
	return (uint32_t)x->tag[0];
}

static void
put_value(const struct watcher *w, struct strbuf *b, const struct wire_value *v)
{
	char text[256];
	size_t n;

	strbuf_char(b, ' ');
	if (v->n == -1)
		strbuf_str(b, "null");
	else if (v->n == -2)
		strbuf_str(b, "?");
	else if (!v->binary)
		watcher_quote(b, span_of(v->p, (size_t)v->n), '\'');
	else {
		n = w->engine->value_text(v, text, sizeof text);
		if (n == (size_t)-1)
			watcher_quote(b, span_of(v->p, (size_t)v->n), '\'');
		else
			watcher_quote(b, span_of(text, n < sizeof text ? n : sizeof text), '\'');
		strbuf_str(b, "b");
	}
	if (v->type)
		strbuf_printf(b, ":%u", v->type);
}

static void
put_params(struct watcher *w, const struct wire_params *params)
{
	for (uint32_t i = 0; i < params->n; i++) {
		put_value(w, &w->log, &params->values[i]);
		if (params->names && params->names[i].n) {
			strbuf_char(&w->log, '=');
			watcher_quote(&w->log, params->names[i], '"');
		}
	}
}

static void
on_query(void *ctx, struct wire_exec *x, struct span text, bool cut, const struct wire_params *attrs, bool function_call)
{
	struct watcher *w = ctx;
	uint32_t n = number(w, x);

	strbuf_printf(&w->log, "query x%u ", n);
	watcher_quote(&w->log, text, '"');
	if (attrs)
		put_params(w, attrs);
	strbuf_printf(&w->log, "%s%s sent=%llu trips=%u\n", cut ? " cut" : "", function_call ? " function-call" : "",
	    (unsigned long long)x->sent / MS, x->round_trips);
}

static void
on_prepare(void *ctx, struct wire_prepared *p, struct span name, struct span text, bool cut)
{
	struct watcher *w = ctx;

	watcher_flush(w);
	p->user = (void *)(uintptr_t)++w->prepared;
	w->live_prepared++;
	strbuf_printf(&w->log, "prepare p%u ", w->prepared);
	watcher_quote(&w->log, name, '"');
	strbuf_char(&w->log, ' ');
	watcher_quote(&w->log, text, '"');
	strbuf_printf(&w->log, "%s nparams=%u\n", cut ? " cut" : "", p->nparams);
}

static void
on_unprepare(void *ctx, struct wire_prepared *p)
{
	struct watcher *w = ctx;

	w->live_prepared--;
	watcher_line(w, "unprepare p%u executions=%u", (unsigned)(uintptr_t)p->user, p->executions);
}

static void
on_execute(void *ctx, struct wire_exec *x, struct wire_prepared *p, const struct wire_params *params)
{
	struct watcher *w = ctx;
	uint32_t n = number(w, x);

	strbuf_printf(&w->log, "execute x%u p%u", n, p ? (unsigned)(uintptr_t)p->user : 0);
	if (params)
		put_params(w, params);
	if (x->iterations != 1)
		strbuf_printf(&w->log, " iterations=%u", x->iterations);
	strbuf_printf(&w->log, "%s sent=%llu trips=%u\n", params && params->cut ? " cut" : "", (unsigned long long)x->sent / MS,
	    x->round_trips);
}

static void
on_columns(void *ctx, struct wire_exec *x, const struct wire_column *cols, uint32_t n)
{
	struct watcher *w = ctx;

	strbuf_printf(&w->log, "columns x%u", number(w, x));
	for (uint32_t i = 0; i < n; i++) {
		strbuf_char(&w->log, ' ');
		watcher_quote(&w->log, cols[i].name, '"');
		strbuf_printf(&w->log, ":%u%s", cols[i].type, cols[i].binary ? "b" : "");
		if (cols[i].table_oid)
			strbuf_printf(&w->log, "@%u.%u", cols[i].table_oid, cols[i].attnum);
		if (cols[i].org_table.n)
			strbuf_printf(&w->log, "@%.*s.%.*s", (int)cols[i].org_table.n, (const char *)cols[i].org_table.p,
			    (int)cols[i].org_name.n, (const char *)cols[i].org_name.p);
	}
	strbuf_char(&w->log, '\n');
}

static void
on_row(void *ctx, struct wire_exec *x, const struct wire_value *values, uint32_t n)
{
	struct watcher *w = ctx;

	strbuf_printf(&w->log, "row x%u", number(w, x));
	for (uint32_t i = 0; i < n; i++)
		put_value(w, &w->log, &values[i]);
	strbuf_char(&w->log, '\n');
}

static void
on_data(void *ctx, struct wire_exec *x, struct span bytes)
{
	struct watcher *w = ctx;

	if (w->data_of != (uint32_t)x->tag[0])
		watcher_flush(w);
	w->data_of = (uint32_t)x->tag[0];
	strbuf_add(&w->data, bytes);
}

static void
on_part(void *ctx, struct wire_exec *x, const struct wire_part *r)
{
	static const char *const outcomes[] = { "ok", "empty", "error", "skipped", "lost" };
	struct watcher *w = ctx;

	strbuf_printf(&w->log, "part x%u.%u %s", number(w, x), x->parts, outcomes[r->outcome]);
	if (r->code[0])
		strbuf_printf(&w->log, " %s", r->code);
	if (r->command.n) {
		strbuf_char(&w->log, ' ');
		watcher_quote(&w->log, r->command, '"');
	}
	if (r->insert_id)
		strbuf_printf(&w->log, " insert_id=%llu", (unsigned long long)r->insert_id);
	strbuf_printf(&w->log, " rows=%llu affected=%llu bytes=%llu time=%llu/%llu/%llu busy=%llu%s%s\n", (unsigned long long)r->rows,
	    (unsigned long long)r->affected, (unsigned long long)r->bytes, (unsigned long long)r->start / MS,
	    (unsigned long long)r->first / MS, (unsigned long long)r->end / MS, (unsigned long long)r->busy / MS,
	    r->batch ? " batch" : "", r->open ? " open" : "");
}

static void
on_done(void *ctx, struct wire_exec *x)
{
	struct watcher *w = ctx;
	uint32_t n = number(w, x);

	w->live_execs--;
	strbuf_printf(&w->log, "done x%u parts=%u trips=%u busy=%llu\n", n, x->parts, x->round_trips, (unsigned long long)x->busy / MS);
}

static void
on_undone(void *ctx, uint64_t now)
{
	struct watcher *w = ctx;

	(void)now;
	watcher_line(w, "undone");
}

static void
on_transaction(void *ctx, enum wire_tx tx, uint64_t now)
{
	static const char *const names[] = { "idle", "open", "failed" };

	(void)now;
	watcher_line(ctx, "transaction %s", names[tx]);
}

static void
on_fact(void *ctx, enum wire_fact kind, struct span name, struct span value)
{
	static const char *const kinds[] = { "startup", "status", "server" };
	struct watcher *w = ctx;

	watcher_flush(w);
	strbuf_printf(&w->log, "fact %s ", kinds[kind]);
	watcher_quote(&w->log, name, '"');
	strbuf_char(&w->log, ' ');
	watcher_quote(&w->log, value, '"');
	strbuf_char(&w->log, '\n');
}

static void
on_reset(void *ctx, uint64_t now)
{
	(void)now;
	watcher_line(ctx, "reset");
}

static void
on_notice(void *ctx, const char *code, uint64_t now)
{
	(void)now;
	watcher_line(ctx, "notice %s", code);
}

static void
on_ready(void *ctx, uint64_t now)
{
	(void)now;
	watcher_line(ctx, "ready");
}

static void
on_opaque(void *ctx, enum wire_opaque why, const char *detail)
{
	watcher_line(ctx, "opaque %s: %s", wire_opaque_name(why), detail);
}

static void
on_cancel_key(void *ctx, struct span key)
{
	watcher_line(ctx, "cancel_key %zu bytes", key.n);
}

const struct wire_ops watcher_ops = {
	.query = on_query, .prepare = on_prepare, .unprepare = on_unprepare, .execute = on_execute, .columns = on_columns, .row = on_row,
	.data = on_data, .part = on_part, .done = on_done, .transaction = on_transaction, .undone = on_undone, .fact = on_fact, .reset = on_reset,
	.notice = on_notice, .ready = on_ready, .opaque = on_opaque, .cancel_key = on_cancel_key,
};
