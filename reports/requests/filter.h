/* SPDX-License-Identifier: Apache-2.0 */
/* filter: the user's PCRE2 patterns: folding of scope names, and tags of their own making.
 * Does: compile once with errors that say which pattern and where, match within fixed step limits. Never: fails a match loudly; a pattern that
 * gives up leaves the text as it was and is counted. One filter is used by one thread at a time. */
#ifndef ROWCALL_FILTER_H
#define ROWCALL_FILTER_H

#include "fingerprint/strbuf.h"

struct filter_rule {
	const char *match;	/* PCRE2, UTF-8 when the text is */
	const char *replace;	/* fold: `$1` and `${name}` allowed; NULL: a pattern for tags, with a group `request` and/or `scope` */
};

struct filter;
/* Compiles every rule; rules are not kept. NULL: a sentence in err ("pattern 2 `/(`: missing closing parenthesis at offset 2"). */
struct filter *filter_new(const struct filter_rule *rules, size_t n, char *err, size_t err_n) __attribute__((warn_unused_result));
void filter_free(struct filter *f);

/* Applies every fold rule in order, each to all its matches; the result is appended to out. */
void filter_fold(const struct filter *f, struct span in, struct strbuf *out);

/* What the first matching tag pattern found; borrowed from the text. Empty = the pattern has no such group, or it did not take part. */
struct filter_hit {
	struct span request, scope;
};
bool filter_match(const struct filter *f, struct span text, struct filter_hit *hit);

/* How often a pattern gave up on a text. */
uint64_t filter_gave_up(const struct filter *f);

#endif
