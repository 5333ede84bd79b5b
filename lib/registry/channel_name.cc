#include "lib/registry/channel_name.h"

#include <fmt/format.h>

#include "lib/base/utf8.h"
#include "lib/registry/error.h"
#include "lib/template/reference.h"

namespace tasker::registry {

absl::Status CheckChannelName(std::string_view field, std::string_view name) {
  const std::string shown = base::Shortened(name, 255);
  if (!tmpl::IsName(name)) {
    return InvalidField(field, fmt::format("holds '{}', which is no channel's name: {}", shown, tmpl::kNameRule));
  }
  const bool has_other_meaning = name == "latest" || (name[0] >= '0' && name[0] <= '9');
  if (!has_other_meaning) return absl::OkStatus();
  return InvalidField(field, fmt::format("holds '{}', which reads as a version, a range or 'latest' in a reference; a "
                                         "channel's name begins with a letter or '_'",
                                         shown));
}

}  // namespace tasker::registry
