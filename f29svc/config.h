// conf/f29svc.yaml: every key with its default, and its reader.
#pragma once

#include <string>
#include <vector>

#include "f29svc/api/api.h"
#include "f29svc/api/service.h"
#include "f29svc/http/http_server.h"
#include "f29svc/store/store.h"
#include "proxy/base/yaml.h"

namespace f29 {

struct CompanyConfig {
  Rut rut;
  std::string name;
};

struct Config {
  HttpServerOptions http;        // listen: 127.0.0.1:9290
  StoreOptions store;            // /var/lib/f29svc/f29.db
  std::vector<ApiKey> api_keys;  // at most two: the one in use and the next
  ApiAccess access;              // front_proxy, secure_cookie
  std::vector<CompanyConfig> companies;
  ServiceOptions service;
  std::string log = "-";
};

// All faults in one run; with one the config is not to be used. Secrets are read from the files
// that the config names.
Config read_config(const std::string& path, std::vector<base::ConfigFault>& faults);

}  // namespace f29
