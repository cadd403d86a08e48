//===- FuseSweeps.cpp - compute a pointwise value where it is read ---------------------------------===//
// A value that one loop stores for another to load costs two passes over memory; computed where it is read, none. Two
// ways: the producer's body moves into the reader, at the reader's points; or, where the producer writes each element once but not in an
// order that can be undone by a map (a pool's gradient), a pointwise reader's body moves to the producer's points.
// A producer with several readers moves into all of them or none, and only if it is cheap and reads at most one tensor as large
// as its result: then nothing is read more often than before.
#include "compiler/passes/FuseBody.h"
#include "compiler/passes/LoopCost.h"
#include "compiler/passes/Passes.h"
#include "dialects/kernel/Access.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using sinter::kernel::SweepOp;

namespace sinter::passes {
#define GEN_PASS_DEF_FUSESWEEPS
#include "compiler/passes/Passes.h.inc"
namespace {

/// What a division costs, and how often it is not done again for nothing.
constexpr int64_t dearWork = 5, manyTimes = 8;

ArrayRef<int64_t> shapeOf(Value value) { return cast<ShapedType>(value.getType()).getShape(); }

/// From a tensor's point to the producer's domain; null where the producer's output map cannot be undone.
AffineMap undo(AffineMap map) {
  return map.getNumDims() == map.getNumResults() && map.isPermutation() ? inversePermutation(map)
                                                                        : AffineMap();
}

/// A sweep with `like`'s domain and outputs, reading what `body` reads; the region is filled in already.
SweepOp finish(OpBuilder &builder, Location location, SweepOp like, FusedBody &body, Region &region,
               ArrayRef<AffineMap> outputMaps, ValueRange outputs) {
  SmallVector<AffineMap> maps(body.maps);
  llvm::append_range(maps, outputMaps);
  auto fused =
      SweepOp::create(builder, location, outputs.getTypes(), body.operands, outputs,
                      like.getParallel(), like.getReduce(), builder.getAffineMapArrayAttr(maps),
                      like.getInitAttr(), like.getGuardAttr(), like.getZero());
  fused.getBody().takeBody(region);
  return fused;
}

SmallVector<AffineMap> outputMaps(SweepOp sweep) {
  SmallVector<AffineMap> maps;
  for (unsigned at = sweep.getInputs().size(); at < sweep.getMaps().size(); ++at)
    maps.push_back(sweep.getMap(at));
  return maps;
}

/// The reader with the producer's body inside. The reader's domain stays.
SweepOp moveIntoReader(SweepOp producer, SweepOp reader) {
  const AffineMap toProducer = undo(outputMaps(producer)[0]);
  OpBuilder builder(reader);
  Region region;
  FusedBody body(region, builder.getContext());
  SmallVector<Value> values;
  // All reads come first, then the sums.
  SmallVector<SmallVector<Value>> producerArguments;
  SmallVector<AffineMap> points;
  for (auto [at, input] : llvm::enumerate(reader.getInputs())) {
    if (input != producer.getResult(0)) {
      values.push_back(body.read(input, reader.getMap(at)));
      continue;
    }
    const AffineMap point = toProducer.compose(reader.getMap(at));
    SmallVector<Value> arguments;
    for (auto [inner, source] : llvm::enumerate(producer.getInputs()))
      arguments.push_back(
          body.read(source, simplifyAffineMap(producer.getMap(inner).compose(point))));
    producerArguments.push_back(arguments);
    points.push_back(point);
    values.push_back(Value());
  }
  Block &readerBody = reader.getBody().front();
  for (BlockArgument sum : readerBody.getArguments().drop_front(reader.getInputs().size()))
    values.push_back(body.argument(sum.getType(), sum.getLoc()));
  unsigned next = 0;
  for (Value &value : llvm::MutableArrayRef(values).take_front(reader.getInputs().size()))
    if (!value) {
      value = body.append(producer.getBody().front(), producerArguments[next], points[next])[0];
      ++next;
    }
  const AffineMap same = builder.getMultiDimIdentityMap(reader.getDomainRank());
  body.yield(reader.getLoc(), body.append(readerBody, values, same));
  SweepOp fused = finish(builder, joinedLocation(producer.getLoc(), reader.getLoc()), reader, body,
                         region, outputMaps(reader), reader.getOutputs());
  keepAgain(fused, {producer, reader});
  reader.replaceAllUsesWith(fused.getResults());
  reader.erase();
  return fused;
}

/// The producer with the reader's body behind its own. The producer's domain stays.
SweepOp moveIntoProducer(SweepOp producer, SweepOp reader, unsigned input) {
  const AffineMap toReader = undo(reader.getMap(input)).compose(outputMaps(producer)[0]);
  OpBuilder builder(reader);
  Region region;
  FusedBody body(region, builder.getContext());
  SmallVector<Value> arguments, values;
  for (auto [at, source] : llvm::enumerate(producer.getInputs()))
    arguments.push_back(body.read(source, producer.getMap(at)));
  for (auto [at, source] : llvm::enumerate(reader.getInputs()))
    values.push_back(
        at == input ? Value()
                    : body.read(source, simplifyAffineMap(reader.getMap(at).compose(toReader))));
  const AffineMap same = builder.getMultiDimIdentityMap(producer.getDomainRank());
  values[input] = body.append(producer.getBody().front(), arguments, same)[0];
  body.yield(reader.getLoc(), body.append(reader.getBody().front(), values, toReader));
  SmallVector<AffineMap> maps;
  for (AffineMap map : outputMaps(reader))
    maps.push_back(simplifyAffineMap(map.compose(toReader)));
  SweepOp fused = finish(builder, joinedLocation(producer.getLoc(), reader.getLoc()), producer,
                         body, region, maps, reader.getOutputs());
  keepAgain(fused, {producer, reader});
  reader.replaceAllUsesWith(fused.getResults());
  reader.erase();
  return fused;
}

struct FuseSweeps : impl::FuseSweepsBase<FuseSweeps> {
  using Base::Base;

