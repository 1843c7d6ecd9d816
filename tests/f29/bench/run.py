#!/usr/bin/env python3
"""run.py BIN_DIR [ROWS]: CPU and memory of reading a purchase register, beside Python's csv.reader.

Medians of five interleaved runs. Exit code 1 if a promise is not kept."""
import os
import statistics
import sys
import tempfile

RUNS = 5
READER = ("import csv,sys\n"
          "with open(sys.argv[1],newline='',encoding='utf-8') as f:\n"
          "    for row in csv.reader(f,delimiter=';'): pass\n")


def cpu(arguments):
    """CPU seconds and peak memory (MiB) of one run."""
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.execv(arguments[0], arguments)
    _, status, used = os.wait4(child, 0)
    if status != 0:
        sys.exit(f"{' '.join(arguments)}: exit status {status}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main():
    program = os.path.join(sys.argv[1], "f29_bench")
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    with tempfile.TemporaryDirectory(prefix="f29bench-") as folder:
        big, small = os.path.join(folder, "big.csv"), os.path.join(folder, "small.csv")
        cpu([program, "make", big, str(rows)])
        cpu([program, "make", small, str(rows // 10)])
        python = [sys.executable, "-c", READER, big]
        reader, boxes, tenth, memory = [], [], [], []
        for _ in range(RUNS):
            reader.append(cpu(python)[0])
            seconds, mib = cpu([program, "boxes", big])
            boxes.append(seconds)
            memory.append(mib)
            tenth.append(cpu([program, "boxes", small])[0])
    median = statistics.median
    kept = True

    def line(name, value, most, unit):
        nonlocal kept
        kept &= value <= most
        print(f"{name:56} {value:8.2f} {unit} (at most {most:g}) {'ok' if value <= most else 'NOT KEPT'}")

    print(f"{rows} rows: csv.reader {median(reader):.3f} s, boxes {median(boxes):.3f} s CPU")
    line("parse, check, dedupe, boxes against csv.reader", median(boxes) / median(reader), 0.5, "x")
    line("peak memory of boxes", max(memory), 200, "MiB")
    line(f"CPU of {rows} rows against {rows // 10}", median(boxes) / median(tenth), 12, "x")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
