//===- ModelOps.td - the ops of the model floor -----------------------------------------------------===//
// What stands around a graph comes first (data, parameters, nets, stages), then the ops within one, by kind. Names and attributes of
// the latter are those of the checked program's operations, so that the way here needs no table.
#ifndef SINTER_MODEL_OPS_TD
#define SINTER_MODEL_OPS_TD

include "dialects/model/ModelDialect.td"
include "dialects/train/TrainDialect.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Model_Float : RankedTensorOf<[F32]>;
def Model_Scalar : 0DTensorOf<[F32]>;
def Model_Int : RankedTensorOf<[I32]>;
def Model_Bool : RankedTensorOf<[I1]>;
def Model_Any : RankedTensorOf<[F32, I32, I1]>;

//===--- the program ------------------------------------------------------------------------------===//

def Model_DataOp : Model_Op<"data", [Symbol]> {
  let summary = "where examples come from, and their types";
  let description = [{
    The one op of this dialect that stays on every floor: the runtime's readers are told by it what to open.

    `fields`: `{name, type, place}`, type a tensor of one example, with `classes` for labels. `parts` (of train, test, valid): a list of fills
    `{fields, kind, file, ops, place, …}`, the rest being the source's attributes; each of `ops` is `{kind, …}` with kind add, multiply, divide,
    subtract_from, divide_into, power (`value`), normalize (`mean`, `std`) or standardize.
    `split`: `{train, valid, test, seed, stratify}`. `take`: how many of the train part are used. `keep`: which examples stay, `{op, …}` with
    op number (`value`), field (`field`), neg, + - * / **, == != < <= > >=, and, or, not (`args`). `augment`: a list of `{fields, steps}`, each
    step `{kind, value}`. A field of i1 lies in memory as f32, 0 or 1.

    (C1) fields have distinct names and types. (C2) a fill's fields are declared. (C3) a part is train, test or valid, and train is there.
    (C4) a loading op is known and has its numbers. (C5) `keep` is built of these and names fields of one number. (C6) `augment` names fields
    and known steps.

    ```mlir
    model.data @digits seed 0
      fields [ {name = "image", type = tensor<1x28x28xf32>}, {classes = 10 : i64, name = "label", type = tensor<i32>} ]
      parts {train = [ {fields = ["image"], file = "images.gz", kind = "idx", ops = [ {kind = "divide", value = 255.0 : f64} ], place = ""},
                       {fields = ["label"], file = "labels.gz", kind = "idx", ops = [], place = ""} ] }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$seed, ArrayAttr:$fields, DictionaryAttr:$parts,
                       OptionalAttr<DictionaryAttr>:$split, OptionalAttr<DictionaryAttr>:$keep,
                       OptionalAttr<I64Attr>:$take, OptionalAttr<ArrayAttr>:$augment);
  let assemblyFormat = [{
    $sym_name `seed` $seed `fields` $fields `parts` $parts (`split` $split^)? (`keep` $keep^)? (`take` $take^)? (`augment` $augment^)? attr-dict
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The type of one example of a field, or null where there is no such field.
    ::mlir::RankedTensorType getFieldType(::llvm::StringRef name);
    /// N of class[N], or 0.
    int64_t getFieldClasses(::llvm::StringRef name);
  }];
}

def Model_TrainOp : Model_Op<"train", [Symbol, SymbolTable, NoTerminator, SingleBlock, NoRegionArguments, IsolatedFromAbove]> {
  let summary = "a `train` block: parameters, nets and stages";
  let description = [{
    Its body holds `model.param`, `model.buffer`, `model.load`, `model.net` and at least one `model.stage`, in order. Names of parameters begin beneath `model`,
    the net that `--predict` runs.

    (C1) `data` names a `model.data`. (C2) `model` names a net of the body.

    ```mlir
    model.train @LeNet of @LeNet on @digits seed 7 { ... }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, FlatSymbolRefAttr:$model, FlatSymbolRefAttr:$data, I64Attr:$seed);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name `of` $model `on` $data `seed` $seed attr-dict-with-keyword $body";
  let hasRegionVerifier = 1;
}

def Model_LoadOp : Model_Op<"load"> {
  let summary = "parameters and buffers from a file or from the end of an earlier block";
  let description = [{
    Stands in a `model.train`, to act before its first stage, or in a `model.stage`, to act at its start; and below in the `train.run`, where `stage`
    names the stage. As `model.data` it stays on every floor: the runtime is told by it what to open.

    `rules` is what `runtime/LoadRules.h` says, and speaks of names without `prefix`: `parameters`, `left`, `except`, `transposed` (lists of strings), `whole`,
    `beneath`, `strip`, `rename` (pairs of strings), `file_names` (of `{name, parts}`). What is empty or false may be left out.

    (C1) it names a file or a train, one of the two. (C2) `rules` has the list `parameters`.

    ```mlir
    model.load file "resnet18.safetensors" rules {beneath = "backbone", parameters = ["backbone.conv1.weight"]}
    model.load train @pretrain rules {parameters = ["conv1.weight"], whole = true}
    ```
  }];
  let arguments = (ins OptionalAttr<StrAttr>:$file, OptionalAttr<FlatSymbolRefAttr>:$train, OptionalAttr<StrAttr>:$prefix,
                       OptionalAttr<StrAttr>:$stage, DictionaryAttr:$rules);
  let assemblyFormat = [{
    (`file` $file^)? (`train` $train^)? (`prefix` $prefix^)? (`stage` $stage^)? `rules` $rules attr-dict
  }];
  let hasVerifier = 1;
}

class Model_StateOp<string mnemonic> : Model_Op<mnemonic, [Symbol, HasParent<"TrainOp">]> {
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<Model_Float>:$type, Train_InitAttr:$init, StrAttr:$role,
                       OptionalAttr<StrArrayAttr>:$also, OptionalAttr<StrAttr>:$chosen, OptionalAttr<StrAttr>:$teacher,
                       OptionalAttr<FlatSymbolRefAttr>:$of);
  let assemblyFormat = "$sym_name `:` $type `init` $init `role` $role (`also` $also^)? (`chosen` $chosen^)? attr-dict";
}

def Model_ParamOp : Model_StateOp<"param"> {
  let summary = "a parameter: trained unless frozen";
  let description = [{
    `also`: the further names of a tied parameter. `role`: weight, bias, norm_scale, norm_shift, embedding, recurrent or other. `chosen`: the
    initializer's name in the language. `teacher`: the teacher whose it is, and then never trained. `of`: the parameter that a teacher's averages.

    ```mlir
    model.param @enc.weight : tensor<64x784xf32> init #train.init<normal, 0.0, 0.05> role "weight" also ["dec.weight"] chosen "he_normal"
    ```
  }];
}
def Model_BufferOp : Model_StateOp<"buffer"> {
  let summary = "state that is saved and not trained";
  let description = [{
    ```mlir
    model.buffer @batch_norm1.running_mean : tensor<64xf32> init #train.init<constant, 0.0, 0.0> role "buffer"
    ```
  }];
}

