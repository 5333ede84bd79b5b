#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lib/base/issue.h"
#include "lib/base/json.h"

/// A template's text as a tree, with the place of every key and value: what positions in issues come from.
///
/// A node takes 16 bytes plus its text, because hostile input of 4 MiB has a million of them. An alias is the node it
/// names, not a copy, so a document is a directed acyclic graph; the reader bounds its expanded size.
namespace tasker::tmpl {

/// What a node is by the YAML 1.2 core schema. The last two are plain scalars that no JSON value can hold; they are
/// fine where text is wanted.
enum class NodeKind : uint8_t {
  kNull,
  kBool,
  kInteger,  ///< fits int64 or uint64
  kReal,
  kString,
  kList,
  kMap,
  kHugeInteger,    ///< an integer beyond 64 bits
  kNotFiniteReal,  ///< .nan, .inf, or a real beyond double's range
};

/// "null", "a boolean", "an integer", "a number", "text", "a list", "a map": for messages.
std::string_view NodeKindPhrase(NodeKind kind);

class Document;

/// A cheap handle on one node; valid as long as its Document.
class Node {
 public:
  struct Member;

  NodeKind kind() const;
  bool is_null() const { return kind() == NodeKind::kNull; }
  bool is_map() const { return kind() == NodeKind::kMap; }
  bool is_list() const { return kind() == NodeKind::kList; }
  bool is_scalar() const { return !is_map() && !is_list(); }
  bool quoted() const;              ///< written in quotes or as a block scalar
  base::Position position() const;  ///< of the value; an empty value has the position of its key

  /// A scalar's text as the author wrote it, without quotes. Empty for null, lists and maps.
  std::string_view text() const;

  /// REQUIRES: kind() is the one asked for.
  bool bool_value() const;
  std::variant<int64_t, uint64_t> integer_value() const;
  double real_value() const;

  size_t size() const;            ///< items of a list, members of a map; 0 for a scalar
  Node item(size_t i) const;      ///< REQUIRES: is_list(), i < size()
  Member member(size_t i) const;  ///< REQUIRES: is_map(), i < size(). In the order of the text, merged keys last

 private:
  friend class Document;
  friend class DocumentBuilder;
  Node(const Document* document, uint32_t index) : document_(document), index_(index) {}

  const Document* document_;
  uint32_t index_;
};

struct Node::Member {
  std::string_view key;
  base::Position key_position;
  Node value;
};

class Document {
 public:
  /// A document of one null.
  Document();
  Document(Document&&) = default;
  Document& operator=(Document&&) = default;

  /// The tree of a JSON value, without positions.
  static Document FromJson(const base::Json& value);

  Node root() const { return Node(this, root_); }

  /// The position of the value at JSON pointer `pointer`, or of its key where `of_key` is set. When the pointer leads
  /// past what is there, the position of the deepest node on its way.
  base::Position Locate(std::string_view pointer, bool of_key = false) const;

 private:
  friend class Node;
  friend class DocumentBuilder;

  struct Data {
    uint32_t begin = 0;  // scalar: offset in text_; list and map: offset in children_
    uint32_t size = 0;   // scalar: bytes; list: items; map: members (each two children: key and value)
    uint32_t line = 0;
    uint32_t column : 24 = 0;
    uint32_t quoted : 1 = 0;
    NodeKind kind : 7 = NodeKind::kNull;
  };

  uint32_t root_ = 0;
  std::vector<Data> nodes_;
  std::vector<uint32_t> children_;
  std::string text_;
};

// Here, because reading a model is little else than calls of these.
inline NodeKind Node::kind() const { return document_->nodes_[index_].kind; }
inline bool Node::quoted() const { return document_->nodes_[index_].quoted; }

inline base::Position Node::position() const {
  const Document::Data& data = document_->nodes_[index_];
  return {static_cast<int>(data.line), static_cast<int>(data.column)};
}

inline std::string_view Node::text() const {
  const Document::Data& data = document_->nodes_[index_];
  return is_scalar() ? std::string_view(document_->text_).substr(data.begin, data.size) : std::string_view();
}

inline size_t Node::size() const { return is_scalar() ? 0 : document_->nodes_[index_].size; }

inline Node Node::item(size_t i) const {
  return Node(document_, document_->children_[document_->nodes_[index_].begin + i]);
}

inline Node::Member Node::member(size_t i) const {
  const size_t at = document_->nodes_[index_].begin + 2 * i;
  const Node key(document_, document_->children_[at]);
  return {key.text(), key.position(), Node(document_, document_->children_[at + 1])};
}

/// Makes a Document from events in the order of the text. REQUIRES: the events nest; a map's events alternate key
/// (a scalar) and value. Used by the YAML reader and by Document::FromJson.
class DocumentBuilder {
 public:
  using Handle = uint32_t;  ///< a finished node

  /// Room for the tree of a text of so many bytes.
  void Reserve(size_t text_bytes);
  Handle AddScalar(std::string_view text, NodeKind kind, bool quoted, base::Position position);
  Handle AddContainer(NodeKind kind, std::span<const Handle> children, base::Position position);
  void SetPosition(Handle node, base::Position position);
  Node Get(Handle node) const { return Node(&document_, node); }
  Handle ChildOf(Handle container, size_t i) const {
    return document_.children_[document_.nodes_[container].begin + i];
  }
  Document Finish(Handle root);

 private:
  Document document_;
};

/// Which kind a plain scalar is by the YAML 1.2 core schema, as serde_yaml reads it: `0o17` and `0x1f` are integers,
/// `0123`, `1_000`, `yes` and `12:30` are strings.
NodeKind ClassifyPlain(std::string_view text);

}  // namespace tasker::tmpl
