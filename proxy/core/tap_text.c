/* SPDX-License-Identifier: Apache-2.0 */
/* tap_text: a text with several statements, or with one that needs more than its identity: an effect, a CALL. Its parts, their tags, which
 * part an answer is of. */
#include "tap_internal.h"

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"

void
tap_text_free(struct tap_text *tx)
{
	if (!tx)
		return;
	for (uint32_t i = 0; i < tx->nparts; i++) {
		mem_free(tx->parts[i].effect);
		mem_free(tx->parts[i].values);
		mem_free(tx->parts[i].text);
	}
	mem_free(tx->parts);
	strbuf_clear(&tx->tags);
	mem_free(tx);
}

bool
tap_text_add(struct tap *t, struct tap_text *tx, const struct identity *id, const struct wire_params *attrs)
{
	if (tx->nparts == tx->cap) {
		uint32_t cap = tx->cap ? tx->cap * 2 : 4;
		struct tap_part *p = cap <= LIMIT_TEXT_PARTS ? mem_resize(tx->parts, cap * sizeof *p) : NULL;

		if (!p)
			return false;
		tx->parts = p;
		tx->cap = cap;
	}
	struct tap_part *part = &tx->parts[tx->nparts++];

	*part = (struct tap_part){ .shape = id->shape, .tags_at = (uint32_t)tx->tags.n };
	part->params = tap_params_hash(t, id->shape, id->values, id->nvalues, NULL, &part->flags);
	part->ntags = tap_lay_tags(&tx->tags, id->tags, id->ntags);
	if (part == tx->parts)
		part->ntags = (uint16_t)(part->ntags + tap_lay_attributes(&tx->tags, attrs));
	part->tags_n = (uint32_t)tx->tags.n - part->tags_at;
	part->effect = tap_effect_of(t, id);
	if (t->shared->evidence && id->nvalues && (part->values = mem_alloc(id->nvalues * sizeof *part->values))) {
		memcpy(part->values, id->values, id->nvalues * sizeof *part->values);
		part->nvalues = (uint32_t)id->nvalues;
	}
	if (t->shared->values && id->text.n && id->text.n <= LIMIT_VALUES_TEXT && (part->text = mem_alloc(id->text.n))) {
		memcpy(part->text, id->text.p, id->text.n);
		part->text_n = (uint32_t)id->text.n;
	}
	return true;
}

void
tap_text_share_tags(struct tap_text *tx)
{
	const struct tap_part *tagged = NULL;

	for (uint32_t i = 0; i < tx->nparts && !tagged; i++)
		if (tx->parts[i].ntags)
			tagged = &tx->parts[i];
	for (uint32_t i = 0; tagged && i < tx->nparts; i++)
		if (!tx->parts[i].ntags) {
			tx->parts[i].tags_at = tagged->tags_at;
			tx->parts[i].tags_n = tagged->tags_n;
			tx->parts[i].ntags = tagged->ntags;
		}
}

struct tap_text *
tap_text_with_effect(const struct effect *e, const struct shape *shape)
{
	struct tap_text *tx = mem_zero(sizeof *tx);
	size_t n = sizeof *e + e->n;

	if (!tx)
		return NULL;
	strbuf_init(&tx->tags, 1);
	tx->parts = mem_zero(sizeof *tx->parts);
	struct effect *copy = mem_alloc(n);

	if (!tx->parts || !copy) {
		mem_free(copy);
		tap_text_free(tx);
		return NULL;
	}
	memcpy(copy, e, n);
	tx->nparts = tx->cap = 1;
	tx->parts[0] = (struct tap_part){ .shape = shape, .effect = copy };
	return tx;
}

static void
sum_up(struct wire_part *sum, const struct wire_part *r)
{
	struct wire_part before = *sum;

	*sum = *r;
	if (!before.result)
		return;
	sum->start = before.start;
	sum->first = before.first;
	sum->busy += before.busy;
	sum->rows += before.rows;
	sum->bytes += before.bytes;
}

const struct wire_part *
tap_text_answer(struct tap_text *tx, const struct wire_part *r)
{
	if (tx->cur >= tx->nparts || tx->parts[tx->cur].shape->verb != SQL_V_CALL)
		return r;
	sum_up(&tx->results, r);
	if (r->result && r->outcome == WIRE_OK)
		return NULL;
	tx->results.result = false;
	return &tx->results;
}
