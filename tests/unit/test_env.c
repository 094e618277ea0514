/* SPDX-License-Identifier: Apache-2.0 */
/* Environments: which databases they name, and what a child gets to see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proxy/env_rewrite.h"

/* One environment under test: found once, then pointed at endpoints. */
struct fixture {
	struct arena arena;
	struct env env;
	struct env_databases found;
	char said[4096]; /* what rewriting said, a line each */
};

static const char *existing; /* the one socket of the pretended machine */

static bool
pretend(const char *path)
{
	return existing && strcmp(path, existing) == 0;
}

static int
set_up(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	existing = NULL;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	env_clear(&f->env);
	arena_clear(&f->arena);
	free(f);
	return 0;
}

#define FIND(f, ...) find(f, (char *const[]){ __VA_ARGS__, NULL })

static void
find(struct fixture *f, char *const *variables)
{
	env_init(&f->env, &f->arena, variables);
	env_find(&f->found, &f->arena, &f->env, pretend);
}

/* "postgresql db:5432" or "mysql /run/my.sock", each with " verify-full" and the like when TLS was said. */
static const char *
upstream(struct fixture *f, uint32_t i)
{
	static const char *const tls[] = { " disable", " prefer", " require", " verify-ca", " verify-full" };
	const struct db_url *u = &f->found.upstreams[i];
	char *text = arena_zero(&f->arena, 400);

	if (*u->socket)
		snprintf(text, 400, "%s %s%s", engine_name(u->engine), u->socket, u->tls_said ? tls[u->tls] : "");
	else
		snprintf(text, 400, "%s %s:%u%s", engine_name(u->engine), u->host, u->port, u->tls_said ? tls[u->tls] : "");
	return text;
}

static void
assert_upstreams(struct fixture *f, const char *expected)
{
	char all[2000] = "";
	size_t n = 0;

	for (uint32_t i = 0; i < f->found.nupstreams; i++)
		n += (size_t)snprintf(all + n, sizeof all - n, "%s%s", i ? ", " : "", upstream(f, i));
	assert_string_equal(all, expected);
}

static void
collect(void *ctx, const char *line)
{
	struct fixture *f = ctx;
	size_t n = strlen(f->said);

	snprintf(f->said + n, sizeof f->said - n, "%s\n", line);
}

/* Every PostgreSQL upstream leads to port 41000 + its number, MySQL to 42000 + number, sockets to a private directory. */
static void
rewrite(struct fixture *f)
{
	struct endpoint ends[LIMIT_REFERENCES] = { 0 };

	for (uint32_t i = 0; i < f->found.nreferences; i++) {
		const struct reference *r = &f->found.references[i];
		char *path = arena_zero(&f->arena, 100);
		bool pg = r->url.engine == ENGINE_POSTGRESQL;

		if (*r->url.socket) {
			snprintf(path, 100, pg ? "/private/%u/.s.PGSQL.%u" : "/private/%u/mysql.sock", r->upstream, r->url.port);
			ends[i].socket = path;
		} else {
			ends[i].host = "127.0.0.1";
			ends[i].port = (uint16_t)((pg ? 41000 : 42000) + r->upstream);
		}
	}
	env_rewrite(&f->env, &f->found, ends, collect, f);
}

static void
assert_variable(struct fixture *f, const char *name, const char *expected)
{
	const char *value = env_get(&f->env, name);

	if (!expected)
		assert_null(value);
	else if (!value)
		fail_msg("%s is not set", name);
	else
		assert_string_equal(value, expected);
}

/* ---- the map ---- */

