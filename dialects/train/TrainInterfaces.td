//===- TrainInterfaces.td - what an op says about itself, so that no pass switches over names -----===//
#ifndef SINTER_TRAIN_INTERFACES_TD
#define SINTER_TRAIN_INTERFACES_TD

include "mlir/IR/OpBase.td"

def Train_Differentiable : OpInterface<"Differentiable"> {
  let cppNamespace = "::sinter::train";
  let description = "An op whose derivative is built from train ops.";
  let methods = [
    InterfaceMethod<[{
      Builds the gradients of the operands that are wanted and stores them in `operandGradients` (null where not wanted, and
      where no gradient flows, as into a label).
      `resultGradients[i]` has the type of result i, or is null where nothing flows into that result (not all are null).
      Must build nothing that no wanted gradient needs. The gradient of an absent row is zero when those of the results are.
    }], "void", "buildGradients",
    (ins "::mlir::OpBuilder &":$builder, "::mlir::ValueRange":$resultGradients,
         "::llvm::ArrayRef<bool>":$wanted, "::llvm::MutableArrayRef<::mlir::Value>":$operandGradients)>
  ];
}

def Train_Pointwise : OpInterface<"Pointwise"> {
  let cppNamespace = "::sinter::train";
  let description = [{
    An op whose results at a point depend on its operands at that point alone. One scalar body, in arith and math, from which evaluator, fusion and
    kernels follow. Operands have the results' shape or rank 0 (index-typed operands, the clock, count as rank 0); all results have one shape.
  }];
  let methods = [
    InterfaceMethod<[{
      Builds the body for one element. `arguments`: one scalar an operand; `point`: the element's coordinates, index-typed, one an axis of the results.
      Returns one scalar a result. Vectors of 16 elements must be able to stand for the scalars: only arith and math ops that are
      elementwise-mappable, and constants.
    }], "::llvm::SmallVector<::mlir::Value>", "buildScalar",
    (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$location, "::mlir::ValueRange":$arguments,
         "::mlir::ValueRange":$point)>
  ];
}

def Train_View : OpInterface<"View"> {
  let cppNamespace = "::sinter::train";
  let description = "An op that moves values and computes nothing: result[p] = operand[map(p)].";
  let methods = [
    InterfaceMethod<"The map from a point of the result to the point of the operand it is read from; null where one map does not say it (reshape).",
      "::mlir::AffineMap", "getAccessMap", (ins)>
  ];
}

def Train_Contraction : OpInterface<"Contraction"> {
  let cppNamespace = "::sinter::train";
  let description = [{
    result[c(p)] = Σ lhs[a(p)] · rhs[b(p)] over the points p of a rectangular domain; a point whose a(p), b(p) or c(p) falls outside its
    tensor is absent (that is what padding means).
  }];
  let methods = [
    InterfaceMethod<"The domain's extents.", "::llvm::SmallVector<int64_t>", "getDomain", (ins)>,
    InterfaceMethod<"The maps a, b, c from the domain.", "::llvm::SmallVector<::mlir::AffineMap>", "getAccessMaps", (ins)>
  ];
}

def Train_Cost : OpInterface<"Cost"> {
  let cppNamespace = "::sinter::train";
  let description = "What an op costs, counted nominally: each flop once, every tap.";
  let methods = [
    InterfaceMethod<"Floating-point operations.", "int64_t", "getFlops", (ins), "", [{
      int64_t elements = 0;
      for (::mlir::Type type : $_op->getResultTypes())
        if (auto tensor = ::mlir::dyn_cast<::mlir::RankedTensorType>(type))
          elements = std::max(elements, tensor.getNumElements());
      return elements;
    }]>,
    InterfaceMethod<"Bytes read and written when every operand and result is touched once.", "int64_t", "getBytes", (ins), "",
      "return ::sinter::train::bytesTouched($_op);">
  ];
}

#endif // SINTER_TRAIN_INTERFACES_TD
