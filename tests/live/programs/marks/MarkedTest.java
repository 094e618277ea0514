// SPDX-License-Identifier: Apache-2.0
// What a project's tests look like to conf/integrations/RowcallMarks.java: one that asks once per row, one that does not; @BeforeEach asks too.
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RowcallMarks.class)
class MarkedTest {
    private Connection connection;

    @BeforeEach
    void connect() throws Exception {
        connection = DriverManager.getConnection(System.getenv("JDBC_DATABASE_URL"));
        ask("SELECT count(*) FROM orders");
    }

    @AfterEach
    void close() throws Exception {
        connection.close();
    }

    @Test
    void loop() throws Exception {
        for (int customer : ask("SELECT customer_id FROM orders ORDER BY id")) {
            try (PreparedStatement one = connection.prepareStatement("SELECT name FROM customers WHERE id = ?")) {
                one.setInt(1, customer);
                one.executeQuery().next();
            }
        }
    }

    @Test
    void join() throws Exception {
        ask("SELECT o.id, c.name FROM orders o JOIN customers c ON c.id = o.customer_id");
    }

    private List<Integer> ask(String sql) throws Exception {
        List<Integer> first = new ArrayList<>();
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                first.add(rows.getInt(1));
            }
        }
        return first;
    }
}
