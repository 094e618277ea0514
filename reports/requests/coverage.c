/* SPDX-License-Identifier: Apache-2.0 */
/* coverage: see coverage.h. */
#include "coverage.h"

#include <stddef.h>

#define NUMBER(member) { "coverage." #member, offsetof(struct coverage, member) }

static const struct {
	const char *name;
	size_t at;
} numbers[] = {
	NUMBER(sessions), NUMBER(statements), NUMBER(queries), NUMBER(skipped), NUMBER(control), NUMBER(setup), NUMBER(tagged),
	NUMBER(opaque_expected), NUMBER(opaque_unexpected), NUMBER(lost), NUMBER(evidence_shed), NUMBER(requests), NUMBER(evicted_requests),
	NUMBER(notices),
};

enum { NUMBERS = sizeof numbers / sizeof *numbers };
_Static_assert(sizeof(struct coverage) == NUMBERS * sizeof(uint64_t) + sizeof(const char *), "each number has a name");

const char *
coverage_name(uint32_t i)
{
	return i < NUMBERS ? numbers[i].name : NULL;
}

uint64_t *
coverage_number(struct coverage *c, uint32_t i)
{
	return (uint64_t *)(void *)((char *)c + numbers[i].at);
}

void
coverage_add(struct coverage *to, const struct coverage *more)
{
	struct coverage other = *more;

	for (uint32_t i = 0; i < NUMBERS; i++)
		*coverage_number(to, i) += *coverage_number(&other, i);
	if (other.opaque_reason && *other.opaque_reason)
		to->opaque_reason = other.opaque_reason;
}
