#pragma once

#include <span>
#include <string>
#include <vector>

#include "lib/registry/checked_source.h"
#include "lib/store/records.h"

namespace tasker::registry {

/// Issues that only a batch or the registry shows. Their codes are in docs/issues.md, "Beyond a template's text".

/// The same version twice in one batch is an error, unless it is the same content.
void ReportTwins(std::vector<CheckedSource>& checked);

/// A warning for each event that has another schema elsewhere in its namespace.
void ReportEventDifferences(const store::RegisteredItem& stored, CheckedSource& checked);

/// The error of an item that cannot be registered, for ValidateTemplate; nothing for one that can. `difference`: see
/// ConflictMessage.
void ReportConflict(const store::RegisteredItem& stored, std::span<const std::string> difference,
                    CheckedSource& checked);

/// Why an item cannot be registered, in one sentence: "payments/refund:1.0.0 is registered with other content:
/// steps[a].retry.limit …: 3 -> 5; a version never changes …". `difference`: lines that say what differs, if known.
std::string ConflictMessage(const store::RegisteredItem& stored, std::span<const std::string> difference,
                            const CheckedSource& checked);

}  // namespace tasker::registry
