#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lib/registry/byte_cache.h"
#include "lib/registry/template_loader.h"
#include "tasker/registry/v1/resolver.pb.h"

namespace tasker::registry {

namespace pb = ::tasker::registry::v1;

/// An encoded response message. Shared with the cache; never copied on its way to the socket.
using AnswerBytes = std::shared_ptr<const std::string>;

/// Resolves templates and handlers. Remembers encoded answers by exact version, environment and view, at most
/// `cache_bytes` of them: such an answer never changes, but for the version's state notice, which is put after it and
/// comes from the loader's NoticeCache. Safe to call from any thread.
class Resolver {
 public:
  Resolver(std::shared_ptr<TemplateLoader> loader, size_t cache_bytes);

  /// The answer from memory, without waiting for anything; nullopt when it is not there or the reference is not an
  /// exact version. An error in it is the request's (see below).
  std::optional<absl::StatusOr<AnswerBytes>> Find(const pb::ResolveTemplateRequest& request);
  std::optional<absl::StatusOr<AnswerBytes>> Find(const pb::ResolveHandlerRequest& request);

  /// A ResolveTemplateResponse or ResolveHandlerResponse. Asks the database where memory does not know. Errors:
  ///   INVALID_ARGUMENT     malformed reference, unknown view, environment or step name over 255 bytes;
  ///   NOT_FOUND            see not_found.h;
  ///   FAILED_PRECONDITION  `require_environment`, and the template does not define it;
  ///   otherwise            as the store fails.
  absl::StatusOr<AnswerBytes> Resolve(const pb::ResolveTemplateRequest& request, absl::Time deadline);
  absl::StatusOr<AnswerBytes> Resolve(const pb::ResolveHandlerRequest& request, absl::Time deadline);

  CacheStats Stats() const { return cache_.Stats(); }

 private:
  struct Answer {
    std::string full;               // the encoded response, without a state notice
    std::string not_modified;       // the short one for `if_not_digest`; empty for handlers
    std::string resolution_digest;  // empty for handlers
    absl::Status undefined;         // the error for `require_environment`; OK where the environment is defined
  };
  using Handle = std::shared_ptr<const Answer>;

  template <typename Request, typename Make>
  absl::StatusOr<AnswerBytes> ResolveWith(const Request& request, absl::Time deadline, const Make& make);
  static Answer MakeTemplateAnswer(const pb::ResolveTemplateRequest& request, const RegisteredTemplate& registered);
  static absl::StatusOr<Answer> MakeHandlerAnswer(const pb::ResolveHandlerRequest& request,
                                                  const RegisteredTemplate& registered);
  static absl::StatusOr<AnswerBytes> Choose(const pb::ResolveTemplateRequest& request, const Handle& answer,
                                            const Notice& notice);
  static absl::StatusOr<AnswerBytes> Choose(const pb::ResolveHandlerRequest& request, const Handle& answer,
                                            const Notice& notice);
  template <typename Request>
  std::optional<absl::StatusOr<AnswerBytes>> FindWith(const Request& request);

  const std::shared_ptr<TemplateLoader> loader_;
  ByteCache<Answer> cache_;
};

}  // namespace tasker::registry
