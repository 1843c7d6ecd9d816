#!/usr/bin/env python3
"""Makes one ctest folder from the tests of several builds, so that one run has one summary.

usage: join_ctests.py OUT BUILD[=PREFIX[:REGEX]] ...
Tests of a build with a prefix are called PREFIX.NAME; a regex takes only the tests it matches whole.
"""

import json
import os
import re
import subprocess
import sys


def tests_of(build):
    shown = subprocess.run(
        ["ctest", "--test-dir", build, "--show-only=json-v1"],
        check=True, capture_output=True, text=True).stdout
    return json.loads(shown)["tests"]


def quoted(text):
    return "[==[" + str(text) + "]==]"


def property_text(value):
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, list):
        return ";".join(property_text(each) for each in value)
    return str(value)


def main(out, *builds):
    os.makedirs(out, exist_ok=True)
    lines = []
    for build in builds:
        build, _, rest = build.partition("=")
        prefix, _, wanted = rest.partition(":")
        taken = 0
        for test in tests_of(build):
            if wanted and not re.fullmatch(wanted, test["name"]):
                continue
            if "command" not in test:
                sys.exit(f"{build}: test {test['name']} is declared but its program is not built")
            name = f"{prefix}.{test['name']}" if prefix else test["name"]
            lines.append(f"add_test({quoted(name)} {' '.join(map(quoted, test['command']))})")
            for each in test.get("properties", []):
                key, value = each["name"], each["value"]
                if key == "RESOURCE_LOCK" or isinstance(value, (bool, int, float, str)) \
                        or key in ("ENVIRONMENT", "LABELS", "WORKING_DIRECTORY"):
                    lines.append(f"set_tests_properties({quoted(name)} PROPERTIES "
                                 f"{key} {quoted(property_text(value))})")
            taken += 1
        if taken == 0:
            sys.exit(f"{build}: no test of it matches")
    with open(os.path.join(out, "CTestTestfile.cmake"), "w") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
