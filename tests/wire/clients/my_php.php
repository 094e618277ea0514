<?php
// PDO and mysqli over mysqlnd: native prepares, CALL with several results, a cursor fetched row by row, long data, change_user, an
// asynchronous query, several statements in a text.
[$host, $port] = [getenv('MYSQL_HOST'), (int)getenv('MYSQL_TCP_PORT')];
$pdo = new PDO("mysql:host=$host;port=$port;dbname=d", 'app', 'app', [PDO::ATTR_EMULATE_PREPARES => false, PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
$pdo->exec('create or replace table t (id int primary key auto_increment, name varchar(30), x double)');
$insert = $pdo->prepare('insert into t (name, x) values (?, ?)');
foreach ([['a', 1.5], ['b', null]] as $row)
	$insert->execute($row);
$select = $pdo->prepare('select * from t where id = ?');
for ($i = 1; $i < 4; $i++) {
	$select->execute([$i]);
	$select->fetchAll();
}
$pdo->beginTransaction();
$pdo->exec('update t set x = 2');
$pdo->rollBack();
foreach (['select * from nowhere', 'selec'] as $sql)
	try { $pdo->prepare($sql)->execute(); } catch (PDOException $e) {}
$pdo->exec('create or replace procedure p() begin select 1; select 2, 3; end');
$call = $pdo->prepare('call p()');
$call->execute();
do { $call->fetchAll(); } while ($call->nextRowset());

$my = new mysqli($host, 'app', 'app', 'd', $port);
$my->multi_query('select 1; select 2; update t set x = 3');
do {
	if ($result = $my->store_result())
		$result->free();
} while ($my->more_results() && $my->next_result());
$cursor = $my->prepare('select id, name from t');
$cursor->attr_set(MYSQLI_STMT_ATTR_CURSOR_TYPE, MYSQLI_CURSOR_TYPE_READ_ONLY);
$cursor->execute();
$cursor->bind_result($id, $name);
while ($cursor->fetch());
$cursor->close();
$long = $my->prepare('insert into t (name) values (?)');
$null = null;
$long->bind_param('b', $null);
$long->send_long_data(0, 'long ');
$long->send_long_data(0, 'data');
$long->execute();
$long->close();
$my->change_user('app', 'app', 'd');
$my->autocommit(false);
$my->query('select count(*) from t');
$my->commit();
$my->query('select 1', MYSQLI_ASYNC);
$ready = [$my];
$error = $reject = [];
mysqli_poll($ready, $error, $reject, 1);
$my->reap_async_query();
$my->stat();
$my->query('drop table t');
$my->query('drop procedure p');
