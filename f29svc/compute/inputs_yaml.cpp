#include "f29svc/compute/inputs_yaml.h"

#include <array>

#include "f29svc/form/form.h"

namespace f29 {
namespace {

constexpr std::string_view kWhole = "must be a whole number of pesos, 0 or more";

std::optional<std::string> text_at(base::Section& yaml, std::string_view key) {
  if (!yaml.has(key)) {
    std::string absent;
    yaml.read(key, absent);  // known, though it is not there
    return std::nullopt;
  }
  std::string text;
  yaml.read(key, text);
  return text;
}

std::optional<Pesos> amount_at(base::Section& yaml, std::string_view key) {
  auto text = text_at(yaml, key);
  if (!text) return std::nullopt;
  auto amount = parse_pesos(*text);
  if (amount && *amount >= Pesos{}) return amount;
  yaml.fault(key, std::string(kWhole));
  return std::nullopt;
}

std::optional<Decimal> decimal_at(base::Section& yaml, std::string_view key, Decimal most) {
  auto text = text_at(yaml, key);
  if (!text) return std::nullopt;
  auto value = Decimal::parse(*text);
  if (value && *value >= Decimal{} && *value <= most) return value;
  yaml.fault(key, "must be a number from 0 to " + most.text());
  return std::nullopt;
}

std::optional<Date> date_at(base::Section& yaml, std::string_view key) {
  auto text = text_at(yaml, key);
  if (!text) return std::nullopt;
  auto date = parse_iso_date(*text);
  if (!date) yaml.fault(key, "must be a day, yyyy-mm-dd");
  return date;
}

void read_previous(base::Section yaml, Inputs& inputs) {
  inputs.previous_77 = amount_at(yaml, "77");
  inputs.opening_504 = amount_at(yaml, "opening_504");
  if (yaml.has("77") && yaml.has("opening_504")) {
    yaml.fault("opening_504", "either 77 or opening_504, not both");
  }
}

void read_utm(base::Section yaml, Period period, Inputs& inputs) {
  constexpr Decimal kUtmMost{100'000'000, 0};
  auto put = [&](std::string_view key, Period month, std::optional<Decimal> value) {
    if (!value) return;
    if (value->is_zero()) yaml.fault(key, "must be above 0");
    auto [place, is_new] = inputs.utm.emplace(month, *value);
    if (!is_new && place->second != *value) {
      yaml.fault(key, "the UTM of " + month.text() + " is given twice");
    }
  };
  put("previous_filing", period, decimal_at(yaml, "previous_filing", kUtmMost));
  put("this_filing", period.plus(1), decimal_at(yaml, "this_filing", kUtmMost));
  for (const std::string& key : yaml.keys()) {
    auto month = key.size() == 7 ? Period::parse(key) : std::nullopt;
    if (month) put(key, *month, decimal_at(yaml, key, kUtmMost));
  }
}

void read_common_use(base::Section& top, Inputs& inputs) {
  inputs.common_use_factor = decimal_at(top, "common_use_factor", Decimal{1, 0});
  base::Section yaml = top.section("common_use");
  auto taxed = amount_at(yaml, "taxed");
  auto total = amount_at(yaml, "total");
  if (!top.has("common_use")) return;
  if (top.has("common_use_factor")) {
    top.fault("common_use", "either common_use_factor or common_use, not both");
  } else if (!taxed || !total) {
    top.fault("common_use", "needs taxed and total");
  } else if (*total == Pesos{} || *taxed > *total) {
    top.fault("common_use", "taxed must be at most total, and total above 0");
  } else {
    inputs.common_use_taxed = taxed;
    inputs.common_use_total = total;
  }
}

void read_boxes(base::Section yaml, Inputs& inputs) {
  for (const std::string& key : yaml.keys()) {
    auto code = parse_pesos(key);
    const BoxInfo* box = nullptr;
    if (code && *code > Pesos{} && *code < Pesos{10'000}) {
      box = find_box(static_cast<int>(code->value()));
    }
    if (box == nullptr) continue;  // stays unread: an unknown key
    auto text = text_at(yaml, key);
    if (!text) continue;
    if (box->identity) {
      yaml.fault(key, "is not a box of the declaration");
      continue;
    }
    if (is_only_computed(*box)) {
      yaml.fault(key, "is computed and cannot be given");
      continue;
    }
    ReadValue reading = read_box_value(*box, *text);
    if (!reading.value) {
      yaml.fault(key, std::string(reading.error));
    } else if (!inputs.boxes.emplace(box->code, *reading.value).second) {
      yaml.fault(key, "is given twice");
    }
  }
}

void read_fees(base::Section& top, Inputs& inputs) {
  for (base::Section& yaml : top.sections("fees")) {
    Fee fee;
    auto gross = amount_at(yaml, "gross");
    fee.rate = decimal_at(yaml, "rate", Decimal{100, 0});
    auto paid = date_at(yaml, "paid");
    if (!yaml.has("gross")) yaml.fault("gross", "is missing");
    if (gross) fee.gross = *gross;
    if (paid) fee.paid = *paid;
    inputs.fees.push_back(fee);
  }
}

void read_use(base::Section& yaml, Use& use) {
  std::string word;
  std::vector<std::string> words;
  for (Use one :
       {Use::giro, Use::supermarket, Use::real_estate, Use::fixed_asset, Use::non_recoverable}) {
    words.emplace_back(use_text(one));
  }
  yaml.read_word("use", word, words);
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == word) use = static_cast<Use>(i);
  }
}

void read_additions(base::Section& top, Inputs& inputs) {
  for (base::Section& yaml : top.sections("additions")) {
    Addition addition;
    std::string side;
    std::string issuer;
    yaml.read_word("side", side, {"sale", "purchase"});
    yaml.read("type", addition.type, 1, 999);
    yaml.read("issuer", issuer);
    yaml.read("folio", addition.folio, 1, kAmountMost);
    yaml.read("reason", addition.reason);
    read_use(yaml, addition.use);
    addition.net = amount_at(yaml, "net").value_or(Pesos{});
    addition.vat = amount_at(yaml, "vat").value_or(Pesos{});
    addition.exempt = amount_at(yaml, "exempt").value_or(Pesos{});
    addition.date = date_at(yaml, "date").value_or(Date{});
    addition.side = side == "sale" ? Side::sale : Side::purchase;
    for (std::string_view key : {"side", "type", "issuer", "folio", "reason"}) {
      if (!yaml.has(key)) yaml.fault(key, "is missing");
    }
    if (yaml.has("type") && !is_known_type(addition.type)) {
      yaml.fault("type", "no such document type");
    }
    auto rut = parse_rut(issuer);
    if (rut) addition.issuer = *rut;
    if (!rut && yaml.has("issuer")) yaml.fault("issuer", "must be a RUT with its check digit");
    inputs.additions.push_back(std::move(addition));
  }
}

void read_settings(base::Section yaml, Settings& settings) {
  yaml.read("utm_decimals", settings.utm_decimals, 0, 6);
  yaml.read("factor_decimals", settings.factor_decimals, 0, 9);
  yaml.read("final_consumer", settings.final_consumer);
  yaml.read("small_diesel", settings.small_diesel);
  yaml.read("exclude_annulled", settings.exclude_annulled);
  yaml.read("liquidation_line", settings.liquidation_line, 7, 17);
  if (settings.liquidation_line != 7 && settings.liquidation_line != 17) {
    yaml.fault("liquidation_line", "must be 7 or 17");
  }
  yaml.read("lenient", settings.lenient);
  yaml.read("tolerance", settings.tolerance, 0, 1'000'000);
  yaml.read("electronic", settings.electronic);
  yaml.read("move_28th", settings.move_28th);
}

}  // namespace

Inputs read_inputs(base::Section yaml, Period period) {
  Inputs inputs;
  read_previous(yaml.section("previous"), inputs);
  read_utm(yaml.section("utm"), period, inputs);
  read_common_use(yaml, inputs);
  read_boxes(yaml.section("boxes"), inputs);
  read_fees(yaml, inputs);
  read_additions(yaml, inputs);
  base::Section postpone = yaml.section("postpone");
  inputs.postpone_filed_on = date_at(postpone, "filed_on");
  base::Section ledger = yaml.section("ledger");
  inputs.ledger_remanente = amount_at(ledger, "remanente");
  read_settings(yaml.section("settings"), inputs.settings);
  return inputs;
}

}  // namespace f29
