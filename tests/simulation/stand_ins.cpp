#include "tests/simulation/stand_ins.h"

#include <map>
#include <span>
#include <string>

#include "proxy/base/files.h"
#include "proxy/base/mac.h"

namespace simulation {
namespace {

struct StandIns {
  Random random{0};
  std::map<std::string, std::string, std::less<>> files;
  bool disk_fails = false;
  int asked = 0;
};

StandIns& stand_ins() {
  static StandIns all;
  return all;
}

}  // namespace

void begin_stand_ins(uint64_t seed) {
  StandIns& all = stand_ins();
  all.random = Random(seed ^ 0xABCDEF);
  all.files.clear();
  all.disk_fails = false;
}

void set_disk_fails(bool on) { stand_ins().disk_fails = on; }
int stand_ins_asked() { return stand_ins().asked; }

base::Log& quiet_log() {
  static const std::unique_ptr<base::Log> log = *base::Log::open("/dev/null");
  return *log;
}

}  // namespace simulation

// Their names are what the linker looks for; each is declared with the arguments of the original.
using simulation::stand_ins;

void wrapped_random_bytes(std::span<uint8_t> out) __asm__(
    "__wrap__ZN4base12random_bytesESt4spanIhLm18446744073709551615EE");
void wrapped_random_bytes(std::span<uint8_t> out) {
  ++stand_ins().asked;
  for (uint8_t& byte : out) byte = static_cast<uint8_t>(stand_ins().random.next() >> 24);
}

using Text = std::string;
base::Result<>
wrapped_write_file(const Text& path, std::string_view bytes, int mode, bool keep_old) __asm__(
    "__wrap__ZN4base18write_file_durablyERKNSt7__cxx1112basic_stringIcSt11char_traitsIcE"
    "SaIcEEESt17basic_string_viewIcS3_Eib");
base::Result<> wrapped_write_file(const std::string& path, std::string_view bytes, int, bool) {
  if (stand_ins().disk_fails) {
    return base::fail(base::ErrorCode::io_failed, base::Side::proxy, "the disk is full");
  }
  stand_ins().files[path] = bytes;
  return {};
}

base::Result<std::string> wrapped_read_file(const std::string& path, size_t limit) __asm__(
    "__wrap__ZN4base9read_fileERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEm");
base::Result<std::string> wrapped_read_file(const std::string& path, size_t) {
  const auto found = stand_ins().files.find(path);
  if (found != stand_ins().files.end()) return found->second;
  return base::fail(base::ErrorCode::not_found, base::Side::proxy, "no " + path);
}
