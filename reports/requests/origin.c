/* SPDX-License-Identifier: Apache-2.0 */
/* origin: names of where a scope or a border came from. See request.h. */
#include "request.h"

const char *
origin_name(enum origin o)
{
	static const char *const names[] = {
		[FROM_TAG] = "tag", [FROM_MARK] = "mark", [FROM_SESSION] = "session",
		[FROM_TRANSACTION] = "transaction", [FROM_GAP] = "gap", [FROM_NONE] = "none",
	};

	return (unsigned)o < sizeof names / sizeof *names ? names[o] : "none";
}
