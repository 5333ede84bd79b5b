#include "client/command.h"
#include "client/completion.h"

namespace tasker::client {
namespace {

constexpr OutputFormat kLists[] = {OutputFormat::kTable, OutputFormat::kJson, OutputFormat::kYaml};
constexpr OutputFormat kLines[] = {OutputFormat::kTable, OutputFormat::kJson};
constexpr OutputFormat kDocuments[] = {OutputFormat::kYaml, OutputFormat::kJson, OutputFormat::kTable};
constexpr OutputFormat kReports[] = {OutputFormat::kText, OutputFormat::kJson, OutputFormat::kSarif,
                                     OutputFormat::kGithub};
constexpr OutputFormat kVerdicts[] = {OutputFormat::kText, OutputFormat::kJson, OutputFormat::kYaml};

constexpr OutputFormat kComparisons[] = {OutputFormat::kText, OutputFormat::kMarkdown, OutputFormat::kJson};

constexpr std::string_view kAuthors = "For authors and pipelines";
constexpr std::string_view kReleases = "Promote, roll back, withdraw";
constexpr std::string_view kWorkers = "What workers see";
constexpr std::string_view kPeople = "Look around";
constexpr std::string_view kOperators = "Backup and move";
constexpr std::string_view kProgram = "About this program";

constexpr Command kCommands[] = {
    {"register", kAuthors, "Registers templates, all or nothing",
     "PATHS are files, folders (every *.yaml, *.yml and *.json file in them and below) or '-' for stdin.\n"
     "All of them are registered as one change, or none is.\n\n"
     "  tasker-registryctl register templates/ --source-revision \"$(git rev-parse HEAD)\"\n"
     "  tasker-registryctl register --channel canary templates/\n"
     "  tasker-registryctl register --dry-run payments.yaml",
     kLists, AddRegister},
    {"validate", kAuthors, "Checks templates without a server",
     "Reports everything that is wrong or suspicious: the same list that the server would give.\n"
     "Ends with 1 when a template has errors; warnings alone are fine.\n\n"
     "  tasker-registryctl validate templates/\n"
     "  tasker-registryctl validate --output sarif templates/ > tasker.sarif\n"
     "  tasker-registryctl validate --output github templates/",
     kReports, AddValidate},
    {"plan", kAuthors, "Says what registering templates would change, and whom it would break",
     "PATHS are as for register. Each template is held against the highest lower version, and the registry is asked\n"
     "whether it would accept them all; nothing is stored.\n\n"
     "Ends with 0 when it would and every version is high enough for what changed, with 1 when not.\n\n"
     "  tasker-registryctl plan templates/\n"
     "  tasker-registryctl plan --channel stable --output markdown templates/ > comment.md",
     kComparisons, AddPlan},
    {"diff", kAuthors, "Says what differs between two templates, and which version that asks for",
     "Each side is a REF (a registered version) or a FILE; two FILES need no server. A FILE alone is held against the\n"
     "registry: what is there under its version, else the highest lower version. What exists, or ends in .yaml, .yml\n"
     "or .json, is a FILE. With environments it is what workers see there; \"\" is the base template.\n\n"
     "Ends with 0 when the new version is high enough for what changed, with 1 when it is too low (see --fail-on).\n\n"
     "  tasker-registryctl diff payments/credit_card_payment:1.0.0 payments/credit_card_payment:latest\n"
     "  tasker-registryctl diff credit_card_payment.yaml\n"
     "  tasker-registryctl diff payments/credit_card_payment --old-environment staging --new-environment production\n"
     "  tasker-registryctl diff --fail-on breaking old.yaml new.yaml",
     kComparisons, AddDiff},
    {"convert",
     kAuthors,
     "Converts templates of the old format",
     "The new text goes to stdout, to --out DIR, or with --in-place over the old one; the report to stderr.\n"
     "Files that are in the new format already stay as they are.\n\n"
     "  tasker-registryctl convert old.yaml > new.yaml\n"
     "  tasker-registryctl convert --in-place --namespace payments templates/\n"
     "  tasker-registryctl convert --check templates/",
     {},
     AddConvert},
    {"schema",
     kAuthors,
     "Prints the JSON Schema of templates, for editors",
     "Editors with yaml-language-server complete and check templates that begin with the line\n"
     "  # yaml-language-server: $schema=tasker-template.schema.json\n\n"
     "  tasker-registryctl schema > tasker-template.schema.json",
     {},
     AddSchema},
    {"channel", kReleases, "Moves, lists, deletes and rolls back channels",
     "A channel is a named pointer of one template, for example stable; NAMESPACE/NAME:stable is where it points.\n"
     "With --expect a move happens only if nobody else moved the channel meanwhile.\n\n"
     "  tasker-registryctl channel set payments/credit_card_payment stable 1.2.0\n"
     "  tasker-registryctl channel set payments/credit_card_payment stable canary --expect 1.1.0\n"
     "  tasker-registryctl channel rollback payments/credit_card_payment stable\n"
     "  tasker-registryctl channel delete payments/credit_card_payment canary\n"
     "  tasker-registryctl channel list payments/credit_card_payment --history stable",
     kLists, AddChannel},
    {"deprecate", kReleases, "Marks a version as deprecated: it resolves, with a notice",
     "REF names one version: NAMESPACE/NAME:MAJOR.MINOR.PATCH or NAMESPACE/NAME@sha256:DIGEST.\n\n"
     "  tasker-registryctl deprecate payments/credit_card_payment:1.0.0 -m \"too slow\" --replacement "
     "payments/credit_card_payment:^2",
     kLists, AddDeprecate},
    {"yank", kReleases, "Hides a version from everything but its exact reference and its digest",
     "REF is as for deprecate. Tasks that pinned the version go on; nobody finds it by latest, a range or a "
     "channel.\n\n"
     "  tasker-registryctl yank payments/credit_card_payment:1.1.0 --reason \"charges twice\"",
     kLists, AddYank},
    {"restore", kReleases, "Makes a deprecated or yanked version active again",
     "REF is as for deprecate.\n\n"
     "  tasker-registryctl restore payments/credit_card_payment:1.1.0",
     kLists, AddRestore},
    {"purge", kReleases, "Deletes a yanked version for good",
     "REF is as for deprecate. What stays is the digest: the version's number can return with the same content "
     "only.\n\n"
     "  tasker-registryctl purge payments/credit_card_payment:1.1.0 --reason \"holds a secret\" --yes",
     kLists, AddPurge},
    {"policy", kReleases, "Says how a namespace's registrations are held to honest version numbers",
     "With warn, a version that is too low for what changed draws a warning; with enforce it is refused.\n\n"
     "  tasker-registryctl policy payments enforce",
     kLists, AddPolicy},
    {"resolve", kWorkers, "Shows a template as an environment sees it",
     "REF is NAMESPACE/NAME[:SELECTOR]; SELECTOR is a version (1.2.3), a range (1, 1.2, ^1.2.3, ~1.2.3), latest, or\n"
     "the name of a channel; or NAMESPACE/NAME@sha256:DIGEST. Without -e it is the base template.\n\n"
     "  tasker-registryctl resolve payments/credit_card_payment:1.0.0 -e production\n"
     "  tasker-registryctl resolve payments/credit_card_payment -e production --output table",
     kDocuments, AddResolve},
    {"handler", kWorkers, "Shows what runs a step, and when it is retried",
     "Without STEP it is the task's own handler.\n\n"
     "  tasker-registryctl handler payments/credit_card_payment check_fraud -e production",
     kLists, AddHandler},
    {"check-input", kWorkers, "Checks whether a task's input fits the template's input_schema",
     "FILE holds one JSON value. Ends with 1 when it does not fit, one line for each reason.\n\n"
     "  tasker-registryctl check-input payments/credit_card_payment:1.0.0 input.json\n"
     "  echo '{\"amount\": 19.99}' | tasker-registryctl check-input payments/credit_card_payment -",
     kVerdicts, AddCheckInput},
    {"check-event", kWorkers, "Checks whether an event's payload fits the event's schema",
     "EVENT is declared in domain_events or published by a step. FILE holds one JSON value. Ends with 1 when it does\n"
     "not fit, one line for each reason.\n\n"
     "  tasker-registryctl check-event payments/credit_card_payment:1.0.0 payment.authorized payload.json",
     kVerdicts, AddCheckEvent},
    {"check-callables", kWorkers, "Says which templates a worker with these callables can run whole",
     "Each FILE has one callable in each line, as templates write it. Without --template it is the highest version of\n"
     "every template. Ends with 1 when a callable is missing, one row for each place.\n\n"
     "  tasker-registryctl check-callables --namespace payments callables.txt\n"
     "  list-my-callables | tasker-registryctl check-callables --template payments/credit_card_payment:stable",
     kLists, AddCheckCallables},
    {"get", kPeople, "Shows a template as it was registered",
     "With --source, the author's text byte for byte.\n\n"
     "  tasker-registryctl get payments/credit_card_payment:1.0.0\n"
     "  tasker-registryctl get payments/credit_card_payment --source > credit_card_payment.yaml",
     kDocuments, AddGet},
    {"list", kPeople, "Lists templates, each by its highest version",
     "Filters narrow the list together.\n\n"
     "  tasker-registryctl list\n"
     "  tasker-registryctl list --text \"card refund\" --state deprecated\n"
     "  tasker-registryctl list --namespace payments --system payment_gateway",
     kLists, AddList},
    {"versions", kPeople, "Lists the versions of a template, highest first",
     "Yanked versions only with --state yanked.\n\n"
     "  tasker-registryctl versions payments/credit_card_payment",
     kLists, AddVersions},
    {"usages", kPeople, "Says who uses a callable, an event or a system",
     "One row for each place in each template.\n\n"
     "  tasker-registryctl usages --callable PaymentProcessing::FraudCheckHandler\n"
     "  tasker-registryctl usages --callable PaymentProcessing:: --prefix --all-versions\n"
     "  tasker-registryctl usages --system payment_gateway",
     kLists, AddUsages},
    {"namespaces", kPeople, "Lists the namespaces, with the systems that their templates depend on",
     "  tasker-registryctl namespaces", kLists, AddNamespaces},
    {"events", kPeople, "Lists the domain events that templates declare or publish, with their schemas",
     "  tasker-registryctl events --namespace payments --name payment.", kLists, AddEvents},
    {"callables", kPeople, "Lists the callables of a template",
     "  tasker-registryctl callables payments/credit_card_payment:1.0.0", kLists, AddCallables},
    {"explain", kPeople, "Says where each field of a resolved template comes from",
     "Which layer set it (default, base, an override), in which line, and what it replaced.\n\n"
     "  tasker-registryctl explain payments/credit_card_payment:1.0.0 -e production",
     kLists, AddExplain},
    {"describe", kPeople, "Says how a template runs: in which order, how long, against which systems",
     "Waves of steps that can run at the same time, the critical path (marked *), the durations from the steps'\n"
     "timeouts and retries, and how often each system is called at most.\n\n"
     "  tasker-registryctl describe payments/credit_card_payment -e production\n"
     "  tasker-registryctl describe --file templates/payments.yaml",
     kLists, AddDescribe},
    {"graph",
     kPeople,
     "Draws a template's steps and what depends on what",
     "Colours are systems; the critical path is highlighted. Mermaid goes into Markdown on GitHub and GitLab.\n\n"
     "  tasker-registryctl graph payments/credit_card_payment\n"
     "  tasker-registryctl graph payments/credit_card_payment -e production --format svg > payment.svg\n"
     "  tasker-registryctl graph --file templates/payments.yaml --format mermaid",
     {},
     AddGraph},
    {"export", kOperators, "Writes everything of a registry, as of one moment, into an archive",
     "TARGET becomes a folder of the authors' files with an index; where its name ends with .tar.gz or .tgz, one such\n"
     "file; '-' is the same to stdout. It must not exist, or be an empty folder.\n\n"
     "  tasker-registryctl export backup/\n"
     "  tasker-registryctl export payments.tar.gz --namespace payments",
     kLists, AddExport},
    {"import", kOperators, "Puts an archive of 'export' into a registry, all or nothing",
     "Texts, digests, states, channels, times and authors come back as they were. What is there already with the same\n"
     "content stays; other content under a version of the archive refuses the whole import.\n\n"
     "  tasker-registryctl import backup/\n"
     "  tasker-registryctl export - | tasker-registryctl --server other:50051 import -",
     kLists, AddImport},
    {"log", kPeople, "Shows what has changed, the latest first",
     "Registrations, channels, states, purges, imports and policies: who did it, when, from where. SUBJECT is a\n"
     "NAMESPACE or NAMESPACE/NAME; without it, everything.\n\n"
     "  tasker-registryctl log payments/credit_card_payment\n"
     "  tasker-registryctl log --kind yank,purge --limit 0\n"
     "  tasker-registryctl log --from 1200 --to 1300 --oldest-first --output json",
     kLists, AddLog},
    {"watch", kPeople, "Prints each change as it happens, one line each",
     "Begins now, or after the revision of --from (0: with the oldest that is kept). Goes on by itself where it was\n"
     "when the server restarts. Ends with 0 on Ctrl-C. With --output json, each line is one JSON object.\n\n"
     "  tasker-registryctl watch\n"
     "  tasker-registryctl watch payments orders/return --from 1200 --output json",
     kLines, AddWatch},
    {"completion",
     kProgram,
     "Prints a script with which a shell completes commands, options and templates",
     "Templates, versions, channels and environments come from the server, where one answers.\n\n"
     "  source <(tasker-registryctl completion bash)\n"
     "  tasker-registryctl completion zsh > ~/.zsh/completions/_tasker-registryctl\n"
     "  tasker-registryctl completion fish > ~/.config/fish/completions/tasker-registryctl.fish",
     {},
     AddCompletion},
    {"version", kProgram, "Prints the version of this program, and with --server-info that of the server",
     "  tasker-registryctl version\n"
     "  tasker-registryctl version --server-info",
     kLists, AddVersion},
};

}  // namespace

std::span<const Command> Commands() { return kCommands; }

}  // namespace tasker::client
