#include "runtime/DescriptionNode.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace sinter::runtime {

namespace {

LoadOp readLoadOp(const Node &node) {
  using Kind = LoadOp::Kind;
  LoadOp op;
  op.kind = choose<Kind>(node.at("kind"), {{"affine", Kind::Affine},
                                           {"add", Kind::Add},
                                           {"multiply", Kind::Multiply},
                                           {"divide", Kind::Divide},
                                           {"subtract_from", Kind::SubtractFrom},
                                           {"divide_into", Kind::DivideInto},
                                           {"power", Kind::Power},
                                           {"normalize", Kind::Normalize},
                                           {"standardize", Kind::Standardize},
                                           {"bf16", Kind::Bf16}});
  if (op.kind == Kind::Affine) {
    op.value = node.number("scale", 1);
    op.shift = node.number("shift", 0);
  } else if (op.kind == Kind::Normalize) {
    op.mean = node.numbers("mean");
    op.std = node.numbers("std");
    if (op.mean.empty() || op.mean.size() != op.std.size())
      refuse(node.path, "mean and std need one number each, or one a channel");
  } else if (op.kind != Kind::Standardize && op.kind != Kind::Bf16) {
    op.value = node.at("value").number();
  }
  return op;
}

Source readSource(const Node &node) {
  using Kind = Source::Kind;
  Source source;
  source.kind = choose<Kind>(node.at("kind"), {{"idx", Kind::Idx},
                                               {"csv", Kind::Csv},
                                               {"npy", Kind::Npy},
                                               {"npz", Kind::Npz},
                                               {"safetensors", Kind::SafeTensors},
                                               {"cifar", Kind::Cifar},
                                               {"images", Kind::Images},
                                               {"text", Kind::Text},
                                               {"synthetic", Kind::Synthetic}});
  if (source.kind == Kind::Synthetic)
    source.count = node.at("count").integer(1, std::numeric_limits<int32_t>::max());
  else
    source.file = node.at("file").text();
  source.moreFiles = node.texts("more_files");
  if (source.kind == Kind::Npz || source.kind == Kind::SafeTensors)
    source.key = node.at("key").text();
  const bool image = source.kind == Kind::Cifar || source.kind == Kind::Images;
  if (image || source.kind == Kind::Text) {
    source.part = node.at("part").text();
    if (source.part != (image ? "image" : "tokens") && source.part != (image ? "label" : "next"))
      refuse(node.path, fmt::format("`{}` is no part of it", source.part));
  }
  source.resize = node.truth("resize");
  if (source.kind == Kind::Text)
    source.window = node.at("window").integer(1, std::numeric_limits<int32_t>::max());
  if (source.kind != Kind::Csv)
    return source;
  const Node columns = node.at("columns");
  if (columns.json.is_object()) {
    source.first = columns.at("first").integer();
    source.last = columns.at("last").integer();
  } else {
    for (const Node &column : columns.items())
      if (column.json.is_string())
        source.columnNames.push_back(column.text());
      else
        source.columns.push_back(column.integer());
    if (source.columns.empty() == source.columnNames.empty())
      refuse(columns.path, "numbers or names are needed, not both");
  }
  if (node.has("skip") && node.at("skip").integer() >= 0)
    source.skip = node.at("skip").integer();
  const std::string separator = node.text("separator", ",");
  if (separator.size() != 1)
    refuse(node.path, fmt::format("the separator `{}` is not one byte", separator));
  source.separator = separator[0];
  return source;
}

Fill readFill(const Node &node, const Data &data) {
  Fill fill;
  fill.place = node.text("place", "");
  fill.fields = node.texts("fields");
  fill.source = readSource(node.at("source"));
  if (fill.fields.empty() ||
      (fill.fields.size() > 1 && fill.source.kind != Source::Kind::Synthetic))
    refuse(node.path, "one field is needed");
  for (const Node &op : node.list("ops"))
    fill.ops.push_back(readLoadOp(op));
  for (const std::string &name : fill.fields) {
    const Field *field = data.field(name);
    if (!field)
      refuse(node.path, fmt::format("no field is called `{}`", name));
    for (const LoadOp &op : fill.ops) {
      const bool perChannel = op.kind == LoadOp::Kind::Normalize && op.mean.size() > 1;
      if (perChannel &&
          (field->shape.empty() || field->shape[0] != static_cast<int64_t>(op.mean.size())))
        refuse(node.path, fmt::format("normalize has {} channels, {} is {}", op.mean.size(), name,
                                      field->type()));
    }
    const bool picture = fill.source.kind == Source::Kind::Images && fill.source.part == "image";
    if (picture && (field->shape.size() != 3 || (field->shape[0] != 1 && field->shape[0] != 3)))
      refuse(node.path, fmt::format("{} is {}, and holds no picture", name, field->type()));
    if (fill.source.kind == Source::Kind::Text &&
        (field->scalar != Scalar::I32 || field->elements() != fill.source.window ||
         !fill.ops.empty()))
      refuse(node.path, fmt::format("{} is {}, and holds no window of text", name, field->type()));
  }
  return fill;
}

Keep readKeep(const Node &node, const Data &data) {
  using Op = Keep::Op;
  Keep keep;
  keep.op = choose<Op>(node.at("op"), {{"number", Op::Number},
                                       {"field", Op::Field},
                                       {"neg", Op::Negate},
                                       {"+", Op::Add},
                                       {"-", Op::Subtract},
                                       {"*", Op::Multiply},
                                       {"/", Op::Divide},
                                       {"**", Op::Power},
                                       {"==", Op::Equal},
                                       {"!=", Op::NotEqual},
                                       {"<", Op::Less},
                                       {"<=", Op::LessEqual},
                                       {">", Op::Greater},
                                       {">=", Op::GreaterEqual},
                                       {"and", Op::And},
                                       {"or", Op::Or},
                                       {"not", Op::Not}});
  if (keep.op == Op::Number) {
    keep.value = node.at("value").number();
    return keep;
  }
  if (keep.op == Op::Field) {
    keep.field = node.at("field").text();
    const Field *field = data.field(keep.field);
    if (!field || field->elements() != 1)
      refuse(node.path, fmt::format("`{}` is no field of one number", keep.field));
    return keep;
  }
  for (const Node &operand : node.at("args").items())
    keep.operands.push_back(readKeep(operand, data));
  if (keep.operands.size() != (keep.op == Op::Negate || keep.op == Op::Not ? 1U : 2U))
    refuse(node.path, "it has the wrong number of operands");
  return keep;
}

Augment readAugment(const Node &node, const Data &data) {
  using Kind = Augment::Kind;
  Augment augment;
  augment.fields = node.texts("fields");
  for (const Node &item : node.list("steps")) {
    Augment::Step step;
    step.kind = choose<Kind>(item.at("kind"), {{"random_crop", Kind::RandomCrop},
                                               {"flip_horizontal", Kind::FlipHorizontal},
                                               {"flip_vertical", Kind::FlipVertical},
                                               {"random_rotation", Kind::RandomRotation},
                                               {"random_erase", Kind::RandomErase},
                                               {"noise", Kind::Noise}});
    step.value = item.at("value").number();
    for (const std::string &name : augment.fields) {
      const Field *field = data.field(name);
      const bool noise = step.kind == Kind::Noise;
      if (!field || (noise ? field->scalar != Scalar::F32 : field->shape.size() < 2))
        refuse(item.path, fmt::format("`{}` cannot be changed so", name));
    }
    augment.steps.push_back(step);
  }
  return augment;
}

/// Windows of text are cut anew each epoch, so nothing can stand beside them.
void checkTextAlone(const Node &node, const Part &part) {
  const auto isText = [](const Fill &fill) { return fill.source.kind == Source::Kind::Text; };
  const bool any = std::any_of(part.fills.begin(), part.fills.end(), isText);
  if (!any)
    return;
  for (const Fill &fill : part.fills)
    if (!isText(fill) || fill.source.file != part.fills[0].source.file ||
        fill.source.window != part.fills[0].source.window)
      refuse(node.path, "text stands beside another source");
}

} // namespace

