// SPDX-License-Identifier: Apache-2.0
// MariaDB Connector/J: emulated and server-side statements, batches, fetch size, several results, LOAD DATA LOCAL, timeouts, savepoints.
import java.io.ByteArrayInputStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.sql.BatchUpdateException;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.sql.Timestamp;
import java.sql.Types;
import java.util.Arrays;
import org.mariadb.jdbc.MariaDbStatement;

class ConnectorJClient {
	static Connection connection;

	interface Work {
		void run() throws Exception;
	}

	static Connection connect(String options) throws SQLException {
		String url = "jdbc:mariadb://" + System.getenv("MYSQL_HOST") + ":" + System.getenv("MYSQL_TCP_PORT") + "/" + System.getenv("MYSQL_DATABASE");
		return DriverManager.getConnection(url + "?allowMultiQueries=true&allowLocalInfile=true&includeThreadDumpInDeadlockExceptions=false&" + options,
		    System.getenv("MYSQL_USER"), System.getenv("MYSQL_PWD"));
	}

	static void section(String name) {
		System.out.println("== " + name);
	}

	static void attempt(Work work) throws Exception {
		try {
			work.run();
		} catch (SQLException error) {
			// The message begins with the id of the session.
			System.out.println(error.getSQLState() + " " + error.getErrorCode() + " " + String.valueOf(error.getMessage()).replaceAll("conn=\\d+", "conn"));
		}
	}

	static void show(ResultSet rows) throws Exception {
		int columns = rows.getMetaData().getColumnCount();
		while (rows.next()) {
			StringBuilder line = new StringBuilder();
			for (int i = 1; i <= columns; i++) {
				line.append(rows.getString(i)).append(" | ");
			}
			System.out.println(line);
		}
		rows.close();
	}

	static void results(Statement statement, boolean rows) throws Exception {
		while (rows || statement.getUpdateCount() != -1) {
			if (rows) {
				show(statement.getResultSet());
			} else {
				System.out.println(statement.getUpdateCount());
			}
			rows = statement.getMoreResults();
		}
	}

	static void ask(String sql) throws Exception {
		attempt(() -> {
			try (Statement statement = connection.createStatement()) {
				results(statement, statement.execute(sql));
			}
		});
	}

	static void types() throws Exception {
		section("types");
		ask("SELECT * FROM types ORDER BY id");
		try (PreparedStatement all = connection.prepareStatement("SELECT * FROM types WHERE id <> ? ORDER BY id")) {
			all.setInt(1, 9);
			show(all.executeQuery());
		}
		try (PreparedStatement bind = connection.prepareStatement("INSERT INTO bound VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")) {
			bind.setInt(1, 1);
			bind.setLong(2, 8000000000L);
			bind.setBigDecimal(3, new BigDecimal(new BigInteger("18446744073709551615")));
			bind.setDouble(4, 2.25);
			bind.setBigDecimal(5, new BigDecimal("12.5"));
			bind.setString(6, "Grüße '\\");
			bind.setBytes(7, new byte[] { 0, (byte)255 });
			bind.setTimestamp(8, Timestamp.valueOf("2024-02-29 13:14:15.161718"));
			bind.setNull(9, Types.VARCHAR);
			System.out.println(bind.executeUpdate());
		}
		ask("SELECT i, l, u, f, d, t, HEX(y), at, missing FROM bound");
	}

	static void prepared() throws Exception {
		section("prepared");
		try (PreparedStatement one = connection.prepareStatement("SELECT t FROM numbers WHERE n = ?")) {
			for (int n = 1; n <= 5; n++) {
				one.setInt(1, n);
				show(one.executeQuery());
			}
		}
		try (CallableStatement call = connection.prepareCall("{call several(?)}")) {
			call.setInt(1, 2);
			results(call, call.execute());
		}
	}

	static void errors() throws Exception {
		section("errors");
		ask("SELEC 1");
		ask("SELECT 1; SELECT nothing; SELECT 2 AS never");
		ask("SELECT 1; SELECT 2");
		attempt(() -> {
			try (PreparedStatement wrong = connection.prepareStatement("SELEC ?")) {
				wrong.setInt(1, 1);
				wrong.executeQuery();
			}
		});
		attempt(() -> {
			try (PreparedStatement wrong = connection.prepareStatement("INSERT INTO sink VALUES (?, 'one'), (1, 'again')")) {
				wrong.setInt(1, 1);
				wrong.executeUpdate();
			}
		});
		ask("CALL fails()");
	}

