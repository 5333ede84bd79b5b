"""Shows that layering.py fails for each kind of broken arrow, with the place, and stays quiet where all is right."""

import pathlib
import tempfile
import unittest

import layering


def violations_of(files):
    """Lays out {path: text} in a fresh folder and returns what the check says about it."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            file = pathlib.Path(root, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return layering.check(root)


# (name, the tree, what must be said about it)
BROKEN = [
    (
        "to the right",
        {"lib/base/a.h": '#pragma once\n\n#include "lib/template/model.h"\n'},
        ["lib/base/a.h:3: base must not include template: lib/template/model.h"],
    ),
    (
        "a neighbour inside the brackets",
        {"lib/diff/a.cc": '#include "lib/validate/rule.h"\n'},
        ["lib/diff/a.cc:1: diff must not include validate: lib/validate/rule.h"],
    ),
    (
        "client uses the store",
        {"client/a.cc": '#include "lib/wire/convert.h"\n  #  include <lib/store/store.h>\n'},
        ["client/a.cc:2: client must not include store: lib/store/store.h"],
    ),
    (
        "client uses the server",
        {"client/a.cc": '#include "server/guard.h"\n'},
        ["client/a.cc:1: client must not include server: server/guard.h"],
    ),
    (
        "a library uses the client",
        {"lib/registry/a.cc": '#include "client/client.h"\n'},
        ["lib/registry/a.cc:1: registry must not include client: client/client.h"],
    ),
    (
        "a relative path",
        {"lib/base/a.cc": '#include "../wire/b.h"\n', "lib/wire/b.h": ""},
        ["lib/base/a.cc:1: base must not include wire: lib/wire/b.h"],
    ),
    (
        "a folder below a part",
        {"lib/json_schema/keywords/a.cc": '#include "lib/template/model.h"\n'},
        ["lib/json_schema/keywords/a.cc:1: json_schema must not include template: lib/template/model.h"],
    ),
    (
        "libyaml outside of template",
        {"lib/legacy/a.cc": "#include <yaml.h>\n"},
        ["lib/legacy/a.cc:1: only template may include yaml.h, not legacy"],
    ),
    (
        "pqxx outside of store",
        {"lib/registry/a.cc": "#include <pqxx/pqxx>\n"},
        ["lib/registry/a.cc:1: only store may include pqxx/pqxx, not registry"],
    ),
    (
        "grpcpp outside of server and client",
        {"lib/wire/a.cc": "#include <grpcpp/grpcpp.h>\n"},
        ["lib/wire/a.cc:1: only client, server may include grpcpp/grpcpp.h, not wire"],
    ),
    (
        "a generated service outside of server and client",
        {"lib/wire/a.cc": '#include "tasker/registry/v1/registry.grpc.pb.h"\n'},
        ["lib/wire/a.cc:1: only client, server may include tasker/registry/v1/registry.grpc.pb.h, not wire"],
    ),
    (
        "generated messages left of wire",
        {"lib/template/a.cc": '#include "tasker/registry/v1/task_template.pb.h"\n'},
        [
            "lib/template/a.cc:1: only client, registry, server, store, wire may include "
            "tasker/registry/v1/task_template.pb.h, not template"
        ],
    ),
    (
        "a folder that the layering does not know",
        {"lib/helpers/a.cc": ""},
        ["lib/helpers/a.cc:1: this folder has no place in the layering; give it one in layering.py"],
    ),
    (
        "a CMake link to the right",
        {"lib/wire/CMakeLists.txt": "tasker_library(wire SOURCES a.cc\n  DEPS tasker::template tasker::store)\n"},
        ["lib/wire/CMakeLists.txt:2: wire must not link store"],
    ),
    (
        "a CMake link to a restricted library",
        {"lib/validate/CMakeLists.txt": "tasker_library(validate DEPS tasker::template PkgConfig::YAML)\n"},
        ["lib/validate/CMakeLists.txt:1: only template may link a YAML library, not validate"],
    ),
]

RIGHT = {
    "lib/CMakeLists.txt": "add_subdirectory(base)\nadd_subdirectory(store)\n",
    "lib/base/CMakeLists.txt": "tasker_library(base SOURCES a.cc DEPS absl::status)\n",
    "lib/base/a.cc": '#include "a.h"\n/* before:\n#include "lib/wire/b.h"\n*/\n// #include <pqxx/pqxx>\n',
    "lib/base/a.h": "#include <string>\n",
    "lib/template/read.cc": '#include <yaml.h>\n\n#include "lib/base/a.h"\n#include "lib/json_schema/s.h"\n',
    "lib/wire/convert.h": '#include "tasker/registry/v1/task_template.pb.h"\n#include "lib/render/dot.h"\n',
    "lib/store/store.cc": '#include <pqxx/pqxx>\n#include "lib/wire/convert.h"\n',
    "lib/store/CMakeLists.txt": "tasker_library(store DEPS tasker::wire # not tasker::server\n PkgConfig::PQXX)\n",
    "server/main.cc": '#include <grpcpp/grpcpp.h>\n#include "lib/registry/registry.h"\n',
    "client/ctl/main.cc": '#include <grpcpp/grpcpp.h>\n#include "lib/wire/convert.h"\n',
}


class LayeringTest(unittest.TestCase):
    def test_every_kind_of_broken_arrow_is_named_with_its_place(self):
        for name, files, expected in BROKEN:
            with self.subTest(name):
                self.assertEqual(violations_of(files), expected)

    def test_a_tree_that_keeps_the_arrows_has_no_violation(self):
        self.assertEqual(violations_of(RIGHT), [])

    def test_all_violations_are_reported_at_once(self):
        files = {path: text for _, tree, _ in BROKEN[:2] for path, text in tree.items()}
        self.assertEqual(len(violations_of(files)), 2)


if __name__ == "__main__":
    unittest.main()
