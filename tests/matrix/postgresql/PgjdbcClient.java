// SPDX-License-Identifier: Apache-2.0
// pgjdbc: prepared on the server after five uses, batches, portals by fetch size, CopyManager, savepoints, cancel, both query modes.
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.sql.BatchUpdateException;
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
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;

class PgjdbcClient {
	static Connection connection;

	interface Work {
		void run() throws Exception;
	}

	static Connection connect(String options) throws SQLException {
		String url = "jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/" + System.getenv("PGDATABASE") + options;
		return DriverManager.getConnection(url, System.getenv("PGUSER"), System.getenv("PGPASSWORD"));
	}

	static void section(String name) {
		System.out.println("== " + name);
	}

	static void attempt(Work work) throws Exception {
		try {
			work.run();
		} catch (SQLException error) {
			System.out.println(error.getSQLState() + " " + error.getMessage());
		}
	}

	static void show(ResultSet rows) throws Exception {
		int columns = rows.getMetaData().getColumnCount();
		while (rows.next()) {
			StringBuilder line = new StringBuilder();
			for (int i = 1; i <= columns; i++) {
				boolean bytes = rows.getMetaData().getColumnType(i) == Types.BINARY && rows.getBytes(i) != null;
				line.append(bytes ? md5(rows.getBytes(i)) : rows.getString(i)).append(" | ");
			}
			System.out.println(line);
		}
		rows.close();
	}

	static void ask(String sql) throws Exception {
		attempt(() -> {
			try (Statement statement = connection.createStatement()) {
				boolean rows = statement.execute(sql);
				while (rows || statement.getUpdateCount() != -1) {
					if (rows) {
						show(statement.getResultSet());
					} else {
						System.out.println(statement.getUpdateCount());
					}
					rows = statement.getMoreResults();
				}
				if (statement.getWarnings() != null) {
					System.out.println(statement.getWarnings().getMessage());
				}
			}
		});
	}

	static String md5(byte[] bytes) throws Exception {
		return new BigInteger(1, MessageDigest.getInstance("MD5").digest(bytes)).toString(16);
	}

	static void types() throws Exception {
		section("types");
		try (PreparedStatement all = connection.prepareStatement("SELECT * FROM types WHERE id <> ? ORDER BY id")) {
			for (int i = 0; i < 7; i++) {   // binary from the sixth on
				all.setInt(1, i < 5 ? 2 : 0);
				show(all.executeQuery());
			}
		}
		try (PreparedStatement bind = connection.prepareStatement("INSERT INTO bound VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *")) {
			bind.setInt(1, 1);
			bind.setLong(2, 8000000000L);
			bind.setDouble(3, 2.25);
			bind.setBigDecimal(4, new BigDecimal("12.5"));
			bind.setString(5, "Grüße");
			bind.setBytes(6, new byte[] { 0, (byte)255 });
			bind.setBoolean(7, true);
			bind.setTimestamp(8, Timestamp.valueOf("2024-02-29 13:14:15"));
			bind.setNull(9, Types.VARCHAR);
			show(bind.executeQuery());
		}
	}

	static void prepared() throws Exception {
		section("prepared");
		try (PreparedStatement one = connection.prepareStatement("SELECT t FROM numbers WHERE n = ?")) {
			for (int n = 1; n <= 10; n++) {
				one.setInt(1, n);
				show(one.executeQuery());
			}
			System.out.println(one.getMetaData().getColumnName(1) + " " + one.getParameterMetaData().getParameterTypeName(1));
		}
	}

	static void errors() throws Exception {
		section("errors");
		ask("SELEC 1");
		ask("SELECT 1 / 0");
		ask("SELECT 'before'; SELECT 1 / 0; SELECT 'skipped'");
		ask("SELECT 1; SELECT 2; INSERT INTO sink VALUES (5, 'five')");
		ask("SELECT say('hello')");
		try (PreparedStatement divide = connection.prepareStatement("SELECT 1 / ?::int")) {
			divide.setInt(1, 0);
			attempt(() -> show(divide.executeQuery()));
		}
	}

