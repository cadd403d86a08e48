//===- Signature.cpp -------------------------------------------------------------------------===//
#include "compiler/semantics/Signature.h"
#include "compiler/semantics/Nearest.h"

#include <map>
#include <stdexcept>

namespace sinter::semantics {
namespace {

const std::map<std::string, ArgumentKind, std::less<>> kinds = {
    {"int", ArgumentKind::Integer},       {"natural", ArgumentKind::Natural},
    {"count", ArgumentKind::Count},       {"real", ArgumentKind::Real},
    {"positive", ArgumentKind::Positive}, {"nonnegative", ArgumentKind::NonNegative},
    {"bool", ArgumentKind::Boolean},      {"probability", ArgumentKind::Probability},
    {"string", ArgumentKind::String},     {"pair", ArgumentKind::Pair},
    {"padding", ArgumentKind::Padding},   {"reals", ArgumentKind::Reals},
    {"ints", ArgumentKind::Integers},     {"axes", ArgumentKind::Axes},
    {"columns", ArgumentKind::Columns},   {"tensor", ArgumentKind::Tensor},
    {"labels", ArgumentKind::Labels},     {"tensors", ArgumentKind::Tensors},
    {"rate", ArgumentKind::Rate},         {"duration", ArgumentKind::Duration},
    {"init", ArgumentKind::Lazy},         {"reg", ArgumentKind::Lazy},
    {"size", ArgumentKind::Size},         {"field", ArgumentKind::Lazy},
    {"tie", ArgumentKind::Lazy},          {"bias", ArgumentKind::Lazy},
    {"any", ArgumentKind::Any},
};

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ')
    text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ')
    text.remove_suffix(1);
  return text;
}

/// Splits at the separator, but not within parentheses.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  int depth = 0;
  size_t begin = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] == '(')
      ++depth;
    if (i < text.size() && text[i] == ')')
      --depth;
    if (i == text.size() || (text[i] == separator && depth == 0)) {
      parts.push_back(trim(text.substr(begin, i - begin)));
      begin = i + 1;
    }
  }
  return parts;
}

} // namespace

Signature Signature::parse(std::string name, std::string_view text) {
  Signature signature{std::move(name), {}};
  if (trim(text).empty())
    return signature;
  for (std::string_view part : split(text, ',')) {
    ArgumentSpec spec;
    size_t equals = part.find(" = ");
    if (equals != std::string_view::npos) {
      spec.hasDefault = true;
      spec.defaultText = trim(part.substr(equals + 3));
      part = trim(part.substr(0, equals));
    }
    size_t colon = part.find(':');
    if (colon == std::string_view::npos)
      throw std::logic_error("signature of " + signature.name + ": a kind is missing");
    std::string_view argument = trim(part.substr(0, colon));
    spec.kindText = trim(part.substr(colon + 1));
    if (argument.ends_with("...")) {
      spec.rest = true;
      argument.remove_suffix(3);
    } else if (argument.ends_with("?")) {
      spec.optional = true;
      argument.remove_suffix(1);
    }
    spec.name = argument;
    constexpr std::string_view scheduled = "scheduled ";
    if (spec.kindText.starts_with(scheduled)) {
      spec.scheduled = true;
      spec.kindText.erase(0, scheduled.size());
    }
    if (auto found = kinds.find(spec.kindText); found != kinds.end()) {
      spec.kind = found->second;
    } else {
      spec.kind = ArgumentKind::Choice;
      for (std::string_view choice : split(spec.kindText, '|'))
        spec.choices.emplace_back(choice);
    }
    signature.arguments.push_back(std::move(spec));
  }
  return signature;
}

const ArgumentSpec *Signature::find(std::string_view argument) const {
  for (const ArgumentSpec &each : arguments)
    if (each.name == argument)
      return &each;
  return nullptr;
}

std::vector<std::string> Signature::names() const {
  std::vector<std::string> result;
  for (const ArgumentSpec &each : arguments)
    result.push_back(each.name);
  return result;
}

std::string Signature::usage(size_t from) const {
  std::string text = name + "(";
  bool first = true;
  for (size_t i = from; i < arguments.size(); ++i) {
    const ArgumentSpec &each = arguments[i];
    bool ofAllLayers = each.optional && each.kind == ArgumentKind::Lazy;
    if (ofAllLayers)
      continue;
    text += first ? "" : ", ";
    first = false;
    text += each.name;
    if (each.rest)
      text += "…";
    else if (each.hasDefault)
      text += ": " + each.defaultText;
    else if (each.optional)
      text += ": …";
  }
  return text + ")";
}

static std::string describeKind(const ArgumentSpec &spec) {
  switch (spec.kind) {
  case ArgumentKind::Integer:
    return "a whole number";
  case ArgumentKind::Natural:
    return "a whole number of at least 0";
  case ArgumentKind::Count:
  case ArgumentKind::Size:
    return "a whole number of at least 1";
  case ArgumentKind::Real:
    return "a number";
  case ArgumentKind::Positive:
    return "a number above 0";
  case ArgumentKind::NonNegative:
    return "a number of at least 0";
  case ArgumentKind::Probability:
    return "a number from 0 to below 1";
  case ArgumentKind::Boolean:
    return "`true` or `false`";
  case ArgumentKind::String:
    return "a string";
  case ArgumentKind::Pair:
    return "a whole number of at least 1 or `(h, w)`";
  case ArgumentKind::Padding:
    return "a whole number of at least 0, `(h, w)`, `same` or `valid`";
  case ArgumentKind::Reals:
    return "a number or a list of numbers";
  case ArgumentKind::Integers:
    return "whole numbers";
  case ArgumentKind::Axes:
    return "an axis, a list of axes or `all`";
  case ArgumentKind::Columns:
    return "a range `0..9`, or whole numbers or strings";
  case ArgumentKind::Tensor:
  case ArgumentKind::Any:
  case ArgumentKind::Tensors:
    return "an `f32` value";
  case ArgumentKind::Labels:
    return "a `class` or `f32` value";
  case ArgumentKind::Rate:
    return "a number above 0 or a schedule";
  case ArgumentKind::Duration:
    return "a number of steps or `n epochs`";
  case ArgumentKind::Choice:
    return alternatives(spec.choices);
  case ArgumentKind::Lazy:
    return "an expression";
  }
  return "";
}

std::string describe(const ArgumentSpec &spec) {
  return describeKind(spec) + (spec.scheduled ? " or a schedule" : "");
}

} // namespace sinter::semantics
