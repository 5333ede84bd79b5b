#include "server/joined_resolves.h"

#include <absl/time/clock.h>
#include <grpcpp/alarm.h>

#include <algorithm>
#include <functional>
#include <utility>

namespace tasker::server {
namespace {

namespace pb = registry::pb;

// More would make the first of them wait for the last, and gain little.
constexpr size_t kMaxTogether = 16;
// Larger requests, of which there are none that resolve anything, are counted by the executor.
constexpr size_t kMaxRequestBytes = 4096;
// A call with less time left asks by itself: it would decide how long the others' question may take.
constexpr absl::Duration kMinTimeLeft = absl::Milliseconds(100);

}  // namespace

JoinedResolves::JoinedResolves(CallRunner& runner, Executor& executor, registry::Resolver& resolver, Options options)
    : runner_(runner),
      executor_(executor),
      resolver_(resolver),
      options_(options),
      method_(runner.MakeMethod("ResolverService/ResolveTemplate")) {}

void JoinedResolves::Add(std::shared_ptr<Call> call, const grpc::ByteBuffer* bytes) {
  Waiting waiting{std::move(call), bytes};
  if (bytes->Length() > kMaxRequestBytes) return ResolveAlone(waiting);
  std::deque<Waiting> refused;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= options_.max_waiting) {
      refused.push_back(std::move(waiting));
    } else {
      waiting_.push_back(std::move(waiting));
      if (running_ == options_.max_running) return;
      ++running_;
      if (executor_.Post(0, [this] { Run(); })) return;
      if (--running_ == 0) refused.swap(waiting_);
    }
  }
  for (const Waiting& one : refused) one.call->Finish(ServerBusy());
}

void JoinedResolves::Run() {
  for (Batch batch = Take(); !batch.empty(); batch = Take()) {
    const absl::Status failure = Guarded(method_.name, [&]() -> absl::Status {
      Resolve(batch);
      return absl::OkStatus();
    });
    for (const Waiting& waiting : batch) {
      if (waiting.call != nullptr) waiting.call->Finish(failure);
    }
  }
}

JoinedResolves::Batch JoinedResolves::Take() {
  const std::lock_guard lock(mutex_);
  Batch batch;
  for (; !waiting_.empty() && batch.size() < kMaxTogether; waiting_.pop_front()) {
    batch.push_back(std::move(waiting_.front()));
  }
  if (batch.empty()) --running_;
  return batch;
}

void JoinedResolves::Resolve(Batch& batch) {
  std::vector<pb::ResolveTemplateRequest> requests(batch.size());
  std::vector<const pb::ResolveTemplateRequest*> asked;
  std::vector<Waiting*> callers;
  absl::Time deadline = absl::InfiniteFuture();
  for (size_t i = 0; i < batch.size(); ++i) {
    if (ReadSimple(batch[i], requests[i])) {
      asked.push_back(&requests[i]);
      callers.push_back(&batch[i]);
      deadline = std::min(deadline, batch[i].call->deadline());
    } else {
      ResolveAlone(batch[i]);
    }
  }
  resolver_.ResolveTogether(asked, deadline, [&](size_t i, const absl::StatusOr<registry::AnswerBytes>& answer) {
    if (answer.ok()) EncodeResponse(*answer, callers[i]->call->response());
    callers[i]->outcome = answer.status();
  });
  for (Waiting* caller : callers) {
    if (!caller->outcome) ResolveAlone(*caller);
  }
  FinishAll(batch);
}

void JoinedResolves::FinishAll(Batch& batch) {
  const auto has_outcome = [](const Waiting& waiting) { return waiting.outcome.has_value(); };
  const auto count = std::count_if(batch.begin(), batch.end(), has_outcome);
  if (count == 1) {
    Waiting& only = *std::find_if(batch.begin(), batch.end(), has_outcome);
    std::exchange(only.call, nullptr)->Finish(*only.outcome);
  }
  if (count < 2) return;
  // On a thread of gRPC's, which does itself what each end of a call brings; from any other, gRPC hands that over and
  // wakes one of its own each time.
  struct Later {
    grpc::Alarm alarm;
    Batch batch;
  };
  const auto later = std::make_shared<Later>();
  later->batch.reserve(batch.size());
  std::function<void(bool)> finish = [later](bool) {
    const grpc::Alarm over = std::move(later->alarm);  // which holds this function, which holds it
    for (const Waiting& waiting : later->batch) waiting.call->Finish(*waiting.outcome);
    later->batch.clear();
  };
  for (Waiting& waiting : batch) {
    if (waiting.outcome) later->batch.push_back({std::exchange(waiting.call, nullptr), nullptr, waiting.outcome});
  }
  later->alarm.Set(gpr_inf_past(GPR_CLOCK_MONOTONIC), std::move(finish));
}

bool JoinedResolves::ReadSimple(const Waiting& waiting, pb::ResolveTemplateRequest& request) const {
  Call& call = *waiting.call;
  if (!call.CheckWanted().ok() || call.deadline() - absl::Now() < kMinTimeLeft) return false;
  if (!ParseRequest(*waiting.bytes, request).ok() || !runner_.Knows(request.min_revision())) return false;
  call.set_reference(request.reference());
  return true;
}

void JoinedResolves::ResolveAlone(Waiting& waiting) {
  runner_.RunCall<pb::ResolveTemplateRequest>(
      waiting.call, method_, waiting.bytes,
      [this](const pb::ResolveTemplateRequest& r, Call& call) { return resolver_.Resolve(r, call.deadline()); });
  waiting.call = nullptr;
}

}  // namespace tasker::server
