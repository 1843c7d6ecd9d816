// The verbs on files: what they print and how they exit.
#include "f29svc/cli/commands.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/f29/cases/case_world.h"

namespace f29 {
namespace {

using nlohmann::json;

constexpr const char* kInputs =
    "previous: { \"77\": 250000 }\nutm: { previous_filing: 70000, this_filing: 70500 }\n"
    "common_use_factor: 0.80\nboxes: { \"48\": 25000, \"563\": 13390504, \"115\": \"0.125\" }\n"
    "fees: [ { gross: 1000000, rate: 15.25 } ]\n";

struct Said {
  int code = -1;
  std::string out;
  std::string err;
};
using Command = int (*)(const Arguments&, std::ostream&, std::ostream&);
Said say(Command command, const Arguments& arguments) {
  std::ostringstream out;
  std::ostringstream err;
  Said said;
  said.code = command(arguments, out, err);
  said.out = out.str();
  said.err = err.str();
  return said;
}

class Commands : public ::testing::Test {
 protected:
  Commands() {
    sample_.company = "99999001-0";
    sample_.period = "2026-06";
    sample_.rcv = {"tests/f29/data/rcv"};
    sample_.inputs = folder_.put("inputs.yaml", kInputs);
    sample_.json = true;
  }
  std::string exported(const std::string& format) {
    Arguments arguments = sample_;
    arguments.format = format;
    Said said = say(export_command, arguments);
    EXPECT_EQ(said.code, kDone) << said.err;
    return folder_.put("return." + (format == "campos" ? std::string("json") : format), said.out);
  }

