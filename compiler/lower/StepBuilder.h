//===- StepBuilder.h - a graph on one example becomes a step on a batch -----------------------===//
// Values of the model floor have axes in PyTorch's order and no batch. In a step each is a tensor
// whose axes may lie in another order, with the batch in front where the value differs between
// examples. Both are kept beside the tensor, so a permutation costs nothing until an op needs a
// certain order.
#pragma once

#include "dialects/model/ModelOps.h"
#include "dialects/train/TrainOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"

namespace sinter::lower {

using Order = llvm::SmallVector<int64_t, 4>;

/// The identity of `rank` axes.
Order inOrder(int64_t rank);
/// How activations of a rank lie: [C, H, W] as H, W, C; all others as they are.
Order activationOrder(int64_t rank);

/// A model value in a step. Memory axis i (behind the batch, if it is there) is the model's axis
/// order[i].
struct Tensor {
  mlir::Value value;
  Order order;
  bool batched = false;

  mlir::RankedTensorType type() const {
    return llvm::cast<mlir::RankedTensorType>(value.getType());
  }
  int64_t rank() const { return static_cast<int64_t>(order.size()); }
  /// Extents in PyTorch's order, without the batch.
  llvm::SmallVector<int64_t> shape() const;
  /// Where the model's axis lies in memory, the batch counted.
  int64_t position(int64_t axis) const;
};

/// A parameter or buffer: its train.state, and how that lies.
struct State {
  mlir::FlatSymbolRefAttr symbol;
  mlir::RankedTensorType type; ///< as it lies in memory
  Order order;
  bool trained = true; ///< false: a buffer
  mlir::Location location;
  mlir::FlatSymbolRefAttr of; ///< a teacher's: what it averages, by the name at the model floor
};
using States = llvm::MapVector<mlir::StringAttr, State>; ///< by the name at the model floor

class StepBuilder {
public:
  /// Starts `train.step @name` of this kind where `builder` stands, with an argument for every
  /// clock, field and state; `finish` drops those that nothing reads. Batch norm and dropout follow
  /// `kind` and the stage's frozen layers.
  StepBuilder(mlir::OpBuilder &builder, model::TrainOp train, model::DataOp data,
              const States &states, model::StageOp stage, llvm::StringRef name,
              llvm::StringRef kind);

  /// Lowers every graph op of a block of a stage; what is no graph op is passed over.
  mlir::LogicalResult lowerGraph(mlir::Block &block);
  /// A net on these inputs; computed once for equal ones.
  mlir::FailureOr<llvm::SmallVector<Tensor>> callNet(model::NetOp net,
                                                     llvm::ArrayRef<Tensor> inputs);

  Tensor get(mlir::Value value) const { return values.at(value); }
  /// A field of the data; null where there is none.
  std::optional<Tensor> field(llvm::StringRef name);
  /// A parameter or buffer as it was when the step began.
  Tensor state(llvm::StringRef name) const;
  mlir::BlockArgument clock(llvm::StringRef name) const { return clocks.lookup(name); }
  /// What each running statistic becomes behind the batch, by state, in the order of first use.
  const llvm::MapVector<mlir::StringAttr, mlir::Value> &newStatistics() const { return statistics; }
  /// What each buffer that an `update` names becomes at the end of the step, likewise.
  const llvm::MapVector<mlir::StringAttr, mlir::Value> &newBuffers() const { return buffers; }

  /// The mean over the batch's examples of a value per example.
  mlir::Value batchMean(const Tensor &perExample);
  /// `tensor` with the batch written out and its axes in PyTorch's order, as f32.
  mlir::Value asResult(const Tensor &tensor);

  /// The argument of a state; adds one that reads it where there is none.
  mlir::BlockArgument read(mlir::FlatSymbolRefAttr symbol, mlir::Type type,
                           mlir::Location location);
  /// Adds an argument that owns a state, or turns the one that reads it into its owner.
  mlir::BlockArgument own(mlir::FlatSymbolRefAttr symbol, mlir::Type type, mlir::Location location);
  /// Ends the step (the commit must stand) and drops arguments without a use.
  train::StepOp finish();

  mlir::ImplicitLocOpBuilder builder;

  //===--- pieces that lowering and updates are made of ---------------------------------------===//

  mlir::Value constant(double value);
  template <typename Op> mlir::Value unary(mlir::Value x) {
    return Op::create(builder, x.getType(), x);
  }
  /// A pointwise op of two; one may have rank 0.
  template <typename Op> mlir::Value binary(mlir::Value a, mlir::Value b) {
    const bool first = llvm::cast<mlir::RankedTensorType>(a.getType()).getRank() > 0;
    return Op::create(builder, (first ? a : b).getType(), a, b);
  }
  /// Σ over all axes of an unbatched tensor, a scalar.
  mlir::Value sumAll(mlir::Value x);

private:
  //===--- layout -----------------------------------------------------------------------------===//

