#include <absl/status/statusor.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "client/command.h"
#include "client/failure.h"
#include "client/reference_argument.h"
#include "client/registry_client.h"
#include "client/report.h"
#include "client/sources.h"
#include "client/table.h"
#include "lib/base/json.h"

namespace tasker::client {
namespace {

struct Arguments {
  std::string reference;
  std::string event;  // of check-event
  std::string file;
};

void AddFile(CLI::App& app, std::string& file) {
  app.add_option("file", file, "A JSON file, or '-' for stdin")->type_name("FILE")->required();
}

// Text that the server can only answer for its content: it is read here as it is there, so that what is no JSON is the
// file's mistake.
absl::StatusOr<std::string> ReadPayload(const std::string& path) {
  std::error_code error;
  if (path != "-" && std::filesystem::is_directory(path, error)) {
    return absl::InvalidArgumentError("it is a folder, not a file");
  }
  Sources sources = ReadSources({&path, 1});
  if (sources.files.empty()) return absl::InvalidArgumentError(sources.problems.front().message);
  std::string text = std::move(sources.files.front().text);
  if (const auto json = base::ParseJson(text); !json.ok()) return json.status();
  return text;
}

template <typename Response>
void PrintText(const Response& response, const std::string& file) {
  for (const pb::PayloadError& error : response.errors()) {
    const std::string keyword = error.keyword().empty() ? "" : fmt::format(" [{}]", error.keyword());
    const std::string line =
        fmt::format("{}#{}: {}{}", DisplayName(file), error.instance_pointer(), error.message(), keyword);
    Print(OneLine(line) + "\n");
  }
  if (response.valid()) return PrintNote(fmt::format("it is valid for {}", response.reference()));
  const uint64_t count = static_cast<uint64_t>(response.errors_size()) + response.omitted_error_count();
  const std::string omitted = response.omitted_error_count() > 0
                                  ? fmt::format(", of which {} are not shown", response.omitted_error_count())
                                  : "";
  PrintNote(
      fmt::format("it is not valid for {}: {} error{}{}", response.reference(), count, count == 1 ? "" : "s", omitted));
}

template <typename Response>
base::Json ToJson(const Response& response) {
  base::JsonArray errors;
  for (const pb::PayloadError& error : response.errors()) {
    errors.push_back(base::JsonObject{{"instance_pointer", error.instance_pointer()},
                                      {"schema_pointer", error.schema_pointer()},
                                      {"keyword", error.keyword()},
                                      {"message", error.message()},
                                      {"absolute_schema_location", error.absolute_schema_location()}});
  }
  return base::JsonObject{{"reference", response.reference()},
                          {"digest", response.digest()},
                          {"valid", response.valid()},
                          {"errors", std::move(errors)},
                          {"omitted_error_count", response.omitted_error_count()}};
}

// Reads the file, lets `call` ask the server about its text, and prints the verdict.
template <typename Call>
ExitCode Check(const std::string& file, const Session& session, const Call& call) {
  const auto client = RegistryClient::Create(session.options.server);
  if (!client.ok()) return PrintOptionProblem(client.status());
  absl::StatusOr<std::string> text = ReadPayload(file);
  if (!text.ok()) {
    PrintError(fmt::format("{}: {}", DisplayName(file), std::string(text.status().message())));
    return kWrongInput;
  }
  const auto response = call(**client, *std::move(text));
  if (!response.ok()) return PrintFailure(response.status());
  if (session.format == OutputFormat::kText) {
    PrintText(*response, file);
  } else {
    PrintDocument(ToJson(*response), session.format);
  }
  return response->valid() ? kDone : kWrongInput;
}

ExitCode CheckInput(const Arguments& arguments, const Session& session) {
  return Check(arguments.file, session, [&](RegistryClient& client, std::string text) {
    pb::ValidateTaskInputRequest request;
    request.set_reference(arguments.reference);
    request.set_payload_json(std::move(text));
    return client.ValidateTaskInput(request);
  });
}

ExitCode CheckEvent(const Arguments& arguments, const Session& session) {
  return Check(arguments.file, session, [&](RegistryClient& client, std::string text) {
    pb::ValidateEventPayloadRequest request;
    request.set_reference(arguments.reference);
    request.set_event_name(arguments.event);
    request.set_payload_json(std::move(text));
    return client.ValidateEventPayload(request);
  });
}

}  // namespace

Run AddCheckInput(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  AddReference(app, arguments->reference);
  AddFile(app, arguments->file);
  return [arguments](const Session& session) { return CheckInput(*arguments, session); };
}

Run AddCheckEvent(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  AddReference(app, arguments->reference);
  app.add_option("event", arguments->event, "The event's name")->type_name("EVENT")->required();
  AddFile(app, arguments->file);
  return [arguments](const Session& session) { return CheckEvent(*arguments, session); };
}

}  // namespace tasker::client
