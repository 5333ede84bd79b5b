#pragma once

#include <memory>

#include "lib/store/records.h"
#include "tasker/registry/v1/registry.pb.h"

namespace tasker::registry {

namespace pb = ::tasker::registry::v1;

/// Why a version should no longer be used; nullptr: it is active.
using Notice = std::shared_ptr<const pb::StateNotice>;

Notice NoticeOf(const store::StateInfo& state);

pb::TemplateState ToProto(store::VersionState state);

}  // namespace tasker::registry
