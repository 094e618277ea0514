/* SPDX-License-Identifier: Apache-2.0 */
/* limits: every cap in the program, in one list. Each has a test at the limit and one past it; every truncation is visible in output.
 * Never: a limit written as a number anywhere else. */
#ifndef ROWCALL_LIMITS_H
#define ROWCALL_LIMITS_H

enum {
	/* ---- fingerprint ---- */
	LIMIT_SQL_TEXT = 1 << 20,	/* bytes of one statement that are looked at */
	LIMIT_SHAPE_BYTES = 16 << 10,	/* bytes of one shape */
	LIMIT_VALUES = 4096,		/* literals and placeholders kept per statement */
	LIMIT_SLOTS = 1024,		/* value positions kept per shape */
	LIMIT_TABLES = 32,		/* tables kept per statement */
	LIMIT_TAGS = 32,		/* comment tags kept per statement */
	LIMIT_TAG_BYTES = 4096,		/* decoded bytes of all tags of one statement */
	LIMIT_SETTINGS = 16,		/* variables of one SET behind the first */
	LIMIT_SHAPES = 20000,		/* distinct shapes a process remembers */
	LIMIT_CACHE_ENTRIES = 4096,	/* identity cache per worker */
	LIMIT_CACHE_KEY = 4096,		/* longer texts are not cached */
	LIMIT_CACHE_BYTES = 4 << 20,	/* what one identity cache keeps */

	/* ---- wire ---- */
	LIMIT_WIRE_TEXT = 1 << 20,	/* bytes of statement text kept when a message arrives in pieces */
	LIMIT_WIRE_CAPTURE = 1 << 20,	/* bytes of any one message kept while it is incomplete; the rest is counted */
	LIMIT_WIRE_ROW = 4096,		/* bytes of a row lent to the sampler */
	LIMIT_WIRE_COLUMNS = 1664,	/* columns of a result that are described (PostgreSQL's own maximum) */
	LIMIT_WIRE_PARAMS = 65535,	/* parameters of one Bind (Int16, protocol) */
	LIMIT_WIRE_QUEUE = 65536,	/* questions without an answer on one session */
	LIMIT_WIRE_PREPARED = 16384,	/* prepared statements remembered per session */
	LIMIT_WIRE_PORTALS = 4096,
	LIMIT_PG_KEPT = 4 << 20,	/* bytes of names, and of Binds, descriptions and types, remembered per session */
	LIMIT_PG_DESCRIPTION = 64 << 10,	/* bytes of one statement's description of its result */
	LIMIT_PG_STARTUP = 10000,	/* MAX_STARTUP_PACKET_LENGTH, pqcomm.h */
	LIMIT_MY_HANDSHAKE = 60 << 10,	/* payload of one packet before the session is piped; the server takes 64 KiB of attributes */
	LIMIT_MY_MEMORY = 4 << 20,	/* bytes of parameter types and column definitions remembered per session */
	LIMIT_PG_HANDSHAKES = 4,	/* SSL/GSS requests before a StartupMessage */

	/* ---- proxy ---- */
	LIMIT_TEXT_PARTS = 4096,	/* statements of one text told apart */
	LIMIT_HANDSHAKE = 64 << 10,	/* bytes of one leg held during the handshake */
	LIMIT_HANDSHAKE_MS = 60000,	/* from accept until the session is piped, as long as PostgreSQL gives for authentication */
	LIMIT_READ_BUFFER = 16 << 10,	/* the worker's one read buffer */
	LIMIT_LISTENS = 64,		/* listeners of one process */
	LIMIT_URL = 8192,		/* bytes of a database URL */
	LIMIT_CONFIG_BYTES = 1 << 20,	/* of rowcall.yaml */
	LIMIT_CONFIG_DEPTH = 8,		/* nesting in it */
	LIMIT_REFERENCES = 64,		/* variables of an environment that name databases */
	LIMIT_NOTES = 32,		/* sentences about it */
	LIMIT_LIST = 10000,		/* entries of one list in it */
	LIMIT_LOG_LINE = 4096,
	LIMIT_PASSFILE = 1 << 20,	/* bytes of a .pgpass or service file */
	LIMIT_HTTP_BODY = 16 << 10,	/* of a request to the admin port */
	LIMIT_HTTP_HEADERS = 16 << 10,
	LIMIT_TOKEN = 4096,		/* bytes of a token file */
	LIMIT_OUT_QUEUE = 256 << 10,	/* bytes queued towards a slow peer before its other side is no longer read */

