/* SPDX-License-Identifier: Apache-2.0 */
/* my_names: statements that SQL text prepared: PREPARE name FROM '…', EXECUTE name, DEALLOCATE PREPARE name. A namespace of their own,
 * apart from the ids of COM_STMT_PREPARE; names are compared without regard to case, as the server does. */
#include "my_conn.h"

#include "fingerprint/limits.h"
#include "fingerprint/mem.h"

enum { NAMES = 64 };	/* what is prepared beyond that is not known under its name */

struct my_name {
	struct my_name *next;
	struct wire_prepared pub;
	uint32_t n;
	char name[];
};

static struct my_name **
place_of(struct wire_conn *c, struct span name)
{
	struct my_name **at = &c->names;

	while (*at && ((*at)->n != name.n || strncasecmp((*at)->name, (const char *)name.p, name.n) != 0))
		at = &(*at)->next;
	return at;
}

static void
drop(struct wire_conn *c, struct my_name **at)
{
	struct my_name *gone = *at;

	*at = gone->next;
	c->nnames--;
	c->ops->unprepare(c->ctx, &gone->pub);
	mem_free(gone);
}

struct wire_prepared *
my_name_find(struct wire_conn *c, struct span name)
{
	struct my_name *found = name.n ? *place_of(c, name) : NULL;

	return found ? &found->pub : NULL;
}

struct wire_prepared *
my_name_remember(struct wire_conn *c, struct span name, void *user)
{
	struct my_name *new;

	my_name_forget(c, name);
	if (c->why != WIRE_CLEAR || !name.n || name.n > LIMIT_NAME || c->nnames == NAMES)
		return NULL;
	new = mem_alloc(sizeof *new + name.n);
	if (!new)
		return NULL;
	*new = (struct my_name){ .next = c->names, .pub.user = user, .n = (uint32_t)name.n };
	memcpy(new->name, name.p, name.n);
	c->names = new;
	c->nnames++;
	return &new->pub;
}

void
my_name_forget(struct wire_conn *c, struct span name)
{
	struct my_name **at;

	if (!name.n) {
		while (c->names)
			drop(c, &c->names);
		return;
	}
	at = place_of(c, name);
	if (*at)
		drop(c, at);
}
