// The files of the page and what is said about them; what it looks like is seen by a browser
// (tests/f29/page/page_browser.py).
#include "f29svc/page/page.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "f29svc/compute/mapping.h"

namespace {

using namespace f29;

// Says which part was asked.
class FakeApi final : public HttpHandler {
 public:
  std::optional<HttpResponse> begin(const HttpRequest& request) override {
    if (request.path == "/early") return HttpResponse{401, "application/json", "early", {}};
    return std::nullopt;
  }
  HttpResponse answer(const HttpRequest&) override { return {200, "text/csv", "answer", {}}; }
  HttpResponse refuse(int status) override { return {status, "application/json", "refused", {}}; }
  void account(const HttpRequest&, int status) override { accounted = status; }
  int accounted = 0;
};

HttpRequest get(const std::string& path, const std::string& method = "GET") {
  HttpRequest request;
  request.method = method;
  request.path = path;
  return request;
}

std::string text_of(std::string_view name) {
  for (const PageFile& file : page_files()) {
    if (file.name == name) return std::string(file.text);
  }
  return {};
}

// What a pattern's first group finds in a text.
std::set<std::string> found(const std::string& text, const std::string& pattern) {
  std::set<std::string> all;
  const std::regex regex(pattern);
  for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at) {
    all.insert((*at)[1]);
  }
  return all;
}

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

// Has the table of that name (`const NAME = {` to `};`) this word as a key?
bool has_word(const std::string& text, const std::string& table, const std::string& word) {
  const size_t begin = text.find("const " + table + " = {");
  const size_t end = text.find("\n};", begin);
  if (begin == text.npos || end == text.npos) return false;
  return std::regex_search(text.substr(begin, end - begin), std::regex("\\b" + word + ":"));
}

}  // namespace

TEST(Page, IsServedAtTheRootUnderAPolicyThatForbidsEverythingElse) {
  FakeApi api;
  Page page(api);
  const auto response = page.begin(get("/"));
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->content_type, "text/html; charset=utf-8");
  EXPECT_EQ(response->body, text_of("index.html"));
  const std::string policy = response->fields.at("Content-Security-Policy");
  for (const char* part : {"default-src 'none'", "script-src 'self'", "style-src 'self'",
                           "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'",
                           "form-action 'none'", "require-trusted-types-for 'script'"}) {
    EXPECT_NE(policy.find(part), policy.npos) << part;
  }
  EXPECT_EQ(policy.find("unsafe"), policy.npos);
  EXPECT_EQ(policy.find("http"), policy.npos);
  EXPECT_EQ(response->fields.at("Referrer-Policy"), "no-referrer");
  EXPECT_EQ(response->fields.at("X-Frame-Options"), "DENY");
  EXPECT_TRUE(page.begin(get("/", "HEAD")).has_value());
}

