//===- Dump.cpp ------------------------------------------------------------------------------===//
#include "compiler/semantics/Dump.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sinter::semantics {
namespace {

using semantics::dump;

const char *roleName(Role role) {
  switch (role) {
  case Role::Weight:
    return "weight";
  case Role::Bias:
    return "bias";
  case Role::NormScale:
    return "norm_scale";
  case Role::NormShift:
    return "norm_shift";
  case Role::Embedding:
    return "embedding";
  case Role::Recurrent:
    return "recurrent";
  case Role::Buffer:
    return "buffer";
  case Role::Other:
    return "other";
  }
  return "";
}

std::string dump(const Initializer &init) {
  switch (init.kind) {
  case Initializer::Kind::Constant:
    return fmt::format("{}: constant({:.6g})", init.name, init.a);
  case Initializer::Kind::Uniform:
    return fmt::format("{}: uniform({:.6g}, {:.6g})", init.name, init.a, init.b);
  case Initializer::Kind::Normal:
    return fmt::format("{}: normal({:.6g}, {:.6g})", init.name, init.a, init.b);
  case Initializer::Kind::TruncatedNormal:
    return fmt::format("{}: truncated_normal({:.6g}, {:.6g})", init.name, init.a, init.b);
  case Initializer::Kind::Orthogonal:
    return fmt::format("{}: orthogonal({:.6g})", init.name, init.a);
  case Initializer::Kind::Identity:
    return fmt::format("{}: identity({:.6g})", init.name, init.a);
  case Initializer::Kind::Values:
    return fmt::format("{}: [{:.6g}]", init.name, fmt::join(init.values, ", "));
  }
  return "";
}

std::string dump(const Count &count) {
  return fmt::format("{:g} {}", count.value, count.epochs ? "epochs" : "steps");
}

std::string dump(const Schedule &schedule) {
  std::string warmup =
      schedule.warmup.value > 0 ? ", warmup " + dump(schedule.warmup) : std::string();
  switch (schedule.kind) {
  case Schedule::Kind::Constant:
    return fmt::format("constant({:g}{})", schedule.rate, warmup);
  case Schedule::Kind::Step:
    return fmt::format("step({:g}, every {}, by {:g}{})", schedule.rate, dump(schedule.every),
                       schedule.by, warmup);
  case Schedule::Kind::Exponential:
    return fmt::format("exponential({:g}, by {:g}{})", schedule.rate, schedule.by, warmup);
  case Schedule::Kind::Cosine:
    return fmt::format("cosine({:g}, floor {:g}{})", schedule.rate, schedule.floor, warmup);
  case Schedule::Kind::Linear:
    return fmt::format("linear({:g}, to {:g}{})", schedule.rate, schedule.to, warmup);
  }
  return "";
}

std::string dump(const Attributes &attributes) {
  std::string text;
  for (const auto &[name, value] : attributes)
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", name, dump(value));
  return text.empty() ? text : " {" + text + "}";
}

std::string dump(const LoadOp &op) {
  switch (op.kind) {
  case LoadOp::Kind::Add:
    return fmt::format("add {:g}", op.value);
  case LoadOp::Kind::Multiply:
    return fmt::format("multiply {:g}", op.value);
  case LoadOp::Kind::Divide:
    return fmt::format("divide {:g}", op.value);
  case LoadOp::Kind::SubtractFrom:
    return fmt::format("subtract_from {:g}", op.value);
  case LoadOp::Kind::DivideInto:
    return fmt::format("divide_into {:g}", op.value);
  case LoadOp::Kind::Power:
    return fmt::format("power {:g}", op.value);
  case LoadOp::Kind::Normalize:
    return fmt::format("normalize mean [{:g}] std [{:g}]", fmt::join(op.mean, ", "),
                       fmt::join(op.std, ", "));
  case LoadOp::Kind::Standardize:
    return "standardize";
  case LoadOp::Kind::Bf16:
    return "bf16";
  }
  return "";
}

std::string dump(const Keep &keep) {
  if (keep.op == "number")
    return fmt::format("{:g}", keep.value);
  if (keep.op == "field")
    return keep.field;
  if (keep.operands.size() == 1)
    return fmt::format("{}({})", keep.op, dump(keep.operands[0]));
  return fmt::format("({} {} {})", dump(keep.operands[0]), keep.op, dump(keep.operands[1]));
}

void dump(const Data &data, std::string &out) {
  out += fmt::format("data {}\n", data.name);
  for (const Field &field : data.fields)
    out += fmt::format("  field {}: {}\n", field.name, field.type.str());
  for (const auto &[part, fills] : data.parts)
    for (const Fill &fill : fills) {
      out += fmt::format("  {} {} = {} \"{}\"{}", part, fmt::join(fill.fields, ", "),
                         fill.source.kind, fill.source.file, dump(fill.source.attributes));
      for (const LoadOp &op : fill.operations)
        out += " | " + dump(op);
      out += "\n";
    }
  if (data.split)
    out += fmt::format("  split {:g} {:g} {:g} seed {} stratify \"{}\"\n", data.split->train,
                       data.split->valid, data.split->test, data.split->seed, data.split->stratify);
  if (data.keep)
    out += fmt::format("  keep {}\n", dump(*data.keep));
  if (data.take)
    out += fmt::format("  take {}\n", *data.take);
  for (const Augment &augment : data.augments) {
    out += fmt::format("  augment {}", fmt::join(augment.fields, ", "));
    for (const Augment::Step &step : augment.steps)
      out += fmt::format(" | {} {:g}", step.kind, step.value);
    out += "\n";
  }
}

void dump(const Stage &stage, std::string &out) {
  out +=
      fmt::format("  stage \"{}\": batch {}{}{} accumulate {} for {}\n", stage.name, stage.batch,
                  stage.dropLast ? " drop last" : "", stage.sequential ? " order sequential" : "",
                  stage.accumulate, dump(stage.length));
  if (!stage.frozen.empty())
    out += fmt::format("    frozen {}\n", fmt::join(stage.frozen, " "));
  if (!stage.frozenLayers.empty())
    out += fmt::format("    frozen layers {}\n", fmt::join(stage.frozenLayers, " "));
  out += dump(stage.graph, "    ");
  out += fmt::format("    objective %{}\n", stage.objective);
  for (ValueId penalty : stage.penalties)
    out += fmt::format("    penalty %{}\n", penalty);
  for (const Report &report : stage.reports)
    out += fmt::format("    report {} = %{}{}{}\n", report.name, report.value,
                       report.finish.empty() ? "" : " finish " + report.finish,
                       report.everySteps ? fmt::format(" every {}", report.everySteps) : "");
  for (const Regularizer &each : stage.regularizers)
    out += fmt::format("    regularize {}({:g}, {:g}){}: {}\n", each.kind, each.l1, each.l2,
                       each.proximal ? " proximal" : "", fmt::join(each.parameters, " "));
  for (const Optimizer &each : stage.optimizers)
    out += fmt::format("    optimize {} rate {} x {:g}{}: {}\n", each.kind, dump(each.rate),
                       each.rateFactor, dump(each.attributes), fmt::join(each.parameters, " "));
  if (stage.clip.kind != Clip::Kind::None)
    out += fmt::format("    clip {} {:g}\n", stage.clip.kind == Clip::Kind::Norm ? "norm" : "value",
                       stage.clip.limit);
  for (const Copy &each : stage.copies)
    out += fmt::format("    copy {} to {}\n", fmt::join(each.from, " "), fmt::join(each.to, " "));
  for (const Average &each : stage.averages)
    out += fmt::format("    average decay {:g} every {}: {}\n", each.decay, each.every,
                       fmt::join(each.states, " "));
  for (const Constraint &each : stage.constraints)
    out += fmt::format("    constrain {}({:g}): {}\n", each.kind, each.limit,
                       fmt::join(each.parameters, " "));
  if (!stage.recompute.empty())
    out += fmt::format("    recompute {}\n", fmt::join(stage.recompute, " "));
  if (stage.bf16)
    out += "    precision bf16\n";
  if (stage.stop)
    out += fmt::format("    stop {}.{} for {}\n", stage.stop->measure.set, stage.stop->measure.name,
                       stage.stop->patience);
  if (stage.keepBest)
    out += fmt::format("    keep best {}.{}\n", stage.keepBest->set, stage.keepBest->name);
}

} // namespace

