#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/validate/context.h"

namespace tasker::validate {

/// Lints the initialization keys of overrides against the base. Keeps an index of each base it was asked about, so that
/// many overrides of one step stay linear. Not safe for concurrent use.
class OverrideKeys {
 public:
  explicit OverrideKeys(Context& context) : context_(context) {}

  /// `path` is the pointer of `values`, `owner` what they belong to, for messages: "step 'charge'". `bases` are the
  /// handlers the override applies to, and `base_id` identifies them.
  void Check(const tmpl::JsonObject& values, const std::string& path, const std::string& owner,
             std::span<const tmpl::JsonObject* const> bases, size_t base_id);

 private:
  struct Index {
    std::unordered_map<std::string_view, const base::Json*> top;     // a key of any of the bases
    std::vector<std::string_view> names;                             // the same keys, for hints
    std::unordered_map<std::string_view, std::string_view> parents;  // a deeper key → the key of the map around it
  };

  const Index& IndexOf(std::span<const tmpl::JsonObject* const> bases, size_t base_id);
  void CheckUnknown(std::string_view key, const std::string& path, const std::string& owner, const Index& index);
  void CheckReplacedMap(std::string_view key, const base::Json& value, const base::Json& before,
                        const std::string& path, const std::string& owner);

  Context& context_;
  std::unordered_map<size_t, Index> indexes_;
};

}  // namespace tasker::validate
