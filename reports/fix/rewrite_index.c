/* SPDX-License-Identifier: Apache-2.0 */
/* rewrite_index: the index that would help a look-up. Never: asks whether there is one. */
#include "rewrite.h"

#include "fingerprint/limits.h"

static void
put_plain_name(struct strbuf *out, struct span name)
{
	for (size_t i = 0; i < name.n; i++)
		strbuf_char(out, name.p[i] == '.' ? '_' : (char)name.p[i]);
}

/* Without quotes; "" when it needs them. */
static struct span
bare(struct span name)
{
	const uint8_t *dot = name.n ? memrchr(name.p, '.', name.n) : NULL;

	if (dot)
		name = span_from(name, (size_t)(dot + 1 - name.p));
	if (name.n >= 2 && (name.p[0] == '"' || name.p[0] == '`'))
		name = span_of(name.p + 1, name.n - 2);
	return name;
}

const char *
rewrite_index(const struct look_up *l, struct sql_lang lang, const uint32_t *keys, uint32_t nkeys, struct arena *a)
{
	char quote = lang.dialect == SQL_MYSQL && !(lang.modes & SQL_MODE_ANSI_QUOTES) ? '`' : '"';
	struct strbuf name, columns, out;
	const char *sql;

	strbuf_init(&name, LIMIT_NAME);
	strbuf_init(&columns, LIMIT_NAME * 8);
	strbuf_init(&out, LIMIT_NAME * 16);
	put_plain_name(&name, bare(l->table));
	/* What differs between look-ups first, then what is the same in all. */
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < l->nconditions; i++) {
			bool key = false;

			for (uint32_t k = 0; k < nkeys; k++)
				key |= keys[k] == i;
			if (!l->conditions[i].equal || key != (pass == 0))
				continue;
			strbuf_printf(&columns, "%s%.*s", columns.n ? ", " : "", (int)l->conditions[i].name.n, (const char *)l->conditions[i].name.p);
			strbuf_char(&name, '_');
			put_plain_name(&name, bare(l->conditions[i].name));
		}
	}
	strbuf_printf(&out, "CREATE INDEX %c%.*s_idx%c ON %.*s (%s)", quote, name.n > 55 ? 55 : (int)name.n, strbuf_cstr(&name), quote, (int)l->table.n,
	    (const char *)l->table.p, strbuf_cstr(&columns));
	sql = columns.n ? arena_strndup(a, strbuf_span(&out)) : NULL;
	strbuf_clear(&name);
	strbuf_clear(&columns);
	strbuf_clear(&out);
	return sql;
}