std::string dump(const Attribute &attribute) {
  return std::visit(
      [](const auto &value) -> std::string {
        using Value = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, bool>)
          return value ? "true" : "false";
        else if constexpr (std::is_same_v<Value, std::string>)
          return fmt::format("\"{}\"", value);
        else if constexpr (std::is_same_v<Value, double>)
          return fmt::format("{:g}", value);
        else if constexpr (std::is_same_v<Value, int64_t>)
          return fmt::format("{}", value);
        else
          return fmt::format("[{}]", fmt::join(value, ", "));
      },
      attribute);
}

std::string dump(const Parameter &parameter) {
  std::string text =
      fmt::format("{} {}: {} {} = {}", parameter.trained ? "param" : "buffer", parameter.name,
                  parameter.type.str(), roleName(parameter.role), dump(parameter.initializer));
  for (const Alias &alias : parameter.aliases)
    text += (&alias == &parameter.aliases.front() ? " also " : " ") + alias.str();
  if (!parameter.averageOf.empty())
    text += " average of " + parameter.averageOf;
  return text;
}

std::string dump(const Graph &graph, const std::string &indent) {
  std::string out;
  for (const Operation &op : graph.operations) {
    out += indent;
    for (size_t i = 0; i < op.results.size(); ++i)
      out += fmt::format("{}%{}", i ? ", " : "", op.results[i]);
    out += " = " + op.kind;
    for (size_t i = 0; i < op.operands.size(); ++i)
      out += fmt::format("{}%{}", i ? ", " : " ", op.operands[i]);
    out += dump(op.attributes) + " :";
    for (size_t i = 0; i < op.results.size(); ++i)
      out += (i ? ", " : " ") + graph.type(op.results[i]).str();
    out += (op.path.empty() ? "" : " @" + op.path) + "\n";
  }
  return out;
}

std::string dump(const Program &program) {
  std::string out;
  for (const Data &data : program.datas)
    dump(data, out);
  for (const Train &train : program.trains) {
    out += fmt::format("train {}: {} on {} seed {}\n", train.name, train.model, train.data,
                       train.seed);
    for (const Parameter &parameter : train.parameters)
      out += "  " + dump(parameter) + "\n";
    for (const Teacher &teacher : train.teachers) {
      out += fmt::format("  teacher {}: {}\n", teacher.name, teacher.model);
      for (const Parameter &parameter : teacher.parameters)
        out += "    " + dump(parameter) + "\n";
    }
    for (const Net &net : train.nets) {
      out += fmt::format("  net {}\n{}    return", net.name, dump(net.graph, "    "));
      for (const auto &[name, value] : net.results)
        out += fmt::format(" {}%{}", name.empty() ? "" : name + ": ", value);
      out += "\n";
    }
    for (const Stage &stage : train.stages)
      dump(stage, out);
  }
  return out;
}

} // namespace sinter::semantics