static void
sets_and_unsets(void **state)
{
	struct fixture *f = *state;

	env_init(&f->env, &f->arena, (char *const[]){ "A=1", "AB=2", "EMPTY=", "A=again", NULL });
	assert_string_equal(env_get(&f->env, "A"), "1");
	assert_string_equal(env_get(&f->env, "AB"), "2");
	assert_null(env_get(&f->env, "B"));
	assert_string_equal(env_get(&f->env, "EMPTY"), "");
	assert_null(env_said(&f->env, "EMPTY"));
	env_unset(&f->env, "A");
	assert_null(env_get(&f->env, "A"));
	env_set(&f->env, "AB", "3");
	env_set(&f->env, "NEW", "4");
	assert_string_equal(f->env.v[0], "AB=3");
	assert_string_equal(f->env.v[2], "NEW=4");
	assert_null(f->env.v[3]);
}

static void
an_empty_environment_is_fine(void **state)
{
	struct fixture *f = *state;

	find(f, (char *const[]){ NULL });
	assert_int_equal(f->found.nreferences, 0);
	env_set(&f->env, "X", "1");
	assert_string_equal(f->env.v[0], "X=1");
	assert_null(f->env.v[1]);
}

/* ---- finding ---- */

static void
finds_urls_in_any_variable(void **state)
{
	struct fixture *f = *state;

	FIND(f, "PATH=/bin", "DATABASE_URL=postgresql://u:p@db/app", "REPORTING=mysql2://db2:3307/x",
	    "SPRING_DATASOURCE_URL=jdbc:postgresql://db/app", "REDIS_URL=redis://r", "ROWCALL_UPSTREAM=postgresql://elsewhere/x");
	assert_upstreams(f, "postgresql db:5432, mysql db2:3307");
	assert_int_equal(f->found.nreferences, 3);
	rewrite(f);
	assert_variable(f, "DATABASE_URL", "postgresql://u:p@127.0.0.1:41000/app");
	assert_variable(f, "REPORTING", "mysql2://127.0.0.1:42001/x");
	assert_variable(f, "SPRING_DATASOURCE_URL", "jdbc:postgresql://127.0.0.1:41000/app");
	assert_variable(f, "REDIS_URL", "redis://r");
	assert_null(strstr(f->said, "u:p"));
}

static void
one_upstream_per_engine_host_and_port(void **state)
{
	struct fixture *f = *state;

	FIND(f, "A=postgres://DB/a", "B=postgres://db:5432/b", "C=postgres://db:5433/b", "D=mysql://db:5432/b");
	assert_upstreams(f, "postgresql DB:5432, postgresql db:5433, mysql db:5432");
}

static void
a_bad_url_is_named_and_left(void **state)
{
	struct fixture *f = *state;

	FIND(f, "DATABASE_URL=postgres://a,b/app", "OTHER=postgres://db/app");
	assert_upstreams(f, "postgresql db:5432");
	assert_int_equal(f->found.nnotes, 1);
	assert_non_null(strstr(f->found.notes[0], "DATABASE_URL is left as it is: several hosts"));
}

static void
other_databases_are_named(void **state)
{
	struct fixture *f = *state;

	FIND(f, "DATABASE_URL=sqlite:///var/secret.db", "CACHE_URL=redis://h/1", "LINK=https://example.org");
	assert_int_equal(f->found.nupstreams, 0);
	assert_int_equal(f->found.nnotes, 1);
	assert_string_equal(f->found.notes[0], "DATABASE_URL is left as it is: rowcall reads PostgreSQL, MySQL and MariaDB, not sqlite");
}

static void
reads_pg_variables(void **state)
{
	struct fixture *f = *state;

	FIND(f, "PGHOST=db", "PGPORT=6000", "PGUSER=me", "PGDATABASE=app");
	assert_upstreams(f, "postgresql db:6000");
	assert_string_equal(f->found.upstreams[0].user, "me");
	rewrite(f);
	assert_variable(f, "PGHOST", "127.0.0.1");
	assert_variable(f, "PGPORT", "41000");
	assert_variable(f, "PGUSER", "me");
	assert_string_equal(f->said, "PGHOST leads to 127.0.0.1:41000, and on to postgresql at db:6000\n");
}

