/* SPDX-License-Identifier: Apache-2.0 */
/* Database URLs: what is read out of them, and that pointing them elsewhere changes nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/url.h"

static struct arena arena;

static int
clear_arena(void **state)
{
	(void)state;
	arena_clear(&arena);
	return 0;
}

static struct db_url
parse(const char *text)
{
	struct problem p = { "" };
	struct db_url u;

	if (url_parse(&arena, text, &u, &p) != URL_OK)
		fail_msg("%s: %s", text, p.text);
	return u;
}

/* ---- reading ---- */

static const struct {
	const char *text;
	enum engine_kind engine;
	const char *user, *password, *host, *socket;
	uint16_t port;
	const char *database;
} readable[] = {
	{ "postgresql://u:p@db:5433/app", ENGINE_POSTGRESQL, "u", "p", "db", "", 5433, "app" },
	{ "postgres://db/app", ENGINE_POSTGRESQL, "", "", "db", "", 5432, "app" },
	{ "postgresql+psycopg2://db", ENGINE_POSTGRESQL, "", "", "db", "", 5432, "" },
	{ "postgresql+asyncpg://u@[2001:db8::1]:6432/a", ENGINE_POSTGRESQL, "u", "", "2001:db8::1", "", 6432, "a" },
	{ "postgres://[::1]/a", ENGINE_POSTGRESQL, "", "", "::1", "", 5432, "a" },
	{ "postgresql://us%40er:p%2Fw%3A@db/na%20me", ENGINE_POSTGRESQL, "us@er", "p/w:", "db", "", 5432, "na me" },
	{ "postgresql://u:p@ss@db/a", ENGINE_POSTGRESQL, "u", "p@ss", "db", "", 5432, "a" },
	{ "postgresql://u:p#1@db/a", ENGINE_POSTGRESQL, "u", "p#1", "db", "", 5432, "a" },
	{ "postgresql://u:p#1@db#x/y?z", ENGINE_POSTGRESQL, "u", "p#1", "db", "", 5432, "" },
	{ "postgresql:///app?host=/run/postgresql", ENGINE_POSTGRESQL, "", "", "", "/run/postgresql/.s.PGSQL.5432", 5432, "app" },
	{ "postgresql:///app?host=/run/postgresql&port=5433", ENGINE_POSTGRESQL, "", "", "", "/run/postgresql/.s.PGSQL.5433", 5433, "app" },
	{ "postgresql://u@%2Frun%2Fpostgresql:5433/app", ENGINE_POSTGRESQL, "u", "", "", "/run/postgresql/.s.PGSQL.5433", 5433, "app" },
	{ "postgresql:///?host=/run/x/.s.PGSQL.6000", ENGINE_POSTGRESQL, "", "", "", "/run/x/.s.PGSQL.6000", 6000, "" },
	{ "postgresql:///app", ENGINE_POSTGRESQL, "", "", "", "", 5432, "app" },
	{ "postgresql://u@/app", ENGINE_POSTGRESQL, "u", "", "", "", 5432, "app" },
	{ "postgresql://ignored/app?host=db&port=1&user=x&password=y&dbname=z", ENGINE_POSTGRESQL, "x", "y", "db", "", 1, "z" },
	{ "postgresql://db:/app", ENGINE_POSTGRESQL, "", "", "db", "", 5432, "app" },
	{ "postgres://db:5432/app#fragment", ENGINE_POSTGRESQL, "", "", "db", "", 5432, "app" },
	{ "jdbc:postgresql://db:5433/app?user=u&password=p%26w", ENGINE_POSTGRESQL, "u", "p&w", "db", "", 5433, "app" },
	{ "jdbc:postgresql:app", ENGINE_POSTGRESQL, "", "", "", "", 5432, "app" },
	{ "mysql://u:p@db/app", ENGINE_MYSQL, "u", "p", "db", "", 3306, "app" },
	{ "mysql2://db:3307/app", ENGINE_MYSQL, "", "", "db", "", 3307, "app" },
	{ "mysql+pymysql://u@127.0.0.1/app?charset=utf8mb4", ENGINE_MYSQL, "u", "", "127.0.0.1", "", 3306, "app" },
	{ "mariadb://db/app", ENGINE_MYSQL, "", "", "db", "", 3306, "app" },
	{ "trilogy://db/app", ENGINE_MYSQL, "", "", "db", "", 3306, "app" },
	{ "mysql://localhost/app?unix_socket=/run/mysqld/mysqld.sock", ENGINE_MYSQL, "", "", "localhost", "/run/mysqld/mysqld.sock", 3306,
	    "app" },
	{ "mysql2://u@/app?socket=/tmp/my.sock", ENGINE_MYSQL, "u", "", "", "/tmp/my.sock", 3306, "app" },
	{ "mysql://u@%2Ftmp%2Fmy.sock/app", ENGINE_MYSQL, "u", "", "", "/tmp/my.sock", 3306, "app" },
	{ "jdbc:mysql://db:3306/app?useSSL=false", ENGINE_MYSQL, "", "", "db", "", 3306, "app" },
	{ "jdbc:mariadb://db/app", ENGINE_MYSQL, "", "", "db", "", 3306, "app" },
	{ "MySQL://db/app", ENGINE_MYSQL, "", "", "db", "", 3306, "app" },
};

