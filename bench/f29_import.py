"""imports a million register rows into SQLite, against Python's csv.reader

Interleaved runs, CPU and wall time. The import keeps every document in one transaction, with
synchronous=FULL. Exit code 1 if it takes more than six times what csv.reader takes to read the
file."""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

READER = ("import csv,sys\n"
          "with open(sys.argv[1],newline='',encoding='utf-8') as f:\n"
          "    for row in csv.reader(f,delimiter=';'): pass\n")
MOST = 6


def timed(arguments):
    """Wall seconds, CPU seconds and the output of one run."""
    begun = time.monotonic()
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    output = process.stdout.read().strip()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(arguments)}: exit status {process.returncode}")
    return time.monotonic() - begun, used.ru_utime + used.ru_stime, output


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--out", help="not used")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    subprocess.run(["cmake", "--build", os.path.dirname(given.bin), "--target", "f29_import",
                    "f29_bench"], check=True, stdout=subprocess.DEVNULL)
    reader, imports = [], []
    with tempfile.TemporaryDirectory(prefix="f29-import-") as folder:
        rows = os.path.join(folder, "rows.csv")
        timed([os.path.join(given.bin, "f29_bench"), "make", rows, str(given.rows)])
        for run in range(given.runs):
            reader.append(timed([sys.executable, "-c", READER, rows])[:2])
            database = os.path.join(folder, f"{run}.db")
            imports.append(timed([os.path.join(given.bin, "f29_import"), database, rows])[:2])
            os.remove(database)
    kept = True
    for name, column in (("wall", 0), ("CPU", 1)):
        one = statistics.median(row[column] for row in reader)
        other = statistics.median(row[column] for row in imports)
        kept &= other <= MOST * one
        print(f"{given.rows} rows, {name}: csv.reader {one:.2f} s, import {other:.2f} s, "
              f"{other / one:.1f} times (at most {MOST})")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
