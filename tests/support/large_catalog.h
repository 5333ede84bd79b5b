#pragma once

#include "lib/store/connection_pool.h"

namespace tasker::test {

/// Fills an empty registry, straight into the tables: every second template ("t0", "t2", …) in namespace "big", ten
/// each of the others in "ns0" ("t1", "t3", …), "ns1", …; ten versions of each ("1.0.0" to "1.9.0"), all registered by
/// one change. Template number t in each version, or where it says so:
///
///     callables  Tasks::T7 of the task, Shared::Step of step "a"; Old::Step of step "b" before 1.9.0, New::Step in it
///     systems    default, system7 (t modulo 10); in template 7 alone "rare"
///     events     order.paid, published by step "a"; event.t7, declared
///     tags       common; even or odd; group7 (t / 100)
///     words      its name; "settles" in all, "word7" (t modulo 1000) in its description
///     states     every 10th template is deprecated in all its versions, every 100th is yanked in all but 1.0.0
///     channels   stable at 1.8.0; in every 10th template canary at 1.9.0, which moved there through every version
void FillCatalog(store::ConnectionPool& pool, int templates);

}  // namespace tasker::test
