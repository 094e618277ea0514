/* SPDX-License-Identifier: Apache-2.0 */
/* packing: numbers and texts as bytes and back, the words that packed's rows are made of (see FORMAT.md).
 * Does: append; read with one flag for everything that can be wrong. Never: reads past the end, or lets a count that damaged bytes hold
 * size an allocation beyond what those bytes could fill. */
#ifndef ROWCALL_PACKING_H
#define ROWCALL_PACKING_H

#include "fingerprint/arena.h"
#include "fingerprint/strbuf.h"

/* Seven bits a byte, the lowest first; signed: 0, -1, 1, -2... first; fixed: eight bytes; text: its length and bytes, NULL = "". */
void pack_number(struct strbuf *b, uint64_t v);
void pack_signed(struct strbuf *b, int64_t v);
void pack_fixed(struct strbuf *b, uint64_t v);
void pack_text(struct strbuf *b, const char *s);

struct unpack {
	const uint8_t *p, *end;
	bool bad;	/* set by the first thing that cannot be; stays */
};

struct unpack unpack_of(struct span bytes);
/* Each gives 0, an empty span or "" when it cannot be read. */
uint64_t unpack_number(struct unpack *in);
uint64_t unpack_upto(struct unpack *in, uint64_t max);
int64_t unpack_signed(struct unpack *in);
uint64_t unpack_fixed(struct unpack *in);
struct span unpack_bytes(struct unpack *in, uint64_t n);
const char *unpack_text(struct unpack *in, struct arena *a);	/* in the arena */
/* How many things follow, each of at least `least` bytes; at most max. */
uint32_t unpack_count(struct unpack *in, uint32_t max, size_t least);

#endif
