#include <algorithm>
#include <set>

#include "lib/template/document.h"
#include "lib/template/yaml_reader.h"
#include "tests/legacy/support.h"

namespace tasker::legacy {
namespace {

using tmpl::Node;
using tmpl::NodeKind;

// A scalar as what it says, so that 1e3 and 1000.0, or 0x1f and 31, are the same.
std::string Said(Node node) {
  switch (node.kind()) {
    case NodeKind::kBool:
      return node.bool_value() ? "true" : "false";
    case NodeKind::kInteger:
      return std::visit([](auto integer) { return std::to_string(integer); }, node.integer_value());
    case NodeKind::kReal:
      return base::CanonicalJson(node.real_value());
    default:
      return std::string(node.text());
  }
}

void CollectScalars(Node node, std::vector<std::string>& out) {
  if (node.is_scalar()) {
    if (!node.is_null()) out.push_back(Said(node));
    return;
  }
  for (size_t i = 0; i < node.size(); ++i) {
    if (node.is_list()) {
      CollectScalars(node.item(i), out);
    } else if (const Node value = node.member(i).value; value.is_scalar() ? !value.is_null() : value.size() > 0) {
      out.emplace_back(node.member(i).key);
      CollectScalars(node.member(i).value, out);
    }
  }
}

std::vector<std::string> ScalarsOf(const std::string& yaml) {
  base::IssueList issues;
  const auto document = tmpl::ReadYaml(yaml, {}, issues);
  EXPECT_TRUE(document.has_value()) << yaml;
  std::vector<std::string> scalars;
  if (document) CollectScalars(document->root(), scalars);
  return scalars;
}

}  // namespace

std::vector<std::string> Vanished(const std::string& old_text, const Conversion& conversion) {
  const std::vector<std::string> after = ScalarsOf(conversion.yaml);
  const std::set<std::string> kept(after.begin(), after.end());
  std::vector<std::string> vanished;
  for (const std::string& scalar : ScalarsOf(old_text)) {
    const bool is_symbol = scalar.starts_with(":") && kept.count(scalar.substr(1)) > 0;
    const bool is_noted = std::any_of(conversion.notes.begin(), conversion.notes.end(), [&](const Note& note) {
      return note.message.find(scalar.starts_with(":") ? scalar.substr(1) : scalar) != std::string::npos;
    });
    if (kept.count(scalar) == 0 && !is_symbol && !is_noted) vanished.push_back(scalar);
  }
  return vanished;
}

}  // namespace tasker::legacy
