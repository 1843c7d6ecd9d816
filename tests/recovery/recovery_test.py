#!/usr/bin/python3
"""conf/dr against a real PostgreSQL, pgBackRest and restic (R90-R95, S45-S51). recovery_test.py"""

import pathlib
import re
import shutil
import sys
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from drill import lose_and_restore  # noqa: E402
from site_to_lose import ROOT, STANZA, Server, Site, as_server, run, until  # noqa: E402


class Backups(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.site = Site(archive_timeout=1)
        cls.addClassCleanup(cls.site.close)
        cls.primary = cls.site.make_primary()
        cls.site.dr("backup", "--type=full")
        cls.site.dr("restore-test")
        cls.proven = cls.site.figures()

    def fails(self, *words, said, **more):
        done = self.site.dr(*words, check=False, **more)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertRegex(done.stdout, said)
        self.assertNotIn("Traceback", done.stdout)

    def test_a_restore_that_worked_is_told(self):  # R90
        for name in ('dr_backup_timestamp_seconds{kind="database"}',
                     'dr_backup_timestamp_seconds{kind="filestore"}', "dr_restore_test_timestamp_seconds"):
            self.assertLess(time.time() - self.proven[name], 300, name)
        self.assertGreater(self.proven["dr_restore_seconds"], 0)
        self.assertFalse((self.site.folder / "scratch").exists())

    def untold(self, said):
        """The restore test fails and leaves the time of the last good one."""
        self.fails("restore-test", said=said)
        name = "dr_restore_test_timestamp_seconds"
        self.assertEqual(self.site.figures()[name], self.proven[name])

    def damaged(self, path, said):
        whole = path.read_bytes()
        path.chmod(0o600)
        path.write_bytes(whole[:-1])
        try:
            self.untold(said)
        finally:
            path.write_bytes(whole)

    def largest(self, folder, pattern):
        return max(folder.rglob(pattern), key=lambda path: path.stat().st_size)

    def test_a_database_backup_cut_by_a_byte_is_found(self):  # R90
        self.damaged(self.largest(self.site.folder / "repo/backup", "*"), "pgbackrest|pg_ctl|pg_dump")

    def test_a_filestore_backup_cut_by_a_byte_is_found(self):  # R90
        self.damaged(self.largest(self.site.folder / "restic/data", "*"), "restic|attachments")

    def test_another_key_is_found(self):  # R90
        self.site.cipher("of somebody else")
        try:
            self.untold("pgbackrest")
        finally:
            self.site.cipher("of the database")

    def test_an_attachment_that_is_another_one_is_found(self):  # S46
        path = next((self.site.filestore / "odoo").glob("*/*"))
        whole = path.read_bytes()
        try:
            path.write_bytes(b"other bytes")
            self.fails("check-files", said="is not what it was")
            path.unlink()
            self.fails("check-files", said="is not there")
        finally:
            path.write_bytes(whole)
        self.site.dr("check-files")

    def test_a_quiet_database_archives(self):  # R92
        self.assertRegex((ROOT / "conf/dr/postgresql.conf").read_text(), r"(?m)^archive_timeout = 60\b")
        before = self.primary.sql("select pg_walfile_name(pg_current_wal_lsn())", "postgres")
        self.primary.sql("insert into written (n) values (-1)")

        def archived():
            names = run("pgbackrest", f"--stanza={STANZA}", "repo-ls", "--recurse",
                        f"archive/{STANZA}", env=self.site.environment()).stdout
            return before in names
        until("the small write to be in the archive", archived)
        self.site.dr("figures")
        figures = self.site.figures()
        self.assertEqual(figures["dr_wal_archive_gaps"], 0)
        self.assertLess(figures["dr_wal_archive_age_seconds"], 60)

    def test_an_archive_that_lies_is_found(self):  # R91
        count = "select archived_count from pg_stat_archiver"
        self.primary.sql("alter system set archive_command = '/bin/true'", "postgres")
        try:
            self.primary.sql("select pg_reload_conf()", "postgres")
            before = int(self.primary.sql(count, "postgres"))
            until("files that are stored nowhere", lambda: self.primary.sql(
                "select pg_switch_wal() from (select pg_logical_emit_message(false, 'x', 'y')) as one",
                "postgres") and int(self.primary.sql(count, "postgres")) >= before + 3)
            self.site.dr("figures")
            self.assertGreater(self.site.figures()["dr_wal_archive_gaps"], 0)
        finally:
            self.primary.sql("alter system reset archive_command", "postgres")
            self.primary.sql("select pg_reload_conf()", "postgres")
            # The gap is in the past of this archive from here on: a new backup begins after it.
            self.site.dr("backup", "--type=incr")
        self.site.dr("figures")
        self.assertEqual(self.site.figures()["dr_wal_archive_gaps"], 0)

    def test_figures_without_a_database_are_left_out(self):
        self.fails("figures", said="psql", DR_PRIMARY=f"host={self.site.folder}/nobody")
        self.assertNotIn("dr_wal_archive_age_seconds", self.site.figures())
        self.assertIn("dr_restore_test_timestamp_seconds", self.site.figures())

    def test_a_copy_is_harmless_and_of_its_moment(self):  # R94
        self.primary.sql("insert into written (n) values (1000001)")
        moment = self.primary.sql("select clock_timestamp()")
        self.primary.sql("insert into written (n) values (1000002)")
        # A commit after the moment has to be in the archive: that is where the reading stops.
        last = self.primary.sql("select pg_walfile_name(pg_switch_wal())", "postgres")
        until("the archive", lambda: self.primary.sql(
            f"select last_archived_wal >= '{last}' from pg_stat_archiver", "postgres") == "t")
        copy = self.site.folder / "copy"
        self.site.dr("restore", copy, "--to", moment)
        self.fails("restore", copy, said="not empty")
        self.site.dr("neutralise", copy)
        with open(copy / "postgresql.conf", "a") as file:
            file.write("archive_mode = off\n")
        server = Server(self.site, "copy-socket", copy).start()
        self.addCleanup(server.stop)
        self.assertEqual(server.sql("select n from written where n > 1000000"), "1000001")
        for table, where in (("ir_cron", "active"), ("ir_mail_server", "active"),
                             ("payment_provider", "state <> 'disabled'"),
                             ("ir_config_parameter", "key like 'of_sii_cl%'")):
            self.assertEqual(server.sql(f"select count(*) from {table} where {where}"), "0", table)
        self.assertEqual(server.sql("select value from ir_config_parameter where key = "
                                    "'database.is_neutralized'"), "true")
        self.assertEqual(self.primary.sql("select count(*) from ir_cron where active"), "2")

    def test_the_runbooks_sql_is_understood(self):  # R88
        count = 0
        for path in sorted((ROOT / "docs/runbooks").glob("*.md")):
            for block in re.findall(r"(?ms)^ *```sql\n(.*?)^ *```", path.read_text()):
                done = run("psql", "-X", "-v", "ON_ERROR_STOP=1", "-h", self.primary.folder, "-d",
                           "postgres", "-c", f"begin; {block} rollback;", check=False)
                self.assertEqual(done.returncode, 0, f"{path.name}: {block}\n{done.stdout}")
                count += 1
        self.assertGreater(count, 5)

    def test_z_a_lost_primary(self):  # R93, R95; the last: it ends the primary
        data = self.site.folder / "standby-data"
        run(self.site.programs / "pg_basebackup", "-h", self.primary.folder, "-D", data, "-R", "-X",
            "stream", "-c", "fast", "-N")
        standby = self.site.server("standby", data).start()
        fence = self.site.folder / "fence"
        fence.write_text("#!/bin/sh\nexit 1\n")
        fence.chmod(0o700)
        names = {"DR_STANDBY": standby.connection, "DR_FENCE": str(fence)}
        plan = self.site.dr("failover", "plan", **names).stdout
        self.assertRegex(plan, "primary: primary\nstandby: standby")
        # Nothing is promoted while the primary answers, whatever is confirmed.
        self.fails("failover", "execute", "--fenced=primary", said="primary answers", **names)

        def promoted():
            self.fails("failover", "execute", said="--fenced=primary", **names)
            self.fails("failover", "execute", "--fenced=primary", said="ended with 1", **names)
            self.assertEqual(standby.sql("select pg_is_in_recovery()"), "t")
            fence.write_text(f"#!/bin/sh\ntouch {self.site.folder}/fenced\n")
            begun = time.monotonic()
            self.site.dr("failover", "execute", "--fenced=primary", **names)
            self.assertLess(time.monotonic() - begun, 60)
            self.assertTrue((self.site.folder / "fenced").exists())
            standby.sql("insert into written (n) values (2000002)")
            # The old one comes back with its machine, and asks before it starts.
            peers = f"host={self.site.folder}/nobody;{standby.connection}"
            self.fails("may-start", said="is primary", DR_PEERS=peers)
            standby.stop()
            self.site.dr("may-start", DR_PEERS=peers)

        self.primary.sql("delete from written")
        # And the same loss without a standby: from the archive alone.
        found = lose_and_restore(self.site, self.primary, 2, meanwhile=promoted)
        print(f"RTO {found['rto']:.1f} s, RPO {found['rpo']:.1f} s: {found['lost']} of "
              f"{found['written']} rows are lost")
        self.assertGreater(found["written"], found["lost"])


if __name__ == "__main__":
    as_server(__file__)
    for tool in ("pgbackrest", "restic", "psql"):
        if not shutil.which(tool):
            sys.exit(f"{tool} is not installed")
    unittest.main()
