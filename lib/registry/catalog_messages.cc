#include "lib/registry/catalog_messages.h"

#include <string>

#include "lib/registry/state_notice.h"
#include "lib/registry/template_loader.h"
#include "lib/registry/timestamp.h"

namespace tasker::registry {

pb::VersionPolicy ToProto(store::VersionPolicy policy) {
  switch (policy) {
    case store::VersionPolicy::kNone:
      return pb::VERSION_POLICY_NONE;
    case store::VersionPolicy::kWarn:
      return pb::VERSION_POLICY_WARN;
    case store::VersionPolicy::kEnforce:
      return pb::VERSION_POLICY_ENFORCE;
  }
  return pb::VERSION_POLICY_UNSPECIFIED;
}

void PutSummary(const store::VersionSummary& from, pb::TemplateSummary& to) {
  to.set_reference(ExactReference(from));
  to.set_namespace_name(from.namespace_name);
  to.set_name(from.name);
  to.set_version(from.version);
  if (from.description) to.set_description(*from.description);
  to.set_digest(from.digest);
  for (const std::string& tag : from.tags) to.add_tags(tag);
  to.set_step_count(from.step_count);
  PutTime(from.create_time, *to.mutable_create_time());
  to.set_state(ToProto(from.state.state));
  for (const std::string& channel : from.channels) to.add_channels(channel);
}

absl::StatusOr<std::vector<store::VersionState>> StatesOf(const google::protobuf::RepeatedField<int>& states) {
  std::vector<store::VersionState> out;
  for (const int state : states) {
    switch (state) {
      case pb::TEMPLATE_STATE_UNSPECIFIED:
        break;
      case pb::TEMPLATE_STATE_ACTIVE:
        out.push_back(store::VersionState::kActive);
        break;
      case pb::TEMPLATE_STATE_DEPRECATED:
        out.push_back(store::VersionState::kDeprecated);
        break;
      case pb::TEMPLATE_STATE_YANKED:
        out.push_back(store::VersionState::kYanked);
        break;
      default:
        return InvalidField("states", "has one that this server does not know");
    }
  }
  return out;
}

}  // namespace tasker::registry
