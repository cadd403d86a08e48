//===- TrainOps.td - the ops of a training step ---------------------------------------------------===//
#ifndef SINTER_TRAIN_OPS_TD
#define SINTER_TRAIN_OPS_TD

include "dialects/train/TrainDialect.td"
include "dialects/train/TrainInterfaces.td"
include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"

def MixesExamples : NativeOpTrait<"MixesExamples"> {
  let cppNamespace = "::sinter::train";
}

/// No gradient goes back through it: into a label, a draw, a clock, a choice.
def StopsGradient : NativeOpTrait<"StopsGradient"> {
  let cppNamespace = "::sinter::train";
}

def Train_Float : RankedTensorOf<[F32]>;
def Train_Scalar : Type<0DTensorOf<[F32]>.predicate, "tensor<f32>", "::mlir::RankedTensorType">,
                   BuildableType<"::mlir::RankedTensorType::get({}, $_builder.getF32Type())">;
def Train_Bool : RankedTensorOf<[I1]>;
def Train_Int : RankedTensorOf<[I32]>;
def Train_Small : RankedTensorOf<[I8, I32]>;
def Train_Any : RankedTensorOf<[F32, I32, I8, I1]>;

def Train_StateNames : TypedArrayAttrBase<FlatSymbolRefAttr, "list of states' names"> {
  let constBuilderCall = "$_builder.getArrayAttr($0)";
}

//===--- what stands outside a step ---------------------------------------------------------------===//