	/* ---- reports ---- */
	LIMIT_RING_BYTES = 4 << 20,	/* one worker's ring in the daemon */
	LIMIT_RING_GROWN = 256 << 20,	/* ... in `run`, grown */
	LIMIT_RECORD = 64 << 10,	/* one record in a ring */
	LIMIT_SESSIONS = 65536,		/* sessions followed at a time */
	LIMIT_MARKS = 10000,		/* marks waiting for the analyzer */
	LIMIT_OPEN_REQUESTS = 10000,	/* requests open at a time */
	LIMIT_OPEN_STMTS = 400000,	/* statements kept in all open requests together */
	LIMIT_REQUEST_STMTS = 50000,	/* ... in one */
	LIMIT_REQUEST_LANES = 4096,	/* connections of one request */
	LIMIT_REQUEST_TAGS = 64,	/* distinct tag keys of one request */
	LIMIT_REQUEST_SITES = 256,	/* distinct lines of code of one request */
	LIMIT_FILTER_STEPS = 100000,	/* of one PCRE2 match */
	LIMIT_FILTER_DEPTH = 1000,
	LIMIT_FILTER_HEAP_KIB = 1024,
	LIMIT_REQUEST_SHAPES = 2048,	/* distinct shapes followed per request */
	LIMIT_REQUEST_PARAMS = 20000,	/* distinct parameter sets followed per request */
	LIMIT_SCOPES = 10000,
	LIMIT_STACKS = 60000,		/* places of scopes and shapes in flame graphs; more than scopes */
	LIMIT_TIMELINES = 1000,		/* requests whose statements one page shows */
	LIMIT_TIMELINES_STMTS = 100000,	/* statements of all of them */
	LIMIT_TIMELINE_STMTS = 5000,	/* ... of one */
	LIMIT_STACK_DEPTH = 8,		/* loops within loops told apart there */
	LIMIT_FINDINGS = 10000,
	LIMIT_REQUESTS_KEPT = 10000,	/* closed requests kept in memory for the report */
	LIMIT_KEPT_BYTES = 64 << 20,	/* bytes they may take together */
	LIMIT_TESTS = 20000,		/* tests whose sums are kept for test budgets */
	LIMIT_DATABASES = 256,		/* databases told apart in totals */
	LIMIT_COUNT_VALUES = 1024,	/* distinct values kept exactly per multiset of counts */
	LIMIT_VIOLATIONS = 10000,	/* (scope or test, kind of budget) pairs over their limit */
	LIMIT_SEQUENCE = 2000,		/* lines of one request that rowcall diff compares */
	LIMIT_COMPARED_TIMES = 4096,	/* request times per scope that it compares */
	LIMIT_BASELINE_BYTES = 64 << 20, /* of rowcall.baseline.json */
	LIMIT_REPORT_BYTES = 1 << 30,	/* one rendered report */
	LIMIT_STORE_QUEUE = 64 << 20,	/* packed bytes waiting for the disk before requests are left out of the recording */
	LIMIT_STORE_BATCH = 8 << 20,	/* ... before who may wait does */
	LIMIT_PACKED_REQUEST = 32 << 20, /* bytes of one packed request */
	LIMIT_PACKED_SHAPE = 4 << 20,	/* ... shape, without its text */
	LIMIT_UPSTREAMS = 1024,		/* upstreams of one recording */

	/* ---- lineage ---- */
	LIMIT_EVIDENCE_ROWS = 64,	/* rows of a result whose values are kept */
	LIMIT_EVIDENCE_COLUMNS = 8,	/* columns of a result, key-like names first */
	LIMIT_EVIDENCE_PLAIN = 4,	/* ... names that are not key-like only up to so many columns in all */
	LIMIT_EVIDENCE_CELLS = 256,	/* values of a result: of wide ones fewer rows */
	LIMIT_EVIDENCE_VALUE = 64,	/* bytes of a value; longer ones prove nothing */
	LIMIT_EVIDENCE_PARAMS = 64,	/* values of one execution */
	LIMIT_EVIDENCE_LIST = 32,	/* ... of one list in it */
	LIMIT_RESULT_BYTES = 64 << 10,	/* of a result that are hashed */
	LIMIT_LINEAGE_VALUES = 64 << 10,	/* kept of one open request: parameters and result values together */
	LIMIT_OPEN_VALUES = 1 << 20,	/* ... of all of them */
	LIMIT_LINEAGE_EDGES = 128,	/* candidate columns of one value position */
	LIMIT_LINEAGE_TRIALS = 2048,	/* explanations weighed for one request */
	LIMIT_LINEAGE_STEPS = 4 << 20,	/* look-ups for it */
	LIMIT_TABLE_NAMES = 4096,	/* tables whose names lineage remembers */
	LIMIT_COLUMN_SETS = 20000,	/* results' sets of columns it remembers */
	LIMIT_CATALOGS = 64,		/* databases whose catalogs are read */
	LIMIT_CATALOG_COLUMNS = 200000,	/* columns of one */
	LIMIT_FOREIGN_KEYS = 50000,	/* ... and columns that refer to others */

	/* ---- recordings with values ---- */
	LIMIT_VALUES_TEXT = 16 << 10,	/* bytes of a statement's text; a longer one is recorded without values */
	LIMIT_VALUES_BYTES = 8 << 10,	/* ... of its parameters together */
	LIMIT_VALUES_RECORDED = 512 << 20,	/* ... of all of them in one recording */

	/* ---- side connections ---- */
	LIMIT_SIDE_ROWS = 250000,	/* rows of one answer */
	LIMIT_SIDE_BYTES = 64 << 20,	/* ... and its bytes */
	LIMIT_SIDE_TEXT = 4 << 20,	/* bytes of a statement with its parameters written into it */

	LIMIT_NAME = 256,		/* bytes of a scope, test, application or other name */
};

#endif
