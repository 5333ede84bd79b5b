#pragma once

namespace tasker::client {

inline constexpr char kVersion[] = TASKER_VERSION;  // of the build

}  // namespace tasker::client
