/* SPDX-License-Identifier: Apache-2.0 */
/* packed: one closed request, a run of stray statements, or a shape as bytes: the `data` columns of a recording (see FORMAT.md).
 * Does: pack and unpack. Never: knows SQLite; trusts a byte it unpacks: damaged bytes are an error, not a crash. */
#ifndef ROWCALL_PACKED_H
#define ROWCALL_PACKED_H

#include "fingerprint/arena.h"
#include "fingerprint/strbuf.h"
#include "reports/requests/request.h"

enum { PACKED_VERSION = 2 };

/* The number a shape has in the recording; and back (NULL when there is none). */
typedef uint32_t packed_shape_out(void *ctx, const struct shape *s);
typedef const struct shape *packed_shape_in(void *ctx, uint64_t number);

/* Appends the request, without what the row's own columns hold (number, scope, test, key, application). out->cut says it did not fit. */
void packed_request(struct strbuf *out, const struct request *r, packed_shape_out *shape, void *ctx);
/* Fills *r from the bytes; strings and arrays live in the arena. The caller sets what the columns hold. False: the bytes are damaged. */
bool unpacked_request(struct span bytes, struct request *r, struct arena *a, packed_shape_in *shape, void *ctx) __attribute__((warn_unused_result));

/* The same for a run of statements without a request. */
void packed_strays(struct strbuf *out, const struct req_stmt *s, uint32_t n, packed_shape_out *shape, void *ctx);
bool unpacked_strays(struct span bytes, struct req_stmt **s, uint32_t *n, struct arena *a, packed_shape_in *shape, void *ctx)
    __attribute__((warn_unused_result));

/* A shape but for its fingerprint and text, which have columns of their own; the caller sets those in *st before it interns it. */
void packed_shape(struct strbuf *out, const struct shape *s);
bool unpacked_shape(struct span bytes, struct sql_lang *lang, struct sql_stmt *st, struct arena *a) __attribute__((warn_unused_result));

#endif
