/* SPDX-License-Identifier: Apache-2.0 */
/* store: writes a recording, one SQLite file with all a report needs (see FORMAT.md), on a thread of its own.
 * Does: take closed requests from one thread, pack them, write them in batches. Never: makes its caller wait for the disk (unless asked to);
 * when the disk fails or falls behind it leaves requests out, counts them, and says so. */
#ifndef ROWCALL_STORE_H
#define ROWCALL_STORE_H

#include "reports/judge/collector.h"

enum { RECORDING_APPLICATION_ID = 0x72776331, RECORDING_SCHEMA = 1 };	/* "rwc1" */

struct store;
/* Creates the file (an old recording there is replaced, unless somebody has it open; any other file is refused) and starts the thread.
 * upstreams: as in collector_config. values: it takes store_values, and only its owner can read it. NULL: a sentence in err. */
struct store *store_open(const char *path, const char *command, int64_t started_us, const char *const *upstreams, uint32_t nupstreams,
    bool values, char *err, size_t err_n) __attribute__((warn_unused_result));
/* From now on the caller waits for the disk rather than lose a request: for who has nothing else to do. */
void store_patient(struct store *s);

/* From one thread at a time; signatures of request_sink with ctx = store. Copies (packs) at once; shapes must live until the end. */
void store_request(void *store, const struct request *r);
void store_stray(void *store, const struct req_stmt *s);
/* Values of a statement, until LIMIT_VALUES_RECORDED; dropped where the store was not opened for values. */
void store_values(void *store, const struct stmt_values *v);

/* Writes what is left, coverage, scopes and findings, marks the recording complete if the snapshot is, and closes. False: a sentence in
 * err; what was written before stays readable. Frees the store either way. */
bool store_finish(struct store *s, const struct snapshot *snap, char *err, size_t err_n) __attribute__((warn_unused_result));
/* Ends without marking the recording complete (an aborted run). NULL is fine. */
void store_abandon(struct store *s);

#endif
