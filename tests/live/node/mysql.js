// SPDX-License-Identifier: Apache-2.0
// Two requests of a program on MySQL or MariaDB: plain text, text with parameters, and prepared on the server (binary).
// Argument: the driver, mysql2 or mariadb. TAGGED=1: each statement names its request.
'use strict';
const tagged = process.env.TAGGED === '1';
const tag = (request) => (tagged ? ` /*route='GET /${request}',rowcall_request='${request}-1'*/` : '');

async function connect(driver) {
  const url = new URL(process.env.DATABASE_URL);
  const options = { host: url.hostname, port: Number(url.port), user: url.username, password: url.password, database: url.pathname.slice(1) };
  const connection = await require(driver === 'mysql2' ? 'mysql2/promise' : 'mariadb').createConnection(options);
  return {
    rows: async (sql, values) => {
      const answer = await connection.query(sql, values);
      return driver === 'mysql2' ? answer[0] : answer;
    },
    prepared: (sql, values) => connection.execute(sql, values),
    end: () => connection.end(),
  };
}

async function main() {
  const database = await connect(process.argv[2]);
  let comment = tag('orders');
  for (const row of await database.rows(`SELECT id FROM things WHERE id <= 20 ORDER BY id${comment}`)) {
    await database.prepared(`SELECT name FROM things WHERE id = ?${comment}`, [row.id]);
  }
  comment = tag('rename');
  await database.rows('BEGIN');
  for (let id = 1; id <= 8; id++) {
    await database.rows(`UPDATE things SET name = CONCAT(name, ?) WHERE id = ?${comment}`, ['', id]);
  }
  await database.rows('COMMIT');
  await database.end();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
