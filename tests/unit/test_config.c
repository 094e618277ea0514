/* SPDX-License-Identifier: Apache-2.0 */
/* rowcall.yaml and everything else the user asked for, from text to struct config. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fingerprint/limits.h"
#include "proxy/config.h"
#include "proxy/settings.h"
#include "proxy/yaml.h"

static struct problem problem_said;

/* ---- rowcall.yaml ---- */

static bool
read_yaml(struct settings *s, const char *text)
{
	settings_init(s);
	problem_said.text[0] = '\0';
	return yaml_read(s, span_str(text), "rowcall.yaml", &problem_said);
}

static void
mistakes_have_file_line_and_column(void **state)
{
	static const struct {
		const char *yaml, *message;
	} cases[] = {
		{ "workers: 1\nworker: 2\n", "rowcall.yaml:2:1: unknown key \"worker\"; did you mean workers? Allowed here: listen, " },
		{ "slow: {query: 1s, quiry: 2s}",
		    "rowcall.yaml:1:19: unknown key \"quiry\"; did you mean query? Allowed here: query, request" },
		{ "frobnicate: 1", "rowcall.yaml:1:1: unknown key \"frobnicate\"; allowed here: listen, " },
		{ "budgets:\n  - {scope: '*', max_querys: 3}\n",
		    "rowcall.yaml:2:18: unknown key \"max_querys\"; did you mean max_queries?" },
		{ "workers: 1\nworkers: 2\n", "rowcall.yaml:2:1: \"workers\" stands here twice" },
		{ "budgets: [{scope: a, scope: b}]", "rowcall.yaml:1:22: \"scope\" stands here twice" },
		{ "gate: {max_queries: &n 3}", "rowcall.yaml:1:21: anchors (&n) are not used here" },
		{ "slow: &s {query: 1s}", "rowcall.yaml:1:7: anchors (&s)" },
		{ "report: &r [text]", "rowcall.yaml:1:9: anchors (&r)" },
		{ "gate: {max_queries: 3, max_total_queries: *n}", "rowcall.yaml:1:43: aliases (*n) are not used here" },
		{ "workers: !!int 3", "rowcall.yaml:1:10: tags (tag:yaml.org,2002:int) are not used here" },
		{ "workers: 1\n---\nworkers: 2\n", "rowcall.yaml:2:1: a second document" },
		{ "requests: {idle_gap: 100}",
		    "rowcall.yaml:1:22: requests.idle_gap wants a duration such as 100ms, 1s or 5m, not \"100\"" },
		{ "budgets: [{scope: a, max_bytes: 1KB}]",
		    "rowcall.yaml:1:33: budgets[].max_bytes wants a size in bytes such as 4096, 64K or 1M" },
		{ "gate: {min_tagged: 0.9}", "rowcall.yaml:1:20: gate.min_tagged wants a percentage" },
		{ "gate: {inferred: yes}", "rowcall.yaml:1:18: gate.inferred wants true or false, not \"yes\"" },
		{ "workers: many", "rowcall.yaml:1:10: workers wants a whole number from 1 to 64, not \"many\"" },
		{ "workers: 65", "rowcall.yaml:1:10: workers wants a whole number from 1 to 64" },
		{ "workers: 010", "rowcall.yaml:1:10: workers wants a whole number" },
		{ "workers: [1]", "rowcall.yaml:1:10: workers wants a single value, not a list" },
		{ "workers: {n: 1}", "rowcall.yaml:1:10: workers wants a single value, not a mapping" },
		{ "workers:", "rowcall.yaml:1:9: workers has no value" },
		{ "workers: ~", "rowcall.yaml:1:10: workers has no value" },
		{ "slow: 100ms", "rowcall.yaml:1:7: expected keys with values, not a single value; allowed here: query, request" },
		{ "budgets: {scope: '*'}", "rowcall.yaml:1:10: budgets wants a list of entries, not a mapping" },
		{ "budgets: ['*']", "rowcall.yaml:1:11: expected keys with values, not a single value; allowed here: scope, test, " },
		{ "report: text", "rowcall.yaml:1:9: report wants a list" },
		{ "gate: {fail_on: n-plus-one}", "rowcall.yaml:1:17: gate.fail_on wants a list" },
		{ "- workers", "rowcall.yaml:1:1: expected keys with values, not a list" },
		{ "[a]: 1", "rowcall.yaml:1:1: a key is a single word, not a list" },
		{ "slow.query: 1s", "rowcall.yaml:1:1: unknown key \"slow.query\"" },
		{ "workers: 1\n\tslow: 2\n", "rowcall.yaml:2:1: " },
		{ "workers: {", "rowcall.yaml:2:1: did not find" },
		{ "workers: \"1\\0\"", "rowcall.yaml:1:10: a NUL character" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct settings s;

		assert_false(read_yaml(&s, cases[i].yaml));
		print_message("%s\n", problem_said.text);
		assert_memory_equal(problem_said.text, cases[i].message, strlen(cases[i].message));
		assert_null(strstr(problem_said.text, "secret"));
		settings_clear(&s);
	}
}

static void
an_empty_file_says_nothing(void **state)
{
	static const char *const empties[] = { "", "\n", "# nothing\n", "---\n", "{}" };

	(void)state;
	for (size_t i = 0; i < sizeof empties / sizeof *empties; i++) {
		struct settings s;

		if (strcmp(empties[i], "---\n") == 0)
			continue; /* a document that is null: told as such below */
		assert_true(read_yaml(&s, empties[i]));
		assert_int_equal(s.n, 0);
		settings_clear(&s);
	}
	struct settings s;

	assert_false(read_yaml(&s, "---\n"));
	settings_clear(&s);
}

static void
values_know_where_they_were_said(void **state)
{
	struct settings s;

	(void)state;
	assert_true(read_yaml(&s, "workers: 2\nbudgets:\n  - {scope: a, max_queries: 1}\n  - {test: b}\nreport: [text, 'json:o.json']\n"));
	assert_int_equal(settings_get(&s, OPT_WORKERS).value, 2);
	assert_int_equal(settings_get(&s, OPT_WORKERS).line, 1);
	assert_int_equal(settings_get(&s, OPT_WORKERS).column, 10);
	assert_int_equal(settings_entries(&s, "budgets[].", SAID_FILE), 2);
	assert_int_equal(settings_entry(&s, OPT_BUDGET_TEST, SAID_FILE, 1).line, 4);
	assert_string_equal(settings_nth(&s, OPT_REPORT, SAID_FILE, 1)->text, "json:o.json");
	settings_clear(&s);
}

static void
nesting_and_lists_are_bounded(void **state)
{
	char deep[64] = "report: ";
	struct strbuf many;
	struct settings s;

	(void)state;
	memset(deep + 8, '[', LIMIT_CONFIG_DEPTH); /* one more than allowed, with the mapping around it */
	assert_false(read_yaml(&s, deep));
	assert_non_null(strstr(problem_said.text, "nested too deeply"));
	settings_clear(&s);

	strbuf_init(&many, LIMIT_CONFIG_BYTES);
	strbuf_str(&many, "budgets:\n");
	for (int i = 0; i < LIMIT_LIST; i++)
		strbuf_str(&many, "- {scope: a}\n");
	assert_true(read_yaml(&s, strbuf_cstr(&many)));
	settings_clear(&s);
	strbuf_str(&many, "- {scope: a}\n");
	assert_false(read_yaml(&s, strbuf_cstr(&many)));
	assert_non_null(strstr(problem_said.text, "more than 10000 entries"));
	settings_clear(&s);
	strbuf_clear(&many);
}

/* ---- files ---- */

static void
touch(const char *directory, const char *name, const char *text)
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void
assert_found(const char *from, const char *expected)
{
	struct arena arena = { 0 };
	struct problem p;
	const char *found = yaml_find(&arena, from, &p);

	if (expected)
		assert_string_equal(found, expected);
	else
		assert_null(found);
	assert_string_equal(p.text, "");
	arena_clear(&arena);
}

static void
the_file_is_found_upwards_to_the_repository(void **state)
{
	char top[] = "/tmp/rowcall-test-XXXXXX", repo[100], inner[120], path[150];
	struct arena arena = { 0 };
	struct settings s;
	struct problem p;

	(void)state;
	assert_non_null(mkdtemp(top));
	snprintf(repo, sizeof repo, "%s/repo", top);
	snprintf(inner, sizeof inner, "%s/a", repo);
	mkdir(repo, 0700);
	mkdir(inner, 0700);
	touch(top, "rowcall.yaml", "workers: 9\n");
	assert_found(inner, NULL); /* in no repository: only the directory itself counts */
	assert_found(top, "rowcall.yaml");
	touch(repo, ".git", "gitdir: elsewhere\n");
	assert_found(inner, NULL); /* above the repository: not ours */
	touch(repo, "rowcall.yaml", "workers: 2\n");
	assert_found(inner, "../rowcall.yaml");
	assert_found(repo, "rowcall.yaml");

	snprintf(path, sizeof path, "%s/rowcall.yaml", repo);
	settings_init(&s);
	assert_true(yaml_load(&s, path, "rowcall.yaml", &p));
	assert_int_equal(settings_get(&s, OPT_WORKERS).value, 2);
	settings_clear(&s);
	assert_false(yaml_load(&s, inner, "a", &p));
	assert_string_equal(p.text, "a: Is a directory");
	assert_false(yaml_load(&s, "/nonexistent/rowcall.yaml", "/nonexistent/rowcall.yaml", &p));
	assert_string_equal(p.text, "/nonexistent/rowcall.yaml: No such file or directory");
	settings_clear(&s);

	unlink(path);
	touch(repo, "rowcall.yml", "");
	assert_null(yaml_find(&arena, inner, &p));
	assert_non_null(strstr(p.text, "../rowcall.yml: the file is called rowcall.yaml"));
	arena_clear(&arena);

	char clean[200];

	snprintf(clean, sizeof clean, "rm -r %s", top);
	assert_int_equal(system(clean), 0);
}

static void
a_file_is_bounded(void **state)
{
	char dir[] = "/tmp/rowcall-test-XXXXXX", path[100];
	struct settings s;
	struct problem p;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/rowcall.yaml", dir);
	for (int over = 0; over < 2; over++) {
		f = fopen(path, "we");
		for (int i = 0; i < LIMIT_CONFIG_BYTES + over; i++)
			fputc(i % 80 ? '#' : '\n', f);
		fclose(f);
		settings_init(&s);
		assert_int_equal(yaml_load(&s, path, "rowcall.yaml", &p), !over);
		settings_clear(&s);
	}
	assert_string_equal(p.text, "rowcall.yaml: larger than 1 MiB");
	unlink(path);
	rmdir(dir);
}

/* ---- the whole configuration ---- */

struct built {
	struct settings settings;
	struct arena arena;
	struct config config;
	bool ok;
};

static void
build(struct built *b, const char *yaml, const char **argv)
{
	int argc = 0, rest;

	*b = (struct built){ 0 };
	settings_init(&b->settings);
	problem_said.text[0] = '\0';
	while (argv && argv[argc])
		argc++;
	b->ok = (!argv || settings_from_flags(&b->settings, argc, (char **)(uintptr_t)argv, FOR_PROXY, &rest, &problem_said)) &&
		(!yaml || yaml_read(&b->settings, span_str(yaml), "rowcall.yaml", &problem_said)) &&
		config_build(&b->settings, &b->arena, NULL, 0, &b->config, &problem_said);
}

static void
done(struct built *b)
{
	if (b->ok)
		config_clear(&b->config);
	settings_clear(&b->settings);
	arena_clear(&b->arena);
}

#define BUILD(b, yaml, ...) build(b, yaml, (const char *[]){ "proxy", ##__VA_ARGS__, NULL })

/* The sample of the manual, less what this version refuses by name (tested above). */
static const char sample[] =
    "listen:\n"
    "  - {address: \"127.0.0.1:5433\", upstream: \"postgresql://127.0.0.1:5432\", name: core, server_tls: prefer}\n"
    "  - {address: \"127.0.0.1:3307\", upstream: \"mysql://127.0.0.1:3306\", name: audit, catalog: \"\"}\n"
    "workers: 1\n"
    "requests: {idle_gap: 100ms, quiet: 1s, keyed_quiet: 60s, fold: [{match: '/\\d+', replace: '/:id'}], tag_settings: [app.request_id]}\n"
    "n_plus_one: {threshold: 5, lineage: off}\n"
    "slow: {query: 100ms, request: 1s}\n"
    "budgets:\n"
    "  - {scope: \"GET /orders\", max_queries: 12, n_plus_one: 0, duplicates: 0}\n"
    "  - {test: \"tests/slow/*\", max_queries: 400}\n"
    "  - {scope: \"*\", max_queries: 50}\n"
    "allow:\n"
    "  - {rule: n-plus-one, scope: \"GET /admin/*\", shape: \"q91bd02c\", reason: \"three sections by layout\", until: 2027-01-01}\n"
    "gate: {fail_on: [n-plus-one, \"duplicate:proven\"], inferred: true, min_tagged: 0.5%}\n"
    "report: [text, \"junit:out.xml\", \"json:rowcall.json\"]\n"
    "admin: {address: \"127.0.0.1:9433\", token_file: \"\"}\n";

static void
the_manuals_sample_loads(void **state)
{
	struct built b;

	(void)state;
	BUILD(&b, sample);
	if (!b.ok)
		fail_msg("%s", problem_said.text);
	const struct config *c = &b.config;

	assert_int_equal(c->nlistens, 2);
	assert_string_equal(c->listens[0].address, "127.0.0.1");
	assert_int_equal(c->listens[0].port, 5433);
	assert_string_equal(c->listens[0].name, "core");
	assert_string_equal(c->listens[0].upstream.display, "127.0.0.1:5432");
	assert_int_equal(c->listens[0].setup.server_tls, WIRE_TLS_PREFER);
	assert_int_equal(c->listens[0].line, 2);
	assert_int_equal(c->listens[1].upstream.engine, ENGINE_MYSQL);
	assert_int_equal(c->listens[1].setup.server_tls, WIRE_TLS_MIRROR);
	assert_int_equal(c->idle_gap, 100000000);
	assert_int_equal(c->keyed_quiet, UINT64_C(60000000000));
	assert_non_null(c->fold);
	assert_null(c->tag_patterns);
	assert_string_equal(c->tag_settings[0], "app.request_id");
	assert_int_equal(c->rules.n_plus_one_threshold, 5);
	assert_int_equal(c->rules.slow_request, 1000000000);
	assert_int_equal(c->gate.nbudgets, 3);
	assert_int_equal(c->gate.budgets[0].max_queries, 12);
	assert_int_equal(c->gate.budgets[0].n_plus_one, 0);
	assert_int_equal(c->gate.budgets[0].max_rows, NO_LIMIT);
	assert_int_equal(c->gate.budgets[0].line, 9);
	assert_null(c->gate.budgets[1].scope);
	assert_string_equal(c->gate.budgets[1].test, "tests/slow/*");
	assert_int_equal(c->gate.nallows, 1);
	assert_int_equal(c->gate.allows[0].rule, RULE_N_PLUS_ONE);
	assert_int_equal(c->gate.nfail_on, 2);
	assert_false(c->gate.fail_on[0].proven_only);
	assert_int_equal(c->gate.fail_on[1].rule, RULE_DUPLICATE);
	assert_true(c->gate.fail_on[1].proven_only);
	assert_true(c->gate.inferred);
	assert_true(c->gate.min_tagged > 0.0049 && c->gate.min_tagged < 0.0051);
	assert_int_equal(c->nreports, 3);
	assert_string_equal(c->admin_address, "127.0.0.1");
	assert_int_equal(c->admin_port, 9433);
	assert_string_equal(c->gate.config_file, "rowcall.yaml");
	done(&b);
}

static void
without_anything_the_defaults_hold(void **state)
{
	struct built b;

	(void)state;
	BUILD(&b, NULL);
	assert_true(b.ok);
	assert_int_equal(b.config.nlistens, 0);
	assert_int_equal(b.config.workers, 1);
	assert_int_equal(b.config.exit_code, 10);
	assert_int_equal(b.config.gate.max_queries, NO_LIMIT);
	assert_int_equal(b.config.gate.max_total_queries, NO_LIMIT);
	assert_int_equal(b.config.gate.nfail_on, 0);
	assert_true(b.config.gate.inferred);
	assert_int_equal(b.config.rtt, 1000000);
	assert_string_equal(b.config.admin_address, "");
	assert_string_equal(b.config.color, "auto");
	assert_int_equal(b.config.log_level, LOG_INFO);
	done(&b);
}

static void
flags_win_over_the_file(void **state)
{
	struct built b;

	(void)state;
	BUILD(&b, sample, "--listen", "[::1]:6000", "--upstream", "postgresql://db.example/app?sslmode=verify-full", "--fail-on",
	    "write-loop", "--max-queries", "7", "--report", "json", "--slow-query", "0", "-v");
	if (!b.ok)
		fail_msg("%s", problem_said.text);
	assert_int_equal(b.config.nlistens, 1);
	assert_string_equal(b.config.listens[0].address, "::1");
	assert_int_equal(b.config.listens[0].port, 6000);
	assert_string_equal(b.config.listens[0].upstream.host, "db.example");
	assert_int_equal(b.config.listens[0].setup.server_tls, WIRE_TLS_VERIFY_FULL);
	assert_int_equal(b.config.gate.nfail_on, 1);
	assert_int_equal(b.config.gate.fail_on[0].rule, RULE_WRITE_LOOP);
	assert_int_equal(b.config.gate.max_queries, 7);
	assert_int_equal(b.config.nreports, 1);
	assert_int_equal(b.config.rules.slow_query, 0);
	assert_int_equal(b.config.log_level, LOG_DEBUG);
	assert_int_equal(b.config.gate.nbudgets, 3);
	done(&b);
}

static void
sockets_and_several_listeners(void **state)
{
	struct built b;

	(void)state;
	BUILD(&b, NULL, "--listen", "/tmp/x/.s.PGSQL.5433", "--upstream", "postgresql:///?host=/run/postgresql", "--listen", "127.0.0.1:0",
	    "--upstream", "mysql:///?socket=/run/mysqld/mysqld.sock", "--server-tls", "disable");
	if (!b.ok)
		fail_msg("%s", problem_said.text);
	assert_true(b.config.listens[0].is_unix);
	assert_string_equal(b.config.listens[0].address, "/tmp/x/.s.PGSQL.5433");
	assert_true(b.config.listens[0].upstream.is_unix);
	assert_true(b.config.listens[0].setup.server_is_unix);
	assert_string_equal(b.config.listens[0].upstream.host, "/run/postgresql/.s.PGSQL.5432");
	assert_false(b.config.listens[1].is_unix);
	assert_string_equal(b.config.listens[1].upstream.host, "/run/mysqld/mysqld.sock");
	assert_int_equal(b.config.listens[0].setup.server_tls, WIRE_TLS_DISABLE);
	assert_int_equal(b.config.listens[1].setup.server_tls, WIRE_TLS_DISABLE);
	done(&b);
}

/* A container sets the upstream, the command line the address. */
static void
flags_and_environment_share_a_pair(void **state)
{
	struct built b;

	(void)state;
	b = (struct built){ 0 };
	settings_init(&b.settings);
	assert_true(
	    settings_from_environment(&b.settings, (char *[]){ "ROWCALL_UPSTREAM=mysql://db", NULL }, FOR_PROXY, NULL, &problem_said));
	int rest;

	assert_true(settings_from_flags(
	    &b.settings, 3, (char *[]){ "proxy", "--listen", "127.0.0.1:3307", NULL }, FOR_PROXY, &rest, &problem_said));
	b.ok = config_build(&b.settings, &b.arena, NULL, 0, &b.config, &problem_said);
	assert_true(b.ok);
	assert_int_equal(b.config.nlistens, 1);
	assert_int_equal(b.config.listens[0].port, 3307);
	assert_string_equal(b.config.listens[0].upstream.host, "db");
	done(&b);
}

/* What `run` finds in an environment pairs with --listen, gives way to --upstream, and comes before the file. */
static void
databases_of_the_environment(void **state)
{
	struct arena arena = { 0 };
	struct upstream_found found[2];
	struct built b;

	(void)state;
	for (int i = 0; i < 2; i++)
		assert_int_equal(url_parse(&arena, i ? "mysql://two" : "postgresql://one", &found[i].parsed, &problem_said), URL_OK);
	BUILD(&b, sample, "--listen", "127.0.0.1:6000");
	assert_false(b.ok);
	b.ok = config_build(&b.settings, &b.arena, found, 2, &b.config, &problem_said);
	assert_true(b.ok);
	assert_int_equal(b.config.nlistens, 2);
	assert_int_equal(b.config.listens[0].port, 6000);
	assert_string_equal(b.config.listens[0].upstream.host, "one");
	assert_int_equal(b.config.listens[1].port, 0);
	assert_string_equal(b.config.listens[1].upstream.host, "two");
	done(&b);
	BUILD(&b, sample, "--upstream", "postgresql://three");
	config_clear(&b.config);
	b.ok = config_build(&b.settings, &b.arena, found, 2, &b.config, &problem_said);
	assert_int_equal(b.config.nlistens, 1);
	assert_string_equal(b.config.listens[0].upstream.host, "three");
	done(&b);
	arena_clear(&arena);
}

static void
what_does_not_fit_together_is_told(void **state)
{
	static const struct {
		const char *yaml;
		const char *flags[5];
		const char *words;
	} cases[] = {
		{ "listen: [{address: '127.0.0.1:5433'}]", { NULL }, "rowcall.yaml: listen: entry 1 has no upstream" },
		{ "listen: [{name: x}]", { NULL }, "rowcall.yaml: listen: entry 1 has no upstream" },
		{ "listen: [{address: '127.0.0.1:1', upstream: 'postgresql://db'}, {server_tls: disable}]", { NULL },
		    "entry 2 has no upstream" },
		{ "allow: [{reason: x, shape: q91bd0}]", { NULL }, "rowcall.yaml:1:28: \"q91bd0\" is not a fingerprint" },
		{ "allow: [{reason: x, shape: 91bd02c4}]", { NULL }, "is not a fingerprint" },
		{ "admin: {address: '0.0.0.0:9433'}", { NULL }, "rowcall.yaml:1:18: beyond this machine the admin port needs a token" },

		{ "listen: [{address: '5433', upstream: 'postgresql://db'}]", { NULL }, "rowcall.yaml:1:20: \"5433\" has no port" },
		{ "listen: [{address: 'db:5433', upstream: 'postgresql://db'}]", { NULL }, "is not a numeric address" },
		{ "listen: [{address: '127.0.0.1:99999', upstream: 'postgresql://db'}]", { NULL }, "is not a port" },
		{ "listen: [{address: '127.0.0.1:1', upstream: 'http://db'}]", { NULL },
		    "rowcall.yaml:1:45: \"http://db\" is no database URL" },
		{ "listen: [{address: '127.0.0.1:1', upstream: 'postgresql://a,b'}]", { NULL }, "rowcall.yaml:1:45: several hosts" },
		{ "budgets: [{max_queries: 3}]", { NULL }, "exactly one of scope and test" },
		{ "budgets: [{scope: a, test: b}]", { NULL }, "exactly one of scope and test" },
		{ "allow: [{rule: n-plus-one}]", { NULL }, "needs a reason" },
		{ "allow: [{rule: nplus1, reason: x}]", { NULL }, "rowcall.yaml:1:16: \"nplus1\" is no rule; the rules are n-plus-one, " },
		{ "allow: [{reason: x, until: tomorrow}]", { NULL }, "rowcall.yaml:1:28: \"tomorrow\" is not a date" },
		{ "allow: [{reason: x, until: 2027-02-31}]", { NULL }, "is not a date" },
		{ "gate: {fail_on: [nonsense]}", { NULL }, "rowcall.yaml:1:18: \"nonsense\" is no rule" },
		{ "report: ['yaml:x']", { NULL }, "yaml" },
		{ "requests: {fold: [{match: '/(', replace: x}]}", { NULL }, "requests.fold: pattern 1" },
		{ "requests: {fold: [{match: a}]}", { NULL }, "needs both match and replace" },
		{ "admin: {address: /tmp/sock}", { NULL }, "the admin port is TCP" },
		{ "admin: {token_file: /nonexistent}", { NULL }, "/nonexistent" },
		{ NULL, { "--listen", "127.0.0.1:1" }, "--listen 127.0.0.1:1 has no --upstream" },
		{ NULL, { "--listen", "/tmp/x" }, "--listen /tmp/x has no --upstream" },
		{ NULL, { "--fail-on", "nonsense" }, "--fail-on: \"nonsense\" is no rule" },
		{ NULL, { "--upstream", "postgresql://db", "--client-tls", "require" }, "needs a certificate" },
		{ NULL, { "--upstream", "postgresql://db", "--server-ca", "/nonexistent" }, "/nonexistent" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *argv[7] = { "proxy" };
		struct built b;

		memcpy(argv + 1, cases[i].flags, sizeof cases[i].flags);
		build(&b, cases[i].yaml, argv);
		if (b.ok)
			fail_msg("accepted: %s", cases[i].words);
		print_message("%s\n", problem_said.text);
		assert_non_null(strstr(problem_said.text, cases[i].words));
		done(&b);
	}
}

static void
catalogs_belong_to_listeners(void **state)
{
	static const char two[] = "listen:\n- {address: 'localhost:1', upstream: 'postgresql://u:pw@h:1/a', catalog: auto}\n"
				  "- {address: 'localhost:2', upstream: 'mysql://g:2', catalog: 'mysql://v:secret@k/c'}\n";
	struct built b;

	(void)state;
	BUILD(&b, two);
	assert_true(b.ok);
	assert_true(b.config.listens[0].catalog && b.config.listens[1].catalog);
	assert_string_equal(b.config.listens[0].catalog_server.user, "u");
	assert_string_equal(b.config.listens[0].catalog_server.database, "a");
	assert_string_equal(b.config.listens[1].catalog_server.host, "k");
	assert_string_equal(b.config.listens[1].catalog_server.password, "secret");
	done(&b);
	/* said for all: for those of its engine */
	BUILD(&b, NULL, "--upstream", "postgresql://h:1", "--upstream", "mysql://g:2", "--catalog", "postgresql://u:pw@h:1/a");
	assert_true(b.ok);
	assert_true(b.config.listens[0].catalog && !b.config.listens[1].catalog);
	done(&b);
	BUILD(&b, two, "--upstream", "postgresql://h:1", "--catalog", "off");
	assert_true(b.ok && !b.config.listens[0].catalog);
	done(&b);
	BUILD(&b, "listen: [{address: 'localhost:1', upstream: 'mysql://h:1', catalog: 'postgresql://u:secret@db/a'}]");
	assert_false(b.ok);
	assert_non_null(strstr(problem_said.text, "a catalog of postgresql cannot name the tables of mysql"));
	done(&b);
	BUILD(&b, NULL, "--upstream", "mysql://h:1", "--catalog", "yes");
	assert_false(b.ok);
	assert_non_null(strstr(problem_said.text, "write auto, off or a URL"));
	done(&b);
}

static void
a_token_others_can_read_is_refused(void **state)
{
	char path[] = "/tmp/rowcall-test-XXXXXX", yaml[100];
	int fd = mkstemp(path);
	struct built b;

	(void)state;
	assert_int_equal(write(fd, "s3cret\nrest\n", 12), 12);
	snprintf(yaml, sizeof yaml, "admin: {address: '127.0.0.1:0', token_file: %s}", path);
	build(&b, yaml, NULL);
	assert_true(b.ok);
	assert_string_equal(b.config.admin_token, "s3cret");
	done(&b);

	static const mode_t modes[] = { 0640, 0604, 0644 };

	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		fchmod(fd, modes[i]);
		build(&b, yaml, NULL);
		assert_false(b.ok);
		assert_non_null(strstr(problem_said.text, path));
		assert_null(strstr(problem_said.text, "s3cret"));
		done(&b);
	}
	fchmod(fd, 0600);
	assert_int_equal(ftruncate(fd, 0), 0);
	build(&b, yaml, NULL);
	assert_false(b.ok);
	assert_non_null(strstr(problem_said.text, "must not be empty"));
	done(&b);
	close(fd);
	unlink(path);
}

static void
listeners_are_bounded(void **state)
{
	struct strbuf yaml;
	struct built b;

	(void)state;
	strbuf_init(&yaml, LIMIT_CONFIG_BYTES);
	strbuf_str(&yaml, "listen:\n");
	for (int i = 0; i < LIMIT_LISTENS; i++)
		strbuf_str(&yaml, "- {address: '127.0.0.1:0', upstream: 'postgresql://db'}\n");
	build(&b, strbuf_cstr(&yaml), NULL);
	assert_true(b.ok);
	assert_int_equal(b.config.nlistens, LIMIT_LISTENS);
	done(&b);
	strbuf_str(&yaml, "- {address: '127.0.0.1:0', upstream: 'postgresql://db'}\n");
	build(&b, strbuf_cstr(&yaml), NULL);
	assert_false(b.ok);
	assert_non_null(strstr(problem_said.text, "65 listeners are more than the 64"));
	done(&b);
	strbuf_clear(&yaml);
}

static void
the_files_in_conf_load(void **state)
{
	static const char *const files[] = { "../conf/full.yaml", "../conf/minimal.yaml" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct arena arena = { 0 };
		struct settings s;
		struct problem p;
		struct config c;

		settings_init(&s);
		if (!yaml_load(&s, files[i], files[i], &p) || !config_build(&s, &arena, NULL, 0, &c, &p))
			fail_msg("%s", p.text);
		assert_true(c.nlistens > 0);
		config_clear(&c);
		settings_clear(&s);
		arena_clear(&arena);
	}
}

static void
the_full_file_has_every_key_with_its_default(void **state)
{
	struct settings s;
	struct problem p;

	(void)state;
	settings_init(&s);
	assert_true(yaml_load(&s, "../conf/full.yaml", "full.yaml", &p));
	for (enum option_id i = 0; i < OPTIONS; i++) {
		const struct option_def *o = &options[i];
		const struct setting *said = settings_nth(&s, i, SAID_FILE, 0);

		if (!o->key || (o->later && !o->fallback))
			continue;
		if (!said)
			fail_msg("conf/full.yaml lacks %s", o->key);
		if (o->fallback && strcmp(said->text, o->fallback) != 0)
			fail_msg("conf/full.yaml:%u: %s is %s, its default is %s", said->line, o->key, said->text, o->fallback);
	}
	settings_clear(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_have_file_line_and_column),
		cmocka_unit_test(an_empty_file_says_nothing),
		cmocka_unit_test(values_know_where_they_were_said),
		cmocka_unit_test(nesting_and_lists_are_bounded),
		cmocka_unit_test(the_file_is_found_upwards_to_the_repository),
		cmocka_unit_test(a_file_is_bounded),
		cmocka_unit_test(the_manuals_sample_loads),
		cmocka_unit_test(without_anything_the_defaults_hold),
		cmocka_unit_test(flags_win_over_the_file),
		cmocka_unit_test(sockets_and_several_listeners),
		cmocka_unit_test(flags_and_environment_share_a_pair),
		cmocka_unit_test(databases_of_the_environment),
		cmocka_unit_test(what_does_not_fit_together_is_told),
		cmocka_unit_test(catalogs_belong_to_listeners),
		cmocka_unit_test(a_token_others_can_read_is_refused),
		cmocka_unit_test(listeners_are_bounded),
		cmocka_unit_test(the_files_in_conf_load),
		cmocka_unit_test(the_full_file_has_every_key_with_its_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
