#include "proxy/base/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "proxy/base/check.h"
#include "proxy/base/tls_stream.h"

namespace base {
namespace {

constexpr unsigned char kProtocols[] = "\x08http/1.1";
constexpr unsigned kProtocolsSize = sizeof kProtocols - 1;
constexpr long kSessionSeconds = 3'600;

// Forward secrecy and authenticated encryption; those of TLS 1.3 are all of that kind.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr const char* kGroups = "X25519:P-256:P-384";

std::string openssl_reason() {
  unsigned long code = ERR_peek_error();  // the first says what the file system said
  if (!ERR_SYSTEM_ERROR(code)) code = ERR_peek_last_error();
  const char* reason = ERR_reason_error_string(code);
  std::string text = reason != nullptr ? reason : "unknown reason";
  if (ERR_SYSTEM_ERROR(code)) text = io_error("open", ERR_GET_REASON(code)).detail;
  ERR_clear_error();
  return text;
}

tl::unexpected<Error> bad_file(const char* what, const std::string& file) {
  return fail(ErrorCode::bad_config, Side::proxy,
              std::string(what) + " " + file + ": " + openssl_reason());
}

// Nobody is there to be asked for the password of a key.
int no_password(char*, int, int, void*) { return 0; }

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned offered_size, void*) {
  unsigned char* found = nullptr;
  const int result =
      SSL_select_next_proto(&found, chosen_size, kProtocols, kProtocolsSize, offered, offered_size);
  if (result != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

SSL_CTX* make_raw(const SSL_METHOD* method) {
  ERR_clear_error();
  SSL_CTX* raw = SSL_CTX_new(method);
  CHECK(raw != nullptr);
  CHECK(SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION) == 1);
  CHECK(SSL_CTX_set_cipher_list(raw, kCiphers) == 1);
  CHECK(SSL_CTX_set1_groups_list(raw, kGroups) == 1);
  SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                               SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);  // idle connections hold none
  SSL_CTX_set_default_passwd_cb(raw, no_password);
  SSL_CTX_set_timeout(raw, kSessionSeconds);
  return raw;
}

}  // namespace

TlsContext::~TlsContext() { SSL_CTX_free(raw_); }

Result<std::shared_ptr<const TlsContext>> TlsContext::for_server(const TlsIdentity& identity) {
  std::shared_ptr<TlsContext> context(new TlsContext(make_raw(TLS_server_method())));
  SSL_CTX* raw = context->raw_;
  if (SSL_CTX_use_certificate_chain_file(raw, identity.certificate.c_str()) != 1) {
    return bad_file("certificate", identity.certificate);
  }
  // It also compares the two.
  if (SSL_CTX_use_PrivateKey_file(raw, identity.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(raw) != 1) {
    return bad_file("key", identity.key);
  }
  // Tickets only: sealed with a key of this context, so every worker can resume, and none keeps.
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  constexpr unsigned char kIdContext[] = "sidecar";
  CHECK(SSL_CTX_set_session_id_context(raw, kIdContext, sizeof kIdContext - 1) == 1);
  SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
  return context;
}

Result<std::shared_ptr<const TlsContext>> TlsContext::for_client(const TlsServer& server) {
  std::shared_ptr<TlsContext> context(new TlsContext(make_raw(TLS_client_method())));
  SSL_CTX* raw = context->raw_;
  context->server_name_ = server.name;
  context->verifies_ = server.verify;
  if (server.ca.empty()) {
    CHECK(SSL_CTX_set_default_verify_paths(raw) == 1);
  } else if (SSL_CTX_load_verify_locations(raw, server.ca.c_str(), nullptr) != 1) {
    return bad_file("ca", server.ca);
  }
  SSL_CTX_set_verify(raw, server.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (server.verify) {
    X509_VERIFY_PARAM* rules = SSL_CTX_get0_param(raw);
    X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    const bool is_address = X509_VERIFY_PARAM_set1_ip_asc(rules, server.name.c_str()) == 1;
    ERR_clear_error();
    if (!is_address && X509_VERIFY_PARAM_set1_host(rules, server.name.c_str(), 0) != 1) {
      return fail(ErrorCode::bad_config, Side::proxy, "name " + server.name + ": no host name");
    }
  }
  CHECK(SSL_CTX_set_alpn_protos(raw, kProtocols, kProtocolsSize) == 0);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(raw, TlsStream::keep_session);
  return context;
}

TlsSession::~TlsSession() { SSL_SESSION_free(session_); }

void TlsSession::keep(std::shared_ptr<const TlsContext> context, ssl_session_st* session) {
  SSL_SESSION_free(session_);
  session_ = session;
  context_ = std::move(context);
}

}  // namespace base
