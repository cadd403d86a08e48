//===- Predict.h - what else a program does with weights than train them ----------------------===//
#pragma once

#include "runtime/Progress.h"
#include "runtime/Session.h"

namespace sinter::runtime {

/// Measures the weights of a file on each part but train (on train where there is no other) and
/// prints a line each.
void evaluateFile(Session &session, Progress &progress);

/// Runs the predict step on the records of .npy files and writes predictions.npy to the folder of
/// --out; prints how often each class wins where the result are class logits. `weights` is a
/// safetensors file.
void predictFiles(Session &session, Progress &progress, const std::string &weights);

} // namespace sinter::runtime
