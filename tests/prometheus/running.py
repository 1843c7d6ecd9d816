"""Real programs for tests in Python: each on a free port that it tells itself, ended by its handle."""

import asyncio
import json
import pathlib
import re
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import h2.config
import h2.connection
import h2.events

DEADLINE = 30  # seconds; nothing that is awaited here takes more than one on an idle machine


def until(what, ask, deadline=DEADLINE):
    """Asks until the answer is true, and returns it."""
    pause, end = threading.Event(), time.monotonic() + deadline
    while not (answer := ask()):
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {deadline} s")
        pause.wait(0.05)
    return answer


def get(url):
    """(status, text)"""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class Program:
    """Runs until closed. `address` is what the first line says that the pattern matches."""

    def __init__(self, words, told, **more):
        self.process = subprocess.Popen([str(word) for word in words], text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
        self.lines, self.address, self.known = [], None, threading.Event()
        self.reader = threading.Thread(target=self._read, args=(re.compile(told),), daemon=True)
        self.reader.start()
        if not self.known.wait(DEADLINE) or not self.address:
            self.close()
            raise AssertionError(f"{words[0]} did not start:\n" + "".join(self.lines[-20:]))

    def _read(self, told):
        for line in self.process.stdout:
            self.lines.append(line)
            match = told.search(line)
            if match and not self.address:
                self.address = match.group(1)
                self.known.set()
        self.known.set()

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join(DEADLINE)
        self.process.stdout.close()


EXPORTER = r'msg="Listening on" address=(\S+)'


class Prometheus(Program):
    def __init__(self, config, folder):
        super().__init__(["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/tsdb",
                          "--web.listen-address=127.0.0.1:0", "--log.level=info"], EXPORTER)
        until("prometheus", lambda: get(f"http://{self.address}/-/ready")[0] == 200)

    def api(self, path, **parameters):
        url = f"http://{self.address}/api/v1/{path}?" + urllib.parse.urlencode(parameters)
        status, text = get(url)
        if status != 200:
            raise AssertionError(f"{url}: {status} {text}")
        return json.loads(text)["data"]

    def query(self, expr):
        return self.api("query", query=expr)["result"]


class Web:
    """A stand-in for what is probed, over TLS (HTTP/2 and 1.1) or plain. `pages` is path -> (status,
    text) and may be changed while it runs; other paths are 404."""

    def __init__(self, pages, certificate=None):
        self.pages, self.seen = dict(pages), []
        self.loop, self.ready = asyncio.new_event_loop(), threading.Event()
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate / "web.pem", certificate / "web.key")
            self.context.set_alpn_protocols(["h2", "http/1.1"])
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        if not self.ready.wait(DEADLINE):
            raise AssertionError("the stand-in did not start")

    def _run(self):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.context))
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        self.loop.run_forever()
        server.close()

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(DEADLINE)

    def url(self, path, host="127.0.0.1"):
        return f"{'https' if self.context else 'http'}://{host}:{self.port}{path}"

    def page(self, path, host):
        self.seen.append((path, host))
        return self.pages.get(path, (404, "no such page"))

    async def _serve(self, reader, writer):
        secure = writer.get_extra_info("ssl_object")
        serve = self._two if secure and secure.selected_alpn_protocol() == "h2" else self._one
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass  # whoever asked has left
        finally:
            writer.close()

    async def _one(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        host = re.search(r"(?im)^host: *(\S*)", head)
        status, text = self.page(head.split(" ")[1], host.group(1) if host else "")
        body = text.encode()
        writer.write(f"HTTP/1.1 {status} -\r\nContent-Type: text/html\r\nContent-Length: {len(body)}"
                     "\r\nConnection: close\r\n\r\n".encode() + body)
        await writer.drain()

    async def _two(self, reader, writer):
        wire = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        wire.initiate_connection()
        writer.write(wire.data_to_send())
        while data := await reader.read(65536):
            for event in wire.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    fields = {(key if isinstance(key, str) else key.decode()):
                              (value if isinstance(value, str) else value.decode())
                              for key, value in event.headers}
                    status, text = self.page(fields[":path"], fields.get(":authority", ""))
                    wire.send_headers(event.stream_id, [(":status", str(status)),
                                                        ("content-type", "text/html")])
                    wire.send_data(event.stream_id, text.encode(), end_stream=True)
            writer.write(wire.data_to_send())
            await writer.drain()


def certificate(folder):
    """web.pem and web.key, vouched for by ca.pem, for 127.0.0.1 and localhost."""
    folder = pathlib.Path(folder)

    def openssl(*words):
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder, timeout=30)

    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=authority",
            "-days", "30")
    openssl("req", *new, "-keyout", "web.key", "-out", "web.csr", "-subj", "/CN=web")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    openssl("x509", "-req", "-in", "web.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-out", "web.pem", "-days", "30", "-extfile", "names")
    return folder
