# SPDX-License-Identifier: Apache-2.0
"""check_readme.py PROGRAM [--table]: the option table of README.md against the program's own help, both ways; its table of rules, and that the folders,
files and statuses the README names exist, and that it names every integration. --table prints the table as it should be."""
import pathlib
import re
import subprocess
import sys

TREE = pathlib.Path(__file__).resolve().parent.parent
COMMANDS = ("run", "proxy", "report", "diff", "merge", "fix", "mark", "ping")     # in this order an option is taken from the first that has it
EVERYWHERE = ("--help", "--version")


def help_of(program, command):
    """{flag: (as written, sentence)} of one command's help."""
    text = subprocess.run([program, "help", command], check=True, stdout=subprocess.PIPE, text=True).stdout
    found, flag = {}, None
    for line in text[text.index("\noptions:\n"):].split("\n\n")[0].splitlines()[1:] + [""]:
        start = re.match(r"  (?:(-\w), |    )(--\S+)(?: ([A-Z]\S*))?(?:  +(.*))?$", line)
        if start:
            flag = start[2].replace("[no-]", "")
            found[flag] = [", ".join(filter(None, (start[1], " ".join(filter(None, start.group(2, 3)))))), start[4] or ""]
        elif flag and line.startswith("   "):
            found[flag][1] += " " + line.strip()
    return {name: (written, sentence.strip()) for name, (written, sentence) in found.items()}


def rows(program):
    options = {}
    for command in COMMANDS:
        for name, (written, sentence) in help_of(program, command).items():
            if name not in EVERYWHERE:
                options.setdefault(written, (written, sentence, []))[2].append(command)
    for written, sentence, commands in options.values():
        yield f"| `{written}` | {', '.join(commands)} | {sentence.replace('|', chr(92) + '|')} |"


def rule_rows(program):
    """The rules as `rowcall help run` lists them, as lines of the README's table."""
    text = subprocess.run([program, "help", "run"], check=True, stdout=subprocess.PIPE, text=True).stdout
    found = []
    for line in text[text.index("\nrules:\n"):].split("\n\n")[0].splitlines()[2:]:
        start = re.match(r"  (\S+) +(.*)$", line)
        if start:
            found.append([start[1], start[2]])
        else:
            found[-1][1] += " " + line.strip()
    assert len(found) > 8, "the list of rules was not understood"
    return [f"| `{name}` | {sentence} |" for name, sentence in found]


def main(program, *more):
    wanted = list(rows(program))
    if more == ("--table",):
        print("\n".join(["| option | of | what it does |", "|---|---|---|", *wanted]))
        return 0
    readme = (TREE / "README.md").read_text(encoding="utf-8")
    stated = re.findall(r"^\| `-.*\|$", readme, re.M)
    problems = [f"README.md lacks: {row}" for row in wanted if row not in stated]
    problems += [f"README.md has, the program has not: {row}" for row in stated if row not in wanted]
    rules = rule_rows(program)
    problems += [f"README.md lacks: {row}" for row in rules if row not in readme]
    problems += [f"README.md names {path}, which is not there" for path in re.findall(r"`((?:conf|tests|proxy|reports|fingerprint)/[\w./]*)`", readme)
                 if not (TREE / path).exists()]
    problems += [f"README.md does not name {path.relative_to(TREE)}" for path in sorted((TREE / "conf/integrations").iterdir())
                 if f"`{path.name}`" not in readme]
    assert len(wanted) > 20, "the help was not understood"
    print("\n".join(problems) or f"{len(wanted)} options agree")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
