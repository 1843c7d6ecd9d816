#!/usr/bin/python3
"""The shipped rules: made from the policy (R83), and each alert firing, quiet, without traffic and
without series (R82, R84, R85, R88, R89), by promtool. rules_test.py"""

import collections
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import yaml

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from scenes import IDLE, SCENES  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONF = ROOT / "conf/prometheus"
RULES = [CONF / "rules/records.yml", CONF / "rules/alerts.yml"]
# What fires where there is no series at all: silence is not peace.
WHEN_ABSENT = {"OdooMetricsAbsent", "DrMetricsAbsent", "TaxMetricsAbsent", "Watchdog"}
QUIETING = re.compile(r"sidecar_(color_|start)|shifter_agent_connections_max|odoo_")
# A scene of a long time is cut at it: series need not be longer.
MINUTES = {"m": 1, "h": 60}


def alerts():
    return [rule for group in yaml.safe_load(RULES[1].read_text())["groups"]
            for rule in group["rules"]]


def run(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=120)


def minutes(text):
    return int(text[:-1]) * MINUTES[text[-1]]


def promtool_test(name, series, at, firing):
    """One group of promtool's: exactly these alerts fire at that time."""
    length = minutes(at) + 1
    return {"name": name, "interval": "1m",
            "input_series": [{"series": one, "values": values.replace("x9000", f"x{length}")}
                             for one, values in series.items()],
            "promql_expr_test": [{
                "expr": 'group by (alertname) (ALERTS{alertstate="firing"})', "eval_time": at,
                "exp_samples": [{"labels": f'{{alertname="{one}"}}', "value": 1}
                                for one in sorted(firing)]}]}


def joined_scenes():
    """Scenes of the same time that touch no series of each other, as one: what fires is told exactly,
    so it is the sum. Series that keep alerts quiet stay alone."""
    joined = []
    for alert, name, series, fires, at, also in SCENES:
        firing = also | ({alert} if fires else set())
        alone = any(QUIETING.match(one) for one in series)
        for scene in joined:
            if not alone and scene[4] and scene[2] == at and not scene[1].keys() & series.keys():
                break
        else:
            scene = ([], {}, at, set(), not alone)
            joined.append(scene)
        scene[0].append(f"{alert}: {name}")
        scene[1].update(series)
        scene[3].update(firing)
    return [scene[:4] for scene in joined]


class Rules(unittest.TestCase):
    def promtool(self, tests):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "tests.yml"
            path.write_text(yaml.safe_dump({
                "rule_files": [str(one) for one in RULES], "evaluation_interval": "1m",
                "tests": tests}, sort_keys=False))
            found = run("promtool", "test", "rules", path)
        self.assertEqual(found.returncode, 0, found.stdout + found.stderr)

    def test_are_what_the_policy_says(self):
        found = run(sys.executable, CONF / "rules.py", "--check")
        self.assertEqual(found.returncode, 0, found.stderr)

    def test_promtool_finds_no_fault(self):
        for words in (["check", "config", CONF / "prometheus.yml"], ["check", "rules", *RULES]):
            found = run("promtool", *words)
            self.assertEqual(found.returncode, 0, found.stdout + found.stderr)

    def test_every_alert_says_how_bad_and_what_to_do(self):
        for rule in alerts():
            self.assertIn(rule["labels"]["severity"], ("page", "ticket", "info"), rule["alert"])
            for key in ("summary", "description", "runbook_url"):
                self.assertTrue(rule["annotations"][key], rule["alert"])

    def test_every_alert_is_tried_both_ways(self):
        tried = collections.defaultdict(set)
        for alert, _, _, fires, _, _ in SCENES:
            tried[alert].add(fires)
        for rule in alerts():
            wanted = {True} if rule["alert"] == "Watchdog" else {True, False}
            self.assertEqual(tried.pop(rule["alert"], set()), wanted, rule["alert"])
        self.assertEqual(dict(tried), {}, "scenes of alerts that are not there")

    def test_scenes(self):
        self.promtool([promtool_test("; ".join(names), {**IDLE, **series}, at, firing | {"Watchdog"})
                       for names, series, at, firing in joined_scenes()])

    def test_without_traffic_nothing_fires(self):
        self.promtool([promtool_test("no traffic", IDLE, at, {"Watchdog"}) for at in ("5m", "40m")])

    def test_without_series_the_absence_is_told(self):
        self.promtool([promtool_test("nothing is scraped", {}, "45m", WHEN_ABSENT)])

    def test_a_scene_that_is_wrong_is_noticed(self):
        with self.assertRaises(AssertionError):
            self.promtool([promtool_test("no traffic", IDLE, "5m", {"Watchdog", "OdooColorDown"})])


class Policy(unittest.TestCase):
    """Thresholds are said in one file."""

    def render(self, policy, *words):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "policy.yml"
            path.write_text(policy)
            found = run(sys.executable, CONF / "rules.py", "--policy", path, "--out", folder, *words)
            files = {one.stem: one.read_text() for one in pathlib.Path(folder).glob("[ra]*.yml")}
        return found, files

    def test_a_threshold_reaches_rules_and_texts(self):
        found, files = self.render("scale_up: { p95_latency_s: 2.5, for: 10m }\n"
                                   "capacity: { connections_share: 0.7 }\n")
        self.assertEqual(found.returncode, 0, found.stderr)
        self.assertIn('le="2.5"', files["records"])
        self.assertNotIn('le="1.2"', files["records"])
        self.assertIn("more than 2.5\n", files["alerts"].replace(" s'", "\n").replace(" s\n", "\n"))
        high = next(rule for group in yaml.safe_load(files["alerts"])["groups"]
                    for rule in group["rules"] if rule["alert"] == "OdooLatencyHigh")
        self.assertEqual(high["for"], "10m")
        self.assertRegex(files["alerts"], r"connections_max > 0\.7\n")

    def test_links_may_be_whole(self):
        _, files = self.render("{}", "--runbooks", "https://wiki.example/runbooks/")
        urls = re.findall(r"runbook_url: (.*)", files["alerts"])
        self.assertTrue(urls)
        self.assertTrue(all(one.startswith("https://wiki.example/runbooks/") for one in urls))

    def test_faults_name_file_and_key_and_write_nothing(self):
        for policy, said in (("scale_up: { p95_latency_s: 1.25 }", "nearest are 0.9 and 1.2|1.2 and 2.5"),
                             ("scale_up: { p95_latency_s: soon }", "scale_up.p95_latency_s"),
                             ("blind_after: never", "blind_after"), ("- 1", "no mapping"),
                             ("scale_up: 3", "policy.yml"), ("a: [", "policy.yml")):
            found, files = self.render(policy)
            self.assertEqual(found.returncode, 2, policy)
            self.assertRegex(found.stderr, said)
            self.assertNotIn("records", files)

    def test_the_programs_read_the_same_policy(self):
        """What the generator takes from the policy are keys of the shipped one."""
        shipped = yaml.safe_load((ROOT / "conf/policy.yml").read_text())
        self.assertEqual((shipped["scale_up"]["p95_latency_s"], shipped["scale_down"]["p95_latency_s"]),
                         (1.2, 0.6))


if __name__ == "__main__":
    unittest.main()
