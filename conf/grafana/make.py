#!/usr/bin/env python3
"""Writes the dashboards as JSON with uids that stay: make.py [--check]. Each answers one question; a
panel has a unit, and links to runbooks stand at the top."""

import argparse
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
COLOR = 'color=~"$color"'
WIDTH = 24


def query(expr, legend):
    return {"expr": expr, "legendFormat": legend}


def panel(title, unit, *queries, kind="timeseries", width=8, says="", stack=False):
    made = {"title": title, "type": kind, "datasource": SOURCE, "width": width, "description": says,
            "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
            "targets": [{"refId": chr(65 + number), "datasource": SOURCE, **one,
                         "format": "heatmap" if kind == "heatmap" else "time_series"}
                        for number, one in enumerate(queries)]}
    if stack:
        made["fieldConfig"]["defaults"]["custom"] = {"stacking": {"mode": "normal"}, "fillOpacity": 30}
    if kind == "heatmap":
        made["options"] = {"calculate": False, "yAxis": {"unit": unit}}
    return made


def row(title, *panels):
    return title, panels


USERS = [
    row("Users now",
        panel("Requests", "reqps", query(f"color:odoo_requests:rate5m{{{COLOR}}}", "{{color}}")),
        panel("Share of errors", "percentunit",
              query(f"color:odoo_request_errors_per_requests:ratio_rate5m{{{COLOR}}}", "{{color}}"),
              says="Answers with 5xx. The budget is 0.5 %."),
        panel("Share above the policy's threshold", "percentunit",
              query(f"color:odoo_request_slow_per_requests:ratio_rate5m{{{COLOR}}}", "{{color}}"),
              says="Exact: the threshold is an edge. p95 is above it where this is above 5 %."),
        panel("Latency", "s", query(
            f"sum by (le) (increase(odoo_request_latency_seconds_bucket{{{COLOR}}}[$__rate_interval]))",
            "{{le}}"), kind="heatmap", width=16),
        panel("p95 (a guess between two edges)", "s",
              query(f"color:odoo_request_latency_seconds:p95_5m{{{COLOR}}}", "{{color}}")),
        panel("By code", "reqps", query(
            f"sum by (code) (rate(odoo_requests_total{{{COLOR}}}[5m])) > 0", "{{code}}"), width=12, stack=True),
        panel("What went wrong", "ops", query(
            "sum by (error) (rate(sidecar_errors_total[5m])) > 0", "{{error}}"), width=12, stack=True)),
    row("In flight and waiting",
        panel("In flight", "short", query(
            f"sum by (color, kind) (odoo_active_requests{{{COLOR}}})", "{{color}} {{kind}}"), stack=True),
        panel("Waiting for a slot (mean)", "s", query(
            f"rate(sidecar_queue_seconds_sum{{{COLOR}}}[5m]) / rate(sidecar_queue_seconds_count{{{COLOR}}}[5m])",
            "{{color}}")),
        panel("Given up in the line", "ops",
              query("rate(sidecar_queue_timeouts_total[5m])", "queue timeout"),
              query("rate(sidecar_queue_full_total[5m])", "queue full"),
              query("rate(sidecar_hold_timeouts_total[5m])", "hold timeout"))),
    row("Seen from outside",
        panel("Probes", "bool_on_off", query('probe_success{job=~"probe_.*"}', "{{job}} {{instance}}"),
              width=16),
        panel("Certificates end in", "s", query(
            "probe_ssl_earliest_cert_expiry - time()", "{{instance}}"), kind="stat")),
]
ROLLOUT = [
    row("Canary beside stable",
        panel("Share of new users", "percentunit",
              query(f"shifter_weight_ratio{{{COLOR}}}", "{{color}} by weight"),
              query("shifter_canary_share_ratio", "canary")),
        panel("Errors", "percentunit",
              query("color:odoo_request_errors_per_requests:ratio_rate5m", "{{color}}")),
        panel("Above the threshold", "percentunit",
              query("color:odoo_request_slow_per_requests:ratio_rate5m", "{{color}}"))),
    row("State and evidence",
        panel("Phase", "short", query("shifter_phase == 1", "{{phase}}"), kind="state-timeline", width=12),
        panel("Holds because", "short", query("shifter_holding == 1", "{{reason}}"), kind="state-timeline",
              width=12),
        panel("Evidence against the canary (log)", "short", query("shifter_evidence", "{{signal}}")),
        panel("What the judge said", "ops",
              query("rate(shifter_verdict_total[5m])", "{{verdict}}")),
        panel("Ends", "short", query("increase(shifter_rollouts_total[1d])", "{{end}}"),
              query("increase(shifter_rollbacks_total[1d])", "back: {{reason}}"), kind="bargauge")),
    row("Drain",
        panel("Left on a color", "short",
              query(f"sum by (color, kind) (odoo_active_requests{{{COLOR}}})", "{{color}} {{kind}}"),
              width=12),
        panel("State of colors", "short", query("sidecar_color_state == 1", "{{color}} {{state}}"),
              kind="state-timeline", width=12)),
    row("Workers and queue",
        panel("Workers", "short", query(f"shifter_workers{{{COLOR}}}", "{{color}} {{source}}"),
              query("shifter_scaler_min_workers", "least"), query("shifter_scaler_max_workers", "most")),
        panel("In flight (mean) and above the workers", "short",
              query(f"shifter_scaler_in_flight_mean{{{COLOR}}}", "{{color}} in flight"),
              query(f"shifter_scaler_queue_max{{{COLOR}}}", "{{color}} queue")),
        panel("The scaler's reason", "short", query("shifter_scaler_reason == 1", "{{reason}}"),
              kind="state-timeline")),
]
MACHINE = [
    row("Sidecar",
        panel("Memory and waiting bytes", "bytes",
              query("sidecar_spool_memory_bytes", "in memory"), query("sidecar_spool_disk_bytes", "on disk")),
        panel("Connections of clients", "short", query("sidecar_client_connections", "{{instance}}")),
        panel("State saved", "bool_yes_no", query("1 - sidecar_state_unsaved", "saved"), kind="stat")),
    row("Database and its backups",
        panel("Connections", "percentunit", query(
            "shifter_agent_connections / shifter_agent_connections_max", "taken")),
        panel("Since a WAL file was archived", "s", query("dr_wal_archive_age_seconds", "archive"),
              query("dr_standby_lag_seconds", "standby behind")),
        panel("Age of backups and of the last restore", "s",
              query("time() - dr_backup_timestamp_seconds", "{{kind}}"),
              query("time() - dr_restore_test_timestamp_seconds", "restore test"))),
    row("Tax service (F29)",
        panel("Requests", "reqps", query("sum by (code) (rate(f29_requests_total[5m]))", "{{code}}")),
        panel("Imports and computations an hour", "short",
              query("sum(increase(f29_imports_total[1h]))", "imports"),
              query("sum(increase(f29_computations_total[1h]))", "computations")),
        panel("Taxes that belong to no box", "short", query("f29_unmapped_taxes", "lines"), kind="stat")),
]
DASHBOARDS = [("users", "sidecar-users", "Users now", USERS, "incidents"),
              ("rollout", "sidecar-rollout", "Rollout", ROLLOUT, "canary_rolled_back"),
              ("machine", "sidecar-machine", "Machine, backups, taxes", MACHINE, "dr_plan")]


