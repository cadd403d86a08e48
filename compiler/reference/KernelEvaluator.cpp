//===- KernelEvaluator.cpp - planned tasks, point by point, slow and obvious -----------------------===//
#include "compiler/reference/KernelEvaluator.h"

#include "compiler/reference/Tensor.h"
#include "compiler/reference/Winograd.h"
#include "dialects/kernel/Access.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/AffineExpr.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

using namespace mlir;

namespace sinter::reference {
namespace {

/// `real` for floats, `integer` for the rest, sign-extended; a boolean is 0 or 1.
struct Number {
  double real = 0;
  int64_t integer = 0;
};

int64_t wrapped(int64_t value, unsigned width) {
  return width == 1 ? value & 1 : llvm::SignExtend64(static_cast<uint64_t>(value), width);
}

unsigned widthOf(Type type) { return type.isInteger() ? type.getIntOrFloatBitWidth() : 64; }

//===--- bodies -----------------------------------------------------------------------------------===//

/// A body as steps over numbered registers.
class Body {
public:
  /// `known`: index values from outside.
  static FailureOr<Body> of(Block &block, const llvm::DenseMap<Value, int64_t> &known);

  /// The values yielded, for these block arguments at this point of the domain.
  ArrayRef<Number> run(ArrayRef<Number> arguments, ArrayRef<int64_t> point) {
    llvm::copy(arguments, registers.begin());
    for (auto &step : steps)
      step(registers.data(), point.data());
    for (auto [to, from] : llvm::zip_equal(outcome, yields))
      to = registers[from];
    return outcome;
  }

private:
  using Step = std::function<void(Number *, const int64_t *)>;
  static Step stepOf(Operation &op, unsigned result, ArrayRef<unsigned> in);

