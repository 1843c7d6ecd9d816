#include "f29svc/exports/exports.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "f29svc/form/form.h"

namespace f29 {
namespace {

constexpr ExportFormat kFormats[] = {ExportFormat::json, ExportFormat::campos, ExportFormat::csv,
                                     ExportFormat::xml};

std::string written(const Return& made, ExportFormat format) {
  std::ostringstream out;
  write_return(made, format, out);
  return out.str();
}

Return sample() {
  Return made;
  made.company = Rut{99999001};
  made.name = "EMPRESA UNO SPA";
  made.period = {2026, 6};
  made.state = ReturnState::computed;
  made.due = {2026, 7, 20};
  made.declaration = Declaration::normal;
  made.boxes = {{502, BoxValue::of(Pesos{19000})},
                {503, BoxValue::of(int64_t{1})},
                {510, BoxValue::of(Pesos{1900})},
                {538, BoxValue::of(Pesos{17100})},
                {115, BoxValue::of(Decimal{125, 3})},
                {743, BoxValue::of(Pesos{-118314})},
                {730, BoxValue::of(Decimal{55, 1})},
                {756, BoxValue::of(int64_t{1})},
                {915, BoxValue::of(std::string("20/07/2026"))},
                {595, BoxValue::of(Pesos{500})},
                {547, BoxValue::of(Pesos{500})},
                {91, BoxValue::of(Pesos{500})},
                {94, BoxValue::of(Pesos{500})},
                {60, BoxValue::of(Decimal{70, 0})}};
  made.iva_debito = Pesos{17100};
  return made;
}

// A return with a value in every box of the declaration.
Return full() {
  Return made = sample();
  int64_t amount = 0;
  for (const BoxInfo& box : all_boxes()) {
    if (box.identity) continue;
    ++amount;
    switch (box.kind) {
      case BoxKind::rate:
        made.boxes[box.code] = BoxValue::of(Decimal{amount, 3});
        break;
      case BoxKind::volume:
        made.boxes[box.code] = BoxValue::of(Decimal{amount, 1});
        break;
      case BoxKind::checkbox:
        made.boxes[box.code] = BoxValue::of(int64_t{1});
        break;
      case BoxKind::date:
        made.boxes[box.code] = BoxValue::of(std::string("01/02/2026"));
        break;
      case BoxKind::id:
        made.boxes[box.code] = BoxValue::of(std::string("123"));
        break;
      default:
        made.boxes[box.code] = BoxValue::of(Pesos{amount});
        break;
    }
  }
  made.iva_debito = Pesos{amount_in(made.boxes, 538)};
  made.iva_credito = Pesos{amount_in(made.boxes, 537) - amount_in(made.boxes, 504)};
  return made;
}

class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "f29xml-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  bool accepts(const std::string& xml) const {
    std::string file = path_ + "/return.xml";
    std::ofstream(file, std::ios::binary) << xml;
    std::string command =
        "xmllint --noout --schema conf/f29-return.xsd " + file + " >" + path_ + "/said 2>&1";
    int status = std::system(command.c_str());
    EXPECT_NE(status, 127 << 8) << "xmllint is not installed (libxml2-utils)";
    return status == 0;
  }
  std::string said() const {
    std::ifstream in(path_ + "/said");
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }

 private:
  std::string path_;
};

TEST(Exports, ReadingBackGivesTheSameReturn) {
  for (const Return& made : {sample(), full()}) {
    for (ExportFormat format : kFormats) {
      Findings findings;
      auto again = read_return(written(made, format), format, "x", findings);
      ASSERT_TRUE(again) << again.error().detail;
      EXPECT_TRUE(findings.list().empty()) << findings.list()[0].message;
      EXPECT_EQ(again->boxes, made.boxes) << static_cast<int>(format);
      EXPECT_EQ(again->company, made.company);
      EXPECT_EQ(again->name, made.name);
      EXPECT_EQ(again->period, made.period);
      EXPECT_EQ(again->declaration, made.declaration);
      EXPECT_EQ(again->due, made.due);
      if (format == ExportFormat::campos) continue;
      EXPECT_EQ(again->state, made.state);
      EXPECT_EQ(again->version, made.version);
    }
  }
}

