// SPDX-License-Identifier: Apache-2.0
// node mysql2 or mariadb, named by the argument: text and binary protocol, pipelined queries, batches, streams, LOAD DATA LOCAL, resets, kill.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { Readable } = require('stream');

const driver = process.argv[2];
const library = require(driver === 'mysql2' ? 'mysql2/promise' : 'mariadb');
const environment = process.env;
const options = {
  host: environment.MYSQL_HOST, port: Number(environment.MYSQL_TCP_PORT), user: environment.MYSQL_USER, password: environment.MYSQL_PWD,
  database: environment.MYSQL_DATABASE, multipleStatements: true, dateStrings: true,
  ...(driver === 'mysql2' ? { supportBigNumbers: true, bigNumberStrings: true, infileStreamFactory: (file) => fs.createReadStream(file) }
    : { permitLocalInfile: true, maxAllowedPacket: 64 << 20, allowPublicKeyRetrieval: true, multipleStatements: true }),
};
const section = (name) => console.log('==', name);
const show = (value) => console.log(JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? String(v) : v)));
const rowsOf = (answer) => (driver === 'mysql2' ? answer[0] : answer);
const md5 = (data) => crypto.createHash('md5').update(data).digest('hex');

async function attempt(asked) {
  try {
    show(rowsOf(await asked));
  } catch (error) {
    show([error.code, error.errno, error.sqlState, error.sqlMessage]);
  }
}

async function types(db) {
  section('types');
  await attempt(db.query('SELECT * FROM types ORDER BY id'));
  await attempt(db.execute('SELECT * FROM types WHERE id <> ? ORDER BY id', [9]));
  const values = [1, '8000000000', '18446744073709551615', 2.25, '12.5', 'Grüße', Buffer.from([0, 255]), '2024-02-29 13:14:15.161718', null];
  const marks = values.map(() => '?').join(', ');
  await attempt(db.execute(`INSERT INTO bound VALUES (${marks})`, values));
  await attempt(db.query(`INSERT INTO bound VALUES (${marks})`, values));
  await attempt(db.query('SELECT * FROM bound'));
}

async function prepared(db) {
  section('prepared');
  for (let n = 1; n <= 5; n++) {
    await attempt(db.execute('SELECT t FROM numbers WHERE n = ?', [n]));
  }
  const one = await db.prepare('SELECT n FROM numbers WHERE t = ?');
  await attempt(one.execute(['number 6']));
  await one.close();
  await attempt(db.execute('CALL several(?)', [2]));
}

async function errors(db) {
  section('errors');
  await attempt(db.query('SELEC 1'));
  await attempt(db.execute('SELEC ?', [1]));
  await attempt(db.query('SELECT 1; SELECT nothing; SELECT 2 AS never'));
  await attempt(db.query('SELECT 1; SELECT 2'));
  await attempt(db.execute("INSERT INTO sink SELECT n, t FROM numbers WHERE n = ? UNION ALL SELECT 1, 'again'", [1]));
  await attempt(db.query('CALL several(2)'));
  await attempt(db.query('CALL fails()'));
}

async function transactions(db) {
  section('transactions');
  await db.beginTransaction();
  await attempt(db.query("INSERT INTO sink VALUES (1, 'kept')"));
  await attempt(db.query('SAVEPOINT here'));
  await attempt(db.query("INSERT INTO sink VALUES (1, 'refused')"));
  await attempt(db.query('ROLLBACK TO here'));
  await db.commit();
  await db.beginTransaction();
  await attempt(db.query('DELETE FROM sink'));
  await db.rollback();
  await attempt(db.query('SELECT * FROM sink'));
}

async function cursors(db) {
  section('cursors');
  const stream = driver === 'mysql2' ? db.connection.query('SELECT n FROM numbers ORDER BY n').stream() : db.queryStream('SELECT n FROM numbers ORDER BY n');
  let sum = 0;
  for await (const row of stream) {
    sum += row.n;
  }
  show(sum);
}

// On a connection of its own: one library waits for ever when it has been refused a statement before.
async function pipelining() {
  section('pipeline');
  const db = await library.createConnection(options);
  const asked = Array.from({ length: 50 }, (_, n) => db.query('SELECT t FROM numbers WHERE n = ?', [n + 1]));
  show((await Promise.all(asked)).map((answer) => rowsOf(answer)[0].t));
  const executed = [1, 2, 3].map((n) => db.execute('SELECT t FROM numbers WHERE n = ?', [n]).then(rowsOf));
  show(await Promise.all(executed));
  const mixed = ['SELECT 1 AS a', 'SELECT nothing', 'SELECT 2 AS b'].map((sql) => db.query(sql).then(rowsOf, (error) => error.code));
  show(await Promise.all(mixed));
  await db.end();
}

async function batch(db) {
  section('batch');
  const many = Array.from({ length: 300 }, (_, n) => [100 + n, `many ${n}`]);
  await attempt(driver === 'mysql2' ? db.query('INSERT INTO sink VALUES ?', [many]) : db.batch('INSERT INTO sink VALUES (?, ?)', many));
}

async function load(db) {
  section('load');
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'matrix-')), 'rows');
  fs.writeFileSync(file, Array.from({ length: 39000 }, (_, n) => `${1000 + n}\tloaded\n`).join(''));
  const [sql, more] = [`LOAD DATA LOCAL INFILE '${file}' INTO TABLE sink`, { infileStreamFactory: () => Readable.from([fs.readFileSync(file)]) }];
  await attempt(driver === 'mysql2' ? db.query({ sql, ...more }) : db.query(sql));
  fs.rmSync(path.dirname(file), { recursive: true });
}

async function kill(db) {
  section('kill');
  const observer = await library.createConnection(options);
  const asleep = attempt(db.query('SELECT SLEEP(60)'));
  let found = [];
  while (!found.length) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    found = rowsOf(await observer.query("SELECT id FROM information_schema.processlist WHERE info = 'SELECT SLEEP(60)'"));
  }
  await observer.query(`KILL QUERY ${found[0].id || found[0].ID}`);
  await asleep;
  await observer.end();
}

async function commands(db) {
  section('commands');
  await db.ping();
  // One library refuses it to servers of MySQL.
  await db.changeUser({ user: options.user, password: options.password, database: options.database }).catch((error) => show(error.code));
  if (db.reset) {
    await db.reset();
  }
  await attempt(db.query("SELECT 'after'"));
}

async function large(db) {
  section('large');
  show(md5(rowsOf(await db.query("SELECT REPEAT('x', 33554432) AS x"))[0].x));
  await attempt(db.query('SELECT LENGTH(?) AS n', ['y'.repeat(32 << 20)]));
  show(md5(rowsOf(await db.execute('SELECT REPEAT(?, 33554432) AS x', ['z']))[0].x));
}

async function main() {
  const db = await library.createConnection(options);
  for (const part of [types, prepared, errors, transactions, cursors, pipelining, batch, load, kill, commands, large]) {
    await part(db);
  }
  await db.end();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