def dashboard(uid, title, rows, runbook):
    panels, y, number = [], 0, 0
    for name, members in rows:
        number += 1
        panels.append({"id": number, "type": "row", "title": name, "collapsed": False, "panels": [],
                       "gridPos": {"h": 1, "w": WIDTH, "x": 0, "y": y}})
        x, y = 0, y + 1
        for member in members:
            member, number = dict(member), number + 1
            width = member.pop("width")
            if x + width > WIDTH:
                x, y = 0, y + 8
            panels.append({"id": number, **member, "gridPos": {"h": 8, "w": width, "x": x, "y": y}})
            x += width
        y += 8
    return {
        "uid": uid, "title": title, "schemaVersion": 38, "version": 1, "editable": False,
        "tags": ["sidecar"], "timezone": "browser", "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "links": [{"title": f"Runbook: {runbook}", "type": "link", "targetBlank": True,
                   "url": f"docs/runbooks/{runbook}.md"}],
        "annotations": {"list": [{
            "name": "Changes", "enable": True, "iconColor": "blue", "datasource": SOURCE,
            "expr": "changes(shifter_epoch[1m]) > 0", "titleFormat": "epoch {{__value__}}"}]},
        "templating": {"list": [
            {"name": "datasource", "type": "datasource", "query": "prometheus"},
            {"name": "color", "type": "query", "datasource": SOURCE, "includeAll": True, "multi": True,
             "query": "label_values(sidecar_color_up, color)", "refresh": 2,
             "current": {"text": "All", "value": "$__all"}, "allValue": ".*"}]},
        "panels": panels}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if a file is stale")
    given = parser.parse_args()
    stale = 0
    for file, uid, title, rows, runbook in DASHBOARDS:
        path = HERE / "dashboards" / f"{file}.json"
        text = json.dumps(dashboard(uid, title, rows, runbook), indent=1) + "\n"
        if not path.exists() or path.read_text() != text:
            stale += 1
            if given.check:
                print(f"{path}: is stale; run conf/grafana/make.py", file=sys.stderr)
            else:
                path.write_text(text)
    return 1 if given.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
