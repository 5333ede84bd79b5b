#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <functional>
#include <memory>

#include "client/library/server_options.h"
#include "tasker/registry/v1/resolver.pb.h"

namespace tasker::client {

namespace pb = ::tasker::registry::v1;

/// The calls that TemplateClient makes: reads only, so that each may be repeated. Safe to call from any thread.
class RegistryConnection {
 public:
  struct Options {
    ServerOptions server;
    absl::Duration keepalive;
    int retries = 0;
    absl::Duration longest_silence;  ///< of a watch; longer, and it ends with UNAVAILABLE
  };
  /// Reads the files that the options name; INVALID_ARGUMENT when one cannot be read.
  static absl::StatusOr<std::unique_ptr<RegistryConnection>> Create(const Options& options);
  ~RegistryConnection();

  /// The next server in turn is asked, after UNAVAILABLE the next but one and so on: each at once, then again with
  /// growing waits, as often as `retries` says and the timeout allows. kOnce asks one server.
  enum class Patience { kRetry, kOnce };
  absl::Status Call(const pb::ResolveTemplateRequest& request, Patience patience,
                    pb::ResolveTemplateResponse& response);
  absl::Status Call(const pb::ResolveHandlerRequest& request, Patience patience, pb::ResolveHandlerResponse& response);
  absl::Status Call(const pb::CheckCallablesRequest& request, Patience patience, pb::CheckCallablesResponse& response);
  absl::Status Call(const pb::ValidateTaskInputRequest& request, Patience patience,
                    pb::ValidateTaskInputResponse& response);
  absl::Status Call(const pb::ValidateEventPayloadRequest& request, Patience patience,
                    pb::ValidateEventPayloadResponse& response);

  /// Gives each message to `on_message` on this thread, until the watch ends; says why it did. One at a time.
  absl::Status Watch(const pb::WatchTemplatesRequest& request,
                     const std::function<void(const pb::WatchTemplatesResponse&)>& on_message);
  /// Ends the watch, and every later one at once with CANCELLED.
  void StopWatching();

 private:
  class Servers;
  explicit RegistryConnection(std::unique_ptr<Servers> servers);

  const std::unique_ptr<Servers> servers_;
};

}  // namespace tasker::client
