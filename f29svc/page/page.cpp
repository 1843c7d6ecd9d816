#include "f29svc/page/page.h"

#include <utility>

namespace f29 {

namespace {

// No inline script or style, no text that becomes markup, no request to anybody else, no frame.
constexpr const char* kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";
// An answer of the API that a browser shows by itself may do nothing at all.
constexpr const char* kDataPolicy = "default-src 'none'; frame-ancestors 'none'; sandbox";

std::string_view type_of(std::string_view name) {
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  return "image/svg+xml";
}

const PageFile* find_file(std::string_view path) {
  constexpr std::string_view kFolder = "/page/";
  std::string_view name = "index.html";
  if (path != "/") {
    if (!path.starts_with(kFolder)) return nullptr;
    name = path.substr(kFolder.size());
  }
  for (const PageFile& file : page_files()) {
    if (file.name == name) return &file;
  }
  return nullptr;
}

void add_fields(HttpResponse& response, const char* policy) {
  response.fields["Content-Security-Policy"] = policy;
  response.fields["Referrer-Policy"] = "no-referrer";
  response.fields["X-Frame-Options"] = "DENY";
  response.fields["Cross-Origin-Opener-Policy"] = "same-origin";
  response.fields["Cross-Origin-Resource-Policy"] = "same-origin";
}

HttpResponse data(HttpResponse response) {
  add_fields(response, kDataPolicy);
  return response;
}

}  // namespace

std::optional<HttpResponse> Page::begin(const HttpRequest& request) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const PageFile* file = reads ? find_file(request.path) : nullptr;
  if (file == nullptr) {
    auto early = api_.begin(request);
    if (early) return data(std::move(*early));
    return std::nullopt;
  }
  HttpResponse response{200, std::string(type_of(file->name)), std::string(file->text), {}};
  add_fields(response, kPagePolicy);
  return response;
}

HttpResponse Page::answer(const HttpRequest& request) { return data(api_.answer(request)); }

HttpResponse Page::refuse(int status) { return data(api_.refuse(status)); }

void Page::account(const HttpRequest& request, int status) { api_.account(request, status); }

}  // namespace f29
