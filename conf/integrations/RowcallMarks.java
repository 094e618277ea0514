// SPDX-License-Identifier: Apache-2.0
// Tells rowcall which JUnit 5 test runs, so that reports and budgets name it: {test: "com.shop.slow.*", max_queries: 400}.
// Copy this file into src/test/java, then either annotate test classes with @ExtendWith(RowcallMarks.class), or for all of them at once:
//
//     src/test/resources/META-INF/services/org.junit.jupiter.api.extension.Extension:   RowcallMarks
//     src/test/resources/junit-platform.properties:                                     junit.jupiter.extensions.autodetection.enabled=true
//
// Under rowcall run each test is marked as com.shop.OrdersTest::lists, its @BeforeEach and @AfterEach included. Elsewhere it does nothing.
// Not for parallel execution, in which tests overlap. Java 11 and later.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

public class RowcallMarks implements BeforeEachCallback, AfterEachCallback {
    private static String url = System.getenv("ROWCALL_URL"); // set by rowcall run
    private static final HttpClient HTTP = url == null ? null : HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();

    @Override
    public void beforeEach(ExtensionContext context) {
        String method = context.getRequiredTestMethod().getName();
        String shown = context.getDisplayName(); // lists(), [1] of a parameterized test, or a name of its own
        mark(context.getRequiredTestClass().getName() + "::" + method + (shown.startsWith(method) ? "" : " " + shown));
    }

    @Override
    public void afterEach(ExtensionContext context) {
        mark("");
    }

    private static synchronized void mark(String test) {
        if (url == null) {
            return;
        }
        String name = test.replaceAll("[\\p{Cntrl}]", " ").replace("\\", "\\\\").replace("\"", "\\\"");
        HttpRequest post = HttpRequest.newBuilder(URI.create(url + "/api/v1/marks")).timeout(Duration.ofSeconds(2))
            .header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString("{\"test\": \"" + name + "\"}")).build();
        try {
            HTTP.send(post, HttpResponse.BodyHandlers.discarding());
        } catch (java.io.IOException error) {
            System.err.println("rowcall takes no marks, going on without: " + error);
            url = null;
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }
}