static void
pghostaddr_is_where_libpq_connects(void **state)
{
	struct fixture *f = *state;

	FIND(f, "PGHOST=db.invalid", "PGHOSTADDR=10.0.0.7");
	assert_upstreams(f, "postgresql 10.0.0.7:5432");
	rewrite(f);
	assert_variable(f, "PGHOST", "127.0.0.1");
	assert_variable(f, "PGHOSTADDR", NULL);
}

static void
verify_full_keeps_the_name_it_verifies(void **state)
{
	struct fixture *f = *state;

	FIND(f, "PGHOST=db.example", "PGHOSTADDR=10.0.0.7", "PGSSLMODE=verify-full");
	assert_upstreams(f, "postgresql db.example:5432 verify-full");
}

static void
a_directory_in_pghost_is_a_socket_and_stays_one(void **state)
{
	struct fixture *f = *state;

	FIND(f, "PGHOST=/run/pg", "PGPORT=5433", "PGUSER=me");
	assert_upstreams(f, "postgresql /run/pg/.s.PGSQL.5433");
	rewrite(f);
	assert_variable(f, "PGHOST", "/private/0");
	assert_variable(f, "PGPORT", "5433");
}

static void
without_a_host_libpq_uses_its_socket_directory(void **state)
{
	struct fixture *f = *state;

	existing = "/var/run/postgresql/.s.PGSQL.5432";
	FIND(f, "PGDATABASE=app");
	assert_upstreams(f, "postgresql /var/run/postgresql/.s.PGSQL.5432");
	rewrite(f);
	assert_variable(f, "PGHOST", "/private/0");
	assert_variable(f, "PGPORT", "5432");
}

static void
or_this_machine_by_tcp(void **state)
{
	struct fixture *f = *state;

	FIND(f, "PGPORT=5433");
	assert_upstreams(f, "postgresql localhost:5433");
}

static void
credentials_alone_are_no_second_database(void **state)
{
	struct fixture *f = *state;

	FIND(f, "DATABASE_URL=postgres://db/app", "PGUSER=me", "PGDATABASE=app");
	assert_upstreams(f, "postgresql db:5432");
	rewrite(f);
	assert_variable(f, "PGHOST", NULL);
}

static void
a_url_without_host_takes_pghost(void **state)
{
	struct fixture *f = *state;

	FIND(f, "DATABASE_URL=postgresql:///app", "PGHOST=db", "PGPORT=6000");
	assert_upstreams(f, "postgresql db:6000");
	rewrite(f);
	assert_variable(f, "DATABASE_URL", "postgresql://127.0.0.1:41000/app");
}

static void
a_url_without_port_takes_pgport(void **state)
{
	struct fixture *f = *state;

	FIND(f, "DATABASE_URL=postgresql://db/app", "OTHER=postgresql:///app?host=/run/pg", "PGPORT=6000", "PGHOST=db");
	assert_upstreams(f, "postgresql db:6000, postgresql /run/pg/.s.PGSQL.6000");
}

static void
tls_of_the_server_leg_is_the_strictest_asked_for(void **state)
{
	struct fixture *f = *state;

	FIND(f, "A=postgres://db/a?sslmode=require", "B=postgres://db/b?sslmode=verify-full&sslrootcert=/ca.pem", "C=postgres://db/c");
	assert_upstreams(f, "postgresql db:5432 verify-full");
	assert_string_equal(f->found.upstreams[0].sslrootcert, "/ca.pem");
	rewrite(f);
	assert_variable(f, "A", "postgres://127.0.0.1:41000/a?sslmode=disable");
	assert_non_null(strstr(f->said, "A: sslmode is turned down"));
	assert_non_null(strstr(f->said, "stays at verify-full"));
	assert_null(strstr(f->said, "C: sslmode"));
}

