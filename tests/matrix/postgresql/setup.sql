-- What every PostgreSQL client of the matrix finds: each common type once filled, once at its edges, once NULL.
CREATE TABLE numbers (n int PRIMARY KEY, t text);
INSERT INTO numbers SELECT n, 'number ' || n FROM generate_series(1, 1000) n;
CREATE TABLE sink (id int PRIMARY KEY, note text);
CREATE TABLE bound (i int, l bigint, f float8, d numeric(20, 5), t text, y bytea, b bool, at timestamp, missing text);
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TYPE pair AS (a int, b text);
CREATE TABLE types (
	id int PRIMARY KEY, a_smallint smallint, a_bigint bigint, a_numeric numeric, a_real real, a_double float8, a_bool bool, a_text text,
	a_varchar varchar(20), a_char char(5), a_bytea bytea, a_date date, a_time time, a_timetz timetz, a_timestamp timestamp,
	a_timestamptz timestamptz, an_interval interval, a_uuid uuid, a_json json, a_jsonb jsonb, an_inet inet, a_cidr cidr, a_mac macaddr,
	ints int[], texts text[], a_point point, a_range int4range, a_bit bit(3), a_varbit varbit, a_mood mood, a_money money, a_vector tsvector);
INSERT INTO types VALUES
	(1, 7, 8000000000, 12345.67890, 1.5, 2.25, true, 'Grüße, ''quoted'' \ and tab	', 'varchar', 'abc', '\x00ff10', '2024-02-29', '13:14:15.161718',
	'13:14:15+02', '2024-02-29 13:14:15.161718', '2024-02-29 13:14:15+00', '3 hours 4 minutes', '01234567-89ab-cdef-0123-456789abcdef',
	'{"a": [1, 2]}', '{"b": null}', '192.0.2.1', '192.0.2.0/24', '08:00:2b:01:02:03', '{1,NULL,3}', '{a,"b c",NULL}', '(1,2)', '[1,9)', B'101',
	B'1', 'glad', 12.34, 'quick brown'),
	(2, -32768, -9223372036854775808, -99999999999999999999999999999.00001, '-3.4e38', '1e-300', false, '', '', '', '', '0001-01-01', '00:00',
	'23:59:59-12', '1970-01-01', '1970-01-01 00:00+00', '-1 days', '00000000-0000-0000-0000-000000000000', '[]', '{}', '::1', '::/0',
	'ff:ff:ff:ff:ff:ff', '{}', '{}', '(-0.5,1e10)', 'empty', B'000', B'', 'sad', -0.01, '');
INSERT INTO types (id) VALUES (3);
CREATE FUNCTION say(what text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'said %', what; RETURN upper(what); END $$;
