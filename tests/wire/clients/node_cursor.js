// SPDX-License-Identifier: Apache-2.0
// pg-cursor: Execute and Flush, Sync only at the end. pg-copy-streams: COPY both ways.
const { Client } = require('pg');
const Cursor = require('pg-cursor');
const { from, to } = require('pg-copy-streams');
const { pipeline } = require('stream/promises');
const { Readable, Writable } = require('stream');
(async () => {
	const c = new Client({ user: 'app', database: 'app' });
	await c.connect();
	await c.query('create temp table t (id int)');
	await pipeline(Readable.from(['1\n2\n', '3\n4\n5\n']), c.query(from('copy t from stdin')));
	await pipeline(c.query(to('copy t to stdout')), new Writable({ write(chunk, encoding, done) { done(); } }));
	const whole = c.query(new Cursor('select id from t where id > $1', [0]));
	while ((await whole.read(2)).length)
		;
	const part = c.query(new Cursor('select id from t'));
	await part.read(2);
	await part.close();
	const failing = c.query(new Cursor('select * from nowhere'));
	await failing.read(1).catch(() => {});
	await c.end();
})();
