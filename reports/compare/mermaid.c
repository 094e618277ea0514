/* SPDX-License-Identifier: Apache-2.0 */
/* mermaid: one request of a scope as a Mermaid sequence diagram, as GitHub and GitLab draw it in Markdown. What only the run before did
 * stands in a red box, what only the run after does in a green one.
 * Never: lets a name or SQL be read as syntax: what Mermaid would take for some becomes an entity. */
#include <ctype.h>
#include <inttypes.h>

#include "compare.h"
#include "reports/write/sql_short.h"
#include "reports/write/text.h"
#include "reports/write/writers.h"

enum { SQL_COLUMNS = 70, LINES_MOST = 120, TEXT_MOST = 1 << 20 };

/* '#' begins an entity, ';' ends a statement, "end" a block, backticks the fence around it all. */
static void
put_safe(struct strbuf *out, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];
		bool starts = i == 0 || !isalnum(s.p[i - 1]);

		bool ends = starts && s.n - i >= 3 && strncasecmp((const char *)s.p + i, "end", 3) == 0 && (s.n - i == 3 || !isalnum(s.p[i + 3]));

		if (ends || (c && strchr("#;<>%{}\":\\`", c)))
			strbuf_printf(out, "#%u;", c);
		else
			strbuf_char(out, (char)c);
	}
}

static void
put_sql(struct strbuf *out, const struct seq_line *line)
{
	struct strbuf clean, sql;

	strbuf_init(&clean, TEXT_MOST);
	strbuf_init(&sql, TEXT_MOST);
	text_clean(&clean, span_str(line->shape->text), true);
	sql_short(&sql, strbuf_span(&clean), SQL_COLUMNS, true);
	strbuf_str(out, "app->>db: ");
	put_safe(out, strbuf_span(&sql));
	if (line->times > 1)
		strbuf_printf(out, " (%" PRIu64 " times)", line->times);
	strbuf_char(out, '\n');
	scratch_done(out, &clean);
	scratch_done(out, &sql);
}

/* A change and, where it is the head of a block, what stands in it; returns how many changes that was. */
static uint32_t
put_change(struct strbuf *out, const struct seq_diff *d, uint32_t i, uint32_t last)
{
	const struct seq_line *line = d->changes[i].line;
	uint32_t n = 1;

	if (line->shape) {
		strbuf_str(out, "    ");
		put_sql(out, line);
		return n;
	}
	strbuf_printf(out, "    loop %" PRIu64 " times\n", line->times);
	for (; n <= line->lines && i + n < last && d->changes[i + n].line->depth > 0; n++) {
		strbuf_str(out, "        ");
		put_sql(out, d->changes[i + n].line);
	}
	strbuf_str(out, "    end\n");
	return n;
}

void
write_mermaid(const struct compared_scope *s, struct strbuf *out)
{
	const struct seq_diff *d = &s->blocks;
	uint32_t i = 0, end, lines = 0;

	strbuf_str(out, "sequenceDiagram\n    participant app as ");
	put_safe(out, span_first(span_str(s->name), 80));
	strbuf_str(out, "\n    participant db as database\n");
	while (i < d->n && lines < LINES_MOST) {
		char op = d->changes[i].op;

		for (end = i; end < d->n && d->changes[end].op == op; end++)
			continue;
		if (op != ' ')
			strbuf_printf(out, "    rect %s\n    Note over app,db: only %s\n", op == '-' ? "rgb(255, 220, 220)" : "rgb(220, 255, 220)",
			    op == '-' ? "before" : "after");
		for (; i < end && lines < LINES_MOST; lines++)
			i += put_change(out, d, i, end);
		if (op != ' ')
			strbuf_str(out, "    end\n");
	}
	if (i < d->n)
		strbuf_printf(out, "    Note over app,db: %" PRIu32 " more lines\n", d->n - i);
}
