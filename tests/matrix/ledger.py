# SPDX-License-Identifier: Apache-2.0
"""What a server itself says it did while a client of the matrix ran: each statement, its error, its rows; and how that compares with a report.

Both are compared by shape: executions, errors, rows. The servers and rowcall do not see the same things by nature; each rule below says what
differs and why.
"""
import collections
import json
import re
import subprocess

Entry = collections.namedtuple("Entry", "text failed rows")     # rows: sent to the client; None: not told
Figures = collections.namedtuple("Figures", "executions errors rows")
NONE = Figures(0, 0, 0)

UNKNOWN = "(prepared before capture)"   # rowcall's name for a statement whose text nobody knows
EXECUTIONS = ("statement/com/Execute", "statement/com/Bulk_execute")
PG_ENTRY = re.compile(r"^@(\d+)\|([^|@]*)\|[^@]*@ (\w+):  (.*)", re.S)
INERT = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"[^\"]*\"|\$(\w*)\$.*?\$\1\$", re.S)    # a semicolon in here parts nothing


def pieces(text):
    """The statements of a text that the server comes to; of a text without any, one empty. The clients' scripts call "never" what stands behind
    an error."""
    inert = INERT.sub(lambda match: " " * len(match[0]) if match[0][:2] in ("--", "/*") else "q" * len(match[0]), text)
    found, start = [], 0
    for end in [match.start() for match in re.finditer(";", inert)] + [len(text)]:
        if inert[start:end].strip() and not inert[start:end].endswith(" never"):
            found.append(text[start:end])
        start = end + 1
    return found or [""]


def postgresql(log, database):
    """From a log with log_statement = all, log_duration = on and the errors' statements. Rows are not told.

    A text of several statements is one entry; an error in it is that of the last statement the server came to. What EXECUTE in SQL executes is
    a detail of its entry. A statement that cannot be parsed or planned is not logged as executed, only with its error. A portal fetched in pieces
    has an entry per piece, marked as such. An error of a Bind to an unknown name has no statement. A session's last error may be FATAL: that
    answers no statement.
    """
    found = []
    last = {}           # session -> index of the last statement it began, until it is done
    unexplained = set() # sessions whose error has not been followed by its statement yet

    def explain(session):
        if session in unexplained:
            unexplained.discard(session)
            found.append(Entry(UNKNOWN, True, None))

    for entry in re.split(r"^(?=@\d+\|)", log, flags=re.M):
        match = PG_ENTRY.match(entry)
        if not match or match[2] != database:
            continue
        session, level, rest = match[1], match[3], match[4].rstrip("\n").replace("\n\t", "\n")
        if level == "LOG":
            explain(session)
            how = re.match(r"(statement|execute (fetch from )?[^:]*): (.*)", rest, re.S)
            if how and not how[2]:
                found += [Entry(piece, False, None) for piece in (pieces(how[3]) if how[1] == "statement" else [how[3]])]
                last[session] = len(found) - 1
            elif rest.startswith("duration: "):
                last.pop(session, None)
        elif level == "DETAIL" and session in last and (prepare := re.match(r"prepare: (?:PREPARE\s.*?\sAS\s+)?(.*)", rest, re.S | re.I)):
            found[last[session]] = found[last[session]]._replace(text=prepare[1])
        elif level == "STATEMENT" and session in unexplained:
            unexplained.discard(session)
            if session in last:
                at = last.pop(session)
                found[at] = found[at]._replace(failed=True)
            else:
                found.append(Entry(rest, True, None))
        elif level == "ERROR":
            explain(session)
            unexplained.add(session)
    for session in list(unexplained):
        explain(session)
    return found


def mariadb(events, queries, executed):
    """From the performance schema's history of statements, (thread, name, text, rows sent, errors) in order, and from the general log the texts
    that were sent and those that were executed by the binary protocol, each a list per session in the order of the sessions.

    Events of the binary protocol have no text; long and binary texts are cut there. What runs inside a procedure has events of its own, but the
    client sees its rows as those of the CALL, and an error once. The rows of SHOW are not told. The rows of a cursor come with its fetches.
    What EXECUTE in SQL executes is the text that PREPARE put under the name.
    """
    threads = sorted({event[0] for event in events if event[1].startswith("statement/sql/")})
    queries = dict(zip(threads, queries))
    executed = dict(zip(sorted({event[0] for event in events if event[1] in EXECUTIONS}), executed))
    found, inside, last, prepared = [], collections.Counter(), {}, {}
    for thread, name, text, rows, errors in events:
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
            found.append(Entry(text, errors > 0, rows))
    assert not any(executed.values()), "the two logs disagree"
    return found


def by_shape(program, dialect, entries):
    """{shape: Figures} of a ledger, by `rowcall fingerprint`; of a longer text the first statement."""
    done = subprocess.run([program, "fingerprint", "--null", "--json", "--dialect", dialect], check=True, stdout=subprocess.PIPE,
                          input="".join(entry.text.replace("\0", "?") + "\0" for entry in entries).encode(errors="surrogateescape"))
    shapes = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(shapes) == len(entries)
    figures = collections.defaultdict(lambda: NONE)
    for entry, shape in zip(entries, shapes):
        first = (shape.get("statements") or [shape])[0]
        name = UNKNOWN if entry.text == UNKNOWN else first["shape"].removesuffix(" …")
        had = figures[name]
        rows = None if entry.rows is None or had.rows is None else had.rows + entry.rows
        figures[name] = Figures(had.executions + 1, had.errors + entry.failed, rows)
    return dict(figures)


def compare(expected, found):
    """What the figures of a report differ in from the server's: (unexecuted, skipped, differences).

    unexecuted: statements that failed when they were prepared and that the client never asked to execute: errors to the server, no execution to
    rowcall. skipped: executions that were asked for but skipped by the server after an error in a pipeline, which it does not log. differences:
    the rest, [(shape, the server's figures, rowcall's)].
    """
    unexecuted = skipped = 0
    differences = []
    for name in expected.keys() | found.keys():
        said, told = expected.get(name, NONE), found.get(name, NONE)
        never_asked = said.errors - told.errors
        not_reached = told.executions - said.executions + never_asked
        if min(never_asked, not_reached) < 0 or said.rows not in (None, told.rows):
            differences.append((name, said, told))
        else:
            unexecuted += never_asked
            skipped += not_reached
    return unexecuted, skipped, differences


def of_report(report):
    """{shape: Figures} of a report."""
    return {shape["shape"]: Figures(shape["executions"], shape["errors"], shape["rows"]) for shape in report["shapes"]}
