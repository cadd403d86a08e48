//===- Emitter.cpp - the few ops that generated loops are made of ---------------------------------===//

#include "compiler/codegen/Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace sinter::codegen {
namespace {

/// How an element lies in memory.
Type stored(Type element) {
  return element.isInteger(1) ? IntegerType::get(element.getContext(), 8) : element;
}

} // namespace

Value Emitter::constant(int64_t value) {
  return arith::ConstantOp::create(builder, location, builder.getI64IntegerAttr(value));
}
Value Emitter::add(Value a, Value b) { return builder.createOrFold<arith::AddIOp>(location, a, b); }
Value Emitter::multiply(Value a, int64_t b) {
  return builder.createOrFold<arith::MulIOp>(location, a, constant(b));
}
Value Emitter::divide(Value a, int64_t b) {
  return builder.createOrFold<arith::DivSIOp>(location, a, constant(b));
}
Value Emitter::shareBegin(Value share, int64_t extent, int64_t shares) {
  return divide(multiply(share, extent), shares);
}

Type Emitter::pointerType() { return LLVM::LLVMPointerType::get(builder.getContext()); }
VectorType Emitter::vectorOf(Type element) { return VectorType::get({lanes}, element); }
unsigned Emitter::bytesOf(Type element) {
  return element.isIndex() ? 8 : std::max(8u, element.getIntOrFloatBitWidth()) / 8;
}

Value Emitter::advance(Value pointer, Value elements, Type element) {
  APInt known;
  if (matchPattern(elements, m_ConstantInt(&known)) && known.isZero())
    return pointer;
  return LLVM::GEPOp::create(builder, location, pointerType(), stored(element), pointer,
                             ArrayRef<LLVM::GEPArg>{elements});
}
Value Emitter::advance(Value pointer, int64_t elements, Type element) {
  if (elements == 0)
    return pointer;
  // A constant index of a getelementptr is cut to so many bits, without a word.
  if (!llvm::isInt<LLVM::kGEPConstantBitWidth>(elements))
    return advance(pointer, constant(elements), element);
  return LLVM::GEPOp::create(builder, location, pointerType(), stored(element), pointer,
                             ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(elements)});
}

Value Emitter::stack(int64_t elements) {
  OpBuilder::InsertionGuard guard(builder);
  Operation *parent = builder.getInsertionBlock()->getParentOp();
  auto function = dyn_cast<func::FuncOp>(parent);
  if (!function)
    function = parent->getParentOfType<func::FuncOp>();
  builder.setInsertionPointToStart(&function.getBody().front());
  Value count = LLVM::ConstantOp::create(builder, location, builder.getI64Type(),
                                         builder.getI64IntegerAttr(elements));
  return LLVM::AllocaOp::create(builder, location, pointerType(), builder.getF32Type(), count,
                                /*alignment=*/64);
}

Value Emitter::load(Value pointer, Type element) {
  Value value = LLVM::LoadOp::create(builder, location, stored(element), pointer, bytesOf(element));
  return element.isInteger(1) ? arith::TruncIOp::create(builder, location, element, value) : value;
}
void Emitter::store(Value value, Value pointer) {
  const Type element = value.getType();
  if (element.isInteger(1))
    value = arith::ExtUIOp::create(builder, location, stored(element), value);
  LLVM::StoreOp::create(builder, location, value, pointer, bytesOf(element));
}

Value Emitter::loadLanes(Value pointer, Type element, Value mask) {
  const VectorType type = vectorOf(stored(element));
  Value value;
  if (mask) {
    Value zero = arith::ConstantOp::create(builder, location, builder.getZeroAttr(type));
    value =
        LLVM::MaskedLoadOp::create(builder, location, type, pointer, mask, zero, bytesOf(element));
  } else {
    value = LLVM::LoadOp::create(builder, location, type, pointer, bytesOf(element));
  }
  return element.isInteger(1) ? arith::TruncIOp::create(builder, location, vectorOf(element), value)
                              : value;
}
void Emitter::storeLanes(Value value, Value pointer, Value mask, bool pastCache) {
  const Type element = getElementTypeOrSelf(value);
  if (element.isInteger(1))
    value = arith::ExtUIOp::create(builder, location, vectorOf(stored(element)), value);
  if (mask)
    LLVM::MaskedStoreOp::create(builder, location, value, pointer, mask, bytesOf(element));
  else if (pastCache)
    LLVM::StoreOp::create(builder, location, value, pointer, /*alignment=*/64,
                          /*isVolatile=*/false, /*isNonTemporal=*/true);
  else
    LLVM::StoreOp::create(builder, location, value, pointer, bytesOf(element));
}
void Emitter::fence() {
  LLVM::CallIntrinsicOp::create(builder, location, builder.getStringAttr("llvm.x86.sse.sfence"),
                                ValueRange());
}
void Emitter::fetch(Value pointer, Fetch purpose) {
  const bool writes = purpose == Fetch::FirstToWrite;
  LLVM::Prefetch::create(builder, location, pointer, /*rw=*/writes ? 1 : 0,
                         /*hint=*/purpose == Fetch::Second ? 2 : 3, /*cache=*/1);
}
Value Emitter::gatherLanes(Value pointer, Type element, int64_t stride, Value mask) {
  // Sixteen scalar loads: a lane that the mask leaves out reads what lane 0 reads.
  const VectorType type = vectorOf(element);
  Value result = arith::ConstantOp::create(builder, location, builder.getZeroAttr(type));
  for (int64_t lane = 0; lane < lanes; ++lane) {
    Value offset = constant(lane * stride);
    if (mask) {
      Value present = vector::ExtractOp::create(builder, location, mask, ArrayRef<int64_t>{lane});
      offset = arith::SelectOp::create(builder, location, present, offset, constant(0));
    }
    Value value = load(advance(pointer, offset, element), element);
    result = vector::InsertOp::create(builder, location, value, result, ArrayRef<int64_t>{lane});
  }
  return result;
}

