#include "f29svc/config.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <sstream>

namespace f29 {

using base::Millis;

namespace {

constexpr size_t kSecretMost = 4096;

void read_listen(base::Section top, HttpServerOptions& http) {
  std::string listen = "127.0.0.1:9290";
  top.read("listen", listen);
  auto address = base::parse_address(listen);
  if (address) {
    http.listen = *address;
  } else {
    top.fault("listen", "must be an address with a port, such as 127.0.0.1:9290");
  }
  top.read("threads", http.threads, 1, 64);
  top.read("waiting", http.waiting_max, 1, 1'000);
  base::Section limits = top.section("limits");
  limits.read_size("head", http.head_bytes_max, 1 << 10, 1 << 20);
  limits.read_size("body", http.body_bytes_max, 1 << 10, int64_t{1} << 30);
  base::Section timeouts = top.section("timeouts");
  timeouts.read("head", http.head_timeout, Millis(100), Millis(60'000));
  timeouts.read("body", http.body_timeout, Millis(100), Millis(3'600'000));
  timeouts.read("write", http.write_timeout, Millis(100), Millis(3'600'000));
}

// The first line of a file: a key, or a connection string that holds a password.
void read_secret(base::Section section, const char* key, std::string& secret) {
  std::string path;
  section.read(key, path);
  if (path.empty()) return;
  std::ifstream in(path);
  if (!std::getline(in, secret) || secret.empty() || secret.size() > kSecretMost) {
    section.fault(key, "cannot be read, or its first line is empty");
  }
}

void read_database(base::Section database, StoreOptions& store) {
  store.database.sqlite = "/var/lib/f29svc/f29.db";
  database.read("sqlite", store.database.sqlite);
  database.read("postgresql", store.database.postgresql);
  read_secret(database, "postgresql_file", store.database.postgresql);
  database.read("connections", store.connections, 1, 64);
  database.read("busy_timeout", store.database.busy_timeout, Millis(0), Millis(60'000));
}

void read_api_keys(base::Section top, std::vector<ApiKey>& keys) {
  for (base::Section one : top.sections("api_keys")) {
    ApiKey key;
    one.read("name", key.name);
    one.read("sha256", key.sha256);
    if (key.name.empty() || key.name.size() > 64) one.fault("name", "must have 1 to 64 letters");
    if (!is_sha256(key.sha256)) {
      one.fault("sha256", "must be 64 hex digits; f29svc new-key makes them");
    }
    keys.push_back(std::move(key));
  }
  if (keys.size() > 2) top.fault("api_keys", "at most two: the one in use and the next");
}

// A front proxy that signs people in names them in a field of its own; only its addresses may.
void read_front_proxy(base::Section proxy, Config& config) {
  proxy.read("header", config.http.user_header);
  proxy.read("from", config.access.proxies);
  if (config.http.user_header.empty() != config.access.proxies.empty()) {
    proxy.fault("header", "header and from are needed together");
  }
  const bool is_name = std::all_of(
      config.http.user_header.begin(), config.http.user_header.end(),
      [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-'; });
  if (!is_name) proxy.fault("header", "must be the name of a field, such as X-Remote-User");
  for (const std::string& from : config.access.proxies) {
    if (!base::parse_address(from.find(':') == from.npos ? from + ":0" : "[" + from + "]:0")) {
      proxy.fault("from", "must be addresses without ports, such as 127.0.0.1");
    }
  }
}

void read_companies(base::Section top, Config& config) {
  for (base::Section one : top.sections("companies")) {
    CompanyConfig company;
    std::string rut;
    int64_t odoo_id = 0;
    one.read("rut", rut);
    one.read("name", company.name);
    one.read("odoo_company", odoo_id, 1, INT64_C(1'000'000'000));
    if (auto read = parse_rut(rut)) {
      company.rut = *read;
    } else {
      one.fault("rut", "must be a RUT with its check digit, such as 99950100-1");
    }
    const bool again = std::any_of(config.companies.begin(), config.companies.end(),
                                   [&](const auto& before) { return before.rut == company.rut; });
    if (again && !company.rut.is_empty()) one.fault("rut", "stands there twice");
    if (odoo_id != 0) config.service.odoo_companies[company.rut] = odoo_id;
    config.companies.push_back(std::move(company));
  }
}

void read_odoo(base::Section odoo, ServiceOptions& service) {
  OdooOptions options;
  odoo.read("url", options.http.url);
  odoo.read("ca_file", options.http.ca_file);
  odoo.read("database", options.database);
  odoo.read("user", options.user);
  read_secret(odoo, "key_file", options.key);
  odoo.read("notes", service.odoo_notes);
  odoo.read("page", options.page, 1, 10'000);
  odoo.read("tries", options.tries, 1, 10);
  odoo.read("retry_wait", options.retry_wait, Millis(0), Millis(60'000));
  odoo.read("connect_timeout", options.http.connect_timeout, Millis(100), Millis(60'000));
  odoo.read("read_timeout", options.http.read_timeout, Millis(100), Millis(600'000));
  odoo.read("total_timeout", options.http.total_timeout, Millis(100), Millis(3'600'000));
  odoo.read_size("answer", options.http.answer_bytes_max, 1 << 10, int64_t{1} << 30);
  if (options.http.url.empty()) return;
  if (auto made = HttpClient::make(options.http); !made) odoo.fault("url", made.error().detail);
  if (options.database.empty()) odoo.fault("database", "is needed with a url");
  if (options.user.empty()) odoo.fault("user", "is needed with a url");
  if (options.key.empty()) odoo.fault("key_file", "is needed with a url");
  service.odoo = std::move(options);
}

void read_holidays(base::Section top, std::vector<Date>& holidays) {
  std::vector<std::string> days;
  top.read("holidays", days);
  for (const std::string& day : days) {
    auto date = parse_iso_date(day);
    if (date) holidays.push_back(*date);
    if (!date) top.fault("holidays", "must be days, yyyy-mm-dd");
  }
}

}  // namespace

Config read_config(const std::string& path, std::vector<base::ConfigFault>& faults) {
  Config config;
  base::YamlFile file = base::YamlFile::from_path(path);
  {
    base::Section top = file.top();
    read_listen(top, config.http);
    read_database(top.section("database"), config.store);
    read_api_keys(top, config.api_keys);
    read_front_proxy(top.section("front_proxy"), config);
    top.read("secure_cookie", config.access.secure_cookie);
    read_companies(top, config);
    read_odoo(top.section("odoo"), config.service);
    config.service.mapping.read(top.section("mapping"));
    read_holidays(top, config.service.holidays);
    top.read("log", config.log);
  }
  faults = file.faults();
  return config;
}

}  // namespace f29
