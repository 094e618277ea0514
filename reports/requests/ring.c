/* SPDX-License-Identifier: Apache-2.0 */
/* ring: see ring.h. A chain of circular segments: the producer writes into the newest, the consumer empties the oldest and frees it
 * when a newer one exists. Positions only grow; a record never wraps: what does not fit before the end leaves a marker (size 0) and starts
 * over. A producer that finds everything consumed starts over early, so that a ring that is kept empty touches few pages; that place is
 * told beside the bytes, as they all are free. */
#include "ring.h"

#include <stdatomic.h>

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"

enum {
	CACHE_LINE = 64,
	MIN_BYTES = 4096,
	EARLY_REWIND = 64 << 10,	/* bytes after which an empty segment is reused from its start */
};

struct segment {
	_Atomic(struct segment *) next;	/* set once by the producer, after its last record in this one */
	size_t cap;
	char pad0[CACHE_LINE - sizeof(void *) - sizeof(size_t)];
	_Atomic size_t head;		/* published bytes since the start, skipped ones included */
	_Atomic size_t rewound_at;	/* position where the producer last started over early; stored before the head that follows */
	char pad1[CACHE_LINE - 2 * sizeof(size_t)];
	_Atomic size_t tail;		/* consumed bytes since the start */
	char pad2[CACHE_LINE - sizeof(size_t)];
	unsigned char bytes[];
};

struct producer {
	struct segment *seg;
	size_t head, off;		/* position, and offset in the segment */
	size_t tail;			/* as last seen */
	size_t rewound_at, rewound;	/* the newest early start: where, and how many bytes were skipped */
	size_t reserved;
	size_t limit;			/* of all segments together */
	bool grows;
};

struct consumer {
	struct segment *seg;
	size_t tail, off;
	size_t head;			/* as last seen */
};

struct ring {
	struct producer in;
	char pad0[CACHE_LINE];
	_Atomic uint64_t lost, shed, watermark;
	_Atomic size_t allocated;	/* bytes of all segments alive */
	_Atomic uint32_t idle;
	char pad1[CACHE_LINE];
	struct consumer out;
};

static struct segment *
segment_new(size_t cap)
{
	/* Not zeroed: pages nobody writes are never touched. */
	struct segment *s = mem_alloc(sizeof *s + cap);

	if (!s)
		return NULL;
	atomic_init(&s->next, NULL);
	atomic_init(&s->head, 0);
	atomic_init(&s->tail, 0);
	atomic_init(&s->rewound_at, SIZE_MAX);
	s->cap = cap;
	return s;
}

struct ring *
ring_new(size_t bytes, size_t grow_to)
{
	struct ring *r = mem_zero(sizeof *r);

	bytes = (bytes + 7) & ~(size_t)7;
	if (bytes < MIN_BYTES)
		bytes = MIN_BYTES;
	if (!r)
		return NULL;
	r->in.seg = r->out.seg = segment_new(bytes);
	if (!r->in.seg) {
		mem_free(r);
		return NULL;
	}
	atomic_store(&r->allocated, bytes);
	r->in.rewound_at = SIZE_MAX;
	r->in.grows = grow_to > bytes;
	r->in.limit = r->in.grows ? grow_to : bytes;
	return r;
}

void
ring_free(struct ring *r)
{
	if (!r)
		return;
	for (struct segment *s = r->out.seg, *next; s; s = next) {
		next = atomic_load(&s->next);
		mem_free(s);
	}
	mem_free(r);
}

/* ---- producer ---- */

/* Of the newest segment, as far as known. What an early start skipped counts until the consumer has passed it, but is free. */
static size_t
segment_used(const struct producer *in)
{
	return in->head - in->tail - (in->tail == in->rewound_at ? in->rewound : 0);
}

/* Segments before the newest count as full: they are about to be freed. */
static size_t
bytes_used(const struct ring *r)
{
	return atomic_load_explicit(&r->allocated, memory_order_relaxed) - r->in.seg->cap + segment_used(&r->in);
}

static bool
half_full(struct ring *r)
{
	if (bytes_used(r) <= r->in.limit / 2)
		return false;
	r->in.tail = atomic_load_explicit(&r->in.seg->tail, memory_order_acquire);
	return bytes_used(r) > r->in.limit / 2;
}

/* Moves on to a new segment of twice the size, or of what the limit leaves. */
static bool
grow(struct ring *r, size_t size)
{
	struct producer *in = &r->in;
	size_t allocated = atomic_load_explicit(&r->allocated, memory_order_relaxed);
	size_t cap = in->seg->cap * 2;
	struct segment *s;

	if (!in->grows || allocated >= in->limit)
		return false;
	if (cap > in->limit - allocated)
		cap = (in->limit - allocated) & ~(size_t)7;
	if (cap < size)
		return false;
	s = segment_new(cap);
	if (!s)
		return false;
	atomic_fetch_add_explicit(&r->allocated, cap, memory_order_relaxed);
	atomic_store_explicit(&in->seg->next, s, memory_order_release);
	in->seg = s;
	in->head = in->off = in->tail = 0;
	in->rewound_at = SIZE_MAX;
	return true;
}

