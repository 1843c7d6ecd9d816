# What http_servers.py sends requests to, in Python: `echo.py werkzeug|gevent|h11 LOG`, and under
# Apache as a WSGI script (LOG in the environment). Writes one JSON line into LOG for each request as
# the server understood it, and its port as the first line it prints.

import hashlib
import json
import os
import socketserver
import sys
import threading

LOG = os.environ.get("ECHO_LOG") or (sys.argv[2] if len(sys.argv) > 2 else None)
writing = threading.Lock()
BIG = 1 << 20  # more than the sidecar lets through, for limits that a server has of its own


def note(client, method, target, fields, body):
    """Strings hold one byte in each character, as WSGI's do."""
    line = json.dumps({"client": client, "method": method, "target": target, "fields": fields,
                       "length": len(body), "hash": hashlib.sha256(body).hexdigest()})
    with writing, open(LOG, "a") as log:
        log.write(line + "\n")


def read_body(environ):
    stream = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated") or environ.get("HTTP_TRANSFER_ENCODING"):
        return stream.read()
    return stream.read(int(environ.get("CONTENT_LENGTH") or 0))


def application(environ, start_response):
    fields = [[name[5:], value] for name, value in environ.items() if name.startswith("HTTP_")]
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            fields.append([name, environ[name]])
    target = environ.get("RAW_URI") or environ["REQUEST_URI"]
    note(environ["REMOTE_ADDR"], environ["REQUEST_METHOD"], target, fields, read_body(environ))
    start_response("200 OK", [("Content-Length", "0")])
    return []


def serve_werkzeug():
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Handler(WSGIRequestHandler):
        def make_environ(self):
            environ = super().make_environ()
            environ["RAW_URI"] = self.path
            return environ

        def log(self, *_):
            pass

    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


def serve_gevent():
    from gevent import pywsgi

    class Handler(pywsgi.WSGIHandler):
        def get_environ(self):
            environ = super().get_environ()
            environ["RAW_URI"] = self.path
            return environ

    pywsgi.MAX_REQUEST_LINE = BIG
    server = pywsgi.WSGIServer(("127.0.0.1", 0), application, handler_class=Handler, log=None,
                               error_log=None)
    server.start()
    print(server.server_port, flush=True)
    server.serve_forever()


def serve_h11():
    import h11

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            reader, request, body = h11.Connection(h11.SERVER, BIG), None, b""
            while True:
                try:
                    event = reader.next_event()
                except h11.RemoteProtocolError as error:
                    self.request.sendall(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n"
                                         % error.error_status_hint)
                    return
                if event is h11.NEED_DATA:
                    reader.receive_data(self.request.recv(65536))
                elif isinstance(event, h11.Request):
                    request = event
                elif isinstance(event, h11.Data):
                    body += event.data
                elif isinstance(event, h11.EndOfMessage):
                    fields = [[name.decode("latin-1"), value.decode("latin-1")]
                              for name, value in request.headers]
                    note(self.client_address[0], request.method.decode("latin-1"),
                         request.target.decode("latin-1"), fields, body)
                    answer = h11.Response(status_code=200, headers=[("Content-Length", "0")])
                    self.request.sendall(reader.send(answer) +
                                         (reader.send(h11.EndOfMessage()) or b""))
                    if reader.our_state is not h11.DONE:
                        return
                    if reader.their_state is not h11.DONE:
                        return
                    reader.start_next_cycle()
                    body = b""
                else:
                    return

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = 128

    server = Server(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    {"werkzeug": serve_werkzeug, "gevent": serve_gevent, "h11": serve_h11}[sys.argv[1]]()
