#!/usr/bin/env python3
"""The add-on for Odoo: its files are what Odoo expects, and its client asks a real f29svc.

addon_test.py F29SVC
"""

import ast
import compileall
import csv
import importlib.util
import json
import pathlib
import re
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.dont_write_bytecode = True
from served import COMPANY, KEY, ROOT, Service, register_files  # noqa: E402

ADDON = ROOT / "conf/odoo/of_sii_cl"
PERIOD = "2026-06"


def load_client():
    """The client alone, as Odoo's package would need Odoo."""
    path = ADDON / "models/f29_client.py"
    spec = importlib.util.spec_from_file_location("f29_client", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


f29_client = load_client()
SERVICE = None


def models():
    """{name of the model: (its class's methods, its fields)} of every file."""
    found = {}
    for path in (ADDON / "models").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.ClassDef):
                continue
            named = {target.id: one.value for one in node.body if isinstance(one, ast.Assign)
                     for target in one.targets if isinstance(target, ast.Name)}
            name = named.get("_name", named.get("_inherit"))
            if isinstance(name, ast.Constant):
                methods = {one.name for one in node.body if isinstance(one, ast.FunctionDef)}
                columns = {key for key, value in named.items() if isinstance(value, ast.Call)}
                found[name.value] = (methods, columns, "_name" in named)
    return found


