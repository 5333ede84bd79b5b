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

}  // namespace tasker::client
