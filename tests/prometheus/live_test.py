#!/usr/bin/python3
"""Prometheus with the shipped configuration, addresses and times replaced, scraping the real programs:
every series that a rule names is there, and an idle product alerts nobody (R82, R83, R85, R86).

live_test.py FOLDER-OF-PROGRAMS
"""

import json
import pathlib
import re
import shutil
import sys
import tempfile
import time
import unittest

import yaml

sys.dont_write_bytecode = True
TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "prometheus"), str(TESTS / "f29"), str(TESTS.parent / "conf/prometheus")]
import promql  # noqa: E402
import rules  # noqa: E402
from blackbox_test import PAGES, SHIPPED, with_authority  # noqa: E402
from running import EXPORTER, Program, Prometheus, Web, certificate, until  # noqa: E402
from served import Service  # noqa: E402

CONF = TESTS.parent / "conf"
PROGRAMS = None
# Which disks a machine has is not ours to say: series of these match by name alone.
OF_THE_MACHINE = "node_filesystem_"
FIGURES = {'dr_backup_timestamp_seconds{kind="database"}': None,
           'dr_backup_timestamp_seconds{kind="filestore"}': None,
           "dr_restore_test_timestamp_seconds": None, "dr_wal_archive_age_seconds": 20,
           "dr_wal_archive_gaps": 0, "dr_standby_lag_seconds": 0, "dr_rto_seconds": 900}


def start_odoo(folder, color):
    ports = folder / f"{color}.ports"
    program = Program([PROGRAMS / "standin_odoo", "--color", color, "--nonce-log", folder / "nonces",
                       "--ports-file", ports], r"(http=\S+)")
    text = until("ports of the stand-in", lambda: ports.exists() and ports.read_text())
    return program, dict(re.findall(r"(\w+)=\S*?(\d+)\b", text))


def sidecar_config(folder, colors):
    """The shipped file, in a folder of its own, with the stand-ins as colors."""
    text = (CONF / "sidecar.yaml").read_text()
    for place in ("/run/sidecar", "/var/lib/sidecar", "/var/log/sidecar", "/var/tmp"):
        text = text.replace(place, str(folder))
    config = yaml.safe_load(text)
    config["listen"] = config["metrics"]["listen"] = "127.0.0.1:0"
    for color, ports in colors.items():
        config["colors"][color]["http"] = [f"127.0.0.1:{ports['http']}"]
        config["colors"][color]["websocket"] = [f"127.0.0.1:{ports['websocket']}"]
    path = folder / "sidecar.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


