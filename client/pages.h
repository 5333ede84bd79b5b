#pragma once

#include <boost/json/array.hpp>
#include <string_view>

#include "client/command.h"
#include "client/failure.h"
#include "client/output.h"
#include "client/registry_client.h"
#include "client/table.h"

namespace tasker::client {

inline constexpr int kPageSize = 1000;  ///< the most that the server gives

/// Asks for every page of a list and lets `add` take each. Gives kDone, or the exit code of the first failure, which it
/// reports.
template <typename Request, typename Response, typename Add>
ExitCode ReadPages(const Session& session, Request request,
                   absl::StatusOr<Response> (RegistryClient::*call)(const Request&), const Add& add) {
  const auto client = RegistryClient::Create(session.options.server);
  if (!client.ok()) return PrintOptionProblem(client.status());
  request.set_page_size(kPageSize);
  do {
    const auto page = ((**client).*call)(request);
    if (!page.ok()) return PrintFailure(page.status());
    add(*page);
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return kDone;
}

/// The same, and prints what `add` put into `table` and `rows`; `nothing` says that nothing matches.
template <typename Request, typename Response, typename Add>
ExitCode PrintPages(const Session& session, Request request,
                    absl::StatusOr<Response> (RegistryClient::*call)(const Request&), const Table& table,
                    const base::JsonArray& rows, std::string_view nothing, const Add& add) {
  if (const ExitCode code = ReadPages(session, std::move(request), call, add); code != kDone) return code;
  if (rows.empty()) PrintNote(nothing);
  if (session.format == OutputFormat::kTable) {
    PrintTable(table);
  } else {
    PrintDocument(rows, session.format);
  }
  return kDone;
}

}  // namespace tasker::client
