/* SPDX-License-Identifier: Apache-2.0 */
/* skeleton: a statement's text with its plain literals cut out, so that texts that differ in nothing but inlined values share one cache entry.
 * Does: cut whole and decimal numbers and strings without escapes, where such a literal can stand. Never: decides that a cut is a literal
 * (the scanner's word on one text of a skeleton holds for all of them: their bytes are the same up to each cut and behind it). */
#ifndef ROWCALL_SKELETON_H
#define ROWCALL_SKELETON_H

#include "limits.h"
#include "span.h"

enum { SKELETON_CUTS = 64 };	/* literals of one text that are cut at most */

enum skeleton_kind { SKELETON_WHOLE = 1, SKELETON_DECIMAL, SKELETON_STRING };	/* the byte that stands in a hole */

struct skeleton {
	struct span bytes;		/* in room, or the text itself when nothing was cut */
	uint32_t ncuts;
	struct skeleton_cut {
		uint32_t hole;		/* its place in bytes */
		struct span literal;	/* in the text, without a sign; quotes included */
	} cuts[SKELETON_CUTS];
	uint8_t room[LIMIT_CACHE_KEY];
};

/* Of a text of at most LIMIT_CACHE_KEY bytes, which must outlive the skeleton. Nothing is cut from a text with more literals than fit, or
 * with an unclosed string. Not for encodings whose trail bytes can look like quotes. */
void skeleton_make(struct skeleton *k, struct span text);

/* Nothing cut. */
void skeleton_whole(struct skeleton *k, struct span text);

#endif
