#!/usr/bin/python3
"""Loses a site and brings it back: rows are written until the database is killed and its machine is
gone, then everything is restored from the archive. Prints how long each step took, RTO and RPO.

drill.py [SECONDS OF WRITING] [ARCHIVE TIMEOUT]      (60 10)
"""

import shutil
import sys
import time

sys.dont_write_bytecode = True
from site_to_lose import STANZA, Site, Writer, as_server, run, until  # noqa: E402

LIMIT = 2 * 3600  # seconds: what the plan promises


def drill(seconds, archive_timeout, say=print):
    """{rto, rpo, lost, written}; AssertionError where the way back does not work."""
    site = Site(archive_timeout=archive_timeout)
    try:
        primary = site.make_primary()
        site.dr("backup", "--type=full")
        return lose_and_restore(site, primary, seconds, say)
    finally:
        site.close()


def lose_and_restore(site, primary, seconds, say=print, meanwhile=lambda: None):
    """The same of a site that has a backup. `meanwhile` is what else happens once it is lost."""
    archive_timeout = site.archive_timeout
    writer = Writer(primary)
    writer.start()
    # Until so long is written, and rows of at least two archived files are among it.
    until("writing", lambda: writer.acknowledged and
          writer.acknowledged[-1][1] - writer.acknowledged[0][1] >= seconds, seconds + 60)
    archived = int(primary.sql("select archived_count from pg_stat_archiver", "postgres"))
    until("archiving", lambda: int(primary.sql("select archived_count from pg_stat_archiver",
                                               "postgres")) >= archived + 1, archive_timeout + 60)
    assert writer.is_alive(), "the writer ended before the loss"
    primary.kill()
    lost_at = time.time()
    writer.done.set()
    writer.join(10)
    shutil.rmtree(primary.data)  # the machine is gone
    shutil.rmtree(site.filestore)
    meanwhile()
    start = time.monotonic()

    def step(name, act):
        begun = time.monotonic()
        act()
        say(f"{time.monotonic() - begun:8.1f} s  {name}")

    step("the database, from backup and archive", lambda: site.dr("restore", primary.data))
    step("the filestore", lambda: site.dr("restore-files", site.filestore))
    step("started, archive read to its end", primary.start)
    step("takes work", lambda: until("writes", lambda: primary.sql(
        "select not pg_is_in_recovery()", "postgres") == "t"))
    step("attachments checked", lambda: site.dr("check-files"))
    rto = time.monotonic() - start
    rows = set(map(int, primary.sql("select n from written").split()))
    newest = max(rows, default=0)
    assert rows == set(range(1, newest + 1)), "a row in the middle is gone"
    missing = [at for n, at in writer.acknowledged if n not in rows]
    rpo = lost_at - min(missing) if missing else 0.0
    assert newest > 0, "nothing that was written after the backup came back"
    # What was acknowledged before the last archived file is there; a file is archived each
    # archive_timeout, and the push of one takes some seconds on a busy machine.
    assert rpo <= archive_timeout + 15, f"lost {rpo:.1f} s of acknowledged rows"
    site.dr("record", f"--rto={rto}", f"--rpo={rpo}")
    assert abs(site.figures()["dr_rto_seconds"] - rto) < 0.001
    step("archives again", lambda: run("pgbackrest", f"--stanza={STANZA}", "check",
                                       env=site.environment()))
    return {"rto": rto, "rpo": rpo, "lost": len(missing), "written": len(writer.acknowledged)}


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60
    archive_timeout = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    found = drill(seconds, archive_timeout)
    print(f"RTO {found['rto']:.1f} s (at most {LIMIT} s)\nRPO {found['rpo']:.1f} s: {found['lost']} of "
          f"{found['written']} acknowledged rows are lost (archive_timeout is {archive_timeout} s)")
    return 0 if found["rto"] <= LIMIT else 1


if __name__ == "__main__":
    as_server(__file__)
    sys.exit(main())
