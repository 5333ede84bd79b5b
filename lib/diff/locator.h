#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "lib/template/document.h"

namespace tasker::diff {

/// Finds where the values of a template in canonical JSON stand in its author's text, many of them in linear time. Not
/// safe for concurrent use.
class Locator {
 public:
  /// `document` must outlive it.
  explicit Locator(const tmpl::Document& document) : document_(document) {}

  /// As Document::Locate; other spellings of a key count as the key they stand for.
  base::Position Find(std::string_view pointer);

 private:
  struct Container {
    tmpl::Node node;
    bool is_whole = true;  ///< false: the pointer leads past what is there, and this is the deepest node on its way
    std::unordered_map<std::string_view, size_t> members = {};  ///< of a map
  };
  Container& ContainerAt(std::string_view pointer);
  Container Child(Container& parent, std::string_view token) const;

  const tmpl::Document& document_;
  std::unordered_map<std::string, Container> containers_;  // by pointer
};

}  // namespace tasker::diff
