#!/usr/bin/python3
"""The shipped modules of the blackbox exporter, asked of a stand-in (R86). blackbox_test.py"""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import urllib.parse

import yaml

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from running import EXPORTER, Program, Web, certificate, get  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "conf/blackbox/blackbox.yml"
LOGIN = '<form action="/web/login"><input type="text" name="login"/></form>'
PAGES = {"/web/login": (200, LOGIN), "/websocket/health": (200, '{"status": "pass"}'),
         "/.well-known/openid-configuration": (200, '{"authorization_endpoint":"https://sso/auth"}'),
         "/": (302, "")}


def with_authority(text, ca):
    """The shipped config with the test's authority beside the system's."""
    config = yaml.safe_load(text)
    for module in config["modules"].values():
        module["http"].setdefault("tls_config", {})["ca_file"] = str(ca)
    return yaml.safe_dump(config)


class Probes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        folder = certificate(cls.folder.name)
        (folder / "blackbox.yml").write_text(with_authority(SHIPPED.read_text(), folder / "ca.pem"))
        cls.secure, cls.plain = Web(PAGES, folder), Web(PAGES)
        cls.exporter = Program(["prometheus-blackbox-exporter", "--config.file",
                                folder / "blackbox.yml", "--web.listen-address=127.0.0.1:0"], EXPORTER)

    @classmethod
    def tearDownClass(cls):
        for one in (cls.exporter, cls.secure, cls.plain):
            one.close()
        cls.folder.cleanup()

    def setUp(self):
        self.secure.pages, self.plain.pages = dict(PAGES), dict(PAGES)
        self.plain.seen.clear()

    def probe(self, module, url):
        asked = urllib.parse.urlencode({"module": module, "target": url})
        status, text = get(f"http://{self.exporter.address}/probe?{asked}")
        self.assertEqual(status, 200, text)
        return dict(re.findall(r"^(probe_\w+) (\S+)$", text, re.M))

    def expect(self, success, module, url):
        self.assertEqual(self.probe(module, url)["probe_success"], str(int(success)), (module, url))

    def test_the_exporter_finds_no_fault(self):
        found = subprocess.run(["prometheus-blackbox-exporter", "--config.check", "--config.file",
                                str(SHIPPED)], capture_output=True, text=True, timeout=30)
        self.assertEqual(found.returncode, 0, found.stderr)

    def test_a_login_page_over_http_2_is_success(self):
        seen = self.probe("odoo_front", self.secure.url("/web/login"))
        self.assertEqual((seen["probe_success"], seen["probe_http_version"], seen["probe_http_ssl"]),
                         ("1", "2", "1"))
        self.assertGreater(float(seen["probe_ssl_earliest_cert_expiry"]), 0)

    def test_each_module_knows_its_page(self):
        self.expect(True, "odoo_websocket", self.secure.url("/websocket/health"))
        self.expect(True, "odoo_color", self.plain.url("/web/login"))
        self.expect(True, "oidc_discovery", self.secure.url("/.well-known/openid-configuration"))
        self.expect(True, "sii", self.secure.url("/"))

    def test_a_wrong_body_is_failure(self):
        for module, web, path, text in (
                ("odoo_front", self.secure, "/web/login", "<h1>It works!</h1>"),
                ("odoo_websocket", self.secure, "/websocket/health", '{"status": "fail"}'),
                ("odoo_color", self.plain, "/web/login", "<h1>It works!</h1>"),
                ("oidc_discovery", self.secure, "/.well-known/openid-configuration", "{}")):
            web.pages[path] = (200, text)
            self.expect(False, module, web.url(path))

    def test_a_wrong_status_is_failure(self):
        for module, web, path, status in (
                ("odoo_front", self.secure, "/web/login", 503),
                ("odoo_front", self.secure, "/web/login", 303),
                ("odoo_color", self.plain, "/web/login", 500), ("sii", self.secure, "/", 502)):
            web.pages[path] = (status, LOGIN)
            self.expect(False, module, web.url(path))

    def test_plain_is_failure_where_users_come_by_https(self):
        for module, path in (("odoo_front", "/web/login"), ("odoo_websocket", "/websocket/health"),
                             ("oidc_discovery", "/.well-known/openid-configuration"), ("sii", "/")):
            self.expect(False, module, self.plain.url(path))

    def test_nobody_there_is_failure(self):
        self.expect(False, "odoo_color", "http://127.0.0.1:1/web/login")

    def test_a_color_is_asked_by_the_name_of_the_site(self):
        self.probe("odoo_color", self.plain.url("/web/login"))
        self.assertEqual(self.plain.seen, [("/web/login", "odoo.example")])


if __name__ == "__main__":
    unittest.main()
