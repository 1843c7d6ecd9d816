#!/usr/bin/python3 -IS
"""Stands in for docker and docker-compose, by the name it is called with: the commands that the
agent uses, over real processes. What it was asked is written down. Its folder is STANDIN_FOLDER:
  images.json    name -> {"id", "digests", "environment", "command"}; without a command: STANDIN_STUB
  services.json  service -> its own environment; there need be none
  behave.json    verb of docker-compose -> "fail" or "hang"; there need be none
  state.json     containers by service
  calls          one JSON list of words a line
A command's {NAME} is from the container's environment. It is healthy once its port HTTP, if it has
one, takes connections.
"""
import fcntl
import hashlib
import json
import os
import select
import signal
import socket
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
    environment.update(load("services.json", {}).get(service, {}))
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
    words = container["command"] or [os.environ["STANDIN_STUB"]]
    words = [word.format(**container["environment"]) for word in words]
    process = subprocess.Popen(words, env=container["environment"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, start_new_session=True, close_fds=True)
    container["pid"] = process.pid


def end(container, grace=10.0):
    if is_running(container):
        process = os.pidfd_open(container["pid"])
        os.kill(container["pid"], signal.SIGTERM)
        if not select.select([process], [], [], grace)[0]:
            os.kill(container["pid"], signal.SIGKILL)
            select.select([process], [], [])
        os.close(process)
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
                     "image": image["id"], "environment": environment, "pid": 0,
                     "command": image.get("command")}
        state[service] = container
        print(f"Recreating {service} ... done", file=sys.stderr)
    if runs and not is_running(container):
        start(container)


def misbehave(verb, calls):
    how = load("behave.json", {}).get(verb)
    if how == "fail":
        fail("\n".join([f"line {i}" for i in range(1, 30)] + ["no answer from the daemon"]))
    if how == "hang":
        fcntl.flock(calls, fcntl.LOCK_UN)
        signal.pause()


def compose(words, calls):
    while words[:1] in (["-p"], ["-f"]):
        words = words[2:]
    verb, rest = words[0], words[1:]
    misbehave(verb, calls)
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
            end(state.get(service), float(rest[1]))
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
    if not is_running(container):
        fail("the container is not running")
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
    for thread in os.listdir(f"/proc/{container['pid']}/task"):  # workers that are no processes
        with open(f"/proc/{container['pid']}/task/{thread}/comm", encoding="utf-8") as file:
            name = file.read().strip()
        if name == "odoo: worker":
            parents[int(thread)] = (container["pid"], 0, name)
    print("PID    PPID   TIME   COMMAND")
    for pid, (parent, ticks, command) in sorted(parents.items()):
        if container["pid"] in (pid, parent):
            print(pid, parent, ticks, command)


def health_of(container):
    if not is_running(container) or "SICK" in container["environment"]:
        return "unhealthy"
    port = container["environment"].get("HTTP")
    if port:
        try:
            socket.create_connection(("127.0.0.1", int(port)), timeout=1).close()
        except OSError:
            return "starting"
    return "healthy"


def docker(words, _):
    if words[0] == "ps" and "--format" in words:
        for service, container in load("state.json", {}).items():
            if isinstance(container, dict):
                print(service, container["id"])
    elif words[0] == "ps":
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
        print("running" if is_running(container) else "exited", health_of(container),
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
        (compose if name == "docker-compose" else docker)(sys.argv[1:], calls)


main()
