/* SPDX-License-Identifier: Apache-2.0 */
/* baseline: see baseline.h. This file reads and finds; baseline_merge.c merges. */
#include "baseline.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "fingerprint/shapes.h"
#include "snapshot.h"
#include "words.h"

/* ---- reading ---- */

struct reading {
	struct baseline *b;
	const char *shown;
	char *err;
	size_t err_n;
};

static bool __attribute__((format(printf, 2, 3)))
wrong(struct reading *r, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(r->err, r->err_n, "%s: ", r->shown);

	va_start(ap, fmt);
	if (n >= 0 && (size_t)n < r->err_n)
		vsnprintf(r->err + n, r->err_n - (size_t)n, fmt, ap);
	va_end(ap);
	return false;
}

/* Only these keys; a typing error would switch a part of the gate off in silence. */
static bool
known_keys(struct reading *r, const char *where, json_t *object, const char *const *known)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value) {
		const char *const *k = known;

		while (*k && strcmp(*k, key) != 0)
			k++;
		if (!*k)
			return wrong(r, "%s: unknown key \"%s\"", where, key);
	}
	return true;
}

static bool
read_count(struct reading *r, const char *where, const char *key, json_t *value, int64_t *out)
{
	if (!value)
		return wrong(r, "%s: \"%s\" is missing", where, key);
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return wrong(r, "%s: \"%s\" wants a whole number from 0", where, key);
	*out = json_integer_value(value);
	return true;
}

static bool
read_text(struct reading *r, const char *where, const char *key, json_t *value, const char **out)
{
	*out = NULL;
	if (!value)
		return true;
	if (!json_is_string(value))
		return wrong(r, "%s: \"%s\" wants a text", where, key);
	*out = arena_strndup(&r->b->arena, span_str(json_string_value(value)));
	return true;
}

/* "n-plus-one:91bd02c4a5e6f708" */
static bool
read_key(struct reading *r, const char *where, const char *key, struct baseline_finding *f)
{
	const char *colon = strchr(key, ':'), *hex = colon ? colon + 1 : "";

	f->rule = rule_find(span_of(key, colon ? (size_t)(colon - key) : 0));
	if (f->rule == RULES || strlen(hex) != 16 || strspn(hex, "0123456789abcdef") != 16)
		return wrong(r, "%s: \"%s\" is no RULE:FINGERPRINT (n-plus-one: and 16 hex digits)", where, key);
	f->fingerprint = strtoull(hex, NULL, 16);
	return true;
}

static bool
read_finding(struct reading *r, const char *scope, const char *key, json_t *value, struct baseline_finding *f)
{
	static const char *const known[] = { "count", "fingerprint_version", "shape", "reason", "expires", NULL };
	const char *where = arena_printf(&r->b->arena, "scope \"%s\", \"%s\"", scope, key);
	int64_t version;

	if (!json_is_object(value))
		return wrong(r, "%s wants an object", where);
	if (!known_keys(r, where, value, known) || !read_key(r, where, key, f) ||
	    !read_count(r, where, "count", json_object_get(value, "count"), &f->count) ||
	    !read_count(r, where, "fingerprint_version", json_object_get(value, "fingerprint_version"), &version) ||
	    !read_text(r, where, "shape", json_object_get(value, "shape"), &f->shape) ||
	    !read_text(r, where, "reason", json_object_get(value, "reason"), &f->reason) ||
	    !read_text(r, where, "expires", json_object_get(value, "expires"), &f->expires))
		return false;
	f->version = (uint32_t)version;
	if (!f->shape)
		return wrong(r, "%s: \"shape\" is missing", where);
	if (f->expires && !words_is_date(f->expires))
		return wrong(r, "%s: \"expires\" wants a date such as 2027-01-01, not \"%s\"", where, f->expires);
	return true;
}

static bool
read_scope(struct reading *r, const char *name, json_t *value, struct baseline_scope *s)
{
	static const char *const known[] = { "queries", "findings", NULL };
	const char *where = arena_printf(&r->b->arena, "scope \"%s\"", name), *key;
	json_t *queries = json_object_get(value, "queries"), *findings = json_object_get(value, "findings"), *entry;

	if (!json_is_object(value))
		return wrong(r, "%s wants an object", where);
	if (!known_keys(r, where, value, known))
		return false;
	s->name = arena_strndup(&r->b->arena, span_str(name));
	s->queries = NO_LIMIT;
	if (queries && !read_count(r, where, "queries", queries, &s->queries))
		return false;
	if (findings && !json_is_object(findings))
		return wrong(r, "%s: \"findings\" wants an object", where);
	s->findings = arena_zero(&r->b->arena, json_object_size(findings) * sizeof *s->findings);
	json_object_foreach(findings, key, entry)
		if (!read_finding(r, name, key, entry, &s->findings[s->nfindings++]))
			return false;
	return true;
}

