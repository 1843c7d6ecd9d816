"""What documents, rules and dashboards name is there: series, verbs of shifter, of ./dev, of conf/dr/dr,
targets of conf/Makefile. Each list is read from where the thing itself is made."""

import json
import re

# Of our programs, and of conf/dr; recording rules have colons and are looked for in records.yml.
SERIES = re.compile(r"(?<![\w:/.$-])((?:odoo|sidecar|shifter|f29|sii|dr)_[a-z0-9_]+|(?:job|color):[a-z0-9_:]+)"
                    r"(?![\w/.*(-])")
PARTS = re.compile(r"_(bucket|sum|count)$")
LABELS = re.compile(r'"[^"]*"')  # values of labels name colors, routes and jobs, not series
MENTIONS = [
    # what precedes a word, and in which list the word must be
    (re.compile(r"(?:^\s*|[$>] |bin/)shifter (?:--?[\w-]+(?:[= ][^\s-]\S*)? )*([a-z][a-z-]*)(?![\w=])"),
     "verbs of shifter"),
    (re.compile(r"\./dev ([a-z][a-z0-9-]*)"), "verbs of ./dev"),
    (re.compile(r"conf/dr/dr ([a-z][a-z-]*)"), "verbs of conf/dr/dr"),
    (re.compile(r"make -C conf ([a-z][a-z-]*)"), "targets of conf/Makefile"),
]


def code_of(tree):
    return "\n".join(tree.text(path) for path in tree.paths
                     if path.endswith((".h", ".cpp")) and not path.startswith("tests/"))


def read(tree, path, pattern):
    """None where the file is not: a small tree has none of it."""
    return set(re.findall(pattern, tree.text(path), re.M)) if tree.exists(path) else None


def lists(tree):
    dev = read(tree, "dev", r"^verb_([a-z0-9_]+)\(\)")
    return {
        "verbs of shifter": read(tree, "shifter/cli/verbs.cpp", r'^      \{"([a-z]+)",'),
        "verbs of ./dev": dev and {name.replace("_", "-") for name in dev},
        "verbs of conf/dr/dr": read(tree, "conf/dr/dr", r'verb\("([a-z-]+)", do_'),
        "targets of conf/Makefile": read(tree, "conf/Makefile", r"^([a-z-]+):"),
    }


def exported(name, code, figures):
    """As the programs write it, whole or as "sidecar_" and a label and "_total"."""
    name = PARTS.sub("", name)
    inner = re.fullmatch(r"[a-z0-9]+_(.+)_total", name)
    return f'"{name}' in code or name in figures or bool(inner and f'"{inner.group(1)}"' in code)


def expressions(tree):
    """(path, line, text) of everything that Prometheus or Grafana evaluates."""
    for path in tree.paths:
        if re.fullmatch(r"conf/prometheus/rules/\w+\.yml", path):
            for number, line in enumerate(tree.lines(path), 1):
                if not re.match(r"\s*(- )?(name|alert|summary|description|runbook_url|severity):", line):
                    yield path, number, line
        elif re.fullmatch(r"conf/grafana/dashboards/\w+\.json", path):
            try:
                panels = json.loads(tree.text(path)).get("panels", [])
            except ValueError:
                continue  # told elsewhere
            for panel in panels:
                for target in panel.get("targets", []):
                    yield path, 0, target["expr"]


def check_series(tree, code):
    figures = read(tree, "conf/dr/dr", r'"(dr_\w+)"') or set()
    records = read(tree, "conf/prometheus/rules/records.yml", r"record: (\S+)") or set()
    for path, line, text in expressions(tree):
        for name in SERIES.findall(LABELS.sub('""', text)):
            if name not in records and not exported(name, code, figures):
                tree.fault(path, line, f"names the series {name}, which nothing exports or records")
    table = "docs/metrics.md"
    for number, line in enumerate(tree.lines(table) if tree.exists(table) else [], 1):
        for name in re.findall(r"`((?:odoo|sidecar|shifter|f29|sii|dr)_[a-z0-9_]+)", line):
            if not exported(name, code, figures):
                tree.fault(table, number, f"names the series {name}, which nothing exports")


def spoken(tree, path):
    """(line number, text) of what is set as code: fenced lines, and what stands in ticks."""
    fenced = False
    for number, line in enumerate(tree.lines(path), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif fenced:
            yield number, line
        else:
            for ticked in re.findall(r"`([^`\n]+)`", line):
                yield number, ticked


def check_commands(tree):
    known = lists(tree)
    for path in tree.paths:
        if not path.endswith(".md"):
            continue
        for number, text in spoken(tree, path):
            for pattern, where in MENTIONS:
                for word in pattern.findall(text):
                    if known[where] is not None and word not in known[where]:
                        tree.fault(path, number, f"names {word}, which is none of the {where}")


def check(tree):
    check_series(tree, code_of(tree))
    check_commands(tree)
