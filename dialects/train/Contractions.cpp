//===- Contractions.cpp - contract and the three directions of a convolution ------------------===//
#include "dialects/train/Emit.h"
#include "dialects/train/Verify.h"
#include "mlir/IR/AffineExpr.h"

using namespace mlir;
using namespace sinter::train;

//===--- contract -----------------------------------------------------------------------------===//

namespace {
/// "bk,nk->bn" taken apart.
struct Axes {
  StringRef lhs, rhs, result;

  static std::optional<Axes> parse(StringRef text) {
    auto [operands, result] = text.split("->");
    auto [lhs, rhs] = operands.split(",");
    if (text.count("->") != 1 || operands.count(',') != 1 ||
        !llvm::all_of(lhs.str() + rhs.str() + result.str(), llvm::isAlpha))
      return std::nullopt;
    return Axes{lhs, rhs, result};
  }

  /// The domain: the result's axes, then what is summed, in the order in which lhs and rhs have it.
  std::string domain() const {
    std::string letters = result.str();
    for (char letter : lhs.str() + rhs.str())
      if (letters.find(letter) == std::string::npos)
        letters += letter;
    return letters;
  }
};
} // namespace

static Axes axesOf(ContractOp op) { return *Axes::parse(op.getAxes()); }

LogicalResult ContractOp::verify() {
  const std::optional<Axes> axes = Axes::parse(getAxes());
  if (!axes)
    return emitOpError("(C1) axes are written like \"bk,nk->bn\", are \"") << getAxes() << "\"";

  llvm::SmallDenseMap<char, int64_t> extents;
  const std::pair<StringRef, RankedTensorType> tensors[] = {{axes->lhs, getLhs().getType()},
                                                            {axes->rhs, getRhs().getType()},
                                                            {axes->result, getY().getType()}};
  for (auto [letters, type] : tensors) {
    if (static_cast<int64_t>(letters.size()) != type.getRank())
      return emitOpError("(C1) \"") << letters << "\" has " << letters.size() << " letters for "
                                    << type.getRank() << " axes";
    for (auto [letter, extent] : llvm::zip_equal(letters, type.getShape())) {
      if (letters.count(letter) != 1)
        return emitOpError("(C1) \"") << letters << "\" repeats '" << letter << "'";
      if (auto [at, fresh] = extents.try_emplace(letter, extent); at->second != extent)
        return emitOpError("(C2) '")
               << letter << "' has extents " << at->second << " and " << extent;
    }
  }
  for (char letter : axes->result)
    if (!axes->lhs.contains(letter) && !axes->rhs.contains(letter))
      return emitOpError("(C3) '") << letter << "' stands in no operand";
  for (char letter : axes->lhs.str() + axes->rhs.str())
    if (axes->lhs.contains(letter) != axes->rhs.contains(letter) && !axes->result.contains(letter))
      return emitOpError("(C3) '")
             << letter << "' stands in one operand alone and not in the result";
  return success();
}

SmallVector<int64_t> ContractOp::getDomain() {
  const Axes axes = axesOf(*this);
  SmallVector<int64_t> extents;
  for (char letter : axes.domain()) {
    const size_t inLhs = axes.lhs.find(letter);
    extents.push_back(inLhs != StringRef::npos
                          ? getLhs().getType().getDimSize(inLhs)
                          : getRhs().getType().getDimSize(axes.rhs.find(letter)));
  }
  return extents;
}

SmallVector<AffineMap> ContractOp::getAccessMaps() {
  const Axes axes = axesOf(*this);
  const std::string domain = axes.domain();
  SmallVector<AffineMap> maps;
  for (StringRef letters : {axes.lhs, axes.rhs, axes.result}) {
    SmallVector<AffineExpr> expressions;
    for (char letter : letters)
      expressions.push_back(getAffineDimExpr(domain.find(letter), getContext()));
    maps.push_back(AffineMap::get(domain.size(), 0, expressions, getContext()));
  }
  return maps;
}

/// The gradient of one operand of a contract: dy with the other operand. Whichever holds the
/// gradient's last axis stands second, where a kernel reads whole vectors.
static Value contractGradient(Emit &emit, Value dy, StringRef dyAxes, Value other,
                              StringRef otherAxes, Value of, StringRef ofAxes) {
  const bool dyHoldsLast = !ofAxes.empty() && dyAxes.contains(ofAxes.back());
  const bool otherHoldsLast = !ofAxes.empty() && otherAxes.contains(ofAxes.back());
  if (dyHoldsLast && !otherHoldsLast) {
    std::swap(dy, other);
    std::swap(dyAxes, otherAxes);
  }
  return emit.contract((dyAxes + "," + otherAxes + "->" + ofAxes).str(), dy, other, of.getType());
}

