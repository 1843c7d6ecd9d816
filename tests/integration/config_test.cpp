// `sidecar --check`: what a person is told about a configuration.
#include "tests/integration/harness/process.h"

namespace {

using namespace harness;

Finished check(const std::string& text, std::string* path = nullptr) {
  const TempFolder folder;
  write_text(folder / "sidecar.yaml", text);
  if (path != nullptr) *path = folder / "sidecar.yaml";
  return run_program({program("sidecar"), "--check", "--config", folder / "sidecar.yaml"});
}

const char kColors[] =
    "colors:\n"
    "  blue: { weight: 1, http: [\"127.0.0.1:8069\"], websocket: [\"127.0.0.1:8072\"] }\n";

// A sound file with more lines behind it.
std::string and_then(const char* more) {
  std::string text = kColors;
  text.append(more);
  return text;
}

TEST(Config, CheckPrintsEveryFaultWithFileLineAndKey) {
  std::string path;
  const Finished checked = check(and_then("workers: many\n"          // line 3
                                          "queue: { length: -5 }\n"  // line 4
                                          "health:\n"
                                          "  intervall: 2s\n"),  // line 6
                                 &path);
  EXPECT_EQ(checked.code, 2) << checked.output;
  EXPECT_NE(checked.output.find(path + ":3: workers"), std::string::npos) << checked.output;
  EXPECT_NE(checked.output.find(path + ":4: queue.length"), std::string::npos) << checked.output;
  EXPECT_NE(checked.output.find(path + ":6: health.intervall"), std::string::npos)
      << checked.output;
}

TEST(Config, AnUnknownKeyNamesTheNearestOne) {
  const Finished checked = check(and_then("afinity: { cookie: x }\n"));
  EXPECT_EQ(checked.code, 2);
  EXPECT_NE(checked.output.find("affinity"), std::string::npos) << checked.output;
}

TEST(Config, ASoundFilePassesSilentlyEnoughForAScript) {
  const Finished checked = check(kColors);
  EXPECT_EQ(checked.code, 0) << checked.output;
}

TEST(Config, AFileThatIsNotThereIsAFaultAndNotAStart) {
  const Finished checked =
      run_program({program("sidecar"), "--check", "--config", "/nowhere.yaml"});
  EXPECT_EQ(checked.code, 2) << checked.output;
  EXPECT_NE(checked.output.find("/nowhere.yaml"), std::string::npos) << checked.output;
}

TEST(Config, TheShippedFilePasses) {
  const Finished checked =
      run_program({program("sidecar"), "--check", "--config", SOURCE_FOLDER "/conf/sidecar.yaml"});
  EXPECT_EQ(checked.code, 0) << checked.output;
}

TEST(Config, AStartWithAFaultEndsWithTwoAndListensNowhere) {
  const TempFolder folder;
  write_text(folder / "sidecar.yaml", and_then("workers: many\n"));
  const Finished ended = run_program({program("sidecar"), "--config", folder / "sidecar.yaml"});
  EXPECT_EQ(ended.code, 2) << ended.output;
  EXPECT_NE(ended.output.find("workers"), std::string::npos) << ended.output;
}

}  // namespace