Data readData(const Node &node) {
  Data data;
  data.name = node.at("name").text();
  data.place = node.text("place", "");
  data.seed = node.has("seed") ? node.at("seed").seed() : 0;
  for (const Node &item : node.at("fields").items()) {
    Field field;
    field.name = item.at("name").text();
    field.scalar = choose<Scalar>(
        item.at("dtype"), {{"f32", Scalar::F32}, {"i32", Scalar::I32}, {"bool", Scalar::F32}});
    field.boolean = item.at("dtype").text() == "bool";
    field.classes = item.has("classes") ? item.at("classes").integer(0, int64_t{1} << 31) : 0;
    field.labels = item.has("labels") ? item.at("labels").integer(0, int64_t{1} << 31) : 0;
    field.shape = readShape(item.at("shape"));
    if ((field.classes > 0 || field.labels > 0) && field.scalar != Scalar::I32)
      refuse(item.path, "a class is i32");
    data.fields.push_back(field);
  }
  const Node parts = node.at("parts");
  for (const char *name : {"train", "valid", "test"}) {
    if (!parts.has(name))
      continue;
    Part part{name, {}};
    for (const Node &fill : parts.at(name).items())
      part.fills.push_back(readFill(fill, data));
    checkTextAlone(parts.at(name), part);
    data.parts.push_back(std::move(part));
  }
  if (!parts.has("train"))
    refuse(parts.path, "`train` is missing");
  if (node.has("split")) {
    const Node item = node.at("split");
    Split split;
    split.train = item.at("train").number();
    split.valid = item.number("valid", 0);
    split.test = item.number("test", 0);
    split.seed = item.has("seed") ? item.at("seed").seed() : data.seed;
    split.stratify = item.text("stratify", "");
    split.place = item.text("place", data.place.c_str());
    const double sum = split.train + split.valid + split.test;
    if (!(split.train > 0) || split.valid < 0 || split.test < 0 || std::abs(sum - 1) > 1e-6)
      refuse(item.path, "the shares do not sum to 1");
    if ((split.valid > 0 && parts.has("valid")) || (split.test > 0 && parts.has("test")))
      refuse(item.path, "the split cuts off a part that is filled");
    if (!split.stratify.empty()) {
      const Field *field = data.field(split.stratify);
      if (!field || field->classes == 0 || field->elements() != 1)
        refuse(item.path, fmt::format("`{}` is no field of one class", split.stratify));
    }
    data.split = split;
  }
  if (node.has("keep"))
    data.keep = readKeep(node.at("keep"), data);
  if (node.has("take"))
    data.take = node.at("take").integer(1);
  for (const Node &item : node.list("augment"))
    data.augments.push_back(readAugment(item, data));
  return data;
}

} // namespace sinter::runtime
