#!/usr/bin/python3
"""conf/compose on a real docker engine, without a registry: images of the built programs, stand-ins as
Odoo, the agent beside it. A canary, a switch, a rollback, a drain and a stop by `make`, under load:
no request may fail. ./dev site; needs root and docker.

engine_scene.py FOLDER-OF-PROGRAMS
"""

import http.client
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
SIDECAR = "172.30.0.3"  # of compose.yml
APP = 10001
OVERRIDE = """
services:
  sidecar:
    volumes: ["{run}:/run/sidecar"]
    ulimits: {{ nofile: 4096 }}   # an engine in a container may not raise it
  odoo_blue: &standin
    entrypoint: [/usr/bin/standin_odoo, --host, 0.0.0.0, --http, "8069", --websocket, "8072",
                 --control, "8073", --workers, "4", --latency-ms, "20", --nonce-log, /tmp/nonces]
    command: [--color, blue]
    healthcheck: {{ test: [CMD, /usr/bin/standin_odoo, --help], interval: 1s }}
    tmpfs: [/tmp]
  odoo_green:
    <<: *standin
    command: [--color, green]
"""


def run(*words, check=True, **more):
    done = subprocess.run([str(word) for word in words], text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, **more)
    if check and done.returncode:
        raise SystemExit(f"{' '.join(map(str, words))}: {done.returncode}\n{done.stdout[-3000:]}")
    return done.stdout


def until(what, ask, deadline=60):
    pause, end = threading.Event(), time.monotonic() + deadline
    while not (answer := ask()):
        if time.monotonic() > end:
            raise SystemExit(f"{what}: not within {deadline} s")
        pause.wait(0.2)
    return answer


def of_root(entry):
    entry.uid = entry.gid = 0
    return entry


def image(name, programs, folders=(), user="0", note=""):
    """An image of these programs and what they load, and nothing else."""
    with tempfile.NamedTemporaryFile(suffix=".tar") as file:
        with tarfile.open(file.name, "w") as tar:
            def add(path, at):
                tar.add(os.path.realpath(path), at, filter=of_root)
            libraries = set()
            for program in programs:
                add(program, f"usr/bin/{program.name}")
                text = run("ldd", program)
                libraries |= set(re.findall(r"(?:=> )?(/\S+) \(", text))
            for library in sorted(libraries):
                add(library, library.lstrip("/"))
            for folder in ("tmp", *folders):
                made = tarfile.TarInfo(folder)
                made.type, made.mode, made.uid, made.gid = tarfile.DIRTYPE, 0o755, APP, APP
                tar.addfile(made)
        return run("docker", "import", "-c", f"USER {user}", "-c", f"LABEL note={note}", "-c",
                   "ENV PATH=/usr/bin", file.name, name).strip()


class Load(threading.Thread):
    """Users who open a page, keep their cookies for some clicks, and are followed by others."""

    def __init__(self):
        super().__init__(daemon=True)
        self.done, self.answers, self.failed = threading.Event(), {}, []

    def run(self):
        while not self.done.is_set():
            cookies = {}
            for _ in range(4):
                try:
                    connection = http.client.HTTPConnection(SIDECAR, 8080, timeout=30)
                    connection.request("GET", "/web/login", headers={"Cookie": "; ".join(
                        f"{name}={value}" for name, value in cookies.items())} if cookies else {})
                    answer = connection.getresponse()
                    answer.read()
                    connection.close()
                except OSError as error:
                    self.failed.append(repr(error))
                    continue
                self.answers[answer.status] = self.answers.get(answer.status, 0) + 1
                if answer.status >= 400:
                    self.failed.append(str(answer.status))
                for field in answer.headers.get_all("Set-Cookie") or []:
                    name, _, rest = field.partition("=")
                    cookies[name] = rest.partition(";")[0]


