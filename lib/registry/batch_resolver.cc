#include "lib/registry/batch_resolver.h"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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

// So many are asked for together: what they take in memory is there at once.
constexpr int kTogether = 16;

using Requests = google::protobuf::RepeatedPtrField<pb::ResolveTemplateRequest>;

// The answers to the requests from `begin` on, at most kTogether.
std::vector<absl::StatusOr<AnswerBytes>> ResolveSome(Resolver& resolver, const Requests& requests, int begin,
                                                     absl::Time deadline) {
  std::vector<std::optional<absl::StatusOr<AnswerBytes>>> known;
  std::vector<const pb::ResolveTemplateRequest*> asked;
  std::vector<size_t> places;
  for (int i = begin; i < std::min(requests.size(), begin + kTogether); ++i) {
    known.push_back(resolver.Find(requests[i]));
    if (known.back()) continue;
    asked.push_back(&requests[i]);
    places.push_back(known.size() - 1);
  }
  resolver.ResolveTogether(asked, deadline,
                           [&](size_t i, absl::StatusOr<AnswerBytes> answer) { known[places[i]] = std::move(answer); });
  std::vector<absl::StatusOr<AnswerBytes>> answers;
  for (size_t i = 0; i < known.size(); ++i) {
    answers.push_back(known[i] ? *std::move(known[i])
                               : resolver.Resolve(requests[begin + static_cast<int>(i)], deadline));
  }
  return answers;
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
  for (int begin = 0; begin < request.requests_size(); begin += kTogether) {
    for (absl::StatusOr<AnswerBytes>& answer : ResolveSome(resolver, request.requests(), begin, deadline)) {
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
  }
  out.Trim();
  return bytes;
}

}  // namespace tasker::registry
