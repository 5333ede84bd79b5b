#include "lib/registry/batch_resolver.h"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "lib/registry/error.h"

namespace tasker::registry {
namespace {

using google::protobuf::io::CodedOutputStream;

constexpr uint32_t TagOf(int field) { return static_cast<uint32_t>(field) << 3 | 2; }  // 2: its length goes before it
constexpr uint32_t kResult = TagOf(pb::BatchResolveTemplatesResponse::kResultsFieldNumber);
constexpr uint32_t kResponse = TagOf(pb::BatchResolveTemplatesResult::kResponseFieldNumber);

void Append(uint32_t tag, const std::string& bytes, CodedOutputStream& out) {
  out.WriteTag(tag);
  out.WriteVarint32(static_cast<uint32_t>(bytes.size()));
  out.WriteString(bytes);
}

// A BatchResolveTemplatesResult around the answer as it is, not decoded and encoded again.
void AppendAnswer(const std::string& answer, CodedOutputStream& out) {
  const auto size = static_cast<uint32_t>(answer.size());
  out.WriteTag(kResult);
  out.WriteVarint32(
      static_cast<uint32_t>(CodedOutputStream::VarintSize32(kResponse) + CodedOutputStream::VarintSize32(size)) + size);
  Append(kResponse, answer, out);
}

void AppendError(const absl::Status& status, CodedOutputStream& out) {
  pb::BatchResolveTemplatesResult result;
  pb::ResolveError& error = *result.mutable_error();
  error.set_code(status.raw_code());
  error.set_message(std::string(status.message()));
  error.set_reason(DetailOf(status).reason);
  Append(kResult, result.SerializeAsString(), out);
}

absl::StatusOr<AnswerBytes> ResolveOne(Resolver& resolver, const pb::ResolveTemplateRequest& request,
                                       absl::Time deadline) {
  if (std::optional<absl::StatusOr<AnswerBytes>> known = resolver.Find(request)) return *std::move(known);
  return resolver.Resolve(request, deadline);
}

}  // namespace

absl::StatusOr<AnswerBytes> BatchResolve(Resolver& resolver, const pb::BatchResolveTemplatesRequest& request,
                                         absl::Time deadline) {
  if (request.requests_size() > kMaxBatchRequests) {
    return InvalidField("requests", fmt::format("has more than {}", kMaxBatchRequests));
  }
  const auto bytes = std::make_shared<std::string>();
  google::protobuf::io::StringOutputStream stream(bytes.get());
  CodedOutputStream out(&stream);
  size_t room = kMaxBatchAnswerBytes;
  for (const pb::ResolveTemplateRequest& one : request.requests()) {
    absl::StatusOr<AnswerBytes> answer = ResolveOne(resolver, one, deadline);
    if (answer.ok() && (*answer)->size() > room) {
      answer =
          Error(absl::StatusCode::kResourceExhausted, "the answers before this one fill the batch; ask again for it",
                {"BATCH_ANSWER_TOO_LARGE", {}, {}});
    }
    if (answer.ok()) {
      room -= (*answer)->size();
      AppendAnswer(**answer, out);
    } else {
      AppendError(answer.status(), out);
    }
  }
  out.Trim();
  return bytes;
}

}  // namespace tasker::registry
