// What a reconciliation found, as notes on the documents in Odoo: each text once.
#include "f29svc/api/service.h"
#include "f29svc/sources/odoo/notes.h"
#include "proxy/base/mac.h"

namespace f29 {

namespace {

constexpr size_t kPostedMost = 1'000;  // of one call; the next goes on

std::string_view spanish(ReconcileStatus status) {
  switch (status) {
    case ReconcileStatus::match:
      return "coincide con el registro";
    case ReconcileStatus::amount_diff:
      return "difiere en montos del registro";
    case ReconcileStatus::type_diff:
      return "está en el registro con otro tipo de documento";
    case ReconcileStatus::period_diff:
      return "está contabilizado en otro período que el del registro";
    case ReconcileStatus::duplicate_in_books:
      return "está contabilizado más de una vez";
    case ReconcileStatus::pending_in_rcv:
      return "está pendiente en el registro";
    case ReconcileStatus::claimed_in_rcv:
      return "está reclamado en el registro";
    default:
      return "";
  }
}

// The text without its mark; equal texts are one note.
std::string text_of(const Reconciled& one, Period period) {
  std::string text = "Conciliación F29 " + period.text() + ": " + std::string(spanish(one.status));
  if (one.diff_total() != 0 || one.diff_tax() != 0) {
    text += ", diferencia " + std::to_string(one.diff_total()) + ", de ella IVA " +
            std::to_string(one.diff_tax());
  }
  return text + ".";
}

}  // namespace

Outcome<OdooNotes> TaxService::note_in_odoo(Rut company, Period period, bool is_dry_run) {
  if (!options_.odoo) return refuse(409, "no_odoo", "no Odoo is configured");
  if (!is_dry_run && !options_.odoo_notes) {
    return refuse(409, "notes_not_allowed", "odoo.notes is off in the config");
  }
  auto record = store_.company(company);
  if (!record) return refuse(told("store_failed", record.error()));
  auto imports = store_.imports(company, period);
  if (!imports) return refuse(told("store_failed", imports.error()));
  bool is_of_odoo = false;
  for (const ImportRecord& import : *imports) {
    const bool is_current = import.replaced_at.empty() && import.slot == "books";
    is_of_odoo = is_of_odoo || (is_current && import.sha256.empty());
  }
  if (!is_of_odoo) return refuse(409, "books_not_of_odoo", "import the books out of Odoo first");
  OdooNotes notes;
  notes.is_dry_run = is_dry_run;
  bool has_run = false;
  auto read = store_.with([&](Database& database) -> base::Result<> {
    auto run = newest_run(database, record->id, period);
    if (!run) return base::fail(run.error());
    if (!*run) return {};
    has_run = true;
    return read_run_rows(database, (*run)->id, [&](const Reconciled& one) {
      if (!one.in_books || !one.in_register || spanish(one.status).empty()) return;
      for (const int64_t move : one.moves) {
        notes.notes.push_back({move, one.status, text_of(one, period), {}});
      }
    });
  });
  if (!read) return refuse(told("store_failed", read.error()));
  if (!has_run) return refuse(404, "not_reconciled", "reconcile it first");

  auto rpc = OdooRpc::make(*options_.odoo);
  if (!rpc) return refuse(told("odoo_failed", rpc.error()));
  size_t posted = 0;
  for (OdooNote& note : notes.notes) {
    const std::string digest = base::sha256_hex(note.text);
    const std::string mark = "[f29svc " + digest.substr(0, 16) + "]";
    bool is_known = false;
    read = store_.with([&](Database& database) -> base::Result<> {
      auto noted = was_noted(database, record->id, note.move, digest);
      if (!noted) return base::fail(noted.error());
      is_known = *noted;
      return {};
    });
    if (!read) return refuse(told("store_failed", read.error()));
    note.result = is_known ? "already" : "would_post";
    if (is_known || is_dry_run || posted >= kPostedMost) continue;
    // An earlier try whose answer was lost may have written it.
    auto there = has_note(**rpc, note.move, mark);
    if (!there) return refuse(told("odoo_failed", there.error()));
    auto done = *there ? base::Result<>() : post_note(**rpc, note.move, note.text + " " + mark);
    note.result = !done ? "failed" : *there ? "already" : "posted";
    if (!done) {
      tell_("odoo_note_failed", done.error());
      break;  // the rest would fare no better
    }
    ++posted;
    read = store_.with(
        [&](Database& database) { return put_noted(database, record->id, note.move, digest); });
    if (!read) return refuse(told("store_failed", read.error()));
  }
  for (OdooNote& note : notes.notes) {
    if (note.result.empty()) note.result = "would_post";
  }
  return notes;
}

}  // namespace f29
