#!/usr/bin/python3
"""Traefik, compose, images and units: what each must say, and the tools' own checks where they are
(S1-S6, peers: labels and trust). site_test.py FOLDER-OF-PROGRAMS"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONF = ROOT / "conf"
COMPOSE = CONF / "compose"
PROGRAMS = None


def load(path):
    return yaml.safe_load(path.read_text())


def run(*words, **more):
    return subprocess.run([str(word) for word in words], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=120, **more)


def seconds(text):
    match = re.fullmatch(r"(\d+)(ms|s|m|h)", str(text))
    return int(match[1]) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[match[2]]


def variables(path):
    return dict(line.split("=", 1) for line in path.read_text().splitlines()
                if line and not line.startswith("#"))


class Plain(yaml.SafeDumper):
    """Without anchors, which shifter's reader refuses."""

    def ignore_aliases(self, data):
        return True


class Compose(unittest.TestCase):
    def setUp(self):
        self.services = load(COMPOSE / "compose.yml")["services"]
        self.env = variables(COMPOSE / "env.example")

    def test_the_doctor_finds_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "compose.yml"
            path.write_text(yaml.dump(load(COMPOSE / "compose.yml"), Dumper=Plain))
            found = run(PROGRAMS / "shifter", "--socket", f"{folder}/none", "doctor", f"compose={path}")
        self.assertIn("checked: compose", re.sub(r"(?m)^checked: (.* )?compose.*", "checked: compose",
                                                 found.stdout))
        self.assertNotIn(str(path), found.stdout)

    def test_every_variable_is_in_the_example(self):
        named = set(re.findall(r"\$\{(\w+)\}", (COMPOSE / "compose.yml").read_text()))
        self.assertEqual(named - set(self.env), set())
        self.assertEqual(set(self.env) - named, {"COMPOSE_PROJECT_NAME"})

    def test_a_color_has_its_digest_and_its_env_file(self):
        for color in ("blue", "green"):
            service = self.services[f"odoo_{color}"]
            key = color.upper()
            self.assertEqual(service["image"], f"${{IMAGE_{key}}}")
            self.assertRegex(self.env[f"IMAGE_{key}"], r"@sha256:[0-9a-f]{64}$")
            self.assertEqual(service["env_file"], [f"{color}.env"])
            self.assertIn(f"--workers=${{WORKERS_{key}}}", service["command"])
            self.assertTrue((COMPOSE / f"{color}.env").is_file())
            other = "GREEN" if color == "blue" else "BLUE"
            self.assertNotIn(f"_{other}}}", str(service))
        self.assertNotIn("latest", str(self.services) + str(self.env))

    def test_a_color_may_finish_and_has_no_cron(self):
        for color in ("blue", "green"):
            service = self.services[f"odoo_{color}"]
            limit = next(int(word.split("=")[1]) for word in service["command"]
                         if word.startswith("--limit-time-real="))
            self.assertGreaterEqual(seconds(service["stop_grace_period"]), limit + 10)
            self.assertIn("--max-cron-threads=0", service["command"])  # R79
            self.assertIn("--gevent-port=8072", service["command"])
            self.assertNotIn("labels", service)
        sidecar = load(CONF / "sidecar.yaml")["shutdown"]
        self.assertGreaterEqual(seconds(self.services["sidecar"]["stop_grace_period"]),
                                seconds(sidecar["lame_duck"]) + seconds(sidecar["finish"]))

    def test_only_the_agent_has_the_docker_socket(self):
        has = {name for name, service in self.services.items() if "docker.sock" in str(service)}
        self.assertEqual(has, {"agent"})
        self.assertEqual(self.services["agent"]["network_mode"], "none")

    def test_containers_may_do_little(self):
        for name, service in self.services.items():
            self.assertIn("no-new-privileges:true", service["security_opt"], name)
            self.assertTrue(service["mem_limit"], name)
            self.assertNotIn("privileged", service, name)
            if not name.startswith("odoo_"):
                self.assertTrue(service["read_only"], name)
                self.assertEqual(service["cap_drop"], ["ALL"], name)
        ports = {name for name, service in self.services.items() if "ports" in service}
        self.assertEqual(ports, {"traefik"})

    def test_the_sidecar_believes_traefik_alone(self):
        address = self.services["traefik"]["networks"]["front"]["ipv4_address"]
        self.assertEqual(load(COMPOSE / "proxy.yaml")["trusted_proxies"], [f"{address}/32"])

    def test_every_mounted_file_is_there(self):
        mounts = [str(mount) for service in self.services.values()
                  for mount in service.get("volumes", [])]
        mounts += [str(mount) for mount in
                   load(COMPOSE / "cron.yml")["services"]["odoo_cron"]["volumes"]]
        sources = {mount.split(":")[0] for mount in mounts if mount.startswith(".")}
        self.assertGreater(len(sources), 8)
        for source in sources:
            self.assertTrue((COMPOSE / source).resolve().exists(), source)

    def test_cron_is_one_container_of_the_same_data(self):
        cron = load(COMPOSE / "cron.yml")
        project = self.env["COMPOSE_PROJECT_NAME"]
        self.assertEqual(list(cron["services"]), ["odoo_cron"])
        self.assertEqual(cron["volumes"]["odoo_data"]["name"], f"{project}_odoo_data")
        self.assertEqual(cron["networks"]["inside"]["name"], f"{project}_inside")

    @unittest.skipUnless(shutil.which("docker-compose"), "docker-compose is not here")
    def test_docker_compose_reads_it(self):
        with tempfile.TemporaryDirectory() as folder:
            conf = pathlib.Path(folder) / "conf"
            shutil.copytree(CONF, conf)
            shutil.copy(conf / "compose/env.example", conf / "compose/.env")
            for words in (["-f", "compose.yml"], ["-f", "compose.yml", "-f", "../traefik/labels.yml"]):
                found = run("docker-compose", *words, "config", "-q", cwd=conf / "compose")
                self.assertEqual(found.returncode, 0, found.stdout)
            (conf / "compose/cron.env").write_text("IMAGE_CRON=x\n")
            found = run("docker-compose", "--env-file", "cron.env", "-f", "cron.yml", "config", "-q",
                        cwd=conf / "compose")
            self.assertEqual(found.returncode, 0, found.stdout)


