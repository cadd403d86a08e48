//===- ArrayFiles.h - arrays that are found in a file by their name ---------------------------===//
#pragma once

#include "runtime/Npy.h"

namespace sinter::runtime {

/// The array `key` of an .npz file. Throws DataError, with the names that are there where it is not.
Records readNpz(const std::string &path, const std::string &key, const std::string &place);
NpyHeader readNpzHeader(const std::string &path, const std::string &key, const std::string &place);

/// The tensor `key` of a safetensors file, gzip or not; its first axis counts records.
Records readTensor(const std::string &path, const std::string &key, const std::string &place);
NpyHeader readTensorHeader(const std::string &path, const std::string &key,
                           const std::string &place);

} // namespace sinter::runtime
