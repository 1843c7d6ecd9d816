#include "shifter/cli/render.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "shifter/cli/snapshot.h"
#include "shifter/cli/units.h"
#include "shifter/cli/verbs.h"

namespace cli {
namespace {

using Json = nlohmann::ordered_json;

std::string plain(const Json& value) {
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  return printable(value.is_string() ? value.get<std::string>() : value.dump());
}

std::string field(const Json& object, const char* key) {
  return object.contains(key) ? plain(object.at(key)) : "";
}

std::string joined(const Json& list, const char* between) {
  std::string text;
  for (const Json& one : list) text += (text.empty() ? "" : between) + plain(one);
  return text;
}

std::string epoch_text(const Json& answer) {
  return " (epoch " + plain(answer.at("epoch")) + ")\n";
}

std::string status_text(std::string_view json, const Json& answer) {
  auto seen = parse_snapshot(json);
  if (!seen) throw std::runtime_error(seen.error().detail);
  std::vector<Row> rows = {
      {"color", "state", "health", "weight", "new users", "queued", "http", "polls", "websockets"}};
  for (const ColorView& color : seen->colors) {
    const auto share = static_cast<int>(seen->share_of(color) * 100 + 0.5);
    rows.push_back({printable(color.name), color.state, printable(color.health),
                    std::to_string(color.weight), std::to_string(share) + " %",
                    std::to_string(color.queued), std::to_string(color.http),
                    std::to_string(color.longpoll), std::to_string(color.websocket)});
  }
  std::string text = table_text(rows);
  text += "epoch " + plain(answer.at("epoch")) + ", up " + seconds_text(seen->uptime_s) +
          ", listening on " + joined(answer.at("listen"), " ") + "\n";
  for (const ColorView& color : seen->colors) {
    if (!color.drain) continue;
    text += color.name + " drains: " + seconds_text(color.drain->deadline_in_s) +
            " to the deadline, or until none of its users came for " + color.drain->quiet + "\n";
  }
  if (seen->hold_on) {
    text += "hold is on: " + std::to_string(seen->held) + " wait, at most " +
            std::to_string(seen->hold_max) + " for " + seen->hold_timeout + "\n";
  }
  for (const std::string& line : rollout_lines(seen->rollout)) text += line + "\n";
  for (const std::string& reason : seen->degraded) text += "degraded: " + printable(reason) + "\n";
  return text;
}

std::string weights_text(const Json& answer) {
  std::string text = "new users:";
  for (const auto& [name, weight] : answer.at("weights").items()) {
    text += " " + printable(name) + " " + plain(weight);
  }
  return text + epoch_text(answer);
}

std::string exchanges_text(const Json& entries) {
  std::vector<Row> rows = {{"color", "kind", "route", "age", "peer", "request id"}};
  for (const Json& entry : entries) {
    const auto age_us = static_cast<int64_t>(entry.at("age_s").get<double>() * 1e6);
    rows.push_back({field(entry, "color"), field(entry, "kind"), field(entry, "route"),
                    age_us < 60'000'000 ? latency_text(age_us) : seconds_text(age_us / 1'000'000),
                    field(entry, "peer"), field(entry, "request_id")});
  }
  return rows.size() > 1 ? table_text(rows) : std::string();
}

std::string drain_text(const Json& answer) {
  const std::string color = field(answer, "color");
  if (answer.at("empty").get<bool>())
    return color + " is empty and out of service" + epoch_text(answer);
  std::string text =
      color + " is " + field(answer, "state") + " and not empty" + epoch_text(answer);
  return answer.contains("left") ? text + exchanges_text(answer.at("left")) : text;
}

std::string hold_text(const Json& answer) {
  if (!answer.at("hold").get<bool>()) return "hold is off" + epoch_text(answer);
  return "hold is on: at most " + field(answer, "max") + " requests wait for " +
         field(answer, "timeout") + epoch_text(answer);
}

std::string inflight_text(const Json& answer) {
  const std::string text = exchanges_text(answer.at("entries"));
  return text.empty() ? "nothing is in flight\n" : text;
}

std::string connections_text(const Json& answer) {
  std::vector<Row> rows = {
      {"color", "port", "address", "health", "in flight", "idle", "finished", "failed"}};
  for (const auto& [color, addresses] : answer.at("backends").items()) {
    for (const Json& one : addresses) {
      rows.push_back({printable(color), field(one, "port"), field(one, "address"),
                      field(one, "health"), field(one, "in_flight"), field(one, "idle"),
                      field(one, "finished"), field(one, "failed")});
    }
  }
  return "connections of clients: " + plain(answer.at("client_connections")) + "\n" +
         table_text(rows);
}

std::string routes_text(const Json& answer) {
  std::vector<Row> rows = {{"route", "prefixes", "port", "pin"}};
  const Json& routes = answer.at("routes");
  if (!routes.empty()) {
    for (const auto& [color, count] : routes.front().at("requests").items()) {
      rows[0].push_back("to " + printable(color));
    }
  }
  for (const Json& route : routes) {
    Row row = {field(route, "name"), joined(route.at("prefix"), " "), field(route, "port"),
               route.contains("deny") ? "(denied)" : field(route, "pin")};
    for (const auto& [color, count] : route.at("requests").items()) row.push_back(plain(count));
    rows.push_back(std::move(row));
  }
  return table_text(rows);
}

std::string config_text(const Json& answer) {
  std::vector<Row> rows = {{"key", "value"}};
  for (const auto& [key, value] : answer.at("config").items()) {
    rows.push_back({printable(key), plain(value) + " "});
  }
  return table_text(rows);
}

std::string audit_text(const Json& answer) {
  std::vector<Row> rows = {{"time", "uid", "pid", "epoch", "result", "command"}};
  for (const Json& entry : answer.at("entries")) {
    rows.push_back({field(entry, "time"), field(entry, "uid"), field(entry, "pid"),
                    field(entry, "epoch"), field(entry, "result"), field(entry, "command")});
  }
  return rows.size() > 1 ? table_text(rows) : "nothing was changed since the start\n";
}

std::string actions_text(const Json& answer) {
  const Json& agent = answer.at("agent");
  std::string text = agent.at("connected").get<bool>()
                         ? "an agent is connected (pid " + plain(agent.at("pid")) + ")\n"
                         : "no agent is connected\n";
  std::vector<Row> rows = {{"id", "kind", "color", "state", "message"}};
  for (const Json& one : answer.at("actions")) {
    rows.push_back({field(one, "id"), field(one, "kind"), field(one, "color"), field(one, "state"),
                    field(one, "message") + " "});
  }
  return rows.size() > 1 ? text + table_text(rows) : text;
}

std::string scale_text(const Json& answer) {
  const std::string mode = field(answer, "mode");
  if (mode == "auto") return "workers follow the policy" + epoch_text(answer);
  const std::string time = " for " + field(answer, "for") + epoch_text(answer);
  if (mode == "freeze") return "workers stay as they are" + time;
  return field(answer, "number") + " workers" + time;
}

std::string reload_text(const Json& answer) {
  std::string text = "the file is taken" + epoch_text(answer);
  for (const Json& key : answer.at("needs_restart")) {
    text += "waits for a restart: " + plain(key) + "\n";
  }
  return text;
}

std::string text_of(std::string_view verb, std::string_view json, const Json& answer) {
  if (is_rollout_verb(verb)) return rollout_text(verb, answer);
  if (verb == "status") return status_text(json, answer);
  if (verb == "weights") return weights_text(answer);
  if (verb == "ready") return field(answer, "color") + " is ready" + epoch_text(answer);
  if (verb == "drain" || verb == "maint") return drain_text(answer);
  if (verb == "hold") return hold_text(answer);
  if (verb == "scale") return scale_text(answer);
  if (verb == "inflight") return inflight_text(answer);
  if (verb == "connections") return connections_text(answer);
  if (verb == "routes") return routes_text(answer);
  if (verb == "config") return config_text(answer);
  if (verb == "audit") return audit_text(answer);
  if (verb == "actions") return actions_text(answer);
  return reload_text(answer);
}

Rendered render_error(const Json& error) {
  Rendered rendered;
  const std::string code = error.value("code", "");
  rendered.code = code_of(code);
  rendered.err = printable(code) + ": " + printable(error.value("message", ""));
  if (error.contains("field")) rendered.err += " (" + plain(error.at("field")) + ")";
  return rendered;
}

Rendered render_json(std::string_view verb, std::string_view json, const Json& answer) {
  if (!answer.at("ok").get<bool>()) return render_error(answer.at("error"));
  Rendered rendered;
  rendered.out = text_of(verb, json, answer);
  if (verb == "status" && !answer.at("degraded").empty()) rendered.code = kNotReached;
  if (verb == "drain" && !answer.at("empty").get<bool>()) rendered.code = kNotReached;
  if (!answer.value("saved", true)) {
    rendered.err = "it acts, but is not on disk yet (state_unwritable)";
  }
  for (const Json& warning : answer.value("warnings", Json::array())) {
    rendered.err += (rendered.err.empty() ? "warning: " : "; warning: ") + plain(warning);
  }
  return rendered;
}

}  // namespace

Rendered render(std::string_view verb, std::string_view answer) {
  try {
    return render_json(verb, answer, Json::parse(answer));
  } catch (const std::exception& error) {
    return {kUnreachable, {}, std::string("an answer that is none: ") + error.what()};
  }
}

}  // namespace cli
