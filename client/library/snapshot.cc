#include "client/library/snapshot.h"

#include <absl/time/clock.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string_view>
#include <system_error>
#include <utility>

#include "client/library/feed.h"
#include "lib/base/digest.h"
#include "tasker/registry/v1/resolver.pb.h"

namespace tasker::client {
namespace {

using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;

constexpr std::string_view kMagic = "tasker client snapshot 1\n";
constexpr size_t kDigestSize = 71;
constexpr size_t kHeaderSize = kMagic.size() + kDigestSize + 1;
constexpr int64_t kNanosPerMilli = 1'000'000;

// The steady clock does not outlive the machine's run, so the file holds the time of day.
int64_t ToWallMs(int64_t steady) { return absl::ToUnixMillis(absl::Now()) - (SteadyNow() - steady) / kNanosPerMilli; }
int64_t ToSteady(int64_t wall_ms) {
  const int64_t age_ms = std::max<int64_t>(0, absl::ToUnixMillis(absl::Now()) - wall_ms);
  return SteadyNow() - std::min(age_ms, INT64_MAX / 4 / kNanosPerMilli) * kNanosPerMilli;
}

void WriteText(CodedOutputStream& out, std::string_view text) {
  out.WriteVarint64(text.size());
  out.WriteRaw(text.data(), static_cast<int>(text.size()));
}

bool ReadText(CodedInputStream& in, std::string& text) {
  uint64_t size = 0;
  return in.ReadVarint64(&size) && size <= INT32_MAX && in.ReadString(&text, static_cast<int>(size));
}

void WriteAnswer(CodedOutputStream& out, const RememberedAnswer& answer, bool current, int64_t known_at) {
  const AnswerKey key = answer.asked.key();
  out.WriteVarint32(static_cast<uint32_t>(key.kind));
  out.WriteVarint32(key.require_environment ? 1 : 0);
  out.WriteVarint32(current ? 1 : 0);
  out.WriteVarint64(static_cast<uint64_t>(ToWallMs(known_at)));
  const std::string response = answer.response->SerializeAsString();
  const std::string_view texts[] = {key.reference,        key.environment, key.step,
                                    answer.template_name, answer.version,  response};
  for (const std::string_view text : texts) WriteText(out, text);
}

std::unique_ptr<google::protobuf::Message> ParseResponse(AnswerKind kind, const std::string& bytes) {
  std::unique_ptr<google::protobuf::Message> response;
  if (kind == AnswerKind::kHandler) {
    response = std::make_unique<pb::ResolveHandlerResponse>();
  } else {
    response = std::make_unique<pb::ResolveTemplateResponse>();
  }
  if (!response->ParseFromString(bytes)) response.reset();
  return response;
}

bool ReadAnswer(CodedInputStream& in, Snapshot::Item& item) {
  uint32_t kind = 0;
  uint32_t require_environment = 0;
  uint32_t current = 0;
  uint64_t known_at_ms = 0;
  std::string reference, environment, step, template_name, version, bytes;
  const bool complete = in.ReadVarint32(&kind) && in.ReadVarint32(&require_environment) && in.ReadVarint32(&current) &&
                        in.ReadVarint64(&known_at_ms) && ReadText(in, reference) && ReadText(in, environment) &&
                        ReadText(in, step) && ReadText(in, template_name) && ReadText(in, version) &&
                        ReadText(in, bytes);
  if (!complete || kind > static_cast<uint32_t>(AnswerKind::kHandler)) return false;
  const AnswerKey key{static_cast<AnswerKind>(kind), require_environment != 0, reference, environment, step};
  item.answer = RememberedAnswer::Make(key, template_name);
  item.answer->version = std::move(version);
  item.answer->known_at = ToSteady(static_cast<int64_t>(known_at_ms));
  item.answer->response = ParseResponse(key.kind, bytes);
  item.current = current != 0;
  return item.answer->response != nullptr;
}

absl::StatusOr<std::string> ReadAll(const std::string& path, size_t max_bytes) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    const std::string why = std::generic_category().message(errno);
    return errno == ENOENT ? absl::NotFoundError(why) : absl::InvalidArgumentError(why);
  }
  std::string text;
  ssize_t got = 0;
  do {
    const size_t size = text.size();
    text.resize(size + (size_t{1} << 20));
    got = ::read(file, text.data() + size, text.size() - size);
    text.resize(size + static_cast<size_t>(std::max<ssize_t>(0, got)));
  } while (got > 0 && text.size() <= max_bytes);
  const int error = errno;
  ::close(file);
  if (got < 0) return absl::InvalidArgumentError(std::generic_category().message(error));
  if (text.size() > max_bytes) return absl::InvalidArgumentError(fmt::format("it is larger than {} bytes", max_bytes));
  return text;
}

