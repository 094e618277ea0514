// node mariadb: pipelining, DEPRECATE_EOF, prepared statements by id -1, batch as bulk, reset, an error in the pipeline.
const mariadb = require('mariadb');
(async () => {
	const c = await mariadb.createConnection({ host: process.env.MYSQL_HOST, port: Number(process.env.MYSQL_TCP_PORT), user: 'app', password: 'app', database: process.env.MYSQL_DATABASE || 'd', multipleStatements: true });
	await c.query('create table t (id int primary key auto_increment, name varchar(20), n double)');
	await c.batch('insert into t (name, n) values (?, ?)', [['a', 1.5], ['b', null], ['c', -2]]);
	await Promise.all([c.query('select 1'), c.query('select * from nowhere').catch(() => {}), c.execute('select name from t where id = ?', [2]), c.query('select 2')]);
	for (let i = 1; i < 4; i++)
		await c.execute('select id, name, n from t where id = ?', [i]);
	await c.execute('selec ?', [1]).catch(() => {});
	await c.execute('insert into t (name) values (?)', ['d']);
	await c.query('select 1; select 2; select 3');
	await c.beginTransaction();
	await c.query('update t set n = 0');
	await c.rollback();
	const p = await c.prepare('select ? + 1, ?');
	await p.execute([1, 'x']);
	await p.execute([null, 'y']);
	p.close();
	await c.reset();
	await c.ping();
	await c.query('create procedure p() begin select 1; select 2; end');
	await c.execute('call p()');
	await c.query('drop procedure p');
	await c.query('drop table t');
	await c.end();
})();
