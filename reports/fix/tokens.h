/* SPDX-License-Identifier: Apache-2.0 */
/* tokens: a statement's text as a list of tokens, for taking one apart that is known to be short.
 * Does: say where each token lies, by the lexer's own rules. Never: keeps a byte, resolves an escape, or guesses: what it does not know for
 * sure is TOKEN_BAD. */
#ifndef ROWCALL_TOKENS_H
#define ROWCALL_TOKENS_H

#include "fingerprint/arena.h"
#include "fingerprint/sql.h"

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,	/* a keyword or a name without quotes */
	TOKEN_NAME,	/* a quoted name */
	TOKEN_STRING,
	TOKEN_NUMBER,	/* with its sign */
	TOKEN_PARAM,	/* $n or ?; number */
	TOKEN_OP,	/* a run of operator bytes, or one of : [ ] */
	TOKEN_CAST,	/* :: */
	TOKEN_OPEN, TOKEN_CLOSE, TOKEN_COMMA, TOKEN_DOT, TOKEN_SEMI,
	TOKEN_BAD,	/* unterminated, a user variable, an executable comment, or anything else not for us */
};

struct token {
	enum token_kind kind;
	struct span text;	/* borrowed from the statement */
	uint32_t number;	/* TOKEN_PARAM: 1-based */
	uint32_t match;		/* TOKEN_OPEN, TOKEN_CLOSE: the index of its partner; UINT32_MAX = none */
};

/* In the arena, with a TOKEN_END behind the last of *n; semicolons at the end are left out. */
const struct token *tokens_of(struct sql_lang lang, struct span text, struct arena *a, uint32_t *n) __attribute__((returns_nonnull));

bool token_is(const struct token *t, const char *word);		/* a TOKEN_WORD, any case */
bool token_op(const struct token *t, const char *op);

#endif
