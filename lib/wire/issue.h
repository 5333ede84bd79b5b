#pragma once

#include <string_view>

#include "lib/base/issue.h"
#include "lib/template/callable.h"
#include "tasker/registry/v1/registry.pb.h"
#include "tasker/registry/v1/resolver.pb.h"

namespace tasker::wire {

namespace pb = ::tasker::registry::v1;

/// `file_name` is the source's.
void ToProto(const base::Issue& issue, std::string_view file_name, pb::Issue& out);
/// An unknown severity counts as an error.
base::Issue FromProto(const pb::Issue& issue);

pb::CallableKind ToProto(tmpl::CallableKind kind);
/// kUnknown for a value that this version does not know.
tmpl::CallableKind FromProto(pb::CallableKind kind);

}  // namespace tasker::wire
