"""A small site to lose: PostgreSQL with archiving by pgBackRest, a filestore, and conf/dr to bring it
back. Everything is in one folder and is reached by sockets in it. Without root: `as_server` begins
the script anew as the user of PostgreSQL where root called it."""

import hashlib
import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATABASE = "odoo"
STANZA = "odoo"


def as_server(script):
    """Where root called: runs the script as the server's user, on a copy that this user may read, and
    ends with its code."""
    if os.geteuid() != 0:
        return
    server = pwd.getpwnam("postgres")
    with tempfile.TemporaryDirectory(prefix="recovery-") as folder:
        for part in ("conf/dr", "docs/runbooks", "tests/recovery"):
            shutil.copytree(ROOT / part, pathlib.Path(folder) / part)
        for base, folders, files in os.walk(folder):
            for path in [base, *(os.path.join(base, name) for name in folders + files)]:
                os.chown(path, server.pw_uid, server.pw_gid)
        own = pathlib.Path(folder) / pathlib.Path(script).resolve().relative_to(ROOT)
        done = subprocess.run(["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups",
                               sys.executable, str(own), *sys.argv[1:]], cwd=folder,
                              env={**os.environ, "HOME": folder})
    sys.exit(done.returncode)


def newest_programs():
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: int(one.parent.name))
    return found[-1]


def run(*words, check=True, **more):
    done = subprocess.run([str(word) for word in words], text=True, errors="replace",
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=300, **more)
    if check and done.returncode:
        raise AssertionError(f"{words}: {done.returncode}\n{done.stdout[-3000:]}")
    return done


def until(what, ask, deadline=60):
    pause, end = threading.Event(), time.monotonic() + deadline
    while not (answer := ask()):
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {deadline} s")
        pause.wait(0.05)
    return answer


class Server:
    """PostgreSQL on one data folder; its sockets are in `folder`."""

    def __init__(self, site, name, data):
        self.site, self.data = site, data
        self.folder = site.folder / name
        self.folder.mkdir(exist_ok=True)
        self.connection = f"host={self.folder}"
        self.process = None

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [self.site.programs / "postgres", "-D", self.data, "-k", self.folder], stdout=log,
                stderr=log, env=self.site.environment(), start_new_session=True)
        until("the server", self.answers)
        return self

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError((self.folder / "log").read_text()[-3000:])
        return run(self.site.programs / "pg_isready", "-q", "-h", self.folder, check=False).returncode == 0

    def sql(self, text, database=DATABASE, check=True):
        done = run("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-d", database, "-c", text,
                   check=check)
        return done.stdout.strip() if check else done

    def kill(self):
        """Power loss: no server process writes another byte."""
        children = self.children()
        self.process.kill()
        for child in children:
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()

    def children(self):
        listed = run("ps", "-o", "pid=", "--ppid", self.process.pid, check=False).stdout
        return [int(pid) for pid in listed.split()]

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # fast
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()


def roomy():
    """Memory where there is enough: pgBackRest syncs each of a thousand files, again and again."""
    try:
        return "/dev/shm" if shutil.disk_usage("/dev/shm").free > 2 << 30 else "/tmp"
    except FileNotFoundError:
        return "/tmp"


