// SPDX-License-Identifier: Apache-2.0

// Go's MySQL driver: server-side statements, interpolated parameters, several results, LOAD DATA LOCAL from a reader, cancel by context.
package main

import (
	"context"
	"crypto/md5"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
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
		fmt.Println(err)
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
	ask(db, "SELECT * FROM types ORDER BY id")
	ask(db, "SELECT * FROM types WHERE id <> ? ORDER BY id", 9)
	ask(db, "INSERT INTO bound VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", 1, int64(8000000000), "18446744073709551615", 2.25, "12.5", "Grüße '\\",
		[]byte{0, 255}, time.Date(2024, 2, 29, 13, 14, 15, 161718000, time.UTC), nil)
	ask(db, "SELECT * FROM bound")
}

func prepared(db *sql.Conn) {
	section("prepared")
	one, err := db.PrepareContext(context.Background(), "SELECT t FROM numbers WHERE n = ?")
	check(err)
	for n := 1; n <= 5; n++ {
		show(one.Query(n))
	}
	check(one.Close())
	ask(db, "CALL several(?)", 2)
}

// No error behind a first result: this driver then reads on for ever.
func errors(db *sql.Conn) {
	section("errors")
	ask(db, "SELEC 1")
	ask(db, "SELEC ?", 1)
	ask(db, "SELECT 1; SELECT 'two'")
	ask(db, "INSERT INTO sink VALUES (?, 'one'), (1, 'again')", 1)
}

func transactions(db *sql.Conn) {
	section("transactions")
	tx, err := db.BeginTx(context.Background(), &sql.TxOptions{Isolation: sql.LevelSerializable})
	check(err)
	ask(tx, "INSERT INTO sink VALUES (1, 'kept')")
	ask(tx, "SAVEPOINT here")
	ask(tx, "INSERT INTO sink VALUES (?, 'refused')", 1)
	ask(tx, "ROLLBACK TO here")
	check(tx.Commit())
	tx, err = db.BeginTx(context.Background(), nil)
	check(err)
	ask(tx, "DELETE FROM sink")
	check(tx.Rollback())
	ask(db, "SELECT * FROM sink")
}

func load(db *sql.Conn) {
	section("load")
	mysql.RegisterReaderHandler("rows", func() io.Reader {
		var lines strings.Builder
		for n := 1000; n < 40000; n++ {
			fmt.Fprintf(&lines, "%d\tloaded\n", n)
		}
		return strings.NewReader(lines.String())
	})
	done, err := db.ExecContext(context.Background(), "LOAD DATA LOCAL INFILE 'Reader::rows' INTO TABLE sink")
	check(err)
	rows, _ := done.RowsAffected()
	fmt.Println(rows)
}

func large(db *sql.Conn) {
	section("large")
	var x []byte
	check(db.QueryRowContext(context.Background(), "SELECT REPEAT('x', 33554432)").Scan(&x))
	fmt.Printf("%x\n", md5.Sum(x))
	ask(db, "SELECT LENGTH(?)", strings.Repeat("y", 32<<20))
}

// Ends the connection: this driver closes it and leaves the query to the server.
func cancel(db *sql.Conn) {
	section("kill")
	ctx, stop := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer stop()
	show(db.QueryContext(ctx, "SELECT SLEEP(1)"))
}

func main() {
	e := os.Getenv
	source := fmt.Sprintf("%s:%s@tcp(%s:%s)/%s?multiStatements=true&maxAllowedPacket=67108864&charset=utf8mb4&allowCleartextPasswords=true", e("MYSQL_USER"),
		e("MYSQL_PWD"), e("MYSQL_HOST"), e("MYSQL_TCP_PORT"), e("MYSQL_DATABASE"))
	for _, options := range []string{"", "&interpolateParams=true&parseTime=true"} {
		section("options " + options)
		pool, err := sql.Open("mysql", source+options)
		check(err)
		db, err := pool.Conn(context.Background())
		check(err)
		ask(db, "DELETE FROM sink")
		types(db)
		prepared(db)
		errors(db)
		transactions(db)
		if options == "" {
			load(db)
			large(db)
			check(db.PingContext(context.Background()))
			cancel(db)
		}
		db.Close()
		pool.Close()
	}
}
