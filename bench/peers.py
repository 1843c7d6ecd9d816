# The proxies that benchmarks compare, as processes: started with a config made from bench/conf,
# pinned, their CPU time and memory read from /proc. No benchmark itself.

import json
import os
import platform
import re
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TICK = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def filled(name, folder, values):
    """bench/conf/NAME with its @WORDS@ replaced, in the folder; its path."""
    with open(os.path.join(HERE, "conf", name)) as file:
        text = file.read()
    text = re.sub(r"@([A-Z]+)@", lambda match: str(values[match.group(1)]), text)
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(text)
    return path


class Running:
    """A process and its children, on one core."""

    def __init__(self, name, core, command, port, folder):
        self.name, self.port = name, port
        self.log = open(os.path.join(folder, f"{name}.out"), "w")
        self.process = subprocess.Popen(["taskset", "-c", str(core)] + command, stdout=self.log,
                                        stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    with open(self.log.name) as said:
                        sys.exit(f"{name} does not listen: {said.read()}")
                time.sleep(0.02)

    def pids(self):
        found, grown = [self.process.pid], True
        while grown:
            grown = False
            for entry in os.listdir("/proc"):
                if not entry.isdigit() or int(entry) in found:
                    continue
                try:
                    with open(f"/proc/{entry}/stat") as file:
                        parent = int(file.read().rsplit(")", 1)[1].split()[1])
                except (OSError, IndexError):
                    continue
                if parent in found:
                    found.append(int(entry))
                    grown = True
        return found

    def cpu(self):
        """Seconds of user, of system, and of both; the last from the scheduler, to the nanosecond."""
        user = system = run = 0.0
        for pid in self.pids():
            with open(f"/proc/{pid}/stat") as file:
                words = file.read().rsplit(")", 1)[1].split()
            user += int(words[11]) / TICK
            system += int(words[12]) / TICK
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                    run += int(file.read().split()[0]) / 1e9
        return user, system, run

    def memory_kib(self):
        total = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/smaps_rollup") as file:
                total += int(re.search(r"^Pss:\s+(\d+)", file.read(), re.M).group(1))
        return total

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()


def start_backend(folder, values):
    config = filled("backend.conf", folder, values)
    return Running("backend", 1, ["nginx", "-c", config, "-p", folder], values["BLUE"], folder)


def start(name, folder, values, binaries):
    port = free_port()
    values = {**values, "LISTEN": port, "METRICS": free_port()}
    if name == "nginx":
        command = ["nginx", "-c", filled("nginx.conf", folder, values), "-p", folder]
    elif name == "haproxy":
        command = ["haproxy", "-f", filled("haproxy.cfg", folder, values), "-db"]
    else:
        command = [os.path.join(binaries, "sidecar"), "--config",
                   filled("sidecar.yaml", folder, values)]
    running = Running(name, 0, command, port, folder)
    if name == "sidecar":
        wait_until_served(port)
    return running


def wait_until_served(port):
    """A color starts down: waits for the first 200, with a deadline."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        with socket.create_connection(("127.0.0.1", port), 10) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: erp.test\r\nConnection: close\r\n\r\n")
            if client.recv(64).startswith(b"HTTP/1.1 200"):
                return
        time.sleep(0.05)
    sys.exit("the sidecar answers no request")


def machine():
    def version(command, pattern):
        try:
            said = subprocess.run(command, capture_output=True, text=True)
            return re.search(pattern, said.stdout + said.stderr).group(1)
        except (OSError, AttributeError):
            return "?"
    return {"kernel": platform.release(), "cores": os.cpu_count(),
            "nginx": version(["nginx", "-v"], r"nginx/([\d.]+)"),
            "haproxy": version(["haproxy", "-v"], r"version ([\d.]+)"),
            "wrk": version(["wrk", "-v"], r"wrk ([\w./-]+)")}


def keep(given, name, **facts):
    """Writes NAME.json in the folder given.out: settings, machine, and these facts. Its path."""
    os.makedirs(given.out, exist_ok=True)
    settings = {key: value for key, value in vars(given).items() if key not in ("bin", "out")}
    path = os.path.join(given.out, f"{name}.json")
    with open(path, "w") as file:
        json.dump({"settings": settings, "machine": machine(), **facts}, file, indent=1)
    return path
