#!/usr/bin/python3
"""Writes the recording and alert rules from the files that the daemon reads, so that thresholds are
said once: the scaling policy, and the routes and drain times of the sidecar's config.

rules.py [--policy FILE] [--sidecar FILE] [--runbooks URL] [--out FOLDER] [--check]

Keys that FILE leaves out are taken from conf/, which has every key with its default. --check
writes nothing and ends with 1 if the files in FOLDER are not what would be written. 2: a file has
a fault.
"""

import argparse
import pathlib
import re
import sys

import yaml

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import alerts  # noqa: E402

CONF = pathlib.Path(__file__).resolve().parents[1]
# Edges of odoo_request_latency_seconds (proxy/base). A share is exact at an edge only.
EDGES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.9, 1.2, 2.5, 5, 15, 60)
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


class Fault(Exception):
    """What the operator has to mend; the text names file and key."""


def read(path, shipped):
    """The mapping in the file over the shipped one, section by section."""
    try:
        given = yaml.safe_load(path.read_text()) or {}
    except (OSError, yaml.YAMLError) as error:
        raise Fault(f"{path}: {error}") from None
    if not isinstance(given, dict):
        raise Fault(f"{path}: is no mapping")
    whole = yaml.safe_load(shipped.read_text())
    for key, value in given.items():
        if isinstance(value, dict) and isinstance(whole.get(key), dict):
            whole[key] = {**whole[key], **value}
        else:
            whole[key] = value
    return whole


