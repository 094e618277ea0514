/* SPDX-License-Identifier: Apache-2.0 */
/* tagset: see tagset.h. Keys are compared without case and separators: requestId, request-id and request_id are one. */
#include "tagset.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "rule_names.h"

/* What a tag key carries. Within the keys and within the scopes the order is the order of preference. */
enum carrier {
	KEY_OURS, KEY_PATTERN, KEY_REQUEST, KEY_TRACE, KEY_JOB,
	SCOPE_OURS, SCOPE_PATTERN, SCOPE_ROUTE, SCOPE_ACTION, SCOPE_JOB, SCOPE_OPERATION, SCOPE_ENDPOINT, SCOPE_CALLER, SCOPE_URL,
	PART_CONTROLLER, PART_NAMESPACED, PART_ACTION,
	OTHER_ALLOW, OTHER_APPLICATION, SITE_LOCATION, SITE_FILE, SITE_LINE,
	CARRIER_NONE
};

#define CARRIER(key, carrier) { key, sizeof(key) - 1, carrier }
static const struct {
	const char *key;	/* lower case, separators dropped */
	uint8_t n, carrier;
} carriers[] = {
	CARRIER("rowcallrequest", KEY_OURS), CARRIER("rowcallscope", SCOPE_OURS), CARRIER("rowcallallow", OTHER_ALLOW),
	CARRIER("requestid", KEY_REQUEST), CARRIER("correlationid", KEY_REQUEST), CARRIER("xrequestid", KEY_REQUEST), CARRIER("xcorrelationid", KEY_REQUEST),
	CARRIER("traceparent", KEY_TRACE), CARRIER("traceid", KEY_TRACE), CARRIER("jobid", KEY_JOB), CARRIER("jid", KEY_JOB),
	CARRIER("route", SCOPE_ROUTE), CARRIER("httproute", SCOPE_ROUTE),
	CARRIER("controller", PART_CONTROLLER), CARRIER("namespacedcontroller", PART_NAMESPACED),
	CARRIER("controllerwithnamespace", PART_NAMESPACED), CARRIER("action", PART_ACTION),
	CARRIER("job", SCOPE_JOB), CARRIER("sidekiqjob", SCOPE_JOB), CARRIER("operationname", SCOPE_OPERATION),
	CARRIER("endpointid", SCOPE_ENDPOINT), CARRIER("caller", SCOPE_CALLER),
	CARRIER("url", SCOPE_URL),
	CARRIER("application", OTHER_APPLICATION), CARRIER("appname", OTHER_APPLICATION), CARRIER("ddps", OTHER_APPLICATION),
	CARRIER("sourcelocation", SITE_LOCATION), CARRIER("file", SITE_FILE), CARRIER("line", SITE_LINE),
};
#undef CARRIER

enum { FOLD_SLOTS = 1024, FOLD_BYTES = 1024, KEY_BYTES = 32 };

/* Folding runs patterns, and the same few routes come with every statement: remember what came of them. */
struct folded {
	uint64_t hash;
	char *in, *out;		/* owned */
	size_t in_n, out_n;
};

struct tag_reader {
	const struct filter *fold, *patterns;
	uint64_t serial;
	struct folded *folded;	/* FOLD_SLOTS, direct-mapped; NULL without fold patterns */
};

struct tag_reader *
tag_reader_new(const struct filter *fold, const struct filter *patterns)
{
	struct tag_reader *r = xmem_zero(sizeof *r);

	r->fold = fold;
	r->patterns = patterns;
	if (fold)
		r->folded = xmem_zero(FOLD_SLOTS * sizeof *r->folded);
	return r;
}

void
tag_reader_free(struct tag_reader *r)
{
	if (!r)
		return;
	for (size_t i = 0; r->folded && i < FOLD_SLOTS; i++) {
		mem_free(r->folded[i].in);
		mem_free(r->folded[i].out);
	}
	mem_free(r->folded);
	mem_free(r);
}

/* ---- folding ---- */

