//===- TrainDialect.td - one training step as a graph --------------------------------------------===//
#ifndef SINTER_TRAIN_DIALECT_TD
#define SINTER_TRAIN_DIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def Train_Dialect : Dialect {
  let name = "train";
  let cppNamespace = "::sinter::train";
  let summary = "One training step as a graph of pure ops on tensors, the batch written out";
  let description = [{
    Names at the border, values inside: what lives longer than a step is a symbol (`train.state`); inside a `train.step` there are only
    tensors and pure ops, in one straight block, that end in `train.commit`.

    * The batch is axis 0 and is written out. Images lie as [B, H, W, C], convolution weights as [kh, kw, C_in, C_out].
    * A step's arguments are bound by attributes: `train.reads = @state` (never written), `train.owns = @state` (committed exactly once),
      `train.data = "field"` (with `train.perm` when the field's axes are permuted in memory), `train.clock = "step" | "last" | "count" | "seed" |
      "draw" | "epoch"` (index; the last is how many steps an epoch has), `train.clock = "ids"` (i32[B], which example each row is).
    * Rows from `count` on are absent: they repeat the first row, so they are always finite. Ops that mix examples (trait `MixesExamples`) take the
      count. Invariant: *gradients of absent rows are zero*.
    * Pointwise ops take operands of the result's shape or of rank 0, which stand for every element.
  }];
  let useDefaultAttributePrinterParser = 1;
  let hasRegionArgAttrVerify = 1;
  let hasConstantMaterializer = 1;
}

class Train_Op<string mnemonic, list<Trait> traits = []> : Op<Train_Dialect, mnemonic, traits>;

class Train_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<Train_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

def Train_Distribution : I32EnumAttr<"Distribution", "what initial values are drawn from", [
    I32EnumAttrCase<"Constant", 0, "constant">,
    I32EnumAttrCase<"Uniform", 1, "uniform">,
    I32EnumAttrCase<"Normal", 2, "normal">,
    I32EnumAttrCase<"TruncatedNormal", 3, "truncated_normal">,
    I32EnumAttrCase<"Orthogonal", 4, "orthogonal">,
    I32EnumAttrCase<"Identity", 5, "identity">,
    I32EnumAttrCase<"Values", 6, "values">]> {
  let cppNamespace = "::sinter::train";
  let genSpecializedAttr = 0;
}

def Train_InitAttr : Train_Attr<"Init", "init"> {
  let summary = "how a state begins";
  let description = [{
    `constant` (a), `uniform` (low a, high b), `normal` (mean a, deviation b), `truncated_normal` (the same, cut at two deviations), `orthogonal`
    (gain a), `identity` (gain a); of the last two, b > 1 is how many equal parts along the first axis begin so, each by itself (a recurrent weight's gates). `#train.init<normal, 0.0, 0.02>`. `values`: these numbers, row-major in the saved
    tensor's shape: `#train.init<values, 0.0, 0.0, array<f64: 1.0, 2.0>>`
  }];
  let parameters = (ins EnumParameter<Train_Distribution>:$distribution, "::mlir::FloatAttr":$first, "::mlir::FloatAttr":$second,
                        OptionalParameter<"::mlir::DenseF64ArrayAttr">:$values);
  let assemblyFormat = "`<` $distribution `,` $first `,` $second (`,` $values^)? `>`";
  let builders = [AttrBuilder<(ins "::sinter::train::Distribution":$distribution, "double":$a, "double":$b,
                                   CArg<"::mlir::DenseF64ArrayAttr", "{}">:$values), [{
    ::mlir::Type f64 = ::mlir::Float64Type::get($_ctxt);
    return $_get($_ctxt, distribution, ::mlir::FloatAttr::get(f64, a), ::mlir::FloatAttr::get(f64, b), values);
  }]>];
  let extraClassDeclaration = [{
    double getA() const { return getFirst().getValueAsDouble(); }
    double getB() const { return getSecond().getValueAsDouble(); }
  }];
}

def Train_LayoutAttr : Train_Attr<"Layout", "layout"> {
  let summary = "how a saved tensor lies in memory";
  let description = [{
    The tensor is saved with `shape` (PyTorch's order). Seen as `view`, its axes permuted by `perm` (axis i in memory is axis perm[i] of the view)
    and then reshaped to the state's type, it lies in memory.

    (C1) shape, view and the state's type have equally many elements. (C2) perm is a permutation of view's axes.

    A dense weight behind a flattened image: `#train.layout<shape = [512, 3136], view = [512, 64, 7, 7], perm = [2, 3, 1, 0]>` on
    `tensor<3136x512xf32>`.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape, ArrayRefParameter<"int64_t">:$view,
                        ArrayRefParameter<"int64_t">:$perm);
  let assemblyFormat = "`<` `shape` `=` `[` $shape `]` `,` `view` `=` `[` $view `]` `,` `perm` `=` `[` $perm `]` `>`";
  let genVerifyDecl = 1;
}

#endif // SINTER_TRAIN_DIALECT_TD
