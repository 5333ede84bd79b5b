#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <google/protobuf/message.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "lib/registry/error.h"
#include "lib/registry/registrar.h"
#include "lib/registry/resolver.h"
#include "lib/registry/revision_gate.h"
#include "server/executor.h"
#include "server/log.h"
#include "server/metrics.h"

namespace tasker::server {

/// An RPC method as logs and metrics name it.
struct Method {
  std::string name;  ///< "ResolverService/ResolveTemplate"
  MethodMetrics metrics;
};

/// One call, from its arrival until it is answered: who calls, until when, and what is counted and logged of it.
class CallRecord {
 public:
  /// `max_duration` is for callers that set no deadline, or a later one.
  CallRecord(const Method& method, grpc::CallbackServerContext& context, absl::Duration max_duration);

  /// Found out when first asked for: an answer from memory needs none of it.
  const registry::Caller& caller() const;
  absl::Time deadline() const { return std::min(absl::FromChrono(context_.deadline()), start_ + max_duration_); }

  /// What the access line says that the call was about.
  void set_reference(std::string_view reference) {
    if (LogsAccess()) reference_ = reference;
  }

  /// Whether nobody waits for the answer any more: CANCELLED or DEADLINE_EXCEEDED.
  absl::Status CheckWanted() const;

  /// Counts and logs, and gives what the reactor finishes with. Exactly once.
  grpc::Status Conclude(const absl::Status& status) const;

 private:
  const Method& method_;
  grpc::CallbackServerContext& context_;
  const absl::Time start_;
  const absl::Duration max_duration_;
  mutable std::optional<registry::Caller> caller_;
  std::string reference_;
};

/// One unary call.
class Call : public CallRecord {
 public:
  Call(const Method& method, grpc::CallbackServerContext& context, grpc::ByteBuffer* response,
       absl::Duration max_duration);

  grpc::ByteBuffer& response() { return *response_; }

  /// Sends the answer, counts and logs. Exactly once, the last thing done with this call.
  void Finish(const absl::Status& status) { reactor_->Finish(Conclude(status)); }
  grpc::ServerUnaryReactor* reactor() { return reactor_; }

 private:
  grpc::ByteBuffer* const response_;
  grpc::ServerUnaryReactor* const reactor_;
};

/// The Status of the exception being handled, whose text goes to the log. Call it inside `catch (...)`.
absl::Status StatusOfException(const std::string& what);

/// Runs `work`; whatever it throws becomes a Status. The one guard around every handler: an exception that left one
/// would end as UNIMPLEMENTED, or end the process.
template <typename Work>
absl::Status Guarded(const std::string& what, const Work& work) {
  try {
    return work();
  } catch (...) {
    return StatusOfException(what);
  }
}

/// RESOURCE_EXHAUSTED: what a call gets whose work the executor refuses.
absl::Status ServerBusy();

/// The bytes of a request that is small, as those are that memory answers; false for a larger one.
bool InOnePiece(const grpc::ByteBuffer& bytes, grpc::Slice& out);

/// Fills `request`. INVALID_ARGUMENT for bytes that are no such message, text that is not UTF-8 included.
absl::Status ParseRequest(const grpc::ByteBuffer& bytes, google::protobuf::Message& request);
void EncodeResponse(const google::protobuf::Message& response, grpc::ByteBuffer& out);
/// Without copying: the buffer refers to the bytes and keeps them alive.
void EncodeResponse(const registry::AnswerBytes& response, grpc::ByteBuffer& out);
void EncodeResponse(const registry::Reply& response, grpc::ByteBuffer& out);

/// `Service` with all of `Methods` (its WithRawCallbackMethod_…) taking and giving bytes. A method that is not
/// overridden then answers UNIMPLEMENTED.
template <typename Service, template <typename> typename... Methods>
struct RawMethodsOf {
  using Type = Service;
};
template <typename Service, template <typename> typename First, template <typename> typename... Rest>
struct RawMethodsOf<Service, First, Rest...> {
  using Type = First<typename RawMethodsOf<Service, Rest...>::Type>;
};
template <typename Service, template <typename> typename... Methods>
using RawMethods = typename RawMethodsOf<Service, Methods...>::Type;

/// What every service's handlers run through: bytes → request → work → response → bytes, with the guard, the deadline,
/// metrics and the access line. Safe to call from any thread.
class CallRunner {
 public:
  struct Options {
    absl::Duration max_duration = absl::Seconds(60);  ///< for callers that set no deadline, or a later one
  };

  /// All must outlive it. `gate` knows whether a request's min_revision is reached.
  CallRunner(Executor& executor, Metrics& metrics, registry::RevisionGate& gate, Options options);

  /// `name` is "ResolverService/ResolveTemplate".
  Method MakeMethod(const std::string& name) { return {name, metrics_.ForMethod(name)}; }

