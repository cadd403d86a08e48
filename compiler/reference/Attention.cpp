//===- Attention.cpp - attention and its gradient, row by row ----------------------------------------===//
#include "compiler/reference/Attention.h"

#include "runtime/Philox.h"

#include <cmath>
#include <limits>

using namespace mlir;

namespace sinter::reference {
namespace {

/// Where things lie, and what becomes of a score.
template <typename Op> class Heads {
public:
  Heads(const Evaluator &evaluator, Op op, const Tensor &q, const Tensor &k,
        ArrayRef<const Tensor *> operands)
      : evaluator(evaluator), q(q), k(k), batch(q.shape[0]), queries(q.shape[1]), keys(k.shape[1]),
        heads(q.shape[2]), size(q.shape[3]), causal(op.getCausal()),
        scale(evaluator.round(op.getScale().convertToDouble())),
        dropout(op.getDropout().convertToDouble()) {
    if (!op.getIds())
      return;
    // The last three operands.
    ids = operands[operands.size() - 3];
    draw = static_cast<uint32_t>(operands[operands.size() - 2]->integers[0]);
    seed = static_cast<uint64_t>(operands[operands.size() - 1]->integers[0]);
    purpose = runtime::fnv1a(std::string_view(*op.getPurpose()));
  }

  /// Calls visit(example, head, query).
  template <typename Visit> void forEachRow(Visit visit) const {
    forEachPoint({batch, heads, queries},
                 [&](const std::vector<int64_t> &p) { visit(p[0], p[1], p[2]); });
  }
  int64_t visibleKeys(int64_t t) const { return causal ? std::min(keys, t + 1) : keys; }
  /// The first column of a query's, or a key's.
  int64_t query(int64_t b, int64_t h, int64_t t) const {
    return ((b * queries + t) * heads + h) * size;
  }
  int64_t key(int64_t b, int64_t h, int64_t s) const { return ((b * keys + s) * heads + h) * size; }
  int64_t row(int64_t b, int64_t h, int64_t t) const { return (b * heads + h) * queries + t; }

  double dot(const Tensor &a, int64_t i, const Tensor &b, int64_t j, double factor = 1) const {
    double sum = 0;
    for (int64_t d = 0; d < size; ++d)
      sum = round(sum + round(round(a.floats[i + d] * factor) * b.floats[j + d]));
    return sum;
  }
  double score(int64_t b, int64_t h, int64_t t, int64_t s) const {
    return dot(q, query(b, h, t), k, key(b, h, s), scale);
  }
  /// The factor of a probability.
  double keep(int64_t b, int64_t h, int64_t t, int64_t s) const {
    if (!ids)
      return 1;
    const uint32_t bits =
        runtime::randomBits(seed, purpose, draw, static_cast<uint32_t>(ids->integers[b]),
                            static_cast<uint64_t>((h * queries + t) * keys + s));
    return runtime::uniformFloat(bits) >= static_cast<float>(dropout) ? round(1 / (1 - dropout))
                                                                      : 0;
  }
  void add(Tensor &to, int64_t at, double factor, const Tensor &from, int64_t first) const {
    for (int64_t d = 0; d < size; ++d)
      to.floats[at + d] = round(to.floats[at + d] + round(factor * from.floats[first + d]));
  }
  double round(double x) const { return evaluator.round(x); }

  const Evaluator &evaluator;
  const Tensor &q, &k;
  const int64_t batch, queries, keys, heads, size;
  const bool causal;
  const double scale, dropout;

private:
  const Tensor *ids = nullptr;
  uint32_t draw = 0, purpose = 0;
  uint64_t seed = 0;
};

} // namespace

void attention(const Evaluator &evaluator, train::AttentionOp op, ArrayRef<const Tensor *> operands,
               MutableArrayRef<Tensor> results) {
  const Heads at(evaluator, op, *operands[0], *operands[1], operands);
  at.forEachRow([&](int64_t b, int64_t h, int64_t t) {
    std::vector<double> row;
    double largest = -std::numeric_limits<double>::infinity(), total = 0;
    for (int64_t s = 0; s < at.visibleKeys(t); ++s) {
      row.push_back(at.score(b, h, t, s));
      largest = std::max(largest, row.back());
    }
    for (double &x : row) {
      x = at.round(std::exp(at.round(x - largest)));
      total = at.round(total + x);
    }
    for (auto [s, x] : llvm::enumerate(row))
      at.add(results[0], at.query(b, h, t), at.round(at.round(x / total) * at.keep(b, h, t, s)),
             *operands[2], at.key(b, h, s));
    results[1].floats[at.row(b, h, t)] = at.round(largest + at.round(std::log(total)));
  });
}

void attentionGrad(const Evaluator &evaluator, train::AttentionGradOp op,
                   ArrayRef<const Tensor *> operands, MutableArrayRef<Tensor> results) {
  const Tensor &dy = *operands[0], &q = *operands[1], &k = *operands[2], &v = *operands[3],
               &y = *operands[4], &logsum = *operands[5];
  const Heads at(evaluator, op, q, k, operands);
  at.forEachRow([&](int64_t b, int64_t h, int64_t t) {
    const int64_t query = at.query(b, h, t);
    // Σ p dp over the row, by way of y.
    const double through = at.dot(dy, query, y, query);
    for (int64_t s = 0; s < at.visibleKeys(t); ++s) {
      const int64_t key = at.key(b, h, s);
      const double p =
          at.round(std::exp(at.round(at.score(b, h, t, s) - logsum.floats[at.row(b, h, t)])));
      const double keep = at.keep(b, h, t, s);
      const double dp = at.round(at.dot(dy, query, v, key) * keep);
      const double dx = at.round(at.round(p * at.round(dp - through)) * at.scale);
      at.add(results[0], query, dx, k, key);
      at.add(results[1], key, dx, q, query);
      at.add(results[2], key, at.round(p * keep), dy, query);
    }
  });
}

} // namespace sinter::reference
