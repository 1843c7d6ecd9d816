"""What each alert is tried with: series that make it fire, and the nearest that must not. Everything
that a scene does not name is as in IDLE: all series are there, and nobody uses anything."""

S = 'job="sidecar",instance="s:1"'


def latency(color, total, within):
    """Requests of one route, of which so many each minute are within 1.2 s and within 0.6 s."""
    head = 'odoo_request_latency_seconds'
    where = f'{S},color="{color}",route="web"'
    return {f'{head}_bucket{{{where},le="0.6"}}': f"0+{within}x9000",
            f'{head}_bucket{{{where},le="1.2"}}': f"0+{within}x9000",
            f'{head}_bucket{{{where},le="+Inf"}}': f"0+{total}x9000",
            f'{head}_count{{{where}}}': f"0+{total}x9000"}


def requests(color, code, values):
    return {f'odoo_requests_total{{{S},color="{color}",route="web",code="{code}"}}': values}


def state(color, name):
    """The four series of a color's state."""
    return {f'sidecar_color_state{{{S},color="{color}",state="{one}"}}':
            f"{int(one == name)}x9000" for one in ("ready", "draining", "closing", "maint")}


def one(name, value, labels=S):
    return {f"{name}{{{labels}}}" if labels else name: value}


def color_of(name, color, value):
    return one(name, value, f'{S},color="{color}"')


DISK = 'job="node",instance="n:1",device="/dev/sda1",fstype="ext4",mountpoint="/"'
NODE = 'job="node",instance="n:1"'

IDLE = {
    **one("up", "1x9000"), **one("up", "1x9000", 'job="node",instance="n:1"'),
    **one("up", "1x9000", 'job="f29svc",instance="f:1"'),
    **requests("blue", "200", "0x9000"), **requests("blue", "500", "0x9000"),
    **requests("none", "503", "0x9000"),
    **latency("blue", 0, 0), **latency("green", 0, 0),
    **color_of("sidecar_color_up", "blue", "1x9000"),
    **color_of("sidecar_color_up", "green", "1x9000"),
    **color_of("sidecar_color_weight", "blue", "10x9000"),
    **color_of("sidecar_color_weight", "green", "0x9000"),
    **state("blue", "ready"), **state("green", "ready"),
    **one("sidecar_start_time_seconds", "-90000x9000"),
    **{series: "0x9000" for name in (
        "sidecar_dependency_down", "sidecar_state_unsaved", "sidecar_overload_step",
        "sidecar_queue_timeouts_total", "sidecar_queue_full_total", "sidecar_hold_timeouts_total",
        "sidecar_hold_full_total", "sidecar_certificates_refused_total", "shifter_scaler_blind",
        "shifter_scaler_frozen", "shifter_policy_load_failed") for series in one(name, "")},
    **one("sidecar_table_version", "4x9000"), **one("sidecar_table_applied_version", "4x9000"),
    **one("shifter_agent_connected", "1x9000"),
    **one("shifter_agent_connections", "20x9000"), **one("shifter_agent_connections_max", "100x9000"),
    **one("shifter_holding", "0x9000", f'{S},reason="no_evidence"'),
    **one("shifter_rollbacks_total", "0x9000", f'{S},reason="error"'),
    **one("shifter_hook_failures_total", "0x9000", f'{S},hook="stop"'),
    **one("shifter_hook_failures_total", "0x9000", f'{S},hook="deploy"'),
    **one("shifter_scaler_reason", "0x9000", f'{S},reason="at_max"'),
    **one("dr_wal_archive_age_seconds", "40x9000", NODE), **one("dr_wal_archive_gaps", "0x9000", NODE),
    **one("dr_standby_lag_seconds", "0x9000", NODE), **one("dr_rto_seconds", "900x9000", NODE),
    **one("dr_backup_timestamp_seconds", "0+60x9000", f'{NODE},kind="database"'),
    **one("dr_backup_timestamp_seconds", "0+60x9000", f'{NODE},kind="filestore"'),
    **one("dr_restore_test_timestamp_seconds", "0+60x9000", NODE),
    **one("node_filesystem_avail_bytes", "600x9000", DISK),
    **one("node_filesystem_size_bytes", "1000x9000", DISK),
    **one("probe_success", "1x9000", 'job="probe_front",instance="https://odoo.example/web/login"'),
    **one("probe_success", "1x9000", 'job="probe_websocket",instance="https://odoo.example/w"'),
    **one("probe_success", "1x9000", 'job="probe_color",instance="http://b",color="blue"'),
    **one("probe_success", "1x9000", 'job="probe_sso",instance="https://sso"'),
    **one("probe_success", "1x9000", 'job="probe_sii",instance="https://sii"'),
    **one("probe_ssl_earliest_cert_expiry", "9000000x9000",
          'job="probe_front",instance="https://odoo.example/web/login"'),
    **one("f29_store_up", "1x9000", 'job="f29svc",instance="f:1"'),
    **one("sii_unmapped_taxes_total", "0x9000", 'job="f29svc",instance="f:1"'),
}


