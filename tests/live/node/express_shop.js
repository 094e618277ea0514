// SPDX-License-Identifier: Apache-2.0
// express_shop.js ORM: an Express app tagged by conf/integrations/express.js on DATABASE_URL, which then visits its own pages: GET /orders asks
// once per row, GET /orders/joined does not, GET /customers/:id asks twice at most. Prints what the pages answered. Writes nothing.
'use strict';
const express = require('express');
const { named, tagQueries, tagRequests } = require('../../../conf/integrations/express.js');

const url = process.env.DATABASE_URL;
const mysql = url.startsWith('mysql');

// Each ORM as { orders, customer(id), joined, close }.
const orms = {
  async pg() {
    const { Pool } = require('pg');
    const pool = new Pool({ connectionString: url, max: 2 });
    return {
      orders: async () => (await pool.query('SELECT * FROM orders ORDER BY id')).rows,
      customer: async (id) => (await pool.query('SELECT * FROM customers WHERE id = $1', [id])).rows[0],
      joined: async () => (await pool.query('SELECT o.id, c.name FROM orders o JOIN customers c ON c.id = o.customer_id ORDER BY o.id')).rows,
      close: () => pool.end(),
    };
  },
  async sequelize() {
    const { Sequelize, DataTypes } = require('sequelize');
    const db = new Sequelize(url, { logging: false });
    const Customer = db.define('customer', { name: DataTypes.STRING }, { tableName: 'customers', timestamps: false });
    const Order = db.define('order', {}, { tableName: 'orders', timestamps: false });
    Order.belongsTo(Customer, { foreignKey: 'customer_id' });
    return {
      orders: () => Order.findAll({ order: ['id'] }),
      customer: (id) => Customer.findByPk(id),
      joined: async () => (await Order.findAll({ include: Customer, order: ['id'] })).map((o) => ({ id: o.id, name: o.customer.name })),
      close: () => db.close(),
    };
  },
  async knex() {
    const db = require('knex')({ client: mysql ? 'mysql2' : 'pg', connection: url });
    return {
      orders: () => db('orders').orderBy('id'),
      customer: (id) => db('customers').where({ id }).first(),
      joined: () => db('orders').join('customers', 'customers.id', 'orders.customer_id').select('orders.id', 'name').orderBy('orders.id'),
      close: () => db.destroy(),
    };
  },
  async typeorm() {
    const { DataSource, EntitySchema } = require('typeorm');
    const id = { type: Number, primary: true };
    const Customer = new EntitySchema({ name: 'Customer', tableName: 'customers', columns: { id, name: { type: String } } });
    const Order = new EntitySchema({
      name: 'Order', tableName: 'orders', columns: { id, customer_id: { type: Number } },
      relations: { customer: { type: 'many-to-one', target: 'Customer', joinColumn: { name: 'customer_id' } } },
    });
    const db = await new DataSource({ type: mysql ? 'mysql' : 'postgres', url, entities: [Customer, Order] }).initialize();
    const [orders, customers] = [db.getRepository(Order), db.getRepository(Customer)];
    return {
      orders: () => orders.find({ order: { id: 'ASC' } }),
      customer: (wanted) => customers.findOneBy({ id: wanted }),
      joined: async () => (await orders.find({ relations: { customer: true }, order: { id: 'ASC' } })).map((o) => ({ id: o.id, name: o.customer.name })),
      close: () => db.destroy(),
    };
  },
};

async function main(name) {
  tagQueries(require(mysql ? 'mysql2' : 'pg'), name);
  const orm = await orms[name]();
  const app = express();
  app.use(tagRequests);
  app.get('/orders', async (req, res) => {
    const shown = [];
    for (const order of await orm.orders()) {
      shown.push({ id: order.id, name: (await orm.customer(order.customer_id)).name });
    }
    res.json(shown);
  });
  const nested = express.Router();
  nested.get('/joined', async (req, res) => res.json(await orm.joined()));
  app.use('/orders', nested);
  app.get('/customers/:id', async (req, res) => res.json(await orm.customer(Number(req.params.id))));
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => { server.once('listening', resolve); });

  const visit = async (page) => (await fetch(`http://127.0.0.1:${server.address().port}${page}`)).json();
  const loop = await visit('/orders');
  // Two at a time: their queries mix on the connections, and only the tags tell them apart.
  const [joined, again] = await Promise.all([visit('/orders/joined'), visit('/orders/joined')]);
  for (const page of [joined, again]) {
    if (JSON.stringify(page) !== JSON.stringify(loop)) throw new Error('the pages differ');
  }
  const lazy = (work) => ({ then: (...both) => work().then(...both) });
  await named('job Stock', () => lazy(orm.joined));
  console.log(`${loop.length} orders, ${(await visit('/customers/3')).name}`);
  await orm.close();
  server.closeAllConnections();
  server.close();
}

main(process.argv[2]).catch((error) => {
  console.error(error);
  process.exit(1);
});
