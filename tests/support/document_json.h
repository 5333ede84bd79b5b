#pragma once

#include "lib/base/json.h"
#include "lib/template/document.h"

namespace tasker::testing {

/// The JSON value that a document's tree holds. REQUIRES: none of its numbers is beyond what JSON can hold.
inline base::Json DocumentJson(tmpl::Node node) {
  switch (node.kind()) {
    case tmpl::NodeKind::kBool:
      return node.bool_value();
    case tmpl::NodeKind::kInteger:
      return std::visit([](auto integer) { return base::Json(integer); }, node.integer_value());
    case tmpl::NodeKind::kReal:
      return node.real_value();
    case tmpl::NodeKind::kString:
      return base::Json(boost::json::string_view(node.text().data(), node.text().size()));
    case tmpl::NodeKind::kList: {
      base::JsonArray array;
      for (size_t i = 0; i < node.size(); ++i) array.push_back(DocumentJson(node.item(i)));
      return array;
    }
    case tmpl::NodeKind::kMap: {
      base::JsonObject object;
      for (size_t i = 0; i < node.size(); ++i) {
        const tmpl::Node::Member member = node.member(i);
        object.insert_or_assign({member.key.data(), member.key.size()}, DocumentJson(member.value));
      }
      return object;
    }
    default:
      return nullptr;
  }
}

}  // namespace tasker::testing