def Model_NetOp : Model_Op<"net", [IsolatedFromAbove, FunctionOpInterface, HasParent<"TrainOp">, SingleBlock]> {
  let summary = "one instance of a model, all models within it inlined";
  let description = [{
    A function of one example. Arguments have `model.name`, and `model.classes` where they are labels; results have `model.name`, empty unless
    the result is a record.

    ```mlir
    model.net @Net(%image: tensor<1x28x28xf32> {model.name = "image"}) -> (tensor<784xf32> {model.name = ""}) {
      %flat = model.flatten %image : (tensor<1x28x28xf32>) -> tensor<784xf32>
      model.return %flat : tensor<784xf32>
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type,
                       OptionalAttr<DictArrayAttr>:$arg_attrs, OptionalAttr<DictArrayAttr>:$res_attrs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    ::llvm::ArrayRef<::mlir::Type> getArgumentTypes() { return getFunctionType().getInputs(); }
    ::llvm::ArrayRef<::mlir::Type> getResultTypes() { return getFunctionType().getResults(); }
    ::mlir::Region *getCallableRegion() { return &getBody(); }
  }];
}

def Model_ReturnOp : Model_Op<"return", [Terminator, Pure, HasParent<"NetOp">]> {
  let summary = "a net's results";
  let description = "(C1) as many values as the net has results, of their types. `model.return %y : tensor<10xf32>`";
  let arguments = (ins Variadic<Model_Any>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
  let hasVerifier = 1;
}

//===--- stages -----------------------------------------------------------------------------------===//

def Model_StageOp : Model_Op<"stage", [Symbol, NoTerminator, SingleBlock, NoRegionArguments, HasParent<"TrainOp">]> {
  let summary = "an objective over the data's fields, and how it is trained";
  let description = [{
    The body is a graph over `model.field`s with one `model.objective`, and any number of `model.load`, `model.report`, `model.regularize`, `model.optimize`,
    `model.clip`, which say where values and parameters go. `frozen` lists parameters and buffers that do not change, `frozen_layers` paths of
    layers in inference mode. A measure (`stop`, `keep_best`) is "valid.loss", with `upwards` beside it where more is better.

    (C1) the length is epochs or steps, exactly one. (C2) there is one objective. (C3) batch and accumulate are positive. (C4) frozen names are
    parameters or buffers.

    ```mlir
    model.stage @main batch 64 epochs 5.0 {
      %image = model.field "image" : tensor<1x28x28xf32>
      ...
      model.objective %loss : tensor<f32>
      model.optimize "sgd" rate 0.1 {momentum = 0.9 : f64, ...} over [@dense1.weight]
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$batch, OptionalAttr<F64Attr>:$epochs, OptionalAttr<I64Attr>:$steps,
                       UnitAttr:$drop_last, UnitAttr:$sequential, DefaultValuedAttr<I64Attr, "1">:$accumulate,
                       OptionalAttr<StrArrayAttr>:$frozen, OptionalAttr<StrArrayAttr>:$frozen_layers,
                       OptionalAttr<StrAttr>:$stop, UnitAttr:$stop_upwards, OptionalAttr<I64Attr>:$patience,
                       OptionalAttr<StrAttr>:$keep_best, UnitAttr:$keep_best_upwards,
                       OptionalAttr<StrArrayAttr>:$recompute, UnitAttr:$bf16);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $sym_name `batch` $batch (`epochs` $epochs^)? (`steps` $steps^)? (`drop_last` $drop_last^)? (`sequential` $sequential^)?
    (`frozen` $frozen^)? (`frozen_layers` $frozen_layers^)? attr-dict-with-keyword $body
  }];
  let hasRegionVerifier = 1;
}

def Model_FieldOp : Model_Op<"field", [Pure, HasParent<"StageOp">]> {
  let summary = "a field of the data";
  let description = "(C1) the data has such a field of this type. `%label = model.field \"label\" : tensor<i32>`";
  let arguments = (ins StrAttr:$name);
  let results = (outs Model_Any:$value);
  let assemblyFormat = "$name attr-dict `:` type($value)";
  let hasVerifier = 1;
}

def Model_ObjectiveOp : Model_Op<"objective", [HasParent<"StageOp">]> {
  let summary = "what is minimised: a value per example, averaged over the batch last";
  let description = "`model.objective %e : tensor<f32>`";
  let arguments = (ins Model_Scalar:$value);
  let assemblyFormat = "$value attr-dict `:` type($value)";
}

def Model_ReportOp : Model_Op<"report", [HasParent<"StageOp">]> {
  let summary = "a measure: the mean over a set of a value per example, then `finish`";
  let description = [{
    `finish` is "" or "exp"; `upwards`: more is better; `every`: in steps, 0 for after each epoch.

    ```mlir
    model.report "accuracy" %share upwards : tensor<f32>
    ```
  }];
  let arguments = (ins StrAttr:$name, Model_Scalar:$value, UnitAttr:$upwards, DefaultValuedAttr<StrAttr, "\"\"">:$finish,
                       DefaultValuedAttr<I64Attr, "0">:$every);
  let assemblyFormat = "$name $value (`upwards` $upwards^)? attr-dict `:` type($value)";
}

def Model_RegularizeOp : Model_Op<"regularize", [HasParent<"StageOp">]> {
  let summary = "adds l1 Σ|w| + l2 Σw² over parameters, once a step, after the batch mean";
  let description = [{
    `proximal`: l1 by soft thresholding after each sgd step and not in the gradient. (C1) it names parameters of the block.

    ```mlir
    model.regularize l1 0.0 l2 1.0e-4 over [@dense1.weight]
    ```
  }];
  let arguments = (ins F64Attr:$l1, F64Attr:$l2, UnitAttr:$proximal, FlatSymbolRefArrayAttr:$parameters);
  let assemblyFormat = "`l1` $l1 `l2` $l2 (`proximal` $proximal^)? `over` $parameters attr-dict";
  let hasVerifier = 1;
}

def Model_PenaltyOp : Model_Op<"penalty", [HasParent<"StageOp">]> {
  let summary = "adds a value per example to what training minimises, averaged over the batch as the objective is; evaluation leaves it out";
  let description = "`model.penalty %e : tensor<f32>`";
  let arguments = (ins Model_Scalar:$value);
  let assemblyFormat = "$value attr-dict `:` type($value)";
}

