// SPDX-License-Identifier: Apache-2.0

// Package rowcallmarks tells rowcall which Go test runs, so that reports and budgets name it: {test: "orders.TestSlow*", max_queries: 400}.
// Copy this file into your module as rowcallmarks/marks.go, then first in each test, or in the helper that gives tests their database:
//
//	rowcallmarks.Mark(t)
//
// and rowcall run -- go test -p 1 -count 1 ./... (packages one after another, nothing cached). Under rowcall run the test is marked as
// orders.TestList until it ends. Elsewhere Mark does nothing. Not for t.Parallel(), in which tests overlap.
package rowcallmarks

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var (
	url    = os.Getenv("ROWCALL_URL") // set by rowcall run
	client = http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{}}
)

// Mark names the test until it ends.
func Mark(t testing.TB) {
	program := strings.TrimSuffix(filepath.Base(os.Args[0]), ".test")
	mark(t, program+"."+t.Name())
	t.Cleanup(func() { mark(t, "") })
}

func mark(t testing.TB, test string) {
	if url == "" {
		return
	}
	body, _ := json.Marshal(map[string]string{"test": test})
	answer, err := client.Post(url+"/api/v1/marks", "application/json", strings.NewReader(string(body)))
	if err != nil {
		t.Logf("rowcall takes no marks, going on without: %v", err)
		url = ""
		return
	}
	answer.Body.Close()
}
