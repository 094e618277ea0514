/* SPDX-License-Identifier: Apache-2.0 */
/* close_request: an open request turned into the immutable one that rules judge.
 * Does: sort, complete, hand over. Never: keeps anything of it. */
#ifndef ROWCALL_CLOSE_REQUEST_H
#define ROWCALL_CLOSE_REQUEST_H

#include "open_request.h"

/* A scope or key came from a tag, a mark or the session. */
static inline bool
request_named(const struct open_request *r)
{
	return r->bound == BY_KEY || r->bound == BY_MARK || *r->scope || *r->test || *r->text;
}

/* Hands r to the sink; without any query its statements are strays. clues: NULL without lineage. Spoils r's statements. */
void request_emit(struct open_request *r, const struct request_sink *sink, struct coverage *coverage, struct clue_box *clues,
    int64_t zero_us);

#endif