def Model_ConstrainOp : Model_Op<"constrain", [HasParent<"StageOp">]> {
  let summary = "projects parameters after each step: `max_norm` (each unit's incoming weights to a 2-norm of at most limit) or `nonnegative`";
  let description = [{
    A unit is an index of the saved weight's first axis: a dense unit, a convolution's filter, a row of an embedding. max_norm leaves what has
    fewer than two axes alone.

    (C1) kind is one of these; max_norm has a limit above 0. (C2) it names parameters of the block.

    ```mlir
    model.constrain "max_norm" 3.0 over [@dense1.weight]
    ```
  }];
  let arguments = (ins StrAttr:$kind, F64Attr:$limit, FlatSymbolRefArrayAttr:$parameters);
  let assemblyFormat = "$kind $limit `over` $parameters attr-dict";
  let hasVerifier = 1;
}

def Model_OptimizeOp : Model_Op<"optimize", [HasParent<"StageOp">]> {
  let summary = "an optimizer, its schedule and its parameters";
  let description = [{
    kind sgd: momentum, nesterov, weight_decay. adam and adamw: beta1, beta2, eps, weight_decay. rmsprop: alpha, eps, momentum, centered,
    weight_decay. adagrad: lr_decay, eps, weight_decay, initial (what its sums begin with). lion: beta1, beta2, weight_decay.
    schedule: constant; step (`by`, `every`); exponential (`by`); cosine (`floor`); linear (`to`); each with `warmup`. `every` and `warmup` count
    steps, or epochs where `every_epochs`, `warmup_epochs` stand. `factor` multiplies the rate.

    (C1) kind and schedule are known, and the kind's numbers are there. (C2) it names parameters of the block. (C3) none of them is frozen or stands
    in two.

    ```mlir
    model.optimize "adam" rate 1.0e-3 over [@dense1.weight] {beta1 = 0.9 : f64, beta2 = 0.999 : f64, eps = 1.0e-8 : f64}
    ```
  }];
  let arguments = (ins StrAttr:$kind, F64Attr:$rate, DefaultValuedAttr<StrAttr, "\"constant\"">:$schedule,
                       DefaultValuedAttr<F64Attr, "1.0">:$by, DefaultValuedAttr<F64Attr, "0.0">:$floor,
                       DefaultValuedAttr<F64Attr, "0.0">:$to, DefaultValuedAttr<F64Attr, "1.0">:$every, UnitAttr:$every_epochs,
                       DefaultValuedAttr<F64Attr, "0.0">:$warmup, UnitAttr:$warmup_epochs, DefaultValuedAttr<F64Attr, "1.0">:$factor,
                       DefaultValuedAttr<F64Attr, "0.0">:$momentum, UnitAttr:$nesterov, DefaultValuedAttr<F64Attr, "0.0">:$weight_decay,
                       OptionalAttr<F64Attr>:$beta1, OptionalAttr<F64Attr>:$beta2, OptionalAttr<F64Attr>:$eps,
                       OptionalAttr<F64Attr>:$alpha, UnitAttr:$centered, DefaultValuedAttr<F64Attr, "0.0">:$lr_decay,
                       DefaultValuedAttr<F64Attr, "0.0">:$initial, FlatSymbolRefArrayAttr:$parameters);
  let assemblyFormat = "$kind `rate` $rate (`schedule` $schedule^)? `over` $parameters attr-dict";
  let hasVerifier = 1;
}

def Model_ClipOp : Model_Op<"clip", [HasParent<"StageOp">]> {
  let summary = "bounds the gradients: their 2-norm all together (`norm`), or each element's size (`value`)";
  let description = "(C1) kind is norm or value. (C2) limit is positive. `model.clip \"norm\" 1.0`";
  let arguments = (ins StrAttr:$kind, F64Attr:$limit);
  let assemblyFormat = "$kind $limit attr-dict";
  let hasVerifier = 1;
}

def Model_CopyOp : Model_Op<"copy", [HasParent<"StageOp">]> {
  let summary = "where the stage begins, states take the values of others";
  let description = "(C1) as many of both, parameters or buffers of the block, pairwise of one type. `model.copy [@\"Big:dense1.weight\"] to [@dense1.weight]`";
  let arguments = (ins FlatSymbolRefArrayAttr:$from, FlatSymbolRefArrayAttr:$to);
  let assemblyFormat = "$from `to` $to attr-dict";
  let hasVerifier = 1;
}

def Model_AverageOp : Model_Op<"average", [HasParent<"StageOp">]> {
  let summary = "after every `every`-th step, t = decay · t + (1 - decay) · w for a teacher's parameters; its buffers become what they are of";
  let description = [{
    Each of `states` says what it is `of`, and begins as a copy of it. (C1) states have an `of`. (C2) 0 ≤ decay < 1, and every is positive.

    ```mlir
    model.average [@"Mean:dense1.weight"] decay 0.99 every 1
    ```
  }];
  let arguments = (ins FlatSymbolRefArrayAttr:$states, F64Attr:$decay, I64Attr:$every);
  let assemblyFormat = "$states `decay` $decay `every` $every attr-dict";
  let hasVerifier = 1;
}

//===--- sources ----------------------------------------------------------------------------------===//

def Model_ReadOp : Model_Op<"read", [Pure]> {
  let summary = "a parameter or buffer as a value";
  let description = "(C1) the block has a parameter or buffer of this name and type. `%w = model.read @dense1.weight : tensor<10x784xf32>`";
  let arguments = (ins FlatSymbolRefAttr:$parameter);
  let results = (outs Model_Float:$value);
  let assemblyFormat = "$parameter attr-dict `:` type($value)";
  let hasVerifier = 1;
}

def Model_ConstantOp : Model_Op<"constant", [Pure]> {
  let summary = "a number";
  let description = "`%c = model.constant 0.5 : tensor<f32>`";
  let arguments = (ins F64Attr:$value);
  let results = (outs Model_Scalar:$y);
  let assemblyFormat = "$value attr-dict `:` type($y)";
}

def Model_ScheduleOp : Model_Op<"schedule", [Pure, HasParent<"StageOp">]> {
  let summary = "a number that follows the steps of the stage";
  let description = [{
    Formulas, `every` and `warmup` as of `model.optimize`; `to` is the floor of a cosine.

    ```mlir
    %alpha = model.schedule "linear" 0.9 {to = 0.1 : f64} : tensor<f32>
    ```
  }];
  let arguments = (ins StrAttr:$schedule, F64Attr:$value, DefaultValuedAttr<F64Attr, "0.0">:$to,
                       DefaultValuedAttr<F64Attr, "1.0">:$by, DefaultValuedAttr<I64Attr, "1">:$every,
                       DefaultValuedAttr<BoolAttr, "false">:$every_epochs, DefaultValuedAttr<I64Attr, "0">:$warmup,
                       DefaultValuedAttr<BoolAttr, "false">:$warmup_epochs);
  let results = (outs Model_Scalar:$y);
  let assemblyFormat = "$schedule $value attr-dict `:` type($y)";
  let hasVerifier = 1;
}

