/* SPDX-License-Identifier: Apache-2.0 */
/* filter: see filter.h. The only user of PCRE2. Texts that are not UTF-8 are matched as bytes by a second, byte-wise compilation. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "filter.h"

#include <pcre2.h>
#include <stdio.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"

struct pattern {
	pcre2_code *utf, *bytes;
	char *replace;		/* NULL: a tag pattern */
	size_t replace_n;
};

struct filter {
	struct pattern *patterns;
	size_t n;
	pcre2_match_context *limits;
	pcre2_match_data *match;	/* scratch */
	uint64_t *gave_up;		/* apart, so that a const filter can count */
};

/* ---- compiling ---- */

static pcre2_code *
compile(const char *text, uint32_t options, int *code, size_t *offset)
{
	return pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, options | PCRE2_NEVER_BACKSLASH_C, code, offset, NULL);
}

static void
say(char *err, size_t err_n, size_t index, const char *text, const char *what)
{
	snprintf(err, err_n, "pattern %zu `%s`: %s", index + 1, text, what);
}

/* PCRE2 reads a replacement only when something matches: try it on a pattern with the same groups that matches nothing everywhere. */
static bool
replacement_is_sound(const struct filter *f, const struct filter_rule *rule, int *code)
{
	struct strbuf trial;
	unsigned char out[256];
	size_t out_n = sizeof out, offset;
	pcre2_code *c;

	strbuf_init(&trial, strlen(rule->match) + 16);
	strbuf_printf(&trial, "(?:%s\n)|", rule->match);
	c = compile(strbuf_cstr(&trial), PCRE2_UTF, code, &offset);
	strbuf_clear(&trial);
	*code = 0;
	if (!c)
		return true;
	*code = pcre2_substitute(c, (PCRE2_SPTR)"", 0, 0, PCRE2_SUBSTITUTE_UNSET_EMPTY, NULL, f->limits, (PCRE2_SPTR)rule->replace,
	    PCRE2_ZERO_TERMINATED, out, &out_n);
	pcre2_code_free(c);
	return *code >= 0 || *code == PCRE2_ERROR_NOMEMORY;
}

static bool
has_group(const pcre2_code *c, const char *name)
{
	return pcre2_substring_number_from_name(c, (PCRE2_SPTR)name) > 0;
}

static bool
pattern_compile(struct filter *f, size_t i, const struct filter_rule *rule, char *err, size_t err_n)
{
	struct pattern *p = &f->patterns[i];
	char message[160], what[256];
	int code;
	size_t offset;

	p->utf = compile(rule->match, PCRE2_UTF, &code, &offset);
	if (!p->utf) {
		pcre2_get_error_message(code, (PCRE2_UCHAR *)message, sizeof message);
		snprintf(what, sizeof what, "%s at offset %zu", message, offset);
		say(err, err_n, i, rule->match, what);
		return false;
	}
	p->bytes = compile(rule->match, 0, &code, &offset); /* NULL is fine: such a pattern needs UTF-8 */
	if (!rule->replace) {
		if (has_group(p->utf, "request") || has_group(p->utf, "scope"))
			return true;
		say(err, err_n, i, rule->match, "needs a group (?<request>...) or (?<scope>...)");
		return false;
	}
	if (!replacement_is_sound(f, rule, &code)) {
		pcre2_get_error_message(code, (PCRE2_UCHAR *)message, sizeof message);
		snprintf(what, sizeof what, "its replacement `%s`: %s", rule->replace, message);
		say(err, err_n, i, rule->match, what);
		return false;
	}
	p->replace = xmem_strdup(rule->replace);
	p->replace_n = strlen(rule->replace);
	return true;
}

struct filter *
filter_new(const struct filter_rule *rules, size_t n, char *err, size_t err_n)
{
	struct filter *f = xmem_zero(sizeof *f);

	f->patterns = xmem_zero(n * sizeof *f->patterns);
	f->gave_up = xmem_zero(sizeof *f->gave_up);
	f->n = n;
	f->limits = pcre2_match_context_create(NULL);
	f->match = pcre2_match_data_create(32, NULL);
	if (!f->limits || !f->match) {
		snprintf(err, err_n, "out of memory");
		filter_free(f);
		return NULL;
	}
	pcre2_set_match_limit(f->limits, LIMIT_FILTER_STEPS);
	pcre2_set_depth_limit(f->limits, LIMIT_FILTER_DEPTH);
	pcre2_set_heap_limit(f->limits, LIMIT_FILTER_HEAP_KIB);
	for (size_t i = 0; i < n; i++) {
		if (!pattern_compile(f, i, &rules[i], err, err_n)) {
			filter_free(f);
			return NULL;
		}
	}
	return f;
}

