// TLS in front of plain ports, by a program that is not ours (Python's asyncio over OpenSSL): what
// a backend with a certificate looks like. Keeps a record of who came.
#pragma once

#include <signal.h>

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "tests/integration/harness/process.h"

namespace harness {

class TlsDoor {
 public:
  // One port for each of `plain`. The files may change: see renew().
  TlsDoor(const std::string& certificate, const std::string& key,
          const std::vector<uint16_t>& plain) {
    std::vector<std::string> words = {"/usr/bin/python3", folder_ / "door.py", certificate, key,
                                      folder_ / "record"};
    for (uint16_t port : plain) words.push_back(std::to_string(port));
    write_text(folder_ / "door.py", kScript);
    process_ = std::make_unique<Process>(words, folder_ / "output");
    await("the door to listen", [&] {
      if (!process_->running()) throw Failure("the door ended: " + process_->output());
      ports_ = lines_after("ports ");
      return !ports_.empty();
    });
    std::istringstream words_of(ports_.back());
    ports_.clear();
    for (std::string port; words_of >> port;) ports_.push_back(port);
  }

  std::string address(size_t port) const { return "127.0.0.1:" + ports_.at(port); }
  // New connections see what the files hold now.
  void renew() {
    const size_t before = lines_after("loaded").size();
    process_->signal(SIGHUP);
    await("the door to take its files", [&] { return lines_after("loaded").size() > before; });
  }
  // The server names that were asked for; by those that resumed a session, or by the others.
  std::vector<std::string> names(bool resumed) const {
    return lines_after(resumed ? "resumed " : "new ");
  }

 private:
  static constexpr const char* kScript = R"(
import asyncio, signal, ssl, sys
certificate, key, record, *plain = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
def see_name(connection, name, _): connection.name = name
context.sni_callback = see_name
out = open(record, 'a')
def say(*words): print(*words, file=out, flush=True)
def renew():
    context.load_cert_chain(certificate, key)
    say('loaded')
async def pump(reader, writer):
    try:
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    except (OSError, ssl.SSLError): pass
    finally: writer.close()
def server_for(port):
    async def serve(reader, writer):
        tls = writer.get_extra_info('ssl_object')
        say('resumed' if tls.session_reused else 'new', getattr(tls, 'name', None))
        try: inner = await asyncio.open_connection('127.0.0.1', port)
        except OSError: return writer.close()
        await asyncio.gather(pump(reader, inner[1]), pump(inner[0], writer))
    return asyncio.start_server(serve, '127.0.0.1', 0, ssl=context, backlog=512)
async def main():
    servers = [await server_for(int(port)) for port in plain]
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, renew)
    say('ports', *(s.sockets[0].getsockname()[1] for s in servers))
    await asyncio.Event().wait()
asyncio.run(main())
)";

  std::vector<std::string> lines_after(const std::string& word) const {
    std::vector<std::string> found;
    std::istringstream lines(read_text(folder_ / "record"));
    for (std::string line; std::getline(lines, line);) {
      if (line.rfind(word, 0) == 0) found.push_back(line.substr(word.size()));
    }
    return found;
  }

  TempFolder folder_;
  std::unique_ptr<Process> process_;
  std::vector<std::string> ports_;
};

}  // namespace harness