static void
reads_every_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof readable / sizeof *readable; i++) {
		struct db_url u = parse(readable[i].text);

		print_message("%s\n", readable[i].text);
		assert_int_equal(u.engine, readable[i].engine);
		assert_string_equal(u.user, readable[i].user);
		assert_string_equal(u.password, readable[i].password);
		assert_string_equal(u.host, readable[i].host);
		assert_string_equal(u.socket, readable[i].socket);
		assert_int_equal(u.port, readable[i].port);
		assert_string_equal(u.database, readable[i].database);
	}
}

static void
leaves_other_texts_alone(void **state)
{
	static const char *const others[] = { "", "postgres", "postgresql", "http://db/app", "redis://db", "sqlite:///app.db",
		"mysql:host=db;port=3306", "a postgresql://db/app", "postgresql:", "jdbc:oracle:thin:@db", "mongodb://a,b/c",
		"ftp://127.0.0.1/" };

	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		struct problem p = { "" };
		struct db_url u;

		print_message("%s\n", others[i]);
		assert_int_equal(url_parse(&arena, others[i], &u, &p), URL_OTHER);
	}
}

static void
says_what_is_wrong(void **state)
{
	static const struct {
		const char *text, *words;
	} bad[] = {
		{ "postgresql://a,b/app", "several hosts" },
		{ "postgresql://a:1,b:2/app", "several hosts" },
		{ "postgresql:///app?host=a,b", "several hosts" },
		{ "jdbc:postgresql://a:1,b:2/app", "several hosts" },
		{ "jdbc:mysql:replication://a,b/app", "several hosts" },
		{ "jdbc:mysql:loadbalance://a,b/app", "several hosts" },
		{ "jdbc:mysql://(host=a),(host=b)/app", "several hosts" },
		{ "postgresql://db:http/app", "not a port" },
		{ "postgresql://db:0/app", "not a port" },
		{ "postgresql://db:65536/app", "not a port" },
		{ "postgresql://db:-1/app", "not a port" },
		{ "postgresql://u:%zz@db/app", "percent-encoding" },
		{ "postgresql://u:%4@db/app", "percent-encoding" },
		{ "postgresql://u:a%00b@db/app", "percent-encoding" },
		{ "postgresql://db/app?x=%", "parameter x" },
		{ "postgresql://::1:5432/app", "brackets" },
		{ "postgresql://[::1/app", "closing ]" },
		{ "postgresql://[::1]5432/app", "behind the IPv6" },
		{ "postgresql:///app?host=@abstract", "abstract" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct problem p = { "" };
		struct db_url u;

		print_message("%s\n", bad[i].text);
		assert_int_equal(url_parse(&arena, bad[i].text, &u, &p), URL_BAD);
		assert_non_null(strstr(p.text, bad[i].words));
	}
}

/* ---- pointing elsewhere ---- */

static const struct url_target tcp = { "127.0.0.1", 41233, NULL, true };
static const struct url_target tcp6 = { "::1", 41233, NULL, true };
static const struct url_target pg_sock = { NULL, 0, "/tmp/rc/0/.s.PGSQL.5433", true };
static const struct url_target my_sock = { NULL, 3306, "/tmp/rc/0/mysql.sock", true };

static const struct {
	const char *from;
	const struct url_target *target;
	const char *to;
} rewritten[] = {
	{ "postgresql+psycopg2://us%40er:p%2Fw@db:5432/na%20me?application_name=a%26b&connect_timeout=3", &tcp,
	    "postgresql+psycopg2://us%40er:p%2Fw@127.0.0.1:41233/na%20me?application_name=a%26b&connect_timeout=3" },
	{ "postgres://db", &tcp, "postgres://127.0.0.1:41233" },
	{ "postgres://db/app#x?y", &tcp, "postgres://127.0.0.1:41233/app#x?y" },
	{ "postgres://u:p#1@db#x/y", &tcp, "postgres://u:p#1@127.0.0.1:41233#x/y" },
	{ "postgres://[::1]:5432/a", &tcp6, "postgres://[::1]:41233/a" },
	{ "postgres:///a", &tcp, "postgres://127.0.0.1:41233/a" },
	{ "postgres://u@/a", &tcp, "postgres://u@127.0.0.1:41233/a" },
	{ "postgres://u:p@ss@db/a?", &tcp, "postgres://u:p@ss@127.0.0.1:41233/a?" },
	{ "postgres://db/a?host=real&port=6000&x=1", &tcp, "postgres://db/a?host=127.0.0.1&port=41233&x=1" },
	{ "postgres:///a?host=real&hostaddr=10.0.0.1", &tcp, "postgres:///a?host=127.0.0.1&hostaddr=127.0.0.1&port=41233" },
	{ "jdbc:postgresql:app", &tcp, "jdbc:postgresql://127.0.0.1:41233/app" },
	{ "jdbc:postgresql:app?user=u", &tcp, "jdbc:postgresql://127.0.0.1:41233/app?user=u" },
	{ "jdbc:postgresql://db/app?user=app&password=p%26w", &tcp, "jdbc:postgresql://127.0.0.1:41233/app?user=app&password=p%26w" },
	{ "postgresql:///app?host=/run/postgresql&port=5433&user=me", &pg_sock, "postgresql:///app?host=/tmp/rc/0&port=5433&user=me" },
	{ "postgresql://me@%2Frun%2Fpg:5433/app", &pg_sock, "postgresql://me@%2Ftmp%2Frc%2F0:5433/app" },
	{ "postgresql:///app", &pg_sock, "postgresql:///app?host=/tmp/rc/0" },
	{ "postgresql:///app?user=me", &pg_sock, "postgresql:///app?user=me&host=/tmp/rc/0" },
	{ "postgresql:///app?host=/run/postgresql", &tcp, "postgresql:///app?host=127.0.0.1&port=41233" },
	{ "mysql2://u:p@localhost/app?encoding=utf8", &tcp, "mysql2://u:p@127.0.0.1:41233/app?encoding=utf8" },
	{ "mysql://u@localhost/app?unix_socket=/run/my.sock&x=1", &my_sock,
	    "mysql://u@localhost/app?unix_socket=/tmp/rc/0/mysql.sock&x=1" },
	{ "mysql://u@%2Frun%2Fmy.sock/app", &my_sock, "mysql://u@%2Ftmp%2Frc%2F0%2Fmysql.sock/app" },
	{ "mysql://u@localhost/app?socket=/run/my.sock&x=1", &tcp, "mysql://u@127.0.0.1:41233/app?x=1" },
	/* TLS the plain leg cannot give */
	{ "postgres://db/a?sslmode=require&x=1", &tcp, "postgres://127.0.0.1:41233/a?sslmode=disable&x=1" },
	{ "postgres://db/a?sslmode=verify-full&sslrootcert=/ca.pem", &tcp,
	    "postgres://127.0.0.1:41233/a?sslmode=disable&sslrootcert=/ca.pem" },
	{ "postgres://db/a?sslmode=verify-full&sslrootcert=system&x=1", &tcp, "postgres://127.0.0.1:41233/a?sslmode=disable&x=1" },
	{ "postgres://db/a?sslrootcert=system", &tcp, "postgres://127.0.0.1:41233/a" },
	{ "postgres://db/a?sslmode=prefer", &tcp, "postgres://127.0.0.1:41233/a?sslmode=prefer" },
	{ "postgres://db/a?ssl=true", &tcp, "postgres://127.0.0.1:41233/a?ssl=false" },
	{ "postgres://db/a?channel_binding=require&sslnegotiation=direct&requirepeer=postgres&y=2", &tcp,
	    "postgres://127.0.0.1:41233/a?channel_binding=disable&sslnegotiation=postgres&y=2" },
	{ "mysql://db/a?ssl-mode=REQUIRED", &tcp, "mysql://127.0.0.1:41233/a?ssl-mode=DISABLED" },
	{ "mysql://db/a?ssl-mode=VERIFY_IDENTITY&z", &tcp, "mysql://127.0.0.1:41233/a?ssl-mode=DISABLED&z" },
	{ "jdbc:mariadb://db/a?sslMode=verify-full", &tcp, "jdbc:mariadb://127.0.0.1:41233/a?sslMode=disable" },
	{ "jdbc:mysql://db/a?useSSL=true&requireSSL=true", &tcp, "jdbc:mysql://127.0.0.1:41233/a?useSSL=false&requireSSL=false" },
	{ "mysql://db/a?ssl={\"rejectUnauthorized\":true}", &tcp, "mysql://127.0.0.1:41233/a?ssl=false" },
};

static void
rewriting_keeps_every_other_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rewritten / sizeof *rewritten; i++) {
		struct db_url u = parse(rewritten[i].from);

		assert_string_equal(url_rewrite(&arena, &u, rewritten[i].target), rewritten[i].to);
	}
}