void
filter_free(struct filter *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->n; i++) {
		pcre2_code_free(f->patterns[i].utf);
		pcre2_code_free(f->patterns[i].bytes);
		mem_free(f->patterns[i].replace);
	}
	pcre2_match_data_free(f->match);
	pcre2_match_context_free(f->limits);
	mem_free(f->gave_up);
	mem_free(f->patterns);
	mem_free(f);
}

/* ---- using ---- */

/* True when the code refused the text for not being UTF-8. */
static bool
not_utf8(int rc)
{
	return rc <= PCRE2_ERROR_UTF8_ERR1 && rc >= PCRE2_ERROR_UTF8_ERR21;
}

static int
substitute(const struct filter *f, const struct pattern *p, const pcre2_code *c, struct span in, char *out, size_t *out_n)
{
	return pcre2_substitute(c, in.p, in.n, 0, PCRE2_SUBSTITUTE_GLOBAL | PCRE2_SUBSTITUTE_UNSET_EMPTY, NULL, f->limits,
	    (PCRE2_SPTR)p->replace, p->replace_n, (PCRE2_UCHAR *)out, out_n);
}

/* One rule over in, into out; false when it changed nothing. */
static bool
fold_once(const struct filter *f, const struct pattern *p, struct span in, char *out, size_t *out_n)
{
	size_t cap = *out_n;
	int rc = substitute(f, p, p->utf, in, out, out_n);

	if (not_utf8(rc) && p->bytes) {
		*out_n = cap;
		rc = substitute(f, p, p->bytes, in, out, out_n);
	}
	if (rc < 0)
		++*f->gave_up;
	return rc > 0;
}

void
filter_fold(const struct filter *f, struct span in, struct strbuf *out)
{
	char buf[2][LIMIT_TAG_BYTES];

	in = span_first(in, LIMIT_TAG_BYTES);
	for (size_t i = 0, turn = 0; i < f->n; i++) {
		size_t n = sizeof buf[0];

		if (!f->patterns[i].replace || !fold_once(f, &f->patterns[i], in, buf[turn], &n))
			continue;
		in = span_of(buf[turn], n);
		turn ^= 1;
	}
	strbuf_add(out, in);
}

static int
run(const struct filter *f, const struct pattern *p, struct span text)
{
	int rc = pcre2_match(p->utf, text.p, text.n, 0, 0, f->match, f->limits);

	if (not_utf8(rc) && p->bytes)
		rc = pcre2_match(p->bytes, text.p, text.n, 0, 0, f->match, f->limits);
	return rc;
}

static struct span
group(const struct filter *f, const pcre2_code *c, struct span text, const char *name)
{
	const size_t *at = pcre2_get_ovector_pointer(f->match);
	int i = pcre2_substring_number_from_name(c, (PCRE2_SPTR)name);

	if (i < 0 || (uint32_t)i >= pcre2_get_ovector_count(f->match) || at[2 * i] == PCRE2_UNSET || at[2 * i + 1] < at[2 * i])
		return (struct span){ 0 };
	return span_of(text.p + at[2 * i], at[2 * i + 1] - at[2 * i]);
}

bool
filter_match(const struct filter *f, struct span text, struct filter_hit *hit)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct pattern *p = &f->patterns[i];
		int rc = run(f, p, text);

		if (rc < PCRE2_ERROR_NOMATCH)
			++*f->gave_up;
		if (rc < 0)
			continue;
		hit->request = group(f, p->utf, text, "request");
		hit->scope = group(f, p->utf, text, "scope");
		if (hit->request.n || hit->scope.n)
			return true;
	}
	return false;
}

uint64_t
filter_gave_up(const struct filter *f)
{
	return *f->gave_up;
}
