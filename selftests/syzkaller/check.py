#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
Compare a description for syzkaller with the header it is of.

usage: check.py wsock.h dev_wsock.txt

Every ioctl is there, with its argument and direction; every operation and flag is
used; every structure has the header's members, in order and of the same size, in
each of its uses. It prints what is not so, and knows of syzlang no more than that
takes: syzkaller's own compiler says whether it is right as a whole.
"""
import re
import sys

INTS = {"int8": 1, "int16": 2, "int32": 4, "int64": 8}
# Of other descriptions
OTHERS = {"fd": 4, "sock": 4, "fd_event": 4, "pid": 4, "sqe_user_data": 8,
          "ring_ptr": 8, "sqes_ptr": 8}
# Not of the header: a part of another one's structure
SQE_SIZE = 64

errors = []


def complain(text):
    errors.append(text)


def split(text):
    """The comma-separated parts of a text, but for commas within brackets."""
    parts, depth, part = [], 0, ""
    for c in text:
        depth += (c == "[") - (c == "]")
        if c == "," and not depth:
            parts.append(part.strip())
            part = ""
        else:
            part += c
    return parts + [part.strip()] if part.strip() else parts


def head_and_args(text):
    """array[int8, 28] is ("array", ["int8", "28"])."""
    name, bracket, rest = text.partition("[")
    return name.strip(), split(rest.rstrip()[:-1]) if bracket else []


class Header:
    """What the header has: structures as lists of (member, size)."""

    SIZES = {"__u8": 1, "__u16": 2, "__u32": 4, "__s32": 4, "__u64": 8, "__s64": 8}

    def __init__(self, text):
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
        self.numbers = {n: int(v) for n, v in
                        re.findall(r"#define (WSOCK_\w+)\s+(\d+)\s*$", text, re.M)}
        self.structs = {}
        for name, body in re.findall(r"struct (\w+) \{(.*?)\};", text, re.S):
            self.structs[name] = [self.member(line) for line in body.split(";") if line.strip()]
        self.ioctls = re.findall(
            r"#define (WSOCK_\w+)\s+_(IO[WR]*)\(WSOCK_IOC_MAGIC, \w+(?:, struct (\w+))?\)", text)
        self.names = set(re.findall(r"^\t(WSOCK_OP_\w+)\s*=", text, re.M))
        self.names |= set(re.findall(r"#define (WSOCK_\w+)\s+\(", text))

    def member(self, line):
        kind, name, count = re.match(
            r"\s*(?:struct )?(\w+)\s+(\w+)(?:\[(\w+)\])?\s*$", line).groups()
        size = self.SIZES.get(kind) or self.size(kind)
        if count:
            size *= int(count) if count.isdigit() else self.numbers[count]
        return name, size

    def size(self, struct):
        return sum(size for _, size in self.structs[struct])


class Description:
    def __init__(self, text, numbers):
        self.text = re.sub(r"(?m)^#.*$", "", text)
        self.numbers = numbers
        self.resources = dict(re.findall(r"(?m)^resource (\w+)\[(\w+)\]", self.text))
        self.aliases = dict(re.findall(r"(?m)^type (\w+) (\S.*)$", self.text))
        self.params, self.members, self.unions = {}, {}, set()
        for name, params, opening, body in re.findall(
                r"(?m)^(?:type )?(\w+)(\[[\w, ]+\])? ([{[])\n(.*?)\n[}\]]", self.text,
                re.S | re.M):
            self.params[name] = split(params[1:-1]) if params else []
            self.members[name] = [self.member(line) for line in body.split("\n")]
            if opening == "[":
                self.unions.add(name)

    @staticmethod
    def member(line):
        name, kind = re.match(r"\t(\w+)\t+(\S.*?)(?:\t\(out\))?$", line).groups()
        return name, kind

    def instance(self, kind):
        """The structure's name and its members, with the sizes they have in this use."""
        name, args = head_and_args(kind)
        if name in self.aliases and not args:
            return self.instance(self.aliases[name])
        if name not in self.members:
            return None, []
        given = dict(zip(self.params[name], args))
        if len(args) != len(self.params[name]):
            complain(f"{name} has {len(self.params[name])} parameters, not {len(args)}")
        return name, [(member, self.size(given.get(of, of))) for member, of in self.members[name]]

    def size(self, kind):
        name, args = head_and_args(kind)
        if name in INTS:
            return INTS[name]
        if name == "ptr64":
            return 8
        if name in ("const", "flags", "len", "bytesize", "fileoff"):
            return INTS.get(args[-1])
        if name == "array" and len(args) == 2:
            count = int(args[1]) if args[1].isdigit() else self.numbers[args[1]]
            return count * self.size(args[0])
        if name in self.resources:
            return self.size(self.resources[name])
        if name in OTHERS:
            return OTHERS[name]
        name, members = self.instance(kind)
        if name in self.unions:
            sizes = {size for _, size in members}
            if len(sizes) != 1:
                complain(f"the members of {name} differ in size")
            return max(sizes)
        if members:
            return sum(size for _, size in members)
        complain(f"what is {kind}?")
        return None

    def uses(self):
        """Every type that a call or a structure points to."""
        pending = re.findall(r"(?m)^\w+\$\w+\((.*)\)", self.text)
        while pending:
            for part in split(pending.pop()):
                part = re.sub(r"^\w+ (?=\w)", "", part)
                name, args = head_and_args(part)
                if name in self.members or name in self.aliases:
                    yield part
                    struct = self.aliases.get(name, part)
                    pending += [of for _, of in self.members[head_and_args(struct)[0]]]
                    pending += head_and_args(struct)[1]
                pending += args


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        header = Header(f.read())
    with open(sys.argv[2], encoding="utf-8") as f:
        description = Description(f.read(), header.numbers)

    seen = set()
    for kind in sorted(set(description.uses())):
        name, members = description.instance(kind)
        # wsock_event_inherit is another use of the structure before it.
        struct = "wsock_event_select" if name == "wsock_event_inherit" else name
        seen.add(struct)
        if struct == "wsock_sqe":
            if sum(size for _, size in members) != SQE_SIZE:
                complain(f"{kind} has not {SQE_SIZE} bytes")
        elif struct in header.structs:
            if members != header.structs[struct]:
                complain(f"{kind}: {members}, in the header {header.structs[struct]}")
        elif name not in description.unions:
            complain(f"{name} is not in the header")
    for struct in header.structs:
        if struct not in seen:
            complain(f"struct {struct} is not used")

    for name, direction, struct in header.ioctls:
        calls = re.findall(rf"(?m)^ioctl\$\w+\(fd (\w+), cmd const\[{name}\], arg (.*)\)(?: \w+)?$",
                           description.text)
        pointer = {"IO": "const[0]", "IOW": "ptr[in, ", "IOWR": "ptr[inout, "}[direction]
        fd = "fd_wsock_port" if "_PORT_IOC_" in name else "fd_wsock"
        if not calls:
            complain(f"no ioctl is {name}")
        for of, arg in calls:
            used = description.instance(head_and_args(arg)[1][-1])[0] if struct else ""
            if used == "wsock_event_inherit":
                used = "wsock_event_select"
            if of != fd or not arg.startswith(pointer) or used != struct:
                complain(f"{name} is _{direction} of {struct or 'nothing'} of a {fd}, "
                         f"not of a {of} with {arg}")
    for name in sorted(header.names):
        if not re.search(rf"\b{name}\b", description.text):
            complain(f"{name} is not used")

    print("\n".join(errors), end="\n" if errors else "")
    return 1 if errors else 0


sys.exit(main())
