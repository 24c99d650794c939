# SPDX-License-Identifier: GPL-2.0
"""
Compare what gcovr has found with the listing of lines that no test runs.

usage: coverage.py LISTING (SOURCES JSON)...

The listing names each such line, below the reason why it is not run:

    = reason, in as many lines as it takes

    path function: text of the line

A line of the same text that is not run n times in a function stands there n times.
Below a reason that begins with ~ stand lines that run or do not, as it happens.
"""

import collections
import json
import sys

LINES, BRANCHES = 95.0, 85.0


def read_listing(path):
    """The lines that never run, and those that may."""
    never, maybe = collections.Counter(), collections.Counter()
    kind = None
    for number, line in enumerate(open(path), 1):
        line = line.rstrip()
        if line.startswith(("=", "~")):
            kind = never if line[0] == "=" else maybe
        elif line.startswith(("#", " ")) or not line:
            continue
        elif kind is None:
            sys.exit(f"{path}:{number}: no reason is above it")
        else:
            kind[line] += 1
    return never, maybe


def function_of(line, functions):
    """The name of the last function that begins at or before a line."""
    names = [f["name"] for f in functions if f["lineno"] <= line]
    return names[-1] if names else "-"


def share(name, what, run, total, least):
    percent = 100 * run / total if total else 0
    print(f"{name}: {run} of {total} {what}, {percent:.1f} %")
    if percent < least:
        print(f"  fewer than {least:.0f} %")
        return False
    return True


def main():
    never, maybe = read_listing(sys.argv[1])
    known, missed = collections.Counter(), collections.Counter()
    good = True
    for sources, report in zip(sys.argv[2::2], sys.argv[3::2]):
        run = total = taken = branches = 0
        files = json.load(open(report))["files"]
        for file in files:
            source = open(f"{sources}/{file['file']}").read().split("\n")
            functions = sorted(file["functions"], key=lambda f: f["lineno"])
            for line in file["lines"]:
                if line.get("gcovr/noncode"):
                    continue
                total += 1
                run += line["count"] > 0
                branches += len(line["branches"])
                taken += sum(b["count"] > 0 for b in line["branches"])
                number = line["line_number"]
                text = source[number - 1].strip()
                key = f"{file['file']} {function_of(number, functions)}: {text}"
                known[key] += 1
                missed[key] += not line["count"]
        name = files[0]["file"].split("/")[0] if files else report
        good &= share(name, "lines", run, total, LINES)
        good &= share(name, "branches", taken, branches, BRANCHES)
    unexplained = missed - never - maybe
    for line in unexplained.elements():
        print(f"not run, and not explained: {line}")
    wrong = (never - missed) + (maybe - known)
    for line in wrong.elements():
        print(f"explained, but run or gone: {line}")
    good &= not unexplained and not wrong
    sys.exit(0 if good else 1)


main()
