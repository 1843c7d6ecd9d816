#!/usr/bin/python3
"""The targets of conf/Makefile against stand-ins that write down how they are called (S7-S14, S1).

make_test.py
"""

import json
import pathlib
import shutil
import sys
import tempfile
import unittest

import yaml

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from standin import Recorder  # noqa: E402

CONF = pathlib.Path(__file__).resolve().parents[2] / "conf"
DIGEST = "registry.example/odoo@sha256:" + "0" * 64


def status(blue, green):
    return json.dumps({"colors": {"blue": {"weight": blue}, "green": {"weight": green}}})


class Targets(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.conf = self.folder / "conf"
        for name in ("traefik", "compose"):
            shutil.copytree(CONF / name, self.conf / name)
        for name in ("Makefile", "cold_color"):
            shutil.copy(CONF / name, self.conf / name)
        (self.folder / "bin").mkdir()
        self.commands = Recorder(self.folder / "bin", ["shifter", "docker-compose", "docker"])
        self.live(10, 0)

    def live(self, blue, green):
        self.commands.answer(shifter={"status": (0, status(blue, green))})

    def make(self, *words):
        return self.commands.run(["make", "-s", "-C", self.conf, *words], self.folder)

    def calls(self, *words):
        code, output, calls = self.make(*words)
        self.assertEqual(code, 0, output)
        return [call for call in calls if call[1:] != ["--json", "status"]]

    def test_a_canary_goes_to_the_color_that_is_not_live(self):
        want = ["shifter", "--wait=12h", "--reason", "make canary", "canary"]
        self.assertEqual(self.calls("canary"), [[*want, "green"]])
        self.live(0, 10)
        self.assertEqual(self.calls("canary"), [[*want, "blue"]])

    def test_image_steps_and_reason_are_passed_on(self):
        self.assertEqual(
            self.calls("canary", f"IMAGE={DIGEST}", "STEPS=5,100", "REASON=release 42; not more"),
            [["shifter", "--wait=12h", "--reason", "release 42; not more", "canary", "green",
              f"image={DIGEST}", "steps=5,100"]])

    def test_switch_and_abort(self):
        self.assertEqual(self.calls("switch", "WAIT=1h"),
                         [["shifter", "--wait=1h", "--reason", "make switch", "switch", "green"]])
        self.assertEqual(self.calls("abort"),
                         [["shifter", "--wait=12h", "--reason", "make abort", "abort"]])

    def test_a_rollback_goes_to_a_recorded_release_and_is_no_switch(self):
        self.assertEqual(self.calls("rollback"),
                         [["shifter", "--wait=12h", "--reason", "make rollback", "rollback"]])
        self.assertEqual(self.calls("rollback", "RELEASE=41")[0][-2:], ["rollback", "41"])

    def test_what_is_emptied_is_stopped_alone(self):
        self.assertEqual(self.calls("stop"), [
            ["shifter", "--reason", "make drain", "drain", "green", "wait=20m"],
            ["docker-compose", "-f", "compose/compose.yml", "stop", "-t", "130", "odoo_green"]])

    def test_what_is_not_empty_is_not_stopped(self):
        self.commands.answer(shifter={"drain": (3, ""), "status": (0, status(10, 0))})
        code, _, calls = self.make("stop")
        self.assertNotEqual(code, 0)
        self.assertNotIn("docker-compose", [call[0] for call in calls])

    def test_a_rollout_that_went_back_is_a_failure(self):
        self.commands.answer(shifter={"canary": (7, ""), "status": (0, status(10, 0))})
        code, output, _ = self.make("canary")
        self.assertNotEqual(code, 0)
        self.assertIn("7", output)

    def test_nothing_is_done_where_the_color_is_not_known(self):
        answers = ((0, status(9, 1)), (0, status(0, 0)), (4, ""), (0, "{}"), (0, "[]"))
        for answer, target in zip(answers, ("canary", "switch", "drain", "stop", "cron")):
            self.commands.answer(shifter={"status": answer})
            code, output, calls = self.make(target)
            self.assertNotEqual(code, 0)
            self.assertIn("COLOR is not known", output)
            self.assertEqual([call for call in calls if "status" not in call], [])

    def test_the_color_may_be_given(self):
        self.commands.answer(shifter={"status": (4, "")})
        self.assertEqual(self.calls("drain", "COLOR=blue")[0][4], "blue")

    def test_the_bypass_is_a_whole_file_with_one_color(self):
        bypass = self.conf / "traefik/dynamic/bypass.yml"
        self.calls("bypass", "COLOR=blue")
        services = yaml.safe_load(bypass.read_text())["http"]["services"]
        self.assertEqual({name: one["loadBalancer"]["servers"][0]["url"]
                          for name, one in services.items()},
                         {"bypass": "http://odoo_blue:8069", "bypass_websocket": "http://odoo_blue:8072"})
        self.calls("bypass-off")
        self.assertFalse(bypass.exists())
        self.calls("bypass-off")

    def test_the_bypass_wants_a_color_by_name(self):
        for words in ((), ("COLOR=",), ("COLOR=red",), ("COLOR=blue green",)):
            code, _, _ = self.make("bypass", *words)
            self.assertNotEqual(code, 0, words)
            self.assertFalse((self.conf / "traefik/dynamic/bypass.yml").exists(), words)

    def test_cron_follows_a_color(self):  # R79
        (self.conf / "compose/.env").write_text(
            f"# IMAGE_GREEN=old\nIMAGE_BLUE=b@sha256:1\nIMAGE_GREEN={DIGEST}\nMAX_IMAGE_GREEN=x\n")
        self.assertEqual(self.calls("cron"), [
            ["docker-compose", "--env-file", "cron.env", "-p", "odoo_cron", "-f", "cron.yml", "up", "-d",
             "odoo_cron"]])
        self.assertEqual((self.conf / "compose/cron.env").read_text(), f"IMAGE_CRON={DIGEST}\n")

    def test_cron_stays_where_the_image_is_not_known(self):
        for text in ("", "IMAGE_GREEN=\n", "IMAGE_GREEN=a\nIMAGE_GREEN=b\n"):
            (self.conf / "compose/.env").write_text(text)
            code, _, calls = self.make("cron")
            self.assertNotEqual(code, 0)
            self.assertEqual([call[0] for call in calls if call[0] != "shifter"], [])
            self.assertFalse((self.conf / "compose/cron.env").exists())


class Schema(unittest.TestCase):
    """R80: an image that waits for an update of modules gets no users."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.commands = Recorder(folder.name, ["docker-compose"])

    def look(self, installed, manifests, code=0, **more):
        self.commands.answer(**{"docker-compose": {
            "psql": (code, "".join(f"{name} {version}\n" for name, version in installed.items())),
            "odoo_green": (0, "a warning of odoo\n" + json.dumps(manifests) + "\n")}})
        return self.commands.run([CONF / "compose/schema_matches"], "/",
                                 **{"SHIFTER_COLOR": "green", **more})

    def test_fits(self):
        code, output, calls = self.look({"base": "17.0.1.3", "sale": "17.0.1.2"},
                                        {"base": "17.0.1.3", "sale": "17.0.1.2", "new": "17.0.1.0"})
        self.assertEqual(code, 0, output)
        self.assertEqual([call[5] for call in calls], ["db", "odoo_green"])

    def test_an_update_that_waits_is_named(self):
        code, output, _ = self.look({"base": "17.0.1.3", "sale": "17.0.1.9", "stock": "17.0.2.0"},
                                    {"base": "17.0.1.3", "sale": "17.0.1.10", "stock": "17.0.1.0"})
        self.assertEqual(code, 6)
        self.assertIn("sale: the database has 17.0.1.9, the image 17.0.1.10", output)
        self.assertNotIn("stock", output)

    def test_a_module_that_the_image_lacks_is_named(self):
        code, output, _ = self.look({"base": "17.0.1.3", "ours": "17.0.1.0"}, {"base": "17.0.1.3"})
        self.assertEqual(code, 6)
        self.assertIn("ours: is installed, and not in the image", output)

    def test_what_cannot_be_asked_is_no_yes(self):
        for installed, code, more in (({}, 0, {}), ({"base": "1"}, 1, {}),
                                      ({"base": "1"}, 0, {"SHIFTER_COLOR": "red"})):
            found, _, _ = self.look(installed, {"base": "1"}, code, **more)
            self.assertEqual(found, 1)


if __name__ == "__main__":
    unittest.main()
