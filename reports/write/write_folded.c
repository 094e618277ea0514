/* SPDX-License-Identifier: Apache-2.0 */
/* write_folded: "scope;query;query of its loop MICROSECONDS", one line per place with time of its own: what flamegraph.pl, speedscope and
 * others read. A semicolon in a name becomes a comma, as nothing can quote it. */
#include <inttypes.h>

#include "fingerprint/limits.h"
#include "stack_words.h"
#include "writers.h"

enum { SQL_COLUMNS = 100 };

static void
frame(struct strbuf *out, const struct snap_stack *p)
{
	struct strbuf name;

	strbuf_init(&name, LIMIT_REPORT_BYTES);
	stack_name(&name, p, SQL_COLUMNS);
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] == ';')
			name.p[i] = ',';
	strbuf_add(out, strbuf_span(&name));
	scratch_done(out, &name);
}

void
write_folded(const struct snapshot *s, const struct write_options *o, struct strbuf *out)
{
	const struct snap_stack *path[LIMIT_STACK_DEPTH + 1] = { NULL };

	for (uint32_t i = 0; i < s->nstacks; i++) {
		const struct snap_stack *p = &s->stacks[i];

		path[p->depth] = p;
		if (p->ns == 0 || !scope_shown(o, p->scope))
			continue;
		for (uint32_t d = 0; d <= p->depth; d++) {
			if (d)
				strbuf_char(out, ';');
			frame(out, path[d]);
		}
		strbuf_printf(out, " %" PRIu64 "\n", p->ns < 1000 ? 1 : (p->ns + 500) / 1000);
	}
}
