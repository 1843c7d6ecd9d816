"""The alerts, as data for rules.py. `page`: users are hurt or will be soon, somebody gets up; `ticket`:
in working hours; `info`: nobody is told. A color that is out of service on purpose alerts nobody."""


def alert(name, severity, runbook, expr, summary, description, **more):
    return {"alert": name, "severity": severity, "runbook": runbook, "expr": expr.strip("\n"),
            "summary": summary, "description": description, **more}


def burn(name, severity, factor, long, short):
    """The error budget is 0.5 %: of both windows, and more than ten errors (few requests at night)."""
    return alert(
        name, severity, "incidents", f"""
job:odoo_request_errors_per_requests:ratio_rate{long} > {factor} * 0.005
and on (job) job:odoo_request_errors_per_requests:ratio_rate{short} > {factor} * 0.005
and on (job) job:odoo_request_errors:increase{long} > 10""",
        "{{ $value | humanizePercentage }} of requests fail",
        f"Answers with 5xx use the error budget (99.5 %) {factor} times as fast as planned, over {long} and {short}.")


USERS = [
    burn("OdooErrorBudgetBurnFast", "page", 14.4, "1h", "5m"),
    burn("OdooErrorBudgetBurnSlow", "page", 6, "6h", "30m"),
    burn("OdooErrorBudgetBurnTicket", "ticket", 1, "3d", "6h"),
    alert("OdooLatencyHigh", "page", "high_latency", """
color:odoo_request_slow_per_requests:ratio_rate5m > 0.05
and on (job, color) color:odoo_requests:rate5m > 0.2""",
          "{{ $value | humanizePercentage }} of requests to {{ $labels.color }} take more than @slow@ s",
          "The p95 of {{ $labels.color }} is above @slow@ s, the policy's threshold, for @slow_for@.",
          **{"for": "@slow_for@", "keep": "5m"}),
    alert("OdooNoColorUp", "page", "incidents", """
sum by (job, instance) (
  sidecar_color_up * on (job, instance, color) (sidecar_color_state{state="maint"} == bool 0)
) == 0
unless on (job, instance) (time() - sidecar_start_time_seconds < 60)""",
          "No color of Odoo can serve",
          "Every color is down or out of service: all users are answered 503."),
    alert("OdooColorDown", "page", "incidents", """
sidecar_color_up == 0
and on (job, instance, color) sidecar_color_weight > 0
and on (job, instance, color) sidecar_color_state{state="ready"} == 1""",
          "{{ $labels.color }} is down and should take users",
          "Its probes fail. The other color serves its users, if it is up.", **{"for": "2m"}),
    alert("OdooDependencyDown", "page", "incidents", "sidecar_dependency_down == 1",
          "Pages fail on all colors at once",
          "What both share is down: the database, its disk, or the network to it.", **{"for": "1m"}),
    alert("OdooQueueTimeouts", "page", "high_latency", """
sum by (job, instance) (
  rate(sidecar_queue_timeouts_total[5m]) + rate(sidecar_queue_full_total[5m])
  + rate(sidecar_hold_timeouts_total[5m]) + rate(sidecar_hold_full_total[5m])) > 0.1""",
          "Requests are given up in the line", "No worker of Odoo was free for them in time.",
          **{"for": "2m"}),
    alert("OdooMetricsAbsent", "page", "sidecar_down", """
absent(odoo_requests_total)
or up{job="sidecar"} == 0""",
          "The sidecar is not heard of", "No figures of the sidecar: it is down, or its scrape is.",
          **{"for": "2m"}),
]

