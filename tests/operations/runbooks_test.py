#!/usr/bin/python3
"""The runbooks (R88, S38-S44): each alert has one that names it, each has its eight parts in order, and
every command in them is understood: shifter's by a running sidecar, which refuses each for its epoch
and so changes nothing; make's by make -n; dr's by its own parser; SQL is tried in tests/recovery.

runbooks_test.py FOLDER-OF-PROGRAMS
"""

import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import unittest

import yaml

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
BOOKS = ROOT / "docs/runbooks"
PARTS = ["Trigger", "Impact", "First five minutes", "Decide", "Act", "Verify", "Undo", "Escalate"]
ISSUE = {"incidents", "dr_plan", "high_latency", "db_connections_spike", "disk_low", "sso_outage",
         "sii_down", "canary_rolled_back", "drain_stuck", "sidecar_down"}
LOOKS = {"status", "watch", "inflight", "connections", "routes", "config", "audit", "actions", "history",
         "explain"}
DRY = {"weights", "ready", "maint", "drain", "hold", "scale", "canary", "switch"}
# Of the system, and read by people only here.
KNOWN = {"curl", "df", "du", "journalctl", "pgbackrest", "restic", "systemctl"}
COMPOSE = {"ps", "logs", "up", "stop", "restart", "config", "exec"}
DOCKER = {"system", "image", "ps", "logs"}
PROGRAMS = None


def alerts():
    text = (ROOT / "conf/prometheus/rules/alerts.yml").read_text()
    return {rule["alert"]: rule["annotations"]["runbook_url"]
            for group in yaml.safe_load(text)["groups"] for rule in group["rules"]}


def commands(path):
    """(line number, words) of each command in fenced sh blocks, and of each `shifter …` with arguments."""
    found, fence = [], None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = re.match(r" *```(\w*)$", line)
        if match:
            fence = None if fence is not None else match[1]
            continue
        if fence == "sh":
            plain = re.sub(r" 2> /dev/null", "", line.strip())
            found += [(number, shlex.split(part)) for part in re.split(r" \| | && ", plain) if part]
        elif fence is None:
            found += [(number, shlex.split(one)) for one in re.findall(r"`(shifter [^`…]+)`", line)]
    return found


