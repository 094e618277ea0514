/* SPDX-License-Identifier: Apache-2.0 */
/* watcher: wire_ops that write every event as a line of text.
 * Does: number executions (x1, x2, …) and statements (p1, …) in order of appearance, join neighbouring data() calls. Never: judges. */
#ifndef ROWCALL_TEST_WATCHER_H
#define ROWCALL_TEST_WATCHER_H

#include "proxy/wire/wire.h"

struct watcher {
	const struct wire_engine *engine;	/* prints its binary values */
	struct strbuf log;		/* the lines so far; owned */
	struct strbuf data;		/* data() not yet written; owned */
	uint32_t data_of;
	uint32_t want_rows, want_bytes;	/* what every execution asks for */
	uint32_t execs, prepared;	/* numbers given */
	uint32_t live_execs, live_prepared;
};

extern const struct wire_ops watcher_ops;	/* ctx: struct watcher */

void watcher_init(struct watcher *w);
void watcher_clear(struct watcher *w);
/* Writes what is pending; before the log is read. */
void watcher_flush(struct watcher *w);
/* A line of the harness's own. */
void watcher_line(struct watcher *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Bytes as a quoted string; what is not printable as \xHH. */
void watcher_quote(struct strbuf *b, struct span s, char quote);

#endif
