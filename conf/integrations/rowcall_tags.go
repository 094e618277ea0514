// SPDX-License-Identifier: Apache-2.0

// Package rowcalltags names the request behind every query of database/sql, in a comment that databases ignore.
// Copy this file into your module as rowcalltags/tags.go, then open the database and serve through it:
//
//	db, err := rowcalltags.Open("postgres", dsn)          // as sql.Open; gorm: postgres.New(postgres.Config{Conn: db})
//	http.ListenAndServe(address, rowcalltags.Requests(mux))
//	rows, err := db.QueryContext(r.Context(), …)           // the context carries the tags
//
// Other routers: r = r.WithContext(rowcalltags.With(r.Context(), "GET /orders/{id}", "")) in a middleware; jobs: the same with their name.
// A query then ends in /*caller='orders%2Flist.go%3A12',route='GET%20%2Forders',rowcall_request='6f1c…'*/: route is the scope that reports and
// budgets name, rowcall_request tells one request from the next (an X-Request-Id header is kept), caller is the module's line nearest to
// the query, looked up only under rowcall run. Without such a context nothing is added; the app runs the same without rowcall.
package rowcalltags

import (
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

type key struct{}

type tags struct{ route, request string }

// With names what runs under the context; an empty request gets an id of its own.
func With(ctx context.Context, route, request string) context.Context {
	if request == "" {
		id := make([]byte, 8)
		rand.Read(id)
		request = hex.EncodeToString(id)
	}
	return context.WithValue(ctx, key{}, tags{route, request})
}

// Requests names each request by its method and the mux's pattern.
func Requests(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, route := mux.Handler(r)
		if !strings.Contains(route, " ") { // a pattern may begin with the method
			route = r.Method + " " + route
		}
		mux.ServeHTTP(w, r.WithContext(With(r.Context(), route, r.Header.Get("X-Request-Id"))))
	})
}

func tagged(ctx context.Context, query string) string {
	now, ok := ctx.Value(key{}).(tags)
	if !ok {
		return query
	}
	comment := fmt.Sprintf("route='%s',rowcall_request='%s'", encode(now.route), encode(now.request))
	if at := caller(); at != "" {
		comment = fmt.Sprintf("caller='%s',%s", encode(at), comment)
	}
	return query + " /*" + comment + "*/"
}

func encode(value string) string {
	return strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
}

var home = module()

// module is the directory with go.mod or .git at or above the working one, that one else; empty outside of rowcall run.
func module() string {
	here, err := os.Getwd()
	if err != nil || os.Getenv("ROWCALL_URL") == "" {
		return ""
	}
	for up := here; ; up = filepath.Dir(up) {
		for _, mark := range []string{"go.mod", ".git"} {
			if _, err := os.Stat(filepath.Join(up, mark)); err == nil {
				return up
			}
		}
		if up == filepath.Dir(up) {
			return here
		}
	}
}

func caller() string {
	if home == "" {
		return ""
	}
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for more := true; more; {
		var frame runtime.Frame
		frame, more = frames.Next()
		inside := strings.HasPrefix(frame.File, home+"/") && !strings.Contains(frame.File, "/vendor/")
		if inside && !strings.Contains(frame.Function, "rowcalltags.") {
			return fmt.Sprintf("%s:%d", strings.TrimPrefix(frame.File, home+"/"), frame.Line)
		}
	}
	return ""
}

// Open is sql.Open with tags.
func Open(name, dsn string) (*sql.DB, error) {
	plain, err := sql.Open(name, dsn) // connects nowhere yet
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	of := plain.Driver()
	if with, ok := of.(driver.DriverContext); ok {
		inner, err := with.OpenConnector(dsn)
		if err != nil {
			return nil, err
		}
		return sql.OpenDB(connector{of, inner.Connect}), nil
	}
	return sql.OpenDB(connector{of, func(context.Context) (driver.Conn, error) { return of.Open(dsn) }}), nil
}

type connector struct {
	driver  driver.Driver
	connect func(context.Context) (driver.Conn, error)
}

func (c connector) Driver() driver.Driver { return c.driver }

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	inner, err := c.connect(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{inner}, nil
}

// conn tags what carries SQL and hands on whatever else the driver's connection can do.
type conn struct{ driver.Conn }

func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if inner, ok := c.Conn.(driver.QueryerContext); ok {
		return inner.QueryContext(ctx, tagged(ctx, query), args)
	}
	return nil, driver.ErrSkip
}

func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if inner, ok := c.Conn.(driver.ExecerContext); ok {
		return inner.ExecContext(ctx, tagged(ctx, query), args)
	}
	return nil, driver.ErrSkip
}

func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if inner, ok := c.Conn.(driver.ConnPrepareContext); ok {
		return inner.PrepareContext(ctx, tagged(ctx, query))
	}
	return c.Conn.Prepare(tagged(ctx, query))
}

func (c *conn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	if inner, ok := c.Conn.(driver.ConnBeginTx); ok {
		return inner.BeginTx(ctx, options)
	}
	return c.Conn.Begin()
}

func (c *conn) Ping(ctx context.Context) error {
	if inner, ok := c.Conn.(driver.Pinger); ok {
		return inner.Ping(ctx)
	}
	return nil
}

func (c *conn) ResetSession(ctx context.Context) error {
	if inner, ok := c.Conn.(driver.SessionResetter); ok {
		return inner.ResetSession(ctx)
	}
	return nil
}

func (c *conn) IsValid() bool {
	inner, ok := c.Conn.(driver.Validator)
	return !ok || inner.IsValid()
}

func (c *conn) CheckNamedValue(value *driver.NamedValue) error {
	if inner, ok := c.Conn.(driver.NamedValueChecker); ok {
		return inner.CheckNamedValue(value)
	}
	return driver.ErrSkip
}