	static void transactions() throws Exception {
		section("transactions");
		connection.setAutoCommit(false);
		ask("INSERT INTO sink VALUES (1, 'kept')");
		Savepoint here = connection.setSavepoint("here");
		ask("INSERT INTO sink VALUES (1, 'refused')");
		ask("SELECT 'aborted'");
		connection.rollback(here);
		connection.releaseSavepoint(here);
		connection.commit();
		ask("DELETE FROM sink");
		connection.rollback();
		ask("SELECT * FROM sink ORDER BY id");
		connection.commit();
	}

	static void cursors() throws Exception {
		section("cursors");
		try (PreparedStatement some = connection.prepareStatement("SELECT n FROM numbers WHERE n > ? ORDER BY n")) {
			some.setFetchSize(100);
			for (int round = 0; round < 6; round++) {
				int sum = 0;
				some.setInt(1, round);
				try (ResultSet rows = some.executeQuery()) {
					while (rows.next()) {
						sum += rows.getInt(1);
					}
				}
				System.out.println(sum);
			}
			some.setMaxRows(3);
			show(some.executeQuery());
		}
		connection.commit();
		connection.setAutoCommit(true);
	}

	static void batch() throws Exception {
		section("batch");
		try (PreparedStatement insert = connection.prepareStatement("INSERT INTO sink VALUES (?, ?)")) {
			for (int n = 100; n < 400; n++) {
				insert.setInt(1, n);
				insert.setString(2, "batch " + n);
				insert.addBatch();
			}
			System.out.println(Arrays.stream(insert.executeBatch()).sum());
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
		ask("SELECT count(*) FROM sink");
	}

	static void copy() throws Exception {
		section("copy");
		CopyManager copies = connection.unwrap(PGConnection.class).getCopyAPI();
		StringBuilder lines = new StringBuilder();
		for (int n = 1000; n < 20000; n++) {
			lines.append(n).append("\tcopied\n");
		}
		System.out.println(copies.copyIn("COPY sink FROM STDIN", new ByteArrayInputStream(lines.toString().getBytes(StandardCharsets.UTF_8))));
		ByteArrayOutputStream out = new ByteArrayOutputStream();
		System.out.println(copies.copyOut("COPY (SELECT * FROM sink ORDER BY id) TO STDOUT", out));
		System.out.println(md5(out.toByteArray()));
		attempt(() -> copies.copyIn("COPY sink FROM STDIN", new ByteArrayInputStream("not\ta number\n".getBytes(StandardCharsets.UTF_8))));
	}

	static void cancel() throws Exception {
		section("cancel");
		try (Statement sleeper = connection.createStatement(); Connection observer = connect("?preferQueryMode=simple")) {
			Thread canceller = new Thread(() -> {
				try (Statement ask = observer.createStatement()) {
					boolean asleep = false;
					while (!asleep) {
						ResultSet rows = ask.executeQuery(
						    "SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'");
						asleep = rows.next();
						Thread.sleep(20);
					}
					sleeper.cancel();
				} catch (Exception error) {
					System.out.println(error);
				}
			});
			canceller.start();
			attempt(() -> sleeper.execute("SELECT pg_sleep(60)"));
			canceller.join();
		}
	}

	static void large() throws Exception {
		section("large");
		try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery("SELECT repeat('x', 33554432)")) {
			rows.next();
			System.out.println(md5(rows.getBytes(1)));
		}
		try (PreparedStatement length = connection.prepareStatement("SELECT length(?)")) {
			length.setString(1, "y".repeat(32 << 20));
			show(length.executeQuery());
		}
	}

	public static void main(String[] args) throws Exception {
		connection = connect("");
		types();
		prepared();
		errors();
		transactions();
		cursors();
		batch();
		copy();
		cancel();
		large();
		connection.close();
		section("simple mode");
		connection = connect("?preferQueryMode=simple");
		ask("SELECT 1; SELECT 'two'");
		prepared();
		connection.close();
	}
}
