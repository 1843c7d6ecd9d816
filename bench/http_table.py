"""the raw cases through the sidecar, nginx and HAProxy, judged by what two servers executed

usage: ./dev http-table. Every case of the corpus that a client sends goes through each proxy to
Werkzeug and to gevent, and to both without a proxy. What a server executed is refused (nothing), the
RFCs' one reading (or its beginning), or wrong: another reading, or a message that must be refused.
Writes docs/http-table.md; ends with 1 when the sidecar has anything in the last column.
"""

import argparse
import concurrent.futures
import datetime
import json
import os
import socket
import subprocess
import sys
import tempfile
import time

import peers

ROOT = os.path.dirname(peers.HERE)
CORPUS = os.path.join(ROOT, "tests/unit/http/corpus/http_raw.jsonl")
TABLE = os.path.join(ROOT, "docs/http-table.md")
ORIGINS = ("werkzeug", "gevent")
PROXIES = ("sidecar", "nginx", "haproxy", "nothing")
DEBIANS_PYTHON = "/usr/bin/python3"  # its packages are the servers
QUIET = 0.4  # seconds without a byte: the other side has nothing more to say
THREADS = 48


def case_bytes(line):
    if "raw" in line:
        return line["raw"].encode("latin-1")
    text = ""
    for part, times in line["parts"]:
        text += "".join(part.replace("{}", str(i)) for i in range(times))
    return text.encode("latin-1")


def read_cases():
    """Each case with its bytes and with the requests that it may become, in order."""
    with open(os.path.join(peers.HERE, "http_table.json")) as file:
        allowed = json.load(file)
    cases = []
    with open(CORPUS) as file:
        for text in file:
            line = json.loads(text)
            if line["side"] != "client":
                continue
            reading = [(*m["start"].split(" ", 1), m["host"], m["body"])
                       for m in line.get("messages", [])]
            if line["id"] in allowed:
                words = [r.split(" ", 3) for r in allowed[line["id"]]["reads"]]
                reading = [tuple(w + [""] * (4 - len(w))) for w in words]
            cases.append({"id": line["id"], "bytes": case_bytes(line), "reading": reading})
    return cases


def address(number):
    return f"127.{2 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"


def talk(source, port, data):
    """Sends one case from an address of its own and lets the other side say all it wants."""
    with socket.socket() as client:
        client.bind((source, 0))
        client.settimeout(10)
        client.connect(("127.0.0.1", port))
        try:
            client.sendall(data)
            for last in (False, True):
                client.settimeout(QUIET)
                try:
                    while client.recv(65536):
                        pass
                    return
                except TimeoutError:
                    pass
                if not last:
                    client.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused in the middle


