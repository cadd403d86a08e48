//===- Attention.h - attention and its gradient, row by row ------------------------------------------===//
#pragma once

#include "compiler/reference/Evaluator.h"
#include "dialects/train/TrainOps.h"

namespace sinter::reference {

void attention(const Evaluator &evaluator, train::AttentionOp op,
               llvm::ArrayRef<const Tensor *> operands, llvm::MutableArrayRef<Tensor> results);
void attentionGrad(const Evaluator &evaluator, train::AttentionGradOp op,
                   llvm::ArrayRef<const Tensor *> operands, llvm::MutableArrayRef<Tensor> results);

} // namespace sinter::reference
