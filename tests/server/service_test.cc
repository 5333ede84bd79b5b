// The server over real sockets and a real PostgreSQL. One file, because gRPC's headers cost more than the tests.
#include <absl/synchronization/notification.h>
#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <latch>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "lib/store/session.h"
#include "server/call.h"
#include "server/server.h"
#include "server/status.h"
#include "tasker/registry/v1/catalog.grpc.pb.h"
#include "tasker/registry/v1/registry.grpc.pb.h"
#include "tasker/registry/v1/resolver.grpc.pb.h"
#include "tests/support/postgres_fixture.h"

namespace tasker::server {
namespace {

namespace pb = ::tasker::registry::v1;

std::string Yaml(const std::string& name, const std::string& more = "") {
  return fmt::format(
      "name: {}\nnamespace_name: payments\nversion: 1.0.0\nsteps: [{{name: pay, handler: {{callable: Pay}}}}]\n{}",
      name, more);
}

google::rpc::ErrorInfo InfoOf(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_TRUE(details.details_size() > 0 && details.details(0).UnpackTo(&info)) << status.error_message();
  return info;
}

TEST(GuardTest, WhateverAHandlerThrowsBecomesAStatusThatHidesIt) {
  const absl::Status known = Guarded("test", []() -> absl::Status { throw std::runtime_error("secret"); });
  EXPECT_EQ(known.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(std::string(known.message()).find("secret"), std::string::npos);
  EXPECT_EQ(Guarded("test", []() -> absl::Status { throw 7; }).code(), absl::StatusCode::kInternal);
  EXPECT_EQ(Guarded("test", []() -> absl::Status { throw std::bad_alloc(); }).code(),
            absl::StatusCode::kResourceExhausted);
}

TEST(InOnePieceTest, JoinsSmallRequestsThatCameInPieces) {
  const auto joined = [](const std::vector<std::string>& pieces) -> std::string {
    std::vector<grpc::Slice> slices(pieces.begin(), pieces.end());
    grpc::Slice out;
    if (!InOnePiece(grpc::ByteBuffer(slices.data(), slices.size()), out)) return "no";
    return {out.begin(), out.end()};
  };
  EXPECT_EQ(joined({"one"}), "one");
  EXPECT_EQ(joined({"o", "n", "e"}), "one");
  EXPECT_EQ(joined({std::string(5000, 'x')}), std::string(5000, 'x'));
  EXPECT_EQ(joined({std::string(5000, 'x'), "y"}), "no");
}

class ServiceTest : public testing::Test {
 protected:
  ServiceTest() {
    options_.listen = "127.0.0.1:0";
    options_.http_listen = "";
    options_.log_level = "warn";
    options_.database_connections = 4;
  }

  void SetUp() override {
    options_.database_url = test::TestCluster::Get().NewDatabase();
    auto server = Server::Start(options_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = grpc::CreateChannel(server_->grpc_address(), grpc::InsecureChannelCredentials());
  }

  grpc::Status Register(const std::string& yaml, pb::RegisterTemplateResponse* response = nullptr) {
    grpc::ClientContext context;
    pb::RegisterTemplateRequest request;
    request.mutable_source()->set_yaml(yaml);
    pb::RegisterTemplateResponse ignored;
    return pb::RegistryService::NewStub(channel_)->RegisterTemplate(&context, request,
                                                                    response != nullptr ? response : &ignored);
  }

  grpc::Status Resolve(const std::string& reference, pb::ResolveTemplateResponse* response = nullptr,
                       std::chrono::system_clock::time_point deadline = std::chrono::system_clock::time_point::max()) {
    grpc::ClientContext context;
    context.set_deadline(deadline);
    pb::ResolveTemplateRequest request;
    request.set_reference(reference);
    pb::ResolveTemplateResponse ignored;
    return pb::ResolverService::NewStub(channel_)->ResolveTemplate(&context, request,
                                                                   response != nullptr ? response : &ignored);
  }

  // Sends bytes as they are.
  grpc::Status Raw(const std::string& method, const std::string& bytes) {
    grpc::GenericStub stub(channel_);
    grpc::ClientContext context;
    const grpc::Slice slice(bytes);
    const grpc::ByteBuffer request(&slice, 1);
    grpc::ByteBuffer response;
    grpc::Status status;
    absl::Notification done;
    stub.UnaryCall(&context, "/tasker.registry.v1." + method, {}, &request, &response, [&](grpc::Status answer) {
      status = std::move(answer);
      done.Notify();
    });
    done.WaitForNotification();
    return status;
  }

  Options options_;
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(ServiceTest, RegistersAndResolves) {
  pb::RegisterTemplateResponse registered;
  ASSERT_TRUE(Register(Yaml("charge"), &registered).ok());
  EXPECT_EQ(registered.registration().outcome(), pb::REGISTRATION_OUTCOME_CREATED);
  for (int i = 0; i < 3; ++i) {
    pb::ResolveTemplateResponse resolved;
    const grpc::Status status = Resolve("payments/charge:1.0.0", &resolved);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(resolved.template_().steps(0).handler().callable(), "Pay");
    EXPECT_EQ(resolved.digest(), registered.registration().digest());
  }
}

TEST_F(ServiceTest, ErrorsCarryTheirReason) {
  EXPECT_EQ(InfoOf(Resolve("payments/charge")).reason(), "NAMESPACE_NOT_FOUND");
  EXPECT_EQ(InfoOf(Resolve("nonsense")).reason(), "REFERENCE_MALFORMED");
  ASSERT_TRUE(Register(Yaml("charge")).ok());
  const grpc::Status conflict = Register(Yaml("charge", "description: other\n"));
  EXPECT_EQ(conflict.error_code(), grpc::StatusCode::ALREADY_EXISTS);
  EXPECT_EQ(InfoOf(conflict).metadata().at("reference"), "payments/charge:1.0.0");
}

TEST_F(ServiceTest, ChecksPayloads) {
  ASSERT_TRUE(Register(Yaml("charge",
                            "input_schema: {required: [amount]}\n"
                            "domain_events: [{name: order.paid, schema: {required: [order_id]}}]\n"))
                  .ok());
  const auto stub = pb::ResolverService::NewStub(channel_);
  grpc::ClientContext input_context;
  pb::ValidateTaskInputRequest input;
  input.set_reference("payments/charge");
  input.set_payload_json("{}");
  pb::ValidateTaskInputResponse input_answer;
  ASSERT_TRUE(stub->ValidateTaskInput(&input_context, input, &input_answer).ok());
  EXPECT_FALSE(input_answer.valid());
  EXPECT_EQ(input_answer.errors(0).keyword(), "required");
  grpc::ClientContext event_context;
  pb::ValidateEventPayloadRequest event;
  event.set_reference("payments/charge");
  event.set_event_name("order.paid");
  (*event.mutable_payload_struct()->mutable_fields())["order_id"].set_number_value(1);
  pb::ValidateEventPayloadResponse event_answer;
  ASSERT_TRUE(stub->ValidateEventPayload(&event_context, event, &event_answer).ok());
  EXPECT_TRUE(event_answer.valid());
  event.set_event_name("order.piad");
  grpc::ClientContext unknown_context;
  EXPECT_EQ(InfoOf(stub->ValidateEventPayload(&unknown_context, event, &event_answer)).reason(), "EVENT_NOT_FOUND");
}

TEST_F(ServiceTest, AThousandMistakesDoNotBreakTheConnection) {
  std::string more;
  for (int i = 0; i < 1000; ++i) more += fmt::format("unknown_key_{}: ünïcödé\n", i);
  const grpc::Status status = Register(Yaml("charge", more));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
  EXPECT_LE(status.error_details().size(), kMaxDetailBytes);
  EXPECT_EQ(InfoOf(status).metadata().at("error_count"), "1000");
  EXPECT_TRUE(Register(Yaml("charge")).ok());
}

TEST_F(ServiceTest, HostileBytesAreInvalidArguments) {
  const std::string truncated("\x0a\x7fpayments", 10);
  const std::string not_utf8("\x0a\x02\xff\xfe", 4);
  for (const char* method :
       {"ResolverService/ResolveTemplate", "ResolverService/ResolveHandler", "ResolverService/ValidateTaskInput",
        "ResolverService/ValidateEventPayload", "RegistryService/RegisterTemplate", "CatalogService/GetTemplate"}) {
    for (const std::string& bytes : {truncated, not_utf8, std::string(1000, '\xff')}) {
      const grpc::Status status = Raw(method, bytes);
      EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << method << status.error_message();
      EXPECT_EQ(InfoOf(status).reason(), "REQUEST_MALFORMED");
    }
  }
}

// One version through everything that can become of it, as clients see it.
TEST_F(ServiceTest, ChannelsAndStatesThroughTheWire) {
  const auto stub = pb::RegistryService::NewStub(channel_);
  const auto call = [&](auto method, const auto& request, auto& response) {
    grpc::ClientContext context;
    return (stub.get()->*method)(&context, request, &response);
  };
  using Stub = pb::RegistryService::Stub;
  ASSERT_TRUE(Register(Yaml("charge")).ok());
  const std::string exact = "payments/charge:1.0.0";

  pb::SetChannelRequest set;
  set.set_reference("payments/charge");
  set.set_channel("stable");
  set.set_version("latest");
  set.set_expected_version("");
  pb::SetChannelResponse moved;
  ASSERT_TRUE(call(&Stub::SetChannel, set, moved).ok());
  EXPECT_EQ(moved.reference(), exact);
  const grpc::Status lost = call(&Stub::SetChannel, set, moved);
  EXPECT_EQ(lost.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(InfoOf(lost).reason(), "CHANNEL_MOVED");
  EXPECT_EQ(InfoOf(lost).metadata().at("version"), "1.0.0");

  pb::DeprecateTemplateRequest deprecate;
  deprecate.set_reference(exact);
  deprecate.set_message("old");
  pb::DeprecateTemplateResponse deprecated;
  ASSERT_TRUE(call(&Stub::DeprecateTemplate, deprecate, deprecated).ok());
  pb::ResolveTemplateResponse resolved;
  for (const char* reference : {"payments/charge:stable", "payments/charge:1.0.0"}) {
    ASSERT_TRUE(Resolve(reference, &resolved).ok());
    EXPECT_EQ(resolved.state_notice().message(), "old");
  }

  pb::YankTemplateRequest yank;
  yank.set_reference(exact);
  pb::YankTemplateResponse yanked;
  ASSERT_TRUE(call(&Stub::YankTemplate, yank, yanked).ok());
  EXPECT_THAT(yanked.channels(), testing::ElementsAre("stable"));
  EXPECT_EQ(InfoOf(Resolve("payments/charge:stable")).reason(), "CHANNEL_YANKED");
  EXPECT_TRUE(Resolve(exact).ok());

  pb::PurgeTemplateRequest purge;
  purge.set_reference(exact);
  pb::PurgeTemplateResponse purged;
  const grpc::Status pointed_at = call(&Stub::PurgeTemplate, purge, purged);
  EXPECT_EQ(pointed_at.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(InfoOf(pointed_at).reason(), "CHANNEL_POINTS_HERE");
  pb::DeleteChannelRequest remove;
  remove.set_reference("payments/charge");
  remove.set_channel("stable");
  pb::DeleteChannelResponse removed;
  ASSERT_TRUE(call(&Stub::DeleteChannel, remove, removed).ok());
  ASSERT_TRUE(call(&Stub::PurgeTemplate, purge, purged).ok());
  EXPECT_EQ(InfoOf(Resolve(exact)).reason(), "VERSION_PURGED");

  pb::RestoreTemplateRequest restore;
  restore.set_reference(exact);
  pb::RestoreTemplateResponse restored;
  EXPECT_EQ(call(&Stub::RestoreTemplate, restore, restored).error_code(), grpc::StatusCode::NOT_FOUND);
  pb::SetVersionPolicyRequest policy;
  policy.set_namespace_name("payments");
  policy.set_policy(pb::VERSION_POLICY_WARN);
  pb::SetVersionPolicyResponse changed;
  ASSERT_TRUE(call(&Stub::SetVersionPolicy, policy, changed).ok());
  EXPECT_EQ(changed.revision(), 7);
}

// What another server wrote reaches the answers from this one's memory.
TEST_F(ServiceTest, AnotherServersYankReachesAnswersFromMemory) {
  ASSERT_TRUE(Register(Yaml("charge")).ok());
  pb::ResolveTemplateResponse resolved;
  ASSERT_TRUE(Resolve("payments/charge:1.0.0", &resolved).ok());
  store::Store other(test::OpenPool(options_.database_url));
  ASSERT_TRUE(other
                  .SetState(*tmpl::ParseReference("payments/charge:1.0.0"), store::VersionState::kYanked, "bad", "", {},
                            absl::InfiniteFuture())
                  .ok());
  const absl::Time limit = absl::Now() + absl::Seconds(30);
  do {
    ASSERT_TRUE(Resolve("payments/charge:1.0.0", &resolved).ok());
  } while (!resolved.has_state_notice() && absl::Now() < limit);
  EXPECT_EQ(resolved.state_notice().message(), "bad");
}

TEST_F(ServiceTest, UnknownMethodsAreUnimplemented) {
  EXPECT_EQ(Raw("ResolverService/Dance", "").error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(Raw("NoService/Dance", "").error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(ServiceTest, AnEmptyRequestIsAnsweredByEveryMethod) {
  for (const char* method : {"RegistryService/RegisterTemplate",     "RegistryService/RegisterTemplates",
                             "RegistryService/SetChannel",           "RegistryService/DeleteChannel",
                             "RegistryService/DeprecateTemplate",    "RegistryService/YankTemplate",
                             "RegistryService/RestoreTemplate",      "RegistryService/PurgeTemplate",
                             "RegistryService/SetVersionPolicy",     "ResolverService/ResolveTemplate",
                             "ResolverService/ResolveHandler",       "ResolverService/ValidateTaskInput",
                             "ResolverService/ValidateEventPayload", "CatalogService/GetTemplate",
                             "CatalogService/ListTemplateVersions",  "CatalogService/ListCallables",
                             "CatalogService/ListChannelHistory",    "CatalogService/FindCallableUsages",
                             "CatalogService/FindEventUsages",       "CatalogService/FindSystemUsages"}) {
    EXPECT_EQ(Raw(method, "").error_code(), grpc::StatusCode::INVALID_ARGUMENT) << method;
  }
  for (const char* method :
       {"RegistryService/ValidateTemplate", "ResolverService/BatchResolveTemplates", "ResolverService/CheckCallables",
        "CatalogService/ListTemplates", "CatalogService/ListNamespaces", "CatalogService/ListChannels",
        "CatalogService/ListDomainEvents", "CatalogService/GetServerInfo"}) {
    EXPECT_TRUE(Raw(method, "").ok()) << method;
  }
}

TEST_F(ServiceTest, ResolvesManyAtOnce) {
  ASSERT_TRUE(Register(Yaml("charge")).ok());
  grpc::ClientContext context;
  pb::BatchResolveTemplatesRequest request;
  request.add_requests()->set_reference("payments/charge");
  request.add_requests()->set_reference("payments/chrage");
  pb::BatchResolveTemplatesResponse response;
  ASSERT_TRUE(pb::ResolverService::NewStub(channel_)->BatchResolveTemplates(&context, request, &response).ok());
  ASSERT_EQ(response.results_size(), 2);
  EXPECT_EQ(response.results(0).response().template_().name(), "charge");
  EXPECT_EQ(response.results(1).error().reason(), "TEMPLATE_NOT_FOUND");
}

TEST_F(ServiceTest, ManyCallersOfWhatIsNotInMemoryGetEachTheirs) {
  constexpr int kTemplates = 40;
  for (int i = 0; i < kTemplates; ++i) ASSERT_TRUE(Register(Yaml(fmt::format("t{}", i))).ok());
  struct Asked {
    std::string reference;
    grpc::ClientContext context;
    pb::ResolveTemplateRequest request;
    pb::ResolveTemplateResponse response;
    grpc::Status status;
  };
  std::vector<std::unique_ptr<Asked>> calls;
  for (int i = 0; i < 3 * kTemplates; ++i) {
    calls.push_back(std::make_unique<Asked>());
    // Some name nothing, and each version is asked for more than once.
    calls.back()->reference = fmt::format("payments/t{}:1.{}.0", i % kTemplates, i % 7 == 0 ? 1 : 0);
    calls.back()->request.set_reference(calls.back()->reference);
  }
  const auto stub = pb::ResolverService::NewStub(channel_);
  std::latch left(static_cast<std::ptrdiff_t>(calls.size()));
  for (const auto& call : calls) {
    stub->async()->ResolveTemplate(&call->context, &call->request, &call->response, [&, c = call.get()](auto status) {
      c->status = std::move(status);
      left.count_down();
    });
  }
  left.wait();
  for (const auto& call : calls) {
    if (call->reference.ends_with(":1.1.0")) {
      EXPECT_EQ(InfoOf(call->status).reason(), "VERSION_NOT_FOUND") << call->reference;
    } else {
      EXPECT_TRUE(call->status.ok()) << call->status.error_message();
      EXPECT_EQ(call->response.reference(), call->reference);
    }
  }
}

TEST_F(ServiceTest, ADeadlineEndsACallThatWaitsForTheDatabase) {
  ASSERT_TRUE(Register(Yaml("charge")).ok());
  const auto pool = test::OpenPool(options_.database_url);
  const absl::Status held = pool->RunTransaction("test", absl::InfiniteFuture(), [&](store::Session& session) {
    session.Execute("LOCK TABLE tasker.named_tasks, tasker.templates IN ACCESS EXCLUSIVE MODE");
    const auto soon = std::chrono::system_clock::now() + std::chrono::milliseconds(200);
    EXPECT_EQ(Resolve("payments/charge", nullptr, soon).error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
    return absl::OkStatus();
  });
  EXPECT_TRUE(held.ok()) << held;
  EXPECT_TRUE(Resolve("payments/charge").ok());
}

TEST_F(ServiceTest, TheServersOwnLimitEndsACallWithoutDeadline) {
  ASSERT_TRUE(Register(Yaml("charge")).ok());
  options_.max_call_seconds = 1;
  const auto impatient = Server::Start(options_);
  ASSERT_TRUE(impatient.ok()) << impatient.status();
  channel_ = grpc::CreateChannel((*impatient)->grpc_address(), grpc::InsecureChannelCredentials());
  const auto pool = test::OpenPool(options_.database_url);
  const absl::Status held = pool->RunTransaction("test", absl::InfiniteFuture(), [&](store::Session& session) {
    session.Execute("LOCK TABLE tasker.named_tasks, tasker.templates IN ACCESS EXCLUSIVE MODE");
    EXPECT_EQ(Resolve("payments/charge").error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
    return absl::OkStatus();
  });
  EXPECT_TRUE(held.ok()) << held;
}

TEST_F(ServiceTest, WithoutADatabaseMemoryStillAnswersAndTheRestIsUnavailable) {
  ASSERT_TRUE(Register(Yaml("charge")).ok());
  ASSERT_TRUE(Resolve("payments/charge:1.0.0").ok());
  const std::string name = test::RunSql(*test::OpenPool(options_.database_url), "SELECT current_database()").at(0);
  const auto admin = test::OpenPool(test::TestCluster::Get().postgres().DatabaseUrl("postgres"));
  test::RunSql(*admin, fmt::format("ALTER DATABASE {} ALLOW_CONNECTIONS false", name));
  test::RunSql(*admin,
               fmt::format("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{}'", name));
  EXPECT_TRUE(Resolve("payments/charge:1.0.0").ok());
  EXPECT_EQ(Resolve("payments/charge").error_code(), grpc::StatusCode::UNAVAILABLE);
  test::RunSql(*admin, fmt::format("ALTER DATABASE {} ALLOW_CONNECTIONS true", name));
  EXPECT_TRUE(Resolve("payments/charge").ok());
}

TEST_F(ServiceTest, ASecondServerOnTheSamePortIsRefused) {
  Options second = options_;
  second.listen = server_->grpc_address();
  EXPECT_EQ(Server::Start(second).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(ServiceTest, ServersOnOneDatabaseAgree) {
  ASSERT_TRUE(Register(Yaml("charge")).ok());
  const auto second = Server::Start(options_);
  ASSERT_TRUE(second.ok()) << second.status();
  const auto channel = grpc::CreateChannel((*second)->grpc_address(), grpc::InsecureChannelCredentials());
  grpc::ClientContext context;
  pb::ResolveTemplateRequest request;
  request.set_reference("payments/charge");
  pb::ResolveTemplateResponse here;
  pb::ResolveTemplateResponse there;
  ASSERT_TRUE(Resolve("payments/charge", &here).ok());
  ASSERT_TRUE(pb::ResolverService::NewStub(channel)->ResolveTemplate(&context, request, &there).ok());
  EXPECT_EQ(here.resolution_digest(), there.resolution_digest());
}

TEST_F(ServiceTest, AReadWithAMinRevisionWaitsUntilTheServerHasIt) {
  const auto stub = pb::CatalogService::NewStub(channel_);
  grpc::ClientContext context;
  pb::ListTemplatesRequest request;
  request.set_min_revision(1);
  pb::ListTemplatesResponse response;
  absl::Notification answered;
  grpc::Status status;
  stub->async()->ListTemplates(&context, &request, &response, [&](grpc::Status answer) {
    status = std::move(answer);
    answered.Notify();
  });
  EXPECT_FALSE(answered.HasBeenNotified());
  ASSERT_TRUE(Register(Yaml("charge")).ok());
  answered.WaitForNotification();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.templates_size(), 1);
}

TEST_F(ServiceTest, AMinRevisionThatDoesNotComeEndsWithTheDeadlineAndNamesWhatTheServerHas) {
  pb::RegisterTemplateResponse registered;
  ASSERT_TRUE(Register(Yaml("charge"), &registered).ok());
  const absl::Time end = absl::Now() + absl::Seconds(60);
  for (const char* reference : {"payments/charge", "payments/charge:1.0.0"}) {
    pb::ResolveTemplateRequest request;
    request.set_reference(reference);
    request.set_min_revision(registered.revision() + 7);
    grpc::Status status;
    // On a busy machine the client's own end of the call may come before the server's, and says less.
    do {
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(2));
      pb::ResolveTemplateResponse response;
      status = pb::ResolverService::NewStub(channel_)->ResolveTemplate(&context, request, &response);
    } while (status.error_details().empty() && absl::Now() < end);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
    EXPECT_EQ(InfoOf(status).metadata().at("revision"), std::to_string(registered.revision()));
  }
}

TEST_F(ServiceTest, ANegativeMinRevisionIsAMistake) {
  grpc::ClientContext context;
  pb::ResolveTemplateRequest request;
  request.set_reference("payments/charge:1.0.0");
  request.set_min_revision(-1);
  pb::ResolveTemplateResponse response;
  EXPECT_EQ(pb::ResolverService::NewStub(channel_)->ResolveTemplate(&context, request, &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ServiceTest, DrainingDoesNotWaitForThoseWhoWaitForARevision) {
  const auto stub = pb::CatalogService::NewStub(channel_);
  grpc::ClientContext context;
  pb::ListTemplatesRequest request;
  request.set_min_revision(1000);
  pb::ListTemplatesResponse response;
  absl::Notification answered;
  grpc::Status status;
  stub->async()->ListTemplates(&context, &request, &response, [&](grpc::Status answer) {
    status = std::move(answer);
    answered.Notify();
  });
  ASSERT_TRUE(Register(Yaml("charge")).ok());  // the other call has arrived by then, or is refused
  server_->Drain(absl::Minutes(10));
  answered.WaitForNotification();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
}

TEST_F(ServiceTest, ListsChangesForPeople) {
  ASSERT_TRUE(Register(Yaml("charge")).ok());
  ASSERT_TRUE(Register(Yaml("refund")).ok());
  const auto stub = pb::CatalogService::NewStub(channel_);
  pb::ListChangesRequest request;
  request.set_namespace_name("payments");
  request.add_kinds(pb::CHANGE_KIND_REGISTER);
  request.set_newest_first(true);
  request.set_page_size(1);
  std::vector<std::string> names;
  do {
    grpc::ClientContext context;
    pb::ListChangesResponse response;
    const grpc::Status status = stub->ListChanges(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.oldest_revision(), 1);
    for (const pb::Change& change : response.changes()) names.push_back(change.name());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(names, (std::vector<std::string>{"refund", "charge"}));
  const auto code = [&](const std::function<void(pb::ListChangesRequest&)>& spoil) {
    pb::ListChangesRequest bad;
    spoil(bad);
    grpc::ClientContext context;
    pb::ListChangesResponse response;
    return stub->ListChanges(&context, bad, &response).error_code();
  };
  EXPECT_EQ(code([](pb::ListChangesRequest& r) { r.set_name("x"); }), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(code([](pb::ListChangesRequest& r) { r.set_from_revision(-1); }), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(code([](pb::ListChangesRequest& r) { r.set_to_revision(-1); }), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(code([](pb::ListChangesRequest& r) { r.set_page_size(-1); }), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(code([](pb::ListChangesRequest& r) { r.set_page_token("AAAA"); }), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(code([](pb::ListChangesRequest& r) { r.add_kinds(static_cast<pb::ChangeKind>(77)); }),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ServiceTest, DrainingRefusesNewCallsAndEnds) {
  ASSERT_TRUE(Register(Yaml("charge")).ok());
  server_->Drain(absl::Seconds(5));
  EXPECT_EQ(Resolve("payments/charge").error_code(), grpc::StatusCode::UNAVAILABLE);
  server_->Drain(absl::Seconds(5));
}

TEST_F(ServiceTest, SaysWhatItIs) {
  grpc::ClientContext context;
  pb::GetServerInfoResponse info;
  ASSERT_TRUE(pb::CatalogService::NewStub(channel_)->GetServerInfo(&context, {}, &info).ok());
  EXPECT_EQ(info.version(), Version());
  EXPECT_GT(info.schema_version(), 0);
}

class CacheMetricsTest : public ServiceTest {
 protected:
  static constexpr size_t kCacheBytes = 256 << 10;

  CacheMetricsTest() {
    options_.http_listen = "127.0.0.1:0";
    options_.cache_bytes = kCacheBytes;
  }

  // A reading of the metrics endpoint.
  double Read(const std::string& name, const std::string& cache) {
    httplib::Client client("http://" + server_->http_address());
    const auto answer = client.Get("/metrics");
    const std::string line = fmt::format("\ntasker_registry_cache_{}{{cache=\"{}\"}} ", name, cache);
    const size_t at = answer ? answer->body.find(line) : std::string::npos;
    if (at == std::string::npos) {
      ADD_FAILURE() << "no" << line;
      return 0;
    }
    return std::stod(answer->body.substr(at + line.size()));
  }
  void ResolveIn(const std::string& reference, const std::string& environment, int64_t min_revision = 0) {
    grpc::ClientContext context;
    pb::ResolveTemplateRequest request;
    request.set_reference(reference);
    request.set_environment(environment);
    request.set_min_revision(min_revision);
    pb::ResolveTemplateResponse response;
    const grpc::Status status = pb::ResolverService::NewStub(channel_)->ResolveTemplate(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
  void ValidateInput(const std::string& reference) {
    grpc::ClientContext context;
    pb::ValidateTaskInputRequest request;
    request.set_reference(reference);
    request.set_payload_json("{}");
    pb::ValidateTaskInputResponse response;
    const grpc::Status status = pb::ResolverService::NewStub(channel_)->ValidateTaskInput(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
};

TEST_F(CacheMetricsTest, CountsTheMissThatFillsAndEachHitAfter) {
  pb::RegisterTemplateResponse registered;
  ASSERT_TRUE(Register(Yaml("charge", "input_schema: {type: object}\n"), &registered).ok());
  ResolveIn("payments/charge:1.0.0", "first", registered.revision());  // so that its change is not news any more
  EXPECT_EQ(Read("entries", "templates"), 1);
  EXPECT_GE(Read("misses_total", "templates"), 1);
  struct Case {
    std::string cache;
    std::function<void()> ask;
  };
  for (const Case& one : {
           Case{"answers", [&] { ResolveIn("payments/charge:1.0.0", ""); }},
           Case{"selections", [&] { ResolveIn("payments/charge:^1", ""); }},
           Case{"schemas", [&] { ValidateInput("payments/charge:1.0.0"); }},
       }) {
    SCOPED_TRACE(one.cache);
    const double entries = Read("entries", one.cache);
    const double bytes = Read("bytes", one.cache);
    double misses = Read("misses_total", one.cache);
    one.ask();
    EXPECT_GT(Read("misses_total", one.cache), misses);
    EXPECT_EQ(Read("entries", one.cache), entries + 1);
    EXPECT_GT(Read("bytes", one.cache), bytes);
    misses = Read("misses_total", one.cache);
    for (int n = 0; n < 3; ++n) {
      const double hits = Read("hits_total", one.cache);
      one.ask();
      EXPECT_EQ(Read("hits_total", one.cache), hits + 1);
    }
    EXPECT_EQ(Read("misses_total", one.cache), misses);
    EXPECT_EQ(Read("evictions_total", one.cache), 0);
  }
  const double hits = Read("hits_total", "templates");
  ResolveIn("payments/charge:1.0.0", "second");
  EXPECT_EQ(Read("hits_total", "templates"), hits + 1);
}

TEST_F(CacheMetricsTest, BytesStayBelowTheLimitAndWhatGoesIsCounted) {
  constexpr int kTemplates = 60;
  constexpr int kEnvironments = 6;
  for (int i = 0; i < kTemplates; ++i) ASSERT_TRUE(Register(Yaml(fmt::format("t{}", i))).ok());
  double most = 0;
  for (int i = 0; i < kTemplates; ++i) {
    for (int e = 0; e < kEnvironments; ++e) ResolveIn(fmt::format("payments/t{}:1.0.0", i), fmt::format("e{}", e));
    double bytes = 0;
    for (const char* cache : {"answers", "templates", "schemas", "selections"}) bytes += Read("bytes", cache);
    EXPECT_LE(bytes, kCacheBytes);
    most = std::max(most, bytes);
  }
  EXPECT_GT(most, kCacheBytes / 2);  // of which schemas and selections have a share, too
  for (const char* cache : {"answers", "templates"}) {
    const double kept = Read("entries", cache);
    EXPECT_GT(kept, 0) << cache;
    const double put = kTemplates * (cache == std::string("answers") ? kEnvironments : 1);
    EXPECT_GE(Read("evictions_total", cache), put - kept) << cache;
    EXPECT_GT(Read("evictions_total", cache), 0) << cache;
  }
}

TEST(ServerStartTest, ADatabaseThatIsNotThereIsAnErrorWithoutItsPassword) {
  Options options;
  options.listen = "127.0.0.1:0";
  options.http_listen = "";
  options.database_url = "postgresql://u:secret@127.0.0.1:1/none";
  const auto server = Server::Start(options);
  EXPECT_FALSE(server.ok());
  EXPECT_EQ(std::string(server.status().message()).find("secret"), std::string::npos);
}

}  // namespace
}  // namespace tasker::server