/* The built-in folding: a query string names an instance, not a scope. Only behind a path, as names of functions may end in `?`. */
static struct span
without_query_string(struct span s)
{
	const uint8_t *mark = s.n ? memchr(s.p, '?', s.n) : NULL;

	if (!mark || !memchr(s.p, '/', (size_t)(mark - s.p)))
		return s;
	return span_of(s.p, (size_t)(mark - s.p));
}

static const struct folded *
fold_by_user(struct tag_reader *r, struct span s)
{
	uint64_t hash = XXH3_64bits(s.p, s.n);
	struct folded *f = &r->folded[hash % FOLD_SLOTS];
	struct strbuf out;

	if (f->in && f->hash == hash && span_eq(span_of(f->in, f->in_n), s))
		return f;
	mem_free(f->in);
	mem_free(f->out);
	strbuf_init(&out, LIMIT_NAME);
	filter_fold(r->fold, s, &out);
	*f = (struct folded){ .hash = hash, .in = xmem_strndup((const char *)s.p, s.n), .in_n = s.n,
		.out = xmem_strndup(strbuf_cstr(&out), out.n), .out_n = out.n };
	strbuf_clear(&out);
	return f;
}

size_t
tag_reader_fold(struct tag_reader *r, struct span scope, char buf[], size_t cap)
{
	scope = without_query_string(span_first(scope, FOLD_BYTES));
	if (r->fold && scope.n) {
		const struct folded *f = fold_by_user(r, scope);

		scope = span_of(f->out, f->out_n);
	}
	scope = span_first(scope, cap);
	if (scope.n)
		memcpy(buf, scope.p, scope.n);
	return scope.n;
}

/* ---- trace ids ---- */

static int
hex_lower(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c;
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c : -1;
}

/* Copies n hex digits in lower case; false when they are not, or when more follow. *zero stays set while all are 0. */
static bool
hex_run(const uint8_t *p, size_t n, char *out, bool *zero)
{
	for (size_t i = 0; i < n; i++) {
		int c = hex_lower(p[i]);

		if (c < 0)
			return false;
		if (c != '0')
			*zero = false;
		if (out)
			out[i] = (char)c;
	}
	return true;
}

bool
trace_id_find(struct span s, char id[33])
{
	enum { VERSION = 2, TRACE = 32, SPAN = 16, FLAGS = 2, WHOLE = VERSION + 1 + TRACE + 1 + SPAN + 1 + FLAGS };

	id[32] = '\0';
	for (size_t i = 0; i + WHOLE <= s.n; i++) {
		const uint8_t *p = s.p + i;
		bool zero = true, ignored = true;

		if (p[2] != '-' || p[35] != '-' || p[52] != '-')
			continue;
		if (hex_run(p, VERSION, NULL, &ignored) && hex_run(p + 3, TRACE, id, &zero) && hex_run(p + 36, SPAN, NULL, &ignored) &&
		    hex_run(p + 53, FLAGS, NULL, &ignored) && !zero)
			return true;
	}
	return false;
}

/* The value of a traceparent or trace_id tag as a key. */
static struct span
trace_key(struct span value, char id[33])
{
	bool zero = true;

	if (trace_id_find(value, id))
		return span_of(id, 32);
	id[32] = '\0';
	if (value.n == 32 && hex_run(value.p, 32, id, &zero) && !zero)
		return span_of(id, 32);
	return (struct span){ 0 };
}

/* ---- reading ---- */

/* What is collected on the way; spans into the tag bytes. */
struct reading {
	struct span key, scope, controller, action, file, line, location, text;
	enum carrier key_rank, scope_rank;
	bool namespaced;
	char trace[33];
};

static enum carrier
carrier_of(struct span key)
{
	char norm[KEY_BYTES];
	size_t n = 0;

	for (size_t i = 0; i < key.n; i++) {
		uint8_t c = key.p[i];

		if (c == '_' || c == '-' || c == '.')
			continue;
		if (n == sizeof norm)
			return CARRIER_NONE;
		norm[n++] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
	}
	for (size_t i = 0; i < sizeof carriers / sizeof *carriers; i++)
		if (carriers[i].n == n && memcmp(carriers[i].key, norm, n) == 0)
			return carriers[i].carrier;
	return CARRIER_NONE;
}

