/* SPDX-License-Identifier: Apache-2.0 */
/* yaml: rowcall.yaml into settings.
 * Does: find the file upwards, read it by libyaml, check keys and types against the option table; every error has file, line, column.
 * Never: accepts what it does not understand: unknown and duplicate keys, anchors, tags and second documents are errors. */
#ifndef ROWCALL_YAML_H
#define ROWCALL_YAML_H

#include "settings.h"

/* rowcall.yaml in `from` or above it, up to the root of its repository (.git, .hg, .jj, .svn); without a repository only in `from`.
 * The path as seen from `from` ("../rowcall.yaml"), in the arena; NULL: none, or a problem that is set (text not empty). */
const char *yaml_find(struct arena *a, const char *from, struct problem *p);

/* Reads a file. shown: its name in messages. */
bool yaml_load(struct settings *s, const char *path, const char *shown, struct problem *p) __attribute__((warn_unused_result));
/* The same from memory. */
bool yaml_read(struct settings *s, struct span text, const char *shown, struct problem *p) __attribute__((warn_unused_result));

#endif
