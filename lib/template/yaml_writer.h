#pragma once

#include <string>

#include "lib/base/json.h"

namespace tasker::tmpl {

/// `value` as one YAML 1.2 document for people: block style, two blanks of indentation, keys in the value's own order,
/// text of several lines as a literal block, a line end at the end. `ReadYaml` gives back an equal value, integers and
/// reals apart, whatever the text holds but what it refuses itself: NUL, and keys beyond its bound; text that other
/// readers (YAML 1.1) would take for a boolean, a number, a time or null is quoted as well. Any thread.
std::string WriteYaml(const base::Json& value);

}  // namespace tasker::tmpl
