# SPDX-License-Identifier: Apache-2.0
"""Each statement as rowcall recorded it beside the same one as the server told of it (ledger.py): text, parameters, error, rows, time.

Neither side numbers statements so that the other would know, so they are paired by what they say: the same text, the same error and, where the
server tells them, the same parameters and rows. Whatever is left over on either side is a difference. What a server does not tell, and the
statements whose text rowcall does not keep (empty, longer than its limit, or what EXECUTE in SQL executes), are compared without.
"""
import collections
import decimal
import re

import ledger
from recording import BATCH, MISSING

SLACK_MS = 100  # a busy machine may stop either of the two between its clock and its socket

Compared = collections.namedtuple("Compared", "texts params rows times textless unread unexecuted skipped differences")
TRUTHS = {"true": "t", "1": "t", "false": "f", "0": "f"}
VALUE = r"((?:TIMESTAMP|DATE|TIME)?'(?:[^'\\]|\\.|'')*'|[^\s,()]+)"
ESCAPES = {"0": "\0", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a"}


def plain(text, dialect):
    """A text without what encloses it. MariaDB's performance schema has its own idea of characters beyond ASCII."""
    text = text.strip().rstrip(";").strip()
    return re.sub(r"(?:\?|[^\t\n -~])+", "?", text) if dialect == "mysql" else text


def same_value(said, told):
    """A parameter as the server prints it and as the client sent it: the same text, truth, number, or time in UTC."""
    if said is None or told is None or said == told:
        return said is told or said == told
    if told is MISSING:
        return True
    if said in ("t", "f"):
        return TRUTHS.get(told.lower(), told) == said
    if re.match(r"\d{4,}-\d\d-\d\d[ T]", said) and re.match(r"\d{4,}-\d\d-\d\d[ T]", told):
        return said.replace("T", " ") == told or time(said) == time(told)
    try:
        return decimal.Decimal(said) == decimal.Decimal(told)
    except decimal.InvalidOperation:
        return False


def time(text):
    """2024-02-29 13:14:15.5 whatever is written around it."""
    match = re.match(r"(\d+-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d*?)0*)?(?:Z|[+-]00(?::?00)?)?$", text)
    return match and (match[1], match[2], match[3] or "")


def written(literal):
    """The value of a literal that MariaDB wrote into a text for a parameter; None for NULL."""
    quoted = re.fullmatch(r"(?:TIMESTAMP|DATE|TIME)?'(.*)'", literal, re.S)
    if not quoted:
        return None if literal == "NULL" else literal
    return re.sub(r"\\(.)|''", lambda match: ESCAPES.get(match[1], match[1]) if match[1] else "'", quoted[1], flags=re.S)


def inlined(text, template, params):
    """MariaDB logs an execution with its parameters written into the text: the same statement?"""
    parts = re.split(r"('(?:[^'\\]|\\.|'')*')|\?", template)
    pattern = "".join(VALUE if part is None else re.escape(part) for part in parts)
    match = re.fullmatch(pattern, text, re.S)
    return bool(match) and len(match.groups()) == len(params) and all(
        same_value(plain_value(written(said)), plain_value(told)) for said, told in zip(match.groups(), params))


def plain_value(value):
    return re.sub(r"(?:\?|[^\t\n -~])+", "?", value) if isinstance(value, str) else value


def same(entry, statement, dialect):
    """Everything that both sides tell. The same text is a matter of whom it is asked for, but for what MariaDB writes into it."""
    if entry.code != statement.code or (entry.rows is not None and entry.rows != statement.rows):
        return False
    if dialect == "mysql" and statement.params and plain(entry.text, dialect) != plain(statement.text, dialect):
        return inlined(entry.text.strip(), statement.text.strip(), statement.params)
    return not entry.params or statement.params is None or (
        len(entry.params) == len(statement.params) and all(map(same_value, entry.params, statement.params)))


def key(statement, dialect):
    """By which it is looked for: the text, or the shape where that holds the parameters or is not there."""
    if statement.text is None or (dialect == "mysql" and statement.params):
        return statement.shape.removesuffix(" …")
    return plain(statement.text, dialect)


def keys(entry, shape, dialect):
    """By which it may be found. MariaDB tells of each statement of a text with all that stands behind it."""
    yield plain(entry.text, dialect)
    if dialect == "mysql" and ";" in entry.text:
        yield plain(ledger.pieces(entry.text, ledger.MYSQL_INERT)[0], dialect)
    yield shape


def slower(pairs):
    """Of statements of one text, where the server took longer than rowcall says that the client waited: (server's ms, rowcall's). Those of one
    text may be paired in any order, so the shortest are set beside each other, and so on."""
    return [(said, told) for said, told in zip(sorted(e.ms for e, _ in pairs), sorted(s.busy_ms for _, s in pairs)) if told < said - SLACK_MS]


def compare_moved(moved, statements):
    """What differs in the rows that FETCH returned or COPY moved, all those of one text together; and of how many statements they were."""
    differences, count = [], 0
    for text, rows in moved:
        alike = [s for s in statements if s.text and s.outcome == "ok" and plain(s.text, "postgresql") == plain(text, "postgresql")]
        count += len(alike)
        if rows != (told := sum(s.rows or s.affected for s in alike)):
            differences.append(("rows", text, (rows, told)))
    return differences, count


def compare(dialect, entries, shapes, moved, statements, uncounted):
    """entries: the server's, with their shapes; moved: [(text, rows)] of compare_moved; statements: of recording.py. What is counted leaves out
    shapes that match uncounted.

    texts, params, rows: how many of them both sides told, and agreed on. textless: statements whose text was not recorded. unread: parameters
    whose value was not known.
    unexecuted: statements that failed when they were prepared and that the client never asked to execute. skipped: those that rowcall says the
    server passed over after an error; the server does not log them. times: statements whose time the server told and that were no part of a batch.
    """
    asked = collections.defaultdict(list)
    for statement in statements:
        if statement.outcome != "skipped":
            asked[key(statement, dialect)].append(statement)
    skipped = sum(statement.outcome == "skipped" for statement in statements)
    pairs, unexecuted = collections.defaultdict(list), 0
    differences, by_text = compare_moved(moved, statements)
    # What tells more is paired first.
    for entry, shape in sorted(zip(entries, shapes), key=lambda both: (both[0].params is None, both[0].rows is None)):
        for left in (asked.get(by, ()) for by in keys(entry, shape, dialect)):
            if at := next((at for at, told in enumerate(left, 1) if same(entry, told, dialect)), 0):
                pairs[shape].append((entry, left.pop(at - 1)))
                break
        else:
            if entry.code and entry.ms is None:
                unexecuted += 1
            else:
                differences.append(("server", shape, entry))
    differences += [("rowcall", name, statement) for name, left in asked.items() for statement in left]
    timed = {name: [(e, s) for e, s in group if e.ms is not None and s.text is not None] for name, group in pairs.items()
             if not any(s.flags & BATCH for _, s in group)}
    for name, group in timed.items():
        differences += [("time", name, pair) for pair in slower(group)]
    total = [sum(e.ms for group in timed.values() for e, _ in group), sum(s.busy_ms for group in timed.values() for _, s in group)]
    if total[1] < total[0] - SLACK_MS:
        differences.append(("time", "all together", total))
    both = [(e, s) for group in pairs.values() for e, s in group if not uncounted.search(s.shape)]
    told = [param for e, s in both if s.params and (e.params or dialect == "mysql") for param in s.params]
    return Compared(sum(s.text is not None for _, s in both), sum(param is not MISSING for param in told), sum(e.rows is not None for e, _ in both) + by_text,
                    sum(len(group) for group in timed.values()), sum(s.text is None for _, s in both), sum(param is MISSING for param in told),
                    unexecuted, skipped, differences)
