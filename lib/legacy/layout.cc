#include "lib/legacy/layout.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string_view>
#include <utility>

#include "lib/template/yaml_writer.h"

namespace tasker::legacy {
namespace {

using base::Json;
using base::JsonArray;
using base::JsonObject;

JsonObject Only(boost::json::string_view key, Json value) {
  JsonObject object;
  object.emplace(key, std::move(value));
  return object;
}

// `section` holds one part of the value of `key`; parts after the first leave out the line that names the section.
void AppendPart(boost::json::string_view key, Json part, bool is_first, std::string& out) {
  const std::string text = tmpl::WriteYaml(Only(key, std::move(part)));
  if (!is_first) out += '\n';
  out += is_first ? text : text.substr(text.find('\n') + 1);
}

void AppendSection(boost::json::string_view key, const Json& value, std::string& out) {
  bool is_first = true;
  if (value.is_array()) {
    for (const Json& item : value.get_array()) {
      AppendPart(key, JsonArray{item}, std::exchange(is_first, false), out);
    }
  } else {
    for (const auto& [name, member] : value.get_object()) {
      AppendPart(key, Only(name, member), std::exchange(is_first, false), out);
    }
  }
}

}  // namespace

std::string LayOut(const JsonObject& task) {
  std::string out;
  bool after_section = false;
  for (const auto& [key, value] : task) {
    const bool is_section = value.is_structured();
    if (!out.empty() && (is_section || after_section)) out += '\n';
    after_section = is_section;
    const bool has_parts = key == "steps" || key == "domain_events" || key == "environments";
    if (has_parts && is_section) {
      AppendSection(key, value, out);
    } else {
      out += tmpl::WriteYaml(Only(key, value));
    }
  }
  return out;
}

}  // namespace tasker::legacy
