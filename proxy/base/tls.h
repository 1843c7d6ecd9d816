// What TLS connections share: certificates, keys and settings of one side, read from files once.
// Immutable, for any thread; connections keep it alive, so that new files change only new ones.
// TLS 1.2 and 1.3, forward secrecy only, no compression, no renegotiation, HTTP/1.1.
#pragma once

#include <memory>
#include <string>

#include "proxy/base/result.h"

struct ssl_ctx_st;
struct ssl_session_st;

namespace base {

// How a server proves who it is: PEM files, the certificate followed by its chain.
struct TlsIdentity {
  std::string certificate;
  std::string key;
};

// Whom a client means to talk to.
struct TlsServer {
  std::string ca;      // PEM file of those who may vouch; empty: the system's
  std::string name;    // the host name (or address) that the certificate must be for
  bool verify = true;  // off: anybody is believed
};

class TlsContext {
 public:
  // An error names the file and the reason, never what is in a key.
  static Result<std::shared_ptr<const TlsContext>> for_server(const TlsIdentity& identity);
  static Result<std::shared_ptr<const TlsContext>> for_client(const TlsServer& server);
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;
  ~TlsContext();

  ssl_ctx_st* raw() const { return raw_; }
  const std::string& server_name() const { return server_name_; }  // of a client's context
  bool verifies() const { return verifies_; }

 private:
  explicit TlsContext(ssl_ctx_st* raw) : raw_(raw) {}
  ssl_ctx_st* raw_;
  std::string server_name_;
  bool verifies_ = false;
};

// The last session with one server, to be resumed by the next connection. Belongs to one loop. A
// session of an older context is not resumed: it was verified by rules that hold no more.
class TlsSession {
 public:
  TlsSession() = default;
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;
  ~TlsSession();

  void keep(std::shared_ptr<const TlsContext> context, ssl_session_st* session);  // takes it
  bool is_of(const TlsContext* context) const { return context_.get() == context; }
  ssl_session_st* of(const TlsContext& context) const {
    return context_.get() == &context ? session_ : nullptr;
  }

 private:
  std::shared_ptr<const TlsContext> context_;
  ssl_session_st* session_ = nullptr;
};

}  // namespace base