static void
take_key(struct reading *g, enum carrier rank, struct span value)
{
	if (value.n && rank < g->key_rank) {
		g->key = value;
		g->key_rank = rank;
	}
}

static void
take_scope(struct reading *g, enum carrier rank, struct span value)
{
	if (value.n && rank < g->scope_rank) {
		g->scope = value;
		g->scope_rank = rank;
	}
}

static uint16_t
allowed_rules(struct span value)
{
	uint16_t bits = 0;
	size_t i = 0;

	while (i < value.n) {
		size_t from = i;

		while (i < value.n && !strchr(" ,;+|", value.p[i]))
			i++;
		if (i > from) {
			enum rule_id id = rule_find(span_of(value.p + from, i - from));

			if (id < RULES)
				bits |= (uint16_t)(1u << id);
		}
		i++;
	}
	return bits;
}

static bool
ends_in_line_number(struct span s)
{
	size_t n = s.n;

	while (n && s.p[n - 1] >= '0' && s.p[n - 1] <= '9')
		n--;
	return n < s.n && n > 1 && s.p[n - 1] == ':';
}

static void
read_free_text(struct reading *g, struct span text)
{
	static const char file[] = "File: ";	/* EF Core's TagWithCallSite */

	if (text.n > sizeof file - 1 && memcmp(text.p, file, sizeof file - 1) == 0)
		g->file = span_from(text, sizeof file - 1);
	else if (!g->text.n)
		g->text = text;
}

static void
read_tag(struct tagset *t, struct reading *g, struct tag_view v)
{
	enum carrier c = carrier_of(v.key);

	if (!v.key.n) {
		read_free_text(g, v.value);
		return;
	}
	if (c == KEY_TRACE && c < g->key_rank)
		take_key(g, c, trace_key(v.value, g->trace));
	else if (c <= KEY_JOB && c != KEY_TRACE)
		take_key(g, c, v.value);
	else if (c >= SCOPE_OURS && c <= SCOPE_URL)
		take_scope(g, c, v.value);
	if (c == SCOPE_CALLER && !g->location.n && ends_in_line_number(v.value))
		g->location = v.value, t->site_tag = "caller";
	else if (c == PART_NAMESPACED || (c == PART_CONTROLLER && !g->namespaced))
		g->controller = v.value, g->namespaced = c == PART_NAMESPACED;
	else if (c == PART_ACTION)
		g->action = v.value;
	else if (c == OTHER_ALLOW)
		t->allow |= allowed_rules(v.value);
	else if (c == OTHER_APPLICATION && !*t->application)
		t->application = arena_strndup(&t->arena, span_first(v.value, LIMIT_NAME));
	else if (c == SITE_LOCATION && v.value.n)
		g->location = v.value, t->site_tag = "source_location";
	else if (c == SITE_FILE)
		g->file = v.value;
	else if (c == SITE_LINE)
		g->line = v.value;
}

/* A pattern sees `key=value`, or the bare text of a comment without keys. */
static void
read_patterns(const struct tag_reader *r, struct reading *g, struct tag_view v, struct arena *a)
{
	struct span whole = v.value;
	struct filter_hit hit;
	char *p;

	if (v.key.n) {
		p = arena_zero(a, v.key.n + 1 + v.value.n);
		memcpy(p, v.key.p, v.key.n);
		p[v.key.n] = '=';
		if (v.value.n)
			memcpy(p + v.key.n + 1, v.value.p, v.value.n);
		whole = span_of(p, v.key.n + 1 + v.value.n);
	}
	if (!filter_match(r->patterns, whole, &hit))
		return;
	take_key(g, KEY_PATTERN, hit.request);
	take_scope(g, SCOPE_PATTERN, hit.scope);
}

