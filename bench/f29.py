"""reads a million register rows: boxes and import into SQLite, against Python's csv.reader

Medians of interleaved runs, CPU seconds (user and system). Boxes: parse, check, remove duplicates,
fill boxes with provenance. Import: the same rows into SQLite in one transaction, synchronous=FULL.
Reconciliation: 200,000 documents of the books against as many of the register, in memory, against
the same join with a dict of Python.
Exit code 1 if a promise is not kept."""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

READER = ("import csv,sys\n"
          "with open(sys.argv[1],newline='',encoding='utf-8') as f:\n"
          "    for row in csv.reader(f,delimiter=';'): pass\n")


def used_by(arguments):
    """CPU seconds and peak memory (MiB) of one run."""
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(arguments)}: exit status {process.returncode}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def dict_join(books, register):
    """What the reconciliation does, as one would write it here: (key, status, differences)."""
    index = {(kind, issuer, folio): (net, exempt, total)
             for kind, issuer, folio, net, exempt, total in register}
    rows, sums = [], {}
    for kind, issuer, folio, net, exempt, total in books:
        key = (kind, issuer, folio)
        other = index.pop(key, None)
        if other is None:
            row = (key, "missing_in_rcv", total, total - net - exempt)
        else:
            tax = (total - net - exempt) - (other[2] - other[0] - other[1])
            same = (net, exempt, total) == other
            row = (key, "match" if same else "amount_diff", total - other[2], tax)
        rows.append(row)
    rows += [(key, "missing_in_books", -total, -(total - net - exempt))
             for key, (net, exempt, total) in index.items()]
    for _, status, total, _ in rows:
        count, amount = sums.get(status, (0, 0))
        sums[status] = (count + 1, amount + total)
    return rows, sums


def read_documents(path):
    books, register = [], []
    with open(path, encoding="ascii") as lines:
        for line in lines:
            side, *numbers, _ = line.split()
            (books if side == "b" else register).append(tuple(map(int, numbers)))
    return books, register


def reconcile_costs(program, folder, runs):
    """Medians of interleaved runs: CPU of ours at both sizes, and of the dict join."""
    large, small = os.path.join(folder, "large.txt"), os.path.join(folder, "small.txt")
    subprocess.run([program, "make", large, "200000"], check=True)
    subprocess.run([program, "make", small, "25000"], check=True)
    books, register = read_documents(large)
    ours, less, theirs = [], [], []
    for _ in range(runs):
        begin = time.process_time()
        rows, sums = dict_join(books, register)
        theirs.append(time.process_time() - begin)
        for path, costs in ((large, ours), (small, less)):
            said = json.loads(subprocess.run([program, "join", path], check=True,
                                             stdout=subprocess.PIPE).stdout)
            costs.append(said["cpu"])
            if path == large and (said["documents"] != len(rows) or any(
                    said[status] != sums[status][0] for status in sums)):
                sys.exit(f"the two joins differ: {said} {sums}")
    return [statistics.median(costs) for costs in (ours, less, theirs)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--out", help="not used")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    subprocess.run(["cmake", "--build", os.path.dirname(given.bin), "--target", "f29_import",
                    "f29_bench", "f29_reconcile_bench"], check=True, stdout=subprocess.DEVNULL)
    program = os.path.join(given.bin, "f29_bench")
    importer = os.path.join(given.bin, "f29_import")
    runs = {name: [] for name in ("reader", "boxes", "tenth", "import")}
    with tempfile.TemporaryDirectory(prefix="f29-bench-") as folder:
        big, small = os.path.join(folder, "big.csv"), os.path.join(folder, "small.csv")
        used_by([program, "make", big, str(given.rows)])
        used_by([program, "make", small, str(given.rows // 10)])
        for run in range(given.runs):
            database = os.path.join(folder, f"{run}.db")
            runs["reader"].append(used_by([sys.executable, "-c", READER, big]))
            runs["boxes"].append(used_by([program, "boxes", big]))
            runs["tenth"].append(used_by([program, "boxes", small]))
            runs["import"].append(used_by([importer, database, big]))
            for name in os.listdir(folder):
                if name.startswith(f"{run}.db"):
                    os.remove(os.path.join(folder, name))
        join, less, python_join = reconcile_costs(
            os.path.join(given.bin, "f29_reconcile_bench"), folder, given.runs)
    cpu = {name: statistics.median(row[0] for row in rows) for name, rows in runs.items()}
    memory = {name: max(row[1] for row in rows) for name, rows in runs.items()}
    print(f"{given.rows} rows, CPU, medians of {given.runs} interleaved runs: "
          f"csv.reader {cpu['reader']:.3f} s, boxes {cpu['boxes']:.3f} s, "
          f"import {cpu['import']:.3f} s; {given.rows // 10} rows: boxes {cpu['tenth']:.3f} s")
    print(f"200000 against 200000 documents, CPU: reconciled {join:.3f} s, dict join "
          f"{python_join:.3f} s; 25000 against 25000: {less:.4f} s")
    promises = (
        ("parse, check, dedupe and boxes against csv.reader", cpu["boxes"] / cpu["reader"], 0.5, "x"),
        ("import into SQLite against csv.reader", cpu["import"] / cpu["reader"], 6, "x"),
        ("peak memory of boxes", memory["boxes"], 200, "MiB"),
        ("peak memory of the import", memory["import"], 200, "MiB"),
        (f"CPU of {given.rows} rows against {given.rows // 10}", cpu["boxes"] / cpu["tenth"], 12, "x"),
        ("reconciliation against a dict join", join / python_join, 0.25, "x"),
        ("CPU of reconciling 200000 against 25000", join / less, 10, "x"),
    )
    kept = True
    for name, value, most, unit in promises:
        kept &= value <= most
        print(f"{name:52} {value:7.2f} {unit:3} at most {most:g}: "
              f"{'ok' if value <= most else 'NOT KEPT'}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
