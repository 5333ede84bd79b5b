#include "lib/base/digest.h"

#include <openssl/sha.h>

namespace tasker::base {

std::string Sha256Digest(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  unsigned char hash[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash);
  std::string out = "sha256:";
  out.reserve(out.size() + 2 * sizeof hash);
  for (const unsigned char byte : hash) {
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

}  // namespace tasker::base