class Sidecar:
    """A real one, of two colors that are down."""

    def __init__(self, folder):
        self.socket = folder / "admin.sock"
        text = (ROOT / "conf/sidecar.yaml").read_text()
        for place in ("/run/sidecar", "/var/lib/sidecar", "/var/log/sidecar", "/var/tmp"):
            text = text.replace(place, str(folder))
        config = yaml.safe_load(text)
        config["listen"] = config["metrics"]["listen"] = "127.0.0.1:0"
        config["shutdown"] = {"lame_duck": "1ms", "finish": "1s"}
        (folder / "sidecar.yaml").write_text(yaml.safe_dump(config))
        self.process = subprocess.Popen([PROGRAMS / "sidecar", "--config", folder / "sidecar.yaml"],
                                        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        for line in self.process.stderr:
            if '"listening"' in line:
                break

    def close(self):
        self.process.terminate()
        self.process.communicate(timeout=30)

    def shifter(self, *words):
        return subprocess.run([PROGRAMS / "shifter", "--socket", self.socket, "--no-input", *words],
                              capture_output=True, text=True, timeout=30, cwd=ROOT)


class Runbooks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.sidecar = Sidecar(pathlib.Path(folder.name))
        cls.addClassCleanup(cls.sidecar.close)

    def test_each_of_the_plan_is_there_with_its_parts(self):
        self.assertEqual({path.stem for path in BOOKS.glob("*.md")}, ISSUE)
        for path in BOOKS.glob("*.md"):
            text = path.read_text()
            self.assertEqual(re.findall(r"(?m)^\*\*([^*]+)\.\*\*", text), PARTS, path.name)
            self.assertTrue(text.startswith(f"# {path.stem}: "), path.name)
            for part in PARTS:
                body = re.search(rf"(?ms)^\*\*{part}\.\*\*(.*?)(?=^\*\*[A-Z][^*]+\.\*\*|\Z)", text)[1]
                self.assertGreater(len(body.split()), 5, f"{path.name}: {part}")

    def test_each_alert_leads_to_one_that_names_it(self):
        for alert, url in alerts().items():
            path = ROOT / url
            self.assertTrue(path.is_file(), alert)
            trigger = re.search(r"(?ms)^\*\*Trigger\.\*\*(.*?)^\*\*", path.read_text())[1]
            if alert not in ("SiiDown", "Watchdog"):
                self.assertIn(f"`{alert}`", trigger, path.name)
        for path in BOOKS.glob("*.md"):
            trigger = re.search(r"(?ms)^\*\*Trigger\.\*\*(.*?)^\*\*", path.read_text())[1]
            for name in re.findall(r"`([A-Z]\w+)`", trigger):
                self.assertIn(name, alerts(), path.name)

    def understood(self, words):
        """What the sidecar says of the command, None if it takes it."""
        verb = next((word for word in words if not word.startswith("-")), "")
        if verb in ("policy", "doctor"):
            done = self.sidecar.shifter(*words)
            return done.stderr if done.returncode == 2 else None
        if verb in LOOKS:
            words = [word for word in words if not word.startswith("--wait")]
            if verb == "watch":
                words = ["help", "watch"]
            done = self.sidecar.shifter(*words)
            return done.stderr if done.returncode == 2 else None
        words = [re.sub(r"^(RELEASE|COLOR)$", "blue", word) for word in words]
        extra = [] if any(word.startswith("--confirm") for word in words) else ["--confirm=blue"]
        for more in (["--if-epoch", "999999"], ["--dry-run"] if verb in DRY else None):
            if more is None:
                continue
            done = self.sidecar.shifter(*words, *extra, *more)
            if done.returncode == 2:
                return done.stderr
        return None

    def test_every_command_is_understood(self):
        count, epoch = 0, json.loads(self.sidecar.shifter("--json", "status").stdout)["epoch"]
        for path in sorted(BOOKS.glob("*.md")):
            for number, words in commands(path):
                count += 1
                fault = self.fault_of(words)
                self.assertIsNone(fault, f"{path.name}:{number}: {shlex.join(words)}: {fault}")
        self.assertGreater(count, 60)
        self.assertEqual(json.loads(self.sidecar.shifter("--json", "status").stdout)["epoch"], epoch)

    def fault_of(self, words):
        program, rest = words[0], words[1:]
        if program == "shifter":
            return self.understood(rest)
        if program == "make":
            done = subprocess.run([*words, "-n"], cwd=ROOT, capture_output=True, text=True, timeout=30,
                                  env={**os.environ, "MAKEFLAGS": ""})
            return done.stderr if done.returncode else None
        if program == "conf/dr/dr":
            return self.fault_of_dr(rest)
        if program in ("docker-compose", "docker"):
            if rest[0] not in (COMPOSE if program == "docker-compose" else DOCKER):
                return "this verb is not known"
            services = yaml.safe_load((ROOT / "conf/compose/compose.yml").read_text())["services"]
            named = [word for word in rest[1:] if re.fullmatch(r"odoo_\w+|sidecar|agent|db|traefik|f29svc",
                                                               word)]
            return None if set(named) <= set(services) else f"{named}: no such service"
        if program == "sidecar":
            return None if rest[:1] == ["--check"] else "only --check is in a runbook"
        if program in ("sort", "tail"):
            return None
        return None if program in KNOWN else "this program is not known"

    def fault_of_dr(self, words):
        import importlib.machinery
        import importlib.util
        loader = importlib.machinery.SourceFileLoader("dr", str(ROOT / "conf/dr/dr"))
        module = importlib.util.module_from_spec(importlib.util.spec_from_loader("dr", loader))
        loader.exec_module(module)
        try:
            module.parser().parse_args(words)
        except SystemExit as end:
            return None if end.code == 0 else "dr does not take it"
        return None

    def test_what_is_wrong_is_noticed(self):
        for line in ("shifter drain blue deadlin=3m", "shifter weights blue=1", "shifter abrot",
                     "shifter status --jsn", "make -C conf swich", "conf/dr/dr restor /x",
                     "conf/dr/dr failover now", "docker-compose up odoo_red", "rm -rf /",
                     "shifter canary green steps=9,a", "shifter hold on mox=3"):
            self.assertIsNotNone(self.fault_of(shlex.split(line)), line)


if __name__ == "__main__":
    PROGRAMS = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
