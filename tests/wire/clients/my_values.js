// Every common type, as text and as binary values: both must print the same.
const mariadb = require('mariadb');
const types = [
	'i8 tinyint', 'u8 tinyint unsigned', 'i16 smallint', 'u16 smallint unsigned', 'i24 mediumint', 'u24 mediumint unsigned', 'i32 int', 'u32 int unsigned',
	'i64 bigint', 'u64 bigint unsigned', 'f float', 'd double', 'n decimal(20,5)', 'y year', 'da date', 'dt datetime', 'dt6 datetime(6)', 'ts timestamp null',
	'ti time', 'ti6 time(6)', 'b bit(12)', 'c char(5)', 'v varchar(20)', 'bl blob', 'j json', 'e enum("x","y")', 's set("p","q")', 'u uuid'];
const rows = [
	[-128, 255, -32768, 65535, -8388608, 16777215, -2147483648, 4294967295, '-9223372036854775808', '18446744073709551615', 0.1, 0.1, '12.5', 2024, '2024-02-29',
		'2024-02-29 01:02:03', '2024-02-29 01:02:03.000004', '2024-02-29 01:02:03', '-01:02:03', '-838:59:58.999999', 0xabc, 'ab', 'text', Buffer.from([0, 255]), '{"a":1}', 'x', 'p,q',
		'123e4567-e89b-12d3-a456-426614174000'],
	[127, 0, 0, 0, 0, 0, 2147483647, 0, '9223372036854775807', 0, 3.4e38, 1.7976931348623157e308, '-0.00001', 1901, '0000-00-00', '0000-00-00 00:00:00', '2024-02-29 00:00:00',
		null, '00:00:00', '100:00:00.5', 0, '', '', Buffer.alloc(0), '[]', 'y', '', null],
	[0, 1, 1, 1, 1, 1, 0, 1, 0, 1, 123456.7, 1e15, '0', 0, '1000-01-01', '1000-01-01 00:00:00', '9999-12-31 23:59:59.999999', '1970-01-02 00:00:00', '838:59:59', '00:00:00.000001',
		4095, null, null, null, null, null, null, null]];
const reals = ['1e14', '1e15', '1e16', '123456789012345680', '0.1', '0.0001', '0.00001', '1e-14', '1e-15', '1e-16', '-1.5e-7', '1/3e0', '100', '1.0000000000000002', '5e-324', '-0e0', '1e22', '1e100'];
(async () => {
	const c = await mariadb.createConnection({ host: process.env.MYSQL_HOST, port: Number(process.env.MYSQL_TCP_PORT), user: 'app', password: 'app', database: 'd' });
	await c.query("set sql_mode = ''");
	await c.query(`create or replace table v (k int, ${types.map(t => t.replace(/"/g, "'")).join(', ')})`);
	for (let i = 0; i < rows.length; i++)
		await c.query(`insert into v values (${[i, ...rows[i]].map(() => '?').join(', ')})`, [i, ...rows[i]]);
	for (let i = 0; i < rows.length; i++) {
		await c.query({ sql: 'select * from v where k = ?', rowsAsArray: true }, [i]);
		await c.execute({ sql: 'select * from v where k = ?', rowsAsArray: true }, [i]);
	}
	for (const r of [reals.join(', '), reals.map(x => `cast(${x} as float)`).join(', ')]) {
		await c.query(`select ${r}`);
		await c.execute(`select ${r}`);
	}
	await c.query('drop table v');
	await c.end();
})();
