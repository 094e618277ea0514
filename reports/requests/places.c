/* SPDX-License-Identifier: Apache-2.0 */
/* places: see places.h. */
#include "places.h"

#include <xxhash.h>

void
places_init(struct places *p, const struct request *r, struct arena *a)
{
	*p = (struct places){ .nlanes = r->nlanes };
	p->lanes = arena_zero(a, (r->nlanes + 1) * sizeof *p->lanes);
	for (uint32_t i = 0; i < r->nlanes; i++) {
		const char *db = r->lanes[i].database;

		p->lanes[i].home = (uint32_t)XXH3_64bits_withSeed(db, strlen(db), r->lanes[i].upstream);
		p->lanes[i].place = p->lanes[i].home;
	}
}

/* Statements that make later ones read other tables under the same names. */
static bool
changes_place(const struct shape *s)
{
	return s->cls == SQL_SETUP && (s->verb == SQL_V_USE || (s->verb == SQL_V_SET && strcasestr(s->text, "search_path")));
}

static bool
resets_place(const struct shape *s)
{
	return s->verb == SQL_V_DISCARD || s->verb == SQL_V_RESET;
}

static void
follow_tx(struct places *p, struct place_lane *lane, const struct req_stmt *s)
{
	uint64_t lasted;

	if (s->tx != lane->tx) {
		lane->tx = s->tx;
		lane->tx_start = s->start;
		if (lane->local)
			lane->place = lane->outside;
		lane->local = false;
	}
	if (s->tx == 0)
		return;
	lasted = s->start + s->busy - lane->tx_start;
	if (lasted > p->longest_tx)
		p->longest_tx = lasted;
}

static void
change_place(struct place_lane *lane, const struct req_stmt *s)
{
	if (strcasestr(s->shape->text, "set local") && !lane->local) {
		lane->outside = lane->place;
		lane->local = true;
	}
	lane->place = lane->home ^ (uint32_t)XXH3_64bits_withSeed(&s->params, sizeof s->params, s->shape->fingerprint);
}

uint32_t
places_of(struct places *p, const struct req_stmt *s)
{
	struct place_lane *lane = &p->lanes[s->lane < p->nlanes ? s->lane : p->nlanes];
	uint32_t place;

	follow_tx(p, lane, s);
	place = lane->place;
	if (s->shape->cls != SQL_SETUP)
		return place;
	if (changes_place(s->shape))
		change_place(lane, s);
	else if (resets_place(s->shape))
		lane->place = lane->home;
	return place;
}

uint64_t
places_longest_tx(const struct places *p)
{
	return p->longest_tx;
}