void ContractOp::buildGradients(OpBuilder &builder, ValueRange resultGradients,
                                ArrayRef<bool> wanted, MutableArrayRef<Value> operandGradients) {
  Emit emit(builder, *this);
  const Axes axes = axesOf(*this);
  if (wanted[0])
    operandGradients[0] = contractGradient(emit, resultGradients[0], axes.result, getRhs(),
                                           axes.rhs, getLhs(), axes.lhs);
  if (wanted[1])
    operandGradients[1] = contractGradient(emit, resultGradients[0], axes.result, getLhs(),
                                           axes.lhs, getRhs(), axes.rhs);
}

static int64_t contractionFlops(Contraction op) { return 2 * llvm::product_of(op.getDomain()); }

int64_t ContractOp::getFlops() { return contractionFlops(*this); }

//===--- convolutions -------------------------------------------------------------------------===//

namespace {
/// One convolution, whichever of its three tensors is the result.
struct Convolution {
  RankedTensorType x, w, y; ///< [B, H, W, (G,) C], [kh, kw, C, (G,) O], [B, Ho, Wo, (G,) O]
  ArrayRef<int64_t> strides, padding, dilations;

  template <typename Op>
  Convolution(Op op, Value x, Value w, Value y)
      : x(cast<RankedTensorType>(x.getType())), w(cast<RankedTensorType>(w.getType())),
        y(cast<RankedTensorType>(y.getType())), strides(op.getStrides()), padding(op.getPadding()),
        dilations(op.getDilations()) {}

  bool hasGroups() const { return x.getRank() == 5; }

  LogicalResult verify(Operation *op) const {
    auto positive = [](int64_t value) { return value > 0; };
    if (strides.size() != 2 || dilations.size() != 2 || padding.size() != 4 ||
        !llvm::all_of(strides, positive) || !llvm::all_of(dilations, positive) ||
        llvm::any_of(padding, [](int64_t value) { return value < 0; }))
      return op->emitOpError("(C3) strides and dilations are two positive numbers, padding is four "
                             "that are not negative");
    const int64_t rank = x.getRank();
    if ((rank != 4 && rank != 5) || w.getRank() != rank || y.getRank() != rank)
      return op->emitOpError("(C1) x, w and y must have rank 4, or 5 with groups");
    const bool groupsAgree =
        !hasGroups() || (x.getDimSize(3) == w.getDimSize(3) && y.getDimSize(3) == w.getDimSize(3));
    if (x.getShape().back() != w.getDimSize(2) || w.getShape().back() != y.getShape().back() ||
        x.getDimSize(0) != y.getDimSize(0) || !groupsAgree)
      return op->emitOpError("(C1) channels and batch must agree: x has [")
             << x.getShape() << "], w [" << w.getShape() << "], y [" << y.getShape() << "]";
    for (int axis : {0, 1}) {
      const int64_t extent = windowExtent(x.getDimSize(1 + axis), padding[axis] + padding[axis + 2],
                                          w.getDimSize(axis), strides[axis], dilations[axis]);
      if (extent < 1)
        return op->emitOpError("(C2) the kernel is larger than the padded image along axis ")
               << 1 + axis;
      if (extent != y.getDimSize(1 + axis))
        return op->emitOpError("(C2) y's axis ")
               << 1 + axis << " must have extent " << extent << ", has " << y.getDimSize(1 + axis);
    }
    return success();
  }

  /// (b, i, j, (g,) o, r, t, c)
  SmallVector<int64_t> domain() const {
    SmallVector<int64_t> extents(y.getShape());
    llvm::append_range(extents, w.getShape().take_front(3));
    return extents;
  }

