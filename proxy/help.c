/* SPDX-License-Identifier: Apache-2.0 */
/* help: --help of the program and of each command, printed from the option table; never a second list of options. */
#include <string.h>

#include "cmd.h"
#include "outputs.h"
#include "reports/judge/rules.h"

enum { FLAG_WIDTH = 30, TEXT_WIDTH = 100 };

const struct command commands[] = {
	{ "run", "[OPTIONS] -- COMMAND...", "run a command and report the queries of each of its requests",
	    "Finds the databases in the command's environment (DATABASE_URL and the like, PG*, MYSQL*, DB_HOST and DB_PORT), listens "
	    "beside them,\n"
	    "points the command at itself, and reports on standard error when the command ends.\n\n"
	    "Status: the command's own when it is not 0; else 0, or 10 over a gate, or 11 when the capture cannot be trusted\n"
	    "(nothing captured, events lost, a session not understood, the database unreachable); 2 before anything runs.",
	    FOR_RUN, cmd_run },
	{ "proxy", "[OPTIONS] (--listen ADDRESS --upstream URL)...", "forward and inspect until told to end",
	    "Ends on SIGINT or SIGTERM after open statements and transactions are done, prints its report on standard output;\n"
	    "a second signal ends it at once. SIGHUP reads certificates and what judges (budgets, allow, baseline, rules, reports) anew.",
	    FOR_PROXY, cmd_proxy },
	{ "report", "[OPTIONS] [RECORDING]", "render a recording; without one the last run's", NULL, FOR_REPORT, cmd_report },
	{ "merge", "--record FILE RECORDING...", "make one recording of several, as of the shards of a CI run", NULL, FOR_MERGE,
	    cmd_merge },
	{ "diff", "[OPTIONS] BEFORE AFTER", "compare two recordings: statements, counts, times, the order of one request",
	    "A scope is worse when its median request makes more queries, or when it has a loop or duplicate that is new or bigger. Times are\n"
	    "compared by a rank test over requests (p < 0.05, and medians further apart than requests of one run usually are); they decide\n"
	    "nothing. Reports: text, markdown, json, html.\n\n"
	    "Status: 10 when a scope is worse (--exit-code, --exit-zero); 11 when a recording cannot be read or trusted; else 0.",
	    FOR_DIFF, cmd_diff },
	{ "fix", "[OPTIONS] FINDING [RECORDING]", "check a finding's batched form against the database",
	    "Takes a finding (its id, or the first digits) of a recording with values (--record-values; the last run without RECORDING; that of a\n"
	    "proxy may still be running), builds one statement for all its look-ups of a single table, and runs both in one read-only snapshot\n"
	    "of the committed data. Prints whether every key gets the same rows, what is saved, the plans, and the index that is missing.\n"
	    "Nothing is written, EXPLAIN runs without ANALYZE, and no value is printed without --show-values.\n\n"
	    "Status: 0 the batched form is verified; 10 it gives other rows; 11 it cannot be verified, and why; 2 wrong usage.",
	    FOR_FIX, cmd_fix },
	{ "mark", "[OPTIONS] NAME", "name the test or request that runs from now on", NULL, FOR_MARK, cmd_mark },
	{ "ping", "[OPTIONS]", "ask a running capture whether it accepts connections", NULL, FOR_PING, cmd_ping },
	{ "fingerprint", "[OPTIONS] [FILE...]", "print the fingerprint and shape of each statement of files or standard input", NULL, FOR_FINGERPRINT,
	    cmd_fingerprint },
	{ "config", "check|show [OPTIONS]", "check rowcall.yaml, or show every setting in force and where it came from", NULL, FOR_CONFIG,
	    cmd_config },
	{ NULL, NULL, NULL, NULL, 0, NULL },
};

