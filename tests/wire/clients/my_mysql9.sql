query_attributes traceparent 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 n 5;
select 'with attributes';
create table t9 (id int auto_increment primary key, name varchar(20), at datetime(3));
insert into t9 (name, at) values ('one', '2020-01-02 03:04:05.678'), ('two', null);
select * from t9;
delimiter //
create procedure p9() begin select 1; select 2, 3; update t9 set name = 'x'; end//
delimiter ;
call p9();
selec;
start transaction;
update t9 set name = 'y' where id = 1;
rollback;
prepare s from 'select name from t9 where id = ?';
set @id = 1;
execute s using @id;
set sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES';
select "name" from t9 limit 1;
set sql_mode = '';
use mysql;
select database();
use app;
drop procedure p9;
drop table t9;
