/* SPDX-License-Identifier: Apache-2.0 */
/* location: see location.h. */
#include "location.h"

/* Endings of files that issue queries or hold tests. A fixed list, as "com.shop.Order" and "GET /orders.json" have an ending too. */
static const char *const endings[] = { "c", "cc", "cjs", "clj", "cpp", "cs", "cxx", "dart", "erb", "erl", "ex", "exs", "feature", "fs",
	"go", "groovy", "h", "hpp", "java", "js", "jsx", "kt", "kts", "lua", "m", "mjs", "mts", "php", "pl", "pm", "py", "rake", "rb",
	"robot", "rs", "ru", "scala", "sql", "svelte", "swift", "t", "ts", "tsx", "vb", "vue" };

static bool
is_path(struct span s)
{
	size_t dot = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] == '?' || s.p[i] == '*')
			return false;
		if (s.p[i] == '/' || s.p[i] == '\\')
			dot = 0;
		else if (s.p[i] == '.' && i > 0)
			dot = i + 1;
	}
	for (size_t i = 0; dot && i < sizeof endings / sizeof endings[0]; i++)
		if (span_is_nocase(span_from(s, dot), endings[i]))
			return true;
	return false;
}

static size_t
digits_at(struct span s, size_t at, uint32_t *value)
{
	size_t n = 0;

	*value = 0;
	for (; at + n < s.n && n < 7 && s.p[at + n] >= '0' && s.p[at + n] <= '9'; n++)
		*value = *value * 10 + (uint32_t)(s.p[at + n] - '0');
	return n;
}

bool
location_parse(struct span text, struct location *out)
{
	size_t colon = 0;
	uint32_t line = 0;

	/* A drive letter's colon is part of the path. */
	if (text.n > 2 && text.p[1] == ':' && (text.p[2] == '\\' || text.p[2] == '/'))
		colon = 2;
	while (colon < text.n && text.p[colon] != ':')
		colon++;
	if (!is_path(span_first(text, colon)))
		return false;
	if (colon < text.n)
		digits_at(text, colon + 1, &line);
	out->file = span_first(text, colon);
	out->line = line;
	return true;
}

static const char *
tag_value(const struct req_tag *tags, uint32_t n, const char *key)
{
	for (uint32_t i = 0; i < n; i++)
		if (strcmp(tags[i].key, key) == 0)
			return tags[i].value;
	return NULL;
}

static bool
from_site(const struct request *r, uint32_t stmt, struct location *out)
{
	static const char *const origins[] = { "source_location", "file", "line", "caller" };
	uint16_t site = stmt < r->nstmts ? r->stmts[stmt].site : 0;

	if (site == 0 || site > r->nsites || !location_parse(span_str(r->sites[site - 1].value), out))
		return false;
	for (size_t i = 0; i < sizeof origins / sizeof origins[0]; i++)
		if (strcmp(r->sites[site - 1].key, origins[i]) == 0)
			out->origin = origins[i];
	return *out->origin;
}

/* file='app/X.php', line='12' */
static bool
from_file_and_line(const struct request *r, struct location *out)
{
	const char *file = tag_value(r->tags, r->ntags, "file"), *line = tag_value(r->tags, r->ntags, "line");

	if (!file || !location_parse(span_str(file), out))
		return false;
	if (out->line == 0 && line)
		digits_at(span_str(line), 0, &out->line);
	out->origin = "file";
	return true;
}

static bool
from_tags(const struct request *r, struct location *out)
{
	static const char *const keys[] = { "source_location", "line", "caller" };

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		const char *value = tag_value(r->tags, r->ntags, keys[i]);

		if (value && location_parse(span_str(value), out)) {
			out->origin = keys[i];
			return true;
		}
		if (i == 0 && from_file_and_line(r, out))
			return true;
	}
	return false;
}

/* EF Core's TagWithCallSite: a comment "File: /src/Orders.cs:42", kept as a tag without a key. */
static bool
from_call_site(const struct request *r, struct location *out)
{
	const char *text = tag_value(r->tags, r->ntags, "");

	if (!text || strncasecmp(text, "file:", 5) != 0)
		return false;
	text += 5;
	text += strspn(text, " ");
	out->origin = "caller";
	return location_parse(span_str(text), out);
}

struct location
location_of(const struct request *r, const struct raw_finding *f)
{
	struct location out = { .origin = "" };
	const char *test = *r->test ? r->test : tag_value(r->tags, r->ntags, "test");

	if (f->repeat && from_site(r, f->first_stmt, &out))
		return out;
	if (from_tags(r, &out) || from_call_site(r, &out))
		return out;
	if (test && location_parse(span_str(test), &out))
		out.origin = "test";
	else if (location_parse(span_str(r->scope), &out))
		out.origin = "scope";
	return out.origin[0] ? out : (struct location){ .origin = "" };
}
