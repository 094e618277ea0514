<?php
// SPDX-License-Identifier: Apache-2.0
// PDO_pgsql and the pg_* functions of PHP: prepared on the server and emulated, large cursors, COPY, asynchronous queries and their cancel.
function section(string $name): void { echo "== $name\n"; }
function show($value): void { echo json_encode($value, JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_UNICODE), "\n"; }

function attempt(PDO $db, string $sql, ?array $values = null, array $options = []): void
{
	try {
		if ($values === null) {
			$statement = $db->query($sql);
		} else {
			$statement = $db->prepare($sql, $options);
			$statement->execute($values);
		}
		show($statement->columnCount() ? $statement->fetchAll(PDO::FETCH_NUM) : $statement->rowCount());
	} catch (PDOException $error) {
		show([$error->getCode(), $error->getMessage()]);
	}
}

$db = new PDO('pgsql:host=' . getenv('PGHOST') . ';port=' . getenv('PGPORT') . ';dbname=' . getenv('PGDATABASE'), getenv('PGUSER'), getenv('PGPASSWORD'),
	[PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);

section('types');
$columns = 'id, a_bigint, a_numeric, a_double, a_bool, a_text, a_date, a_timestamptz, an_interval, a_uuid, a_jsonb, texts, a_mood';
attempt($db, "SELECT $columns FROM types ORDER BY id");
attempt($db, "SELECT $columns FROM types WHERE id <> ? ORDER BY id", [9]);
$insert = $db->prepare('INSERT INTO bound VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
foreach ([1, 8000000000, 2.25, '12.5', 'Grüße', null, true, '2024-02-29 13:14:15', null] as $i => $value) {
	$insert->bindValue($i + 1, $i == 5 ? "\0\xff" : $value, $i == 5 ? PDO::PARAM_LOB : ($i == 6 ? PDO::PARAM_BOOL : PDO::PARAM_STR));
}
$insert->execute();
attempt($db, "SELECT i, l, f, d, t, encode(y, 'hex'), b, at, missing FROM bound");

section('prepared');
$one = $db->prepare('SELECT t FROM numbers WHERE n = :n');
for ($n = 1; $n <= 5; $n++) {
	$one->execute(['n' => $n]);
	show($one->fetchAll(PDO::FETCH_COLUMN));
}
$one = null;   // DEALLOCATE
attempt($db, 'SELECT t FROM numbers WHERE n = ?', [6], [PDO::ATTR_EMULATE_PREPARES => true]);
attempt($db, 'SELECT t FROM numbers WHERE n = ?', [7], [PDO::PGSQL_ATTR_DISABLE_PREPARES => true]);

section('errors');
attempt($db, 'SELEC 1');
attempt($db, 'SELECT 1 / ?::int', [0]);
attempt($db, 'SELECT ?::int', ['no number']);
attempt($db, 'SELECT 1; SELECT 1 / 0; SELECT 2 AS never');

section('transactions');
$db->beginTransaction();
attempt($db, "INSERT INTO sink VALUES (1, 'kept')");
$db->exec('SAVEPOINT here');
attempt($db, "INSERT INTO sink VALUES (?, 'refused')", [1]);
attempt($db, "SELECT 'aborted'");
$db->exec('ROLLBACK TO here');
$db->commit();
$db->beginTransaction();
show($db->exec('DELETE FROM sink'));
$db->rollBack();
attempt($db, 'SELECT * FROM sink');

section('cursors');
$db->beginTransaction();
$scroll = $db->prepare('SELECT n FROM numbers ORDER BY n', [PDO::ATTR_CURSOR => PDO::CURSOR_SCROLL]);
$scroll->execute();
show([$scroll->fetch(PDO::FETCH_NUM), $scroll->fetch(PDO::FETCH_NUM, PDO::FETCH_ORI_ABS, 100), $scroll->fetch(PDO::FETCH_NUM, PDO::FETCH_ORI_PRIOR)]);
$scroll = null;
$db->commit();

section('copy');
show($db->pgsqlCopyFromArray('sink', array_map(fn($n) => "$n\tcopied", range(1000, 20000))));
show(md5(implode('', $db->pgsqlCopyToArray('sink'))));
$db->exec('LISTEN news');
$db->exec("NOTIFY news, 'hello'");
$note = $db->pgsqlGetNotify(PDO::FETCH_ASSOC);
show([$note['message'], $note['payload']]);

section('batch');
$insert = $db->prepare('INSERT INTO sink VALUES (?, ?)');
for ($n = 100; $n < 150; $n++) {
	$insert->execute([$n, "many $n"]);
}
$insert = null;

section('large');
show(md5($db->query("SELECT repeat('x', 33554432)")->fetchColumn()));
attempt($db, 'SELECT length(?)', [str_repeat('y', 32 << 20)]);
$db = null;

section('cancel');
$pg = pg_connect('');
show(pg_fetch_all(pg_query_params($pg, 'SELECT t FROM numbers WHERE n = $1', [8])));
pg_send_query($pg, 'SELECT pg_sleep(60)');
$observer = pg_connect('', PGSQL_CONNECT_FORCE_NEW);
do {
	$active = pg_query($observer, "SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'");
} while (pg_num_rows($active) == 0);
show(pg_cancel_query($pg));
show(pg_fetch_all(pg_query($pg, "SELECT 'after'")));
pg_prepare($pg, 'named', 'SELECT n FROM numbers WHERE n < $1 ORDER BY n');
show(pg_fetch_all(pg_execute($pg, 'named', [4])));
show(@pg_query($pg, 'SELECT 1 / 0'));
show(pg_last_error($pg));
pg_close($observer);
pg_close($pg);
