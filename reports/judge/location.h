/* SPDX-License-Identifier: Apache-2.0 */
/* location: the line of code a finding points at, as far as tags tell: the statement's own site, the request's tags, the test id, a scope
 * that is a path. Never: opens a file, or makes up a path from a name without one. */
#ifndef ROWCALL_LOCATION_H
#define ROWCALL_LOCATION_H

#include "rules.h"

struct location {
	struct span file;	/* borrowed from the request; empty when no tag tells */
	uint32_t line;		/* 0 when not known */
	const char *origin;	/* static: "source_location", "file", "line", "caller", "test", "scope"; "" when no tag tells */
};

struct location location_of(const struct request *r, const struct raw_finding *f);
/* "app/x.rb:12:in `show'" and "tests/test_o.py::test_list": path and line. False when the text names no path. */
bool location_parse(struct span text, struct location *out);

#endif
