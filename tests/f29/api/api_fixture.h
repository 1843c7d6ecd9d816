// A service with its server on a port of its own and a store in a temporary folder. Every answer is
// held to the description of the API.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "f29svc/api/api.h"
#include "f29svc/http/http_server.h"

namespace f29test {

struct Answer {
  int status = 0;
  std::map<std::string, std::string> fields;  // lower case names
  std::string body;
  nlohmann::json json;  // discarded where the body is none
};

// Sends raw bytes and reads to the end.
std::string exchange(uint16_t port, const std::string& bytes);
Answer read_answer(const std::string& bytes);
std::string read_file(const std::string& path);

class ApiTest : public ::testing::Test {
 protected:
  ApiTest();
  ~ApiTest() override;
  // Again, with other options; the store stays.
  void start(f29::ServiceOptions service = {}, f29::HttpServerOptions http = {},
             f29::ApiAccess access = {});

  Answer call(const std::string& method, const std::string& path, const std::string& body = {},
              const std::string& type = {}, const std::string& key = "first-key");
  // The same for a path below the period 2026-06 of 99999001-0.
  Answer at(const std::string& method, const std::string& path, const std::string& body = {},
            const std::string& type = {});
  Answer import_rcv(const std::string& file);
  void import_all();
  void put_inputs();
  std::string code_of(const Answer& answer);  // of its error

  std::string folder_;
  std::unique_ptr<f29::Store> store_;
  std::unique_ptr<f29::TaxService> service_;
  std::unique_ptr<f29::Api> api_;
  std::unique_ptr<f29::HttpServer> server_;
  nlohmann::json openapi_;
  std::string log_;  // what the service told

 private:
  void hold_to_description(const std::string& method, const std::string& path,
                           const Answer& answer);
};

inline constexpr const char* kPeriodPath = "/v1/companies/99999001-0/periods/2026-06";
inline constexpr const char* kData = "tests/f29/data/rcv/";

}  // namespace f29test
