<?php
// SPDX-License-Identifier: Apache-2.0
// PDO_mysql and mysqli (mysqlnd): emulated and native statements, several results, a cursor of one row a fetch, asynchronous queries, change of user.
function section(string $name): void { echo "== $name\n"; }
function show($value): void { echo json_encode($value, JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_UNICODE), "\n"; }

function connect(bool $emulated): PDO
{
	return new PDO('mysql:host=' . getenv('MYSQL_HOST') . ';port=' . getenv('MYSQL_TCP_PORT') . ';dbname=' . getenv('MYSQL_DATABASE') . ';charset=utf8mb4',
		getenv('MYSQL_USER'), getenv('MYSQL_PWD'), [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::ATTR_EMULATE_PREPARES => $emulated,
		PDO::MYSQL_ATTR_LOCAL_INFILE => true]);
}

function attempt(PDO $db, string $sql, ?array $values = null): void
{
	try {
		if ($values === null) {
			$statement = $db->query($sql);
		} else {
			$statement = $db->prepare($sql);
			$statement->execute($values);
		}
		do {
			show($statement->columnCount() ? $statement->fetchAll(PDO::FETCH_NUM) : $statement->rowCount());
		} while ($statement->nextRowset());
	} catch (PDOException $error) {
		show([$error->getCode(), $error->getMessage()]);
	}
}

foreach ([true, false] as $emulated) {
	$db = connect($emulated);
	$db->exec('DELETE FROM sink');
	section($emulated ? 'emulated' : 'native');
	section('types');
	attempt($db, 'SELECT * FROM types ORDER BY id');
	attempt($db, 'SELECT * FROM types WHERE id <> ? ORDER BY id', [9]);
	attempt($db, 'INSERT INTO bound VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
		[1, 8000000000, '18446744073709551615', 2.25, '12.5', "Grüße '\\", "\0\xff", '2024-02-29 13:14:15.161718', null]);
	attempt($db, 'SELECT i, l, u, f, d, t, HEX(y), at, missing FROM bound');

	section('prepared');
	$one = $db->prepare('SELECT t FROM numbers WHERE n = :n');
	for ($n = 1; $n <= 5; $n++) {
		$one->execute(['n' => $n]);
		show($one->fetchAll(PDO::FETCH_COLUMN));
	}
	$one = null;
	attempt($db, 'CALL several(?)', [2]);

	section('errors');
	attempt($db, 'SELEC 1');
	attempt($db, 'SELEC ?', [1]);
	attempt($db, 'SELECT 1; SELECT nothing; SELECT 2 AS never');
	attempt($db, "INSERT INTO sink VALUES (?, 'one'), (1, 'again')", [1]);
	attempt($db, 'CALL fails()');

	section('transactions');
	$db->beginTransaction();
	attempt($db, "INSERT INTO sink VALUES (1, 'kept')");
	$db->exec('SAVEPOINT here');
	attempt($db, "INSERT INTO sink VALUES (?, 'refused')", [1]);
	$db->exec('ROLLBACK TO here');
	$db->commit();
	$db->beginTransaction();
	show($db->exec('DELETE FROM sink'));
	$db->rollBack();
	attempt($db, 'SELECT * FROM sink');

	section('batch');
	$insert = $db->prepare('INSERT INTO sink VALUES (?, ?)');
	for ($n = 100; $n < 150; $n++) {
		$insert->execute([$n, "many $n"]);
	}
	$insert = null;

	section('large');
	show(md5($db->query("SELECT REPEAT('x', 33554432)")->fetchColumn()));
	attempt($db, 'SELECT LENGTH(?)', [str_repeat('y', 15 << 20)]);
	$db->setAttribute(PDO::MYSQL_ATTR_USE_BUFFERED_QUERY, false);
	$sum = 0;
	foreach ($db->query('SELECT n FROM numbers', PDO::FETCH_COLUMN, 0) as $n) {
		$sum += $n;
	}
	show($sum);
	$db = null;
}

mysqli_report(MYSQLI_REPORT_OFF);
$my = mysqli_init();
$my->options(MYSQLI_OPT_LOCAL_INFILE, 1);
$my->real_connect(getenv('MYSQL_HOST'), getenv('MYSQL_USER'), getenv('MYSQL_PWD'), getenv('MYSQL_DATABASE'), (int)getenv('MYSQL_TCP_PORT'));

section('cursors');
$cursor = $my->prepare('SELECT n FROM numbers WHERE n <= 30 ORDER BY n');
$cursor->attr_set(MYSQLI_STMT_ATTR_CURSOR_TYPE, MYSQLI_CURSOR_TYPE_READ_ONLY);
$cursor->execute();
$cursor->bind_result($n);
$sum = 0;
while ($cursor->fetch()) {
	$sum += $n;
}
show($sum);
$cursor->close();

section('load');
$file = tempnam(sys_get_temp_dir(), 'matrix-');
file_put_contents($file, implode('', array_map(fn($n) => "$n\tloaded\n", range(1000, 40000))));
show([$my->query("LOAD DATA LOCAL INFILE '$file' INTO TABLE sink"), $my->affected_rows, $my->error]);
unlink($file);

section('commands');
show($my->change_user(getenv('MYSQL_USER'), getenv('MYSQL_PWD'), getenv('MYSQL_DATABASE')));
show($my->ping());
show(strpos($my->stat(), 'Uptime'));
show($my->select_db(getenv('MYSQL_DATABASE')));
$my->multi_query('SELECT 1; SELECT 2');
do {
	show($my->store_result()->fetch_all());
} while ($my->more_results() && $my->next_result());

section('kill');
$my->query("SELECT SLEEP(60)", MYSQLI_ASYNC);
$killer = mysqli_init();
$killer->real_connect(getenv('MYSQL_HOST'), getenv('MYSQL_USER'), getenv('MYSQL_PWD'), getenv('MYSQL_DATABASE'), (int)getenv('MYSQL_TCP_PORT'));
do {
	usleep(20000);
	$found = $killer->query("SELECT id FROM information_schema.processlist WHERE info = 'SELECT SLEEP(60)'")->fetch_row();
} while (!$found);
$killer->query("KILL QUERY $found[0]");
$killer->close();
$answer = $my->reap_async_query();
show([$answer ? $answer->fetch_all() : null, $my->errno]);
if ($answer) {
	$answer->free();
}
$my->close();
