#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/command.h"
#include "client/registry_client.h"
#include "client/sources.h"
#include "lib/template/load.h"
#include "lib/template/reference.h"

namespace tasker::client {

/// A template that is compared with another.
struct Compared {
  std::string label;      ///< as people call it: a file's name, or the exact reference
  std::string reference;  ///< exact
  tmpl::LoadedTemplate loaded;

  tmpl::Version version() const { return *tmpl::ParseVersion(loaded.tmpl.version); }
};

/// A version that the registry has.
struct RegisteredVersion {
  tmpl::Version version;
  std::string digest;
  bool is_yanked = false;
};

/// Of `versions`, highest first, what a new `version` is held against: the highest lower one that is not yanked. Null
/// when there is none.
const RegisteredVersion* HighestLower(const std::vector<RegisteredVersion>& versions, const tmpl::Version& version);

/// Whether a command's argument means a file (or stdin, "-") rather than a reference: it exists, or its name ends as a
/// template's does and nothing else is meant by it.
bool MeansFile(const std::string& argument);

/// Gets what is compared from files and from the registry. Comparing is done here and not by the server, so that files
/// and versions go together in any combination, and files alone without a server. Everything that fails says why on
/// stderr; `exit_code` then tells how to end.
class ComparedLoader {
 public:
  ComparedLoader(const Session& session, bool keep_unknown) : session_(session), keep_unknown_(keep_unknown) {}

  std::optional<Compared> LoadFile(const std::string& path);
  /// nullopt when the text has errors.
  std::optional<Compared> LoadText(const Source& source);
  std::optional<Compared> LoadReference(const std::string& reference);
  /// Highest first; empty for a template that the registry does not know. nullopt when it cannot be asked.
  std::optional<std::vector<RegisteredVersion>> LoadVersions(const tmpl::TaskTemplate& tmpl);

  /// Null, after saying why, when the options are wrong.
  RegistryClient* client();
  /// Says why a call of `client` failed.
  void Fail(const absl::Status& status);
  ExitCode exit_code() const { return exit_code_; }

 private:
  const Session& session_;
  const bool keep_unknown_;
  std::unique_ptr<RegistryClient> client_;
  ExitCode exit_code_ = kDone;
};

}  // namespace tasker::client
