/* SPDX-License-Identifier: Apache-2.0 */
/* ring: variable-length records from one worker to the analyzer.
 * Does: single producer, single consumer, lock-free; either drops when full (and counts) or grows by segments up to a limit.
 * Never: blocks or wakes anybody. */
#ifndef ROWCALL_RING_H
#define ROWCALL_RING_H

#include "record.h"

struct ring;
/* bytes: capacity before dropping or growing; grow_to: 0 = drop when full, else total bytes it may grow to. NULL when memory is out. */
struct ring *ring_new(size_t bytes, size_t grow_to) __attribute__((warn_unused_result));
void ring_free(struct ring *r);

/* ---- producer ---- */
/* Room for one record of `size` bytes (rounded up to 8), zeroed up to the header's end and with h.size set; NULL = lost (counted).
 * evidence = true: shed already when the ring is half full, counted apart. */
void *ring_reserve(struct ring *r, size_t size, bool evidence) __attribute__((warn_unused_result));
/* Publishes the record last reserved. */
void ring_commit(struct ring *r);
/* Everything up to t has been published (t = the worker's clock at the end of a loop turn). */
void ring_watermark(struct ring *r, uint64_t t);
/* Before the worker sleeps: idle = true. On waking: idle = false, then it fences (inside), then it reads its clock. */
void ring_idle(struct ring *r, bool idle);

/* ---- consumer ---- */
/* The oldest record, or NULL; borrowed until ring_pop. */
const struct rec *ring_peek(struct ring *r);
void ring_pop(struct ring *r);
/* Up to which time this ring is complete: its watermark, or `now` while idle (fenced inside; read `now` before calling). */
uint64_t ring_complete_to(struct ring *r, uint64_t now);
uint64_t ring_lost(const struct ring *r);
uint64_t ring_shed(const struct ring *r);

#endif
