#pragma once

#include <string_view>

namespace tasker::client {

/// docs/template.schema.json, as it was when this program was built.
std::string_view TemplateSchemaText();

}  // namespace tasker::client
