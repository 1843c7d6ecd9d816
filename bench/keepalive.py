"""CPU per request beside nginx and HAProxy: kept backend connections, one worker on one core

usage: ./dev bench keepalive [--rounds 7] [--seconds 5] [--connections 64] [--bytes 1024]
                             [--head bare|browser]

Each proxy gets core 0; load and backends share core 1. Every round measures each proxy once, in an
order that turns, so that a slow minute of the machine hits all of them; ratios are taken within a
round. Prints a table and writes keepalive.json.
"""

import argparse
import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import peers  # noqa: E402

HEADS = {
    "bare": ["Host: erp.test"],
    "browser": [
        "Host: erp.test", "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 "
        "Firefox/128.0", "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,"
        "image/webp,*/*;q=0.8", "Accept-Language: es-CL,es;q=0.8,en-US;q=0.5,en;q=0.3",
        "Accept-Encoding: gzip, deflate, br, zstd", "Referer: https://erp.test/web",
        "Upgrade-Insecure-Requests: 1", "Sec-Fetch-Dest: document", "Sec-Fetch-Mode: navigate",
        "Sec-Fetch-Site: same-origin", "Sec-Fetch-User: ?1", "Priority: u=0, i",
        "Cache-Control: max-age=0", "DNT: 1", "X-Forwarded-For: 198.51.100.7",
        "X-Forwarded-Proto: https", "X-Forwarded-Host: erp.test",
    ],
}


def users_of(name, port, count, head):
    """Cookies of `count` users of the proxy, each from a first visit."""
    jars = []
    for _ in range(count):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/", headers={"Host": "erp.test"})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200 or not body:
            sys.exit(f"port {port} answered {answer.status}")
        set_cookie = answer.getheader("Set-Cookie")
        if not set_cookie and name != "nginx":
            sys.exit(f"{name} set no cookie: its affinity is off")
        # A proxy without affinity gets a cookie of a usual length that it passes on.
        jars.append(set_cookie.split(";")[0] if set_cookie else "color=" + "x" * 60)
        connection.close()
    if head == "browser":  # and the application's own, as in real life
        jars = [f"{jar}; session_id={'0123456789' * 4}; cids=1; frontend_lang=es_CL"
                for jar in jars]
    return jars


def measure(proxy, given, folder):
    before = proxy.cpu()
    ran = subprocess.run(
        ["taskset", "-c", "1", "wrk", "-t1", f"-c{given.connections}", f"-d{given.seconds}s",
         "-s", os.path.join(peers.HERE, "conf/users.lua"), f"http://127.0.0.1:{proxy.port}/", "--",
         os.path.join(folder, "head"), os.path.join(folder, f"{proxy.name}.users")],
        capture_output=True, text=True, check=True)
    after = proxy.cpu()
    line = [each for each in ran.stdout.splitlines() if each.startswith("RESULT ")]
    if not line:
        sys.exit(f"wrk said: {ran.stdout}{ran.stderr}")
    result = json.loads(line[0][7:])
    if result["errors"]:
        sys.exit(f"{proxy.name}: {result['errors']} errors: {ran.stdout}")
    requests = result["requests"]
    user, system, run = (b - a for a, b in zip(before, after))
    both = max(user + system, 1e-9)
    return {
        "requests_s": requests / result["seconds"],
        "user_us": run * user / both / requests * 1e6,
        "system_us": run * system / both / requests * 1e6,
        "cpu_us": run / requests * 1e6,
        "p50_us": result["p50_us"], "p99_us": result["p99_us"], "memory_kib": proxy.memory_kib(),
    }


def show(rounds, names):
    print(f"\n{'':10}{'user µs':>9}{'system µs':>11}{'sum µs':>9}{'req/s':>9}{'p50 µs':>8}"
          f"{'p99 µs':>8}{'MiB':>7}   medians of {len(rounds)} rounds")
    for name in names:
        middle = {key: statistics.median(r[name][key] for r in rounds) for key in rounds[0][name]}
        print(f"{name:10}{middle['user_us']:9.2f}{middle['system_us']:11.2f}"
              f"{middle['cpu_us']:9.2f}{middle['requests_s']:9.0f}{middle['p50_us']:8.0f}"
              f"{middle['p99_us']:8.0f}{middle['memory_kib'] / 1024:7.1f}")
    ratios = {}
    for peer in names[1:]:
        each = sorted(r["sidecar"]["cpu_us"] / r[peer]["cpu_us"] for r in rounds)
        user = sorted(r["sidecar"]["user_us"] / r[peer]["user_us"] for r in rounds)
        ratios[peer] = {"cpu": statistics.median(each), "least": each[0], "most": each[-1],
                        "user": statistics.median(user)}
        print(f"sidecar / {peer}: CPU {ratios[peer]['cpu']:.3f} "
              f"({each[0]:.3f} to {each[-1]:.3f}), user time {ratios[peer]['user']:.3f}")
    return ratios


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--bytes", type=int, default=1024)
    parser.add_argument("--head", choices=HEADS, default="bare")
    given = parser.parse_args()
    if os.cpu_count() < 2:
        sys.exit("needs two cores: one for the proxy, one for load and backends")
    folder = tempfile.mkdtemp(prefix="bench-")
    running = []
    try:
        with open(os.path.join(folder, "head"), "w") as file:
            file.write("\n".join(HEADS[given.head]) + "\n")
        blue, green = peers.free_port(), peers.free_port()
        values = {"FOLDER": folder, "BLUE": blue, "GREEN": green, "BODY": "x" * given.bytes}
        running.append(peers.start_backend(folder, values))
        proxies = [peers.start(name, folder, values, given.bin)
                   for name in ("sidecar", "nginx", "haproxy")]
        running += proxies
        for proxy in proxies:
            with open(os.path.join(folder, f"{proxy.name}.users"), "w") as file:
                file.write("\n".join(users_of(proxy.name, proxy.port, 200, given.head)) + "\n")
        warm_up = argparse.Namespace(**{**vars(given), "seconds": 1})
        for proxy in proxies:
            measure(proxy, warm_up, folder)
        rounds = []
        for number in range(given.rounds):
            turn = number % len(proxies)
            rounds.append({p.name: measure(p, given, folder)
                           for p in proxies[turn:] + proxies[:turn]})
            print(f"round {number + 1}: " + ", ".join(
                f"{name} {figures['cpu_us']:.2f} µs" for name, figures in rounds[-1].items()))
        ratios = show(rounds, [proxy.name for proxy in proxies])
        print(f"written to {peers.keep(given, 'keepalive', ratios=ratios, rounds=rounds)}")
    finally:
        for each in reversed(running):
            each.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
