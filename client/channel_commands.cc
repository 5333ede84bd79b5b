#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <optional>
#include <string>

#include "client/answer.h"
#include "client/command.h"
#include "client/documents.h"
#include "client/failure.h"
#include "client/pages.h"
#include "client/reference_argument.h"
#include "client/registry_client.h"
#include "client/table.h"

namespace tasker::client {
namespace {

struct Arguments {
  std::string reference;
  std::string channel;
  std::string version;
  std::optional<std::string> expect;
  bool is_new = false;
  std::string history;
};

ExitCode PrintMove(const pb::SetChannelResponse& response, const Session& session) {
  PrintAnswer({{"reference", response.reference()},
               {"channel", response.channel()},
               {"old_version", response.old_version()},
               {"version", response.version()},
               {"revision", response.revision()}},
              session.format);
  return kDone;
}

ExitCode Set(const Arguments& arguments, const Session& session) {
  const auto client = RegistryClient::Create(session.options.server);
  if (!client.ok()) return PrintOptionProblem(client.status());
  pb::SetChannelRequest request;
  request.set_reference(arguments.reference);
  request.set_channel(arguments.channel);
  request.set_version(arguments.version);
  if (arguments.expect) request.set_expected_version(*arguments.expect);
  if (arguments.is_new) request.set_expected_version("");
  const auto response = (*client)->SetChannel(request);
  if (!response.ok()) return PrintFailure(response.status());
  return PrintMove(*response, session);
}

ExitCode Delete(const Arguments& arguments, const Session& session) {
  const auto client = RegistryClient::Create(session.options.server);
  if (!client.ok()) return PrintOptionProblem(client.status());
  pb::DeleteChannelRequest request;
  request.set_reference(arguments.reference);
  request.set_channel(arguments.channel);
  if (arguments.expect) request.set_expected_version(*arguments.expect);
  const auto response = (*client)->DeleteChannel(request);
  if (!response.ok()) return PrintFailure(response.status());
  PrintAnswer({{"reference", response->reference()},
               {"channel", response->channel()},
               {"old_version", response->old_version()},
               {"revision", response->revision()}},
              session.format);
  return kDone;
}

// Back to where the channel pointed before its last move, unless somebody moves it meanwhile.
ExitCode RollBack(const Arguments& arguments, const Session& session) {
  const auto client = RegistryClient::Create(session.options.server);
  if (!client.ok()) return PrintOptionProblem(client.status());
  pb::ListChannelHistoryRequest history;
  history.set_reference(arguments.reference);
  history.set_channel(arguments.channel);
  history.set_page_size(2);
  const auto moves = (*client)->ListChannelHistory(history);
  if (!moves.ok()) return PrintFailure(moves.status());
  const auto version = [&](int i) { return i < moves->moves_size() ? moves->moves(i).version() : std::string(); };
  if (version(0).empty() || version(1).empty()) {
    PrintError(fmt::format("channel '{}' of {} {}", arguments.channel, arguments.reference,
                           version(0).empty() ? "does not exist" : "did not exist before its last move"));
    return kRefused;
  }
  pb::SetChannelRequest request;
  request.set_reference(arguments.reference);
  request.set_channel(arguments.channel);
  request.set_version(version(1));
  request.set_expected_version(version(0));
  const auto response = (*client)->SetChannel(request);
  if (!response.ok()) return PrintFailure(response.status());
  return PrintMove(*response, session);
}

ExitCode History(const Arguments& arguments, const Session& session) {
  Table table({"VERSION", "SINCE", "BY", "REVISION"});
  base::JsonArray rows;
  pb::ListChannelHistoryRequest request;
  request.set_reference(arguments.reference);
  request.set_channel(arguments.history);
  return PrintPages(session, std::move(request), &RegistryClient::ListChannelHistory, table, rows, "it never pointed",
                    [&](const pb::ListChannelHistoryResponse& page) {
                      for (const pb::ChannelMove& move : page.moves()) {
                        const std::string since = TimeText(move.create_time());
                        table.AddRow({move.version().empty() ? "(deleted)" : move.version(), since, move.actor(),
                                      std::to_string(move.revision())});
                        rows.push_back(base::JsonObject{{"version", move.version()},
                                                        {"create_time", since},
                                                        {"actor", move.actor()},
                                                        {"revision", move.revision()}});
                      }
                    });
}

ExitCode List(const Arguments& arguments, const Session& session) {
  if (!arguments.history.empty()) return History(arguments, session);
  Table table({"TEMPLATE", "CHANNEL", "VERSION", "STATE", "SINCE", "BY"});
  base::JsonArray rows;
  pb::ListChannelsRequest request;
  request.set_reference(arguments.reference);
  return PrintPages(session, std::move(request), &RegistryClient::ListChannels, table, rows, "there is no channel",
                    [&](const pb::ListChannelsResponse& page) {
                      for (const pb::Channel& channel : page.channels()) {
                        const std::string since = TimeText(channel.update_time());
                        table.AddRow({channel.reference().substr(0, channel.reference().find(':')), channel.channel(),
                                      channel.version(), StateNote(channel.state()), since, channel.actor()});
                        rows.push_back(base::JsonObject{{"reference", channel.reference()},
                                                        {"channel", channel.channel()},
                                                        {"version", channel.version()},
                                                        {"digest", channel.digest()},
                                                        {"state", StateText(channel.state())},
                                                        {"actor", channel.actor()},
                                                        {"update_time", since},
                                                        {"revision", channel.revision()}});
                      }
                    });
}

using Action = ExitCode (*)(const Arguments&, const Session&);

CLI::App& AddAction(CLI::App& app, const std::shared_ptr<std::pair<Action, Arguments>>& chosen, Action action,
                    const char* name, const char* summary) {
  CLI::App* const sub = app.add_subcommand(name, summary);
  sub->callback([chosen, action] { chosen->first = action; });
  return *sub;
}

}  // namespace

Run AddChannel(CLI::App& app) {
  const auto chosen = std::make_shared<std::pair<Action, Arguments>>();
  Arguments& arguments = chosen->second;
  app.require_subcommand(1);
  const auto add_names = [&](CLI::App& sub) {
    AddTemplate(sub, arguments.reference)->required();
    sub.add_option("channel", arguments.channel, "The channel's name")->type_name("CHANNEL")->required();
  };
  const auto add_expect = [&](CLI::App& sub) {
    return sub.add_option("--expect", arguments.expect, "Only if the channel points there now")->type_name("VERSION");
  };

  CLI::App& set = AddAction(app, chosen, Set, "set", "Points a channel at a version");
  add_names(set);
  set.add_option("version", arguments.version, "MAJOR.MINOR.PATCH, or a selector that is resolved first: ^1.2, stable")
      ->type_name("VERSION")
      ->required();
  set.add_flag("--new", arguments.is_new, "Only if there is no such channel")->excludes(add_expect(set));

  CLI::App& list = AddAction(app, chosen, List, "list", "Lists channels and where they point");
  CLI::Option* const listed = AddTemplate(list, arguments.reference);
  list.add_option("--history", arguments.history, "Where this channel of the template has pointed, the latest first")
      ->type_name("CHANNEL")
      ->needs(listed);

  CLI::App& remove = AddAction(app, chosen, Delete, "delete", "Removes a channel; its history stays");
  add_names(remove);
  add_expect(remove);

  add_names(AddAction(app, chosen, RollBack, "rollback", "Points a channel where it pointed before its last move"));
  return [chosen](const Session& session) { return chosen->first(chosen->second, session); };
}

}  // namespace tasker::client