  std::vector<Number> registers, outcome;
  std::vector<Step> steps;
  std::vector<unsigned> yields;
};

FailureOr<Body> Body::of(Block &block, const llvm::DenseMap<Value, int64_t> &known) {
  Body body;
  llvm::DenseMap<Value, unsigned> numbers;
  const auto number = [&](Value value) {
    const auto fresh = static_cast<unsigned>(body.registers.size());
    numbers[value] = fresh;
    body.registers.emplace_back();
    return fresh;
  };
  llvm::for_each(block.getArguments(), number);
  for (Operation &op : block.without_terminator()) {
    for (Value operand : op.getOperands())
      if (auto outside = known.find(operand);
          outside != known.end() && !numbers.contains(operand)) {
        const unsigned at = number(operand);
        body.registers[at].integer = outside->second;
      }
    const SmallVector<unsigned> in =
        llvm::map_to_vector(op.getOperands(), [&](Value operand) { return numbers.at(operand); });
    const unsigned result = number(op.getResult(0));
    for (Value other : op.getResults().drop_front())
      number(other);
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      if (auto real = dyn_cast<FloatAttr>(constant.getValue()))
        body.registers[result].real = real.getValueAsDouble();
      else
        body.registers[result].integer = cast<IntegerAttr>(constant.getValue()).getInt();
      continue;
    }
    Step step = stepOf(op, result, in);
    if (!step)
      return op.emitOpError("is not known to the kernel evaluator");
    body.steps.push_back(std::move(step));
  }
  for (Value value : block.getTerminator()->getOperands())
    body.yields.push_back(numbers.at(value));
  body.outcome.resize(body.yields.size());
  return body;
}

bool compare(arith::CmpFPredicate predicate, double a, double b) {
  const bool unordered = std::isnan(a) || std::isnan(b);
  switch (predicate) {
    using enum arith::CmpFPredicate;
  case OEQ:
    return a == b;
  case ONE:
    return !unordered && a != b;
  case OLT:
    return a < b;
  case OLE:
    return a <= b;
  case OGT:
    return a > b;
  case OGE:
    return a >= b;
  case UEQ:
    return unordered || a == b;
  case UNE:
    return a != b;
  case ULT:
    return unordered || a < b;
  case ULE:
    return unordered || a <= b;
  case UGT:
    return unordered || a > b;
  case UGE:
    return unordered || a >= b;
  case UNO:
    return unordered;
  case ORD:
    return !unordered;
  case AlwaysTrue:
    return true;
  case AlwaysFalse:
    return false;
  }
  return false;
}

Body::Step Body::stepOf(Operation &op, unsigned result, ArrayRef<unsigned> in) {
  const unsigned a = in.size() > 0 ? in[0] : 0, b = in.size() > 1 ? in[1] : 0,
                 c = in.size() > 2 ? in[2] : 0;
  const unsigned width = widthOf(op.getResult(0).getType());
  const unsigned inWidth = op.getNumOperands() ? widthOf(op.getOperand(0).getType()) : 64;
  const auto unary = [&](double (*f)(double)) -> Step {
    return [=](Number *r, const int64_t *) { r[result].real = f(r[a].real); };
  };
  const auto binary = [&](auto f) -> Step {
    return [=](Number *r, const int64_t *) { r[result].real = f(r[a].real, r[b].real); };
  };
  const auto integers = [&](auto f) -> Step {
    return [=](Number *r, const int64_t *) {
      r[result].integer = wrapped(static_cast<int64_t>(f(static_cast<uint64_t>(r[a].integer),
                                                         static_cast<uint64_t>(r[b].integer))),
                                  width);
    };
  };
  const auto bits = [](int64_t value, unsigned size) {
    return static_cast<uint64_t>(value) & llvm::maskTrailingOnes<uint64_t>(size);
  };
  const auto reinterpreted = [&](bool isSigned) -> Step {
    return [=](Number *r, const int64_t *) {
      r[result].integer = isSigned
                              ? wrapped(r[a].integer, width)
                              : wrapped(static_cast<int64_t>(bits(r[a].integer, inWidth)), width);
    };
  };
  return llvm::TypeSwitch<Operation *, Step>(&op)
      .Case([&](kernel::IndexOp index) -> Step {
        const int64_t axis = index.getAxis();
        return [=](Number *r, const int64_t *point) { r[result].integer = point[axis]; };
      })
      .Case([&](arith::AddFOp) { return binary(std::plus<double>()); })
      .Case([&](arith::SubFOp) { return binary(std::minus<double>()); })
      .Case([&](arith::MulFOp) { return binary(std::multiplies<double>()); })
      .Case([&](arith::DivFOp) { return binary(std::divides<double>()); })
      .Case([&](arith::NegFOp) { return unary([](double x) { return -x; }); })
      .Case([&](math::FmaOp) -> Step {
        return [=](Number *r, const int64_t *) {
          r[result].real = std::fma(r[a].real, r[b].real, r[c].real);
        };
      })
      .Case([&](math::AbsFOp) { return unary(std::fabs); })
      .Case([&](math::SqrtOp) { return unary(std::sqrt); })
      .Case([&](math::ExpOp) { return unary(std::exp); })
      .Case([&](math::ExpM1Op) { return unary(std::expm1); })
      .Case([&](math::LogOp) { return unary(std::log); })
      .Case([&](math::Log1pOp) { return unary(std::log1p); })
      .Case([&](math::SinOp) { return unary(std::sin); })
      .Case([&](math::CosOp) { return unary(std::cos); })
      .Case([&](math::TanhOp) { return unary(std::tanh); })
      .Case([&](math::ErfOp) { return unary(std::erf); })
      .Case([&](math::FloorOp) { return unary(std::floor); })
      .Case([&](math::PowFOp) { return binary([](double x, double y) { return std::pow(x, y); }); })
      .Case([&](arith::SelectOp) -> Step {
        return [=](Number *r, const int64_t *) { r[result] = r[a].integer ? r[b] : r[c]; };
      })
      .Case([&](arith::CmpFOp cmp) -> Step {
        const auto predicate = cmp.getPredicate();
        return [=](Number *r, const int64_t *) {
          r[result].integer = compare(predicate, r[a].real, r[b].real);
        };
      })
      .Case([&](arith::CmpIOp cmp) -> Step {
        const auto predicate = cmp.getPredicate();
        return [=](Number *r, const int64_t *) {
          r[result].integer = arith::applyCmpPredicate(predicate, APInt(64, bits(r[a].integer, 64)),
                                                       APInt(64, bits(r[b].integer, 64)));
        };
      })
      .Case([&](arith::AddIOp) { return integers(std::plus<uint64_t>()); })
      .Case([&](arith::SubIOp) { return integers(std::minus<uint64_t>()); })
      .Case([&](arith::MulIOp) { return integers(std::multiplies<uint64_t>()); })
      .Case([&](arith::AndIOp) { return integers(std::bit_and<uint64_t>()); })
      .Case([&](arith::OrIOp) { return integers(std::bit_or<uint64_t>()); })
      .Case([&](arith::XOrIOp) { return integers(std::bit_xor<uint64_t>()); })
      .Case([&](arith::ShLIOp) { return integers([](uint64_t x, uint64_t y) { return x << y; }); })
      .Case([&](arith::ShRUIOp) {
        return integers(
            [=](uint64_t x, uint64_t y) { return bits(static_cast<int64_t>(x), width) >> y; });
      })
      .Case([&](arith::MulUIExtendedOp) -> Step {
        return [=](Number *r, const int64_t *) {
          const auto product =
              static_cast<unsigned __int128>(bits(r[a].integer, width)) * bits(r[b].integer, width);
          r[result].integer = wrapped(static_cast<int64_t>(product), width);
          r[result + 1].integer = wrapped(static_cast<int64_t>(product >> width), width);
        };
      })
      .Case<arith::IndexCastOp, arith::TruncIOp, arith::ExtSIOp>(
          [&](auto) { return reinterpreted(true); })
      .Case<arith::ExtUIOp, arith::IndexCastUIOp>([&](auto) { return reinterpreted(false); })
      .Case([&](arith::SIToFPOp) -> Step {
        return
            [=](Number *r, const int64_t *) { r[result].real = static_cast<double>(r[a].integer); };
      })
      .Case([&](arith::UIToFPOp) -> Step {
        return [=](Number *r, const int64_t *) {
          r[result].real = static_cast<double>(bits(r[a].integer, inWidth));
        };
      })
      .Case([&](arith::BitcastOp cast) -> Step {
        if (cast.getType().isF32())
          return [=](Number *r, const int64_t *) {
            r[result].real = std::bit_cast<float>(static_cast<int32_t>(r[a].integer));
          };
        return [=](Number *r, const int64_t *) {
          r[result].integer = std::bit_cast<int32_t>(static_cast<float>(r[a].real));
        };
      })
      .Case<arith::ExtFOp, arith::TruncFOp>(
          [&](auto) -> Step { return [=](Number *r, const int64_t *) { r[result] = r[a]; }; })
      .Default([](Operation *) { return Step(); });
}

//===--- memory -----------------------------------------------------------------------------------===//

/// A planned tensor.
struct Memory {
  uint8_t *data;
  Type element;
  SmallVector<int64_t> shape, strides;

