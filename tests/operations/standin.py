"""Stand-ins for commands: each writes down how it was called and answers as it is told."""

import json
import os
import pathlib
import stat
import subprocess
import sys

BODY = """#!{python}
import json, os, sys
folder = {folder!r}
name = os.path.basename(sys.argv[0])
with open(os.path.join(folder, "calls"), "a") as file:
    file.write(json.dumps([name, *sys.argv[1:]]) + "\\n")
with open(os.path.join(folder, "answers.json")) as file:
    answers = json.load(file)
for word, (code, text) in answers.get(name, {{}}).items():
    if word in sys.argv:
        sys.stdout.write(text)
        sys.exit(code)
"""


class Recorder:
    """A folder that goes first into PATH."""

    def __init__(self, folder, names):
        self.folder = pathlib.Path(folder)
        self.answers = {}
        for name in names:
            path = self.folder / name
            path.write_text(BODY.format(python=sys.executable, folder=str(folder)))
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
        self.answer()

    def answer(self, **answers):
        """name={word: (code, text)}: what a command with that word among its words answers."""
        self.answers.update(answers)
        (self.folder / "answers.json").write_text(json.dumps(self.answers))

    def run(self, words, cwd, only=None, **environment):
        """(code, output, calls). `only` is the whole PATH."""
        calls = self.folder / "calls"
        calls.write_text("")
        found = subprocess.run(
            [str(word) for word in words], cwd=cwd, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=60,
            env={**os.environ, "PATH": str(only or f"{self.folder}:{os.environ['PATH']}"),
                 **environment})
        return found.returncode, found.stdout, [json.loads(one)
                                                for one in calls.read_text().splitlines()]