  mlir::Value transposed(mlir::Value value, llvm::ArrayRef<int64_t> perm);
  mlir::Value reshaped(mlir::Value value, llvm::ArrayRef<int64_t> shape);
  mlir::Value broadcast(mlir::Value value, llvm::ArrayRef<int64_t> shape,
                        llvm::ArrayRef<int64_t> dims);
  /// The same value with its axes in this order.
  Tensor ordered(const Tensor &tensor, llvm::ArrayRef<int64_t> order);
  /// The same value with the model's axis innermost.
  Tensor withLast(const Tensor &tensor, int64_t axis);
  /// The same value, one row an example.
  Tensor withBatch(const Tensor &tensor);
  /// `tensor` as an operand of a pointwise op whose result has this shape (PyTorch's order), order
  /// and batch.
  mlir::Value operandFor(const Tensor &tensor, llvm::ArrayRef<int64_t> shape,
                         llvm::ArrayRef<int64_t> order, bool batched);
  /// The order in which a pointwise op on these gives its result.
  Order commonOrder(llvm::ArrayRef<Tensor> operands, int64_t rank);
  mlir::RankedTensorType typeOf(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> order,
                                bool batched, mlir::Type element);
  /// The shape of a result at the model floor.
  static llvm::ArrayRef<int64_t> modelShape(mlir::Value value);

  /// Operands brought to the shape, order and batch of a pointwise op with this result.
  struct Pointwise {
    llvm::SmallVector<mlir::Value> operands;
    mlir::RankedTensorType type;
    Order order;
    bool batched;
  };
  Pointwise pointwise(mlir::ValueRange operands, mlir::Value result);

  //===--- one op each ------------------------------------------------------------------------===//

  mlir::LogicalResult lowerOp(mlir::Operation &op);
  /// Marks the ops built behind `before` where the stage computes them again in the backward pass.
  void markAgain(mlir::Operation &from, mlir::Operation *before);
  void set(mlir::Value value, Tensor tensor) { values[value] = std::move(tensor); }
  void set(mlir::Value value, const Pointwise &like, mlir::Value result) {
    values[value] = Tensor{result, like.order, like.batched};
  }

  mlir::LogicalResult lower(model::CallOp op);
  mlir::LogicalResult lower(model::FieldOp op);
  mlir::LogicalResult lower(model::ReadOp op);
  mlir::LogicalResult lower(model::ConstantOp op);
  mlir::LogicalResult lower(model::ScheduleOp op);
  mlir::LogicalResult lower(model::IntegerOp op);
  mlir::LogicalResult lower(model::RandomNormalOp op);
  mlir::LogicalResult lower(model::RandomUniformOp op);
  mlir::LogicalResult lower(model::UpdateOp op);

  mlir::LogicalResult lower(model::DenseOp op);
  mlir::LogicalResult lower(model::Conv2dOp op);
  mlir::LogicalResult lower(model::Conv1dOp op);
  mlir::LogicalResult lower(model::ConvTranspose2dOp op);
  mlir::LogicalResult lower(model::MaxPool2dOp op);
  mlir::LogicalResult lower(model::AvgPool2dOp op);
  mlir::LogicalResult lower(model::GlobalAvgPoolOp op);
  mlir::LogicalResult lower(model::BatchNormOp op);
  mlir::LogicalResult lower(model::GroupNormOp op);
  mlir::LogicalResult lower(model::DropoutOp op);
  mlir::LogicalResult lower(model::RnnOp op);
  mlir::LogicalResult lower(model::LstmOp op);
  mlir::LogicalResult lower(model::GruOp op);
  template <typename Op> mlir::LogicalResult lowerRecurrent(Op op);
  mlir::LogicalResult lower(model::GaussianNoiseOp op);
  mlir::LogicalResult lower(model::Upsample2dOp op);
  mlir::LogicalResult lower(model::PixelShuffleOp op);

  mlir::LogicalResult lower(model::EmbeddingOp op);
  mlir::LogicalResult lower(model::SinusoidOp op);
  mlir::LogicalResult lower(model::AttentionOp op);

  mlir::LogicalResult lower(model::FlattenOp op);
  mlir::LogicalResult lower(model::ReshapeOp op);
  mlir::LogicalResult lower(model::PermuteOp op);
  mlir::LogicalResult lower(model::ConcatOp op);
  mlir::LogicalResult lower(model::SliceOp op);
  mlir::LogicalResult lower(model::PadOp op);

