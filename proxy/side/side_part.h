/* SPDX-License-Identifier: Apache-2.0 */
/* side_part: what side.c, side_pg.c and side_my.c share. Never: seen by anybody else. */
#ifndef ROWCALL_SIDE_PART_H
#define ROWCALL_SIDE_PART_H

#include <libpq-fe.h>
#include <mysql.h>

#include "side.h"

struct side {
	enum engine_kind engine;
	uint64_t timeout;	/* ns */
	PGconn *pg;
	MYSQL *my;
	bool mariadb;
};

bool side_fail(struct side_problem *p, bool gone, const char *code, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Room for one more row; false when the result has grown over its limit. */
bool side_add_row(struct side_rows *r, struct side_problem *p);
void side_set_cell(struct side_rows *r, uint32_t column, const char *bytes, size_t n);

bool pg_open(struct side *s, const struct side_target *t, struct side_problem *p);
bool pg_query(struct side *s, const char *text, const struct side_param *params, uint32_t nparams, struct side_rows *rows, struct side_problem *p);
bool my_open(struct side *s, const struct side_target *t, struct side_problem *p);
bool my_query(struct side *s, const char *text, const struct side_param *params, uint32_t nparams, struct side_rows *rows, struct side_problem *p);

#endif
