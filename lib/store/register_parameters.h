#pragma once

#include <absl/time/time.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/store/archive.h"
#include "lib/store/records.h"

namespace tasker::store {

/// The first five parameters of tasker.register_templates (migrations/0004_register_templates.sql has their shapes), as
/// PostgreSQL reads them.
struct BatchTexts {
  std::string items;           ///< jsonb
  std::string configurations;  ///< text[]
  std::string source_texts;    ///< text[]
  std::string events;          ///< jsonb
  std::string channels;        ///< jsonb
};
BatchTexts ToBatchTexts(std::span<const NewVersion> batch);
BatchTexts ToBatchTexts(std::span<const ImportedVersion> batch);
/// All but configurations and source texts, and only those; the others are empty lists.
BatchTexts ItemTexts(std::span<const NewVersion> batch);
BatchTexts LargeTexts(std::span<const NewVersion> batch);

/// Appends `"key":"value",`.
void AppendJsonField(std::string_view key, std::string_view value, std::string& out);

/// A timestamptz, to the microsecond.
std::string TimestampText(absl::Time time);

}  // namespace tasker::store
