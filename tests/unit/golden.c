/* SPDX-License-Identifier: Apache-2.0 */
/* golden: see golden.h. */
#include "golden.h"

#include <stdlib.h>

uint8_t
golden_dialect(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strncmp(slash ? slash + 1 : path, "mysql-", 6) == 0 ? SQL_MYSQL : SQL_POSTGRESQL;
}

char *
golden_value(char *line)
{
	char *colon = strchr(line, ':');

	line[strcspn(line, "\n")] = '\0';
	if (!colon || !line[0] || (line[0] == '#' && line[1] == ' '))
		return NULL;
	*colon = '\0';
	return colon + 1 + (colon[1] == ' ');
}

size_t
golden_decode(char *text)
{
	static const struct {
		const char *mark;
		char byte;
	} marks[] = { { "<LF>", '\n' }, { "<CR>", '\r' }, { "<TAB>", '\t' }, { "<NUL>", '\0' } };
	char *o = text, *s = text;

	while (*s) {
		size_t took = 0;

		for (size_t i = 0; i < sizeof marks / sizeof *marks && !took; i++)
			if (strncmp(s, marks[i].mark, strlen(marks[i].mark)) == 0) {
				took = strlen(marks[i].mark);
				*o++ = marks[i].byte;
			}
		if (!took && s[0] == '<' && s[1] == 'x' && s[2] && s[3] && s[4] == '>') {
			*o++ = (char)strtol((char[]){ s[2], s[3], '\0' }, NULL, 16);
			took = 5;
		}
		if (took)
			s += took;
		else
			*o++ = *s++;
	}
	*o = '\0';
	return (size_t)(o - text);
}

uint8_t
golden_modes(const char *names)
{
	static const char *const modes[] = { "ansi_quotes", "no_backslash", "backslash", "unsafe_encoding", "fold_shards", "sjis" };
	uint8_t found = 0;

	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		const char *at = strstr(names, modes[i]);

		/* "backslash" is also a part of "no_backslash" */
		if (at && (at == names || at[-1] == ' '))
			found |= (uint8_t)(1u << i);
	}
	return found;
}
