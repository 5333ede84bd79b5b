#include "tests/bench/rows.h"

namespace tasker::bench {

void MeasureSizes(Bench&) {}

}  // namespace tasker::bench