def Model_IntegerOp : Model_Op<"integer", [Pure]> {
  let summary = "a whole number, to compare labels with";
  let description = "`%c = model.integer 3 : tensor<i32>`";
  let arguments = (ins I64Attr:$value);
  let results = (outs Model_Int:$y);
  let assemblyFormat = "$value attr-dict `:` type($y)";
}

class Model_DrawOp<string mnemonic, string distribution> : Model_Op<mnemonic, [SameOperandsAndResultType]> {
  let summary = "numbers of x's shape, " # distribution # ", drawn anew for each example at each step";
  let description = "In every mode. Only x's shape counts. `layer`: the path of the model that it stands in, by which it is keyed. `%y = model." # mnemonic # " %x {layer = \"\"} : tensor<10xf32>`";
  let arguments = (ins Model_Float:$x, StrAttr:$layer);
  let results = (outs Model_Float:$y);
  let assemblyFormat = "$x attr-dict `:` type($y)";
}
def Model_RandomNormalOp : Model_DrawOp<"random_normal", "normal with mean 0 and deviation 1">;
def Model_RandomUniformOp : Model_DrawOp<"random_uniform", "uniform in [0, 1)">;

def Model_UpdateOp : Model_Op<"update"> {
  let summary = "what a buffer becomes at the end of a training step";
  let description = [{
    The last one that a step runs counts; none counts where the stage freezes the buffer. The value is the same for every example.
    (C1) the block has such a buffer of this type. `model.update @steps = %y : tensor<f32>`
  }];
  let arguments = (ins FlatSymbolRefAttr:$parameter, Model_Float:$value);
  let assemblyFormat = "$parameter `=` $value attr-dict `:` type($value)";
  let hasVerifier = 1;
}

