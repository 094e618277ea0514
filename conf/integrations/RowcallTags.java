// SPDX-License-Identifier: Apache-2.0
// Names the Spring MVC request (Spring 4.3 and later) behind every query of Hibernate (5 and later), in a comment that databases ignore.
// Copy this file into the package of your app, under its package line, then in application.properties:
//
//     spring.jpa.properties.hibernate.session_factory.statement_inspector=com.shop.RowcallTags
//
// A query then ends in /*caller='src%2Fmain%2Fjava%2F…java%3A12',framework='hibernate',route='GET%20%2Forders%2F%7Bid%7D',rowcall_request='6f1c…'*/:
// route is the scope that reports and budgets name, rowcall_request tells one request from the next (an X-Request-Id header is kept),
// caller is the nearest line of your package, looked up only under rowcall run. Outside of a request nothing is added; the app runs the
// same without rowcall. A comment that differs each time defeats caches keyed by the whole text (the driver's prepared statements):
// always fine for tests. Java 9 and later.
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.UUID;
import org.hibernate.resource.jdbc.spi.StatementInspector;
import org.springframework.web.context.request.RequestAttributes;
import org.springframework.web.context.request.RequestContextHolder;
import org.springframework.web.context.request.ServletRequestAttributes;
import org.springframework.web.servlet.HandlerMapping;

public class RowcallTags implements StatementInspector {
    private static final String KEY = "rowcall_request";

    @Override
    public String inspect(String sql) {
        RequestAttributes current = RequestContextHolder.getRequestAttributes();
        if (!(current instanceof ServletRequestAttributes)) {
            return sql;
        }
        ServletRequestAttributes now = (ServletRequestAttributes) current;
        Object pattern = now.getAttribute(HandlerMapping.BEST_MATCHING_PATTERN_ATTRIBUTE, RequestAttributes.SCOPE_REQUEST);
        Object id = now.getAttribute(KEY, RequestAttributes.SCOPE_REQUEST);
        if (id == null) {
            id = Optional.ofNullable(now.getRequest().getHeader("X-Request-Id")).orElseGet(() -> UUID.randomUUID().toString());
            now.setAttribute(KEY, id, RequestAttributes.SCOPE_REQUEST);
        }
        String caller = System.getenv("ROWCALL_URL") == null ? "" : caller().map(at -> tag("caller", at) + ",").orElse("");
        String route = pattern == null ? "" : tag("route", now.getRequest().getMethod() + " " + pattern) + ",";
        return sql + " /*" + caller + "framework='hibernate'," + route + tag(KEY, id.toString()) + "*/";
    }

    private static String tag(String key, String value) {
        return key + "='" + URLEncoder.encode(value, StandardCharsets.UTF_8).replace("+", "%20").replace("*", "%2A") + "'";
    }

    private static Optional<String> caller() {
        String home = RowcallTags.class.getPackageName();
        return StackWalker.getInstance().walk(frames -> frames
            .filter(frame -> frame.getClassName().startsWith(home) && !frame.getClassName().startsWith(RowcallTags.class.getName()))
            .filter(frame -> frame.getLineNumber() > 0 && frame.getFileName() != null).findFirst()
            .map(frame -> {
                String name = frame.getClassName();
                String folder = name.substring(0, name.lastIndexOf('.') + 1).replace('.', '/');
                String tree = frame.getFileName().endsWith(".kt") ? "src/main/kotlin/" : "src/main/java/";
                return tree + folder + frame.getFileName() + ":" + frame.getLineNumber();
            }));
    }
}
