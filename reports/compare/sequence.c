/* SPDX-License-Identifier: Apache-2.0 */
/* sequence: see sequence.h. Folding is greedy: the block that covers most wins. The diff is a longest common subsequence. */
#include "sequence.h"

#include <xxhash.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"
#include "reports/judge/facts.h"

struct token {
	const struct shape *shape;
	uint64_t times;
};

static bool
same(const struct token *a, const struct token *b)
{
	return a->shape == b->shape && a->times == b->times;
}

/* Runs of one shape. */
static uint32_t
runs(const struct request *r, struct token *out)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->nstmts; i++) {
		const struct shape *shape = r->stmts[i].shape;

		if (stmt_kind(shape) == KIND_SETUP)
			continue;
		if (n && out[n - 1].shape == shape)
			out[n - 1].times++;
		else
			out[n++] = (struct token){ shape, 1 };
	}
	return n;
}

/* How often the `length` tokens at t stand there one after the other. */
static uint32_t
repeats(const struct token *t, uint32_t left, uint32_t length)
{
	uint32_t times = 1;

	for (uint32_t i = 0; (times + 1) * length <= left; times++)
		for (i = 0; i < length; i++)
			if (!same(&t[i], &t[times * length + i]))
				return times;
	return times;
}

/* Length of the block to fold at t, and how often it stands there; 0 = none. */
static uint32_t
best_block(const struct token *t, uint32_t left, uint32_t *times)
{
	uint32_t best = 0, covered = 0;

	for (uint32_t length = 2; length <= SEQUENCE_BLOCK && 2 * length <= left; length++) {
		uint32_t n = repeats(t, left, length);

		if (n > 1 && n * length > covered) {
			best = length;
			covered = n * length;
			*times = n;
		}
	}
	return best;
}

struct sequence
sequence_of(const struct request *r, struct arena *a)
{
	struct token *t = arena_zero(a, r->nstmts * sizeof *t);
	uint32_t n = runs(r, t), times = 0, i = 0;
	/* A block never takes more lines than the tokens it stands for. */
	struct seq_line *lines = arena_zero(a, ((n < LIMIT_SEQUENCE ? n : LIMIT_SEQUENCE) + SEQUENCE_BLOCK + 1) * sizeof *lines);
	struct sequence out = { .lines = lines };

	while (i < n && out.n < LIMIT_SEQUENCE) {
		uint32_t block = best_block(t + i, n - i, &times);

		if (block == 0) {
			lines[out.n++] = (struct seq_line){ .shape = t[i].shape, .times = t[i].times };
			i++;
			continue;
		}
		uint64_t hash = XXH3_64bits_withSeed(t + i, block * sizeof *t, times) | 1;

		lines[out.n++] = (struct seq_line){ .times = times, .lines = block, .block = hash };
		for (uint32_t k = 0; k < block; k++)
			lines[out.n++] = (struct seq_line){ .shape = t[i + k].shape, .times = t[i + k].times, .depth = 1, .block = hash };
		i += block * times;
	}
	out.cut = i < n || r->stmts_cut > 0;
	return out;
}

/* ---- diff ---- */

static bool
same_line(const struct seq_line *a, const struct seq_line *b, bool whole_blocks)
{
	return a->shape == b->shape && a->times == b->times && a->depth == b->depth && a->lines == b->lines &&
	       (!whole_blocks || a->block == b->block);
}

static void
put(struct seq_diff *d, char op, const struct seq_line *line, uint32_t before, uint32_t after)
{
	d->changes[d->n++] = (struct seq_change){ op, line, before, after };
	d->differs |= op != ' ';
}

struct seq_diff
sequence_diff(const struct sequence *before, const struct sequence *after, bool whole_blocks, struct arena *a)
{
	struct seq_diff d = { .changes = arena_zero(a, ((size_t)before->n + after->n + 1) * sizeof *d.changes), .cut = before->cut || after->cut };
	uint32_t n = before->n, m = after->n, width = m + 1, i = 0, k = 0;
	uint32_t *common = xmem_zero((size_t)(n + 1) * width * sizeof *common);

	for (i = n; i-- > 0;)
		for (k = m; k-- > 0;) {
			uint32_t down = common[(size_t)(i + 1) * width + k], right = common[(size_t)i * width + k + 1];

			common[(size_t)i * width + k] = same_line(&before->lines[i], &after->lines[k], whole_blocks) ? common[(size_t)(i + 1) * width + k + 1] + 1
			    : down > right ? down : right;
		}
	for (i = k = 0; i < n || k < m;) {
		if (i < n && k < m && same_line(&before->lines[i], &after->lines[k], whole_blocks)) {
			put(&d, ' ', &after->lines[k], i + 1, k + 1);
			i++;
			k++;
		} else if (i < n && (k == m || common[(size_t)(i + 1) * width + k] >= common[(size_t)i * width + k + 1])) {
			put(&d, '-', &before->lines[i], i + 1, 0);
			i++;
		} else {
			put(&d, '+', &after->lines[k], 0, k + 1);
			k++;
		}
	}
	mem_free(common);
	return d;
}

static void
count_hunk(const struct seq_diff *d, struct seq_hunk *h)
{
	uint32_t before = 0, after = 0;

	for (uint32_t i = 0; i < h->first; i++) {
		before += d->changes[i].op != '+';
		after += d->changes[i].op != '-';
	}
	for (uint32_t i = h->first; i < h->first + h->n; i++) {
		h->before_n += d->changes[i].op != '+';
		h->after_n += d->changes[i].op != '-';
	}
	/* As diff(1) says it: an empty side names the line before it. */
	h->before = h->before_n ? before + 1 : before;
	h->after = h->after_n ? after + 1 : after;
}

bool
sequence_hunk(const struct seq_diff *d, uint32_t context, uint32_t *at, struct seq_hunk *hunk)
{
	uint32_t first = *at, last, next;

	while (first < d->n && d->changes[first].op == ' ')
		first++;
	if (first == d->n)
		return false;
	last = first;
	for (next = first; next < d->n && next - last <= 2 * context; next++)
		if (d->changes[next].op != ' ')
			last = next;
	*hunk = (struct seq_hunk){ .first = first - *at > context ? first - context : *at };
	next = last + 1 + context < d->n ? last + 1 + context : d->n;
	hunk->n = next - hunk->first;
	count_hunk(d, hunk);
	*at = next;
	return true;
}
