//===- Program.h - what a spec means, with nothing left to look up ------------------------------------===//
// The seam between the language and the compiler. `check` makes a Program of a syntax tree; the
// lowering makes the model dialect of a Program and needs nothing else. A Program is plain data:
// every selector is a list of names, every default is filled in, every shape is known, every
// initializer is numbers, every place leads back to the spec.
//
// Shapes are per example and in PyTorch's order ([C, H, W], [T, D], weights [out, in, kh, kw]); the
// batch dimension is never written. Axes are non-negative and count within the example.
#pragma once

#include "compiler/syntax/Source.h"
#include "runtime/LoadRules.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace sinter::semantics {

/// Where the spec says it; syntax::SourceManager turns it into file:line:column.
using Place = syntax::Span;

//===----------------------------------------------------------------------------------------===//
// Types and values
//===----------------------------------------------------------------------------------------===//

enum class Scalar { F32, BF16, I32, Bool, Class };

/// The type of one value of one example. `class[73][64]` is {Class, 73, {64}}; `f32` is {F32, 0,
/// {}}.
struct Type {
  Scalar scalar = Scalar::F32;
  int64_t classes = 0; ///< N of class[N]; 0 for every other scalar
  std::vector<int64_t> dims;

  int64_t rank() const { return static_cast<int64_t>(dims.size()); }
  int64_t elements() const; ///< the product of dims, 1 for a scalar
  std::string str() const;  ///< as a spec writes it: f32[1, 28, 28], class[10]
  bool operator==(const Type &) const = default;
};

using Attribute = std::variant<bool, int64_t, double, std::string, std::vector<int64_t>,
                               std::vector<double>, std::vector<std::string>>;
using Attributes = std::map<std::string, Attribute>;

/// An index into Graph::types. Every value is made by exactly one operation.
using ValueId = uint32_t;

