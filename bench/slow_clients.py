"""slow heads, slow bodies and slow readers against the sidecar, and what others notice of them

usage: ./dev slow-clients [CONNECTIONS]. slowhttptest opens 1,000 connections each way, in front of a
stand-in Odoo with two workers, under the default limits. Meanwhile another user asks for a page
again and again: each answer must come within a second. Memory stays within spool.memory and some
KiB a connection. Slow heads and bodies must be gone within their limits, slow readers at the end.
"""

import argparse
import http.client
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import peers

# Name, what slowhttptest is told, seconds until the limits have ended every connection.
ATTACKS = [
    ("slow heads", ["-H", "-i", "3", "-t", "GET"], 10),     # timeouts.head
    ("slow bodies", ["-B", "-i", "3", "-s", "8192"], 30),   # timeouts.body_grace, then body_rate
    ("slow readers", ["-X", "-n", "1", "-z", "32", "-w", "64", "-y", "512"], None),
]
ASSET = "/web/assets/0123456/x.js"
ASSET_BYTES = 256 << 10
SECONDS = 40  # of each attack
RATE = 200    # connections a second: two workers serve more requests than that
MEMORY_KIB = (64 << 10) + 32 * 1000  # spool.memory, and what a connection may cost


class OtherUser(threading.Thread):
    """Asks for a page on a new connection, again and again; notes how long each took."""

    def __init__(self, port):
        super().__init__()
        self.port, self.ending, self.took, self.failed = port, threading.Event(), [], []
        self.start()

    def run(self):
        while not self.ending.wait(0.05):
            began = time.monotonic()
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/web/login")
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    self.failed.append(answer.status)
                connection.close()
            except OSError as error:
                self.failed.append(str(error))
            self.took.append(time.monotonic() - began)

    def stop(self):
        self.ending.set()
        self.join()


def metric(port, name):
    text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode()
    return sum(float(value) for value in
               re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.M))


def start_standin(folder, binaries):
    ports_file = os.path.join(folder, "ports")
    open(ports_file, "w").close()
    command = [os.path.join(binaries, "standin_odoo"), "--http", "0", "--websocket", "0",
               "--control", "0", "--workers", "2", "--ports-file", ports_file, "--asset-miss", "200",
               "--asset-bytes", str(ASSET_BYTES)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline, found = time.monotonic() + 10, {}
    while not {"http", "websocket"} <= found.keys():
        if time.monotonic() > deadline:
            process.kill()
            sys.exit("the stand-in does not listen")
        with open(ports_file) as file:
            found = dict(re.findall(r"(\w+)=(?:[\d.]+:)?(\d+)\b", file.read()))
    return process, found


def attack(name, words, limit, connections, port, metrics, sidecar):
    before_kib = sidecar.memory_kib()
    user = OtherUser(port)
    command = ["slowhttptest", *words, "-c", str(connections), "-r", str(RATE), "-l", str(SECONDS),
               "-p", "3", "-x", "10", "-u", f"http://127.0.0.1:{port}{ASSET}"]
    began = time.monotonic()
    attacker = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    most, most_kib, gone = 0, 0, None
    while attacker.poll() is None:
        open_now = metric(metrics, "sidecar_client_connections")
        most, most_kib = max(most, open_now), max(most_kib, sidecar.memory_kib())
        if most > connections / 2 and open_now < connections / 100 and gone is None:
            gone = time.monotonic() - began
        time.sleep(0.2)
    deadline = time.monotonic() + 10
    while metric(metrics, "sidecar_client_connections") > 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    left = metric(metrics, "sidecar_client_connections")
    if gone is None and limit is not None and left <= 2:
        gone = time.monotonic() - began  # the attacker gave up: it had no connection left
    user.stop()
    slowest = max(user.took)
    faults = []
    if most < connections * 0.9:
        faults.append(f"only {most:.0f} connections at a time")
    if user.failed:
        faults.append(f"the other user failed {len(user.failed)} times: {user.failed[:3]}")
    if slowest > 1:
        faults.append("the other user waited longer than a second")
    if most_kib - before_kib > MEMORY_KIB:
        faults.append("memory grew past its bound")
    if left > 2:
        faults.append(f"{left:.0f} connections left behind")
    opening = connections / RATE + 3
    if limit is not None and (gone is None or gone > limit + opening):
        faults.append(f"attackers are not gone after {limit} s")
    end = "until they left" if gone is None else f"gone after {gone:.1f} s"
    print(f"{name:13} {most:5.0f} connections, {end}; the other user: {len(user.took)} answers, "
          f"slowest {slowest * 1e3:.0f} ms; memory +{max(0, most_kib - before_kib) >> 10} MiB")
    for fault in faults:
        print(f"  FAULT: {fault}")
    return not faults


def main():
    words = argparse.ArgumentParser()
    words.add_argument("connections", nargs="?", type=int, default=1000)
    words.add_argument("--bin", default="build/bin")
    words.add_argument("--out", default=None)
    words = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        standin, ports = start_standin(folder, words.bin)
        sidecar = None
        try:
            port, metrics = peers.free_port(), peers.free_port()
            values = {"FOLDER": folder, "LISTEN": port, "METRICS": metrics,
                      "HTTP": ports["http"], "WEBSOCKET": ports["websocket"]}
            config = peers.filled("slow_clients.sidecar", folder, values)
            command = [os.path.join(words.bin, "sidecar"), "--config", config]
            sidecar = peers.Running("sidecar", 0, command, port, folder)
            while metric(metrics, "sidecar_color_up") < 1:  # ends: the stand-in answers its probes
                time.sleep(0.05)
            good = [attack(*one, words.connections, port, metrics, sidecar) for one in ATTACKS]
        finally:
            if sidecar is not None:
                sidecar.stop()
            standin.terminate()
            standin.wait()
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