  Number load(int64_t at) const {
    Number number;
    if (element.isF32()) {
      float value;
      std::memcpy(&value, data + 4 * at, 4);
      number.real = value;
    } else if (element.isInteger(32)) {
      int32_t value;
      std::memcpy(&value, data + 4 * at, 4);
      number.integer = value;
    } else {
      number.integer = static_cast<int8_t>(data[at]);
    }
    return number;
  }
  void store(int64_t at, Number number) const {
    if (element.isF32()) {
      const auto value = static_cast<float>(number.real);
      std::memcpy(data + 4 * at, &value, 4);
    } else if (element.isInteger(32)) {
      const auto value = static_cast<int32_t>(number.integer);
      std::memcpy(data + 4 * at, &value, 4);
    } else {
      data[at] = static_cast<uint8_t>(number.integer);
    }
  }
  int64_t elements() const { return llvm::product_of(shape); }
};

int64_t valueAt(AffineExpr expression, ArrayRef<int64_t> point) {
  if (auto dim = dyn_cast<AffineDimExpr>(expression))
    return point[dim.getPosition()];
  if (auto constant = dyn_cast<AffineConstantExpr>(expression))
    return constant.getValue();
  auto binary = cast<AffineBinaryOpExpr>(expression);
  const int64_t a = valueAt(binary.getLHS(), point), b = valueAt(binary.getRHS(), point);
  switch (binary.getKind()) {
  case AffineExprKind::Add:
    return a + b;
  case AffineExprKind::Mul:
    return a * b;
  case AffineExprKind::Mod:
    return llvm::mod(a, b);
  case AffineExprKind::FloorDiv:
    return llvm::divideFloorSigned(a, b);
  default:
    return llvm::divideCeilSigned(a, b);
  }
}

/// The element's position, or nothing where a coordinate is outside.
std::optional<int64_t> positionAt(const Memory &memory, AffineMap map, ArrayRef<int64_t> point) {
  int64_t position = 0;
  for (auto [result, extent, stride] :
       llvm::zip_equal(map.getResults(), memory.shape, memory.strides)) {
    const int64_t at = valueAt(result, point);
    if (at < 0 || at >= extent)
      return std::nullopt;
    position += at * stride;
  }
  return position;
}

bool holds(IntegerSet guard, ArrayRef<int64_t> point) {
  for (auto [constraint, isEquality] :
       llvm::zip_equal(guard.getConstraints(), guard.getEqFlags())) {
    const int64_t value = valueAt(constraint, point);
    if (isEquality ? value != 0 : value < 0)
      return false;
  }
  return true;
}

//===--- tasks ------------------------------------------------------------------------------------===//

class Task {
public:
  Task(kernel::TaskOp task, MutableArrayRef<uint8_t> arena, MutableArrayRef<uint8_t> state)
      : task(task), arena(arena), state(state) {}

