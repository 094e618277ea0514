/* SPDX-License-Identifier: Apache-2.0 */
/* advice: what to do about a finding, in the words of the framework that sent the statement.
 * Does: recognise the framework by the request's tags and application name, choose a sentence. Never: parses SQL, or names a relation that the
 * column of the source does not name. */
#ifndef ROWCALL_ADVICE_H
#define ROWCALL_ADVICE_H

#include "rules.h"

enum framework {
	FRAMEWORK_NONE,		/* not recognised: plain SQL */
	FRAMEWORK_DJANGO, FRAMEWORK_RAILS, FRAMEWORK_SQLALCHEMY, FRAMEWORK_LARAVEL, FRAMEWORK_HIBERNATE, FRAMEWORK_DOCTRINE,
	FRAMEWORK_SEQUELIZE, FRAMEWORK_TYPEORM, FRAMEWORK_PRISMA, FRAMEWORK_GORM,
	FRAMEWORKS
};

enum framework advice_framework(const struct request *r);
/* One or two sentences, in the arena. */
const char *advice_text(struct arena *a, const struct raw_finding *f, enum framework framework);

#endif
