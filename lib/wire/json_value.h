#pragma once

#include <absl/status/statusor.h>
#include <google/protobuf/struct.pb.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "lib/base/json.h"

namespace tasker::wire {

/// How many lists and objects may stand inside each other in a Struct or Value that we send. Every level costs up to
/// three nested messages, and most protobuf readers give up at 100.
inline constexpr int kMaxStructDepth = 30;

/// Sets `out` to `value`. False when reading `out` back would not give an equal value: it holds an integer beyond
/// ±(2^53−1), a real without fraction, or something deeper than kMaxStructDepth (which becomes null).
bool ToValue(const base::Json& value, google::protobuf::Value& out);
bool ToStruct(const base::JsonObject& object, google::protobuf::Struct& out);

/// Where in a message something was found; a chain of stack frames that costs nothing until it is printed.
struct Path {
  const Path* parent = nullptr;
  std::string_view key;
  size_t index = 0;  ///< of a list's item, where `key` is empty

  /// "steps[2].handler.initialization.timeout".
  std::string ToString() const;
};

/// Whole numbers up to 2^53−1 become integers, all others reals. A value of no kind is null. INVALID_ARGUMENT, naming
/// the place, for a number that is not finite.
absl::StatusOr<base::Json> FromValue(const google::protobuf::Value& value, const Path& path);
absl::StatusOr<base::JsonObject> FromStruct(const google::protobuf::Struct& object, const Path& path);

}  // namespace tasker::wire
