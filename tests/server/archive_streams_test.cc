// Exports and imports over real sockets with clients that misbehave.
#include "server/archive_streams.h"

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "lib/registry/archive.h"
#include "lib/registry/registrar.h"
#include "lib/registry/revision_gate.h"
#include "lib/registry/template_loader.h"
#include "server/call.h"
#include "tasker/registry/v1/registry.grpc.pb.h"
#include "tests/store/versions.h"
#include "tests/support/postgres_fixture.h"

namespace tasker::server {
namespace {

namespace pb = ::tasker::registry::v1;

using Raw = RawMethods<pb::RegistryService::Service, pb::RegistryService::WithRawCallbackMethod_ExportTemplates,
                       pb::RegistryService::WithRawCallbackMethod_ImportTemplates>;

class ArchiveService final : public Raw {
 public:
  explicit ArchiveService(ArchiveStreams& streams) : streams_(streams) {}

  grpc::ServerWriteReactor<grpc::ByteBuffer>* ExportTemplates(grpc::CallbackServerContext* context,
                                                              const grpc::ByteBuffer* request) override {
    return streams_.Export(context, request);
  }
  grpc::ServerReadReactor<grpc::ByteBuffer>* ImportTemplates(grpc::CallbackServerContext* context,
                                                             grpc::ByteBuffer* response) override {
    return streams_.Import(context, response);
  }

 private:
  ArchiveStreams& streams_;
};

std::string ReasonOf(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  if (!details.ParseFromString(status.error_details()) || details.details().empty()) return "";
  return details.details(0).UnpackTo(&info) ? info.reason() : "";
}

std::string Yaml(int number) {
  return fmt::format(
      "name: n{:04}\nnamespace_name: shop\nversion: 1.0.0\nsteps: [{{name: a, handler: {{callable: A}}}}]\n", number);
}

class ArchiveStreamsTest : public testing::Test {
 protected:
  void Start(const ArchiveOptions& options) {
    streams_ = std::make_unique<ArchiveStreams>(runner_, executor_, archive_, options);
    service_ = std::make_unique<ArchiveService>(*streams_);
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(service_.get());
    server_ = builder.BuildAndStart();
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    stub_ = pb::RegistryService::NewStub(
        grpc::CreateCustomChannel(fmt::format("127.0.0.1:{}", port), grpc::InsecureChannelCredentials(), arguments));
  }

  void TearDown() override { server_->Shutdown(std::chrono::system_clock::now()); }

  // An archive's items of `count` versions.
  std::vector<pb::ImportTemplatesRequest> Items(int count) {
    std::vector<pb::ImportTemplatesRequest> items;
    for (int i = 0; i < count; ++i) {
      pb::TemplateSource source;
      source.set_yaml(Yaml(i));
      pb::ArchivedVersion& version = *items.emplace_back().mutable_item()->mutable_archived_version();
      version.set_reference(fmt::format("shop/n{:04}:1.0.0", i));
      version.set_digest(registry::CheckSource(source, {}).digest);
      version.set_source(source.yaml());
      version.mutable_create_time()->set_seconds(1);
    }
    return items;
  }

  // More than gRPC takes from the server while the client reads nothing.
  void StoreMuch() {
    for (int i = 0; i < 24; ++i) {
      store::NewVersion version = store::MakeVersion("shop", fmt::format("large{}", i), "1.0.0");
      version.source_text = std::string(size_t{2} << 20, 'x');
      ASSERT_TRUE(store_->Register(std::vector{version}, store::kNobody, absl::InfiniteFuture()).ok());
    }
  }

  grpc::Status Export(int* count = nullptr) {
    grpc::ClientContext context;
    const auto stream = stub_->ExportTemplates(&context, {});
    pb::ExportTemplatesResponse response;
    while (stream->Read(&response)) {
      if (count != nullptr) ++*count;
    }
    return stream->Finish();
  }

  std::vector<std::string> Versions() { return test::RunSql(*pool_, "SELECT name FROM tasker.named_tasks"); }

