#include "lib/registry/new_version.h"

#include <utility>

#include "lib/registry/index_entries.h"

namespace tasker::registry {

store::NewVersion MakeNewVersion(const pb::TemplateSource& source, CheckedSource& checked) {
  const tmpl::TaskTemplate& tmpl = *checked.tmpl;
  store::NewVersion version;
  version.namespace_name = tmpl.namespace_name;
  version.name = tmpl.name;
  version.version = tmpl.version;
  version.description = tmpl.description;
  version.configuration = std::move(checked.canonical);
  version.digest = checked.digest;
  if (source.has_yaml()) version.source_text = source.yaml();
  version.file_name = source.file_name();
  if (tmpl.metadata) version.tags = tmpl.metadata->tags;
  version.step_count = static_cast<int32_t>(tmpl.steps.size());
  TemplateIndex index = IndexTemplate(tmpl);
  version.entries = std::move(index.entries);
  version.events = std::move(index.events);
  checked.tmpl.reset();
  return version;
}

}  // namespace tasker::registry