static void
pgsslmode_counts_where_a_url_says_nothing(void **state)
{
	struct fixture *f = *state;

	FIND(f, "A=postgres://db/a", "PGSSLMODE=require", "PGSSLROOTCERT=/ca.pem", "PGCHANNELBINDING=require", "PGREQUIREPEER=postgres");
	/* With a root certificate at hand libpq verifies the chain for require. */
	assert_upstreams(f, "postgresql db:5432 verify-ca");
	rewrite(f);
	assert_variable(f, "PGSSLMODE", "disable");
	assert_variable(f, "PGCHANNELBINDING", "disable");
	assert_variable(f, "PGREQUIREPEER", NULL);
	assert_variable(f, "PGSSLROOTCERT", "/ca.pem");
	assert_non_null(strstr(f->said, "PGSSLMODE=require is turned down"));
}

static void
a_system_root_cannot_stay_beside_sslmode_disable(void **state)
{
	struct fixture *f = *state;

	FIND(f, "A=postgres://db/a", "PGSSLMODE=verify-full", "PGSSLROOTCERT=system");
	assert_upstreams(f, "postgresql db:5432 verify-full");
	rewrite(f);
	assert_variable(f, "PGSSLROOTCERT", NULL);
}

static void
preferred_tls_is_left_alone(void **state)
{
	struct fixture *f = *state;

	FIND(f, "A=postgres://db/a", "PGSSLMODE=prefer");
	rewrite(f);
	assert_variable(f, "PGSSLMODE", "prefer");
}

static void
the_root_certificate_in_home_is_found(void **state)
{
	struct fixture *f = *state;

	existing = "/home/me/.postgresql/root.crt";
	FIND(f, "HOME=/home/me", "A=postgres://db/a?sslmode=require");
	assert_upstreams(f, "postgresql db:5432 verify-ca");
	assert_string_equal(f->found.upstreams[0].sslrootcert, existing);
}

static void
pgservice_is_explained(void **state)
{
	struct fixture *f = *state;

	FIND(f, "PGSERVICE=prod", "PGDATABASE=app");
	assert_int_equal(f->found.nreferences, 0);
	assert_int_equal(f->found.nnotes, 1);
	assert_non_null(strstr(f->found.notes[0], "PGSERVICE=prod"));
}

static void
reads_mysql_variables(void **state)
{
	struct fixture *f = *state;

	FIND(f, "MYSQL_HOST=db", "MYSQL_TCP_PORT=3310", "MYSQL_PWD=x");
	assert_upstreams(f, "mysql db:3310");
	rewrite(f);
	assert_variable(f, "MYSQL_HOST", "127.0.0.1");
	assert_variable(f, "MYSQL_TCP_PORT", "42000");
	assert_variable(f, "MYSQL_PWD", "x");
}

static void
localhost_becomes_an_address_for_mysql(void **state)
{
	struct fixture *f = *state;

	FIND(f, "DATABASE_URL=mysql://root@localhost/app", "MYSQL_HOST=localhost");
	assert_upstreams(f, "mysql 127.0.0.1:3306");
	assert_non_null(strstr(f->found.notes[0], "user@localhost"));
	rewrite(f);
	assert_variable(f, "DATABASE_URL", "mysql://root@127.0.0.1:42000/app");
	assert_variable(f, "MYSQL_HOST", "127.0.0.1");
}

static void
a_mysql_socket_stays_one(void **state)
{
	struct fixture *f = *state;

	FIND(f, "MYSQL_HOST=localhost", "MYSQL_UNIX_PORT=/run/my.sock", "DATABASE_URL=mysql://root@localhost/app?unix_socket=/run/my.sock");
	assert_upstreams(f, "mysql /run/my.sock");
	rewrite(f);
	assert_variable(f, "MYSQL_UNIX_PORT", "/private/0/mysql.sock");
	assert_variable(f, "MYSQL_HOST", "localhost");
	assert_variable(f, "DATABASE_URL", "mysql://root@localhost/app?unix_socket=/private/0/mysql.sock");
}

static void
a_named_host_wins_over_a_mysql_socket(void **state)
{
	struct fixture *f = *state;

	FIND(f, "MYSQL_HOST=db", "MYSQL_UNIX_PORT=/run/my.sock");
	assert_upstreams(f, "mysql db:3306");
}

