# The server behind the proxies of http_table.py: `http_table_origin.py werkzeug|gevent LOG`. It writes
# one JSON line into LOG for each request that it executes, and its port as the first line it prints.
# Werkzeug is what Odoo's workers answer with, gevent what its websocket port does.

import json
import sys
import threading

writing = threading.Lock()


def note_client(handler, environ):
    """Whose request this is: a loopback address for each case, seen directly or told by the proxy.
    A request without one came behind another on the same connection (one handler each)."""
    address = environ.get("REMOTE_ADDR", "")
    if address == "127.0.0.1":
        address = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")[-1].strip()
    handler.client = address or getattr(handler, "client", "")
    environ["client"] = handler.client


def app(environ, start_response):
    body, cut = b"", False
    try:
        length = environ.get("CONTENT_LENGTH") or "0"
        if environ.get("wsgi.input_terminated") or environ.get("HTTP_TRANSFER_ENCODING"):
            body = environ["wsgi.input"].read()
        else:
            body = environ["wsgi.input"].read(int(length))
            cut = len(body) < int(length)
    except (OSError, ValueError) as error:
        cut = str(error) or "cut"
    entry = {"client": environ["client"], "method": environ["REQUEST_METHOD"],
             "target": environ["RAW_URI"], "host": environ.get("HTTP_HOST", ""),
             "body": body.decode("latin-1"), "cut": bool(cut)}
    if entry["client"]:  # else a health probe
        with writing, open(sys.argv[2], "a") as log:
            log.write(json.dumps(entry) + "\n")
    text = b"executed " + environ["RAW_URI"].encode("latin-1", "replace")
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(text)))])
    return [text]


def serve_werkzeug():
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Handler(WSGIRequestHandler):
        timeout = 2  # Odoo's

        def make_environ(self):
            environ = super().make_environ()
            environ["RAW_URI"] = self.path
            note_client(self, environ)
            return environ

        def log(self, *_):
            pass

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


def serve_gevent():
    from gevent.pywsgi import WSGIHandler, WSGIServer

    class Handler(WSGIHandler):
        def get_environ(self):
            environ = super().get_environ()
            environ["RAW_URI"] = self.path
            note_client(self, environ)
            return environ

    server = WSGIServer(("127.0.0.1", 0), app, handler_class=Handler, log=None, error_log=None)
    server.start()
    print(server.server_port, flush=True)
    server.serve_forever()


{"werkzeug": serve_werkzeug, "gevent": serve_gevent}[sys.argv[1]]()
