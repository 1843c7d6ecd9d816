#include "shifter/cli/completion.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "shifter/cli/verbs.h"

namespace cli {
namespace {

std::string read(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Completion, NamesEveryVerbAndOption) {
  for (const std::string& text : {bash_completion(), zsh_completion()}) {
    for (const VerbSpec& verb : verb_table()) {
      EXPECT_NE(text.find(verb.name), std::string::npos) << verb.name;
    }
    for (const OptionSpec& option : option_table()) {
      EXPECT_NE(text.find(option.name), std::string::npos) << option.name;
    }
  }
}

TEST(Manual, NamesEveryVerbOptionAndCode) {
  const std::string page = manual_page();
  const std::string help = help_text();
  for (const VerbSpec& verb : verb_table()) {
    EXPECT_NE(page.find("\n.B " + std::string(verb.name)), std::string::npos) << verb.name;
    EXPECT_NE(page.find("Exit codes: " + codes_text(verb)), std::string::npos) << verb.name;
    EXPECT_NE(help.find("\n  " + std::string(verb.name)), std::string::npos) << verb.name;
  }
  for (const OptionSpec& option : option_table()) {
    EXPECT_NE(help.find("\n  " + usage_text(option)), std::string::npos) << option.name;
  }
  for (const CodeSpec& one : code_table()) {
    EXPECT_NE(page.find("\n.B " + std::to_string(one.code) + "\n"), std::string::npos);
  }
}

// What is installed is what the program makes.
TEST(Completion, AndManualAreTheFilesOfTheTree) {
  EXPECT_EQ(read("conf/completion/shifter.bash"), bash_completion()) << "shifter completion bash";
  EXPECT_EQ(read("conf/completion/_shifter"), zsh_completion()) << "shifter completion zsh";
  EXPECT_EQ(read("docs/man/shifter.1"), manual_page()) << "shifter man";
}

}  // namespace
}  // namespace cli
