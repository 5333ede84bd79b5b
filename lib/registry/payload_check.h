#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstddef>
#include <memory>
#include <string>

#include "lib/json_schema/schema.h"
#include "lib/registry/byte_cache.h"
#include "lib/registry/template_loader.h"
#include "tasker/registry/v1/resolver.pb.h"

namespace tasker::registry {

namespace pb = ::tasker::registry::v1;

/// The largest payload: JSON text, or an encoded Struct.
inline constexpr size_t kMaxPayloadBytes = size_t{4} << 20;

/// Checks payloads against the schemas in templates. Remembers compiled schemas by exact version, at most `cache_bytes`
/// of them. Safe to call from any thread.
class PayloadCheck {
 public:
  PayloadCheck(std::shared_ptr<TemplateLoader> loader, size_t cache_bytes);

  /// The verdict; where there is no schema, every payload is valid. Errors:
  ///   INVALID_ARGUMENT     malformed reference; a payload that is missing, too large, or no JSON, and where;
  ///   NOT_FOUND            see not_found.h; no such event;
  ///   FAILED_PRECONDITION  the schema itself is broken (SCHEMA_BROKEN; of a version older than the check for that);
  ///   RESOURCE_EXHAUSTED   checking it takes more steps, or nests deeper, than is allowed (PAYLOAD_TOO_COMPLEX);
  ///   otherwise            as the store fails.
  absl::StatusOr<pb::ValidateTaskInputResponse> Check(const pb::ValidateTaskInputRequest& request, absl::Time deadline);
  absl::StatusOr<pb::ValidateEventPayloadResponse> Check(const pb::ValidateEventPayloadRequest& request,
                                                         absl::Time deadline);

  CacheStats Stats() const { return cache_.Stats(); }

 private:
  using SchemaHandle = ByteCache<json_schema::Schema>::Handle;

  /// `key` names `schema` within the version. Null where `schema` is.
  absl::StatusOr<SchemaHandle> Compiled(const RegisteredTemplate& registered, const std::string& key,
                                        const base::Json* schema);
  template <typename Response, typename Request>
  absl::StatusOr<Response> Answer(const Request& request, const RegisteredTemplate& registered, const std::string& key,
                                  const base::Json* schema);

  const std::shared_ptr<TemplateLoader> loader_;
  ByteCache<json_schema::Schema> cache_;
};

}  // namespace tasker::registry
