#include "client/completion.h"

#include <absl/strings/str_split.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <map>
#include <memory>
#include <utility>

#include "client/command.h"
#include "client/registry_client.h"
#include "client/table.h"
#include "lib/base/json.h"
#include "lib/base/utf8.h"

namespace tasker::client {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(1);
constexpr int kPageSize = 1000;  // of one call; a longer list helps nobody who types

struct Offer {
  const char* kind = "words";
  std::map<std::string, std::string> words;  // and what each is
};

// What the words before the last one say.
struct Line {
  CLI::App* command = nullptr;          // the innermost that is named
  const CLI::Option* waits = nullptr;   // the option whose value the last word is
  std::vector<std::string> positional;  // of the command
  std::vector<std::string> common;      // words of options that every command takes
};

bool TakesValue(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

CLI::App* FindSubcommand(CLI::App& app, const std::string& name) {
  const auto found = app.get_subcommands([&](CLI::App* sub) { return sub->get_name() == name; });
  return found.empty() ? nullptr : found.front();
}

const CLI::Option* FindOption(CLI::App& app, const Line& line, const std::string& name, bool& is_common) {
  const CLI::Option* option = line.command->get_option_no_throw(name);
  is_common = option == nullptr || line.command == &app;
  return option != nullptr ? option : app.get_option_no_throw(name);
}

Line ReadLine(CLI::App& app, const std::vector<std::string>& words) {
  Line line;
  line.command = &app;
  bool waits_common = false;
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string& word = words[i];
    if (line.waits != nullptr) {
      if (waits_common) line.common.push_back(word);
      line.waits = nullptr;
    } else if (word.size() > 1 && word.front() == '-') {
      const size_t equals = word.find('=');
      const CLI::Option* const option = FindOption(app, line, word.substr(0, equals), waits_common);
      if (option == nullptr) continue;
      if (waits_common && TakesValue(*option)) line.common.push_back(word);
      if (equals == std::string::npos && TakesValue(*option)) line.waits = option;
    } else if (CLI::App* const sub = FindSubcommand(*line.command, word)) {
      line.command = sub;
    } else {
      line.positional.push_back(word);
    }
  }
  if (line.waits != nullptr && waits_common) line.common.pop_back();  // its value is still being typed
  return line;
}

// The server's part. Every function gives what it can get, and nothing when the server does not answer.
class Directory {
 public:
  explicit Directory(const ServerOptions& options) {
    ServerOptions hasty = options;
    for (std::string& server : hasty.servers) server = WithPort(std::move(server));
    hasty.timeout = std::min(hasty.timeout, kPatience);
    if (!CheckServerOptions(hasty).ok()) return;
    auto client = RegistryClient::Create(hasty);
    if (client.ok()) client_ = *std::move(client);
  }

  // "payments/refund", and with `versions` also "payments/refund:1.0.0" once the name is there.
  void AddReferences(const std::string& prefix, bool versions, Offer& offer) {
    if (client_ == nullptr) return;
    const size_t colon = prefix.find(':');
    if (colon != std::string::npos) {
      if (versions) AddSelectors(prefix.substr(0, colon), offer);
      return;
    }
    const size_t slash = prefix.find('/');
    pb::ListTemplatesRequest request;
    request.set_page_size(kPageSize);
    if (slash != std::string::npos) {
      request.set_namespace_name(prefix.substr(0, slash));
      request.set_name_prefix(prefix.substr(slash + 1));
    }
    const auto page = client_->ListTemplates(request);
    if (!page.ok()) return;
    for (const pb::TemplateSummary& summary : page->templates()) {
      offer.words.emplace(summary.namespace_name() + "/" + summary.name(), summary.description());
    }
    if (versions) offer.kind = "open";
  }

  void AddNamespaces(Offer& offer) {
    Offer templates;
    AddReferences("", false, templates);
    for (const auto& [name, description] : templates.words) offer.words.emplace(name.substr(0, name.find('/')), "");
  }

  void AddVersions(const std::string& name, const std::string& before, Offer& offer) {
    pb::ListTemplateVersionsRequest request;
    request.set_reference(name);
    request.set_page_size(kPageSize);
    if (client_ == nullptr) return;
    const auto page = client_->ListTemplateVersions(request);
    if (!page.ok()) return;
    for (const pb::TemplateSummary& summary : page->versions()) {
      offer.words.emplace(before + summary.version(), summary.description());
    }
  }

  void AddChannels(const std::string& name, const std::string& before, Offer& offer) {
    pb::ListChannelsRequest request;
    request.set_reference(name);
    request.set_page_size(kPageSize);
    if (client_ == nullptr) return;
    const auto page = client_->ListChannels(request);
    if (!page.ok()) return;
    for (const pb::Channel& channel : page->channels()) {
      offer.words.emplace(before + channel.channel(), "channel, now " + channel.version());
    }
  }

