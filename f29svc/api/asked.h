// What a request asks for in its query, read with limits; and the plain answers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "f29svc/api/api.h"
#include "f29svc/api/api_json.h"
#include "f29svc/store/form_rows.h"

namespace f29 {

std::string query_of(const Call& call, const char* name, std::string otherwise = {});
// Names are shown again: 1 to 200 letters, in one line.
bool is_good_name(const std::string& name);
Date today();  // in Chile, whose days the due dates are

inline HttpResponse json(std::string body) {
  return {200, "application/json", std::move(body), {}};
}
template <class T>
HttpResponse json_or_error(const Outcome<T>& outcome) {
  return outcome ? json(json_of(*outcome)) : error_response(outcome.error());
}

// Collects every fault of a query, so that one answer names them all.
class Asked {
 public:
  explicit Asked(const Call& call) : call_(call) {}
  // `otherwise` where the parameter is left out.
  int64_t number(const char* name, int64_t otherwise, int64_t least, int64_t most);
  Date date(const char* name, Date otherwise);
  Period period(const char* name, Period otherwise);
  std::string words(const char* name, size_t most);
  std::string one_of(const char* name, const std::vector<std::string_view>& choices);
  Page page();
  DocumentFilter documents();
  void add_fault(std::string fault) { faults_.push_back(std::move(fault)); }
  std::optional<Refusal> fault() const;

 private:
  const Call& call_;
  std::vector<std::string> faults_;
};

}  // namespace f29