def busy(ok, bad, color="blue"):
    """Requests a minute."""
    return {**requests(color, "200", f"0+{ok}x9000"), **requests(color, "500", f"0+{bad}x9000")}


def down(color):
    return color_of("sidecar_color_up", color, "0x9000")


# (alert, what happens, series, whether it fires); further words: at="30m", also={other alerts}.
SCENES = []


def scene(alert, name, series, fires, at="30m", also=()):
    SCENES.append((alert, name, series, fires, at, set(also)))


# ---- users ----
# R84: of 60 requests in an hour 11 fail, the last ones just now; and one of 6 in five minutes.
NIGHT = {**requests("blue", "200", "0+0.8x9000"),
         **requests("blue", "500", "0x48 1+1x10 11x9000")}
scene("OdooErrorBudgetBurnFast", "a release that fails every tenth request", busy(540, 60), True,
      at="1h", also={"OdooErrorBudgetBurnSlow", "OdooErrorBudgetBurnTicket"})
scene("OdooErrorBudgetBurnFast", "eleven errors of sixty requests in an hour", NIGHT, True, at="1h",
      also={"OdooErrorBudgetBurnSlow", "OdooErrorBudgetBurnTicket"})
scene("OdooErrorBudgetBurnFast", "one error of six requests at night",
      {**requests("blue", "200", "0+1x9000"), **requests("blue", "500", "0x58 1x9000")}, False, at="1h")
scene("OdooErrorBudgetBurnFast", "counters begin anew after a restart",
      {**requests("blue", "200", "0+600x30 0+600x9000"), **requests("blue", "500", "400x30 0x9000")},
      False, at="1h")
scene("OdooErrorBudgetBurnSlow", "four of a hundred fail for hours", busy(576, 24), True, at="1h",
      also={"OdooErrorBudgetBurnTicket"})
scene("OdooErrorBudgetBurnSlow", "it was over an hour ago",
      {**busy(600, 0), **requests("blue", "500", "0+24x60 1440x9000")}, False, at="100m",
      also={"OdooErrorBudgetBurnTicket"})
scene("OdooErrorBudgetBurnTicket", "one of a hundred fails", busy(594, 6), True, at="1h")
scene("OdooErrorBudgetBurnTicket", "four of a thousand fail", busy(597.6, 2.4), False, at="1h")
scene("OdooLatencyHigh", "six of a hundred are slow", {**busy(60, 0), **latency("blue", 100, 94)}, True, at="12m")
scene("OdooLatencyHigh", "six of a hundred of the other color alone are slow",
      {**busy(60, 0, "green"), **latency("green", 100, 94), **busy(60, 0),
       **latency("blue", 100, 100)}, True, at="12m")
scene("OdooLatencyHigh", "four of a hundred are slow", {**busy(60, 0), **latency("blue", 100, 96)},
      False, at="12m")
scene("OdooLatencyHigh", "all are slow, but few", {**busy(6, 0), **latency("blue", 6, 0)}, False, at="12m")
# R89: planned work is quiet, unless it was the last color.
scene("OdooNoColorUp", "the last one is stopped", {
    **down("blue"), **down("green"), **state("blue", "maint"), **state("green", "maint")}, True,
      at="5m")
scene("OdooNoColorUp", "one runs, but is out of service, the other is down",
      {**down("blue"), **state("blue", "draining"), **state("green", "maint")}, True, at="5m")
scene("OdooNoColorUp", "one is drained and stopped, the other serves",
      {**down("blue"), **state("blue", "maint"), **color_of("sidecar_color_weight", "green", "1x9000")},
      False, at="12m")
scene("OdooNoColorUp", "the sidecar has just started and has not probed yet",
      {**down("blue"), **down("green"), **one("sidecar_start_time_seconds", "50x9000")}, False, at="1m")
scene("OdooColorDown", "the live one is down", down("blue"), True, at="12m")
scene("OdooColorDown", "a color without weight is down", down("green"), False, at="12m")
scene("OdooColorDown", "one with weight is drained", {**down("blue"), **state("blue", "draining")},
      False, at="20m")
scene("OdooDependencyDown", "the database is gone", one("sidecar_dependency_down", "1x9000"), True)
scene("OdooDependencyDown", "for one scrape", one("sidecar_dependency_down", "0x29 1 0x9000"), False)
scene("OdooQueueTimeouts", "ten a minute are given up", one("sidecar_queue_timeouts_total", "0+10x9000"),
      True)
scene("OdooQueueTimeouts", "one in two minutes", one("sidecar_queue_timeouts_total", "0+0.5x9000"),
      False)