  LogicalResult run() { return run(task.getBody().front()); }

private:
  LogicalResult run(Block &block) {
    for (Operation &op : block) {
      if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
        known[constant] = cast<IntegerAttr>(constant.getValue()).getInt();
      } else if (auto view = dyn_cast<memref::ViewOp>(op)) {
        auto type = view.getType();
        views[view] = {bytesBehind(view.getSource()) + known.at(view.getByteShift()),
                       type.getElementType(), SmallVector<int64_t>(type.getShape()),
                       kernel::rowMajorStrides(type.getShape())};
      } else if (auto load = dyn_cast<memref::LoadOp>(op)) {
        int64_t word;
        std::memcpy(&word, views.at(load.getMemRef()).data + 8 * known.at(load.getIndices()[0]), 8);
        known[load] = word;
      } else if (auto cast = dyn_cast<arith::IndexCastOp>(op)) {
        known[cast] = known.at(cast.getIn());
      } else if (auto sweep = dyn_cast<kernel::SweepOp>(op)) {
        if (failed(runSweep(sweep)))
          return failure();
      } else if (auto contract = dyn_cast<kernel::ContractOp>(op)) {
        if (failed(runContract(contract)))
          return failure();
      } else if (auto attend = dyn_cast<kernel::AttendOp>(op)) {
        if (failed(runAttend(attend)))
          return failure();
      } else if (auto winograd = dyn_cast<kernel::WinogradOp>(op)) {
        if (failed(runWinograd(winograd)))
          return failure();
      } else if (auto gather = dyn_cast<kernel::GatherOp>(op)) {
        runGather(gather);
      } else if (auto scatter = dyn_cast<kernel::ScatterAddOp>(op)) {
        runScatterAdd(scatter);
      } else if (auto scan = dyn_cast<kernel::ScanOp>(op)) {
        if (failed(runScan(scan)))
          return failure();
      } else if (!isa<kernel::YieldOp>(op)) {
        return op.emitOpError("is not known to the kernel evaluator");
      }
    }
    return success();
  }