	static void transactions() throws Exception {
		section("transactions");
		connection.setAutoCommit(false);
		ask("INSERT INTO sink VALUES (1, 'kept')");
		Savepoint here = connection.setSavepoint("here");
		ask("INSERT INTO sink VALUES (1, 'refused')");
		connection.rollback(here);
		connection.releaseSavepoint(here);
		connection.commit();
		ask("DELETE FROM sink");
		connection.rollback();
		connection.setAutoCommit(true);
		ask("SELECT * FROM sink");
	}

	static void cursors() throws Exception {
		section("cursors");
		try (PreparedStatement all = connection.prepareStatement("SELECT n FROM numbers WHERE n > ? ORDER BY n")) {
			all.setFetchSize(100);
			all.setInt(1, 10);
			int sum = 0;
			try (ResultSet rows = all.executeQuery()) {
				while (rows.next()) {
					sum += rows.getInt(1);
				}
			}
			System.out.println(sum);
		}
	}

	static void batch() throws Exception {
		section("batch");
		try (PreparedStatement insert = connection.prepareStatement("INSERT INTO sink VALUES (?, ?)")) {
			for (int n = 100; n < 400; n++) {
				insert.setInt(1, n);
				insert.setString(2, "batch");
				insert.addBatch();
			}
			System.out.println(insert.executeBatch().length);
			for (int n : new int[] { 500, 100, 501 }) {
				insert.setInt(1, n);
				insert.setString(2, "fails in the middle");
				insert.addBatch();
			}
			try {
				insert.executeBatch();
			} catch (BatchUpdateException error) {
				System.out.println(error.getSQLState() + " " + Arrays.toString(error.getUpdateCounts()));
			}
		}
		try (Statement several = connection.createStatement()) {
			several.addBatch("INSERT INTO counted (note) VALUES ('a')");
			several.addBatch("UPDATE counted SET note = 'b'");
			System.out.println(Arrays.toString(several.executeBatch()));
		}
		ask("SELECT COUNT(*) FROM sink");
	}

	static void load() throws Exception {
		section("load");
		StringBuilder lines = new StringBuilder();
		for (int n = 1000; n < 40000; n++) {
			lines.append(n).append("\tloaded\n");
		}
		try (Statement statement = connection.createStatement()) {
			((MariaDbStatement)statement.unwrap(MariaDbStatement.class))
			    .setLocalInfileInputStream(new ByteArrayInputStream(lines.toString().getBytes(StandardCharsets.UTF_8)));
			System.out.println(statement.executeUpdate("LOAD DATA LOCAL INFILE 'rows' INTO TABLE sink"));
		}
	}

	static void kill() throws Exception {
		section("kill");
		attempt(() -> {
			try (Statement sleeper = connection.createStatement()) {
				sleeper.setQueryTimeout(1);
				show(sleeper.executeQuery("SELECT SLEEP(60)"));
			}
		});
		System.out.println(connection.isValid(5));
	}

	static void large() throws Exception {
		section("large");
		try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery("SELECT REPEAT('x', 33554432)")) {
			rows.next();
			System.out.println(new BigInteger(1, MessageDigest.getInstance("MD5").digest(rows.getBytes(1))).toString(16));
		}
		try (PreparedStatement length = connection.prepareStatement("SELECT LENGTH(?)")) {
			length.setString(1, "y".repeat(32 << 20));
			show(length.executeQuery());
		}
	}

	public static void main(String[] args) throws Exception {
		for (String options : new String[] { "", "useServerPrepStmts=true", "rewriteBatchedStatements=true", "useServerPrepStmts=true&useBulkStmts=false" }) {
			section("options " + options);
			connection = connect(options);
			try (Statement clear = connection.createStatement()) {
				clear.execute("DELETE FROM sink; DELETE FROM counted; DELETE FROM bound");
			}
			types();
			prepared();
			errors();
			transactions();
			cursors();
			batch();
			if (options.isEmpty()) {
				load();
				kill();
			}
			if (options.length() < 25) {
				large();
			}
			connection.close();
		}
	}
}
