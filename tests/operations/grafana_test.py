#!/usr/bin/python3
"""The dashboards and the sign-in of conf/grafana. What their series are worth is asked of real programs
by tests/prometheus/live_test.py. grafana_test.py"""

import configparser
import json
import pathlib
import subprocess
import sys
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONF = ROOT / "conf/grafana"
# Links and bookmarks of people hold these.
UIDS = {"users": "sidecar-users", "rollout": "sidecar-rollout", "machine": "sidecar-machine"}


class Dashboards(unittest.TestCase):
    def setUp(self):
        self.files = {path.stem: json.loads(path.read_text())
                      for path in (CONF / "dashboards").glob("*.json")}

    def test_are_what_make_writes(self):
        found = subprocess.run([sys.executable, CONF / "make.py", "--check"], capture_output=True,
                               text=True, timeout=30)
        self.assertEqual(found.returncode, 0, found.stderr)

    def test_uids_stay(self):
        self.assertEqual({name: one["uid"] for name, one in self.files.items()}, UIDS)

    def test_every_panel_has_a_unit_a_query_and_the_chosen_source(self):
        for one in self.files.values():
            ids = [panel["id"] for panel in one["panels"]]
            self.assertEqual(len(ids), len(set(ids)))
            for panel in one["panels"]:
                if panel["type"] == "row":
                    continue
                self.assertTrue(panel["fieldConfig"]["defaults"]["unit"], panel["title"])
                self.assertTrue(panel["targets"], panel["title"])
                self.assertEqual(panel["datasource"]["uid"], "${datasource}", panel["title"])
            self.assertEqual([variable["name"] for variable in one["templating"]["list"]],
                             ["datasource", "color"])

    def test_panels_do_not_lie_on_each_other(self):
        for one in self.files.values():
            taken = set()
            for panel in one["panels"]:
                at = panel["gridPos"]
                cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
                self.assertFalse(cells & taken, panel["title"])
                self.assertLessEqual(at["x"] + at["w"], 24)
                taken |= cells

    def test_links_lead_to_runbooks_and_changes_are_marked(self):
        for one in self.files.values():
            for link in one["links"]:
                self.assertTrue((ROOT / link["url"]).is_file(), link)
            self.assertIn("shifter_epoch", one["annotations"]["list"][0]["expr"])


class SignIn(unittest.TestCase):
    def setUp(self):
        self.ini = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=None)
        self.ini.read(CONF / "grafana.ini")

    def test_only_through_google_and_only_the_company(self):
        google = self.ini["auth.google"]
        self.assertTrue(google.getboolean("enabled"))
        self.assertTrue(google["allowed_domains"])
        self.assertEqual(google["allowed_domains"], google["hosted_domain"])
        self.assertIn("openid", google["scopes"].split())
        self.assertTrue(google.getboolean("use_pkce"))
        self.assertFalse(google.getboolean("allow_assign_grafana_admin"))
        self.assertTrue(self.ini["auth"].getboolean("disable_login_form"))
        for section in ("auth.anonymous", "auth.basic"):
            self.assertFalse(self.ini[section].getboolean("enabled"), section)
        self.assertFalse(self.ini["users"].getboolean("allow_sign_up"))
        self.assertEqual(self.ini["users"]["auto_assign_org_role"], "Viewer")

    def test_secrets_are_files_and_cookies_are_safe(self):
        secrets = yaml.safe_load((ROOT / "conf/compose/compose.yml").read_text())["services"]["grafana"]
        for section, key in (("security", "admin_password"), ("auth.google", "client_secret")):
            value = self.ini[section][key]
            self.assertRegex(value, r"^\$__file\{/run/secrets/\w+\}$")
            self.assertIn(value.rsplit("/", 1)[1].rstrip("}"), secrets["secrets"])
        self.assertTrue(self.ini["security"].getboolean("cookie_secure"))
        self.assertTrue(self.ini["server"]["root_url"].startswith("https://"))

    def test_the_source_has_the_uid_that_dashboards_default_to(self):
        source = yaml.safe_load((CONF / "provisioning/datasources/prometheus.yml").read_text())
        self.assertEqual(source["datasources"][0]["uid"], "prometheus")


if __name__ == "__main__":
    unittest.main()