  /// The arena, the state block, or a scan's scratch memory.
  uint8_t *bytesBehind(Value source) {
    if (source == task.getBody().getArgument(0))
      return arena.data();
    return source == task.getBody().getArgument(1) ? state.data() : views.at(source).data;
  }
  SmallVector<Memory> memoryOf(ValueRange operands) {
    return llvm::map_to_vector(operands, [&](Value operand) { return views.at(operand); });
  }
  LogicalResult runSweep(kernel::SweepOp op);
  LogicalResult runContract(kernel::ContractOp op);
  LogicalResult runScan(kernel::ScanOp op);
  LogicalResult runAttend(kernel::AttendOp op);
  LogicalResult runWinograd(kernel::WinogradOp op);
  LogicalResult finishTiles(kernel::WinogradOp op, ArrayRef<double> sums);
  void runGather(kernel::GatherOp op);
  void runScatterAdd(kernel::ScatterAddOp op);

  kernel::TaskOp task;
  MutableArrayRef<uint8_t> arena, state;
  llvm::DenseMap<Value, int64_t> known;
  llvm::DenseMap<Value, Memory> views;
};

Number numberOf(Attribute attribute) {
  Number number;
  if (auto real = dyn_cast<FloatAttr>(attribute))
    number.real = real.getValueAsDouble();
  else
    number.integer = cast<IntegerAttr>(attribute).getInt();
  return number;
}

LogicalResult Task::runSweep(kernel::SweepOp op) {
  FailureOr<Body> body = Body::of(op.getBody().front(), known);
  if (failed(body))
    return failure();
  const SmallVector<Memory> inputs = memoryOf(op.getInputs()), outputs = memoryOf(op.getOutputs());
  SmallVector<AffineMap> maps;
  for (unsigned at = 0; at < op.getMaps().size(); ++at)
    maps.push_back(op.getMap(at));
  if (op.getZero())
    for (const Memory &output : outputs)
      for (int64_t at = 0; at < output.elements(); ++at)
        output.store(at, {});

  const SmallVector<int64_t> parallel(op.getParallel()), reduce(op.getReduce());
  const IntegerSet guard = op.getGuard().value_or(IntegerSet());
  SmallVector<Number> arguments(inputs.size() + (reduce.empty() ? 0 : outputs.size()));
  forEachPoint(parallel, [&](const std::vector<int64_t> &outer) {
    SmallVector<Number> sums;
    if (op.getInit())
      sums = llvm::map_to_vector(*op.getInit(), numberOf);
    else
      sums.resize(outputs.size());
    forEachPoint(reduce, [&](const std::vector<int64_t> &inner) {
      SmallVector<int64_t> point(outer.begin(), outer.end());
      point.append(inner.begin(), inner.end());
      if (IntegerSet set = guard; set && !holds(set, point))
        return;
      for (auto [at, input] : llvm::enumerate(inputs))
        arguments[at] = input.load(*positionAt(input, maps[at], point));
      if (!reduce.empty())
        llvm::copy(sums, arguments.begin() + inputs.size());
      llvm::copy(body->run(arguments, point), sums.begin());
    });
    SmallVector<int64_t> point(outer.begin(), outer.end());
    point.resize(parallel.size() + reduce.size(), 0);
    for (auto [at, output] : llvm::enumerate(outputs))
      output.store(*positionAt(output, maps[inputs.size() + at], point), sums[at]);
  });
  return success();
}

/// To eight bits, to the nearest and to even between two; what is smaller than normal numbers to zero.
double roundedToBf16(float value) {
  if (std::abs(value) < std::numeric_limits<float>::min())
    return std::copysign(0.0, value);
  int exponent = 0;
  const double fraction = std::frexp(value, &exponent);
  return std::isfinite(value) ? std::ldexp(std::nearbyint(std::ldexp(fraction, 8)), exponent - 8)
                              : value;
}

