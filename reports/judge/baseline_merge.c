/* SPDX-License-Identifier: Apache-2.0 */
/* baseline_merge: an update of the baseline: the file as it is, with what one run measured. See baseline.h. */
#include "baseline.h"

#include "fingerprint/mem.h"
#include "snapshot.h"
#include "words.h"

struct merging {
	struct baseline *out;
	const struct baseline_update *how;
	struct baseline_changes *changes;
};

static const char *
copy(struct merging *m, const char *text)
{
	return text ? arena_str(&m->out->arena, text) : NULL;
}

static struct baseline_finding
copy_finding(struct merging *m, const struct baseline_finding *f)
{
	struct baseline_finding out = *f;

	out.shape = copy(m, f->shape);
	out.reason = copy(m, f->reason);
	out.expires = copy(m, f->expires);
	return out;
}

/* The recorded count of something measured now. */
static int64_t
settle(struct merging *m, int64_t old, int64_t now)
{
	if (now < old)
		m->changes->lowered++;
	else if (now > old && m->how->allow_increase)
		m->changes->raised++;
	else if (now > old) {
		m->changes->refused++;
		return old;
	}
	return now;
}

/* The measured entry that is this recorded one; an entry of another version of fingerprints is known by its text. */
static const struct baseline_finding *
same_finding(const struct baseline_scope *in, const struct baseline_finding *f)
{
	for (uint32_t i = 0; i < in->nfindings; i++) {
		const struct baseline_finding *g = &in->findings[i];

		if (g->rule == f->rule && (g->version == f->version ? g->fingerprint == f->fingerprint : strcmp(g->shape, f->shape) == 0))
			return g;
	}
	return NULL;
}

static bool
in_scope(const struct baseline_scope *s, const struct baseline_finding *f)
{
	for (uint32_t i = 0; i < s->nfindings; i++)
		if (s->findings[i].rule == f->rule && s->findings[i].fingerprint == f->fingerprint)
			return true;
	return false;
}

static void
merge_scope(struct merging *m, const struct baseline_scope *old, const struct baseline_scope *now, struct baseline_scope *out)
{
	*out = (struct baseline_scope){ .name = copy(m, now->name), .queries = NO_LIMIT };
	out->findings = arena_zero(&m->out->arena, ((size_t)old->nfindings + now->nfindings) * sizeof *out->findings);
	if (old->queries != NO_LIMIT)
		out->queries = settle(m, old->queries, now->queries);
	for (uint32_t i = 0; i < old->nfindings; i++) {
		const struct baseline_finding *was = &old->findings[i], *is = same_finding(now, was);

		if (is && in_scope(out, is))
			continue;	/* an entry of another version of fingerprints, beside one of this version */
		if (!is && m->how->prune) {
			m->changes->pruned++;
			continue;
		}
		struct baseline_finding *f = &out->findings[out->nfindings++];

		*f = copy_finding(m, is ? is : was);
		f->reason = copy(m, was->reason);
		f->expires = copy(m, was->expires);
		f->count = is ? settle(m, was->count, is->count) : was->count;
	}
	for (uint32_t i = 0; i < now->nfindings; i++) {
		if (same_finding(old, &now->findings[i]))
			continue;
		if (!m->how->allow_increase) {
			m->changes->refused++;
			continue;
		}
		out->findings[out->nfindings++] = copy_finding(m, &now->findings[i]);
		m->changes->findings_added++;
	}
}

static void
copy_scope(struct merging *m, const struct baseline_scope *s, struct baseline_scope *out)
{
	*out = (struct baseline_scope){ .name = copy(m, s->name), .queries = s->queries, .nfindings = s->nfindings };
	out->findings = arena_zero(&m->out->arena, s->nfindings * sizeof *out->findings);
	for (uint32_t i = 0; i < s->nfindings; i++)
		out->findings[i] = copy_finding(m, &s->findings[i]);
}

struct baseline *
baseline_merge(const struct baseline *old, const struct baseline *measured, const struct baseline_update *how,
    struct baseline_changes *changes)
{
	static const struct baseline none = { .nscopes = 0 };
	struct merging m = { xmem_zero(sizeof *m.out), how, changes };

	*changes = (struct baseline_changes){ 0 };
	old = old ? old : &none;
	m.out->scopes = arena_zero(&m.out->arena, ((size_t)old->nscopes + measured->nscopes) * sizeof *m.out->scopes);
	for (uint32_t i = 0; i < old->nscopes; i++) {
		const struct baseline_scope *now = baseline_scope(measured, old->scopes[i].name);

		if (now)
			merge_scope(&m, &old->scopes[i], now, &m.out->scopes[m.out->nscopes++]);
		else if (how->prune)
			changes->pruned++;
		else
			copy_scope(&m, &old->scopes[i], &m.out->scopes[m.out->nscopes++]);
	}
	for (uint32_t i = 0; i < measured->nscopes; i++) {
		if (baseline_scope(old, measured->scopes[i].name))
			continue;
		copy_scope(&m, &measured->scopes[i], &m.out->scopes[m.out->nscopes++]);
		changes->scopes_added++;
		changes->findings_added += measured->scopes[i].nfindings;
	}
	baseline_sort(m.out);
	return m.out;
}
