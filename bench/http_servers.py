"""what the sidecar forwards, as five unrelated servers understand it

usage: ./dev servers [--requests N] [--seed N]. The raw cases and seeded mutations of them go through
the sidecar to a recorder that keeps the bytes of each whole request. The same bytes then go to
Werkzeug, gevent, h11, Node and Apache, one connection each, and each server writes down the requests
that it executed. Alike: exactly one request, with the method, raw target, Host, length and hash of
the body and the fields that were sent, after that server's normalisation. Writes
docs/http-servers.md; ends with 1 when anything differs that no rule below explains.
"""

import argparse
import collections
import concurrent.futures
import datetime
import hashlib
import itertools
import json
import os
import re
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading

import http_table
import mutations
import peers

TABLE = os.path.join(http_table.ROOT, "docs/http-servers.md")
ECHO = os.path.join(peers.HERE, "servers/echo.py")
SERVERS = ("Werkzeug", "gevent", "h11", "Node", "Apache")
THREADS = 16
ANSWER_SECONDS = 10  # how long a server may think
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

Request = collections.namedtuple("Request", "method target fields length hash")


# ---- what the sidecar forwarded -----------------------------------------------------------------

def split_head(data):
    """Strictly: (start line's words, fields) of the bytes before the empty line."""
    lines = data.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    fields = [tuple(line.split(": ", 1)) for line in lines[1:]]
    if len(words) != 3 or words[2] != "HTTP/1.1" or any(len(field) != 2 for field in fields):
        raise ValueError(f"the sidecar wrote a head that is none: {data!r}")
    return words, fields


def take_request(stream):
    """The raw bytes of the next whole request and how it reads; None at the end, also in its middle."""
    raw = b""
    while not raw.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line.endswith(b"\n"):
            return None
        raw += line
    (method, target, _), fields = split_head(raw[:-4])
    named = {name.lower(): value for name, value in fields}
    body = b""
    if named.get("transfer-encoding") == "chunked":
        while True:
            line = stream.readline()
            piece = stream.read(int(line, 16) + 2) if line.endswith(b"\r\n") else b""
            raw += line + piece
            if not piece.endswith(b"\r\n"):
                return None
            if piece == b"\r\n":
                break
            body += piece[:-2]
    else:
        length = int(named.get("content-length", "0"))
        body = stream.read(length)
        raw += body
        if len(body) < length:
            return None
    return raw, Request(method, target, fields, len(body), hashlib.sha256(body).hexdigest())


class Recorder(socketserver.ThreadingTCPServer):
    """The sidecar's backend. `taken`: by the client's address, what arrived whole."""
    daemon_threads, request_queue_size = True, 1024

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.taken = collections.defaultdict(list)
        self.faults = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            try:
                while (found := take_request(self.rfile)) is not None:
                    fields = dict(found[1].fields)
                    if "X-Forwarded-For" in fields:  # else a health probe
                        client = fields["X-Forwarded-For"].split(",")[-1].strip()
                        self.server.taken[client].append(found)
                    self.wfile.write(OK)
            except ValueError as error:
                self.server.faults.append(str(error))
            except OSError:
                pass  # closed by the sidecar


