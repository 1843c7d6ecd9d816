#include "f29svc/sources/rcv.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

namespace f29 {
namespace {

struct Reading {
  std::string error;
  RcvCounts counts;
  std::vector<Document> documents;
  std::vector<Finding> findings;

  std::vector<std::string> at(int64_t line) const {
    std::vector<std::string> codes;
    for (const Finding& finding : findings) {
      if (finding.place.line == line) codes.push_back(finding.code);
    }
    std::sort(codes.begin(), codes.end());
    return codes;
  }
  const Document* on(uint32_t line) const {
    for (const Document& document : documents) {
      if (document.line == line) return &document;
    }
    return nullptr;
  }
};

Reading read(std::string_view bytes, size_t portion = SIZE_MAX, bool lenient = false) {
  MemorySource source(bytes, portion);
  RcvOptions options;
  options.company = Rut{99999001};
  options.period = {2026, 6};
  options.name = "file.csv";
  options.lenient = lenient;
  DocumentIndex seen;
  Findings findings;
  Reading reading;
  auto counts = read_rcv(
      source, options, seen, [&](const Document& one) { reading.documents.push_back(one); },
      findings);
  if (counts) reading.counts = *counts;
  if (!counts) reading.error = counts.error().detail;
  findings.finish();
  reading.findings = findings.take();
  return reading;
}

std::string file(const std::string& name) {
  std::ifstream in("tests/f29/data/" + name, std::ios::binary);
  std::stringstream bytes;
  bytes << in.rdbuf();
  EXPECT_TRUE(in.good()) << name;
  return bytes.str();
}

using Codes = std::vector<std::string>;

TEST(RcvQuirks, PurchasesWithAMarkComeOutAsExpected) {
  Reading got = read(file("quirks/compra_registro_quirks_bom.csv"));
  EXPECT_EQ(got.error, "");
  EXPECT_EQ(got.documents.size(), 6u);
  EXPECT_EQ(got.counts.documents, 6);
  EXPECT_EQ(got.counts.rejected, 5);
  EXPECT_EQ(got.counts.kind, RcvKind::purchase_registered);

  ASSERT_NE(got.on(2), nullptr);
  EXPECT_EQ(got.on(2)->counterparty.text(), "99990001-1");
  EXPECT_EQ(got.on(2)->name, "PROVEEDOR ALFA SPA");
  EXPECT_EQ(got.on(2)->folio, 1001);
  EXPECT_EQ(got.on(2)->total, Pesos{1190000});
  EXPECT_EQ(got.at(2), (Codes{"rut_leading_zeros", "trailing_delimiter"}));

  ASSERT_NE(got.on(3), nullptr);
  EXPECT_EQ(got.on(3)->counterparty.text(), "99990100-K");
  EXPECT_TRUE(got.on(3)->acknowledged.is_none());
  EXPECT_EQ(got.on(3)->exempt, Pesos{0});
  EXPECT_EQ(got.at(3), (Codes{"literal_null", "row_number_gap"}));

  ASSERT_NE(got.on(4), nullptr);
  EXPECT_EQ(got.on(4)->name, "PROVEEDOR; BETA \"EL BUENO\" SPA");
  EXPECT_TRUE(got.on(4)->received.is_none());
  EXPECT_EQ(got.at(4), Codes{});

  ASSERT_NE(got.on(5), nullptr);
  EXPECT_EQ(got.on(5)->folio, 4456);
  ASSERT_EQ(got.on(5)->parts.size(), 3u);
  EXPECT_EQ(got.on(5)->parts[1].code, 23);
  EXPECT_EQ(got.on(5)->parts[1].amount, Pesos{297});
  EXPECT_EQ(got.on(5)->parts[1].rate.text(), "2.967999999");
  EXPECT_EQ(got.on(5)->parts[2].code, 28);
  EXPECT_EQ(got.on(5)->parts[2].amount, Pesos{0});
  EXPECT_FALSE(got.on(5)->parts[2].has_rate);
  EXPECT_EQ(got.at(5), Codes{"decimal_comma"});

  EXPECT_EQ(got.at(7), Codes{"duplicate_copy_total_zero"});
  EXPECT_EQ(got.at(8), Codes{"rut_check_digit"});
  EXPECT_EQ(got.at(9), Codes{"bad_number_or_date"});
  EXPECT_EQ(got.at(10), Codes{"blank_row"});
  EXPECT_EQ(got.at(11), Codes{"unknown_document_type"});
  EXPECT_EQ(got.at(12), Codes{"too_few_columns"});

  ASSERT_NE(got.on(13), nullptr);
  EXPECT_EQ(got.on(13)->total, Pesos{12345});
  EXPECT_EQ(got.at(13), Codes{"total_mismatch"});
  ASSERT_NE(got.on(14), nullptr);
  EXPECT_EQ(got.on(14)->total, Pesos{11900});
  EXPECT_EQ(got.on(14)->vat(), Pesos{1900});
  EXPECT_EQ(got.at(14), Codes{"negative_amount"});
}

TEST(RcvQuirks, LatinOneWithAccentedHeadersIsReadAsText) {
  Reading got = read(file("quirks/compra_registro_accented_latin1.csv"));
  EXPECT_EQ(got.error, "");
  EXPECT_EQ(got.counts.rejected, 0);
  EXPECT_TRUE(got.findings.empty());
  ASSERT_EQ(got.documents.size(), 1u);
  EXPECT_EQ(got.documents[0].name, "COMPAÑÍA DE PRUEBA ÑANDÚ");
  ASSERT_EQ(got.documents[0].parts.size(), 1u);
  EXPECT_TRUE(got.documents[0].parts[0].common_use);
  EXPECT_EQ(got.documents[0].parts[0].amount, Pesos{19000});
}

TEST(RcvQuirks, SalesComeOutAsExpected) {
  Reading got = read(file("quirks/venta_quirks.csv"));
  EXPECT_EQ(got.error, "");
  EXPECT_EQ(got.documents.size(), 6u);
  EXPECT_EQ(got.counts.rejected, 1);
  ASSERT_NE(got.on(2), nullptr);
  EXPECT_EQ(got.on(2)->name, "CLIENTE UNO SPA");
  ASSERT_EQ(got.on(2)->references.size(), 2u);
  EXPECT_EQ(got.on(2)->references[0].type, 52);
  EXPECT_EQ(got.on(2)->references[0].folio, "10370");
  EXPECT_EQ(got.on(2)->references[1].folio, "10371");
  EXPECT_EQ(got.at(2), Codes{});
  ASSERT_NE(got.on(3), nullptr);
  ASSERT_EQ(got.on(3)->parts.size(), 3u);
  EXPECT_EQ(got.on(3)->parts[1].code, 27);
  EXPECT_EQ(got.on(3)->parts[1].amount, Pesos{275904});
  EXPECT_EQ(got.on(3)->parts[2].code, 271);
  EXPECT_EQ(got.on(3)->parts[2].amount, Pesos{701395});
  EXPECT_EQ(got.on(3)->parts[2].rate.text(), "18");
  EXPECT_EQ(got.at(3), Codes{"extra_columns"});
  ASSERT_EQ(got.on(5)->references.size(), 1u);
  EXPECT_EQ(got.on(5)->references[0].folio, "10489");
  ASSERT_EQ(got.on(6)->references.size(), 1u);
  EXPECT_EQ(got.on(6)->references[0].type, 801);
  EXPECT_EQ(got.on(6)->references[0].folio, "1057539-304-SE26");
  EXPECT_EQ(got.at(7), Codes{"missing_document_type"});
  ASSERT_NE(got.on(8), nullptr);
  EXPECT_EQ(got.on(8)->type, 30);
  EXPECT_EQ(got.on(8)->exempt, Pesos{0});
  ASSERT_NE(got.on(9), nullptr);
  EXPECT_EQ(got.on(9)->type, 39);
  EXPECT_EQ(got.at(9), (Codes{"boleta_in_detail", "row_number_gap"}));
}

TEST(RcvQuirks, AFileResavedByASpreadsheetIsTheSameDocument) {
  Reading got = read(file("quirks/excel_resaved_compra.csv"));
  EXPECT_EQ(got.counts.rejected, 0);
  ASSERT_EQ(got.documents.size(), 1u);
  EXPECT_EQ(got.documents[0].counterparty.text(), "99990001-1");
  EXPECT_EQ(got.documents[0].folio, 1001);
  EXPECT_EQ(got.documents[0].total, Pesos{1190000});
  EXPECT_EQ(got.documents[0].issued.text(), "2026-06-05");
  EXPECT_EQ(got.at(2), (Codes{"dash_date", "thousands_separator"}));
}

TEST(RcvQuirks, WhatIsNoRegisterFileIsRefusedWhole) {
  EXPECT_EQ(read(file("quirks/empty.csv")).error, "empty");
  EXPECT_EQ(read(file("quirks/not_a_csv.html.csv")).error, "not_rcv: a web page or XML");
  Reading got = read(file("quirks/header_only_compra.csv"));
  EXPECT_EQ(got.error, "");
  EXPECT_EQ(got.documents.size(), 0u);
  EXPECT_EQ(got.counts.rejected, 0);
}

TEST(RcvSample, TheKindOfEachFileComesFromItsHeader) {
  const std::map<std::string, RcvKind> kinds = {
      {"RCV_COMPRA_REGISTRO_99999001-0_202606.csv", RcvKind::purchase_registered},
      {"RCV_COMPRA_PENDIENTE_99999001-0_202606.csv", RcvKind::purchase_pending},
      {"RCV_COMPRA_NO_INCLUIR_99999001-0_202606.csv", RcvKind::purchase_not_included},
      {"RCV_COMPRA_RECLAMADO_99999001-0_202606.csv", RcvKind::purchase_claimed},
      {"RCV_VENTA_99999001-0_202606.csv", RcvKind::sale},
      {"RCV_RESUMEN_VENTA_99999001-0_202606.csv", RcvKind::summary_sale},
      {"RCV_RESUMEN_COMPRA_REGISTRO_99999001-0_202606.csv", RcvKind::summary_purchase},
  };
  for (const auto& [name, kind] : kinds) {
    Reading got = read(file("rcv/" + name));
    EXPECT_EQ(got.error, "") << name;
    EXPECT_EQ(got.counts.kind, kind) << name;
    EXPECT_EQ(got.counts.rejected, 0) << name;
    auto named = read_rcv_name("some/folder/" + name);
    ASSERT_TRUE(named) << name;
    EXPECT_EQ(named->kind, kind) << name;
    EXPECT_EQ(named->company.text(), "99999001-0");
    EXPECT_EQ(named->period.text(), "2026-06");
  }
}

TEST(RcvSample, EveryReadSizeGivesTheSameDocuments) {
  std::string bytes = file("rcv/RCV_VENTA_99999001-0_202606.csv");
  Reading whole = read(bytes);
  ASSERT_EQ(whole.documents.size(), 10u);
  for (size_t portion : {1u, 2u, 3u, 7u}) {
    Reading got = read(bytes, portion);
    ASSERT_EQ(got.documents.size(), whole.documents.size());
    for (size_t i = 0; i < got.documents.size(); ++i) {
      EXPECT_EQ(got.documents[i].total, whole.documents[i].total);
      EXPECT_EQ(got.documents[i].name, whole.documents[i].name);
      EXPECT_EQ(got.documents[i].line, whole.documents[i].line);
    }
    EXPECT_EQ(got.findings.size(), whole.findings.size());
  }
}

TEST(RcvSample, TheSampleHasOnlyTheOdditiesItSays) {
  for (auto name :
       {"RCV_COMPRA_REGISTRO_99999001-0_202606.csv", "RCV_VENTA_99999001-0_202606.csv"}) {
    for (const Finding& finding : read(file(std::string("rcv/") + name)).findings) {
      EXPECT_EQ(finding.code, "trailing_delimiter") << finding.place.text() << finding.message;
    }
  }
}

}  // namespace
}  // namespace f29
