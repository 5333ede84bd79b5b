#include "lib/template/json_reader.h"

#include <simdjson.h>

#include <span>
#include <string>
#include <vector>

#include "lib/base/fast_json.h"
#include "lib/base/json.h"

namespace tasker::tmpl {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

// The order in which jsonb keeps the keys of an object.
bool IsBefore(std::string_view a, std::string_view b) { return a.size() != b.size() ? a.size() < b.size() : a < b; }

class TreeBuilder {
 public:
  explicit TreeBuilder(size_t text_bytes) { builder_.Reserve(text_bytes); }

  // False for a tree that jsonb does not write.
  bool Add(const element& value, DocumentBuilder::Handle& node) {
    switch (value.type()) {
      case element_type::ARRAY:
        return AddList(value.get_array().value_unsafe(), node);
      case element_type::OBJECT:
        return AddMap(value.get_object().value_unsafe(), node);
      case element_type::STRING:
        node = builder_.AddScalar(value.get_string().value_unsafe(), NodeKind::kString, true, {});
        return true;
      case element_type::NULL_VALUE:
        node = builder_.AddScalar("", NodeKind::kNull, false, {});
        return true;
      case element_type::BOOL:
        node = builder_.AddScalar(value.get_bool().value_unsafe() ? "true" : "false", NodeKind::kBool, false, {});
        return true;
      case element_type::INT64:
        return AddNumber(base::Json(value.get_int64().value_unsafe()), NodeKind::kInteger, node);
      case element_type::UINT64:
        return AddNumber(base::Json(value.get_uint64().value_unsafe()), NodeKind::kInteger, node);
      case element_type::DOUBLE:
        return AddNumber(base::Json(value.get_double().value_unsafe()), NodeKind::kReal, node);
    }
    return false;
  }

  Document Finish(DocumentBuilder::Handle root) { return builder_.Finish(root); }

 private:
  bool AddNumber(const base::Json& number, NodeKind kind, DocumentBuilder::Handle& node) {
    number_.clear();
    base::AppendCanonicalJson(number, number_);
    node = builder_.AddScalar(number_, kind, false, {});
    return true;
  }

  bool AddList(const simdjson::dom::array& list, DocumentBuilder::Handle& node) {
    const size_t begin = children_.size();
    for (const element item : list) {
      DocumentBuilder::Handle child = 0;
      if (!Add(item, child)) return false;
      children_.push_back(child);
    }
    node = AddContainer(NodeKind::kList, begin);
    return true;
  }

  bool AddMap(const simdjson::dom::object& map, DocumentBuilder::Handle& node) {
    const size_t begin = children_.size();
    std::string_view last;
    bool is_first = true;
    for (const auto& [key, value] : map) {
      if (!is_first && !IsBefore(last, key)) return false;  // a key that stands there twice would, too
      is_first = false;
      last = key;
      children_.push_back(builder_.AddScalar(key, NodeKind::kString, true, {}));
      DocumentBuilder::Handle child = 0;
      if (!Add(value, child)) return false;
      children_.push_back(child);
    }
    node = AddContainer(NodeKind::kMap, begin);
    return true;
  }

  DocumentBuilder::Handle AddContainer(NodeKind kind, size_t begin) {
    const DocumentBuilder::Handle node = builder_.AddContainer(kind, std::span(children_).subspan(begin), {});
    children_.resize(begin);
    return node;
  }

  DocumentBuilder builder_;
  std::vector<DocumentBuilder::Handle> children_;  // of the containers that are open
  std::string number_;
};

}  // namespace

std::optional<Document> ReadJsonb(std::string_view text) {
  std::optional<Document> document;
  base::WithFastJson(text, [&](const simdjson::dom::element& root) {
    TreeBuilder tree(text.size());
    DocumentBuilder::Handle node = 0;
    if (tree.Add(root, node)) document = tree.Finish(node);
  });
  return document;
}

}  // namespace tasker::tmpl