class Site:
    def __init__(self, folder, programs):
        self.folder, self.programs = folder, programs
        self.conf = folder / "conf"
        self.compose_folder = self.conf / "compose"
        shutil.copytree(ROOT / "conf", self.conf)
        (folder / "run").mkdir()
        os.chown(folder / "run", APP, APP)
        (self.compose_folder / "secrets").mkdir()
        for name in ("odoo_db_password", "grafana_client_secret", "grafana_admin_password", "restic_key",
                     "pgbackrest.conf"):
            (self.compose_folder / "secrets" / name).write_text("x\n")
        (self.compose_folder / "override.yml").write_text(OVERRIDE.format(run=folder / "run"))
        self.shifter = [programs / "shifter", "--socket", folder / "run/admin.sock"]
        self.agent = None

    def settle(self, images):
        env = (self.compose_folder / "env.example").read_text()
        for key, value in {**images, "SITE_FOLDER": self.compose_folder,
                           "COMPOSE_PROJECT_NAME": "sidecar_scene"}.items():
            env = re.sub(rf"(?m)^{key}=.*", f"{key}={value}", env)
        (self.compose_folder / ".env").write_text(env)
        proxy = self.compose_folder / "proxy.yaml"
        config = yaml.safe_load(proxy.read_text())
        config["rollout"] = {"step_min": "2s", "bake": "3s", "warm_for": "1s", "rollback_step": "1s"}
        config["drain"] = {"deadline": "2s", "quiet": "1s"}
        proxy.write_text(yaml.safe_dump(config))
        agent = yaml.safe_load((self.compose_folder / "agent.yaml").read_text())
        agent.update(socket=str(self.folder / "run/admin.sock"), journal=str(self.folder / "journal.json"),
                     env_file=str(self.compose_folder / ".env"), hooks={},
                     compose={"folder": str(self.compose_folder), "project": "sidecar_scene",
                              "files": ["compose.yml", "override.yml"]},
                     commands={"count": []}, times={"settle": "1s", "poll": "200ms", "stop_grace": "20s"})
        (self.compose_folder / "agent.yaml").write_text(yaml.safe_dump(agent))

    def compose(self, *words, check=True):
        return run("docker-compose", "-f", "compose.yml", "-f", "override.yml", *words, check=check,
                   cwd=self.compose_folder)

    def status(self):
        return json.loads(run(*self.shifter, "--json", "status", check=False).splitlines()[-1])

    def live(self):
        return [name for name, color in self.status()["colors"].items() if color["weight"] > 0]

    def make(self, *words):
        begun = time.monotonic()
        shifter = " ".join(map(str, self.shifter))
        compose = f"docker-compose -f {self.compose_folder}/compose.yml -f {self.compose_folder}/override.yml"
        text = run("make", "-s", "-C", self.conf, *words, f"SHIFTER={shifter}",
                   f"COMPOSE={compose} --project-directory {self.compose_folder}", "WAIT=3m")
        print(f"== make {' '.join(words)}: {time.monotonic() - begun:.1f} s, live: "
              f"{' '.join(self.live())}\n   " + "\n   ".join(text.strip().splitlines()[-3:]), flush=True)

    def start(self):
        self.compose("up", "-d", "--no-deps", "sidecar", "odoo_blue")
        until("the sidecar", lambda: (self.folder / "run/admin.sock").exists())
        self.agent = subprocess.Popen([self.programs / "shifter", "agent", "--config",
                                       self.compose_folder / "agent.yaml"],
                                      stdout=open(self.folder / "agent.log", "w"), stderr=subprocess.STDOUT)
        until("blue", lambda: self.status()["colors"]["blue"]["health"] == "up")

    def close(self):
        if self.agent:
            self.agent.terminate()
            self.agent.wait(30)
        self.compose("down", "-v", "-t", "2", check=False)
        run("docker", "rmi", "sidecar-scene:1", "sidecar-scene-odoo:1", "sidecar-scene-odoo:2", check=False)


def scene(site):
    odoo = site.programs / "standin_odoo"
    first, second = (image(f"sidecar-scene-odoo:{n}", [odoo], note=n) for n in (1, 2))
    site.settle({"IMAGE_SIDECAR": image("sidecar-scene:1", [site.programs / "sidecar",
                                                            site.programs / "shifter"],
                                        ["run", "run/sidecar", "var", "var/lib", "var/lib/sidecar",
                                         "var/spool", "var/spool/sidecar"], user=str(APP)),
                 "IMAGE_BLUE": first, "IMAGE_GREEN": first})
    # The image has no init; the shipped one begins with tini.
    override = site.compose_folder / "override.yml"
    override.write_text(override.read_text().replace(
        "  sidecar:\n", "  sidecar:\n    entrypoint: [/usr/bin/sidecar, --config, /etc/sidecar/sidecar.yaml]\n"
                        "    command: []\n"))
    site.start()
    loads = [Load() for _ in range(6)]
    for load in loads:
        load.start()
    try:
        site.make("canary", f"IMAGE={second}", "STEPS=50,100", "MORE=accept-weak=yes")
        assert site.live() == ["green"], site.live()
        site.make("switch", f"IMAGE={first}")
        assert site.live() == ["blue"], site.live()
        site.make("rollback")
        assert site.live() == ["green"], site.live()
        site.make("drain")
        site.make("stop")
        left = run("docker", "ps", "--filter", "label=com.docker.compose.project=sidecar_scene",
                   "--format", "{{.Names}}")
        assert "odoo_green" in left and "odoo_blue" not in left, left
    finally:
        for load in loads:
            load.done.set()
        for load in loads:
            load.join(40)
    answers = sum(sum(load.answers.values()) for load in loads)
    failed = [one for load in loads for one in load.failed]
    print(f"{answers} requests were answered, {len(failed)} failed {failed[:5]}")
    assert answers > 1000 and not failed


def main():
    programs = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="site-") as folder:
        os.chmod(folder, 0o755)
        site = Site(pathlib.Path(folder), programs)
        try:
            scene(site)
        except (AssertionError, SystemExit):
            print(site.compose("logs", "--tail", "15", check=False)[-3000:])
            log = pathlib.Path(folder) / "agent.log"
            print(log.read_text()[-1500:] if log.exists() else "")
            raise
        finally:
            site.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
