/* SPDX-License-Identifier: Apache-2.0 */
/* schema: see schema.h. A change of meaning raises RECORDING_SCHEMA (store.h); what an older file lacks is then made up for in recording.c. */
#include "schema.h"

const char recording_schema_sql[] =
    "PRAGMA application_id = 1920426801;"	/* 0x72776331, RECORDING_APPLICATION_ID */
    "PRAGMA user_version = 1;"
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE upstreams(id INTEGER PRIMARY KEY, name TEXT NOT NULL, server TEXT NOT NULL);"
    "CREATE TABLE shapes(id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL, summary TEXT NOT NULL, shape TEXT NOT NULL, class TEXT NOT NULL,"
    " tables TEXT NOT NULL, data BLOB NOT NULL);"
    "CREATE TABLE requests(id INTEGER PRIMARY KEY, number INTEGER NOT NULL, scope TEXT NOT NULL, test TEXT NOT NULL, key TEXT NOT NULL,"
    " application TEXT NOT NULL, scope_from TEXT NOT NULL, borders_from TEXT NOT NULL, start_us INTEGER NOT NULL,"
    " duration_us INTEGER NOT NULL, db_us INTEGER NOT NULL, statements INTEGER NOT NULL, queries INTEGER NOT NULL, data BLOB NOT NULL);"
    "CREATE TABLE strays(id INTEGER PRIMARY KEY, data BLOB NOT NULL);"
    "CREATE TABLE texts(session INTEGER NOT NULL, seq INTEGER NOT NULL, text TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY(session, seq))"
    " WITHOUT ROWID;"
    "CREATE TABLE scopes(scope TEXT PRIMARY KEY, requests INTEGER NOT NULL, queries_p50 INTEGER NOT NULL, queries_max INTEGER NOT NULL,"
    " duplicates INTEGER NOT NULL, n_plus_one INTEGER NOT NULL, db_us INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE findings(id TEXT PRIMARY KEY, rule TEXT NOT NULL, verdict TEXT NOT NULL, scope TEXT NOT NULL, fingerprint TEXT NOT NULL,"
    " executions INTEGER NOT NULL, distinct_parameters INTEGER NOT NULL, seen_in INTEGER NOT NULL, db_us INTEGER NOT NULL, advice TEXT NOT NULL)"
    " WITHOUT ROWID;";
