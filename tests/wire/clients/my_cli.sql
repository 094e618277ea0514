-- mariadb CLI: several result shapes, an error, USE, LOAD DATA LOCAL, a procedure with two results, PREPARE in SQL, transactions.
create or replace table t (id int auto_increment primary key, name varchar(20), at datetime(3), n decimal(8,2), u bigint unsigned);
insert into t (name, at, n, u) values ('one', '2020-01-02 03:04:05.678', 12.50, 18446744073709551615), ('two', null, null, 0);
select * from t order by id;
select id, count(*) from t where id > 5 group by id;
selec;
select 1 from nowhere;
delimiter //
create or replace procedure p() begin select 1; select 2, 3; update t set n = 1; end//
delimiter ;
call p();
begin;
update t set name = 'x' where id = 1;
rollback;
set autocommit = 0;
select 1;
select count(*) from t;
commit;
set autocommit = 1;
load data local infile 'wire/clients/my_rows.csv' into table t fields terminated by ',' (name, n);
load data local infile '/nowhere/at/all' into table t;
prepare s from 'select name from t where id = ?';
set @id = 1;
execute s using @id;
deallocate prepare s;
set sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES';
select "name" from t limit 1;
set sql_mode = '';
use mysql
select database();
use d
drop procedure p;
drop table t;