TEST(Exports, TheSameReturnIsTheSameBytes) {
  for (ExportFormat format : kFormats) {
    Findings findings;
    std::string once = written(full(), format);
    EXPECT_TRUE(once == written(full(), format));
    auto again = read_return(once, format, "x", findings);
    ASSERT_TRUE(again);
    again->state = ReturnState::computed;
    EXPECT_TRUE(written(*again, format) == once) << static_cast<int>(format);
  }
}

TEST(Exports, CamposHasThreeDigitsAndText) {
  std::string text = written(sample(), ExportFormat::campos);
  EXPECT_NE(text.find("\"003\":\"99999001-0\""), std::string::npos);
  EXPECT_NE(text.find("\"015\":\"202606\""), std::string::npos);
  EXPECT_NE(text.find("\"060\":\"70\""), std::string::npos);
  EXPECT_NE(text.find("\"115\":\"0.125\""), std::string::npos);
}

TEST(Exports, JsonHasNumbersForAmountsAndTextForRates) {
  std::string text = written(sample(), ExportFormat::json);
  EXPECT_NE(text.find("\"502\":19000"), std::string::npos);
  EXPECT_NE(text.find("\"115\":\"0.125\""), std::string::npos);
  EXPECT_NE(text.find("\"schema\":1"), std::string::npos);
}

TEST(Exports, WhatIsNoReturnIsRefused) {
  Findings findings;
  EXPECT_FALSE(read_return("", ExportFormat::json, "x", findings));
  EXPECT_FALSE(read_return("[]", ExportFormat::json, "x", findings));
  EXPECT_FALSE(read_return("{}", ExportFormat::json, "x", findings));
  EXPECT_FALSE(read_return("<x/>", ExportFormat::xml, "x", findings));
  EXPECT_FALSE(read_return("<x", ExportFormat::xml, "x", findings));
  EXPECT_FALSE(read_return("", ExportFormat::csv, "x", findings));
  EXPECT_FALSE(read_return("line;value\n7;1\n", ExportFormat::csv, "x", findings));
  EXPECT_FALSE(read_return("code;line\n502;7\n", ExportFormat::csv, "x", findings));
}

TEST(Exports, AWrongValueIsAFindingAndTheRestIsRead) {
  Findings findings;
  auto made = read_return(
      R"({"campos":{"003":"99999001-0","015":"202606","502":"x","510":"-1900","503":"3"}})",
      ExportFormat::campos, "x", findings);
  ASSERT_TRUE(made);
  EXPECT_EQ(findings.count_of("bad_box_value"), 2);
  EXPECT_EQ(amount_in(made->boxes, 503), 3);
  EXPECT_FALSE(made->boxes.contains(510));
}

TEST(Xml, TheSchemaAcceptsEveryExport) {
  Folder folder;
  EXPECT_TRUE(folder.accepts(written(sample(), ExportFormat::xml))) << folder.said();
  EXPECT_TRUE(folder.accepts(written(full(), ExportFormat::xml))) << folder.said();
  Return empty;
  empty.company = Rut{99999001};
  empty.period = {2018, 6};
  empty.due = {2018, 7, 28};
  EXPECT_TRUE(folder.accepts(written(empty, ExportFormat::xml))) << folder.said();
  Return odd = sample();
  odd.name = "PROVEEDOR & HIJOS <SPA> \"Ñ\" \x01\xEF\xBF\xBE";
  odd.folio = "7123456789";
  odd.extras = {{"8020", "15 < 16 & \"x\""}};
  odd.boxes[538] = BoxValue::of(Pesos{-5});
  EXPECT_TRUE(folder.accepts(written(odd, ExportFormat::xml))) << folder.said();
}

TEST(Xml, AReturnThatNoSchemaCouldAcceptIsNotExported) {
  Return made = sample();
  made.boxes[142] = BoxValue::of(Pesos{-100000});
  EXPECT_EQ(why_not(made, ExportFormat::xml), "box 142 cannot be -100000");
  EXPECT_EQ(why_not(made, ExportFormat::json), "");
  EXPECT_EQ(why_not(sample(), ExportFormat::xml), "");
}

