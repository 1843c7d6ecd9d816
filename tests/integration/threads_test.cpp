// The workers' threads agree under load. The build with ThreadSanitizer has this file alone.
#include "tests/integration/harness/load.h"
#include "tests/integration/harness/standin.h"

namespace {

using namespace harness;

// Everything that crosses threads at once; run under ThreadSanitizer as well.
TEST(Threads, AgreeWhileTablesChangeUnderLoad) {
  const TempFolder folder;
  const Standin blue("blue", {"--workers", "4"}, folder / "nonces");
  const Standin green("green", {"--workers", "4"}, folder / "nonces");
  SidecarSetup setup;
  setup.workers = 4;
  setup.colors = {blue.as_color(1, "3"), green.as_color(1, "3")};
  SidecarProcess sidecar(setup);
  sidecar.wait_until_up({"blue", "green"}, Millis{60'000});
  LoadSetup load_setup;
  load_setup.port = sidecar.port();
  load_setup.threads = 12;  // more than the slots: waiters, grants across workers
  load_setup.users = 48;
  Load load(load_setup);
  AdminClient admin(sidecar.socket_path());
  for (int i = 1; i <= 40; ++i) {
    const std::string command =
        "weights blue=" + std::to_string(i % 3) + " green=" + std::to_string(1 + i % 2);
    ASSERT_NE(admin.ask(command).find("\"ok\":true"), std::string::npos);
    if (i % 5 == 0) sidecar.scrape();
    if (i % 5 == 1) admin.ask("inflight");
    if (i % 5 == 2) admin.ask("connections");
    const int64_t so_far = load.sent();
    await(
        "more requests", [&] { return load.sent() > so_far + 20; }, Millis{30'000});
  }
  const LoadFigures figures = load.stop();
  EXPECT_EQ(figures.errors(), 0) << (figures.complaints.empty() ? "" : figures.complaints.front());
  EXPECT_EQ(figures.moved, 0);
  EXPECT_GT(figures.answered(200), 800);
}

}  // namespace
