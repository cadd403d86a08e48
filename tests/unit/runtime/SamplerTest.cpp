#include "runtime/Sampler.h"

#include "runtime/Selection.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <set>

using namespace sinter::runtime;

static std::vector<uint32_t> epochOf(Sampler &sampler, uint32_t epoch) {
  sampler.start(epoch);
  std::vector<uint32_t> all;
  for (size_t i = 0; i < sampler.batches(); ++i)
    all.insert(all.end(), sampler.batch(i).begin(), sampler.batch(i).end());
  return all;
}

TEST_CASE("each epoch deals out every example once, in an order of its own") {
  Sampler sampler(103, 10, false, false, 7);
  CHECK(sampler.batches() == 11);
  CHECK(sampler.batch(10).size() == 3);
  const auto first = epochOf(sampler, 0), second = epochOf(sampler, 1);
  CHECK(std::set<uint32_t>(first.begin(), first.end()).size() == 103);
  CHECK(first != second);
  CHECK_FALSE(std::is_sorted(first.begin(), first.end()));
  CHECK(epochOf(sampler, 0) == first); // nothing carries over
  Sampler other(103, 10, false, false, 8);
  CHECK(epochOf(other, 0) != first);
}

TEST_CASE("drop last leaves the smaller batch out, sequential keeps the order") {
  Sampler sampler(25, 10, true, true, 7);
  CHECK(sampler.batches() == 2);
  const auto all = epochOf(sampler, 4);
  CHECK(all.size() == 20);
  CHECK(std::is_sorted(all.begin(), all.end()));
  CHECK(Sampler(9, 10, true, true, 7).batches() == 0);
}

TEST_CASE("a shuffle favours no place") {
  std::vector<int> firstPlace(10);
  for (uint32_t draw = 0; draw < 20000; ++draw)
    ++firstPlace[shuffled(10, 1, 2, draw)[0]];
  for (int count : firstPlace)
    CHECK(std::abs(count - 2000) < 200); // 4.7 deviations
}

TEST_CASE("a batch lies in the step's layout, absent rows repeat the first, ids follow") {
  Field image{"image", Scalar::F32, 0, {3, 2, 2}};
  Column column;
  column.field = image;
  column.count = 4;
  std::vector<uint8_t> bytes(48);
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<uint8_t>(i);
  column.values = bytes;
  for (int channel = 0; channel < 3; ++channel) // a table a channel: 100 · channel + byte
    for (int byte = 0; byte < 256; ++byte)
      column.tables.push_back(static_cast<float>(1000 * channel + byte));
  Column label;
  label.field = {"label", Scalar::I32, 9, {}};
  label.count = 4;
  label.values = std::vector<int32_t>{5, 6, 7, 8};
  const PartData part{"train", {column, label}};
  Step step;
  step.batch = 3;
  step.fields = {{"image", 64, Layout{{3, 2, 2}, {1, 2, 0}}}, {"label", 256, std::nullopt}};
  step.ids = 320;
  Feeder feeder(step, part);
  std::vector<uint8_t> arena(512);
  const uint32_t examples[] = {2, 1};
  feeder.fill(examples, arena.data());
  const auto *images = reinterpret_cast<const float *>(arena.data() + 64);
  const auto *labels = reinterpret_cast<const int32_t *>(arena.data() + 256);
  const auto *ids = reinterpret_cast<const int32_t *>(arena.data() + 320);
  const uint32_t expected[] = {2, 1, 2};
  for (size_t row = 0; row < 3; ++row) {
    for (size_t pixel = 0; pixel < 4; ++pixel)
      for (size_t channel = 0; channel < 3; ++channel)
        CHECK(images[12 * row + 3 * pixel + channel] ==
              static_cast<float>(1000 * channel + 12 * expected[row] + 4 * channel + pixel));
    CHECK(labels[row] == static_cast<int32_t>(5 + expected[row]));
    CHECK(ids[row] == static_cast<int32_t>(expected[row]));
  }
}

namespace {

/// Seven shares, one after the other, from the last.
struct Backwards : StepExecutor {
  int64_t shared = 0;
  void run(size_t, uint8_t *, uint8_t *) override {}
  void share(const std::function<void(int64_t)> &work) override {
    ++shared;
    for (int64_t share = shareCount(); share-- > 0;)
      work(share);
  }
  int64_t shareCount() const override { return 7; }
};

} // namespace

TEST_CASE("a batch is the same whether threads share its filling out or not") {
  for (const size_t batch :
       {1, 6, 30}) { // fewer examples than shares; more, in shares that are not equal
    Column column;
    column.field = {"x", Scalar::F32, 0, {4000, 5}};
    column.count = 30;
    std::vector<float> values(column.count * 20000);
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>(i);
    column.values = values;
    Column label;
    label.field = {"label", Scalar::I32, 9, {}};
    label.count = 30;
    label.values = std::vector<int32_t>(30, 3);
    const PartData part{"train", {column, label}};
    Step step;
    step.batch = static_cast<int64_t>(batch);
    const uint64_t labels = batch * 80000;
    step.fields = {{"x", 0, Layout{{4000, 5}, {1, 0}}}, {"label", labels, std::nullopt}};
    std::vector<uint8_t> alone(labels + 4 * batch), shared(alone.size());
    std::vector<uint32_t> examples(std::max<size_t>(1, batch - 1)); // a last, smaller batch
    for (size_t i = 0; i < examples.size(); ++i)
      examples[i] = static_cast<uint32_t>(29 - i);
    Backwards executor;
    Feeder(step, part).fill(examples, alone.data());
    Feeder(step, part, &executor).fill(examples, shared.data());
    CHECK(alone == shared);
    CHECK(executor.shared == 1); // the labels are too few
  }
}

TEST_CASE("layouts go there and back for every permutation, also through a view") {
  std::vector<int> perm = {0, 1, 2, 3};
  const Shape view = {2, 1, 3, 5};
  std::vector<float> saved(30), memory(30), back(30);
  for (size_t i = 0; i < saved.size(); ++i)
    saved[i] = static_cast<float>(i);
  do {
    const LayoutMap map(30, Layout{view, perm});
    map.toMemory(saved.data(), memory.data());
    size_t at = 0; // walk memory order and compare with the definition
    int64_t index[4] = {};
    const auto dim = [&](int axis) {
      return view[static_cast<size_t>(perm[static_cast<size_t>(axis)])];
    };
    for (int64_t a = 0; a < dim(0); ++a)
      for (int64_t b = 0; b < dim(1); ++b)
        for (int64_t c = 0; c < dim(2); ++c)
          for (int64_t d = 0; d < dim(3); ++d) {
            index[perm[0]] = a;
            index[perm[1]] = b;
            index[perm[2]] = c;
            index[perm[3]] = d;
            const int64_t flat = ((index[0] * 1 + index[1]) * 3 + index[2]) * 5 + index[3];
            REQUIRE(memory[at++] == static_cast<float>(flat));
          }
    map.toSaved(memory.data(), back.data());
    REQUIRE(back == saved);
  } while (std::next_permutation(perm.begin(), perm.end()));
  CHECK(LayoutMap(784, Layout{{1, 28, 28}, {1, 2, 0}}).isIdentity());
}