LogicalResult Task::runContract(kernel::ContractOp op) {
  const Memory a = views.at(op.getA()), b = views.at(op.getB());
  const SmallVector<Memory> with = memoryOf(op.getWith()), outputs = memoryOf(op.getOutputs());
  const SmallVector<int64_t> domain = op.getDomain();
  const AffineMap mapA = op.getMap(0), mapB = op.getMap(1), mapC = op.getOutputMap(0);

  const auto read = [&](const Memory &operand, int64_t at) {
    const double value = operand.load(at).real;
    return op.getBf16() ? roundedToBf16(static_cast<float>(value)) : value;
  };
  // Every point adds to the element of the first output that it belongs to.
  std::vector<double> sums(outputs[0].elements(), 0);
  forEachPoint(domain, [&](const std::vector<int64_t> &point) {
    const auto atA = positionAt(a, mapA, point), atC = positionAt(outputs[0], mapC, point);
    if (atA && atC)
      sums[*atC] += read(a, *atA) * read(b, *positionAt(b, mapB, point));
  });
  if (op.getEpilogue().empty()) {
    for (auto [at, sum] : llvm::enumerate(sums))
      outputs[0].store(at, {sum, 0});
    return success();
  }
  FailureOr<Body> body = Body::of(op.getEpilogue().front(), known);
  if (failed(body))
    return failure();
  // Each element once, at the first point that has it; with summed taps several have.
  SmallVector<int64_t> finished(domain);
  for (unsigned axis = op.getFirstSum(); axis < domain.size(); ++axis)
    finished[axis] = 1;
  std::vector<bool> done(outputs[0].elements(), false);
  SmallVector<Number> arguments(1 + with.size());
  forEachPoint(finished, [&](const std::vector<int64_t> &point) {
    const auto at = positionAt(outputs[0], mapC, point);
    if (!at || done[*at])
      return;
    done[*at] = true;
    arguments[0].real = sums[*at];
    for (auto [index, value] : llvm::enumerate(with))
      arguments[1 + index] = value.load(*positionAt(value, op.getMap(2 + index), point));
    for (auto [index, number] : llvm::enumerate(body->run(arguments, point)))
      outputs[index].store(*positionAt(outputs[index], op.getOutputMap(index), point), number);
  });
  return success();
}

/// Share by share, each all its steps.
LogicalResult Task::runScan(kernel::ScanOp op) {
  const unsigned firstOutput = op.getNumOperands() - op.getOutputs().size();
  const auto steps = static_cast<int64_t>(op.getSteps());
  for (int64_t share = 0; share < static_cast<int64_t>(op.getShares()); ++share) {
    const auto partOf = [&](unsigned at, int64_t step) {
      auto type = cast<MemRefType>(op.getBody().getArgument(at).getType());
      const int64_t width = std::max(8u, type.getElementTypeBitWidth()) / 8;
      int64_t elements = op.isCut(at) ? share * type.getNumElements() : 0;
      if (op.walks(at))
        elements += step * kernel::rowMajorStrides(type.getShape())[1];
      return Memory{views.at(op.getOperand(at)).data + elements * width, type.getElementType(),
                    SmallVector<int64_t>(type.getShape()),
                    kernel::rowMajorStrides(type.getShape())};
    };
    for (unsigned i = 0; i < op.getNumCarried(); ++i) {
      const Memory from = partOf(op.getNumSequences() + i, 0), to = partOf(firstOutput + i, 0);
      for (int64_t at = 0; at < to.elements(); ++at)
        to.store(at, from.load(at));
    }
    for (int64_t i = 0; i < steps; ++i) {
      for (unsigned at = 0; at < op.getNumOperands(); ++at)
        views[op.getBody().getArgument(at)] = partOf(at, op.getBackwards() ? steps - 1 - i : i);
      if (failed(run(op.getBody().front())))
        return failure();
    }
  }
  return success();
}

