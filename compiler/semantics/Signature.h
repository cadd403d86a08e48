//===- Signature.h - what the arguments of a built-in are called and may be -------------------===//
// Every built-in (layer, function, initializer, regularizer, optimizer, schedule, source of data) declares its
// arguments as one line of text, in the manner of the language's own reference:
//
//   "channels: count, kernel: pair, stride: pair = 1, padding: padding = 0, bias: bias = true"
//   "x: tensor, shape...: ints"      the rest of the positional ones
//   "mode: nearest|bilinear = nearest"     a choice of words
//   "min?: real"                     may be left out and then has no value
//   "temperature: scheduled positive"      in a train block one number that goes with the steps, too
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sinter::semantics {

enum class ArgumentKind {
  Integer,     // int          any integer
  Natural,     // natural      an integer >= 0
  Count,       // count        an integer >= 1
  Size,        // size         a dimension: an integer from 1 to 2147483647
  Real,        // real         any number
  Positive,    // positive     a number > 0
  NonNegative, // nonnegative  a number >= 0
  Probability, // probability  a number in [0, 1)
  Boolean,     // bool
  String,      // string
  Pair,        // pair         a count or (h, w)
  Padding,     // padding      a natural, (h, w), same or valid
  Reals,       // reals        a number or a list of them
  Integers,    // ints         integers, or one list of them
  Axes,        // axes         an integer, a list of them, or all
  Columns,     // columns      a range, a list of integers or of strings, an integer, a string
  Tensor,      // tensor       f32 (a number is one)
  Labels,      // labels       class or i32, or f32
  Any,         // any          a value of whatever kind
  Tensors,     // tensors      one or more values of whatever kind
  Rate,        // rate         a number or a schedule
  Duration,    // duration     an integer of steps, or `n epochs`
  Choice,      // a|b|c
  Lazy,        // init, reg, tie, bias, field: looked at by who asked for it
};

struct ArgumentSpec {
  std::string name;
  ArgumentKind kind = ArgumentKind::Lazy;
  std::string kindText;
  std::vector<std::string> choices;
  bool hasDefault = false;
  std::string defaultText;
  bool optional = false;
  bool rest = false;
  bool scheduled = false;

  bool required() const { return !hasDefault && !optional && !rest; }
};

struct Signature {
  std::string name;
  std::vector<ArgumentSpec> arguments;

  /// Parses the text above; a slip in it is the programmer's, and throws std::logic_error.
  static Signature parse(std::string name, std::string_view text);

  const ArgumentSpec *find(std::string_view argument) const;
  std::vector<std::string> names() const;
  /// "dense(units, bias: true)": as the language's reference writes it, without what all layers take.
  std::string usage(size_t from = 0) const;
};

/// What a kind takes, for a message: "a whole number of at least 1".
std::string describe(const ArgumentSpec &spec);

} // namespace sinter::semantics
