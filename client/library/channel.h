#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "client/library/server_options.h"

/// What every connection to a registry is made of. For the sources that make calls: it includes gRPC's headers.
namespace tasker::client {

/// One channel for each of the servers, in their order; each connects on its first use. A name that stands for several
/// addresses is used in turn. Reads the files that the options name: INVALID_ARGUMENT when one cannot be read.
/// `keepalive`: after so long without a word from a server that owes one it is asked whether it lives; zero for never.
absl::StatusOr<std::vector<std::shared_ptr<grpc::Channel>>> MakeChannels(const ServerOptions& options,
                                                                         const std::string& user_agent,
                                                                         absl::Duration keepalive);

/// A bearer token in a file that whoever issues tokens replaces now and then. Any thread.
class Token {
 public:
  /// INVALID_ARGUMENT when the file holds no token. "" is for none.
  static absl::StatusOr<std::unique_ptr<Token>> Open(std::string file);

  /// What the file holds now; while it holds none, what it held last. "" where there is no file.
  std::string Get() const;

 private:
  Token(std::string file, std::string text) : file_(std::move(file)), last_(std::move(text)) {}

  const std::string file_;
  mutable std::mutex mutex_;  // guards last_
  mutable std::string last_;
};

/// A call's context: deadline and token.
void Prepare(grpc::ClientContext& context, const Token& token, absl::Time deadline);

/// Connects where there is no connection, for at most `wait`. False when there is none then.
bool IsConnected(grpc::Channel& channel, absl::Duration wait);

/// gRPC's status with its code, its message, and what `Violations` reads.
absl::Status ToStatus(const grpc::Status& status);

}  // namespace tasker::client