/// One operation on values of one example. Operands come in the order below; `[, bias]` may be
/// absent. `dims` below are those of the first operand unless said. Every attribute named is always
/// present.
///
/// Sources
///   input                          {name: string}  in a Net: the input of that name;
///                                  in a Stage: the data field of that name. Result: its type.
///   read                           {parameter: string}  the parameter or buffer of this full name.
///   constant                       {value: double}  f32 scalar (dims []).
///   schedule                       {schedule: "constant" | "step" | "exponential" | "cosine" | "linear", value: double, to: double
///                                  (the floor of a cosine), by: double, every, warmup: int, every_epochs, warmup_epochs: bool}
///                                  f32 scalar, in a Stage: the number that this Schedule has at the step at hand.
///   integer                        {value: int}  i32 scalar, to compare labels with.
///   random_normal(like) random_uniform(like)   numbers of like's type, keyed by `path`; each
///                                  operation draws its own, in every mode.
///   batch_count                    how many examples the batch has, f32 scalar.
///   call(inputs…)                  {net: string}  results: those of Train's net of this name, in
///   order.
///
/// Layers (weights are operands, made by `read` or by an expression of reads)
///   dense(x[…, in], weight[units, in][, bias[units]])                    -> [..., units]
///   conv2d(x[C, H, W], weight[O, C / groups, kh, kw][, bias[O]])         -> [O, H', W']
///                                  {stride: ints [h, w], padding: ints [top, bottom, left, right],
///                                   dilation: ints [h, w], groups: int}
///   conv1d(x[C, T], weight[O, C / groups, k][, bias[O]])  -> [O, T']; the same attributes, one axis.
///   conv_transpose2d(x[C, H, W], weight[C, O / groups, kh, kw][, bias[O]])  -> [O, H', W'], the
///                                  transpose of a conv2d with these attributes from O to C channels.
///   group_norm(x, weight[C][, bias[C]])   -> x's type {groups: int, eps: double, axis: int}
///   gaussian_noise(x)              {std: double}
///   upsample2d(x[C, H, W])         {factor: ints [h, w], mode: "nearest" | "bilinear"}
///   pixel_shuffle(x[C r², H, W])   -> [C, r H, r W]  {r: int}
///   max_pool2d(x[C, H, W])         -> [C, H', W']   {size: ints [h, w], stride: ints [h, w],
///                                   padding: ints [top, bottom, left, right]}; padding never wins.
///   avg_pool2d(x[C, H, W])         the same attributes; the divisor is always h * w (padding
///   counts). global_avg_pool(x[C, H, W])    -> [C] batch_norm(x, weight[C][, bias[C]],
///   running_mean[C], running_var[C])   -> x's type
///                                  {momentum: double, eps: double, axis: int (the axis of
///                                  channels)} running = (1 - momentum) * running + momentum *
///                                  batch; the running variance takes the unbiased one, the
///                                  normalisation the biased one.
///   dropout(x)                     {p: double, scale: "training" | "inference"}
///   rnn lstm gru (x[T, D], weight_ih[G size, D], weight_hh[G size, size][, bias_ih[G size],
///   bias_hh[G size]]) -> [T, size], or [size] where `last`   {last: bool}; G = 1, 4, 3 gates, in
///   PyTorch's order; the state begins with zeros.
///   embedding(tokens: class or i32 [...], weight[count, size])  -> [..., size]
///   sinusoid()                     -> [T, D], the positions of Vaswani et al. 2017
///   attention(query[T, D], key[S, D], value[S, D])  -> [T, D]
///                                  {heads: int, causal: bool, dropout: double}
///
/// Views
///   flatten(x)                     -> [elements]
///   reshape(x)                     {shape: ints}
///   permute(x)                     {axes: ints}  result axis i is operand axis axes[i]; every
///   transpose
///                                  (of a tied weight too) is one.
///   concat(a, b, …)                {axis: int}
///   slice(x)                       {axis: int, from: int, to: int (not included), step: int > 0}
///   pad(x)                         {axis: int, before: int, after: int, value: double}
///
/// Pointwise, x's type
///   relu leaky_relu{slope: double} elu{alpha: double} gelu{approximate: "none" | "tanh"} silu tanh
///   sigmoid softplus exp log sqrt abs square sin cos neg clamp{min: double, max: double}   (-inf,
///   inf where the spec gives none) stop_gradient(x)
/// Pointwise with broadcasting, as numpy's, over the per-example shapes
///   add sub mul div pow maximum minimum (a, b: f32)          -> f32
///   equal not_equal less less_equal greater greater_equal (a, b)  -> bool; both f32, both class or
///   i32, or (equal, not_equal) both bool where(condition: bool, a, b)                              -> a's scalar
///
/// Along axes
///   softmax(x) log_softmax(x)      {axis: int}
///   sum mean max min (x)           {axes: ints, ascending, never empty for a non-scalar; keep:
///   bool} matmul(a[…, n, k], b[…, k, m]) -> […, n, m], leading axes broadcast; ranks >= 2
///   one_hot(label: class[N][dims]) {classes: int}   -> f32[dims…, N]
///
///   argmax(x)                      {axis: int}  -> class[extent], x's dims without the axis
///
/// Across the batch
///   batch_mean(x)                  x's type, the same for all examples
///   pairwise(a, b)                 -> f32[batch]; the last axis of it, and of what is made of it
///                                  element by element, may have fewer examples than elements:
///   mask_columns(x)                {value: double} in their place, before whatever reduces it.
/// Buffers
///   update(value)                  {parameter: string}  no result: what the buffer becomes.
///
/// Losses and measures; all give an f32 scalar per example
///   cross_entropy(logits, label)   {axis: int, smoothing: double}; label: class or i32 of the
///   logits'
///                                  shape without `axis`, or f32 probabilities of the logits'
///                                  shape. The mean over every position but `axis`.
///   mse(a, b)                      the mean of (a - b)^2 over all elements
///   accuracy(logits, label)        {axis: int}  the share of positions where argmax over `axis` is
///   the
///                                  label (the first maximum wins).
///   top_k(logits, label)           {axis: int, k: int}  the share of positions where the label is
///                                  among the k largest over `axis` (of equal ones the first wins).
///   bf16(x)                        x rounded to bfloat16 (nearest, ties to even), x's type
///
/// mae, huber, binary_cross_entropy, kl_div, distill, cosine_distance, normalize, global_max_pool
/// and the like have no kind of their own: they come as the operations above.
struct Operation {
  std::string kind;
  std::vector<ValueId> operands;
  std::vector<ValueId> results;
  Attributes attributes;
  std::string path; ///< the layer instance, "blocks.0.conv1"; "" for a plain function
  Place place;
  std::string
      within; ///< the instance of a layer or model that it is part of; "" for the trained model
};

/// Straight-line code: operations in an order in which every operand stands above its use.
struct Graph {
  std::vector<Operation> operations;
  std::vector<Type> types; ///< by ValueId

  const Type &type(ValueId value) const { return types[value]; }
};

//===----------------------------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------------------------===//

