// node mysql2: text and prepared queries, numbers as DOUBLE, a stream for LOAD DATA, changeUser, several statements, a transaction.
const mysql = require('mysql2/promise');
const { Readable } = require('stream');
(async () => {
	const c = await mysql.createConnection({ host: process.env.MYSQL_HOST, port: Number(process.env.MYSQL_TCP_PORT), user: 'app', password: 'app', database: process.env.MYSQL_DATABASE || 'd', multipleStatements: true });
	await c.query('create table t (id int primary key, name varchar(20), at datetime, j json)');
	await c.query('insert into t values (?, ?, ?, ?)', [1, 'one', new Date(0), '{"a": 1}']);
	for (let i = 1; i < 4; i++)
		await c.execute('select name, at, j from t where id = ?', [i]);
	await c.execute('insert into t values (?, ?, ?, ?)', [2, null, new Date(86400000), '[]']);
	await c.execute('selec ?', [1]).catch(() => {});
	await c.query('select * from nowhere').catch(() => {});
	await c.query('select 1; select 2, 3');
	await c.beginTransaction();
	await c.execute('update t set name = ? where id = ?', ['uno', 1]);
	await c.rollback();
	await c.query({ sql: "load data local infile 'x' into table t fields terminated by ',' (id, name)", infileStreamFactory: () => Readable.from([Buffer.from('10,ten\n'), Buffer.from('11,eleven\n')]) });
	await c.ping();
	await c.changeUser({ user: 'app', password: 'app', database: process.env.MYSQL_DATABASE || 'd' });
	await c.execute('select name from t where id = ?', [10]);
	await c.query('drop table t');
	await c.end();
})();
