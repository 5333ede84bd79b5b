#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <functional>
#include <memory>

#include "lib/registry/registrar.h"
#include "lib/registry/template_loader.h"
#include "lib/store/connection_pool.h"
#include "lib/store/store.h"
#include "tasker/registry/v1/registry.pb.h"

namespace tasker::registry {

namespace pb = ::tasker::registry::v1;

/// Takes a registry out as a stream of items and puts it back. Holds about 8 MiB of items, whatever the size of the
/// archive. Constant after construction; safe to call from any thread.
class Archive {
 public:
  /// `loader` is told when an import may have changed what it remembers.
  Archive(std::shared_ptr<store::ConnectionPool> pool, std::shared_ptr<store::Store> store,
          std::shared_ptr<TemplateLoader> loader, tmpl::ReadLimits limits);

  /// Gives everything that the request selects to `write`, in the order of ArchiveItem, as of one moment, however long
  /// that takes. An error of `write` ends it and comes back. INVALID_ARGUMENT for a name that cannot be one;
  /// NOT_FOUND for a namespace that does not exist; nothing for a prefix that no name has.
  absl::Status Export(const pb::ExportTemplatesRequest& request, const Caller& caller,
                      const std::function<absl::Status(const pb::ArchiveItem&)>& write) const;

  /// Fills in the next message; false after the last one. An error ends the import and comes back.
  using Read = std::function<absl::StatusOr<bool>(pb::ImportTemplatesRequest&)>;

  /// Stores all that `read` gives, or nothing. Other writers wait only while it stores, not while it reads. Errors:
  ///   INVALID_ARGUMENT    ARCHIVE_INVALID: an item is wrong, out of order, or twice; a text has errors, or another
  ///                       digest than the archive says; a channel points at a version that neither has. The message
  ///                       and the metadata name the item, from 1, and its reference.
  ///   ALREADY_EXISTS      VERSION_EXISTS: a version is here with other content, or was purged with other content; the
  ///                       conflicts of one chunk are the violations.
  /// otherwise as the store fails.
  absl::StatusOr<pb::ImportTemplatesResponse> Import(const Caller& caller, const Read& read) const;

 private:
  const std::shared_ptr<store::ConnectionPool> pool_;
  const std::shared_ptr<store::Store> store_;
  const std::shared_ptr<TemplateLoader> loader_;
  tmpl::ReadLimits limits_;
};

}  // namespace tasker::registry
