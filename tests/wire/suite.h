/* SPDX-License-Identifier: Apache-2.0 */
/* suite: a test per transcript: it gives its events whole, message by message, byte by byte and cut at random.
 * With ROWCALL_BLESS=1 the files are rewritten with the events they give; read the difference before it is committed. */
#ifndef ROWCALL_TEST_SUITE_H
#define ROWCALL_TEST_SUITE_H

#include "transcript.h"

/* Runs the transcripts that match pattern as one cmocka group; the number of failures. */
int transcript_suite(const char *name, const char *pattern, const struct tongue *tongue);

#endif