static bool
read_document(struct reading *r, json_t *root)
{
	static const char *const known[] = { "version", "scopes", NULL };
	json_t *scopes = json_object_get(root, "scopes"), *entry;
	const char *name;
	int64_t version;

	if (!json_is_object(root))
		return wrong(r, "it holds no object");
	if (!read_count(r, "the file", "version", json_object_get(root, "version"), &version))
		return false;
	if (version != BASELINE_VERSION)
		return wrong(r, "it has version %" PRId64 ", this rowcall reads version %d: update rowcall, or write the file anew", version,
		    BASELINE_VERSION);
	if (!known_keys(r, "the file", root, known))
		return false;
	if (!json_is_object(scopes))
		return wrong(r, "\"scopes\" is missing or no object");
	r->b->scopes = arena_zero(&r->b->arena, json_object_size(scopes) * sizeof *r->b->scopes);
	json_object_foreach(scopes, name, entry)
		if (!read_scope(r, name, entry, &r->b->scopes[r->b->nscopes++]))
			return false;
	baseline_sort(r->b);
	return true;
}

struct baseline *
baseline_read(struct span text, const char *shown, char *err, size_t err_n)
{
	struct reading r = { .b = xmem_zero(sizeof *r.b), .shown = shown, .err = err, .err_n = err_n };
	json_error_t where;
	json_t *root = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &where);
	bool ok = root && read_document(&r, root);

	if (!root)
		snprintf(err, err_n, "%s:%d:%d: not readable as JSON: %s", shown, where.line, where.column, where.text);
	json_decref(root);
	if (ok)
		return r.b;
	baseline_free(r.b);
	return NULL;
}

static bool
read_all(int fd, struct strbuf *out)
{
	char *room;
	ssize_t n;

	while ((room = strbuf_room(out, 64 << 10))) {
		n = read(fd, room, 64 << 10);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0;
		out->n += (size_t)n;
	}
	errno = EFBIG;
	return false;
}

struct baseline *
baseline_load(const char *path, bool *absent, char *err, size_t err_n)
{
	struct baseline *b = NULL;
	struct strbuf text;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	*absent = fd < 0 && errno == ENOENT;
	if (fd < 0) {
		snprintf(err, err_n, "%s: cannot be read: %s", path, strerror(errno));
		return NULL;
	}
	strbuf_init(&text, LIMIT_BASELINE_BYTES);
	if (read_all(fd, &text))
		b = baseline_read(strbuf_span(&text), path, err, err_n);
	else
		snprintf(err, err_n, "%s: cannot be read: %s", path, strerror(errno));
	strbuf_clear(&text);
	close(fd);
	return b;
}

void
baseline_free(struct baseline *b)
{
	if (b)
		arena_clear(&b->arena);
	mem_free(b);
}

/* ---- finding ---- */

static int
by_name(const void *a, const void *b)
{
	const struct baseline_scope *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int
by_key(const void *a, const void *b)
{
	const struct baseline_finding *x = a, *y = b;
	int order = strcmp(rule_names[x->rule], rule_names[y->rule]);

	return order ? order : x->fingerprint < y->fingerprint ? -1 : x->fingerprint > y->fingerprint;
}

void
baseline_sort(struct baseline *b)
{
	if (b->nscopes)
		qsort(b->scopes, b->nscopes, sizeof *b->scopes, by_name);
	for (uint32_t i = 0; i < b->nscopes; i++)
		if (b->scopes[i].nfindings)
			qsort(b->scopes[i].findings, b->scopes[i].nfindings, sizeof *b->scopes[i].findings, by_key);
}

const struct baseline_scope *
baseline_scope(const struct baseline *b, const char *name)
{
	const struct baseline_scope key = { .name = name };

	return b && b->nscopes ? bsearch(&key, b->scopes, b->nscopes, sizeof key, by_name) : NULL;
}

bool
baseline_finding_is_foreign(const struct baseline_finding *f)
{
	return f->version != SQL_FINGERPRINT_VERSION;
}

const struct baseline_finding *
baseline_find(const struct baseline_scope *s, enum rule_id rule, const struct shape *shape)
{
	for (uint32_t i = 0; s && shape && i < s->nfindings; i++) {
		const struct baseline_finding *f = &s->findings[i];

		if (f->rule == rule &&
		    (baseline_finding_is_foreign(f) ? strcmp(f->shape, shape->text) == 0 : f->fingerprint == shape->fingerprint))
			return f;
	}
	return NULL;
}