  /// Parses and runs `handler` on the executor, once the request's min_revision is reached. Handler:
  /// StatusOr<Response>(const Request&, Call&).
  template <typename Request, typename Handler>
  grpc::ServerUnaryReactor* Run(const Method& method, grpc::CallbackServerContext* context,
                                const grpc::ByteBuffer* bytes, grpc::ByteBuffer* response, Handler handler) {
    const auto call = std::make_shared<Call>(method, *context, response, options_.max_duration);
    RunCall<Request>(call, method, bytes, std::move(handler));
    return call->reactor();
  }

  /// For answers that may be in memory: asks `find` (optional<StatusOr<Response>>(std::string_view bytes, Call&)) here,
  /// which must not wait; without an answer, `miss` (void(std::shared_ptr<Call>)) has the call answered elsewhere.
  template <typename Finder, typename Miss>
  grpc::ServerUnaryReactor* RunFast(const Method& method, grpc::CallbackServerContext* context,
                                    const grpc::ByteBuffer* bytes, grpc::ByteBuffer* response, const Finder& find,
                                    const Miss& miss) {
    Call call(method, *context, response, options_.max_duration);
    bool done = false;
    const absl::Status status = Guarded(method.name, [&]() -> absl::Status {
      grpc::Slice slice;
      if (!InOnePiece(*bytes, slice)) return absl::OkStatus();
      const auto answer = find(std::string_view(reinterpret_cast<const char*>(slice.begin()), slice.size()), call);
      done = answer.has_value();
      return done ? Answer(*answer, call) : absl::OkStatus();
    });
    grpc::ServerUnaryReactor* const reactor = call.reactor();
    if (!done && status.ok()) {
      miss(std::make_shared<Call>(std::move(call)));
    } else {
      call.Finish(status);
    }
    return reactor;
  }

  /// What Run does with a call that is there already.
  template <typename Request, typename Handler>
  void RunCall(const std::shared_ptr<Call>& call, const Method& method, const grpc::ByteBuffer* bytes,
               Handler handler) {
    RunLater(method, call, bytes->Length(),
             [this, &method, call, bytes, handler = std::move(handler)]() mutable -> Outcome {
               const auto request = std::make_shared<Request>();
               if (absl::Status status = ParseRequest(*bytes, *request); !status.ok()) return status;
               const absl::StatusOr<int64_t> revision = MinRevision(*request);
               if (!revision.ok()) return revision.status();
               if (*revision <= gate_.revision()) return Handle(*request, *call, handler);
               RunAtRevision(*revision, method, call, bytes->Length(), HandleLater(request, call, std::move(handler)));
               return std::nullopt;
             });
  }

  /// Whether everything up to `revision` is known here; false for one that cannot be.
  bool Knows(int64_t revision) const { return revision >= 0 && revision <= gate_.revision(); }

 private:
  /// How a call ended; nullopt: it goes on elsewhere.
  using Outcome = std::optional<absl::Status>;

  /// What the request asks for; INVALID_ARGUMENT below 0; 0 for a request without the field.
  template <typename Request>
  static absl::StatusOr<int64_t> MinRevision(const Request& request) {
    int64_t revision = 0;
    if constexpr (requires { request.min_revision(); }) {
      revision = request.min_revision();
    } else if constexpr (requires { request.requests(0).min_revision(); }) {
      for (const auto& item : request.requests()) revision = std::max<int64_t>(revision, item.min_revision());
    }
    if (revision < 0) return registry::InvalidField("min_revision", "is negative");
    return revision;
  }

  template <typename Request, typename Handler>
  static std::function<Outcome()> HandleLater(std::shared_ptr<Request> request, std::shared_ptr<Call> call,
                                              Handler handler) {
    return [request = std::move(request), call = std::move(call), handler = std::move(handler)]() -> Outcome {
      return Handle(*request, *call, handler);
    };
  }

  template <typename Response>
  static absl::Status Answer(const absl::StatusOr<Response>& response, Call& call) {
    if (!response.ok()) return response.status();
    EncodeResponse(*response, call.response());
    return absl::OkStatus();
  }

  template <typename Request, typename Handler>
  static absl::Status Handle(const Request& request, Call& call, const Handler& handler) {
    if constexpr (requires { request.reference(); }) call.set_reference(request.reference());
    return Answer(handler(request, call), call);
  }

  /// Runs `work` on the executor, guarded, and finishes the call with what it gives, if it gives anything;
  /// RESOURCE_EXHAUSTED at once when the queue is full.
  void RunLater(const Method& method, const std::shared_ptr<Call>& call, size_t bytes, std::function<Outcome()> work);
  /// The same, once the server knows `revision`; DEADLINE_EXCEEDED when that takes too long.
  void RunAtRevision(int64_t revision, const Method& method, const std::shared_ptr<Call>& call, size_t bytes,
                     std::function<Outcome()> work);

  Executor& executor_;
  Metrics& metrics_;
  registry::RevisionGate& gate_;
  const Options options_;
};

}  // namespace tasker::server
