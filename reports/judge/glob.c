/* SPDX-License-Identifier: Apache-2.0 */
/* glob: see glob.h. On a mismatch only the last star is tried again: an earlier one could not do better. */
#include "glob.h"

#include <stddef.h>

bool
glob_match(const char *pattern, const char *text)
{
	const char *star = NULL, *resume = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = ++pattern;
			resume = text;
		} else if (*pattern && (*pattern == '?' || *pattern == *text)) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star;
			text = ++resume;
		} else
			return false;
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}
