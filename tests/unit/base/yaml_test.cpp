#include "proxy/base/yaml.h"

#include <gtest/gtest.h>

#include <random>

#include "proxy/base/yaml_tree.h"
#include "tests/unit/base/temp_folder.h"

namespace base {
namespace {

// Reads `text` with `reader` and gives back the faults as people see them.
std::vector<std::string> faults_of(std::string_view text,
                                   const std::function<void(Section&)>& reader) {
  YamlFile file = YamlFile::from_text("a.yaml", text);
  {
    Section top = file.top();
    reader(top);
  }
  std::vector<std::string> faults;
  for (const ConfigFault& fault : file.faults()) faults.push_back(fault.text());
  return faults;
}

using Faults = std::vector<std::string>;

TEST(Yaml, ReadsEveryKindOfValue) {
  bool on = false;
  bool off = true;
  std::string text, number_as_text, quoted;
  int64_t count = 0;
  int small = 0;
  Millis time{0};
  int64_t size = 0;
  std::vector<std::string> list, single;
  std::string word;
  const auto faults = faults_of(R"(
on: on
off: off
text: hello world
mode: 0660
quoted: "a: b"
count: -5000000000
small: 7
time: 15m
size: 64MiB
list: [a, "b"]
single: a
word: keep
)",
                                [&](Section& top) {
                                  top.read("on", on);
                                  top.read("off", off);
                                  top.read("text", text);
                                  top.read("mode", number_as_text);
                                  top.read("quoted", quoted);
                                  top.read("count", count, INT64_MIN, INT64_MAX);
                                  top.read("small", small, 0, 10);
                                  top.read("time", time, Millis(0), Millis(INT64_MAX));
                                  top.read_size("size", size, 0, INT64_MAX);
                                  top.read("list", list);
                                  top.read("single", single);
                                  top.read_word("word", word, {"keep", "promote"});
                                });
  EXPECT_EQ(faults, Faults{});
  EXPECT_TRUE(on);
  EXPECT_FALSE(off);
  EXPECT_EQ(text, "hello world");
  EXPECT_EQ(number_as_text, "0660");
  EXPECT_EQ(quoted, "a: b");
  EXPECT_EQ(count, -5'000'000'000);
  EXPECT_EQ(small, 7);
  EXPECT_EQ(time, Millis(900'000));
  EXPECT_EQ(size, 64 << 20);
  EXPECT_EQ(list, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(single, std::vector<std::string>{"a"});
  EXPECT_EQ(word, "keep");
}

TEST(Yaml, LeavesDefaultsWhereKeysAreAbsent) {
  int count = 5;
  std::vector<std::string> list{"default"};
  const auto faults = faults_of("", [&](Section& top) {
    top.read("count", count, 0, 9);
    top.read("list", list);
    Section inner = top.section("inner");
    inner.read("count", count, 0, 9);
    EXPECT_FALSE(inner.has("count"));
    EXPECT_TRUE(top.sections("routes").empty());
  });
  EXPECT_EQ(faults, Faults{});
  EXPECT_EQ(count, 5);
  EXPECT_EQ(list, std::vector<std::string>{"default"});
}

TEST(Yaml, NamesEveryFaultInOneRunInTheOrderOfLines) {
  const auto faults = faults_of(R"(colors:
  blue: { wieght: 10 }
  green:
    weight: 101
listn: here
queue: [1, 2]
length: many
)",
                                [](Section& top) {
                                  std::string text;
                                  int number = 0;
                                  top.read("listen", text);
                                  top.read("length", number, 1, 100);
                                  top.section("queue");
                                  Section colors = top.section("colors");
                                  for (const std::string& name : colors.keys()) {
                                    colors.section(name).read("weight", number, 0, 100);
                                  }
                                });
  EXPECT_EQ(faults, (Faults{
                        "a.yaml:2: colors.blue.wieght: unknown key; did you mean weight?",
                        "a.yaml:4: colors.green.weight: must be a whole number from 0 to 100",
                        "a.yaml:5: listn: unknown key; did you mean listen?",
                        "a.yaml:6: queue: must be a section with keys",
                        "a.yaml:7: length: must be a whole number from 1 to 100",
                    }));
}

TEST(Yaml, OffersNoNameThatIsTooFar) {
  EXPECT_EQ(faults_of("zzz: 1", [](Section& top) { top.has("listen"); }),
            Faults{"a.yaml:1: zzz: unknown key"});
}

TEST(Yaml, TwoReadersMayShareASection) {
  const auto faults =
      faults_of("shared: { a: 1, b: 2, c: 3 }\nlist: [{ a: 1, b: 2 }]", [](Section& top) {
        int number = 0;
        top.section("shared").read("a", number, 0, 9);
        top.section("shared").read("b", number, 0, 9);
        top.sections("list").at(0).read("a", number, 0, 9);
        top.sections("list").at(0).read("b", number, 0, 9);
      });
  EXPECT_EQ(faults, Faults{"a.yaml:1: shared.c: unknown key; did you mean a?"});
}

TEST(Yaml, ReadsAListOfSections) {
  std::vector<std::string> names;
  const auto faults = faults_of(
      "routes:\n  - { name: a }\n  - name: b\n    nam: c\n  - just text\n", [&](Section& top) {
        for (Section& route : top.sections("routes")) {
          std::string name;
          route.read("name", name);
          names.push_back(route.path() + "=" + name);
        }
      });
  EXPECT_EQ(names, (std::vector<std::string>{"routes[0]=a", "routes[1]=b"}));
  EXPECT_EQ(faults, (Faults{"a.yaml:4: routes[1].nam: unknown key; did you mean name?",
                            "a.yaml:5: routes[2]: must be a section with keys"}));
}

struct WrongValue {
  const char* text;
  std::function<void(Section&)> reader;
};

TEST(Yaml, RefusesValuesOfTheWrongKindAndKeepsTheDefault) {
  bool flag = true;
  std::string text = "default";
  int number = 5;
  Millis time{5};
  int64_t size = 5;
  std::vector<std::string> list{"default"};
  const auto read_flag = [&](Section& top) { top.read("k", flag); };
  const auto read_text = [&](Section& top) { top.read("k", text); };
  const auto read_number = [&](Section& top) { top.read("k", number, 0, 10); };
  const auto read_time = [&](Section& top) { top.read("k", time, Millis(1), Millis(10'000)); };
  const auto read_size = [&](Section& top) { top.read_size("k", size, 1, 1 << 20); };
  const auto read_list = [&](Section& top) { top.read("k", list); };
  const auto read_word = [&](Section& top) { top.read_word("k", text, {"a", "b"}); };
  const WrongValue cases[] = {
      {"k: maybe", read_flag},
      {"k: 1", read_flag},
      {"k:", read_flag},
      {"k: [on]", read_flag},
      {"k: [a]", read_text},
      {"k: { a: b }", read_text},
      {"k:", read_text},
      {"k: ~", read_text},
      {"k: 11", read_number},
      {"k: -1", read_number},
      {"k: 5.0", read_number},
      {"k: 5x", read_number},
      {"k: 0x5", read_number},
      {"k: five", read_number},
      {"k: 99999999999999999999", read_number},
      {"k: ''", read_number},
      {"k: 0", read_time},
      {"k: 11s", read_time},
      {"k: 1w", read_time},
      {"k: -1s", read_time},
      {"k: 1.5s", read_time},
      {"k: s", read_time},
      {"k: 5 s", read_time},
      {"k: 9223372036854775807d", read_time},
      {"k: 64KB", read_size},
      {"k: 2MiB", read_size},
      {"k: 0", read_size},
      {"k: KiB", read_size},
      {"k: [[a]]", read_list},
      {"k: [~]", read_list},
      {"k: { a: b }", read_list},
      {"k: c", read_word},
      {"k: A", read_word},
  };
  for (const WrongValue& row : cases) {
    const auto faults = faults_of(row.text, row.reader);
    ASSERT_EQ(faults.size(), 1u) << row.text;
    EXPECT_TRUE(faults[0].starts_with("a.yaml:1: k: ")) << faults[0];
  }
  EXPECT_TRUE(flag);
  EXPECT_EQ(text, "default");
  EXPECT_EQ(number, 5);
  EXPECT_EQ(time, Millis(5));
  EXPECT_EQ(size, 5);
  EXPECT_EQ(list, std::vector<std::string>{"default"});
}

TEST(Yaml, SaysWhichTimesAndWordsItTakes) {
  Millis time{};
  std::string word;
  const auto faults = faults_of("time: 2h\nword: c", [&](Section& top) {
    top.read("time", time, Millis(200), Millis(3'600'000));
    top.read_word("word", word, {"a", "b"});
  });
  ASSERT_EQ(faults.size(), 2u);
  EXPECT_NE(faults[0].find("from 200ms to 1h"), std::string::npos) << faults[0];
  EXPECT_NE(faults[1].find("a, b"), std::string::npos) << faults[1];
}

TEST(Yaml, AKeyThatStandsTwiceIsAFault) {
  int number = 0;
  EXPECT_EQ(faults_of("a: 1\nb: 2\na: 3",
                      [&](Section& top) {
                        top.read("a", number, 0, 9);
                        int other = 0;
                        top.read("b", other, 0, 9);
                      }),
            Faults{"a.yaml:3: a: stands twice"});
}

TEST(Yaml, TakesFaultsOfItsReaders) {
  EXPECT_EQ(
      faults_of("a: { b: 1 }",
                [](Section& top) {
                  int number = 0;
                  Section a = top.section("a");
                  a.read("b", number, 0, 9);
                  a.fault("b", "collides");
                  a.fault("c", "is missing");
                  a.fault("", "as a whole");
                }),
      (Faults{"a.yaml:1: a.b: collides", "a.yaml:1: a.c: is missing", "a.yaml:1: a: as a whole"}));
}

TEST(Yaml, WhatIsNotYamlIsOneFaultWithItsLine) {
  for (const char* text : {"a: 1\nb: [1, 2", "a: 1\nb: {", "a: 1\n\tb: 1", "a: 1\nb: \"x",
                           "a: 1\n- b", "a: 1\nb: *nobody"}) {
    const auto faults = faults_of(text, [](Section&) {});
    ASSERT_EQ(faults.size(), 1u) << text;
    EXPECT_TRUE(faults[0].starts_with("a.yaml:")) << faults[0];
  }
}

TEST(Yaml, RefusesWhatIsNotKeysWithValues) {
  EXPECT_EQ(faults_of("- a", [](Section&) {}).size(), 1u);
  EXPECT_EQ(faults_of("just text", [](Section&) {}).size(), 1u);
  EXPECT_EQ(faults_of("# only a comment\n", [](Section&) {}), Faults{});
}

TEST(Yaml, RefusesAnchorsAliasesTagsAndSecondDocuments) {
  const auto read = [](Section& top) {
    std::string text;
    top.read("a", text);
    top.read("b", text);
  };
  EXPECT_FALSE(faults_of("a: &x 1\nb: *x", read).empty());
  EXPECT_FALSE(faults_of("a: !!int 1", read).empty());
  EXPECT_FALSE(faults_of("a: 1\n---\nb: 2", read).empty());
  EXPECT_EQ(faults_of("---\na: 1\n...\n", read), Faults{});
}

std::string flat(const YamlNode& node) {
  std::string text = node.scalar;
  for (const YamlNode& item : node.items) text += "[" + flat(item) + "]";
  for (const YamlEntry& entry : node.entries) {
    text += "{" + entry.first.scalar + ":" + flat(entry.second) + "}";
  }
  return text;
}

std::string followed(const std::string& text) {
  std::vector<ConfigFault> faults;
  const YamlNode root = read_yaml_tree("c.yml", text, faults, YamlAliases::followed);
  return faults.empty() ? flat(root) : faults[0].text();
}

TEST(Yaml, FollowsAliasesAndMergedKeysWhereAsked) {
  EXPECT_EQ(followed("a: &x 1\nb: *x\n"), "{a:1}{b:1}");
  EXPECT_EQ(followed("a: &x [1, &y {k: 2}]\nb: *x\nc: *y\n"),
            "{a:[1][{k:2}]}{b:[1][{k:2}]}{c:{k:2}}");
  EXPECT_EQ(followed("a: &x {k: 1, l: 2}\nb: {<<: *x, l: 3, m: 4}\n"),
            "{a:{k:1}{l:2}}{b:{l:3}{m:4}{k:1}}");
  EXPECT_EQ(followed("a: &x {k: 1}\nb: &y {k: 2, l: 2}\nc: {<<: [*x, *y]}\n"),
            "{a:{k:1}}{b:{k:2}{l:2}}{c:{k:1}{l:2}}");
  EXPECT_EQ(followed("a: &x {<<: &z {n: 1}}\nb: {<<: *x}\n"), "{a:{n:1}}{b:{n:1}}");
  EXPECT_EQ(followed("a: &x [*x]\n"), "c.yml:1: an alias inside of what it stands for");
  EXPECT_EQ(followed("a: *none\n").rfind("c.yml:1: not YAML: ", 0), 0u);
  EXPECT_EQ(followed("a: !tag 1\n"), "c.yml:1: tags are not allowed");
}

TEST(Yaml, ABombOfAliasesThatAreFollowedIsRefusedToo) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int j = 0; j < 9; ++j) bomb += ", " + before;
    bomb += "]\n";
  }
  EXPECT_EQ(followed(bomb), "c.yml:4: too much is made of aliases");
}

TEST(Yaml, ABombOfAliasesIsRefusedQuickly) {
  std::string text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 30; ++i) {
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) text += (j > 0 ? ",*a" : "*a") + std::to_string(i - 1);
    text += "]\n";
  }
  EXPECT_FALSE(faults_of(text, [](Section&) {}).empty());
}

TEST(Yaml, RefusesDeepNestingAndLargeFiles) {
  for (const size_t depth : {size_t{30}, size_t{100'000}}) {
    const auto faults = faults_of("a: " + std::string(depth, '['), [](Section&) {});
    EXPECT_FALSE(faults.empty());
    const auto closed = faults_of("a: " + std::string(depth, '[') + std::string(depth, ']'),
                                  [](Section& top) { top.has("a"); });
    EXPECT_FALSE(closed.empty());
  }
  EXPECT_EQ(faults_of("a: " + std::string(1 << 20, 'x'), [](Section&) {}),
            Faults{"a.yaml: larger than 1 MiB"});
}

TEST(Yaml, RefusesTextThatIsNotUtf8) {
  std::string text;
  for (const std::string_view bad : {std::string_view("a: x\xff"), std::string_view("a: \xc3("),
                                     std::string_view("a: x\0y", 6)}) {
    const auto faults = faults_of(bad, [&](Section& top) { top.read("a", text); });
    EXPECT_EQ(faults.size(), 1u);
  }
  EXPECT_EQ(faults_of("a: a\xc3\xb1o", [&](Section& top) { top.read("a", text); }), Faults{});
  EXPECT_EQ(text, "a\xc3\xb1o");
}

TEST(Yaml, SurvivesDamagedFiles) {
  const std::string good = "a: { b: [1, 2, \"x\"], c: on }\nroutes:\n  - { name: x, prefix: / }\n";
  for (unsigned seed = 1; seed <= 2000; ++seed) {
    std::mt19937 random(seed);
    std::string text = good;
    for (int i = 0; i < 3; ++i) {
      const size_t at = random() % text.size();
      const char c = ":{}[]-,&*!|>'\"%@`#?\n\t \0\xff"[random() % 23];
      if (random() % 2 == 0) {
        text[at] = c;
      } else {
        text.insert(at, 1, c);
      }
    }
    SCOPED_TRACE("seed " + std::to_string(seed));
    faults_of(text, [](Section& top) {
      std::vector<std::string> list;
      top.section("a").read("b", list);
      for (Section& route : top.sections("routes")) route.read("prefix", list);
    });
  }
}

TEST(Yaml, ReadsFilesAndNamesThemInFaults) {
  const TempFolder folder;
  spill(folder / "good.yaml", "a: 1\n");
  YamlFile file = YamlFile::from_path(folder / "good.yaml");
  EXPECT_TRUE(file.top().has("a"));
  const auto missing = YamlFile::from_path(folder / "none.yaml").faults();
  ASSERT_EQ(missing.size(), 1u);
  EXPECT_EQ(missing[0].line, 0);
  EXPECT_TRUE(missing[0].text().starts_with(folder / "none.yaml: "));
}

TEST(NearestWord, FindsWhatWasMeant) {
  const std::vector<std::string> words{"weight", "listen", "timeout", "max"};
  EXPECT_EQ(nearest_word("wieght", words), "weight");
  EXPECT_EQ(nearest_word("weigt", words), "weight");
  EXPECT_EQ(nearest_word("time_out", words), "timeout");
  EXPECT_EQ(nearest_word("mx", words), "max");
  EXPECT_EQ(nearest_word("xyz", words), std::nullopt);
  EXPECT_EQ(nearest_word("anything", {}), std::nullopt);
}

TEST(Duration, IsReadAndPrinted) {
  EXPECT_EQ(parse_duration("200ms"), Millis(200));
  EXPECT_EQ(parse_duration("2s"), Millis(2'000));
  EXPECT_EQ(parse_duration("15m"), Millis(900'000));
  EXPECT_EQ(parse_duration("2h"), Millis(7'200'000));
  EXPECT_EQ(parse_duration("1d"), Millis(86'400'000));
  EXPECT_EQ(parse_duration("0"), Millis(0));
  EXPECT_EQ(parse_duration("30"), Millis(30'000));
  for (const char* text : {"", "s", "-1", "1.5s", "1 s", "1S", "1h30m", "+1s", "0x1s"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
  for (const char* text : {"0s", "1ms", "1500ms", "2s", "90m", "1d"}) {
    EXPECT_EQ(duration_text(*parse_duration(text)), text);
  }
  EXPECT_EQ(duration_text(Millis(60'000)), "1m");
}

}  // namespace
}  // namespace base