def Model_CallOp : Model_Op<"call", [Pure]> {
  let summary = "a net on values of one example";
  let description = [{
    Its value on one batch is computed once, however often the program names it. (C1) the block has such a net, with these types.

    ```mlir
    %y = model.call @Net(%image) : (tensor<1x28x28xf32>) -> tensor<10xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$net, Variadic<Model_Any>:$inputs);
  let results = (outs Variadic<Model_Any>:$outputs);
  let assemblyFormat = "$net `(` $inputs `)` attr-dict `:` functional-type($inputs, $outputs)";
  let hasVerifier = 1;
}

//===--- layers -----------------------------------------------------------------------------------===//

class Model_ShapedOp<string mnemonic, list<Trait> traits = []> : Model_Op<mnemonic, !listconcat([Pure], traits)> {
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Model_DenseOp : Model_ShapedOp<"dense"> {
  let summary = "y = x Wᵀ + b over the last axis";
  let description = [{
    x [..., in], weight [units, in], bias [units], y [..., units]. (C1) these shapes.

    ```mlir
    %y = model.dense %x, %w, %b : (tensor<784xf32>, tensor<10x784xf32>, tensor<10xf32>) -> tensor<10xf32>
    ```
  }];
  let arguments = (ins Model_Float:$x, Model_Float:$weight, Optional<Model_Float>:$bias);
  let results = (outs Model_Float:$y);
}

class Model_RecurrentOp<string mnemonic> : Model_ShapedOp<mnemonic> {
  let description = [{
    x [T, D], weight_ih [G size, D], weight_hh [G size, size], bias_ih and bias_hh [G size]; y [T, size], or [size] where `last`. G gates, in PyTorch's
    order; the state begins with zeros. (C1) these shapes. (C2) both biases, or none.

    ```mlir
    %y = model.lstm %x, %wi, %wh {last = false} : (tensor<28x28xf32>, tensor<512x28xf32>, tensor<512x128xf32>) -> tensor<28x128xf32>
    ```
  }];
  let arguments = (ins Model_Float:$x, Model_Float:$weight_ih, Model_Float:$weight_hh, Variadic<Model_Float>:$biases,
                       BoolAttr:$last);
  let results = (outs Model_Float:$y);
}
def Model_RnnOp : Model_RecurrentOp<"rnn"> { let summary = "h' = tanh(W_ih x + b_ih + W_hh h + b_hh)"; }
def Model_LstmOp : Model_RecurrentOp<"lstm"> {
  let summary = "c' = f c + i g, h' = o tanh(c'); gates i, f, g, o (Hochreiter and Schmidhuber 1997; Gers 2000)";
}
def Model_GruOp : Model_RecurrentOp<"gru"> {
  let summary = "n = tanh(W_in x + b_in + r (W_hn h + b_hn)), h' = (1 - z) n + z h; gates r, z, n (Cho 2014, as cuDNN)";
}

def Model_Conv2dOp : Model_ShapedOp<"conv2d"> {
  let summary = "cross-correlation over an image";
  let description = [{
    x [C, H, W], weight [O, C / groups, kh, kw], bias [O], y [O, H', W']; padding [top, bottom, left, right] with zeros;
    H' = ⌊(H + top + bottom - dilation (kh - 1) - 1) / stride⌋ + 1. (C1) these shapes. (C2) strides and dilations are positive, padding is not
    negative. (C3) groups divide C and O.

    ```mlir
    %y = model.conv2d %x, %w, %b {stride = array<i64: 1, 1>, padding = array<i64: 2, 2, 2, 2>, dilation = array<i64: 1, 1>, groups = 1 : i64}
       : (tensor<1x28x28xf32>, tensor<32x1x5x5xf32>, tensor<32xf32>) -> tensor<32x28x28xf32>
    ```
  }];
  let arguments = (ins Model_Float:$x, Model_Float:$weight, Optional<Model_Float>:$bias, DenseI64ArrayAttr:$stride,
                       DenseI64ArrayAttr:$padding, DenseI64ArrayAttr:$dilation, I64Attr:$groups);
  let results = (outs Model_Float:$y);
}

def Model_Conv1dOp : Model_ShapedOp<"conv1d"> {
  let summary = "cross-correlation over a sequence of channels";
  let description = [{
    x [C, T], weight [O, C / groups, k], bias [O], y [O, T']; padding [before, after], and all else as `conv2d` along one axis. (C1), (C2), (C3) as
    there.

    ```mlir
    %y = model.conv1d %x, %w {stride = array<i64: 1>, padding = array<i64: 1, 1>, dilation = array<i64: 1>, groups = 1 : i64}
       : (tensor<4x32xf32>, tensor<8x4x3xf32>) -> tensor<8x32xf32>
    ```
  }];
  let arguments = (ins Model_Float:$x, Model_Float:$weight, Optional<Model_Float>:$bias, DenseI64ArrayAttr:$stride,
                       DenseI64ArrayAttr:$padding, DenseI64ArrayAttr:$dilation, I64Attr:$groups);
  let results = (outs Model_Float:$y);
}

def Model_ConvTranspose2dOp : Model_ShapedOp<"conv_transpose2d"> {
  let summary = "the transpose of a `conv2d` from y's shape to x's: each pixel of x adds its multiple of the kernel to y";
  let description = [{
    x [C, H, W], weight [C, O / groups, kh, kw], bias [O], y [O, H', W']; padding [top, bottom, left, right] is cut off y. (C1) these shapes, and a
    conv2d with these attributes takes H' x W' to H x W. (C2) strides and dilations are positive, padding is not negative. (C3) groups divide C
    and O.

    ```mlir
    %y = model.conv_transpose2d %x, %w {stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>, dilation = array<i64: 1, 1>, groups = 1 : i64}
       : (tensor<8x7x7xf32>, tensor<8x4x2x2xf32>) -> tensor<4x14x14xf32>
    ```
  }];
  let arguments = (ins Model_Float:$x, Model_Float:$weight, Optional<Model_Float>:$bias, DenseI64ArrayAttr:$stride,
                       DenseI64ArrayAttr:$padding, DenseI64ArrayAttr:$dilation, I64Attr:$groups);
  let results = (outs Model_Float:$y);
}

class Model_PoolOp<string mnemonic> : Model_ShapedOp<mnemonic> {
  let description = [{
    x [C, H, W]; size and stride [h, w]; padding [top, bottom, left, right]; sizes floor. (C1) the result's shape. (C2) sizes and strides are
    positive, padding is less than size.

    ```mlir
    %y = model.max_pool2d %x {size = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>}
       : (tensor<32x28x28xf32>) -> tensor<32x14x14xf32>
    ```
  }];
  let arguments = (ins Model_Float:$x, DenseI64ArrayAttr:$size, DenseI64ArrayAttr:$stride, DenseI64ArrayAttr:$padding);
  let results = (outs Model_Float:$y);
}
def Model_MaxPool2dOp : Model_PoolOp<"max_pool2d"> { let summary = "the largest value of each window; padding never wins"; }
def Model_AvgPool2dOp : Model_PoolOp<"avg_pool2d"> { let summary = "the mean of each window; padding counts as zeros"; }

def Model_GlobalAvgPoolOp : Model_ShapedOp<"global_avg_pool"> {
  let summary = "the mean of each channel of an image";
  let description = "(C1) x [C, H, W], y [C]. `%y = model.global_avg_pool %x : (tensor<64x7x7xf32>) -> tensor<64xf32>`";
  let arguments = (ins Model_Float:$x);
  let results = (outs Model_Float:$y);
}

def Model_BatchNormOp : Model_ShapedOp<"batch_norm"> {
  let summary = "y = (x - mean) / √(variance + eps) · weight + bias, statistics a channel, over the batch and all other axes";
  let description = [{
    While training, the batch's mean and biased variance, and running = (1 - momentum) running + momentum batch, with the unbiased variance; else
    the running ones. `layer` is the instance's path: where a stage's `frozen_layers` holds it, the layer is in inference mode.

    The bias may be absent. (C1) x's extent along `axis` is that of weight, bias and both statistics, which have one axis. (C2) the statistics are
    buffers, read as they are. (C3) eps ≥ 0.

    ```mlir
    %y = model.batch_norm %x, %w, %b, %mean, %variance {momentum = 0.1 : f64, eps = 1.0e-5 : f64, axis = 0 : i64, layer = "batch_norm1"}
       : (tensor<64x7x7xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>) -> tensor<64x7x7xf32>
    ```
  }];
  let arguments = (ins Model_Float:$x, Model_Float:$weight, Optional<Model_Float>:$bias, Model_Float:$running_mean, Model_Float:$running_var,
                       F64Attr:$momentum, F64Attr:$eps, I64Attr:$axis, StrAttr:$layer);
  let results = (outs Model_Float:$y);
}

def Model_DropoutOp : Model_Op<"dropout", [Pure, SameOperandsAndResultType]> {
  let summary = "while training, zero with probability p";
  let description = [{
    `scale` "training": the others times 1 / (1 - p) while training. "inference": none then, and times (1 - p) at inference. `layer` is the
    instance's path: it names the random numbers, and where a stage's `frozen_layers` holds it, the layer is in inference mode.

    (C1) 0 ≤ p ≤ 1. (C2) scale is training or inference.

    ```mlir
    %y = model.dropout %x {p = 0.5 : f64, scale = "training", layer = "dropout1"} : tensor<512xf32>
    ```
  }];
  let arguments = (ins Model_Float:$x, F64Attr:$p, StrAttr:$scale, StrAttr:$layer);
  let results = (outs Model_Float:$y);
  let assemblyFormat = "$x attr-dict `:` type($y)";
  let hasVerifier = 1;
}

def Model_GroupNormOp : Model_ShapedOp<"group_norm"> {
  let summary = "y = (x - mean) / √(variance + eps) · weight + bias, statistics of each example's groups of channels (Wu and He 2018)";
  let description = [{
    Channels are the axis `axis`, cut into `groups` of neighbours; a group's mean and biased variance run over its channels and all other axes.
    (C1) weight and bias have one axis, the channels; y has x's shape. (C2) groups divide the channels. (C3) eps ≥ 0.

    ```mlir
    %y = model.group_norm %x, %w, %b {groups = 4 : i64, eps = 1.0e-5 : f64, axis = 0 : i64}
       : (tensor<8x7x7xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<8x7x7xf32>
    ```
  }];
  let arguments = (ins Model_Float:$x, Model_Float:$weight, Optional<Model_Float>:$bias, I64Attr:$groups, F64Attr:$eps, I64Attr:$axis);
  let results = (outs Model_Float:$y);
}

def Model_GaussianNoiseOp : Model_Op<"gaussian_noise", [Pure, SameOperandsAndResultType]> {
  let summary = "while training, y = x + std · a normal number of its own for each element; else y = x";
  let description = [{
    `layer` as for `dropout`. (C1) std ≥ 0. `%y = model.gaussian_noise %x {std = 0.1 : f64, layer = "gaussian_noise1"} : tensor<10xf32>`
  }];
  let arguments = (ins Model_Float:$x, F64Attr:$std, StrAttr:$layer);
  let results = (outs Model_Float:$y);
  let assemblyFormat = "$x attr-dict `:` type($y)";
  let hasVerifier = 1;
}

def Model_Upsample2dOp : Model_ShapedOp<"upsample2d"> {
  let summary = "an image `factor` [h, w] times as large: each pixel repeated (nearest), or between the four around it (bilinear)";
  let description = [{
    Bilinear as PyTorch's with align_corners=False: pixel i of y stands at (i + 0.5) / factor - 0.5 of x, and beyond x's rim its rim goes on.
    (C1) x [C, H, W], y [C, h H, w W]. (C2) factors are positive. (C3) mode is nearest or bilinear.

    ```mlir
    %y = model.upsample2d %x {factor = array<i64: 2, 2>, mode = "nearest"} : (tensor<8x7x7xf32>) -> tensor<8x14x14xf32>
    ```
  }];
  let arguments = (ins Model_Float:$x, DenseI64ArrayAttr:$factor, StrAttr:$mode);
  let results = (outs Model_Float:$y);
}

def Model_PixelShuffleOp : Model_ShapedOp<"pixel_shuffle"> {
  let summary = "y[c, h r + i, w r + j] = x[c r² + i r + j, h, w]";
  let description = "(C1) x [C r², H, W], y [C, H r, W r]. (C2) r is positive and r² divides x's channels. `%y = model.pixel_shuffle %x {r = 2 : i64} : (tensor<8x7x7xf32>) -> tensor<2x14x14xf32>`";
  let arguments = (ins Model_Float:$x, I64Attr:$r);
  let results = (outs Model_Float:$y);
}

def Model_EmbeddingOp : Model_ShapedOp<"embedding"> {
  let summary = "the row of the weight that each token names";
  let description = [{
    tokens i32 [...], weight [count, size], y [..., size]. (C1) these shapes.

    ```mlir
    %y = model.embedding %tokens, %w : (tensor<64xi32>, tensor<73x128xf32>) -> tensor<64x128xf32>
    ```
  }];
  let arguments = (ins Model_Int:$tokens, Model_Float:$weight);
  let results = (outs Model_Float:$y);
}

def Model_SinusoidOp : Model_ShapedOp<"sinusoid"> {
  let summary = "y[t, 2i] = sin(t / 10000^(2i / D)), y[t, 2i + 1] = cos(t / 10000^(2i / D))";
  let description = "Positions, added to a sequence. (C1) y is [T, D]. `%y = model.sinusoid : () -> tensor<64x128xf32>`";
  let arguments = (ins);
  let results = (outs Model_Float:$y);
}

def Model_AttentionOp : Model_ShapedOp<"attention"> {
  let summary = "y = softmax(q kᵀ / √(D / heads)) v, for each head's share of the last axis";
  let description = [{
    query [T, D], key and value [S, D], y [T, D]; head h has the columns from h D / heads on. `causal`: position t sees s ≤ t. While training, each
    probability is dropped with probability `dropout` and the others are scaled by 1 / (1 - dropout); `layer` as for `dropout`.

    (C1) these shapes. (C2) heads divide D. (C3) 0 ≤ dropout < 1.

    ```mlir
    %y = model.attention %q, %k, %v {heads = 4 : i64, causal = true, dropout = 0.0 : f64, layer = "attention1"}
       : (tensor<64x128xf32>, tensor<64x128xf32>, tensor<64x128xf32>) -> tensor<64x128xf32>
    ```
  }];
  let arguments = (ins Model_Float:$query, Model_Float:$key, Model_Float:$value, I64Attr:$heads, BoolAttr:$causal, F64Attr:$dropout,
                       StrAttr:$layer);
  let results = (outs Model_Float:$y);
}

//===--- views ------------------------------------------------------------------------------------===//

def Model_FlattenOp : Model_ShapedOp<"flatten"> {
  let summary = "all elements in one axis, in PyTorch's order";
  let description = "(C1) y has one axis and x's elements. `%y = model.flatten %x : (tensor<64x7x7xf32>) -> tensor<3136xf32>`";
  let arguments = (ins Model_Any:$x);
  let results = (outs Model_Any:$y);
}
def Model_ReshapeOp : Model_ShapedOp<"reshape"> {
  let summary = "the same elements, in PyTorch's order, under another shape";
  let description = "(C1) y has the shape said and x's elements. `%y = model.reshape %x {shape = array<i64: 2, 3>} : (tensor<6xf32>) -> tensor<2x3xf32>`";
  let arguments = (ins Model_Any:$x, DenseI64ArrayAttr:$shape);
  let results = (outs Model_Any:$y);
}
def Model_PermuteOp : Model_ShapedOp<"permute"> {
  let summary = "y's axis i is x's axis axes[i]";
  let description = "(C1) axes are a permutation. (C2) y's shape. `%t = model.permute %w {axes = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>`";
  let arguments = (ins Model_Any:$x, DenseI64ArrayAttr:$axes);
  let results = (outs Model_Any:$y);
}
def Model_ConcatOp : Model_ShapedOp<"concat"> {
  let summary = "the operands one behind the other along axis";
  let description = "(C1) extents agree but along axis, where y's is their sum. `%y = model.concat %a, %b {axis = 0 : i64} : (tensor<2xf32>, tensor<3xf32>) -> tensor<5xf32>`";
  let arguments = (ins Variadic<Model_Any>:$xs, I64Attr:$axis);
  let results = (outs Model_Any:$y);
}
def Model_SliceOp : Model_ShapedOp<"slice"> {
  let summary = "elements from, from + step, … below to along axis";
  let description = "(C1) 0 ≤ from < to ≤ extent, step > 0. (C2) y's shape. `%y = model.slice %x {axis = 0 : i64, from = 1 : i64, to = 5 : i64, step = 2 : i64} : (tensor<6xf32>) -> tensor<2xf32>`";
  let arguments = (ins Model_Any:$x, I64Attr:$axis, I64Attr:$from, I64Attr:$to, I64Attr:$step);
  let results = (outs Model_Any:$y);
}
def Model_PadOp : Model_ShapedOp<"pad"> {
  let summary = "`before` and `after` values more along axis";
  let description = "(C1) before, after ≥ 0. (C2) y's shape. `%y = model.pad %x {axis = 0 : i64, before = 1 : i64, after = 0 : i64, value = 0.0 : f64} : (tensor<2xf32>) -> tensor<3xf32>`";
  let arguments = (ins Model_Float:$x, I64Attr:$axis, I64Attr:$before, I64Attr:$after, F64Attr:$value);
  let results = (outs Model_Float:$y);
}

//===--- pointwise --------------------------------------------------------------------------------===//

class Model_UnaryOp<string mnemonic, string formula> : Model_Op<mnemonic, [Pure, SameOperandsAndResultType]> {
  let summary = "y = " # formula;
  let description = "Element by element. `%y = model." # mnemonic # " %x : tensor<10xf32>`";
  let arguments = (ins Model_Float:$x);
  let results = (outs Model_Float:$y);
  let assemblyFormat = "$x attr-dict `:` type($y)";
}
def Model_ReluOp : Model_UnaryOp<"relu", "max(x, 0)">;
def Model_SiluOp : Model_UnaryOp<"silu", "x sigmoid(x)">;
def Model_TanhOp : Model_UnaryOp<"tanh", "tanh x">;
def Model_SigmoidOp : Model_UnaryOp<"sigmoid", "1 / (1 + e⁻ˣ)">;
def Model_SoftplusOp : Model_UnaryOp<"softplus", "ln(1 + eˣ)">;
def Model_ExpOp : Model_UnaryOp<"exp", "eˣ">;
def Model_LogOp : Model_UnaryOp<"log", "ln x">;
def Model_SqrtOp : Model_UnaryOp<"sqrt", "√x">;
def Model_AbsOp : Model_UnaryOp<"abs", "|x|">;
def Model_SquareOp : Model_UnaryOp<"square", "x²">;
def Model_SinOp : Model_UnaryOp<"sin", "sin x">;
def Model_CosOp : Model_UnaryOp<"cos", "cos x">;
def Model_NegOp : Model_UnaryOp<"neg", "-x">;
def Model_StopGradientOp : Model_UnaryOp<"stop_gradient", "x, and no gradient goes back">;
def Model_LeakyReluOp : Model_UnaryOp<"leaky_relu", "x where x > 0, else slope x"> {
  let description = "`%y = model.leaky_relu %x {slope = 0.01 : f64} : tensor<10xf32>`";
  let arguments = (ins Model_Float:$x, F64Attr:$slope);
}
def Model_EluOp : Model_UnaryOp<"elu", "x where x > 0, else alpha (eˣ - 1)"> {
  let description = "`%y = model.elu %x {alpha = 1.0 : f64} : tensor<10xf32>`";
  let arguments = (ins Model_Float:$x, F64Attr:$alpha);
}
def Model_GeluOp : Model_UnaryOp<"gelu", "x Φ(x), Φ by erf (none) or by tanh"> {
  let description = "(C1) approximate is none or tanh. `%y = model.gelu %x {approximate = \"none\"} : tensor<10xf32>`";
  let arguments = (ins Model_Float:$x, StrAttr:$approximate);
  let hasVerifier = 1;
}
def Model_ClampOp : Model_UnaryOp<"clamp", "x, at least min and at most max"> {
  let description = "`%y = model.clamp %x {min = 0.0 : f64, max = 6.0 : f64} : tensor<10xf32>`";
  let arguments = (ins Model_Float:$x, F64Attr:$min, F64Attr:$max);
}

class Model_BinaryOp<string mnemonic, string formula> : Model_ShapedOp<mnemonic> {
  let summary = "y = " # formula # ", shapes broadcast as numpy's";
  let description = "(C1) y's shape is that which a's and b's broadcast to. `%y = model." # mnemonic # " %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>`";
  let arguments = (ins Model_Float:$a, Model_Float:$b);
  let results = (outs Model_Float:$y);
}
def Model_AddOp : Model_BinaryOp<"add", "a + b">;
def Model_SubOp : Model_BinaryOp<"sub", "a - b">;
def Model_MulOp : Model_BinaryOp<"mul", "a b">;
def Model_DivOp : Model_BinaryOp<"div", "a / b">;
def Model_PowOp : Model_BinaryOp<"pow", "aᵇ">;
def Model_MaximumOp : Model_BinaryOp<"maximum", "the larger of a and b">;
def Model_MinimumOp : Model_BinaryOp<"minimum", "the smaller of a and b">;

class Model_CompareOp<string mnemonic, string formula> : Model_ShapedOp<mnemonic> {
  let summary = "c = " # formula # ", shapes broadcast as numpy's";
  let description = "(C1) c's shape is that which a's and b's broadcast to. (C2) a and b are both f32, both i32 or, for equal and not_equal, both i1. `%c = model." # mnemonic # " %a, %b : (tensor<3xf32>, tensor<f32>) -> tensor<3xi1>`";
  let arguments = (ins Model_Any:$a, Model_Any:$b);
  let results = (outs Model_Bool:$c);
}
def Model_EqualOp : Model_CompareOp<"equal", "a = b">;
def Model_NotEqualOp : Model_CompareOp<"not_equal", "a ≠ b">;
def Model_LessOp : Model_CompareOp<"less", "a < b">;
def Model_LessEqualOp : Model_CompareOp<"less_equal", "a ≤ b">;
def Model_GreaterOp : Model_CompareOp<"greater", "a > b">;
def Model_GreaterEqualOp : Model_CompareOp<"greater_equal", "a ≥ b">;

def Model_WhereOp : Model_ShapedOp<"where"> {
  let summary = "y = a where c, else b, shapes broadcast as numpy's";
  let description = "(C1) y's shape is that which all three broadcast to. `%y = model.where %c, %a, %b : (tensor<3xi1>, tensor<3xf32>, tensor<f32>) -> tensor<3xf32>`";
  let arguments = (ins Model_Bool:$c, Model_Float:$a, Model_Float:$b);
  let results = (outs Model_Float:$y);
}

//===--- along axes -------------------------------------------------------------------------------===//

class Model_SoftmaxLikeOp<string mnemonic, string formula> : Model_UnaryOp<mnemonic, formula> {
  let description = "(C1) axis is one of x's. `%y = model." # mnemonic # " %x {axis = 0 : i64} : tensor<10xf32>`";
  let arguments = (ins Model_Float:$x, I64Attr:$axis);
  let hasVerifier = 1;
}
def Model_SoftmaxOp : Model_SoftmaxLikeOp<"softmax", "eˣ / Σ eˣ along axis">;
def Model_LogSoftmaxOp : Model_SoftmaxLikeOp<"log_softmax", "x - ln Σ eˣ along axis">;

class Model_ReductionOp<string mnemonic, string formula> : Model_ShapedOp<mnemonic> {
  let summary = "y = " # formula # " over axes";
  let description = "`keep` leaves reduced axes with extent 1. (C1) axes are x's, ascending. (C2) y's shape. `%y = model." # mnemonic # " %x {axes = array<i64: 1>, keep = false} : (tensor<2x3xf32>) -> tensor<2xf32>`";
  let arguments = (ins Model_Float:$x, DenseI64ArrayAttr:$axes, BoolAttr:$keep);
  let results = (outs Model_Float:$y);
}
def Model_SumOp : Model_ReductionOp<"sum", "Σ x">;
def Model_MeanOp : Model_ReductionOp<"mean", "the mean of x">;
def Model_MaxOp : Model_ReductionOp<"max", "the largest x">;
def Model_MinOp : Model_ReductionOp<"min", "the smallest x">;

def Model_MatmulOp : Model_ShapedOp<"matmul"> {
  let summary = "y = a b, matrices in the last two axes";
  let description = "(C1) a […, n, k], b […, k, m], y […, n, m], leading axes broadcast. `%y = model.matmul %a, %b : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>`";
  let arguments = (ins Model_Float:$a, Model_Float:$b);
  let results = (outs Model_Float:$y);
}

def Model_ArgmaxOp : Model_ShapedOp<"argmax"> {
  let summary = "the first index of the largest x along axis; no gradient goes back";
  let description = "(C1) axis is one of x's. (C2) y has x's shape without it. `%y = model.argmax %x {axis = 0 : i64} : (tensor<10xf32>) -> tensor<i32>`";
  let arguments = (ins Model_Float:$x, I64Attr:$axis);
  let results = (outs Model_Int:$y);
}

//===--- across the batch -------------------------------------------------------------------------===//

def Model_BatchMeanOp : Model_Op<"batch_mean", [Pure, SameOperandsAndResultType]> {
  let summary = "the mean of x over the examples of the batch, the same for all of them";
  let description = "`%m = model.batch_mean %x : tensor<10xf32>`";
  let arguments = (ins Model_Float:$x);
  let results = (outs Model_Float:$y);
  let assemblyFormat = "$x attr-dict `:` type($y)";
}

def Model_PairwiseOp : Model_ShapedOp<"pairwise"> {
  let summary = "y_j = Σ a · b of example j, for each j of the batch";
  let description = [{
    Where the batch is not full, y's last elements belong to no example: `model.mask_columns` says what a reduction takes in their place.
    (C1) a and b have one shape, y [batch].

    ```mlir
    %y = model.pairwise %a, %b : (tensor<128xf32>, tensor<128xf32>) -> tensor<64xf32>
    ```
  }];
  let arguments = (ins Model_Float:$a, Model_Float:$b);
  let results = (outs Model_Float:$y);
}

def Model_OneHotOp : Model_ShapedOp<"one_hot"> {
  let summary = "a new last axis that is 1 at the label and 0 elsewhere";
  let description = "(C1) y's shape is label's and then classes. `%y = model.one_hot %label {classes = 10 : i64} : (tensor<i32>) -> tensor<10xf32>`";
  let arguments = (ins Model_Int:$label, I64Attr:$classes);
  let results = (outs Model_Float:$y);
}

def Model_MaskColumnsOp : Model_Op<"mask_columns", [Pure, SameOperandsAndResultType]> {
  let summary = "x, but `value` where the last axis, that of `pairwise`, has no example";
  let description = "(C1) x has an axis. `%y = model.mask_columns %x {value = 0.0 : f64} : tensor<64xf32>`";
  let arguments = (ins Model_Float:$x, F64Attr:$value);
  let results = (outs Model_Float:$y);
  let assemblyFormat = "$x attr-dict `:` type($y)";
  let hasVerifier = 1;
}

def Model_BatchCountOp : Model_Op<"batch_count", [Pure]> {
  let summary = "how many examples the batch has";
  let description = "`%n = model.batch_count : tensor<f32>`";
  let arguments = (ins);
  let results = (outs Model_Scalar:$y);
  let assemblyFormat = "attr-dict `:` type($y)";
}

//===--- losses and measures ----------------------------------------------------------------------===//

def Model_CrossEntropyOp : Model_ShapedOp<"cross_entropy"> {
  let summary = "the mean over all positions of -Σ t ln softmax(logits) along axis";
  let description = [{
    The label is an index (i32) of logits' shape without axis, or probabilities (f32) of logits' shape; t = (1 - smoothing) label + smoothing / C.
    (C1) these shapes. (C2) 0 ≤ smoothing < 1. (C3) axis is one of logits'.

    ```mlir
    %e = model.cross_entropy %y, %label {axis = 0 : i64, smoothing = 0.0 : f64} : (tensor<10xf32>, tensor<i32>) -> tensor<f32>
    ```
  }];
  let arguments = (ins Model_Float:$logits, AnyTypeOf<[Model_Int, Model_Float]>:$label, I64Attr:$axis, F64Attr:$smoothing);
  let results = (outs Model_Scalar:$e);
}
def Model_MseOp : Model_ShapedOp<"mse"> {
  let summary = "the mean of (a - b)² over all elements";
  let description = "(C1) a and b have one shape. `%e = model.mse %a, %b : (tensor<10xf32>, tensor<10xf32>) -> tensor<f32>`";
  let arguments = (ins Model_Float:$a, Model_Float:$b);
  let results = (outs Model_Scalar:$e);
}
def Model_AccuracyOp : Model_ShapedOp<"accuracy"> {
  let summary = "the share of positions where the largest logit along axis is the label's; the first maximum wins";
  let description = [{
    (C1) label has logits' shape without axis. (C3) axis is one of logits'.

    ```mlir
    %share = model.accuracy %y, %label {axis = 0 : i64} : (tensor<10xf32>, tensor<i32>) -> tensor<f32>
    ```
  }];
  let arguments = (ins Model_Float:$logits, Model_Int:$label, I64Attr:$axis);
  let results = (outs Model_Scalar:$share);
}
def Model_TopKOp : Model_ShapedOp<"top_k"> {
  let summary = "the share of positions where the label's is among the k largest logits along axis; of equal ones the first wins";
  let description = [{
    (C1) label has logits' shape without axis. (C2) 1 ≤ k ≤ classes. (C3) axis is one of logits'.

    ```mlir
    %share = model.top_k %y, %label {axis = 0 : i64, k = 5 : i64} : (tensor<10xf32>, tensor<i32>) -> tensor<f32>
    ```
  }];
  let arguments = (ins Model_Float:$logits, Model_Int:$label, I64Attr:$axis, I64Attr:$k);
  let results = (outs Model_Scalar:$share);
}

//===--- types ------------------------------------------------------------------------------------===//

def Model_Bf16Op : Model_UnaryOp<"bf16", "x rounded to bfloat16">;

#endif // SINTER_MODEL_OPS_TD
