-- psql: simple queries, several in a text, COPY in and out, LISTEN, errors in and out of transactions, an empty statement.
\set ON_ERROR_STOP off
create temp table t (id int primary key, name text, at timestamptz default '2020-01-02 03:04:05+00');
insert into t (id, name) values (1, 'one'), (2, 'two'), (3, null);
select id, name from t order by id;
select 1\; begin\; select 2\; select 1/0\; select 3;
select 'in a failed transaction';
rollback;
;
begin;
savepoint s;
select * from nowhere;
rollback to s;
commit;
listen ch;
notify ch, 'hello';
\copy t (id, name) from stdin
10	ten
11	eleven
\.
\copy (select id, name from t order by id) to '/dev/null'
set application_name = 'renamed';
prepare p (int) as select name from t where id = $1;
execute p(1);
deallocate all;
