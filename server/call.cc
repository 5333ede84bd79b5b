#include "server/call.h"

#include <fmt/format.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/security/auth_context.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <exception>
#include <new>

#include "lib/registry/error.h"
#include "server/log.h"
#include "server/status.h"

namespace tasker::server {
namespace {

// The name in the client's certificate, where TLS checked one.
std::string ActorOf(const grpc::CallbackServerContext& context) {
  const std::shared_ptr<const grpc::AuthContext> auth = context.auth_context();
  if (auth == nullptr || !auth->IsPeerAuthenticated()) return "";
  const std::vector<grpc::string_ref> names = auth->GetPeerIdentity();
  return names.empty() ? "" : std::string(names.front().data(), names.front().size());
}

constexpr absl::Duration kAnswerTime = absl::Milliseconds(100);

void ReleaseAnswer(void* answer) { delete static_cast<registry::AnswerBytes*>(answer); }

}  // namespace

CallRecord::CallRecord(const Method& method, grpc::CallbackServerContext& context, absl::Duration max_duration)
    : method_(method), context_(context), start_(absl::Now()), max_duration_(max_duration) {}

const registry::Caller& CallRecord::caller() const {
  if (!caller_) caller_ = registry::Caller{ActorOf(context_), context_.peer(), deadline()};
  return *caller_;
}

absl::Status CallRecord::CheckWanted() const {
  if (absl::Now() >= deadline()) return absl::DeadlineExceededError("the deadline passed before the call ran");
  if (context_.IsCancelled()) return absl::CancelledError("the client has gone");
  return absl::OkStatus();
}

grpc::Status CallRecord::Conclude(const absl::Status& status) const {
  grpc::Status answer = ToGrpcStatus(status);
  const absl::Duration took = absl::Now() - start_;
  method_.metrics.Count(answer.error_code(), absl::ToDoubleSeconds(took));
  if (LogsAccess()) {
    const std::string code = absl::StatusCodeToString(static_cast<absl::StatusCode>(answer.error_code()));
    LogAccess(
        {method_.name, code, absl::ToDoubleMilliseconds(took), caller().peer, reference_, answer.error_message()});
  }
  return answer;
}

Call::Call(const Method& method, grpc::CallbackServerContext& context, grpc::ByteBuffer* response,
           absl::Duration max_duration)
    : CallRecord(method, context, max_duration), response_(response), reactor_(context.DefaultReactor()) {}

absl::Status StatusOfException(const std::string& what) {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    spdlog::error("{}: out of memory", what);
    return absl::ResourceExhaustedError("the server is out of memory for this call");
  } catch (const std::exception& e) {
    spdlog::error("{}: unexpected exception: {}", what, e.what());
  } catch (...) {
    spdlog::error("{}: unexpected exception of an unknown type", what);
  }
  return absl::InternalError("the server failed; its log says how");
}

absl::Status ServerBusy() {
  return registry::Error(absl::StatusCode::kResourceExhausted, "the server has too much to do; try again later",
                         {"SERVER_BUSY", {}, {}});
}

bool InOnePiece(const grpc::ByteBuffer& bytes, grpc::Slice& out) {
  if (bytes.TrySingleSlice(&out).ok()) return true;
  // gRPC reads many requests at once; where one of its reads ends within a request, that comes in two pieces.
  constexpr size_t kLargest = 4096;
  return bytes.Length() <= kLargest && bytes.DumpToSingleSlice(&out).ok();
}

absl::Status ParseRequest(const grpc::ByteBuffer& bytes, google::protobuf::Message& request) {
  grpc::ByteBuffer copy = bytes;  // refers to the same slices; reading empties it
  const grpc::Status status = grpc::SerializationTraits<google::protobuf::Message>::Deserialize(&copy, &request);
  if (status.ok()) return absl::OkStatus();
  return registry::Error(absl::StatusCode::kInvalidArgument,
                         fmt::format("the request is no {}: its bytes are damaged, or hold text that is not UTF-8",
                                     request.GetDescriptor()->name()),
                         {"REQUEST_MALFORMED", {}, {}});
}

void EncodeResponse(const google::protobuf::Message& response, grpc::ByteBuffer& out) {
  bool own_buffer = false;
  grpc::SerializationTraits<google::protobuf::Message>::Serialize(response, &out, &own_buffer);
}

void EncodeResponse(const registry::AnswerBytes& response, grpc::ByteBuffer& out) {
  EncodeResponse(registry::Reply{response, *response}, out);
}

void EncodeResponse(const registry::Reply& response, grpc::ByteBuffer& out) {
  auto* const owner = new registry::AnswerBytes(response.owner);
  const std::array<grpc::Slice, 2> slices = {
      grpc::Slice(const_cast<char*>(response.head.data()), response.head.size(), ReleaseAnswer, owner),
      response.tail.empty() ? grpc::Slice() : grpc::Slice(response.tail)};
  out = grpc::ByteBuffer(slices.data(), response.tail.empty() ? 1 : 2);
}

CallRunner::CallRunner(Executor& executor, Metrics& metrics, registry::RevisionGate& gate, Options options)
    : executor_(executor), metrics_(metrics), gate_(gate), options_(options) {}

void CallRunner::RunLater(const Method& method, const std::shared_ptr<Call>& call, size_t bytes,
                          std::function<Outcome()> work) {
  const bool posted = executor_.Post(bytes, [&method, call, work = std::move(work)]() mutable {
    Outcome outcome = absl::OkStatus();
    const absl::Status failure = Guarded(method.name, [&]() -> absl::Status {
      outcome = call->CheckWanted();
      if (outcome->ok()) outcome = work();
      return absl::OkStatus();
    });
    if (!failure.ok()) outcome = failure;
    work = nullptr;  // frees the request before the answer says that the call is over
    if (outcome) call->Finish(*outcome);
  });
  if (!posted) {
    call->Finish(ServerBusy());
  }
}

void CallRunner::RunAtRevision(int64_t revision, const Method& method, const std::shared_ptr<Call>& call, size_t bytes,
                               std::function<Outcome()> work) {
  // A little before the deadline, so that the answer arrives before the client gives up and says less.
  const absl::Duration left = call->deadline() - absl::Now();
  const absl::Time deadline = call->deadline() - std::clamp(left / 20, absl::ZeroDuration(), kAnswerTime);
  gate_.WaitFor(revision, deadline, [this, &method, call, bytes, work = std::move(work)](const absl::Status& reached) {
    if (reached.ok()) {
      RunLater(method, call, bytes, work);
    } else {
      call->Finish(reached);
    }
  });
}

}  // namespace tasker::server
