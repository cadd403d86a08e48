//===- Selection.h - which examples stay in which part ----------------------------------------===//
// Every choice is keyed by the data's seed alone, so it is the same for each train block and run.
// Parts keep the order of the files.
#pragma once

#include "runtime/Dataset.h"

namespace sinter::runtime {

/// 0 … count-1, shuffled (Fisher–Yates by Philox).
std::vector<uint32_t> shuffled(size_t count, uint64_t seed, uint32_t purpose, uint32_t draw);

/// Drops the examples for which `keep` is false.
void keepWhere(PartData &part, const Keep &keep);

/// Cuts valid and test off the train part. Parts round down and the last one takes the rest; with
/// stratify, so it is for each class.
void splitTrain(Dataset &dataset, const Split &split, const std::string &dataName);

/// Keeps `count` random examples. Throws DataError if there are fewer.
void takeSome(PartData &part, int64_t count, const Data &data);

} // namespace sinter::runtime
