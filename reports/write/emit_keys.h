/* SPDX-License-Identifier: Apache-2.0 */
/* emit_keys: a key and its value in one line, for the writers of JSON documents. */
#ifndef ROWCALL_EMIT_KEYS_H
#define ROWCALL_EMIT_KEYS_H

#include "emit.h"
#include "fingerprint/shapes.h"

/* NULL is "". */
static inline void
key_str(struct emit *j, const char *key, const char *value)
{
	emit_key(j, key);
	emit_str(j, value ? value : "");
}

/* NULL and "" are null. */
static inline void
key_str_or_null(struct emit *j, const char *key, const char *value)
{
	emit_key(j, key);
	emit_str_or_null(j, value);
}

static inline void
key_null(struct emit *j, const char *key)
{
	emit_key(j, key);
	emit_null(j);
}

static inline void
key_uint(struct emit *j, const char *key, uint64_t value)
{
	emit_key(j, key);
	emit_uint(j, value);
}

static inline void
key_bool(struct emit *j, const char *key, bool value)
{
	emit_key(j, key);
	emit_bool(j, value);
}

/* Nanoseconds, as milliseconds. */
static inline void
key_ms(struct emit *j, const char *key, uint64_t ns)
{
	emit_key(j, key);
	emit_ms(j, ns);
}

static inline void
key_open(struct emit *j, const char *key, char bracket)
{
	emit_key(j, key);
	emit_open(j, bracket);
}

/* A shape as its fingerprint and text, both null when there is none. */
static inline void
key_shape(struct emit *j, const struct shape *sh)
{
	char hex[17] = "";

	if (sh)
		shape_hex(sh->fingerprint, hex);
	key_str_or_null(j, "fingerprint", hex);
	if (sh)
		key_str(j, "shape", sh->text); /* an empty statement's is empty */
	else
		key_null(j, "shape");
}

#endif
