//===- ScalarProgram.cpp ---------------------------------------------------------------------------===//
#include "compiler/reference/ScalarProgram.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"
#include <bit>
#include <cmath>

using namespace mlir;

namespace sinter::reference {
namespace {

using Inputs = const Scalar *const *;

/// `value` as a signed number of `width` bits; a boolean is 0 or 1.
int64_t wrap(int64_t value, unsigned width) {
  return width == 1 ? value & 1 : llvm::SignExtend64(static_cast<uint64_t>(value), width);
}

uint64_t unsignedOf(int64_t value, unsigned width) {
  return static_cast<uint64_t>(value) & llvm::maskTrailingOnes<uint64_t>(width);
}

template <double (*function)(double)> void unary(Inputs in, Scalar *out, unsigned) {
  out->real = function(in[0]->real);
}
template <typename Function> void binary(Inputs in, Scalar *out, unsigned) {
  out->real = Function()(in[0]->real, in[1]->real);
}
template <typename Function> void integerBinary(Inputs in, Scalar *out, unsigned width) {
  // Unsigned, so that wrapping round is defined.
  out->integer = wrap(static_cast<int64_t>(Function()(static_cast<uint64_t>(in[0]->integer),
                                                      static_cast<uint64_t>(in[1]->integer))),
                      width);
}

template <arith::CmpFPredicate predicate> void compareFloats(Inputs in, Scalar *out, unsigned) {
  using enum arith::CmpFPredicate;
  const double a = in[0]->real, b = in[1]->real;
  if constexpr (predicate == OEQ)
    out->integer = a == b;
  else if constexpr (predicate == UNE)
    out->integer = a != b;
  else if constexpr (predicate == OLT)
    out->integer = a < b;
  else if constexpr (predicate == OLE)
    out->integer = a <= b;
  else if constexpr (predicate == OGT)
    out->integer = a > b;
  else
    out->integer = a >= b;
}

template <arith::CmpIPredicate predicate>
void compareIntegers(Inputs in, Scalar *out, unsigned width) {
  using enum arith::CmpIPredicate;
  const int64_t a = in[0]->integer, b = in[1]->integer;
  const uint64_t ua = unsignedOf(a, width), ub = unsignedOf(b, width);
  if constexpr (predicate == eq)
    out->integer = a == b;
  else if constexpr (predicate == ne)
    out->integer = a != b;
  else if constexpr (predicate == slt)
    out->integer = a < b;
  else if constexpr (predicate == sle)
    out->integer = a <= b;
  else if constexpr (predicate == sgt)
    out->integer = a > b;
  else if constexpr (predicate == sge)
    out->integer = a >= b;
  else if constexpr (predicate == ult)
    out->integer = ua < ub;
  else if constexpr (predicate == ule)
    out->integer = ua <= ub;
  else if constexpr (predicate == ugt)
    out->integer = ua > ub;
  else
    out->integer = ua >= ub;
}

ScalarProgram::Compute comparisonOf(arith::CmpFOp op) {
  switch (op.getPredicate()) {
    using enum arith::CmpFPredicate;
  case OEQ:
    return compareFloats<OEQ>;
  case UNE:
    return compareFloats<UNE>;
  case OLT:
    return compareFloats<OLT>;
  case OLE:
    return compareFloats<OLE>;
  case OGT:
    return compareFloats<OGT>;
  case OGE:
    return compareFloats<OGE>;
  default:
    return nullptr;
  }
}

ScalarProgram::Compute comparisonOf(arith::CmpIOp op) {
  switch (op.getPredicate()) {
    using enum arith::CmpIPredicate;
  case eq:
    return compareIntegers<eq>;
  case ne:
    return compareIntegers<ne>;
  case slt:
    return compareIntegers<slt>;
  case sle:
    return compareIntegers<sle>;
  case sgt:
    return compareIntegers<sgt>;
  case sge:
    return compareIntegers<sge>;
  case ult:
    return compareIntegers<ult>;
  case ule:
    return compareIntegers<ule>;
  case ugt:
    return compareIntegers<ugt>;
  case uge:
    return compareIntegers<uge>;
  }
  return nullptr;
}

double negate(double x) { return -x; }

/// The bits of a float as a number, and back.
void bitsOfFloat(Inputs in, Scalar *out, unsigned) {
  out->integer = std::bit_cast<int32_t>(static_cast<float>(in[0]->real));
}
void floatOfBits(Inputs in, Scalar *out, unsigned) {
  out->real = std::bit_cast<float>(static_cast<int32_t>(in[0]->integer));
}

/// What an op of a body computes; comparisons and constants apart.
const llvm::StringMap<ScalarProgram::Compute> &table() {
  static const llvm::StringMap<ScalarProgram::Compute> entries = {
      {"arith.addf", binary<std::plus<double>>},
      {"arith.subf", binary<std::minus<double>>},
      {"arith.mulf", binary<std::multiplies<double>>},
      {"arith.divf", binary<std::divides<double>>},
      {"arith.negf", unary<negate>},
      {"math.absf", unary<std::fabs>},
      {"math.sqrt", unary<std::sqrt>},
      {"math.exp", unary<std::exp>},
      {"math.expm1", unary<std::expm1>},
      {"math.log", unary<std::log>},
      {"math.log1p", unary<std::log1p>},
      {"math.sin", unary<std::sin>},
      {"math.cos", unary<std::cos>},
      {"math.tanh", unary<std::tanh>},
      {"math.erf", unary<std::erf>},
      {"math.floor", unary<std::floor>},
      {"math.powf",
       [](Inputs in, Scalar *out, unsigned) { out->real = std::pow(in[0]->real, in[1]->real); }},
      {"arith.select",
       [](Inputs in, Scalar *out, unsigned) { *out = in[0]->integer ? *in[1] : *in[2]; }},
      {"arith.addi", integerBinary<std::plus<uint64_t>>},
      {"arith.subi", integerBinary<std::minus<uint64_t>>},
      {"arith.muli", integerBinary<std::multiplies<uint64_t>>},
      {"arith.andi", integerBinary<std::bit_and<uint64_t>>},
      {"arith.ori", integerBinary<std::bit_or<uint64_t>>},
      {"arith.xori", integerBinary<std::bit_xor<uint64_t>>},
      {"arith.shli",
       [](Inputs in, Scalar *out, unsigned width) {
         out->integer = wrap(
             static_cast<int64_t>(static_cast<uint64_t>(in[0]->integer) << in[1]->integer), width);
       }},
      {"arith.shrui",
       [](Inputs in, Scalar *out, unsigned width) {
         out->integer =
             wrap(static_cast<int64_t>(unsignedOf(in[0]->integer, width) >> in[1]->integer), width);
       }},
      {"arith.mului_extended",
       [](Inputs in, Scalar *out, unsigned width) {
         const auto product = static_cast<unsigned __int128>(unsignedOf(in[0]->integer, width)) *
                              unsignedOf(in[1]->integer, width);
         out[0].integer = wrap(static_cast<int64_t>(product), width);
         out[1].integer = wrap(static_cast<int64_t>(product >> width), width);
       }},
      {"arith.index_cast",
       [](Inputs in, Scalar *out, unsigned width) { out->integer = wrap(in[0]->integer, width); }},
      {"arith.trunci",
       [](Inputs in, Scalar *out, unsigned width) { out->integer = wrap(in[0]->integer, width); }},
      {"arith.sitofp",
       [](Inputs in, Scalar *out, unsigned) { out->real = static_cast<double>(in[0]->integer); }},
      {"arith.uitofp",
       [](Inputs in, Scalar *out, unsigned width) {
         out->real = static_cast<double>(unsignedOf(in[0]->integer, width));
       }},
      {"arith.extf", [](Inputs in, Scalar *out, unsigned) { *out = *in[0]; }},
      {"arith.truncf", [](Inputs in, Scalar *out, unsigned) { *out = *in[0]; }},
  };
  return entries;
}

/// Bits of the integers that `op` works on: of its result, or of its operand where the result is a float or a boolean.
unsigned widthOf(Operation *op) {
  Type type = op->getResult(0).getType();
  if (isa<arith::CmpIOp, arith::UIToFPOp>(op))
    type = op->getOperand(0).getType();
  return type.isInteger() ? type.getIntOrFloatBitWidth() : 64;
}

} // namespace

FailureOr<ScalarProgram> ScalarProgram::of(train::Pointwise op, Precision precision) {
  ScalarProgram program;
  Block body;
  OpBuilder builder(op->getContext()); // the block stands in no region that would know it
  builder.setInsertionPointToEnd(&body);
  const Location location = op.getLoc();
  for (Type type : op->getOperandTypes())
    body.addArgument(getElementTypeOrSelf(type), location);
  program.argumentCount = body.getNumArguments();
  for (int64_t axis = 0, rank = cast<RankedTensorType>(op->getResult(0).getType()).getRank();
       axis < rank; ++axis)
    body.addArgument(builder.getIndexType(), location);

  const SmallVector<Value> results =
      op.buildScalar(builder, location, body.getArguments().take_front(program.argumentCount),
                     body.getArguments().drop_front(program.argumentCount));

  llvm::DenseMap<Value, unsigned> numbers;
  auto number = [&](Value value) {
    const auto fresh = static_cast<unsigned>(program.registers.size());
    numbers[value] = fresh;
    program.registers.emplace_back();
    return fresh;
  };
  llvm::for_each(body.getArguments(), number);

  for (Operation &part : body) {
    const unsigned first = number(part.getResult(0));
    for (Value other : part.getResults().drop_front())
      number(other);
    if (auto constant = dyn_cast<arith::ConstantOp>(part)) {
      if (auto real = dyn_cast<FloatAttr>(constant.getValue()))
        program.registers[first].real = real.getValueAsDouble();
      else
        program.registers[first].integer = cast<IntegerAttr>(constant.getValue()).getInt();
      continue;
    }
    Compute compute = nullptr;
    if (auto comparison = dyn_cast<arith::CmpFOp>(part))
      compute = comparisonOf(comparison);
    else if (auto integers = dyn_cast<arith::CmpIOp>(part))
      compute = comparisonOf(integers);
    else if (isa<arith::BitcastOp>(part))
      compute = part.getResult(0).getType().isF32() ? floatOfBits : bitsOfFloat;
    else
      compute = table().lookup(part.getName().getStringRef());
    if (!compute) {
      op->emitOpError("has '") << part.getName()
                               << "' in its body, which the evaluator does not know";
      return failure();
    }
    Instruction instruction{compute,
                            {},
                            part.getNumOperands(),
                            first,
                            part.getNumResults(),
                            widthOf(&part),
                            precision == Precision::Single && part.getResult(0).getType().isF32()};
    for (auto [index, operand] : llvm::enumerate(part.getOperands()))
      instruction.inputs[index] = numbers.at(operand);
    program.instructions.push_back(instruction);
  }
  for (Value result : results)
    program.yields.push_back(numbers.at(result));
  program.outcome.resize(results.size());
  return program;
}

ArrayRef<Scalar> ScalarProgram::run(ArrayRef<Scalar> arguments, ArrayRef<int64_t> point) {
  llvm::copy(arguments, registers.begin());
  for (size_t axis = 0; axis < point.size(); ++axis)
    registers[argumentCount + axis].integer = point[axis];
  for (const Instruction &instruction : instructions) {
    const Scalar *inputs[3];
    for (unsigned i = 0; i < instruction.inputCount; ++i)
      inputs[i] = &registers[instruction.inputs[i]];
    Scalar &result = registers[instruction.result];
    instruction.compute(inputs, &result, instruction.width);
    if (instruction.roundsToFloat)
      result.real = static_cast<float>(result.real);
  }
  for (auto [to, from] : llvm::zip_equal(outcome, yields))
    to = registers[from];
  return outcome;
}

} // namespace sinter::reference