def Train_StateOp : Train_Op<"state", [Symbol, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "a tensor that lives longer than a step";
  let description = [{
    A parameter, a buffer, a teacher's parameter or buffer (`teacher`), or an optimizer's state `of` a parameter. `type` is what a step sees; the
    checkpoint holds `layout`'s shape, or the type's where there is none. `also` are the other names of a tied parameter. A teacher's state is `of`
    the parameter or buffer that it averages; where a stage begins it is a copy of that.

    (C1) init fits: an orthogonal or identity state has rank 2 or more, and values are as many as elements. (C2) `of` stands where kind is `optimizer`, and may stand where
    kind is `teacher`; it names a parameter or a buffer.
    (C3) layout's elements are the type's.

    ```mlir
    train.state @conv1.weight : tensor<5x5x1x32xf32> parameter init #train.init<normal, 0.0, 0.28>
      layout #train.layout<shape = [32, 1, 5, 5], view = [32, 1, 5, 5], perm = [2, 3, 1, 0]>
    train.state @conv1.weight.momentum : tensor<5x5x1x32xf32> optimizer init #train.init<constant, 0.0, 0.0> of @conv1.weight
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<Train_Float>:$type, StrAttr:$kind, Train_InitAttr:$init,
                       OptionalAttr<Train_LayoutAttr>:$layout, OptionalAttr<StrArrayAttr>:$also,
                       OptionalAttr<FlatSymbolRefAttr>:$of);
  let assemblyFormat = [{
    $sym_name `:` $type `kind` $kind `init` $init (`layout` $layout^)? (`also` $also^)? (`of` $of^)? attr-dict
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The shape in a checkpoint, in PyTorch's order.
    ::llvm::ArrayRef<int64_t> getSavedShape();
  }];
}

def Train_RunOp : Train_Op<"run", [Symbol, NoTerminator, SingleBlock, NoRegionArguments,
                                   DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "one `train` block: its stages in order";
  let description = [{
    ```mlir
    train.run @LeNet on @digits seed 7 {
      train.stage @main step @LeNet.main eval @LeNet.main.eval batch 64 epochs 5.0 reports ["accuracy"]
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, FlatSymbolRefAttr:$data, I64Attr:$seed);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name `on` $data `seed` $seed attr-dict-with-keyword $body";
}

def Train_StageOp : Train_Op<"stage", [HasParent<"RunOp">, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "how long, on which batches and with which step a stage trains";
  let description = [{
    The runtime's part of a stage. Length is `epochs` or `steps`, exactly one (C1). `step`, `eval` and `predict` name `train.step`s of that
    `kind` (C2). `reports` name the outputs of step and eval behind `loss`, in order (C3); `finish` says per report what the mean over a set
    still goes through ("" or "exp"), `ascending` whether more is better, `every` after how many steps it is measured too (0: after epochs
    alone). `keep_best` and `stop` hold a measure such as "valid.loss". `sparse` names parameters whose share of zeros is reported.
    The discardable attribute `copies`, a list of `{from, to}`, names states that are copied where the stage begins.

    With `accumulate` above 1 the step of kind "train" adds a batch's gradients to states, and `update`, of kind "update", takes the optimizer's
    step after so many of them, and after the last batch of an epoch; its clock `count` is the number of examples behind the sums. (C4) `update`
    stands exactly where accumulate > 1.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, FlatSymbolRefAttr:$step, FlatSymbolRefAttr:$eval,
                       OptionalAttr<FlatSymbolRefAttr>:$predict, I64Attr:$batch,
                       OptionalAttr<F64Attr>:$epochs, OptionalAttr<I64Attr>:$steps, UnitAttr:$drop_last, UnitAttr:$sequential,
                       DefaultValuedAttr<I64Attr, "1">:$accumulate, OptionalAttr<FlatSymbolRefAttr>:$update,
                       OptionalAttr<StrArrayAttr>:$reports, OptionalAttr<StrArrayAttr>:$finish,
                       OptionalAttr<DenseBoolArrayAttr>:$ascending, OptionalAttr<DenseI64ArrayAttr>:$every,
                       OptionalAttr<StrArrayAttr>:$sparse,
                       OptionalAttr<StrAttr>:$keep_best, OptionalAttr<StrAttr>:$stop, OptionalAttr<I64Attr>:$patience);
  let assemblyFormat = [{
    $sym_name `step` $step (`update` $update^)? `eval` $eval (`predict` $predict^)? `batch` $batch (`epochs` $epochs^)? (`steps` $steps^)?
    (`drop_last` $drop_last^)? (`sequential` $sequential^)? (`reports` $reports^)? attr-dict
  }];
  let hasVerifier = 1;
}

def Train_StepOp : Train_Op<"step", [IsolatedFromAbove, FunctionOpInterface, SingleBlock, AffineScope,
                                     DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames"]>,
                                     DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "one step: batch and state in, new state and measures out";
  let description = [{
    A straight block of pure ops that ends in `train.commit`. `kind` is "train", "update" (the optimizer's part of a step whose gradients were
    added up before), "eval" or "predict".

    (S1) each owned state is committed exactly once, with its type; (S2) no other is; (S3) `train.gradient` is of owned arguments only;
    (S4) a state is bound once; (S5) a step of kind eval or predict owns nothing; (S6) every argument is bound in exactly one way and its type fits.

    ```mlir
    train.step @main kind "train" (%n: index {train.clock = "count"}, %x: tensor<64x4xf32> {train.data = "x"},
                                   %w: tensor<4xf32> {train.owns = @w}) {
      ...
      train.commit states [@w] (%w1 : tensor<4xf32>) outputs ["loss"] (%loss : tensor<f32>)
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type, StrAttr:$kind,
                       OptionalAttr<DictArrayAttr>:$arg_attrs, OptionalAttr<DictArrayAttr>:$res_attrs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    ::llvm::ArrayRef<::mlir::Type> getArgumentTypes() { return getFunctionType().getInputs(); }
    ::llvm::ArrayRef<::mlir::Type> getResultTypes() { return getFunctionType().getResults(); }
    ::mlir::Region *getCallableRegion() { return &getBody(); }
    /// The batch as compiled: rows of every tensor that has examples.
    int64_t getBatch();
    /// The argument bound to this clock ("count", …), or null.
    ::mlir::BlockArgument getClock(::llvm::StringRef name);
    /// The argument bound to this state, or null.
    ::mlir::BlockArgument getState(::llvm::StringRef name);
    CommitOp getCommit();
  }];
}

def Train_CommitOp : Train_Op<"commit", [Terminator, AttrSizedOperandSegments, HasParent<"StepOp">]> {
  let summary = "the end of a step: what the states become, what is measured, what is predicted";
  let description = [{
    `outputs` are scalars, means over the batch's examples, the first of them `loss`; `results` are tensors of the batch.

    (C1) as many names as values, of states, outputs and results. (C2) outputs are tensor<f32>.

    ```mlir
    train.commit states [@w, @w.momentum] (%w1, %m1 : tensor<64x10xf32>, tensor<64x10xf32>) outputs ["loss"] (%loss : tensor<f32>)
    ```
  }];
  let arguments = (ins DefaultValuedAttr<Train_StateNames, "{}">:$states, Variadic<Train_Float>:$values,
                       DefaultValuedAttr<StrArrayAttr, "{}">:$output_names, Variadic<Train_Scalar>:$outputs,
                       DefaultValuedAttr<StrArrayAttr, "{}">:$result_names, Variadic<Train_Any>:$results_);
  let assemblyFormat = [{
    (`states` $states^ `(` $values `:` type($values) `)`)?
    (`outputs` $output_names^ `(` $outputs `:` type($outputs) `)`)?
    (`results` $result_names^ `(` $results_ `:` type($results_) `)`)? attr-dict
  }];
  let hasVerifier = 1;
}

//===--- pointwise --------------------------------------------------------------------------------===//

class Train_PointwiseOp<string mnemonic, list<Trait> traits = []>
    : Train_Op<mnemonic, !listconcat([Pure, DeclareOpInterfaceMethods<Train_Pointwise>,
                                      DeclareOpInterfaceMethods<Train_Differentiable>, Train_Cost], traits)>;

class Train_UnaryOp<string mnemonic, list<Trait> traits = []>
    : Train_PointwiseOp<mnemonic, !listconcat([SameOperandsAndResultType], traits)> {
  let arguments = (ins Train_Float:$x);
  let results = (outs Train_Float:$y);
  let assemblyFormat = "$x attr-dict `:` type($y)";
}

def Train_NegOp : Train_UnaryOp<"neg"> { let summary = "y = -x"; let hasFolder = 1; }
def Train_ExpOp : Train_UnaryOp<"exp"> { let summary = "y = eˣ"; }
def Train_LogOp : Train_UnaryOp<"log"> { let summary = "y = ln x"; }
def Train_SqrtOp : Train_UnaryOp<"sqrt"> { let summary = "y = √x"; }
def Train_AbsOp : Train_UnaryOp<"abs"> { let summary = "y = |x|; the derivative at 0 is 0"; }
def Train_SignOp : Train_UnaryOp<"sign", [StopsGradient]> { let summary = "y = -1, 0 or 1; the derivative is 0"; }
def Train_SquareOp : Train_UnaryOp<"square"> { let summary = "y = x²"; }
def Train_SinOp : Train_UnaryOp<"sin"> { let summary = "y = sin x"; }
def Train_CosOp : Train_UnaryOp<"cos"> { let summary = "y = cos x"; }
def Train_TanhOp : Train_UnaryOp<"tanh"> { let summary = "y = tanh x"; }
def Train_SigmoidOp : Train_UnaryOp<"sigmoid"> { let summary = "y = 1 / (1 + e⁻ˣ)"; }
def Train_SoftplusOp : Train_UnaryOp<"softplus"> { let summary = "y = ln(1 + eˣ), computed as max(x, 0) + ln(1 + e^-|x|)"; }
def Train_SiluOp : Train_UnaryOp<"silu"> { let summary = "y = x · sigmoid(x)"; }
def Train_ReluOp : Train_UnaryOp<"relu"> {
  let summary = "y = x where x > 0, else 0; NaN stays";
  let description = "`select(0 > x, 0, x)`, which keeps a NaN. The derivative is 1 where y > 0 and reads y, so that x need not be kept.";
}
def Train_ErfOp : Train_UnaryOp<"erf"> { let summary = "y = erf x"; }
def Train_LeakyReluOp : Train_UnaryOp<"leaky_relu"> {
  let summary = "y = x where x > 0, else slope · x";
  let arguments = (ins Train_Float:$x, F64Attr:$slope);
}
def Train_EluOp : Train_UnaryOp<"elu"> {
  let summary = "y = x where x > 0, else alpha (eˣ - 1)";
  let arguments = (ins Train_Float:$x, F64Attr:$alpha);
}
def Train_GeluOp : Train_UnaryOp<"gelu"> {
  let summary = "y = x Φ(x), by erf, or by tanh where `approximate` is set (Hendrycks and Gimpel 2016)";
  let arguments = (ins Train_Float:$x, UnitAttr:$approximate);
}
def Train_GeluSlopeOp : Train_UnaryOp<"gelu_slope"> {
  let summary = "y = Φ(x) + x φ(x), the slope of GELU by erf";
  let description = "One op, so that it stays whole on its way down, where one polynomial is in its place.";
}

/// Two operands of the result's shape or of rank 0.
class Train_BinaryOp<string mnemonic, list<Trait> traits = []> : Train_PointwiseOp<mnemonic, traits> {
  let description = "(P2) Each operand has the result's shape or rank 0, and then stands for every element.";
  let arguments = (ins Train_Float:$a, Train_Float:$b);
  let results = (outs Train_Float:$y);
  let assemblyFormat = "$a `,` $b attr-dict `:` type($a) `,` type($b) `->` type($y)";
  let hasVerifier = 1;
}
def Train_AddOp : Train_BinaryOp<"add", [Commutative]> { let summary = "y = a + b"; let hasFolder = 1; let hasCanonicalizer = 1; }
def Train_SubOp : Train_BinaryOp<"sub"> { let summary = "y = a - b"; let hasFolder = 1; let hasCanonicalizer = 1; }
def Train_MulOp : Train_BinaryOp<"mul", [Commutative]> { let summary = "y = a b"; let hasFolder = 1; let hasCanonicalizer = 1; }
def Train_DivOp : Train_BinaryOp<"div"> { let summary = "y = a / b"; let hasFolder = 1; let hasCanonicalizer = 1; }
def Train_PowOp : Train_BinaryOp<"pow"> { let summary = "y = aᵇ"; let hasCanonicalizer = 1; }
def Train_MaxOp : Train_BinaryOp<"max"> { let summary = "y = b where b > a, else a; ties go to a"; let hasCanonicalizer = 1; }
def Train_MinOp : Train_BinaryOp<"min"> { let summary = "y = b where b < a, else a; ties go to a"; let hasCanonicalizer = 1; }

def Train_CompareOp : Train_PointwiseOp<"compare", [StopsGradient]> {
  let summary = "c = a (eq | ne | lt | le | gt | ge) b";
  let description = "A NaN differs from everything and is neither smaller nor greater. (C1) predicate is one of these. (C2) a and b have one element type. (P2) as for `add`.";
  let arguments = (ins StrAttr:$predicate, Train_Any:$a, Train_Any:$b);
  let results = (outs Train_Bool:$c);
  let assemblyFormat = "$predicate $a `,` $b attr-dict `:` type($a) `,` type($b) `->` type($c)";
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}
def Train_LogicOp : Train_PointwiseOp<"logic", [StopsGradient]> {
  let summary = "c = a (and | or | xor) b";
  let description = "(C1) kind is one of these. (P2) as for `add`.";
  let arguments = (ins StrAttr:$kind, Train_Bool:$a, Train_Bool:$b);
  let results = (outs Train_Bool:$c);
  let assemblyFormat = "$kind $a `,` $b attr-dict `:` type($a) `,` type($b) `->` type($c)";
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}
def Train_SelectOp : Train_PointwiseOp<"select"> {
  let summary = "y = a where c, else b";
  let description = "(P2) as for `add`.";
  let arguments = (ins Train_Bool:$c, Train_Float:$a, Train_Float:$b);
  let results = (outs Train_Float:$y);
  let assemblyFormat = "$c `,` $a `,` $b attr-dict `:` type($c) `,` type($a) `,` type($b) `->` type($y)";
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}
def Train_CastOp : Train_PointwiseOp<"cast", [StopsGradient]> {
  let summary = "an integer or boolean as f32";
  let description = "(C1) x holds integers or booleans. (P2) as for `add`.";
  let arguments = (ins Train_Any:$x);
  let results = (outs Train_Float:$y);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($y)";
  let hasVerifier = 1;
}
def Train_OneHotOp : Train_PointwiseOp<"one_hot", [StopsGradient]> {
  let summary = "y[…, c] = 1 where labels[…, c] = c, else 0";
  let description = "The labels come broadcast to the result's shape (`train.broadcast`), so that the op is pointwise. A label has no gradient. (C1) y has a last axis, the classes.";
  let arguments = (ins Train_Int:$labels);
  let results = (outs Train_Float:$y);
  let assemblyFormat = "$labels attr-dict `:` type($labels) `->` type($y)";
  let hasVerifier = 1;
}
def Train_RandomOp : Train_PointwiseOp<"random", [StopsGradient]> {
  let summary = "uniform numbers in [0, 1) from a counter-based generator";
  let description = [{
    Philox4x32-10 with key `seed` and counter (16q + l, ids[row], draw, purpose), where element e = 64q + 16w + l *of its example* takes word w, as
    f32 with 24 bits; `purpose` is fnv1a of the name (see runtime/Philox.h). Pure: equal draws are equal. `ids` come broadcast to the result's
    shape (`train.broadcast`).

    (C1) y has rows, one an example.
  }];
  let arguments = (ins StrAttr:$purpose, Train_Int:$ids, Index:$draw, Index:$seed);
  let results = (outs Train_Float:$y);
  let assemblyFormat = "$purpose `of` $ids `draw` $draw `seed` $seed attr-dict `:` type($ids) `->` type($y)";
  let hasVerifier = 1;
}
def Train_NumberOp : Train_PointwiseOp<"number", [StopsGradient]> {
  let summary = "y[…, i, …] = i along axis";
  let description = "(C1) axis is one of y's. `%i = train.number along 1 : tensor<64x10xi32>`";
  let arguments = (ins I64Attr:$axis);
  let results = (outs Train_Int:$y);
  let assemblyFormat = "`along` $axis attr-dict `:` type($y)";
  let hasVerifier = 1;
}
def Train_CausalMaskOp : Train_PointwiseOp<"causal_mask", [AllTypesMatch<["x", "y"]>]> {
  let summary = "y[…, t, s] = x where s ≤ t, else -∞, or 0 where `zero` is set";
  let description = [{
    What stands behind position t is hidden from it. Before a softmax -∞ becomes exactly 0, and the gradient there is 0: the same mask with `zero`.

    (C1) x has two axes behind the batch's.

    ```mlir
    %y = train.causal_mask %x : tensor<8x4x64x64xf32>
    ```
  }];
  let arguments = (ins Train_Float:$x, UnitAttr:$zero);
  let results = (outs Train_Float:$y);
  let assemblyFormat = "$x (`zero` $zero^)? attr-dict `:` type($y)";
  let hasVerifier = 1;
}
def Train_SinusoidOp : Train_PointwiseOp<"sinusoid", [StopsGradient]> {
  let summary = "y[t, 2i] = sin(t / 10000^(2i / D)), y[t, 2i + 1] = cos(t / 10000^(2i / D)): positions (Vaswani et al. 2017)";
  let description = "Angles are computed and reduced in f64. (C1) y is [T, D]. `%y = train.sinusoid : tensor<64x128xf32>`";
  let arguments = (ins);
  let results = (outs Train_Float:$y);
  let assemblyFormat = "attr-dict `:` type($y)";
  let hasVerifier = 1;
}
def Train_MaskRowsOp : Train_PointwiseOp<"mask_rows", [MixesExamples, AllTypesMatch<["x", "y"]>]> {
  let summary = "y = x in the rows that are there, 0 in the others";
  let description = "(C1) y has rows.";
  let arguments = (ins Train_Float:$x, Index:$count);
  let results = (outs Train_Float:$y);
  let assemblyFormat = "$x `of` $count attr-dict `:` type($y)";
  let hasVerifier = 1;
  let hasFolder = 1;
}
def Train_Bf16Op : Train_UnaryOp<"bf16"> {
  let summary = "y = x rounded to bfloat16, to the nearest and to even between two, as f32";
  let description = "By integer arithmetic, so that every CPU gives the same bits; beyond bfloat16's range an infinity, NaN stays. dx = dy.";
}
def Train_StopGradientOp : Train_UnaryOp<"stop_gradient", [StopsGradient]> { let summary = "y = x, and no gradient goes back"; let hasFolder = 0; }

//===--- scalars ----------------------------------------------------------------------------------===//

def Train_ConstantOp : Train_Op<"constant", [Pure, ConstantLike, AllTypesMatch<["value", "y"]>]> {
  let summary = "a tensor known at compile time";
  let arguments = (ins ElementsAttr:$value);
  let results = (outs Train_Any:$y);
  let assemblyFormat = "attr-dict $value";
  let hasFolder = 1;
}
def Train_CountOp : Train_PointwiseOp<"count", [StopsGradient]> {
  let summary = "y = scale · count: how many values a mean over the batch runs over";
  let arguments = (ins Index:$count, F64Attr:$scale);
  let results = (outs Train_Scalar:$y);
  let assemblyFormat = "$count `times` $scale attr-dict `:` type($y)";
}
def Train_RateOp : Train_PointwiseOp<"rate", [StopsGradient]> {
  let summary = "the value of a schedule at this step";
  let description = [{
    t counts from 0, T is the stage's last step count; computed in f64, then rounded.
    `constant`: value. `linear`: from value to `to` over the T - warmup steps behind the warm-up. `cosine`: to + (value - to)(1 + cos(π (t - warmup) / (T - warmup))) / 2.
    `exponential`: value · by^t. `step`: value · by^⌊t / every⌋. While t < warmup: value · (t + 1) / warmup.
    `factor` multiplies the whole. `every` and `warmup` count steps, or epochs of `epoch` steps where `every_epochs`, `warmup_epochs` stand.
    Where the warm-up leaves no step, a linear or cosine schedule stays at value.

    (C1) kind is one of these. (C2) warmup is not negative. (C3) every is positive. (C4) `epoch` is there where a length is in epochs.

    ```mlir
    %lr = train.rate "cosine"(0.1) at %step of %last epochs %epoch {warmup = 2 : i64, warmup_epochs} : tensor<f32>
    ```
  }];
  let arguments = (ins StrAttr:$kind, Index:$step, Index:$last, Optional<Index>:$epoch, F64Attr:$value,
                       DefaultValuedAttr<F64Attr, "0.0">:$to,
                       DefaultValuedAttr<F64Attr, "1.0">:$by, DefaultValuedAttr<I64Attr, "1">:$every,
                       DefaultValuedAttr<I64Attr, "0">:$warmup, DefaultValuedAttr<F64Attr, "1.0">:$factor,
                       UnitAttr:$every_epochs, UnitAttr:$warmup_epochs);
  let results = (outs Train_Scalar:$y);
  let assemblyFormat = "$kind `(` $value `)` `at` $step `of` $last (`epochs` $epoch^)? attr-dict `:` type($y)";
  let hasVerifier = 1;
}
def Train_PulseOp : Train_PointwiseOp<"pulse", [StopsGradient]> {
  let summary = "y = 1 in every `every`-th step, 0 in the others";
  let description = "The steps before `step` and it itself are counted. (C1) every is positive. `%now = train.pulse 10 at %step : tensor<f32>`";
  let arguments = (ins Index:$step, I64Attr:$every);
  let results = (outs Train_Scalar:$y);
  let assemblyFormat = "$every `at` $step attr-dict `:` type($y)";
  let hasVerifier = 1;
}
def Train_BiasCorrectionOp : Train_PointwiseOp<"bias_correction", [StopsGradient]> {
  let summary = "y = 1 - beta^(t + 1), in f64, then rounded (Kingma and Ba 2015)";
  let arguments = (ins Index:$step, F64Attr:$beta);
  let results = (outs Train_Scalar:$y);
  let assemblyFormat = "$beta `at` $step attr-dict `:` type($y)";
}

//===--- contractions -----------------------------------------------------------------------------===//

class Train_ContractionOp<string mnemonic, list<Trait> traits = []>
    : Train_Op<mnemonic, !listconcat([Pure, DeclareOpInterfaceMethods<Train_Contraction>,
                                      DeclareOpInterfaceMethods<Train_Differentiable>,
                                      DeclareOpInterfaceMethods<Train_Cost, ["getFlops"]>], traits)>;

def Train_ContractOp : Train_ContractionOp<"contract"> {
  let summary = "a product of two tensors, summed over shared axes";
  let description = [{
    Axes by letters, as in einsum without repeats within one operand: `"bk,nk->bn"`.

    (C1) as many letters as axes; (C2) a letter has one extent; (C3) a result's letter stands in an operand, a letter of one operand alone stands in the result.

    ```mlir
    %y = train.contract "bk,nk->bn" %x, %w : (tensor<64x784xf32>, tensor<512x784xf32>) -> tensor<64x512xf32>
    ```
  }];
  let arguments = (ins StrAttr:$axes, Train_Float:$lhs, Train_Float:$rhs);
  let results = (outs Train_Float:$y);
  let assemblyFormat = "$axes $lhs `,` $rhs attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

class Train_Conv2dOp<string mnemonic> : Train_ContractionOp<mnemonic> {
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}
defvar Conv2dAttributes = (ins DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$padding, DenseI64ArrayAttr:$dilations);
def Train_Conv2dForwardOp : Train_Conv2dOp<"conv2d"> {
  let summary = "y[b, i, j, o] = Σ x[b, i·s + r·d - p, j·s + t·d - q, c] · w[r, t, c, o]";
  let description = [{
    x [B, H, W, C], w [kh, kw, C, O], y [B, Ho, Wo, O]. strides [sh, sw], dilations [dh, dw], padding [top, left, bottom, right].
    In groups, an axis G of its own: x [B, H, W, G, C], w [kh, kw, C, G, O], y [B, Ho, Wo, G, O], where a group reads and writes its own
    channels; depthwise with C = O = 1. (C1) ranks are 4, or 5, batch, groups and channels agree. (C3) strides and dilations are two positive numbers, padding four that are not negative. (C2) Ho = ⌊(H + top + bottom - dh (kh - 1) - 1) / sh⌋ + 1, Wo likewise.
  }];
  let arguments = !con((ins Train_Float:$x, Train_Float:$w), Conv2dAttributes);
  let results = (outs Train_Float:$y);
}
def Train_Conv2dInputGradOp : Train_Conv2dOp<"conv2d_input_grad"> {
  let summary = "dx of a conv2d, from dy and w; attributes and constraints as there";
  let arguments = !con((ins Train_Float:$dy, Train_Float:$w), Conv2dAttributes);
  let results = (outs Train_Float:$dx);
}
def Train_Conv2dWeightGradOp : Train_Conv2dOp<"conv2d_weight_grad"> {
  let summary = "dw of a conv2d, from x and dy; attributes and constraints as there";
  let arguments = !con((ins Train_Float:$x, Train_Float:$dy), Conv2dAttributes);
  let results = (outs Train_Float:$dw);
}

//===--- convolutions in tiles of Winograd's ------------------------------------------------------===//

class Train_WinogradLikeOp<string mnemonic> : Train_Op<mnemonic, [Pure, DeclareOpInterfaceMethods<Train_Cost, ["getFlops"]>]> {
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}
def Train_WinogradOp : Train_WinogradLikeOp<"winograd"> {
  let summary = "a 3×3 convolution with stride 1, in tiles of 4 × 4 outputs";
  let description = [{
    x [B, H, W, C], u [36, C, O], y [B, Ho, Wo, O]; padding [top, left, bottom, right]. Tile by tile y = Aᵀ [Σ u_c ⊙ (Bᵀ d_c B)] A with the tables of
    `dialects/Winograd.h`; u_c = G w_c Gᵀ makes it the conv2d of x and w. In place of u the op may have w [3, 3, C, O], whose filters it makes where it needs
    them, or, `turned`, w [3, 3, O, C], each turned by half a circle: a gradient by input. A tile may stick out of y. Flops are those of the 36
    products. It stands behind differentiation and has no derivative of its own.

    (C1) ranks are 4 and 3 or 4, batch and channels agree, u has 36 products or 3 × 3 taps, and only taps are `turned`. (C2) padding is four numbers that are not negative, Ho = H + top + bottom - 2 is
    positive, Wo likewise.

    ```mlir
    %y = train.winograd %x, %u {padding = array<i64: 1, 1, 1, 1>} : (tensor<32x8x8x64xf32>, tensor<36x64x96xf32>) -> tensor<32x8x8x96xf32>
    ```
  }];
  let arguments = (ins Train_Float:$x, Train_Float:$u, DenseI64ArrayAttr:$padding, UnitAttr:$turned);
  let results = (outs Train_Float:$y);
}
def Train_WinogradWeightGradOp : Train_WinogradLikeOp<"winograd_weight_grad"> {
  let summary = "dw of a 3×3 convolution with stride 1, from x and dy, in Winograd's tiles";
  let description = [{
    x [B, H, W, C], dy [B, Ho, Wo, O], dw [3, 3, C, O] = Gᵀ [Σ (Bᵀ d_c B) ⊙ (A dy_o Aᵀ)] G, summed over tiles. Constraints as for `winograd`.
  }];
  let arguments = (ins Train_Float:$x, Train_Float:$dy, DenseI64ArrayAttr:$padding);
  let results = (outs Train_Float:$dw);
}

//===--- rows of a table --------------------------------------------------------------------------===//

class Train_TableOp<string mnemonic> : Train_Op<mnemonic, [Pure, DeclareOpInterfaceMethods<Train_Differentiable>,
                                                           DeclareOpInterfaceMethods<Train_Cost, ["getFlops", "getBytes"]>]> {
  let hasVerifier = 1;
}
def Train_GatherOp : Train_TableOp<"gather"> {
  let summary = "y[…, d] = table[ids[…], d]: an embedding";
  let description = [{
    Every id is from 0 to the table's rows, exclusively: data is checked while it is loaded, so this op is not.

    (C1) the table is [count, size]. (C2) y's shape is ids' and then size.

    ```mlir
    %y = train.gather %table at %ids : tensor<73x128xf32>, tensor<8x64xi32> -> tensor<8x64x128xf32>
    ```
  }];
  let arguments = (ins Train_Float:$table, Train_Int:$ids);
  let results = (outs Train_Float:$y);
  let assemblyFormat = "$table `at` $ids attr-dict `:` type($table) `,` type($ids) `->` type($y)";
}
def Train_GatherGradOp : Train_TableOp<"gather_grad"> {
  let summary = "dtable[v, d] = Σ dy[…, d] where ids[…] = v, in the order of ids";
  let description = [{
    Each sum runs over the ids in row-major order, from zero, one addition an id. Rows that no id names are zero. (C1), (C2) as for `gather`.

    ```mlir
    %dtable = train.gather_grad %dy at %ids : tensor<8x64x128xf32>, tensor<8x64xi32> -> tensor<73x128xf32>
    ```
  }];
  let arguments = (ins Train_Float:$dy, Train_Int:$ids);
  let results = (outs Train_Float:$dtable);
  let assemblyFormat = "$dy `at` $ids attr-dict `:` type($dy) `,` type($ids) `->` type($dtable)";
}

//===--- reductions -------------------------------------------------------------------------------===//

class Train_ReductionOp<string mnemonic, list<Trait> traits = []>
    : Train_Op<mnemonic, !listconcat([Pure, DeclareOpInterfaceMethods<Train_Differentiable>,
                                      DeclareOpInterfaceMethods<Train_Cost, ["getFlops"]>], traits)>;

class Train_AxesReductionOp<string mnemonic> : Train_ReductionOp<mnemonic> {
  let description = "The reduced axes are dropped. (C1) axes are distinct, sorted and exist. (C2) the result's shape is the rest's.";
  let arguments = (ins Train_Float:$x, DenseI64ArrayAttr:$axes);
  let results = (outs Train_Float:$y);
  let assemblyFormat = "$x `over` $axes attr-dict `:` type($x) `->` type($y)";
  let hasVerifier = 1;
}
def Train_SumOp : Train_AxesReductionOp<"sum"> { let summary = "y = Σ x over axes"; let hasFolder = 1; }
def Train_ReduceMaxOp : Train_AxesReductionOp<"reduce_max"> { let summary = "y = max x over axes; the gradient is shared equally between ties"; }
def Train_ArgmaxOp : Train_ReductionOp<"argmax", [StopsGradient]> {
  let summary = "the first index of the largest value along the last axis";
  let description = "(C1) x has a last axis. (C2) y's shape is x's without it.";
  let arguments = (ins Train_Float:$x);
  let results = (outs Train_Int:$y);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($y)";
  let hasVerifier = 1;
}
def Train_BatchMeanOp : Train_ReductionOp<"batch_mean", [MixesExamples]> {
  let summary = "the mean over the examples that are there, in their order";
  let description = "(C1) x has rows. (C2) y's shape is x's without them.";
  let arguments = (ins Train_Float:$x, Index:$count);
  let results = (outs Train_Float:$y);
  let assemblyFormat = "$x `of` $count attr-dict `:` type($x) `->` type($y)";
  let hasVerifier = 1;
}
def Train_BatchMeanGradOp : Train_PointwiseOp<"batch_mean_grad", [MixesExamples]> {
  let summary = "dx = dy / count in the rows that are there, 0 in the others";
  let description = "dy comes broadcast to the result's shape (or is of rank 0), so that the op is pointwise. (C1) dx has rows.";
  let arguments = (ins Train_Float:$dy, Index:$count);
  let results = (outs Train_Float:$dx);
  let assemblyFormat = "$dy `of` $count attr-dict `:` type($dy) `->` type($dx)";
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}
def Train_MomentsOp : Train_ReductionOp<"moments", [MixesExamples]> {
  let summary = "mean and biased variance of each channel over the examples that are there and all other axes";
  let description = "x [B, …, C]; the variance in two passes, about the mean. Batch norm's statistics. (C1) x has rows and channels. (C2) mean and variance have x's last axis.";
  let arguments = (ins Train_Float:$x, Index:$count);
  let results = (outs Train_Float:$mean, Train_Float:$variance);
  let assemblyFormat = "$x `of` $count attr-dict `:` type($x) `->` type($mean) `,` type($variance)";
  let hasVerifier = 1;
}

//===--- normalisation and losses over the last axis ---------------------------------------------===//

def Train_SoftmaxOp : Train_ReductionOp<"softmax", [SameOperandsAndResultType]> {
  let summary = "y = exp(x - max) / Σ exp(x - max) along the last axis";
  let description = "(C1) x has a last axis.";
  let arguments = (ins Train_Float:$x);
  let results = (outs Train_Float:$y);
  let assemblyFormat = "$x attr-dict `:` type($y)";
  let hasVerifier = 1;
}
def Train_LogSoftmaxOp : Train_ReductionOp<"log_softmax", [SameOperandsAndResultType]> {
  let summary = "y = x - max - ln Σ exp(x - max) along the last axis";
  let description = "(C1) x has a last axis.";
  let arguments = (ins Train_Float:$x);
  let results = (outs Train_Float:$y);
  let assemblyFormat = "$x attr-dict `:` type($y)";
  let hasVerifier = 1;
}
def Train_CrossEntropyOp : Train_ReductionOp<"cross_entropy"> {
  let summary = "e = -Σ t_c log_softmax(x)_c, t = (1 - smoothing) one_hot(label) + smoothing / C";
  let description = "logits [B, …, C], labels i32 [B, …], e [B, …]. (C1) shapes agree. (C2) 0 ≤ smoothing < 1.";
  let arguments = (ins Train_Float:$logits, Train_Int:$labels, DefaultValuedAttr<F64Attr, "0.0">:$smoothing);
  let results = (outs Train_Float:$e);
  let assemblyFormat = "$logits `,` $labels attr-dict `:` type($logits) `,` type($labels) `->` type($e)";
  let hasVerifier = 1;
}
def Train_CrossEntropyGradOp : Train_ReductionOp<"cross_entropy_grad"> {
  let summary = "dlogits = de (softmax(logits) - t)";
  let arguments = (ins Train_Float:$de, Train_Float:$logits, Train_Int:$labels, DefaultValuedAttr<F64Attr, "0.0">:$smoothing);
  let results = (outs Train_Float:$dlogits);
  let assemblyFormat = "$de `,` $logits `,` $labels attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

//===--- attention --------------------------------------------------------------------------------===//

class Train_AttentionLikeOp<string mnemonic, list<Trait> traits = []>
    : Train_Op<mnemonic, !listconcat([Pure, AttrSizedOperandSegments, DeclareOpInterfaceMethods<Train_Cost, ["getFlops"]>], traits)> {
  let hasVerifier = 1;
}
defvar AttentionAttributes = (ins Optional<Train_Int>:$ids, Optional<Index>:$draw, Optional<Index>:$seed, F64Attr:$scale, UnitAttr:$causal,
                              DefaultValuedAttr<F64Attr, "0.0">:$dropout, OptionalAttr<StrAttr>:$purpose);
def Train_AttentionOp : Train_AttentionLikeOp<"attention", [DeclareOpInterfaceMethods<Train_Differentiable>]> {
  let summary = "y = drop(softmax(scale · q kᵀ)) v, head by head, of scores that nobody else reads (Dao et al. 2022)";
  let description = [{
    q and y [B, T, H, D], k and v [B, S, H, D]: heads are a view of the last axis. `logsum` [B, H, T] is the logarithm of the sum of a row's exponentials, from
    which the derivative computes the probabilities again; no gradient goes back through it. `causal`: position t sees keys up to t. `dropout` p sets a
    probability to 0 where `train.random` by `purpose`, over [B, H, T, S], is below p, and divides the others by 1 - p; ids are [B].

    (C1) shapes fit. (C2) 0 ≤ dropout < 1; purpose, ids, draw and seed stand exactly where it is not 0. (C3) scale is finite.

    ```mlir
    %y, %logsum = train.attention %q, %k, %v causal scale 1.250000e-01
      : (tensor<8x128x4x64xf32>, tensor<8x128x4x64xf32>, tensor<8x128x4x64xf32>) -> (tensor<8x128x4x64xf32>, tensor<8x4x128xf32>)
    ```
  }];
  let arguments = !con((ins Train_Float:$q, Train_Float:$k, Train_Float:$v), AttentionAttributes);
  let results = (outs Train_Float:$y, Train_Float:$logsum);
  let assemblyFormat = [{
    $q `,` $k `,` $v (`causal` $causal^)? `scale` $scale (`dropout` $dropout^ `by` $purpose `of` $ids `draw` $draw `seed` $seed)?
    attr-dict `:` functional-type(operands, results)
  }];
}
def Train_AttentionGradOp : Train_AttentionLikeOp<"attention_grad"> {
  let summary = "dq, dk and dv of an attention, from dy, its operands and its results";
  let description = "Attributes and constraints as for `attention`.";
  let arguments = !con((ins Train_Float:$dy, Train_Float:$q, Train_Float:$k, Train_Float:$v, Train_Float:$y, Train_Float:$logsum), AttentionAttributes);
  let results = (outs Train_Float:$dq, Train_Float:$dk, Train_Float:$dv);
  let assemblyFormat = [{
    $dy `,` $q `,` $k `,` $v `,` $y `,` $logsum (`causal` $causal^)? `scale` $scale
    (`dropout` $dropout^ `by` $purpose `of` $ids `draw` $draw `seed` $seed)? attr-dict `:` functional-type(operands, results)
  }];
}

//===--- pooling ----------------------------------------------------------------------------------===//

defvar PoolAttributes = (ins DenseI64ArrayAttr:$size, DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$padding);
class Train_PoolOp<string mnemonic> : Train_ReductionOp<mnemonic> {
  let description = "x [B, H, W, C]; size [h, w], strides [sh, sw], padding [top, left, bottom, right]; sizes floor. Padding is never the maximum. (C1) shapes fit. (C2) padding is less than size. (C3) size and strides are two positive numbers, padding four that are not negative. (C4) max_pool2d: positions fit the index's type.";
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}
def Train_MaxPool2dOp : Train_PoolOp<"max_pool2d"> {
  let summary = "the largest value of each window, and which position of the window (row-major) held it first";
  let arguments = !con((ins Train_Float:$x), PoolAttributes);
  let results = (outs Train_Float:$y, Train_Small:$index);
}
def Train_MaxPool2dGradOp : Train_PoolOp<"max_pool2d_grad"> {
  let summary = "dx: each dy goes to the position that held its window's maximum";
  let arguments = !con((ins Train_Float:$dy, Train_Small:$index), PoolAttributes);
  let results = (outs Train_Float:$dx);
}
def Train_AvgPool2dOp : Train_PoolOp<"avg_pool2d"> {
  let summary = "the mean of each window; padding counts as zeros, as PyTorch's default";
  let arguments = !con((ins Train_Float:$x), PoolAttributes);
  let results = (outs Train_Float:$y);
}
def Train_AvgPool2dGradOp : Train_PoolOp<"avg_pool2d_grad"> {
  let summary = "dx: each dy spread evenly over its window";
  let arguments = !con((ins Train_Float:$dy), PoolAttributes);
  let results = (outs Train_Float:$dx);
}

//===--- views ------------------------------------------------------------------------------------===//

class Train_ViewOp<string mnemonic, list<Trait> traits = []>
    : Train_Op<mnemonic, !listconcat([Pure, DeclareOpInterfaceMethods<Train_View>, DeclareOpInterfaceMethods<Train_Differentiable>], traits)> {
  let hasVerifier = 1;
}
def Train_ReshapeOp : Train_ViewOp<"reshape"> {
  let summary = "the same elements in row-major order under another shape";
  let description = "(C1) as many elements. (V1) x and y have one element type, as for every view.";
  let arguments = (ins Train_Any:$x);
  let results = (outs Train_Any:$y);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($y)";
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}
def Train_TransposeOp : Train_ViewOp<"transpose"> {
  let summary = "y's axis i is x's axis perm[i]";
  let description = "(C1) perm is a permutation of x's axes. (C2) y's shape is x's, permuted.";
  let arguments = (ins Train_Any:$x, DenseI64ArrayAttr:$perm);
  let results = (outs Train_Any:$y);
  let assemblyFormat = "$x `by` $perm attr-dict `:` type($x) `->` type($y)";
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}
def Train_BroadcastOp : Train_ViewOp<"broadcast"> {
  let summary = "y repeats x along the axes that x lacks: x's axis i is y's axis dims[i]";
  let description = "(C1) dims are distinct, sorted, and exist; (C2) extents agree. A bias: `train.broadcast %b to [3] : tensor<32xf32> -> tensor<64x28x28x32xf32>`";
  let arguments = (ins Train_Any:$x, DenseI64ArrayAttr:$dims);
  let results = (outs Train_Any:$y);
  let assemblyFormat = "$x `to` $dims attr-dict `:` type($x) `->` type($y)";
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}
def Train_SliceOp : Train_ViewOp<"slice"> {
  let summary = "y[p] = x[offsets + p · strides]";
  let description = "(C1) one rank. (C2) offsets are not negative, strides are positive. (C3) no point of x outside is read.";
  let arguments = (ins Train_Any:$x, DenseI64ArrayAttr:$offsets, DenseI64ArrayAttr:$strides);
  let results = (outs Train_Any:$y);
  let assemblyFormat = "$x `at` $offsets `by` $strides attr-dict `:` type($x) `->` type($y)";
  let hasFolder = 1;
}
def Train_PadOp : Train_ViewOp<"pad"> {
  let summary = "y[low + p · strides] = x[p], value elsewhere";
  let description = "The transpose of `slice`: strides > 1 leave holes that hold the value too. (C1), (C2), (C3) as there.";
  let arguments = (ins Train_Float:$x, DenseI64ArrayAttr:$low, DenseI64ArrayAttr:$strides, F64Attr:$value);
  let results = (outs Train_Float:$y);
  let assemblyFormat = "$x `at` $low `by` $strides `with` $value attr-dict `:` type($x) `->` type($y)";
  let hasFolder = 1;
}
def Train_ConcatOp : Train_ViewOp<"concat"> {
  let summary = "the operands one behind the other along axis";
  let description = "(C1) axis exists. (C2) the operands agree in every other axis. (C3) y's extent is the sum of theirs.";
  let arguments = (ins Variadic<Train_Any>:$xs, I64Attr:$axis);
  let results = (outs Train_Any:$y);
  let assemblyFormat = "$xs `along` $axis attr-dict `:` type($xs) `->` type($y)";
  let hasFolder = 1;
}

//===--- recurrence -------------------------------------------------------------------------------===//

def Train_ScanOp : Train_Op<"scan", [Pure, AttrSizedOperandSegments, IsolatedFromAbove, SingleBlock,
                                     DeclareOpInterfaceMethods<Train_Differentiable>,
                                     DeclareOpInterfaceMethods<Train_Cost, ["getFlops"]>]> {
  let summary = "a body for each time step in turn, with values carried from one to the next";
  let description = [{
    The body stands for one time step. Its arguments: of each sequence [B, T, …] what it holds at this step, [B, …]; each carried value, which begins as
    `initial`; each constant, the same at every step. `train.next` says what the carried values become and what is kept of the step. Results: the
    carried values behind the last step, then of each value kept all steps, [B, T, …]. `backwards` walks from the last step to the first.

    Rows do not meet: each example is scanned by itself, so that threads take rows. The derivative is a scan in the other direction over what this one
    then keeps beside its results; a constant's gradient is one contraction over all rows and steps behind it.

    (C1) sequences have rows and `steps` steps. (C2) the body's arguments are as said. (C3) the body ends in `train.next` with a value for each carried one,
    of its type; results are as said. (C4) in the body, what depends on the step has the rows first, and no op mixes examples. (C5) a constant is
    read by contractions and views, whose gradients can be summed behind the scan. (C6) the body's ops are pure and no scans.

    ```mlir
    %last, %all = train.scan over 28 sequences(%x : tensor<64x28x128xf32>) carried(%h : tensor<64x128xf32>) constants(%w : tensor<128x128xf32>) {
    ^bb0(%xt: tensor<64x128xf32>, %ht: tensor<64x128xf32>, %wt: tensor<128x128xf32>):
      %0 = train.contract "bk,kn->bn" %ht, %wt : (tensor<64x128xf32>, tensor<128x128xf32>) -> tensor<64x128xf32>
      %1 = train.add %xt, %0 : tensor<64x128xf32>, tensor<64x128xf32> -> tensor<64x128xf32>
      %2 = train.tanh %1 : tensor<64x128xf32>
      train.next carried(%2 : tensor<64x128xf32>) kept(%2 : tensor<64x128xf32>)
    } -> tensor<64x128xf32>, tensor<64x28x128xf32>
    ```
  }];
  let arguments = (ins Variadic<Train_Float>:$sequences, Variadic<Train_Float>:$initial, Variadic<Train_Float>:$constants,
                       I64Attr:$steps, UnitAttr:$backwards);
  let results = (outs Variadic<Train_Float>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    `over` $steps (`backwards` $backwards^)? (`sequences` `(` $sequences^ `:` type($sequences) `)`)?
    (`carried` `(` $initial^ `:` type($initial) `)`)? (`constants` `(` $constants^ `:` type($constants) `)`)?
    attr-dict-with-keyword $body `->` type($results)
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    ::mlir::Block &getStep() { return getBody().front(); }
    NextOp getNext();
    int64_t getRows() { return ::llvm::cast<::mlir::RankedTensorType>(getOperand(0).getType()).getDimSize(0); }
    /// The type of all steps of a value of one step.
    static ::mlir::RankedTensorType overTime(::mlir::Type type, int64_t steps);
    /// The body's arguments and values that have one row an example.
    ::llvm::DenseSet<::mlir::Value> valuesWithRows();
  }];
}

def Train_NextOp : Train_Op<"next", [Pure, Terminator, AttrSizedOperandSegments, HasParent<"ScanOp">]> {
  let summary = "the end of a time step: what is carried on, and what is kept";
  let arguments = (ins Variadic<Train_Float>:$carried, Variadic<Train_Float>:$kept);
  let assemblyFormat = "(`carried` `(` $carried^ `:` type($carried) `)`)? (`kept` `(` $kept^ `:` type($kept) `)`)? attr-dict";
}

//===--- updates ----------------------------------------------------------------------------------===//

class Train_UpdateOp<string mnemonic> : Train_Op<mnemonic, [Pure, DeclareOpInterfaceMethods<Train_Pointwise>, Train_Cost]> {
  let hasVerifier = 1;
}
def Train_SgdOp : Train_UpdateOp<"sgd"> {
  let summary = "w' = w - rate · (momentum and weight decay as PyTorch's SGD)";
  let description = [{
    g ← gradient + weight_decay · w; m' = momentum · m + g (with m = 0 at first, as PyTorch without dampening);
    u = nesterov ? g + momentum · m' : m'; w' = w - rate · u. Without a momentum operand u = g.
    (C1) momentum's state and its result stand exactly where momentum > 0. (C2) nesterov needs a momentum. (U1) as for `adam`.
  }];
  let arguments = (ins Train_Float:$w, Train_Float:$g, Optional<Train_Float>:$m, Train_Scalar:$rate,
                       DefaultValuedAttr<F64Attr, "0.0">:$momentum, DefaultValuedAttr<F64Attr, "0.0">:$weight_decay,
                       UnitAttr:$nesterov);
  let results = (outs Train_Float:$w1, Optional<Train_Float>:$m1);
  let assemblyFormat = "$w `,` $g (`,` $m^)? `rate` $rate attr-dict `:` functional-type(operands, results)";
}
def Train_AdamOp : Train_UpdateOp<"adam"> {
  let summary = "Adam (Kingma and Ba 2015), or AdamW (Loshchilov and Hutter 2019) where `decoupled`, as PyTorch computes them";
  let description = [{
    decoupled: w ← w (1 - rate · weight_decay), else g ← g + weight_decay · w. m' = β1 m + (1 - β1) g; v' = β2 v + (1 - β2) g²;
    w' = w - (rate √c2 / c1) · m' / (√v' + eps √c2), with c1 = 1 - β1^t and c2 = 1 - β2^t from `bias_correction`: PyTorch's
    (rate / c1) · m' / (√v' / √c2 + eps) with one quotient less.

    (C1) 0 ≤ beta1, beta2 < 1. (C2) eps is not negative. (U1) w, its gradient, its states and all results have one type.
  }];
  let arguments = (ins Train_Float:$w, Train_Float:$g, Train_Float:$m, Train_Float:$v, Train_Scalar:$rate, Train_Scalar:$c1,
                       Train_Scalar:$c2, F64Attr:$beta1, F64Attr:$beta2, F64Attr:$eps,
                       DefaultValuedAttr<F64Attr, "0.0">:$weight_decay, UnitAttr:$decoupled);
  let results = (outs Train_Float:$w1, Train_Float:$m1, Train_Float:$v1);
  let assemblyFormat = "$w `,` $g `,` $m `,` $v `rate` $rate `corrections` $c1 `,` $c2 attr-dict `:` functional-type(operands, results)";
}

def Train_RmspropOp : Train_UpdateOp<"rmsprop"> {
  let summary = "RMSprop (Tieleman and Hinton 2012), as PyTorch computes it";
  let description = [{
    g ← gradient + weight_decay · w; v' = α v + (1 - α) g²; where `centered`, a' = α a + (1 - α) g and d = √(v' - a'²) + eps, else d = √v' + eps;
    with a momentum b' = momentum · b + g / d and w' = w - rate · b', else w' = w - rate · g / d. States are v, then b, then a.

    (C1) 0 ≤ alpha < 1. (C2) b stands exactly where momentum > 0, a exactly where `centered`. (U1) as for `adam`.
  }];
  let arguments = (ins Train_Float:$w, Train_Float:$g, Variadic<Train_Float>:$states, Train_Scalar:$rate, F64Attr:$alpha, F64Attr:$eps,
                       DefaultValuedAttr<F64Attr, "0.0">:$momentum, DefaultValuedAttr<F64Attr, "0.0">:$weight_decay, UnitAttr:$centered);
  let results = (outs Train_Float:$w1, Variadic<Train_Float>:$states1);
  let assemblyFormat = "$w `,` $g `states` $states `rate` $rate attr-dict `:` functional-type(operands, results)";
}
def Train_AdagradOp : Train_UpdateOp<"adagrad"> {
  let summary = "Adagrad (Duchi, Hazan and Singer 2011), as PyTorch computes it";
  let description = [{
    g ← gradient + weight_decay · w; s' = s + g²; w' = w - rate · g / (√s' + eps). `lr_decay` has gone into the rate.

    (U1) as for `adam`.
  }];
  let arguments = (ins Train_Float:$w, Train_Float:$g, Train_Float:$s, Train_Scalar:$rate, F64Attr:$eps,
                       DefaultValuedAttr<F64Attr, "0.0">:$weight_decay);
  let results = (outs Train_Float:$w1, Train_Float:$s1);
  let assemblyFormat = "$w `,` $g `,` $s `rate` $rate attr-dict `:` functional-type(operands, results)";
}
def Train_LionOp : Train_UpdateOp<"lion"> {
  let summary = "Lion (Chen et al. 2023)";
  let description = [{
    u = sign(β1 m + (1 - β1) g); w' = w - rate · (u + weight_decay · w); m' = β2 m + (1 - β2) g.

    (C1) 0 ≤ beta1, beta2 < 1. (U1) as for `adam`.
  }];
  let arguments = (ins Train_Float:$w, Train_Float:$g, Train_Float:$m, Train_Scalar:$rate, F64Attr:$beta1, F64Attr:$beta2,
                       DefaultValuedAttr<F64Attr, "0.0">:$weight_decay);
  let results = (outs Train_Float:$w1, Train_Float:$m1);
  let assemblyFormat = "$w `,` $g `,` $m `rate` $rate attr-dict `:` functional-type(operands, results)";
}

//===--- differentiation --------------------------------------------------------------------------===//

def Train_GradientOp : Train_Op<"gradient", [Pure]> {
  let summary = "the gradients of a scalar; gone after `differentiate`";
  let arguments = (ins Train_Scalar:$y, Variadic<Train_Float>:$of);
  let results = (outs Variadic<Train_Float>:$gradients);
  let assemblyFormat = "$y `of` $of attr-dict `:` custom<SameTypes>(type($of), type($gradients))";
  let hasVerifier = 1;
}

#endif // SINTER_TRAIN_OPS_TD
