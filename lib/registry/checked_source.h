#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/issue.h"
#include "lib/template/load.h"
#include "lib/template/model.h"
#include "tasker/registry/v1/registry.pb.h"

namespace tasker::registry {

namespace pb = ::tasker::registry::v1;

/// One or many templates to register, wherever their messages live.
using Sources = std::vector<const pb::TemplateSource*>;

/// Where a source stands, for issues that only the registry can find.
struct Place {
  std::string path;  ///< JSON pointer
  base::Position position;
};

/// A source after every check that needs no database.
struct CheckedSource {
  std::string reference;  ///< exact; empty when the source is too broken to tell
  base::IssueList issues;
  /// Without errors only.
  std::optional<tmpl::TaskTemplate> tmpl;
  std::string canonical;  ///< canonical JSON
  std::string digest;     ///< of `canonical`
  Place version;
  std::map<std::string, Place> events;  ///< the first place where each event is given a schema, by its name
};

/// Text and messages take one path: message → model → JSON → document, text → document; then document → model → rules.
/// Never fails: whatever is wrong is an issue. `document`, where given, is set to the tree of a template without
/// errors. Pure; any thread.
CheckedSource CheckSource(const pb::TemplateSource& source, const tmpl::ReadLimits& limits,
                          std::optional<tmpl::Document>* document = nullptr);

/// The same for many, spread over the cores. In the order of `sources`. `finish`, where given, is called for each with
/// its place, at once and on any thread: what it takes out of a large batch need not be held for the whole of it.
std::vector<CheckedSource> CheckSources(const Sources& sources, const tmpl::ReadLimits& limits,
                                        const std::function<void(size_t, CheckedSource&)>& finish = {});

}  // namespace tasker::registry
