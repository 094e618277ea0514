<?php
// SPDX-License-Identifier: Apache-2.0
// PDO: server-side statements, deallocated by SQL; emulated ones; an error. pg_*: parameters without a name.
$dsn = 'pgsql:host=' . getenv('PGHOST') . ';port=' . getenv('PGPORT') . ';dbname=app';
$db = new PDO($dsn, 'app', '', [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
$db->exec('create temp table t (id int, name text, ok bool)');
$s = $db->prepare('insert into t values (?, ?, ?)');
foreach ([1, 2] as $id) {
	$s->execute([$id, "name $id", 't']);
}
$s = $db->prepare('select * from t where id = :id');
$s->execute(['id' => 1]);
$s->fetchAll();
$s = null;
$db->beginTransaction();
try {
	$db->query('select 1/0');
} catch (PDOException $expected) {
	$db->rollBack();
}
$db->setAttribute(PDO::ATTR_EMULATE_PREPARES, true);
$s = $db->prepare('select name from t where id = ?');
$s->execute([2]);
$pg = pg_connect('host=' . getenv('PGHOST') . ' port=' . getenv('PGPORT') . ' dbname=app user=app');
pg_query_params($pg, 'select $1::int + 1', [41]);
pg_prepare($pg, 'named', 'select $1::text');
pg_execute($pg, 'named', ['x']);
pg_close($pg);
