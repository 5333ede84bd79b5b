#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

#include "lib/base/digest.h"
#include "lib/store/store.h"

namespace tasker::store {

/// A version whose content is `content`.
inline NewVersion MakeVersion(std::string namespace_name, std::string name, std::string version,
                              const std::string& content = "content") {
  const std::string configuration =
      fmt::format(R"({{"content":"{}","name":"{}","version":"{}"}})", content, name, version);
  NewVersion made;
  made.namespace_name = std::move(namespace_name);
  made.name = std::move(name);
  made.version = std::move(version);
  made.configuration = configuration;
  made.digest = base::Sha256Digest(configuration);
  return made;
}

inline constexpr RegisterOptions kNobody = {};

}  // namespace tasker::store