# R85.
scene("OdooMetricsAbsent", "the sidecar has been down for five minutes",
      one("up", "1x25 0x9000"), True)
scene("OdooMetricsAbsent", "one scrape failed", one("up", "1x28 0 1x9000"), False)
# ---- sidecar ----
scene("ShifterStateUnwritable", "the disk is full", one("sidecar_state_unsaved", "1x9000"), True)
scene("ShifterStateUnwritable", "saved at the second try",
      one("sidecar_state_unsaved", "0x29 1 0x9000"), False)
scene("SidecarOverloaded", "bytes go to disk", one("sidecar_overload_step", "1x9000"), True)
scene("SidecarOverloaded", "for two minutes", one("sidecar_overload_step", "0x27 1x1 0x9000"), False)
scene("SidecarTableStale", "a worker hangs", one("sidecar_table_version", "5x9000"), True)
scene("SidecarTableStale", "at the moment of a change", one("sidecar_table_version", "4x29 5x9000"),
      False)
scene("BackendCertificateRefused", "a certificate has expired",
      one("sidecar_certificates_refused_total", "0x25 1+1x9000"), True)
scene("BackendCertificateRefused", "it was mended an hour ago",
      one("sidecar_certificates_refused_total", "0+1x10 10x9000"), False, at="80m")
scene("AgentAway", "it crashed", one("shifter_agent_connected", "0x9000"), True)
scene("AgentAway", "it is restarted", one("shifter_agent_connected", "1x24 0x3 1x9000"), False)
scene("ScrapeTargetDown", "an exporter is gone", one("up", "0x9000", NODE), True)
scene("ScrapeTargetDown", "one scrape failed", one("up", "1x28 0 1x9000", NODE), False)
# ---- rollouts ----
HOLDING = f'{S},reason="no_evidence"'
scene("CanaryHeld", "nobody comes", one("shifter_holding", "1x9000", HOLDING), True, at="80m")
scene("CanaryHeld", "for half an hour", one("shifter_holding", "1x9000", HOLDING), False)
scene("CanaryRolledBack", "a bad release", one("shifter_rollbacks_total", "0x20 1x9000",
                                               f'{S},reason="error"'), True)
scene("CanaryRolledBack", "a bad release, yesterday", one("shifter_rollbacks_total", "0x20 1x9000",
                                                          f'{S},reason="error"'), False, at="80m")
scene("DrainStuck", "its deadline is long over", state("blue", "draining"), True, at="40m")
scene("DrainStuck", "it drains for its deadline", state("blue", "draining"), False, at="25m")
scene("StopHookFailed", "docker did not stop it",
      one("shifter_hook_failures_total", "0x20 1x9000", f'{S},hook="stop"'), True)
scene("StopHookFailed", "another one failed",
      one("shifter_hook_failures_total", "0x20 1x9000", f'{S},hook="deploy"'), False,
      also={"HookFailed"})
scene("HookFailed", "a deploy failed",
      one("shifter_hook_failures_total", "0x20 1x9000", f'{S},hook="deploy"'), True)
scene("HookFailed", "long ago",
      one("shifter_hook_failures_total", "0x20 1x9000", f'{S},hook="deploy"'), False, at="80m")
# ---- scaler ----
scene("ScalerBlind", "no figures", one("shifter_scaler_blind", "1x9000"), True)
scene("ScalerBlind", "after a restart", one("shifter_scaler_blind", "0x26 1x9000"), False)
scene("ScalerFrozen", "three failures", one("shifter_scaler_frozen", "1x9000"), True)
scene("ScalerFrozen", "somebody said auto", one("shifter_scaler_frozen", "1x27 0x9000"), False)
AT_MAX = one("shifter_scaler_reason", "1x9000", f'{S},reason="at_max"')
scene("ScalerAtMax", "slow at the maximum", {**AT_MAX, **busy(60, 0), **latency("blue", 100, 94)},
      True, also={"OdooLatencyHigh"}, at="25m")
scene("ScalerAtMax", "fast at the maximum", {**AT_MAX, **busy(60, 0), **latency("blue", 100, 99)},
      False, at="25m")
scene("PolicyLoadFailed", "a fault in the file", one("shifter_policy_load_failed", "1x9000"), True)
scene("PolicyLoadFailed", "mended", one("shifter_policy_load_failed", "1x28 0x9000"), False)
# ---- data ----
scene("PgConnectionsHigh", "81 of 100", one("shifter_agent_connections", "81x9000"), True, at="12m")
scene("PgConnectionsHigh", "80 of 100", one("shifter_agent_connections", "80x9000"), False, at="12m")
scene("PgConnectionsHigh", "not known", {
    **one("shifter_agent_connections", "0x9000"), **one("shifter_agent_connections_max", "0x9000")},
      False, at="12m")
