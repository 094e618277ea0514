<?php
// SPDX-License-Identifier: Apache-2.0
// What a project's tests look like to conf/integrations/RowcallMarks.php: one that asks once per row, one that does not; setUp asks too.
require_once __DIR__ . '/RowcallMarks.php';

final class MarkedTest extends \PHPUnit\Framework\TestCase
{
    use RowcallMarks;

    private PDO $connection;

    protected function setUp(): void
    {
        $url = parse_url(getenv('DATABASE_URL'));
        $this->connection = new PDO("pgsql:host={$url['host']};port={$url['port']};dbname=" . trim($url['path'], '/'), $url['user'], $url['pass']);
        $this->connection->query('SELECT count(*) FROM orders');
    }

    public function testLoop(): void
    {
        $one = $this->connection->prepare('SELECT name FROM customers WHERE id = ?');
        foreach ($this->connection->query('SELECT customer_id FROM orders ORDER BY id')->fetchAll(PDO::FETCH_COLUMN) as $customer) {
            $this->assertTrue($one->execute([$customer]));
        }
    }

    public function testJoin(): void
    {
        $this->assertCount(12, $this->connection->query('SELECT c.name FROM orders o JOIN customers c ON c.id = o.customer_id')->fetchAll());
    }
}
