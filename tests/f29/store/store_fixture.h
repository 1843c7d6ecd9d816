// A new store for each test, on the database that the test's parameter names.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>

#include "f29svc/store/store.h"
#include "tests/f29/store/postgres_server.h"

namespace f29test {

enum class Kind { sqlite, postgresql };

inline const f29::Rut kCompany{99'950'100};
inline const f29::Period kPeriod{2026, 6};

class StoreTest : public ::testing::TestWithParam<Kind> {
 protected:
  StoreTest() {
    char name[] = "/tmp/f29-store-XXXXXX";
    folder_ = ::mkdtemp(name);
    if (GetParam() == Kind::postgresql) {
      options_.database.postgresql = PostgresServer::get().make_database();
    } else {
      options_.database.sqlite = folder_ + "/f29.db";
    }
    options_.database.busy_timeout = base::Millis(50);
  }
  ~StoreTest() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<f29::Store> open() {
    auto store = f29::Store::open(options_);
    EXPECT_TRUE(store.has_value()) << store.error().detail;
    EXPECT_TRUE((*store)->put_company(kCompany, "Empresa A").has_value());
    return std::move(*store);
  }

  std::string folder_;
  f29::StoreOptions options_;
};

#define ON_BOTH_DATABASES(suite)                                                      \
  INSTANTIATE_TEST_SUITE_P(                                                           \
      On, suite, ::testing::Values(f29test::Kind::sqlite, f29test::Kind::postgresql), \
      [](const auto& param_info) {                                                    \
        return param_info.param == f29test::Kind::sqlite ? "Sqlite" : "Postgresql";   \
      })

}  // namespace f29test
