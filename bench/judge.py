"""What the judge costs a request: its counts alone, and the data path with the judge on and off

usage: ./dev bench judge [--rounds 9] [--seconds 4] [--connections 64] [--most 0.03]
                         [--head bare|browser] [--request-us 8]

First micro_judge: nanoseconds of one counted attempt, as a share of --request-us of CPU. Then
sidecars that differ in nothing but what they count, one worker on core 0, load and backends on core 1:

  off     both colors have the same weight: no color is live, nothing is counted
  again   the same once more: what two processes differ by that do the same
  day     one color has the users by a hair: it is counted whole, as outside rollouts
  canary  a rollout at half of the users: sessions of both colors are counted and judged

Every round measures each once, in an order that turns; ratios are taken within a round. Exits 1 where
a median is above 1 + --most. Writes judge.json.
"""

import argparse
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import keepalive  # noqa: E402
import peers  # noqa: E402

LINE = re.compile(r"one attempt, (\d+) sessions: ([\d.]+) ns")
MODES = {
    "off": ["weights blue=1 green=1"],
    "again": ["weights blue=1 green=1"],
    "day": ["weights blue=5001 green=4999"],
    "canary": ["weights blue=1 green=0", "canary green steps=50,100 accept-weak=yes"],
}
STATES = {"canary": "canary(50)"}
ROLLOUT = "rollout: { warm_for: 0s, step_min: 1d, hold_max: 7d }\n"


def micro(given):
    rounds = []
    for _ in range(5):
        ran = subprocess.run([os.path.join(given.bin, "micro_judge")], capture_output=True,
                             text=True, check=True)
        found = {int(sessions): float(ns) for sessions, ns in LINE.findall(ran.stdout)}
        if not found:
            sys.exit(f"micro_judge said: {ran.stdout}")
        rounds.append(found)
    shares = {}
    for sessions in rounds[0]:
        ns = statistics.median(each[sessions] for each in rounds)
        shares[sessions] = ns / 1000 / given.request_us
        print(f"{sessions:6} sessions: {ns:6.1f} ns a request, {shares[sessions]:.2%} of "
              f"{given.request_us:g} µs")
    return {"rounds": rounds, "shares": shares}


def ask(folder, line):
    with socket.socket(socket.AF_UNIX) as admin:
        admin.settimeout(20)
        admin.connect(os.path.join(folder, "admin.sock"))
        admin.sendall(line.encode() + b"\n")
        said = b""
        while not said.endswith(b"\n"):
            piece = admin.recv(65536)
            if not piece:
                break
            said += piece
    answer = json.loads(said)
    if not answer["ok"]:
        sys.exit(f"{line}: {answer['error']}")
    return answer


def start(mode, folder, values, given):
    """A sidecar that is in this mode, and its users as they came while it was."""
    own = os.path.join(folder, mode)
    os.mkdir(own)
    port = peers.free_port()
    config = peers.filled("sidecar.yaml", own, {**values, "FOLDER": own, "LISTEN": port,
                                                "METRICS": peers.free_port()})
    with open(config, "a") as file:
        file.write(ROLLOUT)
    running = peers.Running(mode, 0, [os.path.join(given.bin, "sidecar"), "--config", config],
                            port, folder)
    peers.wait_until_served(port)
    deadline = time.monotonic() + 20
    while any(not color["health"].startswith("up")
              for color in ask(own, "status")["colors"].values()):
        if time.monotonic() > deadline:
            sys.exit(f"{mode}: a color is not up")
        time.sleep(0.05)
    for line in MODES[mode]:
        ask(own, line)
    while mode in STATES and ask(own, "status")["rollout"]["state"] != STATES[mode]:
        if time.monotonic() > deadline:
            sys.exit(f"{mode}: {ask(own, 'status')['rollout']}")
        time.sleep(0.05)
    with open(os.path.join(folder, f"{mode}.users"), "w") as file:
        file.write("\n".join(keepalive.users_of(mode, port, 200, given.head)) + "\n")
    return running


def is_counted(mode, folder):
    """Whether the judge saw the load: sessions of the running step."""
    rollout = ask(os.path.join(folder, mode), "status").get("rollout")
    if not rollout or "verdict" not in rollout:
        return False
    return any(signal["canary_exposed"] for signal in rollout["verdict"]["signals"])


def paired(given):
    if os.cpu_count() < 2:
        sys.exit("needs two cores: one for the sidecar, one for load and backends")
    folder = tempfile.mkdtemp(prefix="bench-")
    running, rounds = [], []
    try:
        with open(os.path.join(folder, "head"), "w") as file:
            file.write("\n".join(keepalive.HEADS[given.head]) + "\n")
        values = {"FOLDER": folder, "BLUE": peers.free_port(), "GREEN": peers.free_port(),
                  "BODY": "x" * 1024}
        running.append(peers.start_backend(folder, values))
        sidecars = []
        for mode in MODES:
            sidecars.append(start(mode, folder, values, given))
            running.append(sidecars[-1])
        warm_up = argparse.Namespace(**{**vars(given), "seconds": 1})
        for each in sidecars:
            keepalive.measure(each, warm_up, folder)
        for number in range(given.rounds):
            turn = number % len(sidecars)
            rounds.append({each.name: keepalive.measure(each, given, folder)
                           for each in sidecars[turn:] + sidecars[:turn]})
            print(f"round {number + 1}: " + ", ".join(
                f"{name} {rounds[-1][name]['cpu_us']:.2f} µs" for name in MODES), flush=True)
        if not is_counted("canary", folder) or is_counted("off", folder):
            sys.exit("the judge did not count what it should have")
    finally:
        for each in reversed(running):
            each.stop()
        shutil.rmtree(folder, ignore_errors=True)
    ratios = {}
    for mode in list(MODES)[1:]:
        each = sorted(r[mode]["cpu_us"] / r["off"]["cpu_us"] for r in rounds)
        ratios[mode] = {"cpu": statistics.median(each), "least": each[0], "most": each[-1]}
        print(f"{mode:6} / off: CPU {ratios[mode]['cpu']:.3f} ({each[0]:.3f} to {each[-1]:.3f})")
    return {"rounds": rounds, "ratios": ratios}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--head", choices=keepalive.HEADS, default="browser")
    parser.add_argument("--request-us", type=float, default=8)
    parser.add_argument("--most", type=float, default=0.03)
    given = parser.parse_args()
    counts = micro(given)
    path = paired(given)
    peers.keep(given, "judge", micro=counts, paired=path)
    if max(counts["shares"].values()) > given.most:
        sys.exit(f"one attempt: above {given.most:.0%}")
    for mode in ("day", "canary"):
        if path["ratios"][mode]["cpu"] > 1 + given.most:
            sys.exit(f"{mode}: above {given.most:.0%}")


if __name__ == "__main__":
    main()
