#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tasker::registry {

/// A ResolveTemplateRequest or ResolveHandlerRequest whose texts still lie in the bytes that came. Each field has the
/// value that protobuf would give it; texts are not checked to be UTF-8.
struct ResolveRequestView {
  std::string_view reference = {};
  std::string_view environment = {};
  std::string_view step_name = {};      ///< handlers only
  std::string_view if_not_digest = {};  ///< templates only
  int64_t view = 0;                     ///< templates only
  bool require_environment = false;
  int64_t min_revision = 0;
};

/// nullopt for bytes that only protobuf itself should judge: damaged, or with fields that are not known here.
std::optional<ResolveRequestView> ReadResolveTemplateRequest(std::string_view bytes);
std::optional<ResolveRequestView> ReadResolveHandlerRequest(std::string_view bytes);

}  // namespace tasker::registry