/// Resolved to numbers: gains and fans are already in `a` and `b`.
///   Constant: every element is a.          Uniform: from [a, b).      Normal: mean a, std b.
///   TruncatedNormal: mean a, std b of the normal that is cut off at a ± 2 b (nothing is rescaled).
///   Orthogonal: gain a; the weight seen as [first dim, all others]; b > 1: that many equal parts
///   along the first axis, each by itself (a recurrent weight's gates). Identity: gain a and b; ones where first and second index agree (a conv's at its kernel's
///   centre). Values: `values`, row-major, for a buffer given as nested lists.
struct Initializer {
  enum class Kind { Constant, Uniform, Normal, TruncatedNormal, Orthogonal, Identity, Values };
  Kind kind = Kind::Constant;
  double a = 0;
  double b = 0;
  std::vector<double> values;
  std::string name; ///< as written or as chosen: "he_normal"
};

/// What a parameter is for: decay and the `weights` selector go by it.
enum class Role { Weight, Bias, NormScale, NormShift, Embedding, Recurrent, Buffer, Other };

/// Another name of a tied parameter.
struct Alias {
  std::string name;        ///< full path
  bool transposed = false; ///< tied through `transpose`: a tensor of this name is the transpose

  /// "dec.weight" or "transpose(dec.weight)", as the floors below and saved files write it.
  std::string str() const;
};

struct Parameter {
  std::string name;           ///< full path, "encoder.blocks.3.attention.query.weight"
  std::vector<Alias> aliases; ///< further names of a tied one, in source order
  Type type;
  bool trained = true; ///< false: a buffer, saved and not trained
  Role role = Role::Other;
  Initializer initializer;
  std::string averageOf; ///< of an averaging teacher: the trained model's of this primary name
  Place place;
};

//===----------------------------------------------------------------------------------------===//
// Models
//===----------------------------------------------------------------------------------------===//

struct Input {
  std::string name;
  Type type;
  Place place;
};

/// One instance of a model for one tuple of input types, with all models within it inlined; its
/// parameters are those of the Train it stands in, by full name. `input` operations stand first, in
/// order.
struct Net {
  std::string name; ///< the model's, with a number from the second tuple of input types on
  std::vector<Input> inputs;
  Graph graph;
  std::vector<std::pair<std::string, ValueId>>
      results; ///< the name is "" unless the result is a record
  Place place;
};

//===----------------------------------------------------------------------------------------===//
// Data
//===----------------------------------------------------------------------------------------===//

struct Field {
  std::string name;
  Type type;
  Place place;
  bool bf16 = false; ///< declared as bf16: f32 here, rounded while loading
  /// Of an i32 field that is somebody's label or tokens: its values lie in 0 … labels - 1, which is checked
  /// while loading; else 0.
  int64_t labels = 0;
};

/// One step of what happens to a record's numbers while loading, x being the number read; in f32,
/// one rounding a step, except for class and i32 fields, where it is integer arithmetic.
struct LoadOp {
  enum class Kind {
    Add,          ///< x + c
    Multiply,     ///< x * c
    Divide,       ///< x / c
    SubtractFrom, ///< c - x
    DivideInto,   ///< c / x
    Power,        ///< x ** c
    Normalize,    ///< (x - mean) / std; numbers or one for each index of the field's axis 0
    Standardize,  ///< (x - m) / s, for each element of the record apart: m and s from the train
    ///< part, after the steps above; s is 1 where a column is constant; saved with the
    ///< weights
    Bf16, ///< x rounded to bfloat16
  };
  Kind kind = Kind::Add;
  double value = 0;
  std::vector<double> mean, std; ///< Normalize only: one number each, or one a channel each
  Place place;
};

/// Where records come from.
///   idx        file; no attributes
///   csv        file; {separator: string, skip: int (-1: none given, so a first line that is a
///   header is found
///              by the rule of the language), and one of
///              columns: ints (from 0, negative from the end),
///              first: int and last: int (a range, both included, negative from the end),
///              names: strings (of the header)}
///   npy        file        npz, safetensors   file, {key: string}
///   cifar      file, moreFiles; {part: "image" | "label"}
///   images     file (a folder), {part: "image" | "label"}; the size is the image field's
///   text       file, {part: "tokens" | "next", window: int}
///   synthetic  {count: int}; records of the fields' types from the data's seed
/// A source that fills several fields of its own names has one fill for each, with its `part`.
struct Source {
  std::string kind;
  std::string file; ///< as written
  std::string
      resolved; ///< `file` against the folder of the spec that names it; relative if that was
  std::vector<std::string> moreFiles; ///< resolved; cifar's, behind the first
  Attributes attributes;
  Place place;     ///< the whole call
  Place filePlace; ///< the string
};

