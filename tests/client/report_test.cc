#include "client/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace tasker::client {
namespace {

using base::Json;

FileReport ReportWith(std::string file, std::vector<base::Issue> issues, std::string_view text = "") {
  base::IssueList list;
  for (base::Issue& issue : issues) list.Add(std::move(issue));
  FileReport report;
  report.file = std::move(file);
  report.text = text;
  SetIssues(list, report);
  return report;
}

base::Issue ErrorAt(base::Position position, std::string message = "it is wrong", std::string hint = "") {
  return {base::Severity::kError, "CODE_OF_IT", "/steps/0", position, std::move(message), std::move(hint)};
}

base::Issue WarningAt(base::Position position) {
  return {base::Severity::kWarning, "OTHER", "", position, "it looks odd", ""};
}

const Json& FirstRun(const Json& sarif) { return sarif.at("runs").at(0); }

std::string UriOf(const std::string& file, std::string_view directory = "/home/me/project") {
  const std::vector<FileReport> reports{ReportWith(file, {})};
  const Json sarif = SarifReport(reports, directory);
  return base::CanonicalJson(FirstRun(sarif).at("artifacts").at(0).at("location"));
}

TEST(ReportSummaryTest, CountsInWords) {
  const std::vector<FileReport> reports{ReportWith("a", {ErrorAt({1, 1})}),
                                        ReportWith("b", {WarningAt({1, 1}), WarningAt({2, 1})})};
  EXPECT_EQ(ReportSummary(reports), "2 files checked: 1 error, 2 warnings");
  EXPECT_EQ(ReportSummary(std::span(reports).first(1)), "1 file checked: 1 error, 0 warnings");
}

TEST(DisplayNameTest, IsWellFormedWhateverThePath) {
  EXPECT_EQ(DisplayName("-"), "<stdin>");
  EXPECT_EQ(DisplayName("a\xff"
                        "b\xc3"),
            "a\uFFFD"
            "b\uFFFD");
}

TEST(GithubReportTest, EscapesWhatTheRunnerWouldTakeForItsOwn) {
  const std::vector<FileReport> reports{
      ReportWith("a,b:c%.yaml", {ErrorAt({3, 7}, "50% of: a,b\r\nare wrong", "do: this")})};
  EXPECT_EQ(GithubReport(reports),
            "::error file=a%2Cb%3Ac%25.yaml,line=3,col=7,title=CODE_OF_IT::50%25 of: a,b%0D%0Aare wrong%0Ahelp: do: "
            "this\n");
}

TEST(GithubReportTest, LeavesOutAPlaceThatIsNotKnown) {
  const std::vector<FileReport> reports{ReportWith("a.yaml", {WarningAt({})})};
  EXPECT_EQ(GithubReport(reports), "::warning file=a.yaml,title=OTHER::it looks odd\n");
}

TEST(GithubReportTest, SaysHowManyIssuesAreNotListed) {
  FileReport report = ReportWith("a.yaml", {});
  report.omitted_count = 12;
  EXPECT_EQ(GithubReport(std::span(&report, 1)), "::notice file=a.yaml::12 more issues are not listed\n");
}

TEST(SarifReportTest, GivesPathsBelowTheDirectoryRelativeToIt) {
  EXPECT_EQ(UriOf("templates/pay.yaml"), R"({"uri":"templates/pay.yaml","uriBaseId":"%SRCROOT%"})");
  EXPECT_EQ(UriOf("./a/../pay.yaml"), R"({"uri":"pay.yaml","uriBaseId":"%SRCROOT%"})");
  EXPECT_EQ(UriOf("/home/me/project/pay.yaml"), R"({"uri":"pay.yaml","uriBaseId":"%SRCROOT%"})");
  EXPECT_EQ(UriOf("/home/me/project2/pay.yaml"), R"({"uri":"file:///home/me/project2/pay.yaml"})");
  EXPECT_EQ(UriOf("../other/pay.yaml"), R"({"uri":"file:///home/me/other/pay.yaml"})");
  EXPECT_EQ(UriOf("a/b.yaml", "/"), R"({"uri":"a/b.yaml","uriBaseId":"%SRCROOT%"})");
}

TEST(SarifReportTest, EncodesPathsAsUris) {
  EXPECT_EQ(UriOf("a b#1?:%\xff.yaml"), R"({"uri":"a%20b%231%3F%3A%25%FF.yaml","uriBaseId":"%SRCROOT%"})");
}

TEST(SarifReportTest, CountsColumnsInCodePoints) {
  const std::vector<FileReport> reports{ReportWith("a.yaml", {ErrorAt({2, 8})}, "x: 1\r\ngröße: y\n")};
  const Json sarif = SarifReport(reports, "/");
  EXPECT_EQ(base::CanonicalJson(
                FirstRun(sarif).at("results").at(0).at("locations").at(0).at("physicalLocation").at("region")),
            R"({"startColumn":6,"startLine":2})");
  EXPECT_EQ(FirstRun(sarif).at("columnKind"), Json("unicodeCodePoints"));
}

TEST(SarifReportTest, ListsEachRuleOnceAndPointsResultsAtIt) {
  const std::vector<FileReport> reports{ReportWith("a.yaml", {WarningAt({1, 1}), ErrorAt({2, 1}), WarningAt({3, 1})})};
  const Json sarif = SarifReport(reports, "/");
  const Json& run = FirstRun(sarif);
  const base::JsonArray& rules = run.at("tool").at("driver").at("rules").as_array();
  ASSERT_EQ(rules.size(), 2u);
  EXPECT_EQ(base::CanonicalJson(rules[0]),
            R"({"id":"CODE_OF_IT","name":"CodeOfIt","shortDescription":{"text":"Code of it"}})");
  for (const Json& result : run.at("results").as_array()) {
    EXPECT_EQ(rules.at(result.at("ruleIndex").to_number<size_t>()).at("id"), result.at("ruleId"));
  }
  EXPECT_EQ(run.at("results").at(0).at("level"), Json("warning"));
  EXPECT_EQ(run.at("results").at(1).at("level"), Json("error"));
}

TEST(JsonReportTest, SaysAllThatIsKnown) {
  std::vector<FileReport> reports{ReportWith("-", {ErrorAt({2, 8}, "it is wrong", "mend it"), WarningAt({})})};
  reports[0].reference = "shop/pay:1.0.0";
  reports[0].omitted_count = 3;
  EXPECT_EQ(base::CanonicalJson(JsonReport(reports)),
            R"({"error_count":1,"files":[{"file":"<stdin>","issues":[)"
            R"({"code":"OTHER","hint":"","message":"it looks odd","path":"","severity":"warning"},)"
            R"({"code":"CODE_OF_IT","column":8,"hint":"mend it","line":2,"message":"it is wrong",)"
            R"("path":"/steps/0","severity":"error"}],"omitted_issue_count":3,"reference":"shop/pay:1.0.0",)"
            R"("valid":false}],"valid":false,"warning_count":1})");
}

}  // namespace
}  // namespace tasker::client
