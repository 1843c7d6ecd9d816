#include "shifter/agent/journal.h"

#include <nlohmann/json.hpp>
#include <random>

namespace agent {
namespace {

using Json = nlohmann::json;
using base::ErrorCode;
using base::Side;

constexpr size_t kBytesMax = 4 << 20;

std::string new_name() {
  std::random_device random;
  char text[33];
  std::snprintf(text, sizeof text, "%08x%08x%08x%08x", random(), random(), random(), random());
  return text;
}

End end_named(const std::string& name) {
  for (End end : {End::started, End::done, End::failed, End::unknown}) {
    if (text_of(end) == name) return end;
  }
  throw std::runtime_error("nothing is called " + name);
}

}  // namespace

std::string_view text_of(End end) {
  switch (end) {
    case End::started:
      return "started";
    case End::done:
      return "done";
    case End::failed:
      return "failed";
    case End::unknown:
      return "unknown";
  }
  return "unknown";
}

base::Result<Journal> Journal::open(const std::string& path) {
  if (auto made = base::make_folder_of(path); !made) return tl::unexpected(made.error());
  Journal journal;
  journal.path_ = path;
  auto lock = base::lock_file(path + ".lock");
  if (!lock) return tl::unexpected(lock.error());
  journal.lock_ = std::move(*lock);
  auto text = base::read_file(path, kBytesMax);
  if (!text && text.error().code != ErrorCode::not_found) return tl::unexpected(text.error());
  if (!text) {
    journal.name_ = new_name();
    if (auto saved = journal.save(); !saved) return tl::unexpected(saved.error());
    return journal;
  }
  try {
    const Json json = Json::parse(*text);
    journal.name_ = json.at("name").get<std::string>();
    for (const Json& one : json.at("actions")) {
      Entry entry;
      entry.id = one.at("id").get<uint64_t>();
      entry.asked_ms = one.value("asked_ms", int64_t{0});
      entry.kind = one.at("kind").get<std::string>();
      entry.color = one.at("color").get<std::string>();
      entry.outcome.end = end_named(one.at("end").get<std::string>());
      entry.outcome.message = one.at("message").get<std::string>();
      entry.outcome.tail = one.at("tail").get<std::vector<std::string>>();
      entry.outcome.result = one.at("result").get<std::map<std::string, std::string>>();
      journal.entries_.push_back(std::move(entry));
    }
  } catch (const std::exception& error) {
    return base::fail(
        ErrorCode::bad_input, Side::proxy,
        path + ": " + error.what() + " (move it away: what was open is unknown then)");
  }
  return journal;
}

const Journal::Entry* Journal::find(uint64_t id, int64_t asked_ms) const {
  for (const Entry& entry : entries_) {
    if (entry.id == id && entry.asked_ms == asked_ms) return &entry;
  }
  return nullptr;
}

base::Result<> Journal::start(uint64_t id, int64_t asked_ms, const std::string& kind,
                              const std::string& color) {
  entries_.push_back({id, asked_ms, kind, color, {End::started, {}, {}, {}}});
  if (auto saved = save(); !saved) {
    entries_.pop_back();
    return saved;
  }
  while (entries_.size() > kKept) entries_.pop_front();
  return {};
}

base::Result<> Journal::end(uint64_t id, int64_t asked_ms, Outcome outcome) {
  for (Entry& entry : entries_) {
    if (entry.id == id && entry.asked_ms == asked_ms) entry.outcome = std::move(outcome);
  }
  return save();
}

base::Result<> Journal::save() const {
  Json json = {{"name", name_}, {"actions", Json::array()}};
  for (const Entry& entry : entries_) {
    json["actions"].push_back({{"id", entry.id},
                               {"asked_ms", entry.asked_ms},
                               {"kind", entry.kind},
                               {"color", entry.color},
                               {"end", text_of(entry.outcome.end)},
                               {"message", entry.outcome.message},
                               {"tail", entry.outcome.tail},
                               {"result", entry.outcome.result}});
  }
  const std::string text = json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
  return base::write_file_durably(path_, text, 0600, /*keep_old=*/false);
}

}  // namespace agent
