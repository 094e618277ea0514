// SPDX-License-Identifier: Apache-2.0
// Two requests of a node pg program: named (prepared on the server), unnamed with parameters, and plain text.
// TAGGED=1: each statement names its request.
'use strict';
const { Client } = require('pg');

const tagged = process.env.TAGGED === '1';
const tag = (request) => (tagged ? ` /*route='GET /${request}',rowcall_request='${request}-1'*/` : '');

async function orders(client) {
  const comment = tag('orders');
  const { rows } = await client.query(`SELECT id, customer FROM orders ORDER BY id${comment}`);
  for (const row of rows) {
    await client.query({ name: 'customer', text: `SELECT name FROM customers WHERE id = $1${comment}`, values: [row.customer] });
  }
}

async function rename(client) {
  const comment = tag('rename');
  await client.query('BEGIN');
  for (let customer = 1; customer <= 8; customer++) {
    await client.query(`UPDATE customers SET name = name || $1 WHERE id = $2${comment}`, ['', customer]);
  }
  await client.query('COMMIT');
}

async function main() {
  const client = new Client({ connectionString: process.env.DATABASE_URL });
  await client.connect();
  await orders(client);
  await rename(client);
  await client.end();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