TEST(Page, ServesEachOfItsFilesWithItsTypeAndNoOther) {
  FakeApi api;
  Page page(api);
  ASSERT_GE(page_files().size(), 3u);
  for (const PageFile& file : page_files()) {
    const auto response = page.begin(get("/page/" + std::string(file.name)));
    ASSERT_TRUE(response.has_value()) << file.name;
    EXPECT_EQ(response->body, file.text);
    EXPECT_TRUE(response->fields.contains("Content-Security-Policy")) << file.name;
    EXPECT_LT(file.text.size(), size_t{64} << 10) << file.name;
  }
  EXPECT_EQ(page.begin(get("/page/app.js"))->content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(page.begin(get("/page/style.css"))->content_type, "text/css; charset=utf-8");
  EXPECT_EQ(page.begin(get("/page/icon.svg"))->content_type, "image/svg+xml");
  for (const char* path :
       {"/page/", "/page/none.js", "/page/../page.cpp", "/index.html", "/page"}) {
    EXPECT_FALSE(page.begin(get(path)).has_value()) << path;
  }
  EXPECT_FALSE(page.begin(get("/", "POST")).has_value());
}

TEST(Page, LetsTheApiAnswerWhatIsNotItsOwnAndForbidsItsAnswersToAct) {
  FakeApi api;
  Page page(api);
  EXPECT_EQ(page.begin(get("/early"))->body, "early");
  const HttpResponse answer = page.answer(get("/v1/companies"));
  EXPECT_EQ(answer.body, "answer");
  EXPECT_EQ(answer.fields.at("Content-Security-Policy").find("default-src 'none'"), 0u);
  EXPECT_EQ(page.refuse(413).status, 413);
  page.account(get("/"), 200);
  EXPECT_EQ(api.accounted, 200);
}

TEST(Page, HasEveryFileThatAFileNames) {
  std::set<std::string> names;
  for (const PageFile& file : page_files()) names.insert(std::string(file.name));
  for (const std::string& name : found(text_of("index.html"), "(?:href|src)=\"page/([^\"]+)\"")) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
  for (const PageFile& file : page_files()) {
    if (!file.name.ends_with(".js")) continue;
    for (const std::string& name : found(std::string(file.text), "from \"\\./([^\"]+)\"")) {
      EXPECT_TRUE(names.contains(name)) << file.name << " imports " << name;
    }
  }
}

TEST(Page, HasNothingInlineAndNoAddressOfAnybodyElse) {
  const std::string html = text_of("index.html");
  EXPECT_TRUE(found(html, "( style=| on[a-z]+=|<style|javascript:)").empty());
  EXPECT_TRUE(found(html, "<script(?![^>]* src=)()").empty());
  for (const PageFile& file : page_files()) {
    const std::string text(file.text);
    for (const std::string& address : found(text, "(https?://[^\"' )]+)")) {
      EXPECT_EQ(address, "http://www.w3.org/2000/svg") << file.name;
    }
    EXPECT_TRUE(found(text, "(innerHTML|outerHTML|insertAdjacentHTML|document\\.write|eval\\()")
                    .empty())
        << file.name;
    if (!file.name.ends_with(".css")) continue;
    EXPECT_TRUE(found(text, "(@import|url\\()").empty()) << file.name;
  }
}

TEST(Page, HasASpanishTextForEveryWordOfTheApi) {
  const auto api = nlohmann::json::parse(read("f29svc/api/openapi.json"))["components"]["schemas"];
  const std::string texts = text_of("texts.js");
  const auto expect_words = [&](const std::string& table, const nlohmann::json& schema) {
    ASSERT_TRUE(schema.contains("enum")) << table;
    for (const std::string word : schema["enum"]) {
      EXPECT_TRUE(has_word(texts, table, word)) << table << ": " << word;
    }
  };
  expect_words("states", api["State"]);
  expect_words("declarations", api["Period"]["properties"]["declaration"]);
  expect_words("flows", api["Flow"]["properties"]["state"]);
  expect_words("severities", api["Finding"]["properties"]["severity"]);
  expect_words("sides", api["Document"]["properties"]["side"]);
  expect_words("sections", api["Document"]["properties"]["section"]);
  expect_words("bookStates", api["Document"]["properties"]["state"]);
  expect_words("statuses", api["Reconciled"]["properties"]["status"]);
  expect_words("amountFields", api["Reconciled"]["properties"]["field"]);
}

TEST(Page, HasASpanishTextForEveryRuleAndFinding) {
  const Mapping mapping;
  const std::string texts = text_of("texts.js");
  for (size_t i = 0; i < mapping.rules(); ++i) {
    const std::string rule(mapping.rule(i).name);
    if (rule.starts_with("other_tax_")) continue;  // by its number
    EXPECT_TRUE(has_word(texts, "rules", rule)) << rule;
  }
  std::set<std::string> codes;
  for (const char* folder : {"f29svc/compute", "f29svc/sources", "f29svc/reconcile"}) {
    if (!std::filesystem::exists(folder)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (entry.path().extension() != ".cpp") continue;
      codes.merge(found(read(entry.path()),
                        "\"([a-z][a-z_0-9]+)\",\\s*(?:Severity::|kWarning|kError|kNote)"));
    }
  }
  EXPECT_GT(codes.size(), 80u);
  for (const std::string& code : codes) {
    EXPECT_TRUE(has_word(text_of("advice.js"), "texts", code)) << code;
  }
}
