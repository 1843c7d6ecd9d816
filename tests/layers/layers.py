#!/usr/bin/env python3
"""The shape of the project, checked: includes against the table of docs/design.md, homes of outside
libraries, sizes, shipped configurations, names in documents, words that are not committed.

usage: layers.py [--root DIR] [--bin DIR] [--self-test]
Prints every fault as FILE:LINE: what, and exits 1 if there is one.
"""

import argparse
import glob
import json
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import named  # noqa: E402
import rules  # noqa: E402

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
CODE = (".h", ".cpp", ".c")
SCRIPTS = (".py", ".sh")


class Tree:
    """The files of a work tree and the faults found in them."""

    def __init__(self, root):
        self.root = root
        self.faults = []
        self.paths = sorted(self._list())
        self._text = {}

    def _list(self):
        listed = subprocess.run(["git", "-C", self.root, "ls-files", "-co", "--exclude-standard"],
                                capture_output=True, text=True)
        if listed.returncode == 0:
            return [p for p in set(listed.stdout.splitlines())
                    if os.path.isfile(os.path.join(self.root, p))]
        found = []
        for folder, _, names in os.walk(self.root):
            found += [os.path.relpath(os.path.join(folder, n), self.root) for n in names]
        return found

    def text(self, path):
        if path not in self._text:
            with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as file:
                self._text[path] = file.read()
        return self._text[path]

    def lines(self, path):
        return self.text(path).splitlines()

    def fault(self, path, line, what):
        self.faults.append((path, line, what))

    def exists(self, path):
        return os.path.exists(os.path.join(self.root, path))


def row_of(path):
    for pattern, row in rules.ROWS:
        if re.fullmatch(pattern, path):
            return row
    return None


def check_includes(tree):
    wrappers = {}
    for path in tree.paths:
        if not path.endswith((".h", ".cpp")) or row_of(path) is None:
            continue
        first = True
        for number, line in enumerate(tree.lines(path), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            kind, name = match.groups()
            if first:
                check_own_header(tree, path, number, name)
                first = False
            if kind == '"':
                check_own_include(tree, path, number, name)
            else:
                check_library(tree, path, number, name, wrappers)
    for library, users in wrappers.items():
        if library in rules.ONE_WRAPPER and len(users) > 1:
            tree.fault(users[1], 0, f"{library} is hidden in one wrapper, but {users[0]} "
                                    f"includes it as well")


def check_own_header(tree, path, number, name):
    own = path[:-4] + ".h"
    if path.endswith(".cpp") and tree.exists(own) and name != own:
        tree.fault(path, number, f'its own header "{own}" comes first, not {name}')


def check_own_include(tree, path, number, name):
    if not tree.exists(name):
        tree.fault(path, number, f'"{name}" is no file: includes are written from the root')
        return
    allowed, target = rules.MAY_INCLUDE[row_of(path)], row_of(name)
    if allowed is None or target == row_of(path):
        return
    if target not in allowed:
        tree.fault(path, number, f'{row_of(path)} may not include {target} ("{name}"); see the '
                                 f"table in docs/design.md")
    elif name.endswith("main.cpp"):
        tree.fault(path, number, "nothing includes a main.cpp")


def check_library(tree, path, number, name, wrappers):
    if row_of(path) == "tests, bench" or re.fullmatch(rules.SYSTEM_HEADER, name):
        return
    for pattern, homes, library in rules.LIBRARIES:
        if not re.fullmatch(pattern, name):
            continue
        if not any(re.fullmatch(home, path) for home in homes):
            tree.fault(path, number, f"<{name}>: {library} has its home in {' and '.join(homes)}")
        users = wrappers.setdefault(library, [])
        if path not in users:
            users.append(path)
        return
    tree.fault(path, number, f"<{name}> belongs to no library of tests/layers/rules.py")


def check_design_table(tree):
    """docs/design.md shows the same table: a row per folder, a column per folder, yes or not."""
    path = "docs/design.md"
    if not tree.exists(path):
        tree.fault(path, 0, "is missing; it shows who may include whom")
        return
    columns, seen = None, {}
    for number, line in enumerate(tree.lines(path), 1):
        cells = [cell.strip(" *`") for cell in line.strip().strip("|").split("|")]
        if cells[0].startswith("may include"):
            columns = cells[1:]
        elif columns and not line.startswith("|"):
            break
        elif columns and not set(cells[0]) <= {"-", ":"}:
            said = {c for c, cell in zip(columns, cells[1:]) if cell == "yes"}
            for name in [cells[0]] if cells[0] in rules.MAY_INCLUDE else cells[0].split(", "):
                seen[name] = (number, None if cells[1] == "anything" else said)
    for name, allowed in rules.MAY_INCLUDE.items():
        number, said = seen.pop(name, (0, "nothing"))
        if said != allowed:
            show = "anything" if allowed is None else ", ".join(sorted(allowed)) or "nothing"
            tree.fault(path, number, f'the row "{name}" differs from tests/layers/rules.py, which '
                                     f"allows {show}")
    for name, (number, _) in seen.items():
        tree.fault(path, number, f'the row "{name}" is not in tests/layers/rules.py')


def check_sizes(tree):
    for path in tree.paths:
        if not path.endswith(CODE + SCRIPTS) and path != "dev":
            continue
        lines = tree.lines(path)
        most = rules.TEST_LINES_MAX if path.startswith("tests/") else rules.LINES_MAX
        if len(lines) > most:
            tree.fault(path, len(lines), f"{len(lines)} lines, at most {most}: split it by noun")
        if path.endswith(CODE):
            for number, line in enumerate(lines, 1):
                if len(line) > rules.COLUMNS_MAX:
                    tree.fault(path, number, f"{len(line)} columns, at most {rules.COLUMNS_MAX}")


def check_words(tree):
    for path in tree.paths:
        for pattern, where, why in rules.WORDS:
            if path.startswith("tests/layers/") or not re.fullmatch(where, path):
                continue
            for number, line in enumerate(tree.lines(path), 1):
                for match in re.finditer(pattern, line):
                    tree.fault(path, number, f"{match.group(0)}: {why}")


def check_configurations(tree, binaries):
    for path in tree.paths:
        if not path.startswith("conf/"):
            continue
        if path.endswith(".json"):
            try:
                json.loads(tree.text(path))
            except ValueError as error:
                tree.fault(path, 0, f"is not JSON: {error}")
        elif path.endswith((".yaml", ".yml")):
            check_yaml(tree, path, binaries)


def check_yaml(tree, path, binaries):
    for number, line in enumerate(tree.lines(path), 1):
        if re.match(r" *\t", line):
            tree.fault(path, number, "YAML is indented by spaces")
    sidecar = os.path.join(binaries or "", "sidecar")
    if binaries and re.fullmatch(r"sidecar.*\.yaml", os.path.basename(path)) and os.path.exists(sidecar):
        checked = subprocess.run([sidecar, "--check", "--config", os.path.join(tree.root, path)],
                                 capture_output=True, text=True)
        if checked.returncode != 0:
            said = (checked.stdout + checked.stderr).strip() or f"exit {checked.returncode}"
            tree.fault(path, 0, f"sidecar --check refuses it: {said}")


LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
TICKED = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"(\.?/)?(proxy|shifter|f29svc|conf|bench|tests|docs|\.ci)/[\w./*-]*")
METRIC = re.compile(r"(odoo|sidecar|shifter|f29|sii)_[a-z0-9_]+(_total|_seconds|_bytes|_requests"
                    r"|_bucket|_sum|_count|_taxes|_weight|_up|_state|_version)")


