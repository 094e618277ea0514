# SPDX-License-Identifier: Apache-2.0
"""What a server itself says it did while a client of the matrix ran: each statement, its error, its rows; and how that compares with a report.

Both are compared by shape: executions, errors, rows. The servers and rowcall do not see the same things by nature; each rule below says what
differs and why.
"""
import collections
import json
import re

from recording import shape_names

# One statement. code: SQLSTATE or error number, "" without an error; rows: sent to the client; params: of the protocol, as text, NULL as None;
# ms: how long the server took for it. None: not told.
Entry = collections.namedtuple("Entry", "text code rows params ms")
Figures = collections.namedtuple("Figures", "executions errors rows")
NONE = Figures(0, 0, 0)

UNKNOWN = "(prepared before capture)"   # rowcall's name for a statement whose text nobody knows
EXECUTIONS = ("statement/com/Execute", "statement/com/Bulk_execute")
PG_ENTRY = re.compile(r"^@(\d+)\|([^|@]*)\|[^@]*\|(\w{5})@ (\w+):  (.*)", re.S)
PG_PARAMETER = re.compile(r"\$\d+ = (?:NULL|'((?:[^']|'')*)')(?:, |$)")
INERT = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"[^\"]*\"|\$(\w*)\$.*?\$\1\$", re.S)    # a semicolon in here parts nothing

