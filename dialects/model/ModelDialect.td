//===- ModelDialect.td - what the author declared ---------------------------------------------------===//
#ifndef SINTER_MODEL_DIALECT_TD
#define SINTER_MODEL_DIALECT_TD

include "mlir/IR/OpBase.td"

def Model_Dialect : Dialect {
  let name = "model";
  let cppNamespace = "::sinter::model";
  let summary = "What a spec says, with every name resolved: data, parameters, layers, objectives, stages";
  let description = [{
    The highest floor, one op a layer or function of the language. It is printed, explained and lowered, not optimised.

    * Values are of *one example*: the batch is never written. Shapes are in PyTorch's order: images [C, H, W], sequences [T, D], weights
      [out, in, kh, kw]. Axes are non-negative and count within the example.
    * A label is a `tensor<i32>` (or more of them); how many classes it has stands where the value comes from: in `model.data`'s field and in
      `model.classes` of a net's argument.
    * What lives longer than a step is a symbol of its `model.train` (`model.param`, `model.buffer`); a weight is an operand, made by
      `model.read`, so a tie is one symbol read twice.
    * `model.data` stays as it is on every floor below, for a floor's print is a whole program.
    * Each op of a layer has a `NameLoc` with the layer's path, at its place in the spec.
  }];
  let useDefaultAttributePrinterParser = 0;
  let hasRegionArgAttrVerify = 1;
}

class Model_Op<string mnemonic, list<Trait> traits = []> : Op<Model_Dialect, mnemonic, traits>;

#endif // SINTER_MODEL_DIALECT_TD