/* Starts over when everything is consumed. */
static void
rewind_early(struct producer *in)
{
	if (in->off < EARLY_REWIND)
		return;
	in->tail = atomic_load_explicit(&in->seg->tail, memory_order_acquire);
	if (in->tail != in->head)
		return;
	in->rewound_at = in->head;
	in->rewound = in->seg->cap - in->off;
	atomic_store_explicit(&in->seg->rewound_at, in->head, memory_order_relaxed);
	in->head += in->rewound;
	in->off = 0;
}

static bool
make_room(struct ring *r, size_t size)
{
	struct producer *in = &r->in;
	size_t left, skip;

	rewind_early(in);
	left = in->seg->cap - in->off;
	skip = left < size ? left : 0;
	if (in->seg->cap - segment_used(in) < skip + size) {
		in->tail = atomic_load_explicit(&in->seg->tail, memory_order_acquire);
		if (in->seg->cap - segment_used(in) < skip + size)
			return grow(r, size);
	}
	if (skip) {
		memset(in->seg->bytes + in->off, 0, sizeof(uint32_t)); /* the marker */
		in->head += skip;
		in->off = 0;
	}
	return true;
}

void *
ring_reserve(struct ring *r, size_t size, bool evidence)
{
	struct rec *h;

	size = size < sizeof *h ? sizeof *h : (size + 7) & ~(size_t)7;
	if (evidence && (size > LIMIT_RECORD || half_full(r))) {
		atomic_fetch_add_explicit(&r->shed, 1, memory_order_relaxed);
		return NULL;
	}
	if (size > LIMIT_RECORD || !make_room(r, size)) {
		atomic_fetch_add_explicit(evidence ? &r->shed : &r->lost, 1, memory_order_relaxed);
		return NULL;
	}
	r->in.reserved = size;
	h = (struct rec *)(void *)(r->in.seg->bytes + r->in.off);
	*h = (struct rec){ .size = (uint32_t)size };
	return h;
}

void
ring_commit(struct ring *r)
{
	struct producer *in = &r->in;

	in->head += in->reserved;
	in->off += in->reserved;
	in->reserved = 0;
	if (in->off == in->seg->cap)
		in->off = 0;
	atomic_store_explicit(&in->seg->head, in->head, memory_order_release);
}

void
ring_watermark(struct ring *r, uint64_t t)
{
	atomic_store_explicit(&r->watermark, t, memory_order_release);
}

/* Both sides change `idle` by read-modify-write: these are totally ordered and full barriers. Either the consumer reads "idle" first, then
 * the worker's clock is read after the consumer's; or the worker clears it first, then the consumer falls back to the watermark. */
void
ring_idle(struct ring *r, bool idle)
{
	atomic_exchange(&r->idle, idle);
}

/* ---- consumer ---- */

static void
skip_to_start(struct consumer *out)
{
	out->tail += out->seg->cap - out->off;
	out->off = 0;
}

/* The next segment, when the producer has left this one for good and it is empty. */
static bool
next_segment(struct ring *r)
{
	struct consumer *out = &r->out;
	struct segment *old = out->seg;
	struct segment *next = atomic_load_explicit(&old->next, memory_order_acquire);

	if (!next)
		return false;
	/* What was published between our look at the head and the hand-over. */
	if (atomic_load_explicit(&old->head, memory_order_acquire) != out->tail)
		return true;
	atomic_fetch_sub_explicit(&r->allocated, old->cap, memory_order_relaxed);
	out->seg = next;
	out->tail = out->head = out->off = 0;
	mem_free(old);
	return true;
}

/* Looks for records published since; false: none. */
static bool
refill(struct ring *r)
{
	struct consumer *out = &r->out;

	out->head = atomic_load_explicit(&out->seg->head, memory_order_acquire);
	if (out->tail == out->head)
		return false;
	if (out->tail == atomic_load_explicit(&out->seg->rewound_at, memory_order_relaxed))
		skip_to_start(out);
	return true;
}

const struct rec *
ring_peek(struct ring *r)
{
	struct consumer *out = &r->out;

	for (;;) {
		const struct rec *h;

		if (out->tail == out->head && !refill(r)) {
			if (!next_segment(r))
				return NULL;
			continue;
		}
		h = (const struct rec *)(const void *)(out->seg->bytes + out->off);
		if (h->size)
			return h;
		skip_to_start(out);
	}
}

void
ring_pop(struct ring *r)
{
	struct consumer *out = &r->out;
	uint32_t size = ((const struct rec *)(const void *)(out->seg->bytes + out->off))->size;

	out->tail += size;
	out->off += size;
	if (out->off == out->seg->cap)
		out->off = 0;
	atomic_store_explicit(&out->seg->tail, out->tail, memory_order_release);
}

uint64_t
ring_complete_to(struct ring *r, uint64_t now)
{
	if (atomic_fetch_or(&r->idle, 0))
		return now;
	return atomic_load_explicit(&r->watermark, memory_order_acquire);
}

uint64_t
ring_lost(const struct ring *r)
{
	return atomic_load_explicit(&r->lost, memory_order_relaxed);
}

uint64_t
ring_shed(const struct ring *r)
{
	return atomic_load_explicit(&r->shed, memory_order_relaxed);
}