  std::shared_ptr<store::ConnectionPool> pool_ = test::TestCluster::Get().NewMigratedPool(8);
  std::shared_ptr<store::Store> store_ = std::make_shared<store::Store>(pool_);
  std::shared_ptr<registry::TemplateLoader> loader_ = std::make_shared<registry::TemplateLoader>(store_, 16 << 20);
  registry::Archive archive_{pool_, store_, loader_, {}};
  registry::RevisionGate gate_;
  Metrics metrics_;
  Executor executor_{{.threads = 8}};
  CallRunner runner_{executor_, metrics_, gate_, {}};
  std::unique_ptr<ArchiveStreams> streams_;
  std::unique_ptr<ArchiveService> service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<pb::RegistryService::Stub> stub_;
};

TEST_F(ArchiveStreamsTest, AClientThatTakesNothingHoldsNothingUpForLong) {
  Start({.max_running = 1, .stall_limit = absl::Milliseconds(300)});
  StoreMuch();
  grpc::ClientContext context;
  const auto idle = stub_->ExportTemplates(&context, {});
  // The place of the first is free again although its client has read nothing, not even the end. A busy machine may
  // hold up this one for as long, too.
  int count = 0;
  const absl::Time deadline = absl::Now() + absl::Seconds(120);
  grpc::Status status = Export(&count);
  while (!status.ok() && absl::Now() < deadline) {
    count = 0;
    status = Export(&count);
  }
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(count, 1 + 24);
  pb::ExportTemplatesResponse response;
  while (idle->Read(&response)) continue;
  status = idle->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
  EXPECT_EQ(ReasonOf(status), "STREAM_STALLED");
}

TEST_F(ArchiveStreamsTest, AClientThatSendsNothingIsGivenUpAndNothingIsStored) {
  Start({.stall_limit = absl::Milliseconds(300)});
  grpc::ClientContext context;
  pb::ImportTemplatesResponse response;
  const auto stream = stub_->ImportTemplates(&context, &response);
  EXPECT_TRUE(stream->Write(Items(1).front()));
  const grpc::Status status = stream->Finish();  // without WritesDone
  EXPECT_EQ(ReasonOf(status), "STREAM_STALLED") << status.error_message();
  EXPECT_TRUE(Versions().empty());
}

TEST_F(ArchiveStreamsTest, MoreThanThePermittedNumberIsRefused) {
  Start({.max_running = 1});
  grpc::ClientContext context;
  pb::ImportTemplatesResponse response;
  const auto stream = stub_->ImportTemplates(&context, &response);
  EXPECT_TRUE(stream->Write(Items(1).front()));
  // The first may not have arrived yet.
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  grpc::Status status = Export();
  while (status.ok() && absl::Now() < deadline) status = Export();
  EXPECT_EQ(ReasonOf(status), "TOO_MANY_ARCHIVES") << status.error_message();
  EXPECT_TRUE(stream->WritesDone());
  status = stream->Finish();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_TRUE(Export().ok());
}

TEST_F(ArchiveStreamsTest, WritersDoNotWaitForAClientThatStillSends) {
  Start({});
  grpc::ClientContext context;
  pb::ImportTemplatesResponse response;
  const auto stream = stub_->ImportTemplates(&context, &response);
  for (const pb::ImportTemplatesRequest& item : Items(1000)) ASSERT_TRUE(stream->Write(item));
  const auto registered = store_->Register(std::vector{store::MakeVersion("other", "one", "1.0.0")}, store::kNobody,
                                           absl::Now() + absl::Seconds(60));
  EXPECT_TRUE(registered.ok()) << registered.status();
  EXPECT_TRUE(stream->WritesDone());
  const grpc::Status status = stream->Finish();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.created_versions(), 1000);
  EXPECT_EQ(Versions().size(), 1001u);
}

TEST_F(ArchiveStreamsTest, ACallThatIsCancelledStoresNothingWhereverItIs) {
  Start({.max_running = 100});
  const std::vector<pb::ImportTemplatesRequest> items = Items(20);
  for (size_t count = 0; count < 60; ++count) {
    grpc::ClientContext context;
    pb::ImportTemplatesResponse response;
    const auto stream = stub_->ImportTemplates(&context, &response);
    for (size_t i = 0; i < count % items.size(); ++i) stream->Write(items[i]);
    context.TryCancel();
    EXPECT_FALSE(stream->Finish().ok());
  }
  EXPECT_TRUE(Export().ok());
  EXPECT_TRUE(Versions().empty());
}

}  // namespace
}  // namespace tasker::server
