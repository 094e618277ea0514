-- SPDX-License-Identifier: Apache-2.0
-- What the server sends in binary and prints as text: one line "oid hex text" per value, for tests/wire/pg-types.txt.
-- psql -X -q -At -f record-types.sql
set timezone = 'UTC';
set extra_float_digits = 1;
create temp table v (type regtype, literal text);
insert into v select 'bool', unnest(array['t', 'f']);
insert into v select 'int2', unnest(array['0', '-1', '32767', '-32768']);
insert into v select 'int4', unnest(array['0', '-1', '2147483647', '-2147483648']);
insert into v select 'int8', unnest(array['0', '-1', '9223372036854775807', '-9223372036854775808']);
insert into v select 'oid', unnest(array['0', '4294967295']);
insert into v select t, unnest(array['0', '-0', '1', '-1', '0.1', '0.0001', '0.00001', '123456', '1e5', '1e6', '1234567', '99999', '999999', '1e14', '1e15', '1e16',
  '3.4028235e38', '1.1754944e-38', '1e-45', '123.456', '-2.5e-7', '16777216', '16777217', '9007199254740993', 'NaN', 'Infinity', '-Infinity'])
  from (values ('float4'::regtype), ('float8')) types (t);
insert into v select 'float8', unnest(array['1.7976931348623157e308', '5e-324', '2.2250738585072014e-308', '0.1234567890123456789', '5.684341886080802e-14', '9.5367431640625e-7']);
insert into v select 'float8', (2::float8 ^ e)::text from generate_series(-1000, 1000, 37) e;
insert into v select 'float4', (2::float4 ^ e)::float4::text from generate_series(-120, 120, 7) e;
-- Halfway between two texts, and next to a power of two: where shortest digits are hard.
insert into v select 'float4', unnest(array['47105488', '73250832', '6.886e9', '1.2379401e27']);
insert into v select 'float8', unnest(array['47327477247038224', '-4.1696e18', '231998520794726208', '1.4214963012935459e17']);
insert into v select 'numeric', unnest(array['0', '0.00', '1', '-1', '10000', '9999', '100000000', '0.0001', '0.00001', '0.000000000001', '123456789.987654321', '-0.5', '12.50',
  '1e20', '1e-20', '1.10', '99999999999999999999999999999999.9999', '1000000000000000000000', 'NaN', 'Infinity', '-Infinity', '10000.0001', '5e-130']);
insert into v select t, unnest(array['', 'a', 'it''s "quoted" \ back', E'two\nlines', 'äöü'])
  from (values ('text'::regtype), ('varchar'), ('bpchar'), ('name')) types (t);
insert into v select '"char"', unnest(array['', 'x']);
insert into v values ('json', '{"a": [1, 2]}'), ('jsonb', '{"b": 1, "a": [1, null, "x"]}'), ('xml', '<a>b</a>');
insert into v select 'uuid', unnest(array['00000000-0000-0000-0000-000000000000', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11']);
insert into v select 'bytea', unnest(array['', '\x00ff10', 'plain']);
insert into v select 'date', unnest(array['2000-01-01', '1999-12-31', '1970-01-01', '2024-02-29', '1900-02-28', '0001-01-01', '0001-12-31 BC', '0044-03-15 BC', '4713-01-01 BC',
  '5874897-12-31', '9999-12-31', '10000-01-01', 'infinity', '-infinity']);
insert into v select 'date', ('0400-02-28'::date + 7919 * n)::text from generate_series(0, 120) n;
insert into v select 'time', unnest(array['00:00:00', '23:59:59.999999', '24:00:00', '12:34:56.7', '01:02:03.000001']);
insert into v select 'timetz', unnest(array['00:00:00+00', '12:34:56.7-08', '01:02:03+05:30', '23:59:59.999999-00:00:01', '10:00+15:59:59']);
insert into v select t, unnest(array['2000-01-01', '1999-12-31 23:59:59.999999', '1970-01-01 00:00:00.5', '2024-02-29 12:34:56.789', '0044-03-15 06:00 BC', '4713-01-01 BC',
  '294276-12-31 23:59:59.999999', '0001-01-01', 'infinity', '-infinity'])
  from (values ('timestamp'::regtype), ('timestamptz')) types (t);
insert into v select 'interval', unnest(array['0', '1 day', '-1 day', '1 mon', '2 mons -3 days', '1 year 2 mons 3 days 04:05:06.789', '-1 year', '-1 year +1 mon', '00:00:00.000001',
  '-00:00:01', '1 day -00:00:01', '-1 day 00:00:01', '1000000 hours', '-2 years -3 mons', '178000000 years', '10 years 20 mons 400 days 100:00:00.5']);
insert into v select 'inet', unnest(array['0.0.0.0', '127.0.0.1', '192.168.0.0/16', '10.1.2.3/8', '::', '::1', '::/0', 'fe80::1', '2001:db8::1/64', '::ffff:1.2.3.4', '::1.2.3.4',
  '1:2:3:4:5:6:7:8', '1:0:0:4:0:0:0:8', '1::', '0:0:1::', '::2:3:4:5:6:7:8', '2001:db8:0:0:1:0:0:1', '::ffff:0:1', '::1:2']);
insert into v select 'cidr', unnest(array['0.0.0.0/0', '192.168.0.0/16', '10.0.0.1/32', '2001:db8::/32', '::1/128', '::ffff:1.2.3.0/120']);
insert into v values ('macaddr', '08:00:2b:01:02:03'), ('macaddr8', '08:00:2b:01:02:03:04:05');
insert into v select t, unnest(array['1', '0', '10110011', '1011001110']) from (values ('varbit'::regtype)) types (t);
insert into v values ('xid', '4294967295'), ('cid', '7');
insert into v select 'int4[]', unnest(array['{}', '{1}', '{1,NULL,-3}', '{{1,2},{3,4}}', '[0:1]={5,6}', '[2:2][-1:0]={{7,8}}', '{{{1},{2}},{{3},{4}}}']);
insert into v select 'text[]', unnest(array['{}', '{a,b}', '{"",NULL,"NULL","null","a b","c,d","{e}","f\"g","h\\i"," j"}', E'{"tab\there","new\nline"}', '{ä}', '{{a,b},{c,NULL}}']);
insert into v values ('bool[]', '{t,f,NULL}'), ('int8[]', '{1,9223372036854775807}'), ('numeric[]', '{1.50,NaN,-0.001}'), ('uuid[]', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'),
  ('timestamptz[]', '{2024-02-29 12:34:56.789+00,infinity}'), ('date[]', '{2024-02-29,-infinity}'), ('float8[]', '{0.1,NaN,1e300}'), ('bytea[]', '{"\\x00ff",""}'),
  ('interval[]', '{1 day,00:00:01}'), ('inet[]', '{10.0.0.1,::1}'), ('jsonb[]', '{"{\"a\": 1}",null}'), ('varchar[]', '{x,y z}'), ('int2[]', '{1,2}'),
  ('time[]', '{01:02:03}'), ('varbit[]', '{101,0}');
create function pg_temp.sent(type regtype, literal text, out hex text, out printed text) language plpgsql as $$
begin
	execute format('select encode(%s(%L::%s), ''hex''), format(''%%s'', %L::%s)', (select typsend from pg_type where oid = type), literal, type, literal, type)
		into hex, printed;
end $$;
select type::oid, case when s.hex = '' then '-' else s.hex end, replace(replace(replace(s.printed, '\', '\\'), E'\n', '\n'), E'\t', '\t')
from v, pg_temp.sent(v.type, v.literal) s order by type::oid, s.hex;
