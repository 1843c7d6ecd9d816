#!/usr/bin/env python3
"""Stands in for docker and docker-compose, by the name it is called with: the commands that the
agent uses, over real processes. What it was asked is written down. Its folder is STANDIN_FOLDER:
  images.json   name -> {"id", "digests", "environment"}
  state.json    containers by service
  calls         one JSON list of words a line
"""
import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys

FOLDER = os.environ["STANDIN_FOLDER"]
SERVICES = {"db": None, "redis": None, "traefik": None, "odoo_blue": "BLUE", "odoo_green": "GREEN"}


def fail(text, code=1):
    print(text, file=sys.stderr)
    sys.exit(code)


def load(name, default):
    try:
        with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return default


def store(name, value):
    with open(os.path.join(FOLDER, name), "w", encoding="utf-8") as file:
        json.dump(value, file)


def env_file():
    values = {}
    with open(os.path.join(FOLDER, ".env"), encoding="utf-8") as file:
        for line in file:
            key, equals, value = line.strip().partition("=")
            if equals:
                values[key] = value
    return values


def image_named(name):
    for known, image in load("images.json", {}).items():
        if name in (known, image["id"]) or name in image["digests"]:
            return image
    return None


def wanted_of(service):
    values = env_file()
    color = SERVICES[service]
    name = values["IMAGE_" + color] if color else "shifter-stub:1"
    image = image_named(name)
    if image is None:
        fail(f"pull access denied for {name}")
    environment = dict(image["environment"])
    if color:
        environment["WORKERS"] = values["WORKERS_" + color]
    return image, environment


def is_running(container):
    if not container or not container.get("pid"):
        return False
    try:
        with open(f"/proc/{container['pid']}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def start(container):
    process = subprocess.Popen([os.environ["STANDIN_STUB"]], env=container["environment"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, start_new_session=True, close_fds=True)
    container["pid"] = process.pid


def end(container):
    if is_running(container):
        os.kill(container["pid"], signal.SIGKILL)
    if container:
        container["pid"] = 0


def up(state, service, runs):
    image, environment = wanted_of(service)
    container = state.get(service)
    wanted = hashlib.sha256(json.dumps([image["id"], environment]).encode()).hexdigest()
    if container is None or container["config"] != wanted:
        end(container)
        state["made"] = state.get("made", 0) + 1
        name = f"{service} {state['made']} {os.getpid()}"
        container = {"id": hashlib.sha256(name.encode()).hexdigest(), "config": wanted,
                     "image": image["id"], "environment": environment, "pid": 0}
        state[service] = container
        print(f"Recreating {service} ... done", file=sys.stderr)
    if runs and not is_running(container):
        start(container)


def compose(words):
    while words[:1] in (["-p"], ["-f"]):
        words = words[2:]
    verb, rest = words[0], words[1:]
    names = [word for word in rest if word in SERVICES]
    if verb == "stop":
        names = rest[2:]
    if any(name not in SERVICES for name in names):
        fail("No such service")
    state = load("state.json", {})
    for service in names or list(SERVICES):
        if verb == "up":
            up(state, service, "-d" in rest)
        elif verb == "stop":
            end(state.get(service))
        elif verb == "rm":
            end(state.pop(service, None))
        else:
            fail("unknown command " + verb)
    store("state.json", state)


def containers():
    state = load("state.json", {})
    return {one["id"]: one for one in state.values() if isinstance(one, dict)}


def container_named(name):
    found = containers().get(name)
    if found is None:
        fail("No such container: " + name)
    return found


def top(container):
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8") as file:
                    fields = file.read().rsplit(")", 1)[1].split()
                with open(f"/proc/{entry}/cmdline", encoding="utf-8") as file:
                    command = file.read().replace("\0", " ").strip()
            except OSError:
                continue
            if fields[0] != "Z":
                ticks = (int(fields[11]) + int(fields[12])) // os.sysconf("SC_CLK_TCK")
                parents[int(entry)] = (int(fields[1]), ticks, command)
    print("PID    PPID   TIME   COMMAND")
    for pid, (parent, ticks, command) in sorted(parents.items()):
        if container["pid"] in (pid, parent):
            print(pid, parent, ticks, command)


def docker(words):
    if words[0] == "ps":
        service = next(word.rpartition("=")[2] for word in words if ".service=" in word)
        container = load("state.json", {}).get(service)
        if container:
            print(container["id"])
    elif words[:2] == ["image", "inspect"]:
        image = image_named(words[-1])
        if image is None:
            fail("No such image: " + words[-1])
        print(json.dumps(image["digests"]), image["id"])
    elif words[0] == "inspect":
        container = container_named(words[-1])
        running = is_running(container)
        health = "unhealthy" if "SICK" in container["environment"] else "healthy"
        print("running" if running else "exited", health if running else "unhealthy",
              container["image"])
    elif words[0] == "top":
        top(container_named(words[1]))
    elif words[0] == "kill":
        number = getattr(signal, "SIG" + words[1].partition("=")[2])
        os.kill(container_named(words[2])["pid"], number)
    else:
        fail("unknown command " + words[0])


def main():
    with open(os.path.join(FOLDER, "calls"), "a", encoding="utf-8") as calls:
        fcntl.flock(calls, fcntl.LOCK_EX)  # as the engine, one at a time
        name = os.path.basename(sys.argv[0])
        calls.write(json.dumps([name] + sys.argv[1:]) + "\n")
        calls.flush()
        (compose if name == "docker-compose" else docker)(sys.argv[1:])


main()