def seconds(text, what):
    """5m, 60s, 2h; a bare number is seconds."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)?", str(text))
    if not match:
        raise Fault(f"{what}: {text!r} is no time")
    return float(match.group(1)) * UNITS[match.group(2) or "s"]


def duration(value):
    """Seconds as Prometheus writes them."""
    whole = max(1, round(value))
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if whole % size == 0:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def number(value):
    """1.2 and 5, as in the label le."""
    return f"{value:g}"


def edge(value, what):
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Fault(f"{what}: {value!r} is no number of seconds")
    if value not in EDGES:
        near = sorted(sorted(EDGES, key=lambda one: abs(one - value))[:2])
        raise Fault(f"{what}: {number(value)} is no edge of the histogram; the nearest are "
                    + " and ".join(number(one) for one in near))
    return number(value)


def settings(policy_file, sidecar_file, runbooks):
    """What the rules are made from, each as PromQL text."""
    policy = read(policy_file, CONF / "policy.yml")
    sidecar = read(sidecar_file, CONF / "sidecar.yaml")
    try:
        up, down = policy["scale_up"], policy["scale_down"]
        streams = [one["name"] for one in sidecar["routes"] if one.get("port") == "websocket"]
        stuck = seconds(sidecar["drain"]["deadline"], f"{sidecar_file}: drain.deadline")
        share = float(policy["capacity"]["connections_share"])
        slow_for = seconds(up["for"], f"{policy_file}: scale_up.for")
        return {
            "slow": edge(up["p95_latency_s"], f"{policy_file}: scale_up.p95_latency_s"),
            "fast": edge(down["p95_latency_s"], f"{policy_file}: scale_down.p95_latency_s"),
            "slow_for": duration(slow_for),
            "blind_for": duration(5 * seconds(policy["blind_after"], f"{policy_file}: blind_after")),
            "connections": number(share),
            "connections_percent": f"{share * 100:.0f}",
            # A drain ends by its deadline, then its websockets are cut: ten minutes are plenty.
            "stuck_for": duration(stuck + 600),
            # Routes whose answers are meant to take long. PromQL: a regular expression.
            "streams": "|".join(streams) or "-",
            "runbooks": runbooks,
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Fault(f"{policy_file} or {sidecar_file}: {error!r}") from None


class Block(str):
    """Written as a block, so that a diff of a rule is one of its lines."""


yaml.SafeDumper.add_representer(Block, lambda dumper, text: dumper.represent_scalar(
    "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None))


def records(given):
    served = f'route!~"{given["streams"]}"'

    def errors(by, window):
        return (f'sum by ({by}) (rate(odoo_requests_total{{code=~"5.."}}[{window}]))\n/\n'
                f"sum by ({by}) (rate(odoo_requests_total[{window}]))")

    def above(threshold):
        return ("1 -\n"
                f'sum by (job, color) (rate(odoo_request_latency_seconds_bucket{{{served}, '
                f'le="{threshold}"}}[5m]))\n/\n'
                f"sum by (job, color) (rate(odoo_request_latency_seconds_count{{{served}}}[5m]))")

    # Other codes than listed ones are `other`; those of 5xx that Odoo and the sidecar use are listed.
    rows = [
        ("job:odoo_requests:rate5m", "sum by (job) (rate(odoo_requests_total[5m]))"),
        ("color:odoo_requests:rate5m", "sum by (job, color) (rate(odoo_requests_total[5m]))"),
        ("color:odoo_request_errors_per_requests:ratio_rate5m", errors("job, color", "5m")),
        ("color:odoo_request_slow_per_requests:ratio_rate5m", above(given["slow"])),
        ("color:odoo_request_not_fast_per_requests:ratio_rate5m", above(given["fast"])),
        ("color:odoo_request_latency_seconds:p95_5m",  # for panels: a guess between two edges
         "histogram_quantile(0.95,\n  sum by (job, color, le) "
         f"(rate(odoo_request_latency_seconds_bucket{{{served}}}[5m])))"),
    ]
    for window in ("5m", "30m", "1h", "6h", "3d"):
        rows.append((f"job:odoo_request_errors_per_requests:ratio_rate{window}",
                     errors("job", window)))
    for window in ("1h", "6h", "3d"):
        rows.append((f"job:odoo_request_errors:increase{window}",
                     f'sum by (job) (increase(odoo_requests_total{{code=~"5.."}}[{window}]))'))
    return {"groups": [{"name": "odoo_records", "interval": "30s",
                        "rules": [{"record": name, "expr": Block(expr)} for name, expr in rows]}]}


def fill(text, given):
    """@name@ stands for a setting; braces belong to PromQL and to templates."""
    return re.sub(r"@(\w+)@", lambda match: given[match.group(1)], text)


def alert_rules(given):
    groups = []
    for group, rows in alerts.GROUPS:
        rules = []
        for row in rows:
            rule = {"alert": row["alert"], "expr": Block(fill(row["expr"], given))}
            if "for" in row:
                rule["for"] = fill(row["for"], given)
            if "keep" in row:
                rule["keep_firing_for"] = row["keep"]
            rule["labels"] = {"severity": row["severity"]}
            rule["annotations"] = {
                "summary": fill(row["summary"], given),
                "description": fill(row["description"], given),
                "runbook_url": f"{given['runbooks']}{row['runbook']}.md",
            }
            rules.append(rule)
        groups.append({"name": group, "rules": rules})
    return {"groups": groups}


def render(given):
    head = "# Made by conf/prometheus/rules.py (./dev rules). Change that, or the policy, not this.\n"
    made = {"records.yml": records(given), "alerts.yml": alert_rules(given)}
    return {name: head + yaml.safe_dump(tree, sort_keys=False, width=100, allow_unicode=True)
            for name, tree in made.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--policy", type=pathlib.Path, default=CONF / "policy.yml")
    parser.add_argument("--sidecar", type=pathlib.Path, default=CONF / "sidecar.yaml")
    parser.add_argument("--runbooks", default="docs/runbooks/", help="what comes before NAME.md")
    parser.add_argument("--out", type=pathlib.Path, default=CONF / "prometheus/rules")
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    try:
        files = render(settings(given.policy, given.sidecar, given.runbooks))
    except Fault as fault:
        print(fault, file=sys.stderr)
        return 2
    stale = 0
    for name, text in files.items():
        path = given.out / name
        if path.exists() and path.read_text() == text:
            continue
        stale += 1
        if given.check:
            print(f"{path}: not what the policy says; run ./dev rules", file=sys.stderr)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            print(f"wrote {path}")
    return 1 if given.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
