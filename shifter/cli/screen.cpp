#include "shifter/cli/screen.h"

#include <algorithm>

#include "shifter/cli/units.h"

namespace cli {
namespace {

constexpr int kWideColumns = 90;  // from here on two spaces stand between columns

struct Column {
  const char* name;
  size_t width;  // at least: a view that does not jump
  Align align;
};
constexpr Column kColumns[] = {
    {"color", 6, Align::left},   {"state", 8, Align::left},   {"weight", 6, Align::right},
    {"share", 5, Align::right},  {"health", 13, Align::left}, {"rate", 7, Align::right},
    {"errors", 6, Align::right}, {"p95", 7, Align::right},    {"run", 4, Align::right},
    {"queue", 5, Align::right},  {"ws", 3, Align::right},
};

struct Figures {
  std::string rate = "-", errors = "-", p95 = "-";
};

Figures figures_of(const TotalsView* before, const TotalsView& now, const Moment& moment) {
  Figures figures;
  // A daemon that was started anew counts from 0 again.
  if (before == nullptr || moment.seconds_between <= 0 || now.requests < before->requests) {
    return figures;
  }
  const auto requests = static_cast<double>(now.requests - before->requests);
  figures.rate = rate_text(requests / moment.seconds_between);
  if (requests > 0) {
    figures.errors = percent_text(static_cast<double>(now.errors - before->errors) / requests);
  }
  if (auto p95 = latency_between(*before, now, moment.now.edges_us, 0.95)) {
    figures.p95 = latency_text(*p95);
  }
  return figures;
}

Row color_row(const ColorView& color, const Moment& moment) {
  const ColorView* before = moment.before ? moment.before->color(color.name) : nullptr;
  const Figures figures = figures_of(before ? &before->totals : nullptr, color.totals, moment);
  const auto share = static_cast<int>(moment.now.share_of(color) * 100 + 0.5);
  return {printable(color.name),
          color.state,
          std::to_string(color.weight),
          std::to_string(share) + " %",
          printable(color.health),
          figures.rate,
          figures.errors,
          figures.p95,
          std::to_string(color.http + color.longpoll),
          std::to_string(color.queued),
          std::to_string(color.websocket)};
}

Row none_row(const Moment& moment) {
  const Snapshot& now = moment.now;
  const Figures figures =
      figures_of(moment.before ? &moment.before->no_color : nullptr, now.no_color, moment);
  return {"none",
          "",
          "",
          "",
          "",
          figures.rate,
          figures.errors,
          figures.p95,
          std::to_string(now.receiving + now.delivering),
          std::to_string(now.held),
          ""};
}

Tone tone_of(const ColorView& color) {
  if (!color.is_up()) return Tone::bad;
  return color.state == "ready" ? Tone::good : Tone::warning;
}

std::string line_of(const Row& row, const std::vector<size_t>& widths, const std::string& gap) {
  std::string line;
  for (size_t i = 0; i < row.size(); ++i) {
    line += (i > 0 ? gap : "") + padded(row[i], widths[i], kColumns[i].align);
  }
  return line;
}

void add_table(std::vector<ScreenLine>& lines, const Moment& moment, ScreenSize size) {
  std::vector<Row> rows(1);
  for (const Column& column : kColumns) rows[0].emplace_back(column.name);
  for (const ColorView& color : moment.now.colors) rows.push_back(color_row(color, moment));
  rows.push_back(none_row(moment));
  std::vector<size_t> widths;
  for (const Column& column : kColumns) widths.push_back(column.width);
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  const std::string gap(size.columns >= kWideColumns ? 2 : 1, ' ');
  for (size_t i = 0; i < rows.size(); ++i) {
    const bool is_color = i > 0 && i <= moment.now.colors.size();
    lines.push_back({line_of(rows[i], widths, gap), i == 0     ? Tone::strong
                                                    : is_color ? tone_of(moment.now.colors[i - 1])
                                                               : Tone::plain});
  }
}

std::string heading_of(const Moment& moment, ScreenSize size) {
  const Snapshot& now = moment.now;
  std::string text = "sidecar";
  if (!now.version.empty()) text += " " + printable(now.version);
  for (const std::string& address : now.listen) text += ", " + printable(address);
  text += ", up " + seconds_text(now.uptime_s) + ", epoch " + std::to_string(now.epoch);
  const auto columns = static_cast<size_t>(size.columns);
  if (columns <= moment.clock.size() + 1) return text;
  const size_t left = columns - moment.clock.size() - 1;
  return padded(clip(text, left), left, Align::left) + " " + moment.clock;
}

void add_notes(std::vector<ScreenLine>& lines, const Snapshot& now) {
  for (const ColorView& color : now.colors) {
    if (!color.drain) continue;
    lines.push_back({color.name + " drains: " + seconds_text(color.drain->deadline_in_s) +
                         " to the deadline, or until none of its users came for " +
                         color.drain->quiet,
                     Tone::warning});
  }
  if (now.hold_on) {
    lines.push_back({"hold is on: " + std::to_string(now.held) + " wait, at most " +
                         std::to_string(now.hold_max) + " for " + now.hold_timeout,
                     Tone::warning});
  }
  for (const std::string& line : rollout_lines(now.rollout)) {
    lines.push_back({line, Tone::warning});
  }
  for (const std::string& reason : now.degraded) {
    lines.push_back({"degraded: " + printable(reason), Tone::bad});
  }
}

}  // namespace

std::optional<int64_t> latency_between(const TotalsView& before, const TotalsView& now,
                                       const std::vector<int64_t>& edges_us, double share) {
  if (now.latency.size() != edges_us.size() + 1 || before.latency.size() != now.latency.size()) {
    return std::nullopt;
  }
  int64_t sum = 0;
  for (size_t i = 0; i < now.latency.size(); ++i) sum += now.latency[i] - before.latency[i];
  if (sum <= 0) return std::nullopt;
  const double rank = share * static_cast<double>(sum);
  double seen = 0;
  for (size_t i = 0; i < edges_us.size(); ++i) {
    const auto count = static_cast<double>(now.latency[i] - before.latency[i]);
    if (count > 0 && seen + count >= rank) {
      const auto low = static_cast<double>(i == 0 ? 0 : edges_us[i - 1]);
      const auto high = static_cast<double>(edges_us[i]);
      return static_cast<int64_t>(low + (high - low) * (rank - seen) / count);
    }
    seen += count;
  }
  return edges_us.back();
}

std::vector<ScreenLine> screen_of(const Moment& moment, ScreenSize size) {
  std::vector<ScreenLine> lines;
  lines.push_back({heading_of(moment, size), Tone::strong});
  lines.push_back({});
  add_table(lines, moment, size);
  lines.push_back({});
  const size_t notes_at = lines.size();
  add_notes(lines, moment.now);
  if (lines.size() > notes_at) lines.push_back({});
  lines.push_back({"last events", Tone::strong});
  const auto rows = static_cast<size_t>(std::max(1, size.rows));
  const size_t room = rows > lines.size() ? rows - lines.size() : 0;
  const size_t shown = std::min(room, moment.events.size());
  for (size_t i = moment.events.size() - shown; i < moment.events.size(); ++i) {
    lines.push_back({moment.events[i], Tone::plain});
  }
  if (lines.size() > rows) lines.resize(rows);
  for (ScreenLine& line : lines) {
    line.text = clip(line.text, static_cast<size_t>(std::max(1, size.columns)));
    line.text.erase(line.text.find_last_not_of(' ') + 1);
  }
  return lines;
}

}  // namespace cli
