#include "shifter/cli/doctor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace cli {
namespace {

class DoctorFolder {
 public:
  DoctorFolder() {
    char name[] = "/tmp/doctor_XXXXXX";
    path_ = mkdtemp(name);
  }
  ~DoctorFolder() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(path_ + "/" + name) << text;
    return path_ + "/" + name;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string told(const Diagnosis& diagnosis) {
  std::string text;
  for (const Finding& one : diagnosis.findings) {
    text += one.check + "|" + one.place + "|" + one.found + "|" + one.advice + "\n";
  }
  return text;
}

std::string compose_findings(const std::string& text) {
  const DoctorFolder folder;
  Diagnosis diagnosis;
  check_compose(folder.file("compose.yml", text), {"blue", "green"}, diagnosis);
  EXPECT_TRUE(diagnosis.not_checked.empty());
  return told(diagnosis);
}

std::string color(const std::string& name, const std::string& more = "") {
  return "  odoo_" + name +
         ":\n    command: [odoo, --proxy-mode]\n    stop_grace_period: 2m10s\n"
         "    volumes: [\"odoo_data:/var/lib/odoo\"]\n" +
         more;
}

TEST(Doctor, FindsNothingInAComposeFileThatIsRight) {
  EXPECT_EQ(compose_findings("services:\n" + color("blue") + color("green") +
                             "  sidecar:\n    labels: [\"traefik.http.routers.odoo.rule=x\"]\n"),
            "");
}

// R49
TEST(Doctor, WarnsWhenAStopIsShorterThanTheLongestRequest) {
  const std::string text =
      "services:\n  odoo_blue:\n    command: odoo --proxy-mode\n"
      "    volumes: [\"d:/var/lib/odoo\"]\n  odoo_green:\n    command: odoo --proxy-mode\n"
      "    stop_grace_period: 90s\n    volumes: [\"d:/var/lib/odoo\"]\n";
  const std::string found = compose_findings(text);
  EXPECT_NE(found.find("compose.yml:2|odoo_blue is killed 10s after it is asked to stop (the "
                       "default), the longest request may take 130s|stop_grace_period: 130s"),
            std::string::npos)
      << found;
  EXPECT_NE(found.find("compose.yml:7|odoo_green is killed 90s after"), std::string::npos) << found;
}

// The compose file of the first design.
TEST(Doctor, FindsWhatIsWrongWithTheFirstDesignsComposeFile) {
  const std::string found = compose_findings(
      "services:\n"
      "  odoo_blue:\n    env_file: .env\n    environment:\n      - WORKERS=${WORKERS_BLUE}\n"
      "    labels:\n      - \"traefik.http.routers.odoo.rule=Host(`h`)\"\n"
      "  odoo_green:\n    env_file: .env\n    environment:\n      - WORKERS=${WORKERS_GREEN}\n"
      "  traefik:\n    labels:\n      - \"traefik.http.routers.odoo.service=odoo-weighted\"\n");
  for (const char* check :
       {"stop_grace|", "proxy_mode|", "one_router|", "shared_data|", "shared_env|"}) {
    EXPECT_NE(found.find(check), std::string::npos) << check << "\n" << found;
  }
  EXPECT_NE(found.find("odoo_blue carries a router"), std::string::npos);
  EXPECT_NE(found.find("2 services carry routers"), std::string::npos);
}

TEST(Doctor, WantsOneServiceForEachColor) {
  EXPECT_NE(
      compose_findings("services:\n" + color("blue")).find("0 services are called after green"),
      std::string::npos);
  EXPECT_NE(compose_findings("services:\n" + color("blue") + color("green") + "  cron_green: {}\n")
                .find("2 services are called after green"),
            std::string::npos);
}

// What people write once and use for both colors.
TEST(Doctor, FollowsAnchorsAndMergedKeysOfAComposeFile) {
  const std::string text =
      "x-odoo: &odoo\n  command: [odoo, --proxy-mode]\n  stop_grace_period: 2m10s\n"
      "  volumes: [\"odoo_data:/var/lib/odoo\"]\n"
      "services:\n  odoo_blue:\n    <<: *odoo\n    environment: { COLOR: blue }\n"
      "  odoo_green:\n    <<: [*odoo]\n    stop_grace_period: 10s\n"
      "  sidecar:\n    labels: [\"traefik.http.routers.odoo.rule=x\"]\n";
  const std::string found = compose_findings(text);
  EXPECT_NE(found.find("compose.yml:11|odoo_green is killed 10s after it is asked to stop, the "
                       "longest request may take 130s|"),
            std::string::npos)
      << found;
  EXPECT_EQ(std::count(found.begin(), found.end(), '\n'), 1) << "all else is merged: " << found;
}

// A policy is ours, and short: there they are refused, with the line.
TEST(Doctor, RefusesAnchorsAndAliasesInAPolicy) {
  const DoctorFolder folder;
  Diagnosis diagnosis;
  check_policy(folder.file("p.yml", "min_workers: &few 2\nmax_workers: *few\n"), diagnosis);
  const std::string found = told(diagnosis);
  EXPECT_NE(found.find("p.yml:1|anchors are not allowed"), std::string::npos) << found;
  EXPECT_NE(found.find("p.yml:2|aliases are not allowed"), std::string::npos) << found;
}

TEST(Doctor, SaysWhatItCouldNotRead) {
  const DoctorFolder folder;
  Diagnosis diagnosis;
  check_compose(folder.file("c.yml", "a: !reset []\n"), {"blue"}, diagnosis);
  check_compose(folder.path() + "/none.yml", {"blue"}, diagnosis);
  EXPECT_TRUE(diagnosis.findings.empty());
  ASSERT_EQ(diagnosis.not_checked.size(), 2u);
  EXPECT_FALSE(diagnosis.not_checked[0].found.empty());
}

// R83
TEST(Doctor, WantsThresholdsAtTheEdgesOfTheBuckets) {
  const DoctorFolder folder;
  Diagnosis right;
  check_policy(folder.file("p.yml", "scale_up: { p95_latency_s: 1.2 }\n"), right);
  EXPECT_EQ(told(right), "");
  Diagnosis wrong;
  check_policy(folder.file("p.yml", "scale_up: { p95_latency_s: 1.25 }\n"), wrong);
  EXPECT_NE(told(wrong).find("the nearest are 1.2 s and 2.5 s"), std::string::npos) << told(wrong);
}

// R75
TEST(Doctor, ComparesWhatTheFileSaysWithWhatRuns) {
  Diagnosis diagnosis;
  check_agent(R"({"ok":true,"agent":{"connected":true,"figures":{"workers":{"blue":4,"green":8},)"
              R"("env_workers":{"blue":8,"green":8}}},"actions":[]})",
              diagnosis);
  ASSERT_EQ(diagnosis.findings.size(), 1u);
  EXPECT_EQ(diagnosis.findings[0].place, "blue");
  EXPECT_EQ(diagnosis.findings[0].found, "env 8, observed 4");
}

TEST(Doctor, MissesAnAgent) {
  Diagnosis diagnosis;
  check_agent(R"({"ok":true,"agent":{"connected":false},"actions":[]})", diagnosis);
  ASSERT_EQ(diagnosis.findings.size(), 1u);
  EXPECT_NE(diagnosis.findings[0].found.find("no agent is connected"), std::string::npos);
  Diagnosis old;
  check_agent("nonsense", old);
  EXPECT_TRUE(old.findings.empty());
  EXPECT_EQ(old.not_checked.size(), 1u);
}

TEST(Doctor, TellsWhatTheDaemonSaysOfItself) {
  Diagnosis diagnosis;
  check_status(R"!({"ok":true,"degraded":["blue has weight and is down"],"scaler":{"decision":)!"
               R"!("hold(down_threshold_unreachable)","detail":"blue: p95 0.9 s"}})!",
               diagnosis);
  EXPECT_NE(told(diagnosis).find("blue has weight and is down"), std::string::npos);
  EXPECT_NE(told(diagnosis).find("rule: little"), std::string::npos);  // R55
  Diagnosis broken;
  check_status("[]", broken);
  EXPECT_EQ(broken.findings.size(), 1u);
}

TEST(Doctor, LooksAtTheDisk) {
  const DoctorFolder folder;
  Diagnosis diagnosis;
  check_disk("disk", folder.path(), 1, diagnosis);
  EXPECT_EQ(told(diagnosis), "");
  check_disk("disk", folder.path(), INT64_MAX, diagnosis);
  check_disk("disk", folder.path() + "/none", 1, diagnosis);
  EXPECT_EQ(diagnosis.findings.size(), 2u);
}

TEST(Doctor, ReadsWhatOtherChecksNeedFromTheConfig) {
  const DoctorFolder folder;
  Diagnosis diagnosis;
  const DoctorFacts facts = read_doctor_facts(
      folder.file("s.yaml",
                  "scaling: { policy: /etc/p.yml }\nspool: { dir: /s, min_free: 2GiB }\n"
                  "state: { file: /v/s.json }\ncolors: { red: {}, black: {} }\n"),
      diagnosis);
  EXPECT_EQ(facts.policy, "/etc/p.yml");
  EXPECT_EQ(facts.spool, "/s");
  EXPECT_EQ(facts.spool_free_min, int64_t{2} << 30);
  EXPECT_EQ(facts.state_file, "/v/s.json");
  EXPECT_EQ(facts.colors, (std::vector<std::string>{"red", "black"}));
}

TEST(Doctor, PrintsWhatToDoAndHidesControlCharacters) {
  Diagnosis diagnosis;
  diagnosis.checked = {"agent"};
  diagnosis.findings.push_back({"agent", "a\x1b[1m", "gone", "start it"});
  EXPECT_EQ(doctor_text(diagnosis), "agent: a?[1m: gone\n    do: start it\nchecked: agent\n");
  EXPECT_NE(doctor_json(diagnosis).find("\"healthy\":false"), std::string::npos);
}

}  // namespace
}  // namespace cli
