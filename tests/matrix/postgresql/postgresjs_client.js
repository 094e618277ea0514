// SPDX-License-Identifier: Apache-2.0
// postgres.js: named statements by itself, its catalogue of types, pipelining, cursors, COPY streams, cancel, transactions with savepoints.
'use strict';
const crypto = require('crypto');
const { pipeline } = require('stream/promises');
const { Readable } = require('stream');
const postgres = require('postgres');

const section = (name) => console.log('==', name);
const show = (value) => console.log(JSON.stringify(value));
const md5 = (data) => crypto.createHash('md5').update(data).digest('hex');

async function attempt(query) {
  try {
    const rows = await query;
    show([rows.command, rows.count, rows]);
  } catch (error) {
    show([error.name, error.code, error.message]);
  }
}

async function types(sql) {
  section('types');
  await attempt(sql`SELECT * FROM types ORDER BY id`);
  await attempt(sql.unsafe('SELECT * FROM types ORDER BY id'));
  await attempt(sql`INSERT INTO bound VALUES (1, ${'8000000000'}, ${2.25}, ${'12.5'}, ${'Grüße'}, ${Buffer.from([0, 255])}, ${true},
    ${new Date('2024-02-29T13:14:15Z')}, ${null}) RETURNING *`);
}

async function prepared(sql) {
  section('prepared');
  for (let n = 1; n <= 5; n++) {
    await attempt(sql`SELECT t FROM numbers WHERE n = ${n}`);
  }
  show((await sql`SELECT n FROM numbers WHERE n = ${7}`.describe()).columns.map((c) => c.name));
}

async function errors(sql) {
  section('errors');
  await attempt(sql`SELEC ${1}`);
  await attempt(sql`SELECT 1 / ${0}::int`);
  await attempt(sql.unsafe('SELECT 1; SELECT 1 / 0; SELECT 2 AS never'));
  await attempt(sql`SELECT ${'no number'}::text::int`);
}

async function transactions(sql) {
  section('transactions');
  await sql.begin('isolation level serializable', async (tx) => {
    await tx`INSERT INTO sink VALUES (1, 'kept')`;
    await attempt(tx.savepoint('here', (point) => point`INSERT INTO sink VALUES (${1}, 'refused')`));
  });
  await attempt(sql.begin(async (tx) => {
    await tx`DELETE FROM sink`;
    throw new Error('rolled back');
  }));
  await attempt(sql`SELECT * FROM sink`);
}

async function cursors(sql) {
  section('cursors');
  let sum = 0;
  for await (const rows of sql`SELECT n FROM numbers WHERE n > ${10} ORDER BY n`.cursor(100)) {
    sum += rows.reduce((total, row) => total + row.n, 0);
  }
  show(sum);
  await sql`SELECT n FROM numbers ORDER BY n`.cursor(2, (rows) => {
    show(rows);
    return sql.CLOSE;
  });
  await sql`SELECT n FROM numbers WHERE n < 4`.forEach((row) => show(row));
}

async function pipelining(sql) {
  section('pipeline');
  // Up to 100 on the wire before the first answer.
  show((await Promise.all(Array.from({ length: 50 }, (_, n) => sql`SELECT t FROM numbers WHERE n = ${n + 1}`))).map((rows) => rows[0].t));
  const mixed = [1, 0, 2].map((n) => sql`SELECT 10 / ${n}::int AS q`.catch((error) => [error.code]));
  show(await Promise.all(mixed));
  section('batch');
  await attempt(sql`INSERT INTO sink ${sql(Array.from({ length: 200 }, (_, n) => ({ id: 100 + n, note: `many ${n}` })))}`);
}

async function copy(sql) {
  section('copy');
  const lines = Array.from({ length: 20000 }, (_, n) => `${1000 + n}\tcopied\n`);
  await pipeline(Readable.from(lines), await sql`COPY sink FROM STDIN`.writable());
  const digest = crypto.createHash('md5');
  for await (const chunk of await sql`COPY (SELECT * FROM sink ORDER BY id) TO STDOUT`.readable()) {
    digest.update(chunk);
  }
  show(digest.digest('hex'));
}

async function cancel(sql) {
  section('cancel');
  const query = sql`SELECT pg_sleep(60)`;
  const asleep = attempt(query);
  const observer = postgres({ max: 1, fetch_types: false });
  while ((await observer`SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'`).count !== 1);
  query.cancel();
  await asleep;
  await observer.end();
}

async function large(sql) {
  section('large');
  show(md5((await sql`SELECT repeat('x', 33554432) AS x`)[0].x));
  await attempt(sql`SELECT length(${'y'.repeat(32 << 20)})`);
}

async function main() {
  const sql = postgres({ max: 1, onnotice: (notice) => show(notice.message) });
  for (const part of [types, prepared, errors, transactions, cursors, pipelining, cancel, large]) {
    await part(sql);
  }
  section('notifications');
  await attempt(sql`SELECT say('said')`);
  let heard;
  const hearing = new Promise((resolve) => (heard = resolve));
  await sql.listen('news', heard);
  await sql.notify('news', 'hello');
  show(await hearing);
  await copy(sql);
  await sql.end();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
