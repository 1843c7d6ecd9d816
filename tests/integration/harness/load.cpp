#include "tests/integration/harness/load.h"

#include <algorithm>
#include <random>

namespace harness {

struct Load::User {
  std::map<std::string, std::string> jar;
  std::string color;
};

struct Load::Record {
  int thread = 0;
  int status = 0;  // 0: no answer
  bool whole = false;
  int user = 0;
  double ms = 0;
  std::string color, moved_from, complaint;
};

namespace {

void take_cookies(const Answer& answer, std::map<std::string, std::string>& jar) {
  for (const std::string& line : answer.all("Set-Cookie")) {
    const size_t equals = line.find('=');
    if (equals == std::string::npos) continue;
    const std::string value = line.substr(equals + 1);
    jar[line.substr(0, equals)] = value.substr(0, value.find(';'));
  }
}

std::string cookie_line(const std::map<std::string, std::string>& jar) {
  std::string line;
  for (const auto& [name, value] : jar) line += (line.empty() ? "" : "; ") + name + "=" + value;
  return line.empty() ? "" : "Cookie: " + line + "\r\n";
}

double percentile(std::vector<double>& sorted, double part) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1,
                         static_cast<size_t>(part * static_cast<double>(sorted.size())))];
}

}  // namespace

std::string color_of(const Answer& answer) { return answer.field("X-Standin-Color"); }

int64_t LoadFigures::answered(int status) const {
  const auto found = by_status.find(status);
  return found == by_status.end() ? 0 : found->second;
}

int64_t LoadFigures::errors() const {
  int64_t count = resets + cut;
  for (const auto& [status, answers] : by_status) {
    if (status >= 400) count += answers;
  }
  return count;
}

Load::Load(LoadSetup setup) : setup_(std::move(setup)) {
  for (int thread = 0; thread < setup_.threads; ++thread) {
    threads_.emplace_back([this, thread] { run(thread); });
  }
}

Load::~Load() { stop(); }

LoadFigures Load::stop() {
  ending_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  return lap();
}

LoadFigures Load::lap() {
  std::vector<Record> taken;
  {
    const std::lock_guard lock(mutex_);
    taken.swap(records_);
  }
  return summed(std::move(taken));
}

void Load::run(int thread) {
  std::mt19937_64 random(setup_.seed + static_cast<uint64_t>(thread) * 7919);
  std::vector<User> users(static_cast<size_t>(std::max(1, setup_.users / setup_.threads)));
  std::unique_ptr<RawClient> client;
  const auto start = SteadyClock::now();
  for (int64_t turn = 0; !ending_; ++turn) {
    if (setup_.rate > 0) {  // an even pace, so that a slow answer delays nobody else
      const double at = static_cast<double>(turn * setup_.threads + thread) / setup_.rate;
      const double left = at - seconds_since(start);
      if (left > 0) ::poll(nullptr, 0, static_cast<int>(left * 1000) + 1);
      if (ending_) break;
    }
    const size_t which = random() % users.size();
    User& user = users[which];
    if (static_cast<double>(random() % 1000) < setup_.fresh * 1000) user = User{};
    Record record;
    record.thread = thread;
    record.user = static_cast<int>(which) * setup_.threads + thread;
    const std::string nonce =
        setup_.nonce_prefix + std::to_string(thread) + "-" + std::to_string(turn);
    std::string request = setup_.method + " " + setup_.target + nonce +
                          " HTTP/1.1\r\nHost: erp.test\r\n" + setup_.fields +
                          (setup_.cookies ? cookie_line(user.jar) : "");
    if (!setup_.body.empty() || setup_.method == "POST") {
      request += "Content-Length: " + std::to_string(setup_.body.size()) + "\r\n";
    }
    request += "\r\n" + setup_.body;
    const auto sent_at = SteadyClock::now();
    try {
      if (!client) client = std::make_unique<RawClient>(setup_.port, Millis{60'000});
      ++sent_;
      client->send(request);
      const Answer answer = client->read_answer();
      record.status = answer.status;
      record.whole = answer.whole;
      record.color = color_of(answer);
      if (setup_.cookies) take_cookies(answer, user.jar);
      if (answer.status >= 400) record.complaint = answer.head.substr(0, answer.head.find('\r'));
      if (!record.color.empty()) {
        if (setup_.cookies && user.color != record.color) record.moved_from = user.color;
        user.color = record.color;
      }
      if (!answer.keeps_connection || !answer.whole) client.reset();
    } catch (const Failure& failure) {
      record.complaint = nonce + ": " + failure.what();
      client.reset();
    }
    record.ms = seconds_since(sent_at) * 1000;
    keep(record);
  }
}

void Load::keep(const Record& record) {
  const std::lock_guard lock(mutex_);
  records_.push_back(record);
}

LoadFigures Load::summed(std::vector<Record> records) const {
  LoadFigures figures;
  std::map<std::string, std::vector<double>> times;
  std::map<int, std::string> last_color;
  for (const Record& record : records) {
    ++figures.sent;
    if (record.status == 0) {
      ++figures.resets;
    } else {
      ++figures.by_status[record.status];
      if (!record.whole) ++figures.cut;
    }
    if (!record.moved_from.empty()) {
      ++figures.moved;
      ++figures.moved_from[record.moved_from];
    }
    if (!record.complaint.empty() && figures.complaints.size() < 10) {
      figures.complaints.push_back(record.complaint);
    }
    if (!record.color.empty()) {
      ++figures.by_color[record.color].answers;
      times[record.color].push_back(record.ms);
      last_color[record.user] = record.color;
    }
  }
  for (const auto& [user, color] : last_color) ++figures.by_color[color].users;
  for (auto& [color, each] : times) {
    std::sort(each.begin(), each.end());
    figures.by_color[color].p50_ms = percentile(each, 0.5);
    figures.by_color[color].p95_ms = percentile(each, 0.95);
  }
  return figures;
}

}  // namespace harness
