#pragma once

#include <optional>
#include <string_view>

#include "lib/template/document.h"

namespace tasker::tmpl {

/// The tree of a JSON text that PostgreSQL wrote from jsonb, without positions; the same that Document::FromJson makes
/// of what base::ParseJson reads with HugeIntegers::kAsReals, in a fraction of the time. nullopt for all that jsonb
/// does not write, and for integers beyond 64 bits: the others read these, or say what is wrong. Safe from any thread.
std::optional<Document> ReadJsonb(std::string_view text);

}  // namespace tasker::tmpl