Value Emitter::firstLanes(int64_t count) {
  if (count >= lanes)
    return {};
  SmallVector<bool> present(lanes);
  for (int64_t lane = 0; lane < lanes; ++lane)
    present[lane] = lane < count;
  return arith::ConstantOp::create(
      builder, location,
      DenseElementsAttr::get(vectorOf(builder.getI1Type()), ArrayRef<bool>(present)));
}
Value Emitter::number(double value) {
  const Attribute element = builder.getF32FloatAttr(value);
  return arith::ConstantOp::create(builder, location,
                                   DenseElementsAttr::get(vectorOf(builder.getF32Type()), element));
}
Value Emitter::splat(Value scalar) {
  if (isa<VectorType>(scalar.getType()))
    return scalar;
  return vector::BroadcastOp::create(builder, location, vectorOf(scalar.getType()), scalar);
}
Value Emitter::laneNumbers(int64_t first) {
  SmallVector<APInt> numbers;
  for (int64_t lane = 0; lane < lanes; ++lane)
    numbers.push_back(APInt(64, first + lane));
  return arith::ConstantOp::create(
      builder, location, DenseElementsAttr::get(vectorOf(builder.getIndexType()), numbers));
}

SmallVector<Value> Emitter::transpose(SmallVector<Value> rows) {
  while (static_cast<int64_t>(rows.size()) < lanes)
    rows.push_back(rows[0]);
  // Changes the blocks beside the diagonal, of 8 × 8 elements first, of one last.
  for (int64_t size = lanes / 2; size >= 1; size /= 2) {
    SmallVector<int64_t> upper(lanes), lower(lanes);
    for (int64_t lane = 0; lane < lanes; ++lane) {
      const bool right = (lane & size) != 0;
      upper[lane] = right ? lanes + lane - size : lane;
      lower[lane] = right ? lanes + lane : lane + size;
    }
    for (int64_t row = 0; row < lanes; ++row) {
      if ((row & size) != 0)
        continue;
      Value a = rows[row], b = rows[row + size];
      rows[row] = vector::ShuffleOp::create(builder, location, a, b, upper);
      rows[row + size] = vector::ShuffleOp::create(builder, location, a, b, lower);
    }
  }
  return rows;
}

ValueRange Emitter::loop(Value low, Value high, int64_t step, ValueRange carried,
                         llvm::function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(builder, location, low, high, constant(step), carried);
  OpBuilder::InsertionGuard guard(builder);
  if (carried.empty())
    builder.setInsertionPoint(loop.getBody()->getTerminator());
  else
    builder.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> out = body(loop.getInductionVar(), loop.getRegionIterArgs());
  if (!carried.empty())
    scf::YieldOp::create(builder, location, out);
  return loop.getResults();
}
void Emitter::loop(Value low, Value high, int64_t step, llvm::function_ref<void(Value)> body) {
  loop(low, high, step, ValueRange(), [&](Value i, ValueRange) {
    body(i);
    return SmallVector<Value>();
  });
}
void Emitter::loop(int64_t low, int64_t high, int64_t step, llvm::function_ref<void(Value)> body) {
  if (low >= high)
    return;
  if (low + step >= high)
    return body(constant(low));
  loop(constant(low), constant(high), step, body);
}

Value Emitter::reduceLanes(Value value, llvm::function_ref<Value(Value, Value)> combine) {
  for (int64_t half = lanes / 2; half >= 1; half /= 2) {
    SmallVector<int64_t> low(half), high(half);
    for (int64_t lane = 0; lane < half; ++lane) {
      low[lane] = lane;
      high[lane] = lane + half;
    }
    Value a = vector::ShuffleOp::create(builder, location, value, value, low);
    Value b = vector::ShuffleOp::create(builder, location, value, value, high);
    value = combine(a, b);
  }
  return vector::ExtractOp::create(builder, location, value, ArrayRef<int64_t>{0});
}

} // namespace sinter::codegen