def anchors_of(text):
    made = set()
    for heading in re.findall(r"^#+\s+(.*)$", text, re.M):
        made.add(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-"))
    return made


def check_documents(tree):
    code = "\n".join(tree.text(p) for p in tree.paths
                     if p.endswith((".h", ".cpp")) and not p.startswith("tests/"))
    for path in tree.paths:
        if not path.endswith(".md"):
            continue
        fenced = False
        for number, line in enumerate(tree.lines(path), 1):
            fenced ^= line.lstrip().startswith("```")
            if fenced:
                continue
            for target in LINK.findall(line):
                check_link(tree, path, number, target)
            for ticked in TICKED.findall(line):
                check_ticked(tree, path, number, ticked, code)


def check_link(tree, path, number, target):
    if re.match(r"[a-z]+:", target):
        return
    name, _, anchor = target.partition("#")
    file = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
    if not tree.exists(file):
        tree.fault(path, number, f"links to {target}, which is not there")
    elif anchor and file.endswith(".md") and anchor not in anchors_of(tree.text(file)):
        tree.fault(path, number, f"links to {target}, which has no such heading")


def check_ticked(tree, path, number, ticked, code):
    word = ticked.split(" ")[0].rstrip(",;:")
    if PATH.fullmatch(word):
        name = word[2:] if word.startswith("./") else word.lstrip("/")
        if not any(glob.glob(os.path.join(tree.root, name + end)) for end in ("", ".h", ".cpp")):
            tree.fault(path, number, f"names `{word}`, which is not there")
    metric = METRIC.fullmatch(ticked.split("{")[0])
    if metric:
        name = re.sub(r"_(bucket|sum|count)$", "", metric.group(0))
        inner = re.fullmatch(r"[a-z0-9]+_(.+)_total", name)  # "sidecar_" + label + "_total"
        if f'"{name}' not in code and not (inner and f'"{inner.group(1)}"' in code):
            tree.fault(path, number, f"names the metric `{name}`, which no code exports")


def check(root, binaries=None):
    tree = Tree(root)
    check_includes(tree)
    check_design_table(tree)
    check_sizes(tree)
    check_words(tree)
    check_configurations(tree, binaries)
    check_documents(tree)
    named.check(tree)
    return tree.faults


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default=os.path.join(os.path.dirname(__file__), "..", ".."))
    parser.add_argument("--bin", help="the folder of the built programs, to check conf/ with")
    parser.add_argument("--self-test", action="store_true")
    given = parser.parse_args()
    if given.self_test:
        import self_test
        return self_test.run(check)
    faults = check(os.path.abspath(given.root), given.bin)
    for path, line, what in faults:
        print(f"{path}:{line}: {what}" if line else f"{path}: {what}")
    print(f"{len(faults)} faults" if faults else "layers: no fault")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
