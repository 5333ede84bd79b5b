// Tells the thread sanitizer what absl::Mutex and absl::Notification order. The library comes compiled without the
// sanitizer, which therefore sees none of its locking and would report every access under a lock as a race. Linked into
// the tests of preset `tsan`, these definitions stand before the library's, call them, and add the edges. gRPC locks by
// absl::Mutex, too.

#include <absl/base/options.h>
#include <absl/synchronization/mutex.h>
#include <absl/synchronization/notification.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" {
void __tsan_acquire(void* address);
void __tsan_release(void* address);
}

namespace {

#define TASKER_TEXT_OF(name) #name
#define TASKER_TEXT(name) TASKER_TEXT_OF(name)
constexpr std::string_view kInlineNamespace = TASKER_TEXT(ABSL_OPTION_INLINE_NAMESPACE_NAME);

// The library's own definition behind ours. `member` is what stands behind the namespaces in the mangled name:
// "5Mutex4LockEv"; `start` is "_ZNK" for a const function.
template <typename Function>
Function Real(const char* member, const char* start = "_ZN") {
  const std::string symbol = fmt::format("{}4absl{}{}{}", start, kInlineNamespace.size(), kInlineNamespace, member);
  void* const address = dlsym(RTLD_NEXT, symbol.c_str());
  if (address == nullptr) {
    std::fprintf(stderr, "the Abseil library has no %s\n", symbol.c_str());
    std::abort();
  }
  return reinterpret_cast<Function>(address);
}

// The mutex inside whose functions this thread is. Conditions are evaluated there, by whoever holds the mutex just
// then, often not by the thread that waits for them: behind the edges of Unlock, and before those of Lock.
thread_local absl::Mutex* current = nullptr;

class Inside {
 public:
  explicit Inside(absl::Mutex* mutex) : before_(current) { current = mutex; }
  ~Inside() { current = before_; }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  absl::Mutex* const before_;
};

void AcquireWith(absl::Mutex* mutex, const absl::Condition& condition) {
  __tsan_acquire(mutex);
  __tsan_acquire(const_cast<absl::Condition*>(&condition));
}

}  // namespace

namespace absl {
ABSL_NAMESPACE_BEGIN

void Mutex::Lock() {
  static const auto real = Real<void (*)(Mutex*)>("5Mutex4LockEv");
  real(this);
  __tsan_acquire(this);
}

void Mutex::Unlock() {
  static const auto real = Real<void (*)(Mutex*)>("5Mutex6UnlockEv");
  const Inside inside(this);
  __tsan_release(this);
  real(this);
}

bool Mutex::TryLock() {
  static const auto real = Real<bool (*)(Mutex*)>("5Mutex7TryLockEv");
  const bool locked = real(this);
  if (locked) __tsan_acquire(this);
  return locked;
}

void Mutex::ReaderLock() {
  static const auto real = Real<void (*)(Mutex*)>("5Mutex10ReaderLockEv");
  real(this);
  __tsan_acquire(this);
}

void Mutex::ReaderUnlock() {
  static const auto real = Real<void (*)(Mutex*)>("5Mutex12ReaderUnlockEv");
  const Inside inside(this);
  __tsan_release(this);
  real(this);
}

bool Condition::Eval() const {
  static const auto real = Real<bool (*)(const Condition*)>("9Condition4EvalEv", "_ZNK");
  if (current != nullptr) __tsan_acquire(current);
  const bool holds = real(this);
  if (current != nullptr) __tsan_release(current);
  __tsan_release(const_cast<Condition*>(this));
  return holds;
}

// The waiting ones give the lock away and have it again when they return.

void Mutex::LockWhen(const Condition& condition) {
  static const auto real = Real<void (*)(Mutex*, const Condition&)>("5Mutex8LockWhenERKNS0_9ConditionE");
  const Inside inside(this);
  real(this, condition);
  AcquireWith(this, condition);
}

void Mutex::Await(const Condition& condition) {
  static const auto real = Real<void (*)(Mutex*, const Condition&)>("5Mutex5AwaitERKNS0_9ConditionE");
  __tsan_release(this);
  const Inside inside(this);
  real(this, condition);
  AcquireWith(this, condition);
}

bool Mutex::AwaitWithTimeout(const Condition& condition, Duration timeout) {
  static const auto real =
      Real<bool (*)(Mutex*, const Condition&, Duration)>("5Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE");
  __tsan_release(this);
  const Inside inside(this);
  const bool holds = real(this, condition, timeout);
  AcquireWith(this, condition);
  return holds;
}

bool Mutex::AwaitWithDeadline(const Condition& condition, Time deadline) {
  static const auto real =
      Real<bool (*)(Mutex*, const Condition&, Time)>("5Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE");
  __tsan_release(this);
  const Inside inside(this);
  const bool holds = real(this, condition, deadline);
  AcquireWith(this, condition);
  return holds;
}

void CondVar::Wait(Mutex* mutex) {
  static const auto real = Real<void (*)(CondVar*, Mutex*)>("7CondVar4WaitEPNS0_5MutexE");
  __tsan_release(mutex);
  const Inside inside(mutex);
  real(this, mutex);
  __tsan_acquire(mutex);
}

bool CondVar::WaitWithTimeout(Mutex* mutex, Duration timeout) {
  static const auto real =
      Real<bool (*)(CondVar*, Mutex*, Duration)>("7CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE");
  __tsan_release(mutex);
  const Inside inside(mutex);
  const bool timed_out = real(this, mutex, timeout);
  __tsan_acquire(mutex);
  return timed_out;
}

bool CondVar::WaitWithDeadline(Mutex* mutex, Time deadline) {
  static const auto real = Real<bool (*)(CondVar*, Mutex*, Time)>("7CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE");
  __tsan_release(mutex);
  const Inside inside(mutex);
  const bool timed_out = real(this, mutex, deadline);
  __tsan_acquire(mutex);
  return timed_out;
}

// A notification is read without its lock once it is given.

void Notification::Notify() {
  static const auto real = Real<void (*)(Notification*)>("12Notification6NotifyEv");
  __tsan_release(this);
  real(this);
}

void Notification::WaitForNotification() const {
  static const auto real = Real<void (*)(const Notification*)>("12Notification19WaitForNotificationEv", "_ZNK");
  real(this);
  __tsan_acquire(const_cast<Notification*>(this));
}

bool Notification::WaitForNotificationWithTimeout(Duration timeout) const {
  static const auto real = Real<bool (*)(const Notification*, Duration)>(
      "12Notification30WaitForNotificationWithTimeoutENS0_8DurationE", "_ZNK");
  const bool given = real(this, timeout);
  if (given) __tsan_acquire(const_cast<Notification*>(this));
  return given;
}

ABSL_NAMESPACE_END
}  // namespace absl