def talk(source, port, data):
    """Sends and half-closes; true when the other side then answered and closed in time."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        client.bind((source, 0))
        client.settimeout(ANSWER_SECONDS)
        client.connect(("127.0.0.1", port))
        try:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass  # refused in the middle
    return True


def forward(inputs, wanted, port, recorder):
    """Sends inputs until `wanted` requests came out; [(input's name, raw, Request)] and how many."""
    sent, number, silent = {}, itertools.count(1), []
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        while sum(map(len, recorder.taken.values())) < wanted:
            batch = list(itertools.islice(inputs, 400))
            if not batch:
                break
            sources = [http_table.address(next(number)) for _ in batch]
            for (name, _), source in zip(batch, sources):
                sent[source] = name
            done = pool.map(lambda one: talk(one[0], port, one[1][1]), zip(sources, batch))
            silent += [name for (name, _), ended in zip(batch, done) if not ended]
    if recorder.faults or silent:
        sys.exit(f"the sidecar's faults: {recorder.faults[:5]}; no end for: {silent[:5]}")
    out = [(sent[source], raw, request) for source, found in recorder.taken.items()
           for raw, request in found]
    return len(sent), out


# ---- the servers --------------------------------------------------------------------------------

class Server:
    def __init__(self, name, folder):
        self.name, self.log = name, os.path.join(folder, name + ".jsonl")
        open(self.log, "w").close()
        if name == "Apache":
            port = peers.free_port()
            config = peers.filled("http_servers.apache", folder,
                                  {"FOLDER": folder, "LISTEN": port, "ECHO": ECHO})
            os.environ["ECHO_LOG"] = self.log
            self.running = peers.Running(name, 0, ["apache2", "-DFOREGROUND", "-f", config], port,
                                         folder)
            del os.environ["ECHO_LOG"]
            self.port, self.process = port, self.running.process
            return
        command = {"Node": ["node", "--max-http-header-size=1000000",
                            os.path.join(peers.HERE, "servers/echo.js"), self.log]}.get(
            name, [http_table.DEBIANS_PYTHON, ECHO, name.lower(), self.log])
        self.process = subprocess.Popen(command, text=True, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)
        self.port = int(self.process.stdout.readline())

    def understand(self, raws):
        """For each request, in order, what was executed; None where the server never ended."""
        sources = [http_table.address(1 + i) for i in range(len(raws))]
        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            ended = list(pool.map(lambda one: talk(one[0], self.port, one[1]),
                                  zip(sources, raws)))
        found = collections.defaultdict(list)
        with open(self.log) as log:
            for line in log:
                entry = json.loads(line)
                found[entry["client"]].append(entry)
        return [found[source] if end else None for source, end in zip(sources, ended)]

    def stop(self):
        self.process.terminate()
        self.process.wait()


# ---- comparing ----------------------------------------------------------------------------------

def listed(fields):
    """The multimap as it is: names in small letters, the order of the fields of one name kept."""
    return sorted(((name.lower(), value) for name, value in fields), key=lambda field: field[0])


def joined(separator, one=None, cookie=None, passes=lambda name: True, cut=str):
    """A CGI-like origin: one value a name. `one`: which Content-Type of several it takes; `cookie`:
    what joins several; `passes`: names that it hands on; `cut`: what it takes off a value."""
    def normalise(fields):
        values = collections.defaultdict(list)
        for name, value in fields:
            if passes(name):
                values[name.lower().replace("_", "-")].append(cut(value))
        if one is not None and "content-type" in values:
            values["content-type"] = [values["content-type"][one]]
        if values.get("content-type") == [""]:  # to CGI the same as none
            del values["content-type"]
        return sorted((name, cut((cookie if name == "cookie" and cookie else separator).join(found)))
                      for name, found in values.items())
    return normalise


def is_cgi_name(name):
    return re.fullmatch("[A-Za-z0-9_-]+", name) is not None


NORMALISED = {
    "Werkzeug": joined(",", one=-1),
    "gevent": joined(",", one=0, cookie="; ", cut=str.strip),
    "h11": listed,
    "Node": listed,
    "Apache": joined(", ", passes=is_cgi_name),
}


def path_of(request):
    return request.target.split("?", 1)[0]


def climbs(path):
    """Do its dots lead above the root?"""
    depth = 0
    for segment in re.split("/+", path.strip("/")):
        depth += {"": 0, ".": 0, "..": -1}.get(segment, 1)
        if depth < 0:
            return True
    return False


def is_odd_address(request):
    host = http_table.host_name(dict(request.fields)["Host"])
    return re.fullmatch(r"[\d.]+", host) and not re.fullmatch(r"\d+(\.\d+){3}", host)


# Refusals that are a server's own policy: (its name in the table, whether it explains this request).
REFUSALS = {
    "gevent": (("HEAD with a body is refused", lambda r: r.method == "HEAD" and r.length),),
    "Apache": (
        ("`OPTIONS *` is answered before any application", lambda r: r.target == "*"),
        ("an empty Host (a client of HTTP/1.0 had none) is refused",
         lambda r: ("Host", "") in r.fields),
        ("a Host of digits and dots that is no address is refused", is_odd_address),
        ("a path with a bad escape or `%00` is refused",
         lambda r: re.search("%(?![0-9A-Fa-f]{2})|%00", path_of(r))),
        ("a path whose dots lead above the root is refused",
         lambda r: climbs(path_of(r).replace("%2e", ".").replace("%2E", "."))),
    ),
}


def normal(name, request):
    target = request.target
    if name == "Werkzeug":  # Python's http.server: several slashes at the start are one
        target = re.sub("^//+", "/", target)
    return (request.method, target, NORMALISED[name](request.fields), request.length,
            request.hash)


def compare(name, request, executed):
    """"" when alike, else what differs; a rule's name after "rule:" when it explains it."""
    if executed is None:
        return "no answer and no end"
    if not executed:
        for rule, explains in REFUSALS.get(name, ()):
            if explains(request):
                return "rule:" + rule
        return "refused"
    if len(executed) > 1:
        return f"understood as {len(executed)} requests"
    entry = executed[0]
    heard = Request(entry["method"], entry["target"], [tuple(f) for f in entry["fields"]],
                    entry["length"], entry["hash"])
    for part, sent, got in zip(("method", "target", "fields", "length of the body", "body"),
                               normal(name, request), normal(name, heard)):
        if sent != got:
            if part == "fields":
                sent, got = ([field for field in sent if field not in got],
                             [field for field in got if field not in sent])
            return f"{part}: sent {sent!r}, understood {got!r}"
    return ""


def versions():
    def said(*command):
        text = subprocess.run(command, capture_output=True, text=True)
        return re.search(r"[\d.]+\d", text.stdout).group(0)
    found = {name: http_table.version_of("python3-" + name.lower())
             for name in ("Werkzeug", "gevent", "h11")}
    return {**found, "Node": said("node", "--version"), "Apache": said("apache2", "-v")}


NOTES = (
    ("h11, Node", "names without regard to case; every field and its order kept"),
    ("Werkzeug", "CGI: names in capitals, `-` as `_`; fields of one name joined by `,`; the last "
     "Content-Type of several; several slashes at the start of the target are one (Python's "
     "http.server)"),
    ("gevent", "CGI; joined by `,`, Cookie by `; `; the first Content-Type of several; Python's "
     "white space (0x85 and 0xa0 too) cut off values"),
    ("Werkzeug, gevent, Apache", "an empty Content-Type is the same as none"),
    ("Apache", "with mod_wsgi. CGI; joined by `, `; names with other than letters, digits, `-` "
     "are not handed to the application"),
)


def write_table(inputs, forwarded, seed, table):
    found = versions()
    lines = [
        "# What we forward, as five servers understand it", "",
        f"Written by `./dev servers` on {datetime.date.today()}: {inputs} inputs (the raw cases of "
        "`tests/unit/http/corpus/http_raw.jsonl`",
        f"and mutations of them, `bench/mutations.py`, seed {seed}) went through the sidecar. The "
        f"{forwarded} whole requests that it forwarded were kept as",
        "bytes and sent to each server, on a connection each. **Alike**: the server executed exactly "
        "one request, with the same method, raw",
        "target, Host, length and SHA-256 of the body, and the same fields after the normalisation "
        "below. **Refused by a rule**: not executed,",
        "for a reason of that server's own, below. **Different**: anything else; none may be.", "",
        "| server | requests | alike | refused by a rule | different |", "|---|---|---|---|---|"]
    for name in SERVERS:
        counts = table[name]
        refused = sum(count for kind, count in counts.items() if kind.startswith("rule:"))
        lines.append(f"| {name} {found[name]} | {sum(counts.values())} | {counts['alike']} | "
                     f"{refused} | {counts['different']} |")
    lines += ["", "## Normalisation of fields", ""]
    lines += [f"- **{names}**: {text}." for names, text in NOTES]
    lines += ["", "## Refusals of a server's own", ""]
    for name, rules in REFUSALS.items():
        lines += [f"- **{name}**: {rule} ({table[name]['rule:' + rule]})." for rule, _ in rules]
    with open(TABLE, "w") as file:
        file.write("\n".join(lines) + "\n")


def main():
    words = argparse.ArgumentParser()
    words.add_argument("--bin", default="build/bin")
    words.add_argument("--requests", type=int, default=3000)
    words.add_argument("--seed", type=int, default=1)
    words = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        recorder = Recorder()
        running = http_table.start_proxy("sidecar", "recorder", recorder.server_address[1], folder,
                                         os.path.abspath(words.bin), "http_servers")
        try:
            recorder.taken.clear()  # what waited for the first 200
            cases = http_table.read_cases()
            inputs = itertools.chain(((case["id"], case["bytes"]) for case in cases),
                                     mutations.endless(cases, words.seed))
            sent, forwarded = forward(inputs, words.requests, running.port, recorder)
        finally:
            running.stop()
            recorder.shutdown()
        print(f"{sent} inputs, {len(forwarded)} requests forwarded", flush=True)
        table, differences = {}, []
        for name in SERVERS:
            table[name] = ask(name, folder, forwarded, differences)
    write_table(sent, len(forwarded), words.seed, table)
    print("\n".join(differences[:40]))
    sys.exit(1 if differences else 0)


def ask(name, folder, forwarded, differences):
    """How many requests the server understood how; what differs is appended."""
    server = Server(name, folder)
    try:
        understood = server.understand([raw for _, raw, _ in forwarded])
    finally:
        server.stop()
    verdicts = collections.Counter({"alike": 0, "different": 0})
    for (source, raw, request), executed in zip(forwarded, understood):
        verdict = compare(name, request, executed)
        kind = "alike" if not verdict else verdict if verdict[:5] == "rule:" else "different"
        verdicts[kind] += 1
        if kind == "different":
            differences.append(f"{name}, {source}: {verdict[:300]}\n    {raw[:1500]!r}")
    print(f"{name:9} {len(forwarded)} requests  " +
          "  ".join(f"{kind} {count}" for kind, count in sorted(verdicts.items())), flush=True)
    return verdicts


if __name__ == "__main__":
    main()
