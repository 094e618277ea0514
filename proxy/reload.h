/* SPDX-License-Identifier: Apache-2.0 */
/* reload: the configuration read once more while a proxy runs.
 * Does: read environment and rowcall.yaml again and build a whole configuration of them and the flags. Never: changes the one in use: a bad
 * file leaves everything as it was. */
#ifndef ROWCALL_RELOAD_H
#define ROWCALL_RELOAD_H

#include "config.h"
#include "settings.h"

struct reloaded {
	struct settings settings;
	struct arena arena;
	struct config cfg;	/* its strings live in the two above */
};

/* was: any reading of before, for its flags. NULL: a sentence in p. */
struct reloaded *reload_read(const char *command, const struct settings *was, struct problem *p) __attribute__((warn_unused_result));
/* NULL is fine. */
void reload_free(struct reloaded *r);
/* Keys that differ and that a running proxy cannot take in ("listen, workers") into buf; false when there are none. */
bool reload_left(const struct settings *was, const struct settings *is, char *buf, size_t n);

#endif