/// Row by row; what shares and tiles there are makes no difference in f64.
LogicalResult Task::runAttend(kernel::AttendOp op) {
  const SmallVector<Memory> inputs = memoryOf(op.getInputs()), outputs = memoryOf(op.getOutputs());
  const Memory &q = inputs[0], &k = inputs[1], &v = inputs[2];
  const int64_t heads = op.getHeads(), queries = op.getQueries(), keys = op.getKeys();
  const int64_t size = op.getSize();
  const double scale = op.getScale().convertToDouble();
  std::optional<Body> keep;
  if (!op.getKeep().empty()) {
    FailureOr<Body> body = Body::of(op.getKeep().front(), known);
    if (failed(body))
      return failure();
    keep = std::move(*body);
  }
  std::vector<std::vector<double>> sums; // of each output
  for (const Memory &output : outputs)
    sums.emplace_back(output.elements(), 0);
  const auto dot = [&](const Memory &a, int64_t i, const Memory &b, int64_t j) {
    double sum = 0;
    for (int64_t d = 0; d < size; ++d)
      sum += a.load(i + d).real * b.load(j + d).real;
    return sum;
  };
  const auto add = [&](unsigned output, int64_t to, double factor, const Memory &from, int64_t at) {
    for (int64_t d = 0; d < size; ++d)
      sums[output][to + d] += factor * from.load(at + d).real;
  };
  forEachPoint({op.getBatch(), heads, queries}, [&](const std::vector<int64_t> &point) {
    const int64_t b = point[0], h = point[1], t = point[2];
    const int64_t query = ((b * queries + t) * heads + h) * size;
    const int64_t row = (b * heads + h) * queries + t;
    const auto key = [&](int64_t s) { return ((b * keys + s) * heads + h) * size; };
    const auto factor = [&](int64_t s) {
      return keep ? keep->run(views.at(op.getIds()).load(b), {b, h, t, s})[0].real : 1;
    };
    std::vector<double> scores;
    for (int64_t s = 0; s < (op.getCausal() ? std::min(keys, t + 1) : keys); ++s)
      scores.push_back(scale * dot(q, query, k, key(s)));
    if (!op.getBackwards()) {
      const double largest = *llvm::max_element(scores);
      double total = 0;
      for (double x : scores)
        total += std::exp(x - largest);
      sums[1][row] = largest + std::log(total);
      for (auto [s, x] : llvm::enumerate(scores))
        add(0, query, std::exp(x - sums[1][row]) * factor(s), v, key(s));
      return;
    }
    const Memory &y = inputs[3], &logsum = inputs[4], &dy = inputs[5];
    const double through = dot(dy, query, y, query);
    for (auto [s, x] : llvm::enumerate(scores)) {
      const double p = std::exp(x - logsum.load(row).real), kept = factor(s);
      const double dx = p * (kept * dot(dy, query, v, key(s)) - through) * scale;
      add(0, query, dx, k, key(s));
      add(1, key(s), dx, q, query);
      add(2, key(s), p * kept, dy, query);
    }
  });
  for (auto [output, values] : llvm::zip_equal(outputs, sums))
    for (auto [at, value] : llvm::enumerate(values))
      output.store(at, {value, 0});
  return success();
}

