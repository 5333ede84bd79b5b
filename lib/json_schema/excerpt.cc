#include "lib/json_schema/excerpt.h"

#include "lib/base/utf8.h"

namespace tasker::json_schema {
namespace {

constexpr size_t kBytes = 60;

// Stops early: `out` may end anywhere once it is long enough.
void Append(const base::Json& value, std::string& out) {
  if (out.size() > kBytes) return;
  if (value.is_string()) {
    const auto& text = value.get_string();
    base::AppendJsonString(base::Utf8Prefix({text.data(), text.size()}, kBytes + 1), out);
  } else if (value.is_array()) {
    out += '[';
    for (size_t i = 0; i < value.get_array().size() && out.size() <= kBytes; ++i) {
      if (i > 0) out += ',';
      Append(value.get_array()[i], out);
    }
    out += ']';
  } else if (value.is_object()) {
    out += '{';
    bool first = true;
    for (const auto& [key, member] : value.get_object()) {
      if (out.size() > kBytes) break;
      if (!first) out += ',';
      first = false;
      base::AppendJsonString(base::Utf8Prefix({key.data(), key.size()}, kBytes + 1), out);
      out += ':';
      Append(member, out);
    }
    out += '}';
  } else {
    base::AppendCanonicalJson(value, out);
  }
}

}  // namespace

std::string Excerpt(const base::Json& value) {
  std::string out;
  Append(value, out);
  return base::Shortened(out, kBytes);
}

}  // namespace tasker::json_schema
