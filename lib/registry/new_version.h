#pragma once

#include "lib/registry/checked_source.h"
#include "lib/store/records.h"

namespace tasker::registry {

/// What the store keeps of `source`. Takes the model and the canonical text out of `checked`, so that a large batch is
/// held once. REQUIRES: checked.tmpl.
store::NewVersion MakeNewVersion(const pb::TemplateSource& source, CheckedSource& checked);

}  // namespace tasker::registry
