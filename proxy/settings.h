/* SPDX-License-Identifier: Apache-2.0 */
/* settings: what was said, where and by whom, before it becomes a struct config.
 * Does: collect values of the option table from the command line, ROWCALL_* and rowcall.yaml, and answer which one counts
 * (flag > environment > file > default). Never: interprets a value beyond its type. */
#ifndef ROWCALL_SETTINGS_H
#define ROWCALL_SETTINGS_H

#include "fingerprint/arena.h"
#include "options.h"
#include "problem.h"

/* Later wins. */
enum said_by { SAID_DEFAULT, SAID_FILE, SAID_ENVIRONMENT, SAID_FLAG };

struct setting {
	enum option_id id;
	enum said_by by;
	uint32_t entry;		/* which entry of its list, from 0; 0 outside lists */
	uint32_t line, column;	/* in the file; 0 elsewhere */
	const char *text;
	int64_t value;		/* see enum option_type */
};

struct settings {
	struct arena arena;	/* owns every text */
	struct setting *v;	/* in the order they were said */
	uint32_t n, cap;
	const char *file;	/* the rowcall.yaml that was read, as shown; "" = none */
};

void settings_init(struct settings *s);
void settings_clear(struct settings *s);

/* Adds one value, checked by its type; what's said of an OPTION_COMMAS option outside the file is split at commas. text is copied.
 * where names the place for the problem ("--workers", "rowcall.yaml:3:10"). */
bool settings_add(struct settings *s, struct setting said, const char *where, struct problem *p) __attribute__((warn_unused_result));

/* Every ROWCALL_* variable that is an option of this command. False: a bad value. A variable that resembles none of ours is reported
 * through warn (may be NULL), as a typing error there would switch off a gate in silence. */
bool settings_from_environment(struct settings *s, char *const *environ, unsigned command, void (*warn)(const char *text), struct problem *p)
    __attribute__((warn_unused_result));

/* The flags in argv[1..] that belong to the command, by getopt_long. *rest = index of the first other argument. */
bool settings_from_flags(struct settings *s, int argc, char **argv, unsigned command, int *rest, struct problem *p) __attribute__((warn_unused_result));

/* The value that counts for an option outside lists; its default when nobody said it (by = SAID_DEFAULT, text NULL when it has none). */
struct setting settings_get(const struct settings *s, enum option_id id);
/* The same for an entry of a list, by one source. */
struct setting settings_entry(const struct settings *s, enum option_id id, enum said_by by, uint32_t entry);
/* Who decides the list an option belongs to; SAID_DEFAULT = nobody. */
enum said_by settings_source(const struct settings *s, enum option_id id);
/* Entries of that list: highest entry + 1, over all its options ("listen[]."). */
uint32_t settings_entries(const struct settings *s, const char *prefix, enum said_by by);
/* The i-th value of a repeated option by that source; NULL behind the last. */
const struct setting *settings_nth(const struct settings *s, enum option_id id, enum said_by by, uint32_t i);

static inline bool
settings_true(const struct settings *s, enum option_id id)
{
	return settings_get(s, id).value != 0;
}

#endif
