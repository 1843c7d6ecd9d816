"""Shows that the checker sees each kind of fault: a small tree that is right, then one fault at a
time, each of which must be found, alone, in its file."""

import os
import tempfile

import rules


def design_table():
    columns = ["base", "http", "routing", "relay", "shifter/policy", "shifter/control", "shifter/cli",
               "shifter/agent", "f29svc"]
    lines = ["# Design", "", "| may include → | " + " | ".join(columns) + " |",
             "|" + "---|" * (len(columns) + 1)]
    for row, allowed in rules.MAY_INCLUDE.items():
        cells = (["anything"] + [""] * (len(columns) - 1) if allowed is None else
                 ["yes" if column in allowed else "" for column in columns])
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


GOOD = {
    "docs/design.md": design_table(),
    "proxy/base/clock.h": "#pragma once\n#include <chrono>\n",
    "proxy/base/clock.cpp": '#include "proxy/base/clock.h"\n\n#include <sys/time.h>\n',
    "proxy/base/uv_loop.cpp": "#include <uv.h>\n",
    "proxy/base/yaml.cpp": "#include <yaml-cpp/yaml.h>\n",
    "proxy/http/message.h": '#include "proxy/base/clock.h"\n',
    "proxy/routing/choose.h": '#include "proxy/base/clock.h"\n',
    "proxy/relay/exchange.h": '#include "proxy/http/message.h"\n',
    "shifter/control/families.cpp": '#include <string>\nauto n = "odoo_active_requests";\n'
                                    'auto t = "sidecar_" + label("retries") + "_total";\n',
    "tests/unit/x_test.cpp": '#include "proxy/relay/exchange.h"\n#include <gtest/gtest.h>\n',
    "conf/policy.json": "{}\n",
    "shifter/cli/verbs.cpp": 'auto t = {\n      {"status", "", "x"},\n};\n',
    "dev": "verb_http_table() {\n}\n",
    "conf/dr/dr": 'verb("backup", do_backup)\nHELP = {"dr_rto_seconds": ""}\n',
    "conf/Makefile": "switch:\n\ttrue\n",
    "conf/prometheus/rules/records.yml":
        'rules:\n- record: job:x:rate5m\n  expr: rate(sidecar_retries_total{a="sidecar_x"}[5m]) > dr_rto_seconds\n',
    "conf/grafana/dashboards/users.json": '{"panels": [{"targets": [{"expr": "job:x:rate5m"}]}]}\n',
    "docs/metrics.md": "| `odoo_active_requests` | gauge |\n",
    "docs/commands.md": "`shifter status`, `./dev http-table`, `conf/dr/dr backup`, `make -C conf switch`\n"
                        "```\n$ shifter --json status\n```\n",
    "docs/tour.md": "See [design](design.md), `proxy/base/clock`, `odoo_active_requests`,\n"
                    "`sidecar_retries_total`. // TODO(someday): more\n",
}

# What is added or replaced, the file that must be blamed, and a word of the message.
BAD = [
    ("proxy/base/bad.h", '#include "proxy/http/message.h"\n', "base may not include http"),
    ("proxy/http/bad.h", '#include "proxy/routing/choose.h"\n', "http may not include routing"),
    ("shifter/control/bad.cpp", '#include "proxy/relay/exchange.h"\n', "may not include relay"),
    ("f29svc/bad.cpp", '#include "proxy/http/message.h"\n', "f29svc may not include http"),
    ("proxy/base/bad.cpp", '#include "clock.h"\n', "written from the root"),
    ("proxy/base/clock.cpp", '#include <ctime>\n#include "proxy/base/clock.h"\n', "comes first"),
    ("proxy/relay/bad.cpp", "#include <uv.h>\n", "libuv has its home"),
    ("proxy/relay/bad.cpp", "#include <openssl/evp.h>\n", "OpenSSL has its home"),
    ("shifter/control/bad.h", "#include <nlohmann/json.hpp>\n", "has its home"),
    ("proxy/relay/bad.cpp", "#include <curl/curl.h>\n", "belongs to no library"),
    ("proxy/http/bad.cpp", "void f() { llhttp_set_lenient_headers(p, 1); }\n", "strict"),
    ("proxy/http/long.cpp", "\n" * 501, "501 lines"),
    ("tests/unit/long_test.cpp", "\n" * 801, "801 lines"),
    ("proxy/http/wide.cpp", "//" + "x" * 99 + "\n", "101 columns"),
    ("proxy/http/bad.cpp", "// TODO: later\n", "TODO"),
    ("proxy/http/bad.cpp", "// FIXME\n", "FIXME"),
    ("proxy/relay/bad.cpp", "int upstream;\n", "client and backend"),
    ("tests/unit/bad_test.cpp", "void f() { std::this_thread::sleep_for(1s); }\n", "await"),
    ("tests/unit/bad_test.cpp", "TEST(A, DISABLED_B) {}\n", "switched off"),
    ("conf/policy.json", "{", "is not JSON"),
    ("conf/sidecar.yaml", "a:\n\tb: 1\n", "spaces"),
    ("docs/bad.md", "[x](gone.md)\n", "not there"),
    ("docs/bad.md", "[x](design.md#nothing)\n", "no such heading"),
    ("docs/bad.md", "`proxy/base/gone.h`\n", "not there"),
    ("docs/bad.md", "`sidecar_gone_total`\n", "no code exports"),
    ("conf/prometheus/rules/records.yml", "- record: job:x:rate5m\n  expr: sidecar_gone + dr_rto_seconds\n",
     "names the series sidecar_gone"),
    ("conf/grafana/dashboards/users.json", '{"panels": [{"targets": [{"expr": "job:gone:rate5m"}]}]}\n',
     "names the series job:gone:rate5m"),
    ("conf/grafana/dashboards/users.json", '{"panels": [{"targets": [{"expr": "dr_gone_seconds"}]}]}\n',
     "names the series dr_gone_seconds"),
    ("docs/metrics.md", "| `shifter_gone{color}` | gauge |\n", "names the series shifter_gone"),
    ("docs/commands.md", "`shifter --json gone x=1`\n", "none of the verbs of shifter"),
    ("docs/commands.md", "```\n$ shifter gone\n```\n", "none of the verbs of shifter"),
    ("docs/commands.md", "`./dev gone`\n", "none of the verbs of ./dev"),
    ("docs/commands.md", "`conf/dr/dr gone`\n", "none of the verbs of conf/dr/dr"),
    ("docs/commands.md", "`make -C conf gone`\n", "none of the targets of conf/Makefile"),
    ("docs/design.md", design_table().replace("| base |  |", "| base | yes |"), 'row "base"'),
    ("docs/design.md", design_table() + "| lost | yes |\n", 'row "lost"'),
]


def write(root, files):
    for path, text in files.items():
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)


def run(check):
    wrong = []
    with tempfile.TemporaryDirectory() as root:
        write(root, GOOD)
        wrong += [f"the good tree has a fault: {fault}" for fault in check(root)]
    for path, text, message in BAD:
        with tempfile.TemporaryDirectory() as root:
            write(root, {**GOOD, path: text})
            faults = check(root)
            if len(faults) != 1 or faults[0][0] != path or message not in faults[0][2]:
                wrong.append(f"{path} with {text[:60]!r}: expected one fault with {message!r}, "
                             f"found {faults}")
    for each in wrong:
        print(each)
    print(f"self test: {len(BAD) + 1 - len(wrong)} of {len(BAD) + 1}")
    return 1 if wrong else 0