  TempFolder folder_;
  Arguments sample_;
};

TEST_F(Commands, ComputePrintsTheObjectOfTheContract) {
  Said said = say(compute_command, sample_);
  EXPECT_EQ(said.code, kDone);
  EXPECT_EQ(said.err, "");
  json made = json::parse(said.out);
  EXPECT_EQ(made["schema"], 1);
  EXPECT_EQ(made["company"], "99999001-0");
  EXPECT_EQ(made["period"], "2026-06");
  EXPECT_EQ(made["state"], "computed");
  EXPECT_EQ(made["due"], "2026-07-20");
  EXPECT_EQ(made["declaration"], "normal");
  EXPECT_EQ(made["boxes"]["502"], 1216000);
  EXPECT_EQ(made["boxes"]["115"], "0.125");
  EXPECT_EQ(made["boxes"]["91"], 301738);
  EXPECT_FALSE(made["boxes"].contains("89"));
  EXPECT_EQ(made["settings"]["utm_decimals"], 2);
  for (const json& finding : made["findings"]) {
    for (const char* key : {"code", "severity", "place", "message", "advice"}) {
      EXPECT_TRUE(finding.contains(key)) << finding;
    }
    EXPECT_FALSE(finding["place"].get<std::string>().empty()) << finding;
  }
}

TEST_F(Commands, EveryBoxHasAProvenanceThatAddsUp) {
  json made = json::parse(say(compute_command, sample_).out);
  for (const auto& [code, value] : made["boxes"].items()) {
    ASSERT_TRUE(made["provenance"].contains(code)) << code;
    if (!value.is_number()) continue;
    int64_t sum = 0;
    for (const json& entry : made["provenance"][code]) sum += entry["amount"].get<int64_t>();
    EXPECT_EQ(sum, value.get<int64_t>()) << code;
  }
}

TEST_F(Commands, ErrorFindingsExitWithOneAndTheRestIsComputed) {
  Arguments arguments = sample_;
  arguments.rcv = {"tests/f29/data/quirks/compra_registro_quirks_bom.csv"};
  Said said = say(compute_command, arguments);
  EXPECT_EQ(said.code, kErrorFindings);
  EXPECT_EQ(json::parse(said.out)["boxes"]["520"], 197600);
}

TEST_F(Commands, FaultyInputExitsWithTwoAndPrintsNoReturn) {
  struct Fault {
    std::function<void(Arguments&)> make;
    const char* said;
  };
  const Fault faults[] = {
      {[](Arguments& one) { one.company = "99999001-1"; }, "--company"},
      {[](Arguments& one) { one.period = "2026-13"; }, "--period"},
      {[](Arguments& one) { one.company = "99990001-1"; }, "is of company 99999001-0"},
      {[](Arguments& one) { one.period = "2026-07"; }, "is of period 2026-06"},
      {[](Arguments& one) { one.rcv = {"no/such/file.csv"}; }, "no/such/file.csv"},
      {[](Arguments& one) { one.rcv = {"tests/f29/data/quirks/empty.csv"}; }, "empty"},
      {[](Arguments& one) { one.inputs = "no/such.yaml"; }, "no/such.yaml"},
      {[](Arguments& one) { one.documents = "conf/f29-return.xsd"; }, "not JSON"},
      {[](Arguments& one) { one.mapping = "conf/f29-return.xsd"; }, "f29-return.xsd"},
  };
  for (const Fault& fault : faults) {
    Arguments arguments = sample_;
    fault.make(arguments);
    Said said = say(compute_command, arguments);
    EXPECT_EQ(said.code, kFaultyInput) << fault.said;
    EXPECT_EQ(said.out, "") << fault.said;
    EXPECT_NE(said.err.find(fault.said), std::string::npos) << said.err;
  }
}

TEST_F(Commands, EveryFaultOfTheInputsIsSaidAtOnce) {
  Arguments arguments = sample_;
  arguments.inputs =
      folder_.put("bad.yaml", "utm: { this_filing: 0 }\nboxes: { \"538\": 1 }\nfees: 5\nx: 1\n");
  Said said = say(compute_command, arguments);
  EXPECT_EQ(said.code, kFaultyInput);
  for (const char* key : {"utm.this_filing", "boxes.538", "fees", "x: unknown key"}) {
    EXPECT_NE(said.err.find(key), std::string::npos) << said.err;
  }
}

TEST_F(Commands, WithoutDocumentsTheMonthIsEmpty) {
  Arguments arguments;
  arguments.company = "99999001-0";
  arguments.period = "2026-06";
  arguments.json = true;
  Said said = say(compute_command, arguments);
  EXPECT_EQ(said.code, kDone);
  json made = json::parse(said.out);
  EXPECT_EQ(made["declaration"], "sin_movimiento");
  EXPECT_TRUE(made["boxes"].empty());
}

TEST_F(Commands, PeopleGetASheetWithFindings) {
  sample_.json = false;
  Said said = say(compute_command, sample_);
  EXPECT_NE(said.out.find("1.216.000"), std::string::npos);
  EXPECT_NE(said.out.find("warning diesel_needs_volume"), std::string::npos);
}

TEST_F(Commands, ImportCountsRowsByFile) {
  Said said = say(import_command, sample_);
  EXPECT_EQ(said.code, kDone);
  json made = json::parse(said.out);
  EXPECT_EQ(made["files"].size(), 7u);
  for (const json& file : made["files"]) {
    if (file["kind"] != "compra_registro") continue;
    EXPECT_EQ(file["rows"], 17);
    EXPECT_EQ(file["documents"], 16);
    EXPECT_EQ(file["rejected"], 0);
  }
}

TEST_F(Commands, ValidateFindsTheDifferenceToTheBooks) {
  Said right = say(validate_command, sample_);
  EXPECT_EQ(right.code, kDone) << right.err;
  EXPECT_EQ(json::parse(right.out)["state"], "validated");
  sample_.iva_debito = "1939990";
  Said wrong = say(validate_command, sample_);
  EXPECT_EQ(wrong.code, kErrorFindings);
  EXPECT_NE(wrong.out.find("difference 6"), std::string::npos);
  EXPECT_EQ(json::parse(wrong.out)["state"], "computed");
  sample_.iva_debito = "x";
  EXPECT_EQ(say(validate_command, sample_).code, kFaultyInput);
}

TEST_F(Commands, AnExportInAnyFormatIsReadBack) {
  json first = json::parse(say(compute_command, sample_).out);
  for (const char* format : {"json", "campos", "csv", "xml"}) {
    Arguments arguments;
    arguments.from = exported(format);
    arguments.from_format = format;
    arguments.json = true;
    Said said = say(validate_command, arguments);
    EXPECT_EQ(said.code, kDone) << format << said.out;
    EXPECT_EQ(json::parse(said.out)["boxes"], first["boxes"]) << format;
  }
}

TEST_F(Commands, ATamperedExportIsNotValid) {
  std::string path = exported("csv");
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  std::string changed = text.str();
  changed.replace(changed.find(";1216000"), 8, ";1216001");
  Arguments arguments;
  arguments.from = folder_.put("changed.csv", changed);
  EXPECT_EQ(say(validate_command, arguments).code, kErrorFindings);
}

TEST_F(Commands, ExportWritesAFileWholeOrNotAtAll) {
  Arguments arguments = sample_;
  arguments.output = folder_.path() + "/no/such/folder/x.json";
  EXPECT_EQ(say(export_command, arguments).code, kFaultyInput);
  arguments.output = folder_.path() + "/x.json";
  EXPECT_EQ(say(export_command, arguments).code, kDone);
  std::ifstream in(arguments.output);
  EXPECT_EQ(json::parse(in)["boxes"]["91"], 301738);
  arguments.format = "pdf";
  EXPECT_EQ(say(export_command, arguments).code, kFaultyInput);
}

TEST_F(Commands, AReturnThatTheSchemaCouldNotAcceptIsNotWrittenAsXml) {
  Arguments arguments = sample_;
  arguments.rcv = {folder_.put(
      "v.csv",
      sale_csv(json::array({{{"folio", 5}, {"type", 61}, {"exempt", 100}, {"total", 100}}})))};
  arguments.format = "xml";
  Said said = say(export_command, arguments);
  EXPECT_EQ(said.code, kErrorFindings);
  EXPECT_EQ(said.out, "");
  EXPECT_NE(said.err.find("box 142 cannot be -100"), std::string::npos);
}

}  // namespace
}  // namespace f29
