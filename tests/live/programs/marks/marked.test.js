// SPDX-License-Identifier: Apache-2.0
// What a project's tests look like to conf/integrations/jest_marks.js, under Jest and node:test: one that asks once per row, one that does not.
'use strict';
const { Client } = require('pg');

const { describe, test, beforeEach, afterEach } = typeof globalThis.describe === 'function' ? globalThis : require('node:test');

describe('orders', () => {
  let client;
  beforeEach(async () => {
    client = new Client({ connectionString: process.env.DATABASE_URL });
    await client.connect();
    await client.query('SELECT count(*) FROM orders');
  });
  afterEach(() => client.end());

  test('loop', async () => {
    for (const { customer_id: customer } of (await client.query('SELECT customer_id FROM orders ORDER BY id')).rows) {
      await client.query('SELECT name FROM customers WHERE id = $1', [customer]);
    }
  });

  test('join', async () => {
    await client.query('SELECT c.name FROM orders o JOIN customers c ON c.id = o.customer_id');
  });
});