absl::Status Failure(const std::string& what, const std::string& path) {
  return absl::UnknownError(fmt::format("{} '{}': {}", what, path, std::generic_category().message(errno)));
}

absl::Status WriteAll(int file, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Failure("cannot write", path);
    text.remove_prefix(static_cast<size_t>(written));
  }
  // Else a crash of the machine may leave the new name with no content.
  if (::fsync(file) != 0) return Failure("cannot write", path);
  return absl::OkStatus();
}

absl::Status Replace(const std::string& path, std::string_view head, std::string_view body) {
  // Workers of one machine may share the path, so each writes a file of its own.
  std::string temporary = path + ".XXXXXX";
  const int file = ::mkstemp(temporary.data());
  if (file < 0) return Failure("cannot make", temporary);
  absl::Status status = WriteAll(file, head, temporary);
  if (status.ok()) status = WriteAll(file, body, temporary);
  ::close(file);
  if (status.ok() && ::rename(temporary.c_str(), path.c_str()) != 0) status = Failure("cannot replace", path);
  if (!status.ok()) ::unlink(temporary.c_str());
  return status;
}

}  // namespace

absl::Status SaveSnapshot(const std::string& path, const std::string& scope, const AnswerCache& cache,
                          int64_t known_at) {
  const AnswerCache::Content content = cache.Contents();
  std::string body;
  {
    google::protobuf::io::StringOutputStream stream(&body);
    CodedOutputStream out(&stream);
    WriteText(out, scope);
    out.WriteVarint64(content.revision ? static_cast<uint64_t>(*content.revision) + 1 : 0);
    const auto kept = [](const AnswerHandle& answer) { return answer->response != nullptr; };
    out.WriteVarint64(static_cast<uint64_t>(std::count_if(content.answers.begin(), content.answers.end(), kept)));
    for (const AnswerHandle& answer : content.answers) {
      if (!kept(answer)) continue;
      const bool current = cache.is_current(*answer);
      WriteAnswer(out, *answer, current, current ? std::max(answer->known_at, known_at) : answer->known_at);
    }
    if (out.HadError()) return absl::ResourceExhaustedError("the answers take more than 2 GiB");
  }
  return Replace(path, fmt::format("{}{}\n", kMagic, base::Sha256Digest(body)), body);
}

absl::StatusOr<Snapshot> LoadSnapshot(const std::string& path, const std::string& scope, size_t max_bytes) {
  absl::StatusOr<std::string> text = ReadAll(path, std::min<size_t>(max_bytes, INT32_MAX));
  if (!text.ok()) return text.status();
  if (!text->starts_with(kMagic)) return absl::InvalidArgumentError("it is no snapshot of this version's format");
  const std::string_view body = std::string_view(*text).substr(std::min(kHeaderSize, text->size()));
  if (std::string_view(*text).substr(kMagic.size(), kDigestSize) != base::Sha256Digest(body)) {
    return absl::InvalidArgumentError("it is damaged: its digest is not that of its content");
  }
  CodedInputStream in(reinterpret_cast<const uint8_t*>(body.data()), static_cast<int>(body.size()));
  in.SetTotalBytesLimit(INT32_MAX);
  std::string found_scope;
  uint64_t revision = 0;
  uint64_t count = 0;
  if (!ReadText(in, found_scope) || !in.ReadVarint64(&revision) || !in.ReadVarint64(&count)) {
    return absl::InvalidArgumentError("it is incomplete");
  }
  if (found_scope != scope) {
    return absl::InvalidArgumentError(fmt::format("it is of another registry: of {}, not of {}", found_scope, scope));
  }
  Snapshot snapshot;
  if (revision > 0) snapshot.revision = static_cast<int64_t>(revision - 1);
  for (uint64_t i = 0; i < count; ++i) {
    if (!ReadAnswer(in, snapshot.items.emplace_back())) return absl::InvalidArgumentError("it is incomplete");
  }
  return snapshot;
}

}  // namespace tasker::client
