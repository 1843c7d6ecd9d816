#include "tests/integration/harness/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace harness {

std::string program(const std::string& name) { return std::string(BIN_FOLDER "/") + name; }

TempFolder::TempFolder(bool in_memory) {
  const std::filesystem::path memory = "/dev/shm";
  const bool is_there = in_memory && ::access(memory.c_str(), W_OK) == 0;
  std::string name =
      (is_there ? memory : std::filesystem::temp_directory_path()) / "sidecar-test-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw Failure("mkdtemp failed");
  path_ = name;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_text(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

Process::Process(std::vector<std::string> arguments, std::string output,
                 const std::vector<std::string>& environment, int activated_socket)
    : output_(std::move(output)) {
  std::vector<char*> argv;
  for (std::string& each : arguments) argv.push_back(each.data());
  argv.push_back(nullptr);
  std::vector<std::string> own = environment;
  std::vector<char*> envp;
  for (char** each = environ; *each != nullptr; ++each) envp.push_back(*each);
  for (std::string& each : own) envp.push_back(each.data());
  char listen_pid[32] = "LISTEN_PID=";
  char listen_fds[] = "LISTEN_FDS=1";
  if (activated_socket >= 0) envp.insert(envp.end(), {listen_pid, listen_fds});
  envp.push_back(nullptr);
  const int out = ::open(output_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (out < 0) throw Failure("cannot write " + output_);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // never outlives the test
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    if (activated_socket >= 0) {
      std::snprintf(listen_pid, sizeof listen_pid, "LISTEN_PID=%d", static_cast<int>(::getpid()));
      if (activated_socket == 3) ::fcntl(3, F_SETFD, 0);
      if (activated_socket != 3) ::dup2(activated_socket, 3);
    }
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  ::close(out);
  if (pid_ < 0) throw Failure("fork failed");
  pid_descriptor_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
}

Process::~Process() {
  if (running()) {
    signal(SIGKILL);
    wait(Millis{10'000});
  }
  if (pid_descriptor_ >= 0) ::close(pid_descriptor_);
}

bool Process::running() { return !wait(Millis{0}).has_value(); }

void Process::signal(int number) {
  if (!code_) ::kill(pid_, number);
}

std::optional<int> Process::wait(Millis within) {
  if (code_) return code_;
  pollfd ended{pid_descriptor_, POLLIN, 0};
  const Deadline deadline(within);
  while (::poll(&ended, 1, deadline.left_ms()) < 0 && errno == EINTR) {
  }
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return code_;
}

std::string Process::alarms() const {
  std::istringstream lines(output());
  std::string found;
  for (std::string line; std::getline(lines, line);) {
    for (const char* word :
         {"Sanitizer", "runtime error:", "broken invariant", "terminate called"}) {
      if (line.find(word) != std::string::npos) {
        found += line + "\n";
        break;
      }
    }
  }
  return found;
}

Finished run_program(std::vector<std::string> arguments, Millis within) {
  TempFolder folder;
  Process process(std::move(arguments), folder / "output");
  const auto code = process.wait(within * kSlowness);
  if (!code) throw Failure("still running: " + process.output());
  return {*code, process.output()};
}

long resident_kib(pid_t pid) {
  std::istringstream lines(read_text("/proc/" + std::to_string(pid) + "/status"));
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("VmRSS:", 0) == 0) return std::atol(line.c_str() + 6);
  }
  return 0;
}

long open_descriptors(pid_t pid) {
  std::error_code error;
  long count = 0;
  const std::filesystem::path folder = "/proc/" + std::to_string(pid) + "/fd";
  for (auto it = std::filesystem::directory_iterator(folder, error);
       !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    ++count;
  }
  return count;
}

}  // namespace harness
