// SPDX-License-Identifier: Apache-2.0
// A Spring MVC app on JDBC_DATABASE_URL whose SQL goes through conf/integrations/RowcallTags.java as Hibernate would send it, and which visits
// its own pages: GET /orders asks once per row, GET /orders/joined does not.
package shop;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.mock.web.MockHttpServletResponse;
import org.springframework.mock.web.MockServletConfig;
import org.springframework.stereotype.Controller;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.ResponseBody;
import org.springframework.web.context.support.StaticWebApplicationContext;
import org.springframework.web.servlet.DispatcherServlet;
import org.springframework.web.servlet.mvc.method.annotation.RequestMappingHandlerAdapter;
import org.springframework.web.servlet.mvc.method.annotation.RequestMappingHandlerMapping;

public class Shop {
    private static final RowcallTags TAGS = new RowcallTags();
    private static Connection connection;

    private static List<String[]> ask(String sql, int... parameters) throws SQLException {
        List<String[]> found = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(TAGS.inspect(sql))) {
            for (int i = 0; i < parameters.length; i++) {
                statement.setInt(i + 1, parameters[i]);
            }
            ResultSet rows = statement.executeQuery();
            while (rows.next()) {
                String[] row = new String[rows.getMetaData().getColumnCount()];
                for (int i = 0; i < row.length; i++) {
                    row[i] = rows.getString(i + 1);
                }
                found.add(row);
            }
        }
        return found;
    }

    @Controller
    public static class Pages {
        @RequestMapping("/orders")
        @ResponseBody
        public String orders() throws SQLException {
            StringBuilder page = new StringBuilder();
            for (String[] order : ask("SELECT id, customer_id FROM orders ORDER BY id")) {
                page.append(order[0]).append(' ').append(customer(Integer.parseInt(order[1]))).append('\n');
            }
            return page.toString();
        }

        @RequestMapping("/orders/joined")
        @ResponseBody
        public String joined() throws SQLException {
            StringBuilder page = new StringBuilder();
            for (String[] row : ask("SELECT o.id, c.name FROM orders o JOIN customers c ON c.id = o.customer_id ORDER BY o.id")) {
                page.append(row[0]).append(' ').append(row[1]).append('\n');
            }
            return page.toString();
        }

        @RequestMapping("/customers/{id}")
        @ResponseBody
        public String customer(@PathVariable("id") int id) throws SQLException {
            return ask("SELECT name FROM customers WHERE id = ?", id).get(0)[0];
        }
    }

    private static String visit(DispatcherServlet servlet, String page) throws Exception {
        MockHttpServletResponse answer = new MockHttpServletResponse();
        servlet.service(new MockHttpServletRequest("GET", page), answer);
        if (answer.getStatus() != 200) {
            throw new IllegalStateException(page + " answered " + answer.getStatus());
        }
        return answer.getContentAsString();
    }

    public static void main(String[] arguments) throws Exception {
        StaticWebApplicationContext context = new StaticWebApplicationContext();
        for (Class<?> bean : new Class<?>[] {Pages.class, RequestMappingHandlerMapping.class, RequestMappingHandlerAdapter.class}) {
            context.registerSingleton(bean.getSimpleName(), bean);
        }
        DispatcherServlet servlet = new DispatcherServlet(context);
        servlet.init(new MockServletConfig());
        connection = DriverManager.getConnection(System.getenv("JDBC_DATABASE_URL"));
        ask("SELECT count(*) FROM orders");
        String loop = visit(servlet, "/orders");
        if (!loop.equals(visit(servlet, "/orders/joined")) || !loop.equals(visit(servlet, "/orders/joined"))) {
            throw new IllegalStateException("the pages differ");
        }
        System.out.println(loop.split("\n").length + " orders, " + visit(servlet, "/customers/3"));
        connection.close();
    }
}