  void runOnOperation() override {
    while (fuseFirst())
      ++numFused;
  }

  bool fuseFirst() {
    return llvm::any_of(blocksOfLoops(getOperation()), [&](Block *block) {
      return llvm::any_of(block->getOps<SweepOp>(),
                          [&](SweepOp producer) { return fuse(producer); });
    });
  }

  /// The sweeps that read the producer's result, if nothing else does.
  static std::optional<llvm::SetVector<SweepOp>> readersOf(SweepOp producer) {
    llvm::SetVector<SweepOp> readers;
    for (Operation *user : producer.getResult(0).getUsers()) {
      auto reader = dyn_cast<SweepOp>(user);
      if (!reader || llvm::is_contained(reader.getOutputs(), producer.getResult(0)))
        return std::nullopt;
      readers.insert(reader);
    }
    return readers;
  }

  /// Whether the epilogue of a contraction is the better place.
  bool belongsToContraction(SweepOp producer) {
    return !afterEpilogues && llvm::any_of(producer.getInputs(), [&](Value input) {
      return isa_and_nonnull<kernel::ContractOp, kernel::WinogradOp>(input.getDefiningOp()) &&
             isUsedByOnly(input, {producer});
    });
  }

  bool fuse(SweepOp producer) {
    if (producer.getNumResults() != 1 || !producer.isPointwise() ||
        producer.getResult(0).use_empty() || belongsToContraction(producer))
      return false;
    const auto readers = readersOf(producer);
    if (!readers)
      return false;
    const int64_t bytes = bytesOf(producer.getResult(0).getType());
    if (!undo(outputMaps(producer)[0])) {
      if (readers->size() != 1 || !fuseBackwards(producer, readers->front()))
        return false;
      bytesSaved += bytes;
      return true;
    }

    // A reader that meets each element once in one place computes nothing twice.
    bool once = readers->size() == 1;
    for (SweepOp reader : *readers)
      for (auto [at, input] : llvm::enumerate(reader.getInputs()))
        if (input == producer.getResult(0))
          once &= llvm::count(reader.getInputs(), input) == 1 &&
                  kernel::isOneToOne(reader.getMap(at), reader.getDomain());
    if (!once && (!isCheap(producer) || llvm::any_of(*readers, [&](SweepOp reader) {
          return repeatsDearWork(producer, reader);
        })))
      return false;
    for (SweepOp reader : *readers)
      moveIntoReader(producer, reader);
    producer.erase();
    bytesSaved += bytes;
    return true;
  }

  bool isCheap(SweepOp producer) {
    unsigned large = 0;
    for (Value input : producer.getInputs())
      large += cast<ShapedType>(input.getType()).getNumElements() * 2 >
               cast<ShapedType>(producer.getResult(0).getType()).getNumElements();
    return workOf(producer.getBody().front()) <= limit && large <= 1;
  }

  /// Whether the reader would compute a division or the like again for each vector, as of a mean that goes along the channels and is read
  /// at all pixels. One that stands still along the innermost axes is computed outside their loops.
  static bool repeatsDearWork(SweepOp producer, SweepOp reader) {
    const Value result = producer.getResult(0);
    if (workOf(producer.getBody().front()) < dearWork ||
        llvm::product_of(reader.getDomain()) / llvm::product_of(shapeOf(result)) < manyTimes)
      return false;
    const unsigned numParallel = reader.getParallel().size(), rank = reader.getDomainRank();
    for (auto [at, input] : llvm::enumerate(reader.getInputs()))
      if (input == result)
        for (unsigned last : {numParallel, rank})
          if (last > 0 && reader.getMap(at).isFunctionOfDim(last - 1))
            return true;
    return false;
  }

  static bool fuseBackwards(SweepOp producer, SweepOp reader) {
    if (!reader.isPointwise() || llvm::count(reader.getInputs(), producer.getResult(0)) != 1)
      return false;
    const unsigned input =
        llvm::find(reader.getInputs(), producer.getResult(0)) - reader.getInputs().begin();
    const AffineMap written = outputMaps(producer)[0];
    if (!undo(reader.getMap(input)) ||
        !kernel::coversAll(reader.getMap(input), shapeOf(producer.getResult(0)),
                           reader.getDomain()) ||
        !kernel::isOneToOne(written, producer.getDomain()) ||
        !kernel::coversAll(written, shapeOf(producer.getResult(0)), producer.getDomain()))
      return false;
    moveIntoProducer(producer, reader, input);
    producer.erase();
    return true;
  }
};

} // namespace
} // namespace sinter::passes
