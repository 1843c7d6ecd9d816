// What the store knows about companies, periods, imports, inputs and returns: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "f29svc/domain/period.h"
#include "f29svc/domain/return.h"
#include "f29svc/domain/rut.h"

namespace f29 {

struct CompanyRecord {
  int64_t id = 0;
  Rut rut;
  std::string name;
};

struct ImportRecord {
  int64_t id = 0;
  std::string slot;    // "purchase_registered", "sale", "books": one current import each
  std::string name;    // the file, or "odoo"
  std::string sha256;  // of its bytes; empty for what is no file
  std::string actor;
  std::string made_at;
  std::string replaced_at;  // empty: current
  int64_t rows = 0;
  int64_t documents = 0;
  int64_t rejected = 0;
  int64_t copies = 0;
  bool is_repeated = false;  // the same bytes were current already: nothing was done
};

struct InputsRecord {
  int revision = 0;
  std::string body;  // as it was given, checked before
  std::string actor;
  std::string made_at;
};

struct StateRecord {
  ReturnState state = ReturnState::draft;
  std::string actor;
  std::string note;
  std::string made_at;
};

struct ReturnRecord {
  int64_t id = 0;
  int version = 0;
  ReturnState state = ReturnState::draft;
  std::string folio;
  Pesos iva_debito;
  Pesos iva_credito;
  Declaration declaration = Declaration::sin_movimiento;
  Date due;
  int inputs_revision = 0;
  std::string computed_at;  // empty: never
  Date sent_on;
  Date paid_on;
  Pesos paid_amount;
  std::string payment;              // the bank's number of the payment
  Pesos to_pay;                     // box 94, else 91
  bool is_ready = false;            // waits to be filed
  std::string flow;                 // "planned", "deferred", "paid"; empty: none
  int64_t findings[3] = {0, 0, 0};  // by severity
  std::vector<StateRecord> history;
};

// How a return was filed or paid.
struct Closing {
  std::string folio;  // the tax authority's; empty keeps what was there
  Date on;
  Pesos amount;  // paid only
  std::string payment;
};

struct PeriodRecord {
  Period period;
  std::vector<ReturnRecord> returns;  // by version; the last is the one that counts
};

}  // namespace f29
