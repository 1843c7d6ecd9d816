"""The rules that layers.py checks, as data. The first table is also in docs/design.md; both must say
the same."""

# Who may include whom. A folder always includes itself.
MAY_INCLUDE = {
    "base": set(),
    "http": {"base"},
    "routing": {"base"},
    "relay": {"base", "http", "routing"},
    "shifter/policy": {"base"},
    "shifter/control": {"base", "http", "routing", "shifter/policy"},
    "shifter/cli": {"base", "shifter/policy"},
    "shifter/agent": {"base"},
    "f29svc": {"base"},
    "proxy/main.cpp, proxy/config": {"base", "http", "routing", "relay", "shifter/control"},
    "shifter/main.cpp": {"base", "shifter/cli", "shifter/agent"},
    "tests, bench": None,  # anything
}

# A path's row in the table above: the first pattern that matches.
ROWS = [
    (r"proxy/(main\.cpp|config\.(h|cpp))", "proxy/main.cpp, proxy/config"),
    (r"shifter/main\.cpp", "shifter/main.cpp"),
    (r"proxy/base/.*", "base"),
    (r"proxy/http/.*", "http"),
    (r"proxy/routing/.*", "routing"),
    (r"proxy/relay/.*", "relay"),
    (r"shifter/policy/.*", "shifter/policy"),
    (r"shifter/control/.*", "shifter/control"),
    (r"shifter/cli/.*", "shifter/cli"),
    (r"shifter/agent/.*", "shifter/agent"),
    (r"f29svc/.*", "f29svc"),
    (r"(tests|bench)/.*", "tests, bench"),
]

# Outside libraries: the header (a pattern), its homes (patterns of files), and a word for people.
LIBRARIES = [
    (r"uv\.h", [r"proxy/base/(uv_\w+|socket\w*|mailbox|poll_handle|resolver|child)\.(h|cpp)",
                r"shifter/agent/\w+\.cpp"], "libuv"),
    (r"openssl/.*", [r"proxy/base/(tls\w*|mac)\.cpp"], "OpenSSL"),
    (r"yaml-cpp/.*", [r"proxy/base/yaml\w*\.cpp"], "yaml-cpp"),
    (r"prometheus/.*", [r"proxy/base/metrics\.cpp"], "prometheus-cpp"),
    (r"llhttp\.h", [r"proxy/http/(parser|llhttp_\w+|\w*head_parser|second_parser)\.cpp"], "llhttp"),
    (r"nlohmann/json_fwd\.hpp", [r"(shifter|f29svc)/.*\.h"], "nlohmann/json (forward)"),
    (r"nlohmann/json\.hpp", [r"(shifter|f29svc)/.*\.cpp", r"proxy/main\.cpp"], "nlohmann/json"),
    (r"CLI/.*", [r"(proxy|shifter|f29svc)/main\.cpp", r"f29svc/\w+\.cpp"], "CLI11"),
    (r"tl/expected\.hpp", [r".*\.h"], "tl::expected"),
    (r"boost/.*", [r"f29svc/.*"], "Boost"),
    (r"httplib\.h", [r"f29svc/.*\.cpp"], "cpp-httplib"),
    (r"soci/.*", [r"f29svc/.*\.cpp"], "SOCI"),
    (r"pugixml\.hpp", [r"f29svc/.*\.cpp"], "pugixml"),
]
# Libraries that one wrapper hides: at most one file includes them.
ONE_WRAPPER = {"cpp-httplib", "SOCI", "pugixml"}

# Headers of the system that need no home.
SYSTEM_HEADER = (r"[a-z_0-9]+"  # the C++ library
                 r"|(sys|netinet|arpa|net|linux|asm|bits)/[a-z_0-9]+\.h"
                 r"|(assert|ctype|dirent|dlfcn|errno|fcntl|fenv|getopt|grp|immintrin|emmintrin"
                 r"|limits|locale|math|netdb|poll|pthread|pwd|sched|signal|spawn|stdarg|stdbool"
                 r"|stddef|stdint|stdio|stdlib|string|strings|syslog|termios|time|tmmintrin|unistd"
                 r"|wchar|x86intrin|smmintrin|arm_neon)\.h")

LINES_MAX = 500
TEST_LINES_MAX = 800
COLUMNS_MAX = 100

# Words that are not committed, where they count, and why.
WORDS = [
    (r"\bllhttp_set_lenient\w*", r"(?!tests/layers/).*",
     "the second parser is strict; nothing may loosen it"),
    (r"\bTODO\b(?!\((soon|someday|perf)\): )", r".*\.(h|cpp|c|py|md|yaml|yml|sh|txt)",
     "write TODO(soon|someday|perf): and what"),
    (r"\bFIXME\b|\bXXX\b", r".*\.(h|cpp|c|py|md|yaml|yml|sh|txt)", "mend it, or say what is open"),
    (r"\bDISABLED_|\bGTEST_SKIP\b", r"tests/.*\.cpp", "a test that is switched off shows nothing"),
    (r"\bsleep_for\b|\busleep\(|\btime\.sleep\b|\bsleep\(", r"tests/(?!support/standin/).*\.(h|cpp|py)",
     "await an event with a deadline, or move a fake clock"),
    (r"\b(upstream|downstream)\b", r"(proxy|shifter)/.*\.(h|cpp)", "we say client and backend"),
]