MYSQL_INERT = re.compile(r"--\s[^\n]*|#[^\n]*|/\*.*?\*/|'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"|`[^`]*`", re.S)
SPACE = r"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*"
PLANNED = re.compile(SPACE + r"(?:SELECT|INSERT|UPDATE|DELETE|MERGE|WITH|VALUES|TABLE|DECLARE|CREATE\b.*\bAS|COPY\s*\()", re.S | re.I)
ELSEWHERE = re.compile(SPACE + r"(?:DECLARE|CREATE|COPY)", re.S | re.I)     # the rows of their plans go to a cursor, a table, a stream


def pieces(text, inert=INERT):
    """The statements of a text that the server comes to; of a text without any, one empty. The clients' scripts call "never" what stands behind
    an error."""
    bare = inert.sub(lambda match: " " * len(match[0]) if match[0][:2] in ("--", "/*") else "q" * len(match[0]), text)
    found, start = [], 0
    for end in [match.start() for match in re.finditer(";", bare)] + [len(text)]:
        if bare[start:end].strip() and not bare[start:end].endswith(" never"):
            found.append(text[start:end])
        start = end + 1
    return found or [""]


def parameters(text):
    """$1 = 'it''s', $2 = NULL"""
    return [None if match[1] is None else match[1].replace("''", "'") for match in PG_PARAMETER.finditer(text)]


class PgLog:
    """What the log of PostgreSQL says, line by line, of the sessions of one database."""

    def __init__(self):
        self.found = []
        self.last = {}          # session -> index of the last statement it began, until it is done
        self.alone = {}         # session -> it was the only one of its text
        self.unexplained = {}   # session -> SQLSTATE of an error that has not been followed by its statement yet
        self.plans = collections.defaultdict(list)      # (session, text) -> rows
        self.waiting = collections.defaultdict(list)    # (session, text) -> statements they may be of
        self.moved = set()      # statements behind whose cursor there was a MOVE: their plans count what it passed over
        self.context = {}       # session -> parameters of the error that has not been followed by its statement yet

    def add(self, session, entry, source=None):
        self.found.append(entry)
        if source is not None:
            self.waiting[session, source].append(len(self.found) - 1)
            self.last[session] = len(self.found) - 1

    def set(self, session, **fields):
        at = self.last[session]
        self.found[at] = self.found[at]._replace(**fields)

    def explain(self, session):
        """An error of a Bind to an unknown name has no statement."""
        if code := self.unexplained.pop(session, None):
            self.add(session, Entry(UNKNOWN, code, None, None, None))

    def logged(self, session, rest):
        self.explain(session)
        if how := re.match(r"(statement|execute (fetch from )?[^:]*): (.*)", rest, re.S):
            if how[2]:
                return
            parts = pieces(how[3]) if how[1] == "statement" else [how[3]]
            for part in parts:
                if part.lstrip().upper().startswith("MOVE"):
                    self.moved.update(at for key, waiting in self.waiting.items() if key[0] == session for at in waiting)
                self.add(session, Entry(part, "", None, [], None), how[3])
            self.alone[session] = len(parts) == 1
        elif plan := re.match(r"duration: \S+ ms  plan:\n(.*)", rest, re.S):
            told = json.loads(plan[1])
            self.plans[session, told["Query Text"]].append(told["Plan"]["Actual Rows"])
        elif (duration := re.match(r"duration: (\S+) ms$", rest)) and session in self.last:
            if self.alone[session]:
                self.set(session, ms=float(duration[1]))
            del self.last[session]

    def detail(self, session, rest):
        if session not in self.last or session in self.unexplained:
            return
        if rest.startswith("parameters: "):
            self.set(session, params=parameters(rest[12:]))
        elif prepare := re.match(r"prepare: ((?:PREPARE\s.*?\sAS\s+)?(.*))", rest, re.S | re.I):
            self.set(session, text=prepare[2])
            self.waiting[session, prepare[1]].append(self.last[session])

    def statement(self, session, rest):
        code, params = self.unexplained.pop(session), self.context.pop(session, None)
        if session in self.last:
            self.set(session, code=code, rows=None)
            del self.last[session]
        else:
            self.add(session, Entry(rest, code, None, params, None))

    def tell_rows(self):
        """A plan is told when its portal is closed, under the whole text it came in: they are those of its statements in order, if as many."""
        for key, rows in self.plans.items():
            planned = [at for at in self.waiting[key] if PLANNED.match(self.found[at].text) and not self.found[at].code]
            if len(planned) == len(rows):
                for at, n in zip(planned, rows):
                    if not ELSEWHERE.match(self.found[at].text) and at not in self.moved:
                        self.found[at] = self.found[at]._replace(rows=n)


def postgresql(log, database):
    """From a log with log_statement = all, log_duration = on, the errors' statements, and the plans of auto_explain with their rows.

    A text of several statements is one entry; an error in it is that of the last statement the server came to. What EXECUTE in SQL executes is
    a detail of its entry. A statement that cannot be parsed or planned is not logged as executed, only with its error. A portal fetched in pieces
    has an entry per piece, marked as such. A session's last error may be FATAL: that answers no statement.
    """
    told = PgLog()
    for entry in re.split(r"^(?=@\d+\|)", log, flags=re.M):
        match = PG_ENTRY.match(entry)
        if not match or match[2] != database:
            continue
        session, level, rest = match[1], match[4], match[5].rstrip("\n").replace("\n\t", "\n")
        if level == "LOG":
            told.logged(session, rest)
        elif level == "DETAIL":
            told.detail(session, rest)
        elif level == "CONTEXT" and session in told.unexplained and (params := re.search(r"portal(?: \"[^\"]*\")? with parameters: (.*)", rest, re.S)):
            told.context[session] = parameters(params[1])
        elif level == "STATEMENT" and session in told.unexplained:
            told.statement(session, rest)
        elif level == "ERROR":
            told.explain(session)
            told.unexplained[session] = match[3]
    for session in list(told.unexplained):
        told.explain(session)
    told.tell_rows()
    return told.found


def mariadb(events, queries, executed):
    """From the performance schema's history of statements, (thread, name, text, rows sent, error number or "", ms) in order, and from the general log the texts
    that were sent and those that were executed by the binary protocol, each a list per session in the order of the sessions.

    Events of the binary protocol have no text; long and binary texts are cut there. What runs inside a procedure has events of its own, but the
    client sees its rows as those of the CALL, and an error once. The rows of SHOW are not told. The rows of a cursor come with its fetches.
    What EXECUTE in SQL executes is the text that PREPARE put under the name.
    """
    threads = sorted({event[0] for event in events if event[1].startswith("statement/sql/")})
    queries = dict(zip(threads, queries))
    executed = dict(zip(sorted({event[0] for event in events if event[1] in EXECUTIONS}), executed))
    found, inside, last, prepared = [], collections.Counter(), {}, {}
    for thread, name, text, rows, code, ms in events:
        if name == "statement/sp/stmt":
            inside[thread] += rows
        elif name == "statement/com/Fetch":
            found[last[thread]] = found[last[thread]]._replace(rows=found[last[thread]].rows + rows)
        elif name in EXECUTIONS or name.startswith("statement/sql/"):
            if name in EXECUTIONS:
                text = executed[thread].pop(0)
                last[thread] = len(found)
            elif text.endswith("...") or len(text) >= 1000:
                text = next((whole for whole in queries[thread] if whole.startswith(text[:-3].partition("\ufffd")[0])), text)
            if prepare := re.match(r"PREPARE\s+(\w+)\s+FROM\s+'(.*)'\s*$", text, re.S | re.I):
                prepared[thread, prepare[1].lower()] = prepare[2].replace("''", "'")
            elif execute := re.match(r"EXECUTE\s+(\w+)", text, re.I):
                text = prepared.get((thread, execute[1].lower()), text)
            elif gone := re.match(r"(?:DEALLOCATE|DROP)\s+PREPARE\s+(\w+)", text, re.I):
                prepared.pop((thread, gone[1].lower()), None)
            rows = None if text.upper().startswith("SHOW") else rows + inside.pop(thread, 0)
            found.append(Entry(text, code, rows, None, ms))
    assert not any(executed.values()), "the two logs disagree"
    return found


def by_shape(entries, shapes):
    """{shape: Figures} of a ledger whose statements have these shapes."""
    figures = collections.defaultdict(lambda: NONE)
    for entry, shape in zip(entries, shapes):
        had = figures[shape]
        rows = None if entry.rows is None or had.rows is None else had.rows + entry.rows
        figures[shape] = Figures(had.executions + 1, had.errors + bool(entry.code), rows)
    return dict(figures)


def shapes(program, dialect, entries):
    """The name of each one's shape."""
    return [UNKNOWN if entry.text == UNKNOWN else name
            for entry, name in zip(entries, shape_names(program, dialect, [entry.text for entry in entries]))]


def compare(expected, found):
    """What the figures of a report differ in from the server's: (unexecuted, differences).

    unexecuted: statements that failed when they were prepared and that the client never asked to execute: errors to the server, no execution to
    rowcall. differences: the rest, [(shape, the server's figures, rowcall's)].
    """
    unexecuted = 0
    differences = []
    for name in expected.keys() | found.keys():
        said, told = expected.get(name, NONE), found.get(name, NONE)
        never_asked = said.errors - told.errors
        if never_asked < 0 or said.executions - told.executions != never_asked or said.rows not in (None, told.rows):
            differences.append((name, said, told))
        else:
            unexecuted += never_asked
    return unexecuted, differences


def of_report(report):
    """{shape: Figures} of a report."""
    return {shape["shape"]: Figures(shape["executions"], shape["errors"], shape["rows"]) for shape in report["shapes"]}
