#include "lib/store/page_token.h"

#include <absl/strings/escaping.h>

#include "lib/base/digest.h"
#include "lib/base/json.h"

namespace tasker::store {
namespace {

// A filter may be long; a token should not.
std::string ShortName(std::string_view list) { return base::Sha256Digest(list).substr(7, 16); }

}  // namespace

std::string EncodePageToken(std::string_view list, const std::vector<std::string>& keys) {
  base::JsonArray parts = {boost::json::string(ShortName(list))};
  for (const std::string& key : keys) parts.emplace_back(boost::json::string(key));
  return absl::WebSafeBase64Escape(base::CanonicalJson(parts));
}

absl::StatusOr<std::vector<std::string>> DecodePageToken(std::string_view list, const std::string& token,
                                                         size_t count) {
  const absl::Status bad = absl::InvalidArgumentError(
      "the page token does not belong to this list with this filter; start again without it");
  std::string text;
  // The longest that EncodePageToken makes has a term of 200 characters and six names.
  if (token.size() > 16384 || !absl::WebSafeBase64Unescape(token, &text)) return bad;
  const absl::StatusOr<base::Json> json = base::ParseJson(text);
  if (!json.ok() || !json->is_array()) return bad;
  std::vector<std::string> keys;
  for (const base::Json& part : json->as_array()) {
    if (!part.is_string()) return bad;
    keys.emplace_back(part.as_string());
  }
  if (keys.size() != count + 1 || keys.front() != ShortName(list)) return bad;
  keys.erase(keys.begin());
  return keys;
}

}  // namespace tasker::store
