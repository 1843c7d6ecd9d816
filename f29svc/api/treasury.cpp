#include "f29svc/api/treasury.h"

#include "f29svc/exports/writers.h"

namespace f29 {

namespace {

std::string compact(Date date) {
  std::string text = date.text();
  std::erase(text, '-');
  return text;
}

// Lines of a calendar end in CRLF and have at most 75 bytes; a longer one goes on after a space.
void put_line(std::ostream& out, std::string line) {
  constexpr size_t kMost = 75;
  while (line.size() > kMost) {
    size_t cut = kMost;
    while ((static_cast<unsigned char>(line[cut]) & 0xC0) == 0x80) --cut;
    out << line.substr(0, cut) << "\r\n";
    line = " " + line.substr(cut);
  }
  out << line << "\r\n";
}

// RFC 5545, 3.3.11.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == ';' || c == ',') out += '\\';
    out += c == '\n' || c == '\r' ? ' ' : c;
  }
  return out;
}

// When the newest entry was made: the calendar's own stamp, so that nothing of the clock is in it.
std::string stamp_of(const FlowRecord& flow) {
  std::string digits;
  if (!flow.history.empty()) {
    for (const char c : flow.history.back().made_at.substr(0, 19)) {
      if (c >= '0' && c <= '9') digits += c;
    }
  }
  if (digits.size() != 14) return "19700101T000000Z";
  return digits.substr(0, 8) + "T" + digits.substr(8) + "Z";
}

void put_event(const Flow& flow, Date day, int64_t amount, std::string_view what,
               std::ostream& out) {
  const FlowRecord& record = flow.record;
  put_line(out, "BEGIN:VEVENT");
  put_line(out, "UID:f29-" + flow.company.text() + "-" + record.period.text() + "-" +
                    std::string(what) + "@f29svc");
  put_line(out, "DTSTAMP:" + stamp_of(record));
  put_line(out, "SEQUENCE:" + std::to_string(record.history.size()));
  put_line(out, "DTSTART;VALUE=DATE:" + compact(day));
  put_line(out, "DTEND;VALUE=DATE:" + compact(next_day(day)));
  put_line(out, "SUMMARY:" +
                    escaped("F29 " + record.period.text() + ": pagar $" + grouped(Pesos{amount}) +
                            (what == "iva" ? " (IVA postergado)" : "")));
  put_line(out, "DESCRIPTION:" + escaped("RUT " + flow.company.text() + ", versión " +
                                         std::to_string(record.version)));
  put_line(out, "TRANSP:TRANSPARENT");
  put_line(out, "BEGIN:VALARM");
  put_line(out, "ACTION:DISPLAY");
  put_line(out, "DESCRIPTION:" + escaped("F29 " + record.period.text()));
  put_line(out, "TRIGGER:-P1D");
  put_line(out, "END:VALARM");
  put_line(out, "END:VEVENT");
}

}  // namespace

void write_treasury_csv(const std::vector<Flow>& flows, std::ostream& out) {
  out << "company;period;version;state;due;amount;deferred_to;deferred_amount;paid_on;"
         "paid_amount;payment;open;late\r\n";
  for (const Flow& flow : flows) {
    const FlowRecord& one = flow.record;
    const int64_t open = one.amount.value() + one.deferred_amount.value() - one.paid_amount.value();
    out << flow.company.text() << ';' << one.period.text() << ';' << one.version << ';'
        << flow_text(one.state) << ';' << one.due.text() << ';' << one.amount.value() << ';'
        << one.deferred_to.text() << ';' << one.deferred_amount.value() << ';' << one.paid_on.text()
        << ';' << one.paid_amount.value() << ';' << csv_cell(one.payment) << ';' << open << ';'
        << (flow.is_late ? "yes" : "no") << "\r\n";
  }
}

void write_treasury_calendar(const std::vector<Flow>& flows, std::ostream& out) {
  put_line(out, "BEGIN:VCALENDAR");
  put_line(out, "VERSION:2.0");
  put_line(out, "PRODID:-//f29svc//F29//ES");
  put_line(out, "CALSCALE:GREGORIAN");
  for (const Flow& flow : flows) {
    const FlowRecord& one = flow.record;
    if (one.state == FlowState::paid || one.state == FlowState::none) continue;
    // A payment in part goes to what is due first.
    const int64_t now = std::max<int64_t>(one.amount.value() - one.paid_amount.value(), 0);
    const int64_t over = std::max<int64_t>(one.paid_amount.value() - one.amount.value(), 0);
    if (now > 0) put_event(flow, one.due, now, "f29", out);
    const int64_t later = one.deferred_amount.value() - over;
    if (one.state == FlowState::deferred && later > 0) {
      put_event(flow, one.deferred_to, later, "iva", out);
    }
  }
  put_line(out, "END:VCALENDAR");
}

}  // namespace f29
