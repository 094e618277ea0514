/* SPDX-License-Identifier: Apache-2.0 */
/* stack_words: see stack_words.h. */
#include "stack_words.h"

#include "fingerprint/limits.h"
#include "sql_short.h"
#include "text.h"

static void
query_name(struct strbuf *out, const struct shape *shape, unsigned columns)
{
	char id[9];
	struct strbuf clean;

	shape_short(shape->fingerprint, id);
	strbuf_str(out, id);
	strbuf_char(out, ' ');
	strbuf_init(&clean, LIMIT_REPORT_BYTES);
	text_clean(&clean, span_of(shape->text, shape->text_n ? shape->text_n : strlen(shape->text)), true);
	sql_short(out, strbuf_span(&clean), columns, true);
	out->cut |= clean.cut;
	strbuf_clear(&clean);
}

void
stack_name(struct strbuf *out, const struct snap_stack *p, unsigned columns)
{
	switch (p->kind) {
	case STACK_SCOPE:
		text_clean(out, span_str(p->scope), true);
		break;
	case STACK_QUERY:
		query_name(out, p->shape, columns);
		break;
	case STACK_CONTROL:
		strbuf_str(out, "transaction control");
		break;
	default:
		strbuf_str(out, "set-up");
	}
}

const char *
stack_class(const struct snap_stack *p)
{
	if (p->kind == STACK_QUERY)
		return p->depth > 1 ? "loop" : "query";
	return p->kind == STACK_SCOPE ? "scope" : "other";
}