SIDECAR = [
    alert("ShifterStateUnwritable", "page", "disk_low", "sidecar_state_unsaved == 1",
          "The sidecar cannot save its state",
          "A change acts that would be lost at a restart; further ones are refused.", **{"for": "1m"}),
    alert("SidecarOverloaded", "page", "high_latency", "sidecar_overload_step > 0",
          "The sidecar nears its memory limit (step {{ $value }})",
          "1: waiting bytes go to disk. 2: no connection is accepted.", **{"for": "5m"}),
    alert("SidecarTableStale", "ticket", "sidecar_down", """
sidecar_table_version > sidecar_table_applied_version""",
          "A worker of the sidecar does not take its table",
          "One of its threads hangs: changes of weights do not reach it.", **{"for": "2m"}),
    alert("BackendCertificateRefused", "ticket", "incidents", """
sum by (job, instance) (increase(sidecar_certificates_refused_total[10m])) > 0""",
          "A color shows a certificate that is refused",
          "Expired, of another name, or of an unknown authority."),
    alert("AgentAway", "ticket", "sidecar_down", "shifter_agent_connected == 0",
          "No agent takes actions", "Deploys, stops and changes of workers stay pending.",
          **{"for": "10m"}),
    alert("ScrapeTargetDown", "ticket", "incidents", 'up{job!="sidecar"} == 0',
          "{{ $labels.job }} at {{ $labels.instance }} is not scraped",
          "Alerts about it say nothing meanwhile.", **{"for": "5m"}),
    alert("Watchdog", "info", "incidents", "vector(1)", "Alerting works",
          "Fires always: a dead-man switch elsewhere pages when it stops coming."),
]

ROLLOUT = [
    alert("CanaryHeld", "ticket", "canary_rolled_back", """
max by (job, instance, reason) (shifter_holding) == 1""",
          "The rollout holds: {{ $labels.reason }}",
          "It waits for evidence or a person; it is aborted when hold_max is over.", **{"for": "1h"}),
    alert("CanaryRolledBack", "ticket", "canary_rolled_back", """
sum by (job, instance, reason) (increase(shifter_rollbacks_total[30m])) > 0""",
          "A rollout ended without its release: {{ $labels.reason }}",
          "`shifter explain` has the numbers."),
    alert("DrainStuck", "ticket", "drain_stuck", """
max by (job, instance, color) (sidecar_color_state{state=~"draining|closing"}) == 1""",
          "{{ $labels.color }} does not get empty", "Its drain takes longer than its deadline.",
          **{"for": "@stuck_for@"}),
    alert("StopHookFailed", "ticket", "drain_stuck", """
increase(shifter_hook_failures_total{hook="stop"}[30m]) > 0""",
          "A color was not stopped", "It holds memory and connections, and its cron may still run."),
    alert("HookFailed", "ticket", "canary_rolled_back", """
increase(shifter_hook_failures_total{hook!="stop"}[30m]) > 0""",
          "{{ $labels.hook }} failed", "`shifter actions` shows the last lines of its command."),
]

SCALER = [
    alert("ScalerBlind", "ticket", "high_latency", "shifter_scaler_blind == 1",
          "The scaler sees nothing", "It decides nothing until it does.", **{"for": "@blind_for@"}),
    alert("ScalerFrozen", "ticket", "high_latency", "shifter_scaler_frozen == 1",
          "The scaler gave up after failures",
          "`shifter actions` says what failed; `shifter scale auto` goes on.", **{"for": "5m"}),
    alert("ScalerAtMax", "ticket", "high_latency", """
max by (job, instance) (shifter_scaler_reason{reason=~"at_max|capacity"}) == 1
and on (job) color:odoo_request_slow_per_requests:ratio_rate5m > 0.05""",
          "Slow, and no more workers may be started",
          "The policy's maximum or what the machine carries is reached.", **{"for": "10m"}),
    alert("PolicyLoadFailed", "ticket", "high_latency", "shifter_policy_load_failed == 1",
          "The scaling policy has a fault", "The one before holds; `shifter policy check` names it.",
          **{"for": "5m"}),
]