  mlir::LogicalResult lower(model::LeakyReluOp op);
  mlir::LogicalResult lower(model::EluOp op);
  mlir::LogicalResult lower(model::GeluOp op);
  mlir::LogicalResult lower(model::ClampOp op);
  mlir::LogicalResult lower(model::WhereOp op);
  template <typename To> mlir::LogicalResult lowerUnary(mlir::Operation *op);
  template <typename To> mlir::LogicalResult lowerBinary(mlir::Operation *op);
  mlir::LogicalResult lowerComparison(mlir::Operation *op, llvm::StringRef predicate);

  mlir::LogicalResult lower(model::SoftmaxOp op);
  mlir::LogicalResult lower(model::LogSoftmaxOp op);
  mlir::LogicalResult lower(model::SumOp op);
  mlir::LogicalResult lower(model::MeanOp op);
  mlir::LogicalResult lower(model::MaxOp op);
  mlir::LogicalResult lower(model::MinOp op);
  mlir::LogicalResult lower(model::MatmulOp op);
  mlir::LogicalResult lower(model::OneHotOp op);
  mlir::LogicalResult lower(model::ArgmaxOp op);
  mlir::LogicalResult lower(model::BatchMeanOp op);
  mlir::LogicalResult lower(model::PairwiseOp op);
  mlir::LogicalResult lower(model::MaskColumnsOp op);
  mlir::LogicalResult lower(model::BatchCountOp op);
  mlir::LogicalResult lower(model::CrossEntropyOp op);
  mlir::LogicalResult lower(model::MseOp op);
  mlir::LogicalResult lower(model::AccuracyOp op);
  mlir::LogicalResult lower(model::TopKOp op);

  /// Whether a layer is in training mode here.
  bool trains(llvm::StringRef layer) const;
  mlir::LogicalResult lowerReduction(
      mlir::Value x, llvm::ArrayRef<int64_t> axes, bool keep, mlir::Value result,
      llvm::function_ref<mlir::Value(mlir::Value, llvm::ArrayRef<int64_t>, mlir::Type)> reduce);
  /// The mean over all axes but the batch's.
  Tensor meanPerExample(const Tensor &tensor);
  mlir::Value addBias(mlir::Value y, mlir::Value bias);
  /// Whether weight and bias are the same for every example; tells of it where they are not.
  mlir::LogicalResult sharedWeights(mlir::Operation *op, mlir::Value weight, mlir::Value bias);
  /// The convolution of x [B, H, W, C] with w [kh, kw, C / groups, O] to a y of this shape.
  mlir::Value convolve(mlir::Value x, mlir::Value w, llvm::ArrayRef<int64_t> yShape,
                       llvm::ArrayRef<int64_t> stride, llvm::ArrayRef<int64_t> padding,
                       llvm::ArrayRef<int64_t> dilation, int64_t groups);
  /// Numbers in [0, 1), one for each element of a batched type, keyed by `purpose`.
  mlir::Value uniform(mlir::RankedTensorType type, llvm::StringRef purpose);
  /// Numbers of mean 0 and deviation 1, from two draws.
  mlir::Value normal(mlir::RankedTensorType type, const std::string &purpose);
  /// What the next draw of a layer is keyed by: each use has its own.
  std::string nextPurpose(llvm::StringRef path);
  mlir::Value sliceAlong(mlir::Value x, int64_t axis, int64_t from, int64_t count);
  mlir::Value concatAlong(llvm::ArrayRef<mlir::Value> parts, int64_t axis);
  /// A batched value with each element zero with probability p, the others as they are. Each use of a
  /// layer draws its own numbers.
  mlir::Value dropped(mlir::Value x, double p, llvm::StringRef layer);
  mlir::Value sumOver(mlir::Value x, llvm::ArrayRef<int64_t> axes);

  train::StepOp step;
  model::DataOp data;
  model::TrainOp train;
  const States &states;
  int64_t batch;
  bool training;
  llvm::StringMap<bool> frozenLayers;
  llvm::SmallVector<llvm::StringRef> recompute; ///< instances whose values are not kept
  std::string part;                             ///< that the last marked op belongs to
  int netCalls = 0;
  bool inNet = false;

  llvm::StringMap<mlir::BlockArgument> clocks;
  llvm::StringMap<Tensor> fields;
  llvm::StringMap<Tensor> conditions; ///< fields of i1, which come as numbers, once they are read
  llvm::DenseMap<mlir::Value, Tensor> values;
  llvm::MapVector<mlir::StringAttr, mlir::Value> statistics, buffers;
  llvm::StringMap<int> draws; ///< how often a layer has drawn random numbers
  struct Call {
    model::NetOp net;
    llvm::SmallVector<Tensor> inputs, results;
  };
  llvm::SmallVector<Call> calls;
};

} // namespace sinter::lower
