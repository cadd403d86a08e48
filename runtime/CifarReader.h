//===- CifarReader.h - the binary version of CIFAR-10 and CIFAR-100 ---------------------------===//
// https://www.cs.toronto.edu/~kriz/cifar.html: a record is its label (one byte; of CIFAR-100 two, the
// coarse and the fine one) and an image of 3×32×32 bytes, channel by channel.
#pragma once

#include "runtime/Records.h"

namespace sinter::runtime {

enum class CifarPart { Image, Label };

/// The images or the labels of these files, one behind the other, each gzip or not. `classes` are
/// those of the label (0: not known); 20 of CIFAR-100 are its coarse ones. Throws DataError for a file
/// of neither size.
Records readCifar(const std::vector<std::string> &paths, CifarPart part, int64_t classes,
                  const std::string &place);

/// How many records these files have.
int64_t countCifar(const std::vector<std::string> &paths, int64_t classes,
                   const std::string &place);

} // namespace sinter::runtime
