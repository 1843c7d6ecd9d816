"""What a drain that waits costs the users of the other color: CPU of a request and p99, with and without

usage: ./dev bench drain [--rounds 9] [--seconds 4] [--connections 64] [--most 0.05]
                         [--head bare|browser]

Two sidecars alike, one worker on core 0, load and backends on core 1. Both have one request on blue
that is not answered and all their users on green. In one of them `drain blue` was asked for and waits
for that request during all rounds; in the other, nothing was asked for. Every round measures both, in
turn; ratios are taken within a round. Exits 1 where the median of the CPU ratio is above 1 + --most, or
where the drain did not wait. Writes drain.json.
"""

import argparse
import os
import shutil
import socket
import statistics
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
import judge  # noqa: E402
import keepalive  # noqa: E402
import peers  # noqa: E402


class Unanswering:
    """A backend that answers a probe's page and keeps a request to /hold until the end."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.held = threading.Semaphore(0)
        self.over = threading.Event()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            head = b""
            while b"\r\n\r\n" not in head:
                piece = connection.recv(4096)
                if not piece:
                    return
                head += piece
            if head.startswith(b"GET /hold "):
                self.held.release()
                self.over.wait()
            connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")

    def stop(self):
        self.over.set()
        self.listener.close()


def start(name, folder, values, given):
    """A sidecar with one request on blue; its users, who came while all the weight was on green."""
    own = os.path.join(folder, name)
    os.mkdir(own)
    backend = Unanswering()
    port = peers.free_port()
    config = peers.filled("sidecar.yaml", own, {**values, "FOLDER": own, "LISTEN": port,
                                                "BLUE": backend.port,
                                                "METRICS": peers.free_port()})
    running = peers.Running(name, 0, [os.path.join(given.bin, "sidecar"), "--config", config],
                            port, folder)
    deadline = time.monotonic() + 20
    while any(not color["health"].startswith("up")
              for color in judge.ask(own, "status")["colors"].values()):
        if time.monotonic() > deadline:
            sys.exit(f"{name}: a color is not up")
        time.sleep(0.05)
    judge.ask(own, "weights blue=1 green=0")
    held = socket.create_connection(("127.0.0.1", port))
    held.sendall(b"GET /hold HTTP/1.1\r\nHost: erp.test\r\n\r\n")
    if not backend.held.acquire(timeout=10):
        sys.exit(f"{name}: the request did not reach blue")
    judge.ask(own, "weights blue=0 green=1")
    with open(os.path.join(folder, f"{name}.users"), "w") as file:
        file.write("\n".join(keepalive.users_of(name, port, 200, given.head)) + "\n")
    return running, backend, held


def begin_drain(folder):
    """The command's connection; its answer comes when blue is empty."""
    admin = socket.socket(socket.AF_UNIX)
    admin.connect(os.path.join(folder, "admin.sock"))
    admin.sendall(b"drain blue deadline=1h wait=1h quiet=0s last=yes\n")
    return admin


def is_draining(folder):
    """Holders may still come (draining), or only what runs is waited for (closing)."""
    return judge.ask(folder, "status")["colors"]["blue"]["state"] in ("draining", "closing")


def has_answered(admin):
    admin.setblocking(False)
    try:
        return admin.recv(65536).decode() or "it hung up"
    except BlockingIOError:
        return ""


def rounds_of(given, folder):
    with open(os.path.join(folder, "head"), "w") as file:
        file.write("\n".join(keepalive.HEADS[given.head]) + "\n")
    values = {"FOLDER": folder, "BLUE": peers.free_port(), "GREEN": peers.free_port(),
              "BODY": "x" * 1024}
    to_stop, rounds, held = [], [], []
    try:
        to_stop.append(peers.start_backend(folder, values))
        sidecars = []
        for name in ("plain", "drain"):
            running, backend, connection = start(name, folder, values, given)
            sidecars.append(running)
            held.append(connection)
            to_stop += [backend, running]
        own = os.path.join(folder, "drain")
        command = begin_drain(own)
        deadline = time.monotonic() + 10
        while not is_draining(own):
            said = has_answered(command)
            if said or time.monotonic() > deadline:
                sys.exit(f"drain: {said or 'blue is not draining'}")
            time.sleep(0.05)
        warm_up = argparse.Namespace(**{**vars(given), "seconds": 1})
        for each in sidecars:
            keepalive.measure(each, warm_up, folder)
        for number in range(given.rounds):
            order = sidecars if number % 2 == 0 else sidecars[::-1]
            rounds.append({each.name: keepalive.measure(each, given, folder) for each in order})
            print(f"round {number + 1}: " + ", ".join(
                f"{name} {each['cpu_us']:.2f} µs, p99 {each['p99_us']:.0f} µs"
                for name, each in sorted(rounds[-1].items())), flush=True)
        said = has_answered(command)
        if said or not is_draining(own):
            sys.exit(f"the drain did not wait: {said}")
    finally:
        for each in reversed(to_stop):
            each.stop()
    return rounds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--head", choices=keepalive.HEADS, default="browser")
    parser.add_argument("--most", type=float, default=0.05)
    given = parser.parse_args()
    if os.cpu_count() < 2:
        sys.exit("needs two cores: one for the sidecar, one for load and backends")
    folder = tempfile.mkdtemp(prefix="bench-")
    try:
        rounds = rounds_of(given, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    ratios = {}
    for key, name in (("cpu_us", "CPU"), ("p99_us", "p99"), ("requests_s", "requests/s")):
        each = sorted(r["drain"][key] / r["plain"][key] for r in rounds)
        ratios[key] = {"median": statistics.median(each), "least": each[0], "most": each[-1]}
        print(f"drain / plain: {name} {ratios[key]['median']:.3f} "
              f"({each[0]:.3f} to {each[-1]:.3f})")
    peers.keep(given, "drain", ratios=ratios, rounds=rounds)
    if ratios["cpu_us"]["median"] > 1 + given.most:
        sys.exit(f"above {given.most:.0%}")


if __name__ == "__main__":
    main()
