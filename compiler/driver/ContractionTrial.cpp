//===- ContractionTrial.cpp - candidates compiled, compared and timed -----------------------------===//
#include "compiler/driver/ContractionTrial.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"
#include "runtime/Abi.h"
#include "runtime/Stack.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

using namespace mlir;

namespace sinter::driver {
namespace {

constexpr int rounds = 7;
constexpr double leastMilliseconds = 0.3; ///< of what is timed at once

/// Where an operand of the task's contraction lies.
struct Place {
  uint8_t *start;
  int64_t elements, bytes;
  bool isFloat;
};

struct Places {
  SmallVector<Place> inputs, outputs;
};

Places placesOf(kernel::TaskOp task, TrialMemory &memory) {
  Places places;
  auto op = *task.getBody().getOps<kernel::ContractOp>().begin();
  const size_t numInputs = op->getNumOperands() - op.getOutputs().size();
  for (auto [index, operand] : llvm::enumerate(op->getOperands())) {
    auto view = operand.getDefiningOp<memref::ViewOp>();
    APInt offset;
    if (!view || !matchPattern(view.getByteShift(), m_ConstantInt(&offset)))
      continue;
    auto type = cast<MemRefType>(operand.getType());
    const bool isArena = cast<BlockArgument>(view.getSource()).getArgNumber() == 0;
    const int64_t elements = type.getNumElements(),
                  bytes = elements * std::max(8u, type.getElementTypeBitWidth()) / 8;
    (index < numInputs ? places.inputs : places.outputs)
        .push_back({(isArena ? memory.arena() : memory.state()) + offset.getSExtValue(), elements,
                    bytes, type.getElementType().isF32()});
  }
  return places;
}

/// Numbers between -1 and 1 in an order that no sum of them likes; whole numbers are 0 or 1. What a task writes over what it reads begins anew.
void fill(const Places &places, TrialMemory &memory, int64_t batch) {
  for (const Place &place : places.outputs)
    std::memset(place.start, 0, static_cast<size_t>(place.bytes));
  uint64_t state = 1;
  for (const Place &place : places.inputs)
    for (int64_t i = 0; i < place.elements; ++i) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      const auto high = static_cast<int32_t>(state >> 32);
      if (place.isFloat) {
        const float value = static_cast<float>(high) * 0x1p-31F;
        std::memcpy(place.start + i * 4, &value, 4);
      } else {
        const int64_t width = place.bytes / place.elements;
        std::memset(place.start + i * width, 0, static_cast<size_t>(width));
        place.start[i * width] = static_cast<uint8_t>(high & 1);
      }
    }
  runtime::Clock clock{};
  clock.step = clock.draw = 1;
  clock.last = 1000;
  clock.count = batch;
  clock.epoch = 10;
  std::memcpy(memory.arena(), &clock, sizeof clock);
}

std::vector<uint8_t> resultsOf(const Places &places) {
  std::vector<uint8_t> bytes;
  for (const Place &place : places.outputs)
    bytes.insert(bytes.end(), place.start, place.start + place.bytes);
  return bytes;
}

/// The largest difference of two results as a share of the largest magnitude; 1 where something other than f32 differs.
double distanceOf(const Places &places, const std::vector<uint8_t> &one,
                  const std::vector<uint8_t> &other) {
  if (one == other)
    return 0;
  double worst = 0;
  size_t at = 0;
  for (const Place &place : places.outputs) {
    double largest = 0, apart = 0;
    for (int64_t i = 0; place.isFloat && i < place.elements; ++i) {
      float a, b;
      std::memcpy(&a, one.data() + at + static_cast<size_t>(i) * 4, 4);
      std::memcpy(&b, other.data() + at + static_cast<size_t>(i) * 4, 4);
      largest = std::max(largest, static_cast<double>(std::fabs(a)));
      const double difference = std::fabs(static_cast<double>(a) - static_cast<double>(b));
      apart = std::isfinite(difference) ? std::max(apart, difference) : 1e30;
    }
    const auto bytes = static_cast<size_t>(place.bytes);
    const bool equal = std::memcmp(one.data() + at, other.data() + at, bytes) == 0;
    // Of two zeros with different signs the bits differ, and the distance must not be 0.
    if (!equal)
      worst =
          std::max(worst, !place.isFloat ? 1 : std::max(apart / std::max(largest, 1e-30), 1e-12));
    at += bytes;
  }
  return worst;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double millisecondsOf(const codegen::LoadedTasks &tasks, size_t which, int64_t repeats,
                      TrialMemory &memory) {
  const auto start = std::chrono::steady_clock::now();
  for (int64_t i = 0; i < repeats; ++i)
    tasks.run(which, memory.arena(), memory.state());
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
             .count() /
         static_cast<double>(repeats);
}

/// The task once for each candidate, in a module of its own.
OwningOpRef<ModuleOp> copiesOf(kernel::TaskOp task, ArrayRef<Candidate> candidates) {
  OwningOpRef<ModuleOp> module = ModuleOp::create(task.getLoc());
  OpBuilder builder = OpBuilder::atBlockEnd(module->getBody());
  for (auto [number, candidate] : llvm::enumerate(candidates)) {
    auto copy = cast<kernel::TaskOp>(builder.clone(*task));
    copy.setSymName("candidate." + std::to_string(number));
    auto op = *copy.getBody().getOps<kernel::ContractOp>().begin();
    op.setScheduleAttr(candidate.schedule);
    if (!candidate.block.empty())
      op.setBlock(candidate.block);
  }
  return module;
}

/// Nothing if `stop` said so before anything was timed.
std::optional<std::vector<Trial>> measure(const codegen::LoadedTasks &tasks, const Places &places,
                                          int64_t batch, TrialMemory &memory,
                                          function_ref<bool()> stop) {
  std::vector<Trial> trials(tasks.size());
  std::vector<uint8_t> expected;
  std::vector<int64_t> repeats;
  for (size_t i = 0; i < trials.size(); ++i) {
    fill(places, memory, batch);
    const double first =
        millisecondsOf(tasks, i, 1, memory); // warms up, and says how often to repeat
    repeats.push_back(std::clamp<int64_t>(
        static_cast<int64_t>(leastMilliseconds / std::max(first, 1e-4)), 1, 1000));
    std::vector<uint8_t> results = resultsOf(places);
    if (i == 0)
      expected = std::move(results);
    else
      trials[i].distance = distanceOf(places, expected, results);
  }
  std::vector<std::vector<double>> times(trials.size());
  for (int round = 0; round < rounds; ++round) {
    if (stop()) {
      if (round == 0)
        return std::nullopt;
      break;
    }
    fill(places, memory, batch);
    for (size_t i = 0; i < trials.size(); ++i)
      times[i].push_back(millisecondsOf(tasks, i, repeats[i], memory));
  }
  for (size_t i = 0; i < trials.size(); ++i)
    trials[i].milliseconds = median(times[i]);
  return trials;
}

} // namespace

llvm::Expected<std::optional<std::vector<Trial>>>
tryCandidates(kernel::TaskOp task, ArrayRef<Candidate> candidates, int64_t batch,
              const codegen::Target &target, TrialMemory &memory, function_ref<bool()> stop) {
  const Places places = placesOf(task, memory);
  OwningOpRef<ModuleOp> module = copiesOf(task, candidates);
  auto tasks = codegen::LoadedTasks::load(*module, target);
  if (!tasks)
    return tasks.takeError();
  std::optional<std::vector<Trial>> trials;
  runtime::callOnStack(tasks->stackBytes(),
                       [&] { trials = measure(*tasks, places, batch, memory, stop); });
  return trials;
}

} // namespace sinter::driver
