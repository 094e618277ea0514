/* SPDX-License-Identifier: Apache-2.0 */
/* The transcripts under tests/wire/pg; see tests/wire/suite.h. */
#include "tests/wire/suite.h"

int
main(void)
{
	return transcript_suite("PostgreSQL transcripts", "wire/pg/*.txt", &pg_tongue);
}
