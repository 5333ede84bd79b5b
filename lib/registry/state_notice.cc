#include "lib/registry/state_notice.h"

#include "lib/registry/timestamp.h"

namespace tasker::registry {

Notice NoticeOf(const store::StateInfo& state) {
  if (state.state == store::VersionState::kActive) return nullptr;
  const auto notice = std::make_shared<pb::StateNotice>();
  notice->set_state(ToProto(state.state));
  notice->set_message(state.message);
  notice->set_replacement(state.replacement);
  notice->set_actor(state.actor);
  PutTime(state.time, *notice->mutable_change_time());
  return notice;
}

pb::TemplateState ToProto(store::VersionState state) {
  switch (state) {
    case store::VersionState::kActive:
      return pb::TEMPLATE_STATE_ACTIVE;
    case store::VersionState::kDeprecated:
      return pb::TEMPLATE_STATE_DEPRECATED;
    case store::VersionState::kYanked:
      return pb::TEMPLATE_STATE_YANKED;
  }
  return pb::TEMPLATE_STATE_UNSPECIFIED;
}

}  // namespace tasker::registry
