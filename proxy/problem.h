/* SPDX-License-Identifier: Apache-2.0 */
/* problem: one sentence about what a user must change, filled in where it is found and printed where the program ends.
 * Does: hold the sentence. Never: prints. */
#ifndef ROWCALL_PROBLEM_H
#define ROWCALL_PROBLEM_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

struct problem {
	char text[1024];
};

/* Always false, so that `return problem(p, …)` reads as what it is. */
static inline bool __attribute__((format(printf, 2, 3)))
problem(struct problem *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->text, sizeof p->text, fmt, ap);
	va_end(ap);
	return false;
}

#endif
