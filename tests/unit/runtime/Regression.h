//===- Regression.h - a small program without a compiler: linear regression ------------------------===//
// y = w · x + b by gradient descent with momentum, written by hand as a StepExecutor, with all that a compiled program
// has: a state with a layout, a buffer, optimizer state, draws keyed by the clock, a report, ids and a predict step.
#pragma once

#include "runtime/Abi.h"
#include "runtime/Executor.h"
#include "runtime/Philox.h"

#include <cmath>
#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>

namespace sinter::runtime::test {

inline constexpr int64_t batchSize = 4, inputs = 3;

namespace at { // offsets in the arena and in the state block
inline constexpr int64_t x = 64, y = 128, ids = 192, loss = 256, error = 260, result = 320;
inline constexpr int64_t weight = 0, bias = 64, seen = 128, momentum = 192;
} // namespace at

/// The description; `train` and `test` are CSV files of x0, x1, x2, y.
inline nlohmann::json regression(const std::string &train, const std::string &test) {
  using Json = nlohmann::json;
  const auto part = [](const std::string &file) {
    return Json{{{"fields", {"x"}},
                 {"source", {{"kind", "csv"}, {"file", file}, {"columns", {0, 1, 2}}}},
                 {"place", "line.sinter:4:11"}},
                {{"fields", {"y"}},
                 {"source", {{"kind", "csv"}, {"file", file}, {"columns", {3}}}},
                 {"place", "line.sinter:4:40"}}};
  };
  const Json fields = {{{"name", "x"}, {"offset", at::x}}, {{"name", "y"}, {"offset", at::y}}};
  const Json outputs = {{{"name", "loss"}, {"offset", at::loss}},
                        {{"name", "error"}, {"offset", at::error}}};
  const Json task = {{"function", 0}, {"shares", 1}, {"wait", true}, {"flops", 1e6}};
  const auto step = [&](const char *name) {
    return Json{{"name", name},   {"batch", batchSize}, {"fields", fields},
                {"ids", at::ids}, {"outputs", outputs}, {"tasks", {task}}};
  };
  Json predict = {{"name", "predict"},
                  {"batch", batchSize},
                  {"fields", {fields[0]}},
                  {"results", {{{"name", "y"}, {"offset", at::result}, {"shape", {1}}}}}};
  return {{"version", 1},
          {"name", "line"},
          {"source", "line.sinter"},
          {"cpu", "x86-64"},
          {"arena_bytes", 512},
          {"state_bytes", 256},
          {"states",
           {{{"name", "out.weight"},
             {"kind", "parameter"},
             {"shape", {1, inputs}},
             {"offset", at::weight},
             {"init", {{"kind", "normal"}, {"a", 0}, {"b", 0.5}}}},
            {{"name", "out.bias"},
             {"kind", "parameter"},
             {"shape", {1}},
             {"offset", at::bias},
             {"init", {{"kind", "constant"}, {"a", 0}}}},
            {{"name", "seen"},
             {"kind", "buffer"},
             {"shape", {2, 3}},
             {"layout", {{"view", {2, 3}}, {"perm", {1, 0}}}},
             {"offset", at::seen},
             {"init", {{"kind", "constant"}, {"a", 1}}}},
            {{"name", "out.weight.momentum"},
             {"kind", "optimizer"},
             {"of", "out.weight"},
             {"shape", {1, inputs}},
             {"offset", at::momentum}}}},
          {"data",
           {{{"name", "points"},
             {"place", "line.sinter:1:1"},
             {"fields",
              {{{"name", "x"}, {"dtype", "f32"}, {"shape", {inputs}}},
               {{"name", "y"}, {"dtype", "f32"}, {"shape", Json::array()}}}},
             {"parts", {{"train", part(train)}, {"test", part(test)}}}}}},
          {"steps", {step("train"), step("eval"), predict}},
          {"runs",
           {{{"name", "Line"},
             {"data", "points"},
             {"seed", 7},
             {"place", "line.sinter:9:1"},
             {"stages",
              {{{"name", ""},
                {"batch", batchSize},
                {"epochs", 5},
                {"train_step", 0},
                {"eval_step", 1},
                {"predict_step", 2},
                {"reports", {{{"name", "error"}}}}}}}}}}};
}

class RegressionExecutor : public StepExecutor {
public:
  /// `hook` is called before each train step with its clock, and may do what it likes to the state.
  /// `sums`: a train step adds its gradients to the buffer, and step 3 updates with their mean.
  explicit RegressionExecutor(std::function<void(const Clock &, uint8_t *state)> before,
                              bool sums = false)
      : hook(std::move(before)), accumulates(sums) {}

  void run(size_t step, uint8_t *arena, uint8_t *state) override {
    Clock clock;
    std::memcpy(&clock, arena, sizeof(clock));
    if (step == 0 && hook)
      hook(clock, state);
    const auto *x = reinterpret_cast<const float *>(arena + at::x);
    const auto *y = reinterpret_cast<const float *>(arena + at::y);
    auto *w = reinterpret_cast<float *>(state + at::weight);
    auto *b = reinterpret_cast<float *>(state + at::bias);
    auto *v = reinterpret_cast<float *>(state + at::momentum);
    auto *result = reinterpret_cast<float *>(arena + at::result);
    auto *sums = reinterpret_cast<float *>(state + at::seen);
    const float share = 1.0f / static_cast<float>(clock.count);
    if (step == 3) {
      for (int64_t i = 0; i <= inputs; ++i) {
        (i < inputs ? w[i] : b[0]) -= 0.05f * sums[i] * share;
        sums[i] = 0;
      }
      return;
    }
    float loss = 0, error = 0, gradient[inputs + 1] = {};
    for (int64_t row = 0; row < batchSize; ++row) {
      float value = b[0];
      for (int64_t i = 0; i < inputs; ++i)
        value += w[i] * x[inputs * row + i];
      result[row] = value;
      if (step == 2 || row >= clock.count)
        continue;
      const float off = value - y[row];
      loss += off * off;
      error += std::abs(off);
      for (int64_t i = 0; i < inputs; ++i)
        gradient[i] += off * x[inputs * row + i];
      gradient[inputs] += off;
    }
    if (step == 2)
      return;
    *reinterpret_cast<float *>(arena + at::loss) = loss * share;
    *reinterpret_cast<float *>(arena + at::error) = error * share;
    if (step == 1)
      return;
    if (accumulates) {
      for (int64_t i = 0; i <= inputs; ++i)
        sums[i] += gradient[i];
      return;
    }
    const float rate =
        0.05f * (1 - 0.9f * static_cast<float>(clock.step) / static_cast<float>(clock.last));
    for (int64_t i = 0; i < inputs; ++i) {
      const float noise =
          uniformFloat(randomBits(clock.seed, fnv1a("noise"), static_cast<uint32_t>(clock.draw), 0,
                                  static_cast<uint64_t>(i)));
      v[i] = 0.5f * v[i] + gradient[i] * share + 1e-3f * noise;
      w[i] -= rate * v[i];
    }
    b[0] -= rate * gradient[inputs] * share;
    *reinterpret_cast<float *>(state + at::seen) += static_cast<float>(clock.count);
  }

private:
  std::function<void(const Clock &, uint8_t *)> hook;
  bool accumulates;
};

} // namespace sinter::runtime::test
