#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/issue.h"
#include "lib/template/document.h"
#include "lib/template/keys.h"
#include "lib/template/load.h"

/// How build.cc reads one map of a document: typed access to its known keys, an issue for everything that does not fit.
/// Private to lib/template.
namespace tasker::tmpl {

/// Where the reader is: a chain on the stack that becomes a JSON pointer only when an issue needs it.
struct Path {
  const Path* parent = nullptr;
  std::string_view key;
  size_t index = 0;
  bool is_index = false;

  Path Key(std::string_view k) const { return {this, k, 0, false}; }
  Path Index(size_t i) const { return {this, {}, i, true}; }
  std::string ToString() const;
};

struct BuildContext {
  const LoadOptions& options;
  base::IssueList& issues;

  void Error(std::string_view code, const Path& path, base::Position position, std::string message,
             std::string hint = "") {
    issues.AddError(code, path.ToString(), position, std::move(message), std::move(hint));
  }
};

/// "must be a list, but is text ('abc')".
void AddTypeError(BuildContext& context, const Path& path, Node node, std::string_view key, std::string_view wanted,
                  std::string hint = "");

/// A free-form value; an issue for each number that JSON cannot hold, which is left out.
base::Json ToJsonValue(BuildContext& context, const Path& path, Node node);

/// The scalar as the author wrote it; nullopt with an issue for a list or a map, nullopt for null.
std::optional<std::string> ToText(BuildContext& context, const Path& path, Node node, std::string_view key);

class Fields {
 public:
  /// REQUIRES: map.is_map(); all arguments outlive the reader.
  Fields(BuildContext& context, Node map, const Path& path, const KeyBlock& block)
      : context_(context), map_(map), path_(path), block_(block) {}

  /// The member of that key, also where its value is null.
  std::optional<Node::Member> Find(std::string_view key) const;
  /// The member of that key or of its alias; an issue when both are there.
  std::optional<Node::Member> Find(std::string_view key, std::string_view alias) const;

  /// An issue unless the key is there with text that is not empty. Leaves `out` empty then.
  void Required(std::string_view key, std::string& out) const;
  /// These leave `out` alone when the key is missing, null, or (with an issue) of another type.
  void Text(std::string_view key, std::string& out) const;
  void Text(std::string_view key, std::optional<std::string>& out) const;
  void Texts(std::optional<Node::Member> member, std::vector<std::string>& out) const;
  void Bool(std::string_view key, bool& out) const;
  void Unsigned(std::optional<Node::Member> member, uint64_t most, std::optional<uint64_t>& out) const;
  void Unsigned32(std::optional<Node::Member> member, std::optional<uint32_t>& out) const;
  void Any(std::string_view key, std::optional<base::Json>& out) const;
  void Object(std::string_view key, std::optional<base::JsonObject>& out) const;

  /// The member's value when it is a map; nullopt when missing, null, or (with an issue) something else.
  std::optional<Node> Map(std::string_view key) const;

  /// Calls `read(item, path)` for each item of the list under `key`, at most `limits.steps` of them: a model's item
  /// takes many times the room of its text. An issue when there are more, or when it is no list.
  template <typename Read>
  void Each(std::string_view key, Read read, std::string_view too_many_code = "ITEMS_TOO_MANY") const {
    const std::optional<Node::Member> member = Find(key);
    if (!member || !IsList(*member)) return;
    const Path list = path_.Key(key);
    const size_t count = CheckCount(list, *member, too_many_code);
    for (size_t i = 0; i < count; ++i) read(member->value.item(i), list.Index(i));
  }

  /// The keys that are not of the block: x-… keys, and unknown ones where the options keep them; an issue for each
  /// other. With `free_form`, every key is kept silently.
  base::JsonObject Extensions(bool free_form = false) const;

 private:
  bool IsList(const Node::Member& member) const;
  size_t CheckCount(const Path& list, const Node::Member& member, std::string_view too_many_code) const;
  bool IsKnown(std::string_view key) const;
  void ReportUnknown(const Node::Member& member) const;

  BuildContext& context_;
  Node map_;
  const Path& path_;
  const KeyBlock& block_;
};

}  // namespace tasker::tmpl