class Origin:
    def __init__(self, kind, folder):
        self.log = os.path.join(folder, kind + ".jsonl")
        open(self.log, "w").close()
        script = os.path.join(peers.HERE, "http_table_origin.py")
        self.process = subprocess.Popen([DEBIANS_PYTHON, script, kind, self.log], text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.port = int(self.process.stdout.readline())

    def executed(self):
        """What it executed for each client; waits until it has come to rest."""
        size = -1
        while size != os.path.getsize(self.log):
            size = os.path.getsize(self.log)
            time.sleep(2.5)
        found = {}
        with open(self.log) as log:
            for line in log:
                entry = json.loads(line)
                found.setdefault(entry["client"], []).append(entry)
        return found

    def stop(self):
        self.process.terminate()
        self.process.wait()


def start_proxy(name, origin_name, origin_port, folder, binaries, config="http_table"):
    folder = os.path.join(folder, f"{name}-{origin_name}")
    os.mkdir(folder)
    port = peers.free_port()
    values = {"FOLDER": folder, "LISTEN": port, "ORIGIN": origin_port, "NAME": "sidecar"}
    config = peers.filled(f"{config}.{name}", folder, values)
    command = {"nginx": ["nginx", "-c", config, "-p", folder],
               "haproxy": ["haproxy", "-f", config, "-db"],
               "sidecar": [os.path.join(binaries, "sidecar"), "--config", config]}[name]
    running = peers.Running(name, 0, command, port, folder)
    if name == "sidecar":
        peers.wait_until_served(port)
    return running


def host_name(host):
    """Without its port: nginx's $host has none."""
    name, _, port = host.rpartition(":")
    return name if name and port.isdigit() else host


def same(executed, wanted):
    method, target, host, body = wanted
    if executed["cut"] or (executed["method"], executed["body"]) != (method, body):
        return False
    return target in ("*", executed["target"]) and host_name(executed["host"]) == host_name(host)


def judge(case, executed):
    if not executed:
        return "refused"
    reading = case["reading"]
    good = len(executed) <= len(reading) and all(map(same, executed, reading))
    return "read" if good else "wrong"


def shown(executed):
    parts = []
    for one in executed:
        body = f" and body {one['body'][:24]!r}" if one["body"] else ""
        cut = ", cut short" if one["cut"] else ""
        target = one["target"] if len(one["target"]) < 40 else one["target"][:36] + "…"
        parts.append(f"{one['method']} {target} for {one['host'][:24]!r}{body}{cut}")
    return "; ".join(parts)


def run_all(binaries, folder):
    """{(proxy, origin): {"refused": [ids], "read": [ids], "wrong": [(id, what)]}}"""
    cases = read_cases()
    result, number = {}, 0
    for origin_name in ORIGINS:
        origin, proxies, work, clients = Origin(origin_name, folder), {}, [], {}
        try:
            ports = {"nothing": origin.port}
            for name in PROXIES[:-1]:
                proxies[name] = start_proxy(name, origin_name, origin.port, folder, binaries)
                ports[name] = proxies[name].port
            for case in cases:
                for name in PROXIES:
                    number += 1
                    clients[(name, case["id"])] = address(number)
                    work.append((address(number), ports[name], case["bytes"]))
            with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
                list(pool.map(lambda words: talk(*words), work))
            executed = origin.executed()
        finally:
            for running in proxies.values():
                running.stop()
            origin.stop()
        for name in PROXIES:
            found = result[(name, origin_name)] = {"refused": [], "read": [], "wrong": []}
            for case in cases:
                entries = executed.get(clients[(name, case["id"])], [])
                verdict = judge(case, entries)
                found[verdict].append((case["id"], shown(entries)))
    return len(cases), result


TITLES = {"sidecar": "the sidecar", "nginx": "nginx", "haproxy": "HAProxy",
          "nothing": "no proxy"}


def version_of(package):
    said = subprocess.run(["dpkg-query", "-W", "-f=${Version}", package], capture_output=True,
                          text=True)
    return said.stdout.split("-")[0] or "?"


def write_table(count, result):
    versions = {name: version_of(package) for name, package in
                (("nginx", "nginx"), ("haproxy", "haproxy"), ("werkzeug", "python3-werkzeug"),
                 ("gevent", "python3-gevent"))}
    lines = [
        "# What servers execute behind each proxy", "",
        f"Written by `./dev http-table` on {datetime.date.today()}: the {count} raw inputs of "
        "`tests/unit/http/corpus/http_raw.jsonl` that",
        "a client can send, through each proxy of Debian 12 "
        f"(nginx {versions['nginx']}, HAProxy {versions['haproxy']}), to the two servers that",
        f"Odoo runs on (Werkzeug {versions['werkzeug']} and gevent {versions['gevent']}). "
        "The servers write down what they execute; that is judged:", "",
        "- **refused**: nothing was executed;",
        "- **one reading**: what the RFCs let the message mean (`bench/http_table.json` says so where "
        "we refuse it), or its beginning;",
        "- **wrong**: anything else, or a message that everyone must or should refuse.", "",
        "A proxy that passes a body on before it is whole differs by one or two from run to run.", "",
        "Why the sidecar reads as it does: [http.md](http.md).", "",
        "| in front | server | refused | one reading | wrong |", "|---|---|---|---|---|"]
    for name in PROXIES:
        for origin in ORIGINS:
            found = result[(name, origin)]
            lines.append(f"| {TITLES[name]} | {origin} | {len(found['refused'])} | "
                         f"{len(found['read'])} | {len(found['wrong'])} |")
    lines += ["", "## What was wrong", ""]
    for name in PROXIES[:-1]:
        wrong = {}
        for origin in ORIGINS:
            for case, what in result[(name, origin)]["wrong"]:
                wrong.setdefault((case, what), []).append(origin)
        lines += [f"**{TITLES[name]}**: {len(wrong) or 'nothing'}", ""]
        for (case, what), origins in sorted(wrong.items()):
            what = what.replace("|", "\\|").replace("`", "'")
            lines.append(f"- {case} ({', '.join(origins)}): `{what}`")
        if wrong:
            lines.append("")
    with open(TABLE, "w") as file:
        file.write("\n".join(lines).rstrip() + "\n")


def main():
    words = argparse.ArgumentParser()
    words.add_argument("--bin", default="build/bin")
    words.add_argument("--out", default=None)
    words = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        count, result = run_all(os.path.abspath(words.bin), folder)
    write_table(count, result)
    for (name, origin), found in result.items():
        print(f"{TITLES[name]:12} {origin:9} refused {len(found['refused']):3}  "
              f"one reading {len(found['read']):3}  wrong {len(found['wrong']):3}")
    wrong = [entry for origin in ORIGINS for entry in result[("sidecar", origin)]["wrong"]]
    for case, what in wrong:
        print(f"sidecar, {case}: {what}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
