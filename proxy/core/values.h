/* SPDX-License-Identifier: Apache-2.0 */
/* values: statements with their values, on their way into a recording that was asked to hold them.
 * Does: lay text and parameters of one statement into its record, as text. Never: called unless the user asked for values; keeps more than
 * LIMIT_VALUES_TEXT and LIMIT_VALUES_BYTES of one statement. */
#ifndef ROWCALL_VALUES_H
#define ROWCALL_VALUES_H

#include "tap.h"

/* After REC_START of the statement t->seq. params: NULL for plain text. A statement that is too large goes without. */
void values_record(struct tap *t, struct span text, const struct wire_params *params, uint64_t at);

#endif