/// One line of a part: these fields, from this source, through these steps.
struct Fill {
  std::vector<std::string> fields; ///< more than one for synthetic only
  Source source;
  std::vector<LoadOp> operations;
  Place place;
};

struct Split {
  double train = 1, valid = 0, test = 0; ///< shares of the train part; 0: that part is not cut off
  uint64_t seed = 0;
  std::string stratify; ///< a class field, or ""
  Place place;
};

/// What `keep where` computes of one example, in f64; a class counts as its integer, a condition as
/// 1 or 0.
///   number {value}   field {field: of one number}   neg + - * / **   == != < <= > >=   and or not
struct Keep {
  std::string op;
  double value = 0;
  std::string field;
  std::vector<Keep> operands;
};

/// What happens to these fields of a training example each time it is fed, in this order, by one
/// draw for all of them.
///   random_crop {padding}   flip_horizontal flip_vertical random_erase {p}
///   random_rotation {degrees}   noise {std}
struct Augment {
  struct Step {
    std::string kind;
    double value = 0; ///< the one number that each has
    Place place;
  };
  std::vector<std::string> fields;
  std::vector<Step> steps;
  Place place;
};

struct Data {
  std::string name;
  std::vector<Field> fields;
  std::map<std::string, std::vector<Fill>>
      parts; ///< of "train", "test", "valid": those the spec fills
  std::optional<Split> split;
  std::optional<Keep> keep; ///< drops examples of every part
  std::optional<int64_t>
      take; ///< keeps this many of the train part, the first after a shuffle by `seed`
  std::vector<Augment> augments;
  uint64_t seed = 0; ///< the split's seed, else 0
  Place place;

  /// Whether a part has examples, be it filled or cut off.
  bool has(const std::string &part) const;
};

//===----------------------------------------------------------------------------------------===//
// Training
//===----------------------------------------------------------------------------------------===//

/// A length in optimizer steps or in epochs; an epoch's steps are known once the data is read.
struct Count {
  double value = 0;
  bool epochs = false;
};

/// λ1 Σ|w| + λ2 Σw² over these parameters, added once a step after the batch mean. `proximal`: l1
/// by soft thresholding after each sgd step, not in the gradient.
struct Regularizer {
  std::string kind; ///< l1 l2 elastic
  double l1 = 0, l2 = 0;
  bool proximal = false;
  std::vector<std::string> parameters; ///< primary names; not those that the stage freezes
  Place place;
};

/// A number over the steps t = 0 … last of a stage. With warm-up of w > 0 steps it is rate * (t +
/// 1) / w for t < w; what follows then counts from w to the stage's last step.
///   Constant     rate
///   Step         rate * by ^ floor(t / every)
///   Exponential  rate * by ^ t
///   Cosine       floor + (rate - floor) * (1 + cos(pi * p)) / 2,   p from 0 to 1
///   Linear       rate + (to - rate) * p
struct Schedule {
  enum class Kind { Constant, Step, Exponential, Cosine, Linear };
  Kind kind = Kind::Constant;
  double rate = 0;
  double by = 1;
  double floor = 0;
  double to = 0;
  Count every{1, false};
  Count warmup{0, false};
};

/// One optimizer over parameters of one rate factor (`rate S = 0.1` splits a line of the spec into
/// two).
///   sgd      {momentum: double, nesterov: bool, weight_decay: double}
///   adam     {beta1: double, beta2: double, eps: double, weight_decay: double}   decay in the
///            gradient
///   adamw    the same; the decay decoupled, w -= rate * rateFactor * weight_decay * w
///   rmsprop  {alpha, eps, momentum, weight_decay: double, centered: bool}   decay in the gradient
///   adagrad  {lr_decay, eps, weight_decay, initial: double}   likewise; its sums begin as `initial`
///   lion     {beta1, beta2, weight_decay: double}   decoupled
struct Optimizer {
  std::string kind;
  Attributes attributes;
  Schedule rate;
  double rateFactor = 1;
  std::vector<std::string>
      parameters;                  ///< primary names, trained and not frozen; none stands in two
  std::vector<std::string> spared; ///< frozen ones that it would train else
  Place place;
};

/// A projection after each step: each unit's incoming weights to a 2-norm of at most `limit`
/// (max_norm), or every element to at least 0 (nonnegative).
struct Constraint {
  std::string kind; ///< max_norm nonnegative
  double limit = 0;
  std::vector<std::string> parameters; ///< primary names; not those that the stage freezes
  Place place;
};

struct Clip {
  enum class Kind { None, Norm, Value };
  Kind kind = Kind::None;
  double limit = 0; ///< of the 2-norm over all gradients together; of each element's size
};

