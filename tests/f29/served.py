"""A real f29svc for tests in Python: a folder of its own, a free port, one key."""

import hashlib
import http.client
import json
import pathlib
import shutil
import subprocess
import tempfile
import threading

KEY = "a-key-of-the-tests"
COMPANY = "99999001-0"
ROOT = pathlib.Path(__file__).resolve().parents[2]
RCV = ROOT / "tests/f29/data/rcv"
INPUTS = {
    "previous": {"77": 250000}, "utm": {"previous_filing": 70000, "this_filing": 70500},
    "common_use_factor": "0.80", "boxes": {"48": 25000, "563": 13390504, "115": "0.125"},
    "fees": [{"gross": 1000000, "rate": "15.25"}],
}


def register_files():
    """The sample files by name."""
    return {file.name: file.read_bytes() for file in sorted(RCV.glob("RCV_*.csv"))}


class Service:
    """Runs until it is left."""

    def __init__(self, program, config=""):
        self.folder = tempfile.mkdtemp(prefix="f29-served-")
        path = pathlib.Path(self.folder) / "f29svc.yaml"
        digest = hashlib.sha256(KEY.encode()).hexdigest()
        path.write_text(f"""listen: 127.0.0.1:0
database: {{ sqlite: "{self.folder}/f29.db" }}
companies: [{{ rut: {COMPANY}, name: Empresa Uno SpA }}]
api_keys: [{{ name: contadora, sha256: {digest} }}]
{config}
""")
        self.process = subprocess.Popen([program, "serve", "--config", str(path)],
                                        stdout=subprocess.PIPE, text=True)
        first = self.process.stdout.readline()
        try:
            self.address = json.loads(first)["address"]
        except (ValueError, KeyError):
            self.close()
            raise AssertionError(f"f29svc did not start: {first!r}") from None
        # Its log must not fill the pipe.
        threading.Thread(target=lambda: [None for _ in self.process.stdout], daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, method, path, body=None, kind="application/json", key=KEY):
        """(status, fields, bytes)"""
        host, port = self.address.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=30)
        fields = {"Authorization": f"Bearer {key}"} if key else {}
        if body is not None:
            fields["Content-Type"] = kind
        connection.request(method, path, body, fields)
        answer = connection.getresponse()
        found = (answer.status, dict(answer.getheaders()), answer.read())
        connection.close()
        return found

    def at(self, method, period, rest="", body=None, kind="application/json"):
        """JSON of a path below a period; raises where it is refused."""
        path = f"/v1/companies/{COMPANY}/periods/{period}{rest}"
        status, _, content = self.call(method, path, body, kind)
        if status != 200:
            raise AssertionError(f"{method} {path}: {status} {content[:400]!r}")
        return json.loads(content)

    def import_file(self, period, name, content):
        kind = "application/json" if name.endswith(".json") else "text/csv"
        return self.at("POST", period, f"/import?name={name}", content, kind)

    def put_inputs(self, period, inputs=None):
        return self.at("PUT", period, "/inputs", json.dumps(inputs or INPUTS).encode())
