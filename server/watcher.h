#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "lib/registry/change_batch.h"
#include "server/watch.h"

namespace tasker::server {

/// One WatchTemplates call. Made by the hub, which keeps it until gRPC is done with it.
class WatchHub::Watcher final : public Reactor, public std::enable_shared_from_this<Watcher> {
 public:
  Watcher(WatchHub& hub, Shard& shard, grpc::CallbackServerContext& context);

  Shard& shard() const { return shard_; }

  /// Takes the request; the place in the log may first have to be checked in the database, on the executor.
  void Begin(const grpc::ByteBuffer& request);

  /// Sends what is next, unless gRPC is still busy with what was before. True when it has started a write, which is one
  /// of `run`.
  bool Advance(uint64_t run);
  /// For the passing of time: bookmarks, which the next Advance sends, and clients that take nothing.
  void Tick(absl::Time now);
  /// Finishes the call, unless it has been; adds where to resume to `reason`.
  void End(const absl::Status& reason);
  /// Gives up a call that was ended, but whose client does not take the end.
  void Abandon();

  /// Reads what comes after the place in the log from the database; on the executor.
  void ReadPage();

  /// Revisions that it is behind `newest`; 0 while it has not begun.
  int64_t Lag(int64_t newest) const;

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  void CheckPlace(int64_t from);
  void StartAt(int64_t revision);
  // All below: under the lock.
  void AdvanceLocked();
  bool TakeNext();
  void Take(const registry::ChangeBatch& batch);
  void Write(const registry::MessageBytes& message);
  void WriteBookmark();
  void EndLocked(const absl::Status& reason);
  bool FellOut() const;

  WatchHub& hub_;
  Shard& shard_;
  grpc::CallbackServerContext& context_;
  const absl::Time start_;

  mutable std::mutex mutex_;  // guards what follows
  registry::WatchFilter filter_;
  std::optional<int64_t> from_;  // as asked for; none: from now
  bool begun_ = false;
  bool caught_up_ = false;  // it has been up to date: from then on the feed's memory must suffice
  bool loading_ = false;    // a page is being read, or waits to be
  bool writing_ = false;
  bool bookmark_due_ = false;
  bool ended_ = false;
  bool done_ = false;   // gRPC is done with the call: its context is gone
  int64_t cursor_ = 0;  // every change up to this revision has been handed to gRPC
  std::deque<registry::ChangeBatchHandle> page_;
  std::vector<registry::MessageBytes> messages_;  // of the revision that is being sent
  size_t next_message_ = 0;
  int64_t sending_ = 0;  // that revision
  grpc::ByteBuffer buffer_;
  uint64_t run_ = 0;  // that the write in progress belongs to; 0: none
  absl::Time write_start_;
  absl::Time last_bookmark_;
  absl::Time end_time_;
};

}  // namespace tasker::server
