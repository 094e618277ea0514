// SPDX-License-Identifier: Apache-2.0

// Package marked is what a project's tests look like to conf/integrations/rowcall_marks.go: one that asks once per row, one that does not.
package marked

import (
	"database/sql"
	"os"
	"testing"

	_ "github.com/lib/pq"

	"marked/rowcallmarks"
)

func connect(t *testing.T) *sql.DB {
	rowcallmarks.Mark(t)
	db, err := sql.Open("postgres", os.Getenv("DATABASE_URL"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	ask(t, db, "SELECT count(*) FROM orders")
	return db
}

func ask(t *testing.T, db *sql.DB, query string, arguments ...any) (first []int) {
	rows, err := db.Query(query, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var value int
		if err := rows.Scan(&value); err != nil {
			t.Fatal(err)
		}
		first = append(first, value)
	}
	return first
}

func TestLoop(t *testing.T) {
	db := connect(t)
	for _, customer := range ask(t, db, "SELECT customer_id FROM orders ORDER BY id") {
		ask(t, db, "SELECT length(name) FROM customers WHERE id = $1", customer)
	}
}

func TestJoin(t *testing.T) {
	ask(t, connect(t), "SELECT length(c.name) FROM orders o JOIN customers c ON c.id = o.customer_id")
}
