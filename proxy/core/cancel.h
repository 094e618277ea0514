/* SPDX-License-Identifier: Apache-2.0 */
/* cancel: which upstream address a PostgreSQL CancelRequest must go to, when a name has several addresses.
 * Does: remember key -> address for live sessions, from any worker. Never: looks into or changes a key (they are secrets: not logged). */
#ifndef ROWCALL_CANCEL_H
#define ROWCALL_CANCEL_H

#include "address.h"
#include "fingerprint/span.h"

struct cancel_map;
struct cancel_map *cancel_map_new(void) __attribute__((warn_unused_result));
void cancel_map_free(struct cancel_map *m);

/* Copies both; a session's newer key replaces the older one. False when memory is out or it is no key: the cancel then goes to the first
 * address. */
bool cancel_map_put(struct cancel_map *m, uint32_t session, struct span key, const struct address *a);
bool cancel_map_get(struct cancel_map *m, struct span key, struct address *a) __attribute__((warn_unused_result));
void cancel_map_drop(struct cancel_map *m, uint32_t session);

#endif
