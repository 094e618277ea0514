// SPDX-License-Identifier: Apache-2.0
// Hibernate's own interface, which Debian 12 has no release of (its Hibernate is 3.6): as much of it as the snippet implements.
package org.hibernate.resource.jdbc.spi;

public interface StatementInspector extends java.io.Serializable {
    String inspect(String sql);
}
