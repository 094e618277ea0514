/* SPDX-License-Identifier: Apache-2.0 */
/* The transcripts under tests/wire/my; see tests/wire/suite.h. */
#include "tests/wire/suite.h"

int
main(void)
{
	return transcript_suite("MySQL transcripts", "wire/my/*.txt", &my_tongue);
}
