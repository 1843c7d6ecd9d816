#include "shifter/cli/render.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "shifter/cli/verbs.h"

namespace cli {
namespace {

using Json = nlohmann::ordered_json;
using Rows = std::vector<std::vector<std::string>>;

std::string plain(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string table_text(const Rows& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line += std::string(widths[i] - row[i].size() + 2, ' ');
    }
    text += line + "\n";
  }
  return text;
}

// A list of objects with the same keys.
std::string list_text(const Json& list) {
  if (list.empty()) return "";
  Rows rows(1);
  for (const auto& [key, value] : list.front().items()) rows[0].push_back(key);
  for (const Json& object : list) {
    std::vector<std::string> row;
    for (const std::string& key : rows[0]) {
      row.push_back(object.contains(key) ? plain(object.at(key)) : "");
    }
    rows.push_back(std::move(row));
  }
  return table_text(rows);
}

bool is_table(const Json& value) {
  return value.is_array() && !value.empty() && value.front().is_object();
}

std::string object_text(const Json& object) {
  std::string text;
  for (const auto& [key, value] : object.items()) {
    if (key == "ok") continue;
    if (is_table(value)) {
      text += list_text(value);
    } else if (value.is_object()) {
      text += key + ":\n";
      for (const auto& [inner, one] : value.items()) {
        text += "  " + inner + ": " + (is_table(one) ? "\n" + list_text(one) : plain(one) + "\n");
      }
    } else {
      text += key + ": " + plain(value) + "\n";
    }
  }
  return text;
}

std::string status_text(const Json& answer) {
  Rows rows = {{"color", "state", "weight", "health", "queued", "http", "longpoll", "websocket"}};
  for (const auto& [name, color] : answer.at("colors").items()) {
    const Json& flight = color.at("in_flight");
    std::vector<std::string> row = {name, plain(color.at("state")), plain(color.at("weight")),
                                    plain(color.at("health"))};
    for (const char* kind : {"queued", "http", "longpoll", "websocket"}) {
      row.push_back(plain(flight.value(kind, Json(0))));
    }
    rows.push_back(std::move(row));
  }
  std::string text = table_text(rows);
  text += "epoch " + plain(answer.at("epoch")) + ", table " + plain(answer.at("table_version")) +
          " (applied " + plain(answer.at("applied_version")) + "), up " +
          plain(answer.at("uptime_s")) + " s, listening on";
  for (const Json& address : answer.at("listen")) text += " " + plain(address);
  text += "\n";
  if (answer.at("hold").at("on").get<bool>()) text += "hold is on\n";
  for (const Json& reason : answer.at("degraded")) text += "degraded: " + plain(reason) + "\n";
  return text;
}

std::string drain_text(const Json& answer) {
  const std::string color = plain(answer.at("color"));
  if (answer.at("empty").get<bool>()) return color + " is empty and out of service\n";
  std::string text = color + " is " + plain(answer.at("state")) + " and not empty\n";
  if (answer.contains("left")) text += list_text(answer.at("left"));
  return text;
}

Rendered render_error(const Json& error) {
  Rendered rendered;
  const std::string code = error.value("code", "");
  rendered.code = code_of(code);
  rendered.err = "shifter: " + code + ": " + error.value("message", "");
  if (error.contains("field")) rendered.err += " (" + plain(error.at("field")) + ")";
  rendered.err += "\n";
  return rendered;
}

Rendered render_json(std::string_view verb, const Json& answer) {
  if (!answer.at("ok").get<bool>()) return render_error(answer.at("error"));
  Rendered rendered;
  if (verb == "status") {
    rendered.out = status_text(answer);
    if (!answer.at("degraded").empty()) rendered.code = kNotReached;
  } else if (verb == "drain" || verb == "maint") {
    rendered.out = drain_text(answer);
    if (verb == "drain" && !answer.at("empty").get<bool>()) rendered.code = kNotReached;
  } else {
    rendered.out = object_text(answer);
  }
  if (!answer.value("saved", true)) {
    rendered.err = "shifter: it acts, but is not on disk yet (state_unwritable)\n";
  }
  for (const Json& warning : answer.value("warnings", Json::array())) {
    rendered.err += "shifter: warning: " + plain(warning) + "\n";
  }
  return rendered;
}

}  // namespace

Rendered render(std::string_view verb, std::string_view answer) {
  try {
    return render_json(verb, Json::parse(answer));
  } catch (const std::exception& error) {
    return {
        kUnreachable, {}, std::string("shifter: an answer that is none: ") + error.what() + "\n"};
  }
}

}  // namespace cli
