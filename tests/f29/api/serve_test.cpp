// The configuration and the program around the API.
#include "f29svc/serve.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "f29svc/config.h"
#include "proxy/base/mac.h"
#include "tests/f29/api/api_fixture.h"

using namespace f29;
using namespace f29test;

namespace {

class ServeTest : public ::testing::Test {
 protected:
  ServeTest() {
    char name[] = "/tmp/f29-serve-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~ServeTest() override { std::filesystem::remove_all(folder_); }
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name) << text;
    return folder_ + "/" + name;
  }
  std::vector<std::string> faults_of(const std::string& text) {
    std::vector<base::ConfigFault> faults;
    config_ = read_config(write("f29svc.yaml", text), faults);
    std::vector<std::string> texts;
    for (const base::ConfigFault& fault : faults) {
      texts.push_back(std::to_string(fault.line) + ": " + fault.key);
    }
    return texts;
  }

  std::string folder_;
  Config config_;
};

}  // namespace

TEST_F(ServeTest, ShipsAConfigurationThatSaysTheDefaults) {
  std::vector<base::ConfigFault> faults;
  const Config shipped = read_config("conf/f29svc.yaml", faults);
  for (const base::ConfigFault& fault : faults) ADD_FAILURE() << fault.text();
  EXPECT_TRUE(faults_of("{}").empty());
  EXPECT_EQ(shipped.http.listen, config_.http.listen);
  EXPECT_EQ(shipped.http.threads, config_.http.threads);
  EXPECT_EQ(shipped.http.waiting_max, config_.http.waiting_max);
  EXPECT_EQ(shipped.http.head_bytes_max, config_.http.head_bytes_max);
  EXPECT_EQ(shipped.http.body_bytes_max, config_.http.body_bytes_max);
  EXPECT_EQ(shipped.http.head_timeout, config_.http.head_timeout);
  EXPECT_EQ(shipped.http.body_timeout, config_.http.body_timeout);
  EXPECT_EQ(shipped.http.write_timeout, config_.http.write_timeout);
  EXPECT_EQ(shipped.store.database.sqlite, config_.store.database.sqlite);
  EXPECT_EQ(shipped.store.database.postgresql, config_.store.database.postgresql);
  EXPECT_EQ(shipped.store.database.busy_timeout, config_.store.database.busy_timeout);
  EXPECT_EQ(shipped.store.connections, config_.store.connections);
  EXPECT_FALSE(shipped.service.odoo.has_value());
  EXPECT_TRUE(shipped.http.listen.is_v4());
  EXPECT_EQ(shipped.http.listen.host(), "127.0.0.1");
}

TEST_F(ServeTest, ReportsEveryFaultOfAConfigurationInOneRun) {
  const auto faults = faults_of(
      "listen: nowhere\nthreads: 0\nlimits: { head: 1GiB }\n"
      "api_keys: [{name: a, sha256: 1}]\ncompanies: [{rut: 1-2}]\nunknown: 1\n"
      "odoo: { url: \"ftp://x\" }\nholidays: [tomorrow]\n");
  const std::vector<std::string> expected = {
      "1: listen",           "2: threads",       "3: limits.head", "4: api_keys[0].sha256",
      "5: companies[0].rut", "6: unknown",       "7: odoo.url",    "7: odoo.database",
      "7: odoo.user",        "7: odoo.key_file", "8: holidays"};
  EXPECT_EQ(faults, expected);
}

TEST_F(ServeTest, TakesTwoKeysAndNoThird) {
  std::string keys = "api_keys:\n";
  for (const char* name : {"one", "two", "three"}) {
    keys += "  - { name: " + std::string(name) + ", sha256: " + base::sha256_hex(name) + " }\n";
    EXPECT_EQ(faults_of(keys).size(), std::string(name) == "three" ? 1u : 0u);
  }
  EXPECT_EQ(user_of("two", config_.api_keys), "two");
}

TEST_F(ServeTest, ReadsSecretsFromFilesOfTheirOwn) {
  const std::string key = write("odoo.key", "the-key\nsecond line\n");
  const std::string database = write("pg", "host=/run/postgresql password=x\n");
  const auto faults = faults_of(
      "odoo: { url: \"https://odoo.example\", database: b, user: u, "
      "key_file: \"" +
      key +
      "\" }\n"
      "database: { postgresql_file: \"" +
      database + "\" }\n");
  EXPECT_TRUE(faults.empty());
  EXPECT_EQ(config_.service.odoo->key, "the-key");
  EXPECT_EQ(config_.store.database.postgresql, "host=/run/postgresql password=x");
  EXPECT_EQ(faults_of("database: { postgresql_file: /nowhere }").size(), 1u);
}

TEST_F(ServeTest, MakesAKeyThatItsLineLetsIn) {
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_EQ(new_key_command("ana", out, err), 0);
  const std::string text = out.str();
  const std::string key = text.substr(8, text.find('\n') - 8);
  EXPECT_EQ(key.size(), 43u);
  const std::string line = text.substr(text.find("- {"));
  EXPECT_TRUE(faults_of("api_keys:\n  " + line).empty());
  EXPECT_EQ(user_of(key, config_.api_keys), "ana");
  EXPECT_EQ(user_of(key + "x", config_.api_keys), "");
  EXPECT_EQ(user_of("", config_.api_keys), "");
}

TEST_F(ServeTest, ServesUntilItIsAskedToEnd) {
  const std::string config =
      write("f29svc.yaml", "listen: 127.0.0.1:0\ndatabase: { sqlite: \"" + folder_ +
                               "/f29.db\" }\n"
                               "companies: [{ rut: 99950100-1, name: Empresa A }]\n");
  int out[2] = {-1, -1};
  ASSERT_EQ(::pipe2(out, O_CLOEXEC), 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(out[1], 1);
    ::execl(F29SVC, "f29svc", "serve", "--config", config.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(out[1]);
  std::string said;
  for (char c = 0; ::read(out[0], &c, 1) == 1 && c != '\n';) said += c;
  const auto started = nlohmann::json::parse(said, nullptr, false);
  ASSERT_TRUE(started.is_object()) << said;
  const std::string address = started["address"];
  const auto port = static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  const Answer health = read_answer(exchange(port, "GET /healthz HTTP/1.1\r\nHost: f\r\n\r\n"));
  EXPECT_EQ(health.status, 200);
  const Answer metrics = read_answer(exchange(port, "GET /metrics HTTP/1.1\r\nHost: f\r\n\r\n"));
  EXPECT_NE(metrics.body.find("company=\"99950100-1\"} 0"), std::string::npos);
  ::kill(pid, SIGTERM);
  int status = 0;
  ::waitpid(pid, &status, 0);
  ::close(out[0]);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST_F(ServeTest, SaysWhyItCannotServe) {
  std::ostringstream err;
  EXPECT_EQ(serve_command(folder_ + "/none.yaml", err), 2);
  EXPECT_FALSE(err.str().empty());
  EXPECT_EQ(serve_command(write("a.yaml", "database: { sqlite: /proc/none/f29.db }"), err), 1);
}