struct Broken {
  const char* what;
  const char* from;
  const char* to;
};
// Each is one change of a valid export.
constexpr Broken kBroken[] = {
    {"a negative credit note", ">1900<", ">-1900<"},
    {"text for an amount", ">19000<", ">diecinueve mil<"},
    {"a decimal amount", ">19000<", ">19000.50<"},
    {"sixteen digits", ">19000<", ">1234567890123456<"},
    {"an empty amount", ">19000<", "><"},
    {"a count of 0", ">1</count>", ">0</count>"},
    {"a rate above 100", ">0.125<", ">100.5<"},
    {"a rate with four decimals", ">0.125<", ">0.1255<"},
    {"a rate with a comma", ">0.125<", ">0,125<"},
    {"a mark of 2", ">1</mark>", ">2</mark>"},
    {"an unknown code", "code=\"502\"", "code=\"9999\""},
    {"an echo code", "code=\"502\"", "code=\"9064\""},
    {"a count as an amount", "<amount code=\"502\"", "<amount code=\"503\""},
    {"a box twice", "<amount code=\"502\"", "<amount code=\"510\""},
    {"no code", "<amount code=\"502\"", "<amount"},
    {"a negative subtotal", ">500</front>", ">-500</front>"},
    {"a total of another code", "<payable code=\"91\"", "<payable code=\"92\""},
    {"a wrong RUT", ">99999001-0<", ">99.999.001-0<"},
    {"a month that is none", ">2026-06<", ">2026-13<"},
    {"an unknown state", ">computed<", ">done<"},
    {"version 0", "<version>1<", "<version>0<"},
    {"a day that is none", ">2026-07-20<", ">2026-02-31<"},
    {"another namespace", "urn:f29svc:return:1", "urn:f29svc:return:2"},
    {"an unknown element", "<boxes>", "<boxes><total>5</total>"},
    {"no company", "  <company>99999001-0</company>\n", ""},
};

TEST(Xml, TheSchemaRefusesBrokenOnes) {
  Folder folder;
  std::string valid = written(sample(), ExportFormat::xml);
  ASSERT_TRUE(folder.accepts(valid)) << folder.said();
  for (const Broken& broken : kBroken) {
    std::string xml = valid;
    size_t at = xml.find(broken.from);
    ASSERT_NE(at, std::string::npos) << broken.what;
    xml.replace(at, std::string(broken.from).size(), broken.to);
    EXPECT_FALSE(folder.accepts(xml)) << broken.what;
  }
  for (const char* total : {"debits", "credits", "front", "determined", "payable", "payableLate"}) {
    std::string xml = valid;
    size_t from = xml.find("    <" + std::string(total) + " ");
    ASSERT_NE(from, std::string::npos) << total;
    xml.erase(from, xml.find('\n', from) + 1 - from);
    EXPECT_FALSE(folder.accepts(xml)) << "without " << total;
  }
}

TEST(Sheet, IsOrderedByTheLinesOfThePeriodsForm) {
  std::ostringstream out;
  write_sheet(sample(), out);
  std::string text = out.str();
  size_t line_7 = text.find("    7     502");
  size_t line_13 = text.find("   13     510");
  size_t line_147 = text.find("  147      91");
  EXPECT_NE(line_7, std::string::npos) << text;
  EXPECT_LT(line_7, line_13);
  EXPECT_LT(line_13, line_147);
  EXPECT_NE(text.find("19.000"), std::string::npos);
}

TEST(Csv, NothingInACellIsAFormula) {
  Return made = sample();
  for (const char* name : {"=1+1", "+1", "-1", "@x", "\t=1"}) {
    made.name = name;
    std::string text = written(made, ExportFormat::csv);
    EXPECT_NE(text.find(";'" + std::string(name)), std::string::npos) << name;
    Findings findings;
    auto again = read_return(text, ExportFormat::csv, "x", findings);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->name, name);
  }
}

}  // namespace
}  // namespace f29
