#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lib/registry/byte_cache.h"
#include "lib/registry/resolve_request.h"
#include "lib/registry/template_loader.h"
#include "tasker/registry/v1/resolver.pb.h"

namespace tasker::registry {

namespace pb = ::tasker::registry::v1;

/// An encoded response message. Shared with the cache; never copied on its way to the socket.
using AnswerBytes = std::shared_ptr<const std::string>;

/// The same in the pieces that stay as they are and those that change, one after the other: encoded messages that stand
/// behind one another are one message with the fields of all.
struct Reply {
  AnswerBytes owner;  ///< keeps `head` alive, which is all of it or its beginning
  std::string_view head;
  std::string tail = {};  ///< what belongs to this answer alone; short

  /// All in one; a copy only where there is a tail or not all of `owner` counts.
  AnswerBytes Join() const;
};

/// Resolves templates and handlers. Remembers encoded answers by exact version, environment and view, at most
/// `cache_bytes` of them. Safe to call from any thread.
class Resolver {
 public:
  Resolver(std::shared_ptr<TemplateLoader> loader, size_t cache_bytes);

  enum class Kind : char { kTemplate = 'T', kHandler = 'H' };

  /// The answer from memory, without waiting for anything; nullopt when memory does not know, or the request needs a
  /// closer look. An error in it is the request's (see below).
  std::optional<absl::StatusOr<Reply>> Find(Kind kind, const ResolveRequestView& request);
  std::optional<absl::StatusOr<AnswerBytes>> Find(const pb::ResolveTemplateRequest& request);

  /// A ResolveTemplateResponse or ResolveHandlerResponse. Asks the database where memory does not know. Errors:
  ///   INVALID_ARGUMENT     malformed reference, unknown view, environment or step name over 255 bytes;
  ///   NOT_FOUND            see not_found.h;
  ///   FAILED_PRECONDITION  `require_environment`, and the template does not define it;
  ///   otherwise            as the store fails.
  absl::StatusOr<AnswerBytes> Resolve(const pb::ResolveTemplateRequest& request, absl::Time deadline);
  absl::StatusOr<AnswerBytes> Resolve(const pb::ResolveHandlerRequest& request, absl::Time deadline);

  /// Several at once, with one question to the database: calls `answer` with the place of a request and its answer, one
  /// after the other. Not for those that are left to Resolve, as in TemplateLoader::LoadTogether.
  void ResolveTogether(std::span<const pb::ResolveTemplateRequest* const> requests, absl::Time deadline,
                       const std::function<void(size_t, absl::StatusOr<AnswerBytes>)>& answer);

  CacheStats Stats() const { return cache_.Stats(); }

 private:
  struct Answer {
    std::string bytes;      // the encoded response: what says which version and environment, then what it holds
    size_t head_bytes = 0;  // of the former; with kNotModified behind it, it answers `if_not_digest`
    size_t digest_at = 0;   // where `bytes` holds the resolution's digest; 0 for handlers
    bool environment_defined = false;
    std::string notice = {};  // the field of the version's state, encoded; empty while it is active
    uint64_t states = 0;      // as in TemplateLoader::Loaded
  };
  using Handle = std::shared_ptr<const Answer>;

  static Reply MakeReply(const Handle& answer, std::string_view if_not_digest);
  template <typename Request>
  absl::StatusOr<AnswerBytes> LoadAndResolve(const Request& request, absl::Time deadline);
  template <typename Request>
  absl::StatusOr<AnswerBytes> ResolveLoaded(const Request& request, const TemplateLoader::Loaded& loaded);
  static absl::StatusOr<Answer> MakeAnswer(const pb::ResolveTemplateRequest& request,
                                           const RegisteredTemplate& registered);
  static absl::StatusOr<Answer> MakeAnswer(const pb::ResolveHandlerRequest& request,
                                           const RegisteredTemplate& registered);

  const std::shared_ptr<TemplateLoader> loader_;
  ByteCache<Answer> cache_;
};

}  // namespace tasker::registry