class Programs(unittest.TestCase):
    """Our programs read what compose gives them."""

    def test_the_sidecar(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "sidecar.yaml"
            path.write_text((COMPOSE / "proxy.yaml").read_text().replace(
                "/etc/sidecar/policy.yml", str(CONF / "policy.yml")))
            found = run(PROGRAMS / "sidecar", "--check", "--config", path)
        self.assertEqual(found.returncode, 0, found.stdout)

    def test_the_agent_and_its_services(self):
        found = run(PROGRAMS / "shifter", "agent", "--check", "--config", COMPOSE / "agent.yaml")
        self.assertEqual(found.returncode, 0, found.stdout)
        agent = load(COMPOSE / "agent.yaml")
        services, env = load(COMPOSE / "compose.yml")["services"], variables(COMPOSE / "env.example")
        for color in agent["colors"].values():
            self.assertIn(color["service"], services)
            self.assertIn(color["workers_key"], env)
            self.assertIn(color["image_key"], env)
        self.assertEqual(agent["compose"]["project"], env["COMPOSE_PROJECT_NAME"])
        self.assertEqual(agent["compose"]["folder"], env["SITE_FOLDER"])
        hook = agent["hooks"]["post_switch"][0].removeprefix(env["SITE_FOLDER"] + "/")
        self.assertTrue((COMPOSE / hook).stat().st_mode & 0o111)

    def test_the_tax_service_starts(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "f29svc.yaml"
            path.write_text((COMPOSE / "f29svc.yaml").read_text().replace("0.0.0.0:9290", "127.0.0.1:0")
                            .replace("/var/lib/f29svc", folder))
            process = subprocess.Popen([PROGRAMS / "f29svc", "serve", "--config", path], text=True,
                                       stdout=subprocess.PIPE)
            try:
                self.assertIn('"address"', process.stdout.readline())
            finally:
                process.terminate()
                process.communicate(timeout=20)


class Traefik(unittest.TestCase):
    def setUp(self):
        self.fixed = load(CONF / "traefik/traefik.yml")
        self.http = load(CONF / "traefik/dynamic/odoo.yml")["http"]
        self.services = load(COMPOSE / "compose.yml")["services"]

    def test_it_knows_the_sidecar_and_no_color(self):
        text = (CONF / "traefik/dynamic/odoo.yml").read_text()
        for word in ("blue", "green", "weight", "sticky"):
            self.assertNotIn(word, text)
        for name, router in self.http["routers"].items():
            self.assertIn(router["service"], self.http["services"], name)
            for middleware in router["middlewares"]:
                self.assertIn(middleware, self.http["middlewares"], name)
            for door in router["entryPoints"]:
                self.assertIn(door, self.fixed["entryPoints"], name)
        for service in self.http["services"].values():
            host = re.match(r"http://([^:]+):\d+$", service["loadBalancer"]["servers"][0]["url"])[1]
            self.assertIn(host, self.services)
            self.assertIn("front", self.services[host]["networks"])

    def test_health_is_the_sidecars_own_page(self):
        health = self.http["services"]["sidecar"]["loadBalancer"]["healthCheck"]
        self.assertEqual(health["path"], "/.sidecar/health")

    def test_uploads_are_not_cut_and_nobody_is_believed(self):
        door = self.fixed["entryPoints"]["websecure"]
        times = door["transport"]["respondingTimeouts"]
        self.assertGreaterEqual(seconds(times["readTimeout"]), 1800)
        self.assertEqual(door["forwardedHeaders"]["trustedIPs"], [])
        self.assertNotIn("insecure", door["forwardedHeaders"])
        idle = self.http["serversTransports"]["patient"]["forwardingTimeouts"]["idleConnTimeout"]
        self.assertLess(seconds(idle), seconds(load(CONF / "sidecar.yaml")["timeouts"]["keep_alive"]))

    def test_labels_are_on_the_sidecar_and_are_ones_that_exist(self):
        labels = load(CONF / "traefik/labels.yml")["services"]
        self.assertEqual(list(labels), ["sidecar"])
        # Traefik skips a whole container for one label that it does not know (peers, section 1).
        known = (r"traefik\.enable|traefik\.http\.routers\.\w+\.(rule|entrypoints|service|tls\.certresolver)"
                 r"|traefik\.http\.services\.\w+\.loadbalancer\.(server\.port"
                 r"|healthcheck\.(path|interval|timeout))")
        for label in labels["sidecar"]["labels"]:
            self.assertRegex(label, f"^({known})$")

    def test_the_bypass_wins_and_keeps_denied_paths_denied(self):
        routers = load(CONF / "traefik/bypass.yml")["http"]["routers"]
        least = max(router.get("priority", 0) for router in self.http["routers"].values())
        for router in routers.values():
            self.assertGreater(router["priority"], least)
        denied = [route["prefix"] for route in load(CONF / "sidecar.yaml")["routes"]
                  if route.get("deny") == "all"]
        for prefix in denied:
            self.assertIn(f"PathPrefix(`{prefix}`)", routers["bypass_denied"]["rule"])


class Units(unittest.TestCase):
    HARD = ("NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "PrivateDevices=yes",
            "ProtectKernelModules=yes", "ProtectKernelTunables=yes", "ProtectControlGroups=yes",
            "RestrictNamespaces=yes", "RestrictSUIDSGID=yes", "LockPersonality=yes",
            "SystemCallFilter=@system-service", "CapabilityBoundingSet=", "SystemCallArchitectures=native")

    def units(self, kind):
        return sorted((CONF / "systemd").glob(f"*.{kind}"))

    def test_services_are_hardened_and_without_root(self):
        for path in self.units("service"):
            lines = path.read_text().splitlines()
            for line in self.HARD:
                self.assertIn(line, lines, path)
            user = next(line for line in lines if line.startswith("User="))
            self.assertNotIn(user, ("User=root", "User=0"), path)

    def test_times_to_stop_are_those_of_the_config(self):
        shutdown = load(CONF / "sidecar.yaml")["shutdown"]
        stop = re.search(r"TimeoutStopSec=(\S+)", (CONF / "systemd/sidecar.service").read_text())[1]
        self.assertGreaterEqual(seconds(stop), seconds(shutdown["lame_duck"]) + seconds(shutdown["finish"]))

    def test_each_timer_has_its_service(self):
        self.assertTrue(self.units("timer"))
        for path in self.units("timer"):
            self.assertTrue(path.with_suffix(".service").exists(), path)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not here")
    def test_systemd_finds_no_fault(self):
        with tempfile.TemporaryDirectory() as folder:
            copies = []
            for path in self.units("service") + self.units("timer"):
                text = path.read_text().replace("/opt/sidecar/conf", str(CONF))
                for name in ("sidecar", "shifter", "f29svc"):
                    text = text.replace(f"/usr/bin/{name} ", f"{PROGRAMS / name} ")
                copies.append(pathlib.Path(folder) / path.name)
                copies[-1].write_text(re.sub(r"(?m)^Documentation=.*\n", "", text))
            found = run("systemd-analyze", "verify", "--man=no", *copies)
            ours = [line for line in found.stdout.splitlines() if folder in line or any(
                line.startswith(copy.name) for copy in copies)]
            self.assertEqual((found.returncode, ours), (0, []), found.stdout)
            for name, most in (("sidecar", 2.0), ("f29svc", 2.0), ("shifter-agent", 2.5)):
                found = run("systemd-analyze", "security", "--offline=true",
                            pathlib.Path(folder) / f"{name}.service")
                level = re.search(r"exposure level for \S+: ([\d.]+)", found.stdout)
                self.assertLessEqual(float(level[1]), most, name)


class Images(unittest.TestCase):
    def setUp(self):
        self.text = (CONF / "docker/Dockerfile").read_text()
        self.stages = dict(re.findall(r"(?ms)^FROM \S+ AS (\w+)$(.*?)(?=^FROM|\Z)", self.text))

    def test_an_image_has_the_libraries_that_its_program_links(self):
        for program, stages in (("sidecar", ("base",)), ("shifter", ("base",)),
                                ("f29svc", ("base", "f29svc"))):
            installed = set(" ".join(self.stages[one] for one in stages).split())
            where = dict(re.findall(r"^\s*(\S+) => (\S+)", run("ldd", PROGRAMS / program).stdout, re.M))
            needed = re.findall(r"NEEDED.*\[(.*)\]", run("readelf", "-d", PROGRAMS / program).stdout)
            self.assertGreater(len(needed), 3)
            for library in needed:
                if library not in where:
                    continue  # the loader itself
                path = pathlib.Path(where[library]).resolve()
                found = run("dpkg", "-S", path)
                if found.returncode:  # dpkg knows it by its place before /usr was merged
                    found = run("dpkg", "-S", str(path).removeprefix("/usr"))
                package = found.stdout.split(":")[0]
                if package not in ("libc6", "libgcc-s1"):
                    self.assertIn(package, installed, f"{program} needs {library}")

    def test_it_is_built_from_the_packages_of_dev(self):
        listed = re.search(r"build_packages=\(([^)]*)\)", (ROOT / "dev").read_text())[1].split()
        self.assertEqual(set(listed) - set(self.stages["build"].split()), set())

    def test_ours_run_without_root(self):
        for stage in ("sidecar", "f29svc"):
            self.assertIn("USER app", self.stages[stage])
        services = load(COMPOSE / "compose.yml")["services"]
        self.assertEqual({name for name, one in services.items() if "user" in one}, {"agent"})


if __name__ == "__main__":
    PROGRAMS = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
