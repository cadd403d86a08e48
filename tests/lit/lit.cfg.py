# How lit runs Sinter's tests. A RUN line may say `sinter-opt`, `sinter`, `FileCheck`, `not`, `split-file`; each of our tools
# runs under a limit of time, so that a rewrite that never ends is a failure and not a hang.
import os

import lit.formats

config.name = "Sinter"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".sinter", ".test"]
# `diagnostics` is read by a unit test: one spec a diagnostic.
config.excludes = ["Inputs", "diagnostics", "valid"]
config.test_source_root = os.path.dirname(__file__)

# No colours in what FileCheck reads, and a cache of its own.
config.environment["NO_COLOR"] = "1"
config.environment["XDG_CACHE_HOME"] = os.path.join(config.test_exec_root, "cache")
for name in ("HOME", "ASAN_OPTIONS", "UBSAN_OPTIONS"):
    if name in os.environ:
        config.environment[name] = os.environ[name]

path = [config.sinter_binaries, config.llvm_tools, os.environ.get("PATH", "")]
config.environment["PATH"] = os.pathsep.join(path)

# Longer words first: `sinter` is part of `sinter-opt`.
limit = "timeout 60 "
for tool in ("sinter-opt", "sinter"):
    config.substitutions.append((r"(?<![-\w./])%s(?=\s)" % tool, limit + os.path.join(config.sinter_binaries, tool)))
config.substitutions.append(("%examples", os.path.join(config.test_source_root, "..", "..", "examples")))