LogicalResult Task::runWinograd(kernel::WinogradOp op) {
  const Memory x = views.at(op.getX()), other = views.at(op.getOther());
  const Memory output = views.at(op.getOutput());
  const ArrayRef<int64_t> image = op.shapeOf(0), result = op.shapeOfResult();
  const auto exact = [](double value) { return value; };
  const Winograd tiles{image[0],  image[1],  image[2],           image[3],           result[1],
                       result[2], result[3], op.getPadding()[0], op.getPadding()[1], exact};
  const auto read = [](const Memory &memory) {
    return [&](int64_t at) { return memory.load(at).real; };
  };
  if (!op.getByWeight()) {
    std::vector<double> filters, sums(output.elements());
    if (op.makesFilters())
      filters = tiles.filters(read(other), op.getTurned());
    tiles.forwards(
        read(x), [&](int64_t at) { return filters.empty() ? other.load(at).real : filters[at]; },
        [&](int64_t at, double value) { sums[at] = value; });
    return finishTiles(op, sums);
  }
  const int64_t shards = op.getShards(), chunks = op.getChunks(), block = op.getBlock()[0];
  for (int64_t shard = 0; shard < shards; ++shard) {
    const int64_t first = shard * output.elements() / shards;
    const auto tileOf = [&](int64_t of) {
      return std::min(tiles.tiles(), chunks * of / shards * block);
    };
    tiles.byWeight(read(x), read(other), tileOf(shard), tileOf(shard + 1),
                   [&](int64_t at, double value) { output.store(first + at, {value, 0}); });
  }
  return success();
}

/// Each element of the result through the epilogue, where there is one.
LogicalResult Task::finishTiles(kernel::WinogradOp op, ArrayRef<double> sums) {
  const Memory output = views.at(op.getOutput());
  if (op.getEpilogue().empty()) {
    for (auto [at, sum] : llvm::enumerate(sums))
      output.store(at, {sum, 0});
    return success();
  }
  FailureOr<Body> body = Body::of(op.getEpilogue().front(), known);
  if (failed(body))
    return failure();
  const SmallVector<Memory> with = memoryOf(op.getWith());
  SmallVector<Number> arguments(1 + with.size());
  size_t next = 0; // points go in row-major order, as the elements lie
  forEachPoint(SmallVector<int64_t>(op.shapeOfResult()), [&](const std::vector<int64_t> &point) {
    arguments[0].real = sums[next];
    for (auto [index, value] : llvm::enumerate(with))
      arguments[1 + index] = value.load(*positionAt(value, op.getRead(index), point));
    output.store(next++, body->run(arguments, point)[0]);
  });
  return success();
}

void Task::runGather(kernel::GatherOp op) {
  const Memory table = views.at(op.getTable()), ids = views.at(op.getIds());
  const Memory output = views.at(op.getOutput());
  for (int64_t at = 0; at < op.getNumIds(); ++at)
    for (int64_t i = 0; i < op.getSize(); ++i)
      output.store(at * op.getSize() + i, table.load(ids.load(at).integer * op.getSize() + i));
}

void Task::runScatterAdd(kernel::ScatterAddOp op) {
  const Memory x = views.at(op.getX()), ids = views.at(op.getIds());
  const Memory output = views.at(op.getOutput());
  std::vector<double> sums(output.elements(), 0);
  for (int64_t at = 0; at < op.getNumIds(); ++at)
    for (int64_t i = 0; i < op.getSize(); ++i)
      sums.at(ids.load(at).integer * op.getSize() + i) += x.load(at * op.getSize() + i).real;
  for (auto [at, sum] : llvm::enumerate(sums))
    output.store(at, {sum, 0});
}

} // namespace

LogicalResult runStep(kernel::StepOp step, MutableArrayRef<uint8_t> arena,
                      MutableArrayRef<uint8_t> state, TaskOrder order) {
  SmallVector<kernel::TaskOp> phase;
  const auto runPhase = [&]() -> LogicalResult {
    if (order == TaskOrder::Reversed)
      std::reverse(phase.begin(), phase.end());
    for (kernel::TaskOp task : phase)
      if (failed(Task(task, arena, state).run()))
        return failure();
    phase.clear();
    return success();
  };
  for (auto name : step.getTasks().getAsRange<FlatSymbolRefAttr>()) {
    auto task = SymbolTable::lookupNearestSymbolFrom<kernel::TaskOp>(step, name);
    if (task.getWait() && failed(runPhase()))
      return failure();
    phase.push_back(task);
  }
  return runPhase();
}

} // namespace sinter::reference
