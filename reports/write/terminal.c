/* SPDX-License-Identifier: Apache-2.0 */
/* terminal: may this output be coloured, how wide is it, does it take UTF-8.
 * Never: remembers an answer; each question is asked of the environment again. */
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "write.h"

enum { WIDTH_LEAST = 60, WIDTH_MOST = 160, WIDTH_DEFAULT = 96 };

/* The variable's value; an empty one counts as unset. */
static const char *
env(const char *name)
{
	const char *v = getenv(name);

	return v && *v ? v : NULL;
}

static bool
env_on(const char *name)
{
	const char *v = env(name);

	return v && strcmp(v, "0") != 0;
}

static bool
env_is(const char *name, const char *value)
{
	const char *v = env(name);

	return v && strcmp(v, value) == 0;
}

/* Build logs that show ANSI colours although they are not terminals. A regular file is nobody's log. */
static bool
coloring_ci(int fd)
{
	struct stat st;

	return (env("GITHUB_ACTIONS") || env("GITLAB_CI")) && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode);
}

static bool
decide_color(int fd, const char *color)
{
	if (strcmp(color, "auto") != 0)
		return strcmp(color, "always") == 0;
	if (env("NO_COLOR"))
		return false;
	if (env_on("CLICOLOR_FORCE") || env_on("FORCE_COLOR"))
		return true;
	if (env_is("CLICOLOR", "0") || env_is("TERM", "dumb"))
		return false;
	return isatty(fd) || coloring_ci(fd);
}

static unsigned
clamp(unsigned long columns)
{
	return columns < WIDTH_LEAST ? WIDTH_LEAST : columns > WIDTH_MOST ? WIDTH_MOST : (unsigned)columns;
}

static unsigned
find_width(int fd)
{
	const char *v = env("COLUMNS");
	struct winsize w;
	char *end;

	if (v) {
		unsigned long n = strtoul(v, &end, 10);

		if (*end == '\0' && n > 0)
			return clamp(n);
	}
	if (isatty(fd) && ioctl(fd, TIOCGWINSZ, &w) == 0 && w.ws_col > 0)
		return clamp(w.ws_col);
	return WIDTH_DEFAULT;
}

static bool
find_utf8(void)
{
	const char *v = env("LC_ALL");

	if (!v)
		v = env("LC_CTYPE");
	if (!v)
		v = env("LANG");
	return v && (strcasestr(v, "utf-8") || strcasestr(v, "utf8"));
}

struct write_options
write_options_for(int fd, const char *color)
{
	return (struct write_options){ .color = decide_color(fd, color), .utf8 = find_utf8(), .width = find_width(fd) };
}
