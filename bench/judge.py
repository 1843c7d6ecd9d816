"""What the judge's counts cost a request, as a share of the CPU time of one

usage: ./dev bench judge [--request-us 8] [--most 0.03] [--rounds 5]

Runs micro_judge, takes the median of its rounds, and compares with the CPU time of a request through
the sidecar (./dev bench keepalive measures it; the default is below what it finds). Exits 1 above
the share. Writes judge.json.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys

sys.dont_write_bytecode = True
import peers  # noqa: E402

LINE = re.compile(r"one attempt, (\d+) sessions: ([\d.]+) ns")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--request-us", type=float, default=8)
    parser.add_argument("--most", type=float, default=0.03)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    rounds = []
    for _ in range(given.rounds):
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
    os.makedirs(given.out, exist_ok=True)
    with open(os.path.join(given.out, "judge.json"), "w") as file:
        json.dump({"machine": peers.machine(), "rounds": rounds, "shares": shares}, file, indent=1)
    if max(shares.values()) > given.most:
        sys.exit(f"above {given.most:.0%}")


if __name__ == "__main__":
    main()
