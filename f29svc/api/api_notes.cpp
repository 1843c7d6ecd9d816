// The answer to notes in Odoo.
#include <sstream>

#include "f29svc/api/asked.h"
#include "f29svc/exports/json_writer.h"

namespace f29 {

HttpResponse Api::reconcile_notes(const Call& call) {
  Asked asked(call);
  const bool is_dry_run = asked.one_of("dry_run", {"true", "false"}) != "false";
  if (auto fault = asked.fault()) return error_response(*fault);
  auto notes = service_.note_in_odoo(call.company, call.period, is_dry_run);
  if (!notes) return error_response(notes.error());
  int64_t posted = 0;
  int64_t already = 0;
  int64_t failed = 0;
  std::ostringstream out;
  JsonWriter writer(out);
  writer.open('{');
  writer.member("dry_run", notes->is_dry_run);
  writer.key("notes");
  writer.open('[');
  for (const OdooNote& note : notes->notes) {
    posted += note.result == "posted";
    already += note.result == "already";
    failed += note.result == "failed";
    writer.open('{');
    writer.member("move", note.move);
    writer.member("status", status_text(note.status));
    writer.member("text", note.text);
    writer.member("result", note.result);
    writer.close('}');
  }
  writer.close(']');
  writer.member("posted", posted);
  writer.member("already", already);
  writer.member("failed", failed);
  writer.close('}');
  out << '\n';
  return json(std::move(out).str());
}

}  // namespace f29
