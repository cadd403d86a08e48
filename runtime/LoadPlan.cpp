#include "runtime/LoadPlan.h"

#include "runtime/NamePattern.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <set>

namespace sinter::runtime {

Shape swapped(Shape shape) {
  if (shape.size() >= 2)
    std::swap(shape[shape.size() - 1], shape[shape.size() - 2]);
  return shape;
}

namespace {

std::string shapeText(const Shape &shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

bool isReal(const std::string &dtype) {
  return dtype == "F32" || dtype == "F64" || dtype == "F16" || dtype == "BF16";
}

/// `Slow:` of `Slow:stem.weight`, "" of `stem.weight`: a file holds the teachers beside whom its weights were trained.
/// A load is from one of them where `strip` says so, and else from none.
std::string_view teacherOf(std::string_view name) {
  const size_t colon = name.find(':');
  return colon == std::string_view::npos ? "" : name.substr(0, colon + 1);
}

class Planner {
public:
  Planner(const LoadRules &loadRules, const TensorTable &table, std::span<const Target> into)
      : rules(loadRules), file(table), targets(into) {
    for (size_t i = 0; i < targets.size(); ++i) {
      index[targets[i].name] = {i, false};
      for (const Alias &alias : targets[i].aliases)
        index[alias.name] = {i, alias.transposed};
    }
    for (const std::vector<std::string> *names : {&rules.parameters, &rules.left})
      for (const std::string &name : *names)
        if (const auto found = index.find(name); found != index.end()) {
          selected.insert(found->second.target);
          if (names == &rules.left)
            left.insert(found->second.target);
        }
    for (const std::string &name : rules.transposed)
      if (const auto found = index.find(name); found != index.end())
        transposed.insert(found->second.target);
    for (const FileName &each : rules.fileNames)
      fileNames[each.name] = &each;
    for (const std::string &text : rules.except)
      patterns.push_back({NamePattern(text), text, false});
  }

  LoadPlan run() {
    for (const auto &[name, info] : file)
      if (teacherOf(name) == teacherOf(rules.strip))
        place(name, info);
    for (const std::string &name : rules.parameters)
      if (const auto found = index.find(name);
          found != index.end() && !touched.contains(found->second.target))
        missing.push_back(found->second.target);
    for (size_t target : missing)
      plan.problems.push_back(fmt::format("`{}` {} is missing", targets[target].name,
                                          shapeText(targets[target].shape)));
    for (const std::string &name : plan.leftOver)
      if (rules.whole)
        plan.problems.push_back(
            fmt::format("`{}` {} belongs to nothing", name, shapeText(file.at(name).shape)));
    checkOptions();
    findHelp();
    return std::move(plan);
  }

private:
  struct Known {
    size_t target = 0;
    bool transposed = false;
  };
  struct Pattern {
    NamePattern pattern;
    std::string text;
    bool used;
  };

  /// A tensor's name after `strip` and `rename`.
  std::string renamed(std::string name) {
    if (!rules.strip.empty() && name.starts_with(rules.strip)) {
      name.erase(0, rules.strip.size());
      if (name.starts_with('.'))
        name.erase(0, 1);
      stripped = true;
    }
    const std::pair<std::string, std::string> *best = nullptr;
    for (const auto &entry : rules.rename)
      if (isAtOrBeneath(name, entry.first) && (!best || entry.first.size() > best->first.size()))
        best = &entry;
    if (best) {
      usedRenames.insert(best->first);
      name = best->second + name.substr(best->first.size());
      if (name.starts_with('.'))
        name.erase(0, 1);
    }
    return name;
  }

  /// What a name belongs to: one target, or the parts of a tensor that holds several.
  std::optional<std::vector<Known>> find(const std::string &name) const {
    if (const auto found = index.find(name);
        found != index.end() && selected.contains(found->second.target))
      return std::vector<Known>{found->second};
    if (const auto found = fileNames.find(name); found != fileNames.end()) {
      std::vector<Known> parts;
      bool any = false;
      for (const std::string &part : found->second->parts) {
        const auto known = index.find(part);
        if (known == index.end())
          return std::nullopt;
        parts.push_back(known->second);
        any |= selected.contains(known->second.target);
      }
      if (any)
        return parts;
    }
    return std::nullopt;
  }

  void place(const std::string &stored, const TensorInfo &info) {
    const std::string name = renamed(stored);
    if (const auto [first, fresh] = finalNames.emplace(name, stored);
        !fresh && info.stored.empty()) {
      plan.problems.push_back(
          fmt::format("`{}` and `{}` both become `{}`", first->second, stored, name));
      return;
    }
    bool dropped = false;
    for (Pattern &each : patterns)
      if (each.pattern.matches(name, info.shape.size()))
        dropped = each.used = true;
    if (dropped)
      return;
    std::optional<std::vector<Known>> parts = find(name);
    if (!parts && !rules.beneath.empty())
      parts = find(rules.beneath + "." + name);
    if (!parts) {
      const bool counter = name == "num_batches_tracked" || name.ends_with(".num_batches_tracked");
      if (!counter && info.stored.empty())
        plan.leftOver.push_back(stored);
      return;
    }
    if (parts->size() == 1)
      placeOne(stored, info, parts->front());
    else
      placeParts(stored, info, *parts);
  }

  LoadPiece pieceOf(const std::string &stored, const TensorInfo &info, Known known) {
    LoadPiece piece;
    piece.target = known.target;
    piece.tensor = info.stored.empty() ? stored : info.stored;
    piece.shown = stored;
    piece.swapFirst = info.transposed != transposed.contains(known.target);
    piece.swapLast = known.transposed;
    return piece;
  }

  bool checkType(const std::string &stored, const TensorInfo &info) {
    if (isReal(info.dtype))
      return true;
    plan.problems.push_back(fmt::format(
        "`{}` is {} there, and only F32, F64, F16 and BF16 are read", stored, info.dtype));
    return false;
  }

  void placeOne(const std::string &stored, const TensorInfo &info, Known known) {
    if (left.contains(known.target))
      return;
    touched.insert(known.target);
    LoadPiece piece = pieceOf(stored, info, known);
    Shape there = info.shape; // as the file's own name has it
    if (piece.swapFirst != info.transposed)
      there = swapped(there);
    Shape here = targets[known.target].shape;
    if (known.transposed)
      here = swapped(here);
    if (there != here) {
      misshapen(stored, info, targets[known.target].name, here);
      return;
    }
    if (checkType(stored, info))
      plan.pieces.push_back(std::move(piece));
  }

  void misshapen(const std::string &stored, const TensorInfo &info, const std::string &name,
                 const Shape &here) {
    plan.problems.push_back(fmt::format("`{}` is {} there, and `{}` is {}", stored,
                                        shapeText(info.shape), name, shapeText(here)));
    if (swapped(info.shape) == here && turned.empty())
      turned = name;
  }

  void placeParts(const std::string &stored, const TensorInfo &info,
                  const std::vector<Known> &parts) {
    LoadPiece piece = pieceOf(stored, info, parts.front());
    Shape there = info.shape;
    if (piece.swapFirst != info.transposed)
      there = swapped(there);
    Shape here = targets[parts.front().target].shape;
    int64_t rows = 0;
    for (const Known &part : parts) {
      if (selected.contains(part.target))
        touched.insert(part.target);
      const Shape &shape = targets[part.target].shape;
      rows += shape.empty() ? 1 : shape[0];
    }
    if (!here.empty())
      here[0] = rows;
    if (there != here) {
      std::string names;
      for (const Known &part : parts)
        names += (names.empty() ? "`" : "`, `") + targets[part.target].name;
      plan.problems.push_back(fmt::format("`{}` is {} there, and {}` one behind the other are {}",
                                          stored, shapeText(info.shape), names, shapeText(here)));
      if (swapped(info.shape) == here && turned.empty())
        turned = targets[parts.front().target].name;
      return;
    }
    if (!checkType(stored, info))
      return;
    piece.cut = true;
    for (const Known &part : parts) {
      piece.target = part.target;
      piece.rows = targets[part.target].shape[0];
      if (selected.contains(part.target) && !left.contains(part.target))
        plan.pieces.push_back(piece);
      piece.from += piece.rows;
    }
  }

  /// An option that does nothing is a slip.
  void checkOptions() {
    if (!rules.strip.empty() && !stripped)
      plan.problems.push_back(
          fmt::format("`strip`: no tensor's name begins with `{}`", rules.strip));
    for (const auto &[from, to] : rules.rename)
      if (!usedRenames.contains(from))
        plan.problems.push_back(
            fmt::format("`rename`: no tensor is `{}` or lies beneath it", from));
    for (const Pattern &each : patterns) {
      bool used = each.used;
      for (size_t target : left) {
        std::vector<std::string> names{targets[target].name};
        for (const Alias &alias : targets[target].aliases)
          names.push_back(alias.name);
        for (const std::string &name : names) {
          used |= each.pattern.matches(name, targets[target].shape.size());
          if (!rules.beneath.empty() && isAtOrBeneath(name, rules.beneath) && name != rules.beneath)
            used |= each.pattern.matches(name.substr(rules.beneath.size() + 1),
                                         targets[target].shape.size());
        }
      }
      if (!used)
        plan.problems.push_back(
            fmt::format("`except`: `{}` names no tensor and no parameter", each.text));
    }
  }

  /// A beginning that all names of the file have too much, or a path that is called otherwise there.
  void findHelp() {
    if (!turned.empty())
      plan.help = fmt::format("`(transpose: {})` turns it round", turned);
    for (size_t target : missing) {
      const std::string &name = targets[target].name;
      for (const std::string &extra : plan.leftOver)
        if (file.at(extra).shape == targets[target].shape && extra.ends_with("." + name)) {
          plan.help = fmt::format("`(strip: \"{}\")`", extra.substr(0, extra.size() - name.size()));
          return;
        }
    }
    for (size_t target : missing) {
      const std::vector<std::string> name = splitName(targets[target].name);
      for (const std::string &extra : plan.leftOver) {
        const std::vector<std::string> other = splitName(extra);
        size_t same = 0;
        while (same < std::min(name.size(), other.size()) &&
               name[name.size() - 1 - same] == other[other.size() - 1 - same])
          ++same;
        if (same == 0 || same >= name.size() || same >= other.size() ||
            file.at(extra).shape != targets[target].shape)
          continue;
        const auto path = [&](const std::vector<std::string> &names) {
          return fmt::format("{}",
                             fmt::join(names.begin(), names.end() - static_cast<long>(same), "."));
        };
        plan.help = fmt::format("`(rename: {{\"{}\": \"{}\"}})`", path(other), path(name));
        return;
      }
    }
  }

  const LoadRules &rules;
  const TensorTable &file;
  std::span<const Target> targets;
  std::map<std::string, Known> index; ///< by every name
  std::map<std::string, const FileName *> fileNames;
  std::set<size_t> selected, left, transposed, touched;
  std::vector<Pattern> patterns;
  std::vector<size_t> missing;
  std::set<std::string> usedRenames;
  std::map<std::string, std::string> finalNames; ///< after `strip` and `rename`; and as stored
  bool stripped = false;
  std::string turned; ///< what would fit the other way round
  LoadPlan plan;
};

} // namespace

LoadPlan planLoad(const LoadRules &rules, const TensorTable &file,
                  std::span<const Target> targets) {
  return Planner(rules, file, targets).run();
}

} // namespace sinter::runtime
