// The tables, made and moved forward step by step. One schema for both databases.
#pragma once

#include "f29svc/store/database.h"

namespace f29 {

// Brings an empty or older database to `version` (0: the newest), each step in one transaction.
// A database of a newer program is refused: bad_config.
base::Result<> migrate(Database& database, int version = 0);
int newest_schema();
base::Result<int> schema_of(Database& database);  // 0: empty

}  // namespace f29
