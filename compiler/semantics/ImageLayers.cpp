//===- ImageLayers.cpp - convolutions, pools, and what makes images larger ------------------------===//
#include "compiler/semantics/Layers.h"

#include <algorithm>
#include <fmt/format.h>

namespace sinter::semantics {

using namespace syntax;

namespace {

/// A window that slides over height and width, or along a sequence.
struct Window {
  std::vector<int64_t> size, stride, dilation{1, 1};
  std::vector<int64_t> padding; ///< before and after, for each axis
  std::vector<int64_t> result;  ///< extents
};

const std::string *wordOf(const LayerCall &call) {
  return call.arguments.item("padding").value.get<std::string>();
}

/// The numbers of an argument along `axes` axes.
std::vector<int64_t> along(const BoundArguments &arguments, const char *name, size_t axes) {
  std::vector<int64_t> numbers = arguments.pair(name);
  numbers.resize(axes);
  return numbers;
}

/// Sizes floor; `same` pads to ⌈n / stride⌉ with an odd rest after. Null after an error.
std::optional<Window> slide(LayerCall &call, const char *sizeArgument) {
  const BoundArguments &arguments = call.arguments;
  const auto axes = static_cast<size_t>(call.type().rank() - 1);
  Window window;
  window.size = along(arguments, sizeArgument, axes);
  window.stride =
      arguments.item("stride").value.poisoned() ? window.size : along(arguments, "stride", axes);
  window.dilation.resize(axes);
  if (arguments.items.count("dilation"))
    window.dilation = along(arguments, "dilation", axes);
  const std::string *word = wordOf(call);
  for (size_t axis = 0; axis < axes; ++axis) {
    int64_t n = call.type().dims[axis + 1];
    int64_t stride = window.stride[axis];
    int64_t reach = window.dilation[axis] * (window.size[axis] - 1) + 1;
    int64_t before = 0, after = 0;
    if (word && *word == "same") {
      int64_t total = std::max<int64_t>(((n + stride - 1) / stride - 1) * stride + reach - n, 0);
      before = total / 2;
      after = total - before;
    } else if (!word) {
      before = after = arguments.pair("padding")[axis];
    }
    window.padding.push_back(before);
    window.padding.push_back(after);
    if (n + before + after < reach) {
      const char *what = axes == 1 ? "length" : axis == 0 ? "height" : "width";
      auto report = call.evaluator.session.engine.report(
          Diag::WindowTooLarge, call.place, call.name(), reach, n + before + after, what);
      report.note(call.inputSpan, call.type().str());
      if (!word)
        report.help("`padding: same` keeps the size");
      return std::nullopt;
    }
    window.result.push_back((n + before + after - reach) / stride + 1);
  }
  return window;
}

/// Whether groups divide the channels on both sides.
bool groupsDivide(LayerCall &call, int64_t inputs, int64_t channels) {
  int64_t groups = call.arguments.integer("groups");
  if (channels % groups == 0 && inputs % groups == 0)
    return true;
  call.evaluator.session.engine
      .report(Diag::GroupsDivide, call.arguments.span("groups"), groups, inputs, channels)
      .note(call.inputSpan, call.type().str());
  return false;
}

/// Zeros behind the last row and column of [C, H, W].
Value widened(LayerCall &call, Value image, const std::vector<int64_t> &beyond) {
  for (size_t axis = 0; axis < 2; ++axis) {
    if (image.poisoned() || beyond[axis] == 0)
      continue;
    ValueId x = image.get<Tensor>()->id;
    std::vector<int64_t> dims = call.evaluator.graph->type(x).dims;
    dims[axis + 1] += beyond[axis];
    image = call.emit("pad", {x},
                      {{"axis", static_cast<int64_t>(axis + 1)},
                       {"before", int64_t{0}},
                       {"after", beyond[axis]},
                       {"value", 0.0}},
                      std::move(dims));
  }
  return image;
}

/// The operation of a convolution on input, weight and bias. `beyond`: rows and columns behind the result that get the
/// bias alone.
Value convolution(LayerCall &call, std::vector<int64_t> weightDims, const Window &window,
                  std::vector<int64_t> result, const std::vector<int64_t> &beyond = {0, 0}) {
  bool noBias = false;
  std::optional<ValueId> weight = call.weight(std::move(weightDims));
  std::optional<ValueId> bias = call.bias(result[0], noBias);
  if (!weight || (!bias && !noBias))
    return Poison{};
  std::vector<ValueId> operands{call.input, *weight};
  const bool isWider = beyond[0] > 0 || beyond[1] > 0;
  if (bias && !isWider)
    operands.push_back(*bias);
  const int64_t channels = result[0];
  Value y = call.emit(call.name(), std::move(operands),
                      {{"stride", window.stride},
                       {"padding", window.padding},
                       {"dilation", window.dilation},
                       {"groups", call.arguments.integer("groups")}},
                      std::move(result));
  if (!isWider)
    return y;
  y = widened(call, std::move(y), beyond);
  if (y.poisoned() || !bias)
    return y;
  const std::vector<int64_t> spread{channels, 1, 1};
  Value each = call.emit("reshape", {*bias}, {{"shape", spread}}, spread);
  ValueId image = y.get<Tensor>()->id;
  return call.emit("add", {image, each.get<Tensor>()->id}, {},
                   call.evaluator.graph->type(image).dims);
}

/// conv2d and conv1d.
Value slidingConvolution(LayerCall &call) {
  bool isImage = call.name() == "conv2d";
  if (!call.needsRank({isImage ? 3 : 2}, isImage ? "[C, H, W]" : "[C, T]"))
    return Poison{};
  int64_t channels = call.arguments.integer("channels"), inputs = call.type().dims[0];
  if (!groupsDivide(call, inputs, channels))
    return Poison{};
  if (!isImage && call.arguments.item("padding").value.get<List>()) {
    call.evaluator.session.engine.report(Diag::ArgumentKind, call.arguments.span("padding"),
                                         call.name(), "padding",
                                         "one whole number, `same` or `valid`", "a pair");
    return Poison{};
  }
  std::optional<Window> window = slide(call, "kernel");
  if (!window)
    return Poison{};
  std::vector<int64_t> weight{channels, inputs / call.arguments.integer("groups")};
  weight.insert(weight.end(), window->size.begin(), window->size.end());
  std::vector<int64_t> result{channels};
  result.insert(result.end(), window->result.begin(), window->result.end());
  return convolution(call, std::move(weight), *window, std::move(result));
}

/// (n - 1) stride - 2 padding + dilation (kernel - 1) + 1 + output_padding, as PyTorch; with `padding: same` n stride.
Value transposedConvolution(LayerCall &call) {
  if (!call.needsRank({3}, "[C, H, W]"))
    return Poison{};
  Engine &engine = call.evaluator.session.engine;
  const BoundArguments &arguments = call.arguments;
  int64_t channels = arguments.integer("channels"), inputs = call.type().dims[0];
  if (!groupsDivide(call, inputs, channels))
    return Poison{};
  if (arguments.item("output_padding").value.get<std::string>()) {
    engine.report(Diag::ArgumentKind, arguments.span("output_padding"), call.name(),
                  "output_padding", "a whole number or a pair of them", "a word");
    return Poison{};
  }
  Window window;
  window.size = arguments.pair("kernel");
  window.stride = arguments.pair("stride");
  window.dilation = arguments.pair("dilation");
  const std::string *word = wordOf(call);
  const std::vector<int64_t> more = arguments.pair("output_padding");
  std::vector<int64_t> result{channels}, beyond{0, 0};
  for (size_t axis = 0; axis < 2; ++axis) {
    int64_t n = call.type().dims[axis + 1], stride = window.stride[axis];
    int64_t reach = window.dilation[axis] * (window.size[axis] - 1) + 1;
    int64_t before = 0, after = 0, extra = more[axis];
    if (word && *word == "same") {
      if (extra != 0) {
        engine.report(Diag::OutputPaddingOfSame, arguments.span("output_padding"));
        return Poison{};
      }
      int64_t total = std::max<int64_t>(reach - stride, 0);
      before = total / 2;
      after = total - before;
      extra = std::max<int64_t>(stride - reach, 0);
    } else if (!word) {
      before = after = arguments.pair("padding")[axis];
    }
    if (extra > 0 && extra >= std::max(stride, window.dilation[axis])) {
      engine.report(Diag::OutputPadding, arguments.span("output_padding"), extra,
                    std::max(stride, window.dilation[axis]));
      return Poison{};
    }
    if (extra >= stride) { // what a convolution back would not leave out is less cut off instead
      int64_t less = std::min(extra, after);
      after -= less;
      extra -= less;
      beyond[axis] = std::max<int64_t>(extra - (stride - 1), 0); // and what no input reaches
      extra -= beyond[axis];
    }
    int64_t extent = (n - 1) * stride + reach + extra - before - after;
    if (extent < 1) {
      engine
          .report(Diag::NothingLeft, arguments.span("padding"), call.name(), before + after,
                  (n - 1) * stride + reach + extra)
          .note(call.inputSpan, call.type().str());
      return Poison{};
    }
    window.padding.push_back(before);
    window.padding.push_back(after);
    result.push_back(extent);
  }
  return convolution(
      call, {inputs, channels / arguments.integer("groups"), window.size[0], window.size[1]},
      window, std::move(result), beyond);
}

Value pool2d(LayerCall &call) {
  if (!call.needsRank({3}, "[C, H, W]"))
    return Poison{};
  std::optional<Window> window = slide(call, "size");
  if (!window)
    return Poison{};
  for (size_t axis = 0; axis < 2; ++axis)
    if (!wordOf(call) && window->padding[2 * axis] * 2 > window->size[axis]) {
      call.evaluator.session.engine.report(Diag::PoolPadding, call.arguments.span("padding"),
                                           call.name(), window->padding[2 * axis],
                                           window->size[axis]);
      return Poison{};
    }
  return call.emit(
      call.name(), {call.input},
      {{"size", window->size}, {"stride", window->stride}, {"padding", window->padding}},
      {call.type().dims[0], window->result[0], window->result[1]});
}

Value globalAveragePool(LayerCall &call) {
  if (!call.needsRank({3}, "[C, H, W]"))
    return Poison{};
  return call.emit("global_avg_pool", {call.input}, {}, {call.type().dims[0]});
}

Value globalMaxPool(LayerCall &call) {
  if (!call.needsRank({3}, "[C, H, W]"))
    return Poison{};
  return call.emit("max", {call.input}, {{"axes", std::vector<int64_t>{1, 2}}, {"keep", false}},
                   {call.type().dims[0]});
}

/// The product of two sizes, or more than any dimension where that is too large.
int64_t times(int64_t a, int64_t b) {
  int64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? int64_t{1} << 40 : product;
}

Value upsample2d(LayerCall &call) {
  if (!call.needsRank({3}, "[C, H, W]"))
    return Poison{};
  const std::vector<int64_t> factor = call.arguments.pair("factor"), dims = call.type().dims;
  return call.emit("upsample2d", {call.input},
                   {{"factor", factor}, {"mode", call.arguments.string("mode")}},
                   {dims[0], times(dims[1], factor[0]), times(dims[2], factor[1])});
}

Value pixelShuffle(LayerCall &call) {
  if (!call.needsRank({3}, "[C, H, W]"))
    return Poison{};
  int64_t r = call.arguments.integer("r");
  const std::vector<int64_t> dims = call.type().dims;
  if (dims[0] % times(r, r)) {
    call.evaluator.session.engine
        .report(Diag::ShuffleChannels, call.place, r, times(r, r), call.type().str())
        .note(call.inputSpan, call.type().str());
    return Poison{};
  }
  return call.emit("pixel_shuffle", {call.input}, {{"r", r}},
                   {dims[0] / (r * r), times(dims[1], r), times(dims[2], r)});
}

} // namespace

std::vector<LayerEntry> imageLayers() {
  auto entry = [](const char *name, const std::string &text, Value (*apply)(LayerCall &)) {
    return LayerEntry{Signature::parse(name, text), apply};
  };
  const std::string weights = ofWeights;
  const std::string pool = "size: pair, stride?: pair, padding: padding = 0";
  return {
      entry("conv2d",
            "channels: size, kernel: pair, stride: pair = 1, padding: padding = 0, "
            "dilation: pair = 1, groups: count = 1, bias: bias = true" +
                weights,
            slidingConvolution),
      entry("conv1d",
            "channels: size, kernel: size, stride: size = 1, padding: padding = 0, "
            "dilation: size = 1, groups: count = 1, bias: bias = true" +
                weights,
            slidingConvolution),
      entry("conv_transpose2d",
            "channels: size, kernel: pair, stride: pair = 1, padding: padding = 0, "
            "dilation: pair = 1, groups: count = 1, bias: bias = true, "
            "output_padding: padding = 0" +
                weights,
            transposedConvolution),
      entry("max_pool2d", pool, pool2d),
      entry("avg_pool2d", pool, pool2d),
      entry("global_avg_pool", "", globalAveragePool),
      entry("global_max_pool", "", globalMaxPool),
      entry("upsample2d", "factor: pair, mode: nearest|bilinear = nearest", upsample2d),
      entry("pixel_shuffle", "r: size", pixelShuffle),
  };
}

} // namespace sinter::semantics
