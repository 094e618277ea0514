// SPDX-License-Identifier: Apache-2.0

// Command shop is a net/http app on DATABASE_URL, tagged by conf/integrations/rowcall_tags.go, that visits its own pages: GET /orders asks once
// per row, GET /orders/joined does not.
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/lib/pq"

	"shop/rowcalltags"
)

type order struct {
	id, customer int
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	kind, one := "postgres", "SELECT name FROM customers WHERE id = $1"
	if strings.Contains(os.Getenv("DATABASE_DSN"), "@tcp(") {
		kind, one = "mysql", "SELECT name FROM customers WHERE id = ?"
	}
	db, err := rowcalltags.Open(kind, os.Getenv("DATABASE_DSN"))
	check(err)
	name := func(ctx context.Context, id int) (name string) {
		check(db.QueryRowContext(ctx, one, id).Scan(&name))
		return name
	}

	mux := http.NewServeMux()
	mux.HandleFunc("/orders", func(w http.ResponseWriter, r *http.Request) {
		rows, err := db.QueryContext(r.Context(), "SELECT id, customer_id FROM orders ORDER BY id")
		check(err)
		var orders []order
		for rows.Next() {
			var o order
			check(rows.Scan(&o.id, &o.customer))
			orders = append(orders, o)
		}
		check(rows.Err())
		for _, o := range orders {
			fmt.Fprintln(w, o.id, name(r.Context(), o.customer))
		}
	})
	mux.HandleFunc("/orders/joined", func(w http.ResponseWriter, r *http.Request) {
		rows, err := db.QueryContext(r.Context(), "SELECT o.id, c.name FROM orders o JOIN customers c ON c.id = o.customer_id ORDER BY o.id")
		check(err)
		for rows.Next() {
			var id int
			var customer string
			check(rows.Scan(&id, &customer))
			fmt.Fprintln(w, id, customer)
		}
		check(rows.Err())
	})
	mux.HandleFunc("/customers/", func(w http.ResponseWriter, r *http.Request) {
		var id int
		_, err := fmt.Sscanf(r.URL.Path, "/customers/%d", &id)
		check(err)
		tx, err := db.BeginTx(r.Context(), nil)
		check(err)
		stmt, err := tx.PrepareContext(r.Context(), one)
		check(err)
		var customer string
		check(stmt.QueryRow(id).Scan(&customer))
		check(tx.Commit())
		fmt.Fprint(w, customer)
	})

	visit := func(page string) string {
		answer := httptest.NewRecorder()
		rowcalltags.Requests(mux).ServeHTTP(answer, httptest.NewRequest("GET", page, nil))
		return answer.Body.String()
	}
	loop := visit("/orders")
	if visit("/orders/joined") != loop || visit("/orders/joined") != loop {
		check(fmt.Errorf("the pages differ"))
	}
	fmt.Printf("%d orders, %s\n", strings.Count(loop, "\n"), visit("/customers/3"))
	check(db.Close())
}
