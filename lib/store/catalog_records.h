#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <vector>

#include "lib/store/records.h"

namespace tasker::store {

/// Templates whose latest version fulfils every field that is not empty. Names are compared byte by byte.
struct TemplateFilter {
  std::string namespace_name = {};
  std::string name_prefix = {};
  std::string tag = {};
  std::string system = {};
  std::string event = {};
  std::string callable = {};
  std::string text = {};                  ///< words, all of them, or their beginnings, in name, description and tags
  std::vector<VersionState> states = {};  ///< any of them; empty: active and deprecated
};

/// Channels that fulfil every field that is not empty.
struct ChannelFilter {
  std::string namespace_name = {};
  std::string name = {};  ///< REQUIRES: a namespace_name
  std::string channel = {};
};

/// A channel and where it points.
struct Channel {
  std::string namespace_name;
  std::string name;
  std::string channel;
  std::string version;
  std::string digest;                          ///< of that version
  VersionState state = VersionState::kActive;  ///< of that version
  std::string actor;                           ///< who pointed it there
  int64_t revision = 0;                        ///< of that change
  absl::Time update_time;                      ///< of that change
};

struct ChannelMove {
  std::string version;  ///< where it pointed from then on; empty: it was deleted
  std::string actor;
  int64_t revision = 0;
  absl::Time create_time;
};

/// An event of a namespace, with one of the schemas that it has there.
struct NamespaceEvent {
  std::string namespace_name;
  std::string name;
  std::string description;
  std::string schema_digest;  ///< of `schema_json`; both empty: no schema
  std::string schema_json;    ///< canonical JSON
  std::string template_name;  ///< the first that has it, with the version
  std::string version;
  absl::Time create_time;  ///< when that was registered
};

/// Which places are asked for.
struct UsageFilter {
  Subject subject = Subject::kCallable;
  std::string term = {};            ///< not empty
  bool prefix = false;              ///< everything that begins so, instead of exactly `term`
  bool all_versions = false;        ///< every version that is not yanked, instead of each template's latest one
  std::string namespace_name = {};  ///< empty: all
};

/// One place where a version names what was asked for.
struct Usage {
  std::string namespace_name;
  std::string name;
  std::string version;
  VersionState state = VersionState::kActive;  ///< of that version
  std::string term;
  std::string role;         ///< as in IndexEntry
  std::string step;         ///< as in IndexEntry
  std::string environment;  ///< as in IndexEntry
};

}  // namespace tasker::store
