/* SPDX-License-Identifier: Apache-2.0 */
/* words: see words.h. Decimals are put together from integers, so that no locale can turn the point into a comma. */
#include "words.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

/* value / unit with one decimal below 10, none from there; halves round up. */
static const char *
scaled(struct arena *a, uint64_t value, uint64_t unit, const char *name)
{
	uint64_t tenths = (value + unit / 20) / (unit / 10);

	if (tenths >= 100)
		return arena_printf(a, "%" PRIu64 " %s", (value + unit / 2) / unit, name);
	return arena_printf(a, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10, tenths % 10, name);
}

const char *
words_ns(struct arena *a, uint64_t ns)
{
	/* Two decimals where one would say nothing. */
	if (ns >= 5000 && ns < 95000)
		return arena_printf(a, "0.%02u ms", (unsigned)((ns + 5000) / 10000));
	if (ns < 999500000)
		return scaled(a, ns, 1000000, "ms");
	return scaled(a, ns, 1000000000, "s");
}

const char *
words_count(struct arena *a, uint64_t n, const char *one, const char *many)
{
	return arena_printf(a, "%" PRIu64 " %s", n, n == 1 ? one : many);
}

const char *
words_bytes(struct arena *a, uint64_t bytes)
{
	if (bytes < 1000)
		return arena_printf(a, "%" PRIu64 " bytes", bytes);
	return bytes < 999500 ? scaled(a, bytes, 1000, "kB") : scaled(a, bytes, 1000000, "MB");
}

bool
words_is_date(const char *text)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%Y-%m-%d", &tm);
	char again[16];

	if (!end || *end || timegm(&tm) == -1)
		return false;
	strftime(again, sizeof again, "%Y-%m-%d", &tm); /* timegm made 31 February the 3rd of March */
	return strcmp(again, text) == 0;
}
