#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "lib/template/reference.h"

namespace tasker::client {

/// The argument REF, refused as a usage error when it is malformed.
inline void AddReference(CLI::App& app, std::string& reference) {
  app.add_option("reference", reference, "NAMESPACE/NAME[:SELECTOR] or NAMESPACE/NAME@sha256:DIGEST")
      ->type_name("REF")
      ->required()
      ->check([](const std::string& text) {
        const absl::StatusOr<tmpl::Reference> parsed = tmpl::ParseReference(text);
        return parsed.ok() ? std::string() : std::string(parsed.status().message());
      });
}

/// The argument NAMESPACE/NAME, a template without a selector.
inline CLI::Option* AddTemplate(CLI::App& app, std::string& reference) {
  return app.add_option("template", reference, "NAMESPACE/NAME")
      ->type_name("NAMESPACE/NAME")
      ->check([](const std::string& text) {
        const absl::StatusOr<tmpl::Reference> parsed = tmpl::ParseReference(text);
        if (!parsed.ok()) return std::string(parsed.status().message());
        return parsed->selector.empty() ? std::string() : "'" + text + "' has a selector; write NAMESPACE/NAME";
      });
}

}  // namespace tasker::client
