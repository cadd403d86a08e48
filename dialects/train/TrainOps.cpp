//===- TrainOps.cpp - what ODS generates for the ops ------------------------------------------===//
#include "dialects/train/TrainOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;

/// Two lists of types that are one: printed once.
static ParseResult parseSameTypes(OpAsmParser &parser, SmallVectorImpl<Type> &first,
                                  SmallVectorImpl<Type> &second) {
  if (parser.parseTypeList(first))
    return failure();
  second.append(first.begin(), first.end());
  return success();
}

static void printSameTypes(OpAsmPrinter &printer, Operation *, TypeRange first, TypeRange) {
  llvm::interleaveComma(first, printer);
}

#define GET_OP_CLASSES
#include "dialects/train/TrainOps.cpp.inc"