const struct command *
command_find(const char *name)
{
	for (const struct command *c = commands; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

int
command_unknown(const char *name)
{
	const char *nearest = NULL;
	unsigned best = 9;

	for (const struct command *c = commands; c->name; c++)
		if (option_nearer(name, c->name, &best))
			nearest = c->name;
	fprintf(stderr, "rowcall: error: there is no command %s", name);
	if (nearest)
		fprintf(stderr, "; did you mean %s?", nearest);
	fputs("\ntry: rowcall --help\n", stderr);
	return STATUS_USAGE;
}

void
help_program(FILE *out)
{
	fputs("usage: rowcall COMMAND [OPTIONS]\n\n"
	      "Shows which requests of an app make one database call per row, between the app and PostgreSQL, MySQL or "
	      "MariaDB.\n\ncommands:\n",
	    out);
	for (const struct command *c = commands; c->name; c++)
		fprintf(out, "  %-12s %s\n", c->name, c->summary);
	fputs("\nstart with: rowcall run -- COMMAND\nrowcall help COMMAND tells more; rowcall --version names the version\n", out);
}

/* Text in lines of TEXT_WIDTH, the second and further ones under the first. */
static void
print_wrapped(FILE *out, const char *text, int indent)
{
	int column = indent;

	while (*text) {
		int word = (int)strcspn(text, " ");

		if (column > indent && column + 1 + word > TEXT_WIDTH) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", word, text);
		column += word;
		text += word;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

static void
print_option(FILE *out, const struct option_def *o)
{
	char flag[80], text[700];
	int n = snprintf(flag, sizeof flag, o->letter ? "-%c, " : "    ", o->letter);

	n += snprintf(flag + n, sizeof flag - (size_t)n, "--%s%s", o->type == OPTION_BOOL && o->fallback ? "[no-]" : "", o->name);
	if (o->type != OPTION_BOOL)
		snprintf(flag + n, sizeof flag - (size_t)n, " %s", o->arg);
	snprintf(text, sizeof text, "%s%s%s%s%s%s%s", o->help, o->choices ? ": " : "", o->choices ? o->choices : "",
	    o->fallback && *o->fallback ? " (default " : "", o->fallback && *o->fallback ? o->fallback : "",
	    o->fallback && *o->fallback ? ")" : "", o->many != OPTION_ONCE ? "; may be repeated" : "");
	fprintf(out, "  %-*s", FLAG_WIDTH, flag);
	if (strlen(flag) >= FLAG_WIDTH)
		fprintf(out, "\n  %-*s", FLAG_WIDTH, "");
	print_wrapped(out, text, FLAG_WIDTH + 2);
}

/* What --fail-on, budgets and allow name, with what each rule looks for. */
static void
print_rules(FILE *out)
{
	fputs("\nrules:\n", out);
	for (int i = 0; i < RULES; i++) {
		fprintf(out, "  %-*s", FLAG_WIDTH, rule_names[i]);
		print_wrapped(out, rules[i].help, FLAG_WIDTH + 2);
	}
}

void
help_command(FILE *out, const struct command *c)
{
	fprintf(out, "usage: rowcall %s %s\n\n%c%s\n", c->name, c->usage, c->summary[0] - 'a' + 'A', c->summary + 1);
	if (c->more)
		fprintf(out, "\n%s\n", c->more);
	fputs("\noptions:\n", out);
	for (enum option_id i = 0; i < OPTIONS; i++)
		if (options[i].name && (options[i].commands & c->options)) {
			struct option_def o = options[i];

			if (i == OPT_REPORT && c->options == FOR_DIFF)
				o.help = "write the comparison, html:diff.html: text, markdown, json, html; without FILE to standard output";
			print_option(out, &o);
		}
	if (c->options & (FOR_RUN | FOR_PROXY | FOR_REPORT)) {
		print_rules(out);
		fputs("\nEvery option can also stand in rowcall.yaml or in the environment: --max-queries is ROWCALL_MAX_QUERIES. A flag "
		      "wins over the\n"
		      "environment, the environment over the file.\n",
		    out);
	}
}
