/* SPDX-License-Identifier: Apache-2.0 */
/* literal: see literal.h. */
#include "literal.h"

#include <ctype.h>
#include <stdlib.h>

bool
literal_quoted(const char **p, struct strbuf *out)
{
	char quote = *(*p)++, hex[3] = "";

	for (; **p && **p != quote; (*p)++) {
		if (**p != '\\') {
			strbuf_char(out, **p);
			continue;
		}
		switch (*++*p) {
		case 'n':
			strbuf_char(out, '\n');
			break;
		case '0':
			strbuf_char(out, '\0');
			break;
		case 'x':
			if (!isxdigit((unsigned char)(*p)[1]) || !isxdigit((unsigned char)(*p)[2]))
				return false;
			memcpy(hex, *p + 1, 2);
			strbuf_char(out, (char)strtoul(hex, NULL, 16));
			*p += 2;
			break;
		case '\0':
			return false;
		default:
			strbuf_char(out, **p);
		}
	}
	return *(*p)++ == quote;
}

bool
literal_repeated(const char **p, unsigned long times, struct strbuf *out)
{
	struct strbuf one;
	bool ok;

	strbuf_init(&one, 1 << 20);
	ok = literal_quoted(p, &one);
	for (unsigned long i = 0; ok && i < times; i++)
		strbuf_add(out, strbuf_span(&one));
	strbuf_clear(&one);
	return ok;
}
