/* SPDX-License-Identifier: Apache-2.0 */
/* pg_types_time: dates, times and intervals. See pg_types.h. */
#include "pg_types.h"

#define SECOND INT64_C(1000000)		/* in microseconds, the unit of all times here */
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define EPOCH_DAYS INT64_C(730425)	/* 2000-01-01 in days since 0000-03-01, proleptic Gregorian */

struct civil {
	int64_t year;		/* 0 = 1 BC */
	uint32_t month, day;
};

/* Days since 2000-01-01 to a date. Years are counted from March, so that the leap day comes last. */
static struct civil
civil_of(int64_t days)
{
	int64_t era, year;
	uint32_t of_era, of_year, month;
	struct civil c;

	days += EPOCH_DAYS;
	era = (days >= 0 ? days : days - 146096) / 146097;
	of_era = (uint32_t)(days - era * 146097);
	year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	of_year = of_era - (uint32_t)(365 * year + year / 4 - year / 100);
	month = (5 * of_year + 2) / 153;
	c.day = of_year - (153 * month + 2) / 5 + 1;
	c.month = month < 10 ? month + 3 : month - 9;
	c.year = year + era * 400 + (c.month <= 2);
	return c;
}

static void
put_civil(struct pg_text *t, const struct civil *c)
{
	pg_text_number(t, (uint64_t)(c->year > 0 ? c->year : 1 - c->year), 4);
	pg_text_char(t, '-');
	pg_text_number(t, c->month, 2);
	pg_text_char(t, '-');
	pg_text_number(t, c->day, 2);
}

static void
put_era(struct pg_text *t, const struct civil *c)
{
	if (c->year <= 0)
		pg_text_str(t, " BC");
}

/* hh:mm:ss and as many digits of a fraction as are needed; us is not negative. */
static void
put_clock(struct pg_text *t, uint64_t us)
{
	uint64_t fraction = us % SECOND;
	unsigned width = 6;

	pg_text_number(t, us / HOUR, 2);
	pg_text_char(t, ':');
	pg_text_number(t, us / MINUTE % 60, 2);
	pg_text_char(t, ':');
	pg_text_number(t, us / SECOND % 60, 2);
	if (!fraction)
		return;
	for (; fraction % 10 == 0; width--)
		fraction /= 10;
	pg_text_char(t, '.');
	pg_text_number(t, fraction, width);
}

void
pg_put_date(struct pg_text *t, struct bytes *b)
{
	int32_t days = (int32_t)bytes_be32(b);
	struct civil c = civil_of(days);

	if (days == INT32_MAX || days == INT32_MIN) {
		pg_text_str(t, days < 0 ? "-infinity" : "infinity");
		return;
	}
	put_civil(t, &c);
	put_era(t, &c);
}

static void
put_moment(struct pg_text *t, struct bytes *b, const char *zone)
{
	int64_t us = (int64_t)bytes_be64(b), days = us / DAY;
	struct civil c;

	if (us == INT64_MAX || us == INT64_MIN) {
		pg_text_str(t, us < 0 ? "-infinity" : "infinity");
		return;
	}
	us %= DAY;
	if (us < 0) {
		us += DAY;
		days--;
	}
	c = civil_of(days);
	put_civil(t, &c);
	pg_text_char(t, ' ');
	put_clock(t, (uint64_t)us);
	pg_text_str(t, zone);
	put_era(t, &c);
}

void
pg_put_timestamp(struct pg_text *t, struct bytes *b)
{
	put_moment(t, b, "");
}

void
pg_put_timestamptz(struct pg_text *t, struct bytes *b)
{
	put_moment(t, b, "+00");
}

/* Microseconds of a day; 24:00:00 is a time too. */
static bool
put_time_of_day(struct pg_text *t, struct bytes *b)
{
	uint64_t us = bytes_be64(b);

	if (us > DAY)
		b->bad = true;
	else
		put_clock(t, us);
	return !b->bad;
}

void
pg_put_time(struct pg_text *t, struct bytes *b)
{
	put_time_of_day(t, b);
}

/* The zone is in seconds west of Greenwich. */
void
pg_put_timetz(struct pg_text *t, struct bytes *b)
{
	int64_t zone;
	uint64_t east;

	if (!put_time_of_day(t, b))
		return;
	zone = (int32_t)bytes_be32(b);
	east = (uint64_t)(zone < 0 ? -zone : zone);
	pg_text_char(t, zone > 0 ? '-' : '+');
	pg_text_number(t, east / 3600, 2);
	if (east % 3600) {
		pg_text_char(t, ':');
		pg_text_number(t, east / 60 % 60, 2);
	}
	if (east % 60) {
		pg_text_char(t, ':');
		pg_text_number(t, east % 60, 2);
	}
}

/* State of an interval's text: a positive part that follows a negative one shows its sign. */
struct parts {
	bool any, negative;
};

static void
put_part(struct pg_text *t, struct parts *parts, int64_t v, const char *unit)
{
	if (v == 0)
		return;
	if (parts->any)
		pg_text_char(t, ' ');
	if (v < 0)
		pg_text_char(t, '-');
	else if (parts->negative)
		pg_text_char(t, '+');
	pg_text_number(t, (uint64_t)(v < 0 ? -v : v), 1);
	pg_text_char(t, ' ');
	pg_text_str(t, unit);
	if (v != 1)
		pg_text_char(t, 's');
	parts->any = true;
	parts->negative = v < 0;
}

void
pg_put_interval(struct pg_text *t, struct bytes *b)
{
	int64_t us = (int64_t)bytes_be64(b), days = (int32_t)bytes_be32(b), months = (int32_t)bytes_be32(b);
	struct parts parts = { false, false };

	put_part(t, &parts, months / 12, "year");
	put_part(t, &parts, months % 12, "mon");
	put_part(t, &parts, days, "day");
	if (us == 0 && parts.any)
		return;
	if (parts.any)
		pg_text_char(t, ' ');
	if (us < 0)
		pg_text_char(t, '-');
	else if (parts.negative)
		pg_text_char(t, '+');
	put_clock(t, us < 0 ? 0 - (uint64_t)us : (uint64_t)us);
}
