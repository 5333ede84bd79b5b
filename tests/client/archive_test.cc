#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "client/archive_reader.h"
#include "client/archive_writer.h"
#include "client/tarball.h"

namespace tasker::client {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr char kHeader[] = R"({"format":"tasker-registry-archive","format_version":1})";
constexpr char kVersionLine[] =
    R"({"archived_version":{"reference":"pay/refund:1.0.0"},"file":"templates/pay/refund/1.0.0.yaml"})";

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void WriteFile(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

std::string Lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

// One entry of a tar: what no honest program writes.
std::string RawEntry(const std::string& name, char type, const std::string& content, const std::string& link = "",
                     size_t said_size = std::string::npos) {
  std::string header(512, '\0');
  const auto put = [&](size_t at, const std::string& text) { header.replace(at, text.size(), text); };
  put(0, name);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, fmt::format("{:011o}", said_size == std::string::npos ? content.size() : said_size));
  put(136, "00000000000");
  put(148, "        ");
  header[156] = type;
  put(157, link);
  put(257, std::string("ustar\0", 6) + "00");
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  put(148, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  return header + content + std::string((512 - content.size() % 512) % 512, '\0');
}

class ArchiveTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = (fs::temp_directory_path() / "archive-test-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string Path(const std::string& name) const { return (folder_ / name).string(); }

  // An archive's index and one text.
  std::string MakeFolder(const std::vector<std::string>& lines, const std::string& text = "name: refund\n") {
    WriteFile(folder_ / "made/index.jsonl", Lines(lines));
    WriteFile(folder_ / "made/templates/pay/refund/1.0.0.yaml", text);
    return Path("made");
  }

  static std::vector<pb::ArchiveItem> Items() {
    std::vector<pb::ArchiveItem> items(5);
    items[0].mutable_archived_namespace()->set_name("pay");
    items[0].mutable_archived_namespace()->set_version_policy(pb::VERSION_POLICY_WARN);
    items[0].mutable_archived_namespace()->mutable_create_time()->set_seconds(1'700'000'000);
    pb::ArchivedVersion& text = *items[1].mutable_archived_version();
    text.set_reference("pay/refund:1.0.0");
    text.set_digest("sha256:aa");
    text.set_source("name: refund # \xC3\xBC\r\n\ttab\n\n");
    text.set_file_name("a \"b\" <c>.yaml");
    text.mutable_create_time()->set_seconds(1'700'000'001);
    text.mutable_create_time()->set_nanos(123'456'000);
    text.mutable_state_notice()->set_state(pb::TEMPLATE_STATE_YANKED);
    text.mutable_state_notice()->set_message("line\nline");
    items[2].mutable_archived_version()->set_reference("pay/refund:1.10.0");
    items[2].mutable_archived_version()->set_template_json(R"({"name":"refund"})");
    items[3].mutable_archived_tombstone()->set_reference("pay/refund:0.9.0");
    items[4].mutable_archived_channel()->set_reference("pay/refund");
    items[4].mutable_archived_channel()->set_channel("stable");
    return items;
  }

  static void Write(const std::string& target) {
    const auto writer = ArchiveWriter::Create(target);
    ASSERT_TRUE(writer.ok()) << writer.status();
    for (const pb::ArchiveItem& item : Items()) ASSERT_TRUE((*writer)->Add(item).ok());
    const absl::Status finished = (*writer)->Finish();
    ASSERT_TRUE(finished.ok()) << finished;
  }

  // What reading all of it ends with.
  static absl::Status Read(const std::string& source, std::vector<std::string>* out = nullptr) {
    const auto reader = ArchiveReader::Open(source);
    if (!reader.ok()) return reader.status();
    for (;;) {
      auto item = (*reader)->Next();
      if (!item.ok()) return item.status();
      if (!item->has_value()) return absl::OkStatus();
      if (out != nullptr) out->push_back((*item)->SerializeAsString());
    }
  }

  static void ExpectSame(const std::string& source) {
    std::vector<std::string> read;
    const absl::Status status = Read(source, &read);
    ASSERT_TRUE(status.ok()) << status;
    std::vector<std::string> written;
    for (const pb::ArchiveItem& item : Items()) written.push_back(item.SerializeAsString());
    EXPECT_EQ(read, written);
  }

  // The complaint about an archive; fails the test where there is none.
  static std::string Complaint(const std::string& source) {
    const absl::Status status = Read(source);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    return std::string(status.message());
  }

  std::string WriteTar(const std::string& bytes) {
    WriteFile(folder_ / "made.tar.gz", bytes + std::string(1024, '\0'));
    return Path("made.tar.gz");
  }

  size_t EntriesOfFolder() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
};

TEST_F(ArchiveTest, AFolderGivesBackEveryByte) {
  Write(Path("backup/"));
  ExpectSame(Path("backup"));
  EXPECT_EQ(ReadFile(folder_ / "backup/templates/pay/refund/1.0.0.yaml"), Items()[1].archived_version().source());
  EXPECT_EQ(EntriesOfFolder(), 1u) << "something temporary was left";
}

TEST_F(ArchiveTest, ATarballGivesBackEveryByte) {
  Write(Path("backup.tar.gz"));
  ExpectSame(Path("backup.tar.gz"));
  EXPECT_EQ(EntriesOfFolder(), 1u) << "something temporary was left";
}

TEST_F(ArchiveTest, TheSameItemsGiveTheSameTarball) {
  Write(Path("one.tar.gz"));
  Write(Path("two.tgz"));
  EXPECT_EQ(ReadFile(folder_ / "one.tar.gz"), ReadFile(folder_ / "two.tgz"));
}

TEST_F(ArchiveTest, AFolderThatSomebodyPackedIsAnArchive) {
  Write(Path("backup"));
  ASSERT_EQ(std::system(fmt::format("tar -C '{}' -czf '{}' backup", folder_.string(), Path("p.tar.gz")).c_str()), 0);
  ExpectSame(Path("p.tar.gz"));
  ASSERT_EQ(std::system(fmt::format("tar -C '{}' -czf '{}' .", Path("backup"), Path("q.tar.gz")).c_str()), 0);
  ExpectSame(Path("q.tar.gz"));
}

TEST_F(ArchiveTest, TheIndexIsReadable) {
  Write(Path("backup"));
  EXPECT_EQ(ReadFile(folder_ / "backup/index.jsonl"),
            Lines({kHeader,
                   R"({"archived_namespace":{"name":"pay","version_policy":"VERSION_POLICY_WARN",)"
                   R"("create_time":"2023-11-14T22:13:20Z"}})",
                   R"({"archived_version":{"reference":"pay/refund:1.0.0","digest":"sha256:aa",)"
                   R"("file_name":"a \"b\" \u003cc\u003e.yaml","create_time":"2023-11-14T22:13:21.123456Z",)"
                   R"("state_notice":{"state":"TEMPLATE_STATE_YANKED","message":"line\nline"}},)"
                   R"("file":"templates/pay/refund/1.0.0.yaml"})",
                   R"({"archived_version":{"reference":"pay/refund:1.10.0"},)"
                   R"("file":"templates/pay/refund/1.10.0.json"})",
                   R"({"archived_tombstone":{"reference":"pay/refund:0.9.0"}})",
                   R"({"archived_channel":{"reference":"pay/refund","channel":"stable"}})", R"({"item_count":5})"}));
}

TEST_F(ArchiveTest, NothingThatIsThereIsReplaced) {
  WriteFile(folder_ / "full/file", "");
  WriteFile(folder_ / "file.tar.gz", "");
  WriteFile(folder_ / "file", "");
  for (const char* target : {"full", "file.tar.gz", "file"}) {
    EXPECT_EQ(ArchiveWriter::Create(Path(target)).status().code(), absl::StatusCode::kAlreadyExists) << target;
  }
  fs::create_directory(folder_ / "empty");
  Write(Path("empty"));
  ExpectSame(Path("empty"));
}

TEST_F(ArchiveTest, AnArchiveThatWasNotFinishedLeavesNothing) {
  for (const char* target : {"folder", "file.tar.gz"}) {
    const auto writer = ArchiveWriter::Create(Path(target));
    ASSERT_TRUE(writer.ok()) << writer.status();
    ASSERT_TRUE((*writer)->Add(Items()[1]).ok());
  }
  EXPECT_EQ(EntriesOfFolder(), 0u);
}

TEST_F(ArchiveTest, AServerCannotNameAPath) {
  for (const char* reference : {"../pay/refund:1.0.0", "pay/..:1.0.0", "/etc/passwd:1.0.0", "pay/refund", ""}) {
    const auto writer = ArchiveWriter::Create(Path("target"));
    pb::ArchiveItem item;
    item.mutable_archived_version()->set_reference(reference);
    item.mutable_archived_version()->set_source("x");
    EXPECT_EQ((*writer)->Add(item).code(), absl::StatusCode::kInvalidArgument) << reference;
  }
}

TEST_F(ArchiveTest, WhatIsNoArchiveIsNamed) {
  EXPECT_EQ(Read(Path("nowhere")).code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Complaint(folder_.string()), HasSubstr("it is no archive"));
  WriteFile(folder_ / "text.tar.gz", "this is text\n");
  EXPECT_THAT(Complaint(Path("text.tar.gz")), HasSubstr("no .tar.gz"));
}

struct IndexCase {
  const char* name;
  std::vector<std::string> lines;
  const char* complaint;
};

TEST_F(ArchiveTest, AnIndexThatIsWrongIsRefusedWithItsLine) {
  const std::string end = R"({"item_count":1})";
  const IndexCase cases[] = {
      {"empty", {}, "index.jsonl:1: the index ends early"},
      {"no header", {kVersionLine, end}, "index.jsonl:1: the index must begin"},
      {"two headers", {kHeader, kHeader}, "index.jsonl:2: the index must begin"},
      {"other format", {R"({"format":"zip","format_version":1})"}, "\"format\" is not"},
      {"newer", {R"({"format":"tasker-registry-archive","format_version":2})"}, "format_version 1 only"},
      {"no end", {kHeader, kVersionLine}, "index.jsonl:3: the index ends early"},
      {"other count", {kHeader, kVersionLine, R"({"item_count":2})"}, "the index has 1 items, not 2"},
      {"after the end", {kHeader, kVersionLine, end, kVersionLine}, "something stands after"},
      {"no JSON", {kHeader, "{"}, "index.jsonl:2: it is no JSON"},
      {"a key twice", {kHeader, R"({"item_count":1,"item_count":1})"}, "index.jsonl:2: it is no JSON"},
      {"no object", {kHeader, "[]"}, "no JSON object"},
      {"no kind", {kHeader, "{}"}, "it holds none of"},
      {"unknown field", {kHeader, R"({"archived_channel":{"colour":1}})"}, "colour"},
      {"wrong type", {kHeader, R"({"archived_channel":{"channel":{}}})"}, "index.jsonl:2: "},
      {"a bad time", {kHeader, R"({"archived_channel":{"update_time":"yesterday"}})"}, "index.jsonl:2: "},
      {"no exact reference",
       {kHeader, R"({"archived_version":{"reference":"pay/refund:^1"},"file":"templates/pay/refund/1.0.0.yaml"})"},
       "'pay/refund:^1' is no NAMESPACE/NAME:MAJOR.MINOR.PATCH"},
      {"leads out",
       {kHeader, R"({"archived_version":{"reference":"pay/refund:1.0.0"},"file":"../../etc/passwd"})"},
       "\"file\" must be \"templates/pay/refund/1.0.0.yaml\""},
      {"absolute",
       {kHeader, R"({"archived_version":{"reference":"pay/refund:1.0.0"},"file":"/etc/passwd"})"},
       "\"file\" must be"},
      {"no file", {kHeader, R"({"archived_version":{"reference":"pay/refund:1.0.0"}})"}, "\"file\" must be"},
      {"file of another kind",
       {kHeader, R"({"archived_channel":{"channel":"a"},"file":"templates/pay/refund/1.0.0.yaml"})"},
       "only a version has a \"file\""},
      {"text inside",
       {kHeader, R"({"archived_version":{"reference":"pay/refund:1.0.0","source":"x"},)"
                 R"("file":"templates/pay/refund/1.0.0.yaml"})"},
       "belongs into its file"},
      {"missing text",
       {kHeader, R"({"archived_version":{"reference":"pay/refund:2.0.0"},"file":"templates/pay/refund/2.0.0.yaml"})"},
       "'templates/pay/refund/2.0.0.yaml' is not there"},
      {"long line", {kHeader, std::string(300 << 10, 'x')}, "index.jsonl:2: the line has more than"},
  };
  for (const IndexCase& test : cases)
    EXPECT_THAT(Complaint(MakeFolder(test.lines)), HasSubstr(test.complaint)) << test.name;
  EXPECT_TRUE(Read(MakeFolder({kHeader, kVersionLine, end})).ok());
}

TEST_F(ArchiveTest, ATextThatIsNotUtf8IsRefused) {
  EXPECT_THAT(Complaint(MakeFolder({kHeader, kVersionLine}, "\xFF")), HasSubstr("1.0.0.yaml' is not UTF-8"));
}

TEST_F(ArchiveTest, NoLinkIsFollowedOutOfAFolder) {
  WriteFile(folder_ / "secret/refund/1.0.0.yaml", "secret");
  const std::string made = MakeFolder({kHeader, kVersionLine});
  const fs::path text = folder_ / "made/templates/pay/refund/1.0.0.yaml";
  fs::remove(text);
  fs::create_symlink(folder_ / "secret/refund/1.0.0.yaml", text);
  EXPECT_THAT(Complaint(made), HasSubstr("is a link"));
  fs::remove_all(folder_ / "made/templates/pay");
  fs::create_directory_symlink(folder_ / "secret", folder_ / "made/templates/pay");
  EXPECT_THAT(Complaint(made), HasSubstr("is a link"));
}

TEST_F(ArchiveTest, APipeInsteadOfATextIsNotWaitedFor) {
  const std::string made = MakeFolder({kHeader, kVersionLine});
  const fs::path text = folder_ / "made/templates/pay/refund/1.0.0.yaml";
  fs::remove(text);
  ASSERT_EQ(mkfifo(text.c_str(), 0600), 0);
  EXPECT_THAT(Complaint(made), HasSubstr("is no file"));
}

TEST_F(ArchiveTest, FilesThatTheIndexDoesNotNameAreCounted) {
  const std::string made = MakeFolder({kHeader, kVersionLine, R"({"item_count":1})"});
  WriteFile(folder_ / "made/templates/pay/refund/2.0.0.yaml", "x");
  const auto reader = ArchiveReader::Open(made);
  ASSERT_TRUE(reader.ok());
  while ((*reader)->Next()->has_value()) continue;
  EXPECT_EQ((*reader)->CountStrayFiles(), 1u);
}

TEST_F(ArchiveTest, AHostileTarballIsRefused) {
  const std::string index = RawEntry("index.jsonl", '0', Lines({kHeader, kVersionLine, R"({"item_count":1})"}));
  const std::string text = RawEntry("templates/pay/refund/1.0.0.yaml", '0', "name: refund\n");
  const struct {
    const char* name;
    std::string tar;
    const char* complaint;
  } cases[] = {
      {"parent", RawEntry("../evil", '0', "x"), "'../evil' leads out of the archive"},
      {"hidden parent", RawEntry("templates/../../evil", '0', "x"), "leads out of the archive"},
      {"absolute", RawEntry("/tmp/evil", '0', "x"), "has an absolute path"},
      {"symbolic link", RawEntry("templates", '2', "", "/etc"), "'templates' is neither a file nor a folder"},
      {"hard link", RawEntry("index.jsonl", '1', "", "/etc/passwd"), "neither a file nor a folder"},
      {"device", RawEntry("null", '3', ""), "neither a file nor a folder"},
      {"pipe", RawEntry("index.jsonl", '6', ""), "neither a file nor a folder"},
      {"twice", index + text + text, "'templates/pay/refund/1.0.0.yaml' stands in it twice"},
      {"twice, spelt otherwise", text + RawEntry("./templates//pay/refund/1.0.0.yaml", '0', ""), "stands in it twice"},
      {"below a file", RawEntry("templates", '0', "x") + text, "stands below a file"},
      {"deep", RawEntry("a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r", '0', "x"), "has a path that is too long"},
      {"without index", text, "'index.jsonl' is not there"},
      {"more said than there is", RawEntry("index.jsonl", '0', "x", "", size_t{1} << 30), "is damaged"},
  };
  for (const auto& test : cases) EXPECT_THAT(Complaint(WriteTar(test.tar)), HasSubstr(test.complaint)) << test.name;
  const absl::Status honest = Read(WriteTar(index + text));
  EXPECT_TRUE(honest.ok()) << honest;
  EXPECT_FALSE(fs::exists(folder_.parent_path() / "evil"));
}

TEST_F(ArchiveTest, ATarballThatEndsEarlyIsRefusedWhereverItEnds) {
  Write(Path("whole.tar.gz"));
  const std::string whole = ReadFile(folder_ / "whole.tar.gz");
  for (size_t size = 0; size + 1 < whole.size(); size += 7) {
    WriteFile(folder_ / "part.tar.gz", whole.substr(0, size));
    const absl::Status status = Read(Path("part.tar.gz"));
    // The last bytes are gzip's check sum and tar's end, behind all that matters.
    if (!status.ok() || size + 64 < whole.size()) {
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << size << ": " << status;
    }
  }
}

class UnpackTest : public ArchiveTest {
 protected:
  // Unpacks one file of zeros.
  absl::Status UnpackZeros(int64_t size, const UnpackLimits& limits, const std::string& name = "zeros") {
    WriteFile(folder_ / "zeros.tar.gz", "");
    const int file = open(Path("zeros.tar.gz").c_str(), O_RDWR);
    {
      TarWriter tar(file);
      EXPECT_TRUE(tar.AddStream(name, size, 0,
                                [](char* buffer, size_t room) {
                                  std::fill_n(buffer, room, '\0');
                                  return static_cast<int64_t>(room);
                                })
                      .ok());
      EXPECT_TRUE(tar.Finish().ok());
    }
    lseek(file, 0, SEEK_SET);
    fs::create_directory(folder_ / "out");
    const absl::Status status = UnpackTar(file, Path("out"), limits);
    close(file);
    return status;
  }
};

TEST_F(UnpackTest, ABombIsNotUnpacked) {
  UnpackLimits limits;
  limits.free_bytes = 1 << 20;
  const absl::Status status = UnpackZeros(64 << 20, limits);
  EXPECT_THAT(std::string(status.message()), HasSubstr("more than 250 times its size"));
  EXPECT_LT(fs::file_size(folder_ / "out/zeros"), size_t{4} << 20);
}

TEST_F(UnpackTest, AFileThatIsTooLargeIsNotUnpacked) {
  UnpackLimits limits;
  limits.entry_bytes = 1 << 20;
  EXPECT_THAT(std::string(UnpackZeros(2 << 20, limits).message()), HasSubstr("'zeros' has more than 1 MiB"));
}

TEST_F(UnpackTest, OnlyTheIndexMayBeLarge) {
  UnpackLimits limits;
  limits.entry_bytes = 1 << 20;
  limits.large_file = "index.jsonl";
  EXPECT_TRUE(UnpackZeros(2 << 20, limits, "index.jsonl").ok());
}

}  // namespace
}  // namespace tasker::client