scene("PgArchiveStale", "nothing is archived", one("dr_wal_archive_age_seconds", "0+60x9000", NODE),
      True)
scene("PgArchiveStale", "the archive lacks a file", one("dr_wal_archive_gaps", "1x9000", NODE), True)
scene("PgArchiveStale", "a quiet night: once a minute",
      one("dr_wal_archive_age_seconds", "90x9000", NODE), False)
scene("PgStandbyLag", "two minutes behind", one("dr_standby_lag_seconds", "120x9000", NODE), True)
scene("PgStandbyLag", "a vacuum, for three minutes",
      one("dr_standby_lag_seconds", "0x26 120x9000", NODE), False)
HOURS_25, HOURS_27 = (f"{1800 - hours * 3600}x9000" for hours in (25, 27))  # looked at after 30 m
# R90: the backup is 26 hours old.
scene("BackupTooOld", "of the filestore, 27 hours",
      one("dr_backup_timestamp_seconds", HOURS_27, f'{NODE},kind="filestore"'), True)
scene("BackupTooOld", "25 hours",
      one("dr_backup_timestamp_seconds", HOURS_25, f'{NODE},kind="filestore"'), False)
scene("RestoreTestTooOld", "it failed last night",
      one("dr_restore_test_timestamp_seconds", HOURS_27, NODE), True)
scene("RestoreTestTooOld", "25 hours", one("dr_restore_test_timestamp_seconds", HOURS_25, NODE), False)
# R95.
scene("DrillTooSlow", "2 h 5 min", one("dr_rto_seconds", "7500x9000", NODE), True)
scene("DrillTooSlow", "1 h 59 min", one("dr_rto_seconds", "7140x9000", NODE), False)
scene("DrMetricsAbsent", "the backup job never ran",
      one("dr_backup_timestamp_seconds", "_x9000", f'{NODE},kind="database"'), True, at="40m")
scene("DrMetricsAbsent", "after the install", one(
    "dr_backup_timestamp_seconds", "_x20 1+60x9000", f'{NODE},kind="database"'), False, at="40m")
scene("DiskWillFill", "two hours are left",
      one("node_filesystem_avail_bytes", "200-1x9000", DISK), True, at="80m")
scene("DiskWillFill", "little is left, but it stays",
      one("node_filesystem_avail_bytes", "100x9000", DISK), False, at="80m")
scene("DiskWillFill", "it shrinks, but much is left",
      one("node_filesystem_avail_bytes", "900-4x9000", DISK), False, at="80m")
# ---- probes ----
FRONT = 'job="probe_front",instance="https://odoo.example/web/login"'
scene("ProbeFailed", "no login page", one("probe_success", "0x9000", FRONT), True)
scene("ProbeFailed", "one probe failed", one("probe_success", "1x28 0 1x9000", FRONT), False)
BLUE = 'job="probe_color",instance="http://b",color="blue"'
scene("ProbeColorFailed", "the live one", one("probe_success", "0x9000", BLUE), True, at="12m")
scene("ProbeColorFailed", "it is out of service",
      {**one("probe_success", "0x9000", BLUE), **state("blue", "maint")}, False, at="12m")
scene("CertExpiry", "13 days", one("probe_ssl_earliest_cert_expiry", "1123200x9000", FRONT), True)
scene("CertExpiry", "15 days", one("probe_ssl_earliest_cert_expiry", "1298000x9000", FRONT), False)
scene("SsoDown", "no answer", one("probe_success", "0x9000", 'job="probe_sso",instance="https://sso"'),
      True)
scene("SsoDown", "for two minutes",
      one("probe_success", "1x27 0x1 1x9000", 'job="probe_sso",instance="https://sso"'), False)
scene("SiiDown", "no answer", one("probe_success", "0x9000", 'job="probe_sii",instance="https://sii"'),
      True)
scene("SiiDown", "for ten minutes",
      one("probe_success", "1x20 0x9000", 'job="probe_sii",instance="https://sii"'), False)
# ---- tax ----
TAX = 'job="f29svc",instance="f:1"'
scene("TaxStoreDown", "no database", one("f29_store_up", "0x9000", TAX), True)
scene("TaxStoreDown", "a restart of it", one("f29_store_up", "1x27 0x1 1x9000", TAX), False)
scene("TaxMetricsAbsent", "it is down", one("f29_store_up", "_x9000", TAX), True)
scene("TaxMetricsAbsent", "a restart of it", one("f29_store_up", "1x22 stale _x3 1x9000", TAX), False)
scene("UnmappedTaxes", "a computation met one", one("sii_unmapped_taxes_total", "0x10 1x9000", TAX),
      True)
scene("UnmappedTaxes", "yesterday", one("sii_unmapped_taxes_total", "0x10 1x9000", TAX), False, at="80m")
scene("Watchdog", "always", {}, True)
