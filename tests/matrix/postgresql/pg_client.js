// SPDX-License-Identifier: Apache-2.0
// node pg: simple, unnamed and named statements, cursors (pg-cursor), COPY streams (pg-copy-streams), a pool, cancel by a second session.
'use strict';
const crypto = require('crypto');
const { pipeline } = require('stream/promises');
const { Readable } = require('stream');
const { Client, Pool } = require('pg');
const Cursor = require('pg-cursor');
const { from: copyFrom, to: copyTo } = require('pg-copy-streams');

const section = (name) => console.log('==', name);
const show = (value) => console.log(JSON.stringify(value));
const md5 = (data) => crypto.createHash('md5').update(data).digest('hex');

async function attempt(client, ...query) {
  try {
    const result = await client.query(...query);
    show([].concat(result).map((r) => [r.command, r.rowCount, r.rows]));
  } catch (error) {
    show([error.code, error.severity, error.message, error.position]);
  }
}

async function types(client) {
  section('types');
  const sql = 'SELECT * FROM types ORDER BY id';
  await attempt(client, sql);
  await attempt(client, { text: `${sql} LIMIT $1`, values: [9] });
  const values = [1, '8000000000', 2.25, '12.5', 'Grüße', Buffer.from([0, 255]), true, new Date('2024-02-29T13:14:15Z'), null];
  await attempt(client, 'INSERT INTO bound VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING *', values);
}

async function prepared(client) {
  section('prepared');
  for (let n = 1; n <= 5; n++) {
    await attempt(client, { name: 'one', text: 'SELECT t FROM numbers WHERE n = $1', values: [n] });
  }
  await attempt(client, { text: 'SELECT n FROM numbers WHERE n < $1', values: [4], rowMode: 'array', rows: 2 });
}

async function errors(client) {
  section('errors');
  await attempt(client, 'SELEC 1');
  await attempt(client, 'SELEC $1', [1]);
  await attempt(client, 'SELECT 1 / $1::int', [0]);
  await attempt(client, 'SELECT 1; SELECT 1 / 0; SELECT 2 AS never');
  await attempt(client, 'SELECT 1 AS a; SELECT 2 AS b');
  await attempt(client, 'SELECT $1::int', ['no number']);
}

async function transactions(client) {
  section('transactions');
  for (const sql of ['BEGIN', "INSERT INTO sink VALUES (1, 'kept')", 'SAVEPOINT here', "INSERT INTO sink VALUES (1, 'refused')",
    'SELECT 1 AS aborted', 'ROLLBACK TO here', 'COMMIT', 'BEGIN', 'DELETE FROM sink', 'ROLLBACK', 'SELECT * FROM sink']) {
    await attempt(client, sql);
  }
}

async function cursors(client) {
  section('cursors');
  const cursor = client.query(new Cursor('SELECT n FROM numbers WHERE n > $1 ORDER BY n', [10]));
  show(await cursor.read(3));
  let sum = 0;
  for (let rows = await cursor.read(100); rows.length; rows = await cursor.read(100)) {
    sum += rows.reduce((total, row) => total + row.n, 0);
  }
  show(sum);
  await cursor.close();
  const early = client.query(new Cursor('SELECT n FROM numbers ORDER BY n'));
  show(await early.read(2));
  await early.close();
}

async function batch(client) {
  section('batch');
  // All at once: the client queues them, one round trip each.
  const many = Array.from({ length: 200 }, (_, n) => client.query('INSERT INTO sink VALUES ($1, $2)', [100 + n, `many ${n}`]));
  show((await Promise.all(many)).length);
}

async function copy(client) {
  section('copy');
  const lines = Array.from({ length: 20000 }, (_, n) => `${1000 + n}\tcopied\n`);
  await pipeline(Readable.from(lines), client.query(copyFrom('COPY sink FROM STDIN')));
  const digest = crypto.createHash('md5');
  for await (const chunk of client.query(copyTo('COPY (SELECT * FROM sink ORDER BY id) TO STDOUT'))) {
    digest.update(chunk);
  }
  show(digest.digest('hex'));
  await pipeline(Readable.from(['not\ta number\n']), client.query(copyFrom('COPY sink FROM STDIN'))).catch((error) => show(error.message));
}

async function notifications(client) {
  section('notifications');
  client.on('notification', (note) => show([note.channel, note.payload]));
  client.on('notice', (notice) => show(notice.message));
  await client.query('LISTEN news');
  await client.query("NOTIFY news, 'hello'");
  await attempt(client, "SELECT say('said')");
}

async function cancel(client) {
  section('cancel');
  const observer = new Client();
  await observer.connect();
  const asleep = attempt(client, 'SELECT pg_sleep(60)');
  const sql = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'";
  while (!(await observer.query(sql)).rowCount);
  await asleep;
  await observer.end();
}

async function large(client) {
  section('large');
  show(md5((await client.query("SELECT repeat('x', 33554432) AS x")).rows[0].x));
  await attempt(client, 'SELECT length($1)', ['y'.repeat(32 << 20)]);
}

async function main() {
  const client = new Client();
  await client.connect();
  for (const part of [types, prepared, errors, transactions, cursors, batch, copy, notifications, cancel, large]) {
    await part(client);
  }
  await client.end();
  const pool = new Pool({ max: 3 });
  show((await Promise.all([1, 2, 3, 4, 5].map((n) => pool.query('SELECT t FROM numbers WHERE n = $1', [n])))).map((r) => r.rows[0].t));
  await pool.end();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
