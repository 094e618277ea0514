/* SPDX-License-Identifier: Apache-2.0 */
/* pg_types: values as the server would print them. */
#include "pg_conn.h"

size_t
pg_value_text(const struct wire_value *v, char *buf, size_t cap)
{
	if (v->n < 0 || v->binary)
		return (size_t)-1;
	if (v->n)
		memcpy(buf, v->p, (size_t)v->n < cap ? (size_t)v->n : cap);
	return (size_t)v->n;
}
