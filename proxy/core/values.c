/* SPDX-License-Identifier: Apache-2.0 */
/* values: see values.h. */
#include "values.h"

#include "fingerprint/limits.h"

enum { MISSING = -2 };

/* The text form of a value behind *b; false: there is no room for it. */
static bool
put_value(struct tap *t, struct strbuf *b, const struct wire_value *v)
{
	int32_t n = v->n;
	uint32_t type = v->type;
	char *room = strbuf_room(b, sizeof n + sizeof type + LIMIT_VALUES_BYTES);
	size_t full;

	if (!room)
		return false;
	if (n >= 0) {
		full = t->engine->value_text(v, room + sizeof n + sizeof type, LIMIT_VALUES_BYTES);
		n = full > LIMIT_VALUES_BYTES ? MISSING : (int32_t)full;
	}
	memcpy(room, &n, sizeof n);
	memcpy(room + sizeof n, &type, sizeof type);
	b->n += sizeof n + sizeof type + (n > 0 ? (size_t)n : 0);
	return b->n <= LIMIT_VALUES_BYTES;
}

void
values_record(struct tap *t, struct span text, const struct wire_params *params, uint64_t at)
{
	struct rec_values_text *r;
	struct strbuf values;
	uint16_t n = 0;
	bool fits = text.n > 0 && text.n <= LIMIT_VALUES_TEXT && !(params && params->cut);

	strbuf_init(&values, 3 * LIMIT_VALUES_BYTES);
	for (uint32_t i = 0; fits && params && i < params->n; i++) {
		/* Query attributes have names. */
		if (params->names && params->names[i].n)
			continue;
		fits = put_value(t, &values, &params->values[i]);
		n++;
	}
	r = fits ? ring_reserve(t->shared->ring, sizeof *r + text.n + values.n, true) : NULL;
	if (r) {
		r->h.type = REC_TEXT;
		r->h.flags = 0;
		r->h.t = at;
		r->h.session = t->session;
		r->h.seq = t->seq;
		r->dialect = t->lang.dialect;
		r->modes = t->lang.modes;
		r->nvalues = n;
		r->text_n = (uint32_t)text.n;
		r->values_n = (uint32_t)values.n;
		r->pad = 0;
		memcpy(r->bytes, text.p, text.n);
		if (values.n)
			memcpy(r->bytes + text.n, values.p, values.n);
		ring_commit(t->shared->ring);
	}
	strbuf_clear(&values);
}
