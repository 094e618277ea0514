/* SPDX-License-Identifier: Apache-2.0 */
/* step: see step.h. */
#include "step.h"

#include "fingerprint/mem.h"

bool
step_query(struct side *s, const char *text, const struct fix_value *params, uint32_t nparams, struct side_rows *rows, struct side_problem *p)
{
	struct side_param *bound = xmem_zero((nparams + 1) * sizeof *bound);
	bool pg = side_engine(s) == ENGINE_POSTGRESQL, ok;
	struct side_problem ignored;

	for (uint32_t i = 0; i < nparams; i++)
		bound[i] = (struct side_param){ params[i].text, params[i].type };
	ok = (!pg || side_query(s, "SAVEPOINT rowcall", NULL, 0, NULL, p)) && side_query(s, text, bound, nparams, rows, p);
	if (pg && !(!ok && p->gone) && !side_query(s, ok ? "RELEASE rowcall" : "ROLLBACK TO rowcall", NULL, 0, NULL, ok ? p : &ignored)) {
		if (ok && rows)
			side_rows_clear(rows);
		ok = false;
	}
	mem_free(bound);
	return ok;
}