  // Environments and steps of a template.
  void AddKeys(const std::string& reference, std::string_view list, Offer& offer) {
    pb::GetTemplateRequest request;
    request.set_reference(reference);
    request.set_view(pb::TEMPLATE_VIEW_JSON);
    if (client_ == nullptr) return;
    const auto response = client_->GetTemplate(request);
    if (!response.ok()) return;
    const absl::StatusOr<base::Json> json = base::ParseJson(response->template_json(), base::HugeIntegers::kAsReals);
    const base::Json* const found =
        json.ok() && json->is_object() ? json->get_object().if_contains({list.data(), list.size()}) : nullptr;
    if (found == nullptr) return;
    if (found->is_object()) {
      for (const auto& member : found->get_object()) offer.words.emplace(member.key(), "");
    } else if (found->is_array()) {
      for (const base::Json& item : found->get_array()) {
        const base::Json* const name = item.is_object() ? item.get_object().if_contains("name") : nullptr;
        if (name != nullptr && name->is_string()) offer.words.emplace(name->get_string(), "");
      }
    }
  }

 private:
  void AddSelectors(const std::string& name, Offer& offer) {
    offer.words.emplace(name + ":latest", "the highest version");
    AddVersions(name, name + ":", offer);
    AddChannels(name, name + ":", offer);
  }

  std::unique_ptr<RegistryClient> client_;
};

void AddSubcommands(CLI::App& app, Offer& offer) {
  for (const CLI::App* sub : app.get_subcommands([](CLI::App*) { return true; })) {
    offer.words.emplace(sub->get_name(), sub->get_description());
  }
}

void AddOptions(const CLI::App& app, Offer& offer) {
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      const std::string& description = option->get_description();
      offer.words.emplace("--" + name, description.substr(0, description.find('\n')));
    }
  }
}

void AddOutputFormats(const CLI::App& command, Offer& offer) {
  for (const Command& known : Commands()) {
    if (known.name != command.get_name()) continue;
    for (const OutputFormat format : known.formats) offer.words.emplace(OutputFormatName(format), "");
  }
}

// What an option or argument takes, told from what its help calls it: FILE, DIR, REF, or choices, "FORMAT:{dot,svg}".
void AddValues(const CLI::Option& option, const Line& line, const std::string& word, Directory& directory,
               Offer& offer) {
  const std::string name = option.get_single_name();
  const std::string type = option.get_type_name();
  const std::string reference = line.positional.empty() ? "" : line.positional.front();
  if (const size_t choices = type.find(":{"); choices != std::string::npos && type.ends_with('}')) {
    const std::string list = type.substr(choices + 2, type.size() - choices - 3);
    for (const std::string& choice : std::vector<std::string>(absl::StrSplit(list, ',')))
      offer.words.emplace(choice, "");
  } else if (name == "output") {
    AddOutputFormats(*line.command, offer);
  } else if (type == "FILE" || type == "DIR" || type == "TARGET" || name == "paths" || name == "file" ||
             name == "out") {
    offer.kind = "files";
  } else if (type == "REF") {
    directory.AddReferences(word, true, offer);
  } else if (type == "NAMESPACE/NAME") {
    directory.AddReferences(word, false, offer);
  } else if (name == "namespace") {
    directory.AddNamespaces(offer);
  } else if (name == "environment" && !reference.empty()) {
    directory.AddKeys(reference, "environments", offer);
  } else if (name == "step" && !reference.empty()) {
    directory.AddKeys(reference, "steps", offer);
  } else if (name == "channel" && !reference.empty()) {
    directory.AddChannels(reference.substr(0, reference.find(':')), "", offer);
  } else if (name == "version" && !reference.empty()) {
    directory.AddVersions(reference.substr(0, reference.find(':')), "", offer);
  }
}

// The argument that comes after those which are there; the last one when it takes many.
const CLI::Option* NextArgument(const CLI::App& command, size_t taken) {
  const CLI::Option* last = nullptr;
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_positional()) continue;
    if (taken == 0) return option;
    --taken;
    last = option;
  }
  return last != nullptr && last->get_items_expected_max() > 1 ? last : nullptr;
}

Offer MakeOffer(CLI::App& app, const Line& line, const std::string& word, Directory& directory) {
  Offer offer;
  if (line.waits != nullptr) {
    AddValues(*line.waits, line, word, directory, offer);
  } else if (word.starts_with("-")) {
    AddOptions(*line.command, offer);
    AddOptions(app, offer);
  } else if (!line.command->get_subcommands([](CLI::App*) { return true; }).empty()) {
    AddSubcommands(*line.command, offer);
  } else if (const CLI::Option* const argument = NextArgument(*line.command, line.positional.size())) {
    AddValues(*argument, line, word, directory, offer);
  }
  return offer;
}

}  // namespace

void Complete(CLI::App& app, const std::vector<std::string>& words, CommonOptions& options) {
  if (!std::all_of(words.begin(), words.end(), base::IsValidUtf8)) return;
  const std::string word = words.empty() ? "" : words.back();
  const Line line = ReadLine(app, words);
  try {
    app.require_subcommand(0);
    app.parse(std::vector<std::string>(line.common.rbegin(), line.common.rend()));  // CLI11 takes them reversed
  } catch (const CLI::Error&) {
    return;
  }
  Directory directory(options.server);
  const Offer offer = MakeOffer(app, line, word, directory);
  Print(fmt::format("{}\n", offer.kind));
  for (const auto& [text, description] : offer.words) {
    if (text.starts_with(word)) Print(fmt::format("{}\t{}\n", OneLine(text), OneLine(description)));
  }
}

}  // namespace tasker::client
