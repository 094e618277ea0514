<?php
// SPDX-License-Identifier: Apache-2.0
// Tells rowcall which PHPUnit test runs, so that reports and budgets name it: {test: "Tests\Slow\*", max_queries: 400}.
// Copy this file into tests/ and use the trait in the class your tests extend (Laravel: tests/TestCase.php):
//
//     require_once __DIR__ . '/RowcallMarks.php';
//     abstract class TestCase extends \PHPUnit\Framework\TestCase { use \RowcallMarks; … }
//
// Under rowcall run each test is marked as Tests\OrdersTest::testList, its setUp and tearDown included. Elsewhere it does nothing.
// Not for ParaTest, whose tests overlap. PHPUnit 8 and later; needs no extension of PHP.

trait RowcallMarks
{
    /** @before */
    #[\PHPUnit\Framework\Attributes\Before]
    protected function rowcallMark(): void
    {
        rowcall_mark(static::class . '::' . (method_exists($this, 'name') ? $this->name() : $this->getName()));
    }

    /** @after */
    #[\PHPUnit\Framework\Attributes\After]
    protected function rowcallUnmark(): void
    {
        rowcall_mark('');
    }
}

function rowcall_mark(string $test): void
{
    static $url = null;
    $url = $url ?? getenv('ROWCALL_URL');   // set by rowcall run
    if (!$url) {
        return;
    }
    $post = ['method' => 'POST', 'header' => 'Content-Type: application/json', 'content' => json_encode(['test' => $test]),
        'timeout' => 2, 'ignore_errors' => true];
    if (@file_get_contents("$url/api/v1/marks", false, stream_context_create(['http' => $post])) === false) {
        fwrite(STDERR, 'rowcall takes no marks, going on without: ' . (error_get_last()['message'] ?? '') . "\n");
        $url = '';
    }
}
