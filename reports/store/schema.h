/* SPDX-License-Identifier: Apache-2.0 */
/* schema: the tables of a recording, as FORMAT.md describes them. */
#ifndef ROWCALL_SCHEMA_H
#define ROWCALL_SCHEMA_H

/* Creates an empty recording, its application id and version included. */
extern const char recording_schema_sql[];

#endif
