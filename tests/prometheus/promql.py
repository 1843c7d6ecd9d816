"""Which series an expression of PromQL names. No parser: enough for what conf/ has in it, and the
tests ask Prometheus for every selector that is found."""

import re

WORDS = {"by", "on", "and", "or", "unless", "ignoring", "without", "group_left", "group_right", "bool",
         "offset", "inf", "nan"}
GROUPING = re.compile(r"\b(by|on|ignoring|without|group_left|group_right)\s*\([^)]*\)")
SELECTOR = re.compile(r"(?<![\w:.\"])([a-zA-Z_:][\w:]*)\s*(\{[^}]*\})?(?!\s*\(|[\w:])")


def selectors(expr):
    """NAME{MATCHERS} of each, as written, without ranges."""
    found = set()
    for match in SELECTOR.finditer(GROUPING.sub(" ", expr)):
        name, matchers = match.groups()
        inside = expr_depth(expr, match) if matchers is None else False
        if name.lower() not in WORDS and not inside:
            found.add(name + (matchers or ""))
    return found


def expr_depth(expr, match):
    """Is it within braces or quotes, and so no name of a series?"""
    before = GROUPING.sub(" ", expr)[:match.start()]
    return before.count("{") > before.count("}") or before.count('"') % 2 == 1 \
        or before.count("[") > before.count("]")


def names(expr):
    """The names alone."""
    return {one.partition("{")[0] for one in selectors(expr)}
