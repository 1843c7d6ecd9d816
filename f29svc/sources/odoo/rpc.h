// JSON-RPC to one Odoo: logs in once, then reads. Every read may be sent again; what changes
// something is sent once.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "f29svc/domain/json_value.h"
#include "f29svc/http/http_client.h"

namespace f29 {

struct OdooOptions {
  HttpClientOptions http;
  std::string database;
  std::string user;
  std::string key;               // password or API key; never logged, never in an error
  int64_t company_id = 0;        // Odoo's; 0: the one that has the company's RUT
  int page = 1000;               // records of one answer
  int tries = 3;                 // of each request
  base::Millis retry_wait{500};  // doubles with every try
};

class OdooRpc {
 public:
  // What carries a request: usually an HttpClient.
  using Post = std::function<base::Result<HttpAnswer>(const std::string& body)>;

  static base::Result<std::unique_ptr<OdooRpc>> make(const OdooOptions& options);
  OdooRpc(const OdooOptions& options, Post post);
  ~OdooRpc();

  // One call of `method` on `model`. The first logs in. Errors: those of HttpClient; `refused`
  // (user or key, or a right that is missing); `bad_backend_message`. Details are our own words.
  base::Result<JsonValue> call(std::string_view model, std::string_view method,
                               const nlohmann::json& arguments, const nlohmann::json& options);

  // The same for what changes something: one try, since a lost answer does not tell whether it was
  // done.
  base::Result<JsonValue> change(std::string_view model, std::string_view method,
                                 const nlohmann::json& arguments, const nlohmann::json& options);

  // Every record of `model` within `domain`, ordered by id, a page at a time. Ids must grow, so
  // that nothing comes twice; the end is an empty page. `context` lives in every call.
  using OnRecord = std::function<base::Result<>(const JsonValue& record)>;
  base::Result<> read_all(std::string_view model, const nlohmann::json& domain,
                          const std::vector<std::string>& fields, const OnRecord& on_record);

  // From now on every read is within this company.
  void set_company(int64_t id) { company_id_ = id; }
  int64_t requests() const { return requests_; }  // tries included

 private:
  base::Result<JsonValue> request(const nlohmann::json& params, int tries_most);
  base::Result<JsonValue> execute(std::string_view model, std::string_view method,
                                  const nlohmann::json& arguments, const nlohmann::json& options,
                                  int tries_most);
  base::Result<JsonValue> request_once(const std::string& body);
  base::Result<> log_in();

  OdooOptions options_;
  Post post_;
  int64_t uid_ = 0;
  int64_t company_id_ = 0;
  int64_t requests_ = 0;
};

}  // namespace f29
