#!/usr/bin/python3
"""What the binaries are built with, and what they are made of. hardening_test.py BUILD-FOLDER"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from standin import Recorder  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = ("sidecar", "shifter", "f29svc")
BUILD = None


def run(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=120)


class Binaries(unittest.TestCase):
    def each(self, *words):
        for name in NAMES:
            yield name, run("readelf", "-W", *words, BUILD / "bin" / name).stdout

    def test_position_independent_and_bound_at_start(self):
        for name, text in self.each("-h", "-d"):
            self.assertRegex(text, r"Type:\s+DYN", name)
            self.assertRegex(text, r"FLAGS_1\).*\bNOW\b.*\bPIE\b", name)

    def test_relocations_are_read_only_and_the_stack_is_no_code(self):
        for name, text in self.each("-l"):
            self.assertIn("GNU_RELRO", text, name)
            self.assertRegex(text, r"GNU_STACK\s.*\sRW\s", name)
            self.assertNotRegex(text, r"LOAD\s.*\sRWE\s", name)

    def test_stack_protector_and_fortified_calls(self):
        for name, text in self.each("--dyn-syms"):
            self.assertIn("__stack_chk_fail", text, name)
            self.assertRegex(text, r"__(?!stack_)\w+_chk@", name)

    def test_libraries_are_those_of_the_system(self):
        for name, text in self.each("-d"):
            self.assertNotRegex(text, r"\((RPATH|RUNPATH|TEXTREL)\)", name)


class Contents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.texts = [run(sys.executable, ROOT / "conf/sbom.py", "--build", BUILD, *NAMES)
                     for _ in range(2)]

    def test_the_same_build_gives_the_same_list(self):
        self.assertEqual(self.texts[0].returncode, 0, self.texts[0].stderr)
        self.assertEqual(self.texts[0].stdout, self.texts[1].stdout)

    def test_what_is_loaded_and_compiled_in_is_listed_with_its_version(self):
        sbom = json.loads(self.texts[0].stdout)
        self.assertEqual((sbom["bomFormat"], sbom["specVersion"]), ("CycloneDX", "1.4"))
        self.assertRegex(sbom["serialNumber"], r"^urn:uuid:[0-9a-f-]{36}$")
        found = {one["name"]: one for one in sbom["components"]}
        self.assertEqual(len(found), len(sbom["components"]))
        for name in ("libssl3", "libuv1", "libyaml-cpp0.7", "libpugixml1v5", "libprometheus-cpp-pull1.0",
                     "node-llhttp", "nlohmann-json3-dev", "libcli11-dev", "libexpected-dev"):
            self.assertIn(name, found)
        for name in ("libssl3", "node-llhttp"):
            version = run("dpkg-query", "-W", "-f", "${Version}", name).stdout
            self.assertEqual(found[name]["version"], version)
            self.assertIn(f"pkg:deb/debian/{name}@", found[name]["purl"])
        for name in NAMES:
            digest = run("sha256sum", BUILD / "bin" / name).stdout.split()[0]
            self.assertEqual(found[name]["hashes"][0]["content"], digest)
        self.assertNotIn("libgtest-dev", found)

    def test_every_reference_is_one_of_the_list(self):
        sbom = json.loads(self.texts[0].stdout)
        refs = {one["bom-ref"] for one in sbom["components"]} | {"sidecar-product"}
        for row in sbom["dependencies"]:
            self.assertLessEqual({row["ref"], *row["dependsOn"]}, refs)
            self.assertTrue(row["dependsOn"])


class Scan(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def scan(self, names, **answers):
        (self.folder / "bin").mkdir()
        commands = Recorder(self.folder / "bin", names)
        commands.answer(**answers)
        # Only these: what the machine has is not asked.
        for tool in ("sh", "echo", "tr", "dirname"):
            (self.folder / "bin" / tool).symlink_to(run("which", tool).stdout.strip())
        return commands.run(["sh", ROOT / "conf/scan", ROOT, "sidecar:local"], self.folder,
                            only=self.folder / "bin")

    def test_says_what_was_not_looked_for(self):
        code, output, _ = self.scan([])
        self.assertEqual(code, 3)
        self.assertIn("trivy is not installed", output)
        self.assertIn("syft is not installed", output)

    def test_runs_what_is_there(self):
        code, output, calls = self.scan(["trivy", "syft"])
        self.assertEqual(code, 0, output)
        self.assertEqual([call[:2] for call in calls],
                         [["trivy", "fs"], ["trivy", "image"], ["syft", "scan"]])
        self.assertTrue((self.folder / "sbom-sidecar-local.json").exists())

    def test_a_finding_is_a_failure(self):
        code, _, _ = self.scan(["trivy"], trivy={"image": (1, "CVE-2026-0001")})
        self.assertEqual(code, 1)


if __name__ == "__main__":
    BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