class Site:
    def __init__(self, archive_timeout=60, archive_command=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dr-site-", dir=roomy()))
        self.programs = newest_programs()
        self.servers = []
        for name in ("repo", "files", "state", "figures", "lock", "spool"):
            (self.folder / name).mkdir()
        self.filestore = self.folder / "files"
        (self.folder / "key").write_text("of the filestore\n")
        self.cipher("of the database")
        self.archive_timeout = archive_timeout
        self.archive_command = archive_command or f"pgbackrest --stanza={STANZA} archive-push %p"

    def cipher(self, text):
        """The shipped pgbackrest.conf with paths of this folder, and a key."""
        shipped = (ROOT / "conf/dr/pgbackrest.conf").read_text()
        for old, new in (("/var/lib/pgbackrest", "repo"), ("/var/lib/postgresql/data", "primary-data"),
                         ("/run/postgresql", "primary"), ("/tmp/pgbackrest", "lock")):
            shipped = shipped.replace(old, str(self.folder / new))
        shipped = re.sub(r"pg1-user=.*", "", shipped)
        shipped = shipped.replace(
            "[odoo]", f"repo1-cipher-pass={text}\nspool-path={self.folder}/spool\n[odoo]")
        (self.folder / "pgbackrest.conf").write_text(shipped)

    def environment(self, **more):
        # A fault of the repository is not tried again 15 s later: here it stays.
        return {**os.environ, "PGBACKREST_JOB_RETRY": "0",
                "PGBACKREST_CONFIG": str(self.folder / "pgbackrest.conf"),
                "RESTIC_REPOSITORY": str(self.folder / "restic"),
                "RESTIC_CACHE_DIR": str(self.folder / "cache"),
                "RESTIC_PASSWORD_FILE": str(self.folder / "key"), "DR_STANZA": STANZA,
                "DR_DATABASE": DATABASE, "DR_PRIMARY": f"host={self.folder}/primary",
                "DR_FILESTORE": str(self.filestore), "DR_SCRATCH": str(self.folder / "scratch"),
                "DR_STATE": str(self.folder / "state/state.json"),
                "DR_FIGURES": str(self.folder / "figures"), "DR_POSTGRES": str(self.programs), **more}

    def dr(self, *words, check=True, **more):
        return run(sys.executable, ROOT / "conf/dr/dr", *words, check=check, env=self.environment(**more))

    def figures(self):
        text = (self.folder / "figures/dr.prom").read_text()
        return {name: float(value) for name, value in
                (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))}

    def server(self, name, data):
        self.servers.append(Server(self, name, data))
        return self.servers[-1]

    def make_primary(self):
        data = self.folder / "primary-data"
        run(self.programs / "initdb", "-D", data, "-A", "trust", "-k", "-N", "--no-instructions",
            "-E", "UTF8", "--locale=C")
        with open(data / "postgresql.conf", "a") as file:
            file.write(f"""
listen_addresses = ''
wal_level = replica
max_wal_senders = 5
archive_mode = on
archive_command = '{self.archive_command}'
archive_timeout = {self.archive_timeout}
shared_buffers = 16MB
fsync = off
""")
        primary = self.server("primary", data).start()
        primary.sql(f"create database {DATABASE}", "postgres")
        primary.sql("""
create table written (n bigint primary key, at timestamptz not null default clock_timestamp());
create table ir_attachment (id serial primary key, store_fname text);
create table ir_cron (id serial, active boolean); insert into ir_cron (active) values (true), (true);
create table ir_mail_server (id serial, active boolean);
insert into ir_mail_server (active) values (true);
create table payment_provider (id serial, state text);
insert into payment_provider (state) values ('enabled');
create table ir_config_parameter (key text primary key, value text);
insert into ir_config_parameter values ('of_sii_cl.key', 'secret'), ('web.base.url', 'https://odoo.example')""")
        self.attach(primary, *(f"attachment {n}".encode() for n in range(20)))
        run("pgbackrest", f"--stanza={STANZA}", "stanza-create", env=self.environment())
        run("restic", "init", env=self.environment())
        return primary

    def attach(self, server, *contents):
        """As Odoo does: the file by its SHA-1, then the row."""
        names = []
        for content in contents:
            digest = hashlib.sha1(content).hexdigest()
            path = self.filestore / DATABASE / digest[:2] / digest
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            names.append(f"('{digest[:2]}/{digest}')")
        server.sql("insert into ir_attachment (store_fname) values " + ", ".join(names))

    def close(self):
        for server in self.servers:
            server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Writer(threading.Thread):
    """Commits a row at a time through one connection, and knows which were acknowledged, and when."""

    def __init__(self, server, pause=0.002):
        super().__init__(daemon=True)
        self.acknowledged, self.pause, self.done = [], pause, threading.Event()
        self.process = subprocess.Popen(["psql", "-XAtq", "-h", str(server.folder), "-d", DATABASE],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True, bufsize=1)

    def run(self):
        n = 0
        try:
            while not self.done.wait(self.pause):
                n += 1
                self.process.stdin.write(f"insert into written (n) values ({n}) returning n;\n")
                if self.process.stdout.readline().strip() != str(n):
                    break
                self.acknowledged.append((n, time.time()))
        except (BrokenPipeError, ValueError):
            pass
        self.process.kill()
        self.process.communicate()