class Product(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.running = []
        cls.addClassCleanup(lambda: [one.close() for one in reversed(cls.running)])
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        folder = pathlib.Path(folder.name)
        certificate(folder)
        colors = {}
        for color in ("blue", "green"):
            program, colors[color] = start_odoo(folder, color)
            cls.running.append(program)
        cls.sidecar = cls.start([PROGRAMS / "sidecar", "--config", sidecar_config(folder, colors)],
                                r'"metrics":"([^"]+)"')
        tax = Service(str(PROGRAMS / "f29svc"))
        cls.running.append(tax)
        cls.web, cls.color_pages = Web(PAGES, folder), Web(PAGES)
        cls.running += [cls.web, cls.color_pages]
        (folder / "blackbox.yml").write_text(with_authority(SHIPPED.read_text(), folder / "ca.pem"))
        cls.blackbox = cls.start(["prometheus-blackbox-exporter", "--config.file",
                                  folder / "blackbox.yml", "--web.listen-address=127.0.0.1:0"], EXPORTER)
        (folder / "figures").mkdir()
        (folder / "figures/dr.prom").write_text("".join(
            f"{name} {time.time() if value is None else value}\n" for name, value in FIGURES.items()))
        node = cls.start(["prometheus-node-exporter", "--web.listen-address=127.0.0.1:0",
                          "--collector.disable-defaults", "--collector.filesystem",
                          # Any disk will do, also those of a container.
                          "--collector.filesystem.fs-types-exclude=^$",
                          "--collector.filesystem.mount-points-exclude=^$",
                          "--collector.textfile", f"--collector.textfile.directory={folder}/figures"],
                         EXPORTER)
        cls.colors = [cls.color_pages.url("/web/login", host) for host in ("127.0.0.1", "localhost")]
        config = cls.configure(folder, {
            "sidecar": [cls.sidecar.address], "f29svc": [tax.address], "node": [node.address],
            "blackbox": [cls.blackbox.address],
            "probe_front": [cls.web.url("/web/login")],
            "probe_websocket": [cls.web.url("/websocket/health")],
            "probe_sso": [cls.web.url("/.well-known/openid-configuration")],
            "probe_sii": [cls.web.url("/")], "probe_color": cls.colors, "alertmanager": []})
        cls.prometheus = Prometheus(config, folder)
        cls.running.append(cls.prometheus)

    @classmethod
    def start(cls, words, told):
        cls.running.append(Program(words, told))
        return cls.running[-1]

    @classmethod
    def configure(cls, folder, addresses):
        """A copy of conf/prometheus with these targets, each second."""
        copy = folder / "prometheus"
        shutil.copytree(CONF / "prometheus", copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        for path in (copy / "targets").iterdir():
            entries = yaml.safe_load(path.read_text())
            found = addresses[path.stem]  # a file of targets that nobody replaces is a fault
            for entry, address in zip(entries, found, strict=len(found) > 0):
                entry["targets"] = [address]
            path.write_text(yaml.safe_dump(entries))
        config = copy / "prometheus.yml"
        text = config.read_text().replace("blackbox:9115", cls.blackbox.address)
        config.write_text(re.sub(r"(_(interval|timeout)): \d+s", r"\1: 1s", text))
        records = copy / "rules/records.yml"
        records.write_text(re.sub(r"interval: \w+", "interval: 1s", records.read_text()))
        return config

    def has(self, selector):
        if selector.startswith(OF_THE_MACHINE):
            selector = selector.partition("{")[0]
        return bool(self.prometheus.query(f"count({selector})"))

    def test_every_series_that_a_rule_names_is_there(self):
        names = set()
        for file in ("records.yml", "alerts.yml"):
            for group in yaml.safe_load((CONF / "prometheus/rules" / file).read_text())["groups"]:
                for rule in group["rules"]:
                    names |= promql.selectors(rule["expr"])
                    names |= {rule["record"]} if "record" in rule else set()
        self.assertGreater(len(names), 50)
        missing = set(names)

        def look():
            missing.difference_update([one for one in missing if self.has(one)])
            return not missing
        try:
            until("series", look, 20)
        except AssertionError:
            self.assertEqual(missing, set())

    def test_every_panel_shows_something_that_is_there(self):
        """Series exist, and so does each label of a legend; filters are taken away."""
        panels = [panel for path in sorted((CONF / "grafana/dashboards").glob("*.json"))
                  for panel in json.loads(path.read_text())["panels"] if panel["type"] != "row"]
        self.assertGreater(len(panels), 20)
        for panel in panels:
            for target in panel["targets"]:
                expr = target["expr"].replace("$color", ".*").replace("$__rate_interval", "1m")
                expr = re.sub(r" (> 0|== 1)$", "", expr)
                found = until(f"{panel['title']}: {expr}", lambda: self.prometheus.query(expr))
                for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                    self.assertIn(label, found[0]["metric"], f"{panel['title']}: {expr}")

    def test_thresholds_may_be_any_edge_of_the_histogram(self):
        found = until("buckets", lambda: self.prometheus.query(
            "count by (le) (odoo_request_latency_seconds_bucket)"))
        edges = {float(one["metric"]["le"]) for one in found} - {float("inf")}
        self.assertEqual(edges, set(rules.EDGES))

    def test_every_probe_succeeds_and_targets_are_told_apart(self):
        want = {"probe_front": 1, "probe_websocket": 1, "probe_color": 2, "probe_sso": 1, "probe_sii": 1}

        def look():
            found = self.prometheus.query("probe_success == 1")
            return found if len(found) == sum(want.values()) else None
        found = until("probes", look)
        count = {}
        for one in found:
            count[one["metric"]["job"]] = count.get(one["metric"]["job"], 0) + 1
            self.assertNotEqual(one["metric"]["instance"], self.blackbox.address)
        self.assertEqual(count, want)
        instances = {one["metric"]["instance"]: one["metric"]["color"] for one in found
                     if one["metric"]["job"] == "probe_color"}
        self.assertEqual(instances, dict(zip(self.colors, ("blue", "green"))))

    def test_an_idle_product_alerts_nobody(self):
        def look():
            groups = self.prometheus.api("rules")["groups"]
            return groups if all(rule["health"] != "unknown" for group in groups
                                 for rule in group["rules"]) else None
        # Both colors have to be found healthy before "down" may be said of none.
        until("colors up", lambda: len(self.prometheus.query("sidecar_color_up == 1")) == 2)
        groups = until("evaluations", look)
        for rule in (rule for group in groups for rule in group["rules"]):
            self.assertEqual(rule["health"], "ok", rule)
        firing = {one["labels"]["alertname"]: one["annotations"]
                  for one in self.prometheus.api("alerts")["alerts"] if one["state"] == "firing"}
        self.assertEqual(set(firing), {"Watchdog"})
        self.assertNotIn("error", json.dumps(firing))

    def test_no_shipped_file_waits_for_a_variable(self):
        files = [SHIPPED, *(CONF / "prometheus").rglob("*.yml")]
        self.assertGreater(len(files), 10)
        for path in files:
            self.assertNotIn("${", path.read_text(), path)

    def test_z_a_sidecar_that_is_gone_is_noticed(self):
        """The last one: it ends the sidecar."""
        self.running.remove(self.sidecar)
        self.sidecar.process.kill()
        self.sidecar.close()
        until("the alert", lambda: any(
            one["labels"]["alertname"] == "OdooMetricsAbsent" and one["state"] == "pending"
            for one in self.prometheus.api("alerts")["alerts"]))


if __name__ == "__main__":
    PROGRAMS = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
