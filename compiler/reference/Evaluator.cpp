//===- Evaluator.cpp -------------------------------------------------------------------------------===//
#include "compiler/reference/Evaluator.h"

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/AffineMap.h"

using namespace mlir;

namespace sinter::reference {

FailureOr<Outcome> Evaluator::run(train::StepOp step, ArrayRef<Tensor> arguments) {
  llvm::DenseMap<Value, const Tensor *> values;
  std::vector<std::unique_ptr<Tensor[]>> storage;
  for (auto [argument, tensor] : llvm::zip_equal(step.getBody().getArguments(), arguments))
    values[argument] = &tensor;

  for (Operation &op : step.getBody().front().without_terminator()) {
    SmallVector<const Tensor *> operands;
    for (Value operand : op.getOperands())
      operands.push_back(values.at(operand));
    auto results = std::make_unique<Tensor[]>(op.getNumResults());
    for (auto [index, type] : llvm::enumerate(op.getResultTypes()))
      results[index] = Tensor(type);
    if (failed(run(&op, operands, {results.get(), op.getNumResults()})))
      return failure();
    if (observe)
      observe(&op, {results.get(), op.getNumResults()});
    for (OpResult result : op.getResults())
      values[result] = &results[result.getResultNumber()];
    storage.push_back(std::move(results));
  }

  Outcome outcome;
  train::CommitOp commit = step.getCommit();
  for (auto [name, value] :
       llvm::zip_equal(commit.getStates().getAsValueRange<FlatSymbolRefAttr>(), commit.getValues()))
    outcome.states[name] = *values.at(value);
  for (auto [name, value] :
       llvm::zip_equal(commit.getOutputNames().getAsValueRange<StringAttr>(), commit.getOutputs()))
    outcome.outputs[name] = *values.at(value);
  for (auto [name, value] :
       llvm::zip_equal(commit.getResultNames().getAsValueRange<StringAttr>(), commit.getResults_()))
    outcome.results[name] = *values.at(value);
  return outcome;
}

/// result[p] = operand[map(p)]
static void runView(AffineMap map, const Tensor &operand, Tensor &result) {
  const std::vector<int64_t> strides = operand.strides();
  size_t at = 0;
  forEachPoint(result.shape, [&](const std::vector<int64_t> &point) {
    int64_t from = 0;
    for (auto [axis, coordinate] : llvm::enumerate(map.compose(point)))
      from += coordinate * strides[axis];
    if (result.isFloat())
      result.floats[at++] = operand.floats[from];
    else
      result.integers[at++] = operand.integers[from];
  });
}

LogicalResult Evaluator::run(Operation *op, ArrayRef<const Tensor *> operands,
                             MutableArrayRef<Tensor> results) {
  if (auto pointwise = dyn_cast<train::Pointwise>(op))
    return runPointwise(pointwise, operands, results);
  if (auto contraction = dyn_cast<train::Contraction>(op)) {
    runContraction(contraction, operands, results[0]);
    return success();
  }
  if (auto scan = dyn_cast<train::ScanOp>(op))
    return runScan(scan, operands, results);
  if (auto view = dyn_cast<train::View>(op))
    if (const AffineMap map = view.getAccessMap()) {
      runView(map, *operands[0], results[0]);
      return success();
    }
  if (const Rule rule = ruleFor(op)) {
    rule(*this, op, operands, results);
    return success();
  }
  return op->emitOpError("has no meaning to the reference evaluator");
}

LogicalResult Evaluator::runPointwise(train::Pointwise op, ArrayRef<const Tensor *> operands,
                                      MutableArrayRef<Tensor> results) {
  auto known = programs.find(op);
  if (known == programs.end()) {
    FailureOr<ScalarProgram> built = ScalarProgram::of(op, precision);
    if (failed(built))
      return failure();
    known = programs.try_emplace(op, std::move(*built)).first;
  }
  ScalarProgram &program = known->second;

  SmallVector<Scalar> arguments(operands.size());
  size_t at = 0;
  forEachPoint(results[0].shape, [&](const std::vector<int64_t> &point) {
    for (auto [argument, operand] : llvm::zip_equal(arguments, operands)) {
      const size_t from = operand->rank() == 0 ? 0 : at;
      if (operand->isFloat())
        argument.real = operand->floats[from];
      else
        argument.integer = operand->integers[from];
    }
    for (auto [result, scalar] : llvm::zip_equal(results, program.run(arguments, point)))
      if (result.isFloat())
        result.floats[at] = scalar.real;
      else
        result.integers[at] = scalar.integer;
    ++at;
  });
  return success();
}

namespace {
/// One tensor of a contraction: which of its elements a point of the domain reads, if any.
class Access {
public:
  Access(AffineMap map, const Tensor &tensor) : shape(tensor.shape), strides(tensor.strides()) {
    const std::vector<int64_t> origin(map.getNumDims(), 0);
    offsets = compose(map, origin);
    for (unsigned dim = 0; dim < map.getNumDims(); ++dim) {
      std::vector<int64_t> unit = origin;
      unit[dim] = 1;
      steps.push_back(compose(map, unit));
      for (size_t axis = 0; axis < shape.size(); ++axis)
        steps.back()[axis] -= offsets[axis];
    }
  }

