// Beyond the official suite, which tests/conformance runs where it is present.

#include <gtest/gtest.h>

#include <vector>

#include "lib/json_schema/formats.h"

namespace tasker::json_schema {
namespace {

struct FormatCase {
  std::string name;
  std::vector<std::string> valid;
  std::vector<std::string> invalid;
};

TEST(FormatTest, AcceptsAndRefuses) {
  const std::string long_label(63, 'a');
  const FormatCase kCases[] = {
      {"date-time",
       {"2026-11-25T13:49:00Z", "2026-11-25t13:49:00.123456789+05:30", "1998-12-31T23:59:60Z",
        "1998-12-31T15:59:60-08:00"},
       {"2026-11-25", "2026-11-25T13:49Z", "2026-11-25T13:49:00", "2026-02-29T00:00:00Z", "1998-12-31T22:59:60Z",
        "2026-11-25T24:00:00Z", "2026-11-25 13:49:00Z", "2026-11-25T13:49:00.Z", "2026-11-25T13:49:00+0530",
        "2026-1১-25T13:49:00Z"}},
      {"date", {"2024-02-29", "0000-01-01"}, {"2023-02-29", "2024-2-29", "2024-13-01", "2024-00-10", "20240229", ""}},
      {"time", {"00:00:00Z", "23:59:60Z", "01:29:60+01:30"}, {"24:00:00Z", "00:60:00Z", "12:00:00", "22:59:60Z"}},
      {"duration",
       {"P4DT12H30M5S", "P1Y", "PT0S", "P2W", "P1M", "PT1M", "P1YT1H"},
       {"P", "PT", "P1Y1D", "P1D1Y", "PT1H1S", "P1YT", "P1", "4DT", "P2W1D", "P1YD", "P১Y", "PT1D"}},
      {"email",
       {"joe.bloggs@example.com", "\"joe bloggs\"@example.com", "\"a@b\"@example.com", "a@[127.0.0.1]", "a@[IPv6:::1]",
        "~te~st~@c--n.com", "\"\"@io", "\"\\\"\"@iana.org"},
       {"2962", ".a@b.c", "a..b@c.d", "a.@b.c", "a@", "@b", "a@b@c.org", "a b@c.d", "a@[127.0.0.300]", "a@-b.c",
        "a@b.c.", "a@b.c\n", "aé@b.c", "\"test@iana.org", "\"test\"test@iana.org", "test\\@test@iana.org", "a@[]",
        "a@x[1.2.3.4]"}},
      {"idn-email", {"실례@실례.테스트", "a@b.c"}, {"2962", "a@〮실례.테스트"}},
      {"hostname",
       {"www.example.com", "xn--4gbwdl.xn--wgbh1c", "h0stn4me", "1host", long_label + ".com", "a--b"},
       {"", ".", "-a", "a-", "a_b", "a..b", "a.", long_label + "a.com", "실례.테스트", "xn--X", std::string(254, 'a'),
        "a b"}},
      {"idn-hostname",
       {"실례.테스트", "実例。com", "l\u00b7l", "host-name"},
       {"〮실례.테스트", "a\u00b7l", "\u0300hello", "-> $1.00 <--", ""}},
      {"ipv4",
       {"192.168.0.1", "0.0.0.0"},
       {"256.0.0.1", "1.2.3", "01.2.3.4", "1.2.3.4.5", " 1.2.3.4", "0x7f.0.0.1", "1২7.0.0.1"}},
      {"ipv6",
       {"::1", "::", "2001:db8::7", "::ffff:1.2.3.4"},
       {"12345::", ":2:3:4:5:6:7:8", "1::2::3", "fe80::1%eth0", "::1/64", "1:2:3:4:5:6:7"}},
      {"uri",
       {"http://foo.bar/?baz=qux#quux", "urn:oasis:names:x", "http://999.999.999.999/", "http://a.com:", "http://:80",
        "http://user@", "http://!$&'()*+,;=.com", "ldap://[2001:db8::7]/c=GB?one", "mailto:a@b.c",
        "http://a.com:999999999"},
       {"//foo.bar/", "/abc", "abc", "http:// shouldfail.com", "bar,baz:foo", "https://[@example.org/",
        "https://a.org/ä", "https://a.org/\\", "http://a.org/%6G", "http://a.org/%", "1http://a", "http://a.com:abc/",
        "http://a.com:8:0", ""}},
      {"uri-reference", {"/abc", "", "#f", "//foo.bar/?a", "abc?x#y"}, {"\\\\WINDOWS", "a b", "#a\\b", "%zz"}},
      {"iri", {"http://ƒøø.ßår/?∂éœ=πîx#πîüx", "http://[2001:db8::1]"}, {"/abc", "âππ", "http://2001:0db8:85a3::7334"}},
      {"iri-reference", {"âππ", "/âππ"}, {"\\\\WINDOWS\\filëßåré", "#ƒräg\\mênt"}},
      {"uri-template",
       {"http://a/{term:1}/{term}", "{?x,y*}", "plain", "{+a.b}"},
       {"{", "}", "{a", "{}", "{a b}", "{a:0}", "{a:10000}", "%z", "a b"}},
      {"uuid",
       {"2EB8AA08-aa98-11ea-b4aa-73b441d16380"},
       {"2eb8aa08aa9811eab4aa73b441d16380", "2eb8aa08-aa98-11ea-b4aa-73b441d1638",
        "2eb8-aa08-aa98-11ea-b4aa73b44-1d16380"}},
      {"json-pointer", {"", "/a~0b~1c/0", "/"}, {"a", "#", "/~", "/~2", "/a~"}},
      {"relative-json-pointer", {"1", "0/a", "2#", "120/foo/bar"}, {"", "/a", "01", "-1", "0##", "+1", "1a"}},
      {"regex", {"^a$", "(?=x)y", "(a)\\1"}, {"^(abc]", "\\a", "*"}},
  };
  for (const FormatCase& test : kCases) {
    const FormatCheck check = FindFormat(test.name);
    ASSERT_NE(check, nullptr) << test.name;
    for (const std::string& text : test.valid) EXPECT_TRUE(check(text)) << test.name << " of " << text;
    for (const std::string& text : test.invalid) EXPECT_FALSE(check(text)) << test.name << " of " << text;
    EXPECT_FALSE(check(std::string("a\0b", 3)) && test.name != "json-pointer" && test.name != "regex") << test.name;
  }
  EXPECT_EQ(std::size(kCases), FormatNames().size());
}

TEST(FormatTest, KnowsNothingOfOtherNames) { EXPECT_EQ(FindFormat("credit-card"), nullptr); }

}  // namespace
}  // namespace tasker::json_schema
