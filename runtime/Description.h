//===- Description.h - what a program says of itself ------------------------------------------===//
// The JSON beside the generated code, as plain structs. `parseDescription` checks it once, so that
// nobody behind it needs to: every index, offset and name in a Description is good.
// runtime/README.md explains each key.
#pragma once

#include "runtime/LoadRules.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sinter::runtime {

using Shape = std::vector<int64_t>;

/// The product of the dimensions; 1 for a scalar.
int64_t elementsOf(const Shape &shape);

/// How a tensor lies in memory: the saved tensor seen as `view`; axis i in memory is axis perm[i]
/// of the view.
struct Layout {
  Shape view;
  std::vector<int> perm;
};

/// How a state begins. `a` and `b` as in the README; `values` only for Kind::Values, in the saved
/// order.
struct Init {
  enum class Kind { Constant, Uniform, Normal, TruncatedNormal, Orthogonal, Identity, Values };
  Kind kind = Kind::Constant;
  double a = 0, b = 0;
  std::vector<float> values;
};

/// Teacher: of another instance, beside the trained one; never trained.
enum class StateKind { Parameter, Buffer, Teacher, Optimizer };

/// Another name of a tied parameter.
struct Alias {
  std::string name;
  bool transposed = false; ///< a tensor of this name is the transpose; the state has two dimensions
};

/// One f32 tensor that lives longer than a step.
struct State {
  std::string name;
  StateKind kind = StateKind::Parameter;
  Shape shape; ///< as saved
  uint64_t offset = 0;
  std::optional<Layout> layout;
  std::vector<Alias> aliases;
  std::string
      of; ///< an optimizer state: the parameter it belongs to; a teacher's: what it averages
  std::string run; ///< the run that it belongs to; "": every run
  Init init;
  std::string place;

  int64_t elements() const { return elementsOf(shape); }
};

enum class Scalar { F32, I32 };

struct Field {
  std::string name;
  Scalar scalar = Scalar::F32;
  int64_t classes = 0; ///< values lie in 0 … classes-1; 0: not a class
  Shape shape;         ///< per example
  int64_t labels = 0;  ///< bounds an integer that is somebody's label as `classes` does; 0: nothing
  bool boolean = false; ///< f32 that is 0 or 1

  int64_t elements() const { return elementsOf(shape); }
  std::string type() const; ///< as a spec writes it: f32[1, 28, 28]
};

/// One step of what happens to a record's numbers while loading; compiler and spec speak of the
/// same kinds.
struct LoadOp {
  enum class Kind {
    Affine,       ///< x * value + shift
    Add,          ///< x + value
    Multiply,     ///< x * value
    Divide,       ///< x / value
    SubtractFrom, ///< value - x
    DivideInto,   ///< value / x
    Power,        ///< x ** value
    Normalize,    ///< (x - mean) / std, one number each or one an index of axis 0
    Standardize,  ///< (x - m) / s for each element apart, m and s from the train part
    Bf16,         ///< x rounded to bfloat16, to the nearest and to even between two
  };
  Kind kind = Kind::Affine;
  double value = 1, shift = 0;
  std::vector<double> mean, std;
};

/// Where records come from.
struct Source {
  enum class Kind { Idx, Csv, Npy, Npz, SafeTensors, Cifar, Images, Text, Synthetic };
  Kind kind = Kind::Idx;
  std::string file;
  std::vector<std::string> moreFiles;   ///< cifar: behind the first
  std::string key;                      ///< npz, safetensors: the array's name
  std::string part;                     ///< cifar, images: image or label; text: tokens or next
  bool resize = false;                  ///< images: to the field's size
  std::vector<int64_t> columns;         ///< csv: from 0, negative from the end
  std::optional<int64_t> first, last;   ///< csv: a range, both included, negative from the end
  std::vector<std::string> columnNames; ///< csv: names in the header
  std::optional<int64_t> skip;          ///< csv: lines before the records; none: find a header
  char separator = ',';
  int64_t window = 0; ///< text: characters of an example
  int64_t count = 0;  ///< synthetic: records
};

/// These fields of a part, from this source, through these steps. Several fields for synthetic
/// only.
struct Fill {
  std::vector<std::string> fields;
  Source source;
  std::vector<LoadOp> ops;
  std::string place;
};

/// Cuts the train part; a share of 0 cuts nothing off. Shares sum to 1.
struct Split {
  double train = 1, valid = 0, test = 0;
  uint64_t seed = 0;
  std::string stratify; ///< a class field, or ""
  std::string place;
};

/// Which examples stay: an expression over fields of one number, in f64, true where it is not 0.
struct Keep {
  enum class Op {
    Number,
    Field,
    Negate,
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    And,
    Or,
    Not
  };
  Op op = Op::Number;
  std::string field;
  double value = 0;
  std::vector<Keep> operands;
};