/// Where the stage begins, the parameters and buffers `to` take the values of `from`, pairwise.
/// After what is loaded there, in the order written.
struct Copy {
  std::vector<std::string> to, from; ///< primary names
  Place place;
};

/// After every `every`-th step, t = decay * t + (1 - decay) * w for these parameters of a teacher, w being what they are the
/// average of; buffers are copied. Where the stage begins, all are copies.
struct Average {
  std::vector<std::string> states; ///< each with an `averageOf`
  double decay = 0;
  int64_t every = 1;
  Place place;
};

/// A measure: the mean over the set of a per-example value, then `finish`.
struct Report {
  std::string name; ///< unique in the stage
  ValueId value = 0;
  std::string finish;     ///< "" or "exp"
  bool upwards = false;   ///< more is better
  int64_t everySteps = 0; ///< after so many optimizer steps too; 0: after each epoch alone
  Place place;
};

/// `valid.loss`, `test.accuracy`.
struct Measure {
  std::string set;  ///< train valid test
  std::string name; ///< "loss" or a report's name
  bool upwards = false;
  Place place;
};

struct StopRule {
  Measure measure;
  int64_t patience = 1; ///< epochs
};

/// `load S from …`: weights for some of a model's parameters and buffers. Which tensor belongs to which is decided where
/// the file is known, by `rules`.
struct Load {
  std::string file;     ///< as written; "" where a train block is named
  std::string resolved; ///< `file` against the folder of the spec that names it
  std::string block; ///< the name of an earlier Train, whose end it takes; "" where a file is named
  std::string
      prefix; ///< stands before the names of `rules` in Train::parameters; "" for the trained model
  runtime::LoadRules rules;
  Place place;       ///< the whole line
  Place sourcePlace; ///< the string, or the block's name
};

/// One stage: one compiled step. A block without stages is one stage named "".
struct Stage {
  std::string name;
  int64_t batch = 32;
  bool dropLast = false;
  bool sequential = false;
  int64_t accumulate = 1;
  Count length;
  std::set<std::string> frozen; ///< parameters and buffers that do not change, by primary name
  std::set<std::string>
      frozenLayers; ///< instance paths: batch norm with stored statistics, dropout off

  std::vector<Load> loads; ///< at the stage's start, in order

  Graph graph;           ///< `input`s are fields of the data; nets are reached by `call`
  ValueId objective = 0; ///< f32 scalar per example; averaged over the batch last
  /// Of `regularize value`: f32 scalars per example, added to the objective in training alone.
  std::vector<ValueId> penalties;
  std::vector<Report> reports;
  std::vector<Regularizer> regularizers;
  std::vector<Constraint> constraints; ///< in the order in which they project
  std::vector<Optimizer> optimizers;
  Clip clip;
  std::vector<Copy> copies;
  std::vector<Average> averages;
  /// Instance paths, none beneath another: what stands within one is computed again as a whole in
  /// the backward pass. "" for the trained model's own functions.
  std::vector<std::string> recompute;
  bool bf16 = false; ///< products and stored activations are rounded to bfloat16
  std::optional<StopRule> stop;
  std::optional<Measure> keepBest; ///< also what `stop` implies
  Place place;
};

/// Another instance beside the trained model. Its layers are in inference mode (every stage's frozenLayers holds their paths)
/// and nothing of it has a gradient. Names of its parameters, layers and nets begin with its name and a colon, which no path
/// of the trained model has: "Big:features.weight", layer "Big:norm", net "Big:Wide".
struct Teacher {
  std::string name;  ///< "Big"; "warm.Big" where the stage `warm` declares it
  std::string model; ///< the model's
  std::vector<Parameter>
      parameters; ///< in source order, but those that are shared with the trained model
  Place place;
};

struct Train {
  std::string name;  ///< the block's
  std::string model; ///< the model trained; paths of parameters start beneath it
  std::string data;
  uint64_t seed = 0;
  std::vector<Parameter> parameters; ///< in source order, buffers among them
  std::vector<Teacher> teachers;     ///< those that are used, in source order
  std::vector<Net> nets;             ///< each that some stage calls
  std::vector<Load> loads;           ///< once, before the first stage, in order
  std::vector<Stage> stages;         ///< in order, at least one
  Place place;

  const Parameter *
  parameter(const std::string &name) const; ///< by primary name or alias; else null
  const Net *net(const std::string &name) const;
};

/// A spec that has no errors. Train blocks stand in the order in which they run.
struct Program {
  std::vector<Data> datas;
  std::vector<Train> trains;

  const Data *data(const std::string &name) const;
};

} // namespace sinter::semantics