static void
db_host_needs_a_hint_of_the_engine(void **state)
{
	static const struct {
		const char *hint, *found;
	} cases[] = {
		{ "DB_CONNECTION=pgsql", "postgresql db:5432" },
		{ "DB_CONNECTION=mysql", "mysql db:3306" },
		{ "DB_ENGINE=django.db.backends.postgresql", "postgresql db:5432" },
		{ "DB_ADAPTER=mysql2", "mysql db:3306" },
		{ "DB_CLIENT=pg", "postgresql db:5432" },
		{ "DB_PORT=5432", "postgresql db:5432" },
		{ "DB_PORT=3307", "mysql db:3307" },
		{ "DB_PORT=9999", "" },
		{ "DB_CONNECTION=sqlite", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fixture f = { 0 };
		char hint[64];

		snprintf(hint, sizeof hint, "%s", cases[i].hint);
		FIND(&f, "DB_HOST=db", hint);
		assert_upstreams(&f, cases[i].found);
		assert_int_equal(f.found.nnotes, *cases[i].found ? 0 : 1);
		env_clear(&f.env);
		arena_clear(&f.arena);
	}
}

static void
host_and_port_in_one_variable(void **state)
{
	struct fixture *f = *state;

	FIND(f, "DB_HOST=db:3306");
	assert_upstreams(f, "mysql db:3306");
	rewrite(f);
	assert_variable(f, "DB_HOST", "127.0.0.1:42000");
	assert_variable(f, "DB_PORT", NULL);
}

static void
a_port_that_was_not_set_is_set(void **state)
{
	struct fixture *f = *state;

	FIND(f, "DB_HOST=db", "DB_CONNECTION=pgsql", "DB_SSLMODE=require", "DB_USERNAME=ann", "DB_PASSWORD=pw", "DB_DATABASE=shop");
	assert_string_equal(f->found.upstreams[0].user, "ann");
	assert_string_equal(f->found.upstreams[0].password, "pw");
	assert_string_equal(f->found.upstreams[0].database, "shop");
	assert_upstreams(f, "postgresql db:5432 require");
	rewrite(f);
	assert_variable(f, "DB_HOST", "127.0.0.1");
	assert_variable(f, "DB_PORT", "41000");
	assert_variable(f, "DB_SSLMODE", "disable");
}

static void
container_links_are_no_ports(void **state)
{
	struct fixture *f = *state;

	FIND(f, "POSTGRES_HOST=db", "POSTGRES_PORT=tcp://10.0.0.7:5432");
	assert_upstreams(f, "postgresql db:5432");
	rewrite(f);
	assert_variable(f, "POSTGRES_PORT", "41000");
}

static void
what_is_not_ours_stays(void **state)
{
	struct fixture *f = *state;
	struct endpoint none[LIMIT_REFERENCES] = { 0 };

	FIND(f, "DATABASE_URL=postgres://db/app?sslmode=require", "PGSSLMODE=require");
	env_rewrite(&f->env, &f->found, none, collect, f);
	assert_variable(f, "DATABASE_URL", "postgres://db/app?sslmode=require");
	assert_variable(f, "PGSSLMODE", "require");
	assert_string_equal(f->said, "DATABASE_URL stays as it is: postgresql at db:5432 is none of the servers that were named\n");
}

static void
an_option_file_of_mysql_is_explained(void **state)
{
	struct fixture *f = *state;

	existing = "/home/me/.my.cnf";
	FIND(f, "HOME=/home/me", "DATABASE_URL=mysql://db/app");
	assert_int_equal(f->found.nnotes, 1);
	assert_non_null(strstr(f->found.notes[0], "/home/me/.my.cnf"));
}

static void
and_no_matter_to_postgresql(void **state)
{
	struct fixture *f = *state;

	existing = "/home/me/.my.cnf";
	FIND(f, "HOME=/home/me", "DATABASE_URL=postgres://db/app");
	assert_int_equal(f->found.nnotes, 0);
}

static void
references_are_bounded(void **state)
{
	struct fixture *f = *state;
	char *variables[LIMIT_REFERENCES + 2];

	for (uint32_t i = 0; i <= LIMIT_REFERENCES; i++) {
		variables[i] = arena_zero(&f->arena, 80);
		snprintf(variables[i], 80, "URL%u=postgres://db%u/app", i, i);
	}
	variables[LIMIT_REFERENCES + 1] = NULL;
	find(f, variables);
	assert_int_equal(f->found.nreferences, LIMIT_REFERENCES);
	assert_int_equal(f->found.nupstreams, LIMIT_REFERENCES);
	assert_int_equal(f->found.nnotes, 1);
	assert_non_null(strstr(f->found.notes[0], "more than 64"));
}

/* ---- --env ---- */

static void
templates(void **state)
{
	static const struct endpoint ends[] = { { .host = "127.0.0.1", .port = 41000 }, { .host = "::1", .port = 42000 },
		{ .socket = "/private/2/mysql.sock" } };
	static const struct {
		const char *from, *to;
	} cases[] = {
		{ "postgresql://{host}:{port}/shop", "postgresql://127.0.0.1:41000/shop" },
		{ "{host1} {host2} {port2} {host3} {socket3}", "127.0.0.1 ::1 42000 /private/2/mysql.sock /private/2/mysql.sock" },
		{ "plain", "plain" },
		{ "", "" },
		{ "{port3}", NULL },
		{ "{socket}", NULL },
		{ "{host4}", NULL },
		{ "{hostx}", NULL },
		{ "{user}", NULL },
		{ "{host", NULL },
	};
	struct fixture *f = *state;

	env_init(&f->env, &f->arena, (char *const[]){ NULL });
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct problem p = { "" };
		const char *to = env_expand(&f->env, cases[i].from, ends, 3, &p);

		if (cases[i].to) {
			assert_string_equal(to, cases[i].to);
		} else {
			assert_null(to);
			assert_non_null(strstr(p.text, "stands for nothing"));
		}
	}
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(sets_and_unsets),
		TEST(an_empty_environment_is_fine),
		TEST(finds_urls_in_any_variable),
		TEST(one_upstream_per_engine_host_and_port),
		TEST(a_bad_url_is_named_and_left), TEST(other_databases_are_named),
		TEST(reads_pg_variables),
		TEST(pghostaddr_is_where_libpq_connects),
		TEST(verify_full_keeps_the_name_it_verifies),
		TEST(a_directory_in_pghost_is_a_socket_and_stays_one),
		TEST(without_a_host_libpq_uses_its_socket_directory),
		TEST(or_this_machine_by_tcp),
		TEST(credentials_alone_are_no_second_database),
		TEST(a_url_without_host_takes_pghost),
		TEST(a_url_without_port_takes_pgport),
		TEST(tls_of_the_server_leg_is_the_strictest_asked_for),
		TEST(pgsslmode_counts_where_a_url_says_nothing),
		TEST(a_system_root_cannot_stay_beside_sslmode_disable),
		TEST(preferred_tls_is_left_alone),
		TEST(the_root_certificate_in_home_is_found),
		TEST(pgservice_is_explained),
		TEST(reads_mysql_variables),
		TEST(localhost_becomes_an_address_for_mysql),
		TEST(a_mysql_socket_stays_one),
		TEST(a_named_host_wins_over_a_mysql_socket),
		TEST(db_host_needs_a_hint_of_the_engine),
		TEST(host_and_port_in_one_variable),
		TEST(a_port_that_was_not_set_is_set),
		TEST(container_links_are_no_ports),
		TEST(what_is_not_ours_stays),
		TEST(an_option_file_of_mysql_is_explained),
		TEST(and_no_matter_to_postgresql),
		TEST(references_are_bounded),
		TEST(templates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
