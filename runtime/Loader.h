//===- Loader.h - from files to examples in memory --------------------------------------------===//
#pragma once

#include "runtime/Dataset.h"

namespace sinter::runtime {

struct LoadOptions {
  std::string folder;   ///< where the data's files are instead; "": as the spec says
  unsigned threads = 1; ///< files are read side by side
  const Preprocessing *saved =
      nullptr; ///< a checkpoint's: used in place of what loading would learn
};

/// Reads all parts of a data block: read, keep, check of class ranges, split, take, standardize and
/// what follows it. Throws DataError naming file, record and the spec's place.
Dataset loadData(const Data &data, const LoadOptions &options);

/// The file that a path of the spec means: within `folder`, the longest tail of the path that
/// exists there.
std::string resolvePath(const std::string &path, const std::string &folder);

/// One field of records that come from elsewhere, through the loading steps of the data's own
/// records of this field (those of the test part, else of the train part).
Column loadLike(const Data &data, const Field &field, Records records,
                const Preprocessing &learned);

} // namespace sinter::runtime