  /// The element's number at this point; below 0 where it falls outside.
  int64_t at(const std::vector<int64_t> &point) const {
    int64_t number = 0;
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      int64_t coordinate = offsets[axis];
      for (size_t dim = 0; dim < point.size(); ++dim)
        coordinate += steps[dim][axis] * point[dim];
      if (coordinate < 0 || coordinate >= shape[axis])
        return -1;
      number += coordinate * strides[axis];
    }
    return number;
  }

  /// How far the element moves when the last dimension moves by one, if no axis that it moves along can end early:
  /// then a whole run along that dimension is absent or present as one.
  std::optional<int64_t> lastStep(int64_t extent) const {
    int64_t step = 0;
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      const int64_t along = steps.back()[axis];
      if (along != 0 && (along != 1 || offsets[axis] != 0 || extent != shape[axis] || !alone(axis)))
        return std::nullopt;
      step += along * strides[axis];
    }
    return step;
  }

private:
  static std::vector<int64_t> compose(AffineMap map, const std::vector<int64_t> &point) {
    const SmallVector<int64_t> coordinates = map.compose(point);
    return {coordinates.begin(), coordinates.end()};
  }
  /// Only the last dimension moves along this axis.
  bool alone(size_t axis) const {
    return llvm::all_of(llvm::drop_end(steps),
                        [&](const std::vector<int64_t> &step) { return step[axis] == 0; });
  }

  std::vector<int64_t> shape, strides, offsets;
  std::vector<std::vector<int64_t>> steps; ///< by dimension, then axis
};
} // namespace

// Walks the domain in its order and adds each product to its element. A point is absent where any of the three falls
// outside. Runs along the last dimension share one look-up where they can.
void Evaluator::runContraction(train::Contraction op, ArrayRef<const Tensor *> operands,
                               Tensor &result) const {
  const SmallVector<int64_t> domain = op.getDomain();
  const SmallVector<AffineMap> maps = op.getAccessMaps();
  const Access lhs(maps[0], *operands[0]), rhs(maps[1], *operands[1]), out(maps[2], result);
  const double *a = operands[0]->floats.data(), *b = operands[1]->floats.data();
  double *c = result.floats.data();

  auto add = [&](int64_t i, int64_t j, int64_t k) { c[k] = round(c[k] + round(a[i] * b[j])); };
  if (domain.empty())
    return add(0, 0, 0);

  const int64_t run = domain.back();
  const auto aStep = lhs.lastStep(run), bStep = rhs.lastStep(run), cStep = out.lastStep(run);
  const bool inRuns = aStep && bStep && cStep;
  SmallVector<int64_t> walked(domain);
  if (inRuns)
    walked.back() = std::min<int64_t>(run, 1);
  forEachPoint(walked, [&](const std::vector<int64_t> &point) {
    const int64_t i = lhs.at(point), j = rhs.at(point), k = out.at(point);
    if (i < 0 || j < 0 || k < 0)
      return;
    if (!inRuns)
      return add(i, j, k);
    for (int64_t n = 0; n < run; ++n)
      add(i + n * *aStep, j + n * *bStep, k + n * *cStep);
  });
}

} // namespace sinter::reference
