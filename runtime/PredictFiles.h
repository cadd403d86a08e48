//===- PredictFiles.h - what --predict is given -----------------------------------------------===//
#pragma once

#include "runtime/Dataset.h"

namespace sinter::runtime {

/// The records of one field: an .npy file; where the data has pictures, also a picture or a folder of
/// them; where it has text, also a text, whose windows lie side by side. Throws DataError.
Records readPredictFile(const Data &data, const Field &field, const std::string &file,
                        const Preprocessing &learned, unsigned threads);

} // namespace sinter::runtime
