#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <google/protobuf/message.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "lib/registry/registrar.h"
#include "lib/registry/resolver.h"
#include "server/executor.h"
#include "server/metrics.h"

namespace tasker::server {

/// An RPC method as logs and metrics name it.
struct Method {
  std::string name;  ///< "ResolverService/ResolveTemplate"
  MethodMetrics metrics;
};

/// One unary call, from its arrival until it is answered.
class Call {
 public:
  Call(const Method& method, grpc::CallbackServerContext& context, grpc::ByteBuffer* response,
       absl::Duration max_duration);

  const registry::Caller& caller() const { return caller_; }
  absl::Time deadline() const { return caller_.deadline; }

  /// What the access line says that the call was about.
  void set_reference(std::string reference) { reference_ = std::move(reference); }
  grpc::ByteBuffer& response() { return *response_; }

  /// Whether nobody waits for the answer any more: CANCELLED or DEADLINE_EXCEEDED.
  absl::Status CheckWanted() const;

  /// Sends the answer, counts and logs. Exactly once, the last thing done with this call.
  void Finish(const absl::Status& status);
  grpc::ServerUnaryReactor* reactor() { return reactor_; }

 private:
  const Method& method_;
  grpc::CallbackServerContext& context_;
  grpc::ByteBuffer* const response_;
  grpc::ServerUnaryReactor* const reactor_;
  const absl::Time start_;
  registry::Caller caller_;
  std::string reference_;
};

/// Runs `work`; whatever it throws becomes a Status, and the text of the exception goes to the log. The one guard
/// around every handler: an exception that left one would end as UNIMPLEMENTED, or end the process.
absl::Status Guarded(const std::string& what, const std::function<absl::Status()>& work);

/// Fills `request`. INVALID_ARGUMENT for bytes that are no such message, text that is not UTF-8 included.
absl::Status ParseRequest(const grpc::ByteBuffer& bytes, google::protobuf::Message& request);
void EncodeResponse(const google::protobuf::Message& response, grpc::ByteBuffer& out);
/// Without copying: the buffer refers to the bytes and keeps them alive.
void EncodeResponse(const registry::AnswerBytes& response, grpc::ByteBuffer& out);

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

  /// Both must outlive it.
  CallRunner(Executor& executor, Metrics& metrics, Options options);

  /// `name` is "ResolverService/ResolveTemplate".
  Method MakeMethod(const std::string& name) { return {name, metrics_.ForMethod(name)}; }

  /// Parses and runs `handler` on the executor. Handler: StatusOr<Response>(const Request&, Call&).
  template <typename Request, typename Handler>
  grpc::ServerUnaryReactor* Run(const Method& method, grpc::CallbackServerContext* context,
                                const grpc::ByteBuffer* bytes, grpc::ByteBuffer* response, Handler handler) {
    const auto call = std::make_shared<Call>(method, *context, response, options_.max_duration);
    RunLater(method, call, bytes->Length(), [call, bytes, handler = std::move(handler)]() -> absl::Status {
      Request request;
      if (absl::Status status = ParseRequest(*bytes, request); !status.ok()) return status;
      return Handle(request, *call, handler);
    });
    return call->reactor();
  }

  /// For answers that may be in memory: parses here and asks `find` (optional<StatusOr<Response>>(const Request&)),
  /// which must not wait; only without an answer does `handler` run on the executor.
  template <typename Request, typename Finder, typename Handler>
  grpc::ServerUnaryReactor* RunFast(const Method& method, grpc::CallbackServerContext* context,
                                    const grpc::ByteBuffer* bytes, grpc::ByteBuffer* response, Finder find,
                                    Handler handler) {
    const auto call = std::make_shared<Call>(method, *context, response, options_.max_duration);
    const auto request = std::make_shared<Request>();
    bool done = true;
    const absl::Status status = Guarded(method.name, [&]() -> absl::Status {
      if (absl::Status parsed = ParseRequest(*bytes, *request); !parsed.ok()) return parsed;
      call->set_reference(request->reference());
      auto answer = find(*request);
      done = answer.has_value();
      return done ? Answer(*answer, *call) : absl::OkStatus();
    });
    if (done) {
      call->Finish(status);
    } else {
      RunLater(method, call, bytes->Length(), [call, request, handler = std::move(handler)]() -> absl::Status {
        return Handle(*request, *call, handler);
      });
    }
    return call->reactor();
  }

 private:
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

  /// Runs `work` on the executor, guarded, and finishes the call with what it gives; RESOURCE_EXHAUSTED at once when
  /// the queue is full.
  void RunLater(const Method& method, const std::shared_ptr<Call>& call, size_t bytes,
                std::function<absl::Status()> work);

  Executor& executor_;
  Metrics& metrics_;
  const Options options_;
};

}  // namespace tasker::server