/// What happens to a training example of these fields each time it is fed; one draw for all of
/// them. runtime/Augmenter.h says what each step does.
struct Augment {
  enum class Kind { RandomCrop, FlipHorizontal, FlipVertical, RandomRotation, RandomErase, Noise };
  struct Step {
    Kind kind = Kind::FlipHorizontal;
    double value = 0; ///< padding, p, degrees or std
  };
  std::vector<std::string> fields;
  std::vector<Step> steps;
};

struct Part {
  std::string name; ///< train valid test
  std::vector<Fill> fills;
};

struct Data {
  std::string name;
  uint64_t seed = 0;
  std::vector<Field> fields;
  std::vector<Part> parts;
  std::optional<Split> split;
  std::optional<Keep> keep;
  std::optional<int64_t> take;
  std::vector<Augment> augments;
  std::string place;

  const Field *field(std::string_view name) const;
  /// Whether a part has examples, be it filled or cut off.
  bool has(std::string_view part) const;
};

struct Task {
  uint32_t function = 0; ///< index into Program::functions
  int64_t shares = 1;
  bool wait = true; ///< all earlier tasks must have ended before this one begins
  std::string name, place;
  double flops = 0, bytes = 0;
};

/// Where a batch of one field lies in the arena: [batch, the field's shape], each example in
/// `layout`.
struct StepField {
  std::string name;
  uint64_t offset = 0;
  std::optional<Layout> layout;
};

struct Output {
  std::string name;
  uint64_t offset = 0; ///< one f32: the mean over the batch's `count` examples
};

/// A tensor f32[batch, shape…] that a step leaves in the arena, each example in `layout`.
struct Result {
  std::string name;
  uint64_t offset = 0;
  Shape shape;
  std::optional<Layout> layout;
};

struct Step {
  std::string name;
  int64_t batch = 0;
  std::vector<StepField> fields;
  std::optional<uint64_t> ids; ///< i32[batch]: the number of each example in its part
  std::vector<Output> outputs;
  std::vector<Result> results;
  std::vector<Task> tasks;

  double flops() const; ///< of all tasks
};

struct Report {
  std::string name;
  bool exponential = false; ///< finish: exp of the mean
  bool higherIsBetter = false;
  int64_t everySteps = 0; ///< measured after so many optimizer steps too; 0: after epochs alone
};

/// `valid.loss`, `test.accuracy`.
struct Measure {
  std::string set, name;
  bool higherIsBetter = false;
};

struct StopRule {
  Measure measure;
  int64_t patience = 1; ///< epochs
};

/// Weights of some states from elsewhere: a file, or what an earlier run ended with.
struct Load {
  std::string file;   ///< or
  std::string run;    ///< the name of an earlier run
  std::string prefix; ///< of the states' names; `rules` speaks of what follows it
  LoadRules rules;
  std::string place;
};

/// Where a stage begins, one state takes the values of another.
struct Copy {
  std::string from, to;
};

struct Stage {
  std::string name;
  int64_t batch = 0;
  bool dropLast = false, sequential = false;
  int64_t accumulate = 1;               ///< batches of one optimizer step
  std::optional<int64_t> epochs, steps; ///< one of the two
  size_t trainStep = 0, evalStep = 0;
  std::optional<size_t> updateStep; ///< where accumulate > 1: runs after the train steps of a group
  std::optional<size_t> predictStep;
  std::vector<std::string> trained, frozen;
  std::vector<std::string> frozenProof; ///< why what is frozen stays as it is, a line each
  std::vector<Load> loads;              ///< at the stage's start, in order
  std::vector<Copy> copies;             ///< in order, after what is loaded
  std::vector<std::string> sparse;      ///< parameters whose share of zeros is reported
  std::vector<Report> reports;
  std::optional<StopRule> stop;
  std::optional<Measure> keepBest;
};

struct Run {
  std::string name;
  size_t data = 0; ///< index into Description::data
  uint64_t seed = 0;
  std::vector<Load> loads; ///< before the first stage, in order
  std::vector<Stage> stages;
  std::string place;
};

struct Description {
  uint32_t version = 0;
  std::string name, source, cpu;
  uint64_t arenaBytes = 0, stateBytes = 0;
  uint64_t stackBytes = 0; ///< that a task may take
  std::vector<State> states;
  std::vector<Data> data;
  std::vector<Step> steps;
  std::vector<Run> runs;
};

/// Reads and checks a description. Throws Error naming the key, as in `states[3].offset`.
Description parseDescription(std::string_view json);

} // namespace sinter::runtime
