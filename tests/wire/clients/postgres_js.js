// SPDX-License-Identifier: Apache-2.0
// postgres.js: prepared statements by hash, several Syncs in a segment, transactions, cursors, an error.
const postgres = require('postgres');
(async () => {
	const sql = postgres({ host: process.env.PGHOST, port: process.env.PGPORT, user: 'app', database: 'app', max: 1, fetch_types: false });
	await sql`create temp table t (id int, name text)`;
	await sql`insert into t ${sql([{ id: 1, name: 'one' }, { id: 2, name: null }])}`;
	await Promise.all([sql`select * from t where id = ${1}`, sql`select * from t where id = ${2}`, sql`select ${'x'}::text`]);
	await sql.begin(async (tx) => {
		await tx`update t set name = ${'two'} where id = ${2}`;
		for await (const rows of tx`select id from t`.cursor(1))
			rows.length;
	});
	await sql`select * from nowhere`.catch(() => {});
	await sql`select 1; select 2`.simple();
	await sql.end();
})();
