/* SPDX-License-Identifier: Apache-2.0 */
/* config_parts: what the files that build a struct config share. Only for them. */
#ifndef ROWCALL_CONFIG_PARTS_H
#define ROWCALL_CONFIG_PARTS_H

#include "config.h"
#include "settings.h"

/* Where something was said, for messages: "rowcall.yaml:12:5", "ROWCALL_LISTEN" or "--listen". In the arena. */
const char *config_where_said(const struct settings *s, struct arena *a, const struct setting *said);
/* All values of a repeated option by whoever decides it. In the arena. */
const char *const *config_texts_of(const struct settings *s, struct arena *a, enum option_id id, uint32_t *n);

/* Fills c->gate, exit_code and exit_zero. */
bool config_gate(const struct settings *s, struct arena *a, struct config *c, struct problem *p) __attribute__((warn_unused_result));

#endif
