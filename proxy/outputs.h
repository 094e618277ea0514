/* SPDX-License-Identifier: Apache-2.0 */
/* outputs: what happens with a snapshot at the end: every report that was asked for, the verdict line, the status.
 * Never: computes anything the snapshot does not say. */
#ifndef ROWCALL_OUTPUTS_H
#define ROWCALL_OUTPUTS_H

#include "config.h"
#include "reports/write/write.h"

/* The statuses of the program (design: the same everywhere). */
enum status { STATUS_OK = 0, STATUS_USAGE = 2, STATUS_GATE = 10, STATUS_UNUSABLE = 11 };

/* Writes every report; those without a file go to fd (standard error for run, standard output elsewhere). False: one could not be
 * written; it was said on standard error. */
bool outputs_reports(const struct config *c, const struct snapshot *s, int fd) __attribute__((warn_unused_result));
/* Options of a report for fd, or for a file (-1). */
struct write_options outputs_options(const struct config *c, int fd);
/* The bytes of one report into its file, or, without a path, to fd. what: the report as it was asked for. False: it was said on standard
 * error. */
bool outputs_bytes(const char *what, const char *path, int fd, const struct strbuf *bytes) __attribute__((warn_unused_result));
/* The last line of every run, on standard error. */
void outputs_verdict(const struct snapshot *s);
/* The same where no capture came about: nothing was seen, status 11. */
void outputs_unusable(void);
/* What the capture says; a child's own status is the caller's business. */
int outputs_status(const struct config *c, const struct snapshot *s);

#endif
