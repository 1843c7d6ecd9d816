#!/usr/bin/env python3
"""Would the tests notice? Applies the faults of faults.txt one by one to a copy of the tree, builds
simulate, unit_relay and unit_control there, and runs them. Prints who found what; exits 1 if a
fault survives or no longer applies.

usage: mutants.py [--seeds N] [--folder DIR] [--jobs N] [WORD...]   only faults whose text has a WORD
"""

import argparse
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TARGETS = ("simulate", "unit_relay", "unit_control", "regress")
TIME_MAX = 300


class Fault:
    """One block of faults.txt."""

    def __init__(self, path, name):
        self.path, self.name = path, name
        self.before, self.after = [], []

    def apply(self, text):
        """The text with the fault in it; None where the original is not there exactly once."""
        lines = [r"[ \t]*" + re.escape(line) + r"[ \t]*" for line in self.before]
        pattern = re.compile("^" + "\n".join(lines) + "$", re.MULTILINE)
        if len(pattern.findall(text)) != 1:
            return None
        return pattern.sub(lambda _: "\n".join(self.after), text)


def read_faults(path):
    """All blocks, in order."""
    faults = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            line = line.strip()
            if line.startswith("== "):
                faults.append(Fault(line[3:], ""))
            elif not faults or not line or line.startswith("#"):
                continue
            elif line.startswith("-"):
                faults[-1].before.append(line[1:].strip())
            elif line.startswith("+"):
                faults[-1].after.append(line[1:].strip())
            else:
                faults[-1].name = line
    return faults


def copy_tree(folder):
    """Every file that git knows or would take, where it differs."""
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True,
                           capture_output=True, text=True).stdout.split("\n")
    for name in filter(None, names):
        source, target = os.path.join(ROOT, name), os.path.join(folder, name)
        if not os.path.isfile(source):
            continue
        with open(source, "rb") as file:
            content = file.read()
        if name == "CMakeLists.txt":
            content = content.replace(b"-Werror", b"")  # a fault may leave something unused
        if os.path.exists(target):
            with open(target, "rb") as file:
                if file.read() == content:
                    continue
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:
            file.write(content)
        shutil.copymode(source, target)


def run(command, folder):
    """Exit code; a program that hangs counts as failed."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=TIME_MAX, check=False)
        return done.returncode
    except subprocess.TimeoutExpired:
        return -1


def finders(folder, build, seeds):
    """Which programs fail."""
    commands = {
        "simulate": ["simulate", "--seeds", "1", str(seeds)],
        "unit_relay": ["unit_relay", "--gtest_brief=1"],
        "unit_control": ["unit_control", "--gtest_brief=1"],
        "regress": ["regress", "--gtest_brief=1"],
    }
    found = []
    for name, command in commands.items():
        command[0] = os.path.join(build, "bin", name)
        if run(command, folder) != 0:
            found.append(name)
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--folder", default=os.path.join(ROOT, "build-mutants"))
    parser.add_argument("--jobs", default=str(os.cpu_count()))
    parser.add_argument("words", nargs="*")
    arguments = parser.parse_args()

    tree = os.path.join(arguments.folder, "tree")
    build = os.path.join(arguments.folder, "build")
    os.makedirs(tree, exist_ok=True)
    copy_tree(tree)
    if not os.path.exists(os.path.join(build, "build.ninja")):
        subprocess.run(["cmake", "-S", tree, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=None",
                        "-DCMAKE_CXX_FLAGS=-O1"], check=True, stdout=subprocess.DEVNULL)
    ninja = ["ninja", "-C", build, "-j", arguments.jobs, "--quiet", *TARGETS]
    subprocess.run(ninja, check=True)
    healthy = finders(tree, build, arguments.seeds)
    if healthy:
        sys.exit(f"fails without any fault: {', '.join(healthy)}")

    found, simulated, survivors = 0, 0, []
    faults = [fault for fault in read_faults(os.path.join(HERE, "faults.txt"))
              if not arguments.words or any(w in fault.name + fault.path for w in arguments.words)]
    for fault in faults:
        path = os.path.join(tree, fault.path)
        with open(path, encoding="utf-8") as file:
            original = file.read()
        mutant = fault.apply(original)
        if mutant is None:
            survivors.append(f"{fault.path}: {fault.name} (stale: the original is not there once)")
            print(f"  ?  {fault.name}", flush=True)
            continue
        with open(path, "w", encoding="utf-8") as file:
            file.write(mutant)
        try:
            built = run(ninja, tree) == 0
            by = finders(tree, build, arguments.seeds) if built else []
        finally:
            with open(path, "w", encoding="utf-8") as file:
                file.write(original)
        if not built:
            survivors.append(f"{fault.path}: {fault.name} (does not compile)")
        elif by:
            found += 1
            simulated += "simulate" in by
        else:
            survivors.append(f"{fault.path}: {fault.name}")
        print(f"  {'+' if by else '-'}  {fault.name}: {', '.join(by) or 'nobody'}", flush=True)

    print(f"{found} of {len(faults)} faults found; {simulated} by the simulation alone or as well")
    for survivor in survivors:
        print(f"survives: {survivor}")
    sys.exit(1 if survivors else 0)


if __name__ == "__main__":
    main()