class Files(unittest.TestCase):
    def manifest(self):
        return ast.literal_eval((ADDON / "__manifest__.py").read_text())

    def documents(self):
        return {path: xml.parse(path).getroot() for path in ADDON.rglob("*.xml")}

    def test_compiles(self):
        with tempfile.TemporaryDirectory() as folder:
            sys.pycache_prefix = folder
            try:
                self.assertTrue(compileall.compile_dir(ADDON, quiet=1, force=True))
            finally:
                sys.pycache_prefix = None

    def test_every_module_carries_its_license(self):
        for path in ADDON.rglob("*.py"):
            self.assertIn("GNU\n# Lesser General Public License", path.read_text(), path)

    def test_manifest_has_its_keys_and_names_every_file(self):
        manifest = self.manifest()
        for key in ("name", "version", "license", "depends", "data", "category", "author", "summary"):
            self.assertTrue(manifest.get(key), key)
        self.assertEqual(manifest["license"], "LGPL-3")
        self.assertRegex(manifest["version"], r"^17\.0\.\d+\.\d+\.\d+$")
        self.assertIn("account", manifest["depends"])
        there = {str(path.relative_to(ADDON)) for kind in ("*.xml", "*.csv") for path in ADDON.rglob(kind)}
        self.assertEqual(set(manifest["data"]), there)

    def test_xml_is_well_formed_with_ids_that_are_unique(self):
        ids = [node.get("id") for root in self.documents().values() for node in root.iter()
               if node.tag in ("record", "menuitem", "template")]
        self.assertGreaterEqual(len(ids), 6)
        self.assertNotIn(None, ids)
        self.assertEqual(len(ids), len(set(ids)))
        with (ADDON / "security/ir.model.access.csv").open() as lines:
            self.assertFalse({row["id"] for row in csv.DictReader(lines)} & set(ids))

    def test_references_inside_the_module_exist(self):
        ids = {node.get("id") for root in self.documents().values() for node in root.iter()}
        ids |= {"model_" + name.replace(".", "_") for name in models()}
        for path, root in self.documents().items():
            for node in root.iter():
                for attribute in ("ref", "parent", "action"):
                    value = node.get(attribute)
                    if value and "." not in value:
                        self.assertIn(value, ids, path)

    def test_access_csv_has_the_columns_and_the_models_of_odoo(self):
        with (ADDON / "security/ir.model.access.csv").open() as lines:
            reader = csv.DictReader(lines)
            self.assertEqual(reader.fieldnames, ["id", "name", "model_id:id", "group_id:id", "perm_read",
                                                 "perm_write", "perm_create", "perm_unlink"])
            rows = list(reader)
        own = {"model_" + name.replace(".", "_") for name, (_, _, is_new) in models().items() if is_new}
        self.assertEqual({row["model_id:id"] for row in rows}, own)
        self.assertEqual(len(rows), len({row["id"] for row in rows}))
        for row in rows:
            self.assertRegex(row["group_id:id"], r"^account\.group_account_\w+$")
            for right in ("perm_read", "perm_write", "perm_create", "perm_unlink"):
                self.assertIn(row[right], ("0", "1"))

    def test_views_show_fields_and_call_methods_that_exist(self):
        known = models()
        buttons = set()
        for path, root in self.documents().items():
            for record in root.iter("record"):
                if record.get("model") != "ir.ui.view":
                    continue
                model = record.find("field[@name='model']").text
                methods, columns, _ = known[model]
                arch = record.find("field[@name='arch']")
                for node in (one for part in arch for one in part.iter()):
                    if node.tag == "field":
                        self.assertIn(node.get("name"), columns, path)
                    if node.tag == "button":
                        self.assertIn(node.get("name"), methods, path)
                        buttons.add(node.get("string"))
        self.assertEqual(buttons, {"Calcular", "Registrar flujo", "Conciliar", "Exportar"})

    def test_computes_nothing_itself(self):
        """No sum, product or rate of amounts in the add-on: all numbers are the service's."""
        for path in (ADDON / "models").glob("*.py"):
            text = path.read_text()
            self.assertNotRegex(text, r"\bsum\(|\bround\(|amount_\w+|0[.,]19", path)
        client = ast.parse((ADDON / "models/f29_client.py").read_text())
        for node in ast.walk(client):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else \
                [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            self.assertFalse([name for name in names if name.split(".")[0] == "odoo"])


class Client(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for name, content in register_files().items():
            SERVICE.import_file(PERIOD, name, content)
        SERVICE.put_inputs(PERIOD)

    def client(self, key=KEY, vat="CL99.999.001-0"):
        return f29_client.F29Client(f"http://{SERVICE.address}", key, vat)

    def refused(self, code, act):
        with self.assertRaises(f29_client.F29Error) as caught:
            act()
        self.assertEqual(caught.exception.code, code, caught.exception.message)
        return caught.exception

    def test_1_computes_and_exports_what_the_service_has(self):
        client = self.client()
        made = client.compute(PERIOD)
        self.assertEqual((made["boxes"]["538"], made["boxes"]["77"], made["boxes"]["91"]),
                         (1939996, 24355, 301738))
        self.assertEqual(client.period(PERIOD)["state"], "computed")
        name, body = client.export(PERIOD, "json")
        self.assertEqual(name, f"f29_{COMPANY}_{PERIOD}.json")
        self.assertEqual(json.loads(body)["boxes"], made["boxes"])
        for form in ("campos", "csv", "xml"):
            self.assertIn(b"301738", client.export(PERIOD, form)[1])

    def test_2_reconciles_and_plans(self):
        client = self.client()
        client.compute(PERIOD)
        report = client.reconcile(PERIOD)
        self.assertEqual(sum(row["documents"] for row in report["totals"]["by_status"].values()),
                         report["totals"]["documents"])
        self.assertTrue(client.reconcile(PERIOD)["run"]["repeated"])
        flow = client.plan_flow(PERIOD)
        self.assertEqual((flow["state"], flow["amount"]), ("planned", 301738))

    def test_3_says_what_was_refused(self):
        self.refused("unauthorized", lambda: self.client("wrong").compute(PERIOD))
        self.refused("not_found", lambda: self.client(vat="CL99950100-1").compute(PERIOD))
        self.assertIsNone(self.client().period("2031-01"))
        self.refused("no_odoo", lambda: self.client().import_odoo(PERIOD))
        for period in ("2026-13", "202606", "", "2026-06/../x"):
            self.refused("bad_period", lambda p=period: self.client().compute(p))
        self.refused("bad_format", lambda: self.client().export(PERIOD, "xls"))
        self.refused("bad_rut", lambda: self.client(vat=""))
        self.refused("no_key", lambda: self.client(key=""))

    def test_4_refuses_addresses_that_would_leak_the_key(self):
        for url in ("", "ftp://x", "http://f29.example", "https://a:b@f29.example",
                    "https://f29.example/?x=1", "file:///etc/passwd"):
            self.refused("bad_url", lambda u=url: f29_client.F29Client(u, KEY, COMPANY))
        f29_client.F29Client("https://f29.example/", KEY, COMPANY)
        f29_client.F29Client("http://f29svc:9290", KEY, COMPANY)

    def test_5_does_not_wait_for_a_service_that_is_not_there(self):
        client = f29_client.F29Client("http://127.0.0.1:9", KEY, COMPANY, timeout_s=5)
        error = self.refused("unreachable", lambda: client.compute(PERIOD))
        self.assertNotIn("127.0.0.1", error.text())

    def test_6_reads_the_ruts_that_odoo_has(self):
        for text in ("99999001-0", "CL999990010", "99.999.001-0", " cl99.999.001-0 "):
            self.assertEqual(f29_client.rut(text), COMPANY)
        self.assertTrue(re.fullmatch(r"\d+-K", f29_client.rut("99990002-k")))


def main():
    global SERVICE
    program = sys.argv.pop(1)
    with Service(program) as SERVICE:
        result = unittest.main(exit=False, verbosity=1).result
    sys.exit(not result.wasSuccessful())


if __name__ == "__main__":
    main()
