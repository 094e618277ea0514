// SPDX-License-Identifier: Apache-2.0

// Go's lib/pq: simple and prepared statements, one round trip for parameters (binary_parameters), COPY, LISTEN, cancel by context.
package main

import (
	"context"
	"crypto/md5"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/lib/pq"
)

func section(name string) { fmt.Println("==", name) }

func check(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// What both a connection and a transaction can do.
type asker interface {
	QueryContext(context.Context, string, ...interface{}) (*sql.Rows, error)
}

func show(rows *sql.Rows, err error) {
	if err != nil {
		if e, ok := err.(*pq.Error); ok {
			fmt.Println(e.Code, e.Message)
		} else {
			fmt.Println(err)
		}
		return
	}
	defer rows.Close()
	for {
		columns, _ := rows.Columns()
		for rows.Next() {
			values := make([]interface{}, len(columns))
			into := make([]interface{}, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			check(rows.Scan(into...))
			for i, v := range values {
				if b, ok := v.([]byte); ok {
					values[i] = string(b)
				}
			}
			line, err := json.Marshal(values)
			check(err)
			fmt.Println(string(line))
		}
		if !rows.NextResultSet() {
			break
		}
	}
	if rows.Err() != nil {
		fmt.Println(rows.Err())
	}
}

func ask(db asker, query string, values ...interface{}) {
	show(db.QueryContext(context.Background(), query, values...))
}

func types(db *sql.Conn) {
	section("types")
	ask(db, "SELECT * FROM types WHERE id <> 2 ORDER BY id")
	ask(db, "SELECT * FROM types WHERE id <> $1 ORDER BY id", 2)
	ask(db, "INSERT INTO bound VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING *", 1, int64(8000000000), 2.25, "12.5", "Grüße",
		[]byte{0, 255}, true, time.Date(2024, 2, 29, 13, 14, 15, 0, time.UTC), nil)
	ask(db, "SELECT n FROM numbers WHERE n = ANY($1)", pq.Array([]int{1, 2, 3}))
}

func prepared(db *sql.Conn) {
	section("prepared")
	one, err := db.PrepareContext(context.Background(), "SELECT t FROM numbers WHERE n = $1")
	check(err)
	for n := 1; n <= 5; n++ {
		show(one.Query(n))
	}
	check(one.Close())
}

func errors(db *sql.Conn) {
	section("errors")
	ask(db, "SELEC 1")
	ask(db, "SELECT 1 / $1::int", 0)
	ask(db, "SELECT 1; SELECT 1 / 0; SELECT 2 AS never")
	ask(db, "SELECT 1; SELECT 'two'")
	ask(db, "SELECT $1::int", "no number")
}

func transactions(db *sql.Conn) {
	section("transactions")
	tx, err := db.BeginTx(context.Background(), &sql.TxOptions{Isolation: sql.LevelSerializable})
	check(err)
	ask(tx, "INSERT INTO sink VALUES (1, 'kept')")
	ask(tx, "SAVEPOINT here")
	ask(tx, "INSERT INTO sink VALUES ($1, 'refused')", 1)
	ask(tx, "SELECT 'aborted'")
	ask(tx, "ROLLBACK TO here")
	check(tx.Commit())
	tx, err = db.BeginTx(context.Background(), nil)
	check(err)
	ask(tx, "DELETE FROM sink")
	check(tx.Rollback())
	ask(db, "SELECT * FROM sink")
}

func copying(db *sql.Conn) {
	section("copy")
	tx, err := db.BeginTx(context.Background(), nil)
	check(err)
	in, err := tx.Prepare(pq.CopyIn("sink", "id", "note"))
	check(err)
	for n := 1000; n < 20000; n++ {
		_, err = in.Exec(n, "copied")
		check(err)
	}
	done, err := in.Exec()
	check(err)
	rows, _ := done.RowsAffected()
	fmt.Println(rows)
	check(in.Close())
	check(tx.Commit())
	ask(db, "SELECT count(*) FROM sink")
}

func cancel(db *sql.Conn) {
	section("cancel")
	ctx, stop := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer stop()
	show(db.QueryContext(ctx, "SELECT pg_sleep(60)"))
}

func large(db *sql.Conn) {
	section("large")
	var x []byte
	check(db.QueryRowContext(context.Background(), "SELECT repeat('x', 33554432)").Scan(&x))
	fmt.Printf("%x\n", md5.Sum(x))
	ask(db, "SELECT length($1)", strings.Repeat("y", 32<<20))
}

func notifications() {
	section("notifications")
	listener := pq.NewListener("sslmode=disable", time.Second, time.Minute, nil)
	check(listener.Listen("news"))
	db, err := sql.Open("postgres", "sslmode=disable")
	check(err)
	_, err = db.Exec("NOTIFY news, 'hello'")
	check(err)
	note := <-listener.Notify
	fmt.Println(note.Channel, note.Extra)
	check(listener.Close())
	check(db.Close())
}

func main() {
	for _, options := range []string{"sslmode=disable", "sslmode=disable binary_parameters=yes"} {
		fmt.Println(options)
		pool, err := sql.Open("postgres", options)
		check(err)
		db, err := pool.Conn(context.Background())
		check(err)
		if strings.Contains(options, "binary") {
			types(db)
			prepared(db)
		} else {
			for _, part := range []func(*sql.Conn){types, prepared, errors, transactions, copying, large, cancel} {
				part(db)
			}
		}
		db.Close()
		pool.Close() // an error after a cancel, which closes the connection
	}
	notifications()
}
