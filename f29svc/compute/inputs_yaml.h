// inputs.yaml → Inputs. Every fault is reported with file, line and key.
#pragma once

#include "f29svc/domain/inputs.h"
#include "proxy/base/yaml.h"

namespace f29 {

// Faults go to the file that `yaml` belongs to; look at YamlFile::faults() afterwards.
Inputs read_inputs(base::Section yaml, Period period);

}  // namespace f29