static void
what_was_rewritten_reads_as_the_target(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rewritten / sizeof *rewritten; i++) {
		const struct url_target *t = rewritten[i].target;
		struct db_url before = parse(rewritten[i].from), after = parse(url_rewrite(&arena, &before, t));

		print_message("%s\n", after.text);
		if (t->host) {
			assert_string_equal(after.host, t->host);
			assert_int_equal(after.port, t->port);
			assert_string_equal(after.socket, "");
		} else if (after.port_said || after.engine == ENGINE_MYSQL) {
			assert_string_equal(after.socket, t->socket);
		}
		assert_string_equal(after.user, before.user);
		assert_string_equal(after.password, before.password);
		assert_string_equal(after.database, before.database);
		assert_false(after.tls_demanded);
	}
}

/* ---- TLS ---- */

static void
says_what_the_server_leg_needs(void **state)
{
	static const struct {
		const char *text;
		bool said, demanded;
		enum wire_tls tls;
	} cases[] = {
		{ "postgres://db/a", false, false, WIRE_TLS_DISABLE },
		{ "postgres://db/a?sslmode=disable", true, false, WIRE_TLS_DISABLE },
		{ "postgres://db/a?sslmode=prefer", true, false, WIRE_TLS_PREFER },
		{ "postgres://db/a?sslmode=require", true, true, WIRE_TLS_REQUIRE },
		{ "postgres://db/a?sslmode=no-verify", true, true, WIRE_TLS_REQUIRE },
		{ "postgres://db/a?sslmode=verify-ca", true, true, WIRE_TLS_VERIFY_CA },
		{ "postgres://db/a?sslmode=verify-full", true, true, WIRE_TLS_VERIFY_FULL },
		{ "postgres://db/a?ssl=true", true, true, WIRE_TLS_VERIFY_FULL },
		{ "postgres://db/a?ssl=require", true, true, WIRE_TLS_REQUIRE },
		{ "mysql://db/a?ssl-mode=VERIFY_CA", true, true, WIRE_TLS_VERIFY_CA },
		{ "mysql://db/a?ssl={\"rejectUnauthorized\":false}", true, true, WIRE_TLS_REQUIRE },
		{ "jdbc:mysql://db/a?requireSSL=true", true, true, WIRE_TLS_REQUIRE },
		{ "postgres://db/a?sslmode=nonsense", false, false, WIRE_TLS_DISABLE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct db_url u = parse(cases[i].text);

		print_message("%s\n", cases[i].text);
		assert_int_equal(u.tls_said, cases[i].said);
		assert_int_equal(u.tls_demanded, cases[i].demanded);
		if (u.tls_said)
			assert_int_equal(u.tls, cases[i].tls);
	}
}

static void
shows_no_password(void **state)
{
	(void)state;
	assert_string_equal(url_public(&arena, "postgresql://u:secret@db/app?x=1"), "postgresql://u:***@db/app?x=1");
	assert_string_equal(url_public(&arena, "postgresql://u@db/app"), "postgresql://u@db/app");
	assert_string_equal(url_public(&arena, "postgresql://u:se/cr@et@db/app"), "postgresql://u:***@db/app");
	assert_string_equal(
	    url_public(&arena, "jdbc:mysql://db/app?user=u&password=secret&x=1"), "jdbc:mysql://db/app?user=u&password=***&x=1");
	assert_string_equal(url_public(&arena, "not a url"), "not a url");
	assert_string_equal(url_public(&arena, "u:secret@db/app"), "u:***@db/app");
}

static void
knows_the_port_in_a_sockets_name(void **state)
{
	(void)state;
	assert_int_equal(pg_socket_port("/run/postgresql/.s.PGSQL.5433"), 5433);
	assert_int_equal(pg_socket_port("/run/postgresql/.s.PGSQL.5433x"), 0);
	assert_int_equal(pg_socket_port("/run/postgresql/.s.PGSQL.70000"), 0);
	assert_int_equal(pg_socket_port("/run/mysqld/mysqld.sock"), 0);
	assert_int_equal(pg_socket_port(".s.PGSQL.5432"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(reads_every_form, clear_arena),
		cmocka_unit_test_teardown(leaves_other_texts_alone, clear_arena),
		cmocka_unit_test_teardown(says_what_is_wrong, clear_arena),
		cmocka_unit_test_teardown(rewriting_keeps_every_other_byte, clear_arena),
		cmocka_unit_test_teardown(what_was_rewritten_reads_as_the_target, clear_arena),
		cmocka_unit_test_teardown(says_what_the_server_leg_needs, clear_arena),
		cmocka_unit_test_teardown(shows_no_password, clear_arena),
		cmocka_unit_test(knows_the_port_in_a_sockets_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
