#include "proxy/relay/own_answers.h"

#include "proxy/http/writer.h"

namespace relay {
namespace {

struct Words {
  int status;
  std::string_view title;
  std::string_view sentence;
};

constexpr Words kWords[] = {
    {400, "Solicitud no válida", "El navegador envió una solicitud que no se puede interpretar."},
    {403, "Acceso no permitido", "Esta dirección no está disponible desde aquí."},
    {404, "Página no encontrada", "No existe nada en esta dirección."},
    {405, "Método no permitido", "Este servicio no acepta ese tipo de solicitud."},
    {408, "Tiempo agotado", "La solicitud tardó demasiado en llegar completa."},
    {413, "Envío demasiado grande", "El archivo o formulario supera el tamaño permitido."},
    {414, "Dirección demasiado larga", "La dirección solicitada supera el largo permitido."},
    {417, "Solicitud no válida", "La solicitud pide algo que este servicio no ofrece."},
    {431, "Solicitud demasiado grande", "Los encabezados superan el tamaño permitido."},
    {501, "Método no disponible", "Este servicio no acepta ese tipo de solicitud."},
    {502, "Servicio no disponible", "El sistema no respondió. Intente de nuevo en un momento."},
    {503, "Servicio ocupado", "El sistema está ocupado. Intente de nuevo en unos segundos."},
    {504, "Tiempo agotado", "El sistema tardó demasiado en responder. Intente de nuevo."},
    {505, "Versión no disponible", "Este servicio no acepta esa versión del protocolo."},
    {508, "Solicitud en círculo", "La solicitud volvió al mismo servicio que la envió."},
};
constexpr Words kOther = {500, "Error", "Ocurrió un error. Intente de nuevo en un momento."};

constexpr std::string_view kAllowed = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

const Words& words_of(int status) {
  for (const Words& words : kWords) {
    if (words.status == status) return words;
  }
  return kOther;
}

void append_page(const OwnAnswer& answer, std::string& body) {
  const Words& words = words_of(answer.status);
  body += "<!DOCTYPE html>\n<html lang=\"es\"><head><meta charset=\"utf-8\"><title>";
  body += words.title;
  body += "</title></head>\n<body><h1>";
  body += words.title;
  body += "</h1><p>";
  body += words.sentence;
  body += "</p><p><small>";
  body += std::to_string(answer.status);
  body += " · ";
  body += answer.request_id;
  body += "</small></p></body></html>\n";
}

void append_json_rpc(const OwnAnswer& answer, std::string& body) {
  const Words& words = words_of(answer.status);
  body += R"({"jsonrpc":"2.0","id":null,"error":{"code":)";
  body += std::to_string(answer.status);
  body += R"(,"message":")";
  body += words.title;
  body += R"(","data":{"name":"sidecar.unavailable","message":")";
  body += words.sentence;
  body += R"(","arguments":[],"context":{},"request_id":")";
  body += answer.request_id;
  body += "\"}}}";
}

}  // namespace

void write_options_answer(std::string_view request_id, std::string_view date, bool close,
                          std::string& out) {
  http::write_status_line(200, 1, out);
  http::write_field("Allow", kAllowed, out);
  http::write_field("Content-Length", uint64_t{0}, out);
  http::write_field("Date", date, out);
  http::write_field("X-Request-Id", request_id, out);
  if (close) out += "Connection: close\r\n";
  out += "\r\n";
}

bool speaks_json_rpc(std::string_view path) {
  const auto under = [path](std::string_view prefix) {
    return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
  };
  return under("/jsonrpc") || under("/web/dataset");
}

void write_own_answer(const OwnAnswer& answer, std::string& out) {
  std::string body;  // errors only: not on the fast path
  if (answer.json_rpc) {
    append_json_rpc(answer, body);
  } else {
    append_page(answer, body);
  }
  http::write_status_line(answer.status, 1, out);
  http::write_field("Content-Type",
                    answer.json_rpc ? "application/json" : "text/html; charset=utf-8", out);
  http::write_field("Content-Length", body.size(), out);
  http::write_field("Cache-Control", "no-store", out);
  http::write_field("Date", answer.date, out);
  if (answer.status == 405) {  // which must say what is allowed (RFC 9110 15.5.6)
    http::write_field("Allow", kAllowed, out);
  }
  if (!answer.request_id.empty()) http::write_field("X-Request-Id", answer.request_id, out);
  if (answer.retry_after_s > 0) {
    http::write_field("Retry-After", static_cast<uint64_t>(answer.retry_after_s), out);
  }
  if (answer.close) out += "Connection: close\r\n";
  out += "\r\n";
  if (!answer.head_only) out += body;
}

void write_health_answer(bool serving, std::string_view date, bool head_only, bool close,
                         std::string& out) {
  const std::string_view body = serving ? R"({"status":"pass"})" : R"({"status":"fail"})";
  http::write_status_line(serving ? 200 : 503, 1, out);
  out += "Content-Type: application/json\r\nCache-Control: no-store\r\n";
  http::write_field("Content-Length", body.size(), out);
  http::write_field("Date", date, out);
  if (close) out += "Connection: close\r\n";
  out += "\r\n";
  if (!head_only) out += body;
}

}  // namespace relay