DATA = [
    alert("PgConnectionsHigh", "page", "db_connections_spike", """
shifter_agent_connections / shifter_agent_connections_max > @connections@""",
          "{{ $value | humanizePercentage }} of PostgreSQL's connections are taken",
          "Above @connections_percent@ %, the policy's share: the next worker may not get one.",
          **{"for": "5m"}),
    alert("PgArchiveStale", "page", "dr_plan", """
dr_wal_archive_age_seconds > 600
or dr_wal_archive_gaps > 0""",
          "WAL is not archived as it should be",
          "What is not in the archive is lost with the machine. The archive itself was listed.",
          **{"for": "5m"}),
    alert("PgStandbyLag", "ticket", "dr_plan", "dr_standby_lag_seconds > 60",
          "The standby is {{ $value | humanizeDuration }} behind",
          "A promotion now would lose that much.", **{"for": "5m"}),
    alert("BackupTooOld", "page", "dr_plan", "time() - dr_backup_timestamp_seconds > 26 * 3600",
          "The last backup of the {{ $labels.kind }} is {{ $value | humanizeDuration }} old",
          "It should be at most a day old."),
    alert("RestoreTestTooOld", "ticket", "dr_plan", """
time() - dr_restore_test_timestamp_seconds > 26 * 3600""",
          "The last restore that worked is {{ $value | humanizeDuration }} old",
          "Until it works again nobody knows whether the backups can be restored."),
    alert("DrillTooSlow", "ticket", "dr_plan", "dr_rto_seconds > 2 * 3600",
          "The last drill took {{ $value | humanizeDuration }}", "The plan promises two hours."),
    alert("DrMetricsAbsent", "ticket", "dr_plan", """
absent(dr_backup_timestamp_seconds{kind="database"})
or absent(dr_backup_timestamp_seconds{kind="filestore"})
or absent(dr_restore_test_timestamp_seconds)
or absent(dr_wal_archive_age_seconds)""",
          "Nothing is heard of the backups", "Their jobs did not run, or their figures are not scraped.",
          **{"for": "30m"}),
    alert("DiskWillFill", "page", "disk_low", """
node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs|squashfs|overlay"}
/ node_filesystem_size_bytes{fstype!~"tmpfs|ramfs|squashfs|overlay"} < 0.15
and predict_linear(
  node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs|squashfs|overlay"}[1h], 4 * 3600) < 0""",
          "{{ $labels.mountpoint }} is full within four hours",
          "{{ $value | humanizePercentage }} are left, and it shrinks.", **{"for": "10m"}),
]

PROBES = [
    alert("ProbeFailed", "page", "incidents", """
probe_success{job=~"probe_front|probe_websocket"} == 0""",
          "{{ $labels.instance }} fails as users see it",
          "Through Traefik and the sidecar, from outside.", **{"for": "2m"}),
    alert("ProbeColorFailed", "ticket", "incidents", """
probe_success{job="probe_color"} == 0
and on (color) sidecar_color_weight > 0
and on (color) sidecar_color_state{state="ready"} == 1""",
          "{{ $labels.color }} fails when asked directly", "Its login page is not what it should be.",
          **{"for": "5m"}),
    alert("CertExpiry", "ticket", "incidents", """
probe_ssl_earliest_cert_expiry{job=~"probe_front|probe_websocket"} - time() < 14 * 86400""",
          "The certificate of {{ $labels.instance }} ends in {{ $value | humanizeDuration }}",
          "It should have been renewed by itself 30 days before."),
    alert("SsoDown", "page", "sso_outage", 'probe_success{job="probe_sso"} == 0',
          "Signing in is not possible", "The identity provider's discovery page does not answer.",
          **{"for": "5m"}),
    alert("SiiDown", "ticket", "sii_down", 'probe_success{job="probe_sii"} == 0',
          "The tax authority's site does not answer", "It is not ours; returns may be due.",
          **{"for": "15m"}),
]

TAX = [
    alert("TaxStoreDown", "ticket", "incidents", "f29_store_up == 0",
          "The tax service has no database", "Its pages answer with an error.", **{"for": "5m"}),
    alert("TaxMetricsAbsent", "ticket", "incidents", "absent(f29_store_up)",
          "The tax service is not heard of", "It is down, or its scrape is.", **{"for": "10m"}),
    alert("UnmappedTaxes", "ticket", "incidents", "increase(sii_unmapped_taxes_total[1h]) > 0",
          "A computation met taxes that belong to no box",
          "The return lacks them; `mapping.taxes` of its config says what they mean."),
]

GROUPS = [("odoo_users", USERS), ("sidecar", SIDECAR), ("rollout", ROLLOUT), ("scaler", SCALER),
          ("data", DATA), ("probes", PROBES), ("tax", TAX)]
