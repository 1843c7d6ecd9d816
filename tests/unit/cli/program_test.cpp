#include "shifter/cli/program.h"

#include <algorithm>
#include <map>

#include "shifter/cli/rollout_view.h"
#include "shifter/cli/verbs.h"
#include "tests/unit/cli/fake_daemon.h"

namespace cli {
namespace {

using Words = std::vector<std::string>;

const std::map<std::string_view, Words> kWords = {
    {"weights", {"blue=9", "green=1"}},
    {"ready", {"green"}},
    {"maint", {"green"}},
    {"drain", {"green"}},
    {"hold", {"on"}},
    {"scale", {"auto"}},
    {"policy", {"check", "conf/policy.yml"}},
    {"events", {"follow"}},
    {"simulate", {"5,100"}},
    {"completion", {"bash"}},
};

std::string good_answer(std::string_view verb) {
  const std::string head = R"({"ok":true,"epoch":8,)";
  if (verb == "weights") return head + R"("saved":true,"weights":{"blue":9,"green":1}})";
  if (verb == "ready") return head + R"("saved":true,"color":"green","state":"ready"})";
  if (verb == "maint" || verb == "drain") {
    return head + R"("color":"green","state":"maint","empty":true,"cut":false,"saved":true})";
  }
  if (verb == "hold") return head + R"("saved":true,"hold":true,"max":200,"timeout":"15s"})";
  if (verb == "history") return head + R"("rollouts":[],"releases":[],"aa":{"ends":0}})";
  if (verb == "explain") return head + R"("rollout":{"number":8,"end":"done"},"replay":null})";
  if (verb == "simulate") return head + R"("steps":[],"runs":1})";
  if (verb == "lock" || verb == "unlock") return head + R"("lock":null})";
  if (is_rollout_verb(verb)) {
    return head + R"("saved":true,"number":8,"text":"","rollout":{"number":8,"state":"idle"}})";
  }
  if (verb == "scale") return head + R"("saved":true,"mode":"auto"})";
  if (verb == "inflight") return head + R"("count":0,"entries":[]})";
  if (verb == "connections") return head + R"("client_connections":0,"backends":{}})";
  if (verb == "routes") return head + R"("routes":[]})";
  if (verb == "config") return head + R"("config":{"listen":"127.0.0.1:1"}})";
  if (verb == "actions") return head + R"("agent":{"connected":false},"actions":[]})";
  if (verb == "audit") return head + R"("entries":[]})";
  return head + R"("saved":true,"needs_restart":[]})";
}

std::string error_answer(const std::string& code) {
  return R"({"ok":false,"error":{"code":")" + code + R"(","message":"m","field":"f"}})";
}

Words words_of(const VerbSpec& verb) {
  Words words = {std::string(verb.name)};
  if (auto more = kWords.find(verb.name); more != kWords.end()) {
    words.insert(words.end(), more->second.begin(), more->second.end());
  }
  if (verb.name == "maint" || verb.name == "drain") words.emplace_back("--confirm=green");
  return words;
}

// What the daemon says so that `verb` ends with `code`.
Act answer_for(const VerbSpec& verb, int code, const std::string& line) {
  const bool asks_first = line == "status" && verb.name != "status";
  const bool waits = verb.waits == WaitsFor::up || verb.waits == WaitsFor::maint;
  FakeStatus status;
  if (code == kNotReached && waits) {  // what is wanted, and not yet so
    status.blue.weight = 9;
    status.green.weight = 1;
    status.green.health = "down(starting)";
    if (verb.name == "maint") status.green.state = "closing";
  }
  if (code == kNotReached && verb.waits == WaitsFor::rollout) {
    status.rollout = R"j({"number":8,"state":"canary(10)"})j";
  }
  if (code == kWentBack) {  // and not as it was asked for
    const std::string end = verb.name == "rollback" ? "aborted(operator)" : "rolled_back(error)";
    status.rollout = R"({"number":8,"state":"idle","canary":"green","end":")" + end + R"("})";
  }
  if (asks_first) return {status.json() + "\n"};
  switch (code) {
    case kFailed:
      return {error_answer("busy") + "\n"};
    case kNotReached:
      if (verb.name == "status") {
        status.degraded = R"(["no color is up"])";
        return {status.json() + "\n"};
      }
      if (verb.name != "drain") return {good_answer(verb.name) + "\n"};
      return {R"({"ok":true,"epoch":8,"color":"green","state":"closing","empty":false,)"
              R"("cut":false,"saved":true,"in_flight":{},"left":[]})"
              "\n"};
    case kUnreachable:
      return {"{\"ok\":tr", /*closes=*/true};
    case kConflict:
      return {error_answer("conflict") + "\n"};
    case kRefused:
      return {error_answer("refused") + "\n"};
    case kInterrupted:
      return {{}, false, /*interrupts=*/true};
    default:
      return {(verb.name == "status" ? status.json() : good_answer(verb.name)) + "\n"};
  }
}

// R96
TEST(Shifter, EndsEachVerbWithEachCodeThatItDeclares) {
  int walked = 0;
  for (const VerbSpec& verb : verb_table()) {
    // The machine decides what the doctor finds, and the agent is a process of its own: both have
    // tests of their own.
    if (verb.name == "doctor" || verb.name == "agent") continue;
    for (int code : verb.codes) {
      FakeDaemon daemon([&](const std::string& line) { return answer_for(verb, code, line); });
      Words words = words_of(verb);
      words.push_back("--socket=" + daemon.path());
      if (code == kUsage) words.emplace_back("--nonsense");
      if (code == kNotReached && verb.name != "drain" && verb.name != "status") {
        words.emplace_back("--wait=0s");
      }
      if (code == kWentBack) words.emplace_back("--wait=0s");
      const Ran ran = run_with(words);
      EXPECT_EQ(ran.code, code) << verb.name << "\n" << ran.out << ran.err;
      const bool silent = code == kDone || code == kInterrupted;
      EXPECT_TRUE(silent ? ran.err.empty() : !(ran.err + ran.out).empty())
          << verb.name << " " << code << ": " << ran.err;
      ++walked;
    }
  }
  EXPECT_GT(walked, 90);
}

TEST(Shifter, EndsNoVerbWithACodeThatItDoesNotDeclare) {
  for (const VerbSpec& verb : verb_table()) {
    if (verb.where == Where::here) continue;
    for (const char* error : {"usage", "conflict", "refused", "forbidden", "state_unwritable",
                              "bad_config", "busy", "shutting_down", "not_found", "unheard_of"}) {
      if (verb.where != Where::change && error == std::string("conflict")) continue;
      FakeDaemon daemon([&](const std::string&) { return Act{error_answer(error) + "\n"}; });
      Words words = words_of(verb);
      words.push_back("--socket=" + daemon.path());
      const int code = run_with(words).code;
      EXPECT_NE(std::find(verb.codes.begin(), verb.codes.end(), code), verb.codes.end())
          << verb.name << " does not declare " << code << " (" << error << ")";
    }
  }
}

TEST(Shifter, SaysUnreachableWhenNobodyListens) {
  for (const VerbSpec& verb : verb_table()) {
    if (verb.where == Where::here) continue;
    Words words = words_of(verb);
    words.push_back("--socket=/nonexistent/admin.sock");
    EXPECT_EQ(run_with(words).code, kUnreachable) << verb.name;
  }
}

struct Asked {
  Ran ran;
  Words lines;  // what the daemon was told
};
Asked ask(const Words& given, const FakeStatus& status, const char* typed = nullptr) {
  FakeDaemon daemon([&](const std::string& line) {
    return Act{(line == "status" ? status.json() : good_answer(line.substr(0, line.find(' ')))) +
               "\n"};
  });
  Words words = given;
  words.push_back("--socket=" + daemon.path());
  Asked asked{run_with(words, typed), {}};
  asked.lines = daemon.lines();
  return asked;
}

// R99
TEST(Shifter, DoesADangerousThingOnlyWhenTheColorIsNamed) {
  const FakeStatus status;
  const Words drain = {"drain", "blue"};
  const auto with = [&](const std::string& option) { return Words{"drain", "blue", option}; };
  Asked asked = ask(drain, status);  // no person
  EXPECT_EQ(asked.ran.code, kUsage);
  EXPECT_EQ(asked.lines, Words{"status"}) << "nothing may be done";
  EXPECT_NE(asked.ran.err.find("--confirm=blue"), std::string::npos) << asked.ran.err;
  EXPECT_EQ(ask(with("--confirm=green"), status).ran.code, kUsage);
  EXPECT_EQ(ask(with("--no-input"), status, "blue\n").ran.code, kUsage);
  EXPECT_EQ(ask(drain, status, "green\n").ran.code, kUsage);
  EXPECT_EQ(ask(drain, status, "").ran.code, kInterrupted);
  asked = ask(drain, status, "blue\n");
  EXPECT_EQ(asked.ran.code, kDone);
  EXPECT_EQ(asked.lines, (Words{"status", "drain blue if-epoch=7"})) << "what was seen is meant";
  EXPECT_EQ(ask(with("--confirm=blue"), status).ran.code, kDone);
}

TEST(Shifter, KeepsTheEpochThatTheOperatorGave) {
  const Asked asked = ask({"maint", "blue", "--confirm=blue", "--if-epoch=5"}, {});
  EXPECT_EQ(asked.lines.back(), "maint blue if-epoch=5");
}

// R99
TEST(Shifter, ShowsWhatWouldChangeAndChangesNothing) {
  const Asked asked = ask({"weights", "blue=1", "green=3", "--dry-run"}, {});
  EXPECT_EQ(asked.ran.code, kDone);
  EXPECT_EQ(asked.lines, Words{"status"});
  EXPECT_EQ(asked.ran.out,
            "what             now                     would be\n"
            "weight of blue   90 (90 % of new users)  1 (25 % of new users)\n"
            "weight of green  10 (10 % of new users)  3 (75 % of new users)\n"
            "nothing was changed (epoch 7)\n");
  EXPECT_EQ(ask({"weights", "blue=1", "--dry-run"}, {}).ran.code, kUsage);
  EXPECT_EQ(ask({"ready", "blue", "--dry-run", "--if-epoch=6"}, {}).ran.code, kConflict);
  FakeStatus alone;
  alone.green.state = "maint";
  EXPECT_EQ(ask({"drain", "blue", "--dry-run"}, alone).ran.code, kRefused);
}

// R100: the daemon is newer than this program.
TEST(Shifter, LooksAtANewerDaemonButDoesNotChangeIt) {
  FakeStatus newer;
  newer.schema = 2;
  EXPECT_EQ(ask({"status"}, newer).ran.code, kDone);
  const Asked asked = ask({"ready", "blue"}, newer);
  EXPECT_EQ(asked.ran.code, kRefused);
  EXPECT_EQ(asked.lines, Words{"status"});
  EXPECT_NE(asked.ran.err.find("schema 2"), std::string::npos) << asked.ran.err;
  EXPECT_NE(asked.ran.err.find("this program 1"), std::string::npos) << asked.ran.err;
}

// Another process takes over (docs/design.md, "Upgrade"): the command is asked again there, and a
// drain that was begun is only waited for.
TEST(Shifter, GoesToTheProcessThatTakesOver) {
  int moves = 2;
  FakeDaemon daemon([&](const std::string& line) {
    if (line == "status") return Act{FakeStatus().json() + "\n"};
    if (moves-- > 0) {
      const std::string field = moves == 0 ? R"(,"field":"wait")" : "";
      return Act{R"({"ok":false,"error":{"code":"moved","message":"m")" + field + "}}\n", true};
    }
    return Act{good_answer("drain") + "\n"};
  });
  const Ran ran = run_with(
      {"drain", "green", "deadline=5m", "wait=9s", "--confirm=green", "--socket=" + daemon.path()});
  EXPECT_EQ(ran.code, kDone) << ran.err;
  const std::string first = "drain green deadline=5m wait=9s if-epoch=7";
  EXPECT_EQ(daemon.lines(), (Words{"status", first, first, "drain green wait=9s"}));
}

TEST(Shifter, WaitsUntilTheColorIsUp) {
  int looks = 0;
  FakeDaemon daemon([&](const std::string& line) {
    FakeStatus status;
    if (line != "status") return Act{good_answer("ready") + "\n"};
    if (++looks < 4) status.green.health = "down(starting)";
    return Act{status.json() + "\n"};
  });
  EXPECT_EQ(run_with({"ready", "green", "--wait=20s", "--socket=" + daemon.path()}).code, kDone);
  EXPECT_EQ(looks, 4);
}

TEST(Shifter, PrintsAnswersAsTheyCameWithJson) {
  const FakeStatus status;
  EXPECT_EQ(ask({"status", "--json"}, status).ran.out, status.json() + "\n");
  EXPECT_EQ(ask({"hold", "on", "--json"}, status).ran.out, good_answer("hold") + "\n");
}

TEST(Shifter, FollowsEventsAsOneLineEach) {
  for (const Words& words : {Words{"events", "follow"}, Words{"watch"}}) {
    FakeDaemon daemon([](const std::string& line) {
      EXPECT_EQ(line, "events follow");
      return Act{R"({"time":"2026-06-30T12:00:01.123Z","event":"command","command":"hold on",)"
                 R"("uid":0,"result":"done","epoch":3})"
                 "\n"
                 R"({"time":"2026-06-30T12:00:02.123Z","event":"color_health","color":"blue",)"
                 R"j("health":"down(refused)"})j"
                 "\n",
                 /*closes=*/true};
    });
    Words given = words;
    given.push_back("--socket=" + daemon.path());
    const Ran ran = run_with(given);
    EXPECT_EQ(ran.code, kUnreachable);
    EXPECT_EQ(ran.out,
              "12:00:01 command      hold on (uid 0, done, epoch 3)\n"
              "12:00:02 color_health blue: down(refused)\n");
  }
}

// R98, and that nobody else's bytes reach the terminal.
TEST(Shifter, LetsNoControlCodeIntoAPipe) {
  FakeDaemon daemon([](const std::string&) {
    return Act{R"({"ok":true,"epoch":1,"count":1,"entries":[{"color":"blue","kind":"http",)"
               R"("route":"web","age_s":1.5,"peer":"10.0.0.1","request_id":"a\u001b[2Jb\u009bc"}]})"
               "\n"};
  });
  const Ran ran = run_with({"inflight", "--socket=" + daemon.path()});
  EXPECT_EQ(ran.code, kDone);
  EXPECT_NE(ran.out.find("a?[2Jb?c"), std::string::npos) << ran.out;
  for (char c : ran.out) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
}

TEST(Shifter, SaysWhenAChangeIsNotOnDisk) {
  FakeDaemon daemon([](const std::string& line) {
    if (line == "status") return Act{FakeStatus().json() + "\n"};
    return Act{R"({"ok":true,"epoch":2,"saved":false,"hold":false,"max":1,"timeout":"1s"})"
               "\n"};
  });
  const Ran ran = run_with({"hold", "off", "--socket=" + daemon.path()});
  EXPECT_EQ(ran.code, kDone);
  EXPECT_EQ(ran.out, "hold is off (epoch 2)\n");
  EXPECT_NE(ran.err.find("not on disk"), std::string::npos);
}

}  // namespace
}  // namespace cli
