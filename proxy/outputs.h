/* SPDX-License-Identifier: Apache-2.0 */
/* outputs: what happens with a snapshot or a comparison at the end: every report that was asked for, the verdict line, the status.
 * Never: computes anything they do not say. */
#ifndef ROWCALL_OUTPUTS_H
#define ROWCALL_OUTPUTS_H

#include "config.h"
#include "reports/write/write.h"

/* The statuses of the program (design: the same everywhere). */
enum status { STATUS_OK = 0, STATUS_USAGE = 2, STATUS_GATE = 10, STATUS_UNUSABLE = 11 };

/* Writes what, in the format named as in --report. */
typedef void report_writer(const void *what, struct span format, const struct write_options *o, struct strbuf *out);
/* Writes every report that was asked for, text when none was; those without a file go to fd (standard error for run, standard output
 * elsewhere). False: one could not be written; it was said on standard error. */
bool outputs_written(const struct config *c, report_writer *write_as, const void *what, int fd) __attribute__((warn_unused_result));
/* The same of a snapshot. */
bool outputs_reports(const struct config *c, const struct snapshot *s, int fd) __attribute__((warn_unused_result));
/* The last line of every run and comparison, on standard error. */
void outputs_last_line(const struct strbuf *line);
/* The same of a snapshot. */
void outputs_verdict(const struct snapshot *s);
/* The same where no capture came about: nothing was seen, status 11. */
void outputs_unusable(void);
/* The status of what could be trusted or not, and fails or not. */
int outputs_status_of(const struct config *c, bool trusted, bool fails);
/* What the capture says; a child's own status is the caller's business. */
int outputs_status(const struct config *c, const struct snapshot *s);

#endif
