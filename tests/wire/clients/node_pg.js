// node pg: simple, unnamed and named parametrised queries, an error, two queries at once.
const { Client } = require('pg');
(async () => {
	const c = new Client({ user: 'app', database: 'app' });
	await c.connect();
	await c.query('create temp table t (id int, name text)');
	await c.query('insert into t values ($1, $2)', [1, 'one']);
	await c.query('select * from t where id = $1', [1]);
	for (let i = 0; i < 2; i++)
		await c.query({ name: 'by-id', text: 'select name from t where id = $1', values: [i] });
	await c.query('select * from nowhere where id = $1', [1]).catch(() => {});
	await c.query('select 1; select 2');
	await Promise.all([c.query('select 1'), c.query('select $1::text', [null])]);
	await c.end();
})();
