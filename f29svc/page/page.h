// The accountant's page: its files are part of the program, and everything else goes on to the API.
// The page asks nothing but this service; its Content-Security-Policy forbids the rest. Any thread.
#pragma once

#include <span>
#include <string_view>

#include "f29svc/http/http_server.h"

namespace f29 {

struct PageFile {
  std::string_view name;  // "index.html"
  std::string_view text;
};

// In the program: the files of f29svc/page.
std::span<const PageFile> page_files();

class Page final : public HttpHandler {
 public:
  // `api` outlives this.
  explicit Page(HttpHandler& api) : api_(api) {}

  // HttpHandler: GET / and /page/NAME are answered here.
  std::optional<HttpResponse> begin(const HttpRequest& request) override;
  HttpResponse answer(const HttpRequest& request) override;
  HttpResponse refuse(int status) override;
  void account(const HttpRequest& request, int status) override;

 private:
  HttpHandler& api_;
};

}  // namespace f29
