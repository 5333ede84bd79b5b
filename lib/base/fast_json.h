#pragma once

#include <simdjson.h>

#include <bit>
#include <cstddef>
#include <string_view>
#include <vector>

namespace tasker::base {

/// Calls `use` with the root of the JSON `text`; its values live as long as the call. False, without a call, for what
/// is not JSON or is nested deeper than ParseJson reads. `use` must not parse
/// by this again. Safe to call from any thread.
template <typename Use>
bool WithFastJson(std::string_view text, const Use& use) {
  // Kept between calls, because simdjson's memory costs more than its work; large texts give theirs back.
  constexpr size_t kLargest = 1 << 20;
  constexpr size_t kDeepest = 512;  // as ParseJson
  struct Memory {
    simdjson::dom::parser parser;
    std::vector<char> text;
  };
  thread_local Memory kept;
  Memory own;
  Memory& memory = text.size() > kLargest ? own : kept;
  if (memory.text.size() < text.size() + simdjson::SIMDJSON_PADDING) {
    const size_t capacity = std::bit_ceil(text.size() + simdjson::SIMDJSON_PADDING);
    memory.text.resize(capacity);
    if (memory.parser.allocate(capacity, kDeepest) != simdjson::SUCCESS) return false;
  }
  text.copy(memory.text.data(), text.size());
  const auto root = memory.parser.parse(memory.text.data(), text.size(), /*realloc_if_needed=*/false);
  if (root.error() != simdjson::SUCCESS) return false;
  use(root.value_unsafe());
  return true;
}

}  // namespace tasker::base
