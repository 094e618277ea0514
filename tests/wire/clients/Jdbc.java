// SPDX-License-Identifier: Apache-2.0
// pgjdbc: SET by the extended protocol, server-side statements after five uses, batches, fetch size, COPY, an error, many types in binary.
import java.io.StringReader;
import java.sql.*;

class Jdbc {
	public static void main(String[] args) throws Exception {
		String url = "jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/app?user=app&sslmode=disable";
		try (Connection c = DriverManager.getConnection(url)) {
			Statement s = c.createStatement();
			s.execute("create temp table t (id int primary key, name text, at timestamptz, n numeric, d float8)");
			try (PreparedStatement p = c.prepareStatement("insert into t values (?, ?, ?, ?, ?)")) {
				for (int i = 1; i <= 3; i++) {
					p.setInt(1, i);
					p.setString(2, "name " + i);
					p.setTimestamp(3, new Timestamp(1700000000000L));
					p.setBigDecimal(4, new java.math.BigDecimal("12.50"));
					p.setDouble(5, 0.1);
					p.addBatch();
				}
				p.executeBatch();
			}
			try (PreparedStatement p = c.prepareStatement("select id, name, at, n, d from t where id = ?")) {
				for (int i = 1; i <= 7; i++) {
					p.setInt(1, i % 4);
					try (ResultSet r = p.executeQuery()) {
						while (r.next())
							r.getDouble(5);
					}
				}
			}
			c.setAutoCommit(false);
			try (PreparedStatement p = c.prepareStatement("select id from t order by id")) {
				p.setFetchSize(2);
				try (ResultSet r = p.executeQuery()) {
					while (r.next())
						r.getInt(1);
				}
				try (ResultSet r = p.executeQuery()) {
					r.next();
				}
			}
			c.commit();
			try {
				s.execute("select 1/0");
			} catch (SQLException expected) {
				c.rollback();
			}
			c.setAutoCommit(true);
			s.execute("select 1; select 2");
			((org.postgresql.PGConnection) c).getCopyAPI().copyIn("copy t (id) from stdin", new StringReader("10\n11\n"));
			try (Statement slow = c.createStatement()) {
				slow.setQueryTimeout(1);
				slow.execute("select pg_sleep(3)");
			} catch (SQLException expected) {
			}
		}
	}
}