/* "controller#action", or the controller alone. */
static void
join_action(struct tagset *t, struct reading *g)
{
	size_t n = g->controller.n + 1 + g->action.n;
	char *p;

	if (!g->controller.n || g->scope_rank <= SCOPE_ACTION)
		return;
	if (!g->action.n) {
		take_scope(g, SCOPE_ACTION, g->controller);
		return;
	}
	p = arena_zero(&t->arena, n);
	memcpy(p, g->controller.p, g->controller.n);
	p[g->controller.n] = '#';
	memcpy(p + g->controller.n + 1, g->action.p, g->action.n);
	take_scope(g, SCOPE_ACTION, span_of(p, n));
}

/* source_location and caller come as path:line; file and line apart; line alone may hold all (marginalia). */
static void
set_site(struct tagset *t, const struct reading *g)
{
	struct strbuf b;

	t->site = "";
	if (!g->location.n && !g->file.n && !g->line.n)
		return;
	strbuf_init(&b, LIMIT_NAME);
	if (g->location.n) {
		strbuf_add(&b, g->location);
	} else if (g->file.n) {
		t->site_tag = "file";
		strbuf_add(&b, g->file);
		if (g->line.n && !memchr(g->file.p, ':', g->file.n)) {
			strbuf_char(&b, ':');
			strbuf_add(&b, g->line);
		}
	} else if (g->line.n && memchr(g->line.p, ':', g->line.n)) {
		t->site_tag = "line";
		strbuf_add(&b, g->line);
	}
	t->site = arena_strndup(&t->arena, strbuf_span(&b));
	strbuf_clear(&b);
}

/* The next tag of the layout, or false at its end or where it makes no sense. */
static bool
next_tag(struct span *rest, struct tag_view *v)
{
	uint16_t n[2];

	if (rest->n < sizeof n)
		return false;
	memcpy(n, rest->p, sizeof n);
	*rest = span_from(*rest, sizeof n);
	if ((size_t)n[0] + n[1] > rest->n)
		return false;
	v->key = span_first(*rest, n[0]);
	v->value = span_first(span_from(*rest, n[0]), n[1]);
	*rest = span_from(*rest, (size_t)n[0] + n[1]);
	return true;
}

static void
fill(struct tag_reader *r, struct tagset *t, struct span bytes)
{
	struct reading g = { .key_rank = CARRIER_NONE, .scope_rank = CARRIER_NONE };
	char scope[LIMIT_NAME];
	struct span rest;
	struct tag_view v;

	t->serial = ++r->serial;
	t->site_tag = t->application = "";
	t->allow = 0;
	t->ntags = 0;
	t->bytes = rest = span_of(arena_strndup(&t->arena, bytes), bytes.n);
	while (t->ntags < LIMIT_TAGS && next_tag(&rest, &v)) {
		t->tags[t->ntags++] = v;
		read_tag(t, &g, v);
		if (r->patterns)
			read_patterns(r, &g, v, &t->arena);
	}
	join_action(t, &g);
	set_site(t, &g);
	t->key = arena_strndup(&t->arena, span_first(g.key, LIMIT_NAME));
	t->scope = arena_strndup(&t->arena, span_of(scope, tag_reader_fold(r, g.scope, scope, sizeof scope)));
	t->text = g.text.n ? arena_strndup(&t->arena, span_of(scope, tag_reader_fold(r, g.text, scope, sizeof scope))) : "";
}

struct tagset *
tag_reader_read(struct tag_reader *r, struct tagset *last, struct span bytes)
{
	if (last && span_eq(last->bytes, bytes))
		return last;
	if (last && last->refs > 1) {
		last->refs--;
		last = NULL;
	}
	if (last) {
		arena_reset(&last->arena);
	} else {
		last = xmem_zero(sizeof *last);
		last->refs = 1;
	}
	fill(r, last, bytes);
	return last;
}

void
tagset_unref(struct tagset *t)
{
	if (!t || --t->refs)
		return;
	arena_clear(&t->arena);
	mem_free(t);
}
