#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "client/library/server_options.h"
#include "tasker/registry/v1/resolver.pb.h"

namespace tasker::client {

namespace pb = ::tasker::registry::v1;

class AnswerCache;
class Feed;
class RegistryConnection;
struct AnswerKey;
struct RememberedAnswer;

struct TemplateClientOptions {
  // Behaviour
  ServerOptions server;  ///< several servers are asked in turn; one that cannot be reached is left out
  /// How old an answer may be that changes could have altered (a selector's, or "not found"), while changes do not
  /// reach this client.
  absl::Duration max_staleness = absl::Seconds(10);
  /// After so long without a word the watched server is asked whether it lives, and has 5 s to say so. Not below 10 s:
  /// servers hang up on clients that ask more often.
  absl::Duration keepalive = absl::Seconds(11);
  /// A watch of which nothing is heard for so long, not even a bookmark, is given up and started anew: a proxy may
  /// answer `keepalive` in a server's place. Servers send a bookmark at least every 30 s.
  absl::Duration longest_silence = absl::Seconds(75);
  /// File to keep the answers in for the next start; "" for none. Written now and then and in the destructor.
  std::string snapshot_path;
  /// Called for each change, in order and once, after the cache has forgotten what it concerns. On the watch's thread:
  /// the next change waits until it returns. It may use the client, but not destroy it.
  std::function<void(const pb::Change&)> on_change;
  /// Called in the same way when changes were missed for good, so that no `on_change` comes for them.
  std::function<void()> on_gap;
  /// Takes one line without its end, for the operator; any thread. Default: stderr.
  std::function<void(const std::string&)> log;

  // Performance
  size_t cache_bytes = size_t{64} << 20;  ///< of memory for answers, at most
  int retries = 4;                        ///< of a call that met UNAVAILABLE, within `server.timeout`
};

/// What was answered.
template <typename Response>
struct Answer {
  std::shared_ptr<const Response> response;  ///< never nullptr; shared with the cache, stays valid without the client
  /// How long ago it was last known to be right. Zero while changes reach the client, and where the reference is an
  /// exact version or a digest.
  absl::Duration age = absl::ZeroDuration();
};

/// What to resolve; the views need to last only for the call.
struct TemplateQuery {
  std::string_view reference = {};    ///< NAMESPACE/NAME[:SELECTOR] or NAMESPACE/NAME@sha256:DIGEST
  std::string_view environment = {};  ///< "" for the base template
  bool json = false;                  ///< as canonical JSON text, which is exact, instead of the structured view
  bool require_environment = false;   ///< FAILED_PRECONDITION when the template does not define it
};
struct HandlerQuery {
  std::string_view reference = {};
  std::string_view environment = {};
  std::string_view step = {};  ///< "" for the task's own handler
  bool require_environment = false;
};

/// A worker's way to a registry: answers from memory, kept right by a watch of the registry's changes. Exact versions
/// are asked for once; selectors, notices and "not found" again after a change of that template. Of all threads that
/// miss the same answer one asks. docs/client-library.md is the guide.
///
/// Statuses are the registry's (docs there). UNAVAILABLE: no server can be reached, after `retries`; DEADLINE_EXCEEDED:
/// none answered within `server.timeout`. INVALID_ARGUMENT for a malformed reference, without a call.
///
/// Safe to call from any thread. Calls block; an answer from memory takes well below a microsecond. The destructor ends
/// the watch and its threads; nobody may be inside a call then.
class TemplateClient {
 public:
  /// Connects in the background: succeeds while the registry is away. INVALID_ARGUMENT when the options contradict
  /// each other or name a file that cannot be read. A snapshot that cannot be used is said in the log.
  static absl::StatusOr<std::unique_ptr<TemplateClient>> Create(TemplateClientOptions options);
  ~TemplateClient();
  TemplateClient(const TemplateClient&) = delete;
  TemplateClient& operator=(const TemplateClient&) = delete;

  absl::StatusOr<Answer<pb::ResolveTemplateResponse>> Resolve(const TemplateQuery& query);
  absl::StatusOr<Answer<pb::ResolveHandlerResponse>> ResolveHandler(const HandlerQuery& query);

  // These are not remembered. A `min_revision` that is not set becomes the revision that this client has seen.
  absl::StatusOr<pb::CheckCallablesResponse> CheckCallables(pb::CheckCallablesRequest request);
  absl::StatusOr<pb::ValidateTaskInputResponse> ValidateTaskInput(pb::ValidateTaskInputRequest request);
  absl::StatusOr<pb::ValidateEventPayloadResponse> ValidateEventPayload(pb::ValidateEventPayloadRequest request);

  struct Stats {
    bool watching = false;            ///< changes reach this client
    std::optional<int64_t> revision;  ///< the last whose changes it has applied
    size_t entries = 0;               ///< of the cache
    size_t bytes = 0;
  };
  Stats GetStats() const;

 private:
  TemplateClient(TemplateClientOptions options, std::unique_ptr<RegistryConnection> connection);

  template <typename Response>
  absl::StatusOr<Answer<Response>> Get(const AnswerKey& key);
  template <typename Response>
  absl::StatusOr<Answer<Response>> Fetch(const AnswerKey& key, std::shared_ptr<const RememberedAnswer> seen);
  std::optional<absl::Duration> AgeOf(const RememberedAnswer& answer) const;
  bool IsLastResort(const RememberedAnswer& answer) const;
  template <typename Request>
  void RequireSeen(Request& request) const;
  void LoadSnapshot();
  void SaveSnapshot();
  void KeepSnapshot();

  const TemplateClientOptions options_;
  const std::unique_ptr<RegistryConnection> connection_;
  const std::unique_ptr<AnswerCache> cache_;
  std::unique_ptr<Feed> feed_;  // constant after construction

  std::mutex stopping_mutex_;
  std::condition_variable stopping_changed_;
  bool stopping_ = false;
  std::thread snapshots_;
};

}  // namespace tasker::client
