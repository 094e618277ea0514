/* SPDX-License-Identifier: Apache-2.0 */
/* moment: date-times among canonical texts: 2026-11-21 15:30:02.5+01. Does: read them as seconds. Never: knows time zones (one behind the
 * time is skipped), takes a date or a time alone. */
#include "sql.h"

enum { SHORTEST = 19, LONGEST = 40 }; /* bytes */

/* The number in n digits at p; -1. */
static int
digits(const uint8_t *p, int n)
{
	int v = 0;

	for (int i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		v = v * 10 + (p[i] - '0');
	}
	return v;
}

/* Days from 1970-01-01, in the Gregorian calendar. */
static int64_t
days_of(int year, int month, int day)
{
	int y = month <= 2 ? year - 1 : year, shifted = (month + 9) % 12;

	return (int64_t)365 * y + y / 4 - y / 100 + y / 400 + (153 * shifted + 2) / 5 + day - 1 - 719468;
}

/* What may follow the seconds: a fraction, a zone. */
static bool
is_rest(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((p[i] < '0' || p[i] > ':') && p[i] != '.' && p[i] != '+' && p[i] != '-' && p[i] != 'Z' && p[i] != ' ')
			return false;
	return true;
}

uint32_t
sql_moment(struct span text)
{
	const uint8_t *p = text.p;
	int year, month, day, hour, minute, second;

	if (text.n < SHORTEST || text.n > LONGEST || p[4] != '-' || p[7] != '-' || (p[10] != ' ' && p[10] != 'T') || p[13] != ':' || p[16] != ':')
		return 0;
	year = digits(p, 4), month = digits(p + 5, 2), day = digits(p + 8, 2);
	hour = digits(p + 11, 2), minute = digits(p + 14, 2), second = digits(p + 17, 2);
	if (year < 1970 || year > 2105 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
	    second < 0 || second > 60 || !is_rest(p + SHORTEST, text.n - SHORTEST))
		return 0;
	return (uint32_t)(days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second);
}