  AffineMap map(ArrayRef<AffineExpr> expressions) const {
    return AffineMap::get(y.getRank() + 3, 0, expressions, x.getContext());
  }
  AffineExpr axis(unsigned index) const { return getAffineDimExpr(index, x.getContext()); }
  AffineExpr group() const { return axis(3); }
  AffineExpr output() const { return axis(y.getRank() - 1); }
  /// Of a kernel's position, 0 and 1, and the channel read, 2.
  AffineExpr tap(unsigned index) const { return axis(y.getRank() + index); }
  AffineExpr pixel(unsigned index) const {
    return axis(1 + index) * strides[index] + tap(index) * dilations[index] - padding[index];
  }
  AffineMap xMap() const {
    if (hasGroups())
      return map({axis(0), pixel(0), pixel(1), group(), tap(2)});
    return map({axis(0), pixel(0), pixel(1), tap(2)});
  }
  AffineMap wMap() const {
    if (hasGroups())
      return map({tap(0), tap(1), tap(2), group(), output()});
    return map({tap(0), tap(1), tap(2), output()});
  }
  AffineMap yMap() const {
    if (hasGroups())
      return map({axis(0), axis(1), axis(2), group(), output()});
    return map({axis(0), axis(1), axis(2), output()});
  }
};

Convolution convolutionOf(Conv2dForwardOp op) { return {op, op.getX(), op.getW(), op.getY()}; }
Convolution convolutionOf(Conv2dInputGradOp op) { return {op, op.getDx(), op.getW(), op.getDy()}; }
Convolution convolutionOf(Conv2dWeightGradOp op) { return {op, op.getX(), op.getDw(), op.getDy()}; }

/// Builds another direction of the convolution that `op` is one direction of.
template <typename Direction, typename Op>
Value turn(Emit &emit, Op op, Value a, Value b, Value like) {
  return Direction::create(emit.builder, emit.location, like.getType(), a, b, op.getStridesAttr(),
                           op.getPaddingAttr(), op.getDilationsAttr());
}
} // namespace

LogicalResult Conv2dForwardOp::verify() { return convolutionOf(*this).verify(*this); }
LogicalResult Conv2dInputGradOp::verify() { return convolutionOf(*this).verify(*this); }
LogicalResult Conv2dWeightGradOp::verify() { return convolutionOf(*this).verify(*this); }

SmallVector<int64_t> Conv2dForwardOp::getDomain() { return convolutionOf(*this).domain(); }
SmallVector<int64_t> Conv2dInputGradOp::getDomain() { return convolutionOf(*this).domain(); }
SmallVector<int64_t> Conv2dWeightGradOp::getDomain() { return convolutionOf(*this).domain(); }

int64_t Conv2dForwardOp::getFlops() { return contractionFlops(*this); }
int64_t Conv2dInputGradOp::getFlops() { return contractionFlops(*this); }
int64_t Conv2dWeightGradOp::getFlops() { return contractionFlops(*this); }

SmallVector<AffineMap> Conv2dForwardOp::getAccessMaps() {
  const Convolution c = convolutionOf(*this);
  return {c.xMap(), c.wMap(), c.yMap()};
}
SmallVector<AffineMap> Conv2dInputGradOp::getAccessMaps() {
  const Convolution c = convolutionOf(*this);
  return {c.yMap(), c.wMap(), c.xMap()};
}
SmallVector<AffineMap> Conv2dWeightGradOp::getAccessMaps() {
  const Convolution c = convolutionOf(*this);
  return {c.xMap(), c.yMap(), c.wMap()};
}

void Conv2dForwardOp::buildGradients(OpBuilder &builder, ValueRange resultGradients,
                                     ArrayRef<bool> wanted,
                                     MutableArrayRef<Value> operandGradients) {
  Emit emit(builder, *this);
  Value dy = resultGradients[0];
  if (wanted[0])
    operandGradients[0] = turn<Conv2dInputGradOp>(emit, *this, dy, getW(), getX());
  if (wanted[1])
    operandGradients[1] = turn<Conv2dWeightGradOp>(emit, *this, getX(), dy, getW());
}

void Conv2dInputGradOp::buildGradients(OpBuilder &builder, ValueRange resultGradients,
                                       ArrayRef<bool> wanted,
                                       MutableArrayRef<Value> operandGradients) {
  Emit emit(builder, *this);
  Value g = resultGradients[0]; // of x's shape
  if (wanted[0])
    operandGradients[0] = turn<Conv2dForwardOp>(emit, *this, g, getW(), getDy());
  if (wanted[1])
    operandGradients[1] = turn<Conv2dWeightGradOp>(emit, *this, g, getDy(), getW());
}

void Conv2dWeightGradOp::buildGradients(OpBuilder &builder, ValueRange resultGradients,
                                        ArrayRef<bool> wanted,
                                        MutableArrayRef<Value> operandGradients) {
  Emit emit(builder, *this);
  Value g = resultGradients[0]; // of w's shape
  if (wanted[0])
    operandGradients[0] = turn<Conv2dInputGradOp>(emit, *this, getDy(), g, getX());
  if (wanted[1])
    operandGradients[1] = turn<Conv2dForwardOp>(emit, *this, getX(), g, getDy());
}
