//===- Layers.h - the built-in layers -----------------------------------------------------------===//
// One table entry declares a layer: its arguments, its shape rule, the parameters it owns and the operation it is.
#pragma once

#include "compiler/semantics/Evaluator.h"

#include <string>
#include <vector>

namespace sinter::semantics {

/// One application of a layer to an input, for the entry's rule.
class LayerCall {
public:
  Evaluator &evaluator;
  const BoundArguments &arguments;
  Instance &instance;
  ValueId input;
  Span inputSpan; ///< of the expression that gives the input
  Span place;     ///< of the layer, as written

  const Type &type() const { return evaluator.graph->type(input); }
  const std::string &name() const { return instance.kind; }

  /// Whether the input has one of these ranks; `wanted` is how the message writes it ("[C, H, W]").
  bool needsRank(std::vector<int64_t> ranks, const std::string &wanted);
  /// A parameter from the arguments `weight:`/`init:` that all layers with weights take.
  /// `fallback` is its initializer where none is written; without that it is chosen, and a norm's is `ones`.
  std::optional<ValueId> weight(std::vector<int64_t> dims, Role role = Role::Weight,
                                const char *fallback = nullptr);
  /// Notes `regularize:`, once an instance, for these of its parameters.
  void regularize(const std::vector<std::string> &names);
  /// From `bias:` and `bias_init:`; `absent` is set where there is to be none.
  std::optional<ValueId> bias(int64_t size, bool &absent, const char *owned = "bias");
  /// A parameter or buffer that no argument ties.
  std::optional<ValueId> own(const std::string &name, std::vector<int64_t> dims, Role role,
                             const char *initializer, const char *initArgument = nullptr);
  Value emit(const std::string &kind, std::vector<ValueId> operands, Attributes attributes,
             std::vector<int64_t> dims);
};

struct LayerEntry {
  Signature signature;
  Value (*apply)(LayerCall &);
  bool ofTokens = false; ///< its input is class or i32, not f32
  /// A part that it makes by itself (an attention's `query`), used alone, with the arguments of the whole; null where
  /// it has none.
  Value (*applyPart)(LayerCall &) = nullptr;
};

/// What all that own weights take, behind their own arguments.
constexpr const char *ofWeights = ", init?: init, bias_init?: init, regularize?: reg, weight?: tie";

/// The part of the table that is convolutions, pools and what else works on images; ImageLayers.cpp.
std::vector<LayerEntry> imageLayers();

/// Embeddings, positions and attention; SequenceLayers.cpp.
std::vector<LayerEntry> sequenceLayers();

const LayerEntry *findLayer(const std::string &name);
std::vector<std::string> layerNames();

} // namespace sinter::semantics
